"""The cleaning stage of a build: programs that are a benchmark's, or near copies of another, do not go on.

In a build's `work/`: `screened/NNNNN.jsonl` (what each program has in common with the benchmarks), `signatures/` and
`pairs/` (MinHash), `clean/NNNNN.jsonl` (the programs that go on, in the shards they were in), `cleaned.json` (drops,
exclusions and figures; written last, so that the stage is done if and only if it is there).

Guarantees: what goes on hangs on the configuration, the sources and the benchmark files alone; no text of a benchmark
is written, only names of files, ids of tasks and hashes. Programs are read as a stream; what stays in memory is a few
numbers a program, and the n-grams of candidates (see `semcoder.cleaning.duplicates`).
"""

from __future__ import annotations

import functools
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from semcoder.cleaning import Hit, Screen, read_benchmarks
from semcoder.cleaning.screen import summary
from semcoder.core.files import read_jsonl, write_json, write_jsonl
from semcoder.pyx.config import BuildConfig

#: What a kind of hit is called among the reasons of drops.
REASONS = {
    "code": "has a benchmark's code",
    "n-grams": "has much of a benchmark's code",
    "description": "has a benchmark's description",
    "pair": "has a benchmark's input and output",
}
NEAR = "near duplicate"
#: An executor of datatrove: pipeline, number of tasks, workers, folder of its logs.
Run = Callable[[list[Any], int, int, Path], Any]
Numbered = tuple[tuple[int, int], dict[str, Any], dict[str, Any]]  # shard and place, program row, screened row


@functools.lru_cache(maxsize=1)
def load_screen(files: tuple[str, ...], part: float) -> Screen:
    """The index of these benchmark files, once per process."""
    return Screen(read_benchmarks([Path(file) for file in files]), part)


def prepare(config: BuildConfig, files: Sequence[Path]) -> None:
    """Find out now what cleaning would fail on later: raises `InputError` (a broken benchmark) and `MissingExtra`."""
    read_benchmarks(files)
    if config.near_duplicates:
        import semcoder.cleaning.duplicates  # noqa: F401


def clean(config: BuildConfig, files: Sequence[Path], work: Path, run: Run) -> None:
    """Programs of `work/programs` to `work/clean`; nothing is done twice. Raises `InputError` (a broken benchmark)."""
    from semcoder.pyx import steps

    if (work / "cleaned.json").exists():
        return
    pipeline: list[Any] = [
        steps.Read(work / "programs"),
        steps.Compare(tuple(map(str, files)), config.contamination, work / "screened"),
    ]
    workers = config.workers if files or config.near_duplicates else 1
    if config.near_duplicates:
        from semcoder.cleaning.duplicates import BUCKETS, Signatures, buckets_step

        pipeline.append(Signatures(work / "signatures", config.near_duplicates))
        run(pipeline, config.shards, workers, work / "logs-screen").run()
        pairs = buckets_step(work / "signatures", work / "pairs", config.near_duplicates)
        run([pairs], BUCKETS, 1, work / "logs-pairs").run()
    else:
        run(pipeline, config.shards, workers, work / "logs-screen").run()
    _settle(config, files, work)


def _settle(config: BuildConfig, files: Sequence[Path], work: Path) -> None:
    """Choose who goes on, and write it."""
    twins = _twins(config, work)
    drops: list[dict[str, Any]] = []
    exclusions: list[dict[str, Any]] = []
    nearest: dict[str, list[float]] = {}
    for shard in range(config.shards):
        kept = []
        clean_place = 0
        for _, row, screened in _numbered(work, shard):
            hit = None if screened["hit"] is None else Hit(**screened["hit"])
            place = (shard, clean_place)
            clean_place += hit is None
            if hit is not None:
                drops.append(_drop(row, REASONS[hit.kind], f"{hit.benchmark}: {hit.task}"))
                exclusions.append(exclusion("program", row["program"], row["id"], hit=hit))
            elif place in twins:
                like, similarity = twins[place]
                drops.append(_drop(row, NEAR, f"of {like}"))
                exclusions.append(exclusion("program", row["program"], row["id"], like=like, similarity=similarity))
            else:
                kept.append(row)
                for name, value in screened["nearest"].items():
                    nearest.setdefault(name, []).append(value)
        write_jsonl(work / "clean" / f"{shard:05d}.jsonl", kept)
    checked = [
        {
            "name": benchmark.name,
            "file": path.name,
            "sha256": benchmark.sha256,
            "tasks": len(benchmark.tasks),
            "tasks_unreadable": benchmark.unreadable,
            "similarity": summary(nearest.get(benchmark.name, [])),
        }
        for path, benchmark in zip(files, read_benchmarks(files), strict=True)
    ]
    write_json(work / "cleaned.json", {"drops": drops, "exclusions": exclusions, "benchmarks": checked})


def _twins(config: BuildConfig, work: Path) -> dict[tuple[int, int], tuple[str, float]]:
    """Near duplicates by shard and place among its clean programs: the id of the kept program, and the similarity."""
    if not config.near_duplicates:
        return {}
    from semcoder.cleaning.duplicates import candidates, confirm

    groups = candidates(work / "pairs")
    ids: dict[tuple[int, int], str] = {}

    def documents() -> Iterator[tuple[tuple[int, int], tuple[str, str]]]:
        for place, row, _ in _in_turn(config, work):
            if place in groups:
                ids[place] = row["id"]
                yield place, (row["program"]["source"], row["program"]["entry"])

    found = confirm(groups, documents(), config.near_duplicates)
    return {place: (ids[twin.place], twin.similarity) for place, twin in found.items()}


def _in_turn(config: BuildConfig, work: Path) -> Iterator[Numbered]:
    """Clean programs in the order in which they were collected: they were dealt out to the shards in turns."""
    readers: list[Iterator[Numbered]] = [_numbered(work, shard) for shard in range(config.shards)]
    places = Counter[int]()
    while readers:
        still: list[Iterator[Numbered]] = []
        for reader in readers:
            found = next(reader, None)
            if found is None:
                continue
            still.append(reader)
            (shard, _), row, screened = found
            if screened["hit"] is None:
                yield (shard, places[shard]), row, screened
                places[shard] += 1
        readers = still


def _numbered(work: Path, shard: int) -> Iterator[Numbered]:
    programs = read_jsonl(work / "programs" / f"{shard:05d}.jsonl")
    screened = read_jsonl(work / "screened" / f"{shard:05d}.jsonl")
    for place, (row, seen) in enumerate(zip(programs, screened, strict=True)):
        yield (shard, place), row, seen


def _drop(row: dict[str, Any], reason: str, detail: str) -> dict[str, Any]:
    program = row["program"]
    return {"reason": reason, "detail": detail, "entry": program["entry"], "origin": program["origin"]}


def exclusion(
    what: str,
    program: dict[str, Any],
    program_id: str,
    *,
    hit: Hit | None = None,
    like: str = "",
    similarity: float = 1.0,
    reason: str = NEAR,
) -> dict[str, Any]:
    """One line of `exclusions.jsonl`; every line has every key. `what` is program, case or row."""
    return {
        "what": what,
        "reason": reason if hit is None else REASONS[hit.kind],
        "program": program_id,
        "entry": program["entry"],
        "origin": program["origin"],
        "like": like,
        "benchmark": "" if hit is None else hit.benchmark,
        "task": "" if hit is None else hit.task,
        "similarity": similarity if hit is None else hit.part,
    }


def read_cleaned(work: Path) -> dict[str, Any]:
    """What `clean` found: `drops`, `exclusions`, `benchmarks`."""
    found: dict[str, Any] = json.loads((work / "cleaned.json").read_text(encoding="utf-8"))
    return found


def cleaning_figures(
    config: BuildConfig, benchmarks: Sequence[dict[str, Any]], excluded_as: Mapping[tuple[str, str, str], int]
) -> dict[str, Any]:
    """The manifest's part on cleaning: which benchmarks were compared with, and what was left out because of each.

    `excluded_as`: how many exclusions have a benchmark, a kind of thing and a reason.
    """
    excluded = {"program": "programs_excluded", "case": "cases_excluded", "row": "rows_excluded"}
    checked = []
    for benchmark in benchmarks:
        mine = [(what, why, number) for (whose, what, why), number in excluded_as.items() if whose == benchmark["name"]]
        counts = {name: sum(number for kind, _, number in mine if kind == what) for what, name in excluded.items()}
        checked.append({**benchmark, **counts, "reasons": _summed((why, number) for _, why, number in mine)})
    return {
        "near_duplicates": config.near_duplicates,
        "contamination": config.contamination,
        "benchmarks": checked,
        "excluded": _summed((f"{what}: {why}", number) for (_, what, why), number in excluded_as.items()),
    }


def _summed(pairs: Iterable[tuple[str, int]]) -> dict[str, int]:
    """The sum of each name's numbers, greatest first."""
    found: Counter[str] = Counter()
    for name, number in pairs:
        found[name] += number
    return dict(found.most_common())


def similarity_figures(benchmarks: Sequence[dict[str, Any]]) -> dict[str, float]:
    """Per benchmark, in percent: over the programs that stay, the mean and the greatest similarity to its tasks."""
    figures = {}
    for benchmark in benchmarks:
        for which in ("mean", "max"):
            value = benchmark["similarity"][which]
            if value is not None:
                figures[f"similarity_percent_{which}_{benchmark['name']}"] = round(100 * value, 2)
    return figures

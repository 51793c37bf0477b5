"""The page of a refinement: pass@1 over the rounds, what the replies of each round did, how samples ended; and other
refinements beside it.

Guarantees: runs that may see the benchmark's own tests and runs that may not are in charts and tables of their own. All
is read from the manifests: nothing is scored again. Missing or malformed input raises `InputError`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from semcoder.errors import InputError
from semcoder.report.charts import Curve, curves
from semcoder.report.html import (
    Cell,
    Column,
    bars,
    columns,
    ends,
    keys,
    most,
    number,
    page,
    read_json,
    section,
    share,
    table,
    text,
)
from semcoder.report.provenance import provenance, refine_command
from semcoder.report.reading import Pair, count, pair, part, percent_of, said, span
from semcoder.report.training import checked

TITLE = "SemCoder refinement report"
_MODES = {
    "shown": "tests of the prompt alone",
    "oracle": "oracle-assisted: the benchmark’s own failing test is shown",
}
_COUNTS = ("n", "unjudged", "replies", "gained", "lost")
_ENDS = {
    "solved": "its answer passes",
    "untested": "no test fails that it may see, or there is none",
    "repeats": "it came back to a program that it was asked about before",
    "garbage": "it wrote no program, and would be asked the same again",
    "rounds": "its rounds are used up",
    "unanswered": "the model did not reply",
}


@dataclass(frozen=True, slots=True)
class _Point:
    """What there is after a round. `kinds`: what its replies did; none for the first answers."""

    percent: float | None
    interval: Pair | None
    counts: dict[str, int]
    kinds: dict[str, int]


@dataclass(frozen=True, slots=True)
class _Run:
    """A refinement, as its manifest has it."""

    name: str
    benchmark: str
    mode: str
    explain: bool
    model: str
    curve: tuple[_Point, ...]
    ends: dict[str, int]
    solved_in: dict[str, int]
    tasks: int
    samples: int
    tasks_with_tests: int

    @property
    def label(self) -> str:
        return f"{self.model}, explained" if self.explain else self.model


def refinement_page(folder: Path, others: Sequence[Path] = ()) -> str:
    """The page of a finished refinement, with `others` beside it. Raises `InputError`."""
    path = folder / "manifest.json"
    manifest = checked(path, ("config", "versions", "data"))
    own = _read(manifest, folder)
    groups: dict[tuple[str, str], list[_Run]] = {(own.benchmark, own.mode): []}
    for run in [*(_opened(other) for other in others), own]:
        groups.setdefault((run.benchmark, run.mode), []).append(run)
    body = [
        f"<h1>{TITLE}</h1>",
        f'<p class="lead">{text(own.model)} on the tasks of {text(own.benchmark)}, allowed to try again '
        f"{number(len(own.curve) - 1)} times; {_MODES[own.mode]}.</p>",
        _keys(own),
        *(_curves(place, name, mode, runs) for place, ((name, mode), runs) in enumerate(groups.items(), 1)),
        _rounds(own),
        _ended(own),
        _reading(),
        provenance(path, manifest, refine_command(manifest["config"]), data=manifest["data"]),
    ]
    return page(TITLE, "\n".join(body))


# -- reading


def _opened(folder: Path) -> _Run:
    path = folder / "manifest.json"
    manifest = read_json(path, "a finished `semcoder refine`")
    if manifest.get("kind") != "refinement":
        raise InputError(f"{path}: not of a refinement; only refinements stand beside one")
    return _read(manifest, folder)


def _read(manifest: Mapping[str, Any], folder: Path) -> _Run:
    where = f"{folder / 'manifest.json'}: results"
    found = part(manifest, "results", str(folder / "manifest.json"))
    mode, points = found.get("mode"), found.get("curve")
    if mode not in _MODES:
        raise InputError(f"{where}: 'mode' must be one of {', '.join(_MODES)}")
    if not isinstance(points, list) or not points or not all(isinstance(point, dict) for point in points):
        raise InputError(f"{where}: 'curve' must be a list of rounds")
    ends, solved = part(found, "ends", where), part(found, "solved_in", where)
    return _Run(
        folder.name,
        str(found.get("benchmark")),
        mode,
        bool(found.get("explain")),
        str(found.get("model")),
        tuple(_point(point, f"{where}.curve[{place}]") for place, point in enumerate(points)),
        {end: count(ends, end, f"{where}.ends") for end in ends},
        {place: count(solved, place, f"{where}.solved_in") for place in solved},
        *(count(found, key, where) for key in ("tasks", "samples", "tasks_with_tests")),
    )


def _point(doc: Mapping[str, Any], where: str) -> _Point:
    kinds = {} if doc.get("kinds") is None else part(doc, "kinds", where)
    return _Point(
        percent_of(doc, "pass@1", where),
        pair(doc, "interval", where),
        {key: count(doc, key, where) for key in _COUNTS},
        {kind: count(kinds, kind, f"{where}.kinds") for kind in kinds},
    )


# -- drawing


def _keys(run: _Run) -> str:
    first, last = run.curve[0], run.curve[-1]
    return keys([
        (said(first.percent), "pass@1 of first answers, %"),
        (said(last.percent), f"pass@1 after round {len(run.curve) - 1}, %"),
        (run.tasks, "tasks"),
        (run.tasks_with_tests, "of them with a test that may be seen"),
        (sum(point.counts["gained"] for point in run.curve), "samples gained"),
        (sum(point.counts["lost"] for point in run.curve), "samples lost"),
    ])  # fmt: skip


def _curves(place: int, name: str, mode: str, runs: Sequence[_Run]) -> str:
    lines = [
        Curve(
            run.name,
            [(at, point.percent) for at, point in enumerate(run.curve) if point.percent is not None],
            [(at, point.interval) for at, point in enumerate(run.curve) if point.interval is not None],
        )
        for run in runs
    ]
    rounds = max(len(run.curve) for run in runs)
    rows = [(run.name, run.label, *(_cell(run.curve, at) for at in range(rounds))) for run in runs]
    heads = ("Run", "Model", *(f"Round {at}" for at in range(rounds)))
    title = f"{name}: {_MODES[mode]}"
    return section(
        f"curve-{place}",
        text(title),
        curves(
            _title(runs, title), "round", "right answers, % of tasks, with 95 % intervals over tasks", lines, whole=True
        ),
        table(f"curve-{place}", f"pass@1 after each round, % (95 % interval), {title}", heads, rows, words=2),
    )


def _title(runs: Sequence[_Run], title: str) -> str:
    """Where the only run went, or what is compared."""
    first, last = runs[0].curve[0].percent, runs[0].curve[-1].percent
    if len(runs) > 1 or first is None or last is None:
        return f"pass@1 by round, {title}"
    return f"pass@1 goes from {said(first)} to {said(last)} in {number(len(runs[0].curve) - 1)} rounds"


def _cell(points: Sequence[_Point], at: int) -> Cell:
    if at >= len(points):
        return Cell(None, "")
    return Cell(points[at].percent, f"{said(points[at].percent)} ({span(points[at].interval)})")


def _rounds(run: _Run) -> str:
    kinds = list(dict.fromkeys(kind for point in run.curve for kind in point.kinds))
    heads: list[str | Column] = ["Round", "pass@1, %", Column("95 % interval", ends=True), "Tasks that count"]
    heads += ["Not judged", "Replies", "Gained", "Lost", *map(str.capitalize, kinds)]
    rows = [
        (
            str(at),
            share(point.percent),
            ends(point.interval),
            *(point.counts[key] for key in _COUNTS),
            *(_many(point.kinds, kind) for kind in kinds),
        )
        for at, point in enumerate(run.curve)
    ]
    return section("rounds", "Round by round", table("rounds", "What the replies of each round did", heads, rows))


def _many(kinds: Mapping[str, int], kind: str) -> Cell:
    return Cell(kinds[kind], number(kinds[kind])) if kind in kinds else Cell(None, "")


def _ended(run: _Run) -> str:
    ended = {f"{end}: {_ENDS.get(end, '')}": samples for end, samples in run.ends.items()}
    return section(
        "ends",
        "How samples ended",
        columns(
            bars("ends", f"Of {number(run.samples)} samples", ("Because", "Samples"), most(ended), run.samples),
            table("counts", "What was counted", ("What", "Number"), _counted(run)),
        ),
    )


def _counted(run: _Run) -> Iterator[tuple[str, Any]]:
    yield "Tasks", run.tasks
    yield "Tasks with a test that the model may see", run.tasks_with_tests
    for place, samples in run.solved_in.items():
        yield f"Samples whose answer of round {place} passes the tests that may be seen", samples


def _reading() -> str:
    return section(
        "reading",
        "How to read the figures",
        "<p>Round 0 is the first answer. After each round a sample has the best of its answers so far by the tests "
        "that the model may see, the earlier one of equals. pass@1 is the benchmark’s own verdict on that answer; "
        "intervals are over tasks. Gained and lost count samples whose verdict rose and fell: with tests of the prompt "
        "alone a better answer by those may be a worse one by the benchmark’s.</p>",
        "<p>An oracle-assisted figure says how well a model repairs when it is told what is wrong by the very tests "
        "that it is judged by. It is no score of the benchmark, and is not to be set beside one.</p>",
    )

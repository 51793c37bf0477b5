"""A synthesis: seeds to programs, and monologues for them, resumable, with one manifest.

A folder of one holds

    config.json      what it began with               programs.jsonl         as `semcoder collect` writes it
    manifest.json    counts, reasons, tokens, cost    rows/KIND-00000.jsonl  nl; with monologues forward, backward
    drops.jsonl      every seed given up, and why     work/                  what is done, seed by seed
    replies.sqlite   every reply of the teacher (kept by whoever opened the model: `open_teacher`)

Guarantees: a run that was killed at any moment and started again ends with the same files as one that was not, given
the same replies (all files but `replies.sqlite`, whose bytes are sqlite's); a folder of another configuration, of other
seeds, wording or versions is refused, naming what differs. A seed or a program for which the teacher did not answer is
not settled: it is counted, and asked for again by the next run.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from semcoder.core import SCHEMA_VERSION, Program, content_id, decode
from semcoder.core.files import full_document, leftovers, read_saved, write_json, write_jsonl
from semcoder.core.lock import claimed
from semcoder.errors import UsageError
from semcoder.models import Cached, Metered, Model, open_model
from semcoder.pyx import fingerprint
from semcoder.pyx.cases import BUG, PRELOAD, normal_form
from semcoder.pyx.rows import description_row
from semcoder.pyx.synth.bench import Bench
from semcoder.pyx.synth.config import SynthConfig, check, differences
from semcoder.pyx.synth.converse import Script, Spent, Unanswered, converse, shielded
from semcoder.pyx.synth.journal import Journal
from semcoder.pyx.synth.monologues import DIRECTIONS, Annotation, Figures, Telling
from semcoder.pyx.synth.prompts import PROMPTS
from semcoder.pyx.synth.solutions import Synthesis
from semcoder.sandbox import Sandbox
from semcoder.seeds import Drop, open_source

Progress = Callable[[str], None]
Document = dict[str, Any]
#: What `config.json` holds.
_SAVED = {"config": dict, "config_hash": str, "versions": dict, "prompts": str, "seeds_sha256": str}
#: How often progress is told: every so many seeds or programs.
_EVERY = 10


def open_teacher(config: SynthConfig, *, price: tuple[float, float] = (0.0, 0.0), **options: Any) -> Metered:
    """The model that the configuration names, whose every reply is kept in the folder and so paid for once.

    `price`: per million prompt and completion tokens. `options` go to the backend. Raises as `open_model`, `Cached`,
    and where the folder is another thing's, in which nothing is then written.
    """
    check(config)
    _refuse_foreign(Path(config.out))
    model = open_model(config.teacher, writes_code=True, **options)
    return Metered(Cached(model, Path(config.out) / "replies.sqlite"), price=price)


def synthesise(
    config: SynthConfig,
    teacher: Model,
    *,
    price: tuple[float, float] = (0.0, 0.0),
    progress: Progress | None = None,
) -> Document:
    """Run a synthesis, or go on with one. Returns the manifest, with its `folder`.

    Raises `UsageError` where the folder belongs to another configuration, other seeds or versions, or another running
    process; `InputError` for malformed seeds; and, with everything written, `UsageError` where no program was kept.
    """
    check(config)
    say = progress or (lambda _: None)
    seeds = _read_seeds(config)
    folder = Path(config.out)
    folder.mkdir(parents=True, exist_ok=True)
    with claimed(folder, "synthesis"):
        _settle_config(folder, config)
        with Sandbox(workers=config.workers, preload=PRELOAD, unsafe=config.unsafe) as box:
            bench = Bench(box, config.build())
            found = _programs(config, seeds, teacher, bench, say)
            told = _told(config, found.kept, teacher, bench, say) if config.monologues else None
        manifest = _write(folder, config, found, told, price)
    if not found.kept:
        what = found.unanswered or f"see the reasons in {folder / 'drops.jsonl'}"
        raise UsageError(f"{folder}: no program was kept; {what}")
    return {**manifest, "folder": str(folder)}


# -- what it begins with


def _seeds_file(config: SynthConfig) -> Path:
    """Raises `UsageError` where there is none."""
    path = Path(config.seeds)
    file = path / "programs.jsonl" if path.is_dir() else path
    if not file.is_file():
        raise UsageError(f"{config.seeds}: holds no programs.jsonl; make one with semcoder collect SOURCE... --out DIR")
    return file


def _read_seeds(config: SynthConfig) -> list[Program | Drop]:
    """The seeds, each once, up to `max_seeds`. Raises `UsageError`, `InputError` naming file and row."""
    found: dict[str, Program | Drop] = {}
    for item in open_source(f"jsonl:{_seeds_file(config)}").programs():
        key = item.id if isinstance(item, Program) else content_id(full_document(item))
        found.setdefault(key, item)
        if config.max_seeds and len(found) >= config.max_seeds:
            break
    return list(found.values())


def _identity(config: SynthConfig) -> Document:
    return {
        "config": {**full_document(config), "teacher": config.teacher_name},
        "config_hash": config.hash,
        "versions": fingerprint.versions(),
        "prompts": PROMPTS,
        "seeds_sha256": hashlib.sha256(_seeds_file(config).read_bytes()).hexdigest(),
    }


def _settle_config(folder: Path, config: SynthConfig) -> None:
    """Save what the run begins with, or refuse to mix it with what the folder was begun with."""
    path, now = folder / "config.json", _identity(config)
    if path.exists():
        changed = _changed(read_saved(path, _SAVED, "a synthesis"), now, config, path)
        if changed:
            raise UsageError(f"{folder}: {changed}; use another --out folder")
    else:
        _refuse_foreign(folder)
        write_json(path, now)
    for leftover in leftovers(folder):
        leftover.unlink(missing_ok=True)


def _refuse_foreign(folder: Path) -> None:
    """Raises `UsageError` for a folder that holds something, but was not begun by a synthesis."""
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder} is a file; --out names a folder")
    if folder.is_dir() and not (folder / "config.json").exists():
        names = (child.name for child in folder.iterdir() if child.suffix != ".tmp")
        if any(name != ".lock" and not name.startswith("replies.sqlite") for name in names):
            raise UsageError(f"{folder}: not empty, and not the folder of a synthesis; use another --out folder")


def _changed(old: Document, now: Document, config: SynthConfig, path: Path) -> str:
    """What differs from the start in what shapes the programs, in words; empty where nothing does."""
    fields = differences(old["config"], config, f"{path}: config")
    if fields:
        return f"made with another configuration (differs in: {', '.join(fields)})"
    for name in old["versions"] | now["versions"]:
        before, after = (doc["versions"].get(name, "missing") for doc in (old, now))
        if before != after:
            return f"{name} changed since this run began ({before} then, {after} now)"
    if old["prompts"] != now["prompts"]:
        return "the wording of the prompts changed since this run began"
    if old["seeds_sha256"] != now["seeds_sha256"]:
        return "the seeds changed since this run began"
    if old["config_hash"] != now["config_hash"]:
        return f"{path.name} was changed by hand: its hash is not that of its fields"
    return ""


# -- the work


@dataclass
class _Found:
    """What became of the seeds: documents of scripts in the order of the seeds, rows kept, drops with their reasons."""

    documents: list[Document] = field(default_factory=list)
    kept: list[Document] = field(default_factory=list)
    drops: list[Document] = field(default_factory=list)
    seeds: int = 0
    unanswered: str = ""
    open: int = 0


@dataclass
class _Told:
    """What became of the monologues: documents of scripts in the order of the programs."""

    documents: list[Document] = field(default_factory=list)
    open: int = 0


def _settle(
    work: Sequence[tuple[str, Callable[[], Script[Document]]]],
    journal: Journal,
    teacher: Model,
    say: Progress,
    what: str,
) -> Iterator[tuple[int, Document | Unanswered]]:
    """The document of each piece of work, by place: from the journal, or by its script and then into the journal."""
    done = [(place, document) for place, (key, _) in enumerate(work) if (document := journal.get(key)) is not None]
    if done:
        say(f"resuming: {len(done):,} of {len(work):,} {what} are done")
    yield from done
    settled = {place for place, _ in done}
    left = [place for place in range(len(work)) if place not in settled]
    with contextlib.closing(converse((shielded(work[place][1]()) for place in left), teacher)) as ended:
        for number, (slot, result) in enumerate(ended, 1):
            place = left[slot]
            if not isinstance(result, Unanswered) and "bug" not in result:
                journal.put(work[place][0], result)
            yield place, result
            if number % _EVERY == 0:
                say(f"{what}: {len(done) + number:,} of {len(work):,}")


def _programs(
    config: SynthConfig, seeds: Sequence[Program | Drop], teacher: Model, bench: Bench, say: Progress
) -> _Found:
    say(f"asking {config.teacher_name} for problems and solutions")
    found = _Found(seeds=len(seeds))
    good = [seed for seed in seeds if isinstance(seed, Program) and len(seed.source) <= config.max_seed]
    ended: dict[str, Document | Unanswered] = {}
    with Journal(Path(config.out) / "work" / "seeds.jsonl") as journal:
        work = [(str(seed.id), Synthesis(seed, config, bench).script) for seed in good]
        for place, result in _settle(work, journal, teacher, say, "seeds"):
            ended[good[place].id] = result
    seen: dict[str, str] = {}
    for seed in seeds:
        if isinstance(seed, Drop):
            _drop(found, seed.origin, "", seed.reason, seed.detail)
        elif seed.id not in ended:
            _drop(found, seed.origin, seed.entry, "seed too long", f"{len(seed.source)} characters")
        else:
            _take(found, seed, ended[seed.id], seen)
    return found


def _take(found: _Found, seed: Program, result: Document | Unanswered, seen: dict[str, str]) -> None:
    """Count what became of one seed. `seen`: normal forms of the programs kept so far."""
    if isinstance(result, Unanswered):
        found.open += 1
        found.unanswered = found.unanswered or f"the teacher did not answer ({result})"
        _drop(found, seed.origin, seed.entry, "the teacher did not answer", str(result)[:300])
        return
    if "bug" in result:
        _drop(found, seed.origin, seed.entry, BUG, result["bug"])
        return
    found.documents.append(result)
    if result["dropped"] is not None:
        _drop(found, seed.origin, seed.entry, **result["dropped"])
        return
    row = result["kept"]
    form = content_id(normal_form(row["source"]), row["entry"])
    if form in seen:
        _drop(found, seed.origin, seed.entry, "duplicate", f"of {seen[form]}")
        return
    seen[form] = row["id"]
    found.kept.append(row)


def _drop(found: _Found, origin: Any, entry: str, reason: str, detail: str) -> None:
    found.drops.append({"reason": reason, "detail": detail, "entry": entry, "origin": full_document(origin)})


def _told(config: SynthConfig, rows: Sequence[Document], teacher: Model, bench: Bench, say: Progress) -> _Told:
    say(f"asking {config.teacher_name} for monologues")
    telling = Telling(config.samples, config.temperature, config.top_p, config.max_tokens, config.seed)
    told = _Told()
    ended: dict[int, Document] = {}
    with Journal(Path(config.out) / "work" / "monologues.jsonl") as journal:
        work = []
        for row in rows:
            program = decode(Program, row["program"], "program")
            cases = [(case["call"], case["output"]) for case in row["cases"]]
            annotation = Annotation(program, cases, telling, bench)
            work.append((content_id(program.id, [list(case) for case in cases]), annotation.script))
        for place, result in _settle(work, journal, teacher, say, "programs"):
            if isinstance(result, Unanswered) or "bug" in result:
                told.open += 1
            else:
                ended[place] = result
    told.documents = [ended[place] for place in sorted(ended)]
    return told


# -- what it ends with


def _write(
    folder: Path, config: SynthConfig, found: _Found, told: _Told | None, price: tuple[float, float]
) -> Document:
    rows = {"nl": [_description(row) for row in found.kept]}
    if told is not None:
        written = [row for document in told.documents for row in document["rows"]]
        for direction in DIRECTIONS:
            rows[direction] = [row for row in written if row["task"] == direction]
    write_jsonl(folder / "programs.jsonl", found.kept)
    write_jsonl(folder / "drops.jsonl", found.drops)
    for kind in ("nl", *DIRECTIONS):
        path = folder / "rows" / f"{kind}-00000.jsonl"
        if kind in rows:
            write_jsonl(path, ({"schema": SCHEMA_VERSION, **row} for row in rows[kind]))
        else:
            path.unlink(missing_ok=True)  # of a run with monologues
    manifest = _manifest(config, found, told, {kind: len(samples) for kind, samples in rows.items()}, price)
    write_json(folder / "manifest.json", manifest)
    return manifest


def _description(row: Document) -> Document:
    """The row that asks for the program's code by its description."""
    shown = [(call, output) for call, output in row["shown"]]
    program = decode(Program, row["program"], "program")
    return full_document(description_row(program, row["header"], row["description"], shown))


def _manifest(
    config: SynthConfig, found: _Found, told: _Told | None, rows: dict[str, int], price: tuple[float, float]
) -> Document:
    sums = {name: Counter[str]() for name in ("counts", "malformed", "faults", "dropped")}
    spent = Spent()
    for document in found.documents:
        spent.plus(document["spent"])
        for name, counter in sums.items():
            counter.update(document["tally"][name])
    manifest = {
        **_identity(config),
        "counts": {
            "seeds": found.seeds,
            "seeds_unanswered": found.open,
            **{name: sums["counts"][name] for name in _COUNTED},
            "programs_kept": len(found.kept),
            "cases": sum(len(row["cases"]) for row in found.kept),
            "rows": rows,
        },
        "drops": dict(Counter(str(row["reason"]) for row in found.drops).most_common()),
        "dropped_solutions": dict(sums["dropped"].most_common()),
        "faults": dict(sums["faults"].most_common()),
        "malformed_answers": dict(sums["malformed"].most_common()),
    }
    if told is not None:
        figures = {direction: Figures() for direction in DIRECTIONS}
        for document in told.documents:
            spent.plus(document["spent"])
            for direction, counted in figures.items():
                counted.add(document["figures"][direction])
        documents = {str(direction): one.document() for direction, one in figures.items()}
        manifest["monologues"] = {"programs_unanswered": told.open, **documents}
    cost = (spent.prompt_tokens * price[0] + spent.completion_tokens * price[1]) / 1_000_000
    manifest["spent"] = {**full_document(spent), "cost": round(cost, 6)}
    return manifest


#: Counts of the manifest that scripts keep, in its order.
_COUNTED = (
    "problems",
    "solutions",
    "solutions_that_run",
    "solutions_repaired",
    "solutions_without_a_plan",
    "solutions_in_several_blocks",
    "solutions_that_agree",
    "programs_agreed_on_by_one_text",
)

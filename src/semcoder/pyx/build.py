"""A build: configuration to data set, resumable, with one manifest.

A build folder holds

    config.json     what the build began with             rows/KIND-00000.jsonl   the data set, one Sample a line
    manifest.json   counts, figures, drops by reason       programs.jsonl          kept programs with their cases
    drops.jsonl     every drop with its reason             showcase.json           a few samples with their traces
    README.md       the data-set card
    exclusions.jsonl  copies, and what is a benchmark's    work/                   what a stopped build goes on from

Guarantees: a build that was killed at any moment and started again ends with the same rows as one that was not; a
folder made with another configuration is refused, naming the fields; so is one whose sources, benchmarks, Python or
semcoder have changed since (as far as `fingerprint` sees), and one in which another build runs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from semcoder.cleaning import file_hashes, find_files
from semcoder.core.files import leftovers, read_jsonl, read_saved, write_json, write_jsonl, write_text
from semcoder.core.lock import claimed
from semcoder.errors import UsageError
from semcoder.models import open_model
from semcoder.pyx import executors, fingerprint
from semcoder.pyx.card import card
from semcoder.pyx.clean import clean, prepare
from semcoder.pyx.config import BuildConfig, check, differences
from semcoder.pyx.ending import finish
from semcoder.pyx.repairs import answers_in

#: What `config.json` holds.
_SAVED = {"hash": str, "config": dict, "versions": dict, "sources": dict, "benchmarks": dict}
Progress = Callable[[str], None]


def build(config: BuildConfig, *, progress: Progress | None = None) -> dict[str, Any]:
    """Run or resume a build. Returns the manifest, with its `folder`.

    Raises `UsageError` where the folder belongs to another configuration, other sources or versions, or another running
    build; and, with everything written, where no program was kept.
    """
    check(config, "config")
    _steps()  # raises, where the engine is missing, before anything is written
    executors.prepare(config)
    if config.teacher:
        open_model(config.teacher, writes_code=True)  # raises now what would come after hours
    for path in config.answers:
        answers_in(path)
    files = find_files(config.benchmarks)
    prepare(config, files)
    folder = Path(config.out)
    say = progress or (lambda _: None)
    folder.mkdir(parents=True, exist_ok=True)
    with claimed(folder):
        _settle_config(folder, config)
        work = folder / "work"
        say("collecting programs")
        _collect(config, work)
        say(_intention(config, len(files)))
        clean(config, files, work, executors.local)
        say("running programs and writing monologues")
        _tell(config, files, work, say)
        taught = _teach(config, files, work, say)
        say("writing the data set")
        manifest = {**_identity(config), **finish(config, folder, work, taught)}
        write_text(folder / "README.md", card(manifest, manifest.pop("licences")))
        write_json(folder / "manifest.json", manifest)
    if not manifest["counts"]["programs_kept"]:
        raise UsageError(f"{folder}: no program was kept{_why(manifest)}; see the reasons in {folder / 'drops.jsonl'}")
    return {**manifest, "folder": str(folder)}


def _why(manifest: dict[str, Any]) -> str:
    """The commonest reasons, and the cure of the one that has one."""
    drops = list(manifest["drops"].items())[:3]
    shown = ", ".join(f"{number} {reason}" for reason, number in drops)
    cure = "; unknown_license: true takes these" if any(reason == "licence unknown" for reason, _ in drops) else ""
    return f" ({shown}{cure})" if drops else ""


def collect(specs: Sequence[str], out: Path, *, progress: Progress | None = None) -> dict[str, Any]:
    """Programs of the sources into OUT/programs.jsonl, drops into OUT/drops.jsonl. Returns counts and drops."""
    config = BuildConfig(sources=tuple(specs), out=str(out), unknown_license=True, shards=1, near_duplicates=0.0)
    check(config, "config")
    _steps()
    out.mkdir(parents=True, exist_ok=True)
    with claimed(out):
        _settle_config(out, config)
        if progress is not None:
            progress("collecting programs")
        work = out / "work"
        _collect(config, work)
        programs = list(read_jsonl(work / "programs" / "00000.jsonl"))
        drops = list(read_jsonl(work / "collect-drops.jsonl"))
        write_jsonl(out / "programs.jsonl", programs)
        write_jsonl(out / "drops.jsonl", drops)
        reasons = Counter(str(row["reason"]) for row in drops)
        manifest = {
            **_identity(config),
            "counts": {"seen": len(programs) + len(drops), "kept": len(programs)},
            "drops": dict(reasons.most_common()),
        }
        write_json(out / "manifest.json", manifest)
    return {**manifest, "folder": str(out)}


def _steps() -> Any:
    """The datatrove steps, imported when a build starts: nothing else needs the engine."""
    from semcoder.pyx import steps

    return steps


def _settle_config(folder: Path, config: BuildConfig) -> None:
    """Save what the build begins with, or refuse to mix it with what the folder was begun with."""
    path = folder / "config.json"
    now = {
        "hash": config.hash,
        "config": config.document(),
        "versions": fingerprint.versions(),
        "sources": fingerprint.sources(config),
        "benchmarks": file_hashes(find_files(config.benchmarks)),
    }
    if path.exists():
        changed = _changed(read_saved(path, _SAVED, "a build"), now, config, path)
        if changed:
            raise UsageError(f"{folder}: {changed}; use another --out folder")
    elif any(child.name != ".lock" and child.suffix != ".tmp" for child in folder.iterdir()):
        raise UsageError(f"{folder}: not empty, and not a build folder; use another --out folder")
    else:
        write_json(path, now)
    for leftover in [] if executors.working(folder / "work" / "logs-tell") else leftovers(folder):
        leftover.unlink(missing_ok=True)


def _changed(old: dict[str, Any], now: dict[str, Any], config: BuildConfig, path: Path) -> str:
    """What differs from the start of the build in what shapes its rows, in words; empty where nothing does."""
    fields = differences(old["config"], config, f"{path}: config")
    if fields:
        return f"made with another configuration (differs in: {', '.join(fields)})"
    for name in old["versions"] | now["versions"]:
        before, after = (doc["versions"].get(name, "missing") for doc in (old, now))
        if before != after:
            return f"{name} changed since this build began ({before} then, {after} now)"
    sources = [spec for spec in now["sources"] if old["sources"].get(spec) != now["sources"][spec]]
    if sources:
        return f"sources changed since this build began ({', '.join(sources)})"
    if old["benchmarks"] != now["benchmarks"]:
        names = sorted({*old["benchmarks"].items()} ^ {*now["benchmarks"].items()})
        return f"benchmarks changed since this build began ({', '.join(dict(names))})"
    if old["hash"] != now["hash"]:
        return f"{path.name} was changed by hand: its hash is not that of its fields"
    return ""


def _collect(config: BuildConfig, work: Path) -> None:
    steps = _steps()
    pipeline = [
        steps.Collect(config, work / "collect-drops.jsonl"),
        steps.Write(work / "programs", shards=config.shards),
    ]
    executors.local(pipeline, 1, 1, work / "logs-collect").run()


def _intention(config: BuildConfig, benchmarks: int) -> str:
    copies = "removing near duplicates" if config.near_duplicates else "keeping near duplicates"
    return f"{copies}, " + (f"comparing with {benchmarks} benchmarks" if benchmarks else "no benchmark to compare with")


def _tell(config: BuildConfig, files: Sequence[Path], work: Path, say: Progress) -> None:
    steps = _steps()
    tell = steps.Tell(config, tuple(map(str, files)))
    pipeline = [steps.Read(work / "clean"), tell, steps.Write(work / "results")]
    done = len(list((work / "logs-tell" / "completions").glob("*"))) if (work / "logs-tell").exists() else 0
    if done:
        say(f"resuming: {done} of {config.shards} parts are done")
    executors.run_tasks(config, pipeline, work / "logs-tell")


def _teach(config: BuildConfig, files: Sequence[Path], work: Path, say: Progress) -> dict[str, Any]:
    """A teacher's monologues, where the configuration names one."""
    if not config.teacher:
        return {"rows": [], "excluded": []}
    from semcoder.pyx.synth.teach import teach

    return teach(config, files, work, say)


def _identity(config: BuildConfig) -> dict[str, Any]:
    return {"config": config.document(), "config_hash": config.hash, "versions": fingerprint.versions()}

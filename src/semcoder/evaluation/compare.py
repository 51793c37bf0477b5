"""Several evaluations side by side, over the same tasks; and what was published.

Guarantees: runs are compared task by task, on the tasks that were judged in both; runs of other tasks are refused.
P-values are of one comparison each: whoever makes many must expect some below 0.05 by chance. Published figures are
data of this package, labelled as such, and enter no test.
"""

from __future__ import annotations

import importlib.resources
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from semcoder.core.files import read_saved
from semcoder.errors import InputError, UsageError
from semcoder.evaluation.metrics import SEED
from semcoder.judging.folder import read_rows
from semcoder.stats import mcnemar, paired


@dataclass(frozen=True, slots=True)
class _Evaluation:
    """A finished evaluation: its folder and its manifest."""

    folder: Path
    manifest: dict[str, Any]

    @property
    def model(self) -> str:
        config = self.manifest["config"]
        return str(config.get("model") or config.get("generations") or "")

    @property
    def by_name(self) -> dict[str, dict[str, Any]]:
        return {str(found["benchmark"]): found for found in self.manifest["benchmarks"]}

    def verdicts(self, name: str) -> dict[str, list[bool]]:
        """The verdicts on the judged samples of each task that has any."""
        found: dict[str, list[bool]] = {}
        for (task, _), row in read_rows(self.folder / name / "scores.jsonl", "passed").items():
            if row["passed"] is not None:
                found.setdefault(task, []).append(bool(row["passed"]))
        return found


def compare(folders: Sequence[Path]) -> list[dict[str, Any]]:
    """A document for each benchmark that all the evaluations have, in the order of the first one.

    Raises `InputError` for what is no finished evaluation, `UsageError` where they share no benchmark, or have other
    tasks of it.
    """
    runs = [_opened(folder) for folder in folders]
    if not runs:
        raise UsageError("name at least one folder that semcoder eval wrote")
    shared = [name for name in runs[0].by_name if all(name in run.by_name for run in runs)]
    if not shared:
        raise UsageError(f"{', '.join(map(str, folders))}: these evaluations have no benchmark in common")
    return [_compared(name, runs) for name in shared]


def _opened(folder: Path) -> _Evaluation:
    path = folder / "manifest.json"
    if not path.is_file():
        raise InputError(f"{folder}: no finished evaluation; run semcoder eval --out {folder} to its end first")
    kinds = {"kind": str, "config": dict, "data": dict, "benchmarks": list}
    manifest = read_saved(path, kinds, "an evaluation")
    if manifest["kind"] != "evaluation":
        raise InputError(f"{path}: the manifest of a {manifest['kind']}, not of an evaluation")
    return _Evaluation(folder, manifest)


def _compared(name: str, runs: Sequence[_Evaluation]) -> dict[str, Any]:
    first = runs[0]
    for run in runs[1:]:
        if run.manifest["data"].get(name) != first.manifest["data"].get(name):
            raise UsageError(
                f"{run.folder} and {first.folder}: not the same tasks of {name}; evaluate both with the same --data "
                "and --limit"
            )
    verdicts = [run.verdicts(name) for run in runs]
    rows = []
    for run, own in zip(runs, verdicts, strict=True):
        found = run.by_name[name]
        rows.append(
            {
                "run": str(run.folder),
                "model": run.model,
                "n": found["n"],
                "pass@1": found["pass@1"],
                "interval": found["intervals"].get("pass@1"),
                "unjudged": found["unjudged"],
                "against_first": None if run is first else against(own, verdicts[0]),
            }
        )
    return {"benchmark": name, "rows": rows, "published": published(name)}


def against(own: dict[str, list[bool]], other: dict[str, list[bool]]) -> dict[str, Any]:
    """The difference of two runs' pass@1, `own - other`, on the tasks that both have verdicts on, in percent.

    McNemar's test needs one verdict a task: `mcnemar_p` is None where there are more.
    """
    tasks = [task for task in own if task in other]
    if not tasks:
        return {"n": 0, "difference": None, "interval": None, "bootstrap_p": None, "mcnemar_p": None}
    found = paired([_rate(own[task]) for task in tasks], [_rate(other[task]) for task in tasks], seed=SEED)
    single = all(len(own[task]) == len(other[task]) == 1 for task in tasks)
    better = sum(own[task] > other[task] for task in tasks)
    worse = sum(own[task] < other[task] for task in tasks)
    return {
        "n": len(tasks),
        "difference": round(100 * found.mean, 4),
        "interval": [round(100 * end, 4) for end in found.interval],
        "bootstrap_p": found.p,
        "mcnemar_p": mcnemar(better, worse) if single else None,
    }


def _rate(verdicts: Iterable[bool]) -> float:
    whole = list(verdicts)
    return sum(whole) / len(whole)


def published(name: str) -> dict[str, float]:
    """The paper's figures for a benchmark by model, in percent; none for a benchmark that it does not have."""
    return {model: figures[name] for model, figures in _published()["models"].items() if name in figures}


def published_label() -> str:
    """What published figures are called wherever they are shown, and where they are from."""
    doc = _published()
    return f"{doc['label']}: {doc['source']}"


@cache
def _published() -> dict[str, Any]:
    text = importlib.resources.files(__package__).joinpath("published.json").read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text)
    return found

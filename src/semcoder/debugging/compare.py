"""Several refinements side by side, over the same tasks: a model before and after it was taught to repair, say.

Guarantees: runs that may see a benchmark's own tests stand apart from those that may not, always; runs of other tasks
are refused. A difference is that of the last rounds, task by task, on the tasks that both have verdicts on.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from semcoder.core.files import read_saved
from semcoder.debugging.curves import Against, verdicts_by_task
from semcoder.errors import InputError, UsageError
from semcoder.judging.folder import read_rows

_KINDS = {"kind": str, "config": dict, "data": dict, "results": dict}


def compare(folders: Sequence[Path], against: Against) -> list[dict[str, Any]]:
    """A document for each benchmark and mode, in the order in which they come first, with a row a run.

    `against`: the difference of two runs from their verdicts by task. Raises `InputError` for what is no finished
    refinement, `UsageError` where runs of a benchmark have other tasks.
    """
    if not folders:
        raise UsageError("name at least one folder that semcoder refine wrote")
    groups: dict[tuple[str, str], list[tuple[Path, dict[str, Any]]]] = {}
    for folder in folders:
        manifest = _opened(folder)
        found = manifest["results"]
        groups.setdefault((found["benchmark"], found["mode"]), []).append((folder, manifest))
    return [
        {"benchmark": name, "mode": mode, "rows": _rows(name, runs, against)} for (name, mode), runs in groups.items()
    ]


def _opened(folder: Path) -> dict[str, Any]:
    path = folder / "manifest.json"
    if not path.is_file():
        raise InputError(f"{folder}: no finished refinement; run semcoder refine --out {folder} to its end first")
    manifest = read_saved(path, _KINDS, "a refinement")
    if manifest["kind"] != "refinement":
        raise InputError(f"{path}: the manifest of a {manifest['kind']}, not of a refinement")
    return manifest


def _rows(name: str, runs: Sequence[tuple[Path, dict[str, Any]]], against: Against) -> list[dict[str, Any]]:
    first_folder, first = runs[0]
    rows = []
    for folder, manifest in runs:
        if manifest["data"].get(name) != first["data"].get(name):
            raise UsageError(
                f"{folder} and {first_folder}: not the same tasks of {name}; refine on both with the same --data "
                "and --limit"
            )
        found = manifest["results"]
        own, other = (_verdicts(place) for place in (folder, first_folder))
        rows.append(
            {
                "run": str(folder),
                **{key: found[key] for key in ("model", "explain", "rounds", "curve", "ends")},
                "against_first": None if folder == first_folder else against(own, other),
            }
        )
    return rows


def _verdicts(folder: Path) -> dict[str, list[bool]]:
    return verdicts_by_task(read_rows(folder / "samples.jsonl", "verdicts").values(), -1)

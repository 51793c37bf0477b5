"""The folder of a run that asks a model and has its answers judged: what it was begun with, and files that grow row by
row.

    begun.json          configuration, its hash, versions and data, written when the run begins
    *.jsonl             a row a sample, as it came
    manifest.json       written last

Guarantees: rows that are in a file when its writer is killed are there for the next one; a last line that was torn is
cut off; any other damage is an `InputError` that names the line. A folder is not mixed with another run's, and what
differs is named.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from importlib import metadata
from pathlib import Path
from platform import python_version
from typing import Any

from semcoder._version import __version__
from semcoder.core import content_id
from semcoder.core.files import read_saved, write_json
from semcoder.core.lock import claimed
from semcoder.errors import InputError, UsageError

_BEGUN = {"hash": str, "config": dict, "versions": dict, "data": dict}
_REMEDY = "use another --out folder"
#: Files of a model's folder that are not the model: what a training run and a report leave there.
_NOT_THE_MODEL = frozenset({"manifest.json", "begun.json"})
_OF_A_MODEL = (".safetensors", ".bin", ".json", ".model", ".txt", ".jinja")

Key = tuple[str, int]


@contextmanager
def held(folder: Path, what: str) -> Iterator[None]:
    """Hold the folder, which is made where there is none. `what`: "evaluation", say. Raises `UsageError` where another
    run has it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"{folder}: {error.strerror}; {_REMEDY}") from None
    with claimed(folder, what):
        yield


def settle(folder: Path, config: Mapping[str, Any], data: Mapping[str, str], what: str) -> dict[str, Any]:
    """Save what the run begins with; returns it. `what`: "an evaluation", say.

    Raises `UsageError` for a folder that was begun with something else, naming what differs, and for one that holds
    something else.
    """
    now = {"hash": content_id(config), "config": dict(config), "versions": versions(), "data": dict(data)}
    begun = folder / "begun.json"
    if begun.exists():
        before = read_saved(begun, _BEGUN, what)
        for part, other in (
            ("config", "another configuration"),
            ("versions", "other versions"),
            ("data", "other data"),
        ):
            differing = _differing(before[part], now[part])
            if differing:
                raise UsageError(f"{folder}: begun with {other} (differs in: {', '.join(differing)}); {_REMEDY}")
        return now
    if any(child.name != ".lock" and child.suffix != ".tmp" for child in folder.iterdir()):
        raise UsageError(f"{folder}: not empty, and not {what}'s folder; {_REMEDY}")
    write_json(begun, now)
    return now


def _differing(old: Any, new: Any, prefix: str = "") -> list[str]:
    """Names of fields in which two documents differ, down to those of their parts."""
    if not (isinstance(old, dict) and isinstance(new, dict)):
        return [] if old == new else [prefix]
    names = list(dict.fromkeys([*old, *new]))
    dot = f"{prefix}." if prefix else ""
    return [found for name in names for found in _differing(old.get(name), new.get(name), f"{dot}{name}")]


def versions() -> dict[str, str]:
    """Of what verdicts depend on: programs run by this Python, and are judged by this code."""
    return {"semcoder": __version__, "python": python_version()}


def library_versions() -> dict[str, str]:
    """Of the libraries that may have stood behind the model, for the record."""
    found = {}
    for package in ("torch", "transformers", "openai"):
        with suppress(metadata.PackageNotFoundError):
            found[package] = metadata.version(package)
    return found


def file_state(path: Path) -> str:
    """What tells two states of a file apart. Raises `InputError` where it cannot be read."""
    try:
        with path.open("rb") as opened:
            return "sha256 " + hashlib.file_digest(opened, "sha256").hexdigest()[:16]
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from None


def model_state(spec: str) -> str:
    """What tells two states of a model in a folder apart, since training writes to it again; empty for other models."""
    kind, _, place = spec.partition(":")
    folder = Path(place).expanduser()
    if kind != "hf" or not place or not folder.is_dir():
        return ""
    files = [path for path in folder.iterdir() if path.suffix in _OF_A_MODEL and path.name not in _NOT_THE_MODEL]
    return content_id([[path.name, (stat := path.stat()).st_size, stat.st_mtime_ns] for path in sorted(files)])


class Journal:
    """A file of rows, one a line, each about a sample (`task_id`, `sample`), that grows as they come.

    Of several rows about a sample the last one counts. `fields`: what every row has besides. For the one who holds the
    folder.
    """

    def __init__(self, path: Path, *fields: str) -> None:
        self.path = path
        self.fields = fields
        path.parent.mkdir(parents=True, exist_ok=True)
        self._mend()

    def _mend(self) -> None:
        """Cut off what a killed writer left of a line."""
        with suppress(FileNotFoundError), self.path.open("r+b") as file:
            content = file.read()
            if not content.endswith(b"\n"):
                file.truncate(content.rfind(b"\n") + 1)

    def rows(self) -> dict[Key, dict[str, Any]]:
        """All rows by task and sample. Raises `InputError` for a line that is no row."""
        return read_rows(self.path, *self.fields)

    def append(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Add rows in one go; they are handed to the kernel before this returns."""
        lines = "".join(json.dumps(row, ensure_ascii=True) + "\n" for row in rows)
        with self.path.open("a", encoding="utf-8") as file:
            file.write(lines)


def read_rows(path: Path, *fields: str) -> dict[Key, dict[str, Any]]:
    """The rows of a journal, none where there is no file. Raises `InputError` for a line that is no row."""
    found: dict[Key, dict[str, Any]] = {}
    with suppress(FileNotFoundError), path.open("rb") as file:
        for number, line in enumerate(file, 1):
            try:
                row = json.loads(line)
                found[row["task_id"], row["sample"]] = {field: row[field] for field in fields} | row
            except (ValueError, TypeError, KeyError, RecursionError):
                raise InputError(f"{path}:{number}: not a row about a sample; remove the line, or {_REMEDY}") from None
    return found

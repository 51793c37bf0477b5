"""How the files of an output folder are written and read.

Guarantees: a file appears whole or not at all, and is on the disk before it has its name, whoever is killed when; what
a killed writer leaves is `NAME.PID.tmp`, which `leftovers` finds. `full_document` gives every record of a type the same
keys, so that files of rows have one schema.
"""

from __future__ import annotations

import dataclasses
import json
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from semcoder.errors import InputError

_LEFTOVER = re.compile(r".+\.\d+\.tmp")


def write_json(path: Path, doc: Any) -> None:
    """One document, indented."""
    _write(path, [json.dumps(doc, indent=2)])


def write_text(path: Path, text: str) -> None:
    """A text that ends with a line end."""
    _write(path, [text.removesuffix("\n")])


def write_jsonl(path: Path, rows: Iterable[dict[str, Any]]) -> None:
    """One row a line."""
    with written(path) as write:
        for row in rows:
            write(row)


@contextmanager
def written(path: Path) -> Iterator[Callable[[Mapping[str, Any]], None]]:
    """A callable that adds a row to a file, which has its name once all are in it; for rows that come one by one."""
    with _aside(path) as file:
        yield lambda row: _add(file, json.dumps(row, ensure_ascii=True))


def _write(path: Path, lines: Iterable[str]) -> None:
    with _aside(path) as file:
        for line in lines:
            _add(file, line)


def _add(file: TextIO, line: str) -> None:
    file.write(line + "\n")


@contextmanager
def _aside(path: Path) -> Iterator[TextIO]:
    """A file to write that takes its place when all went well."""
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    with aside.open("w", encoding="utf-8") as file:
        yield file
        file.flush()
        os.fsync(file.fileno())
    aside.replace(path)


def read_jsonl(path: Path) -> Iterator[dict[str, Any]]:
    """The rows of a file that `write_jsonl` wrote."""
    with path.open(encoding="utf-8") as file:
        for line in file:
            yield json.loads(line)


def read_saved(path: Path, kinds: Mapping[str, type], what: str) -> dict[str, Any]:
    """What was saved when `what` (a build, say) began: a document with fields of these kinds. Raises `InputError`."""
    remedy = "restore it, or use another --out folder"
    try:
        doc = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"{path}: cannot be read as JSON ({error}); {remedy}") from None
    wrong = [key for key, kind in kinds.items() if not isinstance(doc, dict) or not isinstance(doc.get(key), kind)]
    if wrong:
        raise InputError(f"{path}: not what {what} saves (lacks {', '.join(wrong)}); {remedy}")
    return dict(doc)


def leftovers(folder: Path) -> list[Path]:
    """Files under a folder that a writer was killed in the middle of."""
    return [path for path in folder.rglob("*.tmp") if _LEFTOVER.fullmatch(path.name)]


def full_document(record: Any) -> dict[str, Any]:
    """The JSON document of a record with all its fields, and those of the records in it, at their default or not."""
    return {field.name: _plain(getattr(record, field.name)) for field in dataclasses.fields(record)}


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value):
        return full_document(value)
    return [_plain(part) for part in value] if isinstance(value, tuple) else value

"""What is already done, one line a piece of work: how a stopped run goes on.

Guarantees: a piece counts as done only if its whole line is on the disk; a last line that a killed writer left torn is
cut off when the file is opened; anything else that cannot be read is refused, with file and line. Keys are content
hashes, so that a piece is found again whatever is done before it.
It does not keep two writers apart: whoever opens it holds the folder's lock.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from semcoder.errors import InputError


class Journal:
    """Documents by key, in a file of JSON Lines. A context manager; everything done before is in memory."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._documents = _read_whole_lines(path)
        self._file = path.open("ab")

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def get(self, key: str) -> dict[str, Any] | None:
        return self._documents.get(key)

    def put(self, key: str, document: dict[str, Any]) -> None:
        """Keep a document; when this returns, it is on the disk."""
        self._file.write(json.dumps({"key": key, "document": document}, ensure_ascii=True).encode() + b"\n")
        self._file.flush()
        os.fsync(self._file.fileno())
        self._documents[key] = document


def _read_whole_lines(path: Path) -> dict[str, dict[str, Any]]:
    """The documents of a journal, whose torn last line is cut off. Raises `InputError`."""
    if not path.exists():
        return {}
    documents: dict[str, dict[str, Any]] = {}
    whole = 0
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            if not line.endswith(b"\n"):
                break
            whole += len(line)
            try:
                row = json.loads(line)
                documents[row["key"]] = dict(row["document"])
            except (ValueError, TypeError, KeyError, RecursionError):
                raise InputError(
                    f"{path}:{number}: not a line of a journal; restore it, or use another --out"
                ) from None
    os.truncate(path, whole)
    return documents

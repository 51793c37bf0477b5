"""Rows of JSONL files, plain or gzip: programs as they stand, or Python text to cut programs out of.

`jsonl:PATH?code=COLUMN&entry=COLUMN&calls=COLUMN&license=COLUMN`; a path is a file or a folder of `*.jsonl` and
`*.jsonl.gz`. What a row may hold is in `semcoder.seeds._tables`, with what is guaranteed.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from semcoder.seeds._tables import TableSource
from semcoder.tables import Row, file_rows, table_files


class JsonlSource(TableSource):
    """`jsonl:PATH`. Raises `UsageError` where there is no such file, `InputError` where the first row is malformed."""

    name = "jsonl"

    def __init__(self, spec: str = "") -> None:
        super().__init__(spec)
        self.files: list[Path] = table_files(self._spec.text, ".jsonl", ".jsonl.gz")
        self._check_first()

    def rows(self) -> Iterator[Row]:
        """All rows, file by file."""
        return file_rows(self.files, self._spec.text)

"""Rows of Parquet files, read by groups of rows: programs as they stand, or Python text to cut programs out of.

`parquet:PATH?code=COLUMN&entry=COLUMN&calls=COLUMN&license=COLUMN`; a path is a file or a folder of `*.parquet`. What a
row may hold is in `semcoder.seeds._tables`, with what is guaranteed. Needs the extra `data`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from semcoder.seeds._tables import TableSource
from semcoder.tables import Row, file_rows, table_files


class ParquetSource(TableSource):
    """`parquet:PATH`. Raises `UsageError` where there is no such file, `InputError` where the first row is malformed,
    `MissingExtra` without pyarrow."""

    name = "parquet"

    def __init__(self, spec: str = "") -> None:
        super().__init__(spec)
        self.files: list[Path] = table_files(self._spec.text, ".parquet")
        self._check_first()

    def rows(self) -> Iterator[Row]:
        """All rows, file by file."""
        return file_rows(self.files, self._spec.text)

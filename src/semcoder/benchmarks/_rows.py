"""Reading the rows of a benchmark, from where the user says or from its usual place.

Guarantees: tasks come in the order of the file; a row without a field that the benchmark needs is an `InputError` that
names file, row and field, and so is an id that comes twice.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from semcoder.benchmarks import Task
from semcoder.errors import InputError, UsageError
from semcoder.tables import Row, file_rows, hub_rows, table_files

SUFFIXES = (".jsonl", ".jsonl.gz", ".parquet")
#: Files that say that a folder holds a data set as the library `datasets` saves it.
_SAVED = ("state.json", "dataset_dict.json")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a benchmark lives: its data set on the hub, the word by which a file of it is known in a folder, and the
    environment variable with which its own tools name a file."""

    hub: str
    word: str
    split: str = "test"
    config: str | None = None
    variable: str = ""


def load_tasks(
    data: str,
    place: Place,
    ids: Sequence[str],
    needed: Sequence[str],
    read: Callable[[Mapping[str, Any]], Mapping[str, Any]] = lambda row: row,
) -> list[Task]:
    """The tasks of `data`: a file, a folder, or `hub:NAME`; without it, of the usual place.

    The id is the first of the fields `ids` that a row has. `needed`: fields that are texts. `read` turns a row into the
    one that is kept, and raises `UsageError` for what is no task. Raises `UsageError`, `InputError`, `MissingExtra`.
    """
    tasks: dict[str, Task] = {}
    for row in _rows(data, place):
        values = row.values
        name = next((str(values[key]) for key in ids if isinstance(values.get(key), (str, int))), "")
        if not name:
            raise InputError(f"{row.place}: a task has its id in {' or '.join(ids)}")
        if name in tasks:
            raise InputError(f"{row.place}: the task {name} is there twice")
        for field in needed:
            if not isinstance(values.get(field), str):
                raise InputError(f"{row.place}: the field {field} must be a text; the row has {', '.join(values)}")
        try:
            tasks[name] = Task(name, read(values))
        except UsageError as error:
            raise InputError(f"{row.place}: {error}") from None
    return list(tasks.values())


def _rows(data: str, place: Place) -> Iterator[Row]:
    data = data or (os.environ.get(place.variable, "") if place.variable else "") or f"hub:{place.hub}"
    if data.startswith("hub:"):
        name = data.removeprefix("hub:")
        return hub_rows(name, place.split, place.config if name == place.hub else None)
    if any((Path(data) / saved).exists() for saved in _SAVED):
        return hub_rows(data, place.split)
    files = table_files(data, *SUFFIXES)
    if Path(data).is_dir():
        files = [file for file in files if place.word in file.name.lower()] or files
    return file_rows(files, data)

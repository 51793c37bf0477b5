"""Answers in the files that the benchmarks' own tools write: read, not judged.

Guarantees: what is returned belongs to tasks that were asked for, in their order, each with its answers in the order of
the file; a file of no known form, an answer that is no text and a file that has nothing for any of the tasks are an
`InputError` that names the place.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from semcoder.benchmarks import Task
from semcoder.errors import InputError
from semcoder.tables import jsonl_rows

#: Fields that name the task of a row, and that hold its answers: human-eval, EvalPlus, LiveCodeBench.
IDS = ("task_id", "question_id", "id")
LISTS = ("code_list", "pred_list")
TEXTS = ("solution", "completion")


def read_generations(
    path: Path, tasks: Sequence[Task], ids: Sequence[str] = IDS, aliases: Sequence[str] = ()
) -> dict[str, list[str]]:
    """Answers by task id. `aliases`: prefixes that an id in the file may have on top of that of the task.

    Forms: JSONL with one answer a row (`completion`, `solution`) or all of a task (`code_list`, `pred_list`), also as
    one JSON list; a JSON object of lists by id, also under `raw_generations`; a JSON list of lists in the order of the
    tasks. Raises `InputError`.
    """
    found: dict[str, list[str]] = {}
    for where, name, answers in _entries(path, tasks, ids):
        if not isinstance(answers, list) or not all(isinstance(answer, str) for answer in answers):
            raise InputError(f"{where}: the answers of a task are a list of texts")
        for alias in aliases:
            name = name.removeprefix(alias)
        found.setdefault(name, []).extend(answers)
    known = {task.id: next((found[name] for name in _names(task.id, aliases) if name in found), None) for task in tasks}
    answered = {name: answers for name, answers in known.items() if answers}
    if not answered:
        first = ", ".join(list(found)[:3]) or "none at all"
        raise InputError(f"{path}: it has answers for none of the tasks; its ids are {first} ...")
    return answered


def _names(name: str, aliases: Sequence[str]) -> Iterator[str]:
    yield name
    for alias in aliases:
        yield name.removeprefix(alias)


def _entries(path: Path, tasks: Sequence[Task], ids: Sequence[str]) -> Iterator[tuple[str, str, Any]]:
    if path.name.endswith((".jsonl", ".jsonl.gz")):
        rows = ((row.place, row.values) for row in jsonl_rows(path, path.name))
        yield from _row_entries(rows, ids)
        return
    doc = _document(path)
    if isinstance(doc, dict):
        doc = doc.get("raw_generations", doc)
    if isinstance(doc, dict):
        yield from ((f"{path.name}: {name}", str(name), answers) for name, answers in doc.items())
    elif isinstance(doc, list) and doc and all(isinstance(item, dict) for item in doc):
        yield from _row_entries(((f"{path.name}: row {n}", row) for n, row in enumerate(doc, 1)), ids)
    elif isinstance(doc, list) and len(doc) == len(tasks):
        for n, (task, answers) in enumerate(zip(tasks, doc, strict=True), 1):
            yield f"{path.name}: item {n}", task.id, answers
    else:
        told = f"a list of {len(doc)} for {len(tasks)} tasks" if isinstance(doc, list) else type(doc).__name__
        raise InputError(f"{path}: generations are lists of texts by task, not {told}")


def _row_entries(rows: Iterable[tuple[str, dict[str, Any]]], ids: Sequence[str]) -> Iterator[tuple[str, str, Any]]:
    for where, row in rows:
        name = next((str(row[key]) for key in ids if isinstance(row.get(key), (str, int))), "")
        lists = [row[key] for key in LISTS if key in row]
        texts = [[row[key]] for key in TEXTS if key in row]
        if not name or not (lists or texts):
            fields = ", ".join((*TEXTS, *LISTS))
            raise InputError(f"{where}: a row has an id in {' or '.join(ids)}, and answers in one of {fields}")
        yield where, name, (lists or texts)[0]


def _document(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from None
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: not JSON ({error})") from None

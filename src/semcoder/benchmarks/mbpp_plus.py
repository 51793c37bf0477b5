"""MBPP+: 378 tasks of MBPP with 35 times as many tests, by EvalPlus.

Official scorer and data: github.com/evalplus/evalplus (MBPP_OVERRIDE_PATH names a file, there as here).
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from semcoder.benchmarks import Case, Task
from semcoder.benchmarks._cases import assert_cases, standalone
from semcoder.benchmarks._evalplus import Dataset, checked, score_plus
from semcoder.benchmarks._generations import read_generations
from semcoder.benchmarks._programs import LIMITS, tested_entry
from semcoder.benchmarks._rows import Place, load_tasks
from semcoder.benchmarks._texts import code, parsed, problem
from semcoder.core import Score
from semcoder.errors import UsageError
from semcoder.prompts import Profile
from semcoder.sandbox import Check

PLACE = Place("evalplus/mbppplus", "mbppplus", variable="MBPP_OVERRIDE_PATH")


class MbppPlus:
    """A sentence with an assert; the answer is a program that defines the function."""

    name = "mbpp-plus"
    about = "MBPP+: 378 tasks of MBPP with 35 times as many tests (EvalPlus)"
    asks = "code"

    def load(self, data: str = "") -> list[Task]:
        return load_tasks(data, PLACE, ("task_id",), ("prompt",), _checked)

    def instruction(self, task: Task, profile: Profile) -> str:
        shown = "\n".join(task.row.get("test_list") or [])
        return problem(profile, _entry(task.row), _description(task.row), shown)

    def question(self, task: Task) -> None:
        return None

    def answer(self, task: Task, text: str, profile: Profile) -> str:
        return code(text, profile, _entry(task.row))

    def gold(self, task: Task) -> str:
        return str(task.row.get("canonical_solution") or task.row["code"])

    def wrong(self, task: Task) -> str:
        return f"def {_entry(task.row)}(*args):\n    raise ValueError('wrong')\n"

    def generations(self, path: Path, tasks: Sequence[Task]) -> dict[str, list[str]]:
        return read_generations(path, tasks, aliases=("Mbpp/", "MBPP/"))

    def score(
        self, answers: Sequence[tuple[Task, str]], *, workers: int = 2, unsafe: bool = False
    ) -> Iterator[tuple[int, Score]]:
        return score_plus(answers, DATASET, _entry, workers=workers, unsafe=unsafe)

    def shown(self, task: Task) -> list[Case]:
        """The asserts in the description, and those of the hub's form."""
        lines = [line for line in _description(task.row).splitlines() if line.startswith("assert ")]
        imports = "\n".join(task.row.get("test_imports") or [])
        cases = assert_cases([*lines, *(task.row.get("test_list") or [])], _entry(task.row), imports)
        return [case for case in cases if case.call]

    def own(self, task: Task) -> list[Case]:
        return []

    def program(self, task: Task, answer: str) -> str:
        return standalone(answer, _entry(task.row))

    def check(self, task: Task, answer: str, case: Case) -> Check:
        return Check(answer, case.code, _entry(task.row), "", LIMITS)


def _checked(row: Mapping[str, Any]) -> Mapping[str, Any]:
    if isinstance(row.get("test"), str) and "base_input" not in row:
        if not isinstance(row.get("code"), str):
            raise UsageError(f"the field code must be a text; the row has {', '.join(row)}")
        return {**row, "entry_point": tested_entry(row["code"], row["test"])}
    return checked(row)


def _description(row: Mapping[str, Any]) -> str:
    tree = parsed(row["prompt"])
    return (ast.get_docstring(tree) if tree is not None else None) or str(row["prompt"])


def _entry(row: Mapping[str, Any]) -> str:
    return str(row["entry_point"])


# Arguments that JSON cannot hold ------------------------------------------------------------------------------------

Arguments = list[Any]


def _tuples(rows: Any) -> list[Any]:
    return [tuple(row) for row in rows]


def _deep(value: Any) -> Any:
    return tuple(map(_deep, value)) if isinstance(value, list) else value


def _set(items: Any) -> Any:
    return set(items) if isinstance(items, list) and items else {}


#: What lists in the file stand for, by task number: tuples, sets and complex numbers, as EvalPlus restores them.
_FORMS: list[tuple[str, Callable[[Arguments], Arguments]]] = [
    ("2 116 132 143 222 261 273 394 399 421 424 429 470 560 579 596 616 630 726 740 744 809", _tuples),
    ("63 64 70 94 120 237 272 299 400 409 417 438 473 614 780", lambda args: list(map(_tuples, args))),
    ("75 413 444 753", lambda args: [_tuples(args[0]), args[1]]),
    ("106 750", lambda args: [args[0], tuple(args[1])]),
    ("115", lambda args: [[_set(item) for item in args[0]]]),
    ("124", lambda args: [float(args[0]), complex(args[1])]),
    ("250 405 446 617 720 763 808 307", lambda args: [tuple(args[0]), *args[1:]]),
    ("259 401 445", lambda args: [tuple(_tuples(arg)) for arg in args]),
    ("278", lambda args: [tuple(tuple(item) if isinstance(item, list) else item for item in args[0])]),
    ("722", lambda args: [{key: tuple(value) for key, value in args[0].items()}, *args[1:]]),
    ("252", lambda args: [complex(args[0])]),
    ("580 615 791", lambda args: list(map(_deep, args))),
]
_RESTORE = {number: form for numbers, form in _FORMS for number in numbers.split()}


def _inputs(row: Mapping[str, Any], field: str) -> list[list[Any]]:
    restore = _RESTORE.get(str(row["task_id"]).rpartition("/")[2], list)
    return [restore(args) for args in row[field]]


DATASET = Dataset("mbpp", lambda row, answer: answer, _inputs)

"""MBPP: short functions from one sentence and three asserts.

The published forms are known: the full one (`text`, `code`) and the sanitized one (`prompt`, `test_imports`).
Official data: github.com/google-research/google-research, folder `mbpp`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from semcoder.benchmarks import Case, Task
from semcoder.benchmarks._cases import assert_cases, standalone
from semcoder.benchmarks._generations import read_generations
from semcoder.benchmarks._programs import LIMITS, score_checks, tested_entry
from semcoder.benchmarks._rows import Place, load_tasks
from semcoder.benchmarks._texts import code, problem
from semcoder.core import Score
from semcoder.errors import UsageError
from semcoder.prompts import Profile
from semcoder.sandbox import Check

PLACE = Place("google-research-datasets/mbpp", "mbpp", config="full")


class Mbpp:
    """A sentence, and the asserts that the function is judged by; the answer is a program that defines it."""

    name = "mbpp"
    about = "MBPP: short functions from one sentence and three asserts; the test split has 500 (Google Research)"
    asks = "code"

    def load(self, data: str = "") -> list[Task]:
        return load_tasks(data, PLACE, ("task_id",), ("code",), _checked)

    def instruction(self, task: Task, profile: Profile) -> str:
        return problem(profile, task.row["entry"], task.row["description"], "\n".join(task.row["test_list"]))

    def question(self, task: Task) -> None:
        return None

    def answer(self, task: Task, text: str, profile: Profile) -> str:
        return code(text, profile, task.row["entry"])

    def gold(self, task: Task) -> str:
        return str(task.row["code"])

    def wrong(self, task: Task) -> str:
        return f"class Nothing:\n    pass\n\ndef {task.row['entry']}(*args):\n    return Nothing()\n"

    def generations(self, path: Path, tasks: Sequence[Task]) -> dict[str, list[str]]:
        return read_generations(path, tasks, aliases=("Mbpp/", "MBPP/"))

    def score(
        self, answers: Sequence[tuple[Task, str]], *, workers: int = 2, unsafe: bool = False
    ) -> Iterator[tuple[int, Score]]:
        return score_checks((_check(task.row, answer) for task, answer in answers), workers=workers, unsafe=unsafe)

    def shown(self, task: Task) -> list[Case]:
        """All that a task is judged by: its prompt shows it."""
        return self.own(task)

    def own(self, task: Task) -> list[Case]:
        row = task.row
        return assert_cases(row["test_list"], row["entry"], "\n".join([row["imports"], row["setup"]]).strip())

    def program(self, task: Task, answer: str) -> str:
        return standalone(answer, task.row["entry"])

    def check(self, task: Task, answer: str, case: Case) -> Check:
        return Check(answer, case.code, task.row["entry"], "", LIMITS)


def _check(row: Mapping[str, Any], answer: str) -> Check:
    return Check(answer, "\n".join([row["setup"], *row["test_list"]]), row["entry"], row["imports"], LIMITS)


def _checked(row: Mapping[str, Any]) -> Mapping[str, Any]:
    """The row with `entry`, `description`, `imports` and `setup`, whichever form it has.

    The set-up belongs to the tests: it may use what the program defines.
    """
    tests, description = row.get("test_list"), row.get("text") or row.get("prompt")
    imports, setup = row.get("test_imports") or [], row.get("test_setup_code") or ""
    if not isinstance(tests, list) or not tests or not all(isinstance(test, str) for test in tests):
        raise UsageError("the field test_list must be a list of asserts")
    if not isinstance(description, str) or not isinstance(setup, str):
        raise UsageError("the field text (or prompt) must be a text, and so must test_setup_code")
    entry = tested_entry(row["code"], "\n".join(tests))
    return {**row, "entry": entry, "description": description, "imports": "\n".join(imports), "setup": setup}

"""HumanEval+: the tasks of HumanEval with 80 times as many tests, by EvalPlus.

Official scorer and data: github.com/evalplus/evalplus (HUMANEVAL_OVERRIDE_PATH names a file, there as here).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from semcoder.benchmarks import Task
from semcoder.benchmarks._evalplus import Dataset, checked, score_plus
from semcoder.benchmarks._generations import read_generations
from semcoder.benchmarks._programs import header_of, joined
from semcoder.benchmarks._rows import Place, load_tasks
from semcoder.benchmarks._texts import code, problem
from semcoder.core import Score
from semcoder.prompts import Profile

PLACE = Place("evalplus/humanevalplus", "humanevalplus", variable="HUMANEVAL_OVERRIDE_PATH")
FIELDS = ("prompt", "entry_point", "canonical_solution")


class HumanEvalPlus:
    """A signature with its documentation; the answer is the function, or what follows on its documentation."""

    name = "humaneval-plus"
    about = "HumanEval+: HumanEval with 80 times as many tests (EvalPlus)"
    asks = "code"

    def load(self, data: str = "") -> list[Task]:
        return load_tasks(data, PLACE, ("task_id",), FIELDS, checked)

    def instruction(self, task: Task, profile: Profile) -> str:
        prompt, entry = task.row["prompt"], task.row["entry_point"]
        return problem(profile, header_of(prompt + "    pass", entry), f"```python\n{prompt.strip()}\n```", "")

    def question(self, task: Task) -> None:
        return None

    def answer(self, task: Task, text: str, profile: Profile) -> str:
        return code(text, profile, task.row["entry_point"])

    def gold(self, task: Task) -> str:
        return str(task.row["canonical_solution"])

    def wrong(self, task: Task) -> str:
        return "    raise ValueError('wrong')\n"

    def generations(self, path: Path, tasks: Sequence[Task]) -> dict[str, list[str]]:
        return read_generations(path, tasks)

    def score(
        self, answers: Sequence[tuple[Task, str]], *, workers: int = 2, unsafe: bool = False
    ) -> Iterator[tuple[int, Score]]:
        return score_plus(answers, DATASET, lambda row: str(row["entry_point"]), workers=workers, unsafe=unsafe)


def _program(row: Mapping[str, Any], answer: str) -> str:
    return joined(row["prompt"], answer)


def _inputs(row: Mapping[str, Any], field: str) -> list[list[Any]]:
    return list(row[field])


DATASET = Dataset("humaneval", _program, _inputs)

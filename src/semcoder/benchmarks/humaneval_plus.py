"""HumanEval+: the tasks of HumanEval with 80 times as many tests, by EvalPlus.

Official scorer and data: github.com/evalplus/evalplus (HUMANEVAL_OVERRIDE_PATH names a file, there as here).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from semcoder.benchmarks import Task
from semcoder.benchmarks._asked import Documented
from semcoder.benchmarks._evalplus import Dataset, checked, score_plus
from semcoder.benchmarks._programs import joined
from semcoder.benchmarks._rows import Place, load_tasks
from semcoder.core import Score

PLACE = Place("evalplus/humanevalplus", "humanevalplus", variable="HUMANEVAL_OVERRIDE_PATH")
FIELDS = ("prompt", "entry_point", "canonical_solution")


class HumanEvalPlus(Documented):
    """A signature with its documentation; the answer is the function, or what follows on its documentation."""

    name = "humaneval-plus"
    about = "HumanEval+: HumanEval with 80 times as many tests (EvalPlus)"
    asks = "code"

    def load(self, data: str = "") -> list[Task]:
        return load_tasks(data, PLACE, ("task_id",), FIELDS, checked)

    def wrong(self, task: Task) -> str:
        return "    raise ValueError('wrong')\n"

    def score(
        self, answers: Sequence[tuple[Task, str]], *, workers: int = 2, unsafe: bool = False
    ) -> Iterator[tuple[int, Score]]:
        return score_plus(answers, DATASET, lambda row: str(row["entry_point"]), workers=workers, unsafe=unsafe)


def _program(row: Mapping[str, Any], answer: str) -> str:
    return joined(row["prompt"], answer)


def _inputs(row: Mapping[str, Any], field: str) -> list[list[Any]]:
    return list(row[field])


DATASET = Dataset("humaneval", _program, _inputs)

"""HumanEval: functions from their signature and documentation, with the tests that were published with them.

Official scorer and data: github.com/openai/human-eval.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from semcoder.benchmarks import Task
from semcoder.benchmarks._asked import Documented
from semcoder.benchmarks._programs import LIMITS, context_of, joined, score_checks
from semcoder.benchmarks._rows import Place, load_tasks
from semcoder.benchmarks._texts import defines
from semcoder.core import Score
from semcoder.errors import UsageError
from semcoder.sandbox import Check

PLACE = Place("openai/openai_humaneval", "humaneval")
FIELDS = ("prompt", "entry_point", "canonical_solution", "test")


class HumanEval(Documented):
    """A signature with its documentation; the answer is the function, or what follows on its documentation."""

    name = "humaneval"
    about = "HumanEval: 164 functions from their documentation, with the original tests (OpenAI)"
    asks = "code"

    def load(self, data: str = "") -> list[Task]:
        return load_tasks(data, PLACE, ("task_id",), FIELDS, _checked)

    def wrong(self, task: Task) -> str:
        return "    pass\n"

    def score(
        self, answers: Sequence[tuple[Task, str]], *, workers: int = 2, unsafe: bool = False
    ) -> Iterator[tuple[int, Score]]:
        return score_checks((_check(task.row, answer) for task, answer in answers), workers=workers, unsafe=unsafe)


def _check(row: Mapping[str, Any], answer: str) -> Check:
    prompt, entry = row["prompt"], row["entry_point"]
    tests = f"{row['test']}\ncheck({entry})\n"
    return Check(joined(prompt, answer), tests, entry, context_of(prompt, entry), LIMITS)


def _checked(row: Mapping[str, Any]) -> Mapping[str, Any]:
    if not defines(row["prompt"] + "    pass\n", row["entry_point"]):
        raise UsageError(f"the prompt does not begin a function {row['entry_point']}")
    return row

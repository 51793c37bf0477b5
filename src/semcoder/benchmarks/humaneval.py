"""HumanEval: functions from their signature and documentation, with the tests that were published with them.

Official scorer and data: github.com/openai/human-eval.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from semcoder.benchmarks import Case, Task
from semcoder.benchmarks._asked import Documented, documented_check
from semcoder.benchmarks._cases import checked_cases
from semcoder.benchmarks._programs import LIMITS, score_checks
from semcoder.benchmarks._rows import Place, load_tasks
from semcoder.benchmarks._texts import defines
from semcoder.core import Score
from semcoder.errors import UsageError

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
        checks = (
            documented_check(task, answer, f"{task.row['test']}\ncheck({task.row['entry_point']})\n", LIMITS)
            for task, answer in answers
        )
        return score_checks(checks, workers=workers, unsafe=unsafe)

    def own(self, task: Task) -> list[Case]:
        return checked_cases(task.row["test"], task.row["entry_point"])


def _checked(row: Mapping[str, Any]) -> Mapping[str, Any]:
    if not defines(row["prompt"] + "    pass\n", row["entry_point"]):
        raise UsageError(f"the prompt does not begin a function {row['entry_point']}")
    return row

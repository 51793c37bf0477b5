"""CRUXEval, input prediction: which call of a short function gives this output?

Answers are calls, `f(...)`. Official scorer and data: github.com/facebookresearch/cruxeval.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from semcoder.benchmarks import Task
from semcoder.benchmarks._execution import score_inputs, stated_part
from semcoder.benchmarks._generations import read_generations
from semcoder.benchmarks._rows import Place, load_tasks
from semcoder.core import Score
from semcoder.judging import Question
from semcoder.prompts import Profile

PLACE = Place("cruxeval-org/cruxeval", "cruxeval")


class CruxevalI:
    """A program `f` and an output: the answer is a call that gives it."""

    name = "cruxeval-i"
    about = "CRUXEval, input prediction: an input for each of 800 outputs of short functions (Meta)"
    asks = "input"

    def load(self, data: str = "") -> list[Task]:
        return load_tasks(data, PLACE, ("id",), ("code", "input", "output"), _checked)

    def instruction(self, task: Task, profile: Profile) -> str:
        return self.question(task).instruction(profile)

    def question(self, task: Task) -> Question:
        return _question(task.row)

    def answer(self, task: Task, text: str, profile: Profile) -> str:
        return stated_part(text, profile, call=True)

    def gold(self, task: Task) -> str:
        return f"f({task.row['input']})"

    def wrong(self, task: Task) -> str:
        """A call that raises, whatever parameters there are: which value would be wrong, only running it says."""
        return "f(*[None] * 40, no_such_argument=0)"

    def generations(self, path: Path, tasks: Sequence[Task]) -> dict[str, list[str]]:
        return read_generations(path, tasks)

    def score(
        self, answers: Sequence[tuple[Task, str]], *, workers: int = 2, unsafe: bool = False
    ) -> Iterator[tuple[int, Score]]:
        return score_inputs(answers, self.question, workers=workers, unsafe=unsafe)


def _question(row: Mapping[str, Any]) -> Question:
    return Question(row["code"], "f", "backward", output=row["output"])


def _checked(row: Mapping[str, Any]) -> Mapping[str, Any]:
    _question(row)
    return row

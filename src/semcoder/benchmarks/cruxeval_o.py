"""CRUXEval, output prediction: what does this call of a short function give?

Answers are values, or expressions that come to one. Official scorer and data: github.com/facebookresearch/cruxeval.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from semcoder.benchmarks import Task
from semcoder.benchmarks._asked import StatedOutput
from semcoder.benchmarks._execution import score_outputs
from semcoder.benchmarks._generations import read_generations
from semcoder.benchmarks._rows import Place, load_tasks
from semcoder.core import Score
from semcoder.errors import UsageError
from semcoder.judging import Question
from semcoder.judging.answers import Unreadable, literal_value

PLACE = Place("cruxeval-org/cruxeval", "cruxeval")


class CruxevalO(StatedOutput):
    """A program `f` and a call of it: the answer is what the call gives."""

    name = "cruxeval-o"
    about = "CRUXEval, output prediction: 800 calls of short functions (Meta)"
    asks = "output"

    def load(self, data: str = "") -> list[Task]:
        return load_tasks(data, PLACE, ("id",), ("code", "input", "output"), _checked)

    def question(self, task: Task) -> Question:
        return _question(task.row)

    def generations(self, path: Path, tasks: Sequence[Task]) -> dict[str, list[str]]:
        return read_generations(path, tasks)

    def score(
        self, answers: Sequence[tuple[Task, str]], *, workers: int = 2, unsafe: bool = False
    ) -> Iterator[tuple[int, Score]]:
        return score_outputs(answers, self.question, workers=workers, unsafe=unsafe)


def _question(row: Mapping[str, Any]) -> Question:
    return Question(row["code"], "f", "forward", call=f"f({row['input']})")


def _checked(row: Mapping[str, Any]) -> Mapping[str, Any]:
    _question(row)
    try:
        literal_value(row["output"])
    except Unreadable:
        raise UsageError(f"the output {row['output'][:80]!r} is not a literal") from None
    return row

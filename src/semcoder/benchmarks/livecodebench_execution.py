"""LiveCodeBench, code execution: what does this call of a function from a contest solution give?

Answers are values, or expressions that come to one. Official scorer and data: github.com/LiveCodeBench/LiveCodeBench.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from semcoder.benchmarks import Task
from semcoder.benchmarks._asked import StatedOutput
from semcoder.benchmarks._execution import score_outputs
from semcoder.benchmarks._generations import read_generations
from semcoder.benchmarks._livecodebench import EXECUTION_PRELUDE, missing_imports
from semcoder.benchmarks._rows import Place, load_tasks
from semcoder.core import Score
from semcoder.errors import UsageError
from semcoder.judging import Question
from semcoder.judging.answers import Unreadable, literal_value

PLACE = Place("livecodebench/execution-v2", "execution")


class LiveCodeBenchExecution(StatedOutput):
    """A function and a call of it: the answer is what the call gives."""

    name = "livecodebench-execution"
    about = "LiveCodeBench, code execution: 479 calls of functions from contest solutions"
    asks = "output"

    def load(self, data: str = "") -> list[Task]:
        return load_tasks(data, PLACE, ("id",), ("code", "input", "output", "function_name"), _checked)

    def question(self, task: Task) -> Question:
        return _question(task.row)

    def generations(self, path: Path, tasks: Sequence[Task]) -> dict[str, list[str]]:
        return read_generations(path, tasks, ids=("id", "task_id", "question_id"))

    def score(
        self, answers: Sequence[tuple[Task, str]], *, workers: int = 2, unsafe: bool = False
    ) -> Iterator[tuple[int, Score]]:
        return score_outputs(answers, self.question, EXECUTION_PRELUDE, workers=workers, unsafe=unsafe)


def _question(row: Mapping[str, Any]) -> Question:
    """The program with the imports that it is run with, officially unseen: what is shown is what runs."""
    source = missing_imports(row["code"]) + row["code"].lstrip("\n")
    return Question(source, row["function_name"], "forward", call=row["input"])


def _checked(row: Mapping[str, Any]) -> Mapping[str, Any]:
    _question(row)
    try:
        literal_value(row["output"])
    except Unreadable:
        raise UsageError(f"the output {row['output'][:80]!r} is not a literal") from None
    return row

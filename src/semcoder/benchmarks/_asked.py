"""How tasks of one form are asked and answered, whichever benchmark they are of: what its class inherits."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path

from semcoder.benchmarks import Task
from semcoder.benchmarks._execution import stated_part
from semcoder.benchmarks._generations import read_generations
from semcoder.benchmarks._programs import header_of
from semcoder.benchmarks._texts import code, problem
from semcoder.judging import Question
from semcoder.prompts import Profile


class Documented:
    """A signature with its documentation (`prompt`) of `entry_point`: the answer is the function, or what follows on
    its documentation."""

    def instruction(self, task: Task, profile: Profile) -> str:
        prompt, entry = task.row["prompt"], task.row["entry_point"]
        return problem(profile, header_of(prompt + "    pass", entry), f"```python\n{prompt.strip()}\n```", "")

    def question(self, task: Task) -> None:
        return None

    def answer(self, task: Task, text: str, profile: Profile) -> str:
        return code(text, profile, task.row["entry_point"])

    def gold(self, task: Task) -> str:
        return str(task.row["canonical_solution"])

    def generations(self, path: Path, tasks: Sequence[Task]) -> dict[str, list[str]]:
        return read_generations(path, tasks)


class StatedOutput(ABC):
    """A program and a call of it, whose value is a literal in `output`: the answer is what the call gives."""

    @abstractmethod
    def question(self, task: Task) -> Question: ...

    def instruction(self, task: Task, profile: Profile) -> str:
        return self.question(task).instruction(profile)

    def answer(self, task: Task, text: str, profile: Profile) -> str:
        return stated_part(text, profile, call=False)

    def gold(self, task: Task) -> str:
        return str(task.row["output"])

    def wrong(self, task: Task) -> str:
        return f"[{task.row['output']}]"

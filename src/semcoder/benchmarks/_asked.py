"""How tasks of one form are asked and answered, whichever benchmark they are of: what its class inherits."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path

from semcoder.benchmarks import Case, Task
from semcoder.benchmarks._cases import documented_cases, standalone
from semcoder.benchmarks._execution import stated_part
from semcoder.benchmarks._generations import read_generations
from semcoder.benchmarks._programs import LIMITS, context_of, header_of, joined
from semcoder.benchmarks._texts import code, problem
from semcoder.judging import Question
from semcoder.prompts import Profile
from semcoder.sandbox import Check, Limits


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

    def shown(self, task: Task) -> list[Case]:
        return documented_cases(task.row["prompt"], task.row["entry_point"])

    def own(self, task: Task) -> list[Case]:
        return []

    def program(self, task: Task, answer: str) -> str:
        prompt, entry = task.row["prompt"], task.row["entry_point"]
        return standalone(answer, entry, context_of(prompt + "    pass\n", entry), prompt)

    def check(self, task: Task, answer: str, case: Case) -> Check:
        return documented_check(task, answer, case.code, LIMITS)


def documented_check(task: Task, answer: str, tests: str, limits: Limits) -> Check:
    """Tests of an answer that goes on where the prompt ends, or says the function anew."""
    prompt, entry = task.row["prompt"], task.row["entry_point"]
    return Check(joined(prompt, answer), tests, entry, context_of(prompt, entry), limits)


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

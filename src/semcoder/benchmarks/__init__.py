"""Public benchmarks, one file each: how a task is read, asked, answered and scored.

A benchmark is one module of this package with one class that has the parts of `Benchmark`; it is found by its file
name, and names with `_` are helpers. Its data is never shipped: `load` reads a path, or the benchmark's usual place.

Guarantees: an answer is scored by running code in the sandbox, by rules that agree with the benchmark's official scorer
but for the differences that docs/design/benchmarks.md lists; nothing that the answer does can change its verdict; every
benchmark's reference solutions pass and its wrong answers do not (the contract test names exceptions, with reasons).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol, runtime_checkable

from semcoder.benchmarks._scoring import digest, first_tasks, score_rows
from semcoder.core import Score
from semcoder.errors import UsageError
from semcoder.judging import Question
from semcoder.plugins import load_plugins
from semcoder.prompts import Profile

if TYPE_CHECKING:
    from semcoder.sandbox import Check

__all__ = [
    "Benchmark",
    "Case",
    "Task",
    "WithCases",
    "benchmark",
    "benchmarks",
    "digest",
    "first_tasks",
    "score_rows",
]


@dataclass(frozen=True, slots=True)
class Task:
    """One problem: its id in the benchmark, and the row as it was read."""

    id: str
    row: Mapping[str, Any]


class Benchmark(Protocol):
    """What every benchmark offers. `asks`: what an answer is: a program, a value, or an input."""

    name: str
    about: str
    asks: Literal["code", "output", "input"]

    def load(self, data: str = "") -> list[Task]:
        """All tasks of a file, a folder or a data set by name; of the usual place without `data`, in their order.

        Raises `UsageError` where there is nothing, `InputError` naming file and row where a row is malformed.
        """

    def instruction(self, task: Task, profile: Profile) -> str:
        """What a model is asked."""

    def question(self, task: Task) -> Question | None:
        """The question about an execution, whose monologue can be checked; None for a task that asks for code."""

    def answer(self, task: Task, text: str, profile: Profile) -> str:
        """The answer in a model's text; empty where there is none."""

    def gold(self, task: Task) -> str:
        """An answer that is right."""

    def wrong(self, task: Task) -> str:
        """An answer of the right form that is wrong."""

    def generations(self, path: Path, tasks: Sequence[Task]) -> dict[str, list[str]]:
        """Answers by task from a file in the format that the benchmark's own tools write. Raises `InputError`."""

    def score(
        self, answers: Sequence[tuple[Task, str]], *, workers: int = 2, unsafe: bool = False
    ) -> Iterator[tuple[int, Score]]:
        """`(place, score)` of each answer, as they come. `passed` None: it could not be judged."""


@dataclass(frozen=True, slots=True)
class Case:
    """One test of a task by itself. `text`: as a person reads it; `call`: the call whose result it is about, empty
    where that cannot be named; `setup`: the lines that both need before them."""

    text: str
    call: str = ""
    setup: str = ""

    @property
    def code(self) -> str:
        """What is run."""
        return f"{self.setup}\n{self.text}" if self.setup else self.text


@runtime_checkable
class WithCases(Benchmark, Protocol):
    """A benchmark that asks for code and can tell its tests one by one."""

    def shown(self, task: Task) -> list[Case]:
        """The tests that the prompt shows."""

    def own(self, task: Task) -> list[Case]:
        """The tests that answers are judged by; empty where they cannot be told one by one."""

    def program(self, task: Task, answer: str) -> str:
        """The program that an answer makes, by itself; empty for an answer that is no program."""

    def check(self, task: Task, answer: str, case: Case) -> Check:
        """One case on an answer, run as the benchmark runs its own tests."""


def benchmarks() -> dict[str, type[Any]]:
    """All benchmarks by name."""
    return load_plugins("semcoder.benchmarks", "load", "score")


def benchmark(name: str) -> Benchmark:
    """One benchmark. Raises `UsageError` naming those that exist."""
    known = benchmarks()
    if name not in known:
        raise UsageError(f"there is no benchmark {name!r}; there are: {', '.join(known)}")
    found: Benchmark = known[name]()
    return found

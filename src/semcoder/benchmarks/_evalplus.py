"""HumanEval+ and MBPP+: many more inputs for each task, and outputs compared with those of the reference solution.

Two published forms are known: EvalPlus's own JSONL (`base_input`, `plus_input`, `canonical_solution`), where the
reference solution runs here, in the sandbox, before any answer; and that of its data sets on the hub, where a script
in `test` holds inputs and outputs, and needs numpy.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from semcoder.benchmarks import Task
from semcoder.benchmarks._evalplus_rules import NOT_NONE
from semcoder.benchmarks._programs import LIMITS, score_checks
from semcoder.core import NotLiteral, Score, Value, literal_text
from semcoder.errors import MissingExtra, UsageError
from semcoder.sandbox import Check, Job, Limits, Reply, Sandbox, answers, asserts

MEMORY = 1024 * 1024 * 1024
#: For the reference solutions; an answer has four times what its task's reference took, and a second at least.
REFERENCE = Limits(cpu_s=20.0, wall_s=60.0, memory=MEMORY)
FACTOR, LEAST_S = 4.0, 1.0
_RULES = Path(__file__).with_name("_evalplus_rules.py")


@dataclass(frozen=True, slots=True)
class Dataset:
    """What differs: `name` as the rules know it, how an answer becomes a program, and stored inputs arguments."""

    name: str
    program: Callable[[Mapping[str, Any], str], str]
    inputs: Callable[[Mapping[str, Any], str], list[list[Any]]]


def checked(row: Mapping[str, Any]) -> Mapping[str, Any]:
    """A row of one of the two forms. Raises `UsageError`."""
    if isinstance(row.get("test"), str) and "base_input" not in row:
        return row
    for field in ("prompt", "canonical_solution", "entry_point"):
        if not isinstance(row.get(field), str):
            raise UsageError(f"the field {field} must be a text; the row has {', '.join(row)}")
    for field in ("base_input", "plus_input"):
        inputs = row.get(field)
        if not isinstance(inputs, (list, dict)) or not all(isinstance(given, list) for given in inputs):
            raise UsageError(f"the field {field} must be a list of lists of arguments")
    if not isinstance(row.get("atol", 0), (int, float)):
        raise UsageError("the field atol must be a number")
    return row


def score_plus(
    given: Sequence[tuple[Task, str]],
    dataset: Dataset,
    entry: Callable[[Mapping[str, Any]], str],
    *,
    workers: int,
    unsafe: bool,
) -> Iterator[tuple[int, Score]]:
    """Scores of programs: a pass is one on all inputs, the original ones and those that EvalPlus added."""
    tasks = {task.id: task for task, _ in given}
    expected = dict(_expected(list(tasks.values()), dataset, workers, unsafe))
    checks: list[tuple[int, Check]] = []
    for place, (task, answer) in enumerate(given):
        found = expected.get(task.id)
        if isinstance(found, str):
            yield place, Score(None, found)
        elif found is not None:
            source = dataset.program(task.row, answer)
            checks.append((place, Check(source, found.tests, task.row["entry_point"], found.context, found.limits)))
        else:
            checks.append((place, _scripted(task.row, dataset.program(task.row, answer), entry(task.row))))
    for n, score in score_checks((check for _, check in checks), workers=workers, unsafe=unsafe):
        yield checks[n][0], score


def _scripted(row: Mapping[str, Any], source: str, entry: str) -> Check:
    if importlib.util.find_spec("numpy") is None:
        raise MissingExtra("numpy", "data")
    call = f"\ncheck({entry})\n" if "def check(" in row["test"] else "\n"
    limits = Limits(cpu_s=LIMITS.cpu_s, wall_s=LIMITS.wall_s, memory=MEMORY)
    return Check(source, row["test"] + call, entry, "", limits)


# The reference solution's outputs ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Tests:
    """Tests of one task, made of its reference solution's outputs."""

    tests: str
    context: str
    limits: Limits


def _expected(
    tasks: Sequence[Task], dataset: Dataset, workers: int, unsafe: bool
) -> Iterator[tuple[str, _Tests | str]]:
    """The tests of each task of EvalPlus's own form, or why there are none."""
    rows = [(task, [dataset.inputs(task.row, field) for field in ("base_input", "plus_input")]) for task in tasks
            if "base_input" in task.row]  # fmt: skip
    if not rows:
        return
    with Sandbox(workers=workers, unsafe=unsafe) as box:
        for place, replies in box.execute_many(_job(task, inputs) for task, inputs in rows):
            task, inputs = rows[place]
            try:
                yield task.id, _tests(task, inputs, replies, dataset.name)
            except (NotLiteral, UsageError) as error:
                yield task.id, f"the reference solution cannot be compared with: {error}"


def _job(task: Task, inputs: list[list[list[Any]]]) -> Job:
    row = task.row
    calls = tuple(["call", row["entry_point"], asserts.pack(tuple(args), {})] for part in inputs for args in part)
    return Job(answers.TASK, {"source": row["prompt"] + row["canonical_solution"]}, calls, REFERENCE)


def _tests(task: Task, inputs: list[list[list[Any]]], replies: Sequence[Reply], dataset: str) -> _Tests:
    row, entry = task.row, task.row["entry_point"]
    outputs = iter(_output(reply, entry) for reply in replies)
    lines = []
    for part in inputs:
        cases = ",\n".join(f"({literal_text(list(args))}, {next(outputs)})" for args in part)
        lines += [
            f"rules = Rules({dataset!r}, {entry!r}, {float(row.get('atol', 0))!r})",
            f"for args, expected in [{cases}]:",
            f"    assert rules.same(args, {entry}(*args), expected), 'another output for an input of ' + {task.id!r}",
        ]
    slowest = max((reply.usage.cpu_s for reply in replies), default=0.0)
    seconds = max(LEAST_S, FACTOR * slowest)
    limits = Limits(cpu_s=seconds, wall_s=2 * seconds + 1, memory=MEMORY)
    return _Tests("\n".join(lines) + "\n", _RULES.read_text(encoding="utf-8"), limits)


def _output(reply: Reply, entry: str) -> str:
    """The text of an expected output. Raises `NotLiteral`, `UsageError`."""
    doc = reply.data if reply.status == "returned" else None
    if not isinstance(doc, dict) or doc.get("status") != "returned":
        raise UsageError(f"it did not return: {(doc or {}).get('exception') or reply.detail or reply.status}"[:300])
    if entry in NOT_NONE:
        return repr("handle" in doc or doc["value"]["ref"] is not None)
    if "handle" in doc:
        raise NotLiteral("it gives an object that is no plain data")
    value = Value.from_wire(doc["value"])
    nodes = [(str(node[0]).partition("/")[0], *node[1:]) for node in value.nodes]  # a Counter is a dict
    return Value(value.ref, nodes).literal()

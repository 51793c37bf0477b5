"""Questions about executions to measure the built-in model with: programs, calls, and what these really give.

Guarantees: an output is a benchmark's own, or what the call gave in the sandbox; questions come in a fixed order; what
was left out is counted, with the reason. A program that the model cannot read is a question all the same. Benchmarks
are for measuring only: nothing of them is kept.
"""

from __future__ import annotations

import ast
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from semcoder.core import Invocation, Origin, Program
from semcoder.errors import InputError
from semcoder.mutation.inputs import propose
from semcoder.nano.flatten import flatten
from semcoder.nano.notation import Unsupported
from semcoder.sandbox import Limits, Sandbox, run_many
from semcoder.seeds.stdlib import StdlibSource
from semcoder.tables import Row, jsonl_rows

Generate = Callable[[int], tuple[Program, tuple[Invocation, ...]]]
_LIMITS = Limits(cpu_s=1.0, wall_s=6.0)
#: Calls that are made up for a function, and those of them that become questions.
_PROPOSED, _KEPT = 12, 2


@dataclass(frozen=True, slots=True)
class Question:
    """`output`: what `call` (one of `entry`) gives, literal text."""

    id: str
    source: str
    entry: str
    call: str
    output: str


@dataclass(frozen=True, slots=True)
class Questions:
    """A set by name; `left_out`: what is no question, by reason."""

    name: str
    asked: list[Question]
    left_out: Counter[str] = field(default_factory=Counter)


# Sets ----------------------------------------------------------------------------------------------------------------


def cruxeval(path: Path) -> Questions:
    """Rows of `code` (a function `f`), `input` and `output`. Raises `InputError` naming file and row."""
    found = []
    for row in jsonl_rows(path, str(path)):
        code, given, output = (_text(row, name) for name in ("code", "input", "output"))
        found.append(Question(str(row.values.get("id", row.number)), code, "f", f"f({given})", output))
    return Questions("cruxeval", found)


def mbpp(path: Path, *, workers: int = 1) -> Questions:
    """Reference solutions, called as their asserts call them; a folder stands for its `mbpp*.jsonl`.

    Only calls over literals are questions. Raises `InputError` naming file and row.
    """
    files = sorted(path.glob("mbpp*.jsonl")) if path.is_dir() else [path]
    if not files:
        raise InputError(f"{path}: no file mbpp*.jsonl in this folder; name the file")
    calls: list[tuple[str, Program, str]] = []
    left_out: Counter[str] = Counter()
    for file in files:
        for row in jsonl_rows(file, str(file)):
            code, tests = _text(row, "code"), row.values.get("test_list")
            if not isinstance(tests, list) or not all(isinstance(test, str) for test in tests):
                raise InputError(f"{row.place}: the field test_list must be a list of asserts")
            for number, test in enumerate(tests):
                entry, call = _asserted(test)
                if entry:
                    program = Program(code.replace("\r\n", "\n"), entry, Origin("mbpp"))
                    calls.append((f"{row.values.get('task_id', row.number)}/{number}", program, call))
                else:
                    left_out["an assert that is no call over literals and a value"] += 1
    return Questions("mbpp", list(_executed(calls, left_out, workers)), left_out)


def stdlib(count: int, *, workers: int = 1, modules: str = "") -> Questions:
    """Functions of the standard library that the model can read, two calls of each, made up, that return plain data.

    Functions that it cannot read are in `left_out` under `beyond the language`: no calls are made for them.
    """
    left_out: Counter[str] = Counter()
    calls: list[tuple[str, Program, str]] = []
    functions = 0
    for program in StdlibSource(modules).programs():
        if not isinstance(program, Program):
            left_out["no program by itself"] += 1
            continue
        try:
            flatten(program.source, program.entry)
        except Unsupported:
            left_out["beyond the language"] += 1
            continue
        if functions < count:
            functions += 1
            place = f"{program.origin.path}:{program.origin.line}"
            made = propose(program, n=_PROPOSED, seed=0)
            calls += [(f"{place}/{number}", program, call.text) for number, call in enumerate(made)]
    return Questions("stdlib", list(_few(_executed(calls, left_out, workers))), left_out)


def generated(
    count: int, generate: Generate, *, first: int, trained: Iterable[int] = (), workers: int = 1
) -> Questions:
    """One call of each of so many programs of our own generator, from the seed `first` on.

    `trained`: seeds of training; a program that any of these gives, too, is left out.
    """
    made = {seed: generate(seed) for seed in range(first, first + count)}
    known = {program.source for program, _ in made.values()}
    known &= {source for seed in trained if (source := generate(seed)[0].source) in known}
    calls = [(str(seed), program, call.text) for seed, (program, (call, *_)) in made.items()]
    new = [each for each in calls if each[1].source not in known]
    left_out = Counter({"the program was trained on": len(calls) - len(new)})
    return Questions("generated", list(_executed(new, left_out, workers)), left_out)


# Reading and running -------------------------------------------------------------------------------------------------


def _text(row: Row, name: str) -> str:
    value = row.values.get(name)
    if not isinstance(value, str):
        raise InputError(f"{row.place}: the field {name} must be a text")
    return value


def _asserted(test: str) -> tuple[str, str]:
    """The entry and the call of `assert entry(literals) == ...`; "" where a test is no such thing."""
    try:
        with warnings.catch_warnings():  # of the parser, on invalid escapes
            warnings.simplefilter("ignore")
            body = ast.parse(test.strip()).body
        compared = body[0].test if isinstance(body[0], ast.Assert) else None
        call = compared.left if isinstance(compared, ast.Compare) else None
        if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name):
            return "", ""
        for part in [*call.args, *(word.value for word in call.keywords)]:
            ast.literal_eval(part)
    except (SyntaxError, ValueError, TypeError, IndexError, RecursionError, MemoryError):
        return "", ""
    return call.func.id, ast.unparse(call)


def _executed(calls: Sequence[tuple[str, Program, str]], left_out: Counter[str], workers: int) -> Iterator[Question]:
    """The calls that return plain data, in order. Raises `SandboxError` where the sandbox cannot start."""
    groups: dict[Program, list[tuple[str, str]]] = {}
    for place, program, call in calls:
        groups.setdefault(program, []).append((place, call))
    found: dict[int, list[Question]] = {}
    programs = list(groups)
    with Sandbox(workers=workers) as box:
        jobs = ((program, [Invocation(call) for _, call in groups[program]]) for program in programs)
        for number, outcomes in run_many(box, jobs, _LIMITS):
            program = programs[number]
            for (place, call), outcome in zip(groups[program], outcomes, strict=True):
                if outcome.value is not None and outcome.value.is_literal():
                    question = Question(place, program.source, program.entry, call, outcome.value.literal())
                    found.setdefault(number, []).append(question)
                else:
                    left_out[f"the call {'returns no plain data' if outcome.value else outcome.status}"] += 1
    for number in range(len(programs)):
        yield from found.get(number, [])


def _few(questions: Iterable[Question]) -> Iterator[Question]:
    """Of each program two questions at most, with different outputs."""
    outputs: dict[str, set[str]] = {}
    for question in questions:
        known = outputs.setdefault(question.source, set())
        if len(known) < _KEPT and question.output not in known:
            known.add(question.output)
            yield question

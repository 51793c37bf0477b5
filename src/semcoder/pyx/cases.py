"""From a program to its cases: inputs that were executed, with what they gave, and what the executions covered.

Guarantees: every case returned plain data, with the same result when run again (under another hash seed) and when
traced, touched nothing outside, and printed nothing; its completed assert was executed and holds by Python's own `==`.
Programs without enough cases are `Rejected` with a reason. Later executions get more time than the first, so that only
the first can end on a limit because of how busy the machine is.
It does not promise full coverage: inputs come from examples, types and mutation, and those that add coverage are kept
first. Calls that raise are no cases; a few that reach what no case does are kept beside them, run twice like those.
"""

from __future__ import annotations

import ast
import statistics
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from semcoder.core import LIMIT_STATUSES, Invocation, Outcome, Program, Value
from semcoder.errors import InputError
from semcoder.mutation.covering import Measure
from semcoder.pyx.config import BuildConfig
from semcoder.pyx.search import Explored, Rejected, explore, reaching
from semcoder.sandbox import Job, Limits, Sandbox, run_program
from semcoder.seeds.examples import examples
from semcoder.tracing import TASK, Trace, trace_from_document

#: A point of coverage: a statement's line, or a condition's place with its truth, or a loop that ran.
Point = tuple[str, int, int]
#: The reason for a program that could not be dealt with, through no fault of its own.
BUG = "a bug in semcoder"
#: How many times the wanted cases are traced, to choose among.
_WIDEN = 2
#: Executions of up to so many statements are preferred, longer before shorter; beyond, they wear a reader out.
_READABLE = 60
#: How much more time than its first run a call gets for every later one: what was near the limit passes all the same.
_AMPLE = 3
#: Imported once in the sandbox's warm parents, since many programs of the library need them.
PRELOAD = ("re", "collections", "functools", "itertools", "string", "math", "datetime")


@dataclass(frozen=True, slots=True)
class Case:
    """One execution: the call, its output as literal text, its trace and how many statements ran."""

    call: str
    output: str
    trace: Trace
    steps: int

    @property
    def value(self) -> Value:
        """The output itself."""
        return returned(self.trace)


@dataclass(frozen=True, slots=True)
class Coverage:
    """Over all cases of a program: lines run, conditions that went both ways, loops whose body ran.

    And what was covered of what there is (see `semcoder.mutation.covering`): by the cases, and with calls that raise.
    """

    lines: int
    both_ways: int
    conditions: int
    loops: int
    median_steps: float
    median_lines: float
    by_cases: Measure
    by_all: Measure


@dataclass(frozen=True, slots=True)
class Raising:
    """A call that raised, both times that it was run, and what."""

    call: str
    exception: str
    message: str


@dataclass(frozen=True, slots=True)
class Found:
    """A program's cases, those that add coverage first; how many more had an assert that fails; calls that raise."""

    cases: list[Case]
    failing_asserts: int
    raising: list[Raising]
    explored: Explored

    def coverage(self, cases: Sequence[Case]) -> Coverage:
        """What these cases cover together, and what they and the raising calls do."""
        calls = {call.text: call for call in self.explored.hits}
        returning = self.explored.reached([calls[case.call] for case in cases])
        raised = self.explored.reached([calls[one.call] for one in self.raising])
        points_hit = set().union(*(points(case.trace) for case in cases))
        true = {p[1:] for p in points_hit if p[0] == "true"}
        false = {p[1:] for p in points_hit if p[0] == "false"}
        return Coverage(
            lines=sum(p[0] == "line" for p in points_hit),
            both_ways=len(true & false),
            conditions=len(true | false),
            loops=sum(p[0] == "loop" for p in points_hit),
            median_steps=statistics.median(case.steps for case in cases),
            median_lines=statistics.median(len({p for p in points(c.trace) if p[0] == "line"}) for c in cases),
            by_cases=self.explored.points.measure(returning),
            by_all=self.explored.points.measure(returning | raised),
        )


def find_cases(program: Program, box: Sandbox, config: BuildConfig, recorded: Sequence[Invocation] = ()) -> Found:
    """The program's cases. `recorded`: calls that are known beside those that the text shows. Raises `Rejected`."""
    explored = explore(program, [*recorded, *examples(program)], box, config)
    good = _good(explored.outcomes, config)
    if not good:
        raise Rejected("no input returned plain data", _commonest(list(explored.outcomes.values())))
    good = _widest(good, explored, _WIDEN * config.cases_per_program)
    _run_again(program, good, box, config)
    if len({_key(outcome) for outcome in good.values()}) < 2:
        raise Rejected("the result does not depend on the input")
    found = _traced(program, good, box, config)
    hold = asserts_hold(program, [(case.call, case.output) for case in found], box, config)
    hits = {call.text: hit for call, hit in explored.hits.items()}
    cases = _choose([case for case, holds in zip(found, hold, strict=True) if holds], hits, config.cases_per_program)
    if len(cases) < config.min_cases and not all(hold):
        raise Rejected("an assert on the result fails", found[hold.index(False)].call)
    if len(cases) < config.min_cases:
        raise Rejected("too few inputs returned plain data", f"{len(cases)} of at least {config.min_cases}")
    if statistics.median(case.steps for case in cases) < config.min_steps:
        raise Rejected("too few statements run to be worth telling")
    covered = set().union(*(hits[case.call] for case in cases))
    return Found(cases, hold.count(False), _raising(program, explored, covered, box, config), explored)


def _widest(good: dict[Invocation, Outcome], explored: Explored, count: int) -> dict[Invocation, Outcome]:
    """As many of the calls, those first that reach what those before them do not."""
    calls = dict.fromkeys([*reaching(list(good), explored.hits), *good])
    return {call: good[call] for call in list(calls)[:count]}


def _raising(
    program: Program, explored: Explored, covered: set[int], box: Sandbox, config: BuildConfig
) -> list[Raising]:
    """A few calls that raise, each reaching what no case and none before it does; run twice, with one outcome."""
    left: dict[Invocation, Outcome] = {}
    calls = [
        call
        for call, outcome in explored.outcomes.items()
        if outcome.status == "raised" and not outcome.stdout and len(call.text) <= config.max_value
    ]
    seen = set(covered)
    while len(left) < config.raises_per_program and calls:
        best = max(calls, key=lambda call: len(explored.hits[call] - seen))
        if not explored.hits[best] - seen:
            break
        left[best] = explored.outcomes[best]
        seen |= explored.hits[best]
        calls.remove(best)
    again = _run(program, list(left), box, ample(config), hash_seed=1) if left else []
    return [
        Raising(call.text, outcome.exception.type, outcome.exception.message)
        for (call, outcome), second in zip(left.items(), again, strict=True)
        if outcome.exception is not None and outcome.same(second)
    ]


def _key(outcome: Outcome) -> str:
    return outcome.value.digest() if outcome.value is not None else outcome.status


def ample(config: BuildConfig) -> Limits:
    """Limits of every execution after a call's first."""
    return Limits(cpu_s=_AMPLE * config.cpu_s, wall_s=4 * _AMPLE * config.cpu_s)


def _run(
    program: Program, calls: Sequence[Invocation], box: Sandbox, limits: Limits, hash_seed: int = 0
) -> list[Outcome]:
    """Outcomes of all calls. Raises `Rejected` where one reaches outside."""
    outcomes = run_program(box, program, calls, limits, hash_seed=hash_seed)
    for outcome in outcomes:
        if outcome.detail.startswith("touched:"):
            raise Rejected("reaches outside", outcome.detail.removeprefix("touched: "))
    return outcomes


def _good(outcomes: Mapping[Invocation, Outcome], config: BuildConfig) -> dict[Invocation, Outcome]:
    """Calls whose outcome is plain data of a size that people read, with that outcome."""
    good: dict[Invocation, Outcome] = {}
    for call, outcome in outcomes.items():
        value = outcome.value
        if value is None or outcome.stdout or not value.is_complete() or not value.is_literal():
            continue
        if len(value.display()) + len(call.text) <= config.max_value:
            good[call] = outcome
    return good


def _commonest(outcomes: Sequence[Outcome]) -> str:
    kinds = Counter(str(o.exception.type) if o.exception is not None else o.status for o in outcomes)
    return kinds.most_common(1)[0][0] if kinds else "no candidates"


def _run_again(program: Program, good: Mapping[Invocation, Outcome], box: Sandbox, config: BuildConfig) -> None:
    """Run the calls once more under another hash seed. Raises `Rejected` where one does something else."""
    second = _run(program, list(good), box, ample(config), hash_seed=1)
    for (call, before), after in zip(good.items(), second, strict=True):
        if not before.same(after):
            raise Rejected("answers differently when run again", call.text)


def _traced(program: Program, good: Mapping[Invocation, Outcome], box: Sandbox, config: BuildConfig) -> list[Case]:
    """The calls as cases. Raises `Rejected` where one does something else when traced than it did before."""
    found = traces(program, [call.text for call in good], box, config)
    cases = []
    for call, outcome in good.items():
        trace = found.get(call.text)
        if trace is None or trace.outcome.status in LIMIT_STATUSES:
            continue
        if not trace.outcome.same(outcome):
            raise Rejected("differs when traced", call.text)
        cases.append(Case(call.text, returned(trace).literal(), trace, len(trace.executed_lines())))
    return cases


def traces(
    program: Program, calls: Sequence[str], box: Sandbox, config: BuildConfig, hash_seed: int = 0
) -> dict[str, Trace]:
    """Complete traces of the calls of one program; those that hit a limit or outgrow `max_events` are missing."""
    items = tuple(Invocation(call).parts for call in calls)
    payload = {"source": program.source, "max_events": config.max_events}
    found = {}
    for call, reply in zip(calls, box.execute(Job(TASK, payload, items, ample(config), hash_seed)), strict=True):
        if reply.status != "returned":
            continue
        try:
            trace = trace_from_document(program.source, reply.data, Invocation(call))
        except InputError:
            continue  # the program's own process sent nonsense: this execution is not used
        if not trace.truncated:
            found[call] = trace
    return found


def returned(trace: Trace) -> Value:
    """What the traced call returned; only for traces of calls that did."""
    assert trace.outcome.value is not None
    return trace.outcome.value


def asserts_hold(program: Program, pairs: Sequence[tuple[str, str]], box: Sandbox, config: BuildConfig) -> list[bool]:
    """Whether `call == output`, executed beside the program, is True: False for nan, which no value equals."""
    asserts = [Invocation(f"{call} == {output}") for call, output in pairs]
    return [o.value == Value(True) for o in run_program(box, program, asserts, ample(config), hash_seed=1)]


def points(trace: Trace) -> set[Point]:
    """What a trace covers."""
    found: set[Point] = set()
    for step in trace.steps:
        if step.kind != "call":
            found.add(("line", step.line, 0))
        if step.kind == "iteration" or (step.kind == "test" and step.truth is not False):
            found.add(("loop", step.line, 0))
        for part in step.parts:
            if part.kind == "t" and part.node is not None:
                found.add(("true" if part.truth else "false", part.node.lineno, part.node.col_offset))  # type: ignore[attr-defined]
    return found


def _choose(cases: Sequence[Case], hits: Mapping[str, frozenset[int]], count: int) -> list[Case]:
    """Cases that add coverage first (points hit, and what their traces show), then those that add a new output.

    Of equals, those with the most to tell.
    """
    remaining = sorted(cases, key=lambda case: (case.steps > _READABLE, -case.steps, case.call))
    covered: set[Point | int] = set()
    outputs: set[str] = set()
    cover: dict[str, set[Point | int]] = {case.call: {*points(case.trace), *hits[case.call]} for case in remaining}
    chosen: list[Case] = []
    while remaining and len(chosen) < count:
        best = max(remaining, key=lambda c: (len(cover[c.call] - covered), c.output not in outputs))
        remaining.remove(best)
        covered |= cover[best.call]
        outputs.add(best.output)
        chosen.append(best)
    return chosen


def substantial(covered: Coverage) -> bool:
    """Whether a program has a loop whose body ran, or a condition that went both ways over its cases."""
    return covered.loops > 0 or covered.both_ways > 0


def normal_form(source: str) -> str:
    """A spelling of a program that is the same for copies: no comments, docstrings or layout."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        documented = isinstance(node, (ast.FunctionDef, ast.ClassDef, ast.Module)) and ast.get_docstring(node)
        if documented and isinstance(body, list):
            body[:1] = [] if len(body) > 1 else [ast.Pass()]
    return ast.dump(tree, include_attributes=False)

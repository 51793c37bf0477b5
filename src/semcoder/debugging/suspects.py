"""Statements of one failing run that may have borne its wrong value, most suspect first; no right run is known.

A statement is the more suspect the nearer it is to the failure by what depends on what (`semcoder.debugging.slices`),
the more there is in it that can be wrong, the later it comes in, and if it runs after the expected value was last
seen; and so is one at which an exception comes up that no `raise` asked for. What only jumps, raises or opens a block
is less suspect than what decides or computes. Where the failing test can be run on changed versions (`Trial`), a
statement of which some change makes it pass goes before all others.

Guarantees: every statement that is named ran; the same run gives the same order.
It proves nothing: `docs/design/debugging.md` says how often which place is right.
"""

from __future__ import annotations

import ast
import enum
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from semcoder.core import Outcome, TooLarge, Value
from semcoder.debugging.effects import doing, effect_of
from semcoder.debugging.slices import Slices, own_nodes
from semcoder.monologue.sentences import span
from semcoder.monologue.story import Story
from semcoder.mutation.bugs import bugs, head_of
from semcoder.tracing import Step, Trace

#: For each text of a program whether it passes the test that fails.
Trial = Callable[[Sequence[str]], Sequence[bool]]
#: How many changes of the program a trial is made with, and how many statements have a sentence.
TRIED, _TOLD = 150, 25
#: What counts how much: see `_Statement.score`.
_IN_SLICE, _NEAREST, _DECIDES, _BINDS, _WORK, _AFTER, _FIRST, _LAST = 0.25, 0.25, 0.5, 0.3, 0.8, 0.7, 1.0, 0.7
_INNER, _FAILS = 0.25, 0.75
_OPENS, _JUMPS, _RAISES, _TOO_LATE, _PASSES = -1.0, -0.5, -2.0, -10.0, 10.0
_NEAR = 3
_WORKING = (ast.BinOp, ast.Compare, ast.BoolOp, ast.Call, ast.Subscript, ast.UnaryOp, ast.IfExp, ast.AugAssign)


class Missing(enum.Enum):
    """The type of `MISSING`: nothing is known of the expected value."""

    MISSING = "missing"


MISSING: Final = Missing.MISSING


@dataclass(frozen=True, slots=True)
class Suspect:
    """A statement: its line, the function it stands in, and what it did when it was last suspect, in one sentence.

    `passes`: a changed version of the program passes the failing test, in which only this statement is another.
    """

    line: int
    function: str
    sentence: str
    score: float = 0.0
    passes: bool = False


def suspects(
    trace: Trace, source: str, *, expected: object | Missing, outcome: Outcome, trial: Trial | None = None
) -> list[Suspect]:
    """Ranked statements of the run, most suspect first.

    `source`: the text that the steps are in. `expected`: a `Value` or plain data, or MISSING where nothing is known of
    it. `outcome`: what was wrong: a value that a call of the trace returned, or an exception that it raised.
    """
    return _Ranking(trace, source, _value(expected), outcome).suspects(trial)


def _value(expected: object | Missing) -> Value | None:
    if expected is MISSING or isinstance(expected, Value):
        return expected if isinstance(expected, Value) else None
    try:
        return Value.of(expected)
    except TooLarge:
        return None


@dataclass(slots=True)
class _Statement:
    """A statement of the run with its steps, first to last."""

    node: ast.AST
    steps: list[Step]
    suspicion: float = 0.0
    is_near: bool = False
    passes: bool = False

    @property
    def line(self) -> int:
        return self.steps[0].line

    def score(self, failure: int, seen: int) -> float:
        """`failure`: the step that failed; `seen`: the last at which the expected value was seen, -1 for none."""
        node, first = self.node, self.steps[0].index
        last = max((step.index for step in self.steps if step.index <= failure), default=-1)
        work = sum(isinstance(inner, _WORKING) for inner in own_nodes(node))
        score = _IN_SLICE * self.suspicion + _NEAREST * self.is_near + _WORK * math.log1p(work)
        score += _AFTER * (self.suspicion > 0 and 0 <= seen < last)
        score += (_FIRST * first + _LAST * last) / (failure + 1) if last >= 0 else _TOO_LATE
        score += _DECIDES * isinstance(node, (ast.If, ast.While))
        score += _BINDS * isinstance(node, (ast.Assign, ast.AnnAssign, ast.AugAssign, ast.For, ast.AsyncFor))
        score += _INNER * (self.steps[0].depth > 0) + _PASSES * self.passes
        raises = isinstance(node, (ast.Raise, ast.Assert))
        if last == failure and self.steps[-1].raised is not None:
            score += _RAISES if raises else _FAILS
        score += _JUMPS * (raises or isinstance(node, (ast.Break, ast.Continue)))
        return score + _OPENS * isinstance(node, (ast.Try, ast.TryStar))


class _Ranking:
    def __init__(self, trace: Trace, source: str, expected: Value | None, outcome: Outcome) -> None:
        self._trace, self._source = trace, source
        self._expected, self._outcome = expected, outcome
        self._steps = trace.steps
        found: dict[int, _Statement] = {}
        for step in self._steps:
            if step.kind != "call" and isinstance(step.node, ast.stmt):
                found.setdefault(id(step.node), _Statement(step.node, [])).steps.append(step)
        self._statements = list(found.values())

    def suspects(self, trial: Trial | None) -> list[Suspect]:
        if not self._statements:
            return []
        failure = self._failure()
        suspicion = Slices(self._trace).suspicion(failure)
        for one in self._statements:
            one.suspicion = max(suspicion[step.index] for step in one.steps)
        for one in sorted(self._statements, key=lambda one: -one.suspicion)[:_NEAR]:
            one.is_near = one.suspicion > 0
        if trial is not None:
            self._try(trial)
        seen = self._seen()
        scores = {id(one): one.score(failure, seen) for one in self._statements}
        ranked = sorted(self._statements, key=lambda one: -scores[id(one)])
        moments = Story(self._trace).moments
        return [
            Suspect(one.line, one.steps[0].function, self._sentence(one, moments, k), scores[id(one)], one.passes)
            for k, one in enumerate(ranked)
        ]

    def _sentence(self, one: _Statement, moments: Sequence[Any], place: int) -> str:
        """What the statement did when it last ran."""
        head = f"Line {one.line}, {span(head_of(self._source, one.node))}"
        if place >= _TOLD:
            return f"{head}."
        last = moments[one.steps[-1].index]
        done = doing(effect_of([last]), last.after)
        return f"{head}: {done}." if done else f"{head}."

    def _failure(self) -> int:
        """The step that gave the wrong value or raised what was raised; the last one where it cannot be told."""
        if self._outcome.status == "raised":
            raising = [(step.index, step.raised.oid) for step in self._steps if step.raised is not None]
            if raising:
                return next(index for index, oid in raising if oid == raising[-1][1])
        wrong = self._outcome.value
        if wrong is not None:
            for step in reversed(self._steps):
                if step.returned is not None and step.returned == wrong:
                    return step.index
        return len(self._steps) - 1

    def _seen(self) -> int:
        """The last step at which the expected value was that of a variable or an expression, where it is telling."""
        expected = self._expected
        if expected is None or not _is_telling(expected):
            return -1
        digest = expected.digest()
        for step in reversed(self._steps):
            if any(value.kind == expected.kind and value.digest() == digest for value in _values(step)):
                return step.index
        return -1

    def _try(self, trial: Trial) -> None:
        """Note the statements of which a change makes the test pass."""
        lines = {one.line for one in self._statements}
        changed = bugs(self._source, n=TRIED, seed=0, lines=lines)
        passing = trial([bug.source for bug in changed])
        good = {bug.line for bug, passes in zip(changed, passing, strict=True) if passes}
        for one in self._statements:
            one.passes = one.line in good


def _is_telling(value: Value) -> bool:
    """Whether a value is not one that any program has somewhere."""
    return value.kind not in ("bool", "None") and len(value.display()) > 2


def _values(step: Step) -> list[Value]:
    found = [change.new for change in step.changes if change.new is not None]
    found += [step.returned] if step.returned is not None else []
    return found + [part.value for part in step.parts if part.kind == "e" and part.value is not None]

"""Where two executions first part: a run of a version that is right, and one of a version that is wrong.

The statements of the two versions are matched (`semcoder.debugging.matching`), and the steps of the two runs are laid
along each other, statement by statement, into the functions that they call. They part at the first step at which they
differ in path or in a value. What is named is the statement that is to blame for it: the changed one that runs there,
or the last changed, missing or added one that ran before; where no such statement ran, the step itself.

Guarantees: every value and every line in the sentence is that of a step of one of the two traces, shortened where it is
long; two runs of the same version on the same input have no divergence; the same traces give the same sentence.
It does not promise that the change which is named is the only one that matters: of several, the last that ran before
the runs part is named first.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from semcoder.debugging.effects import Effect, Look, differing, effect_of, phrase
from semcoder.debugging.matching import Matching
from semcoder.monologue.sentences import span
from semcoder.monologue.story import Moment, Story
from semcoder.mutation.bugs import head_of
from semcoder.tracing import Step, Trace

#: How many statements a sentence names.
_MOST = 3
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


@dataclass(frozen=True, slots=True)
class Divergence:
    """`line`: of the guilty statement in the bad source; `statements`: up to three lines of the bad source that the
    sentence names, most guilty first; `shown`: the line at which the runs part (0: the bad one has ended by then).

    `good_line`: the guilty statement's in the good source (0: it has none there); `is_text`, `was_text`: that statement
    in the bad and the good source ("" where it has none). `good_step`, `bad_step`: the steps at which the runs part;
    None where a run has ended by then.
    """

    sentence: str
    line: int
    statements: tuple[int, ...]
    shown: int = 0
    good_line: int = 0
    is_text: str = ""
    was_text: str = ""
    good_step: int | None = None
    bad_step: int | None = None


def first_divergence(good: Trace, bad: Trace, *, good_source: str, bad_source: str) -> Divergence | None:
    """The first step at which aligned executions differ in path or value; None where they never do, and where one of
    them has no steps.

    `good_source`, `bad_source`: the texts that the traces' steps are in.
    """
    if not good.kinds or not bad.kinds:
        return None
    return _Walk(_Side(good, good_source), _Side(bad, bad_source)).divergence()


class _Side:
    """One of the two runs."""

    def __init__(self, trace: Trace, source: str) -> None:
        self.trace = trace
        self.source = source
        self.moments: Sequence[Moment] = Story(trace).moments

    def step(self, at: int) -> Step | None:
        return self.moments[at].step if at < len(self.moments) else None

    def end_of(self, at: int) -> int:
        """Where the execution of a step's statement is over, with all that it calls."""
        step = self.moments[at].step
        end = at + 1
        while end < len(self.moments) and _belongs(self.moments[end].step, step):
            end += 1
        return end

    def own(self, start: int, end: int) -> list[Moment]:
        """The moments of one statement's execution, without those of what it calls."""
        frame = self.moments[start].step.frame
        return [moment for moment in self.moments[start:end] if moment.step.frame == frame]

    def head(self, node: ast.AST) -> str:
        return span(head_of(self.source, node))

    def iteration(self, at: int) -> str:
        """In which iteration of the innermost loop a step is, where it is in a loop."""
        step = self.moments[at].step
        for moment in reversed(self.moments[:at]):
            loop = moment.step
            if loop.frame == step.frame and loop.kind in ("iteration", "test") and loop.node is not step.node:
                body = [inner for part in getattr(loop.node, "body", []) for inner in ast.walk(part)]
                if any(inner is step.node for inner in body):
                    return f"in iteration {loop.count} of the loop at line {loop.line} "
        return ""


def _belongs(later: Step, step: Step) -> bool:
    if later.frame == step.frame:
        return later.kind == "resume" and later.node is step.node
    return later.depth > step.depth


@dataclass(frozen=True, slots=True)
class _Guilt:
    """A difference between the versions that ran: the node of each side, None where it has none."""

    good: ast.AST | None
    bad: ast.AST | None


@dataclass(frozen=True, slots=True)
class _Parting:
    """Where the runs part: the places, and what each does there, in words."""

    i: int
    j: int
    here: str
    there: str


class _Walk:
    """Two runs laid along each other."""

    def __init__(self, good: _Side, bad: _Side) -> None:
        self.good, self.bad = good, bad
        self.match = Matching(good.trace.tree, bad.trace.tree)
        self.pending = list(self._outside())
        self._frames: dict[int, int] = {}
        self._i = self._j = 0

    def divergence(self) -> Divergence | None:
        parting = self._parting()
        if parting is None:
            is_known = not (self.good.trace.truncated or self.bad.trace.truncated)
            if not is_known or self.good.trace.outcome.same(self.bad.trace.outcome):
                return None
            here, there = (_outcome(side.trace) for side in (self.bad, self.good))
            parting = _Parting(len(self.good.moments), len(self.bad.moments), here, there)
        return _told(self, parting)

    def _outside(self) -> Iterator[_Guilt]:
        """Differences that no step is about: outside of functions, and in what a `def` says."""
        inside = {
            id(inner)
            for tree in (self.match.good, self.match.bad)
            for node in ast.walk(tree)
            if isinstance(node, _FUNCTIONS)
            for inner in ast.walk(node)
            if inner is not node
        }
        for good, bad in self.match.differences():
            if id(good) not in inside and id(bad) not in inside and not isinstance(good or bad, ast.ClassDef):
                yield _Guilt(good, bad)

    # -- walking

    def _parting(self) -> _Parting | None:
        while True:
            g, b = self.good.step(self._i), self.bad.step(self._j)
            if g is None and b is None:
                return None
            if g is not None and b is not None and self._same_place(g, b):
                parting = self._both(g, b)
            elif g is not None and self.match.partner(g.node) is None:
                parting = self._missing(g)
            elif b is not None and self.match.partner(b.node) is None:
                parting = self._added(b)
            elif (g is None and self.good.trace.truncated) or (b is None and self.bad.trace.truncated):
                return None  # nothing more is known
            else:
                return self._path(g, b)
            if parting is not None:
                return parting

    def _same_place(self, g: Step, b: Step) -> bool:
        if g.kind != b.kind or self.match.partner(g.node) is not b.node:
            return False
        return g.kind == "call" or self._frames.get(g.frame, b.frame) == b.frame

    def _both(self, g: Step, b: Step) -> _Parting | None:
        """Both runs are at the same statement."""
        i, j = self._i, self._j
        if g.kind == "call":
            self._frames[g.frame] = b.frame
        changed = self.match.is_changed(b.node) and g.kind != "call"
        if changed:
            self.pending.append(_Guilt(g.node, b.node))
        self._i, self._j = i + 1, j + 1
        if changed and not self._calls_alike():
            self._i, self._j = self.good.end_of(i), self.bad.end_of(j)
        mine, theirs = self.bad.own(j, self._j), self.good.own(i, self._i)
        found = differing(effect_of(theirs), effect_of(mine), theirs[-1].after, mine[-1].after)
        return None if found is None else _Parting(i, j, found[1], found[0])

    def _path(self, g: Step | None, b: Step | None) -> _Parting:
        """The runs are at statements that are not each other's."""
        if g is not None and b is not None and self.match.partner(g.node) is b.node:
            self.pending.append(_Guilt(g.node, b.node))  # a statement of another type now
        return _Parting(self._i, self._j, _goes(b, self.bad), _goes(g, self.good))

    def _calls_alike(self) -> bool:
        """Whether what comes next are calls of one function on both sides, or on none."""
        g, b = self.good.step(self._i), self.bad.step(self._j)
        if g is None or b is None or "call" not in (g.kind, b.kind):
            return True
        return self._same_place(g, b)

    def _missing(self, g: Step) -> _Parting | None:
        """The good run is at a statement that the bad version does not have."""
        i, j = self._i, self._j
        self.pending.append(_Guilt(self.match.outermost(g.node), None))
        self._i = self.good.end_of(i)
        own = self.good.own(i, self._i)
        found = differing(_lasting(effect_of(own)), Effect(), own[-1].after, self._before(self.bad, j))
        return None if found is None else _Parting(i, j, found[1], found[0])

    def _added(self, b: Step) -> _Parting | None:
        """The bad run is at a statement that the good version does not have."""
        i, j = self._i, self._j
        self.pending.append(_Guilt(None, self.match.outermost(b.node)))
        self._j = self.bad.end_of(j)
        own = self.bad.own(j, self._j)
        found = differing(Effect(), _lasting(effect_of(own)), self._before(self.good, i), own[-1].after)
        return None if found is None else _Parting(i, j, found[1], found[0])

    @staticmethod
    def _before(side: _Side, at: int) -> Look:
        """What variables are where a run has got to."""
        return side.moments[at].before if at < len(side.moments) else lambda _: None


def _lasting(effect: Effect) -> Effect:
    """What a statement does that is missed where it is not there: a condition's truth alone changes nothing."""
    return Effect(effect.names, {what: value for what, value in effect.acts.items() if what not in ("truth", "loop")})


def _goes(step: Step | None, side: _Side) -> str:
    """Where a run goes next."""
    if step is None:
        return "the run ends"
    if step.kind == "call":
        return f"{span(step.function)} is called"
    if step.kind == "exhausted":
        return f"the loop at line {step.line} ends after {step.count} iteration{'s' * (step.count != 1)}"
    if step.kind == "iteration":
        return f"iteration {step.count} of the loop at line {step.line} begins"
    if step.kind == "catch":
        return f"line {step.line} catches an exception"
    verb = "goes on" if step.kind == "resume" else "runs"
    return f"line {step.line}, {side.head(step.node)}, {verb} next"


def _outcome(trace: Trace) -> str:
    outcome = trace.outcome
    if outcome.status == "returned":
        return f"the call returns {phrase(outcome.value)}"
    if outcome.exception is not None:
        return f"the call raises {span(str(outcome.exception))}"
    return f"the call ends with {outcome.detail or outcome.status}"


# Telling -------------------------------------------------------------------------------------------------------------


def _told(walk: _Walk, parting: _Parting) -> Divergence:
    """The divergence in words."""
    good, bad = walk.good, walk.bad
    step = bad.step(parting.j)
    guilty = walk.pending[-1] if walk.pending else None
    shown = step.line if step is not None else 0
    line, opening = (shown, f"Line {shown}") if guilty is None else _opening(walk, guilty)
    when = bad.iteration(parting.j) if step is not None and guilty is not None and guilty.bad is step.node else ""
    if step is not None and step.line != line and guilty is not None and guilty.bad is not None:
        when = f"this first shows at line {shown}, {bad.head(step.node)}, where "
    elif guilty is None and step is not None:
        opening += f", {bad.head(step.node)}"
    others = [_line(walk, one) for one in reversed(walk.pending[:-1])]
    lines = tuple(dict.fromkeys([line, *([shown] if when.startswith("this") else []), *others]))[:_MOST]
    rest = [str(one) for one in lines if one not in (line, shown if when.startswith("this") else line)]
    also = f" (the versions also differ at line {' and line '.join(rest)})" if rest else ""
    sentence = f"{opening}{also}: {when}{parting.here}; in the good run {parting.there}."
    i = parting.i if parting.i < len(good.moments) else None
    j = parting.j if parting.j < len(bad.moments) else None
    was, now = (None, None) if guilty is None else (guilty.good, guilty.bad)
    return Divergence(
        sentence,
        line,
        lines,
        shown,
        good_line=int(getattr(was, "lineno", 0)),
        is_text="" if now is None else head_of(bad.source, now),
        was_text="" if was is None else head_of(good.source, was),
        good_step=i,
        bad_step=j,
    )


def _line(walk: _Walk, guilty: _Guilt) -> int:
    node = guilty.bad
    if node is None:
        assert guilty.good is not None
        node = walk.match.place(guilty.good)
    return int(getattr(node, "lineno", 1))


def _opening(walk: _Walk, guilty: _Guilt) -> tuple[int, str]:
    """The guilty line, and how a sentence that blames it begins."""
    line = _line(walk, guilty)
    if guilty.bad is None:
        assert guilty.good is not None
        there = f"line {int(getattr(guilty.good, 'lineno', 0))} of the good version"
        return line, f"{walk.good.head(guilty.good)} ({there}) is missing at line {line}"
    if guilty.good is None:
        return line, f"Line {line}, {walk.bad.head(guilty.bad)}, is not in the good version"
    return line, f"Line {line} is {walk.bad.head(guilty.bad)} where the good version has {walk.good.head(guilty.good)}"

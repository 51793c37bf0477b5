"""Which functions of a failing run are to blame, by what the recording holds against each.

What counts, heaviest first: the function in which an exception came up that no test expects, and those that it came
through; the function in which a piece of the wrong value was first seen at all; those that could have raised what the
test waited for; the functions on the way to the last one that gave the wrong value without having been given it; the
functions that these steps depend on (`semcoder.debugging.slices`), the nearer the more; how many lines of a function
ran; those that made, before the test began, functions that ran in it. Each is a reason of its own, and weights add up.
What speaks for a function: that it ran many times, most of them to no harm, or only sets an object up.

Guarantees: the order depends on the recording alone; every function that is named ran in it, or made one that did.
It does not prove guilt: without a run that is right there is nothing to compare with (see `divergence`).
"""

from __future__ import annotations

import ast
import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from semcoder.core import Outcome, Value
from semcoder.debugging.slices import Slices
from semcoder.debugging.suspects import MISSING, suspects
from semcoder.debugging.visits import Function, Run, Visit
from semcoder.debugging.wanted import Check, Difference, difference, failed_check, is_telling, last_passed
from semcoder.tracing import Step

#: Weights of reasons, as they did best on bugs drawn at random (`perf/duck.py`) in nine packages.
_RAISED, _CAME_THROUGH, _CHECKED = 6.0, 1.5, 3.0
_BORN, _BORN_TOO, _GAVE, _PASSED_ON, _FLOW = 5.0, 2.0, 0.8, 1.5, 1.0
#: What a piece of the wrong value leaves of the suspicion against what gave all of it.
_LESS = 0.9
_COMPARED, _SILENT, _NOTHING, _MADE, _SIZE, _UNSEEN, _PRESENT = 4.0, 5.0, 3.0, 3.0, 0.6, 6.0, 0.1
_MAKER, _OFTEN, _SETS_UP = 2.5, 0.4, 0.5
_COMPARING = frozenset({"__eq__", "__ne__", "__lt__", "__le__", "__gt__", "__ge__", "__contains__", "__bool__"})
#: Steps of a run that are searched for the birth of a value.
_SEARCHED = 50_000
#: What says of an `AttributeError` which type of object has it.
_NO_ATTRIBUTE = re.compile(r"'(\w+)' object has no attribute")
#: Statements named in the first function.
_LINES = 3


@dataclass(slots=True)
class Blamed:
    """A function, one of its visits (None: none is recorded) and the step there that speaks against it most (-1: none
    does), and its weight. `is_maker`: it ran before the test began, and made a function that ran in it."""

    function: Function
    visit: Visit | None
    weight: float = 0.0
    step: int = -1
    is_maker: bool = False
    lines: dict[int, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Blame:
    """Functions, most blamed first; the check that failed (None: an exception came up), and how its values differ.

    `born`: the step in which the wrong value was first seen, or this `piece` of it; -1 where that cannot be told.
    `statements`: lines of the text in the first function, most suspect first, by `semcoder.debugging.suspects`.
    """

    functions: tuple[Blamed, ...]
    check: Check | None
    differs: Difference | None
    raised: Step | None
    born: int = -1
    piece: str = ""
    statements: tuple[int, ...] = ()


def blame(
    run: Run, *, check: Check | None = None, unseen: Iterable[Function] = (), makers: Iterable[Function] = ()
) -> Blame:
    """Who is to blame in a run that failed.

    `check`: what it got and wanted, where no test of the recording tells; `unseen`: functions in which the run was for
    long, and which are not recorded for that; `makers`: functions that ran before, and made some that ran.
    """
    return _Judge(run, check).blame(unseen, makers)


class _Judge:
    def __init__(self, run: Run, check: Check | None) -> None:
        self._run = run
        self._raised = None if check is not None else _raised_in_code(run)
        self._check = check if check is not None or self._raised is not None else failed_check(run)
        self._found: dict[Function, Blamed] = {}
        got = None if self._check is None else self._check.got
        self._piece = ""
        self._gave = -1
        self._differs = None if got is None or self._check is None else difference(got, self._check.wanted)
        self._begins = tuple(dict.fromkeys((last_passed(run) + 1, 0)))

    def blame(self, unseen: Iterable[Function], makers: Iterable[Function]) -> Blame:
        born = -1
        self._found.update({function: Blamed(function, None, _UNSEEN) for function in unseen})
        if self._raised is None:
            self._blame_fault()
        if self._raised is not None:
            self._blame_raised(self._raised)
        elif self._check is not None:
            born = self._blame_check(self._check)
        self._blame_flow(born)
        for visit in self._run.visits:
            if visit.function.side == "code":
                self._add(visit, _PRESENT if visit.function not in self._found else 0.0)
        self._blame_runs()
        for function in makers:
            self._found.setdefault(function, Blamed(function, None, self._weight_of_maker(function), is_maker=True))
        ranked = sorted(self._found.values(), key=lambda found: -found.weight)
        lines = self._statements(ranked[0]) if ranked else ()
        return Blame(tuple(ranked), self._check, self._differs, self._raised, born, self._piece, lines)

    def _weight_of_maker(self, function: Function) -> float:
        """What it made is more suspect than it, where that is recorded."""
        inner = [
            found.weight - _PRESENT
            for other, found in self._found.items()
            if other.segment == function.segment and other.name.startswith(f"{function.name}.")
        ]
        return min(_MAKER, max(inner, default=_MAKER))

    def _add(self, visit: Visit, weight: float, step: int = -1) -> None:
        found = self._found.setdefault(visit.function, Blamed(visit.function, visit))
        found.visit = found.visit or visit
        if step >= 0 and found.step < 0:
            found.visit, found.step = visit, step
        elif weight >= _GAVE and found.step < 0:
            found.visit = visit
        found.weight += weight
        if step >= 0:
            line = self._run.steps[step].line
            found.lines[line] = found.lines.get(line, 0.0) + weight

    # -- exceptions

    def _blame_fault(self) -> None:
        """Where code under test raised what ended the run, and that is known from the traceback alone."""
        fault = self._run.fault
        if fault is not None and fault.side == "code":
            unseen = [f for f in self._found if fault.is_in(f.segment.file, f.name)]
            function = self._run.named(fault) or next(iter(unseen), None)
            if function is not None:
                self._found.setdefault(function, Blamed(function, None)).weight += _RAISED

    def _blame_raised(self, step: Step) -> None:
        visit = self._run.by_frame[step.frame]
        checked = isinstance(step.node, (ast.Raise, ast.Assert))
        self._add(visit, _CHECKED if checked else _RAISED, step.index)
        makers = list(self._set_up(step))
        for maker in makers:  # it should have set the attribute, perhaps
            self._add(maker, _MADE / len(makers))
        weight = _CHECKED - 0.5 if checked else _CAME_THROUGH
        for inner, outer in zip(visit.chain(), visit.chain()[1:], strict=False):
            if outer.function.side == "code" and outer.function != visit.function:
                self._add(outer, weight, inner.called_in)
                weight /= 2

    def _set_up(self, step: Step) -> Iterator[Visit]:
        """Where an attribute is missing: the visits of `__init__` on objects of that type, one a function."""
        missing = _NO_ATTRIBUTE.search(step.raised.display()) if step.raised is not None else None
        found: dict[Function, Visit] = {}
        for visit in self._run.visits if missing is not None else ():
            owner = next(iter(visit.given.values()), None)
            if missing and visit.function.short == "__init__" and owner is not None and owner.type_name == missing[1]:
                found.setdefault(visit.function, visit)
        yield from found.values()

    # -- wrong values

    def _blame_check(self, check: Check) -> int:
        silent: set[Function] = set()
        born = self._birth()
        if born >= 0:
            self._add(self._run.by_frame[self._run.steps[born].frame], _BORN, born)
        for visit in check.sources[:1]:
            self._descend(visit, _GAVE if born < 0 else _GAVE / 2)
        for visit in self._run.visits if check.errors else ():
            if visit.function not in silent and self._could_raise(visit.function, check.errors):
                silent.add(visit.function)
                self._add(visit, _SILENT)
        # What the test compares is equal, or not, by code of the project.
        compared = {v.function: v for v in reversed(check.sources) if v.function.short in _COMPARING}
        for visit in compared.values():
            self._add(visit, _COMPARED, visit.last)
        return born

    def _could_raise(self, function: Function, errors: frozenset[str]) -> bool:
        """Whether a function of the code under test has a `raise` of one of these."""
        node = self._run.node_of(function) if function.side == "code" else None
        for inner in ast.walk(node) if node is not None else ():
            if isinstance(inner, ast.Raise) and inner.exc is not None:
                raised = inner.exc.func if isinstance(inner.exc, ast.Call) else inner.exc
                if ast.unparse(raised).rpartition(".")[2] in errors:
                    return True
        return False

    def _blame_runs(self) -> None:
        """The more of a function ran, the more in it can be wrong; the more often it ran, the less it is."""
        lines: dict[Function, set[int]] = {}
        for step in self._run.steps:
            visit = self._run.by_frame.get(step.frame)
            if visit is not None and visit.function.side == "code":
                lines.setdefault(visit.function, set()).add(step.line)
        for function, ran in lines.items():
            if function in self._found:
                self._found[function].weight += _SIZE * math.log2(len(ran))
        for function, count in Counter(visit.function for visit in self._run.visits).items():
            if function in self._found:
                spared = _SETS_UP if function.short == "__init__" else 0.0
                self._found[function].weight -= _OFTEN * math.log2(1 + count) + spared

    def _descend(self, visit: Visit, weight: float) -> None:
        """From what the test called to the function that gave the wrong value without having been given it."""
        parts = [] if self._differs is None else [one for one, _ in self._differs.parts if is_telling(one)]
        while True:
            inner = next((v for v in reversed(visit.visits) if _gives(v, parts)), None) or self._handed_on(visit)
            if inner is None or inner.function.side != "code":
                break
            self._add(visit, _PASSED_ON, inner.called_in)
            visit = inner
        if self._ends_without_a_value(visit):
            weight += _NOTHING
        self._add(visit, weight, visit.last)
        self._gave = visit.last

    def _handed_on(self, visit: Visit) -> Visit | None:
        """The visit whose value a visit only handed on: `return f(x)`."""
        step = self._run.steps[visit.last]
        last = visit.visits[-1] if visit.visits else None
        if last is None or not (isinstance(step.node, ast.Return) and isinstance(step.node.value, ast.Call)):
            return None
        same = self._run.steps[last.called_in].node is step.node and last.returned == visit.returned
        return last if same and last.returned is not None else None

    def _ends_without_a_value(self, visit: Visit) -> bool:
        """Whether a visit came to the end of a function that elsewhere returns a value, where one was wanted."""
        wanted = None if self._check is None else self._check.wanted
        node = self._run.node_of(visit.function)
        if visit.returned is None or visit.returned.kind != "None" or node is None or wanted is None:
            return False
        if wanted.kind == "None" or isinstance(self._run.steps[visit.last].node, ast.Return):
            return False
        return any(isinstance(inner, ast.Return) and inner.value is not None for inner in ast.walk(node))

    def _birth(self) -> int:
        """The first step of code under test in which a piece of the wrong value is seen; -1 if all were given."""
        differs = self._differs
        if differs is None:
            return -1
        searches = [_Search(piece, differs.leaf, whole) for piece in differs.wrong for whole in (True, False)]
        if differs.leaf.kind != "str" and is_telling(differs.leaf):
            searches.append(_Search("", differs.leaf))
        born: dict[int, str] = {}
        for search in searches:
            step = self._first_seen(search)
            if step >= 0:
                born.setdefault(step, search.piece)
        for step in sorted(born)[1:]:
            self._add(self._run.by_frame[self._run.steps[step].frame], _BORN_TOO / (len(born) - 1), step)
        first = min(born, default=-1)
        self._piece = born.get(first, "")
        return first

    def _first_seen(self, search: _Search) -> int:
        """Looked for in what ran after the last check that passed; only if it is not seen there, from the start."""
        for begin in self._begins:
            for step in self._run.steps[begin : begin + _SEARCHED]:
                if any(search.holds(value) for value in _values(step)):
                    return self._birthplace(step)
        return -1

    def _birthplace(self, step: Step) -> int:
        """The step that a value comes from which is seen here first; -1 where it comes from elsewhere."""
        visit = self._run.by_frame.get(step.frame)
        if visit is None or visit.function.side != "code":
            return -1
        if step.kind != "call":
            return step.index
        return -1 if visit.is_outermost else visit.called_in

    # -- what flowed into it

    def _blame_flow(self, born: int) -> None:
        """The functions whose values and decisions the wrong value, or the exception, comes from."""
        raised = -1 if self._raised is None else self._raised.index
        starts = {self._gave: _LESS if born >= 0 else 1.0, born: 1.0, raised: 1.0}
        suspicion = _suspicion(Slices(self._run.trace), {at: part for at, part in starts.items() if at >= 0})
        best: dict[Function, tuple[float, int]] = {}
        for step in self._run.steps:
            visit = self._run.by_frame.get(step.frame)
            if visit is not None and visit.function.side == "code" and suspicion[step.index] > 0:
                known = best.get(visit.function, (0.0, -1))
                best[visit.function] = max(known, (suspicion[step.index], step.index))
        for weight, index in best.values():
            self._add(self._run.by_frame[self._run.steps[index].frame], _FLOW * weight, index)

    def _statements(self, first: Blamed) -> tuple[int, ...]:
        """The most suspect statements of a function."""
        check, trace = self._check, self._run.trace
        node = self._run.node_of(first.function)
        if node is None or first.visit is None:
            return ()
        known = check is not None and check.got is not None
        outcome = Outcome("returned", check.got) if known and check is not None else trace.outcome
        wanted = MISSING if check is None or check.wanted is None else check.wanted
        ranked = suspects(trace, trace.source, expected=wanted, outcome=outcome)
        return tuple(found.line for found in ranked if node.lineno < found.line <= (node.end_lineno or 0))[:_LINES]


def _suspicion(slices: Slices, starts: dict[int, float]) -> list[float]:
    """For each step how much of what it did is in what the starting ones did, from 0 to 1."""
    found = [0.0] * len(slices.steps)
    for start, part in starts.items():
        found[start] = part
    for at in range(len(found) - 1, -1, -1):
        for before, part in slices.depends[at].items() if found[at] else ():
            found[before] = max(found[before], found[at] * part)
    return found


def _raised_in_code(run: Run) -> Step | None:
    """The step of code under test in which the exception came up that ended the run; None if it was in a test."""
    step = run.origin
    return step if step is not None and run.side(step) == "code" else None


def _gives(visit: Visit, parts: Iterable[Value]) -> bool:
    """Whether a visit gave one of the parts, without having been given it."""
    return any(part in visit.gave and part not in visit.given.values() for part in parts)


def _values(step: Step) -> Iterator[Value]:
    for part in step.parts:
        if part.value is not None:
            yield part.value
    for change in step.changes:
        if change.new is not None and change.scope == "local":
            yield change.new
    if step.returned is not None:
        yield step.returned


class _Search:
    """Looks for a piece of text (`whole`: all of a text), or a value, in values.

    A node that was looked through is not looked through again.
    """

    def __init__(self, piece: str, leaf: Value, whole: bool = False) -> None:
        self._whole = whole
        self.piece = piece
        self._leaf = leaf
        self._known: dict[int, bool] = {}

    def holds(self, value: Value) -> bool:
        if value.place is None:
            return self._is(value)
        known = self._known.get(value.place)
        if known is None:
            self._known[value.place] = False  # where it holds itself
            same = value.place == self._leaf.place or (value.base == "opaque" and self._is(value))
            found = same or any(map(self.holds, value.children()))
            known = self._known[value.place] = found
        return known

    def _is(self, value: Value) -> bool:
        if self.piece:
            return value.kind == "str" and (self.piece == value.ref if self._whole else self.piece in str(value.ref))
        if self._leaf.base == "opaque":
            return value.base == "opaque" and value == self._leaf
        return self._leaf.place is None and value == self._leaf

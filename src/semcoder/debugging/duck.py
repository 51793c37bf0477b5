"""The rubber duck: what the code under a failing test really did, in a few lines.

The first three lines are for a person in a hurry: the function to look at first (module, name, place, the line that
speaks against it), what the test got and what it wanted, and which functions come next. After them comes what happened
in the first one, in the sentences of the forward style: the values that it was given, the path it took, what it gave.

Guarantees: every value, line and order told is that of the recording; values are shortened and the cut is marked; a
short telling has at most `LINES` lines, each one line of text. Which function comes first is a judgement
(`semcoder.debugging.blame`), not a proof.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from semcoder.core import Value
from semcoder.debugging.blame import Blame, Blamed, blame
from semcoder.debugging.visits import Function, Run, Visit
from semcoder.debugging.wanted import Check
from semcoder.monologue.narrate import facts_of
from semcoder.monologue.sentences import Fact, span, write_sentence
from semcoder.monologue.story import Moment, Story
from semcoder.tracing import Trace

#: Lines of a short telling; characters of a value in it, and in a full one; functions named beside the first.
LINES, SHORT, LONG, OTHERS = 10, 60, 400, 3
_CHANGES = ("changes", "global_changes")
#: Characters of one line of a short telling.
WIDTH = 240


@dataclass(frozen=True, slots=True)
class Suspected:
    """A function that may be to blame: `name` in its `module`, the line of its `def`, the line that speaks against it
    (0: none does), in `file` (all of its path: `path`)."""

    name: str
    module: str
    file: str
    path: str
    defined: int
    line: int


@dataclass(frozen=True, slots=True)
class Telling:
    """`head`: up to three lines; `path`: the steps that matter most; `steps`: all of them. `got` and `wanted`: texts of
    the check's values ("" where unknown). `blame`: what the lines were made from."""

    head: tuple[str, ...]
    path: tuple[str, ...]
    steps: tuple[str, ...]
    suspected: tuple[Suspected, ...]
    blame: Blame
    got: str = ""
    wanted: str = ""

    def lines(self, *, full: bool = False) -> list[str]:
        return [*self.head, *(self.steps if full else self.path)]


def tell(
    run: Run,
    *,
    error: str,
    check: Check | None = None,
    unseen: Iterable[Function] = (),
    makers: Iterable[Function] = (),
    full: bool = False,
    notes: Sequence[str] = (),
) -> Telling:
    """What there is to say of a run that failed.

    `error`: the exception that ended it; `check`: what it got and wanted, where no test of the recording tells that;
    `unseen`: functions that are not recorded for being too long; `makers`: those that made what ran, before it did;
    `notes`: sentences that must be among the lines. Only with `full` are all steps told.
    """
    return _Duck(run, blame(run, check=check, unseen=unseen, makers=makers), error).tell(full, notes)


class _Story(Story):
    """The same, faster with texts of expressions: the lines of a large text are split once."""

    def __init__(self, trace: Trace) -> None:
        self._lines = [line.encode() for line in re.split(r"\r\n|\r|\n", trace.source)]
        super().__init__(trace)

    def text(self, node: ast.AST) -> str:
        if isinstance(node, ast.expr) and node.lineno == node.end_lineno:
            line = self._lines[node.lineno - 1]
            if b"\f" not in line:
                return line[node.col_offset : node.end_col_offset].decode()
        return " ".join(ast.unparse(node).split("\n"))


class _Duck:
    def __init__(self, run: Run, found: Blame, error: str) -> None:
        self._run = run
        self._blame = found
        self._error = shortened(error, 2 * SHORT)
        self._story = _Story(run.trace)

    def tell(self, full: bool, notes: Sequence[str]) -> Telling:
        ranked = self._blame.functions
        check = self._blame.check
        head = [self._first(ranked[0]) if ranked else self._nobody()]
        head.append(self._failed(check))
        if len(ranked) > 1:
            head.append(self._next(ranked[1 : 1 + OTHERS]))
        head += notes
        room = LINES - len(head)
        seen = next((found for found in ranked if found.visit is not None), None)
        path = self._path(seen, seen.visit, room) if seen is not None and seen.visit is not None else []
        suspected = tuple(self._suspected(found) for found in ranked)
        steps = tuple(self._all_steps()) if full else ()
        got, wanted = ("", "") if check is None else (_text(check.got), _text(check.wanted))
        lines = tuple(_cut(line) for line in head)
        return Telling(lines, tuple(map(_cut, path)), steps, suspected, self._blame, got, wanted)

    # -- the first lines

    def _nobody(self) -> str:
        return "No function of the project ran, as far as it was recorded: look at the test itself."

    def _first(self, found: Blamed) -> str:
        function, lines = found.function, self._blame.statements
        told = self._blame.born == found.step or self._blame.raised is not None
        above = f"; look above all at line {self._run.layout.line(lines[0])}" if lines and not told else ""
        return f"Look at {span(function.dotted)} first ({_place(function)}): {self._charge(found)}{above}."

    def _charge(self, found: Blamed) -> str:
        """What speaks against a function, in words."""
        visit, run = found.visit, self._run
        if found.is_maker:
            return "it made, before the test began, a function that runs in it"
        if visit is None:
            fault = run.fault
            raises = fault is not None and fault.side == "code" and run.named(fault) == found.function
            return f"it raises {span(self._error)}" if raises else "the run is in it for too long to be recorded"
        line = f"in line {run.line(run.steps[found.step])}" if found.step >= 0 else ""
        raised = self._blame.raised
        if raised is not None and raised.frame == visit.frame:
            return f"{line} it raises {span(self._error)}"
        if self._blame.born == found.step >= 0:
            piece, got = self._born_piece(), self._blame.check and self._blame.check.got
            part = "the wrong value" if got and piece == _text(got) else "a piece of the wrong value"
            return f"{line} {span(piece)}, {part}, is seen for the first time"
        if raised is not None and visit.raised is not None:
            return f"{line} it calls what raises {span(self._error)}"
        if visit.returned is not None:
            return f"it returns {span(shortened(visit.returned.display(), SHORT))}"
        if visit.gave:
            return f"it yields {span(shortened(visit.gave[-1].display(), SHORT))} at last"
        return f"{line} it runs last".strip()

    def _born_piece(self) -> str:
        differs = self._blame.differs
        assert differs is not None
        return shortened(repr(self._blame.piece) if self._blame.piece else differs.leaf.display(), SHORT)

    def _failed(self, check: Check | None) -> str:
        """What the test got and wanted."""
        if check is None:
            caller = self._top_call()
            return f"It fails with {span(self._error)}{caller}."
        got, wanted = _text(check.got), _text(check.wanted)
        values = f"it got {span(got)}" if got else f"it fails with {span(self._error)}"
        values += f" and wanted {span(wanted)}" if wanted else ""
        said = span(shortened(check.text, 2 * SHORT))
        if not got and not wanted:
            return f"The test fails at {said} ({check.place}) with {span(self._error)}."
        opening = f"The test wants {said} ({check.place})" if check.place else f"The call is {said}"
        return f"{opening}: {values}{self._where()}."

    def _where(self) -> str:
        """The place in two long values at which they part."""
        differs = self._blame.differs
        if differs is None:
            return ""
        one, two = differs.parts[-1]
        if one.kind == "str" and two is not None and two.kind == "str":
            pieces = _around(str(one.ref), str(two.ref))
            if any(pieces):
                return f"; the first difference is {span(pieces[0])} instead of {span(pieces[1])}"
        if len(differs.parts) < 2:
            return ""
        instead = f" instead of {span(_text(two))}" if two is not None else ", which is not wanted"
        return f"; the first difference is {span(_text(one))}{instead}"

    def _top_call(self) -> str:
        raised = self._blame.raised
        visit = None if raised is None else self._run.by_frame.get(raised.frame)
        code = [] if visit is None else [v for v in visit.chain() if v.function.side == "code"]
        if not code:
            return ""
        return f"; it called {span(_call(code[-1]))}"

    def _next(self, found: Sequence[Blamed]) -> str:
        named = [f"{span(other.function.dotted)} ({_place(other.function)})" for other in found]
        return f"If it is not there: {', '.join(named[:-1])}{' or ' if len(named) > 1 else ''}{named[-1]}."

    def _suspected(self, found: Blamed) -> Suspected:
        function = found.function
        line = self._run.line(self._run.steps[found.step]) if found.step >= 0 else 0
        if found is self._blame.functions[0] and self._blame.statements and self._blame.raised is None:
            line = self._run.layout.line(self._blame.statements[0]) if found.step != self._blame.born else line
        home = function.segment
        return Suspected(function.name, home.module, home.file, home.path, function.line, line)

    # -- the path

    def _path(self, found: Blamed, visit: Visit, room: int) -> list[str]:
        """The steps of a visit that matter most, in order, with how the test came to it."""
        code = [v for v in reversed(visit.chain()) if v.function.side == "code"]
        way = [f"The way there: {' calls '.join(span(_call(v)) for v in code[-3:])}."] if len(code) > 1 else []
        moments = [m for m in self._story.moments[visit.first : visit.last + 1] if m.step.frame == visit.frame]
        told = [(m, facts) for m in moments if (facts := facts_of(self._story, m, "line"))]
        final: dict[tuple[int, str], int] = {(m.step.line, m.step.kind): m.step.index for m, _ in told}
        weights = {m.step.index: self._weight(m, found, visit, final) for m, _ in told}
        told.sort(key=lambda pair: -weights[pair[0].step.index])
        kept = sorted(told[: max(0, room - len(way))], key=lambda pair: pair[0].step.index)
        return way + [self._sentence(moment, facts, SHORT) for moment, facts in kept]

    def _weight(self, moment: Moment, found: Blamed, visit: Visit, final: dict[tuple[int, str], int]) -> float:
        """How much a step of the first function matters to a reader: the last of a loop's more than those before."""
        step = moment.step
        weight = 0.5 * (step.index - visit.first) / (visit.last - visit.first + 1)
        if step.index == visit.first:
            weight += 8
        if step.index == found.step or moment.raised is not None:
            weight += 9
        if step.returned is not None or step.index == visit.last:
            weight += 7
        weight += 6 if step.line in self._blame.statements and final[step.line, step.kind] == step.index else 0
        weight += min(3.0, found.lines.get(step.line, 0.0)) + (1 if step.changes else 0)
        weight += 5 if final[step.line, step.kind] == step.index else 0
        return weight + (0.5 if step.truth is not None else 0)

    def _sentence(self, moment: Moment, facts: Iterable[Fact], limit: int) -> str:
        # An object whose change its own text does not show (it is deep in a cycle, say) is no news to a reader.
        shown = [f for f in facts if f.kind not in _CHANGES or f.slots[1] != f.slots[2]]
        short = [_short_fact(fact, limit) for fact in shown]
        return write_sentence(self._run.line(moment.step), short, goes_on=moment.step.kind == "resume")

    def _all_steps(self) -> Iterable[str]:
        """All steps of code under test, under the names of the functions."""
        current: Visit | None = None
        for moment in self._story.moments:
            visit = self._run.by_frame.get(moment.step.frame)
            if visit is None or visit.function.side != "code":
                continue
            facts = facts_of(self._story, moment, "line")
            if not facts:
                continue
            if visit is not current:
                yield f"In {span(visit.function.dotted)} ({_place(visit.function)}):"
                current = visit
            yield f"  {self._sentence(moment, facts, LONG)}"


def _short_fact(fact: Fact, limit: int) -> Fact:
    """A fact with short values, each argument of a call once; of a change the part that changed."""
    slots = [shortened(slot, limit) for slot in fact.slots]
    if fact.kind == "called":
        given = dict(zip(slots[1::2], slots[2::2], strict=True))
        slots = [slots[0], *[text for pair in given.items() for text in pair]]
    elif fact.kind in _CHANGES and slots[1] == slots[2] != fact.slots[1]:
        at = _parting(fact.slots[1], fact.slots[2])
        start = max(0, at - limit // 3)
        slots[1:] = [f"... {shortened(slot[start : start + limit], limit)} ..." for slot in fact.slots[1:]]
    return Fact(fact.kind, tuple(slots))


def _parting(one: str, two: str) -> int:
    """The place at which two texts part."""
    pairs = enumerate(zip(one, two, strict=False))
    return next((k for k, (a, b) in pairs if a != b), min(len(one), len(two)))


def _place(function: Function) -> str:
    return f"{function.segment.file}:{function.line}"


def _call(visit: Visit) -> str:
    """A visit as a call: `f(x=1, y=[2])`."""
    given = ", ".join(f"{name}={shortened(value.display(), SHORT // 2)}" for name, value in visit.given.items())
    return f"{visit.function.short}({shortened(given, 2 * SHORT)})"


def _text(value: Value | None) -> str:
    return "" if value is None else shortened(value.display(), SHORT)


def _around(one: str, two: str) -> tuple[str, str]:
    """Of two long texts the lines, or the stretches, with their first difference; nothing of short ones."""
    if max(len(one), len(two)) <= SHORT:
        return "", ""
    at = _parting(one, two)
    start = max(one.rfind("\n", 0, at) + 1, at - SHORT // 2)
    return tuple(repr(text[start:].partition("\n")[0][:SHORT]) for text in (one, two))  # type: ignore[return-value]


def shortened(text: str, limit: int) -> str:
    """Text of one line, cut in the middle where it is long."""
    text = " ".join(text.split("\n"))
    if len(text) <= limit:
        return text
    head = limit * 2 // 3
    return f"{text[:head]} ... {text[-(limit - head - 5) :]}"


def _cut(line: str) -> str:
    return line if len(line) <= WIDTH else f"{line[: WIDTH - 4]} ..."

"""Checking texts made of entries: every row that such a text states, judged against an execution.

The text is read back row by row; each row is laid on the step that it speaks of, and each of its entries and states
is looked up there (`Moment`, `History`), which shares no code with what wrote the row but the spelling of values.

Guarantees: an entry is True only if that step did it; a row that leaves out what its step did, a step left out, a row
out of order or at a wrong depth, and a text without its ending are False. A row that
cannot be read has the verdict None.
Inside one step the order of entries is not checked; nor, at `expression` detail, which evaluation a value belongs to.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

from semcoder.core import Claim, Value
from semcoder.monologue._entries import Entry, Teller, closing, is_cut, opening, written
from semcoder.monologue.story import Moment

#: How many steps ahead the step of a row is looked for.
_WINDOW = 400


@dataclass(frozen=True, slots=True)
class Stated:
    """What one row of a text says.

    `line` 0: it names none. `state` None: it gives no whole state, so its entries must tell every change. `entries`
    None: it cannot be read. `place`: the step that it must be; None: the next that fits. `depth`: calls below, and
    `source`: the line as shown, where the row says so.
    """

    text: str
    start: int
    entries: tuple[Entry, ...] | None
    line: int = 0
    goes_on: bool = False
    state: tuple[Entry, ...] | None = None
    place: int | None = None
    depth: int | None = None
    source: str | None = None


class Checker:
    """One execution, and the steps (by index) that a text of the style must tell."""

    def __init__(self, teller: Teller, needed: Collection[int]) -> None:
        self._source = teller.source
        self._story = story = teller.story
        self._needed = needed
        self._names: dict[int, dict[str, None]] = {}
        for moment in story.moments:
            known = self._names.setdefault(moment.step.frame, {})
            known.update((change.name, None) for change in moment.step.changes if change.scope == "local")

    def claims(self, text: str, rows: Iterable[Stated]) -> Iterator[Claim]:
        """All claims of a text, in its order: opening, rows, ending."""
        trace = self._story.trace
        yield first_row(text, opening(trace))
        at = 0
        for row in rows:
            place = row.place if row.place is not None else self._place(row, at)
            if row.entries is None or place is None or place >= len(self._story.moments):
                actual = "this cannot be read" if row.entries is None else "the execution has no such step here"
                yield _claim(row, row.text, "unread", None, actual)
                continue
            moment = self._story.moments[place]
            yield self._order(row, moment, at)
            yield from self._judged(row, moment)
            at = place + 1
        yield from self._missing(text, at)
        yield last_row(text, closing(trace))

    def _place(self, row: Stated, at: int) -> int | None:
        """The next step at which all of a row holds, else the next at which it could stand."""
        first = None
        for place in range(at, min(at + _WINDOW, len(self._story.moments))):
            moment = self._story.moments[place]
            if row.line and (moment.step.line != row.line or row.goes_on != (moment.step.kind == "resume")):
                continue
            if first is None:
                first = place
            if place in self._needed and all(claim.verdict for claim in self._judged(row, moment)):
                return place
        return first

    def _order(self, row: Stated, moment: Moment, at: int) -> Claim:
        skipped = next((p for p in range(at, moment.step.index) if p in self._needed), None)
        is_right = skipped is None and moment.step.index >= at and row.line in (0, moment.step.line)
        is_right = is_right and row.depth in (None, moment.step.depth)
        following = self._story.moments[skipped if skipped is not None else moment.step.index].step
        told = f"line {row.line} runs next" if row.line else "this happens next"
        return _claim(row, told, "order", is_right, f"line {following.line} runs next, at depth {following.depth}")

    def _missing(self, text: str, at: int) -> Iterator[Claim]:
        left = [p for p in range(at, len(self._story.moments)) if p in self._needed]
        if left:
            line = self._story.moments[left[0]].step.line
            actual = f"line {line} runs next and is not told ({len(left)} steps are missing at the end)"
            yield Claim("the text tells every step", "complete", False, actual, len(text), len(text), line)

    def _judged(self, row: Stated, moment: Moment) -> Iterator[Claim]:
        for entry in row.entries or ():
            truth = list(self._truths(entry, moment))
            said, actual = f"{entry.name} {entry.text}".strip(), truth[-1] if truth else "it does not happen here"
            yield _claim(row, said, entry.kind, entry.text in truth, actual)
        told = [entry.name if entry.kind in ("set", "del") else entry.kind for entry in row.entries or ()]
        left_out = [what for what in _happened(moment, row) if what not in told]
        if left_out:
            yield _claim(row, "nothing else happens here", "complete", False, f"not told: {', '.join(left_out)}")
        told = [what for what in told if what != "value"] + [f"state {entry.name}" for entry in row.state or ()]
        twice = sorted({what for what in told if told.count(what) > 1})
        if twice:
            yield _claim(row, "each is told once", "complete", False, f"told twice: {', '.join(twice)}")
        if row.source is not None:
            source = self._source(moment.step.line)
            yield _claim(row, f"the line is {row.source}", "source", row.source == source, source)
        if row.state is not None:
            yield from self._state(row, row.state, moment)

    def _truths(self, entry: Entry, moment: Moment) -> Iterator[str]:
        """What an entry of this kind and name may say at a step."""
        step = moment.step
        if entry.kind in ("set", "del"):
            for change in step.changes:
                if _name(change.name, change.scope) == entry.name and (change.new is None) == (entry.kind == "del"):
                    yield "" if change.new is None else written(change.new)
        elif entry.kind == "call":
            yield from [""] if step.kind == "call" and step.function == entry.name else []
        elif entry.kind == "print":
            yield repr("".join(part.text for part in step.parts if part.kind == "o"))
        elif entry.kind == "value":
            for part in step.parts:
                if part.kind == "e" and part.node and part.value and self._story.text(part.node) == entry.name:
                    yield written(part.value)
        else:
            yield from map(written, _ends(entry.kind, moment))

    def _state(self, row: Stated, state: Sequence[Entry], moment: Moment) -> Iterator[Claim]:
        """The variables after a step: each that is told, and that no bound one is left out."""
        step = moment.step
        for entry in state:
            name = entry.name.removeprefix("global ")
            value = _global_after(moment, name) if name != entry.name else self._local_after(moment, name)
            actual = "it is not bound" if value is None else written(value)
            yield _claim(row, f"{entry.name}={entry.text}", "state", actual == entry.text, actual)
        told = {entry.name for entry in state}
        left = [n for n in self._names[step.frame] if n not in told and self._local_after(moment, n) is not None]
        if left:
            yield _claim(row, "no other variable is bound", "complete", False, f"also bound: {', '.join(left)}")

    def _local_after(self, moment: Moment, name: str) -> Value | None:
        return moment.history.before(moment.step.frame, name, moment.step.index + 1)


def _global_after(moment: Moment, name: str) -> Value | None:
    for change in reversed(moment.step.changes):
        if change.name == name and change.scope == "global":
            return change.new
    return moment.global_before(name)


def _happened(moment: Moment, row: Stated) -> Iterator[str]:
    """What a row of this step must tell: variables unless it gives their state, and kinds of entries.

    Calls are told by rows that come in order; a row that knows its place stands at the function's own line.
    """
    step = moment.step
    if row.state is None:
        yield from (_name(change.name, change.scope) for change in step.changes)
    if step.kind == "call" and step.line and row.place is None:
        yield "call"
    if any(part.kind == "o" and part.text for part in step.parts):
        yield "print"
    for kind in ("catch", "raise", "return"):
        if _ends(kind, moment):
            yield kind
    if any(part.kind == "y" for part in step.parts):
        yield from {"await" if isinstance(p.node, ast.Await) else "yield" for p in step.parts if p.kind == "y"}


def _ends(kind: str, moment: Moment) -> list[Value]:
    """What a step gave up, caught, raised or returned."""
    if kind in ("yield", "await"):
        return [part.value for part in moment.step.parts if part.kind == "y" and part.value is not None]
    found = {"catch": moment.step.caught, "raise": moment.raised, "return": moment.gives}[kind]
    return [] if found is None else [found]


def _name(name: str, scope: str) -> str:
    return f"global {name}" if scope == "global" else name


def _claim(row: Stated, told: str, kind: str, verdict: bool | None, actual: str) -> Claim:
    return Claim(told, kind, verdict, "" if verdict else actual, row.start, row.start + len(row.text), row.line)


def rows_of(text: str) -> Iterator[tuple[int, str]]:
    """The rows of a text between its opening and its ending, each with the offset at which it begins."""
    rows = text.split("\n")
    offset = len(rows[0]) + 1
    for k, row in enumerate(rows[1:-1], 1):
        if not (k == len(rows) - 2 and is_cut(row)):
            yield offset, row
        offset += len(row) + 1


def depth_of(row: str) -> int:
    """The depth that a row's indentation tells; -1 for one that none has."""
    margin = len(row) - len(row.lstrip(" "))
    return -1 if margin % 2 else margin // 2


def first_row(text: str, truth: str) -> Claim:
    """The claim of the row that opens a text."""
    row = text.split("\n", 1)[0]
    return Claim(row, "call", row == truth, "" if row == truth else truth, 0, len(row))


def last_row(text: str, truth: str) -> Claim:
    """The claim of what ends a text."""
    is_right = text == truth or text.endswith("\n" + truth)
    row = truth if is_right else text[text.rfind("\n") + 1 :]
    return Claim(row, "outcome", is_right, "" if is_right else truth, len(text) - len(row), len(text))

"""The scratchpad style: each executed line, what happened at it, and the whole local state after it.

    line 6: result.append(n * n)
    state: numbers=[1, 2]; result=[4]; n=2

What else happened (a call, a return, an exception, printed text) stands between, each in an `event:` row. Rows are
indented by call depth; `line 6 goes on:` is the rest of a statement after a call that it made. Globals that the
function names stand in the state too, as `global n=1`. Values are never cut: a large value is repeated in every state.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from semcoder.core import Claim, Detail, Direction, Monologue, Value
from semcoder.monologue._check import Checker, Stated, depth_of, rows_of
from semcoder.monologue._entries import (
    Entry,
    Row,
    Teller,
    closing,
    cut,
    opening,
    parse_answer,
    read_entries,
    write_entries,
)
from semcoder.monologue.forward import answer_of
from semcoder.tracing import Step, Trace

_LINE = re.compile(r" *line(?: (\d{1,9}))?( goes on)?:(?: (.*))?")
_PART = re.compile(r" *(event|state):(?: (.*))?")


class Scratchpad:
    """The executed lines with the whole state after each, in order."""

    name = "scratchpad"
    direction: Direction = "forward"
    labels = True

    def render(self, trace: Trace, *, detail: Detail = "line", labels: bool = True) -> Monologue:
        """The text of a trace. At `expression` detail each sub-expression's value is an `event:` row, too.

        Without labels `line 6:` is `line:`.
        """
        teller = Teller(trace)
        variables = _Variables(teller)
        body = [text for row in teller.rows(detail) for text in _written(row, variables.after(row), labels)]
        text = "\n".join([opening(trace), *body, *cut(trace), closing(trace)])
        return Monologue("forward", self.name, text, answer_of(trace))

    def parse(self, text: str) -> str | None:
        """The answer that a text of this style gives; None if it gives none."""
        return parse_answer(text)

    def claims(self, text: str, trace: Trace, *, detail: Detail = "line", labels: bool = True) -> list[Claim]:
        """Every event and every state, judged against an execution."""
        teller = Teller(trace)
        needed = {row.moment.step.index for row in teller.rows(detail)}
        return list(Checker(teller, needed).claims(text, _read(text)))


class _Variables:
    """The variables of every frame, as rows are told in order."""

    def __init__(self, teller: Teller) -> None:
        self._teller = teller
        self._moments = iter(teller.story.moments)
        self._locals: dict[int, dict[str, Value]] = {}
        self._globals: dict[int, dict[str, None]] = {}
        self._module: dict[str, Value] = {}

    def after(self, row: Row) -> list[Entry]:
        """The state of the row's frame after its step; rows must come in order."""
        step = row.moment.step
        for moment in self._moments:
            self._apply(moment.step)
            if moment.step.index == step.index:
                break
        named = self._globals.get(step.frame, {})
        found = [(name, value) for name, value in self._locals.get(step.frame, {}).items()]
        found += [(f"global {name}", self._module[name]) for name in named if name in self._module]
        return [Entry("set", name, self._teller.text(value)) for name, value in found]

    def _apply(self, step: Step) -> None:
        for change in step.changes:
            space = self._module if change.scope == "global" else self._locals.setdefault(step.frame, {})
            if change.scope == "global":
                self._globals.setdefault(step.frame, {})[change.name] = None
            if change.new is None:
                space.pop(change.name, None)
            else:
                space[change.name] = change.new


def _written(row: Row, state: Sequence[Entry], labels: bool) -> Iterator[str]:
    label = f"line {row.line}" if labels else "line"
    yield f"{row.indent}{label}{' goes on' if row.goes_on else ''}: {row.source}".rstrip()
    for entry in row.entries:
        if entry.kind not in ("set", "del"):
            yield f"{row.indent}event: {write_entries([entry])}"
    yield f"{row.indent}state: {write_entries(state)}".rstrip()


def _read(text: str) -> Iterator[Stated]:
    """The rows of a text, gathered: a line's with the events and the state that follow it."""
    group: list[tuple[int, str]] = []
    for start, row in rows_of(text):
        if _LINE.fullmatch(row) and group:
            yield _stated(group)
            group = []
        group.append((start, row))
    if group:
        yield _stated(group)


def _stated(group: list[tuple[int, str]]) -> Stated:
    start, head = group[0]
    whole = "\n".join(row for _, row in group)
    match = _LINE.fullmatch(head)
    parts = [_PART.fullmatch(row) for _, row in group[1:]]
    state: list[Entry] = []
    events: list[Entry] = []
    try:
        for part in parts:
            if part is not None:
                (events if part[1] == "event" else state).extend(read_entries(part[2] or ""))
        is_readable = match is not None and None not in parts and len({depth_of(row) for _, row in group}) == 1
    except ValueError:
        is_readable = False
    if match is None or not is_readable:
        return Stated(whole, start, None)
    return Stated(
        whole,
        start,
        tuple(events),
        int(match[1] or 0),
        match[2] is not None,
        state=tuple(state),
        depth=depth_of(head),
        source=match[3] or "",
    )

"""The steps style, for people in a terminal: one row per step, with what happened in it.

    4  for n in numbers:         iteration 2; n: 1 -> 2
    5  if n % 2 == 0:            True

Guarantees: every step that shows something becomes a row, in order; a step that only waits for a call to come back has
none. A changed value stands with its old one (`n: 1 -> 2`), a new variable without (`n = 1`). Values, printed text and
source lines are shortened here, for reading only, the cut marked by `...`; the ending has the answer whole.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from difflib import SequenceMatcher
from typing import Any

from semcoder.core import Claim, Detail, Direction, Monologue, Value
from semcoder.monologue._entries import cut, one_line, source_lines
from semcoder.monologue.forward import answer_of
from semcoder.monologue.story import Story
from semcoder.tracing import Change, Step, Trace

#: Characters of a value, and of a source line, that are shown.
VALUE_WIDTH = 60
SOURCE_WIDTH = 56
_ENDING = re.compile(r"^the (?:call|program) (?:returned|raised|printed|ended:) (.*)\Z", re.MULTILINE | re.DOTALL)

#: A piece of a row and what it is: `line`, `source`, `` (between pieces) or an event's kind.
Piece = tuple[str, str]


class Steps:
    """A table of steps, then how the call ended."""

    name = "steps"
    direction: Direction = "forward"
    labels = True

    def render(self, trace: Trace, *, detail: Detail = "line", labels: bool = True) -> Monologue:
        """The table of a trace; at `expression` detail with sub-expressions, without labels without line numbers."""
        table = ["".join(text for text, _ in row).rstrip() for row in pieces(list(rows(trace, detail)), labels)]
        text = "\n".join([*table, *cut(trace), _ending(trace)])
        return Monologue("forward", self.name, text, answer_of(trace))

    def parse(self, text: str) -> str | None:
        """The answer that a text of this style gives; None if it gives none."""
        match = _ENDING.search(text)
        return None if match is None else match[1]

    def claims(self, text: str, trace: Trace, *, detail: Detail = "line", labels: bool = True) -> list[Claim]:
        """Every row, compared with the rows of an execution: what is cut in it is not known to the text."""
        return list(_compared(text, self.render(trace, detail=detail, labels=labels).text))


def _ending(trace: Trace) -> str:
    if trace.outcome.status == "returned":
        return f"the {'program printed' if trace.invocation.kind == 'stdin' else 'call returned'} {answer_of(trace)}"
    word = "raised" if trace.outcome.exception is not None else "ended:"
    return f"the {'program' if trace.invocation.kind == 'stdin' else 'call'} {word} {answer_of(trace)}"


def _compared(text: str, truth: str) -> Iterator[Claim]:
    said, true = text.split("\n"), truth.split("\n")
    starts = [0]
    for row in said:
        starts.append(starts[-1] + len(row) + 1)
    same = [("equal", 0, len(said), 0, len(true))] if said == true else []
    for tag, a, b, c, d in same or SequenceMatcher(None, said, true, autojunk=False).get_opcodes():
        for k in range(a, b):
            actual = "" if tag == "equal" else true[c + k - a].strip() if c + k - a < d else "this does not happen here"
            yield Claim(said[k].strip(), "row", not actual, actual, starts[k], starts[k] + len(said[k]))
        if d - c > b - a:
            actual = true[c + b - a].strip()
            yield Claim("every step is told", "complete", False, actual, starts[b] - 1, starts[b] - 1)


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that a step did; `kind` is one of call, change, branch, iteration, value, yield, prints, return,
    raise, catch."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Row:
    """One step: its number in the trace, where it is (`line` from 1, `depth` from 0), its source line, what it did."""

    step: int
    kind: str
    line: int
    depth: int
    function: str
    source: str
    events: tuple[Event, ...]

    def document(self) -> dict[str, Any]:
        return asdict(self)


def rows(trace: Trace, detail: Detail = "line") -> Iterator[Row]:
    """The rows of a trace, in the order of execution."""
    lines = source_lines(trace.source)
    text = Story(trace).text if detail == "expression" else None
    for step in trace.steps:
        events = tuple(_events(step, text))
        if (step.kind == "resume" or not step.line) and not events:
            continue
        source = lines[step.line - 1].strip() if 0 < step.line <= len(lines) else ""
        yield Row(step.index, step.kind, step.line, step.depth, step.function, one_line(source), events)


def _events(step: Step, text: Callable[[ast.AST], str] | None) -> Iterator[Event]:
    if step.kind == "call" and step.line:
        arguments = ", ".join(f"{change.name}={_short(change.new)}" for change in step.changes)
        yield Event("call", f"call {step.function}({arguments})")
    else:
        yield from _opening(step)
        yield from _parts(step) if text is None else _expressions(step, text)
        yield from _branch(step)
        yield from (Event("change", _change(change)) for change in step.changes)
    if step.raised is not None:
        yield Event("raise", f"raises {_short(step.raised)}")
    if step.returned is not None:
        yield Event("return", f"returns {_short(step.returned)}")


def _opening(step: Step) -> Iterator[Event]:
    if step.kind == "iteration":
        yield Event("iteration", f"iteration {step.count}")
    elif step.kind == "exhausted":
        yield Event("iteration", f"no more items after {_count(step.count, 'iteration')}")
    elif step.kind == "draw":
        yield Event("iteration", f"turns to item {step.count}")
    elif step.kind == "catch" and step.caught is not None:
        yield Event("catch", f"catches {_short(step.caught)}")


def _branch(step: Step) -> Iterator[Event]:
    """The way that the step's condition went."""
    truth = step.truth
    if step.kind == "test" or isinstance(step.node, ast.While):
        going = (
            f"iteration {step.count} begins" if truth else f"the loop ends after {_count(step.count - 1, 'iteration')}"
        )
        if truth is not None:
            yield Event("branch", f"{truth}: {going}")
    elif truth is not None:
        yield Event("branch", str(truth))


def _parts(step: Step) -> Iterator[Event]:
    printed = "".join(part.text for part in step.parts if part.kind == "o")
    if printed:
        yield Event("prints", f"prints {_clip(repr(printed), VALUE_WIDTH)}")
    for part in step.parts:
        if part.kind == "y" and part.value is not None:
            yield Event("yield", f"yields {_short(part.value)}")
    if (
        isinstance(step.node, ast.Expr)
        and not printed
        and not step.changes
        and not isinstance(step.node.value, _YIELDS)
    ):
        value = step.value_of(step.node.value)
        if value is not None and value.kind != "None":
            yield Event("value", f"gives {_short(value)}")


def _expressions(step: Step, text: Callable[[ast.AST], str]) -> Iterator[Event]:
    for part in step.parts:
        if part.kind == "e" and part.node is not None:
            yield Event("value", f"{_clip(one_line(text(part.node)), VALUE_WIDTH)} is {_short(part.value)}")
        elif part.kind == "o" and part.text:
            yield Event("prints", f"prints {_clip(repr(part.text), VALUE_WIDTH)}")
        elif part.kind == "y":
            yield Event("yield", f"yields {_short(part.value)}")


_YIELDS = (ast.Yield, ast.YieldFrom, ast.Await)


def _change(change: Change) -> str:
    name = f"global {change.name}" if change.scope == "global" else change.name
    if change.new is None:
        return f"{name} is unbound"
    if change.old is None:
        return f"{name} = {_short(change.new)}"
    return f"{name}: {_short(change.old)} -> {_short(change.new)}"


def _short(value: Value | None) -> str:
    return "?" if value is None else one_line(value.display(VALUE_WIDTH))


def _count(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


def pieces(found: Sequence[Row], labels: bool = True) -> Iterator[list[Piece]]:
    """Rows as pieces: line number, source indented by depth, what happened."""
    digits = max((len(str(row.line)) for row in found), default=1)
    width = min(max((len(_indented(row)) for row in found), default=0), SOURCE_WIDTH)
    for row in found:
        made: list[Piece] = [(f"{row.line:>{digits}}  ", "line")] if labels else []
        made.append((_clip(_indented(row), width).ljust(width), "source"))
        for place, event in enumerate(row.events):
            made += [("  " if place == 0 else "; ", ""), (event.text, event.kind)]
        yield made


def _indented(row: Row) -> str:
    return "  " * row.depth + row.source


def _clip(text: str, width: int) -> str:
    """At most `width` characters (at least 4), the cut marked."""
    return text if len(text) <= width else text[: max(width, 4) - 3] + "..."

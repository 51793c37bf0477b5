"""A trace as rows that a person reads: one per step, with what happened in it.

Guarantees: every step that shows something becomes a row, in order; a step that only waits for a call to come back has
none. Values are shortened here, for reading only: the exact ones are in the trace.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from semcoder.cli.printing import Segment, clip, one_line
from semcoder.core import Value
from semcoder.tracing import Change, Step, Trace

VALUE_WIDTH = 60
SOURCE_WIDTH = 56
_STYLES = {
    "call": "cyan",
    "change": "",
    "branch": "magenta",
    "iteration": "blue",
    "value": "dim",
    "yield": "cyan",
    "prints": "dim",
    "return": "green",
    "raise": "red",
    "catch": "yellow",
}


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


def rows(trace: Trace) -> Iterator[Row]:
    """The rows of a trace, in the order of execution."""
    lines = trace.source.splitlines()
    for step in trace.steps:
        events = tuple(_events(step))
        if step.kind == "resume" and not events:
            continue
        source = lines[step.line - 1].strip() if 0 < step.line <= len(lines) else ""
        yield Row(step.index, step.kind, step.line, step.depth, step.function, one_line(source), events)


def _events(step: Step) -> Iterator[Event]:
    if step.kind == "call":
        arguments = ", ".join(f"{change.name}={_short(change.new)}" for change in step.changes)
        yield Event("call", f"call {step.function}({arguments})")
    else:
        yield from _opening(step)
        yield from _parts(step)
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
    elif step.kind == "catch" and step.caught is not None:
        yield Event("catch", f"catches {_short(step.caught)}")
    truth = step.truth
    if step.kind == "test":
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
        yield Event("prints", f"prints {clip(repr(printed), VALUE_WIDTH)}")
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


def drawn(found: Sequence[Row]) -> Iterator[list[Segment]]:
    """Lines for a terminal: line number, source indented by depth, what happened."""
    digits = max((len(str(row.line)) for row in found), default=1)
    width = min(max((len(_indented(row)) for row in found), default=0), SOURCE_WIDTH)
    for row in found:
        segments: list[Segment] = [
            (f"{row.line:>{digits}}  ", "dim"),
            (clip(_indented(row), width).ljust(width), "bold"),
        ]
        for place, event in enumerate(row.events):
            segments += [("  " if place == 0 else "; ", ""), (event.text, _STYLES[event.kind])]
        yield segments


def _indented(row: Row) -> str:
    return "  " * row.depth + row.source

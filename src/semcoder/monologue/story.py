"""`Story`: a trace with what a narrator and a checker both need to know at each step.

Per step: the variables before it, the exception that ended it if one did, and what its frame returned if it ended
there. Built once, in order; time and memory are linear in the length of the trace.
"""

from __future__ import annotations

import ast
import re
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from semcoder.core import Value
from semcoder.tracing import Step, Trace

#: The frame number under which the module's variables are kept.
_MODULE = -1


class History:
    """Values of variables over time: per frame and name, the steps that changed it and what it was after each."""

    def __init__(self) -> None:
        self._changes: dict[tuple[int, str], tuple[list[int], list[Value | None]]] = {}

    def add(self, frame: int, name: str, step: int, value: Value | None) -> None:
        steps, values = self._changes.setdefault((frame, name), ([], []))
        steps.append(step)
        values.append(value)

    def before(self, frame: int, name: str, step: int) -> Value | None:
        """The value that a variable had when a step began; None if it was not bound."""
        steps, values = self._changes.get((frame, name), ([], []))
        at = bisect_left(steps, step)
        return values[at - 1] if at else None


@dataclass(frozen=True, slots=True)
class Moment:
    """A step, the exception that cut it short, and what its frame returned if this is where the frame ended."""

    step: Step
    raised: Value | None
    gives: Value | None
    history: History

    def before(self, name: str) -> Value | None:
        """The value that a name had before the step, in its frame or else in the module; None if it was not bound."""
        local = self.history.before(self.step.frame, name, self.step.index)
        return self.global_before(name) if local is None else local

    def global_before(self, name: str) -> Value | None:
        """The value that a name of the module had before the step."""
        return self.history.before(_MODULE, name, self.step.index)

    def after(self, name: str) -> Value | None:
        """A variable's value once the step is over; None if it is not bound then."""
        for change in reversed(self.step.changes):
            if change.name == name:
                return change.new
        return self.before(name)


class Story:
    """All moments of a trace. `text` gives the source text of any node, on one line."""

    def __init__(self, trace: Trace) -> None:
        self.trace = trace
        self._rows = re.split(r"\r\n|\r|\n", trace.source)  # as the parser counts lines: a form feed ends none
        self._texts: dict[int, str] = {}
        self.moments = list(self._build())

    def callee(self, step: Step) -> str | None:
        """The function that a step hands over to: the one whose first step comes next, deeper down; None if none."""
        steps = self.trace.steps
        following = steps[step.index + 1] if step.index + 1 < len(steps) else None
        if following is None or following.kind != "call" or following.depth <= step.depth:
            return None
        return following.function

    def text(self, node: ast.AST) -> str:
        """Source text of an expression as written, or normalised where it spans lines."""
        key = id(node)
        if key not in self._texts:
            segment = (
                ast.get_source_segment(self.trace.source, node) if isinstance(node, (ast.expr, ast.stmt)) else None
            )
            whole = segment is not None and "\n" not in segment and "\f" not in segment
            self._texts[key] = segment if whole and segment is not None else ast.unparse(node).replace("\n", " ")
        return self._texts[key]

    def is_elif(self, node: ast.If) -> bool:
        """Whether the `if` that stands alone in the other branch is written as an `elif`.

        Told from the source: an `else:` with an `if` inside has the same tree.
        """
        if len(node.orelse) != 1 or not isinstance(node.orelse[0], ast.If):
            return False
        inner = node.orelse[0]
        return self._rows[inner.lineno - 1].encode()[inner.col_offset :].startswith(b"elif")

    def _build(self) -> Iterator[Moment]:
        history = History()
        set_to_return: dict[int, Value] = {}  # by frame, where clean-up is still to run
        steps = self.trace.steps
        for step, following in zip(steps, [*steps, None][1:], strict=True):
            raised = step.raised
            if following is not None and following.kind == "catch" and following.frame == step.frame and raised is None:
                raised = following.caught
            if raised is None and isinstance(step.node, ast.Raise) and self.callee(step) is None:
                raised = _exception(step.value_of(step.node.exc))  # a with block took it: no clause caught it
            if step.returned is not None:
                set_to_return[step.frame] = step.returned
            gives = set_to_return.get(step.frame) if step.ends_frame and step.raised is None else None
            yield Moment(step, raised, gives, history)
            for change in step.changes:
                history.add(_MODULE if change.scope == "global" else step.frame, change.name, step.index, change.new)


def _exception(value: Value | None) -> Value | None:
    return value if value is not None and value.base == "exception" else None


@lru_cache(maxsize=20_000)
def normal(code: str) -> str | None:
    """One spelling per expression (whitespace, quotes, redundant parentheses aside); None if it is not one."""
    try:
        return ast.unparse(ast.parse(f"({code.strip()}\n)", mode="eval"))  # in brackets a yield is an expression too
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None

"""`Story`: a trace with what a narrator and a checker both need to know at each step.

Per step: the variables before it, and the exception that ended it if one did. Built once, in order, in linear time in
the length of the trace plus the size of the environments that change.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType

from semcoder.core import Value
from semcoder.tracing import Step, Trace

_NO_VARIABLES: Mapping[str, Value] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Moment:
    """A step, the variables visible in its frame before it, and the exception that cut it short."""

    step: Step
    before: Mapping[str, Value]
    raised: Value | None

    def after(self, name: str) -> Value | None:
        """A variable's value once the step is over; None if it is not bound then."""
        for change in reversed(self.step.changes):
            if change.name == name:
                return change.new
        return self.before.get(name)


class Story:
    """All moments of a trace. `texts` gives the source text of any node, on one line."""

    def __init__(self, trace: Trace) -> None:
        self.trace = trace
        self._lines = trace.source
        self._texts: dict[int, str] = {}
        self.moments = self._build()

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
            segment = ast.get_source_segment(self._lines, node) if isinstance(node, (ast.expr, ast.stmt)) else None
            whole = segment is not None and "\n" not in segment and "\f" not in segment
            self._texts[key] = segment if whole and segment is not None else ast.unparse(node).replace("\n", " ")
        return self._texts[key]

    def _build(self) -> list[Moment]:
        spaces: dict[int, dict[str, Value]] = {}
        shared: dict[str, Value] = {}
        moments: list[Moment] = []
        steps = self.trace.steps
        for step in steps:
            space = spaces.setdefault(step.frame, {})
            before = MappingProxyType({**shared, **space}) if space or shared else _NO_VARIABLES
            following = steps[step.index + 1] if step.index + 1 < len(steps) else None
            raised = step.raised
            if following is not None and following.kind == "catch" and following.frame == step.frame and raised is None:
                raised = following.caught
            moments.append(Moment(step, before, raised))
            for change in step.changes:
                target = shared if change.scope == "global" else space
                if change.new is None:
                    target.pop(change.name, None)
                else:
                    target[change.name] = change.new
        return moments


@lru_cache(maxsize=20_000)
def normal(code: str) -> str | None:
    """One spelling per expression (whitespace, quotes, redundant parentheses aside); None if it is not one."""
    try:
        return ast.unparse(ast.parse(f"({code.strip()}\n)", mode="eval"))  # in brackets a yield is an expression too
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None

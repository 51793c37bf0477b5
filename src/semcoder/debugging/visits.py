"""A trace as visits: which function ran when, called from where, with what it gave back.

Guarantees: visits come in the order in which they began; every step of a trace belongs to the visit of its frame. A
frame whose beginning was not recorded has no visit.
"""

from __future__ import annotations

import ast
from bisect import bisect_left
from dataclasses import dataclass, field
from functools import cached_property

from semcoder.core import Value
from semcoder.debugging.projects import Layout, Segment, Side, Spot, plain_name
from semcoder.tracing import Step, Trace

_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


@dataclass(frozen=True, slots=True)
class Function:
    """A function of the text: `line` is that of its `def` in its own file, `name` is qualified."""

    segment: Segment
    name: str
    line: int

    @property
    def side(self) -> Side:
        return self.segment.side

    @property
    def short(self) -> str:
        return self.name.rpartition(".")[2]

    @property
    def dotted(self) -> str:
        return f"{self.segment.module}.{self.name}"


@dataclass(slots=True, eq=False)
class Visit:
    """One execution of a function.

    `caller`: the visit that it was called from (None: from code that is not recorded), in step `called_in`. `given`:
    its variables as it began. `gave`: what it returned and yielded, in order.
    """

    function: Function
    frame: int
    caller: Visit | None
    called_in: int
    first: int
    last: int
    given: dict[str, Value] = field(default_factory=dict)
    gave: list[Value] = field(default_factory=list)
    returned: Value | None = None
    raised: Value | None = None
    visits: list[Visit] = field(default_factory=list)

    @property
    def is_outermost(self) -> bool:
        """Whether no code under test called it, but a test, or what is not recorded."""
        return self.caller is None or self.caller.function.side == "test"

    def chain(self) -> list[Visit]:
        """This visit and those that it was called from, innermost first."""
        found: list[Visit] = []
        visit: Visit | None = self
        while visit is not None:
            found.append(visit)
            visit = visit.caller
        return found


class Run:
    """A trace over a text of one or several modules, and its visits.

    `fault`: where the exception that ended it came up in the user's code; None: there was none, or it is not known.
    """

    def __init__(self, trace: Trace, layout: Layout, fault: Spot | None = None) -> None:
        self.trace = trace
        self.layout = layout
        self.fault = fault
        self.steps: list[Step] = trace.steps
        self.by_frame: dict[int, Visit] = {}
        self.visits = self._find()

    @cached_property
    def functions(self) -> dict[int, Function]:
        """Functions by the identity of their node."""
        found: dict[int, Function] = {}

        def scan(node: ast.AST, prefix: str) -> None:
            for inner in ast.iter_child_nodes(node):
                if isinstance(inner, _SCOPES):
                    name = prefix + inner.name
                    if not isinstance(inner, ast.ClassDef):
                        segment = self.layout.segment(inner.lineno)
                        found[id(inner)] = Function(segment, name, inner.lineno - segment.offset)
                    scan(inner, name + ".")
                else:
                    scan(inner, prefix)

        scan(self.trace.tree, "")
        return found

    def node_of(self, function: Function) -> ast.FunctionDef | ast.AsyncFunctionDef | None:
        """The function in the text; None where it is not there."""
        for node in ast.walk(self.trace.tree):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and self.functions.get(id(node)) == function:
                return node
        return None

    def named(self, spot: Spot) -> Function | None:
        """The function that a spot of a traceback is in; None where its text is not there."""
        name = plain_name(spot.function)
        found = [f for f in self.functions.values() if f.segment.file == spot.file and f.name == name]
        before = [function for function in found if function.line <= spot.line]
        return max(before, key=lambda function: function.line, default=None)

    def side(self, step: Step) -> Side:
        """Whose code a step is of."""
        visit = self.by_frame.get(step.frame)
        return "" if visit is None else visit.function.side

    def line(self, step: Step) -> int:
        """A step's line in its own file."""
        return self.layout.line(step.line)

    def value_before(self, visit: Visit, name: str, step: int) -> tuple[Value | None, int]:
        """A local variable's value before a step, and the step that gave it to it (-1: none)."""
        return self._histories.get((visit.frame, name), _History()).before(step)

    @cached_property
    def _histories(self) -> dict[tuple[int, str], _History]:
        found: dict[tuple[int, str], _History] = {}
        for step in self.steps:
            for change in step.changes:
                if change.scope == "local":
                    found.setdefault((step.frame, change.name), _History()).add(step.index, change.new)
        return found

    @cached_property
    def origin(self) -> Step | None:
        """The step in which the exception came up that ended the run; None where that was not recorded."""
        fault = self.fault
        if fault is not None:
            line = self.layout.find(fault.file, fault.line)
            for step in reversed(self.steps) if line else ():
                if step.kind != "call" and _covers(step.node, line):
                    return step
            named = self.named(fault)
            if fault.side == "code" and all(visit.function != named for visit in self.visits):
                return None  # its function is not recorded
        raising = [step for step in self.steps if step.raised is not None and step.raised.type_name != "GeneratorExit"]
        last = raising[-1].raised if raising else None
        return None if last is None else next(s for s in raising if s.raised is not None and s.raised.oid == last.oid)

    def _find(self) -> list[Visit]:
        visits: list[Visit] = []
        at: dict[int, Visit] = {}  # the visit that runs, or waits, at each depth
        for step in self.steps:
            if step.kind == "call" and step.frame not in self.by_frame and id(step.node) in self.functions:
                caller = at.get(step.depth - 1)
                visit = Visit(self.functions[id(step.node)], step.frame, caller, step.index - 1, step.index, step.index)
                visit.given = {c.name: c.new for c in step.changes if c.new is not None and c.scope == "local"}
                self.by_frame[step.frame] = visit
                visits.append(visit)
                if caller is not None:
                    caller.visits.append(visit)
            visit_ = self.by_frame.get(step.frame)
            if visit_ is None:
                at.pop(step.depth, None)
                continue
            at[step.depth] = visit_
            visit_.last = step.index
            visit_.gave += [part.value for part in step.parts if part.kind == "y" and part.value is not None]
            if step.returned is not None:
                visit_.returned = step.returned
                visit_.gave.append(step.returned)
            if step.raised is not None:
                visit_.raised = step.raised
        return visits


def _covers(node: ast.AST, line: int) -> bool:
    """Whether a line is of a statement: of a compound one, its header's."""
    body = getattr(node, "body", None)
    first = int(getattr(node, "lineno", 0))
    last = int(body[0].lineno) - 1 if isinstance(body, list) and body else int(getattr(node, "end_lineno", first))
    return first <= line <= max(first, last)


class _History:
    """Values of one variable over time."""

    def __init__(self) -> None:
        self._steps: list[int] = []
        self._values: list[Value | None] = []

    def add(self, step: int, value: Value | None) -> None:
        self._steps.append(step)
        self._values.append(value)

    def before(self, step: int) -> tuple[Value | None, int]:
        place = bisect_left(self._steps, step) - 1
        return (None, -1) if place < 0 else (self._values[place], self._steps[place])

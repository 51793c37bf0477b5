"""`Trace`: a recorded execution as columns, and `Step`: views of it for whoever tells or shows it.

A step is a stretch of one frame's execution between two points at which control moves: a statement, one test of a
while loop, one iteration of a for loop, a call's beginning, the rest of a statement after a call it made has come back.
Steps come in the order in which they ran.

Guarantees: every recorded event belongs to exactly one step, in order; values are exact; steps are made on demand from
the columns and the source, and hold nothing that the columns do not.
It does not shorten anything, and it knows nothing after the point where recording was truncated.
"""

from __future__ import annotations

import ast
import platform
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

from semcoder.core import Invocation, Outcome, TooLarge, Value, check_claim, decode, encode
from semcoder.core.unfolding import check_unfolding
from semcoder.core.values import check_nodes
from semcoder.errors import InputError
from semcoder.tracing.columns import VALUE_KINDS, check_refs, is_packed, unpacked
from semcoder.tracing.instrument import sites
from semcoder.tracing.recorder import MAX_EVENTS

StepKind = Literal["call", "statement", "test", "iteration", "exhausted", "draw", "catch", "resume"]
_VALUE_KINDS = VALUE_KINDS
_SITE_KINDS = frozenset("csetidmkrxhzyvn")
_PLAIN_REFS: dict[str, type] = {"t": bool, "o": str, "-": type(None), **dict.fromkeys("cszkvuwidn", int)}
_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Module)
_LOOPS = (ast.For, ast.AsyncFor)
_YIELDS = (ast.Yield, ast.YieldFrom, ast.Await)
#: Which nodes an event of a kind can be at.
_NODES: dict[str, type | tuple[type, ...]] = {
    "c": _SCOPES,
    "s": ast.stmt,
    "e": ast.expr,
    "t": ast.expr,
    "i": _LOOPS,
    "d": _LOOPS,
    "n": _LOOPS,
    "m": ast.comprehension,
    "k": (ast.ExceptHandler, ast.match_case),
    "h": ast.ExceptHandler,
    "r": (ast.Return, *_SCOPES),
    "x": _SCOPES,
    "z": (ast.Return, *_SCOPES),
    "y": _YIELDS,
    "v": _YIELDS,
}


@dataclass(frozen=True, slots=True)
class Change:
    """A variable's change; `old` None: it was not bound; `new` None: it is not bound any more."""

    name: str
    old: Value | None
    new: Value | None
    scope: Literal["local", "global"] = "local"


@dataclass(frozen=True, slots=True)
class Part:
    """One event inside a step: a sub-expression's value, a condition's truth, an item of a comprehension, printed
    text, a matched case, a yield; in the order in which they happened. `position` counts all events of the trace."""

    kind: str
    node: ast.AST | None
    value: Value | None
    position: int
    truth: bool = False
    text: str = ""


@dataclass(slots=True)
class Step:
    """One stretch of a frame's execution. `node` is its statement (or handler, or function for a call).

    `count`: for an iteration its number from 1; for a test of a while loop (and the rest of that test, a `resume`) the
    number of the iteration that it would begin; for `exhausted` how many iterations there were; for a `draw`, which
    fails, the iteration that it was for.
    """

    index: int
    kind: StepKind
    frame: int
    depth: int
    function: str
    node: ast.AST
    count: int = 0
    parts: list[Part] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    returned: Value | None = None
    raised: Value | None = None
    caught: Value | None = None
    ends_frame: bool = False

    @property
    def line(self) -> int:
        """The line that a reader looks at: the statement's first, a decorated function's `def`."""
        return int(getattr(self.node, "lineno", 0))

    @property
    def truth(self) -> bool | None:
        """The truth of the statement's own condition, None if it has none."""
        test = getattr(self.node, "test", None)
        return next((p.truth for p in reversed(self.parts) if p.kind == "t" and p.node is test), None)

    def value_of(self, node: ast.AST | None) -> Value | None:
        """The last value that an expression had in this step."""
        return next((p.value for p in reversed(self.parts) if p.node is node and p.kind == "e"), None)


@dataclass(frozen=True)
class Trace:
    """A recorded run: program, call, outcome, columns (see `semcoder.tracing.recorder`), interpreter version."""

    source: str
    invocation: Invocation
    outcome: Outcome
    kinds: str
    sites: Sequence[int]
    refs: Sequence[Any]
    names: Sequence[str]
    nodes: Sequence[Any]
    truncated: bool = False
    python: str = platform.python_version()

    def __len__(self) -> int:
        return len(self.kinds)

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.source)

    @cached_property
    def site_nodes(self) -> dict[int, ast.AST]:
        return sites(self.tree)

    @cached_property
    def steps(self) -> list[Step]:
        """All steps in order."""
        return list(_Walk(self).steps())

    def executed_lines(self) -> list[int]:
        """Lines of executed statements, in order, once per step that begins or tests one."""
        return [s.line for s in self.steps if s.kind in ("statement", "test", "iteration")]

    def value(self, ref: Any) -> Value:
        return Value(ref, self.nodes)

    def to_wire(self) -> dict[str, Any]:
        """A JSON document; the inverse is `from_wire`."""
        return {
            "source": self.source,
            "invocation": encode(self.invocation),
            "outcome": encode(self.outcome),
            "columns": {
                "kinds": self.kinds,
                "sites": list(self.sites),
                "refs": list(self.refs),
                "names": list(self.names),
                "nodes": list(self.nodes),
                "truncated": self.truncated,
            },
            "python": self.python,
        }

    @classmethod
    def from_wire(cls, doc: dict[str, Any]) -> Trace:
        """A trace from its document, checked part by part. Raises `InputError`.

        The document's word is taken for source and invocation; where it comes from an untrusted process, see
        `semcoder.tracing.trace_from_document`.
        """
        try:
            columns = doc["columns"]
            heads = None
            if is_packed(columns):
                heads = set(map(tuple, columns["heads"]))
                columns = unpacked(columns, MAX_EVENTS)
            else:
                check_columns(columns)
            heads = heads or set(zip(columns["kinds"], columns["sites"], strict=True))
            check_heads(columns, heads)
            trace = cls(
                source=doc["source"],
                invocation=decode(Invocation, doc["invocation"], "trace.invocation"),
                outcome=decode(Outcome, doc["outcome"], "trace.outcome"),
                python=str(doc.get("python", "")),
                **columns,
            )
            check_claim(trace.outcome)
            check_sites(trace, heads)
            return trace
        except TooLarge as error:
            raise InputError(f"the trace holds what cannot be told: {error}") from None
        except (KeyError, TypeError, ValueError, SyntaxError) as error:
            raise InputError(f"the trace is malformed: {error}") from None
        except (RecursionError, MemoryError):  # of Python's own parser
            raise InputError("the trace is malformed: its source is nested too deeply") from None


def check_columns(columns: Any) -> None:
    """Raises ValueError unless the columns are well formed and every ref points into the table."""
    if not isinstance(columns, dict) or set(columns) != {"kinds", "sites", "refs", "names", "nodes", "truncated"}:
        raise ValueError("a trace has the columns kinds, sites, refs, names, nodes, truncated")
    kinds, sites_, refs, nodes = columns["kinds"], columns["sites"], columns["refs"], columns["nodes"]
    if not isinstance(kinds, str) or not all(isinstance(c, list) for c in (sites_, refs, nodes)):
        raise ValueError("a column has the wrong type")
    if len(kinds) > MAX_EVENTS:
        raise ValueError(f"it has {len(kinds)} events, more than the {MAX_EVENTS} that are ever recorded")
    if not len(kinds) == len(sites_) == len(refs) or not set(map(type, sites_)) <= {int}:
        raise ValueError("the columns differ in length")
    check_nodes(nodes)
    check_unfolding(nodes, range(len(nodes)))
    types = set(zip(kinds, map(type, refs), strict=True))
    for kind, type_ in types:
        if kind not in _VALUE_KINDS and type_ is not _PLAIN_REFS.get(kind):
            raise ValueError(f"an event of kind {kind!r} has {type_.__name__} data")
    check_refs([ref for kind, ref in zip(kinds, refs, strict=True) if kind in _VALUE_KINDS], len(nodes))


def check_heads(columns: dict[str, Any], heads: set[Any]) -> None:
    """Raises ValueError unless every event of these kinds and sites that is about a variable names one."""
    names = columns["names"]
    if type(columns["truncated"]) is not bool:
        raise ValueError("truncated is a boolean")
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise ValueError("a name is not text")
    if any(kind in "=-g" and not 0 <= site < len(names) for kind, site in heads):
        raise ValueError("an event names an unknown variable")


def check_sites(trace: Trace, heads: set[Any]) -> None:
    """Raises ValueError (SyntaxError for the source) unless every event is at a node that it can happen at."""
    if not trace.kinds:
        return  # a program that could not be compiled has no tree
    nodes = trace.site_nodes
    for kind, site in heads:
        wanted = _NODES.get(kind)
        if wanted is not None and not isinstance(nodes.get(site), wanted):
            raise ValueError(f"an event of kind {kind!r} is at site {site}, where there is no such thing")


class _Walk:
    """Replays the columns into steps."""

    def __init__(self, trace: Trace) -> None:
        self._trace = trace
        self._stack: dict[int, int] = {}  # frames from the bottom up, and where each stands
        self._function: dict[int, ast.AST] = {}
        self._locals: dict[int, dict[str, Value]] = {}
        self._globals: dict[str, Value] = {}
        self._last: dict[int, Step] = {}
        self._loops: dict[tuple[int, int], int] = {}
        self._inside: dict[int, set[int]] = {}
        self._step: Step | None = None
        self._count = 0

    def steps(self) -> Iterator[Step]:
        trace = self._trace
        for position, (kind, site, ref) in enumerate(zip(trace.kinds, trace.sites, trace.refs, strict=True)):
            before = self._step
            self._event(position, kind, site, ref)
            if self._step is not before and before is not None:
                yield before
        if self._step is not None:
            yield self._step

    def _begin(self, kind: StepKind, frame: int, node: ast.AST, count: int = 0) -> Step:
        name = getattr(self._function.get(frame), "name", "<module>")
        depth = self._stack.get(frame, len(self._stack))
        step = Step(self._count, kind, frame, depth, name, node, count)
        self._count += 1
        self._step = self._last[frame] = step
        return step

    def _resume(self, frame: int, last: Step) -> Step:
        """The rest of a statement; that of a while loop's test is about the same iteration."""
        same = isinstance(last.node, ast.While) and last.kind in ("test", "resume")
        return self._begin("resume", frame, last.node, last.count if same else 0)

    def _switch(self, frame: int) -> None:
        """Make `frame` the top of the stack: frames above it have ended, a suspended one comes back on top."""
        if frame in self._stack:
            while self._top() != frame:
                self._stack.popitem()
        else:
            self._stack[frame] = len(self._stack)

    def _top(self) -> int:
        return next(reversed(self._stack))

    def _current(self) -> Step | None:
        """The step that an event without a frame of its own belongs to; a resumed one after a call came back."""
        if not self._stack:
            return self._step
        frame = self._top()
        step = self._step
        if step is not None and step.frame == frame and not step.ends_frame:
            return step
        last = self._last.get(frame)
        return self._resume(frame, last) if last is not None else step

    def _event(self, position: int, kind: str, site: int, ref: Any) -> None:
        node = self._trace.site_nodes.get(site) if kind in _SITE_KINDS else None
        handler = getattr(self, "_on_" + _NAMES.get(kind, "part"))
        handler(position, kind, node, site, ref)

    def _on_call(self, _position: int, _kind: str, node: ast.AST, _site: int, frame: int) -> None:
        self._function[frame] = node
        self._locals.setdefault(frame, {})
        self._switch(frame)
        self._begin("call", frame, node)

    def _on_statement(self, _position: int, _kind: str, node: ast.AST, site: int, frame: int) -> None:
        self._switch(frame)
        if not isinstance(node, ast.While):
            self._begin("statement", frame, node)
            return
        last = self._last.get(frame)
        if site not in self._inside:
            self._inside[site] = {id(inner) for inner in ast.walk(node)}
        again = last is not None and id(last.node) in self._inside[site]
        step = self._begin("test", frame, node)
        step.count = self._loops[frame, site] = self._loops.get((frame, site), 0) + 1 if again else 1

    def _on_takeover(self, position: int, kind: str, node: ast.AST, _site: int, frame: int) -> None:
        self._switch(frame)
        if isinstance(node, ast.ExceptHandler):
            self._begin("catch", frame, node)
            return
        step = self._current()
        if step is not None:
            step.parts.append(Part(kind, node, None, position))

    def _on_iteration(self, _position: int, _kind: str, node: ast.AST, _site: int, count: int) -> None:
        if self._stack:
            self._begin("iteration", self._top(), node, count)

    def _on_exhausted(self, _position: int, _kind: str, node: ast.AST, _site: int, count: int) -> None:
        if self._stack:
            self._begin("exhausted", self._top(), node, count)

    def _on_draw(self, _position: int, _kind: str, node: ast.AST, _site: int, count: int) -> None:
        if self._stack:
            self._begin("draw", self._top(), node, count)

    def _on_change(self, _position: int, kind: str, _node: ast.AST, site: int, ref: Any) -> None:
        step = self._current()
        if step is None:
            return
        name = self._trace.names[site]
        space = self._globals if kind == "g" else self._locals.setdefault(step.frame, {})
        old = space.pop(name, None) if kind == "-" else space.get(name)
        new = None if kind == "-" else self._trace.value(ref)
        if new is not None:
            space[name] = new
        step.changes.append(Change(name, old, new, "global" if kind == "g" else "local"))

    def _on_return(self, _position: int, _kind: str, _node: ast.AST, _site: int, ref: Any) -> None:
        step = self._current()
        if step is not None:
            step.returned = self._trace.value(ref)

    def _on_raise(self, _position: int, _kind: str, _node: ast.AST, _site: int, ref: Any) -> None:
        step = self._current()
        if step is not None:
            step.raised = self._trace.value(ref)

    def _on_caught(self, _position: int, _kind: str, _node: ast.AST, _site: int, ref: Any) -> None:
        if self._step is not None:
            self._step.caught = self._trace.value(ref)

    def _on_end(self, _position: int, _kind: str, _node: ast.AST, _site: int, frame: int) -> None:
        self._switch(frame)
        step = self._last.get(frame)
        if step is not None:
            step.ends_frame = True
        self._stack.popitem()

    def _on_suspend(self, position: int, kind: str, node: ast.AST, _site: int, ref: Any) -> None:
        step = self._current()
        if step is not None:
            step.parts.append(Part(kind, node, self._trace.value(ref), position))
        if self._stack:
            self._stack.popitem()

    def _on_resume(self, _position: int, _kind: str, node: ast.AST, _site: int, frame: int) -> None:
        self._switch(frame)
        last = self._last.get(frame)
        if last is not None:
            self._resume(frame, last)
        else:
            self._begin("resume", frame, node)

    def _on_stack(self, _position: int, kind: str, _node: ast.AST, _site: int, frame: int) -> None:
        if kind == "u":
            self._switch(frame)
        elif frame in self._stack:
            self._switch(frame)
            self._stack.popitem()

    def _on_part(self, position: int, kind: str, node: ast.AST | None, _site: int, ref: Any) -> None:
        step = self._current()
        if step is None:
            return
        value = self._trace.value(ref) if kind in _VALUE_KINDS else None
        text = ref if kind == "o" and isinstance(ref, str) else ""
        step.parts.append(Part(kind, node, value, position, truth=ref is True, text=text))


_NAMES = {
    "c": "call",
    "s": "statement",
    "k": "takeover",
    "i": "iteration",
    "d": "exhausted",
    "n": "draw",
    "=": "change",
    "-": "change",
    "g": "change",
    "r": "return",
    "x": "raise",
    "h": "caught",
    "z": "end",
    "y": "suspend",
    "v": "resume",
    "u": "stack",
    "w": "stack",
}

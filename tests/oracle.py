"""Two oracles for tracing, and what they disagree about.

`differences(source, call)` runs a program three times and returns what does not agree, one line each (empty: all agrees):

1. plain, traced and under `sys.settrace`: the outcome (value, printed output, exception type and message) is one;
2. traced against an independent recorder made of `sys.settrace` line events: the same function frames in order of
   entry, in each the same sequence of statements begun at the same depth, with the same local variables at that
   moment, and the same end (returned what, or left by which exception);
3. the layout does not matter: the program as written and as `ast.unparse` writes it give the same columns.

The recorder shares the value encoder (`semcoder.core`) with the tracer and nothing else. Line events are by line, so
oracle 2 looks at the `ast.unparse` form, where every statement has its own line; oracle 3 carries its verdict over to the
original. What is normalised, and why, is said at `_Cleaner` and in docs/design/tracing.md.

Needs the standard library and `semcoder.core`/`semcoder.tracing` only, so that it runs under every Python version.
"""

from __future__ import annotations

import ast
import contextlib
import dis
import inspect
import signal
import sys
import types
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from semcoder.core import Encoder, Invocation, Outcome, Value
from semcoder.core.calling import FILENAME
from semcoder.tracing import Trace, trace_here
from tests.inprocess import InProcess

Locals = dict[str, Value]
End = tuple[str, Value | None] | None
_OPTIMIZED = 0x1
#: Longer runs are asked about their outcome alone: line events of them take minutes.
MAX_EVENTS = 200_000
_SUSPENDING = ("YIELD_VALUE", "RETURN_GENERATOR", "SEND", "RESUME", "YIELD_FROM")
_UNSEEN = frozenset({"__class__"})


@dataclass
class Frame:
    """One function call: its name, and what it did. `end` is (returned | raised, value), None if it never ended."""

    function: str
    events: list[tuple[int, int, Locals]] = field(default_factory=list)  # (line of the statement, depth, locals)
    end: End = None
    generator: bool = False


class Endless(BaseException):
    """A program did not end in time."""


@contextlib.contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Raises `Endless` in the main thread when the time is over."""

    def stop(*_: object) -> None:
        raise Endless(f"no end after {seconds} s")

    saved = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds, 0.05)  # again and again: programs may swallow it
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, saved)


@dataclass
class Verdict:
    """`differences`: what the oracles found, one line each. `unasked`: why oracle 2 could not be asked, or ""."""

    differences: list[str]
    unasked: str = ""


def differences(source: str, call: str, *, seconds: float = 20.0) -> list[str]:
    """`judge` without the reasons for what could not be asked."""
    return judge(source, call, seconds=seconds).differences


def judge(source: str, call: str, *, seconds: float = 20.0) -> Verdict:
    """What the oracles find. Raises `Endless` when the program takes longer."""
    with time_limit(seconds):
        plain = InProcess(source).call(Invocation(call))
        traced = trace_here(source, call, max_events=MAX_EVENTS)
        found = compare_outcomes(plain, traced.outcome, "traced")
        if traced.truncated:
            return Verdict(found, "too long")
        try:
            text = ast.unparse(ast.parse(source))
        except RecursionError:
            return Verdict(found, "ast.unparse cannot write this program")
        if ast.dump(ast.parse(text)) != ast.dump(ast.parse(source)):
            return Verdict(found, "ast.unparse does not keep this program")
        unparsed = traced if text == source else trace_here(text, call, max_events=MAX_EVENTS)
        found += _compare_columns(traced, unparsed)
        outcome, frames = settrace_run(text, call)
        if not outcome.same(plain):
            return Verdict(found, "the program does otherwise under sys.settrace itself")
        told = trace_frames(unparsed)
        if any(f.end and f.end[1] and f.end[1].type_name == "RecursionError" for f in told):
            return Verdict(found, "it meets the recursion limit: how deep that is depends on who calls")
        return Verdict(found + compare_frames(frames, told, text))


def compare_outcomes(plain: Outcome, other: Outcome, what: str) -> list[str]:
    if plain.same(other) or (_recursed(plain) and _recursed(other)):
        return []
    return [f"outcome: plain {_outcome_text(plain)}, {what} {_outcome_text(other)}"]


def _recursed(outcome: Outcome) -> bool:
    """The message of a RecursionError depends on what the very last frame was about to do, in C or not."""
    return outcome.exception is not None and outcome.exception.type == "RecursionError"


def _outcome_text(outcome: Outcome) -> str:
    value = outcome.value.display(200) if outcome.value is not None else outcome.exception or outcome.detail
    return f"{outcome.status} {value} {outcome.stdout[-200:]!r}"


def _compare_columns(one: Trace, two: Trace) -> list[str]:
    if (one.kinds, one.sites, one.refs, one.names) == (two.kinds, two.sites, two.refs, two.names):
        return []
    at = next((k for k, (a, b) in enumerate(zip(one.kinds, two.kinds, strict=False)) if a != b), -1)
    return [f"layout: the trace of the program and of its unparsed form differ (kinds at {at})"]


# -- the independent recorder


def settrace_run(source: str, call: str) -> tuple[Outcome, list[Frame]]:
    """Run under `sys.settrace`; frames in order of entry, events already cleaned."""
    recorder = _Settrace(source)
    saved = sys.gettrace()
    outcome = InProcess(source).call(
        Invocation(call), on_ready=lambda: sys.settrace(recorder.on_call), on_done=lambda: sys.settrace(saved)
    )
    return outcome, recorder.frames()


class _Settrace:
    def __init__(self, source: str) -> None:
        self._map = LineMap(source)
        self._encoder = Encoder()
        self._seen: dict[types.FrameType, tuple[Frame, list[tuple[int, int, Locals]]]] = {}
        self._raised: dict[types.FrameType, Any] = {}  # the last exception seen in a frame
        self._fresh: types.FrameType | None = None  # where it was the very last event

    def frames(self) -> list[Frame]:
        for frame, raw in self._seen.values():
            frame.events = _Cleaner(self._map).clean(raw)
        return [frame for frame, _ in self._seen.values()]

    def on_call(self, frame: types.FrameType, event: str, arg: Any) -> Callable[..., Any] | None:
        if not is_function(frame.f_code):
            return None
        if frame not in self._seen:  # a resumed generator comes here again
            self._seen[frame] = (Frame(frame.f_code.co_name, generator=is_generator(frame.f_code)), [])
        self._fresh = None
        return self.on_event

    def on_event(self, frame: types.FrameType, event: str, arg: Any) -> Callable[..., Any]:
        record, raw = self._seen[frame]
        if event == "line":
            raw.append((frame.f_lineno, _depth(frame), self._locals(frame)))
        elif event == "exception":
            self._raised[frame] = arg[1]
        elif event == "return":
            self._on_return(frame, record, arg)
        self._fresh = frame if event == "exception" else None
        return self.on_event

    def _on_return(self, frame: types.FrameType, record: Frame, arg: Any) -> None:
        """A `return` event is also made by a yield, and by an exception that leaves the frame; the instruction tells."""
        name = dis.opname[frame.f_code.co_code[frame.f_lasti]]
        if name in ("RETURN_VALUE", "RETURN_CONST"):
            record.end = ("returned", self._value(arg))
        elif arg is None and (name not in _SUSPENDING or self._fresh is frame):
            # Raised again by clean-up: no event says what.
            record.end = ("raised", self._value(self._raised[frame]) if self._fresh is frame else None)

    def _locals(self, frame: types.FrameType) -> Locals:
        items = dict(frame.f_locals).items()
        return {name: self._value(value) for name, value in items if name[0] != "." and name not in _UNSEEN}

    def _value(self, value: Any) -> Value:
        return Value(self._encoder.ref(value), self._encoder.nodes)


def is_function(code: types.CodeType) -> bool:
    """Whether this is the code of a `def` of the program: no lambda, comprehension, class body, module."""
    return code.co_filename == FILENAME and not code.co_name.startswith("<") and bool(code.co_flags & _OPTIMIZED)


def is_generator(code: types.CodeType) -> bool:
    return bool(code.co_flags & (inspect.CO_GENERATOR | inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR))


def _depth(frame: types.FrameType) -> int:
    """How many functions of the program wait below this frame."""
    depth, back = 0, frame.f_back
    while back is not None:
        depth += is_function(back.f_code)
        back = back.f_back
    return depth


class LineMap:
    """Of a program in which every statement has its own lines: line -> statement, and what encloses it."""

    def __init__(self, source: str) -> None:
        self.statement: dict[int, ast.stmt] = {}
        self.parents: dict[ast.AST, ast.AST] = {}
        for node in ast.walk(ast.parse(source)):
            for child in ast.iter_child_nodes(node):
                self.parents[child] = node
            if isinstance(node, ast.stmt):
                for line in _header(node):
                    self.statement[line] = node

    def encloses(self, outer: ast.AST, inner: ast.AST | None, part: tuple[str, ...] = ()) -> bool:
        """Whether `inner` lies in `outer`; with `part`, in one of these fields of it."""
        while inner is not None and inner is not outer:
            above = self.parents.get(inner)
            if above is outer:
                return not part or any(inner in getattr(outer, name, ()) for name in part)
            inner = above
        return False


def _header(node: ast.stmt) -> range:
    """Lines of a statement without those of the statements inside it."""
    first = min([node.lineno, *[d.lineno for d in getattr(node, "decorator_list", [])]])
    if hasattr(node, "body") or isinstance(node, ast.Match):
        return range(first, node.lineno + 1)
    return range(first, (node.end_lineno or first) + 1)


class _Cleaner:
    """Line events of one frame -> statements begun. Dropped, because CPython's line events differ by nature:

    - lines of `except` and `case` clauses (parts of a statement; the tracer has steps of another kind for them), and
      statements that do nothing (constants alone, `global`, `nonlocal`, bare annotations), which compile to a NOP at best;
    - the header of a `while` whose test is a constant: whether it is visited again is up to the compiler;
    - the visit of a `with` header on the way out of its body;
    - the second visit of a `return`, `break` or `continue` after clean-up (`finally`, `with`) that it set off;
    - a repeated event of the statement that the last event was about.
    """

    def __init__(self, lines: LineMap) -> None:
        self._lines = lines

    def clean(self, raw: list[tuple[int, int, Locals]]) -> list[tuple[int, int, Locals]]:
        out: list[tuple[int, int, Locals]] = []
        last: ast.stmt | None = None  # statement of the last line event
        leaving: ast.stmt | None = None  # the last event was the way out of this `with`
        jump: ast.stmt | None = None  # the return, break or continue that may come back
        for line, depth, variables in raw:
            statement = self._lines.statement.get(line)
            if statement is None or is_silent(statement):
                continue
            if isinstance(statement, (ast.With, ast.AsyncWith)) and self._lines.encloses(statement, last):
                leaving, last = statement, statement
                continue
            if statement is last and leaving is None:
                continue
            if statement is jump and leaving is None and self._in_cleanup(jump, last):
                last = statement
                continue
            if statement is jump and leaving is not None and self._lines.encloses(leaving, jump):
                last, leaving = statement, None
                continue
            if isinstance(statement, (ast.Return, ast.Break, ast.Continue)) and not self._in_cleanup(jump, statement):
                jump = statement
            last, leaving = statement, None
            out.append((statement.lineno, depth, variables))
        return out

    def _in_cleanup(self, jump: ast.stmt | None, last: ast.stmt | None) -> bool:
        """Whether `last` lies in a `finally` whose `try` holds `jump`."""
        node: ast.AST | None = jump
        while node is not None:
            node = self._lines.parents.get(node)
            if isinstance(node, (ast.Try, ast.TryStar)) and self._lines.encloses(node, last, ("finalbody",)):
                return not self._lines.encloses(node, jump, ("finalbody",))
        return False


def is_silent(statement: ast.stmt) -> bool:
    """Statements that do nothing, and the headers of loops with a constant test."""
    if isinstance(statement, ast.While):
        return isinstance(statement.test, ast.Constant)
    if isinstance(statement, ast.AnnAssign):
        return statement.value is None and isinstance(statement.target, ast.Name)
    constant = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
    return constant or isinstance(statement, (ast.Global, ast.Nonlocal))


# -- the same from a trace


def trace_frames(trace: Trace) -> list[Frame]:
    """Frames of a trace in order of entry, in the form of `settrace_run`; locals as its changes build them up."""
    frames: dict[int, Frame] = {}
    variables: dict[int, Locals] = {}
    last: dict[int, ast.AST] = {}
    for step in trace.steps:
        frame = frames.setdefault(step.frame, Frame(step.function))
        now = variables.setdefault(step.frame, {})
        if step.kind in ("statement", "test", "iteration", "exhausted", "draw"):
            assert isinstance(step.node, ast.stmt)
            if not is_silent(step.node) and last.get(step.frame) is not step.node:
                frame.events.append((step.node.lineno, step.depth, dict(now)))
            if not is_silent(step.node):
                last[step.frame] = step.node
        for change in step.changes:
            if change.scope == "local":
                assert now.get(change.name) == change.old, (step, change)
                if change.new is None:
                    del now[change.name]
                else:
                    now[change.name] = change.new
        if step.returned is not None:
            frame.end = ("returned", step.returned)
        if step.raised is not None:
            frame.end = ("raised", step.raised)
    return [frames[k] for k in sorted(frames)]


def _same_end(one: Frame, end: End) -> bool:
    """`sys.settrace` does not say which exception clean-up raised again, nor that one thrown into a generator left it."""
    if end is not None and end[0] == "raised":
        return one.end in (end, ("raised", None)) or (one.end is None and one.generator)
    return one.end == end


def compare_frames(expected: list[Frame], actual: list[Frame], source: str) -> list[str]:
    """What the tracer (`actual`) says otherwise than the independent recorder."""
    lines = source.splitlines()
    if [f.function for f in expected] != [f.function for f in actual]:
        return [f"frames: settrace {[f.function for f in expected][:20]}, traced {[f.function for f in actual][:20]}"]
    for number, (one, two) in enumerate(zip(expected, actual, strict=True)):
        where = f"frame {number} ({one.function})"
        for at, ((line1, depth1, locals1), (line2, depth2, locals2)) in enumerate(
            zip(one.events, two.events, strict=False)
        ):
            if line1 != line2:
                return [
                    f"{where}, event {at}: settrace at {lines[line1 - 1].strip()!r}, traced at {lines[line2 - 1].strip()!r}"
                ]
            if depth1 != depth2:
                return [f"{where}, event {at}, {lines[line1 - 1].strip()!r}: depth {depth1}, traced {depth2}"]
            if locals1 != locals2:
                return [f"{where}, event {at}, {lines[line1 - 1].strip()!r}: locals {locals1}, traced {locals2}"]
        if len(one.events) != len(two.events):
            more = max(one.events, two.events, key=len)[min(len(one.events), len(two.events))]
            return [
                f"{where}: {len(one.events)} events, traced {len(two.events)}; first more {lines[more[0] - 1].strip()!r}"
            ]
        if not _same_end(one, two.end):
            return [f"{where}: ends {one.end}, traced {two.end}"]
    return []

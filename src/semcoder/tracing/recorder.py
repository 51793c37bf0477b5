"""The recorder: what the hooks of instrumented code call, and the columns they fill.

An event is (kind, site, ref) in three parallel columns; kinds are the one-letter codes below. `ref` is a value's ref
over `nodes` (see `semcoder.core.encode`) unless said otherwise.

    c  a frame begins; ref: its number               s  a statement begins; ref: its frame
    e  an expression's value                         t  a condition's truth; ref: bool
    i  a for loop's next iteration; ref: its number  d  the loop ran out of items; ref: how many it had
    m  a comprehension's next item                   k  a case or except clause takes over; ref: its frame
    = a local's new value; site: index into `names`  - a local is gone; site: index into `names`
    g  a global's new value; site: index into `names`
    r  a value is returned                           x  an exception leaves the frame; ref: the exception
    h  and this is the exception it caught           z  the frame has ended, after clean-up; ref: its number
    y  control is given up with this value           v  and is back; ref: its frame (e follows: the value sent)
    o  text is printed; ref: the text
    u  a suspended frame is on the stack again, under one it waits for   w  and is off it again; ref: its frame

Changes of locals are found by comparing the frame's variables at each hook with what they last were: aliases and
mutation by callees are seen wherever they happen, without trusting any analysis.
Guarantees: values are exact as of their moment; when a bound is passed, recording stops, `truncated` is set, the
program goes on undisturbed, and what was recorded stays exact.
An error inside the encoder (an object that cannot be looked at) stops the recording in the same way, never the program.
It does not follow other threads: only the thread that started the recording is recorded. It keeps recorded objects
without weak references (lists, dicts and what they hold) alive until the trace is done: their finalizers run later.

Runs inside the sandbox: standard library only.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from types import FrameType, FunctionType, ModuleType
from typing import Any

from semcoder.core.encode import Encoder
from semcoder.core.unfolding import Ref
from semcoder.tracing.instrument import hook_name

MAX_EVENTS = 1_000_000

_IMMUTABLE = frozenset({int, str, bool, type(None), float, bytes, complex, range, FunctionType, type})
_LIVELY = 0x20 | 0x80 | 0x100 | 0x200  # code flags of generators, coroutines, iterable coroutines, async generators
_AWAITS = 0x80 | 0x100 | 0x200
_ASYNC_GENERATOR = 0x200
#: Names whose mention may give the program the very dict that `f_locals` fills before Python 3.13.
_LOCALS_READERS = frozenset({"locals", "vars", "dir", "eval", "exec"})
#: Below this distance from the recursion limit, the limit is raised by `_HOOK_FRAMES` so that hooks always fit.
_DEEP = 150
_HOOK_FRAMES = 2_000
#: A method's cell, and what every module has from the start.
_HIDDEN = frozenset({"__class__", "__name__", "__doc__", "__package__", "__loader__", "__spec__", "__builtins__"})
_getframe = sys._getframe


def same_ref(a: Ref, b: Ref) -> bool:
    """Strict equality of two refs over one table."""
    return type(a) is type(b) and bool(a == b)


class Recorder:
    """Records one run. Give `builtins()` to the instrumented module, call `start` and `stop` around the run."""

    def __init__(self, *, max_events: int = MAX_EVENTS, encoder: Encoder | None = None) -> None:
        self.encoder = encoder or Encoder()
        self.kinds: list[str] = []
        self.sites: list[int] = []
        self.refs: list[Ref] = []
        self.names: list[str] = []
        self.truncated = False
        self.globals_of: dict[int, tuple[str, ...]] = {}
        self._max_events = min(max_events, MAX_EVENTS)
        self._on = False
        self._thread = 0
        self._name_index: dict[str, int] = {}
        self._frames: dict[FrameType, int] = {}
        self._frame_count = 0
        self._locals: dict[int, dict[str, tuple[Any, Ref]]] = {}
        self._watched: dict[int, tuple[str, ...]] = {}
        self._global_refs: dict[tuple[int, str], Ref] = {}
        self._counts: dict[tuple[int, int], int] = {}
        self._operand: Any = None
        self._suspended: set[int] = set()
        self._delegating: set[int] = set()
        self._dicts: dict[int, dict[str, Any]] = {}
        self._depths: dict[int, int] = {}
        self._limits: tuple[int, int] | None = None  # (the program's recursion limit, ours) while raised

    def start(self) -> None:
        self._thread = threading.get_ident()
        self._on = True

    def stop(self) -> None:
        self._on = False
        self._restore_limit()

    def on_write(self, text: str) -> None:
        """Note printed text at its place among the events."""
        if self._on and self._ready():
            self._emit("o", -1, text)

    def columns(self) -> dict[str, Any]:
        """The recorded trace as plain JSON data."""
        return {
            "kinds": "".join(self.kinds),
            "sites": self.sites,
            "refs": self.refs,
            "names": self.names,
            "nodes": self.encoder.nodes,
            "truncated": self.truncated,
        }

    # -- columns

    def _emit(self, kind: str, site: int, ref: Ref) -> None:
        if len(self.kinds) >= self._max_events:
            self._truncate()
            return
        self.kinds.append(kind)
        self.sites.append(site)
        self.refs.append(ref)

    def _truncate(self) -> None:
        self.truncated = True
        self._on = False

    def _value(self, kind: str, site: int, value: Any) -> None:
        try:
            ref = self.encoder.ref(value)
        except Exception:  # whatever looking at an object of the program does must not reach the program
            self._truncate()
            return
        self._emit(kind, site, ref)

    def _name(self, name: str) -> int:
        index = self._name_index.get(name)
        if index is None:
            index = self._name_index[name] = len(self.names)
            self.names.append(name)
        return index

    # -- frames and their variables

    def _enter(self, frame: FrameType) -> int | None:
        """The number of a frame that a hook was called from; None for one whose beginning was not seen."""
        number = self._frames.get(frame)
        if self._suspended:
            self._wake(frame)
        if self._delegating and number is not None:
            self._delegating.discard(number)
        return number

    def _wake(self, frame: FrameType | None) -> None:
        """This frame and those below it run: note those that were suspended (thrown into, or waiting for another)."""
        awake = []
        while frame is not None:
            number = self._frames.get(frame)
            if number in self._suspended:
                awake.append(number)
            elif number is not None:
                break
            frame = frame.f_back
        for number in reversed(awake):
            self._suspended.discard(number)
            self._emit("u", -1, number)

    def _suspend_waiting(self, frame: FrameType, awaits: bool) -> None:
        """A frame gives up control: so do those that wait for it (`awaits`: it is an `await`)."""
        back = frame.f_back
        while back is not None and back.f_code.co_flags & _LIVELY:
            number = self._frames.get(back)
            waits = number in self._delegating or (awaits and back.f_code.co_flags & _AWAITS)
            if not waits:
                break
            if number is not None and number not in self._suspended:
                self._suspended.add(number)
                self._emit("w", -1, number)
            back = back.f_back

    def _variables(self, frame: FrameType, number: int) -> dict[str, Any]:
        """The frame's variables by name; what the program sees through `locals()` is not refreshed by looking."""
        held = self._dicts.get(number)
        if held is None:
            return frame.f_locals
        before = dict(held)
        now = dict(frame.f_locals)  # fills `held`
        if before.keys() != now.keys() or any(before[name] is not now[name] for name in before):
            held.clear()
            held.update(before)
        return now

    def _changes(self, frame: FrameType, number: int, skip: tuple[str, ...] = ()) -> None:
        """Emit what changed among the frame's variables since its last hook."""
        last = self._locals[number]
        try:
            current = self._variables(frame, number)
            for name, value in current.items():
                old = last.get(name)
                # An atom is held itself, anything else as None: the same atom again is no change.
                if old is not None and old[0] is value and value is not None:
                    continue
                if name in skip or name[0] == "." or name in _HIDDEN:
                    continue
                kind = type(value)
                ref = self.encoder.ref(value)
                # Nothing but atoms is held: the program decides when its objects die.
                last[name] = (value if kind in _IMMUTABLE else None, ref)
                if old is None or not same_ref(old[1], ref):
                    self._emit("=", self._name(name), ref)
            if not last.keys() <= current.keys():
                for name in [name for name in last if name not in current and name not in skip]:
                    del last[name]
                    self._emit("-", self._name(name), None)
            watched = self._watched.get(number)
            if watched:
                self._global_changes(frame.f_globals, watched)
        except Exception:  # as in `_value`
            self._truncate()

    def _global_changes(self, space: dict[str, Any], names: tuple[str, ...]) -> None:
        for name in names:
            key = (id(space), name)
            if name in space and not issubclass(type(space[name]), (FunctionType, ModuleType, type)):
                ref = self.encoder.ref(space[name])
                if key not in self._global_refs or not same_ref(self._global_refs[key], ref):
                    self._global_refs[key] = ref
                    self._emit("g", self._name(name), ref)

    # -- hooks

    def builtins(self) -> dict[str, Any]:
        """The hooks by the names under which instrumented code calls them."""
        methods: dict[str, Callable[..., Any]] = {
            "S": self.statement,
            "L": self.statement,
            "E": self.expression,
            "T": self.condition,
            "I": self.iteration,
            "D": self.exhausted,
            "IT": self.items,
            "C": self.caught,
            "K": self.case,
            "F": self.flush,
            "N": self.begin,
            "R": self.returns,
            "Q": self.returns_with_cleanup,
            "X": self.leaves,
            "Z": self.ended,
            "Y": self.gives,
            "W": self.waits,
            "B": self.operand,
            "BO": self.operation,
            "V": self.takes,
        }
        return {**{hook_name(hook): method for hook, method in methods.items()}, "__sc_Error__": BaseException}

    def _ready(self) -> bool:
        return self._on and threading.get_ident() == self._thread

    def _frame_hook(self, frame: FrameType) -> int:
        """The frame's number after its changes are noted; -1 where nothing is to be recorded."""
        number = self._enter(frame)
        if number is None:
            return -1
        self._changes(frame, number)
        return number

    def statement(self, site: int) -> None:
        if self._on and self._ready():
            number = self._frame_hook(_getframe(1))
            if number >= 0:
                if self._counts:
                    self._counts.pop((number, site), None)  # a for loop starts afresh, though a break once left it
                self._emit("s", site, number)

    def expression(self, site: int, value: Any) -> Any:
        if self._on and self._ready():
            self._value("e", site, value)
        return value

    def condition(self, site: int, value: Any) -> bool:
        truth = bool(value)  # may run code of the program, exactly once, as the plain condition would
        if self._on and self._ready():
            self._emit("t", site, truth)
        return truth

    def operand(self, site: int, value: Any) -> bool:
        """Truth of an operand of `and`, `or` or a conditional expression that is itself a condition."""
        truth = bool(value)
        self._operand = value
        return truth

    def operation(self, site: int, truth: bool) -> bool:
        """The whole of it: its value is that of the operand looked at last."""
        if self._on and self._ready():
            self._value("e", site, self._operand)
        return truth

    def iteration(self, site: int, names: tuple[str, ...]) -> None:
        if self._on and self._ready():
            frame = _getframe(1)
            number = self._enter(frame)
            if number is None:
                return
            count = self._counts[number, site] = self._counts.get((number, site), 0) + 1
            if count == 1:  # what the iterable's evaluation did belongs to the statement
                self._changes(frame, number, skip=names)
            self._emit("i", site, count)
            self._changes(frame, number)

    def exhausted(self, site: int) -> None:
        if self._on and self._ready():
            frame = _getframe(1)
            number = self._enter(frame)
            if number is None:
                return
            count = self._counts.pop((number, site), 0)
            if not count:
                self._changes(frame, number)
            self._emit("d", site, count)
            self._changes(frame, number)

    def items(self, site: int, iterable: Iterable[Any]) -> Iterator[Any]:
        iterator = iter(iterable)  # here, where the plain code would find out that it is not iterable
        return self._items(site, iterator)

    def _items(self, site: int, iterator: Iterator[Any]) -> Iterator[Any]:
        for item in iterator:
            if self._on and self._ready():
                self._value("m", site, item)
            yield item

    def caught(self, site: int, names: tuple[str, ...]) -> None:
        if self._on and self._ready():
            frame = _getframe(1)
            number = self._enter(frame)
            if number is not None:
                self._changes(frame, number, skip=names)
                self._emit("k", site, number)
                self._value("h", site, sys.exc_info()[1])
                self._changes(frame, number)

    def case(self, site: int) -> None:
        if self._on and self._ready():
            frame = _getframe(1)
            number = self._enter(frame)
            if number is not None:
                self._emit("k", site, number)
                self._changes(frame, number)

    def flush(self, site: int) -> None:
        if self._on and self._ready():
            self._frame_hook(_getframe(1))

    def begin(self, site: int) -> None:
        if self._on and self._ready():
            frame = _getframe(1)
            if self._suspended:
                self._wake(frame.f_back)
            number = self._frame_count
            self._check_depth(frame, number)
            self._frame_count += 1
            self._frames[frame] = number
            self._locals[number] = {}
            self._watched[number] = self.globals_of.get(site, ())
            if sys.version_info < (3, 13) and not _LOCALS_READERS.isdisjoint(frame.f_code.co_names):
                self._dicts[number] = frame.f_locals
            self._emit("c", site, number)
            self._changes(frame, number)

    def returns(self, site: int, value: Any) -> Any:
        if self._on and self._ready():
            frame = _getframe(1)
            number = self._frame_hook(frame)
            if number >= 0:
                self._value("r", site, value)
                self._emit("z", site, number)
                self._forget(frame)
        return value

    def returns_with_cleanup(self, site: int, value: Any) -> Any:
        if self._on and self._ready() and self._frame_hook(_getframe(1)) >= 0:
            self._value("r", site, value)
        return value

    def leaves(self, site: int) -> None:
        if self._on and self._ready():
            frame = _getframe(1)
            number = self._frame_hook(frame)
            if number >= 0:
                self._value("x", site, sys.exc_info()[1])
                self._emit("z", site, number)
                self._forget(frame)

    def ended(self, site: int) -> None:
        if self._on and self._ready():
            frame = _getframe(1)
            number = self._frame_hook(frame)
            if number >= 0:
                self._emit("z", site, number)
                self._forget(frame)

    def gives(self, site: int, value: Any) -> Any:
        if self._on and self._ready():
            frame = _getframe(1)
            number = self._frame_hook(frame)
            if number >= 0:
                self._value("y", site, value)
                self._suspended.add(number)
            if not frame.f_code.co_flags & _ASYNC_GENERATOR:  # its consumer goes on
                self._suspend_waiting(frame, awaits=False)
        return value

    def waits(self, site: int, value: Any) -> Any:
        """`yield from` and `await`: what control is given to may suspend this frame, or run on top of it."""
        if self._on and self._ready():
            frame = _getframe(1)
            number = self._frame_hook(frame)
            if number >= 0:
                self._value("y", site, value)
                self._suspended.add(number)
                self._delegating.add(number)
            self._suspend_waiting(frame, awaits=bool(frame.f_code.co_flags & _AWAITS))
        return value

    def takes(self, site: int, value: Any) -> Any:
        if self._on and self._ready():
            frame = _getframe(1)
            number = self._frames.get(frame)
            if number is not None:
                self._suspended.discard(number)
                self._delegating.discard(number)
            if self._suspended:
                self._wake(frame.f_back)
            if number is not None:
                self._emit("v", site, number)
            self._value("e", site, value)
        return value

    def _forget(self, frame: FrameType) -> None:
        """A frame that ended: its number is never used again, its variables are let go."""
        number = self._frames.pop(frame)
        self._locals.pop(number, None)
        self._watched.pop(number, None)
        self._dicts.pop(number, None)
        self._depths.pop(number, None)

    # -- the recursion limit

    def _check_depth(self, frame: FrameType, number: int) -> None:
        """Keep the program's recursion limit where it was, though hooks need frames too.

        Near the limit it is raised for the hooks' sake, and a frame too many is refused here. Raises RecursionError.
        """
        back, depth = frame.f_back, 1
        while back is not None:
            known = self._frames.get(back)
            if known is not None:
                depth += self._depths[known]
                break
            back, depth = back.f_back, depth + 1
        self._depths[number] = depth
        limit = sys.getrecursionlimit()
        if self._limits is not None:
            if limit != self._limits[1]:
                self._limits = None  # the program has set its own since
            elif depth > self._limits[0]:
                raise RecursionError("maximum recursion depth exceeded")
            elif depth < self._limits[0] - 2 * _DEEP:
                self._restore_limit()
        elif depth > limit - _DEEP:
            self._limits = limit, limit + _HOOK_FRAMES
            sys.setrecursionlimit(limit + _HOOK_FRAMES)

    def _restore_limit(self) -> None:
        if self._limits is not None and sys.getrecursionlimit() == self._limits[1]:
            sys.setrecursionlimit(self._limits[0])
        self._limits = None

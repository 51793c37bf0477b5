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

Changes of locals are found by comparing the frame's variables at each hook with what they last were: aliases and
mutation by callees are seen wherever they happen, without trusting any analysis.
Guarantees: values are exact as of their moment; when a bound is passed, recording stops, `truncated` is set, the
program goes on undisturbed, and what was recorded stays exact.
It does not follow other threads: only the thread that started the recording is recorded. It keeps every recorded
object alive until the trace is done, so that finalizers run later than they would.

Runs inside the sandbox: standard library only.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from types import FrameType, FunctionType, ModuleType
from typing import Any

from semcoder.core.encode import Encoder, Ref, TooLarge
from semcoder.tracing.instrument import hook_name

MAX_EVENTS = 1_000_000

_IMMUTABLE = frozenset({int, str, bool, type(None), float, bytes, complex, range, FunctionType, type})
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
        self._max_events = max_events
        self._on = False
        self._thread = 0
        self._name_index: dict[str, int] = {}
        self._frames: dict[FrameType, int] = {}
        self._frame_count = 0
        self._locals: dict[int, dict[str, tuple[Any, Ref]]] = {}
        self._watched: dict[int, tuple[str, ...]] = {}
        self._global_refs: dict[tuple[int, str], Ref] = {}
        self._counts: dict[tuple[int, int], int] = {}

    def start(self) -> None:
        self._thread = threading.get_ident()
        self._on = True

    def stop(self) -> None:
        self._on = False

    def on_write(self, text: str) -> None:
        """Note printed text at its place among the events."""
        if self._on:
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
        except TooLarge:
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

    def _enter(self, frame: FrameType) -> int:
        number = self._frames.get(frame)
        if number is None:
            number = self._frames[frame] = self._frame_count
            self._frame_count += 1
            self._locals[number] = {}
        return number

    def _changes(self, frame: FrameType, number: int, only: tuple[str, ...] | None = None, skip: Any = ()) -> None:
        """Emit what changed among the frame's variables since its last hook."""
        last = self._locals[number]
        current = frame.f_locals
        try:
            for name, value in current.items():
                if (only is not None and name not in only) or name in skip:
                    continue
                old = last.get(name)
                if old is not None and old[0] is value and type(value) in _IMMUTABLE:
                    continue
                if name[0] == "." or name == "__class__":
                    continue
                ref = self.encoder.ref(value)
                last[name] = (value, ref)
                if old is None or not same_ref(old[1], ref):
                    self._emit("=", self._name(name), ref)
            if len(last) > len(current) or any(name not in current for name in last):
                for name in [name for name in last if name not in current and name not in skip]:
                    del last[name]
                    self._emit("-", self._name(name), None)
            watched = self._watched.get(number)
            if watched:
                self._global_changes(frame.f_globals, watched)
        except TooLarge:
            self._truncate()

    def _global_changes(self, space: dict[str, Any], names: tuple[str, ...]) -> None:
        for name in names:
            key = (id(space), name)
            if name in space and not isinstance(space[name], (FunctionType, ModuleType, type)):
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
            "V": self.takes,
        }
        return {**{hook_name(hook): method for hook, method in methods.items()}, "__sc_Error__": BaseException}

    def _ready(self) -> bool:
        return self._on and threading.get_ident() == self._thread

    def statement(self, site: int) -> None:
        if self._on and self._ready():
            frame = _getframe(1)
            number = self._enter(frame)
            self._changes(frame, number)
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

    def iteration(self, site: int, names: tuple[str, ...]) -> None:
        if self._on and self._ready():
            frame = _getframe(1)
            number = self._enter(frame)
            self._changes(frame, number, skip=names)
            count = self._counts[number, site] = self._counts.get((number, site), 0) + 1
            self._emit("i", site, count)
            self._changes(frame, number)

    def exhausted(self, site: int) -> None:
        if self._on and self._ready():
            frame = _getframe(1)
            number = self._enter(frame)
            self._changes(frame, number)
            self._emit("d", site, self._counts.pop((number, site), 0))

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
            self._changes(frame, number, skip=names)
            self._emit("k", site, number)
            self._value("h", site, sys.exc_info()[1])
            self._changes(frame, number)

    def case(self, site: int) -> None:
        if self._on and self._ready():
            frame = _getframe(1)
            number = self._enter(frame)
            self._emit("k", site, number)
            self._changes(frame, number)

    def flush(self, site: int) -> None:
        if self._on and self._ready():
            frame = _getframe(1)
            self._changes(frame, self._enter(frame))

    def begin(self, site: int) -> None:
        if self._on and self._ready():
            frame = _getframe(1)
            number = self._enter(frame)
            self._watched[number] = self.globals_of.get(site, ())
            self._emit("c", site, number)
            self._changes(frame, number)

    def returns(self, site: int, value: Any) -> Any:
        if self._on and self._ready():
            frame = _getframe(1)
            number = self._enter(frame)
            self._changes(frame, number)
            self._value("r", site, value)
            self._emit("z", site, number)
            self._forget(frame)
        return value

    def returns_with_cleanup(self, site: int, value: Any) -> Any:
        if self._on and self._ready():
            frame = _getframe(1)
            self._changes(frame, self._enter(frame))
            self._value("r", site, value)
        return value

    def leaves(self, site: int) -> None:
        if self._on and self._ready():
            frame = _getframe(1)
            number = self._enter(frame)
            self._changes(frame, number)
            self._value("x", site, sys.exc_info()[1])
            self._emit("z", site, number)
            self._forget(frame)

    def ended(self, site: int) -> None:
        if self._on and self._ready():
            frame = _getframe(1)
            if frame in self._frames:
                number = self._frames[frame]
                self._changes(frame, number)
                self._emit("z", site, number)
                self._forget(frame)

    def gives(self, site: int, value: Any) -> Any:
        if self._on and self._ready():
            frame = _getframe(1)
            number = self._enter(frame)
            self._changes(frame, number)
            self._value("y", site, value)
        return value

    def takes(self, site: int, value: Any) -> Any:
        if self._on and self._ready():
            self._emit("v", site, self._enter(_getframe(1)))
            self._value("e", site, value)
        return value

    def _forget(self, frame: FrameType) -> None:
        """A frame that ended: its number is never used again, its variables are let go."""
        number = self._frames.pop(frame)
        self._locals.pop(number, None)
        self._watched.pop(number, None)

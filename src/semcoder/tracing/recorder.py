"""The recorder: what the hooks of instrumented code call, and the columns they fill.

An event is (kind, site, ref); kinds are the one-letter codes below. `ref` is a value's ref over `nodes` (see
`semcoder.core.encode`) unless said otherwise. `semcoder.tracing.columns` has the form in which they travel.

    c  a frame begins; ref: its number               s  a statement begins; ref: its frame
    e  an expression's value                         t  a condition's truth; ref: bool
    i  a for loop's next iteration; ref: its number  d  the loop ran out of items; ref: how many it had
    n  a for loop, after an iteration, fails to draw or to bind its next item; ref: which that would be
    m  a comprehension's next item                   k  a case or except clause takes over; ref: its frame
    = a local's new value; site: index into `names`  - a local is gone; site: index into `names`
    g  a global's new value; site: index into `names`
    r  a value is returned                           x  an exception leaves the frame; ref: the exception
    h  and this is the exception it caught           z  the frame has ended, after clean-up; ref: its number
    y  control is given up with this value           v  and is back; ref: its frame (e follows: the value sent)
    o  text is printed; ref: the text
    u  a suspended frame is on the stack again, under one it waits for   w  and is off it again; ref: its frame

Changes of locals are found by comparing the frame's variables at each hook with what they last were: aliases and
mutation by callees are seen wherever they happen. One kind of statement is spared that: a *calm* one (see
`semcoder.tracing.instrument`) in a frame whose variables are plain data all the way down, so that no code of the
program can run in it; what it may bind or store into is told by its own hooks.
Guarantees: values are exact as of their moment; when a bound is passed, recording stops, `truncated` is set, the
program goes on undisturbed, and what was recorded stays exact.
An error inside the encoder (an object that cannot be looked at) stops the recording in the same way, never the program.
It does not follow other threads: only the thread that started the recording is recorded. It keeps recorded objects
without weak references (lists, dicts and what they hold) alive until the trace is done: their finalizers run later.

Runs inside the sandbox: standard library only.
"""

from __future__ import annotations

import itertools
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from types import FrameType, FunctionType, ModuleType
from typing import Any

from semcoder.core.encode import MAX_TEXT, Encoder
from semcoder.core.unfolding import Ref, TooLarge
from semcoder.tracing import columns
from semcoder.tracing.instrument import PURE_BUILTINS, hook_name

MAX_EVENTS = 1_000_000

_IMMUTABLE = frozenset({int, str, bool, type(None), float, bytes, complex, range, FunctionType, type})
#: What a calm statement may bind without a look at the other variables.
_CALM_TYPES = frozenset({int, str, float, bool, complex, bytes, type(None)})
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
_get_ident = threading.get_ident
#: Ints closer to zero than this are compared at full speed.
_SMALL = 1 << 29
_MISSING: Any = object()
#: How loud a frame is: what its last statement may have changed.
_CALM, _STORED, _LOUD = 0, 1, 2


def same_ref(a: Ref, b: Ref) -> bool:
    """Strict equality of two refs over one table."""
    return type(a) is type(b) and bool(a == b)


class RecordingFull(BaseException):
    """Raised into a program that is to end where its recording does; not an Exception, so that handlers let it pass."""


def _raised_at(error: BaseException, frame: FrameType) -> tuple[int, int] | None:
    """Line and column of what a frame was at when an exception came up in it or through it."""
    trail = error.__traceback__
    if trail is None or trail.tb_frame is not frame:
        return None
    found = next(itertools.islice(frame.f_code.co_positions(), trail.tb_lasti // 2, None), None)
    line, _, column, _ = found or (None, None, None, None)
    return None if line is None or column is None else (line, column)


def _is_place(ref: Ref) -> bool:
    return type(ref) is tuple and len(ref) == 1 and type(ref[0]) is int


class _State:
    """A frame under record: its number, what its variables last were, and whether they have to be looked at."""

    __slots__ = ("always", "counts", "held", "impure", "loud", "number", "refs", "simple", "watched")

    def __init__(self, number: int, watched: tuple[str, ...], always: bool) -> None:
        self.number = number
        self.refs: dict[str, Ref] = {}
        self.held: dict[str, Any] = {}  # values that never change, by which an encoded ref is known again
        self.watched = watched
        self.always = always  # calm statements cannot be trusted here
        self.loud = _LOUD
        self.impure: set[str] = set()  # variables that code of the program may lie behind
        self.simple = False  # no variable holds a container in a container: a store changes what it names, no more
        self.counts: dict[int, int] = {}  # iterations of running for loops


class Recorder:
    """Records one run. Give `builtins()` to the instrumented module, call `start` and `stop` around the run.

    `max_events` and `max_bytes` bound what is recorded: events, and the text and parts of values in bytes. `ends`: the
    program is ended there, by `RecordingFull`, instead of going on unrecorded.
    """

    def __init__(self, *, max_events: int = MAX_EVENTS, max_bytes: int = MAX_TEXT, ends: bool = False) -> None:
        self.encoder = Encoder(max_text=max_bytes, deltas=True)
        self.codes: list[int] = []
        self.values: list[Ref] = []
        self.counts: list[int] = []
        self.texts: list[str] = []
        self.names: list[str] = []
        self.truncated = False
        self.globals_of: dict[int, tuple[str, ...]] = {}
        self.heads_of: dict[int, tuple[tuple[int, int], tuple[int, int]]] = {}
        self._max_events = min(max_events, MAX_EVENTS)
        self._ends = ends
        self._me = -1  # the recorded thread, -1 while nothing is recorded
        self._name_index: dict[str, int] = {}
        self._frames: dict[FrameType, _State] = {}
        self._frame_count = 0
        self._global_refs: dict[tuple[int, str], Ref] = {}
        self._operand: Any = None
        self._pending: list[tuple[Any, int]] = []
        self._suspended: set[int] = set()
        self._delegating: set[int] = set()
        self._dicts: dict[int, dict[str, Any]] = {}
        self._depths: dict[int, int] = {}
        self._limits: tuple[int, int] | None = None  # (the program's recursion limit, ours) while raised

    def start(self) -> None:
        self._me = _get_ident()

    def stop(self) -> None:
        self._me = -1
        self._pending.clear()
        self._restore_limit()

    def on_write(self, text: str) -> None:
        """Note printed text at its place among the events."""
        if _get_ident() == self._me and self._room():
            try:
                self.encoder.ref(text)  # counts its size
            except TooLarge:
                self._truncate()
                return
            self.codes.append(columns.code("o", -1))
            self.texts.append(text)

    def columns(self) -> dict[str, Any]:
        """The recorded trace as JSON data, packed: see `semcoder.tracing.columns`."""
        return columns.packed(
            self.codes, self.values, self.counts, self.texts, self.names, self.encoder.nodes, self.truncated
        )

    # -- columns

    def _room(self) -> bool:
        """Whether one more event fits; recording stops where it does not."""
        if len(self.codes) < self._max_events:
            return True
        del self.codes[self._max_events :]
        self._truncate()
        return False

    def _truncate(self) -> None:
        self.truncated = True
        self._me = -1
        if self._ends:
            raise RecordingFull("the recording is full")

    def _emit(self, kind: str, site: int, count: int) -> None:
        if self._me != -1 and self._room():
            self.codes.append(columns.code(kind, site))
            self.counts.append(count)

    def _emit_ref(self, kind: str, site: int, ref: Ref) -> None:
        if self._me != -1 and self._room():
            self.codes.append(columns.code(kind, site))
            self.values.append(ref)

    def _value(self, kind: str, site: int, value: Any) -> None:
        try:
            ref = self.encoder.ref(value)
        except Exception:  # whatever looking at an object of the program does must not reach the program
            self._truncate()
            return
        self._emit_ref(kind, site, ref)

    def _name(self, name: str) -> int:
        index = self._name_index.get(name)
        if index is None:
            index = self._name_index[name] = len(self.names)
            self.names.append(name)
        return index

    # -- frames and their variables

    def _enter(self, frame: FrameType) -> _State | None:
        """The state of a frame that a hook was called from; None for one whose beginning was not seen."""
        state = self._frames.get(frame)
        if self._suspended:
            self._wake(frame)
        if self._delegating and state is not None:
            self._delegating.discard(state.number)
        return state

    def _wake(self, frame: FrameType | None) -> None:
        """This frame and those below it run: note those that were suspended (thrown into, or waiting for another)."""
        awake = []
        while frame is not None:
            state = self._frames.get(frame)
            if state is not None:
                if state.number not in self._suspended:
                    state.loud = _LOUD
                    break
                awake.append(state.number)
            frame = frame.f_back
        for number in reversed(awake):
            self._suspended.discard(number)
            self._emit("u", -1, number)

    def _suspend_waiting(self, frame: FrameType, awaits: bool) -> None:
        """A frame gives up control: so do those that wait for it (`awaits`: it is an `await`)."""
        back = frame.f_back
        while back is not None and back.f_code.co_flags & _LIVELY:
            state = self._frames.get(back)
            number = state.number if state is not None else None
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
            return frame.f_locals if sys.version_info < (3, 13) else dict(frame.f_locals)
        before = dict(held)
        now = dict(frame.f_locals)  # fills `held`
        if before.keys() != now.keys() or any(before[name] is not now[name] for name in before):
            held.clear()
            held.update(before)
        return now

    def _changes(self, frame: FrameType, state: _State, skip: tuple[str, ...] = ()) -> None:
        """Emit what changed among the frame's variables since its last hook."""
        if not skip and (state.loud == _CALM or (state.loud == _STORED and self._stored(state))):
            return
        self._pending.clear()
        refs, held = state.refs, state.held
        try:
            current = self._variables(frame, state.number)
            for name, value in current.items():
                ref = refs.get(name, _MISSING)
                if ref is value or (name in held and held[name] is value):
                    continue
                if name in skip or name[0] == "." or name in _HIDDEN:
                    continue
                self._look(state, name, value, ref)
            if not refs.keys() <= current.keys():
                for name in [name for name in refs if name not in current and name not in skip]:
                    del refs[name]
                    held.pop(name, None)
                    state.impure.discard(name)
                    self._gone(name)
            calm = not (state.watched and self._global_changes(frame.f_globals, state)) and not state.impure
            state.loud = _CALM if calm and not state.always and not skip else _LOUD
            if state.loud == _CALM:
                state.simple = not self._nested(frame.f_globals, state)
        except Exception:  # as in `_value`
            self._truncate()

    def _look(self, state: _State, name: str, value: Any, last: Ref) -> None:
        """Encode a variable and emit its change, if it is one."""
        ref = self.encoder.ref(value)
        kind = type(value)
        state.refs[name] = ref
        if kind in _IMMUTABLE and ref is not value:
            # Nothing but atoms is held: the program decides when its objects die.
            state.held[name] = value
        elif name in state.held:
            del state.held[name]
        if last is _MISSING or not same_ref(last, ref):
            if type(ref) is tuple and ref[0] in self.encoder.impure:
                state.impure.add(name)
            elif name in state.impure:
                state.impure.discard(name)
            self._emit_ref("=", self._name(name), ref)

    def _gone(self, name: str) -> None:
        if self._room():
            self.codes.append(columns.code("-", self._name(name)))

    def _nested(self, space: dict[str, Any], state: _State) -> bool:
        """Whether a variable holds a container that may hold another, or a watched global any at all."""
        for name in state.watched:
            if _is_place(self._global_refs.get((id(space), name))):
                return True
        return not all(self.encoder.is_leaf(ref[0]) for ref in state.refs.values() if _is_place(ref))

    def _stored(self, state: _State) -> bool:
        """After stores into items of lists: emit what they changed; False where all variables have to be looked at."""
        if not state.simple:
            return False
        by_list: dict[int, tuple[Any, list[int]]] = {}
        for target, index in self._pending:
            by_list.setdefault(id(target), (target, []))[1].append(index)
        self._pending.clear()
        if len(by_list) != 1:
            return False
        ((target, indices),) = by_list.values()
        try:
            before = self.encoder.known(target)
            names = [name for name, ref in state.refs.items() if ref == before and type(ref) is tuple]
            after = self.encoder.touch(target, indices) if len(names) == 1 else None
        except Exception:  # as in `_value`
            self._truncate()
            return True
        if after is None:
            return False
        if after != before:
            state.refs[names[0]] = after
            self._emit_ref("=", self._name(names[0]), after)
        state.loud = _CALM
        return True

    def _global_changes(self, space: dict[str, Any], state: _State) -> bool:
        """Emit changes of watched globals; True where code of the program may lie behind one."""
        impure = False
        for name in state.watched:
            if name not in space:
                continue
            value = space[name]
            kind = type(value)
            if issubclass(kind, (FunctionType, ModuleType, type)):
                impure = impure or (kind is not type and issubclass(kind, type))
                continue
            key = (id(space), name)
            ref = self.encoder.ref(value)
            impure = impure or (type(ref) is tuple and ref[0] in self.encoder.impure)
            if key not in self._global_refs or not same_ref(self._global_refs[key], ref):
                self._global_refs[key] = ref
                self._emit_ref("g", self._name(name), ref)
        return impure

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
            **self._calm_hooks(),
        }
        return {**{hook_name(hook): method for hook, method in methods.items()}, "__sc_Error__": BaseException}

    def _calm_hooks(self) -> dict[str, Callable[..., Any]]:
        """The hooks of calm statements: what they do, the others would do too, as fast as Python goes.

        They get codes (see `semcoder.tracing.columns`) for sites. They may pass `max_events` until the next statement.
        """
        rebound = self._rebinder()
        return {
            "SQ": self._calm_statement(),
            "IQ": self._calm_iteration(rebound),
            **self._calm_values(),
            **self._calm_bindings(rebound),
        }

    def _rebinder(self) -> Callable[[_State, str, Any], None]:
        add_code, add_value = self.codes.append, self.values.append
        changed: dict[str, int] = {}  # name -> code of its change

        def rebound(state: _State, name: str, value: Any) -> None:
            """A calm statement is about to bind, or has bound, this name."""
            kind = type(value)
            old = state.refs.get(name, _MISSING)
            if old is value:
                return
            if kind is bool or (kind is int and -_SMALL < value < _SMALL):
                if name in state.held:
                    del state.held[name]
                state.refs[name] = value
                if type(old) is not kind or old != value:
                    code = changed.get(name)
                    if code is None:
                        code = changed[name] = columns.code("=", self._name(name))
                    add_code(code)
                    add_value(value)
            elif kind in _CALM_TYPES:
                try:
                    self._look(state, name, value, old)
                except TooLarge:
                    self._truncate()
            else:
                state.loud = _LOUD

        return rebound

    def _calm_statement(self) -> Callable[[int], None]:
        frames, suspended, limit = self._frames, self._suspended, self._max_events
        codes, add_code, add_count = self.codes, self.codes.append, self.counts.append

        def statement(site: int) -> None:
            if _get_ident() == self._me:
                frame = _getframe(1)
                state = frames.get(frame)
                if state is None:
                    return
                if suspended or state.loud:
                    self._frame_hook(frame)
                if len(codes) >= limit:
                    self._room()
                elif self._me != -1:
                    add_code(site)
                    add_count(state.number)

        return statement

    def _calm_values(self) -> dict[str, Callable[..., Any]]:
        add_code, add_value, add_count = self.codes.append, self.values.append, self.counts.append
        judged = columns.code("t", -1) - columns.code("e", -1)

        def expression(site: int, value: Any) -> Any:
            if _get_ident() == self._me:
                kind = type(value)
                if kind is bool or (kind is int and -_SMALL < value < _SMALL):
                    add_code(site)
                    add_value(value)
                else:
                    self._value("e", columns.site(site), value)
            return value

        def condition(site: int, value: Any) -> bool:
            if _get_ident() != self._me or type(value) is not bool:
                return self.condition(columns.site(site), self.expression(columns.site(site), value))
            add_code(site)
            add_value(value)
            add_code(site + judged)
            add_count(value)
            return value

        return {"EQ": expression, "ET": condition}

    def _calm_bindings(self, rebound: Callable[[_State, str, Any], None]) -> dict[str, Callable[..., Any]]:
        frames, pending = self._frames, self._pending
        add_code, add_value = self.codes.append, self.values.append

        def told_and_bound(site: int, value: Any, name: str) -> Any:
            if _get_ident() == self._me:
                if type(value) is int and -_SMALL < value < _SMALL:
                    add_code(site)
                    add_value(value)
                else:
                    self._value("e", columns.site(site), value)
                state = frames.get(_getframe(1))
                if state is not None and not state.loud and self._me != -1:
                    rebound(state, name, value)
            return value

        def bound(_site: int, value: Any, name: str) -> Any:
            if _get_ident() == self._me:
                state = frames.get(_getframe(1))
                if state is not None and not state.loud:
                    rebound(state, name, value)
            return value

        def stored(_site: int, target: Any, index: Any) -> Any:
            """An item of a list is about to be stored, or its end to change."""
            if _get_ident() == self._me:
                state = frames.get(_getframe(1))
                if state is not None and state.loud != _LOUD:
                    if type(target) is list and type(index) is int:
                        state.loud = _STORED
                        pending.append((target, index if index >= 0 else index + len(target)))
                    else:
                        state.loud = _LOUD
            return index

        return {"EA": told_and_bound, "AQ": bound, "H": stored}

    def _calm_iteration(self, rebound: Callable[[_State, str, Any], None]) -> Callable[..., None]:
        frames, suspended, limit = self._frames, self._suspended, self._max_events
        codes, add_code, add_count = self.codes, self.codes.append, self.counts.append

        def iteration(site: int, name: str, value: Any) -> None:
            if _get_ident() == self._me:
                frame = _getframe(1)
                state = frames.get(frame)
                if state is None:
                    return
                at = columns.site(site)
                if state.loud or suspended or len(codes) >= limit:
                    self._iterate(frame, at, (name,))
                    return
                count = state.counts[at] = state.counts.get(at, 0) + 1
                add_code(site)
                add_count(count)
                rebound(state, name, value)
                if state.loud:
                    self._changes(frame, state)

        return iteration

    def _frame_hook(self, frame: FrameType) -> int:
        """The frame's number after its changes are noted; -1 where nothing is to be recorded."""
        state = self._enter(frame)
        if state is None:
            return -1
        self._changes(frame, state)
        return state.number

    def statement(self, site: int) -> None:
        if _get_ident() == self._me:
            frame = _getframe(1)
            state = self._enter(frame)
            if state is not None:
                if state.loud:
                    self._changes(frame, state)
                state.loud = _LOUD
                if state.counts:
                    state.counts.pop(site, None)  # a for loop starts afresh, though a break once left it
                self._emit("s", site, state.number)

    def expression(self, site: int, value: Any) -> Any:
        if _get_ident() == self._me:
            self._value("e", site, value)
        return value

    def condition(self, site: int, value: Any) -> bool:
        truth = bool(value)  # may run code of the program, exactly once, as the plain condition would
        if _get_ident() == self._me:
            self._emit("t", site, truth)
        return truth

    def operand(self, site: int, value: Any) -> bool:
        """Truth of an operand of `and`, `or` or a conditional expression that is itself a condition."""
        truth = bool(value)
        self._operand = value
        return truth

    def operation(self, site: int, truth: bool) -> bool:
        """The whole of it: its value is that of the operand looked at last."""
        if _get_ident() == self._me:
            self._value("e", site, self._operand)
        return truth

    def iteration(self, site: int, names: tuple[str, ...]) -> None:
        if _get_ident() == self._me:
            self._iterate(_getframe(1), site, names)

    def _iterate(self, frame: FrameType, site: int, names: tuple[str, ...]) -> None:
        state = self._enter(frame)
        if state is None:
            return
        count = state.counts[site] = state.counts.get(site, 0) + 1
        state.loud = _LOUD
        if count == 1:  # what the iterable's evaluation did belongs to the statement
            self._changes(frame, state, skip=names)
        self._emit("i", site, count)
        self._changes(frame, state)

    def exhausted(self, site: int) -> None:
        if _get_ident() == self._me:
            frame = _getframe(1)
            state = self._enter(frame)
            if state is None:
                return
            count = state.counts.pop(site, 0)
            state.loud = _LOUD
            if not count:
                self._changes(frame, state)
            self._emit("d", site, count)
            state.loud = _LOUD
            self._changes(frame, state)

    def items(self, site: int, iterable: Iterable[Any]) -> Iterator[Any]:
        iterator = iter(iterable)  # here, where the plain code would find out that it is not iterable
        return self._items(site, iterator)

    def _items(self, site: int, iterator: Iterator[Any]) -> Iterator[Any]:
        for item in iterator:
            if _get_ident() == self._me:
                self._value("m", site, item)
            yield item

    def caught(self, site: int, names: tuple[str, ...]) -> None:
        if _get_ident() == self._me:
            frame = _getframe(1)
            state = self._enter(frame)
            if state is not None:
                state.loud = _LOUD
                self._changes(frame, state, skip=names)
                self._draw(frame, state)
                self._emit("k", site, state.number)
                self._value("h", site, sys.exc_info()[1])
                self._changes(frame, state)

    def case(self, site: int) -> None:
        if _get_ident() == self._me:
            frame = _getframe(1)
            state = self._enter(frame)
            if state is not None:
                self._emit("k", site, state.number)
                state.loud = _LOUD
                self._changes(frame, state)

    def flush(self, site: int) -> None:
        if _get_ident() == self._me:
            frame = _getframe(1)
            state = self._frames.get(frame)
            if state is not None and (state.loud or self._suspended or self._delegating):
                self._frame_hook(frame)

    def begin(self, site: int) -> None:
        if _get_ident() == self._me:
            frame = _getframe(1)
            if self._suspended:
                self._wake(frame.f_back)
            number = self._frame_count
            self._check_depth(frame, number)
            self._frame_count += 1
            state = _State(number, self.globals_of.get(site, ()), not PURE_BUILTINS.isdisjoint(frame.f_globals))
            self._frames[frame] = state
            if sys.version_info < (3, 13) and not _LOCALS_READERS.isdisjoint(frame.f_code.co_names):
                self._dicts[number] = frame.f_locals
            self._emit("c", site, number)
            self._changes(frame, state)

    def returns(self, site: int, value: Any) -> Any:
        if _get_ident() == self._me:
            frame = _getframe(1)
            number = self._frame_hook(frame)
            if number >= 0:
                self._value("r", site, value)
                self._emit("z", site, number)
                self._forget(frame)
        return value

    def returns_with_cleanup(self, site: int, value: Any) -> Any:
        if _get_ident() == self._me:
            state = self._enter(frame := _getframe(1))
            if state is not None:
                self._changes(frame, state)
                state.loud = _LOUD  # clean-up follows
                self._value("r", site, value)
        return value

    def leaves(self, site: int) -> None:
        if _get_ident() == self._me:
            frame = _getframe(1)
            state = self._frames.get(frame)
            if state is not None:
                state.loud = _LOUD
            number = self._frame_hook(frame)
            if number >= 0:
                self._draw(frame, self._frames[frame])
                self._value("x", site, sys.exc_info()[1])
                self._emit("z", site, number)
                self._forget(frame)

    def _draw(self, frame: FrameType, state: _State) -> None:
        """If the exception at hand came up in the head of a running loop, note that: no hook runs there."""
        error = sys.exc_info()[1]
        place = _raised_at(error, frame) if state.counts and error is not None else None
        if place is None:
            return
        for site, count in state.counts.items():
            head, body = self.heads_of.get(site, (place, place))
            if head <= place < body:
                self._emit("n", site, count + 1)
                return

    def ended(self, site: int) -> None:
        if _get_ident() == self._me:
            frame = _getframe(1)
            state = self._frames.get(frame)
            if state is not None:
                state.loud = _LOUD
            number = self._frame_hook(frame)
            if number >= 0:
                self._emit("z", site, number)
                self._forget(frame)

    def gives(self, site: int, value: Any) -> Any:
        if _get_ident() == self._me:
            frame = _getframe(1)
            number = self._frame_hook(frame)
            if number >= 0:
                self._frames[frame].loud = _LOUD
                self._value("y", site, value)
                self._suspended.add(number)
            if not frame.f_code.co_flags & _ASYNC_GENERATOR:  # its consumer goes on
                self._suspend_waiting(frame, awaits=False)
        return value

    def waits(self, site: int, value: Any) -> Any:
        """`yield from` and `await`: what control is given to may suspend this frame, or run on top of it."""
        if _get_ident() == self._me:
            frame = _getframe(1)
            number = self._frame_hook(frame)
            if number >= 0:
                self._frames[frame].loud = _LOUD
                self._value("y", site, value)
                self._suspended.add(number)
                self._delegating.add(number)
            self._suspend_waiting(frame, awaits=bool(frame.f_code.co_flags & _AWAITS))
        return value

    def takes(self, site: int, value: Any) -> Any:
        if _get_ident() == self._me:
            frame = _getframe(1)
            state = self._frames.get(frame)
            if state is not None:
                state.loud = _LOUD
                self._suspended.discard(state.number)
                self._delegating.discard(state.number)
            if self._suspended:
                self._wake(frame.f_back)
            if state is not None:
                self._emit("v", site, state.number)
            self._value("e", site, value)
        return value

    def _forget(self, frame: FrameType) -> None:
        """A frame that ended: its number is never used again, its variables are let go."""
        number = self._frames.pop(frame).number
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
                known.loud = _LOUD  # whatever called this one: what runs now may change its variables
                depth += self._depths[known.number]
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

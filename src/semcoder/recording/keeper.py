"""Which calls are kept, and how: encoded, bounded, each once, appended to a file of this process.

Guarantees: no method of an argument or a result is called; a call costs bounded work, a function a bounded number of
tries, and all of it together about `SHARE` of the program's own time; each kept call is a whole line in the file once
its function has returned, whatever happens to the process then. No exception but those that the program itself would
have got (Ctrl-C) leaves a method of `Keeper`.
It does not keep every distinct call: the first ones that fit are kept. A method's call is written `C(2).m(3)` and is
kept only where the object was what `C(2)` made it: its attributes are literals and are what they were after `__init__`.
"""

from __future__ import annotations

import json
import os
import re
import sys
import time
import types
import weakref
from collections.abc import Sequence
from typing import Any

from semcoder.core.encode import Encoder
from semcoder.core.unfolding import TooLarge
from semcoder.core.values import NotLiteral, Value

#: Bounds of one value: parts, and characters of text; of a call's and a result's text; of nesting.
MAX_PARTS, MAX_STRING, MAX_TEXT, MAX_DEPTH = 100, 300, 400, 12
#: A function is left alone after so many tries per call wanted, or so many in the beginning that gave nothing.
TRIES, HOPELESS = 5, 10
#: The part of the program's own time that recording may take, and seconds that it may take in any case; functions that
#: were not tried yet are tried beyond it.
SHARE, GRACE = 0.3, 0.1

_OTHERS = re.compile(
    r"(^|/)(\.[^/]*|site-packages|dist-packages|node_modules|__pycache__|tests?|testing|conftest\.py|setup\.py"
    r"|test_[^/]*\.py|[^/]*_tests?\.py)(/|$)"
)
_ATOMS = frozenset({int, str, bool, type(None), float, bytes, complex, type(...), range, bytearray})
_SEQUENCES = frozenset({list, tuple, set, frozenset})
_GENERATED = 0x20 | 0x80 | 0x200  # code of generators, coroutines and asynchronous generators
PYTHON = ".".join(map(str, sys.version_info[:3]))
# Read through the type's own descriptor: attribute access could run code of a metaclass.
_class_name = type.__dict__["__qualname__"].__get__
_VARARGS, _VARKEYWORDS = 0x04, 0x08

# Taken once: a test suite may replace them with doubles of its own.
_open, _write, _close, _clock, _dumps = os.open, os.write, os.close, time.perf_counter, json.dumps


class Scope:
    """Which files are the user's own: those under the folders given, without tests, hidden folders and environments."""

    def __init__(self, folders: list[str]) -> None:
        self._folders = [os.path.join(os.path.realpath(folder), "") for folder in folders]
        self._known: dict[str, str] = {}

    def path(self, filename: str) -> str:
        """The absolute path of a file of the user's own; '' for any other."""
        found = self._known.get(filename)
        if found is None:
            found = self._known[filename] = self._find(filename)
        return found

    def _find(self, filename: str) -> str:
        if not filename.endswith(".py"):
            return ""
        path = os.path.realpath(filename)
        for folder in self._folders:
            inner = path[len(folder) :]
            if path.startswith(folder) and not _OTHERS.search(inner) and not _in_environment(folder, inner):
                return path
        return ""


def _in_environment(folder: str, inner: str) -> bool:
    parts = inner.split("/")[:-1]
    return any(os.path.exists(os.path.join(folder, *parts[: k + 1], "pyvenv.cfg")) for k in range(len(parts)))


class Function:
    """What is known of one function of the user's.

    `kind`: function, static, class, method or init; unknown where it is not found under its name.
    """

    __slots__ = (
        "begun",
        "code",
        "defaults",
        "done",
        "drops",
        "ended",
        "file",
        "kept",
        "kind",
        "line",
        "module",
        "name",
        "tries",
    )

    def __init__(self, code: types.CodeType, module: str, file: str) -> None:
        self.code = code
        self.module = module
        self.name = code.co_qualname
        self.file = file
        self.line = code.co_firstlineno
        self.kind = ""
        self.defaults: dict[str, Any] = {}
        self.kept: set[str] = set()
        self.drops: dict[str, int] = {}
        self.tries = self.begun = self.ended = 0
        self.done = False

    def drop(self, reason: str) -> None:
        self.drops[reason] = self.drops.get(reason, 0) + 1


def recordable(code: types.CodeType) -> bool:
    """Whether code is that of a function or method of a module's top level that returns once; not a special method."""
    owner, _, name = code.co_qualname.rpartition(".")
    special = bool(owner) and name.startswith("__") and name != "__init__"
    return not special and "." not in owner and "<" not in owner + name and not code.co_flags & _GENERATED


class _Dropped(Exception):
    """This call is not kept; the message is the reason."""


#: What `begin` hands to `end`: the function, the call's text, and of `__init__` a reference to the object.
Token = tuple[Function, str, "weakref.ref[Any] | None"]


class Keeper:
    """The recorder of one process. `folder`: where its file goes; `limit`: distinct calls per function."""

    def __init__(self, folder: str, limit: int) -> None:
        self.on = True
        self._folder = folder
        self._limit = limit
        self._functions: list[Function] = []
        self._busy = False
        #: Objects by identity: a reference that ends with them, the call that made them, their attributes after it.
        self._made: dict[int, tuple[weakref.ref[Any], str, str]] = {}
        self._begin_process()
        os.register_at_fork(after_in_child=self._begin_process)

    def _begin_process(self) -> None:
        """What was counted before a fork is the parent's to tell; what it kept need not be kept again."""
        self._path = os.path.join(self._folder, f"{time.time_ns():020d}-{os.getpid()}.jsonl")
        self._started, self._spent = _clock(), 0.0
        self._busy = False
        for function in self._functions:
            function.drops = {}
            function.begun = function.ended = 0

    def function(self, code: types.CodeType, module: str, file: str) -> Function:
        found = Function(code, module, file)
        self._functions.append(found)
        return found

    def begin(self, function: Function, values: list[Any], space: dict[str, Any]) -> Token | None:
        """A call begins with these values of its parameters; None if it is not to be kept. `space`: its globals."""
        if self._busy or not self.on or function.done:
            return None
        start = _clock()
        if function.tries and self._spent > GRACE + SHARE * (start - self._started - self._spent):
            function.drop("no time left for it")
            return None
        self._busy = True
        try:
            return self._begin(function, values, space)
        except _Dropped as dropped:
            function.drop(str(dropped))
        except RecursionError:
            function.drop("too deep in the stack")
        except Exception as error:
            self.stop(error)
        finally:
            self._busy = False
            self._spent += _clock() - start
        return None

    def _begin(self, function: Function, values: list[Any], space: dict[str, Any]) -> Token | None:
        function.tries += 1
        if not function.kind:
            _find(function, space)
        enough = function.tries > TRIES * self._limit and function.kind != "init"
        if enough or (function.tries > HOPELESS and not function.begun):
            function.done = True
        head, skip = self._head(function, values)
        text = _call(function, values, head, skip)
        if text in function.kept:
            raise _Dropped("seen before")
        function.begun += 1
        return function, text, self._reference(values[0]) if function.kind == "init" else None

    def _head(self, function: Function, values: list[Any]) -> tuple[str, int]:
        """What stands before the brackets of a call, and how many parameters are not in them."""
        owner, _, name = function.name.rpartition(".")
        if function.kind == "init":
            if not values or _class_name(type(values[0])) != owner:
                raise _Dropped("an object of a subclass")
            return owner, 1
        if function.kind != "method":
            return function.name, int(function.kind == "class")
        known = self._made.get(id(values[0])) if values else None
        if known is None or known[0]() is not values[0]:
            raise _Dropped("an object not made from literals")
        if known[1].partition("(")[0] != owner:
            raise _Dropped("an object of a subclass")
        if known[2] != _state(values[0]):
            raise _Dropped("an object that was changed")
        return f"{known[1]}.{name}", 1

    def end(self, token: Token, result: Any) -> None:
        """The call that `begin` gave the token for returned this."""
        if self._busy or not self.on:
            return
        start = _clock()
        function, text, reference = token
        self._busy = True
        try:
            function.ended += 1
            if function.kind == "init":
                self._follow(reference, text)
            else:
                self._keep(function, text, result)
        except _Dropped as dropped:
            function.drop(f"result {dropped}")
        except RecursionError:
            function.drop("too deep in the stack")
        except Exception as error:
            self.stop(error)
        finally:
            self._busy = False
            self._spent += _clock() - start

    def _keep(self, function: Function, text: str, result: Any) -> None:
        if text in function.kept:
            raise _Dropped("of a call seen before")
        written = _literal([result])[0]
        if len(written) > MAX_TEXT:
            raise _Dropped("too large")
        if len(function.kept) < self._limit:
            function.kept.add(text)
            self._append([{**_place(function), "call": text, "result": written, "python": PYTHON}])
        if len(function.kept) >= self._limit:
            function.done = True

    def _reference(self, made: Any) -> weakref.ref[Any]:
        """Never the object itself: it must end when the program lets it."""
        key = id(made)
        try:
            return weakref.ref(made, lambda _: self._made.pop(key, None))
        except TypeError:
            raise _Dropped("an object that cannot be referred to weakly") from None

    def _follow(self, reference: weakref.ref[Any] | None, text: str) -> None:
        """Remember an object as `__init__` left it."""
        made = reference() if reference is not None else None
        if reference is not None and made is not None:
            self._made[id(made)] = reference, text, _state(made)

    def stop(self, error: Exception) -> None:
        """Record nothing more in this process, and leave word why."""
        self.on = False
        try:
            self._append([{"problem": f"{type(error).__name__}: {error}"[:300]}])
        except Exception:
            pass  # the program goes on, whatever became of the folder

    def finish(self) -> None:
        """The process ends in an orderly way: leave the counts."""
        try:
            rows: list[dict[str, Any]] = []
            for function in self._functions:
                drops = dict(function.drops)
                if function.begun > function.ended:
                    drops["did not return"] = function.begun - function.ended
                rows.append({**_place(function), "drops": drops})
            self._append([*rows, {"end": True, "python": PYTHON}])
        except Exception:
            pass  # as above

    def _append(self, rows: list[dict[str, Any]]) -> None:
        """Opened and closed each time: a descriptor of ours could be closed by the program and mean another file."""
        data = "".join(_dumps(row) + "\n" for row in rows).encode()
        file = _open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            while data:
                data = data[_write(file, data) :]
        finally:
            _close(file)


def _place(function: Function) -> dict[str, Any]:
    return {"module": function.module, "name": function.name, "file": function.file, "line": function.line}


def parameters(code: types.CodeType) -> list[str]:
    """Names of all parameters, in the order of the code's variables: positional, keyword-only, `*`, `**`."""
    count = code.co_argcount + code.co_kwonlyargcount
    count += bool(code.co_flags & _VARARGS) + bool(code.co_flags & _VARKEYWORDS)
    return list(code.co_varnames[:count])


def _find(function: Function, space: dict[str, Any]) -> None:
    """Fill in what kind of function it is, and its defaults, by looking it up under its name."""
    found: Any = space
    for part in function.name.split("."):
        found = (found if isinstance(found, dict) else vars(found) if isinstance(found, type) else {}).get(part)
    in_class = "init" if function.name.endswith(".__init__") else "method"
    kind = in_class if "." in function.name else "function"
    if isinstance(found, (staticmethod, classmethod)):
        kind = "static" if isinstance(found, staticmethod) else "class"
        found = found.__func__
    for _ in range(8):  # what decorators put around it
        if not isinstance(found, types.FunctionType) or found.__code__ is function.code:
            break
        found = found.__dict__.get("__wrapped__")
    if not isinstance(found, types.FunctionType) or found.__code__ is not function.code:
        function.kind = kind if kind == "function" else "unknown"
        return
    function.kind = kind
    places = function.code.co_varnames[: function.code.co_argcount]
    plain = found.__defaults__ or ()
    named = zip(places[len(places) - len(plain) :], plain, strict=True)
    function.defaults = {**dict(named), **(found.__kwdefaults__ or {})}


def _call(function: Function, values: Sequence[Any], head: str, skip: int) -> str:
    """The call's text: what was left to its default is left out. Raises `_Dropped`."""
    code = function.code
    given = list(zip(parameters(code), values, strict=True))
    extra = given.pop()[1] if code.co_flags & _VARKEYWORDS else {}
    rest = given.pop()[1] if code.co_flags & _VARARGS else ()
    plain: list[Any] = []
    named: dict[str, Any] = {}
    for place, (name, value) in enumerate(given[skip:], skip):
        by_place = place < code.co_argcount
        if not (rest and by_place) and name in function.defaults and function.defaults[name] is value:
            continue
        if by_place and place == len(plain) + skip:
            plain.append(value)
        elif place >= code.co_posonlyargcount:
            named[name] = value
        else:
            raise _Dropped("cannot be written as a call")
    plain += rest
    named.update(extra)
    texts = _literal([*plain, *named.values()])
    words = [*texts[: len(plain)], *map("{}={}".format, named, texts[len(plain) :])]
    text = f"{head}({', '.join(words)})"
    if len(text) > MAX_TEXT or not all(map(str.isidentifier, named)):
        raise _Dropped("too large" if len(text) > MAX_TEXT else "cannot be written as a call")
    return text


def _state(made: Any) -> str:
    """The attributes of an object as text. Raises `_Dropped` where they are not literals."""
    try:
        _check(list(object.__getattribute__(made, "__dict__").values()))
    except AttributeError:
        pass  # slots alone: the encoder reads them
    encoder = _encoder()
    try:
        value = Value(encoder.ref(made), encoder.nodes)
        if value.base != "object":
            raise _Dropped("an object with data beside its attributes")
        return ", ".join([f"{name}={part.literal()}" for name, part in value.attributes().items()])
    except (TooLarge, NotLiteral):
        raise _Dropped("an object not made of literals") from None


def _encoder() -> Encoder:
    return Encoder(max_nodes=2 * MAX_PARTS, max_text=20 * MAX_STRING, max_depth=MAX_DEPTH)


def _literal(values: list[Any]) -> list[str]:
    """Source texts of values. Raises `_Dropped`."""
    _check(values)
    encoder = _encoder()
    try:
        return [Value(encoder.ref(value), encoder.nodes).literal() for value in values]
    except TooLarge:
        raise _Dropped("too large") from None
    except NotLiteral:
        raise _Dropped("not literal") from None


def _check(values: list[Any]) -> None:
    """Refuse cheaply what cannot be kept: most of what a program passes around is objects, often of any size."""
    todo = list(values)
    room = MAX_PARTS
    while todo:
        value = todo.pop()
        kind = type(value)
        if kind in _ATOMS:
            if (kind is str or kind is bytes or kind is bytearray) and len(value) > MAX_STRING:
                raise _Dropped("too large")
            if kind is int and value.bit_length() > 4 * MAX_STRING:
                raise _Dropped("too large")
            continue
        if kind is not dict and kind not in _SEQUENCES:
            raise _Dropped("not literal")
        room -= len(value)
        if room < 0:
            raise _Dropped("too large")
        try:
            todo += value
            if kind is dict:
                todo += value.values()
        except RuntimeError:
            raise _Dropped("changed by another thread") from None

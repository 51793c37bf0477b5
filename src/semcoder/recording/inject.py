"""Calls seen by a few statements put into the user's functions as their modules are loaded (Python 3.11).

Functions of a module's top level and methods of its classes begin with `if on[k]: token = begin(k, [arguments])`, and
each `return` tells its value first. Functions stay what they are otherwise: names, signature, line numbers, frames.

Guarantees: a loader that another tool has changed is left alone; byte code files stay those of the plain code;
functions that look at their own variables, or return from a `finally`, are not changed.
It does not see functions of a script that another program executes (`coverage run app.py`), nor code that is not
loaded from a source file.
"""

from __future__ import annotations

import ast
import builtins
import os
import sys
import types
import warnings
from collections.abc import Callable, Iterator
from importlib.machinery import SourceFileLoader
from typing import Any

from semcoder.recording.keeper import Function, Keeper, Scope, Token, parameters, recordable

_HOOK, _TOKEN, _RESULT = "__semcoder_hook__", "__semcoder_token__", "__semcoder_result__"
#: Functions that name these may look at their own variables.
_LOOKING = frozenset({"locals", "vars", "dir", "eval", "exec", "_getframe", "currentframe", "globals"})


def start(keeper: Keeper, scope: Scope) -> None:
    """See the calls of modules loaded from now on, and of the script that this process is to run."""
    hook = _Hook(keeper)
    setattr(builtins, _HOOK, hook)
    plain_get_code = SourceFileLoader.get_code
    plain_compile = SourceFileLoader.source_to_code

    def get_code(self: SourceFileLoader, fullname: str) -> types.CodeType | None:
        code = plain_get_code(self, fullname)
        if code is not None and keeper.on and type(self).source_to_code is plain_compile:
            try:
                filename = self.get_filename(fullname)
                path = scope.path(filename)
                if path:
                    return _changed(hook, self.get_data(filename), code, path, filename, fullname)
            except Exception:
                return code  # what is wrong with the file is told by the plain way, if anything is
        return code

    SourceFileLoader.get_code = get_code  # type: ignore[method-assign, assignment]
    script = sys.argv[0] if sys.argv else ""
    path = scope.path(script) if os.path.isfile(script) else ""
    if path and sys.gettrace() is None:
        _follow_script(hook, script, path)


class _Hook:
    """What the changed functions call. `on[k]`: whether calls of the k-th one are still wanted."""

    def __init__(self, keeper: Keeper) -> None:
        self.keeper = keeper
        self.on: list[bool] = []
        self._known: list[Function | None] = []
        self._places: list[tuple[str, str]] = []
        self.depth = RecursionError  # what the user's code may have another meaning for

    def add(self, module: str, path: str) -> int:
        """A number for one more function."""
        self.on.append(True)
        self._known.append(None)
        self._places.append((module, path))
        return len(self.on) - 1

    def begin(self, number: int, values: list[Any]) -> Token | None:
        try:
            function = self._known[number]
            frame = sys._getframe(1)
            if function is None:
                if not recordable(frame.f_code):
                    self.on[number] = False
                    return None
                function = self._known[number] = self.keeper.function(frame.f_code, *self._places[number])
            token = self.keeper.begin(function, values, frame.f_globals)
            if function.done or not self.keeper.on:
                self.on[number] = False
            return token
        except Exception as error:
            self.keeper.stop(error)
            return None

    def end(self, token: Token, result: Any) -> None:
        self.keeper.end(token, result)


def _changed(hook: _Hook, data: bytes, plain: types.CodeType, path: str, filename: str, module: str) -> types.CodeType:
    """The code of a module with its functions changed. Raises what parsing and compiling raise."""
    own = {(code.co_qualname, code.co_firstlineno): code for code in _codes(plain)}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tree = ast.parse(data, filename)
        for name, function in _functions(tree):
            first = min([function.lineno, *(d.lineno for d in function.decorator_list)])
            code = own.get((name, first))
            if code is not None and _suits(code) and not _returns_at_last(function.body):
                _change(function, hook.add(module, path))
        changed: types.CodeType = compile(tree, filename, "exec", dont_inherit=True)
        return changed


def _codes(code: types.CodeType) -> Iterator[types.CodeType]:
    """Code of a module's top-level functions and classes, and what is directly in these."""
    for inner in code.co_consts:
        if isinstance(inner, types.CodeType):
            yield inner
            if not inner.co_flags & 0x01:  # a class
                yield from (part for part in inner.co_consts if isinstance(part, types.CodeType))


def _functions(tree: ast.Module) -> Iterator[tuple[str, ast.FunctionDef]]:
    for statement in tree.body:
        if isinstance(statement, ast.FunctionDef):
            yield statement.name, statement
        elif isinstance(statement, ast.ClassDef):
            for part in statement.body:
                if isinstance(part, ast.FunctionDef):
                    yield f"{statement.name}.{part.name}", part


def _suits(code: types.CodeType) -> bool:
    return recordable(code) and _LOOKING.isdisjoint(code.co_names)


def _blocks(statement: ast.stmt) -> Iterator[tuple[Any, str]]:
    """Where a statement holds statements of the same function: an object and its field."""
    if not isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        for owner in (statement, *getattr(statement, "handlers", ()), *getattr(statement, "cases", ())):
            for field in ("body", "orelse", "finalbody"):
                if getattr(owner, field, None):
                    yield owner, field


def _returns_at_last(block: list[ast.stmt], *, inside: bool = False) -> bool:
    """Whether a `finally` returns: a value that was told is not what comes out then."""
    return any(
        (inside and isinstance(statement, ast.Return))
        or any(
            _returns_at_last(getattr(owner, field), inside=inside or field == "finalbody")
            for owner, field in _blocks(statement)
        )
        for statement in block
    )


def _change(function: ast.FunctionDef, number: int) -> None:
    arguments = function.args
    places = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    names = [part.arg for part in (*places, arguments.vararg, arguments.kwarg) if part is not None]
    body = function.body
    documented = isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant)
    docstring, rest = (body[:1], body[1:]) if documented else ([], body)
    start, end = _Maker(rest[0] if rest else body[0]), _Maker(body[-1])
    tail = [] if rest and isinstance(rest[-1], ast.Return) else end.told(end.constant(None))
    function.body = [*docstring, *start.beginning(number, names), *_telling(rest), *tail]


def _telling(block: list[ast.stmt]) -> list[ast.stmt]:
    """The statements of a block, with each `return` in it telling its value first."""
    told: list[ast.stmt] = []
    for statement in block:
        if isinstance(statement, ast.Return):
            make = _Maker(statement)
            told += make.told(statement.value or make.constant(None))
            statement.value = make.name(_RESULT)
        for owner, field in _blocks(statement):
            setattr(owner, field, _telling(getattr(owner, field)))
        told.append(statement)
    return told


class _Maker:
    """Makes nodes of ours, at the place of a statement of the user's. (To parse text for them takes far longer.)"""

    def __init__(self, place: ast.stmt) -> None:
        self._at: dict[str, Any] = {"lineno": place.lineno, "col_offset": place.col_offset}

    def constant(self, value: int | None) -> ast.expr:
        return ast.Constant(value, **self._at)

    def name(self, name: str, *, store: bool = False) -> ast.expr:
        return ast.Name(name, ast.Store() if store else ast.Load(), **self._at)

    def _hook(self, attribute: str) -> ast.expr:
        return ast.Attribute(self.name(_HOOK), attribute, ast.Load(), **self._at)

    def _assign(self, name: str, value: ast.expr) -> ast.stmt:
        return ast.Assign([self.name(name, store=True)], value, **self._at)

    def told(self, value: ast.expr) -> list[ast.stmt]:
        """`RESULT = value`, then `if TOKEN is not None: HOOK.end(TOKEN, RESULT)`."""
        test = ast.Compare(self.name(_TOKEN), [ast.IsNot()], [self.constant(None)], **self._at)
        call = ast.Call(self._hook("end"), [self.name(_TOKEN), self.name(_RESULT)], [], **self._at)
        return [self._assign(_RESULT, value), ast.If(test, [ast.Expr(call, **self._at)], [], **self._at)]

    def beginning(self, number: int, names: list[str]) -> list[ast.stmt]:
        """`TOKEN = None`, then `if HOOK.on[number]: TOKEN = HOOK.begin(number, [names])`, a full stack aside."""
        test = ast.Subscript(self._hook("on"), self.constant(number), ast.Load(), **self._at)
        values = ast.List([self.name(name) for name in names], ast.Load(), **self._at)
        call = ast.Call(self._hook("begin"), [self.constant(number), values], [], **self._at)
        handler = ast.ExceptHandler(self._hook("depth"), None, [ast.Pass(**self._at)], **self._at)
        tried = ast.Try([self._assign(_TOKEN, call)], [handler], [], [], **self._at)
        return [self._assign(_TOKEN, self.constant(None)), ast.If(test, [tried], [], **self._at)]


# -- the script that the interpreter itself runs --------------------------------------------------------------------


def _follow_script(hook: _Hook, script: str, path: str) -> None:
    """Change the functions of the script as it defines them: no loader is asked for it.

    The interpreter is traced up to the first line after the last definition, and only if nothing else traces it.
    """
    try:
        with open(path, "rb") as file:
            data = file.read()
        tree = ast.parse(data)
        ends = [s.end_lineno or 0 for s in tree.body if isinstance(s, (ast.FunctionDef, ast.ClassDef))]
        if not ends:
            return
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            plain = compile(tree, script, "exec", dont_inherit=True)
        code = _changed(hook, data, plain, path, script, os.path.splitext(os.path.basename(path))[0])
    except (OSError, SyntaxError, ValueError, RecursionError):
        return  # the interpreter will tell
    changed = {inner.co_qualname: inner for inner in _codes(code)}
    last = max(ends)

    size = 0

    def local(frame: types.FrameType, event: str, argument: Any) -> Any:
        nonlocal size
        try:
            if len(frame.f_globals) != size:
                _swap(frame.f_globals, changed)
                size = len(frame.f_globals)
        except Exception as error:
            hook.keeper.stop(error)
        if event != "return" and frame.f_lineno <= last:
            return local
        if sys.gettrace() is trace:
            sys.settrace(None)
        return None

    def trace(frame: types.FrameType, event: str, argument: Any) -> Callable[..., Any] | None:
        code = frame.f_code
        return local if code.co_name == "<module>" and frame.f_globals.get("__name__") == "__main__" else None

    sys.settrace(trace)


def _swap(space: dict[str, Any], changed: dict[str, types.CodeType]) -> None:
    """Give the functions of a script's namespace, and of its classes, their changed code."""
    for found in list(space.values()):
        for part in [found, *(vars(found).values() if isinstance(found, type) else ())]:
            function = part.__func__ if isinstance(part, (staticmethod, classmethod)) else part
            for _ in range(8):  # what decorators put around it
                if not isinstance(function, types.FunctionType):
                    break
                old = function.__code__
                new = changed.get(old.co_qualname)
                if function.__globals__ is space and new is not None and _alike(old, new):
                    function.__code__ = new
                function = function.__dict__.get("__wrapped__")


def _alike(old: types.CodeType, new: types.CodeType) -> bool:
    same_place = old.co_firstlineno == new.co_firstlineno and old.co_freevars == new.co_freevars
    return same_place and parameters(old) == parameters(new)

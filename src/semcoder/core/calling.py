"""Calling a program in this process: what the sandbox's child and the in-process tracer share.

Guarantees: every call runs in a fresh module namespace; printed output is kept in order and bounded; whatever the
program does short of killing the process comes back as an outcome document. `check_call` refuses, before anything
runs, what is not a call of a function of the program.
It does not contain the program: that is the sandbox's work. In process it is for trusted sources only.

Runs inside the sandbox: standard library only.
"""

from __future__ import annotations

import ast
import builtins
import contextlib
import io
import sys
import time
import types
from collections.abc import Callable
from typing import Any

from semcoder.core.encode import Encoder, bounded, type_name
from semcoder.core.unfolding import TooLarge
from semcoder.errors import UsageError

MODULE_NAME = "program"
FILENAME = "<program>"
DEFAULT_STDOUT = 1024 * 1024

#: Some of everything that short programs do, called `f([1, 2, 3])`: for whoever has to warm up.
SAMPLE = """
import collections, functools, math, re, typing

class Point:
    def __init__(self, x: int, y: int) -> None:
        self.x, self.y = x, y

def f(numbers: typing.List[int], text: str = "a,b"):
    total, seen = 0, {}
    for i, n in enumerate(numbers):
        if n % 2 == 0 and i >= 0:
            total += n
        seen[str(n)] = [n] * 2
    try:
        numbers[99]
    except IndexError as error:
        print(error, total)
    words = sorted(set(text.split(",")), key=len)
    return {"a": total, "b": [w.upper() for w in words], "c": (Point(1, 2).x, 1.5, None), "d": seen}
"""

#: Turns a parsed module into code; the tracer passes its instrumenter.
Compiler = Callable[[ast.Module, str], types.CodeType]
#: Kind, text and set-up of an `Invocation`.
Call = tuple[str, str, str]
#: The wire form of an `Outcome`. Records cost time, and what the untrusted side makes of them nobody would trust.
OutcomeDoc = dict[str, Any]


def parse_source(source: str, where: str = "the program") -> ast.Module:
    """The module's tree. Raises `UsageError` with line and column where it does not parse."""
    try:
        return ast.parse(source, FILENAME)
    except SyntaxError as error:
        raise _syntax_error(error, where) from None
    except (ValueError, RecursionError, MemoryError) as error:
        raise _unparsable(error, where) from None


def _syntax_error(error: SyntaxError, where: str) -> UsageError:
    place = f" at line {error.lineno}, column {error.offset}" if error.lineno else ""
    return UsageError(f"{where} has a syntax error{place}: {error.msg}")


def _unparsable(error: Exception, where: str) -> UsageError:
    return UsageError(f"{where} cannot be parsed: {str(error) or 'it is nested too deeply'}")


def call_entry(text: str) -> str:
    """The dotted name of what a call expression calls: `f`, `Stack.of`. Raises `UsageError` if it is not a call."""
    try:
        body = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise UsageError(f'the call {text!r} is not a Python expression; write one like --call "f([1, 2])"') from None
    if not isinstance(body, ast.Call):
        raise UsageError(f'{text!r} is not a call; write one like --call "f([1, 2])"')
    return ast.unparse(body.func)


def check_call(tree: ast.Module, text: str, where: str = "the program") -> str:
    """The entry of a call of this module. Raises `UsageError` if it is no call or the module defines no such name."""
    entry = call_entry(text)
    first = entry.partition(".")[0]
    defined = defined_names(tree)
    if first.isidentifier() and first not in defined:
        known = ", ".join(sorted(defined)) or "nothing"
        raise UsageError(f"{where} defines no {first!r}, which the call {text!r} names; it defines {known}")
    return entry


def defined_names(tree: ast.Module) -> set[str]:
    """Names of functions and classes of a module, and other names that its top level binds."""
    names: set[str] = set()
    for node in tree.body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            names.add(node.name)
        else:
            names.update(n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store))
            if isinstance(node, (ast.Import, ast.ImportFrom)):
                names.update((a.asname or a.name).partition(".")[0] for a in node.names)
    return names


class Output(io.TextIOBase):
    """A bounded text sink in place of standard output. `on_write` sees every chunk as it is printed."""

    def __init__(self, limit: int, on_write: Callable[[str], object] | None = None) -> None:
        self._chunks: list[str] = []
        self._room = limit
        self._on_write = on_write
        self.full = False

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        if len(text) > self._room:
            self.full = True
            raise OutputFull("more printed output than the limit allows")
        self._room -= len(text)
        self._chunks.append(text)
        if self._on_write is not None:
            self._on_write(text)
        return len(text)

    def text(self) -> str:
        return "".join(self._chunks)


class OutputFull(BaseException):
    """Raised into a program that prints past its limit; not an Exception, so that ordinary handlers let it pass."""


class Caller:
    """A program, compiled once, called any number of times. Raises `UsageError` on a syntax error.

    `compiler` gets the parsed module; without one the text is compiled as it is, which is a good deal cheaper.
    """

    def __init__(
        self, source: str, compiler: Compiler | None = None, extra_builtins: dict[str, Any] | None = None
    ) -> None:
        self._extra = extra_builtins or {}
        try:
            if compiler is None:  # inheriting nothing from this module's own future imports
                self._code = compile(source, FILENAME, "exec", dont_inherit=True)
            else:
                self._code = compiler(parse_source(source), FILENAME)
        except SyntaxError as error:
            raise _syntax_error(error, "the program") from None
        except (ValueError, RecursionError, MemoryError) as error:
            raise _unparsable(error, "the program") from None

    def namespace(self, name: str = MODULE_NAME) -> dict[str, Any]:
        """A fresh module's namespace, registered in `sys.modules` (dataclasses and pickle look there)."""
        module = types.ModuleType(name)
        space = module.__dict__
        space["__builtins__"] = builtins
        if self._extra:  # a module of its own: a program may look at `__builtins__`
            space["__builtins__"] = types.ModuleType("builtins")
            vars(space["__builtins__"]).update({**vars(builtins), **self._extra})
        if name != "__main__":
            sys.modules[name] = module
        return space

    def call(
        self,
        invocation: Call,
        *,
        stdout_limit: int = DEFAULT_STDOUT,
        on_write: Callable[[str], object] | None = None,
        on_ready: Callable[[], object] | None = None,
        on_done: Callable[[], object] | None = None,
    ) -> OutcomeDoc:
        """Run the module, then the invocation; never raises what the program raises.

        `on_ready` runs between module set-up and the call itself, `on_done` right after the call, whatever it did:
        the tracer records what lies between them.
        """
        kind, text, setup = invocation
        return observe(
            lambda: self._invoke(kind, text, setup, on_ready),
            stdin=text if kind == "stdin" else "",
            stdout_limit=stdout_limit,
            on_write=on_write,
            on_done=on_done,
        )

    def run_module(self) -> dict[str, Any]:
        """Run the module in a fresh namespace, which is returned. Raises whatever the program raises."""
        space = self.namespace()
        exec(self._code, space)
        return space

    def _invoke(self, kind: str, text: str, setup: str, on_ready: Callable[[], object] | None) -> Any:
        if kind == "stdin":
            if on_ready is not None:
                on_ready()
            exec(self._code, self.namespace("__main__"))
            return None
        try:
            code = compile(text.strip(), "<call>", "eval", dont_inherit=True)
        except (SyntaxError, ValueError) as error:
            raise UsageError(f"the call {text!r} is not a Python expression: {error}") from None
        space = self.run_module()
        if setup:
            exec(compile(setup, "<setup>", "exec", dont_inherit=True), space)
        if on_ready is not None:
            on_ready()
        return eval(code, space)


def observe(
    action: Callable[[], Any],
    *,
    stdin: str = "",
    stdout_limit: int = DEFAULT_STDOUT,
    on_write: Callable[[str], object] | None = None,
    on_done: Callable[[], object] | None = None,
) -> OutcomeDoc:
    """What code of a program does, with streams of its own: never raises what that raises."""
    output = Output(stdout_limit, on_write)
    encoder = Encoder()
    started, cpu = time.perf_counter(), time.process_time()
    saved = sys.stdin, sys.stdout, sys.stderr
    sys.stdin, sys.stdout, sys.stderr = io.StringIO(stdin), output, io.StringIO()
    try:
        try:
            result = action()
        finally:
            sys.stdin, sys.stdout, sys.stderr = saved
            if on_done is not None:
                on_done()
    except OutputFull as error:
        doc: OutcomeDoc = {"status": "output_limit", "detail": str(error)}
    except SystemExit as error:
        doc = {"status": "exited", "detail": bounded(f"exit status {error.code!r}")}
    except MemoryError:
        doc = {"status": "memory", "detail": "the program asked for more memory than the limit allows"}
    except UsageError as error:
        doc = {"status": "invalid", "detail": str(error)}
    except BaseException as error:
        doc = {"status": "raised", "exception": raised(error, encoder)}
    else:
        doc = _returned(result, encoder)
    if output.full:
        doc = {"status": "output_limit", "detail": "more printed output than the limit allows"}
    doc["stdout"] = output.text()
    doc["usage"] = {"cpu_s": time.process_time() - cpu, "wall_s": time.perf_counter() - started}
    return doc


def _returned(result: Any, encoder: Encoder) -> OutcomeDoc:
    """The outcome of a call that returned: what cannot be told as data was still not raised."""
    try:
        return {"status": "returned", "value": {"ref": encoder.ref(result), "nodes": encoder.nodes}}
    except TooLarge as error:
        return {"status": "output_limit", "detail": str(error)}
    except MemoryError:
        return {"status": "memory", "detail": "the result needs more memory than the limit allows"}
    except Exception as error:
        detail = bounded(f"the result cannot be told as data: {type_name(type(error))}: {error}")
        return {"status": "invalid", "detail": detail}


def raised(error: BaseException, encoder: Encoder) -> dict[str, Any]:
    """An exception as data. Its `str()` may be code of the program: whatever that raises counts as no message."""
    try:
        message = bounded(str(error))
    except BaseException:
        message = ""
    doc: dict[str, Any] = {"type": type_name(type(error)), "message": message}
    with contextlib.suppress(Exception):
        doc["value"] = {"ref": encoder.ref(error), "nodes": encoder.nodes}
    return doc

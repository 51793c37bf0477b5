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

from semcoder.core.codec import encode
from semcoder.core.encode import Encoder, bounded, type_name
from semcoder.core.records import Invocation, Outcome, Raised, Usage
from semcoder.core.unfolding import TooLarge
from semcoder.core.values import Value
from semcoder.errors import UsageError

MODULE_NAME = "program"
FILENAME = "<program>"
DEFAULT_STDOUT = 1024 * 1024

#: Turns a parsed module into code; the tracer passes its instrumenter.
Compiler = Callable[[ast.Module, str], types.CodeType]


def parse_source(source: str, where: str = "the program") -> ast.Module:
    """The module's tree. Raises `UsageError` with line and column where it does not parse."""
    try:
        return ast.parse(source, FILENAME)
    except SyntaxError as error:
        place = f" at line {error.lineno}, column {error.offset}" if error.lineno else ""
        raise UsageError(f"{where} has a syntax error{place}: {error.msg}") from None
    except (ValueError, RecursionError, MemoryError) as error:
        raise UsageError(f"{where} cannot be parsed: {str(error) or 'it is nested too deeply'}") from None


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


def plain_compile(tree: ast.Module, filename: str) -> types.CodeType:
    """Compile without instrumentation, inheriting nothing from this module's own future imports."""
    return compile(tree, filename, "exec", dont_inherit=True)


class Caller:
    """A program, parsed and compiled once, called any number of times. Raises `UsageError` on a syntax error."""

    def __init__(
        self, source: str, compiler: Compiler = plain_compile, extra_builtins: dict[str, Any] | None = None
    ) -> None:
        self.tree = parse_source(source)
        self._extra = extra_builtins or {}
        try:
            self._code = compiler(self.tree, FILENAME)
        except SyntaxError as error:  # found by the compiler only: a return outside a function, say
            raise UsageError(f"the program has a syntax error at line {error.lineno}: {error.msg}") from None
        except (ValueError, RecursionError, MemoryError) as error:
            raise UsageError(f"the program cannot be compiled: {error}") from None

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
        invocation: Invocation,
        *,
        encoder: Encoder | None = None,
        stdout_limit: int = DEFAULT_STDOUT,
        on_write: Callable[[str], object] | None = None,
        on_ready: Callable[[], object] | None = None,
        on_done: Callable[[], object] | None = None,
    ) -> Outcome:
        """Run the module, then the invocation; never raises what the program raises.

        `on_ready` runs between module set-up and the call itself, `on_done` right after the call, whatever it did:
        the tracer records what lies between them.
        """
        output = Output(stdout_limit, on_write)
        encoder = encoder or Encoder()
        started, cpu = time.perf_counter(), time.process_time()
        value, exception = None, None
        try:
            with _streams(output, invocation.text if invocation.kind == "stdin" else ""):
                try:
                    result = self._invoke(invocation, on_ready)
                finally:
                    if on_done is not None:
                        on_done()
        except OutputFull as error:
            status, detail = "output_limit", str(error)
        except SystemExit as error:
            status, detail = "exited", bounded(f"exit status {error.code!r}")
        except MemoryError:
            status, detail = "memory", "the program asked for more memory than the limit allows"
        except UsageError as error:
            status, detail = "invalid", str(error)
        except BaseException as error:
            status, detail, exception = "raised", "", raised(error, encoder)
        else:
            status, detail, value = _result(result, encoder)
        if output.full:
            status, value, exception = "output_limit", None, None
            detail = "more printed output than the limit allows"
        usage = Usage(time.process_time() - cpu, time.perf_counter() - started)
        return Outcome(status, value, exception, output.text(), usage, detail)  # type: ignore[arg-type]

    def _invoke(self, invocation: Invocation, on_ready: Callable[[], object] | None) -> Any:
        if invocation.kind == "stdin":
            if on_ready is not None:
                on_ready()
            exec(self._code, self.namespace("__main__"))
            return None
        try:
            code = compile(invocation.text.strip(), "<call>", "eval", dont_inherit=True)
        except (SyntaxError, ValueError) as error:
            raise UsageError(f"the call {invocation.text!r} is not a Python expression: {error}") from None
        space = self.namespace()
        exec(self._code, space)
        if invocation.setup:
            exec(compile(invocation.setup, "<setup>", "exec", dont_inherit=True), space)
        if on_ready is not None:
            on_ready()
        return eval(code, space)


def _result(result: Any, encoder: Encoder) -> tuple[str, str, Value | None]:
    """Status, detail and value of what a call returned: what cannot be told as data was still not raised."""
    try:
        return "returned", "", Value(encoder.ref(result), encoder.nodes)
    except TooLarge as error:
        return "output_limit", str(error), None
    except MemoryError:
        return "memory", "the result needs more memory than the limit allows", None
    except Exception as error:
        return "invalid", bounded(f"the result cannot be told as data: {type_name(type(error))}: {error}"), None


def raised(error: BaseException, encoder: Encoder) -> Raised:
    """An exception as data. Its `str()` may be code of the program: what that raises counts as no message."""
    try:
        message = bounded(str(error))
    except Exception:
        message = ""
    try:
        value = Value(encoder.ref(error), encoder.nodes)
    except Exception:
        value = None
    return Raised(type_name(type(error)), message, value)


@contextlib.contextmanager
def _streams(output: Output, stdin: str) -> Any:
    """Standard streams of the program for the time of a call. Standard error is dropped."""
    saved = sys.stdin, sys.stdout, sys.stderr
    sys.stdin, sys.stdout, sys.stderr = io.StringIO(stdin), output, io.StringIO()
    try:
        yield
    finally:
        sys.stdin, sys.stdout, sys.stderr = saved


def outcome_doc(outcome: Outcome) -> dict[str, Any]:
    """The wire form of an outcome: plain JSON data."""
    return encode(outcome)

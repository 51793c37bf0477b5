"""Assert-style tests (HumanEval, MBPP, written by a model): the test's side, where the candidate is a stub.

The test is text that asserts; the names in it that nothing but the candidate can define become *stubs*. A call of a
stub packs a copy of the arguments, asks the candidate's process, and gives back plain data made here, so that every
comparison in the test is Python's own on Python's own types. What is no data comes back as a `Remote`, which equals
nothing but itself.

Guarantees: a test passes only if its text ran to the end without an exception and called the entry; no code of the
candidate runs here, and no expected value leaves. What the candidate raises is raised here as the nearest built-in
exception, or as `CandidateError`; when its process is gone or a limit is hit, the test is over, whatever its own
handlers catch.
It does not contain the test: whoever wrote that is trusted, or this runs in a sandbox of its own
(`semcoder.sandbox.checker`).

Standard library and `semcoder.core` only: it runs on the trusted and on the untrusted side.
"""

from __future__ import annotations

import builtins
import contextlib
import decimal
import importlib
import io
import pickle
import random
import symtable
import sys
import types
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from types import CodeType
from typing import Any

from semcoder.core.calling import Output
from semcoder.core.values import NotLiteral, Value
from semcoder.errors import SemcoderError

#: Takes a question (see `semcoder.sandbox.answers`), gives the document that answers it.
Ask = Callable[[list[Any]], dict[str, Any]]

TASK = "semcoder.sandbox.asserts:test_task"
#: Statuses with which a candidate can end a conversation.
ENDS = frozenset({"exited", "invalid", "timeout", "memory", "output_limit"})
MOST_FORESEEN = 1000
#: The module in which tests run.
_MODULE = "semcoder_tests"
_BUILTINS = frozenset(dir(builtins))
_EMPTY = pickle.dumps(((), {}), protocol=5).decode("latin-1")
#: The answer of nobody. Known by its identity: what an untrusted process sends is never this object.
_ANYTHING = {"status": "returned"}


class CandidateError(Exception):
    """An exception of the candidate that is of no built-in type, or a result that is no plain data."""


class CandidateGone(BaseException):
    """The candidate cannot answer any more: its process ended, or a limit was hit."""


class Diverged(BaseException):
    """The tests asked what nobody foresaw."""


class BadTests(BaseException):
    """The tests cannot go on, through no fault of the candidate."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What tests found. `passed` is None where they could not judge."""

    passed: bool | None
    reason: str = ""


# Stubs -------------------------------------------------------------------------------------------------------------


class _Packer(pickle.Pickler):
    def persistent_id(self, obj: Any) -> Any:
        return object.__getattribute__(obj, "_target") if type(obj) is Remote else None


def pack(args: tuple[Any, ...], kwargs: dict[str, Any]) -> str:
    """A copy of the arguments, to be read in the candidate's process. Raises `BadTests` for what cannot be copied."""
    if not args and not kwargs:
        return _EMPTY
    buffer = io.BytesIO()
    try:
        _Packer(buffer, protocol=5).dump((args, kwargs))
    except (pickle.PicklingError, AttributeError, TypeError, RecursionError) as error:
        raise BadTests(f"an argument cannot be copied to the program under test: {error}") from None
    return buffer.getvalue().decode("latin-1")


def unpack(packed: str) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """What was packed *here*, as far as it holds nothing of the candidate's: pickles of others are not read."""
    found: tuple[tuple[Any, ...], dict[str, Any]] = pickle.loads(packed.encode("latin-1"))
    return found


class Remote:
    """What is the candidate's own: a function, a class, an instance, an iterator. Named here, kept there."""

    __slots__ = ("_conversation", "_target")
    _conversation: _Conversation
    _target: str | int

    def __init__(self, conversation: _Conversation, target: str | int) -> None:
        object.__setattr__(self, "_conversation", conversation)
        object.__setattr__(self, "_target", target)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return _question(self, "call", *args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # protocols are for trusted objects: numpy reads memory wherever one tells it to
            raise AttributeError(name)
        return _question(self, "getattr", name)

    def __setattr__(self, name: str, value: Any) -> None:
        _question(self, "setattr", name, value)

    def __getitem__(self, key: Any) -> Any:
        return _question(self, "getitem", key)

    def __len__(self) -> int:
        return int(_question(self, "len"))

    def __bool__(self) -> bool:
        return True

    def __iter__(self) -> Iterator[Any]:
        return _Iteration(_question(self, "iter"))

    def __next__(self) -> Any:
        return _question(self, "next")

    def __str__(self) -> str:
        return str(_question(self, "str"))

    def __repr__(self) -> str:
        return str(_question(self, "repr"))


class _Iteration:
    """An iterator of the candidate's, one element a question: it need not end."""

    def __init__(self, remote: Any) -> None:
        self._remote = remote

    def __iter__(self) -> _Iteration:
        return self

    def __next__(self) -> Any:
        return next(self._remote)


def _question(remote: Remote, operation: str, *args: Any, **kwargs: Any) -> Any:
    conversation: _Conversation = object.__getattribute__(remote, "_conversation")
    return conversation.ask(operation, object.__getattribute__(remote, "_target"), args, kwargs)


class _Conversation:
    """Questions and answers of one run. What ends it ends it for good, whatever the tests catch."""

    def __init__(self, ask: Ask, entry: str) -> None:
        self._ask = ask
        self._entry = entry
        self.count = 0
        self.met_entry = False
        self.over: BaseException | None = None

    def ask(self, operation: str, target: str | int, args: tuple[Any, ...] = (), kwargs: Any = None) -> Any:
        """The value of the answer. Raises what it says was raised; what ends the conversation."""
        if self.over is not None:
            raise self.over
        self.count += 1
        self.met_entry = self.met_entry or target == self._entry
        try:
            return self._take(operation, self._ask([operation, target, pack(args, kwargs or {})]))
        except (CandidateGone, Diverged, BadTests, SemcoderError) as error:
            self.over = error
            raise

    def _take(self, operation: str, doc: dict[str, Any]) -> Any:
        status = doc.get("status")
        if status == "returned":
            return _Anything() if doc is _ANYTHING else self._value(doc)
        if status == "raised":
            raise _exception(operation, doc.get("exception"))
        known = status if isinstance(status, str) and status in ENDS else "exited"
        raise CandidateGone(f"{known}: {str(doc.get('detail', ''))[:300]}".removesuffix(": "))

    def _value(self, doc: dict[str, Any]) -> Any:
        handle = doc.get("handle")
        if type(handle) is int:
            return Remote(self, handle)
        wire = doc.get("value")
        ref = wire.get("ref", _ANYTHING) if isinstance(wire, dict) else _ANYTHING
        if ref is None or isinstance(ref, (str, bool)):
            return ref
        try:
            value = Value.from_wire(wire)
            nodes = [(str(node[0]).partition("/")[0], *node[1:]) for node in value.nodes]  # a Counter is a dict
            return Value(value.ref, nodes).to_python()
        except NotLiteral as error:
            raise CandidateError(f"the program returned what is not plain data: {error}") from None
        except (ValueError, ArithmeticError, RecursionError) as error:
            raise CandidateGone(f"exited: the process sent no answer: {str(error)[:200]}") from None


def _exception(operation: str, told: Any) -> BaseException:
    """An exception like the candidate's: of the nearest built-in type, under its own name."""
    if not isinstance(told, dict):
        return CandidateGone("exited: the process sent no answer")
    name, message, bases = str(told.get("type"))[:100], str(told.get("message"))[:1000], told.get("bases")
    for base in bases if isinstance(bases, list) else ():
        kind = getattr(builtins, base, None) if isinstance(base, str) else None
        if not isinstance(kind, type) or not issubclass(kind, Exception):
            break
        if issubclass(kind, (StopIteration, StopAsyncIteration)) and operation != "next":
            break  # it would end a loop of the tests
        try:
            return kind(*_arguments(told, message)) if base == name else type(name, (kind,), {})(message)
        except (TypeError, ValueError):  # one that is made of more than a message
            continue
    return CandidateError(f"{name}: {message}")


def _arguments(told: dict[str, Any], message: str) -> tuple[Any, ...]:
    try:
        return tuple(part.to_python() for part in Value.from_wire(told.get("value")).children())
    except (ValueError, ArithmeticError, RecursionError, LookupError, TypeError):
        return (message,)


# The run of a test ------------------------------------------------------------------------------------------------


@lru_cache(maxsize=256)
def prepare(tests: str, context: str) -> tuple[CodeType, CodeType, tuple[str, ...]]:
    """Code of the context and of the tests, and the names that neither defines, sorted.

    Raises SyntaxError, ValueError.
    """
    parts = ((context, "<context>"), (tests, "<tests>"))
    needed: set[str] = set()
    known = _BUILTINS
    with warnings.catch_warnings():  # of the compiler, on somebody else's escape sequences
        warnings.simplefilter("ignore")
        for text, where in parts:
            needed_here, bound_here = _global_names(symtable.symtable(text, where, "exec"))
            needed |= needed_here
            known = known | bound_here
        before, code = (compile(text, where, "exec", dont_inherit=True) for text, where in parts)
    return before, code, tuple(sorted(needed - known))


def _global_names(top: symtable.SymbolTable) -> tuple[set[str], set[str]]:
    """Names that a module looks up globally, in whatever scope, and those that its top level binds."""
    needed, bound, tables = set(), set(), [top]
    while tables:
        table = tables.pop()
        tables += table.get_children()
        for symbol in table.get_symbols():
            bound_here = symbol.is_assigned() or symbol.is_imported()
            if bound_here and (table is top or symbol.is_declared_global()):
                bound.add(symbol.get_name())
            elif symbol.is_referenced() and (table is top or symbol.is_global()):
                needed.add(symbol.get_name())
    return needed, bound


def run_tests(tests: str, entry: str, ask: Ask, context: str = "") -> Judgement:
    """Run the text of a test against stubs.

    `context` is trusted code that the test relies on (helpers that the task's statement gives), run before it. Passed
    is True only if the text ran to its end and called the entry; None where the tests do not parse, raise before they
    ask anything, or ask nothing of the entry. Lets `Diverged` pass, and what the sandbox itself raises.
    """
    try:
        before, code, names = prepare(tests, context)
    except (SyntaxError, ValueError) as error:
        return Judgement(None, f"the tests do not parse: {error}")
    conversation = _Conversation(ask, entry)
    reason = ""
    with _own_state() as space:
        try:
            exec(before, space)
            _fill(space, names, entry, conversation)
            exec(code, space)
        except BaseException as error:  # whatever it is, the test did not run to its end
            reason = _where(error)
    return _judgement(conversation, reason)


def _fill(space: dict[str, Any], names: Sequence[str], entry: str, conversation: _Conversation) -> None:
    """The entry as a stub; other names are standard modules, or what the candidate has under them."""
    for name in names:
        if name in space or name == entry:
            continue
        if name in sys.stdlib_module_names:
            space[name] = importlib.import_module(name)
            continue
        with contextlib.suppress(NameError):
            space[name] = conversation.ask("value", name)
    space[entry] = Remote(conversation, entry)  # whatever the context has under that name


def _judgement(conversation: _Conversation, reason: str) -> Judgement:
    over = conversation.over
    if isinstance(over, CandidateGone):
        return Judgement(False, str(over))
    if isinstance(over, BadTests):
        return Judgement(None, str(over))
    if over is not None:
        raise over
    if reason:
        return Judgement(False if conversation.count else None, reason)
    if not conversation.met_entry:
        return Judgement(None, "the tests never call the program")
    return Judgement(True)


@contextlib.contextmanager
def _own_state() -> Iterator[dict[str, Any]]:
    """A module for the tests; what of the interpreter's state one test might leave to the next is put back.

    A test that draws its inputs draws the same ones for every candidate.
    """
    module = types.ModuleType(_MODULE)
    sys.modules[_MODULE] = module
    limit, drawn = sys.getrecursionlimit(), random.getstate()
    random.seed(0)
    try:
        with (
            decimal.localcontext(),
            contextlib.redirect_stdout(Output(1 << 24)),
            contextlib.redirect_stderr(io.StringIO()),
        ):
            yield module.__dict__
    finally:
        sys.setrecursionlimit(limit)
        random.setstate(drawn)
        sys.modules.pop(_MODULE, None)


def _where(error: BaseException) -> str:
    """What stopped the tests, and their line. Nothing here asks the candidate: a message may hold what is its."""
    said = ", ".join(str(arg) for arg in error.args if isinstance(arg, (str, int, float)))[:300]
    message = f"{type(error).__name__}: {said}"
    if isinstance(error, AssertionError):
        message = said or "the test does not hold"
    line, trace = 0, error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == "<tests>":
            line = trace.tb_lineno
        trace = trace.tb_next
    return f"line {line} of the tests: {message}" if line else message


# Questions sent ahead -----------------------------------------------------------------------------------------------


@lru_cache(maxsize=256)
def foresee(tests: str, entry: str, context: str = "") -> tuple[list[Any], ...]:
    """The questions that the tests will most likely ask, in order, found by running them on answers that suit anything.

    Asked all at once they are answered without a wait for each. Where the tests then ask otherwise, they have to start
    again with a fresh candidate (`Diverged`).
    """
    found: list[list[Any]] = []

    def note(question: list[Any]) -> dict[str, Any]:
        found.append(question)
        if len(found) >= MOST_FORESEEN:
            raise CandidateGone("enough")
        return _ANYTHING

    run_tests(tests, entry, note, context)
    return tuple(found)


def in_turn(foreseen: Sequence[list[Any]], answer: Callable[[], dict[str, Any]]) -> Ask:
    """Answers to questions that were sent ahead. Raises `Diverged` at one that was not, and past the last one."""
    upcoming = iter(foreseen)

    def ask(question: list[Any]) -> dict[str, Any]:
        if next(upcoming, None) != question:
            raise Diverged
        return answer()

    return ask


class _Anything:
    """An answer that no test objects to, as long as it only compares and computes."""

    def _same(self, *args: Any) -> Any:
        return self

    def _true(self, *args: Any) -> bool:
        return True

    __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = __bool__ = _true
    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = __rtruediv__ = _same
    __pow__ = __rpow__ = __mod__ = __abs__ = __neg__ = __round__ = __getitem__ = __call__ = __getattr__ = _same
    __hash__ = object.__hash__

    def __len__(self) -> int:
        return 0

    def __iter__(self) -> Iterator[Any]:
        return iter(())

    def __reduce_ex__(self, protocol: Any) -> Any:
        raise TypeError("what nobody has answered yet cannot be an argument")


# Tests that are not trusted -----------------------------------------------------------------------------------------


def test_task(payload: dict[str, Any]) -> Callable[[Any, dict[str, Any]], dict[str, Any]]:
    """The sandbox task for tests that are not trusted: payload `{"tests", "entry", "context"}`.

    The first item starts the tests. Each reply is `{"ask": question}`, upon which the next item is the answer, or
    `{"passed", "reason"}` of a `Judgement`.
    """
    from semcoder.sandbox.child import exchange

    def call(item: Any, limits: dict[str, Any]) -> dict[str, Any]:
        found = run_tests(payload["tests"], payload["entry"], lambda q: exchange({"ask": q}), payload["context"])
        return {"passed": found.passed, "reason": found.reason}

    return call


test_task.__test__ = False  # type: ignore[attr-defined]  # not one for pytest

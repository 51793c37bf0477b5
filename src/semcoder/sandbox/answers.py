"""The candidate's side of assert-style tests: questions about one program, answered in its own process.

A test never shares a process with the candidate: on the test's side every name of the candidate is a stub
(`semcoder.sandbox.asserts`), and what is done to a stub comes here as a question. The module runs once, so that a
program may keep state from one question to the next, as it may in a test file.

Guarantees: what goes back is a document of plain data in the form of an `Outcome`; an object that is no data (an
instance, an iterator) stays here and goes back as a number, its *handle*, with which the test can name it again.
It does not know what is expected: no expected value ever comes here.

Runs inside the sandbox: standard library only.
"""

from __future__ import annotations

import io
import pickle
from collections.abc import Callable
from typing import Any

from semcoder.core.calling import SAMPLE, Caller, OutcomeDoc, observe
from semcoder.errors import UsageError

TASK = "semcoder.sandbox.answers:answer_task"

_DATA = frozenset({"list", "tuple", "set", "frozenset", "dict", "bytearray"})
_missing = object()


class _Arguments(pickle.Unpickler):
    """Arguments that the test's side has packed; handles in them become the objects that they stand for."""

    def __init__(self, data: bytes, find: Callable[[Any], Any]) -> None:
        super().__init__(io.BytesIO(data))
        self.persistent_load = find  # type: ignore[method-assign]


class Answers:
    """One program and the objects of it that a test holds by handle."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller
        self._space: dict[str, Any] | None = None
        self._objects: list[Any] = []
        self._result: Any = None

    def answer(self, question: list[Any], stdout_limit: int) -> OutcomeDoc:
        """The outcome of `[operation, target, packed arguments]`; a handle is `{"handle": n, "type": name}`."""
        operation, target, packed = question

        bases: list[str] = []

        def act() -> Any:
            try:
                subject = self.find(target)
                args, kwargs = _Arguments(packed.encode("latin-1"), self.find).load()
                self._result = OPERATIONS[operation](subject, *args, **kwargs)
            except Exception as error:
                bases.extend(base.__name__ for base in type(error).__mro__ if base.__module__ == "builtins")
                raise
            return self._result

        doc = observe(act, stdout_limit=stdout_limit)
        if "exception" in doc:
            doc["exception"]["bases"] = bases
        value = doc.get("value")
        if value is not None and _is_handle(value):
            del doc["value"]
            self._objects.append(self._result)
            doc["handle"] = len(self._objects) - 1
        return doc

    def find(self, target: Any) -> Any:
        """What a name or a handle stands for. Raises NameError, and what the module raises when it runs."""
        if isinstance(target, int):
            return self._objects[target]
        if self._space is None:
            self._space = self._caller.run_module()
        found = self._space.get(target, _missing)
        if found is _missing:
            raise NameError(f"name {target!r} is not defined")
        return found


def _is_handle(value: dict[str, Any]) -> bool:
    ref = value["ref"]
    if type(ref) is not tuple or len(ref) != 1 or type(ref[0]) is not int:
        return False
    return value["nodes"][ref[0]][0].partition("/")[0] not in _DATA


def _call(subject: Any, *args: Any, **kwargs: Any) -> Any:
    return subject(*args, **kwargs)


#: What a test can do with what is the candidate's.
OPERATIONS: dict[str, Callable[..., Any]] = {
    "call": _call,
    "value": lambda subject: subject,
    "getattr": getattr,
    "setattr": setattr,
    "getitem": lambda subject, key: subject[key],
    "iter": iter,
    "next": next,
    "len": len,
    "str": str,
    "repr": repr,
}


def answer_task(payload: dict[str, Any]) -> Callable[[Any, dict[str, Any]], OutcomeDoc]:
    """The sandbox task: payload `{"source"}`; items are questions (see `Answers.answer`)."""
    try:
        answers = Answers(Caller(payload["source"]))
    except UsageError as error:
        refused = {"status": "invalid", "detail": str(error)}
        return lambda item, limits: refused
    return lambda item, limits: answers.answer(item, limits["stdout"])


_PACKED = pickle.dumps((([1, 2, 3],), {}), protocol=5).decode("latin-1")
#: See `semcoder.sandbox.child`.
REHEARSALS = [("answer_task", {"source": SAMPLE}, ["call", "f", _PACKED])]

"""Tracing one call in this process: the task that the sandbox's child runs, and the in-process form of it.

Guarantees: the outcome in the trace is that of the traced run; recording covers the call itself, not the module's
set-up. It does not contain the program: `trace_here` is for trusted sources; for others the sandbox runs `trace_task`.

Runs inside the sandbox: standard library only.
"""

from __future__ import annotations

import ast
import platform
import types
from collections.abc import Callable
from typing import Any

from semcoder.core.calling import SAMPLE, Call, Caller, OutcomeDoc
from semcoder.errors import UsageError
from semcoder.tracing.instrument import instrument
from semcoder.tracing.recorder import MAX_EVENTS, Recorder

#: Where the payload of the trace task comes from: {"source": text}, and optionally "max_events": int, "ends": bool.
Payload = dict[str, Any]


def record(
    source: str, invocation: Call, *, max_events: int = MAX_EVENTS, stdout_limit: int = 1 << 20, ends: bool = False
) -> dict[str, Any]:
    """Run one call under the recorder. Returns `{"outcome", "columns", "python"}` as JSON data.

    `ends`: as of `Recorder`; the outcome is then one of status raised, with a `RecordingFull`. Raises `UsageError` on a
    syntax error.
    """
    recorder = Recorder(max_events=max_events, ends=ends)

    def compiler(tree: ast.Module, filename: str) -> types.CodeType:
        instrumented = instrument(tree, filename, module_steps=invocation[0] == "stdin")
        recorder.globals_of, recorder.heads_of = instrumented.globals_of, instrumented.heads_of
        return instrumented.code

    caller = Caller(source, compiler, recorder.builtins())
    outcome = caller.call(
        invocation,
        stdout_limit=stdout_limit,
        on_write=recorder.on_write,
        on_ready=recorder.start,
        on_done=recorder.stop,
    )
    return _document(outcome, recorder.columns())


def _document(outcome: OutcomeDoc, columns: dict[str, Any]) -> dict[str, Any]:
    return {
        "outcome": outcome,
        "columns": columns,
        "python": platform.python_version(),
    }


#: See `semcoder.sandbox.child.REHEARSALS`.
REHEARSALS = [("trace_task", {"source": SAMPLE}, ("expr", "f([1, 2, 3])", ""))]


def trace_task(payload: Payload) -> Callable[[Any, dict[str, Any]], Any]:
    """The sandbox task: factory over `{"source", "max_events", "ends"}`; items are invocations as documents.

    A program that cannot be compiled gives an outcome with status `invalid` and empty columns.
    """
    source = str(payload["source"])
    max_events, ends = int(payload.get("max_events", MAX_EVENTS)), bool(payload.get("ends"))

    def run(item: Any, limits: dict[str, Any]) -> Any:
        try:
            room = int(limits.get("stdout", 1 << 20))
            return record(source, item, max_events=max_events, stdout_limit=room, ends=ends)
        except UsageError as error:
            return _document({"status": "invalid", "detail": str(error)}, Recorder().columns())

    return run

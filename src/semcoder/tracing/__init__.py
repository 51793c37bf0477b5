"""Tracing: what a program did, statement by statement, with every sub-expression's value."""

from __future__ import annotations

import json
from typing import Any

from semcoder.core import Invocation, encode
from semcoder.tracing.child import record
from semcoder.tracing.recorder import MAX_EVENTS
from semcoder.tracing.trace import Change, Part, Step, Trace

#: The sandbox task that traces (see `semcoder.tracing.child.trace_task`).
TASK = "semcoder.tracing.child:trace_task"

__all__ = ["MAX_EVENTS", "TASK", "Change", "Part", "Step", "Trace", "trace_from_document", "trace_here"]


def trace_here(source: str, call: str | Invocation, *, max_events: int = MAX_EVENTS) -> Trace:
    """Trace a call of a *trusted* program in this process. Raises `UsageError` on a syntax error."""
    invocation = Invocation(call) if isinstance(call, str) else call
    document = json.loads(json.dumps(record(source, invocation.parts, max_events=max_events)))
    return trace_from_document(source, document, invocation)


def trace_from_document(source: str, document: Any, invocation: Invocation) -> Trace:
    """A trace of this call of this source, from what the task returned for it; the document has no say in either.

    Raises `InputError` where it is malformed.
    """
    known = {"source": source, "invocation": encode(invocation)}
    return Trace.from_wire({**document, **known} if isinstance(document, dict) else {})

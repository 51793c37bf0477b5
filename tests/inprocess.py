"""Calls of trusted programs in this process, as outcomes: what most tests compare the sandbox and the tracer with."""

from __future__ import annotations

import json
from collections.abc import Callable

from semcoder.core import Invocation, Outcome, decode
from semcoder.core.calling import Caller


class InProcess:
    """A program, compiled once. Raises `UsageError` on a syntax error."""

    def __init__(self, source: str) -> None:
        self._caller = Caller(source)

    def call(self, invocation: Invocation | str, **hooks: Callable[[], object]) -> Outcome:
        """`hooks`: `on_ready`, `on_done` of `Caller.call`."""
        if isinstance(invocation, str):
            invocation = Invocation(invocation)
        document = self._caller.call(invocation.parts, **hooks)  # type: ignore[arg-type]
        return decode(Outcome, json.loads(json.dumps(document)))

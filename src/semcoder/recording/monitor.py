"""Calls seen through `sys.monitoring` (Python 3.12 and newer).

Guarantees: other tools' events (coverage, debuggers, profilers) are not touched; code that is not the user's, and
functions of which enough is kept, cost nothing after their first call.
It does not see calls where no tool number is left, which is told as a problem.
"""

from __future__ import annotations

import os
import sys
import types
from typing import Any

from semcoder.recording.keeper import Function, Keeper, Scope, Token, parameters, recordable

#: Numbers that CPython names no tool for come first.
_TOOLS = (4, 3, 5, 2)
_getframe = sys._getframe


def start(keeper: Keeper, scope: Scope) -> None:
    """See all calls of this process from now on. Raises `RuntimeError` where no tool number is free."""
    monitoring: Any = getattr(sys, "monitoring")  # noqa: B009  # not there where these types are checked
    tool = next((number for number in _TOOLS if monitoring.get_tool(number) is None), None)
    if tool is None:
        raise RuntimeError("other tools hold all numbers of sys.monitoring")
    monitoring.use_tool_id(tool, "semcoder")
    events = monitoring.events
    seen = _Seen(keeper, scope, monitoring, tool)
    monitoring.register_callback(tool, events.PY_START, seen.start)
    monitoring.register_callback(tool, events.PY_RETURN, seen.returned)
    monitoring.set_events(tool, events.PY_START)


class _Seen:
    def __init__(self, keeper: Keeper, scope: Scope, monitoring: Any, tool: int) -> None:
        self._keeper = keeper
        self._scope = scope
        self._monitoring = monitoring
        self._tool = tool
        # By identity: code compares by content. `Function` keeps its code alive, so that the number stays its own.
        self._functions: dict[int, tuple[Function, list[str]]] = {}
        # Frames by identity as well: to hold a frame is to hold its variables. A function that raised leaves its token
        # behind, which the next frame in that place replaces.
        self._open: dict[int, Token | None] = {}

    def start(self, code: types.CodeType, offset: int) -> Any:
        try:
            known = self._functions.get(id(code)) or self._new(code)
            if known is None:
                return self._monitoring.DISABLE
            function, names = known
            if function.done or not self._keeper.on:
                self._watch(code, False)
                return self._monitoring.DISABLE
            frame = _getframe(1)
            variables = frame.f_locals
            values = [variables[name] for name in names]
            if type(variables) is dict:
                variables.clear()  # 3.12: this copy stays with the frame, and would keep alive what the function drops
            self._open[id(frame)] = self._keeper.begin(function, values, frame.f_globals)
        except Exception as error:
            self._keeper.stop(error)
            return self._monitoring.DISABLE
        return None

    def returned(self, code: types.CodeType, offset: int, result: Any) -> None:
        token = self._open.pop(id(_getframe(1)), None)
        if token is not None and token[0].code is code:
            self._keeper.end(token, result)

    def _new(self, code: types.CodeType) -> tuple[Function, list[str]] | None:
        path = self._scope.path(code.co_filename) if self._keeper.on and recordable(code) else ""
        if not path or not code.co_flags & 0x01:  # class bodies and modules have no variables of their own
            return None
        module = str(_getframe(2).f_globals.get("__name__", ""))
        if module == "__main__":
            module = os.path.splitext(os.path.basename(path))[0]
        known = self._keeper.function(code, module, path), parameters(code)
        self._functions[id(code)] = known
        self._watch(code, True)
        return known

    def _watch(self, code: types.CodeType, on: bool) -> None:
        event = self._monitoring.events.PY_RETURN if on else 0
        self._monitoring.set_local_events(self._tool, code, event)

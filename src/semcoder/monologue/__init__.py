"""Monologues: executions told in plain English, one file per style, and `verify`, which checks a text against a run.

A style is a module here with one exported class that has `name`, `direction`, `render(trace, detail=...) -> Monologue`
and `parse(text) -> answer`; it is found by its file name. A style that is not written in sentences brings its own
checker (`TraceStyle`). A style renders from the recorded trace alone and executes nothing.
See docs/design/monologue.md.

Names are loaded on first use: what needs the sentences alone does not wait for what reads and judges them.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from semcoder.monologue.backward import Backward
    from semcoder.monologue.checking import proposed_call, verify
    from semcoder.monologue.telling import Style, TraceStyle, check, style, styles, tell

__all__ = ["Backward", "Style", "TraceStyle", "check", "proposed_call", "style", "styles", "tell", "verify"]

_HOMES = {
    "Backward": "backward",
    "Style": "telling",
    "TraceStyle": "telling",
    "check": "telling",
    "proposed_call": "checking",
    "style": "telling",
    "styles": "telling",
    "tell": "telling",
    "verify": "checking",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)

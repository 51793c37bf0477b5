"""Monologues: executions told in plain English, one file per style, and `verify`, which checks a text against a run.

A style is a module here with one exported class that has `name`, `direction`, `render(trace, detail=...) -> Monologue`
and `parse(text) -> answer`; it is found by its file name. See docs/design/monologue.md.
"""

from __future__ import annotations

from typing import Protocol

from semcoder.core import Detail, Direction, Monologue
from semcoder.errors import UsageError
from semcoder.monologue.backward import Backward
from semcoder.monologue.verify import proposed_call, verify
from semcoder.plugins import load_plugins
from semcoder.tracing import Trace


class Style(Protocol):
    """A way to tell an execution."""

    name: str
    direction: Direction

    def render(self, trace: Trace, *, detail: Detail = "line") -> Monologue:
        """The monologue of a trace, without claims (`verify` makes those)."""

    def parse(self, text: str) -> str | None:
        """The answer that a text of this style gives, None if it gives none."""


def styles() -> dict[str, type[Style]]:
    """All styles by name."""
    return load_plugins("semcoder.monologue", "render", "parse")


def style(name: str) -> Style:
    """One style. Raises `UsageError` naming those that exist."""
    known = styles()
    if name not in known:
        raise UsageError(f"there is no style {name!r}; there are: {', '.join(sorted(known))}")
    return known[name]()


__all__ = ["Backward", "Style", "proposed_call", "style", "styles", "verify"]

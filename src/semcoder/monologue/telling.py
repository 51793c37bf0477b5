"""Styles by name, and an execution told, or a text judged, in one of them."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from semcoder.core import Claim, Detail, Direction, Monologue
from semcoder.errors import UsageError
from semcoder.monologue.checking import verify
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


@runtime_checkable
class TraceStyle(Style, Protocol):
    """A style that states a trace in a notation of its own, and judges texts in it. `labels`: whether lines have labels
    unless told otherwise; both ways are possible."""

    labels: bool

    def render(self, trace: Trace, *, detail: Detail = "line", labels: bool = ...) -> Monologue: ...

    def claims(self, text: str, trace: Trace, *, detail: Detail = "line", labels: bool = ...) -> list[Claim]:
        """Every claim of a text that was rendered so, judged against an execution."""


def styles() -> dict[str, type[Style]]:
    """All styles by name."""
    return load_plugins("semcoder.monologue", "render", "parse")


def style(name: str) -> Style:
    """One style. Raises `UsageError` naming those that exist."""
    known = styles()
    if name not in known:
        raise UsageError(f"there is no style {name!r}; there are: {', '.join(sorted(known))}")
    return known[name]()


def tell(chosen: Style, trace: Trace, *, detail: Detail = "line", labels: bool | None = None) -> Monologue:
    """The monologue of a trace. `labels`: with or without labels of lines, None for what the style does unless told.

    Raises `UsageError` where the style has no such choice.
    """
    if isinstance(chosen, TraceStyle):
        return chosen.render(trace, detail=detail, labels=chosen.labels if labels is None else labels)
    if labels is False:
        raise UsageError(f"the style {chosen.name} names the line of every sentence and cannot do without labels")
    return chosen.render(trace, detail=detail)


def check(
    chosen: Style, text: str, trace: Trace, *, detail: Detail = "line", labels: bool | None = None
) -> list[Claim]:
    """Every claim of a text of this style, told as `tell` was asked to, judged against an execution."""
    if isinstance(chosen, TraceStyle):
        return chosen.claims(text, trace, detail=detail, labels=chosen.labels if labels is None else labels)
    return verify(text, trace)

"""The steps style in colours: what a terminal shows of an execution.

Guarantees: the text is that of `semcoder.monologue.steps`, piece by piece; colours are added and nothing else.
Variables that changed stand out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from semcoder.cli.printing import Segment
from semcoder.monologue.steps import Row, pieces

_STYLES = {
    "line": "dim",
    "source": "bold",
    "call": "cyan",
    "change": "yellow",
    "branch": "magenta",
    "iteration": "blue",
    "value": "dim",
    "yield": "cyan",
    "prints": "dim",
    "return": "green",
    "raise": "red",
    "catch": "bold yellow",
}


def drawn(found: Sequence[Row], *, labels: bool = True) -> Iterator[list[Segment]]:
    """Lines for a terminal."""
    for row in pieces(found, labels):
        yield [(text, _STYLES.get(kind, "")) for text, kind in row]

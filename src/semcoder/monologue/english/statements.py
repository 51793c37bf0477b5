"""What a text says, one thing at a time: statements, where they hold, and what later clauses can refer back to."""

from __future__ import annotations

from dataclasses import dataclass

from semcoder.core import Value

Kind = str

#: The ordinal of an iteration 0: whoever says so counts from 0, and no one knows how far that goes.
ZEROTH = -3


@dataclass(frozen=True, slots=True)
class Place:
    """Where a statement holds: at, after or before a visit of a line (0: none named), in an iteration (0: any).

    `again`: the ordinal counts the visits of the line, not the iterations.
    """

    line: int = 0
    when: str = "at"
    ordinal: int = 0
    again: bool = False
    past: bool = False


@dataclass(frozen=True, slots=True)
class Statement:
    """One thing that a text says. Which fields count depends on `kind` (see `judging`).

    `sure`: whether subject, relation and value were all read with certainty; what is not sure is never called false.
    """

    kind: Kind
    text: str
    start: int
    end: int
    place: Place = Place()
    subject: str = ""
    value: Value | None = None
    old: Value | None = None
    arguments: tuple[Value, ...] = ()
    truth: bool = True
    negated: bool = False
    changes: bool = False
    number: int = 0
    compare: str = "=="
    target: int = 0
    final: bool = False
    tests: bool = False
    sure: bool = True


@dataclass(slots=True)
class Context:
    """What later clauses can refer back to."""

    subject: str = ""
    kind: str = ""
    value: Value | None = None
    line: int = 0
    local: bool = False
    test: str = ""
    function: str = ""
    only: str = ""
    flipped: bool = False
    stale: bool = False
    answers: bool = False
    asked: int = 0
    call: tuple[str, tuple[Value, ...]] | None = None


__all__ = ["ZEROTH", "Context", "Kind", "Place", "Statement"]

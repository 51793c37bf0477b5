"""The concise style: per executed line its label and what changed there, a row each (paper section 5).

    [L4] n=2
    [L5]
    [L6] result=[4]

Rows are indented by call depth; `[L6+]` is the rest of a statement after a call that it made. A call, a return, an
exception, printed text and yielded values are told where they happen. Values are never cut.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from semcoder.core import Claim, Detail, Direction, Monologue
from semcoder.monologue._check import Checker, Stated, depth_of, rows_of
from semcoder.monologue._entries import (
    Row,
    Teller,
    closing,
    cut,
    labelled,
    opening,
    parse_answer,
    read_entries,
    write_entries,
)
from semcoder.monologue.forward import answer_of
from semcoder.tracing import Trace

_ROW = re.compile(r" *(?:\[L(\d{1,9})(\+?)\](?: |$))?(.*)")


class Concise:
    """What changes, line by line as executed. Without labels, lines at which nothing happens are left out."""

    name = "concise"
    direction: Direction = "forward"
    labels = True

    def render(self, trace: Trace, *, detail: Detail = "line", labels: bool = True) -> Monologue:
        """The text of a trace. At `expression` detail the values of sub-expressions stand in their rows, too."""
        told = _told(Teller(trace), detail, labels)
        rows = (f"{row.indent}{labelled(row, labels)} {write_entries(row.entries)}" for row in told)
        body = [row.rstrip() if labels else row.replace(" ", "", 1) for row in rows]
        text = "\n".join([opening(trace), *body, *cut(trace), closing(trace)])
        return Monologue("forward", self.name, text, answer_of(trace))

    def parse(self, text: str) -> str | None:
        """The answer that a text of this style gives; None if it gives none."""
        return parse_answer(text)

    def claims(self, text: str, trace: Trace, *, detail: Detail = "line", labels: bool = True) -> list[Claim]:
        """Every row's claims, judged against an execution."""
        teller = Teller(trace)
        needed = {row.moment.step.index for row in _told(teller, detail, labels)}
        return list(Checker(teller, needed).claims(text, _read(text)))


def _told(teller: Teller, detail: Detail, labels: bool) -> Iterator[Row]:
    return (row for row in teller.rows(detail) if labels or row.entries)


def _read(text: str) -> Iterator[Stated]:
    for start, row in rows_of(text):
        match = _ROW.fullmatch(row)
        try:
            entries = None if match is None else tuple(read_entries(match[3]))
        except ValueError:
            entries = None
        line, more = (match[1], match[2]) if match else (None, "")
        margin = len(row) - len(row.lstrip(" "))
        yield Stated(row.strip(), start + margin, entries, int(line or 0), bool(more), depth=depth_of(row))

"""The direct style: the answer and nothing else, as a baseline for everything that reasons."""

from __future__ import annotations

from semcoder.core import Claim, Detail, Direction, Monologue
from semcoder.monologue._entries import closing, parse_answer
from semcoder.monologue.forward import answer_of
from semcoder.tracing import Trace


class Direct:
    """`[OUTPUT] 4 [/OUTPUT]`; `[RAISED] ...` for a call that raised. `detail` and `labels` mean nothing here."""

    name = "direct"
    direction: Direction = "forward"
    labels = False

    def render(self, trace: Trace, *, detail: Detail = "line", labels: bool = False) -> Monologue:
        """The answer of a trace, whole. Both settings are accepted and change nothing."""
        return Monologue("forward", self.name, closing(trace), answer_of(trace))

    def parse(self, text: str) -> str | None:
        """The answer that a text of this style gives; None if it gives none."""
        return parse_answer(text)

    def claims(self, text: str, trace: Trace, *, detail: Detail = "line", labels: bool = False) -> list[Claim]:
        """The answer, judged against an execution."""
        truth = closing(trace)
        return [Claim(text, "outcome", text == truth, "" if text == truth else truth, 0, len(text))]

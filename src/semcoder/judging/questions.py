"""A question about an execution, and the verdict on a text that answers it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from semcoder.core import Claim, Direction, Status
from semcoder.core.calling import call_entry
from semcoder.errors import UsageError
from semcoder.judging.answers import Unreadable, literal_value
from semcoder.prompts import Profile


@dataclass(frozen=True, slots=True)
class Question:
    """What a call gives (`forward`, with `call`), or a call that gives an output (`backward`, with `output`).

    `call` and `output` are the texts that the question shows; `output` is a literal. `setup`: lines that run before the
    call, as in `Invocation`. Raises `UsageError` where they do not fit the direction or the entry.
    """

    source: str
    entry: str
    direction: Direction
    call: str = ""
    output: str = ""
    setup: str = ""

    def __post_init__(self) -> None:
        if bool(self.call) == bool(self.output) or bool(self.call) != (self.direction == "forward"):
            raise UsageError("a forward question has a call, a backward one an output, and neither has both")
        if self.call and call_entry(self.call) != self.entry:
            raise UsageError(f"the call {self.call!r} is not one of {self.entry}")
        if self.output:
            try:
                literal_value(self.output)
            except Unreadable:
                raise UsageError(f"the output {self.output!r} is not a literal") from None

    @property
    def shown(self) -> str:
        """The program as a prompt shows it, whose line numbers a text speaks of."""
        return self.source.strip() + "\n"

    def instruction(self, profile: Profile) -> str:
        """The question in a profile's words."""
        if self.direction == "forward":
            return profile.forward(self.source, self.call)
        return profile.backward(self.source, self.entry, self.output)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What execution says of a text.

    `answer`: the text of its answer, None if it has none. `right`: None where that could not be judged; `reason` says
    why it is not True, and is empty where it is. `claims`: those of its monologue, in order; none where the run did not
    end, or the text is too long to be read. `truth`: the value that the asked call gives (forward), or that the
    proposed one gave (backward); empty where there is none. `status`: how the run that decided ended; empty where none
    was needed.
    """

    answer: str | None
    right: bool | None
    reason: str = ""
    claims: tuple[Claim, ...] = ()
    truth: str = ""
    status: Status | Literal[""] = ""

    @property
    def first_false(self) -> Claim | None:
        """The first claim that execution contradicts."""
        return next((claim for claim in self.claims if claim.verdict is False), None)

    @property
    def true_part(self) -> float:
        """The part of all claims that are true and stand before the first false one, from 0 to 1; 0 without claims.

        A claim that could not be checked (None) ends nothing and earns nothing: it counts as a claim, not as a true
        one. How much of the execution a text tells is another matter: see docs/design/judging.md.
        """
        true = 0
        for claim in self.claims:
            if claim.verdict is False:
                break
            true += claim.verdict is True
        return true / len(self.claims) if self.claims else 0.0

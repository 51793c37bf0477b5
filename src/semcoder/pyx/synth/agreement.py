"""Which of several solutions of a problem is taken: the largest group that does the same on every test input.

Guarantees: solutions are alike only if each call gave the same value, strictly (type, sign, order where it counts), or
an exception of the same type; values are compared here, never in a process of theirs, so that no `__eq__` counts. A
tie between largest groups, and a group of one where more were asked for, is `Refused`.
It does not prove a solution right: solutions may agree on the same mistake, or on inputs that do not show it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from semcoder.core import Outcome

#: What a call did, as far as solutions must agree on it.
Mark = tuple[str, str]


class Refused(Exception):
    """No solution is taken; `reason` is one of a few short phrases."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Agreement:
    """The solution that stands for its group, by place, and the places of all of the group, in order."""

    chosen: int
    group: tuple[int, ...]


def mark(outcome: Outcome) -> Mark:
    """What a call that returned or raised did."""
    if outcome.value is not None:
        return "returned", outcome.value.digest()
    assert outcome.exception is not None
    return "raised", outcome.exception.type


def agree(outcomes: Sequence[Sequence[Outcome]], sources: Sequence[str], *, least: int) -> Agreement:
    """The group taken, of solutions with these outcomes on the same calls; each call returned or raised.

    `least`: how many must agree. Raises `Refused`.
    """
    groups: dict[tuple[Mark, ...], list[int]] = {}
    for place, row in enumerate(outcomes):
        groups.setdefault(tuple(map(mark, row)), []).append(place)
    sizes = sorted((len(group) for group in groups.values()), reverse=True)
    if not sizes or sizes[0] < least:
        raise Refused("no solutions agree", f"{len(outcomes)} that run, in {len(groups)} groups")
    if sizes[1:2] == sizes[:1]:
        raise Refused("solutions are tied", f"groups of {', '.join(map(str, sizes))}")
    largest = max(groups.values(), key=len)
    chosen = min(largest, key=lambda place: (len(sources[place]), sources[place]))
    return Agreement(chosen, tuple(largest))

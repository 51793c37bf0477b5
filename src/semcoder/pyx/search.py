"""Inputs by what they cover: proposed, run, and changed again as long as something new comes up.

A round changes the calls that were the first to reach a point, in two ways: what a comparison found on its one side is
put in the place of the other (`InputFinder.aim`), and by type-aware mutation (`InputFinder.refine`). Calls that raise
take part: beyond what they reach lies what returns.

Guarantees: the same program, configuration and known calls give the same calls in the same order on any machine, as far
as no call is near its limit of time. It stops when everything is covered, when nothing new came for `PATIENCE` rounds,
after `config.search_rounds`, or when calls hit limits.
It does not promise that what was not reached cannot be.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from semcoder.core import LIMIT_STATUSES, Invocation, Outcome, Program
from semcoder.mutation import InputFinder
from semcoder.mutation.covering import COVER_TASK, Operand, Points, hits_of, operands_of, points_of
from semcoder.pyx.config import BuildConfig
from semcoder.sandbox import Job, Limits, Sandbox, outcome_of

#: Rounds without anything new after which the search is over.
PATIENCE = 4
#: How many calls may hit a limit before the program counts as too slow, and the size of the first batch that shows it.
_SLOW = 3
_FIRST_BATCH = 12
#: How many changes by operands a call gets, and a round has.
_AIMED, _AIMED_IN_ALL = 16, 48


class Rejected(Exception):
    """A program that gives no rows; `reason` is one of a few short phrases, `detail` names the culprit."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.detail = detail


@dataclass
class Explored:
    """Every call that was run, in order: its outcome, the points that it hit, the operands that it compared."""

    points: Points
    outcomes: dict[Invocation, Outcome] = field(default_factory=dict)
    hits: dict[Invocation, frozenset[int]] = field(default_factory=dict)
    operands: dict[Invocation, list[tuple[Operand, Operand]]] = field(default_factory=dict)

    def reached(self, calls: Sequence[Invocation] | None = None) -> set[int]:
        """The points that these calls hit, or all."""
        return set().union(*(self.hits[call] for call in (self.hits if calls is None else calls)))

    def pioneers(self) -> list[Invocation]:
        """Calls that were the first to hit a point, the latest first."""
        return reaching(list(self.hits), self.hits)[::-1]


def reaching(calls: Sequence[Invocation], hits: dict[Invocation, frozenset[int]]) -> list[Invocation]:
    """Those of the calls that hit a point which no call before them does."""
    seen: set[int] = set()
    found = []
    for call in calls:
        if hits[call] - seen:
            found.append(call)
            seen |= hits[call]
    return found


def explore(program: Program, known: Sequence[Invocation], box: Sandbox, config: BuildConfig) -> Explored:
    """Run proposed calls, then changes of those that reach something new. Raises `Rejected`."""
    finder = InputFinder(program, seed=config.seed)
    if finder.hopeless() and not known:
        raise Rejected("a parameter takes no literal", finder.hopeless())
    search = _Search(program, box, config)
    first = finder.propose(known, n=config.candidates)
    slow = search.run(first[:_FIRST_BATCH]) + search.run(first[_FIRST_BATCH:])
    if slow >= _SLOW:
        raise Rejected("hits a limit", search.limit)
    aimed: set[Invocation] = set()
    stale = 0
    for _ in range(config.search_rounds):
        before = len(search.found.reached())
        if before == len(search.found.points) or stale >= PATIENCE or slow >= _SLOW:
            break
        pioneers = search.found.pioneers()
        new: list[Invocation] = []
        for call in pioneers:
            if call not in aimed and len(new) < _AIMED_IN_ALL:
                aimed.add(call)
                new += finder.aim(call, search.found.operands[call], n=_AIMED)
        slow += search.run([*new, *finder.refine(pioneers, n=config.candidates // 2)])
        stale = 0 if len(search.found.reached()) > before else stale + 1
    return search.found


class _Search:
    """Runs calls and keeps what is found."""

    def __init__(self, program: Program, box: Sandbox, config: BuildConfig) -> None:
        self._program = program
        self._box = box
        self._limits = Limits(cpu_s=config.cpu_s, wall_s=4 * config.cpu_s)
        self.found = Explored(points_of(program.source, program.entry))
        self.limit = ""

    def run(self, calls: Sequence[Invocation]) -> int:
        """Run the calls; how many hit a limit. Raises `Rejected` where one reaches outside."""
        if not calls:
            return 0
        items = tuple(call.parts for call in calls)
        slow = 0
        job = Job(COVER_TASK, {"source": self._program.source}, items, self._limits)
        for call, reply in zip(calls, self._box.execute(job), strict=True):
            outcome = outcome_of(reply)
            if outcome.detail.startswith("touched:"):
                raise Rejected("reaches outside", outcome.detail.removeprefix("touched: "))
            if outcome.status in LIMIT_STATUSES:
                slow, self.limit = slow + 1, outcome.status
            self.found.outcomes[call] = outcome
            self.found.hits[call] = frozenset(hits_of(reply.data, self.found.points))
            self.found.operands[call] = operands_of(reply.data)
        return slow

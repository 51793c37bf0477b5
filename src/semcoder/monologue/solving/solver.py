"""Finding an input for an output: reasoning proposes first, then a search; execution decides.

Guarantees: what is `Found` returned a value strictly equal to the output when it was run; nothing is ever claimed
without a run; the same arguments give the same answer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Literal

from semcoder.core import LIMIT_STATUSES, NotLiteral, Outcome, TooLarge, Value, literal_text
from semcoder.core.calling import parse_source
from semcoder.errors import UsageError
from semcoder.monologue.solving.notes import Note, notes_of
from semcoder.monologue.solving.reasoning import Proposal, Reasoner, Target, target_of
from semcoder.monologue.solving.search import MAX_TEXT, Arguments, Climber, diagonal, pool, similarity

#: Executes calls of the program, given as texts, and says what each did, in order.
Run = Callable[[Sequence[str]], Sequence[Outcome]]
BATCH = 64


@dataclass(frozen=True, slots=True)
class Found:
    """An input that was executed and gave the output. `executed`: how many candidates ran in all."""

    call: str
    how: Literal["inversion", "constraints", "search"]
    notes: tuple[Note, ...]
    executed: int


def find_input(source: str, entry: str, output: Value, run: Run, *, budget: int = 2000, seed: int = 0) -> Found | None:
    """A call of `entry` over literals that returns exactly `output`, or None if none was found with `budget` runs.

    `notes` are the derivation as it was made; what a text states of them must first be checked against a trace.
    Raises `UsageError` if the source does not parse or defines no function `entry`.
    """
    target = target_of(parse_source(source), entry)
    if target is None:
        raise UsageError(f"the program defines no function {entry!r}; name one that it defines")
    try:
        wanted = output.to_python()
    except NotLiteral:
        return None  # arguments over literals are looked for near the output: it must be plain data itself
    trial = _Trial(target, entry, output, run, budget)
    return _by_reasoning(source, target, wanted, trial) or _by_search(target, wanted, trial, seed)


#: Calls that are run together, and how many further runs a call that hits a limit uses up of the budget: a program that
#: hangs on most inputs is given up within seconds.
_AT_ONCE = 16
_SLOW = 25


class _Trial:
    """Runs candidates, each text once, within the budget."""

    def __init__(self, target: Target, entry: str, output: Value, run: Run, budget: int) -> None:
        self._target, self._entry, self._output, self._run = target, entry, output, run
        self.left = budget
        self.executed = 0
        self._seen: set[str] = set()

    def text(self, arguments: Arguments) -> str | None:
        """The call's text, None where it is too long or has been run before."""
        names = self._target.parameters
        only = {a.arg for a in self._target.function.args.kwonlyargs}
        try:
            parts = [(f"{n}=" if n in only else "") + literal_text(a) for n, a in zip(names, arguments, strict=True)]
        except (NotLiteral, TooLarge, ValueError):
            return None
        text = f"{self._entry}({', '.join(parts)})"
        if len(text) > MAX_TEXT or text in self._seen:
            return None
        self._seen.add(text)
        return text

    def run(self, texts: Sequence[str]) -> tuple[int | None, Sequence[Outcome]]:
        """The first of these calls that gives the output, and what those that were run did."""
        outcomes: list[Outcome] = []
        while len(outcomes) < len(texts) and self.left > 0:
            some = texts[len(outcomes) : len(outcomes) + min(_AT_ONCE, self.left)]
            new = self._run(some)
            slow = sum(o.status in LIMIT_STATUSES for o in new)
            self.left = max(0, self.left - len(some) - slow * _SLOW)
            self.executed += len(some)
            outcomes.extend(new)
            hit = (k for k, o in enumerate(new) if o.status == "returned" and o.value == self._output)
            first = next(hit, None)
            if first is not None:
                return len(outcomes) - len(new) + first, outcomes
        return None, outcomes


def _by_reasoning(source: str, target: Target, wanted: Any, trial: _Trial) -> Found | None:
    for proposals in Reasoner(target, wanted).proposals():
        fresh = [(text, p) for p in proposals if (text := trial.text(p.arguments)) is not None]
        for at in range(0, len(fresh), BATCH):
            batch = fresh[at : at + BATCH]
            hit, _ = trial.run([text for text, _ in batch])
            if hit is not None:
                text, proposal = batch[hit]
                return _reasoned(source, text, proposal, trial)
    return None


def _reasoned(source: str, text: str, proposal: Proposal, trial: _Trial) -> Found:
    how: Literal["inversion", "constraints"] = "constraints" if proposal.guessed else "inversion"
    return Found(text, how, notes_of(source, proposal.chain), trial.executed)


def _by_search(target: Target, wanted: Any, trial: _Trial, seed: int) -> Found | None:
    """Combinations of promising values, then mutants of those that came closest."""
    pools = [pool(target.shapes[name], wanted, target.constants) for name in target.parameters]
    climber = Climber(pools, seed)
    plain = diagonal(pools)
    share = trial.left // 2
    start = trial.left
    while trial.left > 0:
        combining = start - trial.left < share
        source = islice(plain, BATCH) if combining else climber.propose(BATCH * 2)
        batch = list(_texts(source, trial))
        if not batch:
            if not combining:
                return None
            share = 0
            continue
        hit, outcomes = trial.run([text for text, _ in batch])
        if hit is not None:
            return Found(batch[hit][0], "search", (), trial.executed)
        for (_, arguments), outcome in zip(batch, outcomes, strict=False):
            climber.tell(arguments, _score(outcome, wanted))
    return None


def _texts(candidates: Iterator[Arguments], trial: _Trial) -> Iterator[tuple[str, Arguments]]:
    pairs = ((trial.text(arguments), arguments) for arguments in candidates)
    return islice(((text, arguments) for text, arguments in pairs if text is not None), BATCH)


def _score(outcome: Outcome, wanted: Any) -> float:
    if outcome.status != "returned" or outcome.value is None:
        return 0.0
    try:
        return similarity(outcome.value.to_python(), wanted)
    except NotLiteral:
        return 0.02

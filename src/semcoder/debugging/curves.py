"""What the rounds of a refinement come to: which answer a sample keeps, when it ends, and the curve over rounds.

Guarantees: the answer that is kept passes at least as many of the tests that a run may see as any before it, and of
equal ones it is the earliest; so whatever a model writes after a good answer takes nothing away. What could not be
judged counts neither as right nor as wrong. Nothing is run or read here.
It does not promise that the benchmark's verdict only rises where a run sees other tests than the benchmark's: `lost`
counts how often it fell.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

from semcoder.stats import mean_interval, paired

#: Which tests the model may see: those in its prompt, or the benchmark's own (oracle-assisted).
Mode = Literal["shown", "oracle"]
#: Why a sample ended: its answer passes; no test fails that could be told; the model came back to a program, or to no
#: program, about which it was asked before in the same words; its rounds are used up; the model did not reply.
End = Literal["solved", "untested", "repeats", "garbage", "rounds", "unanswered"]
ENDS: tuple[End, ...] = get_args(End)
#: What a reply of a round did, against the answer that was kept before it.
KINDS = ("better", "same", "worse", "repeat", "garbage")
#: Of the bootstrap.
SEED = 0

Against = Callable[[dict[str, list[bool]], dict[str, list[bool]]], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Attempt:
    """An answer of a round, the first of which is 0.

    `program`: in a form that two texts of one program share; empty where the answer is none. `tests`: the verdicts of
    the tests that the run may see, one by one; `passed`: the benchmark's own, None as long as there is none.
    """

    program: str
    tests: tuple[bool | None, ...] = ()
    passed: bool | None = None


@dataclass(frozen=True, slots=True)
class Rules:
    """When samples end. `greedy`: the same question would bring the same reply, so that it is not asked twice."""

    rounds: int
    mode: Mode
    greedy: bool

    def end(self, attempts: Sequence[Attempt]) -> End | None:
        """Why a sample with these attempts is asked no more; None where it goes on."""
        last = attempts[-1]
        if self._solved(last):
            return "solved"
        if False not in last.tests:
            return "untested"
        if self.greedy and self._asked_before(attempts):
            return "repeats" if last.program else "garbage"
        return "rounds" if len(attempts) > self.rounds else None

    def _solved(self, attempt: Attempt) -> bool:
        if self.mode == "oracle":
            return attempt.passed is True
        return bool(attempt.tests) and all(attempt.tests)

    def _asked_before(self, attempts: Sequence[Attempt]) -> bool:
        """Whether the next question would be about a program that an earlier one was about."""
        asked = [subject(attempts[:place]) for place in range(1, len(attempts) + 1)]
        programs = [None if place is None else attempts[place].program for place in asked]
        return programs[-1] in programs[:-1]

    def kept(self, attempts: Sequence[Attempt]) -> int:
        """The round whose answer a sample has, after these: the earliest of the best by the tests that may be seen."""
        return max(range(len(attempts)), key=lambda place: (self._rank(attempts[place]), -place))

    def _rank(self, attempt: Attempt) -> tuple[bool, bool, int]:
        solved = self.mode == "oracle" and attempt.passed is True
        return solved, bool(attempt.program), attempt.tests.count(True)

    def kind(self, attempts: Sequence[Attempt]) -> str:
        """What the last of several attempts did, one of `KINDS`."""
        *before, last = attempts
        if not last.program:
            return "garbage"
        if last.program in [attempt.program for attempt in before]:
            return "repeat"
        best, now = self._rank(before[self.kept(before)]), self._rank(last)
        return "better" if now > best else "worse" if now < best else "same"


def subject(attempts: Sequence[Attempt]) -> int | None:
    """The round whose program the next question is about: the latest that there is; None where there was none.

    Not the best: asked twice about the same program, a greedy model would say the same twice.
    """
    return next((place for place in reversed(range(len(attempts))) if attempts[place].program), None)


# Results -------------------------------------------------------------------------------------------------------------

Samples = Mapping[tuple[str, int], Sequence[Attempt]]


def sample_rows(samples: Samples, rules: Rules) -> list[dict[str, Any]]:
    """A row a sample: `end`, `rounds` (how many refinements were asked for), `kept` (the round of its answer), and
    `verdicts`, the benchmark's on the answer that it has after each round."""
    rows = []
    for (task, sample), attempts in samples.items():
        places = [rules.kept(attempts[: number + 1]) for number in range(rules.rounds + 1)] if attempts else []
        rows.append(
            {
                "task_id": task,
                "sample": sample,
                "end": (rules.end(attempts) if attempts else None) or "unanswered",
                "rounds": max(0, len(attempts) - 1),
                "kept": places[-1] if places else None,
                "verdicts": [attempts[place].passed for place in places] or [None] * (rules.rounds + 1),
            }
        )
    return rows


def results(samples: Samples, rules: Rules, tested: Iterable[str]) -> dict[str, Any]:
    """The results of a run. `tested`: tasks with at least one test that it may see. Percentages are of 100."""
    rows = sample_rows(samples, rules)
    tasks = {row["task_id"] for row in rows}
    ends = Counter(row["end"] for row in rows)
    solved = Counter(row["rounds"] for row in rows if row["end"] == "solved")
    first, last = _rates(rows, 0), _rates(rows, rules.rounds)
    return {
        "tasks": len(tasks),
        "samples": len(rows),
        "tasks_with_tests": len(tasks & set(tested)),
        "curve": [_point(samples, rows, rules, number) for number in range(rules.rounds + 1)],
        "gain": _gain(first, last),
        "ends": {end: ends[end] for end in ENDS if ends[end]},
        "solved_in": {str(number): solved[number] for number in sorted(solved)},
    }


def _point(samples: Samples, rows: Sequence[Mapping[str, Any]], rules: Rules, number: int) -> dict[str, Any]:
    """What there is after a round."""
    rates = list(_rates(rows, number).values())
    changes = Counter((row["verdicts"][number - 1], row["verdicts"][number]) for row in rows) if number else Counter()
    replies = [attempts[: number + 1] for attempts in samples.values() if len(attempts) > number]
    kinds = Counter(rules.kind(attempts) for attempts in replies) if number else Counter()
    return {
        "round": number,
        "n": len(rates),
        "pass@1": _percent(sum(rates) / len(rates)) if rates else None,
        "interval": [_percent(end) for end in mean_interval(rates, seed=SEED)] if rates else None,
        "unjudged": sum(row["verdicts"][number] is None for row in rows),
        "replies": len(replies),
        "gained": changes[False, True],
        "lost": changes[True, False],
        "kinds": {kind: kinds[kind] for kind in KINDS} if number else None,
    }


def _rates(rows: Iterable[Mapping[str, Any]], number: int) -> dict[str, float]:
    """The part of a task's judged samples that are right after a round."""
    return {task: sum(found) / len(found) for task, found in verdicts_by_task(rows, number).items()}


def verdicts_by_task(rows: Iterable[Mapping[str, Any]], number: int) -> dict[str, list[bool]]:
    """The verdicts after a round on the samples of each task that have one."""
    found: dict[str, list[bool]] = {}
    for row in rows:
        verdict = row["verdicts"][number]
        if verdict is not None:
            found.setdefault(row["task_id"], []).append(bool(verdict))
    return found


def _gain(first: Mapping[str, float], last: Mapping[str, float]) -> dict[str, Any] | None:
    """The difference that all rounds make, task by task."""
    both = [task for task in first if task in last]
    if not both:
        return None
    found = paired([last[task] for task in both], [first[task] for task in both], seed=SEED)
    return {
        "n": len(both),
        "difference": _percent(found.mean),
        "interval": [_percent(end) for end in found.interval],
        "bootstrap_p": found.p,
    }


def _percent(share: float) -> float:
    return round(100 * share, 4)

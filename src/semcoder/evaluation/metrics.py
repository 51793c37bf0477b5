"""From verdicts on samples to a benchmark's results: pass@k with intervals, kinds of failure, scores by construct.

A task's pass@k is told from its judged samples; a benchmark's is the mean over tasks that have at least k of them.

Guarantees: what could not be judged counts neither as right nor as wrong: it is left out, counted, and `bounds` tells
what pass@1 would be if all of it were wrong, and if all of it were right. Percentages are of 100.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from semcoder.constructs import constructs
from semcoder.stats import Interval, mean_interval, pass_at_k, wilson

#: pass@k is told for these k, as far as there are samples, and for the number of samples.
KS = (1, 2, 5, 10, 20, 50, 100)
#: Of the bootstrap.
SEED = 0

#: Kinds of failure; the last three are of samples that were not judged.
WRONG, NO_ANSWER, UNREADABLE, RAISED, TIMEOUT, LIMIT = (
    "wrong",
    "no answer",
    "unreadable",
    "raised",
    "timeout",
    "other limit",
)
NO_REPLY, SANDBOX, UNJUDGED = "no reply", "sandbox", "not judged"

_ENDED = re.compile(r"(?:^|gives |: )(?:it )?(timeout|memory|output_limit|exited|invalid)\b:?")
_NAMES = r"[A-Z]\w*(?:Error|Exception|Warning|Exit|Interrupt|Iteration)"
_EXCEPTION = re.compile(rf"(?:^|gives |raised |of the tests: )(?:[a-z_]\w*\.)*({_NAMES})\b")
_UNREADABLE = re.compile(r"^(?:the answer (?:is not|is more|is longer|holds)|the proposed input|the text gives)")
_ENDS = {"timeout": TIMEOUT, "memory": LIMIT, "output_limit": LIMIT, "exited": RAISED, "invalid": UNREADABLE}


@dataclass(frozen=True, slots=True)
class Judged:
    """A sample's answer and its verdict. `cut`: a bound on its length ended the text."""

    task_id: str
    sample: int
    answer: str
    passed: bool | None
    reason: str = ""
    cut: bool = False
    replied: bool = True


def failure_kind(sample: Judged) -> str:
    """What kind of failure a verdict is, by the words of its reason; empty for a sample that passed."""
    if sample.passed:
        return ""
    if sample.passed is None:
        return NO_REPLY if not sample.replied else SANDBOX if "could not be run" in sample.reason else UNJUDGED
    if not sample.answer.strip():
        return NO_ANSWER
    if _UNREADABLE.search(sample.reason):
        return UNREADABLE
    if ended := _ENDED.search(sample.reason):
        return _ENDS[ended[1]]
    raised = _EXCEPTION.search(sample.reason)
    if raised is None or raised[1] == "AssertionError":
        return WRONG
    return UNREADABLE if raised[1] in ("SyntaxError", "IndentationError", "TabError") else RAISED


def results(codes: Mapping[str, str], samples: Iterable[Judged]) -> dict[str, Any]:
    """The results of a benchmark. `codes`: each task's code by its id."""
    by_task: dict[str, list[Judged]] = {task: [] for task in codes}
    for sample in samples:
        by_task[sample.task_id].append(sample)
    every = list(chain.from_iterable(by_task.values()))
    verdicts = {task: [one.passed for one in found if one.passed is not None] for task, found in by_task.items()}
    rates = {task: sum(found) / len(found) for task, found in verdicts.items() if found}
    passed, intervals = _passed(list(verdicts.values()))
    single = all(len(found) <= 1 for found in verdicts.values())
    return {
        "n": len(rates),
        **(passed or {"pass@1": None}),
        "intervals": intervals,
        "wilson": _percents(wilson(int(sum(rates.values())), len(rates))) if single and rates else None,
        "tasks": len(by_task),
        "samples": len(every),
        "unjudged": sum(one.passed is None for one in every),
        "unjudged_tasks": sum(not found and bool(by_task[task]) for task, found in verdicts.items()),
        "missing_tasks": sum(not found for found in by_task.values()),
        "bounds": _bounds(by_task),
        "cut": sum(one.cut for one in every),
        "failures": dict(Counter(filter(None, map(failure_kind, every))).most_common()),
        "constructs": _by_construct(codes, rates),
    }


def _passed(verdicts: Sequence[Sequence[bool]]) -> tuple[dict[str, float], dict[str, list[float]]]:
    """pass@k by name, and the intervals."""
    most = max(map(len, verdicts), default=0)
    passed: dict[str, float] = {}
    intervals: dict[str, list[float]] = {}
    for k in sorted({k for k in KS if k <= most} | ({most} if most else set())):
        values = [pass_at_k(len(found), sum(found), k) for found in verdicts if len(found) >= k]
        passed[f"pass@{k}"] = _percent(sum(values) / len(values))
        intervals[f"pass@{k}"] = _percents(mean_interval(values, seed=SEED))
    return passed, intervals


def _bounds(by_task: Mapping[str, Sequence[Judged]]) -> list[float] | None:
    """pass@1 over all tasks with all that was not judged, or is missing, wrong, and with all of it right."""
    if not by_task:
        return None
    low = high = 0.0
    for found in by_task.values():
        wanted = max(1, len(found))
        right, wrong = (sum(one.passed is verdict for one in found) for verdict in (True, False))
        low += right / wanted
        high += 1 - wrong / wanted
    return [_percent(low / len(by_task)), _percent(high / len(by_task))]


def _by_construct(codes: Mapping[str, str], rates: Mapping[str, float]) -> dict[str, dict[str, Any]]:
    """pass@1 of the tasks whose code has a construct, by construct, the most frequent first."""
    groups: dict[str, list[float]] = {}
    for task, rate in rates.items():
        for name in constructs(codes[task]):
            groups.setdefault(name, []).append(rate)
    ordered = sorted(groups.items(), key=lambda group: (-len(group[1]), group[0]))
    return {
        name: {
            "n": len(found),
            "pass@1": _percent(sum(found) / len(found)),
            "interval": _percents(mean_interval(found, seed=SEED)),
        }
        for name, found in ordered
    }


def step_results(style: str, rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """How far monologues are true. `rows`: of `steps.jsonl`, with `true_part`, `claims` and `false` of each text."""
    by_task: dict[str, list[float]] = {}
    for row in rows:
        by_task.setdefault(row["task_id"], []).append(row["true_part"])
    means = [sum(parts) / len(parts) for parts in by_task.values()]
    told = [row for row in rows if row["claims"]]
    return {
        "style": style,
        "texts": len(rows),
        "with_claims": len(told),
        "true_part": _percent(sum(means) / len(means)) if means else None,
        "interval": _percents(mean_interval(means, seed=SEED)) if means else None,
        "no_false_claim": _percent(sum(not row["false"] for row in told) / len(told)) if told else None,
        "right_with_false_claim": sum(bool(row["right"] and row["false"]) for row in told),
    }


def _percent(share: float) -> float:
    return round(100 * share, 4)


def _percents(shares: Interval) -> list[float]:
    return [_percent(share) for share in shares]

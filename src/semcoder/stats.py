"""Statistics of verdicts: pass@k, intervals, and tests of two models' verdicts on the same tasks.

Guarantees: standard formulas; intervals are of 95 % where their assumptions hold: `wilson`, `bootstrap` and `paired`
are about the same models and tasks drawn anew, so where answers of several seeds are pooled, or other seeds would have
come out otherwise, they are too narrow; `over_seeds` is about seeds drawn anew. What is resampled depends on its input
and its seed alone. Standard library only. It knows nothing of what was judged.
"""

from __future__ import annotations

import math
import random
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

Interval = tuple[float, float]

RESAMPLES = 2_000
_Z = statistics.NormalDist().inv_cdf(0.975)
#: The 0.975 quantile of Student's t by degrees of freedom; beyond these the expansion below is exact to 0.001.
_T = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228)


def pass_at_k(samples: int, right: int, k: int) -> float:
    """The chance that at least one of `k` of a task's samples is right (Chen et al. 2021, unbiased).

    Raises `ValueError` unless 1 <= k <= samples and 0 <= right <= samples.
    """
    if not (1 <= k <= samples and 0 <= right <= samples):
        raise ValueError(f"pass@{k} cannot be told from {right} right of {samples} samples")
    return 1 - math.comb(samples - right, k) / math.comb(samples, k)


def wilson(right: int, asked: int) -> Interval:
    """Wilson's score interval for a share of independent questions. From 0 to 1 where nothing was asked."""
    if not 0 <= right <= asked:
        raise ValueError(f"{right} cannot be right of {asked}")
    if not asked:
        return 0.0, 1.0
    share, spread = right / asked, _Z * _Z / asked
    middle = (share + spread / 2) / (1 + spread)
    half = _Z / (1 + spread) * math.sqrt(share * (1 - share) / asked + spread / (4 * asked))
    # The ends at 0 and 1 are exact; rounding must not leave them.
    return (max(0.0, middle - half) if right else 0.0), (min(1.0, middle + half) if right < asked else 1.0)


def bootstrap(values: Sequence[float], *, seed: int = 0, resamples: int = RESAMPLES) -> Interval:
    """The percentile interval of the mean, by resampling tasks; of no width where all values are equal.

    Raises `ValueError` where there are none.
    """
    return _middle(_means(values, seed, resamples))


def mean_interval(values: Sequence[float], *, seed: int = 0) -> Interval:
    """The interval of a mean over tasks: a bootstrap, but Wilson's where all or none are right, since a bootstrap would
    then be certain of it. Raises `ValueError` where there are none."""
    if set(values) in ({0.0}, {1.0}):
        return wilson(int(sum(values)), len(values))
    return bootstrap(values, seed=seed)


def over_seeds(values: Sequence[float]) -> Interval | None:
    """Student's interval for the mean of runs that differ in their seed; None for fewer than two runs."""
    if len(values) < 2:
        return None
    mean = statistics.fmean(values)
    half = student(len(values) - 1) * statistics.stdev(values) / math.sqrt(len(values))
    return mean - half, mean + half


def student(freedom: int) -> float:
    """The 0.975 quantile of Student's t."""
    if freedom <= len(_T):
        return _T[freedom - 1]
    z = _Z  # Cornish and Fisher's expansion
    terms = (z, (z**3 + z) / 4, (5 * z**5 + 16 * z**3 + 3 * z) / 96, (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384)
    return math.fsum(term / float(freedom) ** power for power, term in enumerate(terms))


def mcnemar(only_first: int, only_second: int) -> float:
    """The exact two-sided p-value that two models are equally good, from the tasks that only one of them got right."""
    if min(only_first, only_second) < 0:
        raise ValueError("counts of tasks are not negative")
    number, fewer = only_first + only_second, min(only_first, only_second)
    beyond = sum(math.comb(number, count) for count in range(fewer + 1))
    whole: int = 2**number
    return min(1.0, 2 * beyond / whole)


@dataclass(frozen=True, slots=True)
class Difference:
    """The mean of a difference task by task, its interval, and the two-sided p-value that it is 0."""

    mean: float
    interval: Interval
    p: float


def paired(first: Sequence[float], second: Sequence[float], *, seed: int = 0, resamples: int = RESAMPLES) -> Difference:
    """`first - second`, task by task, by a bootstrap over tasks.

    Raises `ValueError` where the two do not have the same number of tasks, or none.
    """
    differences = [one - other for one, other in zip(first, second, strict=True)]
    means = _means(differences, seed, resamples)
    # One more resample on either side, so that no p-value is 0 for want of resamples.
    beyond = min(sum(mean <= 0 for mean in means), sum(mean >= 0 for mean in means))
    return Difference(_mean(differences), _middle(means), min(1.0, 2 * (beyond + 1) / (resamples + 1)))


def _means(values: Sequence[float], seed: int, resamples: int) -> list[float]:
    """Means of resamples, in order of size."""
    if not values:
        raise ValueError("there are no tasks to resample")
    draw, size = random.Random(seed).choices, len(values)
    return sorted(_mean(draw(values, k=size)) for _ in range(resamples))


def _mean(values: Iterable[float]) -> float:
    whole = list(values)
    return math.fsum(whole) / len(whole)


def _middle(means: Sequence[float]) -> Interval:
    """From the 2.5th to the 97.5th percentile of sorted values."""
    return means[int(0.025 * len(means))], means[math.ceil(0.975 * len(means)) - 1]

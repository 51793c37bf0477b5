"""Intervals for shares of right answers: over questions, over seeds, and for the difference of two models.

Guarantees: standard formulas, 95 % where their assumptions hold: `wilson` and `paired` are about these models and
questions drawn anew, so with several seeds pooled, or where other seeds would have come out otherwise, they are too
narrow; `over_seeds` is about seeds drawn anew. The bootstrap depends on its input alone. Standard library only.
"""

from __future__ import annotations

import math
import random
import statistics
from collections.abc import Sequence

Interval = tuple[float, float]

_Z = statistics.NormalDist().inv_cdf(0.975)
#: The 0.975 quantile of Student's t by degrees of freedom; beyond these the expansion below is exact to 0.001.
_T = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228)
_RESAMPLES = 5_000


def wilson(right: int, asked: int) -> Interval:
    """Wilson's score interval for a share of independent questions. From 0 to 1 where nothing was asked."""
    if not asked:
        return 0.0, 1.0
    share, spread = right / asked, _Z * _Z / asked
    middle = (share + spread / 2) / (1 + spread)
    half = _Z / (1 + spread) * math.sqrt(share * (1 - share) / asked + spread / (4 * asked))
    return max(0.0, middle - half), min(1.0, middle + half)


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


def paired(first: Sequence[float], second: Sequence[float]) -> tuple[float, Interval]:
    """The mean of `first - second`, question by question, and its bootstrap interval over questions.

    Raises `ValueError` where the two do not answer the same number of questions, or none.
    """
    differences = [one - other for one, other in zip(first, second, strict=True)]
    size = len(differences)
    if not size:
        raise ValueError("there are no questions to compare")
    rnd = random.Random(0)
    means = sorted(math.fsum(rnd.choices(differences, k=size)) / size for _ in range(_RESAMPLES))
    low, high = means[int(0.025 * _RESAMPLES)], means[math.ceil(0.975 * _RESAMPLES) - 1]
    return math.fsum(differences) / size, (low, high)

"""Statistics of verdicts, against known values and what must hold for all."""

from __future__ import annotations

import itertools
import math
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from semcoder.stats import bootstrap, mcnemar, paired, pass_at_k, wilson

SHARES = st.lists(st.sampled_from([0.0, 0.25, 0.5, 1.0]), min_size=1, max_size=30)
VERDICTS = st.lists(st.booleans(), min_size=1, max_size=7)


@given(VERDICTS, st.integers(1, 7))
def test_pass_at_k_is_the_mean_over_all_choices_of_k_samples(verdicts: list[bool], k: int) -> None:
    if k > len(verdicts):
        with pytest.raises(ValueError, match=f"pass@{k}"):
            pass_at_k(len(verdicts), sum(verdicts), k)
        return
    chosen = [any(part) for part in itertools.combinations(verdicts, k)]
    assert pass_at_k(len(verdicts), sum(verdicts), k) == pytest.approx(statistics.fmean(chosen))


def test_pass_at_k_at_known_points() -> None:
    assert pass_at_k(10, 3, 1) == pytest.approx(0.3)
    # The paper's numerically stable form.
    assert pass_at_k(200, 20, 10) == pytest.approx(1 - math.prod(1 - 10 / i for i in range(181, 201)))
    assert (pass_at_k(5, 0, 5), pass_at_k(5, 1, 5)) == (0, 1)
    for wrong in ((3, 4, 1), (3, -1, 1), (3, 1, 0)):
        with pytest.raises(ValueError):
            pass_at_k(*wrong)


@pytest.mark.parametrize(
    ("right", "asked", "low", "high"),
    # R: prop.test(right, asked, correct = FALSE)$conf.int
    [(8, 10, 0.4902, 0.9433), (0, 10, 0.0, 0.2775), (10, 10, 0.7225, 1.0), (50, 100, 0.4038, 0.5962)],
)
def test_wilson_at_known_points(right: int, asked: int, low: float, high: float) -> None:
    assert wilson(right, asked) == pytest.approx((low, high), abs=1e-4)


@given(st.integers(0, 60), st.integers(0, 60))
def test_wilson_holds_the_share_and_mirrors(right: int, wrong: int) -> None:
    low, high = wilson(right, right + wrong)
    share = right / (right + wrong) if right + wrong else 0.5
    assert 0 <= low <= share <= high <= 1
    mirrored = wilson(wrong, right + wrong)
    assert mirrored == pytest.approx((1 - high, 1 - low))


@given(SHARES, st.integers(0, 3))
def test_bootstrap_is_drawn_from_the_values_and_again_the_same(values: list[float], seed: int) -> None:
    low, high = bootstrap(values, seed=seed, resamples=50)
    assert min(values) <= low <= high <= max(values)
    assert bootstrap(values, seed=seed, resamples=50) == (low, high)


def test_bootstrap_is_near_wilson_for_many_tasks() -> None:
    assert bootstrap([1.0] * 300 + [0.0] * 500) == pytest.approx(wilson(300, 800), abs=0.005)
    with pytest.raises(ValueError, match="no tasks"):
        bootstrap([])


def test_mcnemar_at_known_points() -> None:
    # R: binom.test(b, b + c)$p.value
    assert mcnemar(9, 1) == pytest.approx(0.021484, abs=1e-6)
    assert mcnemar(5, 15) == pytest.approx(0.041389, abs=1e-6)
    assert (mcnemar(0, 0), mcnemar(7, 7), mcnemar(1, 0)) == (1, 1, 1)
    assert 0 < mcnemar(0, 800) < 1e-200
    with pytest.raises(ValueError):
        mcnemar(-1, 2)


@given(st.integers(0, 40), st.integers(0, 40))
def test_mcnemar_is_the_same_both_ways_and_falls_with_disagreement(first: int, second: int) -> None:
    p = mcnemar(first, second)
    assert 0 < p <= 1
    assert p == mcnemar(second, first)
    if first > second:
        assert mcnemar(first + 1, second) < p or p == 1


@given(
    SHARES.flatmap(lambda one: st.tuples(st.just(one), st.lists(st.floats(0, 1), min_size=len(one), max_size=len(one))))
)
def test_a_paired_difference_turned_round(both: tuple[list[float], list[float]]) -> None:
    first, second = both
    found, turned = paired(first, second, resamples=60), paired(second, first, resamples=60)
    assert found.mean == pytest.approx(statistics.fmean(first) - statistics.fmean(second), abs=1e-12)
    assert found.mean == pytest.approx(-turned.mean)
    assert 0 < found.p <= 1
    assert found.p == turned.p
    assert paired(first, first, resamples=20).p == 1


def test_a_paired_difference_sees_what_unpaired_intervals_do_not() -> None:
    """30 tasks that only the first gets right, of 800: the intervals overlap, the difference is certain."""
    second = [1.0] * 400 + [0.0] * 400
    first = [1.0] * 430 + [0.0] * 370
    assert wilson(430, 800)[0] < wilson(400, 800)[1]
    found = paired(first, second)
    assert found.interval[0] > 0
    assert found.p < 0.01
    assert mcnemar(30, 0) < 1e-8
    with pytest.raises(ValueError):
        paired([1.0], [1.0, 0.0])
    with pytest.raises(ValueError):
        paired([], [])

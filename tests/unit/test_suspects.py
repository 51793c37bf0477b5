"""Suspects of one failing run: who is named, in which order, and what is said of it."""

from __future__ import annotations

import pytest

from semcoder.core import Invocation, Outcome, Value
from semcoder.debugging.slices import Slices
from semcoder.debugging.suspects import MISSING, Missing, Suspect, suspects
from semcoder.debugging.trials import sandbox_trial
from semcoder.sandbox import Sandbox
from semcoder.tracing import trace_here

SHOP = """def total(prices, limit):
    label = 'sum'
    kept = []
    for price in prices:
        if price <= limit:
            kept.append(price)
    result = add_up(kept)
    return result


def add_up(numbers):
    sums = 0
    for number in numbers:
        sums = sums + number
    return sums
"""
CALL = "total([3, 50, 4], 10)"


def ranked(source: str, call: str = CALL, expected: object | Missing = MISSING) -> list[Suspect]:
    trace = trace_here(source, call)
    return suspects(trace, source, expected=expected, outcome=trace.outcome)


def test_every_statement_that_ran_is_named_once_and_no_other() -> None:
    found = ranked(SHOP)
    assert sorted(one.line for one in found) == [2, 3, 4, 5, 6, 7, 8, 12, 13, 14, 15]
    assert {one.line: one.function for one in found}[14] == "add_up"
    assert ranked(SHOP, "total([], 1)", 0)[0].line != 14


def test_what_the_result_does_not_depend_on_comes_last() -> None:
    assert ranked(SHOP)[-1].line == 2


def test_the_same_run_gives_the_same_order() -> None:
    assert ranked(SHOP, expected=57) == ranked(SHOP, expected=57)


def test_a_sentence_says_what_the_statement_did() -> None:
    sentences = {one.line: one.sentence for one in ranked(SHOP)}
    assert sentences[14] == "Line 14, `sums = sums + number`: `sums` becomes `7`."
    assert sentences[5] == "Line 5, `if price <= limit:`: the condition is true."
    assert sentences[15] == "Line 15, `return sums`: `add_up` returns `7`."


def test_what_ran_after_the_right_value_was_there_is_more_suspect() -> None:
    source = (
        "def f(words):\n    text = ' '.join(words)\n    text = text.strip()\n    text = text.lower()\n    return text\n"
    )
    call = "f(['ab', 'Cd'])"
    with_it, without = ranked(source, call, "ab Cd"), ranked(source, call)
    assert with_it[0].line in (4, 5)
    scores = {one.line: one.score for one in with_it}, {one.line: one.score for one in without}
    assert scores[0][4] > scores[1][4]
    assert scores[0][2] == scores[1][2]


def test_a_statement_that_raises_is_suspect() -> None:
    source = SHOP.replace("sums = 0", "sums = None")
    found = ranked(source)
    assert found[0].line == 14
    assert 12 in [one.line for one in found[:5]]
    assert "is raised" in next(one.sentence for one in found if one.line == 14)


def test_the_wrong_value_may_come_from_a_call_inside_the_run() -> None:
    """The outcome that is wrong is that of a part of what was traced."""
    source = "def test():\n    left = one(1)\n    right = two(2)\n    return left, right\n\ndef one(n):\n    return n\n\ndef two(n):\n    m = n * 3\n    return m\n"
    trace = trace_here(source, "test()")
    found = suspects(trace, source, expected=4, outcome=Outcome("returned", Value.of(6)))
    assert found[0].line == 10
    assert 11 in [one.line for one in found[:3]]
    assert found[-1].line == 4  # it ran when the wrong value was long there


@pytest.mark.parametrize("expected", [7, Value.of(7), MISSING, object()])
def test_what_is_expected_may_be_a_value_data_or_nothing(expected: object) -> None:
    assert ranked(SHOP, expected=expected)


def test_a_change_that_makes_the_test_pass_goes_before_all_others() -> None:
    wrong = SHOP.replace("<=", ">")
    trace = trace_here(wrong, CALL)
    with Sandbox(workers=1) as box:
        trial = sandbox_trial(box, "total", Invocation(CALL), Value.of(7))
        assert trial([wrong, SHOP, "total = 7\n", SHOP.replace("sums = 0", "while True: pass")]) == [
            False,
            True,
            False,
            False,
        ]
        found = suspects(trace, wrong, expected=7, outcome=trace.outcome, trial=trial)
    assert found[0].line == 5
    assert found[0].passes
    assert not found[-1].passes


def test_a_run_without_steps_has_no_suspects() -> None:
    trace = trace_here("x = 1\n", "x")
    assert suspects(trace, "x = 1\n", expected=2, outcome=trace.outcome) == []


def test_values_are_followed_through_calls_changes_in_place_and_decisions() -> None:
    trace = trace_here(SHOP, CALL)
    suspicion = Slices(trace).suspicion(len(trace.steps) - 1)
    by_line: dict[int, float] = {}
    for step in trace.steps:
        if step.kind != "call":
            by_line[step.line] = max(by_line.get(step.line, 0.0), suspicion[step.index])
    assert by_line[8] == 1.0
    assert by_line[2] == 0.0
    assert by_line[8] > by_line[7] > by_line[14] > by_line[12] > 0
    assert min(by_line[line] for line in (3, 4, 5, 6)) > 0


def test_a_step_depends_on_earlier_ones_only() -> None:
    trace = trace_here(SHOP, CALL)
    for at, before in enumerate(Slices(trace).depends):
        assert all(0 <= other < at for other in before)

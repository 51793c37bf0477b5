"""Rewards by execution: what texts about a small program earn."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from semcoder.core import Claim, Invocation, Program, Sample
from semcoder.judging import Question
from semcoder.monologue import style, tell
from semcoder.prompts import load_profile
from semcoder.sandbox import Sandbox
from semcoder.tracing import trace_here
from semcoder.training.rewards import Asked, Rewards, asked, full_telling, plain_call, text_of, told_part
from semcoder.training.rows import Example

SOURCE = """\
def f(n):
    total = 0
    for i in range(n):
        if i % 2:
            total += i
    return total
"""
PROFILE = load_profile("semcoder")
TRACE = trace_here(SOURCE, Invocation("f(4)"))
QUESTIONS = (
    Asked(Question(SOURCE, "f", "forward", call="f(4)"), "concise"),
    Asked(Question(SOURCE, "f", "forward", call="f(4)"), "forward"),
    Asked(Question(SOURCE, "f", "backward", output="4"), "backward"),
    Asked(Question(SOURCE, "f", "backward", output="4"), "concise"),
)
CONCISE, FORWARD, BACKWARD, RETOLD = range(4)


def telling(name: str, call: str = "f(4)") -> str:
    return tell(style(name), trace_here(SOURCE, Invocation(call))).text


def reply(monologue: str, answer: str) -> str:
    return PROFILE.response(monologue, answer)


@pytest.fixture(scope="module")
def rewards() -> Iterator[Rewards]:
    with Sandbox(workers=1) as box:
        yield Rewards(box, PROFILE, QUESTIONS)


def earned(rewards: Rewards, place: int, text: str) -> tuple[float | None, float | None]:
    (reward,) = rewards.of([place], [text])
    return reward.answer, reward.steps


@pytest.mark.parametrize(("place", "name"), [(CONCISE, "concise"), (FORWARD, "forward")])
def test_a_full_telling_with_the_right_answer_earns_all(rewards: Rewards, place: int, name: str) -> None:
    assert earned(rewards, place, reply(telling(name), "assert f(4) == 4")) == (1.0, 1.0)


@pytest.mark.parametrize("call", ["f(4)", "f(5)"])
@pytest.mark.parametrize(("place", "name"), [(BACKWARD, "backward"), (RETOLD, "concise")])
def test_any_input_that_gives_the_output_earns_all(rewards: Rewards, place: int, name: str, call: str) -> None:
    assert earned(rewards, place, reply(telling(name, call), f"assert {call} == 4")) == (1.0, 1.0)


def test_a_wrong_input_earns_nothing_however_truly_it_is_told(rewards: Rewards) -> None:
    for place, name in ((BACKWARD, "backward"), (RETOLD, "concise")):
        assert earned(rewards, place, reply(telling(name, "f(2)"), "assert f(2) == 4")) == (0.0, 0.0)


def test_steps_earn_up_to_the_first_false_claim(rewards: Rewards) -> None:
    told = telling("concise")
    rows = told.split("\n")
    parts = []
    for place in range(1, len(rows)):
        wrong = [*rows[:place], "[L9] q=7", *rows[place + 1 :]]
        answer, steps = earned(rewards, CONCISE, reply("\n".join(wrong), "assert f(4) == 4"))
        assert answer == 1.0
        assert steps is not None
        parts.append(steps)
    assert parts == sorted(parts)
    assert 0 < parts[0] < parts[-2] < 1


def test_a_wrong_answer_keeps_what_its_steps_earn(rewards: Rewards) -> None:
    assert earned(rewards, CONCISE, reply(telling("concise"), "assert f(4) == 5")) == (0.0, 1.0)


def test_a_text_without_an_answer_or_a_monologue(rewards: Rewards) -> None:
    assert earned(rewards, CONCISE, "") == (0.0, 0.0)
    assert earned(rewards, CONCISE, "[MONOLOGUE]\nno idea") == (0.0, 0.0)
    assert earned(rewards, CONCISE, reply("", "assert f(4) == 4")) == (1.0, 0.0)


def test_equal_texts_are_judged_once_and_places_are_kept_apart(rewards: Rewards) -> None:
    right = reply("", "assert f(4) == 4")
    found = rewards.of([CONCISE, BACKWARD, CONCISE, CONCISE], [right, right, reply("", "4"), right])
    assert [reward.answer for reward in found] == [1.0, 1.0, 1.0, 1.0]
    assert found[0] == found[3]
    assert [reward.answer for reward in rewards.of([CONCISE, BACKWARD], [reply("", "assert f(5) == 4")] * 2)] == [
        0.0,
        1.0,
    ]


def test_the_two_functions_of_trl(rewards: Rewards) -> None:
    answer, steps = rewards.functions()
    assert (answer.__name__, steps.__name__) == ("answer", "steps")
    texts = [reply(telling("concise"), "assert f(4) == 4"), [{"role": "assistant", "content": reply("", "9")}]]
    known = {"completions": texts, "question": [CONCISE, CONCISE], "prompts": ["", ""], "trainer_state": None}
    assert answer(**known) == [1.0, 0.0]
    assert steps(**known) == [1.0, 0.0]


def test_what_could_not_be_judged_is_none_and_is_tried_again() -> None:
    endless = Asked(Question("def f(n):\n    while True:\n        n += 1\n", "f", "forward", call="f(1)"), "concise")
    from semcoder.sandbox import Limits

    with Sandbox(workers=1) as box:
        rewards = Rewards(box, PROFILE, [endless], Limits(cpu_s=0.2, wall_s=2.0))
        (reward,) = rewards.of([0], [reply("[INPUT] f(1) [/INPUT]", "assert f(1) == 2")])
    assert (reward.answer, reward.steps) == (None, None)
    assert reward.reason


def test_an_execution_too_long_to_be_told_leaves_the_answer_to_be_judged() -> None:
    source = "def f(n):\n    for i in range(n):\n        pass\n    return n\n"
    long = Asked(Question(source, "f", "forward", call="f(9000)"), "concise")
    with Sandbox(workers=1) as box:
        (reward,) = Rewards(box, PROFILE, [long]).of([0], [reply("[L1] call f; n=9000", "assert f(9000) == 9000")])
    assert (reward.answer, reward.steps) == (1.0, None)


def test_which_examples_ask_about_an_execution() -> None:
    program = Program(SOURCE, "f")
    forward = Sample(id="1", fwd_mnl="?", task="forward", program=program, call="f(4)", output="4")
    backward = Sample(id="2", bwd_mnl="?", task="backward", program=program, call="f(4)", output="4")
    assert asked(Example("?", "", "forward", "g", forward)) == QUESTIONS[FORWARD]
    assert asked(Example("?", "", "forward", "g", forward), "concise") == QUESTIONS[CONCISE]
    assert asked(Example("?", "", "backward", "g", backward)) == QUESTIONS[BACKWARD]
    assert asked(Example("?", "", "nl", "g", forward)) is None
    assert asked(Example("?", "", "forward", "g")) is None


def test_plain_calls() -> None:
    assert plain_call("assert f(1, k=[2]) == 3", "f") == "f(1, k=[2])"
    assert plain_call("f('a')", "f") == "f('a')"
    for other in ("f(g(1))", "f(x)", "g(1)", "assert", "f(1); f(2)", ")", ""):
        assert plain_call(other, "f") == ""


def test_texts_of_completions() -> None:
    assert text_of("a") == "a"
    assert text_of([{"role": "assistant", "content": "a"}]) == "a"
    assert text_of([{"role": "assistant", "content": None}]) == ""


# The part that is told ------------------------------------------------------------------------------------------------

names = st.sampled_from("abcd")
claims = st.lists(
    st.builds(lambda text, verdict: Claim(text, "set", verdict), names, st.sampled_from([True, True, None, False]))
)


@given(claims, st.lists(names, min_size=1))
def test_the_part_is_between_0_and_1_and_never_falls_with_a_longer_true_text(
    found: list[Claim], full: list[str]
) -> None:
    known = Counter(("set", text, 0) for text in full)
    parts = [told_part(found[:end], known) for end in range(len(found) + 1)]
    assert all(0 <= part <= 1 for part in parts)
    assert parts == sorted(parts)


@given(st.lists(names, min_size=1), claims)
def test_a_full_telling_has_it_all_and_nothing_after_a_false_claim_counts(full: list[str], rest: list[Claim]) -> None:
    known = Counter(("set", text, 0) for text in full)
    told = [Claim(text, "set", True) for text in full]
    assert told_part(told, known) == 1
    false = Claim("z", "set", False)
    assert told_part([*told[1:], false, *rest], known) == told_part(told[1:], known)


def test_a_full_telling_counts_each_claim_as_often_as_it_is_made() -> None:
    known = full_telling(TRACE, "concise").claims
    assert known["order", "line 4 runs next", 4] == 4
    assert known["set", "total 1", 5] == known["set", "total 4", 5] == 1

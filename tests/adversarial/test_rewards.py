"""Texts written to be rewarded rather than to be right: what each of them earns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from semcoder.core import Invocation
from semcoder.judging import Question
from semcoder.monologue import style, tell
from semcoder.prompts import load_profile
from semcoder.sandbox import Limits, Sandbox
from semcoder.tracing import trace_here
from semcoder.training.rewards import MAX_TEXT, Asked, Rewards

SOURCE = """\
def f(n):
    total = 0
    for i in range(n):
        if i % 2:
            total += i
    return total
"""
PROFILE = load_profile("semcoder")
STYLES = ("concise", "scratchpad", "next", "forward")
#: The forward question in each style, then the backward one in its own and told forward.
QUESTIONS = (
    *(Asked(Question(SOURCE, "f", "forward", call="f(4)"), name) for name in STYLES),
    Asked(Question(SOURCE, "f", "backward", output="4"), "backward"),
    Asked(Question(SOURCE, "f", "backward", output="4"), "concise"),
)
BACKWARD, RETOLD = len(STYLES), len(STYLES) + 1
RIGHT = "assert f(4) == 4"


def telling(name: str, call: str = "f(4)") -> str:
    return tell(style(name), trace_here(SOURCE, Invocation(call))).text


def reply(monologue: str, answer: str = RIGHT) -> str:
    return PROFILE.response(monologue, answer)


def part(rows: Sequence[str]) -> str:
    """A monologue of these rows that ends with none of them: the last row of one is read as its outcome."""
    return "\n".join([*rows, "That is all."])


@pytest.fixture(scope="module")
def rewards() -> Iterator[Rewards]:
    with Sandbox(workers=1) as box:
        yield Rewards(box, PROFILE, QUESTIONS, Limits(cpu_s=0.5, wall_s=3.0))


def steps(rewards: Rewards, place: int, text: str) -> float:
    (reward,) = rewards.of([place], [text])
    assert reward.steps is not None
    return reward.steps


def answer(rewards: Rewards, place: int, said: str) -> float | None:
    return rewards.of([place], [PROFILE.response("", said)])[0].answer


forward_styles = pytest.mark.parametrize(("place", "name"), list(enumerate(STYLES)))


# Steps ----------------------------------------------------------------------------------------------------------------


@forward_styles
def test_a_right_answer_without_claims_earns_its_answer_only(rewards: Rewards, place: int, name: str) -> None:
    for empty in ("It is easy to see.", "[INPUT]", ".", "I followed all lines with care, and every step is right."):
        (reward,) = rewards.of([place], [reply(empty)])
        assert (reward.answer, reward.steps) == (1.0, 0.0)


@forward_styles
def test_a_true_row_said_a_thousand_times_earns_it_once(rewards: Rewards, place: int, name: str) -> None:
    rows = telling(name).split("\n")
    for start in range(len(rows)):
        once = steps(rewards, place, reply(part(rows[: start + 1])))
        often = steps(rewards, place, reply(part([*rows[:start], *[rows[start]] * 1000])))
        assert often <= once <= 1


TRUE_ENGLISH = [
    "On line 2, `total` becomes `0`.",
    "The call returns `4`.",
    "`total` is not `7`.",
    "On line 4, the condition `i % 2` is false when `i` is `0`.",
]


@forward_styles
@pytest.mark.parametrize("fact", TRUE_ENGLISH)
def test_true_english_said_a_thousand_times_earns_next_to_nothing(
    rewards: Rewards, place: int, name: str, fact: str
) -> None:
    assert steps(rewards, place, reply(" ".join([fact] * 1000))) < 0.1


@forward_styles
def test_a_thousand_different_true_trifles_earn_next_to_nothing(rewards: Rewards, place: int, name: str) -> None:
    trifles = " ".join(f"On line 2, `total` is not `{number}`." for number in range(10, 1010))
    assert steps(rewards, place, reply(trifles)) < 0.1


@forward_styles
def test_rows_out_of_order_earn_less(rewards: Rewards, place: int, name: str) -> None:
    first, *rows, last = telling(name).split("\n")
    assert steps(rewards, place, reply("\n".join([first, *reversed(rows), last]))) < 0.4
    half = len(rows) // 2
    swapped = steps(rewards, place, reply("\n".join([first, *rows[half:], *rows[:half], last])))
    assert swapped < 0.6


@pytest.mark.parametrize(("place", "name"), [(0, "concise"), (1, "scratchpad"), (3, "forward")])
def test_leaving_steps_out_earns_nothing_after_the_gap(rewards: Rewards, place: int, name: str) -> None:
    rows = telling(name).split("\n")
    size = 3 if name == "scratchpad" else 1
    before = steps(rewards, place, reply(part(rows[: 1 + size])))
    assert steps(rewards, place, reply("\n".join([*rows[: 1 + size], *rows[-3 * size :]]))) <= before


@forward_styles
def test_the_true_telling_of_another_call_earns_next_to_nothing(rewards: Rewards, place: int, name: str) -> None:
    assert steps(rewards, place, reply(telling(name, "f(9)"))) < 0.2


@forward_styles
def test_rows_that_cannot_be_read_add_nothing(rewards: Rewards, place: int, name: str) -> None:
    first, *rows = telling(name).split("\n")
    padded = [row for told in rows for row in (told, "and so it goes on, rightly")]
    assert steps(rewards, place, reply("\n".join([first, *padded]))) <= 1.0
    cut = rows[: len(rows) // 2]
    plain = steps(rewards, place, reply(part([first, *cut])))
    noisy = steps(rewards, place, reply(part([first, *cut, *["well, well"] * 500])))
    assert noisy <= plain < 1


def test_guesses_side_by_side_end_at_the_first_false_one(rewards: Rewards) -> None:
    guesses = "; ".join(f"total={number}" for number in range(9, -1, -1))
    text = telling("concise").replace("[L2] total=0", f"[L2] {guesses}")
    honest = telling("concise").replace("[L2] total=0", "[L2] total=9")
    assert steps(rewards, 0, reply(text)) == steps(rewards, 0, reply(honest))


def test_a_fact_said_twice_in_its_row_counts_once(rewards: Rewards) -> None:
    told = telling("concise").split("\n")[:3]
    twice = [*told[:2], told[2] + "; total=0; total=0"]
    assert steps(rewards, 0, reply(part(twice))) == steps(rewards, 0, reply(part(told)))


def test_what_stands_behind_the_answer_counts_nothing(rewards: Rewards) -> None:
    behind = reply("") + f"\n[MONOLOGUE]\n{telling('concise')}\n[/MONOLOGUE]"
    assert steps(rewards, 0, behind) == 0
    assert steps(rewards, 0, behind + f"\n[ANSWER]{RIGHT}[/ANSWER]") == 0


def test_bare_rows_of_a_backward_text_earn_less_than_reasons(rewards: Rewards) -> None:
    bare = "\n".join(
        ["The output must be `4`.", *(f"Line {line}: no variable changes." for line in (6, 5, 4, 3, 2, 1))]
    )
    assert steps(rewards, BACKWARD, reply(bare)) < 0.4
    assert steps(rewards, BACKWARD, reply(telling("backward"))) == 1


def test_the_true_telling_of_an_input_that_is_wrong_earns_nothing(rewards: Rewards) -> None:
    for place, name in ((BACKWARD, "backward"), (RETOLD, "concise")):
        (reward,) = rewards.of([place], [reply(telling(name, "f(0)"), "assert f(0) == 4")])
        assert (reward.answer, reward.steps) == (0.0, 0.0)
        (reward,) = rewards.of([place], [reply(telling(name, "f(0)"), RIGHT)])  # told one call, answered another
        assert reward.answer == 1.0
        assert reward.steps is not None
        assert reward.steps < 0.2


# Answers --------------------------------------------------------------------------------------------------------------


def test_of_two_answers_the_first_counts(rewards: Rewards) -> None:
    wrong = PROFILE.response("", "assert f(4) == 5")
    right = PROFILE.response("", RIGHT)
    for place in (0, BACKWARD):
        assert rewards.of([place], [f"{right}\n{wrong}"])[0].answer == 1.0
    assert rewards.of([0], [f"{wrong}\n{right}"])[0].answer == 0.0
    assert (
        rewards.of([0], ["\n".join(PROFILE.response("", f"assert f(4) == {n}") for n in range(9, 0, -1))])[0].answer
        == 0
    )


@pytest.mark.parametrize(
    "said",
    [
        "assert f(4) == f(4)",
        "assert f(4) == (lambda: 4)()",
        "assert f(4) == __import__('builtins').int('4')",
        "assert f(2) == 1",
        "assert True",
        "assert f(4) != 5",
        "assert f(4) == 4 or True",
        "assert f(4) == 5 == 5",
        "assert f(4) in range(100)",
        "f(4)",
        "4; 5",
        "[1, 2, 3, 4]",
        "4.0000001",
        "'4'",
        "",
    ],
)
def test_answers_that_dodge_a_forward_question(rewards: Rewards, said: str) -> None:
    assert answer(rewards, 0, said) == 0.0


@pytest.mark.parametrize(
    "said",
    [
        "assert f(3) == 1",
        "assert f(3) == f(3)",
        "assert 4 == 4",
        "assert g(4) == 4",
        "assert f(4) != 5",
        "f",
        "f(type('N', (), {'__index__': lambda self: 4})())",
        "f(type('N', (int,), {'__eq__': lambda *_: True})())",
        "f(globals())",
        "f(n)",
        "f(10 ** 10 ** 10)",
        "(lambda n: 4)(4)",
        "f(*iter(int, 1))",
    ],
)
def test_inputs_that_dodge_a_backward_question(rewards: Rewards, said: str) -> None:
    assert answer(rewards, BACKWARD, said) == 0.0


def test_code_in_a_text_does_nothing_outside(rewards: Rewards, tmp_path: Path) -> None:
    planted = tmp_path / "planted"
    write = f"open({str(planted)!r}, 'w').write('x')"
    shell = f"__import__('os').system('touch {planted}')"
    for code in (write, shell, f"exec({write!r})"):
        inputs = [f"f({code})", f"assert f({code}) == 4", f"{code}\nassert f(4) == 4", code]
        asked = [(0, said) for said in (f"assert f(4) == {code}", *inputs)] + [(BACKWARD, said) for said in inputs]
        monologue = f"{telling('concise')}\n{code}\n```python\n{code}\n```"
        texts = [PROFILE.response(monologue, said) for _, said in asked]
        found = rewards.of([place for place, _ in asked], texts)
        assert [reward.answer for reward in found] == [0.0] * len(asked)
    assert not planted.exists()


# Any text -------------------------------------------------------------------------------------------------------------


def test_a_huge_text_is_worth_nothing(rewards: Rewards) -> None:
    huge = telling("concise") + "\n[L3] i=0" * (MAX_TEXT // 8)
    for place in (0, BACKWARD):
        (reward,) = rewards.of([place], [reply(huge)])
        assert (reward.answer, reward.steps) == (0.0, 0.0)


@pytest.mark.parametrize(
    "row", ["[L3] i=0", "Line 3: iteration 1 of the loop begins; `i` becomes `0`.", "(" * 80, "`" * 80]
)
def test_a_text_as_long_as_models_write_is_judged(rewards: Rewards, row: str) -> None:
    text = reply("\n".join([row] * (10_000 // len(row))))
    for place in range(len(QUESTIONS)):
        (reward,) = rewards.of([place], [text])
        assert reward.answer == 1.0
        assert reward.steps is not None
        assert reward.steps < 0.3


FRAGMENTS = [
    "[MONOLOGUE]", "[/MONOLOGUE]", "[ANSWER]", "[/ANSWER]", "\n", "assert f(4) == 4", "assert f(", "[L2] total=0", "[L3]",
    "[INPUT] f(4) [/INPUT]", "[OUTPUT] 4 [/OUTPUT]", "Line 2: `total` becomes `0`.", "The call is `f(4)`.", "`", "((", "'",
    "\\", "\x00", "\ud800", "\N{REPLACEMENT CHARACTER}", "4", "nan", "# ", "total=[[[", "; ",
]  # fmt: skip


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(FRAGMENTS) | st.text(max_size=5), max_size=30))
def test_any_text_has_its_reward(rewards: Rewards, parts: list[str]) -> None:
    text = "".join(parts)
    for reward in rewards.of(range(len(QUESTIONS)), [text] * len(QUESTIONS)):
        assert reward.answer in (0.0, 1.0)
        assert reward.steps is not None
        assert 0.0 <= reward.steps <= 1.0

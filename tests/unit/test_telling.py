"""Rows of generated programs and rows told anew: every claim checked, answers from execution, what is left out counted."""

from __future__ import annotations

import dataclasses
from collections import Counter

import pytest

from semcoder import monologue
from semcoder.core import Program, Sample
from semcoder.errors import UsageError
from semcoder.monologue import check, style, styles
from semcoder.prompts import load_profile
from semcoder.sandbox import Limits
from semcoder.tracing import trace_here
from semcoder.training import telling
from semcoder.training.telling import generated, retold, told_in_all

PROFILE = load_profile()
STYLES = sorted(name for name, kind in styles().items() if kind().direction == "forward")


def sample(source: str, call: str, output: str, task: str = "forward") -> Sample:
    entry = call.partition("(")[0]
    return Sample("x", response="?", task=task, program=Program(source, entry), call=call, output=output)


@pytest.mark.parametrize("name", STYLES)
@pytest.mark.parametrize("spec", ["small:25:3", "generator:25:3"])
def test_rows_of_generated_programs_are_true(name: str, spec: str) -> None:
    dropped: Counter[str] = Counter()
    rows = list(generated(spec, name, PROFILE, dropped))
    assert len(rows) + dropped.total() == 25
    assert len(rows) >= 15
    assert rows == list(generated(spec, name, PROFILE))
    for row in rows:
        assert row.program is not None
        trace = trace_here(row.program.source, row.call)
        told = PROFILE.parse(row.response)
        assert told.answer == f"assert {row.call} == {row.output}"
        assert trace.outcome.value is not None
        assert eval(row.output) == trace.outcome.value.to_python()
        assert row.fwd_mnl == PROFILE.forward(row.program.source, row.call)
        assert (told.monologue == "") == (name == "direct")
        if told.monologue:
            claims = check(style(name), told.monologue, trace)
            assert len(claims) == row.claims > 0
            assert all(claim.verdict is True for claim in claims)


def test_a_program_that_one_style_cannot_tell_is_in_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(telling, "MAX_TEXT", 600)
    dropped: Counter[str] = Counter()
    rows = list(told_in_all("small:40", ["direct", "concise", "scratchpad"], PROFILE, dropped))
    assert dropped["text too long"] == 40 - len(rows) > 0
    for told in rows:
        assert len({(row.program, row.call, row.output) for row in told}) == 1
        assert [PROFILE.parse(row.response).monologue.count("state:") > 0 for row in told] == [False, False, True]


def test_no_row_with_a_claim_that_is_not_true(monkeypatch: pytest.MonkeyPatch) -> None:
    def lying(chosen: object, trace: object, **_: object) -> object:
        told = real(chosen, trace)  # type: ignore[arg-type]
        return dataclasses.replace(told, text=told.text.replace("=", "=1", 1))

    real = monologue.tell
    monkeypatch.setattr(telling, "tell", lying)
    dropped: Counter[str] = Counter()
    assert list(generated("small:10", "concise", PROFILE, dropped)) == []
    assert dropped == {"a claim does not hold": 10}


@pytest.mark.parametrize(
    ("spec", "name", "says"),
    [
        ("stdlib", "forward", "generator, short, small"),
        ("folder:src", "forward", "generator, short, small"),
        ("small:x", "forward", "small"),
        ("small:3", "novel", "there is no style"),
        ("small:3", "backward", "does not tell an execution forward"),
    ],
)
def test_what_cannot_be_told_is_a_usage_error(spec: str, name: str, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        list(generated(spec, name, PROFILE))


def test_rows_are_told_anew_in_the_sandbox() -> None:
    rows = list(generated("small:6", "forward", PROFILE))
    again = list(retold(rows, "concise", PROFILE))
    assert again == list(generated("small:6", "concise", PROFILE))
    backward = dataclasses.replace(rows[0], task="backward", found_by="search")
    (told,) = retold([backward], "scratchpad", PROFILE)
    assert told.program is not None
    assert told.bwd_mnl == PROFILE.backward(told.program.source, "f", told.output)
    assert (told.fwd_mnl, told.task, told.found_by) == ("", "backward", "search")
    parsed = PROFILE.parse(told.response)
    assert parsed.answer == f"assert {told.call} == {told.output}"
    assert parsed.monologue == PROFILE.parse(next(retold(rows[:1], "scratchpad", PROFILE)).response).monologue


def test_rows_that_execution_contradicts_are_left_out_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(telling, "_LIMITS", Limits(cpu_s=1.0, wall_s=20.0))
    good = sample("def f(x):\n    y = x + 1\n    return y\n", "f(1)", "2")
    wrong = sample("def f(x):\n    y = x + 1\n    return y\n", "f(1)", "3")
    raises = sample("def g(x):\n    return 1 // x\n", "g(0)", "0")
    unsteady = sample("def h(x):\n    return list({'a', 'b', 'c', 'd', 'e', x})\n", "h('z')", "['a']")
    endless = sample("def k(x):\n    while x:\n        x += 1\n    return x\n", "k(1)", "0")
    nan = sample("def n(x):\n    return float('nan')\n", "n(1)", "nan")
    other = dataclasses.replace(good, task="repair")
    dropped: Counter[str] = Counter()
    told = list(retold([good, wrong, raises, unsteady, endless, nan, other, good], "forward", PROFILE, dropped))
    assert [row.call for row in told] == ["f(1)", "f(1)"]
    assert dropped.total() == 5
    assert dropped["executes otherwise than its row says"] >= 3
    assert dropped["could not be traced"] + dropped["execution too long"] + dropped["the result is no literal"] <= 2


def test_order_is_that_of_the_rows_whatever_the_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = list(generated("small:7", "direct", PROFILE))
    monkeypatch.setattr(telling, "_CHUNK", 2)
    assert [row.call for row in retold(rows, "direct", PROFILE)] == [row.call for row in rows]

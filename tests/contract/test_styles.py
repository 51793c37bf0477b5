"""Every style: what it renders is checked true, parses to the executed answer, and is the same every time."""

from __future__ import annotations

import pytest

from semcoder.errors import UsageError
from semcoder.monologue import TraceStyle, check, style, styles, tell
from semcoder.tracing import trace_here
from tests.programs import PROGRAMS

DETAILS = ("line", "expression")


@pytest.mark.parametrize("name", PROGRAMS)
@pytest.mark.parametrize("style_name", styles())
def test_contract(style_name: str, name: str) -> None:
    source, call = PROGRAMS[name]
    trace, chosen = trace_here(source, call), style(style_name)
    if chosen.direction == "backward" and trace.outcome.status != "returned":
        pytest.skip("backward monologues are for calls that return")
    monologue = chosen.render(trace)
    assert monologue.style == chosen.name == style_name
    assert monologue.direction == chosen.direction
    assert monologue.text == chosen.render(trace_here(source, call)).text
    assert chosen.parse(monologue.text) == monologue.answer
    assert chosen.parse("nothing of the kind") is None
    expected = call if chosen.direction == "backward" else _answer(source, call)
    assert monologue.answer == expected


@pytest.mark.parametrize("name", PROGRAMS)
@pytest.mark.parametrize("detail", DETAILS)
@pytest.mark.parametrize("style_name", styles())
def test_every_claim_is_true_in_another_execution(style_name: str, detail: str, name: str) -> None:
    trace, chosen = trace_here(*PROGRAMS[name]), style(style_name)
    if chosen.direction == "backward" and trace.outcome.status != "returned":
        pytest.skip("backward monologues are for calls that return")
    for labels in (True, False) if isinstance(chosen, TraceStyle) else (None,):
        text = tell(chosen, trace, detail=detail, labels=labels).text  # type: ignore[arg-type]
        again = trace_here(*PROGRAMS[name])
        claims = check(chosen, text, again, detail=detail, labels=labels)  # type: ignore[arg-type]
        assert claims
        assert [c for c in claims if c.verdict is not True] == []


@pytest.mark.parametrize("style_name", styles())
def test_an_answer_that_was_changed_is_a_false_claim(style_name: str) -> None:
    trace, chosen = trace_here(*PROGRAMS["while_else"]), style(style_name)
    text = chosen.render(trace).text
    head, _, tail = text.rpartition("-2")
    wrong = f"{head}-3{tail}"
    if chosen.direction == "forward":
        assert chosen.parse(wrong) == "-3"
    assert any(claim.verdict is False for claim in check(chosen, wrong, trace))


def test_a_style_without_that_choice_keeps_its_labels() -> None:
    with pytest.raises(UsageError, match="forward names the line of every sentence"):
        tell(style("forward"), trace_here(*PROGRAMS["loop"]), labels=False)


def _answer(source: str, call: str) -> str:
    space: dict[str, object] = {}
    exec(source, space)
    try:
        return repr(eval(call, space))
    except Exception as error:
        return repr(error)


def test_an_unknown_style_names_those_that_exist() -> None:
    with pytest.raises(UsageError, match="backward, concise, direct, forward, next, scratchpad, steps"):
        style("sideways")

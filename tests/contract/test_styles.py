"""Every style: what it renders is checked true, parses to the executed answer, and is the same every time."""

from __future__ import annotations

import pytest

from semcoder.errors import UsageError
from semcoder.monologue import style, styles, verify
from semcoder.tracing import trace_here
from tests.programs import PROGRAMS


@pytest.mark.parametrize("name", PROGRAMS)
@pytest.mark.parametrize("style_name", styles())
def test_contract(style_name: str, name: str) -> None:
    source, call = PROGRAMS[name]
    trace, chosen = trace_here(source, call), style(style_name)
    if chosen.direction == "backward" and trace.outcome.status != "returned":
        pytest.skip("backward monologues are for calls that return")
    monologue = chosen.render(trace)
    assert monologue.style == chosen.name == style_name
    assert monologue.text == chosen.render(trace_here(source, call)).text
    assert chosen.parse(monologue.text) == monologue.answer
    assert chosen.parse("nothing of the kind") is None
    expected = call if chosen.direction == "backward" else _answer(source, call)
    assert monologue.answer == expected
    assert not [c for c in verify(monologue.text, trace) if c.verdict is False]


def _answer(source: str, call: str) -> str:
    space: dict[str, object] = {}
    exec(source, space)
    try:
        return repr(eval(call, space))
    except Exception as error:
        return repr(error)


def test_an_unknown_style_names_those_that_exist() -> None:
    with pytest.raises(UsageError, match="backward, forward"):
        style("sideways")

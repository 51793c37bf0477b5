"""The trace as a record: the wire form round-trips, malformed columns are refused, truncation cuts and does not bend."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from semcoder.core import Invocation
from semcoder.errors import InputError, UsageError
from semcoder.tracing import MAX_EVENTS, Trace, trace_from_document, trace_here
from tests.programs import PROGRAMS

SOURCE = "def f(n):\n    total = []\n    for i in range(n):\n        total.append(i)\n    return total\n"


@pytest.fixture
def document() -> dict[str, Any]:
    return json.loads(json.dumps(trace_here(SOURCE, "f(3)").to_wire()))  # type: ignore[no-any-return]


@pytest.mark.parametrize("name", sorted(PROGRAMS))
def test_wire_round_trip(name: str) -> None:
    trace = trace_here(*PROGRAMS[name])
    again = Trace.from_wire(json.loads(json.dumps(trace.to_wire())))
    assert again.to_wire() == trace.to_wire()
    assert again.outcome.same(trace.outcome)
    assert [(s.kind, s.line, s.depth, s.changes, s.returned) for s in again.steps] == [
        (s.kind, s.line, s.depth, s.changes, s.returned) for s in trace.steps
    ]


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("kinds", None),
        ("kinds", "s"),
        ("sites", ["a"]),
        ("refs", {}),
        ("names", [1]),
        ("nodes", [["list"]]),
        ("nodes", [["nonsense", 0]]),
        ("nodes", []),
        ("truncated", "no"),
        ("extra", []),
    ],
)
def test_malformed_column_is_refused(document: dict[str, Any], column: str, value: Any) -> None:
    document["columns"][column] = value
    with pytest.raises(InputError, match="the trace is malformed"):
        Trace.from_wire(document)


@pytest.mark.parametrize("kind", "csetidmkrxhzyv=-gouw?")
def test_event_with_wrong_parts_is_refused(document: dict[str, Any], kind: str) -> None:
    for site, ref in [(10**6, {}), (0, ["nonsense"]), (0, [10**6])]:
        doc = copy.deepcopy(document)
        columns = doc["columns"]
        columns["kinds"] += kind
        columns["sites"].append(site)
        columns["refs"].append(ref)
        with pytest.raises(InputError, match="the trace is malformed"):
            Trace.from_wire(doc)


@pytest.mark.parametrize("kind", "csetidmkrxhzyv")
def test_event_at_an_unknown_site_is_refused(document: dict[str, Any], kind: str) -> None:
    columns = document["columns"]
    columns["kinds"] += kind
    columns["sites"].append(10**6)
    columns["refs"].append(0)
    with pytest.raises(InputError, match="the trace is malformed"):
        Trace.from_wire(document)


@pytest.mark.parametrize("document", [None, [], {}, {"columns": 5}, {"columns": {}, "outcome": {}, "invocation": {}}])
def test_what_is_no_trace_is_refused(document: Any) -> None:
    with pytest.raises(InputError):
        trace_from_document(SOURCE, document, Invocation("f(3)"))


def test_syntax_error_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="line 1"):
        trace_here("def f(:", "f()")


@pytest.mark.parametrize("limit", range(0, 35, 3))
def test_truncated_trace_is_a_prefix(limit: int) -> None:
    whole, cut = trace_here(SOURCE, "f(5)"), trace_here(SOURCE, "f(5)", max_events=limit)
    assert len(whole) > limit
    assert cut.truncated
    assert cut.kinds == whole.kinds[:limit]
    assert list(cut.sites) == list(whole.sites)[:limit]
    assert list(cut.refs) == list(whole.refs)[:limit]
    assert cut.outcome.same(whole.outcome)


def test_limit_that_just_fits_does_not_truncate() -> None:
    whole = trace_here(SOURCE, "f(2)")
    assert not trace_here(SOURCE, "f(2)", max_events=len(whole)).truncated


def test_the_process_has_no_say_in_what_was_called(document: dict[str, Any]) -> None:
    lie = {**document, "source": "-" * 100_000 + "1", "invocation": {"text": "g(7)"}}
    trace = trace_from_document(SOURCE, lie, Invocation("f(3)"))
    assert (trace.source, trace.invocation.text) == (SOURCE, "f(3)")


def test_a_stored_trace_whose_source_cannot_be_parsed_is_refused(document: dict[str, Any]) -> None:
    for source in ("(" * 5000 + ")" * 5000, "-" * 100_000 + "1", "def", 3):
        with pytest.raises(InputError, match="the trace is malformed"):
            Trace.from_wire({**document, "source": source})


def test_values_beyond_bounds_are_refused(document: dict[str, Any]) -> None:
    document["columns"]["nodes"] = [*(["list", k, [k + 1], [k + 1]] for k in range(60)), ["list", 60]]
    with pytest.raises(InputError, match="unfolds to too much"):
        Trace.from_wire(document)


def test_more_events_than_are_ever_recorded_are_refused(document: dict[str, Any]) -> None:
    columns = document["columns"]
    columns.update(kinds="s" * (MAX_EVENTS + 1), sites=[0] * (MAX_EVENTS + 1), refs=[0] * (MAX_EVENTS + 1))
    with pytest.raises(InputError, match="events"):
        Trace.from_wire(document)


@pytest.mark.parametrize(
    "grows", ["x = [x, x]", "x = [x]", pytest.param("x = [x]; x.append(x)", marks=pytest.mark.slow)]
)
def test_recording_stops_where_a_value_outgrows_the_bounds(grows: str) -> None:
    source = f"def f():\n    x = []\n    for _ in range(300):\n        {grows}\n    return 1\n"
    trace = trace_here(source, "f()")
    assert trace.truncated
    assert trace.outcome.value is not None
    assert trace.outcome.value.display() == "1"
    assert trace.steps[-1].line in (3, 4)


@pytest.mark.slow
def test_a_hundred_thousand_live_frames_are_walked(document: dict[str, Any]) -> None:
    """What looks for a frame in the whole stack at every event does not come back from this."""
    columns, count = document["columns"], 100_000
    call = columns["sites"][columns["kinds"].index("c")]
    columns.update(kinds="c" * count, sites=[call] * count, refs=list(range(count)))
    assert Trace.from_wire(document).steps[-1].depth == count - 1


def test_depth_counts_the_frames_below() -> None:
    source = "def g(k):\n    yield k\n    yield k\n\ndef f(n):\n    gs = [g(k) for k in range(n)]\n"
    source += "    return [next(g) for g in gs] + [next(g) for g in gs]\n"
    assert max(step.depth for step in trace_here(source, "f(300)").steps) == 1
    deep = "def f(n):\n    return 0 if n == 0 else f(n - 1)\n"
    assert max(step.depth for step in trace_here(deep, "f(700)").steps) == 700

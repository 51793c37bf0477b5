"""The trace as a record: the wire form round-trips, malformed columns are refused, truncation cuts and does not bend."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from semcoder.errors import InputError, UsageError
from semcoder.tracing import Trace, trace_from_document, trace_here
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
        trace_from_document(SOURCE, document)


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

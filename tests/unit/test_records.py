"""Records and their codec."""

from __future__ import annotations

import json
from typing import Any

import pytest

from semcoder.core import (
    Claim,
    Encoder,
    Invocation,
    Monologue,
    Origin,
    Outcome,
    Program,
    Raised,
    Sample,
    Score,
    Value,
    codec,
    decode,
    dump,
    load,
)
from semcoder.errors import InputError
from tests.inprocess import InProcess

PROGRAM = Program("def f(x):\n    return x\n", "f", Origin("stdlib", "python", "3.11", "bisect.py", 4), "PSF-2.0")
RECORDS = [
    PROGRAM,
    Invocation("f(1)", setup="import math"),
    Outcome("returned", Value.of([1, {"a": (2.5,)}]), stdout="x"),
    Outcome("raised", exception=Raised("ValueError", "bad", Value.of(ValueError("bad")))),
    Monologue("forward", "forward", "text", "1", (Claim("c", "value", False, "2", 3, 4, 5),)),
    Sample("id", fwd_mnl="q", response="a", program=PROGRAM),
    Score(None, "the sandbox failed"),
]


@pytest.mark.parametrize("record", RECORDS, ids=lambda r: type(r).__name__)
def test_round_trip(record: Any) -> None:
    assert load(type(record), json.loads(json.dumps(dump(record)))) == record


def test_ids_are_content() -> None:
    assert PROGRAM.id == Program(PROGRAM.source, "f").id
    assert PROGRAM.id != Program(PROGRAM.source + "\n", "f").id
    assert Invocation("f(1)").id != Invocation("f(1)", setup="x = 1").id


def test_published_rows_load_and_unknown_fields_are_ignored() -> None:
    row = {"id": "7", "nl": "Write ...", "fwd_mnl": "", "bwd_mnl": "", "response": "def ...", "lang": "python"}
    assert decode(Sample, row).nl == "Write ..."


@pytest.mark.parametrize(
    ("record_type", "doc", "message"),
    [
        (Outcome, {"status": "fine"}, "row.status: 'fine' is not one of"),
        (Outcome, {}, "row: missing field"),
        (Program, {"source": 1, "entry": "f"}, "row.source: expected str, got int"),
        (Program, [], "row: expected a JSON object"),
        (Outcome, {"status": "returned", "value": {"ref": [9], "nodes": []}}, "row.value: a ref points to node 9 of 0"),
        (
            Outcome,
            {
                "status": "returned",
                "value": {"ref": [0], "nodes": [*(["list", k, [k + 1], [k + 1]] for k in range(40)), ["list", 40]]},
            },
            "row.value: a value unfolds to too much",
        ),
        (
            Monologue,
            {"direction": "forward", "style": "", "text": "", "answer": "", "claims": 3},
            "row.claims: expected a list",
        ),
        (Program, {"schema": 99, "source": "", "entry": ""}, "schema version 99 is unknown"),
    ],
)
def test_malformed_documents_name_the_field(record_type: type, doc: Any, message: str) -> None:
    with pytest.raises(InputError) as error:
        load(record_type, doc, "row")
    assert message in str(error.value)


def test_older_versions_migrate(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(codec, "SCHEMA_VERSION", 2)
    monkeypatch.setitem(codec.MIGRATIONS, 1, lambda doc: {**doc, "passed": doc["ok"]})
    assert load(Score, {"schema": 1, "ok": True}) == Score(True)


@pytest.mark.parametrize(
    ("source", "status", "detail"),
    [
        ("x = []\n    for _ in range(60): x = [x, x]\n    return x", "output_limit", "unfolds"),
        ("x = []\n    for _ in range(400): x = [x]\n    return x", "output_limit", "nested"),
        ("raise ValueError('no')", "raised", ""),
        ("from fractions import Fraction\n    return Fraction(10**5000)", "returned", ""),
        ("return range(10**5000)", "returned", ""),
    ],
)
def test_what_a_call_returned_is_not_confused_with_what_it_raised(source: str, status: str, detail: str) -> None:
    outcome = InProcess(f"def f():\n    {source}\n").call(Invocation("f()"))
    assert outcome.status == status
    assert detail in outcome.detail
    assert decode(Outcome, json.loads(json.dumps(codec.encode(outcome)))).same(outcome)


def test_a_result_that_cannot_be_encoded_is_not_an_exception_of_the_program(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(self: Encoder, obj: Any) -> Any:
        raise KeyError("inside the encoder")

    monkeypatch.setattr(Encoder, "ref", broken)
    outcome = InProcess("def f():\n    return 1\n").call(Invocation("f()"))
    assert (outcome.status, outcome.exception) == ("invalid", None)
    assert "KeyError" in outcome.detail

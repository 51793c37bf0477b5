"""Records and their codec."""

from __future__ import annotations

import json
from typing import Any

import pytest

from semcoder.core import (
    Claim,
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

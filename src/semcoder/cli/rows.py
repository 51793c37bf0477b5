"""Rows of texts to verify: reading them, and judging one.

Guarantees: all rows are read and checked before any program runs; what is malformed raises `InputError` naming file
and line. A row whose program or call cannot be executed is not judged, and says why; it does not stop the others.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from semcoder.errors import InputError, SandboxRefused, SemcoderError

if TYPE_CHECKING:
    from semcoder.core import Claim
    from semcoder.sandbox import Limits


@dataclass(frozen=True, slots=True)
class TextRow:
    """A text about a program; `call` None: the text names it. `line` counts from 1 in the file."""

    line: int
    source: str
    text: str
    call: str | None = None


@dataclass(frozen=True, slots=True)
class Judged:
    """The claims of a row with their verdicts, or why there are none, with the exit code of that error."""

    claims: tuple[Claim, ...] = ()
    error: str = ""
    exit_code: int = 0


def read_rows(path: Path) -> list[TextRow]:
    """The rows of a JSONL file; blank lines are skipped. Raises `InputError`."""
    from semcoder.api import read_text

    lines = read_text(path).split("\n")
    rows = [_row(text, number, path) for number, text in enumerate(lines, 1) if text.strip()]
    if not rows:
        raise InputError(f'{path}: no rows; write one JSON object per line, with "source", "call" and "text"')
    return rows


def _row(text: str, number: int, path: Path) -> TextRow:
    where = f"{path}:{number}"
    try:
        doc = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{where}: not JSON: {error}") from None
    if not isinstance(doc, dict):
        raise InputError(f'{where}: expected a JSON object like {{"source": ..., "call": ..., "text": ...}}')
    if "response" in doc and "text" not in doc:
        doc = _corpus_row(doc, where)
    told = _field(doc, "text", where)
    call = _field(doc, "call", where) if doc.get("call") is not None else None
    if ("source" in doc) == ("program" in doc):
        raise InputError(f'{where}: give "source" (the program\'s text) or "program" (a path), and only one of them')
    source = _field(doc, "source", where) if "source" in doc else _program(_field(doc, "program", where), path, where)
    return TextRow(number, source, told, call)


def _corpus_row(doc: dict[str, Any], where: str) -> dict[str, Any]:
    """A row that `semcoder build` wrote, as a row to verify."""
    from semcoder.prompts import load_profile

    text = load_profile().parse(str(doc["response"])).monologue
    program = doc.get("program")
    if not text or not isinstance(program, dict) or doc.get("fault"):
        raise InputError(f"{where}: this row of a corpus has no monologue to verify; give forward or backward rows")
    return {"source": program.get("source"), "text": text}


def _field(doc: dict[str, Any], name: str, where: str) -> str:
    if name not in doc:
        raise InputError(f'{where}: the row has no "{name}"')
    value = doc[name]
    if not isinstance(value, str):
        raise InputError(f'{where}: "{name}" is not text but {type(value).__name__}')
    return value


def _program(name: str, path: Path, where: str) -> str:
    from semcoder import api

    try:
        return api.read_source(path.parent / name)[0]
    except SemcoderError as error:
        raise InputError(f"{where}: {error}") from None
    except ValueError as error:  # a NUL in the name
        raise InputError(f'{where}: "program": {error}') from None


def judge(row: TextRow, limits: Limits) -> Judged:
    """Execute a row's program and check its text. Raises `SandboxRefused`: no other row would fare better.

    Before a claim counts as false, two more executions, with another hash seed, must say so, too.
    """
    from semcoder import api

    try:
        claims = api.verify(row.source + "\n", row.text, row.call, limits=limits)
        if any(claim.verdict is False for claim in claims):
            claims = _settled(row, claims, limits)
        return Judged(tuple(claims))
    except SandboxRefused:
        raise
    except SemcoderError as error:
        return Judged(error=str(error), exit_code=error.exit_code)


def _settled(row: TextRow, claims: list[Claim], limits: Limits) -> list[Claim]:
    """The claims, without a verdict where the program does otherwise in another execution."""
    from semcoder import api
    from semcoder.core import Invocation
    from semcoder.monologue import proposed_call
    from semcoder.monologue.checking import settled, verify

    call = row.call or proposed_call(row.text)
    assert call is not None  # the first execution had one
    with api.sandbox() as box:
        again = api.trace_many(box, row.source + "\n", [Invocation(call)] * 2, limits, hash_seed=1)
    return settled(claims, [verify(row.text, trace) for trace in again])

"""A few rows with their traces, for people to look at: what the report page shows.

Guarantees: a text shown is that of a row, with the verdicts of an execution other than the one whose trace is shown
beside it (under another hash seed); a row with a claim that this execution does not bear out is not shown.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from semcoder.core import Direction, Monologue, Sample, decode, encode
from semcoder.monologue import verify
from semcoder.pyx.cases import PRELOAD, traces
from semcoder.pyx.config import BuildConfig
from semcoder.pyx.rows import PROFILE
from semcoder.sandbox import Sandbox
from semcoder.tracing import Trace

COUNT = 6
#: Long enough to have something to show, short enough to read.
_LENGTHS = (500, 2500)


def showcase(rows: dict[str, list[dict[str, Any]]], config: BuildConfig) -> dict[str, Any]:
    """`{"samples": [{"program", "call", "forward", "backward", "trace"}]}`, one program each, deterministic."""
    samples = [decode(Sample, row, "row") for row in rows.get("forward", [])]
    backward: dict[str, Sample] = {}
    for row in rows.get("backward", []):
        sample = decode(Sample, row, "row")
        if sample.program is not None:
            backward[sample.program.id] = sample
    readable = [s for s in samples if _LENGTHS[0] <= len(s.response) <= _LENGTHS[1]]
    looping = [s for s in readable if "iteration 2 of the loop" in s.response]
    chosen = _spread(looping or readable or samples, COUNT)
    with Sandbox(workers=1, preload=PRELOAD, unsafe=config.unsafe) as box:
        shown = [_shown(sample, backward, box, config) for sample in chosen]
    return {"samples": [doc for doc in shown if doc is not None]}


def _spread(samples: Sequence[Sample], count: int) -> list[Sample]:
    """One sample per program, evenly over the data set, so that it is no one module's."""
    firsts = list({s.program.id: s for s in reversed(samples) if s.program}.values())[::-1]
    stride = max(1, len(firsts) // count)
    return firsts[::stride][:count]


def _shown(sample: Sample, backwards: Mapping[str, Sample], box: Sandbox, config: BuildConfig) -> dict[str, Any] | None:
    program = sample.program
    if program is None:
        return None
    backward = backwards.get(program.id)
    calls = list(dict.fromkeys([sample.call] if backward is None else [sample.call, backward.call]))
    trace = traces(program, calls, box, config).get(sample.call)
    again = traces(program, calls, box, config, hash_seed=1)
    forward = _told("forward", sample, sample.output, again)
    if trace is None or forward is None:
        return None
    told = None if backward is None else _told("backward", backward, backward.call, again)
    document = trace.to_wire()
    document["outcome"].pop("usage", None)  # the time it took is another on every build
    return {
        "program": encode(program),
        "call": sample.call,
        "forward": encode(forward),
        "backward": None if told is None else encode(told),
        "trace": document,
    }


def _told(direction: Direction, row: Sample, answer: str, again: Mapping[str, Trace]) -> Monologue | None:
    """A row's monologue with the verdicts of another execution, None where they are not all True."""
    text = PROFILE.parse(row.response).monologue
    if row.call not in again:
        return None
    claims = tuple(verify(text, again[row.call]))
    if not all(claim.verdict for claim in claims):
        return None
    return Monologue(direction, direction, text, answer, claims, row.found_by)

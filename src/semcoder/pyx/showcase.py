"""A few rows with their traces, for people to look at: what the report page shows."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from semcoder.core import Monologue, Program, Sample, decode, encode
from semcoder.errors import InputError
from semcoder.monologue import Backward, style, verify
from semcoder.pyx.cases import trace_job
from semcoder.pyx.config import BuildConfig
from semcoder.sandbox import Limits, Sandbox
from semcoder.tracing import Trace, trace_from_document

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
    with Sandbox(workers=1, unsafe=config.unsafe) as box:
        shown = [_shown(sample, backward, box, config) for sample in chosen]
    return {"samples": [doc for doc in shown if doc is not None]}


def _spread(samples: Sequence[Sample], count: int) -> list[Sample]:
    """One sample per program, evenly over the data set, so that it is no one module's."""
    firsts = list({s.program.id: s for s in reversed(samples) if s.program}.values())[::-1]
    stride = max(1, len(firsts) // count)
    return firsts[::stride][:count]


def _trace(program: Program, call: str, box: Sandbox, config: BuildConfig) -> Trace | None:
    job = trace_job(program.source, [call], Limits(cpu_s=config.cpu_s), config.max_events)
    reply = box.execute(job)[0]
    try:
        return trace_from_document(program.source, reply.data) if reply.status == "returned" else None
    except InputError:
        return None


def _shown(sample: Sample, backwards: Mapping[str, Sample], box: Sandbox, config: BuildConfig) -> dict[str, Any] | None:
    if sample.program is None:
        return None
    backward = backwards.get(sample.program.id)
    trace = _trace(sample.program, sample.call, box, config)
    if trace is None:
        return None
    told: Monologue | None = None
    if backward is not None:
        other = _trace(sample.program, backward.call, box, config)
        if other is not None:
            text = backward.response.partition("[MONOLOGUE]\n")[2].partition("\n[/MONOLOGUE]")[0]
            told = Monologue(
                "backward", Backward.name, text, backward.call, tuple(verify(text, other)), backward.found_by
            )
    forward = style("forward").render(trace)
    forward = dataclasses.replace(forward, claims=tuple(verify(forward.text, trace)))
    return {
        "program": encode(sample.program),
        "call": sample.call,
        "forward": encode(forward),
        "backward": None if told is None else encode(told),
        "trace": trace.to_wire(),
    }

"""A few rows with their traces, for people to look at: what the report page shows.

Guarantees: a text shown is that of a row, with the verdicts of an execution other than the one whose trace is shown
beside it (under another hash seed); a row with a claim that this execution does not bear out is not shown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from semcoder.core import Direction, Monologue, Sample, content_id, decode, encode
from semcoder.monologue import verify
from semcoder.pyx.cases import PRELOAD, traces
from semcoder.pyx.config import BuildConfig
from semcoder.pyx.rows import PROFILE
from semcoder.sandbox import Sandbox
from semcoder.tracing import Trace

COUNT = 6
#: Long enough to have something to show, short enough to read.
_LENGTHS = (500, 2500)


Rows = Callable[[str], Iterable[Mapping[str, Any]]]


def showcase(rows: Rows, config: BuildConfig) -> dict[str, Any]:
    """`{"samples": [{"program", "call", "forward", "backward", "trace"}]}`, one program each, deterministic.

    `rows(kind)`: the rows of a kind; they are read more than once, and only those shown are kept.
    """
    places = _chosen(rows("forward"))
    chosen = [decode(Sample, row, "row") for place, row in enumerate(rows("forward")) if place in places]
    wanted = {sample.program.id for sample in chosen if sample.program is not None}
    backward: dict[str, Sample] = {}
    for row in rows("backward"):
        if _program(row) in wanted:
            backward[_program(row)] = decode(Sample, row, "row")
    with Sandbox(workers=1, preload=PRELOAD, unsafe=config.unsafe) as box:
        shown = [_shown(sample, backward, box, config) for sample in chosen]
    return {"samples": [doc for doc in shown if doc is not None]}


def _chosen(rows: Iterable[Mapping[str, Any]]) -> set[int]:
    """Places of rows to show: of readable length and with a loop, where there are such; one a program."""
    by_worth: dict[int, dict[str, int]] = {0: {}, 1: {}, 2: {}}
    for place, row in enumerate(rows):
        text = row["response"]
        readable = _LENGTHS[0] <= len(text) <= _LENGTHS[1]
        worth = 2 if readable and "iteration 2 of the loop" in text else 1 if readable else 0
        for less in range(worth + 1):
            by_worth[less].setdefault(_program(row), place)
    return set(_spread(list((by_worth[2] or by_worth[1] or by_worth[0]).values()), COUNT))


def _program(row: Mapping[str, Any]) -> str:
    """The id of a row's program."""
    return content_id(row["program"]["source"], row["program"]["entry"])


def _spread(places: Sequence[int], count: int) -> list[int]:
    """Evenly over the data set, so that it is no one module's."""
    stride = max(1, len(places) // count)
    return list(places[::stride][:count])


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

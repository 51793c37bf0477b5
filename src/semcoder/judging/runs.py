"""Executions that verdicts rest on: each run and traced once, and kept while there is room.

Guarantees: every run has a process of its own, so that what one does to it never shows in another's outcome; that the
sandbox failed is not kept. What is kept is bounded.
It is not safe for several threads.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from semcoder.core import Invocation, Outcome
from semcoder.errors import InputError
from semcoder.sandbox import Job, Limits, Reply, Sandbox, outcome_of
from semcoder.sandbox.jobs import RUN_TASK
from semcoder.tracing import TASK, Trace, trace_from_document

#: What is kept of outcomes and of traces: so many, and of traces so many events in all.
KEPT = 512
KEPT_EVENTS = 500_000

Found = TypeVar("Found")


@dataclass(frozen=True, slots=True)
class Run:
    """One call of one program, under a hash seed."""

    source: str
    call: str
    setup: str = ""
    hash_seed: int = 0


class Runs:
    """Outcomes and traces of runs, in a sandbox, within limits."""

    def __init__(self, box: Sandbox, limits: Limits, max_events: int) -> None:
        self._box = box
        self._limits = limits
        self._max_events = max_events
        self._outcomes: _Kept[Outcome] = _Kept(KEPT, lambda outcome: 1)
        self._traces: _Kept[Trace | None] = _Kept(KEPT_EVENTS, _weight)

    def outcomes(self, runs: Iterable[Run]) -> dict[Run, Outcome]:
        """What the runs do. Raises as `Sandbox.execute`."""
        found, missing = self._outcomes.find(runs)
        for run, reply in self._replies(missing, RUN_TASK):
            found[run] = outcome_of(reply)
            if found[run].status != "sandbox_failed":
                self._outcomes.keep(run, found[run])
        return found

    def traces(self, runs: Iterable[Run]) -> dict[Run, Trace | None]:
        """The executions of the runs; None for one that was not recorded to its end. Raises as `Sandbox.execute`."""
        found, missing = self._traces.find(runs)
        for run, reply in self._replies(missing, TASK):
            found[run] = _trace(run, reply)
            if reply.status != "sandbox_failed":
                self._traces.keep(run, found[run])
        return found

    def _replies(self, runs: list[Run], task: str) -> Iterator[tuple[Run, Reply]]:
        jobs = (
            Job(
                task,
                {"source": run.source} if task == RUN_TASK else {"source": run.source, "max_events": self._max_events},
                (Invocation(run.call, setup=run.setup).parts,),
                self._limits,
                run.hash_seed,
            )
            for run in runs
        )
        for place, (reply,) in self._box.execute_many(jobs):
            yield runs[place], reply


def _trace(run: Run, reply: Reply) -> Trace | None:
    if reply.status != "returned":
        return None
    try:
        trace = trace_from_document(run.source, reply.data, Invocation(run.call, setup=run.setup))
    except InputError:
        return None  # the program's own process sent nonsense
    return None if trace.truncated or trace.outcome.status not in ("returned", "raised", "exited") else trace


def _weight(trace: Trace | None) -> int:
    return KEPT_EVENTS // KEPT + (len(trace) if trace is not None else 0)


class _Kept(Generic[Found]):
    """What was found for runs, those used last, up to a total weight."""

    def __init__(self, most: int, weigh: Callable[[Found], int]) -> None:
        self._most = most
        self._weigh = weigh
        self._entries: OrderedDict[Run, Found] = OrderedDict()
        self._weight = 0

    def find(self, runs: Iterable[Run]) -> tuple[dict[Run, Found], list[Run]]:
        """What is known of these runs, and those of which nothing is, each once."""
        found: dict[Run, Found] = {}
        missing: dict[Run, None] = {}
        for run in runs:
            if run in self._entries:
                self._entries.move_to_end(run)
                found[run] = self._entries[run]
            else:
                missing[run] = None
        return found, list(missing)

    def keep(self, run: Run, entry: Found) -> None:
        self._entries[run] = entry
        self._weight += self._weigh(entry)
        while self._weight > self._most:
            self._weight -= self._weigh(self._entries.popitem(last=False)[1])

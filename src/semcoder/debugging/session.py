"""A failing test of a pytest session, explained: run again, recorded, and told. Called in the session's reserve.

Guarantees: whatever goes wrong with a run is said in one line in place of the explanation.
"""

from __future__ import annotations

import functools
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Literal

import pytest

from semcoder.debugging.duck import LINES, tell
from semcoder.debugging.projects import CodeKey, Project, Recording, Segment, plain_name
from semcoder.debugging.reruns import GRACE, PATIENCE, Failure, Look, RunFailed, look, recorded
from semcoder.debugging.reserve import unexplained
from semcoder.debugging.visits import Function, Run
from semcoder.debugging.wanted import example_check
from semcoder.tracing import Trace

_MARKS = ("pyproject.toml", "setup.py", "setup.cfg", ".git")
#: The share of a recording's steps from which on a function is left out of the next.
_HOT = 0.05
Status = Literal["explained", "flaky", "unexplained"]


def explain(
    item: pytest.Item, own: float, set_up: float, *, full: bool = False, keep: bool = False, passing: bool = False
) -> dict[str, Any]:
    """Explain a test that failed; `passing`: give the recording of one that passed, and say nothing.

    The document has a `status`, `lines` for a reader, and where it was explained the rest of what `docs/cli.md` names.
    `own`: the seconds that it took; `set_up`: those that all set-ups of the session took, which a run again may have to
    repeat. With `keep` the document holds a recording of the code under test, to be compared with another version's.
    """
    project = project_of(item.session)
    seconds = PATIENCE * own + set_up + GRACE
    try:
        seen = look(item, project, seconds)
        if passing:
            kept = recorded(item, project, seen, max(own, seen.seconds), seconds, _kept, code_alone=True)
            return _said("explained", [], kept)
        if seen.failure is None:
            return _flaky("it passed when it was run again by itself")
        own = max(own, seen.seconds)
        told = recorded(item, project, seen, own, seconds, _Teller(project, seen, full))
        if told is not None and told["truncated"]:
            told = _without_hot(item, project, seen, own, seconds, full, told)
        if told is not None and keep:
            told |= recorded(item, project, seen, own, seconds, _kept, code_alone=True) or {}
    except RunFailed as error:
        return unexplained(str(error))
    if told is None:
        return _flaky("it failed when it was run again by itself, and passed the time after that")
    return _said("explained", told["lines"], told)


def _without_hot(
    item: pytest.Item, project: Project, seen: Look, own: float, seconds: float, full: bool, told: dict[str, Any]
) -> dict[str, Any]:
    """What a recording says that leaves out the functions in which the first one spent its room.

    Those that the exception came through stay, if there are others to leave out. That recording reaches the failure, as
    a rule; where it does not, what the first one says stands.
    """
    spots = () if seen.failure is None else seen.failure.spots
    hot = {(found["path"], found["name"]): found for found in told["hot"]}
    needed = {place for place in hot for spot in spots if spot.is_in(spot.file, place[1])}
    hot = {place: found for place, found in hot.items() if place not in needed} or hot
    # What a hot function defines goes with it: its text would be recorded for that.
    keys = [k for k in seen.calls if any(_is_in(k, *place) for place in hot)]
    functions = [Function(Segment(**found["segment"]), found["name"], found["line"]) for found in hot.values()]
    if not keys:
        return told
    again = recorded(item, project, seen, own, seconds, _Teller(project, seen, full, functions), without=keys)
    if again is None or again["truncated"]:
        return told
    if told["path"] and not again["path"]:
        again["lines"] = [*again["lines"], "It begins like this, as far as it was recorded:", *told["path"]][:LINES]
    return again


def _is_in(key: CodeKey, path: str, name: str) -> bool:
    """Whether a function is this one, or defined in it."""
    own = plain_name(key[2])
    return os.path.realpath(key[0]) == path and (own == name or own.startswith(f"{name}."))


def _flaky(how: str) -> dict[str, Any]:
    return _said("flaky", [f"This test is flaky: {how}. It may depend on chance, on time, or on tests before it."])


def _said(status: Status, lines: list[str], document: dict[str, Any] | None = None) -> dict[str, Any]:
    document = {**(document or {}), "status": status, "lines": lines}
    for name in ("hot", "path"):  # what only this module needs
        document.pop(name, None)
    return document


class _Teller:
    """Makes of a recording what is said; called in the process that recorded."""

    def __init__(self, project: Project, seen: Look, full: bool, unseen: Sequence[Function] = ()) -> None:
        self._project = project
        self._seen = seen
        self._full = full
        self._unseen = unseen

    def __call__(self, trace: Trace, recording: Recording, failure: Failure | None) -> dict[str, Any]:
        assert failure is not None
        error = f"{failure.type}: {failure.message}" if failure.message else failure.type
        notes = []
        if trace.truncated:
            notes.append(f"The recording ends before the test does: it holds the first {len(trace):,} events.")
        spot = failure.spots[-1] if failure.spots else None
        fault = None if spot is None else replace(spot, file=self._project.shown(spot.file))
        run = Run(trace, recording.layout, fault)
        check = None if failure.example is None else example_check(run, *failure.example)
        makers = tuple(_makers(run, self._seen.calls))
        told = tell(run, error=error, check=check, unseen=self._unseen, makers=makers, full=self._full, notes=notes)
        return {
            "lines": told.lines(full=self._full),
            "path": told.path,
            "suspects": [asdict(found) for found in told.suspected],
            "got": told.got,
            "wanted": told.wanted,
            "error": error,
            "phase": failure.phase,
            "truncated": trace.truncated,
            "events": len(trace),
            "hot": _hot(run) if trace.truncated else [],
        }


def _makers(run: Run, called: Iterable[CodeKey]) -> Iterator[Function]:
    """The functions under test inside which one that was called is defined, and which were not called themselves."""
    places: set[tuple[str, str]] = set()
    inner: dict[tuple[str, str], list[int]] = {}
    for file, line, name in called:
        path = os.path.realpath(file)
        places.add((path, plain_name(name)))
        if ".<locals>." in name:
            inner.setdefault((path, plain_name(name.rpartition(".<locals>.")[0])), []).append(line)
    for function in run.functions.values():
        place = function.segment.path, function.name
        node = run.node_of(function) if function.side == "code" and place in inner and place not in places else None
        last = 0 if node is None else run.layout.line(node.end_lineno or node.lineno)
        if any(function.line <= line <= last for line in inner.get(place, ())):
            yield function


def _hot(run: Run) -> list[dict[str, Any]]:
    """The functions under test in which most of what happened in a run did."""
    counts: Counter[Function] = Counter()
    for step in run.steps:
        if step.frame in run.by_frame:
            counts[run.by_frame[step.frame].function] += 1 + len(step.parts) + len(step.changes)
    share = _HOT * counts.total()
    hot = [function for function, count in counts.items() if function.side == "code" and count >= share]
    return [{"path": f.segment.path, "name": f.name, "line": f.line, "segment": asdict(f.segment)} for f in hot]


def _kept(trace: Trace, recording: Recording, failure: Failure | None) -> dict[str, Any]:
    """The recording as data."""
    segments = [asdict(segment) for segment in recording.layout.segments]
    return {"recording": {"trace": trace.to_wire(), "segments": segments}}


def prepare(session: pytest.Session) -> None:
    """Find out beforehand what each explanation needs: whose the files are that are loaded, which the project keeps."""
    project_of(session).loaded()


@functools.lru_cache(maxsize=1)
def project_of(session: pytest.Session) -> Project:
    """The project that a session tests: its root, the folder it was started in, and the project's that holds that."""
    config = session.config
    start = Path(str(config.invocation_params.dir))
    above = next((p for p in (start, *start.parents) if any((p / mark).exists() for mark in _MARKS)), start)
    folders = [str(config.rootpath), str(start), str(above)]
    tests = {str(item.path) for item in session.items if isinstance(item, pytest.Function)}
    return Project([folder for folder in folders if folder != os.path.sep], tests)

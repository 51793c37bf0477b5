"""A failing test run again, twice, each time in a copy of the process that is made for it and ends with it.

The first run is plain: it says whether the test fails again (one that does not is flaky), how, and which functions of
the user's it calls. In the second those functions are recorded. The process that is copied is the one that
`semcoder.debugging.reserve` keeps, in which no test has run.

Guarantees: no test is run or recorded in the session's own process; a copy that does not end in time is killed, with
what it started; a recording ends when it has taken its share of time, whatever the test does.
It does not undo what a test does outside its process (files, servers): it is run two more times.
"""

from __future__ import annotations

import contextlib
import doctest
import json
import os
import signal
import sys
import threading
import time
import traceback
import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import pytest
from _pytest.runner import runtestprotocol

from semcoder.core import Encoder, Outcome, decode
from semcoder.core.calling import raised
from semcoder.debugging.projects import Calls, CodeKey, Project, Recording, Spot
from semcoder.debugging.reserve import flush, receive, send, silence
from semcoder.tracing import Trace

#: Seconds that a run again may take: as often the test's own time, and beside that.
PATIENCE, GRACE = 10.0, 20.0
#: Seconds that a recording may take: as often the test's own time, and at least.
SHARE, LEAST = 3.0, 1.0
#: Events of a recording, and calls of functions in it: those called most often are left out beyond that.
MAX_EVENTS, MAX_CALLS = 30_000, 5_000
_POLL = 0.05


@dataclass(frozen=True, slots=True)
class Failure:
    """How a test failed: the exception, the way it took through the user's code, outermost first, and in which phase.

    `example`: of a docstring, that failed: its place, what it says, what came of it, what it promises.

    `raised_inside`: whether code of the project's was the innermost of all, or called what raised, rather than a test.
    """

    type: str
    message: str
    spots: tuple[Spot, ...]
    phase: str = "call"
    example: tuple[str, str, str, str] | None = None

    @property
    def raised_inside(self) -> bool:
        return bool(self.spots) and self.spots[-1].side == "code"


@dataclass(frozen=True, slots=True)
class Look:
    """A plain run: how it failed (None: it passed), functions of the user's with the number of their calls, seconds."""

    failure: Failure | None
    calls: dict[CodeKey, int]
    seconds: float


class RunFailed(Exception):
    """A run again brought nothing; the message says why, for the user."""


def look(item: pytest.Item, project: Project, seconds: float) -> Look:
    """Run a test once more, plainly. `seconds`: the time that it may take. Raises `RunFailed`."""

    def run() -> dict[str, Any]:
        project.forget()
        calls, watch = Calls(project), _Watch(project)
        watch.around = lambda: sys.settrace(calls), lambda: sys.settrace(None)
        start = time.perf_counter()
        _protocol(item, watch)
        failure = None if watch.failure is None else asdict(watch.failure)
        return {
            "failure": failure,
            "calls": [[*key, n] for key, n in calls.counts().items()],
            "seconds": time.perf_counter() - start,
        }

    found = _forked(run, seconds)
    calls = {(name, line, function): count for name, line, function, count in found["calls"]}
    return Look(_failure(found["failure"]), calls, found["seconds"])


def passes(item: pytest.Item, project: Project, prepare: Callable[[], None], seconds: float) -> bool:
    """Whether a test passes, with its set-up and its teardown, in a copy in which `prepare` was called.

    Raises `RunFailed` where it did not end within `seconds`, or ended its process.
    """

    def run() -> dict[str, Any]:
        prepare()
        project.forget()
        watch = _Watch(project)
        reports = _protocol(item, watch)
        return {"passes": watch.failure is None and all(report.passed for report in reports)}

    return bool(_forked(run, seconds)["passes"])


def _failure(document: dict[str, Any] | None) -> Failure | None:
    if document is None:
        return None
    example = document["example"] and tuple(document["example"])
    return Failure(**{**document, "spots": tuple(Spot(**s) for s in document["spots"]), "example": example})


def recorded(
    item: pytest.Item,
    project: Project,
    seen: Look,
    own: float,
    seconds: float,
    use: Callable[[Trace, Recording, Failure | None], dict[str, Any]],
    *,
    code_alone: bool = False,
    without: Sequence[CodeKey] = (),
) -> dict[str, Any] | None:
    """Run a test once more, recorded, and give what `use` makes of the recording.

    None where it passed, though it had failed when it was looked at. `use` is called in the copy. `own`: the seconds
    that the test takes by itself; `code_alone`: tests are not recorded, and the text holds whole modules, so that two
    versions can be compared; `without`: functions that are not recorded. Raises `RunFailed`.
    """

    def run() -> dict[str, Any]:
        keys = [key for key in _worth(seen) if key not in without]
        keys = [key for key in keys if not code_alone or project.side(key[0]) == "code"]
        recording = Recording(project, keys, events=MAX_EVENTS, whole=code_alone)
        recording.swap()
        project.forget()
        recording.begin()
        watch = _Watch(project)
        watch.around = recording.start, recording.stop
        over = threading.Lock()

        def told() -> dict[str, Any]:
            outcome = decode(Outcome, json.loads(json.dumps(watch.outcome or _known(seen.failure))))
            return use(recording.trace(item.nodeid, outcome), recording, seen.failure)

        def hurry() -> None:
            """Tell of what there is when the time for it is over: this thread ends the process."""
            deadline = time.monotonic() + max(LEAST, SHARE * own)
            while time.monotonic() < deadline and not recording.recorder.truncated:
                time.sleep(_POLL)
            if over.acquire(blocking=False):
                recording.stop(for_good=True)
                _reply(told)

        threading.Thread(target=hurry, daemon=True).start()
        _protocol(item, watch)
        if not over.acquire(blocking=False):
            time.sleep(seconds)  # the other thread is about to end the process
        return {} if seen.failure is not None and watch.failure is None else told()

    return _forked(run, seconds) or None


def _known(failed: Failure | None) -> dict[str, Any]:
    if failed is None:
        return {"status": "returned", "value": {"ref": None, "nodes": []}}
    return {"status": "raised", "exception": {"type": failed.type, "message": failed.message}}


def _worth(seen: Look) -> list[CodeKey]:
    """The functions to record: all, unless there are too many calls; those that the exception came through always."""
    spots = () if seen.failure is None else seen.failure.spots
    on_way = {(spot.function.rpartition(".")[2], spot.file) for spot in spots}
    kept, total = [], 0
    for key, count in sorted(seen.calls.items(), key=lambda found: found[1]):
        total += count
        if total <= MAX_CALLS or (key[2].rpartition(".")[2], key[0]) in on_way:
            kept.append(key)
    return kept


class _Watch:
    """A plugin for one run of a test: what is around set-up and call, and how the first phase that failed did."""

    def __init__(self, project: Project) -> None:
        self.failure: Failure | None = None
        self.outcome: dict[str, Any] | None = None
        self.around: tuple[Callable[[], object], Callable[[], object]] = (lambda: None), (lambda: None)
        self._project = project

    @pytest.hookimpl(hookwrapper=True, trylast=True)
    def pytest_runtest_setup(self) -> Any:
        self.around[0]()
        yield
        self.around[1]()

    @pytest.hookimpl(hookwrapper=True, trylast=True)
    def pytest_runtest_call(self) -> Any:
        self.around[0]()
        yield
        self.around[1]()

    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_runtest_makereport(self, call: pytest.CallInfo[None]) -> Any:
        made = yield
        report = made.get_result()
        if report.failed and self.failure is None and call.when != "teardown" and call.excinfo is not None:
            error = call.excinfo.value
            self.outcome = {"status": "raised", "exception": raised(error, Encoder())}
            message = str(self.outcome["exception"]["message"])
            spots = tuple(_spots(error, self._project))
            example = _example(error, self._project)
            self.failure = Failure(type(error).__name__, message, spots, str(call.when), example)
            self.around[1]()  # of a test with parts that fail on their own, the rest does not matter
            self.around = (lambda: None), (lambda: None)


def _example(error: BaseException, project: Project) -> tuple[str, str, str, str] | None:
    """Of an example in a docstring: its place, its text, what came and what should have come."""
    failures = getattr(error, "failures", None)
    first = failures[0] if failures else error
    if not isinstance(first, doctest.DocTestFailure):
        return None
    line = (first.test.lineno or 0) + first.example.lineno + 1
    place = f"{project.shown(first.test.filename or '')}:{line}"
    return place, first.example.source.strip(), first.got, first.example.want


def _spots(error: BaseException, project: Project) -> Iterable[Spot]:
    """The user's functions that an exception came through, outermost first."""
    trail = error.__traceback__
    while trail is not None:
        code = trail.tb_frame.f_code
        side = project.side(code.co_filename)
        if side:
            yield Spot(code.co_filename, trail.tb_lineno, code.co_qualname, side)
        trail = trail.tb_next


def _protocol(item: pytest.Item, watch: _Watch) -> list[pytest.TestReport]:
    """Set-up, call and teardown of a test, reported to the caller alone."""
    manager = item.config.pluginmanager
    capture = manager.getplugin("capturemanager")
    if capture is not None:  # its files are the session's, too
        with contextlib.suppress(Exception):
            capture.stop_global_capturing()
            silence()
            capture.start_global_capturing()
    for name in ("pdbinvoke", "debugging", "faulthandler"):
        if manager.hasplugin(name):
            manager.unregister(name=name)
    manager.register(watch)
    return runtestprotocol(item, log=False, nextitem=None)


def _reply(made: Callable[[], dict[str, Any]]) -> None:
    """Send what a copy was made for, and end it."""
    try:
        document: dict[str, Any] = {"made": made()}
    except RunFailed as error:
        document = {"failed": str(error)}
    except BaseException as error:
        document = {"failed": f"{type(error).__name__}: {error}"}
        if os.environ.get("SEMCODER_DEBUG"):
            document = {"failed": traceback.format_exc()}
    with contextlib.suppress(OSError):
        send(_reply_to, document)
    os._exit(0)


_reply_to = -1


def _forked(run: Callable[[], dict[str, Any]], seconds: float) -> dict[str, Any]:
    """What `run` gives in a copy of this process. Raises `RunFailed`."""
    reading, writing = os.pipe()
    flush()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        process = os.fork()
    if process == 0:
        global _reply_to
        _reply_to = writing
        os.close(reading)
        _reply(lambda: _apart(run))
    os.close(writing)
    try:
        document = receive(reading, seconds)
    except TimeoutError:
        raise RunFailed(f"it did not end within {seconds:.0f} seconds when it was run again") from None
    except EOFError:
        raise RunFailed("it ended its process when it was run again") from None
    finally:
        os.close(reading)
        for kill in (os.killpg, os.kill):
            with contextlib.suppress(OSError):
                kill(process, signal.SIGKILL)
        os.waitpid(process, 0)
    if "failed" in document:
        raise RunFailed(document["failed"])
    made: dict[str, Any] = document["made"]
    return made


def _apart(run: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Run in a process group of its own, without the session's streams, tracing and captured output."""
    os.setpgid(0, 0)
    sys.settrace(None)
    threading.settrace(None)
    silence()
    return run()

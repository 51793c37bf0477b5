"""Assert-style tests of many programs: processes that run trusted tests, each with a sandbox for the candidates.

    host --(channel)--> checker: runs the tests' text --(session)--> candidate's process

A benchmark's own tests are trusted and share a long-lived checker. Tests that are not (a model wrote them) run in a
sandboxed process of their own, and the checker only carries questions and answers between the two.

Guarantees: one `Score` per check, whatever tests and candidates do: `passed` is True only if the tests ran to their
end, False where they did not hold or the candidate broke a limit, None where they could not be judged (they do not
parse, or they themselves ran out of time). Checks are taken and results given as they come, in bounded memory.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any, NoReturn

from semcoder.core import Score
from semcoder.errors import SandboxError, SandboxRefused, SemcoderError, UsageError
from semcoder.sandbox import answers, asserts
from semcoder.sandbox.host import Sandbox, Session
from semcoder.sandbox.jobs import MIB, Job, Limits, frame
from semcoder.sandbox.programs import DEFAULT_LIMITS
from semcoder.sandbox.warm import boot_arguments, last_words

#: Processor time of the tests themselves, for all of a check.
TEST_CPU_S = 20.0
#: What one check may take in all: seconds by the clock, answers, bytes of answers.
CHECK_WALL_S = 120.0
MAX_ANSWERS = 100_000
#: A checker that says nothing for so long hangs in something that no signal interrupts.
SILENCE_S = 2 * (CHECK_WALL_S + TEST_CPU_S)
MAX_RECEIVED = 64 * MIB


@dataclass(frozen=True, slots=True)
class Check:
    """A program, and tests in which its `entry` is called. `context` is code that the tests rely on.

    `limits` hold for each call that the tests make. `trusted`: the tests are a benchmark's own.
    """

    source: str
    tests: str
    entry: str
    context: str = ""
    limits: Limits = DEFAULT_LIMITS
    trusted: bool = True


def judge(box: Sandbox, check: Check) -> Score:
    """The score of one check. Its tests, if trusted, run here: in a process that is there for it, in its main thread.

    Raises as `Sandbox.execute`.
    """
    job = Job(answers.TASK, {"source": check.source}, (), check.limits)
    runs = (_run_ahead, _run_along) if check.trusted else (partial(_run_apart, box),)
    for run in runs:
        with contextlib.suppress(asserts.Diverged), box.session(job) as session:
            candidate = _Candidate(session)
            with _Deadline() as deadline:
                found = run(candidate, check)
            if not deadline.passed:
                return Score(found.passed, found.reason)
            # The same tests end with other programs: if this one was asked anything, it is what they hang on.
            return Score(False if candidate.answered else None, "timeout: the tests came to no end")
    raise AssertionError("tests that ask one by one ask nothing unforeseen")


class _Candidate:
    """The candidate's session as a check sees it: bounded in all that it may cost the side of the tests."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._until = time.monotonic() + CHECK_WALL_S
        self.answered = 0

    def send(self, questions: Sequence[list[Any]]) -> None:
        self._session.send(questions)

    def answer(self) -> dict[str, Any]:
        """The next answer. Raises `CandidateGone` past a bound, `SandboxError`."""
        reply = self._session.reply()
        self.answered += 1
        if self.answered > MAX_ANSWERS:
            raise asserts.CandidateGone(f"output_limit: the tests asked more than {MAX_ANSWERS} times")
        if self._session.received > MAX_RECEIVED:
            raise asserts.CandidateGone(f"output_limit: the answers take more than {MAX_RECEIVED} bytes")
        if time.monotonic() > self._until:
            raise asserts.CandidateGone(f"timeout: the tests took more than {CHECK_WALL_S:g} s in all")
        if reply.status == "sandbox_failed":
            raise SandboxError(f"the sandbox could not run a program: {reply.detail}")
        if reply.status == "returned" and isinstance(reply.data, dict):
            return reply.data
        return {"status": reply.status, "detail": reply.detail}

    def ask(self, question: list[Any]) -> dict[str, Any]:
        self._session.send([question])
        return self.answer()


def _run_ahead(candidate: _Candidate, check: Check) -> asserts.Judgement:
    """Run the tests here, on answers to the questions that were foreseen. Raises `Diverged`."""
    foreseen = asserts.foresee(check.tests, check.entry, check.context)
    candidate.send(foreseen)
    return asserts.run_tests(check.tests, check.entry, asserts.in_turn(foreseen, candidate.answer), check.context)


def _run_along(candidate: _Candidate, check: Check) -> asserts.Judgement:
    """Run the tests here, question by question."""
    return asserts.run_tests(check.tests, check.entry, candidate.ask, check.context)


def _run_apart(box: Sandbox, candidate: _Candidate, check: Check) -> asserts.Judgement:
    """Run tests that are not trusted in a process of their own; see `asserts.test_task` for what it says."""
    payload = {"tests": check.tests, "entry": check.entry, "context": check.context}
    with box.session(Job(asserts.TASK, payload, (), check.limits)) as tests:
        reply = tests.ask(None)
        while reply.status == "returned" and isinstance(reply.data, dict):
            question = reply.data.get("ask")
            if question is None:
                passed, reason = reply.data.get("passed"), reply.data.get("reason")
                if (passed is None or isinstance(passed, bool)) and isinstance(reason, str):
                    return asserts.Judgement(passed, reason[:1000])
                break
            if not _well_formed(question):
                break
            try:
                reply = tests.ask(candidate.ask(question))
            except asserts.CandidateGone as gone:
                return asserts.Judgement(False, str(gone))
    reason = reply.detail or "their process sent something that is no result"
    return asserts.Judgement(None, f"the tests: {reason}")


def _well_formed(question: Any) -> bool:
    if not isinstance(question, list) or len(question) != 3 or not all(type(part) is str for part in question[::2]):
        return False
    return question[0] in answers.OPERATIONS and type(question[1]) in (str, int)


class _Deadline:
    """Stops tests that run on by themselves; the candidate's time is the sandbox's to judge.

    It goes on raising, in case they catch it. `passed` says whether it ever did.
    """

    def __init__(self) -> None:
        self.passed = False

    def _expired(self, signum: int, frame: Any) -> NoReturn:
        self.passed = True
        raise TimeoutError("the tests used too much processor time")

    def __enter__(self) -> _Deadline:
        self._before = signal.signal(signal.SIGPROF, self._expired)
        signal.setitimer(signal.ITIMER_PROF, TEST_CPU_S, 1.0)
        return self

    def __exit__(self, *_: object) -> None:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, self._before)


# The pool -----------------------------------------------------------------------------------------------------------


class _Checker:
    """A checker process as the host sees it: checks go in, scores come out in the same order."""

    def __init__(self, settings: dict[str, Any]) -> None:
        self.sock, theirs = socket.socketpair()
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115
        self.spoke = time.monotonic()
        self.at_work: list[tuple[int, bytes]] = []
        self.started = False
        self._received = bytearray()
        with theirs:
            self.process = subprocess.Popen(
                [sys.executable, *boot_arguments(__name__, {**settings, "channel": theirs.fileno()})],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=self._errors,
                pass_fds=(theirs.fileno(),),
                env={**os.environ, "PYTHONHASHSEED": "0"},
                start_new_session=True,  # a terminal's Ctrl-C is for the host
            )

    def send(self, place: int, frame: bytes) -> None:
        if not self.at_work:
            self.spoke = time.monotonic()
        self.at_work.append((place, frame))
        with contextlib.suppress(OSError):  # it died: `receive` says so
            self.sock.sendall(frame)

    def receive(self) -> Iterator[dict[str, Any]]:
        """What has come. Raises EOFError when the process is gone."""
        try:
            data = self.sock.recv(1 << 18)
        except ConnectionError:
            data = b""
        if not data:
            raise EOFError
        self.spoke = time.monotonic()
        self._received += data
        while len(self._received) >= 4:
            size = int.from_bytes(self._received[:4], "big")
            if len(self._received) < 4 + size:
                return
            body = bytes(self._received[4 : 4 + size])
            del self._received[: 4 + size]
            if self.started:
                yield json.loads(body)
            self.started = True  # the first frame says just that

    def close(self) -> str:
        """End the process, and its candidates with it; the last thing that it said on standard error."""
        self.sock.close()
        try:
            self.process.wait(timeout=2.0)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        with self._errors as errors:
            return last_words(errors, self.process)


class Checkers:
    """A pool of checkers, started when first needed; a context manager. For one thread at a time.

    `workers`: how many run at a time (default: one per processor). `preload`, `unsafe`: as for `Sandbox`.
    """

    AHEAD = 2

    def __init__(self, workers: int | None = None, *, preload: tuple[str, ...] = (), unsafe: bool = False) -> None:
        if workers is not None and workers < 1:
            raise UsageError(f"checking needs at least 1 worker, not {workers}")
        self._count = workers or len(os.sched_getaffinity(0))
        self._checkers: list[_Checker] = []
        self._selector = selectors.DefaultSelector()
        self._settings = {"preload": preload, "unsafe": unsafe}

    def __enter__(self) -> Checkers:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def run(self, checks: Iterable[Check]) -> Iterator[tuple[int, Score]]:
        """`(place of the check, its score)` as they finish; checks are taken as checkers become free.

        Closing the generator ends what runs. Raises `SandboxRefused`, `SandboxError`.
        """
        try:
            yield from self._run(enumerate(checks))
        finally:
            if any(checker.at_work for checker in self._checkers):
                self.close()

    def _run(self, checks: Iterator[tuple[int, Check]]) -> Iterator[tuple[int, Score]]:
        more = True
        while True:
            while more and (checker := self._free()) is not None:
                place, check = next(checks, (-1, None))
                if check is None:
                    more = False
                    break
                checker.send(place, frame(asdict(check)))
            if not any(checker.at_work for checker in self._checkers):
                return
            for key, _ in self._selector.select(5.0):
                yield from self._take(key.data)
            for checker in list(self._checkers):
                if checker.at_work and time.monotonic() - checker.spoke > SILENCE_S:
                    yield from self._replace(checker)

    def _free(self) -> _Checker | None:
        """The checker with the least to do; a new one while there are fewer than wanted and all are busy."""
        idle = min(self._checkers, key=lambda checker: len(checker.at_work), default=None)
        if idle is not None and (not idle.at_work or len(self._checkers) == self._count):
            return idle if len(idle.at_work) < self.AHEAD else None
        checker = _Checker(self._settings)
        self._checkers.append(checker)
        self._selector.register(checker.sock, selectors.EVENT_READ, checker)
        return checker

    def _take(self, checker: _Checker) -> Iterator[tuple[int, Score]]:
        try:
            for doc in checker.receive():
                place, _ = checker.at_work.pop(0)
                if "error" in doc:
                    raise (SandboxRefused if doc.get("refused") else SandboxError)(doc["error"])
                yield place, Score(doc["passed"], doc["reason"])
        except EOFError:
            yield from self._replace(checker)

    def _replace(self, checker: _Checker) -> Iterator[tuple[int, Score]]:
        """It died: of the tests that it was running, unless it never said anything at all."""
        self._selector.unregister(checker.sock)
        self._checkers.remove(checker)
        said = checker.close()
        if not checker.started:
            raise SandboxError(f"a test process could not start: {said}")
        (place, _), *rest = checker.at_work or [(-1, b"")]
        if place >= 0:
            yield place, Score(None, f"the tests ended the process that ran them ({said})")
        for place, data in rest:
            successor = min(self._checkers, key=lambda other: len(other.at_work), default=None) or self._free()
            assert successor is not None
            successor.send(place, data)

    def close(self) -> None:
        """End every process of the pool. It starts anew when used again."""
        checkers, self._checkers = self._checkers, []
        for checker in checkers:
            self._selector.unregister(checker.sock)
            checker.close()


def main() -> None:
    """The checker process: the argument is its settings. Ends when the host is gone, whatever it is doing."""
    settings = json.loads(sys.argv.pop())
    channel = socket.socket(fileno=settings["channel"])
    threading.Thread(target=_end_with_host, args=(channel,), daemon=True).start()
    stream = channel.makefile("rwb")

    def send(doc: dict[str, Any]) -> None:
        stream.write(frame(doc))
        stream.flush()

    send({"started": True})
    with Sandbox(workers=2, preload=tuple(settings["preload"]), unsafe=settings["unsafe"]) as box:
        while len(head := stream.read(4)) == 4:
            doc = json.loads(stream.read(int.from_bytes(head, "big")))
            try:
                score = judge(box, Check(**{**doc, "limits": Limits(**doc["limits"])}))
            except SemcoderError as error:
                send({"error": str(error), "refused": isinstance(error, SandboxRefused)})
            else:
                send({"passed": score.passed, "reason": score.reason})


def _end_with_host(channel: socket.socket) -> None:
    watch = select.poll()
    watch.register(channel, select.POLLRDHUP)
    watch.poll()
    os._exit(0)

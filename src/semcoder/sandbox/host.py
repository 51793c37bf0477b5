"""The trusted side: a pool of warm parents that work on jobs.

Guarantees: one `Reply` per item, in order, whatever a program does to its process. No process or descriptor is left
behind by `close`, by an abandoned generator, by Ctrl-C, or by the death of this process; what a finished program left
running ends with its last item.
It does not judge: `jobs` holds the limits and the verdicts.
"""

from __future__ import annotations

import itertools
import logging
import os
import platform
import select
import threading
import time
from collections.abc import Generator, Iterable, Iterator
from typing import Any

from semcoder.errors import SandboxError, SandboxRefused, UsageError
from semcoder.sandbox.jobs import MIB, RUN_TASK, Job, Reply, Run, Verdict
from semcoder.sandbox.policy import PROMISES
from semcoder.sandbox.warm import BOOT_TIMEOUT, WarmParent

log = logging.getLogger(__name__)

#: Each is an interpreter in memory: one per task, hash seed and size of scratch folder in use.
PARENTS_PER_WORKER = 4


class Sandbox:
    """A pool of warm parents, started when first needed; a context manager. Any thread may use it.

    `workers`: how many programs run at a time (default: one per processor). `preload`: modules to import once, in the
    warm parents, before programs use them. `unsafe`: go on, with a warning, where the kernel cannot keep a promise.
    """

    def __init__(self, *, workers: int | None = None, preload: tuple[str, ...] = (), unsafe: bool = False) -> None:
        if workers is not None and workers < 1:
            raise UsageError(f"a sandbox needs at least 1 worker, not {workers}")
        if platform.system() != "Linux":
            raise SandboxRefused(f"the sandbox is the Linux kernel's; {platform.system()} cannot keep its promises")
        self._workers = workers or len(os.sched_getaffinity(0))
        self._preload = tuple(preload)
        self._unsafe = unsafe
        self._lock = threading.Lock()
        self._idle: list[_Worker] = []
        self._owner = os.getpid()
        self._closed = False

    def __enter__(self) -> Sandbox:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def execute(self, job: Job) -> list[Reply]:
        """One reply per item, in order.

        Raises `SandboxRefused`, `SandboxError` (a task or a preload that cannot be imported), `UsageError` (a job that
        is not plain JSON data).
        """
        for _, replies in self.execute_many([job]):
            return replies
        raise AssertionError("a job always has replies")

    def execute_many(self, jobs: Iterable[Job]) -> Generator[tuple[int, list[Reply]], None, None]:
        """`(place of the job, its replies)` as jobs finish; jobs are taken as workers become free.

        Closing the generator stops what runs. Raises as `execute`.
        """
        if self._closed:
            raise UsageError("this sandbox is closed; make a new one")
        workers: list[_Worker] = []
        try:
            yield from _Pump(self, workers, enumerate(jobs)).run()
        finally:
            self.give_back(workers)

    def session(self, job: Job) -> Session:
        """An open conversation with one untrusted process: items one by one, each with its reply (`Session.ask`)."""
        if self._closed:
            raise UsageError("this sandbox is closed; make a new one")
        return Session(self, job)

    def close(self) -> None:
        """End every process of the pool. May be called again."""
        self._closed = True
        with self._lock:
            idle, self._idle = self._idle, []
        for worker in idle:
            worker.close()

    @property
    def workers(self) -> int:
        return self._workers

    def take_worker(self) -> _Worker:
        """An idle worker, or a new one: nested and parallel calls each have their own."""
        with self._lock:
            if self._owner != os.getpid():  # after a fork of this process the parents are the other one's
                self._idle, self._owner = [], os.getpid()
            if self._idle:
                return self._idle.pop()
        return _Worker(self._preload, self._unsafe)

    def give_back(self, workers: list[_Worker], *, settle: bool = True) -> None:
        """Take back workers, which may be in the middle of something if they are to be settled."""
        for worker in workers if settle else ():
            try:
                worker.settle()
            except SandboxError:
                worker.close()
        with self._lock:
            room = 0 if self._closed else self._workers - len(self._idle)
            keep, surplus = workers[: max(room, 0)], workers[max(room, 0) :]
            self._idle.extend(keep)
        for worker in surplus:
            worker.close()


_serials = itertools.count(1)


class _Worker:
    """One place in the pool: it runs one job at a time, on the warm parent that fits the job."""

    def __init__(self, preload: tuple[str, ...], unsafe: bool) -> None:
        self._preload = preload
        self._unsafe = unsafe
        self._parents: dict[tuple[int, str, int], WarmParent] = {}
        self.parent: WarmParent | None = None
        self.run: Run | None = None
        self._verdict: Verdict | None = None
        self._stopping = False

    def begin(self, run: Run) -> None:
        """Raises `SandboxError` and its kin."""
        self.run = run
        self.parent = self._parent_for(run.job)
        if self.parent.ready:
            self.start_child()

    def _parent_for(self, job: Job) -> WarmParent:
        key = (job.hash_seed, job.task, job.limits.scratch)
        parent = self._parents.pop(key, None)
        if parent is None:
            if len(self._parents) >= PARENTS_PER_WORKER:
                self._parents.pop(next(iter(self._parents))).close()
            parent = WarmParent(job.task, self._preload, job.hash_seed, self._unsafe, job.limits.scratch)
        self._parents[key] = parent  # the last one is the most recently used
        return parent

    def start_child(self) -> None:
        assert self.run is not None
        assert self.parent is not None
        self._verdict, self._stopping = None, False
        message, theirs = self.run.open(next(_serials))
        try:
            with theirs:
                self.parent.send(*message, fd=theirs.fileno())
        except SandboxError as error:
            self._replace_parent(error)
            return
        self.run.feed()

    # Events

    def on_control(self) -> None:
        """Raises `SandboxError`, `SandboxRefused`."""
        assert self.parent is not None
        try:
            message = self.parent.receive()
        except SandboxError as error:
            if not self.parent.ready and not (self.run is not None and self.run.retried):
                raise  # it never came up, and none before it died on this item: the preload, most likely
            self._replace_parent(error)
            return
        if not self.parent.ready:
            self.parent.finish_boot(message, self._unsafe)
            self._warn(self.parent)
            if self.run is not None:
                self.start_child()
            return
        run = self.run
        if run is None:
            return
        if message.get("started") == run.serial:
            run.pid = message["pid"]
        elif message.get("failed") == run.serial:
            self._next(Verdict("sandbox_failed", message["detail"]), None)
        elif message.get("ended") == run.serial:
            self._next(self._verdict or run.ended(message), message)

    @staticmethod
    def _warn(parent: WarmParent) -> None:
        for row in parent.layers:
            if row["required"] and not row["active"]:
                log.warning("the sandbox runs WITHOUT this promise: %s (%s)", row["promise"], row["detail"])

    def _next(self, verdict: Verdict, how: dict[str, Any] | None) -> None:
        assert self.run is not None
        self.run.conclude(verdict, how)
        if not self.run.finished:
            self.start_child()

    def _replace_parent(self, error: SandboxError) -> None:
        """The warm parent is gone. Once, that may be the machine's doing; twice on one item, that item gets a reply."""
        assert self.parent is not None
        self._parents = {key: parent for key, parent in self._parents.items() if parent is not self.parent}
        self.parent.close()
        self.parent = None
        run = self.run
        if run is None or run.finished:
            return
        run.close()
        if run.retried:
            run.conclude(Verdict("sandbox_failed", str(error)), None)
        else:
            run.retried = True
        if not run.finished:
            self.begin(run)

    def on_channel(self, readable: bool) -> None:
        run = self.run
        if run is None or run.sock is None or self._stopping:
            return
        if run.sending:
            run.feed()
        if not readable:
            return
        try:
            open_ = run.take()
        except Verdict as verdict:
            self._stop(verdict, 0)
            return
        if not run.finished and not open_:
            self._stop(None, 250)

    @property
    def listening(self) -> bool:
        return self.run is not None and self.run.sock is not None and not self._stopping

    def finish(self) -> Run:
        """Take the finished run off; what its program left running ends now."""
        assert self.run is not None
        run, self.run = self.run, None
        run.close()
        if self.parent is not None:
            try:
                self.parent.send(0, 0)
            except SandboxError as error:
                self._replace_parent(error)
        return run

    def on_clock(self, now: float) -> None:
        """Raises `SandboxError` if a warm parent does not start."""
        run = self.run
        if self.parent is not None and self.parent.boot_expired():
            raise SandboxError(f"a warm parent of the sandbox did not start within {BOOT_TIMEOUT:.0f} s")
        if run is None or run.sock is None or self._stopping or now < run.next_check:
            return
        verdict = run.overdue(now)
        if verdict is not None:
            self._stop(verdict, 0)

    def _stop(self, verdict: Verdict | None, grace: int) -> None:
        assert self.run is not None
        assert self.parent is not None
        self._verdict, self._stopping = verdict, True
        try:
            self.parent.send(self.run.serial, grace)
        except SandboxError as error:
            self._replace_parent(error)

    # Ending

    def settle(self) -> None:
        """End the child and take every message of the parent: the next user finds it idle. Raises `SandboxError`."""
        if self.run is not None:
            self.run.close()
            self.run = None
        parent, self.parent = self.parent, None
        if parent is None:
            return
        if not parent.ready:
            parent.wait_ready(self._unsafe)
        serial = next(_serials)
        parent.send(serial, 0)
        while select.select([parent.control], [], [], 10.0)[0]:
            if parent.receive().get("ended") == serial:
                return
        raise SandboxError("a warm parent of the sandbox does not answer")

    def close(self) -> None:
        if self.run is not None:
            self.run.close()
            self.run = None
        parents, self._parents = self._parents, {}
        for parent in parents.values():
            parent.close()


class _Pump:
    """Keeps workers busy with jobs, and waits for whichever speaks first."""

    def __init__(self, sandbox: Sandbox, workers: list[_Worker], jobs: Iterator[tuple[int, Job]]) -> None:
        self._sandbox = sandbox
        self._workers = workers
        self._jobs: Iterator[tuple[int, Job]] | None = jobs
        self._looked = time.monotonic()

    def run(self) -> Iterator[tuple[int, list[Reply]]]:
        while True:
            self._fill()
            busy = [worker for worker in self._workers if worker.run is not None]
            if not busy:
                return
            self._looked = _wait(busy, self._looked)
            for worker in busy:
                if _finished(worker):
                    run = worker.finish()
                    yield run.place, list(run.replies)

    def _fill(self) -> None:
        """Give each free worker a job, making workers up to the sandbox's number only as there are jobs."""
        while self._jobs is not None:
            worker = next((w for w in self._workers if w.run is None), None)
            if worker is None and len(self._workers) >= self._sandbox.workers:
                return
            upcoming = next(self._jobs, None)
            if upcoming is None:
                self._jobs = None
                return
            if worker is None:
                worker = self._sandbox.take_worker()
                self._workers.append(worker)
            run = Run(*upcoming)
            if run.finished:  # a job without items
                worker.run = run
                continue
            worker.begin(run)


class Session:
    """One job whose items come one by one; a context manager. Not for several threads at a time.

    All items share one process, and so what the program keeps between them. Where an item ends the process, the next
    one starts in a fresh one.
    """

    def __init__(self, sandbox: Sandbox, job: Job) -> None:
        self._sandbox = sandbox
        self._run = Run(0, job, open_ended=True)
        self._worker: _Worker | None = sandbox.take_worker()
        try:
            self._worker.begin(self._run)
            self._looked = time.monotonic()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def ask(self, item: Any) -> Reply:
        """The reply to one item, if no other is on its way. Raises as `Sandbox.execute`."""
        self.send([item])
        return self.reply()

    def send(self, items: Iterable[Any]) -> None:
        """Items that are answered one after the other, without waiting for the replies. Raises as `Sandbox.execute`."""
        worker, run = self._open_worker(), self._run
        if run.finished:
            self._looked = time.monotonic()
        for item in items:
            run.add(item)
        if run.sock is not None:
            run.feed()
        elif worker.parent is not None and worker.parent.ready and not run.finished:
            worker.start_child()

    def reply(self) -> Reply:
        """The next reply, in the order of the items. Raises as `Sandbox.execute`; `UsageError` if none is to come."""
        worker, run = self._open_worker(), self._run
        if run.finished and not run.replies:
            raise UsageError("every item of this session has had its reply")
        while not run.replies:
            self._looked = _wait([worker], self._looked)
        return run.replies.popleft()

    @property
    def received(self) -> int:
        """Bytes of all replies so far."""
        return self._run.received

    @property
    def pid(self) -> int:
        """The process of the last reply; 0 before the first one."""
        return self._run.pid

    def _open_worker(self) -> _Worker:
        if self._worker is None:
            raise UsageError("this session is closed; make a new one")
        return self._worker

    def close(self) -> None:
        """End the process. May be called again."""
        worker, self._worker = self._worker, None
        if worker is not None:
            worker.finish()
            self._sandbox.give_back([worker], settle=not self._run.finished)


def _wait(busy: list[_Worker], looked: float) -> float:
    """Wait for whichever worker speaks first, and act on it; when the host last looked, before and after."""
    if not any(worker.run is not None and worker.run.finished for worker in busy):
        poll = select.poll()
        control: dict[int, _Worker] = {}
        channel: dict[int, _Worker] = {}
        away = time.monotonic() - looked
        away = away if away > 0.05 else 0.0
        wake = time.monotonic() + 1.0
        for worker in busy:
            if worker.parent is not None:
                control[worker.parent.control.fileno()] = worker
                poll.register(worker.parent.control.fileno(), select.POLLIN)
            run = worker.run
            if run is not None and run.sock is not None and worker.listening:
                run.excuse(away)
                wake = min(wake, run.next_check)
                channel[run.sock.fileno()] = worker
                poll.register(run.sock.fileno(), select.POLLIN | (select.POLLOUT if run.sending else 0))
        events = poll.poll(max((wake - time.monotonic()) * 1000, 0))
        now = time.monotonic()  # what is done with one worker's events is not held against another
        if now - wake > 0.05:  # this process was kept from looking
            for worker in busy:
                if worker.run is not None:
                    worker.run.excuse(now - wake)
        # The channel first: a reply that came in time counts even if the child has ended since.
        for fd, event in events:
            if fd in channel:
                channel[fd].on_channel(bool(event & ~select.POLLOUT))
        for fd, _ in events:
            if fd in control and not _finished(control[fd]):
                control[fd].on_control()
        for worker in busy:
            if not _finished(worker):
                worker.on_clock(now)
        return now
    return time.monotonic()


def _finished(worker: _Worker) -> bool:
    return worker.run is not None and worker.run.finished


def report() -> list[dict[str, Any]]:
    """The kernel layers here: `layer`, `active`, `required`, `promise`, `detail`. Raises `SandboxError`.

    The scratch folder is among them, which only jobs that ask for one require.
    """
    parent = WarmParent(RUN_TASK, (), 0, True, scratch=MIB)
    try:
        parent.wait_ready(unsafe=True)
        return [{**row, "required": row["layer"] in PROMISES} for row in parent.layers]
    finally:
        parent.close()

"""One job on its way: what is asked, what is sent and comes back, and the verdict on each item.

Guarantees: a verdict on a program that died, hung or flooded is made from what the kernel says about the process, never
from what the process says. Processor time is the kernel's clock of the process, and wall time is counted less the time
it waited for a processor, so that a busy machine changes no verdict. What comes back is bounded before it is parsed.
It does not hold what a program says about itself to be true: a document is well-formed JSON, no more, and the figures
in `Reply.usage` of a returned item are the child's own.
"""

from __future__ import annotations

import dataclasses
import json
import math
import os
import signal
import socket
import time
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from semcoder.core import Status, Usage
from semcoder.errors import UsageError
from semcoder.sandbox import EXIT_MEMORY

MIB = 1024 * 1024
NO_USAGE = Usage()
#: Bytes of JSON that one job may return in all: they are held here until it is done.
MAX_JOB_RESULTS = 256 * MIB
#: Lists and objects in one document: each takes some 20 times its text, here, in memory.
MAX_CONTAINERS = 4_000_000
_FRAME_SLACK = 64 * 1024
_CHUNK = 1 << 18
_SEND_AHEAD = 1 << 16
#: Seconds between two looks at a child that runs.
CHECK_EVERY = 0.1
#: No limit of the kernel's counts the threads of root's processes; the host counts them whenever it looks.
MAX_THREADS = 256
#: Of a child with many threads, the first so many say how long it waited for a processor.
MAX_QUEUES = 16
#: Of a job whose items come one by one.
MAX_ITEMS = 1 << 40

#: Calls of one program (see `semcoder.sandbox.child.run_task`).
RUN_TASK = "semcoder.sandbox.child:run_task"


@dataclass(frozen=True, slots=True)
class Limits:
    """What one program may use. Seconds are per item, bytes per process but for `stdout` and `result` (per item).

    `wall_s` stops sleepers: wall time less the time spent waiting for a processor. `memory` counts above the preloaded
    baseline. `result` is the JSON of one item's document. `scratch` is what the program may keep in files: 0, the
    default, is no file at all; with more, it starts in an empty folder of its own, `/tmp`, which is gone when it ends.
    """

    cpu_s: float = 5.0
    wall_s: float = 30.0
    memory: int = 256 * MIB
    stdout: int = MIB
    result: int = 64 * MIB
    file_size: int = MIB
    open_files: int = 64
    scratch: int = 0


@dataclass(frozen=True, slots=True)
class Job:
    """Items that share one untrusted process. `task` is `"package.module:factory"` (see `semcoder.sandbox.child`)."""

    task: str
    payload: dict[str, Any]
    items: tuple[Any, ...]
    limits: Limits = Limits()
    hash_seed: int = 0


@dataclass(frozen=True, slots=True)
class Reply:
    """What became of one item. `data` is the task's document if and only if `status` is returned."""

    status: Status
    data: Any = None
    usage: Usage = NO_USAGE
    detail: str = ""


class Verdict(Exception):
    """The child's run is over on the current item; the reply says how."""

    def __init__(self, status: Status, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail


class Run:
    """A job in progress: what was sent, what came back, and the child that works on it."""

    def __init__(self, place: int, job: Job, *, open_ended: bool = False) -> None:
        if min(dataclasses.astuple(job.limits)[:-1]) <= 0 or job.limits.scratch < 0:
            raise UsageError(f"every limit of a sandbox job must be above 0: {job.limits}")
        if not 0 <= job.hash_seed <= 0xFFFFFFFF:
            raise UsageError(f"a hash seed is between 0 and 4294967295, not {job.hash_seed}")
        self.place = place
        self.job = job
        self._waiting = deque(job.items)  # items without a reply, in order; the first `_sent` have gone out
        self._sent = 0
        self._done = 0
        self._open_ended = open_ended
        self.replies: deque[Reply] = deque()
        self.sock: socket.socket | None = None
        self.serial = 0
        self.pid = 0
        self.retried = False
        self._budget = max(MAX_JOB_RESULTS, job.limits.result)
        self._limits = dataclasses.asdict(job.limits)
        self._outgoing = b""
        self._received = bytearray()
        self._spoken = False
        self.received = 0
        self._cpu: float | None = 0.0
        self._wall = 0.0
        self._queue: float | None = None
        self._queued = 0.0
        self.next_check = 0.0

    @property
    def finished(self) -> bool:
        return not self._waiting

    def add(self, item: Any) -> None:
        """One more item of an open-ended job."""
        if not self._waiting and self.sock is not None:  # until now nothing was asked of it
            self._restart_clock(cpu_time(self.pid))
        self._waiting.append(frame(item))
        self._budget = max(MAX_JOB_RESULTS, self.job.limits.result)

    def open(self, serial: int) -> tuple[tuple[int, ...], socket.socket]:
        """Prepare a child for the items that are left: the start message, and the child's end of the channel."""
        first, job = self._done, self.job
        left = MAX_ITEMS if self._open_ended else len(self._waiting)
        header = {
            "task": job.task,
            "payload": job.payload,
            "limits": self._limits,
            "first": first,
            "count": first + left,
        }
        self._outgoing, self._sent = frame(header), 0
        self._received.clear()
        self._spoken = False
        self.serial, self.pid = serial, 0
        self._restart_clock(0.0)
        self._queue = 0.0  # a new process has waited for nothing
        self.sock, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.setblocking(False)
        cpu = min(math.ceil(job.limits.cpu_s * left) + 2, 1 << 30)
        limits = job.limits
        return (serial, cpu, limits.memory, limits.file_size, limits.open_files), theirs

    def close(self) -> None:
        if self.sock is not None:
            self.sock.close()
            self.sock = None

    def _restart_clock(self, cpu: float | None) -> None:
        """`cpu`: what the process has used so far; None where that is not known yet."""
        self._cpu = cpu
        self._wall = time.monotonic()
        self._queue = None  # read when first needed
        self._queued = 0.0
        self.next_check = self._wall + min(self.job.limits.cpu_s / 2, self.job.limits.wall_s / 2, CHECK_EVERY)

    # Sending

    @property
    def sending(self) -> bool:
        return bool(self._outgoing) or self._sent < len(self._waiting)

    def feed(self) -> None:
        """Send as much of the job as the channel takes."""
        assert self.sock is not None
        while self.sending:
            if len(self._outgoing) < _SEND_AHEAD and self._sent < len(self._waiting):
                parts = [self._outgoing]
                size = len(self._outgoing)
                while size < _SEND_AHEAD and self._sent < len(self._waiting):
                    item = self._waiting[self._sent]
                    parts.append(item if isinstance(item, bytes) else frame(item))
                    size += len(parts[-1])
                    self._sent += 1
                self._outgoing = b"".join(parts)
            try:
                sent = self.sock.send(self._outgoing)
            except BlockingIOError:
                return
            except OSError:  # it closed its end: what it said before, and how it ended, comes next
                self._outgoing, self._sent = b"", len(self._waiting)
                return
            self._outgoing = self._outgoing[sent:]

    def excuse(self, away: float) -> None:
        """The host did not look for so many seconds: the child may have waited for it."""
        self._wall += away
        self.next_check += away

    # Receiving

    def take(self) -> bool:
        """Read what there is; False at the end of the channel. Raises `Verdict` where it breaks the protocol."""
        assert self.sock is not None
        try:
            data = self.sock.recv(_CHUNK)
        except BlockingIOError:
            return True
        except ConnectionError:
            return False
        if not data:
            return False
        self._received += data
        while not self.finished:
            body = self._next_frame()
            if body is None:
                break
            self._accept(body)
        return True

    def _next_frame(self) -> bytes | None:
        if len(self._received) < 4:
            return None
        size = int.from_bytes(self._received[:4], "big")
        limit = self.job.limits.result
        if size > limit + _FRAME_SLACK:
            raise Verdict("output_limit", f"the result takes more than {limit} bytes")
        if len(self._received) < 4 + size:
            return None
        body = bytes(self._received[4 : 4 + size])
        del self._received[: 4 + size]
        return body

    def _accept(self, body: bytes) -> None:
        doc = _parse(body)
        if not self._spoken and doc == {"ready": True}:
            self._spoken = True
            return
        self._spoken = True
        if not self._sent:
            raise Verdict("exited", "the process answered what it had not been asked")
        reply = _reply(doc, self._done)
        self._budget -= len(body)
        self.received += len(body)
        if self._budget < 0:
            reply = Reply(
                "output_limit", None, reply.usage, "the results of one job take too much room; use smaller jobs"
            )
        self._answered(reply)
        self._restart_clock(cpu_time(self.pid) if self.pid else None)

    def _answered(self, reply: Reply) -> None:
        self.replies.append(reply)
        self._waiting.popleft()
        self._sent -= 1
        self._done += 1

    # Deadlines and endings

    def overdue(self, now: float) -> Verdict | None:
        """The verdict if a time limit has passed; otherwise sets when to look again."""
        limits = self.job.limits
        used = cpu_time(self.pid)
        self._cpu = used if self._cpu is None else self._cpu
        used -= self._cpu
        if used > limits.cpu_s:
            return Verdict("timeout", f"used more than {limits.cpu_s:g} s of processor time")
        threads = _threads(self.pid)
        if len(threads) > MAX_THREADS:
            return Verdict("exited", f"started more than {MAX_THREADS} threads")
        queue = max([_queue_time(self.pid, thread) for thread in threads[:MAX_QUEUES]], default=0.0)
        if self._queue is None:
            self._queue = queue
        self._queued = max(queue - self._queue, self._queued)  # a thread that ends takes its count with it
        waited = now - self._wall - self._queued
        if waited > limits.wall_s:
            return Verdict("timeout", f"took more than {limits.wall_s:g} s")
        left = min(limits.cpu_s - used, limits.wall_s - max(waited, 0.0))
        self.next_check = now + min(max(left / 2, 0.005), CHECK_EVERY)
        return None

    def ended(self, how: dict[str, Any]) -> Verdict:
        """The verdict on a child that ended, or closed its channel, without a reply to the current item."""
        code = how["code"]
        if how["alive"]:
            return Verdict("exited", "the program closed its result channel")
        if code == EXIT_MEMORY:
            return Verdict("memory", "the program asked for more memory than the limit allows")
        if code >= 0:
            return Verdict("exited", f"the process ended with exit status {code} before the call was over")
        if -code in (signal.SIGXCPU, signal.SIGKILL) and how["cpu_s"] >= self.job.limits.cpu_s:
            return Verdict("timeout", f"used more than {self.job.limits.cpu_s:g} s of processor time")
        if -code == signal.SIGKILL:
            return Verdict("memory", "the kernel killed the process, most likely for memory")
        if -code == signal.SIGXFSZ:
            return Verdict("output_limit", "a file grew over the limit")
        return Verdict("exited", f"the process died of {_signal_name(-code)}{_REASONS.get(-code, '')}")

    def conclude(self, verdict: Verdict, how: dict[str, Any] | None) -> None:
        """Give the current item its verdict; if the job never got past its payload, every item left as well."""
        usage = Usage(how["cpu_s"], time.monotonic() - self._wall, how["memory"]) if how else NO_USAGE
        reply = Reply(verdict.status, None, usage, verdict.detail)
        for _ in range(1 if self._spoken else len(self._waiting)):
            self._answered(reply)
        self.retried = False
        self.close()


def frame(doc: Any) -> bytes:
    """A document as it goes on a channel: four bytes of length, and JSON. Raises `UsageError` for what is no JSON."""
    try:
        body = json.dumps(doc, separators=(",", ":")).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise UsageError(f"a sandbox job must be plain JSON data: {error}") from None
    return len(body).to_bytes(4, "big") + body


def _parse(body: bytes) -> Any:
    """Raises `Verdict`: the text is the untrusted side's."""
    if body.count(b"[") + body.count(b"{") > MAX_CONTAINERS:
        raise Verdict("output_limit", f"the result has more than {MAX_CONTAINERS} parts")
    try:
        return json.loads(body)
    except RecursionError:
        raise Verdict("exited", "the process sent a result that is nested too deep") from None
    except ValueError:
        raise Verdict("exited", "the process sent something that is no result") from None


#: What a child may say of itself. That the sandbox failed is for the host to say.
_CLAIMS: frozenset[Status] = frozenset({"returned", "exited", "invalid", "memory", "output_limit"})


def _reply(doc: Any, expected: int) -> Reply:
    """Raises `Verdict` unless the frame is the reply to the expected item."""
    if not isinstance(doc, dict) or type(doc.get("item")) is not int or doc["item"] != expected:
        raise Verdict("exited", "the process sent something that is no result")
    status, detail, usage = doc.get("status"), doc.get("detail"), doc.get("usage")
    if not isinstance(status, str) or status not in _CLAIMS or not isinstance(detail, str):
        raise Verdict("exited", "the process sent a result with an unknown status")
    data = doc.get("data") if status == "returned" else None
    return Reply(next(s for s in _CLAIMS if s == status), data, _usage(usage), detail[:2000])


def _usage(claim: Any) -> Usage:
    if not isinstance(claim, list) or len(claim) != 3 or not all(type(part) in (int, float) for part in claim):
        return NO_USAGE
    cpu, wall, memory = (0 if math.isnan(part) else min(max(part, 0), 1e15) for part in claim)
    return Usage(float(cpu), float(wall), int(memory))


_REASONS = {
    int(signal.SIGSYS): " (a forbidden system call interface)",
    int(signal.SIGSEGV): " (too deep a recursion, or no memory left for the stack)",
}


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def cpu_time(pid: int) -> float:
    """Seconds that all threads of a process have used; 0 if it is gone. The kernel numbers its clocks so."""
    try:
        return time.clock_gettime(((~pid) << 3) | 2) if pid else 0.0
    except OSError:
        return 0.0


def _threads(pid: int) -> list[str]:
    """Ids of the threads of a process; none if it is gone."""
    try:
        return os.listdir(f"/proc/{pid}/task")
    except OSError:
        return []


def _queue_time(pid: int, thread: str) -> float:
    """Seconds that a thread was ready to run and waited for a processor; 0 where the kernel does not say."""
    try:
        return int(Path(f"/proc/{pid}/task/{thread}/schedstat").read_text().split()[1]) / 1e9
    except (OSError, ValueError, IndexError):
        return 0.0

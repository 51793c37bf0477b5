"""The limits hold whatever the way to pass them, and a busy machine changes no verdict."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from semcoder.core import Invocation, Outcome, Program
from semcoder.sandbox import Limits, Sandbox, outcome_of, program_job, run_program
from semcoder.sandbox.jobs import cpu_time

pytestmark = pytest.mark.skipif(platform.system() != "Linux", reason="the sandbox is the Linux kernel's")
MIB = 1 << 20


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(workers=2) as pool:
        run_program(pool, Program("def f(): pass", "f"), [Invocation("f()")])
        yield pool


def outcome(pool: Sandbox, source: str, limits: Limits) -> Outcome:
    return run_program(pool, Program(textwrap.dedent(source), "f"), [Invocation("f()")], limits)[0]


# Memory ---------------------------------------------------------------------------------------------------------------

HOGS = {
    "small objects": "while True: keep.append(object())",
    "numbers": "keep = range(10**9); keep = list(keep)",
    "texts": "while True: keep.append(str(len(keep)) * 50)",
    "a text that grows": "keep = 'x'\n    while True: keep += keep",
    "one block": "keep = bytearray(220 << 20); keep += bytes(220 << 20)",
    "blocks": "while True: keep.append(bytes(range(256)) * 4096)",
    "a dictionary": "keep = {}\n    while True: keep[len(keep)] = len(keep)",
    "a set": "keep = set()\n    while True: keep.add(len(keep))",
    "closures": "while True: keep.append(lambda x=len(keep): x)",
    "frames": "import sys; sys.setrecursionlimit(10**9)\n    def g(): yield from g()\n    def h(n): return [n] + h(n + 1)\n    h(0)",
    "generators": "while True:\n        keep.append((x for x in keep)); next(keep[-1], 0)",
    "exceptions": "e = None\n    while True:\n        n = ValueError('x' * 100); n.__context__ = e; e = n",
    "mapped memory": "import mmap\n    while True: keep.append(mmap.mmap(-1, 1 << 20)); keep[-1].write(b'x' * (1 << 20))",
    "shared mappings": "import mmap\n    while True: keep.append(mmap.mmap(-1, 1 << 20, flags=1)); keep[-1].write(b'x' * (1 << 20))",
    "the C library": "import ctypes; libc = ctypes.CDLL(None); libc.malloc.restype = ctypes.c_void_p\n    while p := libc.malloc(1 << 20): ctypes.memset(p, 1, 1 << 20)\n    raise MemoryError",
    "small blocks of the C library": "import ctypes; libc = ctypes.CDLL(None); libc.malloc.restype = ctypes.c_void_p\n    while p := libc.malloc(40000): ctypes.memset(p, 1, 40000)\n    raise MemoryError",
    "threads' stacks": "import threading\n    threading.stack_size(16 << 20); stay = threading.Event()\n    def g(n=0): return g(n + 1) if n < 900 else stay.wait()\n    try:\n        while True: threading.Thread(target=g, daemon=True).start()\n    except RuntimeError: raise MemoryError",
    "buffers": "import array\n    while True: keep.append(array.array('d', range(10**5)))",
    "big numbers": "keep = 3\n    while True: keep *= keep",
    "printing to itself": "import io; keep = io.StringIO()\n    while True: keep.write('x' * 10**6)",
    "source": "while True: keep.append(compile('x = 1\\n' * 10**4, '', 'exec'))",
}
#: Ways that end otherwise: a full stack, an OSError of the program's own, a bomb of numbers that takes its time.
OTHERWISE = {
    "frames": {"memory", "exited", "raised"},
    "big numbers": {"memory", "timeout"},
    "source": {"memory", "timeout"},
    "closures": {"memory", "raised"},
    "mapped memory": {"raised"},
    "shared mappings": {"raised"},
}


@pytest.mark.parametrize("hog", HOGS)
def test_memory_above_the_baseline_holds(sandbox: Sandbox, hog: str) -> None:
    """256 MiB, and never more than a tenth above."""
    limits = Limits(memory=256 * MIB, cpu_s=3.0 if hog in ("big numbers", "source") else 20.0)
    found = outcome(sandbox, f"def f():\n    keep = []\n    {HOGS[hog]}", limits)
    assert found.status in OTHERWISE.get(hog, {"memory"}), found
    assert 0 < found.usage.memory <= 256 * MIB * 1.1


def test_memory_is_free_again_for_the_next_call(sandbox: Sandbox) -> None:
    source = "def f(n):\n    x = bytearray(n)\n    return len(x)"
    calls = [Invocation(f"f({n * MIB})") for n in (200, 400, 200, 400, 200)]
    found = run_program(sandbox, Program(source, "f"), calls, Limits(memory=256 * MIB))
    assert [one.status for one in found] == ["returned", "memory", "returned", "memory", "returned"]


def test_the_kernels_tables_count_as_memory(sandbox: Sandbox) -> None:
    """A page far from every other takes two more for the tables that lead to it."""
    source = """
        import ctypes, time
        libc = ctypes.CDLL(None)
        libc.mmap.restype = ctypes.c_void_p
        libc.mmap.argtypes = (ctypes.c_void_p, ctypes.c_size_t, *[ctypes.c_int] * 3, ctypes.c_long)
        def f():
            for n in range(1, 16000):
                page = libc.mmap(n << 30, 4096, 3, 0x22, -1, 0)
                if page in (None, 2**64 - 1): break
                ctypes.memset(page, 1, 1)
            time.sleep(0.3)
    """
    most, done = 0, threading.Event()

    def watch() -> None:
        nonlocal most
        while not done.wait(0.02):
            for path in Path("/proc").glob("[0-9]*/status"):
                try:
                    fields = dict(line.split(":", 1) for line in path.read_text().splitlines())
                    if int(fields["PPid"]) in parents:
                        most = max(most, int(fields["VmPTE"].split()[0]) << 10)
                except (OSError, KeyError):
                    pass

    parents = {int(path.parent.name) for path in Path("/proc").glob("[0-9]*/stat") if parent_of(path) == os.getpid()}
    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        outcome(sandbox, source, Limits(memory=64 * MIB))
    finally:
        done.set()
        watcher.join()
    assert 0 < most < 16 * MIB


def parent_of(stat: Path) -> int:
    try:
        return int(stat.read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0


# Time -------------------------------------------------------------------------------------------------------------------


@contextmanager
def busy_loops(count: int) -> Iterator[None]:
    """Processes that take every processor, each in a session of its own: the kernel may share out by session."""
    spin = [sys.executable, "-S", "-c", "while True: pass"]
    rivals = [subprocess.Popen(spin, start_new_session=True) for _ in range(count)]
    try:
        while any(cpu_time(rival.pid) < 0.03 for rival in rivals):
            threading.Event().wait(0.01)
        yield
    finally:
        for rival in rivals:
            rival.kill()
            rival.wait()


THREADED = """
import threading, time
def work():
    while time.thread_time() < 0.4: pass
def f():
    thread = threading.Thread(target=work)
    begun = time.monotonic()
    thread.start()
    thread.join()
    return time.monotonic() - begun
"""
ALONE = """
import time
def f():
    begun, used = time.monotonic(), time.process_time()
    while time.process_time() - used < 0.4: pass
    return time.monotonic() - begun
"""


def test_a_busy_machine_stops_sleepers_and_no_workers(sandbox: Sandbox) -> None:
    """Beside four loops for each processor, in the very same run."""
    limits = Limits(cpu_s=5.0, wall_s=0.5)
    sleeper = Program("import time\ndef f(): time.sleep(60)", "f")
    looper = Program("def f():\n    while True: pass", "f")
    call = [Invocation("f()")]
    jobs = [
        program_job(Program(ALONE, "f"), call, limits),
        program_job(sleeper, call, limits),
        program_job(looper, call, Limits(cpu_s=0.2, wall_s=60)),
        program_job(Program(ALONE, "f"), call, limits),
    ]
    with busy_loops(4 * len(os.sched_getaffinity(0))):
        found = dict(sandbox.execute_many(jobs))
    slow, asleep, loop, again = (outcome_of(found[place][0]) for place in range(4))
    for one in (slow, again):
        assert one.status == "returned", one
        assert one.value is not None
    assert float(slow.value.to_python()) > 0.5, "the machine was not busy enough to show anything"  # type: ignore[union-attr]
    assert (asleep.status, asleep.detail) == ("timeout", "took more than 0.5 s")
    assert (loop.status, loop.detail) == ("timeout", "used more than 0.2 s of processor time")


def test_waiting_counts_for_whichever_thread_works(sandbox: Sandbox) -> None:
    """The first thread sleeps in `join` while another one waits for a processor."""
    with busy_loops(4 * len(os.sched_getaffinity(0))):
        found = outcome(sandbox, THREADED, Limits(cpu_s=5.0, wall_s=1.0))
    assert found.status == "returned", found
    assert found.usage.wall_s > 1.0, "the machine was not busy enough to show anything"


@pytest.mark.parametrize("limit", [0.05, 0.1, 0.3])
def test_processor_time_is_exact_to_a_fraction_of_a_second(sandbox: Sandbox, limit: float) -> None:
    found = outcome(sandbox, "def f():\n    while True: pass", Limits(cpu_s=limit))
    assert found.status == "timeout"
    assert limit <= found.usage.cpu_s < limit + 0.25


def test_processor_time_of_all_threads_and_of_the_kernel_counts(sandbox: Sandbox) -> None:
    spinning = "import threading\ndef g():\n    while True: pass\ndef f():\n    for _ in range(4): threading.Thread(target=g).start()\n    g()"
    calling = "import os\ndef f():\n    while True: os.stat('/')"
    releasing = "import hashlib, threading\ndef g():\n    while True: hashlib.sha256(bytes(10**6))\ndef f():\n    for _ in range(4): threading.Thread(target=g).start()\n    g()"
    for source in (spinning, calling, releasing):
        found = outcome(sandbox, source, Limits(cpu_s=0.2))
        assert (found.status, found.detail) == ("timeout", "used more than 0.2 s of processor time")


def test_time_limits_hold_where_the_program_changed_its_clocks(sandbox: Sandbox) -> None:
    source = "import time\ntime.monotonic = time.process_time = time.perf_counter = lambda: 0.0\ndef f():\n    while True: pass"
    assert outcome(sandbox, source, Limits(cpu_s=0.1)).status == "timeout"

"""The sandbox's contract with its users: statuses, limits, order, clean ends."""

from __future__ import annotations

import contextlib
import os
import platform
import shutil
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from semcoder.core import Invocation, Outcome, Program, Value
from semcoder.errors import SandboxError, UsageError
from semcoder.sandbox import (
    Job,
    Limits,
    Reply,
    Sandbox,
    jobs,
    outcome_of,
    policy,
    program_job,
    report,
    run_program,
    syscalls,
)
from semcoder.sandbox.jobs import RUN_TASK, cpu_time
from semcoder.sandbox.warm import package_root

pytestmark = pytest.mark.skipif(platform.system() != "Linux", reason="the sandbox is the Linux kernel's")
SRC = package_root()
CALL = ["expr", "f()", ""]


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(workers=2) as pool:
        yield pool


def outcomes(pool: Sandbox, source: str, *calls: str, seed: int = 0, **limits: float) -> list[Outcome]:
    program = Program(textwrap.dedent(source), "f")
    return run_program(pool, program, [Invocation(call) for call in calls], Limits(**limits), seed)  # type: ignore[arg-type]


def statuses(found: list[Outcome]) -> list[str]:
    return [outcome.status for outcome in found]


def own_processes(root: int = os.getpid()) -> set[int]:
    """Every process below one (this one)."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
    found = {root}
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    return found - {root}


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


def gone(pids: list[int], within: float = 3.0) -> bool:
    until = time.monotonic() + within
    while time.monotonic() < until:
        if not any(alive(pid) for pid in pids):
            return True
        time.sleep(0.01)
    return False


def alive(pid: int) -> bool:
    """Whether a process runs; one that is dead and that its new parent has not collected yet does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


# What a program did ---------------------------------------------------------------------------------------------------


def test_returned_raised_and_printed(sandbox: Sandbox) -> None:
    one, two = outcomes(sandbox, "def f(x):\n    print('hi', x)\n    return [x + 1]", "f(1)", "f('a')")
    assert (one.status, one.value, one.stdout) == ("returned", Value.of([2]), "hi 1\n")
    assert two.status == "raised"
    assert two.exception is not None
    assert (two.exception.type, two.stdout) == ("TypeError", "hi a\n")


def test_a_program_that_reads_standard_input(sandbox: Sandbox) -> None:
    program = Program("print(int(input()) * 2)", "")
    (found,) = run_program(sandbox, program, [Invocation("21\n", "stdin")])
    assert (found.status, found.stdout) == ("returned", "42\n")


def test_setup_lines_run_in_the_programs_module(sandbox: Sandbox) -> None:
    (found,) = run_program(sandbox, Program("def f(x): return x * k", "f"), [Invocation("f(y)", setup="k = 3; y = 4")])
    assert found.value == Value.of(12)


def test_what_does_not_parse_is_invalid_for_every_call(sandbox: Sandbox) -> None:
    found = outcomes(sandbox, "def f(x)\n    return x", "f(1)", "f(2)")
    assert statuses(found) == ["invalid", "invalid"]
    assert "line 1" in found[0].detail
    (call,) = outcomes(sandbox, "def f(x): return x", "f(")
    assert call.status == "invalid"


@pytest.mark.parametrize(("how", "code"), [("sys.exit(3)", "3"), ("exit()", "None"), ("raise SystemExit(0)", "0")])
def test_leaving_is_not_returning(sandbox: Sandbox, how: str, code: str) -> None:
    (found,) = outcomes(sandbox, f"import sys\ndef f(): {how}", "f()")
    assert (found.status, found.value, found.detail) == ("exited", None, f"exit status {code}")


def test_each_call_has_a_fresh_module(sandbox: Sandbox) -> None:
    found = outcomes(sandbox, "seen = []\ndef f(x):\n    seen.append(x)\n    return seen", "f(1)", "f(2)")
    assert [outcome.value for outcome in found] == [Value.of([1]), Value.of([2])]


def test_the_library_is_there(sandbox: Sandbox) -> None:
    source = """
        def f():
            import asyncio, dataclasses, datetime, decimal, functools, hashlib, heapq, json, random, re, sqlite3
            import statistics, string, threading, typing, unicodedata, uuid, zlib
            async def one(): return 1
            done = []
            thread = threading.Thread(target=done.append, args=(1,))
            thread.start(); thread.join()
            return asyncio.run(one()), done, hashlib.sha256(b"").hexdigest()[:4], str(decimal.Decimal(1) / 3)[:4]
    """
    (found,) = outcomes(sandbox, source, "f()")
    assert found.value == Value.of((1, [1], "e3b0", "0.33")), found
    assert found.detail == ""


def test_an_uncaught_thread_or_warning_prints_nowhere(sandbox: Sandbox, capfd: pytest.CaptureFixture[str]) -> None:
    source = "import os, sys\ndef f():\n    os.write(1, b'x'); os.write(2, b'x'); sys.__stdout__.write('y'); return 1"
    assert outcomes(sandbox, source, "f()")[0].status == "returned"
    assert capfd.readouterr() == ("", "")


# Limits ----------------------------------------------------------------------------------------------------------------


def test_processor_time(sandbox: Sandbox) -> None:
    start = time.monotonic()
    (found,) = outcomes(sandbox, "def f():\n    while True: pass", "f()", cpu_s=0.2)
    assert (found.status, found.detail) == ("timeout", "used more than 0.2 s of processor time")
    assert 0.2 <= found.usage.cpu_s < 0.5
    assert time.monotonic() - start < 3


def test_processor_time_counts_per_call(sandbox: Sandbox) -> None:
    source = """
        import time
        def f(seconds):
            until = time.process_time() + seconds
            while time.process_time() < until: pass
            return 1
    """
    assert statuses(outcomes(sandbox, source, *["f(0.1)"] * 5, cpu_s=0.25)) == ["returned"] * 5


def test_a_sleeper_is_stopped_and_a_waiting_worker_is_not(sandbox: Sandbox) -> None:
    start = time.monotonic()
    (found,) = outcomes(sandbox, "import time\ndef f(): time.sleep(60)", "f()", wall_s=0.3)
    assert (found.status, found.detail) == ("timeout", "took more than 0.3 s")
    assert time.monotonic() - start < 2


def test_waiting_for_a_processor_is_not_held_against_a_program(sandbox: Sandbox) -> None:
    source = """
        import time
        def f():
            start = time.monotonic()
            while time.process_time() < 0.3: pass
            return time.monotonic() - start
    """
    spin = [sys.executable, "-S", "-c", "while True: pass"]
    # Each in a session of its own: the kernel may share processors out by session rather than by process.
    rivals = [subprocess.Popen(spin, start_new_session=True) for _ in range(4 * len(os.sched_getaffinity(0)))]
    try:
        while any(cpu_time(rival.pid) < 0.03 for rival in rivals):
            time.sleep(0.01)
        (found,) = outcomes(sandbox, source, "f()", cpu_s=2.0, wall_s=0.4)
    finally:
        for rival in rivals:
            rival.kill()
            rival.wait()
    assert found.status == "returned", found
    assert found.value is not None
    assert float(found.value.to_python()) > 0.4, "the machine was not busy enough to show anything"


def test_memory_above_the_baseline(sandbox: Sandbox) -> None:
    mib = 1 << 20
    source = "def f(n):\n    x = b'x' * n\n    return len(x)"
    found = outcomes(sandbox, source, f"f({40 * mib})", f"f({80 * mib})", "f(1)", memory=64 * mib)
    assert statuses(found) == ["returned", "memory", "returned"]
    assert 40 * mib <= found[0].usage.memory <= 64 * mib * 1.1


def test_printed_output(sandbox: Sandbox) -> None:
    found = outcomes(sandbox, "def f(n):\n    print('x' * n)\n    return 1", "f(99)", "f(100)", stdout=100)
    assert statuses(found) == ["returned", "output_limit"]
    source = "def f():\n    while True:\n        try: print('x' * 1000)\n        except BaseException: pass"
    assert statuses(outcomes(sandbox, source, "f()", cpu_s=0.3)) == ["timeout"]


def test_result_size(sandbox: Sandbox) -> None:
    found = outcomes(sandbox, "def f(n): return 'x' * n", "f(1000)", "f(10000)", "f(5)", result=5000)
    assert statuses(found) == ["returned", "output_limit", "returned"]


def test_results_of_one_job_are_bounded_together(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "MAX_JOB_RESULTS", 20_000)
    found = outcomes(sandbox, "def f(n): return 'x' * n", *["f(4500)"] * 6, result=5000)
    assert statuses(found) == ["returned"] * 4 + ["output_limit"] * 2


def test_values_that_unfold_without_end(sandbox: Sandbox) -> None:
    source = "def f(n):\n    x = [0]\n    for _ in range(n): x = [x, x]\n    return x"
    few, many = outcomes(sandbox, source, "f(3)", "f(60)", cpu_s=0.3)
    assert few.value == Value.of([[[[0], [0]], [[0], [0]]], [[[0], [0]], [[0], [0]]]])
    assert (many.status, many.detail) == ("output_limit", "a value unfolds to too much")
    (cycle,) = outcomes(sandbox, "def f():\n    x = [1]\n    x.append(x)\n    return x", "f()")
    assert cycle.value is not None
    assert cycle.value.display() == "[1, [...]]"


def test_open_files(sandbox: Sandbox) -> None:
    source = "import os\ndef f():\n    for n in range(100000): os.pipe()"
    (found,) = outcomes(sandbox, source, "f()")
    assert found.exception is not None
    assert "Too many open files" in found.exception.message


# Order, restarts, concurrency -----------------------------------------------------------------------------------------


SCRATCH = """
import os
def write(): open("left", "w").write("x"); os.makedirs("a/b"); return os.getcwd(), sorted(os.listdir("."))
def look(): return os.listdir(".")
def fill():
    n = 0
    try:
        while True:
            open(f"f{n}", "wb").write(bytes(500_000))
            n += 1
    except OSError as error: return n, error.strerror
def nest():
    n = 0
    try:
        while True:
            os.mkdir("x" * 100); os.chdir("x" * 100)
            n += 1
    except OSError as error: return n
def shut(): os.mkdir("closed", 0); return True
def outside(): open("/etc/semcoder", "w")
def device(): os.mknod("null")
"""


def scratch_folders() -> bool:
    return any(row["layer"] == "scratch" and row["active"] for row in report())


@pytest.mark.skipif(not scratch_folders(), reason="private mounts are not permitted here")
def test_a_scratch_folder_is_empty_bounded_and_gone(sandbox: Sandbox) -> None:
    assert not {"left", "a", "f0", "closed"} & set(os.listdir("/tmp")), "the names that this test looks for"
    limits = Limits(scratch=4 << 20)

    def run(call: str) -> Outcome:
        return run_program(sandbox, Program(SCRATCH, "write"), [Invocation(call)], limits)[0]

    def value(call: str) -> object:
        outcome = run(call)
        assert outcome.value is not None, outcome
        return outcome.value.to_python()

    assert value("write()") == ("/tmp", ["a", "left"])
    assert value("look()") == []
    assert value("fill()") == (8, "No space left on device")
    assert value("look()") == []
    assert 100 < value("nest()") < 300  # type: ignore[operator]
    assert value("shut()") is True  # cannot be removed from inside: the warm parent ends, and the folder with it
    assert value("look()") == []
    assert [run(call).exception.type for call in ("outside()", "device()")] == ["PermissionError"] * 2  # type: ignore[union-attr]
    assert not {"left", "a", "f0", "closed"} & set(os.listdir("/tmp"))
    plain = run_program(sandbox, Program(SCRATCH, "write"), [Invocation("write()")])[0]
    assert plain.exception is not None
    assert plain.exception.type == "PermissionError"


@pytest.mark.skipif(not scratch_folders(), reason="private mounts are not permitted here")
def test_a_folder_that_cannot_be_emptied_is_no_fault_of_the_sandbox(sandbox: Sandbox) -> None:
    source = "import os, sys\ndef f(n):\n    if n: os.mkdir('shut', 0); os._exit(0)\n    return sys.getrecursionlimit()"
    program, limits = Program(source, "f"), Limits(scratch=1 << 20)
    for calls in (["f(1)", "f(1)", "f(0)"], ["f(0)", "f(1)"]):
        found = run_program(sandbox, program, [Invocation(call) for call in calls], limits)
        assert [o.status for o in found] == ["exited" if call == "f(1)" else "returned" for call in calls]
        assert {o.value.ref for o in found if o.value} == {1000}, "what empties the folder leaves nothing behind"


def test_answers_to_what_was_not_asked_end_the_process(sandbox: Sandbox) -> None:
    source = """
import json, os
def send(item):
    body = json.dumps({"item": item, "status": "returned", "detail": "", "usage": [0, 0, 0], "data": {}}).encode()
    os.write(3, len(body).to_bytes(4, "big") + body)
for n in range(290): send(n)
def f(x): return x
"""
    calls = [Invocation(f"f({'x' * 3000!r})") for _ in range(300)]
    found = run_program(sandbox, Program(source, "f"), calls, Limits(cpu_s=0.3, wall_s=1.0))
    assert len(found) == 300
    assert all(outcome.value is None for outcome in found)


def test_time_between_questions_is_nobodys(sandbox: Sandbox) -> None:
    """Neither a slow asker, nor the time that an earlier call took, is held against a call."""
    big = Program("def f(n): return 'x' * n", "f")
    with sandbox.session(Job(RUN_TASK, {"source": big.source}, (), Limits(wall_s=0.5))) as session:
        session.send([Invocation("f(1000000)").parts] * 2)
        assert session.reply().status == "returned"
        time.sleep(1.0)
        assert session.reply().status == "returned"
    busy = "import time\ndef f():\n    end = time.process_time() + 0.35\n    while time.process_time() < end: pass"
    with sandbox.session(Job(RUN_TASK, {"source": busy}, (), Limits(cpu_s=0.5))) as session:
        session.send([Invocation("f()").parts] * 2)
        time.sleep(0.5)
        assert [session.reply().status, session.reply().status] == ["returned", "returned"]


def test_every_call_gets_an_outcome_whatever_the_others_do(sandbox: Sandbox) -> None:
    source = """
        import os
        def f(x):
            if x == 1: os._exit(0)
            while x == 3: pass
            if x == 5: os.abort()
            return x
    """
    found = outcomes(sandbox, source, *[f"f({n})" for n in range(7)], cpu_s=0.2)
    assert statuses(found) == ["returned", "exited", "returned", "timeout", "returned", "exited", "returned"]
    assert [outcome.value.ref for outcome in found if outcome.value] == [0, 2, 4, 6]
    assert found[1].detail == "the process ended with exit status 0 before the call was over"
    assert "SIGABRT" in found[5].detail


def test_jobs_run_beside_each_other_and_stream(sandbox: Sandbox) -> None:
    def jobs() -> Iterator[Job]:
        for seconds in (0.8, 0.05, 0.05, 0.05):
            source = f"import time\ndef f():\n    time.sleep({seconds})\n    return {seconds}"
            yield program_job(Program(source, "f"), [Invocation("f()")])

    assert [place for place, _ in sandbox.execute_many(jobs())] == [1, 2, 3, 0]


def test_jobs_are_taken_only_as_workers_become_free(sandbox: Sandbox) -> None:
    taken = 0

    def jobs() -> Iterator[Job]:
        nonlocal taken
        while True:
            taken += 1
            yield program_job(Program("def f(): return 1", "f"), [Invocation("f()")])

    stream = sandbox.execute_many(jobs())
    for _ in range(10):
        assert next(stream)[1][0].status == "returned"
    stream.close()
    assert taken <= 13


def test_a_sandbox_may_be_used_while_it_streams(sandbox: Sandbox) -> None:
    job = program_job(Program("def f(): return 1", "f"), [Invocation("f()")])
    for _, replies in sandbox.execute_many([job] * 3):
        assert replies[0].status == "returned"
        assert statuses(outcomes(sandbox, "def f(): return 2", "f()")) == ["returned"]


def test_a_slow_reader_makes_no_timeouts(sandbox: Sandbox) -> None:
    job = program_job(Program("def f(): return 'x' * 3_000_000", "f"), [Invocation("f()")] * 2, Limits(wall_s=0.2))
    quick = program_job(Program("def f(): return 1", "f"), [Invocation("f()")])
    stream = sandbox.execute_many([quick, job])
    found = dict([next(stream)])
    time.sleep(0.5)
    found.update(stream)
    assert [reply.status for replies in found.values() for reply in replies] == ["returned"] * 3


def test_a_large_job_streams_through_a_small_channel(sandbox: Sandbox) -> None:
    calls = [f"f({'9' * 1000 + str(n)!r})" for n in range(2000)]
    found = outcomes(sandbox, "def f(x): return x[-4:]", *calls)
    assert [outcome.value.ref for outcome in found if outcome.value] == [
        ("9" * 1000 + str(n))[-4:] for n in range(2000)
    ]


def test_no_calls_no_outcomes(sandbox: Sandbox) -> None:
    assert outcomes(sandbox, "def f(): pass") == []


# Tasks, preloads, seeds ------------------------------------------------------------------------------------------------

TASKS = """
from semcoder.errors import UsageError
import os
def double(payload):
    if payload.get("bad"):
        raise UsageError("this payload is no good")
    if payload.get("die"):
        os._exit(0)
    def call(item, limits):
        if item == "raise":
            raise KeyError("oops")
        return {"twice": item * 2, "stdout": limits["stdout"]}
    return call
"""


@pytest.fixture
def tasks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / "own_tasks.py").write_text(TASKS)
    (tmp_path / "threaded.py").write_text(
        "import threading, time\nthreading.Thread(target=time.sleep, args=(9,)).start()"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    return "own_tasks:double"


def test_a_task_of_ones_own(sandbox: Sandbox, tasks: str) -> None:
    replies = sandbox.execute(Job(tasks, {}, (1, "ab", "raise", 2), Limits(stdout=7)))
    assert [reply.data for reply in replies] == [
        {"twice": 2, "stdout": 7},
        {"twice": "abab", "stdout": 7},
        None,
        {"twice": 4, "stdout": 7},
    ]
    assert (replies[2].status, replies[2].detail) == ("exited", "the task stopped with KeyError: 'oops'")


def test_a_payload_that_fails_decides_for_all_items(sandbox: Sandbox, tasks: str) -> None:
    replies = sandbox.execute(Job(tasks, {"bad": True}, (1, 2)))
    assert {(reply.status, reply.detail) for reply in replies} == {("invalid", "this payload is no good")}
    start = time.monotonic()
    replies = sandbox.execute(Job(tasks, {"die": True}, tuple(range(500))))
    assert {reply.status for reply in replies} == {"exited"}
    assert len(replies) == 500
    assert time.monotonic() - start < 1, "one child, not one per item"


def test_errors_of_the_caller(sandbox: Sandbox, tasks: str) -> None:
    with pytest.raises(SandboxError, match="no task 'treble'"):
        sandbox.execute(Job("own_tasks:treble", {}, (1,)))
    with pytest.raises(SandboxError, match="no_such_module"):
        sandbox.execute(Job("no_such_module:x", {}, (1,)))
    with pytest.raises(UsageError, match="plain JSON"):
        sandbox.execute(Job(tasks, {}, (object(),)))
    with pytest.raises(UsageError, match="limit"):
        sandbox.execute(Job(tasks, {}, (1,), Limits(cpu_s=0)))
    with pytest.raises(UsageError, match="hash seed"):
        sandbox.execute(Job(tasks, {}, (1,), hash_seed=-1))
    assert sandbox.execute(Job(tasks, {}, (1,)))[0].status == "returned"


def test_preloaded_modules_are_warm_and_threads_are_refused(tasks: str) -> None:
    source = "import sys\ndef f(): return 'fractions' in sys.modules"
    with Sandbox(workers=1, preload=("fractions",)) as pool:
        assert outcomes(pool, source, "f()")[0].value == Value.of(True)
    with Sandbox(workers=1, preload=("threaded",)) as pool, pytest.raises(SandboxError, match="threads"):
        outcomes(pool, source, "f()")


def test_numpy_preloads_without_threads() -> None:
    pytest.importorskip("numpy")
    source = "import numpy\ndef f(): return int((numpy.ones((300, 300)) @ numpy.ones((300, 300))).sum())"
    with Sandbox(workers=1, preload=("numpy",)) as pool:
        found = outcomes(pool, source, "f()", "f()")
    assert [outcome.value for outcome in found] == [Value.of(27_000_000)] * 2, found


def test_the_hash_seed_is_the_jobs(sandbox: Sandbox) -> None:
    source = "def f(): return hash('semcoder')"
    first, again, other = (outcomes(sandbox, source, "f()", seed=seed)[0].value for seed in (1, 1, 2))
    assert first == again != other


# What it reached for ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "events"),
    [
        ("open('/etc/hostname')", "open"),
        ("open('/usr/../etc/hostname')", "open"),
        ("import os; os.listdir('/')", "os.listdir"),
        ("import os; os.system('true')", "os.system"),
        ("import socket; socket.create_connection(('127.0.0.1', 1))", "socket.__new__, socket.getaddrinfo"),
        ("import tempfile; tempfile.mkdtemp(dir='/tmp')", "os.mkdir, tempfile.mkdtemp"),
        ("import csv, xml.dom.minidom, json.tool", ""),
        ("pass", ""),
    ],
)
def test_attempts_to_reach_outside_are_named(sandbox: Sandbox, body: str, events: str) -> None:
    source = f"def f():\n    try: {body}\n    except OSError: pass"
    touching, clean = outcomes(sandbox, source + "\ndef g(): pass", "f()", "g()")
    assert touching.status == "returned"
    assert touching.detail == (f"touched: {events}" if events else "")
    assert clean.detail == ""


# Ends -----------------------------------------------------------------------------------------------------------------


def test_close_leaves_nothing() -> None:
    before, files = own_processes(), descriptors()
    pool = Sandbox(workers=2)
    job = program_job(Program("def f(): return 1", "f"), [Invocation("f()")])
    assert len(list(pool.execute_many([job] * 5))) == 5
    started = own_processes() - before
    assert len(started) == 2
    assert not {pid for pid in started if "(zombie)" in Path(f"/proc/{pid}/status").read_text()}
    pool.close()
    pool.close()
    assert own_processes() == before
    assert descriptors() == files
    with pytest.raises(UsageError, match="closed"):
        list(pool.execute_many([job]))


def test_an_abandoned_stream_ends_what_runs(sandbox: Sandbox) -> None:
    hang = program_job(Program("def f():\n    while True: pass", "f"), [Invocation("f()")], Limits(cpu_s=60))
    quick = program_job(Program("def f(): return 1", "f"), [Invocation("f()")])
    list(sandbox.execute_many([quick, quick]))
    before = own_processes()
    stream = sandbox.execute_many([hang, quick])
    assert next(stream)[0] == 1
    stream.close()
    assert own_processes() == before


def test_threads_of_a_finished_program_end_with_it(sandbox: Sandbox) -> None:
    source = """
        import threading
        def spin():
            while True: pass
        def f():
            threading.Thread(target=spin, daemon=True).start()
            return 1
    """
    outcomes(sandbox, "def f(): pass", "f()")
    before = own_processes()
    assert statuses(outcomes(sandbox, source, "f()")) == ["returned"]
    assert own_processes() == before


def warm_parents() -> list[int]:
    """Warm parents below this process: the sandbox's processes that it started itself."""
    found = []
    for pid in own_processes():
        with contextlib.suppress(OSError):
            command = Path(f"/proc/{pid}/cmdline").read_bytes()
            parent = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
            if b"semcoder.sandbox.child" in command and parent == os.getpid():
                found.append(pid)
    return found


def test_warm_parents_that_die_are_replaced(sandbox: Sandbox) -> None:
    source = "import time\ndef f():\n    time.sleep(0.3)\n    return 7"

    def slow_then_kill() -> Iterator[Job]:  # the pool asks for a second job once the first is on its way
        yield program_job(Program(source, "f"), [Invocation("f()")])
        for pid in warm_parents():
            os.kill(pid, signal.SIGKILL)

    assert statuses(outcomes(sandbox, "def f(): return 1", "f()")) == ["returned"]
    for pid in warm_parents():
        os.kill(pid, signal.SIGKILL)
    assert statuses(outcomes(sandbox, "def f(): return 1", "f()")) == ["returned"]
    ((_, replies),) = sandbox.execute_many(slow_then_kill())
    assert replies[0].status == "returned"


def test_a_warm_parent_that_dies_twice_is_the_sandboxs_failure(sandbox: Sandbox) -> None:
    outcomes(sandbox, "def f(): return 1", "f()")
    done = threading.Event()

    def kill_those_at_work() -> None:
        while not done.wait(0.02):
            for pid in warm_parents():
                if own_processes(pid):
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)

    killer = threading.Thread(target=kill_those_at_work)
    killer.start()
    try:
        job = Job("semcoder.sandbox.child:run_task", {"source": "import time\ndef f(): time.sleep(5)"}, (CALL,))
        (reply,) = sandbox.execute(job)
    finally:
        done.set()
        killer.join()
    assert reply.status == "sandbox_failed"
    assert "died" in reply.detail
    assert statuses(outcomes(sandbox, "def f(): return 1", "f()")) == ["returned"]


SCRIPT = """
import os, sys, time
from semcoder.core import Invocation, Program
from semcoder.sandbox import Limits, Sandbox, run_program
source = "import os, time\\ndef f():\\n    while True: pass"
if __name__ == "__main__":
    with Sandbox(workers=1) as pool:
        run_program(pool, Program("def f(): pass", "f"), [Invocation("f()")])
        print("ready", flush=True)
        run_program(pool, Program(source, "f"), [Invocation("f()")], Limits(cpu_s=60))
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_nothing_outlives_the_host(tmp_path: Path, how: signal.Signals) -> None:
    (tmp_path / "script.py").write_text(SCRIPT)
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    host = subprocess.Popen([sys.executable, "script.py"], cwd=tmp_path, **pipes)
    assert host.stdout is not None
    assert host.stdout.readline() == b"ready\n"
    until = time.monotonic() + 3
    while len(family := own_processes(host.pid)) < 2 and time.monotonic() < until:
        time.sleep(0.01)
    assert len(family) == 2, "a warm parent and a child"
    host.send_signal(how)
    host.wait()
    host.stdout.close()
    assert gone(list(family))


# The kernel ------------------------------------------------------------------------------------------------------------


def test_the_report_names_layers_and_promises() -> None:
    rows = {row["layer"]: row for row in report()}
    assert {name for name, row in rows.items() if row["required"]} == {
        "limits",
        "no_new_privs",
        "landlock_files",
        "seccomp",
        "child_filter",
    }
    assert all(row["active"] for row in rows.values() if row["required"])
    assert all(row["promise"] for row in rows.values())


def verdict(code: list[policy.Instruction], arch: int, nr: int, args: tuple[int, ...] = ()) -> int:
    """What a filter program answers, by the rules of classic BPF: so that each machine's filter is tested on every one."""
    words = [nr, arch, 0, 0]
    for arg in (*args, 0, 0, 0, 0, 0, 0)[:6]:
        words += [arg & 0xFFFFFFFF, arg >> 32 & 0xFFFFFFFF]
    place, value = 0, 0
    while True:
        op, yes, no, constant = code[place]
        place += 1
        if op == 0x06:
            return constant
        if op == 0x20:
            value = words[constant // 4]
        elif op == 0x54:
            value &= constant
        else:
            holds = {0x15: value == constant, 0x35: value >= constant, 0x45: bool(value & constant)}[op]
            place += yes if holds else no


ALLOW, EPERM, ENOSYS, KILL = 0x7FFF0000, 0x50001, 0x50026, 0x80000000
PID = 4321
FILTER_CASES: list[tuple[str, tuple[int, ...], int, int]] = [  # call, arguments, in the warm parent, in a child
    ("read", (), ALLOW, ALLOW),
    ("openat", (), ALLOW, ALLOW),
    ("clone", (17,), ALLOW, EPERM),
    ("clone", (0x3D0F00,), ALLOW, ALLOW),  # as the C library makes threads
    ("clone", (0x3D0F00 & ~0x400,), ALLOW, EPERM),  # a table of descriptors of its own
    ("clone", (0x3D0F00 | 0x10000000,), ALLOW, EPERM),  # a namespace of its own
    ("mmap", (0, 4096), ALLOW, ALLOW),
    ("mmap", (0x7F12 << 32 | 5, 4096), ALLOW, ALLOW),
    ("mmap", (0x7F11 << 32, 4096), ALLOW, ALLOW),
    ("mmap", (0x7F13 << 32, 4096), ALLOW, EPERM),
    ("mmap", (0x10000, 4096), ALLOW, EPERM),
    ("mremap", (0, 4096, 8192, 1), ALLOW, ALLOW),
    ("mremap", (0, 4096, 8192, 3), ALLOW, EPERM),
    ("close_range", (3, 9, 0), ALLOW, ALLOW),
    ("close_range", (3, 9, 2), EPERM, ALLOW),
    ("recvfrom", (3, 0, 1, 0), ALLOW, ALLOW),
    ("recvfrom", (3, 0, 1, 1), EPERM, ALLOW),
    ("clone3", (), ENOSYS, ALLOW),
    ("kill", (PID, 6), ALLOW, ALLOW),
    ("kill", (PID, 9), ALLOW, EPERM),
    ("kill", (PID + 1, 6), ALLOW, EPERM),
    ("kill", (0xFFFFFFFF, 9), ALLOW, EPERM),
    ("tgkill", (PID, PID + 1, 6), ALLOW, ALLOW),
    ("tgkill", (PID + 1, PID, 6), ALLOW, EPERM),
    ("fcntl", (3, 1), ALLOW, ALLOW),
    ("fcntl", (3, 8), EPERM, ALLOW),
    ("ioctl", (0, 0x5412), EPERM, ALLOW),
    ("socket", (2, 1), EPERM, ALLOW),
    ("socketpair", (1, 1 | 0x80000), ALLOW, ALLOW),
    ("socketpair", (1, 2), EPERM, ALLOW),
    ("socketpair", (2, 1), EPERM, ALLOW),
    ("sendto", (3, 1, 1, 0, 0, 0), ALLOW, ALLOW),
    ("sendto", (3, 1, 1, 0, 1 << 40, 16), EPERM, ALLOW),
    ("sendmsg", (), ALLOW, EPERM),
    ("seccomp", (), ALLOW, EPERM),
    ("prctl", (policy.PR_SET_NAME,), ALLOW, ALLOW),
    ("prctl", (policy.PR_SET_PDEATHSIG,), ALLOW, EPERM),
    ("prlimit64", (0, 9, 0, 1), ALLOW, ALLOW),
    ("prlimit64", (0, 9, 1 << 40, 0), ALLOW, EPERM),
    ("prlimit64", (0, 3, 1, 0), ALLOW, ALLOW),
    ("prlimit64", (1, 3, 0, 1), ALLOW, EPERM),
    ("execve", (), EPERM, ALLOW),
    ("capset", (), EPERM, ALLOW),
    ("landlock_restrict_self", (), EPERM, ALLOW),
]


@pytest.mark.parametrize("machine", syscalls.ARCHITECTURES)
def test_the_filters_on_every_machine(machine: str) -> None:
    arch = syscalls.ARCHITECTURES[machine][0]
    numbers = [nr for name in syscalls.NUMBERS if (nr := syscalls.number(name, machine)) is not None]
    assert len(set(numbers)) == len(numbers)
    parent, child = policy.parent_filter(machine), policy.child_filter(machine, PID, 0x7F12)
    assert max(len(parent), len(child)) < 4096
    for name, args, in_parent, in_child in FILTER_CASES:
        nr = syscalls.number(name, machine)
        assert nr is not None
        assert (verdict(parent, arch, nr, args), verdict(child, arch, nr, args)) == (in_parent, in_child), (name, args)
    assert verdict(parent, arch, 9999) == EPERM
    assert verdict(parent, arch ^ 1, 0) == KILL
    if machine == "x86_64":
        assert verdict(parent, arch, 0x40000000) == KILL


WITHOUT = """
import errno, logging, platform, sys
from semcoder.sandbox import policy, syscalls
logging.basicConfig(format="%(message)s")
machine = platform.machine()
nr = {"x86_64": 272, "aarch64": 97}[machine] if sys.argv[1] == "unshare" else syscalls.number(sys.argv[1], machine)
policy._no_new_privs()
policy.Filter([(0x20, 0, 0, 0), (0x15, 0, 1, nr), policy._errno(errno.ENOSYS), policy._PERMIT]).install()
from semcoder.core import Invocation, Program
from semcoder.errors import SandboxRefused
from semcoder.sandbox import Limits, Sandbox, report, run_program
limits = Limits(scratch=1 << 20) if sys.argv[2:] else Limits()
for unsafe in (False, True):
    with Sandbox(workers=1, unsafe=unsafe) as pool:
        try:
            print(run_program(pool, Program("def f(): return 1", "f"), [Invocation("f()")], limits)[0].status)
        except SandboxRefused as error:
            print("refused:", error)
report()
"""


@pytest.mark.parametrize(
    ("call", "promise"), [("landlock_create_ruleset", "reads no file"), ("prctl", "gains no privileges")]
)
def test_a_kernel_without_a_layer_is_refused(call: str, promise: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT, call], capture_output=True, text=True, timeout=120, check=False
    )
    refused, _, unsafe = done.stdout.partition("\n")
    assert refused.startswith("refused: this kernel cannot keep a promise"), done
    assert promise in refused
    assert "--unsafe" in refused
    assert unsafe == "returned\n", done
    assert "WITHOUT this promise" in done.stderr


def test_namespaces_are_welcome_and_not_needed() -> None:
    """As in a default container, where `unshare` is refused."""
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT, "unshare"], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.stdout == "returned\nreturned\n", done
    assert done.stderr == ""


def test_without_a_mount_namespace_nothing_is_mounted() -> None:
    """The one layer that could touch the machine itself: it must not be tried where it would."""
    mounts = Path("/proc/mounts").read_text()
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT, "unshare", "scratch"], capture_output=True, text=True, timeout=120, check=False
    )
    refused, _, unsafe = done.stdout.partition("\n")
    assert refused.startswith("refused: this kernel cannot keep a promise: files that a program writes"), done
    assert unsafe == "returned\n", done
    assert Path("/proc/mounts").read_text() == mounts


UNPRIVILEGED = """
import os
from semcoder.core import Invocation, Program
from semcoder.sandbox import Sandbox, report, run_program
source = '''
import os
def f(what):
    try:
        if what == "file": open("/etc/passwd")
        elif what == "fork": os.fork()
        elif what == "kill": os.kill(os.getppid(), 0)
        elif what == "socket": __import__("socket").socket()
    except PermissionError: return "refused"
    return os.getuid()
'''
with Sandbox(workers=1) as pool:
    calls = [Invocation(f"f({what!r})") for what in ("file", "fork", "kill", "socket", "")]
    print([o.value.ref if o.value else o for o in run_program(pool, Program(source, "f"), calls)])
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_an_unprivileged_user_has_the_same_sandbox(tmp_path: Path) -> None:
    nobody = 65534
    interpreter = shutil.which("python3", path="/usr/bin")
    check = (
        f"import sys; sys.path.append({str(SRC)!r}); import semcoder.sandbox.host; assert sys.version_info >= (3, 11)"
    )
    if interpreter is None or subprocess.run([interpreter, "-S", "-c", check], user=nobody, check=False).returncode:
        pytest.skip("no interpreter and package that an unprivileged user may read")
    done = subprocess.run(
        [interpreter, "-c", f"import sys; sys.path.append({str(SRC)!r})\n{UNPRIVILEGED}"],
        user=nobody,
        group=nobody,
        extra_groups=[],
        cwd="/",
        env={"PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.stdout.splitlines()[:1] == [str(["refused"] * 4 + [nobody])], done


def test_replies_that_are_no_outcomes() -> None:
    """What a program can send at worst still makes an outcome, and never one that says more than the program did."""
    chain: list[list[object]] = [["list", n, [n + 1]] for n in range(5000)] + [["list", 5000]]
    doubling: list[list[object]] = [["list", n, [n + 1], [n + 1]] for n in range(100)] + [["list", 100]]
    cases: tuple[object, ...] = (
        None,
        [],
        {},
        {"status": "returned"},
        {"status": "sandbox_failed"},
        {"status": "raised", "value": {"ref": 1, "nodes": []}},
        {"status": "returned", "value": {"ref": ["f", "0x1p99999"], "nodes": []}},
        {"status": "returned", "value": {"ref": ["r", 0, 1, 0], "nodes": []}},
        {"status": "returned", "value": {"ref": [0], "nodes": []}},
        {"status": "returned", "value": {"ref": 1, "nodes": []}, "stdout": 5},
        {"status": "returned", "value": {"ref": [0], "nodes": chain}},
        {"status": "returned", "value": {"ref": [0], "nodes": doubling}},
    )
    for data in cases:
        found = outcome_of(Reply("returned", data))
        assert found.status in ("exited", "output_limit"), data
        assert found.detail

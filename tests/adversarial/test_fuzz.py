"""Random and mutated programs, thousands of them: one reply each, honest ones among them are right, and nothing is left.

Programs come from the generator and a corpus of small ones. They are mutated as bytes, as tokens and as trees, and mixed with
hostile pieces. The seed is fixed: a failure can be run again.
"""

from __future__ import annotations

import ast
import contextlib
import gc
import os
import platform
import random
import re
import time
from collections.abc import Iterator

import pytest

from semcoder.core import Invocation, Program, Value
from semcoder.sandbox import Job, Limits, Sandbox, outcome_of, program_job
from semcoder.seeds.generator import generate
from tests.adversarial.attacking import ANY_END, descriptors, own_processes
from tests.programs import PROGRAMS

pytestmark = pytest.mark.skipif(platform.system() != "Linux", reason="the sandbox is the Linux kernel's")
LIMITS = Limits(cpu_s=0.2, wall_s=0.5, memory=64 << 20, stdout=1 << 16, result=1 << 20)
EVERY = 50
CANARY = Program("def f(n):\n    print(n)\n    return {n: [str(n), n * n]}", "f")

HOSTILE = """
while True: pass
import os; os._exit(0)
import os; os.abort()
import os; os.kill(os.getpid(), 11)
import os; os.kill(os.getppid(), 9)
import os; os.fork()
import os; os.closerange(0, 64)
import os; os.write(3, b'\\0\\0\\0\\2{}')
import os; os.write(3, os.urandom(99))
import os; os.read(3, 4)
import os; os.mkdir('/tmp/fuzz'); open('/dev/shm/fuzz', 'w')
import os; os.dup2(0, 3)
import sys; sys.exit(0)
import sys; sys.setrecursionlimit(10**9); (lambda g: g(g))(lambda g: g(g))
import sys; sys.modules.clear()
import sys; sys.stdout = sys.stdin = sys.stderr = None
import sys; sys.settrace(lambda *a: 1 / 0)
import sys; sys.addaudithook(lambda *a: 1 / 0)
import builtins; vars(builtins).clear()
import json; json.JSONEncoder.encode = json.dumps = None
import gc; [o.clear() for o in gc.get_objects() if type(o) in (dict, list)]
import gc; gc.callbacks.append(lambda *a: 1 / 0)
import signal; signal.setitimer(0, 0.001, 0.001)
import signal; signal.signal(14, lambda *a: 1 / 0); signal.setitimer(0, 0.001, 0.001)
import signal; signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))
import threading, time; threading.Thread(target=time.sleep, args=(9,)).start()
import threading; [threading.Thread(target=print, args=('x' * 99,)).start() for _ in range(20)]
import atexit, os; atexit.register(os.abort)
import socket; socket.socketpair(); socket.create_connection(('127.0.0.1', 1))
import subprocess; subprocess.run('true', shell=True)
import ctypes; ctypes.string_at(0)
import ctypes; ctypes.memset(id(1) + 24, 7, 1)
import time; time.sleep(0.1)
import re; re.match('(a|aa)+$', 'a' * 99 + 'b')
import multiprocessing as m; m.Pool(2)
import weakref; weakref.finalize(int, print, 1)
x = [0] * 10**9
x = []; x = [x, x]; x[0].append(x)
x = bytes(10**8)
x = 10 ** 10 ** 8
print('x' * 10**7)
raise BaseException('\\ud800')
raise type('E' * 1000, (Exception,), {'__str__': lambda s: s})
class X:\\n    def __del__(self): raise SystemExit\\nX()
f = lambda *a, **k: type('R', (), {'__eq__': lambda *a: True, '__class__': int})()
def f(*a, **k): return f
""".strip().splitlines()


def corpus() -> Iterator[tuple[str, str]]:
    """Sources and calls, without end."""
    yield from PROGRAMS.values()
    seed = 0
    while True:
        program, invocations = generate(seed)
        yield program.source, invocations[0].text
        seed += 1


def tokens_mutated(source: str, rng: random.Random) -> str:
    """Tokens dropped, doubled, swapped, or replaced by another of the program's own or by an odd one."""
    parts = re.split(r"(\W)", source)
    for _ in range(rng.randint(1, 6)):
        place, other = rng.randrange(len(parts)), rng.randrange(len(parts))
        match rng.randrange(5):
            case 0:
                parts[place] = ""
            case 1:
                parts[place] *= 2
            case 2:
                parts[place], parts[other] = parts[other], parts[place]
            case 3:
                parts[place] = parts[other]
            case _:
                odd = ("None", "-1", "10**99", "lambda", "*", "yield", "f", "[]", "await", "'\\ud800'", "nonlocal x")
                parts[place] = rng.choice(odd)
    return "".join(parts)


def bytes_mutated(source: str, rng: random.Random) -> str:
    data = bytearray(source.encode())
    for _ in range(rng.randint(1, 8)):
        place = rng.randrange(len(data) + 1)
        match rng.randrange(4):
            case 0:
                data[place : place + rng.randint(1, 20)] = b""
            case 1:
                data[place:place] = rng.randbytes(rng.randint(1, 5))
            case 2:
                data[place:place] = data[: rng.randint(1, 40)]
            case _:
                data[place : place + 1] = bytes([rng.randrange(256)])
    return data.decode(errors=rng.choice(["replace", "surrogateescape", "ignore"]))


class _Graft(ast.NodeTransformer):
    """A few expressions and statements replaced by others of the same program."""

    def __init__(self, source: str, rng: random.Random) -> None:
        donors = list(ast.walk(ast.parse(source)))  # a tree of its own: no graft contains itself
        self._expressions = [n for n in donors if isinstance(n, ast.expr) and not hasattr(n, "ctx")]
        self._statements = [n for n in donors if isinstance(n, ast.stmt)]
        self._rng = rng
        self._left = rng.randint(1, 3)

    def generic_visit(self, node: ast.AST) -> ast.AST:
        if self._left and self._rng.random() < 0.1:
            if isinstance(node, ast.expr) and not hasattr(node, "ctx") and self._expressions:
                self._left -= 1
                return self._rng.choice(self._expressions)
            if isinstance(node, ast.stmt):
                self._left -= 1
                return self._rng.choice(self._statements)
        return super().generic_visit(node)


def tree_mutated(source: str, rng: random.Random) -> str:
    """Raises SyntaxError where the source does not parse."""
    return ast.unparse(_Graft(source, rng).visit(ast.parse(source)))


def spliced(source: str, rng: random.Random) -> str:
    """A hostile piece at the start, at the end, or as the first line of a function."""
    piece = rng.choice(HOSTILE).replace("\\n", "\n")
    match rng.randrange(3):
        case 0:
            return f"{piece}\n{source}"
        case 1:
            return f"{source}\n{piece}"
    head = re.search(r"^( *)def .*:\n", source, re.MULTILINE)
    if head is None or "\n" in piece:
        return f"{piece}\n{source}"
    return f"{source[: head.end()]}{head[1]}    {piece}\n{source[head.end() :]}"


def programs(count: int, seed: int) -> Iterator[tuple[str, str]]:
    rng = random.Random(seed)
    ways = (tokens_mutated, bytes_mutated, tree_mutated, spliced)
    for _, (source, call) in zip(range(count), corpus(), strict=False):
        for _ in range(rng.choice([0, 1, 1, 1, 2])):
            way = rng.choice(ways)
            with contextlib.suppress(SyntaxError, ValueError, RecursionError, AttributeError, TypeError):
                source = way(source, rng) or " "
        yield source, tokens_mutated(call, rng) if rng.random() < 0.1 else call


def jobs(count: int, seed: int) -> Iterator[Job]:
    for place, (source, call) in enumerate(programs(count, seed)):
        if place % EVERY == 0:
            yield program_job(CANARY, [Invocation(f"f({place})")])
        calls = [Invocation(call)] * (1 + place % 3)
        task = "semcoder.tracing.child:trace_task" if place % 7 == 3 else "semcoder.sandbox.child:run_task"
        yield Job(task, {"source": source}, tuple(invocation.parts for invocation in calls), LIMITS)


def files() -> dict[str, list[str]]:
    """What lies where a program might leave something; other processes' own files come and go."""
    return {
        place: sorted(name for name in os.listdir(place) if "fuzz" in name or "semcoder" in name or place != "/tmp")
        for place in ("/tmp", "/dev/shm", os.getcwd())
        if os.path.isdir(place)
    }


def fuzz(count: int, seed: int) -> str:
    """Runs the programs. Returns what it saw, as text; every promise is asserted."""
    statuses: dict[str, int] = {}
    gc.collect()  # what earlier tests left open is theirs to close, and not during this one
    processes, open_files, left = own_processes(), descriptors(), files()
    start, replies_seen, canaries = time.monotonic(), 0, 0
    with Sandbox(workers=2) as pool:
        places = set()
        for place, replies in pool.execute_many(jobs(count, seed)):
            places.add(place)
            canary, index = place % (EVERY + 1) == 0, place // (EVERY + 1) * EVERY
            if canary:
                outcome = outcome_of(replies[0])
                assert outcome.value == Value.of({index: [str(index), index * index]}), (index, outcome)
                assert outcome.stdout == f"{index}\n"
                canaries += 1
                continue
            number = index + place % (EVERY + 1) - 1
            assert len(replies) == 1 + number % 3
            for reply in replies:
                status = reply.status if number % 7 == 3 else outcome_of(reply).status
                assert status in ANY_END, (number, reply)
                statuses[status] = statuses.get(status, 0) + 1
                replies_seen += 1
        took = time.monotonic() - start
        assert len(places) == count + -(-count // EVERY)
        assert len(own_processes() - processes) <= 2 * 2, "two warm parents for each of two workers, and no child"
    assert own_processes() == processes
    assert descriptors() <= open_files
    assert files() == left
    counts = ", ".join(f"{name} {number}" for name, number in sorted(statuses.items()))
    return (
        f"{count} programs, {replies_seen} calls, {canaries} canaries in {took:.1f} s: {count / took:.0f}/s ({counts})"
    )


def test_a_thousand_programs(capsys: pytest.CaptureFixture[str]) -> None:
    text = fuzz(1_000, seed=1)
    with capsys.disabled():
        print(f"\n{text}")


@pytest.mark.slow
def test_twenty_thousand_programs(capsys: pytest.CaptureFixture[str]) -> None:
    text = fuzz(20_000, seed=2)
    with capsys.disabled():
        print(f"\n{text}")


def test_the_programs_are_the_same_each_time_and_a_mixture() -> None:
    found = list(programs(300, 1))
    assert found == list(programs(300, 1))
    assert len({source for source, _ in found}) > 250
    parsed = 0
    for source, _ in found:
        with contextlib.suppress(SyntaxError, ValueError, MemoryError, RecursionError):
            ast.parse(source)
            parsed += 1
    assert 100 < parsed < 290

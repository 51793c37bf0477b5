"""Attacks that use up what there is: descriptors, disk, threads, output, signals, time in C code, the host's attention."""

from __future__ import annotations

import os
import platform
import textwrap
import threading
import time
from pathlib import Path

import pytest

from semcoder.core import Invocation, Program
from semcoder.sandbox import Limits, Sandbox, outcome_of, program_job, run_program
from tests.adversarial.attacking import ANY_END, HONEST, attack, descriptors, own_processes, refused, returned

pytestmark = pytest.mark.skipif(platform.system() != "Linux", reason="the sandbox is the Linux kernel's")
TIGHT = Limits(cpu_s=0.2, wall_s=0.4)

# Descriptors and kernel buffers -----------------------------------------------------------------------------------------

OPENERS = {
    "pipe": "os.pipe()",
    "copy": "os.dup(0)",
    "file": "os.open('/dev/null', os.O_RDWR)",
    "path": "os.open('/etc', os.O_PATH)",
    "socket pair": "keep.append(socket.socketpair())",
    "poll": "keep.append(select.epoll())",
    "event": "os.eventfd(0)",
    "command": "fcntl.fcntl(0, fcntl.F_DUPFD, 3)",
}


@pytest.mark.parametrize("opener", OPENERS.values(), ids=OPENERS)
def test_a_hundred_thousand_descriptors(sandbox: Sandbox, opener: str) -> None:
    source = f"""
        import errno, fcntl, os, select, socket
        keep = []
        def f():
            for n in range(100_000):
                try: {opener}
                except OSError as error: return n, errno.errorcode[error.errno]
    """
    before = descriptors()
    opened, error = returned(attack(sandbox, source))
    assert error == "EMFILE"
    assert opened <= 64
    assert descriptors() == before


def test_threads_share_the_limit_on_descriptors(sandbox: Sandbox) -> None:
    """A thread that had a table of its own would have a limit of its own: pipes and sockets are the kernel's memory."""
    source = """
        import ctypes, os, threading
        unshare = 2
        def f():
            counts, opened, over = [], threading.Barrier(5), threading.Event()
            def work():
                ctypes.CDLL(None).close_range(1000, 2000, unshare)
                count = 0
                try:
                    while True: count += len(os.pipe())
                except OSError: pass
                counts.append(count)
                opened.wait()
                over.wait()
            for _ in range(4): threading.Thread(target=work, daemon=True).start()
            opened.wait()
            over.set()
            return sum(counts)
    """
    assert returned(attack(sandbox, source)) <= 64


def test_full_buffers_of_pipes_and_sockets_stay_small(sandbox: Sandbox) -> None:
    source = """
        import os, socket
        def fill(fd):
            os.set_blocking(fd, False)
            size = 0
            try:
                while True: size += os.write(fd, bytes(65536))
            except BlockingIOError: return size
        def f(kind):
            total, keep = 0, []
            try:
                while True:
                    if kind == "pipe": total += fill(os.pipe()[1])
                    else:
                        keep.append(socket.socketpair())
                        total += sum(fill(end.fileno()) for end in keep[-1])
            except OSError: return total
    """
    for kind in ("pipe", "socket"):
        assert returned(attack(sandbox, source, call=f"f({kind!r})")) < 256 * 2**20 // 10


def test_queued_signals_are_its_own_and_few(sandbox: Sandbox) -> None:
    """Signals that wait are counted for the user: a program must not use up what the host's own timers need."""
    source = """
        import os, signal, time
        def f():
            signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))
            for _ in range(20_000): os.kill(os.getpid(), 40)
            time.sleep(0.3)
            return len(signal.sigpending())
    """
    most, done = 0, threading.Event()

    def watch() -> None:
        nonlocal most
        while not done.wait(0.01):
            text = Path("/proc/self/status").read_text()
            most = max(most, int(text.partition("SigQ:")[2].split("/")[0]))

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        assert returned(attack(sandbox, source)) == 1
    finally:
        done.set()
        watcher.join()
    assert most < 2_000


# Disk ---------------------------------------------------------------------------------------------------------------


def test_no_place_takes_a_file(sandbox: Sandbox, tmp_path: Path) -> None:
    """Every mount, and every folder where files usually go: by name, without a name, as a folder, as a pipe."""
    mounts = [
        line.split()[1].encode().decode("unicode_escape") for line in Path("/proc/mounts").read_text().splitlines()
    ]
    usual = ["/tmp", "/var/tmp", "/dev/shm", "/run", "/dev/mqueue", "/run/lock", "/var/lock", "/", str(tmp_path)]
    places = [place for place in {*mounts, *usual, os.getcwd(), str(Path.home())} if os.path.isdir(place)]
    source = """
        import os, tempfile
        def f(places):
            made = []
            for place in places:
                name = os.path.join(place, "semcoder-planted")
                for attempt in (
                    lambda: os.open(name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC),
                    lambda: os.open(name, os.O_RDONLY | os.O_CREAT),
                    lambda: os.open(place, os.O_WRONLY | os.O_TMPFILE),
                    lambda: os.mkdir(name),
                    lambda: os.mkfifo(name),
                    lambda: os.symlink("/etc/passwd", name),
                    lambda: tempfile.mkdtemp(dir=place),
                    lambda: tempfile.TemporaryFile(dir=place),
                ):
                    try: made.append((place, str(attempt())))
                    except OSError: pass
            return made
    """
    assert returned(attack(sandbox, source, call=f"f({places!r})", limits=Limits(cpu_s=3))) == []
    assert not [place for place in places if os.path.lexists(os.path.join(place, "semcoder-planted"))]


@pytest.mark.parametrize(
    "attempt",
    [
        "__import__('multiprocessing.shared_memory').shared_memory.SharedMemory(create=True, size=1 << 20)",
        "__import__('multiprocessing').Lock()",
        "__import__('mmap').mmap(os.open('/dev/shm/x', os.O_CREAT | os.O_RDWR), 1 << 20)",
        "__import__('tempfile').SpooledTemporaryFile(max_size=1).write(b'xx')",
    ],
    ids=["shared memory", "semaphore", "mapped file", "spooled file"],
)
def test_shared_memory_is_closed(sandbox: Sandbox, attempt: str) -> None:
    before = os.listdir("/dev/shm")
    refused(
        sandbox,
        f"import os\ndef attempt():\n    try: return {attempt}\n    except FileNotFoundError as e: raise PermissionError from e",
    )
    assert os.listdir("/dev/shm") == before


def test_the_null_device_holds_nothing(sandbox: Sandbox) -> None:
    source = """
        import os
        def f():
            fd = os.open("/dev/null", os.O_RDWR)
            for _ in range(500): os.write(fd, bytes(1 << 20))
            return os.read(fd, 10)
    """
    assert returned(attack(sandbox, source)) == b""


# Threads ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("daemon", [True, False])
@pytest.mark.parametrize("work", ["while True: pass", "time.sleep(60)", "os.read(3, 1)"])
def test_threads_end_with_the_call(sandbox: Sandbox, daemon: bool, work: str) -> None:
    source = f"""
        import os, threading, time
        def work():
            {work}
        def f():
            for _ in range(5): threading.Thread(target=work, daemon={daemon}).start()
            return 7
    """
    before = own_processes()
    outcome = attack(sandbox, source)
    assert outcome.status in ("returned", "exited"), outcome
    assert outcome.value is None or outcome.value.to_python() == 7
    assert own_processes() == before


def test_a_crowd_of_threads_is_bounded(sandbox: Sandbox) -> None:
    """Each takes a process number and memory of the kernel, which others need; small stacks make room for many."""
    source = """
        import threading
        def f():
            threading.stack_size(32768)
            stay = threading.Event()
            for n in range(3000):
                try: threading.Thread(target=stay.wait, daemon=True).start()
                except RuntimeError: return n
            return 3000
    """
    outcome = attack(sandbox, source, limits=Limits(cpu_s=2.0))
    assert outcome.status != "returned" or returned(outcome) < 2000, outcome


# Time in C code --------------------------------------------------------------------------------------------------------

BLOCKED = "import signal; signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))"
IN_C = {
    "regular expression": "import re; re.match('(a|aa)+$', 'a' * 100 + 'b')",
    "power": "pow(3, 10 ** 8) * pow(7, 10 ** 8)",
    "modular power": "pow(7, 1 << 200_000, (1 << 200_000) - 1)",
    "to text": "import sys; sys.set_int_max_str_digits(0); str(1 << (1 << 25))",
    "from text": "import sys; sys.set_int_max_str_digits(0); int('7' * 3_000_000)",
    "factorial": "import math; math.factorial(10 ** 7)",
    "sort": "sorted(range(10 ** 6), key=__import__('functools').cmp_to_key(lambda a, b: sum(range(10 ** 4))))",
    "consumed iterator": "import collections, itertools; collections.deque(itertools.repeat(0), maxlen=0)",
    "sum": "import itertools; sum(itertools.count())",
    "membership": "import itertools; -1 in itertools.count()",
    "product": "import itertools; any(False for _ in itertools.product(range(99), repeat=99))",
    "search in text": "('a' * 10 ** 6 + 'b').count('a' * 10 ** 5 + 'c') or [('a' * 10 ** 6).find('a' * 5 * 10 ** 5 + 'b') for _ in iter(int, 1)]",
    "hash": "import hashlib; hashlib.pbkdf2_hmac('sha512', b'', b'', 10 ** 9)",
    "decompression": "import zlib; d = zlib.compress(bytes(10 ** 7)); [zlib.decompress(d) for _ in iter(int, 1)]",
    "compilation": "[compile('x = 1\\n' * 10 ** 5, '', 'exec') for _ in iter(int, 1)]",
    "decimal": "import decimal as d; d.getcontext().prec = 10 ** 7; d.Decimal(2) ** d.Decimal('0.5')",
    "fraction": "import fractions; sum(fractions.Fraction(1, n) for n in range(1, 10 ** 9))",
    "collection of cycles": "import gc\n    while True: x = [[] for _ in range(10 ** 5)]; gc.collect()",
    "waiting in C": "import select; select.select([], [], [])",
    "a lock": "import threading; lock = threading.Lock(); lock.acquire(); lock.acquire()",
    "its own descriptor": "import os; os.read(os.pipe()[0], 1)",
    "a busy wait": "import time\n    while True: time.sleep(0)",
}


@pytest.mark.parametrize("body", IN_C.values(), ids=IN_C)
def test_endless_in_c_with_signals_blocked(sandbox: Sandbox, body: str) -> None:
    outcome = attack(sandbox, f"def f():\n    {BLOCKED}\n    {body}", limits=TIGHT)
    assert outcome.status == "timeout", outcome


ENDLESS_ELSEWHERE = {
    "at import": "while True: pass\ndef f(): pass",
    "in the call": "def f(*_): pass",
    "in a decorator": "@lambda f: [0 for _ in iter(int, 1)]\ndef f(): pass",
    "in an exception's text": "class E(Exception):\n    def __str__(self):\n        while True: pass\ndef f(): raise E",
    "in a finalizer": "class D:\n    def __del__(self):\n        while True: pass\ndef f(): D()",
    "in printing": "class P:\n    def __str__(self):\n        while True: pass\ndef f(): print(P())",
    "in a metaclass": "class M(type):\n    def __instancecheck__(c, o):\n        while True: pass\nclass A(metaclass=M): pass\ndef f(): isinstance(1, A)",
    "in an import hook": "import sys\nclass H:\n    def find_spec(self, *a):\n        while True: pass\nsys.meta_path.insert(0, H())\ndef f(): import nothing",
    "in a codec": "import codecs\ndef s(n):\n    while True: pass\ncodecs.register(s)\ndef f(): 'x'.encode('odd')",
    "in a signal's handler": "import signal\ndef h(*_):\n    while True: pass\ndef f():\n    signal.signal(14, h); signal.alarm(1)\n    signal.setitimer(0, 0.01)\n    signal.pause()",
}


@pytest.mark.parametrize("name", ENDLESS_ELSEWHERE)
def test_endless_elsewhere(sandbox: Sandbox, name: str) -> None:
    call = "f([0 for _ in iter(int, 1)])" if name == "in the call" else "f()"
    assert attack(sandbox, ENDLESS_ELSEWHERE[name], call=call, limits=TIGHT).status == "timeout"


def test_a_sleeper_that_reads_no_more_of_its_job_is_stopped(sandbox: Sandbox) -> None:
    """A job larger than the channel: what the host has still to send is no reason to wait for a program that sleeps."""
    program = Program("import time\ndef f(n, x):\n    if n == 0: time.sleep(3)\n    return n", "f")
    calls = [Invocation(f"f({n}, {'9' * 1000!r})") for n in range(1000)]
    found = run_program(sandbox, program, calls, Limits(wall_s=0.2))
    assert [outcome.status for outcome in found] == ["timeout"] + ["returned"] * 999


def test_a_sleeper_that_reads_slowly_is_stopped(sandbox: Sandbox) -> None:
    """Reading the rest of its own job bit by bit buys no time."""
    source = """
        import os, time
        def f(n, x):
            until = time.monotonic() + 3
            while n == 0 and time.monotonic() < until:
                os.read(3, 65536)
                time.sleep(0.05)
    """
    calls = [Invocation(f"f({n}, {'9' * 2000!r})") for n in range(2000)]
    start = time.monotonic()
    found = run_program(sandbox, Program(textwrap.dedent(source), "f"), calls, Limits(wall_s=0.2))
    assert found[0].status == "timeout"
    assert len(found) == 2000
    assert time.monotonic() - start < 60


# Output and results ------------------------------------------------------------------------------------------------------

FLOODS = {
    "one print": "print('x' * 200_000_000)",
    "many prints": "while True: print('x' * 10_000)",
    "tiny prints": "while True: print(end='x')",
    "writelines": "import sys; sys.stdout.writelines('x' * 1000 for _ in range(500_000))",
    "in a thread": "import threading; t = threading.Thread(target=lambda: [print('x' * 10_000) for _ in iter(int, 1)]); t.start(); t.join(); print('x' * 2_000_000)",
}


@pytest.mark.parametrize("flood", FLOODS.values(), ids=FLOODS)
def test_floods_of_output(sandbox: Sandbox, flood: str) -> None:
    outcome = attack(sandbox, f"def f():\n    {flood}", limits=Limits(cpu_s=2.0))
    assert outcome.status in ("output_limit", "memory"), outcome
    assert len(outcome.stdout) <= 1 << 20


@pytest.mark.parametrize("descriptor", [0, 1, 2])
def test_half_a_gigabyte_into_a_standard_stream_goes_nowhere(
    sandbox: Sandbox, descriptor: int, capfd: pytest.CaptureFixture[str]
) -> None:
    outcome = attack(
        sandbox, f"import os\ndef f(): return sum(os.write({descriptor}, bytes(10**7)) for _ in range(50))"
    )
    assert returned(outcome) == 5 * 10**8
    assert capfd.readouterr() == ("", "")


RESULTS = {
    "text": "'x' * 100_000_000",
    "bytes": "bytes(50_000_000)",
    "wide list": "[0] * 10_000_000",
    "many lists": "[[] for _ in range(5_000_000)]",
    "unfolding": "__import__('functools').reduce(lambda x, _: [x, x], range(100), [])",
    "huge number": "1 << 10 ** 9",
    "deep tuple": "__import__('functools').reduce(lambda x, _: (x,), range(200_000), ())",
    "deep dict": "__import__('functools').reduce(lambda x, _: {0: x}, range(200_000), {})",
}


@pytest.mark.parametrize("result", RESULTS.values(), ids=RESULTS)
def test_results_without_measure(sandbox: Sandbox, result: str) -> None:
    outcome = attack(sandbox, f"def f(): return {result}", limits=Limits(cpu_s=3.0))
    assert outcome.status in ("output_limit", "memory", "timeout"), outcome


def test_a_host_that_reads_a_huge_result_holds_it_against_nobody(sandbox: Sandbox) -> None:
    """While the host parses what one program sent, the answer of another waits for it: that is no timeout."""
    source = """
        import os
        def f():
            body = b'{"item":0,"status":"returned","detail":"","usage":[0,0,0],"data":[' + b'"abc",' * 10_000_000 + b'1]}'
            frame = len(body).to_bytes(4, "big") + body
            while frame: frame = frame[os.write(3, frame[:1 << 22]):]
    """
    quick = Program("import time\ndef f():\n    time.sleep(0.05)\n    return 1", "f")
    jobs = [
        program_job(Program(textwrap.dedent(source), "f"), [Invocation("f()")]),
        program_job(quick, [Invocation("f()")] * 20, Limits(wall_s=0.15)),
    ]
    found = dict(sandbox.execute_many(jobs))
    assert outcome_of(found[0][0]).status == "exited"
    assert [reply.status for reply in found[1]] == ["returned"] * 20


# Recursion -----------------------------------------------------------------------------------------------------------

RECURSION = {
    "repr": ("__repr__ = lambda s: repr(s)", "repr(x)"),
    "str": ("__str__ = lambda s: str(s)", "print(x)"),
    "eq": ("__eq__ = lambda s, o: s == o\n    __hash__ = None", "x == x"),
    "hash": ("__hash__ = lambda s: hash(s)", "{x}"),
    "bool": ("__bool__ = lambda s: not not s\n    __len__ = lambda s: bool(s)", "not x"),
    "getattr": ("__getattr__ = lambda s, n: getattr(s, n + 'x')", "x.y"),
    "call": ("__call__ = lambda s: s()", "x()"),
    "iter": ("__iter__ = lambda s: iter(list(s))", "list(x)"),
    "del": ("__del__ = lambda s: type(s)()", "x"),
    "format": ("__format__ = lambda s, f: format(s, f)", "f'{x}'"),
    "add": ("__add__ = lambda s, o: s + o", "x + x"),
    "reduce": ("__reduce__ = lambda s: __import__('copy').copy(s)", "__import__('copy').copy(x)"),
    "subclass": ("__init_subclass__ = classmethod(lambda c: type('B', (c,), {}))", "type('B', (A,), {})"),
    "nested data": ("pass", "repr(__import__('functools').reduce(lambda y, _: [y], range(10 ** 6), []))"),
    "nested source": ("pass", "eval('(' * 10 ** 5 + ')' * 10 ** 5)"),
    "nested operators": ("pass", "eval('-' * 10 ** 6 + '1')"),
    "nested generators": (
        "pass",
        "next(__import__('functools').reduce(lambda g, _: (y for y in g), range(10 ** 6), iter([1])))",
    ),
    "nested exceptions": ("pass", "chain()"),
}


@pytest.mark.parametrize("limit", [10**3, 10**9])
@pytest.mark.parametrize("name", RECURSION)
def test_recursion_without_end(sandbox: Sandbox, name: str, limit: int) -> None:
    method, use = RECURSION[name]
    source = f"""
import sys
sys.setrecursionlimit({limit})
class A:
    {method}
def chain(n=0):
    try: raise ValueError(n)
    except ValueError: chain(n + 1)
def f():
    x = A()
    {use}
"""
    outcome = attack(sandbox, source, limits=TIGHT)
    endless = name in ("del", "subclass", "nested data", "nested generators", "reduce")
    allowed = ("raised", "exited", "timeout", "memory", "invalid", *(("returned",) if endless else ()))
    assert outcome.status in allowed, outcome


# Everything at once ----------------------------------------------------------------------------------------------------


def test_all_at_once_beside_an_honest_crowd(sandbox: Sandbox) -> None:
    bodies = [*list(IN_C.values())[:6], *FLOODS.values(), *RESULTS.values(), "import os; os.abort()"]
    hostile = [
        program_job(
            Program(f"def f():\n    {'return ' if n >= 11 and n < 19 else ''}{body}", "f"), [Invocation("f()")], TIGHT
        )
        for n, body in enumerate(bodies)
    ]
    honest = program_job(HONEST, [Invocation("f(1)")])
    jobs = [job for pair in zip(hostile, [honest] * len(hostile), strict=True) for job in pair]
    found = dict(sandbox.execute_many(jobs))
    assert {outcome_of(found[place][0]).status for place in range(1, len(jobs), 2)} == {"returned"}
    assert {outcome_of(found[place][0]).status for place in range(0, len(jobs), 2)} <= set(ANY_END) - {"returned"}

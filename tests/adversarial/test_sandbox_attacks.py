"""A catalogue of attacks on the sandbox, each a small program: none escapes, hangs, disturbs or speaks for another.

Every attack runs beside an honest program and before others, in the same pool; all of them must come out as they should,
and nothing may be left when the pool closes. Here is a bit of everything; the other modules go deeper, one subject each.
"""

from __future__ import annotations

import json
import os
import platform
import socket
import time
from pathlib import Path

import pytest

from semcoder.core import Invocation, Program, Value
from semcoder.sandbox import Limits, Sandbox, outcome_of, program_job, run_program
from tests.adversarial.attacking import LIMITS, attack, refused, returned

pytestmark = pytest.mark.skipif(platform.system() != "Linux", reason="the sandbox is the Linux kernel's")

# Files -----------------------------------------------------------------------------------------------------------------

FILES = {
    "read": "open(path).read()",
    "write": "open(path + '.new', 'w')",
    "append": "open(path, 'a')",
    "low level": "os.open(path, os.O_RDWR)",
    "truncate": "os.truncate(path, 0)",
    "list": "os.listdir(os.path.dirname(path))",
    "delete": "os.unlink(path)",
    "rename": "os.rename(path, path + '.moved')",
    "link": "os.link(path, path + '.link')",
    "symlink": "os.symlink(path, path + '.symlink')",
    "make a folder": "os.mkdir(path + '.d')",
    "make a pipe": "os.mkfifo(path + '.fifo')",
    "mode": "os.chmod(path, 0o777)",
    "owner": "os.chown(path, 0, 0)",
    "time": "os.utime(path)",
    "attribute": "os.setxattr(path, 'user.x', b'1')",
    "root": "os.chroot(os.path.dirname(path))",
    "memory file": "os.memfd_create('x')",
}


@pytest.mark.parametrize("attempt", FILES.values(), ids=FILES)
def test_files(sandbox: Sandbox, tmp_path: Path, attempt: str) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("do not read")
    before = (secret.stat().st_mode, secret.stat().st_mtime_ns)
    outcome = refused(sandbox, f"import os\ndef attempt(path): return {attempt}", str(secret))
    assert secret.read_text() == "do not read"
    assert (secret.stat().st_mode, secret.stat().st_mtime_ns) == before
    assert os.listdir(tmp_path) == ["secret.txt"]
    assert outcome.detail.startswith("touched: ") or "memfd" in attempt or "chroot" in attempt or "mkfifo" in attempt


@pytest.mark.parametrize(
    "path", ["/proc/self/environ", "/proc/self/maps", "/proc/1/cmdline", "/etc/passwd", "/sys", "/dev"]
)
def test_system_files(sandbox: Sandbox, path: str) -> None:
    refused(sandbox, "import os\ndef attempt(path): return os.open(path, os.O_RDONLY)", path)


@pytest.mark.parametrize("folder", ["home", "project", "interpreter"])
def test_folders_of_the_user(sandbox: Sandbox, folder: str) -> None:
    where = {
        "home": str(Path.home()),
        "project": str(Path(__file__).parent),
        "interpreter": os.path.dirname(os.__file__),
    }
    if folder == "interpreter":
        refused(sandbox, "def attempt(path): return open(path + '/planted.py', 'w')", where[folder])
    else:
        refused(sandbox, "import os\ndef attempt(path): return os.listdir(path)", where[folder])


def test_the_environment_of_the_host(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_TOKEN", "hunter2")
    source = """
        import ctypes, os, sys
        def f():
            names = ctypes.POINTER(ctypes.c_char_p).in_dll(ctypes.CDLL(None), "environ")
            raw = []
            while names[len(raw)] is not None:
                raw.append(names[len(raw)].decode())
            return sorted(os.environ), sorted(name.partition("=")[0] for name in raw), sys.argv
    """
    with Sandbox(workers=1) as pool:
        found = returned(attack(pool, source))
    assert isinstance(found, tuple)
    names, raw, argv = found
    assert argv == [""]
    assert names == raw
    allowed = {"HOME", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "MALLOC_ARENA_MAX", "PATH", "PYTHONHASHSEED", "TZ"}
    assert {name for name in names if not name.endswith("_NUM_THREADS")} <= allowed


# Network ---------------------------------------------------------------------------------------------------------------


def test_loopback_tcp_udp_and_unix_sockets(sandbox: Sandbox) -> None:
    source = """
        import socket
        def attempt(family, kind, address):
            with socket.socket(family, kind) as s:
                s.settimeout(1)
                s.connect(address)
                s.send(b"out")
    """
    stream, datagram = (b"\0semcoder-%s-%d" % (kind, os.getpid()) for kind in (b"stream", b"datagram"))
    for family, kind, address in (
        (socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", 0)),
        (socket.AF_INET, socket.SOCK_DGRAM, ("127.0.0.1", 0)),
        (socket.AF_UNIX, socket.SOCK_STREAM, stream),
        (socket.AF_UNIX, socket.SOCK_DGRAM, datagram),
    ):
        with socket.socket(family, kind) as server:
            server.bind(address)
            if kind == socket.SOCK_STREAM:
                server.listen()
            refused(sandbox, source, int(family), int(kind), server.getsockname())
            server.setblocking(False)
            with pytest.raises(BlockingIOError):
                server.accept() if kind == socket.SOCK_STREAM else server.recv(10)


def test_socket_pairs_reach_nobody(sandbox: Sandbox) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as server:
        server.bind(b"\0semcoder-pair-%d" % os.getpid())
        refused(sandbox, "import socket\ndef attempt(): return socket.socketpair(type=socket.SOCK_DGRAM)")
        source = "import socket\ndef attempt(to): return socket.socketpair()[0].sendto(b'x', to)"
        refused(sandbox, source, server.getsockname())
        source = "import socket\ndef attempt(): return socket.socketpair()[0].sendmsg([b'x'])"
        refused(sandbox, source)


# Processes and signals ---------------------------------------------------------------------------------------------------

PROCESSES = {
    "subprocess": "__import__('subprocess').run(['true'])",
    "system": "os.posix_spawn('/bin/true', ['true'], {})",
    "fork": "os.fork()",
    "forkpty": "os.forkpty()",
    "exec": "os.execv('/bin/true', ['true'])",
    "multiprocessing": "__import__('multiprocessing').get_context('fork').Process(target=print).start()",
    "libc fork": "check(libc.fork())",
    "libc vfork": "check(libc.syscall(58))",
    "raw clone": "check(libc.syscall(56, 17, 0, 0, 0, 0))",
    "raw clone3": "check(libc.syscall(435, bytes(88), 88))",
    "kill the parent": "os.kill(os.getppid(), 9)",
    "look as if memory ran out": "os.kill(os.getpid(), 9)",
    "kill the group": "os.kill(0, 9)",
    "kill everything": "os.kill(-1, 9)",
    "signal a thread of the parent": "check(libc.syscall(234, os.getppid(), os.getppid(), 9))",
    "signal by pidfd": "check(libc.syscall(434, os.getppid(), 0))",
    "queue a signal": "check(libc.syscall(129, os.getppid(), 9, bytes(128)))",
    "own a descriptor's signals": "__import__('fcntl').fcntl(0, __import__('fcntl').F_SETOWN, os.getppid())",
    "trace the parent": "check(libc.ptrace(16, os.getppid(), 0, 0))",
    "read the parent's memory": "check(libc.process_vm_readv(os.getppid(), None, 0, None, 0, 0))",
    "open the parent's memory": "open(f'/proc/{os.getppid()}/mem', 'rb')",
    "limits of the parent": "__import__('resource').prlimit(os.getppid(), 0, (1, 1))",
    "outlive the parent": "check(libc.prctl(1, 0, 0, 0, 0))",
    "gain privileges": "os.setuid(12345)",
    "new namespace": "check(libc.unshare(0x10000000))",
    "io_uring": "check(libc.syscall(425, 8, bytes(120)))",
    "bpf": "check(libc.syscall(321, 0, bytes(72), 72))",
    "keys": "check(libc.syscall(250, 0, -3, 0))",
    "shared memory": "check(libc.shmget(0, 4096, 0o600 | 0o1000))",
    "grow a pipe": "__import__('fcntl').fcntl(os.pipe()[0], 1031, 1 << 20)",
    "type at the terminal": "__import__('fcntl').ioctl(0, 0x5412, b'x')",
}
RAW_NUMBERS = {"libc vfork", "raw clone", "signal a thread of the parent", "queue a signal", "bpf", "keys"}


@pytest.mark.parametrize("name", PROCESSES)
def test_processes_signals_and_the_kernel(sandbox: Sandbox, name: str) -> None:
    if name in RAW_NUMBERS and platform.machine() != "x86_64":
        pytest.skip("a raw number of x86_64")
    source = f"""
        import ctypes, errno, os
        libc = ctypes.CDLL(None, use_errno=True)
        def check(result):
            if result == 0 and {name in ("libc fork", "libc vfork", "raw clone")}: os._exit(1)
            if result < 0:
                code = ctypes.get_errno()
                raise PermissionError(code, "no") if code in (errno.EPERM, errno.ENOSYS) else OSError(code, "failed")
            return result
        def attempt(): return {PROCESSES[name]}
    """
    refused(sandbox, source)


def test_limits_cannot_be_raised(sandbox: Sandbox) -> None:
    source = """
        import resource
        def f():
            for kind in (resource.RLIMIT_AS, resource.RLIMIT_CPU, resource.RLIMIT_FSIZE, resource.RLIMIT_NOFILE):
                try:
                    resource.setrlimit(kind, (resource.RLIM_INFINITY,) * 2)
                    return kind
                except (ValueError, OSError): pass
            return "held"
    """
    assert returned(attack(sandbox, source)) == "held"


def test_foreign_system_call_interface(sandbox: Sandbox) -> None:
    """32-bit calls have other numbers: a filter that did not look would let fork through."""
    if platform.machine() != "x86_64":
        pytest.skip("int 0x80 is x86")
    source = """
        import ctypes, mmap
        def f():
            code = b"\\xb8\\x02\\x00\\x00\\x00\\xcd\\x80\\xc3"  # mov eax, 2 (fork); int 0x80; ret
            page = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
            page.write(code)
            return ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(page)))()
    """
    outcome = attack(sandbox, source)
    assert outcome.status == "exited"
    assert "SIGSYS" in outcome.detail or "SIGSEGV" in outcome.detail


def test_a_bomb_of_threads(sandbox: Sandbox) -> None:
    source = """
        import threading, time
        def f():
            n = 0
            try:
                while True:
                    threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
                    n += 1
            except (RuntimeError, MemoryError):
                return n
    """
    outcome = attack(sandbox, source)
    assert outcome.status in ("returned", "timeout", "memory")


# Resources ----------------------------------------------------------------------------------------------------------------


def test_four_gigabytes(sandbox: Sandbox) -> None:
    for body in ("bytearray(4 << 30)", "[0] * (1 << 30)", "'x' * (1 << 40)", "__import__('mmap').mmap(-1, 4 << 30)"):
        outcome = attack(sandbox, f"def f(): return len({body})")
        assert outcome.status in ("memory", "raised"), (body, outcome)


def test_a_slow_hog_stays_within_ten_percent(sandbox: Sandbox) -> None:
    limit = 128 << 20  # pages of libraries that the program is first to touch count too: some 4 MiB at most
    source = "def f():\n    keep = []\n    while True: keep.append(bytes(range(256)) * 4096)"
    outcome = attack(sandbox, source, limits=Limits(memory=limit))
    assert outcome.status == "memory"
    assert outcome.usage.memory <= limit * 1.1
    source = (
        "def f():\n    keep = []\n    while True:\n        try: keep.append(object())\n        except MemoryError: pass"
    )
    outcome = attack(sandbox, source, limits=Limits(memory=limit, cpu_s=0.3))
    assert outcome.status in ("timeout", "memory")
    assert outcome.usage.memory <= limit * 1.1


LOOPS = {
    "plain": "while True: pass",
    "that catches everything": "while True:\n        try:\n            while True: pass\n        except BaseException: pass",
    "with signals blocked": "import signal; signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))\n    while True: pass",
    "in a power": "return 7 ** 10 ** 9",
    "in a regular expression": "import re; return re.match('(a+)+$', 'a' * 60 + 'b')",
    "in a sort": "return sorted(range(10), key=lambda x: [x for _ in iter(int, 1)])",
    "in a conversion": "import sys; sys.set_int_max_str_digits(0); return str(10 ** 10 ** 7)",
    "in the hash of the result": "return type('E', (), {'__hash__': lambda s: [0 for _ in iter(int, 1)]})().__hash__()",
    "in a finally": "try: return 1\n    finally:\n        while True: pass",
    "in stopped state": "import os, signal; os.kill(os.getpid(), signal.SIGSTOP)",
}


@pytest.mark.parametrize("body", LOOPS.values(), ids=LOOPS)
def test_endless(sandbox: Sandbox, body: str) -> None:
    start = time.monotonic()
    outcome = attack(sandbox, f"def f():\n    {body}", limits=Limits(cpu_s=0.2, wall_s=0.6))
    assert outcome.status == "timeout", outcome
    assert time.monotonic() - start < 5


def test_floods(sandbox: Sandbox) -> None:
    outcome = attack(sandbox, "def f():\n    while True: print('x' * 100000)")
    assert outcome.status == "output_limit"
    outcome = attack(sandbox, "import os\ndef f():\n    while True: os.write(1, b'x' * 100000)")
    assert outcome.status == "timeout"
    outcome = attack(sandbox, "def f(): return ['x' * 1000 for _ in range(100000)]")
    assert outcome.status == "output_limit"


def test_deep_recursion(sandbox: Sandbox) -> None:
    source = "import sys\nsys.setrecursionlimit(10**9)\ndef f(n=0): return f(n + 1)"
    assert attack(sandbox, source).status in ("memory", "timeout", "exited", "raised")
    source = """
        import sys
        class A:
            def __repr__(self): return repr(self)
            __eq__ = lambda self, other: self == other
            __hash__ = None
            def __del__(self): A()
        def f():
            sys.setrecursionlimit(10**6)
            return repr(A())
    """
    assert attack(sandbox, source).status in ("memory", "timeout", "exited", "raised")


# Lies ----------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["os._exit(0)", "sys.exit(0)", "os.abort()", "raise KeyboardInterrupt", "quit()"])
def test_leaving_early_is_never_returning(sandbox: Sandbox, how: str) -> None:
    outcome = attack(sandbox, f"import os, sys\ndef f(): {how}")
    assert outcome.status in ("exited", "raised")
    assert outcome.value is None


def test_module_level_exit_and_atexit(sandbox: Sandbox) -> None:
    assert attack(sandbox, "import os\nos._exit(0)").status == "exited"
    source = "import atexit, os\natexit.register(print, 'x')\ndef f(): return 1"
    assert returned(attack(sandbox, source)) == 1


PATCHES = {
    "builtins": "import builtins\nfor name in ('len', 'isinstance', 'type', 'print', 'id', 'str', 'dict'): setattr(builtins, name, None)",
    "json": "import json\njson.dumps = json.loads = json.JSONEncoder.encode = json.encoder.c_make_encoder = lambda *a: '{}'",
    "os": "import os, time\nos.write = os.read = os._exit = time.process_time = lambda *a: 0",
    "the caller": "import sys\nfor name in list(sys.modules):\n    if name.startswith('semcoder'): vars(sys.modules[name]).clear()",
    "modules": "import sys\nsys.modules.clear()",
    "the encoder": "import semcoder.core.encode as e\ne.Encoder.ref = lambda self, x: 42",
}


@pytest.mark.parametrize("patch", PATCHES.values(), ids=PATCHES)
def test_a_patched_process_disturbs_nobody(sandbox: Sandbox, patch: str) -> None:
    """It may misstate its own outcome (or have none); the honest ones beside and after it are checked by `attack`."""
    outcome = attack(sandbox, f"{patch}\ndef f(): return 7")
    assert outcome.status in ("returned", "exited", "raised", "timeout", "memory", "invalid", "output_limit")


def test_an_object_that_equals_everything(sandbox: Sandbox) -> None:
    source = """
        class Same(int):
            def __eq__(self, other): return True
            __hash__ = int.__hash__
        def f(): return Same(3)
    """
    outcome = attack(sandbox, source)
    assert outcome.status == "returned"
    assert outcome.value != Value.of(4)
    assert outcome.value != Value.of(3)


def test_a_result_of_nested_lists(sandbox: Sandbox) -> None:
    source = "def f():\n    x = []\n    for _ in range(10**6): x = [x]\n    return x"
    outcome = attack(sandbox, source)
    assert outcome.status in ("output_limit", "exited"), outcome


FORGE = """
import json, os, sys
def send(text, size=None):
    data = text.encode() if isinstance(text, str) else text
    for fd in range(3, 64):
        try: os.write(fd, (len(data) if size is None else size).to_bytes(4, "big") + data)
        except OSError: pass
def reply(item, **doc):
    return json.dumps({"item": item, "status": "returned", "detail": "", "usage": [0, 0, 0], "data": None, **doc})
"""
FORGERIES = {
    "garbage": "send(b'\\xff' * 100)",
    "no number": "os.write(3, b'xyz')",
    "an endless frame": "send('', 0xFFFFFFFF)",
    "a frame that never ends": "send('', 1000)",
    "deep nesting": "send('[' * 500000)",
    "not JSON": "send('NaN nan {')",
    "a huge number": "send('1' * 10000)",
    "a lone surrogate": "send('\"\\\\ud800\"')",
    "the wrong item": "send(reply(7))",
    "an unknown status": "send(reply(0, status='passed'))",
    "the sandbox's fault": "send(reply(0, status='sandbox_failed'))",
    "ready again": "send('{\"ready\": true}'); send('{\"ready\": true}')",
    "no outcome": "send(reply(0, data=[1, 2]))",
    "an outcome that blames the sandbox": "send(reply(0, data={'status': 'sandbox_failed'}))",
    "a return without a value": "send(reply(0, data={'status': 'returned'}))",
    "a float out of range": "send(reply(0, data={'status': 'returned', 'value': {'ref': ['f', '0x1p9999'], 'nodes': []}}))",
    "strange usage": "send(reply(0, usage=[1e999, 'x', None]))",
    "a closed channel": "os.closerange(3, 64)\n    while True: pass",
    "a closed channel and exit": "os.closerange(3, 64); os._exit(0)",
}


@pytest.mark.parametrize("forgery", FORGERIES.values(), ids=FORGERIES)
def test_forged_results(sandbox: Sandbox, forgery: str) -> None:
    outcome = attack(sandbox, f"{FORGE}\ndef f():\n    {forgery}\n    return 1", limits=Limits(cpu_s=0.3, wall_s=1.0))
    assert outcome.status in ("exited", "output_limit", "timeout"), outcome
    assert outcome.value is None
    assert outcome.detail


def test_a_forged_result_is_its_own_and_no_more(sandbox: Sandbox) -> None:
    """The one thing a program can do: claim another outcome for itself. What it returns then is out of step, and dropped."""
    data = json.dumps({"status": "returned", "value": {"ref": "forged", "nodes": []}})
    source = f"{FORGE}\ndef f(x):\n    if x == 0: send(reply(0, data=json.loads({data!r})))\n    return x"
    program = Program(source, "f")
    found = run_program(sandbox, program, [Invocation(f"f({n})") for n in range(3)], LIMITS)
    assert [outcome.status for outcome in found] == ["returned", "exited", "returned"]
    assert [outcome.value.ref for outcome in found if outcome.value] == ["forged", 2]
    assert returned(attack(sandbox, "def f(): return 5")) == 5


def test_frames_hold_no_expectation(sandbox: Sandbox) -> None:
    """Walking every frame and object finds the program's own calls, and no other program's."""
    run_program(sandbox, Program("def f(x): return x", "f"), [Invocation("f('neighbour-secret')")])
    source = """
        import gc, sys
        def f():
            frame, found = sys._getframe(), []
            while frame:
                found.append(repr(frame.f_locals))
                frame = frame.f_back
            text = " ".join(found) + " ".join(o for o in gc.get_objects() if type(o) is str)
            return "neighbour" + "-secret" in text
    """
    assert returned(attack(sandbox, source)) is False


def test_poison_does_not_stay(sandbox: Sandbox) -> None:
    for _ in range(3):
        attack(
            sandbox,
            "import builtins, sys\nbuiltins.poison = sys.poison = 1\nimport json; json.poison = 1\ndef f(): return 1",
        )
    source = "import builtins, json, sys\ndef f(): return [hasattr(m, 'poison') for m in (builtins, sys, json)]"
    for _ in range(3):
        assert returned(attack(sandbox, source)) == [False] * 3


def test_descriptors_of_a_child(sandbox: Sandbox) -> None:
    """Standard streams to nowhere, and the channel of its own job."""
    source = """
        import os, stat
        def f():
            found = []
            for fd in range(256):
                try: found.append((fd, stat.S_IFMT(os.fstat(fd).st_mode)))
                except OSError: pass
            return found
    """
    char, sock = 0o020000, 0o140000
    assert returned(attack(sandbox, source)) == [(0, char), (1, char), (2, char), (3, sock)]


def test_passing_descriptors_to_the_host(sandbox: Sandbox) -> None:
    source = """
        import array, os, socket
        def attempt():
            with socket.socket(fileno=os.dup(3)) as s:
                return s.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [0]))])
    """
    refused(sandbox, source)


# Fuzz, and what is left ----------------------------------------------------------------------------------------------------


def test_nothing_is_left_after_a_mixture() -> None:
    """Processes and descriptors, counted before and after a pool that ran a bit of everything."""
    sources = [
        "def f(): return 1",
        "import os\ndef f(): os._exit(3)",
        "import os\ndef f(): os.kill(os.getpid(), 15)",
        "import threading, time\ndef f(): threading.Thread(target=time.sleep, args=(99,)).start()",
        "def f(): raise SystemExit",
        "import os\ndef f():\n    os.close(3)\n    return 1",
        "def f(",
        "import os\ndef f():\n    while os.write(3, b'spam'): pass",
    ]
    files = len(os.listdir("/proc/self/fd"))
    children = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children")
    before = children.read_text() if children.exists() else ""
    with Sandbox(workers=2) as pool:
        jobs = [program_job(Program(sources[n % len(sources)], "f"), [Invocation("f()")], LIMITS) for n in range(160)]
        found = dict(pool.execute_many(jobs))
        assert len(found) == 160
        statuses = [outcome_of(found[n][0]).status for n in range(len(sources))]
        assert statuses == ["returned", "exited", "exited", "returned", "exited", "exited", "invalid", "output_limit"]
        inside = len(os.listdir("/proc/self/fd"))
        assert inside <= files + 4
    assert len(os.listdir("/proc/self/fd")) == files
    assert (children.read_text() if children.exists() else "") == before

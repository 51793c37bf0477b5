"""Attacks through the kernel: every other way to start, see, signal or slow a process, and to reach a machine.

The filter is an allow-list, so that a call that nobody thought of is refused as well; these are those one would think of.
"""

from __future__ import annotations

import os
import platform
import textwrap
import threading

import pytest

from semcoder.core import Invocation, Program
from semcoder.sandbox import Limits, Sandbox, outcome_of, program_job
from tests.adversarial.attacking import LIBC, attack, own_processes, refused, returned

pytestmark = pytest.mark.skipif(platform.system() != "Linux", reason="the sandbox is the Linux kernel's")
x86_64 = pytest.mark.skipif(platform.machine() != "x86_64", reason="raw numbers of x86_64")

# name -> number, arguments (text of Python in the sandbox)
CALLS: dict[str, tuple[int, str]] = {
    # processes
    "fork": (57, ""),
    "clone": (56, "17, 0, 0, 0, 0"),
    "clone, sharing memory": (56, "0x4111, 0, 0, 0, 0"),
    "clone, new user namespace": (56, "0x10000011, 0, 0, 0, 0"),
    "clone, new pid namespace": (56, "0x20000011, 0, 0, 0, 0"),
    "clone, new network": (56, "0x40000011, 0, 0, 0, 0"),
    "clone, sibling of the parent": (56, "0x8011, 0, 0, 0, 0"),
    "clone, high bits": (56, "17 | 1 << 40, 0, 0, 0, 0"),
    "clone3": (435, "bytes(88), 88"),
    "execve": (59, "b'/bin/true', 0, 0"),
    "execveat": (322, "-100, b'/bin/true', 0, 0, 0"),
    "execveat a descriptor": (322, "0, b'', 0, 0, 0x1000"),
    "setsid": (112, ""),
    "setpgid": (109, "0, 0"),
    # other processes
    "ptrace me": (101, "0, 0, 0, 0"),
    "ptrace attach": (101, "16, os.getppid(), 0, 0"),
    "ptrace seize": (101, "0x4206, os.getppid(), 0, 0"),
    "read memory": (310, "os.getppid(), 0, 0, 0, 0, 0"),
    "write memory": (311, "os.getppid(), 0, 0, 0, 0, 0"),
    "compare": (312, "os.getppid(), os.getpid(), 0, 0, 0"),
    "open a pidfd": (434, "os.getppid(), 0"),
    "signal a pidfd": (424, "0, 9, 0, 0"),
    "take a descriptor": (438, "0, 0, 0"),
    "advise memory": (440, "0, 0, 0, 21, 0"),
    "release memory": (448, "0, 0"),
    "tkill": (200, "os.getppid(), 9"),
    "tgkill": (234, "os.getppid(), os.getppid(), 9"),
    "queue to a process": (129, "os.getppid(), 9, bytes(128)"),
    "queue to a thread": (297, "os.getppid(), os.getppid(), 9, bytes(128)"),
    "wait for a sibling": (247, "0, 0, 0, 4, 0"),
    "robust list": (274, "os.getppid(), bytes(8), bytes(8)"),
    # the scheduler
    "priority": (141, "0, 0, -20"),
    "be nice to nobody": (141, "1, 0, 19"),
    "affinity": (203, "0, 8, b'\\xff' * 8"),
    "affinity of the parent": (203, "os.getppid(), 8, b'\\1' + bytes(7)"),
    "scheduler": (144, "0, 1, b'\\1\\0\\0\\0'"),
    "scheduler attributes": (314, "0, bytes(48), 0"),
    "disk priority": (251, "1, 0, 1"),
    # memory
    "mlock": (149, "0, 4096"),
    "mlock2": (325, "0, 4096, 0"),
    "mlockall": (151, "3"),
    "userfaultfd": (323, "1"),
    "memfd": (319, "b'x', 0"),
    "secret memory": (447, "0"),
    "memory policy": (238, "0, 0, 0"),
    "bind memory": (237, "0, 4096, 0, 0, 0, 0"),
    "migrate pages": (256, "os.getppid(), 8, bytes(8), bytes(8)"),
    "move pages": (279, "0, 0, 0, 0, 0, 0"),
    "remap": (216, "0, 4096, 0, 0, 0"),
    "shared memory": (29, "0, 4096, 0o1600"),
    "semaphores": (64, "0, 1, 0o1600"),
    "messages": (68, "0, 0o1600"),
    "message queue": (240, "b'x', 0o102, 0o600, 0"),
    # the machine
    "performance counters": (298, "bytes(128), 0, -1, -1, 0"),
    "add a key": (248, "b'user', b'x', b'y', 1, -3"),
    "request a key": (249, "b'user', b'x', 0, -3"),
    "keys": (250, "0, -3, 0"),
    "bpf": (321, "0, bytes(72), 72"),
    "io_uring": (425, "8, bytes(120)"),
    "io_uring enter": (426, "0, 0, 0, 0, 0, 0"),
    "io_uring register": (427, "0, 0, 0, 0"),
    "asynchronous I/O": (206, "8, bytes(8)"),
    "personality": (135, "0x0040000"),
    "local descriptor table": (154, "1, bytes(16), 16"),
    "I/O privilege": (172, "3"),
    "I/O ports": (173, "0x80, 1, 1"),
    "load a module": (175, "bytes(8), 8, b''"),
    "load a module's file": (313, "0, b'', 0"),
    "kexec": (246, "0, 0, 0, 0"),
    "reboot": (169, "0xfee1dead, 672274793, 0, 0"),
    "swap": (167, "b'/x', 0"),
    "accounting": (163, "0"),
    "kernel log": (103, "3, bytes(64), 64"),
    "hang up": (153, ""),
    "host name": (170, "b'x', 1"),
    "set the clock": (227, "0, bytes(16)"),
    "set the time of day": (164, "bytes(16), 0"),
    "adjust the clock": (159, "bytes(208)"),
    # mounts and roots
    "mount": (165, "b'none', b'/tmp', b'tmpfs', 0, 0"),
    "unmount": (166, "b'/proc', 2"),
    "pivot root": (155, "b'/', b'/'"),
    "change root": (161, "b'/tmp'"),
    "enter a namespace": (308, "0, 0"),
    "new namespaces": (272, "0x10000000 | 0x20000"),
    "own descriptor table": (272, "0x400"),
    "open a mount": (428, "-100, b'/', 1"),
    "move a mount": (429, "0, b'', -100, b'/tmp', 4"),
    "open a file system": (430, "b'tmpfs', 0"),
    "set a mount": (442, "-100, b'/', 0, bytes(32), 32"),
    "watch mounts": (300, "0, 0"),
    # files, by newer or odder calls
    "openat2": (437, "-100, b'/etc/passwd', bytes(24), 24"),
    "open by handle": (304, "-100, bytes(16), 0"),
    "handle": (303, "-100, b'/etc/passwd', bytes(136), bytes(4), 0"),
    "device node": (133, "b'/tmp/node', 0o20600, 0x105"),
    "device node at": (259, "-100, b'/tmp/node', 0o20600, 0x105"),
    "truncate": (76, "b'/dev/null', 0"),
    "truncate a descriptor": (77, "0, 0"),
    "allocate": (285, "0, 0, 0, 4096"),
    "copy between files": (326, "0, 0, 1, 0, 1, 0"),
    "send a file": (40, "1, 0, 0, 1"),
    "splice": (275, "0, 0, 1, 0, 1, 0"),
    "splice memory": (278, "0, 0, 0, 0"),
    "tee": (276, "0, 1, 1, 0"),
    "lock a file": (73, "0, 2"),
    "sync everything": (162, ""),
    "watch files": (294, "0"),
    "timers": (222, "0, 0, bytes(8)"),
    "timer descriptor": (283, "0, 0"),
    "signal descriptor": (289, "-1, bytes(8), 8, 0"),
    # sockets
    "socket": (41, "1, 1, 0"),
    "netlink": (41, "16, 3, 0"),
    "raw packets": (41, "17, 3, 0"),
    "virtual machine sockets": (41, "40, 1, 0"),
    "connect": (42, "3, b'\\1\\0' + b'\\0abstract', 11"),
    "bind": (49, "3, b'\\1\\0' + b'\\0abstract', 11"),
    "listen": (50, "3, 1"),
    "accept": (43, "3, 0, 0"),
    "accept4": (288, "3, 0, 0, 0"),
    "shut down": (48, "3, 2"),
    "buffer size": (54, "3, 1, 7, b'\\0\\0\\0\\1', 4"),
    "send a message": (46, "3, bytes(56), 0"),
    "send messages": (307, "3, bytes(64), 1, 0"),
    "receive a message": (47, "3, bytes(56), 0x40"),
    "receive messages": (299, "3, bytes(64), 1, 0x40, 0"),
    # privileges and layers
    "user": (105, "12345"),
    "group": (106, "12345"),
    "groups": (116, "0, 0"),
    "users": (117, "0, 0, 0"),
    "file user": (122, "0"),
    "capabilities": (126, "b'\\x22\\5\\8\\x20' + bytes(4), b'\\xff' * 24"),
    "filter": (317, "1, 0, 0"),
    "Landlock": (444, "bytes(8), 8, 0"),
    "limits of the parent": (302, "os.getppid(), 7, 0, bytes(16)"),
    "limits of its own": (302, "0, 7, b'\\xff' * 16, 0"),
    "limits, old call": (160, "7, b'\\xff' * 16"),
    # what no kernel has yet
    "a number of the future": (600, ""),
}
PRCTL = {
    "death signal": 1,
    "dumpable": 4,
    "keep capabilities": 8,
    "seccomp": 22,
    "bounding set": 24,
    "secure bits": 28,
    "timer slack": 29,
    "memory map": 35,
    "subreaper": 36,
    "huge pages": 41,
    "ambient capabilities": 47,
    "speculation": 53,
    "I/O flusher": 57,
    "system call dispatch": 59,
    "core scheduling": 62,
    "write and execute": 65,
    "tracer": 0x59616D61,
}


@x86_64
@pytest.mark.parametrize("name", CALLS)
def test_a_system_call_is_refused(sandbox: Sandbox, name: str) -> None:
    number, arguments = CALLS[name]
    refused(sandbox, f"{LIBC}\ndef attempt(): return check(libc.syscall({number}, {arguments}))")


@pytest.mark.parametrize("option", PRCTL.values(), ids=PRCTL)
def test_an_option_of_the_process_is_refused(sandbox: Sandbox, option: int) -> None:
    refused(sandbox, f"{LIBC}\ndef attempt(): return check(libc.prctl({option}, 1, 0, 0, 0))")


@x86_64
@pytest.mark.parametrize("number", [0x40000000 + 57, 0x40000000 + 520, 0x40000000, -1])
def test_numbers_of_another_interface_end_the_process(sandbox: Sandbox, number: int) -> None:
    """x32 has numbers of its own for fork and exec; nothing honest uses them."""
    outcome = attack(sandbox, f"{LIBC}\ndef f(): return libc.syscall({number}, 0, 0, 0)")
    assert outcome.status == "exited"
    assert "SIGSYS" in outcome.detail


INTERFACES = {
    "os.fork": "os.fork()",
    "os.forkpty": "os.forkpty()",
    "os.posix_spawn": "os.posix_spawn('/bin/true', ['true'], {})",
    "os.posix_spawnp": "os.posix_spawnp('true', ['true'], {})",
    "os.spawnv": "os.spawnv(os.P_NOWAIT, '/bin/true', ['true'])",
    "os.popen": "os.popen('true')",
    "subprocess": "__import__('subprocess').Popen(['true'], close_fds=False)",
    "subprocess in a session": "__import__('subprocess').Popen(['true'], start_new_session=True)",
    "subprocess shell": "__import__('subprocess').check_output('true', shell=True)",
    "fork_exec": "fork_exec(False)",
    "fork_exec by vfork": "fork_exec(True)",
    "asyncio": "asyncio.run(asyncio.create_subprocess_exec('true'))",
    "multiprocessing spawn": "multiprocessing.get_context('spawn').Process(target=print).start()",
    "multiprocessing server": "multiprocessing.get_context('forkserver').Process(target=print).start()",
    "a pool of processes": "futures.ProcessPoolExecutor(1, multiprocessing.get_context('fork')).submit(print).result()",
    "libc fork": "check(libc.fork())",
    "libc vfork": "check(libc.vfork())",
    "libc daemon": "check(libc.daemon(0, 0))",
    "libc posix_spawn": "started(libc.posix_spawn(ctypes.byref(ctypes.c_int()), b'/bin/true', None, None, argv, None) == 0)",
    "libc system": "started(libc.system(b'true') == 0)",
    "libc popen": "started(libc.popen(b'true', b'r'))",
    "libc execv": "check(libc.execv(b'/bin/true', argv))",
}
STARTING = f"""
{LIBC}
import _posixsubprocess, asyncio, multiprocessing, concurrent.futures as futures
argv = (ctypes.c_char_p * 2)(b"true", None)
pipe = os.pipe()
def started(success):
    if not success: raise PermissionError("the library could not")
def fork_exec(by_vfork):
    parts = ([b"true"], [b"/bin/true"], False, (), None, None, -1, -1, -1, -1, -1, -1, *pipe, True, False, -1)
    return _posixsubprocess.fork_exec(*parts, None, None, None, -1, None, by_vfork)
"""


@pytest.mark.parametrize("name", INTERFACES)
def test_no_interface_starts_a_process(sandbox: Sandbox, name: str) -> None:
    refused(sandbox, f"{STARTING}\ndef attempt(): return {INTERFACES[name]}")


def test_a_fork_bomb_through_every_interface_stays_one_process(sandbox: Sandbox) -> None:
    attempts = "\n".join(f"    lambda: {text}," for name, text in INTERFACES.items() if name != "a pool of processes")
    source = f"""{STARTING}
ways = [
{attempts}
]
def f():
    while True:
        for way in ways:
            try: way()
            except Exception: pass
"""
    parents = own_processes()
    most, done = 0, threading.Event()

    def watch() -> None:
        nonlocal most
        while not done.wait(0.01):
            most = max(most, len(own_processes()))

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        outcome = attack(sandbox, source, limits=Limits(cpu_s=0.3, wall_s=2.0))
    finally:
        done.set()
        watcher.join()
    assert outcome.status == "timeout", outcome
    assert "os.fork" in outcome.detail or "processor time" in outcome.detail or "took" in outcome.detail
    assert most <= 2 * 2, "a warm parent and a child for each of two workers"
    assert own_processes() == parents


def test_processes_with_guessed_numbers_are_out_of_reach(sandbox: Sandbox) -> None:
    """The warm parent, the host, and a sibling that runs meanwhile: no signal, no memory, no secrets of /proc."""
    source = """
        import os, signal
        FILES = ("environ", "mem", "maps", "cmdline", "status", "stat", "fd", "task", "ns", "root", "cwd", "syscall")
        LINKS = ("exe", "cwd", "root", "fd/0", "fd/3", "ns/net", "ns/user")
        def f(host):
            own, reached = os.getpid(), []
            for pid in {*range(max(own - 50, 1), own + 50), os.getppid(), host, 1} - {own}:
                for attempt in (
                    *(lambda n=n: os.kill(pid, n) for n in (0, signal.SIGKILL, signal.SIGSTOP, signal.SIGTERM)),
                    lambda: os.killpg(pid, signal.SIGKILL),
                    lambda: os.setpriority(os.PRIO_PROCESS, pid, 19),
                    lambda: os.sched_setaffinity(pid, {0}),
                    *(lambda name=name: os.open(f"/proc/{pid}/{name}", os.O_RDONLY) for name in FILES),
                    *(lambda name=name: os.readlink(f"/proc/{pid}/{name}") for name in LINKS),
                ):
                    try: reached.append((pid, attempt()))
                    except OSError: pass
            return reached
    """
    sleeper = Program("import time\ndef f():\n    time.sleep(0.4)\n    return 'rested'", "f")
    hostile = Program(textwrap.dedent(source), "f")
    jobs = [
        program_job(sleeper, [Invocation("f()")]),
        program_job(hostile, [Invocation(f"f({os.getpid()})")]),
    ]
    found = dict(sandbox.execute_many(jobs))
    assert returned(outcome_of(found[1][0])) == []
    assert returned(outcome_of(found[0][0])) == "rested"


def test_its_own_secrets_in_proc_are_closed_as_well(sandbox: Sandbox) -> None:
    source = """
        import os
        def f():
            reached = []
            for name in ("mem", "environ", "maps", "status", "fd", "task", "oom_score_adj", "coredump_filter", "ns"):
                for flags in (os.O_RDONLY, os.O_WRONLY):
                    try: reached.append(os.open(f"/proc/self/{name}", flags))
                    except OSError: pass
            return reached
    """
    assert returned(attack(sandbox, source)) == []


def test_what_the_channel_says_of_the_host_is_of_no_use(sandbox: Sandbox) -> None:
    """The kernel tells who is at the other end; neither that number nor a descriptor of it gives any power."""
    source = """
        import os, socket, struct
        def f():
            channel = socket.socket(fileno=os.dup(3))
            host, _, _ = struct.unpack("3i", channel.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
            found = []
            for attempt in (
                lambda: os.kill(host, 0),
                lambda: open(f"/proc/{host}/environ"),
                lambda: channel.bind(b"\\0there"),
                lambda: channel.connect(b"\\0there"),
                lambda: channel.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 24),
                lambda: socket.socket(socket.AF_UNIX),
                lambda: socket.send_fds(channel, [b"x"], [0]),
                lambda: socket.recv_fds(channel, 1, 1),
            ):
                try: found.append(attempt())
                except PermissionError: pass
            return found
    """
    assert returned(attack(sandbox, source)) == []


def test_device_nodes_are_closed(sandbox: Sandbox) -> None:
    nodes = [entry.path for entry in os.scandir("/dev") if not entry.is_symlink()][:100]
    source = """
        import os
        def f(paths):
            opened = []
            for path in paths:
                for flags in (os.O_RDONLY, os.O_WRONLY, os.O_RDWR):
                    try: opened.append((path, flags, os.close(os.open(path, flags))))
                    except OSError: pass
            return sorted({path for path, _, _ in opened}), ("/dev/urandom", os.O_WRONLY, None) in opened
    """
    opened, wrote = returned(attack(sandbox, source, call=f"f({nodes!r})"))
    assert set(opened) <= {"/dev/null", "/dev/urandom"}
    assert not wrote


def test_nothing_shares_writable_memory_with_the_parent(sandbox: Sandbox) -> None:
    """A child's pages are its own copies: it cannot write into the next child through the parent."""
    for pid in own_processes():
        try:
            with open(f"/proc/{pid}/maps") as file:
                ranges = file.read().splitlines()
        except PermissionError:
            pytest.skip("this user may not look at a warm parent")
        assert not [line for line in ranges if line.split()[1][1] == "w" and line.split()[1][3] == "s"]


@x86_64
def test_a_thread_has_no_descriptor_table_of_its_own(sandbox: Sandbox) -> None:
    """The limit on descriptors holds for a table: a thread with its own table would have its own limit."""
    outcome = attack(sandbox, f"{RAW_THREAD}\ndef f(): return thread(0x10900)")  # without CLONE_FILES
    assert returned(outcome) == -1


#: Machine code: `clone` with these flags, and a thread that does nothing but wait.
RAW_THREAD = r"""
import ctypes, mmap, struct
page = mmap.mmap(-1, 8192, prot=7)
here = ctypes.addressof(ctypes.c_char.from_buffer(page))
def thread(flags):
    page.seek(0)
    page.write(b"\xb8\x38\0\0\0\xbf" + struct.pack("<I", flags) + b"\x48\xbe" + struct.pack("<Q", here + 8192))
    page.write(b"\x31\xd2\x45\x31\xd2\x45\x31\xc0\x0f\x05\x85\xc0\x74\x01\xc3\xb8\x22\0\0\0\x0f\x05\xeb\xf7")
    return ctypes.CFUNCTYPE(ctypes.c_long)(here)()
"""


def test_urgent_data_is_refused(sandbox: Sandbox) -> None:
    """Nothing needs it, and it is where local sockets have had their worst faults."""
    refused(sandbox, "import socket\ndef attempt(): return socket.socketpair()[0].send(b'x', socket.MSG_OOB)")


def test_opening_never_truncates(sandbox: Sandbox) -> None:
    """Truncating takes no descriptor that may write: a file of the library must be safe from it, too."""
    size = os.stat(os.__file__).st_size
    refused(sandbox, "import os\ndef attempt(path): return os.open(path, os.O_RDONLY | os.O_TRUNC)", os.__file__)
    assert os.stat(os.__file__).st_size == size


@pytest.mark.parametrize("what", ["sleeps", "spins", "exits"])
def test_a_process_whose_first_thread_has_left(sandbox: Sandbox, what: str) -> None:
    body = {"sleeps": "time.sleep(60)", "spins": "while True: pass", "exits": "time.sleep(0.1); os._exit(0)"}[what]
    source = f"""
        import ctypes, os, threading, time
        def rest():
            {body}
        def f():
            threading.Thread(target=rest).start()
            ctypes.CDLL(None).syscall({_EXIT}, 0)
    """
    parents = own_processes()
    outcome = attack(sandbox, source, limits=Limits(cpu_s=0.2, wall_s=0.5))
    assert outcome.status == ("exited" if what == "exits" else "timeout"), outcome
    assert own_processes() == parents


_EXIT = {"x86_64": 60, "aarch64": 93}.get(platform.machine(), 1)

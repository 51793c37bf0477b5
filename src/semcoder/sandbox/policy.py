"""The kernel layers: what a warm parent locks once, and what each child locks after the fork.

Guarantees: `lock_down` and `ChildLock` install real layers or say why not, layer by layer; nothing here assumes that a
layer works because its call returned 0 (`probe` forks a child that tries what is forbidden).
It does not decide whether to go on without a layer: the caller compares with `PROMISES`.

Runs in the warm parent: standard library only, no import of the host's side.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import resource
import signal
import struct
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from semcoder.sandbox import syscalls

#: Required layers -> the promise that fails without the layer.
PROMISES = {
    "no_new_privs": "a program gains no privileges",
    "landlock_files": "a program reads no file but the interpreter's, and writes none",
    "seccomp": "a program reaches no network and no kernel interface but the listed calls",
    "child_filter": "a program starts no process and signals no other",
    "limits": "a program stays within its memory, processor time, descriptors and file size",
}
#: Required where it is asked for.
ON_DEMAND = {"scratch": "files that a program writes stay in a private folder of bounded size"}
#: Layers that strengthen a promise that a required one keeps already.
STRENGTHENS = {
    "capabilities": "privileges of root are dropped",
    "namespaces": "the network, System V IPC and user ids of the machine are out of sight",
    "landlock_network": "TCP connect and bind are refused a second time",
    "landlock_scopes": "signals and abstract Unix sockets outside are refused a second time",
}

Layer = dict[str, Any]

_libc = ctypes.CDLL(None, use_errno=True)
_libc.syscall.restype = ctypes.c_long
_libc.prctl.restype = ctypes.c_int
_libc.prctl.argtypes = (ctypes.c_int, *[ctypes.c_ulong] * 4)

PR_SET_PDEATHSIG = 1
PR_SET_DUMPABLE = 4
PR_SET_NAME = 15
PR_GET_NAME = 16
PR_SET_SECCOMP = 22
PR_CAPBSET_DROP = 24
PR_SET_NO_NEW_PRIVS = 38
PR_SET_VMA = 0x53564D41  # names memory ranges; interpreters built for debugging use it
SECCOMP_MODE_FILTER = 2
#: CLONE_VM, FS, FILES, SIGHAND, THREAD: a thread shares everything that limits are counted by.
_THREAD_FLAGS = 0x100 | 0x200 | 0x400 | 0x800 | 0x10000
_NAMESPACE_FLAGS = 0x7E020000
CLONE_NEWNS, CLONE_NEWIPC, CLONE_NEWUSER, CLONE_NEWNET = 0x00020000, 0x08000000, 0x10000000, 0x40000000
MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_REC, MS_PRIVATE = 2, 4, 8, 16384, 1 << 18
SCRATCH = "/tmp"
SCRATCH_FILES = 200
STACK_SIZE = 8 * 1024 * 1024


def layer(name: str, active: bool, detail: str = "") -> Layer:
    """One row of what `doctor` shows."""
    required = name not in STRENGTHENS
    promise = {**PROMISES, **ON_DEMAND, **STRENGTHENS}[name]
    return {"layer": name, "active": active, "required": required, "promise": promise, "detail": detail}


def _syscall(number: int, *args: Any) -> int:
    """Raises OSError with the call's errno."""
    result = int(_libc.syscall(ctypes.c_long(number), *args))
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return result


def _prctl(option: int, *args: int) -> None:
    if _libc.prctl(option, *(*args, 0, 0, 0, 0)[:4]) != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))


def _try(name: str, action: Any, *args: Any) -> Layer:
    try:
        return layer(name, True, str(action(*args) or ""))
    except (OSError, KeyError) as error:
        return layer(name, False, str(error))


# Seccomp ---------------------------------------------------------------------------------------------------------

_LOAD, _AND, _JEQ, _JGE, _JSET, _RET = 0x20, 0x54, 0x15, 0x35, 0x45, 0x06
_ALLOW = 0x7FFF0000
_KILL = 0x80000000
_NR, _ARCH, _ARGS = 0, 4, 16

Instruction = tuple[int, int, int, int]


def _errno(code: int) -> Instruction:
    return (_RET, 0, 0, 0x00050000 | code)


_PERMIT: Instruction = (_RET, 0, 0, _ALLOW)
_REFUSE = _errno(errno.EPERM)


def _low(arg: int) -> Instruction:
    """Load the low word of an argument (both architectures are little-endian)."""
    return (_LOAD, 0, 0, _ARGS + 8 * arg)


def _high(arg: int) -> Instruction:
    return (_LOAD, 0, 0, _ARGS + 8 * arg + 4)


def _one_of(arg: int, values: Iterable[int]) -> list[Instruction]:
    """A block: allow if the 32-bit argument is one of the values, refuse otherwise."""
    block = [_low(arg)]
    for value in values:
        block += [(_JEQ, 0, 1, value), _PERMIT]
    return [*block, _REFUSE]


# A descriptor's owner can be any process, which then gets its signals, and a pipe's buffer is memory that no limit
# counts: so only these commands.
_FCNTL = (0, 1, 2, 3, 4, 1030)  # F_DUPFD, F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_DUPFD_CLOEXEC
_IOCTL = (0x5401, 0x5413, 0x541B, 0x5421, 0x5450, 0x5451)  # TCGETS, TIOCGWINSZ, FIONREAD, FIONBIO, FIONCLEX, FIOCLEX

#: A connected stream pair is what asyncio wakes itself with; it can be connected to nothing else.
_STREAM_PAIR = [
    _low(0),
    (_JEQ, 1, 0, 1),  # AF_UNIX
    _REFUSE,
    _low(1),
    (_AND, 0, 0, 0xF),
    (_JEQ, 1, 0, 1),  # SOCK_STREAM
    _REFUSE,
    _PERMIT,
]
_NO_OUT_OF_BAND = [_low(3), (_JSET, 0, 1, 1), _REFUSE]
_NO_ADDRESS = [*_NO_OUT_OF_BAND, _low(4), (_JEQ, 1, 0, 0), _REFUSE, _high(4), (_JEQ, 1, 0, 0), _REFUSE, _PERMIT]
_CONDITIONAL = {
    "fcntl": _one_of(1, _FCNTL),
    "ioctl": _one_of(1, _IOCTL),
    "socketpair": _STREAM_PAIR,
    "sendto": _NO_ADDRESS,
    "recvfrom": [*_NO_OUT_OF_BAND, _PERMIT],
    "close_range": _one_of(
        2, (0, 4)
    ),  # not CLOSE_RANGE_UNSHARE: a table of descriptors per thread multiplies the limit
}


def _case(name: str, machine: str, block: Sequence[Instruction]) -> list[Instruction]:
    """If the call is `name`, run the block, which must end in a return. Nothing where the machine lacks the call."""
    nr = syscalls.number(name, machine)
    return [] if nr is None else [(_JEQ, 0, len(block), nr), *block]


def parent_filter(machine: str, *, scratch: bool = False) -> list[Instruction]:
    """The allow-list; with `scratch`, also what changes folders (where, Landlock says).

    A call through a foreign interface (32 bit, x32) kills the process.
    """
    arch = syscalls.ARCHITECTURES[machine][0]
    code: list[Instruction] = [(_LOAD, 0, 0, _ARCH), (_JEQ, 1, 0, arch), (_RET, 0, 0, _KILL), (_LOAD, 0, 0, _NR)]
    if machine == "x86_64":
        code += [(_JGE, 0, 1, 0x40000000), (_RET, 0, 0, _KILL)]
    for name in syscalls.ALLOWED + (syscalls.SCRATCH if scratch else []):
        code += _case(name, machine, [_PERMIT])
    for name, block in _CONDITIONAL.items():
        code += _case(name, machine, block)
    for name in syscalls.ABSENT:
        code += _case(name, machine, [_errno(errno.ENOSYS)])
    return [*code, _REFUSE]


def _near(area: int) -> list[Instruction]:
    """A block for `mmap`: where the kernel likes, or in the 8 GiB in which the libraries are already.

    Pages far from each other would each need tables of their own, which no limit counts.
    """
    anywhere = [_high(0), (_JEQ, 0, 3, 0), _low(0), (_JEQ, 0, 1, 0), _PERMIT]
    return [*anywhere, _high(0), (_JEQ, 1, 0, area), (_JEQ, 0, 1, area - 1), _PERMIT, _REFUSE]


def library_area() -> int:
    """The high word of the addresses at which this process has its libraries."""
    address = ctypes.cast(_libc.getpid, ctypes.c_void_p).value or 0
    return address >> 32


def child_filter(machine: str, pid: int, area: int) -> list[Instruction]:
    """What a child loses on top: new processes (threads stay), signals to others, changing its limits and layers.

    `area`: see `library_area`.
    """
    threads = [_low(0), (_AND, 0, 0, _THREAD_FLAGS | _NAMESPACE_FLAGS), (_JEQ, 1, 0, _THREAD_FLAGS), _REFUSE, _PERMIT]
    own_limits = [
        _low(0),
        (_JEQ, 1, 0, 0),
        _REFUSE,
        _low(1),
        (_JEQ, 0, 1, resource.RLIMIT_STACK),
        _PERMIT,
        _low(2),
        (_JEQ, 1, 0, 0),
        _REFUSE,
        _high(2),
        (_JEQ, 1, 0, 0),
        _REFUSE,
        _PERMIT,
    ]
    code: list[Instruction] = [(_LOAD, 0, 0, _NR)]
    code += _case("clone", machine, threads)
    code += _case("mmap", machine, _near(area))
    code += _case("mremap", machine, [_low(3), (_JSET, 0, 1, 2), _REFUSE, _PERMIT])  # MREMAP_FIXED
    for name, signal_argument in (("kill", 1), ("tgkill", 2)):
        # Not SIGKILL either: that a process died of it must mean that the kernel or the host ended it.
        own = [
            _low(0),
            (_JEQ, 1, 0, pid),
            _REFUSE,
            _low(signal_argument),
            (_JEQ, 0, 1, signal.SIGKILL),
            _REFUSE,
            _PERMIT,
        ]
        code += _case(name, machine, own)
    code += _case("prctl", machine, _one_of(0, [PR_SET_NAME, PR_GET_NAME, PR_SET_VMA]))
    code += _case("setrlimit", machine, _one_of(0, [resource.RLIMIT_STACK]))
    code += _case("prlimit64", machine, own_limits)
    for name in syscalls.CHILD_LOSES:
        code += _case(name, machine, [_REFUSE])
    return [*code, _PERMIT]


class _Program(ctypes.Structure):
    _fields_ = (("len", ctypes.c_ushort), ("filter", ctypes.c_void_p))


class Filter:
    """A filter program in memory, ready to install."""

    def __init__(self, code: Sequence[Instruction]) -> None:
        packed = b"".join(struct.pack("=HBBI", *instruction) for instruction in code)
        self._buffer = ctypes.create_string_buffer(packed, len(packed))
        self._program = _Program(len(code), ctypes.addressof(self._buffer))
        self._address = ctypes.addressof(self._program)
        self._words = memoryview(self._buffer).cast("B").cast("I")

    def install(self) -> None:
        """Raises OSError."""
        _prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, self._address)

    def places(self, constant: int) -> list[int]:
        """Where the program holds this constant."""
        return [place for place in range(1, len(self._words), 2) if self._words[place] == constant]

    def put(self, places: Sequence[int], constant: int) -> None:
        for place in places:
            self._words[place] = constant


# Landlock --------------------------------------------------------------------------------------------------------

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_WRITE_FILE, _READ_FILE, _READ_DIR = 1 << 1, 1 << 2, 1 << 3
_NOT_IN_SCRATCH = 1 << 0 | 1 << 6 | 1 << 9 | 1 << 10 | 1 << 11  # execute; devices, sockets, pipes
_FILE_RIGHTS = {1: 13, 2: 14, 3: 15, 4: 15, 5: 16}  # ABI -> how many of the rights, lowest first, it knows


def landlock_abi() -> int:
    """The version of Landlock here, 0 where there is none."""
    try:
        return _syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), ctypes.c_uint(1))
    except OSError:
        return 0


def _landlock(readable: Sequence[str], *, scratch: bool = False) -> str:
    """Close the file system but for these files and folders; network and scopes where known. Raises OSError."""
    abi = landlock_abi()
    if abi < 1:
        raise OSError(errno.ENOSYS, "this kernel has no Landlock, or it is switched off (boot option lsm=)")
    files = (1 << _FILE_RIGHTS[min(abi, 5)]) - 1
    size = 24 if abi >= 6 else 16 if abi >= 4 else 8
    attributes = struct.pack("=QQQ", files, 0b11 if abi >= 4 else 0, 0b11 if abi >= 6 else 0)[:size]
    ruleset = _syscall(_CREATE_RULESET, attributes, ctypes.c_size_t(size), ctypes.c_uint(0))
    try:
        for path in readable:
            _allow_path(ruleset, path, _READ_FILE | _READ_DIR)
        _allow_path(ruleset, os.devnull, _READ_FILE | _WRITE_FILE)
        if scratch:
            _allow_path(ruleset, SCRATCH, files & ~_NOT_IN_SCRATCH)
        _syscall(_RESTRICT_SELF, ctypes.c_int(ruleset), ctypes.c_uint(0))
    finally:
        os.close(ruleset)
    return f"Landlock ABI {abi}"


def _allow_path(ruleset: int, path: str, rights: int) -> None:
    try:
        fd = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    try:
        if not os.path.isdir(path):
            rights &= ~_READ_DIR
        rule = struct.pack("=Qi", rights, fd)
        _syscall(_ADD_RULE, ctypes.c_int(ruleset), ctypes.c_int(1), rule, ctypes.c_uint(0))
    finally:
        os.close(fd)


# Privileges, namespaces, limits ----------------------------------------------------------------------------------


def _drop_capabilities() -> str:
    """Raises OSError."""
    for capability in range(64):
        try:
            _prctl(PR_CAPBSET_DROP, capability)
        except OSError as error:
            if error.errno == errno.EINVAL:  # past the last one that this kernel knows
                break
            if error.errno != errno.EPERM:  # without CAP_SETPCAP there is nothing in the set to be gained either
                raise
            break
    header = struct.pack("=Ii", 0x20080522, 0)
    number = syscalls.number("capset", platform.machine())
    _syscall(number or 0, header, bytes(24))
    return ""


def _namespaces(more: int = 0) -> str:
    """Raises OSError where they are not permitted."""
    user, group = os.geteuid(), os.getegid()
    if _libc.unshare(ctypes.c_int(CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWIPC | more)) == 0:
        if more:  # who makes a file must have a number in the file system's namespace
            for file, text in (("uid_map", f"0 {user} 1"), ("setgroups", "deny"), ("gid_map", f"0 {group} 1")):
                Path(f"/proc/self/{file}").write_text(text)
        return "user, network and IPC"
    if _libc.unshare(ctypes.c_int(CLONE_NEWNET | CLONE_NEWIPC | more)) == 0:
        return "network and IPC"
    code = ctypes.get_errno()
    raise OSError(code, f"not permitted here: {os.strerror(code)}")


def _mounts() -> str:
    """Which mount namespace this process is in. Raises OSError."""
    return os.readlink("/proc/self/ns/mnt")


#: When the module was imported: before any namespace was left. Where /proc does not say, no scratch folder is made.
try:
    _MOUNTS_AT_START = _mounts()
except OSError:
    _MOUNTS_AT_START = ""


def _scratch(size: int) -> str:
    """An empty file system in memory, seen by this process and its children alone. Raises OSError."""
    if _MOUNTS_AT_START in (
        "",
        _mounts(),
    ):  # this is still everybody's: a mount here would hide the machine's own folder
        raise OSError(errno.EPERM, "a mount namespace is not permitted here")
    _mount(None, b"/", None, MS_REC | MS_PRIVATE, None)
    options = f"size={size},nr_inodes={SCRATCH_FILES},mode=700"
    _mount(b"scratch", SCRATCH.encode(), b"tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, options.encode())
    return f"{size} bytes, {SCRATCH_FILES} files"


def _mount(source: bytes | None, target: bytes, kind: bytes | None, flags: int, options: bytes | None) -> None:
    if _libc.mount(source, target, kind, ctypes.c_ulong(flags), options) != 0:
        code = ctypes.get_errno()
        raise OSError(code, f"a private file system cannot be mounted here: {os.strerror(code)}")


def _no_new_privs() -> str:
    _prctl(PR_SET_NO_NEW_PRIVS, 1)
    _prctl(PR_SET_DUMPABLE, 0)  # nobody traces it or reads its memory
    return ""


def _parent_limits() -> str:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _, hard = resource.getrlimit(resource.RLIMIT_STACK)
    if hard == resource.RLIM_INFINITY or hard >= STACK_SIZE:
        resource.setrlimit(resource.RLIMIT_STACK, (STACK_SIZE, hard))
    _, hard = resource.getrlimit(resource.RLIMIT_SIGPENDING)  # queued signals are counted by user
    resource.setrlimit(resource.RLIMIT_SIGPENDING, (64, 64) if hard < 0 or hard > 64 else (hard, hard))
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(256, hard), hard))
    return ""


def lock_down(readable: Sequence[str], scratch: int = 0) -> list[Layer]:
    """Install the layers of the warm parent, from which every child inherits; one record per layer, in order.

    The process must have one thread. `readable`: files and folders that stay readable. `scratch`: bytes of a folder
    that can be written, if not 0.
    """
    layers = [_try("limits", _parent_limits)]
    layers.append(_try("namespaces", _namespaces, CLONE_NEWNS if scratch else 0))
    if scratch:
        layers.append(_try("scratch", _scratch, scratch))
    writable = layers[-1]["layer"] == "scratch" and layers[-1]["active"]
    layers.append(_try("capabilities", _drop_capabilities))
    layers.append(_try("no_new_privs", _no_new_privs))  # after the credentials changed: that undoes half of it
    landlock = _try("landlock_files", lambda: _landlock(readable, scratch=writable))
    abi = landlock_abi() if landlock["active"] else 0
    layers.append(landlock)
    layers.append(layer("landlock_network", abi >= 4, "" if abi >= 4 else f"Landlock ABI {abi} has no network rules"))
    layers.append(layer("landlock_scopes", abi >= 6, "" if abi >= 6 else f"Landlock ABI {abi} has no scopes"))
    layers.append(_try("seccomp", lambda: _install_parent_filter(scratch=writable)))
    return layers


def _install_parent_filter(*, scratch: bool) -> str:
    machine = platform.machine()
    if machine not in syscalls.ARCHITECTURES:
        raise OSError(errno.ENOSYS, f"no system call table for {machine}")
    Filter(parent_filter(machine, scratch=scratch)).install()
    return machine


_PID_PLACE = 0x7ABCDEF1  # stands for the child's own process id until the fork


class ChildLock:
    """What each child applies to itself right after the fork. Built once, in the warm parent."""

    def __init__(self, *, required: bool) -> None:
        machine = platform.machine()
        known = machine in syscalls.ARCHITECTURES
        self._filter = Filter(child_filter(machine, _PID_PLACE, library_area())) if known else None
        self._places = self._filter.places(_PID_PLACE) if self._filter else []
        self._required = required
        kinds = (resource.RLIMIT_AS, resource.RLIMIT_CPU, resource.RLIMIT_FSIZE, resource.RLIMIT_NOFILE)
        hard = [resource.getrlimit(kind)[1] for kind in kinds]
        # RLIM_INFINITY is -1
        self._most = [(kind, most if most >= 0 else sys.maxsize) for kind, most in zip(kinds, hard, strict=True)]

    def apply(self, parent: int, memory: int, cpu: int, file_size: int, open_files: int) -> None:
        """Limits (bytes of address space in all, seconds of CPU in all), death with the parent, the second filter.

        Raises OSError or ValueError where one of them fails and is required.
        """
        for (kind, most), amount in zip(self._most, (memory, cpu, file_size, open_files), strict=True):
            amount = min(amount, most)
            resource.setrlimit(kind, (amount, amount))
        try:
            self._narrow(parent)
        except OSError:
            if self._required:
                raise

    def _narrow(self, parent: int) -> None:
        _prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(0)
        if self._filter is None:
            raise OSError(errno.ENOSYS, f"no system call table for {platform.machine()}")
        self._filter.put(self._places, os.getpid())
        self._filter.install()


def probe(lock: ChildLock, memory: int) -> Layer:
    """Fork a child that locks itself and then tries what is forbidden: the layer `child_filter`."""
    tries = {"open a file": _try_file, "signal its parent": _try_signal, "start a process": _try_fork}
    parent = os.getpid()
    pid = os.fork()
    if pid == 0:
        failed = 1 << len(tries)
        try:
            lock.apply(parent, memory, 60, 0, 64)
            failed = sum(1 << bit for bit, attempt in enumerate(tries.values()) if not attempt())
        finally:
            os._exit(failed)
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    if status == 0:
        return layer("child_filter", True)
    got = (
        [name for bit, name in enumerate(tries) if status >> bit & 1] if status > 0 else ["live through its own set-up"]
    )
    return layer("child_filter", False, f"a probe could {', '.join(got) or 'not set itself up'}")


def _try_file() -> bool:
    """Each of these returns whether the kernel refused."""
    try:
        os.close(os.open("/proc/self/environ", os.O_RDONLY))
    except PermissionError:
        return True
    return False


def _try_signal() -> bool:
    try:
        os.kill(os.getppid(), 0)
    except PermissionError:
        return True
    return False


def _try_fork() -> bool:
    try:
        pid = os.fork()
    except PermissionError:
        return True
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)
    return False

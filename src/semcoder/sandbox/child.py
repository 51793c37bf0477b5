"""The untrusted side: the warm parent that forks, the child that runs one job, and the task that calls a program.

A *task* is named `"package.module:factory"`. `factory(payload)` gets the job's JSON-able payload in the child and
returns a callable; that is called as `call(item, limits)` once per item, with the item and the job's limits as a dict
of the fields of `Limits` (`stdout` and `result` in bytes, say), and returns a document of plain JSON data. Both run in
the child, after everything is locked: task modules are imported in the warm parent before, and must import all they
need when they are imported. `MemoryError` from either means `memory`, `UsageError` means `invalid` (with its message),
any other exception `exited`; a document of more than `limits["result"]` bytes of JSON means `output_limit`.

Guarantees: each child runs one job, in a process of its own that holds no descriptor but its job's channel; the warm
parent never reads what a child writes, so that nothing a program does reaches the next one.
It does not judge: whatever a child says is a claim of the program about itself, which the host bounds and checks.

Wire: on the channel both ways, frames of 4 bytes of length (big-endian) and JSON. The host sends the job's header and
then its items; the child sends `{"ready": true}` once the factory is done, then one frame per item.

Runs inside the sandbox: standard library only.
"""

from __future__ import annotations

import _sitebuiltins
import _socket
import builtins
import gc
import importlib
import json
import os
import resource
import select
import shutil
import signal
import sys
import time
import types
from collections.abc import Callable
from typing import Any, NoReturn

from semcoder.core.calling import MODULE_NAME, SAMPLE, Caller
from semcoder.errors import UsageError
from semcoder.sandbox import EXIT_MEMORY, policy

Call = Callable[[Any, dict[str, Any]], Any]

_PAGE = os.sysconf("SC_PAGE_SIZE")
#: After eight runs the interpreter specialises code, and specialised code settles within as many again.
_REPETITIONS = 20
_REHEARSAL_LIMITS = {"stdout": 1 << 20, "result": 1 << 20}
_dumps = json.JSONEncoder(separators=(",", ":")).encode
_scan = json.JSONDecoder().raw_decode
_exit = os._exit
_read, _write = os.read, os.write
_ONE_FD = _socket.CMSG_SPACE(4)

# What a program touched -----------------------------------------------------------------------------------------

#: Audit events that reach outside. Of those that name a path first, paths of the interpreter's library are excused.
_PATH_EVENTS = frozenset({"open", "os.listdir", "os.scandir", "os.walk", "os.fwalk", "glob.glob", "glob.glob/2"})
_EVENTS = _PATH_EVENTS | frozenset(
    {
        "os.chdir",
        "os.chflags",
        "os.chmod",
        "os.chown",
        "os.exec",
        "os.fork",
        "os.forkpty",
        "os.getxattr",
        "os.kill",
        "os.killpg",
        "os.link",
        "os.listxattr",
        "os.lockf",
        "os.mkdir",
        "os.posix_spawn",
        "os.remove",
        "os.removexattr",
        "os.rename",
        "os.rmdir",
        "os.setxattr",
        "os.spawn",
        "os.startfile",
        "os.symlink",
        "os.system",
        "os.truncate",
        "os.utime",
        "pty.spawn",
        "shutil.chown",
        "shutil.copyfile",
        "shutil.copymode",
        "shutil.copystat",
        "shutil.copytree",
        "shutil.make_archive",
        "shutil.move",
        "shutil.rmtree",
        "shutil.unpack_archive",
        "subprocess.Popen",
        "tempfile.mkdtemp",
        "tempfile.mkstemp",
        "socket.bind",
        "socket.connect",
        "socket.getaddrinfo",
        "socket.gethostbyaddr",
        "socket.gethostbyname",
        "socket.gethostname",
        "socket.getnameinfo",
        "socket.getservbyname",
        "socket.getservbyport",
        "socket.sendmsg",
        "socket.sendto",
        "socket.sethostname",
        "socket.__new__",
        "urllib.Request",
        "http.client.connect",
        "ftplib.connect",
        "smtplib.connect",
        "imaplib.open",
        "poplib.connect",
        "telnetlib.Telnet.open",
        "nntplib.connect",
        "sqlite3.connect",
        "webbrowser.open",
        "dbm.open",
        "syslog.openlog",
        "syslog.syslog",
        "ctypes.dlopen",
        "signal.pthread_kill",
        "resource.setrlimit",
        "resource.prlimit",
        "fcntl.flock",
        "fcntl.lockf",
    }
)
_AF_UNIX = 1
_seen: set[str] = set()


class _Watch:
    """What the audit hook knows: the library's folders, and whether a program runs."""

    libraries: tuple[str, ...] = ()
    armed = False


def _audit(event: str, args: tuple[Any, ...]) -> None:
    if event not in _EVENTS or not _Watch.armed:
        return
    if event in _PATH_EVENTS and args and _excused(args[0]):
        return
    if event == "socket.__new__" and len(args) > 1 and args[1] == _AF_UNIX:
        return  # the pair with which an event loop wakes itself; anything else that is local is refused by the kernel
    _seen.add(event)


def _excused(path: Any) -> bool:
    """Whether a path names a library file, or is no path (a descriptor that the program has already)."""
    if isinstance(path, int):
        return True
    if isinstance(path, bytes):
        path = path.decode(errors="replace")
    return isinstance(path, str) and path.startswith(_Watch.libraries) and ".." not in path


def touched() -> list[str]:
    """Audit events by which the program tried to reach outside since the last call of this function, sorted."""
    names = sorted(_seen)
    _seen.clear()
    return names


# The task of programs -------------------------------------------------------------------------------------------


def run_task(payload: dict[str, Any]) -> Call:
    """Calls of one program. Payload `{"source": text}`; item `[kind, text, setup]` of an `Invocation`.

    Each document is an outcome's wire form and `"touched"`: the list of `touched()`.
    """
    try:
        caller = Caller(payload["source"])
    except UsageError as error:
        refused = {"status": "invalid", "detail": str(error), "touched": []}
        return lambda item, limits: refused

    def call(item: tuple[str, str, str], limits: dict[str, Any]) -> dict[str, Any]:
        _seen.clear()
        outcome = caller.call(item, stdout_limit=limits["stdout"])
        outcome["touched"] = touched()
        return outcome

    return call


#: Factory, payload and item of what runs before the first program (see `_settle`).
REHEARSALS = [("run_task", {"source": SAMPLE}, ("expr", "f([1, 2, 3])", ""))]


# The child -------------------------------------------------------------------------------------------------------


class _Channel:
    """Frames over one descriptor."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._pending = b""

    def receive(self) -> Any:
        size = int.from_bytes(self._exactly(4), "big")
        return _scan(self._exactly(size).decode(), 0)[0]

    def _exactly(self, size: int) -> bytes:
        chunks, have = [self._pending], len(self._pending)
        while have < size:
            chunk = _read(self._fd, 1 << 18)
            if not chunk:
                _exit(0)  # the host is gone
            chunks.append(chunk)
            have += len(chunk)
        data = b"".join(chunks)
        self._pending = data[size:]
        return data[:size]

    def send(self, body: bytes) -> None:
        frame = memoryview(len(body).to_bytes(4, "big") + body)
        while frame:
            frame = frame[_write(self._fd, frame) :]


def _work(fd: int) -> None:
    """One job: the header, the factory, every item."""
    channel = _Channel(fd)
    header = channel.receive()
    limits, result_limit = header["limits"], header["limits"]["result"]
    module, _, factory = header["task"].partition(":")
    _Watch.armed = True
    try:
        call: Call = getattr(sys.modules[module], factory)(header["payload"])
    except UsageError as error:
        call = _always(UsageError(str(error)))
    if header["count"] - header["first"] > 1:
        channel.send(b'{"ready":true}')
    replies = _Conversation.current = _Conversation(channel, header["first"], _peak())
    while replies.next < header["count"]:
        item = replies.receive()
        replies.send(*_attempt(call, item, limits, result_limit))


class _Conversation:
    """Items in and replies out, in order."""

    current: _Conversation

    def __init__(self, channel: _Channel, first: int, baseline: int) -> None:
        self._channel = channel
        self._baseline = baseline
        self._cpu = self._wall = 0.0
        self.next = first

    def receive(self) -> Any:
        item = self._channel.receive()
        self._cpu, self._wall = time.process_time(), time.perf_counter()
        return item

    def send(self, status: str, detail: str, data: str) -> None:
        """`data` is JSON text."""
        usage = [time.process_time() - self._cpu, time.perf_counter() - self._wall, _peak() - self._baseline]
        head = _dumps({"item": self.next, "status": status, "detail": detail, "usage": usage})
        self._channel.send(f'{head[:-1]},"data":{data}}}'.encode())
        self.next += 1


def exchange(document: Any) -> Any:
    """For tasks: give this as the reply to the current item, without returning, and get the next item."""
    conversation = _Conversation.current
    conversation.send("returned", "", _dumps(document))
    return conversation.receive()


def _peak() -> int:
    """The most bytes of memory that this process ever held at a time."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _always(error: UsageError) -> Call:
    def refuse(item: Any, limits: dict[str, Any]) -> Any:
        raise error

    return refuse


def _attempt(call: Call, item: Any, limits: dict[str, Any], result_limit: int) -> tuple[str, str, str]:
    """Status, detail and the JSON text of the document."""
    try:
        text = _dumps(call(item, limits))
        if len(text) > result_limit:
            return "output_limit", f"the result takes more than {result_limit} bytes", "null"
        return "returned", "", text
    except MemoryError:
        return "memory", "the program asked for more memory than the limit allows", "null"
    except UsageError as error:
        return "invalid", str(error)[:1000], "null"
    except RecursionError:
        return "exited", "the result could not be written: it is nested too deep", "null"
    except BaseException as error:  # the program's doing, or a fault of the task: the host has to hear of either
        return "exited", f"the task stopped with {type(error).__name__}: {str(error)[:300]}", "null"


def _run_child(server: _Server, fd: int, start: list[int]) -> NoReturn:
    """Everything that a child does. Never returns, whatever happens."""
    code = 1
    try:
        try:
            server.lock_child(start)
        except (OSError, ValueError) as error:
            # The control socket is still open here, and only here: no program can send this message.
            server.fail(start[0], f"a child could not be locked: {error}")
            _exit(code)
        if fd != 3:
            os.dup2(fd, 3)
        os.closerange(4, server.descriptors)
        gc.enable()
        _work(3)
        code = 0
    except MemoryError:
        code = EXIT_MEMORY
    finally:
        _exit(code)


# The warm parent -------------------------------------------------------------------------------------------------


class _Server:
    """Forks one child at a time, as told on the control socket, until the host is gone.

    Messages in, decimal numbers: with the channel's descriptor, to start, `serial cpu memory file_size open_files`
    (seconds, bytes, bytes, a count); without one, to stop, `serial grace` (milliseconds). Messages out, JSON:
    `{"started": serial, "pid"}` or `{"failed": serial, "detail"}`, and after a stop with a serial other than 0
    `{"ended": serial, "code", "alive", "cpu_s", "memory"}`: the exit code (negative: a signal), and whether the child
    had to be killed.

    Between two forks it does as little as it can: what it writes to, it shares with the last child, and has to copy.
    """

    def __init__(self, control: _socket.socket, host_fd: int, lock: policy.ChildLock) -> None:
        self._control = control
        self._host_fd = host_fd
        self._lock = lock
        self._pid = os.getpid()
        self._threads = os.open("/proc/self/task", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        self._child = 0
        self._poll = select.poll()
        for fd in (control.fileno(), host_fd):
            self._poll.register(fd, select.POLLIN)
        self.memory = (0, 0)
        self.scratch = ""
        self.descriptors = max(map(int, os.listdir("/proc/self/fd"))) + 64  # none of a child has a higher number

    def measure(self) -> tuple[int, int]:
        """Bytes of address space, and of resident memory of its own: the baseline above which limits count."""
        with open("/proc/self/statm", "rb") as file:
            pages = file.read().split()
        return int(pages[0]) * _PAGE, (int(pages[1]) - int(pages[2])) * _PAGE

    def single_threaded(self) -> bool:
        return os.fstat(self._threads).st_nlink == 3  # "." and ".." and the one thread

    def lock_child(self, start: list[int]) -> None:
        """In the child. Raises OSError, ValueError."""
        _, cpu, memory, file_size, open_files = start
        self._lock.apply(self._pid, self.memory[0] + memory, cpu, file_size, open_files)

    def loop(self) -> NoReturn:
        while True:
            for fd, _ in self._poll.poll():
                if fd == self._host_fd:
                    self._end()
            data, ancillary, _, _ = self._control.recvmsg(256, _ONE_FD)
            if not data:
                self._end()
            numbers = [int(part) for part in data.split()]
            if ancillary:
                self._start(numbers, int.from_bytes(ancillary[0][2], sys.byteorder))
            else:
                self._stop(*numbers)

    def _end(self) -> NoReturn:
        self._stop()
        _exit(0)

    def tell(self, message: bytes) -> None:
        try:
            self._control.send(message)
        except OSError:  # the host is gone
            self._end()

    def fail(self, serial: int, detail: str) -> None:
        self.tell(_dumps({"failed": serial, "detail": detail}).encode())

    def _start(self, start: list[int], fd: int) -> None:
        self._stop()
        if not self.single_threaded():
            self.fail(start[0], "the warm parent has more than one thread")
            os.close(fd)
            return
        try:
            pid = os.fork()
        except OSError as error:
            self.fail(start[0], f"no process could be started: {error}")
            os.close(fd)
            return
        if pid == 0:
            _run_child(self, fd, start)
        self._child = pid
        os.close(fd)
        self.tell(b'{"started":%d,"pid":%d}' % (start[0], pid))

    def _stop(self, serial: int = 0, grace: int = 0) -> None:
        """End the child, if there is one, `grace` milliseconds after now at the latest; a serial wants an answer."""
        pid, self._child = self._child, 0
        if not pid:
            if serial:
                self.tell(_dumps({"ended": serial, "code": 0, "alive": False, "cpu_s": 0.0, "memory": 0}).encode())
            return
        done, status, usage = os.wait4(pid, os.WNOHANG) if grace else (0, 0, None)
        until = time.monotonic() + grace / 1000
        while grace and not done and time.monotonic() < until:
            time.sleep(0.001)
            done, status, usage = os.wait4(pid, os.WNOHANG)
        if not done:
            os.kill(pid, signal.SIGKILL)  # one that ended before keeps the status that it ended with
            _, status, usage = os.wait4(pid, 0)
        if serial:
            assert usage is not None
            doc = {
                "ended": serial,
                "code": os.waitstatus_to_exitcode(status),
                "alive": not done,
                "cpu_s": usage.ru_utime + usage.ru_stime,
                "memory": max(usage.ru_maxrss * 1024 - self.memory[1], 0),
            }
            self.tell(_dumps(doc).encode())
        if self.scratch:
            _empty(self.scratch)


def _empty(folder: str) -> None:
    """Remove all that a program left in its folder. Where that fails the warm parent ends, and its folder with it."""
    limit = sys.getrecursionlimit()
    try:
        sys.setrecursionlimit(10_000)  # one folder in the other, as many as there may be
        for name in os.listdir(folder.encode()):
            path = os.path.join(folder.encode(), name)
            if os.path.isdir(path) and not os.path.islink(path):
                shutil.rmtree(path)
            else:
                os.unlink(path)
    except OSError:
        _exit(1)
    finally:
        sys.setrecursionlimit(limit)


def main() -> NoReturn:
    """The warm parent. Arguments as one JSON text: descriptors, what to import, what stays readable, the path."""
    config = json.loads(sys.argv.pop())
    sys.argv[:] = [""]
    control = _socket.socket(fileno=config["control"])
    try:
        sys.path[:] = [*sys.path, *config["boot_path"]]
        _add_site_builtins()
        _import_all(config)
        sys.path[:] = [path for path in sys.path if path not in config["boot_path"] or path in config["readable"]]
        _Watch.libraries = tuple(config["libraries"])
        sys.addaudithook(_audit)
        _settle(sys.modules[config["task"].partition(":")[0]])
        lock = policy.ChildLock(required=not config["unsafe"])
        server = _Server(control, config["host"], lock)
        if not server.single_threaded():
            raise RuntimeError(f"importing {', '.join(config['preload'])} started threads; fork needs a single one")
        layers = _prepare(server, lock, config["readable"], config["scratch"])
    except Exception as error:  # whatever an import raises: the host reports it and no program runs
        control.send(_dumps({"error": f"{type(error).__name__}: {error}"}).encode())
        _exit(1)
    control.send(_dumps({"ready": layers}).encode())
    if not config["unsafe"] and any(row["required"] and not row["active"] for row in layers):
        _exit(1)
    server.loop()


def _import_all(config: dict[str, Any]) -> None:
    """Import what children need."""
    for name in config["preload"]:
        importlib.import_module(name)
    module, _, factory = config["task"].partition(":")
    if not callable(getattr(importlib.import_module(module), factory, None)):
        raise ImportError(f"{module} has no task {factory!r}")


def _settle(module: types.ModuleType) -> None:
    """Run the samples of the task's module, here, before anything is locked or forked.

    The first runs of a piece of code change it in memory (the interpreter specialises it, fills caches), and in a
    child every page that changes is one to be copied: children of a parent that has settled are a sixth cheaper.
    """
    for factory, payload, item in getattr(module, "REHEARSALS", ()):
        for _ in range(_REPETITIONS):
            call = getattr(module, factory)(_scan(_dumps(payload), 0)[0])
            _attempt(call, item, _REHEARSAL_LIMITS, _REHEARSAL_LIMITS["result"])
    sys.modules.pop(MODULE_NAME, None)
    _seen.clear()


def _add_site_builtins() -> None:
    """`exit` and its like, which programs know, and which an interpreter started without `site` lacks."""
    for name in ("exit", "quit"):
        setattr(builtins, name, _sitebuiltins.Quitter(name, "Ctrl-D"))
    builtins.help = _sitebuiltins._Helper()


def _prepare(server: _Server, lock: policy.ChildLock, readable: list[str], scratch: int) -> list[policy.Layer]:
    os.chdir("/")
    null = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
    for fd in (0, 1, 2):
        os.dup2(null, fd)
    os.close(null)
    gc.collect()
    gc.disable()
    gc.freeze()  # a collection in a child would copy every page that holds an object
    server.memory = server.measure()
    layers = policy.lock_down(readable, scratch)
    if any(row["layer"] == "scratch" and row["active"] for row in layers):
        server.scratch = policy.SCRATCH
        os.chdir(policy.SCRATCH)
    return [*layers, policy.probe(lock, server.memory[0] + (64 << 20))]

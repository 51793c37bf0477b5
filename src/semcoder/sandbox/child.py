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
import signal
import sys
import time
from collections.abc import Callable
from typing import Any, NoReturn

from semcoder.core.calling import Caller, outcome_doc
from semcoder.core.records import Invocation, Outcome
from semcoder.errors import UsageError
from semcoder.sandbox import EXIT_MEMORY, policy

Call = Callable[[Any, dict[str, Any]], Any]

_PAGE = os.sysconf("SC_PAGE_SIZE")
_dumps = json.JSONEncoder(separators=(",", ":")).encode
_loads = json.JSONDecoder().decode
_exit = os._exit
_read, _write = os.read, os.write

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
    """Calls of one program. Payload `{"source": text}`; item `{"kind", "text", "setup"}` as in `Invocation`.

    Each document is an outcome's wire form (`outcome_doc`) and `"touched"`: the list of `touched()`.
    """
    try:
        caller = Caller(payload["source"])
    except UsageError as error:
        refused = {**outcome_doc(Outcome("invalid", detail=str(error))), "touched": []}
        return lambda item, limits: refused

    def call(item: dict[str, str], limits: dict[str, Any]) -> dict[str, Any]:
        touched()
        invocation = Invocation(item["text"], item["kind"], item["setup"])  # type: ignore[arg-type]
        outcome = caller.call(invocation, stdout_limit=limits["stdout"])
        return {**outcome_doc(outcome), "touched": touched()}

    return call


# The child -------------------------------------------------------------------------------------------------------


class _Channel:
    """Frames over one descriptor."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._pending = b""

    def receive(self) -> Any:
        size = int.from_bytes(self._exactly(4), "big")
        return _loads(self._exactly(size).decode())

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
    baseline = _peak()
    limits, result_limit = header["limits"], header["limits"]["result"]
    module, _, factory = header["task"].partition(":")
    _Watch.armed = True
    try:
        call: Call = getattr(sys.modules[module], factory)(header["payload"])
    except UsageError as error:
        call = _always(UsageError(str(error)))
    if header["count"] - header["first"] > 1:
        channel.send(b'{"ready":true}')
    for index in range(header["first"], header["count"]):
        item = channel.receive()
        cpu, wall = time.process_time(), time.perf_counter()
        status, detail, data = _attempt(call, item, limits, result_limit)
        usage = [time.process_time() - cpu, time.perf_counter() - wall, _peak() - baseline]
        head = _dumps({"item": index, "status": status, "detail": detail, "usage": usage})
        channel.send(f'{head[:-1]},"data":{data}}}'.encode())


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


def _run_child(server: _Server, fd: int, start: dict[str, Any]) -> NoReturn:
    """Everything that a child does. Never returns, whatever happens."""
    code = 1
    try:
        try:
            server.lock_child(start)
        except (OSError, ValueError) as error:
            # The control socket is still open here, and only here: no program can send this message.
            server.tell({"failed": start["serial"], "detail": f"a child could not be locked: {error}"})
            _exit(code)
        if fd != 3:
            os.dup2(fd, 3)
        os.closerange(4, 256)
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

    Messages in: `{"op": "start", "serial", "cpu", "limits"}` with the channel's descriptor; `{"op": "stop", "serial",
    "grace"}`. Messages out: `{"started": serial, "pid"}` or `{"failed": serial, "detail"}`, and after a stop with a
    serial other than 0 `{"ended": serial, "code", "alive", "cpu_s", "memory"}`: the exit code (negative: a signal), and
    whether the child had to be killed.
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

    def measure(self) -> tuple[int, int]:
        """Bytes of address space, and of resident memory of its own: the baseline above which limits count."""
        with open("/proc/self/statm", "rb") as file:
            pages = file.read().split()
        return int(pages[0]) * _PAGE, (int(pages[1]) - int(pages[2])) * _PAGE

    def single_threaded(self) -> bool:
        return os.fstat(self._threads).st_nlink == 3  # "." and ".." and the one thread

    def lock_child(self, start: dict[str, Any]) -> None:
        """In the child. Raises OSError, ValueError."""
        limits = start["limits"]
        space = self.memory[0] + limits["memory"]
        self._lock.apply(self._pid, space, start["cpu"], limits["file_size"], limits["open_files"])

    def loop(self) -> NoReturn:
        while True:
            ready = [fd for fd, _ in self._poll.poll()]
            if self._host_fd in ready:
                self._end()
            data, ancillary, _, _ = self._control.recvmsg(65536, _socket.CMSG_SPACE(4))
            if not data:
                self._end()
            message = _loads(data.decode())
            if message["op"] == "start":
                self._start(message, int.from_bytes(ancillary[0][2], sys.byteorder))
            else:
                ended = self._stop(message["serial"], message["grace"])
                if message["serial"]:
                    self.tell(ended)

    def _end(self) -> NoReturn:
        self._stop(0, 0.0)
        _exit(0)

    def tell(self, message: dict[str, Any]) -> None:
        try:
            self._control.send(_dumps(message).encode())
        except OSError:  # the host is gone
            self._end()

    def _start(self, message: dict[str, Any], fd: int) -> None:
        self._stop(0, 0.0)
        if not self.single_threaded():
            self.tell({"failed": message["serial"], "detail": "the warm parent has more than one thread"})
            os.close(fd)
            return
        try:
            pid = os.fork()
        except OSError as error:
            self.tell({"failed": message["serial"], "detail": f"no process could be started: {error}"})
            os.close(fd)
            return
        if pid == 0:
            _run_child(self, fd, message)
        self._child = pid
        os.close(fd)
        self.tell({"started": message["serial"], "pid": pid})

    def _stop(self, serial: int, grace: float) -> dict[str, Any]:
        """End the child, if there is one. With `grace` seconds, give it that long to end of itself."""
        pid, self._child = self._child, 0
        if not pid:
            return {"ended": serial, "code": 0, "alive": False, "cpu_s": 0.0, "memory": 0}
        until = time.monotonic() + grace
        done, status, usage = os.wait4(pid, os.WNOHANG)
        while not done and time.monotonic() < until:
            time.sleep(0.001)
            done, status, usage = os.wait4(pid, os.WNOHANG)
        if not done:
            os.kill(pid, signal.SIGKILL)
            _, status, usage = os.wait4(pid, 0)
        return {
            "ended": serial,
            "code": os.waitstatus_to_exitcode(status),
            "alive": not done,
            "cpu_s": usage.ru_utime + usage.ru_stime,
            "memory": max(usage.ru_maxrss * 1024 - self.memory[1], 0),
        }


def main() -> NoReturn:
    """The warm parent. Arguments as one JSON text: descriptors, what to import, what stays readable, the path."""
    config = json.loads(sys.argv.pop())
    sys.argv[:] = [""]
    control = _socket.socket(fileno=config["control"])
    try:
        sys.path[:] = [*sys.path, *config["boot_path"]]
        _add_site_builtins()
        broken = _import_all(config)
        sys.path[:] = [path for path in sys.path if path not in config["boot_path"] or path in config["readable"]]
        _Watch.libraries = tuple(config["libraries"])
        sys.addaudithook(_audit)
        lock = policy.ChildLock(required=not config["unsafe"])
        server = _Server(control, config["host"], lock)
        if not server.single_threaded():
            raise RuntimeError(f"importing {', '.join(config['preload'])} started threads; fork needs a single one")
        layers = _prepare(server, lock, config["readable"])
    except Exception as error:  # whatever an import raises: the host reports it and no program runs
        control.send(_dumps({"error": f"{type(error).__name__}: {error}"}).encode())
        _exit(1)
    control.send(_dumps({"ready": layers, "broken": broken}).encode())
    if not config["unsafe"] and any(row["required"] and not row["active"] for row in layers):
        _exit(1)
    server.loop()


def _import_all(config: dict[str, Any]) -> dict[str, str]:
    """Import what children need. A common task that does not import spoils its own jobs only: name -> why."""
    for name in config["preload"]:
        importlib.import_module(name)
    for task in config["tasks"]:
        module, _, factory = task.partition(":")
        if not callable(getattr(importlib.import_module(module), factory, None)):
            raise ImportError(f"{module} has no task {factory!r}")
    broken = {}
    for name in config["common"]:
        try:
            importlib.import_module(name)
        except Exception as error:
            broken[name] = f"{type(error).__name__}: {error}"
    return broken


def _add_site_builtins() -> None:
    """`exit` and its like, which programs know, and which an interpreter started without `site` lacks."""
    for name in ("exit", "quit"):
        setattr(builtins, name, _sitebuiltins.Quitter(name, "Ctrl-D"))
    builtins.help = _sitebuiltins._Helper()


def _prepare(server: _Server, lock: policy.ChildLock, readable: list[str]) -> list[policy.Layer]:
    os.chdir("/")
    null = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
    for fd in (0, 1, 2):
        os.dup2(null, fd)
    os.close(null)
    gc.collect()
    gc.disable()
    gc.freeze()  # a collection in a child would copy every page that holds an object
    server.memory = server.measure()
    layers = policy.lock_down(readable)
    return [*layers, policy.probe(lock, server.memory[0] + (64 << 20))]

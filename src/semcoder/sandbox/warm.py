"""A warm parent as the host sees it: an interpreter with everything imported and everything locked, ready to fork.

Guarantees: it starts with an allow-list of environment variables and without the host's descriptors; it ends when the
host closes it, drops it, or dies.
It does not run programs: its children do (`semcoder.sandbox.child`).
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import socket
import subprocess
import sys
import sysconfig
import tempfile
import time
import weakref
from pathlib import Path
from typing import IO, Any

from semcoder.errors import SandboxError, SandboxRefused

BOOT_TIMEOUT = 120.0
#: What short programs import most: an import costs a child more than all the rest that it does.
# fmt: off
PROGRAM_MODULES = (
    "bisect", "collections", "copy", "dataclasses", "datetime", "decimal", "fractions", "functools", "hashlib", "heapq",
    "itertools", "math", "operator", "random", "re", "statistics", "string", "typing",
)
# fmt: on


def library_folders() -> list[str]:
    """Folders of the running interpreter's modules: its own, and every site-packages on its path."""
    paths = sysconfig.get_paths()
    found = [paths["stdlib"], paths["platstdlib"], sysconfig.get_config_var("DESTSHARED") or ""]
    found += [path for path in sys.path if Path(path).name in ("site-packages", "dist-packages", "lib-dynload")]
    return [path for path in dict.fromkeys(found) if path and Path(path).is_dir()]


def _readable() -> list[str]:
    """What stays readable: library folders, the shared libraries they load, time zones."""
    multiarch = sysconfig.get_config_var("MULTIARCH") or ""
    shared = [f"{root}/{multiarch}" for root in ("/lib", "/usr/lib")] if multiarch else []
    shared = [path for path in shared if Path(path).is_dir()] or ["/lib64", "/usr/lib64", "/lib", "/usr/lib"]
    shared += [
        path for path in [sysconfig.get_config_var("LIBDIR")] if path and list(Path(path).glob("libpython*.so*"))
    ]
    found = [*library_folders(), *shared, "/etc/ld.so.cache", "/usr/share/zoneinfo", "/dev/urandom"]
    return list(dict.fromkeys([*found, *(os.path.realpath(path) for path in found)]))


def _environment(hash_seed: int) -> dict[str, str]:
    """The allow-list. A loader path may be what the interpreter starts with at all."""
    fixed = {
        "PYTHONHASHSEED": str(hash_seed),
        "LANG": "C.UTF-8",
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC",
        "HOME": "/",
        "PATH": "/usr/bin:/bin",
        "MALLOC_ARENA_MAX": "1",  # an arena per thread reserves address space that the memory limit counts
        **dict.fromkeys(["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS"], "1"),
    }
    loader = os.environ.get("LD_LIBRARY_PATH")
    return {**fixed, "LD_LIBRARY_PATH": loader} if loader else fixed


class WarmParent:
    """One warm parent process and the control socket to it. It serves one task: less memory, cheaper forks."""

    def __init__(self, task: str, preload: tuple[str, ...], hash_seed: int, unsafe: bool, scratch: int = 0) -> None:
        self.layers: list[dict[str, Any]] = []
        self.ready = False
        self._born = time.monotonic()
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115
        self.control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            host = os.pidfd_open(os.getpid())
        except OSError as error:
            raise SandboxRefused(f"nothing outlives its deadline: this kernel has no pidfd_open ({error})") from None
        readable = _readable()
        config = {
            "control": theirs.fileno(),
            "host": host,
            "boot_path": [p for p in [str(package_root()), *sys.path] if Path(p).is_absolute() and Path(p).is_dir()],
            "readable": readable,
            "libraries": [*readable, os.devnull],
            "preload": [*PROGRAM_MODULES, *preload],
            "task": task,
            "scratch": scratch,
            "unsafe": unsafe,
        }
        try:
            self.process = subprocess.Popen(
                [sys.executable, "-S", "-s", "-P", "-B", *boot_arguments("semcoder.sandbox.child", config)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=self._errors,
                pass_fds=(theirs.fileno(), host),
                env=_environment(hash_seed),
                start_new_session=True,  # a terminal's Ctrl-C is for the host, which ends the pool in order
            )
        finally:
            os.close(host)
            theirs.close()
        self._finalizer = weakref.finalize(self, _end_process, self.process, self.control, self._errors, os.getpid())

    def receive(self) -> dict[str, Any]:
        """The next message. Raises `SandboxError` if the process is gone."""
        try:
            data = self.control.recv(1 << 20)
        except ConnectionError:
            data = b""
        if not data:
            raise SandboxError(f"a warm parent of the sandbox died: {last_words(self._errors, self.process)}")
        message: dict[str, Any] = json.loads(data)
        return message

    def finish_boot(self, message: dict[str, Any], unsafe: bool) -> None:
        """Take the first message. Raises `SandboxError`, `SandboxRefused`."""
        if "error" in message:
            raise SandboxError(f"the sandbox could not start: {message['error']}")
        self.layers = message["ready"]
        text = "; ".join(
            f"{row['promise']} (layer {row['layer']}: {row['detail']})"
            for row in self.layers
            if row["required"] and not row["active"]
        )
        if text and not unsafe:
            raise SandboxRefused(
                f"this kernel cannot keep a promise: {text}; --unsafe (unsafe=True) goes on without it"
            )
        self.ready = True

    def boot_expired(self) -> bool:
        return not self.ready and time.monotonic() - self._born > BOOT_TIMEOUT

    def wait_ready(self, unsafe: bool) -> None:
        """Raises as `finish_boot`."""
        if not select.select([self.control], [], [], BOOT_TIMEOUT)[0]:
            raise SandboxError(f"a warm parent of the sandbox did not start within {BOOT_TIMEOUT:.0f} s")
        self.finish_boot(self.receive(), unsafe)

    def send(self, *message: int, fd: int | None = None) -> None:
        """Raises `SandboxError` if the process is gone."""
        data = b" ".join([b"%d" % number for number in message])
        try:
            if fd is None:
                self.control.send(data)
            else:
                socket.send_fds(self.control, [data], [fd])
        except (ConnectionError, BrokenPipeError):
            raise SandboxError(f"a warm parent of the sandbox died: {last_words(self._errors, self.process)}") from None

    def close(self) -> None:
        self._finalizer()


def _end_process(process: subprocess.Popen[bytes], control: socket.socket, errors: Any, owner: int) -> None:
    """The parent kills its child and ends when the socket closes; if it does not, it dies, and its child with it."""
    errors.close()
    if os.getpid() != owner:  # a copy in a forked process: its descriptors go, the processes are not its own
        control.close()
        return
    with contextlib.suppress(OSError):
        control.shutdown(socket.SHUT_RDWR)  # closing alone says nothing where a forked process holds a copy
    control.close()
    try:
        process.wait(2.0)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def last_words(errors: IO[bytes], process: subprocess.Popen[bytes]) -> str:
    """The last line that a process, which is ending, wrote on standard error; its exit code if it wrote none."""
    code = process.wait()
    errors.seek(0)
    lines = errors.read(65536).decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else f"exit code {code}"


def boot_arguments(module: str, settings: dict[str, Any]) -> list[str]:
    """What an interpreter needs to run `main()` of a module of this package, which finds its settings last in argv."""
    code = f"import sys; sys.path.append(sys.argv[1]); from {module} import main; main()"
    return ["-c", code, str(package_root()), json.dumps(settings)]


def package_root() -> Path:
    return Path(__file__).resolve().parents[2]

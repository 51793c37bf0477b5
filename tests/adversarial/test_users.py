"""The same refusals for root and for an unprivileged user, each with and without user namespaces."""

from __future__ import annotations

import functools
import json
import os
import platform
import shutil
import subprocess
import sys
from typing import Any

import pytest

from semcoder.sandbox.warm import package_root

pytestmark = pytest.mark.skipif(platform.system() != "Linux", reason="the sandbox is the Linux kernel's")
NOBODY = 65534
ROOT = package_root().parent

#: Run by each kind of user. Argument: whether namespaces are refused, as in a default container.
SCRIPT = r"""
import errno, json, os, platform, sys
from semcoder.core import Invocation, Program
from semcoder.sandbox import Limits, Sandbox, outcome_of, policy, program_job
from semcoder.sandbox.jobs import RUN_TASK
from semcoder.sandbox.warm import WarmParent
if sys.argv[1] == "without":
    number = {"x86_64": 272, "aarch64": 97}[platform.machine()]
    policy._no_new_privs()
    policy.Filter([(0x20, 0, 0, 0), (0x15, 0, 1, number), policy._errno(errno.EPERM), policy._PERMIT]).install()
TRY = '''
import ctypes, os, resource, signal, socket, subprocess, sys
libc = ctypes.CDLL(None, use_errno=True)
def check(result):
    if result < 0: raise PermissionError if ctypes.get_errno() in (1, 38) else OSError(ctypes.get_errno(), "failed")
def f():
    try: BODY
    except PermissionError: return "refused"
    except ValueError as error: return "refused" if "not allowed to raise" in str(error) else str(error)
    return "done"
'''
REFUSED = {
    "read a file": "open('/etc/passwd')",
    "read /proc": "open('/proc/self/environ')",
    "list a folder": "os.listdir('/tmp')",
    "write a file": "open('/tmp/semcoder-x', 'w')",
    "shared memory": "open('/dev/shm/semcoder-x', 'w')",
    "change a mode": "os.chmod('/tmp', 0o777)",
    "change root": "os.chroot('/tmp')",
    "mount": "check(libc.mount(b'x', b'/tmp', b'tmpfs', 0, None))",
    "unshare": "check(libc.unshare(0x10000000))",
    "enter a namespace": "check(libc.setns(0, 0))",
    "become another": "os.setuid(1)",
    "be root": "check(libc.setresuid(0, 0, 0))",
    "TCP": "socket.socket()",
    "UDP": "socket.socket(type=socket.SOCK_DGRAM)",
    "abstract socket": "socket.socket(socket.AF_UNIX)",
    "fork": "os.fork()",
    "subprocess": "subprocess.run(['true'])",
    "libc fork": "check(libc.fork())",
    "exec": "os.execv('/bin/true', ['true'])",
    "signal the parent": "os.kill(os.getppid(), 0)",
    "signal everybody": "os.kill(-1, signal.SIGKILL)",
    "signal a group": "os.killpg(0, signal.SIGKILL)",
    "trace": "check(libc.ptrace(16, os.getppid(), None, None))",
    "read memory": "open('/proc/%d/mem' % os.getppid(), 'rb')",
    "priority": "os.setpriority(os.PRIO_PROCESS, 0, 5)",
    "limits": "resource.setrlimit(resource.RLIMIT_AS, (-1, -1))",
    "limits of the parent": "resource.prlimit(os.getppid(), resource.RLIMIT_AS, (1, 1))",
    "System V memory": "check(libc.shmget(0, 4096, 0o1600))",
}
ENDS = {
    "loop": ("sum(iter(int, 1))", "timeout"),
    "sleep": ("import time; time.sleep(60)", "timeout"),
    "memory": ("bytearray(1 << 32)", "memory"),
    "exit": ("os._exit(0)", "exited"),
    "crash": ("os.abort()", "exited"),
    "output": ("print('x' * 10 ** 7)", "output_limit"),
}
def job(body):
    return program_job(Program(TRY.replace("BODY", body), "f"), [Invocation("f()")], Limits(cpu_s=0.3, wall_s=1.0))
honest = program_job(Program("def f(): return [1]", "f"), [Invocation("f()")])
with Sandbox(workers=2) as pool:
    bodies = {**REFUSED, **{name: body for name, (body, _) in ENDS.items()}}
    jobs = [j for body in bodies.values() for j in (job(body), honest)]
    found = dict(pool.execute_many(jobs))
outcomes = [outcome_of(found[place][0]) for place in range(len(jobs))]
wrong = {name: o.value.ref if o.value else o.status for name, o in zip(bodies, outcomes[::2])}
wrong = {name: got for name, got in wrong.items() if got != (ENDS[name][1] if name in ENDS else "refused")}
parent = WarmParent(RUN_TASK, (), 0, True)
parent.wait_ready(unsafe=True)
print(json.dumps({
    "uid": os.getuid(),
    "wrong": wrong,
    "honest": sorted({o.status for o in outcomes[1::2]}),
    "layers": {row["layer"]: row["active"] for row in parent.layers},
    "attacks": len(bodies),
}))
"""


@functools.cache
def interpreter_of_nobody() -> str | None:
    """An interpreter that an unprivileged user may read, and that finds the package."""
    path = shutil.which("python3", path="/usr/bin:/usr/local/bin")
    check = f"import sys; sys.path.append({str(ROOT / 'src')!r}); import semcoder.sandbox.host; assert sys.version_info >= (3, 11)"
    if (
        path is None
        or subprocess.run([path, "-c", check], user=NOBODY, group=NOBODY, extra_groups=[], check=False).returncode
    ):
        return None
    return path


@pytest.mark.parametrize("namespaces", ["with", "without"])
@pytest.mark.parametrize("user", ["root", "unprivileged"])
def test_every_kind_of_user_has_the_same_sandbox(user: str, namespaces: str) -> None:
    run: dict[str, Any] = {}
    interpreter: str | None = sys.executable
    if user == "root" and os.geteuid() != 0:
        pytest.skip("this user is not root")
    if user == "unprivileged" and os.geteuid() == 0:
        interpreter = interpreter_of_nobody()
        run = {"user": NOBODY, "group": NOBODY, "extra_groups": []}
    if interpreter is None:
        pytest.skip("no interpreter and package that an unprivileged user may read")
    done = subprocess.run(
        [interpreter, "-c", f"import sys; sys.path.append({str(ROOT / 'src')!r})\n{SCRIPT}", namespaces],
        cwd="/",
        env={"PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        **run,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    layers = found["layers"]
    if namespaces == "with" and not layers["namespaces"]:
        pytest.skip(f"this machine permits no namespaces for the {user} user")
    assert (found["uid"] == 0) == (user == "root")
    assert found["wrong"] == {}
    assert found["honest"] == ["returned"]
    assert found["attacks"] > 30
    assert layers["namespaces"] == (namespaces == "with")
    assert all(layers[name] for name in ("no_new_privs", "landlock_files", "seccomp", "child_filter", "limits"))


MOUNTING = """
import ctypes, errno, os, platform
libc = ctypes.CDLL(None, use_errno=True)
MS_REC_PRIVATE, CLONE_NEWNS = 0x44000, 0x20000
if libc.unshare(CLONE_NEWNS) or libc.mount(None, b"/", None, ctypes.c_ulong(MS_REC_PRIVATE), None):
    raise SystemExit("no mounts of its own")
from semcoder.sandbox import policy, report
number = {"x86_64": 272, "aarch64": 97}[platform.machine()]
policy._no_new_privs()
policy.Filter([(0x20, 0, 0, 0), (0x15, 0, 1, number), policy._errno(errno.EPERM), policy._PERMIT]).install()
before = open("/proc/self/mountinfo").read()
report()
print(open("/proc/self/mountinfo").read() == before)
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount without a namespace of its own")
def test_root_without_namespaces_keeps_the_mounts_of_the_host() -> None:
    """A private file system needs a private list of mounts. (What runs here has one, whatever happens.)"""
    code = f"import sys; sys.path.append({str(ROOT / 'src')!r})\n{MOUNTING}"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False, cwd="/"
    )
    if "no mounts of its own" in done.stderr:
        pytest.skip("this machine permits no mount namespace to try it in")
    assert done.stdout == "True\n", done

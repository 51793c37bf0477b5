"""What every attack shares: the honest programs beside it and after it, and ways to read how it is reported.

No test runner is needed here: the same attacks run under interpreters that have none.
"""

from __future__ import annotations

import contextlib
import os
import textwrap
from pathlib import Path
from typing import Any

from semcoder.core import Invocation, Outcome, Program, Value
from semcoder.sandbox import Limits, Sandbox, outcome_of, program_job

HONEST = Program("import json\ndef f(x):\n    print('n', x)\n    return json.dumps([x] * 3)", "f")
LIMITS = Limits(cpu_s=0.5, wall_s=2.0)
ANY_END = ("returned", "exited", "raised", "timeout", "memory", "invalid", "output_limit")


def attack(pool: Sandbox, source: str, *, call: str = "f()", limits: Limits = LIMITS) -> Outcome:
    """The outcome of a hostile program, with an honest one beside it, and one after it on each worker."""
    hostile = program_job(Program(textwrap.dedent(source), "f"), [Invocation(call)], limits)
    honest = program_job(HONEST, [Invocation("f(1)")])
    found = dict(pool.execute_many([hostile, honest]))
    after = dict(pool.execute_many([honest, honest]))
    for replies in (found[1], after[0], after[1]):
        outcome = outcome_of(replies[0])
        assert (outcome.status, outcome.value, outcome.stdout) == ("returned", Value.of("[1, 1, 1]"), "n 1\n"), outcome
    return outcome_of(found[0][0])


def returned(outcome: Outcome) -> Any:
    assert outcome.status == "returned", outcome
    assert outcome.value is not None
    return outcome.value.to_python()


#: Appended to a program that defines `attempt`: only a refusal by the kernel counts as one.
REFUSED = """
def f(*args):
    try:
        return ("done", str(attempt(*args)))
    except (PermissionError, BlockingIOError) as error:
        return ("refused", type(error).__name__)
    except OSError as error:
        return ("failed", type(error).__name__, error.errno)
"""
#: For attempts through the C library: `check` turns its -1 into an exception, and a forked copy ends loudly.
LIBC = """
import ctypes, errno, os
libc = ctypes.CDLL(None, use_errno=True)
home = os.getpid()
def check(result):
    if os.getpid() != home: os._exit(77)
    if result < 0:
        code = ctypes.get_errno()
        raise PermissionError(code, "no") if code in (errno.EPERM, errno.ENOSYS) else OSError(code, "failed")
    return result
"""


def refused(pool: Sandbox, source: str, *args: object) -> Outcome:
    call = f"f({', '.join(map(repr, args))})"
    outcome = attack(pool, textwrap.dedent(source) + REFUSED, call=call)
    found = returned(outcome)
    assert found[0] == "refused", outcome
    return outcome


def own_processes(root: int = 0) -> set[int]:
    """Every process below one (this one)."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
    root = root or os.getpid()
    found = {root}
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    return found - {root}


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))

"""Processes that the pipeline engine starts end with the build, even one that is killed and can tell them nothing.

Guarantees: on Linux, the engine's manager process and its workers get SIGKILL when their parent ends, however it ends.
Elsewhere nothing happens, and a killed build may leave idle processes behind.
"""

from __future__ import annotations

import ctypes
import functools
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def _kill_me_with_parent() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


@functools.cache
def die_with_this_process() -> None:
    """From now on, children that this process forks by `os.fork` (as multiprocessing does) end with it."""
    os.register_at_fork(after_in_child=_kill_me_with_parent)


def die_with_parent() -> None:
    """In a worker of the engine's pool: end when the server process that forked it ends. Elsewhere nothing happens."""
    import multiprocess.process  # type: ignore[import-untyped]

    if multiprocess.process.parent_process() is None:
        return
    _kill_me_with_parent()
    if os.getppid() == 1:  # the parent was gone before the kernel was asked
        os.kill(os.getpid(), signal.SIGKILL)

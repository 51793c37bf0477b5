"""One process at a time in a folder.

Guarantees: the kernel lets go of a folder however its holder ends; a second holder, in this process or another, is
refused. It binds only those who ask.
"""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from semcoder.errors import UsageError

#: Folders that this process holds.
_ours: set[Path] = set()


@contextmanager
def claimed(folder: Path, what: str = "build") -> Iterator[None]:
    """Hold the folder. Raises `UsageError` where another `what` has it.

    A record lock: unlike `flock`'s, children do not inherit it. It binds processes only, so threads need `_ours` too.
    """
    taken = UsageError(f"{folder}: another {what} is running in this folder; wait for it or use --out")
    if folder.resolve() in _ours:
        raise taken
    with (folder / ".lock").open("w") as lock:
        try:
            fcntl.lockf(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise taken from None
        _ours.add(folder.resolve())
        try:
            yield
        finally:
            _ours.discard(folder.resolve())

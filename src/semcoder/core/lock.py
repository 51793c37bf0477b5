"""One process at a time in a folder.

Guarantees: the kernel lets go of a folder however its holder ends; a second holder, in this process or another, is
refused. It binds only those who ask; a record lock goes with the first descriptor of `.lock` that its process closes,
so nothing else may open that file.
"""

from __future__ import annotations

import fcntl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from semcoder.errors import UsageError

#: Folders that this process holds.
_ours: set[Path] = set()
_mutex = threading.Lock()


@contextmanager
def claimed(folder: Path, what: str = "build") -> Iterator[None]:
    """Hold the folder. Raises `UsageError` where another `what` has it.

    A record lock: unlike `flock`'s, children do not inherit it. It binds processes only, so threads need `_ours` too.
    """
    taken = UsageError(f"{folder}: another {what} is running in this folder; wait for it or use --out")
    place = folder.resolve()
    with _mutex:
        if place in _ours:
            raise taken
        _ours.add(place)
    try:
        with (folder / ".lock").open("w") as lock:
            try:
                fcntl.lockf(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise taken from None
            yield
    finally:
        _ours.discard(place)

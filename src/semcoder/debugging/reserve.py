"""A copy of a pytest session in reserve: made when the tests are collected and none has run, asked when some failed.

In it failing tests are run again from where the session began: no test has changed a module, an argument or a fixture,
no thread, server or connection of a test is there. It waits without doing anything until a test fails.

Guarantees: it costs the session one `fork`; it loads what explains failures when a test has failed; it ends when the
session does, or when it is closed, and what goes wrong in it is an answer, never an error of the session.
Of the standard library alone.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import struct
import sys
import time
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

#: Seconds that an answer may take beyond what the copies in which tests run may.
_PATIENCE = 60.0


class Reserve:
    """The session's end of it. `items`: the tests that may be asked about."""

    def __init__(self, items: Iterable[Any]) -> None:
        self._is_there = self._is_told = False
        self._missing = "there is no copy of the session in which it could run again (this system has no fork)"
        if not hasattr(os, "fork"):
            return
        asking, asked = os.pipe(), os.pipe()
        flush()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of threads: only this one goes on in the copy
            between = os.fork()
            if between == 0:
                try:
                    # No child of the session's: a test may wait for all children that there are.
                    if os.fork() == 0:
                        os.close(asking[1])
                        os.close(asked[0])
                        _serve({item.nodeid: item for item in items}, asking[0], asked[1])
                finally:
                    os._exit(0)
        os.waitpid(between, 0)
        os.close(asking[0])
        os.close(asked[1])
        self._asking, self._asked = asking[1], asked[0]
        self._is_there = True

    def load(self) -> None:
        """Tell it, once, that it will be asked: it loads what explains while the session's other tests run."""
        if self._is_there and not self._is_told:
            self._is_told = True
            try:
                send(self._asking, {"load": True})
            except OSError:
                self.close()

    def explain(self, test: str, own: float, set_up: float, **wishes: bool) -> dict[str, Any]:
        """What `semcoder.debugging.session` says of a test that failed, as data.

        `own`: the seconds that it took; `set_up`: those of all set-ups, which may have to be repeated.
        """
        asked = {"test": test, "own": own, "set_up": set_up, "wishes": wishes}
        said = self._answer(asked, 5 * (20.0 + set_up + 10.0 * own))
        return unexplained(self._missing) if said is None else said

    def attempt(
        self, test: str, own: float, set_up: float, tries: Sequence[Mapping[str, Any]], seconds: float
    ) -> dict[str, Any]:
        """What `semcoder.debugging.attempts` says of a test that failed: whether it passes with changed functions."""
        asked = {"test": test, "own": own, "set_up": set_up, "tries": tries, "seconds": seconds}
        said = self._answer(asked, seconds + 20.0 + set_up + 10.0 * own)
        return untried(self._missing) if said is None else said

    def _answer(self, asked: dict[str, Any], seconds: float) -> dict[str, Any] | None:
        """The copy's answer; None where there is none any more."""
        if not self._is_there:
            return None
        try:
            send(self._asking, asked)
            return receive(self._asked, _PATIENCE + seconds)
        except TimeoutError:
            self.close("the copy of the session in which it was to run again did not answer in time")
        except (OSError, EOFError):
            self.close()
        return None

    def close(self, why: str = "the copy of the session in which it was to run again has ended") -> None:
        """Nobody asks any more: the copy ends."""
        if self._is_there:
            self._missing = why
            os.close(self._asking)
            os.close(self._asked)
            self._is_there = False


def unexplained(why: str) -> dict[str, Any]:
    lines = [f"This failure is not explained: {why}."]
    return {"status": "unexplained", "lines": lines}


def untried(why: str) -> dict[str, Any]:
    return {"passes": [], "why": why}


def time_over(seconds: float) -> str:
    """Why not all changes were tried."""
    return f"the time for it, {seconds:.0f} seconds, was over"


def _serve(items: dict[str, Any], asking: int, asked: int) -> None:
    """In the copy: answer until nobody asks any more."""
    try:
        os.setpgid(0, 0)  # Ctrl-C at the terminal is the session's
        silence()
        while True:
            wanted = receive(asking, None)
            if "load" in wanted:
                _load(items)
            else:
                # What is to be read there while it answers is that its end is closed.
                send(asked, _answer(items, wanted, lambda: bool(select.select([asking], [], [], 0)[0])))
    except BaseException:
        os._exit(0)


def _load(items: dict[str, Any]) -> None:
    with contextlib.suppress(Exception):  # told when it is asked
        from semcoder.debugging import session

        session.prepare(next(iter(items.values())).session)


def _answer(items: dict[str, Any], wanted: dict[str, Any], is_alone: Callable[[], bool]) -> dict[str, Any]:
    refused = untried if "tries" in wanted else unexplained
    item = items.get(wanted["test"])
    if item is None:
        return refused("it was not among the tests that were collected")
    try:
        if "tries" in wanted:
            from semcoder.debugging import attempts

            tries, seconds = wanted["tries"], wanted["seconds"]
            return attempts.attempt(item, wanted["own"], wanted["set_up"], tries, seconds, is_alone)
        from semcoder.debugging import session

        return session.explain(item, wanted["own"], wanted["set_up"], **wanted["wishes"])
    except Exception as error:
        return refused(f"{type(error).__name__}: {error}")


def flush() -> None:
    """Leave nothing in buffers that a copy would write once more."""
    for stream in (sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__):
        with contextlib.suppress(Exception):
            stream.flush()  # type: ignore[union-attr]


def silence() -> None:
    """Standard streams of this process lead nowhere from now on."""
    for number, flags in ((0, os.O_RDONLY), (1, os.O_WRONLY), (2, os.O_WRONLY)):
        null = os.open(os.devnull, flags)
        os.dup2(null, number)
        os.close(null)


def send(pipe: int, document: dict[str, Any]) -> None:
    """A document into a pipe, all of it. Raises OSError."""
    data = json.dumps(document).encode()
    data = struct.pack("<Q", len(data)) + data
    while data:
        data = data[os.write(pipe, data) :]


def receive(pipe: int, seconds: float | None) -> dict[str, Any]:
    """The next document from a pipe, nothing beyond it. Raises EOFError where there is none any more, TimeoutError."""
    deadline = None if seconds is None else time.monotonic() + seconds
    (size,) = struct.unpack("<Q", _taken(pipe, 8, deadline))
    document: dict[str, Any] = json.loads(_taken(pipe, size, deadline))
    return document


def _taken(pipe: int, size: int, deadline: float | None) -> bytes:
    """So many bytes from a pipe."""
    data = b""
    while len(data) < size:
        left = None if deadline is None else max(0.0, deadline - time.monotonic())
        ready, _, _ = select.select([pipe], [], [], left)
        if not ready:
            raise TimeoutError
        chunk = os.read(pipe, min(size - len(data), 1 << 16))
        if not chunk:
            raise EOFError
        data += chunk
    return data

"""Bounded work: so many at a time, so many waiting, and nobody waits without end.

Guarantees: at most `slots` pieces of work run at a time, in threads; at most `queue` wait, each at most `patience`
seconds; whoever finds no place gets `Busy` at once, with a line that says how it stands.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import TypeVar

import anyio.to_thread

from semcoder.errors import SemcoderError

Result = TypeVar("Result")


class Busy(SemcoderError):
    """There is no room for more work now."""


class Gate:
    """`what`: what is at work behind it, in words."""

    def __init__(self, what: str, slots: int, queue: int, patience: float) -> None:
        self._what = what
        self._slots = slots
        self._queue = queue
        self._patience = patience
        self._free = asyncio.Semaphore(slots)
        self._threads = anyio.CapacityLimiter(slots)
        self._waiting = 0

    @contextlib.asynccontextmanager
    async def place(self) -> AsyncIterator[None]:
        """A place among those at work. Raises `Busy`."""
        if self._free.locked() and self._waiting >= self._queue:
            raise Busy(f"{self._what}: {self._slots} at work and {self._waiting} waiting, which is all that it takes")
        self._waiting += 1
        try:
            async with asyncio.timeout(self._patience):
                await self._free.acquire()
        except TimeoutError:
            raise Busy(f"{self._what}: no place came free in {self._patience:.0f} s") from None
        finally:
            self._waiting -= 1
        try:
            yield
        finally:
            self._free.release()

    async def thread(self, work: Callable[[], Result]) -> Result:
        """Work in a thread of this gate's own; for who has a place. It is waited for even if nobody wants it any more:
        its place is free when it is over, not before."""
        return await anyio.to_thread.run_sync(work, limiter=self._threads)

    async def run(self, work: Callable[[], Result]) -> Result:
        """Work as soon as there is a place. Raises `Busy`, and what the work raises."""
        async with self.place():
            return await self.thread(work)

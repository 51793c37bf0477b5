"""Many questions on their way at once, asked from ordinary code: asyncio in one thread behind a plain iterator.

Guarantees: at most `concurrency` are asked at a time, and at most twice as many requests are taken beyond the replies
that were handed on; when the iterator ends, is closed or fails, every question on its way is cancelled and the thread
is gone. Requests are taken in the consumer's thread, and only while it waits for the next reply.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import AbstractAsyncContextManager

from semcoder.models._protocol import Reply, Request

Answer = Callable[[Request], Awaitable[Reply]]
#: Makes, within the event loop, what answers requests; closed at the end.
Opening = Callable[[], AbstractAsyncContextManager[Answer]]


def answers(requests: Iterable[Request], opening: Opening, concurrency: int) -> Iterator[tuple[int, Reply]]:
    """`(place, reply)` as they come. Raises what `opening` or an answer raises, and stops everything else then."""
    worker: _Worker | None = None
    places = enumerate(requests)
    more, waiting = True, 0
    try:
        while True:
            while more and waiting < 2 * concurrency and (worker is None or worker.done.empty()):
                item = next(places, None)
                if item is None:
                    more = False
                    continue
                worker = worker or _Worker(opening, concurrency)
                worker.ask(*item)
                waiting += 1
            if worker is None or not waiting:
                return
            place, reply = worker.done.get()
            if isinstance(reply, BaseException):
                raise reply
            waiting -= 1
            yield place, reply
    finally:
        if worker is not None:
            worker.close()


class _Worker:
    """A thread with an event loop, which answers what it is asked and puts it into `done`."""

    def __init__(self, opening: Opening, concurrency: int) -> None:
        self.done: queue.SimpleQueue[tuple[int, Reply | BaseException]] = queue.SimpleQueue()
        self._opening = opening
        self._room = asyncio.Semaphore(concurrency)
        self._stopped = asyncio.Event()
        self._opened = asyncio.Event()
        self._answer: Answer | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop = asyncio.new_event_loop()
        # A daemon, so that an iterator that nobody closes does not keep the interpreter from ending.
        self._thread = threading.Thread(target=self._run, name="semcoder-models", daemon=True)
        self._thread.start()

    def ask(self, place: int, request: Request) -> None:
        self._call(self._begin, place, request)

    def close(self) -> None:
        """Cancels what is on its way and waits until the thread has ended."""
        self._call(self._stopped.set)
        self._thread.join()

    def _call(self, function: Callable[..., object], *arguments: object) -> None:
        try:
            self._loop.call_soon_threadsafe(function, *arguments)
        except RuntimeError:  # the loop has ended: `done` says why
            pass

    def _run(self) -> None:
        try:
            self._loop.run_until_complete(self._main())
        except Exception as error:  # to be raised where the replies are consumed
            self.done.put((-1, error))
        finally:
            # Names are looked up in threads of the loop's own.
            self._loop.run_until_complete(self._loop.shutdown_default_executor())
            self._loop.close()

    async def _main(self) -> None:
        try:
            async with self._opening() as self._answer:
                self._opened.set()
                await self._stopped.wait()
                await self._cancel()
        finally:  # where it could not be opened, there may be questions too
            self._stopped.set()
            await self._cancel()

    async def _cancel(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _begin(self, place: int, request: Request) -> None:
        if not self._stopped.is_set():
            task = self._loop.create_task(self._one(place, request))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _one(self, place: int, request: Request) -> None:
        await self._opened.wait()
        assert self._answer is not None
        async with self._room:
            try:
                self.done.put((place, await self._answer(request)))
            except Exception as error:  # to be raised where the replies are consumed
                self.done.put((place, error))

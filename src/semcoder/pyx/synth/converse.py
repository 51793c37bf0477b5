"""Conversations with a model as scripts: generators that ask a round of requests, and go on with the replies.

Many scripts run at a time. The model takes their requests as it has room: those of scripts under way first, then those
of new ones, so that few are open at once; while requests are in flight, scripts whose replies are there do their work.

Guarantees: what a script gets and gives depends on its own replies alone, not on when they come; each script ends with
what it returns, or as `Unanswered`. A script's own errors are raised where it is driven.
"""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from semcoder.errors import SemcoderError
from semcoder.models import Message, Model, Reply, Request, Sampling

Result = TypeVar("Result")
#: Yields rounds of requests (none of them empty), gets one reply for each in order, returns its result.
Script = Generator[list[Request], list[Reply], Result]


class Unanswered(Exception):
    """The model gave no answer to a request; the message is its error. To be tried again another time."""


@dataclass
class Spent:
    """What requests cost. Replies that a cache gave are counted like others: how often a run was stopped must not show.

    `requests` that got an answer, and tokens of prompts and completions.
    """

    requests: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0

    def add(self, reply: Reply) -> None:
        self.requests += 1
        self.prompt_tokens += reply.prompt_tokens
        self.completion_tokens += reply.completion_tokens

    def plus(self, other: dict[str, int]) -> None:
        self.requests += other["requests"]
        self.prompt_tokens += other["prompt_tokens"]
        self.completion_tokens += other["completion_tokens"]


def shielded(script: Script[dict[str, Any]]) -> Script[dict[str, Any]]:
    """The script, but that a bug of ours costs this piece of work alone: its result is then `{"bug": text}`."""
    try:
        return (yield from script)
    except SemcoderError:
        raise  # the sandbox, not the work
    except Exception as error:
        return {"bug": f"{type(error).__name__}: {error}"[:300]}


@dataclass(eq=False)
class _Task(Generic[Result]):
    """A script under way: the replies of its round that have come."""

    place: int
    script: Script[Result]
    replies: list[Reply | None] = field(default_factory=list)


def converse(scripts: Iterable[Script[Result]], model: Model) -> Generator[tuple[int, Result | Unanswered], None, None]:
    """`(place of the script, what it returned)` as scripts end. Scripts are taken as the model has room.

    Closing the iterator stops requests on their way. Raises as `Model.generate`, and whatever a script raises.
    """
    talks = _Talks(scripts)
    while talks.waiting():
        with contextlib.ExitStack() as stack:
            replies = model.generate(talks.feed())
            close = getattr(replies, "close", None)
            if close is not None:
                stack.callback(close)
            for number, reply in replies:
                yield from talks.take(number, reply)
                yield from talks.ended()
        yield from talks.forsaken()
        yield from talks.ended()


class _Talks(Generic[Result]):
    """All scripts under way, and the requests that are ready or on their way."""

    def __init__(self, scripts: Iterable[Script[Result]]) -> None:
        self._fresh = enumerate(scripts)
        self._exhausted = False
        self._ready: deque[tuple[_Task[Result], int, Request]] = deque()
        self._asked: dict[int, tuple[_Task[Result], int]] = {}
        self._number = 0
        self._ended: deque[tuple[int, Result]] = deque()

    def waiting(self) -> bool:
        return bool(self._ready) or not self._exhausted

    def feed(self) -> Iterator[Request]:
        """Requests until none is to be had now; those of later rounds then go into another `generate`."""
        self._number = 0
        while True:
            while not self._ready:
                place, script = next(self._fresh, (0, None))
                if script is None:
                    self._exhausted = True
                    return
                try:
                    self._open(_Task(place, script), next(script))
                except StopIteration as end:  # it had nothing to ask
                    self._ended.append((place, end.value))
            task, slot, request = self._ready.popleft()
            if task.replies:
                self._asked[self._number] = task, slot
                self._number += 1
                yield request

    def _open(self, task: _Task[Result], requests: Sequence[Request]) -> None:
        task.replies = [None] * len(requests)
        self._ready.extend((task, slot, request) for slot, request in enumerate(requests))

    def take(self, number: int, reply: Reply) -> Iterator[tuple[int, Result | Unanswered]]:
        """Hand a reply to its script; yields if that ends it."""
        task, slot = self._asked.pop(number)
        if not task.replies:  # over, since another request of its round got no answer
            return
        if reply.error:
            yield self._forsake(task, reply.error)
            return
        task.replies[slot] = reply
        replies = [r for r in task.replies if r is not None]
        if len(replies) < len(task.replies):
            return
        try:
            requests = task.script.send(replies)
        except StopIteration as end:
            task.replies = []
            yield task.place, end.value
        else:
            self._open(task, requests)

    def ended(self) -> Iterator[tuple[int, Result]]:
        """What scripts returned that had nothing to ask."""
        while self._ended:
            yield self._ended.popleft()

    def forsaken(self) -> Iterator[tuple[int, Result | Unanswered]]:
        """The ends of scripts whose requests a model has left without any reply."""
        for task, _ in self._asked.values():
            if task.replies:
                yield self._forsake(task, "the model gave no reply")
        self._asked.clear()

    @staticmethod
    def _forsake(task: _Task[Result], error: str) -> tuple[int, Unanswered]:
        task.script.close()
        task.replies = []
        return task.place, Unanswered(error)


@dataclass
class Thread:
    """One conversation: its messages so far, and how its answers are drawn."""

    messages: tuple[Message, ...]
    sampling: Sampling
    spent: Spent

    def request(self) -> Request:
        return Request(messages=self.messages, sampling=self.sampling)

    def take(self, reply: Reply) -> tuple[str, bool]:
        """The answer's text, kept in the conversation, and whether it was cut at the bound on tokens."""
        self.spent.add(reply)
        first = reply.completions[0] if reply.completions else None
        text = first.text if first is not None else ""
        self.messages = (*self.messages, Message("assistant", text))
        return text, first is not None and first.finish == "length"

    def say(self, text: str) -> None:
        self.messages = (*self.messages, Message("user", text))

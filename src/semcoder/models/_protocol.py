"""What flows between SemCoder and a language model: requests, replies, and the protocol of a backend.

Guarantees: every record is frozen, hashable and checked when it is made, so that a backend meets only requests that
mean something. It holds no code of any backend.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, closing, nullcontext
from dataclasses import dataclass
from typing import Any, Literal, Protocol, runtime_checkable

from semcoder.errors import UsageError

Role = Literal["system", "user", "assistant"]
#: Why a text ended: the model was done (or met a stop string), a bound on tokens was reached, or the text says why the
#: model does not answer this.
Finish = Literal["stop", "length", "refused"]


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a conversation."""

    role: Role
    content: str


@dataclass(frozen=True, slots=True)
class Sampling:
    """How to draw texts: `n` of them, of at most `max_tokens` tokens each; temperature 0 is greedy.

    A text ends before the first of the `stop` strings. With a `seed`, a backend that can draws the same texts again;
    the n texts of one request differ all the same. Raises `UsageError` for what cannot be drawn.
    """

    max_tokens: int = 1024
    temperature: float = 0.0
    top_p: float = 1.0
    stop: tuple[str, ...] = ()
    seed: int | None = None
    n: int = 1

    def __post_init__(self) -> None:
        for name, value in (("max_tokens", self.max_tokens), ("n", self.n)):
            if value < 1:
                raise UsageError(f"{name} must be at least 1, not {value}")
        if not 0 <= self.temperature < float("inf"):
            raise UsageError(f"temperature must be 0 or more, not {self.temperature}")
        if not 0 < self.top_p <= 1:
            raise UsageError(f"top_p must be above 0 and at most 1, not {self.top_p}")
        if isinstance(self.stop, str) or not all(self.stop):
            raise UsageError(f"stop must be a tuple of texts that are not empty, not {self.stop!r}")

    def seed_of(self, text: int) -> int | None:
        """The seed of text number `text` (from 0), where texts are drawn one by one: the first has the request's own.

        Far apart, so that requests with seeds 1, 2, 3 share no texts; below 2**31, which every server takes.
        """
        return self.seed if self.seed is None or not text else (self.seed + 1_000_003 * text) % 2**31


@dataclass(frozen=True, slots=True)
class Request:
    """A conversation to be answered, or (without messages) a text to be continued.

    Raises `UsageError` for both at once.
    """

    messages: tuple[Message, ...] = ()
    text: str = ""
    sampling: Sampling = Sampling()

    def __post_init__(self) -> None:
        if self.messages and self.text:
            raise UsageError("a request has messages or a text, not both")


@dataclass(frozen=True, slots=True)
class Completion:
    """One text of a model, without the prompt and without the stop string that ended it."""

    text: str
    finish: Finish = "stop"


@dataclass(frozen=True, slots=True)
class Reply:
    """What a request brought: its `sampling.n` texts, or an `error` and no texts.

    Tokens are what it cost, failed tries included, so that a reply with an `error` may have some; 0 where the server
    does not tell. `cached`: it cost nothing this time, since it was asked before; its tokens are those of that time.
    """

    completions: tuple[Completion, ...] = ()
    prompt_tokens: int = 0
    completion_tokens: int = 0
    error: str = ""
    cached: bool = False


class Model(Protocol):
    """What every backend offers.

    A backend also has an `identity`, a text without secrets that says all that its replies depend on beside the request
    (model, server, options); `identity(model)` falls back on the name for a model that has none.
    """

    name: str

    def generate(self, requests: Iterable[Request]) -> Iterator[tuple[int, Reply]]:
        """`(place of the request, its reply)` as they come; requests are taken as there is room for them.

        `requests` is consumed in the thread that consumes the result, so it must not wait for a reply. Closing the
        iterator stops what is on its way. Raises `UsageError` or `InputError` only for what no request can get past: a
        model that is not there, a server that nobody answers at, a key that is refused.
        """


@runtime_checkable
class Streaming(Model, Protocol):
    """A model that tells as it goes."""

    def stream(self, request: Request, tell: Callable[[str], None]) -> Reply:
        """The reply that `generate` gives. `tell` gets what its first text says, in whole lines, as they come."""


def identity(model: Model) -> str:
    """What the replies of `model` depend on beside the request; equal texts mean that replies can be shared."""
    return str(getattr(model, "identity", "") or model.name)


def stopping(replies: Iterator[tuple[int, Reply]]) -> AbstractContextManager[Any]:
    """At whose end `replies` are closed, if they are of a kind that can be."""
    return closing(replies) if hasattr(replies, "close") else nullcontext()

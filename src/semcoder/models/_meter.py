"""What a model's work costs: requests, errors, tokens and money, counted as replies pass.

Guarantees: each reply is counted once, before it is handed on; counting is safe from several threads. It does not count
what was stopped on its way, nor tokens that a server does not tell.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from semcoder.models._protocol import Model, Reply, Request, identity, stopping


@dataclass(frozen=True, slots=True)
class Usage:
    """Counts so far. `requests` were replied to, `cached` of them from a cache, `errors` of them without a text.

    `prompt_tokens`, `completion_tokens` and `cost` (in the currency of the price) leave out what came from a cache.
    """

    requests: int = 0
    cached: int = 0
    errors: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost: float = 0.0


class Metered:
    """`model`, with its use counted in `usage`; `price` is per million prompt and per million completion tokens."""

    def __init__(self, model: Model, price: tuple[float, float] = (0.0, 0.0)) -> None:
        self.model = model
        self.name = model.name
        self.price = price
        self._usage = Usage()
        self._lock = threading.Lock()

    @property
    def identity(self) -> str:
        return identity(self.model)

    @property
    def usage(self) -> Usage:
        """What was counted up to now."""
        return self._usage

    def __repr__(self) -> str:
        return f"Metered({self.model!r}, price={self.price})"

    def generate(self, requests: Iterable[Request]) -> Iterator[tuple[int, Reply]]:
        """As the model's own."""
        replies = self.model.generate(requests)
        with stopping(replies):
            for place, reply in replies:
                self._count(reply)
                yield place, reply

    def _count(self, reply: Reply) -> None:
        paid = Reply() if reply.cached else reply
        cost = (paid.prompt_tokens * self.price[0] + paid.completion_tokens * self.price[1]) / 1_000_000
        with self._lock:
            old = self._usage
            self._usage = replace(
                old,
                requests=old.requests + 1,
                cached=old.cached + reply.cached,
                errors=old.errors + bool(reply.error),
                prompt_tokens=old.prompt_tokens + paid.prompt_tokens,
                completion_tokens=old.completion_tokens + paid.completion_tokens,
                cost=old.cost + cost,
            )

"""`openai:NAME@BASE_URL`: models behind any server that speaks OpenAI's HTTP interface; by default OpenAI's own server.

Guarantees: at most `concurrency` requests are on their way, taken lazily; what a server does wrong (errors, time-outs,
resets, bodies that are cut off or no JSON, no text) is tried again up to `attempts` times with growing pauses, and then
told as the reply's `error`. The key comes from the environment, goes to the server alone, and is cut out of whatever
the server sends back. Texts end before the first stop string, also where the server does not care.
It does not promise that a server honours a seed, nor that its token counts are true.
"""

from __future__ import annotations

import asyncio
import importlib.util
import json
import logging
import math
import random
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from semcoder.errors import MissingExtra, UsageError
from semcoder.models._http import Answered, Failed, ask, emptiness
from semcoder.models._keys import Server
from semcoder.models._protocol import Completion, Reply, Request
from semcoder.models._stream import Answer, answers
from semcoder.models._text import problem, tidied

_log = logging.getLogger(__name__)

#: Seconds for a connection, at most.
_CONNECT = 15.0


class OpenAIModel:
    """The model `NAME` at a server. Raises `UsageError` for a spec or an option that means nothing, `MissingExtra`.

    Options: `concurrency`, requests on their way at once; `attempts` for each; `timeout`, seconds for one attempt as a
    whole; `backoff`, seconds before the second attempt, doubled for each further one; `longest_wait`, seconds that a
    pause may last at most (a server that asks for a longer one gets no further attempt); `extra`, further fields of the
    request's body by name (None leaves a field out: `extra={"temperature": None}` for models that take none).
    """

    name = "openai"

    def __init__(
        self,
        rest: str,
        *,
        concurrency: int = 8,
        attempts: int = 6,
        timeout: float = 600.0,
        backoff: float = 1.0,
        longest_wait: float = 120.0,
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        if importlib.util.find_spec("openai") is None:
            raise MissingExtra("openai", "llm")
        for option, value in (("concurrency", concurrency), ("attempts", attempts)):
            if value < 1:
                raise UsageError(f"{option} must be at least 1, not {value}")
        if not 0 < timeout < math.inf:
            raise UsageError(f"timeout must be a number of seconds above 0, not {timeout}")
        self.model, self.server = Server.parse(rest)
        self.concurrency = concurrency
        self.attempts = attempts
        self.timeout = timeout
        self.backoff = backoff
        self.longest_wait = longest_wait
        self.extra = dict(extra or {})
        self._learned = _Learned("max_completion_tokens" if self.server.official else "max_tokens")

    @property
    def identity(self) -> str:
        """Model, server and extra fields: what replies depend on."""
        return json.dumps(["openai", self.model, self.server.url, self.extra], sort_keys=True, default=str)

    def __repr__(self) -> str:
        return f"OpenAIModel('{self.model}@{self.server.url}')"

    def generate(self, requests: Iterable[Request]) -> Iterator[tuple[int, Reply]]:
        """As `Model.generate`. Raises `UsageError` where the server is not there, or refuses the key or the model."""
        return answers(requests, self._open, self.concurrency)

    @asynccontextmanager
    async def _open(self) -> AsyncIterator[Answer]:
        import openai

        limit = openai.Timeout(self.timeout, connect=min(_CONNECT, self.timeout))
        key = self.server.key()
        # No retries of its own: a text that is missing is a failure too, which the client would not see.
        async with openai.AsyncOpenAI(base_url=self.server.url, api_key=key, max_retries=0, timeout=limit) as client:
            yield _Session(self, client, key).answer


@dataclass(slots=True)
class _Learned:
    """What a server has shown of itself: the name of its bound on tokens, whether it heeds `n`, that it answers."""

    bound: str
    heeds_n: bool = True
    heard: bool = False
    served: bool = False


@dataclass(slots=True)
class _Task:
    """One request under way: the texts so far, and the tokens of all attempts."""

    request: Request
    texts: list[Completion] = field(default_factory=list)
    prompt_tokens: int = 0
    completion_tokens: int = 0
    #: Whether more than one text is asked for at a time.
    several: bool = True

    @property
    def missing(self) -> int:
        return self.request.sampling.n - len(self.texts)

    def reply(self, error: str = "") -> Reply:
        texts = () if error else tuple(self.texts)
        return Reply(texts, self.prompt_tokens, self.completion_tokens, error)


class _Session:
    """One run's client, and how it answers a request."""

    def __init__(self, model: OpenAIModel, client: Any, key: str) -> None:
        self._model = model
        self._learned = model._learned
        self._client = client
        self._key = key

    async def answer(self, request: Request) -> Reply:
        """All texts of the request, by as many calls as the server needs for them."""
        if wrong := problem(request):
            return Reply(error=wrong)
        task = _Task(request, several=self._learned.heeds_n)
        while task.missing:
            count = task.missing if task.several else 1
            failed = await self._texts(task, count)
            if failed is None:
                # What worked only one by one, and what came one by one, is asked for so from now on.
                if not task.several and request.sampling.n > 1:
                    self._learned.heeds_n = False
                continue
            if count > 1 and failed.status in (400, 422):
                task.several = False  # n may be what it did not like
                continue
            return task.reply(failed.error)
        return task.reply()

    async def _texts(self, task: _Task, count: int) -> Failed | None:
        """Adds up to `count` texts to the task, at least one; or why that could not be."""
        result: Failed | None = None
        for attempt in range(self._model.attempts):
            if result and result.wait > self._model.longest_wait:
                return replace(result, error=f"{result.error} (it asks to wait {result.wait:g} seconds)")
            if result:
                await self._pause(attempt, result.wait)
            result = await self._attempt(task, count)
            if result is None or not result.retry:
                return result
            _log.info("attempt %d at %s: %s", attempt + 1, self._model.server.url, result.error)
        return result

    async def _pause(self, attempt: int, asked: float) -> None:
        """Wait before attempt number `attempt` (from 0), for as long as the server asks at least."""
        own = min(self._model.backoff * 2.0 ** (attempt - 1), self._model.longest_wait)
        # Jitter, so that requests that failed together do not come back together.
        await asyncio.sleep(max(asked, own * random.uniform(0.5, 1.0)))

    async def _attempt(self, task: _Task, count: int) -> Failed | None:
        chat = bool(task.request.messages)
        resource = self._client.chat.completions if chat else self._client.completions
        fields = self._fields(task, count)
        result = await ask(resource, fields, self._extra(), self._model.timeout, self._key)
        if isinstance(result, Failed):
            return self._judged(result)
        self._learned.heard = self._learned.served = True
        task.prompt_tokens += result.prompt_tokens
        task.completion_tokens += result.completion_tokens
        task.several = task.several and len(result.choices) >= count
        return self._kept(task, result, count)

    def _kept(self, task: _Task, result: Answered, count: int) -> Failed | None:
        """Adds the texts that are some; fails if none is."""
        how = task.request.sampling
        found = []
        for raw, reason in result.choices[:count]:
            text, stopped = tidied(raw, how.stop)
            # A text that the server's filter cut is not what the model would have said.
            if text.strip() and reason != "content_filter":
                found.append(Completion(text, "length" if reason == "length" and not stopped else "stop"))
        task.texts += found
        return None if found else emptiness([reason for _, reason in result.choices], how.max_tokens)

    def _fields(self, task: _Task, count: int) -> dict[str, Any]:
        """The body of a call that draws `count` more texts."""
        request, how = task.request, task.request.sampling
        fields: dict[str, Any] = {"model": self._model.model, "temperature": how.temperature}
        if request.messages:
            fields["messages"] = [{"role": message.role, "content": message.content} for message in request.messages]
        else:
            fields["prompt"] = request.text
        fields[self._learned.bound if request.messages else "max_tokens"] = how.max_tokens
        # Only what differs from the default: there are servers that refuse a field whatever it says.
        if how.top_p < 1:
            fields["top_p"] = how.top_p
        if how.stop:
            fields["stop"] = list(how.stop)
        if how.seed is not None:
            # Texts that are drawn one by one need seeds of their own, or they would all be the same.
            fields["seed"] = how.seed_of(len(task.texts))
        if count > 1:
            fields["n"] = count
        return {name: value for name, value in fields.items() if self._model.extra.get(name, value) is not None}

    def _extra(self) -> dict[str, Any]:
        return {name: value for name, value in self._model.extra.items() if value is not None}

    def _judged(self, failed: Failed) -> Failed:
        """The failure, noted. Raises `UsageError` for what no request can get past."""
        model, server = self._model.model, self._model.server
        error = failed.error
        if failed.unreachable and not self._learned.heard:
            raise UsageError(f"nobody answers at {server.url} ({error}): start the server, or correct the URL")
        self._learned.heard = self._learned.heard or bool(failed.status)
        if failed.status in (401, 403):
            raise UsageError(f"{server.url} refuses the key ({error}): {server.help}")
        if failed.status == 404 and not self._learned.served:
            raise UsageError(
                f"{server.url} has no model {model}, or is not the base URL of such a server ({error}): "
                "correct the name; base URLs mostly end in /v1"
            )
        if failed.code == "insufficient_quota":
            raise UsageError(f"{server.url} has no quota left for this key ({error}): add some, or set another key")
        if self._learned.bound == "max_tokens" and failed.status == 400 and "max_completion_tokens" in error:
            self._learned.bound = "max_completion_tokens"
            return replace(failed, retry=True)
        return failed

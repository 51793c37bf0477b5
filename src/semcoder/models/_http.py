"""One attempt to get texts from a server: the call, the answer taken apart, and every way in which that fails.

Guarantees: `ask` returns, whatever the server sends, within the time-out; what it returns was checked type by type. It
knows nothing of further attempts: it only says whether one makes sense. The `openai` package must have been imported.
"""

from __future__ import annotations

import asyncio
import email.utils
import json
import math
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from semcoder.models._keys import without_key
from semcoder.models._text import NO_TEXT, brief

#: Bytes of one answer; a server that sends more is broken or hostile.
_LARGEST = 64 * 2**20
#: Tokens that a server may claim for one answer.
_MOST_TOKENS = 2**40
#: Statuses below 500 that are worth another attempt.
_PASSING = frozenset({408, 409, 425, 429})


@dataclass(frozen=True, slots=True)
class Answered:
    """What came: `(text, finish reason)` per choice, texts may be empty; tokens as the server tells them."""

    choices: tuple[tuple[str, str], ...]
    prompt_tokens: int = 0
    completion_tokens: int = 0


@dataclass(frozen=True, slots=True)
class Failed:
    """Why nothing came; whether to `retry`, and after how many seconds at least, if the server says so.

    `status` is 0 where there was no HTTP answer; `unreachable` says that there was not even a connection.
    """

    error: str
    retry: bool = True
    wait: float = 0.0
    status: int = 0
    code: str = ""
    unreachable: bool = False


async def ask(
    resource: Any, fields: Mapping[str, Any], extra: Mapping[str, Any], timeout: float, key: str
) -> Answered | Failed:
    """One call of `resource` (chat completions, or completions), of at most `timeout` seconds as a whole.

    Texts and messages come without the key, should the server repeat it.
    """
    try:
        async with asyncio.timeout(timeout):
            async with resource.with_streaming_response.create(**fields, extra_body=extra or None) as response:
                content = await _content(response)
    except Exception as error:  # told apart there, and raised again if it is none of a server's failures
        failed = _failure(error, timeout, key)
        if failed is None:
            raise
        return failed
    if content is None:
        return Failed(f"the answer has more than {_LARGEST} bytes", retry=False)
    return _taken_apart(content, key)


async def _content(response: Any) -> bytes | None:
    """The body; None if it is too long."""
    parts, size = [], 0
    async for part in response.iter_bytes():
        size += len(part)
        if size > _LARGEST:
            return None
        parts.append(part)
    return b"".join(parts)


def _failure(error: Exception, timeout: float, key: str) -> Failed | None:
    """What a call that raised has met; None for what no server can bring about."""
    import openai

    # Versions 1 and 2 of the client stand on httpx, later ones on its successor.
    libraries = [library for name in ("httpx2", "httpx") if (library := sys.modules.get(name))]
    cause = error.__cause__
    if isinstance(error, openai.APIStatusError):
        return _refused(error, key)
    if isinstance(error, openai.APITimeoutError | TimeoutError):
        return Failed(f"no answer within {timeout:g} seconds", unreachable=type(cause).__name__ == "ConnectTimeout")
    if isinstance(error, openai.APIConnectionError):
        unreachable = type(cause).__name__ in ("ConnectError", "UnsupportedProtocol")
        return Failed(f"the connection failed: {_named(cause, key)}", unreachable=unreachable)
    if isinstance(error, (OSError, *(library.HTTPError for library in libraries))):
        return Failed(f"the answer broke off: {_named(error, key)}")
    if isinstance(error, openai.OpenAIError):
        return Failed(_named(error, key), retry=False)
    return None


def _named(error: BaseException | None, key: str) -> str:
    return _told(error or "", key) or type(error).__name__


def _told(text: object, key: str) -> str:
    """One line for a message. The key goes before the line is cut, or a part of it might stay."""
    return brief(without_key(str(text), key))


def _refused(error: Any, key: str) -> Failed:
    """For a status of 300 and more."""
    status = int(error.status_code)
    body = error.body if isinstance(error.body, dict) else {}
    inner = body.get("error")
    told = body.get("message") or body.get("detail") or (inner.get("message") if isinstance(inner, dict) else inner)
    return Failed(
        f"status {status}: {_told(told or error.body or error.response.reason_phrase, key)}",
        retry=status >= 500 or status in _PASSING,
        wait=_asked_wait(error.response.headers),
        status=status,
        code=_told(body.get("code", ""), key),
    )


def _asked_wait(headers: Mapping[str, str]) -> float:
    """Seconds that the server asks to wait for; 0 if it does not, or not in a form that means something."""
    value = headers.get("retry-after", "")
    try:
        seconds = float(value)
    except ValueError:
        try:
            seconds = email.utils.parsedate_to_datetime(value).timestamp() - time.time()
        except (ValueError, TypeError, OverflowError):
            return 0.0
    return 0.0 if math.isnan(seconds) else max(0.0, seconds)


def _taken_apart(content: bytes, key: str) -> Answered | Failed:
    """The texts and counts of a body with status 200."""
    try:
        data = json.loads(content)
    except (ValueError, RecursionError):
        return Failed("the answer is not JSON, or was cut off")
    if not isinstance(data, dict):
        return Failed("the answer is not a JSON object")
    choices = data.get("choices")
    if not isinstance(choices, list):
        told = data.get("error")
        return Failed(f"the server says: {_told(told, key)}" if told else "the answer holds no choices")
    found = []
    for choice in choices:
        text = _text(choice)
        if text is None:
            return Failed("a choice of the answer holds something else than a text")
        found.append((without_key(text, key), str(choice.get("finish_reason") or "")))
    usage = data.get("usage")
    prompt, completion = (_count(usage, name) for name in ("prompt_tokens", "completion_tokens"))
    return Answered(tuple(found), prompt, completion)


def _text(choice: Any) -> str | None:
    """The choice's text; empty where it is null, None where the choice is malformed."""
    if not isinstance(choice, dict):
        return None
    holder, field = (choice["message"], "content") if "message" in choice else (choice, "text")
    if not isinstance(holder, dict):
        return None
    text = holder.get(field)
    if text is None:
        return ""
    return text if isinstance(text, str) else None


def _count(usage: Any, name: str) -> int:
    value = usage.get(name) if isinstance(usage, dict) else None
    return value if type(value) is int and 0 <= value <= _MOST_TOKENS else 0


def emptiness(reasons: list[str], max_tokens: int) -> Failed:
    """The failure of an answer in which every text is empty, by its finish reasons."""
    if "length" in reasons:
        return Failed(f"{NO_TEXT}: all of max_tokens={max_tokens} went before one began; allow more", retry=False)
    if "content_filter" in reasons:
        return Failed(f"{NO_TEXT}: the server's content filter withheld it", retry=False)
    return Failed(NO_TEXT)

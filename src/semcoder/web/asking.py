"""Requests as documents: what they hold is of its kind and within bounds, or one clear line says what is not.

Guarantees: a `Refusal` names the field, and for a program that does not parse the line and column; the words are those
of a page, not of a command line. Nothing is run here.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request

from semcoder.core import Invocation
from semcoder.core.calling import check_call, parse_source
from semcoder.errors import (
    LimitHit,
    MissingExtra,
    ProgramEnded,
    SandboxError,
    SemcoderError,
    UsageError,
)
from semcoder.web.gate import Busy
from semcoder.web.settings import Settings

#: Seconds in which a request must be here as a whole.
ARRIVAL = 20.0
#: Times the largest body, up to which what is too large is read away, so that a browser gets to read the answer.
_DRAINED = 64
_OPTION = re.compile(r"--(?:call|expect|output) \"(.*?)\"(?=$|[;)])")
_PLACE = re.compile(r"at line (\d+), column (\d+)")


class Refusal(SemcoderError):
    """A request that cannot be served as it is. `field`: the part that is wrong; `line`, `column` in it (0: none)."""

    def __init__(
        self, message: str, field: str = "", *, line: int = 0, column: int = 0, hint: str = "", status: int = 400
    ) -> None:
        super().__init__(message)
        self.field = field
        self.line = line
        self.column = column
        self.hint = hint
        self.status = status


async def document(request: Request, limit: int) -> dict[str, Any]:
    """The JSON object that a request sends. Raises `Refusal`."""
    try:
        async with asyncio.timeout(ARRIVAL):
            body = await _body(request, limit)
    except TimeoutError:
        raise Refusal(f"the request did not arrive in {ARRIVAL:.0f} s", status=408) from None
    try:
        doc = json.loads(body.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise Refusal(f"the request is not JSON: {str(error)[:200] or 'nested too deeply'}") from None
    if not isinstance(doc, dict):
        raise Refusal(f"the request must be a JSON object, not {type(doc).__name__}")
    return doc


async def _body(request: Request, limit: int) -> bytes:
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size <= limit:
            parts.append(part)
        elif size > limit * _DRAINED:
            break
    if size > limit:
        more = "" if size <= limit * _DRAINED else "more than "
        hint = "paste the function that matters, not the whole project"
        raise Refusal(
            f"the request is too large: {more}{size:,} bytes, and at most {limit:,} are taken", hint=hint, status=413
        )
    return b"".join(parts)


def only(doc: Mapping[str, Any], *names: str) -> None:
    """Raises `Refusal` for a field of another name."""
    unknown = sorted(set(doc) - set(names))
    if unknown:
        raise Refusal(f"there is no field {unknown[0][:60]!r}; there are: {', '.join(names)}", unknown[0][:60])


def text(doc: Mapping[str, Any], name: str, limit: int, default: str | None = None) -> str:
    """A text of at most `limit` characters; one that is not given, or empty, is the default, if there is one."""
    value = doc.get(name)
    if value is None or value == "":
        if default is None:
            raise Refusal(f"{_NAMES.get(name, name)} is missing", name)
        return default
    if not isinstance(value, str):
        raise Refusal(f"{name} must be text, not {type(value).__name__}", name)
    if len(value) > limit:
        what = _NAMES.get(name, name)
        raise Refusal(
            f"{what} is too long: {len(value):,} characters, and at most {limit:,} are taken", name, status=413
        )
    return value


def choice(doc: Mapping[str, Any], name: str, options: Sequence[str]) -> str:
    """One of the options, the first where none is named."""
    value = doc.get(name) or options[0]
    if value not in options:
        raise Refusal(f"{name} must be one of {', '.join(options)}, not {str(value)[:60]!r}", name)
    return str(value)


_NAMES = {
    "source": "the program",
    "call": "the call",
    "stdin": "the standard input",
    "expect": "the expected value",
    "output": "the output",
    "text": "the monologue",
}


@dataclass(frozen=True, slots=True)
class Pasted:
    """A program that parses, and how it is to be run, if that was said."""

    source: str
    invocation: Invocation | None = None

    @property
    def call(self) -> str:
        return "" if self.invocation is None else self.invocation.text


def pasted(doc: Mapping[str, Any], settings: Settings, *ways: str) -> Pasted:
    """The program of a request, and its `call` or `stdin` as far as these are among the `ways`. Raises `Refusal`."""
    source = text(doc, "source", settings.max_source).replace("\r\n", "\n")
    source = source if source.endswith("\n") else source + "\n"
    try:
        tree = parse_source(source)
    except UsageError as error:
        place = _PLACE.search(str(error))
        line, column = (int(place[1]), int(place[2])) if place else (0, 0)
        raise Refusal(str(error), "source", line=line, column=column) from None
    if "stdin" in ways and isinstance(doc.get("stdin"), str):
        if doc.get("call"):
            raise Refusal("give a call or a standard input, not both", "call")
        return Pasted(source, Invocation(text(doc, "stdin", settings.max_source, ""), "stdin"))
    if "call" not in ways:
        return Pasted(source)
    call = text(doc, "call", settings.max_call).strip()
    try:
        check_call(tree, call)
    except UsageError as error:
        raise Refusal(in_words(error), "call") from None
    return Pasted(source, Invocation(call))


def in_words(error: Exception) -> str:
    """An error's message without the options of a command line in it."""
    message = _OPTION.sub(r"\1", " ".join(str(error).split()))
    return message.replace("with --entry", "under Function")


# Errors as answers -------------------------------------------------------------------------------------------------

#: Status and hint by class, the first that fits.
_ANSWERS: tuple[tuple[type[SemcoderError], int, str], ...] = (
    (Busy, 503, "try again in a moment"),
    (MissingExtra, 501, "the rest of the page works without it"),
    (LimitHit, 422, "a smaller input may do"),
    (ProgramEnded, 422, ""),
    (SandboxError, 500, "semcoder doctor says what this machine offers"),
    (UsageError, 400, ""),
)


def answer(error: SemcoderError) -> tuple[int, dict[str, Any]]:
    """Status and document of an error."""
    doc: dict[str, Any] = {"error": in_words(error)}
    if isinstance(error, Refusal):
        where = {"field": error.field, "line": error.line, "column": error.column}
        doc |= {"where": {key: value for key, value in where.items() if value}} if error.field else {}
        return error.status, doc | ({"hint": error.hint} if error.hint else {})
    status, hint = next(((status, hint) for kind, status, hint in _ANSWERS if isinstance(error, kind)), (500, ""))
    return status, doc | ({"hint": hint} if hint else {})

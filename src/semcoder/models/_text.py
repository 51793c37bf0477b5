"""What backends do to every text of a model alike, so that a text means the same wherever it came from.

Guarantees: `tidied` gives valid Unicode that ends before the first stop string; `problem` finds what no backend can
send. Nothing is interpreted: a text may hold any code and any claim.
"""

from __future__ import annotations

from collections.abc import Iterable

from semcoder.models._protocol import Request

#: The error of a request that was answered with nothing but white space.
NO_TEXT = "the model gave no text"


def tidied(text: str, stop: Iterable[str]) -> tuple[str, bool]:
    """`text` up to the first stop string, without lone surrogates (no file can hold them); whether a stop was met."""
    ends = [end for mark in stop if (end := text.find(mark)) >= 0]
    if ends:
        text = text[: min(ends)]
    if not valid(text):
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text, bool(ends)


def problem(request: Request) -> str:
    """What is wrong with the request's own texts; empty: nothing."""
    texts = [request.text, *request.sampling.stop, *(message.content for message in request.messages)]
    if all(map(valid, texts)):
        return ""
    return "the request holds text that is not valid Unicode (a lone surrogate)"


def valid(text: str) -> bool:
    """Whether the text can be written in UTF-8."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def brief(text: object, limit: int = 300) -> str:
    """One line of at most `limit` characters, for an error message."""
    line = " ".join(str(text).split())
    return line if len(line) <= limit else line[: limit - 3] + "..."

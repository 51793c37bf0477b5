"""Asking a model for texts that will be judged: requests in a profile's words, and what replies say.

Guarantees: a reply that is an error is handed to nobody, and counted; one that says that the model came to no text is
a text without words. Nothing of a text is run.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, closing, nullcontext
from typing import Any

from semcoder.models import Finish, Message, Model, Reply, Request, Sampling
from semcoder.prompts import Profile

Progress = Callable[[str], None]

#: The error of a reply that says that the model was asked, and said nothing.
NO_TEXT = "the model gave no text"
_TOLD_EVERY_S = 5.0


def request(profile: Profile, instruction: str, sampling: Sampling) -> Request:
    """An instruction as a profile puts it to a model."""
    if not profile.chat:
        return Request(text=profile.prompt(instruction), sampling=sampling)
    return Request(tuple(Message("user", turn["content"]) for turn in profile.messages(instruction)), "", sampling)


def said(profile: Profile, reply: Reply) -> tuple[str, Finish]:
    """The text of a reply, whole where the model ended it, and how it ended."""
    finish: Finish = "length" if "max_tokens" in reply.error else "stop"
    text = ""
    if reply.completions:
        text, finish = reply.completions[0].text, reply.completions[0].finish
    return (profile.closed(text) if finish == "stop" else text), finish


def ask(model: Model, requests: Iterable[Request], keep: Callable[[int, Reply], None], tell: Teller) -> list[str]:
    """Ask all requests and `keep` what comes, by place; returns the errors of replies that were none."""
    errors: list[str] = []
    replies = model.generate(requests)
    with ending(replies):
        for place, reply in replies:
            if reply.error and not _said_nothing(reply):
                errors.append(reply.error)
            else:
                keep(place, reply)
            tell.one_more(f", {len(errors):,} without a reply" if errors else "")
    return errors


def _said_nothing(reply: Reply) -> bool:
    """Whether an error says that the model itself came to no text, be it for want of tokens."""
    return reply.error == NO_TEXT or reply.error.startswith(f"{NO_TEXT}: all of max_tokens")


def ending(found: Iterator[Any]) -> AbstractContextManager[Any]:
    """At whose end an iterator is closed, and what it had under way ended, if it is of a kind that can be."""
    return closing(found) if hasattr(found, "close") else nullcontext()


class Teller:
    """Tells how far something is, every few seconds."""

    def __init__(self, progress: Progress, what: str, whole: int) -> None:
        self._progress, self._what, self._whole = progress, what, whole
        self._done, self._told = 0, time.monotonic()
        if whole:
            progress(f"{what} (0 of {whole:,})")

    def one_more(self, rest: str = "") -> None:
        self.more(1, rest)

    def more(self, number: int, rest: str = "") -> None:
        self._done += number
        if self._done == self._whole or time.monotonic() - self._told >= _TOLD_EVERY_S:
            self._progress(f"{self._what} ({self._done:,} of {self._whole:,}{rest})")
            self._told = time.monotonic()

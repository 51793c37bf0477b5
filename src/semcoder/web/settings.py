"""What the page is started with."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

from semcoder.sandbox import Limits

MIB = 1024 * 1024


def _limits() -> Limits:
    """Of a pasted program: somebody is waiting, and others are in the queue. `result` bounds what is decoded here."""
    return Limits(cpu_s=2.0, wall_s=8.0, memory=256 * MIB, stdout=MIB // 4, result=8 * MIB)


@dataclass(frozen=True, slots=True)
class Settings:
    """`host`: where it listens, which also decides what names it answers to. `profile`: the wording in which the model
    is asked (None: its own). `workers`: programs that run at a time, and `queue` how many more may wait, `patience`
    seconds each; a model answers one at a time. Characters of a program are bounded by `max_source`, bytes of a request
    by `max_body`, recorded events by `max_events`."""

    host: str = "127.0.0.1"
    port: int = 8700
    model: str = "nano"
    profile: str | None = None
    corpora: tuple[Path, ...] = ()
    workers: int = field(default_factory=lambda: max(2, len(os.sched_getaffinity(0))))
    queue: int = 64
    patience: float = 60.0
    limits: Limits = field(default_factory=_limits)
    max_source: int = 50_000
    max_call: int = 5_000
    max_body: int = 256 * 1024
    max_events: int = 6_000
    unsafe: bool = False

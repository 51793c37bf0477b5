"""Runs untrusted Python and says what it did.

Guarantees: the contract of `docs/design/sandbox.md`: a program reaches no file but the read-only interpreter, no
network, no process but its own, and nothing of what it does outlives its limits; what it can misstate is its own
outcome only. Where the kernel cannot keep a promise, `SandboxRefused` names it.
It does not hide the clock, the processor count, or that other files exist (`os.stat` works, opening does not).

Names are loaded on first use, so that the untrusted side, which imports `semcoder.sandbox.child`, stays small.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from semcoder.sandbox.checker import Check, Checkers
    from semcoder.sandbox.host import Sandbox, Session, report
    from semcoder.sandbox.jobs import Job, Limits, Reply
    from semcoder.sandbox.programs import outcome_of, program_job, run_many, run_program

__all__ = [
    "Check",
    "Checkers",
    "Job",
    "Limits",
    "Reply",
    "Sandbox",
    "Session",
    "outcome_of",
    "program_job",
    "report",
    "run_many",
    "run_program",
]

#: Exit status of a child that has not even the memory to say that it has none.
EXIT_MEMORY = 86

_HOMES = {
    "Check": "checker",
    "Checkers": "checker",
    "Job": "jobs",
    "Limits": "jobs",
    "Reply": "jobs",
    "Sandbox": "host",
    "Session": "host",
    "outcome_of": "programs",
    "program_job": "programs",
    "report": "host",
    "run_many": "programs",
    "run_program": "programs",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)

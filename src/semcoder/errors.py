"""The one exception family of SemCoder.

Guarantees: every error that reaches a user through the command line is one of these; its message says what was
wrong, where, and what to do; `exit_code` is the process exit status that the command line uses for it.
It does not carry the outcome of a judged program: that a program raised, or hit a limit, is an `Outcome`, not an error.
"""

from __future__ import annotations


class SemcoderError(Exception):
    """Base of all errors of this package."""

    exit_code = 2


class UsageError(SemcoderError):
    """The request itself is wrong: a missing file, an unknown entry point, a call that is not a call."""


class InputError(UsageError):
    """Input data (a row, a configuration file, a stored record) is malformed; the message names file and place."""


class MissingExtra(UsageError):
    """An optional dependency is not installed; the message holds the exact pip command."""

    def __init__(self, package: str, extra: str) -> None:
        super().__init__(f"{package} is not installed; run: pip install 'semcoder[{extra}]'")


class LimitHit(SemcoderError):
    """A limit on time, memory or output was hit where a complete result was needed."""

    exit_code = 3


class ProgramEnded(SemcoderError):
    """The program ended its own process where its execution was to be told."""

    exit_code = 1


class SandboxError(SemcoderError):
    """The sandbox could not do its work (not the program's fault)."""

    exit_code = 4


class SandboxRefused(SandboxError):
    """The kernel cannot keep a promise of the sandbox; the message names it and the way to go on without it."""

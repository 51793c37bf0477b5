"""Trying changed versions of a program on the test that it fails, in the sandbox."""

from __future__ import annotations

from collections.abc import Sequence

from semcoder.core import Invocation, Program, Value
from semcoder.debugging.suspects import Trial
from semcoder.sandbox import Limits, Sandbox, run_many

#: Seconds of CPU that a changed version gets: one that needs longer does not pass.
LIMITS = Limits(cpu_s=0.3, wall_s=1.2)


def sandbox_trial(box: Sandbox, entry: str, call: Invocation, expected: Value, limits: Limits = LIMITS) -> Trial:
    """A trial of the test `call == expected`, where both sides are compared here, as plain data."""

    def passing(sources: Sequence[str]) -> list[bool]:
        passes = [False] * len(sources)
        for place, outcomes in run_many(box, ((Program(source, entry), [call]) for source in sources), limits):
            value = outcomes[0].value
            passes[place] = value is not None and value.python_equal(expected) is True
        return passes

    return passing

"""What the grammars of our own have in common as sources: a program for every seed.

Guarantees: a source gives the programs of consecutive seeds, in order; shards of one range share no seed and miss none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import ClassVar

from semcoder.core.records import Invocation, Program
from semcoder.errors import UsageError


class NumberedSource:
    """Programs of the seeds `seed`, `seed + 1`, ...: `NAME:COUNT` or `NAME:COUNT:FIRSTSEED`.

    The long form, `seed=3,count=1000,shard=0/4`, takes every fourth of 1,000 seeds. Without a count the stream never
    ends. Raises `UsageError` on a malformed `spec`.
    """

    name: ClassVar[str]

    @staticmethod
    def generate(seed: int) -> tuple[Program, tuple[Invocation, ...]]:
        """The program of a seed, with its calls."""
        raise NotImplementedError

    def __init__(self, spec: str = "") -> None:
        values = {"seed": "0", "count": "", "shard": "0/1"}
        short = re.fullmatch(r"(\d+)(?::(\d+))?", spec)
        if short is not None:
            spec = f"count={short[1]},seed={short[2] or 0}"
        for part in filter(None, spec.split(",")):
            key, sign, value = part.strip().partition("=")
            if not sign or key not in values:
                raise UsageError(
                    f"{self.name}: {part.strip()!r} is not understood; "
                    "write 1000, 1000:3 (how many, and the first seed) or seed=3,count=1000,shard=0/4"
                )
            values[key] = value
        numbers = re.fullmatch(r"(\d+) (\d*) (\d+)/(\d+)", "{seed} {count} {shard}".format(**values))
        if numbers is None or int(numbers[3]) >= int(numbers[4]):
            raise UsageError(
                f"{self.name}: {spec!r} has a bad number; write seed=3,count=1000,shard=0/4 (shard below 4)"
            )
        self._first = int(numbers[1])
        self._count = int(numbers[2]) if numbers[2] else None
        self._shard, self._shards = int(numbers[3]), int(numbers[4])

    def programs(self) -> Iterator[Program]:
        for program, _ in self.cases():
            yield program

    def cases(self) -> Iterator[tuple[Program, tuple[Invocation, ...]]]:
        """The programs with their calls."""
        index = self._shard
        while self._count is None or index < self._count:
            yield self.generate(self._first + index)
            index += self._shards

    def examples(self, program: Program) -> tuple[Invocation, ...]:
        """The calls that a program of this source was generated with; none for any other program."""
        seed = program.origin.path
        if program.origin.source != self.name or not seed.isdecimal():
            return ()
        generated, calls = self.generate(int(seed))
        return calls if generated == program else ()

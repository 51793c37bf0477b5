"""Training rows of the built-in model as shards: programs of the unlimited stream, executed, written down, tokenised.

    python -m semcoder.nano.stream --out runs/nano/shards --shards 1000 --processes 16

Guarantees: a shard's rows depend on its number and the kind alone, so the same shards come out whatever the number of
processes; the seeds of different shards never overlap, and none reaches `HELD_OUT`, from where questions are drawn.
Needs the standard library and numpy.
"""

from __future__ import annotations

import argparse
import functools
import resource
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

from semcoder.nano.notation import ANSWER, DIRECT, IDS, LINES
from semcoder.nano.rows import rows_of
from semcoder.nano.shards import fill
from semcoder.seeds.short import generate_short

#: Programs a shard is made from.
PROGRAMS = 1000
#: Seeds from here on are for questions, never for training.
HELD_OUT = 10**9
#: What the rows of one program may take.
_SECONDS, _MEMORY = 2.0, 3 << 30
KINDS = {"monologue": ANSWER, "direct": DIRECT, "scratchpad": LINES}


def shard_rows(number: int, kind: str = ANSWER, inverse: float = 0.6) -> Iterator[list[int]]:
    """The rows of a shard as ids. A program that runs too long, takes too much memory or that the machine executes
    otherwise than Python gives none; what was left out is told on standard error."""
    first = number * PROGRAMS
    if first + PROGRAMS > HELD_OUT:
        raise ValueError(f"shard {number}: its seeds reach those held out")
    _guard()
    for seed in range(first, first + PROGRAMS):
        signal.setitimer(signal.ITIMER_REAL, _SECONDS)
        try:
            found = [row.ids() for row in rows_of(seed, generate_short, kind=kind, inverse=inverse)]
        except (RuntimeError, MemoryError, SyntaxError, _TooLong) as error:
            print(f"program {seed} left out: {error!r}", file=sys.stderr)
            continue
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
        yield from found


class _TooLong(Exception):
    """A program's rows took longer than they may."""


def _guard() -> None:
    """Bounds what one program can do to this process."""

    def stop(*_: object) -> None:
        raise _TooLong

    signal.signal(signal.SIGALRM, stop)
    resource.setrlimit(resource.RLIMIT_DATA, (_MEMORY, resource.getrlimit(resource.RLIMIT_DATA)[1]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--out", type=Path, required=True, help="the folder of the shards")
    parser.add_argument("--shards", type=int, default=1000, help="how many")
    parser.add_argument("--first", type=int, default=0, help="the first one's number")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--kind", choices=sorted(KINDS), default="monologue", help="how answers are written")
    parser.add_argument("--inverse", type=float, default=0.6, help="share of calls that are asked backwards too")
    given = parser.parse_args()
    assert all(token in IDS for token in KINDS.values())
    make = functools.partial(shard_rows, kind=KINDS[given.kind], inverse=given.inverse)
    fill(
        given.out,
        make,
        first=given.first,
        shards=given.shards,
        processes=given.processes,
        rows_per_shard=10 * PROGRAMS,
    )


if __name__ == "__main__":
    main()

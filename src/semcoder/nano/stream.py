"""Training rows of the built-in model as shards: programs of the unlimited stream, executed, written down, tokenised.

    python -m semcoder.nano.stream --out runs/nano/shards --shards 1000 --processes 16

    NNNNNN.npy, log.jsonl    as `semcoder.nano.shards.fill` writes them
    left_out.jsonl           a line a shard: how many programs it was made from, and how many gave no row, by reason

Guarantees: a shard's rows depend on its number, the kind and what is screened alone, so the same shards come out
whatever the number of processes; the seeds of different shards never overlap, and none reaches `HELD_OUT`, from where
questions are drawn. With `--screen` no row is of a program in which `semcoder.cleaning` finds one of these benchmarks';
a call that happens to have a benchmark's arguments and result is not looked for.
Needs the standard library and numpy.
"""

from __future__ import annotations

import argparse
import functools
import json
import resource
import signal
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from semcoder.errors import SemcoderError
from semcoder.nano.notation import ANSWER, DIRECT, LINES
from semcoder.nano.rows import rows_of
from semcoder.nano.shards import fill
from semcoder.seeds.short import generate_short

if TYPE_CHECKING:
    from semcoder.core import Invocation, Program

#: Programs a shard is made from.
PROGRAMS = 1000
#: Seeds from here on are for questions, never for training.
HELD_OUT = 10**9
#: What the rows of one program may take.
_SECONDS, _MEMORY = 2.0, 3 << 30
#: A program that catches what stops it is stopped anew after so many seconds.
_AGAIN = 0.2
KINDS = {"monologue": ANSWER, "direct": DIRECT, "scratchpad": LINES}
LEFT_OUT = "left_out.jsonl"

#: Why a program must not be trained on; empty where it may.
Screening = Callable[["Program"], str]
#: Gets a shard's number, and how many of its programs gave no row, by reason.
Tell = Callable[[int, Counter[str]], None]


def shard_rows(
    number: int,
    kind: str = ANSWER,
    inverse: float = 0.6,
    *,
    screen: Screening | None = None,
    tell: Tell = lambda _, __: None,
) -> Iterator[list[int]]:
    """The rows of a shard as ids. A program that is screened out, runs too long, takes too much memory or that the
    machine executes otherwise than Python gives none; errors are told on standard error, all are counted for `tell`."""
    first = number * PROGRAMS
    if first + PROGRAMS > HELD_OUT:
        raise ValueError(f"shard {number}: its seeds reach those held out")
    _guard()
    generate = functools.partial(_allowed, screen)
    left_out: Counter[str] = Counter()
    for seed in range(first, first + PROGRAMS):
        signal.setitimer(signal.ITIMER_REAL, _SECONDS, _AGAIN)
        try:
            found = [row.ids() for row in rows_of(seed, generate, kind=kind, inverse=inverse)]
        except _Screened as reason:
            left_out[str(reason)] += 1
            continue
        except (RuntimeError, MemoryError, SyntaxError, KeyError, _TooLong) as error:  # KeyError: no word for it
            print(f"program {seed} left out: {error!r}", file=sys.stderr)
            left_out[type(error).__name__.removeprefix("_")] += 1
            continue
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
        left_out["beyond the language, or too long"] += not found
        yield from found
    tell(number, +left_out)


def screening(paths: Sequence[str]) -> Screening:
    """Finds the programs of benchmark files (or folders of them) among others. Raises `InputError`."""
    from semcoder.cleaning import Screen, find_files, read_benchmarks

    screen = Screen(read_benchmarks(find_files(paths)))

    def reason(program: Program) -> str:
        hit = screen.program(program.source, program.entry).hit
        return "" if hit is None else f"a benchmark's {hit.kind}"

    return reason


class _Screened(Exception):
    """A program must not be trained on; the message says why."""


class _TooLong(BaseException):  # a program may catch every Exception, and go on
    """A program's rows took longer than they may."""


def _allowed(screen: Screening | None, seed: int) -> tuple[Program, tuple[Invocation, ...]]:
    """A program of the stream. Raises `_Screened`."""
    program, calls = generate_short(seed)
    reason = screen(program) if screen is not None else ""
    if reason:
        raise _Screened(reason)
    return program, calls


def _guard() -> None:
    """Bounds what one program can do to this process."""

    def stop(*_: object) -> None:
        raise _TooLong

    signal.signal(signal.SIGALRM, stop)
    resource.setrlimit(resource.RLIMIT_DATA, (_MEMORY, resource.getrlimit(resource.RLIMIT_DATA)[1]))


def _noted(folder: Path, number: int, left_out: Counter[str]) -> None:
    # one write of a short line to a file opened for appending: lines of several processes do not mix
    line = {"shard": number, "programs": PROGRAMS, "left_out": dict(sorted(left_out.items()))}
    with (folder / LEFT_OUT).open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")


def parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    """A stream's settings from the words of a command line."""
    parser = argparse.ArgumentParser(
        prog="python -m semcoder.nano.stream", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("--out", type=Path, required=True, help="the folder of the shards")
    parser.add_argument("--shards", type=int, default=1000, help="how many")
    parser.add_argument("--first", type=int, default=0, help="the first one's number")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--kind", choices=sorted(KINDS), default="monologue", help="how answers are written")
    parser.add_argument("--inverse", type=float, default=0.6, help="share of calls that are asked backwards too")
    parser.add_argument("--screen", nargs="+", default=[], metavar="PATH", help="benchmark files to keep clear of")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; returns its exit status: 0 done or told to stop, 2 a wrong request."""
    given = parsed(arguments)
    try:  # before the processes part: they share the index
        screen = screening(given.screen) if given.screen else None
    except SemcoderError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    make = functools.partial(
        shard_rows,
        kind=KINDS[given.kind],
        inverse=given.inverse,
        screen=screen,
        tell=functools.partial(_noted, given.out),
    )
    try:
        fill(
            given.out,
            make,
            first=given.first,
            shards=given.shards,
            processes=given.processes,
            rows_per_shard=10 * PROGRAMS,
        )
    except OSError as error:
        print(f"error: {error}; name another --out folder", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())

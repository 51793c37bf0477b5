"""Training tokens a second of one core: the built-in model's rows, and the same executions told in English.

    python perf/generator.py [--programs 300] [--rounds 5] [--screen FILES...]

The two take turns on the same programs, in one process. Both write the program, find out what its calls do, tell it at
the grain of single operations, make sure of it, and turn question and answer into ids of a vocabulary of about 1,000:

built-in  what `semcoder.nano.stream` does: instructions are executed and written down in one walk over them, the
          result is compared with Python's own. Forward rows alone where the two are compared, besides the whole stream
general   what training on generated rows does (`semcoder.training.telling`): the calls are traced, told as forward
          monologues at the detail `expression`, and every claim is checked; a byte-level vocabulary learned from them

Tokens of the two say different amounts, so rows are counted too: a row is one call with its execution. Seconds are of
the processor; medians over the rounds. With `--screen` also what it costs to look for benchmarks' programs.
"""

from __future__ import annotations

import argparse
import statistics
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from semcoder.core import Invocation, Program
from semcoder.monologue import check, style, tell
from semcoder.nano.rows import rows_of
from semcoder.nano.stream import HELD_OUT, screening
from semcoder.prompts import assertion, load_profile
from semcoder.seeds.short import generate_short
from semcoder.tracing import trace_here
from semcoder.training.start import new_tokenizer

FORWARD = style("forward")
PROFILE = load_profile()
#: Programs whose texts the vocabulary is learned from, and its size.
LEARNED_FROM, VOCABULARY = 100, 1024


@dataclass(frozen=True)
class Made:
    """What a way made of some programs."""

    seconds: float
    rows: int
    tokens: int

    @property
    def speed(self) -> float:
        """Tokens a second."""
        return self.tokens / self.seconds


def timed(make: Callable[[int], Iterator[Sequence[int]]], seeds: range) -> Made:
    start = time.process_time()
    lengths = [len(ids) for seed in seeds for ids in make(seed)]
    return Made(time.process_time() - start, len(lengths), sum(lengths))


def built_in(seed: int, inverse: float = 0.0) -> Iterator[Sequence[int]]:
    try:
        yield from [row.ids() for row in rows_of(seed, generate_short, inverse=inverse)]
    except RuntimeError:  # the machine and Python differ: no row, as in the stream
        return


def stream(seed: int) -> Iterator[Sequence[int]]:
    return built_in(seed, 0.6)


def told(program: Program, call: Invocation, *, checked: bool) -> str:
    """A row in English; empty where the call does not return a literal."""
    trace = trace_here(program.source, call)
    value = trace.outcome.value
    if trace.outcome.status != "returned" or value is None or not value.is_literal():
        return ""
    text = tell(FORWARD, trace, detail="expression").text
    if checked:
        assert all(claim.verdict is True for claim in check(FORWARD, text, trace, detail="expression"))
    answer = PROFILE.response(text, assertion(call.text, value.literal()))
    return f"{PROFILE.forward(program.source, call.text)}\n{answer}"


def texts(seeds: Sequence[int], *, checked: bool = False) -> Iterator[str]:
    for seed in seeds:
        program, calls = generate_short(seed)
        yield from filter(None, (told(program, call, checked=checked) for call in calls))


def general(tokenizer: Any, *, checked: bool) -> Callable[[int], Iterator[Sequence[int]]]:
    return lambda seed: (tokenizer(text).input_ids for text in texts([seed], checked=checked))


def written(seed: int) -> Iterator[Sequence[int]]:
    """The program alone."""
    generate_short(seed)
    yield from ()


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--programs", type=int, default=300, help="in a round")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--screen", nargs="+", metavar="FILE", help="benchmark files, or folders of them")
    return parser.parse_args()


def measured(options: argparse.Namespace) -> dict[str, list[Made]]:
    """What each way made in each round."""
    learned = list(texts(range(HELD_OUT, HELD_OUT + LEARNED_FROM)))
    tokenizer = new_tokenizer(learned, VOCABULARY, 1 << 20)
    ways: dict[str, Callable[[int], Iterator[Sequence[int]]]] = {
        "programs alone": written,
        "built-in, the whole stream": stream,
        "built-in, forward rows": built_in,
        "general, claims not checked": general(tokenizer, checked=False),
        "general": general(tokenizer, checked=True),
    }
    if options.screen:
        screen = screening(options.screen)

        def screened(seed: int) -> Iterator[Sequence[int]]:
            screen(generate_short(seed)[0])
            yield from ()

        ways["programs alone, screened"] = screened
    found: dict[str, list[Made]] = {name: [] for name in ways}
    for place in range(-1, options.rounds):  # the first is not counted: tables are compiled, memory grows
        seeds = range(options.programs * max(0, place), options.programs * (max(0, place) + 1))
        for name, make in ways.items():
            made = timed(make, seeds)
            if place >= 0:
                found[name].append(made)
    return found


def main() -> None:
    warnings.simplefilter("ignore", SyntaxWarning)
    options = parsed()
    found = measured(options)

    def median(name: str, figure: Callable[[Made], float]) -> float:
        return statistics.median(figure(made) for made in found[name])

    print(f"medians of {options.rounds} rounds of {options.programs} programs; seconds of one core")
    print(f"{'':40}{'ms/program':>12}{'rows/s':>10}{'tokens/s':>12}{'tokens/row':>12}")
    for name in found:
        cost = median(name, lambda made: made.seconds / options.programs * 1000)
        rows, tokens = median(name, lambda made: made.rows / made.seconds), median(name, lambda made: made.speed)
        figures = f"{rows:>10,.0f}{tokens:>12,.0f}{tokens / rows:>12.0f}" if rows else ""
        print(f"{name:40}{cost:>12.3f}{figures}")
    own = found["built-in, forward rows"]
    for other in ("general", "general, claims not checked"):
        pairs = list(zip(own, found[other], strict=True))
        tokens = statistics.median(one.speed / two.speed for one, two in pairs)
        rows = statistics.median(one.rows / one.seconds / (two.rows / two.seconds) for one, two in pairs)
        print(f"built-in to {other}: {tokens:.1f} times as many tokens, {rows:.1f} times as many rows")


if __name__ == "__main__":
    main()

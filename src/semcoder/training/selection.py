"""Which programs of a stream the styles of an ablation train on, and which they are asked about.

Guarantees: all styles take the same programs in the same order, each once; a held-out program shares its code, names
and layout aside, with no training program and no other held-out one. What is left out is counted by reason.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice

from semcoder.cleaning.normal import code_tokens, parse
from semcoder.core import Sample, content_id
from semcoder.errors import InputError
from semcoder.training.recipe import Ablation

#: Programs whose tokens are counted at a time.
_CHUNK = 200


@dataclass(slots=True)
class Chosen:
    """Training rows of one style. `programs`, `positions`: how many by comparison; `longest`: tokens of an answer."""

    rows: list[Sample] = field(default_factory=list)
    programs: dict[str, int] = field(default_factory=dict)
    positions: dict[str, int] = field(default_factory=dict)
    longest: int = 0
    total: int = 0

    def add(self, row: Sample, prompt: int, answer: int) -> None:
        self.rows.append(row)
        self.total += prompt + answer
        self.longest = max(self.longest, answer)

    def note(self, equal: str) -> None:
        """What is there serves this comparison."""
        self.programs[equal], self.positions[equal] = len(self.rows), self.total


#: Rows of one program, by style, each with its tokens (prompt, answer).
Fitting = tuple[Sequence[Sample], Sequence[tuple[int, int]]]


def choose(wanted: Ablation, programs: Iterator[Fitting]) -> dict[str, Chosen]:
    """The training rows by style. Raises `InputError` where the stream has too few programs."""
    found = {style: Chosen() for style in wanted.styles}
    needed = 0
    for number, (rows, sizes) in enumerate(programs, 1):
        for chosen, row, (prompt, answer) in zip(found.values(), rows, sizes, strict=True):
            if number <= wanted.programs or chosen.total < needed:
                chosen.add(row, prompt, answer)
        if number == wanted.programs:
            needed = max(chosen.total for chosen in found.values()) if "tokens" in wanted.equal else 0
            for chosen in found.values():
                chosen.note("programs")
        if number >= wanted.programs and all(chosen.total >= needed for chosen in found.values()):
            break
    else:
        have = max(len(chosen.rows) for chosen in found.values())
        raise InputError(f"the stream has too few programs ({have:,} that fit); name a larger COUNT in data")
    for chosen in found.values():
        chosen.note("tokens")
    return found


def fitting(
    told: Iterator[tuple[Sample, ...]],
    sizes_of: Callable[[Sequence[Sample]], list[tuple[int, int]]],
    max_length: int,
    dropped: Counter[str],
) -> Iterator[Fitting]:
    """The programs whose rows all fit, each (code and call) once; others are counted."""
    seen: set[str] = set()
    while chunk := list(islice(told, _CHUNK)):
        sizes = list(zip(*(sizes_of(rows) for rows in zip(*chunk, strict=True)), strict=True))
        for rows, counted in zip(chunk, sizes, strict=True):
            key = content_id(rows[0].program.source if rows[0].program else "", rows[0].call)
            if key in seen:
                dropped["the same program and call again"] += 1
            elif max(map(sum, counted)) > max_length:
                dropped["too long in some style"] += 1
            else:
                seen.add(key)
                yield rows, counted


def choose_questions(number: int, programs: Iterator[Fitting], known: set[str], dropped: Counter[str]) -> list[Sample]:
    """The first programs that are like none in `known` (by `content`), nor like each other."""
    found: dict[str, Sample] = {}
    for rows, _ in programs:
        key = content(rows[0])
        if key in known:
            dropped["shared with training"] += 1
        elif key in found:
            dropped["shared with another question"] += 1
        else:
            found[key] = rows[0]
            if len(found) == number:
                return list(found.values())
    raise InputError(f"too few programs to ask about ({len(found):,} of {number:,}); ask for fewer test_programs")


def content(sample: Sample) -> str:
    """Equal for programs that differ in names and layout alone."""
    assert sample.program is not None
    tree = parse(sample.program.source)
    assert tree is not None
    return content_id(code_tokens(tree, numbered=True))


def baselines(questions: Sequence[Sample], taught: Sequence[Sample]) -> dict[str, float]:
    """The share of questions that two answers need no execution for: the (first) argument as it is, and the most
    frequent answer in training."""
    commonest = Counter(sample.output for sample in taught).most_common(1)[0][0]
    asked = len(questions)
    return {
        "first argument": sum(_first_argument(sample.call) == sample.output for sample in questions) / asked,
        "most frequent answer": sum(sample.output == commonest for sample in questions) / asked,
    }


def _first_argument(call: str) -> str:
    body = ast.parse(call, mode="eval").body
    arguments = [*body.args, *(part.value for part in body.keywords)] if isinstance(body, ast.Call) else []
    return ast.unparse(arguments[0]) if arguments else ""

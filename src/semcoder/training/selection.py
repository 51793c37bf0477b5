"""Which programs of a stream the styles of an ablation train on, and which they are asked about.

Guarantees: all styles take the same programs in the same order, each once; a held-out program shares its code, names
and layout aside, with no training program and no other held-out one. What is left out is counted by reason.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import islice

from semcoder.cleaning.normal import code_tokens, parse
from semcoder.core import Program, Sample, content_id
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


class Choice:
    """Chooses training rows for all styles."""

    def __init__(self, wanted: Ablation) -> None:
        self._wanted = wanted
        self._needed = 0
        self._number = 0
        self.found = {style: Chosen() for style in wanted.styles}

    def takes(self, style: str) -> bool:
        """Whether the style needs more programs."""
        return self._number < self._wanted.programs or self.found[style].total < self._needed

    def choose(self, programs: Iterator[Fitting]) -> dict[str, Chosen]:
        """The training rows by style. Raises `InputError` where the stream has too few programs."""
        for rows, sizes in programs:
            for (style, chosen), row, (prompt, answer) in zip(self.found.items(), rows, sizes, strict=True):
                if self.takes(style):
                    chosen.add(row, prompt, answer)
            self._number += 1
            if self._number == self._wanted.programs:
                self._programs_are_equal()
            if not any(map(self.takes, self.found)):
                break
        else:
            have = max(len(chosen.rows) for chosen in self.found.values())
            raise InputError(f"the stream has too few programs ({have:,} that fit); name a larger COUNT in data")
        for chosen in self.found.values():
            chosen.note("tokens")
        return self.found

    def _programs_are_equal(self) -> None:
        for chosen in self.found.values():
            chosen.note("programs")
        if "tokens" in self._wanted.equal:
            self._needed = max(chosen.total for chosen in self.found.values())


def fitting(
    told: Iterator[tuple[Sample, ...]],
    sizes_of: Callable[[Sequence[Sample]], list[tuple[int, int]]],
    max_length: int,
    dropped: Counter[str],
) -> Iterator[Fitting]:
    """The programs whose rows all fit; others are counted."""
    while chunk := list(islice(told, _CHUNK)):
        sizes = list(zip(*(sizes_of(rows) for rows in zip(*chunk, strict=True)), strict=True))
        for rows, counted in zip(chunk, sizes, strict=True):
            if max(map(sum, counted)) > max_length:
                dropped["too long in some style"] += 1
            else:
                yield rows, counted


def choose_questions(number: int, programs: Iterator[Fitting], dropped: Counter[str]) -> list[Sample]:
    """The first programs that differ from each other by `content`. Raises `InputError` where there are too few."""
    found: dict[str, Sample] = {}
    for rows, _ in programs:
        assert rows[0].program is not None
        key = content(rows[0].program)
        if key in found:
            dropped["shared with another question"] += 1
            continue
        found[key] = rows[0]
        if len(found) == number:
            return list(found.values())
    raise InputError(f"too few programs to ask about ({len(found):,} of {number:,}); ask for fewer test_programs")


@lru_cache(maxsize=1 << 16)
def content(program: Program) -> str:
    """Equal for programs that differ in names and layout alone."""
    tree = parse(program.source)
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

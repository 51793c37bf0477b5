"""Which programs and cases of a corpus are a benchmark's, and how near the others come.

Guarantees: a program is hit if it holds a benchmark's function in its normal form (one of a few tokens: if it is the
entry function, or a third of the program at least), or a wanted part of a task's n-grams of code, or ten words in a row
(or a whole sentence of five to nine) of a task's description in its docstrings and comments.
A case is hit if its arguments and output are those of a task that consists of a call and its output.
Hits name tasks and hold no text.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from semcoder.cleaning import normal
from semcoder.cleaning.benchmarks import Benchmark
from semcoder.cleaning.ngrams import NgramIndex, grams

#: Tokens of normal form in an n-gram of code, and words in one of a description.
CODE_N = 8
TEXT_N = 10
#: Sentences of fewer words mean nothing; between this and `TEXT_N`, the whole sentence must be there.
SHORT_SENTENCE = 5
#: A task of fewer n-grams is found as a whole function only; one of fewer than `FEW_GRAMS` needs more of them.
MIN_GRAMS = 10
FEW_GRAMS = 30
FEW_PART = 0.8
#: Functions of fewer tokens are found in many programs, where they mean nothing unless they are most of the program.
TRIVIAL = 24


@dataclass(frozen=True, slots=True)
class Hit:
    """What was found: `kind` is code, n-grams, description or pair; `part`: how much of the task's (0 to 1)."""

    benchmark: str
    task: str
    kind: str
    part: float = 1.0


@dataclass(frozen=True, slots=True)
class Screened:
    """A program's hit, if there is one, and its nearest task per benchmark: Jaccard index of the n-grams of code."""

    hit: Hit | None
    nearest: dict[str, float] = field(default_factory=dict)


class Screen:
    """An index of benchmarks. `part`: of a task's n-grams of code, from which a program counts as its copy."""

    def __init__(self, benchmarks: Sequence[Benchmark], part: float = 0.6) -> None:
        self._part = part
        self._names = [benchmark.name for benchmark in benchmarks]
        self._tasks: list[tuple[str, str]] = []
        self._code = NgramIndex()
        self._digests: dict[str, int] = {}
        self._phrases: dict[int, int] = {}
        self._sentences: dict[tuple[str, ...], int] = {}
        self._pairs: dict[str, int] = {}
        for benchmark in benchmarks:
            for task in benchmark.tasks:
                key = len(self._tasks)
                self._tasks.append((benchmark.name, task.id))
                self._add_code(key, task.code)
                self._add_text(key, task.description)
                for call, output in task.pairs:
                    digest = normal.pair_digest(call, output)
                    if digest is not None:
                        self._pairs.setdefault(digest, key)

    def _add_code(self, key: int, code: str) -> None:
        tree = normal.parse(code) if code else None
        if tree is None:
            return
        self._code.add(key, grams(normal.code_tokens(tree), CODE_N).tolist())
        for unit in normal.units(tree):
            self._digests.setdefault(unit.digest, key)

    def _add_text(self, key: int, text: str) -> None:
        for sentence in normal.sentences(text):
            if len(sentence) >= TEXT_N:
                for gram in grams(sentence, TEXT_N).tolist():
                    self._phrases.setdefault(gram, key)
            elif len(sentence) >= SHORT_SENTENCE:
                self._sentences.setdefault(sentence, key)

    def program(self, source: str, entry: str = "") -> Screened:
        """What the benchmarks have in common with a program whose function `entry` is called.

        A `source` that is not Python is hit by its words alone.
        """
        if not self._tasks:
            return Screened(None)
        tree = normal.parse(source)
        if tree is None:
            return Screened(self._in_texts([source]))
        tokens = normal.code_tokens(tree)
        found = grams(tokens, CODE_N)
        shared = self._code.overlaps(found)
        hit = self._same_function(tree, len(tokens), entry) or self._contained(shared)
        hit = hit or self._in_texts(normal.descriptions(source, tree))
        return Screened(hit, self._nearest(shared, len(found)))

    def pair(self, call: str, output: str) -> Hit | None:
        """The task whose call has the same arguments and the same output."""
        digest = normal.pair_digest(call, output)
        key = None if digest is None else self._pairs.get(digest)
        return None if key is None else self._hit(key, "pair")

    def _hit(self, key: int, kind: str, part: float = 1.0) -> Hit:
        return Hit(*self._tasks[key], kind, round(part, 3))

    def _same_function(self, tree: ast.Module, size: int, entry: str) -> Hit | None:
        for unit in normal.units(tree):
            known = self._digests.get(unit.digest)
            if known is not None and (unit.name == entry or unit.size >= TRIVIAL or 3 * unit.size >= size):
                return self._hit(known, "code")
        return None

    def _contained(self, shared: Counter[int]) -> Hit | None:
        parts = {key: count / self._code.sizes[key] for key, count in shared.items()}
        enough = [key for key, part in parts.items() if part >= self._needed(self._code.sizes[key])]
        best = max(enough, key=lambda key: (parts[key], -key), default=None)
        return None if best is None else self._hit(best, "n-grams", parts[best])

    def _needed(self, size: int) -> float:
        """The part of a task of so many n-grams that makes a copy; above 1: no part does."""
        if size < MIN_GRAMS:
            return 2.0
        return max(self._part, FEW_PART) if size < FEW_GRAMS else self._part

    def _in_texts(self, texts: Sequence[str]) -> Hit | None:
        for text in texts:
            for sentence in normal.sentences(text):
                if sentence in self._sentences:
                    return self._hit(self._sentences[sentence], "description")
                if len(sentence) < TEXT_N:
                    continue
                key = next((self._phrases[g] for g in grams(sentence, TEXT_N).tolist() if g in self._phrases), None)
                if key is not None:
                    return self._hit(key, "description")
        return None

    def _nearest(self, shared: Counter[int], size: int) -> dict[str, float]:
        nearest = dict.fromkeys(self._names, 0.0)
        for key, count in shared.items():
            name = self._tasks[key][0]
            nearest[name] = max(nearest[name], count / (self._code.sizes[key] + size - count))
        return {name: round(value, 4) for name, value in nearest.items()}


def summary(values: Sequence[float]) -> dict[str, Any]:
    """Mean, 99th percentile and greatest of similarities, None where there are none."""
    if not values:
        return {"mean": None, "p99": None, "max": None}
    ordered = sorted(values)
    return {
        "mean": round(sum(ordered) / len(ordered), 4),
        "p99": round(ordered[(len(ordered) - 1) * 99 // 100], 4),
        "max": round(ordered[-1], 4),
    }

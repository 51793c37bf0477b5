"""Near duplicates in a stream of any length: MinHash candidates from datatrove, each then compared exactly.

Three stages. `Signatures` (any number of tasks) and `Buckets` (one task a bucket) are datatrove's steps; `confirm` then
compares every document with the kept ones that share a bucket with it. datatrove's own third stage would merge chains:
A like B and B like C drops C, however unlike A and C are.

Guarantees: of a document that is dropped, both the whole and its entry function have the wanted similarity (Jaccard
index of n-grams of normal form; a short entry function: the same n-grams) to those of one earlier document that stays,
which is named; the result hangs on the documents and their order alone, not on the number of tasks.
It does not find every pair: one at exactly the threshold becomes a candidate with a probability of 90 % or more, one
above it with a higher one, equal normal forms always.
Memory is that of the largest task's signatures in one bucket, and of the n-grams of the candidates.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

try:
    from datatrove.pipeline.dedup.minhash import (  # type: ignore[import-untyped]
        MinhashConfig,
        MinhashDedupBuckets,
        MinhashDedupSignature,
    )
    from datatrove.utils.word_tokenizers import WhitespaceTokenizer  # type: ignore[import-untyped]
except ImportError as missing:
    from semcoder.errors import MissingExtra

    raise MissingExtra(missing.name or "datatrove", "data") from None

from semcoder.cleaning import normal
from semcoder.cleaning.ngrams import Grams, grams, jaccard

#: Tokens of normal form in a shingle.
N = 5
BUCKETS = 14
#: The most hashes a bucket takes: beyond, a signature costs much and tells little.
_MOST_HASHES = 24
#: The least probability that a pair at the threshold becomes a candidate.
_RECALL = 0.9
#: Entry functions of fewer shingles must be the same: those that call this or that method of a class differ by little.
_SHORT_ENTRY = 60
#: Signatures read at a time.
_BUFFER = 4096
#: A document: which task's file it is in, which place it has there.
Place = tuple[int, int]
Document = tuple[str, str]  # source, name of the entry function


@dataclass(frozen=True, slots=True)
class Twin:
    """Why a document is dropped: the place of the kept one that it is like, and how like (Jaccard index)."""

    place: Place
    similarity: float


def hashes_for(threshold: float) -> int:
    """How many hashes make one bucket, so that a pair at the threshold shares one of `BUCKETS` with `_RECALL`."""
    alone = 1 - (1 - _RECALL) ** (1 / BUCKETS)
    if threshold >= 1:
        return _MOST_HASHES
    return max(1, min(_MOST_HASHES, math.floor(math.log(alone) / math.log(threshold))))


def shingles(source: str, *, numbered: bool = False) -> Grams:
    """n-grams of normal form, or of words where a text is not Python.

    Candidates are found with all names alike, and measured with names told apart (`numbered`): `a < b` is not `b < a`.
    """
    tree = normal.parse(source)
    return grams(normal.words(source) if tree is None else normal.code_tokens(tree, numbered=numbered), N)


class Signatures(MinhashDedupSignature):  # type: ignore[misc]
    """datatrove's first stage on shingles of normal form instead of words."""

    def __init__(self, folder: Path, threshold: float) -> None:
        super().__init__(str(folder), _config(threshold), language=WhitespaceTokenizer())

    def get_shingles(self, text: str) -> Grams:
        return shingles(text).reshape((-1, 1))


def buckets_step(signatures: Path, folder: Path, threshold: float) -> Any:
    """datatrove's second stage: pairs of documents with one bucket's hashes in common. Run it with `BUCKETS` tasks."""
    return MinhashDedupBuckets(str(signatures), str(folder), config=_config(threshold), lines_to_buffer=_BUFFER)


def _config(threshold: float) -> Any:
    return MinhashConfig(n_grams=N, num_buckets=BUCKETS, hashes_per_bucket=hashes_for(threshold))


def candidates(folder: Path) -> dict[Place, list[int]]:
    """Of each document that shares a bucket's hashes with another: the numbers of the groups that it is in."""
    found: dict[Place, list[int]] = {}
    number = 0
    for path in sorted(folder.glob("*.dups")):
        last: Place | None = None
        for first, first_doc, second, second_doc in struct.iter_unpack("<4I", path.read_bytes()):
            if (first, first_doc) != last:  # a chain of pairs is one group
                number += 1
                found.setdefault((first, first_doc), []).append(number)
            last = (second, second_doc)
            found.setdefault(last, []).append(number)
    return found


def confirm(
    groups: dict[Place, list[int]], documents: Iterable[tuple[Place, Document]], threshold: float
) -> dict[Place, Twin]:
    """The documents to drop. `documents` come in the order in which the first of two alike stays."""
    kept: dict[int, list[tuple[Place, Grams, Grams]]] = {}
    dropped: dict[Place, Twin] = {}
    for place, (source, entry) in documents:
        if place not in groups:
            continue
        whole, own = shingles(source, numbered=True), _entry_shingles(source, entry)
        twin = _twin(groups[place], kept, whole, own, threshold)
        if twin is not None:
            dropped[place] = twin
            continue
        for group in groups[place]:
            kept.setdefault(group, []).append((place, whole, own))
    return dropped


def _twin(
    groups: Sequence[int], kept: dict[int, list[tuple[Place, Grams, Grams]]], whole: Grams, own: Grams, threshold: float
) -> Twin | None:
    seen: set[Place] = set()
    for group in groups:
        for place, other, others_own in kept.get(group, ()):
            if place in seen:
                continue
            seen.add(place)
            short, long = sorted((len(whole), len(other)))
            if short < threshold * long:
                continue
            wanted = 1.0 if min(len(own), len(others_own)) < _SHORT_ENTRY else threshold
            if jaccard(own, others_own) >= wanted and (similarity := jaccard(whole, other)) >= threshold:
                return Twin(place, round(similarity, 4))
    return None


def _entry_shingles(source: str, entry: str) -> Grams:
    tree = normal.parse(source)
    tokens = normal.words(source) if tree is None else normal.function_tokens(tree, entry, numbered=True)
    return grams(tokens, N)

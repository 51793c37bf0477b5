"""n-grams as sets of 64-bit numbers, and an index that says how much of what is in a set.

Guarantees: equal sequences have equal sets, on every machine and in every run; two different n-grams share a number
with a probability of about 2**-64 per pair. Memory is 8 bytes a distinct n-gram and what Python's sets and lists take.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

try:
    import numpy as np
except ImportError:
    from semcoder.errors import MissingExtra

    raise MissingExtra("numpy", "data") from None

Grams = Any  # numpy array of uint64, sorted, each number once, shape (number of distinct n-grams,)
_FACTOR = 0x9E3779B97F4A7C15
_MASK = (1 << 64) - 1
#: Tokens are hashed once; a corpus has few different ones, but strings without end.
_REMEMBERED = 200_000
_known: dict[str, int] = {}


def _number(token: str) -> int:
    found = _known.get(token)
    if found is None:
        if len(_known) >= _REMEMBERED:
            _known.clear()
        digest = hashlib.blake2b(token.encode("utf-8", "replace"), digest_size=8).digest()
        found = _known[token] = int.from_bytes(digest, "little") | 1
    return found


def grams(tokens: Sequence[str], n: int) -> Grams:
    """All n-grams of the tokens; of fewer than `n` tokens, the one that they make together."""
    if not tokens:
        return np.zeros(0, dtype=np.uint64)
    numbers = np.fromiter((_number(token) for token in tokens), dtype=np.uint64, count=len(tokens))
    width = min(n, len(tokens))
    total = np.zeros(len(tokens) - width + 1, dtype=np.uint64)
    factor = np.uint64(_FACTOR)
    for k in range(width):
        total = total * factor + numbers[k : k + len(total)]
        total ^= total >> np.uint64(29)
    if width < n:
        total ^= np.uint64(width)
    return np.unique(total)


def jaccard(one: Grams, other: Grams) -> float:
    """Shared n-grams as a part of all; 1.0 for two empty sets."""
    shared = len(np.intersect1d(one, other, assume_unique=True))
    union = len(one) + len(other) - shared
    return shared / union if union else 1.0


class NgramIndex:
    """Sets of n-grams by key. `overlaps` costs the size of the question and the answer, not of the index."""

    def __init__(self) -> None:
        self._holders: dict[int, list[int]] = {}
        self.sizes: dict[int, int] = {}

    def add(self, key: int, found: Iterable[int]) -> None:
        """Put one set in, under a key not used before."""
        members = [int(gram) for gram in found]
        self.sizes[key] = len(members)
        for gram in members:
            self._holders.setdefault(gram, []).append(key)

    def overlaps(self, found: Grams) -> Counter[int]:
        """Keys of the sets that share n-grams, with how many."""
        shared: Counter[int] = Counter()
        for gram in found.tolist():
            holders = self._holders.get(gram)
            if holders is not None:
                shared.update(holders)
        return shared

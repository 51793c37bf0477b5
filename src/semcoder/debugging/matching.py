"""Which statement of one version of a program is which of another: a diff of their trees.

Guarantees: a part of the tree that is the same in both versions, in the same order, is matched node by node, wherever
it stands in the text; every node has at most one partner; what has a partner and differs in what it says itself (its
blocks apart) is *changed*; what has none is *missing* from the other version.
It does not promise the smallest diff: statements are matched block by block, from the outside in.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator, Sequence

#: Beyond so many pairs of statements of two blocks only equal ones are matched.
_MOST_PAIRS = 40_000
_BLOCKS = ("body", "orelse", "finalbody")
_NAMED = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
#: What a pair of statements is worth: the same, of one name, of one type (and more, the more alike), merely paired.
_SAME, _ONE_NAME, _ONE_TYPE, _PAIRED = 3.0, 2.0, 0.5, 0.1


class Matching:
    """The nodes of `good` and those of `bad` that they are."""

    def __init__(self, good: ast.Module, bad: ast.Module) -> None:
        self.good, self.bad = good, bad
        self._partner: dict[int, ast.AST] = {}
        self._changed: set[int] = set()
        self._keys: dict[int, str] = {}
        self._sizes: dict[int, Counter[str]] = {}
        self._homes: dict[int, tuple[ast.AST, Sequence[ast.stmt]]] = {}
        self._pair(good, bad)
        for node in [*ast.walk(good), *ast.walk(bad)]:
            for block in blocks_of(node):
                self._homes.update({id(inner): (node, block) for inner in block})
        self._moved()

    def partner(self, node: ast.AST) -> ast.AST | None:
        """The same node of the other version, None if it has none."""
        return self._partner.get(id(node))

    def is_changed(self, node: ast.AST) -> bool:
        """Whether a node says something else itself in the other version, its blocks apart."""
        return id(node) in self._changed

    def differences(self) -> list[tuple[ast.stmt | None, ast.stmt | None]]:
        """Statements that are changed, missing from the bad version (no second) or from the good one (no first)."""
        found: list[tuple[ast.stmt | None, ast.stmt | None]] = []
        for node in ast.walk(self.good):
            other = self.partner(node)
            if isinstance(node, ast.stmt) and (other is None or self.is_changed(node)):
                found.append((node, other if isinstance(other, ast.stmt) else None))
        alone = (node for node in ast.walk(self.bad) if isinstance(node, ast.stmt) and self.partner(node) is None)
        return found + [(None, node) for node in alone]

    def place(self, node: ast.AST) -> ast.AST:
        """Where in the bad version a missing statement of the good one would stand: the statement after it in its
        block, else the one before it, else what the block belongs to."""
        home, block = self._homes.get(id(node), (self.good, ()))
        at = next((k for k, inner in enumerate(block) if inner is node), 0)
        for inner in [*block[at + 1 :], *reversed(block[:at])]:
            other = self.partner(inner)
            if other is not None:
                return other
        other = self.partner(home)
        return self.bad if home is self.good else other if other is not None else self.place(home)

    def outermost(self, node: ast.AST) -> ast.AST:
        """The statement without a partner that one without a partner is in: a branch as a whole, not a part of it."""
        home, _ = self._homes.get(id(node), (self.good, ()))
        alone = not isinstance(home, ast.Module) and self.partner(home) is None
        return self.outermost(home) if alone else node

    # -- matching

    def _key(self, node: ast.AST) -> str:
        if id(node) not in self._keys:
            self._keys[id(node)] = ast.dump(node)
        return self._keys[id(node)]

    def _join(self, good: ast.AST, bad: ast.AST) -> None:
        self._partner[id(good)], self._partner[id(bad)] = bad, good

    def _pair(self, good: ast.AST, bad: ast.AST) -> None:
        """Match two nodes that are taken for one another, and what is in them."""
        if self._key(good) == self._key(bad):
            for node, other in zip(ast.walk(good), ast.walk(bad), strict=True):
                self._join(node, other)
            return
        self._join(good, bad)
        if type(good) is not type(bad):
            self._changed |= {id(good), id(bad)}
            return
        for name in good._fields:
            one: object = getattr(good, name, None)
            two: object = getattr(bad, name, None)
            if name in _BLOCKS and isinstance(one, list) and isinstance(two, list):
                self._block(one, two)
            elif name in ("handlers", "cases") and isinstance(one, list) and isinstance(two, list):
                for part, twin in zip(one, two, strict=False):
                    self._pair(part, twin)
                if len(one) != len(two):
                    self._changed |= {id(good), id(bad)}
            elif not self._fields(one, two):
                self._changed |= {id(good), id(bad)}

    def _fields(self, one: object, two: object) -> bool:
        """Match two values of a field; whether they are the same."""
        if isinstance(one, list) and isinstance(two, list):
            same = [self._fields(a, b) for a, b in zip(one, two, strict=False)] if len(one) == len(two) else [False]
            return all(same)
        if isinstance(one, ast.AST) and isinstance(two, ast.AST):
            if type(one) is not type(two):
                return False
            self._pair(one, two)
            return self._key(one) == self._key(two)
        return type(one) is type(two) and one == two

    def _block(self, good: Sequence[ast.stmt], bad: Sequence[ast.stmt]) -> None:
        start = 0
        while start < min(len(good), len(bad)) and self._key(good[start]) == self._key(bad[start]):
            self._pair(good[start], bad[start])
            start += 1
        end = 0
        while end < min(len(good), len(bad)) - start and self._key(good[-1 - end]) == self._key(bad[-1 - end]):
            self._pair(good[-1 - end], bad[-1 - end])
            end += 1
        for one, two in self._aligned(good[start : len(good) - end], bad[start : len(bad) - end]):
            self._pair(*self._unwrapped(one, two))

    def _unwrapped(self, good: ast.stmt, bad: ast.stmt) -> tuple[ast.stmt, ast.stmt]:
        """The pair, or, where the one statement stands whole inside the other, that and what it is there."""
        for node in _inner(good):
            if self._key(node) == self._key(bad):
                return node, bad
        for node in _inner(bad):
            if self._key(node) == self._key(good):
                return good, node
        return good, bad

    def _aligned(self, good: Sequence[ast.stmt], bad: Sequence[ast.stmt]) -> list[tuple[ast.stmt, ast.stmt]]:
        """Pairs in order that are worth most together."""
        alike = len(good) * len(bad) <= _MOST_PAIRS
        worth = [[self._worth(one, two, alike) for two in bad] for one in good]
        best = [[0.0] * (len(bad) + 1) for _ in range(len(good) + 1)]
        for i in range(len(good) - 1, -1, -1):
            for j in range(len(bad) - 1, -1, -1):
                best[i][j] = max(best[i + 1][j], best[i][j + 1], best[i + 1][j + 1] + worth[i][j])
        pairs, i, j = [], 0, 0
        while i < len(good) and j < len(bad):
            if worth[i][j] and best[i][j] == best[i + 1][j + 1] + worth[i][j]:
                pairs.append((good[i], bad[j]))
                i, j = i + 1, j + 1
            elif best[i][j] == best[i + 1][j]:
                i += 1
            else:
                j += 1
        return pairs

    def _worth(self, one: ast.stmt, two: ast.stmt, alike: bool) -> float:
        if self._key(one) == self._key(two):
            return _SAME
        if isinstance(one, _NAMED) or isinstance(two, _NAMED):
            same = type(one) is type(two) and getattr(one, "name", "") == getattr(two, "name", "")
            return _ONE_NAME if same else 0.0
        if not alike:
            return 0.0
        if type(one) is type(two):
            return _ONE_TYPE + self._likeness(one, two)
        return _PAIRED

    def _likeness(self, one: ast.AST, two: ast.AST) -> float:
        """How many of the nodes of two statements are the same, from 0 to 1."""
        first, second = self._size(one), self._size(two)
        return 2 * (first & second).total() / (first.total() + second.total())

    def _size(self, node: ast.AST) -> Counter[str]:
        if id(node) not in self._sizes:
            self._sizes[id(node)] = Counter(
                f"{type(inner).__name__} {getattr(inner, 'id', '')}{getattr(inner, 'attr', '')}"
                f"{getattr(inner, 'value', '') if isinstance(inner, ast.Constant) else ''}"
                for inner in ast.walk(node)
            )
        return self._sizes[id(node)]

    def _moved(self) -> None:
        """Match statements that stand in another block, in order, function by function."""
        for function in ast.walk(self.good):
            other = self.partner(function)
            if not isinstance(function, _NAMED) or other is None:
                continue
            left = [node for node in ast.walk(other) if isinstance(node, ast.stmt) and self.partner(node) is None]
            for node in ast.walk(function):
                if isinstance(node, ast.stmt) and self.partner(node) is None:
                    same = next((two for two in left if self._key(two) == self._key(node)), None)
                    if same is not None:
                        self._pair(node, same)
                        inner = {id(part) for part in ast.walk(same)}
                        left = [two for two in left if id(two) not in inner]


def _inner(node: ast.stmt) -> Iterator[ast.stmt]:
    """The statements in the blocks of one."""
    for block in blocks_of(node):
        for part in block:
            yield part
            yield from _inner(part) if not isinstance(part, _NAMED) else ()


def blocks_of(node: ast.AST) -> list[Sequence[ast.stmt]]:
    """The blocks of statements that a node has of its own."""
    blocks = (getattr(node, name, None) for name in _BLOCKS)
    return [block for block in blocks if isinstance(block, list) and block and isinstance(block[0], ast.stmt)]

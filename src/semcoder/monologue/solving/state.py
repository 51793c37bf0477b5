"""What backward reasoning knows at one point of a program: values that variables must have there.

Guarantees: states are values; every derivation returns a new one and leaves the old as it was.
Partial knowledge of a container `x` lies beside the full kind: `x[]` holds known elements by index or key, `x#` its
length (`[` and `#` cannot occur in a variable's name).
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any


class _Free:
    """Stands for an element that may be anything."""

    def __repr__(self) -> str:
        return "FREE"


FREE = _Free()


@dataclass(frozen=True, slots=True)
class Items:
    """A target: any iterable that yields exactly these, some of them perhaps `FREE`."""

    values: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Derived:
    """One step of a derivation: this expression must have this value; `before` is the step that led here."""

    node: ast.AST
    value: Any
    exact: bool
    before: Derived | None


@dataclass(frozen=True, slots=True)
class State:
    """Needs at a point, and how they came about. `cost` counts choices that were not the first; `guessed` that one
    was picked among values that satisfy a constraint rather than forced or free."""

    known: Mapping[str, Any]
    cost: int = 0
    guessed: bool = False
    chain: Derived | None = None

    def bind(self, name: str, value: Any) -> State:
        known = {k: v for k, v in self.known.items() if k not in (name + "[]", name + "#")}
        known[name] = value
        return replace(self, known=known)

    def drop(self, *names: str) -> State:
        """Without anything said about these variables: before they were assigned."""
        gone = {text for name in names for text in (name, name + "[]", name + "#")}
        if gone.isdisjoint(self.known):
            return self
        return replace(self, known={k: v for k, v in self.known.items() if k not in gone})

    def needs(self, name: str) -> bool:
        return name in self.known or name + "[]" in self.known or name + "#" in self.known

    def slot(self, name: str, key: Any, value: Any) -> State:
        """With element `key` of the container `name` known."""
        slots = {**self.known.get(name + "[]", {}), key: value}
        return replace(self, known={**self.known, name + "[]": slots})

    def sized(self, name: str, size: int) -> State:
        return replace(self, known={**self.known, name + "#": size})

    def costing(self, extra: int) -> State:
        return replace(self, cost=self.cost + extra) if extra else self

    def guess(self) -> State:
        return self if self.guessed else replace(self, guessed=True)

    def note(self, node: ast.AST, value: Any, exact: bool = True) -> State:
        return replace(self, chain=Derived(node, value, exact, self.chain))

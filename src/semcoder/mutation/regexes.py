"""Short texts of the form that a regular expression asks for.

Guarantees: bounded work whatever the expression (it is walked, never matched), printable ASCII only, and the same
generator state gives the same text.
It does not promise a match: anchors, boundaries and what looks ahead or behind are left out of account.

hypothesis has a strategy for this, but it spells out character sets: one class of rare characters costs it seconds.
"""

from __future__ import annotations

import importlib
import random
import re
import warnings
from collections.abc import Callable
from functools import cache
from typing import Any

_ALPHABET = "abcdeXYZ0123456789 _-.,:;/@#=+*%&'\"()[]{}<>!?|\\^$~\t\n"
_ANY = "abcXYZ019 _-."
_MAX_TEXT = 40
_CATEGORIES: dict[str, Callable[[str], bool]] = {
    "CATEGORY_DIGIT": str.isdigit,
    "CATEGORY_SPACE": str.isspace,
    "CATEGORY_WORD": lambda c: c.isalnum() or c == "_",
}


@cache
def _parsed(pattern: str) -> Any:
    """The expression as the library's own parser sees it; None where it is none, or nothing can be made of it."""
    # Private, but the same from 3.11 to 3.13; should it go, expressions give no texts and nothing else changes.
    try:
        parser = importlib.import_module("re._parser")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return parser.parse(pattern)
    except (ImportError, AttributeError, re.error, ValueError, OverflowError, RecursionError):
        return None


def text_like(pattern: str, rng: random.Random) -> str:
    """A text of up to 40 characters; '' where nothing can be made."""
    tree = _parsed(pattern)
    if tree is None:
        return ""
    writer = _Writer(rng)
    writer.write(tree)
    return "".join(writer.out)[:_MAX_TEXT]


class _Writer:
    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._groups: dict[int, str] = {}
        self.out: list[str] = []

    def write(self, items: Any) -> None:
        """Append a text for a sequence of parsed items."""
        for op, argument in items:
            if len(self.out) <= _MAX_TEXT:
                self._write_one(str(op), argument)

    def _write_one(self, op: str, argument: Any) -> None:
        if op == "LITERAL":
            self.out.append(chr(argument) if chr(argument).isprintable() or chr(argument) in "\t\n" else "?")
        elif op == "NOT_LITERAL":
            self.out.append(self._rng.choice([c for c in _ANY if ord(c) != argument]))
        elif op == "ANY":
            self.out.append(self._rng.choice(_ANY))
        elif op == "IN":
            choices = _members(tuple((str(kind), value) for kind, value in argument))
            self.out.append(self._rng.choice(choices) if choices else "?")
        elif op == "BRANCH":
            self.write(self._rng.choice(argument[1]))
        elif op == "SUBPATTERN":
            start = len(self.out)
            self.write(argument[-1])
            if argument[0] is not None:
                self._groups[argument[0]] = "".join(self.out[start:])
        elif op in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"):
            low, high, item = int(argument[0]), int(argument[1]), argument[2]
            for _ in range(self._rng.randint(low, min(high, low + 3)) if low <= _MAX_TEXT else _MAX_TEXT):
                self.write(item)
        elif op == "ATOMIC_GROUP":
            self.write(argument)
        elif op == "GROUPREF":
            self.out.append(self._groups.get(argument, ""))
        elif op == "GROUPREF_EXISTS":
            chosen = argument[1] if argument[0] in self._groups else argument[2]
            self.write(chosen or ())


@cache
def _members(parts: tuple[tuple[str, Any], ...]) -> str:
    """The characters of the alphabet, and the literals named, that a set holds."""
    negated = parts[:1] == (("NEGATE", None),)
    tests = [_test(kind, value) for kind, value in parts if kind != "NEGATE"]
    named = {chr(value) for kind, value in parts if kind == "LITERAL" and 32 <= value < 127}
    letters = {chr(end) for kind, value in parts if kind == "RANGE" for end in value if 32 <= end < 127}
    known = dict.fromkeys([*_ALPHABET, *sorted(named | letters)])
    return "".join(c for c in known if any(test(c) for test in tests) != negated)


def _test(kind: str, value: Any) -> Callable[[str], bool]:
    if kind == "LITERAL":
        return lambda c: ord(c) == value
    if kind == "RANGE":
        return lambda c: bool(value[0] <= ord(c) <= value[1])
    name = str(value)
    test = _CATEGORIES.get(name.replace("_NOT_", "_"), str.isalpha)
    return (lambda c: not test(c)) if "_NOT_" in name else test

"""When LiveCodeBench takes what a program prints, or a method returns, for what is expected: its rules, on plain data.

This file is also the context that the tests of its generation task run in: standard library only, and nothing in it
may ask anything of an output but what its being plain data allows.
"""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from itertools import zip_longest
from typing import Any


def same_result(output: Any, expected: Any) -> bool:
    """Python's own `==`; a tuple may stand for a list, at the outermost level alone."""
    return bool((list(output) if isinstance(output, tuple) else output) == expected)


def same_text(printed: Any, expected: str) -> bool:
    """Line by line, without white space around them; lines that differ are compared as rows of decimal numbers."""
    if printed == expected:
        return True
    if not isinstance(printed, str):
        return False
    pairs = zip_longest(printed.strip().split("\n"), expected.strip().split("\n"))
    return all(one is not None and other is not None and _same_line(one.strip(), other.strip()) for one, other in pairs)


def _same_line(one: str, other: str) -> bool:
    if one == other:
        return True
    try:
        return [Decimal(part) for part in one.split()] == [Decimal(part) for part in other.split()]
    except (InvalidOperation, ValueError):
        return False

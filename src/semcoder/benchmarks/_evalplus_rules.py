"""When EvalPlus takes an output for the reference's: its rules, on plain data.

This file is also the context that the tests of the plus benchmarks run in (`_evalplus`): standard library only, and
nothing in it may ask anything of an output but what its being plain data allows.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

#: numpy's own default, which EvalPlus names.
RELATIVE = 1e-07
#: The absolute tolerance where the task names none and the expected output is of floats.
FLOATS = 1e-6
#: Tasks whose outputs are compared as sets.
SETS = frozenset({"similar_elements", "find_char_long", "common_in_nested_lists", "extract_singly", "larg_nnum"}) | {
    *("intersection_array", "find_dissimilar", "Diff"),
}
#: Tasks of which it only counts whether the output is None; their expected outputs are truth values.
NOT_NONE = frozenset({"check_str", "text_match_three", "text_starta_endb"})


class Rules:
    """The rules of one task, over a row of outputs: a tolerance that floats have set holds for what comes after."""

    def __init__(self, dataset: str, entry: str, atol: float) -> None:
        self.entry = entry
        self.atol = atol
        self.mbpp = dataset == "mbpp"

    def same(self, args: Sequence[Any], output: Any, expected: Any) -> bool:
        """Whether an output passes."""
        if self.mbpp and self.entry in NOT_NONE:
            return bool(output == expected if isinstance(output, bool) else expected == (output is not None))
        if output == expected:
            self._meet(expected)
            return True
        if not self.mbpp and self.entry == "find_zero":
            return is_zero(args[0], output, self.atol)
        if self.mbpp and (self.entry in SETS or self._excused(args, output)):
            return self.entry not in SETS or set(output) == set(expected)
        self._meet(expected)
        return self.atol != 0 and type(output) is type(expected) and near(output, expected, self.atol)

    def _meet(self, expected: Any) -> None:
        if self.atol == 0 and is_floats(expected):
            self.atol = FLOATS

    def _excused(self, args: Sequence[Any], output: Any) -> bool:
        """Tasks whose statement has more than one reading."""
        if self.entry == "are_equivalent":
            return True
        if self.entry == "sum_div":
            return bool(output == 0)
        if self.entry == "digit_distance_nums":
            return bool(output == digit_distance(*args))
        return self.entry == "surface_Area" and abs(output - pyramid_surface(*args)) <= self.atol


def is_floats(value: Any) -> bool:
    """Whether a value is a float, or a list or tuple of floats that is not empty."""
    if isinstance(value, (list, tuple)):
        return bool(value) and all(isinstance(part, float) for part in value)
    return isinstance(value, float)


def near(output: Any, expected: Any, atol: float) -> bool:
    """Whether numbers, or lists and tuples of them in the same shape, are equal within the tolerances."""
    if isinstance(expected, (list, tuple)):
        same_shape = isinstance(output, (list, tuple)) and len(output) == len(expected)
        return same_shape and all(near(a, b, atol) for a, b in zip(output, expected, strict=True))
    if not isinstance(output, (int, float, complex)) or not isinstance(expected, (int, float, complex)):
        return False
    try:
        if output == expected:  # infinities, too
            return True
        return abs(output - expected) <= atol + RELATIVE * abs(expected) and math.isfinite(abs(expected))
    except OverflowError:
        return False


def is_zero(coefficients: Sequence[float], x: Any, atol: float) -> bool:
    """HumanEval/32: any zero of the polynomial will do."""
    return abs(sum(factor * math.pow(x, power) for power, factor in enumerate(coefficients))) <= atol


def pyramid_surface(base: float, height: float) -> int:
    """MBPP/581, where the height is that of the apex above the base."""
    slant = math.sqrt((base / 2) ** 2 + height**2)
    return round(base**2 + 2 * base * slant)


def digit_distance(one: int, other: int) -> int:
    """MBPP/558, the shorter number filled up with zeros."""
    width = max(len(str(one)), len(str(other)))
    pairs = zip(str(one).zfill(width), str(other).zfill(width), strict=True)
    return sum(abs(int(a) - int(b)) for a, b in pairs)

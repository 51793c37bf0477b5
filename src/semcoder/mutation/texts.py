"""Changing a forward monologue's text in one place, in ways that make it false.

Works on the text alone, by its line structure and code spans, without the reader that the checker uses.
"""

from __future__ import annotations

import ast
import itertools
import random
import re
from collections.abc import Callable

#: A value's code span, by the words around it. Expression and variable names stay as they are.
_VALUE = re.compile(r"(?: is | becomes | stays | from | to | = | returns | yields )`([^`]+)`")
_LINE = re.compile(r"^Line (\d+)", re.MULTILINE)
_ITERATION = re.compile(r"iteration (\d+)|after (\d+) iteration")
_LOOP = re.compile(r"iteration (\d+) of the loop begins|the loop ends after (\d+) iterations?")
_TRUTH = re.compile(r"is (true|false)(?=[;.])")
_BRANCH = re.compile(r"the `if` body runs|the `else` branch runs|the `if` body is skipped")

Corrupt = Callable[[str, random.Random], str | None]


def other_value(text: str, rng: random.Random) -> str | None:
    """A literal near `text` that denotes a different value; None if `text` is no literal."""
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return None
    if isinstance(value, bool) or value is None:
        return rng.choice([t for t in ("True", "False", "None", "1") if t != text])
    if isinstance(value, (int, float)):
        return repr(value + rng.choice([1, -1, 10]))
    if isinstance(value, str):
        place = rng.randrange(len(value) + 1)
        return repr(value[:place] + rng.choice("xq7 ") + value[place:])
    if isinstance(value, (list, tuple)) and value:
        parts = list(value)
        if rng.random() < 0.5 or parts[::-1] == parts:
            parts.pop(rng.randrange(len(parts)))
        else:
            parts.reverse()
        return repr(type(value)(parts))
    if isinstance(value, dict) and value:
        value.pop(rng.choice(list(value)))
        return repr(value)
    return "[0]" if text != "[0]" else "[1]"


def corrupt_value(text: str, rng: random.Random) -> str | None:
    spans = list(_VALUE.finditer(text))
    rng.shuffle(spans)
    for match in spans:
        new = other_value(match.group(1), rng)
        if new is not None and new != match.group(1):
            return text[: match.start(1)] + new + text[match.end(1) :]
    return None


def corrupt_line(text: str, rng: random.Random) -> str | None:
    matches = list(_LINE.finditer(text))
    if not matches:
        return None
    match = rng.choice(matches)
    new = max(1, int(match.group(1)) + rng.choice([-2, -1, 1, 2]))
    return None if new == int(match.group(1)) else text[: match.start(1)] + str(new) + text[match.end(1) :]


def corrupt_iteration(text: str, rng: random.Random) -> str | None:
    matches = list(_ITERATION.finditer(text))
    if not matches:
        return None
    match = rng.choice(matches)
    group = 1 if match.group(1) else 2
    new = str(int(match.group(group)) + rng.choice([1, 2, -1]))
    return text[: match.start(group)] + new + text[match.end(group) :]


def corrupt_loop(text: str, rng: random.Random) -> str | None:
    """A loop that ends is said to go on, or one that goes on to end."""
    matches = list(_LOOP.finditer(text))
    if not matches:
        return None
    match = rng.choice(matches)
    count = int(match.group(1) or match.group(2))
    new = f"iteration {count + 1} of the loop begins" if match.group(2) else f"the loop ends after {count} iterations"
    return text[: match.start()] + new + text[match.end() :]


def corrupt_branch(text: str, rng: random.Random) -> str | None:
    matches = [*_TRUTH.finditer(text), *_BRANCH.finditer(text)]
    if not matches:
        return None
    match = rng.choice(matches)
    if match.re is _TRUTH:
        new = "is false" if match.group(1) == "true" else "is true"
    else:
        new = rng.choice([t for t in _BRANCH.pattern.split("|") if t != match.group()])
    return text[: match.start()] + new + text[match.end() :]


def corrupt_order(text: str, rng: random.Random) -> str | None:
    """Two neighbouring steps change places, or a step is left out, or told twice."""
    rows = text.split("\n")
    steps = [k for k, row in enumerate(rows) if row.startswith("Line ")]
    how = rng.choice(["swap", "drop", "twice"])
    if how == "swap":
        pairs = [(a, b) for a, b in itertools.pairwise(steps) if rows[a] != rows[b] and b == a + 1]
        if not pairs:
            return None
        a, b = rng.choice(pairs)
        rows[a], rows[b] = rows[b], rows[a]
    else:
        # The rest of a statement may be left untold: dropping such a row makes a text poorer, not false.
        places = [k for k in steps if " goes on" not in rows[k]]
        if not places:
            return None
        k = rng.choice(places)
        rows[k : k + 1] = [] if how == "drop" else [rows[k], rows[k]]
    return "\n".join(rows)


CORRUPTIONS: dict[str, Corrupt] = {
    "value": corrupt_value,
    "line": corrupt_line,
    "branch": corrupt_branch,
    "order": corrupt_order,
    "iteration": corrupt_iteration,
    "loop": corrupt_loop,
}

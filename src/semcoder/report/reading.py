"""Rows of files; counts, percentages and intervals of a results document: read from JSON, and as a page says them.

Guarantees: what is read is of its kind and in its range, or `InputError` names the place and the field; None is what
was not judged, never 0.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from semcoder.errors import InputError
from semcoder.report.html import is_number

Pair = tuple[float, float]

_LARGEST = 2**53


def lines_of(path: Path) -> Iterator[tuple[str, bytes]]:
    """Where each line of a file stands, and the line."""
    try:
        with path.open("rb") as lines:
            for number, line in enumerate(lines, 1):
                yield f"{path}:{number}", line
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from None


def row_of(line: bytes, where: str) -> Any:
    """What a line of a JSONL file holds."""
    try:
        return json.loads(line)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{where}: not a JSON row: {error}") from None


def part(doc: Mapping[str, Any], key: str, where: str) -> dict[str, Any]:
    value = doc.get(key)
    if not isinstance(value, dict):
        raise InputError(f"{where}: {key!r} must be an object, got {type(value).__name__}")
    return value


def count(doc: Mapping[str, Any], key: str, where: str) -> int:
    value = doc.get(key)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < _LARGEST:
        raise InputError(f"{where}: {key!r} must be a count")
    return value


def percent_of(doc: Mapping[str, Any], key: str, where: str) -> float | None:
    value = doc.get(key)
    if value is None:
        return None
    if not is_number(value) or not 0 <= value <= 100:
        raise InputError(f"{where}: {key!r} must be a number from 0 to 100, or null")
    return float(value)


def pair(doc: Mapping[str, Any], key: str, where: str) -> Pair | None:
    ends = doc.get(key)
    if ends is None:
        return None
    if not isinstance(ends, list) or len(ends) != 2 or not all(is_number(end) and 0 <= end <= 100 for end in ends):
        raise InputError(f"{where}: {key!r} must be two numbers from 0 to 100, or null")
    return float(ends[0]), float(ends[1])


def said(value: float | None) -> str:
    return "not judged" if value is None else f"{value:.1f}"


def span(ends: Pair | None) -> str:
    return "–" if ends is None else f"{ends[0]:.1f} to {ends[1]:.1f}"

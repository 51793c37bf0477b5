"""Failures that are explained outside of a pytest session: one call of one file, and one run beside a right one.

Guarantees: what is said of a call comes from its recording; a sentence on two runs names lines by file and line.
"""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass

from semcoder.core import Outcome, TooLarge, Value
from semcoder.debugging.divergence import first_divergence
from semcoder.debugging.duck import Telling, tell
from semcoder.debugging.projects import Layout, Segment
from semcoder.debugging.visits import Run
from semcoder.debugging.wanted import Check
from semcoder.errors import UsageError
from semcoder.tracing import Trace

_SPANS = re.compile(r"(`+[^`]*`+)")
_LINE = re.compile(r"\b([Ll]ine) (\d+)( of the good version)?")


@dataclass(frozen=True, slots=True)
class Parting:
    """Where a run leaves a right one: a sentence, and file and line of the statement to blame."""

    sentence: str
    file: str
    line: int


def layout_of(file: str, source: str) -> Layout:
    """The layout of a text that is one file."""
    path = os.path.realpath(file)
    name = os.path.basename(path).removesuffix(".py")
    return Layout((Segment(file, path, name, "code", 0, source.count("\n") + 1),))


def literal(text: str) -> Value:
    """The value of literal text. Raises `UsageError`."""
    try:
        return Value.of(ast.literal_eval(text.strip()))
    except (ValueError, SyntaxError, TypeError, TooLarge, RecursionError, MemoryError):
        raise UsageError(f'the value {text!r} is not a literal; write one like --expect "[1, 2]"') from None


def fits(outcome: Outcome, wanted: Value) -> bool:
    """Whether a call gave what was wanted, by Python's `==` where both are plain data."""
    if outcome.value is None:
        return False
    equal = outcome.value.python_equal(wanted)
    return outcome.value == wanted if equal is None else equal


def explain_call(trace: Trace, file: str, wanted: Value, *, full: bool = False, notes: Sequence[str] = ()) -> Telling:
    """What a call really did that should have given `wanted`."""
    run = Run(trace, layout_of(file, trace.source))
    outcome = trace.outcome
    error = str(outcome.exception) if outcome.exception is not None else outcome.detail
    check = None
    if outcome.value is not None:
        check = Check("", trace.invocation.text.strip(), outcome.value, wanted, tuple(run.visits[:1]))
    return tell(run, error=error, check=check, full=full, notes=notes)


def parting(good: Trace, bad: Trace, good_layout: Layout, bad_layout: Layout) -> Parting | None:
    """The first divergence of two runs over texts of several modules; None where they never part."""
    found = first_divergence(good, bad, good_source=good.source, bad_source=bad.source)
    if found is None:
        return None
    home = bad_layout.segment(found.line).file

    def place(match: re.Match[str]) -> str:
        word, number, of_good = match[1], int(match[2]), match[3] or ""
        layout = good_layout if of_good else bad_layout
        file = layout.segment(number).file
        where = "" if file == home else f" of {file}"
        return f"{word} {layout.line(number)}{where}{of_good}"

    parts = [part if part.startswith("`") else _LINE.sub(place, part) for part in _SPANS.split(found.sentence)]
    return Parting("".join(parts), home, bad_layout.line(found.line))

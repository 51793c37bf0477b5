"""The derivation of an input as notes: which expression, on which line, must have which value.

Guarantees: `true_notes` keeps exactly those notes that a recorded execution bears out.
It does not trace: whoever may run the program in process or in the sandbox brings the trace.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass

from semcoder.core import NotLiteral, TooLarge, Value, literal_text
from semcoder.monologue.solving.evaluate import evaluate
from semcoder.monologue.solving.state import FREE, Derived, Items
from semcoder.tracing import Trace

MAX_NOTES = 60


@dataclass(frozen=True, slots=True)
class Note:
    """On `line`, `expression` must evaluate to `must_be`: a literal, or a constraint in words where not `literal`."""

    line: int
    expression: str
    must_be: str
    literal: bool = True


def notes_of(source: str, chain: Derived | None) -> tuple[Note, ...]:
    """The steps of a derivation from the output backwards, each once, without those that no source text stands for."""
    steps: list[Derived] = []
    while chain is not None:
        steps.append(chain)
        chain = chain.before
    notes: dict[Note, None] = {}
    for step in reversed(steps):
        note = _note(source, step)
        if note is not None:
            notes.setdefault(note)
    return tuple(notes)[:MAX_NOTES]


def _note(source: str, step: Derived) -> Note | None:
    if not isinstance(step.node, ast.expr) or not hasattr(step.node, "lineno"):
        return None
    if step.value is FREE or isinstance(step.value, Items):
        return None
    try:
        text = literal_text(step.value) if step.exact else str(step.value)
    except (NotLiteral, TooLarge):
        return None
    return Note(step.node.lineno, expression_text(source, step.node), text, step.exact)


def expression_text(source: str, node: ast.AST) -> str:
    """An expression as the source writes it, on one line."""
    segment = ast.get_source_segment(source, node)
    return segment if segment is not None and "\n" not in segment else ast.unparse(node)


def true_notes(notes: tuple[Note, ...], trace: Trace) -> tuple[Note, ...]:
    """The notes that hold in a recorded execution: on that line the expression had that value at least once."""
    seen = _values(trace)
    return tuple(note for note in notes if _holds(note, seen.get((note.line, note.expression), [])))


def _holds(note: Note, values: list[Value]) -> bool:
    if note.literal:
        wanted = Value.of(evaluate(ast.parse(note.must_be, mode="eval").body, {}))
        return any(value == wanted for value in values)
    return any(value.is_literal() and bool(value.to_python()) is (note.must_be == "true") for value in values)


def _values(trace: Trace) -> dict[tuple[int, str], list[Value]]:
    """Values that expressions had, by line and text; variables as they were before each step of the line."""
    seen: dict[tuple[int, str], list[Value]] = {}
    frames: dict[int, dict[str, Value]] = {}
    for step in trace.steps:
        known = frames.setdefault(step.frame, {})
        for name in (n for n in ast.walk(step.node) if isinstance(n, ast.Name) and n.id in known):
            seen.setdefault((name.lineno, name.id), []).append(known[name.id])
        for part in step.parts:
            value = Value.of(part.truth) if part.kind == "t" else part.value
            if isinstance(part.node, ast.expr) and value is not None:
                seen.setdefault((part.node.lineno, expression_text(trace.source, part.node)), []).append(value)
        for change in step.changes:
            if change.new is None:
                known.pop(change.name, None)
            else:
                known[change.name] = change.new
    return seen

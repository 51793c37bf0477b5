"""The derivation of an input as notes: which expression, on which line, must have which value.

Guarantees: a note is about an expression of the source, as it stands there. It does not guarantee that the note holds
in the execution of the input that was found: whoever tells it checks it against the trace first.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass

from semcoder.core import NotLiteral, TooLarge, literal_text
from semcoder.monologue.solving.state import FREE, Derived, Items

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

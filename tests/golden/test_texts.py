"""What people read, word for word. SEMCODER_GOLDEN=update writes the files anew; look at the difference before committing."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from semcoder.monologue import style
from semcoder.tracing import trace_here
from tests.programs import PROGRAMS

FOLDER = Path(__file__).parent / "texts"
STYLES = [
    ("forward", "line"),
    ("forward", "expression"),
    ("backward", "line"),
    ("scratchpad", "line"),
    ("scratchpad", "expression"),
    ("next", "line"),
    ("concise", "line"),
    ("concise", "expression"),
    ("direct", "line"),
    ("steps", "line"),
    ("steps", "expression"),
]


@pytest.mark.parametrize(("style_name", "detail"), STYLES)
@pytest.mark.parametrize("name", PROGRAMS)
def test_text(name: str, style_name: str, detail: str) -> None:
    trace = trace_here(*PROGRAMS[name])
    if style_name == "backward" and trace.outcome.status != "returned":
        pytest.skip("backward monologues are for calls that return")
    text = style(style_name).render(trace, detail=detail).text + "\n"  # type: ignore[arg-type]
    path = FOLDER / f"{name}.{style_name}.{detail}.txt"
    if os.environ.get("SEMCODER_GOLDEN") == "update":
        path.write_text(text)
    assert path.read_text() == text, f"differs from {path}"

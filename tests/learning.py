"""What tests of training share: rows that a tiny model can learn something from, and recipes of a second."""

from __future__ import annotations

import json
import random
from pathlib import Path

from semcoder.training import Recipe, load_recipe

#: Settings that make the smoke recipe a matter of a second.
TINY = (
    "model.new={layers: 2, hidden: 32, heads: 2, vocabulary: 300, context: 512}",
    "max_length=64",
    "batch=8",
    "per_device=4",
    "held_out=0.1",
    "warmup_steps=0",
    "max_steps=12",
    "checkpoint_every=4",
)


def rows_file(folder: Path, count: int = 96) -> Path:
    """Rows of two columns, `q` and `a`: a few letters, and the same in reverse."""
    chance = random.Random(1)
    path = folder / "rows.jsonl"
    with path.open("w") as file:
        for _ in range(count):
            letters = [chance.choice("abcdefgh") for _ in range(chance.randint(1, 14))]
            row = {"q": "reverse: " + " ".join(letters), "a": " ".join(reversed(letters))}
            file.write(json.dumps(row) + "\n")
    return path


def settings(rows: Path, *more: str) -> list[str]:
    """`FIELD=VALUE` settings of a tiny run on a file of `rows_file`."""
    return [f"data=[{{rows: {rows}, prompt: q, answer: a}}]", *TINY, *more]


def tiny_recipe(rows: Path, *more: str) -> Recipe:
    return load_recipe("smoke", settings(rows, *more))

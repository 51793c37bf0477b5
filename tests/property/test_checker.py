"""The checker against texts changed in one place, over generated programs: what is changed is found, what is not stays."""

from __future__ import annotations

import os
import random
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

from semcoder.monologue import style, verify
from semcoder.mutation.texts import CORRUPTIONS
from semcoder.seeds.generator import generate
from semcoder.tracing import trace_here

LONGEST = 8000


def test_one_changed_place_is_found_and_nothing_else() -> None:
    made: Counter[str] = Counter()
    missed: list[tuple[int, str]] = []
    rng = random.Random(5)
    for seed in range(150):
        program, invocations = generate(seed)
        trace = trace_here(program.source, invocations[0])
        text = style("forward").render(trace).text
        if len(text) > LONGEST:
            continue
        assert [c for c in verify(text, trace) if c.verdict is not True] == [], f"false alarm for seed {seed}"
        for kind, corrupt in CORRUPTIONS.items():
            changed = corrupt(text, rng)
            if changed is not None and changed != text:
                made[kind] += 1
                if all(c.verdict is not False for c in verify(changed, trace)):
                    missed.append((seed, kind))
    assert min(made.values()) > 50
    assert len(missed) <= 0.01 * sum(made.values()), missed


def test_corrupted_claims_in_known_wordings_are_found() -> None:
    """A small run of `perf.verification`: its figures are asserted, not only printed."""
    command = [sys.executable, "-m", "perf.verification", "--monologues", "40", "--seed", "3"]
    root = Path(__file__).parents[2]
    done = subprocess.run(
        command,
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root / "src")},
        capture_output=True,
        text=True,
        check=True,
    )
    figures = dict(re.findall(r"^(recall|alarms|supported): ([\d.]+) %", done.stdout, re.MULTILINE))
    assert float(figures["recall"]) >= 95, done.stdout
    assert float(figures["alarms"]) <= 1, done.stdout
    assert float(figures["supported"]) >= 95, done.stdout

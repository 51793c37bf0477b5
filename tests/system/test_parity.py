"""Verdicts against those of the benchmark's official scorer, on the generations that were published with it."""

from __future__ import annotations

import json
import os
from math import comb
from pathlib import Path

import pytest

from semcoder.benchmarks import benchmark

DATA = Path(os.environ.get("SEMCODER_DATA", Path(__file__).parents[3] / "shared" / "data"))
#: Official figures on this half of the data (percent): pass@1, pass@5.
OFFICIAL = {"output": (33.1, 38.5), "input": (36.8, 46.6)}
#: `(task, answer)` on which we differ from the official verdict, and why. On these generations there is none.
DIFFERENCES: dict[tuple[str, str], str] = {}


def pass_at(k: int, verdicts: list[bool]) -> float:
    n, right = len(verdicts), sum(verdicts)
    return 1 - comb(n - right, k) / comb(n, k)


@pytest.mark.parametrize(
    ("mode", "step"),
    [
        pytest.param("output", 1, id="output"),
        pytest.param("input", 1, id="input", marks=pytest.mark.slow),  # calls that never end take their second
        pytest.param("input", 8, id="input-eighth"),
    ],
)
def test_cruxeval_verdicts_are_the_official_ones(mode: str, step: int) -> None:
    file = DATA / f"cruxeval_dev_codellama7b_{mode}.json"
    if not file.exists():
        pytest.skip(f"{file} is not there; set SEMCODER_DATA to the folder with the benchmark files")
    found = benchmark(f"cruxeval-{mode[0]}")
    tasks = found.load(str(DATA / "cruxeval_dev.jsonl"))
    generations = found.generations(file, tasks)
    official = json.loads(file.read_text())["raw_scored_generations"]
    rows = [(task, answer) for task in tasks[::step] for answer in generations[task.id]]
    scores = dict(found.score(rows, workers=2))
    verdicts = [scores[place].passed for place in range(len(rows))]
    wanted = [verdict for task in tasks[::step] for verdict in official[task.id]]
    differ = {(rows[n][0].id, rows[n][1]) for n in range(len(rows)) if verdicts[n] is not wanted[n]}
    assert differ <= set(DIFFERENCES)
    if step == 1:
        tens = [[v is True for v in verdicts[n : n + 10]] for n in range(0, len(verdicts), 10)]
        figures = tuple(round(100 * sum(pass_at(k, ten) for ten in tens) / len(tens), 1) for k in (1, 5))
        assert figures == OFFICIAL[mode]

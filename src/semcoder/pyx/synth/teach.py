"""A teacher's monologues in a build: the stage between telling and the end.

Guarantees: replies are kept in `work/replies.sqlite` and never paid for twice; rows are as `monologues` keeps them, but
for those with a benchmark's input and output. Once every program was answered for, `work/taught.json` has it all, and
a new start asks nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from semcoder.core import Program, decode
from semcoder.core.files import read_jsonl, write_json
from semcoder.models import Cached, Model, open_model
from semcoder.pyx.cases import PRELOAD
from semcoder.pyx.clean import exclusion, load_screen
from semcoder.pyx.config import BuildConfig
from semcoder.pyx.synth.converse import Spent, Unanswered
from semcoder.pyx.synth.monologues import DIRECTIONS, Figures, Telling, annotate
from semcoder.sandbox import Sandbox


def teach(config: BuildConfig, benchmarks: Sequence[Path], work: Path, say: Callable[[str], None]) -> dict[str, Any]:
    """`rows` (documents of Samples), `excluded` (for the exclusion file), `figures`. Raises as `Model.generate`."""
    done = work / "taught.json"
    if done.exists():
        return dict(json.loads(done.read_text(encoding="utf-8")))
    say(f"asking {config.teacher_name} for monologues")
    found = _ask(
        config, benchmarks, work, Cached(open_model(config.teacher, writes_code=True), work / "replies.sqlite")
    )
    if not found["figures"]["programs_unanswered"]:
        write_json(done, found)
    return found


def _ask(config: BuildConfig, benchmarks: Sequence[Path], work: Path, model: Model) -> dict[str, Any]:
    programs = list(_programs(config, work))
    wanted = tuple(direction for direction in DIRECTIONS if direction in config.rows)
    telling = Telling(config.teacher_samples, max_tokens=config.max_text // 2, seed=config.seed, directions=wanted)
    ended: dict[int, dict[str, Any]] = {}
    bugs: list[str] = []
    with Sandbox(workers=config.workers, preload=PRELOAD, unsafe=config.unsafe) as box:
        for place, result in annotate(programs, model, box, config, telling):
            if isinstance(result, Unanswered):
                continue
            if "bug" in result:
                bugs.append(result["bug"])
            else:
                ended[place] = result
    figures, spent = {direction: Figures() for direction in DIRECTIONS}, Spent()
    for place in sorted(ended):
        spent.plus(ended[place]["spent"])
        for direction in DIRECTIONS:
            figures[direction].add(ended[place]["figures"][direction])
    rows, excluded = _apart(config, benchmarks, [row for place in sorted(ended) for row in ended[place]["rows"]])
    return {
        "rows": rows,
        "excluded": excluded,
        "figures": {
            "teacher": config.teacher_name,
            "programs_unanswered": len(programs) - len(ended) - len(bugs),
            "programs_with_a_bug_of_ours": len(bugs),
            **{str(direction): one.document() for direction, one in figures.items()},
            "rows": len(rows),
            "rows_excluded": len(excluded),
            "prompt_tokens": spent.prompt_tokens,
            "completion_tokens": spent.completion_tokens,
        },
    }


def _apart(
    config: BuildConfig, benchmarks: Sequence[Path], rows: list[dict[str, Any]]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The rows, and the exclusions of those with a benchmark's input and output."""
    if not benchmarks:
        return rows, []
    screen = load_screen(tuple(map(str, benchmarks)), config.contamination)
    hits = [screen.pair(row["call"], row["output"]) for row in rows]
    excluded = [
        exclusion("row", row["program"], decode(Program, row["program"], "program").id, hit=hit)
        for row, hit in zip(rows, hits, strict=True)
        if hit is not None
    ]
    return [row for row, hit in zip(rows, hits, strict=True) if hit is None], excluded


def _programs(config: BuildConfig, work: Path) -> list[tuple[Program, list[tuple[str, str]]]]:
    """The kept programs, each with the cases that its monologues are to be about."""
    found = []
    for shard in range(config.shards):
        for row in read_jsonl(work / "results" / f"{shard:05d}.jsonl"):
            if "cases" in row:
                cases = [(case["call"], case["output"]) for case in row["cases"][: config.teacher_per_program]]
                found.append((decode(Program, row["program"], "program"), cases))
    return found

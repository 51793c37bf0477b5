"""The two oracles of tracing over benchmark programs and generated ones (see `tests.oracle` for what they compare).

`pytest -m slow tests/property/test_tracing_oracles.py` asks about 20,000 generated programs, or as many as
`SEMCODER_ORACLE_PROGRAMS` says, from seed `SEMCODER_ORACLE_FIRST` (0) on; and about every case of a build: of the folder
`SEMCODER_ORACLE_BUILD`, or of the demo, which is built then.
"""

from __future__ import annotations

import ast
import dataclasses
import gzip
import json
import os
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from semcoder.pyx import build, demo_config
from semcoder.seeds.generator import generate
from tests.oracle import judge

Case = tuple[str, str, str]  # name, source, call

DATA = Path(os.environ.get("SEMCODER_DATA", Path(__file__).parents[3] / "shared" / "data"))


def records(name: str) -> Iterator[dict[str, str]]:
    path = DATA / name
    if not path.exists():
        pytest.skip(f"{path} is not there; set SEMCODER_DATA to the folder with the benchmark files")
    with gzip.open(path, "rt") if path.suffix == ".gz" else open(path) as lines:
        yield from map(json.loads, lines)


PROGRAMS = int(os.environ.get("SEMCODER_ORACLE_PROGRAMS", "20000"))
FIRST = int(os.environ.get("SEMCODER_ORACLE_FIRST", "0"))


def check(cases: Iterable[Case], *, unasked: float = 0.02) -> None:
    """All cases pass; oracle 2 could be asked about all but a small share."""
    count, wrong, silent = 0, [], Counter[str]()
    for name, source, call in cases:
        verdict = judge(source, call, seconds=60)
        count += 1
        silent[verdict.unasked] += 1
        wrong += [f"{name} {call[:80]}: {line[:500]}" for line in verdict.differences]
    assert not wrong, "\n".join(wrong[:10])
    assert count
    del silent[""]
    assert sum(silent.values()) <= unasked * count, silent


def literal_calls(tests: str, name: str, entry: str) -> list[str]:
    """Calls of `name` with literal arguments in assert statements, renamed to `entry`, each once."""
    found: dict[str, None] = {}
    asserted = [
        part for node in ast.walk(ast.parse(tests)) if isinstance(node, ast.Assert) for part in ast.walk(node.test)
    ]
    for call in asserted:
        if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == name):
            continue
        if all(map(_is_literal, [*call.args, *[k.value for k in call.keywords]])):
            call.func.id = entry
            found.setdefault(ast.unparse(call))
    return list(found)


def _is_literal(node: ast.expr) -> bool:
    try:
        ast.literal_eval(node)
    except ValueError:
        return False
    return True


def cruxeval() -> Iterator[Case]:
    for row in records("cruxeval_dev.jsonl"):
        yield row["id"], row["code"], f"f({row['input']})"


def humaneval(per_problem: int) -> Iterator[Case]:
    for row in records("HumanEval.jsonl.gz"):
        entry = row["entry_point"]
        for call in literal_calls(row["test"], "candidate", entry)[:per_problem]:
            yield row["task_id"], row["prompt"] + row["canonical_solution"], call


def mbpp() -> Iterator[Case]:
    for row in records("mbpp_dev.jsonl"):
        defined = [n.name for n in ast.parse(row["code"]).body if isinstance(n, ast.FunctionDef)]
        for test in row["test_list"]:
            for name in defined:
                for call in literal_calls(test, name, name):
                    yield str(row["task_id"]), row["code"].replace("\r", ""), call


def generated(first: int, count: int) -> Iterator[Case]:
    for seed in range(first, first + count):
        program, calls = generate(seed)
        for call in calls:
            yield f"seed {seed}", program.source, call.text


def built(folder: Path) -> Iterator[Case]:
    with (folder / "programs.jsonl").open(encoding="utf-8") as lines:
        for row in map(json.loads, lines):
            for case in [*row["cases"], *row["raises"]]:
                yield row["program"]["origin"]["path"], row["program"]["source"], case["call"]


def test_cruxeval_programs() -> None:
    check(cruxeval())


def test_humaneval_solutions() -> None:
    check(humaneval(per_problem=1))


def test_generated_programs() -> None:
    check(generated(0, 300))


@pytest.mark.slow
def test_humaneval_solutions_with_every_call() -> None:
    check(humaneval(per_problem=1000))


@pytest.mark.slow
def test_mbpp_solutions_with_every_call() -> None:
    check(mbpp())


@pytest.mark.slow
def test_every_case_of_a_build(tmp_path: Path) -> None:
    folder = Path(os.environ.get("SEMCODER_ORACLE_BUILD", tmp_path / "demo"))
    if not folder.exists():
        build(dataclasses.replace(demo_config(), out=str(folder)))
    check(built(folder))


@pytest.mark.slow
def test_very_many_generated_programs() -> None:
    check(generated(FIRST, PROGRAMS))

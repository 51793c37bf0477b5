"""The pipeline on a small folder: what is kept, what is dropped and why, what the rows say, what a restart does."""

from __future__ import annotations

import ast
import dataclasses
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from semcoder.core import Program, Sample, decode, load
from semcoder.errors import InputError, UsageError
from semcoder.monologue import proposed_call, verify
from semcoder.pyx import BuildConfig, build, collect, demo_config, load_config
from semcoder.pyx.build import _claimed
from semcoder.pyx.cases import normal_form
from semcoder.tracing import trace_here

FUNCTIONS = '''
import time

LIMIT = 3

def shorten(text, width=LIMIT):
    """Cut a text after a number of words, and say with dots that it was cut.

    >>> shorten("a b c d", 2)
    'a b ...'
    """
    words = text.split()
    if len(words) <= width:
        return " ".join(words)
    kept = []
    for word in words[:width]:
        kept.append(word)
    return " ".join(kept) + " ..."

def count_signs(numbers: list[int]) -> dict[str, int]:
    counts = {"minus": 0, "zero": 0, "plus": 0}
    for n in numbers:
        if n < 0:
            counts["minus"] += 1
        elif n == 0:
            counts["zero"] += 1
        else:
            counts["plus"] += 1
    return counts

def always_seven(n):
    x = n * 0
    for _ in range(3):
        x += 1
    return x + 4

def asks_the_clock(n):
    total = 0
    for i in range(n):
        total += i
    return total + time.time()

def hash_order(words: list[str]) -> list[str]:
    found = set(words)
    out = []
    for word in found:
        out.append(word.upper())
    return out

def never_ends(n: int) -> int:
    while n >= 0 or n < 0:
        n += 1
    return n
'''

COPY = """
LIMIT = 3

def shorten(text, width=LIMIT):
    words = text.split()
    if len(words) <= width:
        return " ".join(words)
    kept = []
    for word in words[:width]:
        kept.append(word)  # the same but for comments and docstring
    return " ".join(kept) + " ..."
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("project")
    (root / "LICENSE").write_text("MIT License\n\nPermission is hereby granted, free of charge, to any person ...\n")
    (root / "tools.py").write_text(FUNCTIONS)
    (root / "vendored.py").write_text(COPY)
    return root


@pytest.fixture(scope="module")
def built(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], Path]:
    out = tmp_path_factory.mktemp("built") / "corpus"
    return build(config(folder, out)), out


def config(folder: Path, out: Path, **changes: Any) -> BuildConfig:
    basis = BuildConfig(sources=(str(folder),), out=str(out), shards=2, workers=1, cpu_s=0.3, unknown_license=True)
    return dataclasses.replace(basis, **changes)


def rows(out: Path, kind: str) -> list[Sample]:
    lines = (out / "rows" / f"{kind}-00000.jsonl").read_text().splitlines()
    return [load(Sample, json.loads(line), kind) for line in lines]


def test_what_is_kept_and_why_the_rest_is_not(built: tuple[dict[str, Any], Path]) -> None:
    manifest, out = built
    kept = [json.loads(line)["program"]["entry"] for line in (out / "programs.jsonl").read_text().splitlines()]
    assert sorted(kept) == ["count_signs", "shorten"]
    drops = {row["entry"]: row["reason"] for row in map(json.loads, (out / "drops.jsonl").read_text().splitlines())}
    assert drops["shorten"] == "duplicate"
    assert drops["always_seven"] == "the result does not depend on the input"
    assert drops["hash_order"] == "answers differently when run again"
    assert drops["never_ends"] == "hits a limit"
    assert "asks the clock" in manifest["drops"]
    assert manifest["counts"]["programs_seen"] == 2 + sum(manifest["drops"].values())


def test_rows_have_the_published_schema(built: tuple[dict[str, Any], Path]) -> None:
    manifest, out = built
    for kind in ("nl", "forward", "backward"):
        samples = rows(out, kind)
        assert len(samples) == manifest["counts"]["rows"][kind] > 0
        for sample in samples:
            prompts = [sample.nl, sample.fwd_mnl, sample.bwd_mnl]
            assert [bool(p) for p in prompts].count(True) == 1
            assert sample.response
            assert sample.program is not None
            assert sample.program.origin.path == "tools.py"
    assert len({s.id for kind in ("nl", "forward", "backward") for s in rows(out, kind)}) == sum(
        manifest["counts"]["rows"].values()
    )


def test_rows_are_true(built: tuple[dict[str, Any], Path]) -> None:
    """Each row read as a trainer would, and executed here, apart from the pipeline and its sandbox."""
    _, out = built
    for sample in rows(out, "forward") + rows(out, "backward"):
        prompt = sample.fwd_mnl or sample.bwd_mnl
        source = prompt.removeprefix("[PYTHON]\n").rpartition("\nassert ")[0]
        answer = sample.response.partition("[ANSWER]")[2].removesuffix("[/ANSWER]")
        space: dict[str, Any] = {}
        exec(source, space)
        exec(answer, space)
        text = sample.response.partition("[MONOLOGUE]\n")[2].partition("\n[/MONOLOGUE]")[0]
        call = proposed_call(text)
        assert call is not None
        assert answer.startswith(f"assert {call} == ")
        claims = verify(text, trace_here(source, call))
        assert len(claims) == sample.claims
        assert all(claim.verdict is True for claim in claims)
        asked = prompt.rpartition("\nassert ")[2].removesuffix("\n[/PYTHON]")
        assert asked.startswith(f"{call} == ??") or asked == f"{sample.program.entry}(??) == {sample.output}"  # type: ignore[union-attr]


def test_descriptions_come_with_executed_examples(built: tuple[dict[str, Any], Path]) -> None:
    (sample,) = rows(built[1], "nl")
    assert "Cut a text after a number of words" in sample.nl
    space: dict[str, Any] = {}
    exec(sample.response.removeprefix("```python\n").removesuffix("\n```"), space)
    exec(sample.nl.rpartition("For example:")[2], space)


def test_rows_load_as_a_data_set(built: tuple[dict[str, Any], Path], tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    files = [str(path) for path in sorted((built[1] / "rows").glob("*.jsonl"))]
    loaded = datasets.load_dataset("json", data_files=files[:1], split="train", cache_dir=str(tmp_path))
    assert {"id", "response"} <= set(loaded.column_names)


def test_building_again_changes_nothing(built: tuple[dict[str, Any], Path], folder: Path) -> None:
    manifest, out = built
    before = {path: path.read_bytes() for path in out.rglob("*.jsonl")}
    assert build(config(folder, out))["counts"] == manifest["counts"]
    assert {path: path.read_bytes() for path in out.rglob("*.jsonl")} == before


def test_another_configuration_is_refused_naming_the_fields(built: tuple[dict[str, Any], Path], folder: Path) -> None:
    with pytest.raises(UsageError, match=r"differs in: seed, min_cases"):
        build(config(folder, built[1], seed=1, min_cases=4))


def test_two_builds_in_one_folder_are_refused(folder: Path, tmp_path: Path) -> None:
    with _claimed(tmp_path), pytest.raises(UsageError, match="another build is running"):
        build(config(folder, tmp_path))


def test_a_folder_of_something_else_is_refused(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("dear ...")
    with pytest.raises(UsageError, match="not empty, and not a build folder"):
        build(config(folder, tmp_path))
    assert (tmp_path / "letter.txt").exists()


def test_collect(folder: Path, tmp_path: Path) -> None:
    manifest = collect([str(folder)], tmp_path / "out")
    programs = [json.loads(line) for line in (tmp_path / "out" / "programs.jsonl").read_text().splitlines()]
    assert manifest["counts"]["kept"] == len(programs) > 3
    for row in programs:
        program = decode(Program, row["program"])
        assert program.entry in {n.name for n in ast.parse(program.source).body if isinstance(n, ast.FunctionDef)}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("sources: [stdlib]\nsead: 1\n", "unknown field 'sead'"),
        ("sources: stdlib\n", ".sources: expected a list, got str"),
        ("sources: []\n", ".sources: name at least one source"),
        ("sources: [stdlib]\nrows: [forwards]\n", ".rows: 'forwards' is not one of"),
        ("sources: [stdlib]\nshards: 0\n", ".shards: must be at least 1"),
        ("- a\n", "a configuration is a mapping"),
        ("sources: [\n", "not readable as YAML"),
    ],
)
def test_bad_configurations(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "build.yaml"
    path.write_text(text)
    with pytest.raises(InputError) as error:
        load_config(path)
    assert str(error.value).startswith(str(path))
    assert message in str(error.value)


def test_configuration_hash_leaves_out_what_changes_no_row() -> None:
    basis = demo_config()
    assert dataclasses.replace(basis, workers=7, out="elsewhere").hash == basis.hash
    assert dataclasses.replace(basis, seed=7).hash != basis.hash


def test_normal_form_ignores_comments_docstrings_and_layout() -> None:
    assert normal_form("def f(x):\n    'doc'\n    return  x # c\n") == normal_form("def f(x): return x")
    assert normal_form("def f(x): return x") != normal_form("def f(x): return -x")


SCRIPT = """
import sys
from semcoder.pyx import BuildConfig, build
if __name__ == "__main__":
    build(BuildConfig(sources=("stdlib:bisect,heapq,colorsys,textwrap,shlex,fnmatch",), out=sys.argv[1], shards=6))
"""


def test_a_killed_build_ends_with_the_same_rows(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    subprocess.run([sys.executable, script, whole], check=True)
    results = killed / "work" / "results"
    for wanted in (1, 3):  # once early, once with parts done by the run before
        process = subprocess.Popen([sys.executable, script, killed], start_new_session=True)
        deadline = time.monotonic() + 120
        while len(list(results.glob("*.jsonl"))) < wanted and time.monotonic() < deadline and process.poll() is None:
            time.sleep(0.02)
        assert process.poll() is None, "the build ended before it could be killed"
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        assert not (killed / "manifest.json").exists()
    subprocess.run([sys.executable, script, killed], check=True)
    for name in ("rows/forward-00000.jsonl", "rows/backward-00000.jsonl", "rows/nl-00000.jsonl", "programs.jsonl"):
        assert (killed / name).read_bytes() == (whole / name).read_bytes()
        assert (whole / name).stat().st_size > 0

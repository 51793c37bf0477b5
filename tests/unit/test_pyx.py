"""The pipeline on a small folder: what is kept, what is dropped and why, what the rows say, what a restart does."""

from __future__ import annotations

import ast
import dataclasses
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from semcoder.core import Origin, Program, Sample, decode, load
from semcoder.core.lock import claimed
from semcoder.errors import InputError, UsageError
from semcoder.monologue import proposed_call, verify
from semcoder.pyx import BuildConfig, build, collect, demo_config, load_config
from semcoder.pyx.build import _settle_config
from semcoder.pyx.cases import find_cases, normal_form
from semcoder.pyx.rows import Teller
from semcoder.pyx.search import Rejected
from semcoder.pyx.showcase import showcase
from semcoder.sandbox import Sandbox
from semcoder.tracing import trace_here

#: The first lines of prompts, word for word: models are trained on them.
TASKS = {
    "nl": "Task: write the code that a description asks for.",
    "forward": "Task: follow the code and give its output.",
    "backward": "Task: reason back from the output and give an input.",
}
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


def test_drops_are_told_by_stage_and_what_was_run_by_construct(built: tuple[dict[str, Any], Path]) -> None:
    manifest, _ = built
    stages, constructs = manifest["stages"], manifest["constructs"]
    assert list(stages) == ["collecting", "cleaning", "running"]
    assert sum(map(Counter, stages.values()), Counter()) == Counter(manifest["drops"])
    assert {"asks the clock", "duplicate"} <= set(stages["collecting"])
    assert "hits a limit" in stages["running"]
    assert constructs["all programs"] == {"kept": 2, **stages["running"]}
    assert constructs["for loop"]["kept"] == 2
    assert constructs["slice"] == {"kept": 1}, "shorten alone has one"
    assert constructs["while loop"] == {"hits a limit": 1}


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
        task, _, question = prompt.partition("\n")
        assert task == TASKS[sample.task]
        source = question.removeprefix("[PYTHON]\n").rpartition("\nassert ")[0]
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
    assert sample.nl.splitlines()[0] == TASKS["nl"]
    assert "Cut a text after a number of words" in sample.nl
    space: dict[str, Any] = {}
    exec(sample.response.removeprefix("```python\n").removesuffix("\n```"), space)
    exec(sample.nl.rpartition("For example:")[2], space)


def keys(doc: Any) -> Any:
    return {key: keys(value) for key, value in doc.items()} if isinstance(doc, dict) else type(doc)


def test_every_row_has_every_field(built: tuple[dict[str, Any], Path]) -> None:
    shapes = []
    for kind in ("nl", "forward", "backward"):
        shapes += [keys(json.loads(line)) for line in (built[1] / "rows" / f"{kind}-00000.jsonl").open()]
    assert all(shape == shapes[0] for shape in shapes)
    assert [name for name in ("id", "nl", "fwd_mnl", "bwd_mnl", "response") if shapes[0][name] is not str] == []
    assert set(shapes[0]) == {"schema"} | {field.name for field in dataclasses.fields(Sample)}
    assert set(shapes[0]["program"]) == {field.name for field in dataclasses.fields(Program)}
    assert set(shapes[0]["program"]["origin"]) == {field.name for field in dataclasses.fields(Origin)}


def test_rows_load_as_one_data_set(built: tuple[dict[str, Any], Path], tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    files = [str(path) for path in sorted((built[1] / "rows").glob("*.jsonl"))]
    assert len(files) == 3
    loaded = datasets.load_dataset("json", data_files=files, split="train", cache_dir=str(tmp_path))
    assert len(loaded) == sum(built[0]["counts"]["rows"].values())
    for row in loaded:
        assert [bool(row[name]) for name in ("nl", "fwd_mnl", "bwd_mnl")].count(True) == 1


def test_the_whole_configuration_is_on_record(built: tuple[dict[str, Any], Path]) -> None:
    manifest, out = built
    everything = {field.name for field in dataclasses.fields(BuildConfig)}
    assert set(manifest["config"]) == everything
    assert set(json.loads((out / "config.json").read_text())["config"]) == everything


def test_monologues_are_counted_as_written_and_as_kept(built: tuple[dict[str, Any], Path]) -> None:
    counts, dropped = built[0]["counts"], built[0]["dropped_monologues"]
    assert counts["monologues"] == counts["rows"]["forward"] + counts["rows"]["backward"]
    never_written = dropped.get("no input found for an output", 0) + dropped.get(
        "the found input could not be traced", 0
    )
    assert counts["monologues_written"] == counts["monologues"] + sum(dropped.values()) - never_written
    assert counts["claims_checked"] >= sum(s.claims for kind in ("forward", "backward") for s in rows(built[1], kind))
    assert counts["claims_false"] == 0


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    with Sandbox(workers=1) as sandbox:
        yield sandbox


MEAN = """
def mean(numbers: list[float]) -> float:
    total = 0.0
    for number in numbers:
        total += number
    if not numbers:
        return float("nan")
    return total / len(numbers)
"""
BESIDE_NAN = """
def beside_nan(n: int) -> list:
    out = [n]
    for _ in range(2):
        out.append(float("nan"))
    return out
"""
OWN_SET = """
def set(item):
    return [item]

def distinct(words: list[str]):
    found = {0}
    found.clear()
    for word in words:
        found |= {word}
    return found
"""
LOOKS_AT_ITSELF = """
def weigh(n: int) -> int:
    total = 0
    for k in range(n % 5):
        total += k
    return total + len(weigh.__code__.co_code)
"""


def test_asserts_that_fail_are_not_taught(box: Sandbox) -> None:
    program = Program(MEAN, "mean")
    found = find_cases(program, box, BuildConfig(sources=()))
    cases, failing = found.cases, found.failing_asserts
    assert failing > 0  # the empty list's mean is nan, and `float('nan')` is a literal that equals nothing
    assert "mean([])" not in {case.call for case in cases}
    samples = Teller(program, cases, box, BuildConfig(sources=())).samples()
    assert "forward" in {sample.task for sample in samples}
    for sample in samples:
        exec(sample.response.partition("[ANSWER]")[2].removesuffix("[/ANSWER]"), executed(MEAN))


def executed(source: str) -> dict[str, Any]:
    space: dict[str, Any] = {}
    exec(source, space)
    return space


def test_an_assert_is_executed_beside_its_program(box: Sandbox) -> None:
    """`set()` is the empty set anywhere but here."""
    found = find_cases(Program(OWN_SET, "distinct"), box, BuildConfig(sources=()))
    cases, failing = found.cases, found.failing_asserts
    assert failing > 0
    assert "set()" not in {case.output for case in cases}


@pytest.mark.parametrize(
    ("source", "entry", "reason"),
    [
        (BESIDE_NAN, "beside_nan", "an assert on the result fails"),
        (LOOKS_AT_ITSELF, "weigh", "answers differently when run again"),  # the first run has marks in it
    ],
)
def test_programs_that_cannot_be_taught(source: str, entry: str, reason: str, box: Sandbox) -> None:
    with pytest.raises(Rejected) as rejected:
        find_cases(Program(source, entry), box, BuildConfig(sources=()))
    assert rejected.value.reason == reason


def test_the_showcase_shows_rows_as_another_execution_bears_them_out(built: tuple[dict[str, Any], Path]) -> None:
    out = built[1]
    documents = [json.loads(line) for line in (out / "rows" / "forward-00000.jsonl").open()]
    shown = json.loads((out / "showcase.json").read_text())["samples"]
    assert shown
    for doc in shown:
        assert any(doc["forward"]["text"] in row["response"] for row in documents)
        assert all(claim["verdict"] is True for claim in doc["forward"]["claims"])
    lie = next(row for row in documents if row["call"] == shown[0]["call"])
    lie["response"] = re.sub(r"(?m)\d+(?=\D*$)", "987654", lie["response"].partition("[ANSWER]")[0]) + "[ANSWER]"
    only = {"forward": [lie], "backward": []}
    assert showcase(only.__getitem__, BuildConfig(sources=()))["samples"] == []


def test_building_again_changes_nothing(built: tuple[dict[str, Any], Path], folder: Path) -> None:
    manifest, out = built
    before = {path: path.read_bytes() for path in [*out.rglob("*.jsonl"), *out.glob("*.json")]}
    assert build(config(folder, out))["counts"] == manifest["counts"]
    assert {path: path.read_bytes() for path in before} == before


def test_another_configuration_is_refused_naming_the_fields(built: tuple[dict[str, Any], Path], folder: Path) -> None:
    with pytest.raises(UsageError, match=r"differs in: seed, min_cases"):
        build(config(folder, built[1], seed=1, min_cases=4))


def copied(folder: Path, to: Path) -> Path:
    to.mkdir()
    (to / "tools.py").write_text((folder / "tools.py").read_text())
    return to


def test_changed_sources_are_refused(folder: Path, tmp_path: Path) -> None:
    source = copied(folder, tmp_path / "source")
    wanted = BuildConfig(sources=("stdlib:bisect", str(source)), out=str(tmp_path / "out"))
    (tmp_path / "out").mkdir()
    _settle_config(tmp_path / "out", wanted)
    (source / "tests").mkdir()
    (source / "tests" / "test_tools.py").write_text("a test is no source")
    _settle_config(tmp_path / "out", wanted)
    with (source / "tools.py").open("a") as file:
        file.write("\ndef late(x):\n    return x\n")
    with pytest.raises(UsageError) as error:
        _settle_config(tmp_path / "out", wanted)
    assert str(error.value) == (
        f"{tmp_path / 'out'}: sources changed since this build began ({source}); use another --out folder"
    )


@pytest.mark.parametrize("name", ["semcoder", "python"])
def test_another_version_is_refused(name: str, tmp_path: Path) -> None:
    wanted = BuildConfig(sources=("stdlib:bisect",), out=str(tmp_path))
    _settle_config(tmp_path, wanted)
    doc = json.loads((tmp_path / "config.json").read_text())
    doc["versions"][name] = "0.0.1"
    (tmp_path / "config.json").write_text(json.dumps(doc))
    with pytest.raises(UsageError, match=rf"{name} changed since this build began \(0\.0\.1 then, .* now\)"):
        _settle_config(tmp_path, wanted)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda text: text[: len(text) // 2], "cannot be read as JSON"),
        (lambda text: "[]", "not what a build saves"),
        (lambda text: text.replace('"seed": 0', '"seed": "zero"'), "config.seed: expected int, got str"),
        (lambda text: text.replace('"hash": "', '"hash": "0'), "its hash is not that of its fields"),
    ],
)
def test_a_spoilt_configuration_is_told(spoil: Callable[[str], str], message: str, tmp_path: Path) -> None:
    wanted = BuildConfig(sources=("stdlib:bisect",), out=str(tmp_path))
    _settle_config(tmp_path, wanted)
    path = tmp_path / "config.json"
    path.write_text(spoil(path.read_text()))
    with pytest.raises(UsageError) as error:
        _settle_config(tmp_path, wanted)
    assert str(error.value).startswith(str(tmp_path))
    assert "config.json" in str(error.value)
    assert message in str(error.value)


KILLED_WHILE_WRITING = """
import os, signal, sys
from pathlib import Path
from semcoder.pyx import BuildConfig, build
os.fsync = lambda fd: os.kill(os.getpid(), signal.SIGKILL)
build(BuildConfig(sources=(sys.argv[1],), out=sys.argv[2]))
"""


def test_a_build_killed_while_it_saves_its_configuration_can_be_started_again(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    killed = subprocess.run([sys.executable, "-c", KILLED_WHILE_WRITING, folder, out], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert {path.suffix for path in out.iterdir()} == {".tmp", ""}
    _settle_config(out, config(folder, out))
    assert {path.name for path in out.iterdir()} == {".lock", "config.json"}


def test_a_data_set_without_programs_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "short.py").write_text("def f(x):\n    return x\n")
    out = tmp_path / "out"
    with pytest.raises(UsageError, match=r"no program was kept \(1 too short\); see the reasons in .*drops\.jsonl"):
        build(config(tmp_path / "short.py", out))
    assert json.loads((out / "manifest.json").read_text())["counts"]["programs_kept"] == 0
    assert (out / "drops.jsonl").read_text()


def test_two_builds_in_one_folder_are_refused(folder: Path, tmp_path: Path) -> None:
    with claimed(tmp_path), pytest.raises(UsageError, match="another build is running"):
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
        ("sources: [stdlib]\nrows: []\n", ".rows: name at least one of nl, forward, backward"),
        ("sources: [stdlib]\nmin_cases: 11\n", ".min_cases: 11 cannot be reached, since cases_per_program is 10"),
        ("sources: [stdlib]\nmin_cases: 0\n", ".min_cases: must be at least 1, not 0"),
        ("sources: [stdlib]\nmax_programs: -1\n", ".max_programs: must be at least 0, not -1"),
        ("sources: [stdlib]\nforward_per_program: -2\n", ".forward_per_program: must be at least 0, not -2"),
        ("sources: [stdlib]\nmax_events: 0\n", ".max_events: must be at least 1, not 0"),
        ("sources: [stdlib]\ncpu_s: 0\n", ".cpu_s: must be a number of seconds above 0, not 0.0"),
        ("sources: [stdlib]\ncpu_s: -.inf\n", ".cpu_s: must be a number of seconds above 0, not -inf"),
        ("sources: [stdlib]\ncpu_s: .nan\n", ".cpu_s: must be a number of seconds above 0, not nan"),
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


@pytest.mark.slow
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
    rows_written = [f"rows/{kind}-00000.jsonl" for kind in ("forward", "backward", "nl")]
    for name in (*rows_written, "programs.jsonl", "showcase.json"):
        assert (killed / name).read_bytes() == (whole / name).read_bytes()
        assert (whole / name).stat().st_size > 0

"""Cleaning: copies of a benchmark are found whatever was done to them, innocent programs stay, drops are on record."""

from __future__ import annotations

import ast
import dataclasses
import gzip
import hashlib
import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from semcoder.cleaning import Benchmark, Screen, Task, find_files, normal, read_benchmark, read_benchmarks
from semcoder.cleaning.benchmarks import VARIABLE
from semcoder.cleaning.ngrams import NgramIndex, grams, jaccard
from semcoder.cleaning.screen import summary
from semcoder.errors import InputError, UsageError
from semcoder.pyx import BuildConfig, build, load_config
from tests.plants import COPIES, among_others, pasted_text, renamed

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"

PROMPT = '''from typing import List


def longest_climb(heights: List[int], rest: int) -> int:
    """ Find how many steps the longest climb in a list of heights takes, where a climb may pause for at most rest steps.
    A pause longer than that ends the climb and the next step begins another one.
    >>> longest_climb([1, 2, 3, 1], 0)
    2
    """
'''
SOLUTION = """    best = current = paused = 0
    for before, after in zip(heights, heights[1:]):
        if after > before:
            current += 1
            paused = 0
        else:
            paused += 1
            if paused > rest:
                current = 0
        best = max(best, current)
    return best
"""
TWO_PARTS = """import math

def is_square(n):
    root = math.isqrt(n)
    return root * root == n

def squares_between(low, high):
    found = []
    for n in range(low, high):
        if is_square(n):
            found.append(n)
    return found
"""
TINY = "def seventh(a):\n    return a[6] * 7\n"
HUMANEVAL = {
    "task_id": "Made/0",
    "prompt": PROMPT,
    "entry_point": "longest_climb",
    "canonical_solution": SOLUTION,
    "test": "",
}
MBPP = {
    "task_id": 7,
    "text": "Write a function to list all square numbers that lie between two given limits.",
    "code": TWO_PARTS.replace("\n", "\r\n"),
    "test_list": [],
}
CRUX = {"id": "sample_x", "code": TINY, "input": "[3, 1,4, 1, 5, 9, 2]", "output": "14"}
EXECUTION = {
    "question_id": "q1",
    "code": "class Solution:\n    pass\ndef g(a, b):\n    return a + b * 2\n",
    "input": "g(a = [1, 2, 3], b = [4, 5])",
    "output": "[1,2,3,4,5,4,5]",
}
CODEGEN = {
    "question_id": "abc",
    "question_title": "Towers",
    "question_content": "Given are towers in a row, each of a height of its own. Print how many of them can be seen from the left end of the row.",
    "starter_code": "",
}
PLUS = {
    "task_id": "Mbpp/2",
    "prompt": '"""\nWrite a function to turn every second word of a sentence around and keep the others.\nassert f("a") == 1\n"""\n',
    "canonical_solution": "\ndef turn(s):\n    return ' '.join(w[::-1] if k % 2 else w for k, w in enumerate(s.split()))\n",
    "entry_point": "turn",
}
ROWS: dict[str, dict[str, Any]] = {
    "HumanEval": HUMANEVAL, "mbpp": MBPP, "cruxeval": CRUX, "execution": EXECUTION, "codegen": CODEGEN, "MbppPlus": PLUS,
}  # fmt: skip


def write(path: Path, *rows: dict[str, Any]) -> Path:
    text = "".join(json.dumps(row) + "\n" for row in rows)
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    return path


@pytest.fixture(scope="module")
def screen(tmp_path_factory: pytest.TempPathFactory) -> Screen:
    folder = tmp_path_factory.mktemp("benchmarks")
    for name, row in ROWS.items():
        write(folder / f"{name}.jsonl", row)
    return Screen(read_benchmarks(find_files([str(folder)])))


# -- reading benchmarks


@pytest.mark.parametrize("name", ROWS)
def test_published_forms_are_read(name: str, tmp_path: Path) -> None:
    plain = write(tmp_path / f"{name}.jsonl", ROWS[name])
    benchmark = read_benchmark(plain)
    assert benchmark.name == name
    assert benchmark.sha256 == hashlib.sha256(plain.read_bytes()).hexdigest()
    assert benchmark.unreadable == 0
    (task,) = benchmark.tasks
    assert task.id in {str(value) for value in ROWS[name].values()}
    assert read_benchmark(write(tmp_path / f"{name}.jsonl.gz", ROWS[name])).tasks == (task,)
    (tmp_path / "list.json").write_text(json.dumps([ROWS[name]]))
    assert read_benchmark(tmp_path / "list.json").tasks == (task,)


def test_code_and_description_of_a_task(tmp_path: Path) -> None:
    tasks = {name: read_benchmark(write(tmp_path / f"{name}.jsonl", row)).tasks[0] for name, row in ROWS.items()}
    assert "longest climb in a list" in tasks["HumanEval"].description
    assert [u.name for u in normal.units(ast.parse(tasks["HumanEval"].code))] == ["longest_climb"]
    assert "every second word" in tasks["MbppPlus"].description
    assert tasks["cruxeval"].pairs == (("f([3, 1,4, 1, 5, 9, 2])", "14"),)
    assert tasks["execution"].pairs == ((EXECUTION["input"], EXECUTION["output"]),)
    assert tasks["codegen"].code == ""


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'{"task_id": 1, "code": "x"', ":1: not JSON"),
        (b'{"task_id": 1, "code": "x"}\n', ":1: not a benchmark form that is known"),
        (b'{"code": "x", "text": "y"}\n', ":1: a task has an id"),
        (b"[1]", "row 1: expected a JSON object, got int"),
        (b"\n", "holds no task"),
        (b"\x1f\x8bnonsense", "not readable as text or gzip"),
        (b"\xff\xfe", "not readable as text or gzip"),
    ],
)
def test_broken_benchmarks_are_told(content: bytes, message: str, tmp_path: Path) -> None:
    path = tmp_path / "broken.jsonl"
    path.write_bytes(content)
    with pytest.raises(InputError) as error:
        read_benchmark(path)
    assert str(error.value).startswith(str(path))
    assert message in str(error.value)


def test_where_benchmarks_are_looked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given, default = tmp_path / "given", tmp_path / "default"
    given.mkdir()
    default.mkdir()
    monkeypatch.setenv(VARIABLE, str(default))
    one, two = write(given / "b.jsonl.gz", CRUX), write(default / "a.jsonl", MBPP)
    assert find_files([str(given), str(one)]) == [one, two]
    assert find_files([]) == [two]
    with pytest.raises(InputError, match="no benchmark file"):
        find_files([str(tmp_path)])
    with pytest.raises(InputError, match="there is no such benchmark file"):
        find_files([str(tmp_path / "gone.jsonl")])
    monkeypatch.setenv(VARIABLE, str(tmp_path / "gone"))
    with pytest.raises(InputError, match=f"{VARIABLE}: there is no folder"):
        find_files([])


def test_files_of_one_name_are_told_apart(tmp_path: Path) -> None:
    for name, row in (("a", CRUX), ("b", MBPP)):
        (tmp_path / name).mkdir()
        write(tmp_path / name / "test.jsonl", row)
    names = [b.name for b in read_benchmarks(find_files([str(tmp_path / "a"), str(tmp_path / "b")]))]
    assert names[0] == "test"
    assert names[1].startswith("test-")


def test_code_that_is_not_python_is_counted(tmp_path: Path) -> None:
    path = write(tmp_path / "old.jsonl", {"task_id": 1, "text": MBPP["text"], "code": "def f(x):\n  print 'x'\n"})
    benchmark = read_benchmark(path)
    assert benchmark.unreadable == 1
    assert Screen([benchmark]).program(pasted_text(str(MBPP["text"]))).hit is not None


# -- plants


@pytest.mark.parametrize("copy", COPIES)
@pytest.mark.parametrize("name", ["HumanEval", "mbpp", "cruxeval", "MbppPlus"])
def test_copies_of_code_are_found(name: str, copy: str, screen: Screen, tmp_path: Path) -> None:
    task = read_benchmark(write(tmp_path / "x.jsonl", ROWS[name])).tasks[0]
    text = COPIES[copy](task.code.replace("\r\n", "\n"))
    hit = screen.program(text).hit
    assert hit is not None
    assert (hit.benchmark, hit.task, hit.kind) == (name, task.id, "code")


def test_a_copy_is_found_beside_other_code(screen: Screen) -> None:
    hit = screen.program(among_others(renamed(PROMPT + SOLUTION))).hit
    assert hit is not None
    assert hit.task == "Made/0"


def test_a_tiny_function_counts_where_it_is_the_entry(screen: Screen) -> None:
    text = among_others(renamed(TINY))
    entry = [node.name for node in ast.parse(text).body if isinstance(node, ast.FunctionDef)][-1]
    assert screen.program(text, "tally").hit is None
    hit = screen.program(text, entry).hit
    assert hit is not None
    assert hit.task == "sample_x"


def test_a_changed_copy_is_found_by_its_n_grams(screen: Screen) -> None:
    changed = SOLUTION.replace("paused = 0\n        else", "paused = 0\n            steps = 1\n        else")
    assert changed != SOLUTION
    hit = screen.program(PROMPT.partition('"""')[0].rstrip() + "\n" + changed).hit
    assert hit is not None
    assert hit.kind == "n-grams"
    assert 0.6 <= hit.part < 1


@pytest.mark.parametrize("name", ["HumanEval", "mbpp", "codegen", "MbppPlus"])
def test_pasted_descriptions_are_found(name: str, screen: Screen, tmp_path: Path) -> None:
    task = read_benchmark(write(tmp_path / "x.jsonl", ROWS[name])).tasks[0]
    for sentence in normal.sentences(task.description):
        if len(sentence) >= 10:
            hit = screen.program(pasted_text(" ".join(sentence))).hit
            assert hit is not None
            assert (hit.task, hit.kind) == (task.id, "description")
    comment = "\n".join(f"# {word}" for word in task.description.partition(".")[0].replace("\n", " ").split())
    assert screen.program(f"{comment}\ndef other(x):\n    return x\n").hit is not None


INNOCENT = [
    among_others(""),
    "def total(values):\n    best = 0\n    for value in values:\n        best = max(best, value)\n    return best\n",
    'def squares(n):\n    """List all square numbers up to n, as text."""\n    return [str(k * k) for k in range(n)]\n',
    "def f(x):\n    return x\n",
]


@pytest.mark.parametrize("source", INNOCENT)
def test_innocent_programs_stay(source: str, screen: Screen) -> None:
    screened = screen.program(source)
    assert screened.hit is None
    assert all(0 <= value < 0.5 for value in screened.nearest.values())


def test_similarity_is_one_for_a_copy_and_counts_shared_n_grams(screen: Screen) -> None:
    assert screen.program(renamed(TWO_PARTS)).nearest["mbpp"] == 1.0
    one, other = grams(list("abcde"), 2), grams(list("abcxy"), 2)
    assert jaccard(one, other) == pytest.approx(2 / 6)
    index = NgramIndex()
    index.add(3, one.tolist())
    assert index.overlaps(other) == {3: 2}
    assert summary([]) == {"mean": None, "p99": None, "max": None}
    assert summary([0.0, 1.0]) == {"mean": 0.5, "p99": 0.0, "max": 1.0}


def test_normal_form_tells_different_programs_apart() -> None:
    forms = {
        tuple(normal.units(ast.parse(source))[0].digest for _ in [0])
        for source in (
            "def f(a, b):\n    return a - b",
            "def f(a, b):\n    return b - a",
            "def f(a, b):\n    return a + b",
            "def f(a, b=1):\n    return a - b",
            "def f(a, *b):\n    return a - b",
            "def f(a, b):\n    return len(a) - b",
            "def f(a, b):\n    return a - 1",
            "def f(a, b):\n    if a:\n        a = b\n    return a",
            "def f(a, b):\n    if a:\n        a = b\n        return a",
        )
    }
    assert len(forms) == 9


def test_shared_input_and_output(screen: Screen) -> None:
    hit = screen.pair("anything([3,1,4,1,5,9,2])", "14")
    assert hit is not None
    assert (hit.benchmark, hit.task, hit.kind) == ("cruxeval", "sample_x", "pair")
    assert screen.pair("anything([3,1,4,1,5,9,2])", "15") is None
    assert screen.pair("anything([3,1,4,1,5,9])", "14") is None
    assert screen.pair("h([1, 2, 3], [4, 5])", "[1, 2, 3, 4, 5, 4, 5]") is not None
    short = Benchmark("short", "", (Task("s", "", "", (("f(1)", "2"),)),), 0)
    assert Screen([short]).pair("f(1)", "2") is None


def test_no_text_of_a_benchmark_is_reported(screen: Screen) -> None:
    hit = screen.program(PROMPT + SOLUTION).hit
    assert hit is not None
    told = json.dumps(dataclasses.asdict(hit))
    assert not set(normal.words(told)) & {"climb", "heights", "paused", "current"}


@pytest.mark.skipif(not DATA.is_dir(), reason="no benchmark data on this machine")
@pytest.mark.parametrize("copy", COPIES)
def test_recall_on_real_benchmarks_is_complete(copy: str) -> None:
    """Every sixth task of each file, so that the test stays short."""
    for path in find_files([str(DATA)]):
        benchmark = read_benchmark(path)
        screen = Screen([benchmark])
        for task in benchmark.tasks[::6]:
            tree = normal.parse(task.code)
            assert tree is not None
            text = COPIES[copy](ast.unparse(tree))
            names = [node.name for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef)]
            assert screen.program(text, names[-1] if names else "").hit is not None, (path.name, task.id)
            if task.description:
                assert screen.program(pasted_text(task.description)).hit is not None, (path.name, task.id)


# -- near duplicates


def project(folder: Path) -> Path:
    folder.mkdir()
    (folder / "climb.py").write_text(renamed(PROMPT + SOLUTION))
    (folder / "own.py").write_text(OWN)
    (folder / "vendored.py").write_text(OWN.replace("letters", "signs").replace("'end'", "'stop'"))
    (folder / "more.py").write_text(OTHER)
    return folder


OWN = """
def runs(letters: list[str]) -> list[str]:
    found = []
    count = 0
    for k, letter in enumerate(letters):
        count += 1
        last = k + 1 == len(letters)
        if last or letters[k + 1] != letter:
            if count > 1:
                found.append(letter + str(count))
            else:
                found.append(letter)
            count = 0
    if not found:
        found.append('end')
    return found
"""
OTHER = """
def weigh(numbers: list[int]) -> int:
    total = 0
    for k, number in enumerate(numbers):
        if number % 2:
            total += k * number
        else:
            total -= number
    return total
"""


def settings(folder: Path, out: Path, **changes: Any) -> BuildConfig:
    basis = BuildConfig(sources=(str(folder),), out=str(out), shards=2, workers=1, cpu_s=0.3, unknown_license=True)
    return dataclasses.replace(basis, **{"near_duplicates": 0.0, **changes})


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.fixture(scope="module")
def cleaned(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], Path, Path]:
    root = tmp_path_factory.mktemp("cleaned")
    benchmark = write(root / "made.jsonl", HUMANEVAL)
    first = settings(project(root / "project"), root / "first")
    build(first)
    case = next(c for p in lines(root / "first" / "programs.jsonl") if p["program"]["entry"] == "weigh"
                for c in p["cases"] if len(c["call"]) > 25)  # fmt: skip
    given = case["call"].partition("(")[2].removesuffix(")")
    pairs = write(
        root / "pairs.jsonl",
        {"id": "p1", "code": "def f(z):\n    return z\n", "input": given, "output": case["output"]},
    )
    config = dataclasses.replace(first, out=str(root / "out"), benchmarks=(str(benchmark), str(pairs)))
    return build(config), root / "out", benchmark


def test_a_benchmarks_program_does_not_become_rows(cleaned: tuple[dict[str, Any], Path, Path]) -> None:
    manifest, out, _ = cleaned
    kept = [row["program"]["entry"] for row in lines(out / "programs.jsonl")]
    assert "weigh" in kept
    assert not any(entry.startswith("value_0") for entry in kept)
    (excluded,) = [row for row in lines(out / "exclusions.jsonl") if row["benchmark"] == "made"]
    assert (excluded["what"], excluded["task"], excluded["reason"]) == ("program", "Made/0", "has a benchmark's code")
    assert excluded["origin"]["path"] == "climb.py"
    assert manifest["drops"]["has a benchmark's code"] == 1
    assert manifest["counts"]["programs_seen"] == len(kept) + sum(manifest["drops"].values())


def test_a_shared_pair_costs_the_case_and_not_the_program(cleaned: tuple[dict[str, Any], Path, Path]) -> None:
    manifest, out, _ = cleaned
    (pair,) = [row for row in lines(out / "exclusions.jsonl") if row["what"] == "case"]
    assert (pair["benchmark"], pair["task"], pair["entry"]) == ("pairs", "p1", "weigh")
    assert "call" not in pair
    (weigh,) = [row for row in lines(out / "programs.jsonl") if row["program"]["entry"] == "weigh"]
    source = read_benchmark(out.parent / "pairs.jsonl").tasks[0].pairs[0]
    wanted = normal.pair_digest(*source)
    told = [
        *weigh["cases"],
        *(row for kind in ("forward", "backward", "nl") for row in lines(out / "rows" / f"{kind}-00000.jsonl")),
    ]
    assert wanted not in {normal.pair_digest(row["call"], row["output"]) for row in told}
    assert manifest["cleaning"]["benchmarks"][1]["cases_excluded"] == 1


def test_the_manifest_names_the_benchmarks(cleaned: tuple[dict[str, Any], Path, Path]) -> None:
    manifest, out, benchmark = cleaned
    first, second = manifest["cleaning"]["benchmarks"]
    assert first["sha256"] == hashlib.sha256(benchmark.read_bytes()).hexdigest()
    assert (first["file"], first["tasks"], first["programs_excluded"]) == ("made.jsonl", 1, 1)
    assert second["programs_excluded"] == 0
    assert 0 <= first["similarity"]["mean"] <= first["similarity"]["max"] < 1
    assert manifest["figures"]["similarity_percent_max_made"] == round(100 * first["similarity"]["max"], 2)
    assert json.loads((out / "manifest.json").read_text())["cleaning"] == manifest["cleaning"]


def test_changed_benchmarks_are_refused(cleaned: tuple[dict[str, Any], Path, Path], tmp_path: Path) -> None:
    config = settings(
        project(tmp_path / "project"), tmp_path / "out", benchmarks=(str(write(tmp_path / "b.jsonl", MBPP)),)
    )
    build(config)
    write(tmp_path / "b.jsonl", MBPP, CRUX)
    with pytest.raises(UsageError, match=r"benchmarks changed since this build began \(.*b\.jsonl\)"):
        build(config)


def test_a_broken_benchmark_is_told_before_anything_is_written(tmp_path: Path) -> None:
    (tmp_path / "b.jsonl").write_text("{")
    with pytest.raises(InputError, match=r"b\.jsonl:1: not JSON"):
        build(settings(project(tmp_path / "project"), tmp_path / "out", benchmarks=(str(tmp_path / "b.jsonl"),)))
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_a_near_duplicate_names_the_program_that_stays(tmp_path: Path) -> None:
    pytest.importorskip("regex", reason="datatrove's MinHash needs it")
    pytest.importorskip("tokenizers", reason="datatrove's MinHash needs it")
    folder = project(tmp_path / "project")
    manifest = build(settings(folder, tmp_path / "out", near_duplicates=0.8))
    (row,) = [row for row in lines(tmp_path / "out" / "exclusions.jsonl") if row["reason"] == "near duplicate"]
    assert row["origin"]["path"] == "vendored.py"
    kept = {
        program["id"]: program["program"]["origin"]["path"] for program in lines(tmp_path / "out" / "programs.jsonl")
    }
    assert kept[row["like"]] == "own.py"
    assert 0.8 <= row["similarity"] < 1
    assert manifest["drops"]["near duplicate"] == 1
    again = build(settings(folder, tmp_path / "again", near_duplicates=0.8, shards=5))
    assert again["drops"] == manifest["drops"]


KILLED = """
import importlib, os, signal, sys
from semcoder.pyx import BuildConfig, build
room, name, times = sys.argv[4], sys.argv[5], int(sys.argv[6])
owner = importlib.import_module(room)
for part in name.split(".")[:-1]:
    owner = getattr(owner, part)
name = name.split(".")[-1]
plain, seen = getattr(owner, name), []
def deadly(*args, **more):
    seen.append(1)
    if len(seen) == times:
        os.kill(os.getpid(), signal.SIGKILL)
    return plain(*args, **more)
if times:
    setattr(owner, name, deadly)
build(BuildConfig(sources=(sys.argv[1],), out=sys.argv[2], benchmarks=(sys.argv[3],), shards=2, workers=1, cpu_s=0.3,
                  unknown_license=True, rows=("nl",)))
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("room", "name", "times"),
    [
        ("semcoder.cleaning.screen", "Screen.program", 3),
        ("semcoder.pyx.clean", "write_jsonl", 2),
        ("semcoder.pyx.clean", "write_json", 1),
    ],
)
def test_killed_while_cleaning(
    room: str, name: str, times: int, cleaned: tuple[dict[str, Any], Path, Path], tmp_path: Path
) -> None:
    root = cleaned[1].parent
    script = tmp_path / "script.py"
    script.write_text(KILLED)
    given = [str(root / "project"), str(tmp_path / "out"), str(root / "made.jsonl"), room, name]
    killed = subprocess.run([sys.executable, script, *given, str(times)], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert not (tmp_path / "out" / "work" / "cleaned.json").exists()
    subprocess.run([sys.executable, script, *given, "0"], check=True)
    mine, theirs = (lines(out / "work" / "clean" / "00000.jsonl") for out in (tmp_path / "out", cleaned[1]))
    assert mine == theirs
    (excluded,) = [row for row in lines(tmp_path / "out" / "exclusions.jsonl") if row["what"] == "program"]
    assert excluded["task"] == "Made/0"


def test_near_duplicates_may_be_kept(tmp_path: Path) -> None:
    (tmp_path / "build.yaml").write_text("sources: [stdlib]\nnear_duplicates: 0\n")
    assert load_config(tmp_path / "build.yaml").near_duplicates == 0


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("near_duplicates: 0.2\n", ".near_duplicates: must be a similarity from 0.5 to 1, or 0 to keep them, not 0.2"),
        ("near_duplicates: .nan\n", ".near_duplicates: must be a similarity"),
        ("near_duplicates: 1.5\n", ".near_duplicates: must be a similarity"),
        ("contamination: 0\n", ".contamination: must be a part above 0 and up to 1, not 0.0"),
        ("contamination: .nan\n", ".contamination: must be a part"),
        ("benchmarks: x.jsonl\n", ".benchmarks: expected a list"),
    ],
)
def test_bad_fields(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "build.yaml"
    path.write_text("sources: [stdlib]\n" + text)
    with pytest.raises(InputError) as error:
        load_config(path)
    assert message in str(error.value)

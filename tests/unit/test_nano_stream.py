"""The built-in model's training rows: the same whoever makes them, none of a held-out or a screened program."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from semcoder.core import Program
from semcoder.errors import InputError
from semcoder.nano import stream
from semcoder.nano.notation import ANSWER, BOS, DIRECT, EOS, IDS, INVERSE, LINES, OPENERS
from semcoder.nano.rows import CONTEXT, rows_of
from semcoder.nano.shards import fill, shard_path
from semcoder.nano.stream import HELD_OUT, LEFT_OUT, PROGRAMS, main, screening, shard_rows
from semcoder.seeds.short import generate_short

#: Programs of a shard in these tests.
FEW = 12
GUARD = stream._guard
Rows = list[list[int]]


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small shards; and no limits on this process, which is not a writer's."""
    monkeypatch.setattr(stream, "PROGRAMS", FEW)
    monkeypatch.setattr(stream, "_SECONDS", 0.0)
    monkeypatch.setattr(stream, "_guard", lambda: None)


def made(number: int, **how: Any) -> tuple[Rows, Counter[str]]:
    """A shard's rows, and what it left out."""
    told: list[Counter[str]] = []
    rows = list(shard_rows(number, **how, tell=lambda _, left_out: told.append(left_out)))
    (left_out,) = told
    return rows, left_out


def opened(row: list[int]) -> str:
    """The token that opens a row's answer."""
    (opener,) = [one for one in OPENERS if IDS[one] in row]
    return opener


def task(program: Program, name: str) -> dict[str, str]:
    return {"id": name, "code": program.source, "input": "1", "output": "1"}


def benchmark(folder: Path, *programs: Program) -> Path:
    """A benchmark file with these programs."""
    path = folder / "bench.jsonl"
    path.write_text("".join(json.dumps(task(each, f"t{place}")) + "\n" for place, each in enumerate(programs)))
    return path


# -- the same rows


def test_the_number_of_processes_changes_nothing(tmp_path: Path) -> None:
    for name, processes in (("one", 1), ("three", 3)):
        count = fill(
            tmp_path / name, shard_rows, first=3, shards=4, processes=processes, rows_per_shard=1000, niceness=0
        )
        assert count == 4
    files = [[shard_path(tmp_path / name, number).read_bytes() for number in range(3, 7)] for name in ("one", "three")]
    assert files[0] == files[1]
    assert len(set(files[0])) == 4


def test_a_shard_is_its_seeds_rows_in_order() -> None:
    rows, _ = made(2)
    assert rows == [row.ids() for seed in range(2 * FEW, 3 * FEW) for row in rows_of(seed, generate_short)]


def test_hash_seeds_change_nothing() -> None:
    code = f"""
import hashlib
from semcoder.nano import stream
stream.PROGRAMS = {FEW}
print(hashlib.sha256(repr(list(stream.shard_rows(1))).encode()).hexdigest())
"""
    found = {hashlib.sha256(repr(made(1)[0]).encode()).hexdigest()}
    for seed in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": seed, "OMP_NUM_THREADS": "1"}
        done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
        found.add(done.stdout.strip())
    assert len(found) == 1


# -- what rows are


@pytest.mark.parametrize("kind", [ANSWER, DIRECT, LINES])
def test_a_row_is_a_question_an_opener_and_an_answer(kind: str) -> None:
    rows, _ = made(0, kind=kind)
    assert {opened(row) for row in rows} == {kind, INVERSE}
    for row in rows:
        assert row[0] == IDS[BOS]
        assert row.index(IDS[EOS]) == len(row) - 1 < CONTEXT
        assert row.index(IDS[opened(row)]) < len(row) - 2


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_the_share_of_questions_backwards(share: float) -> None:
    kinds = Counter(opened(row) for row in made(0, inverse=share)[0])
    assert bool(kinds[INVERSE]) == bool(share)
    assert kinds[INVERSE] <= kinds[ANSWER]


# -- which programs


def test_seeds_of_shards_do_not_overlap_and_stay_below_those_held_out(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []

    def generate(seed: int) -> Any:
        seen.append(seed)
        return generate_short(seed % FEW)

    monkeypatch.setattr(stream, "generate_short", generate)
    monkeypatch.setattr(stream, "PROGRAMS", PROGRAMS)
    shards = (0, 1, HELD_OUT // PROGRAMS - 1)
    monkeypatch.setattr(stream, "rows_of", lambda seed, generate, **_: [generate(seed)][1:])
    for number in shards:
        list(shard_rows(number))
    assert len(seen) == len(set(seen)) == len(shards) * PROGRAMS
    assert max(seen) == HELD_OUT - 1
    with pytest.raises(ValueError, match="its seeds reach those held out"):
        next(shard_rows(HELD_OUT // PROGRAMS))


def failing(where: int, error: Exception) -> Callable[[int], Any]:
    def generate(seed: int) -> Any:
        if seed == where:
            raise error
        return generate_short(seed)

    return generate


@pytest.mark.parametrize("error", [RuntimeError("differs"), SyntaxError("quotes"), KeyError("UnicodeEncodeError")])
def test_a_program_that_cannot_be_used_costs_no_other(
    error: Exception, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    whole, nothing = made(0)
    lost = [row.ids() for row in rows_of(5, generate_short)]
    assert lost
    monkeypatch.setattr(stream, "generate_short", failing(5, error))
    rows, left_out = made(0)
    assert left_out - nothing == Counter({type(error).__name__: 1})
    assert [row for row in whole if row not in lost] == rows
    assert "program 5 left out" in capsys.readouterr().err


def test_a_program_that_does_not_end_costs_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a writer's process, which has its limits."""

    def generate(seed: int) -> Any:
        while seed == 5:
            pass
        return generate_short(seed)

    monkeypatch.setattr(stream, "_guard", GUARD)
    monkeypatch.setattr(stream, "_SECONDS", 0.5)
    monkeypatch.setattr(stream, "generate_short", generate)
    assert main(["--out", str(tmp_path), "--shards", "1"]) == 0
    (line,) = [json.loads(line) for line in (tmp_path / LEFT_OUT).read_text().splitlines()]
    assert line["left_out"]["TooLong"] >= 1


# -- screening


def test_a_benchmarks_program_is_left_out_whatever_its_names(tmp_path: Path) -> None:
    whole, _ = made(0)
    chosen = max(range(FEW), key=lambda seed: len(generate_short(seed)[0].source))
    program, _ = generate_short(chosen)
    other = Program("# a comment\n" + program.source.replace("def f(", "def solve( "), "solve")
    rows, left_out = made(0, screen=screening([str(benchmark(tmp_path, other))]))
    own = [row.ids() for row in rows_of(chosen, generate_short)]
    assert own
    assert [row for row in whole if row not in own] == rows
    assert left_out["a benchmark's code"] == 1


def test_screening_for_others_changes_nothing(tmp_path: Path) -> None:
    strange = Program(
        "def g(a, b):\n    c = [a ** b % 7 for a in range(b) if a & 3]\n    return divmod(sum(c), 11)\n", "g"
    )
    assert made(0, screen=screening([str(benchmark(tmp_path, strange))])) == made(0)


def test_no_benchmark_files(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no such benchmark file"):
        screening([str(tmp_path / "none.jsonl")])


# -- the command


def test_the_command_writes_shards_and_what_they_left_out(tmp_path: Path) -> None:
    program, _ = generate_short(max(range(FEW), key=lambda seed: len(generate_short(seed)[0].source)))
    screened = ["--screen", str(benchmark(tmp_path, program))]
    assert main(["--out", str(tmp_path / "out"), "--shards", "2", "--kind", "direct", "--inverse", "0", *screened]) == 0
    flat = np.load(shard_path(tmp_path / "out", 0))
    assert IDS[DIRECT] in flat
    assert not {IDS[ANSWER], IDS[INVERSE]} & set(flat.tolist())
    lines = [json.loads(line) for line in (tmp_path / "out" / LEFT_OUT).read_text().splitlines()]
    assert [line["shard"] for line in lines] == [0, 1]
    assert {line["programs"] for line in lines} == {FEW}
    assert lines[0]["left_out"]["a benchmark's code"] == 1


def test_a_file_that_is_no_benchmark_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "bench.jsonl"
    path.write_text('{"id": 1}\n')
    assert main(["--out", str(tmp_path / "out"), "--screen", str(path)]) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"error: {path}:1: not a benchmark form")
    assert said.count("\n") == 1
    assert not (tmp_path / "out").exists()

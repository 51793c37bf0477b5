"""Synthesis from the command line, with a teacher behind a real HTTP server: from seeds to a build, killed on the way."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from semcoder.core import Invocation, Program, Sample, Value, load
from semcoder.core.files import read_jsonl
from semcoder.models import Message, Reply, Request, Sampling
from semcoder.monologue import verify
from semcoder.pyx.synth.replies import read_told
from semcoder.sandbox import Sandbox, run_program
from semcoder.tracing import trace_here
from tests import servers, teachers
from tests.teachers import files, seeds_of

pytest.importorskip("openai")
DOCS = Path(__file__).parents[2] / "docs" / "cli.md"
NAMES = ("good", "majority", "repaired", "never", "disagreeing", "files", "prose", "random")


def served(asked: servers.Asked) -> servers.Answer:
    """The scripted teacher behind the server."""
    body = asked.body
    messages = tuple(Message(m["role"], m["content"]) for m in body["messages"])
    sampling = Sampling(body.get("max_tokens", 1), body["temperature"], seed=body.get("seed"))
    answer = teachers.told(Request(messages=messages, sampling=sampling))
    assert not isinstance(answer, Reply)
    return servers.said(answer, tokens=(100, len(answer.split())), delay=0.03)


def command(folder: Path, out: Path, url: str, *more: str) -> list[str]:
    words = ["--seeds", str(folder), "--teacher", f"openai:tiny@{url}", "--out", str(out), "--rounds", "1"]
    return [sys.executable, "-m", "semcoder", "synth", *words, "--samples", "2", "--concurrency", "3", *more]


def run(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(words, capture_output=True, text=True, timeout=300, check=False)


@pytest.fixture(scope="module")
def server() -> Iterator[servers.Scripted]:
    with servers.Scripted(served) as scripted:
        yield scripted


@pytest.fixture(scope="module")
def seeds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return seeds_of(tmp_path_factory.mktemp("seeds"), NAMES)


@pytest.fixture(scope="module")
def whole(server: servers.Scripted, seeds: Path) -> tuple[dict[str, Any], Path]:
    out = seeds / "whole"
    done = run(*command(seeds, out, server.url, "--monologues", "--price", "1", "10", "--json"))
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout), out


def test_from_seeds_to_checked_rows(whole: tuple[dict[str, Any], Path]) -> None:
    found, out = whole
    assert found["counts"]["programs_kept"] == 4
    assert found["counts"]["seeds"] == len(NAMES) == 4 + sum(found["drops"].values())
    assert found["folder"] == str(out)
    section = DOCS.read_text().split("\n## synth\n")[1].split("\n## ")[0]
    documented = {
        key for row in re.findall(r"^\| (`.*?`) \|", section, re.MULTILINE) for key in re.findall(r"`(\w+)`", row)
    }
    assert found.keys() == documented
    assert all(
        f"`{name}`" in section for name in [*found["counts"], *found["this_run"], *found["monologues"]["forward"]]
    )
    for direction in ("forward", "backward"):
        figures = found["monologues"][direction]
        rows = [load(Sample, row) for row in read_jsonl(out / "rows" / f"{direction}-00000.jsonl")]
        assert figures["accepted"] == len(rows) == found["counts"]["rows"][direction] > 0
        assert figures["answer_right_but_claim_false"] > 0
        assert figures["written"] == figures["accepted"] + sum(figures["rejected"].values())
        for sample in rows:
            assert sample.program is not None
            told = read_told(sample.response)
            trace = trace_here(sample.program.source, sample.call)
            assert trace.outcome.value is not None
            assert trace.outcome.value.literal() == sample.output
            verdicts = Counter(claim.verdict for claim in verify(told.text, trace))
            assert verdicts[False] == 0
            assert verdicts[True] == sample.claims > 0


def test_every_row_holds_when_executed(whole: tuple[dict[str, Any], Path]) -> None:
    with Sandbox(workers=1) as box:
        for kind in ("nl", "forward", "backward"):
            for row in read_jsonl(whole[1] / "rows" / f"{kind}-00000.jsonl"):
                sample = load(Sample, row)
                assert sample.program is not None
                (outcome,) = run_program(box, sample.program, [Invocation(f"{sample.call} == {sample.output}")])
                assert outcome.value == Value(True)


def test_what_it_cost_is_told_and_nothing_is_paid_for_twice(
    whole: tuple[dict[str, Any], Path], server: servers.Scripted, seeds: Path
) -> None:
    found, out = whole
    assert found["this_run"]["requests"] == found["spent"]["requests"]
    spent = found["spent"]
    assert spent["cost"] == pytest.approx((spent["prompt_tokens"] + 10 * spent["completion_tokens"]) / 1e6)
    before, asked = files(out), len(server.seen)
    (out / "work" / "seeds.jsonl").unlink()
    (out / "work" / "monologues.jsonl").unlink()
    done = run(*command(seeds, out, server.url, "--monologues", "--price", "1", "10", "--json"))
    assert done.returncode == 0, done.stderr
    again = json.loads(done.stdout)
    assert len(server.seen) == asked
    assert again["this_run"]["cached"] == again["this_run"]["requests"] == spent["requests"]
    assert again["this_run"]["cost"] == 0
    assert files(out) == before


@pytest.mark.slow
def test_a_killed_run_goes_on_to_the_same_files(
    whole: tuple[dict[str, Any], Path], server: servers.Scripted, seeds: Path
) -> None:
    out = seeds / "killed"
    words = command(seeds, out, server.url, "--monologues", "--price", "1", "10")
    first = len(server.seen)
    for requests in (7, 25, 90):
        process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        deadline = time.monotonic() + 120
        while len(server.seen) - first < requests and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.01)
        assert process.poll() is None
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
        assert not (out / "manifest.json").exists()
    with (out / "work" / "seeds.jsonl").open("ab") as journal:
        journal.write(b'{"key": "torn')
    done = run(*words)
    assert done.returncode == 0, done.stderr
    assert "resuming" in done.stderr
    mine, theirs = files(out), files(whole[1])
    for name in ("manifest.json", "config.json"):  # they name the folder
        mine[name] = mine[name].replace(str(out).encode(), str(whole[1]).encode())
    assert mine == theirs
    asked = Counter(json.dumps(call.body, sort_keys=True) for call in server.seen[first:])
    assert sum(asked.values()) - len(asked) <= 3 * 6  # in flight, or just come, at three kills


def test_the_programs_can_be_built_from(whole: tuple[dict[str, Any], Path], tmp_path: Path) -> None:
    pytest.importorskip("datatrove")
    (tmp_path / "build.yaml").write_text(f"sources: ['jsonl:{whole[1]}/programs.jsonl']\nshards: 1\nworkers: 1\n")
    done = run(
        sys.executable, "-m", "semcoder", "build", str(tmp_path / "build.yaml"), "--out", str(tmp_path / "c"), "--json"
    )
    assert done.returncode == 0, done.stderr
    built = json.loads(done.stdout)
    assert built["counts"]["programs_kept"] == 4
    assert built["counts"]["claims_false"] == 0
    programs = [row["program"] for row in read_jsonl(tmp_path / "c" / "programs.jsonl")]
    assert {program["origin"]["source"] for program in programs} == {"synth"}
    assert {program["origin"]["project"] for program in programs} == {"openai:tiny"}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--teacher", "nobody:x"], "no model 'nobody:x'"),
        (["--seeds", "/nowhere"], "holds no programs.jsonl"),
        (["--solutions", "0"], "--solutions: must be at least 1, not 0"),
        (["--price", "-1", "2"], "--price: two numbers from 0 up"),
    ],
)
def test_senseless_requests_are_one_line_and_code_2(
    seeds: Path, tmp_path: Path, words: list[str], message: str
) -> None:
    done = run(*command(seeds, tmp_path / "out", "http://127.0.0.1:9/v1", *words))
    assert done.returncode == 2
    assert message in done.stderr.splitlines()[-1]
    assert not (tmp_path / "out" / "programs.jsonl").exists()


def test_a_folder_of_something_else_is_left_alone(seeds: Path, tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    done = run(*command(seeds, tmp_path, "http://127.0.0.1:9/v1"))
    assert done.returncode == 2
    assert "not the folder of a synthesis" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_server_that_is_not_there_is_told(seeds: Path, tmp_path: Path) -> None:
    done = run(*command(seeds, tmp_path / "out", "http://127.0.0.1:9/v1"))
    assert done.returncode == 2
    assert "127.0.0.1:9" in done.stderr.splitlines()[-1]


def test_the_table_says_what_was_kept(
    server: servers.Scripted, seeds: Path, whole: tuple[dict[str, Any], Path]
) -> None:
    done = run(*command(seeds, whole[1], server.url, "--monologues", "--price", "1", "10"))
    assert done.returncode == 0
    assert "forward: right answer, but a claim is false" in done.stdout
    assert "dropped: no solution runs" in done.stdout
    assert done.stdout.rstrip().endswith("is a source for a build")


def test_programs_of_the_world_are_what_they_seem() -> None:
    program = Program(f"def task_good(numbers, limit):\n{teachers._BODIES[0]}", "task_good")
    with Sandbox(workers=1) as box:
        (outcome,) = run_program(box, program, [Invocation("task_good([1, 2, 3, 4], 3)")])
    assert outcome.value == Value(8)

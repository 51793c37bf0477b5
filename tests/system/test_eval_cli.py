"""`semcoder eval` from end to end: CRUXEval rows of our own, a served model, a real tiny one, and processes that are killed."""

from __future__ import annotations

import importlib
import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from semcoder.benchmarks import benchmark, benchmarks
from semcoder.cli import run_command
from semcoder.prompts import load_profile, save_profile
from tests.servers import Answer, Asked, Scripted, refused, said
from tests.tiny import tiny_model

DOCS = Path(__file__).parents[2] / "docs" / "cli.md"
ROWS = [
    {"id": f"own_{k}", "code": f"def f(n):\n    total = {k}\n    for i in range(n):\n        total += i\n    return total",
     "input": "4", "output": str(6 + k)}
    for k in range(8)
]  # fmt: skip


class Done(NamedTuple):
    code: int
    out: str
    err: str


Eval = Callable[..., Done]


@pytest.fixture
def evaluate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Eval:
    (tmp_path / "cruxeval.jsonl").write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    monkeypatch.chdir(tmp_path)
    return lambda *words: Done(run_command(["eval", *words]), *capsys.readouterr())


def start_of(asked: Asked) -> int:
    """The number at which a program that is asked about starts."""
    found = re.search(r"total = (\d+)", asked.said)
    assert found
    return int(found[1])


def answers(asked: Asked) -> Answer:
    """As a model that is wrong about every other output, and right about every input."""
    k = start_of(asked)
    answer = "f(4)" if "f(??)" in asked.said else str(6 + k if k % 2 else 0)
    return said(f"[MONOLOGUE]\nLine 2: `total` becomes `{k}`.\n[/MONOLOGUE]\n[ANSWER]{answer}")


def words(server: Scripted | None, *more: str, benchmark: str = "cruxeval-o") -> list[str]:
    model = ["--model", f"openai:m@{server.url}"] if server else []
    return [*model, "--benchmark", benchmark, "--data", "cruxeval.jsonl", *more]


def document(done: Done) -> dict[str, Any]:
    assert done.code == 0, done.err
    found = json.loads(done.out)
    assert isinstance(found, dict)
    return found


def test_both_benchmarks_with_monologues(evaluate: Eval, tmp_path: Path) -> None:
    with Scripted(answers) as server:
        done = evaluate(*words(server, "--benchmark", "cruxeval-i", "--style", "forward", "--out", "out", "--json"))
    assert done.code == 0, done.err
    forward, backward = map(json.loads, done.out.splitlines())
    assert (forward["benchmark"], forward["n"], forward["pass@1"]) == ("cruxeval-o", 8, 50)
    assert (backward["benchmark"], backward["n"], backward["pass@1"]) == ("cruxeval-i", 8, 100)
    assert forward["intervals"]["pass@1"][0] < 50 < forward["intervals"]["pass@1"][1]
    assert forward["failures"] == {"wrong": 4}
    assert (forward["steps"]["style"], forward["steps"]["true_part"]) == ("forward", 100)
    assert backward["steps"]["style"] == "backward"
    assert (backward["steps"]["with_claims"], backward["steps"]["no_false_claim"]) == (8, 100)
    section = re.search(r"^## eval\n(.*?)(?=^## |\Z)", DOCS.read_text(), re.M | re.S)
    assert section
    told = {key for row in re.findall(r"^\| (`.*?`) \|", section[1], re.M) for key in re.findall(r"`([\w@]+)`", row)}
    assert set(forward) <= told, "every key is documented"
    assert server.seen[0].body["top_p"] == 0.95
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert manifest["config"]["model"] == "openai:m", "without the address"


def test_tables_and_a_comparison(evaluate: Eval) -> None:
    with Scripted(answers) as server:
        evaluate(*words(server, "--out", "one"))
    with Scripted(lambda asked: said(f"[ANSWER]{6 + start_of(asked)}")) as server:
        done = evaluate(*words(server, "--out", "two", "--compare", "one"))
    assert done.code == 0, done.err
    assert re.search(r"cruxeval-o +8 +100.0 +67.6 to 100.0 +0 +none", done.out)
    assert re.search(r"one +openai:m +8 +50.0 .* -50.0 +-87.5 to -12.5 +0.12 ", done.out)
    assert re.search(r"SemCoder 6.7B +65.10", done.out)
    assert "published figures" in done.out
    both = evaluate("--compare", "one", "--compare", "two", "--json")
    rows = document(both)["rows"]
    assert [row["pass@1"] for row in rows] == [50, 100]
    assert rows[1]["against_first"]["mcnemar_p"] == 0.125
    assert evaluate("--compare", "nowhere").code == 2
    assert evaluate(*words(None, "--generations", "x", "--compare", "one", "--out", "one")).code == 2


def test_generations_of_ours_and_of_others(evaluate: Eval, tmp_path: Path) -> None:
    with Scripted(answers) as server:
        first = document(evaluate(*words(server, "--out", "out", "--json")))
    ours = "out/cruxeval-o/generations.jsonl"
    again = document(evaluate(*words(None, "--generations", ours, "--out", "again", "--json")))
    assert (again["pass@1"], again["failures"]) == (first["pass@1"], first["failures"])
    (tmp_path / "theirs.json").write_text(json.dumps({"own_0": ["6", "7"], "own_3": ["8 + 1", "9"]}))
    done = evaluate(*words(None, "--generations", "theirs.json", "--out", "theirs"))
    assert re.search(r"cruxeval-o +2 +75.0", done.out)
    assert done.err.splitlines()[-1] == "semcoder: warning: there are no answers for 6 of 8 tasks of cruxeval-o"


def test_a_server_that_fails_is_asked_again_at_the_next_start(evaluate: Eval) -> None:
    def half(asked: Asked) -> Answer:
        return refused(400, "too much") if start_of(asked) > 3 else answers(asked)

    with Scripted(half) as server:
        done = evaluate(*words(server, "--out", "out"))
        assert done.code == 0
        assert "the model did not reply 4 times on cruxeval-o" in done.err
    with Scripted(answers) as server:
        found = document(evaluate(*words(server, "--out", "out", "--json")))
    assert sorted(map(start_of, server.seen)) == [4, 5, 6, 7]
    assert (found["n"], found["pass@1"], found["unjudged"]) == (8, 50, 0)


def test_a_process_that_is_killed_while_asking(evaluate: Eval, tmp_path: Path) -> None:
    process: list[subprocess.Popen[bytes]] = []
    lock = threading.Lock()
    calls = 0

    def until(asked: Asked) -> Answer:
        nonlocal calls
        with lock:
            calls += 1
            if calls == 20:
                os.kill(process[0].pid, signal.SIGKILL)
        return answers(asked)

    with Scripted(until) as server:
        command = words(server, "--out", "out", "--n", "4", "--json")
        process.append(
            subprocess.Popen([sys.executable, "-m", "semcoder", "eval", *command], stdout=subprocess.DEVNULL)
        )
        assert process[0].wait() == -signal.SIGKILL
    kept = len((tmp_path / "out" / "cruxeval-o" / "generations.jsonl").read_bytes().split(b"\n")) - 1
    assert 0 < kept < 20
    with Scripted(answers) as server:
        found = document(evaluate(*words(server, "--out", "out", "--n", "4", "--json")))
    assert len(server.seen) == 32 - kept
    assert (found["n"], found["samples"], found["pass@1"], found["pass@4"]) == (8, 32, 50, 50)


def test_a_folder_that_is_another_evaluations(evaluate: Eval) -> None:
    with Scripted(answers) as server:
        evaluate(*words(server, "--out", "out"))
        done = evaluate(*words(server, "--out", "out", "--temperature", "0.5"))
    assert done.code == 2
    assert done.err.splitlines()[-1] == (
        "semcoder: error: out: begun with another configuration (differs in: temperature); use another --out folder"
    )


def test_a_real_model_that_says_how_it_is_asked(evaluate: Eval, tmp_path: Path) -> None:
    pytest.importorskip("transformers")
    folder = tiny_model(tmp_path / "tiny")
    save_profile(folder, load_profile("brief"), "concise")
    call = ["--model", f"hf:{folder}", "--benchmark", "cruxeval-o", "--data", "cruxeval.jsonl", "--out", "out"]
    call += ["--max-tokens", "12", "--limit", "3", "--json"]
    found = document(evaluate(*call))
    assert (found["n"], found["pass@1"], found["steps"]["style"]) == (3, 0, "concise")
    assert sum(found["failures"].values()) == 3
    config = json.loads((tmp_path / "out" / "manifest.json").read_text())["config"]
    assert (config["profile"]["name"], config["style"]) == ("brief", "concise")
    assert document(evaluate(*call)) == found
    (folder / "config.json").touch()
    assert "other data (differs in: model)" in evaluate(*call).err


@pytest.mark.parametrize("name", benchmarks())
def test_right_and_wrong_answers_of_every_benchmark(name: str, evaluate: Eval, tmp_path: Path) -> None:
    shared = importlib.import_module("tests.contract.test_benchmarks")
    (tmp_path / "data").mkdir()
    path, found = shared.written(tmp_path / "data", name), benchmark(name)
    tasks = found.load(str(path))
    (tmp_path / "answers.json").write_text(
        json.dumps({task.id: [found.gold(task), found.wrong(task)] for task in tasks})
    )
    done = evaluate("--benchmark", name, "--data", str(path), "--generations", "answers.json", "--json")
    doc = document(done)
    assert (doc["n"], doc["pass@1"], doc["pass@2"], doc["unjudged"]) == (len(tasks), 50, 100, 0)
    assert sum(doc["failures"].values()) == len(tasks)
    assert doc["constructs"]


def test_the_list(evaluate: Eval) -> None:
    assert document(evaluate("--list", "--json"))["cruxeval-i"]["asks"] == "input"
    assert "cruxeval-o" in evaluate("--list").out
    assert evaluate().code == 2

"""Bad input, as a user meets it: one clear line on stderr, the right exit code, no traceback.

Most command lines run in this process, through the same boundary that the installed command has; one of each kind runs
in a process of its own.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from semcoder.cli import run_command

PROGRAM = '''\
def double(n):
    """Twice n."""
    return n * 2

def bad(n):
    raise ValueError("no\\ngood")

def forever():
    while True:
        pass

def sleeper():
    import time
    time.sleep(1000)

def eater():
    kept = []
    while True:
        kept.append(bytearray(1 << 20))

def printer():
    while True:
        print("x" * 10_000)

def deep():
    nested = []
    for _ in range(1000):
        nested = [nested]
    return nested

def large():
    return list(range(1_000_000))

def numbers():
    yield 1

def itself():
    ring = [1]
    ring.append(ring)
    return ring

def leave():
    raise SystemExit(3)

def vanish():
    import os
    os._exit(0)
'''


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("programs")
    (folder / "program.py").write_text(PROGRAM)
    (folder / "broken.py").write_text("def f(:\n    pass\n")
    (folder / "latin.py").write_bytes("naïve = 1\n".encode("latin-1"))
    (folder / "nul.py").write_bytes(b"x = 1\0\n")
    (folder / "nested.py").write_text("x = " + "-" * 100_000 + "1\n")
    (folder / "unknown.yaml").write_text("sources: [stdlib]\nshard: 3\n")
    return folder


class Done(NamedTuple):
    returncode: int
    stdout: str
    stderr: str


@pytest.fixture
def semcoder(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Done]:
    def run(folder: Path, *words: str) -> Done:
        monkeypatch.chdir(folder)
        code = run_command(words)
        return Done(code, *capsys.readouterr())

    return run


def process(folder: Path, *words: str) -> Done:
    command = [sys.executable, "-m", "semcoder", *words]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False)
    return Done(done.returncode, done.stdout, done.stderr)


def only_line(text: str) -> str:
    lines = text.splitlines()
    assert len(lines) == 1, text
    assert lines[0].startswith("semcoder: ")
    return lines[0]


# exit code 2: the request is wrong; the line says what, where, and what to do
REQUESTS = [
    (["run", "missing.py", "--call", "f()"], "missing.py: there is no such file"),
    (["run", ".", "--call", "f()"], "Is a directory"),
    (["run", "latin.py", "--call", "f()"], "latin.py: not a text file in UTF-8"),
    (["run", "broken.py", "--call", "f()"], "broken.py has a syntax error at line 1, column 7"),
    (["run", "nul.py", "--call", "f()"], "nul.py has a syntax error: source code string cannot contain null bytes"),
    (["run", "nested.py", "--call", "f()"], "nested.py cannot be parsed: "),
    (["run", "program.py", "--call", "nothing(1)"], "defines no 'nothing'"),
    (["run", "program.py", "--call", "1 + 1"], "is not a call"),
    (["run", "program.py", "--call", "double("], "is not a Python expression"),
    (["run", "program.py"], "Missing option '--call'; see: semcoder run --help"),
    (["run", "program.py", "--call", "double(1)", "--limit-cpu", "nan"], "--limit-cpu nan"),
    (["trace", "program.py", "--call", "double(1)", "--format", "film"], "--format"),
    (["explain", "program.py"], "give either --call (forward) or --output (backward)"),
    (["explain", "program.py", "--output", "x +", "--entry", "double"], "is not a literal"),
    (["explain", "program.py", "--output", "4", "--entry", "nothing"], "defines no 'nothing'"),
    (["explain", "program.py", "--call", "double(1)", "--style", "sung"], "there is no style 'sung'"),
    (["verify", "missing.jsonl"], "missing.jsonl: there is no such file"),
    (["collect", "nowhere", "--out", "out"], "no source 'nowhere'"),
    (["collect", ".", "--out", "program.py"], "program.py is a file; --out names a folder"),
    (["build", "missing.yaml"], "missing.yaml: there is no such file"),
    (["build", "unknown.yaml"], "unknown.yaml: unknown field 'shard'"),
    (["report", "nowhere"], "nowhere: no such folder"),
    (["rnu", "program.py"], "No such command 'rnu'"),
]


@pytest.mark.parametrize(("words", "expected"), REQUESTS, ids=[" ".join(words) for words, _ in REQUESTS])
def test_a_wrong_request_is_refused_in_one_line(
    semcoder: Callable[..., Done], folder: Path, words: list[str], expected: str
) -> None:
    done = semcoder(folder, *words)
    assert done.returncode == 2
    assert done.stdout == ""
    line = only_line(done.stderr)
    assert line.startswith("semcoder: error: ")
    assert expected in line


# what a program does is an outcome: (call, exit code, the line on stderr)
OUTCOMES = [
    ("bad(1)", 1, r"semcoder: the call raised ValueError: no\ngood"),
    ("leave()", 1, "semcoder: the call exited: exit status 3"),
    ("vanish()", 1, "semcoder: the call exited: the process ended with exit status 0"),
    ("forever()", 3, "semcoder: timeout: "),
    ("sleeper()", 3, "semcoder: timeout: "),
    ("eater()", 3, "semcoder: memory: "),
    ("deep()", 3, "semcoder: output limit: the value is nested deeper"),
    ("large()", 3, "semcoder: output limit: a value has more than"),
]


@pytest.mark.parametrize(("call", "code", "expected"), OUTCOMES, ids=[call for call, _, _ in OUTCOMES])
def test_run_tells_an_outcome_without_a_value_in_one_line(
    semcoder: Callable[..., Done], folder: Path, call: str, code: int, expected: str
) -> None:
    limit = "0.3" if "timeout" in expected else "5"
    done = semcoder(folder, "run", "program.py", "--call", call, "--limit-cpu", limit, "--limit-memory", "64")
    assert done.returncode == code
    assert done.stdout == ""
    assert only_line(done.stderr).startswith(expected)


def test_a_program_that_prints_forever_is_stopped_and_its_output_bounded(
    semcoder: Callable[..., Done], folder: Path
) -> None:
    done = semcoder(folder, "run", "program.py", "--call", "printer()")
    assert done.returncode == 3
    assert only_line(done.stderr) == "semcoder: output limit: more printed output than the limit allows"
    assert set(done.stdout) == {"x", "\n"}
    assert len(done.stdout) <= 1 << 20


@pytest.mark.parametrize(
    ("call", "shown", "reason"),
    [
        ("numbers()", "<generator>\n", "a generator has no literal form"),
        ("itself()", "[1, [...]]\n", "a value that contains itself has no literal form"),
    ],
)
def test_a_value_without_literal_form_is_described_and_noted(
    semcoder: Callable[..., Done], folder: Path, call: str, shown: str, reason: str
) -> None:
    done = semcoder(folder, "run", "program.py", "--call", call)
    assert (done.returncode, done.stdout) == (0, shown)
    assert reason in only_line(done.stderr)


@pytest.mark.parametrize("command", ["trace", "explain"])
@pytest.mark.parametrize("call", ["forever()", "eater()"])
def test_a_run_too_long_to_tell_hits_a_limit(
    semcoder: Callable[..., Done], folder: Path, command: str, call: str
) -> None:
    done = semcoder(folder, command, "program.py", "--call", call, "--limit-cpu", "0.3", "--limit-memory", "64")
    assert done.returncode == 3
    assert done.stdout == ""
    assert call in only_line(done.stderr)


def test_an_output_that_no_input_gives_hits_a_limit(semcoder: Callable[..., Done], folder: Path) -> None:
    done = semcoder(folder, "explain", "program.py", "--output", "7", "--entry", "double")
    assert done.returncode == 3
    assert "no input of double was found" in only_line(done.stderr)


BAD_ROWS = [
    ("{", "not JSON"),
    ("[1]", "expected a JSON object"),
    ('{"source": "def f(): pass", "call": "f()"}', 'the row has no "text"'),
    ('{"call": "f()", "text": "The call returns `1`."}', 'give "source"'),
    ('{"source": "a = 1", "program": "p.py", "text": "x"}', "only one of them"),
    ('{"source": 7, "text": "x"}', '"source" is not text but int'),
    ('{"program": "missing.py", "text": "x"}', "missing.py: there is no such file"),
]


@pytest.mark.parametrize(("row", "expected"), BAD_ROWS, ids=[expected for _, expected in BAD_ROWS])
def test_a_malformed_row_is_named_by_file_and_line(
    semcoder: Callable[..., Done], tmp_path: Path, row: str, expected: str
) -> None:
    good = json.dumps({"source": "def f(x): return x", "call": "f(1)", "text": "The call returns `1`."})
    (tmp_path / "rows.jsonl").write_text(f"{good}\n\n{row}\n")
    done = semcoder(tmp_path, "verify", "rows.jsonl")
    assert done.returncode == 2
    assert done.stdout == ""
    line = only_line(done.stderr)
    assert line.startswith("semcoder: error: rows.jsonl:3: ")
    assert expected in line


def test_a_closed_pipe_is_no_error(folder: Path) -> None:
    command = f"{sys.executable} -m semcoder trace program.py --call 'double(1)' | true"
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command], cwd=folder, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stderr == ""
    assert done.returncode in (0, 141)  # 0 where all was written before the reader went


def test_results_that_cannot_be_written_are_an_error(folder: Path) -> None:
    with open("/dev/full", "w") as full:
        command = [sys.executable, "-m", "semcoder", "run", "program.py", "--call", "double(1)"]
        done = subprocess.run(
            command, cwd=folder, stdout=full, stderr=subprocess.PIPE, text=True, timeout=60, check=False
        )
    assert done.returncode == 74
    assert "No space left on device" in only_line(done.stderr)


@pytest.mark.parametrize(
    ("words", "code", "expected"),
    [
        (["run", "missing.py", "--call", "f()"], 2, "semcoder: error: missing.py: there is no such file"),
        (["run", "program.py"], 2, "semcoder: error: Missing option '--call'; see: semcoder run --help"),
        (["run", "program.py", "--call", "bad(1)"], 1, r"semcoder: the call raised ValueError: no\ngood"),
        (["trace", "program.py", "--call", "forever()", "--limit-cpu", "0.3"], 3, "semcoder: error: forever() "),
    ],
)
def test_a_process_of_its_own_says_the_same(folder: Path, words: list[str], code: int, expected: str) -> None:
    done = process(folder, *words)
    assert (done.returncode, done.stdout) == (code, "")
    assert only_line(done.stderr).startswith(expected)


def test_ctrl_c_is_one_line(folder: Path) -> None:
    command = [sys.executable, "-m", "semcoder", "run", "program.py", "--call", "sleeper()"]
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, cwd=folder, **pipes) as running:
        deadline = time.monotonic() + 30
        children = Path(f"/proc/{running.pid}/task/{running.pid}/children")
        while not children.read_text() and time.monotonic() < deadline:  # until the sandbox is there
            time.sleep(0.02)
        running.send_signal(signal.SIGINT)
        stdout, stderr = running.communicate(timeout=30)
    assert (running.returncode, stdout, stderr) == (130, "", "semcoder: interrupted\n")


@pytest.mark.parametrize("debug", ["", "1"])
def test_a_bug_of_ours_is_one_line_and_a_traceback_on_demand(
    semcoder: Callable[..., Done], folder: Path, monkeypatch: pytest.MonkeyPatch, debug: str
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("oops")

    monkeypatch.setattr("semcoder.api.run", broken)
    monkeypatch.setenv("SEMCODER_DEBUG", debug)
    done = semcoder(folder, "run", "program.py", "--call", "double(1)")
    assert done.returncode == 70
    assert done.stderr.splitlines()[-1].endswith("(SEMCODER_DEBUG=1 shows where): ZeroDivisionError: oops")
    assert ("Traceback" in done.stderr) is bool(debug)
    assert debug or only_line(done.stderr)

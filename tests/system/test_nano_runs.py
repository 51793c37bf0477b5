"""The built-in model's training as one command: stopped or killed, it goes on, and ends as if it had not been."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")

from semcoder.nano.network import load  # noqa: E402

pytestmark = pytest.mark.slow

#: The recipe in less than its minute.
SHORT = ["--set", "nano.steps=24", "--set", "nano.context=256", "--set", "nano.rows=2"]


def start(out: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "semcoder", "train", "nano-smoke", "--out", str(out), "--json", *SHORT]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment, start_new_session=True
    )


def run(out: Path) -> dict[str, Any]:
    """The manifest that a run to the end printed."""
    process = start(out)
    stdout, stderr = process.communicate()
    assert process.returncode == 0, stderr
    return dict(json.loads(stdout))


def steps(out: Path) -> list[int]:
    try:
        return [json.loads(line)["step"] for line in (out / "log.jsonl").read_text().splitlines()]
    except FileNotFoundError:
        return []


def at_work(out: Path) -> list[int]:
    """Processes that have a folder in their command line."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().split(b"\0")
        except OSError:
            continue
        if any(word.startswith(str(out).encode()) for word in words):
            found.append(int(path.parent.name))
    return found


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that nothing disturbed."""
    out = tmp_path_factory.mktemp("whole") / "out"
    run(out)
    return out


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_stopped_and_started_again_is_as_never_stopped(whole: Path, tmp_path: Path, how: signal.Signals) -> None:
    out = tmp_path / "out"
    process = start(out)
    while process.poll() is None and not (steps(out) and (out / "checkpoint.pt").exists()):
        time.sleep(0.01)
    os.kill(process.pid, how)
    _, stderr = process.communicate()
    assert process.returncode == (130 if how == signal.SIGINT else -signal.SIGKILL), stderr
    assert not (out / "manifest.json").exists()
    waited = time.monotonic() + 60
    while at_work(out) and time.monotonic() < waited:
        time.sleep(0.05)
    assert not at_work(out)
    manifest = run(out)
    told = json.loads((whole / "manifest.json").read_text())
    assert manifest["counts"] == told["counts"]
    assert manifest["figures"]["loss_last"] == told["figures"]["loss_last"] < told["figures"]["loss_first"]
    assert steps(out) == steps(whole) == list(range(2, 25, 2))
    one, other = load(out).state_dict(), load(whole).state_dict()
    assert all(torch.equal(part, other[name]) for name, part in one.items())


def test_the_result_can_be_asked(whole: Path) -> None:
    """What it says is mostly wrong, and is said to be."""
    command = [sys.executable, "-m", "semcoder", "predict", "examples/squares.py", "--call", "squares([1])", "--json"]
    done = subprocess.run(
        [*command, "--model", f"nano:{whole}"],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[2],
    )
    assert done.returncode in (0, 1), done.stderr
    assert json.loads(done.stdout)["text"].startswith("The call is `squares([1])`.")

"""`semcoder ui`: what it prints, and what it refuses."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from semcoder.cli import run_command


def started(*words: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "semcoder", "ui", "--port", "0", *words]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_the_address_is_printed_and_serves_and_control_c_ends_it() -> None:
    with started("--json") as process:
        assert process.stdout is not None
        url = json.loads(process.stdout.readline())["url"]
        assert "SemCoder" in httpx.get(url, timeout=60).text
        os.kill(process.pid, signal.SIGINT)
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in errors


def test_an_open_host_is_warned_of() -> None:
    with started("--host", "0.0.0.0") as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("The page is at http://localhost:")
        os.kill(process.pid, signal.SIGINT)
        _, errors = process.communicate(timeout=60)
    assert "warning: 0.0.0.0 can be reached from other machines" in errors


def test_a_taken_port_and_bad_options_are_one_line(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        assert run_command(["ui", "--port", str(other.getsockname()[1])]) == 2
    assert "is taken; give another with --port" in capsys.readouterr().err
    for words in (["--port", "70000"], ["--workers", "-1"], ["--corpus", str(tmp_path / "nowhere")], ["--host", "a b"]):
        assert run_command(["ui", *words]) == 2
        error = capsys.readouterr().err
        assert error.startswith("semcoder: error:")
        assert error.count("\n") == 1


def test_a_missing_extra_is_one_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    import importlib.util

    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *rest: None if name == "starlette" else find(name, *rest)
    )
    assert run_command(["ui", "--port", "0"]) == 2
    assert "pip install 'semcoder[ui]'" in capsys.readouterr().err

"""A build on other engines, and on machines that fail: the rows are those of an undisturbed build on this machine."""

from __future__ import annotations

import importlib.util
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

FUNCTIONS = '''
def runs(text):
    """Lengths of the runs of equal letters in a text."""
    found = []
    for k, letter in enumerate(text):
        if k and text[k - 1] == letter:
            found[-1] += 1
        else:
            found.append(1)
    return found


def digits(number, base=10):
    """Digits of a number, the last first, at least one of them."""
    if base < 2:
        raise ValueError("no such base")
    number = abs(int(number))
    out = [number % base]
    while number >= base:
        number //= base
        out.append(number % base)
    return out


def longest(words):
    """The longest of some words, the first of equals; nothing for no words."""
    best = ""
    for word in words:
        if len(word) > len(best):
            best = word
    return best


def balance(text):
    """How deep the brackets of a text are nested, or -1 where they do not match."""
    depth = most = 0
    for letter in text:
        if letter == "(":
            depth += 1
            most = max(most, depth)
        elif letter == ")":
            depth -= 1
            if depth < 0:
                return -1
    return most if depth == 0 else -1
'''
SHARDS = 4


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("project") / "tools.py"
    path.write_text(FUNCTIONS)
    return path


def write_config(source: Path, out: Path, **changes: object) -> Path:
    basis = {"sources": [str(source)], "out": str(out), "shards": SHARDS, "workers": 2, "unknown_license": True}
    path = out.parent / f"{out.name}.yaml"
    path.write_text(yaml.safe_dump({**basis, **changes}))
    return path


def build(config: Path, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "semcoder", "build", str(config)]
    return subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, **(env or {})})


def written(out: Path) -> dict[str, bytes]:
    names = [*sorted((out / "rows").iterdir()), out / "programs.jsonl", out / "drops.jsonl", out / "showcase.json"]
    found = {path.name: path.read_bytes() for path in names}
    assert sum(map(len, found.values())) > 10_000
    return found


@pytest.fixture(scope="module")
def undisturbed(source: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    out = tmp_path_factory.mktemp("undisturbed") / "out"
    done = build(write_config(source, out))
    assert done.returncode == 0, done.stderr
    return written(out)


# Engines ------------------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="ray is not installed: pip install 'semcoder[ray]'")
def test_a_local_ray_cluster_with_two_workers(source: Path, undisturbed: dict[str, bytes], tmp_path: Path) -> None:
    out = tmp_path / "out"
    done = build(write_config(source, out, executor="ray"))
    assert done.returncode == 0, done.stderr
    assert written(out) == undisturbed


FAKES = {
    # A cluster of one machine that works when it is told to: sbatch queues, run_jobs runs, squeue looks.
    "sbatch": 'for last; do :; done; n=$(ls "$QUEUE" | wc -l); cp "$last" "$QUEUE/$((n + 1))"; '
    'echo "Submitted batch job $((n + 1))"',
    "squeue": 'for last; do :; done; if [ -e "$QUEUE/$last" ]; then echo "$last PD"; fi',
    "scontrol": "echo localhost",
    "srun": 'while [ "${1#-}" != "$1" ]; do if [ "$1" = -n ]; then shift; fi; shift; done; exec "$@"',
}


@pytest.mark.slow
def test_slurm_gets_a_job_and_the_next_start_ends_the_build(
    source: Path, undisturbed: dict[str, bytes], tmp_path: Path
) -> None:
    queue, commands, out = tmp_path / "queue", tmp_path / "bin", tmp_path / "out"
    queue.mkdir()
    commands.mkdir()
    for name, text in FAKES.items():
        (commands / name).write_text(f"#!/bin/bash\n{text}\n")
        (commands / name).chmod(0o755)
    path = f"{commands}:{Path(sys.executable).parent}:{os.environ['PATH']}"
    env = {"QUEUE": str(queue), "PATH": path}
    config = write_config(source, out, executor="slurm", slurm_partition="cpu", slurm_time="01:30:00")

    first = build(config, env)
    assert (first.returncode, first.stdout) == (3, "")
    assert f"Slurm has {SHARDS} tasks (job 1," in first.stderr
    script = (queue / "1").read_text()
    wanted = {"partition=cpu", "time=01:30:00", f"array=0-{SHARDS - 1}%2", "mem-per-cpu=2G", "cpus-per-task=1"}
    assert wanted <= {line.removeprefix("#SBATCH --") for line in script.splitlines()}
    assert script == (out / "work" / "logs-tell" / "launch_script.slurm").read_text()

    jobs = len(list(queue.iterdir()))
    assert "(job 1," in build(config, env).stderr, "while the job waits, it is not given again"
    assert len(list(queue.iterdir())) == jobs

    for task in range(SHARDS):
        array = {"SLURM_ARRAY_TASK_ID": str(task), "SLURM_NODELIST": "localhost", "RUN_OFFSET": "0"}
        subprocess.run(["bash", queue / "1"], env={**os.environ, **env, **array}, check=True, capture_output=True)
    last = build(config, env)
    assert last.returncode == 0, last.stderr
    assert written(out) == undisturbed


def test_slurm_where_there_is_none(source: Path, tmp_path: Path) -> None:
    config = write_config(source, tmp_path / "out", executor="slurm", slurm_partition="cpu")
    done = build(config, {"PATH": "/nowhere"})
    assert done.returncode == 2
    assert done.stderr.startswith("semcoder: error: executor slurm needs the command sbatch"), (
        "at once, before any work"
    )
    assert not (tmp_path / "out").exists()


# Faults -------------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_killed_at_twenty_moments(source: Path, undisturbed: dict[str, bytes], tmp_path: Path) -> None:
    """SIGKILL after a random time, twenty times, each followed by a new start in the same folder."""
    out, rng, kills = tmp_path / "out", random.Random(20), 0
    config = write_config(source, out)
    command = [sys.executable, "-m", "semcoder", "build", str(config)]
    for _ in range(200):
        if kills == 20:
            break
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            process.wait(rng.uniform(0.05, 3.5))
        except subprocess.TimeoutExpired:
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
            kills += 1
        if (out / "manifest.json").exists():  # it got through: what was written is judged, and it begins anew
            assert written(out) == undisturbed
            shutil.rmtree(out)
    assert kills == 20
    done = build(config)
    assert done.returncode == 0, done.stderr
    assert written(out) == undisturbed


FULL = """
set -e
mount -t tmpfs -o size=200k none "$1"
set +e; "$2" -m semcoder build "$3" > "$4/first.out" 2> "$4/first.err"; echo $? > "$4/code"; set -e
mount -o remount,size=64m "$1"
"$2" -m semcoder build "$3"
cp -r "$1/out" "$4/out"
"""


@pytest.mark.slow
@pytest.mark.skipif(os.geteuid() != 0, reason="a disk of its own takes root")
def test_a_full_disk(source: Path, undisturbed: dict[str, bytes], tmp_path: Path) -> None:
    """On a disk of 200 KB the build ends with one line; with room, the next start ends it as if nothing had been."""
    disk, kept = tmp_path / "disk", tmp_path / "kept"
    disk.mkdir()
    kept.mkdir()
    config = tmp_path / "full.yaml"
    basis = {"sources": [str(source)], "out": str(disk / "out"), "shards": SHARDS, "workers": 2}
    config.write_text(yaml.safe_dump({**basis, "unknown_license": True}))
    done = subprocess.run(
        ["unshare", "-m", "bash", "-c", FULL, "full", disk, sys.executable, config, kept],
        capture_output=True,
        text=True,
        check=False,
    )
    if "unshare" in done.stderr or "mount:" in done.stderr:
        pytest.skip(f"this machine permits no mounts: {done.stderr.strip()}")
    assert done.returncode == 0, done.stderr
    message = (kept / "first.err").read_text()
    assert (kept / "code").read_text().strip() != "0"
    assert "No space left on device" in message
    assert "Traceback" not in message
    assert written(kept / "out") == undisturbed


@pytest.mark.slow
def test_a_torn_file_of_a_killed_writer_is_not_taken_for_a_whole_one(
    source: Path, undisturbed: dict[str, bytes], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    config = write_config(source, out)
    assert build(config).returncode == 0
    torn = out / "work" / "results" / "00001.jsonl"
    (out / "manifest.json").unlink()
    (out / "work" / "logs-tell" / "completions" / "00001").unlink()
    (torn.parent / f"{torn.name}.4711.tmp").write_bytes(torn.read_bytes()[:-40])
    torn.unlink()
    done = build(config)
    assert done.returncode == 0, done.stderr
    assert written(out) == undisturbed
    assert not list(out.rglob("*.tmp"))


@pytest.mark.slow
def test_another_engine_is_no_other_configuration(source: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert build(write_config(source, out)).returncode == 0
    saved = json.loads((out / "config.json").read_text())
    changed = build(write_config(source, out, workers=1, executor="local"))
    assert changed.returncode == 0, changed.stderr
    assert json.loads((out / "config.json").read_text()) == saved
    other = build(write_config(source, out, seed=7, search_rounds=1))
    assert other.returncode == 2
    assert "differs in: seed, search_rounds" in other.stderr


@pytest.mark.slow
def test_two_builds_in_one_folder(source: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    config = write_config(source, out)
    command = [sys.executable, "-m", "semcoder", "build", str(config)]
    first = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 60
    while not (out / "config.json").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    second = build(config)
    assert first.wait() == 0, first.stderr.read() if first.stderr else ""
    assert second.returncode == 2
    assert "another build is running in this folder" in second.stderr

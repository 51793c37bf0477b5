"""Runs a command with the recorder in its Python processes, and gathers what they kept.

A recording is a folder: `calls.jsonl` (one call a line: `module`, `name`, `file`, `line`, `call`, `result`, `python`)
and `manifest.json` (what was run, and counts). While the command runs, each process writes a file under `parts/`.

Guarantees: the command gets the streams, the arguments and (but for two variables) the environment of this process,
and its exit code is in the manifest; what processes that were killed had written is gathered too; a torn line is left
out; calls come sorted by file and line, each once, whichever process made them.
It does not record processes that ignore the environment (`python -I`, `-E`, `-S`), nor what is not Python.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from semcoder.errors import InputError, UsageError

CALLS, MANIFEST, _PARTS = "calls.jsonl", "manifest.json", "parts"
LIMIT = 20
_BOOT = Path(__file__).parent / "boot"
_FIELDS = ("module", "name", "file", "line", "call", "result", "python")


@dataclass(frozen=True, slots=True)
class RecordedCall:
    """One call, as text of literals. `name` is qualified; `line` is that of the first decorator, or of `def`."""

    module: str
    name: str
    file: str
    line: int
    call: str
    result: str
    python: str


def record(command: Sequence[str], out: Path, *, include: Sequence[Path] = (), limit: int = LIMIT) -> dict[str, Any]:
    """Run a command and record up to `limit` distinct calls per function of the files under `include`.

    Returns the manifest. A recording that `out` held is replaced. Raises `UsageError`.
    """
    if not command:
        raise UsageError("name the command to record after --, as in: semcoder record --out DIR -- pytest tests/")
    if limit < 1:
        raise UsageError(f"at least 1 call per function must be wanted, not {limit}")
    if shutil.which(command[0]) is None:
        raise UsageError(f"there is no command {command[0]!r}; is it installed, and on the PATH?")
    folders = [str(folder.resolve()) for folder in include or [Path.cwd()]]
    missing = next((folder for folder in folders if not os.path.isdir(folder)), None)
    if missing:
        raise UsageError(f"{missing} is not a folder; --include names folders whose functions are recorded")
    with _held(out):
        parts = out.resolve() / _PARTS
        parts.mkdir()
        start = time.monotonic()
        code = _run(command, {"parts": str(parts), "include": folders, "limit": limit})
        manifest = {
            "command": list(command),
            "exit_code": code,
            "seconds": round(time.monotonic() - start, 3),
            "include": folders,
            "limit": limit,
            **_gather(parts, out, limit),
        }
        _write(out / MANIFEST, json.dumps(manifest, indent=2) + "\n")
        shutil.rmtree(parts, ignore_errors=True)
    return manifest


def read(folder: Path) -> tuple[dict[str, Any], list[RecordedCall]]:
    """The manifest and the calls of a recording. Raises `UsageError` where there is none, `InputError` if malformed."""
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        lines = (folder / CALLS).read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError) as error:
        raise UsageError(f"{str(folder)!r} holds no recording ({error}); semcoder record makes one") from None
    if not isinstance(manifest, dict) or not isinstance(manifest.get("include"), list):
        raise InputError(f"{folder / MANIFEST}: not the manifest of a recording")
    return manifest, [_call(line, f"{folder / CALLS}:{k}") for k, line in enumerate(lines, 1)]


def _call(line: str, where: str) -> RecordedCall:
    try:
        row = json.loads(line)
        call = RecordedCall(*[row[name] for name in _FIELDS])
    except (ValueError, KeyError, TypeError):
        raise InputError(f"{where}: not a recorded call") from None
    if type(call.line) is not int or not all(isinstance(row[name], str) for name in _FIELDS if name != "line"):
        raise InputError(f"{where}: not a recorded call")
    return call


@contextmanager
def _held(out: Path) -> Iterator[None]:
    """The folder, empty and ours alone, until the end. Raises `UsageError`."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        lock = (out / ".lock").open("a")
    except OSError as error:
        raise UsageError(f"{out} cannot be written to: {error.strerror}") from None
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise UsageError(f"{out} is in use: another recording is running there") from None
        names = {child.name for child in out.iterdir()}
        if not names <= {CALLS, MANIFEST, _PARTS, ".lock"}:
            foreign = min(names - {CALLS, MANIFEST, _PARTS, ".lock"})
            if names == {foreign, ".lock"} or MANIFEST not in names:
                (out / ".lock").unlink()
            raise UsageError(f"{out} is in use: it holds {foreign}; name a new folder, or one that holds a recording")
        shutil.rmtree(out / _PARTS, ignore_errors=True)
        for name in (MANIFEST, CALLS):
            (out / name).unlink(missing_ok=True)
        yield


def _run(command: Sequence[str], config: dict[str, Any]) -> int:
    """The exit code of the command; 128 and the number of the signal that ended it, as shells say it."""
    paths = [str(_BOOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "SEMCODER_RECORD": json.dumps(config)}
    sys.stdout.flush()
    try:
        process = subprocess.Popen(list(command), env=environment)
    except OSError as error:
        raise UsageError(f"{command[0]!r} cannot be run: {error.strerror}") from None
    # Ctrl-C reaches the command from the terminal: what it does then is its own business, and is waited for.
    held = {}
    if threading.current_thread() is threading.main_thread():  # no other may set handlers
        held[signal.SIGINT] = signal.signal(signal.SIGINT, lambda *_: None)
        held[signal.SIGTERM] = signal.signal(signal.SIGTERM, lambda *_: process.terminate())
    try:
        code = process.wait()
    finally:
        for number, handler in held.items():
            signal.signal(number, handler)
    return code if code >= 0 else 128 - code


def _gather(parts: Path, out: Path, limit: int) -> dict[str, Any]:
    """Write `calls.jsonl` from what the processes left; the counts for the manifest."""
    calls: dict[tuple[str, int, str], dict[str, dict[str, Any]]] = {}
    drops: Counter[str] = Counter()
    problems: list[str] = []
    pythons: set[str] = set()
    unfinished = processes = 0
    for part in sorted(parts.iterdir()):
        processes += 1
        rows = list(_rows(part))
        ends = [str(row["python"]) for row in rows if "end" in row]
        unfinished += not ends
        pythons.update(ends)
        for row in rows:
            if "problem" in row:
                problems.append(str(row["problem"]))
            elif "end" not in row:
                found = calls.setdefault((row["file"], row["line"], row["name"]), {})
                drops.update(row.get("drops", {}))
                if "call" not in row:
                    continue
                if row["call"] in found or len(found) >= limit:
                    drops["kept by another process"] += 1
                else:
                    found[row["call"]] = row
    rows = [row for _, found in sorted(calls.items()) for row in found.values()]
    _write(out / CALLS, "".join(json.dumps({name: row[name] for name in _FIELDS}) + "\n" for row in rows))
    counts = {
        "functions_seen": len(calls),
        "functions_recorded": sum(map(bool, calls.values())),
        "calls_kept": len(rows),
        "processes": processes,
        "processes_unfinished": unfinished,
    }
    return {"counts": counts, "drops": dict(drops.most_common()), "problems": problems, "pythons": sorted(pythons)}


def _rows(part: Path) -> Iterator[dict[str, Any]]:
    for line in part.read_bytes().splitlines():
        try:
            yield json.loads(line)
        except ValueError:
            continue  # the process was killed while it wrote this line


def _write(path: Path, text: str) -> None:
    aside = path.with_name(f".{path.name}.tmp")
    aside.write_text(text, encoding="utf-8")
    aside.replace(path)

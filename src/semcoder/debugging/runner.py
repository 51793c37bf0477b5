"""Tests run by pytest in a process of their own, their failures explained: what `semcoder debug TEST` rests on.

`run_tests` starts the process (`semcoder.debugging.collector`) and reads the report that it leaves.

Guarantees: the user's tests run as `python -m pytest` runs them, in the folder given, with this interpreter; neither
byte code nor a cache is written beside them; nothing of the user's is imported in the caller's process.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from semcoder.core import Invocation, Outcome, decode
from semcoder.debugging.projects import Layout, Segment
from semcoder.errors import UsageError
from semcoder.tracing import Trace

#: What pytest exits with where it finds no test.
_NO_TESTS = 5


class NoTests(UsageError):
    """Nothing that was named holds a test."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """A recording of a test: the trace, and which line of which file a line of its text is."""

    trace: Trace
    layout: Layout


@dataclass(frozen=True, slots=True)
class Told:
    """One test: `test` names it as pytest does, from its root folder; `path` is its file. `status` is passed, failed,
    skipped or error (of its set-up); `document`: what is said of a failing one (see `docs/cli.md`); `recorded`: the
    recording, where one was asked for."""

    test: str
    path: str
    status: str
    seconds: float
    document: dict[str, Any]
    recorded: Recorded | None = None

    @property
    def inner(self) -> str:
        """Its name inside its file: `TestX::test_y[1]`."""
        return self.test.partition("::")[2]


@dataclass(frozen=True, slots=True)
class Report:
    """What came of a run: its tests in order; of the code under test, the files and the folders that they were imported
    from; what pytest printed."""

    tests: tuple[Told, ...]
    files: tuple[str, ...]
    roots: tuple[str, ...]
    output: str

    @property
    def failed(self) -> list[Told]:
        return [test for test in self.tests if test.status in ("failed", "error")]


def run_tests(
    tests: Sequence[str],
    folder: Path,
    *,
    explain: bool = True,
    full: bool = False,
    keep: bool = False,
    passing: bool = False,
    paths: Sequence[str] = (),
    tries: Sequence[Mapping[str, Any]] = (),
    seconds: float = 30.0,
) -> Report:
    """Run tests in a folder, as pytest names them.

    `explain`: say what the failing ones did; `full`: every step; `keep`: with their recordings, `passing`: those of
    tests that pass, too. `paths` come first where modules are looked for. `tries`: instead of being explained, failing
    tests run with each of these changes, for `seconds` in all; the document of each then has the `passes` and the `why`
    of `semcoder.debugging.attempts.attempt`. Raises `UsageError` where pytest cannot run
    them, `NoTests` where there are none.
    """
    if importlib.util.find_spec("pytest") is None:
        raise UsageError(f"pytest is not installed beside semcoder ({sys.executable}); run: pip install pytest")
    with tempfile.TemporaryDirectory(prefix="semcoder-debug-") as scratch:
        out = Path(scratch) / "report.json"
        wishes = {"out": str(out), "explain": explain, "full": full, "keep": keep, "passing": passing, "tries": ""}
        if tries:  # they may be more than fits on a command line
            file = Path(scratch) / "tries.json"
            file.write_text(json.dumps({"tries": list(tries), "seconds": seconds}), encoding="utf-8")
            wishes["tries"] = str(file)
        known = [*paths, *filter(None, [os.environ.get("PYTHONPATH")])]
        environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
        if known:
            environment["PYTHONPATH"] = os.pathsep.join(known)
        command = [sys.executable, "-m", "semcoder.debugging.collector", json.dumps(wishes), *tests]
        done = subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, errors="replace", check=False
        )
        output = done.stdout + done.stderr
        if not out.exists() and done.returncode == _NO_TESTS:
            raise NoTests(f"pytest finds no tests in {' '.join(tests)}")
        if not out.exists():
            raise UsageError(f"pytest cannot run {' '.join(tests)}: {_reason(output)}")
        return _report(json.loads(out.read_text(encoding="utf-8")), output)


def _reason(output: str) -> str:
    """What pytest says is wrong, in one line."""
    rows = [row.strip() for row in output.splitlines() if row.strip()]
    errors = [row.removeprefix("E ").strip() for row in rows if row.startswith(("ERROR", "E  ", "Error"))]
    return " ".join((errors or rows)[-3:]) or "it said nothing"


def _report(document: dict[str, Any], output: str) -> Report:
    told = []
    for test in document["tests"]:
        recording = test["document"].pop("recording", None)
        told.append(Told(**{**test, "recorded": _recorded(recording)}))
    return Report(tuple(told), tuple(document["files"]), tuple(document["roots"]), output)


def _recorded(document: dict[str, Any] | None) -> Recorded | None:
    if document is None:
        return None
    wire = document["trace"]
    columns = {**wire["columns"]}
    trace = Trace(wire["source"], decode(Invocation, wire["invocation"]), decode(Outcome, wire["outcome"]), **columns)
    return Recorded(trace, Layout(tuple(Segment(**segment) for segment in document["segments"])))

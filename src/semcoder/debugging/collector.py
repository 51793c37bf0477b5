"""The program that `semcoder.debugging.runner` starts: pytest, and a report of what became of each test.

Its arguments are the wishes of `run_tests` as JSON, and what pytest is told. It leaves the report where the wishes say,
unless pytest could not run the tests.
"""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from semcoder.debugging.reserve import Reserve


class _Collector:
    """The plugin that keeps what became of each test, and has the failing ones explained, or tried with
    changed functions, when all are over."""

    def __init__(self, wishes: dict[str, Any]) -> None:
        self._wishes = wishes
        self._tests: dict[str, dict[str, Any]] = {}
        self._set_up = 0.0
        self._files: list[str] = []
        self._roots: list[str] = []
        self._reserve: Reserve | None = None

    def pytest_configure(self, config: pytest.Config) -> None:
        config.option.rubber_duck = config.option.rubber_duck_full = False  # done here, whatever the settings say

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        test = self._tests.setdefault(
            report.nodeid, {"test": report.nodeid, "path": "", "status": "passed", "seconds": 0.0, "document": {}}
        )
        if report.when == "setup":
            self._set_up += report.duration
        if report.when != "teardown":
            test["seconds"] += report.duration
        if report.failed and test["status"] == "passed":
            test["status"] = "failed" if report.when == "call" else "error"
            if self._reserve is not None:
                self._reserve.load()
            test["document"] = {"error": str(report.longrepr)[-4000:]}
        elif report.skipped:
            test["status"] = "skipped"

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> None:
        if self._wishes["explain"] or self._wishes["tries"]:
            self._reserve = Reserve(session.items)

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        from semcoder.debugging.session import project_of

        items = {item.nodeid: item for item in getattr(session, "items", ())}
        for name, test in self._tests.items():
            test["path"] = str(items[name].path) if name in items else ""
            failed = test["status"] in ("failed", "error")
            if self._reserve is None:
                continue
            if self._wishes["tries"] and failed:
                tries = json.loads(Path(self._wishes["tries"]).read_text(encoding="utf-8"))
                test["document"] |= self._reserve.attempt(name, test["seconds"], self._set_up, **tries)
            elif self._wishes["explain"] and (failed or (self._wishes["passing"] and test["status"] == "passed")):
                wishes = {"full": self._wishes["full"], "keep": self._wishes["keep"], "passing": not failed}
                said = self._reserve.explain(name, test["seconds"], self._set_up, **wishes)
                test["document"] = {**test["document"], **said}
        if self._reserve is not None:
            self._reserve.close()
        if items:
            self._files, self._roots = project_of(session).loaded()

    def document(self) -> dict[str, Any]:
        tests = list(self._tests.values())
        return {"tests": tests, "files": self._files, "roots": self._roots}


def main() -> None:
    """Run as a program: `wishes` as JSON, then what pytest is told."""
    wishes = json.loads(sys.argv[1])
    collector = _Collector(wishes)
    options = ["-q", "-p", "no:cacheprovider"]
    # What a project's own settings may ask for: tests in other processes, and files with their coverage.
    options += ["-n", "0"] if importlib.util.find_spec("xdist") else []
    options += ["--no-cov"] if importlib.util.find_spec("pytest_cov") else []
    code = pytest.main([*sys.argv[2:], *options], plugins=[collector])
    if int(code) in (0, 1):
        Path(wishes["out"]).write_text(json.dumps(collector.document()), encoding="utf-8")
    sys.exit(int(code))


if __name__ == "__main__":
    main()

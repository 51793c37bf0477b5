"""The pytest plugin: `pytest --rubber-duck` adds to each failing test what the code under test really did.

Guarantees: without the option nothing is done, and nothing of this package loaded but this file; with it, nothing is
instrumented, no test run again and nothing that does that is loaded unless a test fails. Failing tests are run again
when all tests are over, in copies of the process (`semcoder.debugging.reserve`): the session's outcome is its own.
Works under pytest-xdist, where each worker explains the tests that it ran.
"""

from __future__ import annotations

from typing import Any

import pytest

#: The heading of what is added to a report, and the plugin's name.
HEADING, NAME = "Rubber duck", "semcoder-rubber-duck"
_TRAVELS = "semcoder_rubber_duck"


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("rubber duck (semcoder)")
    group.addoption(
        "--rubber-duck",
        action="store_true",
        help="Run each failing test once more, traced, and tell in ten lines or fewer what the code under test did.",
    )
    group.addoption("--rubber-duck-full", action="store_true", help="The same, and tell every step.")


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--rubber-duck") or config.getoption("--rubber-duck-full"):
        config.pluginmanager.register(RubberDuck(config), NAME)


class RubberDuck:
    """Keeps the reports of failing tests until the tests are over, and adds to them what the duck says."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._full = bool(config.getoption("--rubber-duck-full"))
        self._failed: dict[str, pytest.TestReport] = {}
        self._seconds: dict[str, float] = {}
        self._set_up = 0.0
        self._said: dict[str, str] = {}
        self._reserve: Any = None

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> None:
        if getattr(session, "items", ()) and not self._config.option.collectonly:
            from semcoder.debugging.reserve import Reserve

            self._reserve = Reserve(session.items)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "setup":
            self._set_up += report.duration
        if not report.failed:
            return
        if report.when != "teardown" and not hasattr(report, "wasxfail"):
            if self._reserve is not None:
                self._reserve.load()
            self._failed.setdefault(report.nodeid, report)
            self._seconds[report.nodeid] = report.duration

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if self._reserve is None:
            return
        own = {item.nodeid for item in session.items}
        said: dict[str, str] = {}
        for name in [name for name in self._failed if name in own]:
            told = self._reserve.explain(name, self._seconds[name], self._set_up, full=self._full)
            said[name] = "\n".join(told["lines"])
        self._reserve.close()
        output = getattr(self._config, "workeroutput", None)
        if output is not None:
            output[_TRAVELS] = said
        self._add(said)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        self._add(getattr(node, "workeroutput", {}).get(_TRAVELS, {}))

    def _add(self, said: dict[str, str]) -> None:
        self._said.update(said)
        for name, text in said.items():
            if name in self._failed:
                self._failed[name].sections.append((HEADING, text))

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Where failing tests are not shown with their sections, the duck has a section of its own."""
        option = self._config.option
        if option.tbstyle not in ("no", "line") and option.showcapture == "all":
            return
        for name, text in self._said.items():
            terminalreporter.section(f"{HEADING}: {name}", sep="-")
            terminalreporter.line(text)

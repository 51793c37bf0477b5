"""The system's Chromium, driven by Playwright: pages are opened, and whatever they ask for is noted."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

#: What a script would write markup or code with.
WRITERS = ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "Function(")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome") or ""
needs_chromium = pytest.mark.skipif(
    not CHROMIUM, reason="chromium is not installed (make browser): no page was looked at"
)


@dataclass
class Opened:
    """A page, what it asked for beside itself, and what it complained of."""

    page: Any
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def run(self, expression: str) -> Any:
        return self.page.evaluate(expression)

    def press(self, key: str) -> None:
        self.page.keyboard.press(key)


@contextmanager
def chromium() -> Iterator[Any]:
    """A running browser."""
    api = pytest.importorskip("playwright.sync_api")
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def opened(
    browser: Any,
    address: str,
    width: int = 1280,
    height: int = 900,
    routes: Mapping[str, Callable[[Any], object]] | None = None,
    **options: Any,
) -> Iterator[Opened]:
    """An address in a window of its own. `routes`: who answers requests (Playwright's routes) in place of the server,
    by a pattern of their addresses; `options`: of the window, `java_script_enabled` say."""
    context = browser.new_context(viewport={"width": width, "height": height}, accept_downloads=True, **options)
    try:
        found = Opened(context.new_page())
        found.page.on("request", lambda request: found.requests.append(request.url))
        found.page.on("console", lambda said: found.complaints.append(said.text))
        found.page.on("pageerror", lambda error: found.complaints.append(str(error)))
        for pattern, answer in (routes or {}).items():
            found.page.route(pattern, answer)
        found.page.goto(address)
        yield found
    finally:
        context.close()

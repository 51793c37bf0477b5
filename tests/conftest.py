"""What every test starts from."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from tests.browsing import chromium


def pytest_configure() -> None:
    """Ctrl-C means the same everywhere: tests in the background of a shell ignore it, and so would what they start."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def the_interpreters_own_recursion_limit() -> Iterator[None]:
    """Libraries that an earlier test imported raise it for the whole process; programs under test meet the usual one."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(1000)
    yield
    sys.setrecursionlimit(max(before, 1000))


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Not for longer than a module: while it runs, its event loop keeps others from starting theirs."""
    with chromium() as running:
        yield running

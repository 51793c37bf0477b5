"""What every test starts from."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import pytest

from tests.browsing import chromium


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

"""What every test starts from."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def the_interpreters_own_recursion_limit() -> Iterator[None]:
    """Libraries that an earlier test imported raise it for the whole process; programs under test meet the usual one."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(1000)
    yield
    sys.setrecursionlimit(max(before, 1000))

"""One pool for every attack: what an attack leaves behind, the next ones meet."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from semcoder.core import Invocation, Program
from semcoder.sandbox import Sandbox, program_job

REST = Program("import time\ndef f(): time.sleep(0.1)", "f")


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(workers=2) as pool:
        list(
            pool.execute_many([program_job(REST, [Invocation("f()")])] * 2)
        )  # both workers, before anything is counted
        yield pool

"""Programs and their calls, run in the sandbox: the face that most users need.

Guarantees: one outcome per invocation; whatever the process sent, an outcome is well formed, its value is safe to
compare and to print, and a program cannot say of itself that the sandbox failed.
It does not know whether an outcome is true of the program: a program can misstate its own, and no other's.
"""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from semcoder.core import Invocation, Outcome, Program, check_claim, decode
from semcoder.errors import InputError
from semcoder.sandbox.host import Sandbox
from semcoder.sandbox.jobs import RUN_TASK, Job, Limits, Reply

DEFAULT_LIMITS = Limits()


def run_program(
    sandbox: Sandbox,
    program: Program,
    invocations: Sequence[Invocation],
    limits: Limits = DEFAULT_LIMITS,
    hash_seed: int = 0,
) -> list[Outcome]:
    """One outcome per invocation, in order; all of them share one untrusted process.

    Where a program tried to reach outside and nothing else fills `detail`, that names the attempts: `touched: open`.
    Raises as `Sandbox.execute`.
    """
    return [outcome_of(reply) for reply in sandbox.execute(program_job(program, invocations, limits, hash_seed))]


def run_many(
    sandbox: Sandbox,
    programs: Iterable[tuple[Program, Sequence[Invocation]]],
    limits: Limits = DEFAULT_LIMITS,
    hash_seed: int = 0,
) -> Iterator[tuple[int, list[Outcome]]]:
    """`(place of the program, one outcome per invocation)` as programs finish, over all workers of the sandbox.

    Programs are taken as workers become free, so that neither they nor outcomes pile up; closing the generator stops
    what runs. Raises as `Sandbox.execute`.
    """
    jobs = (program_job(program, invocations, limits, hash_seed) for program, invocations in programs)
    with contextlib.closing(sandbox.execute_many(jobs)) as done:
        for place, replies in done:
            yield place, [outcome_of(reply) for reply in replies]


def program_job(
    program: Program, invocations: Sequence[Invocation], limits: Limits = DEFAULT_LIMITS, hash_seed: int = 0
) -> Job:
    """The job of `run_program`, for `Sandbox.execute_many`; `outcome_of` reads its replies."""
    items = tuple(invocation.parts for invocation in invocations)
    return Job(RUN_TASK, {"source": program.source}, items, limits, hash_seed)


def outcome_of(reply: Reply) -> Outcome:
    """The outcome that a reply of `run_task` holds; what is malformed is the program's doing and counts as `exited`."""
    if reply.status != "returned":
        return Outcome(reply.status, usage=reply.usage, detail=reply.detail)
    try:
        outcome = decode(Outcome, reply.data, "outcome")
        check_claim(outcome)
    except (InputError, ValueError, TypeError, ArithmeticError, RecursionError) as error:
        return Outcome("exited", usage=reply.usage, detail=f"the process sent no outcome: {str(error)[:200]}")
    usage = dataclasses.replace(outcome.usage, memory=reply.usage.memory)
    return dataclasses.replace(outcome, usage=usage, detail=outcome.detail or _touched(reply.data))


def _touched(data: dict[str, Any]) -> str:
    names = data.get("touched")
    if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names[:100]):
        return ""
    return f"touched: {', '.join(name[:40] for name in names[:100])}"

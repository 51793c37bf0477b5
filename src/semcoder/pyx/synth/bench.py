"""Where a teacher's code runs: programs and calls in, outcomes out, and what is wrong with an outcome.

Guarantees: everything runs in the sandbox and nowhere else; an expression that a model wrote becomes plain data in a
process of its own before it meets a program. That the sandbox itself failed is an error, never an outcome.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence

from semcoder.core import LIMIT_STATUSES, Invocation, Outcome, Program, Value
from semcoder.errors import SandboxError
from semcoder.pyx.cases import ample
from semcoder.pyx.config import BuildConfig
from semcoder.pyx.synth.replies import is_plain_call, parsed_call
from semcoder.sandbox import Limits, Sandbox, run_many
from semcoder.seeds._project import is_literal

_TOUCHED = "touched:"
#: Characters of a call, and of an error, as they are told to the teacher.
_TOLD = 300


class Bench:
    """A sandbox, and the limits and sizes that outcomes are held to."""

    def __init__(self, box: Sandbox, config: BuildConfig) -> None:
        self.box = box
        self.config = config

    def outcomes(
        self, work: Sequence[tuple[Program, Sequence[str]]], *, hash_seed: int = 0, first: bool = True
    ) -> list[list[Outcome]]:
        """Per program one outcome per call, in order. `first`: these calls have not been run before."""
        limits = Limits(cpu_s=self.config.cpu_s, wall_s=4 * self.config.cpu_s) if first else ample(self.config)
        jobs = [(program, [Invocation(call) for call in calls]) for program, calls in work]
        found: list[list[Outcome]] = [[] for _ in jobs]
        for place, outcomes in run_many(self.box, jobs, limits, hash_seed):
            for outcome in outcomes:
                if outcome.status == "sandbox_failed":
                    raise SandboxError(f"the sandbox could not run a program: {outcome.detail}")
            found[place] = outcomes
        return found

    def plain(self, expressions: Sequence[str]) -> list[Value | None]:
        """The values of expressions that no program of ours is in sight of; None for what is no plain data."""
        ready = [_literal(text) for text in expressions]
        rest = [k for k, value in enumerate(ready) if value is None]
        nothing = Program("", "")
        # One process each: what an expression does to its own must not show in another's value.
        run = self.outcomes([(nothing, [expressions[k]]) for k in rest]) if rest else []
        for k, (outcome,) in zip(rest, run, strict=True):
            ready[k] = None if fault(outcome) else outcome.value
        return ready

    def plain_calls(self, calls: Sequence[ast.Call]) -> list[str | None]:
        """Each call with literals in place of its arguments; None where they are no plain data, or too long."""
        tuples = self.plain([f"(lambda *a, **k: (a, k))({_arguments(call)})" for call in calls])
        return [None if v is None else self._spelled(call, v) for call, v in zip(calls, tuples, strict=True)]

    def _spelled(self, call: ast.Call, value: Value) -> str | None:
        """The call with these arguments. What they are came from a process of the model's: nothing is taken for so."""
        parts = value.children()
        if value.kind != "tuple" or [part.kind for part in parts] != ["tuple", "dict"]:
            return None
        entry = ast.unparse(call.func)
        given = [part.literal() for part in parts[0].children()]
        given += [f"{name.to_python()}={part.literal()}" for name, part in parts[1].items()]
        text = f"{entry}({', '.join(given)})"
        plain = parsed_call(text) if len(text) <= self.config.max_value else None
        return ast.unparse(plain) if plain is not None and is_plain_call(plain, entry) else None


def _arguments(call: ast.Call) -> str:
    return ", ".join(map(ast.unparse, [*call.args, *call.keywords]))


def _literal(text: str) -> Value | None:
    """The value of a literal, read here: nothing of it is executed."""
    try:
        body = ast.parse(text, mode="eval").body
        return Value.of(ast.literal_eval(body)) if is_literal(body) else None
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return None


def touched(outcome: Outcome) -> str:
    """What a call tried to reach outside; "" for nothing."""
    return outcome.detail.removeprefix(_TOUCHED).strip() if outcome.detail.startswith(_TOUCHED) else ""


def fault(outcome: Outcome) -> str:
    """A short phrase for what keeps an outcome from being a test's; "" for a returned value that is plain data."""
    if touched(outcome):
        return "reaches outside"
    if outcome.status in LIMIT_STATUSES:
        return "hits a limit"
    if outcome.exception is not None:
        return f"raises {outcome.exception.type[:60]}"
    if outcome.value is None:
        return "ends its process" if outcome.status == "exited" else "does not run"
    if not (outcome.value.is_complete() and outcome.value.is_literal()):
        return "returns what is no plain data"
    return "prints" if outcome.stdout else ""


def told(call: str, outcome: Outcome) -> str:
    """A fault in a sentence for the teacher, on one line and bounded."""
    if outcome.exception is not None:
        what = f"raises {outcome.exception}"
    elif outcome.status in LIMIT_STATUSES:
        what = f"does not end within its limits ({outcome.detail or outcome.status})"
    elif outcome.value is not None and fault(outcome) == "prints":
        what = "prints; the result is to be returned, and nothing printed"
    elif outcome.value is not None:
        what = f"returns a {outcome.value.type_name}; only plain data is allowed"
    else:
        what = f"comes to no result ({outcome.detail or outcome.status})"
    shown = call if len(call) <= _TOLD else f"{call[:_TOLD]}..."
    line = f"`{shown}` {what if len(what) <= _TOLD else f'{what[:_TOLD]}...'}"
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in line)

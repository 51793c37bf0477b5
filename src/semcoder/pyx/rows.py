"""From cases to PyX rows: natural language to code, forward and backward monologues, repairs (paper sections 2, 3, 6).

Guarantees: a monologue becomes a row only if its answer is what a second execution gave, its completed assert was
executed and holds, and none of its claims is false or unchecked; what is left out is counted with a reason. Prompt and
answer are worded by the package's default profile (`semcoder.prompts`), whose shape is the paper's.
"""

from __future__ import annotations

import ast
import dataclasses
import platform
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from semcoder.core import Direction, Invocation, Monologue, Outcome, Program, Sample, content_id
from semcoder.monologue import Backward, style, verify
from semcoder.monologue.purpose import find_function
from semcoder.monologue.solving import find_input
from semcoder.prompts import assertion, load_profile
from semcoder.pyx.cases import Case, asserts_hold, traces
from semcoder.pyx.config import BuildConfig
from semcoder.pyx.repairs import repair_samples
from semcoder.sandbox import Limits, Sandbox, run_program
from semcoder.tracing import Trace

#: The words of all rows.
PROFILE = load_profile()
_FIELDS = {"nl": "nl", "forward": "fwd_mnl", "backward": "bwd_mnl"}


def description_row(program: Program, header: str, description: str, shown: Sequence[tuple[str, str]]) -> Sample:
    """The row that asks for a program's code. `header`: name and parameters; `shown`: calls with their outputs."""
    prompt = PROFILE.nl(header, description, shown)
    return _row("nl", prompt, f"```python\n{program.source.strip()}\n```", program, shown[0])


def monologue_row(
    program: Program,
    direction: Direction,
    text: str,
    asked: tuple[str, str],
    call: str,
    claims: int,
    found_by: str,
) -> Sample:
    """The row of a monologue. `asked`: call and output that the question is about; `call`: the one in the answer."""
    if direction == "forward":
        prompt = PROFILE.forward(program.source, asked[0])
    else:
        prompt = PROFILE.backward(program.source, program.entry, asked[1])
    response = PROFILE.response(text, assertion(call, asked[1]))
    sample = _row(direction, prompt, response, program, (call, asked[1]))
    return dataclasses.replace(sample, claims=claims, found_by=found_by)


def _row(task: str, prompt: str, response: str, program: Program, case: tuple[str, str]) -> Sample:
    question: dict[str, Any] = {_FIELDS[task]: prompt}
    return Sample(
        id=content_id(task, prompt, response),
        response=response,
        task=task,
        program=program,
        call=case[0],
        output=case[1],
        python=platform.python_version(),
        **question,
    )


@dataclass
class Tally:
    """What happened to the monologues of one program: how many were written, and what was found in those checked."""

    written: int = 0
    claims: int = 0
    false: int = 0
    dropped: dict[str, int] = field(default_factory=dict)
    found_by: dict[str, int] = field(default_factory=dict)

    def drop(self, reason: str) -> None:
        self.dropped[reason] = self.dropped.get(reason, 0) + 1


class Teller:
    """Makes the rows of one program. `tried`: calls that were run to find its cases."""

    def __init__(
        self,
        program: Program,
        cases: Sequence[Case],
        box: Sandbox,
        config: BuildConfig,
        tried: Sequence[Invocation] = (),
    ) -> None:
        self._program = program
        self._cases = cases
        self._box = box
        self._config = config
        self._tried = tried
        self.tally = Tally()

    def samples(self) -> list[Sample]:
        """All rows of the kinds that the configuration asks for."""
        makers: dict[str, Callable[[], list[Sample]]] = {
            "nl": self._descriptions,
            "forward": self._forward,
            "backward": self._backward,
            "repair": self._repairs,
        }
        return [sample for kind, make in makers.items() if kind in self._config.rows for sample in make()]

    # -- natural language to code

    def _descriptions(self) -> list[Sample]:
        function = find_function(ast.parse(self._program.source), self._program.entry)
        docstring = ast.get_docstring(function) if function is not None else None
        if function is None or not docstring or len(docstring.split()) < 4:
            return []
        header = f"{function.name}({ast.unparse(function.args)})"
        shown = [(case.call, case.output) for case in self._cases[:3]]
        return [description_row(self._program, header, docstring, shown)]

    # -- repairs

    def _repairs(self) -> list[Sample]:
        samples = repair_samples(
            self._program, self._cases, self._tried, self._box, self._config, PROFILE, self.tally.drop
        )
        for sample in samples:
            self.tally.written += 1
            self.tally.claims += sample.claims
            self.tally.found_by[sample.found_by] = self.tally.found_by.get(sample.found_by, 0) + 1
        return samples

    # -- monologues

    def _forward(self) -> list[Sample]:
        chosen = [case for case in self._cases if len(case.trace) <= self._config.max_text // 2]
        chosen = chosen[: self._config.forward_per_program]
        again = self._traces([case.call for case in chosen], hash_seed=1)
        told = []
        for case in chosen:
            monologue = style("forward").render(case.trace)
            checked = self._checked(monologue, again.get(case.call), case)
            if checked is not None:
                told.append(self._told(case, checked))
        return told

    def _told(self, case: Case, monologue: Monologue) -> Sample:
        asked = (case.call, case.output)
        return monologue_row(
            self._program,
            monologue.direction,
            monologue.text,
            asked,
            case.call,
            len(monologue.claims),
            monologue.found_by,
        )

    def _checked(self, monologue: Monologue, again: Trace | None, case: Case) -> Monologue | None:
        """The monologue with its claims, if a second execution bears out its answer and each of them; else None."""
        self.tally.written += 1
        if len(monologue.text) > self._config.max_text:
            self.tally.drop("monologue too long")
            return None
        if again is None or again.outcome.value != case.value:
            self.tally.drop("second execution differs")
            return None
        claims = verify(monologue.text, again)
        false = sum(claim.verdict is False for claim in claims)
        self.tally.claims += len(claims)
        self.tally.false += false
        if any(claim.verdict is not True for claim in claims):
            self.tally.drop("a claim is false" if false else "a claim could not be checked")
            return None
        return dataclasses.replace(monologue, claims=tuple(claims))

    def _backward(self) -> list[Sample]:
        told = []
        for case in self._cases[: self._config.backward_per_program]:
            found = find_input(
                self._program.source,
                self._program.entry,
                case.value,
                self._outcomes,
                budget=self._config.backward_budget,
                seed=self._config.seed,
            )
            if found is None:
                self.tally.drop("no input found for an output")
                continue
            first = self._traces([found.call]).get(found.call)
            if first is None or first.outcome.value != case.value:
                self.tally.drop("the found input could not be traced")
                continue
            proposed = Case(found.call, case.output, first, len(first.executed_lines()))
            again = self._traces([found.call], hash_seed=1).get(found.call)
            checked = self._checked(Backward().render(first, found=found), again, proposed)
            if checked is None:
                continue
            if not all(asserts_hold(self._program, [(found.call, case.output)], self._box, self._config)):
                self.tally.drop("the completed assert fails")
                continue
            self.tally.found_by[found.how] = self.tally.found_by.get(found.how, 0) + 1
            told.append(self._told(proposed, checked))
        return told

    def _outcomes(self, calls: Sequence[str]) -> list[Outcome]:
        """What candidates do. An input worth a row runs at once, so that a slow candidate need not be waited for."""
        quick = Limits(cpu_s=min(0.25, self._config.cpu_s), wall_s=2.0)
        return run_program(self._box, self._program, [Invocation(call) for call in calls], quick)

    def _traces(self, calls: Sequence[str], hash_seed: int = 0) -> dict[str, Trace]:
        return traces(self._program, calls, self._box, self._config, hash_seed)

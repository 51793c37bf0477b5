"""PyX-R: from a program that is right and one that is wrong to a failing test, a rationale and a patch (paper, 6).

Guarantees: the failing test was run on both programs, twice, and only the wrong one fails it; the rationale is written
from one execution of each and every claim in it was checked against another, under another hash seed; the patch, put on
the wrong program, gives one that does what the right one does on at least `MIN_INPUTS` inputs. A wrong program that
does the same as the right one on all of them is refused, and so is whatever cannot be told and checked: `Unfit`, with
a reason.
It does not promise that the patch is the smallest, nor that the failing test is: it is the one with the shortest run of
those that were looked at.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from semcoder.core import LIMIT_STATUSES, Claim, Invocation, Outcome, Program
from semcoder.debugging.divergence import Divergence, first_divergence
from semcoder.errors import InputError
from semcoder.monologue import verify
from semcoder.monologue.forward import called_function, closing_facts
from semcoder.monologue.narrate import facts_of
from semcoder.monologue.purpose import purpose_of
from semcoder.monologue.sentences import Fact, span, write_clause, write_sentence
from semcoder.monologue.story import Story
from semcoder.mutation import InputFinder
from semcoder.sandbox import Job, Limits, Sandbox, run_program
from semcoder.tracing import TASK, Trace, trace_from_document

#: On how many inputs a patch is compared with the reference, at least and at most.
MIN_INPUTS, MAX_INPUTS = 50, 120
#: How many failing tests are traced to find the one with the shortest run.
_LOOKED_AT = 6
#: Calls are run so many at a time, and no further once so many have hit a limit.
_BATCH, _SLOW = 8, 2
#: A run is told whole up to so many sentences; of a longer one its beginning, what is round the divergence, its end.
_WHOLE, _BEGINNING, _ROUND, _ENDING = 40, 5, 8, 4


class Unfit(Exception):
    """A program, or a wrong version of it, that gives no row; the text is the reason."""


@dataclass(frozen=True, slots=True)
class Budget:
    """Seconds of CPU of a call, recorded events of a traced one, characters of a test and of a rationale."""

    cpu_s: float = 1.0
    max_events: int = 20_000
    max_value: int = 400
    max_text: int = 6_000


@dataclass(frozen=True, slots=True)
class Repair:
    """A wrong program repaired. `call`, `expected`: the failing test; `happened`: what it gives, in words; `inputs`:
    on how many inputs the patched program was compared; `claims`: how many statements of the rationale were checked."""

    wrong: str
    call: str
    expected: str
    happened: str
    rationale: str
    patch: str
    fixed: str
    claims: int
    inputs: int
    divergence: Divergence
    good: Trace = field(repr=False, compare=False)
    bad: Trace = field(repr=False, compare=False)

    @property
    def test(self) -> str:
        """The failing test as code."""
        return f"assert {self.call} == {self.expected}"


class Workbench:
    """One reference program with inputs, on which wrong versions of it are repaired."""

    def __init__(
        self, program: Program, known: Sequence[Invocation], box: Sandbox, *, seed: int = 0, budget: Budget = Budget()
    ) -> None:
        """`known`: calls to begin with; changes of them are added where they are few.

        Raises `Unfit` where too few inputs have an outcome that is the same in every run.
        """
        self._program, self._box, self._budget = program, box, budget
        self._reference: dict[Invocation, Outcome] = {}
        self._try_out(list(dict.fromkeys(known))[:MAX_INPUTS])
        if len(self._reference) < MIN_INPUTS:
            finder = InputFinder(program, seed=seed)
            finder.propose(known, n=0)
            self._try_out(finder.refine(list(self._reference), n=2 * MIN_INPUTS))
        if len(self._reference) < MIN_INPUTS:
            raise Unfit("too few inputs to compare a patch on")
        self._tests = {call: outcome for call, outcome in self._reference.items() if self._is_test(call, outcome)}

    @property
    def tests(self) -> dict[str, str]:
        """Calls whose result a test can state, with that result."""
        return {call.text: _literal(outcome) for call, outcome in self._tests.items()}

    def _try_out(self, calls: Sequence[Invocation]) -> None:
        """Keep the calls that do the same twice."""
        fresh = [call for call in calls if call not in self._reference]
        first = self._run(self._program.source, fresh)
        second = self._run(self._program.source, fresh, hash_seed=1)
        for call, one, two in zip(fresh, first, second, strict=False):
            if one.same(two) and one.status in ("returned", "raised") and len(self._reference) < MAX_INPUTS:
                self._reference[call] = one

    def _is_test(self, call: Invocation, outcome: Outcome) -> bool:
        value = outcome.value
        if value is None or outcome.stdout or not value.is_complete() or not value.is_literal():
            return False
        short = len(call.text) + len(value.display()) <= self._budget.max_value
        return short and value.python_equal(value) is True  # nothing equals nan

    def _limits(self) -> Limits:
        return Limits(cpu_s=self._budget.cpu_s, wall_s=4 * self._budget.cpu_s)

    def _run(self, source: str, calls: Sequence[Invocation], hash_seed: int = 0) -> list[Outcome]:
        """Outcomes of the calls; of the first ones alone where these hit limits."""
        program = Program(source, self._program.entry)
        found: list[Outcome] = []
        while len(found) < len(calls) and sum(outcome.status in LIMIT_STATUSES for outcome in found) < _SLOW:
            size = _BATCH if found else _SLOW
            batch = calls[len(found) : len(found) + size]
            found += run_program(self._box, program, batch, self._limits(), hash_seed=hash_seed)
        return found

    def _traced(self, source: str, calls: Sequence[Invocation], hash_seed: int = 0) -> list[Trace | None]:
        items = tuple(call.parts for call in calls)
        payload = {"source": source, "max_events": self._budget.max_events}
        replies = self._box.execute(Job(TASK, payload, items, self._limits(), hash_seed))
        found: list[Trace | None] = []
        for call, reply in zip(calls, replies, strict=True):
            trace = None
            if reply.status == "returned":
                try:
                    trace = trace_from_document(source, reply.data, call)
                except InputError:
                    trace = None  # the program's own process sent nonsense: this execution is not used
            found.append(None if trace is None or trace.truncated else trace)
        return found

    # -- repairing

    def failures(self, wrong: str) -> list[Invocation]:
        """The tests that a wrong version fails, in the order of the inputs. Raises `Unfit` where there are none."""
        calls = list(self._reference)
        outcomes = self._run(wrong, calls)
        if len(outcomes) < len(calls):
            raise Unfit("the wrong version hits a limit")
        if any(outcome.detail.startswith("touched:") for outcome in outcomes):
            raise Unfit("the wrong version reaches outside")
        if all(outcome.same(self._reference[call]) for call, outcome in zip(calls, outcomes, strict=True)):
            raise Unfit("the wrong version does the same on all inputs")
        failing = [call for call, outcome in zip(calls, outcomes, strict=True) if self._fails(call, outcome)]
        if not failing:
            raise Unfit("no test can tell the wrong version")
        return failing

    def _fails(self, call: Invocation, outcome: Outcome) -> bool:
        """Whether an outcome breaks the test of a call for certain."""
        if call not in self._tests or outcome.stdout:
            return False
        if outcome.status == "raised":
            return True
        expected = self._tests[call].value
        return outcome.value is not None and expected is not None and outcome.value.python_equal(expected) is False

    def repair(self, wrong: str) -> Repair:
        """The repair of a wrong version by the reference. Raises `Unfit`."""
        call, good, bad = self._shortest(wrong, self.failures(wrong))
        good_again, bad_again = self._traced(self._program.source, [call], 1)[0], self._traced(wrong, [call], 1)[0]
        if good_again is None or bad_again is None:
            raise Unfit("a second execution could not be traced")
        found = self._divergence(good, bad, wrong)
        if found is None or found != self._divergence(good_again, bad_again, wrong):
            raise Unfit("no divergence that is the same in every run")
        told_bad, told_good = Told(bad, bad_again), Told(good, good_again)
        patch = make_patch(wrong, self._program.source)
        fixed = apply_patch(wrong, patch)
        compared = self._compare(fixed)
        expected, happened = _literal(self._tests[call]), closing_facts(bad)[-1]
        text, claims = _rationale(told_bad, told_good, found, expected, patch)
        if len(text) > self._budget.max_text:
            raise Unfit("the rationale is too long")
        return Repair(
            wrong, call.text, expected, write_clause(happened) + ".", text, patch, fixed, claims, compared,
            found, good, bad,
        )  # fmt: skip

    def _shortest(self, wrong: str, failing: Sequence[Invocation]) -> tuple[Invocation, Trace, Trace]:
        """The failing test whose run is shortest, with the runs of both versions."""
        calls = sorted(failing[: 3 * _LOOKED_AT], key=lambda call: len(call.text))[:_LOOKED_AT]
        found = []
        for call, bad in zip(calls, self._traced(wrong, calls), strict=True):
            if bad is not None and self._fails(call, bad.outcome):
                found.append((len(bad.kinds), call, bad))
        if not found:
            raise Unfit("the run of a failing test is too long to tell")
        _, call, bad = min(found, key=lambda one: (one[0], one[1].text))
        good = self._traced(self._program.source, [call])[0]
        if good is None or not good.outcome.same(self._tests[call]):
            raise Unfit("the reference does something else when traced")
        return call, good, bad

    def _divergence(self, good: Trace, bad: Trace, wrong: str) -> Divergence | None:
        return first_divergence(good, bad, good_source=self._program.source, bad_source=wrong)

    def _compare(self, fixed: str) -> int:
        """On how many inputs a patched version does what the reference does: all of them. Raises `Unfit`."""
        outcomes = self._run(fixed, list(self._reference), hash_seed=1)
        same = [outcome.same(self._reference[call]) for call, outcome in zip(self._reference, outcomes, strict=False)]
        if len(same) < len(self._reference) or not all(same):
            raise Unfit("the patch fails differential testing")
        return len(same)


def _literal(outcome: Outcome) -> str:
    assert outcome.value is not None
    return outcome.value.literal()


# Patches -------------------------------------------------------------------------------------------------------------

_HUNK = re.compile(r"@@ -(\d+)(?:,(\d+))? \+\d+(?:,\d+)? @@")


def make_patch(before: str, after: str, name: str = "program.py") -> str:
    """A unified diff of two texts; `apply_patch` takes it."""
    rows = difflib.unified_diff(_rows(before), _rows(after), f"a/{name}", f"b/{name}")
    return "".join(row if row.endswith("\n") else f"{row}\n\\ No newline at end of file\n" for row in rows)


def apply_patch(before: str, patch: str) -> str:
    """The text with a unified diff put on it. Raises `InputError` where it does not fit, exactly and in place."""
    rows, lines = _rows(before), _rows(patch)
    after: list[str] = []
    at, inside = 0, False
    for line, following in zip(lines, [*lines, ""][1:], strict=True):
        hunk = _HUNK.match(line)
        text = line[1:].removesuffix("\n") if following.startswith("\\") else line[1:]
        if hunk is not None:
            start = int(hunk[1]) - (hunk[2] != "0")
            after += rows[at:start]
            at, inside = start, True
        elif inside and line[:1] in " -":
            if at >= len(rows) or rows[at] != text:
                raise InputError(f"the patch does not fit at line {at + 1}: it expects {text.strip()!r} there")
            after += [text] if line[0] == " " else []
            at += 1
        elif inside and line[:1] == "+":
            after.append(text)
    return "".join([*after, *rows[at:]])


def _rows(text: str) -> list[str]:
    """Lines with their ends; only a line feed ends one, as in a diff."""
    *whole, last = text.split("\n")
    return [f"{row}\n" for row in whole] + ([last] if last else [])


# Telling -------------------------------------------------------------------------------------------------------------


class Told:
    """A run in the sentences of the forward style, every claim of which another execution bears out.

    `rows`: opening sentences, then one for each step that has one, then the closing ones. Raises `Unfit` otherwise.
    """

    def __init__(self, trace: Trace, again: Trace) -> None:
        story = Story(trace)
        self.opening = [write_clause(Fact("call", (trace.invocation.text.strip(),))) + "."]
        self.purpose = purpose_of(trace.tree, called_function(trace))
        self.steps: dict[int, str] = {}
        for at, moment in enumerate(story.moments):
            facts, resumed = facts_of(story, moment, "line"), moment.step.kind == "resume"
            if facts or not resumed:
                self.steps[at] = write_sentence(moment.step.line, facts, goes_on=resumed)
        self.closing = [write_clause(fact) + "." for fact in closing_facts(trace)]
        self._claims = self._checked(again)

    def _checked(self, again: Trace) -> list[Claim]:
        text = "\n".join([*self.opening, *self.steps.values(), *self.closing])
        claims = verify(text, again)
        if any(claim.verdict is False for claim in claims):
            raise Unfit("a claim is false")
        if any(claim.verdict is None for claim in claims):
            raise Unfit("a claim could not be checked")
        return claims

    def claims_of(self, steps: Sequence[int]) -> int:
        """How many claims were checked in the sentences of these steps."""
        kept, starts = set(steps), {}
        at = len(self.opening[0]) + 1
        for step, sentence in self.steps.items():
            starts[at] = step
            at += len(sentence) + 1
        return sum(starts.get(claim.start) in kept for claim in self._claims)


def _rationale(bad: Told, good: Told, found: Divergence, expected: str, patch: str) -> tuple[str, int]:
    """The rationale's text, and how many claims in it were checked."""
    steps, rows = _simulation(bad, found)
    shown = [_step_at(bad, found.bad_step), _step_at(good, found.good_step)]
    cause = _cause(found)
    if shown[0] is not None:
        cause.append(f"As the code is: {bad.steps[shown[0]]}")
    if shown[1] is not None:
        cause.append(f"As it must be: {good.steps[shown[1]]}")
    text = "\n".join(
        [
            *bad.purpose,
            *bad.opening,
            *rows,
            *bad.closing,
            f"The test expects {span(expected)}.",
            "",
            *cause,
            "",
            "The repair:",
            patch.rstrip("\n"),
            "With it:",
            *good.closing,
        ]
    )
    claims = bad.claims_of(steps) + sum(
        told.claims_of([at]) for told, at in zip((bad, good), shown, strict=True) if at is not None
    )
    return text, claims + len([*bad.opening, *bad.closing, *good.closing]) + 1  # and the divergence, found twice


def _simulation(bad: Told, found: Divergence) -> tuple[list[int], list[str]]:
    """The steps of the failing run that are told, with their sentences; where some are left out, how many."""
    order = list(bad.steps)
    if len(order) <= _WHOLE:
        return order, list(bad.steps.values())
    near = next(
        (k for k, at in enumerate(order) if found.bad_step is not None and at >= found.bad_step), len(order) - 1
    )
    kept = [k for k in range(len(order)) if k < _BEGINNING or abs(k - near) <= _ROUND or k >= len(order) - _ENDING]
    rows: list[str] = []
    for before, k in zip([-1, *kept], kept, strict=False):
        if k > before + 1:
            rows.append(f"({k - before - 1} more steps, then:)")
        rows.append(bad.steps[order[k]])
    return [order[k] for k in kept], rows


def _step_at(told: Told, at: int | None) -> int | None:
    return at if at in told.steps else None


def _cause(found: Divergence) -> list[str]:
    """Which statement is at fault, and what it must be."""
    line, now, was = found.line, span(found.is_text), span(found.was_text)
    if found.is_text and found.was_text:
        rows = [f"The fault is in line {line}: it is {now} and must be {was}."]
    elif found.was_text:
        rows = [f"The fault is a statement that is missing at line {line}: {was}."]
    elif found.is_text:
        rows = [f"The fault is in line {line}: {now} must not be there."]
    else:
        rows = [f"The fault first shows in line {line}."]
    if found.shown not in (0, line):
        rows.append(f"It first shows in line {found.shown}.")
    return rows

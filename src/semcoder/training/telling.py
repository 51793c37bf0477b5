"""Executions told in any style as rows to train on: of generated programs, and of rows that are there.

Guarantees: every claim of a row's text was checked against an execution and holds (for rows that are there: a second
execution, under another hash seed, in the sandbox), and its answer is what the execution gave; rows come in the order
of the programs. What cannot be told so is left out and counted in `dropped`, by reason.
Generated programs run in this process: they come from grammars of our own, which reach nothing outside and end.
"""

from __future__ import annotations

import dataclasses
import itertools
import platform
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from semcoder.core import Invocation, Program, Sample, content_id
from semcoder.errors import InputError, UsageError
from semcoder.monologue import Style, check, tell
from semcoder.monologue import style as find_style
from semcoder.prompts import Profile, assertion
from semcoder.sandbox import Job, Limits, Reply, Sandbox
from semcoder.seeds import open_source
from semcoder.tracing import TASK, Trace, trace_from_document, trace_here

#: Sources whose programs are trusted: grammars of our own.
GRAMMARS = ("generator", "short", "small")
#: Executions and texts beyond are left out: no model that is trained on them would have room for more.
MAX_EVENTS = 5_000
MAX_TEXT = 16_000
#: Generous, so that no row depends on how busy the machine is.
_LIMITS = Limits(cpu_s=10.0, wall_s=60.0)
#: Imported once in the sandbox's warm parents, as in a build.
PRELOAD = ("re", "collections", "functools", "itertools", "string", "math", "datetime")
#: How many programs are traced before their rows are told.
_CHUNK = 64


def generated(spec: str, style: str, profile: Profile, dropped: Counter[str] | None = None) -> Iterator[Sample]:
    """Forward rows of `generator:COUNT[:FIRSTSEED]` or `small:COUNT[:FIRSTSEED]`: one per program, of the first of its
    calls that returns. Raises `UsageError` for another source or an unknown style."""
    for (sample,) in told_in_all(spec, [style], profile, dropped):
        yield sample


def told_in_all(
    spec: str,
    styles: Sequence[str],
    profile: Profile,
    dropped: Counter[str] | None = None,
    *,
    bare: bool = False,
    used: Callable[[str], bool] = lambda _: True,
    held_out: Callable[[Program], bool] = lambda _: False,
) -> Iterator[tuple[Sample, ...]]:
    """As `generated`, with a row in every style; a program that one of them cannot tell is left out of all, and so is
    one that comes again with the same call.

    `bare`: answers are the output's literal, without the assert and the call in it. `used`: whether rows of a style
    will be used from now on; the claims of others are not checked, for that takes most of the time. `held_out`: which
    programs to leave out.
    """
    dropped = Counter() if dropped is None else dropped
    tellers = {style: _Teller(style, profile, dropped, bare) for style in styles}
    if spec.partition(":")[0] not in GRAMMARS:
        raise UsageError(f"{spec!r}: only programs of {', '.join(GRAMMARS)} run outside the sandbox")
    source: Any = open_source(spec)
    seen: set[int] = set()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SyntaxWarning)
        for program, calls in source.cases():
            key = hash((program.source, calls[0].text))
            if key in seen:
                dropped["the same program and call again"] += 1
                continue
            seen.add(key)
            if held_out(program):
                dropped["held out"] += 1
                continue
            trace = first_return(program, calls)
            if trace is None:
                dropped["no call returns"] += 1
                continue
            rows = tuple(_all_or_none(t.sample(program, "forward", trace, trace, used(s)) for s, t in tellers.items()))
            if rows:
                yield rows


def _all_or_none(rows: Iterable[Sample | None]) -> Iterator[Sample]:
    told: list[Sample] = []
    for row in rows:
        if row is None:
            return
        told.append(row)
    yield from told


def first_return(program: Program, calls: Sequence[Invocation]) -> Trace | None:
    """The execution of the first call that returns. The program must be trusted: it runs in this process."""
    for call in calls:
        trace = trace_here(program.source, call, max_events=MAX_EVENTS)
        if trace.outcome.status == "returned":
            return trace
    return None


def retold(
    samples: Iterable[Sample], style: str, profile: Profile, dropped: Counter[str] | None = None
) -> Iterator[Sample]:
    """Forward and backward rows with their executions told anew: a backward row's is that of the input that it found.

    Rows of other tasks are left out. Raises `UsageError` for an unknown style, `SandboxRefused`.
    """
    teller = _Teller(style, profile, dropped)
    told = (sample for sample in samples if sample.task in ("forward", "backward"))
    with Sandbox(preload=PRELOAD) as box:
        groups = itertools.groupby(told, lambda sample: sample.program)
        listed = ((program, list(group)) for program, group in groups if program is not None)
        while chunk := list(itertools.islice(listed, _CHUNK)):
            for (program, rows), (first, second) in zip(chunk, _traced_twice(box, chunk), strict=True):
                for row, one, two in zip(rows, first, second, strict=True):
                    sample = teller.again(program, row, one, two)
                    if sample is not None:
                        yield sample


class _Teller:
    """Makes rows in one style, and counts those left out."""

    def __init__(self, style: str, profile: Profile, dropped: Counter[str] | None, bare: bool = False) -> None:
        self._style: Style = find_style(style)
        if self._style.direction != "forward":
            raise UsageError(f"the style {style} does not tell an execution forward; take another")
        self._profile, self._bare = profile, bare
        self._dropped = Counter[str]() if dropped is None else dropped

    def drop(self, reason: str) -> None:
        """Count a row that is left out."""
        self._dropped[reason] += 1

    def again(self, program: Program, row: Sample, first: Trace | None, second: Trace | None) -> Sample | None:
        """The row told anew from one execution, checked against the other."""
        if first is None or second is None:
            self.drop("could not be traced")
            return None
        value = second.outcome.value
        if not first.outcome.same(second.outcome) or value is None or _literal(second) != row.output:
            self.drop("executes otherwise than its row says")
            return None
        sample = self.sample(program, row.task, first, second)
        return sample and dataclasses.replace(sample, found_by=row.found_by)

    def sample(self, program: Program, task: str, told: Trace, checked: Trace, is_used: bool = True) -> Sample | None:
        """The row of an execution; None, counted, where it cannot be told. Claims are checked if it `is_used`."""
        output = _literal(told)
        if output is None:
            self.drop("the result is no literal")
            return None
        if told.truncated or checked.truncated:
            self.drop("execution too long")
            return None
        monologue = tell(self._style, told)
        if len(monologue.text) > MAX_TEXT:
            self.drop("text too long")
            return None
        claims = check(self._style, monologue.text, checked) if is_used else []
        if any(claim.verdict is not True for claim in claims):
            self.drop("a claim does not hold")
            return None
        call = told.invocation.text
        if task == "forward":
            prompt = self._profile.forward(program.source, call)
        else:
            prompt = self._profile.backward(program.source, program.entry, output)
        text = "" if self._style.name == "direct" else monologue.text
        response = self._profile.response(text, output if self._bare else assertion(call, output))
        return Sample(
            id=content_id(task, prompt, response),
            fwd_mnl=prompt if task == "forward" else "",
            bwd_mnl=prompt if task == "backward" else "",
            response=response,
            task=task,
            program=program,
            call=call,
            output=output,
            claims=len(claims),
            python=platform.python_version(),
        )


def _literal(trace: Trace) -> str | None:
    """What the call returned as source text that equals it; None where there is none (an instance, nan)."""
    value = trace.outcome.value
    if value is None or not value.is_literal() or value.python_equal(value) is not True:
        return None
    return value.literal()


def _traced_twice(
    box: Sandbox, chunk: Sequence[tuple[Program, Sequence[Sample]]]
) -> Iterator[tuple[list[Trace | None], list[Trace | None]]]:
    """For each program the traces of its rows' calls, under two hash seeds."""
    jobs = [
        Job(
            TASK,
            {"source": program.source, "max_events": MAX_EVENTS},
            tuple(Invocation(row.call).parts for row in rows),
            _LIMITS,
            hash_seed,
        )
        for program, rows in chunk
        for hash_seed in (0, 1)
    ]
    replies = dict(box.execute_many(jobs))
    for place, (program, rows) in enumerate(chunk):
        first, second = (
            [_trace(program, row.call, reply) for row, reply in zip(rows, replies[2 * place + k], strict=True)]
            for k in (0, 1)
        )
        yield first, second


def _trace(program: Program, call: str, reply: Reply) -> Trace | None:
    if reply.status != "returned":
        return None
    try:
        return trace_from_document(program.source, reply.data, Invocation(call))
    except InputError:
        return None  # the program's own process sent nonsense

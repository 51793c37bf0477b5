"""Bugs put into generated programs: the text around them stays, and the runs of both versions tell where they are."""

from __future__ import annotations

import ast

from semcoder.core import Program
from semcoder.debugging.divergence import first_divergence
from semcoder.debugging.suspects import suspects
from semcoder.mutation.bugs import bugs
from semcoder.pyx import BuildConfig
from semcoder.pyx.cases import traces
from semcoder.sandbox import Sandbox
from semcoder.seeds.generator import generate
from semcoder.tracing import trace_here

PROGRAMS = 40
EVENTS = 4_000
CONFIG = BuildConfig(sources=("generator:1",), max_events=EVENTS, cpu_s=0.3)


def test_bugs_of_generated_programs_are_found_by_their_runs() -> None:
    shown = exact = among = 0
    with Sandbox(workers=1) as box:
        for seed in range(PROGRAMS):
            program, invocations = generate(seed)
            good = trace_here(program.source, invocations[0], max_events=EVENTS)
            if good.truncated:
                continue
            for bug in bugs(program.source, n=5, seed=seed, lines={step.line for step in good.steps}):
                ast.parse(bug.source)
                call = invocations[0].text
                bad = traces(Program(bug.source, program.entry), [call], box, CONFIG).get(call)
                if bad is None or good.outcome.same(bad.outcome):  # it may not end any more
                    continue
                found = first_divergence(good, bad, good_source=program.source, bad_source=bug.source)
                assert found is not None, (seed, bug)
                shown += 1
                exact += found.line == bug.line
                named = suspects(bad, bug.source, expected=good.outcome.value, outcome=bad.outcome)
                among += bug.line in [one.line for one in named[:3]]
    assert shown >= 60
    assert exact >= 0.97 * shown, (exact, shown)
    assert among >= 0.4 * shown, (among, shown)


def test_a_program_does_not_part_from_itself() -> None:
    for seed in range(40):
        program, invocations = generate(seed)
        one, two = (trace_here(program.source, invocations[0], max_events=EVENTS) for _ in range(2))
        found = first_divergence(one, two, good_source=program.source, bad_source=program.source)
        assert found is None, (seed, found)

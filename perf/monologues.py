"""Figures of the narrator and the checker on a benchmark file of programs with inputs and outputs.

    python perf/monologues.py path/to/cruxeval.jsonl [--forward] [--backward] [--corruptions] [--limit N]

The file is JSON Lines with `code`, `input`, `output`, `id` (CRUXEval's published form). Everything runs in the sandbox.

forward      monologues whose answer equals the recorded output, whether every executed statement is claimed, and how
             many claims a second execution finds false
backward     outputs for which an input was found that really gives them, without seeing the recorded one, by how
corruptions  texts changed in one place: how many of the changes the checker finds, and false alarms without a change
"""

from __future__ import annotations

import argparse
import ast
import json
import random
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from semcoder.api import sandbox, trace_many
from semcoder.core import Claim, Invocation, Outcome, Program, Value
from semcoder.monologue import Backward, style, verify
from semcoder.monologue.solving import find_input
from semcoder.mutation.texts import CORRUPTIONS
from semcoder.sandbox import Limits, Sandbox, run_program
from semcoder.tracing import Trace

LIMITS = Limits(cpu_s=2.0)


def value_of(text: str) -> Value:
    return Value.of(ast.literal_eval(text))


def claimed_statements(claims: Sequence[Claim]) -> int:
    return sum(claim.kind == "order" and " runs next" in claim.text and claim.verdict is True for claim in claims)


def executed_statements(trace: Trace) -> int:
    return sum(step.kind != "resume" for step in trace.steps)


def forward(rows: Sequence[dict[str, Any]], box: Sandbox, *, corruptions: bool) -> None:
    right = covered = false = unchecked = total = alarms = 0
    made: Counter[str] = Counter()
    caught: Counter[str] = Counter()
    located: Counter[str] = Counter()
    rng = random.Random(0)
    for row in rows:
        call = Invocation(f"f({row['input']})")
        told, again = trace_many(box, row["code"], [call, call], LIMITS)
        text = style("forward").render(told).text
        answer = style("forward").parse(text)
        claims = verify(text, again)
        right += answer is not None and again.outcome.value == value_of(row["output"]) == value_of(answer)
        covered += claimed_statements(claims) == executed_statements(again)
        false += sum(c.verdict is False for c in claims)
        unchecked += sum(c.verdict is None for c in claims)
        alarms += any(c.verdict is not True for c in claims)
        total += len(claims)
        if corruptions:
            for kind, corrupt in CORRUPTIONS.items():
                changed = corrupt(text, rng)
                if changed is not None and changed != text:
                    wrong = [c for c in verify(changed, again) if c.verdict is False]
                    made[kind] += 1
                    caught[kind] += bool(wrong)
                    located[kind] += any(near(c, text, changed) for c in wrong)
    print(f"forward: answer equals the recorded output {right} of {len(rows)}")
    print(f"forward: every executed statement claimed in {covered} of {len(rows)}")
    print(f"forward: {total} claims, {false} false, {unchecked} unchecked")
    if corruptions:
        for kind, count in made.items():
            print(f"corrupted {kind}: {caught[kind]} of {count} found, {located[kind]} at the changed place")
        share = 100 * sum(caught.values()) / sum(made.values())
        place = 100 * sum(located.values()) / sum(made.values())
        print(f"corrupted in all: {share:.2f} % found, {place:.2f} % at the changed place; false alarms: {alarms}")


def near(claim: Claim, before: str, after: str) -> bool:
    """Whether a claim stands in a line of text that the change touched, or in the line that follows it."""
    old, new = before.split("\n"), after.split("\n")
    first = next((k for k, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), min(len(old), len(new)))
    line = after[: claim.start].count("\n")
    return first <= line <= first + 1


def backward(rows: Sequence[dict[str, Any]], box: Sandbox) -> None:
    how: Counter[str] = Counter()
    false = total = executed = 0
    for row in rows:
        program = Program(row["code"], "f")

        def run(calls: Sequence[str], program: Program = program) -> list[Outcome]:
            return run_program(box, program, [Invocation(c) for c in calls], Limits(cpu_s=0.5))

        wanted = value_of(row["output"])
        found = find_input(row["code"], "f", wanted, run)
        if found is None:
            how["not found"] += 1
            continue
        told, again = trace_many(box, row["code"], [Invocation(found.call)] * 2, LIMITS)
        monologue = Backward().render(told, found=found)
        claims = verify(monologue.text, again)
        really = again.outcome.value == wanted and style("backward").parse(monologue.text) == found.call
        how[found.how if really else "wrong"] += 1
        executed += found.executed
        total += len(claims)
        false += sum(c.verdict is False for c in claims)
    reached = sum(how[name] for name in ("inversion", "constraints", "search"))
    print(f"backward: an input that really gives the output found for {reached} of {len(rows)}")
    print(f"backward: {dict(how.most_common())}, {executed} candidates run, {total} claims, {false} false")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("data", type=Path)
    for part in ("forward", "backward", "corruptions"):
        parser.add_argument(f"--{part}", action="store_true")
    parser.add_argument("--limit", type=int, default=0)
    args = parser.parse_args()
    rows = [json.loads(line) for line in args.data.read_text().splitlines()]
    rows = rows[: args.limit or len(rows)]
    every = not (args.forward or args.backward or args.corruptions)
    started = time.perf_counter()
    with sandbox() as box:
        if every or args.forward or args.corruptions:
            forward(rows, box, corruptions=every or args.corruptions)
        if every or args.backward:
            backward(rows, box)
    print(f"{time.perf_counter() - started:.0f} s")


if __name__ == "__main__":
    main()

"""How well faults are found: with a reference, from one failing test alone, and by a plain coverage ranking.

    python perf/repairs.py [--rows 300] [--seed 0] [--source stdlib --source package:NAME ...] [--show]

Programs are taken from the sources in random order, get inputs and cases as in a build, and bugs by mutation, up to
`--per-program` that give a PyX-R row. For each row it is asked where the mutated statement comes:

divergence   in the sentence of the first divergence between the runs of both versions: named first, among the first
             three. For a removed statement: the one that stands in its place
suspects     in the ranking of the failing run's own statements, without a reference (`semcoder.debugging.suspects`)
trials       the same, with changes of the wrong program tried on the failing test (not with --no-trials)
ochiai       in the ranking of executed statements by Ochiai's formula over the program's cases and the failing test, of
             which it sees all results; ties count as broken at random

Percentages of all rows. By chance: with the executed statements in random order.
"""

from __future__ import annotations

import argparse
import math
import random
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from semcoder.core import Invocation, Program
from semcoder.debugging.repairs import Repair, Unfit, Workbench
from semcoder.debugging.suspects import suspects
from semcoder.debugging.trials import sandbox_trial
from semcoder.mutation.bugs import Bug, bugs
from semcoder.pyx import BuildConfig
from semcoder.pyx.cases import PRELOAD, find_cases, traces
from semcoder.pyx.search import Rejected
from semcoder.sandbox import Sandbox
from semcoder.seeds import Drop, open_source
from semcoder.tracing import Trace

FIRST = 3
#: How many statements make a run long.
LONG = 10


@dataclass(frozen=True)
class Row:
    """A repair, its bug, and what Ochiai's formula is given: the lines that each case runs, and whether it fails."""

    program: Program
    bug: Bug
    repair: Repair
    spectra: tuple[tuple[frozenset[int], bool], ...]


def executed(trace: Trace) -> list[int]:
    """Lines of statements that ran, each once."""
    return list(dict.fromkeys(step.line for step in trace.steps if step.kind != "call"))


def programs(sources: Sequence[str], seed: int) -> list[Program]:
    """All programs of the sources, in random order."""
    found = [program for spec in sources for program in open_source(spec).programs() if not isinstance(program, Drop)]
    random.Random(seed).shuffle(found)
    return found


def rows(sources: Sequence[str], seed: int, per_program: int, box: Sandbox, dropped: Counter[str]) -> Iterator[Row]:
    """Rows of programs in random order; what gives none is counted by reason."""
    config = BuildConfig(sources=tuple(sources), seed=seed)
    for program in programs(sources, seed):
        try:
            found = find_cases(program, box, config)
            known = [*(Invocation(case.call) for case in found.cases), *found.explored.outcomes]
            bench = Workbench(program, known, box, seed=seed)
        except Rejected as rejected:
            dropped[f"program: {rejected.reason}"] += 1
            continue
        except Unfit as unfit:
            dropped[f"program: {unfit}"] += 1
            continue
        lines = {step.line for case in found.cases for step in case.trace.steps}
        outputs = {case.call: case.output for case in found.cases}
        made = 0
        for bug in bugs(program.source, n=3 * per_program, seed=seed, lines=lines):
            if made == per_program:
                break
            try:
                repair = bench.repair(bug.source)
            except Unfit as unfit:
                dropped[str(unfit)] += 1
                continue
            made += 1
            yield Row(program, bug, repair, spectra(program, bug, repair, outputs, box, config))


def spectra(
    program: Program, bug: Bug, repair: Repair, outputs: dict[str, str], box: Sandbox, config: BuildConfig
) -> tuple[tuple[frozenset[int], bool], ...]:
    """Coverage of the wrong program by its cases."""
    wanted = {**outputs, repair.call: repair.expected}
    wrong = Program(bug.source, program.entry)
    found = traces(wrong, list(wanted), box, config)
    return tuple(
        (frozenset(executed(trace)), not _passes(trace, wanted[call]))
        for call, trace in {**found, repair.call: repair.bad}.items()
    )


def _passes(trace: Trace, output: str) -> bool:
    value = trace.outcome.value
    return value is not None and value.is_literal() and value.literal() == output


def ochiai(row: Row) -> dict[int, float]:
    """The score of each line that the failing test runs."""
    failing = sum(fails for _, fails in row.spectra)
    scores = {}
    for line in executed(row.repair.bad):
        hit = [fails for lines, fails in row.spectra if line in lines]
        scores[line] = sum(hit) / math.sqrt(failing * len(hit)) if hit else 0.0
    return scores


def chance_of(scores: dict[int, float], line: int) -> float:
    """How likely a line is among the first three by its score, ties broken at random."""
    if line not in scores:
        return 0.0
    above = sum(score > scores[line] for score in scores.values())
    equal = sum(score == scores[line] for score in scores.values())
    return min(1.0, max(0.0, (FIRST - above) / equal))


class Figures:
    """How often each way finds the statement, over all rows, over those with long runs, and by kind of bug."""

    def __init__(self) -> None:
        self.groups: dict[str, list[dict[str, float]]] = {"all": []}

    def add(self, row: Row, places: dict[str, float]) -> None:
        self.groups["all"].append(places)
        if len(executed(row.repair.bad)) >= LONG:
            self.groups.setdefault(f"{LONG} or more lines run", []).append(places)
        how = row.repair.bad.outcome.status
        self.groups.setdefault(how, []).append(places)
        self.groups.setdefault(row.bug.kind, []).append(places)

    def show(self) -> None:
        for group, rows_ in self.groups.items():
            print(f"{group}: {len(rows_)} rows")
            for name in rows_[0]:
                print(f"    {name:28} {100 * sum(places[name] for places in rows_) / len(rows_):5.1f} %")


def places_of(row: Row, box: Sandbox | None) -> dict[str, float]:
    """By way of looking: 1 where it names the mutated statement, 0 where not (chances for ties)."""
    repair, line = row.repair, row.bug.line
    lines, named = executed(repair.bad), repair.divergence.statements
    alone = ranked(row, None)
    found: dict[str, float] = {
        "divergence, named first": repair.divergence.line == line,
        "divergence, among three": line in named[:FIRST],
        "suspects, named first": alone[:1] == [line],
        "suspects, among three": line in alone[:FIRST],
    }
    if box is not None:
        tried = ranked(row, box)
        found |= {"trials, named first": tried[:1] == [line], "trials, among three": line in tried[:FIRST]}
    return found | {
        "ochiai, among three": chance_of(ochiai(row), line),
        "chance, among three": min(1.0, FIRST / len(lines)) if line in lines else 0.0,
    }


def ranked(row: Row, box: Sandbox | None) -> list[int]:
    """Lines by suspicion; with a sandbox, changes are tried in it."""
    bad, expected = row.repair.bad, row.repair.good.outcome.value
    assert expected is not None
    trial = None if box is None else sandbox_trial(box, row.program.entry, Invocation(row.repair.call), expected)
    found = suspects(bad, row.bug.source, expected=expected, outcome=bad.outcome, trial=trial)
    return [one.line for one in found]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--rows", type=int, default=300)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--source", action="append")
    parser.add_argument("--per-program", type=int, default=3)
    parser.add_argument("--no-trials", action="store_true")
    parser.add_argument("--show", action="store_true", help="print each row that a way misses")
    args = parser.parse_args()
    figures = Figures()
    made = 0
    dropped: Counter[str] = Counter()
    used: set[str] = set()
    started = time.perf_counter()
    with Sandbox(workers=1, preload=PRELOAD) as box:
        for row in rows(args.source or ["stdlib"], args.seed, args.per_program, box, dropped):
            places = places_of(row, None if args.no_trials else box)
            made += 1
            figures.add(row, places)
            used.add(row.program.id)
            if args.show:
                missed = ", ".join(name for name, hit in places.items() if not hit)
                print(f"{row.program.entry}, {row.bug.kind}, line {row.bug.line}: missed by {missed or 'none'}")
            if made == args.rows:
                break
    print(f"{made} rows of {len(used)} programs, {time.perf_counter() - started:.0f} s")
    figures.show()
    for reason, number in dropped.most_common():
        print(f"  dropped: {number} {reason}")


if __name__ == "__main__":
    main()

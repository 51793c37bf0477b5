"""One seed to one program: the teacher invents a problem and solves it, several times; what runs and agrees is kept.

Guarantees: a program is kept only if it ran in the sandbox on test inputs of every solution of its group, did the same
on each as all of the group, and has cases as a build would want them (`semcoder.pyx.cases`). What does not run goes
back to the teacher with its error; everything that is given up has a reason, and every answer is counted.
It does not promise that a program does what its description says: that solutions written apart agree speaks for it.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from semcoder.core import Invocation, Origin, Outcome, Program
from semcoder.core.files import full_document
from semcoder.models import Reply, Request, Sampling
from semcoder.pyx.cases import find_cases, normal_form
from semcoder.pyx.search import Rejected
from semcoder.pyx.synth import prompts
from semcoder.pyx.synth.agreement import Refused, agree
from semcoder.pyx.synth.bench import Bench, fault, told, touched
from semcoder.pyx.synth.config import SynthConfig
from semcoder.pyx.synth.converse import Script, Spent, Thread
from semcoder.pyx.synth.replies import Malformed, Problem, Solution, read_problem, read_solution

Result = TypeVar("Result")
#: A part of a script.
Part = Generator[list[Request], list[Reply], Result]
#: Examples that a description shows.
_SHOWN = 3


@dataclass
class Tally:
    """What happened to the answers for one seed: what was asked, and what became of it, each by name."""

    counts: Counter[str] = field(default_factory=Counter)
    malformed: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    dropped: Counter[str] = field(default_factory=Counter)

    def document(self) -> dict[str, dict[str, int]]:
        return {
            name: dict(sorted(getattr(self, name).items())) for name in ("counts", "malformed", "faults", "dropped")
        }


@dataclass
class _Attempt:
    """One solution on its way: its conversation, what it is now, and what is wrong with it ("" for nothing known)."""

    thread: Thread
    solution: Solution | None = None
    reason: str = ""
    over: bool = False
    repaired: int = 0


class Synthesis:
    """The work on one seed, as a script (`semcoder.pyx.synth.converse`)."""

    def __init__(self, seed: Program, config: SynthConfig, bench: Bench) -> None:
        self._seed = seed
        self._config = config
        self._bench = bench
        self._tally = Tally()
        self._spent = Spent()

    def script(self) -> Script[dict[str, Any]]:
        """The script whose result is a document: `kept`, a row of programs.jsonl, or `dropped`, a reason with detail;
        `tally` and `spent` beside it."""
        kept, dropped = None, None
        try:
            problem = yield from self._invent()
            self._tally.counts["problems"] += 1
            solutions = yield from self._solve(problem)
            kept = self._settle(problem, solutions)
        except (Refused, Rejected) as refused:
            dropped = {"reason": refused.reason, "detail": refused.detail[:300]}
        return {"kept": kept, "dropped": dropped, "tally": self._tally.document(), "spent": full_document(self._spent)}

    def _thread(self, messages: Sequence[Any], number: int = 0) -> Thread:
        config = self._config
        sampling = Sampling(config.max_tokens, config.temperature, config.top_p, seed=config.seed + number)
        return Thread(tuple(messages), sampling, self._spent)

    # -- the problem

    def _invent(self) -> Part[Problem]:
        """Raises `Refused` where no answer can be read."""
        leading = self._config.signature_first
        thread = self._thread(prompts.ask_for_problem(self._seed.source, signature_first=leading))
        for _ in range(self._config.rounds + 1):
            (reply,) = yield [thread.request()]
            text, cut = thread.take(reply)
            try:
                return read_problem(text, cut=cut, signature_first=leading)
            except Malformed as malformed:
                self._tally.malformed[malformed.reason] += 1
                reason = malformed.reason
                thread.say(prompts.ask_again(malformed.advice))
        raise Refused("no problem could be read", reason)

    # -- its solutions

    def _solve(self, problem: Problem) -> Part[list[Solution]]:
        """The solutions that run on their own test inputs."""
        config = self._config
        messages = prompts.ask_for_solution(problem.text, problem.entry, config.inputs, stub=bool(problem.stub))
        attempts = [_Attempt(self._thread(messages, k)) for k in range(config.solutions)]
        self._tally.counts["solutions"] += len(attempts)
        for number in range(config.rounds + 1):
            open_ones = [attempt for attempt in attempts if not attempt.over]
            if not open_ones:
                break
            replies = yield [attempt.thread.request() for attempt in open_ones]
            for attempt, reply in zip(open_ones, replies, strict=True):
                attempt.repaired = number
                self._read(attempt, reply, problem)
            self._try([attempt for attempt in open_ones if attempt.solution is not None], problem)
        for attempt in attempts:
            if attempt.reason:
                self._tally.dropped[attempt.reason] += 1
        ran = [attempt for attempt in attempts if not attempt.reason]
        self._tally.counts["solutions_that_run"] += len(ran)
        self._tally.counts["solutions_repaired"] += sum(attempt.repaired > 0 for attempt in ran)
        self._tally.counts["solutions_without_a_plan"] += sum(not a.solution.plan for a in ran if a.solution)
        self._tally.counts["solutions_in_several_blocks"] += sum(a.solution.blocks > 1 for a in ran if a.solution)
        return [attempt.solution for attempt in ran if attempt.solution is not None]

    def _read(self, attempt: _Attempt, reply: Reply, problem: Problem) -> None:
        text, cut = attempt.thread.take(reply)
        attempt.solution = None
        try:
            attempt.solution = read_solution(text, problem, cut=cut)
        except Malformed as malformed:
            attempt.reason = malformed.reason
            self._tally.malformed[malformed.reason] += 1
            attempt.thread.say(prompts.ask_again(malformed.advice))

    def _try(self, attempts: Sequence[_Attempt], problem: Problem) -> None:
        """Run solutions on their own inputs; what fails is told, in its conversation, with the first error."""
        solutions = [attempt.solution for attempt in attempts if attempt.solution is not None]
        work = [(Program(solution.source, problem.entry), solution.calls) for solution in solutions]
        for attempt, solution, outcomes in zip(attempts, solutions, self._bench.outcomes(work), strict=True):
            failed = [(call, outcome) for call, outcome in zip(solution.calls, outcomes, strict=True) if fault(outcome)]
            attempt.reason = fault(failed[0][1]) if failed else ""
            attempt.over = not failed or any(touched(outcome) for outcome in outcomes)
            if attempt.over and failed:
                attempt.reason = "reaches outside"
            if failed:
                self._tally.faults[attempt.reason] += 1
                attempt.thread.say(prompts.ask_for_repair(told(*failed[0])))

    # -- what is kept of them

    def _settle(self, problem: Problem, solutions: Sequence[Solution]) -> dict[str, Any]:
        """The row of the program that is kept. Raises `Refused`, `Rejected`."""
        if not solutions:
            raise Refused("no solution runs", ", ".join(sorted(self._tally.dropped)))
        calls = list(dict.fromkeys(call for solution in solutions for call in solution.calls))
        found = self._alike_twice(problem, solutions, calls)
        left = [solution for solution, outcomes in zip(solutions, found, strict=True) if outcomes]
        vectors = [outcomes for outcomes in found if outcomes]
        agreed = agree(vectors, [s.source for s in left], least=min(2, self._config.solutions))
        chosen, group = left[agreed.chosen], [left[place] for place in agreed.group]
        self._tally.counts["solutions_that_agree"] += len(group)
        same_text = len(group) > 1 and len({normal_form(solution.source) for solution in group}) == 1
        self._tally.counts["programs_agreed_on_by_one_text"] += same_text
        program = Program(chosen.source, problem.entry, self._origin(), self._seed.license)
        good = [(c, o) for c, o in zip(calls, vectors[agreed.chosen], strict=True) if o.value is not None]
        known = [Invocation(call) for call, _ in good]
        cases = find_cases(program, self._bench.box, self._bench.config, known).cases
        return {
            **_row(program, problem, chosen, [call for call, _ in good]),
            "shown": [[case.call, case.output] for case in cases[:_SHOWN]],
            "cases": [{"call": case.call, "output": case.output, "steps": case.steps} for case in cases],
            "agreement": {"solutions": self._config.solutions, "that_run": len(solutions), "that_agree": len(group)},
            "seed": self._seed.id,
        }

    def _origin(self) -> Origin:
        return Origin("synth", project=self._config.teacher_name, path=f"seed:{self._seed.id}")

    def _alike_twice(
        self, problem: Problem, solutions: Sequence[Solution], calls: Sequence[str]
    ) -> list[list[Outcome]]:
        """Outcomes of each solution on all calls; none for one that is given up, for what it does or for chance."""
        work = [(Program(solution.source, problem.entry), calls) for solution in solutions]
        found = self._bench.outcomes(work)
        again = self._bench.outcomes(work, hash_seed=1, first=False)
        kept: list[list[Outcome]] = []
        for before, after in zip(found, again, strict=True):
            wrong = next((f for f in map(fault, before) if f and not f.startswith("raises ")), "")
            if not wrong and not all(a.same(b) for a, b in zip(before, after, strict=True)):
                wrong = "answers differently when run again"
            if wrong:
                self._tally.dropped[wrong] += 1
            kept.append([] if wrong else before)
        if not any(kept):
            raise Refused("no solution runs", ", ".join(sorted(self._tally.dropped)))
        return kept


def _row(program: Program, problem: Problem, solution: Solution, calls: Sequence[str]) -> dict[str, Any]:
    """What `collect` writes of a program, and the same fields side by side, as a `jsonl:` source reads them."""
    document = full_document(program)
    function = next(n for n in ast.parse(program.source).body if getattr(n, "name", "") == program.entry)
    assert isinstance(function, ast.FunctionDef)
    return {
        "id": program.id,
        "program": document,
        "known": list(calls),
        **document,
        "description": problem.statement,
        "header": f"{program.entry}({ast.unparse(function.args)})",
        "calls": list(calls),
        "plan": solution.plan,
    }

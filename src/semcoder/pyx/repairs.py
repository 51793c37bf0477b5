"""PyX-R rows: a problem, code that is wrong, a test that it fails; a rationale, checked, and the repaired code.

Wrong code comes from mutation of the program, and from answers of models to its problem, where the configuration names
files of such. Guarantees: what `semcoder.debugging.repairs` guarantees of a repair; what gives no row is counted with a
reason; the rows depend on program, inputs, configuration and answers alone.
"""

from __future__ import annotations

import ast
import platform
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from itertools import islice
from pathlib import Path

from semcoder.core import Invocation, Program, Sample, content_id
from semcoder.debugging.feedback import what_happened
from semcoder.debugging.repairs import Budget, Repair, Unfit, Workbench
from semcoder.errors import InputError, UsageError
from semcoder.monologue.purpose import find_function
from semcoder.mutation.bugs import bugs
from semcoder.prompts import Profile
from semcoder.pyx.cases import Case
from semcoder.pyx.config import BuildConfig
from semcoder.sandbox import Sandbox
from semcoder.seeds._tables import unfenced
from semcoder.tables import jsonl_rows

#: How many bugs are tried for each row that is wanted of a program.
_TRIES = 3
_IDS, _TEXTS = ("task_id", "id"), ("solution", "completion", "answer")
#: How a row that repairs a model's answer was found.
ANSWER = "answer"
#: What is done with the reason for each wrong version that gives no row.
Dropped = Callable[[str], None]


def repair_samples(
    program: Program,
    cases: Sequence[Case],
    tried: Sequence[Invocation],
    box: Sandbox,
    config: BuildConfig,
    profile: Profile,
    dropped: Dropped,
) -> list[Sample]:
    """The repair rows of a program. `tried`: calls that are known to run, beside those of the cases."""
    known = [*(Invocation(case.call) for case in cases), *tried]
    budget = Budget(config.cpu_s, config.max_events, config.max_value, config.max_text)
    try:
        bench = Workbench(program, known, box, seed=config.seed, budget=budget)
    except Unfit as unfit:
        dropped(str(unfit))
        return []
    lines = {step.line for case in cases for step in case.trace.steps}
    mutated = islice(_made(bench, _wrong(program, lines, config), dropped), config.repairs_per_program)
    answered = _made(bench, _answers(program, cases, profile, config), dropped)
    return [_row(program, cases, repair, how, profile) for how, repair in [*mutated, *answered]]


def _wrong(program: Program, lines: set[int], config: BuildConfig) -> Iterator[tuple[str, str]]:
    """Mutated versions, each with its kind."""
    for bug in bugs(program.source, n=_TRIES * config.repairs_per_program, seed=config.seed, lines=lines):
        yield f"mutation: {bug.kind}", bug.source


def _answers(
    program: Program, cases: Sequence[Case], profile: Profile, config: BuildConfig
) -> Iterator[tuple[str, str]]:
    """What models answered to the program's problem."""
    problem = f"{profile.tasks.nl}\n{_problem(program, cases, profile)}"
    described = content_id("nl", problem, f"```python\n{program.source.strip()}\n```")
    for path in config.answers:
        found = answers_in(path)
        for name in (program.id, described):
            for code in found.get(name, ()):
                yield ANSWER, code


def _made(bench: Workbench, wrong: Iterator[tuple[str, str]], dropped: Dropped) -> Iterator[tuple[str, Repair]]:
    for how, source in wrong:
        try:
            yield how, bench.repair(source)
        except Unfit as unfit:
            dropped(str(unfit))


@cache
def answers_in(path: str) -> dict[str, tuple[str, ...]]:
    """Answers by the id of the program, or of the row that asks for it, from rows of JSONL (`task_id`, `solution`).

    Raises `UsageError` where there is no such file, `InputError` for a row of another form.
    """
    if not Path(path).is_file():
        raise UsageError(f"{path}: there is no such file of answers")
    found: dict[str, tuple[str, ...]] = {}
    for row in jsonl_rows(Path(path), path):
        name = next((row.values[key] for key in _IDS if isinstance(row.values.get(key), str)), None)
        text = next((row.values[key] for key in _TEXTS if isinstance(row.values.get(key), str)), None)
        if name is None or text is None:
            raise InputError(f"{row.place}: an answer has a text {_IDS[0]!r} and a text {_TEXTS[0]!r}")
        found[name] = (*found.get(name, ()), f"{unfenced(text).strip()}\n")
    return found


def _row(program: Program, cases: Sequence[Case], repair: Repair, how: str, profile: Profile) -> Sample:
    prompt = profile.repair(
        _problem(program, [case for case in cases if case.call != repair.call], profile),
        repair.wrong,
        repair.test,
        what_happened(repair.bad.outcome),
    )
    response = profile.repairing.response(repair.rationale, repair.fixed.strip())
    return Sample(
        id=content_id("repair", prompt, response),
        fault=prompt,
        response=response,
        task="repair",
        program=program,
        call=repair.call,
        output=repair.expected,
        claims=repair.claims,
        found_by=how,
        python=platform.python_version(),
    )


def _problem(program: Program, cases: Sequence[Case], profile: Profile) -> str:
    """What the program is for, as a row that asks for its code says it, without the task's first line."""
    function = find_function(ast.parse(program.source), program.entry)
    header, description = program.entry, ""
    if function is not None:
        header = f"{function.name}({ast.unparse(function.args)})"
        description = ast.get_docstring(function) or ""
    asked = profile.nl(header, description, [(case.call, case.output) for case in cases[:3]])
    return asked.removeprefix(f"{profile.tasks.nl}\n")

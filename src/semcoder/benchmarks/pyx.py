"""PyX problems: a description, judged by the cases of its program, which a build recorded by executing it.

`--data` is a folder of `semcoder build` or `semcoder synth`, or rows with their `cases`. There is no usual place: the
problems are one's own. A case that Python's `==` cannot tell (it has a nan) is left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from semcoder.benchmarks import Case, Task
from semcoder.benchmarks._cases import assert_cases, standalone
from semcoder.benchmarks._generations import read_generations
from semcoder.benchmarks._programs import LIMITS, score_checks
from semcoder.benchmarks._rows import Place, load_tasks
from semcoder.benchmarks._texts import code, headed
from semcoder.core import Program, ProgramId, Score, decode
from semcoder.errors import UsageError
from semcoder.prompts import Profile, assertion, load_profile
from semcoder.sandbox import Check
from semcoder.tables import jsonl_rows

#: In a folder of rows, those of descriptions are in files with this word in their name.
_WORD = "nl-"
_SHOWN = re.compile(r"^assert .*$", re.MULTILINE)
_NAN = re.compile(r"\bnan\b")

Cases = list[tuple[str, str]]


class Pyx:
    """A description with a few calls and what they give; the answer is a program that defines the function."""

    name = "pyx"
    about = "PyX: descriptions of a build's rows, judged by the recorded cases of their programs (give --data)"
    asks = "code"

    def load(self, data: str = "") -> list[Task]:
        if not data:
            raise UsageError("pyx: name a folder that semcoder build or semcoder synth wrote with --data")
        rows = Path(data) / "rows"
        known = _recorded(Path(data) / "programs.jsonl")
        where = str(rows) if rows.is_dir() else data
        return load_tasks(where, Place("", _WORD), ("id",), ("nl",), lambda row: _checked(row, known))

    def instruction(self, task: Task, profile: Profile) -> str:
        """The row's own words under the profile's first line."""
        return headed(profile, task.row["nl"].removeprefix(f"{load_profile().tasks.nl}\n"))

    def question(self, task: Task) -> None:
        return None

    def answer(self, task: Task, text: str, profile: Profile) -> str:
        return code(text, profile, task.row["entry"])

    def gold(self, task: Task) -> str:
        return str(task.row["source"])

    def wrong(self, task: Task) -> str:
        return f"class Nothing:\n    pass\n\ndef {task.row['entry']}(*args, **kwargs):\n    return Nothing()\n"

    def generations(self, path: Path, tasks: Sequence[Task]) -> dict[str, list[str]]:
        return read_generations(path, tasks)

    def score(
        self, answers: Sequence[tuple[Task, str]], *, workers: int = 2, unsafe: bool = False
    ) -> Iterator[tuple[int, Score]]:
        checks = (_check(task, answer, "\n".join(task.row["tests"])) for task, answer in answers)
        return score_checks(checks, workers=workers, unsafe=unsafe)

    def shown(self, task: Task) -> list[Case]:
        cases = assert_cases(_SHOWN.findall(task.row["nl"]), task.row["entry"])
        return [case for case in cases if case.call and not _NAN.search(case.text)]

    def own(self, task: Task) -> list[Case]:
        return assert_cases(task.row["tests"], task.row["entry"])

    def program(self, task: Task, answer: str) -> str:
        return standalone(answer, task.row["entry"])

    def check(self, task: Task, answer: str, case: Case) -> Check:
        return _check(task, answer, case.code)


def _check(task: Task, answer: str, tests: str) -> Check:
    # The calls may be a model's words: the tests run in a sandbox of their own, too.
    return Check(answer, tests, task.row["entry"], "", LIMITS, trusted=False)


def _recorded(path: Path) -> dict[ProgramId, Cases]:
    """The cases of each program of a build."""
    if not path.is_file():
        return {}
    return {
        decode(Program, row.values.get("program"), f"{row.place}: program").id: _cases(row.values.get("cases"))
        for row in jsonl_rows(path, path.name)
    }


def _cases(rows: Any) -> Cases:
    """Calls and outputs. Raises `UsageError`."""
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise UsageError("the field cases must be a list of objects with call and output")
    found = [(row.get("call"), row.get("output")) for row in rows]
    if not all(isinstance(part, str) for pair in found for part in pair):
        raise UsageError("a case has the texts call and output")
    return [(str(call), str(output)) for call, output in found]


def _checked(row: Mapping[str, Any], known: Mapping[ProgramId, Cases]) -> Mapping[str, Any]:
    """The row with `source`, `entry` and `tests`. Raises `UsageError`."""
    if not row["nl"].strip():
        raise UsageError("the field nl is empty: only rows with a description are problems")
    if not isinstance(row.get("program"), dict):
        raise UsageError("the field program must be an object: rows of semcoder build and semcoder synth have it")
    program = decode(Program, row["program"], "program")
    cases = _cases(row["cases"]) if row.get("cases") else known.get(program.id) or _cases([row])
    tests = [assertion(call, output) for call, output in cases if not _NAN.search(output)]
    if not tests:
        raise UsageError("no case of its program can be told by ==")
    return {**row, "source": program.source, "entry": program.entry, "tests": tests}

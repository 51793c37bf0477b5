"""LiveCodeBench, code generation: contest problems, as programs that read and print or as methods.

Official scorer and data: github.com/LiveCodeBench/LiveCodeBench.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from semcoder.benchmarks import Task
from semcoder.benchmarks._generations import read_generations
from semcoder.benchmarks._livecodebench import OPENING, PRELUDE, PRINTER, read_json, read_tests
from semcoder.benchmarks._programs import score_checks
from semcoder.benchmarks._rows import Place, load_tasks
from semcoder.benchmarks._texts import code, headed, problem
from semcoder.core import Score, literal_text
from semcoder.errors import UsageError
from semcoder.prompts import Profile
from semcoder.sandbox import Check, Limits

PLACE = Place("livecodebench/code_generation_lite", "generation")
#: The official limit is six seconds a test.
LIMITS = Limits(cpu_s=6.0, wall_s=8.0, memory=1024 * 1024 * 1024)
#: What the tests call.
CALLED = "semcoder_called"
_RULES = Path(__file__).with_name("_livecodebench_rules.py")


class LiveCodeBenchGeneration:
    """A contest problem; the answer is a program from standard input to standard output, or a class `Solution`."""

    name = "livecodebench-generation"
    about = "LiveCodeBench, code generation: contest problems of known dates"
    asks = "code"

    def load(self, data: str = "") -> list[Task]:
        return load_tasks(data, PLACE, ("question_id",), ("question_content",), _read)

    def instruction(self, task: Task, profile: Profile) -> str:
        question, starter = task.row["question_content"], task.row["starter_code"]
        if task.row["function"]:
            begins = f"\n\nThe code begins:\n\n```python\n{starter.rstrip()}\n```" if starter.strip() else ""
            return problem(profile, task.row["function"], question + begins, "")
        asked = "Write a Python program that reads standard input and prints what this problem asks for."
        return headed(profile, f"{asked}\n\n{question.strip()}\n")

    def question(self, task: Task) -> None:
        return None

    def answer(self, task: Task, text: str, profile: Profile) -> str:
        return code(text, profile, "Solution" if task.row["function"] else "")

    def gold(self, task: Task) -> str:
        """No solution is published: one that knows the tests by heart, which says that they can be passed."""
        tests, function = task.row["tests"], task.row["function"]
        if not function:
            return f"import sys\nprint({ ({test['input']: test['output'] for test in tests})!r}[sys.stdin.read()])\n"
        known = {"\n".join(map(json.dumps, args)): json.dumps(result) for args, result in map(_case, tests)}
        return (
            f"import json\nclass Solution:\n    def {function}(self, *args):\n"
            f"        return json.loads({known!r}['\\n'.join(map(json.dumps, args))])\n"
        )

    def wrong(self, task: Task) -> str:
        if not task.row["function"]:
            return "print('no answer')\n"
        return f"class Solution:\n    def {task.row['function']}(self, *args):\n        return 'no answer'\n"

    def generations(self, path: Path, tasks: Sequence[Task]) -> dict[str, list[str]]:
        return read_generations(path, tasks)

    def score(
        self, answers: Sequence[tuple[Task, str]], *, workers: int = 2, unsafe: bool = False
    ) -> Iterator[tuple[int, Score]]:
        return score_checks((_check(task.row, answer) for task, answer in answers), workers=workers, unsafe=unsafe)


def _read(row: Mapping[str, Any]) -> Mapping[str, Any]:
    """The row with `tests`, unpacked, public ones first, and `function`, the method's name or empty."""
    metadata = read_json(row.get("metadata") or "{}", "metadata")
    function = metadata.get("func_name") if isinstance(metadata, dict) else None
    packed = ("public_test_cases", "private_test_cases")
    tests = [test for field in packed for test in read_tests(row.get(field) or "[]", field)]
    if not tests:
        raise UsageError("the row has no tests")
    if function is not None and (not isinstance(function, str) or not function.isidentifier()):
        raise UsageError("func_name in metadata must be the name of a function")
    if function is not None:
        for test in tests:
            _case(test)
    kept = {key: value for key, value in row.items() if key not in packed}
    return {**kept, "tests": tests, "function": function or "", "starter_code": str(row.get("starter_code") or "")}


# Tests ---------------------------------------------------------------------------------------------------------------


def _case(test: Mapping[str, str]) -> tuple[list[Any], Any]:
    """Arguments, one a line, and the result. Raises `UsageError`."""
    try:
        return [json.loads(line) for line in test["input"].split("\n")], json.loads(test["output"])
    except (ValueError, RecursionError):
        raise UsageError("a test of a function has JSON on each line of its input, and in its output") from None


def _check(row: Mapping[str, Any], answer: str) -> Check:
    """The tests call one function, in the answer's process, that gives what the answer returns or prints."""
    if row["function"]:
        cases, same = [_case(test) for test in row["tests"]], "same_result"
        source = _method_source(answer, row["function"])
    else:
        cases, same = [([test["input"]], test["output"]) for test in row["tests"]], "same_text"
        source = PRINTER + f"\n{CALLED} = semcoder_printer({(PRELUDE + OPENING + answer)!r})\n"
    listed = ",\n".join(literal_text(case) for case in cases)
    tests = (
        f"for number, (args, expected) in enumerate([{listed}], 1):\n"
        f"    assert {same}({CALLED}(*args), expected), f'test {{number}}: something else'\n"
    )
    return Check(source, tests, CALLED, _RULES.read_text(encoding="utf-8"), LIMITS)


def _method_source(answer: str, function: str) -> str:
    """Officially, too, the text `class Solution` decides whether a method is looked for, or a function."""
    target = f"Solution().{function}" if "class Solution" in answer else function
    below = f"{CALLED}_target = {target}\ndef {CALLED}(*args): return {CALLED}_target(*args)\n"
    return f"{PRELUDE}\n\n{answer}\n\n{below}"

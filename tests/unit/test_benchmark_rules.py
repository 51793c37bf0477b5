"""The rules by which the plus benchmarks and LiveCodeBench compare, and how benchmark files are found and read."""

from __future__ import annotations

import base64
import json
import math
import os
import pickle
import zlib
from pathlib import Path
from typing import Any

import pytest

from semcoder.benchmarks import benchmark
from semcoder.benchmarks._evalplus_rules import Rules
from semcoder.benchmarks._lambdas import is_pure
from semcoder.benchmarks._livecodebench import missing_imports, read_tests
from semcoder.benchmarks._livecodebench_rules import same_result, same_text
from semcoder.benchmarks.mbpp_plus import DATASET
from semcoder.errors import InputError, UsageError

NAN = math.nan
PLUS = [
    # dataset, entry, atol, arguments, output, expected, passes
    ("humaneval", "f", 0, [], [1, 2], [1, 2], True),
    ("humaneval", "f", 0, [], (1, 2), [1, 2], False),
    ("humaneval", "f", 0, [], 1, True, True),
    ("humaneval", "f", 0, [], 2, 3, False),
    ("humaneval", "f", 0, [], 0.1 + 0.2, 0.3, True),
    ("humaneval", "f", 0, [], 3, 3.0, True),
    ("humaneval", "f", 0, [], 3, 3.0000001, False),
    ("humaneval", "f", 0, [], [0.1 + 0.2, 1.0], [0.3, 1.0], True),
    ("humaneval", "f", 0, [], [0.1 + 0.2], [0.3, 1.0], False),
    ("humaneval", "f", 0, [], (0.30000001,), [0.3], False),
    ("humaneval", "f", 0, [], [0.30000001, 1], [0.3, 1], False),
    ("humaneval", "f", 1e-6, [], [0.3000001, 1], [0.3, 1], True),
    ("humaneval", "f", 1e-6, [], [[0.3000001], [1]], [[0.3], [1]], True),
    ("humaneval", "f", 1e-6, [], "a", "b", False),
    ("humaneval", "f", 1e-6, [], {"a": 1.0}, {"a": 1.0000001}, False),
    ("humaneval", "f", 0, [], NAN, NAN, False),
    ("humaneval", "f", 0, [], math.inf, math.inf, True),
    ("humaneval", "f", 0, [], 1e308, math.inf, False),
    ("humaneval", "f", 0, [], None, 0.5, False),
    ("humaneval", "find_zero", 1e-4, [[-2.0, 1.0]], 2.00001, 2.0, True),
    ("humaneval", "find_zero", 1e-4, [[-2.0, 1.0]], 2.1, 2.0, False),
    ("mbpp", "similar_elements", 0, [], [2, 1], (1, 2), True),
    ("mbpp", "similar_elements", 0, [], [2, 1, 3], (1, 2), False),
    ("humaneval", "similar_elements", 0, [], [2, 1], [1, 2], False),
    ("mbpp", "are_equivalent", 0, [], False, True, True),
    ("mbpp", "sum_div", 0, [7], 0, 1, True),
    ("mbpp", "sum_div", 0, [7], 2, 1, False),
    ("mbpp", "digit_distance_nums", 0, [123, 5], 5, 9, True),
    ("mbpp", "surface_Area", 0, [3, 4], 35, 33, True),
    ("mbpp", "surface_Area", 0, [3, 4], 34, 33, False),
    ("mbpp", "check_str", 0, [], "x", True, True),
    ("mbpp", "check_str", 0, [], None, True, False),
    ("mbpp", "check_str", 0, [], 0, False, False),
    ("mbpp", "check_str", 0, [], False, False, True),
]


@pytest.mark.parametrize(("dataset", "entry", "atol", "args", "output", "expected", "passes"), PLUS)
def test_when_evalplus_takes_an_output(
    dataset: str, entry: str, atol: float, args: list[Any], output: Any, expected: Any, passes: bool
) -> None:
    assert Rules(dataset, entry, atol).same(args, output, expected) is passes


def test_a_tolerance_that_floats_have_set_stays() -> None:
    rules = Rules("humaneval", "f", 0)
    assert not rules.same([], [0.30000001, 1], [0.3, 1])
    assert rules.same([], 0.5, 0.5)
    assert rules.same([], [0.30000001, 1], [0.3, 1])


TEXTS = [
    ("3\n", "3", True),
    ("  3  \n\n", "3\n", True),
    ("1 2", "1  2", True),  # as rows of numbers
    ("1.0", "1", True),
    ("1e1", "10", True),
    ("a b", "a  b", False),
    ("1\n2", "1 2", False),
    ("1\n\n2", "1\n2", False),
    ("0.1", "0.10000000000000001", False),
    ("nan", "nan", True),
    ("NaN", "nan", False),
    ("", "", True),
    ("", "0", False),
    ("YES", "yes", False),
]


@pytest.mark.parametrize(("printed", "expected", "same"), TEXTS)
def test_when_livecodebench_takes_what_is_printed(printed: str, expected: str, same: bool) -> None:
    assert same_text(printed, expected) is same


def test_when_livecodebench_takes_what_is_returned() -> None:
    assert same_result((1, 2), [1, 2])
    assert same_result(1, True)
    assert not same_result([(1,)], [[1]])
    assert not same_result(0.1 + 0.2, 0.3)
    assert not same_text(None, "None")


class Evil:
    def __reduce__(self) -> Any:
        return (os.mkdir, ("unpickled",))


def test_packed_tests_are_texts_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    test = {"input": "1", "output": "2", "testtype": "stdin"}

    def packed(obj: Any) -> str:
        return base64.b64encode(zlib.compress(pickle.dumps(obj))).decode()

    assert read_tests(packed(json.dumps([test])), "tests") == [test]
    assert read_tests(json.dumps([test]), "tests") == [test]
    torn = packed(json.dumps([test]))[:-8]
    for bad in (packed(Evil()), packed([test]), packed("nonsense"), torn, "!!", packed(json.dumps([{"input": "1"}]))):
        with pytest.raises(UsageError, match="tests"):
            read_tests(bad, "tests")
    assert list(tmp_path.iterdir()) == []


def test_imports_that_a_program_of_the_execution_task_relies_on() -> None:
    source = (
        "import math\ndef f(a: List[int], gcd):\n    d = defaultdict(int)\n    return gcd, Counter(a), math.pi, inf\n"
    )
    lines = missing_imports(source).splitlines()
    assert lines == [
        "from collections import Counter",
        "from typing import List",
        "from collections import defaultdict",
        "from math import inf",
    ]
    exec("\n".join(lines), {})
    assert missing_imports("def f(x):\n    return sorted(x)") == ""


def test_arguments_that_json_cannot_hold_are_restored() -> None:
    def restored(number: str, args: list[Any]) -> Any:
        return DATASET.inputs({"task_id": f"Mbpp/{number}", "base_input": [args]}, "base_input")[0]

    assert restored("2", [[1, 2], [3]]) == [(1, 2), (3,)]
    assert restored("63", [[[1, 2]]]) == [[(1, 2)]]
    assert restored("115", [[[1, 1], [], 3]]) == [[{1}, {}, {}]]
    assert restored("124", ["0", "1j"]) == [0.0, 1j]
    assert restored("278", [[1, [2, 3]]]) == [(1, (2, 3))]
    assert restored("307", [[1], 2, 3]) == [(1,), 2, 3]
    assert restored("722", [{"a": [1, 2]}, 3]) == [{"a": (1, 2)}, 3]
    assert restored("580", [[1, [2, [3]]]]) == [(1, (2, (3,)))]
    assert restored("999", [[1]]) == [[1]]


def test_which_lambdas_may_meet_a_program() -> None:
    import ast

    def pure(text: str) -> bool:
        return is_pure(ast.parse(text, mode="eval").body)

    for text in ("lambda x: x < 2", "lambda: [1, 2][0]", "lambda a, b=2: max(a.items(), key=lambda k: k[1])"):
        assert pure(text), text
    for text in ("1", "lambda x: y", "lambda x: x.__class__", "lambda x: open(x)", "lambda x: '{}'.format(x)"):
        assert not pure(text), text


ROW = {
    "task_id": "Own/1",
    "prompt": "def f(x):\n",
    "canonical_solution": "    return x\n",
    "entry_point": "f",
    "base_input": [[1]],
    "plus_input": [],
}


def test_where_a_benchmark_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "HumanEvalPlus-own.jsonl"
    file.write_text(json.dumps(ROW) + "\n")
    (tmp_path / "other.jsonl").write_text('{"not": "this one"}\n')
    found = benchmark("humaneval-plus")
    assert [task.id for task in found.load(str(tmp_path))] == ["Own/1"], "the file of that name, in a folder of many"
    monkeypatch.setenv("HUMANEVAL_OVERRIDE_PATH", str(file))
    assert found.load() == found.load(str(file))
    with pytest.raises(InputError, match=r"other\.jsonl:1: "):
        found.load(str(tmp_path / "other.jsonl"))


def test_a_reference_that_fails_judges_nobody(tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_text(json.dumps({**ROW, "canonical_solution": "    return x / 0\n"}) + "\n")
    found = benchmark("humaneval-plus")
    task = found.load(str(file))[0]
    [(place, score)] = found.score([(task, "    return 1\n")])
    assert (place, score.passed) == (0, None)
    assert "reference" in score.reason


def test_data_sets_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    from semcoder.tables import Row

    asked: list[tuple[Any, ...]] = []

    def rows(*given: Any) -> Any:
        asked.append(given)
        return iter(
            [Row("x:test", 1, {"task_id": 1, "text": "t", "code": "def f(): pass", "test_list": ["assert f()"]})]
        )

    monkeypatch.setattr("semcoder.benchmarks._rows.hub_rows", rows)
    assert [task.id for task in benchmark("mbpp").load()] == ["1"]
    benchmark("mbpp").load("hub:own/copy")
    assert asked == [("google-research-datasets/mbpp", "test", "full"), ("own/copy", "test", None)]

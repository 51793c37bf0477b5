"""What every benchmark offers, one test over all of them: adding one touches its file, and `ROWS` here."""

from __future__ import annotations

import base64
import gzip
import json
import os
import pickle
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from semcoder.benchmarks import Benchmark, Task, WithCases, benchmark, benchmarks
from semcoder.core import Score
from semcoder.errors import InputError, UsageError
from semcoder.prompts import load_profile
from semcoder.sandbox import Checkers

DATA = Path(os.environ.get("SEMCODER_DATA", Path(__file__).parents[3] / "shared" / "data"))
PROFILE = load_profile()

HUMANEVAL = {
    "task_id": "Own/0",
    "entry_point": "halves",
    "prompt": 'from typing import List\n\n\ndef halves(xs: List[int]) -> List[float]:\n    """Half of each number.\n'
    '    >>> halves([1, 4])\n    [0.5, 2.0]\n    """\n',
    "canonical_solution": "    return [x / 2 for x in xs]\n",
    "test": "\n\nMETADATA = {}\n\n\ndef check(candidate):\n    assert candidate([1, 4]) == [0.5, 2.0]\n    assert candidate([]) == []\n",
}
CRUXEVAL = [
    {"id": "own_0", "code": "def f(xs):\n    return xs[::-1] + [len(xs)]", "input": "[1, 2]", "output": "[2, 1, 2]"},
    {
        "id": "own_1",
        "code": "import math\nK = [3]\ndef f(k, g):\n    return g(math.sqrt(k[0] + 1))",
        "input": "K, lambda x: int(x) * 2",
        "output": "4",
    },
    {
        "id": "own_2",
        "code": "def f(text, n=2):\n    return {c: n for c in text}",
        "input": "'aab', n=3",
        "output": "{'a': 3, 'b': 3}",
    },
]
SCRIPT = """
import numpy as np

def is_floats(x):
    return isinstance(x, float)

def assertion(out, exp, atol):
    exact_match = out == exp
    if not exact_match and (atol or is_floats(exp)):
        assert np.allclose(out, exp, rtol=1e-07, atol=atol or 1e-6)
    else:
        assert exact_match
"""


def packed(tests: Any) -> str:
    """As LiveCodeBench stores its private tests."""
    return base64.b64encode(zlib.compress(pickle.dumps(json.dumps(tests)))).decode()


def contest(name: str, private: Any, function: str = "") -> dict[str, Any]:
    return {
        "question_id": name,
        "question_content": "Add two numbers.",
        "starter_code": "class Solution:\n    def add(self, a: int, b: int) -> int:\n        " if function else "",
        "public_test_cases": json.dumps([private[0]]),
        "private_test_cases": packed(private[1:]) if len(private) > 2 else json.dumps(private[1:]),
        "metadata": json.dumps({"func_name": function} if function else {}),
    }


def cases_of(kind: str, *cases: tuple[str, str]) -> list[dict[str, str]]:
    return [{"input": given, "output": wanted, "testtype": kind} for given, wanted in cases]


def described(name: str, source: str, *cases: tuple[str, str]) -> dict[str, Any]:
    """A row of a build that has its cases with it."""
    entry, shown = "own", [f"assert {call} == {output}" for call, output in cases[:1]]
    return {
        "id": name,
        "nl": PROFILE.nl(f"{entry}(x)", "What it does.", cases[:1]),
        "response": f"```python\n{source}\n```",
        "program": {"source": source, "entry": entry},
        "cases": [{"call": call, "output": output} for call, output in cases],
        "shown": shown,
    }


#: Small data of our own in each benchmark's published form: rows of a JSONL file.
ROWS: dict[str, list[dict[str, Any]]] = {
    "cruxeval-o": CRUXEVAL,
    "cruxeval-i": CRUXEVAL,
    "humaneval": [HUMANEVAL],
    "mbpp": [
        {
            "task_id": 3,
            "text": "Write a function to double a number.",
            "code": "def double(n):\r\n    return n * 2",
            "test_setup_code": "",
            "test_list": ["assert double(2) == 4", "assert double(-1) == -2"],
            "challenge_test_list": [],
        },
        {  # the sanitized form
            "task_id": 4,
            "prompt": "Write a function that gives the square root of a number's node.",
            "code": "import math\nclass Node:\n    def __init__(self, n):\n        self.n = n\ndef root(node):\n    return math.sqrt(node.n)",
            "test_imports": ["import math"],
            "test_setup_code": "nine = Node(9)",
            "test_list": ["assert math.isclose(root(nine), 3.0, rel_tol=1e-6)"],
        },
    ],
    "humaneval-plus": [
        {
            **{key: HUMANEVAL[key] for key in ("task_id", "entry_point", "prompt", "canonical_solution")},
            "contract": "assert True",
            "base_input": [[[1, 4]], [[]]],
            "plus_input": [[[0.1, 1e300]], [[3] * 50]] + [[[n]] for n in range(1200)],
            "atol": 0,
        },
        {  # the form of the hub
            **HUMANEVAL,
            "task_id": "Own/1",
            "test": SCRIPT + "def check(candidate):\n    for inp, exp in zip([[[1, 4]], [[]]], [[0.5, 2.0], []]):\n"
            "        assertion(candidate(*inp), exp, 0)\n",
        },
    ],
    "mbpp-plus": [
        {
            "task_id": "Mbpp/2",
            "entry_point": "similar_elements",
            "prompt": '"""\nWrite a function to find what two tuples share.\nassert True\n"""\n',
            "canonical_solution": "\ndef similar_elements(a, b):\n    return tuple(set(a) & set(b))\n",
            "contract": "",
            "base_input": [[[1, 2], [2, 3]]],
            "plus_input": [[[], []], [[5, "x"], ["x", 5]]],
            "atol": 0,
        },
        {
            "task_id": "Mbpp/252",
            "entry_point": "convert",
            "prompt": '"""\nWrite a function to give polar coordinates.\n"""\n',
            "canonical_solution": "\nimport cmath\ndef convert(z):\n    return cmath.polar(z)\n",
            "contract": "",
            "base_input": [["(1+2j)"]],
            "plus_input": [["3j"], ["(-1-0j)"]],
            "atol": 0,
        },
        {
            "task_id": "Mbpp/794",
            "entry_point": "text_starta_endb",
            "prompt": '"""\nWrite a function that matches an a ... b.\n"""\n',
            "canonical_solution": "\nimport re\ndef text_starta_endb(text):\n    return re.match('a.*b$', text)\n",
            "contract": "",
            "base_input": [["ab"], ["ba"]],
            "plus_input": [["axxb"]],
            "atol": 0,
        },
        {  # the form of the hub
            "task_id": 5,
            "code": "def third(n):\n    return n / 3",
            "prompt": "Write a function that gives a third.",
            "test_imports": [],
            "test_list": ["assert third(3) == 1"],
            "test": SCRIPT
            + "for inp, exp in zip([[3], [1]], [1.0, 0.333333333]):\n    assertion(third(*inp), exp, 0)\n",
        },
    ],
    "livecodebench-generation": [
        contest("own_a", cases_of("stdin", ("1 2\n", "3\n"), ("4 5\n", "9"), ("0 0\n", "0\n\n"))),
        contest("own_b", cases_of("functional", ("1\n2", "3"), ("4\n[5]", "[9, 1]")), "add"),
    ],
    "pyx": [
        described("a", "def own(x):\n    return x * 2\n", ("own(2)", "4"), ("own('a')", "'aa'"), ("own([])", "[]")),
        # a case with a nan says nothing of equality, and a set has no literal when it is empty
        described("b", "def own(x):\n    return set(x)\n", ("own([])", "set()"), ("own([2, 2])", "{2}"))
        | {"cases": [{"call": "own([])", "output": "set()"}, {"call": "own('n')", "output": "{float('nan')}"}]}
        | {"nl": PROFILE.nl("own(x)", "A set.", [("own('n')", "{float('nan')}"), ("own([])", "set()")])},
    ],
    "livecodebench-execution": [
        {
            "id": "sample_0",
            "question_id": 1,
            "function_name": "add",
            "code": "def add(a: int, b: List[int]) -> int:\n    return a + b[0]",
            "input": "add(a = 1, b = [2])",
            "output": "3",
        },
        {
            "id": "sample_1",
            "question_id": 1,
            "function_name": "add",
            "code": "def add(a):\n    return Counter(a)",
            "input": "add('aab')",
            "output": "{'a': 2, 'b': 1}",
        },
    ],
}
#: Tasks of the real data whose reference solution does not pass, or whose wrong answer is not wrong, and why.
EXCEPTIONS: dict[str, dict[str, str]] = {}
#: Files of the real data by benchmark, and how many tasks they hold.
FILES = {
    "cruxeval-o": ("cruxeval_dev.jsonl", 400),
    "cruxeval-i": ("cruxeval_dev.jsonl", 400),
    "humaneval": ("HumanEval.jsonl.gz", 164),
    "mbpp": ("mbpp_dev.jsonl", 474),
}


def written(folder: Path, name: str) -> Path:
    path = folder / f"{name}.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in ROWS[name]))
    return path


def scores(found: Benchmark, answers: Sequence[tuple[Task, str]]) -> list[Score]:
    told = dict(found.score(answers, workers=2))
    assert sorted(told) == list(range(len(answers))), "one score for each answer"
    return [told[place] for place in range(len(answers))]


def check_contract(found: Benchmark, tasks: list[Task]) -> None:
    excused = EXCEPTIONS.get(found.name, {})
    judged = [task for task in tasks if task.id not in excused]
    gold = scores(found, [(task, found.gold(task)) for task in judged])
    assert [(task.id, score) for task, score in zip(judged, gold, strict=True) if score != Score(True)] == []
    wrong = scores(found, [(task, found.wrong(task)) for task in judged])
    assert [(task.id, score) for task, score in zip(judged, wrong, strict=True) if score.passed is not False] == []
    assert all(score.reason for score in wrong)


def test_every_benchmark_has_rows_here() -> None:
    assert sorted(ROWS) == list(benchmarks())


@pytest.mark.parametrize("name", benchmarks())
def test_the_contract(name: str, tmp_path: Path) -> None:
    found = benchmark(name)
    path = written(tmp_path, name)
    tasks = found.load(str(path))
    assert len(tasks) == len(ROWS[name]) == len({task.id for task in tasks})
    assert tasks == found.load(str(path)) == found.load(str(tmp_path)), "the order is that of the file"
    packed = tmp_path / "packed.jsonl.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    assert found.load(str(packed)) == tasks
    assert found.about
    assert found.asks in ("code", "output", "input")
    for task in tasks:
        assert found.instruction(task, PROFILE).strip()
        assert (found.question(task) is None) == (found.asks == "code")
    check_contract(found, tasks)


@pytest.mark.parametrize("name", benchmarks())
def test_answers_come_back_out_of_texts(name: str, tmp_path: Path) -> None:
    """An answer in the profile's marks, bare or fenced, is scored as the answer itself."""
    found = benchmark(name)
    tasks = found.load(str(written(tmp_path, name)))
    rows = []
    for task in tasks:
        gold = found.gold(task)
        shapes = [gold, f"```python\n{gold}\n```"]
        if found.asks != "code":
            question = found.question(task)
            assert question is not None
            call, output = question.call or gold, task.row["output"]
            shapes = [f"assert {call} == {output}", f"`{gold}`", *shapes]
        for shape in shapes:
            rows += [(task, found.answer(task, PROFILE.response(mono, shape), PROFILE)) for mono in ("", "Think.")]
        assert found.answer(task, "no answer at all", PROFILE) == ""
    assert {score.passed for score in scores(found, rows)} == {True}


@pytest.mark.parametrize("name", benchmarks())
def test_generations_in_the_forms_of_the_tools(name: str, tmp_path: Path) -> None:
    found = benchmark(name)
    tasks = found.load(str(written(tmp_path, name)))
    wanted = {task.id: [found.gold(task), found.wrong(task)] for task in tasks}
    path = tmp_path / "generations.json"
    for doc in (wanted, {"raw_generations": wanted, "pass_at_1": 3}, list(wanted.values())):
        path.write_text(json.dumps(doc))
        assert found.generations(path, tasks) == wanted
    lines = tmp_path / "samples.jsonl"
    for field in ("completion", "solution"):
        rows = [{"task_id": task, field: answer} for task, answers in wanted.items() for answer in answers]
        lines.write_text("".join(json.dumps(row) + "\n" for row in rows))
        assert found.generations(lines, tasks) == wanted
    for bad in ('{"else": ["x"]}', "[1]", json.dumps({tasks[0].id: [1]}), "nonsense", '[{"id": "x"}]', "[]"):
        path.write_text(bad)
        with pytest.raises(InputError):
            found.generations(path, tasks)


@pytest.mark.parametrize("name", benchmarks())
def test_rows_that_are_no_tasks_are_named(name: str, tmp_path: Path) -> None:
    found = benchmark(name)
    good = ROWS[name][0]
    path = tmp_path / "rows.jsonl"
    with pytest.raises(UsageError, match="no file or folder"):
        found.load(str(path))
    broken = [{}, {**good, "canonical_solution": 3, "code": 3, "question_content": 3}]
    for row in broken:
        path.write_text(f"{json.dumps(good)}\n{json.dumps(row)}\n")
        with pytest.raises(InputError, match=r"rows\.jsonl:2: "):
            found.load(str(path))
    path.write_text(f"{json.dumps(good)}\n" * 2)
    with pytest.raises(InputError, match="twice"):
        found.load(str(path))


# -- tests one by one


def opened(name: str) -> WithCases:
    found = benchmark(name)
    assert isinstance(found, WithCases)
    return found


CASED = [name for name in benchmarks() if isinstance(benchmark(name), WithCases)]


def judged(found: WithCases, tasks: Sequence[Task], which: str, answer: str) -> dict[tuple[str, str], Score]:
    """The verdict of each of the tests on the tasks' answers of a kind, by task and text."""
    units = [(task, case) for task in tasks for case in getattr(found, which)(task)]
    checks = [found.check(task, getattr(found, answer)(task), case) for task, case in units]
    with Checkers(2) as checkers:
        scores = dict(checkers.run(checks))
    return {(task.id, case.text): scores[place] for place, (task, case) in enumerate(units)}


def test_benchmarks_of_programs_have_tests_one_by_one() -> None:
    assert CASED == ["humaneval", "humaneval-plus", "mbpp", "mbpp-plus", "pyx"]


@pytest.mark.parametrize("name", CASED)
def test_each_test_alone_judges_as_all_together(name: str, tmp_path: Path) -> None:
    found = opened(name)
    tasks = found.load(str(written(tmp_path, name)))
    for which in ("own", "shown"):
        assert set(judged(found, tasks, which, "gold").values()) <= {Score(True)}
        wrong = judged(found, tasks, which, "wrong")
        assert {score.passed for score in wrong.values()} <= {False}
    assert any(found.shown(task) for task in tasks)
    if name.endswith("-plus"):
        assert not any(found.own(task) for task in tasks), "their tests are inputs, and cannot be shown"
    else:
        assert all(found.own(task) for task in tasks)
    for task in tasks:
        assert found.program(task, found.gold(task)), "the gold answer is a program"
        assert found.program(task, "") == found.program(task, "I do not know.") == ""
        for case in found.shown(task):
            assert (case.call in case.text, case.call in found.instruction(task, PROFILE)) == (True, True)


def test_a_builds_folder_has_the_cases_beside_the_rows(tmp_path: Path) -> None:
    row, cases = ROWS["pyx"][0], ROWS["pyx"][0]["cases"]
    (tmp_path / "rows").mkdir()
    bare = {key: value for key, value in row.items() if key != "cases"}
    (tmp_path / "rows" / "nl-00000.jsonl").write_text(json.dumps({**bare, "call": "own(2)", "output": "4"}) + "\n")
    (tmp_path / "rows" / "forward-00000.jsonl").write_text("{}\n")
    found = opened("pyx")
    (alone,) = found.load(str(tmp_path))
    assert [case.text for case in found.own(alone)] == ["assert own(2) == 4"]
    (tmp_path / "programs.jsonl").write_text(json.dumps({"program": row["program"], "cases": cases}) + "\n")
    (task,) = found.load(str(tmp_path))
    assert [case.call for case in found.own(task)] == [case["call"] for case in cases]
    with pytest.raises(UsageError, match="--data"):
        found.load()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"nl": " "}, "nl is empty"),
        ({"program": "x"}, "program must be an object"),
        ({"cases": "x"}, "cases must be a list"),
        ({"cases": [{"call": 1, "output": "1"}]}, "texts call and output"),
        ({"cases": [{"call": "own(1)", "output": "float('nan')"}]}, "no case"),
    ],
)
def test_rows_that_are_no_problems(change: dict[str, Any], message: str, tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text(json.dumps({**ROWS["pyx"][0], **change}) + "\n")
    with pytest.raises(InputError, match=rf"rows\.jsonl:1: .*{message}"):
        benchmark("pyx").load(str(path))


#: Examples in the documentation of HumanEval that its reference solutions contradict.
MISTAKEN = {"HumanEval/47", "HumanEval/116", "HumanEval/148"}


@pytest.mark.slow
def test_the_published_tests_one_by_one() -> None:
    if not (DATA / "HumanEval.jsonl.gz").exists():
        pytest.skip("set SEMCODER_DATA to the folder with the benchmark files")
    found = opened("humaneval")
    tasks = found.load(str(DATA))
    assert set(judged(found, tasks, "own", "gold").values()) == {Score(True)}
    shown = judged(found, tasks, "shown", "gold")
    assert {task for (task, _), score in shown.items() if score.passed is not True} == MISTAKEN
    assert len({task for task, _ in shown}) == 132
    assert all(found.own(task) for task in tasks)


def test_a_benchmark_that_there_is_not() -> None:
    with pytest.raises(UsageError, match="there are: cruxeval-i, cruxeval-o"):
        benchmark("nothing")


@pytest.mark.parametrize("name", FILES)
def test_the_published_data(name: str) -> None:
    file, count = FILES[name]
    if not (DATA / file).exists():
        pytest.skip(f"{DATA / file} is not there; set SEMCODER_DATA to the folder with the benchmark files")
    found = benchmark(name)
    tasks = found.load(str(DATA))
    assert len(tasks) == count
    assert all(found.instruction(task, PROFILE) for task in tasks)
    check_contract(found, tasks)

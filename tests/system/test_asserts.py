"""Assert-style tests: the candidate is a stub on the test's side, and what it sends is data."""

from __future__ import annotations

import ast
import decimal
import gzip
import json
import random
import sys
import textwrap
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from semcoder.core import Score
from semcoder.sandbox import Check, Checkers, Job, Limits, Sandbox, answers, asserts
from semcoder.sandbox.checker import judge

LIMITS = Limits(cpu_s=0.5, wall_s=2.0)
DATA = Path(__file__).parents[3] / "shared" / "data"
needs_data = pytest.mark.skipif(not DATA.exists(), reason="benchmark data (shared/data) are not here")


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(workers=2) as pool:
        yield pool


@pytest.fixture(scope="module")
def checkers() -> Iterator[Checkers]:
    with Checkers(2) as pool:
        yield pool


def check(source: str, tests: str, *, entry: str = "f", context: str = "", trusted: bool = True) -> Check:
    return Check(textwrap.dedent(source), textwrap.dedent(tests), entry, context, LIMITS, trusted)


def passed(pool: Checkers, rows: list[Check]) -> list[int]:
    """Places of the checks that did not pass."""
    return sorted(place for place, score in pool.run(rows) if score.passed is not True)


# Benchmarks -------------------------------------------------------------------------------------------------------------


@needs_data
def test_every_humaneval_solution_passes_its_tests(checkers: Checkers) -> None:
    with gzip.open(DATA / "HumanEval.jsonl.gz", "rt") as file:
        rows = [json.loads(line) for line in file]
    checks, wrong = [], []
    for row in rows:
        tree = ast.parse(row["prompt"])
        tree.body = [node for node in tree.body if getattr(node, "name", None) != row["entry_point"]]
        tests = f"{row['test']}\ncheck({row['entry_point']})\n"
        checks.append(Check(row["prompt"] + row["canonical_solution"], tests, row["entry_point"], ast.unparse(tree)))
        wrong.append(Check(row["prompt"] + "    pass\n", tests, row["entry_point"], ast.unparse(tree)))
    assert len(checks) == 164
    assert passed(checkers, checks) == []
    assert len(passed(checkers, wrong)) == 164, "a function that does nothing passes"


@needs_data
@pytest.mark.filterwarnings("ignore:invalid escape sequence")
def test_every_mbpp_solution_passes_its_tests(checkers: Checkers) -> None:
    rows = [json.loads(line) for line in (DATA / "mbpp_dev.jsonl").open()]
    checks = []
    for row in rows:
        defined = {node.name for node in ast.parse(row["code"]).body if isinstance(node, ast.FunctionDef)}
        called = [node.id for node in ast.walk(ast.parse(row["test_list"][0])) if isinstance(node, ast.Name)]
        tests = [row["test_setup_code"], *row["test_list"], *row["challenge_test_list"]]
        checks.append(Check(row["code"], "\n".join(tests), next(name for name in called if name in defined)))
    assert len(checks) == 474
    assert passed(checkers, checks) == []


# Verdicts ---------------------------------------------------------------------------------------------------------------

RIGHT = "def f(x): return [x, x + 1]"
TESTS = "assert f(1) == [1, 2]\nassert f(5) == [5, 6]\n"
NOT_RIGHT = {
    "wrong": "def f(x): return [x, x]",
    "wrong once": "def f(x): return [x, x + (x < 3)]",
    "raises": "def f(x): raise ValueError('no')",
    "does not parse": "def f(x) return",
    "has no such function": "def g(x): return [x, x + 1]",
    "raises at module level": "raise RuntimeError('no')\ndef f(x): return [x, x + 1]",
    "leaves": "import sys\ndef f(x): sys.exit(0)",
    "leaves hard": "import os\ndef f(x): os._exit(0)",
    "loops": "def f(x):\n    while True: pass",
    "sleeps": "import time\ndef f(x): time.sleep(60)",
    "eats memory": "def f(x): return [0] * 10**10",
    "equals everything": "class E:\n    def __eq__(self, o): return True\ndef f(x): return E()",
    "is a list that equals everything": "class E(list):\n    def __eq__(self, o): return True\ndef f(x): return E()",
    "is an int that equals everything": "class E(int):\n    def __eq__(self, o): return True\ndef f(x): return E()",
    "patches builtins": "import builtins\nbuiltins.AssertionError = Exception\ndef f(x): return 0",
    "forges a placeholder": "import os, json\ndef f(x):\n    d = json.dumps({'item': 0, 'status': 'returned', 'detail': '',"
    " 'usage': [0, 0, 0], 'data': {'status': 'returned', 'anything': True}}).encode()\n"
    "    os.write(3, len(d).to_bytes(4, 'big') + d)\n    os._exit(0)",
    "forges a handle": "import os, json\ndef f(x):\n    d = json.dumps({'item': 0, 'status': 'returned', 'detail': '',"
    " 'usage': [0, 0, 0], 'data': {'status': 'returned', 'handle': 0}}).encode()\n"
    "    os.write(3, len(d).to_bytes(4, 'big') + d)\n    os._exit(0)",
    "raises what the test would": "def f(x): raise AssertionError",
}


@pytest.mark.parametrize("trusted", [True, False], ids=["trusted tests", "tests apart"])
def test_only_what_is_right_passes(checkers: Checkers, trusted: bool) -> None:
    rows = [check(source, TESTS, trusted=trusted) for source in [*NOT_RIGHT.values(), RIGHT]]
    scores = dict(checkers.run(rows))
    found = {name: scores[place] for place, name in enumerate(NOT_RIGHT)}
    assert {name: score.passed for name, score in found.items()} == dict.fromkeys(NOT_RIGHT, False)
    assert all(score.reason for score in found.values())
    assert scores[len(NOT_RIGHT)] == Score(True)
    assert found["loops"].reason.startswith("timeout: ")
    assert found["eats memory"].reason.startswith("memory: ") or "MemoryError" in found["eats memory"].reason


FORGED_DOCUMENTS = [
    {"status": "passed"},
    {"status": "failed"},
    {"status": "bad tests"},
    {"status": "sandbox_failed"},
    {"status": ""},
    {"status": 0},
    {"status": None},
    {"status": []},
    {},
    {"passed": True},
    {"status": "returned"},
    {"status": "returned", "anything": True},
    {"status": "returned", "handle": 0},
    {"status": "raised"},
    {"status": "raised", "exception": {"type": "StopIteration", "bases": ["StopIteration"]}},
    {"status": "raised", "exception": {"type": "Diverged", "bases": ["BaseException"]}},
    {
        "status": "returned",
        "value": {"ref": [0], "nodes": [["set", 0, *[["i", hex(k * (2**61 - 1))] for k in range(9999)]]]},
    },
]


@pytest.mark.parametrize("trusted", [True, False], ids=["trusted tests", "tests apart"])
def test_no_document_that_a_process_sends_is_a_pass(checkers: Checkers, trusted: bool) -> None:
    rows = []
    for document in FORGED_DOCUMENTS:
        reply = {"item": 0, "status": "returned", "detail": "", "usage": [0, 0, 0], "data": document}
        body = json.dumps(reply)
        source = f"import os\ndef f(x):\n    d = {body!r}.encode()\n    os.write(3, len(d).to_bytes(4, 'big') + d)\n    os._exit(0)"
        rows.append(check(source, TESTS, trusted=trusted))
    assert [score.passed for _, score in sorted(checkers.run(rows), key=lambda pair: pair[0])] == [False] * len(rows)


SLY = {
    "ends the loop of the tests": (
        "def f(x): raise StopIteration",
        "assert all(map(lambda c: f(c[0]) == c[1], [(1, 2), (2, 3)]))",
    ),
    "ends a zip of the tests": (
        "def f(x): raise StopIteration",
        "for got, want in zip(map(f, [1, 2]), [5, 6]): assert got == want",
    ),
    "dies where the tests catch everything": (
        "import os\ndef f(x):\n    if x < 0: os._exit(0)\n    return x",
        "try: f(-1)\nexcept: pass\nassert f(1) == 1",
    ),
    "answers another question": (
        "def f(x): return {1: 5, 2: 7, 3: 8, 9: 2}[x]",
        "def g(x):\n    try: return f(x)\n    except: return None\nassert g(1) == 5\nassert g(g(1) + 4) == 7\nassert g(2) == 8",
    ),
    "dies in the message": (
        "import os\nclass A:\n    def __str__(self): os._exit(0)\n    __repr__ = __str__\ndef f(x): return A()",
        "x = f(1)\nassert x == 3, x",
    ),
    "tells numpy where to read": (
        "class A:\n    __array_interface__ = {'data': (8, False), 'shape': (100,), 'typestr': '<i8', 'version': 3}\ndef f(x): return A()",
        "x = f(1)\nassert not hasattr(x, '__array_interface__')\nassert x == 3",
    ),
    "brings a module of its own": (
        "class sys:\n    getsizeof = staticmethod(lambda x: 0)\ndef f(x): return 0",
        "assert f((1, 2)) == sys.getsizeof((1, 2))",
    ),
    "never stops giving": ("def f(n):\n    while True: yield n", "for x in f(3): assert x == 3"),
    "never says no": ("def f(n): return True", "while f(1): pass"),
    "gives too much": ("def f(n):\n    while True: yield 'x' * 4_000_000", "assert list(f(1)) == [2]"),
}


@pytest.mark.parametrize("trusted", [True, False], ids=["trusted tests", "tests apart"])
@pytest.mark.parametrize("name", SLY)
def test_sly_candidates(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, name: str, trusted: bool) -> None:
    monkeypatch.setattr("semcoder.sandbox.checker.MAX_ANSWERS", 2000)
    monkeypatch.setattr("semcoder.sandbox.checker.TEST_CPU_S", 2.0)
    score = judge(sandbox, check(*SLY[name], trusted=trusted))
    assert score.passed is False, score
    assert score.reason


NOT_JUDGED = {
    "do not parse": "assert f(1) ==",
    "are wrong by themselves": "1 / 0",
    "raise what none may": "raise SystemExit",
    "say nothing": "",
    "never call the program": "def check(candidate):\n    assert candidate(1) == 0\n",
    "give what cannot be copied": "f(1)\nassert f(lambda x: x) == 1",
}


@pytest.mark.parametrize("tests", NOT_JUDGED.values(), ids=NOT_JUDGED)
def test_tests_that_cannot_judge_say_nothing_of_the_candidate(sandbox: Sandbox, tests: str) -> None:
    for trusted in (True, False):
        score = judge(sandbox, check(RIGHT, tests, trusted=trusted))
        assert score.passed is None
        assert score.reason


def test_one_test_leaves_nothing_to_the_next(sandbox: Sandbox) -> None:
    state = random.getstate()
    tests = "import decimal, sys\nsys.setrecursionlimit(200)\ndecimal.getcontext().prec = 3\n" + TESTS
    assert judge(sandbox, check(RIGHT, tests)) == Score(True)
    assert random.getstate() == state
    assert (sys.getrecursionlimit(), decimal.getcontext().prec) == (1000, 28)


def test_tests_that_never_end(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("semcoder.sandbox.checker.TEST_CPU_S", 0.2)
    for trusted in (True, False):
        assert judge(sandbox, check(RIGHT, "while True: pass", trusted=trusted)).passed is None


def test_a_hostile_test_stays_in_its_process(sandbox: Sandbox, tmp_path: Path) -> None:
    for line in (f"open({str(tmp_path / 'x')!r}, 'w')", "import os; os._exit(0)", "import os; os.write(3, b'spam')"):
        assert judge(sandbox, check(RIGHT, f"{line}\n{TESTS}", trusted=False)).passed is not True
    assert list(tmp_path.iterdir()) == []
    assert judge(sandbox, check(RIGHT, TESTS, trusted=False)) == Score(True)


# What tests do ----------------------------------------------------------------------------------------------------------

PASSING = {
    "copies of arguments": (
        "def f(xs): xs.append(1); return xs",
        "xs = [0]\nassert f(xs) == [0, 1]\nassert xs == [0]",
    ),
    "state from call to call": (
        "n = 0\ndef f():\n    global n\n    n += 1\n    return n",
        "assert [f(), f(), f()] == [1, 2, 3]",
    ),
    "exceptions by name": (
        "def f(x): raise KeyError('k')",
        "try:\n    f(1)\nexcept KeyError as e:\n    assert 'k' in str(e)\nelse:\n    assert False",
    ),
    "exceptions of its own, derived": (
        "class Own(ValueError): pass\ndef f(x): raise Own('mine')",
        "try:\n    f(1)\nexcept ValueError as e:\n    assert type(e).__name__ == 'Own'\n    assert str(e) == 'mine'\nelse:\n    assert False",
    ),
    "arguments of exceptions": (
        "def f(x): raise KeyError('k', 2)",
        "try:\n    f(1)\nexcept KeyError as e:\n    assert e.args == ('k', 2)\nelse:\n    assert False",
    ),
    "names from a star": ("def f(x): return x ** 0.5", "from math import *\nassert f(4) == sqrt(4)"),
    "divergence that is caught": (
        "def f(x): return {1: 5, 2: 7, 9: 2}.get(x)",
        "def g(x):\n    try: return f(x)\n    except: return None\nassert g(1) == 5\nassert g(g(1) + 4) == 2\nassert g(2) == 7",
    ),
    "data classes in the tests": (
        "def f(x): return x",
        "from __future__ import annotations\nfrom dataclasses import dataclass\n@dataclass\nclass P:\n    x: int\nassert f(P(1).x) == 1",
    ),
    "exceptions of its own": (
        "class Own(Exception): pass\ndef f(x): raise Own('mine')",
        "try:\n    f(1)\nexcept Exception as e:\n    assert (type(e).__name__, str(e)) == ('Own', 'mine')\nelse:\n    assert False",
    ),
    "dicts of all kinds": (
        "import collections\ndef f(x): return collections.Counter(x), collections.OrderedDict(a=1)",
        "assert f('aab') == ({'a': 2, 'b': 1}, {'a': 1})",
    ),
    "exact numbers": (
        "def f(x): return x",
        "for x in (0.1, -0.0, 1e308, 10**400, 1j, True):\n    assert repr(f(x)) == repr(x)",
    ),
    "a generator": (
        "def f(n):\n    while True:\n        yield n\n        n += 1",
        "it = f(3)\nassert [next(it), next(it)] == [3, 4]",
    ),
    "a class of the candidate": (
        "class P:\n    def __init__(self, x): self.x = x\n    def twice(self): return 2 * self.x\ndef f(p): return p.x",
        "p = P(4)\np.x = 5\nassert f(p) == 5\nassert p.twice() == 10\nassert f(P(1)) == 1",
    ),
    "a constant of the candidate": ("LIMIT = 3\ndef f(): return LIMIT", "assert f() == LIMIT == 3"),
    "a function as a result": ("def f(n): return lambda x: x + n", "assert f(2)(3) == 5"),
    "helpers in the tests": (
        "def f(x): return x * 2",
        "import math\ndef close(a, b): return math.fabs(a - b) < 1e-9\nassert close(f(0.5), 1.0)",
    ),
    "arguments made from answers": ("def f(x): return x + 1", "assert f(f(f(1))) == 4"),
    "random arguments": (
        "def f(xs): return sorted(xs)",
        "import random\nfor _ in range(20):\n    xs = [random.randint(0, 9) for _ in range(5)]\n    assert f(xs) == sorted(xs)",
    ),
    "what it prints": ("def f(): print('x' * 1000); return 1", "assert f() == 1"),
}


@pytest.mark.parametrize("trusted", [True, False], ids=["trusted tests", "tests apart"])
@pytest.mark.parametrize("name", PASSING)
def test_what_tests_do(sandbox: Sandbox, name: str, trusted: bool) -> None:
    assert judge(sandbox, check(*PASSING[name], trusted=trusted)) == Score(True)


def test_helpers_of_the_statement_are_not_the_candidates(sandbox: Sandbox) -> None:
    """A candidate that redefines the helper that its answer is measured with gains nothing."""
    source = "def distance(a, b): return 0\ndef f(x): return 17"
    tests = "assert distance(f(3), 3) < 1"
    assert judge(sandbox, check(source, tests, context="def distance(a, b): return abs(a - b)")).passed is False
    assert judge(sandbox, check("def f(x): return x", tests, context="def distance(a, b): return abs(a - b)")).passed


def test_the_reason_names_the_line_of_the_tests(sandbox: Sandbox) -> None:
    score = judge(sandbox, check("def f(x): return x", "assert f(1) == 1\n\nassert f(2) == 3, 'two'\n"))
    assert score == Score(False, "line 3 of the tests: two")


def test_questions_are_foreseen_and_a_surprise_only_costs_time() -> None:
    questions = asserts.foresee("assert f(1) == 1\nassert abs(f(2) - 0.5) < 1\nfor x in f(3): f(x)\nassert f(4)", "f")
    assert [asserts.unpack(packed)[0] for _, _, packed in questions] == [(1,), (2,), (3,), (4,)]
    endless = asserts.foresee("while f(1): pass", "f")
    assert len(endless) == asserts.MOST_FORESEEN


# The pool ---------------------------------------------------------------------------------------------------------------


def test_checks_are_taken_as_checkers_become_free_and_can_be_stopped() -> None:
    taken = 0

    def endless() -> Iterator[Check]:
        nonlocal taken
        for n in count():
            taken = n + 1
            yield check(RIGHT, TESTS)

    with Checkers(2) as pool:
        scores = pool.run(endless())
        for done in range(1, 21):
            next(scores)
            assert taken <= done + 2 * Checkers.AHEAD
        scores.close()  # type: ignore[attr-defined]
        assert dict(pool.run([check(RIGHT, TESTS)])) == {0: Score(True)}


def test_trusted_tests_that_kill_their_process_cost_themselves_only(checkers: Checkers) -> None:
    rows = [check(RIGHT, "import os\nos._exit(7)" if n % 3 == 0 else TESTS) for n in range(9)]
    scores = dict(checkers.run(rows))
    assert [scores[n].passed for n in range(9)] == [None, True, True] * 3
    assert "ended the process" in scores[0].reason


# Sessions ---------------------------------------------------------------------------------------------------------------


def test_a_session_keeps_its_process_until_an_item_ends_it(sandbox: Sandbox) -> None:
    source = "n = 0\ndef f(stop):\n    global n\n    n += 1\n    if stop: raise SystemExit(__import__('os')._exit(1))\n    return n"
    with sandbox.session(Job(answers.TASK, {"source": source}, (), LIMITS)) as session:

        def ask(stop: bool) -> Any:
            reply = session.ask(["call", "f", asserts.pack((stop,), {})])
            return reply.status if reply.status != "returned" else reply.data["value"]["ref"]

        assert [ask(False), ask(False), ask(True), ask(False), ask(False)] == [1, 2, "exited", 1, 2]


def test_sessions_side_by_side(sandbox: Sandbox) -> None:
    question = ["call", "f", asserts.pack((3,), {})]
    jobs = [Job(answers.TASK, {"source": f"def f(x): return x * {n}"}, (), LIMITS) for n in range(4)]
    sessions = [sandbox.session(job) for job in jobs]
    try:
        for session in sessions:
            session.send([question] * 3)
        found = [[session.reply().data["value"]["ref"] for _ in range(3)] for session in reversed(sessions)]
        assert found == [[9] * 3, [6] * 3, [3] * 3, [0] * 3]
    finally:
        for session in sessions:
            session.close()

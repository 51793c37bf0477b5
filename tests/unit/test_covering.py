"""Coverage of calls: against an independent recorder, branch by branch, and as a guide to inputs."""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest

from semcoder.core import Invocation, Program
from semcoder.core.calling import Caller
from semcoder.mutation import InputFinder
from semcoder.mutation.covering import Measure, Points, cover_task, hits_of, operands_of, points_of
from semcoder.pyx.cases import find_cases
from semcoder.pyx.config import BuildConfig
from semcoder.pyx.search import explore
from semcoder.sandbox import Sandbox
from semcoder.seeds.generator import generate
from semcoder.tracing.instrument import is_silent

LIMITS = {"stdout": 1 << 20}


def covered(source: str, call: str) -> tuple[Points, set[int], dict[str, Any]]:
    points = points_of(source, call.partition("(")[0])
    document = cover_task({"source": source})(("expr", call, ""), LIMITS)
    return points, hits_of(document, points), document


def measured(source: str, call: str) -> Measure:
    points, hit, _ = covered(source, call)
    return points.measure(hit)


def lines_by_settrace(source: str, call: str) -> set[int]:
    """First lines of statements in functions of the program that line events were seen for."""
    first: dict[int, int] = {}
    for function in ast.walk(ast.parse(source)):
        if isinstance(function, ast.FunctionDef):
            for node in ast.walk(function):
                if isinstance(node, ast.stmt) and node is not function and not is_silent(node):
                    first.setdefault(node.lineno, node.lineno)
    seen: set[int] = set()

    def local(frame: FrameType, event: str, _arg: object) -> Callable[..., Any]:
        if event == "line":
            seen.add(frame.f_lineno)
        return local

    def on_call(frame: FrameType, _event: str, _arg: object) -> Callable[..., Any] | None:
        inside = frame.f_code.co_filename == "<p>" and frame.f_code.co_name != "<module>"
        return local if inside else None

    space: dict[str, Any] = {"__name__": "program"}
    exec(compile(source, "<p>", "exec"), space)
    sys.settrace(on_call)
    try:
        eval(call, space)
    except Exception:
        pass
    finally:
        sys.settrace(None)
    return seen & set(first)


@pytest.mark.parametrize("seed", range(60))
def test_lines_are_those_of_an_independent_recorder(seed: int) -> None:
    program, calls = generate(seed)
    source = ast.unparse(ast.parse(program.source))  # a statement to a line
    for call in calls:
        points, hit, _ = covered(source, call.text)
        mine = {points.lines[k] for k in hit if not points.is_branch[k]}
        assert mine == lines_by_settrace(source, call.text), call.text


@pytest.mark.parametrize("seed", range(0, 60, 3))
def test_the_program_does_what_it_did(seed: int) -> None:
    program, calls = generate(seed)
    for call in calls:
        document = covered(program.source, call.text)[2]
        plain = Caller(program.source).call(call.parts)
        same = ("status", "value", "exception", "stdout")
        assert [document.get(key) for key in same] == [plain.get(key) for key in same]


@pytest.mark.parametrize(
    ("body", "call", "branches"),
    [
        ("    if x:\n        return 1\n    return 2", "f(1)", (1, 2)),
        ("    if x:\n        return 1\n    elif x is None:\n        return 2", "f(0)", (2, 4)),
        ("    for i in range(x):\n        if i == 1:\n            break", "f(3)", (3, 4)),  # left, not gone past
        ("    for i in range(x):\n        pass", "f(0)", (1, 2)),
        ("    while x:\n        x -= 1", "f(2)", (2, 2)),
        ("    while True:\n        return x", "f(2)", (0, 0)),
        ("    match x:\n        case 1:\n            pass\n        case _:\n            return 3", "f(1)", (1, 2)),
        ("    with open(x) as f:\n        if f:\n            pass", "f(1.5)", (0, 2)),
        ("    try:\n        if x:\n            raise ValueError\n    except ValueError:\n        pass", "f(1)", (1, 2)),
    ],
)
def test_branches(body: str, call: str, branches: tuple[int, int]) -> None:
    found = measured(f"def f(x):\n{body}\n", call)
    assert (found.branches_hit, found.branches) == branches


def test_what_no_call_can_reach_is_not_to_be_covered() -> None:
    source = """
class Box:
    def __init__(self, x):
        self.x = x

    def used(self):
        return self.x

    def unused(self):
        if self.x:
            return 1
        return 2

    def __len__(self):
        return self.x


def f(x):
    return Box(x).used()


def g(x):
    return len(Box(x))
"""
    assert measured(source, "f(1)") == Measure(3, 3, 0, 0)
    assert measured(source, "g(1)") == Measure(3, 3, 0, 0), "what the interpreter called counts once it was entered"


def test_what_the_module_runs_by_itself_does_not_count() -> None:
    source = "def f(x):\n    if x:\n        return 1\n    return 2\n\n\nKNOWN = f(1)\n"
    assert measured(source, "f(0)") == Measure(2, 3, 1, 2)


def test_operands() -> None:
    source = "def f(s, n, d):\n    a = s[0] == 'q' and n > 41\n    return a or 'key' in d or s != s or s == 3\n"
    document = covered(source, "f('zebra', 7, {'other': 1})")[2]
    assert operands_of(document) == [("z", "q"), ("key", "other")]


def test_malformed_replies_say_nothing() -> None:
    points = points_of("def f(x):\n    return x\n", "f")
    for document in (None, {}, {"hits": 3}, {"hits": "2"}, {"hits": "11"}):
        assert hits_of(document, points) == set()
    assert operands_of({"pairs": [["sa"], [1, "sb"], ["s", []], ["xa", "xb"], ["sa", "sb"], 7]}) == [("a", "b")]


def test_aiming_puts_one_operand_in_the_place_of_the_other() -> None:
    finder = InputFinder(Program("def f(s, n, xs):\n    return s\n", "f"), seed=0)
    made = {c.text for c in finder.aim(Invocation("f('zebra', 7, [1, 2])"), [("z", "q"), (7, 42), (2, 5)], n=99)}
    assert {"f('qebra', 7, [1, 2])", "f('zebra', 42, [1, 2])", "f('zebra', 41, [1, 2])"} <= made
    assert {"f('zebra', 7, [1, 5])", "f('zebra', 7, [1, 2, 1, 2, 1])"} <= made
    assert all(ast.literal_eval(text[1:]) for text in made)


GUARDED = """
def f(word, number, names):
    if word[:1] == '<' and word[-1:] == '>':
        if number == 7919:
            if len(names) == 5:
                return 'all the way'
            return 'number'
        return 'word'
    return word + str(len(names)) + str(number)
"""


@pytest.fixture(scope="module")
def box() -> Any:
    with Sandbox(workers=1) as pool:
        yield pool


def test_the_search_gets_behind_guards(box: Sandbox) -> None:
    program = Program(GUARDED, "f")
    found = explore(program, [], box, BuildConfig(sources=()))
    outputs = {o.value.display() for o in found.outcomes.values() if o.value is not None}
    assert {"'all the way'", "'number'", "'word'"} <= outputs
    blind = explore(program, [], box, BuildConfig(sources=(), search_rounds=0))
    assert "'all the way'" not in {o.value.display() for o in blind.outcomes.values() if o.value is not None}
    assert len(blind.outcomes) < len(found.outcomes)


def test_the_search_is_the_same_each_time(box: Sandbox) -> None:
    once, again = (list(explore(Program(GUARDED, "f"), [], box, BuildConfig(sources=())).outcomes) for _ in range(2))
    assert once == again


def test_calls_that_raise_are_kept_where_they_reach_something(box: Sandbox) -> None:
    source = """
def f(text, width):
    if width < 0:
        raise ValueError('negative width')
    rows = []
    for start in range(0, len(text), max(width, 1)):
        rows.append(text[start:start + width])
    return rows
"""
    found = find_cases(Program(source, "f"), box, BuildConfig(sources=()))
    assert ("ValueError", "negative width") in {(one.exception, one.message) for one in found.raising}
    measure = found.coverage(found.cases)
    assert measure.by_cases == Measure(5, 6, 3, 4)
    assert measure.by_all == Measure(6, 6, 4, 4)


def test_forged_operands_are_held_to_the_bounds() -> None:
    huge, odd = 10**5000, [float("inf"), float("nan"), 1 << 61]
    assert operands_of({"pairs": [[1, huge], [1, 2], *[[1.0, x] for x in odd]]}) == [(1, 2)]


def test_a_marked_program_lets_its_objects_die() -> None:
    source = """
import weakref

class Box:
    def __eq__(self, other):
        return False

def f(x):
    box = Box()
    gone = weakref.ref(box)
    if box == x:
        return 1
    del box
    return gone() is None
"""
    assert covered(source, "f(1)")[2]["value"]["ref"] is True

"""Texts that try to be judged right without being right, or to take the judge down."""

from __future__ import annotations

import ast
import platform
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from semcoder.judging import Judge, Question, Verdict
from semcoder.prompts import load_profile
from semcoder.sandbox import Limits, Sandbox

pytestmark = pytest.mark.skipif(platform.system() != "Linux", reason="the sandbox is the Linux kernel's")
SOURCE = """\
calls = 0
def f(xs):
    global calls
    calls += 1
    return len(xs) + calls - 1
def g(xs):
    return 3
"""
PROFILE = load_profile()
ASKED = Question(SOURCE, "f", "forward", call="f([1, 2, 3])")
WANTED = Question(SOURCE, "f", "backward", output="3")
LONG = 99_000


@pytest.fixture(scope="module")
def judge() -> Iterator[Judge]:
    with Sandbox(workers=1) as box:
        yield Judge(box, PROFILE, limits=Limits(cpu_s=0.3, wall_s=2.0))


def of_answer(judge: Judge, question: Question, answer: str) -> Verdict:
    return judge.judge(question, PROFILE.response("", answer))


#: Expressions that are equal to 3 for whoever runs them, or do something to whoever does.
EXPRESSIONS = {
    "the call": "f([1, 2, 3])",
    "another function": "g([])",
    "always equal": "type('E', (), {'__eq__': lambda a, b: True})()",
    "any": "__import__('unittest.mock').mock.ANY",
    "a subclass": "type('I', (int,), {})(3)",
    "len": "len([1, 2, 3])",
    "arithmetic": "1 + 2",
    "a condition": "3 if True else 4",
    "or": "4 or 3",
    "walrus": "(x := 3)",
    "lambda": "(lambda: 3)()",
    "int": "int('3')",
    "f-string": "f'{3}'",
    "exit": "__import__('sys').exit(0)",
    "end of the process": "__import__('os')._exit(0)",
    "eval": "eval('3')",
    "a power": "9 ** 9 ** 9",
    "a long list": "[0] * 10 ** 9",
    "a large set": "set(range(10 ** 9))",
    "an assignment to builtins": "setattr(__import__('builtins'), 'len', lambda x: 3)",
    "star": "*[3],",
    "await": "await f",
    "yield": "(yield 3)",
}
#: Statements round something true or false.
STATEMENTS = {
    "or true": "assert f([1, 2, 3]) == 4 or True",
    "not": "assert not f([1, 2, 3]) == 4",
    "unequal": "assert f([1, 2, 3]) != 4",
    "less": "assert f([1, 2, 3]) < 4",
    "chained": "assert f([1, 2, 3]) == f([1, 2, 3]) == 3",
    "in": "assert f([1, 2, 3]) in range(10)",
    "a tuple": "assert (f([1, 2, 3]) == 4, 'always true')",
    "a message": "assert f([1, 2, 3]) == 3, exit()",
    "two": "assert f([1, 2, 3]) == 4; assert f([1, 2, 3]) == 3",
    "code behind": "assert f([1, 2, 3]) == 3\nprint('done')",
    "code before": "def f(xs): return 4\nassert f([1, 2, 3]) == 4",
    "try": "try:\n    assert f([1, 2, 3]) == 4\nexcept AssertionError: pass",
    "if": "if f([1, 2, 3]) == 3: pass",
    "another function": "assert g([1, 2, 3]) == 3",
    "a method of that name": "assert x.f([1, 2, 3]) == 3",
    "a call of the call": "assert f([1, 2, 3])() == 3",
    "the wrong way round": "assert 3 == f([1, 2, 3])",
    "equal to itself": "assert f([1, 2, 3]) == f([1, 2, 3])",
    "import": "from os import *",
    "nothing": "pass",
}


@pytest.mark.parametrize("expression", EXPRESSIONS.values(), ids=EXPRESSIONS)
def test_only_a_literal_is_a_value(judge: Judge, expression: str) -> None:
    for answer in (expression, f"assert f([1, 2, 3]) == {expression}"):
        assert of_answer(judge, ASKED, answer).right is False


@pytest.mark.parametrize("statement", STATEMENTS.values(), ids=STATEMENTS)
def test_only_the_completed_assert_is_a_statement(judge: Judge, statement: str) -> None:
    assert of_answer(judge, ASKED, statement).right is False


#: Calls that would give 3 if what they do reached the program, its process, or the judge.
CALLS = {
    "a patched builtin": "f([setattr(__import__('builtins'), 'len', lambda x: 3)] and [1])",
    "a lying length": "f(type('L', (), {'__len__': lambda s: 3})())",
    "a lying list": "f(type('L', (list,), {'__len__': lambda s: 3})([1]))",
    "a call in a call": "f([f([]), f([]), f([])][:1])",
    "another state": "f(globals().update(calls=3) or [])",
    "another function": "g([])",
    "its attribute": "f.__call__([1, 2, 3])",
    "its copy": "(lambda xs: 3)([])",
    "its shadow": "(f := lambda xs: 3)([])",
    "exit": "f(__import__('os')._exit(0))",
    "a reply of its own": "f(__import__('os').write(3, b'\\x00\\x00\\x00\\x02[]') and [1])",
    "a name of its own": "f(**{'xs=[1, 2, 3], *': []})",
    "a keyword": "f(**{'if': [1, 2, 3]})",
    "an instance with a lying repr": "f(type('R', (), {'__repr__': lambda s: '[1, 2, 3]'})())",
    "a dict with a lying items": "f(**type('D', (dict,), {'keys': lambda s: ['xs'], '__getitem__': lambda s, k: [1]})())",
    "or": "assert f([]) == 0 or True",
    "not": "assert not f([]) == 3",
    "two calls": "f([]); f([1, 2, 3])",
    "a long loop": "f(iter(int, 1))",
    "a large list": "f([0] * 10 ** 10)",
    "a power": "f(9 ** 9 ** 9)",
    "a generator": "f(x for x in [1, 2, 3])",
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_only_plain_data_reaches_the_program(judge: Judge, call: str) -> None:
    assert of_answer(judge, WANTED, call).right is False


def test_what_one_text_does_is_nothing_to_the_next(judge: Judge) -> None:
    """The program counts its calls: the second one in a process would give more."""
    texts = [PROFILE.response("", f"f([{n}, 2, 3])") for n in range(5)] * 2
    assert all(verdict.right for verdict in judge.judge_many([(WANTED, text) for text in texts]))


DEEP = {
    "minus": "-" * LONG + "3",
    "not": "not " * (LONG // 4) + "3",
    "brackets": "(" * LONG + "3" + ")" * LONG,
    "lists": "[" * 150 + "3" + "]" * 150,
    "open lists": "[" * LONG,
    "a sum": "1+" * (LONG // 2) + "1",
    "attributes": "a" + ".b" * (LONG // 2),
    "calls": "f" + "()" * (LONG // 2),
    "lambdas": "lambda:" * (LONG // 8) + "3",
    "conditions": "3 if 3 else " * (LONG // 12) + "3",
    "comparisons": "3<" * (LONG // 2) + "3",
    "quotes": "'" * LONG,
    "backticks": "`" * LONG + "4",
    "fences": "```\n" * (LONG // 4),
    "digits": "3" * LONG,
    "hex digits": "0x" + "3" * (LONG - 2),
    "members of one hash": "{" + ", ".join(str(k * (2**61 - 1)) for k in range(3000)) + "}",
    "no text": "3\0",
    "half a character": "'\ud800'",
    "an exponent": "3e" + "9" * 1000,
    "too long": "3" + " " * 100_000 + "# 3",
}


@pytest.mark.parametrize("answer", DEEP.values(), ids=DEEP)
def test_what_is_deep_or_long_is_only_wrong(judge: Judge, answer: str) -> None:
    for question in (ASKED, WANTED):
        for text in (answer, f"f({answer})", f"assert f({answer}) == 4", f"assert f([1, 2]) == {answer}"):
            assert of_answer(judge, question, text).right is False


MONOLOGUES = {
    "brackets": "(" * 15_000,
    "spans": "`[" * 8_000,
    "rows": "\n" * 19_000,
    "sentences": "Line 2: `x` becomes `1`.\n" * 800,
    "a long one": "Line 2: `x` becomes `1`.\n" * 80_000,
    "no text": "\0\ud800\x1b[2J" * 100,
}


@pytest.mark.parametrize("told", MONOLOGUES.values(), ids=MONOLOGUES)
def test_a_monologue_of_noise_says_nothing_true(judge: Judge, told: str) -> None:
    verdict = judge.judge(ASKED, PROFILE.response(told, "3"))
    assert (verdict.right, verdict.true_part) == (True, 0.0)


def test_several_answers_are_one_answer(judge: Judge) -> None:
    """Whoever gives all of them gives the last."""
    every = "".join(f"[ANSWER]{n}[/ANSWER]" for n in (1, 2, 3, 4))
    assert judge.judge(ASKED, every).right is False
    assert judge.judge(ASKED, every + "[ANSWER]3[/ANSWER]").right
    assert judge.judge(ASKED, "[ANSWER]4 [ANSWER]3[/ANSWER] 3[/ANSWER]").right
    assert judge.judge(ASKED, "[ANSWER][4, 3][/ANSWER]").right is False
    assert judge.judge(ASKED, "[ANSWER]3[/ANSWER][ANSWER]4[/ANSWER]").right is False


def test_marks_in_a_program_do_not_answer(judge: Judge) -> None:
    source = "def f(x):\n    return '[ANSWER]' + x + '[/ANSWER]'\n"
    question = Question(source, "f", "forward", call="f('3')")
    assert of_answer(judge, question, "assert f('3') == '[ANSWER]3[/ANSWER]'").right is False  # cannot be said so
    assert of_answer(judge, question, r"assert f('3') == '[\x41NSWER]3[/\x41NSWER]'").right


PIECES = st.sampled_from(
    ["assert ", "f([1, 2, 3])", "f([1])", " == ", "3", "4", " or ", "not ", "(", ")", "[", "]", ", ", "g([])", "\n", "True",
     "lambda: ", "'", "*", "if ", "else ", "and ", "f", "3.0", " in ", ";", "#", "`", "0", "-", ":="]
)  # fmt: skip


@given(st.lists(PIECES, max_size=10).map("".join) | st.text(max_size=20))
@example("assert f([1, 2, 3]) == (3)")
@settings(max_examples=1500, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_who_is_judged_right_has_said_so(judge: Judge, answer: str) -> None:
    """Whatever is judged right is the value, or the assert on the asked call, and nothing else."""
    verdict = of_answer(judge, ASKED, answer)
    assert verdict.right is not None
    if verdict.right:
        (only,) = ast.parse(answer.strip().strip("`").strip()).body
        said = only.test if isinstance(only, ast.Assert) else only.value  # type: ignore[attr-defined]
        if isinstance(said, ast.Compare):
            assert ast.unparse(said.left) == "f([1, 2, 3])"
            (said,) = said.comparators
        assert ast.literal_eval(said) == 3


@given(st.lists(PIECES, max_size=10).map("".join))
@example("f([1, 2, 3])")
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_proposal_that_is_judged_right_gives_the_output(judge: Judge, answer: str) -> None:
    verdict = of_answer(judge, WANTED, answer)
    assert verdict.right is not None
    if verdict.right:
        (only,) = ast.parse(answer.strip().strip("`").strip()).body
        said = only.test if isinstance(only, ast.Assert) else only.value  # type: ignore[attr-defined]
        call = said.left if isinstance(said, ast.Compare) else said
        assert eval(ast.unparse(call), {"f": len}) == 3

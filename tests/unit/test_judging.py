"""Judging texts by execution: answers of both directions, claims, what cannot be judged, what is run and kept."""

from __future__ import annotations

import ast
import re
from collections.abc import Generator, Iterable, Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from semcoder.core import Claim, Outcome, Value
from semcoder.errors import UsageError
from semcoder.judging import Judge, Question, Verdict
from semcoder.judging.answers import Unreadable, literal_value, proposed_call, stated_value
from semcoder.judging.runs import Run, Runs
from semcoder.monologue import style, styles, tell
from semcoder.prompts import load_profile
from semcoder.sandbox import Job, Limits, Reply, Sandbox
from semcoder.tracing import trace_here

SOURCE = """

def total(numbers, start=0):
    result = start
    for number in numbers:
        result += double(number)
    return result

def double(n):
    return n * 2

def odd(kind):
    from collections import Counter, OrderedDict, namedtuple
    if kind == "counter":
        return Counter("aab")
    if kind == "tuple":
        return namedtuple("P", "x y")(1, [2])
    if kind == "nan":
        return [float("nan")]
    if kind == "big":
        return 10 ** 5000
    if kind == "object":
        return object()
    if kind == "cycle":
        loop = []
        loop.append(loop)
        return loop
    if kind == "raises":
        raise ValueError("no")
    if kind == "exits":
        raise SystemExit(0)
    if kind == "endless":
        while True:
            pass
    if kind == "hash":
        return hash("text") % 1000
    return {"a": (1, None), "b": {2.0, -0.0}}

def order(words):
    seen = set(words)
    first = next(iter(seen))
    return len(seen)

def huge(n):
    return n > 5
"""
PROFILE = load_profile()
LIMITS = Limits(cpu_s=0.5, wall_s=4.0)


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    with Sandbox(workers=2) as box:
        yield box


@pytest.fixture(scope="module")
def judge(box: Sandbox) -> Judge:
    return Judge(box, PROFILE, limits=LIMITS)


def forward(call: str) -> Question:
    return Question(SOURCE, call.partition("(")[0], "forward", call=call)


def backward(entry: str, output: str) -> Question:
    return Question(SOURCE, entry, "backward", output=output)


def answered(judge: Judge, question: Question, answer: str) -> Verdict:
    return judge.judge(question, PROFILE.response("", answer))


def telling(call: str, name: str = "forward") -> str:
    return tell(style(name), trace_here(SOURCE.strip() + "\n", call)).text


# Questions


def test_a_question_in_a_profiles_words() -> None:
    asked = forward("total([1])").instruction(PROFILE)
    assert asked.startswith("Task: follow the code and give its output.\n[PYTHON]\ndef total(numbers")
    assert asked.endswith("\nassert total([1]) == ??\n[/PYTHON]")
    assert backward("total", "6").instruction(PROFILE).endswith("\nassert total(??) == 6\n[/PYTHON]")


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"direction": "forward"}, "a forward question has a call"),
        ({"direction": "forward", "call": "f(1)", "output": "1"}, "neither has both"),
        ({"direction": "backward", "call": "f(1)"}, "a backward one an output"),
        ({"direction": "forward", "call": "g(1)"}, r"the call 'g\(1\)' is not one of f"),
        ({"direction": "forward", "call": "1 +"}, "not a Python expression"),
        ({"direction": "backward", "output": "f(1)"}, "the output 'f\\(1\\)' is not a literal"),
    ],
)
def test_a_question_that_makes_no_sense(fields: dict[str, str], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        Question("def f(x): return x", "f", **fields)  # type: ignore[arg-type]


# Forward


@pytest.mark.parametrize(
    "answer",
    [
        "assert total([1, 2]) == 6",
        "assert total( [1,2] ) == 6",
        "assert (total([1, 2]) == 6)  # as told",
        "total([1, 2]) == 6",
        "6",
        " 6.0\n",
        "```python\nassert total([1, 2]) == 6\n```",
        "`6`",
        "0b110",
        "+6",
    ],
)
def test_a_right_value(judge: Judge, answer: str) -> None:
    verdict = answered(judge, forward("total([1, 2])"), answer)
    assert verdict == Verdict(answer.strip(), True, truth="6", status="returned")


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("assert total([1, 2]) == 5", "total([1, 2]) gives 6"),
        ("'6'", "total([1, 2]) gives 6"),
        ("assert total([2, 1]) == 6", "the answer is about another call; total([1, 2]) gives 6"),
        ("assert total([1, 2], 0) == 6", "the answer is about another call; total([1, 2]) gives 6"),
        ("assert double(3) == 6", "the answer is about another call; total([1, 2]) gives 6"),
        ("assert 6 == total([1, 2])", "the answer is about another call; total([1, 2]) gives 6"),
        ("assert total([1, 2])", "the assert does not say what the call is equal to; total([1, 2]) gives 6"),
        ("3 + 3", "the answer is not a literal; total([1, 2]) gives 6"),
        ("", "the answer is empty; total([1, 2]) gives 6"),
        ("six it is", "the answer is not Python; total([1, 2]) gives 6"),
    ],
)
def test_a_wrong_value_and_why(judge: Judge, answer: str, reason: str) -> None:
    verdict = answered(judge, forward("total([1, 2])"), answer)
    assert (verdict.right, verdict.reason, verdict.truth) == (False, reason, "6")


@pytest.mark.parametrize(
    ("kind", "answer", "right"),
    [
        ("plain", "{'b': {-0.0, 2}, 'a': (True, None)}", True),  # Python's own ==
        ("plain", "{'a': [1, None], 'b': {2.0, 0}}", False),
        ("counter", "{'a': 2, 'b': 1}", True),
        ("counter", "{'a': 2}", False),
        ("tuple", "(1, [2])", True),
        ("nan", "[float('nan')]", True),  # strictly the same
        ("nan", "[float('inf')]", False),
        ("big", "1" + "0" * 5000, False),  # Python does not read so many digits
        ("big", hex(10**5000), True),
        ("big", hex(10**5000 + 1), False),
    ],
)
def test_values_of_all_kinds(judge: Judge, kind: str, answer: str, right: bool) -> None:
    assert answered(judge, forward(f"odd('{kind}')"), f"assert odd('{kind}') == {answer}").right is right


@pytest.mark.parametrize(
    ("kind", "reason", "status"),
    [
        ("object", "odd('object') gives a value of type object, which no literal can write", "returned"),
        ("cycle", "odd('cycle') gives a value of type list, which no literal can write", "returned"),
        ("raises", "odd('raises') gives no value: it raised ValueError: no", "raised"),
        ("exits", "odd('exits') gives no value: exited: exit status 0", "exited"),
        ("endless", "odd('endless') gives no value: a limit was hit, timeout: ", "timeout"),
    ],
)
def test_what_cannot_be_judged_is_no_failure(judge: Judge, kind: str, reason: str, status: str) -> None:
    for answer in ("1", "nonsense it is"):
        verdict = answered(judge, forward(f"odd('{kind}')"), answer)
        assert (verdict.right, verdict.status) == (None, status)
        assert verdict.reason.startswith(reason)


def test_a_program_that_does_not_do_the_same_twice_fails_nobody(judge: Judge) -> None:
    verdict = answered(judge, forward("odd('hash')"), "-1")
    assert (verdict.right, verdict.reason) == (None, "odd('hash') does not do the same in every run")


def test_a_program_that_does_not_parse_cannot_be_judged(judge: Judge) -> None:
    verdict = answered(judge, Question("def f(:", "f", "forward", call="f()"), "1")
    assert (verdict.right, verdict.status) == (None, "invalid")
    assert "syntax error" in verdict.reason


def test_setup_runs_before_the_call(judge: Judge) -> None:
    question = Question("def f(x): return x + y", "f", "forward", call="f(1)", setup="y = 2")
    assert answered(judge, question, "3").right


@pytest.mark.parametrize("text", ["", "It gives 6.", "[MONOLOGUE]\nSo.\n[/MONOLOGUE]", "[ANSWER]6"])
def test_without_a_complete_answer_a_text_is_wrong(judge: Judge, text: str) -> None:
    verdict = judge.judge(forward("total([1, 2])"), text)
    assert (verdict.answer, verdict.right, verdict.truth) == (None, False, "6")
    assert verdict.reason == "the text gives no complete answer; total([1, 2]) gives 6"


# Backward


@pytest.mark.parametrize(
    ("answer", "truth"),
    [
        ("assert total([3]) == 6", "6"),
        ("total([1, 2])", "6"),
        ("assert total([1], start=4) == 6", "6"),
        ("assert total(numbers=(1, 2)) == 6", "6"),
        ("assert total(range(3)) == 6", "6"),
        ("assert total([n for n in range(3)]) == 6", "6"),  # becomes [0, 1, 2] where no program is
        ("assert total(*[[1, 2]], **{'start': 0}) == 6", "6"),
        ("assert total([1, 2]) == 7", "6"),  # what the output is, the question says
        ("total([3.0])", "6.0"),
        ("total([], True + 5)", "6"),
    ],
)
def test_a_right_input(judge: Judge, answer: str, truth: str) -> None:
    verdict = answered(judge, backward("total", "6"), answer)
    assert verdict == Verdict(answer, True, truth=truth, status="returned")


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("assert total([4]) == 6", "total([4]) gives 8"),
        ("assert double(3) == 6", "the answer is not a call of total"),
        ("assert 6 == total([3])", "the answer is not a call of total"),
        ("assert total([3]) != 5", "the answer is not the completed assert"),
        ("[3]", "the answer is not a call of total"),
        ("total(3)", "total(3) gives no value: it raised TypeError: 'int' object is not iterable"),
        (
            "total([double(1)])",
            "the proposed input is no plain data: it raised NameError: name 'double' is not defined",
        ),
        ("total(iter([3]))", "the proposed input is no plain data"),
        ("total(open('/etc/passwd'))", "the proposed input is no plain data: it raised "),
        ("total(" + "[" * 80 + "3" + "]" * 80 + ")", "gives no value: it raised TypeError"),
        ("total([1" + ", 1" * 10_000 + "])", "the proposed call is longer than 20,000 characters"),
    ],
)
def test_a_wrong_input_and_why(judge: Judge, answer: str, reason: str) -> None:
    verdict = answered(judge, backward("total", "6"), answer)
    assert verdict.right is False
    assert reason in verdict.reason


def test_a_proposed_call_that_hits_a_limit_is_wrong(judge: Judge) -> None:
    verdict = answered(judge, backward("odd", "6"), "odd('endless')")
    assert (verdict.right, verdict.status) == (False, "timeout")


def test_numbers_that_python_does_not_write(judge: Judge) -> None:
    for argument in (hex(10**5000), f"10**{5000}"):
        assert answered(judge, backward("huge", "True"), f"huge({argument})").right
    call = f"huge({hex(10**5000)})"
    assert answered(judge, forward(call), f"assert {call} == True").right


def test_the_program_with_the_expected_output_in_sight_gains_nothing(judge: Judge) -> None:
    source = "class Same(list):\n    __eq__ = lambda a, b: True\n    __hash__ = None\ndef f(x):\n    return Same([x])\n"
    assert answered(judge, Question(source, "f", "backward", output="[6]"), "f(5)").right is False
    assert answered(judge, Question(source, "f", "forward", call="f(5)"), "[6]").right is False


# Claims


def test_the_claims_of_a_true_monologue(judge: Judge) -> None:
    verdict = judge.judge(forward("total([1, 2])"), PROFILE.response(telling("total([1, 2])"), "6"))
    assert verdict.right
    assert len(verdict.claims) > 20
    assert (verdict.first_false, verdict.true_part) == (None, 1.0)


def test_the_first_false_claim_and_what_is_true(judge: Judge) -> None:
    told = telling("total([1, 2])").replace("`number` becomes `2`", "`number` becomes `3`")
    verdict = judge.judge(forward("total([1, 2])"), PROFILE.response(told, "6"))
    assert verdict.right  # the answer is all the same
    assert verdict.first_false is not None
    assert (verdict.first_false.text, verdict.first_false.line) == ("`number` becomes `3`", 3)
    assert "2" in verdict.first_false.actual
    assert 0 < verdict.true_part < 1


def test_claims_are_checked_beside_a_wrong_answer_and_without_one(judge: Judge) -> None:
    told = telling("total([1, 2])")
    for text in (PROFILE.response(told, "7"), f"[MONOLOGUE]\n{told}\n[/MONOLOGUE]\n[ANSWER]", f"[MONOLOGUE]\n{told}"):
        verdict = judge.judge(forward("total([1, 2])"), text)
        assert (verdict.right, verdict.true_part) == (False, 1.0)


def test_claims_of_a_backward_text_are_about_the_call_that_it_proposes(judge: Judge) -> None:
    told = tell(style("backward"), trace_here(SOURCE.strip() + "\n", "total([1, 2])")).text
    right = judge.judge(backward("total", "6"), PROFILE.response(told, "assert total([1, 2]) == 6"))
    assert (right.right, right.first_false) == (True, None)
    assert right.true_part > 0.9
    other = judge.judge(backward("total", "6"), PROFILE.response(told, "assert total([3]) == 6"))
    assert other.right
    assert other.first_false is not None
    assert judge.judge(backward("total", "6"), PROFILE.response(told, "none")).claims == ()


@pytest.mark.parametrize("name", styles())
def test_every_style_is_read_in_its_own_way(judge: Judge, name: str) -> None:
    told = telling("total([1, 2])", name)
    verdict = judge.judge(forward("total([1, 2])"), PROFILE.response(told, "6"), name)
    assert (verdict.right, verdict.first_false) == (True, None)
    assert verdict.claims
    with pytest.raises(UsageError, match="there is no style 'sung'"):
        judge.judge(forward("total([1, 2])"), "", "sung")


def test_claims_about_a_call_that_raises(judge: Judge) -> None:
    told = telling("odd('raises')")
    verdict = judge.judge(forward("odd('raises')"), PROFILE.response(told, "6"))
    assert verdict.right is None
    assert verdict.true_part == 1.0


def test_what_depends_on_the_run_is_not_held_against_a_text(judge: Judge) -> None:
    words = ["aa", "bb", "cc", "dd", "ee", "ff", "gg", "hh"]
    call = f"order({words!r})"
    told = telling(call)
    texts = [re.sub(r"`first` becomes `'..'`", f"`first` becomes `{word!r}`", told) for word in words]
    verdicts = judge.judge_many([(forward(call), PROFILE.response(text, "8")) for text in texts])
    assert all(verdict.first_false is None for verdict in verdicts)
    assert any(claim.verdict is None for verdict in verdicts for claim in verdict.claims)


def test_the_true_part_of_claims() -> None:
    def part(*verdicts: bool | None) -> float:
        return Verdict("", True, claims=tuple(Claim("", "", verdict) for verdict in verdicts)).true_part

    assert part() == 0.0
    assert part(True, True) == 1.0
    assert part(True, False, True, True) == 0.25
    assert part(True, None, True, False) == 0.5  # what could not be checked ends nothing and earns nothing
    assert part(None, None) == 0.0


# Runs


class Counting(Sandbox):
    """A sandbox that counts its jobs."""

    jobs = 0

    def execute_many(self, jobs: Iterable[Job]) -> Generator[tuple[int, list[Reply]], None, None]:
        wanted = list(jobs)
        self.jobs += len(wanted)
        return super().execute_many(wanted)


def test_texts_that_answer_one_question_share_its_executions() -> None:
    box = Counting(workers=1)
    with box:
        judge = Judge(box, PROFILE, limits=LIMITS)
        told = telling("total([1, 2])")
        texts = [PROFILE.response(told, str(k)) for k in range(9)]
        verdicts = judge.judge_many([(forward("total([1, 2])"), text) for text in texts])
        assert [verdict.right for verdict in verdicts] == [k == 6 for k in range(9)]
        assert box.jobs == 3  # an outcome, a trace, and a second outcome for those who were wrong
        assert judge.judge(forward("total([1, 2])"), texts[6]) == verdicts[6]
        assert box.jobs == 3


def test_judging_many_is_judging_each(judge: Judge, box: Sandbox) -> None:
    pairs = [
        (forward("total([1, 2])"), PROFILE.response(telling("total([1, 2])"), "6")),
        (backward("total", "6"), PROFILE.response("", "total(range(3))")),
        (forward("odd('raises')"), PROFILE.response("So.", "6")),
        (backward("total", "8"), "nothing"),
        (backward("total", "8"), PROFILE.response("So.", "total([4])")),
    ]
    alone = [Judge(box, PROFILE, limits=LIMITS).judge(*pair) for pair in pairs]
    assert judge.judge_many(pairs) == alone
    assert judge.judge_many([]) == []


def test_what_is_kept_is_bounded(box: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("semcoder.judging.runs.KEPT", 3)
    runs = Runs(box, LIMITS, 1000)
    for k in range(8):
        (outcome,) = runs.outcomes([Run("def f(x): return x", f"f({k})")]).values()
        assert outcome.value == Value(k)
    assert [run.call for run in runs._outcomes._entries] == ["f(5)", "f(6)", "f(7)"]


def test_an_execution_that_is_too_long_has_no_claims(box: Sandbox) -> None:
    judge = Judge(box, PROFILE, limits=LIMITS, max_events=10)
    verdict = judge.judge(forward("total([1, 2])"), PROFILE.response(telling("total([1, 2])"), "6"))
    assert (verdict.right, verdict.claims) == (True, ())


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        (forward("total([1, 2])"), "6"),
        (backward("total", "6"), "total([3])"),
        (backward("total", "6"), "total(range(3))"),
    ],
)
def test_a_sandbox_that_fails_is_nobodys_fault(
    question: Question, answer: str, box: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    judge = Judge(box, PROFILE, limits=LIMITS)
    with monkeypatch.context() as broken:
        broken.setattr(
            "semcoder.judging.runs.outcome_of", lambda reply: Outcome("sandbox_failed", detail="it fell over")
        )
        verdict = answered(judge, question, answer)
    assert verdict.right is None
    assert "it fell over" in verdict.reason
    assert answered(judge, question, answer).right  # it was not kept


# Reading answers

LITERALS = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.complex_numbers()
    | st.text(max_size=5)
    | st.binary(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.tuples(inner, inner)
        | st.dictionaries(st.text(max_size=3) | st.integers(), inner, max_size=3)
        | st.sets(st.integers() | st.text(max_size=3), max_size=3)
        | st.frozensets(st.floats(allow_nan=False), max_size=3)
        | st.builds(range, st.integers(-9, 9), st.integers(-9, 9), st.integers(1, 3))
        | st.binary(max_size=4).map(bytearray)
    ),
    max_leaves=8,
)


@given(LITERALS)
@settings(max_examples=300)
def test_every_value_is_read_from_its_literal(value: object) -> None:
    whole = Value.of(value)
    assert literal_value(whole.literal()) == whole
    assert stated_value(f"assert f(1) == {whole.literal()}", "f(1)") == whole


@pytest.mark.parametrize(
    "text",
    [
        "x", "f(1)", "1 + 1", "[x for x in ()]", "f'{1}'", "not 1", "~1", "lambda: 1", "{**{}}", "[*()]", "{[]: 1}", "{[]}",
        "float('1')", "float(1)", "float('inf', 2)", "set(range(9))", "set('ab')", "range(1, 2, 0)", "range(9)[0]", "int('9')",
        "bytearray(10)", "bytearray(10**9)", "complex('1')", "set([[]])", "frozenset(x=1)", "dict(a=1)", "1 if 1 else 2", "-'a'",
        "- -True", "x := 1", "(yield)", "await x", "1; 2", "", "assert 1", "import os", "pass", "nan", "True and 1",
    ],
)  # fmt: skip
def test_what_is_no_literal(text: str) -> None:
    with pytest.raises(Unreadable):
        literal_value(text)


def test_proposed_calls_of_methods() -> None:
    proposal = proposed_call("assert Stack.of([1]) == 2", "Stack.of")
    assert (proposal.text, proposal.is_plain) == ("Stack.of([1])", True)
    assert isinstance(proposal.node, ast.Call)

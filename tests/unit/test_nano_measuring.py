"""Measures of the built-in model, with decoders that answer the truth, garbage, or the truth with one token changed."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from semcoder.errors import InputError
from semcoder.nano import questions
from semcoder.nano.flatten import flatten
from semcoder.nano.inverting import invert, invert_all, same, stated, stated_arguments
from semcoder.nano.machine import execute
from semcoder.nano.measuring import (
    PARTS,
    Asked,
    Document,
    answered,
    baselines,
    beyond,
    divergence,
    forward,
    inverse,
    prepare,
    share,
    single_steps,
    steps,
    table,
    voted,
)
from semcoder.nano.notation import ANSWER, DIRECT, EOS, IDS, INVERSE, LINES, VOCABULARY, Unreadable, write
from semcoder.nano.questions import Question
from semcoder.nano.rows import ask_forward, write_arguments
from semcoder.seeds.small import generate_small

SOURCE = """
def f(text, n=2, mark='-'):
    found = []
    for c in text:
        if c in 'abc':
            found.append(c * n)
    found.sort()
    return mark.join(found)
"""
Answer = Callable[[list[str], int], Sequence[str]]


class Scripted:
    """A decoder whose answers a function of the prompt's tokens and the seed gives; it counts what it is asked."""

    def __init__(self, answer: Answer, context: int = 2048) -> None:
        self.answer = answer
        self.context = context
        self.asked: list[tuple[str, float]] = []

    def batch(
        self,
        prompts: Sequence[Sequence[int]],
        *,
        max_new: int,
        stop: Collection[int] = (),
        temperature: float = 0.0,
        seed: int = 0,
    ) -> list[list[int]]:
        found = []
        for place, prompt in enumerate(prompts):
            tokens = [VOCABULARY[i] for i in prompt]
            self.asked.append((tokens[-1], temperature))
            said = self.answer(tokens, 100 * seed + place if temperature else -1)
            assert EOS not in said
            found.append([IDS[token] for token in said][: min(max_new, self.context - len(prompt))])
        assert IDS[EOS] in stop
        return found


def always(*tokens: str) -> Scripted:
    return Scripted(lambda prompt, seed: tokens)


def question(source: str, call: str, output: Any, entry: str = "f") -> Question:
    return Question("q", source, entry, call, repr(output))


def small(count: int) -> list[Question]:
    return questions.generated(count, generate_small, first=10**9).asked


def truths(asked: Sequence[Asked]) -> dict[tuple[str, ...], Sequence[str]]:
    return {each.prompt: each.truth[:-1] for each in asked if each.truth}


def groups(source: str) -> list[str]:
    return ["loop" if "for" in source else "no loop"]


@pytest.fixture(scope="module")
def asked() -> list[Asked]:
    return [prepare(each) for each in [*small(40), question(SOURCE, "f('xbca', 3)", "aaa-bbb-ccc")]]


# Questions as the model is asked them --------------------------------------------------------------------------------


def test_prepared_questions_hold_the_true_monologue() -> None:
    found = prepare(question(SOURCE, "f('xbca', mark='+')", "aa+bb+cc"))
    flat = flatten(SOURCE)
    assert list(found.prompt) == ask_forward(flat, ["xbca", 2, "+"])
    assert found.truth[-1] == EOS
    assert list(found.truth[:-1]) == execute(flat, ["xbca", 2, "+"]).tokens
    assert not found.beyond
    assert not found.is_trivial


@pytest.mark.parametrize(("kind", "last"), [(DIRECT, 1), (LINES, 1)])
def test_other_kinds_have_their_own_prompt_and_truth(kind: str, last: int) -> None:
    asked = question(SOURCE, "f('xbca')", "aa-bb-cc")
    found, monologue = prepare(asked, kind), prepare(asked)
    assert found.prompt == (*monologue.prompt[:-1], kind)
    assert stated(found.truth[:-1]) == "aa-bb-cc"
    assert len(found.truth) < len(monologue.truth)
    assert found.run is not None


@pytest.mark.parametrize(
    ("source", "call", "output", "reason"),
    [
        ("import os\ndef f(x): return x", "f(1)", 1, "more than one function"),
        ("def f(x): return g(x)", "f(1)", 1, "a call of g"),
        ("def f(x): return x", "f(len('a'))", 1, "no literals"),
        ("def f(x): return x", "f(1, y=2)", 1, "other arguments"),
        ("def f(x): return x", "f()", 1, "other arguments"),
        ("def f(x) return x", "f(1)", 1, "SyntaxError"),
        ("def f(x): return x * 300", "f('a')", "a" * 300, "too long"),
        ("def f(x):\n    while x < 500:\n        x += 1\n    return x", "f(0)", 500, "too long"),
    ],
)
def test_what_cannot_be_asked_says_why(source: str, call: str, output: Any, reason: str) -> None:
    found = prepare(question(source, call, output))
    assert reason in found.beyond
    assert not found.prompt


def test_instructions_that_come_to_another_value_are_told_and_no_truth() -> None:
    found = prepare(question("def f(x): return x + 1", "f(1)", 3))
    assert not found.beyond
    assert found.prompt
    assert found.run is None
    assert not found.truth
    assert beyond([found])["unsound"] == 1


@pytest.mark.parametrize(
    ("call", "output", "trivial"),
    [("f('a', 7)", 7, True), ("f('a', 7)", True, True), ("f('a', 1.0)", 1, True), ("f('a', 7)", 7.0, False),
     ("f('a', 7)", [], True), ("f('a', n=[1])", [1], True), ("f('a', 7)", [0], False)],
)  # fmt: skip
def test_answers_that_need_no_thought(call: str, output: Any, trivial: bool) -> None:
    assert prepare(question("def f(x, n): return x", call, output)).is_trivial is trivial


# Steps ---------------------------------------------------------------------------------------------------------------


@given(st.integers(0, 10**6))
def test_steps_are_those_that_ran_and_cover_the_monologue(seed: int) -> None:
    program, calls = generate_small(seed)
    flat = flatten(program.source)
    for call in calls:
        run = execute(flat, eval(call.text, {"f": lambda *given: list(given)}))
        truth = [*run.tokens, EOS]
        found = steps(flat, truth)
        assert len(found) == run.steps
        assert [step.start for step in found] == [0, *(step.end for step in found[:-1])]
        assert found[-1].end == len(truth)
        assert all(len(step.parts) == step.end - step.start for step in found)
        assert all(step.parts[-1] == "next label" for step in found)


def _parts_of(source: str, *arguments: Any, operation: str) -> list[tuple[str, str]]:
    flat = flatten(source)
    truth = [*execute(flat, list(arguments)).tokens, EOS]
    step = next(step for step in steps(flat, truth) if step.operation == operation)
    return list(zip(step.parts, truth[step.start : step.end], strict=True))


def test_parts_of_a_step() -> None:
    operand, scratch, result, following = PARTS
    assert _parts_of("def f(a):\n    b = a + 1\n    return b", 4, operation="binary +") == [
        (following, "L0"), (operand, "4"), (operand, "+"), (operand, "1"), (result, "v1"), (result, "="),
        (result, "5"), (following, "L1"),
    ]  # fmt: skip
    found = _parts_of("def f(a):\n    b = a.upper()\n    return b.rfind('X')", "xy", operation="method .rfind")
    assert [part for part, _ in found] == [operand] * 8 + [scratch] * 6 + [result] * 2 + [following]
    found = _parts_of("def f(a):\n    return a[1:]", "x#!", operation="slice")
    assert [part for part, _ in found] == [following] + [scratch] * 3 + [result] * 5 + [following]
    found = _parts_of("def f(a):\n    a.reverse()\n    return a", [1, "#"], operation="method .reverse")
    assert [part for part, _ in found] == [following] + [scratch] * 6 + [result] * 7 + [following]
    found = _parts_of("def f(a):\n    return int(a)", "x", operation="call int")
    assert [part for part, _ in found] == [following, operand, result, result, following]
    found = _parts_of("def f(a):\n    return '!' in a", ["!"], operation="compare in")
    assert [part for part, _ in found] == [following, operand, operand] + [scratch] * 4 + [result] * 2 + [following]


# Forward -------------------------------------------------------------------------------------------------------------


def test_the_truth_scores_all(asked: list[Asked]) -> None:
    known = truths(asked)
    document, found = forward(asked, Scripted(lambda prompt, seed: known[tuple(prompt)]), groups)
    assert document["all"]["right"] == document["exact"]["right"] == len(asked)
    assert document["neither argument nor constant"]["percent"] == 100.0
    assert document["diverged"]["n"] == document["unreadable"] == document["cut"] == 0
    assert document["tokens"] == sum(len(each.truth) for each in asked)
    assert sum(part["n"] for part in document["by length"].values()) == len(asked)
    assert all(divergence(each) is None for each in found)
    json.dumps(document)


@pytest.mark.parametrize("garbage", [[], ["return"], ["return", "“", "a"], ["L0", "→"], ["return", "{", ":"]])
def test_garbage_scores_none(asked: list[Asked], garbage: list[str]) -> None:
    document, _ = forward(asked, always(*garbage), groups)
    assert document["all"]["right"] == 0
    assert document["unreadable"] == len(asked)
    assert document["diverged"]["n"] == len(asked)


def test_tokens_beyond_the_vocabulary_are_garbage(asked: list[Asked]) -> None:
    class Filled(Scripted):
        def batch(self, prompts: Sequence[Sequence[int]], **_: Any) -> list[list[int]]:
            return [[len(VOCABULARY) + 3] for _ in prompts]

    assert forward(asked, Filled(lambda prompt, seed: []), groups)[0]["all"]["right"] == 0


def test_an_answer_that_fills_the_context_is_wrong() -> None:
    found = prepare(question(SOURCE, "f('xbca')", "aa-bb-cc"))
    whole = len(found.prompt) + len(found.truth)
    for context, cut in ((whole, 0), (whole - 1, 1)):
        decoder = Scripted(lambda prompt, seed: found.truth[:-1], context)
        document, _ = forward([found], decoder, groups)
        assert (document["all"]["right"], document["cut"]) == (1 - cut, cut)
    assert not prepare(found.question, context=whole).beyond
    assert "too long" in prepare(found.question, context=whole - 1).beyond


def test_what_cannot_be_asked_is_wrong() -> None:
    asked = [prepare(question("def f(x): return x", "f(7)", 7)), prepare(question("def f(x): return g(x)", "f(7)", 7))]
    known = truths(asked)
    document, found = forward(asked, Scripted(lambda prompt, seed: known[tuple(prompt)]), groups)
    assert (document["all"]["n"], document["all"]["right"]) == (2, 1)
    assert (document["asked"]["n"], document["asked"]["right"]) == (1, 1)
    assert len(found) == 1
    assert beyond(asked)["share"]["right"] == 1
    assert baselines(asked)["first argument"]["right"] == 2
    assert baselines(asked)["most frequent value"]["right"] == 2


@given(st.integers(0, 10**6), st.randoms(use_true_random=False))
def test_one_changed_token_is_found_in_its_step(seed: int, chance: random.Random) -> None:
    program, (call, *_) = generate_small(seed)
    space: dict[str, Any] = {}
    exec(program.source, space)
    asked = prepare(question(program.source, call.text, eval(call.text, space)))
    assert asked.flat is not None
    at = chance.randrange(len(asked.truth) - 1)
    said = list(asked.truth[:-1])
    said[at] = chance.choice([token for token in ("7", "L3", "→", "'x'", "[") if token != said[at]])
    (found,) = answered([asked], always(*said))
    step = next(step for step in steps(asked.flat, asked.truth) if step.start <= at < step.end)
    assert divergence(found) == (step.operation, step.parts[at - step.start])


def test_a_wrong_value_of_the_right_form_is_wrong() -> None:
    asked = [prepare(question("def f(x): return x == 1", "f(1)", True))]
    for said in ("1", "False"):
        document, _ = forward(asked, always("return", said), groups)
        assert document["all"]["right"] == 0
        assert document["unreadable"] == 0


# Voting, steps -------------------------------------------------------------------------------------------------------


def test_a_vote_of_the_readable_answers() -> None:
    asked = [prepare(question("def f(x): return x + 1", "f(1)", 2))]
    said = {-1: ["return", "3"], 0: ["return", "2"], 100: ["return"], 200: ["return", "2"], 300: ["return", "3"]}
    decoder = Scripted(lambda prompt, seed: said[seed])
    greedy = answered(asked, decoder)
    assert voted(asked, greedy, decoder, votes=2)["all"]["right"] == 0  # one each, the greedy one stands
    assert voted(asked, greedy, decoder, votes=2)["right among them"]["right"] == 1
    assert voted(asked, greedy, decoder, votes=3)["all"]["right"] == 1
    assert voted(asked, greedy, decoder, votes=4)["all"]["right"] == 0
    assert {temperature for _, temperature in decoder.asked} == {0.0, 0.6}


def test_single_steps_under_a_true_prefix(asked: list[Asked]) -> None:
    def true(ids: list[int]) -> list[int]:
        whole = next(each for each in asked if [IDS[t] for t in (*each.prompt, *each.truth)][: len(ids)] == ids)
        return [*ids[1:], IDS[whole.truth[-1]]]

    def blind(ids: list[int]) -> list[int]:
        """Knows all but where to go on after an append."""
        found = true(ids)
        for place in range(len(found) - 1):
            if found[place] == IDS["]"] and VOCABULARY[found[place + 1]].startswith("L"):
                found[place + 1] = IDS[EOS]
        return found

    all_right, some, none = (single_steps(asked, forced) for forced in (true, blind, lambda ids: [0] * len(ids)))
    assert all_right["all"]["percent"] == 100.0
    assert none["all"]["right"] == 0
    assert 0 < some["all"]["right"] < some["all"]["n"]
    wrong = {part for part, found in some["tokens by part"].items() if found["right"] < found["n"]}
    assert wrong == {"next label"}
    assert sum(part["n"] for part in all_right["by operation"].values()) == all_right["all"]["n"]


# Inverse -------------------------------------------------------------------------------------------------------------

ADD = "def f(a, b=5): return a + b"


def _adds(proposals: Sequence[str], known: Callable[[int, int], Any] = lambda a, b: a + b) -> Scripted:
    """Proposes these arguments (greedy first), and simulates by `known`."""

    def answer(prompt: list[str], seed: int) -> Sequence[str]:
        if prompt[-1] == INVERSE:
            return proposals[min(seed + 1, len(proposals) - 1)].split()
        a, b = (int(prompt[place + 2]) for place in (prompt.index("args") + 1, prompt.index("args") + 4))
        return ["return", *write(known(a, b))]

    return Scripted(answer)


def test_the_first_proposal_whose_simulation_fits_is_taken() -> None:
    decoder = _adds(["v0 = 1 v1 = 2", "v0 = 3 v1 =", "v0 = 1 v1 = 2", "v0 = 4", "v0 = 1 v1 = 8", "v0 = 2 v1 = 7"])
    found = invert(decoder, flatten(ADD), 9, tries=6)
    assert found.arguments == [4]
    assert found.agreed
    assert found.greedy == [1, 2]
    assert found.simulation == ("return", "9")
    assert 2 <= found.tried <= 4


def test_without_agreement_the_nearest_proposal_stands_the_first_of_equals() -> None:
    decoder = _adds(["v0 = 1 v1 = 2", "v0 = 4 v1 = 2", "v0 = 4 v1 = 7", "v0 = 4 v1 = 8"], lambda a, b: [a, b, b])
    found = invert(decoder, flatten(ADD), [4, 7, 8], tries=4)
    assert (found.arguments, found.agreed, found.greedy) == ([4, 7], False, [1, 2])
    assert found.simulation == ("return", *write([4, 7, 7]))


def test_a_class_is_no_argument() -> None:
    found = invert(_adds(["v0 = int v1 = 2", "v0 = 4 v1 = 5"]), flatten(ADD), 9, tries=3)
    assert (found.arguments, found.agreed, found.greedy) == ([4, 5], True, None)


def test_the_greedy_proposal_stands_where_none_is_more_like_it() -> None:
    decoder = _adds(["v0 = 1 v1 = 2", "v0 = 2 v1 = 2"])
    found = invert(decoder, flatten(ADD), "x", tries=4)
    assert (found.arguments, found.agreed, found.tried) == ([1, 2], False, 2)
    assert found.simulation == ("return", "3")
    assert sum(opener == INVERSE for opener, _ in decoder.asked) == 4


def test_one_try_draws_nothing() -> None:
    decoder = _adds(["v0 = 1 v1 = 2"])
    assert not invert(decoder, flatten(ADD), 9, tries=1).agreed
    assert decoder.asked == [(INVERSE, 0.0), (ANSWER, 0.0)]


def test_questions_are_answered_in_order_and_together() -> None:
    decoder = _adds(["v0 = 1 v1 = 2", "v0 = 4 v1 = 5"])
    flat = flatten(ADD)
    found = invert_all(decoder, [(flat, 3), (flat, object()), (flat, 9), (flat, 1)], tries=3)
    assert [one.agreed for one in found] == [True, False, True, False]
    assert [one.arguments for one in found] == [[1, 2], None, [4, 5], [1, 2]]
    assert found[1].tried == 0


def test_unreadable_proposals_are_no_arguments() -> None:
    found = invert(_adds(["v0 = [ 1"]), flatten(ADD), 9, tries=3)
    assert (found.arguments, found.agreed, found.tried, found.simulation) == (None, False, 0, ())


@given(st.lists(st.one_of(st.integers(-200, 200), st.text(max_size=4), st.lists(st.booleans())), max_size=2))
def test_arguments_are_read_as_they_are_written(arguments: list[Any]) -> None:
    flat = flatten("def f(a=1, b=2): return a")
    assert stated_arguments(write_arguments(arguments)[:-1], flat) == arguments


@pytest.mark.parametrize("text", ["", "v1 = 1", "v0 = 1 v1 = 2 v2 = 3", "v0 1", "v0 = 1 v0 = 2", "v0 = 1 ["])
def test_what_is_no_list_of_arguments(text: str) -> None:
    with pytest.raises(Unreadable):
        stated_arguments(text.split(), flatten(ADD))


def test_an_inverse_question_needs_no_call_that_can_be_read() -> None:
    asked = [prepare(question(ADD, "f(int('4'), 5)", 9))]
    assert asked[0].flat is None
    found: Document = inverse(asked, _adds(["v0 = 4 v1 = 5"]), lambda calls: [True] * len(calls), tries=1)
    assert (found["asked"]["right"], found["checked"]["right"]) == (1, 1)


@pytest.mark.parametrize("output", ["1j", "...", "f()"])
def test_an_output_that_the_language_cannot_write_is_not_asked_for(output: str) -> None:
    asked = [prepare(question(ADD, "f(4, 5)", 9)), prepare(Question("2", ADD, "f", "f(1)", output))]
    found: Document = inverse(asked, _adds(["v0 = 1 v1 = 2"]), lambda calls: [False] * len(calls), tries=1)
    assert (found["asked"]["right"], found["asked"]["n"]) == (1, 2)
    assert found["right where only near"]["n"] == 1


def test_a_question_without_a_proposal_is_not_near() -> None:
    asked = [prepare(question(ADD, "f(4, 5)", 9))]
    found: Document = inverse(asked, _adds(["v0 = ["]), lambda calls: [], tries=2)
    assert (found["asked"]["right"], found["no arguments"], found["right where only near"]["n"]) == (1, 1, 0)


def test_inverse_is_judged_by_execution() -> None:
    asked = [prepare(question(ADD, "f(4, 5)", 9)), prepare(question(ADD, "f(4, 5)", 3, entry="g"))]
    judged: list[str] = []

    def verdicts(proposed: Sequence[tuple[Question, str]]) -> list[bool | None]:
        judged.extend(call for _, call in proposed)
        return [eval(call, {"f": lambda a, b=5: a + b}) == eval(one.output) for one, call in proposed]

    # The model believes that 1 + 2 is 9: it agrees with itself, and is wrong.
    lying = _adds(["v0 = 1 v1 = 2", "v0 = 4 v1 = 5"], lambda a, b: 9)
    found: Document = inverse(asked, lying, verdicts, tries=3)
    assert found["greedy"]["right"] == found["checked"]["right"] == 0
    assert found["agreed"]["right"] == 1
    assert found["right where agreed"]["right"] == 0
    honest = _adds(["v0 = 1 v1 = 2", "v0 = 4 v1 = 5"])
    found = inverse(asked, honest, verdicts, tries=3)
    assert (found["greedy"]["right"], found["checked"]["right"], found["checked"]["n"]) == (0, 1, 2)
    assert judged == ["f(1, 2)"] * 3 + ["f(4, 5)"]


@pytest.mark.parametrize(("one", "other", "equal"), [(1, 1, True), (1, True, False), (1, 1.0, False), ([1], [1], True)])
def test_values_are_the_same_by_python_and_type(one: Any, other: Any, equal: bool) -> None:
    assert same(one, other) is equal


# Sets ----------------------------------------------------------------------------------------------------------------


def test_questions_of_a_file(tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_text(json.dumps({"id": "a", "code": "def f(x):\n    return x", "input": "1", "output": "1"}) + "\n")
    assert questions.cruxeval(file).asked == [Question("a", "def f(x):\n    return x", "f", "f(1)", "1")]
    file.write_text('{"code": "def f(x): return x", "input": 1}\n')
    with pytest.raises(InputError, match=r"rows\.jsonl:1: the field input must be a text"):
        questions.cruxeval(file)


def test_asserts_become_calls_that_are_executed(tmp_path: Path) -> None:
    tests = ["assert g([1, 2], k=3) == 99", "assert g(open('x')) == 1", "assert g([]) == 0", "assert not g([1])"]
    row = {"task_id": 7, "code": "def g(xs, k=1):\r\n    return xs[0] + k", "test_list": tests}
    (tmp_path / "mbpp_some.jsonl").write_text(json.dumps(row) + "\n")
    found = questions.mbpp(tmp_path)
    (one,) = found.asked
    assert (one.id, one.entry, one.call, one.output) == ("7/0", "g", "g([1, 2], k=3)", "4")
    assert sum(found.left_out.values()) == 3
    assert found.left_out["the call raised"] == 1
    assert not prepare(one).beyond
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(InputError, match="no file mbpp"):
        questions.mbpp(empty)


def test_library_functions_that_the_model_can_read() -> None:
    found = questions.stdlib(3, modules="textwrap,keyword,posixpath,stat,colorsys,string")
    assert found.left_out["beyond the language"] > 0
    assert 0 < len({each.source for each in found.asked}) <= 3
    assert all(flatten(each.source, each.entry) for each in found.asked)
    assert found == questions.stdlib(3, modules="textwrap,keyword,posixpath,stat,colorsys,string")


def test_generated_programs_that_were_trained_on_are_left_out() -> None:
    first = 10**9
    whole = questions.generated(5, generate_small, first=first)
    assert len({each.source for each in whole.asked}) == 5
    found = questions.generated(5, generate_small, first=first, trained=[1, first + 2, first + 3])
    assert found.asked == [*whole.asked[:2], whole.asked[4]]
    assert found.left_out["the program was trained on"] == 2


# Printing ------------------------------------------------------------------------------------------------------------


def test_tables_and_shares() -> None:
    document = {"all": share(1, 4), "none": share(0, 0), "by": {str(n): n for n in range(30)}}
    lines = list(table(document, most=20))
    assert lines[0].split() == ["all", "25.00", "%", "[4.6,", "69.9]", "1", "of", "4"]
    assert lines[1].split() == ["none", "-"]
    assert lines[-1].strip() == "... and 10 more"

"""The narrator, the reader and the checker, part by part."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from semcoder.core import Invocation
from semcoder.monologue import Backward, proposed_call, style, verify
from semcoder.monologue.purpose import first_sentence
from semcoder.monologue.sentences import CLAUSES, Fact, mask, read_clauses, read_sentences, span, write, write_sentence
from semcoder.monologue.solving import Found
from semcoder.tracing import trace_here
from tests.programs import PROGRAMS

CODE = (
    st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Co")), min_size=1).map(str.strip).filter(bool)
)
SIMPLE = [k for k in CLAUSES if k not in ("called", "must_start")]


@given(CODE)
def test_any_code_survives_a_span(code: str) -> None:
    assert mask(f"a {span(code)} b")[1] == [code]


@given(st.data())
def test_what_is_written_is_read_back(data: st.DataObject) -> None:
    facts = []
    for kind in data.draw(st.lists(st.sampled_from(SIMPLE), min_size=1, max_size=4)):
        template = CLAUSES[kind]
        codes = [data.draw(CODE) for _ in range(template.count("§"))]
        rest = ["2" for _ in range(template.count("#"))] + ["true" for _ in range(template.count("@"))]
        facts.append(Fact(kind, (*codes, *rest)))
    assert read_clauses(write(facts)) == facts


def test_arguments_are_read_back() -> None:
    facts = [Fact("called", ("f", "a", "' and `b` = 1'", "b", "2"))]
    assert read_clauses(write(facts)) == facts
    assert read_sentences(write_sentence(3, facts))[0].line == 3


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("`f` squares it", "`f` squares it"),
        ("squares things. And more.", "squares things."),
        ("f(x) -> int\n\n>>> f(1)", "f(x) -> int"),
        ("Return e.g. one thing\nover two lines.\n\nDetails.", "Return e.g."),
        ("", ""),
    ],
)
def test_first_sentence(name: str, text: str) -> None:
    assert first_sentence(name) == text


@pytest.mark.parametrize("detail", ["line", "expression"])
@pytest.mark.parametrize("name", PROGRAMS)
def test_every_statement_is_claimed_and_every_claim_holds(name: str, detail: str) -> None:
    trace = trace_here(*PROGRAMS[name])
    text = style("forward").render(trace, detail=detail).text  # type: ignore[arg-type]
    claims = verify(text, trace_here(*PROGRAMS[name]))
    assert [c for c in claims if c.verdict is not True] == []
    told = sum(c.kind == "order" and "runs next" in c.text for c in claims)
    assert told == sum(step.kind != "resume" for step in trace.steps)


@pytest.mark.parametrize(
    ("old", "new", "true"),
    [
        ("`n` becomes `2`", "`n` becomes `3`", "n becomes 2"),
        ("iteration 2 of", "iteration 3 of", "iteration 2"),
        ("after 3 iterations", "after 4 iterations", "after 3 iterations"),
        ("is true; the `if` body runs", "is true; the `if` body is skipped", "the `if` body runs"),
        ("Line 4: iteration 2", "Line 5: iteration 2", "line 4 runs next"),
        ("from `[]` to `[4]`", "from `[1]` to `[4]`", "from [] to [4]"),
        ("`n % 2` is `1`", "`n % 2` is `True`", "n % 2 is 1"),
        ("The call returns `[4, 16]`", "The call returns `[16, 4]`", "The call returns `[4, 16]`"),
    ],
)
def test_a_changed_place_is_named_with_what_was_true(old: str, new: str, true: str) -> None:
    trace = trace_here(*PROGRAMS["loop"])
    text = style("forward").render(trace).text
    assert old in text
    false = [c for c in verify(text.replace(old, new, 1), trace) if c.verdict is False]
    assert any(true in c.actual for c in false), false


def test_other_spellings_of_the_same_value_and_expression_hold() -> None:
    trace = trace_here('def f(s):\n    t = s + "it\'s"\n    if len(t)>1:\n        return t\n', "f('a')")
    text = style("forward").render(trace).text
    text = text.replace('`"ait\'s"`', "`'ait\\'s'`").replace("len(t)>1", "len( t ) > 1")
    assert [c for c in verify(text, trace) if c.verdict is not True] == []


def test_a_right_answer_after_a_wrong_step_is_still_wrong() -> None:
    trace = trace_here(*PROGRAMS["loop"])
    text = style("forward").render(trace).text.replace("`n` becomes `1`", "`n` becomes `10`")
    assert [c.kind for c in verify(text, trace) if c.verdict is False] == ["becomes"]


def test_a_text_that_stops_early_is_false() -> None:
    trace = trace_here(*PROGRAMS["loop"])
    rows = style("forward").render(trace).text.split("\n")
    claims = verify("\n".join(rows[:5]), trace)
    assert claims[-1].kind == "complete"
    assert claims[-1].verdict is False


def test_prose_that_cannot_be_read_is_unchecked_not_true() -> None:
    trace = trace_here(*PROGRAMS["loop"])
    claims = verify("Line 1: it is a fine day.", trace)
    assert [c.verdict for c in claims if c.kind == "unread"] == [None]


@pytest.mark.parametrize("name", [n for n in PROGRAMS if n != "raises"])
def test_backward_claims_hold_for_the_proposed_input(name: str) -> None:
    trace = trace_here(*PROGRAMS[name])
    monologue = Backward().render(trace, found=Found(trace.invocation.text, "inversion", (), 1))
    assert proposed_call(monologue.text) == style("backward").parse(monologue.text) == PROGRAMS[name][1]
    claims = verify(monologue.text, trace)
    assert [c for c in claims if c.verdict is not True] == []


def test_a_wrong_backward_step_is_found() -> None:
    trace = trace_here(*PROGRAMS["loop"])
    text = Backward().render(trace).text
    changed = text.replace("`result` must become `[4]`", "`result` must become `[5]`")
    assert changed != text
    assert any(c.verdict is False and "`[5]`" in c.text for c in verify(changed, trace))


def test_a_search_says_that_it_searched() -> None:
    trace = trace_here(*PROGRAMS["loop"])
    assert (
        "a search that ran 12 candidates"
        in Backward().render(trace, found=Found(trace.invocation.text, "search", (), 12)).text
    )


LOOP = PROGRAMS["loop"]


@pytest.mark.parametrize(
    "addition",
    [
        "In the end, the call returns `[16, 4]`.",
        "As you see, it takes 7 iterations.",
        "`result` becomes `[99]`.",
        "That is all. The call returns `[7]`.",
    ],
)
def test_statements_outside_the_steps_are_not_passed_over(addition: str) -> None:
    trace = trace_here(*LOOP)
    text = style("forward").render(trace).text
    assert any(claim.verdict is not True for claim in verify(f"{text}\n{addition}", trace))
    assert all(claim.verdict is True for claim in verify(f"{text}\nThat was easy.", trace))


def test_a_text_without_its_outcome_is_not_complete() -> None:
    trace = trace_here(*LOOP)
    text = style("forward").render(trace).text.rpartition("\n")[0]
    assert [c.kind for c in verify(text, trace) if c.verdict is False] == ["complete"]


def test_a_loop_that_ends_does_not_begin_another_iteration() -> None:
    trace = trace_here(*PROGRAMS["while_else"])
    text = style("forward").render(trace).text
    changed = text.replace("the loop ends after 2 iterations", "iteration 3 of the loop begins")
    assert changed != text
    assert any(c.verdict is False for c in verify(changed, trace))


def test_a_local_is_not_a_global() -> None:
    trace = trace_here(*LOOP)
    text = style("forward").render(trace).text.replace("`n` becomes `2`", "the global `n` becomes `2`")
    assert any(c.verdict is False and "global" in c.text for c in verify(text, trace))


def test_a_variable_has_its_old_value_until_its_change_is_told() -> None:
    trace = trace_here("def f(x):\n    x = x + 1\n    return x\n", "f(1)")
    text = style("forward").render(trace).text
    assert "Line 2: `x` becomes `2`." in text
    early = text.replace("Line 2: `x` becomes `2`.", "Line 2: `x` is `2`, so `x` becomes `2`.")
    assert any(c.verdict is False for c in verify(early, trace))


TRUE_BUT_TRICKY = {
    "finally_returns": ("def f():\n    try:\n        return 1\n    finally:\n        return 2\n", "set to return `1`"),
    "finally_raises": ("def f():\n    try:\n        return 1\n    finally:\n        [][0]\n", "set to return `1`"),
    "finally_goes_on": ("def f():\n    try:\n        return 1\n    finally:\n        x = 2\n", "`f` returns `1`"),
    "no_import": ("def f():\n    import no_such_module\n", "is raised"),
    "no_items": ("def f():\n    for x in 3:\n        pass\n", "is raised"),
    "no_manager": ("def f():\n    with 3:\n        pass\n", "is raised"),
    "form_feed": ("def f():\n    x = 3\n\f    if x == 1:\n        y = 1\n    elif x == 2:\n        y = 2\n", "next `elif`"),
    "guard": ("def f():\n    match [1]:\n        case [a] if a > 3:\n            return 1\n        case [a]:\n            return a\n", "the case `[a]`"),
    "hidden": ("def f():\n    x, xs = 9, [-1, 2]\n    return [x for x in xs if x > 0] and (1 if x > 0 else 2)\n", "is true"),
    "twice": ("def f():\n    it = iter([len, 3])\n    return (next(it), next(it))[1]\n", "`next(it)` is `3`"),
}  # fmt: skip


@pytest.mark.parametrize("name", TRUE_BUT_TRICKY)
@pytest.mark.parametrize("detail", ["line", "expression"])
def test_what_is_said_of_tricky_programs_is_true(name: str, detail: str) -> None:
    source, said = TRUE_BUT_TRICKY[name]
    trace = trace_here(source, "f()")
    text = style("forward").render(trace, detail=detail).text  # type: ignore[arg-type]
    assert said in text
    assert [c for c in verify(text, trace) if c.verdict is not True] == []
    if trace.outcome.status == "raised":
        assert not any(f"{word}s" in text.splitlines()[-2] for word in ("block begin", "is imported", "loop over"))
        assert "`f` returns" not in text


@pytest.mark.parametrize("call", ["evens(3)", "evens(missing)"])
def test_a_call_of_which_no_line_ran_is_told_by_its_outcome(call: str) -> None:
    trace = trace_here("def evens(n):\n    yield n\n", call)
    text = style("forward").render(trace).text
    assert text.count("\n") == 1
    assert all(claim.verdict is True for claim in verify(text, trace))


def test_an_exception_that_a_with_block_swallows_is_told() -> None:
    source = "import contextlib\ndef f():\n    with contextlib.suppress(ValueError):\n        raise ValueError(1)\n    return 2\n"
    trace = trace_here(source, "f()")
    text = style("forward").render(trace).text
    assert "`ValueError(1)` is raised" in text
    assert all(claim.verdict is True for claim in verify(text, trace))


def test_a_loop_over_a_generator_of_the_program_backwards() -> None:
    source = "def g(n):\n    for i in range(n):\n        yield i\n\ndef f(n):\n    t = 0\n    for x in g(n):\n        t += x\n    return t\n"
    trace = trace_here(source, "f(3)")
    assert all(claim.verdict is True for claim in verify(Backward().render(trace).text, trace))


def test_an_exception_in_the_head_of_a_running_loop_is_told_there() -> None:
    source = "def f(xs):\n    t = 0\n    for a, b in xs:\n        t += a\n    return t\n"
    trace = trace_here(source, "f([(1, 2), 3])")
    text = style("forward").render(trace).text
    told = "Line 3: the loop turns to item 2; `TypeError('cannot unpack non-iterable int object')` is raised"
    assert told in text
    assert "Line 4: `t` goes from `0` to `1`.\n" in text
    assert all(claim.verdict is True for claim in verify(text, trace))
    for wrong in ("Line 3: the loop turns to item 3;", "Line 3: iteration 2 of the loop begins;"):
        changed = text.replace("Line 3: the loop turns to item 2;", wrong)
        assert any(claim.verdict is False for claim in verify(changed, trace))


def test_a_while_loop_whose_test_calls_twice_is_counted_on() -> None:
    source = "def g(n):\n    return n\n\n\ndef f(n):\n    while g(n) > (k := g(1)):\n        n -= k\n    return n\n"
    trace = trace_here(source, "f(3)")
    text = style("forward").render(trace).text
    assert "so the condition `g(n) > (k := g(1))` is true; iteration 2 of the loop begins." in text
    assert "is false; the loop ends after 2 iterations." in text
    assert all(claim.verdict is True for claim in verify(text, trace))
    rows = style("steps").render(trace).text
    assert "iteration 2 begins" in rows
    assert "the loop ends after 2 iterations" in rows


PROGRAM = "n = int(input())\nfor k in range(n):\n    print(n * k)\n"


def test_every_claim_about_a_whole_program_is_true() -> None:
    trace = trace_here(PROGRAM, Invocation("2", "stdin"))
    text = style("forward").render(trace).text
    assert text.startswith("Line 0: the program starts.\n")
    claims = verify(text, trace)
    assert [claim.text for claim in claims if claim.verdict is not True] == []
    assert [claim.text for claim in claims][:2] == ["line 0 runs next", "the program starts"]


def test_a_program_without_statements_is_told() -> None:
    trace = trace_here("# nothing\n", Invocation("", "stdin"))
    text = style("forward").render(trace).text
    assert text == "Line 0: the program starts.\nThe program ends and prints nothing."
    assert all(claim.verdict for claim in verify(text, trace))


def test_a_whole_program_starts_once() -> None:
    trace = trace_here(PROGRAM, Invocation("2", "stdin"))
    text = style("forward").render(trace).text
    claims = verify(text.replace("starts.", "starts.\nLine 0: the program starts.", 1), trace)
    assert [claim.text for claim in claims if claim.verdict is False] == ["line 0 runs next"]


def test_a_call_is_no_start_of_a_program() -> None:
    trace = trace_here("def f(n):\n    return n\n", "f(1)")
    claims = verify("Line 0: the program starts.\nLine 2: `f` returns `1`.\nThe call returns `1`.", trace)
    assert [claim.verdict for claim in claims if claim.text == "the program starts"] == [False]

"""Reading ordinary English about an execution: what is read, what is not, and where a claim is placed."""

from __future__ import annotations

from typing import Any

import pytest

from semcoder.core import Claim
from semcoder.monologue import style, verify
from semcoder.monologue.checking import settled
from semcoder.tracing import trace_here
from tests.programs import PROGRAMS
from tests.wordings.judging import hard, program_for, verdict_of
from tests.wordings.known import HARD, WORDINGS

LOOP = trace_here(*PROGRAMS["loop"])
RAISES = trace_here("def f(x):\n    print('a b')\n    raise ValueError('bad, x')\n", "f(1)")
TRUE: dict[str, list[tuple[Any, ...]]] = {
    "value": [(3, "result", "[]"), (6, "result", "[4]")],
    "before": [(7, "result", "[4, 16]"), (5, "n", "1")],
    "change": [(6, "result", "[]", "[4]"), (6, "result", "[4]", "[4, 16]")],
    "iterations": [(4, 3)],
    "iteration": [(4, 2, "n", "2"), (4, 3, "n", "4")],
    "loop_end": [(4,)],
    "condition": [(5, "n % 2 == 0", False), (5, "n % 2 == 0", True)],
    "branch": [(5, False, 4), (5, True, 6)],
    "order": [(3, 4), (5, 6), (6, 4)],
    "returns": [("[4, 16]",)],
    "returns_from": [(7, "squares", "[4, 16]")],
    "call": [("squares", "[1, 2, 4]", "[4, 16]")],
    "expression": [(5, "n % 2", "1"), (6, "n * n", "16")],
    "rejected": [("[4]", "[4, 16]")],
    "raises": [("ValueError", "'bad, x'")],
    "prints": [("'a b'",)],
}
FALSE: dict[str, list[tuple[Any, ...]]] = {
    "value": [(3, "result", "[4]"), (6, "result", "[16]"), (6, "n", "1")],
    "before": [(7, "result", "[4]"), (5, "n", "3")],
    "change": [(6, "result", "[]", "[16]"), (6, "result", "[1]", "[4, 16]")],
    "iterations": [(4, 4), (4, 2)],
    "iteration": [(4, 2, "n", "4"), (4, 3, "n", "1")],
    "branch": [(5, True, 4), (5, False, 6)],
    "order": [(3, 6), (6, 5), (7, 4)],
    "returns": [("[4]",), ("[16, 4]",)],
    "returns_from": [(7, "squares", "[4]"), (6, "squares", "[4, 16]")],
    "call": [("squares", "[1, 2, 4]", "[4]")],
    "expression": [(5, "n % 2", "2"), (6, "n * n", "1"), (6, "n % 2", "0")],
    "rejected": [("[4, 16]", "[4]")],
    "raises": [("TypeError", "'bad, x'")],
    "prints": [("'a c'",)],
}


def sentence_verdict(sentence: str, kind: str) -> bool | None:
    trace = RAISES if kind in ("raises", "prints") else LOOP
    return verdict_of(verify(sentence, trace), (0, len(sentence)))


@pytest.mark.parametrize("kind", WORDINGS)
def test_true_facts_are_true_in_every_known_wording(kind: str) -> None:
    said = [wording(*parts) for parts in TRUE[kind] for wording in WORDINGS[kind]]
    assert len(WORDINGS[kind]) >= 8
    assert [s for s in said if sentence_verdict(s, kind) is not True] == []


@pytest.mark.parametrize("kind", FALSE)
def test_false_facts_are_false_wherever_the_wording_tells_the_false_part(kind: str) -> None:
    true = {k: {w(*parts) for parts in TRUE[kind]} for k, w in enumerate(WORDINGS[kind])}
    said = {w(*parts) for parts in FALSE[kind] for k, w in enumerate(WORDINGS[kind]) if w(*parts) not in true[k]}
    assert [s for s in said if sentence_verdict(s, kind) is not False] == []


def test_hard_sentences() -> None:
    assert hard(HARD, show=True) == (len(HARD), len(HARD))


@pytest.mark.parametrize(
    ("text", "verdicts"),
    [
        # A value that the variable has at another time only is false.
        ("After line 6, `result` is `[4]`. After line 6, `result` is `[4, 16]`.", [True, True]),
        ("After line 6, `result` is `[4, 16]`. After line 6, `result` is `[4]`.", [False, True]),
        ("In the second iteration, `n` is 2. In the next iteration, `n` is 4.", [True, True]),
        ("In the third iteration, `n` is 4. In the second iteration, `n` is 2.", [False, True]),
        ("In the third iteration, `n` is 4. Earlier, after line 3, `result` was `[]`.", [True, True]),
        ("On the last iteration, line 6 sets `result` to [4, 16].", [True]),
        ("In the first iteration, line 6 makes result [4].", [False]),
        # Steps may be left out.
        ("Line 3 sets result to []. In the end it returns [4, 16].", [True, True]),
        # A right answer after a wrong step.
        ("After line 3, `result` is `[0]`. The function returns [4, 16].", [False, True]),
        ("x", []),
        ("This is a nice function, isn't it?", []),
        ("Line 6 never mentions `nothing` that is `5`.", [None]),
        ("```\nLine 3: result = [9]\n```\nIt returns [4, 16].", [True]),
        ("1. Line 3: `result = []`\n2. Line 4: n = 1\n", [True, True]),
        ("**Line 3**: `result` is **[]**.", [True]),
        ("The length of `result` is 2 after line 6, and its sum is 20.", [True, True]),
        ("After line 6, `len(result)` is 2.", [True]),
        ("After line 6, result has at least 5.", [None]),
        ("`squares` is called once.", [True]),
        ("`squares` is called twice.", [False]),
        # Words that only place are no claims; an order needs two lines and words of order.
        ("Arriving at line 5, `n` is 1.", [True]),
        ("The block starting at line 6 is skipped (decided at line 5).", [True]),
        ("The block starting at line 6 is entered (decided at line 5). Line 6 sets `result` to [16].", [True, False]),
        ("The body of line 5, i.e. line 6, is run.", [True]),
        ("Line 3 and line 6 are short.", [None]),
        ("Line 4 sets `n` to 1 and line 5 tests `n % 2 == 0`.", [True]),
        # "This" is the whole of what was spoken of.
        ("For line 5 we need `n % 2`; this is 1.", [True]),
        ("For line 5 we need `n % 2`; this is 3.", [False]),
        ("Is `n % 2 == 0`? No (line 5).", [True]),
        ("Line 5 asks whether `n % 2 == 0`; it is not the case.", [True]),
        ("Line 6 appends 4 to `result`, which is now [4].", [True, True]),
        ("Line 6 appends 5 to `result`, which is now [4].", [False, True]),
        ("After line 3, `result` and `numbers` are [] and [1, 2], respectively.", [True, False]),
        ("After line 6, `result` is [4] and so is `n`.", [True, False]),
        ("Line 5 does not change `n`.", [True]),
        ("There are no more passes of the loop at line 4.", [True]),
        ("The loop at line 4 repeats its body three times, no more and no less.", [True]),
        ("The loop at line 4 runs four times, or to be exact, three times.", [True]),
        ("[L4] loop count: 4", [False]),
        ("[L7] return from squares: [4, 16]", [True]),
        ("Thus the output should be [4, 16].", [True]),
        ("The output would be [4] if 4 were left out.", [None]),
        ("It would be a mistake to say that it returns [4], since it returns [4, 16].", [True]),
        ("The claim that it returns [4] is wrong.", [True]),
        ("Does it return [4]? No.", [True]),
        ("Does it return [4]? Yes.", [False]),
        # What comes after "it" comes next; a branch and its block are one claim.
        ("The interpreter runs line 3 and, right after it, line 4.", [True]),
        ("The interpreter runs line 4 and, right after it, line 3.", [False]),
        ("| line 5 | branch at line 6 | skipped |", [True]),
        ("Line 5 keeps execution out of the block starting on line 6.", [True]),
        ("The block at line 6 does not run because `n` is 1, which makes `n % 2 == 0` on line 5 false.", [True] * 3),
        ("With `n` at 1, the test `n % 2 == 0` on line 5 fails.", [True, True]),
        ("Line 5 finds `n % 2 == 0` to be false, and so passes over the block.", [True, True]),
        ("[L5] test `n % 2 == 0`: does not pass", [True]),
        ("[L4] iter 2 -> n = 2", [True]),
        ("L4 #3: n = 1", [False]),
        ("I first guessed [4], but that is incorrect: the correct return value is [4, 16].", [True]),
        ("I first guessed [4, 16], but that is incorrect: the correct return value is [4].", [False]),
        ("What comes back from the call is [4].", [False]),
        ("With `n` at 9, the result would be [81].", [None]),
        ("Line 6 calls append on result with 4, leaving result as [4].", [True, True]),
        ("It is not obvious whether `n` is 1 or 2 on line 5.", [None]),
    ],
)  # fmt: skip
def test_claims_are_placed_along_the_run(text: str, verdicts: list[bool | None]) -> None:
    assert sorted(map(str, (c.verdict for c in verify(text, LOOP)))) == sorted(map(str, verdicts))


def test_what_was_true_stands_beside_a_false_claim() -> None:
    (claim,) = verify("After line 3, `result` is `[4]`.", LOOP)
    assert (claim.verdict, claim.line, claim.actual) == (False, 3, "result is [] after line 3")
    (claim,) = verify("The loop at line 4 runs five times.", LOOP)
    assert claim.actual == "the loop at line 4 runs 3 times"


def test_our_own_style_must_still_tell_every_step() -> None:
    text = style("forward").render(LOOP).text
    assert [c.verdict for c in verify(text.replace("Line 3: `result` becomes `[]`.\n", ""), LOOP)].count(False) > 0


def test_what_comes_out_otherwise_in_another_run_has_no_verdict() -> None:
    false, other = Claim("it", "is", False, "x is 1"), Claim("it", "is", False, "x is 2")
    assert settled([false], [[false]]) == [false]
    assert settled([false], [[false], [other]])[0].verdict is None


def test_no_text_makes_the_reader_fail() -> None:
    pieces = [
        "`",
        "``",
        "line",
        "line 4",
        "'",
        '"',
        "[1, ",
        "(",
        "is",
        "not",
        "`x = `",
        "5",
        "→",
        "\n",
        ".",
        "2nd",
        "#1",
    ]
    for k in range(len(pieces) ** 2):
        verify(" ".join([pieces[k % 17], pieces[k // 17 % 17], pieces[(k * 7) % 17], "`result` is 5"]), LOOP)


def test_the_programs_of_the_hard_sentences_do_what_their_facts_say() -> None:
    source, call = program_for("iteration", {"line": 3, "ordinal": 2, "name": "n", "value": "7"})
    text = "In the second iteration of the loop on line 3, n is 7."
    assert [c.verdict for c in verify(text, trace_here(source, call))] == [True]

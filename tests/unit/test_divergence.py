"""Where two runs part, whose fault it is, and what the sentence says."""

from __future__ import annotations

import ast
import dataclasses

import pytest

from semcoder.debugging.divergence import Divergence, first_divergence
from semcoder.debugging.matching import Matching
from semcoder.tracing import trace_here

COUNT = """def count(words, least):
    found = {}
    for word in words:
        word = word.strip()
        if len(word) < least:
            continue
        found[word] = plus_one(found.get(word, 0))
    return found


def plus_one(number):
    more = number + 1
    return more
"""
CALL = "count(['aa', ' b', 'aa', 'ccc'], 2)"


def parting(good: str, bad: str, call: str = CALL) -> Divergence | None:
    return first_divergence(trace_here(good, call), trace_here(bad, call), good_source=good, bad_source=bad)


def found(good: str, bad: str, call: str = CALL) -> Divergence:
    divergence = parting(good, bad, call)
    assert divergence is not None
    return divergence


def test_two_runs_of_one_version_never_part() -> None:
    assert parting(COUNT, COUNT) is None


def test_other_layout_and_comments_are_no_difference() -> None:
    other = "\n\n" + COUNT.replace("    found = {}\n", "    # what is found\n\n    found = {}  # so far\n")
    assert parting(COUNT, other) is None


def test_a_change_that_does_not_show_is_no_divergence() -> None:
    assert parting(COUNT, COUNT.replace("len(word) < least", "len(word) < 2")) is None


@pytest.mark.parametrize(
    ("before", "after", "line", "sentence"),
    [
        (
            "word.strip()",
            "word",
            4,
            "Line 4 is `word = word` where the good version has `word = word.strip()`: in iteration 2 of the loop at "
            "line 3 `word` stays `' b'`; in the good run `word` becomes `'b'`.",
        ),
        (
            "if len(word) < least:",
            "if len(word) <= least:",
            5,
            "Line 5 is `if len(word) <= least:` where the good version has `if len(word) < least:`: in iteration 1 of "
            "the loop at line 3 the condition is true; in the good run the condition is false.",
        ),
        (
            "number + 1",
            "number + 2",
            12,
            "Line 12 is `more = number + 2` where the good version has `more = number + 1`: `more` becomes `2`; "
            "in the good run `more` becomes `1`.",
        ),
        (
            "return more",
            "return number",
            13,
            "Line 13 is `return number` where the good version has `return more`: `plus_one` returns `0`; in the good "
            "run `plus_one` returns `1`.",
        ),
        (
            "found.get(word, 0)",
            "found.get(word, '')",
            7,
            "Line 7 is `found[word] = plus_one(found.get(word, ''))` where the good version has `found[word] = "
            "plus_one(found.get(word, 0))`: this first shows at line 11, `def plus_one(number):`, where `number` "
            "becomes `''`; in the good run `number` becomes `0`.",
        ),
        (
            "for word in words:",
            "for word in words[1:]:",
            3,
            "Line 3 is `for word in words[1:]:` where the good version has `for word in words:`: the loop is over "
            "`[' b', 'aa', 'ccc']`; in the good run the loop is over `['aa', ' b', 'aa', 'ccc']`.",
        ),
        (
            "            continue\n",
            "            break\n",
            6,
            "Line 6 is `break` where the good version has `continue`: this first shows at line 8, `return found`, "
            "where line 8, `return found`, runs next; in the good run iteration 3 of the loop at line 3 begins.",
        ),
        (
            "        word = word.strip()\n",
            "",
            4,
            "`word = word.strip()` (line 4 of the good version) is missing at line 4: `word` stays `' b'`; in the good "
            "run `word` becomes `'b'`.",
        ),
        (
            "    return found\n",
            "        return found\n    return found\n",
            8,
            "Line 8, `return found`, is not in the good version: in iteration 1 of the loop at line 3 `count` returns "
            "`{'aa': 1}`; in the good run `count` goes on.",
        ),
        (
            "word.strip()",
            "word.trim()",
            4,
            "Line 4 is `word = word.trim()` where the good version has `word = word.strip()`: in iteration 1 of the "
            "loop at line 3 `AttributeError(\"'str' object has no attribute 'trim'\")` is raised; in the good run "
            "nothing is raised.",
        ),
    ],
)
def test_the_sentence_of_a_change(before: str, after: str, line: int, sentence: str) -> None:
    assert COUNT.count(before) == 1
    divergence = found(COUNT, COUNT.replace(before, after))
    assert divergence.sentence == sentence
    assert divergence.line == divergence.statements[0] == line


def test_a_missing_branch_is_blamed_as_a_whole() -> None:
    divergence = found(COUNT, COUNT.replace("        if len(word) < least:\n            continue\n", ""))
    assert divergence.was_text == "if len(word) < least:"
    assert (divergence.line, divergence.good_line, divergence.is_text) == (5, 5, "")


def test_an_elif_that_is_gone_is_not_taken_for_the_next_one() -> None:
    good = "def f(n):\n    if n < 0:\n        return 1\n    elif n < 5:\n        return 2\n    elif n < 9:\n        return 3\n    return 4\n"
    divergence = found(good, good.replace("    elif n < 5:\n        return 2\n", ""), "f(3)")
    assert divergence.was_text == "if n < 5:"
    assert divergence.line == 2  # the `if` whose other branch it was


def test_a_constant_of_the_module_is_blamed_where_it_is_changed() -> None:
    good = "LIMIT = 3\n\ndef f(n):\n    return n < LIMIT\n"
    divergence = found(good, good.replace("3", "2"), "f(2)")
    assert divergence.statements == (1, 3)
    assert divergence.sentence.startswith("Line 1 is `LIMIT = 2` where the good version has `LIMIT = 3`: ")


def test_what_a_lambda_does_later_is_blamed_on_where_it_is_made() -> None:
    good = "def f(xs):\n    key = lambda x: x\n    ys = sorted(xs, key=key)\n    return ys\n"
    divergence = found(good, good.replace("x: x", "x: -x"), "f([1, 2])")
    assert divergence.statements == (2, 3)


def test_a_global_that_only_one_version_mentions_is_no_difference() -> None:
    good = "A = 1\n\ndef f(n):\n    m = n + A\n    return m\n"
    assert found(good, good.replace("n + A", "n"), "f(2)").line == 4


def test_what_the_callers_frame_shows_is_not_blamed_on_it() -> None:
    good = "def f(xs):\n    g(xs)\n    return len(xs)\n\ndef g(ys):\n    ys.append(1)\n    return None\n"
    assert found(good, good.replace("append(1)", "append(2)"), "f([])").line == 6


def test_of_several_changes_the_last_that_ran_is_named_first() -> None:
    bad = COUNT.replace("number + 1", "number + 2").replace("least", "many").replace("found = {}", "found = {**{}}")
    divergence = found(COUNT, bad)
    assert divergence.line == 12
    assert "(the versions also differ at line 5 and line 2)" in divergence.sentence
    assert divergence.statements == (12, 5, 2)


def test_generators_are_followed_from_step_to_step() -> None:
    good = "def f(n):\n    return list(g(n))\n\ndef g(n):\n    for k in range(n):\n        yield k * 2\n"
    divergence = found(good, good.replace("k * 2", "k * 3"), "f(3)")
    assert divergence.line == 6
    assert "`g` yields `3`; in the good run `g` yields `2`" in divergence.sentence


def test_a_recording_that_was_cut_proves_nothing() -> None:
    good = "def f(n):\n    t = 0\n    for k in range(n):\n        t += k\n    return t\n"
    bad = good.replace("return t", "return -t")
    one, two = (trace_here(source, "f(50)", max_events=40) for source in (good, bad))
    assert one.truncated
    assert first_divergence(one, two, good_source=good, bad_source=bad) is None


def test_a_version_that_was_not_compiled_has_no_steps_to_part() -> None:
    good = trace_here(COUNT, CALL)
    bad = dataclasses.replace(good, source="def (", kinds="", sites=[], refs=[])
    assert first_divergence(good, bad, good_source=COUNT, bad_source="def (") is None


def test_another_implementation_is_compared_by_what_it_gives() -> None:
    good = "def f(xs):\n    total = 0\n    for x in xs:\n        total += x\n    return total\n"
    bad = "def f(xs):\n    return len(xs)\n"
    divergence = found(good, bad, "f([2, 3])")
    assert divergence.line == 2


def test_long_values_are_shortened() -> None:
    good = "def f(n):\n    text = 'a' * n\n    return text\n"
    sentence = found(good, good.replace("'a'", "'b'"), "f(1000)").sentence
    assert len(sentence) < 400
    assert " ... " in sentence


# Matching ------------------------------------------------------------------------------------------------------------


def matched(good: str, bad: str) -> list[tuple[int, int]]:
    """Lines of statements of the good version, and of their partners; 0 for none."""
    match = Matching(ast.parse(good), ast.parse(bad))
    statements = [node for node in ast.walk(match.good) if isinstance(node, ast.stmt)]
    pairs = [(node.lineno, getattr(match.partner(node), "lineno", 0)) for node in statements]
    return sorted(pairs)


def test_statements_round_a_change_keep_their_partners() -> None:
    assert matched("a = 1\nb = 2\nc = 3\n", "a = 1\nb = 9\nc = 3\n") == [(1, 1), (2, 2), (3, 3)]
    assert matched("a = 1\nb = 2\nc = 3\n", "a = 1\nc = 3\n") == [(1, 1), (2, 0), (3, 2)]
    assert matched("a = 1\nc = 3\n", "a = 1\nb = 2\nc = 3\n") == [(1, 1), (2, 3)]


def test_a_statement_in_another_block_is_still_itself() -> None:
    good = "def f(a):\n    if a:\n        b = 1\n    return b\n"
    assert matched(good, "def f(a):\n    b = 1\n    return b\n") == [(1, 1), (2, 0), (3, 2), (4, 3)]


def test_functions_are_matched_by_name() -> None:
    good = "def f():\n    return 1\ndef g():\n    return 2\n"
    bad = "def f():\n    return 2\ndef h():\n    return 1\ndef g():\n    return 3\n"
    assert matched(good, bad) == [(1, 1), (2, 2), (3, 5), (4, 6)]


def test_only_what_differs_is_changed() -> None:
    match = Matching(ast.parse("if a < b:\n    c = 1\n"), ast.parse("if a <= b:\n    c = 1\n"))
    assert [type(one).__name__ for one, _ in match.differences()] == ["If"]

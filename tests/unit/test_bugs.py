"""Bugs by mutation: what is changed, where it is said to be, and that nothing else changes."""

from __future__ import annotations

import ast
import difflib
import subprocess
import sys

import pytest

from semcoder.mutation.bugs import KINDS, Bug, bugs, head_of

PROGRAM = '''LIMIT = 3


def pick(items, low, high=LIMIT):
    """Some of the items, and how many there were."""
    kept = []  # of those between
    seen = 0
    for place in range(len(items)):
        item = items[place].strip()
        if item < low and place > 0:
            continue
        elif not item:
            break
        else:
            seen += abs(place - 1)
        kept.append(min(item, high))
    for item in kept:
        if item == "":
            return kept[1:place], False
        seen = seen * 2
    return kept, seen
'''


def made(source: str, n: int = 500, **options: int) -> list[Bug]:
    return bugs(source, n=n, seed=options.get("seed", 0))


def one(source: str, kind: str, after: str) -> Bug:
    found = [bug for bug in made(source) if bug.kind == kind and bug.after == after]
    assert len(found) == 1, [bug.after for bug in made(source) if bug.kind == kind]
    return found[0]


def test_every_kind_of_bug_is_made() -> None:
    assert {bug.kind for bug in made(PROGRAM)} == set(KINDS)


def test_a_few_bugs_are_of_many_kinds() -> None:
    assert len({bug.kind for bug in made(PROGRAM, n=10)}) == 10


def test_the_same_seed_gives_the_same_bugs_in_any_process() -> None:
    script = (
        "import sys; from semcoder.mutation.bugs import bugs; print([b.after for b in bugs(sys.argv[1], n=30, seed=3)])"
    )
    runs = [
        subprocess.run(
            [sys.executable, "-c", script, PROGRAM],
            env={"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert runs[0] == runs[1] == f"{[bug.after for bug in bugs(PROGRAM, n=30, seed=3)]}\n"
    assert bugs(PROGRAM, n=30, seed=3) != bugs(PROGRAM, n=30, seed=4)


@pytest.mark.parametrize("bug", made(PROGRAM), ids=lambda bug: f"{bug.kind}-{bug.line}")
def test_only_the_statement_changes(bug: Bug) -> None:
    before, after = PROGRAM.splitlines(), bug.source.splitlines()
    blocks = [
        op for op in difflib.SequenceMatcher(None, before, after, autojunk=False).get_opcodes() if op[0] != "equal"
    ]
    assert len(blocks) == 1
    assert ast.dump(ast.parse(bug.source)) != ast.dump(ast.parse(PROGRAM))
    (tag, first, last, start, end) = blocks[0]
    if tag == "replace":
        assert (first, last) == (start, end)  # no line moved
        assert bug.line == start + 1
        assert bug.before != bug.after != ""
    else:
        assert (bug.before == "") == (tag == "insert")
        assert (bug.after == "") == (tag == "delete")


def test_all_bugs_differ_from_each_other() -> None:
    sources = [bug.source for bug in made(PROGRAM)]
    assert len(set(sources)) == len(sources)


@pytest.mark.parametrize(
    ("statement", "kind", "after"),
    [
        ("x = a + b", "operator", "x = a - b"),
        ("x = (a) + (b)", "operator", "x = (a) - (b)"),
        ("x = -a", "operator", "x = a"),
        ("x += a", "lost update", "x = a"),
        ("x = a < b", "boundary", "x = a <= b"),
        ("x = a not in b", "comparison", "x = a in b"),
        ("x = a is not b", "comparison", "x = a is b"),
        ("x = a and b", "connective", "x = a or b"),
        ("x = a or b or 1", "missing condition", "x = b or 1"),
        ("x = a[b]", "off by one", "x = a[b + 1]"),
        ("x = a[:b]", "off by one", "x = a[1:b]"),
        ("x = range(a)", "off by one", "x = range(1, a)"),
        ("x = True", "constant", "x = False"),
        ("x = f'{a}' + a", "wrong variable", "x = f'{a}' + b"),
        ("x = g(a, b)", "swapped arguments", "x = g(b, a)"),
        ("x = a.lower()", "wrong method", "x = a.upper()"),
        ("x = sorted(a)", "missing call", "x = a"),
        ("x = a.strip()", "missing call", "x = a"),
    ],
)
def test_what_a_kind_makes_of_a_statement(statement: str, kind: str, after: str) -> None:
    source = f"def f(a, b, x=0):\n    {statement}\n    return x\n"
    bug = one(source, kind, after)
    assert bug.source == source.replace(statement, after)
    assert (bug.line, bug.before) == (2, statement)


def test_a_statement_that_is_taken_out_is_said_to_be_where_the_next_one_stands() -> None:
    source = "def f(a):\n    x = 1\n    x += a\n    return x\n"
    bug = next(bug for bug in made(source) if bug.before == "x += a" and not bug.after)
    assert bug.source == "def f(a):\n    x = 1\n    return x\n"
    assert bug.line == 3


def test_the_last_of_a_block_is_said_to_be_where_the_one_before_it_stands() -> None:
    source = "def f(a):\n    for x in a:\n        g(x)\n        a.pop()\n    return x\n"
    bug = next(bug for bug in made(source) if bug.before == "a.pop()" and not bug.after)
    assert bug.source == "def f(a):\n    for x in a:\n        g(x)\n    return x\n"
    assert bug.line == 3


def test_the_only_statement_of_a_block_becomes_pass() -> None:
    bug = one("def f(a):\n    if a:\n        a = 2\n    return a\n", "missing statement", "pass")
    assert bug.source == "def f(a):\n    if a:\n        pass\n    return a\n"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("    if a:\n        b = 1\n    return b\n", "    return b\n"),
        (
            "    if a:\n        b = 1\n    else:\n        b = 2\n    return b\n",
            "    if a:\n        b = 1\n    return b\n",
        ),
        (
            "    if a:\n        b = 1\n    elif b:\n        b = 2\n    else:\n        b = 3\n    return b\n",
            "    if a:\n        b = 1\n    else:\n        b = 3\n    return b\n",
        ),
    ],
)
def test_a_branch_goes_missing(before: str, after: str) -> None:
    found = [bug.source for bug in made(f"def f(a, b):\n{before}") if bug.kind == "missing branch"]
    assert f"def f(a, b):\n{after}" in found


def test_an_elif_is_never_replaced_by_a_pass_of_its_own() -> None:
    source = "def f(a, b):\n    if a:\n        b = 1\n    elif b:\n        b = 2\n    return b\n"
    assert not [bug for bug in made(source) if "\n    pass" in bug.source]


def test_an_early_return_is_put_at_the_end_of_the_loop() -> None:
    source = "def f(a):\n    for x in a:\n        y = x\n    return y\n"
    (bug,) = [bug for bug in made(source) if bug.kind == "early return"]
    assert bug.source == "def f(a):\n    for x in a:\n        y = x\n        return y\n    return y\n"
    assert (bug.line, bug.before, bug.after) == (4, "", "return y")


def test_places_are_right_after_text_beyond_ascii_and_with_other_line_ends() -> None:
    source = "def f(ä, b):\r\n    x = 'ü' + ä  # ö\r\n    return x + b\r\n"
    assert one(source, "operator", "return x - b").source == source.replace("x + b", "x - b")
    assert one(source, "wrong variable", "x = 'ü' + b").source == source.replace("+ ä", "+ b")


def test_what_is_outside_of_functions_and_in_their_heads_stays() -> None:
    source = (
        "N = 1 + 2\n\n@d(1 + 2)\ndef f(a: int = 1 + 2) -> g[1 + 2]:\n    'a + b'\n    x: g[1 + 2] = a\n    return x\n"
    )
    assert [bug.after for bug in made(source)] == ["return a"]


def test_lines_say_which_statements_may_change() -> None:
    assert {bug.line for bug in bugs(PROGRAM, n=500, seed=0, lines={9}) if bug.after} == {9}


def test_inside_an_f_string_nothing_is_touched() -> None:
    assert not made("def f(a, b):\n    return f'{a + b} {a[1]}'\n")


@pytest.mark.parametrize(
    ("statement", "head"),
    [
        ("if a: pass", "if a:"),
        ("while a and b: pass", "while a and b:"),
        ("for a in b: pass", "for a in b:"),
        ("with a as b: pass", "with a as b:"),
        ("try:\n    pass\nfinally:\n    pass", "try:"),
        ("x = f(a,\n      b)", "x = f(a, b)"),
        ("x  =  1", "x  =  1"),
        ("def f(a=1): pass", "def f(a=1):"),
        ("class A(B): pass", "class A(B):"),
    ],
)
def test_a_statement_as_one_line(statement: str, head: str) -> None:
    assert head_of(statement, ast.parse(statement).body[0]) == head

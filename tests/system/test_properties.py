"""What is reported as a property, with which numbers; purity, exceptions, branches; predicates that others propose."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest

from semcoder.core import Program
from semcoder.errors import UsageError
from semcoder.properties import MIN_BACKING, Findings, document, find_properties
from semcoder.properties.cases import gather, key
from semcoder.properties.discover import QUICK
from semcoder.sandbox import Sandbox


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    with Sandbox(workers=1) as pool:
        yield pool


def found(box: Sandbox, source: str, **options: object) -> Findings:
    return find_properties(Program(source, "f"), box, **options)  # type: ignore[arg-type]


def said(findings: Findings, start: str) -> str:
    """The one text that starts so."""
    (text,) = [text for text in findings.texts if text.startswith(start)]
    return text


def test_every_property_names_at_least_a_hundred_inputs_and_what_it_was_tried_on(box: Sandbox) -> None:
    findings = found(box, "def f(xs: list[int]):\n    return sorted(xs)\n")
    assert findings.returned >= 200
    assert findings.executed == findings.returned + findings.raised
    assert dict(findings.domain)["xs"] == (("list", findings.executed),)
    assert (
        said(findings, "The result equals")
        == f"The result equals `sorted(xs)` (held on all {findings.returned} inputs)."
    )
    assert all(found.held >= 100 for found in findings.properties)


def test_inputs_are_distinct(box: Sandbox) -> None:
    gathered = gather(
        Program("def f(n: int, m: int = 2):\n    return n + m\n", "f"), box, wanted=150, seed=1, limits=QUICK
    )
    marks = [key(case.args) for case in gathered.cases]
    assert len(set(marks)) == len(marks) >= 150


def test_the_same_seed_gives_the_same_findings_and_another_seed_other_inputs(box: Sandbox) -> None:
    source = "def f(text: str, n: int):\n    return text[:n]\n"
    assert document(found(box, source, seed=3)) == document(found(box, source, seed=3))
    program = Program(source, "f")
    calls = [[case.call for case in gather(program, box, wanted=50, seed=seed, limits=QUICK).cases] for seed in (3, 4)]
    assert calls[0] != calls[1]


def test_a_property_that_never_applies_is_not_reported(box: Sandbox) -> None:
    """Every element of an empty list is anything."""
    findings = found(box, "def f(xs: list[int]):\n    return [x for x in xs if x != x]\n")
    assert not [text for text in findings.texts if "element" in text]
    assert "The result is always `[]`" in said(findings, "The result is always")


def test_a_condition_is_told_with_the_inputs_for_which_it_held(box: Sandbox) -> None:
    findings = found(box, "def f(xs: list[int]):\n    return [x for x in xs if x % 3 == 1]\n")
    text = said(findings, "The elements of the result come from `xs`")
    backing, tried = map(int, re.search(r"on all (\d+) of (\d+) inputs where the result is not empty", text).groups())  # type: ignore[union-attr]
    assert MIN_BACKING <= backing < tried == findings.returned


def test_a_relation_of_any_two_values_is_none_of_the_function(box: Sandbox) -> None:
    """The result is less than any `n` that is tried, whatever the call."""
    findings = found(box, "def f(n: int):\n    return n % 7 - 10 ** 9\n")
    assert not [text for text in findings.texts if "less than `n`" in text or "at most `n`" in text]


def test_weaker_properties_are_left_out(box: Sandbox) -> None:
    texts = found(box, "import random\ndef f(xs: list[int]):\n    return xs[len(xs) // 2:] + xs[:len(xs) // 2]\n").texts
    assert [text for text in texts if text.startswith("The result is a permutation of `xs`")]
    assert not [text for text in texts if "as long as" in text or "element of `xs`" in text]


def test_what_happens_to_arguments(box: Sandbox) -> None:
    assert said(found(box, "def f(xs: list[int]):\n    return xs[:]\n"), "The call leaves `xs`")
    sorts = found(box, "def f(xs: list[int]):\n    xs.sort()\n    return xs\n")
    assert said(sorts, "`xs` as the call leaves it equals `sorted(xs)`")
    assert said(sorts, "The result is the very object that was passed as `xs`")
    assert not [text for text in sorts.texts if "leaves `xs` as it was" in text]


@pytest.mark.parametrize(
    "source",
    [
        "seen = []\ndef f(n: int):\n    seen.append(n)\n    return len(seen) + n\n",
        "def f(words: list[str]):\n    return list(set(words))\n",
        "import random\ndef f(n: int):\n    return n + random.random()\n",
    ],
)
def test_state_hash_seeds_and_chance_show_when_called_again(box: Sandbox, source: str) -> None:
    assert not [text for text in found(box, source).texts if text.startswith("Called again")]
    assert said(found(box, "def f(n: int):\n    return n * 3\n"), "Called again")


def test_which_inputs_raise_what(box: Sandbox) -> None:
    findings = found(box, "def f(n: int):\n    if n < 0:\n        raise ValueError(n)\n    return n\n")
    text = said(findings, "It raises")
    counts = re.fullmatch(
        r"It raises `ValueError` exactly when `n < 0` \((\d+) inputs raise it, (\d+) do not\)\.", text
    )
    assert counts is not None
    assert [int(number) for number in counts.groups()] == [findings.raised, findings.returned]


def test_an_exception_that_no_line_of_the_function_raises_itself(box: Sandbox) -> None:
    findings = found(box, "def f(a: int, b: int):\n    return a // b\n")
    assert "exactly when `b == 0`" in said(findings, "It raises `ZeroDivisionError`") or "`not b`" in said(
        findings, "It raises `ZeroDivisionError`"
    )


def test_under_which_condition_each_return_is_taken(box: Sandbox) -> None:
    source = (
        "def f(n: int, low: int, high: int):\n    if n < low:\n        return low\n"
        "    if n > high:\n        return high\n    return n\n"
    )
    texts = [text for text in found(box, source).texts if text.startswith("The `return`")]
    conditions = dict(re.findall(r"line (\d+) is taken exactly when `(.*?)`", "\n".join(texts)))
    assert list(conditions) == ["3", "5", "6"]
    tries = [(n, low, high) for n in (-3, 0, 3, 5, 9) for low in (-1, 2, 6) for high in (-2, 4, 7)]
    lines = {(n, low, high): "3" if n < low else "5" if n > high else "6" for n, low, high in tries}
    for line, condition in conditions.items():
        for (n, low, high), taken in lines.items():
            assert eval(condition, {"n": n, "low": low, "high": high}) is (taken == line)


def test_a_return_that_one_input_takes_is_explained_by_the_codes_own_condition_only(box: Sandbox) -> None:
    findings = found(box, "def f(xs: list[int]):\n    if not xs:\n        return 0\n    return max(xs)\n")
    assert "exactly when `not xs` (1 inputs take it" in said(findings, "The `return` on line 3")


def test_conditions_of_the_code_do_not_change_what_they_look_at(box: Sandbox) -> None:
    source = "def f(xs: list[int]):\n    if xs and xs.pop() > 0:\n        return 'a'\n    return 'b'\n"
    assert "exactly when `xs and xs.pop() > 0`" in said(found(box, source), "The `return` on line 3")


def test_applied_to_its_own_result(box: Sandbox) -> None:
    assert said(found(box, "def f(s: str):\n    return s.strip().lower()\n"), "`f(f(s)) == f(s)`")
    assert said(found(box, "def f(s: str):\n    return s[::-1]\n"), "`f(f(s)) == s`")
    none = found(box, "def f(n: int):\n    return n + 1\n")
    assert not [text for text in none.texts if text.startswith("`f(f(")]


def test_too_few_inputs_are_told(box: Sandbox) -> None:
    findings = found(box, "def f(on: bool):\n    return not on\n")
    assert findings.properties == ()
    assert "only 2 distinct inputs that return were found, 200 were wanted" in findings.notes


def test_a_parameter_that_takes_no_literal_is_told(box: Sandbox) -> None:
    findings = found(box, "def f(key, xs):\n    return [key(x) for x in xs]\n")
    assert findings.executed == 0
    assert any("parameter `key`" in note for note in findings.notes)


@pytest.mark.slow
def test_programs_that_hang_end_the_search(box: Sandbox) -> None:
    findings = found(box, "def f(n: int):\n    while True:\n        n += 1\n")
    assert findings.properties == ()
    assert findings.executed <= 16
    assert any("hit a limit" in note for note in findings.notes)


@pytest.mark.parametrize("source", ["x = 1\n", "class f:\n    pass\n", "def g(x): return x\n", "def f(:\n"])
def test_without_a_plain_function_there_is_nothing_to_find(box: Sandbox, source: str) -> None:
    with pytest.raises(UsageError):
        found(box, source)


def test_fewer_inputs_than_a_property_needs_are_refused(box: Sandbox) -> None:
    with pytest.raises(UsageError, match="too few"):
        found(box, "def f(n: int): return n\n", inputs=5)


# Predicates of others ----------------------------------------------------------------------------------------------

ABSOLUTE = "def f(n: int, m: int = 1):\n    return abs(n) + m * 0\n"


@pytest.mark.parametrize(
    "predicate",
    [
        "lambda args, result: result >= 0",
        "lambda args, result: result in (args[0], -args.n)",
        "def holds(args, result):\n    return result * result == args.n ** 2",
    ],
)
def test_a_proposed_predicate_is_decided_by_the_same_test(box: Sandbox, predicate: str) -> None:
    findings = found(box, ABSOLUTE, proposed=[predicate])
    assert findings.refused == ()
    assert f"held on all {findings.returned} inputs" in findings.properties[-1].text
    assert findings.properties[-1].kind == "proposed"


@pytest.mark.parametrize(
    ("predicate", "reason"),
    [
        ("lambda args, result: result > 0", "it is False for `f("),
        ("lambda args, result: 1", "which is no bool"),
        ("lambda args, result: result.upper()", "it raised AttributeError"),
        ("lambda args, result: True", "true of any result"),
        ("lambda args, result: result == result", "true of any result"),
        ("lambda result: True", "two parameters"),
        ("result > 0", "neither"),
        ("lambda args, result:", "does not parse"),
        ("def p(args, result):\n    while True: pass", "timeout"),
        ("def p(args, result):\n    import os\n    os._exit(0)", "it gave no answer"),
        ("def p(args, result):\n    return open('/etc/passwd').read() != ''", "it raised"),
    ],
)
def test_a_proposed_predicate_is_never_trusted(box: Sandbox, predicate: str, reason: str) -> None:
    findings = found(box, ABSOLUTE, proposed=[predicate])
    assert [refused.predicate for refused in findings.refused] == [predicate]
    assert reason in findings.refused[0].reason
    assert not [found for found in findings.properties if found.kind == "proposed"]


def test_a_program_that_speaks_for_itself_is_only_its_own_witness(box: Sandbox) -> None:
    """What a hostile program sends in place of its arguments tells nothing, and stops nothing."""
    findings = found(box, "import sys\ndef f(n: int):\n    sys.modules.clear()\n    return n\n")
    assert json.dumps(document(findings))


# The command -------------------------------------------------------------------------------------------------------


def test_the_command_prints_properties_alone_or_beside_a_monologue(
    tmp_path: object, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from semcoder.cli.app import invoke

    monkeypatch.chdir(str(tmp_path))
    with open("p.py", "w", encoding="utf-8") as file:
        file.write("def f(s: str):\n    return s[::-1]\n\ndef g(n: int):\n    return -n\n")
    assert invoke(["explain", "p.py", "--properties", "--entry", "f"]) == 0
    out = capsys.readouterr()
    assert "The result equals `s[::-1]`" in out.out
    assert "s was str" in out.err
    assert invoke(["explain", "p.py", "--call", "g(3)", "--properties", "--json"]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    doc = json.loads(line)
    assert doc["answer"] == "-3"
    assert doc["properties"]["entry"] == "g"
    assert [p["kind"] for p in doc["properties"]["properties"]].count("equality") == 1

"""Synthesis by a scripted teacher: what is kept, what is dropped and why, what is put up with, what a restart does."""

from __future__ import annotations

import dataclasses
import json
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from semcoder.core import Invocation, Origin, Outcome, Program, Raised, Sample, Value, load
from semcoder.core.files import full_document, read_jsonl
from semcoder.errors import InputError, UsageError
from semcoder.models import Model, Reply, Request
from semcoder.monologue import verify
from semcoder.pyx.config import BuildConfig
from semcoder.pyx.synth import SynthConfig, Telling, Unanswered, annotate, synthesise
from semcoder.pyx.synth.agreement import Refused, agree
from semcoder.pyx.synth.bench import Bench
from semcoder.pyx.synth.bench import told as told_fault
from semcoder.pyx.synth.converse import Script, converse
from semcoder.pyx.synth.journal import Journal
from semcoder.pyx.synth.replies import (
    Malformed,
    Problem,
    asked_value,
    proposed_input,
    read_problem,
    read_solution,
    read_told,
)
from semcoder.pyx.synth.worked import EXAMPLES
from semcoder.sandbox import Sandbox, run_program
from semcoder.seeds import known_calls, open_source
from semcoder.tracing import trace_here
from tests import teachers
from tests.teachers import WORLD, Scripted, files, seeds_of


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    with Sandbox(workers=1) as sandbox:
        yield sandbox


def config(folder: Path, out: Path, **changes: Any) -> SynthConfig:
    basis = SynthConfig(str(folder), "scripted:teacher@http://localhost:1/v1", str(out), cpu_s=0.5, rounds=2, workers=1)
    return dataclasses.replace(basis, **changes)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], Path]:
    folder = tmp_path_factory.mktemp("synth")
    settings = config(seeds_of(folder / "seeds", WORLD), folder / "out")
    return synthesise(settings, Scripted(teachers.answer)), folder / "out"


def drops(out: Path) -> dict[str, tuple[str, str]]:
    return {
        row["entry"].removeprefix("seed_"): (row["reason"], row["detail"]) for row in read_jsonl(out / "drops.jsonl")
    }


# -- what is kept


def test_what_runs_and_agrees_is_kept_and_all_else_has_a_reason(made: tuple[dict[str, Any], Path]) -> None:
    manifest, out = made
    kept = {row["entry"].removeprefix("task_") for row in read_jsonl(out / "programs.jsonl")}
    assert kept == {"good", "majority", "repaired", "syntax", "prints", "prose", "blocks", "bare", "restated"}
    assert {name: reason for name, (reason, _) in drops(out).items()} == {
        "never": "no solution runs",
        "disagreeing": "no solutions agree",
        "exits": "no solution runs",
        "files": "no solution runs",
        "processes": "no solution runs",
        "equals": "no solution runs",
        "generator": "no solution runs",
        "random": "no solution runs",
        "hashes": "no solution runs",
        "endless": "no solution runs",
        "empty": "no solution runs",
        "unstated": "no problem could be read",
        "twin": "duplicate",
        "constant": "the result does not depend on the input",
    }
    assert manifest["counts"]["seeds"] == len(WORLD) == len(kept) + len(drops(out))


def test_a_solution_is_given_up_for_what_it_did(made: tuple[dict[str, Any], Path]) -> None:
    found = {name: detail for name, (_, detail) in drops(made[1]).items()}
    assert found["never"] == "raises NameError"
    assert found["exits"] == "ends its process"
    assert found["files"] == found["processes"] == "reaches outside"
    assert found["equals"] == found["generator"] == "returns what is no plain data"
    assert found["random"] == found["hashes"] == "answers differently when run again"
    assert found["endless"] == "hits a limit"
    assert found["empty"] == "empty answer"


def test_the_largest_group_decides_and_its_shortest_solution_stands_for_it(made: tuple[dict[str, Any], Path]) -> None:
    rows = {row["entry"].removeprefix("task_"): row for row in read_jsonl(made[1] / "programs.jsonl")}
    assert rows["majority"]["agreement"] == {"solutions": 3, "that_run": 3, "that_agree": 2}
    assert "return 0 if limit" not in rows["majority"]["source"]
    assert rows["good"]["agreement"]["that_agree"] == 3
    assert rows["good"]["source"] == min((f"def task_good(numbers, limit):\n{b}" for b in teachers._BODIES), key=len)
    assert "assert" not in rows["bare"]["source"]  # the teacher's own trials are inputs, not part of the program
    assert rows["bare"]["calls"] == [f"task_bare({given})" for given in teachers.INPUTS]


def test_counts_add_up(made: tuple[dict[str, Any], Path]) -> None:
    manifest, out = made
    counts = manifest["counts"]
    assert counts["problems"] == len(WORLD) - 1
    assert counts["solutions"] == 3 * counts["problems"]
    assert counts["solutions_repaired"] == 12  # repaired, syntax, prints, prose
    assert counts["solutions_in_several_blocks"] == 3
    assert counts["programs_kept"] == 9
    assert counts["rows"] == {"nl": 9}
    assert manifest["malformed_answers"]["no code block"] == 3
    assert manifest["malformed_answers"]["no problem text"] == 4
    assert manifest["faults"]["raises NameError"] == 3 + 9
    assert sum(manifest["drops"].values()) == len(drops(out))
    assert manifest["spent"]["requests"] > 0
    assert manifest["spent"]["prompt_tokens"] == 100 * manifest["spent"]["requests"]
    assert json.loads((out / "manifest.json").read_text()) == {k: v for k, v in manifest.items() if k != "folder"}
    assert manifest["config"]["teacher"] == "scripted:teacher"


def test_the_programs_are_a_source_for_a_build(made: tuple[dict[str, Any], Path]) -> None:
    source = open_source(f"jsonl:{made[1] / 'programs.jsonl'}")
    found = [program for program in source.programs() if isinstance(program, Program)]
    rows = list(read_jsonl(made[1] / "programs.jsonl"))
    assert [program.id for program in found] == [row["id"] for row in rows]
    for program, row in zip(found, rows, strict=True):
        assert program.origin == Origin("synth", "scripted:teacher", path=f"seed:{row['seed']}")
        assert program.license == row["license"] == "MIT"
        assert known_calls(source, program) == [Invocation(call) for call in row["calls"]]
        assert row["program"] == full_document(program)
        assert row["description"].startswith("Given a list of whole numbers")
        assert {"source", "entry", "origin", "known"} <= row.keys()


def test_descriptions_become_rows_whose_examples_hold(made: tuple[dict[str, Any], Path], box: Sandbox) -> None:
    rows = [load(Sample, row) for row in read_jsonl(made[1] / "rows" / "nl-00000.jsonl")]
    assert len(rows) == 9
    for sample in rows:
        assert sample.nl
        assert not sample.fwd_mnl + sample.bwd_mnl
        assert sample.nl.startswith("Task: write the code that a description asks for.\nWrite a Python function `task_")
        assert sample.program is not None
        assert sample.response == f"```python\n{sample.program.source.strip()}\n```"
        shown = [line.removeprefix("assert ") for line in sample.nl.split("\n") if line.startswith("assert ")]
        assert len(shown) == 3
        done = run_program(box, sample.program, [Invocation(text) for text in shown])
        assert [outcome.value for outcome in done] == [Value(True)] * 3


def test_the_teacher_gets_the_error_and_its_own_answer_back(tmp_path: Path) -> None:
    teacher = Scripted(teachers.answer)
    synthesise(config(seeds_of(tmp_path / "seeds", ("repaired",)), tmp_path / "out", solutions=1), teacher)
    talk = teacher.asked[-1].messages
    assert [message.role for message in talk] == ["system", "user", "assistant", "user"]
    assert "return totl" in talk[2].content
    assert "NameError: name 'totl' is not defined" in talk[3].content
    assert "`task_repaired([1, 2, 3, 4], 3)`" in talk[3].content


def test_rounds_bound_the_repairs(tmp_path: Path) -> None:
    teacher = Scripted(teachers.answer)
    with pytest.raises(UsageError, match=r"no program was kept; see the reasons in .*drops\.jsonl"):
        synthesise(config(seeds_of(tmp_path / "seeds", ("never",)), tmp_path / "out", rounds=1, solutions=2), teacher)
    assert len(teacher.asked) == 1 + 2 * 2
    assert drops(tmp_path / "out")["never"] == ("no solution runs", "raises NameError")


def test_a_tie_is_refused(tmp_path: Path) -> None:
    def halves(request: Request) -> str | Reply:
        if "def seed_" in request.messages[1].content:
            return teachers.answer(request)
        number = request.sampling.seed or 0
        return teachers.form("good", teachers._BODIES[number % 2].replace("total\n", f"total + {number // 2}\n"))

    folder = seeds_of(tmp_path / "seeds", ("good",))
    with pytest.raises(UsageError, match="no program was kept"):
        synthesise(config(folder, tmp_path / "out", solutions=4), Scripted(halves))
    assert drops(tmp_path / "out")["good"] == ("solutions are tied", "groups of 2, 2")


def test_one_solution_is_enough_if_only_one_is_asked_for(tmp_path: Path) -> None:
    folder = seeds_of(tmp_path / "seeds", ("good",))
    manifest = synthesise(config(folder, tmp_path / "out", solutions=1), Scripted(teachers.answer))
    assert manifest["counts"]["programs_kept"] == 1


def test_agreement_is_strict() -> None:
    def returned(*values: Any) -> list[Outcome]:
        return [Outcome("returned", value=Value.of(value)) for value in values]

    def raised(name: str, message: str) -> list[Outcome]:
        return [Outcome("raised", exception=Raised(name, message))]

    assert agree([returned(1), returned(True), returned(1)], ["aaa", "a", "bb"], least=2).chosen == 2
    assert agree([returned({1: 2, 3: 4}), returned({3: 4, 1: 2})], ["b", "a"], least=2).group == (0, 1)
    assert agree([raised("KeyError", "a"), raised("KeyError", "b")], ["b", "a"], least=2).chosen == 1
    for a, b in ((1, 1.0), (0.0, -0.0), ([1], (1,)), ("1", 1), (None, False)):
        with pytest.raises(Refused, match="no solutions agree"):
            agree([returned(a), returned(b)], ["a", "b"], least=2)
    with pytest.raises(Refused, match="no solutions agree"):
        agree([raised("KeyError", ""), raised("IndexError", "")], ["a", "b"], least=2)
    with pytest.raises(Refused, match="tied"):
        agree([returned(1), returned(2)] * 2, ["a"] * 4, least=2)


def test_errors_are_told_on_one_line_and_bounded() -> None:
    flood = Outcome("raised", exception=Raised("ValueError", "bad\n\x1b[2J" + "x" * 10_000))
    line = told_fault(f"f('{'y' * 390}')", flood)
    assert line.isprintable()
    assert "raises ValueError: bad\\n\\x1b[2Jxxx" in line
    assert len(line) < 700


# -- signature first


def test_signature_and_documentation_come_first(tmp_path: Path) -> None:
    stub = (
        'def task_good(numbers: list[int], limit: int) -> int:\n    """Add up the numbers up to the limit, twice each '
        'that is even.\n\n    The empty list gives 0.\n    """\n    ...'
    )

    def leading(request: Request) -> str | Reply:
        if "def seed_" in request.messages[1].content:
            assert "docstring that states" in request.messages[1].content
            return f"Here it is:\n```python\n{stub}\n```"
        assert "Keep the signature" in request.messages[1].content
        assert "The empty list gives 0." in request.messages[1].content
        return teachers.answer(request)

    settings = config(seeds_of(tmp_path / "seeds", ("good",)), tmp_path / "out", signature_first=True)
    synthesise(settings, Scripted(leading))
    (row,) = read_jsonl(tmp_path / "out" / "programs.jsonl")
    assert row["description"].startswith("Add up the numbers up to the limit, twice each that is even.")


# -- what is put up with

PROBLEM = Problem("Do it.", "f", ("x",), "f(x)")
CODE = "def f(x):\n    return x + 1"


@pytest.mark.parametrize(
    "text",
    [
        f"[PLAN]think[/PLAN]\n```python\n{CODE}\n```\n[INPUTS]\nf(1)\nf(2)\n[/INPUTS]",
        f"think\n\n```py\n{CODE}\n```\nf(1), f(2)",
        f"**Plan:** think\n~~~~python title=x\n{CODE}\n~~~~\n### Inputs\n- `f(1)` gives 2\n- `f(2)`",
        f"think\n```\n{CODE}\nprint(f(1))\nassert f(2) == 3\n```",
        f"think\n```python\n{CODE}\n\nif __name__ == '__main__':\n    print(f(1), f(2))\n```",
        f"<think>```python\ndef f(x): pass\n```</think>think\n  ```python\n  {CODE.replace(chr(10), chr(10) + '  ')}\n  ```\n>>> f(1)\n2\n>>> f(2)",
        f"think\n```python\n{CODE}\n[INPUTS]\nf(1)\n```python\n{CODE}\n```\n[INPUTS]\nf(1)\nf(2)",
        f"think\r\n```python\r\n{CODE}\r\n```\r\n[inputs]\r\nf(1)\r\nf(2)\r\n[/inputs]",
        f"{CODE}\nf(1)\nf(2)",
        f"think\n```python\n{CODE}\n```\nNow call it:\n```python\nprint(f(1))\nprint(f(2))",
    ],
)
def test_code_is_found_however_it_is_fenced(text: str) -> None:
    found = read_solution(text, PROBLEM)
    assert found.source == CODE + "\n"
    assert found.calls == ("f(1)", "f(2)")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "empty answer"),
        ("<think>hm", "empty answer"),
        ("I would loop.", "no code block"),
        ("```python\n```", "the function is not defined"),
        ("```python\ndef g(x):\n    return 1\n```\nf(1)", "the function is not defined"),
        ("```python\nasync def f(x):\n    return 1\n```\nf(1)", "the function is not defined"),
        ("```python\ndef f(x)\n    return 1\n```\nf(1)", "syntax error"),
        ("```python\ndef f(y):\n    return 1\n```\nf(1)", "another signature"),
        ("```python\ndef f(x, *rest):\n    return 1\n```\nf(1)", "another signature"),
        (f"```python\n{CODE}\n```", "no test inputs"),
        (f"```python\n{CODE}\n```\nf(y)\nf(open('a'))\nf(*[1])\nf(", "no test inputs"),
        (f"```python\n{CODE}\n    # {'x' * 30_000}\n```\nf(1)", "program too long"),
        (f"```python\n{CODE}\n    y = {'(' * 5000}\n```\nf(1)", "syntax error"),
    ],
)
def test_what_cannot_be_used_has_a_reason(text: str, reason: str) -> None:
    with pytest.raises(Malformed) as caught:
        read_solution(text, PROBLEM)
    assert caught.value.reason == reason


def test_an_answer_that_was_cut_off_is_told_so() -> None:
    for text in ("", "first one would", "```python\ndef f(x):\n    return ["):
        with pytest.raises(Malformed) as caught:
            read_solution(text, PROBLEM, cut=True)
        assert caught.value.reason == "cut at max_tokens"


def test_calls_are_literals_and_come_once_even_with_brackets_in_texts() -> None:
    text = f"```python\n{CODE}\n```\n[INPUTS]\nf('a(b')\nf(\n    [1,\n     2])\nf( 1 ) # one\nf(1)\nf(x=set())\ng(f(3))"
    assert read_solution(text, PROBLEM).calls == ("f('a(b')", "f([1, 2])", "f(1)", "f(x=set())", "f(3)")


@pytest.mark.parametrize(
    "text",
    [
        "[PROBLEM]\nGiven a number, find the next larger one that [is] even.\n[/PROBLEM]\n[FUNCTION]\nf(x)\n[/FUNCTION]",
        "**Problem**\nGiven a number, find the next larger one that [is] even.\n\n**Function:**\n```python\ndef f(x):\n```",
        "[PROBLEM]\nGiven a number, find the next larger one that [is] even.\n[FUNCTION]\n`f(x)`",
    ],
)
def test_problems_are_found_however_they_are_marked(text: str) -> None:
    found = read_problem(text)
    assert (found.entry, found.parameters, found.header) == ("f", ("x",), "f(x)")
    assert found.statement == "Given a number, find the next larger one that [is] even."


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("Sorry.", "no problem text"),
        ("[PROBLEM]Add.[/PROBLEM][FUNCTION]f(x)[/FUNCTION]", "no problem text"),
        (f"[PROBLEM]{'a long word ' * 10}[/PROBLEM]", "no function header"),
        (f"[PROBLEM]{'a long word ' * 10}[/PROBLEM][FUNCTION]f of x[/FUNCTION]", "no function header"),
        (f"[PROBLEM]{'a long word ' * 10}[/PROBLEM][FUNCTION]f()[/FUNCTION]", "no parameters"),
        (f"[PROBLEM]{'a long word ' * 500}[/PROBLEM][FUNCTION]f(x)[/FUNCTION]", "problem too long"),
    ],
)
def test_problems_that_cannot_be_used_have_a_reason(text: str, reason: str) -> None:
    with pytest.raises(Malformed) as caught:
        read_problem(text)
    assert caught.value.reason == reason


def test_answers_of_monologues_are_read_from_asserts_and_bare_texts() -> None:
    told = read_told("[MONOLOGUE]\nIt adds.\n[/MONOLOGUE]\n[ANSWER]\n```python\nassert f(1) == 2\n```\n[/ANSWER]")
    assert (told.text, told.answer) == ("It adds.", "assert f(1) == 2")
    assert read_told("It adds.\n[ANSWER]`2`").answer == "2"
    assert asked_value("assert f( 1 ) == [1, 2]", "f(1)") == "[1, 2]"
    assert asked_value("f(1) == 'a'", "f(1)") == "'a'"
    assert asked_value("{1: 2}", "f(1)") == "{1: 2}"
    for wrong in ("assert f(2) == 3", "assert f(1)", "x = 1", "", "1\n2"):
        with pytest.raises(Malformed):
            asked_value(wrong, "f(1)")
    for right in ("assert f([1]) == 2", "f([1])", "f([1]) == 2"):
        assert proposed_input(right, "f").args
    for wrong in ("[1]", "assert g(1) == 2", "f", ""):
        with pytest.raises(Malformed):
            proposed_input(wrong, "f")
    with pytest.raises(Malformed, match="nothing"):
        read_told("[MONOLOGUE]It adds.[/MONOLOGUE]")


# -- monologues

SOURCE = "def double_all(numbers):\n    out = []\n    for n in numbers:\n        out.append(n * 2)\n    return out\n"
PROGRAM = Program(SOURCE, "double_all", license="MIT")
CASE = ("double_all([1, 2])", "[2, 4]")
TRUE = (
    "Line 2 sets `out` to `[]`. In iteration 1, `n` is `1`, and on line 4 `out` becomes `[2]`. In iteration 2, `n` is "
    "`2`, and on line 4 `out` becomes `[2, 4]`. Line 5 returns `[2, 4]`."
)
FALSE = TRUE.replace("`n` is `1`", "`n` is `0`")
VAGUE = "It doubles whatever comes along, and that is that."


def told(text: str, answer: str) -> str:
    return f"[MONOLOGUE]\n{text}\n[/MONOLOGUE]\n[ANSWER]{answer}[/ANSWER]"


def monologues(
    box: Sandbox, forward: list[str], backward: list[str], cases: tuple[tuple[str, str], ...] = (CASE,)
) -> tuple[list[Sample], dict[str, Any]]:
    """What is kept where the tries of each direction are answered so, and its figures."""

    def teller(request: Request) -> str:
        asked = request.messages[-1].content
        return (forward if asked.endswith("== ??") else backward)[request.sampling.seed or 0]

    samples = max(len(forward), len(backward))
    forward += forward[-1:] * (samples - len(forward))
    backward += backward[-1:] * (samples - len(backward))
    settings = BuildConfig(sources=("here",), cpu_s=0.5)
    ((place, document),) = annotate([(PROGRAM, cases)], Scripted(teller), box, settings, Telling(samples=samples))
    assert place == 0
    assert not isinstance(document, Unanswered)
    return [load(Sample, row) for row in document["rows"]], document["figures"]


def test_monologues_that_hold_are_kept_in_the_published_shape(box: Sandbox) -> None:
    good = f"assert {CASE[0]} == {CASE[1]}"
    rows, figures = monologues(box, [told(TRUE, good)], [told(TRUE, good)])
    assert [row.task for row in rows] == ["forward", "backward"]
    forward, backward = rows
    assert forward.fwd_mnl.startswith("Task: follow the code and give its output.\n[PYTHON]\ndef double_all")
    assert forward.fwd_mnl.endswith("\nassert double_all([1, 2]) == ??\n[/PYTHON]")
    assert backward.bwd_mnl.endswith("\nassert double_all(??) == [2, 4]\n[/PYTHON]")
    assert forward.response == f"[MONOLOGUE]\n{TRUE}\n[/MONOLOGUE]\n[ANSWER]{good}[/ANSWER]"
    assert forward.claims == backward.claims == 6
    assert not forward.nl + forward.bwd_mnl + backward.nl + backward.fwd_mnl
    for direction in figures.values():
        assert direction["accepted"] == direction["written"] == direction["answer_right"] == 1
        assert direction["rejected"] == {}


def test_a_right_answer_with_a_false_step_is_refused_and_counted(box: Sandbox) -> None:
    good = f"assert {CASE[0]} == {CASE[1]}"
    rows, figures = monologues(box, [told(FALSE, good), told(TRUE, good)], [told(FALSE, good)])
    assert [row.task for row in rows] == ["forward"]
    assert figures["forward"]["written"] == 2
    assert figures["forward"]["answer_right"] == 2
    assert figures["forward"]["answer_right_but_claim_false"] == 1
    assert figures["forward"]["claims_false"] == 1
    assert figures["backward"]["answer_right_but_claim_false"] == figures["backward"]["written"] == 2
    assert figures["backward"]["rejected"] == {"a claim is false": 2}


def test_wrong_unreadable_and_empty_monologues_are_refused(box: Sandbox) -> None:
    good = f"assert {CASE[0]} == {CASE[1]}"
    forward = [
        told(TRUE, f"assert {CASE[0]} == [2, 5]"),
        told(TRUE, f"assert {CASE[0]} == [2.0, 4.0]"),
        told(TRUE, "assert double_all([2, 1]) == [2, 4]"),
        told(VAGUE, good),
        TRUE,
        "",
        told(TRUE, f"assert {CASE[0]} == type('X', (), {{'__eq__': lambda s, o: True}})()"),
        told(TRUE, "assert True"),
    ]
    rows, figures = monologues(box, forward, [told(VAGUE, "assert double_all([1]) == [2, 4]")])
    assert not rows
    assert figures["forward"]["rejected"] == {
        "wrong answer": 3,
        "answer about another call": 1,
        "answer unreadable": 1,
        "empty answer": 1,
        "no answer": 1,
        "no claim could be checked": 1,
    }
    assert figures["backward"]["rejected"] == {"wrong answer": 8}


def test_a_proposed_input_becomes_plain_data_before_it_meets_the_program(box: Sandbox) -> None:
    def proposing(expression: str) -> tuple[list[Sample], dict[str, Any]]:
        return monologues(box, [""], [told(TRUE, f"assert double_all({expression}) == [2, 4]")])

    for expression in ("list(range(1, 3))", "numbers=[1] + [2]", "*[[1, 2]]"):
        rows, _ = proposing(expression)
        assert [row.call for row in rows] == [
            "double_all(numbers=[1, 2])" if "numbers" in expression else "double_all([1, 2])"
        ]
        assert f"[ANSWER]assert {rows[0].call} == [2, 4][/ANSWER]" in rows[0].response
    for hostile in (
        "type('L', (list,), {'__iter__': lambda self: iter([1, 2])})()",
        "(lambda: [1, 2])",
        "__import__('os').system('true')",
        "open('/etc/passwd').read()",
        "__import__('sys').exit()",
        "[1, 2] if double_all else [1, 2]",
        "(n for n in [1, 2])",
        "[0] * 10 ** 9",
    ):
        rows, figures = proposing(hostile)
        assert not rows
        assert figures["backward"]["rejected"] == {"input is no plain data": 1}, hostile


def test_a_forged_argument_is_not_spelled(box: Sandbox) -> None:
    bench = Bench(box, BuildConfig(sources=("here",), cpu_s=0.5))
    calls = [proposed_input("f(**{'a=1) + g(b': 2})", "f"), proposed_input("f(**{'a': 2})", "f")]
    assert bench.plain_calls(calls) == [None, "f(a=2)"]
    assert bench.plain(["1", "[1] * 2", "print(1)", "x", "float('nan')"])[:4] == [
        Value(1),
        Value.of([1, 1]),
        None,
        None,
    ]


def test_monologues_for_a_program_whose_teacher_does_not_answer(box: Sandbox) -> None:
    settings = BuildConfig(sources=("here",), cpu_s=0.5)
    silent = Scripted(lambda request: Reply(error="no"))
    ((_, result),) = annotate([(PROGRAM, [CASE])], silent, box, settings, Telling())
    assert isinstance(result, Unanswered)
    ((_, nothing),) = annotate([(PROGRAM, [])], silent, box, settings, Telling())
    assert not isinstance(nothing, Unanswered)
    assert nothing["rows"] == []


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: str(example.call))
def test_worked_examples_are_true(example: Any) -> None:
    trace = trace_here(example.source, example.call)
    assert trace.outcome.value is not None
    assert trace.outcome.value.literal() == example.output
    verdicts = Counter(claim.verdict for claim in verify(example.monologue, trace))
    assert verdicts[False] == 0
    assert verdicts[True] >= 12
    assert verdicts[None] <= 3  # general remarks
    answer = read_told(example.answer)
    assert answer.text == example.monologue
    assert example.direction == "backward" or asked_value(answer.answer, example.call) == example.output


# -- conversations


def test_scripts_get_their_own_replies_whatever_the_order() -> None:
    def counting(name: str, rounds: int) -> Script[str]:
        said = []
        for number in range(rounds):
            replies = yield [Request(text=f"{name}{number}{part}") for part in "ab"]
            said.append("".join(reply.completions[0].text for reply in replies))
        return " ".join(said)

    model = Scripted(lambda request: request.text.upper(), room=3)
    scripts = [counting("x", 3), counting("y", 0), counting("z", 1)]
    assert dict(converse(scripts, model)) == {0: "X0AX0B X1AX1B X2AX2B", 1: "", 2: "Z0AZ0B"}


def test_a_script_without_an_answer_is_over_and_others_go_on() -> None:
    def asking(name: str) -> Script[str]:
        replies = yield [Request(text=name), Request(text=name + "2")]
        return replies[0].completions[0].text

    model = Scripted(lambda request: Reply(error="down") if request.text == "bad" else request.text, room=2)
    ended = dict(converse([asking("bad"), asking("good")], model))
    assert str(ended[0]) == "down"
    assert isinstance(ended[0], Unanswered)
    assert ended[1] == "good"


# -- going on


def test_a_torn_last_line_is_dropped_and_anything_else_refused(tmp_path: Path) -> None:
    path = tmp_path / "work" / "seeds.jsonl"
    with Journal(path) as journal:
        journal.put("a", {"n": 1})
        journal.put("b", {"n": 2})
    whole = path.read_bytes()
    path.write_bytes(whole[:-4])
    with Journal(path) as journal:
        assert journal.get("a") == {"n": 1}
        assert journal.get("b") is None
        journal.put("b", {"n": 2})
    assert path.read_bytes() == whole
    path.write_bytes(b"nonsense\n" + whole)
    with pytest.raises(InputError, match=r"seeds\.jsonl:1: not a line of a journal"):
        Journal(path)


def test_a_run_without_answers_is_gone_on_with(tmp_path: Path) -> None:
    names = ("good", "repaired", "disagreeing")
    folder = seeds_of(tmp_path / "seeds", names)
    whole = synthesise(config(folder, tmp_path / "whole"), Scripted(teachers.answer))

    def failing(request: Request) -> str | Reply:
        return Reply(error="overloaded") if "task_repaired" in request.messages[1].content else teachers.answer(request)

    settings = config(folder, tmp_path / "out")
    first = synthesise(settings, Scripted(failing))
    assert first["counts"]["seeds_unanswered"] == 1
    assert drops(tmp_path / "out")["repaired"] == ("the teacher did not answer", "overloaded")
    again = Scripted(teachers.answer)
    second = synthesise(settings, again)
    assert {re_asked for request in again.asked for re_asked in names if re_asked in request.messages[1].content} == {
        "repaired"
    }
    assert second["counts"] == whole["counts"]
    assert second["spent"] == whole["spent"]
    for name in ("programs.jsonl", "drops.jsonl"):
        assert (tmp_path / "out" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


def test_a_teacher_that_never_answers_is_told(tmp_path: Path) -> None:
    folder = seeds_of(tmp_path / "seeds", ("good",))
    with pytest.raises(UsageError, match=r"no program was kept; the teacher did not answer \(overloaded\)"):
        synthesise(config(folder, tmp_path / "out"), Scripted(lambda request: Reply(error="overloaded")))


def test_a_folder_of_another_synthesis_is_refused_by_what_differs(tmp_path: Path) -> None:
    folder = seeds_of(tmp_path / "seeds", ("good",))
    settings = config(folder, tmp_path / "out")
    synthesise(settings, Scripted(teachers.answer))
    before = files(tmp_path / "out")
    silent = Scripted(lambda request: Reply(error="not asked"))
    synthesise(settings, silent)
    assert not silent.asked
    assert files(tmp_path / "out") == before
    other = dataclasses.replace(settings, solutions=2, rounds=9, teacher="scripted:other")
    with pytest.raises(UsageError, match=r"another configuration \(differs in: teacher, solutions, rounds\)"):
        synthesise(other, silent)
    seeds_of(tmp_path / "seeds", ("good", "never"))
    with pytest.raises(UsageError, match="the seeds changed"):
        synthesise(settings, silent)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("do not touch")
    with pytest.raises(UsageError, match="not the folder of a synthesis"):
        synthesise(dataclasses.replace(settings, out=str(tmp_path / "mine")), silent)


def test_more_seeds_and_monologues_go_on_in_the_same_folder(tmp_path: Path) -> None:
    folder = seeds_of(tmp_path / "seeds", ("good", "majority"))
    settings = config(folder, tmp_path / "out", max_seeds=1, samples=1, cases_per_program=3)
    first = synthesise(settings, Scripted(teachers.answer))
    assert first["counts"]["programs_kept"] == 1
    assert "monologues" not in first

    def teller(request: Request) -> str | Reply:
        return "no" if "[PYTHON]" in request.messages[-1].content else teachers.answer(request)

    wider = dataclasses.replace(settings, max_seeds=0, monologues=True)
    second = synthesise(wider, Scripted(teller))
    assert second["counts"]["programs_kept"] == 2
    assert second["monologues"]["forward"]["rejected"] == {"no answer": 6}
    assert second["counts"]["rows"] == {"nl": 2, "forward": 0, "backward": 0}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"solutions": 0}, "--solutions: must be at least 1"),
        ({"rounds": -1}, "--rounds: must be at least 0"),
        ({"temperature": 3.0}, "--temperature: must be from 0 to 2"),
        ({"cpu_s": float("nan")}, "--cpu-s: must be a number"),
        ({"min_cases": 9}, "--min-cases: 9 cannot be reached"),
        ({"seeds": "/nowhere"}, "holds no programs.jsonl"),
    ],
)
def test_senseless_requests_are_refused_before_anything_is_written(
    tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    folder = seeds_of(tmp_path / "seeds", ("good",))
    with pytest.raises(UsageError, match=message):
        synthesise(config(folder, tmp_path / "out", **changes), Scripted(teachers.answer))
    assert not (tmp_path / "out").exists()


def test_malformed_seeds_are_refused_by_file_and_row(tmp_path: Path) -> None:
    (tmp_path / "programs.jsonl").write_text('{"program": {"source": 1}}\n')
    with pytest.raises(InputError, match=r"programs\.jsonl:1"):
        synthesise(config(tmp_path, tmp_path / "out"), Scripted(teachers.answer))


def test_scripted_is_a_model() -> None:
    model: Model = Scripted(teachers.answer)
    assert model.name == "scripted"


@pytest.mark.parametrize(
    "answer",
    [
        "First [ANSWER]assert f(4) == 7[/ANSWER], no: the loop runs.\n[ANSWER]assert f(4) == 8[/ANSWER]",
        "[MONOLOGUE]a[/MONOLOGUE][ANSWER]x[/ANSWER][MONOLOGUE]b[/MONOLOGUE][ANSWER]y[/ANSWER]",
        "[MONOLOGUE]It is over. [PLAN] more[ANSWER]assert f(4) == 8[/ANSWER]".replace(
            "[PLAN]", "[ FUNCTION ] [ANSWER]"
        ),
    ],
)
def test_an_answer_that_gives_two_is_not_read(answer: str) -> None:
    with pytest.raises(Malformed, match="one monologue and one answer"):
        read_told(answer)


def test_answers_nested_too_deep_are_malformed_and_no_error() -> None:
    for count in (100, 900, 5000):
        with pytest.raises(Malformed):
            proposed_input(f"assert f({'+'.join(['1'] * count)}) == 3", "f")
        with pytest.raises(Malformed):
            asked_value(f"assert f(1) == {'+'.join(['1'] * count)}", "f(1)")


def test_reading_takes_time_linear_in_the_answer() -> None:
    started = time.process_time()
    with pytest.raises(Malformed):
        read_told("[" + " " * 3_000_000)
    assert time.process_time() - started < 5

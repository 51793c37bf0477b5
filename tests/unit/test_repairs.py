"""PyX-R: failing tests, rationales, patches; what is refused; rows of a build."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from semcoder.core import Invocation, Program, Sample, load
from semcoder.debugging.divergence import first_divergence
from semcoder.debugging.repairs import MIN_INPUTS, Budget, Repair, Unfit, Workbench, apply_patch, make_patch
from semcoder.errors import InputError, UsageError
from semcoder.monologue import verify
from semcoder.mutation.bugs import bugs
from semcoder.prompts import load_profile
from semcoder.pyx import BuildConfig, build
from semcoder.pyx.repairs import answers_in
from semcoder.sandbox import Sandbox
from semcoder.tracing import trace_here
from semcoder.training.recipe import Data
from semcoder.training.rows import read_examples

SOURCE = '''def most(numbers: list[int], limit: int) -> int:
    """The largest of the numbers that is below a limit, or the limit's negative.

    >>> most([1, 5, 9], 9)
    5
    """
    best = -limit
    for number in numbers:
        if number < limit and number > best:
            best = number
    return best
'''
PROGRAM = Program(SOURCE, "most")
KNOWN = [Invocation(f"most({[k, 2 * k, 7]}, {k + 3})") for k in range(-5, 20)]


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    with Sandbox(workers=1) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def bench(box: Sandbox) -> Workbench:
    return Workbench(PROGRAM, KNOWN, box)


@pytest.fixture(scope="module")
def repair(bench: Workbench) -> Repair:
    return bench.repair(SOURCE.replace("number < limit", "number <= limit"))


def passes(source: str, test: str) -> bool:
    space: dict[str, Any] = {}
    exec(source, space)
    try:
        exec(test, space)
    except AssertionError:
        return False
    return True


def test_the_test_fails_on_the_wrong_version_alone(repair: Repair) -> None:
    assert not passes(repair.wrong, repair.test)
    assert passes(SOURCE, repair.test)
    assert passes(repair.fixed, repair.test)


def test_the_fault_is_found_and_the_patch_removes_it(repair: Repair) -> None:
    assert repair.divergence.line == 9
    assert repair.fixed == apply_patch(repair.wrong, repair.patch) == SOURCE
    assert repair.inputs >= MIN_INPUTS


def test_the_rationale_has_simulation_cause_and_repair(repair: Repair) -> None:
    lines = repair.rationale.splitlines()
    assert lines[0].startswith("What the function is for, in its author's words: The largest")
    assert lines[1] == f"The call is `{repair.call}`."
    cause = lines.index(
        "The fault is in line 9: it is `if number <= limit and number > best:` and must be `if number < limit and number > best:`."
    )
    assert lines[cause + 1].startswith("As the code is: Line 9: ")
    assert lines[cause + 2].startswith("As it must be: Line 9: ")
    assert f"The test expects `{repair.expected}`." in lines[:cause]
    assert lines[-1] == f"The call returns `{repair.expected}`."
    assert "+        if number < limit and number > best:" in lines


def test_the_simulation_is_true_of_the_wrong_version_and_of_no_other(repair: Repair) -> None:
    told = repair.rationale.partition("The test expects")[0]
    assert all(claim.verdict for claim in verify(told, trace_here(repair.wrong, repair.call)))
    assert any(claim.verdict is False for claim in verify(told, trace_here(SOURCE, repair.call)))
    assert repair.claims > 0


def test_the_cause_is_that_of_the_two_runs(repair: Repair) -> None:
    good, bad = trace_here(SOURCE, repair.call), trace_here(repair.wrong, repair.call)
    assert repair.divergence == first_divergence(good, bad, good_source=SOURCE, bad_source=repair.wrong)


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        (
            SOURCE.replace("return best", "result = best\n    return result"),
            "the wrong version does the same on all inputs",
        ),
        (SOURCE.replace("    for", "    while True: pass\n    for"), "the wrong version hits a limit"),
        (SOURCE.replace("    best = -", "    open('/etc/passwd')\n    best = -"), "the wrong version reaches outside"),
        (SOURCE.replace("return best", "return most"), "no test can tell the wrong version"),
    ],
)
def test_what_gives_no_row_says_why(bench: Workbench, wrong: str, reason: str) -> None:
    with pytest.raises(Unfit, match=reason):
        bench.repair(wrong)


@pytest.mark.slow
def test_an_equivalent_mutant_is_dropped_and_all_others_are_repaired(bench: Workbench) -> None:
    reasons = []
    for bug in bugs(SOURCE, n=25, seed=1):
        try:
            repair = bench.repair(bug.source)
        except Unfit as unfit:
            reasons.append(str(unfit))
            continue
        assert repair.divergence.line == bug.line, bug
        assert not passes(bug.source, repair.test) if repair.bad.outcome.status == "returned" else True
    assert len(reasons) <= 8, reasons


def test_an_answer_that_is_another_program_is_repaired_too(bench: Workbench) -> None:
    answer = "def most(numbers, limit):\n    below = [n for n in numbers if n <= limit]\n    return max(below, default=-limit)\n"
    repair = bench.repair(answer)
    assert not passes(answer, repair.test)
    assert repair.fixed == SOURCE


def test_a_program_with_few_inputs_is_refused(box: Sandbox) -> None:
    with pytest.raises(Unfit, match="too few inputs"):
        Workbench(Program("def f():\n    return 1\n", "f"), [Invocation("f()")], box)


def test_a_program_whose_results_change_is_refused(box: Sandbox) -> None:
    source = "def f(n: int):\n    return [n, [word for word in {'a', 'b', 'c', 'd', 'e', 'f'}]]\n"
    with pytest.raises(Unfit, match="too few inputs"):
        Workbench(Program(source, "f"), [Invocation("f(1)"), Invocation("f(2)")], box)


def test_of_a_long_run_the_middle_is_left_out(box: Sandbox) -> None:
    calls = [Invocation(f"most({list(range(60))}, {k})") for k in range(60)]
    bench = Workbench(PROGRAM, calls, box, budget=Budget(max_text=20_000))
    repair = bench.repair(SOURCE.replace("return best", "return best + 1"))
    assert "more steps, then:)" in repair.rationale
    assert len(repair.rationale.splitlines()) < 60
    with pytest.raises(Unfit, match="too long"):
        Workbench(PROGRAM, calls, box, budget=Budget(max_text=500)).repair(
            SOURCE.replace("return best", "return best + 1")
        )


# Patches -------------------------------------------------------------------------------------------------------------

TEXTS = st.lists(
    st.sampled_from(["a", "b", "- c", "+ d", " e", "--- f", "+++ g", "@@ -1 +1 @@", "\\ x", "", "ü", "h\fi"]),
    max_size=14,
)


@given(TEXTS, TEXTS, st.booleans(), st.booleans())
def test_a_patch_turns_the_one_text_into_the_other(one: list[str], two: list[str], ends: bool, ended: bool) -> None:
    before, after = "\n".join(one) + "\n" * ends, "\n".join(two) + "\n" * ended
    assert apply_patch(before, make_patch(before, after)) == after


def test_a_patch_is_what_the_patch_command_takes(tmp_path: Path, repair: Repair) -> None:
    (tmp_path / "program.py").write_text(repair.wrong)
    subprocess.run(["git", "apply", "-"], input=repair.patch, text=True, cwd=tmp_path, check=True)
    assert (tmp_path / "program.py").read_text() == repair.fixed


def test_a_patch_for_another_text_is_refused(repair: Repair) -> None:
    with pytest.raises(InputError, match="the patch does not fit at line"):
        apply_patch(repair.wrong.replace("best", "top"), repair.patch)


# Rows ----------------------------------------------------------------------------------------------------------------

ANSWER = "Here it is:\n```python\ndef most(numbers, limit):\n    return max(numbers, default=-limit)\n```\n"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    root = tmp_path_factory.mktemp("repairs")
    (root / "code.py").write_text(SOURCE)
    name = Program(SOURCE, "most").id
    (root / "answers.jsonl").write_text(json.dumps({"task_id": name, "solution": ANSWER}) + "\n")
    config = BuildConfig(
        sources=(str(root / "code.py"),),
        out=str(root / "out"),
        rows=("repair",),
        shards=1,
        workers=1,
        repairs_per_program=3,
        answers=(str(root / "answers.jsonl"),),
        unknown_license=True,
    )
    manifest = build(config)
    with (root / "out" / "rows" / "repair-00000.jsonl").open() as file:
        return manifest, [json.loads(line) for line in file]


def test_a_build_writes_repair_rows(built: tuple[dict[str, Any], list[dict[str, Any]]]) -> None:
    manifest, rows = built
    assert manifest["counts"]["rows"] == {"repair": len(rows)}
    assert [row["found_by"].startswith("mutation: ") for row in rows].count(True) == 3
    assert len({row["id"] for row in rows}) == len(rows)
    assert manifest["counts"]["claims_checked"] == sum(row["claims"] for row in rows) > 0
    assert manifest["counts"]["claims_false"] == 0


def test_a_row_has_the_published_fields(built: tuple[dict[str, Any], list[dict[str, Any]]]) -> None:
    profile = load_profile()
    for doc in built[1]:
        row = load(Sample, doc)
        assert [bool(part) for part in (row.nl, row.fwd_mnl, row.bwd_mnl, row.fault)] == [False, False, False, True]
        assert row.fault.startswith(f"{profile.tasks.repair}\n")
        test = f"assert {row.call} == {row.output}"
        assert f"\n{test}\n" in row.fault
        parsed = profile.repairing.parse(row.response)
        assert parsed.answer is not None
        assert passes(parsed.answer, test)
        wrong = row.fault.partition("[PYTHON]\n")[2].partition("\n[/PYTHON]")[0]
        assert (
            apply_patch(f"{wrong}\n", parsed.monologue.partition("The repair:\n")[2].partition("With it:")[0])
            == f"{parsed.answer}\n"
        )


def test_answers_of_models_become_rows(built: tuple[dict[str, Any], list[dict[str, Any]]]) -> None:
    (row,) = [row for row in built[1] if row["found_by"] == "answer"]
    assert "return max(numbers, default=-limit)\n[/PYTHON]" in row["fault"]
    assert "Here it is" not in row["fault"]


def test_training_reads_the_rows(built: tuple[dict[str, Any], list[dict[str, Any]]]) -> None:
    examples = read_examples([Data(built[0]["folder"], tasks=("repair",))], load_profile(), seed=0)
    assert [(one.prompt, one.answer) for one in examples] == [(row["fault"], row["response"]) for row in built[1]]
    assert {one.group for one in examples} == {PROGRAM.id}


def test_answers_of_another_form_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no such file of answers"):
        answers_in(str(tmp_path / "none.jsonl"))
    (tmp_path / "bad.jsonl").write_text('{"task_id": "a"}\n')
    with pytest.raises(InputError, match=r"bad\.jsonl:1: an answer has a text 'task_id' and a text 'solution'"):
        answers_in(str(tmp_path / "bad.jsonl"))

"""`semcoder debug`: calls and tests that fail, beside a right version, and repaired by a model that a test scripts."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from semcoder.cli import run_command
from semcoder.core import Value
from semcoder.debugging.cases import literal
from semcoder.debugging.patching import NoPatch, Question, changes_of, prompt
from semcoder.debugging.wanted import difference
from semcoder.errors import UsageError
from tests.servers import Scripted, said

DOCS = Path(__file__).parents[2] / "docs" / "cli.md"
WRONG = '''\
def swap(xs, i, j):
    xs[i], xs[j] = xs[j], xs[i]


class Sorter:
    def order(self, xs):
        """Ascending."""
        for i in range(len(xs)):
            for j in range(i):
                if xs[j] < xs[i]:
                    swap(xs, i, j)
        return xs


def order(xs):
    return Sorter().order(xs)


def ratio(a, b):
    return a / b
'''
RIGHT = WRONG.replace("xs[j] < xs[i]", "xs[j] > xs[i]")
METHOD = "class Sorter:\n" + RIGHT.partition("class Sorter:\n")[2].partition("\n\n\n")[0]
TEST = """\
import pytest

from sorting import order, ratio


@pytest.mark.parametrize("given, wanted", [([2, 1], [1, 2])])
def test_order(given, wanted):
    assert order(given) == wanted


def test_ratio():
    assert ratio(1, 2) == 0.5
"""
CALL = ["--call", "order([3, 1, 2])", "--expect", "[1, 2, 3]"]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository whose only commit is right, and whose working tree is not."""
    (tmp_path / "sorting.py").write_text(RIGHT)
    (tmp_path / "test_sorting.py").write_text(TEST)
    git = ["git", "-c", "user.name=x", "-c", "user.email=x@example.com"]
    for command in (["init", "-q"], ["add", "."], ["commit", "-qm", "right"]):
        subprocess.run([*git, *command], cwd=tmp_path, check=True)
    (tmp_path / "sorting.py").write_text(WRONG)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def answer(*words: str) -> Any:
    return said("The comparison is the wrong way round.\n```python\n" + "\n".join(words) + "\n```\n")


def files(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): path.read_text()
        for path in folder.rglob("*")
        if path.is_file() and ".git" not in path.parts
    }


def documented_keys() -> set[str]:
    section = re.search(r"^## debug\n(.*?)(?=^## |\Z)", DOCS.read_text(), re.M | re.S)
    assert section is not None
    rows = re.findall(r"^\| (`.*?) \|", section[1], re.M)
    return {key for row in rows for key in re.findall(r"`([a-z_]+)`", row)}


# calls -------------------------------------------------------------------------------------------------------------


def test_call_that_gives_the_wrong_value(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["debug", "sorting.py", *CALL]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "order([3, 1, 2]) does not give [1, 2, 3]"
    assert "`sorting.Sorter.order`" in " ".join(lines[1:4])
    assert "it got `[3, 2, 1]` and wanted `[1, 2, 3]`; the first difference is `3` instead of `1`" in lines[2]
    assert len(lines) <= 11


def test_call_that_gives_what_is_wanted(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["debug", "sorting.py", "--call", "ratio(1, 2)", "--expect", "0.5"]) == 0
    assert "there is nothing to explain" in capsys.readouterr().out


def test_call_that_raises(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["debug", "sorting.py", "--call", "ratio(1, 0)", "--expect", "0"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[1] == (
        "Look at `sorting.ratio` first (sorting.py:19): in line 20 it raises `ZeroDivisionError: division by zero`."
    )


def test_full_tells_every_step(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["debug", "sorting.py", *CALL, "--full"]) == 1
    out = capsys.readouterr().out
    assert out.count("`swap` is called with") == 1
    assert out.count("the condition `xs[j] < xs[i]`") == 3


@pytest.mark.parametrize("good", ["HEAD", "right.py"])
def test_first_divergence_of_a_call(project: Path, capsys: pytest.CaptureFixture[str], good: str) -> None:
    (project / "right.py").write_text(RIGHT)
    assert run_command(["debug", "sorting.py", *CALL, "--good", good]) == 1
    last = capsys.readouterr().out.splitlines()[-1]
    expected = "Line 10 is `if xs[j] < xs[i]:` where the good version has `if xs[j] > xs[i]:`"
    assert last.startswith(f"Beside {good}, in sorting.py: {expected}")


def test_documents_have_the_documented_keys(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    commands = [["debug", "sorting.py", *CALL, "--good", "HEAD", "--json"], ["debug", "test_sorting.py", "--json"]]
    for command in commands:
        assert run_command(command) == 1
    call, test = map(json.loads, capsys.readouterr().out.splitlines())
    assert call.keys() == test.keys() == documented_keys()
    assert call["good"]["line"] == 10
    assert (call["status"], call["got"], call["wanted"], call["exit_code"]) == ("failed", "[3, 2, 1]", "[1, 2, 3]", 1)
    assert test["test"] == "test_sorting.py::test_order[given0-wanted0]"
    assert "Sorter.order" in [found["name"] for found in test["suspects"]][:3]
    assert (test["got"], test["wanted"], test["explained"]) == ("[2, 1]", "[1, 2]", "explained")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["sorting.py", "--call", "order([1])"], "--call and --expect go together"),
        (["sorting.py", "--call", "order([1])", "--expect", "x()"], "the value 'x()' is not a literal"),
        (["sorting.py", "--call", "other(1)", "--expect", "1"], "defines no 'other'"),
        (["nowhere.py", "--call", "f(1)", "--expect", "1"], "nowhere.py: there is no such file"),
        (["nowhere.py::test"], "nowhere.py::test: there is no such file or folder"),
        (["test_sorting.py::test_nothing"], "pytest cannot run test_sorting.py::test_nothing: ERROR: not found"),
        (
            ["test_sorting.py", "--apply"],
            "--apply writes the patch of a model or of a search: ask for one with --model",
        ),
        (["sorting.py", *CALL, "--good", "no-such"], "has no such revision"),
        (["test_sorting.py", "--good", "no-such"], "has no such revision"),
        (["sorting.py", *CALL, "--model", "what"], "no model 'what'"),
        (["sorting.py", *CALL, "--model", "nano"], "writes no code"),
        (["test_sorting.py", "--model", "nano"], "writes no code"),
        (["sorting.py"], "pytest finds no tests in sorting.py; to explain a call of a file, give --call and --expect"),
        (["using.py", "--call", "f(1)", "--expect", "1"], "using.py: No module named 'sorting'; a single call runs in"),
    ],
)
def test_wrong_requests(project: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str) -> None:
    (project / "using.py").write_text("from sorting import ratio\n\n\ndef f(x):\n    return ratio(x, 1)\n")
    assert run_command(["debug", *arguments]) == 2
    captured = capsys.readouterr()
    assert message in captured.err.splitlines()[-1]
    assert not captured.out


def test_calls_without_an_end(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "endless.py").write_text("def f():\n    while True:\n        pass\n")
    arguments = ["debug", "endless.py", "--call", "f()", "--expect", "1", "--limit-cpu", "0.2"]
    assert run_command(arguments) == 3
    assert capsys.readouterr().err.startswith("semcoder: error: f() was not traced to its end (timeout)")


# tests -------------------------------------------------------------------------------------------------------------


def test_test_beside_a_revision(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = files(project)
    assert run_command(["debug", "test_sorting.py", "--good", "HEAD"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "test_sorting.py::test_order[given0-wanted0] fails"
    assert lines[-1].startswith("Beside HEAD, in sorting.py: Line 10 is `if xs[j] < xs[i]:` where the good version has")
    assert files(project) == before
    status = subprocess.run(["git", "status", "--short"], cwd=project, capture_output=True, text=True, check=True)
    assert status.stdout == " M sorting.py\n"


def test_test_that_passes(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["debug", "test_sorting.py::test_ratio"]) == 0
    assert "it passes: there is nothing to explain" in capsys.readouterr().out


@pytest.mark.slow
def test_revision_in_which_the_test_fails_too(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "test_sorting.py").write_text(TEST.replace("[1, 2])]", "[5])]"))
    assert run_command(["debug", "test_sorting.py", "--good", "HEAD"]) == 2
    assert "does not pass there either (failed)" in capsys.readouterr().err


# patches -----------------------------------------------------------------------------------------------------------


def model(server: Scripted) -> list[str]:
    return ["--model", f"openai:m@{server.url}"]


def test_patch_is_tested_before_it_is_shown(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    breaks_the_other = METHOD + "\n\ndef ratio(a, b):\n    return b / a\n"
    answers = [said("I do not know."), answer(breaks_the_other), answer(METHOD)]
    before = files(project)
    with Scripted(answers) as server:
        assert run_command(["debug", "test_sorting.py", *model(server)]) == 0
    captured = capsys.readouterr()
    assert "The model says: The comparison is the wrong way round." in captured.out
    assert "-                if xs[j] < xs[i]:\n+                if xs[j] > xs[i]:" in captured.out
    assert "def ratio" not in captured.out.partition("The model says")[2]
    assert captured.err.splitlines()[-1].endswith("pass with this patch; --apply writes it")
    assert files(project) == before
    shown = [asked.said for asked in server.seen]
    assert "def test_order(given, wanted):" in shown[0]
    assert "it got `[2, 1]` and wanted `[1, 2]`" in shown[0]
    assert "there is no ```python block" in shown[1]
    assert "test_sorting.py::test_ratio fails now" in shown[2]


def test_apply_writes_a_patch_that_passes(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Scripted(answer(METHOD)) as server:
        assert run_command(["debug", "test_sorting.py", "--apply", "--json", *model(server)]) == 0
    assert (project / "sorting.py").read_text() == RIGHT
    patch = json.loads(capsys.readouterr().out)["patch"]
    assert patch["passes"]
    assert patch["applied"]
    assert patch["rounds"] == 1


@pytest.mark.slow
def test_a_model_without_a_patch_changes_nothing(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = files(project)
    with Scripted(answer(METHOD.replace(">", "=="))) as server:
        assert run_command(["debug", "test_sorting.py", "--apply", *model(server)]) == 1
    assert len(server.seen) == 3
    assert "this is the patch that you gave before" in capsys.readouterr().err
    assert files(project) == before


def test_patch_of_a_call(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Scripted([answer("def order(xs:"), answer(METHOD)]) as server:
        assert run_command(["debug", "sorting.py", *CALL, "--apply", *model(server)]) == 0
    assert (project / "sorting.py").read_text() == RIGHT
    assert "the block is not Python" in server.seen[1].said


# searches ----------------------------------------------------------------------------------------------------------

#: What no small change makes true, and what is said then.
BEYOND = ["--call", "ratio(1, 0)", "--expect", "7"]
NOTHING = r"a search found no patch: (\d+) small changes of `ratio` were tried, and none passes"


def test_a_search_finds_a_patch_and_writes_nothing(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = files(project)
    assert run_command(["debug", "test_sorting.py", "--search"]) == 0
    captured = capsys.readouterr()
    said = next(row for row in captured.out.splitlines() if row.startswith("Line 10 of sorting.py: "))
    assert said.startswith(
        "Line 10 of sorting.py: `if xs[j] < xs[i]:` -> `if xs[j] > xs[i]:`. test_sorting.py::test_order"
    )
    assert "and the test of its file that passed before pass with this patch; " in said
    assert re.search(r"; \d+ small changes of `Sorter.order` were tried, and no other passes. A change that ", said)
    assert "-                if xs[j] < xs[i]:\n+                if xs[j] > xs[i]:" in captured.out
    assert captured.err.splitlines()[-1] == "semcoder: --apply writes it"
    assert files(project) == before


def test_apply_writes_what_a_search_found(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Scripted(answer(METHOD)) as server:
        assert run_command(["debug", "sorting.py", *CALL, "--search", "--apply", "--json", *model(server)]) == 0
    assert not server.seen  # a model is asked only where a search finds nothing
    assert (project / "sorting.py").read_text() == RIGHT
    patch = json.loads(capsys.readouterr().out)["patch"]
    assert patch.keys() == {"passes", "diff", "cause", "rounds", "refused", "applied"}
    assert (patch["passes"], patch["applied"], patch["refused"]) == (True, True, [])
    assert f" {patch['rounds']} small changes of " in patch["cause"]


def test_a_model_is_asked_where_a_search_finds_nothing(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Scripted(answer("def ratio(a, b):\n    return a / b if b else 7\n")) as server:
        assert run_command(["debug", "sorting.py", *BEYOND, "--search", "--json", *model(server)]) == 0
    captured = capsys.readouterr()
    assert re.search(NOTHING, captured.err)
    assert json.loads(captured.out)["patch"]["rounds"] == len(server.seen) == 1


def test_a_search_that_finds_nothing(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = files(project)
    assert run_command(["debug", "sorting.py", *BEYOND, "--search", "--apply", "--json"]) == 1
    captured = capsys.readouterr()
    tried = re.search(NOTHING, captured.err)
    assert tried is not None
    expected = {"passes": False, "diff": "", "cause": "", "rounds": int(tried[1]), "refused": [], "applied": False}
    assert json.loads(captured.out)["patch"] == expected
    assert files(project) == before


@pytest.mark.slow
def test_a_test_that_no_small_change_repairs(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "test_sorting.py").write_text(TEST.replace("[1, 2])]", "[5])]"))
    assert run_command(["debug", "test_sorting.py", "--search"]) == 1
    expected = r"a search found no patch: \d+ small changes of `Sorter.order` were tried, and none passes"
    assert re.search(expected, capsys.readouterr().err)


def test_a_search_where_no_code_of_the_project_ran(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "test_sorting.py").write_text("def test_alone():\n    assert [1] == [2]\n")
    assert run_command(["debug", "test_sorting.py", "--search"]) == 1
    assert "a search found no patch: there is no suspect function that it could change" in capsys.readouterr().err


def test_search_for_a_call(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = files(project)
    assert run_command(["debug", "sorting.py", *CALL, "--search"]) == 0
    assert files(project) == before
    captured = capsys.readouterr()
    assert "order([3, 1, 2]) gives [1, 2, 3] with this patch; " in captured.out
    assert captured.err.splitlines()[-1] == "semcoder: --apply writes it"


@pytest.mark.slow
def test_a_patch_that_has_a_test_skipped_is_refused(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    skips = "    if order([2, 1]) == [1, 2]:\n        pytest.skip()\n    assert ratio"
    (project / "test_sorting.py").write_text(TEST.replace("    assert ratio", skips))
    assert run_command(["debug", "test_sorting.py", "--search"]) == 1
    assert (
        "1 pass by themselves, and break others: test_sorting.py::test_ratio is skipped now" in capsys.readouterr().err
    )


# parts -------------------------------------------------------------------------------------------------------------

SOURCE = '''\
import functools


@functools.cache
def f(x):
    return x + 2


class A:
    def g(self):
        return f(1)

    @staticmethod
    def h():
        return """
a
"""


def g():
    return 0
'''


def question(*suspects: str) -> Question:
    path = Path("a.py")
    return Question("assert f(1) == 2", ("It got `3`.",), {path: SOURCE}, {path: suspects})


def changed(text: str, *suspects: str) -> str:
    return changes_of(f"Because.\n```python\n{text}\n```", question(*suspects))[Path("a.py")]


def test_functions_keep_their_decorators_and_places() -> None:
    assert changed("def f(x):\n    return x + 1") == SOURCE.replace("x + 2", "x + 1")
    assert changed("class A:\n    def g(self):\n        return f(2)") == SOURCE.replace("return f(1)", "return f(2)")
    assert changed("def h():\n    return 1").count("@staticmethod\n    def h():\n        return 1\n") == 1
    assert changed("@other\ndef f(x):\n    return x") == SOURCE.replace("@functools.cache", "@other").replace(
        " + 2", ""
    )


def test_a_name_that_several_have_means_the_exact_one() -> None:
    assert changed("def g():\n    return 1", "A.g").endswith("def g():\n    return 1\n")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("no code", "no ```python block"),
        ("```python\ndef f(x:\n```", "is not Python"),
        ("```python\ndef other():\n    pass\n```", "no function is named other"),
        ("```python\ndef f(x):\n    return x + 2\n```", "no function that differs"),
        ("```python\nprint(1)\n```", "no function that differs"),
    ],
)
def test_answers_that_hold_no_patch(text: str, reason: str) -> None:
    with pytest.raises(NoPatch, match=reason):
        changes_of(text, question())


def test_prompt_shows_suspects_of_long_files_alone() -> None:
    path = Path("long.py")
    text = SOURCE + "".join(f"\n\ndef filler_{k}():\n    return {k}\n" for k in range(100))
    shown = prompt(Question("assert f(1) == 2", ("It got `3`.",), {path: text}, {path: ("A.h",)}))
    assert "@staticmethod\n    def h():" in shown
    assert "filler_7" not in shown
    assert "It got `3`." in shown


@pytest.mark.parametrize(
    ("got", "wanted", "leaf", "piece"),
    [
        ([1, [2, 3]], [1, [2, 4]], 3, None),
        ({"a": 1, "b": {"c": "x y"}}, {"a": 1, "b": {"c": "x z y"}}, "x y", "x y"),
        ([1, 2], [1], 2, None),
        ("one two", "one too", "one two", "two"),
        ((1.0, True), (1, True), (1.0, True), None),
        ({1, 22}, {1}, 22, None),
    ],
)
def test_difference(got: object, wanted: object, leaf: object, piece: str | None) -> None:
    found = difference(Value.of(got), Value.of(wanted))
    assert found.leaf.to_python() == leaf
    assert piece is None or piece in found.wrong


def test_literal_refuses_what_is_none() -> None:
    with pytest.raises(UsageError, match="is not a literal"):
        literal("print(1)")

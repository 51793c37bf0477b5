"""The command line's results: what each command prints, its JSON documents, its help, and what it does not load."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from typer.testing import CliRunner

from semcoder.cli import run_command
from semcoder.cli.app import app, command_names

DOCS = Path(__file__).parents[2] / "docs" / "cli.md"

PROGRAM = '''\
def total(numbers, limit=10):
    """The sum of the numbers, cut at a limit."""
    result = 0
    for number in numbers:
        if number < 0:
            continue
        result += double(number)
    while result > limit:
        result -= 5
    print("result", result)
    return result


def double(n):
    return n * 2


def careful(n):
    try:
        return 1 // n
    except ZeroDivisionError:
        return None


def loud():
    print("no newline", end="")
    return "done"


class Point:
    def __init__(self, x):
        self.x = x


def point():
    return Point(3)
'''

SEEDS = '''\
def longest(words):
    """The longest of some words.

    >>> longest(["a", "bcd", "ef"])
    'bcd'
    """
    best = ""
    for word in words:
        if len(word) > len(best):
            best = word
    return best


def vowels(text):
    """How many vowels a text has.

    >>> vowels("banana")
    3
    """
    found = 0
    for letter in text:
        if letter in "aeiou":
            found += 1
    return found


def hello():
    print("hello")
'''

TRACE = """\
 1  def total(numbers, limit=10):  call total(numbers=[4, -1, 2], limit=10)
 3  result = 0                     result = 0
 4  for number in numbers:
 4  for number in numbers:         iteration 1; number = 4
 5  if number < 0:                 False
 7  result += double(number)
14    def double(n):               call double(n=4)
15    return n * 2                 returns 8
 7  result += double(number)       result: 0 -> 8
 4  for number in numbers:         iteration 2; number: 4 -> -1
 5  if number < 0:                 True
 6  continue
 4  for number in numbers:         iteration 3; number: -1 -> 2
 5  if number < 0:                 False
 7  result += double(number)
14    def double(n):               call double(n=2)
15    return n * 2                 returns 4
 7  result += double(number)       result: 8 -> 12
 4  for number in numbers:         no more items after 3 iterations
 8  while result > limit:          True: iteration 1 begins
 9  result -= 5                    result: 12 -> 7
 8  while result > limit:          False: the loop ends after 1 iteration
10  print("result", result)        prints 'result 7\\n'
11  return result                  returns 7
the call returned 7
"""


class Done(NamedTuple):
    code: int
    out: str
    err: str

    @property
    def documents(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.splitlines()]


Command = Callable[..., Done]


@pytest.fixture
def semcoder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    (tmp_path / "program.py").write_text(PROGRAM)
    monkeypatch.chdir(tmp_path)

    def run(*words: str) -> Done:
        return Done(run_command(words), *capsys.readouterr())

    return run


def documented_keys(command: str) -> set[str]:
    """Keys of the JSON document that docs/cli.md lists for a command."""
    section = re.search(rf"^## {command}\n(.*?)(?=^## |\Z)", DOCS.read_text(), re.M | re.S)
    assert section is not None
    return {key for row in re.findall(r"^\| (`.*?`) \|", section[1], re.M) for key in re.findall(r"`(\w+)`", row)}


# run


def test_run_prints_the_value_after_what_the_program_printed(semcoder: Command) -> None:
    assert semcoder("run", "program.py", "--call", "total([1, 2])") == (0, "result 6\n6\n", "")


def test_run_puts_the_value_on_a_line_of_its_own(semcoder: Command) -> None:
    assert semcoder("run", "program.py", "--call", "loud()").out == "no newline\n'done'\n"


def test_run_describes_an_instance(semcoder: Command) -> None:
    done = semcoder("run", "program.py", "--call", "point()")
    assert (done.code, done.out) == (0, "Point(x=3)\n")
    assert "a Point has no literal form" in done.err


def test_run_json_of_a_value(semcoder: Command) -> None:
    done = semcoder("run", "program.py", "--call", "total([1, 2])", "--json")
    (doc,) = done.documents
    assert (done.code, done.err, doc["exit_code"]) == (0, "", 0)
    assert doc.keys() == documented_keys("run")
    assert doc["value"] == {"literal": "6", "display": "6", "type": "int", "wire": {"ref": 6, "nodes": []}}
    assert (doc["status"], doc["stdout"], doc["exception"]) == ("returned", "result 6\n", None)


def test_run_json_of_an_exception_and_of_a_value_without_literal(semcoder: Command) -> None:
    done = semcoder("run", "program.py", "--call", "double()", "--json")
    (doc,) = done.documents
    assert (done.code, done.err, doc["exit_code"], doc["value"]) == (1, "", 1, None)
    assert doc["exception"]["type"] == "TypeError"
    assert "missing 1 required positional argument" in doc["exception"]["message"]
    (doc,) = semcoder("run", "program.py", "--call", "point()", "--json").documents
    assert (doc["value"]["literal"], doc["value"]["display"]) == (None, "Point(x=3)")


def test_run_reads_stdin(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "semcoder", "run", "-", "--call", "f(20)"]
    done = subprocess.run(command, input="f = lambda n: n + 1", capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "21\n", "")


def test_run_reads_a_file_with_a_byte_order_mark(semcoder: Command) -> None:
    Path("marked.py").write_text("def f(x):\n    return x\n", encoding="utf-8-sig")
    assert semcoder("run", "marked.py", "--call", "f(1)") == (0, "1\n", "")


# trace


def test_trace_shows_every_step(semcoder: Command) -> None:
    assert semcoder("trace", "program.py", "--call", "total([4, -1, 2])") == (0, TRACE, "")


def test_trace_of_an_exception_that_is_caught(semcoder: Command) -> None:
    lines = semcoder("trace", "program.py", "--call", "careful(0)").out.splitlines()
    assert any("catches ZeroDivisionError(" in line for line in lines)
    assert lines[-1] == "the call returned None"


def test_trace_of_a_call_that_raises_is_complete(semcoder: Command) -> None:
    done = semcoder("trace", "program.py", "--call", "double(None)")
    assert done.code == 0
    assert done.out.splitlines()[-1].startswith("the call raised TypeError: ")


def test_trace_json_is_the_trace_and_its_rows(semcoder: Command) -> None:
    from semcoder.tracing import Trace

    (doc,) = semcoder("trace", "program.py", "--call", "total([4, -1, 2])", "--json").documents
    assert doc.keys() == documented_keys("trace")
    assert [step.index for step in Trace.from_wire(doc).steps] == [row["step"] for row in doc["steps"]]
    assert doc["steps"][9]["events"] == [
        {"kind": "iteration", "text": "iteration 2"},
        {"kind": "change", "text": "number: 4 -> -1"},
    ]


def test_trace_has_colours_on_a_terminal_only(semcoder: Command, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "semcoder", "trace", "program.py", "--call", "double(2)"]
    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "xterm-256color", "NO_COLOR": ""}
    try:
        subprocess.run(command, cwd=tmp_path, stdout=theirs, env=environment, timeout=60, check=True)
        shown = os.read(ours, 65536).decode()
    finally:
        os.close(ours)
        os.close(theirs)
    assert "\x1b[" in shown
    plain = re.sub(r"\x1b\[[0-9;]*m", "", shown).replace("\r\n", "\n")
    assert [line.rstrip() for line in plain.splitlines()] == semcoder(*command[3:]).out.splitlines()


# explain and verify


def test_explain_forward_prints_the_text_and_counts_its_claims(semcoder: Command) -> None:
    done = semcoder("explain", "program.py", "--call", "total([4, -1, 2])")
    assert done.code == 0
    assert "returns `7`" in done.out
    assert re.fullmatch(r"semcoder: \d+ claims checked, 0 false, 0 not checked\n", done.err)


def test_explain_backward_names_an_input(semcoder: Command) -> None:
    done = semcoder("explain", "program.py", "--output", "8", "--entry", "double", "--json")
    (doc,) = done.documents
    assert done.code == 0
    assert doc.keys() == documented_keys("explain")
    assert doc["direction"] == "backward"
    assert doc["answer"] == "double(4)"
    assert doc["counts"]["false"] == 0


def test_explain_marks_claims_that_are_false_or_unchecked() -> None:
    from semcoder.cli.execution import marked
    from semcoder.core import Claim, Monologue

    claims = (
        Claim("x is 1", "value", False, "x is 2", 0, 7),
        Claim("so it is", "prose", None, "", 8, 14),
        Claim("y is 3", "value", True, "", 15, 22),
    )
    text = "x is 1. So it. y is 3.\n"
    shown = "".join(piece for piece, _ in marked(Monologue("forward", "forward", text, "3", claims)))
    assert shown == "x is 1. [false: x is 1; in truth: x is 2] So it. [not checked] y is 3.\n"


def told(semcoder: Command, call: str) -> str:
    return str(semcoder("explain", "program.py", "--call", call, "--json").documents[0]["text"])


def write_rows(*rows: dict[str, str]) -> None:
    Path("rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


def test_verify_has_no_false_alarm(semcoder: Command) -> None:
    text = told(semcoder, "total([4, -1, 2])")
    write_rows(
        {"source": PROGRAM, "call": "total([4, -1, 2])", "text": text},
        {"program": "program.py", "text": text},  # the text names its call
    )
    done = semcoder("verify", "rows.jsonl")
    assert (done.code, done.err) == (0, "")
    assert re.fullmatch(r"2 rows: \d+ claims checked, 0 false, 0 not checked, 0 rows not judged\n", done.out)


def test_verify_names_the_claim_that_is_false_and_what_is_true(semcoder: Command) -> None:
    text = told(semcoder, "double(4)")
    assert text.count("returns `8`") == 2  # the statement, and the call as a whole
    write_rows(
        {"program": "program.py", "call": "double(4)", "text": text},
        {"program": "program.py", "call": "double(4)", "text": text.replace("returns `8`", "returns `9`", 1)},
    )
    done = semcoder("verify", "rows.jsonl")
    assert done.code == 1
    first, summary = done.out.splitlines()
    assert first.startswith("rows.jsonl:2: false: ")
    assert "9" in first
    assert "8" in first.partition("in truth")[2]
    assert ", 1 false, " in summary
    good, bad = semcoder("verify", "rows.jsonl", "--json").documents
    assert good.keys() == bad.keys() == documented_keys("verify")
    assert (good["false"], bad["false"], bad["line"]) == (0, 1, 2)
    assert [claim["verdict"] for claim in bad["claims"]].count(False) == 1


def test_verify_goes_on_after_a_row_that_cannot_be_judged(semcoder: Command) -> None:
    text = told(semcoder, "double(4)")
    endless = "def f():\n    while True: pass\n"
    write_rows(
        {"source": endless, "call": "f()", "text": text},
        {"program": "program.py", "call": "nothing()", "text": text},
        {"program": "program.py", "call": "double(4)", "text": text},
    )
    done = semcoder("verify", "rows.jsonl", "--limit-cpu", "0.2")
    assert done.code == 3  # the limit outranks the wrong call
    first, second = done.err.splitlines()
    assert first.startswith("semcoder: rows.jsonl:1: not judged: ")
    assert "timeout" in first
    assert second.startswith("semcoder: rows.jsonl:2: not judged: ")
    assert done.out.startswith("3 rows: ")
    assert "2 rows not judged" in done.out


# collect, build, demo, report


@pytest.fixture
def seeds(tmp_path: Path) -> str:
    folder = tmp_path / "seeds"
    folder.mkdir()
    (folder / "seeds.py").write_text(SEEDS)
    return str(folder)


@pytest.fixture
def needs_data() -> None:
    pytest.importorskip("datatrove", reason="needs semcoder[data]")


@pytest.mark.usefixtures("needs_data")
def test_collect_counts_what_it_keeps_and_drops(semcoder: Command, seeds: str) -> None:
    (doc,) = semcoder("collect", seeds, "--out", "out", "--json").documents
    assert doc.keys() == documented_keys("collect")
    assert doc["counts"]["kept"] + sum(doc["drops"].values()) == doc["counts"]["seen"] == 3
    assert len(Path("out/programs.jsonl").read_text().splitlines()) == doc["counts"]["kept"] > 0
    done = semcoder("collect", seeds, "--out", "again")
    assert re.search(rf"kept +{doc['counts']['kept']}\b", done.out)


@pytest.mark.usefixtures("needs_data")
def test_build_and_report_and_demo(semcoder: Command, seeds: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from semcoder.pyx import load_config

    settings = f"sources: [{seeds}]\nshards: 1\nworkers: 1\ncandidates: 12\nunknown_license: true\n"
    Path("small.yaml").write_text(settings)
    done = semcoder("build", "small.yaml", "--out", "built", "--json")
    (doc,) = done.documents
    assert done.code == 0
    assert doc.keys() == documented_keys("build")
    assert doc["counts"]["programs_kept"] == 2
    assert doc["counts"]["claims_checked"] > 0
    assert doc["counts"]["claims_false"] == 0
    page = Path(semcoder("report", "built").out.strip())
    assert page.read_text().lstrip().lower().startswith("<!doctype html>")
    assert semcoder("report", "built", "--json").documents[0].keys() == documented_keys("report")

    monkeypatch.setattr("semcoder.pyx.demo_config", lambda: load_config(Path("small.yaml")))
    shown = semcoder("demo", "--out", "built").out  # the same configuration: it is resumed, and finds all done
    for row in ("programs seen", "programs kept", "cases", "monologues", "claims checked", "claims false"):
        assert re.search(rf"^ ?{row} +[\d,]+ *$", shown, re.M), row
    assert shown.splitlines()[-1] == f"a page with samples: {page}"
    (again,) = semcoder("demo", "--out", "built", "--json").documents
    assert again.keys() == documented_keys("build") | documented_keys("demo")
    assert again["counts"] == doc["counts"]


# doctor


def test_doctor_reports_this_machine(semcoder: Command) -> None:
    (doc,) = semcoder("doctor", "--json").documents
    assert doc.keys() == documented_keys("doctor")
    assert doc["python"] == ".".join(map(str, sys.version_info[:3]))
    assert {"layer", "active", "required", "promise", "detail"} <= doc["sandbox"]["layers"][0].keys()
    assert doc["extras"]["dev"]["packages"]["pytest"] == pytest.__version__
    shown = semcoder("doctor").out
    for layer in doc["sandbox"]["layers"]:
        assert layer["layer"] in shown
    assert "pip install 'semcoder[data]'" in shown


def test_doctor_fails_where_a_promise_cannot_be_kept(semcoder: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    layer = {"layer": "seccomp", "active": False, "required": True, "promise": "no network", "detail": "not built in"}
    monkeypatch.setattr("semcoder.sandbox.report", lambda: [layer], raising=False)
    done = semcoder("doctor")
    assert done.code == 4
    assert "MISSING" in done.out
    assert done.err == "semcoder: the sandbox cannot run programs here: no network\n"


# the application


def test_a_missing_extra_is_told_with_its_pip_command(semcoder: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "datatrove" or name == "semcoder.pyx.steps"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "datatrove", None)
    done = semcoder("collect", "program.py", "--out", "out")
    assert done.code == 2
    assert done.err.splitlines()[-1].endswith("is not installed; run: pip install 'semcoder[data]'")


@pytest.mark.parametrize("command", command_names())
def test_every_command_has_help_with_an_example_json_and_a_section_of_the_docs(command: str) -> None:
    result = CliRunner().invoke(app, [command, "--help"])
    assert result.exit_code == 0
    assert re.search(rf"Examples?:\n  +semcoder {command}\b", result.output)
    assert "--json" in result.output
    assert documented_keys(command)
    assert f"\n$ semcoder {command}" in DOCS.read_text()


def test_version_and_bare_command(semcoder: Command) -> None:
    from semcoder import __version__

    assert semcoder("--version") == (0, f"semcoder {__version__}\n", "")
    bare = semcoder()
    assert bare.code == 2
    assert all(name in bare.out for name in command_names())


def test_completion_offers_commands() -> None:
    environment = {**os.environ, "_SEMCODER_COMPLETE": "complete_bash", "COMP_WORDS": "semcoder ve", "COMP_CWORD": "1"}
    command = [sys.executable, "-c", "from semcoder.cli import main; main()"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout.split() == ["verify"]


@pytest.mark.parametrize(
    ("words", "absent"),
    [
        (["--help"], ["rich", "yaml", "semcoder.api", "semcoder.sandbox.host", "datatrove"]),
        (["build", "--help"], ["rich", "semcoder.pyx", "datatrove"]),
        (["run", "-", "--call", "f(1)"], ["rich", "yaml", "semcoder.pyx", "datatrove", "hypothesis"]),
    ],
)
def test_a_command_loads_only_what_it_needs(words: list[str], absent: list[str]) -> None:
    code = f"import sys\nfrom semcoder.cli import run_command\nrun_command({words!r})\nprint(*sys.modules, file=sys.stderr)"
    done = subprocess.run(
        [sys.executable, "-c", code], input="def f(x): return x", capture_output=True, text=True, timeout=60, check=True
    )
    loaded = set(done.stderr.split())
    assert "semcoder.cli.app" in loaded
    assert not loaded & set(absent)

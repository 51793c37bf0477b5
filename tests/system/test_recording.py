"""Recorded calls: what is kept, what is not, that the program does not notice, and what becomes of a recording."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from semcoder.core import Invocation, Program
from semcoder.errors import InputError, SemcoderError, UsageError
from semcoder.recording import host
from semcoder.sandbox import Sandbox, run_program
from semcoder.seeds import Drop, open_source
from semcoder.seeds.recorded import RecordedSource

MODULE = '''\
import functools
import sys


def joined(words, sep="-", *more, upper=False, **extra):
    """Words in one text."""
    words.append("end")
    text = sep.join([*words, *more, *extra])
    if upper:
        return text.upper()
    return text


def halves(n):
    return n / 2


def nothing(n):
    n + 1


def fails(n):
    raise ValueError(n)


def pairs(n):
    for k in range(n):
        yield k


def fact(n):
    return 1 if n < 2 else n * fact(n - 1)


def looks(n):
    return sorted(locals())


@functools.lru_cache
def cached(n):
    """Once."""
    return n * 3


def opaque(thing):
    return 1


def finally_wins(n):
    try:
        return n
    finally:
        n += 1


class Box:
    def __init__(self, size, *, label="x"):
        self.size = size
        self.label = label

    def grown(self, by):
        """The size it would have."""
        new = self.size
        new += by
        return new, self.label

    def grow(self, by):
        self.size += by
        return self.size

    @staticmethod
    def double(n):
        return n + n

    @classmethod
    def named(cls, text):
        return len(text)


class Slotted:
    __slots__ = ("a",)

    def __init__(self, a):
        self.a = a

    def get(self):
        return self.a
'''


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "mine.py").write_text(MODULE)
    monkeypatch.chdir(folder)
    return folder


Recorder = Callable[..., dict[str, Any]]


@pytest.fixture
def record(project: Path) -> Recorder:
    def run(body: str, **options: Any) -> dict[str, Any]:
        (project / "test_use.py").write_text(body)  # a test by its name: not recorded itself
        return host.record([sys.executable, "test_use.py"], project / "out", **options)

    return run


def kept(folder: Path = Path("out")) -> list[tuple[str, str]]:
    return [(call.call, call.result) for call in host.read(folder)[1]]


# what is kept ---------------------------------------------------------------------------------------------------------


def test_arguments_are_kept_as_they_were_before_the_call(record: Recorder) -> None:
    record("import mine\nwords = ['a']\nmine.joined(words)\nmine.joined(words)\n")
    assert kept() == [("joined(['a'])", "'a-end'"), ("joined(['a', 'end'])", "'a-end-end'")]


@pytest.mark.parametrize(
    ("call", "text", "result"),
    [
        ("joined([], upper=True)", "joined([], upper=True)", "'END'"),
        ("joined([], '+', 'p', q=1)", "joined([], '+', 'p', q=1)", "'end+p+q'"),
        ("joined(sep='.', words=('a b').split())", "joined(['a', 'b'], '.')", "'a.b.end'"),
        ("halves(float('inf'))", "halves(float('inf'))", "float('inf')"),
        ("nothing(1)", "nothing(1)", "None"),
        ("cached(2)", "cached(2)", "6"),
        ("finally_wins(2)", "finally_wins(2)", "2"),
        ("Box.double(2)", "Box.double(2)", "4"),
        ("Box.named('abc')", "Box.named('abc')", "3"),
        ("Box(2).grown(3)", "Box(2).grown(3)", "(5, 'x')"),
        ("Box(size=2, label='y').grown(by=3)", "Box(2, label='y').grown(3)", "(5, 'y')"),
    ],
)
def test_calls_are_written_as_they_can_be_made(record: Recorder, call: str, text: str, result: str) -> None:
    record(f"import mine\nmine.{call}\n")
    assert kept() == [(text, result)]
    space: dict[str, Any] = {}
    exec(MODULE, space)
    assert repr(eval(text, space)) == repr(eval(result))


def test_each_call_is_kept_once_and_no_more_than_wanted(record: Recorder) -> None:
    manifest = record("import mine\nfor k in range(50): mine.halves(k // 2)\n", limit=5)
    assert [call for call, _ in kept()] == [f"halves({k})" for k in range(5)]
    assert manifest["counts"]["calls_kept"] == 5
    assert manifest["drops"]["seen before"] == 4


def test_recursion_keeps_each_level_with_its_own_result(record: Recorder) -> None:
    record("import mine\nmine.fact(6)\n")
    assert dict(kept()) == {"fact(1)": "1", "fact(2)": "2", "fact(3)": "6", "fact(4)": "24", "fact(5)": "120"} | {
        "fact(6)": "720"
    }


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("mine.opaque(object())", "not literal"),
        ("mine.opaque([1, [print]])", "not literal"),
        ("mine.opaque('a' * 5000)", "too large"),
        ("mine.opaque(list(range(5000)))", "too large"),
        ("a = []; a.append(a); mine.opaque(a)", "too large"),
        ("mine.opaque(mine)", "not literal"),
        ("mine.opaque({1: {2: len}})", "not literal"),
        ("mine.opaque(type('I', (int,), {})(3))", "not literal"),
        ("mine.Box(object())", "not literal"),
        ("mine.cached(len.__name__ * 50)", "result too large"),
    ],
)
def test_what_is_no_literal_or_too_large_is_counted(record: Recorder, line: str, reason: str) -> None:
    manifest = record(f"import mine\n{line}\n")
    assert manifest["drops"].get(reason) == 1
    assert not [call for call, _ in kept() if call.startswith("opaque")]


def test_a_call_that_raises_is_counted(record: Recorder) -> None:
    manifest = record("import mine\ntry: mine.fails(1)\nexcept ValueError: pass\n")
    assert (kept(), manifest["drops"]) == ([], {"did not return": 1})


def test_generators_are_not_recorded(record: Recorder) -> None:
    assert record("import mine\nlist(mine.pairs(3))\n")["counts"]["functions_seen"] == 0


def test_a_changed_object_is_not_taken_for_a_new_one(record: Recorder) -> None:
    manifest = record("import mine\nb = mine.Box(1)\nb.grow(2)\nb.grow(3)\nb.grown(1)\nb.size = 1\nb.grown(1)\n")
    assert kept() == [("Box(1).grown(1)", "(2, 'x')"), ("Box(1).grow(2)", "3")]
    assert manifest["drops"]["an object that was changed"] == 2


def test_objects_that_cannot_be_followed_are_left_out(record: Recorder) -> None:
    manifest = record("import mine\nmine.Slotted(1).get()\nclass S(mine.Box): pass\nS(1).grown(2)\n")
    assert kept() == []
    assert manifest["drops"]["an object of a subclass"] == 1


def test_no_method_of_an_argument_runs(record: Recorder) -> None:
    record(
        "import mine\n"
        "class Loud:\n"
        "    def __repr__(self): raise SystemExit('repr')\n"
        "    __eq__ = __hash__ = __iter__ = __len__ = __getattribute__ = __repr__\n"
        "class Words(list):\n"
        "    def __iter__(self): raise SystemExit('iter')\n"
        "    __len__ = __repr__ = __iter__\n"
        "mine.opaque(Loud()); mine.opaque([Loud()]); mine.opaque(Words('ab')); mine.halves(3)\n"
    )
    assert kept() == [("halves(3)", "1.5")]


def test_only_the_users_own_functions_are_recorded(project: Path) -> None:
    for name in ("lib", "tests", ".venv/lib/python/site-packages", "env"):
        (project / name).mkdir(parents=True)
        (project / name / "other.py").write_text("def f(x):\n    return x\n")
    (project / "env" / "pyvenv.cfg").write_text("")
    (project / "tests" / "run.py").write_text(
        "import importlib.util, sys\n"
        "for name in sys.argv[1:]:\n"
        "    spec = importlib.util.spec_from_file_location('m', name)\n"
        "    module = importlib.util.module_from_spec(spec)\n"
        "    spec.loader.exec_module(module)\n"
        "    module.f(name)\n"
    )
    files = ["lib/other.py", "tests/other.py", ".venv/lib/python/site-packages/other.py", "env/other.py"]
    command = [sys.executable, "tests/run.py", *files]
    host.record(command, Path("out"))
    assert kept() == [("f('lib/other.py')", "'lib/other.py'")]
    host.record(command, Path("out"), include=[Path(".venv/lib/python/site-packages")])
    assert kept() == [("f('.venv/lib/python/site-packages/other.py')", "'.venv/lib/python/site-packages/other.py'")]


# the program does not notice ------------------------------------------------------------------------------------------

NOTICES = """\
import sys, os, inspect, traceback, mine
sys.path.insert(0, os.getcwd())
print(sys.argv, sys.path, mine.looks(1), inspect.signature(mine.joined), mine.joined.__name__, mine.__file__)
print(sorted(n for n in sys.modules if "semcoder" in n), sorted(vars(mine)), "sitecustomize" in sys.modules)
print(mine.halves.__code__.co_firstlineno, inspect.getsource(mine.halves), sys.gettrace(), sys.getprofile())
try: mine.fails(3)
except ValueError: print(traceback.format_exc())
def depth(n=0):
    try: return depth(n + 1)
    except RecursionError: return n
print(depth())
class Dies:
    def __del__(self): print("dies")
mine.opaque(Dies()); print("after")
print(os.listdir("/proc/self/fd"))
print("to stderr", file=sys.stderr)
sys.exit(7)
"""


def test_output_and_exit_code_are_those_of_the_plain_run(project: Path) -> None:
    (project / "test_use.py").write_text(NOTICES)
    script = [sys.executable, "test_use.py", "-x", "a b"]
    plain = subprocess.run(script, capture_output=True, text=True, timeout=60, check=False)
    command = [sys.executable, "-m", "semcoder", "record", "--out", "out", "--", *script]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (plain.returncode, plain.stdout) == (7, plain.stdout)
    assert [line.partition(": ")[0] for line in done.stderr.splitlines()] == ["to stderr", "semcoder"]
    assert host.read(Path("out"))[0]["exit_code"] == 7


def test_stdin_reaches_the_program(project: Path) -> None:
    (project / "test_use.py").write_text("import mine\nprint(mine.halves(int(input())))\n")
    command = [sys.executable, "-m", "semcoder", "record", "--out", "out", "--", sys.executable, "test_use.py"]
    done = subprocess.run(command, input="8\n", capture_output=True, text=True, timeout=60, check=False)
    assert (done.stdout, kept()) == ("4.0\n", [("halves(8)", "4.0")])


def test_the_programs_own_sitecustomize_runs(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (project / "site").mkdir()
    (project / "site" / "sitecustomize.py").write_text("import builtins\nbuiltins.MARK = 3\n")
    monkeypatch.setenv("PYTHONPATH", str(project / "site"))
    (project / "test_use.py").write_text("import mine, sitecustomize\nmine.halves(MARK)\nprint(sitecustomize.__file__)")
    host.record([sys.executable, "test_use.py"], Path("out"))
    assert kept() == [("halves(3)", "1.5")]


def test_a_fault_of_the_recorder_ends_the_recording_only(record: Recorder) -> None:
    manifest = record(
        "import mine, shutil, os\nmine.halves(1)\nshutil.rmtree('out/parts')\nassert mine.halves(2) == 1\n"
        "os.makedirs('out/parts')\nassert mine.halves(3) == 1.5\n"
    )
    assert manifest["exit_code"] == 0
    assert kept() == []


def test_syntax_errors_and_missing_modules_are_told_by_python(
    record: Recorder, capfd: pytest.CaptureFixture[str]
) -> None:
    Path("broken.py").write_text("def f(:\n")
    assert record("import broken\n")["exit_code"] == 1
    assert "SyntaxError" in capfd.readouterr().err


def test_coverage_tools_see_the_same_lines(project: Path) -> None:
    program = (
        "import sys\nlines = set()\n"
        "def trace(frame, event, argument):\n"
        "    if frame.f_code.co_filename.endswith('mine.py'): lines.add((event, frame.f_lineno))\n"
        "    return trace\n"
        "sys.settrace(trace)\nimport mine\nmine.joined(['a'], upper=True); mine.halves(3); mine.nothing(1)\n"
        "sys.settrace(None)\nopen('lines', 'w').write(repr(sorted(lines)))\n"
    )
    (project / "test_use.py").write_text(program)
    subprocess.run([sys.executable, "test_use.py"], check=True, timeout=60)
    plain = Path("lines").read_text()
    host.record([sys.executable, "test_use.py"], Path("out"))
    assert Path("lines").read_text() == plain
    assert len(kept()) == 3


# processes ------------------------------------------------------------------------------------------------------------


def test_functions_of_a_script_are_recorded(project: Path) -> None:
    (project / "early.py").write_text("def a(n):\n    return n\n\na(1)\n\ndef b(n):\n    return n\n\nb(2)\n")
    host.record([sys.executable, "early.py"], Path("out"))
    assert kept() == [("a(1)", "1"), ("b(2)", "2")]
    (project / "app.py").write_text(MODULE + "\nif __name__ == '__main__':\n    halves(3)\n    Box(1).grown(2)\n")
    host.record([sys.executable, "app.py"], Path("out"))
    assert kept() == [("halves(3)", "1.5"), ("Box(1).grown(2)", "(3, 'x')")]
    host.record([sys.executable, "-m", "app"], Path("out"))
    assert kept() == [("halves(3)", "1.5"), ("Box(1).grown(2)", "(3, 'x')")]


def test_unittest_and_pytest_are_recorded(project: Path) -> None:
    (project / "test_use.py").write_text(
        "import mine, unittest\nclass T(unittest.TestCase):\n    def test(self): self.assertEqual(mine.halves(4), 2)\n"
    )
    for command in (["unittest", "test_use"], ["pytest", "-q", "-p", "no:cacheprovider", "test_use.py"]):
        assert host.record([sys.executable, "-m", *command], Path("out"))["exit_code"] == 0
        assert kept() == [("halves(4)", "2.0")]


def test_children_are_recorded_and_their_calls_merged(record: Recorder) -> None:
    manifest = record(
        "import mine, os, subprocess, sys\nmine.halves(1)\n"
        "subprocess.run([sys.executable, '-c', 'import mine; mine.halves(2); mine.halves(1)'], check=True)\n"
        "pid = os.fork()\n"
        "if pid == 0:\n    mine.halves(3)\n    os._exit(0)\n"
        "os.waitpid(pid, 0)\nmine.halves(4)\n"
    )
    assert sorted(kept()) == [(f"halves({n})", str(n / 2)) for n in (1, 2, 3, 4)]
    assert (manifest["counts"]["processes"], manifest["counts"]["processes_unfinished"]) == (3, 1)
    assert manifest["drops"]["kept by another process"] == 1


def test_threads_are_recorded(record: Recorder) -> None:
    record(
        "import mine, threading\n"
        "ts = [threading.Thread(target=mine.halves, args=(n,)) for n in range(8)]\n"
        "[t.start() for t in ts]; [t.join() for t in ts]\n"
    )
    assert set(kept()) <= {(f"halves({n})", str(n / 2)) for n in range(8)}
    assert kept()


def test_a_killed_program_leaves_its_calls_and_its_signal(record: Recorder) -> None:
    manifest = record("import mine, os\nmine.halves(1)\nos.kill(os.getpid(), 9)\n")
    assert (manifest["exit_code"], manifest["counts"]["processes_unfinished"]) == (128 + signal.SIGKILL, 1)
    assert kept() == [("halves(1)", "0.5")]


def test_a_torn_line_is_left_out(record: Recorder) -> None:
    record(
        "import mine, glob\nmine.halves(1)\nopen(glob.glob('out/parts/*')[0], 'a').write('{\"module\": \"mi')\n"
        "import os; os._exit(0)\n"
    )
    assert kept() == [("halves(1)", "0.5")]


def test_recording_takes_a_bounded_part_of_the_time(record: Recorder) -> None:
    manifest = record(
        "import mine, time\nstart = time.perf_counter()\n"
        "for k in range(200_000): mine.opaque(None if k % 2 else len)\n"
        "open('took', 'w').write(str(time.perf_counter() - start))\n",
        limit=10**6,
    )
    assert manifest["exit_code"] == 0
    assert float(Path("took").read_text()) < 5  # each of these calls costs 40 microseconds if it is looked at


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_stopped_command_leaves_a_recording(project: Path, number: int, code: int) -> None:
    (project / "test_use.py").write_text("import mine, time\nmine.halves(1)\nopen('ready', 'w')\ntime.sleep(60)\n")
    words = [sys.executable, "-m", "semcoder", "record", "--out", "out", "--", sys.executable, "test_use.py"]
    with subprocess.Popen(words, stderr=subprocess.DEVNULL, start_new_session=True) as started:
        while not (project / "ready").exists():
            time.sleep(0.02)
        if number == signal.SIGINT:  # a terminal tells the whole group; `kill` tells one process
            os.killpg(started.pid, number)
        else:
            started.send_signal(number)
        assert started.wait(60) == code
    assert kept() == [("halves(1)", "0.5")]


# requests -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("command", "options", "says"),
    [
        ([], {}, "after --"),
        (["no-such-command-here"], {}, "no-such-command-here"),
        ([sys.executable], {"limit": 0}, "at least 1"),
        ([sys.executable], {"include": [Path("no/folder")]}, "--include"),
    ],
)
def test_a_wrong_request_is_one_clear_line(
    project: Path, command: list[str], options: dict[str, Any], says: str
) -> None:
    with pytest.raises(UsageError, match=says) as caught:
        host.record(command, project / "out", **options)
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 2
    assert not (project / "out").exists()


def test_a_folder_with_other_files_is_refused_and_left_as_it_is(project: Path) -> None:
    with pytest.raises(UsageError, match=r"in use: it holds mine\.py"):
        host.record([sys.executable, "-c", ""], project)
    assert [path.name for path in project.iterdir()] == ["mine.py"]


def test_two_recordings_in_one_folder_are_refused(project: Path) -> None:
    command = [sys.executable, "-m", "semcoder", "record", "--out", "out", "--"]
    with subprocess.Popen([*command, sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as first:
        while not (project / "out" / "parts").exists():
            time.sleep(0.02)
        done = subprocess.run([*command, "true"], capture_output=True, text=True, timeout=60, check=False)
        assert (done.returncode, done.stderr.count("\n")) == (2, 1)
        assert "another recording" in done.stderr
        first.communicate(b"\n", timeout=60)
    assert first.returncode == 0


def test_the_commands_json_has_the_documented_keys(project: Path) -> None:
    words = [sys.executable, "-m", "semcoder", "record", "--json", "--out", "out", "--", "true"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    section = (Path(__file__).parents[2] / "docs" / "cli.md").read_text().partition("\n## record\n")[2]
    section = section.partition("\n## ")[0]
    assert all(f"`{key}`" in section for key in json.loads(done.stdout))
    assert "nothing was recorded" in done.stderr


# the source -----------------------------------------------------------------------------------------------------------


def test_recorded_functions_become_programs_with_their_calls(record: Recorder) -> None:
    record(
        "import mine\nmine.fact(3)\nmine.joined(['a'], '+')\nmine.Box(2, label='y').grown(3)\nmine.Box.double(2)\n"
        "mine.halves(3)\nmine.nothing(2)\n"
    )
    source = open_source("recorded:out")
    assert isinstance(source, RecordedSource)
    found = list(source.programs())
    drops = {drop.reason for drop in found if isinstance(drop, Drop)}
    programs = {program.entry: program for program in found if isinstance(program, Program)}
    assert drops == {"too short"}
    assert {p.entry: [e.call.text for e in source.recorded(p)] for p in programs.values()} == {
        "joined": ["joined(['a'], '+')"],
        "box_grown": ["box_grown(2, 3, 'y')"],
    }
    assert all(p.origin.source == "recorded" and p.origin.path == "mine.py" for p in programs.values())
    with Sandbox(workers=1) as box:
        for program in programs.values():
            (example,) = source.recorded(program)
            (outcome,) = run_program(box, program, [example.call])
            assert outcome.value is not None
            assert outcome.value.literal() == example.result
    assert source.examples(Program("def f(x): return x", "f")) == []


def test_a_function_that_is_gone_is_a_drop(record: Recorder, project: Path) -> None:
    record("import mine\nmine.joined([])\n")
    (project / "mine.py").write_text("x = 1\n")
    (found,) = open_source("recorded:out").programs()
    assert isinstance(found, Drop)
    assert (found.reason, found.detail) == ("not at the top level of its file", "joined")


@pytest.mark.parametrize(
    ("calls", "manifest", "error"),
    [
        (None, None, UsageError),
        ("", '{"include": []}', UsageError),
        ("{}\n", '{"include": []}', InputError),
        ("[1]\n", '{"include": []}', InputError),
        ("", "[]", InputError),
        ("", "{", UsageError),
    ],
)
def test_a_folder_that_is_no_recording_is_refused(
    tmp_path: Path, calls: str | None, manifest: str | None, error: type[SemcoderError]
) -> None:
    if calls is not None and manifest is not None:
        (tmp_path / host.CALLS).write_text(calls)
        (tmp_path / host.MANIFEST).write_text(manifest)
    with pytest.raises(error):
        open_source(f"recorded:{tmp_path}")
    with pytest.raises(UsageError, match="recorded:"):
        open_source("recorded:")


def test_examples_are_invocations_that_the_input_finder_takes(record: Recorder) -> None:
    from semcoder.mutation import propose

    record("import mine\nmine.joined(['a'], '+')\nmine.joined(['b'])\n")
    source = RecordedSource("out")
    (program,) = [found for found in source.programs() if isinstance(found, Program)]
    examples = source.examples(program)
    assert examples == [Invocation("joined(['a'], '+')"), Invocation("joined(['b'])")]
    assert propose(program, examples, n=12, seed=0)[:2] == examples

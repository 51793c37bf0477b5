"""Parts of the rubber duck: whose a file is, what is recorded of a project's functions, and what is said of a run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import types
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from semcoder.core import Outcome, Value
from semcoder.debugging.cases import explain_call, layout_of
from semcoder.debugging.duck import LINES, WIDTH, shortened
from semcoder.debugging.projects import Calls, Layout, Project, Recording, Segment
from semcoder.debugging.pytest_plugin import RubberDuck
from semcoder.debugging.reserve import receive, send
from semcoder.debugging.session import _makers as makers_of
from semcoder.debugging.values import PARTS, ProjectEncoder
from semcoder.debugging.visits import Run
from semcoder.debugging.wanted import difference, is_telling
from semcoder.monologue import verify
from semcoder.tracing import Trace, trace_here

PROGRAM = """\
def clean(word):
    return word.strip().lower()


def count(words):
    found = {}
    for word in words:
        key = clean(word)
        found[key] = found.get(key, 0) + 1
    return found


def top(words, n=1):
    found = count(words)
    order = sorted(found, key=lambda word: (found[word], word))
    return [(word, found[word]) for word in order[:n]]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    files = (
        *("pkg/core.py", "pkg/test_core.py", "tests/helper.py", "checks/odd.py", ".tox/x/core.py", "env/lib/core.py"),
        *("env/pyvenv.cfg", "node_modules/a.py", "pkg/data.txt"),
    )
    for name in files:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x = 1\n")
    return tmp_path


@pytest.mark.parametrize(
    ("name", "side"),
    [
        ("pkg/core.py", "code"),
        ("pkg/test_core.py", "test"),
        ("tests/helper.py", "test"),
        ("checks/odd.py", "test"),
        (".tox/x/core.py", ""),
        ("env/lib/core.py", ""),
        ("node_modules/a.py", ""),
        ("pkg/data.txt", ""),
        ("pkg/nowhere.py", ""),
    ],
)
def test_whose_a_file_is(folder: Path, name: str, side: str) -> None:
    project = Project([str(folder)], [str(folder / "checks" / "odd.py")])
    assert project.side(str(folder / name)) == side


def test_others_files_are_nobodys(folder: Path) -> None:
    project = Project([str(folder)])
    assert project.side(json.__file__) == ""
    assert project.side("<string>") == ""
    assert project.side(pytest.__file__) == ""


def test_an_installed_copy_is_the_projects(folder: Path) -> None:
    installed = folder.parent / "site-packages" / "pkg"
    installed.mkdir(parents=True)
    (installed / "core.py").write_text("")
    (folder / "pkg" / "__init__.py").write_text("")
    project = Project([str(folder)])
    assert project.side(str(installed / "core.py")) == "code"
    assert project.shown(str(installed / "core.py")) == "pkg/core.py"


def test_lines_of_a_text_of_several_files() -> None:
    layout = Layout((Segment("a.py", "/a.py", "a", "code", 0, 10), Segment("b.py", "/b.py", "b", "test", 10, 15)))
    assert [layout.place(line) for line in (1, 10, 11, 15)] == ["a.py:1", "a.py:10", "b.py:1", "b.py:5"]
    assert [layout.find("b.py", line) for line in (0, 1, 5, 6)] == [0, 11, 15, 0]
    assert layout.find("c.py", 1) == 0


# recording ---------------------------------------------------------------------------------------------------------

MODULE = '''\
from __future__ import annotations

import functools

TABLE = {"a": 1}


def ignored():
    """Does not run."""


def wrap(function):
    @functools.wraps(function)
    def inner(*args: Missing) -> Missing:
        return function(*args) + 1

    return inner


class Base:
    def value(self) -> int:
        return 1


class Thing(Base):
    """A class."""

    def unused(self):
        return None

    def value(self) -> int:
        return super().value() + TABLE["a"]

    @wrap
    def __hidden(self):
        return self.value()

    def shown(self):
        return self.__hidden()
'''


def load(path: Path, name: str) -> types.ModuleType:
    path.write_text(MODULE)
    module = types.ModuleType(name)
    module.__file__ = str(path)
    sys.modules[name] = module
    exec(compile(MODULE, str(path), "exec"), vars(module))
    return module


def test_functions_are_recorded_where_they_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = load(tmp_path / "thing.py", "thing_for_the_duck")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    project = Project([str(tmp_path)])
    held = module.Thing().shown  # bound before anything is recorded
    calls = Calls(project)
    sys.settrace(calls)
    held()
    sys.settrace(None)
    keys = {key[2].rpartition(".")[2]: count for key, count in calls.counts().items()}
    assert keys == {"inner": 1, "shown": 1, "__hidden": 1, "value": 1}
    recording = Recording(project, calls.counts())
    assert recording.swap() == 6  # with `wrap`, which would make another `inner`
    recording.begin()
    recording.start()
    assert held() == 3
    recording.stop()
    run = Run(recording.trace("test", Outcome("returned", Value.of(3))), recording.layout)
    assert [visit.function.name for visit in run.visits] == [
        *("Thing.shown", "wrap.inner", "Thing.__hidden", "Thing.value", "Base.value")
    ]
    assert [visit.function.line for visit in run.visits] == [38, 14, 35, 31, 21]
    assert [visit.returned and visit.returned.to_python() for visit in run.visits] == [3, 3, 2, 2, 1]
    assert "Does not run" not in recording.source


def test_large_values_are_opaque_and_the_rest_is_told() -> None:
    encoder = ProjectEncoder()
    large = [[k] for k in range(PARTS + 1)]
    value = Value(encoder.ref(large), encoder.nodes)
    assert value.base == "opaque"
    assert Value(encoder.ref([1, [2]]), encoder.nodes) == Value.of([1, [2]])
    assert Value(encoder.ref(large), encoder.nodes).base == "opaque"


def test_objects_of_the_framework_are_opaque(request: pytest.FixtureRequest) -> None:
    encoder = ProjectEncoder()
    assert Value(encoder.ref({"request": request}), encoder.nodes).display() == "{'request': <TopRequest>}"


ASKED = """
from semcoder.debugging.reserve import Reserve
reserve = Reserve([])
reserve.load()
print(reserve.explain("nothing", 0.0, 0.0))
reserve.close()
print(reserve.explain("nothing", 0.0, 0.0))
"""


def test_reserve_answers_for_what_it_does_not_know() -> None:
    # A process of its own: threads that other tests have left may hold what a copy of this one would wait for.
    said = subprocess.run([sys.executable, "-c", ASKED], capture_output=True, text=True, check=True).stdout.splitlines()
    assert [line.count("'status': 'unexplained'") for line in said] == [1, 1]
    assert "was not among the tests" in said[0]
    assert "has ended" in said[1]


def test_documents_that_wait_in_a_pipe_come_one_by_one() -> None:
    reading, writing = os.pipe()
    documents: list[dict[str, Any]] = [{"load": True}, {"test": "ä" * 5_000}, {}]
    for document in documents:
        send(writing, document)
    os.close(writing)
    assert [receive(reading, 5.0) for _ in documents] == documents
    with pytest.raises(EOFError):
        receive(reading, 5.0)
    os.close(reading)


LOADED = """
import sys
import types
from semcoder.debugging.reserve import Reserve
explaining = types.ModuleType("semcoder.debugging.session")
came = []
explaining.prepare = lambda session: came.append(session)
explaining.explain = lambda item, own, set_up: {"came": came}
sys.modules[explaining.__name__] = explaining
import semcoder.debugging
semcoder.debugging.session = explaining
reserve = Reserve([types.SimpleNamespace(nodeid="test", session="the session")])
for _ in range(3):
    reserve.load()
print(reserve.explain("test", 0.0, 0.0)["came"])
"""


def test_the_reserve_loads_once_before_it_is_asked() -> None:
    done = subprocess.run([sys.executable, "-c", LOADED], capture_output=True, text=True, check=True)
    assert done.stdout == "['the session']\n"


def test_the_first_test_that_fails_makes_the_reserve_load(pytestconfig: pytest.Config) -> None:
    duck, told = RubberDuck(pytestconfig), []
    duck._reserve = types.SimpleNamespace(load=lambda: told.append("load"))
    for outcome in ("passed", "failed"):
        report = pytest.TestReport("a", ("a.py", 0, "a"), {}, outcome, None, "call")
        duck.pytest_runtest_logreport(report)
        assert told == ([] if outcome == "passed" else ["load"])


def test_what_explains_does_not_load_what_judges_texts() -> None:
    asked = "import semcoder.debugging.session, sys; print(*sys.modules, sep='\\n')"
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    loaded = done.stdout.splitlines()
    assert "semcoder.monologue.narrate" in loaded
    assert not {f"semcoder.monologue.{name}" for name in ("checking", "english", "backward", "solving")} & {*loaded}


def false_claims(lines: list[str], trace: Trace) -> list[str]:
    """Of sentences that need not be all there are."""
    claims = verify("\n".join(lines), trace)
    return [claim.text for claim in claims if claim.verdict is False and claim.kind not in ("order", "complete")]


# telling -----------------------------------------------------------------------------------------------------------


@given(st.lists(st.sampled_from(["a", " B", "b ", "C", "a b", ""]), max_size=6), st.integers(-1, 3))
def test_what_is_told_is_short_and_true(words: list[str], n: int) -> None:
    trace = trace_here(PROGRAM, f"top({words!r}, {n})")
    told = explain_call(trace, "program.py", Value.of([("zz", 99)]))
    lines = told.lines()
    assert len(lines) <= LINES
    assert all(len(line) <= WIDTH and "\n" not in line for line in lines)
    whole = [line for line in told.path if line.startswith("Line ") and " ... " not in line]
    assert false_claims(whole, trace) == []


def test_all_steps_are_true() -> None:
    trace = trace_here(PROGRAM, "top(['b', 'a', 'B'])")
    told = explain_call(trace, "program.py", Value.of([("b", 2)]), full=True)
    steps = [line.strip() for line in told.steps if line.startswith("  ")]
    assert len(steps) > 20
    assert false_claims(steps, trace) == []


def test_where_a_piece_was_born() -> None:
    source = PROGRAM.replace(".lower()", ".upper()")
    told = explain_call(
        trace_here(source, "top(['beta', 'alpha', 'beta'], 2)"), "p.py", Value.of([("alpha", 1), ("beta", 2)])
    )
    assert told.suspected[0].name == "clean"
    assert "in line 2 `'ALPHA'`, a piece of the wrong value, is seen for the first time" in told.head[0]
    assert "the first difference is `'ALPHA'` instead of `'alpha'`" in told.head[1]


def suspected(source: str, call: str, wanted: object) -> list[str]:
    told = explain_call(trace_here(source, call), "p.py", Value.of(wanted))
    return [found.name for found in told.suspected]


SHOP = """
class Base:
    def __init__(self):
        self.kind = "base"


class Cart(Base):
    def __init__(self, count):
        super().__init__()


class Shop:
    def __init__(self):
        self.open = True

    def total(self, cart):
        return cart.count


def f():
    return Shop().total(Cart(3))
"""


def test_who_set_up_the_object_is_to_blame_for_a_missing_attribute() -> None:
    told = explain_call(trace_here(SHOP, "f()"), "p.py", Value.of(3))
    weights = {found.function.name: found.weight for found in told.blame.functions}
    assert max(weights, key=lambda name: weights[name]) == "Shop.total"
    assert min(weights["Cart.__init__"], weights["Base.__init__"]) > weights["Shop.__init__"] + 1


OFTEN = """
def first(n):
    return n + 1


def second(n):
    return n + 1


def f(times):
    n = first(0)
    for _ in range(times):
        n = second(n)
    return n
"""


def test_what_ran_often_is_less_suspect() -> None:
    few, many = suspected(OFTEN, "f(1)", 9), suspected(OFTEN, "f(8)", 8)
    assert few.index("second") < few.index("first")
    assert many.index("first") < many.index("second")


MAKERS = """
def made(limit):
    return lambda n: n < limit


def unused(limit):
    return lambda n: n > limit


class Box:
    @property
    def value(self):
        return sorted(self.all, key=lambda n: -n)

    @value.setter
    def value(self, new):
        self.all = new


def f():
    return 1
"""


def test_who_made_what_ran() -> None:
    run = Run(trace_here(MAKERS, "f()"), layout_of("p.py", MAKERS))
    path = run.layout.segments[0].path
    called = [(path, 3, "made.<locals>.<lambda>"), (path, 11, "Box.value"), (path, 13, "Box.value.<locals>.<lambda>")]
    assert [function.name for function in makers_of(run, called)] == ["made"]
    late = [*called, (path, 2, "made")]  # it ran, too, if not in what is recorded
    assert list(makers_of(run, late)) == []


def test_layout_of_a_file() -> None:
    assert layout_of("a/b.py", "x = 1\n").segment(1).module == "b"


@pytest.mark.parametrize(
    ("value", "telling"), [(7, False), (70, True), ("ab", False), ("abc", True), ([], False), ([0], True)]
)
def test_telling_values(value: object, telling: bool) -> None:
    assert is_telling(Value.of(value)) == telling


@given(st.text("ab \n", max_size=12), st.text("ab \n", max_size=12))
def test_wrong_pieces_are_of_what_was_got_alone(got: str, wanted: str) -> None:
    for piece in difference(Value.of(got), Value.of(wanted)).wrong:
        assert piece in got
        assert piece not in wanted or piece.strip() not in {line.strip() for line in wanted.splitlines()}


@given(st.text(max_size=300), st.integers(30, 100))
def test_shortened(text: str, limit: int) -> None:
    short = shortened(text, limit)
    assert len(short) <= limit
    assert short == " ".join(text.split("\n")) or " ... " in short

"""Refinement: rounds, what a model may see, answers that are kept, runs that are stopped and go on, and comparisons."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from semcoder.cli import run_command
from semcoder.core import Outcome, Raised, Value
from semcoder.debugging.compare import compare
from semcoder.debugging.curves import Attempt, Mode, Rules, results, sample_rows
from semcoder.debugging.feedback import LINES, clipped, sentence, told_lines, what_happened
from semcoder.debugging.refine import RefineConfig, refine, refinement
from semcoder.errors import InputError, SemcoderError, UsageError
from semcoder.evaluation.compare import against
from semcoder.models import Completion, Reply, Request
from semcoder.prompts import load_profile, save_profile
from semcoder.report import build_page
from semcoder.tracing import trace_here
from tests.servers import Scripted as Server
from tests.servers import said
from tests.teachers import Scripted

PROFILE = load_profile()
CHAT = load_profile("chat")
PROMPT = '''def {name}(xs):
    """Each number and one more.
    >>> {name}([1])
    [2]
    >>> {name}([])
    []
    """
'''
HIDDEN = ("[5, -1]", "[6, 0]", "[7, 7]", "[8, 8]")
CHECK = """
def check(candidate):
    assert candidate([]) == []
    assert candidate([1]) == [2]
    assert candidate([5, -1]) == [6, 0], 'two'
    assert candidate([7, 7]) == [8, 8]
"""
RIGHT = "def grow(xs):\n    return [x + 1 for x in xs]\n"
EMPTY = "def grow(xs):\n    return []\n"
ONLY_SHOWN = "def grow(xs):\n    return [2] if xs else []\n"
SAME = "def grow(xs):\n    return xs\n"
ALL_WRONG = "def grow(xs):\n    return None\n"
RAISES = "def grow(xs):\n    return [x + 1 for x in xs] + xs[0]\n"
BROKEN = "def grow(xs:\n    return 1\n"
SCRIPTS = {"grow": [EMPTY, SAME, RIGHT], "more": [ALL_WRONG, EMPTY, RIGHT]}
PROSE = "I do not know what that could be."


class Killed(BaseException):
    """As the signal that ends a process would: nothing handles it."""


def rows(*names: str, documented: bool = True) -> list[dict[str, Any]]:
    return [
        {
            "task_id": f"own/{name}",
            "entry_point": name,
            "prompt": PROMPT.format(name=name) if documented else f'def {name}(xs):\n    """One more, each."""\n',
            "canonical_solution": "    return [x + 1 for x in xs]\n",
            "test": CHECK,
        }
        for name in names
    ]


def written(folder: Path, *names: str, documented: bool = True) -> str:
    path = folder / "humaneval.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows(*names, documented=documented)))
    return str(path)


class Script:
    """A model that says what its script has for each round of a task; the last word again when it is at an end."""

    name = "script"

    def __init__(self, scripts: Mapping[str, Sequence[str]] | None = None, /, **more: Sequence[str]) -> None:
        self._scripts = {**(scripts or {}), **more}
        #: The error of a reply by task and round.
        self.fails: Callable[[str, int], str] = lambda name, number: ""
        self.asked: list[tuple[str, int, str]] = []

    def generate(self, requests: Iterable[Request]) -> Iterator[tuple[int, Reply]]:
        for place, request in enumerate(requests):
            text = request.text or request.messages[-1].content
            name = next(name for name in self._scripts if re.search(rf"`{name}[(`]", text))
            number = sum(asked == name for asked, *_ in self.asked)
            if error := self.fails(name, number):
                yield place, Reply(error=error)
                continue
            self.asked.append((name, number, text))
            word = self._scripts[name][min(number, len(self._scripts[name]) - 1)].replace("grow", name)
            told = PROFILE.repairing if number else PROFILE
            yield place, Reply((Completion(word if word == PROSE else told.response("So.", word)),))

    def texts(self, name: str) -> list[str]:
        return [text for asked, _, text in self.asked if asked == name]


def config(folder: Path, *names: str, documented: bool = True, **changes: Any) -> RefineConfig:
    data = written(folder, *names, documented=documented)
    settings: dict[str, Any] = {"data": data, "out": str(folder / "out"), "workers": 1, **changes}
    return RefineConfig("humaneval", PROFILE, "hf:none", **settings)


def run(folder: Path, model: Any, *names: str, **changes: Any) -> dict[str, Any]:
    found: dict[str, Any] = refine(config(folder, *(names or ("grow",)), **changes), model=model)["results"]
    return found


def samples(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "out" / "samples.jsonl").read_text().splitlines()]


def solutions(folder: Path) -> list[str]:
    lines = (folder / "out" / "solutions.jsonl").read_text().splitlines()
    return [json.loads(line)["completion"] for line in lines]


def curve(found: dict[str, Any]) -> list[float]:
    return [point["pass@1"] for point in found["curve"]]


# -- rounds


@pytest.mark.parametrize("oracle", [False, True])
def test_a_model_that_repairs_in_round_3_stops_there(tmp_path: Path, oracle: bool) -> None:
    model = Script(grow=[ALL_WRONG, EMPTY, SAME, RIGHT, ALL_WRONG])
    found = run(tmp_path, model, oracle=oracle)
    assert len(model.asked) == 4, "the first answer, and three rounds"
    assert found["ends"] == {"solved": 1}
    assert found["solved_in"] == {"3": 1}
    assert curve(found) == [0, 0, 0, 100, 100, 100]
    assert [point["replies"] for point in found["curve"]] == [1, 1, 1, 1, 0, 0]
    assert [point["gained"] for point in found["curve"]] == [0, 0, 0, 1, 0, 0]
    assert found["curve"][2]["kinds"] == {"better": 0, "same": 1, "worse": 0, "repeat": 0, "garbage": 0}
    assert found["mode"] == ("oracle" if oracle else "shown")
    (row,) = samples(tmp_path)
    assert (row["end"], row["rounds"], row["kept"]) == ("solved", 3, 3)
    assert row["verdicts"] == [False, False, False, True, True, True]
    assert solutions(tmp_path)[0].strip() == RIGHT.strip()


def test_a_right_answer_is_asked_about_no_more(tmp_path: Path) -> None:
    model = Script(grow=[RIGHT, ALL_WRONG])
    found = run(tmp_path, model)
    assert (len(model.asked), found["solved_in"], curve(found)) == (1, {"0": 1}, [100] * 6)


@pytest.mark.parametrize(
    ("script", "asked", "end"),
    [
        ([EMPTY, EMPTY], 2, "repeats"),
        ([EMPTY, "# the same\n" + EMPTY.replace("[]", "list()").replace("list()", "[ ]")], 2, "repeats"),
        ([EMPTY, SAME, EMPTY], 3, "repeats"),
        ([EMPTY, PROSE], 2, "garbage"),
        ([PROSE, PROSE], 2, "garbage"),
        ([PROSE, EMPTY, SAME, ALL_WRONG, RAISES, ONLY_SHOWN.replace("2", "3")], 6, "rounds"),
    ],
)
def test_loops_and_garbage_are_recognised(tmp_path: Path, script: list[str], asked: int, end: str) -> None:
    model = Script(grow=script)
    found = run(tmp_path, model)
    assert (len(model.asked), found["ends"]) == (asked, {end: 1})
    assert curve(found) == [0] * 6


def test_a_model_that_draws_is_asked_the_same_again(tmp_path: Path) -> None:
    """Only a greedy model would say the same twice."""
    model = Script(grow=[EMPTY, EMPTY, PROSE, EMPTY, RIGHT])
    found = run(tmp_path, model, temperature=0.5)
    assert (found["ends"], found["solved_in"]) == ({"solved": 1}, {"4": 1})
    assert [point["kinds"] and point["kinds"]["repeat"] for point in found["curve"]] == [None, 1, 0, 1, 0, 0]
    assert found["curve"][2]["kinds"]["garbage"] == 1
    chosen = config(tmp_path, "grow", temperature=0.5, n=3)
    seeds = [chosen.sampling(number, sample).seed for number in range(6) for sample in range(3)]
    assert len(set(seeds)) == len(seeds)


@pytest.mark.parametrize("oracle", [False, True])
@pytest.mark.parametrize("worse", [ALL_WRONG, BROKEN, PROSE, RAISES, "", "def other():\n    pass\n"])
def test_what_comes_later_takes_nothing_away(tmp_path: Path, worse: str, oracle: bool) -> None:
    model = Script(grow=[EMPTY, worse], more=[RIGHT])
    found = run(tmp_path, model, "grow", "more", oracle=oracle)
    assert curve(found) == [50] * 6
    assert all(point["lost"] == 0 for point in found["curve"])
    assert samples(tmp_path)[0]["kept"] == 0
    assert solutions(tmp_path)[0].strip() == EMPTY.strip()


def test_the_earlier_of_equals_is_kept(tmp_path: Path) -> None:
    run(tmp_path, Script(grow=[ALL_WRONG, EMPTY, SAME, SAME]))
    assert samples(tmp_path)[0]["kept"] == 1


def test_a_syntax_error_is_told(tmp_path: Path) -> None:
    model = Script(grow=[BROKEN, RIGHT])
    assert curve(run(tmp_path, model)) == [0, *[100] * 5]
    assert "syntax error at line 1" in model.texts("grow")[1]


# -- what a model may see


def test_without_the_oracle_nothing_hidden_is_seen_and_no_verdict_decides(tmp_path: Path) -> None:
    model = Script(grow=[EMPTY, ONLY_SHOWN, RIGHT], more=[SAME, ALL_WRONG, RIGHT])
    found = run(tmp_path, model, "grow", "more", explain=True)
    assert curve(found) == [0, 0, 50, 50, 50, 50], "grow passes all that is shown, and stops at a wrong answer"
    assert found["solved_in"] == {"1": 1, "2": 1}
    for _, _, text in model.asked:
        assert not any(part in text for part in HIDDEN)


def test_with_the_oracle_the_benchmarks_own_failing_test_is_shown(tmp_path: Path) -> None:
    model = Script(grow=[ONLY_SHOWN, RIGHT])
    found = run(tmp_path, model, oracle=True)
    assert (curve(found), found["solved_in"]) == ([0, *[100] * 5], {"1": 1})
    assert model.texts("grow")[1] == PROFILE.prompt(
        PROFILE.repair(
            "Write a Python function `grow(xs)`. Its documentation:\n\n```python\n"
            + PROMPT.format(name="grow").strip()
            + "\n```",
            ONLY_SHOWN,
            "assert grow([5, -1]) == [6, 0]",
            "The call gives `[2]`.",
        )
    )


def test_a_better_answer_by_the_shown_tests_may_be_a_worse_one(tmp_path: Path) -> None:
    """It is counted, not hidden: the documentation here contradicts the tests."""
    chosen = config(tmp_path, "grow")
    data = Path(chosen.data)
    data.write_text(data.read_text().replace("    [2]", "    [3]"))
    found = refine(chosen, model=Script(grow=[RIGHT, "def grow(xs):\n    return [3] if xs else []\n"]))["results"]
    assert curve(found) == [100, *[0] * 5]
    assert [point["lost"] for point in found["curve"]] == [0, 1, 0, 0, 0, 0]


def test_a_prompt_without_tests_has_its_first_answer(tmp_path: Path) -> None:
    model = Script(grow=[EMPTY, RIGHT], more=[PROSE, RIGHT])
    found = run(tmp_path, model, "grow", "more", documented=False)
    assert (len(model.asked), found["ends"], found["tasks_with_tests"]) == (2, {"untested": 2}, 0)


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (SAME, "The call gives `[1]`."),
        (RAISES, "The call raises `TypeError('can only concatenate list (not \"int\") to list')`."),
        ("import sys\ndef grow(xs):\n    return xs and sys.exit(2)\n", "ends the program"),
    ],
)
def test_what_happened_is_told(tmp_path: Path, answer: str, told: str) -> None:
    model = Script(grow=[answer, RIGHT])
    run(tmp_path, model, rounds=1)
    assert "assert grow([1]) == [2]" in model.texts("grow")[1]
    assert told in model.texts("grow")[1]


def test_a_failing_run_is_told_line_by_line(tmp_path: Path) -> None:
    loop = "def grow(xs):\n    found = []\n    for x in range(xs[0] * 30) if xs else []:\n        found.append(x)\n    return found\n"
    model = Script(grow=[loop, RIGHT])
    run(tmp_path, model, explain=True, rounds=1)
    told = model.texts("grow")[1].partition("What happened:\n")[2].strip().splitlines()
    assert len(told) == LINES
    assert told[0] == "The call is `grow([1])`."
    assert told[1].startswith("Line 1: `grow` is called with `xs` = `[1]`")
    assert re.fullmatch(r"\(\d+ lines later\)", told[3])
    assert told[-1].startswith("The call returns `[0, 1, 2")
    assert max(map(len, told)) < 220


def test_a_run_too_long_to_be_told_is_told_in_a_sentence(tmp_path: Path) -> None:
    model = Script(grow=["def grow(xs):\n    for x in range(9_000):\n        x += 1\n    return [x]\n", RIGHT])
    run(tmp_path, model, explain=True, rounds=1)
    assert model.texts("grow")[1].endswith("What happened:\nThe call gives `[9000]`.\n")


def test_a_short_execution_is_told_whole() -> None:
    trace = trace_here("def f(x):\n    '''Adds one.'''\n    return x + 1\n", "f(1)")
    lines = told_lines(trace)
    assert lines[0] == "The call is `f(1)`."
    assert lines[-1] == "The call returns `2`."
    assert not any("Adds one" in line for line in lines)


@pytest.mark.parametrize(
    ("outcome", "told"),
    [
        (Outcome("timeout", detail="x"), "The call comes to no end within 3 seconds."),
        (Outcome("memory"), "The call needs more memory than it may have."),
        (Outcome("invalid", detail="the program has a\nsyntax error"), "The program has a syntax error."),
        (Outcome("raised", exception=Raised("Odd", "a")), "The call raises `Odd: a`."),
        (Outcome("returned", Value.of(None)), "The call gives `None`."),
    ],
)
def test_every_end_of_a_call_has_its_words(outcome: Outcome, told: str) -> None:
    assert what_happened(outcome) == told


def test_words_are_bounded() -> None:
    assert clipped("abc", 3) == "abc"
    assert len(clipped("x" * 5_000, 300)) <= 306
    assert sentence("no such\nthing.") == "No such thing."


def test_a_model_for_conversations(tmp_path: Path) -> None:
    asked: list[Request] = []

    def answer(request: Request) -> str:
        asked.append(request)
        return f"Well.\n```python\n{EMPTY if len(asked) == 1 else RIGHT}```\n"

    chosen = config(tmp_path, "grow")
    found = refine(
        RefineConfig("humaneval", CHAT, "openai:m@http://localhost:1/v1", data=chosen.data, out=chosen.out),
        model=Scripted(answer),
    )["results"]
    assert (found["model"], found["solved_in"]) == ("openai:m", {"1": 1})
    (turn,) = asked[1].messages
    assert "Write the code that" not in turn.content
    assert "```python\ndef grow(xs):\n    return []\n```" in turn.content


@pytest.mark.parametrize(("name", "oracle"), [("mbpp", False), ("mbpp", True), ("pyx", False), ("pyx", True)])
def test_other_benchmarks(tmp_path: Path, name: str, oracle: bool) -> None:
    tests = ["assert grow([1]) == [2]", "assert grow([5, -1]) == [6, 0]"]
    row: dict[str, Any] = {"task_id": 1, "text": "One more.", "code": RIGHT, "test_list": tests, "test_setup_code": ""}
    if name == "pyx":
        cases = [{"call": "grow([1])", "output": "[2]"}, {"call": "grow([5, -1])", "output": "[6, 0]"}]
        told = PROFILE.nl("grow(xs)", "One more.", [("grow([1])", "[2]")])
        row = {"id": "r", "nl": told, "response": "", "program": {"source": RIGHT, "entry": "grow"}, "cases": cases}
    (tmp_path / "data.jsonl").write_text(json.dumps(row) + "\n")
    model = Script(grow=[ALL_WRONG, ONLY_SHOWN, RIGHT])
    data, out = str(tmp_path / "data.jsonl"), str(tmp_path / "out")
    found = refine(RefineConfig(name, PROFILE, "hf:x", data=data, oracle=oracle, out=out), model=model)["results"]
    hidden = name == "pyx" and not oracle
    assert curve(found) == [0, 0, 0 if hidden else 100, *[0 if hidden else 100] * 3]
    assert any("[6, 0]" in text for text in model.texts("grow")) is not hidden


# -- stopped runs


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What a run comes to that nothing stops."""
    return run(tmp_path_factory.mktemp("whole"), Script(SCRIPTS), *SCRIPTS, oracle=True)


def test_an_error_in_the_middle_is_asked_for_again(tmp_path: Path, whole: dict[str, Any]) -> None:
    failing = Script(SCRIPTS)
    errors = ["the server is away"]
    failing.fails = lambda name, number: errors.pop() if errors and (name, number) == ("grow", 1) else ""
    first = run(tmp_path, failing, *SCRIPTS, oracle=True)
    assert first["ends"] == {"solved": 1, "unanswered": 1}
    assert [row["end"] for row in samples(tmp_path)] == ["unanswered", "solved"]
    again = Script(SCRIPTS)
    again.asked = [asked for asked in failing.asked if asked[0] == "grow"]
    assert run(tmp_path, again, *SCRIPTS, oracle=True) == whole
    assert [name for name, *_ in again.asked] == ["grow", "grow", "grow"], "one was kept, two came now"
    assert run(tmp_path, Script(), *SCRIPTS, oracle=True) == whole, "a finished run asks for nothing"


@pytest.mark.parametrize("lives", [1, 3, 5])
def test_a_killed_run_goes_on(tmp_path: Path, whole: dict[str, Any], lives: int) -> None:
    model = Script(SCRIPTS)

    def die(name: str, number: int) -> str:
        if len(model.asked) == lives:
            raise Killed
        return ""

    model.fails = die
    with pytest.raises(Killed):
        run(tmp_path, model, *SCRIPTS, oracle=True)
    assert not (tmp_path / "out" / "manifest.json").exists()
    again = Script(SCRIPTS)
    again.asked = list(model.asked)
    assert run(tmp_path, again, *SCRIPTS, oracle=True) == whole
    assert len(again.asked) == 6, "nothing is asked for twice"


def test_a_model_that_never_replies_is_an_error(tmp_path: Path) -> None:
    model = Script(grow=[RIGHT])
    model.fails = lambda name, number: "away"
    with pytest.raises(SemcoderError, match="replied to none of 1 requests: away"):
        run(tmp_path, model)


def test_a_folder_is_of_one_refinement(tmp_path: Path) -> None:
    run(tmp_path, Script(grow=[RIGHT]))
    for changes, what in (({"rounds": 3}, "rounds"), ({"oracle": True}, "mode"), ({"explain": True}, "explain")):
        with pytest.raises(UsageError, match=rf"begun with another configuration \(differs in: {what}\)"):
            run(tmp_path, Script(grow=[RIGHT]), **changes)
    with pytest.raises(UsageError, match=r"begun with other data \(differs in: humaneval\)"):
        run(tmp_path, Script(grow=[RIGHT], more=[RIGHT]), "grow", "more")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "file").write_text("x")
    with pytest.raises(UsageError, match="not empty, and not a refinement's folder"):
        run(tmp_path, Script(grow=[RIGHT]), out=str(tmp_path / "other"))
    assert run(tmp_path, Script(grow=[RIGHT]), workers=2)["solved_in"] == {"0": 1}, "workers change no result"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"rounds": -1}, "rounds must be from 0 to 100, not -1"),
        ({"n": 0}, "n must be from 1"),
        ({"n": 2}, "2 samples at temperature 0"),
        ({"workers": 0}, "workers must be at least 1"),
        ({"temperature": -1.0}, "temperature"),
        ({"limit": -1}, "limit"),
    ],
)
def test_what_makes_no_sense_is_refused(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=re.escape(message)):
        config(tmp_path, "grow", **changes)


def test_what_cannot_be_refined_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cruxeval-o does not ask for code"):
        refine(RefineConfig("cruxeval-o", PROFILE, "hf:x"), model=Script())
    plus = {key: rows("grow")[0][key] for key in ("task_id", "entry_point", "prompt", "canonical_solution")}
    plus |= {"contract": "", "base_input": [[[1]]], "plus_input": [[[2]]], "atol": 0}
    (tmp_path / "plus.jsonl").write_text(json.dumps(plus) + "\n")
    data, out = str(tmp_path / "plus.jsonl"), str(tmp_path / "out")
    with pytest.raises(UsageError, match=r"cannot tell its tests one by one; leave out --oracle"):
        refine(RefineConfig("humaneval-plus", PROFILE, "hf:x", data=data, oracle=True, out=out), model=Script())
    found = refine(
        RefineConfig("humaneval-plus", PROFILE, "hf:x", data=data, out=out), model=Script(grow=[EMPTY, RIGHT])
    )
    assert found["results"]["solved_in"] == {"1": 1}


def test_the_profile_is_that_of_the_models_folder(tmp_path: Path) -> None:
    save_profile(tmp_path, CHAT, "forward")
    assert refinement("humaneval", f"hf:{tmp_path}").profile == CHAT
    assert refinement("humaneval", f"hf:{tmp_path}", "semcoder").profile == PROFILE


# -- curves


TESTS = 3
ATTEMPTS = st.lists(
    st.builds(
        Attempt,
        st.sampled_from(["", "a", "b", "c", "d", "e"]),
        st.lists(st.sampled_from([True, False, None]), min_size=TESTS, max_size=TESTS).map(tuple),
        st.sampled_from([True, False, None]),
    ),
    min_size=1,
    max_size=7,
)


@given(ATTEMPTS, st.sampled_from(["shown", "oracle"]), st.booleans())
def test_the_kept_answer_only_gets_better(attempts: list[Attempt], mode: Mode, greedy: bool) -> None:
    attempts = [one if one.program else Attempt("", (False,) * TESTS, False) for one in attempts]
    rules = Rules(5, mode, greedy)
    passes = [one.tests.count(True) for one in attempts]
    before = 0
    for number in range(1, len(attempts) + 1):
        now = rules.kept(attempts[:number])
        assert now in (before, number - 1), "it changes for the newest alone"
        if mode == "oracle":
            assert attempts[now].passed or not attempts[before].passed, (
                "an answer that passes is not given up for one that does not"
            )
        if now != before and not (mode == "oracle" and attempts[now].passed):
            assert passes[now] > passes[before] or not attempts[before].program
        if mode == "shown":
            assert passes[now] == max(passes[:number])
        before = now


@given(ATTEMPTS, st.integers(0, 5), st.booleans())
def test_every_sample_ends(attempts: list[Attempt], rounds: int, greedy: bool) -> None:
    rules = Rules(rounds, "shown", greedy)
    for number in range(1, rounds + 2):
        if rules.end(attempts[:number]) is not None:
            break
    else:
        assert len(attempts) <= rounds


def test_what_is_not_judged_is_neither_right_nor_wrong() -> None:
    rules = Rules(1, "shown", greedy=True)
    solved, failed = Attempt("a", (True,), True), Attempt("b", (False,), False)
    unjudged = Attempt("c", (True,), None)
    known = {("t", 0): [solved], ("u", 0): [unjudged], ("v", 0): [failed, solved], ("w", 0): []}
    found = results(known, rules, ["t", "u", "v", "w"])
    assert [point["n"] for point in found["curve"]] == [2, 2]
    assert curve(found) == [50, 100]
    assert [point["unjudged"] for point in found["curve"]] == [2, 2]
    assert found["ends"] == {"solved": 3, "unanswered": 1}
    assert found["gain"]["difference"] == 50
    assert sample_rows(known, rules)[3] == {
        "task_id": "w", "sample": 0, "end": "unanswered", "rounds": 0, "kept": None, "verdicts": [None, None],
    }  # fmt: skip


def test_an_interval_stands_beside_every_figure(tmp_path: Path) -> None:
    found = run(tmp_path, Script(grow=[RIGHT], more=[ALL_WRONG]), "grow", "more")
    for point in found["curve"]:
        low, high = point["interval"]
        assert low <= point["pass@1"] <= high


# -- the command line


def documented() -> set[str]:
    """Keys of the documents that docs/cli.md lists for the command."""
    text = (Path(__file__).parents[2] / "docs" / "cli.md").read_text()
    section = re.search(r"^## refine\n(.*?)(?=^## |\Z)", text, re.M | re.S)
    assert section
    return {key for row in re.findall(r"^\| (`.*?`) \|", section[1], re.M) for key in re.findall(r"`(\w+)`", row)}


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    written(tmp_path, "grow")
    answers = iter([EMPTY, RIGHT])
    with Server(lambda asked: said(f"```python\n{next(answers)}```")) as server:
        words = ["refine", "--model", f"openai:m@{server.url}", "--profile", "chat", "--benchmark", "humaneval"]
        words += ["--data", "humaneval.jsonl", "--out", "out", "--workers", "1", "--explain"]
        assert run_command(words) == 0
        told = capsys.readouterr()
        assert "humaneval, tests of the prompt alone" in told.out
        assert "solved by the tests that the model may see: 1 in round 1" in told.out
        assert "all rounds together: +100.0" in told.out
        assert "semcoder: humaneval: asking, round 1 (1 of 1)" in told.err
        assert run_command([*words, "--json"]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    found = json.loads(line)
    assert found.keys() == documented() - {"rows"}
    assert (found["folder"], found["model"], found["explain"]) == ("out", "openai:m", True)
    assert len(server.seen) == 2, "a finished run asks for nothing"
    assert run_command([*words, "--oracle"]) == 2
    assert "begun with another configuration (differs in: mode)" in capsys.readouterr().err
    assert run_command([*words, "--compare", "out"]) == 2
    assert "that is where this run is written" in capsys.readouterr().err
    assert run_command(["refine"]) == 2


# -- side by side


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two refinements in one mode, the second one better, and one with the oracle."""
    folder, found = tmp_path_factory.mktemp("three"), []
    for name, scripts, oracle in (
        ("zero", {"grow": [EMPTY], "more": [SAME]}, False),
        ("after", {"grow": [EMPTY, RIGHT], "more": [SAME]}, False),
        ("oracle", {"grow": [EMPTY, RIGHT], "more": [SAME, RIGHT]}, True),
    ):
        run(folder, Script(scripts), "grow", "more", out=str(folder / name), oracle=oracle)
        found.append(folder / name)
    return found


def test_modes_stand_apart_wherever_runs_are_compared(
    three: list[Path], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(three[0].parent)
    zero, after, oracle = (Path(folder.name) for folder in three)
    shown, assisted = compare([zero, after, oracle], against)
    assert ((shown["mode"], len(shown["rows"])), (assisted["mode"], len(assisted["rows"]))) == (
        ("shown", 2),
        ("oracle", 1),
    )
    assert shown["rows"][0]["against_first"] is None
    assert shown["rows"][1]["against_first"]["difference"] == 50
    assert run_command(["refine", "--json", *(f"--compare={folder}" for folder in (zero, after, oracle))]) == 0
    assert [json.loads(line) for line in capsys.readouterr().out.splitlines()] == [shown, assisted]
    assert run_command(["refine", *(f"--compare={folder}" for folder in (zero, after, oracle))]) == 0
    told = capsys.readouterr().out
    assert told.index("tests of the prompt alone") < told.index("after") < told.index("oracle-assisted")


def test_the_page_has_curves_side_by_side_and_modes_apart(three: list[Path]) -> None:
    zero, after, oracle = three
    page = build_page(after, [zero, oracle]).read_text()
    shown, assisted = re.findall(r"<section aria-labelledby=.curve-\d-title.>.*?</section>", page, re.DOTALL)
    assert ("tests of the prompt alone" in shown, ">zero<" in shown, ">after<" in shown) == (True, True, True)
    assert ("oracle-assisted" in assisted, ">oracle<" in assisted, ">zero<" in assisted) == (True, True, False)
    assert "<polyline" in shown
    assert ">oracle<" not in shown
    assert "50.0 (" in shown
    alone = build_page(zero).read_text()
    assert "curve-2" not in alone.partition("</style>")[2].partition("<svg")[0]


def test_what_cannot_be_compared_is_named(tmp_path: Path, three: list[Path]) -> None:
    zero = three[0]
    with pytest.raises(UsageError, match="name at least one folder"):
        compare([], against)
    with pytest.raises(InputError, match="no finished refinement"):
        compare([tmp_path], against)
    run(tmp_path, Script(grow=[RIGHT]), "grow", out=str(tmp_path / "fewer"))
    with pytest.raises(UsageError, match="not the same tasks of humaneval"):
        compare([zero, tmp_path / "fewer"], against)
    (tmp_path / "eval").mkdir()
    (tmp_path / "eval" / "manifest.json").write_text('{"kind": "evaluation"}')
    with pytest.raises(InputError, match="only refinements stand beside one"):
        build_page(zero, [tmp_path / "eval"])
    damaged = json.loads((zero / "manifest.json").read_text())
    damaged["results"]["curve"][0]["pass@1"] = "x"
    (tmp_path / "eval" / "manifest.json").write_text(json.dumps(damaged))
    with pytest.raises(InputError, match=r"results\.curve\[0\]: 'pass@1' must be a number"):
        build_page(tmp_path / "eval")

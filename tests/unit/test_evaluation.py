"""Evaluations: what is asked, kept and scored, runs that are stopped and go on, results, and comparisons."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

import semcoder
from semcoder.benchmarks import Task, benchmarks
from semcoder.constructs import constructs
from semcoder.core import Score
from semcoder.errors import InputError, SemcoderError, UsageError
from semcoder.evaluation import EvalConfig, compare, configured, evaluate, published
from semcoder.evaluation.metrics import Judged, failure_kind, results
from semcoder.judging import Question
from semcoder.judging.folder import Journal
from semcoder.models import Completion, Reply, Request
from semcoder.prompts import Profile, load_profile, save_profile

PROFILE = load_profile()
SOURCE = "def f(n):\n    total = 0\n    for i in range(n):\n        total += i\n    return total\n"
TASKS = [Task(f"t{k}", {"code": SOURCE, "n": k, "output": str(sum(range(k)))}) for k in range(6)]


class Killed(BaseException):
    """As the signal that ends a process would: nothing handles it."""


@dataclass
class Sums:
    """A benchmark of our own: what does f(n) give? Answers "?" cannot be judged. Counts what it scores."""

    asks: Any = "output"
    name: str = "sums"
    about: str = "sums"
    tasks: Sequence[Task] = tuple(TASKS)
    scored: list[tuple[str, str]] = field(default_factory=list)
    #: Ends the process after so many scores.
    lives: int = -1

    def load(self, data: str = "") -> list[Task]:
        return list(self.tasks)

    def instruction(self, task: Task, profile: Profile) -> str:
        return profile.forward(task.row["code"], f"f({task.row['n']})")

    def question(self, task: Task) -> Question | None:
        if self.asks == "code":
            return None
        return Question(task.row["code"], "f", "forward", call=f"f({task.row['n']})")

    def answer(self, task: Task, text: str, profile: Profile) -> str:
        return profile.parse(text).answer or ""

    def gold(self, task: Task) -> str:
        return str(task.row["output"])

    def wrong(self, task: Task) -> str:
        return "-1"

    def generations(self, path: Path, tasks: Sequence[Task]) -> dict[str, list[str]]:
        found: dict[str, list[str]] = json.loads(path.read_text())
        return found

    def score(
        self, answers: Sequence[tuple[Task, str]], *, workers: int = 2, unsafe: bool = False
    ) -> Iterator[tuple[int, Score]]:
        for place, (task, answer) in reversed(list(enumerate(answers))):
            if self.lives == 0:
                raise Killed
            self.lives -= 1
            self.scored.append((task.id, answer))
            right = answer == task.row["output"]
            yield place, Score(None, "no idea") if answer == "?" else Score(right, "" if right else "it is another")


@dataclass
class Scripted:
    """A model that says what it is told to by number of the call, in the order of the requests, or out of it."""

    say: Any = None
    name: str = "scripted"
    seen: list[Request] = field(default_factory=list)
    lives: int = -1

    def generate(self, requests: Iterable[Request]) -> Iterator[tuple[int, Reply]]:
        for place, request in enumerate(requests):
            if self.lives == 0:
                raise Killed
            self.lives -= 1
            self.seen.append(request)
            yield place, self.reply(request)

    def reply(self, request: Request) -> Reply:
        text = right(request) if self.say is None else self.say(request)
        if isinstance(text, Reply):
            return text
        return Reply((Completion(text),), 10, 5)


def asked_of(request: Request) -> int:
    """The n that a prompt asks about."""
    return int(request.text.partition("assert f(")[2].partition(")")[0])


def right(request: Request) -> str:
    return f"[ANSWER]{sum(range(asked_of(request)))}"


def config(out: Path, **settings: Any) -> EvalConfig:
    return EvalConfig(("sums",), **{"profile": PROFILE, "model": "openai:scripted", "out": str(out), **settings})


def run(config: EvalConfig, model: Scripted | None = None, benchmark: Any = None) -> dict[str, Any]:
    """The results of the one benchmark."""
    sums = benchmark or Sums()
    return one(evaluate(config, model=model or (Scripted() if config.model else None), find=lambda _: sums))


def one(manifest: dict[str, Any]) -> dict[str, Any]:
    (found,) = manifest["benchmarks"]
    assert isinstance(found, dict)
    return found


def rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


# -- asking and scoring


def test_a_model_that_is_always_right(tmp_path: Path) -> None:
    model, sums = Scripted(), Sums()
    manifest = evaluate(config(tmp_path), model=model, find=lambda _: sums)
    found = one(manifest)
    assert (found["benchmark"], found["n"], found["pass@1"]) == ("sums", 6, 100.0)
    low, high = found["intervals"]["pass@1"]
    assert low < 70
    assert high == 100, "six right of six do not make it certain"
    assert (found["unjudged"], found["failures"], found["bounds"]) == (0, {}, [100.0, 100.0])
    assert manifest["kind"] == "evaluation"
    assert json.loads((tmp_path / "manifest.json").read_text()) == manifest
    assert json.loads((tmp_path / "sums" / "results.json").read_text()) == found
    first = rows(tmp_path / "sums" / "generations.jsonl")[0]
    assert first["task_id"] == "t0"
    assert first["text"] == "[ANSWER]0[/ANSWER]", "what the stop string ended is closed"
    assert first["completion"] == "0"
    assert model.seen[0].sampling.stop == PROFILE.stops
    assert (model.seen[0].sampling.temperature, model.seen[0].sampling.top_p) == (0.2, 0.95)
    assert found["constructs"]["for loop"]["n"] == 6


def test_a_chat_profile_is_asked_in_a_conversation(tmp_path: Path) -> None:
    model = Scripted(say=lambda _: "Answer:\n```\n```")
    run(config(tmp_path, profile=load_profile("chat")), model)
    assert model.seen[0].messages[0].role == "user"
    assert "f(0)" in model.seen[0].messages[0].content


def test_samples_have_seeds_of_their_own_and_pass_at_k(tmp_path: Path) -> None:
    model = Scripted(say=lambda request: right(request) if request.sampling.seed == 7 else "[ANSWER]-1")
    found = run(config(tmp_path, n=5, temperature=0.8, seed=7, limit=2), model)
    assert len({request.sampling.seed for request in model.seen}) == 5
    assert {request.sampling.n for request in model.seen} == {1}
    assert found["pass@1"] == pytest.approx(20)
    assert found["pass@2"] == pytest.approx(40)
    assert found["pass@5"] == 100
    assert set(found["intervals"]) == {"pass@1", "pass@2", "pass@5"}
    assert (found["n"], found["samples"], found["wilson"]) == (2, 10, None)


def test_equal_answers_are_scored_once(tmp_path: Path) -> None:
    sums = Sums()
    found = run(config(tmp_path, n=3, temperature=1.0), benchmark=sums)
    assert (len(sums.scored), found["samples"]) == (6, 18)


def test_what_cannot_be_judged_is_neither_right_nor_wrong(tmp_path: Path) -> None:
    says = {0: "[ANSWER]?", 1: "[ANSWER]-1", 2: "nothing", 3: Reply(error="the server is down")}
    model = Scripted(say=lambda request: says.get(asked_of(request)) or right(request))
    found = run(config(tmp_path), model)
    assert (found["n"], found["tasks"], found["pass@1"]) == (4, 6, 50.0)
    assert (found["unjudged"], found["unjudged_tasks"]) == (2, 2)
    assert found["bounds"] == [pytest.approx(100 * 2 / 6, abs=1e-3), pytest.approx(100 * 4 / 6, abs=1e-3)]
    assert found["failures"] == {"not judged": 1, "wrong": 1, "no answer": 1, "no reply": 1}
    # The next start asks and scores what has no verdict, and nothing else.
    again, sums = Scripted(), Sums()
    found = run(config(tmp_path), again, sums)
    assert [asked_of(request) for request in again.seen] == [3]
    assert sorted(sums.scored) == [("t0", "?"), ("t3", "3")]
    assert (found["n"], found["unjudged"]) == (5, 1)


def test_a_model_that_says_nothing_is_wrong_and_one_that_does_not_reply_is_an_error(tmp_path: Path) -> None:
    for error, kind in (("the model gave no text", 0), ("the model gave no text: all of max_tokens=9 went ...", 6)):
        found = run(config(tmp_path / str(kind)), Scripted(say=lambda _, error=error: Reply(error=error)))
        assert (found["pass@1"], found["failures"], found["cut"]) == (0, {"no answer": 6}, kind)
    down = Scripted(say=lambda _: Reply(error="connection refused"))
    with pytest.raises(SemcoderError, match="none of 6 requests: connection refused"):
        run(config(tmp_path / "down"), down)
    assert not (tmp_path / "down" / "manifest.json").exists()
    assert run(config(tmp_path / "down"))["pass@1"] == 100


def test_an_answer_that_a_bound_cut_is_not_closed(tmp_path: Path) -> None:
    cut = Scripted(say=lambda request: Reply((Completion(right(request), "length"),)))
    found = run(config(tmp_path), cut)
    assert (found["failures"], found["cut"]) == ({"no answer": 6}, 6)


# -- stopped runs


@pytest.mark.parametrize("lives", range(6))
def test_killed_while_asking(lives: int, tmp_path: Path) -> None:
    with pytest.raises(Killed):
        run(config(tmp_path), Scripted(lives=lives))
    again = Scripted()
    found = run(config(tmp_path), again)
    assert len(again.seen) == 6 - lives, "no sample is asked for twice"
    assert (found["n"], found["pass@1"], found["samples"]) == (6, 100, 6)


@pytest.mark.parametrize("lives", range(6))
def test_killed_while_scoring(lives: int, tmp_path: Path) -> None:
    with pytest.raises(Killed):
        run(config(tmp_path), benchmark=Sums(lives=lives))
    model, sums = Scripted(), Sums()
    found = run(config(tmp_path), model, sums)
    assert not model.seen
    assert len(sums.scored) == 6 - lives, "no verdict is asked for twice"
    assert found == run(config(tmp_path / "whole"))


def test_a_torn_last_line_is_asked_for_again(tmp_path: Path) -> None:
    run(config(tmp_path))
    for name, asked, scored in (("generations.jsonl", 1, 0), ("scores.jsonl", 0, 1)):
        path = tmp_path / "sums" / name
        path.write_bytes(path.read_bytes()[:-9])
        model, sums = Scripted(), Sums()
        assert run(config(tmp_path), model, sums)["pass@1"] == 100
        assert (len(model.seen), len(sums.scored)) == (asked, scored)


def test_a_finished_evaluation_asks_nothing(tmp_path: Path) -> None:
    found = run(config(tmp_path))
    model, sums = Scripted(), Sums()
    assert run(config(tmp_path), model, sums) == found
    assert (model.seen, sums.scored) == ([], [])


def test_damage_in_the_middle_is_named(tmp_path: Path) -> None:
    run(config(tmp_path))
    path = tmp_path / "sums" / "generations.jsonl"
    for damage in ("nonsense\n", '{"sample": 1}\n', "[1]\n", '{"task_id": "t0", "sample": 0}\n'):
        kept = path.read_text()
        path.write_text(damage + kept)
        with pytest.raises(InputError, match=r"generations\.jsonl:1: "):
            run(config(tmp_path))
        path.write_text(kept)
    path.write_text(kept.replace('"t3"', '"t99"'))
    with pytest.raises(InputError, match=r"generations\.jsonl: it has a row of 't99', which is no task here"):
        run(config(tmp_path))


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"seed": 1, "max_tokens": 5}, "another configuration .differs in: max_tokens, seed"),
        ({"limit": 3}, "another configuration .differs in: limit"),
        ({"model": "openai:other"}, "another configuration .differs in: model"),
        ({"profile": replace(PROFILE, between="\n\n")}, r"another configuration .differs in: profile\.between"),
    ],
)
def test_another_configuration_is_refused(settings: dict[str, Any], named: str, tmp_path: Path) -> None:
    run(config(tmp_path))
    with pytest.raises(UsageError, match=named):
        run(config(tmp_path, **settings))


def test_what_changes_only_where_and_how_fast_is_not_refused(tmp_path: Path) -> None:
    found = run(config(tmp_path, model="openai:scripted@http://one:1/v1"))
    assert run(config(tmp_path, model="openai:scripted@http://two:2/v1", workers=1)) == found


def test_other_data_and_other_folders_are_refused(tmp_path: Path) -> None:
    run(config(tmp_path / "out"))
    with pytest.raises(UsageError, match=r"other data .differs in: sums"):
        run(config(tmp_path / "out"), benchmark=Sums(tasks=TASKS[1:]))
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("x")
    with pytest.raises(UsageError, match="not an evaluation's folder"):
        run(config(tmp_path / "mine"))
    (tmp_path / "out" / "begun.json").write_text("{}")
    with pytest.raises(InputError, match=r"begun\.json: not what an evaluation saves"):
        run(config(tmp_path / "out"))
    with pytest.raises(InputError, match="no tasks of sums"):
        run(config(tmp_path / "none"), benchmark=Sums(tasks=[]))


def test_a_journal_keeps_the_last_row_of_a_sample(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "rows.jsonl")
    journal.append([{"task_id": "a", "sample": 0, "x": 1}])
    journal.append([{"task_id": "a", "sample": 0, "x": 2}, {"task_id": "a", "sample": 1, "x": 3}])
    assert [row["x"] for row in journal.rows().values()] == [2, 3]
    with journal.path.open("a") as file:
        file.write('{"task_id": "b", "sam')
    assert len(Journal(journal.path).rows()) == 2
    journal.path.write_text('{"task_id"')
    assert Journal(journal.path).rows() == {}


# -- generations


def test_generations_that_others_produced(tmp_path: Path) -> None:
    path = tmp_path / "theirs.json"
    path.write_text(json.dumps({"t0": ["0", "1"], "t1": ["0", "0"], "t2": ["?", "1"]}))
    chosen = config(tmp_path / "out", model="", generations=str(path))
    found = run(chosen)
    assert (found["n"], found["tasks"], found["missing_tasks"], found["samples"]) == (3, 6, 3, 6)
    assert found["pass@1"] == pytest.approx(100 * (0.5 + 1 + 1) / 3, abs=1e-3)
    assert found["bounds"] == [pytest.approx(100 * 2 / 6, abs=1e-3), pytest.approx(100 * 5.5 / 6, abs=1e-3)]
    assert found["seeds"]["sampling"] is None
    sums = Sums()
    assert run(chosen, benchmark=sums) == found
    assert sums.scored == [("t2", "?")]
    path.write_text(json.dumps({"t0": ["0"]}))
    with pytest.raises(UsageError, match=r"other data .differs in: generations"):
        run(chosen)
    path.unlink()
    with pytest.raises(InputError, match="cannot be read"):
        run(chosen)


# -- monologues


def told(request: Request) -> str:
    n = asked_of(request)
    first = "`total` becomes `0`" if n != 1 else "`total` becomes `5`"
    return f"[MONOLOGUE]\nLine 2: {first}.\n[/MONOLOGUE]\n[ANSWER]{sum(range(n))}"


def test_monologues_are_checked_with_a_style_alone(tmp_path: Path) -> None:
    found = run(config(tmp_path / "with", style="forward", limit=4), Scripted(say=told))
    steps = found["steps"]
    assert steps["style"] == "forward"
    assert (steps["texts"], steps["with_claims"], steps["right_with_false_claim"]) == (4, 4, 1)
    assert (steps["true_part"], steps["no_false_claim"]) == (75, 75)
    assert steps["interval"][0] < 75 < steps["interval"][1]
    written = rows(tmp_path / "with" / "sums" / "steps.jsonl")
    assert written[1]["first_false"]["actual"]
    assert run(config(tmp_path / "with", style="forward", limit=4), Scripted(lives=0)) == found
    # What is checked already is not checked again, and a line that was torn is.
    path = tmp_path / "with" / "sums" / "steps.jsonl"
    assert rows(path) == written
    path.write_bytes(path.read_bytes()[:-9])
    assert run(config(tmp_path / "with", style="forward", limit=4), Scripted(lives=0)) == found
    assert rows(path) == written
    assert run(config(tmp_path / "without"), Scripted(say=told))["steps"] is None


def test_a_style_is_of_what_a_benchmark_asks(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no benchmark named here asks for a monologue in the style backward"):
        run(config(tmp_path, style="backward"))
    with pytest.raises(UsageError, match="no style 'nothing'"):
        config(tmp_path, style="nothing")
    chosen = config(tmp_path, style="concise")
    assert [chosen.style_for(asks) for asks in ("output", "input", "code")] == ["concise", "backward", ""]


def test_a_folder_of_a_model_says_how_it_is_asked(tmp_path: Path) -> None:
    save_profile(tmp_path, load_profile("brief"), "concise")
    found = configured(["sums"], f"hf:{tmp_path}")
    assert (found.profile.name, found.style) == ("brief", "concise")
    found = configured(["sums"], f"hf:{tmp_path}", "chat", "")
    assert (found.profile.name, found.style) == ("chat", "")
    assert configured(["sums"], "openai:x").profile.name == "semcoder"


# -- what makes no sense


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"model": ""}, "a model to ask, or a file with generations"),
        ({"generations": "x.json"}, "only one of them"),
        ({"n": 3, "temperature": 0.0}, "would all be the same"),
        ({"n": 0}, "n must be at least 1"),
        ({"limit": -1}, "limit must be at least 0"),
        ({"workers": 0}, "workers must be at least 1"),
        ({"top_p": 0.0}, "top_p must be above 0"),
        ({"model": "", "generations": "x.json", "style": "forward"}, "answers alone"),
    ],
)
def test_what_makes_no_sense(settings: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=message):
        config(tmp_path, **settings)


def test_benchmarks_that_make_no_sense(tmp_path: Path) -> None:
    for names, message in (((), "at least one"), (("a", "a"), "twice")):
        with pytest.raises(UsageError, match=message):
            EvalConfig(names, PROFILE, "openai:x")
    with pytest.raises(UsageError, match="belongs to one"):
        EvalConfig(("a", "b"), PROFILE, generations="x.json")


# -- results


@pytest.mark.parametrize(
    ("passed", "answer", "reason", "kind"),
    [
        (True, "1", "", ""),
        (False, "", "the answer is not a Python expression", "no answer"),
        (False, "1", "it is 2", "wrong"),
        (False, "f(1)", "f(1) gives 'ValueError', not 2", "wrong"),
        (False, "f(1)", "f(1) gives ValueError: bad, not 2", "raised"),
        (False, "x", "the answer gives NameError: name 'x' is not defined, not 2", "raised"),
        (False, "f(1)", "f(1) gives timeout: it computed for more than 1 s, not 2", "timeout"),
        (False, "f(1)", "f(1) gives memory: , not 2", "other limit"),
        (False, "1 +", "the answer is not a Python expression", "unreadable"),
        (False, "g(1)", "the answer is not a call of f", "unreadable"),
        (False, "pass", "timeout: the tests came to no end", "timeout"),
        (False, "pass", "line 10 of the tests: the test does not hold", "wrong"),
        (False, "pass", "line 10 of the tests: AssertionError: 3", "wrong"),
        (False, "pass", "line 10 of the tests: ZeroDivisionError: division by zero", "raised"),
        (False, "pass", "exited: exit status 0", "raised"),
        (False, "pass", "output_limit: more printed output than the limit allows", "other limit"),
        (
            False,
            "(",
            "invalid: the program has a syntax error at line 12, column 14: '(' was never closed",
            "unreadable",
        ),
        (None, "1", "the answer could not be run: x", "sandbox"),
        (None, "1", "the tests do not parse", "not judged"),
    ],
)
def test_kinds_of_failure(passed: bool | None, answer: str, reason: str, kind: str) -> None:
    assert failure_kind(Judged("t", 0, answer, passed, reason)) == kind


def test_results_of_nothing_judged() -> None:
    found = results({"a": "", "b": "x = 1"}, [Judged("a", 0, "?", None)])
    assert (found["n"], found["pass@1"], found["intervals"], found["wilson"]) == (0, None, {}, None)
    assert found["bounds"] == [0, 100]


def test_scores_by_construct() -> None:
    codes = {
        "a": "def f(n):\n    return f(n - 1)",
        "b": "for x in y:\n    pass",
        "c": "for x in y:\n    for z in x: pass",
    }
    found = results(codes, [Judged(task, 0, "1", task != "b") for task in codes])["constructs"]
    assert list(found) == ["for loop", "nested loops", "no loop", "recursion"]
    assert (found["for loop"]["n"], found["for loop"]["pass@1"]) == (2, 50)
    assert found["recursion"]["interval"][0] < 100


@pytest.mark.parametrize(
    ("code", "names"),
    [
        ("x.split(',')", {"string method", "no loop"}),
        ("x.append([k for k in {1: 2}])", {"comprehension", "dict"}),
        ("try:\n    x[1:]\nexcept ValueError:\n    pass", {"try", "slice", "no loop"}),
        ("class A:\n    def m(self):\n        return self.m()", {"class", "recursion", "no loop"}),
        ("def f():\n    while True:\n        yield f'{1}'", {"while loop", "generator", "formatting"}),
        ("x.index(2); x.count(3)", {"no loop"}),
        ("def (", set()),
        ("(" * 5000, set()),
        ("\0", set()),
    ],
)
def test_constructs(code: str, names: set[str]) -> None:
    assert constructs(code) == names


# -- comparisons


def test_runs_are_compared_task_by_task(tmp_path: Path) -> None:
    run(config(tmp_path / "good"))
    run(
        config(tmp_path / "bad", model="openai:bad"),
        Scripted(say=lambda r: right(r) if asked_of(r) == 5 else "[ANSWER]-1"),
    )
    (found,) = compare([tmp_path / "good", tmp_path / "bad"])
    first, second = found["rows"]
    assert (first["model"], first["pass@1"], first["against_first"]) == ("openai:scripted", 100, None)
    assert second["against_first"]["n"] == 6
    assert second["against_first"]["difference"] == pytest.approx(-100 * 5 / 6, abs=1e-3)
    assert second["against_first"]["mcnemar_p"] == pytest.approx(2 / 32)
    assert 0 < second["against_first"]["bootstrap_p"] < 0.05
    assert found["published"] == {}
    samples = config(tmp_path / "more", n=2, temperature=1.0)
    run(samples)
    (found,) = compare([tmp_path / "good", tmp_path / "more"])
    against = found["rows"][1]["against_first"]
    assert (against["difference"], against["mcnemar_p"], against["bootstrap_p"]) == (0, None, 1)


def test_only_tasks_that_both_runs_have_verdicts_on_are_compared(tmp_path: Path) -> None:
    run(config(tmp_path / "one"), Scripted(say=lambda r: "[ANSWER]?" if asked_of(r) < 2 else right(r)))
    run(config(tmp_path / "two"), Scripted(say=lambda r: "[ANSWER]?" if asked_of(r) > 3 else "[ANSWER]-1"))
    (found,) = compare([tmp_path / "one", tmp_path / "two"])
    against = found["rows"][1]["against_first"]
    assert (against["n"], against["difference"], against["mcnemar_p"]) == (2, -100, 0.5)
    run(config(tmp_path / "none"), Scripted(say=lambda _: "[ANSWER]?"))
    (found,) = compare([tmp_path / "one", tmp_path / "none"])
    assert found["rows"][1]["against_first"] == dict.fromkeys(
        ("difference", "interval", "bootstrap_p", "mcnemar_p")
    ) | {"n": 0}


def test_runs_that_cannot_be_compared(tmp_path: Path) -> None:
    run(config(tmp_path / "whole"))
    run(config(tmp_path / "part", limit=2))
    evaluate(
        replace(config(tmp_path / "else"), benchmarks=("other",)), model=Scripted(), find=lambda _: Sums(name="other")
    )
    with pytest.raises(UsageError, match="not the same tasks of sums"):
        compare([tmp_path / "whole", tmp_path / "part"])
    with pytest.raises(UsageError, match="no benchmark in common"):
        compare([tmp_path / "whole", tmp_path / "else"])
    with pytest.raises(InputError, match="no finished evaluation"):
        compare([tmp_path / "whole", tmp_path / "nowhere"])
    (tmp_path / "whole" / "manifest.json").write_text(
        '{"kind": "training", "config": {}, "data": {}, "benchmarks": []}'
    )
    with pytest.raises(InputError, match="manifest of a training"):
        compare([tmp_path / "whole"])
    with pytest.raises(UsageError, match="at least one folder"):
        compare([])


def test_published_figures() -> None:
    assert published("cruxeval-o")["SemCoder 6.7B"] == 65.1
    assert published("humaneval-plus")["SemCoder-S 6.7B"] == 74.4
    assert published("nothing") == {}
    doc = json.loads((Path(semcoder.__file__).parent / "evaluation" / "published.json").read_text())
    named = {name for figures in doc["models"].values() for name in figures}
    assert named <= set(benchmarks()), "they are set beside benchmarks that there are"
    assert "published" in doc["label"]

"""The study of styles: what is compared with what, intervals against known values, and runs that are done once."""

from __future__ import annotations

import dataclasses
import json
import math
import os
import random
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from semcoder.core import Program, Sample, load
from semcoder.core.files import read_jsonl
from semcoder.errors import InputError, UsageError
from semcoder.prompts import Profile, load_profile
from semcoder.report import build_page
from semcoder.stats import over_seeds, paired, student, wilson
from semcoder.training.ablation import Run, derived, grid, run_ablation, table
from semcoder.training.recipe import Ablation, Data, NewModel, Recipe, Start
from semcoder.training.selection import Choice, Chosen, baselines, choose_questions, content, fitting

#: Training programs and questions of the small study below.
N, Q = 8, 6

RECIPE = Recipe(
    kind="ablation",
    model=Start(new=NewModel(layers=1, hidden=16, heads=2, vocabulary=320, context=256)),
    data=(Data("small:2000"),),
    max_length=700,
    epochs=1,
    ablation=Ablation(styles=("direct", "forward", "concise"), seeds=2, programs=N, test_programs=Q),
)


# -- intervals


def test_wilson_against_known_values() -> None:
    # Newcombe (1998), table I, method 3
    for right, asked, low, high in (
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ):
        found = wilson(right, asked)
        assert found == pytest.approx((low, high), abs=5e-5)
    assert wilson(0, 0) == (0.0, 1.0)
    assert wilson(20, 20)[1] == 1.0


def test_students_interval_against_known_values() -> None:
    assert over_seeds([1.0]) is None
    low, high = over_seeds([0.2, 0.4, 0.6]) or (0, 0)
    assert (low, high) == pytest.approx((0.4 - 4.303 * 0.2 / math.sqrt(3), 0.4 + 4.303 * 0.2 / math.sqrt(3)), abs=1e-9)
    for freedom, quantile in (
        (1, 12.706),
        (2, 4.303),
        (10, 2.228),
        (11, 2.201),
        (20, 2.086),
        (30, 2.042),
        (120, 1.980),
    ):
        assert student(freedom) == pytest.approx(quantile, abs=1e-3)


def test_the_paired_interval_covers_and_sees_what_pairs_share() -> None:
    rnd = random.Random(3)
    hard = [rnd.random() for _ in range(300)]
    first = [float(rnd.random() < 0.9 * (1 - h) + 0.1) for h in hard]
    same = paired(first, first)
    assert (same.mean, same.interval) == (0.0, (0.0, 0.0))
    second = [max(0.0, one - (k % 10 == 0)) for k, one in enumerate(first)]
    found = paired(first, second)
    mean, (low, high) = found.mean, found.interval
    assert mean == pytest.approx(sum(first[::10]) / 300)
    assert 0 < low < mean < high < 0.12
    assert paired(first, second) == paired(first, second)
    with pytest.raises(ValueError, match="no tasks"):
        paired([], [])
    with pytest.raises(ValueError):
        paired([1.0], [])


def test_the_paired_interval_covers_about_95_in_100() -> None:
    rnd = random.Random(5)
    hits = 0
    for _ in range(60):
        differences = [rnd.choice((-1.0, 0.0, 0.0, 1.0, 1.0)) for _ in range(80)]  # mean 0.2
        low, high = paired(differences, [0.0] * 80, resamples=5_000).interval
        hits += low <= 0.2 <= high
    assert 50 <= hits <= 60


# -- which programs


def rows_of(number: int) -> Sample:
    source = f"def f(x):\n    y = x + {number}\n    return y\n"
    return Sample(
        str(number),
        fwd_mnl="?",
        response="!",
        task="forward",
        program=Program(source, "f"),
        call="f(1)",
        output=str(1 + number),
    )


def streamed(sizes: Sequence[Sequence[int]]) -> Iterator[tuple[Sequence[Sample], list[tuple[int, int]]]]:
    for number, row in enumerate(sizes):
        yield [rows_of(number)] * len(row), [(1, size - 1) for size in row]


def test_equal_programs_and_equal_tokens() -> None:
    wanted = Ablation(styles=("long", "short"), programs=3)
    found = Choice(wanted).choose(streamed([(10, 4), (12, 3), (8, 4), (11, 9), (10, 11), (10, 2), (10, 10)]))
    assert found["long"].programs == {"programs": 3, "tokens": 3}
    assert found["long"].positions == {"programs": 30, "tokens": 30}
    assert found["short"].programs == {"programs": 3, "tokens": 5}
    assert found["short"].positions == {"programs": 11, "tokens": 31}
    assert [row.id for row in found["short"].rows] == ["0", "1", "2", "3", "4"]
    assert (found["long"].longest, found["short"].longest) == (11, 10)


def test_equal_programs_alone_needs_no_more_of_the_stream() -> None:
    wanted = Ablation(styles=("long", "short"), programs=2, equal=("programs",))
    found = Choice(wanted).choose(streamed([(10, 4), (12, 3)]))
    assert {style: chosen.programs["programs"] for style, chosen in found.items()} == {"long": 2, "short": 2}


@pytest.mark.parametrize("sizes", [[(10, 4)], [(10, 4), (10, 4), (10, 4)]])
def test_a_stream_that_ends_too_early_says_so(sizes: list[tuple[int, int]]) -> None:
    with pytest.raises(InputError, match="larger COUNT"):
        Choice(Ablation(styles=("long", "short"), programs=2)).choose(streamed(sizes))


def test_what_does_not_fit_is_counted() -> None:
    dropped: Counter[str] = Counter()
    told = [(rows_of(k % 3),) for k in range(7)]
    found = list(fitting(iter(told), lambda rows: [(1, 99 if row.id == "1" else 2) for row in rows], 50, dropped))
    assert [rows[0].id for rows, _ in found] == ["0", "2", "0", "2", "0"]
    assert dropped == {"too long in some style": 2}


def test_questions_differ_from_each_other() -> None:
    same = dataclasses.replace(
        rows_of(7), id="same", program=Program("def f(number):\n\n    z = number + 7  # other\n    return z\n", "f")
    )
    offered = [([rows_of(7)], [(1, 1)]), ([same], [(1, 1)]), ([rows_of(8)], [(1, 1)]), ([rows_of(9)], [(1, 1)])]
    dropped: Counter[str] = Counter()
    found = choose_questions(2, iter(offered), dropped)
    assert [sample.id for sample in found] == ["7", "8"]
    assert dropped == {"shared with another question": 1}
    with pytest.raises(InputError, match="fewer test_programs"):
        choose_questions(4, iter(offered), Counter())


def test_trivial_answers() -> None:
    taught = [dataclasses.replace(rows_of(0), output=output) for output in ("[1]", "7", "7", "3")]
    asked = [
        dataclasses.replace(rows_of(0), call=call, output=output)
        for call, output in (("f([1], 2)", "[1]"), ("f(7)", "7"), ("f('a')", "7"), ("f(x=2)", "2"), ("f()", "0"))
    ]
    assert baselines(asked, taught) == {"first argument": 3 / 5, "most frequent answer": 2 / 5}


# -- the grid


def test_a_run_that_serves_both_comparisons_is_planned_once() -> None:
    amounts = {
        "direct": {"programs": 25, "tokens": 90},
        "forward": {"programs": 25, "tokens": 25},
        "concise": {"programs": 25, "tokens": 50},
    }
    runs = grid(RECIPE, amounts)
    assert len(runs) == 2 * (2 + 1 + 2)
    assert len({run.name for run in runs}) == len(runs)
    assert [run.style for run in runs] == ["direct", "forward", "concise", "direct", "concise"] * 2
    assert Run("forward", 1, 25, ("programs", "tokens")) in runs
    assert Run("direct", 0, 90, ("tokens",)) in runs


def test_the_recipe_of_a_run_differs_in_what_is_compared_alone(tmp_path: Path) -> None:
    recipe = dataclasses.replace(RECIPE, held_out=0.2, evaluate_every=5, max_steps=3, seed=4)
    one, other = (derived(recipe, Run(style, 5, 25, ("programs",)), tmp_path) for style in ("direct", "forward"))
    assert (one.kind, one.seed, one.held_out, one.max_steps, one.evaluate_every) == ("sft", 5, 0.0, 0, 0)
    assert one.model.new.tokenizer == str(tmp_path / "tokenizer")
    assert dataclasses.replace(one, data=()) == dataclasses.replace(other, data=())
    assert one.data == (Data(str(tmp_path / "rows" / "direct.jsonl"), limit=25),)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"data": ()}, "one stream"),
        ({"data": (Data("small"),)}, "one stream"),
        ({"data": (Data("runs/corpus"),)}, "one stream"),
        ({"data": (Data("small:5"), Data("small:6"))}, "one stream"),
        ({"data": (Data("small:5:x"),)}, "COUNT"),
        ({"ablation": Ablation(equal=("time",))}, "time"),
        ({"ablation": Ablation(equal=())}, "nothing"),
        ({"ablation": Ablation(seeds=0)}, "at least one"),
        ({"ablation": Ablation(styles=("novel",))}, "no style 'novel'"),
    ],
)
def test_what_cannot_be_compared_is_said_at_once(change: dict[str, Any], says: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=says):
        run_ablation(dataclasses.replace(RECIPE, **change), tmp_path / "out", train=_never, score=_never)


def _never(*_: Any, **__: Any) -> Any:
    raise AssertionError("nothing may be trained")


# -- the whole, with a trainer that only notes what it was asked


class Fake:
    """Trains nothing; answers so that `forward` is right on all questions, others on every other one."""

    def __init__(self) -> None:
        self.trained: list[Recipe] = []
        self.scored: list[tuple[str, int]] = []
        self.fails_at = -1

    def train(self, recipe: Recipe, folder: Path, *, progress: Any) -> Mapping[str, Any]:
        if len(self.trained) == self.fails_at:
            raise KeyboardInterrupt
        self.trained.append(recipe)
        folder.mkdir(parents=True)
        (folder / "checkpoints").mkdir()
        rows = list(read_jsonl(Path(recipe.data[0].rows)))[: recipe.data[0].limit]
        assert len(rows) == recipe.data[0].limit
        return {"counts": {"tokens": 10 * len(rows), "answer_tokens": 5 * len(rows), "parameters": 7}, "figures": {}}

    def score(
        self, folder: Path, questions: Sequence[Sample], style: str, profile: Profile, bound: int
    ) -> list[dict[str, Any]]:
        self.scored.append((style, bound))
        return [
            {
                "id": one.id, "answer": "x" if k else None, "right": style == "forward" or k % 2 == 0, "reason": "",
                "claims": 2, "true_part": None if style == "direct" else 0.5, "first_false": None, "tokens": 3, "ended": True,
            }
            for k, one in enumerate(questions)
        ]  # fmt: skip


def test_the_whole_study(tmp_path: Path) -> None:
    fake = Fake()
    told: list[str] = []
    manifest = run_ablation(RECIPE, tmp_path / "out", progress=told.append, train=fake.train, score=fake.score)
    assert json.loads(json.dumps(manifest)) == json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert manifest["kind"] == "ablation"
    assert len(fake.trained) == manifest["counts"]["runs"] == 2 * (2 + 1 + 2)
    rows = {(row["equal"], row["style"]): row for row in manifest["table"]}
    assert list(rows) == [
        (equal, style) for equal in ("programs", "tokens") for style in ("direct", "forward", "concise")
    ]
    assert rows["programs", "forward"]["accuracy"] == 1.0
    direct = rows["tokens", "direct"]
    assert (direct["accuracy"], direct["runs"], direct["step_accuracy"]) == (0.5, 2, None)
    assert direct["interval_over_seeds"] == pytest.approx((0.5, 0.5))
    assert direct["interval_over_questions"] == pytest.approx(wilson(Q, 2 * Q))
    assert direct["unparsable"] == pytest.approx(1 / Q)
    assert direct["against"]["forward"]["difference"] == pytest.approx(-0.5)
    assert rows["programs", "concise"]["against"]["direct"]["interval"] == (0.0, 0.0)
    assert rows["programs", "concise"]["step_accuracy"] == 0.5
    assert direct["programs"] > rows["tokens", "concise"]["programs"] > N == rows["tokens", "forward"]["programs"]
    assert any("run 10 of 10, concise" in text for text in told)
    assert not list((tmp_path / "out" / "runs").glob("*/checkpoints"))
    saved = json.loads((tmp_path / "out" / "ablation.json").read_text())
    assert saved["complete"]
    assert "questions" not in saved["runs"][0]
    assert run_ablation(RECIPE, tmp_path / "out", train=_never, score=_never) == json.loads(json.dumps(manifest))


def test_all_styles_are_taught_the_same_programs_and_asked_about_others(tmp_path: Path) -> None:
    fake = Fake()
    run_ablation(RECIPE, tmp_path, train=fake.train, score=fake.score)
    rows = {
        style: [load(Sample, row, style) for row in read_jsonl(tmp_path / "rows" / f"{style}.jsonl")]
        for style in RECIPE.ablation.styles
    }
    first = [[(row.program, row.call) for row in rows[style][:N]] for style in rows]
    assert first[0] == first[1] == first[2]
    assert rows["direct"][: len(rows["concise"])] != rows["concise"]
    assert [row.program for row in rows["direct"][: len(rows["concise"])]] == [row.program for row in rows["concise"]]
    assert len({(row.program, row.call) for row in rows["direct"]}) == len(rows["direct"])
    asked = [load(Sample, row, "questions") for row in read_jsonl(tmp_path / "questions.jsonl")]
    assert len(asked) == Q
    taught = {content(row.program) for part in rows.values() for row in part if row.program is not None}
    plan = json.loads((tmp_path / "plan.json").read_text())
    assert not taught & {content(row.program) for row in asked if row.program is not None}
    most = plan["positions"]["forward"]["programs"]
    assert all(most <= plan["positions"][style]["tokens"] < most + 700 for style in rows)
    profile = load_profile()
    assert all(row.response == profile.response("", row.output) for row in rows["direct"])
    assert {profile.parse(row.response).answer for row in rows["forward"]} == {row.output for row in rows["forward"]}


def test_a_study_that_was_stopped_goes_on_and_repeats_nothing(tmp_path: Path) -> None:
    fake = Fake()
    fake.fails_at = 4
    with pytest.raises(KeyboardInterrupt):
        run_ablation(RECIPE, tmp_path, train=fake.train, score=fake.score)
    half = json.loads((tmp_path / "ablation.json").read_text())
    assert (half["complete"], half["runs_done"], half["runs_planned"]) == (False, 4, 10)
    assert {row["style"] for row in half["table"]} == {"direct", "forward", "concise"}
    page = build_page(tmp_path).read_text()
    assert "4 of 10 runs are done" in page
    (tmp_path / "report.html").unlink()
    (tmp_path / "ablation.csv").unlink()
    assert not (tmp_path / "manifest.json").exists()
    fake.fails_at = -1
    stopped = run_ablation(RECIPE, tmp_path, train=fake.train, score=fake.score)
    assert len(fake.trained) == 10
    assert not (tmp_path / "so_far.json").exists()
    whole = Fake()
    fresh = run_ablation(RECIPE, tmp_path.parent / f"{tmp_path.name}-fresh", train=whole.train, score=whole.score)
    for one in (*stopped["table"], *fresh["table"]):
        one.pop("seconds")
    assert stopped == fresh


def test_another_recipe_in_the_same_folder_is_refused(tmp_path: Path) -> None:
    fake = Fake()
    run_ablation(RECIPE, tmp_path, train=fake.train, score=fake.score)
    with pytest.raises(UsageError, match="learning_rate"):
        run_ablation(dataclasses.replace(RECIPE, learning_rate=1e-3), tmp_path, train=_never, score=_never)


def test_a_question_that_was_not_judged_counts_for_nobody() -> None:
    def result(style: str, verdicts: list[bool | None]) -> dict[str, Any]:
        judged = [one for one in verdicts if one is not None]
        questions = [{"id": str(k), "right": one} for k, one in enumerate(verdicts)]
        return {
            "style": style, "seed": 0, "programs": 5, "tokens": 1, "answer_tokens": 1, "step_accuracy": None, "unparsable": 0.0,
            "accuracy": sum(judged) / len(judged), "seconds": {"training": 1.0}, "questions": questions,
        }  # fmt: skip

    runs = [Run("direct", 0, 5, ("programs",)), Run("forward", 0, 5, ("programs",))]
    results = {runs[0].name: result("direct", [True, None, False]), runs[1].name: result("forward", [True, True, None])}
    direct, forward = table(runs, results, ["programs"])
    assert (direct["accuracy"], forward["accuracy"]) == (0.5, 1.0)
    assert direct["interval_over_seeds"] is None
    assert direct["against"]["forward"] == {
        "difference": 0.0, "interval": (0.0, 0.0), "interval_over_seeds": None
    }  # fmt: skip
    assert Chosen().programs == {}


def _note(recipe: Recipe, folder: Path, *, progress: Any) -> Mapping[str, Any]:
    """A trainer that worker processes can import."""
    import torch

    folder.mkdir(parents=True)
    return {"counts": {"tokens": os.getpid(), "answer_tokens": torch.get_num_threads()}, "figures": {}}


def _all_right(_: Path, questions: Sequence[Sample], *__: Any) -> list[dict[str, Any]]:
    return [{"id": one.id, "answer": "1", "right": True, "true_part": None} for one in questions]


@pytest.mark.slow
def test_runs_side_by_side_give_the_same_table(tmp_path: Path) -> None:
    recipe = dataclasses.replace(RECIPE, workers=2, ablation=dataclasses.replace(RECIPE.ablation, equal=("programs",)))
    told: list[str] = []
    manifest = run_ablation(recipe, tmp_path, progress=told.append, train=_note, score=_all_right)
    assert [row["accuracy"] for row in manifest["table"]] == [1.0, 1.0, 1.0]
    assert told[-1] == "6 of 6 runs done"
    saved = json.loads((tmp_path / "ablation.json").read_text())
    assert os.getpid() not in {run["tokens"] for run in saved["runs"]}
    assert {run["answer_tokens"] for run in saved["runs"]} == {max(1, len(os.sched_getaffinity(0)) // 2)}

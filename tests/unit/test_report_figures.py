"""The figures of the report: numbers on the page are those of the folder, in charts, in tables and in their CSV."""

from __future__ import annotations

import hashlib
import html
import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from semcoder.report import build_page
from semcoder.report.charts import Bar, Curve, binned, counted_bars, curves, interval_bars
from semcoder.report.html import Cell, Column, csv_text, ends, heat, share, table
from tests.unit.test_report import (
    HOSTILE_NAME,
    ablation_folder,
    csv_of,
    evaluation_folder,
    evaluation_manifest,
    kept_programs,
    make_folder,
    manifest,
    training_folder,
    training_manifest,
    wide,
)


def figure(text: str, title: str) -> str:
    """The wide drawing of a chart, by what its title holds."""
    found: list[str] = [
        part for part in re.findall("<figure.*?</figure>", wide(text), re.DOTALL) if title in html.unescape(part)
    ]
    assert len(found) == 1, title
    return found[0]


def labels(drawing: str) -> list[str]:
    return [html.unescape(words) for words in re.findall("<text[^>]*>([^<]*)</text>", drawing)]


def rects(drawing: str, kind: str) -> list[tuple[float, float]]:
    """From where to where the bars of a kind reach."""
    found = re.findall(f'<rect class="{kind}" x="([0-9.]+)" y="[0-9.]+" width="([0-9.]+)"', drawing)
    return [(float(x), float(x) + float(width)) for x, width in found]


# -- a corpus


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> str:
    return build_page(make_folder(tmp_path_factory.mktemp("figures") / "corpus")).read_text(encoding="utf-8")


def test_the_yield_tells_what_is_left_after_each_stage_and_why(corpus: str) -> None:
    drawing = figure(corpus, "Of 12,480 programs found, 9,173 are kept (73.5 %)")
    assert labels(drawing) == [
        "Found in the sources", "12,480 (100.0 %)",
        "timeout <b>", "− 261", "Worth running, by their text", "12,219 (97.9 %)",
        "duplicate", "− 511", "Neither copies nor a benchmark’s", "11,708 (93.8 %)",
        "raises on every input", "− 1,702", "not deterministic", "− 833",
        "Kept, by what they did when run", "9,173 (73.5 %)",
    ]  # fmt: skip
    (left, whole), *stages = rects(drawing, "bar-fill")
    lost = rects(drawing, "bar-loss")
    for (_, end), left_over in zip(stages, (12_219, 11_708, 9_173), strict=True):
        assert (end - left) / (whole - left) == pytest.approx(left_over / 12_480, abs=1e-3)
    assert lost[0][1] == pytest.approx(whole, abs=0.2), "what is lost is taken from what was there"
    assert lost[-1][0] == pytest.approx(stages[-1][1], abs=0.2)


def test_drops_are_all_in_the_table_with_their_stage(corpus: str) -> None:
    rows = csv_of(corpus)["drops"]
    assert {(row["Reason"], int(row["Dropped"]), row["While"]) for row in rows} == {
        (reason, lost, stage) for stage, reasons in manifest()["stages"].items() for reason, lost in reasons.items()
    }
    assert [float(row["% of found"]) for row in rows] == [100 * int(row["Dropped"]) / 12_480 for row in rows]


def test_the_heat_map_has_the_manifests_shares(corpus: str) -> None:
    groups = manifest()["constructs"]
    rows = {row["Construct"]: row for row in csv_of(corpus)["constructs"]}
    assert list(rows) == ["all programs", "for loop", "lambda <b>"]
    for name, found in groups.items():
        whole = sum(found.values())
        assert int(rows[name]["Programs run"]) == whole
        for end in ("kept", "raises on every input", "not deterministic"):
            assert float(rows[name][f"{end}, %"]) == pytest.approx(100 * found.get(end, 0) / whole)
    assert '<td class="number shade-8" data-value="100.0">100.0</td>' in corpus
    assert '<td class="number shade-0" data-value="0.0">0.0</td>' in corpus


def test_coverage_is_counted_from_the_programs(corpus: str) -> None:
    lines = [row["coverage"]["by_all"]["lines_hit"] / row["coverage"]["by_all"]["lines"] for row in kept_programs()]
    drawing = figure(corpus, "1 of 3 programs have all their lines run")
    told = dict(zip(labels(drawing)[::2], labels(drawing)[1::2], strict=True))
    assert told == {
        "all of them": "1 (33.3 %)", "90 % and more": "1 (33.3 %)", "75 to 90 %": "0 (0.0 %)", "50 to 75 %": "0 (0.0 %)",
        "under 50 %": "1 (33.3 %)",
    }  # fmt: skip
    assert f"on average {100 * sum(lines) / 3:.1f} %" in drawing
    assert "1 of 2 programs have all their branches run" in corpus, "a program without branches does not count"


def test_lengths_and_steps_are_counted(corpus: str, tmp_path: Path) -> None:
    rows = [json.loads(line) for line in (make_folder(tmp_path / "c") / "rows/00000.jsonl").read_text().splitlines()]
    told = csv_of(corpus)["rows"]
    lengths = sorted(len(row["response"]) for row in rows if row.get("fwd_mnl"))
    assert [(row["Kind"], int(row["Rows"]), int(row["Longest"])) for row in told] == [
        ("Forward monologue", len(lengths), lengths[-1]),
        ("Backward monologue", 1, len("So the call is `f(1)`.")),
    ]
    assert "Half of the cases run 8 statements or fewer" in corpus
    assert "median 8" in labels(figure(corpus, "Half of the cases run"))


def test_a_folder_of_before_has_a_page_with_what_it_has(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "corpus")
    (folder / "programs.jsonl").unlink()
    (folder / "config.json").unlink()
    doc = {key: value for key, value in manifest().items() if key not in ("stages", "constructs")}
    (folder / "manifest.json").write_text(json.dumps(doc))
    text = build_page(folder).read_text(encoding="utf-8")
    assert "constructs-title" not in text
    assert "coverage-title" not in text
    assert labels(figure(text, "Of 12,480 programs found"))[-2:] == [
        "Kept, by what they did when run",
        "9,173 (73.5 %)",
    ]
    assert {row["Reason"] for row in csv_of(text)["drops"]} == set(doc["drops"])


# -- runs


def test_a_training_run_has_the_figures_of_its_manifest(tmp_path: Path) -> None:
    text = build_page(training_folder(tmp_path / "out")).read_text(encoding="utf-8")
    found, doc = csv_of(text), training_manifest()
    counted = {row["What"]: int(row["Count"]) for row in found["counts"]}
    assert counted == {"Rows": 1200, "Kept": 1100, "Cut": 3, "Tokens": 123_456}
    figures = {row["Figure"]: row["Value"] for row in found["figures"]}
    assert figures == {"Loss first": "6.2", "Loss last": "0.25", "Held out loss": ""}
    assert {row["Reason"]: int(row["Dropped"]) for row in found["dropped"]} == doc["counts"]["dropped"]
    assert "The loss went from 6 to 0.12 in 50 steps" in text


def test_a_rewarded_run_shows_its_reward_first_and_negative_losses_whole(tmp_path: Path) -> None:
    folder = training_folder(tmp_path / "out", steps=0)
    rows = [{"step": k, "loss": -0.2 + k / 100, "reward": k / 10, "reward/answer": k / 20} for k in range(1, 5)]
    rows[-1]["held_out_reward"] = 0.3
    (folder / "log.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    text = build_page(folder).read_text(encoding="utf-8")
    assert text.index("The reward went from 0.1 to 0.4 in 4 steps") < text.index("<h3>Loss</h3>")
    assert "On held-out programs the reward was 0.3 at step 4" in text
    (points,) = re.findall('<polyline[^>]*points="([^"]*)"', figure(text, ">Loss<"))
    heights = [float(point.partition(",")[2]) for point in points.split()]
    assert all(12 <= height <= 258 for height in heights), "no line leaves its chart"
    assert heights == sorted(heights, reverse=True)


def test_an_evaluation_has_the_manifests_figures(tmp_path: Path) -> None:
    text = build_page(evaluation_folder(tmp_path / "out")).read_text(encoding="utf-8")
    found, results = csv_of(text), evaluation_manifest()["benchmarks"][0]
    rows = {row["Construct"]: row for row in found["1-constructs"]}
    assert {name: (int(row["Tasks"]), float(row["pass@1, %"])) for name, row in rows.items()} == {
        name: (part["n"], part["pass@1"]) for name, part in results["constructs"].items()
    }
    assert (rows["for loop"]["95 % interval, from"], rows["for loop"]["95 % interval, to"]) == ("33.5", "44.1")
    assert "38.7 (33.5 to 44.1)" in labels(figure(text, "pass@1 on cruxeval-o, by construct"))
    assert "all of cruxeval-o: 41.2" in labels(figure(text, "pass@1 on cruxeval-o, by construct"))
    across = {row["Construct"]: row for row in found["constructs-by-benchmark"]}
    assert (across["for loop"]["cruxeval-o, %"], across["for loop"][f"{HOSTILE_NAME}, %"]) == ("38.7", "")
    assert {row["Kind"]: int(row["Samples"]) for row in found["1-failures"]} == {
        "wrong": 4321, "sandbox (neither right nor wrong)": 123, HOSTILE_NAME: 1,
    }  # fmt: skip


def test_some_answers_of_each_verdict_are_shown(tmp_path: Path) -> None:
    folder = evaluation_folder(tmp_path / "out")
    part = folder / "cruxeval-o"
    part.mkdir()

    def write(name: str, rows: list[dict[str, Any]]) -> None:
        (part / name).write_text("".join(json.dumps(row) + "\n" for row in rows) + '{"torn')

    keys = [{"task_id": f"t{k}", "sample": 0} for k in range(40)]
    write("generations.jsonl", [{**key, "text": f"<b>said {key['task_id']}</b>" + "x" * 4000} for key in keys])
    write("scores.jsonl", [{**key, "passed": k % 4 == 0, "reason": "it gives 3"} for k, key in enumerate(keys)])
    false = {"text": "[L3] x=9", "line": 3, "actual": "x is 8"}
    write("steps.jsonl", [{**key, "first_false": false} for key in keys])
    text = build_page(folder).read_text(encoding="utf-8")
    told = re.findall(r"<summary><code>(t\d+)</code>, sample 0: (. \w+)", text)
    assert [verdict for _, verdict in told] == ["✗ wrong"] * 3 + ["✓ right"] * 3
    assert [int(task[1:]) % 4 == 0 for task, _ in told] == [False] * 3 + [True] * 3
    assert "&lt;b&gt;said" in text
    assert "1,0" in text[text.index("… ") :][:8], "what is cut is counted"
    assert "In fact: x is 8" in text


def test_a_study_draws_the_manifests_intervals(tmp_path: Path) -> None:
    text = build_page(ablation_folder(tmp_path / "out")).read_text(encoding="utf-8")
    told = labels(figure(text, "Right answers by style, at equal programs"))
    assert {"5.0 (0.0 to 10.0)", "15.0 (10.0 to 20.0)", "answering the first argument: 1.5"} <= set(told)
    rows = {row["Style"]: row for row in csv_of(text)["equal-programs"]}
    assert float(rows["forward"]["Right, %"]) == pytest.approx(15.0)
    assert float(rows["forward"]["minus direct, points"]) == pytest.approx(10.0)
    assert float(rows["forward"]["its interval, to"]) == pytest.approx(16.0)
    assert rows["direct"]["Steps true, %"] == ""


# -- charts and tables


def test_bars_are_as_long_as_their_shares_on_a_scale_that_fits() -> None:
    drawing = wide(interval_bars("t", "u", [Bar("a", 0.05), Bar("b", 0.1, (0.05, 0.18))]))
    (left, short), (_, long) = rects(drawing, "bar-fill")
    assert long - left == pytest.approx(2 * (short - left), abs=0.2)
    assert [word for word in labels(drawing) if word.endswith(" %")] == ["0 %", "5 %", "10 %", "15 %", "20 %"]
    whole = labels(wide(interval_bars("t", "u", [Bar("a", 0.81)])))
    assert "100 %" in whole


def test_logarithms_leave_out_what_has_none() -> None:
    drawing = wide(curves("t", "x", "y", [Curve("", [(0, 0.0), (1, 10.0), (2, 1.0), (3, 0.1)])], decades=True))
    (points,) = re.findall('points="([^"]*)"', drawing)
    heights = [float(point.partition(",")[2]) for point in points.split()]
    assert len(heights) == 3
    assert heights[1] - heights[0] == pytest.approx(heights[2] - heights[1], abs=0.2)
    assert curves("t", "x", "y", [Curve("", [(0, 0.0)])], decades=True) == ""


@given(st.lists(st.integers(0, 10**6), min_size=1, max_size=60), st.integers(0, 10**6))
def test_every_value_is_in_one_bar_of_a_histogram(values: list[int], most: int) -> None:
    step, counts = binned(sorted(values), most)
    assert sum(counts) == len(values)
    for place, count in enumerate(counts[:-1]):
        assert count == sum(place <= value / step < place + 1 for value in values)


@given(st.lists(st.tuples(st.integers(0, 10**6), st.floats()), max_size=30), st.booleans(), st.booleans())
def test_whatever_was_logged_stays_in_its_chart(logged: list[tuple[int, float]], whole: bool, decades: bool) -> None:
    drawing = curves("t", "x", "y", [Curve("a line", logged)], whole=whole, decades=decades)
    for points in re.findall('points="([^"]*)"', wide(drawing)):
        for point in points.split():
            x, y = map(float, point.split(","))
            assert 0 <= x <= 720
            assert 11.9 <= y <= 258.1


@given(st.lists(st.tuples(st.text(min_size=1), st.integers(0, 10**6)), min_size=1, max_size=8))
def test_no_name_in_a_chart_is_markup(pairs: list[tuple[str, int]]) -> None:
    drawing = counted_bars("<i>", "&", [Bar(name, value) for name, value in pairs], 10**6)
    assert set(re.findall("<([a-z0-9]+)", drawing)) <= {"figure", "figcaption", "h3", "p", "svg", "rect", "text"}


def test_a_csv_has_whole_numbers_and_no_formula() -> None:
    cols = [Column("name", number=False), Column("x", unit=", %"), Column("interval", ends=True), Column("y")]
    rows = [
        [Cell("=HYPERLINK(1)", ""), share(41.23456), ends((1.25, 2.5)), Cell(None, "not judged")],
        [Cell('a, "b"', ""), heat(None), ends(None), Cell(-3, "−3")],
    ]
    assert csv_text(cols, rows) == (
        'name,"x, %","interval, from","interval, to",y\n\'=HYPERLINK(1),41.23456,1.25,2.5,\n"a, ""b""",,,,-3\n'
    )


def test_a_table_shows_what_its_csv_has() -> None:
    text = table("t", "A & b", ("Name", "Value"), [("x", 1234567), ("y", None), ("z", 0.123456789)])
    assert [row["Value"] for row in csv_of(text)["t"]] == ["1234567", "", "0.123456789"]
    assert 'data-value="1234567">1,234,567<' in text
    assert ">not judged<" in text
    assert 'data-value="0.123456789">0.1235<' in text


# -- where it is from


def test_the_manifests_hash_is_on_the_page(tmp_path: Path) -> None:
    for make in (make_folder, training_folder, ablation_folder, evaluation_folder):
        folder = make(tmp_path / make.__name__)
        text = build_page(folder).read_text(encoding="utf-8")
        assert f"SHA-256 {hashlib.sha256((folder / 'manifest.json').read_bytes()).hexdigest()}" in text


def _command(text: str) -> list[str]:
    (shown,) = re.findall(r'<h3>Made again</h3>.*?<pre class="config">(.*?)</pre>', text, re.DOTALL)
    return shlex.split(html.unescape(shown).replace("\\\n", " "))


def _saved(text: str) -> str:
    return html.unescape(text.rpartition('<pre class="config" tabindex="0">')[2].partition("</pre>")[0])


def test_the_configuration_on_a_corpus_page_is_the_one_that_was_built(tmp_path: Path) -> None:
    from semcoder.pyx import BuildConfig, load_config

    config = BuildConfig(sources=("stdlib:json", "package:rich"), near_duplicates=0.8, cpu_s=2.5)
    folder = make_folder(tmp_path / "corpus")
    doc = {**manifest(), "config": config.document(), "config_hash": config.hash}
    (folder / "manifest.json").write_text(json.dumps(doc))
    text = build_page(folder).read_text(encoding="utf-8")
    assert _command(text) == ["semcoder", "build", "corpus.yaml", "--out", "DIR"]
    (tmp_path / "corpus.yaml").write_text(_saved(text), encoding="utf-8")
    assert load_config(tmp_path / "corpus.yaml").hash == config.hash
    assert config.hash in text


def test_the_recipe_on_a_training_page_is_the_one_that_was_trained(tmp_path: Path) -> None:
    from semcoder.training import load_recipe

    recipe = load_recipe("smoke")
    folder = training_folder(tmp_path / "out")
    (folder / "manifest.json").write_text(json.dumps({**training_manifest(), "recipe": recipe.document()}))
    text = build_page(folder).read_text(encoding="utf-8")
    assert _command(text) == ["semcoder", "train", "recipe.yaml", "--out", "DIR"]
    (tmp_path / "recipe.yaml").write_text(_saved(text), encoding="utf-8")
    assert load_recipe(str(tmp_path / "recipe.yaml")).document() == recipe.document()


def test_the_command_on_an_evaluations_page_asks_for_the_same(tmp_path: Path) -> None:
    import typer.main

    from semcoder.cli.app import app
    from semcoder.evaluation.config import configured

    config = configured(["cruxeval-o", "cruxeval-i"], "hf:some/model", None, "forward", n=3, temperature=0.8, limit=7)
    folder = evaluation_folder(tmp_path / "out")
    doc = {**evaluation_manifest(), "config": config.document()}
    (folder / "manifest.json").write_text(json.dumps(doc))
    words = _command(build_page(folder).read_text(encoding="utf-8"))
    command = typer.main.get_command(app).commands["eval"]  # type: ignore[attr-defined]
    given_ = command.make_context("eval", words[2:]).params
    again = configured(
        given_["benchmarks"], given_["model"], given_["profile"], given_["style"],
        **{name: given_[name] for name in ("n", "temperature", "top_p", "max_tokens", "seed", "limit")},
    )  # fmt: skip
    assert again.hash == config.hash
    assert given_["out"] == Path("DIR")

"""Every kind of report page in a real browser: nothing is fetched, tables sort by keyboard, nothing hostile runs."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from semcoder.report import build_page, stepper_shape
from tests.browsing import needs_chromium, opened
from tests.unit.test_report import (
    CASES,
    HOSTILE_NAME,
    ablation_folder,
    evaluation_folder,
    make_folder,
    told,
    training_folder,
)

pytestmark = needs_chromium

ROWS = "(name) => [...document.querySelectorAll(`a[download='${name}.csv']`)].map((a) => [...a.closest('table').tBodies[0].rows].map((r) => [...r.cells].map((c) => c.textContent)))[0]"


def refinement_folder(folder: Path) -> Path:
    def point(percent: float, gained: int) -> dict[str, Any]:
        kinds = {"better": gained, "same": 2} if gained else None
        ends = [percent - 5, percent + 5]
        return {"pass@1": percent, "interval": ends, "n": 20, "unjudged": 0, "replies": 9, "gained": gained, "lost": 0, "kinds": kinds}  # fmt: skip

    folder.mkdir(parents=True)
    manifest = {
        "kind": "refinement", "hash": "0123456789abcdef", "versions": {"semcoder": "0.1.0"}, "data": {"humaneval": "00ff"},
        "config": {"benchmark": "humaneval", "rounds": 2, "model": HOSTILE_NAME, "mode": "shown"},
        "results": {
            "benchmark": "humaneval", "mode": "shown", "explain": False, "model": HOSTILE_NAME,
            "curve": [point(10.0, 0), point(30.0, 4), point(35.0, 1)], "ends": {"solved": 7, "rounds": 13},
            "solved_in": {"1": 5}, "tasks": 20, "samples": 20, "tasks_with_tests": 18,
        },
    }  # fmt: skip
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder


KINDS: dict[str, tuple[Callable[[Path], Path], str, int]] = {
    "corpus": (make_folder, "drops", 1),
    "training": (training_folder, "counts", 1),
    "ablation": (ablation_folder, "equal-programs", 1),
    "evaluation": (evaluation_folder, "1-constructs", 1),
    "refinement": (refinement_folder, "rounds", 6),
}
#: Two kinds, of samples and of tables alone, stand for the rest where time is short.
SOME = [kind if kind in {"corpus", "evaluation"} else pytest.param(kind, marks=pytest.mark.slow) for kind in KINDS]


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("pages")
    return {kind: build_page(make(folder / kind)) for kind, (make, _, _) in KINDS.items()}


@pytest.mark.parametrize("kind", SOME)
def test_a_page_loads_alone_and_without_complaint(kind: str, pages: dict[str, Path], browser: Any) -> None:
    for dark in (False, True):
        with opened(browser, pages[kind].as_uri(), color_scheme="dark" if dark else "light") as window:
            assert window.run("document.querySelectorAll('thead button').length") > 3
            assert window.run("document.querySelectorAll('main b, main img').length") == 0
            assert window.requests == [pages[kind].as_uri()]
            assert window.complaints == []


@pytest.mark.parametrize("kind", SOME)
@pytest.mark.parametrize("width", [360, *(pytest.param(width, marks=pytest.mark.slow) for width in (900, 1280))])
def test_nothing_is_wider_than_the_window(kind: str, width: int, pages: dict[str, Path], browser: Any) -> None:
    with opened(browser, pages[kind].as_uri(), width) as window:
        for k in range(1, len(CASES) + 1 if kind == "corpus" else 1):
            _show(window, k)
        window.run("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
        assert window.run("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0
        shown = window.run("[...document.querySelectorAll('svg[role=img]')].filter((s) => s.checkVisibility()).length")
        assert shown == window.run("document.querySelectorAll('figure').length") > 0


@pytest.mark.parametrize("kind", SOME)
def test_tables_sort_by_keyboard_and_come_back(kind: str, pages: dict[str, Path], browser: Any) -> None:
    _, name, column = KINDS[kind]
    with opened(browser, pages[kind].as_uri()) as window:
        before = window.page.evaluate(ROWS, name)
        assert len(before) > 1
        head = f"table:has(a[download='{name}.csv']) thead th"
        window.run(f"document.querySelectorAll(\"{head}\")[{column}].querySelector('button').focus()")

        def pressed(key: str) -> tuple[list[float], str | None]:
            window.press(key)
            values = window.run(
                f"[...document.querySelectorAll(\"table:has(a[download='{name}.csv']) tbody tr\")]"
                f".map((r) => r.cells[{column}].dataset.value).filter((v) => v !== undefined).map(Number)"
            )
            return values, window.run(f'document.querySelectorAll("{head}")[{column}].getAttribute("aria-sort")')

        down, up, back = pressed("Enter"), pressed("Space"), pressed("Enter")
        assert down == (sorted(down[0], reverse=True), "descending")
        assert up == (sorted(down[0]), "ascending")
        assert back[1] is None
        assert window.page.evaluate(ROWS, name) == before


def test_numbers_sort_as_numbers_and_what_is_not_judged_stays_last(tmp_path: Path, browser: Any) -> None:
    page = build_page(evaluation_folder(tmp_path / "out"))
    with opened(browser, page.as_uri()) as window:
        button = window.page.locator("table:has(a[download='scores.csv']) thead button").nth(2)

        def shown() -> list[str]:
            return [row[2] for row in window.page.evaluate(ROWS, "scores")]

        button.click()
        judged = [float(cell) for cell in shown() if cell != "not judged"]
        assert judged == sorted(judged, reverse=True)
        assert shown()[len(judged) :] == ["not judged"] * (len(shown()) - len(judged))
        button.click()
        assert [float(cell) for cell in shown() if cell != "not judged"] == sorted(judged)
        assert shown()[-1] == "not judged"


def test_a_csv_link_saves_the_table(pages: dict[str, Path], browser: Any, tmp_path: Path) -> None:
    with opened(browser, pages["corpus"].as_uri()) as window:
        with window.page.expect_download() as waiting:
            window.page.locator("a[download='drops.csv']").click()
        waiting.value.save_as(tmp_path / "drops.csv")
    with (tmp_path / "drops.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["Reason"]: int(row["Dropped"]) for row in rows} == {
        "raises on every input": 1702, "not deterministic": 833, "duplicate": 511, "timeout <b>": 261,
    }  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_a_page_without_scripts_still_reads(kind: str, pages: dict[str, Path], browser: Any) -> None:
    with opened(browser, pages[kind].as_uri(), java_script_enabled=False) as window:
        assert window.page.locator("table.figures tbody tr").count() > 5
        assert window.page.locator("thead button").count() == 0
        assert window.page.locator("figure svg.wide").first.is_visible()


# -- the samples


_STATE = """(() => { const s = document.querySelector('#sample-1 .stepper'); const text = (q) =>
  [...s.querySelectorAll(q)].map((e) => e.textContent); return { status: text('.status')[0],
  line: text('.code li[aria-current] .number'), arrow: text('.code li[aria-current] .arrow'),
  sentence: text('.sentences li[aria-current] .said'), names: text('.variables th[scope=row]'),
  marks: text('.variables td.sign'), slider: s.querySelector('input').value }; })()"""


def _show(window: Any, sample: int) -> None:
    """Scroll to a sample and wait until it is drawn."""
    window.run(f"document.querySelector('#sample-{sample}').scrollIntoView({{ behavior: 'instant' }})")
    window.page.wait_for_selector(f"#sample-{sample} .stepper")


@pytest.mark.slow
def test_the_keyboard_alone_walks_a_run(pages: dict[str, Path], browser: Any) -> None:
    steps = stepper_shape(*told("loop"))["steps"]
    with opened(browser, pages["corpus"].as_uri()) as window:
        state = window.run(_STATE)
        assert state["status"].startswith(f"Step 1 of {len(steps)}: line 1, in runs, a call begins")
        assert (state["line"], state["arrow"], state["names"], state["marks"]) == (["1"], ["▶"], ["items"], ["+new"])

        _show(window, 1)
        window.press("ArrowRight")  # nothing has the focus: the sample in view moves
        assert window.run(_STATE)["slider"] == "1"
        for focus in ("input[type=range]", ".code", ".monologue", "button.sentence"):
            window.run(f"document.querySelector('#sample-1 {focus}').focus()")
            before = int(window.run(_STATE)["slider"])
            for key in ("ArrowRight", "ArrowRight", "ArrowLeft"):
                window.press(key)
            state = window.run(_STATE)
            assert int(state["slider"]) == before + 1, focus
            assert state["line"] == [str(steps[before + 1]["lines"][0])]
            assert state["sentence"][0].startswith(f"Line {steps[before + 1]['lines'][0]}")
        window.press("End")
        assert window.run(_STATE)["status"].startswith(f"Step {len(steps)} of")
        window.press("ArrowRight")
        assert int(window.run(_STATE)["slider"]) == len(steps) - 1
        changed = next(k for k, s in enumerate(steps) if any(c["old"] for c in s["changes"]))
        window.run(f"document.querySelectorAll('#sample-1 button.sentence')[{changed}].focus()")
        window.press("Enter")
        state = window.run(_STATE)
        assert int(state["slider"]) == changed
        assert "●changed" in state["marks"]


@pytest.mark.slow
def test_nothing_hostile_runs_and_nothing_is_fetched(pages: dict[str, Path], browser: Any) -> None:
    with opened(browser, pages["corpus"].as_uri()) as window:
        for k in range(1, len(CASES) + 1):
            _show(window, k)
            step_through = f"document.querySelectorAll('#sample-{k} .buttons button')[2]"
            window.run(f"for (let i = 0; i < 60; i++) {step_through}.click()")
        assert window.run("document.querySelectorAll('.stepper').length") == len(CASES)
        doubt = window.run("document.querySelector('#sample-2 .doubts .false').textContent")
        assert "hanoi returns 2" in doubt
        assert "In fact: hanoi returns 1" in doubt
        assert window.page.title() == "SemCoder corpus report"
        assert window.run("document.querySelectorAll('article img, article b, article script').length") == 0
        shown = window.run("document.querySelector('#sample-4').textContent")
        assert "</script>" in shown
        assert "\\u001b[31m" in shown, "a control character is shown as an escape"
        assert window.requests == [pages["corpus"].as_uri()]
        assert window.complaints == []


@pytest.mark.slow
def test_the_current_line_and_sentence_are_in_sight(pages: dict[str, Path], browser: Any) -> None:
    outside = """(() => [...document.querySelectorAll('#sample-3 [aria-current=step]')].filter((e) => {
      const pane = e.closest('.code, .monologue').getBoundingClientRect(); const box = e.getBoundingClientRect();
      return box.top < pane.top - 1 || box.top > pane.bottom; }).length)()"""
    with opened(browser, pages["corpus"].as_uri(), 375, 500) as window:
        _show(window, 3)  # its first step is in the second half of the source
        window.run("new Promise((done) => requestAnimationFrame(() => setTimeout(done, 50)))")
        assert window.run(outside) == 0
        for _ in range(len(stepper_shape(*told("classes"))["steps"])):
            window.run("document.querySelectorAll('#sample-3 .buttons button')[2].click()")
            assert window.run(outside) == 0
        assert window.run("document.querySelectorAll('#sample-3 [aria-current=step]').length") == 2

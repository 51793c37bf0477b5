"""The page in headless Chromium: typing, walking with the keyboard alone, false claims crossed, hostile programs, search.

After every visit: no complaint on the console, and no request to anywhere else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

import semcoder
from tests.browsing import chromium, needs_chromium
from tests.servers import Scripted, said
from tests.web import ENDLESS, EXAMPLES, SUM, build_folder, page

pytestmark = needs_chromium
#: Milliseconds that a busy machine may take; nothing is said of how fast the page is.
PATIENCE = 120_000

Visit = Callable[..., Any]


def wrong_text() -> str:
    """What a model says that slips once."""
    told = semcoder.explain(SUM, "total([1, 2])").text.replace("from `1` to `3`", "from `1` to `4`")
    return f"[MONOLOGUE]\n{told}\n[/MONOLOGUE]\n[ANSWER]assert total([1, 2]) == 4"


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = build_folder(tmp_path_factory.mktemp("web") / "corpus")
    with Scripted(said(wrong_text())) as model, page(corpora=(folder,), model=f"openai:m@{model.url}") as address:
        yield address


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as running:
        yield running


@pytest.fixture
def visit(base: str, browser: Any) -> Iterator[Visit]:
    """Opens a window at an address of the page."""
    contexts: list[Any] = []
    complaints: list[str] = []
    requests: list[str] = []

    def opened(where: str = "", width: int = 1280, **options: Any) -> Any:
        contexts.append(browser.new_context(viewport={"width": width, "height": 900}, **options))
        window = contexts[-1].new_page()
        window.set_default_timeout(PATIENCE)
        window.on("request", lambda request: requests.append(request.url))
        window.on("console", lambda told: complaints.append(told.text))
        window.on("pageerror", lambda error: complaints.append(str(error)))
        window.goto(base + where)
        return window

    yield opened
    for context in contexts:
        context.close()
    # An answer that is an error is no fault of the page, but Chromium notes it.
    assert [said for said in complaints if "Failed to load resource" not in said] == []
    assert [url for url in requests if not url.startswith(base)] == []


def status(window: Any, tab: str = "step") -> str:
    told: str = window.locator(f"#{tab}-result .status").inner_text()
    return told


def write(window: Any, source: str, call: str) -> None:
    """One's own program in place of the example."""
    window.select_option("#example", "own")
    window.fill("#source", source)
    window.fill("#call", call)


@contextmanager
def answered(window: Any, path: str) -> Iterator[None]:
    with window.expect_response(lambda response: response.url.endswith(path)):
        yield


def test_a_first_visit_shows_a_run_that_the_keyboard_walks(visit: Visit) -> None:
    window = visit()
    window.wait_for_selector("#step-result .stepper")
    assert status(window).startswith("Step 1 of 19: line 1")
    for key, told in (
        ("ArrowRight", "Step 2 of 19"),
        ("End", "Step 19 of 19"),
        ("ArrowLeft", "Step 18 of 19"),
        ("Home", "Step 1 of 19"),
        ("Shift+ArrowRight", "Step 4 of 19: line 3, in settle, iteration 1"),
        ("Shift+ArrowRight", "Step 8 of 19: line 3, in settle, iteration 2"),
        ("Shift+ArrowLeft", "Step 4 of 19: line 3, in settle, iteration 1"),
    ):
        window.keyboard.press(key)
        assert status(window).startswith(told), key
    window.keyboard.press("ArrowRight")
    lit = window.locator("#step-result .code [aria-current]").inner_text()
    assert lit.split() == ["▶", "4", "balance", "+=", "move"]
    changed = window.locator("#step-result .variables tr.changed").inner_text()
    assert "balance" in changed
    assert "20" in changed, "what it was"
    assert "goes from 20 to 5" in window.locator("#step-result .sentences [aria-current]").inner_text()
    assert window.locator("#step-result .loop-at").inner_text() == "1 of 4"
    window.locator("#step-result .lap").nth(2).click()
    assert status(window).endswith("iteration 3")


def test_values_of_pieces_are_shown_on_demand(visit: Visit) -> None:
    window = visit("#step/meetings")
    window.wait_for_selector("#step-result .stepper")
    for _ in range(6):
        window.keyboard.press("ArrowRight")
    window.locator("#step-result .piece").nth(1).hover()
    pointed = window.locator("#step-result .bubble").inner_text()
    assert pointed.startswith("→ ")
    window.get_by_role("button", name="host + gap", exact=True).focus()
    assert window.locator("#step-result .bubble").inner_text() == "→ 1"
    assert window.locator("#step-result .piece.chosen").inner_text() == "host + gap"
    window.keyboard.press("ArrowRight")
    assert window.locator("#step-result .bubble").count() == 0


def test_a_program_is_typed_and_run_without_a_mouse(visit: Visit) -> None:
    window = visit("#step/balance")
    window.wait_for_selector("#step-result .stepper")
    window.select_option("#example", "own")
    window.keyboard.type("def twice(n):\nresult = n * 2\nreturn result")  # the editor indents
    assert window.input_value("#source") == "def twice(n):\n    result = n * 2\n    return result"
    window.keyboard.press("Enter")
    window.keyboard.press("Tab")
    assert window.input_value("#source").endswith("result\n        "), "Tab indents"
    window.keyboard.press("Escape")
    window.keyboard.press("Tab")
    assert window.evaluate("document.activeElement.id") != "source", "the editor is no trap"
    window.fill("#call", "twice(21)")
    with answered(window, "/api/trace"):
        window.keyboard.press("Enter")
    window.wait_for_selector("#step-result .outcome:has-text('42')")
    assert window.locator("#panel").is_hidden()
    assert "twice" not in window.url


def test_what_is_wrong_is_said_where_it_is_wrong(visit: Visit) -> None:
    window = visit("#step/balance")
    write(window, "def f(n):\n    return n +\n", "f(1)")
    window.press("#call", "Enter")
    window.wait_for_selector("#step-problem :text('syntax error at line 2')")
    assert window.evaluate("document.activeElement.id") == "source"
    assert window.evaluate("getSelection().toString()") == "    return n +"
    window.fill("#source", "def f(n):\n    return n + 1\n")
    window.fill("#call", "g(1)")
    window.press("#call", "Enter")
    window.wait_for_selector("#step-problem :text(\"defines no 'g'\")")
    assert window.locator("#call").get_attribute("aria-invalid") == "true"
    window.fill("#call", "f(1)")
    window.press("#call", "Enter")
    window.wait_for_selector("#step-result .outcome:has-text('2')")
    assert window.locator("#step-problem").inner_text() == ""


def test_an_endless_loop_is_survived_and_shown(visit: Visit) -> None:
    window = visit("#step/balance")
    write(window, ENDLESS, "climb(10)")
    window.press("#call", "Enter")
    window.wait_for_selector("#step-result :text('was stopped')")
    assert window.locator("#step-result .warning").inner_text().startswith("Shown are the first 1,000 of ")
    window.keyboard.press("Escape")
    window.select_option("#example", "nesting")
    window.wait_for_selector("#step-result .stepper[aria-label*=deepest]")


def test_a_false_claim_is_crossed_with_what_was_true(visit: Visit) -> None:
    window = visit("#say/balance")
    window.select_option("#say-by", "text")
    window.click("#say-form .go")
    window.wait_for_selector("#say-result .first-false")
    wrong = window.locator("#say-result .first-false")
    told = wrong.inner_text()
    assert "✗ " in window.locator("#say-result .headline").inner_text()
    assert "false: balance goes from 5 to 25" in told
    assert "In fact: balance goes from 5 to 35" in told
    assert wrong.get_attribute("aria-current") == "step", "it is lit"
    pane = window.locator("#say-result .monologue").bounding_box()
    box = wrong.bounding_box()
    assert pane["y"] - 1 <= box["y"] <= pane["y"] + pane["height"], "and scrolled to"
    assert status(window, "say").startswith("Step 9 of 19: line 4")


def test_a_models_text_is_judged_claim_by_claim(visit: Visit) -> None:
    window = visit("#say/balance")
    write(window, SUM, "total([1, 2])")
    window.select_option("#say-by", "model")
    window.click("#say-form .go")
    window.wait_for_selector("#say-result .verdict")
    assert "is wrong" in window.locator("#say-result .headline").inner_text()
    assert "In truth the call gives 3." in window.locator("#say-result .verdict").inner_text()
    assert "In fact: result goes from 1 to 3" in window.locator("#say-result .first-false").inner_text()
    window.select_option("#example", "nesting")
    assert window.locator("#say-result").inner_text() == "", "what is of another program is gone"


def test_a_monologue_goes_backward(visit: Visit) -> None:
    window = visit("#say/balance")
    window.select_option("#say-direction", "backward")
    window.click("#say-form .go")
    window.wait_for_selector("#say-result .told .sentences")
    assert "must be" in window.locator("#say-result .told").inner_text()
    assert window.locator("#say-result .told .mark.false").count() == 0


def test_a_wrong_call_is_debugged(visit: Visit) -> None:
    window = visit("#debug")
    window.wait_for_selector("#debug-result .duck")
    assert "Look at program.best_stretch first" in window.locator("#debug-result .duck").inner_text()
    assert status(window, "debug").startswith("Step 9 of 16: line 4")
    window.keyboard.press("Home")
    window.click("#first-wrong")
    assert status(window, "debug").startswith("Step 9 of 16: line 4")
    window.fill("#debug-expect", "14")
    window.press("#debug-expect", "Enter")
    window.wait_for_selector("#debug-result .verdict.right")


def test_a_corpus_is_searched_and_its_programs_walked(visit: Visit) -> None:
    window = visit("#corpus")
    window.wait_for_selector("#corpus-result .rows")
    assert "27 rows found" in window.locator("#corpus-result").inner_text()
    window.fill("#corpus-search", "onerror")
    window.wait_for_selector("#corpus-result :text('1 row found')")
    window.click("#corpus-result .rows a")
    window.wait_for_selector("#corpus-result .listing")
    assert window.title() != "owned"
    assert window.locator("#corpus-result img").count() == 0, "hostile text stays text"
    assert "<img src=x" in window.locator("#corpus-result .listing").inner_text()
    window.goto(window.url.partition("#")[0] + "#corpus")
    window.fill("#corpus-search", "total([1, 2])")
    window.wait_for_selector("#corpus-result :text('26 rows found')")
    window.click("#corpus-result .rows a")
    window.get_by_role("button", name="Run it and check each claim").first.click()
    window.wait_for_selector("#corpus-result .stepper")
    window.get_by_role("button", name="Walk total([1, 2])").first.click()
    window.wait_for_selector("#step-result .outcome:has-text('3')")
    window.goto(window.url.partition("#")[0] + "#corpus/0/drops")
    window.get_by_role("button", name="touches files").click()
    window.wait_for_selector("#corpus-result :text('b.py:1')")


def test_the_address_leads_back_and_holds_no_code(visit: Visit, base: str) -> None:
    window = visit("#step/tally")
    window.wait_for_selector("#step-result .stepper[aria-label*=tally]")
    window.click("text=Say it")
    window.wait_for_selector("#say-result .stepper[aria-label*=tally]")
    assert window.url == f"{base}#say/tally"
    write(window, SUM, "total([5])")
    window.press("#call", "Enter")
    window.wait_for_selector("#say-result .stepper[aria-label*=total]")
    assert "total" not in window.url
    window.click("text=Step through")
    window.wait_for_selector("#step-result .stepper[aria-label*=total]")


@pytest.mark.parametrize("where", ["#step/meetings", "#say/balance", "#debug/shelves", "#corpus", "#corpus/0/drops"])
def test_a_telephone_needs_no_scrolling_sideways(visit: Visit, where: str) -> None:
    window = visit(where, width=360)
    tab = where[1:].partition("/")[0]
    window.wait_for_selector(f"#{tab}-result .stepper, #{tab}-result .rows")
    if tab != "corpus":
        window.click("#edit")
    assert window.evaluate("document.documentElement.scrollWidth") <= 360
    outside = "[...document.querySelectorAll('button, select, input')].filter((e) => e.offsetParent && e.getBoundingClientRect().right > 361).length"
    assert window.evaluate(outside) == 0


def test_every_field_has_a_name_and_every_example_its_run(visit: Visit) -> None:
    window = visit()
    window.wait_for_selector("#step-result .stepper")
    nameless = "[...document.querySelectorAll('input, select, textarea, button')].filter((e) => !(e.labels?.length || e.ariaLabel || e.textContent.trim())).map((e) => e.outerHTML)"
    assert window.evaluate(nameless) == []
    for example in EXAMPLES[1:5]:
        window.select_option("#example", example["id"])
        name = example["call"].partition("(")[0]
        window.wait_for_selector(f"#step-result .stepper[aria-label*={name}]")
        assert window.locator("#step-result .mark.false").count() == 0

"""The page in headless Chromium: typing, walking with the keyboard alone, false claims crossed, hostile programs, search.

After every visit: no complaint on the console, and no request to anywhere else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest

import semcoder
from tests.browsing import Opened, needs_chromium, opened
from tests.servers import Scripted, said
from tests.web import ENDLESS, EXAMPLES, SUM, build_folder, page

pytestmark = needs_chromium

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


@pytest.fixture
def visit(base: str, browser: Any) -> Iterator[Visit]:
    """Opens a window at an address of the page; options as of `opened`."""
    windows: list[Opened] = []
    with ExitStack() as stack:

        def go(where: str = "", **options: Any) -> Any:
            windows.append(stack.enter_context(opened(browser, base + where, **options)))
            return windows[-1].page

        yield go
    # An answer that is an error is no fault of the page, but Chromium notes it.
    assert [said for each in windows for said in each.complaints if "Failed to load resource" not in said] == []
    assert [url for each in windows for url in each.requests if not url.startswith(base)] == []


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


@pytest.mark.slow
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


@pytest.mark.slow
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


@pytest.mark.slow
def test_a_models_text_is_judged_claim_by_claim(visit: Visit) -> None:
    window = visit("#say/balance")
    write(window, SUM, "total([1, 2])")
    window.select_option("#say-by", "model")
    window.click("#say-form .go")
    window.wait_for_selector("#say-result .verdict")
    assert "is wrong" in window.locator("#say-result .headline").inner_text()
    assert "In truth the call gives 3." in window.locator("#say-result .verdict").inner_text()
    assert "In fact: result goes from 1 to 3" in window.locator("#say-result .first-false").inner_text()
    window.select_option("#say-by", "text")
    assert window.locator("#say-result").inner_text() == "", "what somebody else said is gone"
    window.fill("#say-text", "It returns `4`.")
    window.press("#say-text", "Control+Enter")
    window.wait_for_selector("#say-result .verdict.wrong")
    window.fill("#say-text", "It returns `3`.")
    assert window.locator("#say-result").inner_text() == "", "what was said of another text is gone"
    window.press("#say-text", "Control+Enter")
    window.wait_for_selector("#say-result .verdict.right")
    window.select_option("#example", "nesting")
    assert window.locator("#say-result").inner_text() == "", "what is of another program is gone"


@pytest.mark.slow
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


@pytest.mark.slow
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


@pytest.mark.parametrize(
    "where",
    [
        "#step/meetings",
        "#corpus",
        *(pytest.param(each, marks=pytest.mark.slow) for each in ("#say/balance", "#debug/shelves", "#corpus/0/drops")),
    ],
)
def test_a_telephone_needs_no_scrolling_sideways(visit: Visit, where: str) -> None:
    window = visit(where, width=360)
    tab = where[1:].partition("/")[0]
    window.wait_for_selector(f"#{tab}-result .stepper, #{tab}-result .rows")
    if tab != "corpus":
        window.click("#edit")
    assert window.evaluate("document.documentElement.scrollWidth") <= 360
    outside = "[...document.querySelectorAll('button, select, input')].filter((e) => e.offsetParent && e.getBoundingClientRect().right > 361).length"
    assert window.evaluate(outside) == 0


@pytest.mark.slow
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


def changed(about: Callable[[Any], None]) -> Callable[[Any], None]:
    """A route: the server's answer with a change."""

    def answer(route: Any) -> None:
        response = route.fetch()
        doc = response.json()
        about(doc)
        route.fulfill(response=response, json=doc)

    return answer


def focused(window: Any) -> str:
    name: str = window.evaluate("document.activeElement.id || document.activeElement.className")
    return name


@pytest.mark.slow
def test_an_answer_that_comes_late_closes_nothing(visit: Visit) -> None:
    held: list[Any] = []
    window = visit("#step/balance", routes={"**/api/trace": lambda route: held.insert(0, route)})
    window.select_option("#example", "own")
    window.keyboard.type("def f(n):")
    held.pop().continue_()
    window.wait_for_selector("#step-result .stepper")
    assert focused(window) == "source"
    window.keyboard.type("\nreturn n")
    assert window.input_value("#source") == "def f(n):\n    return n"
    window.fill("#call", "g(1)")
    window.press("#call", "Enter")
    window.fill("#call", "f(1)")
    window.focus("#source")
    held.pop().continue_()
    window.wait_for_selector("#step-problem :text(\"defines no 'g'\")")
    assert focused(window) == "source", "nor does a problem move the caret"


@pytest.mark.slow
def test_focus_goes_from_the_panel_to_the_result(visit: Visit) -> None:
    window = visit("#step/balance")
    window.wait_for_selector("#step-result .stepper")
    write(window, SUM, "total([1, 2])")
    window.press("#call", "Enter")
    window.wait_for_selector("#step-result .stepper[aria-label*=total]")
    assert focused(window) == "stepper"
    assert window.locator("#announced").inner_text() == "The run returned 3."
    window.keyboard.press("ArrowRight")
    assert status(window).startswith("Step 2 of")


@pytest.mark.slow
def test_beside_step_it_is_the_call_that_counts(visit: Visit) -> None:
    window = visit("#step/balance")
    write(window, SUM + "print(input())\n", "total([1, 2])")
    window.select_option("#way", "stdin")
    window.fill("#stdin", "seven")
    window.click("#step-form .go")
    window.wait_for_selector("#step-result .outcome:has-text('came to its end')")
    assert window.locator("#shown").inner_text() == "the whole program"
    window.click("#edit")
    window.fill("#source", SUM)
    window.click("[data-tab=say]")
    window.wait_for_selector("#say-result .stepper[aria-label*=total]")
    assert window.locator("#shown").inner_text() == "total([1, 2])"
    window.click("#edit")
    assert [window.locator(f"#{name}-field").is_visible() for name in ("way", "call", "stdin")] == [False, True, False]
    window.click("[data-tab=debug]")
    window.fill("#debug-expect", "3")
    window.press("#debug-expect", "Enter")
    window.wait_for_selector("#debug-result .verdict.right")
    window.click("[data-tab=step]")
    window.wait_for_selector("#step:visible")
    window.click("#edit")
    assert [window.locator(f"#{name}-field").is_visible() for name in ("way", "call", "stdin")] == [True, False, True]


@pytest.mark.slow
def test_a_page_that_cannot_start_says_so(visit: Visit) -> None:
    window = visit(routes={"**/api/about": lambda route: route.abort()})
    window.wait_for_selector("#trouble :text('the server does not answer')")


@pytest.mark.slow
@pytest.mark.parametrize("where", ["#%", "#step/%E0%A4%A", "#nowhere"])
def test_an_address_that_names_nothing_leads_to_the_start(visit: Visit, where: str) -> None:
    visit(where).wait_for_selector("#step-result .stepper[aria-label*=settle]")


@pytest.mark.slow
def test_drops_that_cannot_be_read_are_a_line(visit: Visit) -> None:
    window = visit("#corpus/0/drops")
    window.wait_for_selector("#corpus-result .reasons")
    window.route("**/drops?*", lambda route: route.abort())
    window.get_by_role("button", name="too short").click()
    window.wait_for_selector("#corpus-problem :text('does not answer')")


@pytest.mark.slow
def test_a_folders_summary_is_as_new_as_its_rows(visit: Visit) -> None:
    times = iter(range(100))
    grown = changed(lambda summary: summary.update(rows=summary["rows"] + next(times)))
    window = visit("#corpus", routes={"**/api/corpus/0": grown})
    window.wait_for_selector("#corpus-result :text('27 rows of')")
    window.click("[data-tab=step]")
    window.wait_for_selector("#step-result .stepper")
    window.click("[data-tab=corpus]")
    window.wait_for_selector("#corpus-result :text('28 rows of')")


@pytest.mark.slow
@pytest.mark.parametrize(("more", "said"), [(0, 0), (300, 1)])
def test_a_program_with_too_many_rows_says_so(visit: Visit, more: int, said: int) -> None:
    capped = changed(lambda program: program.update(total=len(program["rows"]) + more))
    window = visit("#corpus", routes={"**/programs/*": capped})
    window.click("#corpus-result .rows a")
    window.wait_for_selector("#corpus-result .listing")
    assert window.locator("#corpus-result :text('Shown are the first')").count() == said


@pytest.mark.slow
def test_a_patch_is_asked_for_what_is_shown(visit: Visit) -> None:
    answer = {"passes": True, "diff": "+x", "cause": "c", "source": SUM, "rounds": 1, "refused": []}
    window = visit("#debug/stretch", routes={"**/api/repair": lambda route: route.fulfill(json=answer)})
    window.wait_for_selector("#debug-result .duck")
    call = window.input_value("#call")
    window.fill("#debug-expect", "20")
    window.click("#edit")
    window.fill("#call", "best_stretch([], 1)")
    with window.expect_request("**/api/repair") as asked:
        window.get_by_role("button", name="for a patch").click()
    assert (asked.value.post_data_json["call"], asked.value.post_data_json["expect"]) == (call, "19")
    window.get_by_role("button", name="Use the patched program").click()
    assert (window.input_value("#call"), window.input_value("#debug-expect")) == (call, "19")
    window.wait_for_selector("#debug-problem p")


@pytest.mark.slow
@pytest.mark.parametrize("local", [False, True])
def test_a_model_elsewhere_is_said_to_be_elsewhere(visit: Visit, local: bool) -> None:
    told = changed(lambda about: about["model"].update(local=local))
    window = visit("#debug/stretch", routes={"**/api/about": told})
    window.wait_for_selector("#debug-result .duck")
    said = "sent to the model’s server"
    assert [said in window.locator(place).inner_text() for place in ("#foot", "#debug-result .duck")] == [not local] * 2
    window.click("[data-tab=say]")
    window.select_option("#say-by", "model")
    assert (said in window.locator("#say-model").inner_text()) is not local

"""The page's interface, over real HTTP: each endpoint with what is good, bad and hostile, and many visitors at once."""

from __future__ import annotations

import importlib.util
import json
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

import semcoder
from semcoder.errors import UsageError
from semcoder.web.gate import Gate
from semcoder.web.guard import HEADERS
from semcoder.web.serving import bound
from semcoder.web.talker import Talker, card_of
from semcoder.web.work import Work
from tests.browsing import WRITERS
from tests.servers import Scripted, said
from tests.web import ENDLESS, EXAMPLES, SUM, build_folder, lines, page, post


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = build_folder(tmp_path_factory.mktemp("web") / "corpus")
    with page(corpora=(folder,)) as address:
        yield address


def clear(response: httpx.Response, status: int) -> dict[str, Any]:
    """The document of an error: one line, no traceback."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/json"
    doc: dict[str, Any] = response.json()
    assert doc["error"].strip()
    assert "\n" not in doc["error"]
    assert "Traceback" not in response.text
    assert "--" not in doc["error"], "an option of the command line is no help on a page"
    return doc


# -- step through


def test_a_run_comes_as_steps_with_a_checked_text(base: str) -> None:
    found = post(base, "trace", {"source": SUM, "call": "total([1, 2])"}).json()
    shape = found["stepper"]
    assert shape["outcome"]["value"] == "3"
    assert shape["monologue"]["claims"]["false"] == 0 < shape["monologue"]["claims"]["true"]
    assert [len(loop["iterations"]) for loop in shape["loops"]] == [2]
    assert found["notes"] == []
    assert found["first_false"] is None
    finer = post(
        base, "trace", {"source": "def f(n):\n    return (n + 1) * 2\n", "call": "f(1)", "detail": "expression"}
    ).json()
    assert [e["at"] for e in finer["stepper"]["steps"][1]["expressions"]] == [[2, 12, 2, 17], [2, 11, 2, 22]]


def test_a_whole_program_reads_its_input(base: str) -> None:
    found = post(base, "trace", {"source": "n = int(input())\nprint(n + 1)\n", "stdin": "41\n"}).json()
    assert "".join(step["printed"] for step in found["stepper"]["steps"]) == "42\n"
    assert found["stepper"]["monologue"]["claims"] == {"true": 9, "false": 0, "unjudged": 0}


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example["id"])
def test_every_example_does_what_it_says(base: str, example: dict[str, Any]) -> None:
    asked = {"source": example["source"], "call": example["call"]}
    found = post(base, "debug", {**asked, "expect": example["expect"]}).json()
    assert found["passes"] == (not example.get("bug") and example["id"] != "climb")
    assert found["stepper"]["monologue"]["claims"]["false"] == 0
    back = post(base, "explain", {"source": example["source"], "output": example["output"]})
    assert back.status_code == 200, back.text


# -- programs that do not let themselves be told

BAD: dict[str, tuple[dict[str, Any], int, str, dict[str, Any]]] = {
    "a syntax error": ({"source": "def f(:\n", "call": "f()"}, 400, "syntax error at line 1", {"field": "source", "line": 1}),
    "no call": ({"source": SUM, "call": "total([1"}, 400, "not a Python expression", {"field": "call"}),
    "another function": ({"source": SUM, "call": "sum_up([1])"}, 400, "defines no 'sum_up'", {"field": "call"}),
    "an empty program": ({"source": "", "call": "f()"}, 400, "the program is missing", {"field": "source"}),
    "an empty call": ({"source": SUM, "call": ""}, 400, "the call is missing", {"field": "call"}),
    "a number": ({"source": 3, "call": "f()"}, 400, "source must be text", {"field": "source"}),
    "binary": ({"source": "\u0000\u0001\ud800\ufffe", "call": "f()"}, 400, "", {"field": "source"}),
    "another field": ({"source": SUM, "call": "total([])", "shell": "ls"}, 400, "no field 'shell'", {"field": "shell"}),
    "a long program": ({"source": "#" * 60_000, "call": "f()"}, 413, "too long", {"field": "source"}),
    "a program told backward": ({"source": "print(input())", "stdin": "a\nb", "style": "backward"}, 400, "a whole program gives no value", {"field": "style"}),
    "an unknown style": ({"source": SUM, "call": "total([])", "style": "sonnet"}, 400, "style must be", {"field": "style"}),
    "a forced end": ({"source": "import os\ndef f():\n    os._exit(3)\n", "call": "f()"}, 422, "ended its process", {}),
    "a memory bomb": ({"source": "def f():\n    x = []\n    while True: x.append('x' * 10**6 + str(len(x)))\n", "call": "f()"}, 422, "memory", {}),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_what_cannot_be_told_gives_one_clear_line(base: str, name: str) -> None:
    asked, status, message, where = BAD[name]
    doc = clear(_sent(base, "trace", asked), status)
    assert message in doc["error"]
    assert {key: doc.get("where", {}).get(key) for key in where} == where


def _sent(base: str, name: str, doc: Any) -> httpx.Response:
    """Also what UTF-8 cannot hold, as the escape that JSON has for it."""
    body = json.dumps(doc).encode()
    return httpx.post(f"{base}api/{name}", content=body, headers={"content-type": "application/json"}, timeout=120)


HOSTILE: dict[str, tuple[str, str, str, str]] = {
    "an endless loop": (ENDLESS, "climb(10)", "timeout", "more than 0.4 s of processor time"),
    "a list too large": ("def f():\n    return len([0] * 10**10)\n", "f()", "memory", "more memory than the limit"),
    "a fork bomb": ("import os\ndef f():\n    while True: os.fork()\n", "f()", "raised", "no other processes"),
    "a file": ("def f():\n    return open('/etc/passwd').read()\n", "f()", "raised", "no files"),
    "a flood": ("def f():\n    while True: print('x' * 5000)\n", "f()", "output_limit", "more printed output"),
    "an exit": ("import sys\ndef f():\n    sys.exit(3)\n", "f()", "exited", "exit status 3"),
}


#: What the search for an input evaluates in the server's own process, since it does not run.
REASONED: dict[str, str] = {
    "a product of ranges": "A = [0 for a in range(9999) for b in range(9999) for c in range(9999)]\n",
    "many of them": "".join(f"A{k} = [a * b for a in range(90) for b in range(900)]\n" for k in range(700)),
    "a wide text": "A = str.center('a', 2_000_000_000)\n",
    "a width among values": "A = '%*d' % (2_000_000_000, 1)\n",
    "a width in a field": "A = '{:{}}'.format('a', 2_000_000_000)\n",
    "bytes": "A = bytes(20_000_000_000)\n",
    "a text of texts": "A = ('a' * 9999).replace('a', 'b' * 9999).replace('b', 'c' * 9999)\n",
    "a value of values": "".join(f"A{k} = [A{k - 1}] * 99\n" if k else "A0 = [0]\n" for k in range(9))
    + "B = str(A8)\n",
}


@pytest.mark.parametrize("name", REASONED)
def test_what_the_search_for_an_input_evaluates_is_bounded(base: str, name: str) -> None:
    body = "".join(f"    {line}\n" for line in REASONED[name].splitlines())
    source = f"def f(n):\n    return n + 1\n{body}"  # it never runs what is read of it
    found = post(base, "explain", {"source": source, "output": "8"})
    assert found.json()["answer"] == "f(7)"


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_program_is_stopped_and_shown_as_far_as_it_came(base: str, name: str) -> None:
    source, call, status, message = HOSTILE[name]
    response = post(base, "trace", {"source": source, "call": call})
    assert response.status_code == 200, response.text
    found = response.json()
    outcome = found["stepper"]["outcome"]
    assert outcome["status"] == status
    assert message in " ".join([outcome["detail"], *found["notes"]])
    assert found["stepper"]["steps"]
    assert found["stepper"]["monologue"]["claims"]["false"] == 0


def test_values_without_measure_are_walked_and_not_told(base: str) -> None:
    source = "def f():\n    y = [1] * 10**5\n    z = [2] * 10**5\n    return z\n"
    found = post(base, "trace", {"source": source, "call": "f()"}).json()
    assert found["stepper"]["monologue"] is None
    assert found["notes"] == ["Its values are too long to be told in words."]
    assert len(found["stepper"]["steps"]) == 4


def test_deep_recursion_is_told_as_the_exception_that_it_is(base: str) -> None:
    found = post(base, "trace", {"source": "def f(n):\n    return f(n + 1)\n", "call": "f(0)"}).json()
    assert "RecursionError" in found["stepper"]["outcome"]["exception"]
    assert found["stepper"]["total_steps"] > len(found["stepper"]["steps"]) == 1000


@pytest.mark.parametrize(
    "source", ["x = " + "(" * 5000 + ")" * 5000, "x = " + "1+" * 20000 + "1", "x = " + "-" * 30000 + "1"]
)
def test_nesting_without_end_is_refused(base: str, source: str) -> None:
    clear(_sent(base, "trace", {"source": f"{source}\ndef f():\n    return 1\n", "call": "f()"}), 400)


# -- the request itself


def test_a_megabyte_is_refused_with_its_size(base: str) -> None:
    doc = clear(post(base, "trace", {"source": "x" * 2**20, "call": "f()"}), 413)
    assert "too large" in doc["error"]
    assert doc["hint"]


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff\xfe", b"[" * 100_000, b'{"source": NaN}', b"null"])
def test_what_is_no_json_object_is_refused(base: str, body: bytes) -> None:
    response = httpx.post(f"{base}api/trace", content=body, headers={"content-type": "application/json"})
    clear(response, 400)


def test_what_is_not_there_is_json_too(base: str) -> None:
    clear(httpx.get(f"{base}nothing"), 404)
    clear(httpx.get(f"{base}static/../app.py"), 404)
    clear(httpx.get(f"{base}static/index.html"), 404)
    clear(httpx.get(f"{base}static/%2e%2e%2fapp.py"), 404)
    clear(httpx.get(f"{base}api/trace"), 405)
    clear(httpx.get(f"{base}api/corpus/7"), 404)


# -- other pages

FOREIGN: dict[str, dict[str, str]] = {
    "another origin": {"origin": "http://evil.example"},
    "no origin of its own": {"origin": "null"},
    "another port": {"origin": "http://127.0.0.1:1"},
    "another site": {"sec-fetch-site": "cross-site"},
    "a sibling": {"sec-fetch-site": "same-site"},
    "typed, yet sent": {"sec-fetch-site": "none"},
}


@pytest.mark.parametrize("name", FOREIGN)
def test_requests_of_other_pages_are_refused(base: str, name: str) -> None:
    clear(post(base, "trace", {"source": SUM, "call": "total([])"}, **FOREIGN[name]), 403)
    if name != "typed, yet sent":
        clear(httpx.get(f"{base}api/about", headers=FOREIGN[name]), 403)


def test_the_page_itself_is_served(base: str) -> None:
    own = {"origin": base.rstrip("/"), "sec-fetch-site": "same-origin"}
    assert post(base, "trace", {"source": SUM, "call": "total([])"}, **own).status_code == 200


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:8700", "127.0.0.1.evil.example", "8.8.8.8", "", "localhost@evil.example", "[::1"],
)
def test_a_name_that_is_not_this_servers_is_refused(base: str, host: str) -> None:
    clear(httpx.get(base, headers={"host": host}), 421)


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
def test_what_a_form_can_send_is_refused(base: str, kind: str) -> None:
    body = json.dumps({"source": SUM, "call": "total([])"}).encode()
    clear(httpx.post(f"{base}api/trace", content=body, headers={"content-type": kind}), 415)


@pytest.mark.parametrize("path", ["", "static/app.js", "static/stepper.js", "static/page.css", "api/about", "nothing"])
def test_every_answer_is_sealed(base: str, path: str) -> None:
    headers = httpx.get(base + path).headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-store"
    assert "access-control-allow-origin" not in headers
    assert "server" not in headers


def test_the_page_brings_no_code_in_its_markup() -> None:
    static = Path(__file__).parents[2] / "src/semcoder/web/static"
    markup = (static / "index.html").read_text()
    assert "style=" not in markup
    assert "<style" not in markup
    assert markup.count("<script") == 1
    for script in static.glob("*.js"):
        for word in (*WRITERS, "localStorage"):
            assert word not in script.read_text(), f"{script.name} has {word}"


def test_what_nobody_foresaw_is_one_sealed_line(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("of /home/somebody")

    monkeypatch.setattr("semcoder.web.work.Work.trace", broken)
    monkeypatch.setattr("semcoder.web.app.Pages.home", broken)
    monkeypatch.setattr(logging, "raiseExceptions", False)  # of handlers that other tests left with a closed stream
    with page() as base:
        found = [post(base, "trace", {"source": SUM, "call": "total([])"}), httpx.get(base)]
    for response in found:
        assert "bug" in clear(response, 500)["error"]
        assert "somebody" not in response.text
        assert {name: response.headers[name] for name in HEADERS} == HEADERS
    assert "Traceback" not in capfd.readouterr().err


# -- say it


def test_a_monologue_goes_forward_backward_and_in_a_notation(base: str) -> None:
    forward = post(base, "explain", {"source": SUM, "call": "total([1, 2])"}).json()
    assert forward["monologue"] is None, "it goes with the steps"
    assert forward["answer"] == "3"
    noted = post(base, "explain", {"source": SUM, "call": "total([1, 2])", "style": "scratchpad"}).json()
    assert noted["stepper"]["monologue"] is None
    assert noted["monologue"]["claims"]["false"] == 0
    back = post(base, "explain", {"source": SUM, "output": "7"}).json()
    assert back["monologue"]["direction"] == "backward"
    assert back["stepper"]["outcome"]["value"] == "7"
    assert back["answer"].startswith("total(")


def test_an_output_that_cannot_be_had_is_said(base: str) -> None:
    doc = clear(post(base, "explain", {"source": "def f(n):\n    return n * 0\n", "output": "5"}), 422)
    assert "no input" in doc["error"]
    assert clear(post(base, "explain", {"source": SUM, "output": "x +"}), 400)["where"] == {"field": "output"}


def test_the_first_false_step_of_a_text_is_found_with_what_was_true(base: str) -> None:
    text = semcoder.explain(SUM, "total([1, 2])").text
    found = post(base, "verify", {"source": SUM, "text": text.replace("from `0` to `1`", "from `0` to `5`")}).json()
    told = found["stepper"]["monologue"]
    wrong = told["sentences"][found["first_false"]["sentence"]]
    assert found["stepper"]["steps"][found["first_false"]["step"]]["lines"] == [4, 4]
    assert [c["actual"] for c in wrong["claims"] if c["verdict"] is False] == ["result goes from 0 to 1"]
    assert post(base, "verify", {"source": SUM, "text": text}).json()["first_false"] is None


def test_texts_that_take_long_to_read_are_refused(base: str) -> None:
    clear(post(base, "verify", {"source": SUM, "call": "total([])", "text": "`" + "[" * 5000 + "`"}), 400)
    clear(post(base, "verify", {"source": SUM, "call": "total([])", "text": "x" * 30_000}), 413)
    assert "names no call" in clear(post(base, "verify", {"source": SUM, "text": "It adds."}), 400)["error"]


# -- a model


def test_a_model_is_streamed_and_judged() -> None:
    told = semcoder.explain(SUM, "total([1, 2])").text.replace("from `1` to `3`", "from `1` to `4`")
    text = f"[MONOLOGUE]\n{told}\n[/MONOLOGUE]\n[ANSWER]assert total([1, 2]) == 4"
    with Scripted(said(text)) as model, page(model=f"openai:m@{model.url}") as base:
        events = lines(base, {"source": SUM, "call": "total([1, 2])"})
        clear(post(base, "predict", {"source": SUM, "call": "total("}), 400)
    assert [e["event"] for e in events[:2]] == ["status", "sentence"]
    verdict = events[-1]
    assert (verdict["event"], verdict["right"], verdict["truth"]) == ("verdict", False, "3")
    wrong = verdict["stepper"]["monologue"]["sentences"][verdict["first_false"]["sentence"]]
    assert [c["actual"] for c in wrong["claims"] if c["verdict"] is False] == ["result goes from 1 to 3"]
    assert sum(e["event"] == "sentence" for e in events) >= len(told.split("\n"))


def test_a_model_that_fails_is_one_line_at_the_end() -> None:
    from tests.servers import Answer

    with Scripted(Answer(b"{}", 401)) as model, page(model=f"openai:m@{model.url}") as base:
        events = lines(base, {"source": SUM, "call": "total([1, 2])"})
    assert events[-1]["event"] == "error"
    assert "\n" not in events[-1]["error"]
    assert "Traceback" not in json.dumps(events)


def test_the_place_of_who_has_left_is_free_when_the_model_is_done() -> None:
    """Cut short by the visitor, the first question still holds the one place, and nobody may wait for it here."""
    asked = {"source": SUM, "call": "total([1, 2])"}
    begun, go_on = threading.Event(), threading.Event()

    def slow(*_: Any, **__: Any) -> None:
        begun.set()
        go_on.wait(10)
        raise UsageError("no answer")

    with pytest.MonkeyPatch.context() as patch, page(queue=0) as base:
        patch.setattr("semcoder.api.predict", slow)
        with httpx.stream("POST", f"{base}api/predict", json=asked, timeout=60) as response:
            assert response.status_code == 200
            assert begun.wait(30)
        time.sleep(0.5)  # in which the server learns of it
        try:
            assert "the model is busy" in clear(post(base, "predict", asked), 503)["error"]
        finally:
            go_on.set()
        late = 503
        while late == 503:  # until the model is done
            late = post(base, "predict", asked).status_code
        assert late == 200


def test_what_comes_too_late_is_not_asked() -> None:
    """Who leaves while waiting for a place costs the model nothing."""
    asked = {"source": SUM, "call": "total([1, 2])"}
    begun, go_on, calls = threading.Event(), threading.Event(), []

    def slow(*_: Any, **__: Any) -> None:
        calls.append(1)
        begun.set()
        go_on.wait(30)
        raise UsageError("no answer")

    with pytest.MonkeyPatch.context() as patch, page() as base, ThreadPoolExecutor(1) as pool:
        patch.setattr("semcoder.api.predict", slow)
        first = pool.submit(lines, base, asked)
        assert begun.wait(30)
        with pytest.raises(httpx.ReadTimeout):
            httpx.post(f"{base}api/predict", json=asked, timeout=0.5)
        go_on.set()
        first.result()
        lines(base, asked)
    assert len(calls) == 2


def test_whether_what_is_asked_leaves_the_process_is_said() -> None:
    assert Talker("nano").described()["local"] is True
    assert Talker("openai:m@http://localhost:1/v1").described()["local"] is False


def test_a_model_whose_library_is_missing_says_which_extra_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    found = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *more: None if name == "torch" else found(name, *more)
    )
    with page() as base:
        assert "semcoder[model]" in httpx.get(f"{base}api/about").json()["model"]["problem"]
        doc = clear(post(base, "predict", {"source": SUM, "call": "total([])"}), 501)
    assert "semcoder[model]" in doc["error"]


def test_a_model_that_is_not_there_costs_the_page_nothing_else() -> None:
    with page(model="nano:/nowhere") as base:
        about = httpx.get(f"{base}api/about").json()
        assert "/nowhere" in about["model"]["problem"]
        assert post(base, "trace", {"source": SUM, "call": "total([])"}).status_code == 200
        assert "cannot be used" in clear(post(base, "predict", {"source": SUM, "call": "total([])"}), 400)["error"]


def test_what_is_said_of_the_built_in_model_is_on_its_card() -> None:
    described = Talker("nano").described()
    if described["problem"]:
        pytest.skip(f"the built-in model is not here: {described['problem']}")
    assert described["writes_code"] is False
    assert described["figures"]["parameters"] > 1_000_000
    low, high = described["figures"]["interval"]
    assert 0 < low < described["figures"]["percent"] < high < 100
    assert card_of("no figures") is None


@pytest.mark.slow
def test_the_built_in_model_answers_sentence_by_sentence(base: str) -> None:
    events = lines(base, {"source": "def f(a, b):\n    return a + b\n", "call": "f(2, 3)"})
    assert next(e["event"] for e in events if e["event"] != "status") == "sentence"
    assert events[-1]["right"] is True
    refused = lines(base, {"source": "import os\ndef f(a):\n    return a\n", "call": "f(2)"})
    assert "beyond the built-in model" in refused[-1]["error"]


# -- debug

BUG = "def best(sales, days):\n    top = 0\n    for start in range(len(sales) - days):\n        top = max(top, sum(sales[start:start + days]))\n    return top\n"


def test_a_wrong_call_is_explained_with_the_step_of_its_wrong_value(base: str) -> None:
    found = post(base, "debug", {"source": BUG, "call": "best([100, 250, 900], 2)", "expect": "1150"}).json()
    assert (found["passes"], found["got"], found["wanted"]) == (False, "350", "1150")
    assert "best" in "".join(found["lines"][0])
    assert found["suspects"][0]["name"] == "best"
    wrong = found["first_wrong"]
    assert wrong["what"] == "value"
    assert found["stepper"]["steps"][wrong["step"]]["lines"][0] == wrong["line"] > 2
    assert str(Path.cwd()) not in json.dumps(found), "where the server runs is nobody's business"


def test_a_call_that_raises_is_explained(base: str) -> None:
    found = post(base, "debug", {"source": BUG, "call": "best(None, 2)", "expect": "11"}).json()
    assert "TypeError" in found["got"]
    assert found["first_wrong"]["what"] == "exception"


def test_what_is_debugged_runs_in_the_sandbox(base: str, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    source = f"def f():\n    open({str(mark)!r}, 'w').write('x')\n    return 1\n"
    found = post(base, "debug", {"source": source, "call": "f()", "expect": "1"}).json()
    assert "PermissionError" in found["got"]
    assert not mark.exists()
    endless = post(base, "debug", {"source": ENDLESS, "call": "climb(10)", "expect": "9"}).json()
    assert endless["passes"] is False
    assert "timeout" in endless["got"]


@pytest.mark.parametrize("expect", ["x +", "open('x')", "[" * 500, "9" * 6000])
def test_an_expectation_that_is_no_value_is_refused(base: str, expect: str) -> None:
    response = post(base, "debug", {"source": BUG, "call": "best([1], 1)", "expect": expect})
    doc = clear(response, 413 if len(expect) > 5000 else 400)
    assert doc["where"] == {"field": "expect"}


def test_a_patch_is_tested_before_it_is_shown() -> None:
    bad = f"It is one short.\n```python\n{BUG.replace('top = 0', 'top = 1')}```"
    good = f"The last stretch is left out.\n```python\n{BUG.replace('- days)', '- days + 1)', 1)}```"
    asked = {"source": BUG, "call": "best([1, 2, 9], 2)", "expect": "11"}
    with Scripted([said(bad), said(good)]) as model, page(model=f"openai:m@{model.url}") as base:
        found = post(base, "repair", asked).json()
        clear(post(base, "repair", {**asked, "expect": "3"}), 400)
    assert (found["passes"], found["rounds"]) == (True, 2)
    assert "+    for start in range(len(sales) - days + 1):" in found["diff"]
    assert "left out" in found["cause"]
    assert "now gives: 3" in found["refused"][0]
    assert semcoder.run(found["source"], asked["call"]).value.display() == "11"  # type: ignore[union-attr]


def test_programs_of_a_patch_stand_behind_the_gate_of_all_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    good = f"The last stretch is left out.\n```python\n{BUG.replace('- days)', '- days + 1)', 1)}```"
    asked = {"source": BUG, "call": "best([1, 2, 9], 2)", "expect": "11"}
    held, ran = threading.local(), []
    record, outcome, thread = Work._record, Work._outcome, Gate.thread

    async def holding(gate: Gate, work: Callable[[], Any]) -> Any:
        def told() -> Any:
            held.gate = gate._what
            return work()

        return await thread(gate, told)

    def recorded(*args: Any) -> Any:
        ran.append(held.gate)
        return record(*args)

    def ended(*args: Any) -> Any:
        ran.append(held.gate)
        return outcome(*args)

    monkeypatch.setattr(Gate, "thread", holding)
    monkeypatch.setattr(Work, "_record", recorded)
    monkeypatch.setattr(Work, "_outcome", ended)
    with Scripted(said(good)) as model, page(model=f"openai:m@{model.url}", workers=1) as base:
        assert post(base, "repair", asked).json()["passes"] is True
    assert ran == ["the server is busy with programs"] * 2


def test_a_model_that_writes_no_code_is_not_asked_for_any(base: str) -> None:
    asked = {"source": BUG, "call": "best([1, 2, 9], 2)", "expect": "11"}
    assert post(base, "repair", asked).status_code == 400


# -- many at once


def test_ten_at_once_each_get_their_own(base: str) -> None:
    def visit(k: int) -> tuple[int, dict[str, Any]]:
        source = f"def mine_{k}(n):\n    secret_{k} = n * {k}\n    return secret_{k}\n"
        return k, post(base, "trace", {"source": source, "call": f"mine_{k}({k + 100})"}).json()

    with ThreadPoolExecutor(10) as pool:
        found = dict(pool.map(visit, range(10)))
    for k, doc in found.items():
        assert doc["stepper"]["outcome"]["value"] == str(k * (k + 100))
        text = json.dumps(doc)
        assert f"secret_{k}" in text
        assert not any(f"secret_{other}" in text for other in range(10) if other != k)


def test_nothing_of_one_visitor_is_there_for_the_next(base: str) -> None:
    post(
        base,
        "trace",
        {"source": "import builtins, sys\nbuiltins.left = sys.left = 'mine'\ndef f():\n    return 1\n", "call": "f()"},
    )
    source = "import builtins, sys\ndef f():\n    return hasattr(builtins, 'left') or hasattr(sys, 'left')\n"
    assert post(base, "trace", {"source": source, "call": "f()"}).json()["stepper"]["outcome"]["value"] == "False"


def test_who_finds_no_place_is_told_so() -> None:
    with page(workers=1, queue=1) as base:
        post(base, "trace", {"source": SUM, "call": "total([])"})
        slow = {"source": "import time\ndef f():\n    time.sleep(1)\n", "call": "f()"}
        with ThreadPoolExecutor(6) as pool:
            found = list(pool.map(lambda _: post(base, "trace", slow), range(6)))
    busy = [response for response in found if response.status_code == 503]
    assert len(busy) == 4
    assert "busy" in clear(busy[0], 503)["error"]
    assert busy[0].headers["retry-after"]


def test_an_endless_loop_holds_up_nobody_else(base: str) -> None:
    done: list[float] = []

    def run_on() -> None:
        post(base, "trace", {"source": ENDLESS, "call": "climb(10)"})
        done.append(time.monotonic())

    loop = threading.Thread(target=run_on)
    loop.start()
    assert post(base, "trace", {"source": SUM, "call": "total([1])"}).status_code == 200
    first = time.monotonic()
    loop.join()
    assert first < done[0]


# -- the address


def test_a_port_that_is_taken_is_one_line() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(UsageError, match=f"port {port} of 127.0.0.1 is taken"):
            bound("127.0.0.1", port)
    with pytest.raises(UsageError, match="no address"):
        bound("no.such.host.invalid", 0)

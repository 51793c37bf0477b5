"""What servers do wrong, done by a real one: retries, their bounds, errors as replies, and what stops a run."""

from __future__ import annotations

import base64
import email.utils
import gc
import json
import logging
import signal
import subprocess
import sys
import threading
import time
import traceback
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from semcoder.errors import MissingExtra, UsageError
from semcoder.models import Cached, Completion, Message, Reply, Request, Sampling, open_model
from semcoder.models._http import Answered, _taken_apart
from semcoder.models._keys import OFFICIAL, Server
from tests.servers import Answer, Asked, Scripted, echo, refused, said

QUICK: dict[str, Any] = {"backoff": 0.005, "timeout": 5.0, "attempts": 3}
KEY = "sk-fake-7Zq0Rk2mTtW4x8"
#: Nobody listens at the discard port.
NOBODY = "http://127.0.0.1:9/v1"


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)


def ask(text: str = "q", **how: Any) -> Request:
    return Request((Message("user", text),), sampling=Sampling(**how))


def replies(script: Any, *requests: Request, **options: Any) -> tuple[list[Reply], Scripted]:
    """The replies in order, and the server with what it has seen."""
    with Scripted(script) as server:
        found = dict(open_model(f"openai:m@{server.url}", **{**QUICK, **options}).generate(requests))
    return [found[place] for place in range(len(requests))], server


def reply(script: Any, request: Request, **options: Any) -> tuple[Reply, list[Asked]]:
    found, server = replies(script, request, **options)
    return found[0], server.seen


def workers() -> list[str]:
    """Threads of runs, and those that look up names for them."""
    return [thread.name for thread in threading.enumerate() if thread.name.startswith(("semcoder", "asyncio"))]


def test_what_is_sent() -> None:
    how = Sampling(max_tokens=9, temperature=0.5, top_p=0.9, stop=("END",), seed=4, n=2)
    chat = Request((Message("system", "be brief"), Message("user", "é\n\0")), sampling=how)
    _, server = replies(echo, chat, Request(text="def f"), extra={"top_k": 5, "temperature": None})
    first, second = sorted(server.seen, key=lambda asked: asked.path)
    assert (first.path, second.path) == ("/v1/chat/completions", "/v1/completions")
    assert first.body == {
        "model": "m",
        "messages": [{"role": "system", "content": "be brief"}, {"role": "user", "content": "é\n\0"}],
        "max_tokens": 9,
        "top_p": 0.9,
        "stop": ["END"],
        "seed": 4,
        "n": 2,
        "top_k": 5,
    }
    assert second.body == {"model": "m", "prompt": "def f", "max_tokens": 1024, "top_k": 5}
    assert first.headers["authorization"] == "Bearer no-key"


def test_what_comes_back() -> None:
    found, _ = reply(said("a", "b", finish="length", tokens=(11, 5)), ask(n=2))
    assert found == Reply((Completion("a", "length"), Completion("b", "length")), 11, 5)


DEEP = b'{"choices":' + b"[" * 100_000
PASSING: dict[str, Answer] = {
    "not JSON": Answer(b'{"choices": [{"message"'),
    "nested too deeply": Answer(DEEP),
    "a list": Answer(b"[]"),
    "null": Answer(b"null"),
    "nothing": Answer(b""),
    "HTML": Answer(b"<html>gateway</html>", headers={"content-type": "text/html"}),
    "no choices": Answer(b'{"object": "chat.completion"}'),
    "an error with status 200": Answer(b'{"error": {"message": "overloaded"}}'),
    "choices of numbers": Answer(b'{"choices": [1]}'),
    "a text that is a number": Answer(b'{"choices": [{"message": {"content": 5}}]}'),
    "a message that is a list": Answer(b'{"choices": [{"message": []}]}'),
    "not UTF-8": Answer(b'{"choices": "\xff\xfe"}'),
    "cut off": Answer(b'{"choices": [{"mess', cut=True),
    "not the compression it says": Answer(b"plain", headers={"content-encoding": "gzip"}),
    "a reset": Answer(reset=True),
    "status 500": refused(500),
    "status 503 with text": Answer(b"busy", 503, {"content-type": "text/plain"}),
    "status 408": refused(408),
    "status 409": refused(409),
    "status 429": refused(429, Retry_After="0"),
    "status 429 and nonsense": refused(429, Retry_After="soon"),
    "no text": said(""),
    "null for a text": said(None),
    "white space": said(" \n"),
    "an empty list of choices": said(),
}


@pytest.mark.parametrize("wrong", PASSING.values(), ids=PASSING)
def test_what_may_pass_is_tried_again(wrong: Answer) -> None:
    found, seen = reply([wrong, wrong, said("fine")], ask())
    assert found.completions == (Completion("fine"),)
    assert len(seen) == 3
    assert seen[0].body == seen[2].body


@pytest.mark.parametrize("wrong", PASSING.values(), ids=PASSING)
def test_what_does_not_pass_is_an_error(wrong: Answer) -> None:
    found, seen = reply(wrong, ask())
    assert found.error
    assert not found.completions
    assert len(seen) == 3


def test_an_answer_that_takes_too_long() -> None:
    start = time.monotonic()
    found, seen = reply([said("late", delay=30), said("fine")], ask(), timeout=1.0)
    assert found.completions[0].text == "fine"
    found, seen = reply(said("late", delay=30), ask(), timeout=0.1)
    assert found.error == "no answer within 0.1 seconds"
    assert len(seen) == 3
    assert time.monotonic() - start < 10


def test_an_answer_that_comes_in_drops() -> None:
    found, seen = reply([said("late", drip=0.05), said("fine")], ask(), timeout=1.0)
    assert found.completions[0].text == "fine"
    assert len(seen) == 2


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
PLACES = [
    ("choices",), ("choices", 0), ("choices", 0, "message"), ("choices", 0, "message", "content"),
    ("choices", 0, "text"), ("choices", 0, "finish_reason"), ("usage",), ("usage", "prompt_tokens"),
]  # fmt: skip


@given(st.sampled_from(PLACES), ANYTHING, st.integers(0, 400), st.integers(0, 255))
@settings(max_examples=300, deadline=None)
def test_no_body_is_too_strange(place: tuple[str | int, ...], value: Any, at: int, byte: int) -> None:
    body = json.loads(said("text").body)
    *path, last = place
    holder = body
    for step in path:
        holder = holder[step]
    holder[last] = value
    content = json.dumps(body).encode()
    for changed in (content, json.dumps(value).encode(), content[:at], content[:at] + bytes([byte]) + content[at:]):
        found = _taken_apart(changed, KEY)
        if isinstance(found, Answered):
            assert all(type(text) is type(reason) is str for text, reason in found.choices)
            assert type(found.prompt_tokens) is int
        else:
            assert found.error


def test_no_text_is_an_error_that_costs() -> None:
    found, _ = reply(said("", tokens=(7, 1)), ask())
    assert found == Reply((), 21, 3, "the model gave no text")


@pytest.mark.parametrize(("finish", "says"), [("length", "max_tokens=5"), ("content_filter", "filter")])
def test_no_text_that_another_attempt_would_not_bring(finish: str, says: str) -> None:
    found, seen = reply(said("", finish=finish), ask(max_tokens=5))
    assert "the model gave no text" in found.error
    assert says in found.error
    assert len(seen) == 1


@pytest.mark.parametrize("form", ["seconds", "date"])
def test_retry_after_is_waited_for(form: str) -> None:
    # Dates have no fractions of seconds: two seconds on are more than one away.
    value = "0.3" if form == "seconds" else email.utils.formatdate(time.time() + 2, usegmt=True)
    start = time.monotonic()
    found, seen = reply([refused(429, Retry_After=value), said("fine")], ask())
    assert found.completions
    assert len(seen) == 2
    assert 0.3 <= time.monotonic() - start < 5


def test_nobody_waits_for_ever() -> None:
    found, seen = reply(refused(429, "come back tomorrow", Retry_After="86400"), ask())
    assert "86400 seconds" in found.error
    assert len(seen) == 1


def test_pauses_grow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("random.uniform", lambda low, high: high)
    start = time.monotonic()
    reply(refused(500), ask(), attempts=4, backoff=0.05)
    assert 0.35 <= time.monotonic() - start < 3  # 0.05 + 0.1 + 0.2


@pytest.mark.parametrize("status", [400, 404, 405, 413, 422])
def test_what_is_refused_for_good_is_an_error_at_once(status: int) -> None:
    served, refusal = echo, refused(status, "too long")
    found, server = replies(
        lambda asked: refusal if asked.said == "q" else served(asked), ask("a"), ask(), concurrency=1
    )
    assert found[0].completions
    assert found[1].error == f"status {status}: too long"
    assert len(server.seen) == 2


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (refused(401, "who are you"), "refuses the key .*who are you.*SEMCODER_API_KEY_127_0_0_1"),
        (refused(403), "refuses the key .*OPENAI_API_KEY"),
        (refused(404, "no such model"), "has no model m,.*no such model.*/v1"),
        (refused(429, "pay", code="insufficient_quota"), "quota"),
    ],
)
def test_what_no_request_can_get_past_is_raised(answer: Answer, says: str) -> None:
    with Scripted(answer) as server:
        model = open_model(f"openai:m@{server.url}", **QUICK)
        with pytest.raises(UsageError, match=says) as caught:
            list(model.generate([ask(str(k)) for k in range(20)]))
        assert server.url in str(caught.value)
    assert not workers()


@pytest.mark.parametrize("url", [NOBODY, "http://no-such-host.invalid/v1"])
def test_nobody_answers(url: str) -> None:
    with pytest.raises(UsageError, match="nobody answers at " + url):
        list(open_model(f"openai:m@{url}", **QUICK).generate([ask()]))


def test_a_server_that_goes_away_during_a_run_gives_errors() -> None:
    with Scripted(echo) as server:
        model = open_model(f"openai:m@{server.url}", **QUICK)
        assert dict(model.generate([ask()]))[0].completions
    assert "the connection failed" in dict(model.generate([ask()]))[0].error


def test_n_is_left_to_the_server() -> None:
    found, seen = reply(echo, ask(n=3))
    assert [one.text for one in found.completions] == ["q#0", "q#1", "q#2"]
    assert len(seen) == 1


def _single(asked: Asked) -> Answer:
    """A server that knows nothing of `n`."""
    return said(f"seed {asked.body.get('seed')}")


def _refuses_n(asked: Asked) -> Answer:
    return refused(422, "n is not supported") if "n" in asked.body else _single(asked)


@pytest.mark.parametrize(("script", "tries"), [(_single, 0), (_refuses_n, 1)])
def test_servers_without_n_are_asked_for_each_text(script: Callable[[Asked], Answer], tries: int) -> None:
    found, server = replies(script, ask(n=3, seed=5), ask(n=2, seed=5), concurrency=1)
    texts = [[one.text for one in reply.completions] for reply in found]
    assert texts[0][:2] == texts[1]
    assert texts[0][0] == "seed 5"
    assert len(set(texts[0])) == 3
    assert found[0].prompt_tokens == 21
    # That it does not know n is found out once.
    assert ["n" in asked.body for asked in server.seen] == [True] + [False] * (4 + tries)


def test_texts_that_are_missing_are_asked_for_again() -> None:
    found, seen = reply([said("a", "", "b"), said("c")], ask(n=3))
    assert [one.text for one in found.completions] == ["a", "b", "c"]
    found, seen = reply([said("a", ""), said("")], ask(n=2))
    assert found.error == "the model gave no text"
    assert not found.completions
    assert len(seen) == 4
    found, _ = reply(said("a", "b", "c", "d"), ask(n=2))
    assert [one.text for one in found.completions] == ["a", "b"]


def test_the_bound_is_called_as_the_server_wants_it() -> None:
    def newer(asked: Asked) -> Answer:
        if "max_tokens" in asked.body:
            return refused(400, "'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.")
        return said(str(asked.body["max_completion_tokens"]))

    found, server = replies(newer, ask(max_tokens=5), ask(max_tokens=6), concurrency=1)
    assert [reply.completions[0].text for reply in found] == ["5", "6"]
    assert len(server.seen) == 3


def test_texts_end_before_a_stop_string_wherever_they_come_from() -> None:
    found, _ = reply(said("one\nEND two", finish="length"), ask(stop=("two", "END")))
    assert found.completions == (Completion("one\n", "stop"),)
    found, _ = reply(said("END"), ask(stop=("END",)))
    assert found.error


HOSTILE = [
    "__import__('os').system('touch /tmp/owned')",
    "'; DROP TABLE replies; --",
    "\x00\x1b[2J\u202e\ufeff",
    "lone \ud800 surrogate",
    "{{ ''.__class__ }} %s %(x)s {0}",
    "</script><script>alert(1)</script>",
    "x" * 1_000_000,
]


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_texts_are_data(text: str, tmp_path: Path) -> None:
    with Scripted(said(text)) as server:
        model = Cached(open_model(f"openai:m@{server.url}", **QUICK), tmp_path / "replies.db")
        (first,) = (reply for _, reply in model.generate([ask()]))
        (second,) = (reply for _, reply in model.generate([ask()]))
    assert first.completions == second.completions
    assert second.cached
    assert first.completions[0].text == text.replace("\ud800", "\ufffd")
    assert first.completions[0].text.encode()


@pytest.mark.parametrize(
    "usage",
    [
        None,
        5,
        [],
        {},
        {"prompt_tokens": "many", "completion_tokens": -1},
        {"prompt_tokens": True},
        {"prompt_tokens": 1.5, "completion_tokens": 10**30},
    ],
)
def test_counts_that_mean_nothing_are_0(usage: Any) -> None:
    body = {"choices": [{"message": {"content": "x"}}], "usage": usage}
    found, _ = reply(Answer(json.dumps(body).encode()), ask())
    assert found == Reply((Completion("x"),))


def test_an_answer_without_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("semcoder.models._http._LARGEST", 1000)
    found, seen = reply(said("x" * 2000), ask())
    assert "more than 1000 bytes" in found.error
    assert len(seen) == 1


def test_requests_at_once_are_bounded_and_used() -> None:
    four = threading.Barrier(4)

    def script(_: Asked) -> Answer:
        four.wait(20)
        return said("x")

    found, server = replies(script, *map(ask, "abcdefghijklmnop"), concurrency=4)
    assert server.at_once == 4
    assert all(reply.completions for reply in found)


def test_a_slow_answer_holds_up_no_other() -> None:
    slow = threading.Event()

    def script(asked: Asked) -> Answer:
        if asked.said == "0":
            slow.wait(20)
        return said(asked.said)

    with Scripted(script) as server:
        stream = open_model(f"openai:m@{server.url}", concurrency=2, timeout=30).generate(ask(str(k)) for k in range(4))
        assert sorted(next(stream)[0] for _ in range(3)) == [1, 2, 3]
        slow.set()
        assert [place for place, _ in stream] == [0]


def test_closing_cancels_what_is_on_its_way() -> None:
    with Scripted(lambda asked: said("x", delay=0.0 if asked.said == "0" else 30.0)) as server:
        stream = open_model(f"openai:m@{server.url}").generate(ask(str(k)) for k in range(100))
        assert next(stream)[0] == 0
        start = time.monotonic()
        stream.close()  # type: ignore[attr-defined]
        assert time.monotonic() - start < 5
    assert not workers()


def test_ctrl_c_ends_a_run_at_once_and_keeps_what_was_paid(tmp_path: Path) -> None:
    program = (
        "import sys; from semcoder.models import *; "
        "model = Cached(open_model(sys.argv[1]), sys.argv[2]); "
        "[print(place, flush=True) for place, _ in model.generate(Request(text=str(k)) for k in range(9))]"
    )
    path = tmp_path / "replies.db"
    with Scripted(lambda asked: said("x", delay=0.0 if asked.said in "01" else 60.0)) as server:
        command = [sys.executable, "-c", program, f"openai:m@{server.url}", str(path)]
        run = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert run.stdout is not None
        assert {run.stdout.readline(), run.stdout.readline()} == {"0\n", "1\n"}
        run.send_signal(signal.SIGINT)
        _, errors = run.communicate(timeout=20)
        assert errors.splitlines()[-1] == "KeyboardInterrupt"
        again = Cached(open_model(f"openai:m@{server.url}"), path)
        assert [reply.cached for _, reply in again.generate([Request(text="0"), Request(text="1")])] == [True, True]


def test_an_iterator_that_is_forgotten_is_closed() -> None:
    with Scripted(said("x")) as server:
        model = open_model(f"openai:m@{server.url}")
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            next(model.generate(ask(str(k)) for k in range(100)))
            gc.collect()
    assert not workers()


def test_several_threads_use_one_model() -> None:
    with Scripted(echo) as server:
        model = open_model(f"openai:m@{server.url}")
        found: dict[str, set[str]] = {}

        def work(name: str) -> None:
            found[name] = {r.completions[0].text for _, r in model.generate(ask(f"{name}{k}") for k in range(20))}

        threads = [threading.Thread(target=work, args=(name,)) for name in "ab"]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert found == {name: {f"{name}{k}#0" for k in range(20)} for name in "ab"}


def test_an_unencrypted_server_elsewhere_gets_its_own_key_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "general")
    assert Server("https://llm.example.com/v1").key() == "general"
    assert Server("http://localhost:8000/v1").key() == "general"
    assert Server("http://[::1]:8000/v1").key() == "general"
    assert Server("http://node-17:8000/v1").key() == "no-key"
    monkeypatch.setenv("SEMCODER_API_KEY_NODE_17", "own")
    assert Server("http://node-17:8000/v1").key() == "own"
    assert Server("https://node-17/v1").key() == "own"
    assert "SEMCODER_API_KEY_NODE_17 (OPENAI_API_KEY is not sent" in Server("http://node-17/v1").help


def test_the_official_server_needs_a_key() -> None:
    with pytest.raises(UsageError, match="OPENAI_API_KEY"):
        list(open_model("openai:gpt-x").generate([ask()]))


@pytest.mark.parametrize(
    ("rest", "name", "url"),
    [
        ("gpt-x", "gpt-x", OFFICIAL),
        ("org/m@https://h/v1/", "org/m", "https://h/v1"),
        ("@cf/meta/m@http://h:1/v1", "@cf/meta/m", "http://h:1/v1"),
        ("m:7b@latest@http://h/a@b", "m:7b@latest", "http://h/a@b"),
    ],
)
def test_specs(rest: str, name: str, url: str) -> None:
    assert Server.parse(rest) == (name, Server(url))


@pytest.mark.parametrize(
    "rest",
    [
        "m@http://", "m@http://h:port/v1", "m@https://[::1/v1", "m@localhost:8000/v1", "m@localhost", "m@http://a b/v1",
        f"m@http://u:{KEY}@h/v1", f"m@http://{KEY}@h/v1", f"m@https://h/v1?key={KEY}", f"m@https://h/v1#{KEY}",
    ],
)  # fmt: skip
def test_urls_that_are_none(rest: str) -> None:
    with pytest.raises(UsageError) as caught:
        open_model(f"openai:{rest}")
    assert KEY not in str(caught.value)


@pytest.mark.parametrize("options", [{"concurrency": 0}, {"attempts": 0}, {"timeout": 0}, {"timeout": float("nan")}])
def test_options_that_mean_nothing(options: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match=next(iter(options))):
        open_model("openai:m@http://h/v1", **options)


def test_without_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "openai", None)
    with pytest.raises(MissingExtra, match=r"pip install 'semcoder\[llm\]'"):
        open_model("openai:m")


def _leaks(asked: Asked, headers: bool) -> Iterator[Answer]:
    """Ways for a server to send the key back."""
    key = asked.headers["authorization"].removeprefix("Bearer ")
    assert key == KEY
    spread = ("x" * 290) + key  # where a message is cut
    for status in (400, 401, 403, 404, 429, 500):
        yield refused(status, f"your key {key} is bad")
        yield refused(status, spread)
        yield Answer(key.encode(), status, {"content-type": "text/plain"})
        yield Answer(json.dumps({"detail": [{"key": key}]}).encode(), status)
        yield refused(status, "x", code=key, **({"X_Key": key} if headers else {}))
    yield said(f"the key is {key}", finish=key)
    yield Answer(json.dumps({"error": key}).encode())
    yield Answer(key.encode())
    yield Answer(key.encode(), cut=True)
    if headers:
        yield Answer(headers={key: key, "content-length": key})
    yield Answer(reset=True)
    yield said("")
    yield said("x", delay=30.0)


@pytest.mark.parametrize("headers", [True, False])
def test_a_key_stays_secret(
    headers: bool,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", f" {KEY}\n")
    # The HTTP library itself logs the headers that come back, at its lowest level; all else must hold there too.
    caplog.set_level(logging.INFO if headers else logging.DEBUG)
    answers: list[Answer] = []

    def script(asked: Asked) -> Answer:
        answers[:] = answers or _leaks(asked, headers)
        return answers[int(asked.body["messages"][0]["content"]) % len(answers)]

    told: list[str] = []
    path = tmp_path / "replies.db"
    with Scripted(script) as server:
        model = Cached(open_model(f"openai:m@{server.url}", timeout=1.0, attempts=2, backoff=0.001), path)
        for number in range(45):
            told += _everything(model, ask(str(number)))
        told += [repr(model), str(vars(model)), str(vars(model.model)), model.identity]
    told += _everything(open_model(f"openai:m@{NOBODY}", **QUICK), ask())
    monkeypatch.setenv("OPENAI_API_KEY", f"“{KEY}”")
    told += _everything(open_model(f"openai:m@{NOBODY}", **QUICK), ask())
    told += [record.getMessage() + str(record.__dict__) for record in caplog.records]
    told += capfd.readouterr()
    stored = path.read_bytes()
    assert len(answers) > 30
    assert b"the key is [key]" in stored
    for part in (KEY, KEY[:10], base64.b64encode(KEY.encode()).decode()[:20]):
        assert not [text for text in told if part in text]
        assert part.encode() not in stored


def _everything(model: Any, request: Request) -> list[str]:
    """All that a run shows: replies, or the exception with all that hangs on it."""
    try:
        return [repr(list(model.generate([request])))]
    except UsageError as error:
        shown = traceback.TracebackException.from_exception(error, capture_locals=False)
        chain = [error, error.__cause__, error.__context__]
        return ["".join(shown.format()), *(repr(one) + str(getattr(one, "__dict__", "")) for one in chain)]

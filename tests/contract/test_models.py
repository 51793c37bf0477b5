"""Every kind of model keeps the same promises: one reply for each request, taken lazily, stopped when it is closed."""

from __future__ import annotations

import random
import subprocess
import sys
import threading
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from semcoder.errors import UsageError
from semcoder.models import (
    Cached,
    Message,
    Metered,
    Model,
    Reply,
    Request,
    Sampling,
    backends,
    identity,
    open_model,
)
from semcoder.nano.notation import IDS
from semcoder.prompts import load_profile
from tests.servers import Scripted, echo
from tests.tiny import tiny_model

#: Texts that are drawn or asked for at a time, in all models here.
AT_ONCE = 2
#: Requests that may be taken beyond the replies that were handed on.
AHEAD = 2 * AT_ONCE


@pytest.fixture(scope="module")
def specs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, tuple[str, dict[str, Any]]]]:
    """A spec and options per backend; a new backend is covered as soon as it has a line here, and fails until then."""
    with Scripted(echo) as server:
        yield {
            "hf": (f"hf:{tiny_model(tmp_path_factory.mktemp('tiny'))}", {"batch_size": AT_ONCE}),
            "nano": (f"nano:{nano_folder(tmp_path_factory)}", {"batch_size": AT_ONCE, "decoder": Guessing()}),
            "openai": (f"openai:echo@{server.url}", {"concurrency": AT_ONCE}),
        }


def nano_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("nano")
    (folder / "config.json").write_text("{}")
    return folder


class Guessing:
    """Writes that the first instruction returns a number, which hangs on the prompt and the seed."""

    context = 2048

    def stream(self, prompt: Sequence[int], *, max_new: int, stop: Collection[int] = ()) -> Iterator[int]:
        yield from self.batch([prompt], max_new=max_new, stop=stop)[0]

    def batch(
        self,
        prompts: Sequence[Sequence[int]],
        *,
        max_new: int,
        stop: Collection[int] = (),
        temperature: float = 0.0,
        seed: int = 0,
    ) -> list[list[int]]:
        numbers = [random.Random(repr((prompt, seed))).randrange(100, 1000) for prompt in prompts]
        return [[IDS[token] for token in ("L0", "return", *str(number))][:max_new] for number in numbers]


KINDS = ("hf", "nano", "openai")


@pytest.fixture(params=[*KINDS, *(f"{kind}, cached and metered" for kind in KINDS)])
def model(specs: dict[str, Any], request: pytest.FixtureRequest, tmp_path: Path) -> Model:
    kind, _, wrapped = request.param.partition(",")
    spec, options = specs[kind]
    model = open_model(spec, **options)
    return Metered(Cached(model, tmp_path / "replies.db")) if wrapped else model


def ask(text: str, **how: Any) -> Request:
    return Request((Message("user", question(text)),), sampling=Sampling(**{"max_tokens": 6, **how}))


def question(text: str) -> str:
    """What each kind of model can answer, with a text in it."""
    return load_profile("nano").forward("def f(text):\n    return text\n", f"f('{text}')")


def test_every_backend_has_a_spec_here(specs: dict[str, Any]) -> None:
    assert sorted(backends()) == sorted(specs)


def test_has_the_name_it_is_found_by_and_an_identity(specs: dict[str, Any]) -> None:
    for kind, (spec, options) in specs.items():
        model = open_model(spec, **options)
        assert model.name == kind
        assert backends()[kind] is type(model)
        assert identity(model) == identity(open_model(spec)) != kind
        assert spec.partition(":")[2] in repr(model)


def test_one_reply_for_each_request(model: Model) -> None:
    requests = [ask(f"question {k}") for k in range(7)] + [
        Request(text=question("def"), sampling=Sampling(max_tokens=4))
    ]
    replies = list(model.generate(requests))
    assert sorted(place for place, _ in replies) == list(range(8))
    for _, reply in replies:
        assert reply.error == ""
        assert len(reply.completions) == 1
        assert reply.completions[0].text
        assert reply.prompt_tokens > 0
        assert reply.completion_tokens > 0


def test_replies_do_not_depend_on_the_order(model: Model) -> None:
    requests = [ask(f"question {k}" * (k + 1), temperature=0.9 * (k % 2), seed=k) for k in range(6)]
    forward = texts(model, requests)
    backward = texts(model, requests[::-1])
    assert forward == {5 - place: found for place, found in backward.items()}


def texts(model: Model, requests: list[Request]) -> dict[int, list[str]]:
    return {place: [one.text for one in reply.completions] for place, reply in model.generate(requests)}


def test_several_texts(model: Model) -> None:
    replies = dict(model.generate([ask("one"), ask("many", n=5, temperature=1.0, seed=3, max_tokens=12)]))
    assert len(replies[0].completions) == 1
    assert len({one.text for one in replies[1].completions}) == 5


def test_a_request_that_cannot_be_sent_is_an_error_among_the_others(model: Model) -> None:
    replies = dict(model.generate([ask("a"), ask("\ud800"), Request(text="\udfff"), ask("b")]))
    assert [bool(replies[place].error) for place in range(4)] == [False, True, True, False]
    assert not replies[1].completions


def test_requests_are_taken_lazily(model: Model) -> None:
    taken = 0

    def requests() -> Iterator[Request]:
        nonlocal taken
        for k in range(100_000):
            taken += 1
            yield ask(f"question {k}")

    replies = model.generate(requests())
    assert taken == 0
    for handed_on in range(10):
        next(replies)
        assert taken <= handed_on + AHEAD
    close(replies)
    assert taken <= 10 + AHEAD


def test_closing_leaves_nothing_behind(model: Model) -> None:
    next(model.generate([ask("load")]))
    before = set(threading.enumerate())
    for asked in (0, 1, 3):
        replies = model.generate(ask(f"question {k}") for k in range(50))
        for _ in range(asked):
            next(replies)
        close(replies)
        assert list(replies) == []
    left = {thread.name for thread in set(threading.enumerate()) - before}
    assert not [name for name in left if name.startswith(("semcoder", "asyncio"))]
    assert len(dict(model.generate([ask("again")]))) == 1


def close(replies: Iterator[tuple[int, Reply]]) -> None:
    replies.close()  # type: ignore[attr-defined]


def test_no_requests_no_replies(model: Model) -> None:
    assert list(model.generate([])) == []


def test_an_error_of_the_requests_is_raised(model: Model) -> None:
    def requests() -> Iterator[Request]:
        yield ask("a")
        raise KeyError("the caller's own")

    with pytest.raises(KeyError, match="own"):
        list(model.generate(requests()))


@pytest.mark.parametrize(
    "spec",
    [
        "",
        "hf",
        "hf:",
        "hf:/no/such/folder",
        "nano:/no/such/folder",
        "openai:",
        "openai:@http://localhost/v1",
        "nosuch:model",
        "gpt-4",
    ],
)
def test_a_wrong_spec_says_what_to_write(spec: str) -> None:
    with pytest.raises(UsageError, match=r"\w+:(NAME|PATH)"):
        open_model(spec)


def test_an_option_that_is_none(specs: dict[str, Any]) -> None:
    for spec, _ in specs.values():
        with pytest.raises(UsageError, match="colour"):
            open_model(spec, colour="red")


def test_importing_loads_no_backend_library() -> None:
    heavy = "openai torch transformers tokenizers httpx httpx2 jinja2 numpy"
    program = (
        "import sys, semcoder, semcoder.models as models; models.backends(); "
        "models.open_model('hf:some/name'); models.open_model('openai:name'); "
        f"print([name for name in {heavy.split()} if name in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"

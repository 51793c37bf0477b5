"""A real model behind a real server, `transformers serve`, asked over HTTP and asked here: the same texts."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from semcoder.models import Cached, Message, Metered, Request, Sampling, open_model
from tests.tiny import tiny_model

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_model(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="module")
def url(folder: Path) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    program = str(Path(sys.executable).parent / "transformers")
    command = [program, "serve", str(folder), "--port", str(port), "--device", "cpu"]
    log = folder / "serve.log"
    with log.open("w") as out:
        server = subprocess.Popen(command, stdout=out, stderr=out, env={**os.environ, "HF_HUB_OFFLINE": "1"})
    try:
        for _ in range(600):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            assert server.poll() is None, log.read_text()
            time.sleep(0.2)
        yield f"http://localhost:{port}/v1"
    finally:
        server.terminate()
        server.wait(30)


def test_the_same_texts_over_http_and_here(folder: Path, url: str, tmp_path: Path) -> None:
    served = Metered(Cached(open_model(f"openai:{folder}@{url}", concurrency=3), tmp_path / "replies.db"))
    how = Sampling(max_tokens=16)
    requests = [
        *(Request((Message("system", "s"), Message("user", f"question {k}")), sampling=how) for k in range(6)),
        *(Request(text=text, sampling=how) for text in ("def f(x):", "for item in", "é😀")),
        Request((Message("user", "stop"),), sampling=Sampling(max_tokens=16, stop=("e", "\n", "a"))),
    ]
    there = dict(served.generate(requests))
    here = dict(open_model(f"hf:{folder}").generate(requests))
    assert len(there) == len(requests)
    for place, reply in here.items():
        assert there[place].completions == reply.completions, place
        assert there[place].prompt_tokens == reply.prompt_tokens
        assert there[place].completion_tokens == reply.completion_tokens
    assert all(reply.cached for reply in dict(served.generate(requests)).values())
    assert served.usage.cached == len(requests)


def test_a_server_that_ignores_n(folder: Path, url: str) -> None:
    how = Sampling(max_tokens=16, temperature=1.0, n=3, seed=5)
    model = open_model(f"openai:{folder}@{url}", concurrency=1)
    ((_, first),) = model.generate([Request((Message("user", "q"),), sampling=how)])
    assert len({one.text for one in first.completions}) == 3


def test_a_model_that_is_not_there(url: str) -> None:
    ((_, reply),) = open_model(f"openai:some/other@{url}").generate([Request(text="x")])
    assert reply.error.startswith("status 400: Server is pinned to")

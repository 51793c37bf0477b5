"""Replies that were paid for once: what is stored, by whom it is seen, what survives, and what it costs."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from semcoder.errors import InputError, UsageError
from semcoder.models import Cached, Completion, Message, Metered, Reply, Request, Sampling, Usage


class Fake:
    """A model that keeps what it was asked, works on `ahead` requests at a time, and answers them last first."""

    name = "fake"

    def __init__(self, identity: str = "fake", ahead: int = 1, error: str = "") -> None:
        self.identity = identity
        self.asked: list[str] = []
        self.closed = 0
        self._ahead = ahead
        self._error = error

    def generate(self, requests: Iterable[Request]) -> Iterator[tuple[int, Reply]]:
        places = enumerate(requests)
        try:
            while batch := list(islice(places, self._ahead)):
                self.asked += [request.text for _, request in batch]
                for place, request in reversed(batch):
                    if self._error:
                        yield place, Reply(error=self._error, prompt_tokens=5)
                    else:
                        texts = (f"{request.text}:{k}" for k in range(request.sampling.n))
                        yield place, Reply(tuple(map(Completion, texts)), 3, 2)
        finally:
            self.closed += 1


def ask(*texts: str) -> list[Request]:
    return [Request(text=text) for text in texts]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "replies.db"


def run(model: Any, requests: Iterable[Request]) -> list[Reply]:
    found = dict(model.generate(requests))
    return [found[place] for place in range(len(found))]


def test_what_was_asked_is_not_asked_again(path: Path) -> None:
    fake = Fake(ahead=2)
    first = run(Cached(fake, path), ask("a", "b", "c"))
    assert not [reply for reply in first if reply.cached]
    second = run(Cached(fake, path), ask("c", "d", "a"))
    assert second == [replace(first[2], cached=True), Reply((Completion("d:0"),), 3, 2), replace(first[0], cached=True)]
    assert fake.asked == ["a", "b", "c", "d"]


def test_everything_that_texts_depend_on_is_in_the_key(path: Path) -> None:
    how = Sampling()
    different = [
        Request(text="a"),
        Request((Message("user", "a"),)),
        Request((Message("system", "a"),)),
        Request((Message("user", "a"), Message("user", "a"))),
        *(
            Request(text="a", sampling=replace(how, **change))
            for change in (
                {"max_tokens": 5},
                {"temperature": 0.5},
                {"top_p": 0.5},
                {"stop": ("x",)},
                {"stop": ("x", "y")},
                {"seed": 0},
                {"seed": 1},
                {"n": 2},
            )
        ),
    ]
    fake = Fake()
    model = Cached(fake, path)
    assert not [reply for reply in run(model, different) if reply.cached]
    assert all(reply.cached for reply in run(model, different))
    assert run(model, [Request(text="a", sampling=Sampling(temperature=0))])[0].cached
    assert not run(Cached(Fake("another model"), path), ask("a"))[0].cached


def test_texts_come_back_as_they_were(path: Path) -> None:
    reply = Reply((Completion("é\0\u2028 \x1b", "length"), Completion("😀", "stop")), 10**9, 0)

    class One(Fake):
        def generate(self, requests: Iterable[Request]) -> Iterator[tuple[int, Reply]]:
            yield from ((place, reply) for place, _ in enumerate(requests))

    model = Cached(One(), path)
    assert run(model, ask("\ud800"))[0] == reply
    assert run(model, ask("\ud800"))[0] == replace(reply, cached=True)


def test_errors_are_not_stored(path: Path) -> None:
    assert run(Cached(Fake(error="busy"), path), ask("a"))[0].error == "busy"
    assert run(Cached(Fake(), path), ask("a"))[0].completions


def test_the_same_request_is_on_its_way_once(path: Path) -> None:
    fake = Fake(ahead=3)
    replies = run(Cached(fake, path), ask("a", "a", "b", "a", "c", "d", "d"))
    assert fake.asked == ["a", "b", "c", "d"]
    assert [reply.completions[0].text[0] for reply in replies] == list("aabacdd")
    assert [reply.cached for reply in replies] == [False, True, False, True, False, False, True]
    meter = Metered(Cached(Fake(ahead=3, error="no"), path))
    assert [reply.error for reply in run(meter, ask("x", "x"))] == ["no", "no"]
    assert meter.usage.prompt_tokens == 5


def test_replies_from_the_file_do_not_wait_for_the_model(path: Path) -> None:
    model = Cached(Fake(), path)
    run(model, ask("a", "b"))
    stream = model.generate(iter(ask("a", "b", "new")))
    assert [next(stream)[0], next(stream)[0]] == [0, 1]
    assert len(model.model.asked) == 2  # type: ignore[attr-defined]


@pytest.mark.parametrize("new", [0, 1000])
def test_requests_are_taken_lazily(new: int, path: Path) -> None:
    fake = Fake(ahead=4)
    model = Cached(fake, path)
    run(model, ask(*map(str, range(200))))
    taken = 0

    def requests() -> Iterator[Request]:
        nonlocal taken
        for k in range(100_000):
            taken += 1
            # One request that the file does not answer, then many that it does.
            yield Request(text=str(k % 200 if k % 300 else new + k))

    stream = model.generate(requests())
    most = 0
    for handed_on in range(2000):
        next(stream)
        most = max(most, taken - handed_on)
    stream.close()  # type: ignore[attr-defined]
    assert most < 100
    assert fake.closed > 1


def test_a_reply_is_stored_before_it_is_handed_on(path: Path) -> None:
    stream = Cached(Fake(), path).generate(ask("a", "b"))
    next(stream)
    assert run(Cached(Fake(), path), ask("a"))[0].cached


WORKER = """
import sys
from tests.unit.test_models_cache import Fake, ask
from semcoder.models import Cached
which, path = sys.argv[1:]
model = Cached(Fake(), path)
print("ready", flush=True)
sys.stdin.readline()
for place, reply in model.generate(ask(*(f"{which}{k}" for k in range(100_000 if which == "kill" else 150)))):
    print(place, flush=True)
"""


def worker(which: str, path: Path) -> subprocess.Popen[str]:
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    root = Path(__file__).parents[2]
    return subprocess.Popen([sys.executable, "-c", WORKER, which, str(path)], cwd=root, **pipes)


def test_several_processes_share_a_file_from_its_first_moment(path: Path) -> None:
    workers = [worker(which, path) for which in ("a", "b", "a")]
    for one in workers:
        assert one.stdin is not None
        one.stdin.write("go\n")
        one.stdin.flush()
    for one in workers:
        out, _ = one.communicate(timeout=120)
        # what another process has stored meanwhile comes before what is still asked for
        assert sorted(map(int, out.split()[1:])) == list(range(150))
    replies = run(Cached(Fake(error="asked"), path), ask(*(f"{which}{k}" for which in "ab" for k in range(150))))
    assert all(reply.cached for reply in replies)


def test_a_killed_process_loses_nothing_that_it_handed_on(path: Path) -> None:
    for _ in range(3):
        one = worker("kill", path)
        assert one.stdin is not None
        assert one.stdout is not None
        one.stdin.write("go\n")
        one.stdin.flush()
        lines = [one.stdout.readline() for _ in range(40)]
        os.kill(one.pid, signal.SIGKILL)
        seen = [int(line) for line in [*lines[1:], *one.stdout] if line.endswith("\n")]
        one.wait()
        one.stdin.close()
        one.stdout.close()
        replies = run(Cached(Fake(error="asked"), path), ask(*(f"kill{k}" for k in seen)))
        assert all(reply.cached for reply in replies)
    with sqlite3.connect(path) as base:
        assert base.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    base.close()


def test_threads_share_a_file(path: Path) -> None:
    fake = Fake()
    model = Cached(fake, path)
    found: list[list[Reply]] = []
    threads = [threading.Thread(target=lambda: found.append(run(model, ask(*map(str, range(60)))))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({tuple(reply.completions for reply in replies) for replies in found}) == 1


def test_what_another_process_stored_first_is_what_both_hand_on(path: Path) -> None:
    class Slow(Fake):
        def generate(self, requests: Iterable[Request]) -> Iterator[tuple[int, Reply]]:
            for place, _ in enumerate(requests):
                run(Cached(Fake(), path), ask("a"))
                yield place, Reply((Completion("mine"),), 9, 9)

    reply = run(Cached(Slow(), path), ask("a"))[0]
    assert reply == Reply((Completion("a:0"),), 9, 9)


@pytest.mark.parametrize(
    "content", [b"no database at all, but long enough to be one" * 9, b"SQLite format 3\0" + b"x" * 90]
)
def test_a_file_of_something_else(content: bytes, path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"replies\.db is no cache.*name another file"):
        Cached(Fake(), path)
    assert path.read_bytes() == content


def test_somebody_elses_database(path: Path) -> None:
    path.parent.mkdir()
    with sqlite3.connect(path) as base:
        base.execute("CREATE TABLE theirs (x)")
    base.close()
    before = path.read_bytes()
    with pytest.raises(InputError, match="of something else"):
        Cached(Fake(), path)
    assert path.read_bytes() == before


@pytest.mark.slow
@pytest.mark.parametrize("damage", ["cut off", "overwritten"])
def test_a_damaged_file(damage: str, path: Path) -> None:
    texts = [str(k) * 40 for k in range(500)]
    run(Cached(Fake(), path), ask(*texts))
    size = path.stat().st_size
    with path.open("r+b") as file:
        if damage == "cut off":
            file.truncate(size // 2)
        else:
            file.seek(8192)
            file.write(b"\xa5" * (size - 8192))
    with pytest.raises(InputError, match=r"replies\.db is no cache of replies, or damaged"):
        run(Cached(Fake(), path), ask(*texts))


@pytest.mark.parametrize("row", ["", "{}", "[1]", '{"texts": 5, "tokens": [1, 2]}', "[" * 100_000, b"\xff"])
def test_a_damaged_row(row: str | bytes, path: Path) -> None:
    model = Cached(Fake(), path)
    run(model, ask("a"))
    with sqlite3.connect(path) as base:
        base.execute("UPDATE replies SET reply = ?", (row,))
    base.close()
    with pytest.raises(InputError, match="a row holds no reply"):
        run(model, ask("a"))


def test_files_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="cannot be made"):
        Cached(Fake(), tmp_path / "file" / "replies.db")
    with pytest.raises(UsageError, match="cannot be used: unable to open"):
        Cached(Fake(), tmp_path)


def test_the_requests_own_errors_are_not_told_as_the_files(path: Path) -> None:
    def requests() -> Iterator[Request]:
        yield from ask("a")
        raise OSError("the caller's own")

    with pytest.raises(OSError, match="own"):
        run(Cached(Fake(), path), requests())


def test_closing_closes_the_model(path: Path) -> None:
    fake = Fake()
    stream = Metered(Cached(fake, path)).generate(ask(*"abc"))
    next(stream)
    stream.close()  # type: ignore[attr-defined]
    assert fake.closed == 1


def test_the_meter(path: Path) -> None:
    meter = Metered(Cached(Fake(), path), price=(2.0, 10.0))
    run(meter, ask("a", "b", "a"))
    run(meter, ask("c"))
    assert replace(meter.usage, cost=0.0) == Usage(4, 1, 0, 9, 6)
    assert meter.usage.cost == pytest.approx(9 * 2e-6 + 6 * 10e-6)
    assert (meter.name, meter.identity) == ("fake", "fake")
    failing = Metered(Fake(error="no"), price=(1e6, 0))
    run(failing, ask("a"))
    assert failing.usage == Usage(1, 0, 1, 5, 0, 5.0)
    assert Metered(Fake()).usage == Usage()


def test_the_meter_counts_from_several_threads() -> None:
    meter = Metered(Fake())
    threads = [threading.Thread(target=lambda: run(meter, ask(*map(str, range(500))))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert meter.usage.requests == 2000
    assert meter.usage.prompt_tokens == 6000


@pytest.mark.parametrize(
    "wrong",
    [{"max_tokens": 0}, {"n": 0}, {"temperature": -1}, {"temperature": float("nan")}, {"top_p": 0}, {"top_p": 1.1}, {"stop": "END"}, {"stop": ("",)}],
)  # fmt: skip
def test_samplings_that_draw_nothing(wrong: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match=next(iter(wrong))):
        Sampling(**wrong)


def test_a_request_is_one_or_the_other() -> None:
    with pytest.raises(UsageError, match="not both"):
        Request((Message("user", "a"),), "b")

"""Replies that were paid for once, in one sqlite file that any number of processes and threads share.

Guarantees: a reply is in the file before it is handed on; errors are never stored; a process that is killed at any
moment leaves a file that the next one reads; within one `generate`, the same request is on its way only once.
Two processes that ask the same thing at the same time both pay, and both hand on what was stored first. The file holds
replies and hashes, no request and no key. It does not notice that a server changed its model under the same name.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections import deque
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple, get_args

from semcoder.errors import InputError, UsageError
from semcoder.models._protocol import Completion, Finish, Model, Reply, Request, identity, stopping

#: In every key: raising it forgets all that was stored.
_VERSION = 1
#: Marks the file as ours, where sqlite has room for that.
_APPLICATION = 0x53654D43
#: Seconds to wait for another process that writes.
_PATIENCE = 60.0
#: Replies that may wait for one of the model: those from the file, and those of requests that are on their way already.
_WAITING = 64


class Cached:
    """`model`, asked only what the file at `path` does not answer.

    The file is made where there is none, with its folders. Raises `InputError` where there is something else or what
    sqlite cannot read any more, `UsageError` where the file cannot be opened or written.
    """

    def __init__(self, model: Model, path: str | Path) -> None:
        self.model = model
        self.name = model.name
        self.path = Path(path)
        with closing(_File(self.path)):
            pass

    @property
    def identity(self) -> str:
        """The model's own: a cache changes no reply."""
        return identity(self.model)

    def __repr__(self) -> str:
        return f"Cached({self.model!r}, {str(self.path)!r})"

    def generate(self, requests: Iterable[Request]) -> Iterator[tuple[int, Reply]]:
        """As the model's own, with `cached` replies among them. Up to 64 of these wait while the model works."""
        with closing(_File(self.path)) as file:
            run = _Run(file, identity(self.model), requests)
            while (first := (yield from run.until_miss())) is not None:
                replies = self.model.generate(run.misses(first))
                with stopping(replies):
                    for number, reply in replies:
                        yield from run.answered(number, reply)
                yield from run.ready()


class _Miss(NamedTuple):
    key: bytes
    place: int
    request: Request


class _Run:
    """One pass over requests: which are in the file, which are on their way to the model."""

    def __init__(self, file: _File, owner: str, requests: Iterable[Request]) -> None:
        self._file = file
        self._owner = owner
        self._requests = enumerate(requests)
        #: By the model's number of a request on its way: its key; by key: the places that ask it.
        self._keys: dict[int, bytes] = {}
        self._places: dict[bytes, list[int]] = {}
        self._ready: deque[tuple[int, Reply]] = deque()
        self._twice = 0

    def until_miss(self) -> Generator[tuple[int, Reply], None, _Miss | None]:
        """Replies from the file, up to the first request that it does not answer."""
        for place, request in self._requests:
            key = _key(self._owner, request)
            reply = self._file.get(key)
            if reply is None:
                return _Miss(key, place, request)
            yield place, reply
        return None

    def misses(self, miss: _Miss | None) -> Iterator[Request]:
        """The requests for the model, `miss` first. Ends when too many replies wait for it: it is started anew then."""
        number = 0
        while miss is not None:
            self._keys[number] = miss.key
            self._places[miss.key] = [miss.place]
            yield miss.request
            number += 1
            miss = self._next_miss()

    def _next_miss(self) -> _Miss | None:
        while len(self._ready) + self._twice < _WAITING and (item := next(self._requests, None)):
            place, request = item
            key = _key(self._owner, request)
            if key in self._places:
                self._places[key].append(place)
                self._twice += 1
            elif (reply := self._file.get(key)) is not None:
                self._ready.append((place, reply))
            else:
                return _Miss(key, place, request)
        return None

    def answered(self, number: int, reply: Reply) -> Iterator[tuple[int, Reply]]:
        """The model's reply, stored; for all who asked the same; then what waited for it."""
        key = self._keys.pop(number)
        if not reply.error:
            reply = self._file.put(key, reply)
        first, *others = self._places.pop(key)
        self._twice -= len(others)
        yield first, reply
        again = Reply(error=reply.error) if reply.error else replace(reply, cached=True)
        for place in others:
            yield place, again
        yield from self.ready()

    def ready(self) -> Iterator[tuple[int, Reply]]:
        while self._ready:
            yield self._ready.popleft()


def _key(owner: str, request: Request) -> bytes:
    """Of everything that the texts depend on. Escapes keep lone surrogates, which UTF-8 could not."""
    how = request.sampling
    whole = [
        [_VERSION, owner],
        [[message.role, message.content] for message in request.messages],
        request.text,
        [how.max_tokens, float(how.temperature), float(how.top_p), list(how.stop), how.seed, how.n],
    ]
    return hashlib.sha256(json.dumps(whole, ensure_ascii=True).encode("ascii")).digest()


class _File:
    """A connection to the file, with sqlite's errors told as ours."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with self._told():
            path.parent.mkdir(parents=True, exist_ok=True)
            # The generator that holds the connection may be driven from one thread and closed from another.
            self._base = sqlite3.connect(path, timeout=_PATIENCE, isolation_level=None, check_same_thread=False)
        try:
            with self._told():
                self._prepare()
        except BaseException:
            self._base.close()
            raise

    def close(self) -> None:
        self._base.close()

    def get(self, key: bytes) -> Reply | None:
        """The reply that is stored, marked as `cached`."""
        with self._told():
            row = self._base.execute("SELECT reply FROM replies WHERE key = ?", (key,)).fetchone()
            return None if row is None else _decoded(row[0])

    def put(self, key: bytes, reply: Reply) -> Reply:
        """The reply, now on disk; with the texts of the one that another process stored before, if there is one."""
        with self._told():
            row = (key, _encoded(reply))
            if self._base.execute("INSERT OR IGNORE INTO replies VALUES (?, ?)", row).rowcount:
                return reply
        earlier = self.get(key)
        return replace(reply, completions=earlier.completions) if earlier else reply

    def _prepare(self) -> None:
        """The table, in a new file; a check that it is ours, in an old one."""
        # sqlite's rollback journal, not its WAL: one file at rest, and it works on network file systems.
        self._base.execute("PRAGMA synchronous = NORMAL")
        if self._mark() == _APPLICATION:
            return
        # Another process may be at the same point: whoever comes second finds the table.
        self._base.execute("BEGIN IMMEDIATE")
        if self._mark() != _APPLICATION:
            if self._base.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
                raise InputError(f"{self._path} is a database of something else, not a cache of replies: {_AWAY}")
            self._base.execute("CREATE TABLE replies (key BLOB PRIMARY KEY, reply TEXT NOT NULL) WITHOUT ROWID")
            self._base.execute(f"PRAGMA application_id = {_APPLICATION}")
        self._base.execute("COMMIT")

    def _mark(self) -> int:
        return int(self._base.execute("PRAGMA application_id").fetchone()[0])

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise UsageError(f"the cache {self._path} cannot be made: {error.strerror}") from None
        except sqlite3.OperationalError as error:
            raise UsageError(f"the cache {self._path} cannot be used: {error}") from None
        except (sqlite3.DatabaseError, _Damaged) as error:
            raise InputError(f"{self._path} is no cache of replies, or damaged ({error}): {_AWAY}") from None


_AWAY = "name another file, or remove this one"


_FINISHES: dict[str, Finish] = {finish: finish for finish in get_args(Finish)}


class _Damaged(Exception):
    """A row that holds no reply."""


def _encoded(reply: Reply) -> str:
    texts = [[completion.text, completion.finish] for completion in reply.completions]
    return json.dumps({"texts": texts, "tokens": [reply.prompt_tokens, reply.completion_tokens]}, ensure_ascii=True)


def _decoded(stored: object) -> Reply:
    try:
        if not isinstance(stored, str):
            raise TypeError
        row = json.loads(stored)
        texts = tuple(Completion(text, _FINISHES.get(finish, "stop")) for text, finish in row["texts"])
        prompt, completion = map(int, row["tokens"])
    except (ValueError, TypeError, KeyError, RecursionError):
        raise _Damaged("a row holds no reply") from None
    return Reply(texts, prompt, completion, cached=True)

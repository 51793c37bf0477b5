"""Rows of tokens on disk and on their way into batches, while others are still being made.

    NNNNNN.npy    uint16, rows one after another; a row is its prompt, a token that opens the answer, the answer, EOS
    log.jsonl     a line a shard: its number, rows, tokens, seconds, the process that made it (or what went wrong)
    stop          a file that makes the writers stop after the shard they are at

Guarantees: a shard is there whole or not at all, and its content depends on its number alone if `make` does. The reader
puts every row whole into one pack, once a pass, and a folder that nobody writes to gives the same batches in the same
order, also when reading goes on from a `Place`. Where new shards come too late the reader repeats old ones in a new
order, and counts that; then batches depend on who was faster.
Rows too long for a pack and rows without an answer are counted and left out. EOS ends a row wherever it stands.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import queue
import re
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from itertools import islice
from multiprocessing.process import BaseProcess
from multiprocessing.sharedctypes import Synchronized
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semcoder.errors import InputError, UsageError

Ints = NDArray[np.integer[Any]]
Row = Sequence[int] | Ints
#: Makes the rows of one shard from its number; more than `rows_per_shard` are not asked for.
Make = Callable[[int], Iterable[Row]]

#: A target that no loss is taken of.
IGNORED = -100
_SHARD = re.compile(r"(\d{6,})\.npy")
_STOP, _LOG = "stop", "log.jsonl"
#: A writer that fails so often in a row gives up.
_FAILURES = 5
#: Seconds between two looks at a folder for new shards.
_POLL = 0.05


# Writing -------------------------------------------------------------------------------------------------------------


def shard_path(folder: Path, number: int) -> Path:
    """Where the shard of a number is."""
    return folder / f"{number:06d}.npy"


def write_shard(folder: Path, number: int, rows: Iterable[Row]) -> tuple[int, int]:
    """Writes a shard; returns how many rows and tokens it has. Raises `ValueError` for ids beyond uint16."""
    parts = [np.asarray(row, np.int64) for row in rows]
    flat = np.concatenate(parts) if parts else np.zeros(0, np.int64)
    if len(flat) and not 0 <= int(flat.min()) <= int(flat.max()) < 1 << 16:
        raise ValueError(f"shard {number}: token ids from {flat.min()} to {flat.max()}, not all in 0..65535")
    path = shard_path(folder, number)
    aside = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    with aside.open("wb") as file:
        np.save(file, flat.astype(np.uint16))
    aside.replace(path)
    return len(parts), len(flat)


def fill(
    folder: Path, make: Make, *, first: int, shards: int, processes: int, rows_per_shard: int, niceness: int = 10
) -> int:
    """Has processes make shards `first` to `first + shards - 1`; returns how many are there at the end.

    Shards that are there already are left alone; a failure of `make` is a line in the log and a shard that is missing.
    Returns when all are done or `stop` is in the folder. Processes are forked: `make` may be any callable.
    """
    folder.mkdir(parents=True, exist_ok=True)
    context = multiprocessing.get_context("fork")
    number = context.Value("q", first)
    work = _Work(folder, make, first + shards, rows_per_shard, niceness)
    crew = [context.Process(target=_write, args=(work, number, place), daemon=True) for place in range(processes)]
    for worker in crew:
        worker.start()
    _wait(crew)
    return sum(shard_path(folder, place).exists() for place in range(first, first + shards))


def ask_to_stop(folder: Path) -> None:
    """Makes the writers of a folder stop after the shard they are at."""
    (folder / _STOP).touch()


def _wait(crew: Sequence[BaseProcess]) -> None:
    try:
        for worker in crew:
            worker.join()
    finally:
        for worker in crew:
            if worker.is_alive():
                worker.terminate()
    lost = [worker.exitcode for worker in crew if worker.exitcode]
    if lost:
        print(f"{len(lost)} of {len(crew)} writers ended early (exit codes {sorted(set(lost))})", file=sys.stderr)


@dataclass(frozen=True)
class _Work:
    """What the writers of a folder share."""

    folder: Path
    make: Make
    end: int
    rows: int
    niceness: int


def _write(work: _Work, number: Synchronized[int], place: int) -> None:
    """One writer: takes the next number until there is none, or it is told to stop."""
    os.nice(work.niceness)
    parent, failures = os.getppid(), 0
    # a writer whose parent was killed has another: it must not go on for ever
    while failures < _FAILURES and not (work.folder / _STOP).exists() and os.getppid() == parent:
        with number.get_lock():
            mine, number.value = number.value, number.value + 1
        if mine >= work.end:
            return
        if shard_path(work.folder, mine).exists():
            continue
        start = time.monotonic()
        try:
            rows, tokens = write_shard(work.folder, mine, islice(work.make(mine), work.rows))
            _log(work.folder, shard=mine, rows=rows, tokens=tokens, seconds=_since(start), writer=place)
            failures = 0
        except Exception as error:  # one bad shard must not cost the others: it is logged and left out
            _log(work.folder, shard=mine, error=repr(error), seconds=_since(start), writer=place)
            failures += 1
    if failures:
        sys.exit(1)


def _since(start: float) -> float:
    return round(time.monotonic() - start, 3)


def _log(folder: Path, **line: Any) -> None:
    # one write of a short line to a file opened for appending: lines of several processes do not mix
    with (folder / _LOG).open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")


# Rows ----------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Tokens:
    """What the reader must know of the vocabulary. `answers`: ids that open an answer; the first in a row counts."""

    pad: int = 0
    eos: int = 1
    answers: tuple[int, ...] = (2,)


@dataclass(slots=True)
class Rows:
    """Rows side by side: `flat` tokens; per row its start, length, where its answer opens, what opens it, its name.

    `opened` counts from the row's start; `kinds` is the place of the opening token in `Tokens.answers`; `names` has
    the shard and the row's number in it, [rows, 2].
    """

    flat: Ints
    starts: Ints
    lengths: Ints
    opened: Ints
    kinds: Ints
    names: Ints

    def __len__(self) -> int:
        return len(self.starts)

    def chosen(self, which: Ints) -> Rows:
        """Some of the rows; the tokens stay."""
        return Rows(
            self.flat, self.starts[which], self.lengths[which], self.opened[which], self.kinds[which], self.names[which]
        )


def split(flat: Ints, shard: int, tokens: Tokens) -> Rows:
    """The rows of a shard. What follows the last EOS is no row; a row without an answer has `kinds` -1."""
    ends = np.flatnonzero(flat == tokens.eos) + 1
    starts = np.concatenate([[0], ends])[:-1] if len(ends) else ends
    kind_of = np.full(1 << 16, -1)
    kind_of[list(tokens.answers)] = np.arange(len(tokens.answers))
    openings = np.flatnonzero((kind_of >= 0)[flat])
    at = np.append(openings, len(flat))[np.searchsorted(openings, starts)]
    answered = at < ends - 1
    kinds = np.where(answered, kind_of[flat[np.minimum(at, len(flat) - 1)]], -1)
    names = np.stack([np.full(len(starts), shard), np.arange(len(starts))], axis=1)
    return Rows(flat, starts, ends - starts, np.where(answered, at - starts, 0), kinds, names)


def joined(parts: Sequence[Rows]) -> Rows:
    """Rows of several shards as one."""
    bases = np.cumsum([0] + [len(part.flat) for part in parts[:-1]])
    return Rows(
        np.concatenate([part.flat for part in parts]),
        np.concatenate([part.starts + base for part, base in zip(parts, bases, strict=True)]),
        np.concatenate([part.lengths for part in parts]),
        np.concatenate([part.opened for part in parts]),
        np.concatenate([part.kinds for part in parts]),
        np.concatenate([part.names for part in parts]),
    )


def pack(lengths: Ints, capacity: int) -> list[list[int]]:
    """Places of rows by pack: longest first, each into the fullest pack that has room (best fit decreasing).

    No length may be beyond `capacity`.
    """
    packs: list[list[int]] = []
    room: list[list[int]] = [[] for _ in range(capacity + 1)]  # packs by the room they have
    some = 0  # bit r is set where a pack has room r
    order = np.argsort(-lengths, kind="stable")
    for place, length in zip(order.tolist(), lengths[order].tolist(), strict=True):
        fits = some >> length
        if fits:
            left = length + (fits & -fits).bit_length() - 1
            number = room[left].pop()
            if not room[left]:
                some &= ~(1 << left)
            packs[number].append(place)
        else:
            left, number = capacity, len(packs)
            packs.append([place])
        if left > length:
            room[left - length].append(number)
            some |= 1 << (left - length)
    return packs


# Batches -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Place:
    """Where reading is: before batch `batch` of a chunk of shards. JSON by `asdict`.

    `shards` are the chunk's own, `repeated` those of them that were read before; `carry` names rows (shard, row) that
    the chunk before left over; `read` are the shards read before the chunk, `waiting` those to be repeated after it.
    """

    chunk: int = 0
    batch: int = 0
    shards: tuple[int, ...] = ()
    repeated: tuple[int, ...] = ()
    carry: tuple[tuple[int, int], ...] = ()
    read: tuple[int, ...] = ()
    waiting: tuple[int, ...] = ()

    @classmethod
    def of(cls, doc: dict[str, Any]) -> Place:
        """A place from its JSON document."""
        plain: dict[str, Any] = {name: tuple(part) if isinstance(part, list) else part for name, part in doc.items()}
        return cls(**plain | {"carry": tuple((int(shard), int(row)) for shard, row in doc["carry"])})


@dataclass(slots=True)
class Batch:
    """Packed rows. `parts` is int32 [4, rows, length]: ids, targets (or `IGNORED`), documents, kinds.

    A row's EOS is a target and no input. Documents count up within a row of the batch; padding is one of its own.
    `tokens` are those that are no padding, `targets` those a loss is taken of, `squares` the sum over documents of
    their length squared (what attention costs), `again` the tokens of repeated rows, `after` where reading is then.
    """

    parts: Any
    tokens: int
    targets: int
    squares: int
    again: int
    after: Place


@dataclass(slots=True)
class Counts:
    """What the reader has met so far."""

    rows: int = 0
    too_long: int = 0
    unanswered: int = 0
    shards: int = 0
    repeated_shards: int = 0
    places: int = 0
    padding: int = 0


@dataclass(frozen=True, slots=True)
class Reading:
    """How rows are read: batches of `rows` packs of `length`, packed among at least `among` rows where there are those.

    `ahead`: batches kept ready. `patience`: seconds that a missing shard is waited for when later ones are there,
    while batches last. `limit`: seconds that a batch is waited for.
    """

    folder: Path
    tokens: Tokens
    rows: int
    length: int
    among: int = 8192
    seed: int = 0
    ahead: int = 32
    patience: float = 5.0
    limit: float = 300.0


def laid_out(rows: Rows, packs: Sequence[Sequence[int]], how: Reading) -> tuple[NDArray[np.int32], int]:
    """Packs as arrays, [4, packs, length], and the sum of squared lengths. A row takes its length less one."""
    shape = (len(packs), how.length)
    parts = np.zeros((4, *shape), np.int32)
    ids, targets, documents, kinds = parts.reshape(4, -1)
    ids[:], targets[:] = how.tokens.pad, IGNORED
    order = np.fromiter((row for pack in packs for row in pack), np.int64)
    lengths = rows.lengths[order] - 1
    sizes = np.fromiter(map(len, packs), np.int64)
    ends = np.cumsum(lengths)
    firsts = np.cumsum(sizes) - sizes
    before = (ends - lengths)[firsts]  # tokens in the packs before
    begins = ends - lengths + np.repeat(np.arange(len(packs)) * how.length - before, sizes)
    inside = np.arange(ends[-1]) - np.repeat(ends - lengths, lengths)
    source, place = np.repeat(rows.starts[order], lengths) + inside, np.repeat(begins, lengths) + inside
    wanted = inside >= np.repeat(rows.opened[order], lengths)
    ids[place] = rows.flat[source]
    targets[place[wanted]] = rows.flat[source[wanted] + 1]
    documents[:] = np.repeat(sizes, how.length)  # padding comes after the last document
    documents[place] = np.repeat(np.arange(len(order)) - np.repeat(firsts, sizes), lengths)
    kinds[place] = np.repeat(rows.kinds[order], lengths)
    padding = how.length - np.add.reduceat(lengths, firsts)
    return parts, int((lengths**2).sum() + (padding**2).sum())


class Reader:
    """Batches of a folder, read and packed by a thread that keeps some ready.

    Iterating waits for the next batch; `waited` is how many seconds it has in all. `close` ends the thread. An error of
    the thread is raised where the next batch is asked for. `prepare` is applied to each batch's `parts` in the thread.
    Raises `UsageError` where none comes within the limit, `InputError` for a file that is no shard.
    """

    def __init__(
        self, how: Reading, *, start: Place | None = None, prepare: Callable[[Any], Any] | None = None
    ) -> None:
        self.how = how
        self.counts = Counts()
        self.waited = 0.0
        self._prepare = prepare
        self._ready: queue.Queue[Batch | BaseException] = queue.Queue(how.ahead)
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(start or Place(),), daemon=True)
        self._thread.start()

    def __iter__(self) -> Iterator[Batch]:
        return self

    def __next__(self) -> Batch:
        start = time.perf_counter()
        try:
            found = self._ready.get(timeout=self.how.limit)
        except queue.Empty:
            raise UsageError(
                f"{self.how.folder}: no new shard in {self.how.limit:.0f} seconds; look at its {_LOG}"
            ) from None
        self.waited += time.perf_counter() - start
        if isinstance(found, BaseException):
            raise found
        return found

    def close(self) -> None:
        """Ends the thread; batches that were ready are lost."""
        self._closed.set()
        while self._thread.is_alive():
            try:
                self._ready.get(timeout=_POLL)
            except queue.Empty:
                pass

    def _run(self, place: Place) -> None:
        try:
            while not self._closed.is_set():
                place = self._chunk(place)
        except _Closed:
            pass
        except BaseException as error:  # told to whoever asks for the next batch, who must not wait for ever
            self._put(error)

    def _put(self, found: Batch | BaseException) -> None:
        while not self._closed.is_set():
            try:
                self._ready.put(found, timeout=0.5)
                return
            except queue.Full:
                pass

    # A chunk: shards, their rows, their packs --------------------------------------------------------------------

    def _chunk(self, place: Place) -> Place:
        """Reads one chunk and hands out its batches from `place.batch` on; returns where the next chunk begins."""
        gathered = _Gathered(place, [self._rows_named(place.carry)] if place.carry else [])
        if place.shards:
            for shard in place.shards:
                gathered.parts.append(self._rows_of(shard))
        else:
            self._gather(gathered)
        rows = joined(gathered.parts)
        repeated = np.isin(rows.names[:, 0], gathered.repeated)
        packs = pack(rows.lengths - 1, self.how.length)
        rng = np.random.default_rng([self.how.seed, place.chunk])
        packs = [packs[int(at)] for at in rng.permutation(len(packs))]
        size = self.how.rows
        whole = len(packs) // size
        here = replace(
            place, shards=tuple(gathered.shards), repeated=tuple(gathered.repeated), waiting=tuple(gathered.waiting)
        )
        left = [row for some in packs[whole * size :] for row in some]
        following = Place(
            chunk=place.chunk + 1,
            carry=tuple((int(shard), int(row)) for shard, row in rows.names[left]),
            read=tuple(dict.fromkeys(gathered.known())),
            waiting=tuple(gathered.waiting),
        )
        for number in range(place.batch, whole):
            after = replace(here, batch=number + 1) if number + 1 < whole else following
            self._put(self._batch(rows, packs[number * size : (number + 1) * size], repeated, after))
        return following

    def _batch(self, rows: Rows, packs: Sequence[Sequence[int]], repeated: NDArray[np.bool_], after: Place) -> Batch:
        parts, squares = laid_out(rows, packs, self.how)
        order = [row for some in packs for row in some]
        lengths = rows.lengths[order] - 1
        tokens = int(lengths.sum())
        self.counts.places += parts[0].size
        self.counts.padding += parts[0].size - tokens
        targets, again = int((parts[1] != IGNORED).sum()), int(lengths[repeated[order]].sum())
        return Batch(self._prepare(parts) if self._prepare else parts, tokens, targets, squares, again, after)

    def _gather(self, gathered: _Gathered) -> None:
        """Fills a chunk: with new shards while there are any; with old ones when batches run out."""
        least = 2 * self.how.rows * self.how.length  # what is left over is less than a batch: every chunk gives one
        missing_since: float | None = None
        while len(gathered) < self.how.among or gathered.tokens() < least:
            if self._closed.is_set():
                raise _Closed
            number, waits = self._next(gathered, missing_since)
            missing_since = (missing_since or time.monotonic()) if waits else None
            enough = gathered.tokens() >= least and not gathered.repeated
            if number is not None:
                self._add(gathered, number, repeated=False)
            elif waits or not gathered.known() or not self._low(2 if enough else 4):
                time.sleep(_POLL)
            elif enough:
                return
            else:
                self._repeat(gathered)

    def _low(self, share: int = 4) -> bool:
        """Whether the batches that are ready are at most this share of what there should be."""
        return self._ready.qsize() <= self.how.ahead // share

    def _next(self, gathered: _Gathered, missing_since: float | None) -> tuple[int | None, bool]:
        """The next new shard to read, and whether one is missing that is still worth waiting for."""
        known = set(gathered.known())
        new = sorted(number for number in _numbers(self.how.folder) if number not in known)
        if not new:
            return None, False
        expected = max(known) + 1 if known else new[0]
        late = missing_since is not None and time.monotonic() - missing_since > self.how.patience
        if new[0] <= expected or late or self._low():
            return new[0], False
        return None, True

    def _repeat(self, gathered: _Gathered) -> None:
        if not gathered.tokens() and len(gathered.repeated) >= len(gathered.known()):
            raise InputError(
                f"{self.how.folder}: none of {self.counts.rows} rows can be used ({self.counts.too_long} too long, "
                f"{self.counts.unanswered} without an answer); check the length and the ids of EOS and ANSWER"
            )
        self._add(gathered, gathered.old(self.how.seed), repeated=True)

    def _add(self, gathered: _Gathered, number: int, *, repeated: bool) -> None:
        gathered.shards.append(number)
        if repeated:
            gathered.repeated.append(number)
        self.counts.shards += 1
        self.counts.repeated_shards += repeated
        gathered.parts.append(self._rows_of(number))

    def _rows_of(self, number: int) -> Rows:
        """The rows of a shard that can be used; the others are counted."""
        path = shard_path(self.how.folder, number)
        try:
            flat = np.load(path)
        except (OSError, ValueError) as error:
            raise InputError(f"{path}: cannot be read as a shard ({error}); delete it, or make it again") from None
        if flat.dtype != np.uint16 or flat.ndim != 1:
            raise InputError(f"{path}: {flat.dtype} of {flat.ndim} dimensions, a shard is uint16 of one; make it again")
        rows = split(flat, number, self.how.tokens)
        long, unanswered = rows.lengths - 1 > self.how.length, rows.kinds < 0
        self.counts.rows += len(rows)
        self.counts.too_long += int(long.sum())
        self.counts.unanswered += int((unanswered & ~long).sum())
        return rows.chosen(np.flatnonzero(~long & ~unanswered))

    def _rows_named(self, names: Sequence[tuple[int, int]]) -> Rows:
        """Rows by shard and number, in that order, with just their tokens."""
        parts = []
        for shard in dict.fromkeys(shard for shard, _ in names):
            flat = np.load(shard_path(self.how.folder, shard))
            rows = split(flat, shard, self.how.tokens).chosen(np.array([row for of, row in names if of == shard]))
            parts.append(rows)
        rows = joined(parts)
        order = {(int(shard), int(row)): place for place, (shard, row) in enumerate(rows.names)}
        return rows.chosen(np.array([order[name] for name in names]))


@dataclass(slots=True)
class _Gathered:
    """A chunk that is being put together."""

    place: Place
    parts: list[Rows]
    shards: list[int] = field(default_factory=list)
    repeated: list[int] = field(default_factory=list)
    waiting: list[int] = field(init=False)

    def __post_init__(self) -> None:
        self.shards, self.repeated = list(self.place.shards), list(self.place.repeated)
        self.waiting = list(self.place.waiting)

    def __len__(self) -> int:
        return sum(map(len, self.parts))

    def tokens(self) -> int:
        return sum(int(part.lengths.sum()) for part in self.parts)

    def known(self) -> list[int]:
        """Shards that have been read, here or before."""
        return list(dict.fromkeys([*self.place.read, *self.shards]))

    def old(self, seed: int) -> int:
        """A shard to repeat: each once, in a new order, before any comes again."""
        if not self.waiting:
            known = sorted(self.known())
            rng = np.random.default_rng([seed, self.place.chunk, len(self.shards), 1])
            self.waiting = [known[int(at)] for at in rng.permutation(len(known))]
        return self.waiting.pop()


class _Closed(Exception):
    """The reader was closed while it waited."""


def _numbers(folder: Path) -> list[int]:
    """The numbers of the shards that are there. Raises `UsageError` where the folder is none."""
    try:
        names = os.listdir(folder)
    except OSError as error:
        raise UsageError(f"{folder}: no folder of shards ({error.strerror}); fill it first, or name another") from None
    return [int(match[1]) for name in names if (match := _SHARD.fullmatch(name))]


def place_document(place: Place) -> dict[str, Any]:
    """A place as JSON."""
    return asdict(place)

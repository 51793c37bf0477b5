"""Training the built-in model: shards, packing, reading on from a place, the optimizer, the schedule, resuming."""

from __future__ import annotations

import json
import math
import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("torch")
import torch

from semcoder.errors import InputError, UsageError
from semcoder.nano import training
from semcoder.nano.network import Network, load
from semcoder.nano.shards import (
    IGNORED,
    Batch,
    Place,
    Reader,
    Reading,
    Tokens,
    ask_to_stop,
    fill,
    laid_out,
    pack,
    place_document,
    shard_path,
    split,
    write_shard,
)
from semcoder.nano.training import Clock, Gradients, Optimizer, Run, Training, Way, main, orthogonal, parsed

TOKENS = Tokens(answers=(2, 3))
Rows = list[list[int]]


def rows_of(number: int, count: int = 60) -> Rows:
    """Rows that say a few tokens backwards, all different."""
    rng = random.Random(number)
    rows = []
    for _ in range(count):
        said = [rng.randrange(10, 60) for _ in range(rng.randint(2, 12))]
        rows.append([*said, rng.choice((2, 3)), *reversed(said), 1])
    return rows


def filled(folder: Path, shards: int, **how: Any) -> Path:
    for number in range(shards):
        write_shard(folder, number, rows_of(number, **how))
    return folder


def rows_in(batch: Batch) -> Rows:
    """The rows that a batch holds, put together again from what it says of them."""
    found = []
    ids, targets, documents, kinds = batch.parts
    for place in range(len(ids)):
        for document in range(documents[place].max() + 1):
            mine = documents[place] == document
            some, wanted = ids[place][mine], targets[place][mine]
            if not some.any():
                continue  # padding
            opens = int(np.flatnonzero(wanted != IGNORED)[0])
            assert (wanted[opens:-1] == some[opens + 1 :]).all()
            assert some[opens] == (2, 3)[int(kinds[place][mine][0])]
            found.append([*some.tolist(), int(wanted[-1])])
    return found


# Packing -------------------------------------------------------------------------------------------------------------


@given(lengths=st.lists(st.integers(1, 50), max_size=60))
def test_every_row_is_in_one_pack_and_none_is_over_its_bound(lengths: list[int]) -> None:
    packs = pack(np.array(lengths, np.int64), 50)
    assert sorted(row for some in packs for row in some) == list(range(len(lengths)))
    assert all(sum(lengths[row] for row in some) <= 50 for some in packs)
    assert len(packs) <= 2 * math.ceil(sum(lengths) / 50) + 1


_said = st.lists(st.integers(10, 60), max_size=9)
_rows = st.lists(st.tuples(_said, st.sampled_from((2, 3)), st.lists(st.integers(2, 60), max_size=9)), min_size=1)


@settings(deadline=None)
@given(rows=_rows)
def test_rows_come_back_from_the_arrays_with_targets_where_answers_are(rows: list[Any]) -> None:
    plain = [[*prompt, opening, *answer, 1] for prompt, opening, answer in rows]
    flat = np.concatenate(plain).astype(np.uint16)
    found = split(flat, 7, TOKENS)
    assert found.opened.tolist() == [len(prompt) for prompt, _, _ in rows]
    how = Reading(Path(), TOKENS, 2, 20)
    packs = pack(found.lengths - 1, how.length)
    parts, squares = laid_out(found, packs, how)
    batch = Batch(parts, 0, 0, 0, 0, Place())
    assert sorted(rows_in(batch)) == sorted(plain)
    targets = parts[1] != IGNORED
    assert targets.sum() == sum(len(answer) + 1 for _, _, answer in rows)
    sizes = [list(Counter(row.tolist()).values()) for row in parts[2]]
    assert squares == sum(size**2 for row in sizes for size in row)
    assert (np.diff(parts[2]) >= 0).all()


def test_rows_without_an_answer_and_what_follows_the_last_end_are_told_apart() -> None:
    flat = np.array([10, 2, 11, 1, 12, 13, 1, 2, 1, 14, 3, 1, 15, 2, 16], np.uint16)
    found = split(flat, 0, TOKENS)
    assert found.kinds.tolist() == [0, -1, 0, 1]
    assert found.lengths.tolist() == [4, 3, 2, 3]
    assert len(split(np.zeros(0, np.uint16), 0, TOKENS)) == 0


# Writing -------------------------------------------------------------------------------------------------------------


def test_writers_fill_a_folder_leave_what_is_there_and_log_each_shard(tmp_path: Path) -> None:
    write_shard(tmp_path, 5, [[10, 2, 1]])
    assert fill(tmp_path, rows_of, first=3, shards=6, processes=2, rows_per_shard=20) == 6
    assert np.load(shard_path(tmp_path, 5)).tolist() == [10, 2, 1]
    assert np.load(shard_path(tmp_path, 4)).tolist() == [token for row in rows_of(4)[:20] for token in row]
    log = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert sorted(line["shard"] for line in log) == [3, 4, 6, 7, 8]
    assert {line["rows"] for line in log} == {20}
    assert not list(tmp_path.glob("*.tmp"))


def test_a_shard_that_cannot_be_made_costs_no_other(tmp_path: Path) -> None:
    def make(number: int) -> Iterator[list[int]]:
        yield [10, 2, 1]
        if number == 2:
            yield [1 << 16, 2, 1]
        if number == 3:
            raise ValueError("no such program")

    assert fill(tmp_path, make, first=0, shards=6, processes=2, rows_per_shard=9) == 4
    log = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    errors = {line["shard"]: line["error"] for line in log if "error" in line}
    assert errors.keys() == {2, 3}
    assert "65536" in errors[2]
    assert "no such program" in errors[3]


def test_writers_stop_when_asked(tmp_path: Path) -> None:
    def make(number: int) -> Rows:
        if number == 3:
            ask_to_stop(tmp_path)
        return rows_of(number)

    assert fill(tmp_path, make, first=0, shards=1000, processes=1, rows_per_shard=9) == 4


# Reading -------------------------------------------------------------------------------------------------------------


def batches(reader: Reader, count: int) -> list[Batch]:
    try:
        return list(islice(reader, count))
    finally:
        reader.close()


def reading(folder: Path, **how: Any) -> Reading:
    return replace(Reading(folder, TOKENS, 4, 64, among=100, ahead=4, patience=0.2, limit=60.0), **how)


def test_one_pass_holds_every_row_once_with_little_padding(tmp_path: Path) -> None:
    filled(tmp_path, 6)
    reader = Reader(reading(tmp_path))
    found: Counter[tuple[int, ...]] = Counter()
    for batch in reader:
        if batch.again:
            break
        found.update(map(tuple, rows_in(batch)))
    reader.close()
    every = Counter(tuple(row) for number in range(6) for row in rows_of(number))
    assert not found - every
    assert sum((every - found).values()) < 80  # a batch's worth at most is left over for the chunk that repeats
    assert reader.counts.padding < 0.05 * reader.counts.places
    assert reader.counts.rows >= sum(every.values())


def test_an_untouched_folder_gives_the_same_batches_and_reading_goes_on_from_any_of_them(tmp_path: Path) -> None:
    filled(tmp_path, 5)
    first = batches(Reader(reading(tmp_path)), 40)
    assert any(batch.again for batch in first)
    assert [one.parts.tolist() for one in batches(Reader(reading(tmp_path)), 40)] == [
        one.parts.tolist() for one in first
    ]
    for stop in (1, 7, 18, 33):
        place = Place.of(json.loads(json.dumps(place_document(first[stop - 1].after))))
        rest = batches(Reader(reading(tmp_path), start=place), 40 - stop)
        assert [one.parts.tolist() for one in rest] == [one.parts.tolist() for one in first[stop:]]


def test_repeated_rows_are_counted_and_come_in_another_order(tmp_path: Path) -> None:
    filled(tmp_path, 2)
    found = batches(Reader(reading(tmp_path)), 40)
    again = [batch for batch in found if batch.again]
    assert sum(batch.tokens for batch in found if not batch.again) <= sum(
        len(row) - 1 for number in range(2) for row in rows_of(number)
    )
    assert len({json.dumps(batch.parts.tolist()) for batch in again}) == len(again)


def test_new_shards_are_taken_before_old_ones_are_repeated(tmp_path: Path) -> None:
    filled(tmp_path, 2)
    reader = Reader(reading(tmp_path))
    while not next(reader).again:
        pass
    write_shard(tmp_path, 2, new := [[40, 41, 42, place, 2, 43, 1] for place in range(10, 40)])
    found: set[tuple[int, ...]] = set()
    while len(found) < len(new):
        found |= {tuple(row) for row in rows_in(next(reader)) if row[:3] == [40, 41, 42]}
    reader.close()
    assert reader.counts.repeated_shards < reader.counts.shards


def test_a_missing_number_is_waited_for_and_then_left_out(tmp_path: Path) -> None:
    filled(tmp_path, 4)
    shard_path(tmp_path, 1).unlink()
    found = batches(Reader(reading(tmp_path)), 12)
    assert 3 in found[-1].after.read + found[-1].after.shards
    assert 1 not in found[-1].after.read


def test_rows_too_long_and_without_answers_are_left_out_and_counted(tmp_path: Path) -> None:
    write_shard(tmp_path, 0, [*rows_of(0), [10] * 80 + [2, 1], [10, 11, 1], [12] * 63 + [2, 1]])
    reader = Reader(reading(tmp_path))
    found = batches(reader, 3)
    assert [10, 11, 1] not in [row for batch in found for row in rows_in(batch)]
    assert reader.counts.too_long == reader.counts.unanswered == reader.counts.shards  # once each time it is read


def test_a_folder_that_holds_nothing_to_learn_from_is_said_to(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no folder of shards"):
        batches(Reader(reading(tmp_path / "none")), 1)
    with pytest.raises(UsageError, match="no new shard"):
        batches(Reader(reading(tmp_path, limit=0.1)), 1)
    write_shard(tmp_path, 0, [[10, 11, 1], [10] * 90 + [2, 1]])
    with pytest.raises(InputError, match=r"none of \d+ rows can be used"):
        batches(Reader(reading(tmp_path)), 1)
    shard_path(tmp_path, 0).write_bytes(b"PK")
    with pytest.raises(InputError, match="cannot be read as a shard"):
        batches(Reader(reading(tmp_path)), 1)
    np.save(shard_path(tmp_path, 0), np.zeros(5))
    with pytest.raises(InputError, match="float64"):
        batches(Reader(reading(tmp_path)), 1)


# The optimizer and the schedule --------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(4, 32, 32), (2, 96, 32), (3, 32, 80)])
def test_updates_are_nearly_orthogonal_whatever_the_gradient(shape: tuple[int, int, int]) -> None:
    torch.manual_seed(0)
    matrices = torch.randn(shape) * torch.logspace(-3, 3, shape[0])[:, None, None]
    found = orthogonal(matrices).float()
    assert found.shape == matrices.shape
    values = torch.linalg.svdvals(found)
    assert 0.3 < float(values.min()) < float(values.max()) < 1.4
    left, _, right = torch.linalg.svd(matrices, full_matrices=False)
    cosine = torch.nn.functional.cosine_similarity(found.flatten(1), (left @ right).flatten(1))
    assert float(cosine.min()) > 0.9


def settings_of(folder: Path, **how: Any) -> Training:
    tiny: dict[str, Any] = {
        "data": folder / "data", "out": folder / "out", "vocab": 64, "width": 32, "layers": 2, "heads": 2, "ffn": 48,
        "length": 64, "rows": 4, "among": 100, "answers": (2, 3), "warmup": 5, "log_every": 4, "device": "cpu",
    }  # fmt: skip
    return Training(**tiny | ({} if "seconds" in how else {"steps": 16}) | how)


@settings(deadline=None)
@given(step=st.integers(0, 2000), steps=st.integers(1, 2000), decay=st.floats(0.0, 1.0))
def test_the_learning_rate_rises_stays_and_falls_to_nothing(step: int, steps: int, decay: float) -> None:
    how = settings_of(Path(), steps=steps, decay=decay, warmup=10)
    scale = Clock(how).scale(min(step, steps))
    assert 0 <= scale <= 1
    if decay and step >= steps:
        assert scale == 0
    if 9 <= step < steps * (1 - decay):
        assert scale == 1
    if step < 9:
        assert scale <= (step + 1) / 10


class _Time:
    """A clock that is set by hand."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 100.0
        monkeypatch.setattr("semcoder.nano.training.time.monotonic", lambda: self.now)
        monkeypatch.setattr(training, "age", lambda: self.now)


def test_a_timed_run_lands_on_nothing_whatever_start_up_took(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock, time = Clock(settings_of(tmp_path, seconds=200.0, reserve=20.0, warmup=0)), _Time(monkeypatch)
    clock.start()  # 100 of 200 seconds are gone, 20 are kept
    assert clock.window == 80
    scales = []
    for time.now in (100, 132, 147.9, 148.1, 164, 179, 180, 190):
        scales.append(round(clock.scale(1000), 2))
    assert scales == [1, 1, 1, 1, 0.5, 0.03, 0, 0]
    assert clock.progress(0) > 1


def test_a_resumed_timed_run_goes_on_where_it_was_or_plans_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    time = _Time(monkeypatch)
    resumed = Clock(settings_of(tmp_path, seconds=200.0, resume=True), window=80.0, before=40.0)
    resumed.start()
    assert resumed.progress(0) == 0.5
    planned = Clock(settings_of(tmp_path, seconds=200.0, resume=True, left=165.0), window=80.0, before=40.0)
    planned.start()
    assert planned.window == 100
    time.now += 60
    assert planned.progress(0) == 1


# Runs ----------------------------------------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "data").mkdir()
    filled(tmp_path / "data", 5)
    return tmp_path


def lines(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "out" / "log.jsonl").read_text().splitlines()]


@pytest.mark.slow
def test_a_run_learns_and_says_what_it_did(folder: Path) -> None:
    result = Run(settings_of(folder, steps=60)).go()
    assert result is not None
    assert json.loads((folder / "out" / "training.json").read_text()) == result | {
        "config": result["config"] | {"answers": [2, 3]}
    }
    log = lines(folder)
    assert [line["step"] for line in log] == list(range(4, 61, 4))
    assert log[-1]["loss"] < 3.6 < math.log(50) < log[0]["loss"]  # of 50 tokens, some are known by now
    assert set(log[-1]["losses"]) == {"2", "3"}
    assert result["step"] == 60
    assert result["tokens"] == log[-1]["tokens"]
    assert 6 * result["parameters"] * result["tokens"] < result["flops"] < 8 * result["parameters"] * result["tokens"]
    assert not list((folder / "out").rglob("*.tmp"))
    ids = torch.tensor([rows_of(0)[0][:5]])
    assert bool(load(folder / "out" / "model").logits(ids).isfinite().all())


class _Killed(BaseException):
    pass


def _killed_at(step: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes the update of a step, counted in this process from 0, fail like a process that is killed."""
    update, done = Optimizer.step, [0]

    def step_or_die(self: Optimizer, scale: float) -> None:
        if done[0] == step:
            raise _Killed
        done[0] += 1
        update(self, scale)

    monkeypatch.setattr(Optimizer, "step", step_or_die)


def weights_of(run: Run) -> list[torch.Tensor]:
    return [weight.detach().clone() for weight in run.network.parameters()]


@pytest.mark.slow
def test_killed_and_resumed_is_as_never_killed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = Run(settings_of(folder, steps=22, out=folder / "whole"))
    whole.go()
    how = settings_of(folder, steps=22, save_every=0.0)
    with monkeypatch.context() as patched:
        _killed_at(14, patched)  # the checkpoint is of step 12: two steps are lost and done again
        with pytest.raises(_Killed):
            Run(how).go()
    resumed = Run(replace(how, resume=True))
    assert resumed.counters.step == 12
    resumed.go()
    assert all(torch.equal(one, two) for one, two in zip(weights_of(whole), weights_of(resumed), strict=True))
    assert resumed.counters.tokens == whole.counters.tokens


def test_a_run_that_is_asked_to_stop_pauses_and_goes_on(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = Run(settings_of(folder, out=folder / "whole"))
    whole.go()
    run = Run(settings_of(folder))
    update = Optimizer.step

    def step(self: Optimizer, scale: float) -> None:
        update(self, scale)
        if run.counters.step == 6:
            run.stop()

    with monkeypatch.context() as patched:
        patched.setattr(Optimizer, "step", step)
        assert run.go() is None
    assert "paused after step 7" in capsys.readouterr().err
    assert not (folder / "out" / "training.json").exists()
    resumed = Run(settings_of(folder, resume=True))
    assert resumed.go() is not None
    assert all(torch.equal(one, two) for one, two in zip(weights_of(whole), weights_of(resumed), strict=True))


def _spoiled(when: Callable[[int], bool], monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes the losses of some steps nan."""
    compute, calls = Gradients.__call__, [0]

    def spoiled(self: Gradients, parts: torch.Tensor, targets: int) -> torch.Tensor:
        losses = compute(self, parts, targets)
        calls[0] += 1
        if when(calls[0]):
            for weight in self._network.parameters():
                weight.grad.fill_(math.nan)
            return losses * math.nan
        return losses

    monkeypatch.setattr(Gradients, "__call__", spoiled)


def test_losses_that_are_no_numbers_take_a_run_back_and_it_goes_on(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _spoiled(lambda call: call == 10, monkeypatch)
    run = Run(settings_of(folder))
    result = run.go()
    assert result is not None
    assert (result["step"], result["setbacks"]) == (16, 1)
    assert [line["good"] for line in lines(folder)] == [True, True, False, True]
    assert all(bool(weight.isfinite().all()) for weight in weights_of(run))
    assert "back to the last good weights" in capsys.readouterr().err


def test_a_run_whose_losses_stay_no_numbers_ends_with_the_last_good_weights(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _spoiled(lambda call: call > 8, monkeypatch)
    run = Run(settings_of(folder, steps=1000))
    result = run.go()
    assert result is not None
    assert result["step"] == 24
    assert all(bool(weight.isfinite().all()) for weight in weights_of(run))


def test_a_batch_in_parts_gives_the_gradients_of_the_whole(folder: Path) -> None:
    how = settings_of(folder)
    torch.manual_seed(0)
    network = Network(how.shape)
    batch = batches(Reader(how.reading), 1)[0]
    found = []
    for count in (1, 2, 4):
        gradients = Gradients(network, how, Way("sdpa", False, count), torch.float32)
        losses = gradients(torch.from_numpy(batch.parts), batch.targets)
        found.append((losses, [weight.grad.clone() for weight in network.parameters()]))
        network.zero_grad()
    for losses, gradients_ in found[1:]:
        torch.testing.assert_close(losses, found[0][0], atol=1e-5, rtol=0)
        for one, two in zip(gradients_, found[0][1], strict=True):
            torch.testing.assert_close(one, two, atol=1e-6, rtol=1e-4)


def test_a_way_that_fails_or_computes_something_else_is_passed_over(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ways = [Way("flex", False, 1), Way("sdpa", True, 1), Way("sdpa", False, 2)]
    monkeypatch.setattr(training, "_ways", lambda how, device: ways)
    compute = Gradients.__call__

    def broken(self: Gradients, parts: torch.Tensor, targets: int) -> torch.Tensor:
        if self.way == ways[0]:
            raise RuntimeError("no kernel")
        losses = compute(self, parts, targets)
        if self.way == ways[1]:
            for weight in self._network.parameters():
                weight.grad.copy_(torch.randn_like(weight))
        return losses

    monkeypatch.setattr(Gradients, "__call__", broken)
    monkeypatch.setattr(Network, "use_compiled", lambda self, **_: self.use_plain())
    how = settings_of(folder, length=128)
    said: list[str] = []
    found = training.choose_way(Network(how.shape), how, torch.float32, said.append)
    assert found.way == ways[2]
    assert "RuntimeError: no kernel" in said[0]
    monkeypatch.setattr(training, "_ways", lambda how, device: ways[:2])
    with pytest.raises(UsageError, match="no way"):
        training.choose_way(Network(how.shape), how, torch.float32, said.append)


def test_memory_that_is_short_splits_the_batch(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    compute = Gradients.__call__

    def hungry(self: Gradients, parts: torch.Tensor, targets: int) -> torch.Tensor:
        if self.way.parts < 4:
            raise torch.OutOfMemoryError("no memory")
        return compute(self, parts, targets)

    monkeypatch.setattr(Gradients, "__call__", hungry)
    monkeypatch.setattr(training, "_ways", lambda how, device: [Way("sdpa", True, 1)])
    monkeypatch.setattr(Network, "use_compiled", lambda self, **_: self.use_plain())
    how = settings_of(folder, rows=32)
    assert training.choose_way(Network(how.shape), how, torch.float32, print).way.parts == 4


def test_what_cannot_be_done_is_refused_in_one_line(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = f"--data {folder / 'data'} --out {folder / 'out'} --vocab 64 --device cpu".split()
    assert main([*words, "--resume", "--steps", "2"]) == 2
    assert "nothing to resume" in capsys.readouterr().err
    for wrong, said in (
        ([], "give one of --seconds and --steps"),
        (["--steps", "2", "--seconds", "3"], "give one of"),
        (["--steps", "2", "--left", "3"], "--left"),
        (["--steps", "2", "--rows", "5", "--parts", "2"], "parts"),
        (["--steps", "2", "--width", "50", "--heads", "4"], "4 heads"),
    ):
        assert main([*words, *wrong]) == 2
        assert said in capsys.readouterr().err


def test_a_run_is_not_overwritten_and_not_resumed_as_another(folder: Path) -> None:
    Run(settings_of(folder, steps=4)).go()
    with pytest.raises(UsageError, match="holds a run already"):
        Run(settings_of(folder, steps=4))
    with pytest.raises(UsageError, match="another width"):
        Run(settings_of(folder, steps=4, resume=True, width=64))
    (folder / "out" / "checkpoint.pt").write_bytes(b"PK")
    with pytest.raises(InputError, match="cannot be read"):
        Run(settings_of(folder, steps=4, resume=True))


def test_the_command_reads_all_settings(tmp_path: Path) -> None:
    words = "--data d --out o --vocab 900 --seconds 5.5 --answers 2 3 4 --rows 8 --stop-writers --attention sdpa"
    found = parsed(words.split())
    assert found == Training(
        Path("d"), Path("o"), 900, seconds=5.5, answers=(2, 3, 4), rows=8, stop_writers=True, attention="sdpa"
    )


def test_writers_are_told_to_stop_at_the_end_where_asked(folder: Path) -> None:
    Run(settings_of(folder, steps=2, stop_writers=True)).go()
    assert (folder / "data" / "stop").exists()

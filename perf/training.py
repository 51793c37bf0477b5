"""Training speed: rows packed without leakage against rows padded, in answer tokens a second.

    python perf/training.py [--rows 96] [--rounds 3] [--layers 4] [--hidden 256]

Rows have PyX's lengths: log-normal about a mean of 450 tokens, at most 2,048; the last 60 % of a row is answer. Four
ways take turns in one process, with the same model and optimiser: padded to 2,048 (as the paper trains), padded to the
longest of a batch of rows as they come, the same with rows of like length together, and packed. A step has about 4,096
places in all of them. Prints medians over the rounds, the ratio to each way of padding, and how far the losses of
packed rows are from those of rows alone. Measure on an idle machine.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch

from semcoder.training.packing import leaks, pack, packed_batch, padded_batch
from semcoder.training.recipe import NewModel, Start
from semcoder.training.start import model_of, new_tokenizer
from semcoder.training.tokens import Encoded

LENGTH, MEAN, PLACES = 2048, 450, 4096
Batches = list[dict[str, torch.Tensor]]


def rows_of(count: int) -> list[Encoded]:
    """Rows of random tokens with lengths as PyX's."""
    chance = np.random.default_rng(0)
    spread = 0.6
    lengths = chance.lognormal(np.log(MEAN) - spread**2 / 2, spread, count).clip(40, LENGTH).astype(int)
    lengths = np.maximum(40, (lengths * (MEAN / lengths.mean())).astype(int)).clip(40, LENGTH)
    return [Encoded(chance.integers(3, 250, size).astype(np.int32), int(size * 0.4)) for size in lengths]


def padded(rows: Sequence[Encoded], length: int) -> Batches:
    """Batches of about `PLACES` places, each padded to `length`, or (0) to its longest row."""
    batches: Batches = []
    batch: list[Encoded] = []
    for row in rows:
        longest = length or max(map(len, [*batch, row]))
        if batch and longest * (len(batch) + 1) > PLACES:
            batches.append(padded_batch(batch, 2, length))
            batch = []
        batch.append(row)
    return [*batches, padded_batch(batch, 2, length)]


def packed(rows: Sequence[Encoded]) -> Batches:
    packs = [[rows[place] for place in places] for places in pack([len(row) for row in rows], LENGTH)]
    at_once = PLACES // LENGTH
    return [packed_batch(packs[start : start + at_once], 2) for start in range(0, len(packs), at_once)]


def seconds(model: Any, optimizer: Any, batches: Batches) -> float:
    """What one pass over the batches takes, an optimiser step each."""
    start = time.perf_counter()
    for batch in batches:
        model(**batch, use_cache=False).loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("--rows", type=int, default=96)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--layers", type=int, default=4)
    parser.add_argument("--hidden", type=int, default=256)
    options = parser.parse_args()
    rows = rows_of(options.rows)
    new = NewModel(layers=options.layers, hidden=options.hidden, heads=8, context=LENGTH)
    model = model_of(Start(new=new), new_tokenizer(["def f(x): return x"], 300, LENGTH), 0)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4)
    answers = sum(row.answer_tokens for row in rows)
    ways: dict[str, Callable[[], Batches]] = {
        f"padded to {LENGTH:,}": lambda: padded(rows, LENGTH),
        "padded to the batch's longest": lambda: padded(rows, 0),
        "the same, rows of like length together": lambda: padded(sorted(rows, key=len), 0),
        "packed": lambda: packed(rows),
    }
    made = {name: make() for name, make in ways.items()}
    mean = sum(map(len, rows)) / len(rows)
    print(f"{len(rows)} rows of {mean:.0f} tokens on average, {answers:,} answer tokens; {new.layers} x {new.hidden}")
    seconds(model, optimizer, made["packed"][:1])
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(options.rounds):
        for name, batches in made.items():
            taken[name].append(seconds(model, optimizer, batches))
    speed = {name: answers / statistics.median(times) for name, times in taken.items()}
    for name, found in speed.items():
        places = sum(batch["input_ids"].numel() for batch in made[name])
        print(f"{name:40} {found:8,.0f} answer tokens/s, {places:9,} places; packed is {speed['packed'] / found:.2f}x")
    some = sorted(rows, key=len)[:6]
    print(f"losses of packed rows differ from those of rows alone by at most {leaks(model, some, 2):.1e}")


if __name__ == "__main__":
    main()

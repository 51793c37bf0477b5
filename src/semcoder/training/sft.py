"""Supervised fine-tuning: rows in, an ordinary transformers folder out.

Guarantees: the loss is on answers alone, and is the mean over all answer tokens of an optimiser step, however that is
split over packs, accumulation and processes; the order of the data depends on the recipe alone; a run that was killed
and is started again ends with the weights that it would have had. See docs/design/training.md.
"""

from __future__ import annotations

import math
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.utils.data import Dataset, SequentialSampler
from transformers import PrinterCallback, Trainer, set_seed

from semcoder.errors import InputError, UsageError
from semcoder.prompts import Profile, load_profile
from semcoder.training.engine import LOGGED, Progress, SafeCheckpoints, Watch, arguments, quiet
from semcoder.training.folder import RunFolder, data_state, is_first_process
from semcoder.training.packing import Pack, check_leaks, pack, packed_batch, padded_batch, row_losses
from semcoder.training.recipe import Evaluate, Recipe
from semcoder.training.result import write_result
from semcoder.training.rows import Example, divide, is_stream, kept_examples, read_examples
from semcoder.training.start import model_of, tokenizer_of, with_adapters
from semcoder.training.tokens import Encoded, Fitting, check_wording, encode

_HELD_OUT_TOKENS = 1 << 18
#: Sequences of a step from which on their number is rounded to a multiple of 8.
_MANY = 32


@dataclass(frozen=True, slots=True)
class Prepared:
    """What a run trains on. `packs`: rows side by side, or a row each without packing."""

    packs: list[list[Encoded]]
    held_out: list[Encoded]
    fitting: Fitting
    examples: Sequence[Example]


class Steps(Dataset):  # type: ignore[misc]
    """All packs of all optimiser steps, in order: pass after pass over the data, each in an order of its own."""

    def __init__(self, packs: Sequence[Pack], steps: int, per_step: int, seed: int) -> None:
        self.packs, self.steps, self.per_step, self._seed = packs, steps, per_step, seed
        self._orders: dict[int, Any] = {}

    def __len__(self) -> int:
        return self.steps * self.per_step

    def __getitem__(self, number: int) -> Pack:
        turn, place = divmod(number, len(self.packs))
        if turn not in self._orders:
            self._orders = {turn: np.random.default_rng([self._seed, turn]).permutation(len(self.packs))}
        return self.packs[int(self._orders[turn][place])]

    def answer_tokens(self, step: int) -> int:
        """Tokens that the loss of an optimiser step (from 0) is taken on."""
        packs = (self[number] for number in range(step * self.per_step, (step + 1) * self.per_step))
        return sum(row.answer_tokens for rows in packs for row in rows)


class _Trainer(SafeCheckpoints, Trainer):  # type: ignore[misc]
    def _get_train_sampler(self, train_dataset: Any = None) -> Any:
        return SequentialSampler(train_dataset or self.train_dataset)


def train_sft(
    recipe: Recipe, out: Path, *, progress: Progress = lambda _: None, evaluate: Evaluate | None = None
) -> dict[str, Any]:
    """Train, or go on with a run that was stopped; its manifest. Raises `SemcoderError`s of one line.

    `evaluate(model, tokenizer, step)`: called every `evaluate_every` steps and at the end; its figures are logged.
    """
    run = RunFolder(out)
    with run.held(), quiet():
        done = run.settle(recipe, data_state(recipe))
        if done:
            progress(f"{out} holds this run's result already")
        return done or _train(recipe, run, progress, evaluate)


def _train(recipe: Recipe, run: RunFolder, tell: Progress, evaluate: Evaluate | None) -> dict[str, Any]:
    profile = load_profile(recipe.profile)
    tell("reading rows")
    examples, untold = _examples(recipe, run, profile)
    set_seed(recipe.seed)
    tokenizer = tokenizer_of(recipe.model, lambda: (text for one in examples for text in (one.prompt, one.answer)))
    check_wording(profile, tokenizer)
    data = prepare(recipe, examples, tokenizer, profile)
    data.fitting.rows += sum(untold.values())
    data.fitting.dropped.update(untold)
    pad = tokenizer.pad_token_id if tokenizer.pad_token_id is not None else tokenizer.eos_token_id
    model = model_of(recipe.model, tokenizer, recipe.seed)
    if recipe.packing:
        check_leaks(model, data.packs, pad)
    if recipe.lora is not None:
        model = with_adapters(model, recipe.lora)
    steps, trainer = _trainer(recipe, run, model, data, pad)
    last = run.last_checkpoint()
    if is_first_process():
        run.rewind(int(last.name.rpartition("-")[2]) if last else 0)
    trainer.accelerator.wait_for_everyone()
    watched = _evaluations(recipe, data, tokenizer, pad, evaluate)
    trainer.add_callback(Watch(run, recipe, tell, steps.answer_tokens, watched))
    tell(f"{len(data.packs):,} sequences of {data.fitting.kept:,} rows, {steps.steps:,} steps of {steps.per_step}")
    if last:
        tell(f"going on from {last.name}")
    trainer.train(resume_from_checkpoint=str(last) if last else None)
    manifest = _manifest(recipe, run, trainer.model, data, steps)
    write_result(run, recipe, trainer, tokenizer, profile, _style(recipe), manifest)
    return manifest


def _examples(recipe: Recipe, run: RunFolder, profile: Profile) -> tuple[list[Example], Mapping[str, int]]:
    """All examples, and why others could not be told. What is executed to be told is executed once for the run."""

    def read(dropped: Counter[str]) -> list[Example]:
        return read_examples(recipe.data, profile, recipe.seed, dropped)

    if any(data.style and not is_stream(data.rows) for data in recipe.data):
        return kept_examples(run.told, is_first_process(), read)
    dropped: Counter[str] = Counter()
    return read(dropped), dropped


def prepare(recipe: Recipe, examples: Sequence[Example], tokenizer: Any, profile: Profile) -> Prepared:
    """Rows as packs of tokens. Raises `InputError` where nothing is left to train on."""
    taught, held_out = divide(examples, recipe.held_out, recipe.seed)
    rows, fitting = encode(taught, tokenizer, profile, recipe.max_length, recipe.too_long)
    if not rows:
        why = ", ".join(f"{number:,} {reason}" for reason, number in fitting.dropped.most_common()) or "all held out"
        raise InputError(f"no rows to train on are left ({why}); raise max_length, or look at the data")
    others, _ = encode(_some(held_out, recipe.seed), tokenizer, profile, recipe.max_length, "drop")
    if recipe.packing:
        packs = [[rows[place] for place in places] for places in pack([len(row) for row in rows], recipe.max_length)]
    else:
        packs = [[row] for row in rows]
    return Prepared(packs, others, fitting, examples)


def _some(examples: Sequence[Example], seed: int) -> list[Example]:
    """Each example once, in an order of the seed, so that the first ones stand for all."""
    once = list({(one.prompt, one.answer): one for one in examples}.values())
    return [once[place] for place in np.random.default_rng([seed, 1]).permutation(len(once))]


def _trainer(recipe: Recipe, run: RunFolder, model: Any, data: Prepared, pad: int) -> tuple[Steps, Any]:
    processes = int(os.environ.get("WORLD_SIZE", "1"))
    per_step, per_device = split(recipe.batch, recipe.per_device, len(data.packs) / data.fitting.kept, processes)
    number = recipe.max_steps or max(1, round(recipe.epochs * len(data.packs) / per_step))
    steps = Steps(data.packs, number, per_step, recipe.seed)

    def collate(packs: list[Pack]) -> dict[str, torch.Tensor]:
        if recipe.packing:
            return packed_batch(packs, pad)
        return padded_batch([row for rows in packs for row in rows], pad)

    args = arguments(
        recipe,
        run,
        max_steps=number,
        per_device_train_batch_size=per_device,
        gradient_accumulation_steps=per_step // (per_device * processes),
    )
    trainer: Any = _Trainer(model=model, args=args, train_dataset=steps, data_collator=collate)
    trainer.run, trainer.keep = run, recipe.keep
    trainer.remove_callback(PrinterCallback)
    return steps, trainer


def split(batch: int, per_device: int, packs_per_row: float, processes: int) -> tuple[int, int]:
    """Packs of an optimiser step and packs at once on a device, so that a step holds `batch` rows on average.

    Packs of a step do not depend on the number of processes; many are rounded to a multiple of 8, which most numbers of
    GPUs divide. Packs at once are at most `per_device` and divide the step evenly, so that every step is whole. Raises
    `UsageError` where a step cannot be dealt out evenly.
    """
    per_step = max(1, round(batch * packs_per_row))
    if per_step >= _MANY:
        per_step = round(per_step / 8) * 8
    if per_step % processes:
        near = max(1, round(per_step / processes)) * processes
        raise UsageError(
            f"batch: {batch} rows are {per_step} sequences a step, which {processes} processes cannot share evenly; "
            f"set batch={max(1, round(near / packs_per_row))}, or use another number of processes"
        )
    fair = per_step // processes
    return per_step, next(size for size in range(min(per_device, fair), 0, -1) if fair % size == 0)


def _evaluations(recipe: Recipe, data: Prepared, tokenizer: Any, pad: int, evaluate: Evaluate | None) -> Any:
    """Loss on held-out rows, and what the caller wants besides; None where there is neither."""
    if not data.held_out and evaluate is None:
        return None

    def figures(model: Any, step: int) -> Mapping[str, float]:
        training = model.training
        model.eval()
        try:
            found = (
                {"held_out_loss": held_out_loss(model, data.held_out, pad, recipe.per_device)} if data.held_out else {}
            )
            return {**found, **(evaluate(model, tokenizer, step) if evaluate is not None else {})}
        finally:
            model.train(training)

    return figures


@torch.no_grad()  # type: ignore[untyped-decorator]
def held_out_loss(model: Any, rows: Sequence[Encoded], pad: int, at_once: int = 8) -> float:
    """The mean loss per answer token, in nats, of the first rows of about 260,000 tokens together."""
    total, count, budget = 0.0, 0, _HELD_OUT_TOKENS
    for start in range(0, len(rows), at_once):
        part = rows[start : start + at_once]
        losses = row_losses(model, padded_batch(part, pad))
        total, count = total + float(losses.sum()), count + len(losses)
        budget -= sum(map(len, part))
        if budget < 0:
            break
    return total / max(1, count)


def _style(recipe: Recipe) -> str:
    return next((data.style for data in recipe.data if data.style), "forward")


def _manifest(recipe: Recipe, run: RunFolder, model: Any, data: Prepared, steps: Steps) -> dict[str, Any]:
    rows = run.rows()
    fitting = data.fitting
    last = rows[-1] if rows else {}
    found = {key: value for key, value in last.items() if key not in LOGGED}
    return {
        "kind": "training",
        **run.identity(),
        "counts": {
            "rows": fitting.rows,
            "kept": fitting.kept,
            "cut": fitting.cut,
            "dropped": dict(fitting.dropped.most_common()),
            "held_out": len(data.held_out),
            "sequences": len(data.packs),
            "sequences_per_step": steps.per_step,
            "steps": steps.steps,
            "tokens": sum(len(row) for rows_ in data.packs for row in rows_),
            "answer_tokens": sum(row.answer_tokens for rows_ in data.packs for row in rows_),
            "parameters": sum(part.numel() for part in model.parameters()),
        },
        "figures": {
            "loss_first": rows[0]["loss"] if rows else math.nan,
            "loss_last": rows[-1]["loss"] if rows else math.nan,
            **found,
        },
    }


__all__ = ["Prepared", "Steps", "held_out_loss", "prepare", "split", "train_sft"]

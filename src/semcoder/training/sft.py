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

from semcoder.core.files import write_json, write_text
from semcoder.errors import InputError
from semcoder.prompts import Profile, load_profile, save_profile
from semcoder.training.card import model_card
from semcoder.training.engine import Progress, SafeCheckpoints, Watch, arguments, quiet
from semcoder.training.folder import RunFolder, data_state, is_first_process, versions
from semcoder.training.packing import Pack, check_leaks, pack, packed_batch, padded_batch, row_losses
from semcoder.training.recipe import Evaluate, Recipe
from semcoder.training.rows import Example, divide, is_stream, kept_examples, read_examples
from semcoder.training.start import model_of, tokenizer_of, with_adapters
from semcoder.training.tokens import Encoded, Fitting, encode

_HELD_OUT_TOKENS = 1 << 18


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
        done = run.settle(recipe, data_state([data.rows for data in recipe.data]))
        return done or _train(recipe, run, progress, evaluate)


def _train(recipe: Recipe, run: RunFolder, tell: Progress, evaluate: Evaluate | None) -> dict[str, Any]:
    profile = load_profile(recipe.profile)
    tell("reading rows")
    examples, untold = _examples(recipe, run, profile)
    set_seed(recipe.seed)
    tokenizer = tokenizer_of(recipe.model, lambda: (text for one in examples for text in (one.prompt, one.answer)))
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
    watched = _evaluations(data, tokenizer, pad, evaluate)
    trainer.add_callback(Watch(run, recipe, tell, steps.answer_tokens, watched))
    last = run.last_checkpoint()
    if is_first_process():
        run.rewind(int(last.name.rpartition("-")[2]) if last else 0)
    tell(f"{len(data.packs):,} sequences of {data.fitting.kept:,} rows, {steps.steps:,} steps of {steps.per_step}")
    trainer.train(resume_from_checkpoint=str(last) if last else None)
    return _finish(recipe, run, trainer, tokenizer, profile, data, steps)


def _examples(recipe: Recipe, run: RunFolder, profile: Profile) -> tuple[list[Example], Mapping[str, int]]:
    """All examples, and why others could not be told. What is executed to be told is executed once for the run."""

    def read(dropped: Counter[str]) -> list[Example]:
        return read_examples(recipe.data, profile, recipe.seed, dropped)

    if any(data.style and not is_stream(data.rows) for data in recipe.data):
        return kept_examples(run.path / "told.jsonl", is_first_process(), read)
    dropped: Counter[str] = Counter()
    return read(dropped), dropped


def prepare(recipe: Recipe, examples: Sequence[Example], tokenizer: Any, profile: Profile) -> Prepared:
    """Rows as packs of tokens. Raises `InputError` where nothing is left to train on."""
    taught, held_out = divide(examples, recipe.held_out, recipe.seed)
    rows, fitting = encode(taught, tokenizer, profile, recipe.max_length, recipe.too_long)
    if not rows:
        why = ", ".join(f"{number:,} {reason}" for reason, number in fitting.dropped.most_common()) or "all held out"
        raise InputError(f"no rows to train on are left ({why}); raise max_length, or look at the data")
    others, _ = encode(held_out, tokenizer, profile, recipe.max_length, "drop")
    if recipe.packing:
        packs = [[rows[place] for place in places] for places in pack([len(row) for row in rows], recipe.max_length)]
    else:
        packs = [[row] for row in rows]
    return Prepared(packs, others, fitting, examples)


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

    Packs at once are at most `per_device` and divide the step evenly, so that every step is whole.
    """
    per_step = max(1, round(batch * packs_per_row / processes)) * processes
    fair = per_step // processes
    return per_step, next(size for size in range(min(per_device, fair), 0, -1) if fair % size == 0)


def _evaluations(data: Prepared, tokenizer: Any, pad: int, evaluate: Evaluate | None) -> Any:
    """Loss on held-out rows, and what the caller wants besides; None where there is neither."""
    if not data.held_out and evaluate is None:
        return None

    def figures(model: Any, step: int) -> Mapping[str, float]:
        training = model.training
        model.eval()
        try:
            found = {"held_out_loss": held_out_loss(model, data.held_out, pad)} if data.held_out else {}
            return {**found, **(evaluate(model, tokenizer, step) if evaluate is not None else {})}
        finally:
            model.train(training)

    return figures


@torch.no_grad()  # type: ignore[untyped-decorator]
def held_out_loss(model: Any, rows: Sequence[Encoded], pad: int) -> float:
    """The mean loss per answer token, in nats, of the first rows of about 260,000 tokens together."""
    total, count, budget = 0.0, 0, _HELD_OUT_TOKENS
    for start in range(0, len(rows), 8):
        part = rows[start : start + 8]
        losses = row_losses(model, padded_batch(part, pad))
        total, count = total + float(losses.sum()), count + len(losses)
        budget -= sum(map(len, part))
        if budget < 0:
            break
    return total / max(1, count)


def _finish(
    recipe: Recipe, run: RunFolder, trainer: Any, tokenizer: Any, profile: Profile, data: Prepared, steps: Steps
) -> dict[str, Any]:
    """Write the result, the manifest last."""
    aside = run.path / f"result.{os.getpid()}.tmp"
    save_result(trainer, recipe, aside)
    trainer.accelerator.wait_for_everyone()
    manifest = _manifest(recipe, run, trainer.model, data, steps)
    if is_first_process():
        tokenizer.save_pretrained(aside)
        save_profile(aside, profile, _style(recipe))
        for path in sorted(aside.iterdir()):
            os.replace(path, run.path / path.name)
        aside.rmdir()
        write_text(run.path / "README.md", model_card(manifest))
        write_json(run.manifest, manifest)
    return manifest


def save_result(trainer: Any, recipe: Recipe, folder: Path) -> None:
    """The trained model as an ordinary folder; adapters are merged into it, and kept besides in `adapter/`."""
    model = trainer.accelerator.unwrap_model(trainer.model)
    if recipe.lora is not None and is_first_process():
        model.save_pretrained(folder / "adapter")
        model = model.merge_and_unload()
    model.config.use_cache = True
    if recipe.lora is not None:
        if is_first_process():
            model.save_pretrained(folder)
    else:
        trainer.save_model(str(folder))
    (folder / "training_args.bin").unlink(missing_ok=True)  # a pickle that nobody needs


def _style(recipe: Recipe) -> str:
    return next((data.style for data in recipe.data if data.style), "forward")


def _manifest(recipe: Recipe, run: RunFolder, model: Any, data: Prepared, steps: Steps) -> dict[str, Any]:
    rows = run.rows()
    fitting = data.fitting
    held_out = {key: value for key, value in rows[-1].items() if key.startswith("held_out")} if rows else {}
    return {
        "kind": "training",
        "recipe": recipe.document(),
        "recipe_hash": recipe.hash,
        "versions": versions(),
        "data": data_state([part.rows for part in recipe.data]),
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
            **held_out,
        },
    }


__all__ = ["Prepared", "Steps", "held_out_loss", "prepare", "split", "train_sft"]

"""Rows side by side in one sequence, and batches of such sequences, without one row seeing another.

Guarantees: every row is in one pack, whole; positions restart at each row and there is no attention mask, from which
transformers makes a mask of blocks (`transformers.masking_utils.find_packed_sequence_indices`); the first token of a
row is never a target. Padding is a block of its own. That a model keeps blocks apart is not taken on trust: `leaks`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from semcoder.errors import UsageError
from semcoder.training.tokens import IGNORED, Encoded

Pack = Sequence[Encoded]


def pack(lengths: Sequence[int], capacity: int) -> list[list[int]]:
    """Places of rows by pack: longest first, each into the fullest pack that has room (best fit decreasing).

    Raises `ValueError` for a row longer than `capacity`.
    """
    packs: list[list[int]] = []
    room: list[list[int]] = [[] for _ in range(capacity + 1)]  # packs by the room they have
    some = 0  # bit r is set where a pack has room r
    for place in sorted(range(len(lengths)), key=lambda place: (-lengths[place], place)):
        length = lengths[place]
        if length > capacity:
            raise ValueError(f"row {place} has {length} tokens, more than {capacity}")
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
        rest = left - length
        if rest:
            room[rest].append(number)
            some |= 1 << rest
    return packs


def packed_batch(packs: Sequence[Pack], pad: int, multiple: int = 8) -> dict[str, torch.Tensor]:
    """`input_ids`, `labels`, `position_ids`, all [packs, length]; length is that of the longest, to a multiple."""
    longest = max(sum(map(len, rows)) for rows in packs)
    shape = (len(packs), -(-longest // multiple) * multiple)
    ids, labels = np.full(shape, pad, np.int64), np.full(shape, IGNORED, np.int64)
    positions = np.zeros(shape, np.int64)
    for place, rows in enumerate(packs):
        start = 0
        for row in rows:
            end = start + len(row)
            ids[place, start:end] = row.ids
            labels[place, start + max(1, row.prompt) : end] = row.ids[max(1, row.prompt) :]
            positions[place, start:end] = np.arange(len(row))
            start = end
        positions[place, start:] = np.arange(shape[1] - start)
    return {
        "input_ids": torch.from_numpy(ids), "labels": torch.from_numpy(labels),
        "position_ids": torch.from_numpy(positions),
    }  # fmt: skip


def padded_batch(rows: Sequence[Encoded], pad: int, length: int = 0) -> dict[str, torch.Tensor]:
    """`input_ids`, `labels`, `attention_mask`, all [rows, length]; 0 is the length of the longest row."""
    shape = (len(rows), length or max(map(len, rows)))
    ids, labels = np.full(shape, pad, np.int64), np.full(shape, IGNORED, np.int64)
    mask = np.zeros(shape, np.int64)
    for place, row in enumerate(rows):
        ids[place, : len(row)] = row.ids
        labels[place, max(1, row.prompt) : len(row)] = row.ids[max(1, row.prompt) :]
        mask[place, : len(row)] = 1
    return {
        "input_ids": torch.from_numpy(ids), "labels": torch.from_numpy(labels), "attention_mask": torch.from_numpy(mask)
    }  # fmt: skip


def row_losses(model: Any, batch: dict[str, torch.Tensor]) -> torch.Tensor:
    """The loss of each target of a batch, [targets], in order. Labels are shifted here as transformers shifts them."""
    inputs = {name: part.to(model.device) for name, part in batch.items() if name != "labels"}
    labels = batch["labels"][:, 1:].to(model.device)
    wanted = labels != IGNORED
    logits = model(**inputs, use_cache=False).logits[:, :-1][wanted]
    return torch.nn.functional.cross_entropy(logits.float(), labels[wanted], reduction="none")


@torch.no_grad()  # type: ignore[untyped-decorator]
def leaks(model: Any, rows: Pack, pad: int) -> float:
    """The greatest difference that packing makes to the loss of any target of these rows (in nats).

    0 but for rounding where the model keeps rows apart.
    """
    training = model.training
    model.eval()
    packed = row_losses(model, packed_batch([rows], pad))
    alone = torch.cat([row_losses(model, padded_batch([row], pad)) for row in rows])
    model.train(training)
    return float((packed - alone).abs().max()) if len(alone) else 0.0


def check_leaks(model: Any, packs: Sequence[Pack], pad: int) -> None:
    """Raises `UsageError` where rows of a pack see each other in this model, with its attention and dtype.

    Three short rows tell, side by side; a leak does not depend on lengths.
    """
    rows = sorted((row for rows in packs for row in rows), key=len)[:3]
    if all(len(rows) == 1 for rows in packs):
        return
    # bfloat16 rounds each layer to 3 digits; a leak moves some loss by far more than that
    bound = 1e-3 if model.dtype == torch.float32 else 0.5
    found = leaks(model, rows, pad)
    if not found <= bound:
        raise UsageError(
            f"rows packed together see each other in this model (a loss moves by {found:.2g}); "
            "train with packing: false, or with model.attention: sdpa"
        )

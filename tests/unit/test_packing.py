"""Packing: every row once and whole, no row sees another, and a model that lets them is found out."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("torch")
import torch

from semcoder.errors import UsageError
from semcoder.training.packing import check_leaks, leaks, pack, packed_batch, padded_batch, row_losses
from semcoder.training.recipe import Attention, NewModel, Start
from semcoder.training.start import model_of, new_tokenizer
from semcoder.training.tokens import IGNORED, Encoded

ATTENTIONS = Attention.__args__  # type: ignore[attr-defined]
_PAD = 2


def model(attention: str) -> Any:
    start = Start(new=NewModel(layers=2, hidden=32, heads=4, context=256), attention=attention)  # type: ignore[arg-type]
    return model_of(start, new_tokenizer(["def f(x): return x"], 300, 256), seed=1)


MODELS = {attention: model(attention) for attention in ATTENTIONS}


def rows_of(lengths: list[tuple[int, int]], seed: int = 0) -> list[Encoded]:
    """Rows of random tokens from pairs of a prompt's and an answer's length."""
    chance = random.Random(seed)
    return [
        Encoded(np.array([chance.randrange(3, 250) for _ in range(before + after)], np.int32), before)
        for before, after in lengths
    ]


LENGTHS = st.lists(st.tuples(st.integers(0, 20), st.integers(1, 20)), min_size=1, max_size=6)


@given(st.lists(st.integers(1, 50), max_size=200), st.integers(50, 80))
def test_every_row_is_in_one_pack_and_packs_do_not_overflow(lengths: list[int], capacity: int) -> None:
    packs = pack(lengths, capacity)
    assert sorted(place for rows in packs for place in rows) == list(range(len(lengths)))
    assert all(0 < sum(lengths[place] for place in rows) <= capacity for rows in packs)
    # best fit never opens a pack while an earlier one has room for the row: so two packs never fit into one
    loads = sorted(sum(lengths[place] for place in rows) for rows in packs)
    assert len(loads) < 2 or loads[0] + loads[1] > capacity


def test_a_row_longer_than_a_pack_is_refused() -> None:
    with pytest.raises(ValueError, match="row 1 has 9 tokens"):
        pack([3, 9], 8)


@pytest.mark.parametrize("attention", ATTENTIONS)
@settings(max_examples=15, deadline=None)
@given(LENGTHS)
def test_losses_of_packed_rows_are_those_of_rows_alone(attention: str, lengths: list[tuple[int, int]]) -> None:
    assert leaks(MODELS[attention], rows_of(lengths), _PAD) <= 1e-4


@pytest.mark.parametrize("attention", ATTENTIONS)
def test_several_packs_with_padding_have_the_losses_of_their_rows(attention: str) -> None:
    packs = [rows_of([(9, 30), (1, 1), (0, 5)]), rows_of([(40, 2)], 1), rows_of([(3, 3)] * 9, 2)]
    with torch.no_grad():
        packed = row_losses(MODELS[attention], packed_batch(packs, _PAD))
        alone = [row_losses(MODELS[attention], padded_batch([row], _PAD, 77)) for rows in packs for row in rows]
    assert torch.allclose(packed, torch.cat(alone), atol=1e-4)


@given(LENGTHS)
def test_the_loss_is_on_answers_alone(lengths: list[tuple[int, int]]) -> None:
    rows = rows_of(lengths)
    batches = packed_batch([rows], _PAD), padded_batch(rows, _PAD)
    answers = np.concatenate([row.ids[max(1, row.prompt) :] for row in rows])
    for batch in batches:
        labels = batch["labels"]
        assert torch.equal(labels[labels != IGNORED], torch.from_numpy(answers.astype(np.int64)))
        assert (labels[:, 0] == IGNORED).all()
    assert sum(row.answer_tokens for row in rows) == len(answers)


class Leaking(torch.nn.Module):  # type: ignore[misc]
    """A model told that positions go on, so that rows of a pack are one text to it."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = MODELS["sdpa"]
        self.device, self.dtype = self.inner.device, self.inner.dtype

    def forward(self, position_ids: Any = None, **inputs: Any) -> Any:
        return self.inner(**inputs)


def test_a_model_that_lets_rows_see_each_other_is_refused() -> None:
    rows = rows_of([(5, 9), (4, 12), (8, 8)])
    assert leaks(Leaking(), rows, _PAD) > 1e-3
    with pytest.raises(UsageError, match=r"see each other.*packing: false"):
        check_leaks(Leaking(), [rows], _PAD)
    check_leaks(MODELS["eager"], [rows[:1], rows], _PAD)

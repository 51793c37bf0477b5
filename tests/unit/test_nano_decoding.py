"""Decoding with the built-in model: the same answer one by one, side by side, and by the network itself."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("torch")
import torch

from semcoder.errors import UsageError
from semcoder.nano import decoding
from semcoder.nano.decoding import Decoder
from semcoder.nano.network import Network, Shape, save

SHAPE = Shape(vocab=64, width=32, layers=2, heads=2, ffn=48, context=96)


@pytest.fixture(scope="module")
def network() -> Network:
    """A network that has opinions: no two logits are near each other."""
    torch.manual_seed(3)
    made = Network(SHAPE)
    with torch.no_grad():
        for weight in made.parameters():
            weight.mul_(2.0).add_(0.2 * torch.randn_like(weight))
    return made


@pytest.fixture(scope="module")
def prompts() -> list[list[int]]:
    rng = random.Random(5)
    return [[rng.randrange(64) for _ in range(rng.randint(1, 40))] for _ in range(23)]


def greedy(network: Network, prompt: Sequence[int], max_new: int, stop: Sequence[int] = ()) -> list[int]:
    """The answer as the network's own forward gives it, without any cache."""
    ids = list(prompt)
    with torch.no_grad():
        while len(ids) - len(prompt) < max_new and len(ids) < SHAPE.context:
            token = int(network.logits(torch.tensor([ids]))[0, -1].argmax())
            if token in stop:
                break
            ids.append(token)
    return ids[len(prompt) :]


def test_a_stream_is_what_the_network_finds_likeliest(network: Network, prompts: list[list[int]]) -> None:
    decoder = Decoder(network, threads=1)
    answers = [greedy(network, prompt, 20) for prompt in prompts]
    assert len({tuple(answer[-8:]) for answer in answers}) > 10  # not one loop that all fall into
    assert [list(decoder.stream(prompt, max_new=20)) for prompt in prompts] == answers


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("batch_size", [1, 4, 64])
def test_a_batch_is_what_streams_are(network: Network, prompts: list[list[int]], batch_size: int, threads: int) -> None:
    decoder = Decoder(network, threads=threads)
    stop = {7, 11, 30}
    wanted = [list(decoder.stream(prompt, max_new=30, stop=stop)) for prompt in prompts]
    assert len({len(answer) for answer in wanted}) > 3
    assert decoder.batch(prompts, max_new=30, stop=stop, batch_size=batch_size) == wanted
    assert not {token for answer in wanted for token in answer} & stop


def test_rows_of_a_padded_batch_are_what_rows_alone_are(
    network: Network, prompts: list[list[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    decoder = Decoder(network, threads=1)
    wanted = decoder.batch(prompts, max_new=30, stop={7, 11})
    monkeypatch.setattr(decoding, "_row_by_row", decoding._at_once)  # what a GPU does
    monkeypatch.setattr(decoding, "_room", lambda size, device: torch.zeros(size))
    assert decoder.batch(prompts, max_new=30, stop={7, 11}, batch_size=5) == wanted


@settings(max_examples=20, deadline=None)
@given(lengths=st.lists(st.integers(1, 95), max_size=6), max_new=st.integers(1, 100), batch_size=st.integers(1, 4))
def test_answers_end_at_their_bound_or_where_the_context_is_full(
    network: Network, lengths: list[int], max_new: int, batch_size: int
) -> None:
    answers = Decoder(network, threads=2).batch(
        [[length % 64] * length for length in lengths], max_new=max_new, batch_size=batch_size
    )
    assert [len(answer) for answer in answers] == [min(max_new, SHAPE.context - length) for length in lengths]


def test_a_folder_is_decoded_as_its_network(network: Network, prompts: list[list[int]], tmp_path: Path) -> None:
    save(network, tmp_path)
    with torch.no_grad():
        for weight in network.parameters():
            weight.copy_(weight.bfloat16())
    assert Decoder(tmp_path).batch(prompts, max_new=9) == Decoder(network).batch(prompts, max_new=9)


def test_a_temperature_draws_by_seed_and_place_alone(network: Network) -> None:
    decoder = Decoder(network, threads=2)
    prompts = [[5, 6, 7]] * 9
    drawn = decoder.batch(prompts, max_new=12, temperature=1.5, seed=1)
    assert len(set(map(tuple, drawn))) > 5
    assert decoder.batch(prompts, max_new=12, temperature=1.5, seed=1, batch_size=2) == drawn
    assert decoder.batch(prompts, max_new=12, temperature=1.5, seed=2) != drawn
    assert decoder.batch(prompts, max_new=12, temperature=1e-4, seed=1) == decoder.batch(prompts, max_new=12)


def test_each_answer_is_told_when_it_is_there(network: Network, prompts: list[list[int]]) -> None:
    told: dict[int, list[int]] = {}
    answers = Decoder(network, threads=2).batch(
        prompts, max_new=10, stop={7}, batch_size=4, done=lambda place, answer: told.update({place: list(answer)})
    )
    assert [told[place] for place in range(len(prompts))] == answers
    assert Decoder(network).batch([], max_new=3) == []


def test_an_error_in_a_thread_is_raised(network: Network, prompts: list[list[int]]) -> None:
    def done(place: int, answer: list[int]) -> None:
        raise RuntimeError("the disk is full")

    with pytest.raises(RuntimeError, match="disk is full"):
        Decoder(network, threads=2).batch(prompts, max_new=5, done=done)


def test_torch_is_left_as_it_was(network: Network) -> None:
    before = torch.get_num_threads()
    decoder = Decoder(network, threads=before + 1)
    stream = decoder.stream([1, 2], max_new=3)
    next(stream)
    assert not torch.is_inference_mode_enabled()
    assert torch.get_num_threads() == before
    decoder.batch([[1], [2]], max_new=3)
    assert not torch.is_inference_mode_enabled()
    assert torch.get_num_threads() == before


@pytest.mark.parametrize(
    ("ask", "said"),
    [
        (lambda decoder: decoder.stream([], max_new=3), "has 0 tokens"),
        (lambda decoder: decoder.stream([1] * 96, max_new=3), "less than 96"),
        (lambda decoder: decoder.batch([[1], [64]], max_new=3), "prompt 1 has a token beyond the 64"),
        (lambda decoder: decoder.batch([[-1]], max_new=3), "beyond"),
        (lambda decoder: decoder.batch([[1]], max_new=0), "at least 1 new token"),
        (lambda decoder: decoder.batch([[1]], max_new=1, temperature=-1), "temperature -1"),
        (lambda decoder: decoder.batch([[1]], max_new=1, batch_size=0), "batch size 0"),
    ],
)
def test_what_cannot_be_answered_is_refused_before_anything_is(
    network: Network, ask: Callable[[Any], Any], said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        ask(Decoder(network))

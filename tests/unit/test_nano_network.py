"""The built-in model's network: what transformers computes from its folder, rows that do not see each other, folders."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("torch")
import torch

from semcoder.errors import InputError, UsageError
from semcoder.nano import network as module
from semcoder.nano.network import BlockMasks, Network, Shape, dense_mask, load, save

TINY = Shape(vocab=128, width=64, layers=3, heads=2, ffn=96, context=256)


def network(shape: Shape = TINY, seed: int = 0) -> Network:
    """A network whose weights bfloat16 can hold, its norms not all 1."""
    torch.manual_seed(seed)
    made = Network(shape)
    with torch.no_grad():
        for weight in made.parameters():
            weight.add_(0.05 * torch.randn_like(weight))
            weight.copy_(weight.bfloat16())
    return made


def documents(lengths: list[int], places: int) -> torch.Tensor:
    numbers = [number for number, length in enumerate(lengths) for _ in range(length)]
    return torch.tensor([(numbers + [len(lengths)] * places)[:places]], dtype=torch.int32)


def test_transformers_reads_the_folder_and_computes_the_same(tmp_path: Path) -> None:
    transformers = pytest.importorskip("transformers")
    mine = network()
    save(mine, tmp_path)
    other = transformers.AutoModelForCausalLM.from_pretrained(tmp_path, dtype=torch.float32)
    ids = torch.randint(TINY.vocab, (2, 200))
    with torch.no_grad():
        wanted = other(ids).logits
        assert type(other).__name__ == "Qwen3ForCausalLM"
        assert float(wanted.std()) > 0.1
        torch.testing.assert_close(mine.logits(ids), wanted, atol=1e-4, rtol=0)


def test_transformers_reads_weights_in_several_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    transformers = pytest.importorskip("transformers")
    monkeypatch.setattr(module, "_MOST_BYTES", 50_000)
    mine = network()
    save(mine, tmp_path)
    assert len(list(tmp_path.glob("*.safetensors"))) > 3
    other = transformers.AutoModelForCausalLM.from_pretrained(tmp_path, dtype=torch.float32)
    for name, weight in mine.state_dict().items():
        assert torch.equal(other.state_dict()[name], weight), name
    assert all(torch.equal(one, two) for one, two in zip(load(tmp_path).parameters(), mine.parameters(), strict=True))


def test_no_file_of_the_built_in_model_is_over_16_megabytes(tmp_path: Path) -> None:
    shape = Shape.padded(950)
    assert shape.vocab == 960
    made = Network(shape)
    assert shape.parameters == sum(weight.numel() for weight in made.parameters()) < 16_000_000
    save(made, tmp_path)
    sizes = [path.stat().st_size for path in tmp_path.iterdir()]
    assert max(sizes) < 16_000_000 < sum(sizes)


def test_saving_again_replaces_the_model_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tokenizer.json").write_text("{}")
    monkeypatch.setattr(module, "_MOST_BYTES", 50_000)
    save(network(seed=1), tmp_path)
    monkeypatch.setattr(module, "_MOST_BYTES", 15_000_000)
    mine = network(seed=2)
    save(mine, tmp_path, pad=3, eos=4)
    assert {path.name for path in tmp_path.iterdir()} == {"tokenizer.json", "config.json", "model.safetensors"}
    assert all(torch.equal(one, two) for one, two in zip(load(tmp_path).parameters(), mine.parameters(), strict=True))
    config = json.loads((tmp_path / "config.json").read_text())
    assert (config["pad_token_id"], config["eos_token_id"]) == (3, 4)


@settings(max_examples=15, deadline=None)
@given(lengths=st.lists(st.integers(1, 40), min_size=1, max_size=6), seed=st.integers(0, 99))
def test_a_packed_row_costs_what_its_documents_cost_alone(lengths: list[int], seed: int) -> None:
    mine = network()
    places = sum(lengths) + 5
    ids = torch.randint(TINY.vocab, (1, places), generator=torch.Generator().manual_seed(seed))
    targets = ids.roll(-1)
    with torch.no_grad():
        packed = mine.losses(ids, targets, dense_mask(documents(lengths, places)))
        start = 0
        for length in lengths:
            part = slice(start, start + length)
            alone = mine.losses(ids[:, part], targets[:, part], dense_mask(documents([length], length)))
            torch.testing.assert_close(packed[:, part], alone, atol=1e-4, rtol=0)
            start += length


def test_documents_that_see_each_other_would_cost_something_else() -> None:
    mine = network()
    ids = torch.randint(TINY.vocab, (1, 60))
    with torch.no_grad():
        one = mine.losses(ids, ids.roll(-1), dense_mask(documents([60], 60)))
        two = mine.losses(ids, ids.roll(-1), dense_mask(documents([30, 30], 60)))
    assert float((one - two)[:, 30:].abs().max()) > 1e-3
    torch.testing.assert_close(one[:, :30], two[:, :30], atol=1e-5, rtol=0)


def test_ignored_targets_cost_nothing() -> None:
    mine = network()
    ids = torch.randint(TINY.vocab, (2, 30))
    targets = ids.roll(-1, dims=1)
    targets[:, ::2] = -100
    with torch.no_grad():
        losses = mine.losses(ids, targets, dense_mask(torch.zeros_like(ids)))
    assert losses.dtype == torch.float32
    assert not losses[:, ::2].any()
    assert (losses[:, 1::2] > 0).all()


def _blocks(counts: torch.Tensor, numbers: torch.Tensor) -> list[set[tuple[int, int]]]:
    """By row of the batch, the blocks (query, key) that are listed."""
    return [
        {
            (query, int(key))
            for query in range(counts.shape[-1])
            for key in numbers[row, 0, query, : counts[row, 0, query]]
        }
        for row in range(len(counts))
    ]


@settings(max_examples=15, deadline=None)
@given(rows=st.lists(st.lists(st.integers(1, 300), min_size=1, max_size=12), min_size=1, max_size=3))
def test_the_blocks_that_are_looked_at_are_those_of_the_dense_mask(rows: list[list[int]]) -> None:
    places = 512
    numbers = torch.cat([documents(lengths, places) for lengths in rows])
    mask = BlockMasks(len(rows), places, "cpu").of(numbers)
    dense = dense_mask(numbers)[:, 0].unflatten(1, (-1, 128)).unflatten(3, (-1, 128)).transpose(2, 3)
    whole, some = dense.all(-1).all(-1), dense.any(-1).any(-1)
    listed = _blocks(mask.kv_num_blocks, mask.kv_indices), _blocks(mask.full_kv_num_blocks, mask.full_kv_indices)
    for row in range(len(rows)):
        assert listed[0][row] == {tuple(place) for place in (some & ~whole)[row].nonzero().tolist()}
        assert listed[1][row] == {tuple(place) for place in whole[row].nonzero().tolist()}
    query, key = torch.arange(places)[:, None], torch.arange(places)
    for row in range(len(rows)):
        assert torch.equal(mask.mask_mod(torch.tensor(row), torch.tensor(0), query, key), dense_mask(numbers)[row, 0])


@pytest.mark.slow
def test_flex_attention_compiled_computes_the_same_batch_after_batch() -> None:
    from torch._dynamo.utils import counters

    mine = network()
    masks = BlockMasks(2, 256, "cpu")
    ids = torch.randint(TINY.vocab, (2, 256))
    batches = [torch.cat([documents([seed, 200 - seed], 256), documents([40] * seed, 256)]) for seed in (3, 5, 60)]
    with torch.no_grad():
        wanted = [mine.losses(ids, ids.roll(-1, 1), dense_mask(numbers)) for numbers in batches]
        counters.clear()
        mine.use_compiled(dynamic=False)
        for numbers, losses in zip(batches, wanted, strict=True):
            found = mine.losses(ids, ids.roll(-1, 1), masks.of(numbers))
            torch.testing.assert_close(found, losses, atol=1e-4, rtol=0)
    assert counters["stats"]["unique_graphs"] == 2  # a layer and the loss: nothing was compiled again


@pytest.mark.parametrize(
    ("sizes", "said"),
    [({"width": 64, "heads": 3}, "3 heads"), ({"layers": 0}, "layers"), ({"width": 6, "heads": 6}, "6 heads")],
)
def test_sizes_that_do_not_go_together_are_refused(sizes: dict[str, int], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        Shape(vocab=64, **sizes)


def test_a_row_longer_than_the_context_is_refused() -> None:
    with pytest.raises(UsageError, match="context is 256"):
        network().logits(torch.zeros(1, 257, dtype=torch.long))


def _changed(folder: Path, **parts: Any) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | parts))


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ({"hidden_act": "gelu"}, "hidden_act is 'gelu'"),
        ({"num_key_value_heads": 1}, "num_key_value_heads"),
        ({"vocab_size": 64}, "weights do not fit"),
        ({"num_hidden_layers": 2}, "weights do not fit"),
        ({"hidden_size": "wide"}, "not a configuration"),
    ],
)
def test_a_folder_of_another_network_is_refused(tmp_path: Path, parts: dict[str, Any], said: str) -> None:
    save(network(), tmp_path)
    _changed(tmp_path, **parts)
    with pytest.raises(InputError, match=said):
        load(tmp_path)


def test_a_folder_without_a_model_or_with_half_of_one_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"config\.json"):
        load(tmp_path)
    save(network(), tmp_path)
    weights = tmp_path / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    with pytest.raises(InputError, match="cannot be read as weights"):
        load(tmp_path)

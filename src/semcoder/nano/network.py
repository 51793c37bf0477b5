"""The built-in model's network: a stock Qwen3 in lean torch, for training on packed rows.

Guarantees: a folder that `save` writes is loaded by transformers' `AutoModelForCausalLM` as an ordinary Qwen3, with the
same logits up to rounding, and no file of weights is over 16 MB; no document of a packed row sees another; the loss is
taken in float32, of targets alone. Weights keep their dtype (float32 in training); the forward computes in the one it
is told. It does not generate: `semcoder.nano.decoding`.

Shapes: B rows, T places, C width, H heads, D head width, F feed-forward width, V vocabulary.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

import torch
from safetensors.torch import load_file
from safetensors.torch import save as to_bytes
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.attention.flex_attention import BlockMask, flex_attention

from semcoder.errors import InputError, UsageError

#: Base of the rotary angles, and what keeps a norm from dividing by 0: parts of the format.
THETA, EPSILON = 10_000.0, 1e-6
#: The vocabulary is filled up to a multiple of this, for the matrix units.
_MULTIPLE = 64
#: No file of weights holds more bytes of tensors than this.
_MOST_BYTES = 15_000_000
#: Side of a block of flex attention's mask.
_BLOCK = 128
_ASIDE = ".tmp"
_CONFIG, _WEIGHTS, _INDEX = "config.json", "model.safetensors", "model.safetensors.index.json"


@dataclass(frozen=True, slots=True)
class Shape:
    """Sizes of a network. Raises `UsageError` for sizes that do not go together."""

    vocab: int
    width: int = 384
    layers: int = 8
    heads: int = 6
    ffn: int = 1152
    context: int = 2048

    def __post_init__(self) -> None:
        wrong = [name for name, size in asdict(self).items() if size < 1]
        if wrong:
            raise UsageError(f"a network's {wrong[0]} must be at least 1, not {getattr(self, wrong[0])}")
        if self.width % (2 * self.heads):
            raise UsageError(f"width {self.width} cannot be split into {self.heads} heads of even width; change one")

    @classmethod
    def padded(cls, vocab: int, **sizes: int) -> Shape:
        """A shape whose vocabulary is filled up to a multiple of 64."""
        return cls(-(-vocab // _MULTIPLE) * _MULTIPLE, **sizes)

    @property
    def head(self) -> int:
        """Width of a head."""
        return self.width // self.heads

    @property
    def parameters(self) -> int:
        """How many weights there are."""
        layer = 4 * self.width**2 + 3 * self.width * self.ffn + 2 * self.width + 2 * self.head
        return self.vocab * self.width + self.layers * layer + self.width


# Parameters, named as in the format ----------------------------------------------------------------------------------


def _linear(rows: int, columns: int, scale: float) -> nn.Linear:
    made = nn.Linear(columns, rows, bias=False)
    nn.init.normal_(made.weight, std=scale / math.sqrt(columns))
    return made


class _Norm(nn.Module):  # type: ignore[misc]
    def __init__(self, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))


class _Attention(nn.Module):  # type: ignore[misc]
    def __init__(self, shape: Shape, out: float) -> None:
        super().__init__()
        self.q_proj, self.k_proj, self.v_proj = (_linear(shape.width, shape.width, 0.5) for _ in range(3))
        self.o_proj = _linear(shape.width, shape.width, out)
        self.q_norm, self.k_norm = _Norm(shape.head), _Norm(shape.head)


class _FeedForward(nn.Module):  # type: ignore[misc]
    def __init__(self, shape: Shape, out: float) -> None:
        super().__init__()
        self.gate_proj, self.up_proj = (_linear(shape.ffn, shape.width, 0.5) for _ in range(2))
        self.down_proj = _linear(shape.width, shape.ffn, out)


class _Layer(nn.Module):  # type: ignore[misc]
    def __init__(self, shape: Shape) -> None:
        super().__init__()
        out = 0.5 / math.sqrt(2 * shape.layers)  # what all layers add up to stays of the size of one
        self.self_attn, self.mlp = _Attention(shape, out), _FeedForward(shape, out)
        self.input_layernorm, self.post_attention_layernorm = _Norm(shape.width), _Norm(shape.width)

    def weights(self) -> LayerWeights:
        attention, mlp = self.self_attn, self.mlp
        return LayerWeights(
            self.input_layernorm.weight, attention.q_proj.weight, attention.k_proj.weight, attention.v_proj.weight,
            attention.q_norm.weight, attention.k_norm.weight, attention.o_proj.weight,
            self.post_attention_layernorm.weight, mlp.gate_proj.weight, mlp.up_proj.weight, mlp.down_proj.weight,
        )  # fmt: skip


class _Trunk(nn.Module):  # type: ignore[misc]
    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.embed_tokens = nn.Embedding(shape.vocab, shape.width)
        nn.init.normal_(self.embed_tokens.weight, std=0.02)
        self.layers = nn.ModuleList(_Layer(shape) for _ in range(shape.layers))
        self.norm = _Norm(shape.width)


class LayerWeights(NamedTuple):
    """A layer's weights, in the order in which they are used."""

    norm_1: Tensor
    q: Tensor
    k: Tensor
    v: Tensor
    q_norm: Tensor
    k_norm: Tensor
    o: Tensor
    norm_2: Tensor
    gate: Tensor
    up: Tensor
    down: Tensor


# The computation, as functions of tensors: one compilation serves all layers -----------------------------------------


def rotary(shape: Shape, device: torch.device | str | None = None) -> tuple[Tensor, Tensor]:
    """Cosines and sines by place, float32 [context, D]; the halves of D turn together, as in the format."""
    steps = torch.arange(0, shape.head, 2, dtype=torch.float32, device=device) / shape.head
    places = torch.arange(shape.context, dtype=torch.float32, device=device)
    angles = torch.outer(places, 1.0 / THETA**steps).repeat(1, 2)
    return angles.cos(), angles.sin()


def norm(x: Tensor, weight: Tensor) -> Tensor:
    """Root-mean-square norm over the last dimension, in float32, back in the dtype of `x`."""
    full = x.float()
    return (full * torch.rsqrt(full.pow(2).mean(-1, keepdim=True) + EPSILON)).to(x.dtype) * weight.to(x.dtype)


def turned(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Heads turned by the angles of their places; angles broadcast against [..., D]."""
    full = x.float()
    left, right = full.chunk(2, dim=-1)
    return (full * cos + torch.cat((-right, left), dim=-1) * sin).to(x.dtype)


def _by_mask(q: Tensor, k: Tensor, v: Tensor, mask: Tensor) -> Tensor:
    return functional.scaled_dot_product_attention(q, k, v, attn_mask=mask)


def _by_blocks(q: Tensor, k: Tensor, v: Tensor, mask: BlockMask) -> Tensor:
    # compiled for a CPU, flex attention takes turned heads that are not contiguous for others (torch 2.13); where they
    # are written by the norm's kernel this costs nothing
    out = flex_attention(q.contiguous(), k.contiguous(), v.contiguous(), block_mask=mask)
    assert isinstance(out, Tensor)
    return out


def layer(x: Tensor, weights: LayerWeights, cos: Tensor, sin: Tensor, mask: Tensor | BlockMask, heads: int) -> Tensor:
    """One layer: [B, T, C] to [B, T, C]. Weights that read the same input are joined into one product."""
    rows, places, width = x.shape
    dtype = x.dtype
    q_k_v = functional.linear(norm(x, weights.norm_1), torch.cat((weights.q, weights.k, weights.v)).to(dtype))
    q, k, v = q_k_v.view(rows, places, 3, heads, width // heads).unbind(2)
    cos, sin = cos[:places, None], sin[:places, None]
    q, k = turned(norm(q, weights.q_norm), cos, sin), turned(norm(k, weights.k_norm), cos, sin)
    attend: Callable[..., Tensor] = _by_mask if isinstance(mask, Tensor) else _by_blocks
    seen = attend(q.transpose(1, 2), k.transpose(1, 2), v.transpose(1, 2), mask)
    x = x + functional.linear(seen.transpose(1, 2).reshape(rows, places, width), weights.o.to(dtype))
    both = functional.linear(norm(x, weights.norm_2), torch.cat((weights.gate, weights.up)).to(dtype))
    gate, up = both.chunk(2, dim=-1)
    return x + functional.linear(functional.silu(gate) * up, weights.down.to(dtype))


def head(x: Tensor, last_norm: Tensor, embedding: Tensor) -> Tensor:
    """Logits [..., V] of [..., C]."""
    return functional.linear(norm(x, last_norm), embedding.to(x.dtype))


def losses(x: Tensor, last_norm: Tensor, embedding: Tensor, targets: Tensor) -> Tensor:
    """Cross entropy by place, float32 [B, T], 0 where the target is ignored (-100); softmax in float32."""
    logits = head(x, last_norm, embedding).flatten(0, 1).float()
    found = functional.cross_entropy(logits, targets.flatten().long(), ignore_index=-100, reduction="none")
    return found.view(targets.shape)


# Masks ---------------------------------------------------------------------------------------------------------------


def dense_mask(documents: Tensor) -> Tensor:
    """Who sees whom, bool [B, 1, T, T]: places of the same document at or before one's own."""
    places = documents.shape[1]
    causal = torch.ones(places, places, dtype=torch.bool, device=documents.device).tril()
    return (documents[:, None, :, None] == documents[:, None, None, :]) & causal


class BlockMasks:
    """Masks for flex attention, batch after batch.

    `of` makes the mask of a batch's documents [B, T] that count up within a row; it holds until the next is made. The
    documents are copied into one tensor that stays: so the mask's function is one object, and compiled code that
    guards on it is good for every batch. T must be a multiple of 128.
    """

    def __init__(self, rows: int, places: int, device: torch.device | str) -> None:
        if places % _BLOCK:
            raise UsageError(f"flex attention needs a length that is a multiple of {_BLOCK}, not {places}")
        self._documents = documents = torch.zeros(rows, places, dtype=torch.int32, device=device)

        def sees(row: Tensor, head: Tensor, query: Tensor, key: Tensor) -> Tensor:
            return (query >= key) & (documents[row, query] == documents[row, key])

        self._sees = sees

    def of(self, documents: Tensor) -> BlockMask:
        """The mask of a batch: which blocks of 128 x 128 are looked at, and which of them whole.

        As documents count up and lie side by side, the first and last of each block tell: no [T, T] mask is made.
        """
        self._documents.copy_(documents)
        blocks = self._documents.unflatten(1, (-1, _BLOCK))
        first, last = blocks[:, :, 0], blocks[:, :, -1]
        number = torch.arange(first.shape[1], device=first.device)
        some = (number[:, None] >= number) & (first[:, :, None] <= last[:, None, :])
        whole = (number[:, None] > number) & (last[:, :, None] == first[:, None, :])
        return BlockMask.from_kv_blocks(
            *_ordered(some & ~whole), *_ordered(whole), BLOCK_SIZE=_BLOCK, mask_mod=self._sees
        )


def _ordered(blocks: Tensor) -> tuple[Tensor, Tensor]:
    """How many key blocks each query block has, [B, 1, Q], and their numbers first, [B, 1, Q, K]; both int32."""
    numbers = blocks.to(torch.int32).argsort(dim=-1, descending=True, stable=True)
    return blocks.sum(-1, dtype=torch.int32)[:, None], numbers.to(torch.int32)[:, None]


# The network ---------------------------------------------------------------------------------------------------------


class Network(nn.Module):  # type: ignore[misc]
    """A decoder with tied embeddings; parameters are named as in transformers' Qwen3.

    Positions are those in the packed row, not in the document: only differences of positions matter to attention with
    rotary angles, so a document's place in a row changes nothing but rounding, and angles need no gather.
    """

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        self.model = _Trunk(shape)
        cos, sin = rotary(shape)
        self.register_buffer("cos", cos, persistent=False)
        self.register_buffer("sin", sin, persistent=False)
        self.layer, self.head_losses = layer, losses

    def use_compiled(self, **options: Any) -> None:
        """Compiles a layer, once for all of them, and the loss; options are torch.compile's."""
        self.layer, self.head_losses = torch.compile(layer, **options), torch.compile(losses, **options)

    def use_plain(self) -> None:
        """Back to plain functions."""
        self.layer, self.head_losses = layer, losses

    def layers(self) -> list[LayerWeights]:
        """Weights by layer."""
        return [part.weights() for part in self.model.layers]

    def hidden(self, ids: Tensor, mask: Tensor | BlockMask, dtype: torch.dtype = torch.float32) -> Tensor:
        """What the last layer gives, [B, T, C] in `dtype`, for ids [B, T]."""
        if ids.shape[1] > self.shape.context:
            raise UsageError(f"rows of {ids.shape[1]} places, and the network's context is {self.shape.context}")
        x = functional.embedding(ids, self.model.embed_tokens.weight).to(dtype)
        for weights in self.layers():
            x = self.layer(x, weights, self.cos, self.sin, mask, self.shape.heads)
        return x

    def logits(self, ids: Tensor, dtype: torch.dtype = torch.float32) -> Tensor:
        """Logits [B, T, V] of rows that are one document each."""
        x = self.hidden(ids, dense_mask(torch.zeros_like(ids)), dtype)
        return head(x, self.model.norm.weight, self.model.embed_tokens.weight)

    def losses(
        self, ids: Tensor, targets: Tensor, mask: Tensor | BlockMask, dtype: torch.dtype = torch.float32
    ) -> Tensor:
        """The loss by place, float32 [B, T], 0 where there is no target."""
        x = self.hidden(ids, mask, dtype)
        found = self.head_losses(x, self.model.norm.weight, self.model.embed_tokens.weight, targets)
        assert isinstance(found, Tensor)
        return found


# Folders -------------------------------------------------------------------------------------------------------------


def save(network: Network, folder: Path, *, pad: int = 0, eos: int = 1) -> None:
    """Writes the configuration and the weights in bfloat16; what else is in the folder stays (a tokenizer, say)."""
    folder.mkdir(parents=True, exist_ok=True)
    tensors = {
        name: part.detach().to("cpu", torch.bfloat16).contiguous() for name, part in network.state_dict().items()
    }
    files = _files(tensors)
    documents = {_CONFIG: _config(network.shape, pad, eos)}
    if len(files) > 1:
        documents[_INDEX] = {
            "metadata": {"total_size": sum(map(_bytes, tensors.values()))},
            "weight_map": {tensor: name for name, part in files.items() for tensor in part},
        }
    for name, part in files.items():
        (folder / (name + _ASIDE)).write_bytes(to_bytes(part, metadata={"format": "pt"}))
    for name, doc in documents.items():
        (folder / (name + _ASIDE)).write_text(json.dumps(doc, indent=2) + "\n", encoding="utf-8")
    for stale in folder.glob("model*.safetensors*"):
        if stale.name not in files.keys() | documents.keys() and stale.suffix != _ASIDE:
            stale.unlink()
    for name in [*files, *documents]:  # all is written: a process killed here leaves a whole model but for bad luck
        (folder / (name + _ASIDE)).replace(folder / name)


def load(folder: Path) -> Network:
    """The network of a folder, float32. Raises `InputError` for what `save` would not have written."""
    config = _read_json(folder / _CONFIG)
    try:
        shape = Shape(
            vocab=config["vocab_size"], width=config["hidden_size"], layers=config["num_hidden_layers"],
            heads=config["num_attention_heads"], ffn=config["intermediate_size"],
            context=config["max_position_embeddings"],
        )  # fmt: skip
        fixed = _config(shape, 0, 1)
        known = {name: config[name] for name in _FIXED}
    except (KeyError, TypeError) as error:
        raise InputError(f"{folder / _CONFIG}: not a configuration of this network (lacks {error})") from None
    other = [name for name in _FIXED if known[name] != fixed[name]]
    if other:
        raise InputError(
            f"{folder / _CONFIG}: {other[0]} is {known[other[0]]!r}; only {fixed[other[0]]!r} is known here"
        )
    network = Network(shape)
    tensors = _tensors(folder)
    wanted = network.state_dict()
    wrong = sorted(wanted.keys() ^ tensors.keys()) or [
        name for name, part in wanted.items() if part.shape != tensors[name].shape
    ]
    if wrong:
        raise InputError(f"{folder}: weights do not fit {_CONFIG} (see {wrong[0]}); save the folder again")
    network.load_state_dict(tensors)
    return network


#: Parts of the configuration that must be as they are.
_FIXED = ("model_type", "head_dim", "num_key_value_heads", "hidden_act", "rms_norm_eps", "tie_word_embeddings",
          "attention_bias", "use_sliding_window", "rope_parameters")  # fmt: skip


def _config(shape: Shape, pad: int, eos: int) -> dict[str, Any]:
    return {
        "architectures": ["Qwen3ForCausalLM"],
        "model_type": "qwen3",
        "vocab_size": shape.vocab,
        "hidden_size": shape.width,
        "num_hidden_layers": shape.layers,
        "num_attention_heads": shape.heads,
        "num_key_value_heads": shape.heads,
        "head_dim": shape.head,
        "intermediate_size": shape.ffn,
        "max_position_embeddings": shape.context,
        "hidden_act": "silu",
        "rms_norm_eps": EPSILON,
        "rope_parameters": {"rope_type": "default", "rope_theta": THETA},
        "rope_theta": THETA,  # where older readers look
        "tie_word_embeddings": True,
        "attention_bias": False,
        "attention_dropout": 0.0,
        "use_sliding_window": False,
        "use_cache": True,
        "pad_token_id": pad,
        "eos_token_id": eos,
        "dtype": "bfloat16",
        "torch_dtype": "bfloat16",
    }


def _bytes(tensor: Tensor) -> int:
    return int(tensor.numel() * tensor.element_size())


def _files(tensors: dict[str, Tensor]) -> dict[str, dict[str, Tensor]]:
    """Tensors by file, in order, none over the bound unless one tensor alone is."""
    parts: list[dict[str, Tensor]] = [{}]
    for name, tensor in tensors.items():
        if parts[-1] and sum(map(_bytes, parts[-1].values())) + _bytes(tensor) > _MOST_BYTES:
            parts.append({})
        parts[-1][name] = tensor
    if len(parts) == 1:
        return {_WEIGHTS: parts[0]}
    return {f"model-{place:05d}-of-{len(parts):05d}.safetensors": part for place, part in enumerate(parts, start=1)}


def _tensors(folder: Path) -> dict[str, Tensor]:
    names: Sequence[str] = (_WEIGHTS,)
    if (folder / _INDEX).exists():
        names = sorted(set(_read_json(folder / _INDEX)["weight_map"].values()))
    found: dict[str, Tensor] = {}
    for name in names:
        try:
            found |= load_file(folder / name)
        except Exception as error:  # safetensors raises its own, an OSError, or a ValueError
            raise InputError(f"{folder / name}: cannot be read as weights ({error}); save the folder again") from None
    return found


def _read_json(path: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise InputError(f"{path}: cannot be read ({error}); is its folder one of a model?") from None

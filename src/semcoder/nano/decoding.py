"""What the built-in model writes: token by token for one prompt, or for many prompts side by side.

Guarantees: without a temperature the token of highest logit is written, so a prompt's answer depends on the prompt
alone, in `stream` as in `batch`, but for rounding where two logits are equal to 6 digits; with one it depends on the
seed and the prompt's place in the list, not on the batch size. An answer ends before the first stop token (which is not
part of it), after `max_new` tokens, or where the context is full. Weights and cache are float32.

In `batch` a row that is done makes room for the next at once. On a CPU each thread takes rows of its own: nothing waits
for another thread, and each row's attention reads just the places it has.
"""

from __future__ import annotations

import os
import random
import threading
from collections import deque
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from semcoder.errors import UsageError
from semcoder.nano.network import EPSILON, Network, Shape, load, turned

#: Told of each answer of a batch when it is done: the prompt's place in the list, and the answer.
Done = Callable[[int, list[int]], None]


class _Layer(NamedTuple):
    """A layer's weights; those that read the same input are one matrix."""

    norm_1: Tensor
    q_k_v: Tensor
    q_norm: Tensor
    k_norm: Tensor
    o: Tensor
    norm_2: Tensor
    gate_up: Tensor
    down: Tensor


class _Weights:
    """A network's weights as decoding needs them, float32 on one device."""

    def __init__(self, network: Network, device: torch.device) -> None:
        def here(*parts: Tensor) -> Tensor:
            return torch.cat([part.detach().float() for part in parts]).to(device)

        self.shape: Shape = network.shape
        self.device = device
        self.layers = [
            _Layer(
                here(layer.norm_1), here(layer.q, layer.k, layer.v), here(layer.q_norm), here(layer.k_norm),
                here(layer.o), here(layer.norm_2), here(layer.gate, layer.up), here(layer.down),
            )
            for layer in network.layers()
        ]  # fmt: skip
        self.embedding = here(network.model.embed_tokens.weight)
        self.norm = here(network.model.norm.weight)
        self.cos, self.sin = here(network.cos), here(network.sin)


def _norm(x: Tensor, weight: Tensor) -> Tensor:
    return functional.rms_norm(x, weight.shape, weight, EPSILON)


class _Cache:
    """Keys and values of the places that rows have so far, and the network's passes over them.

    Rows sit in slots, each with room for `capacity` places. Memory that no row has reached yet is not touched.
    """

    def __init__(self, weights: _Weights, slots: int, capacity: int) -> None:
        self._weights = weights
        shape = weights.shape
        size = (slots, shape.heads, capacity, shape.head)
        self._keys, self._values = ([_room(size, weights.device) for _ in weights.layers] for _ in range(2))

    def prompt(self, slot: int, ids: Sequence[int]) -> Tensor:
        """Puts a prompt into a slot; the logits [V] of what comes next."""
        weights, places = self._weights, len(ids)
        x = functional.embedding(torch.tensor(ids, device=weights.device), weights.embedding)
        cos, sin = weights.cos[:places, None], weights.sin[:places, None]
        for layer, keys, values in zip(weights.layers, self._keys, self._values, strict=True):
            q, k, v = self._heads(x, layer, cos, sin)
            keys[slot, :, :places], values[slot, :, :places] = k.transpose(0, 1), v.transpose(0, 1)
            seen = functional.scaled_dot_product_attention(
                q.transpose(0, 1)[None], k.transpose(0, 1)[None], v.transpose(0, 1)[None], is_causal=True
            )
            x = self._rest(x, seen[0].transpose(0, 1), layer)
        return functional.linear(_norm(x[-1], weights.norm), weights.embedding)

    def step(self, slots: Sequence[int], lengths: Sequence[int], ids: Sequence[int]) -> Tensor:
        """Puts a token more into each of some slots, which have `lengths` places; the logits [rows, V] of the next."""
        weights = self._weights
        where = torch.tensor([slots, lengths, ids], device=weights.device)
        at, places = where[0], where[1]
        x = functional.embedding(where[2], weights.embedding)
        cos, sin = weights.cos[places][:, None], weights.sin[places][:, None]
        attend = _row_by_row if weights.device.type == "cpu" else _at_once
        for layer, keys, values in zip(weights.layers, self._keys, self._values, strict=True):
            q, k, v = self._heads(x, layer, cos, sin)
            keys[at, :, places], values[at, :, places] = k, v
            x = self._rest(x, attend(q, keys, values, slots, lengths), layer)
        return functional.linear(_norm(x, weights.norm), weights.embedding)

    def _heads(self, x: Tensor, layer: _Layer, cos: Tensor, sin: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Queries, keys and values [rows or places, H, D]."""
        shape = self._weights.shape
        q_k_v = functional.linear(_norm(x, layer.norm_1), layer.q_k_v)
        q, k, v = q_k_v.view(-1, 3, shape.heads, shape.head).unbind(1)
        return turned(_norm(q, layer.q_norm), cos, sin), turned(_norm(k, layer.k_norm), cos, sin), v

    @staticmethod
    def _rest(x: Tensor, seen: Tensor, layer: _Layer) -> Tensor:
        x = x + functional.linear(seen.reshape(x.shape), layer.o)
        gate, up = functional.linear(_norm(x, layer.norm_2), layer.gate_up).chunk(2, dim=-1)
        return x + functional.linear(functional.silu(gate) * up, layer.down)


def _room(size: Sequence[int], device: torch.device) -> Tensor:
    # on a CPU memory costs nothing before it is touched; on a GPU places that are masked are read: they must be finite
    return torch.empty(size) if device.type == "cpu" else torch.zeros(size, device=device)


def _row_by_row(q: Tensor, keys: Tensor, values: Tensor, slots: Sequence[int], lengths: Sequence[int]) -> Tensor:
    """For a CPU: calls are cheap, and reading places that a row does not have is not."""
    q = q.unsqueeze(2)
    return torch.cat([
        functional.scaled_dot_product_attention(
            q[row : row + 1], keys[slot : slot + 1, :, : length + 1], values[slot : slot + 1, :, : length + 1]
        )
        for row, (slot, length) in enumerate(zip(slots, lengths, strict=True))
    ])  # fmt: skip


def _at_once(q: Tensor, keys: Tensor, values: Tensor, slots: Sequence[int], lengths: Sequence[int]) -> Tensor:
    """For a GPU, where it is the other way round: all rows to the length of the longest."""
    longest = max(lengths) + 1
    at = torch.tensor(slots, device=q.device)
    mine = torch.arange(longest, device=q.device) <= torch.tensor(lengths, device=q.device)[:, None]
    return functional.scaled_dot_product_attention(
        q.unsqueeze(2), keys[at, :, :longest], values[at, :, :longest], attn_mask=mine[:, None, None]
    )


@dataclass(slots=True)
class _Row:
    """A prompt that is being answered."""

    place: int
    prompt: Sequence[int]
    answer: list[int] = field(default_factory=list)
    generator: torch.Generator | None = None

    @property
    def length(self) -> int:
        """Places in the cache when the last token written is about to be put there."""
        return len(self.prompt) + len(self.answer) - 1


@dataclass(frozen=True, slots=True)
class _Ending:
    """When an answer ends, and how its tokens are chosen."""

    max_new: int
    stop: frozenset[int]
    context: int
    temperature: float = 0.0

    def chosen(self, logits: Tensor, rows: Sequence[_Row]) -> list[int]:
        """The next token of each row, from logits [rows, V]."""
        if not self.temperature:
            return [int(token) for token in logits.argmax(-1).tolist()]
        shares = torch.softmax(logits / self.temperature, dim=-1).cpu()
        return [
            int(torch.multinomial(share, 1, generator=row.generator))
            for share, row in zip(shares, rows, strict=True)
        ]  # fmt: skip

    def add(self, row: _Row, token: int) -> bool:
        """Adds a token to a row's answer; whether the row goes on."""
        if token in self.stop:
            return False
        row.answer.append(token)
        return len(row.answer) < self.max_new and row.length < self.context - 1


class Decoder:
    """Answers prompts with a model: a folder that `semcoder.nano.network.save` wrote, or a network.

    `threads`: by default as many as this process may run at once; on a GPU it has no meaning.
    """

    def __init__(
        self, model: Path | Network, *, threads: int | None = None, device: torch.device | str = "cpu"
    ) -> None:
        network = model if isinstance(model, Network) else load(model)
        with torch.inference_mode():
            self._weights = _Weights(network, torch.device(device))
        self._threads = threads or len(os.sched_getaffinity(0))

    @property
    def context(self) -> int:
        """Tokens that a prompt and its answer may have together."""
        return self._weights.shape.context

    def stream(self, prompt: Sequence[int], *, max_new: int, stop: Collection[int] = ()) -> Iterator[int]:
        """The answer's tokens, each when it is known. Raises `UsageError` for a prompt that the model cannot read."""
        self._check([prompt], max_new)
        return self._stream(_Row(0, prompt), _Ending(max_new, frozenset(stop), self.context))

    def batch(
        self,
        prompts: Sequence[Sequence[int]],
        *,
        max_new: int,
        stop: Collection[int] = (),
        temperature: float = 0.0,
        seed: int = 0,
        batch_size: int = 64,
        done: Done | None = None,
    ) -> list[list[int]]:
        """The prompts' answers, in their order; `batch_size` of them are at work at a time.

        `done` is told of each when it is there (from one thread at a time). Raises `UsageError` as `stream`.
        """
        self._check(prompts, max_new)
        if temperature < 0 or batch_size < 1:
            raise UsageError(f"temperature {temperature} and batch size {batch_size}: from 0, and from 1 up")
        rows = [_Row(place, prompt) for place, prompt in enumerate(prompts)]
        if temperature:
            for row in rows:
                bits = random.Random(f"{seed} {row.place}").getrandbits(32)  # torch's generator reads no more of a seed
                row.generator = torch.Generator().manual_seed(bits)
        # long prompts tend to have long answers: what takes longest must not come last
        waiting = deque(sorted(rows, key=lambda row: -len(row.prompt)))
        ending = _Ending(max_new, frozenset(stop), self.context, temperature)
        self._in_lanes(waiting, ending, min(batch_size, len(rows)), done or (lambda place, answer: None))
        return [row.answer for row in rows]

    def _check(self, prompts: Sequence[Sequence[int]], max_new: int) -> None:
        if max_new < 1:
            raise UsageError(f"at least 1 new token must be allowed, not {max_new}")
        for place, prompt in enumerate(prompts):
            if not 0 < len(prompt) < self.context:
                raise UsageError(
                    f"prompt {place} has {len(prompt)} tokens; a prompt has at least 1 and less than {self.context}"
                )
            if not 0 <= min(prompt) <= max(prompt) < self._weights.shape.vocab:
                raise UsageError(f"prompt {place} has a token beyond the {self._weights.shape.vocab} of the model")

    def _cache(self, slots: int, longest: int, max_new: int) -> _Cache:
        return _Cache(self._weights, slots, min(self.context, longest + max_new))

    def _stream(self, row: _Row, ending: _Ending) -> Iterator[int]:
        with _threads(self._threads), torch.inference_mode():
            cache = self._cache(1, len(row.prompt), ending.max_new)
            logits = cache.prompt(0, row.prompt)
        goes_on = True
        while goes_on:
            token = ending.chosen(logits[None], [row])[0]
            goes_on = ending.add(row, token)
            if token not in ending.stop:
                yield token
            if goes_on:  # modes are left while the caller has its turn
                with _threads(self._threads), torch.inference_mode():
                    logits = cache.step([0], [row.length], [token])[0]

    def _in_lanes(self, waiting: deque[_Row], ending: _Ending, slots: int, done: Done) -> None:
        """Answers what waits, in one thread a lane; an error of one of them is raised here."""
        lanes = min(self._threads, slots) if self._weights.device.type == "cpu" else 1
        longest = max((len(row.prompt) for row in waiting), default=0)
        errors: list[BaseException] = []
        lock = threading.Lock()

        def told(row: _Row) -> None:
            with lock:
                done(row.place, row.answer)

        def lane(number: int) -> None:
            try:
                torch.set_num_threads(1)  # of this thread
                with torch.inference_mode():
                    mine = slots // lanes + (number < slots % lanes)
                    _work(self._cache(mine, longest, ending.max_new), mine, waiting, ending, told, errors)
            except BaseException as error:
                errors.append(error)

        with _threads(1):
            crew = [threading.Thread(target=lane, args=(number,), daemon=True) for number in range(lanes)]
            for thread in crew:
                thread.start()
            try:
                for thread in crew:
                    thread.join()
            except KeyboardInterrupt as error:
                errors.append(error)
        if errors:
            raise errors[0]


def _work(
    cache: _Cache, slots: int, waiting: deque[_Row], ending: _Ending, told: Callable[[_Row], None],
    errors: Sequence[BaseException],
) -> None:  # fmt: skip
    """Answers rows from `waiting` until there are none, or another thread failed."""
    active: dict[int, _Row] = {}
    while not errors:
        for slot in range(slots):
            while slot not in active and waiting:
                try:
                    row = waiting.popleft()
                except IndexError:  # another thread took the last
                    break
                if ending.add(row, ending.chosen(cache.prompt(slot, row.prompt)[None], [row])[0]):
                    active[slot] = row
                else:
                    told(row)
        if not active:
            return
        rows = list(active.values())
        logits = cache.step(list(active), [row.length for row in rows], [row.answer[-1] for row in rows])
        for slot, row, token in zip(list(active), rows, ending.chosen(logits, rows), strict=True):
            if not ending.add(row, token):
                told(active.pop(slot))


@contextmanager
def _threads(count: int) -> Iterator[None]:
    """Torch's threads for a while."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)

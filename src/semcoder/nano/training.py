"""Trains the built-in model on a folder of shards, for a given time or number of steps.

    python -m semcoder.nano.training --data DIR --out DIR --vocab N --seconds 540

    checkpoint.pt    weights, optimizer, step and place in the data, every `--save-every` seconds
    log.jsonl        every `--log-every` steps: losses, speed, share of time spent waiting for data
    model/           the model as of the last checkpoint, as `semcoder.nano.network.save` writes it
    training.json    what was done, with what, how fast; written last

Guarantees: every file is there whole or not at all. The learning rate rises, stays, and falls to 0 exactly at the end,
be that a step or a time: the clock starts after compilation, runs on through every stall, and goes on where a run is
resumed. With `--steps`, on a CPU and with a folder that nobody writes to, a run that was killed and resumed gives the
same weights as one that was not. Where flex attention or compilation fail, or give other gradients than plain
attention, the run goes on without and says so. Losses or gradients that are not finite take the weights back to the
last good ones, a few times; then the run ends with those.
Times are of the wall; a step is only waited for when its line is logged.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from semcoder.errors import InputError, SemcoderError, UsageError
from semcoder.nano import shards
from semcoder.nano.network import BlockMasks, Network, Shape, dense_mask, save
from semcoder.nano.shards import IGNORED, Batch, Place, Reader, Reading, Tokens

#: Newton and Schulz's quintic iteration as Muon uses it: singular values come near 1 in few rounds.
#: Keller Jordan, "Muon: An optimizer for hidden layers in neural networks", 2024.
_QUINTIC = (3.4445, -4.7750, 2.0315)
_ROUNDS = 5
#: Back to the last good weights at most so often.
_SETBACKS = 3
#: Steps whose phases are timed: from, to.
_TIMED = (10, 50)
_CHECKPOINT, _LOG, _MODEL, _RESULT = "checkpoint.pt", "log.jsonl", "model", "training.json"


@dataclass(frozen=True)
class Training:
    """All that decides a run. One of `seconds` (of the wall, start-up included) and `steps` is given."""

    data: Path
    out: Path
    vocab: int
    seconds: float | None = None
    steps: int | None = None
    resume: bool = False
    #: Seconds that a resumed run has, start-up included, in place of what is left of `seconds`.
    left: float | None = None
    #: Seconds after which this process saves and ends, to be resumed.
    pause_after: float | None = None
    width: int = 384
    layers: int = 8
    heads: int = 6
    ffn: int = 1152
    #: Tokens in a row of a batch, rows in a batch, parts that a batch is split into where memory is short.
    length: int = 2048
    rows: int = 64
    parts: int = 1
    among: int = 8192
    seed: int = 0
    pad: int = 0
    eos: int = 1
    #: Ids that open an answer; losses are logged for each.
    answers: tuple[int, ...] = (2,)
    muon_lr: float = 0.02
    adam_lr: float = 0.003
    momentum: float = 0.95
    weight_decay: float = 0.01
    clip: float = 1.0
    warmup: int = 200
    #: Share of the run, at its end, in which the learning rate falls to 0.
    decay: float = 0.4
    device: str = "auto"
    precision: str = "auto"
    attention: str = "auto"
    compile: str = "auto"
    save_every: float = 60.0
    log_every: int = 20
    #: Seconds kept for the end of a timed run.
    reserve: float = 5.0
    #: Operations per second that the device could do, for `mfu`.
    peak: float = 989e12
    #: Whether the writers of `data` are told to stop at the end.
    stop_writers: bool = False

    def __post_init__(self) -> None:
        if (self.seconds is None) == (self.steps is None):
            raise UsageError("a run has an end: give one of --seconds and --steps")
        if self.left is not None and (self.steps is not None or not self.resume):
            raise UsageError("--left is for a run of --seconds that is resumed (--resume)")
        if self.rows % self.parts:
            raise UsageError(f"{self.rows} rows cannot be split into {self.parts} parts; make --parts a divisor")

    @property
    def shape(self) -> Shape:
        """The network's sizes."""
        return Shape.padded(
            self.vocab, width=self.width, layers=self.layers, heads=self.heads, ffn=self.ffn, context=self.length
        )

    @property
    def reading(self) -> Reading:
        """How the data are read."""
        tokens = Tokens(self.pad, self.eos, self.answers)
        return Reading(self.data, tokens, self.rows, self.length, among=self.among, seed=self.seed)


# The optimizer -------------------------------------------------------------------------------------------------------


def orthogonal(matrices: Tensor) -> Tensor:
    """The nearly orthogonal matrices next to some, [N, rows, columns], in bfloat16."""
    tall = matrices.shape[-2] > matrices.shape[-1]
    x = (matrices / (matrices.norm(dim=(-2, -1), keepdim=True) + 1e-7)).bfloat16()
    x = x.mT.contiguous() if tall else x
    a, b, c = _QUINTIC
    for _ in range(_ROUNDS):
        square = x @ x.mT
        x = torch.baddbmm(x, torch.baddbmm(square, square, square, beta=b, alpha=c), x, beta=a)
    return x.mT.contiguous() if tall else x


class Optimizer:
    """Muon for the layers' matrices, all of one shape in one chain of products, and AdamW for everything else.

    `scale` of `step` multiplies both learning rates. Nothing here waits for the device.
    """

    def __init__(self, network: Network, how: Training) -> None:
        self._how = how
        matrices = [weight for weight in network.model.layers.parameters() if weight.dim() == 2]
        self._groups = [
            [weight for weight in matrices if weight.shape == shape]
            for shape in dict.fromkeys(weight.shape for weight in matrices)
        ]
        self._momenta = [torch.zeros(len(group), *group[0].shape, device=group[0].device) for group in self._groups]
        hidden = set(map(id, matrices))
        others = [weight for weight in network.parameters() if id(weight) not in hidden]
        self._adam = torch.optim.AdamW(others, how.adam_lr, betas=(0.9, 0.95), eps=1e-10, weight_decay=0.0, fused=True)
        for weight in others:  # the state is there from the start: a snapshot can be taken before the first step
            self._adam.state[weight] = {
                "step": torch.zeros((), device=weight.device),
                "exp_avg": torch.zeros_like(weight), "exp_avg_sq": torch.zeros_like(weight),
            }  # fmt: skip

    @torch.no_grad()  # type: ignore[untyped-decorator]
    def step(self, scale: float) -> None:
        """One update from the gradients that the weights have."""
        lr = self._how.muon_lr * scale
        for group, momentum in zip(self._groups, self._momenta, strict=True):
            gradients = torch.stack([weight.grad for weight in group])
            momentum.lerp_(gradients, 1 - self._how.momentum)
            updates = orthogonal(gradients.lerp(momentum, self._how.momentum)).to(momentum.dtype).unbind()
            rows, columns = group[0].shape
            torch._foreach_mul_(group, 1 - lr * self._how.weight_decay)
            torch._foreach_add_(group, updates, alpha=-lr * math.sqrt(max(1.0, rows / columns)))
        self._adam.param_groups[0]["lr"] = self._how.adam_lr * scale
        self._adam.step()

    def tensors(self) -> list[Tensor]:
        """All its state, in a fixed order."""
        states = [self._adam.state[weight] for weight in self._adam.param_groups[0]["params"]]
        return self._momenta + [state[name] for state in states for name in ("step", "exp_avg", "exp_avg_sq")]


# Gradients of a batch ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Way:
    """How gradients are computed: attention `flex` or `sdpa`, compiled or not, in so many parts."""

    attention: str
    compiled: bool
    parts: int


class Gradients:
    """Losses and gradients of batches in one way."""

    def __init__(self, network: Network, how: Training, way: Way, dtype: torch.dtype) -> None:
        self._network, self._dtype, self.way = network, dtype, way
        self._mask: Callable[[Tensor], Any] = dense_mask
        if way.attention == "flex":
            self._mask = BlockMasks(how.rows // way.parts, how.length, network.cos.device).of
        network.use_compiled(dynamic=False) if way.compiled else network.use_plain()

    def __call__(self, parts: Tensor, targets: int) -> Tensor:
        """Adds the gradient of the mean loss of a batch's `parts` [4, B, T]; returns the losses [B, T]."""
        found = []
        for part in parts.chunk(self.way.parts, dim=1):
            losses = self._network.losses(part[0], part[1], self._mask(part[2]), self._dtype)
            (losses.sum() / max(1, targets)).backward()
            found.append(losses.detach())
        return torch.cat(found)


def _trial_batch(how: Training) -> tuple[np.ndarray[Any, np.dtype[np.int32]], int]:
    """A batch of noise with documents of usual lengths, to try a way on before there are data."""
    rng = np.random.default_rng(how.seed)
    parts = np.zeros((4, how.rows, how.length), np.int32)
    parts[0] = rng.integers(how.vocab, size=parts[0].shape)
    parts[1] = np.where(rng.random(parts[0].shape) < 0.7, np.roll(parts[0], -1, axis=1), IGNORED)
    parts[2] = np.cumsum(rng.random(parts[0].shape) < 4 / how.length, axis=1)
    return parts, int((parts[1] != IGNORED).sum())


def choose_way(network: Network, how: Training, dtype: torch.dtype, say: Callable[[str], None]) -> Gradients:
    """The fastest way that works here and gives the gradients of plain attention, as told on standard error.

    On a CPU that is plain attention, not compiled. Raises `UsageError` where none works.
    """
    device = network.cos.device
    ways = _ways(how, device.type)
    if len(ways) == 1 and not ways[0].compiled:
        return Gradients(network, how, ways[0], dtype)
    plain, targets = _trial_batch(how)
    parts = torch.from_numpy(plain).to(device)
    small = math.gcd(how.rows, max(how.parts, how.rows // 8))  # plain attention takes memory: 8 rows at a time
    wanted = _tried(Gradients(network, how, Way("sdpa", False, small), dtype), network, parts, targets)
    for way in ways:
        while how.rows % way.parts == 0:
            try:
                start = time.perf_counter()
                gradients = Gradients(network, how, way, dtype)
                found = _tried(gradients, network, parts, targets)
                say(f"{way}: {time.perf_counter() - start:.1f} s to compile, {_compared(found, wanted)}")
                if _agree(found, wanted):
                    say(f"{way}: {_timed(gradients, network, parts, targets)}")
                    return gradients
                break
            except torch.OutOfMemoryError:
                say(f"{way}: out of memory; in more parts")
                way = Way(way.attention, way.compiled, way.parts * 2)
            except Exception as error:  # whatever a compiler does wrong, the next way may work
                say(f"{way}: failed ({type(error).__name__}: {str(error)[:2000]})")
                break
    raise UsageError("no way of computing gradients works on this device; see above, or try --device cpu")


def _ways(how: Training, device: str) -> list[Way]:
    fast = device == "cuda"
    compiled = [True, False] if how.compile == "auto" and fast else [how.compile == "yes"]
    attention = {"auto": ["flex", "sdpa"] if fast and how.length % 128 == 0 else ["sdpa"]}
    return [
        Way(kind, some, how.parts)
        for kind in attention.get(how.attention, [how.attention])
        for some in compiled
        if some or kind == "sdpa" or how.attention == "flex"  # flex attention not compiled takes all memory
    ]


def _tried(gradients: Gradients, network: Network, parts: Tensor, targets: int) -> tuple[Tensor, Tensor]:
    """Mean loss and gradient, flat."""
    network.zero_grad(set_to_none=True)  # a way that failed may have left some
    losses = gradients(parts, targets)
    flat = torch.cat([weight.grad.flatten() for weight in network.parameters()])
    network.zero_grad(set_to_none=True)
    return losses.sum() / targets, flat


def _compared(found: tuple[Tensor, Tensor], wanted: tuple[Tensor, Tensor]) -> str:
    return (
        f"loss {float(found[0]):.4f} against {float(wanted[0]):.4f}, cosine of gradients {_cosine(found, wanted):.5f}"
    )


def _cosine(found: tuple[Tensor, Tensor], wanted: tuple[Tensor, Tensor]) -> float:
    return float(torch.nn.functional.cosine_similarity(found[1], wanted[1], dim=0))


def _agree(found: tuple[Tensor, Tensor], wanted: tuple[Tensor, Tensor]) -> bool:
    # bfloat16 rounds every layer to 3 digits; a wrong mask or a wrong kernel is far outside
    return abs(float(found[0]) - float(wanted[0])) < 0.01 * float(wanted[0]) and _cosine(found, wanted) > 0.98


def _timed(gradients: Gradients, network: Network, parts: Tensor, targets: int) -> str:
    start = time.perf_counter()
    for _ in range(3):
        losses, _ = _tried(gradients, network, parts, targets)
    float(losses)
    seconds = (time.perf_counter() - start) / 3
    return f"{1000 * seconds:.1f} ms for {parts[0].numel()} tokens, {parts[0].numel() / seconds / 1e6:.2f} M/s"


# The schedule --------------------------------------------------------------------------------------------------------


@dataclass
class Clock:
    """How far a run is, and what its learning rate is multiplied by.

    `window` is the run's length in seconds without start-ups, `before` how many of them earlier processes used.
    """

    how: Training
    window: float = math.inf
    before: float = 0.0
    began: float = 0.0

    def start(self) -> None:
        """The start-up is over."""
        self.began = time.monotonic()
        given = self.how.left if self.how.left is not None else self.how.seconds
        fresh = self.window == math.inf
        if given is not None and (fresh or self.how.left is not None):
            self.window = self.before + max(1.0, given - age() - self.how.reserve)

    @property
    def elapsed(self) -> float:
        """Seconds of training, those of earlier processes too."""
        return self.before + time.monotonic() - self.began

    def progress(self, step: int) -> float:
        """From 0 to 1."""
        return step / self.how.steps if self.how.steps is not None else self.elapsed / self.window

    def scale(self, step: int) -> float:
        """Up over the first steps, level, and down to 0 over the last share of the run."""
        falling = (1 - self.progress(step)) / self.how.decay if self.how.decay else 1.0
        return max(0.0, min(1.0, (step + 1) / max(1, self.how.warmup), falling))


def age() -> float:
    """Seconds since this process began, where the system tells, else since this module was loaded."""
    try:
        ticks = int(Path("/proc/self/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[19])
        return time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")
    except (OSError, AttributeError, ValueError, IndexError):
        return time.monotonic() - _LOADED


_LOADED = time.monotonic()


# The run -------------------------------------------------------------------------------------------------------------


@dataclass
class Counters:
    """What a run has done, those of its processes before this one too."""

    step: int = 0
    tokens: int = 0
    targets: int = 0
    again: int = 0
    flops: float = 0.0
    setbacks: int = 0
    best_mfu: float = 0.0
    waited: float = 0.0


class _Phases:
    """Times the phases of the first steps, on the host and on the device, without waiting for it meanwhile."""

    _NAMES = ("wait for data", "forward and backward", "optimizer")

    def __init__(self, cuda: bool) -> None:
        self._cuda = cuda
        self._host: list[list[float]] = []
        self._device: list[list[torch.cuda.Event]] = []

    def begin(self) -> None:
        self._host.append([])
        self._device.append([])
        self.mark()

    def mark(self) -> None:
        self._host[-1].append(time.perf_counter())
        if self._cuda:
            event = torch.cuda.Event(enable_timing=True)
            event.record()
            self._device[-1].append(event)

    def told(self) -> str:
        """Mean milliseconds by phase."""
        host = np.array([np.diff(marks) for marks in self._host]).mean(0) * 1000
        text = ", ".join(f"{name} {ms:.2f}" for name, ms in zip(self._NAMES, host, strict=True))
        text = f"ms a step over {len(self._host)} steps, host: {text}"
        if self._cuda:
            torch.cuda.synchronize()
            spans = [[one.elapsed_time(two) for one, two in pairwise(marks)] for marks in self._device]
            device = np.array(spans).mean(0)
            text += "; device: " + ", ".join(f"{name} {ms:.2f}" for name, ms in zip(self._NAMES, device, strict=True))
            text += f"; {torch.cuda.max_memory_allocated() / 1e9:.1f} GB at most"
        return text


class _Saver:
    """Writes checkpoints and the model beside the training, one at a time."""

    def __init__(self, out: Path) -> None:
        self._out = out
        self._thread: threading.Thread | None = None
        self._error: BaseException | None = None

    def submit(self, state: dict[str, Any], network: Network, how: Training) -> None:
        """Copies the state off the device and writes it in a thread. Raises what went wrong the time before."""
        self.wait()
        copied = _on_cpu(state)
        self._thread = threading.Thread(target=self._write, args=(copied, network.shape, how))
        self._thread.start()

    def wait(self) -> None:
        """Returns once all is written."""
        if self._thread is not None:
            self._thread.join()
        if self._error is not None:
            raise UsageError(f"{self._out}: cannot be written ({self._error}); free the disk and resume")

    def _write(self, state: dict[str, Any], shape: Shape, how: Training) -> None:
        try:
            aside = self._out / f"{_CHECKPOINT}.{os.getpid()}.tmp"
            torch.save(state, aside)
            aside.replace(self._out / _CHECKPOINT)
            network = Network(shape)
            network.load_state_dict(state["weights"])
            save(network, self._out / _MODEL, pad=how.pad, eos=how.eos)
        except BaseException as error:  # told by the thread that trains, where someone reads it
            self._error = error


def _on_cpu(state: Any) -> Any:
    """A copy, tensors on the CPU: training goes on while it is written."""
    if isinstance(state, Tensor):
        return state.detach().to("cpu", copy=True)
    if isinstance(state, dict):
        return {name: _on_cpu(part) for name, part in state.items()}
    return [_on_cpu(part) for part in state] if isinstance(state, list) else state


class Run:
    """One training run: `go` trains to the end, or to a pause."""

    def __init__(self, how: Training) -> None:
        self.how = how
        try:
            how.out.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UsageError(f"{how.out}: cannot be made ({error.strerror}); name another --out folder") from None
        self.device = torch.device(_device(how))
        self.dtype = _dtype(how, self.device)
        self.counters, self.clock, self.place = Counters(), Clock(how), Place()
        torch.manual_seed(how.seed)
        self.network = Network(how.shape).to(self.device)
        self.optimizer = Optimizer(self.network, how)
        if how.resume:
            self._restore()
        elif (how.out / _CHECKPOINT).exists():
            raise UsageError(f"{how.out} holds a run already; add --resume, or use another --out folder")
        self._stopped = False
        self._good = [part.clone() for part in self._state()]
        self._saver = _Saver(how.out)
        self._saved = time.monotonic()

    # State -----------------------------------------------------------------------------------------------------------

    def _state(self) -> list[Tensor]:
        """All that an update changes, in a fixed order."""
        return [weight.detach() for weight in self.network.parameters()] + self.optimizer.tensors()

    def _document(self) -> dict[str, Any]:
        return {
            "weights": self.network.state_dict(),
            "optimizer": self.optimizer.tensors(),
            "counters": asdict(self.counters),
            "window": self.clock.window,
            "elapsed": self.clock.elapsed,
            "place": shards.place_document(self.place),
            "decides": _decides(self.how),
        }

    def _restore(self) -> None:
        path = self.how.out / _CHECKPOINT
        try:
            state = torch.load(path, map_location=self.device, weights_only=True)
        except FileNotFoundError:
            raise UsageError(f"{path} is not there; there is nothing to resume, leave out --resume") from None
        except Exception as error:  # a damaged file fails in many ways
            raise InputError(f"{path}: cannot be read ({error}); start again in another --out folder") from None
        changed = [name for name, value in _decides(self.how).items() if state["decides"].get(name) != value]
        if changed:
            raise UsageError(f"{path} is of a run with another {', '.join(changed)}; resume with the same")
        self.network.load_state_dict(state["weights"])
        for mine, saved in zip(self.optimizer.tensors(), state["optimizer"], strict=True):
            mine.copy_(saved)
        self.counters = Counters(**state["counters"])
        self.clock = Clock(self.how, state["window"], state["elapsed"])
        self.place = Place.of(state["place"])

    def _save(self) -> None:
        self._saver.submit(self._document(), self.network, self.how)
        self._saved = time.monotonic()

    # The loop --------------------------------------------------------------------------------------------------------

    def go(self) -> dict[str, Any] | None:
        """Trains; returns what `training.json` holds, or None where the run was paused."""
        reader = Reader(self.how.reading, start=self.place, prepare=self._pinned)
        try:
            gradients = choose_way(self.network, self.how, self.dtype, _say)
            first = next(reader)
            self.clock.start()
            _say(f"{self.how.shape.parameters / 1e6:.2f} M parameters, start-up {age():.1f} s, {self._plan()}")
            ended = self._train(reader, first, gradients)
        except SemcoderError:  # no more data: what was learned from those there were is kept
            if self.counters.step:
                self._save()
            raise
        finally:
            reader.close()
            self._saver.wait()
        self._save()
        self._saver.wait()
        if not ended:
            _say(f"paused after step {self.counters.step}; go on with --resume")
            return None
        result = self._result(reader, gradients)
        _write_json(self.how.out / _RESULT, result)
        if self.how.stop_writers:
            shards.ask_to_stop(self.how.data)
        return result

    def stop(self, *_: Any) -> None:
        """Has the run save and pause after the step it is at; asked twice, or before the first step, it breaks off."""
        if self._stopped or not self.clock.began:
            raise KeyboardInterrupt
        self._stopped = True

    def _plan(self) -> str:
        if self.how.steps is not None:
            return f"{self.how.steps} steps"
        return f"{self.clock.window:.1f} s of training, {self.clock.before:.1f} done"

    def _train(self, reader: Reader, batch: Batch, gradients: Gradients) -> bool:
        """Steps until the end (True) or a pause (False)."""
        window = _Window(self.counters, reader)
        phases = _Phases(self.device.type == "cuda")
        first = self.counters.step
        while self.clock.progress(self.counters.step) < 1:
            timed = _TIMED[0] <= self.counters.step - first < _TIMED[1]
            if timed:
                phases.begin()
            if self.counters.step > first:
                batch = next(reader)
            parts = batch.parts.to(self.device, non_blocking=True)
            mark = phases.mark if timed else _nothing
            mark()
            losses = gradients(parts, batch.targets)
            mark()
            norm = torch.nn.utils.clip_grad_norm_(self.network.parameters(), self.how.clip, foreach=True)
            scale = self.clock.scale(self.counters.step)
            self.optimizer.step(scale)
            self.network.zero_grad(set_to_none=True)
            mark()
            self._count(batch)
            window.add(losses, batch)
            if self.counters.step == first + _TIMED[1]:
                _say(phases.told())
            if self.counters.step % self.how.log_every == 0 and not self._logged(window, parts, losses, norm, scale):
                return True
            if self._pauses():
                return False
        return True

    def _count(self, batch: Batch) -> None:
        counters, shape = self.counters, self.how.shape
        counters.step += 1
        counters.tokens += batch.tokens
        counters.targets += batch.targets
        counters.again += batch.again
        # twice the products of a forward for the backward; attention sees half of each document's square
        counters.flops += 6 * shape.parameters * batch.tokens + 6 * shape.layers * shape.width * batch.squares
        self.place = batch.after

    def _pauses(self) -> bool:
        if self._stopped or (self.how.pause_after is not None and age() > self.how.pause_after):
            return True
        if time.monotonic() - self._saved > self.how.save_every and self.counters.step % self.how.log_every == 0:
            self._save()
        return False

    def _logged(self, window: _Window, parts: Tensor, losses: Tensor, norm: Tensor, scale: float) -> bool:
        """Logs a line, waiting for the device; False where the run must end with the last good weights."""
        line = window.line(self.clock, norm, scale, self.how.peak)
        line["losses"] = _by_kind(parts, losses, self.how.answers)
        good = math.isfinite(line["loss"]) and math.isfinite(line["norm"])
        if good:
            torch._foreach_copy_(self._good, self._state())
        else:
            torch._foreach_copy_(self._state(), self._good)
            self.counters.setbacks += 1
            _say(f"step {self.counters.step}: loss {line['loss']}, norm {line['norm']}; back to the last good weights")
        with (self.how.out / _LOG).open("a", encoding="utf-8") as file:
            file.write(json.dumps({**line, "good": good}) + "\n")
        _say(_told(line))
        return self.counters.setbacks <= _SETBACKS

    def _pinned(self, parts: Any) -> Tensor:
        tensor = torch.from_numpy(parts)
        return tensor.pin_memory() if self.device.type == "cuda" else tensor

    def _result(self, reader: Reader, gradients: Gradients) -> dict[str, Any]:
        cuda = self.device.type == "cuda"
        counts = asdict(reader.counts)
        seconds = self.clock.elapsed
        return {
            **asdict(self.counters),
            "parameters": self.how.shape.parameters,
            "seconds": round(seconds, 2),
            "tokens_per_second": round(self.counters.tokens / seconds),
            "mfu": self.counters.flops / seconds / self.how.peak,
            "wait_share": self.counters.waited / seconds,
            "padding": counts["padding"] / max(1, counts["places"]),
            "read_last": counts,
            "device": torch.cuda.get_device_name() if cuda else platform.processor() or "cpu",
            "torch": torch.__version__,
            "way": asdict(gradients.way),
            "dtype": str(self.dtype).removeprefix("torch."),
            "config": {name: str(value) if isinstance(value, Path) else value
                       for name, value in asdict(self.how).items()},
        }  # fmt: skip


class _Window:
    """The steps since the last line of the log."""

    def __init__(self, counters: Counters, reader: Reader) -> None:
        self._counters, self._reader = counters, reader
        self._loss: Tensor | float = 0.0
        self._targets = 0
        self._since = (time.monotonic(), counters.tokens, counters.flops, reader.waited)

    def add(self, losses: Tensor, batch: Batch) -> None:
        self._loss = self._loss + losses.sum()
        self._targets += batch.targets

    def line(self, clock: Clock, norm: Tensor, scale: float, peak: float) -> dict[str, Any]:
        """What the log says of them; begins anew."""
        loss, size = float(self._loss) / max(1, self._targets), float(norm)  # here the device is waited for
        now = (time.monotonic(), self._counters.tokens, self._counters.flops, self._reader.waited)
        seconds, tokens, flops, waited = (new - old for new, old in zip(now, self._since, strict=True))
        self._loss, self._targets, self._since = 0.0, 0, now
        self._counters.waited += waited
        mfu = flops / seconds / peak
        self._counters.best_mfu = max(self._counters.best_mfu, mfu)
        return {
            "step": self._counters.step, "tokens": self._counters.tokens, "seconds": round(clock.elapsed, 2),
            "loss": loss, "norm": size, "scale": round(scale, 5), "tokens_per_second": round(tokens / seconds),
            "mfu": round(mfu, 4), "wait_share": round(waited / seconds, 4), "again": self._counters.again,
            "too_long": self._reader.counts.too_long, "unanswered": self._reader.counts.unanswered,
        }  # fmt: skip


def _by_kind(parts: Tensor, losses: Tensor, answers: Sequence[int]) -> dict[int, float]:
    """The mean loss of a batch by what opens the answer, for those that occur."""
    found = {}
    for place, opening in enumerate(answers):
        mine = (parts[3] == place) & (parts[1] != IGNORED)
        count = int(mine.sum())
        if count:
            found[opening] = round(float((losses * mine).sum()) / count, 5)
    return found


def _told(line: dict[str, Any]) -> str:
    losses = " ".join(f"{opening}:{loss:.4f}" for opening, loss in line["losses"].items())
    return (
        f"step {line['step']} {line['seconds']:.0f}s loss {line['loss']:.4f} ({losses}) norm {line['norm']:.2f} "
        f"lr x{line['scale']:.3f} {line['tokens_per_second'] / 1e6:.3f}M tok/s mfu {line['mfu']:.1%} "
        f"wait {line['wait_share']:.1%} again {line['again'] / 1e6:.1f}M of {line['tokens'] / 1e6:.1f}M"
    )


# Small things --------------------------------------------------------------------------------------------------------


def _nothing() -> None:
    pass


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _device(how: Training) -> str:
    if how.device == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    return how.device


def _dtype(how: Training, device: torch.device) -> torch.dtype:
    names = {"auto": torch.bfloat16 if device.type == "cuda" else torch.float32,
             "bfloat16": torch.bfloat16, "float32": torch.float32}  # fmt: skip
    return names[how.precision]


#: What may differ when a run is resumed.
_FREE = {
    "data", "out", "seconds", "resume", "left", "pause_after", "parts", "device", "precision", "attention", "compile",
    "save_every", "log_every", "reserve", "peak", "stop_writers",
}  # fmt: skip


def _decides(how: Training) -> dict[str, Any]:
    """What must be the same when a run is resumed, as JSON."""
    plain = {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(how).items()}
    return {name: value for name, value in plain.items() if name not in _FREE}


def _write_json(path: Path, doc: Any) -> None:
    aside = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    aside.write_text(json.dumps(doc, indent=2) + "\n", encoding="utf-8")
    aside.replace(path)


def _options() -> Iterator[tuple[str, dict[str, Any]]]:
    """The command's options, from the fields of `Training`."""
    choices = {"precision": ["auto", "bfloat16", "float32"], "attention": ["auto", "flex", "sdpa"],
               "compile": ["auto", "yes", "no"]}  # fmt: skip
    kinds = {"Path": Path, "int": int, "str": str, "float": float}
    for field in fields(Training):
        kind = str(field.type).partition(" |")[0]
        options: dict[str, Any] = {"default": field.default}
        if kind == "bool":
            options |= {"action": "store_true"}
        elif kind == "tuple[int, ...]":
            options |= {"type": int, "nargs": "+"}
        else:
            options |= {"type": kinds[kind], "choices": choices.get(field.name)}
        if field.name in ("data", "out", "vocab"):
            options |= {"required": True, "default": None}
        yield f"--{field.name.replace('_', '-')}", options


def parsed(arguments: Sequence[str]) -> Training:
    """A run's settings from the words of a command line."""
    parser = argparse.ArgumentParser(
        prog="python -m semcoder.nano.training", description=(__doc__ or "").split("\n")[0]
    )
    for name, options in _options():
        parser.add_argument(name, **options)
    given = vars(parser.parse_args(arguments))
    return Training(**{**given, "answers": tuple(given["answers"])})


@contextmanager
def _signals(stop: Callable[..., None]) -> Iterator[None]:
    """Ctrl-C and SIGTERM ask a run to stop."""
    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; returns its exit status: 0 done, 130 paused or broken off, 2 a wrong request."""
    try:
        run = Run(parsed(sys.argv[1:] if arguments is None else arguments))
        with _signals(run.stop):
            result = run.go()
    except SemcoderError as error:
        _say(f"error: {error}")
        return error.exit_code
    except KeyboardInterrupt:
        return 130
    if result is None:
        return 130
    print(json.dumps(result))
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""What all training runs share: transformers' Trainer with checkpoints that count only when whole, and a watch.

Guarantees: each optimiser step is logged; a loss or gradient that is no number, or a loss that climbs far above its
lowest, ends the run before a checkpoint of it is written, and a full disk leaves the checkpoint before whole; both say
in one line what is kept. Speed is counted in answer tokens, those that the loss is taken on.
Importing this module loads torch and transformers.
"""

from __future__ import annotations

import dataclasses
import logging
import math
import os
import shutil
import time
import warnings
from collections.abc import Callable, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
import transformers
from accelerate import DistributedType, PartialState
from safetensors import SafetensorError
from transformers import TrainerCallback, TrainingArguments

from semcoder.errors import MissingExtra, UsageError
from semcoder.tables import first_line
from semcoder.training.folder import RunFolder, TrainingStopped
from semcoder.training.recipe import Recipe

#: How much of the loss's running mean each step renews, and how many steps it needs to mean something.
_RENEWED, _SETTLED = 0.1, 20
_TOLD_EVERY_S = 2.0
#: Bytes below which a disk counts as full: writers stop at their own blocks, not at the last byte.
_FULL = 1 << 20

#: What each line of the log has; all else in it came from an evaluation.
LOGGED = ("step", "loss", "learning_rate", "grad_norm", "answer_tokens", "seconds")
Progress = Callable[[str], None]


class SafeCheckpoints:
    """Mixed into a Trainer: checkpoints are written aside, made durable, and then declared whole."""

    run: RunFolder
    keep: int

    def _save_checkpoint(self, model: Any, trial: Any) -> None:
        trainer: Any = self
        place = Path(trainer.args.output_dir) / f"checkpoint-{trainer.state.global_step}"
        try:
            super()._save_checkpoint(model, trial)  # type: ignore[misc]
            trainer.accelerator.wait_for_everyone()
            if trainer.is_world_process_zero():
                self.run.seal(place, self.keep)
        except (OSError, RuntimeError, SafetensorError) as error:
            why = why_not_written(self.run, error)
            shutil.rmtree(place, ignore_errors=True)
            message = f"{place}: the checkpoint could not be written ({why}); {self.run.kept()}"
            raise TrainingStopped(message) from None
        trainer.accelerator.wait_for_everyone()


def why_not_written(run: RunFolder, error: Exception) -> str:
    """Why files could not be written, of what libraries make of an OSError. Raises any other error again."""
    full = shutil.disk_usage(run.path).free < _FULL
    if isinstance(error, RuntimeError) and not full and "inline_container" not in str(error):
        raise error
    return "no space left on the disk" if full else first_line(error)


class Watch(TrainerCallback):  # type: ignore[misc]
    """Logs steps, tells progress, and ends a run that went wrong.

    `tokens_of(step)`: answer tokens of an optimiser step. `evaluate(model, step)`: figures to log beside.
    """

    def __init__(
        self,
        run: RunFolder,
        recipe: Recipe,
        tell: Progress,
        tokens_of: Callable[[int], int],
        evaluate: Callable[[Any, int], Mapping[str, float]] | None = None,
    ) -> None:
        self._run, self._recipe, self._tell = run, recipe, tell
        self._tokens_of, self._evaluate = tokens_of, evaluate
        self._mean = self._lowest = math.nan
        self._seen = 0
        self._began, self._told = time.monotonic(), 0.0
        self._first = self._logged = 0
        self._tokens, self._before = 0, 0.0
        for row in run.rows():
            self._follow(float(row.get("loss", math.nan)))
            self._tokens, self._before, self._logged = row["answer_tokens"], row["seconds"], row["step"]

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self._began, self._first = time.monotonic(), state.global_step

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Log whatever is about to be saved or evaluated, so that nothing is saved that was not looked at."""
        control.should_log |= control.should_save or self._is_due(state.global_step, state.max_steps)

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, model: Any = None, **_: Any) -> None:
        if not logs or "loss" not in logs:
            return
        step, loss = state.global_step, float(logs["loss"])
        self._tokens += sum(self._tokens_of(one) for one in range(self._logged, step))
        self._logged = step
        seconds = time.monotonic() - self._began
        norm = float(logs.get("grad_norm", 0.0))
        row = {"step": step, "loss": loss, "learning_rate": logs.get("learning_rate"), "grad_norm": norm}
        row |= {"answer_tokens": self._tokens, "seconds": round(self._before + seconds, 3)}
        if self._is_due(step, state.max_steps) and self._evaluate is not None:
            row |= self._evaluate(model, step)
        if state.is_world_process_zero:
            self._run.append(row)
        self._stop_if_broken(step, loss, norm)
        self._say(step, state.max_steps, loss, seconds)

    def _is_due(self, step: int, last: int) -> bool:
        every = self._recipe.evaluate_every
        return step == last or bool(every and step % every == 0)

    def _follow(self, loss: float) -> None:
        """Take a loss into the running mean."""
        if not math.isfinite(loss):
            return
        self._seen += 1
        self._mean = loss if math.isnan(self._mean) else self._mean + _RENEWED * (loss - self._mean)
        if self._seen >= _SETTLED:
            self._lowest = min(self._mean, self._lowest) if self._lowest == self._lowest else self._mean

    def _stop_if_broken(self, step: int, loss: float, norm: float) -> None:
        self._follow(loss)
        bound = self._recipe.diverged_above
        if not (math.isfinite(loss) and math.isfinite(norm)):
            why = f"the loss is {loss:g} and the gradient's norm {norm:g}"
        elif bound and self._mean > bound * max(self._lowest, 0.05):
            why = f"the mean loss {self._mean:.3g} is over {bound:g} times its lowest, {self._lowest:.3g}"
        else:
            return
        raise self._run.diverged(step, why)

    def _say(self, step: int, last: int, loss: float, seconds: float) -> None:
        if seconds - self._told < _TOLD_EVERY_S and step != last:
            return
        self._told = seconds
        left = seconds / max(1, step - self._first) * (last - step)
        speed = self._tokens / max(self._before + seconds, 1e-9)
        self._tell(f"step {step:,} of {last:,}: loss {loss:.4f}, {speed:,.0f} answer tokens/s, {_clock(left)} left")


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02d}:{rest:02d}" if minutes >= 60 else f"{minutes}:{rest:02d}"


def arguments(recipe: Recipe, run: RunFolder, **more: Any) -> TrainingArguments:
    """transformers' arguments for a recipe: optimiser, schedule, precision, logging, sharding."""
    fields = training_fields(recipe, run) | more
    try:
        args = TrainingArguments(**fields)
        if recipe.fsdp:
            _shard_on_processors(args)
        return args
    except ValueError as error:  # what this machine cannot do, as bf16 on an old card
        raise UsageError(f"this recipe cannot run here: {str(error).splitlines()[0]}") from None


def _shard_on_processors(args: TrainingArguments) -> None:
    """Have accelerate shard over processes without a GPU too, which it knows how to and does not offer.

    It takes sharding into account for kinds of accelerators alone; that of processors is one more to torch.
    """
    state = PartialState()
    if args.use_cpu and state.distributed_type == DistributedType.MULTI_CPU:
        PartialState._shared_state["distributed_type"] = DistributedType.MULTI_XPU


def training_fields(recipe: Recipe, run: RunFolder) -> dict[str, Any]:
    """The fields of `TrainingArguments` that any kind of run sets."""
    cosine = recipe.schedule == "cosine"
    return {
        "output_dir": str(run.checkpoints),
        "per_device_train_batch_size": recipe.per_device,
        "learning_rate": recipe.learning_rate,
        "lr_scheduler_type": "cosine_with_min_lr" if cosine else "constant_with_warmup",
        "lr_scheduler_kwargs": {"min_lr": recipe.final_learning_rate} if cosine else {},
        "warmup_steps": recipe.warmup_steps,
        "weight_decay": recipe.weight_decay,
        "adam_beta1": recipe.beta1,
        "adam_beta2": recipe.beta2,
        "max_grad_norm": recipe.max_grad_norm,
        "optim": "adamw_torch",
        "seed": recipe.seed,
        "bf16": recipe.bf16,
        **_recomputing(recipe),
        "torch_compile": recipe.compile,
        "fsdp": recipe.fsdp,
        "fsdp_config": _fsdp(recipe) if recipe.fsdp else None,
        "use_cpu": not torch.cuda.is_available(),
        "dataloader_num_workers": recipe.workers,
        "dataloader_pin_memory": torch.cuda.is_available(),
        "remove_unused_columns": False,
        "logging_steps": recipe.log_every,
        "logging_nan_inf_filter": False,
        "save_strategy": "steps",
        "save_steps": recipe.checkpoint_every,
        "report_to": list(trackers(recipe, run)) or "none",
        "disable_tqdm": True,
        "ddp_find_unused_parameters": False,
    }


def _recomputing(recipe: Recipe) -> dict[str, Any]:
    """Gradient checkpointing, under the name that this version of transformers has for it; FSDP brings its own."""
    if not recipe.gradient_checkpointing or recipe.fsdp:
        return {}
    known = {field.name for field in dataclasses.fields(TrainingArguments)}
    name = "activation_checkpointing" if "activation_checkpointing" in known else "gradient_checkpointing"
    return {name: True, f"{name}_kwargs": {"use_reentrant": False}}


def _fsdp(recipe: Recipe) -> dict[str, Any]:
    """FSDP2; state dicts are written whole."""
    return {
        "version": 2,
        "auto_wrap_policy": "TRANSFORMER_BASED_WRAP",
        "state_dict_type": "FULL_STATE_DICT",
        "reshard_after_forward": True,
        "activation_checkpointing": recipe.gradient_checkpointing,
    }


def trackers(recipe: Recipe, run: RunFolder) -> tuple[str, ...]:
    """What logs besides `log.jsonl`. Raises `UsageError` for one that does not exist, `MissingExtra`."""
    known = {"tensorboard": "torch.utils.tensorboard", "trackio": "trackio"}
    for name in recipe.log_to:
        if name not in known:
            raise UsageError(f"log_to: {name!r} is not one of {', '.join(known)}")
        try:
            __import__(known[name])
        except ImportError:
            raise MissingExtra(name, "track") from None
    if "tensorboard" in recipe.log_to:
        os.environ["TENSORBOARD_LOGGING_DIR"] = str(run.path / "tensorboard")  # the one way to tell transformers
    return recipe.log_to


@contextmanager
def quiet() -> Any:
    """transformers and accelerate without advice and bars of their own; errors still come."""
    before = transformers.logging.get_verbosity()
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    logging.getLogger("huggingface_hub").setLevel(logging.ERROR)  # it tells of each try to reach the hub
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # of libraries that call each other's old names
            yield
    finally:
        transformers.logging.set_verbosity(before)

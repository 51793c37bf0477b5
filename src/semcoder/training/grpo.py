"""Reinforcement learning with execution as the reward: group-relative policy optimisation (GRPO) by trl.

Guarantees: every reward comes from an execution in the sandbox (`rewards`); prompts come in an order that depends on
the recipe alone; a run that was killed and is started again ends, on one device, with the weights that it would have
had. The result is an ordinary transformers folder. Nothing is sent anywhere.
Importing this module loads torch, transformers and trl. See docs/design/rewards.md.
"""

from __future__ import annotations

import importlib.util
import logging
import math
import os
import time
import warnings
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from datasets import Dataset
from transformers import PrinterCallback, TrainerCallback, set_seed
from trl import GRPOConfig, GRPOTrainer

from semcoder.errors import InputError, UsageError
from semcoder.prompts import Profile, load_profile, saved_profile
from semcoder.sandbox import Sandbox
from semcoder.training.engine import Progress, SafeCheckpoints, quiet, training_fields
from semcoder.training.folder import RunFolder, data_state, is_first_process
from semcoder.training.recipe import Evaluate, Recipe
from semcoder.training.result import write_result
from semcoder.training.rewards import Asked, Rewards, asked
from semcoder.training.rows import Example, divide, read_examples
from semcoder.training.start import model_of, tokenizer_of, with_adapters
from semcoder.training.telling import PRELOAD
from semcoder.training.tokens import check_wording, prompt_ids

#: Questions of held-out programs that are asked each time, once each.
_HELD_OUT = 128
_TOLD_EVERY_S = 2.0
#: What trl calls its figures, and what the log does.
_FIGURES = {
    "reward": "reward",
    "rewards/answer/mean": "reward/answer",
    "rewards/steps/mean": "reward/steps",
    "reward_std": "reward_std",
    "frac_reward_zero_std": "equal_groups",
    "kl": "kl",
    "entropy": "entropy",
    "completions/mean_length": "length",
    "completions/max_length": "longest",
    "completions/clipped_ratio": "cut_off",
    "unjudged": "unjudged",
}
#: Those that mean something where every question has one text.
_HELD_OUT_FIGURES = ("reward", "reward/answer", "reward/steps", "length", "longest", "cut_off", "unjudged")


@dataclass(frozen=True, slots=True)
class Questions:
    """What is asked: `taught` and `held_out` are places in `all`, whose instructions have the same places."""

    all: list[Asked]
    instructions: list[str]
    taught: list[int]
    held_out: list[int]
    rows: int
    dropped: Counter[str]


def train_grpo(
    recipe: Recipe, out: Path, *, progress: Progress = lambda _: None, evaluate: Evaluate | None = None
) -> dict[str, Any]:
    """Train, or go on with a run that was stopped; its manifest. Raises `SemcoderError`s of one line.

    `evaluate(model, tokenizer, step)`: called every `evaluate_every` steps and at the end; its figures are logged.
    """
    if not recipe.model.base:
        raise UsageError(
            "model.base: reinforcement learning starts from a model that answers; name a folder or a model"
        )
    if recipe.grpo.vllm and importlib.util.find_spec("vllm") is None:
        raise UsageError("grpo.vllm: vllm is not installed; run: pip install vllm, or set grpo.vllm=false")
    run = RunFolder(out)
    with run.held(), quiet(), warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # trl calls what transformers has renamed
        logging.getLogger("trl").setLevel(logging.ERROR)  # or it shows each text that could not be judged
        done = run.settle(recipe, data_state(recipe))
        if done:
            return done
        with Sandbox(workers=_workers(), preload=PRELOAD) as box:
            return _train(recipe, run, box, progress, evaluate)


def _workers() -> int:
    """How many programs run at a time: the processes of a run share a machine's processors."""
    return max(1, len(os.sched_getaffinity(0)) // int(os.environ.get("LOCAL_WORLD_SIZE", "1")))


def _train(recipe: Recipe, run: RunFolder, box: Sandbox, tell: Progress, evaluate: Evaluate | None) -> dict[str, Any]:
    profile = profile_for(recipe)
    tell("reading rows")
    set_seed(recipe.seed)
    tokenizer = tokenizer_of(recipe.model, lambda: ())
    check_wording(profile, tokenizer)
    questions = read_questions(recipe, tokenizer, profile)
    rewards = Rewards(box, profile, questions.all)
    trainer = _trainer(recipe, run, tokenizer, profile, questions, rewards)
    watch = RewardLog(run, recipe, tell, tokenizer, evaluate)
    trainer.add_callback(watch)
    last = run.last_checkpoint()
    if is_first_process():
        run.rewind(int(last.name.rpartition("-")[2]) if last else -1)
    tell(f"{len(questions.taught):,} questions, {recipe.grpo.steps:,} steps of {recipe.grpo.prompts_per_step}")
    trainer.args.eval_on_start = bool(questions.held_out) and last is None
    try:
        trainer.train(resume_from_checkpoint=str(last) if last else None)
    except RuntimeError as error:
        if "probability tensor" not in str(error):  # torch's words for logits that are no numbers
            raise
        raise run.diverged(trainer.state.global_step + 1, "no text could be sampled") from None
    adapters = getattr(trainer.accelerator.unwrap_model(trainer.model), "peft_config", {})
    if "ref" in adapters:  # trl's copy of the start, to measure how far the policy went
        trainer.accelerator.unwrap_model(trainer.model).delete_adapter("ref")
    manifest = _manifest(recipe, run, trainer.model, questions)
    write_result(run, recipe, trainer, tokenizer, profile, _style(recipe, questions), manifest)
    return manifest


# Questions ------------------------------------------------------------------------------------------------------------


def profile_for(recipe: Recipe) -> Profile:
    """The recipe's wording. Raises `UsageError` where the model of its base was taught another one."""
    profile = load_profile(recipe.profile)
    saved = saved_profile(recipe.model.base)
    if saved is not None and saved[0] != profile:
        raise UsageError(
            f"{recipe.model.base} was taught in the wording of the profile {saved[0].name!r}, "
            f"not of {profile.name!r}; set profile to it"
        )
    return profile


def read_questions(recipe: Recipe, tokenizer: Any, profile: Profile) -> Questions:
    """The forward and backward questions of all rows that leave room for an answer as long as the row's own.

    One that several rows ask, or that weighs more, is asked as often. Raises `InputError` where there are none.
    """
    examples = [(data, example) for data in recipe.data for example in read_examples([data], profile, recipe.seed)]
    read = [(asked(example, data.style), example) for data, example in examples]
    found = [(one, example) for one, example in read if one is not None]
    texts = {one: one.question.instruction(profile) for one, _ in found}
    fits = _fitting(recipe, texts, found, tokenizer, profile)
    left: list[tuple[Asked, Example]] = []
    dropped = Counter({"no question about an execution": len(read) - len(found)})
    for (one, example), problem in zip(found, fits, strict=True):
        if problem:
            dropped[problem] += 1
        else:
            left.append((one, example))
    places = {one: place for place, one in enumerate(dict.fromkeys(one for one, _ in left))}
    own = {id(example): places[one] for one, example in left}
    taught, held_out = divide((example for _, example in left), recipe.held_out, recipe.seed)
    if not taught:
        why = ", ".join(f"{number:,} {reason}" for reason, number in dropped.most_common() if number) or "all held out"
        raise InputError(
            f"no questions to train on are left ({why}); raise max_length or grpo.max_new_tokens, or look at the data"
        )
    return Questions(
        list(places),
        [texts[one] for one in places],
        [own[id(example)] for example in taught],
        _some(list(dict.fromkeys(own[id(example)] for example in held_out)), recipe.seed),
        len(read),
        +dropped,
    )


def _fitting(
    recipe: Recipe,
    texts: Mapping[Asked, str],
    found: Sequence[tuple[Asked, Example]],
    tokenizer: Any,
    profile: Profile,
) -> list[str]:
    """Why each row is left out; empty where it is not."""
    wanted = recipe.grpo.max_new_tokens
    asked_in = dict(zip(texts, map(len, prompt_ids(list(texts.values()), tokenizer, profile)), strict=True))
    answers = (
        tokenizer([example.answer for _, example in found], add_special_tokens=False)["input_ids"] if found else []
    )
    return [
        "prompt too long"
        if asked_in[one] + wanted > recipe.max_length
        else "answer too long"
        if len(answer) + 1 > wanted
        else ""
        for (one, _), answer in zip(found, answers, strict=True)
    ]


def _some(places: list[int], seed: int) -> list[int]:
    """At most so many of the held-out questions as are asked."""
    order = np.random.default_rng([seed, 1]).permutation(len(places))
    return [places[int(place)] for place in order[:_HELD_OUT]]


def _data_set(places: Sequence[int], questions: Questions, profile: Profile) -> Dataset:
    """Questions as trl takes them: what a model is given, and the place of the question for its reward."""

    def filled(batch: dict[str, list[int]]) -> dict[str, list[Any]]:
        texts = [questions.instructions[place] for place in batch["question"]]
        prompts = [profile.messages(text) if profile.chat else profile.prompt(text) for text in texts]
        return {"prompt": prompts, "question": batch["question"]}

    return Dataset.from_dict({"question": list(places)}).with_transform(filled)


def _in_order(places: Sequence[int], count: int, seed: int) -> list[int]:
    """So many places, pass after pass over all of them, each pass in an order of its own."""
    found: list[int] = []
    turn = 0
    while len(found) < count:
        order = np.random.default_rng([seed, 0, turn]).permutation(len(places))
        found += [places[int(place)] for place in order]
        turn += 1
    return found[:count]


# Training -------------------------------------------------------------------------------------------------------------


class _Trainer(SafeCheckpoints, GRPOTrainer):  # type: ignore[misc]
    def _send_telemetry(self) -> None:
        """trl tells its makers of each run; ours does not."""

    def create_model_card(self, *_: Any, **__: Any) -> None:
        """The card is ours, and the result's."""


def _trainer(
    recipe: Recipe, run: RunFolder, tokenizer: Any, profile: Profile, questions: Questions, rewards: Rewards
) -> Any:
    """trl's trainer for a recipe."""
    model = model_of(recipe.model, tokenizer, recipe.seed)
    model.config.use_cache = True
    if recipe.lora is not None:
        model = with_adapters(model, recipe.lora)
    wanted = recipe.grpo
    order = _in_order(questions.taught, wanted.steps * wanted.prompts_per_step, recipe.seed)
    trainer: Any = _Trainer(
        model=model,
        reward_funcs=list(rewards.functions()),
        args=_arguments(recipe, run, bool(questions.held_out)),
        train_dataset=_data_set(order, questions, profile),
        eval_dataset=_data_set(questions.held_out, questions, profile) if questions.held_out else None,
        processing_class=tokenizer,
    )
    trainer.run, trainer.keep = run, recipe.keep
    trainer.remove_callback(PrinterCallback)
    return trainer


def _arguments(recipe: Recipe, run: RunFolder, evaluates: bool) -> GRPOConfig:
    """trl's arguments: texts are sampled anew for every optimiser step, so that no step is off its policy."""
    wanted = recipe.grpo
    per_device, accumulated = split(recipe, int(os.environ.get("WORLD_SIZE", "1")))
    fields = training_fields(recipe, run) | {
        "max_steps": wanted.steps,
        "per_device_train_batch_size": per_device,
        "per_device_eval_batch_size": per_device,
        "gradient_accumulation_steps": accumulated,
        "steps_per_generation": accumulated,
        "num_generations": wanted.generations,
        "num_generations_eval": 1,
        "max_completion_length": wanted.max_new_tokens,
        "temperature": wanted.temperature,
        "beta": wanted.kl,
        "reward_weights": [wanted.answer, wanted.steps_weight],
        "use_vllm": wanted.vllm,
        "shuffle_dataset": False,
        "do_eval": evaluates,
    }
    try:
        return GRPOConfig(**fields)
    except ValueError as error:  # what this machine cannot do, as bf16 on an old card
        raise UsageError(f"this recipe cannot run here: {str(error).splitlines()[0]}") from None


def split(recipe: Recipe, processes: int) -> tuple[int, int]:
    """Texts at once on a device, at most `per_device`, and how often that makes a step's. Raises `UsageError`."""
    texts = recipe.grpo.prompts_per_step * recipe.grpo.generations
    if texts % processes:
        raise UsageError(
            f"grpo: {recipe.grpo.prompts_per_step} prompts of {recipe.grpo.generations} generations cannot be divided "
            f"evenly among {processes} processes"
        )
    fair = texts // processes
    size = next(size for size in range(min(recipe.per_device, fair), 0, -1) if fair % size == 0)
    return size, fair // size


class RewardLog(TrainerCallback):  # type: ignore[misc]
    """Logs steps and the rewards of held-out questions, tells progress, and ends a run that went wrong."""

    def __init__(
        self, run: RunFolder, recipe: Recipe, tell: Progress, tokenizer: Any, evaluate: Evaluate | None
    ) -> None:
        self._run, self._recipe, self._tell = run, recipe, tell
        self._tokenizer, self._evaluate = tokenizer, evaluate
        self._began, self._told, self._first = time.monotonic(), 0.0, 0

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self._began, self._first = time.monotonic(), state.global_step

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        control.should_evaluate = bool(args.do_eval) and self._is_due(state)
        control.should_log |= control.should_save or self._is_due(state)

    def _is_due(self, state: Any) -> bool:
        every = self._recipe.evaluate_every
        return bool(state.global_step == state.max_steps or (every and state.global_step % every == 0))

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, model: Any = None, **_: Any) -> None:
        logs = logs or {}
        if "eval_reward" in logs:
            held_out = {
                ours: logs.get(f"eval_{theirs}") for theirs, ours in _FIGURES.items() if ours in _HELD_OUT_FIGURES
            }
            self._append(state, {f"held_out_{ours}": value for ours, value in held_out.items() if value is not None})
        elif "loss" in logs:
            row = {"loss": float(logs["loss"]), "learning_rate": logs.get("learning_rate")}
            row["grad_norm"] = float(logs.get("grad_norm", 0.0))
            row |= {ours: logs[theirs] for theirs, ours in _FIGURES.items() if logs.get(theirs) is not None}
            row["seconds"] = round(time.monotonic() - self._began, 3)
            row |= self._asked_for(model, state)
            self._append(state, row)
            self._stop_if_broken(state.global_step, row)
            self._say(state, row)

    def _asked_for(self, model: Any, state: Any) -> Mapping[str, float]:
        """The figures that the caller wants."""
        if self._evaluate is None or not self._is_due(state):
            return {}
        training = model.training
        model.eval()
        try:
            return self._evaluate(model, self._tokenizer, state.global_step)
        finally:
            model.train(training)

    def _append(self, state: Any, row: Mapping[str, Any]) -> None:
        if state.is_world_process_zero:
            self._run.append({"step": state.global_step, **row})

    def _stop_if_broken(self, step: int, row: Mapping[str, Any]) -> None:
        if math.isfinite(row["loss"]) and math.isfinite(row["grad_norm"]):
            return
        raise self._run.diverged(step, f"the loss is {row['loss']:g} and the gradient's norm {row['grad_norm']:g}")

    def _say(self, state: Any, row: Mapping[str, Any]) -> None:
        step, last = state.global_step, state.max_steps
        if row["seconds"] - self._told < _TOLD_EVERY_S and step != last:
            return
        self._told = row["seconds"]
        left = row["seconds"] / max(1, step - self._first) * (last - step)
        parts = ", ".join(
            f"{name} {row[name]:.3f}" for name in ("reward", "reward/answer", "reward/steps") if name in row
        )
        self._tell(f"step {step:,} of {last:,}: {parts}, {left / 60:.1f} min left")


# The result -----------------------------------------------------------------------------------------------------------


def _style(recipe: Recipe, questions: Questions) -> str:
    saved = saved_profile(recipe.model.base)
    return saved[1] if saved is not None else questions.all[questions.taught[0]].style


def _manifest(recipe: Recipe, run: RunFolder, model: Any, questions: Questions) -> dict[str, Any]:
    wanted = recipe.grpo
    return {
        "kind": "training",
        **run.identity(),
        "counts": {
            "rows": questions.rows,
            "different_questions": len(questions.all),
            "dropped": dict(questions.dropped.most_common()),
            "taught": len(questions.taught),
            "held_out": len(questions.held_out),
            "steps": wanted.steps,
            "texts_per_step": wanted.prompts_per_step * wanted.generations,
            "parameters": sum(part.numel() for part in model.parameters()),
        },
        "figures": figures(run.rows()),
    }


def figures(rows: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """Rewards at both ends of a log: means over the first and last fifth of its steps, and on held-out questions."""
    found: dict[str, float] = {}
    for name in ("reward", "reward/answer", "reward/steps"):
        steps = [row[name] for row in rows if name in row]
        part = max(1, len(steps) // 5)
        if steps:
            found[f"{name}_first"], found[f"{name}_last"] = float(np.mean(steps[:part])), float(np.mean(steps[-part:]))
        held_out = [row[f"held_out_{name}"] for row in rows if f"held_out_{name}" in row]
        if held_out:
            found[f"held_out_{name}_first"], found[f"held_out_{name}_last"] = held_out[0], held_out[-1]
    return found


__all__ = ["Questions", "RewardLog", "figures", "profile_for", "read_questions", "split", "train_grpo"]

"""Training: rows to tokens to packed batches to a model, by recipes. See docs/training.md.

Importing this package loads neither torch nor transformers.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any

from semcoder.errors import MissingExtra
from semcoder.training.recipe import Evaluate, Recipe, load_recipe, recipe_names

__all__ = ["Evaluate", "Recipe", "load_recipe", "recipe_names", "train"]


def train(
    recipe: Recipe, out: Path, *, progress: Callable[[str], None] = lambda _: None, evaluate: Evaluate | None = None
) -> dict[str, Any]:
    """Do what a recipe asks, or go on with it; the manifest of the folder. Raises `SemcoderError`s of one line."""
    if recipe.kind == "nano":
        for package in ("torch", "numpy", "safetensors"):
            if importlib.util.find_spec(package) is None:
                raise MissingExtra(package, "model")
        from semcoder.training.nano import train_nano

        return train_nano(recipe, out, progress=progress)
    for package in ("torch", "transformers", "accelerate", "peft", "trl"):
        if importlib.util.find_spec(package) is None:
            raise MissingExtra(package, "train")
    if recipe.kind == "grpo":
        from semcoder.training.grpo import train_grpo

        return train_grpo(recipe, out, progress=progress, evaluate=evaluate)
    if recipe.kind == "ablation":
        from semcoder.training.ablation import run_ablation

        return run_ablation(recipe, out, progress=progress)
    from semcoder.training.sft import train_sft

    return train_sft(recipe, out, progress=progress, evaluate=evaluate)

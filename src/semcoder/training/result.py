"""What a run ends with: the model as an ordinary transformers folder, its card, its prompt wording, its manifest.

Guarantees: everything is written aside and moved to its place, the manifest last, so that a run that is killed or meets
a full disk here writes it all again when it is started again.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError

from semcoder.core.files import write_json, write_text
from semcoder.prompts import Profile, save_profile
from semcoder.training.card import model_card
from semcoder.training.engine import why_not_written
from semcoder.training.folder import RunFolder, TrainingStopped, is_first_process
from semcoder.training.recipe import Recipe


def write_result(
    run: RunFolder,
    recipe: Recipe,
    trainer: Any,
    tokenizer: Any,
    profile: Profile,
    style: str,
    manifest: Mapping[str, Any],
) -> None:
    """Write it all. Raises `TrainingStopped` where that fails, with what is kept."""
    aside = run.path / "result.tmp"
    try:
        if is_first_process():
            shutil.rmtree(aside, ignore_errors=True)
        trainer.accelerator.wait_for_everyone()
        _save(trainer, recipe, aside)
        trainer.accelerator.wait_for_everyone()
        if not is_first_process():
            return
        tokenizer.save_pretrained(aside)
        save_profile(aside, profile, style)
        write_text(aside / "README.md", model_card(manifest))
        for path in sorted(aside.iterdir()):
            _move(path, run.path / path.name)
        aside.rmdir()
        write_json(run.manifest, manifest)
    except (OSError, RuntimeError, SafetensorError) as error:
        why = why_not_written(run, error)
        shutil.rmtree(aside, ignore_errors=True)
        raise TrainingStopped(f"{run.path}: the result could not be written ({why}); {run.kept()}") from None


def _move(path: Path, target: Path) -> None:
    """To its place, which may be taken by what an earlier try moved there."""
    if target.is_dir():
        shutil.rmtree(target)
    os.replace(path, target)


def _save(trainer: Any, recipe: Recipe, folder: Path) -> None:
    """The trained model; adapters are merged into it, and kept besides in `adapter/`."""
    model = trainer.accelerator.unwrap_model(trainer.model)
    model.config.use_cache = True
    if recipe.lora is None:
        trainer.save_model(str(folder))
    elif is_first_process():
        model.save_pretrained(folder / "adapter")
        model.merge_and_unload().save_pretrained(folder)
    (folder / "training_args.bin").unlink(missing_ok=True)  # a pickle that nobody needs

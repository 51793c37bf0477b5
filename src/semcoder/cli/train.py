"""The command that trains models."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Annotated, Any

import typer

from semcoder.cli.execution import Json
from semcoder.cli.printing import document, line, progress, table
from semcoder.errors import UsageError


def train(
    recipe: Annotated[
        str, typer.Argument(metavar="RECIPE", help="A recipe's name or a YAML file (--list shows names).")
    ] = "",
    out: Annotated[Path | None, typer.Option("--out", metavar="DIR", help="Where to write the model.")] = None,
    rows: Annotated[
        list[str] | None,
        typer.Option("--rows", metavar="SPEC", help="Rows to train on instead of the recipe's; repeatable."),
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="FIELD=VALUE", help="Another value for a field, as in lora.rank=8; repeatable."),
    ] = None,
    show: Annotated[bool, typer.Option("--list", help="Show the recipes of the package.")] = False,
    as_json: Json = False,
) -> int:
    """Train a model by a recipe.

    The result is an ordinary transformers folder with a card. A run that was stopped goes on when it is started again.
    Start it with torchrun or accelerate launch for several GPUs (docs/training.md).

    \b
    Example:
      semcoder train smoke --out runs/smoke
      semcoder train semcoder-6.7b --rows runs/corpus --out runs/model
      semcoder train nano --out runs/nano
    """
    from semcoder import training

    if show:
        return _list(as_json)
    if not recipe:
        raise UsageError("name a recipe, as in semcoder train smoke; semcoder train --list shows them")
    chosen = training.load_recipe(recipe, [*_as_data(rows or []), *(settings or [])])
    folder = out or Path("runs") / re.sub(r"\.ya?ml$", "", Path(recipe).name)
    if int(os.environ.get("RANK", "0")):
        training.train(chosen, folder)
        return 0
    with progress() as tell:
        manifest = training.train(chosen, folder, progress=tell)
    if as_json:
        document({**manifest, "folder": str(folder)})
        return 0
    _print(manifest)
    line(f"written to {folder}; semcoder report {folder} draws it")
    return 0


def _as_data(specs: list[str]) -> list[str]:
    """`--rows` as a setting."""
    import json

    return [f"data={json.dumps([{'rows': spec} for spec in specs])}"] if specs else []


def _list(as_json: bool) -> int:
    from semcoder import training

    recipes = {name: training.load_recipe(name) for name in training.recipe_names()}
    if as_json:
        document({name: recipe.document() for name, recipe in recipes.items()})
        return 0
    table(
        ["recipe", "kind", "hardware", "about"],
        [[name, recipe.kind, recipe.hardware, recipe.about] for name, recipe in recipes.items()],
    )
    return 0


def _print(manifest: dict[str, Any]) -> None:
    counts: dict[str, Any] = manifest.get("counts", {})
    rows: list[list[object]] = [
        [name.replace("_", " "), value] for name, value in counts.items() if isinstance(value, (int, float))
    ]
    rows += [[f"dropped: {reason}", number] for reason, number in counts.get("dropped", {}).items()]
    rows += [
        [name.replace("_", " "), float(value)]
        for name, value in manifest.get("figures", {}).items()
        if isinstance(value, (int, float))
    ]
    table([str(manifest["kind"]), ""], [[name, _shown(value)] for name, value in rows])


def _shown(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:.4f}"


COMMANDS = (train,)

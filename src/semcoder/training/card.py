"""The card of a trained model: what it was trained on, how, and what came out, in figures of the manifest alone."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml


def model_card(manifest: Mapping[str, Any]) -> str:
    """Markdown with the hub's front matter."""
    recipe, counts, figures = manifest["recipe"], manifest["counts"], manifest["figures"]
    base = recipe["model"]["base"]
    front = {"library_name": "transformers", "pipeline_tag": "text-generation"}
    if base and not Path(base).exists():  # what is a folder here is no model of the hub
        front["base_model"] = base
    lines = [
        "---",
        yaml.safe_dump(front, sort_keys=False).strip(),
        "---",
        "",
        "# A model trained to tell what Python code does",
        "",
        recipe["about"] or "No description was given in the recipe.",
        "",
        f"Started from {base or 'random weights'}; {counts['parameters']:,} parameters.",
        "",
        "## Data",
        "",
        "| rows | state |",
        "|---|---|",
        *(f"| `{spec}` | {state} |" for spec, state in manifest["data"].items()),
        "",
        *_table("counts", {name: value for name, value in counts.items() if name != "dropped"}),
        *_table("rows left out, and why", counts["dropped"]),
        *_table("figures", figures),
        "## Recipe",
        "",
        f"Hash `{manifest['recipe_hash']}`. Prompt wording and style are in `semcoder.json`.",
        "",
        "```yaml",
        yaml.safe_dump(recipe, sort_keys=False, width=110).strip(),
        "```",
        "",
        "Versions: " + ", ".join(f"{name} {version}" for name, version in manifest["versions"].items()) + ".",
        "",
    ]
    return "\n".join(lines)


def _table(title: str, values: Mapping[str, Any]) -> list[str]:
    if not values:
        return []
    body = [f"| {name.replace('_', ' ')} | {_number(value)} |" for name, value in values.items()]
    return [f"## {title.capitalize()}", "", "| what | how much |", "|---|---|", *body, ""]


def _number(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:.4g}" if isinstance(value, float) else str(value)

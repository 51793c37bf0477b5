"""Where a page's figures come from: the manifest and its hash, versions, sources, configuration, and the command that
makes the folder again.

Guarantees: what is shown is read from the folder; a path or an address that a manifest does not keep is a word in
capitals in the command, and is said to be one.
"""

from __future__ import annotations

import hashlib
import json
import shlex
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from semcoder.errors import InputError
from semcoder.report.html import columns, facts, section, text

#: Under which name a configuration is saved for the command that makes the folder again.
BUILD_FILE, RECIPE_FILE = "corpus.yaml", "recipe.yaml"


def provenance(
    manifest: Path, doc: Mapping[str, Any], command: str, *, data: Mapping[str, Any] | None = None, more: str = ""
) -> str:
    """The closing section of a page. `manifest`: the file, `doc`: what it holds; `command`: what makes the folder
    again; `data`: the state of sources by name; `more`: markup, of licences say."""
    recipe = "recipe" in doc
    config = doc["recipe" if recipe else "config"]
    name, what = (RECIPE_FILE, "Recipe") if recipe else (BUILD_FILE, "Configuration")
    of_files = {
        "Manifest": f"{manifest.name}, SHA-256 {_digest(manifest)}",
        "Written": f"{_written(manifest)} (the file’s own date)",
        f"{what} hash": next((doc[key] for key in ("recipe_hash", "config_hash", "hash") if key in doc), "none"),
    }
    saved = f"Save the {what.lower()} below as <code>{name}</code> first. " if name in command else ""
    unknown = (
        "Words in capitals stand for what a manifest does not keep. " if "PATH" in command or "URL" in command else ""
    )
    return section(
        "made",
        "How it was made",
        facts(of_files),
        columns(f"<h3>Versions</h3>{facts(doc['versions'])}", f"<h3>Data</h3>{facts(data, code=True)}" if data else ""),
        more,
        "<h3>Made again</h3>",
        f'<p>{saved}{unknown}Under the same versions, from the same data:</p><pre class="config">{text(command)}</pre>',
        f'<details><summary>{what}</summary><pre class="config" tabindex="0">{text(as_yaml(config))}</pre></details>',
    )


def build_command() -> str:
    return f"semcoder build {BUILD_FILE} --out DIR"


def train_command() -> str:
    return f"semcoder train {RECIPE_FILE} --out DIR"


def eval_command(config: Mapping[str, Any]) -> str:
    """The command of an evaluation, from its configuration."""
    names = config.get("benchmarks")
    words = ["semcoder", "eval"]
    for name in names if isinstance(names, list) else []:
        words += ["--benchmark", str(name)]
    if config.get("generations"):
        words += ["--generations", str(config["generations"]), *_limit(config)]
        return _joined([*words, "--out", "DIR"])
    return _joined([*words, *_asked(config), "--style", str(config.get("style") or ""), "--out", "DIR"])


def refine_command(config: Mapping[str, Any]) -> str:
    """The command of a refinement, from its configuration."""
    words = ["semcoder", "refine", "--benchmark", str(config.get("benchmark")), "--rounds", str(config.get("rounds"))]
    words += ["--oracle"] * (config.get("mode") == "oracle") + ["--explain"] * bool(config.get("explain"))
    return _joined([*words, *_asked(config), "--out", "DIR"])


def _asked(config: Mapping[str, Any]) -> list[str]:
    """What is common to all that asks a model."""
    model, profile = str(config.get("model")), config.get("profile")
    name = profile.get("name", "semcoder") if isinstance(profile, dict) else profile or "semcoder"
    words = ["--model", f"{model}@BASE_URL" if model.startswith("openai:") else model, "--profile", str(name)]
    for key in ("n", "temperature", "top_p", "max_tokens", "seed"):
        if config.get(key) is not None:
            words += [f"--{key.replace('_', '-')}", str(config[key])]
    return words + _limit(config)


def _limit(config: Mapping[str, Any]) -> list[str]:
    return ["--limit", str(config["limit"])] if config.get("limit") else []


def _joined(words: Sequence[str]) -> str:
    """Words as a shell reads them, an option a line."""
    lines = [" ".join(words[:2])]
    for word in words[2:]:
        quoted = shlex.quote(word)
        if word.startswith("--"):
            lines.append(quoted)
        else:
            lines[-1] += f" {quoted}"
    return " \\\n  ".join(lines)


def as_yaml(config: Any) -> str:
    """A configuration as the commands read it; JSON where it holds what YAML cannot."""
    import yaml

    try:
        return yaml.safe_dump(config, sort_keys=False, allow_unicode=True, width=100)
    except yaml.YAMLError:
        return json.dumps(config, indent=2, ensure_ascii=False)


def _digest(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from None


def _written(path: Path) -> str:
    return datetime.fromtimestamp(path.stat().st_mtime, UTC).strftime("%Y-%m-%d %H:%M UTC")

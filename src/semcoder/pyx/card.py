"""The data-set card of a build: `README.md` in its folder, with what a hub and a reader need to know of the rows.

Guarantees: every figure in it stands in the manifest or was counted from the rows and programs it describes; it names
the licences, the interpreter whose semantics the rows state, and the benchmarks that were kept out, or that none was.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import yaml

_SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))
_MANY = "1M<n<10M"
_TASKS = {
    "nl": "code from a description",
    "forward": "a monologue from code and input to the output",
    "backward": "a monologue from code and output to an input",
    "repair": "a fault found and repaired, from code and a test that it fails",
}


def card(manifest: dict[str, Any], licences: Mapping[str, int]) -> str:
    """The text: front matter in YAML, then Markdown."""
    counts, versions = manifest["counts"], manifest["versions"]
    rows = counts["rows"]
    kinds = [kind for kind, number in rows.items() if number]
    head = {
        "language": ["en", "code"],
        "license": "other",
        "size_categories": [next((name for most, name in _SIZES if sum(rows.values()) < most), _MANY)],
        "tags": ["code", "execution", "semcoder"],
        "configs": [{"config_name": kind, "data_files": f"rows/{kind}-*.jsonl"} for kind in kinds],
    }
    parts = [
        f"---\n{yaml.safe_dump(head, sort_keys=False)}---\n",
        "# Checked execution monologues\n",
        f"Made by semcoder {versions['semcoder']} under Python {versions['python']}, whose semantics the rows state. "
        "Every program was run; every sentence of a monologue that states a value, a branch or an order was checked "
        "against a second execution. Rows have the published PyX fields (`id`, `nl`, `fwd_mnl`, `bwd_mnl`, "
        f"`response`) and more; schema {versions['schema']}.\n",
        _table(("Rows", "", "Number"), [(kind, _TASKS[kind], number) for kind, number in rows.items()]),
        _table(("Figure", "Value"), [*_figures(manifest)]),
        _table(("Licence", "Programs"), list(licences.items())),
        _kept_out(manifest),
        f"Configuration hash `{manifest['config_hash']}`; the whole configuration, and every drop with its reason, "
        "are in `manifest.json`, `drops.jsonl` and `exclusions.jsonl`.\n",
    ]
    return "\n".join(parts)


def _figures(manifest: dict[str, Any]) -> list[tuple[str, Any]]:
    counts = manifest["counts"]
    shown = ("programs_seen", "programs_kept", "cases", "monologues", "claims_checked", "claims_false")
    found = [(name, counts[name]) for name in shown] + list(manifest["figures"].items())
    return [(name.replace("_", " "), value) for name, value in found if not isinstance(value, dict)]


def _kept_out(manifest: dict[str, Any]) -> str:
    benchmarks = manifest["cleaning"].get("benchmarks", [])
    if not benchmarks:
        return "No benchmark was named to be kept out: do not judge a model trained on these rows by one.\n"
    rows = [(one["name"], one["tasks"], f"`{one['sha256'][:16]}`") for one in benchmarks]
    return _table(("Benchmark kept out", "Tasks", "SHA-256 of its file"), rows)


def _table(head: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(map(str, line))} |\n" for line in lines)

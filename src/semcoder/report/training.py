"""The page of a training run: what the loss did, what was held out, what was left out, and how the run was made."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from semcoder.errors import InputError
from semcoder.report.charts import Curve, curves
from semcoder.report.html import bars, columns, is_number, keys, most, number, page, read_json, section, table, text
from semcoder.report.provenance import provenance, train_command

TITLE = "SemCoder training report"
_MADE_BY = "a finished `semcoder train`"
_HELD = "held_out_"
_UNITS = {
    "loss": "of the policy",
    "reward/answer": "mean reward of a text",
    "reward/steps": "mean reward of a text",
    "cut_off": "part of the texts",
    "unjudged": "part of the texts",
    "equal_groups": "part of the groups",
    "reward_std": "standard deviation",
    "grad_norm": "norm",
    "learning_rate": "rate",
    "length": "tokens of a text",
    "longest": "tokens of the longest text",
    "entropy": "nats per token",
    "tokens_per_second": "tokens a second",
}
_NOT_FIGURES = frozenset({"step", "loss", "learning_rate", "grad_norm", "tokens", "answer_tokens", "seconds", "epoch"})


def training_page(folder: Path) -> str:
    """The page of a finished training run. Raises `InputError`."""
    path = folder / "manifest.json"
    manifest = checked(path, ("recipe", "versions", "counts", "figures"))
    log = read_log(folder / "log.jsonl")
    body = [
        f"<h1>{TITLE}</h1>",
        f'<p class="lead">{_about(manifest)}</p>',
        _keys(manifest, log),
        *_curves(manifest, log),
        _counts(manifest["counts"], manifest["figures"]),
        provenance(path, manifest, train_command(), data=_data(manifest)),
    ]
    return page(TITLE, "\n".join(filter(None, body)))


def checked(path: Path, keys: Iterable[str]) -> dict[str, Any]:
    """A manifest whose parts under `keys` are objects. Raises `InputError`."""
    doc = read_json(path, _MADE_BY)
    for key in keys:
        if not isinstance(doc.get(key), dict):
            raise InputError(f"{path}: {key!r} must be an object, got {type(doc.get(key)).__name__}")
    return doc


def read_log(path: Path) -> list[dict[str, Any]]:
    """The lines of a run's log. Raises `InputError` for one that has no step."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        raise InputError(f"{path}: no such file; is this the output folder of {_MADE_BY}?") from None
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read: {error}") from None
    rows = []
    for place, line in enumerate(lines, 1):
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise InputError(f"{path}:{place}: not JSON: {error}") from None
        if not isinstance(row, dict) or not is_number(row.get("step")):
            raise InputError(f"{path}:{place}: expected an object with a number under 'step'")
        rows.append(row)
    return rows


def points(log: Sequence[Mapping[str, Any]], name: str) -> list[tuple[float, float]]:
    """A figure of a log over its steps, where it was measured."""
    return [(float(row["step"]), float(row[name])) for row in log if is_number(row.get(name))]


def _keys(manifest: Mapping[str, Any], log: Sequence[Mapping[str, Any]]) -> str:
    """What was trained, how long, on how much, and where it ended; what was not measured is left out."""
    counts, figures, seconds = manifest["counts"], manifest["figures"], points(log, "seconds")
    told = [
        (counts.get("parameters"), "parameters"),
        (counts.get("steps"), "steps"),
        (counts.get("tokens"), "tokens"),
        (seconds[-1][1] / 60 if seconds else None, "minutes"),
        (figures.get("loss_last"), "last loss"),
        (figures.get("held_out_loss"), "loss on held-out programs"),
        (figures.get("reward_last"), "last reward"),
        (figures.get("held_out_reward_last"), "reward on held-out programs"),
    ]
    return keys([(value, what) for value, what in told if is_number(value)])


def _about(manifest: Mapping[str, Any]) -> str:
    """What this was, in a sentence or two."""
    recipe = manifest["recipe"]
    model = recipe.get("model") if isinstance(recipe.get("model"), dict) else {}
    base = model.get("base") or "a new model with random weights"
    said = f"A run of kind {text(recipe.get('kind', 'unknown'))} that began from {text(base)}."
    return f"{said} {text(recipe['about'])}" if recipe.get("about") else said


def _curves(manifest: Mapping[str, Any], log: Sequence[Mapping[str, Any]]) -> list[str]:
    """What the run is for comes first, large: the reward where there is one, else the loss; then all else."""
    rewarded = bool(points(log, "reward"))
    main, unit = ("reward", "mean reward of a text") if rewarded else ("loss", "nats per answer token")
    others = [name for name in _figures_of(log) if name != main]
    if rewarded and points(log, "loss"):
        others.insert(0, "loss")
    small = [_curve(log, name, _words(name), _UNITS.get(name, "value")) for name in others]
    first = _curve(log, main, _title(log, main), unit) or "<p>Nothing was logged.</p>"
    held = _held_out(log, main)
    return [
        section("curve", main.capitalize(), first, held),
        section("others", "Other figures over the run", columns(*small, kind="multiples")) if any(small) else "",
    ]


def _curve(log: Sequence[Mapping[str, Any]], name: str, title: str, unit: str) -> str:
    """A figure over the steps, with that of held-out programs where it was measured."""
    held = points(log, _HELD + name)
    lines = [Curve("training" if held else "", points(log, name)), Curve("held out", held)]
    return curves(title, "optimiser step", unit, lines)


def _figures_of(log: Sequence[Mapping[str, Any]]) -> list[str]:
    """Names of what was logged, the norm of the gradient and the learning rate first; those of held-out programs alone
    stand under their own."""
    names = dict.fromkeys(name for row in log for name, value in row.items() if is_number(value))
    known = [name for name in ("grad_norm", "learning_rate") if name in names]
    bare = dict.fromkeys(name.removeprefix(_HELD) for name in names)
    return [*known, *(name for name in bare if name not in _NOT_FIGURES)]


def _title(log: Sequence[Mapping[str, Any]], name: str) -> str:
    measured = points(log, name)
    if not measured:
        return f"{_words(name)} over steps"
    (_, first), (step, last) = measured[0], measured[-1]
    return f"The {name} went from {first:.3g} to {last:.3g} in {number(int(step))} steps"


def _held_out(log: Sequence[Mapping[str, Any]], name: str) -> str:
    measured = points(log, _HELD + name)
    if not measured:
        return "<p>No programs were held out: nothing here says how the model does on what it has not seen.</p>"
    first, last = measured[0], measured[-1]
    return (
        f"<p>On held-out programs the {name} was {number(first[1])} at step {number(int(first[0]))} and "
        f"{number(last[1])} at step {number(int(last[0]))}.</p>"
    )


def _words(name: str) -> str:
    known = {"grad_norm": "Norm of the gradient", "learning_rate": "Learning rate"}
    return known.get(name) or name.replace("_", " ").replace("/", ", ").capitalize()


def _counts(counts: Mapping[str, Any], figures: Mapping[str, Any]) -> str:
    pairs = [(_words(name), value) for name, value in counts.items() if is_number(value)]
    measured = [(_words(name), value) for name, value in figures.items() if value is None or is_number(value)]
    return section(
        "counts", "Counts and figures", columns(
            table("counts", "What was counted", ("What", "Count"), pairs),
            table("figures", "Measured by the run", ("Figure", "Value"), measured) if measured else "",
            dropped("dropped", counts.get("dropped"), "Rows dropped"),
        ),
    )  # fmt: skip


def dropped(name: str, reasons: Any, what: str) -> str:
    """Drops by reason, with bars. `name`: of the CSV."""
    known = (
        {str(reason): lost for reason, lost in reasons.items() if is_number(lost)} if isinstance(reasons, dict) else {}
    )
    if not known:
        return f"<p>{what}: none.</p>"
    total = sum(known.values())
    return bars(name, f"{what}, by reason ({number(total)} in all)", ("Reason", "Dropped"), most(known), total)


def _data(manifest: Mapping[str, Any]) -> dict[str, Any]:
    data = manifest.get("data")
    return data if isinstance(data, dict) else {}


def finite(value: Any) -> float | None:
    """A number of a manifest; None for what is none."""
    return float(value) if is_number(value) and math.isfinite(value) else None

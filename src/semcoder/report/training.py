"""The page of a training run: what the loss did, what was held out, what was left out, and how the run was made."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from semcoder.errors import InputError
from semcoder.report.charts import Curve, curves
from semcoder.report.html import bars, is_number, made_of, most, number, page, read_json, section, table, text

TITLE = "SemCoder training report"
_MADE_BY = "a finished `semcoder train`"
_NOT_FIGURES = frozenset({"step", "loss", "learning_rate", "grad_norm", "tokens", "answer_tokens", "seconds", "epoch"})


def training_page(folder: Path) -> str:
    """The page of a finished training run. Raises `InputError`."""
    manifest = checked(folder / "manifest.json", ("recipe", "versions", "counts", "figures"))
    log = read_log(folder / "log.jsonl")
    body = [
        f"<h1>{TITLE}</h1>",
        f'<p class="lead">{_about(manifest, log)}</p>',
        section("loss-curve", "Loss", loss_chart([("training", log)]), _held_out(log)),
        *_others(log),
        _counts(manifest["counts"]),
        section("figures", "Figures", figures_table(manifest["figures"])),
        *_data(manifest.get("data")),
        made(manifest),
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


def loss_chart(logs: Sequence[tuple[str, Sequence[Mapping[str, Any]]]], title: str = "Loss over steps") -> str:
    """The losses of runs over their steps, and their held-out losses where they have some."""
    lines = []
    for name, log in logs:
        lines.append(Curve(name, points(log, "loss")))
        lines.append(Curve("held out" if len(logs) == 1 else f"{name}, held out", points(log, "held_out_loss")))
    return curves(title, "optimiser step", "nats per answer token", lines) or "<p>Nothing was logged.</p>"


def _about(manifest: Mapping[str, Any], log: Sequence[Mapping[str, Any]]) -> str:
    """What this was, in a sentence or two."""
    recipe = manifest["recipe"]
    model = recipe.get("model") if isinstance(recipe.get("model"), dict) else {}
    base = model.get("base") or "a new model with random weights"
    said = f"A run of kind {text(recipe.get('kind', 'unknown'))} that began from {text(base)}."
    return f"{said} {text(recipe['about'])}" if recipe.get("about") else said


def _held_out(log: Sequence[Mapping[str, Any]]) -> str:
    measured = points(log, "held_out_loss")
    if not measured:
        return "<p>No programs were held out: nothing here says how the model does on what it has not seen.</p>"
    first, last = measured[0], measured[-1]
    return (
        f"<p>On held-out programs the loss was {number(first[1])} at step {number(int(first[0]))} and "
        f"{number(last[1])} at step {number(int(last[0]))}.</p>"
    )


def _others(log: Sequence[Mapping[str, Any]]) -> list[str]:
    """Charts of the gradient's norm, the learning rate, and whatever else was measured."""
    names = dict.fromkeys(name for row in log for name, value in row.items() if is_number(value))
    measured = [name for name in names if name not in _NOT_FIGURES and name != "held_out_loss"]
    charts = [
        curves(f"{_words(name)} over steps", "optimiser step", _words(name), [Curve("", points(log, name))])
        for name in ("grad_norm", "learning_rate", *measured)
    ]
    shown = [
        f"<h3>{text(_words(name))}</h3>{chart}"
        for name, chart in zip(("grad_norm", "learning_rate", *measured), charts, strict=True)
        if chart
    ]
    return [section("others", "Other figures over the run", *shown)] if shown else []


def _words(name: str) -> str:
    known = {"grad_norm": "Norm of the gradient", "learning_rate": "Learning rate"}
    return known.get(name) or name.replace("_", " ").capitalize()


def _counts(counts: Mapping[str, Any]) -> str:
    pairs = [(text(_words(name)), number(value)) for name, value in counts.items() if is_number(value)]
    return section(
        "counts", "Counts", "<div class='columns'><div>", table("What was counted", ("What", "Count"), pairs),
        "</div><div>", dropped(counts.get("dropped"), "Rows dropped"), "</div></div>",
    )  # fmt: skip


def dropped(reasons: Any, what: str) -> str:
    """Drops by reason, with bars."""
    known = (
        {str(reason): many for reason, many in reasons.items() if is_number(many)} if isinstance(reasons, dict) else {}
    )
    if not known:
        return f"<p>{what}: none.</p>"
    total = sum(known.values())
    return bars(f"{what}, by reason ({number(total)} in all)", ("Reason", "Dropped"), most(known), total)


def figures_table(figures: Mapping[str, Any]) -> str:
    pairs = [
        (text(_words(name)), number(value)) for name, value in figures.items() if value is None or is_number(value)
    ]
    return table("Measured by the run", ("Figure", "Value"), pairs) if pairs else "<p>None were measured.</p>"


def _data(data: Any) -> list[str]:
    if not isinstance(data, dict) or not data:
        return []
    rows = "".join(f"<dt><code>{text(name)}</code></dt><dd>{text(state)}</dd>" for name, state in data.items())
    return [section("data", "Data", f'<dl class="facts">{rows}</dl>')]


def made(manifest: Mapping[str, Any]) -> str:
    """How a run was made: versions and recipe."""
    return made_of(
        manifest["versions"], "Recipe hash", manifest.get("recipe_hash", "none"), "Recipe", manifest["recipe"]
    )


def finite(value: Any) -> float | None:
    """A number of a manifest; None for what is none."""
    return float(value) if is_number(value) and math.isfinite(value) else None

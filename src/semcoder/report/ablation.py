"""The page of a study of styles: accuracies with their intervals, differences, and every run; and its table as CSV."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from semcoder.errors import InputError
from semcoder.report.charts import Bar, Curve, curves, interval_bars
from semcoder.report.html import (
    Cell,
    Column,
    columns,
    ends,
    keys,
    many,
    number,
    page,
    read_json,
    section,
    share,
    signed,
    spelled,
    table,
    text,
)
from semcoder.report.provenance import provenance, train_command
from semcoder.report.training import checked, dropped, finite, points, read_log

TITLE = "SemCoder report on styles"
_MADE_BY = "a finished `semcoder train`"
_SAID = {
    "programs": "Every model was trained on the same programs.",
    "tokens": "Every model was trained on as many tokens, those of shorter styles on more programs.",
}
_COLUMNS = (
    "equal", "style", "runs", "programs", "tokens", "answer_tokens", "accuracy", "over_seeds_low", "over_seeds_high",
    "over_questions_low", "over_questions_high", "step_accuracy", "unparsable", "seconds",
    "minus_direct", "minus_direct_low", "minus_direct_high", "minus_forward", "minus_forward_low", "minus_forward_high",
)  # fmt: skip


def ablation_page(folder: Path) -> str:
    """The page of a study, as far as its runs are done. Raises `InputError`."""
    path = manifest_of(folder)
    manifest = checked(path, ("recipe", "versions", "counts", "baselines"))
    rows = _rows(manifest, path)
    study = read_json(folder / "ablation.json", _MADE_BY)
    runs = study.get("runs")
    if not isinstance(runs, list) or not all(isinstance(run, dict) for run in runs):
        raise InputError(f"{folder / 'ablation.json'}: 'runs' must be a list of objects")
    kinds = list(dict.fromkeys(row["equal"] for row in rows))
    data = manifest.get("data")
    body = [
        f"<h1>{TITLE}</h1>",
        f'<p class="lead">{_lead(manifest)}</p>',
        _keys(manifest, rows),
        *([] if path.name == "manifest.json" else [f"<p>{_unfinished(study)}</p>"]),
        *(_comparison(kind, [row for row in rows if row["equal"] == kind], manifest["baselines"]) for kind in kinds),
        _reading(),
        _losses(folder, runs),
        _run_table(runs),
        _counts(manifest),
        provenance(path, manifest, train_command(), data=data if isinstance(data, dict) else None),
    ]
    return page(TITLE, "\n".join(body))


def manifest_of(folder: Path) -> Path:
    """The manifest of a run that is done; of a study that is not, that of the runs so far."""
    done, so_far = folder / "manifest.json", folder / "so_far.json"
    return so_far if so_far.exists() and not done.exists() else done


def _unfinished(study: Mapping[str, Any]) -> str:
    return (
        f"The study is not finished: {number(study.get('runs_done'))} of {number(study.get('runs_planned'))} runs are "
        "done. The command that began it goes on with it."
    )


def ablation_csv(manifest: Mapping[str, Any]) -> str:
    """The table of a study that `ablation_page` has drawn, a line per comparison and style; shares from 0 to 1."""
    out = io.StringIO()
    writer = csv.DictWriter(out, _COLUMNS, lineterminator="\n", extrasaction="ignore")
    writer.writeheader()
    for row in manifest["table"]:
        flat = {**row, "style": spelled(row["style"]), "equal": spelled(row["equal"])}
        for name in ("over_seeds", "over_questions"):
            flat[f"{name}_low"], flat[f"{name}_high"] = row.get(f"interval_{name}") or ("", "")
        for other, found in (row.get("against") or {}).items():
            low, high = (found or {}).get("interval") or ("", "")
            flat |= {
                f"minus_{other}": (found or {}).get("difference", ""),
                f"minus_{other}_low": low,
                f"minus_{other}_high": high,
            }
        writer.writerow(flat)
    return out.getvalue()


def _rows(manifest: Mapping[str, Any], path: Path) -> list[dict[str, Any]]:
    rows = manifest.get("table")
    if not isinstance(rows, list) or not rows:
        raise InputError(f"{path}: 'table' must be a list of rows")
    for place, row in enumerate(rows):
        if not isinstance(row, dict) or not isinstance(row.get("style"), str) or not isinstance(row.get("equal"), str):
            raise InputError(f"{path}: table[{place}]: expected an object with 'style' and 'equal'")
        for name in ("interval_over_seeds", "interval_over_questions"):
            if row.get(name) is not None and _interval(row, name) is None:
                raise InputError(f"{path}: table[{place}].{name}: expected two numbers or null")
        if not isinstance(row.get("against") or {}, dict):
            raise InputError(f"{path}: table[{place}].against: expected an object")
    return rows


def _interval(row: Mapping[str, Any], name: str) -> tuple[float, float] | None:
    ends = row.get(name)
    if not isinstance(ends, (list, tuple)) or len(ends) != 2:
        return None
    low, high = finite(ends[0]), finite(ends[1])
    return (low, high) if low is not None and high is not None else None


def _widest(row: Mapping[str, Any]) -> tuple[float, float] | None:
    """The interval over seeds where there are several, since the one over questions takes their luck for skill."""
    return _interval(row, "interval_over_seeds") or _interval(row, "interval_over_questions")


def _lead(manifest: Mapping[str, Any]) -> str:
    counts = manifest["counts"]
    said = (
        "How well do small models predict what a program gives, by the style in which they were taught to tell the "
        f"execution? {number(counts.get('runs'))} models of {number(counts.get('parameters'))} parameters each were "
        f"asked about {number(counts.get('questions'))} programs that none of them was trained on; every answer was "
        "judged by executing the program."
    )
    about = manifest["recipe"].get("about")
    return f"{said} {text(about)}" if about else said


def _keys(manifest: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> str:
    """How many models, and the best style of the first comparison."""
    counts = manifest["counts"]
    told = [
        (counts.get("runs"), "models"),
        (counts.get("parameters"), "parameters each"),
        (counts.get("questions"), "questions"),
    ]
    first = [row for row in rows if row["equal"] == rows[0]["equal"] and finite(row.get("accuracy")) is not None]
    best = max(first, key=lambda row: row["accuracy"], default=None)
    shown = [(value, what) for value, what in told if isinstance(value, int)]
    if best is None:
        return keys(shown)
    return keys([*shown, (f"{100 * best['accuracy']:.1f}", f"right, %: {best['style']}, at equal {best['equal']}")])


def _comparison(kind: str, rows: Sequence[Mapping[str, Any]], baselines: Mapping[str, Any]) -> str:
    marks = [
        (f"answering the {name}", share) for name, value in baselines.items() if (share := finite(value)) is not None
    ]
    shown = [Bar(row["style"], finite(row.get("accuracy")), _widest(row)) for row in rows]
    heads = (
        "Style", "Right, %", Column("over seeds", ends=True), Column("over questions", ends=True), "Steps true, %",
        "No answer, %", "Programs", "Tokens", "minus direct, points", Column("its interval", ends=True),
        "minus forward, points", Column("its interval ", ends=True), "Minutes a run",
    )  # fmt: skip
    cells = [
        (
            row["style"],
            _share(row.get("accuracy")),
            _range(_interval(row, "interval_over_seeds")),
            _range(_interval(row, "interval_over_questions")),
            Cell(None, "has none") if row.get("step_accuracy") is None else _share(row["step_accuracy"]),
            _share(row.get("unparsable")),
            row.get("programs"),
            row.get("tokens"),
            *_difference(row, "direct"),
            *_difference(row, "forward"),
            round((finite(row.get("seconds")) or 0) / 60, 2),
        )
        for row in rows
    ]
    several = all(_interval(row, "interval_over_seeds") for row in rows)
    title = f"Right answers by style, at equal {kind}"
    over = "seeds" if several else "seeds where there are several, else over questions"
    unit = f"right answers, % of the questions, with 95 % intervals over {over}"
    return section(
        f"equal-{_anchor(kind)}",
        f"At equal {text(kind)}",
        f"<p>{_SAID[kind]}</p>" if kind in _SAID else "",
        interval_bars(title, unit, shown, marks),
        table(f"equal-{_anchor(kind)}", f"At equal {kind}, with 95 % intervals", heads, cells),
    )


def _anchor(words: str) -> str:
    return re.sub("[^a-z0-9]+", "-", words.lower())


def _share(value: Any) -> Cell:
    part = finite(value)
    return share(None if part is None else 100 * part)


def _percents(interval: tuple[float, float] | None) -> tuple[float, float] | None:
    return None if interval is None else (100 * interval[0], 100 * interval[1])


def _range(interval: tuple[float, float] | None) -> Cell:
    return ends(_percents(interval), "needs two seeds")


def _difference(row: Mapping[str, Any], other: str) -> tuple[Cell, Cell]:
    """Percentage points, and their interval."""
    found = (row.get("against") or {}).get(other)
    if not isinstance(found, dict) or (difference := finite(found.get("difference"))) is None:
        return Cell(None, "–"), ends(None)
    return Cell(100 * difference, signed(100 * difference, "+.1f")), ends(_percents(_interval(found, "interval")))


def _reading() -> str:
    return section(
        "reading",
        "How to read the intervals",
        "<p>Over seeds: Student's interval for the mean of runs that differ in their seed, which tells how much luck "
        "there is in training. Over questions: Wilson's interval over the questions of all seeds together; since the "
        "seeds share their questions, it is somewhat too narrow for other questions. Differences: question by question "
        "(means over seeds), with a bootstrap interval over questions; where it does not hold 0, the difference is "
        "more than chance in the questions.</p>"
        "<p>Steps true: of all claims that a text makes, the part that is true and stands before the first false "
        "one.</p>",
    )


def _losses(folder: Path, runs: Sequence[Mapping[str, Any]]) -> str:
    """The loss of the first run of each style, at each amount of data."""
    charts = []
    for run in runs:
        name = f"{run.get('style')}-{run.get('seed')}-{run.get('programs')}"
        path = folder / "runs" / name / "log.jsonl"
        first = min((r.get("seed", 0) for r in runs if r.get("style") == run.get("style")), default=0)
        if run.get("seed") == first and path.is_file():
            losses = Curve("", points(read_log(path), "loss"))
            last = f", ends at {losses.points[-1][1]:.3g}" if losses.points else ""
            title = f"{run.get('style')}, {many(run.get('programs', 0), 'program')}{last}"
            charts.append(curves(title, "optimiser step", "nats per answer token", [losses], decades=True))
    return section(
        "losses", "Losses of the first seed", columns(*charts, kind="multiples") or "<p>None were logged.</p>"
    )


def _run_table(runs: Sequence[Mapping[str, Any]]) -> str:
    heads = ("Style", "Seed", "Programs", "Right, %", "Steps true, %", "No answer, %", "Tokens", "Last loss", "Minutes")
    cells: list[Sequence[Any]] = []
    for run in runs:
        seconds = run.get("seconds")
        spent = sum(filter(None, map(finite, seconds.values()))) if isinstance(seconds, dict) else 0.0
        shares = [_share(run.get(name)) for name in ("accuracy", "step_accuracy", "unparsable")]
        numbers = [run.get("tokens"), finite(run.get("loss_last")), round(spent / 60, 2)]
        cells.append([str(run.get("style")), run.get("seed"), run.get("programs"), *shares, *numbers])
    return section("runs", "Runs", table("runs", "Every run", heads, cells))


def _counts(manifest: Mapping[str, Any]) -> str:
    counts = manifest["counts"]
    shares = [(f"Answering the {name}", _share(value)) for name, value in manifest["baselines"].items()]
    return section(
        "counts", "Programs and questions", columns(
            table("baselines", "Right answers without following the program, %", ("Answer", "Right, %"), shares),
            dropped("dropped", counts.get("dropped"), "Programs left out of training"),
            dropped("dropped-questions", counts.get("dropped_questions"), "Programs left out of the questions"),
        ),
    )  # fmt: skip

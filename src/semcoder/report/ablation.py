"""The page of a study of styles: accuracies with their intervals, differences, and every run; and its table as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from semcoder.errors import InputError
from semcoder.report.charts import Bar, interval_bars
from semcoder.report.html import number, page, percent, read_json, section, table, text, wide_table
from semcoder.report.training import checked, dropped, finite, loss_chart, made, read_log

TITLE = "SemCoder report on styles"
_MADE_BY = "a finished `semcoder train`"
_SAID = {
    "programs": "Equal programs: every model was trained on the same programs",
    "tokens": "Equal tokens: every model was trained on as many tokens, those of shorter styles on more programs",
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
    body = [
        f"<h1>{TITLE}</h1>",
        f'<p class="lead">{_lead(manifest)}</p>',
        *([] if path.name == "manifest.json" else [f"<p>{_unfinished(study)}</p>"]),
        *(_comparison(kind, [row for row in rows if row["equal"] == kind], manifest["baselines"]) for kind in kinds),
        _reading(),
        _losses(folder, runs),
        _run_table(runs),
        _counts(manifest),
        made(manifest),
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
        flat = dict(row)
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


def _comparison(kind: str, rows: Sequence[Mapping[str, Any]], baselines: Mapping[str, Any]) -> str:
    marks = [
        (f"answering the {name}", share) for name, value in baselines.items() if (share := finite(value)) is not None
    ]
    shown = [Bar(row["style"], finite(row.get("accuracy")), _widest(row)) for row in rows]
    heads = (
        "Style", "Right, %", "over seeds", "over questions", "Steps true, %", "No answer, %", "Programs", "Tokens",
        "minus direct", "minus forward", "Minutes a run",
    )  # fmt: skip
    cells = [
        (
            text(row["style"]),
            percent(finite(row.get("accuracy"))),
            _range(_interval(row, "interval_over_seeds")),
            _range(_interval(row, "interval_over_questions")),
            "has none" if row.get("step_accuracy") is None else percent(finite(row["step_accuracy"])),
            percent(finite(row.get("unparsable"))),
            number(row.get("programs")),
            number(row.get("tokens")),
            _difference(row, "direct"),
            _difference(row, "forward"),
            number((finite(row.get("seconds")) or 0) / 60),
        )
        for row in rows
    ]
    title = f"Share of right answers by style, at equal {kind}"
    return section(
        f"equal-{text(kind)}",
        text(_SAID.get(kind, kind)),
        interval_bars(title, "right answers, %, with 95 % intervals over questions", shown, marks),
        wide_table(f"At equal {text(kind)}, with 95 % intervals", heads, cells),
    )


def _range(interval: tuple[float, float] | None) -> str:
    return "needs two seeds" if interval is None else f"{100 * interval[0]:.1f} to {100 * interval[1]:.1f}"


def _difference(row: Mapping[str, Any], other: str) -> str:
    found = (row.get("against") or {}).get(other)
    if not isinstance(found, dict) or (difference := finite(found.get("difference"))) is None:
        return "–"
    interval = _interval(found, "interval")
    return f"{100 * difference:+.1f}" + (f" ({_range(interval)})" if interval else "")


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
    logs = []
    for run in runs:
        name = f"{run.get('style')}-{run.get('seed')}-{run.get('programs')}"
        path = folder / "runs" / name / "log.jsonl"
        first = min((r.get("seed", 0) for r in runs if r.get("style") == run.get("style")), default=0)
        if run.get("seed") == first and path.is_file():
            logs.append((f"{run.get('style')}, {number(run.get('programs'))}", read_log(path)))
    chart = loss_chart(logs, "Loss over steps, of the first seed, by style and number of programs")
    return section("losses", "Losses of the first seed", chart)


def _run_table(runs: Sequence[Mapping[str, Any]]) -> str:
    heads = ("Style", "Seed", "Programs", "Right, %", "Steps true, %", "No answer, %", "Tokens", "Last loss", "Minutes")
    cells = []
    for run in runs:
        seconds = run.get("seconds")
        spent = sum(filter(None, map(finite, seconds.values()))) if isinstance(seconds, dict) else 0.0
        shares = [percent(finite(run.get(name))) for name in ("accuracy", "step_accuracy", "unparsable")]
        numbers = [number(run.get("tokens")), number(finite(run.get("loss_last"))), number(spent / 60)]
        cells.append([text(run.get("style")), number(run.get("seed")), number(run.get("programs")), *shares, *numbers])
    return section("runs", "Runs", wide_table("Every run", heads, cells))


def _counts(manifest: Mapping[str, Any]) -> str:
    counts = manifest["counts"]
    shares = [(text(f"Answering the {name}"), percent(finite(value))) for name, value in manifest["baselines"].items()]
    return section(
        "counts", "Programs and questions", "<div class='columns'><div>",
        table("Right answers without following the program, %", ("Answer", "Right"), shares), "</div><div>",
        dropped(counts.get("dropped"), "Programs left out of training"),
        dropped(counts.get("dropped_questions"), "Programs left out of the questions"), "</div></div>",
    )  # fmt: skip

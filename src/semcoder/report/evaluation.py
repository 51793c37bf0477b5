"""The page of an evaluation: scores with their intervals, published ones beside them, failures, constructs, some of
the texts, and how it was made; and its table of scores as CSV.

Guarantees: published figures are drawn hollow and called published wherever they stand. What was not judged is told
beside every score. All figures are read from the manifest, texts and verdicts from the files of each benchmark, where
they are there: nothing is scored again, and what the folder does not carry is not shown.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from semcoder.errors import InputError
from semcoder.report.charts import Bar, interval_bars
from semcoder.report.html import (
    Column,
    bars,
    columns,
    ends,
    facts,
    heat,
    keys,
    many,
    most,
    number,
    page,
    section,
    share,
    spelled,
    table,
    text,
)
from semcoder.report.provenance import eval_command, provenance
from semcoder.report.reading import Pair, count, pair, part, percent_of, said
from semcoder.report.texts import shown_texts
from semcoder.report.training import checked

TITLE = "SemCoder evaluation report"
#: Kinds of failure that are of samples without a verdict.
_NO_VERDICT = frozenset({"no reply", "sandbox", "not judged"})
_COUNTS = {
    "n": "Tasks that count in pass@1",
    "tasks": "Tasks",
    "samples": "Samples",
    "unjudged": "Samples not judged",
    "unjudged_tasks": "Tasks of which nothing was judged",
    "missing_tasks": "Tasks without an answer",
    "cut": "Texts cut at their greatest length",
}
_COLUMNS = (
    "benchmark", "source", "model", "score", "percent", "low", "high", *_COUNTS, "bounds_low", "bounds_high",
)  # fmt: skip
_UNIT = "right answers, % of tasks, with 95 % intervals over tasks"
_INTERVAL = Column("95 % interval", ends=True)
#: Constructs that the chart shows, the most frequent; the table has all.
_CONSTRUCTS = 16


@dataclass(frozen=True, slots=True)
class _Score:
    """A score in percent; None where nothing was judged."""

    name: str
    percent: float | None
    interval: Pair | None


@dataclass(frozen=True, slots=True)
class _Steps:
    """How far monologues are true."""

    style: str
    true_part: _Score
    no_false_claim: float | None
    counts: dict[str, int]


@dataclass(frozen=True, slots=True)
class _Results:
    """A benchmark's part of an evaluation. `published`: pass@1 in percent by model, measured elsewhere."""

    name: str
    scores: tuple[_Score, ...]
    counts: dict[str, int]
    bounds: Pair | None
    wilson: Pair | None
    failures: dict[str, int]
    constructs: dict[str, tuple[int, _Score]]
    steps: _Steps | None
    seeds: dict[str, Any]
    published: dict[str, float]

    @property
    def measured(self) -> tuple[_Score, ...]:
        """What a line of the table of scores tells: pass@k, and how far monologues are true."""
        return self.scores if self.steps is None else (*self.scores, self.steps.true_part)


def evaluation_page(folder: Path) -> str:
    """The page of a finished evaluation. Raises `InputError`."""
    path = folder / "manifest.json"
    manifest = checked(path, ("config", "versions", "data"))
    found = _read(manifest, str(path))
    label = str(manifest["published"]["label"]) if manifest.get("published") else ""
    body = [
        f"<h1>{TITLE}</h1>",
        f'<p class="lead">{_lead(manifest["config"], found)}</p>',
        _keys(found),
        _overview(found),
        *(_benchmark(place, results, manifest["config"], label, folder) for place, results in enumerate(found, 1)),
        _reading(),
        _asked(manifest, found),
        provenance(path, manifest, eval_command(manifest["config"]), data=manifest["data"]),
    ]
    return page(TITLE, "\n".join(body))


def evaluation_csv(manifest: Mapping[str, Any]) -> str:
    """The scores of an evaluation that `evaluation_page` has drawn, a line each, in percent; published ones are told by
    their `source`."""
    out = io.StringIO()
    writer = csv.DictWriter(out, _COLUMNS, restval="", lineterminator="\n")
    writer.writeheader()
    for results in _read(manifest, "manifest.json"):
        whose = {
            "benchmark": spelled(results.name),
            "source": "measured",
            "model": spelled(_who(manifest["config"])),
        }
        for score in results.measured:
            low, high = score.interval or ("", "")
            row: dict[str, Any] = {**whose, "score": score.name, "percent": score.percent, "low": low, "high": high}
            if score.name == "pass@1":  # the counts are of this score: others may rest on fewer tasks
                bounds = results.bounds or ("", "")
                row |= {**results.counts, "bounds_low": bounds[0], "bounds_high": bounds[1]}
            writer.writerow(row)
        for model, percent in results.published.items():
            writer.writerow(
                {**whose, "source": "published", "model": spelled(model), "score": "pass@1", "percent": percent}
            )
    return out.getvalue()


# -- reading


def _read(manifest: Mapping[str, Any], path: str) -> list[_Results]:
    """The results of each benchmark. `path`: what errors call the manifest."""
    found = manifest.get("benchmarks")
    if not isinstance(found, list) or not found:
        raise InputError(f"{path}: 'benchmarks' must be a list of results")
    published: dict[str, Any] = {}
    if manifest.get("published") is not None:
        whole = part(manifest, "published", path)
        if not isinstance(whole.get("label"), str):
            raise InputError(f"{path}: published.label: expected text")
        published = part(whole, "benchmarks", f"{path}: published")
    return [_results(doc, published, f"{path}: benchmarks[{place}]") for place, doc in enumerate(found)]


def _results(doc: Any, published: Mapping[str, Any], where: str) -> _Results:
    if not isinstance(doc, dict) or not isinstance(doc.get("benchmark"), str):
        raise InputError(f"{where}: expected an object with text under 'benchmark'")
    name = doc["benchmark"]
    intervals = part(doc, "intervals", where)
    numbered = sorted((int(key[5:]), key) for key in doc if re.fullmatch(r"pass@[0-9]{1,9}", key))
    if (1, "pass@1") not in numbered:
        raise InputError(f"{where}: it has no 'pass@1'")
    scores = [_Score(key, percent_of(doc, key, where), pair(intervals, key, where)) for _, key in numbered]
    failures = part(doc, "failures", where)
    place = f"{where.partition(': benchmarks[')[0]}: published.benchmarks"
    others = part(published, name, place) if name in published else {}
    return _Results(
        name,
        tuple(scores),
        {key: count(doc, key, where) for key in _COUNTS},
        pair(doc, "bounds", where),
        pair(doc, "wilson", where),
        {kind: count(failures, kind, f"{where}.failures") for kind in failures},
        _constructs(part(doc, "constructs", where), f"{where}.constructs"),
        None if doc.get("steps") is None else _steps(part(doc, "steps", where), f"{where}.steps"),
        part(doc, "seeds", where),
        {model: share for model in others if (share := percent_of(others, model, f"{place}[{name!r}]")) is not None},
    )


def _constructs(groups: Mapping[str, Any], where: str) -> dict[str, tuple[int, _Score]]:
    found = {}
    for name in groups:
        group, place = part(groups, name, where), f"{where}[{name!r}]"
        score = _Score(name, percent_of(group, "pass@1", place), pair(group, "interval", place))
        found[name] = (count(group, "n", place), score)
    return found


def _steps(doc: Mapping[str, Any], where: str) -> _Steps:
    true_part = _Score("true part of monologues", percent_of(doc, "true_part", where), pair(doc, "interval", where))
    counts = {key: count(doc, key, where) for key in ("texts", "with_claims", "right_with_false_claim")}
    return _Steps(str(doc.get("style", "unknown")), true_part, percent_of(doc, "no_false_claim", where), counts)


# -- drawing


def _who(config: Mapping[str, Any]) -> str:
    return str(config.get("model") or config.get("generations") or "unknown")


def _lead(config: Mapping[str, Any], found: Sequence[_Results]) -> str:
    whose = "The answers of" if config.get("model") else "The answers in the file"
    names = ", ".join(text(results.name) for results in found)
    return f"{whose} {text(_who(config))} to the tasks of {names}, judged by executing code."


def _keys(found: Sequence[_Results]) -> str:
    """The score of each benchmark, and how much of it was judged."""
    scores = [(said(results.scores[0].percent), f"pass@1 on {results.name}, %") for results in found[:4]]
    counts = [
        (sum(results.counts["tasks"] for results in found), "tasks"),
        (sum(results.counts["samples"] for results in found), "samples"),
        (sum(results.counts["unjudged"] for results in found), "of them not judged"),
    ]
    return keys([*scores, *counts])


def _overview(found: Sequence[_Results]) -> str:
    heads = ("Benchmark", "Score", "%", _INTERVAL, "Tasks that count", "Tasks", "Samples not judged")
    cells = [
        (
            results.name, score.name, share(score.percent), ends(score.interval),
            *(results.counts[key] if score.name == "pass@1" else "" for key in ("n", "tasks", "unjudged")),
        )
        for results in found
        for score in results.measured
    ]  # fmt: skip
    first = [_bar(results.name, results.scores[0]) for results in found]
    several = len(found) > 1
    return section(
        "scores",
        "Scores",
        interval_bars("pass@1 by benchmark", _UNIT, first) if several else "",
        table("scores", "Scores measured here", heads, cells, words=2),
        _across(found) if several else "",
        "<p>These scores, and the published ones below, are also in <code>evaluation.csv</code> beside this page.</p>",
    )


def _across(found: Sequence[_Results]) -> str:
    """pass@1 by construct and benchmark, the constructs of most tasks first."""
    tasks: dict[str, int] = {}
    for results in found:
        for name, (number_of, _) in results.constructs.items():
            tasks[name] = tasks.get(name, 0) + number_of
    rows = [
        (name, tasks[name], *(_heat_of(results, name) for results in found))
        for name in sorted(tasks, key=lambda name: (-tasks[name], name))
    ]
    heads: list[str | Column] = ["Construct", "Tasks", *(Column(results.name, unit=", %") for results in found)]
    return table("constructs-by-benchmark", "pass@1 by construct and benchmark, %", heads, rows) if rows else ""


def _heat_of(results: _Results, name: str) -> Any:
    return heat(results.constructs[name][1].percent if name in results.constructs else None)


def _benchmark(place: int, results: _Results, config: Mapping[str, Any], label: str, folder: Path) -> str:
    shown = [
        *(_bar(f"{score.name}, measured here", score) for score in results.scores),
        *(Bar(model, percent / 100, note="published") for model, percent in results.published.items()),
    ]
    failures = {
        f"{kind} (neither right nor wrong)" if kind in _NO_VERDICT else kind: number_of
        for kind, number_of in results.failures.items()
    }
    samples = results.counts["samples"]
    stem = f"{place}-"
    failed = bars(
        f"{stem}failures",
        f"Failures by kind, of {many(samples, 'sample')}",
        ("Kind", "Samples"),
        most(failures),
        samples,
    )
    also = ", measured and published" if results.published else ""
    return section(
        f"benchmark-{place}",
        text(results.name),
        _unjudged(results),
        columns(
            interval_bars(f"Scores on {results.name}{also}", _UNIT, shown),
            _published(stem, results, config, label),
            kind="beside",
        ),
        _by_construct(stem, results),
        "<h3>What went wrong</h3>" + columns(
            failed if failures else "<p>No sample failed.</p>",
            table(f"{stem}counts", "What was counted", ("What", "Number"), _counted(results)),
        ),
        _monologues(stem, results.steps),
        shown_texts(folder / results.name) if Path(results.name).name == results.name else "",
    )  # fmt: skip


def _bar(name: str, score: _Score) -> Bar:
    interval = None if score.interval is None else (score.interval[0] / 100, score.interval[1] / 100)
    return Bar(name, None if score.percent is None else score.percent / 100, interval)


def _unjudged(results: _Results) -> str:
    unjudged, missing = results.counts["unjudged"], results.counts["missing_tasks"]
    if not unjudged and not missing:
        return "<p>Every sample was judged.</p>"
    bounds = ""
    if results.bounds is not None:
        bounds = (
            f" Over all tasks pass@1 would be {said(results.bounds[0])} if all that were wrong, and "
            f"{said(results.bounds[1])} if all that were right."
        )
    samples = number(results.counts["samples"])
    return (
        f'<p class="warning">Not judged: {number(unjudged)} of {samples} samples; tasks without an answer: '
        f"{number(missing)}. They are left out of the scores, neither right nor wrong.{bounds}</p>"
    )


def _published(stem: str, results: _Results, config: Mapping[str, Any], label: str) -> str:
    """The scores that were published, with the warning that belongs to them."""
    if not results.published:
        return "<p>The manifest carries no published figures for this benchmark.</p>"
    limit = config.get("limit")
    only = f" Here only the first {text(limit)} tasks were asked." if limit else ""
    rows = [(f"{model} (published)", share(percent)) for model, percent in results.published.items()]
    return (
        table(f"{stem}published", "Published figures, not measured here", ("Model", "pass@1, %"), rows)
        + f"<p>{text(label[:1].upper() + label[1:])}. They were measured elsewhere, on the whole benchmark and with "
        + f"settings of their own.{only}</p>"
    )


def _counted(results: _Results) -> Iterator[tuple[str, Any]]:
    yield from ((name, results.counts[key]) for key, name in _COUNTS.items())
    if results.bounds is not None:
        yield "pass@1 over all tasks with all not judged wrong, %", share(results.bounds[0])
        yield "pass@1 over all tasks with all not judged right, %", share(results.bounds[1])
    if results.wilson is not None:
        yield "Wilson’s interval of pass@1, from, %", share(results.wilson[0])
        yield "Wilson’s interval of pass@1, to, %", share(results.wilson[1])


def _monologues(stem: str, steps: _Steps | None) -> str:
    if steps is None:
        return "<p>No monologues were checked: their claims are not asked for here.</p>"
    faultless = share(steps.no_false_claim)
    told = [
        ("True part of the claims before the first false one, %", share(steps.true_part.percent)),
        (
            "Texts with claims of which none is false, %",
            faultless if steps.counts["with_claims"] else "no text has claims",
        ),
        ("Texts", steps.counts["texts"]),
        ("Texts with claims", steps.counts["with_claims"]),
        ("Right answers although a claim is false", steps.counts["right_with_false_claim"]),
    ]
    title = f"How far monologues in the style {steps.style} are true"
    unit = "claims before the first false one, % of all of a text, with 95 % intervals over tasks"
    return interval_bars(title, unit, [_bar("true part", steps.true_part)]) + table(
        f"{stem}claims", "Claims of monologues", ("What", "Value"), told
    )


def _by_construct(stem: str, results: _Results) -> str:
    if not results.constructs:
        return "<p>There are no scores by construct.</p>"
    rows = [
        (name, number_of, share(score.percent), ends(score.interval))
        for name, (number_of, score) in results.constructs.items()
    ]
    heads = ("Construct", "Tasks", "pass@1, %", _INTERVAL)
    shown = [
        _bar(f"{name} ({number(number_of)})", score)
        for name, (number_of, score) in list(results.constructs.items())[:_CONSTRUCTS]
    ]
    overall = results.scores[0].percent
    marks = [] if overall is None else [(f"all of {results.name}", overall / 100)]
    title = f"pass@1 on {results.name}, by construct in the code"
    unit = "right answers, % of the tasks with the construct (how many), with 95 % intervals over tasks"
    return columns(
        interval_bars(title, unit, shown, marks), table(f"{stem}constructs", title, heads, rows), kind="beside"
    )


def _reading() -> str:
    return section(
        "reading",
        "How to read the figures",
        "<p>pass@k is the chance that of k samples of a task at least one is right, averaged over tasks. Intervals are "
        "over tasks (a bootstrap; Wilson’s where all tasks or none are right): they say how much would change with "
        "other tasks of the kind, not with another seed. Constructs overlap, and few tasks make wide intervals.</p>",
        "<p>Published figures have hollow bars and no intervals. A published figure and one measured here differ in "
        "more than the model: the settings, the wording, and perhaps the tasks.</p>",
    )


def _asked(manifest: Mapping[str, Any], found: Sequence[_Results]) -> str:
    """Model, wording, sampling and seeds."""
    config = manifest["config"]
    profile = config.get("profile")
    told: dict[str, Any] = {
        "Model" if config.get("model") else "File of answers": _who(config),
        "Profile": profile.get("name", "unnamed") if isinstance(profile, dict) else profile,
        "Style": config.get("style") or "none: answers alone",
        "Samples a task": config.get("n"),
        "Temperature": config.get("temperature"),
        "Top-p": config.get("top_p"),
        "Longest text, tokens": config.get("max_tokens"),
        "Tasks": f"the first {config['limit']}" if config.get("limit") else "all",
    }
    for name in dict.fromkeys(key for results in found for key in results.seeds):
        values = dict.fromkeys(str(results.seeds.get(name)) for results in found if results.seeds.get(name) is not None)
        told[f"Seed of {name}"] = ", ".join(values) or None
    return section("asked", "What was asked", facts(told))

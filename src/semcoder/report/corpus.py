"""The page of a corpus: what was built, from what, and some of its monologues to walk through.

Guarantees: no text from a program, a model or the folder's files can become markup or code (tables are escaped,
everything else is JSON that the stepper writes as text); figures about rows are counted from the rows.
It does not run or check anything again: verdicts are those that the corpus stores.
"""

from __future__ import annotations

import json
import statistics
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from semcoder.core import Monologue, Program, Sample, load
from semcoder.errors import InputError
from semcoder.report.html import bars, embed, is_number, made_of, most, number, page, read_json, table, text
from semcoder.report.shape import monologue_shape, stepper_shape
from semcoder.tracing import Trace

TITLE = "SemCoder corpus report"
_LABELS = {
    "programs_seen": "Programs seen",
    "programs_kept": "Programs kept",
    "cases": "Cases (a program and a call)",
    "monologues": "Monologues",
    "claims_checked": "Claims checked",
    "claims_false": "Claims false",
}
#: Tables of counts that a manifest may have beside the others: caption and heading.
_MORE_TABLES = {
    "dropped_monologues": ("Monologues dropped, by reason", ("Reason", "Dropped")),
    "found_by": ("How inputs were found for backward monologues", ("Method", "Found")),
}
_MADE_BY = "a finished `semcoder build`"


# -- reading the folder


def _manifest(path: Path) -> dict[str, Any]:
    """The manifest with its parts checked: numbers where numbers must be."""
    doc = read_json(path, _MADE_BY)
    for key in ("config", "versions", "counts", "drops"):
        if not isinstance(doc.get(key), dict):
            raise InputError(f"{path}: {key!r} must be an object, got {type(doc.get(key)).__name__}")
    for key in ("figures", *_MORE_TABLES):
        doc.setdefault(key, {})
    counts = doc["counts"]
    row_counts = counts.get("rows", {})
    for key, entries in (
        ("counts.rows", row_counts),
        *((key, doc[key]) for key in ("drops", "figures", *_MORE_TABLES)),
    ):
        if not isinstance(entries, dict):
            raise InputError(f"{path}: {key!r} must be an object, got {type(entries).__name__}")
        for name, value in entries.items():
            if not is_number(value) and not (key == "figures" and value is None):
                raise InputError(f"{path}: {key}[{name!r}] must be a number, got {type(value).__name__}")
    for name, value in counts.items():
        if name != "rows" and not is_number(value):
            raise InputError(f"{path}: counts[{name!r}] must be a number, got {type(value).__name__}")
    missing = [name for name in _LABELS if name not in counts]
    if missing:
        raise InputError(f"{path}: not the manifest of `semcoder build` (counts lack {', '.join(missing)})")
    return doc


@dataclass
class _Rows:
    """What the row files hold, counted: rows by kind, characters of their responses, licences and projects."""

    kinds: Counter[str] = field(default_factory=Counter)
    lengths: dict[str, list[int]] = field(default_factory=dict)
    licences: Counter[str] = field(default_factory=Counter)
    projects: Counter[str] = field(default_factory=Counter)
    files: int = 0


def _count_rows(folder: Path) -> _Rows:
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder; is this the output folder of a finished `semcoder build`?")
    rows = _Rows()
    for path in sorted(folder.glob("*.jsonl")):
        rows.files += 1
        for row in _read_rows(path):
            kind = "forward" if row.fwd_mnl else "backward" if row.bwd_mnl else "repair" if row.fault else "nl"
            rows.kinds[kind] += 1
            rows.lengths.setdefault(kind, []).append(len(row.response))
            if row.program is not None:
                rows.licences[row.program.license] += 1
                rows.projects[row.program.origin.project or row.program.origin.source] += 1
    return rows


def _read_rows(path: Path) -> Iterator[Sample]:
    try:
        with path.open("rb") as lines:
            for number, line in enumerate(lines, 1):
                where = f"{path}:{number}"
                try:
                    doc = json.loads(line)
                except (ValueError, RecursionError) as error:
                    raise InputError(f"{where}: not a JSON row: {error}") from None
                yield load(Sample, doc, where)
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from None


def _samples(path: Path) -> Iterator[dict[str, Any]]:
    """What the page's script draws, per sample of the showcase."""
    samples = read_json(path, _MADE_BY).get("samples")
    if not isinstance(samples, list):
        raise InputError(f"{path}: 'samples' must be a list, got {type(samples).__name__}")
    for k, doc in enumerate(samples):
        where = f"{path}: samples[{k}]"
        if not isinstance(doc, dict):
            raise InputError(f"{where}: expected a JSON object, got {type(doc).__name__}")
        yield _sample(doc, where)


def _sample(doc: dict[str, Any], where: str) -> dict[str, Any]:
    program = load(Program, doc.get("program"), f"{where}.program")
    forward = load(Monologue, doc.get("forward"), f"{where}.forward")
    backward = None if doc.get("backward") is None else load(Monologue, doc["backward"], f"{where}.backward")
    trace_doc = doc.get("trace")
    if not isinstance(trace_doc, dict):
        raise InputError(f"{where}.trace: expected a JSON object, got {type(trace_doc).__name__}")
    try:
        trace = Trace.from_wire(trace_doc)
        if trace.source != program.source:
            raise InputError(f"the trace is of another source than the program {program.id}")
        stepper = stepper_shape(trace, forward)
    except InputError as error:
        raise InputError(f"{where}.trace: {error}") from None
    except (SyntaxError, ValueError, TypeError, LookupError, AttributeError, RecursionError) as error:
        raise InputError(f"{where}.trace: does not fit its source: {type(error).__name__}: {error}") from None
    origin = program.origin
    return {
        "entry": program.entry,
        "call": str(doc.get("call", stepper["call"])),
        "stepper": stepper,
        "backward": None if backward is None else monologue_shape(backward),
        "provenance": {
            "Project": origin.project or "none given",
            "Version": origin.version or "none given",
            "Path": origin.path or "none given",
            "Line": str(origin.line) if origin.line else "none given",
            "Licence": program.license,
            "Found by": origin.source,
            "Program": program.id,
            "Python": trace.python,
        },
    }


# -- writing the page


def corpus_page(folder: Path) -> str:
    """The page of a finished corpus. Raises `InputError`."""
    manifest = _manifest(folder / "manifest.json")
    rows = _count_rows(folder / "rows")
    samples = list(_samples(folder / "showcase.json"))
    body = "\n".join([*_head(), *_counts(manifest, rows), *_about_rows(rows), *_figures(manifest)])
    shown = f"""<section id="samples" aria-labelledby="samples-title">
<h2 id="samples-title">Samples</h2>
<p>{_samples_intro(len(samples))}</p>
<noscript><p>The samples are drawn by this page's own script; turn JavaScript on to see them.</p></noscript>
<nav id="sample-list" aria-label="Samples"></nav>
<div id="sample-articles"></div>
</section>"""
    made = made_of(
        manifest["versions"],
        "Configuration hash",
        manifest.get("config_hash", "none"),
        "Configuration",
        manifest["config"],
    )
    return page(
        TITLE,
        "\n".join([body, shown, made]),
        script="stepper.js report.js",
        skip=("samples", "Skip to the samples"),
        after=f'<script type="application/json" id="samples-data">{embed(samples)}</script>\n',
    )


def _label(name: str) -> str:
    return text(_LABELS.get(name) or name.replace("_", " ").capitalize())


def _head() -> list[str]:
    return [
        f"<h1>{TITLE}</h1>",
        '<p class="lead">This is a corpus of Python programs that were run, with monologues that tell in plain English '
        "what each run did, step by step. Every claim in a monologue about a value, a branch or an order was held "
        "against a recording of the execution, and carries the verdict: ✓ true, ✗ false, ? could not be checked.</p>",
    ]


def _counts(manifest: Mapping[str, Any], rows: _Rows) -> list[str]:
    counts, drops = manifest["counts"], manifest["drops"]
    others = [name for name in counts if name not in _LABELS and name != "rows"]
    stated = counts.get("rows", {})
    pairs = [(_label(name), number(counts[name])) for name in [*_LABELS, *others]]
    pairs += [(f"Rows: {text(_ROW_KINDS.get(kind, kind)).lower()}", number(value)) for kind, value in stated.items()]
    seen = counts["programs_seen"]
    funnel: list[tuple[str, int | float]] = [("Programs seen", seen), ("Programs kept", counts["programs_kept"])]
    out = ["<section aria-labelledby='counts-title'><h2 id='counts-title'>Counts</h2><div class='columns'>"]
    out += ["<div>", table("What the run counted", ("What", "Count"), pairs)]
    out += [bars("Yield", ("Stage", "Programs"), funnel, seen), "</div><div>"]
    if drops:
        caption = f"Dropped, by reason ({number(sum(drops.values()))} in all)"
        out.append(bars(caption, ("Reason", "Dropped"), most(drops), sum(drops.values())))
    else:
        out.append("<p>Nothing was dropped.</p>")
    for key, (caption, heads) in _MORE_TABLES.items():
        if manifest[key]:
            out.append(bars(caption, heads, most(manifest[key]), sum(manifest[key].values())))
    out.append("</div></div>")
    differ = [
        f"{number(stated.get(kind, 0))} {text(kind)} rows stated, {number(rows.kinds.get(kind, 0))} found"
        for kind in sorted({*stated, *rows.kinds})
        if stated.get(kind, 0) != rows.kinds.get(kind, 0)
    ]
    if differ and stated:
        out.append(f'<p class="warning" role="note">The row files differ from the manifest: {"; ".join(differ)}.</p>')
    return [*out, "</section>"]


_ROW_KINDS = {"nl": "Description to code", "forward": "Forward monologue", "backward": "Backward monologue"}


def _about_rows(rows: _Rows) -> list[str]:
    total = sum(rows.kinds.values())
    out = ["<section aria-labelledby='rows-title'><h2 id='rows-title'>Rows</h2>"]
    files = "file" if rows.files == 1 else "files"
    out.append(f"<p>Counted from the rows themselves: {number(total)} rows in {rows.files} {files}.</p>")
    if total:
        body = "".join(
            f'<tr><th scope="row">{_ROW_KINDS[kind]}</th><td class="number">{number(rows.kinds[kind])}</td>'
            + "".join(f'<td class="number">{number(n)}</td>' for n in _spread(rows.lengths[kind]))
            + "</tr>"
            for kind in _ROW_KINDS
            if rows.kinds[kind]
        )
        heads = "".join(
            f'<th scope="col" class="number">{h}</th>' for h in ("Rows", "Median", "90th percentile", "Longest")
        )
        out.append(
            '<div class="scroll" tabindex="0" role="region" aria-label="Rows and their lengths"><table class="figures">'
            "<caption>Kinds of rows; lengths of their responses in characters</caption><thead>"
            f'<tr><th scope="col">Kind</th>{heads}</tr></thead><tbody>{body}</tbody></table></div>'
        )
        out.append('<div class="columns">')
        if rows.licences:
            out.append(bars("Licences", ("Licence", "Rows"), most(rows.licences), total))
        if rows.projects:
            out.append(bars("Projects", ("Project", "Rows"), most(rows.projects), total))
        out.append("</div>")
    return [*out, "</section>"]


def _spread(lengths: list[int]) -> tuple[int, int, int]:
    """Median, 90th percentile (nearest rank) and longest."""
    ranked = sorted(lengths)
    return int(statistics.median(ranked)), ranked[-(-9 * len(ranked) // 10) - 1], ranked[-1]


def _figures(manifest: Mapping[str, Any]) -> list[str]:
    figures = manifest["figures"]
    if not figures:
        return []
    pairs = [(_label(name), number(value)) for name, value in figures.items()]
    measured = table("Measured by the run", ("Figure", "Value"), pairs)
    return [f"<section aria-labelledby='figures-title'><h2 id='figures-title'>Figures</h2>{measured}</section>"]


def _samples_intro(count: int) -> str:
    if not count:
        return "This corpus came with no samples to show."
    return (
        "Walk each run with the slider, the buttons, or the left and right arrow keys (Home and End for the two ends). "
        "▶ marks the current line, ● a variable that just changed, + one that is new, − one that is gone. "
        "A sentence of the monologue takes you to its step."
    )

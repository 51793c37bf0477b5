"""The page of a corpus: what was built, from what, what was lost where, and some of its monologues to walk through.

Guarantees: no text from a program, a model or the folder's files can become markup or code (tables are escaped,
everything else is JSON that the stepper writes as text); figures about rows and programs are counted from the rows and
the programs. It does not run or check anything again: verdicts are those that the corpus stores. A folder without
`programs.jsonl`, or whose manifest does not tell stages and constructs, has a page without what is told from them.
"""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from semcoder.core import Monologue, Program, Sample, load
from semcoder.errors import InputError
from semcoder.report.charts import Bar, counted_bars, histogram
from semcoder.report.html import (
    Cell,
    Column,
    bars,
    columns,
    embed,
    heat,
    is_number,
    keys,
    many,
    most,
    number,
    page,
    read_json,
    section,
    table,
    text,
)
from semcoder.report.provenance import build_command, provenance
from semcoder.report.reading import lines_of, row_of
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
#: Tables of counts that a manifest may have beside the others: CSV, caption and heading.
_MORE_TABLES = {
    "dropped_monologues": ("dropped-monologues", "Monologues left out, by reason", ("Reason", "Left out")),
    "found_by": ("inputs-found", "How inputs were found for backward monologues", ("Method", "Found")),
}
#: By the stages of a manifest: what is left after each.
_STAGES = {
    "collecting": "Worth running, by their text",
    "cleaning": "Neither copies nor a benchmark’s",
    "running": "Kept, by what they did when run",
}
#: Reasons that a figure names by themselves; tables name all.
_NAMED = 6
#: How many of them the heat map has columns for.
_ENDS = 6
_KEPT, _ALL = "kept", "all programs"
#: Parts of a program's lines or branches: from, and what it is called.
_BANDS = ((1.0, "all of them"), (0.9, "90 % and more"), (0.75, "75 to 90 %"), (0.5, "50 to 75 %"), (0.0, "under 50 %"))
_ROW_KINDS = {
    "nl": "Description to code",
    "forward": "Forward monologue",
    "backward": "Backward monologue",
    "repair": "Repair",
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
    for key in ("stages", "constructs"):
        _check_groups(doc.setdefault(key, {}), f"{path}: {key}")
    for name, value in counts.items():
        if name != "rows" and not is_number(value):
            raise InputError(f"{path}: counts[{name!r}] must be a number, got {type(value).__name__}")
    missing = [name for name in _LABELS if name not in counts]
    if missing:
        raise InputError(f"{path}: not the manifest of `semcoder build` (counts lack {', '.join(missing)})")
    return doc


def _check_groups(groups: Any, where: str) -> None:
    """Raises `InputError` but for an object of objects of counts."""
    if not isinstance(groups, dict):
        raise InputError(f"{where}: expected an object, got {type(groups).__name__}")
    for name, entries in groups.items():
        if not isinstance(entries, dict):
            raise InputError(f"{where}[{name!r}]: expected an object, got {type(entries).__name__}")
        for end, value in entries.items():
            if not isinstance(value, int) or isinstance(value, bool):
                raise InputError(f"{where}[{name!r}][{end!r}]: expected a count, got {type(value).__name__}")


@dataclass
class _Rows:
    """What the row files hold, counted: rows by kind, characters of their responses, licences and projects."""

    kinds: Counter[str] = field(default_factory=Counter)
    lengths: dict[str, list[int]] = field(default_factory=dict)
    licences: Counter[str] = field(default_factory=Counter)
    projects: Counter[str] = field(default_factory=Counter)
    files: int = 0


@dataclass
class _Programs:
    """What the kept programs are like: parts of their lines and branches that were run, and statements of each case."""

    shares: dict[str, list[float]] = field(default_factory=lambda: {"lines": [], "branches": []})
    steps: list[int] = field(default_factory=list)


def _read_programs(path: Path) -> _Programs | None:
    """None where there is no such file."""
    found = _Programs()
    if not path.exists():
        return None
    for where, line in lines_of(path):
        row = row_of(line, where)
        try:
            covered = row["coverage"]["by_all"]
            for what, shares in found.shares.items():
                if covered[what]:
                    shares.append(covered[f"{what}_hit"] / covered[what])
            found.steps += [int(case["steps"]) for case in row["cases"]]
        except (KeyError, TypeError, ValueError, IndexError):
            raise InputError(f"{where}: not a program with its cases and coverage") from None
    return found


def _count_rows(folder: Path) -> _Rows:
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder; is this the output folder of a finished `semcoder build`?")
    rows = _Rows()
    for path in sorted(folder.glob("*.jsonl")):
        rows.files += 1
        for row in _read_rows(path):
            rows.kinds[row.kind] += 1
            rows.lengths.setdefault(row.kind, []).append(len(row.response))
            if row.program is not None:
                rows.licences[row.program.license] += 1
                rows.projects[row.program.origin.project or row.program.origin.source] += 1
    return rows


def _read_rows(path: Path) -> Iterator[Sample]:
    for where, line in lines_of(path):
        yield load(Sample, row_of(line, where), where)


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
    path = folder / "manifest.json"
    manifest = _manifest(path)
    rows = _count_rows(folder / "rows")
    programs = _read_programs(folder / "programs.jsonl")
    samples = list(_samples(folder / "showcase.json"))
    shown = f"""<p>{_samples_intro(len(samples))}</p>
<noscript><p>The samples are drawn by this page's own script; turn JavaScript on to see them.</p></noscript>
<nav id="sample-list" aria-label="Samples"></nav>
<div id="sample-articles"></div>"""
    body = [
        *_head(manifest, rows),
        _yield(manifest),
        _constructs(manifest["constructs"]),
        *([] if programs is None else [_coverage(programs)]),
        _about_rows(manifest, rows, programs),
        section("samples", "Samples", shown),
        _counts(manifest),
        provenance(path, manifest, build_command(), data=_sources(folder, manifest), more=_licences(rows)),
    ]
    return page(
        TITLE,
        "\n".join(filter(None, body)),
        script="stepper.js report.js",
        skip=("samples-title", "Skip to the samples"),
        after=f'<script type="application/json" id="samples-data">{embed(samples)}</script>\n',
    )


def _label(name: str) -> str:
    return _LABELS.get(name) or name.replace("_", " ").capitalize()


def _head(manifest: Mapping[str, Any], rows: _Rows) -> list[str]:
    counts = manifest["counts"]
    told = [
        (counts["programs_seen"], "programs found"),
        (counts["programs_kept"], "programs kept"),
        (counts["cases"], "cases: a program and a call"),
        (sum(rows.kinds.values()), "rows"),
        (counts["claims_checked"], "claims checked"),
        (counts["claims_false"], "of them false"),
    ]
    return [
        f"<h1>{TITLE}</h1>",
        '<p class="lead">This is a corpus of Python programs that were run, with monologues that tell in plain English '
        "what each run did, step by step. Every claim in a monologue about a value, a branch or an order was held "
        "against a recording of the execution, and carries the verdict: ✓ true, ✗ false, ? could not be checked.</p>",
        keys(told),
    ]


# -- what was lost


def _yield(manifest: Mapping[str, Any]) -> str:
    counts, drops = manifest["counts"], manifest["drops"]
    seen, kept = counts["programs_seen"], counts["programs_kept"]
    part = f" ({100 * kept / seen:.1f} %)" if seen else ""
    title = f"Of {number(seen)} programs found, {number(kept)} are kept{part}"
    figure = counted_bars(title, "programs, and why the others were dropped", _funnel(manifest), seen)
    listed = _drop_table(manifest) if drops else "<p>Nothing was dropped.</p>"
    return section("yield", "Yield", columns(figure, listed, kind="beside"))


def _funnel(manifest: Mapping[str, Any]) -> list[Bar]:
    """What is left stage by stage, and between the stages what was lost and why."""
    seen = manifest["counts"]["programs_seen"]
    stages = manifest["stages"] or {"running": manifest["drops"]}
    left, found = seen, [Bar("Found in the sources", seen, words=_part(seen, seen), strong=True)]
    for stage, reasons in stages.items():
        for reason, lost in _named(reasons):
            left -= lost
            found.append(Bar(reason, lost, start=left, words=f"− {number(lost)}"))
        found.append(Bar(_STAGES.get(stage, stage), left, words=_part(left, seen), strong=True))
    return found


def _part(count: int | float, whole: int | float) -> str:
    return f"{number(count)} ({100 * count / whole:.1f} %)" if whole else number(count)


def _named(reasons: Mapping[str, int | float]) -> list[tuple[str, int | float]]:
    """The commonest reasons, and all others as one."""
    ranked = sorted(reasons.items(), key=lambda pair: (-pair[1], pair[0]))
    rest = ranked[_NAMED:]
    if len(rest) < 2:
        return ranked
    return [*ranked[:_NAMED], (many(len(rest), "other reason"), sum(lost for _, lost in rest))]


def _drop_table(manifest: Mapping[str, Any]) -> str:
    drops = manifest["drops"]
    whole, seen = sum(drops.values()), manifest["counts"]["programs_seen"]
    stages = manifest["stages"] or {"": drops}
    rows = [
        (
            reason,
            lost,
            Cell(100 * lost / seen if seen else None, f"{100 * lost / seen:.1f}" if seen else "–"),
            stage or "–",
        )
        for stage, reasons in stages.items()
        for reason, lost in reasons.items()
    ]
    rows.sort(key=lambda row: (-row[1], row[0]))
    heads = ("Reason", "Dropped", "% of found", Column("While", number=False))
    return table("drops", f"Dropped, by reason ({number(whole)} in all)", heads, rows)


def _constructs(groups: Mapping[str, Mapping[str, int]]) -> str:
    """What became of the programs that were run, by construct: shares of each row."""
    whole = groups.get(_ALL, {})
    if not whole:
        return ""
    reasons = [end for end, _ in Counter({end: n for end, n in whole.items() if end != _KEPT}).most_common()]
    named = [_KEPT, *reasons[:_ENDS]]
    rest = reasons[_ENDS:]
    told = [*named, *(["other reasons"] if rest else [])]
    heads: list[str | Column] = ["Construct", "Programs run", *(Column(end, unit=", %") for end in told)]
    ranked = sorted(groups.items(), key=lambda group: (group[0] != _ALL, -sum(group[1].values()), group[0]))
    rows = [(name, sum(ends.values()), *_shares(ends, named, rest)) for name, ends in ranked]
    return section(
        "constructs",
        "Constructs",
        "<p>Of the programs that were run, how many were kept, and why others were not, by what their code is made of. "
        "Each row adds up to 100 % of the programs with that construct; a program stands in every row that it has a "
        "construct of.</p>",
        table("constructs", "What became of the programs that were run, % of each row", heads, rows),
    )


def _shares(ends: Mapping[str, int], named: Sequence[str], rest: Sequence[str]) -> list[Cell]:
    whole = sum(ends.values())
    counts = [ends.get(end, 0) for end in named] + ([sum(ends.get(end, 0) for end in rest)] if rest else [])
    return [heat(100 * count / whole if whole else None) for count in counts]


# -- what is there


def _coverage(programs: _Programs) -> str:
    figures = []
    for what, shares in programs.shares.items():
        if not shares:
            continue
        whole = sum(share >= 1 for share in shares)
        title = f"{number(whole)} of {number(len(shares))} programs have all their {what} run"
        unit = f"programs, by the part of their {what} that their calls run together; on average {_mean(shares)} %"
        bands = [Bar(name, count, words=_part(count, len(shares))) for name, count in _banded(shares)]
        figures.append(counted_bars(title, unit, bands, len(shares)))
    return section("coverage", "Coverage", columns(*figures)) if figures else ""


def _mean(shares: Sequence[float]) -> str:
    return f"{100 * statistics.mean(shares):.1f}"


def _banded(shares: Sequence[float]) -> list[tuple[str, int]]:
    counts = Counter(next(name for least, name in _BANDS if share >= least) for share in shares)
    return [(name, counts[name]) for _, name in _BANDS]


def _about_rows(manifest: Mapping[str, Any], rows: _Rows, programs: _Programs | None) -> str:
    total = sum(rows.kinds.values())
    files = "file" if rows.files == 1 else "files"
    out = [
        f"<p>Counted from the rows themselves: {number(total)} rows in {rows.files} {files}.</p>",
        _differing(manifest, rows),
    ]
    kinds = [kind for kind in _ROW_KINDS if rows.kinds[kind]]
    if kinds:
        heads = ("Kind", "Rows", "Median", "90th percentile", "Longest")
        cells = [(_ROW_KINDS[kind], rows.kinds[kind], *_spread(rows.lengths[kind])) for kind in kinds]
        out.append(table("rows", "Kinds of rows; lengths of their responses in characters", heads, cells))
        reach = max(_spread(rows.lengths[kind])[1] for kind in kinds)
        figures = [_length(kind, rows.lengths[kind], reach) for kind in kinds]
        if programs is not None and programs.steps:
            middle = number(statistics.median(programs.steps))
            title = f"Half of the cases run {middle} statements or fewer"
            most_steps = sorted(programs.steps)[-(-97 * len(programs.steps) // 100) - 1]
            figures.append(histogram(title, "statements run", "cases", programs.steps, float(most_steps)))
        out.append(columns(*figures))
    return section("rows", "Rows", *out)


def _length(kind: str, lengths: Sequence[int], reach: int) -> str:
    title = f"{_ROW_KINDS[kind]}: half have {number(round(statistics.median(lengths)))} characters or fewer"
    return histogram(title, "characters of the response", "rows", lengths, float(reach))


def _differing(manifest: Mapping[str, Any], rows: _Rows) -> str:
    stated = manifest["counts"].get("rows", {})
    differ = [
        f"{number(stated.get(kind, 0))} {text(kind)} rows stated, {number(rows.kinds.get(kind, 0))} found"
        for kind in sorted({*stated, *rows.kinds})
        if stated.get(kind, 0) != rows.kinds.get(kind, 0)
    ]
    if not differ or not stated:
        return ""
    return f'<p class="warning" role="note">The row files differ from the manifest: {"; ".join(differ)}.</p>'


def _spread(lengths: list[int]) -> tuple[int, int, int]:
    """Median, 90th percentile (nearest rank) and longest."""
    ranked = sorted(lengths)
    return int(statistics.median(ranked)), ranked[-(-9 * len(ranked) // 10) - 1], ranked[-1]


def _counts(manifest: Mapping[str, Any]) -> str:
    counts, figures = manifest["counts"], manifest["figures"]
    others = [name for name in counts if name not in _LABELS and name != "rows"]
    pairs = [(_label(name), counts[name]) for name in [*_LABELS, *others]]
    pairs += [(f"Rows: {_ROW_KINDS.get(kind, kind).lower()}", value) for kind, value in counts.get("rows", {}).items()]
    tables = [table("counts", "What the run counted", ("What", "Count"), pairs)]
    if figures:
        measured = [(_label(name), value) for name, value in figures.items()]
        tables.append(table("figures", "Measured by the run", ("Figure", "Value"), measured))
    for key, (name, caption, heads) in _MORE_TABLES.items():
        if manifest[key]:
            tables.append(bars(name, caption, heads, most(manifest[key]), sum(manifest[key].values())))
    return section("counts", "Counts and figures", columns(*tables))


# -- where it is from


def _sources(folder: Path, manifest: Mapping[str, Any]) -> dict[str, Any]:
    """The state of each source, as the build found it; without `config.json`, their names alone."""
    path = folder / "config.json"
    begun = read_json(path, _MADE_BY).get("sources") if path.exists() else None
    if isinstance(begun, dict) and begun:
        return begun
    named = manifest["config"].get("sources")
    return dict.fromkeys(map(str, named), "state not kept") if isinstance(named, list) else {}


def _licences(rows: _Rows) -> str:
    total = sum(rows.kinds.values())
    return columns(
        bars("licences", "Licences of the rows’ programs", ("Licence", "Rows"), most(rows.licences), total)
        if rows.licences
        else "",
        bars("projects", "Projects that they come from", ("Project", "Rows"), most(rows.projects), total)
        if rows.projects
        else "",
    )


def _samples_intro(count: int) -> str:
    if not count:
        return "This corpus came with no samples to show."
    return (
        "Walk each run with the slider, the buttons, or the left and right arrow keys (Home and End for the two ends), "
        "once something in it has the focus. "
        "▶ marks the current line, ● a variable that just changed, + one that is new, − one that is gone. "
        "A sentence of the monologue takes you to its step."
    )

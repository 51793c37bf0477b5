"""What all pages share: the shell of a self-contained page, escaped text, tables with their CSV, reading JSON files.

Guarantees: a page needs no network and nothing beside it; a content security policy admits its own script and style by
hash only; whatever goes through `text`, `number`, `table`, `bars`, `heat` or `embed` cannot become markup or code.
Every table carries its cells as CSV in a `data:` link, numbers whole, and can be sorted where scripts run.
Missing or malformed input raises `InputError`, one line that names the file and the place.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import html
import io
import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from semcoder.errors import InputError

#: How many entries of a ranked table are named before the rest is summed up.
_TOP = 20
#: Control and direction characters, which could make text look like what it is not; the stepper's script has them too.
_UNSEEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")
#: What a spreadsheet would take for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
#: Shades of a heat map, beside none.
_SHADES = 8


# -- reading


def read_json(path: Path, made_by: str) -> dict[str, Any]:
    """The object in a file. `made_by`: whose output folder this should be."""
    try:
        doc = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise InputError(f"{path}: no such file; is this the output folder of {made_by}?") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: not JSON: {error}") from None
    if not isinstance(doc, dict):
        raise InputError(f"{path}: expected a JSON object, got {type(doc).__name__}")
    return doc


def is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


# -- a page


def page(title: str, body: str, *, script: str = "", skip: tuple[str, str] = ("", ""), after: str = "") -> str:
    """A whole page. `body`: a heading, a lead, and sections, which are listed in front of the first; `script`: names of
    static files, run as one module before the one that sorts tables; `skip`: where a link at the top leads, and its
    words; `after`: markup behind the main part."""
    style = static("page.css")
    code = "\n".join(static(name) for name in (*script.split(), "tables.js"))
    policy = f"default-src 'none'; script-src '{_hash(code)}'; style-src '{_hash(style)}'; base-uri 'none'"
    link = f'<a class="skip" href="#{skip[0]}">{skip[1]}</a>\n' if skip[0] else ""
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
{link}<main>
{_with_contents(body)}
</main>
{after}<script type="module">{code}</script>
</body>
</html>
"""


def _with_contents(body: str) -> str:
    """The body with a list of its sections in front of them."""
    heads = re.findall(r"<h2 id='([a-z0-9-]+)-title'>(.*?)</h2>", body)
    front, first, rest = body.partition("<section")
    items = "".join(f'<li><a href="#{name}-title">{words}</a></li>' for name, words in heads)
    return f'{front}<nav class="contents" aria-label="On this page"><ul>{items}</ul></nav>\n{first}{rest}'


def static(name: str) -> str:
    return resources.files("semcoder.report").joinpath("static", name).read_text(encoding="utf-8")


def _hash(content: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()


def embed(doc: Any) -> str:
    """JSON that may stand in a script element: no `<`, `>` or `&`, ASCII only. Raises ValueError on NaN."""
    content = json.dumps(doc, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    return content.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


# -- text


def text(value: Any) -> str:
    """Escaped text; what cannot be seen, and what UTF-8 cannot hold (a lone surrogate), is written as an escape."""
    return html.escape(_visible(str(value)))


def _visible(words: str) -> str:
    sound = words.encode("utf-8", "backslashreplace").decode()
    return _UNSEEN.sub(lambda found: f"\\u{ord(found[0]):04x}", sound)


def number(value: Any) -> str:
    """Thousands apart, four significant digits after a point; None is "not judged", never 0."""
    if value is None or math.isnan(value):
        return "not judged"
    return f"{value:,}" if isinstance(value, int) else f"{value:,.4g}" if abs(value) < 1e4 else f"{value:,.0f}"


def many(count: int, word: str) -> str:
    """A count with its noun."""
    return f"{number(count)} {word}" if count == 1 else f"{number(count)} {word}s"


def section(name: str, heading: str, *parts: str) -> str:
    """A section under a heading. `name`: of the anchor, lower-case letters, digits and hyphens."""
    body = "\n".join(filter(None, parts))
    return f"<section aria-labelledby='{name}-title'><h2 id='{name}-title'>{heading}</h2>\n{body}\n</section>"


def columns(*parts: str, kind: str = "columns") -> str:
    """Parts side by side where there is room. `kind`: columns as wide, a figure with what stands "beside" it, or small
    "multiples"."""
    inner = "".join(f"<div>{part}</div>" for part in parts if part)
    return f'<div class="{kind}">{inner}</div>' if inner else ""


def keys(pairs: Iterable[tuple[Any, str]]) -> str:
    """The few figures to know: numbers, or words, each with what it is of."""
    items = (
        f"<div><dt>{text(what)}</dt><dd>{text(value if isinstance(value, str) else _brief(value))}</dd></div>"
        for value, what in pairs
    )
    return f'<dl class="keys">{"".join(items)}</dl>'


def _brief(value: float) -> str:
    return number(value) if isinstance(value, int) else f"{value:,.3g}" if abs(value) < 1e3 else f"{value:,.0f}"


def facts(pairs: Mapping[str, Any], *, code: bool = False) -> str:
    """Names and what they are; None is "none"."""
    shown = {name: text("none" if value is None else value) for name, value in pairs.items()}
    listed = "".join(
        f"<dt>{text(name)}</dt><dd>{f'<code>{value}</code>' if code else value}</dd>" for name, value in shown.items()
    )
    return f'<dl class="facts">{listed}</dl>'


# -- tables


@dataclass(frozen=True, slots=True)
class Column:
    """A column. `ends`: its cells hold two numbers, which are two columns of the CSV; `unit`: what only the CSV names,
    where the caption does."""

    name: str
    number: bool = True
    ends: bool = False
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell whose words are not simply its value. `value`: by what it is sorted, and what the CSV has."""

    value: str | float | tuple[float, float] | None
    words: str
    shade: int = -1


def share(percent: float | None) -> Cell:
    """A cell of a percentage; None was not judged."""
    return Cell(percent, "not judged" if percent is None else f"{percent:.1f}")


def signed(value: float, form: str = ".1f") -> str:
    """A number with a minus sign, where it is below 0."""
    return f"{value:{form}}".replace("-", "−")


def ends(pair: tuple[float, float] | None, none: str = "–") -> Cell:
    """A cell of an interval."""
    return Cell(pair, none if pair is None else signed(pair[0]) + " to " + signed(pair[1]))


def heat(percent: float | None, words: str = "") -> Cell:
    """A cell of a heat map, shaded by its percentage; its number stands in it."""
    if percent is None:
        return Cell(None, "–")
    return Cell(percent, words or f"{percent:.1f}", min(math.ceil(percent / 100 * _SHADES), _SHADES))


def table(
    name: str,
    caption: str,
    heads: Sequence[str | Column],
    rows: Iterable[Sequence[Any]],
    *,
    words: int = 1,
    whole: float | None = None,
) -> str:
    """A table that scrolls where it is too wide, with its CSV. `name`: of the CSV file, without its ending.

    Cells are text, numbers, None ("not judged") or `Cell`s. Heads that are text stand over words in the first `words`
    columns, and over numbers in the others. `whole`: each row ends with a bar of its second cell as a share of this.
    """
    cols = [head if isinstance(head, Column) else Column(head, k >= words) for k, head in enumerate(heads)]
    cells = [[cell if isinstance(cell, Cell) else _plain(cell) for cell in row] for row in rows]
    head = "".join(f'<th scope="col"{_class(col.number)}>{text(col.name)}</th>' for col in cols)
    body = []
    for row in cells:
        parts = [_cell(cell, col, k == 0) for k, (cell, col) in enumerate(zip(row, cols, strict=True))]
        value = row[1].value if whole is not None else None
        body.append(f"<tr>{''.join(parts)}{'' if whole is None else _bar(value, whole)}</tr>")
    extra = "" if whole is None else '<td class="bar"></td>'
    link = f'<a class="csv" download="{name}.csv" href="{_data_url(csv_text(cols, cells))}">CSV</a>'
    return (
        f'<div class="scroll"><table class="figures">'
        f"<caption><span>{text(caption)} {link}</span></caption>"
        f"<thead><tr>{head}{extra}</tr></thead><tbody>{''.join(body)}</tbody></table></div>"
    )


def bars(
    name: str, caption: str, heads: tuple[str, str], pairs: Iterable[tuple[str, int | float]], whole: int | float
) -> str:
    """A table whose numbers also have a bar, as a share of `whole`."""
    rows = [(entry, value, share(100 * value / whole if whole else 0.0)) for entry, value in pairs]
    return table(name, caption, (*heads, "Share, %"), rows, whole=whole)


def most(entries: Mapping[str, int | float]) -> list[tuple[str, int | float]]:
    """The largest entries first; all beyond `_TOP` as one."""
    ranked = sorted(entries.items(), key=lambda pair: (-pair[1], pair[0]))
    rest = ranked[_TOP:]
    tail: list[tuple[str, int | float]] = [(f"{len(rest)} others", sum(v for _, v in rest))] if rest else []
    return [*ranked[:_TOP], *tail]


def csv_text(cols: Sequence[Column], rows: Iterable[Sequence[Cell]]) -> str:
    """A table as CSV: numbers whole, nothing for None, two columns for a column of `ends`; a text that a spreadsheet
    would take for a formula has an apostrophe before it."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(
        [f"{col.name}{col.unit}{end}" for col in cols for end in ((", from", ", to") if col.ends else ("",))]
    )
    for row in rows:
        writer.writerow([part for cell, col in zip(row, cols, strict=True) for part in _raw(cell.value, col)])
    return out.getvalue()


def _raw(value: Any, col: Column) -> list[Any]:
    if col.ends:
        return ["", ""] if value is None else list(value)
    return [spelled(value) if isinstance(value, str) else "" if value is None else value]


def spelled(words: str) -> str:
    """A text as a cell of a CSV file."""
    sound = _visible(words)
    return f"'{sound}" if sound.startswith(_FORMULA) else sound


def _plain(value: Any) -> Cell:
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return Cell(None, "not judged")
    return Cell(value, value) if isinstance(value, str) else Cell(value, number(value))


def _cell(cell: Cell, col: Column, first: bool) -> str:
    value = cell.value[0] if isinstance(cell.value, tuple) else cell.value
    kept = f' data-value="{value}"' if is_number(value) else ""
    shade = f" shade-{cell.shade}" if cell.shade >= 0 else ""
    kind = _class(col.number, shade)
    return f'<th scope="row"{kind}>{text(cell.words)}</th>' if first else f"<td{kind}{kept}>{text(cell.words)}</td>"


def _class(number: bool, more: str = "") -> str:
    return f' class="number{more}"' if number else ""


def _bar(value: Any, whole: float) -> str:
    part = 100 * value / whole if whole and is_number(value) else 0.0
    return (
        '<td class="bar"><svg aria-hidden="true" width="100%" height="10"><rect class="bar-ground" width="100%" '
        f'height="10"/><rect class="bar-fill" width="{min(part, 100):.2f}%" height="10"/></svg></td>'
    )


def _data_url(content: str) -> str:
    return "data:text/csv;charset=utf-8;base64," + base64.b64encode(content.encode()).decode()

"""What all pages share: the shell of a self-contained page, escaped text, tables, bars, and reading JSON files.

Guarantees: a page needs no network and nothing beside it; a content security policy admits its own script and style by
hash only; whatever goes through `text`, `number`, `table`, `bars` or `embed` cannot become markup or code.
Missing or malformed input raises `InputError`, one line that names the file and the place.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

from semcoder.errors import InputError

#: How many entries of a ranked table are named before the rest is summed up.
_TOP = 20


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


# -- writing


def page(title: str, body: str, *, script: str = "", skip: tuple[str, str] = ("", ""), after: str = "") -> str:
    """A whole page. `script`: names of static files, run as one module; `skip`: where a link at the top leads, and its
    words; `after`: markup behind the main part."""
    style = static("page.css")
    code = "\n".join(static(name) for name in script.split())
    scripts = f"script-src '{_hash(code)}'; " if code else ""
    policy = f"default-src 'none'; {scripts}style-src '{_hash(style)}'; base-uri 'none'"
    link = f'<a class="skip" href="#{skip[0]}">{skip[1]}</a>\n' if skip[0] else ""
    module = f'<script type="module">{code}</script>\n' if code else ""
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
{body}
</main>
{after}{module}</body>
</html>
"""


def static(name: str) -> str:
    return resources.files("semcoder.report").joinpath("static", name).read_text(encoding="utf-8")


def _hash(content: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()


def embed(doc: Any) -> str:
    """JSON that may stand in a script element: no `<`, `>` or `&`, ASCII only. Raises ValueError on NaN."""
    content = json.dumps(doc, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    return content.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def text(value: Any) -> str:
    """Escaped text; what UTF-8 cannot hold (a lone surrogate from a JSON escape) is written as an escape."""
    return html.escape(str(value).encode("utf-8", "backslashreplace").decode())


def number(value: Any) -> str:
    """Thousands apart, four significant digits after a point; None is "not judged", never 0."""
    if value is None or math.isnan(value):
        return "not judged"
    return f"{value:,}" if isinstance(value, int) else f"{value:,.4g}" if abs(value) < 1e4 else f"{value:,.0f}"


def percent(value: Any) -> str:
    return "not judged" if value is None or math.isnan(value) else f"{100 * value:.1f}"


def section(name: str, heading: str, *parts: str) -> str:
    """A section under a heading. `name`: of the anchor."""
    body = "\n".join(parts)
    return f"<section aria-labelledby='{name}-title'><h2 id='{name}-title'>{heading}</h2>{body}</section>"


def table(caption: str, heads: tuple[str, str], pairs: Iterable[tuple[str, str]]) -> str:
    """A two-column table; cells come escaped."""
    rows = "".join(f'<tr><th scope="row">{name}</th><td class="number">{value}</td></tr>' for name, value in pairs)
    first, second = heads
    return (
        f'<table class="figures"><caption>{caption}</caption><thead><tr><th scope="col">{first}</th>'
        f'<th scope="col" class="number">{second}</th></tr></thead><tbody>{rows}</tbody></table>'
    )


def wide_table(caption: str, heads: Sequence[str], rows: Iterable[Sequence[str]], words: int = 1) -> str:
    """A table of several columns, that scrolls where it is too wide. Cells come escaped; the first `words` columns hold
    words, the others numbers."""
    kinds = ["" if place < words else ' class="number"' for place in range(len(heads))]
    head = "".join(f'<th scope="col"{kind}>{name}</th>' for name, kind in zip(heads, kinds, strict=True))
    body = "".join(
        f'<tr><th scope="row">{first}</th>'
        + "".join(f"<td{kind}>{cell}</td>" for cell, kind in zip(rest, kinds[1:], strict=True))
        + "</tr>"
        for first, *rest in rows
    )
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{caption}"><table class="figures">'
        f"<caption>{caption}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def bars(caption: str, heads: tuple[str, str], pairs: list[tuple[str, int | float]], whole: int | float) -> str:
    """A table whose numbers also have a bar, as a share of `whole`. Names come unescaped."""
    rows = []
    for name, value in pairs:
        share = 100 * value / whole if whole else 0
        rows.append(
            f'<tr><th scope="row">{text(name)}</th><td class="number">{number(value)}</td>'
            f'<td class="number">{share:.1f} %</td><td class="bar"><svg aria-hidden="true" width="100%" height="10">'
            f'<rect class="bar-ground" width="100%" height="10"/><rect class="bar-fill" width="{min(share, 100):.2f}%" '
            f'height="10"/></svg></td></tr>'
        )
    return (
        f'<table class="bars"><caption>{caption}</caption><thead><tr><th scope="col">{heads[0]}</th>'
        f'<th scope="col" class="number">{heads[1]}</th><th scope="col" class="number">Share</th>'
        f"<td></td></tr></thead><tbody>{''.join(rows)}</tbody></table>"
    )


def most(entries: Mapping[str, int | float]) -> list[tuple[str, int | float]]:
    """The largest entries first; all beyond `_TOP` as one."""
    ranked = sorted(entries.items(), key=lambda pair: (-pair[1], pair[0]))
    rest = ranked[_TOP:]
    tail: list[tuple[str, int | float]] = [(f"{len(rest)} others", sum(v for _, v in rest))] if rest else []
    return [*ranked[:_TOP], *tail]


def made_of(versions: Mapping[str, Any], hash_name: str, hash_value: Any, config_name: str, config: Any) -> str:
    """How something was made: versions, and the whole configuration."""
    listed = "".join(f"<dt>{text(k)}</dt><dd>{text(v)}</dd>" for k, v in versions.items())
    shown = text(json.dumps(config, indent=2, ensure_ascii=False))
    return (
        "<section aria-labelledby='made-title'><h2 id='made-title'>How it was made</h2>"
        f'<dl class="facts">{listed}<dt>{hash_name}</dt>'
        f"<dd><code>{text(hash_value)}</code></dd></dl>"
        f'<details><summary>{config_name}</summary><pre class="config" tabindex="0">{shown}</pre></details></section>'
    )

"""Where everything is written: results on stdout, notes and progress on stderr.

Guarantees: a note is one line whatever it says; colours and moving progress appear on a terminal only; a JSON document
is one line of ASCII. Streams are looked up when they are written to, so that a test or a caller may replace them.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console

#: A piece of a line and its rich style ("" for none).
Segment = tuple[str, str]


def one_line(text: str) -> str:
    """Text on one line: what would break it, or move a terminal's cursor, is shown as its escape."""
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def clip(text: str, width: int) -> str:
    """At most `width` characters (at least 4), the cut marked."""
    return text if len(text) <= width else text[: width - 3] + "..."


def note(message: str) -> None:
    """One line on stderr, after what stdout has so far. A stream that is gone does not matter here."""
    with suppress(OSError, ValueError):
        sys.stdout.flush()
    with suppress(OSError, ValueError):
        sys.stderr.write(f"semcoder: {one_line(message)}\n")


def write(text: str) -> None:
    """Result text on stdout, exactly as it is."""
    sys.stdout.write(text)


def line(text: str = "") -> None:
    sys.stdout.write(text + "\n")


def document(doc: Any) -> None:
    """One JSON document on stdout, on one line."""
    line(json.dumps(doc, ensure_ascii=True, allow_nan=False))


def styled_lines(lines: Iterable[Sequence[Segment]]) -> None:
    """Lines of styled pieces; plain text where stdout is no terminal."""
    if not sys.stdout.isatty():
        for segments in lines:
            line("".join(text for text, _ in segments).rstrip())
        return
    from rich.text import Text

    console = _console()
    for segments in lines:
        console.print(Text.assemble(*[(text, style) for text, style in segments]), soft_wrap=True)


def table(columns: Sequence[str], rows: Iterable[Sequence[object]], *, title: str = "") -> None:
    """A table on stdout. Columns that hold numbers alone are set flush right."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    body = [list(row) for row in rows]
    drawn = Table(box=SIMPLE_HEAD, title=title or None, title_justify="left", pad_edge=False)
    for place, column in enumerate(columns):
        numbers = bool(body) and all(isinstance(row[place], (int, float)) for row in body)
        drawn.add_column(column, justify="right" if numbers else "left", overflow="fold")
    for row in body:
        drawn.add_row(*[Text(_cell(part)) for part in row])
    _console().print(drawn)


def _cell(part: object) -> str:
    if isinstance(part, bool) or not isinstance(part, (int, float)):
        return one_line(str(part))
    return f"{part:,}" if isinstance(part, int) else f"{part:,.2f}"


def percent(value: float | None) -> str:
    """A percentage as a table says it; None was not judged."""
    return "-" if value is None else f"{value:.1f}"


def span(ends: Sequence[float] | None) -> str:
    """An interval in percent; empty for none."""
    return "" if ends is None else f"{ends[0]:.1f} to {ends[1]:.1f}"


def chance(value: float | None) -> str:
    """A p-value; empty for none."""
    return "" if value is None else f"{value:.2g}"


def _console(*, stderr: bool = False) -> Console:
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() else 160
    return Console(file=stream, markup=False, highlight=False, emoji=False, width=width)


@contextmanager
def progress() -> Iterator[Callable[[str], None]]:
    """A callable that shows what long work is at: a moving status on a terminal, a line on stderr elsewhere."""
    if not sys.stderr.isatty():
        yield note
        return
    console = _console(stderr=True)
    with console.status("starting") as status:
        yield lambda message: status.update(one_line(message))

"""Charts as inline SVG, drawn here: curves over steps, and bars with intervals.

Guarantees: each chart has a title that assistive technology reads; nothing is told by colour alone (curves differ in
their dashes and are labelled, bars carry their numbers); numbers that are none are left out.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

from semcoder.report.html import text

_WIDTH, _HEIGHT = 720, 300
_LEFT, _RIGHT, _TOP, _BOTTOM = 58, 130, 12, 42
#: Points of a curve beyond are thinned: more cannot be seen.
_MOST_POINTS = 600
_ROW = 30
#: Beside bars, for a number with its interval.
_VALUES = 150


@dataclass(frozen=True, slots=True)
class Curve:
    """A named line through points (x, y)."""

    name: str
    points: Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Bar:
    """A named value with its interval; None where there is none. `note`: what sets it apart from the others; the bar is
    drawn hollow, and its number says so."""

    name: str
    value: float | None
    interval: tuple[float, float] | None = None
    note: str = ""


def curves(title: str, across: str, up: str, lines: Sequence[Curve]) -> str:
    """A chart of lines; empty where no line has a point. The y axis begins at 0."""
    drawn = [(line.name, _finite(line.points)) for line in lines]
    drawn = [(name, points) for name, points in drawn if points]
    if not drawn:
        return ""
    most_x = max(x for _, points in drawn for x, _ in points) or 1.0
    most_y = max(y for _, points in drawn for _, y in points) or 1.0
    ticks_x, ticks_y = _ticks(most_x), _ticks(most_y)
    most_x, most_y = max(most_x, 1e-12), max(most_y, ticks_y[-1])
    wide, high = _WIDTH - _LEFT - _RIGHT, _HEIGHT - _TOP - _BOTTOM

    def place(x: float, y: float) -> tuple[float, float]:
        return _LEFT + wide * x / most_x, _TOP + high * (1 - y / most_y)

    parts = [_axes(across, up)]
    for tick in ticks_x:
        x, _ = place(tick, 0)
        parts.append(_label(x, _HEIGHT - _BOTTOM + 16, _short(tick), "middle"))
    for tick in ticks_y:
        _, y = place(0, tick)
        parts.append(f'<line class="grid" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(_label(_LEFT - 6, y + 4, _short(tick), "end"))
    ends = _apart([place(*points[-1])[1] for _, points in drawn])
    for number, ((name, points), end) in enumerate(zip(drawn, ends, strict=True)):
        path = " ".join("{:.1f},{:.1f}".format(*place(x, y)) for x, y in _thinned(points))
        parts.append(f'<polyline class="curve curve-{number % 6}" points="{path}"/>')
        parts.append(_label(place(*points[-1])[0] + 6, end + 4, name, "start"))
    return _svg(title, _HEIGHT, parts)


def interval_bars(
    title: str, unit: str, bars: Sequence[Bar], marks: Sequence[tuple[str, float]] = (), names: int = _RIGHT
) -> str:
    """Horizontal bars from 0 with their intervals, from 0 to 100 %. `marks`: named values to compare them with;
    `names`: how wide the bars' names may be."""
    wide, height = _WIDTH - names - _VALUES, _ROW * len(bars) + _BOTTOM + 14 * len(marks) + _TOP
    bottom = _TOP + _ROW * len(bars)

    def place(share: float) -> float:
        return names + wide * min(max(share, 0.0), 1.0)

    parts = []
    for tick in range(0, 101, 20):
        x = place(tick / 100)
        parts.append(f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{_TOP}" y2="{bottom}"/>')
        parts.append(_label(x, bottom + 16, f"{tick}", "middle"))
    parts.append(_label(place(0.5), bottom + 32, unit, "middle"))
    for number, bar in enumerate(bars):
        middle = _TOP + _ROW * number + _ROW / 2
        parts.append(_label(names - 8, middle + 4, bar.name, "end"))
        parts += _bar(bar, middle, place)
    for number, (name, share) in enumerate(marks):
        x = place(share)
        parts.append(f'<line class="mark curve-{number + 1}" x1="{x:.1f}" x2="{x:.1f}" y1="{_TOP}" y2="{bottom}"/>')
        label = f"{'– –' if number == 0 else '·····'} {name}: {100 * share:.1f}"
        parts.append(_label(names, bottom + 48 + 14 * number, label, "start"))
    return _svg(title, height + 10, parts)


def _bar(bar: Bar, middle: float, place: object) -> list[str]:
    assert callable(place)
    if bar.value is None or not math.isfinite(bar.value):
        return [_label(place(0.0) + 6, middle + 4, "not judged", "start")]
    end = place(bar.value)
    kind = "bar-hollow" if bar.note else "bar-fill"
    parts = [
        f'<rect class="{kind}" x="{place(0.0):.1f}" y="{middle - 8:.1f}" width="{end - place(0.0):.1f}" height="16"/>'
    ]
    said = f"{100 * bar.value:.1f}"
    if bar.interval is not None:
        low, high = map(place, bar.interval)
        parts.append(f'<line class="whisker" x1="{low:.1f}" x2="{high:.1f}" y1="{middle:.1f}" y2="{middle:.1f}"/>')
        parts += [
            f'<line class="whisker" x1="{x:.1f}" x2="{x:.1f}" y1="{middle - 5:.1f}" y2="{middle + 5:.1f}"/>'
            for x in (low, high)
        ]
        said += f" ({100 * bar.interval[0]:.1f} to {100 * bar.interval[1]:.1f})"
        end = max(end, high)
    said = f"{said}, {bar.note}" if bar.note else said
    parts.append(_label(end + 8, middle + 4, said, "start"))
    return parts


def _svg(title: str, height: float, parts: Sequence[str]) -> str:
    body = "".join(parts)
    return (
        f'<svg class="chart" role="img" viewBox="0 0 {_WIDTH} {height:.0f}" aria-label="{text(title)}">'
        f"<title>{text(title)}</title>{body}</svg>"
    )


def _axes(across: str, up: str) -> str:
    bottom = _HEIGHT - _BOTTOM
    return (
        f'<line class="axis" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{bottom}" y2="{bottom}"/>'
        + _label((_LEFT + _WIDTH - _RIGHT) / 2, _HEIGHT - 8, across, "middle")
        + f'<text x="14" y="{(_TOP + bottom) / 2:.0f}" text-anchor="middle" '
        f'transform="rotate(-90 14 {(_TOP + bottom) / 2:.0f})">{text(up)}</text>'
    )


def _label(x: float, y: float, words: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{text(words)}</text>'


def _finite(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    return [(x, y) for x, y in points if math.isfinite(x) and math.isfinite(y)]


def _thinned(points: Sequence[tuple[float, float]]) -> Sequence[tuple[float, float]]:
    """At most so many points, each the mean of its neighbours."""
    group = -(-len(points) // _MOST_POINTS)
    if group == 1:
        return points
    parts = [points[k : k + group] for k in range(0, len(points), group)]
    return [(sum(x for x, _ in part) / len(part), sum(y for _, y in part) / len(part)) for part in parts]


def _ticks(most: float) -> list[float]:
    """Round numbers from 0 to about `most`, at most seven."""
    if most <= 0:
        return [0.0]
    step = 10.0 ** math.floor(math.log10(most))
    step = next(step * part for part in (0.2, 0.5, 1, 2, 5) if most / (step * part) <= 6)
    return [step * k for k in range(int(most / step + 1e-9) + 1)]


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 or value == int(value) else f"{value:g}"


def _apart(heights: Sequence[float]) -> list[float]:
    """The heights of labels, moved down where they would overlap."""
    order = sorted(range(len(heights)), key=lambda place: heights[place])
    found = list(heights)
    for before, after in itertools.pairwise(order):
        found[after] = max(found[after], found[before] + 14)
    return found

"""Charts as inline SVG, drawn here: bars with intervals, what is lost from stage to stage, histograms, curves.

Guarantees: each chart has a title that assistive technology reads; nothing is told by colour alone (curves differ in
their dashes and are labelled, bars carry their numbers); numbers that are none are left out. Each is drawn twice, for
wide and for narrow windows, of which the style shows one: text in an SVG shrinks with it.
"""

from __future__ import annotations

import itertools
import math
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from semcoder.report.html import number, text

_WIDE, _NARROW = 720, 340
_TOP, _BOTTOM = 12, 42
#: Points of a curve beyond are thinned: more cannot be seen.
_MOST_POINTS = 600
#: About how wide a character is.
_CHARACTER = 6.2
#: Characters of a name in a chart; tables have it whole.
_NAME = 46
#: Beyond, arithmetic on a chart's values may overflow.
_HUGE = 1e300
#: Bars of a histogram.
_BINS = 16

Draw = Callable[[int], tuple[float, list[str]]]


@dataclass(frozen=True, slots=True)
class Curve:
    """A named line through points (x, y), with intervals at those of them that have one."""

    name: str
    points: Sequence[tuple[float, float]]
    intervals: Sequence[tuple[float, tuple[float, float]]] = ()


@dataclass(frozen=True, slots=True)
class Bar:
    """A named value with its interval; None where there is none. `note`: what sets it apart from the others; the bar is
    drawn hollow, and its number says so. `start`: where it begins, if not at 0; `words`: instead of its number;
    `strong`: its name stands out."""

    name: str
    value: float | None
    interval: tuple[float, float] | None = None
    note: str = ""
    start: float = 0.0
    words: str = ""
    strong: bool = False


def curves(
    title: str, across: str, up: str, lines: Sequence[Curve], *, whole: bool = False, decades: bool = False
) -> str:
    """A chart of lines; empty where no line has a point. The y axis holds 0, or in `decades` is a logarithm of what
    is above 0. `whole`: x is of whole numbers, and every point is marked."""
    drawn = [Curve(line.name, _finite(line.points, decades), line.intervals) for line in lines]
    drawn = [line for line in drawn if line.points]
    if not drawn:
        return ""
    note = f"{up}{' (logarithmic)' if decades else ''}, by {across}"
    return _figure(title, note, lambda width: _curves(width, across, drawn, whole, decades))


def interval_bars(title: str, unit: str, bars: Sequence[Bar], marks: Sequence[tuple[str, float]] = ()) -> str:
    """Horizontal bars of shares with their intervals, on a scale from 0 % to a round number above the largest.
    `marks`: named shares to compare them with."""
    largest = max((end for bar in bars for end in (bar.value or 0.0, *(bar.interval or ()))), default=0.0)
    largest = max([largest, *(share for _, share in marks)])
    reach = min(100, max(20, 20 * math.ceil(5 * largest - 1e-9))) if math.isfinite(largest) else 100
    return _figure(title, unit, lambda width: _interval_bars(width, bars, marks, reach))


def counted_bars(title: str, unit: str, bars: Sequence[Bar], whole: float) -> str:
    """Horizontal bars of counts, up to `whole`; those with a `start` stand where they were lost."""
    return _figure(title, unit, lambda width: _counted_bars(width, bars, whole))


def histogram(title: str, across: str, unit: str, values: Sequence[float], most: float = 0.0) -> str:
    """How often values from 0 fall where, with their median; those beyond `most` (where it is given) stand in the last
    bar. Empty where there are none."""
    if not values:
        return ""
    return _figure(title, f"{unit}, by {across}", lambda width: _histogram(width, across, sorted(values), most))


def binned(ranked: Sequence[float], most: float = 0.0) -> tuple[float, list[int]]:
    """How wide the bars of a histogram are, and how many of the ranked values are in each; those beyond are in the
    last."""
    ticks = _ticks(min(most or ranked[-1], ranked[-1]) or 1.0, 4)
    step = (ticks[-1] + (ticks[1] if len(ticks) > 1 else 1.0)) / _BINS
    counts = [0] * _BINS
    for value in ranked:
        counts[min(int(value / step), _BINS - 1)] += 1
    return step, counts


# -- the figure


def _figure(title: str, note: str, draw: Draw) -> str:
    drawings = "".join(
        f'<svg class="{kind}" role="img" aria-label="{text(title)}" viewBox="0 0 {width} {height:.0f}">'
        f"{''.join(parts)}</svg>"
        for kind, width in (("wide", _WIDE), ("narrow", _NARROW))
        for height, parts in [draw(width)]
    )
    caption = f"<figcaption><h3>{text(title)}</h3><p>{text(note)}</p></figcaption>"
    return f'<figure class="chart">{caption}{drawings}</figure>'


def _label(x: float, y: float, words: str, anchor: str, kind: str = "") -> str:
    kind = f' class="{kind}"' if kind else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{kind}>{text(words)}</text>'


def _line(kind: str, x1: float, y1: float, x2: float, y2: float) -> str:
    return f'<line class="{kind}" x1="{x1:.1f}" x2="{x2:.1f}" y1="{y1:.1f}" y2="{y2:.1f}"/>'


def _upright(kind: str, x: float, top: float, bottom: float) -> str:
    return _line(kind, x, top, x, bottom)


def _name(words: str, most: int = _NAME) -> str:
    return words if len(words) <= most else f"{words[: most - 1]}…"


# -- horizontal bars


@dataclass(frozen=True, slots=True)
class _Rows:
    """Where horizontal bars stand: beside their names where there is room, else below them."""

    width: int
    names: float
    values: float
    beside: bool

    @property
    def row(self) -> float:
        return 27.0 if self.beside else 40.0

    def across(self, part: float) -> float:
        return self.names + (self.width - self.names - self.values) * min(max(part, 0.0), 1.0)

    def bar(self, bar: Bar, top: float, part: Callable[[float], float], said: str) -> list[str]:
        """A bar with name, number and interval. `part`: of the width, of a value."""
        middle = top + (self.row / 2 if self.beside else 26)
        kind = "strong" if bar.strong else ""
        if self.beside:
            parts = [_label(self.names - 10, middle + 4, _name(bar.name), "end", kind)]
        else:
            parts = [_label(0, top + 13, _name(bar.name, 50 - len(said)), "start", kind)]
        end = self.across(0)
        if bar.value is not None:
            start, end = self.across(part(bar.start)), self.across(part(bar.start + bar.value))
            fill = "bar-hollow" if bar.note else "bar-loss" if bar.start else "bar-fill"
            parts.append(
                f'<rect class="{fill}" x="{start:.1f}" y="{middle - 7:.1f}" width="{end - start:.1f}" height="14"/>'
            )
        if bar.interval is not None:
            low, high = (self.across(part(end)) for end in bar.interval)
            parts.append(_line("whisker", low, middle, high, middle))
            parts += [_line("whisker", x, middle - 4, x, middle + 4) for x in (low, high)]
            end = max(end, high)
        if self.beside:
            return [*parts, _label(end + 8, middle + 4, said, "start")]
        return [*parts, _label(self.width, top + 13, said, "end")]


def _rows(width: int, bars: Sequence[Bar], values: float) -> _Rows:
    if width < _WIDE:
        return _Rows(width, 2.0, 6.0, False)
    longest = max((len(_name(bar.name)) for bar in bars), default=0)
    return _Rows(width, longest * _CHARACTER + 16, values, True)


def _interval_bars(
    width: int, bars: Sequence[Bar], marks: Sequence[tuple[str, float]], reach: int
) -> tuple[float, list[str]]:
    rows = _rows(width, bars, 160.0)
    bottom = _TOP + rows.row * len(bars)
    # Names that stand over their bars must not be crossed.
    spans = (
        [(_TOP, bottom)]
        if rows.beside
        else [(_TOP + rows.row * k + 17, _TOP + rows.row * k + 35) for k in range(len(bars))]
    )
    parts = []
    for tick in range(0, reach + 1, 20 if reach > 40 else 10 if reach > 20 else 5):
        x = rows.across(tick / reach)
        anchor = "middle" if rows.beside or 0 < tick < reach else "end" if tick else "start"
        parts += [_upright("grid", x, *span) for span in spans]
        parts.append(_label(x, bottom + 16, f"{tick} %", anchor))
    for place, bar in enumerate(bars):
        sound = bar.value is not None and math.isfinite(bar.value)
        shown = bar if sound else Bar(bar.name, None)
        parts += rows.bar(shown, _TOP + rows.row * place, lambda share: 100 * share / reach, _said(shown))
    for place, (name, share) in enumerate(marks):
        x, y = rows.across(100 * share / reach), bottom + 36 + 15 * place
        kind = f"mark curve-{place + 1}"
        parts += [_upright(kind, x, *span) for span in spans]
        parts.append(_line(kind, rows.names, y - 4, rows.names + 26, y - 4))
        parts.append(_label(rows.names + 32, y, f"{name}: {100 * share:.1f}", "start"))
    return bottom + 24 + 15 * len(marks), parts


def _said(bar: Bar) -> str:
    if bar.value is None:
        return "not judged"
    said = f"{100 * bar.value:.1f}"
    if bar.interval is not None:
        said += f" ({100 * bar.interval[0]:.1f} to {100 * bar.interval[1]:.1f})"
    return f"{said}, {bar.note}" if bar.note else said


def _counted_bars(width: int, bars: Sequence[Bar], whole: float) -> tuple[float, list[str]]:
    said = [bar.words or number(bar.value) for bar in bars]
    rows = _rows(width, bars, max(map(len, said), default=0) * _CHARACTER + 14)
    parts = []
    for place, (bar, words) in enumerate(zip(bars, said, strict=True)):
        parts += rows.bar(bar, rows.row * place, lambda value: value / whole if whole else 0.0, words)
    return rows.row * len(bars) + 6, parts


# -- charts with two axes


@dataclass(frozen=True, slots=True)
class _Plane:
    """From values to places, with room for what stands around."""

    width: int
    height: int
    left: float
    right: float
    most_x: float
    low_y: float
    high_y: float
    decades: bool = False

    @property
    def bottom(self) -> float:
        return self.height - _BOTTOM

    def place(self, x: float, y: float) -> tuple[float, float]:
        wide, high = self.width - self.left - self.right, self.bottom - _TOP
        low, high_y, y = (
            (map(math.log10, (self.low_y, self.high_y, y))) if self.decades else (self.low_y, self.high_y, y)
        )
        up = (y - low) / (high_y - low)
        return self.left + wide * x / self.most_x, _TOP + high * (1 - up)

    def axes(self, across: str, ticks_x: Sequence[float], ticks_y: Sequence[float]) -> list[str]:
        base = self.place(0, self.low_y if self.decades else 0)[1]
        parts = []
        for tick in ticks_y:
            y = self.place(0, tick)[1]
            parts.append(_line("grid", self.left, y, self.width - self.right, y))
            parts.append(_label(self.left - 6, y + 4, _short(tick), "end"))
        parts.append(_line("axis", self.left, base, self.width - self.right, base))
        for tick in ticks_x:
            parts.append(_label(self.place(tick, self.low_y)[0], self.bottom + 16, _short(tick), "middle"))
        parts.append(_label((self.left + self.width - self.right) / 2, self.height - 8, across, "middle", "faint"))
        return parts


def _curves(width: int, across: str, lines: Sequence[Curve], whole: bool, decades: bool) -> tuple[float, list[str]]:
    most_x = max(x for line in lines for x, _ in line.points) or 1.0
    ticks_y, low_y, high_y = _heights(lines, decades)
    ticks_x = _ticks(most_x, 6 if width == _WIDE else 4)
    if whole:
        ticks_x = sorted({float(round(tick)) for tick in ticks_x})
    longest = max(len(_name(line.name, 22)) for line in lines)
    left = max(len(_short(tick)) for tick in ticks_y) * _CHARACTER + 14
    plane = _Plane(
        width, 300 if width == _WIDE else 250, left, longest * _CHARACTER + 12 if longest else 20.0,
        max(most_x, 1e-12), low_y, high_y, decades,
    )  # fmt: skip
    parts = plane.axes(across, ticks_x, ticks_y)
    ends = _apart([plane.place(*line.points[-1])[1] for line in lines])
    for place, (line, end) in enumerate(zip(lines, ends, strict=True)):
        path = " ".join("{:.1f},{:.1f}".format(*plane.place(x, y)) for x, y in _thinned(line.points))
        parts.append(f'<polyline class="curve curve-{place % 6}" points="{path}"/>')
        for x, two in line.intervals:
            (at, low), (_, high) = plane.place(x, two[0]), plane.place(x, two[1])
            parts.append(_line("whisker", at, low, at, high))
        if whole:
            parts += [
                '<circle class="point" cx="{:.1f}" cy="{:.1f}" r="3"/>'.format(*plane.place(x, y))
                for x, y in line.points
            ]
        parts.append(_label(plane.place(*line.points[-1])[0] + 7, end + 4, _name(line.name, 22), "start"))
    return plane.height, parts


def _heights(lines: Sequence[Curve], decades: bool) -> tuple[list[float], float, float]:
    """Ticks of the y axis, and where it begins and ends."""
    heights = [y for line in lines for _, y in line.points]
    heights += [end for line in lines for _, two in line.intervals for end in two]
    if decades:
        low, high = (math.floor(math.log10(min(heights))), math.ceil(math.log10(max(heights)) + 1e-9))
        apart = -(-(high - low) // 6) or 1
        return [10.0**k for k in range(low, high + 1, apart)], 10.0**low, 10.0**high
    most, least = max(heights), min(0.0, *heights)
    ticks = _ticks(max(most, -least) or 1.0, 6)
    ticks = [tick for tick in (*(-tick for tick in ticks[:0:-1]), *ticks) if least - 1e-12 <= tick <= most + 1e-12]
    return ticks or [0.0], least, max(most, 0.0, least + 1e-12)


def _histogram(width: int, across: str, ranked: Sequence[float], most: float) -> tuple[float, list[str]]:
    step, counts = binned(ranked, most)
    ticks_x = _ticks(step * (_BINS - 1), 6 if width == _WIDE else 4)
    ticks_y = [tick for tick in _ticks(max(counts), 4) if tick == int(tick)]
    left = max(len(_short(tick)) for tick in ticks_y) * _CHARACTER + 14
    plane = _Plane(width, 190, left, 12.0, step * _BINS, 0.0, max(float(max(counts)), ticks_y[-1]) * 1.12)
    parts = plane.axes(across, ticks_x, ticks_y)
    for place, count in enumerate(counts):
        (x, y), (right, base) = plane.place(place * step, count), plane.place((place + 1) * step, 0)
        parts.append(
            f'<rect class="bar-fill" x="{x + 0.8:.1f}" y="{y:.1f}" width="{right - x - 1.6:.1f}" '
            f'height="{base - y:.1f}"/>'
        )
    middle = (
        ranked[len(ranked) // 2] if len(ranked) % 2 else (ranked[len(ranked) // 2 - 1] + ranked[len(ranked) // 2]) / 2
    )
    x = plane.place(min(middle, step * _BINS), 0)[0]
    parts.append(_line("median", x, _TOP - 2, x, plane.bottom))
    anchor, aside = ("start", 5) if x < width * 0.7 else ("end", -5)
    parts.append(_label(x + aside, _TOP + 8, f"median {_short(middle)}", anchor))
    return plane.height, parts


def _finite(points: Sequence[tuple[float, float]], above_0: bool = False) -> list[tuple[float, float]]:
    """The points that can be drawn; what is near the ends of floating point is as good as infinite, or 0."""
    least = 1 / _HUGE if above_0 else -_HUGE
    return [(x, y) for x, y in points if math.isfinite(x) and least < y < _HUGE]


def _thinned(points: Sequence[tuple[float, float]]) -> Sequence[tuple[float, float]]:
    """At most so many points, each the mean of its neighbours."""
    group = -(-len(points) // _MOST_POINTS)
    if group == 1:
        return points
    parts = [points[k : k + group] for k in range(0, len(points), group)]
    return [(sum(x for x, _ in part) / len(part), sum(y for _, y in part) / len(part)) for part in parts]


def _ticks(most: float, count: int) -> list[float]:
    """Round numbers from 0 to about `most`, at most `count` steps."""
    if most < sys.float_info.min * 100:  # 0, and what is too small to be divided
        return [0.0]
    step = float(f"1e{math.floor(math.log10(most))}")  # exact, unlike a power
    step = next(step * part for part in (0.2, 0.25, 0.5, 1, 2, 2.5, 5, 10) if most / (step * part) <= count)
    return [step * k for k in range(int(most / step + 1e-9) + 1)]


def _short(value: float) -> str:
    plain = abs(value) < 1e7 and (abs(value) >= 10 or value == int(value))
    words = f"{value:,.0f}" if plain else f"{value:.4g}"
    return words.replace("-", "−", 1) if value < 0 else words


def _apart(heights: Sequence[float]) -> list[float]:
    """The heights of labels, moved down where they would overlap."""
    order = sorted(range(len(heights)), key=lambda place: heights[place])
    found = list(heights)
    for before, after in itertools.pairwise(order):
        found[after] = max(found[after], found[before] + 14)
    return found

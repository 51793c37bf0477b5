"""Candidate arguments from the wanted output: its pieces, constants of the source, small values; then mutation.

Guarantees: deterministic for a seed; candidates are small plain values; nothing is proposed twice.
It does not judge: whoever drives it runs the candidates and tells it how close each came.
"""

from __future__ import annotations

import heapq
import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from semcoder.monologue.solving.shapes import Shape, distinct, samples

MAX_TEXT = 2_000
Arguments = tuple[Any, ...]


def pieces(value: Any, depth: int = 0) -> list[Any]:
    """Values near a wanted output: itself, its parts, its simple variants and measures; nearest first."""
    out = [value]
    if isinstance(value, str):
        out += _text_pieces(value)
    elif isinstance(value, bool):
        out += [not value]
    elif isinstance(value, (int, float)):
        out += [value + 1, value - 1, -value, value * 2, value // 2, str(value)]
        if isinstance(value, int) and 0 <= value <= 300:
            out += ["a" * value, [1] * value, list(range(value)), "a " * value, [value], str(value) * 2]
            out += [{"a": value}, {"a": [1] * value}]
    elif isinstance(value, (list, tuple)):
        out += _sequence_pieces(list(value))
    elif isinstance(value, dict):
        out += [list(value), list(value.values()), list(value.items()), len(value)]
        out += [_safely(lambda: {v: k for k, v in value.items()}, {})]
    elif isinstance(value, (set, frozenset)):
        out += [sorted(value, key=repr), len(value)]
    if depth < 2 and isinstance(value, (list, tuple, dict, set)):
        parts = [*value, *(value.values() if isinstance(value, dict) else ())]
        for part in parts[:6]:
            out += pieces(part, depth + 1)[:8]
    return distinct(out)


def _safely(make: Callable[[], Any], default: Any) -> Any:
    try:
        return make()
    except TypeError:
        return default


def _text_pieces(text: str) -> list[Any]:
    words = text.split()
    out: list[Any] = [text[::-1], text.swapcase(), text.lower(), text.upper(), list(text), words, len(text), [text]]
    out += [
        text[:-1],
        text[1:],
        text[:1],
        text[-1:],
        text.strip(),
        text.split(","),
        text.title(),
        text[: len(text) // 2],
    ]
    out += [*words[:4], *words[-2:], text.count(" "), text + text[-1:], text.replace(" ", ""), " ".join(text)]
    out += [text[k : k + 1] for k in range(min(len(text), 8))] + [text[:2], text[-2:], text + " ", " " + text]
    out += [text[a : len(text) - b] for a in range(3) for b in range(3) if a + b > 1]
    if text.strip().lstrip("-").isdigit() and len(text) < 18:
        out.append(int(text))
    return out


def _sequence_pieces(items: list[Any]) -> list[Any]:
    out: list[Any] = [
        items,
        items[::-1],
        len(items),
        items[1:],
        items[:-1],
        items[:1],
        items[-1:],
        tuple(items),
        [items],
    ]
    if items and all(isinstance(i, str) for i in items):
        out += [sep.join(items) for sep in ("", " ", ",", ", ", "\n", "-")]
        distinct_parts = list(dict.fromkeys(items))  # a text that the items may have been picked from, and their places
        out += ["".join(distinct_parts), [distinct_parts.index(item) for item in items]]
    if items and all(isinstance(i, (int, float)) for i in items):
        out += [
            sum(items),
            max(items),
            min(items),
            [i + 1 for i in items],
            [i - 1 for i in items],
            [i / 2 for i in items],
        ]
        out += [[i // 2 for i in items], [str(i) for i in items]]
    if items and all(isinstance(i, (list, tuple)) for i in items):
        out += [[part for row in items for part in row]]
        if all(len(i) == 2 for i in items):
            out.append(_safely(lambda: dict(items), {}))
            out += [[i[0] for i in items], [i[1] for i in items]]
    else:
        out += [_safely(lambda: dict.fromkeys(items, 1), {}), _safely(lambda: dict(enumerate(items)), {})]
        out += [[[i] for i in items]]
    return [*out, items + items[-1:], items[: len(items) // 2]]


def pool(shape: Shape, output: Any, constants: Sequence[Any]) -> list[Any]:
    """Values for one parameter, most promising first: likely kinds first, inside a kind the output's pieces."""
    near = pieces(output)
    if isinstance(output, str):  # what the program itself may have put between the parts
        marks = [c for c in constants if isinstance(c, str) and c and c in output]
        near += [changed for c in marks for changed in (output.replace(c, " "), output.replace(c, ""), output.split(c))]
    kinds = shape.ranked() or [type(output).__name__]
    items = [k for k, weight in sorted(shape.items.items(), key=lambda kv: -kv[1]) if weight > 0]
    fixed = [*constants, *(c + 1 for c in constants if type(c) is int), *(c - 1 for c in constants if type(c) is int)]
    fixed += [list(c) for c in constants if isinstance(c, str)]
    columns = []
    for kind in [*kinds[:3], *(k for k in ("str", "list", "int", "dict") if k not in kinds[:3])]:
        own = [v for v in near if type(v).__name__ == kind]
        small, set_ = samples(kind, items), [v for v in fixed if type(v).__name__ == kind]
        columns.append(distinct([*own[:1], *_interleave(own[1:], set_, small)]))
    cut = max(1, min(3, len(kinds)))
    return distinct([*_interleave(*columns[:cut]), *_interleave(*columns[cut:])])


def _interleave(*rows: Sequence[Any]) -> list[Any]:
    longest = max(map(len, rows), default=0)
    return [row[k] for k in range(longest) for row in rows if k < len(row)]


def diagonal(pools: Sequence[Sequence[Any]]) -> Iterator[Arguments]:
    """Combinations of the pools, those of small index sums first."""
    if not pools or not all(pools):
        if not pools:
            yield ()
        return
    start = (0,) * len(pools)
    queue: list[tuple[int, tuple[int, ...]]] = [(0, start)]
    seen = {start}
    while queue:
        _, at = heapq.heappop(queue)
        yield tuple(row[k] for row, k in zip(pools, at, strict=True))
        for axis in range(len(pools)):
            after = (*at[:axis], at[axis] + 1, *at[axis + 1 :])
            if after[axis] < len(pools[axis]) and after not in seen:
                seen.add(after)
                heapq.heappush(queue, (sum(k * k for k in after) if len(pools) < 4 else sum(after), after))


def similarity(got: Any, wanted: Any) -> float:
    """How close two plain values are, 0 to 1; 1 only where they look the same."""
    if type(got) is not type(wanted):
        return 0.05
    if isinstance(wanted, (int, float)):
        return 1.0 if got == wanted else 0.2 + 0.6 / (1 + min(abs(got - wanted), 1e9))
    if isinstance(wanted, dict):
        got, wanted = list(got.items()), list(wanted.items())
    elif isinstance(wanted, (set, frozenset)):
        got, wanted = sorted(got, key=repr), sorted(wanted, key=repr)
    if not isinstance(wanted, (str, list, tuple)):
        return 1.0 if got == wanted else 0.1
    return _sequence_similarity(got, wanted)


def _sequence_similarity(got: Any, wanted: Any) -> float:
    if repr(got) == repr(wanted):
        return 1.0
    a, b = (
        ([repr(x) for x in got], [repr(x) for x in wanted])
        if not isinstance(wanted, str)
        else (list(got), list(wanted))
    )
    longest = max(len(a), len(b), 1)
    front = next((k for k, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
    back = next((k for k, (x, y) in enumerate(zip(a[::-1], b[::-1], strict=False)) if x != y), min(len(a), len(b)))
    shared = sum((Counter(a) & Counter(b)).values())
    return 0.1 + 0.8 * (max(front, back) + shared + (longest - abs(len(a) - len(b)))) / (3 * longest)


class Climber:
    """Keeps the best arguments seen and mutates them. `tell` feeds it, `propose` asks for more."""

    def __init__(self, pools: Sequence[Sequence[Any]], seed: int) -> None:
        self._pools = pools
        self._random = random.Random(seed)
        self._best: list[tuple[float, int, Arguments]] = []
        self._count = 0

    def tell(self, arguments: Arguments, score: float) -> None:
        self._count += 1
        heapq.heappush(self._best, (score, -self._count, arguments))
        if len(self._best) > 24:
            heapq.heappop(self._best)

    def propose(self, count: int) -> Iterator[Arguments]:
        """`count` mutants of good arguments; better parents more often."""
        ranked = sorted(self._best, reverse=True)
        for _ in range(count):
            if not ranked:
                yield tuple(self._random.choice(row) for row in self._pools)
                continue
            parent = ranked[min(int(self._random.expovariate(0.25)), len(ranked) - 1)][2]
            yield self._mutant(parent)

    def _mutant(self, parent: Arguments) -> Arguments:
        out = list(parent)
        if not out:
            return parent  # a function without parameters has one call
        for _ in range(1 + (self._random.random() < 0.3)):
            axis = self._random.randrange(len(out))
            if self._random.random() < 0.3:
                row = self._pools[axis]
                out[axis] = row[min(int(self._random.expovariate(0.12)), len(row) - 1)]
            else:
                out[axis] = self._change(out[axis], self._pools[axis])
        return tuple(out)

    def _change(self, value: Any, row: Sequence[Any]) -> Any:
        pick = self._random
        if isinstance(value, bool):
            return not value
        if isinstance(value, int):
            return value + pick.choice((1, -1, 2, -2, 5, -5, 10, -10, value, -2 * value))
        if isinstance(value, float):
            return value + pick.choice((1.0, -1.0, 0.5, -0.5))
        if isinstance(value, str):
            return self._change_sequence(value, [c for r in row if isinstance(r, str) for c in (r, *r)] or ["a"])
        if isinstance(value, (list, tuple)):
            parts = [p for r in row if isinstance(r, (list, tuple)) for p in r] or [1, "a"]
            return type(value)(self._change_sequence(list(value), [[p] for p in parts]))
        if isinstance(value, dict):
            return self._change_dict(value, row)
        return pick.choice(row)

    def _change_sequence(self, value: Any, parts: Sequence[Any]) -> Any:
        pick, size = self._random, len(value)
        at = pick.randrange(size + 1)
        end = min(size, at + 1 + int(pick.expovariate(1.0)))
        part = pick.choice(parts)
        if isinstance(value, list) and at < size and pick.random() < 0.3:
            return [*value[:at], self._change(value[at], [value[at], *(p[0] for p in parts)]), *value[at + 1 :]]
        move = pick.randrange(5)
        if move == 0:
            return value[:at] + part + value[at:]
        if move == 1:
            return value[:at] + value[end:]
        if move == 2:
            return value[:at] + part + value[end:]
        if move == 3:
            return value[:end] + value[at:end] + value[end:]
        return value[end:] + value[at:end] + value[:at]

    def _change_dict(self, value: dict[Any, Any], row: Sequence[Any]) -> dict[Any, Any]:
        pick = self._random
        pairs = [pair for r in row if isinstance(r, dict) for pair in r.items()] or [("a", 1)]
        out = dict(value)
        if out and pick.random() < 0.5:
            key = pick.choice(list(out))
            if pick.random() < 0.5:
                del out[key]
            else:
                out[key] = self._change(out[key], [v for _, v in pairs])
        else:
            key, item = pick.choice(pairs)
            out[key] = item
        return out

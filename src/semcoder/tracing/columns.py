"""The columns of a trace as they travel: packed by the recorder, unpacked and checked by whoever takes them.

    heads    [[kind, site], ...], each once                  events   which head each event has, in order
    values   refs of the events whose kind has a value       counts   the numbers and truths of the others, in order
    texts    what was printed, chunk by chunk                names    of variables
    nodes    the table of values, deltas among them          truncated

`events` and `counts` are base64 of little-endian unsigned integers, `[width, text]` with the width in bytes.

Guarantees: `unpacked(packed(...))` gives back what was recorded; for anything else it raises ValueError, in time and
memory linear in the document; kinds, refs and nodes are well formed then. It does not check names, nor what the program
has at a site: see `semcoder.tracing.trace`.

Runs inside the sandbox: standard library only.
"""

from __future__ import annotations

import binascii
import sys
from array import array
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice
from operator import call
from typing import Any, overload

from semcoder.core.encode import DELTA_CHAIN, INT_MAX
from semcoder.core.encode import unpacked as applied
from semcoder.core.unfolding import PART, check_size, check_unfolding, inner_places, text_size
from semcoder.core.values import check_nodes, check_ref

KINDS = "cseti dmk=-grxhzyvouwn"
VALUE_KINDS = frozenset("em=grxhy")
_COUNT_KINDS = frozenset("csidkzvuwn")
_TYPECODES = {1: "B", 2: "H", 4: "I"}
_INDEX = {kind: index for index, kind in enumerate(KINDS)}
_EMPTY = ["list", 0]
#: Types of refs of which every object is well formed, ints within bounds.
_FREE = frozenset({int, bool, str, type(None)})
_NUMBERS = frozenset({int, bool})
_PARTS = frozenset({"heads", "events", "values", "counts", "texts", "names", "nodes", "truncated"})


def code(kind: str, site: int) -> int:
    """Kind and site (from -1 up) as one number."""
    return (site + 1) << 5 | _INDEX[kind]


def site(number: int) -> int:
    """The site of a code."""
    return (number >> 5) - 1


def packed(
    codes: Sequence[int],
    values: Sequence[Any],
    counts: Sequence[int],
    texts: Sequence[str],
    names: Sequence[str],
    nodes: Sequence[Any],
    truncated: bool,
) -> dict[str, Any]:
    """JSON data. What the value columns hold beyond the events is left out."""
    if truncated:
        total: Counter[str] = Counter()
        for number, count in Counter(codes).items():
            total[_source(KINDS[number & 31])] += count
        values, counts, texts = values[: total["values"]], counts[: total["counts"]], texts[: total["texts"]]
    heads = {number: place for place, number in enumerate(dict.fromkeys(codes))}
    return {
        "heads": [[KINDS[number & 31], site(number)] for number in heads],
        "events": _packed_ints(list(map(heads.__getitem__, codes)), len(heads)),
        "values": values,
        "counts": _packed_ints(counts, max(counts, default=0) + 1),
        "texts": texts,
        "names": names,
        "nodes": nodes,
        "truncated": truncated,
    }


def _source(kind: str) -> str:
    """The column that an event of this kind has its ref in."""
    if kind in VALUE_KINDS:
        return "values"
    return {"o": "texts", "-": "nothing"}.get(kind, "counts")


def _packed_ints(numbers: Sequence[int], bound: int) -> list[Any]:
    width = 1 if bound <= 1 << 8 else 2 if bound <= 1 << 16 else 4
    data = array(_TYPECODES[width], numbers)
    if sys.byteorder == "big":
        data.byteswap()
    return [width, binascii.b2a_base64(data.tobytes(), newline=False).decode("ascii")]


def _unpacked_ints(document: Any) -> list[int]:
    width, text = document
    if type(width) is not int or width not in _TYPECODES or not isinstance(text, str):
        raise ValueError("a column of numbers is a width and a text")
    data = array(_TYPECODES[width])
    data.frombytes(binascii.a2b_base64(text.encode("ascii"), strict_mode=True))
    if sys.byteorder == "big":
        data.byteswap()
    return data.tolist()


def is_packed(columns: Any) -> bool:
    return isinstance(columns, dict) and columns.keys() == _PARTS


def unpacked(columns: dict[str, Any], max_events: int) -> dict[str, Any]:
    """Kinds, sites and refs event by event; `nodes` as a `Table`. Raises ValueError."""
    heads, events = columns["heads"], columns["events"]
    if isinstance(events, list) and len(events) == 2 and isinstance(events[1], str) and len(events[1]) > 8 * max_events:
        raise ValueError(f"it has more events than the {max_events} that are ever recorded")
    events, counts = _unpacked_ints(events), _unpacked_ints(columns["counts"])
    if len(events) > max_events:
        raise ValueError(f"it has {len(events)} events, more than the {max_events} that are ever recorded")
    for head in heads:
        if not (isinstance(head, list) and len(head) == 2 and type(head[0]) is str and type(head[1]) is int):
            raise ValueError("a head is a kind and a site")
        if head[0] not in _INDEX or head[0] == " " or head[1] < -1:
            raise ValueError("an event has an unknown kind or site")
    if events and max(events) >= len(heads):
        raise ValueError("an event has an unknown head")
    sources: dict[str, Any] = {
        "values": columns["values"],
        "counts": counts,
        "texts": columns["texts"],
    }
    if not all(isinstance(sources[name], list) for name in ("values", "texts")):
        raise ValueError("a column has the wrong type")
    total: Counter[str] = Counter()
    for place, count in Counter(events).items():
        total[_source(heads[place][0])] += count
    if any(total[name] != len(sources[name]) for name in ("values", "counts", "texts")):
        raise ValueError("the columns differ in length")
    if not set(map(type, columns["texts"])) <= {str}:
        raise ValueError("printed text is no text")
    table = Table(columns["nodes"])
    check_refs(columns["values"], len(table))
    return {
        "kinds": "".join(map([kind for kind, _ in heads].__getitem__, events)),
        "sites": list(map([number for _, number in heads].__getitem__, events)),
        "refs": _refs([kind for kind, _ in heads], events, sources),
        "names": columns["names"],
        "nodes": table,
        "truncated": columns["truncated"],
    }


def _refs(kinds: list[str], events: list[int], sources: dict[str, Any]) -> list[Any]:
    """The ref of each event, from the column that its kind has it in. Raises ValueError."""
    readers = {name: iter(column).__next__ for name, column in sources.items()}
    truths = [False, True].__getitem__
    readers["truths"] = lambda: truths(readers["counts"]())
    readers["nothing"] = lambda: None
    ways = [readers["truths" if kind == "t" else _source(kind)] for kind in kinds]
    try:
        return list(map(call, map(ways.__getitem__, events)))
    except IndexError:
        raise ValueError("a truth is 0 or 1") from None


def check_refs(refs: Sequence[Any], size: int) -> None:
    """Raises ValueError unless all are refs over a table of this size: `check_ref` of each, but faster."""
    types = set(map(type, refs))
    if int in types:
        numbers = refs if types <= _NUMBERS else [ref for ref in refs if type(ref) is int]
        if min(numbers) < -INT_MAX or max(numbers) > INT_MAX:
            raise ValueError("an int of this size is tagged")
    if not types <= _FREE:
        for ref in refs:
            if type(ref) not in _FREE:
                if type(ref) is list and len(ref) == 1 and type(ref[0]) is int and 0 <= ref[0] < size:
                    continue
                check_ref(ref, size)


class Table(Sequence[Any]):
    """A checked table of nodes, in which deltas are made whole when they are asked for.

    Raises ValueError where a node is malformed or what it unfolds to passes the bounds (see `semcoder.core.unfolding`).
    """

    _KEPT = 1024
    _APART = 32

    def __init__(self, nodes: Any) -> None:
        if not isinstance(nodes, list):
            raise ValueError("a column has the wrong type")
        self._nodes = nodes
        self._made: dict[int, list[Any]] = {}
        _check_table(nodes)

    def __len__(self) -> int:
        return len(self._nodes)

    @overload
    def __getitem__(self, place: int) -> Any: ...
    @overload
    def __getitem__(self, place: slice) -> list[Any]: ...
    def __getitem__(self, place: int | slice) -> Any:
        if isinstance(place, slice):
            return [self[k] for k in range(*place.indices(len(self)))]
        node = self._nodes[place]
        return node if node[0] != "+" else self._whole(place)

    def __iter__(self) -> Iterator[Any]:
        return map(self.__getitem__, range(len(self)))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and len(self) == len(other) and all(map(_equal, self, other))

    __hash__ = None  # type: ignore[assignment]

    def _whole(self, place: int) -> list[Any]:
        chain = []
        while place not in self._made and self._nodes[place][0] == "+":
            chain.append(place)
            place = self._nodes[place][1]
        whole = self._made.get(place) or self._nodes[place]
        for left, link in zip(range(len(chain) - 1, -1, -1), reversed(chain), strict=True):
            whole = applied(self._nodes[link], whole)
            if left % self._APART == 0:  # for whoever goes back from here
                self._keep(link, whole)
        return whole

    def _keep(self, place: int, whole: list[Any]) -> None:
        if len(self._made) >= self._KEPT:
            for old in list(islice(self._made, self._KEPT // 2)):
                del self._made[old]
        self._made[place] = whole


def _equal(one: Any, two: Any) -> bool:
    return bool(one == two)


def _is_delta(node: Any) -> bool:
    return type(node) is list and node[:1] == ["+"]


def _check_table(nodes: list[Any]) -> None:
    """Raises ValueError (`TooLarge` is one) where a table with deltas is not one that an encoder writes."""
    flat = list(map(_is_flat, nodes))
    deltas = [place for place, node in enumerate(nodes) if not flat[place] and _is_delta(node)]
    sizes = dict.fromkeys(deltas, 0)
    check_nodes([node for place, node in enumerate(nodes) if not flat[place] and place not in sizes], len(nodes))
    lengths: dict[int, int] = {}
    chains: dict[int, int] = {}
    for place in deltas:
        node = nodes[place]
        base = node[1] if len(node) > 1 else None
        if type(base) is not int or not 0 <= base < place:
            raise ValueError("a delta is of an earlier node")
        lengths[place], text = _checked(node, lengths[base] if base in lengths else _length(nodes[base]))
        chains[place] = chains.get(base, 0) + 1
        if chains[place] > DELTA_CHAIN + lengths[place] // 4:
            raise ValueError("a list is too many deltas from a whole one")
        sizes[place] = (sizes[base] if base in sizes else _own_size(nodes[base])) + PART * len(node) + text
    extents: list[tuple[int, int]] = []
    for place, node in enumerate(nodes):
        size, depth = sizes.get(place, 0), 1
        if flat[place]:
            size = PART * len(node)
        elif not size:
            inner = list(inner_places(node))
            if inner and max(inner) >= place:  # part of a cycle, perhaps: asked of those who know cycles
                shape = [_Leaf(sizes[k]) if k in sizes else nodes[k] for k in range(len(nodes))]
                check_unfolding(shape, range(place, len(shape)), extents)
                return
            size = _own_size(node) + sum([extents[part][0] for part in inner])
            depth += max([extents[part][1] for part in inner], default=0)
        check_size(size, depth)
        extents.append((size, depth))


def _own_size(node: Any) -> int:
    return PART * len(node) + sum(map(text_size, node[2:]))


class _Leaf:
    """Stands for a node of known size that holds no other node, where only that is asked."""

    __slots__ = ("_length",)

    def __init__(self, size: int) -> None:
        self._length = -(-size // PART)

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, _: slice) -> tuple[()]:
        return ()


def _is_flat(node: Any) -> bool:
    """Whether this is a well-formed list or tuple of small ints: most nodes are, so they are told at the speed of C."""
    if type(node) is not list or len(node) < 2 or (node[0] != "list" and node[0] != "tuple"):
        return False
    body = node[1:]
    return set(map(type, body)) == {int} and min(body) >= -INT_MAX and max(body) <= INT_MAX


def _length(node: Any) -> int:
    """Of a list of scalars. Raises ValueError for any other node."""
    if type(node) is not list or node[0] != "list" or any(True for _ in inner_places(node)):
        raise ValueError("a delta is of a list of scalars")
    return len(node) - 2


def _checked(node: list[Any], length: int) -> tuple[int, int]:
    """Length of the list that a delta makes of one of this length, and how much text it holds. Raises ValueError."""
    if len(node) < 3 or len(node) % 2 != 1 or type(node[2]) is not int or node[2] < 0:
        raise ValueError("a delta is a node, a length, and pairs of an index and a ref")
    end, text = min(length, node[2]), 0
    for index, ref in zip(islice(node, 3, None, 2), islice(node, 4, None, 2), strict=True):
        if type(index) is not int or not 0 <= index <= end:
            raise ValueError("a delta changes what is not there")
        end += index == end
        if type(ref) is not int or not -INT_MAX <= ref <= INT_MAX:
            check_ref(ref, 0)
            text += text_size(ref)
    if end != node[2]:
        raise ValueError("a delta has another length than it says")
    return end, text

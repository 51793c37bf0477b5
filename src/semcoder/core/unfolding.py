"""How much a value is when it is followed as it unfolds, and which nodes of a table form cycles.

Guarantees: whatever passes `check_unfolding` can be compared, hashed and written out in time and text linear in
`MAX_UNFOLDED`, shared parts counted as often as they would be written, a cycle once each time that it is entered; both
functions take time linear in the table, whatever it holds.
It does not check that nodes are well formed (see `semcoder.core.values.check_nodes`).

Runs inside the sandbox: standard library only.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

MAX_DEPTH = 150
#: In characters; a part counts as `PART` of them, besides the text that it holds.
MAX_UNFOLDED = 32 * 1024 * 1024
PART = 16

Ref = Any


class TooLarge(ValueError):
    """A value passed a bound of the table; the message says which."""


def place_of(ref: Ref) -> int | None:
    """The index of the node that a ref points to, None for an atom or a tagged scalar."""
    if isinstance(ref, (tuple, list)) and len(ref) == 1 and not isinstance(ref[0], str):
        return int(ref[0])
    return None


def inner_places(node: Sequence[Any]) -> Iterator[int]:
    """The places of the nodes that a node holds, in order."""
    for part in node[2:]:
        if type(part) in (tuple, list) and len(part) == 1 and type(part[0]) is int:
            yield part[0]


def text_size(ref: Ref) -> int:
    """How many characters of text a ref itself holds."""
    if isinstance(ref, str):
        return len(ref)
    return sum(map(text_size, ref)) if isinstance(ref, (tuple, list)) else 0


def check_size(size: int, depth: int, max_depth: int = MAX_DEPTH) -> None:
    """Raises `TooLarge` where a value of this size and depth passes the bounds."""
    if depth > max_depth:
        raise TooLarge(f"a value is nested deeper than {max_depth} levels")
    if size > MAX_UNFOLDED:
        raise TooLarge("a value unfolds to too much")


def check_unfolding(nodes: Sequence[Any], places: Iterable[int], known: Sequence[tuple[int, int]] = ()) -> Extents:
    """Sizes and depths of these places and all below them, by place. Raises `TooLarge`.

    Sixty nodes that each hold the next one twice unfold to more than any memory, a thousand that each hold the next one
    overflow any stack: whoever takes a table from an untrusted process calls this before anything else reads it.
    `known` holds what is known already of the first nodes of the table. A cycle counts as one level.
    """
    extents: Extents = dict(enumerate(known))
    for members in components(nodes, places, len(known)):
        inside, size, depth = set(members), 0, 0
        for place in members:
            node = nodes[place]
            size += PART * len(node) + sum(map(text_size, node[2:]))
            for part in inner_places(node):
                if part not in inside:
                    size += extents[part][0]
                    depth = max(depth, extents[part][1])
        check_size(size, depth + 1)
        extents.update(dict.fromkeys(members, (size, depth + 1)))
    return extents


Extents = dict[int, tuple[int, int]]


def components(nodes: Sequence[Any], roots: Iterable[int], start: int = 0) -> Iterator[list[int]]:
    """Strongly connected components of what the roots reach, each after those that it holds (Tarjan's algorithm).

    Places below `start` are left out.
    """
    number: dict[int, int] = {}
    low: dict[int, int] = {}
    open_: list[int] = []
    began: dict[int, int] = {}  # where each place stands in `open_`
    closed: set[int] = set()
    for root in roots:
        todo = [] if root in number or root < start else [(root, inner_places(nodes[root]))]
        while todo:
            place, rest = todo[-1]
            if place not in number:
                number[place] = low[place] = len(number)
                began[place] = len(open_)
                open_.append(place)
            for part in rest:
                if part >= start and part not in number:
                    todo.append((part, inner_places(nodes[part])))
                    break
                if part >= start and part not in closed:
                    low[place] = min(low[place], number[part])
            else:
                todo.pop()
                if todo:
                    low[todo[-1][0]] = min(low[todo[-1][0]], low[place])
                if low[place] == number[place]:
                    members = open_[began[place] :]
                    del open_[began[place] :]
                    closed.update(members)
                    yield members


def cycles(nodes: Sequence[Any], root: int) -> dict[int, int]:
    """Which cycle a place lies in, by number, for the places below `root` that lie in one."""
    found: dict[int, int] = {}
    for count, members in enumerate(components(nodes, [root])):
        if len(members) > 1 or members[0] in inner_places(nodes[members[0]]):
            found.update(dict.fromkeys(members, count))
    return found

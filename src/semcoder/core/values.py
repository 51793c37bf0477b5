"""`Value`: a read-only view of one value in a table of nodes.

Guarantees: equality is strict and by content (type, sign of zero, nan equals nan, insertion order of dicts does not
count, aliasing and cycles are followed and compared by what they unfold to); `python_equal` is Python's `==` on plain
data. `display` is what `repr` would print for plain data (sets sorted), except that each part of a cycle is written
once and then stands as `[...]`; `literal` is source text that evaluates to the value, or an error where there is none.
What `from_wire` accepts is safe to read, compare and write, whoever sent it.
It does not hold the live object: an opaque part has a type name and a bounded description, nothing else.
See `semcoder.core.encode` for the form of refs and nodes.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from semcoder.core.encode import DESCRIPTION_LENGTH, INT_MAX, Encoder, safe_name
from semcoder.core.unfolding import (
    Ref,
    check_unfolding,
    components,
    cycles,
    inner_places,
    place_of,
)

_BRACKETS = {"list": "[]", "tuple": "()", "set": "{}", "dict": "{}"}
#: How deep the digest of a value looks into its cycles.
_ROUNDS = 8
_PLAIN = frozenset({"list", "tuple", "set", "frozenset", "dict", "bytearray"})


class NotLiteral(ValueError):
    """The value has no literal source text; the message names the part that has none."""


class Value:
    """One value: `ref` over `nodes`. Views are cheap and share their table."""

    __slots__ = ("_digest", "nodes", "ref")

    def __init__(self, ref: Ref, nodes: Sequence[Any] = ()) -> None:
        self.ref = ref
        self.nodes = nodes
        self._digest: str | None = None

    @classmethod
    def of(cls, obj: Any) -> Value:
        """The value of a live object, over a table of its own. Raises `TooLarge`."""
        encoder = Encoder()
        return cls(encoder.ref(obj), encoder.nodes)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Value) and _same(self, other)

    def __hash__(self) -> int:
        return hash(self.digest())

    def __repr__(self) -> str:
        return f"Value({self.display()})"

    @property
    def place(self) -> int | None:
        """The index of this value's node, None for an atom."""
        return place_of(self.ref)

    @property
    def node(self) -> Sequence[Any] | None:
        place = self.place
        return None if place is None else self.nodes[place]

    @property
    def kind(self) -> str:
        """`int`, `str`, `bool`, `None`, `float`, `bytes`, `complex`, `range`, `Ellipsis`, or the node's kind."""
        node = self.node
        if node is not None:
            return str(node[0])
        if isinstance(self.ref, (tuple, list)):
            return _TAGS[self.ref[0]]
        return "None" if self.ref is None else type(self.ref).__name__

    @property
    def base(self) -> str:
        """The kind without the name of a subclass: a Counter is a `dict`."""
        return self.kind.partition("/")[0]

    @property
    def type_name(self) -> str:
        """The Python type's name, `NoneType` for None."""
        node = self.node
        if node is None:
            return "NoneType" if self.ref is None else self.kind.replace("Ellipsis", "ellipsis")
        base, _, sub = self.kind.partition("/")
        if base in ("object", "exception"):
            return str(node[2])
        return str(node[2]) if base == "opaque" else sub or base

    @property
    def oid(self) -> int | None:
        """The identity of the object inside its table; None for an atom."""
        node = self.node
        return None if node is None else int(node[1])

    def children(self) -> list[Value]:
        """Members in order; keys and values in turn for dicts; attribute values for objects; args for exceptions."""
        node = self.node
        if node is None:
            return []
        base = self.base
        if base in ("bytearray", "opaque"):
            return []
        rest = node[4::2] if base == "object" else node[3:] if base == "exception" else node[2:]
        return [Value(ref, self.nodes) for ref in rest]

    def items(self) -> list[tuple[Value, Value]]:
        """Key and value pairs of a dict, in order."""
        parts = self.children()
        return list(zip(parts[::2], parts[1::2], strict=True))

    def attributes(self) -> dict[str, Value]:
        """Attributes of an object, in order; empty for everything else."""
        node = self.node
        if node is None or self.base != "object":
            return {}
        return {str(name): Value(ref, self.nodes) for name, ref in zip(node[3::2], node[4::2], strict=True)}

    def is_complete(self) -> bool:
        """Whether all of it is data: no opaque part (a function, an iterator) and no live view of a dict."""
        return all(v.base not in ("opaque", "view") for v in self.walk())

    def is_literal(self) -> bool:
        """Whether `literal` succeeds."""
        try:
            self.literal()
        except NotLiteral:
            return False
        return True

    def walk(self) -> Iterator[Value]:
        """This value and all its parts, each node once."""
        seen: set[int] = set()
        todo = [self]
        while todo:
            value = todo.pop()
            place = value.place
            if place is not None:
                if place in seen:
                    continue
                seen.add(place)
                todo.extend(reversed(value.children()))
            yield value

    def display(self, limit: int | None = None) -> str:
        """What `repr` prints for plain data, sets sorted; with `limit`, shortened in the middle to about that."""
        text = _written(self.nodes, self.ref, literal=False)
        if limit is None or len(text) <= limit:
            return text
        head = limit * 2 // 3
        return f"{text[:head]} ... {text[-(limit - head) :]}"

    def literal(self) -> str:
        """Source text that evaluates to this value with builtins alone. Raises `NotLiteral`."""
        return _written(self.nodes, self.ref, literal=True)

    def to_python(self) -> Any:
        """A new live object equal to this value. Raises `NotLiteral` where it is not plain data."""
        try:
            return _build(self, {})
        except TypeError:
            raise NotLiteral("a set or a dict holds what cannot be hashed") from None
        except RecursionError:
            raise NotLiteral("the value's cycles are nested too deep") from None

    def python_equal(self, other: Value) -> bool | None:
        """Python's `==` where both are plain data (`1 == 1.0 == True`), None where one is not, or holds itself."""
        try:
            return bool(self.to_python() == other.to_python())
        except (NotLiteral, RecursionError):
            return None

    def digest(self) -> str:
        """A content hash: equal values have equal digests (cycles that differ only many levels down have, too)."""
        if self._digest is None:
            found = _digests(self.nodes, self.place)
            self._digest = hashlib.sha256(_content(self.ref, found)).hexdigest()
        return self._digest

    def to_wire(self) -> dict[str, Any]:
        """`{"ref": ..., "nodes": [...]}` holding only the nodes that this value needs."""
        order: dict[int, int] = {}
        for value in self.walk():
            if value.place is not None:
                order.setdefault(value.place, len(order))
        return {"ref": _renumber(self.ref, order), "nodes": [_renumber_node(self.nodes[k], order) for k in order]}

    @classmethod
    def from_wire(cls, doc: Any) -> Value:
        """The inverse of `to_wire`; also what comes from untrusted processes.

        Raises ValueError on malformed input, `TooLarge` (one too) for what no encoder makes: nested or unfolding beyond
        bounds.
        """
        if not isinstance(doc, dict) or not isinstance(doc.get("nodes"), list):
            raise ValueError("a value is {'ref': ..., 'nodes': [...]}")
        check_nodes(doc["nodes"])
        check_ref(doc.get("ref"), len(doc["nodes"]))
        value = cls(doc.get("ref"), doc["nodes"])
        if value.place is not None:
            check_unfolding(value.nodes, [value.place])
        return value


_TAGS = {"i": "int", "f": "float", "b": "bytes", "c": "complex", "r": "range", "...": "Ellipsis"}
_SIZES = {"i": 2, "f": 2, "b": 2, "c": 3, "r": 4, "...": 1}
# How many strings follow the oid before the refs begin, and whether names alternate with refs.
_TEXT_PARTS = {"object": 1, "exception": 1, "opaque": 2, "bytearray": 1}
_BASES = _PLAIN | frozenset({"view", "object", "exception", "opaque"})


def check_ref(ref: Any, size: int) -> None:
    """Raises ValueError unless `ref` is well formed over a table of `size` nodes."""
    if ref is None or isinstance(ref, (bool, str)):
        return
    if isinstance(ref, int):
        if not -INT_MAX <= ref <= INT_MAX:
            raise ValueError("an int of this size is tagged")
        return
    if not isinstance(ref, (list, tuple)) or not ref:
        raise ValueError("a ref is an atom or a non-empty list")
    tag = ref[0]
    if len(ref) == 1 and type(tag) is int:
        if not 0 <= tag < size:
            raise ValueError(f"a ref points to node {tag} of {size}")
        return
    if not isinstance(tag, str) or _SIZES.get(tag) != len(ref):
        raise ValueError("a ref has an unknown tag")
    _check_scalar(tag, ref)


def _check_scalar(tag: str, ref: Sequence[Any]) -> None:
    if tag == "r":
        for part in ref[1:]:
            is_tagged = isinstance(part, (list, tuple)) and len(part) == 2 and part[0] == "i"
            if type(part) is not int and not is_tagged:
                raise ValueError("a range has ends that are not ints")
            check_ref(part, 0)
        if _scalar(ref[3]) == 0:
            raise ValueError("a range has step 0")
        return
    if not all(isinstance(part, str) for part in ref):
        raise ValueError("a tagged ref holds text")
    if tag == "i":
        int(ref[1], 16)
    elif tag == "b":
        bytes.fromhex(ref[1])
    else:
        for part in ref[1:]:
            try:
                float.fromhex(part)
            except OverflowError:
                raise ValueError("a float is out of range") from None


def check_nodes(nodes: list[Any], size: int | None = None) -> None:
    """Raises ValueError unless all these nodes are well formed, in a table of `size` (None: they are all of it)."""
    size = len(nodes) if size is None else size
    for node in nodes:
        if not isinstance(node, (list, tuple)) or len(node) < 2 or not isinstance(node[0], str):
            raise ValueError("a node is [kind, oid, ...]")
        base = node[0].partition("/")[0]
        if base not in _BASES or type(node[1]) is not int:
            raise ValueError(f"unknown kind of node: {node[0][:40]!r}")
        texts = _TEXT_PARTS.get(base, 0)
        if len(node) < 2 + texts or not all(isinstance(part, str) for part in node[2 : 2 + texts]):
            raise ValueError(f"a {base} node lacks its text")
        if base == "bytearray":
            bytes.fromhex(node[2])
        _check_names(base, node)
        refs = node[2 + texts :]
        if base == "object":
            if not all(isinstance(name, str) for name in refs[::2]):
                raise ValueError("an attribute name is not text")
            refs = refs[1::2]
        if base in ("dict", "object") and len(node) % 2 != (1 if base == "object" else 0):
            raise ValueError(f"a {base} node has an odd part")
        for ref in refs:
            check_ref(ref, size)


def _check_names(base: str, node: Sequence[Any]) -> None:
    """Raises ValueError for names and descriptions that no encoder writes: they stand unquoted in text."""
    names = [node[0].partition("/")[2]] if "/" in node[0] else []
    if base in ("object", "exception", "opaque"):
        names.append(node[2])
    if any(name != safe_name(name) for name in names):
        raise ValueError(f"a {base} node has a type name that no type has")
    if base == "opaque" and not (len(node[3]) <= DESCRIPTION_LENGTH and node[3].isprintable()):
        raise ValueError("an opaque node has a description that is too long or not printable")


def _renumber(ref: Ref, order: dict[int, int]) -> Ref:
    if isinstance(ref, (tuple, list)) and len(ref) == 1 and not isinstance(ref[0], str):
        return (order[ref[0]],)
    return ref


def _renumber_node(node: Sequence[Any], order: dict[int, int]) -> list[Any]:
    return [node[0], node[1], *[_renumber(part, order) for part in node[2:]]]


def _same(a: Value, b: Value) -> bool:
    """Strict equality of what two values unfold to; pairs already under comparison are assumed equal (bisimulation)."""
    digests: list[dict[int, bytes]] = []
    assumed: set[tuple[int, int]] = set()
    todo = [(a.ref, b.ref)]
    while todo:
        x, y = todo.pop()
        px, py = place_of(x), place_of(y)
        if px is None or py is None:
            if px is not py or _atom_text(x) != _atom_text(y):
                return False
            continue
        if (px, py) in assumed or (px == py and a.nodes is b.nodes):
            continue
        assumed.add((px, py))
        nx, ny = a.nodes[px], b.nodes[py]
        if nx[0] != ny[0] or len(nx) != len(ny):
            return False
        parts = nx[2:], ny[2:]
        if nx[0].partition("/")[0] in ("dict", "set", "frozenset"):
            digests = digests or [_digests(a.nodes, a.place), _digests(b.nodes, b.place)]
            parts = _arranged(nx, digests[0]), _arranged(ny, digests[1])
        todo += zip(*parts, strict=True)
    return True


def _arranged(node: Sequence[Any], digests: dict[int, bytes]) -> list[Ref]:
    """The parts of a dict or a set in an order that depends on their content alone."""
    parts = node[2:]
    if node[0].partition("/")[0] != "dict":
        return sorted(parts, key=lambda part: _content(part, digests))
    items = zip(parts[::2], parts[1::2], strict=True)
    return [part for item in sorted(items, key=lambda kv: [_content(part, digests) for part in kv]) for part in item]


def _digests(nodes: Sequence[Any], root: int | None) -> dict[int, bytes]:
    """Content hashes of the nodes below a place (none for an atom), the same in every table.

    What holds no cycle has a hash of all its content; the rest, of its content some levels down.
    """
    found: dict[int, bytes] = {}
    endless: list[int] = []
    for members in components(nodes, [] if root is None else [root]):
        if len(members) == 1 and all(part in found for part in inner_places(nodes[members[0]])):
            found[members[0]] = _node_digest(nodes[members[0]], found)
        else:
            endless += members
    found.update(dict.fromkeys(endless, b""))
    for _ in range(_ROUNDS if endless else 0):
        found.update({place: _node_digest(nodes[place], found) for place in endless})
    return found


def _node_digest(node: Sequence[Any], inner: dict[int, bytes]) -> bytes:
    is_unordered = node[0].partition("/")[0] in ("dict", "set", "frozenset")
    parts = [_content(part, inner) for part in (_arranged(node, inner) if is_unordered else node[2:])]
    framed = [b"%d:%b" % (len(part), part) for part in (node[0].encode(), *parts)]
    return hashlib.sha256(b"".join(framed)).digest()


def _content(ref: Ref, digests: dict[int, bytes]) -> bytes:
    place = place_of(ref)
    return _atom_text(ref).encode(errors="surrogatepass") if place is None else digests[place]


def _atom_text(ref: Ref) -> str:
    if isinstance(ref, (tuple, list)):
        return f"({' '.join(map(_atom_text, ref))})"
    return f"{type(ref).__name__} {ref}"


def _build(value: Value, done: dict[int, Any]) -> Any:
    ref, place = value.ref, value.place
    if place is None:
        return _scalar(ref)
    if place in done:
        if done[place] is _PENDING:
            raise NotLiteral("a cycle through a tuple or set has no literal form")
        return done[place]
    base = value.kind
    if base == "list":
        built: Any = done.setdefault(place, [])
        built.extend(_build(child, done) for child in value.children())
        return built
    if base == "dict":
        built = done.setdefault(place, {})
        pairs = [(_build(k, done), _build(v, done)) for k, v in value.items()]
        _check_crowd([key for key, _ in pairs])
        built.update(pairs)
        return built
    if base not in _PLAIN:
        raise NotLiteral(f"a {value.type_name} has no literal form")
    if base == "bytearray":
        return done.setdefault(place, bytearray.fromhex(value.nodes[place][2]))
    done[place] = _PENDING
    parts = [_build(child, done) for child in value.children()]
    if base != "tuple":
        _check_crowd(parts)
    done[place] = {"tuple": tuple, "set": set, "frozenset": frozenset}[base](parts)
    return done[place]


_PENDING = object()
#: Members of one hash that a set or a dict may have.
MAX_CROWD = 200


def _check_crowd(members: list[Any]) -> None:
    """Raises `NotLiteral` where so many members share a hash that putting them together would take forever."""
    if len(members) > MAX_CROWD and max(Counter(map(hash, members)).values()) > MAX_CROWD:
        raise NotLiteral("a set or a dict has too many members of one hash")


def _scalar(ref: Ref) -> Any:
    if not isinstance(ref, (tuple, list)):
        return ref
    tag = ref[0]
    if tag == "i":
        return int(ref[1], 16)
    if tag == "f":
        return float.fromhex(ref[1])
    if tag == "b":
        return bytes.fromhex(ref[1])
    if tag == "c":
        return complex(float.fromhex(ref[1]), float.fromhex(ref[2]))
    if tag == "r":
        return range(_scalar(ref[1]), _scalar(ref[2]), _scalar(ref[3]))
    return ...


def _float_text(value: float, literal: bool) -> str:
    text = repr(value)
    return f"float('{text}')" if literal and text in ("nan", "inf", "-inf") else text


class _EntersCycle(Exception):
    """A writer that knows of no cycles came to one."""


def _written(nodes: Sequence[Any], ref: Ref, *, literal: bool) -> str:
    try:
        return _Writer(nodes, {}, literal=literal).write(ref)
    except _EntersCycle:
        if literal:
            raise NotLiteral("a value that contains itself has no literal form") from None
    place = place_of(ref)
    assert place is not None
    return _Writer(nodes, cycles(nodes, place), literal=False).write(ref)


class _Writer:
    """Text of refs over one table, without recursion. From where a cycle is entered, each of its nodes is written once.

    `cycles`: for each place in a cycle, which one; with none given, a cycle raises `_EntersCycle`.
    """

    def __init__(self, nodes: Sequence[Any], cycles: dict[int, int], *, literal: bool) -> None:
        self._nodes = nodes
        self._literal = literal
        self._cycles = cycles
        self._open: set[int] = set()
        self._inside: dict[int, set[int]] = {}  # a cycle that was entered: its nodes written since

    def write(self, ref: Ref) -> str:
        out: list[str] = []
        todo = [self._piece(ref)]  # text; or a node to write, by its place; or the end of one, by its complement
        while todo:
            piece = todo.pop()
            if isinstance(piece, str):
                out.append(piece)
            elif piece < 0:
                self._leave(~piece)
            elif not self._enter(piece):
                brackets = _BRACKETS.get(str(self._nodes[piece][0]).partition("/")[0], "<>")
                out.append(f"{brackets[0]}...{brackets[1]}")
            else:
                pieces = self._node(self._nodes[piece])
                if len(pieces) == 1:  # a node of atoms: its text
                    out.append(str(pieces[0]))
                    self._leave(piece)
                else:
                    todo.append(~piece)
                    todo += reversed(pieces)
        return "".join(out)

    def _enter(self, place: int) -> bool:
        """Whether a node is to be written here, rather than a sign that it was."""
        cycle = self._cycles.get(place)
        if cycle is None:
            if place in self._open:
                raise _EntersCycle
            self._open.add(place)
        elif cycle not in self._inside:
            self._open.add(place)
            self._inside[cycle] = {place}
        elif place in self._inside[cycle]:
            return False
        else:
            self._inside[cycle].add(place)
        return True

    def _leave(self, place: int) -> None:
        if place in self._open:
            self._open.remove(place)
            if place in self._cycles:
                del self._inside[self._cycles[place]]

    def _piece(self, ref: Ref) -> str | int:
        place = place_of(ref)
        if place is not None:
            return place
        return self._tagged(ref) if isinstance(ref, (tuple, list)) else repr(ref)

    def _tagged(self, ref: Sequence[Any]) -> str:
        if ref[0] == "r":
            ends = [str(self._piece(part)) for part in ref[1:]]
            return f"range({', '.join(ends[:2] if ends[2] == '1' else ends)})"
        value = _scalar(ref)
        if isinstance(value, float):
            return _float_text(value, self._literal)
        if isinstance(value, complex) and self._literal:
            return f"complex({_float_text(value.real, True)}, {_float_text(value.imag, True)})"
        if isinstance(value, int) and value.bit_length() > 14_000 and sys.get_int_max_str_digits():
            return hex(value)  # str() refuses more than 4,300 digits
        return "..." if self._literal and value is ... else repr(value)

    def _node(self, node: Sequence[Any]) -> list[str | int]:
        base, _, sub = str(node[0]).partition("/")
        if self._literal and (sub or base not in _PLAIN):
            raise NotLiteral(f"a {sub or node[2]} has no literal form")
        if base == "bytearray":
            return [repr(bytearray.fromhex(node[2]))]
        if base == "opaque":
            return [f"<{node[2]} {node[3]}>" if node[3] and not node[3].startswith(node[2]) else _opaque(node)]
        if base == "object":
            pieces: list[str | int] = [f"{node[2]}("]
            for k in range(3, len(node), 2):
                name = node[k] if node[k].isidentifier() else repr(node[k])
                pieces += [f"{', ' if k > 3 else ''}{name}=", self._piece(node[k + 1])]
            return [*pieces, ")"]
        if base == "exception":
            return [f"{node[2]}(", *self._joined(node[3:]), ")"]
        return self._container(base, sub, node[2:])

    def _joined(self, refs: Sequence[Ref], separators: tuple[str, str] = (", ", ", ")) -> list[str | int]:
        """Refs in turn: a separator stands before each but the first; the second stands before the second ref."""
        parts = [self._piece(ref) if type(ref) in (tuple, list) else repr(ref) for ref in refs]
        if int not in set(map(type, parts)) and separators[0] == separators[1]:
            return [separators[0].join(map(str, parts))]
        pieces: list[str | int] = [""] * (2 * len(parts))
        pieces[::4], pieces[2::4] = [separators[0]] * len(parts[::2]), [separators[1]] * len(parts[1::2])
        pieces[1::2] = parts
        return pieces[1:]

    def _container(self, base: str, sub: str, refs: Sequence[Ref]) -> list[str | int]:
        """As `repr`: `{1: 2}`, `[1]`, `(1,)`, `{1}`, `set()`, `frozenset({1})`, with the type's name for a subclass."""
        if base == "dict":
            before, after = "{", "}"
        elif base in ("set", "frozenset"):
            before, after = ("{", "}") if refs else ("", "") if sub or base == "frozenset" else ("set(", ")")
            sub = sub or ("frozenset" if base == "frozenset" else "")
        elif base == "tuple":
            before, after = ("", "") if sub else ("(", ",)" if len(refs) == 1 else ")")
        else:
            before, after = "[", "]"
        if sub:
            before, after = f"{sub}({before}", f"{after})"
        pieces = self._joined(refs, (", ", ": ") if base == "dict" else (", ", ", "))
        if len(pieces) == 1 and isinstance(pieces[0], str):
            return [before + pieces[0] + after]
        return [before, *pieces, after]


def _opaque(node: Sequence[Any]) -> str:
    return str(node[3]) or f"<{node[2]}>"


def literal_text(obj: Any) -> str:
    """Literal source text of a live plain object. Raises `NotLiteral`, `TooLarge`."""
    return Value.of(obj).literal()


def canonical_json(doc: Any) -> str:
    """One spelling per document: sorted keys, no spaces. What content ids are made from."""
    return json.dumps(doc, sort_keys=True, separators=(",", ":"), ensure_ascii=True)

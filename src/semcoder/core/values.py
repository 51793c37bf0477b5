"""`Value`: a read-only view of one value in a table of nodes.

Guarantees: equality is strict and by content (type, sign of zero, nan equals nan, insertion order of dicts does not
count, aliasing and cycles are followed and compared by what they unfold to); `python_equal` is Python's `==` on plain
data. `display` is what `repr` would print for plain data (sets sorted); `literal` is source text that evaluates to the
value, or an error where there is none.
It does not hold the live object: an opaque part has a type name and a bounded description, nothing else.
See `semcoder.core.encode` for the form of refs and nodes.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from semcoder.core.encode import MAX_DEPTH, Encoder, Ref, TooLarge

_BRACKETS = {"list": "[]", "tuple": "()", "set": "{}", "dict": "{}"}
#: Bounds of a value as it unfolds: an encoder never nests deeper, and nobody reads more (8 characters are one part).
MAX_VALUE_DEPTH = MAX_DEPTH + 10
MAX_UNFOLDED = 10_000_000
_PLAIN = frozenset({"list", "tuple", "set", "frozenset", "dict", "bytearray"})


class NotLiteral(ValueError):
    """The value has no literal source text; the message names the part that has none."""


class Value:
    """One value: `ref` over `nodes`. Views are cheap and share their table."""

    __slots__ = ("nodes", "ref")

    def __init__(self, ref: Ref, nodes: Sequence[Any] = ()) -> None:
        self.ref = ref
        self.nodes = nodes

    @classmethod
    def of(cls, obj: Any) -> Value:
        """The value of a live object, over a table of its own. Raises `TooLarge`."""
        encoder = Encoder()
        return cls(encoder.ref(obj), encoder.nodes)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Value) and _same(self, other, set())

    def __hash__(self) -> int:
        return hash(self.kind)

    def __repr__(self) -> str:
        return f"Value({self.display()})"

    @property
    def place(self) -> int | None:
        """The index of this value's node, None for an atom."""
        ref = self.ref
        if isinstance(ref, (tuple, list)) and len(ref) == 1 and not isinstance(ref[0], str):
            return int(ref[0])
        return None

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
        text = _Writer(self.nodes, literal=False).write(self.ref)
        if limit is None or len(text) <= limit:
            return text
        head = limit * 2 // 3
        return f"{text[:head]} ... {text[-(limit - head) :]}"

    def literal(self) -> str:
        """Source text that evaluates to this value with builtins alone. Raises `NotLiteral`."""
        return _Writer(self.nodes, literal=True).write(self.ref)

    def to_python(self) -> Any:
        """A new live object equal to this value. Raises `NotLiteral` where it is not plain data."""
        try:
            return _build(self, {})
        except TypeError:
            raise NotLiteral("a set or a dict holds what cannot be hashed") from None

    def python_equal(self, other: Value) -> bool | None:
        """Python's `==` where both are plain data (`1 == 1.0 == True`), None where one is not."""
        try:
            return bool(self.to_python() == other.to_python())
        except NotLiteral:
            return None

    def digest(self) -> str:
        """A content hash: equal values have equal digests (cyclic values are told apart by display only)."""
        return hashlib.sha256(self.kind.encode() + b"\0" + self.display().encode(errors="surrogatepass")).hexdigest()

    def to_wire(self) -> dict[str, Any]:
        """`{"ref": ..., "nodes": [...]}` holding only the nodes that this value needs."""
        order: dict[int, int] = {}
        for value in self.walk():
            if value.place is not None:
                order.setdefault(value.place, len(order))
        return {"ref": _renumber(self.ref, order), "nodes": [_renumber_node(self.nodes[k], order) for k in order]}

    @classmethod
    def from_wire(cls, doc: Any) -> Value:
        """The inverse of `to_wire`; also what comes from untrusted processes. Raises ValueError on malformed input."""
        if not isinstance(doc, dict) or not isinstance(doc.get("nodes"), list):
            raise ValueError("a value is {'ref': ..., 'nodes': [...]}")
        check_nodes(doc["nodes"])
        check_ref(doc.get("ref"), len(doc["nodes"]))
        return cls(doc.get("ref"), doc["nodes"])


_TAGS = {"i": "int", "f": "float", "b": "bytes", "c": "complex", "r": "range", "...": "Ellipsis"}
_SIZES = {"i": 2, "f": 2, "b": 2, "c": 3, "r": 4, "...": 1}
# How many strings follow the oid before the refs begin, and whether names alternate with refs.
_TEXT_PARTS = {"object": 1, "exception": 1, "opaque": 2, "bytearray": 1}
_BASES = _PLAIN | frozenset({"view", "object", "exception", "opaque"})


def check_ref(ref: Any, size: int) -> None:
    """Raises ValueError unless `ref` is well formed over a table of `size` nodes."""
    if ref is None or isinstance(ref, (bool, int, str)):
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
            check_ref(part, 0)
            if not isinstance(Value(part).to_python(), int):
                raise ValueError("a range has ends that are not ints")
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


def check_nodes(nodes: list[Any]) -> None:
    """Raises ValueError unless every node of the table is well formed."""
    size = len(nodes)
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
        refs = node[2 + texts :]
        if base == "object":
            if not all(isinstance(name, str) for name in refs[::2]):
                raise ValueError("an attribute name is not text")
            refs = refs[1::2]
        if base in ("dict", "object") and len(node) % 2 != (1 if base == "object" else 0):
            raise ValueError(f"a {base} node has an odd part")
        for ref in refs:
            check_ref(ref, size)


def check_unfolding(nodes: Sequence[Any], places: Iterable[int]) -> None:
    """Raises `TooLarge` for nodes that no honest encoder nests so deep, or that unfold beyond bounds.

    Equality, display and literals follow a value as it unfolds: sixty nodes that each hold the next one twice unfold to
    more than any memory. Whoever takes a table from an untrusted process calls this before anything else reads it.
    """
    sizes: dict[int, tuple[int, int]] = {}  # place -> parts it unfolds to (0 while open: a cycle ends there), depth
    todo = [Value((place,), nodes) for place in places]
    while todo:
        place = todo[-1].place
        assert place is not None
        parts = todo[-1].children()
        below = [part for part in parts if part.place is not None]
        if place not in sizes:
            sizes[place] = (0, 0)
            todo += [part for part in below if part.place not in sizes]
            continue
        todo.pop()
        if sizes[place][0]:
            continue
        text = sum(len(part.ref) for part in parts if isinstance(part.ref, str)) // 8
        inner = [sizes[part.place] for part in below if part.place is not None]
        size = 1 + len(parts) + text + sum(size for size, _ in inner)
        depth = 1 + max((depth for _, depth in inner), default=0)
        if depth > MAX_VALUE_DEPTH:
            raise TooLarge("a value is nested too deep")
        if size > MAX_UNFOLDED:
            raise TooLarge("a value unfolds to too much")
        sizes[place] = (size, depth)


def _renumber(ref: Ref, order: dict[int, int]) -> Ref:
    if isinstance(ref, (tuple, list)) and len(ref) == 1 and not isinstance(ref[0], str):
        return (order[ref[0]],)
    return ref


def _renumber_node(node: Sequence[Any], order: dict[int, int]) -> list[Any]:
    return [node[0], node[1], *[_renumber(part, order) for part in node[2:]]]


def _same(a: Value, b: Value, assumed: set[tuple[int, int]]) -> bool:
    """Strict equality of what two values unfold to; pairs already under comparison are assumed equal (bisimulation)."""
    if a.kind != b.kind:
        return False
    pa, pb = a.place, b.place
    if pa is None or pb is None:
        return pa is pb is None and _atom_key(a.ref) == _atom_key(b.ref)
    if (pa, pb) in assumed or (pa == pb and a.nodes is b.nodes):
        return True
    assumed.add((pa, pb))
    na, nb = a.nodes[pa], b.nodes[pb]
    if len(na) != len(nb):
        return False
    base = a.base
    if (base == "object" and list(na[3::2]) != list(nb[3::2])) or (base == "bytearray" and na[2] != nb[2]):
        return False
    if base in ("object", "exception", "opaque") and list(na[2 : 2 + _TEXT_PARTS[base]]) != list(
        nb[2 : 2 + _TEXT_PARTS[base]]
    ):
        return False
    if base == "dict":
        return _same_dict(a, b, assumed)
    return all(_same(x, y, assumed) for x, y in zip(a.children(), b.children(), strict=True))


def _same_dict(a: Value, b: Value, assumed: set[tuple[int, int]]) -> bool:
    others = {key.digest(): (key, value) for key, value in b.items()}
    for key, value in a.items():
        match = others.get(key.digest())
        if match is None or not _same(key, match[0], assumed) or not _same(value, match[1], assumed):
            return False
    return True


def _atom_key(ref: Ref) -> Any:
    return tuple(map(str, ref)) if isinstance(ref, (tuple, list)) else (type(ref), ref)


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
        built.update((_build(k, done), _build(v, done)) for k, v in value.items())
        return built
    if base not in _PLAIN:
        raise NotLiteral(f"a {value.type_name} has no literal form")
    if base == "bytearray":
        return done.setdefault(place, bytearray.fromhex(value.nodes[place][2]))
    done[place] = _PENDING
    parts = [_build(child, done) for child in value.children()]
    done[place] = {"tuple": tuple, "set": set, "frozenset": frozenset}[base](parts)
    return done[place]


_PENDING = object()


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


class _Writer:
    """Text of refs over one table, with cycles marked `...` (display) or refused (literal)."""

    def __init__(self, nodes: Sequence[Any], *, literal: bool) -> None:
        self._nodes = nodes
        self._literal = literal
        self._open: set[int] = set()

    def write(self, ref: Ref) -> str:
        if not isinstance(ref, (tuple, list)):
            return repr(ref)
        if len(ref) > 1 or isinstance(ref[0], str):
            return self._tagged(ref)
        place = ref[0]
        if place in self._open:
            if self._literal:
                raise NotLiteral("a value that contains itself has no literal form")
            brackets = _BRACKETS.get(str(self._nodes[place][0]).partition("/")[0], "<>")
            return f"{brackets[0]}...{brackets[1]}"
        self._open.add(place)
        try:
            return self._node(self._nodes[place])
        finally:
            self._open.discard(place)

    def _tagged(self, ref: Sequence[Any]) -> str:
        value = _scalar(ref)
        if isinstance(value, float):
            return _float_text(value, self._literal)
        if isinstance(value, complex) and self._literal:
            return f"complex({_float_text(value.real, True)}, {_float_text(value.imag, True)})"
        if isinstance(value, int) and value.bit_length() > 14_000 and sys.get_int_max_str_digits():
            return hex(value)  # str() refuses more than 4,300 digits
        return "..." if self._literal and value is ... else repr(value)

    def _node(self, node: Sequence[Any]) -> str:
        base, _, sub = str(node[0]).partition("/")
        if self._literal and (sub or base not in _PLAIN):
            raise NotLiteral(f"a {sub or node[2]} has no literal form")
        if base == "bytearray":
            return repr(bytearray.fromhex(node[2]))
        if base == "opaque":
            return f"<{node[2]} {node[3]}>" if node[3] and not str(node[3]).startswith(f"{node[2]}") else _opaque(node)
        if base == "object":
            parts = [f"{name}={self.write(ref)}" for name, ref in zip(node[3::2], node[4::2], strict=True)]
            return f"{node[2]}({', '.join(parts)})"
        if base == "exception":
            return f"{node[2]}({', '.join(map(self.write, node[3:]))})"
        return self._container(base, sub, [self.write(ref) for ref in node[2:]])

    def _container(self, base: str, sub: str, parts: list[str]) -> str:
        if base == "dict":
            text = "{" + ", ".join(f"{k}: {v}" for k, v in zip(parts[::2], parts[1::2], strict=True)) + "}"
            return f"{sub}({text})" if sub else text
        body = ", ".join(parts)
        if base == "frozenset" and not sub:
            return f"frozenset({{{body}}})" if parts else "frozenset()"
        if base in ("set", "frozenset"):
            text = f"{{{body}}}" if parts else "set()"
            return f"{sub}({text if parts else ''})" if sub else text
        if base == "tuple":
            return f"{sub}({body})" if sub else f"({body}{',' if len(parts) == 1 else ''})"
        return f"{sub}([{body}])" if sub else f"[{body}]"


def _opaque(node: Sequence[Any]) -> str:
    return str(node[3]) or f"<{node[2]}>"


def literal_text(obj: Any) -> str:
    """Literal source text of a live plain object. Raises `NotLiteral`, `TooLarge`."""
    return Value.of(obj).literal()


def canonical_json(doc: Any) -> str:
    """One spelling per document: sorted keys, no spaces. What content ids are made from."""
    return json.dumps(doc, sort_keys=True, separators=(",", ":"), ensure_ascii=True)

"""From live Python objects to the flat table of nodes that every value in SemCoder is.

A *ref* stands for one value at one moment. It is an atom, or a short tuple that starts with a tag, or `(k,)`, which
means the k-th node of the table:

    None, True, 7, 'ab'     themselves (ints below 2**63 in magnitude)
    ('i', '0x1f...')        an int of any size          ('f', '0x1.8p+0')       a float, exactly; also nan, inf, -0.0
    ('b', '00ff')           bytes                       ('c', hex, hex)         a complex number
    ('r', 0, 10, 2)         a range                     ('...',)                Ellipsis
    (12,)                   node 12

A *node* is `(kind, oid, *rest)`. `oid` numbers the object itself: two nodes with one oid are the same object at two
moments. Kinds: list, tuple, set, frozenset, dict (rest: key, value, key, value ...), bytearray (rest: hex), view
(dict views), object (rest: type name, attribute name, ref ...), exception (rest: type name, ref of args ...), opaque
(rest: type name, description). A subclass of a container is `kind/TypeName`. Sets are stored sorted, dicts in order.

An encoder made with `deltas=True` writes a list of scalars that changed in a few places as `("+", k, length, i, ref,
i, ref ...)`: node k cut to `length`, with part i replaced, or added where i is the end. See `unpacked`.

Guarantees: no method of the encoded objects is called (a hostile or counting `__repr__`, `__eq__`, `__iter__` is never
run); an object that has not changed since it was last encoded by the same `Encoder` gets its old node again; work and
size are bounded, also of what a value unfolds to, and passing a bound raises `TooLarge` and leaves the table as it was.
Names of types and descriptions are printable and of bounded length.
It does not guarantee a value for everything: what has no data of its own (functions, iterators, files) is opaque.

Runs inside the sandbox: standard library only.
"""

from __future__ import annotations

import functools
import itertools
import re
import sys
import types
import weakref
from collections import deque
from operator import is_not
from typing import Any

from semcoder.core.unfolding import MAX_DEPTH, PART, Ref, TooLarge, check_size, check_unfolding, text_size

Node = tuple[Any, ...]

INT_MAX = 2**63 - 1
MAX_NODES = 500_000
MAX_TEXT = 32 * 1024 * 1024
DESCRIPTION_LENGTH = 200
NAME_LENGTH = 100

_ATOMS = frozenset({int, str, bool, type(None)})
_SCALARS = frozenset({int, str, bool, type(None), float, bytes, complex, range, type(...)})
_ADDRESS = re.compile(r" at 0x[0-9a-f]+")
_NOT_IN_NAMES = re.compile(r"[^\w.<>-]")
#: Lists shorter than this are written whole; how many deltas may follow each other, besides a part of the length.
_DELTA_LENGTH = 8
DELTA_CHAIN = 64
# Types whose own repr is trusted C or standard library code and says all there is to say.
_REPR_MODULES = frozenset({"datetime", "decimal", "fractions", "uuid", "pathlib", "ipaddress", "re", "zoneinfo"})
_VIEWS: tuple[type, ...] = (type({}.keys()), type({}.values()), type({}.items()))
_CALLABLES = (
    types.FunctionType,
    types.BuiltinFunctionType,
    types.MethodType,
    types.MethodDescriptorType,
    types.WrapperDescriptorType,
    types.MethodWrapperType,
    types.ClassMethodDescriptorType,
)
# Read through the type's own descriptors: attribute access on the object could run code of its class.
_class_name = type.__dict__["__qualname__"].__get__
_class_module = type.__dict__["__module__"].__get__
_class_mro = type.__dict__["__mro__"].__get__
_exception_args = BaseException.__dict__["args"].__get__


def type_name(cls: type) -> str:
    """The name a reader knows a class by: its qualified name, without its module; see `safe_name`."""
    return safe_name(str(_class_name(cls)).replace("<locals>.", ""))


def safe_name(text: str) -> str:
    """A name that cannot be mistaken for text around it: a program may call its classes anything."""
    return _NOT_IN_NAMES.sub("?", text[:NAME_LENGTH]) or "?"


def scalar_ref(obj: Any) -> Ref:
    """The ref of a value of one of the scalar types (exact type, not a subclass)."""
    kind = type(obj)
    if kind is int:
        return obj if -INT_MAX <= obj <= INT_MAX else ("i", hex(obj))
    if kind is float:
        return ("f", obj.hex())
    if kind is bytes:
        return ("b", obj.hex())
    if kind is complex:
        return ("c", obj.real.hex(), obj.imag.hex())
    if kind is range:
        return ("r", scalar_ref(obj.start), scalar_ref(obj.stop), scalar_ref(obj.step))
    if obj is ...:
        return ("...",)
    return obj


class _Live:
    """A list of scalars as it was last: its parts (the objects), its node, how many deltas follow a whole one."""

    __slots__ = ("chain", "parts", "place")

    def __init__(self, parts: list[Any], place: int) -> None:
        self.parts = parts
        self.place = place
        self.chain = 0


class Encoder:
    """Turns objects into refs over one growing table `nodes`."""

    def __init__(
        self,
        *,
        max_nodes: int = MAX_NODES,
        max_text: int = MAX_TEXT,
        max_depth: int = MAX_DEPTH,
        deltas: bool = False,
    ) -> None:
        self.nodes: list[Node] = []
        self._max_nodes = max_nodes
        self._max_depth = max_depth
        self._room = max_text
        # id -> (children; their types; node index)
        self._seen: dict[int, tuple[tuple[Any, ...], tuple[Any, ...], int]] = {}
        self._oids: dict[int, int] = {}
        self._oid_count = 0
        self._keep: list[Any] = []
        self._active: dict[int, int] = {}
        self._done: dict[int, Ref] = {}  # within one call of `ref`: what shares parts is encoded once, not once a path
        self._depth = 0
        self._frozen: dict[int, Ref] = {}
        self._extents: list[tuple[int, int]] = []  # per node: what it unfolds to, and its depth
        self._cyclic = False  # a cycle was met within this call of `ref`: extents are found at its end
        self._orders: dict[int, tuple[Any, ...]] = {}
        self._keys: dict[tuple[Any, ...], tuple[Any, ...]] = {}
        self._deltas = deltas
        self._lists: dict[int, _Live] = {}
        #: Places of nodes that code of a program may lie behind: asked for anything, they may do anything.
        self.impure: set[int] = set()

    def ref(self, obj: Any) -> Ref:
        """The ref of `obj` as it is now. Raises `TooLarge`."""
        kind = type(obj)
        if kind is str:
            self._spend(len(obj))
            return obj
        if kind in _SCALARS:
            if (kind is int and not -INT_MAX <= obj <= INT_MAX) or kind is bytes:
                self._spend(len(obj) if kind is bytes else obj.bit_length() // 4)
            return scalar_ref(obj)
        frozen = self._frozen.get(id(obj))
        if frozen is not None:
            return frozen
        if kind is tuple and self._depth == 0 and _ATOMS.issuperset(map(type, obj)):
            return self._flat(obj)
        return self._container(obj, kind)

    def _flat(self, obj: tuple[Any, ...]) -> Ref:
        """A tuple of atoms that was not met before: what `_container` would do, without what it need not look at."""
        for part in obj:
            if type(part) is str or (type(part) is int and not -INT_MAX <= part <= INT_MAX):
                return self._container(obj, tuple)
        size = PART * (len(obj) + 2)
        check_size(size, 1, self._max_depth)
        self._spend(8 * len(obj))
        if len(self.nodes) >= self._max_nodes:
            raise TooLarge(f"the values have more than {self._max_nodes} parts")
        place, key = len(self.nodes), id(obj)
        self._extents.append((size, 1))
        self.nodes.append(("tuple", self._oid_count, *obj))
        self._oids[key] = self._oid_count
        self._oid_count += 1
        self._keep.append(obj)
        ref = self._frozen[key] = (place,)
        return ref

    def _spend(self, size: int) -> None:
        self._room -= size
        if self._room < 0:
            raise TooLarge("the values hold more text than the limit allows")

    def _container(self, obj: Any, kind: type) -> Ref:
        key = id(obj)
        live = self._lists.get(key)
        if live is not None:
            parts = live.parts
            if len(parts) == len(obj) and not any(map(is_not, obj, parts)):
                return (live.place,)
            if self._shift(obj, live):
                return (live.place,)
            del self._lists[key]
        old = self._seen.get(key)
        if old is not None and _same_atoms(obj, kind, old):
            return (old[2],)
        if self._depth == 0:
            return self._whole(obj, kind)
        if key in self._done:
            return self._done[key]
        active = self._active.get(key)
        if active is not None:
            if active < 0:  # first time that a cycle comes back here: the node gets its place now
                self._cyclic = True
                active = self._active[key] = self._append(())
            return (active,)
        if self._depth > self._max_depth:
            raise TooLarge(f"the value is nested deeper than {self._max_depth} levels")
        self._active[key] = -1
        self._depth += 1
        try:
            name, children = self._describe(obj, kind)
        finally:
            self._depth -= 1
            place = self._active.pop(key)
        if place >= 0:
            self.nodes[place] = (name, self._oid(obj), *children)
            self.impure.add(place)
            return self._done.setdefault(key, (place,))
        types_ = tuple(map(type, children))
        old = self._seen.get(key)
        if old is not None and old[0] == children and old[1] == types_:
            return self._done.setdefault(key, (old[2],))
        self._spend(8 * len(children))
        place = self._append((name, self._oid(obj), *children), children, types_)
        if self._deltas:
            self._note(obj, kind, name, children, place)
        self._seen[key] = (children, types_, place)  # `_oid` keeps the object, or forgets it when it dies
        if name in ("tuple", "frozenset") and all(type(c) is not tuple or len(c) > 1 for c in children):
            self._frozen[key] = (place,)  # cannot change: all its members are atoms
        return self._done.setdefault(key, (place,))

    # -- lists that change in a few places

    def _note(self, obj: Any, kind: type, name: str, children: tuple[Any, ...], place: int) -> None:
        """A new node: whether code of the program lies behind it, whether it is a list to be written by its changes."""
        if kind not in _PURE and not (name == "opaque" and kind in _PURE_CALLABLES):
            self.impure.add(place)
        elif self.impure:
            inner = (part[0] for part in children if type(part) is tuple and len(part) == 1)
            if not self.impure.isdisjoint(inner):
                self.impure.add(place)
        if kind is list and len(obj) >= _DELTA_LENGTH and _SCALARS.issuperset(map(type, obj)):
            self._lists[id(obj)] = _Live(list(obj), place)

    def _shift(self, obj: list[Any], live: _Live) -> bool:
        """Whether a known list that changed could be written as a delta; False where little of it stayed."""
        old, new = live.parts, list(obj)
        common = min(len(old), len(new))
        changed = [k for k, (a, b) in enumerate(zip(old, new, strict=False)) if a is not b]
        return len(changed) + len(new) - common <= common // 4 and self._write(
            live, new, [*changed, *range(common, len(new))]
        )

    def known(self, obj: Any) -> Ref | None:
        """The ref that a list written by its changes had last; None for anything else."""
        live = self._lists.get(id(obj))
        return None if live is None else (live.place,)

    def touch(self, obj: Any, indices: list[int]) -> Ref | None:
        """The ref of a list of which nothing but these items, or its end, can have changed since it was last encoded.

        None where that says too little: the list is not known, or not by its changes. Raises `TooLarge`.
        """
        live = self._lists.get(id(obj))
        if live is None or type(obj) is not list:
            return None
        parts = live.parts
        size, before = len(obj), len(parts)
        changed = [k for k in sorted(indices) if k < before and k < size and obj[k] is not parts[k]]
        if size > before:
            changed.extend(range(before, size))
        if (changed or size != before) and not self._write(live, obj, changed):
            return None
        return (live.place,)

    def _write(self, live: _Live, new: list[Any], changed: list[int]) -> bool:
        """Append the delta to `new`, which differs at these indices (in order) and in its length."""
        parts, size = live.parts, len(new)
        live.chain += 1
        if live.chain > DELTA_CHAIN + size // 4 or not _SCALARS.issuperset([type(new[k]) for k in changed]):
            return False
        delta: list[Any] = ["+", live.place, size]
        before = len(parts)
        room = self._extents[live.place][0] + PART * (size - before)
        for k in range(size, before):
            room -= text_size(scalar_ref(parts[k]))
        for k in changed:
            part = new[k]
            if k < before:
                old = parts[k]
                if type(old) is type(part) is int and -INT_MAX <= old <= INT_MAX and -INT_MAX <= part <= INT_MAX:
                    if old != part:  # the common case
                        delta += (k, part)
                    continue
                was, ref = scalar_ref(old), self.ref(part)
                if type(was) is type(ref) and was == ref:
                    continue
                room += text_size(ref) - text_size(was)
            else:
                ref = self.ref(part)
                room += text_size(ref)
            delta += (k, ref)
        if len(delta) > 3 or size != before:
            check_size(room, 1, self._max_depth)
            self._spend(8 * len(delta))
            if len(self.nodes) >= self._max_nodes:
                raise TooLarge(f"the values have more than {self._max_nodes} parts")
            live.place = len(self.nodes)
            self._extents.append((room, 1))
            self.nodes.append(tuple(delta))
        del parts[size:]
        for k in changed:  # equal objects in the place of others too
            parts[k : k + 1] = [new[k]]
        return True

    def is_leaf(self, place: int) -> bool:
        """Whether a node holds no other one."""
        return self._extents[place][1] <= 1

    def _whole(self, obj: Any, kind: type) -> Ref:
        """The ref of a container that is in no other one; the table stays as it was where a bound is passed."""
        start = len(self.nodes)
        self._done.clear()
        self._depth = 1
        try:
            ref = self._container(obj, kind)
            if self._cyclic:
                found = check_unfolding(self.nodes, range(start, len(self.nodes)), self._extents[:start])
                self._extents[start:] = [found[place] for place in range(start, len(self.nodes))]
            return ref
        except BaseException:
            del self.nodes[start:], self._extents[start:]
            self._seen = {key: seen for key, seen in self._seen.items() if seen[2] < start}
            self._frozen = {key: ref for key, ref in self._frozen.items() if ref[0] < start}
            self._orders = {place: key for place, key in self._orders.items() if place < start}
            self._lists = {key: live for key, live in self._lists.items() if live.place < start}
            raise
        finally:
            self._depth = 0
            self._cyclic = False

    def _append(self, node: Node, children: tuple[Any, ...] = (), types_: tuple[Any, ...] = ()) -> int:
        if len(self.nodes) >= self._max_nodes:
            raise TooLarge(f"the values have more than {self._max_nodes} parts")
        self._extents.append((0, 0) if self._cyclic else self._extent(children, types_))
        self.nodes.append(node)
        return len(self.nodes) - 1

    def _extent(self, children: tuple[Any, ...], types_: tuple[Any, ...]) -> tuple[int, int]:
        """What `check_unfolding` finds for a node without cycles. Raises `TooLarge`."""
        size, depth = PART * (len(children) + 2), 0
        kinds = set(types_)
        if str in kinds:
            size += sum([len(part) for part in children if type(part) is str])
        if tuple in kinds:
            for part in children:
                if type(part) is not tuple:
                    continue
                if len(part) == 1 and type(part[0]) is int:
                    inner = self._extents[part[0]]
                    size += inner[0]
                    depth = max(depth, inner[1])
                else:
                    size += text_size(part)
        check_size(size, depth + 1, self._max_depth)
        return size, depth + 1

    def _oid(self, obj: Any) -> int:
        key = id(obj)
        oid = self._oids.get(key)
        if oid is None:
            oid = self._oids[key] = self._oid_count
            self._oid_count += 1
            try:  # an object may die when the program lets it (finalizers!); its id is forgotten before it is reused
                self._keep.append(weakref.ref(obj, functools.partial(self._gone, key)))
            except TypeError:  # lists, dicts, tuples: kept alive, so that the id stays theirs
                self._keep.append(obj)
        return oid

    def _gone(self, key: int, _: Any) -> None:
        self._oids.pop(key, None)
        self._seen.pop(key, None)
        self._frozen.pop(key, None)

    def _describe(self, obj: Any, kind: type) -> tuple[str, tuple[Any, ...]]:
        """Kind and children of anything that is not a scalar of an exact builtin type."""
        if kind is list or kind is tuple:
            return kind.__name__, self._refs(obj)
        if kind is dict:
            return "dict", self._refs([part for item in obj.items() for part in item])
        if kind is set or kind is frozenset:
            return kind.__name__, self._set_refs(obj)
        if issubclass(kind, type):
            return "opaque", ("class", type_name(obj))
        for base, iterate in _CONTAINERS:
            if issubclass(kind, base):
                return self._subclass(obj, kind, base, iterate)
        if issubclass(kind, bytearray):
            return "bytearray", (bytearray.hex(obj),)
        if kind in _VIEWS:
            return "view/" + kind.__name__, self._refs(list(obj))
        if issubclass(kind, BaseException):
            return "exception", (type_name(kind), *self._refs(_exception_args(obj)))
        return self._instance(obj, kind)

    def _subclass(self, obj: Any, kind: type, base: type, iterate: Any) -> tuple[str, tuple[Any, ...]]:
        parts = list(iterate(obj))
        if base is dict:
            parts = [part for item in parts for part in item]
        refs = self._set_refs(parts) if base in (set, frozenset) else self._refs(parts)
        return f"{'list' if base is deque else base.__name__}/{type_name(kind)}", refs

    def _refs(self, parts: Any) -> tuple[Any, ...]:
        if len(parts) > self._max_nodes:
            raise TooLarge(f"a value has more than {self._max_nodes} parts")
        if _ATOMS.issuperset(map(type, parts)):  # the common case, at the speed of C
            kinds = set(map(type, parts))
            ints = [part for part in parts if type(part) is int] if int in kinds and len(kinds) > 1 else parts
            if int not in kinds or all(-INT_MAX <= end <= INT_MAX for end in (min(ints), max(ints))):
                if str in kinds:
                    self._spend(sum([len(part) for part in parts if type(part) is str]))
                return tuple(parts)
        return tuple([self.ref(part) for part in parts])

    def _set_refs(self, parts: Any) -> tuple[Any, ...]:
        kinds = set(map(type, parts))
        if kinds in ({int}, {str}):
            return self._refs(sorted(parts))
        refs = self._refs(list(parts))
        return tuple(sorted(refs, key=self._order))

    def _order(self, ref: Ref) -> tuple[Any, ...]:
        """A total order over refs by content, for sets of mixed or structured members.

        Keys of equal content are one object, so that comparing them never follows a part twice. What is still being
        encoded (the set is part of a cycle) has no content yet.
        """
        if isinstance(ref, tuple):
            if len(ref) == 1 and isinstance(ref[0], int):
                return self._node_order(ref[0])
            if ref[0] == "f":
                value = float.fromhex(ref[1])
                return self._key(("n", value if value == value else float("inf"), ref[1]))
            return self._key(("t", *map(str, ref)))
        if isinstance(ref, (bool, int)):
            return self._key(("n", ref, type(ref).__name__))
        return self._key(("s", str(ref), type(ref).__name__))

    def _node_order(self, place: int) -> tuple[Any, ...]:
        known = self._orders.get(place)
        if known is not None:
            return known
        node = self.nodes[place]
        if not node:
            return self._key(("~",))
        parts = [self._order(part) for part in node[2:]]
        key: tuple[Any, ...] = ("~", str(node[0]), len(node), *parts)
        self._orders[place] = key = self._keys.setdefault(("~", node[0], *map(id, parts)), key)
        return key

    def _key(self, key: tuple[Any, ...]) -> tuple[Any, ...]:
        return self._keys.setdefault(key, key)

    def _instance(self, obj: Any, kind: type) -> tuple[str, tuple[Any, ...]]:
        name = type_name(kind)
        module = str(_class_module(kind))
        if issubclass(kind, (int, str, float, bytes)):  # subclasses of scalars, enum members among them
            return "opaque", (name, self._scalar_subclass(obj, kind, name))
        if issubclass(kind, _CALLABLES):
            return "opaque", (name, _callable_name(obj))
        if issubclass(kind, types.ModuleType):
            return "opaque", ("module", description(str(vars(obj).get("__name__", ""))))
        if module in _REPR_MODULES:
            return "opaque", (name, _own_repr(obj))
        if module == "builtins" or (module in sys.stdlib_module_names and module != "__main__"):
            return "opaque", (name, "")
        attributes = _attributes(obj, kind)
        member = attributes.get("_name_")
        if "_value_" in attributes and isinstance(member, str):
            return "opaque", (name, description(f"{name}.{member}"))
        flat = [part for key in attributes for part in (key, attributes[key])]
        return "object", (name, *self._refs(flat))

    def _scalar_subclass(self, obj: Any, kind: type, name: str) -> str:
        member = _attributes(obj, kind).get("_name_")
        if isinstance(member, str):
            return description(f"{name}.{member}")
        base = next(base for base in (int, str, float, bytes) if issubclass(kind, base))
        try:
            return description(f"{name}({base.__repr__(obj)})")
        except ValueError:  # an int of more digits than Python writes
            return ""


_CONTAINERS: tuple[tuple[type, Any], ...] = (
    (dict, dict.items),
    (list, list.__iter__),
    (tuple, tuple.__iter__),
    (set, set.__iter__),
    (frozenset, frozenset.__iter__),
    (deque, deque.__iter__),
)


#: Kinds of objects behind whose operators and items there is no code of a program, if there is none behind their parts.
_PURE = frozenset({list, tuple, dict, set, frozenset, bytearray})
_PURE_CALLABLES = frozenset({types.FunctionType, types.BuiltinFunctionType})


def unpacked(node: list[Any], base: list[Any]) -> list[Any]:
    """The whole node that a delta of a whole node stands for."""
    whole = [base[0], base[1], *base[2 : 2 + node[2]]]
    for k in range(3, len(node), 2):
        whole[2 + node[k] : 3 + node[k]] = [node[k + 1]]
    return whole


def _same_atoms(obj: Any, kind: type, old: tuple[tuple[Any, ...], tuple[Any, ...], int]) -> bool:
    """Whether a list or dict of atoms is as it was, at the speed of C and without counting its text again."""
    if kind is list:
        parts = tuple(obj)
    elif kind is dict:
        parts = tuple(itertools.chain.from_iterable(obj.items()))
    else:
        return False
    types_ = tuple(map(type, parts))
    return len(parts) == len(old[0]) and _ATOMS.issuperset(types_) and types_ == old[1] and parts == old[0]


def bounded(text: str) -> str:
    """A description without memory addresses and of bounded length."""
    text = _ADDRESS.sub("", text)
    return text if len(text) <= DESCRIPTION_LENGTH else text[: DESCRIPTION_LENGTH - 3] + "..."


def description(text: str) -> str:
    """What `bounded` gives, of printable characters only."""
    text = bounded(text)
    return text if text.isprintable() else "".join([c if c.isprintable() else "?" for c in text])


def _own_repr(obj: Any) -> str:
    try:
        return description(repr(obj))
    except Exception:  # a number of more digits than Python writes, an object that is not set up
        return ""


def _callable_name(obj: Any) -> str:
    name = getattr(obj, "__qualname__", None) if not isinstance(obj, types.MethodType) else obj.__func__.__qualname__
    return description(str(name or "").replace("<locals>.", ""))


def _attributes(obj: Any, kind: type) -> dict[str, Any]:
    """Instance state by name: `__dict__` first, then slots, found without running code of the object's class."""
    found: dict[str, Any] = {}
    try:
        found.update(object.__getattribute__(obj, "__dict__"))
    except (AttributeError, TypeError):
        pass
    for base in _class_mro(kind):
        for name, member in vars(base).items():
            if isinstance(member, types.MemberDescriptorType) and name not in found:
                try:
                    found[name] = member.__get__(obj)
                except AttributeError:
                    continue
    return {str(name): value for name, value in found.items()}

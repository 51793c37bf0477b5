"""Guesses: votes for what one variable holds, and the votes that literal values and type expressions cast.

Guarantees: nothing is evaluated but literals; a type that is not known by name and looks like a class votes for
`object`. It does not resolve names: `Path` is what most programs mean by it.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

SCALARS = ("int", "float", "bool", "str", "bytes", "none")
CONTAINERS = ("list", "tuple", "set", "dict")

# Types named in annotations, isinstance checks and docstrings.
TYPES: dict[str, tuple[str, ...]] = {
    "int": ("int",), "integer": ("int",), "Integral": ("int",), "SupportsIndex": ("int",), "long": ("int",),
    "float": ("float",), "Real": ("float", "int"), "Number": ("float", "int"), "number": ("float", "int"),
    "complex": ("float",), "bool": ("bool",), "boolean": ("bool",), "str": ("str",), "string": ("str",),
    "basestring": ("str",), "unicode": ("str",), "Text": ("str",), "AnyStr": ("str",), "LiteralString": ("str",),
    "bytes": ("bytes",), "bytearray": ("bytes",), "memoryview": ("bytes",), "Buffer": ("bytes",),
    "ByteString": ("bytes",), "list": ("list",), "List": ("list",), "MutableSequence": ("list",),
    "Sequence": ("list",), "sequence": ("list",), "Iterable": ("list",), "iterable": ("list",),
    "Collection": ("list",), "Iterator": ("list",), "Container": ("list",), "Sized": ("list",), "array": ("list",),
    "deque": ("list",), "tuple": ("tuple",), "Tuple": ("tuple",), "set": ("set",), "Set": ("set",),
    "frozenset": ("set",), "FrozenSet": ("set",), "AbstractSet": ("set",), "MutableSet": ("set",), "dict": ("dict",),
    "Dict": ("dict",), "Mapping": ("dict",), "MutableMapping": ("dict",), "mapping": ("dict",),
    "dictionary": ("dict",), "OrderedDict": ("dict",), "defaultdict": ("dict",), "Counter": ("dict",),
    "None": ("none",), "NoneType": ("none",), "Any": (), "object": (), "Hashable": ("str", "int", "tuple"),
    "SupportsFloat": ("float",), "SupportsInt": ("int",), "StrPath": ("str",), "PathLike": ("str",),
    "Path": ("str",), "Fraction": ("int",), "Decimal": ("int", "float"),
}  # fmt: skip
_TRANSPARENT = frozenset({"Optional", "Union", "Annotated", "Final", "ClassVar", "Literal", "Required", "NotRequired"})


@dataclass(eq=False, slots=True)
class Guess:
    """Votes about one variable. `element`, `key` and `fields` are guesses about what it contains."""

    votes: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    constants: list[Any] = field(default_factory=list)
    odd: set[str] = field(default_factory=set)
    flavour: str = ""
    inner: dict[str, Guess] = field(default_factory=dict)

    def part(self, name: str) -> Guess:
        return self.inner.setdefault(name, Guess())

    def vote(self, weight: float = 3, *kinds: str) -> None:
        for kind in kinds:
            self.votes[kind] += weight


def members(value: Any) -> list[Any]:
    """Members of a container, sets in an order that does not hang on this process's hash seed."""
    return sorted(value, key=repr) if isinstance(value, (set, frozenset)) else list(value)


def literal_value(node: ast.AST | None) -> tuple[bool, Any]:
    """Whether an expression is a literal, and its value."""
    if node is None:
        return False, None
    try:
        return True, ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return False, None


def merge(into: Guess, other: Guess, depth: int = 0) -> None:
    """Add what another guess knows, at a lower weight."""
    for kind, weight in other.votes.items():
        into.votes[kind] += weight * 0.7
    into.constants.extend(other.constants)
    into.odd |= other.odd
    into.flavour = into.flavour or other.flavour
    if depth < 3:
        for name, inner in list(other.inner.items()):
            merge(into.part(name), inner, depth + 1)


def vote_value(guess: Guess, value: Any, weight: float, depth: int = 0) -> None:
    """A value that the parameter is, or is compared with."""
    kind = "none" if value is None else type(value).__name__
    kind = {"frozenset": "set", "complex": "float"}.get(kind, kind)
    if kind in SCALARS or kind in CONTAINERS:
        guess.vote(weight, kind)
    if depth < 2:
        if isinstance(value, dict):
            for key, part in list(value.items())[:3]:
                vote_value(guess.part("key"), key, 1, depth + 1)
                vote_value(guess.part("value"), part, 1, depth + 1)
        elif isinstance(value, (list, tuple, set, frozenset)):
            for part in members(value)[:3]:
                vote_value(guess.part("element"), part, 1, depth + 1)


def read_type(guess: Guess, node: ast.AST, weight: float) -> None:
    """Votes of a type expression: an annotation, or the second argument of isinstance."""
    if isinstance(node, ast.Constant):
        if isinstance(node.value, str):
            try:
                read_type(guess, ast.parse(node.value, mode="eval").body, weight)
            except SyntaxError:
                return
        elif node.value is None:
            guess.vote(weight * 0.1, "none")
    elif isinstance(node, (ast.Name, ast.Attribute)):
        _read_type_name(guess, node.attr if isinstance(node, ast.Attribute) else node.id, weight)
    elif isinstance(node, ast.BinOp):
        read_type(guess, node.left, weight)
        read_type(guess, node.right, weight)
    elif isinstance(node, (ast.Tuple, ast.List)):
        for part in node.elts:
            read_type(guess, part, weight)
    elif isinstance(node, ast.Subscript):
        _read_generic(guess, node, weight)


def _read_type_name(guess: Guess, name: str, weight: float) -> None:
    if name in TYPES:
        kinds = TYPES[name]
        guess.vote(weight * (0.1 if kinds == ("none",) else 1), *kinds)
    elif name == "Callable" or (name[:1].isupper() and len(name) > 2 and not name.isupper() and not name.endswith("T")):
        guess.vote(weight * 0.8, "object")


def _read_generic(guess: Guess, node: ast.Subscript, weight: float) -> None:
    head = node.value.attr if isinstance(node.value, ast.Attribute) else getattr(node.value, "id", "")
    parts = list(node.slice.elts) if isinstance(node.slice, ast.Tuple) else [node.slice]
    if head == "Literal":
        for part in parts:
            known, value = literal_value(part)
            if known:
                guess.constants.append(value)
                vote_value(guess, value, weight / 2)
    elif head in _TRANSPARENT:
        for part in parts:
            read_type(guess, part, weight)
    else:
        _read_type_name(guess, head, weight)
        kinds = TYPES.get(head, ())
        if "dict" in kinds:
            for name, part in zip(("key", "value"), parts, strict=False):
                read_type(guess.part(name), part, weight)
        elif "tuple" in kinds and not (
            len(parts) == 2 and isinstance(parts[1], ast.Constant) and parts[1].value is ...
        ):
            for place, part in enumerate(parts):
                read_type(guess.part(str(place)), part, weight)
        elif kinds:
            read_type(guess.part("element"), parts[0], weight)

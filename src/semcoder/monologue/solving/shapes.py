"""What kind of value each variable of a function holds, read from how the function uses it.

Guarantees: an order of kinds, most likely first, and small sample values of each kind, the same for the same source.
It does not prove a type: evidence is methods called, operators, loops, annotations and, last, customary names.
"""

from __future__ import annotations

import ast
import builtins
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

KINDS = ("str", "int", "list", "dict", "tuple", "set", "bool", "float")

_METHODS: dict[str, str] = {
    **{name: "str" for name in dir(str) if name[0] != "_"},
    **dict.fromkeys(("append", "extend", "insert", "remove", "reverse", "sort"), "list"),
    **dict.fromkeys(("keys", "values", "items", "setdefault", "popitem", "update"), "dict"),
    **dict.fromkeys(("add", "discard", "union", "intersection", "difference"), "set"),
    "get": "dict",
}
_SHARED = {"index", "count", "pop", "copy", "clear"}
_NAMES: dict[str, str] = {
    **dict.fromkeys(
        [
            "text",
            "string",
            "s",
            "str1",
            "str2",
            "sentence",
            "word",
            "txt",
            "line",
            "char",
            "ch",
            "c",
            "sep",
            "prefix",
            "suffix",
            "letter",
        ],
        "str",
    ),
    **dict.fromkeys(
        [
            "n",
            "k",
            "i",
            "num",
            "number",
            "x",
            "y",
            "m",
            "a",
            "b",
            "idx",
            "index",
            "count",
            "size",
            "width",
            "start",
            "end",
            "step",
            "limit",
            "target",
        ],
        "int",
    ),
    **dict.fromkeys(
        [
            "nums",
            "lst",
            "arr",
            "array",
            "numbers",
            "list",
            "l",
            "items",
            "elements",
            "values",
            "xs",
            "ls",
            "names",
            "lists",
            "data",
        ],
        "list",
    ),
    **dict.fromkeys(["d", "dic", "dct", "dict_", "dictionary", "mapping", "my_dict", "obj"], "dict"),
}


@dataclass(slots=True)
class Shape:
    """Evidence about one variable: weights of kinds, and the same for its elements."""

    kinds: Counter[str] = field(default_factory=Counter)
    items: Counter[str] = field(default_factory=Counter)

    def ranked(self) -> list[str]:
        """Kinds with evidence, most likely first."""
        return [kind for kind, weight in sorted(self.kinds.items(), key=lambda kv: -kv[1]) if weight > 0]

    def allows(self, value: Any) -> bool:
        """Whether the value's kind is not contradicted by strong evidence for another."""
        kind = type(value).__name__
        strong = [k for k, weight in self.kinds.items() if weight >= 4]
        return not strong or kind in strong or (kind == "bool" and "int" in strong)


class _Reader(ast.NodeVisitor):
    """Collects evidence; `same` links variables that hold the same kind, `inside` container and element."""

    def __init__(self) -> None:
        self.shapes: dict[str, Shape] = defaultdict(Shape)
        self.same: list[tuple[str, str]] = []
        self.inside: list[tuple[str, str]] = []

    def note(self, node: ast.AST | None, kind: str, weight: int) -> None:
        if isinstance(node, ast.Name):
            self.shapes[node.id].kinds[kind] += weight

    def visit_Call(self, node: ast.Call) -> None:
        self.generic_visit(node)
        function = node.func
        if isinstance(function, ast.Attribute):
            self._method(node, function)
        elif isinstance(function, ast.Name) and node.args:
            self._function(node, function.id)

    def _method(self, node: ast.Call, function: ast.Attribute) -> None:
        attr = function.attr
        if attr in _SHARED:
            for kind in {"index": ("list", "str"), "count": ("list", "str"), "clear": ("list", "dict")}.get(
                attr, ("list", "dict")
            ):
                self.note(function.value, kind, 1)
        elif attr in _METHODS:
            self.note(function.value, _METHODS[attr], 4)
        if attr == "join" and node.args:
            self.note(node.args[0], "list", 1)
            if isinstance(node.args[0], ast.Name):
                self.shapes[node.args[0].id].items["str"] += 3
        elif _METHODS.get(attr) == "str" and attr not in _SHARED and attr not in ("join", "format"):
            texts = 2 if attr in ("replace", "maketrans") else 1
            for place, arg in enumerate(node.args):
                width = attr in ("center", "ljust", "rjust", "zfill", "expandtabs")
                self.note(arg, "int" if (place == 0 if width else place >= texts) else "str", 3)
        item = node.args[0] if node.args else None
        if attr in ("append", "remove") and isinstance(function.value, ast.Name) and isinstance(item, ast.Name):
            self.inside.append((function.value.id, item.id))
        if attr in ("insert", "pop") and node.args:
            self.note(node.args[0], "int", 2)

    def _function(self, node: ast.Call, name: str) -> None:
        first = node.args[0]
        if name in ("range", "chr"):
            for arg in node.args:
                self.note(arg, "int", 4)
        elif name in ("abs", "round", "bin", "hex"):
            self.note(first, "int", 3)
        elif name == "ord":
            self.note(first, "str", 4)
        elif name in ("len", "sorted", "list", "set", "reversed", "enumerate", "tuple", "sum", "min", "max", "zip"):
            for kind in ("list", "str") if name != "sum" else ("list",):
                self.note(first, kind, 1)
            if name == "sum" and isinstance(first, ast.Name):
                self.shapes[first.id].items["int"] += 3
        elif name == "dict":
            self.note(first, "dict", 1)

    def visit_BinOp(self, node: ast.BinOp) -> None:
        self.generic_visit(node)
        for side, other in ((node.left, node.right), (node.right, node.left)):
            kind = literal_kind(other)
            if isinstance(node.op, ast.Add) and kind:
                self.note(side, kind, 4)
            elif isinstance(node.op, (ast.Sub, ast.FloorDiv, ast.Div, ast.Pow)) or (
                isinstance(node.op, ast.Mod) and side is node.left and kind == "int"
            ):
                self.note(side, "int", 4)
            elif isinstance(node.op, ast.Mult):
                self.note(side, "int", 4 if kind in ("str", "list") else 1)

    def visit_Compare(self, node: ast.Compare) -> None:
        self.generic_visit(node)
        left: ast.expr = node.left
        for op, right in zip(node.ops, node.comparators, strict=True):
            if isinstance(op, (ast.In, ast.NotIn)):
                if literal_kind(right) == "str":
                    self.note(left, "str", 4)
                if literal_kind(left) == "str":
                    self.note(right, "str", 2)
                if isinstance(left, ast.Name) and isinstance(right, ast.Name):
                    self.inside.append((right.id, left.id))
            else:
                for a, b in ((left, right), (right, left)):
                    kind = literal_kind(b) or (
                        "int" if isinstance(b, ast.Call) and ast.unparse(b.func) == "len" else ""
                    )
                    if kind:
                        self.note(a, kind, 4)
                if isinstance(left, ast.Name) and isinstance(right, ast.Name):
                    self.same.append((left.id, right.id))
            left = right

    def visit_Subscript(self, node: ast.Subscript) -> None:
        self.generic_visit(node)
        if isinstance(node.slice, ast.Slice):
            for kind in ("str", "list"):
                self.note(node.value, kind, 2)
            for part in (node.slice.lower, node.slice.upper, node.slice.step):
                self.note(part, "int", 4)
            return
        kind = literal_kind(node.slice)
        if kind == "str":
            self.note(node.value, "dict", 4)
        else:
            for kind in ("list", "str", "dict"):
                self.note(node.value, kind, 1)
            self.note(node.slice, "int", 1)
        if isinstance(node.ctx, (ast.Store, ast.Del)):
            self.note(node.value, "list", 2)
            self.note(node.value, "dict", 2)

    def _loop(self, target: ast.expr, source: ast.expr) -> None:
        if isinstance(source, ast.Name):
            for kind in ("list", "str"):
                self.note(source, kind, 1)
            if isinstance(target, ast.Name):
                self.inside.append((source.id, target.id))
        elif isinstance(source, ast.Call) and ast.unparse(source.func) == "range":
            self.note(target, "int", 4)

    def visit_For(self, node: ast.For) -> None:
        self._loop(node.target, node.iter)
        self.generic_visit(node)

    def visit_comprehension(self, node: ast.comprehension) -> None:
        self._loop(node.target, node.iter)
        self.generic_visit(node)

    def visit_Assign(self, node: ast.Assign) -> None:
        self.generic_visit(node)
        target = node.targets[0]
        if isinstance(target, ast.Name):
            if isinstance(node.value, ast.Name):
                self.same.append((target.id, node.value.id))
            kind = literal_kind(node.value)
            if kind:
                self.note(target, kind, 2)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        self.generic_visit(node)
        kind = literal_kind(node.value)
        if isinstance(node.op, ast.Add):
            if kind:
                self.note(node.target, kind, 4)
            if isinstance(node.value, ast.Name) and isinstance(node.target, ast.Name):
                self.same.append((node.target.id, node.value.id))
        elif isinstance(node.op, (ast.Sub, ast.FloorDiv)):
            self.note(node.target, "int", 3)
            self.note(node.value, "int", 3)


def literal_kind(node: ast.AST) -> str:
    """The kind that a literal or a display writes, empty where the expression is neither."""
    if isinstance(node, ast.Constant):
        return type(node.value).__name__ if type(node.value).__name__ in KINDS else ""
    if isinstance(node, (ast.List, ast.ListComp)):
        return "list"
    if isinstance(node, (ast.Dict, ast.DictComp)):
        return "dict"
    return "str" if isinstance(node, ast.JoinedStr) else ""


def shapes_of(function: ast.FunctionDef | ast.AsyncFunctionDef) -> dict[str, Shape]:
    """Shapes of a function's variables by name."""
    reader = _Reader()
    for argument in [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]:
        if argument.annotation is not None:
            text = ast.unparse(argument.annotation)
            kind = text.partition("[")[0].rpartition(".")[2].lower()
            if kind in KINDS:
                reader.shapes[argument.arg].kinds[kind] += 8
                inner = text.partition("[")[2].rstrip("]").partition(",")[0]
                if inner in KINDS:
                    reader.shapes[argument.arg].items[inner] += 4
        reader.shapes[argument.arg]
    for statement in function.body:
        reader.visit(statement)
        for node in ast.walk(statement):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                reader.shapes[node.id]
            elif isinstance(node, ast.arg):
                reader.shapes[node.arg]
    _spread(reader)
    for name, shape in reader.shapes.items():
        customary = _NAMES.get(name.rstrip("0123456789_"))
        if customary:
            shape.kinds[customary] += 1
    return reader.shapes


def _spread(reader: _Reader) -> None:
    """Carry evidence over links, a little weaker, twice round."""
    for _ in range(2):
        for a, b in reader.same:
            ka, kb = reader.shapes[a].kinds, reader.shapes[b].kinds
            for kind in KINDS:
                ka[kind], kb[kind] = max(ka[kind], kb[kind] - 1), max(kb[kind], ka[kind] - 1)
        for outer, inner in reader.inside:
            for kind, weight in reader.shapes[inner].kinds.items():
                reader.shapes[outer].items[kind] = max(reader.shapes[outer].items[kind], weight)


def constants(tree: ast.AST) -> list[Any]:
    """Literals that occur in the source, strings also by their short pieces, in order, without doubles."""
    docstrings = {id(n.value) for n in ast.walk(tree) if isinstance(n, ast.Expr)}
    found = [n.value for n in ast.walk(tree) if isinstance(n, ast.Constant) and id(n) not in docstrings]
    return distinct(v for v in found if isinstance(v, (str, int, float)) and not (isinstance(v, str) and len(v) > 60))


def distinct(values: Iterable[Any]) -> list[Any]:
    """The values without strict doubles, in order."""
    seen: set[tuple[str, str]] = set()
    out = []
    for value in values:
        key = (type(value).__name__, repr(value))
        if key not in seen:
            seen.add(key)
            out.append(value)
    return out


_SAMPLES: dict[str, tuple[Any, ...]] = {
    "str": ("a", "", "ab", " ", "A", "1", "a b", "abc", "-", "Ab", "12", "a,b", "ABC", "aa", ".", "\n", "é"),
    "int": (1, 0, 2, 3, -1, 4, 5, 6, 10, 7, 8, 100, -2, 9, 11, 20, 50, -10, 1000),
    "bool": (True, False),
    "float": (1.0, 0.5, -1.5, 0.0),
    "complex": (1j, 0j, 1 + 2j, -1.5 + 0j, 2 - 1j),
}


def samples(kind: str, items: Sequence[str] = ()) -> list[Any]:
    """Small values of a kind, plainest first; `items` are the likely kinds of a container's elements."""
    if kind in _SAMPLES:
        return list(_SAMPLES[kind])
    if kind in ("bytes", "bytearray"):
        return [getattr(builtins, kind)(text, "utf-8") for text in _SAMPLES["str"]]
    inner = [_SAMPLES[i][:5] for i in items if i in _SAMPLES] or [_SAMPLES["int"][:5], _SAMPLES["str"][:3]]
    rows: list[list[Any]] = [[]]
    for values in inner:
        rows += [[values[0]], list(values[:2]), list(values[:3]), [values[0], values[0]], list(values)]
    if items[:1] == ["list"]:
        rows += [[row] for row in rows[:4]]
    if kind == "dict":
        keyed = ["str", "int"] if items[:1] != ["int"] else ["int", "str"]
        return [dict(zip(_SAMPLES[k], row, strict=False)) for row in rows[:4] for k in keyed]
    container = getattr(builtins, kind, list)
    return [row if container is list else container(row) for row in rows]

"""What a piece of code is made of, for scores and drops by construct.

Guarantees: read from the syntax tree, nothing is run; total: code that does not parse has no constructs. Methods are
told by their names: `x.split()` counts as a string method whatever `x` is.
"""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterator

_LOOPS = (ast.For, ast.AsyncFor, ast.While)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
#: Names that methods of texts have, and those of lists, dicts and sets do not.
_TEXT_METHODS = frozenset(name for name in dir(str) if not name.startswith("_")) - frozenset(
    name for kind in (list, dict, set, tuple) for name in dir(kind)
)
_DICT_METHODS = frozenset({"items", "keys", "values", "setdefault", "fromkeys", "popitem"})
_BY_NODE: tuple[tuple[str, tuple[type[ast.AST], ...]], ...] = (
    ("for loop", (ast.For, ast.AsyncFor)),
    ("while loop", (ast.While,)),
    ("comprehension", _COMPREHENSIONS),
    ("if", (ast.If, ast.IfExp)),
    ("try", (ast.Try, ast.TryStar)),
    ("slice", (ast.Slice,)),
    ("dict", (ast.Dict, ast.DictComp)),
    ("set", (ast.Set, ast.SetComp)),
    ("lambda", (ast.Lambda,)),
    ("class", (ast.ClassDef,)),
    ("generator", (ast.Yield, ast.YieldFrom)),
    ("formatting", (ast.JoinedStr,)),
)


def constructs(code: str) -> frozenset[str]:
    """The constructs of a piece of code."""
    try:
        with warnings.catch_warnings():  # of the parser, on invalid escapes
            warnings.simplefilter("ignore")
            tree = ast.parse(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return frozenset()
    try:
        return frozenset(_found(tree))
    except RecursionError:
        return frozenset()


def _found(tree: ast.Module) -> Iterator[str]:
    loops = False
    for node in ast.walk(tree):
        yield from (name for name, kinds in _BY_NODE if isinstance(node, kinds))
        loops = loops or isinstance(node, (*_LOOPS, *_COMPREHENSIONS))
        if isinstance(node, _LOOPS) and any(isinstance(part, _LOOPS) for part in _below(node)):
            yield "nested loops"
        if isinstance(node, ast.Call):
            yield from _called(node.func)
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and _calls_itself(node):
            yield "recursion"
    if not loops:
        yield "no loop"


def _called(function: ast.expr) -> Iterator[str]:
    if isinstance(function, ast.Name) and function.id in ("dict", "set"):
        yield function.id
    if isinstance(function, ast.Attribute):
        if function.attr in _TEXT_METHODS:
            yield "string method"
        if function.attr in _DICT_METHODS:
            yield "dict"
        if function.attr == "format":
            yield "formatting"


def _below(node: ast.AST) -> Iterator[ast.AST]:
    walk = ast.walk(node)
    next(walk)
    return walk


def _calls_itself(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """By its own name, or as a method of `self`."""
    for part in ast.walk(node):
        function = part.func if isinstance(part, ast.Call) else None
        if isinstance(function, ast.Name) and function.id == node.name:
            return True
        if isinstance(function, ast.Attribute) and function.attr == node.name:
            owner = function.value
            if isinstance(owner, ast.Name) and owner.id in ("self", "cls"):
                return True
    return False

"""Lambdas that may stand in a proposed input: those that can do nothing but compute with what they are given.

Guarantees: a lambda that passes reaches no module, no frame, no attribute but the public methods of plain data, and no
builtin but a few pure ones: it can give a wrong value, and change what it is handed, as an argument may; it cannot
touch the process. Everything else does not pass, harmless or not.
"""

from __future__ import annotations

import ast

_METHODS = frozenset(
    name
    for kind in (str, bytes, int, float, list, tuple, set, frozenset, dict)
    for name in dir(kind)
    if not name.startswith("_")
) - {"format", "format_map"}  # a format string reads attributes of its own
_PURE = (
    *(abs, all, any, bool, chr, dict, divmod, enumerate, filter, float, frozenset, int, len, list, map, max, min, ord),
    *(pow, range, repr, reversed, round, set, sorted, str, sum, tuple, zip),
)
_BUILTINS = frozenset(function.__name__ for function in _PURE)
_NODES = (
    *(ast.Lambda, ast.arguments, ast.arg, ast.Constant, ast.Tuple, ast.List, ast.Set, ast.Dict, ast.UnaryOp, ast.BinOp),
    *(ast.BoolOp, ast.Compare, ast.IfExp, ast.Call, ast.keyword, ast.Subscript, ast.Slice, ast.Name, ast.Attribute),
    *(ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp, ast.comprehension, ast.Starred),
    *(ast.operator, ast.unaryop, ast.boolop, ast.cmpop, ast.expr_context),
)


def is_pure(node: ast.expr) -> bool:
    """Whether an expression is a lambda of this kind."""
    if not isinstance(node, ast.Lambda):
        return False
    parts = list(ast.walk(node))
    bound = {part.arg for part in parts if isinstance(part, ast.arg)}
    bound |= {part.id for part in parts if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store)}
    return all(_allowed(part, bound | _BUILTINS) for part in parts)


def _allowed(part: ast.AST, names: frozenset[str] | set[str]) -> bool:
    if isinstance(part, ast.Name):
        return part.id in names
    if isinstance(part, ast.Attribute):
        return part.attr in _METHODS
    return isinstance(part, _NODES)

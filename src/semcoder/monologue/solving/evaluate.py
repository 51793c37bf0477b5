"""Values of expressions whose variables are known, computed here without running the program.

Guarantees: only operators, literals and a fixed list of pure builtins and methods are evaluated, on plain data, with
bounded sizes; nothing of the program's own code runs. What is not covered raises `Unknown`, what would raise raises
`Failed`. Iterators (`zip`, `reversed`, `dict.items`) come as lists.
It does not model identity: values are never changed in place, here or by whoever gets them.
"""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

MAX_SIZE = 10_000
ERRORS = (ArithmeticError, LookupError, TypeError, ValueError, AttributeError, RecursionError, MemoryError)


class Unknown(Exception):
    """The expression depends on something that is not known, or is not of a kind that is evaluated here."""


class Failed(Exception):
    """Evaluating the expression raises."""


Env = Mapping[str, Any]

BINARY: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
    ast.BitAnd: operator.and_,
    ast.BitOr: operator.or_,
    ast.BitXor: operator.xor,
    ast.LShift: operator.lshift,
    ast.RShift: operator.rshift,
}
COMPARE: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Is: operator.is_,
    ast.IsNot: operator.is_not,
    ast.In: lambda a, b: a in b,
    ast.NotIn: lambda a, b: a not in b,
}
_UNARY: dict[type[ast.unaryop], Callable[[Any], Any]] = {
    ast.Not: operator.not_,
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
    ast.Invert: operator.invert,
}


def _listed(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *args, **kwargs: list(function(*args, **kwargs))


_TYPES: dict[str, type] = {t.__name__: t for t in (int, float, str, bool, list, tuple, dict, set, frozenset, bytes)}
_FUNCTIONS: dict[str, Callable[..., Any]] = {
    **_TYPES,
    **{f.__name__: f for f in (len, sum, min, max, sorted, abs, ord, chr, any, all, round, divmod, repr, bin, hex)},
    **{f.__name__: f for f in (oct, isinstance, callable)},
    **{f.__name__: _listed(f) for f in (reversed, zip, enumerate, map, filter)},
    "range": range,
}
_STATIC: dict[tuple[str, str], Callable[..., Any]] = {
    ("str", "maketrans"): str.maketrans,
    ("dict", "fromkeys"): dict.fromkeys,
    **{
        ("str", name): getattr(str, name)
        for name in dir(str)
        if name[0] != "_" and name not in ("maketrans", "format_map")
    },
}
_PURE: dict[type, frozenset[str]] = {
    str: frozenset(name for name in dir(str) if name[0] != "_" and name != "format_map"),
    bytes: frozenset({"decode", "hex"}),
    list: frozenset({"index", "count", "copy"}),
    tuple: frozenset({"index", "count"}),
    dict: frozenset({"get", "keys", "values", "items", "copy"}),
    set: frozenset({"union", "intersection", "difference", "copy", "issubset", "issuperset", "isdisjoint"}),
    int: frozenset({"bit_length"}),
    float: frozenset({"is_integer"}),
}
_WIDTHS = frozenset({"center", "ljust", "rjust", "zfill", "expandtabs"})


def evaluate(node: ast.AST, env: Env) -> Any:
    """The value of an expression. Raises `Unknown`, `Failed`."""
    handler = _NODES.get(type(node))
    if handler is None:
        raise Unknown
    try:
        return handler(node, env)
    except ERRORS as error:
        raise Failed(str(error)) from None


def free_names(node: ast.AST) -> set[str]:
    """Names that an expression reads and does not bind itself."""
    bound = {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    bound |= {a.arg for n in ast.walk(node) if isinstance(n, ast.Lambda) for a in n.args.args}
    return {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)} - bound


def bounded(value: Any) -> Any:
    """The value itself. Raises `Unknown` where it is too big to work with."""
    if isinstance(value, int) and value.bit_length() > 512:
        raise Unknown
    if isinstance(value, (str, bytes, list, tuple, dict, set, range)) and len(value) > MAX_SIZE:
        raise Unknown
    return value


def binary(kind: type[ast.operator], left: Any, right: Any) -> Any:
    """`left <op> right`, refused with `Unknown` where the result would be huge."""
    if kind is ast.Mult:
        for many, times in ((left, right), (right, left)):
            if hasattr(many, "__len__") and isinstance(times, int) and len(many) * times > MAX_SIZE:
                raise Unknown
    if (
        kind in (ast.Pow, ast.LShift)
        and isinstance(right, int)
        and (abs(right) > 64 or (kind is ast.Pow and right < 0))
    ):
        raise Unknown
    if kind is ast.Mod and isinstance(left, str):
        check_widths(left)
    return bounded(BINARY[kind](left, right))


def check_widths(template: str) -> None:
    """Refuse with `Unknown` a format text that could ask for a huge width."""
    if re.search(r"\d{4}", template):
        raise Unknown


#: The key under which an environment lists local names that hide builtins; no variable has an empty name.
HIDDEN = ""


def _name(node: ast.Name, env: Env) -> Any:
    if node.id in env:
        return env[node.id]
    if node.id in _TYPES and node.id not in env.get(HIDDEN, ()):
        return _TYPES[node.id]
    raise Unknown


def _elements(nodes: list[ast.expr], env: Env) -> list[Any]:
    out: list[Any] = []
    for node in nodes:
        if isinstance(node, ast.Starred):
            out.extend(evaluate(node.value, env))
        else:
            out.append(evaluate(node, env))
    return out


def _dict(node: ast.Dict, env: Env) -> Any:
    out: dict[Any, Any] = {}
    for key, value in zip(node.keys, node.values, strict=True):
        if key is None:
            more = evaluate(value, env)
            if not isinstance(more, dict):
                raise TypeError("not a mapping")
            out.update(more)
        else:
            out[evaluate(key, env)] = evaluate(value, env)
    return out


def _bool(node: ast.BoolOp, env: Env) -> Any:
    want = isinstance(node.op, ast.Or)
    value: Any = None
    for part in node.values:
        value = evaluate(part, env)
        if bool(value) is want:
            break
    return value


def _compare(node: ast.Compare, env: Env) -> Any:
    left, value = evaluate(node.left, env), True
    for op, right_node in zip(node.ops, node.comparators, strict=True):
        right = evaluate(right_node, env)
        value = COMPARE[type(op)](left, right)
        if not value:
            return value
        left = right
    return value


def _subscript(node: ast.Subscript, env: Env) -> Any:
    if isinstance(node.value, ast.Name) and node.value.id not in env:
        slots = env.get(node.value.id + "[]", {})
        key = evaluate(node.slice, env)
        if isinstance(key, slice) or key not in slots:
            raise Unknown
        return slots[key]
    return evaluate(node.value, env)[evaluate(node.slice, env)]


def _slice(node: ast.Slice, env: Env) -> Any:
    return slice(*(None if part is None else evaluate(part, env) for part in (node.lower, node.upper, node.step)))


def _joined(node: ast.JoinedStr, env: Env) -> Any:
    return "".join(str(evaluate(part, env)) for part in node.values)


def _formatted(node: ast.FormattedValue, env: Env) -> Any:
    value = evaluate(node.value, env)
    conversions: dict[int, Callable[[Any], Any]] = {-1: lambda v: v, 115: str, 114: repr, 97: ascii}
    convert = conversions[node.conversion]
    spec = "" if node.format_spec is None else evaluate(node.format_spec, env)
    check_widths(spec)
    return format(convert(value), spec)


def _call(node: ast.Call, env: Env) -> Any:
    function = node.func
    if isinstance(function, ast.Name) and function.id == "len" and isinstance(node.args[0], ast.Name):
        known = env.get(node.args[0].id + "#")
        if known is not None and node.args[0].id not in env:
            return known
    args = _elements(node.args, env)
    if any(k.arg is None for k in node.keywords):
        raise Unknown
    kwargs = {str(k.arg): evaluate(k.value, env) for k in node.keywords}
    if isinstance(function, ast.Name):
        chosen = env[function.id] if function.id in env else _FUNCTIONS.get(function.id)
        if function.id in env.get(HIDDEN, ()):
            raise Unknown
        if not callable(chosen):
            raise Unknown
        return bounded(chosen(*args, **kwargs))
    if not isinstance(function, ast.Attribute):
        raise Unknown
    static = isinstance(function.value, ast.Name) and function.value.id not in env.get(HIDDEN, ()) and function.value.id
    if static and static not in env and (static, function.attr) in _STATIC:
        return bounded(_STATIC[static, function.attr](*args, **kwargs))
    receiver = evaluate(function.value, env)
    if function.attr not in _PURE.get(type(receiver), ()):
        raise Unknown
    if function.attr in _WIDTHS and args and isinstance(args[0], int) and args[0] > MAX_SIZE:
        raise Unknown
    if function.attr == "format":
        check_widths(receiver)
    result = getattr(receiver, function.attr)(*args, **kwargs)
    return bounded(list(result) if function.attr in ("keys", "values", "items") else result)


def bind_target(target: ast.expr, value: Any) -> dict[str, Any]:
    """What an assignment target binds for a value. Raises `Unknown` for targets that are not names."""
    if isinstance(target, ast.Name):
        return {target.id: value}
    if isinstance(target, (ast.Tuple, ast.List)) and not any(isinstance(t, ast.Starred) for t in target.elts):
        parts = list(value)
        if len(parts) != len(target.elts):
            raise ValueError("wrong number of values to unpack")
        return {k: v for t, p in zip(target.elts, parts, strict=True) for k, v in bind_target(t, p).items()}
    raise Unknown


def _bindings(generators: list[ast.comprehension], env: Env) -> Iterator[Env]:
    if not generators:
        yield env
        return
    first, *rest = generators
    for item in bounded(evaluate(first.iter, env)):
        inner = {**env, **bind_target(first.target, item)}
        if all(evaluate(test, inner) for test in first.ifs):
            yield from _bindings(rest, inner)


def _plain_env(env: Env) -> Env:
    return env if isinstance(env, dict) else dict(env)


def _comprehension(node: ast.ListComp | ast.GeneratorExp, env: Env) -> Any:
    return [evaluate(node.elt, inner) for inner in _bindings(node.generators, _plain_env(env))]


def _lambda(node: ast.Lambda, env: Env) -> Any:
    names = [a.arg for a in node.args.args]
    return lambda *args: evaluate(node.body, {**_plain_env(env), **dict(zip(names, args, strict=True))})


_NODES: dict[type[ast.AST], Callable[[Any, Env], Any]] = {
    ast.Constant: lambda node, env: node.value,
    ast.Name: _name,
    ast.List: lambda node, env: _elements(node.elts, env),
    ast.Tuple: lambda node, env: tuple(_elements(node.elts, env)),
    ast.Set: lambda node, env: set(_elements(node.elts, env)),
    ast.Dict: _dict,
    ast.BoolOp: _bool,
    ast.Compare: _compare,
    ast.BinOp: lambda node, env: binary(type(node.op), evaluate(node.left, env), evaluate(node.right, env)),
    ast.UnaryOp: lambda node, env: _UNARY[type(node.op)](evaluate(node.operand, env)),
    ast.IfExp: lambda node, env: evaluate(node.body if evaluate(node.test, env) else node.orelse, env),
    ast.Subscript: _subscript,
    ast.Slice: _slice,
    ast.JoinedStr: _joined,
    ast.FormattedValue: _formatted,
    ast.Call: _call,
    ast.ListComp: _comprehension,
    ast.GeneratorExp: _comprehension,
    ast.SetComp: lambda node, env: set(_comprehension(node, env)),
    ast.DictComp: lambda node, env: {
        evaluate(node.key, inner): evaluate(node.value, inner) for inner in _bindings(node.generators, _plain_env(env))
    },
    ast.Lambda: _lambda,
}


def same(a: Any, b: Any) -> bool:
    """Strict equality of plain live values: types all the way down, nan equals nan, dict order does not count."""
    if type(a) is not type(b):
        return False
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict):
        return len(a) == len(b) and all(k in b and same(v, b[k]) for k, v in a.items())
    return repr(a) == repr(b) if isinstance(a, float) else bool(a == b)

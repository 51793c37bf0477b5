"""Values of expressions whose variables are known, computed here without running the program.

Guarantees: only operators, literals and a fixed list of pure builtins and methods are evaluated, on plain data, with
bounded sizes and bounded work: an evaluation that takes more than `MAX_WORK` raises `Unknown`, and what would be huge
is refused before it is made. Nothing of the program's own code runs. What is not covered raises `Unknown`, what would
raise raises `Failed`. Iterators (`zip`, `reversed`, `dict.items`) come as lists.
It does not model identity: values are never changed in place, here or by whoever gets them.
"""

from __future__ import annotations

import ast
import math
import operator
import re
import string
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

MAX_SIZE = 10_000
#: Units of work of one evaluation: expressions evaluated, and elements of what operators and calls are given and give.
MAX_WORK = 100_000
#: Characters, or elements copied, that one operation may take on the way to a result.
_ROOM = 5_000_000
#: Characters of a text that weigh as much as one element.
_PER_UNIT = 64
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
    if _METER.left is not None:
        return _value(node, env)
    start = _METER.left = min(MAX_WORK, _METER.whole)
    try:
        return _value(node, env)
    finally:
        _METER.whole -= start - _METER.left
        _METER.left = None


@contextmanager
def metered(work: int) -> Iterator[None]:
    """All evaluations meanwhile in this thread take at most so much work together, and further ones raise `Unknown`.
    Within another such bound, what they take counts there too."""
    before = _METER.whole
    start = _METER.whole = min(work, before)
    try:
        yield
    finally:
        _METER.whole = before - (start - _METER.whole)


class _Meter(threading.local):
    """Work that is left: to the evaluation under way (None: there is none), and to all of them together."""

    left: float | None = None
    whole: float = math.inf


_METER = _Meter()


def _pay(units: int) -> None:
    assert _METER.left is not None
    _METER.left -= units
    if _METER.left < 0:
        raise Unknown


def _value(node: ast.AST, env: Env) -> Any:
    handler = _NODES.get(type(node))
    if handler is None:
        raise Unknown
    _pay(1)
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
    if isinstance(value, (str, bytes, list, tuple, dict, set, frozenset, range)) and len(value) > MAX_SIZE:
        raise Unknown
    return _paid(value)


def _paid(value: Any) -> Any:
    """The value itself, its weight paid for."""
    _pay(_weight(value))
    return value


def _weight(value: Any, most: int = MAX_WORK) -> int:
    """Elements of a value, those of a part that it has several times each time. Raises `Unknown` beyond `most`: a few
    lines can make a value whose text would fill all memory."""
    if isinstance(value, (str, bytes, range)):
        return 1 + len(value) // _PER_UNIT
    if not isinstance(value, _HOLDERS):
        return 1
    total = 1 + len(value)
    parts: Iterable[Any] = value if not isinstance(value, dict) else (part for pair in value.items() for part in pair)
    for part in parts:
        if isinstance(part, _HEAVY):
            total += _weight(part, most - total)
        if total > most:
            raise Unknown
    return total


_HOLDERS = (list, tuple, dict, set, frozenset)
_HEAVY = (*_HOLDERS, str, bytes, range)


def _room(size: int) -> None:
    """Refuses with `Unknown` what would make so many characters, or copy so many elements."""
    if size > _ROOM:
        raise Unknown


def binary(kind: type[ast.operator], left: Any, right: Any) -> Any:
    """`left <op> right`, refused with `Unknown` where the result would be huge."""
    _pay(_weight(left) + _weight(right))
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
    if kind is ast.Mod and isinstance(left, (str, bytes)):
        _check_percents(left, right)
    return bounded(BINARY[kind](left, right))


def check_widths(template: str) -> None:
    """Refuse with `Unknown` a format text that could ask for a huge width."""
    if re.search(r"\d{4}", template):
        raise Unknown


def _check_percents(template: str | bytes, values: Any) -> None:
    """Likewise for the text before a `%`, whose widths (`*`) may be among the values."""
    text = template if isinstance(template, str) else template.decode("latin-1")
    check_widths(text)
    if re.search(r"%(\(.*?\))?[^a-zA-Z%]*\*", text, re.DOTALL):
        raise Unknown
    _room(text.count("%") * _weight(values) * _PER_UNIT)


def _check_fields(template: str, values: Any) -> None:
    """Likewise for the text of a `str.format`, whose fields may have fields as their widths."""
    check_widths(template)
    if any("{" in (spec or "") for _, _, spec, _ in string.Formatter().parse(template)):
        raise Unknown
    _room(template.count("{") * _weight(values) * _PER_UNIT)


def _check_function(function: Callable[..., Any], args: list[Any], kwargs: dict[str, Any]) -> None:
    """Refuse with `Unknown` a call of a function that would make much more than it is given."""
    given = [*args, *kwargs.values()]
    if function is bytes:
        if any(isinstance(each, int) and each > MAX_SIZE for each in given):
            raise Unknown
    elif function not in (isinstance, callable) and bytes in (each for each in given if isinstance(each, type)):
        raise Unknown  # as the function that another one calls, with numbers that nobody has looked at
    if function is round and any(isinstance(each, int) and abs(each) > 1000 for each in given[1:]):
        raise Unknown
    if function is sum and len(given) > 1 and isinstance(given[1], (list, tuple)) and hasattr(given[0], "__len__"):
        _room(len(given[0]) * _weight(given[0]))


def _check_method(receiver: Any, name: str, args: list[Any], kwargs: dict[str, Any]) -> None:
    """Likewise for a method."""
    if not isinstance(receiver, str):
        return
    given = [*args, *kwargs.values()]
    numbers = [abs(each) for each in given if isinstance(each, int)]
    if name in _WIDTHS and numbers and max(numbers) > MAX_SIZE:
        raise Unknown
    if name == "format":
        _check_fields(receiver, given)
    if name == "expandtabs":
        _room(receiver.count("\t") * max(numbers, default=8))
    if name == "replace" and all(isinstance(each, str) for each in args[:2]) and len(args) > 1:
        _room(receiver.count(args[0]) * len(args[1]))
    if name == "join" and args and hasattr(args[0], "__len__"):
        _room(len(receiver) * len(args[0]))
    if name == "translate" and args:
        table = args[0].values() if isinstance(args[0], dict) else args[0]
        _room(len(receiver) * max((len(each) for each in table if isinstance(each, str)), default=1))


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
            out.extend(_paid(_value(node.value, env)))
        else:
            out.append(_value(node, env))
    return out


def _dict(node: ast.Dict, env: Env) -> Any:
    out: dict[Any, Any] = {}
    for key, value in zip(node.keys, node.values, strict=True):
        if key is None:
            more = _value(value, env)
            if not isinstance(more, dict):
                raise TypeError("not a mapping")
            out.update(_paid(more))
        else:
            out[_value(key, env)] = _value(value, env)
    return _paid(out)


def _bool(node: ast.BoolOp, env: Env) -> Any:
    want = isinstance(node.op, ast.Or)
    value: Any = None
    for part in node.values:
        value = _value(part, env)
        if bool(value) is want:
            break
    return value


def _compare(node: ast.Compare, env: Env) -> Any:
    left, value = _value(node.left, env), True
    for op, right_node in zip(node.ops, node.comparators, strict=True):
        right = _value(right_node, env)
        looked_up = isinstance(op, (ast.In, ast.NotIn)) and isinstance(right, (dict, set, frozenset, range))
        _pay(_weight(left) + (1 if looked_up else _weight(right)))
        value = COMPARE[type(op)](left, right)
        if not value:
            return value
        left = right
    return value


def _subscript(node: ast.Subscript, env: Env) -> Any:
    if isinstance(node.value, ast.Name) and node.value.id not in env:
        slots = env.get(node.value.id + "[]", {})
        key = _value(node.slice, env)
        if isinstance(key, slice) or key not in slots:
            raise Unknown
        return slots[key]
    found = _value(node.value, env)[_value(node.slice, env)]
    return _paid(found) if isinstance(node.slice, ast.Slice) else found


def _slice(node: ast.Slice, env: Env) -> Any:
    return slice(*(None if part is None else _value(part, env) for part in (node.lower, node.upper, node.step)))


def _joined(node: ast.JoinedStr, env: Env) -> Any:
    return _paid("".join(_paid(str(_value(part, env))) for part in node.values))


def _formatted(node: ast.FormattedValue, env: Env) -> Any:
    value = _paid(_value(node.value, env))
    conversions: dict[int, Callable[[Any], Any]] = {-1: lambda v: v, 115: str, 114: repr, 97: ascii}
    convert = conversions[node.conversion]
    spec = "" if node.format_spec is None else _value(node.format_spec, env)
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
    kwargs = {str(k.arg): _value(k.value, env) for k in node.keywords}
    if isinstance(function, ast.Name):
        chosen = env[function.id] if function.id in env else _FUNCTIONS.get(function.id)
        if function.id in env.get(HIDDEN, ()) or not callable(chosen):
            raise Unknown
        if chosen not in _AT_ONCE:
            _pay(_weight(args) + _weight(kwargs))
        _check_function(chosen, args, kwargs)
        return bounded(chosen(*args, **kwargs))
    if not isinstance(function, ast.Attribute):
        raise Unknown
    return _method(function, args, kwargs, env)


#: What looks at its arguments, but not at their elements.
_AT_ONCE: tuple[Callable[..., Any], ...] = (len, isinstance, callable)


def _method(function: ast.Attribute, args: list[Any], kwargs: dict[str, Any], env: Env) -> Any:
    _pay(_weight(args) + _weight(kwargs))
    name = function.attr
    static = isinstance(function.value, ast.Name) and function.value.id not in env.get(HIDDEN, ()) and function.value.id
    if static and static not in env and (static, name) in _STATIC:
        if static == "str" and args:
            _check_method(args[0], name, args[1:], kwargs)
        return bounded(_STATIC[static, name](*args, **kwargs))
    receiver = _value(function.value, env)
    if name not in _PURE.get(type(receiver), ()):
        raise Unknown
    if name != "get":
        _pay(_weight(receiver))
    _check_method(receiver, name, args, kwargs)
    result = getattr(receiver, name)(*args, **kwargs)
    return bounded(list(result) if name in ("keys", "values", "items") else result)


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
    for item in bounded(_value(first.iter, env)):
        _pay(1 + len(env) // _PER_UNIT)
        inner = {**env, **bind_target(first.target, item)}
        if all(_value(test, inner) for test in first.ifs):
            yield from _bindings(rest, inner)


def _comprehension(node: ast.ListComp | ast.GeneratorExp, env: Env) -> Any:
    return _paid([_value(node.elt, inner) for inner in _bindings(node.generators, env)])


def _lambda(node: ast.Lambda, env: Env) -> Any:
    names = [a.arg for a in node.args.args]
    return lambda *args: evaluate(node.body, {**env, **dict(zip(names, args, strict=True))})


_NODES: dict[type[ast.AST], Callable[[Any, Env], Any]] = {
    ast.Constant: lambda node, env: node.value,
    ast.Name: _name,
    ast.List: lambda node, env: _paid(_elements(node.elts, env)),
    ast.Tuple: lambda node, env: _paid(tuple(_elements(node.elts, env))),
    ast.Set: lambda node, env: _paid(set(_elements(node.elts, env))),
    ast.Dict: _dict,
    ast.BoolOp: _bool,
    ast.Compare: _compare,
    ast.BinOp: lambda node, env: binary(type(node.op), _value(node.left, env), _value(node.right, env)),
    ast.UnaryOp: lambda node, env: _UNARY[type(node.op)](_value(node.operand, env)),
    ast.IfExp: lambda node, env: _value(node.body if _value(node.test, env) else node.orelse, env),
    ast.Subscript: _subscript,
    ast.Slice: _slice,
    ast.JoinedStr: _joined,
    ast.FormattedValue: _formatted,
    ast.Call: _call,
    ast.ListComp: _comprehension,
    ast.GeneratorExp: _comprehension,
    ast.SetComp: lambda node, env: set(_comprehension(node, env)),
    ast.DictComp: lambda node, env: _paid(
        {_value(node.key, inner): _value(node.value, inner) for inner in _bindings(node.generators, env)}
    ),
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

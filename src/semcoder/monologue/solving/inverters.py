"""The registry's entries: how to go back through each operator, display, builtin, method and condition.

Guarantees: what an entry yields satisfies its expression as far as it is known (see `Engine.confirm`); entries that
have nothing to say yield nothing, and the engine then tries small values for what is open.
It does not cover operations with side effects: see `semcoder.monologue.solving.statements`.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from semcoder.monologue.solving import preimages
from semcoder.monologue.solving.engine import ITEM, UNKNOWN, Engine, Inverter, Inverters, Option, States, containers
from semcoder.monologue.solving.evaluate import (
    COMPARE,
    ERRORS,
    Unknown,
    bind_target,
    same,
)
from semcoder.monologue.solving.state import FREE, Items, State

REGISTRY = Inverters()


def _register(table: dict[Any, Inverter], *keys: Any) -> Callable[[Inverter], Inverter]:
    def keep(inverter: Inverter) -> Inverter:
        table.update(dict.fromkeys(keys, inverter))
        return inverter

    return keep


# Names, displays, conditional expressions


@_register(REGISTRY.nodes, ast.Name)
def _name(engine: Engine, node: ast.Name, target: Any, state: State) -> States:
    return engine.bind(node.id, target, state)


@_register(REGISTRY.nodes, ast.List, ast.Tuple)
def _display(engine: Engine, node: ast.List | ast.Tuple, target: Any, state: State) -> States:
    if type(target) is not (list if isinstance(node, ast.List) else tuple):
        return
    starred = [k for k, part in enumerate(node.elts) if isinstance(part, ast.Starred)]
    if not starred:
        if len(target) == len(node.elts):
            yield from engine.all(state, list(zip(node.elts, target, strict=True)))
        return
    if len(starred) == 1 and len(target) >= len(node.elts) - 1:
        at, rest = starred[0], len(node.elts) - 1 - starred[0]
        end = len(target) - rest
        middle = node.elts[at]
        assert isinstance(middle, ast.Starred)
        pairs = [*zip(node.elts[:at], target[:at], strict=True), *zip(node.elts[at + 1 :], target[end:], strict=True)]
        yield from engine.all(state, [*pairs, (middle.value, Items(tuple(target[at:end])))])


@_register(REGISTRY.nodes, ast.Set)
def _set_display(engine: Engine, node: ast.Set, target: Any, state: State) -> States:
    if isinstance(target, set) and 0 < len(target) <= len(node.elts):
        row = sorted(target, key=repr)
        row += [row[-1]] * (len(node.elts) - len(row))
        yield from engine.all(state, list(zip(node.elts, row, strict=True)))


@_register(REGISTRY.nodes, ast.Dict)
def _dict_display(engine: Engine, node: ast.Dict, target: Any, state: State) -> States:
    if not isinstance(target, dict):
        return
    if all(k is None for k in node.keys) and node.keys:  # {**a, **b}: one of them has it all
        rows = [[target if k == at else {} for k in range(len(node.keys))] for at in range(len(node.keys))]
        yield from engine.each(state, rows, lambda row, s: engine.all(s, list(zip(node.values, row, strict=True))))
    if len(target) != len(node.keys) or any(k is None for k in node.keys):
        return
    pairs: list[tuple[ast.AST, Any]] = []
    for key, value, (wanted_key, wanted) in zip(node.keys, node.values, target.items(), strict=True):
        assert key is not None
        pairs += [(key, wanted_key), (value, wanted)]
    yield from engine.all(state, pairs)


@_register(REGISTRY.nodes, ast.IfExp)
def _conditional(engine: Engine, node: ast.IfExp, target: Any, state: State) -> States:
    def way(part: ast.expr, flag: bool) -> Option:
        def option(s: State) -> States:
            for found in engine.invert(part, target, s):
                yield from engine.truth(node.test, flag, found)

        return lambda s: engine.settled_by(s, option)

    return engine.choose(state, way(node.body, True), way(node.orelse, False))


@_register(REGISTRY.nodes, ast.NamedExpr)
def _walrus(engine: Engine, node: ast.NamedExpr, target: Any, state: State) -> States:
    return engine.invert(node.value, target, state)


@_register(REGISTRY.nodes, ast.BoolOp)
def _bool_value(engine: Engine, node: ast.BoolOp, target: Any, state: State) -> States:
    """The value of `and`/`or` is that of the operand that decides it."""
    stops = isinstance(node.op, ast.Or)

    def ends_at(k: int) -> Option:
        def option(s: State) -> States:
            last = k == len(node.values) - 1
            if not last and bool(target) is not stops:
                return
            for found in engine.invert(node.values[k], target, s):
                yield from _all_true(engine, node.values[:k], not stops, found)

        return option

    return engine.choose(state, *(ends_at(k) for k in range(len(node.values))))


def _all_true(engine: Engine, nodes: Sequence[ast.expr], flag: bool, state: State) -> States:
    if not nodes:
        yield state
        return
    for found in engine.truth(nodes[0], flag, state):
        yield from _all_true(engine, nodes[1:], flag, found)


@_register(REGISTRY.nodes, ast.Compare)
def _boolean(engine: Engine, node: ast.expr, target: Any, state: State) -> States:
    return engine.truth(node, target, state) if isinstance(target, bool) else iter(())


# Operators


@_register(REGISTRY.nodes, ast.BinOp)
def _operator(engine: Engine, node: ast.BinOp, target: Any, state: State) -> States:
    kind = type(node.op)
    if kind is ast.Add and isinstance(target, str):
        return _template(engine, _flat(node), target, state)
    if kind is ast.Mod and isinstance(target, str):
        return _percent(engine, node, target, state)
    left, right = engine.known(node.left, state), engine.known(node.right, state)
    if right is not UNKNOWN:
        return engine.propose(node.left, _left(kind, target, right), node, target, state)
    if left is not UNKNOWN:
        return engine.propose(node.right, _right(kind, target, left), node, target, state)
    pairs = [(a, b) for a, b in _splits(kind, target)]

    def both(pair: tuple[Any, Any], s: State) -> States:
        return engine.all(s, [(node.left, pair[0]), (node.right, pair[1])])

    return engine.each(state, pairs, both)


def _left(kind: type[ast.operator], target: Any, right: Any) -> list[Any]:
    """Left operands that may give the target with this right one."""
    if isinstance(target, (list, tuple)):
        if kind is ast.Add and isinstance(right, (list, tuple)) and same(target[len(target) - len(right) :], right):
            return [target[: len(target) - len(right)]]
        if kind is ast.Mult and type(right) is int:
            return [target[: len(target) // right]] if right > 0 else [target]
        return []
    if isinstance(target, str):
        return [target[: len(target) // right] if right > 0 else "a"] if kind is ast.Mult and type(right) is int else []
    if not isinstance(target, (int, float)) or not isinstance(right, (int, float)):
        return []
    return _left_number(kind, target, right)


def _left_number(kind: type[ast.operator], target: Any, right: Any) -> list[Any]:
    try:
        made: dict[type[ast.operator], Callable[[], list[Any]]] = {
            ast.Add: lambda: [target - right],
            ast.Sub: lambda: [target + right],
            ast.Mult: lambda: [target // right, target / right] if right else [1, 0],
            ast.FloorDiv: lambda: [target * right, target * right + 1],
            ast.Div: lambda: [int(target * right), target * right],
            ast.Mod: lambda: [target, target + right, target + 2 * right, target - right],
            ast.Pow: lambda: [round(target ** (1 / right)), -round(target ** (1 / right))],
            ast.BitXor: lambda: [target ^ right],
        }
        return made.get(kind, list)()
    except ERRORS:
        return []


def _right(kind: type[ast.operator], target: Any, left: Any) -> list[Any]:
    """Right operands that may give the target with this left one."""
    if kind is ast.Add and isinstance(target, (list, tuple)):
        return [target[len(left) :]] if isinstance(left, (list, tuple)) and same(target[: len(left)], left) else []
    if kind is ast.Mult and isinstance(left, (str, list)) and isinstance(target, (str, list)):
        return [len(target) // len(left)] if left else [1, 0]
    if not isinstance(target, (int, float)) or not isinstance(left, (int, float)):
        return []
    if kind is ast.Sub:
        return [left - target]
    if kind is ast.Mod:
        return [left - target, left + 1, target + 1]
    if kind in (ast.FloorDiv, ast.Div):
        return [left // target, left / target] if target else [left + 1]
    return _left_number(kind, target, left) if kind in (ast.Add, ast.Mult, ast.BitXor) else []


def _splits(kind: type[ast.operator], target: Any) -> Iterator[tuple[Any, Any]]:
    """Operand pairs that give the target, neither operand being known."""
    if isinstance(target, (str, list, tuple)):
        size = len(target)
        if kind is ast.Mult:
            yield target, 1
            for times in range(2, min(size, 12) + 1):
                if size % times == 0 and target == target[: size // times] * times:
                    yield target[: size // times], times
            if not size:
                yield target, 0
        elif kind is ast.Add:
            for at in dict.fromkeys((size - 1, 0, size, 1, size // 2)):
                if 0 <= at <= size:
                    yield target[:at], target[at:]
    elif isinstance(target, (int, float)):
        pairs: dict[type[ast.operator], list[tuple[Any, Any]]] = {
            ast.Add: [(target - 1, 1), (target, 0), (0, target), (target - 2, 2), (target - 3, 3), (target + 1, -1)],
            ast.Sub: [(target, 0), (target + 1, 1), (0, -target)],
            ast.Mult: [(target, 1), (1, target), *([(0, 0)] if not target else [])],
            ast.FloorDiv: [(target, 1), (target * 2, 2)],
            ast.Div: [(target, 1), (target * 2, 2), (int(target), 1), (int(target * 2), 2)],
            ast.Mod: [(target, target + 1), (target + 10, 10)],
        }
        yield from pairs.get(kind, [])


@_register(REGISTRY.nodes, ast.UnaryOp)
def _unary(engine: Engine, node: ast.UnaryOp, target: Any, state: State) -> States:
    if isinstance(node.op, ast.Not):
        return _boolean(engine, node, target, state)
    if not isinstance(target, (int, float)):
        return iter(())
    operand = {ast.USub: -target, ast.UAdd: target}.get(type(node.op), ~target if isinstance(target, int) else target)
    return engine.invert(node.operand, operand, state)


# Text put together from parts


def _flat(node: ast.expr) -> list[ast.expr]:
    """The operands of a chain of `+`, in order."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return [*_flat(node.left), *_flat(node.right)]
    return [node]


def _template(engine: Engine, parts: Sequence[ast.expr], target: str, state: State, shown: bool = False) -> States:
    """Texts of the parts, known or open, that make up the target. `shown`: parts are turned to text by `str`."""
    texts: list[str | None] = []
    for part in parts:
        value = engine.known(part, state)
        if value is not UNKNOWN and not isinstance(value, str) and not shown:
            return iter(())
        texts.append(None if value is UNKNOWN else str(value))
    unknown = [part for part, text in zip(parts, texts, strict=True) if text is None]

    def put(groups: tuple[str, ...], s: State) -> States:
        if not shown:
            return engine.all(s, list(zip(unknown, groups, strict=True)))
        return _shown(engine, list(zip(unknown, groups, strict=True)), s)

    return engine.each(state, list(dict.fromkeys(_cuts(texts, target))), put)


def _shown(engine: Engine, pairs: Sequence[tuple[ast.expr, str]], state: State) -> States:
    if not pairs:
        yield state
        return
    (part, text), *rest = pairs
    for found in engine.each(state, preimages.FUNCTIONS["str"](text), lambda v, s: engine.invert(part, v, s)):
        yield from _shown(engine, rest, found)


def _cuts(texts: Sequence[str | None], target: str) -> Iterator[tuple[str, ...]]:
    """Ways to cut the target into the open parts between the known ones: short first, short last, single characters."""
    count = texts.count(None)
    for style in ("(.*)", "(.*?)", None):
        holes = iter(["(.*)"] + ["(.)"] * (count - 1) if style is None else [style] * count)
        pattern = "".join(next(holes) if text is None else re.escape(text) for text in texts)
        if style == "(.*)" and count == len(texts) > 1:  # an accumulator and what was added last: one character first
            match = re.fullmatch("(.*)" + "(.)" * (count - 1), target, re.DOTALL)
            if match:
                yield match.groups()
        match = re.fullmatch(pattern, target, re.DOTALL)
        if match:
            yield match.groups()
    if count == len(texts) == 2:
        for at in (len(target), 1, len(target) // 2):
            yield target[:at], target[at:]


@_register(REGISTRY.nodes, ast.JoinedStr)
def _fstring(engine: Engine, node: ast.JoinedStr, target: Any, state: State) -> States:
    if not isinstance(target, str):
        return iter(())
    parts = [
        p.value if isinstance(p, ast.FormattedValue) and p.format_spec is None and p.conversion in (-1, 115) else p
        for p in node.values
    ]
    return _checked(engine, node, target, _template(engine, parts, target, state, shown=True))


def _checked(engine: Engine, node: ast.AST, target: Any, states: States) -> States:
    for found in states:
        yield from engine.confirm(node, target, found)


def _percent(engine: Engine, node: ast.BinOp, target: str, state: State) -> States:
    template = engine.known(node.left, state)
    if not isinstance(template, str):
        return engine.propose(node.left, [target], node, target, state)
    arguments = node.right.elts if isinstance(node.right, ast.Tuple) else [node.right]
    parts = _holes(re.split(r"%[sdr]", template.replace("%%", "%")), arguments)
    return (
        iter(())
        if parts is None
        else _checked(engine, node, target, _template(engine, parts, target, state, shown=True))
    )


def _holes(fixed: Sequence[str], arguments: Sequence[ast.expr]) -> list[ast.expr] | None:
    """Fixed texts with the arguments between them; None where the counts do not match."""
    if len(fixed) != len(arguments) + 1 or any(isinstance(a, ast.Starred) for a in arguments):
        return None
    out: list[ast.expr] = [ast.Constant(fixed[0])]
    for argument, text in zip(arguments, fixed[1:], strict=True):
        out += [argument, ast.Constant(text)]
    return out


@_register(REGISTRY.methods, "format")
def _format(engine: Engine, node: ast.Call, target: Any, state: State) -> States:
    assert isinstance(node.func, ast.Attribute)
    template = engine.known(node.func.value, state)
    if not isinstance(target, str):
        return iter(())
    if not isinstance(template, str):
        plain = target.replace("{", "{{").replace("}", "}}")
        return engine.propose(node.func.value, [plain, "{}" + plain], node, target, state)
    fields = re.findall(r"\{(\w*)(?:![rs])?(?::[^}]*)?\}", template)
    named = {str(k.arg): k.value for k in node.keywords}
    order: list[ast.expr] = []
    for count, name in enumerate(fields):
        place = count if name == "" else int(name) if name.isdigit() else None
        if (place is None and name not in named) or (place is not None and place >= len(node.args)):
            return iter(())
        order.append(named[name] if place is None else node.args[place])
    parts = _holes(re.split(r"\{[^}]*\}", template), order)
    return (
        iter(())
        if parts is None
        else _checked(engine, node, target, _template(engine, parts, target, state, shown=True))
    )


@_register(REGISTRY.methods, "join")
def _join(engine: Engine, node: ast.Call, target: Any, state: State) -> States:
    """The separator cuts the text; an open separator is taken to be empty, or the text to be one part."""
    if not isinstance(target, str) or len(node.args) != 1:
        return iter(())
    assert isinstance(node.func, ast.Attribute)
    receiver, argument = node.func.value, node.args[0]
    separator = engine.known(receiver, state)

    def cut(sep: str, s: State) -> States:
        ways = [[target]] if target else [[], [""]]
        if sep:
            ways = [target.split(sep), *ways] if target else ways
        else:
            words = [c for c in engine.constants if isinstance(c, str) and len(c) > 1 and c in target]
            pattern = "|".join([*map(re.escape, sorted(words, key=len, reverse=True)), "."])
            ways = (
                [list(target), *([re.findall(pattern, target, re.DOTALL)] if words else []), *ways] if target else ways
            )
        return engine.each(s, ways, lambda row, t: engine.invert(argument, Items(tuple(row)), t))

    if isinstance(separator, str):
        return cut(separator, state)
    row = engine.known(argument, state)
    if row is not UNKNOWN:
        return _open_separator(engine, receiver, list(row), target, state)

    def then(sep: str, s: State) -> States:
        for found in engine.invert(receiver, sep, s):
            yield from cut(sep, found)

    return engine.each(state, ["", " ", ",", "-"], then)


def _open_separator(engine: Engine, receiver: ast.expr, row: list[Any], target: str, state: State) -> States:
    if len(row) < 2 or not all(isinstance(r, str) for r in row):
        return engine.invert(receiver, " ", state) if row == [target] or (not target and not row) else iter(())
    gap = (len(target) - sum(map(len, row))) // (len(row) - 1)
    sep = target[len(row[0]) : len(row[0]) + max(gap, 0)]
    return engine.invert(receiver, sep, state) if sep.join(row) == target else iter(())


# Subscripts


@_register(REGISTRY.nodes, ast.Subscript)
def _subscript(engine: Engine, node: ast.Subscript, target: Any, state: State) -> States:
    if isinstance(node.slice, ast.Slice):
        return _slice(engine, node, node.slice, target, state)
    container, key = engine.known(node.value, state), engine.known(node.slice, state)
    if container is not UNKNOWN:
        if isinstance(container, dict):
            keys = [k for k, v in container.items() if same(v, target)]
        else:
            keys = [k for k, v in enumerate(container) if same(v, target)] if hasattr(container, "__len__") else []
        return engine.propose(node.slice, keys, node, target, state)
    if key is UNKNOWN:
        return engine.each(state, [0, 1, -1], lambda k, s: _both_open(engine, node, k, target, s))
    if isinstance(node.value, ast.Name):
        return _element(engine, node.value.id, key, target, state)
    return engine.propose(node.value, _with_element(key, target), node, target, state)


def _both_open(engine: Engine, node: ast.Subscript, key: Any, target: Any, state: State) -> States:
    if isinstance(node.value, ast.Name):  # the element first: the index may depend on the container's length
        for found in _element(engine, node.value.id, key, target, state):
            yield from engine.invert(node.slice, key, found)
        return
    for found in engine.invert(node.slice, key, state):
        yield from _subscript(engine, node, target, found)


def _element(engine: Engine, name: str, key: Any, target: Any, state: State) -> States:
    """One more known element of a variable's container."""
    if name not in engine.shapes:
        return
    slots = state.known.get(name + "[]", {})
    if key in slots:
        if same(slots[key], target):
            yield state
        return
    size = state.known.get(name + "#")
    if size is not None and isinstance(key, int) and not -size <= key < size:
        return
    yield state.slot(name, key, target)


def _with_element(key: Any, target: Any) -> list[Any]:
    if not isinstance(key, int):
        return [{key: target}]
    if abs(key) > 300:
        return []
    size = key + 1 if key >= 0 else -key
    rows: list[Any] = [[target] * size]
    if isinstance(target, str) and len(target) == 1:
        rows.append(target * size)
    pairs = [(target, 1) if key == 0 else (1, target)] if key in (0, 1) else []
    return [*rows, {key: target}, *pairs]


def _slice(engine: Engine, node: ast.Subscript, cut: ast.Slice, target: Any, state: State) -> States:
    """The target itself, or the target with something put where the slice does not reach."""
    if not isinstance(target, (str, list, tuple)):
        return iter(())
    container = engine.known(node.value, state)
    if container is not UNKNOWN:
        return iter(())
    lower, upper, step = (engine.known(part, state) if part else None for part in (cut.lower, cut.upper, cut.step))
    if step == -1 and lower is None and upper is None:
        return engine.invert(node.value, target[::-1], state)
    pad: Any = "a" if isinstance(target, str) else [0] if isinstance(target, list) else (0,)
    if target and isinstance(target, str):
        pad = target[0]
    rows: list[Any] = [target]
    if isinstance(lower, int) and 0 < abs(lower) <= 200:
        rows.insert(0, pad * lower + target if lower > 0 else target)
    if isinstance(upper, int) and -200 <= upper < 0:
        rows = [row + pad * -upper for row in rows] + rows
    rows += [target + pad, pad + target, pad + target + pad, target[::-1]]
    if isinstance(step, int) and step > 1:
        rows.insert(0, _spread(target, step, pad))
    if not target:
        rows += [pad, pad * 3]
    return engine.propose(node.value, rows, node, target, state)


def _spread(target: Any, step: int, pad: Any) -> Any:
    out = target[:0]
    for k in range(len(target)):
        out += target[k : k + 1] + (pad * (step - 1) if k < len(target) - 1 else pad * 0)
    return out


# Comprehensions, and what iterables yield


def _comprehension_items(
    engine: Engine, node: ast.ListComp | ast.GeneratorExp, values: Sequence[Any], state: State
) -> States:
    if len(node.generators) != 1:
        return iter(())
    return _through(engine, node.generators[0], [(node.elt, list(values))], state)


def _through(
    engine: Engine, loop: ast.comprehension, wanted: Sequence[tuple[ast.expr, Sequence[Any]]], state: State
) -> States:
    """What the loop's iterable yields so that, item by item, each element expression has its wanted value."""
    count = len(wanted[0][1])
    names = sorted(n.id for n in ast.walk(loop.target) if isinstance(n, ast.Name))
    source = engine.known(loop.iter, state)
    if source is not UNKNOWN:
        return _known_source(engine, loop, list(source), wanted, state)
    fixed = skeleton(engine, loop.iter, count, state)

    def element(k: int, s: State, row: tuple[Any, ...]) -> States:
        if k == count:
            yield from engine.items(loop.iter, row, s)
            return
        inner = s.drop(*names)
        if fixed is not None:
            inner = bind_partly(loop.target, fixed[k], inner)

        def kept(t: State) -> States:
            for found in engine.all(t, [(node, values[k]) for node, values in wanted]):
                yield from _all_true(engine, loop.ifs, True, found)

        for found in engine.settled_by(inner, kept):
            item = target_value(loop.target, found)
            yield from element(k + 1, found.drop(*names), (*row, item))

    return element(0, state.drop(*names), ())


def _known_source(
    engine: Engine,
    loop: ast.comprehension,
    source: list[Any],
    wanted: Sequence[tuple[ast.expr, Sequence[Any]]],
    state: State,
) -> States:
    count = len(wanted[0][1])

    def element(at: int, k: int, s: State) -> States:
        engine.budget.tick()
        if at == len(source):
            if k == count:
                yield s
            return
        try:
            inner = s
            for name, value in bind_target(loop.target, source[at]).items():
                inner = inner.bind(name, value)
        except (Unknown, *ERRORS):
            return
        names = sorted(n.id for n in ast.walk(loop.target) if isinstance(n, ast.Name))

        def taken(t: State) -> States:
            if k < count:
                for found in engine.all(t, [(node, values[k]) for node, values in wanted]):
                    for kept in _all_true(engine, loop.ifs, True, found):
                        yield from element(at + 1, k + 1, kept.drop(*names))

        def skipped(t: State) -> States:
            for test in loop.ifs:
                for found in engine.truth(test, False, t):
                    yield from element(at + 1, k, found.drop(*names))

        yield from engine.choose(inner, taken, skipped)

    return element(0, 0, state)


def skeleton(engine: Engine, source: ast.expr, count: int, state: State) -> list[Any] | None:
    """What is known beforehand of the items that an open iterable yields, if it yields `count`; None if nothing is."""
    if isinstance(source, ast.Call) and isinstance(source.func, ast.Name) and not source.keywords:
        name, args = source.func.id, source.args
        if name == "range" and len(args) == 1:
            return list(range(count))
        if name == "range" and len(args) == 2 and isinstance(engine.known(args[0], state), int):
            start = engine.known(args[0], state)
            return list(range(start, start + count))
        if name == "range" and len(args) == 3 and engine.known(args[2], state) == -1:
            stop = engine.known(args[1], state)
            return list(range(stop + count, stop, -1)) if isinstance(stop, int) else None
        if name == "enumerate" and len(args) == 1:
            return [(k, FREE) for k in range(count)]
    return None


def bind_partly(target: ast.expr, item: Any, state: State) -> State:
    """Loop variables bound to what is known of an item."""
    if isinstance(target, ast.Name):
        return state if item is FREE else state.bind(target.id, item)
    if isinstance(target, (ast.Tuple, ast.List)) and isinstance(item, tuple) and len(item) == len(target.elts):
        for part, value in zip(target.elts, item, strict=True):
            state = bind_partly(part, value, state)
    return state


def target_value(target: ast.expr, state: State) -> Any:
    """The item that a loop's target must have been given; `FREE` where nothing is needed of it."""
    if isinstance(target, ast.Name):
        if target.id in state.known:
            return state.known[target.id]
        slots = state.known.get(target.id + "[]")
        return FREE if slots is None else next(iter(from_slots(slots, state.known.get(target.id + "#"), "")), FREE)
    if isinstance(target, (ast.Tuple, ast.List)):
        return tuple(target_value(part, state) for part in target.elts)
    return FREE


def from_slots(slots: dict[Any, Any], size: int | None, kind: str) -> list[Any]:
    """Containers with these elements at these indices or keys; `kind` is the likeliest."""
    if not all(type(k) is int for k in slots):
        return [slots]
    low, high = min(slots, default=0), max(slots, default=-1)
    if size is None:
        size = max(high + 1, -low)
    if size > 500:
        return []
    fixed = {(k if k >= 0 else size + k): v for k, v in slots.items()}
    texts = bool(fixed) and all(isinstance(v, str) and len(v) == 1 for v in fixed.values())
    filler: Any = next(iter(fixed.values()), "a" if kind == "str" else 1)
    row = [fixed.get(k, filler) for k in range(size)]
    made = containers(row, [kind])[:3] if texts or kind != "str" or not fixed else [row]
    if kind == "dict":
        made.insert(0, dict(slots))
    return made


@_register(REGISTRY.nodes, ast.ListComp, ast.GeneratorExp)
def _list_comprehension(engine: Engine, node: ast.ListComp | ast.GeneratorExp, target: Any, state: State) -> States:
    return _comprehension_items(engine, node, target, state) if isinstance(target, list) else iter(())


REGISTRY.iterators.update({"ListComp": _comprehension_items, "GeneratorExp": _comprehension_items})


@_register(REGISTRY.nodes, ast.SetComp)
def _set_comprehension(engine: Engine, node: ast.SetComp, target: Any, state: State) -> States:
    if not isinstance(target, set) or len(node.generators) != 1:
        return iter(())
    return _through(engine, node.generators[0], [(node.elt, sorted(target, key=repr))], state)


@_register(REGISTRY.nodes, ast.DictComp)
def _dict_comprehension(engine: Engine, node: ast.DictComp, target: Any, state: State) -> States:
    if not isinstance(target, dict) or len(node.generators) != 1:
        return iter(())
    wanted = [(node.key, list(target)), (node.value, list(target.values()))]
    return _through(engine, node.generators[0], wanted, state)


@_register(REGISTRY.iterators, "enumerate")
def _enumerate_items(engine: Engine, node: ast.Call, values: Sequence[Any], state: State) -> States:
    if len(node.args) != 1 or not all(isinstance(v, tuple) and len(v) == 2 for v in values):
        return iter(())
    if any(v[0] is not FREE and v[0] != k for k, v in enumerate(values)):
        return iter(())
    return engine.items(node.args[0], [v[1] for v in values], state)


@_register(REGISTRY.iterators, "zip")
def _zip_items(engine: Engine, node: ast.Call, values: Sequence[Any], state: State) -> States:
    if not all(isinstance(v, tuple) and len(v) == len(node.args) for v in values):
        return iter(())
    return engine.all(state, [(arg, Items(tuple(v[k] for v in values))) for k, arg in enumerate(node.args)])


@_register(REGISTRY.iterators, "range")
def _range_items(engine: Engine, node: ast.Call, values: Sequence[Any], state: State) -> States:
    """The ends of a range that yields these numbers, free ones counting up by the step."""
    args = node.args
    step = engine.known(args[2], state) if len(args) == 3 else 1
    if type(step) is not int or step == 0:
        return iter(())
    start = engine.known(args[0], state) if len(args) > 1 else 0
    if start is UNKNOWN:
        anchor = next(((k, v) for k, v in enumerate(values) if v is not FREE), (0, None))
        stop = engine.known(args[1], state)
        start = (
            anchor[1] - anchor[0] * step
            if anchor[1] is not None
            else stop - len(values) * step
            if isinstance(stop, int)
            else 0
        )
    row = [start + k * step for k in range(len(values))]
    if any(v is not FREE and not same(v, r) for v, r in zip(values, row, strict=True)):
        return iter(())
    stop = start + len(values) * step
    return engine.all(state, [(args[0], stop)] if len(args) == 1 else [(args[0], start), (args[1], stop)])


@_register(REGISTRY.iterators, "reversed")
def _reversed_items(engine: Engine, node: ast.Call, values: Sequence[Any], state: State) -> States:
    return engine.items(node.args[0], list(values)[::-1], state)


@_register(REGISTRY.iterators, "list", "tuple", "iter", "sorted")
def _listed_items(engine: Engine, node: ast.Call, values: Sequence[Any], state: State) -> States:
    if isinstance(node.func, ast.Name) and node.func.id == "sorted":
        return engine.each(state, engine.fill(node, values), lambda row, s: engine.invert(node, row, s))
    return engine.items(node.args[0], values, state) if node.args else iter(())


@_register(REGISTRY.iterators, "map")
def _map_items(engine: Engine, node: ast.Call, values: Sequence[Any], state: State) -> States:
    if len(node.args) != 2:
        return iter(())
    function, source = node.args
    item = ast.Name(ITEM, ast.Load())
    if isinstance(function, ast.Lambda) and len(function.args.args) == 1:
        item = ast.Name(function.args.args[0].arg, ast.Load())
        body: ast.expr = function.body
    elif isinstance(function, ast.Attribute) and isinstance(function.value, ast.Name) and function.value.id == "str":
        body = ast.Call(ast.Attribute(item, function.attr, ast.Load()), [], [])
    else:
        body = ast.Call(function, [item], [])
    loop = ast.comprehension(ast.Name(item.id, ast.Store()), source, [], 0)
    return _through(engine, loop, [(body, list(values))], state)


@_register(REGISTRY.iterators, "filter")
def _filter_items(engine: Engine, node: ast.Call, values: Sequence[Any], state: State) -> States:
    return engine.items(node.args[1], values, state) if len(node.args) == 2 else iter(())


@_register(REGISTRY.iterators, ".items")
def _dict_items(engine: Engine, node: ast.Call, values: Sequence[Any], state: State) -> States:
    assert isinstance(node.func, ast.Attribute)
    made: dict[Any, Any] = {}
    for k, pair in enumerate(values):
        key, value = pair if isinstance(pair, tuple) and len(pair) == 2 else (FREE, FREE)
        key = "abcdefghijklmnopqrstuvwxyz"[k % 26] * (1 + k // 26) if key is FREE else key
        try:
            if key in made:
                return iter(())
        except TypeError:
            return iter(())
        made[key] = 1 if value is FREE else value
    return engine.invert(node.func.value, made, state)


@_register(REGISTRY.iterators, ".keys")
def _dict_keys(engine: Engine, node: ast.Call, values: Sequence[Any], state: State) -> States:
    return _dict_items(engine, node, [(v, FREE) for v in values], state)


@_register(REGISTRY.iterators, ".values")
def _dict_values(engine: Engine, node: ast.Call, values: Sequence[Any], state: State) -> States:
    return _dict_items(engine, node, [(FREE, v) for v in values], state)


# Functions and methods by their preimages


def _by_function(engine: Engine, node: ast.Call, target: Any, state: State) -> States:
    assert isinstance(node.func, ast.Name)
    if len(node.args) != 1 and node.func.id not in ("sum", "int", "sorted", "round"):
        if node.func.id in ("max", "min") and node.args:
            return engine.propose(node.args[0], [target], node, target, state)
        return iter(())
    values = preimages.FUNCTIONS[node.func.id](target)
    argument = node.args[0]
    if node.func.id == "len" and isinstance(argument, ast.Name) and argument.id not in state.known:
        if argument.id + "[]" in state.known and type(target) is int:
            return iter([state.sized(argument.id, target)])
        kinds = engine.shapes[argument.id].ranked() if argument.id in engine.shapes else []
        values.sort(key=lambda v: kinds.index(type(v).__name__) if type(v).__name__ in kinds else 9)
    if isinstance(argument, (ast.GeneratorExp, ast.ListComp, ast.Call, ast.Name)):
        listed = [Items(tuple(v)) for v in values if isinstance(v, list)]
        if node.func.id in ("list", "tuple", "set", "sorted", "sum", "max", "min", "dict", "len") and listed:
            return _from_iterable(engine, node, [*listed[:3], *values], target, state)
    return engine.propose(argument, values, node, target, state)


def _from_iterable(engine: Engine, node: ast.Call, values: list[Any], target: Any, state: State) -> States:
    """Like `propose` for the argument, which may stay partly open where it is a comprehension."""

    def then(value: Any, s: State) -> States:
        for found in engine.invert(node.args[0], value, s):
            whole = engine.known(node, found)
            if whole is UNKNOWN or same(whole, target):
                yield found

    return engine.each(state, values, then)


for _function in preimages.FUNCTIONS:
    REGISTRY.functions[_function] = _by_function


@_register(REGISTRY.functions, "any", "all")
def _quantified(engine: Engine, node: ast.Call, target: Any, state: State) -> States:
    if not isinstance(target, bool) or len(node.args) != 1 or not isinstance(node.func, ast.Name):
        return iter(())
    rows = [[True], [True, True]] if target else [[False]]
    if target is (node.func.id == "all"):
        rows.append([])
    return engine.each(state, rows, lambda row, s: engine.items(node.args[0], row, s))


def _as_items(engine: Engine, node: ast.Call, target: Any, state: State) -> States:
    return engine.items(node, target, state) if isinstance(target, list) else iter(())


for _function in ("enumerate", "zip", "map", "filter"):
    REGISTRY.functions[_function] = _as_items


@_register(REGISTRY.functions, "range")
def _range(engine: Engine, node: ast.Call, target: Any, state: State) -> States:
    return _range_items(engine, node, list(target), state) if isinstance(target, range) else iter(())


def _by_method(engine: Engine, node: ast.Call, target: Any, state: State) -> States:
    assert isinstance(node.func, ast.Attribute)
    arguments = [engine.known(a, state) for a in node.args]
    arguments += [engine.known(k.value, state) for k in node.keywords if k.arg == "sep"]
    known = [None if a is UNKNOWN else a for a in arguments]
    if isinstance(node.func.value, ast.Name) and node.func.value.id in ("str", "dict") and node.args:
        return _static(engine, node, node.func, target, state)
    values = preimages.METHODS[node.func.attr](target, *known)
    return engine.propose(node.func.value, values, node, target, state)


def _static(engine: Engine, node: ast.Call, function: ast.Attribute, target: Any, state: State) -> States:
    """`str.upper(x)` is `x.upper()`."""
    known = [engine.known(a, state) for a in node.args[1:]]
    values = preimages.METHODS[function.attr](target, *(None if a is UNKNOWN else a for a in known))
    return engine.propose(node.args[0], values, node, target, state)


for _method in preimages.METHODS:
    REGISTRY.methods[_method] = _by_method


@_register(REGISTRY.methods, "get")
def _get(engine: Engine, node: ast.Call, target: Any, state: State) -> States:
    """`d.get(key, default)`: the key is there with the value, or is not there and the default is the value."""
    assert isinstance(node.func, ast.Attribute)
    receiver, default = node.func.value, node.args[1] if len(node.args) > 1 else ast.Constant(None)
    if not node.args or not isinstance(receiver, ast.Name) or receiver.id in state.known:
        return _by_method(engine, node, target, state)
    slots = state.known.get(receiver.id + "[]", {})
    fresh = next((c for c in "abcdefghijklmnopqrstuvwxyz" if c not in slots), "another")

    def there(key: Any, s: State) -> States:
        for found in engine.invert(node.args[0], key, s):
            yield from _element(engine, receiver.id, key, target, found)

    def absent(s: State) -> States:
        for found in engine.invert(default, target, s):
            if engine.known(node.args[0], found) not in slots:
                yield from (
                    engine.invert(node.args[0], fresh, found)
                    if engine.known(node.args[0], found) is UNKNOWN
                    else [found]
                )

    key = engine.known(node.args[0], state)
    keys = [key] if key is not UNKNOWN else [*(k for k, v in slots.items() if same(v, target)), fresh]
    return engine.choose(state, absent, *(lambda s, k=k: there(k, s) for k in keys))


@_register(REGISTRY.methods, "pop", "popitem")
def _popped(engine: Engine, node: ast.Call, target: Any, state: State) -> States:
    """Taking an element out: before, the container had what it has after, and the element."""
    assert isinstance(node.func, ast.Attribute)
    receiver, arguments = node.func.value, node.args
    if isinstance(receiver, ast.Name) and receiver.id == "dict" and arguments:
        receiver, arguments = arguments[0], arguments[1:]
    rest = engine.known(receiver, state)
    rest = {} if rest is UNKNOWN and node.func.attr == "popitem" else rest
    place = engine.known(arguments[0], state) if arguments else UNKNOWN
    if isinstance(receiver, ast.Name):
        state = state.drop(receiver.id)
    if node.func.attr == "popitem":
        fits = isinstance(target, tuple) and len(target) == 2 and isinstance(rest, dict) and target[0] not in rest
        return engine.invert(receiver, {**rest, target[0]: target[1]}, state) if fits else iter(())
    if isinstance(rest, dict) or isinstance(place, str):
        rest = {} if rest is UNKNOWN else rest
        return engine.invert(receiver, {**rest, place: target}, state) if place is not UNKNOWN else iter(())
    row = rest if isinstance(rest, list) else []
    at = len(row) if not arguments or place == -1 else place
    rows = [[*row[:at], target, *row[at:]]] if type(at) is int and at <= len(row) else []
    return engine.each(state, rows, lambda made, s: engine.invert(receiver, made, s))


@_register(REGISTRY.methods, "fromkeys")
def _fromkeys(engine: Engine, node: ast.Call, target: Any, state: State) -> States:
    if not isinstance(target, dict) or not node.args:
        return iter(())
    value = next(iter(target.values()), None)
    pairs: list[tuple[ast.AST, Any]] = [(node.args[0], Items(tuple(target)))]
    if len(node.args) > 1 and target:
        pairs.append((node.args[1], value))
    return engine.all(state, pairs)


# Conditions


@_register(REGISTRY.truth, ast.UnaryOp)
def _not(engine: Engine, node: ast.UnaryOp, flag: bool, state: State) -> States:
    return engine.truth(node.operand, not flag, state) if isinstance(node.op, ast.Not) else iter(())


@_register(REGISTRY.truth, ast.BoolOp)
def _bool_truth(engine: Engine, node: ast.BoolOp, flag: bool, state: State) -> States:
    if flag is isinstance(node.op, ast.And):
        return _all_true(engine, node.values, flag, state)

    def decides(k: int) -> Option:
        def option(s: State) -> States:
            for found in _all_true(engine, node.values[:k], not flag, s):
                yield from engine.truth(node.values[k], flag, found)

        return option

    return engine.choose(state, *(decides(k) for k in range(len(node.values))))


@_register(REGISTRY.truth, ast.Compare)
def _compare_truth(engine: Engine, node: ast.Compare, flag: bool, state: State) -> States:
    if len(node.ops) != 1:
        return iter(())
    op, left, right = type(node.ops[0]), node.left, node.comparators[0]
    left_value, right_value = engine.known(left, state), engine.known(right, state)
    if right_value is not UNKNOWN:
        side, values = left, _beside(op, right_value, flag, on_left=True)
    elif left_value is not UNKNOWN:
        side, values = right, _beside(op, left_value, flag, on_left=False)
    else:
        return iter(())
    fitting = [v for v in values if _holds(op, v, right_value, flag) or _holds(op, left_value, v, flag)]
    return engine.each(state.guess(), fitting, lambda v, s: engine.invert(side, v, s))


def _holds(op: type[ast.cmpop], left: Any, right: Any, flag: bool) -> bool:
    if left is UNKNOWN or right is UNKNOWN:
        return False
    try:
        return bool(COMPARE[op](left, right)) is flag
    except ERRORS:
        return False


def _beside(op: type[ast.cmpop], known: Any, flag: bool, *, on_left: bool) -> list[Any]:
    """Values for the open side of a comparison, plainest first; those that do not hold are dropped by the caller."""
    if op in (ast.In, ast.NotIn):
        if on_left:
            inside = list(known)[:8] if hasattr(known, "__iter__") else []
            return [*inside, "a", 1, "zz", 0, "é", -1, 100]
        return [
            [known],
            known,
            [known, known],
            {known: 1} if isinstance(known, (str, int)) else [known],
            "",
            [],
            {},
            "zz",
            [0],
        ]
    near: list[Any] = [known]
    if isinstance(known, (int, float)) and not isinstance(known, bool):
        near += [known + 1, known - 1, known + 2, known - 2, 0, known + 5, known + 10, known - 10]
    elif isinstance(known, str):
        near += [known + "a", "a", "b", "", known[:-1]]
    elif isinstance(known, list):
        near += [[*known, 1], [1], ["a"], []]
    elif known is None:
        near += [1, "a", []]
    return near


@_register(REGISTRY.truth, ast.Call)
def _call_truth(engine: Engine, node: ast.Call, flag: bool, state: State) -> States:
    if isinstance(node.func, ast.Name) and node.func.id in ("any", "all"):
        return _quantified(engine, node, flag, state)
    if isinstance(node.func, ast.Attribute) and node.func.attr in ("startswith", "endswith") and node.args:
        return _affix(engine, node, node.func, flag, state)
    if isinstance(node.func, ast.Attribute) and node.func.attr[:2] == "is" and not node.args:
        return _predicate(engine, node, node.func, flag, state)
    return iter(())


def _predicate(engine: Engine, node: ast.Call, function: ast.Attribute, flag: bool, state: State) -> States:
    fitting = [
        t
        for t in ("a", "A", "1", " ", "", "ab", "Ab", "AB", "a1", "-", "a b", "12")
        if _asked(t, function.attr) is flag
    ]
    return engine.each(state.guess(), fitting, lambda v, s: engine.invert(function.value, v, s))


def _asked(text: str, name: str) -> bool | None:
    method = getattr(text, name, None)
    return bool(method()) if method is not None else None


def _affix(engine: Engine, node: ast.Call, function: ast.Attribute, flag: bool, state: State) -> States:
    text, part = engine.known(function.value, state), engine.known(node.args[0], state)
    if isinstance(text, str):
        ends = [text[:1], text[:2], text, ""] if function.attr == "startswith" else [text[-1:], text[-2:], text, ""]
        return engine.propose(node.args[0], ends if flag else ["zz", text + "a", "é"], node, flag, state.guess())
    if isinstance(part, str):
        whole = [part, part + "a", "a" + part] if flag else ["", "b", "zz"]
        return engine.propose(function.value, whole, node, flag, state.guess())
    return iter(())

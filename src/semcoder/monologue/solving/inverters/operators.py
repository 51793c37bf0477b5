"""Ways back through names, conditional expressions, operators and conditions.

Guarantees: those of the registry. Operands come from arithmetic on the target, plainest first; a sum or a `%` that
makes text is cut apart by the module `texts`.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from typing import Any

from semcoder.monologue.solving.engine import UNKNOWN, Engine, Inverters, Option, States, register
from semcoder.monologue.solving.evaluate import COMPARE, ERRORS, same
from semcoder.monologue.solving.inverters.calls import quantified
from semcoder.monologue.solving.inverters.texts import made_of, operands, percent
from semcoder.monologue.solving.state import State

TABLE = Inverters()


@register(TABLE.nodes, ast.Name)
def _name(engine: Engine, node: ast.Name, target: Any, state: State) -> States:
    return engine.bind(node.id, target, state)


@register(TABLE.nodes, ast.IfExp)
def _conditional(engine: Engine, node: ast.IfExp, target: Any, state: State) -> States:
    def way(part: ast.expr, flag: bool) -> Option:
        def option(s: State) -> States:
            for found in engine.invert(part, target, s):
                yield from engine.truth(node.test, flag, found)

        return lambda s: engine.settled_by(s, option)

    return engine.choose(state, way(node.body, True), way(node.orelse, False))


@register(TABLE.nodes, ast.NamedExpr)
def _walrus(engine: Engine, node: ast.NamedExpr, target: Any, state: State) -> States:
    return engine.invert(node.value, target, state)


# Operators


@register(TABLE.nodes, ast.BinOp)
def _operator(engine: Engine, node: ast.BinOp, target: Any, state: State) -> States:
    kind = type(node.op)
    if kind is ast.Add and isinstance(target, str):
        return made_of(engine, operands(node), target, state)
    if kind is ast.Mod and isinstance(target, str):
        return percent(engine, node, target, state)
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


@register(TABLE.nodes, ast.UnaryOp)
def _unary(engine: Engine, node: ast.UnaryOp, target: Any, state: State) -> States:
    if isinstance(node.op, ast.Not):
        return _boolean(engine, node, target, state)
    if not isinstance(target, (int, float)):
        return iter(())
    operand = {ast.USub: -target, ast.UAdd: target}.get(type(node.op), ~target if isinstance(target, int) else target)
    return engine.invert(node.operand, operand, state)


# Conditions


@register(TABLE.nodes, ast.BoolOp)
def _bool_value(engine: Engine, node: ast.BoolOp, target: Any, state: State) -> States:
    """The value of `and`/`or` is that of the operand that decides it."""
    stops = isinstance(node.op, ast.Or)

    def ends_at(k: int) -> Option:
        def option(s: State) -> States:
            last = k == len(node.values) - 1
            if not last and bool(target) is not stops:
                return
            for found in engine.invert(node.values[k], target, s):
                yield from engine.truth_of_all(node.values[:k], not stops, found)

        return option

    return engine.choose(state, *(ends_at(k) for k in range(len(node.values))))


@register(TABLE.nodes, ast.Compare)
def _boolean(engine: Engine, node: ast.expr, target: Any, state: State) -> States:
    return engine.truth(node, target, state) if isinstance(target, bool) else iter(())


@register(TABLE.truth, ast.UnaryOp)
def _not(engine: Engine, node: ast.UnaryOp, flag: bool, state: State) -> States:
    return engine.truth(node.operand, not flag, state) if isinstance(node.op, ast.Not) else iter(())


@register(TABLE.truth, ast.BoolOp)
def _bool_truth(engine: Engine, node: ast.BoolOp, flag: bool, state: State) -> States:
    if flag is isinstance(node.op, ast.And):
        return engine.truth_of_all(node.values, flag, state)

    def decides(k: int) -> Option:
        def option(s: State) -> States:
            for found in engine.truth_of_all(node.values[:k], not flag, s):
                yield from engine.truth(node.values[k], flag, found)

        return option

    return engine.choose(state, *(decides(k) for k in range(len(node.values))))


@register(TABLE.truth, ast.Compare)
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


@register(TABLE.truth, ast.Call)
def _call_truth(engine: Engine, node: ast.Call, flag: bool, state: State) -> States:
    if isinstance(node.func, ast.Name) and node.func.id in ("any", "all"):
        return quantified(engine, node, flag, state)
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

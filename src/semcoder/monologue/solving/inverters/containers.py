"""Ways back through displays of containers, and through subscripts.

Guarantees: those of the registry. A subscript of an open variable makes one of its elements known and leaves the
others open.
"""

from __future__ import annotations

import ast
from typing import Any

from semcoder.monologue.solving.engine import UNKNOWN, Engine, Inverters, States, register
from semcoder.monologue.solving.evaluate import same
from semcoder.monologue.solving.state import Items, State

TABLE = Inverters()


# Displays


@register(TABLE.nodes, ast.List, ast.Tuple)
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


@register(TABLE.nodes, ast.Set)
def _set_display(engine: Engine, node: ast.Set, target: Any, state: State) -> States:
    if isinstance(target, set) and 0 < len(target) <= len(node.elts):
        row = sorted(target, key=repr)
        row += [row[-1]] * (len(node.elts) - len(row))
        yield from engine.all(state, list(zip(node.elts, row, strict=True)))


@register(TABLE.nodes, ast.Dict)
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


# Subscripts


@register(TABLE.nodes, ast.Subscript)
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
        return element(engine, node.value.id, key, target, state)
    return engine.propose(node.value, _with_element(key, target), node, target, state)


def _both_open(engine: Engine, node: ast.Subscript, key: Any, target: Any, state: State) -> States:
    if isinstance(node.value, ast.Name):  # the element first: the index may depend on the container's length
        for found in element(engine, node.value.id, key, target, state):
            yield from engine.invert(node.slice, key, found)
        return
    for found in engine.invert(node.slice, key, state):
        yield from _subscript(engine, node, target, found)


def element(engine: Engine, name: str, key: Any, target: Any, state: State) -> States:
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
    if isinstance(step, int) and 1 < step <= 200:
        rows.insert(0, _spread(target, step, pad))
    if not target:
        rows += [pad, pad * 3]
    return engine.propose(node.value, rows, node, target, state)


def _spread(target: Any, step: int, pad: Any) -> Any:
    out = target[:0]
    for k in range(len(target)):
        out += target[k : k + 1] + (pad * (step - 1) if k < len(target) - 1 else pad * 0)
    return out

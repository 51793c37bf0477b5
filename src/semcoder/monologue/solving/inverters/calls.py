"""Ways back through calls of builtin functions and methods, most of them by the tables of `preimages`.

Guarantees: those of the registry. `get`, `pop`, `popitem` and `fromkeys` work on what is known of a container's
elements.
"""

from __future__ import annotations

import ast
from typing import Any

from semcoder.monologue.solving import preimages
from semcoder.monologue.solving.engine import UNKNOWN, Engine, Inverters, States, register
from semcoder.monologue.solving.evaluate import same
from semcoder.monologue.solving.inverters.containers import element
from semcoder.monologue.solving.inverters.iterables import range_items
from semcoder.monologue.solving.state import Items, State

TABLE = Inverters()


# Functions by their preimages


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
    TABLE.functions[_function] = _by_function


@register(TABLE.functions, "any", "all")
def quantified(engine: Engine, node: ast.Call, target: Any, state: State) -> States:
    if not isinstance(target, bool) or len(node.args) != 1 or not isinstance(node.func, ast.Name):
        return iter(())
    rows = [[True], [True, True]] if target else [[False]]
    if target is (node.func.id == "all"):
        rows.append([])
    return engine.each(state, rows, lambda row, s: engine.items(node.args[0], row, s))


def _as_items(engine: Engine, node: ast.Call, target: Any, state: State) -> States:
    return engine.items(node, target, state) if isinstance(target, list) else iter(())


for _function in ("enumerate", "zip", "map", "filter"):
    TABLE.functions[_function] = _as_items


@register(TABLE.functions, "range")
def _range(engine: Engine, node: ast.Call, target: Any, state: State) -> States:
    return range_items(engine, node, list(target), state) if isinstance(target, range) else iter(())


# Methods by their preimages


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
    TABLE.methods[_method] = _by_method


# Methods of containers


@register(TABLE.methods, "get")
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
            yield from element(engine, receiver.id, key, target, found)

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


@register(TABLE.methods, "pop", "popitem")
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


@register(TABLE.methods, "fromkeys")
def _fromkeys(engine: Engine, node: ast.Call, target: Any, state: State) -> States:
    if not isinstance(target, dict) or not node.args:
        return iter(())
    value = next(iter(target.values()), None)
    pairs: list[tuple[ast.AST, Any]] = [(node.args[0], Items(tuple(target)))]
    if len(node.args) > 1 and target:
        pairs.append((node.args[1], value))
    return engine.all(state, pairs)

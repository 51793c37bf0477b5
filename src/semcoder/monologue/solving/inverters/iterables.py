"""Ways back through comprehensions, and from the values that an iterable yields to what it goes over.

Guarantees: those of the registry. Items are derived one by one, in order, each with what the earlier ones made known;
where the items are known already, it is asked which of them were taken.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import Any

from semcoder.monologue.solving.engine import ITEM, UNKNOWN, Engine, Inverters, States, containers, register
from semcoder.monologue.solving.evaluate import ERRORS, Unknown, bind_target, same
from semcoder.monologue.solving.state import FREE, Items, State

TABLE = Inverters()


# Loops and their targets


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
                yield from engine.truth_of_all(loop.ifs, True, found)

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
                    for kept in engine.truth_of_all(loop.ifs, True, found):
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


# Comprehensions


def _comprehension_items(
    engine: Engine, node: ast.ListComp | ast.GeneratorExp, values: Sequence[Any], state: State
) -> States:
    if len(node.generators) != 1:
        return iter(())
    return _through(engine, node.generators[0], [(node.elt, list(values))], state)


TABLE.iterators.update({"ListComp": _comprehension_items, "GeneratorExp": _comprehension_items})


@register(TABLE.nodes, ast.ListComp, ast.GeneratorExp)
def _list_comprehension(engine: Engine, node: ast.ListComp | ast.GeneratorExp, target: Any, state: State) -> States:
    return _comprehension_items(engine, node, target, state) if isinstance(target, list) else iter(())


@register(TABLE.nodes, ast.SetComp)
def _set_comprehension(engine: Engine, node: ast.SetComp, target: Any, state: State) -> States:
    if not isinstance(target, set) or len(node.generators) != 1:
        return iter(())
    return _through(engine, node.generators[0], [(node.elt, sorted(target, key=repr))], state)


@register(TABLE.nodes, ast.DictComp)
def _dict_comprehension(engine: Engine, node: ast.DictComp, target: Any, state: State) -> States:
    if not isinstance(target, dict) or len(node.generators) != 1:
        return iter(())
    wanted = [(node.key, list(target)), (node.value, list(target.values()))]
    return _through(engine, node.generators[0], wanted, state)


# What iterables yield


@register(TABLE.iterators, "enumerate")
def _enumerate_items(engine: Engine, node: ast.Call, values: Sequence[Any], state: State) -> States:
    if len(node.args) != 1 or not all(isinstance(v, tuple) and len(v) == 2 for v in values):
        return iter(())
    if any(v[0] is not FREE and v[0] != k for k, v in enumerate(values)):
        return iter(())
    return engine.items(node.args[0], [v[1] for v in values], state)


@register(TABLE.iterators, "zip")
def _zip_items(engine: Engine, node: ast.Call, values: Sequence[Any], state: State) -> States:
    if not all(isinstance(v, tuple) and len(v) == len(node.args) for v in values):
        return iter(())
    return engine.all(state, [(arg, Items(tuple(v[k] for v in values))) for k, arg in enumerate(node.args)])


@register(TABLE.iterators, "range")
def range_items(engine: Engine, node: ast.Call, values: Sequence[Any], state: State) -> States:
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


@register(TABLE.iterators, "reversed")
def _reversed_items(engine: Engine, node: ast.Call, values: Sequence[Any], state: State) -> States:
    return engine.items(node.args[0], list(values)[::-1], state)


@register(TABLE.iterators, "list", "tuple", "iter", "sorted")
def _listed_items(engine: Engine, node: ast.Call, values: Sequence[Any], state: State) -> States:
    if isinstance(node.func, ast.Name) and node.func.id == "sorted":
        return engine.each(state, engine.fill(node, values), lambda row, s: engine.invert(node, row, s))
    return engine.items(node.args[0], values, state) if node.args else iter(())


@register(TABLE.iterators, "map")
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


@register(TABLE.iterators, "filter")
def _filter_items(engine: Engine, node: ast.Call, values: Sequence[Any], state: State) -> States:
    return engine.items(node.args[1], values, state) if len(node.args) == 2 else iter(())


@register(TABLE.iterators, ".items")
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


@register(TABLE.iterators, ".keys")
def _dict_keys(engine: Engine, node: ast.Call, values: Sequence[Any], state: State) -> States:
    return _dict_items(engine, node, [(v, FREE) for v in values], state)


@register(TABLE.iterators, ".values")
def _dict_values(engine: Engine, node: ast.Call, values: Sequence[Any], state: State) -> States:
    return _dict_items(engine, node, [(FREE, v) for v in values], state)

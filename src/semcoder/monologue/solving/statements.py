"""Backward reasoning over statements: from what must hold after a block to what must hold before it.

Guarantees: a path is followed from a `return` to the function's first line; every branch on it has its condition
inverted, loops are unrolled backwards as often as the needs ask for, in-place changes are undone.
It does not model aliases, attributes, generators, and what `except` handlers catch; a loop that it cannot unroll may be
taken to leave everything as it was, which is a guess and marked so. Execution decides in the end.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

from semcoder.monologue.solving.engine import ITEM, UNKNOWN, Engine, Function, Option, States
from semcoder.monologue.solving.evaluate import ERRORS, Failed, Unknown, bind_target, evaluate, same
from semcoder.monologue.solving.inverters.iterables import bind_partly, from_slots, skeleton, target_value
from semcoder.monologue.solving.state import FREE, Items, State

MAX_ROUNDS = 90
#: How a block is left: by falling through its end, or by this very jump statement.
Exit = ast.stmt | None
Undo = Callable[["Walker", ast.Call, str, State], States]


class Walker:
    """Walks the statements of one function backwards."""

    def __init__(self, engine: Engine, function: Function) -> None:
        self.engine = engine
        self.function = function

    def exits(self) -> list[Exit]:
        """The function's `return` statements in order, and its end where it can be reached."""
        found: list[Exit] = [n for n in _own(self.function.body) if isinstance(n, ast.Return)]
        return [*found, None] if _falls(self.function.body) else found

    def before(self, leave: Exit, target: Any, state: State) -> States:
        """States at the function's first line from which it may return the target by this exit."""
        if leave is None:
            if target is None:
                yield from self.block(self.function.body, None, state)
            return
        yield from self._leaving(self.function.body, leave, target, state)

    def _leaving(self, body: Sequence[ast.stmt], leave: ast.stmt, target: Any, state: State) -> States:
        assert isinstance(leave, ast.Return)
        value = leave.value or ast.Constant(None)
        for found in self.engine.invert(value, target, state):
            yield from self.block(body, leave, found)

    def block(self, body: Sequence[ast.stmt], leave: Exit, state: State) -> States:
        """States before a block that is left by `leave` with the given state."""
        if leave is None:
            if not body:
                yield state
                return
            for found in self.statement(body[-1], None, state):
                yield from self.block(body[:-1], None, found)
            return
        for at, statement in enumerate(body):
            if any(n is leave for n in ast.walk(statement)):
                for found in self.statement(statement, leave, state):
                    yield from self.block(body[:at], None, found)

    def statement(self, node: ast.stmt, leave: Exit, state: State) -> States:
        self.engine.budget.tick()
        if node is leave:
            return iter([state])
        handler = STATEMENTS.get(type(node))
        return iter([state]) if handler is None else handler(self, node, leave, state)

    # Assignments

    def assign(self, node: ast.Assign, leave: Exit, state: State) -> States:
        return self._assign_all(node.targets, node.value, state)

    def _assign_all(self, targets: Sequence[ast.expr], value: ast.expr, state: State) -> States:
        if not targets:
            yield state
            return
        first, *rest = targets
        for found in self._assign_one(first, value, state):
            yield from self._assign_all(rest, value, found)

    def _assign_one(self, target: ast.expr, value: ast.expr, state: State) -> States:
        if isinstance(target, ast.Name):
            return self._assign_name(target.id, value, state)
        if isinstance(target, (ast.Tuple, ast.List)):
            return self._unpack(target, value, state)
        if isinstance(target, ast.Subscript) and isinstance(target.value, ast.Name):
            return self._store(target, target.value.id, value, state)
        return iter([state.guess()])

    def _assign_name(self, name: str, value: ast.expr, state: State) -> States:
        before = state.drop(name)
        if name in state.known:
            return self.engine.invert(value, state.known[name], before)
        if not state.needs(name):
            return iter([state])
        slots, size = state.known.get(name + "[]", {}), state.known.get(name + "#")
        if isinstance(value, ast.Name) and value.id in self.engine.shapes and not before.needs(value.id):
            moved = before
            for key, item in slots.items():
                moved = moved.slot(value.id, key, item)
            return iter([moved if size is None else moved.sized(value.id, size)])
        try:
            known = self.engine.value(value, before)
        except Failed:
            return iter(())
        if known is not UNKNOWN:
            fits = _has_slots(known, slots, size)
            return iter([before] if fits else [])
        kinds = self.engine.shapes[name].ranked() if name in self.engine.shapes else []
        made = from_slots(slots, size, kinds[0] if kinds else "")
        return self.engine.each(before, made, lambda v, s: self.engine.invert(value, v, s))

    def _unpack(self, target: ast.Tuple | ast.List, value: ast.expr, state: State) -> States:
        if isinstance(value, (ast.Tuple, ast.List)) and len(value.elts) == len(target.elts):
            return self._swap(target.elts, value.elts, state)
        item = target_value(target, state)
        names = [n.id for n in ast.walk(target) if isinstance(n, ast.Name)]
        if any(isinstance(t, ast.Starred) for t in target.elts):
            return iter([state.drop(*names).guess()])
        if all(part is FREE for part in item):
            return iter([state.drop(*names)])
        engine, before = self.engine, state.drop(*names)
        row = [part if part is not FREE else next((p for p in item if p is not FREE), 1) for part in item]
        if isinstance(value, ast.Call) and isinstance(value.func, ast.Attribute) and "partition" in value.func.attr:
            parts = ast.Subscript
            pairs = [(parts(value, ast.Constant(k), ast.Load()), p) for k, p in enumerate(item) if p is not FREE]
            texts = tuple(p if p is not FREE else "" for p in item)
            return engine.choose(before, lambda s: engine.invert(value, texts, s), lambda s: engine.all(s, pairs))
        return engine.items(value, row, before)

    def _swap(self, targets: Sequence[ast.expr], values: Sequence[ast.expr], state: State) -> States:
        """`a, b = b, a`: all right sides are evaluated before any name is bound."""
        wanted: list[tuple[ast.AST, Any]] = []
        names: list[str] = []
        for target, value in zip(targets, values, strict=True):
            if not isinstance(target, ast.Name):
                return iter([state.guess()])
            names.append(target.id)
            if target.id in state.known:
                wanted.append((value, state.known[target.id]))
        return self.engine.all(state.drop(*names), wanted)

    def _store(self, target: ast.Subscript, name: str, value: ast.expr, state: State) -> States:
        """`x[key] = value`: the new element is the value; what stood there before may be anything."""
        if not state.needs(name):
            return iter([state])
        engine = self.engine
        if isinstance(target.slice, ast.Slice):
            return iter([state.guess()])
        slots = state.known.get(name + "[]")
        key = engine.known(target.slice, state)
        if slots is not None and key is not UNKNOWN:
            return self._store_slot(name, key, value, slots, state)
        after = state.known.get(name)
        if not isinstance(after, (list, dict)):
            return iter([state.guess()])
        keys = list(after)[::-1] if isinstance(after, dict) else list(range(len(after)))
        if key is not UNKNOWN:
            keys = [key]

        def at(k: Any, s: State) -> States:
            try:
                item = after[k]
            except ERRORS:
                return
            for found in engine.invert(target.slice, k, s.drop(name)) if key is UNKNOWN else iter([s.drop(name)]):
                for full in engine.invert(value, item, found):
                    yield from _befores(engine, name, after, k, full)

        return engine.each(state, keys[:8], at)

    def _store_slot(self, name: str, key: Any, value: ast.expr, slots: dict[Any, Any], state: State) -> States:
        if key not in slots:
            yield state
            return
        rest = {k: v for k, v in slots.items() if k != key}
        before = state.drop(name)
        for k, v in rest.items():
            before = before.slot(name, k, v)
        if name + "#" in state.known:
            before = before.sized(name, state.known[name + "#"])
        yield from self.engine.invert(value, slots[key], before)

    def augmented(self, node: ast.AugAssign, leave: Exit, state: State) -> States:
        """`x += e` is `x = x + e`, for lists `x.extend(e)`."""
        if (
            isinstance(node.target, ast.Name)
            and isinstance(state.known.get(node.target.id), list)
            and isinstance(node.op, ast.Add)
        ):
            call = ast.Call(ast.Attribute(node.target, "extend", ast.Load()), [node.value], [])
            return _extend(self, call, node.target.id, state)
        load: ast.expr = ast.Name(node.target.id, ast.Load()) if isinstance(node.target, ast.Name) else node.target
        if isinstance(load, ast.Subscript):
            load = ast.Subscript(load.value, load.slice, ast.Load())
        value = ast.BinOp(
            ast.copy_location(load, node.target), node.op, node.value
        )  # no text of the source: no location
        return self._assign_one(node.target, value, state)

    def annotated(self, node: ast.AnnAssign, leave: Exit, state: State) -> States:
        return iter([state]) if node.value is None else self._assign_one(node.target, node.value, state)

    def expression(self, node: ast.Expr, leave: Exit, state: State) -> States:
        """A call for its effect: undo what it did to the variable that it was called on."""
        call = node.value
        if (
            isinstance(call, ast.Call)
            and isinstance(call.func, ast.Attribute)
            and isinstance(call.func.value, ast.Name)
        ):
            name, undo = call.func.value.id, UNDO.get(call.func.attr)
            if undo is not None and state.needs(name):
                return undo(self, call, name, state)
        elif isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute):
            place = call.func.value
            if isinstance(place, ast.Subscript) and isinstance(place.value, ast.Name) and call.func.attr in UNDO:
                return self._change_element(place, place.value.id, call, UNDO[call.func.attr], state)
        return iter([state])

    def _change_element(self, place: ast.Subscript, name: str, call: ast.Call, undo: Undo, state: State) -> States:
        """`x[key].append(e)`: undo the change of one element of a container that is known."""
        after = state.known.get(name)
        if not isinstance(after, (list, dict)):
            return iter([state])
        key = self.engine.known(place.slice, state)
        keys = list(after)[::-1] if isinstance(after, dict) else list(range(len(after)))

        def at(k: Any, s: State) -> States:
            try:
                held = s.bind(ITEM, after[k])
            except ERRORS:
                return
            for undone in undo(self, call, ITEM, held):
                rest = undone.drop(ITEM)
                changed = after.copy()
                changed[k] = undone.known.get(ITEM, after[k])
                yield from self.engine.invert(place.slice, k, rest.bind(name, changed))

        return self.engine.each(state, keys[:8] if key is UNKNOWN else [key], at)

    def deletion(self, node: ast.Delete, leave: Exit, state: State) -> States:
        target = node.targets[0]
        if isinstance(target, ast.Subscript) and isinstance(target.value, ast.Name):
            call = ast.Call(ast.Attribute(target.value, "pop", ast.Load()), [target.slice], [])
            return _pop(self, call, target.value.id, state)
        return iter([state])

    # Branches

    def branch(self, node: ast.If, leave: Exit, state: State) -> States:
        def way(body: Sequence[ast.stmt], flag: bool) -> Option:
            def option(s: State) -> States:
                if leave is None and not _falls(body):
                    return
                for found in self.block(body, leave, s):
                    yield from self.engine.truth(node.test, flag, found)

            return lambda s: self.engine.settled_by(s, option)

        return self.engine.choose(state, way(node.body, True), way(node.orelse, False))

    def attempt(self, node: ast.Try, leave: Exit, state: State) -> States:
        """The `try` body without an exception; an exit inside a handler is reached by guess."""
        bodies = [[*node.body, *node.orelse, *node.finalbody]]
        if leave is not None and not any(n is leave for n in ast.walk(ast.Module([*node.body, *node.orelse], []))):
            bodies = [handler.body for handler in node.handlers] + [node.finalbody]
            state = state.guess()
        return self.engine.each(state, bodies, lambda body, s: self.block(body, leave, s))

    def context(self, node: ast.With, leave: Exit, state: State) -> States:
        return self.block(node.body, leave, state)

    def checked(self, node: ast.Assert, leave: Exit, state: State) -> States:
        return self.engine.truth(node.test, True, state)

    # Loops

    def while_loop(self, node: ast.While, leave: Exit, state: State) -> States:
        """The last round first: left by a jump, or by the test; then as many whole rounds as are needed."""
        engine = self.engine

        def exhausted(s: State) -> States:
            for found in engine.truth(node.test, False, s):
                yield from self._rounds(node, found, 0)

        def jumped(jump: Exit, s: State) -> States:
            for found in self.block(node.body, jump, s):
                for tested in engine.truth(node.test, True, found):
                    yield from self._rounds(node, tested, 0)

        if leave is not None:
            return jumped(leave, state)
        breaks = [partial(jumped, jump) for jump in _jumps(node.body, ast.Break)]
        return engine.choose(state, exhausted, *breaks, _skipped)

    def _rounds(self, node: ast.While, state: State, count: int) -> States:
        def again(s: State) -> States:
            if count >= MAX_ROUNDS:
                return
            for body in self._round(node.body, s):
                for tested in self.engine.truth(node.test, True, body):
                    if dict(tested.known) != dict(s.known):
                        yield from self._rounds(node, tested, count + 1)

        return self.engine.choose(state, lambda s: iter([s]), again)

    def _round(self, body: Sequence[ast.stmt], state: State) -> States:
        """One round that reaches the next: by the body's end or by `continue`."""
        ends: list[Exit] = [*([None] if _falls(body) else []), *_jumps(body, ast.Continue)]
        return self.engine.each(state, ends, lambda end, s: self.block(body, end, s))

    def for_loop(self, node: ast.For, leave: Exit, state: State) -> States:
        """Rounds in reverse order; what each needs of its item makes up what the iterable must yield."""
        names = sorted(n.id for n in ast.walk(node.target) if isinstance(n, ast.Name))
        rounds = _Rounds(self, node, names, leave)
        state = state.drop(*names) if leave is None else state
        options: list[Option] = [rounds.of_known]
        if not _reads_index(self.engine, node, state):
            options.append(rounds.open_ended)
        options += [partial(rounds.counted, n) for n in self._counts(state)]
        if leave is None:
            options.append(_skipped)
        return self.engine.choose(state, *options)

    def _counts(self, state: State) -> list[int]:
        """Likely numbers of rounds: sizes of what is needed, the output's own size, few."""
        sizes = [len(v) for v in state.known.values() if isinstance(v, (str, list, tuple, dict))]
        small = [v for v in state.known.values() if type(v) is int and 0 < v < 60]
        output = self.engine.output
        sizes += [len(output)] if isinstance(output, (str, list, dict, tuple)) else []
        return list(dict.fromkeys(n for n in [*sizes, *small, 1, 2, 3, 0] if n <= MAX_ROUNDS))[:7]


class _Rounds:
    """The rounds of one `for` loop, unrolled backwards. `leave`: the jump out of the last round, if any."""

    def __init__(self, walker: Walker, node: ast.For, names: Sequence[str], leave: Exit) -> None:
        self.walker, self.node, self.names, self.leave = walker, node, names, leave
        self.engine = walker.engine
        self._breaks = _jumps(node.body, ast.Break)
        self._grown = sorted(_accumulators(node.body) - {a.arg for a in walker.function.args.args})

    def _ended(self, state: State) -> States:
        """States after the last round where the loop runs to its end, through its `else` if it has one."""
        return self.walker.block(self.node.orelse, None, state) if self.leave is None else iter(())

    def _jumped(self, state: State) -> States:
        """States before the last round where that is left by the exit, or by a `break`."""
        jumps: list[Exit] = [self.leave] if self.leave is not None else list(self._breaks)
        return self.engine.each(state, jumps, lambda jump, s: self.walker.block(self.node.body, jump, s))

    def of_known(self, state: State) -> States:
        """All items are known beforehand."""
        source = self.engine.known(self.node.iter, state)
        if source is UNKNOWN or not hasattr(source, "__iter__"):
            return
        items = list(source)[:MAX_ROUNDS]
        for ended in self._ended(state):
            yield from self._backwards(items, len(items), ended)
        for k in range(1, len(items) + 1):
            for found in self._jumped(self._entered(items[k - 1], state)):
                if self._item_fits(items[k - 1], found):
                    yield from self._backwards(items, k - 1, found.drop(*self.names))

    def _entered(self, item: Any, state: State) -> State:
        return bind_partly(self.node.target, item, state)

    def _item_fits(self, item: Any, state: State) -> bool:
        try:
            wanted = bind_target(self.node.target, item)
        except (Unknown, *ERRORS):
            return False
        return all(name not in state.known or same(state.known[name], value) for name, value in wanted.items())

    def _backwards(self, items: Sequence[Any], count: int, state: State) -> States:
        if count == 0:
            yield state
            return
        try:
            bound = state.drop(*self.names)
            for name, value in bind_target(self.node.target, items[count - 1]).items():
                bound = bound.bind(name, value)
        except (Unknown, *ERRORS):
            return
        for found in self.walker._round(self.node.body, bound):
            if self._item_fits(items[count - 1], found):
                yield from self._backwards(items, count - 1, found.drop(*self.names))

    def open_ended(self, state: State) -> States:
        """Unroll until the needs are met; the items come out in reverse order."""
        most = min(MAX_ROUNDS, 4 + sum(map(_extent, state.known.values())))
        for ended in self._ended(state):
            yield from self._more(ended, (), most, 0)
        for found in self._jumped(state):
            item = target_value(self.node.target, found)
            yield from self._more(found.drop(*self.names), (item,), most - 1, 0)

    def _more(self, state: State, items: tuple[Any, ...], most: int, idle: int) -> States:
        def stop(s: State) -> States:
            return self.engine.invert(self.node.iter, Items(items), s)

        def again(s: State) -> States:
            if most <= 0 or idle > 1:
                return
            for found in self.walker._round(self.node.body, s):
                item = target_value(self.node.target, found)
                before = found.drop(*self.names)
                moved = self._left(before) < left if left else dict(before.known) != dict(s.known)
                yield from self._more(before, (item, *items), most - 1, 0 if moved else idle + 1)

        left = self._left(state)
        if left:
            return self.engine.choose(state, again, stop)
        return self.engine.choose(state, stop, again)

    def _left(self, state: State) -> int:
        """How much the body's accumulators still hold that only more rounds can have put there."""
        return sum(_extent(state.known.get(name)) for name in self._grown)

    def counted(self, count: int, state: State) -> States:
        """Exactly so many rounds, with what is known of the items beforehand (an index, say)."""
        known = skeleton(self.engine, self.node.iter, count, state) or [FREE] * count

        def walk(at: int, s: State, items: tuple[Any, ...]) -> States:
            if at < 0:
                yield from self.engine.invert(self.node.iter, Items(items), s)
                return
            for found in self.walker._round(
                self.node.body, bind_partly(self.node.target, known[at], s.drop(*self.names))
            ):
                item = target_value(self.node.target, found)
                yield from walk(at - 1, found.drop(*self.names), (item, *items))

        for ended in self._ended(state):
            yield from walk(count - 1, ended, ())
        if count and (self.leave is not None or self._breaks):
            entered = bind_partly(self.node.target, known[-1], state)
            for found in self._jumped(entered):
                item = target_value(self.node.target, found)
                yield from walk(count - 2, found.drop(*self.names), (item,))


def _accumulators(body: Sequence[ast.AST]) -> set[str]:
    """Variables that a loop's body adds to."""
    grown: set[str] = set()
    for node in _own(body):
        place: ast.AST | None = None
        if isinstance(node, ast.AugAssign) or (isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store)):
            place = node.target if isinstance(node, ast.AugAssign) else node
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _GROWING:
            place = node.func.value
        while isinstance(place, ast.Subscript):
            place = place.value
        if isinstance(place, ast.Name):
            grown.add(place.id)
    return grown


def _extent(value: Any) -> int:
    """How many rounds may have gone into a value: its size, for numbers and counts of a dict their amount."""
    if isinstance(value, int):
        return min(abs(value), MAX_ROUNDS)
    if isinstance(value, dict):
        return len(value) + sum(_extent(v) for v in value.values())
    return len(value) if isinstance(value, (str, list, tuple, set)) else 0


def _skipped(state: State) -> States:
    """A loop that is taken to have left what is needed as it was: a guess."""
    return iter([state.costing(1).guess()])


def _reads_index(engine: Engine, node: ast.For, state: State) -> bool:
    """Whether the loop counts, so that its items are better fixed beforehand."""
    return skeleton(engine, node.iter, 1, state) is not None


def _own(body: Sequence[ast.AST]) -> Iterator[ast.AST]:
    """Nodes of a body that belong to the function itself, in order of the source."""
    for node in body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)):
            continue
        yield node
        yield from _own(list(ast.iter_child_nodes(node)))


def _jumps(body: Sequence[ast.stmt], kind: type[ast.stmt]) -> list[ast.stmt]:
    """`break` or `continue` statements that belong to the loop of this body."""
    found: list[ast.stmt] = []
    for node in body:
        if isinstance(node, kind):
            found.append(node)
        elif not isinstance(node, (ast.For, ast.While, ast.FunctionDef, ast.ClassDef)):
            for part in ("body", "orelse", "finalbody"):
                found += _jumps(getattr(node, part, []), kind)
    return found


def _falls(body: Sequence[ast.stmt]) -> bool:
    """Whether control may reach the end of a block."""
    for node in body:
        if isinstance(node, (ast.Return, ast.Raise, ast.Continue, ast.Break)):
            return False
        if isinstance(node, ast.If) and node.orelse and not _falls(node.body) and not _falls(node.orelse):
            return False
        if isinstance(node, ast.While) and isinstance(node.test, ast.Constant) and not _jumps(node.body, ast.Break):
            return False
    return True


def _has_slots(known: Any, slots: dict[Any, Any], size: int | None) -> bool:
    try:
        return (size is None or len(known) == size) and all(same(known[k], v) for k, v in slots.items())
    except ERRORS:
        return False


def _befores(engine: Engine, name: str, after: Any, key: Any, state: State) -> States:
    """Before one of its elements was set, a container had all others, and there anything; or it lacked the key."""

    def others(s: State) -> States:
        pairs = after.items() if isinstance(after, dict) else enumerate(after)
        own = s.known.get(name + "[]", {})
        if isinstance(after, list):
            s = s.sized(name, len(after))
        for k, v in pairs:
            if k != key and k not in own:
                s = s.slot(name, k, v)
        yield s

    def exact(s: State) -> States:
        """What is known of the old element makes the dict complete again; where nothing is, the key was not there."""
        own = s.known.get(name + "[]", {})
        if isinstance(after, dict) and set(own) <= {key}:
            yield s.bind(name, {**{k: v for k, v in after.items() if k != key or own}, **own})

    return engine.choose(state, exact, others)


# In-place changes, undone: from the variable after the call to the variable before it


def _before(walker: Walker, name: str, value: Any, wanted: Sequence[tuple[ast.AST, Any]], state: State) -> States:
    """The variable had `value` before, and the arguments had these."""
    return walker.engine.all(state.drop(name).bind(name, value), wanted)


def _append(walker: Walker, call: ast.Call, name: str, state: State) -> States:
    after = state.known.get(name)
    if isinstance(after, list) and after and len(call.args) == 1:
        yield from _before(walker, name, after[:-1], [(call.args[0], after[-1])], state)


def _extend(walker: Walker, call: ast.Call, name: str, state: State) -> States:
    after = state.known.get(name)
    if not isinstance(after, list):
        return iter(())
    added = walker.engine.known(call.args[0], state.drop(name))
    size = len(after)
    cuts = (
        [size - len(added)]
        if hasattr(added, "__len__")
        else list(dict.fromkeys((0, max(size - 1, 0), size, size // 2)))
    )
    return walker.engine.each(
        state,
        [c for c in cuts if c >= 0],
        lambda c, s: _before(walker, name, after[:c], [(call.args[0], Items(tuple(after[c:])))], s),
    )


def _insert(walker: Walker, call: ast.Call, name: str, state: State) -> States:
    after = state.known.get(name)
    if not isinstance(after, list) or not after or len(call.args) != 2:
        return iter(())
    place = walker.engine.known(call.args[0], state)
    spots = list(range(len(after))) if not isinstance(place, int) else [_inserted_at(place, len(after) - 1)]
    item = walker.engine.known(call.args[1], state)
    spots = [k for k in spots if item is UNKNOWN or same(after[k], item)]

    def at(k: int, s: State) -> States:
        wanted: list[tuple[ast.AST, Any]] = [(call.args[1], after[k])]
        if not isinstance(place, int):
            wanted.append((call.args[0], k))
        return _before(walker, name, after[:k] + after[k + 1 :], wanted, s)

    return walker.engine.each(state, spots, at)


def _inserted_at(place: int, size: int) -> int:
    return min(place, size) if place >= 0 else max(0, size + place)


def _reverse(walker: Walker, call: ast.Call, name: str, state: State) -> States:
    after = state.known.get(name)
    if isinstance(after, list):
        yield state.bind(name, after[::-1])


def _sort(walker: Walker, call: ast.Call, name: str, state: State) -> States:
    """Any ordering will do; whether the target is sorted is checked by sorting it."""
    after = state.known.get(name)
    if not isinstance(after, list):
        return iter(())
    function = ast.Call(ast.Name("sorted", ast.Load()), [ast.Constant(None)], call.keywords)
    rows = [row for row in (after[::-1], after) if _sorts_to(function, row, after, state)]
    return walker.engine.each(state, rows, lambda row, s: iter([s.bind(name, row)]))


def _sorts_to(function: ast.Call, row: list[Any], after: list[Any], state: State) -> bool:
    """Whether `sorted(row, ...)` gives `after`; true where that cannot be evaluated."""
    call = ast.Call(function.func, [ast.Name("row to sort", ast.Load())], function.keywords)
    try:
        return same(evaluate(call, {**state.known, "row to sort": row}), after)
    except Unknown:
        return True
    except Failed:
        return False


def _clear(walker: Walker, call: ast.Call, name: str, state: State) -> States:
    after = state.known.get(name)
    if isinstance(after, (list, dict, set)) and not after:
        yield state.drop(name)


def _pop(walker: Walker, call: ast.Call, name: str, state: State) -> States:
    """The element that was taken out may have been anything."""
    after = state.known.get(name)
    place = walker.engine.known(call.args[0], state) if call.args else -1
    if isinstance(after, list):
        k = len(after) if place in (-1, UNKNOWN) or not isinstance(place, int) else _inserted_at(place, len(after))
        fillers = [after[0] if after else 1, "a", 1]
        return walker.engine.each(state, fillers, lambda f, s: iter([s.bind(name, [*after[:k], f, *after[k:]])]))
    if isinstance(after, dict):
        made: list[Any] = [after]
        if isinstance(place, (str, int)):
            made.insert(0, {**after, place: 1})
        return walker.engine.each(state, made, lambda d, s: iter([s.bind(name, d)]))
    return iter([state.guess()])


def _remove(walker: Walker, call: ast.Call, name: str, state: State) -> States:
    after = state.known.get(name)
    item = walker.engine.known(call.args[0], state) if call.args else UNKNOWN
    if not isinstance(after, (list, set)):
        return iter([state.guess()])
    fillers = [item] if item is not UNKNOWN else [*list(after)[:1], 1, "a"]

    def with_(f: Any, s: State) -> States:
        row = [f, *after] if isinstance(after, list) else {f, *after}
        return _before(walker, name, row, [] if item is not UNKNOWN else [(call.args[0], f)], s)

    return walker.engine.each(state, fillers, with_)


def _add(walker: Walker, call: ast.Call, name: str, state: State) -> States:
    after = state.known.get(name)
    if not isinstance(after, set) or not after:
        return iter(())
    return walker.engine.each(
        state, sorted(after, key=repr), lambda v, s: _before(walker, name, after - {v}, [(call.args[0], v)], s)
    )


def _update(walker: Walker, call: ast.Call, name: str, state: State) -> States:
    """Either everything came from the argument, or nothing of it was new."""
    after = state.known.get(name)
    if not isinstance(after, dict) or len(call.args) != 1:
        return iter([state.guess()])
    ways = [({}, after), (after, {}), (after, after)]
    last = list(after.items())[-1:]
    ways.insert(1, ({k: v for k, v in after.items() if k != last[0][0]}, dict(last)) if last else ({}, {}))
    return walker.engine.each(state, ways, lambda w, s: _before(walker, name, w[0], [(call.args[0], w[1])], s))


_GROWING = frozenset({"append", "extend", "add", "insert", "update"})
UNDO: dict[str, Undo] = {
    "append": _append,
    "extend": _extend,
    "insert": _insert,
    "reverse": _reverse,
    "sort": _sort,
    "clear": _clear,
    "pop": _pop,
    "popitem": _pop,
    "remove": _remove,
    "discard": _remove,
    "add": _add,
    "update": _update,
}
STATEMENTS: dict[type[ast.stmt], Callable[[Walker, Any, Exit, State], States]] = {
    ast.Assign: Walker.assign,
    ast.AugAssign: Walker.augmented,
    ast.AnnAssign: Walker.annotated,
    ast.Expr: Walker.expression,
    ast.Delete: Walker.deletion,
    ast.If: Walker.branch,
    ast.Try: Walker.attempt,
    ast.With: Walker.context,
    ast.Assert: Walker.checked,
    ast.While: Walker.while_loop,
    ast.For: Walker.for_loop,
    ast.Raise: lambda walker, node, leave, state: iter(()),
    ast.Return: lambda walker, node, leave, state: iter(()),
    ast.Break: lambda walker, node, leave, state: iter(()),
    ast.Continue: lambda walker, node, leave, state: iter(()),
}

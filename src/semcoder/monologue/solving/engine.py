"""Backward reasoning over expressions: from the value an expression must have to the values its variables must have.

Guarantees: every derivation is local and checked as soon as its variables are known, by evaluating the expression;
alternatives come lazily, plainest first, and only so many: `limit` bounds how many times a derivation may leave the
first way, `steps` the work in all (`Exhausted`).
It does not run the program: what it derives is a proposal until somebody has executed it.
"""

from __future__ import annotations

import ast
import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from semcoder.monologue.solving.evaluate import Failed, Unknown, evaluate, free_names, same
from semcoder.monologue.solving.search import pool
from semcoder.monologue.solving.shapes import Shape, distinct, samples
from semcoder.monologue.solving.state import FREE, Items, State

States = Iterator[State]
Option = Callable[[State], States]
#: A way back through one kind of expression: engine, node, what it must evaluate to, what is known.
Inverter = Callable[["Engine", Any, Any, State], States]

UNKNOWN: Any = object()
#: Stands for a value under consideration: a proposed part, a mapped item; no program has a variable of that name.
ITEM = "the item"
Function = ast.FunctionDef | ast.AsyncFunctionDef


class Exhausted(Exception):
    """The work allowed for a derivation is used up."""


class Budget:
    """Steps shared by an engine and those of inlined functions."""

    def __init__(self, steps: int) -> None:
        self.left = steps
        self.limit = 0

    def tick(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise Exhausted


def _well_typed(inverted: Callable[[], States]) -> States:
    """What an inverter finds, up to where the value that it was given turns out to be of a type that it cannot invert.

    Targets are guesses on the way back: a `str` where the operation makes an `int` is a dead end, not an error.
    """
    try:
        yield from inverted()
    except (TypeError, ValueError, LookupError, ArithmeticError, AttributeError):
        return


class Engine:
    """Inverts expressions of one function, as a registry of inverters says for each kind."""

    def __init__(
        self,
        inverters: Inverters,
        shapes: dict[str, Shape],
        *,
        output: Any,
        constants: Sequence[Any],
        budget: Budget,
        inline: Callable[[ast.Call, Any, State], States],
    ) -> None:
        self.inverters = inverters
        self.shapes = {**shapes, ITEM: Shape()}
        self.output = output
        self.constants = constants
        self.budget = budget
        self.inline = inline
        #: Variables that hold one kind of value throughout, since they are never assigned.
        self.settled: set[str] = set()
        self._pools: dict[str, list[Any]] = {}

    def value(self, node: ast.AST, state: State) -> Any:
        """The value of an expression in a state, `UNKNOWN` where it is not known. Raises `Failed`."""
        try:
            return evaluate(node, state.known)
        except Unknown:
            return UNKNOWN

    def known(self, node: ast.AST | None, state: State) -> Any:
        """Like `value`, with `UNKNOWN` for what fails too."""
        if node is None:
            return UNKNOWN
        try:
            return self.value(node, state)
        except Failed:
            return UNKNOWN

    def choose(self, state: State, *options: Option) -> States:
        """The states of all options in turn; what comes after a fruitful option costs one more each."""
        extra = 0
        for option in options:
            if state.cost + extra > self.budget.limit:
                return
            fruitful = False
            for found in option(state.costing(extra)):
                fruitful = True
                yield found
            extra += fruitful

    def settled_by(self, state: State, derive: Option) -> States:
        """States of a derivation that ends in a test of its own: only what passes the test counts as an alternative.

        Inside, two more departures from the first way are allowed; the cost of each state is its rank.
        """
        inner = replace(state, cost=min(state.cost, self.budget.limit - 2))
        for rank, found in enumerate(derive(inner)):
            if state.cost + rank > self.budget.limit:
                return
            yield replace(found, cost=state.cost + rank)

    def each(self, state: State, values: Iterable[Any], then: Callable[[Any, State], States]) -> States:
        """`choose` over values."""
        return self.choose(state, *(lambda s, v=v: then(v, s) for v in values))

    def invert(self, node: ast.AST, target: Any, state: State) -> States:
        """States in which the expression evaluates to the target (a value, or `Items`)."""
        self.budget.tick()
        if target is FREE:
            yield state
            return
        if isinstance(target, Items):
            yield from self.items(node, target.values, state)
            return
        try:
            value = self.value(node, state)
        except Failed:
            return
        if value is not UNKNOWN:
            if same(value, target):
                yield state.note(node, target) if not isinstance(node, ast.Constant) else state
            return
        noted = state.note(node, target)
        fruitful = False
        inverter = self.inverters.of(node)
        if inverter is not None:
            for found in _well_typed(lambda: inverter(self, node, target, noted)):
                fruitful = True
                yield found
        if not fruitful and not isinstance(node, ast.Name):
            yield from self.solve(node, lambda v: same(v, target), noted)

    def confirm(self, node: ast.AST, target: Any, state: State) -> States:
        """The state itself if the expression has the target's value in it; what is still open is solved for."""
        try:
            value = self.value(node, state)
        except Failed:
            return
        if value is UNKNOWN and all(n in state.known for n in free_names(node) if n in self.shapes):
            yield state.guess()  # nothing is open, but it is not evaluated here
        elif value is UNKNOWN:
            yield from self.solve(node, lambda v: same(v, target), state)
        elif same(value, target):
            yield state

    def propose(self, part: ast.AST, values: Iterable[Any], node: ast.AST, target: Any, state: State) -> States:
        """Try values for a part of an expression, keep those with which the whole has the target's value."""

        whole = _replaced(node, part)

        def fits(value: Any, s: State) -> bool | None:
            try:
                return same(evaluate(whole, {**s.known, ITEM: value}), target)
            except Unknown:
                return None
            except Failed:
                return False

        def then(value: Any, s: State) -> States:
            fit = fits(value, s)
            if fit is False:
                return
            for found in self.invert(part, value, s):
                after = fit or fits(value, found)
                if after is None:
                    yield from self.confirm(node, target, found)
                elif after:
                    yield found

        return self.each(state, distinct(values), then)

    def all(self, state: State, wanted: Sequence[tuple[ast.AST, Any]]) -> States:
        """States in which every expression has its target."""
        if not wanted:
            yield state
            return
        (node, target), *rest = wanted
        for found in self.invert(node, target, state):
            yield from self.all(found, rest)

    def bind(self, name: str, value: Any, state: State) -> States:
        """The state with a variable's value, if nothing known of it speaks against that."""
        if name in state.known:
            if same(state.known[name], value):
                yield state
            return
        shape = self.shapes.get(name)
        if shape is None or (name in self.settled and not shape.allows(value)):
            return
        size, slots = state.known.get(name + "#"), state.known.get(name + "[]", {})
        try:
            if (size is not None and len(value) != size) or any(not same(value[k], v) for k, v in slots.items()):
                return
        except (TypeError, LookupError):
            return
        yield state.bind(name, value)

    def candidates(self, name: str) -> list[Any]:
        """Values that a variable may well have, most promising first."""
        if name not in self._pools:
            self._pools[name] = pool(self.shapes.get(name, Shape()), self.output, self.constants)[:80]
        return self._pools[name]

    def solve(self, node: ast.AST, accepts: Callable[[Any], bool], state: State) -> States:
        """Values for the one or two open variables of an expression such that its value is accepted."""
        open_ = sorted(n for n in free_names(node) if n not in state.known and n in self.shapes)
        if not 1 <= len(open_) <= 2:
            return
        rows = [[v for v in self.candidates(n) if self.shapes[n].allows(v)] for n in open_]
        if len(rows) == 2:
            rows = [row[:16] for row in rows]
        found: list[tuple[Any, ...]] = []
        for values in itertools.product(*rows):
            self.budget.tick()
            try:
                if accepts(evaluate(node, {**state.known, **dict(zip(open_, values, strict=True))})):
                    found.append(values)
            except (Unknown, Failed):
                continue
            if len(found) >= 6:
                break

        def bound(values: tuple[Any, ...], s: State) -> States:
            for found in self.bind(open_[0], values[0], s):
                if len(open_) == 1:
                    yield found
                else:
                    yield from self.bind(open_[1], values[1], found)

        yield from self.each(state.guess(), found, bound)

    def element_kinds(self, node: ast.AST) -> list[str]:
        """Likely kinds of an iterable's elements."""
        shape = self.shapes.get(node.id) if isinstance(node, ast.Name) else None
        if shape is None:
            return []
        if shape.ranked()[:1] == ["str"]:
            return ["str"]
        return [k for k, weight in sorted(shape.items.items(), key=lambda kv: -kv[1]) if weight > 0]

    def fill(self, node: ast.AST, values: Sequence[Any]) -> list[list[Any]]:
        """The values with `FREE` replaced, a few ways; as they are where nothing is free."""
        if not any(v is FREE for v in values):
            return [list(values)]
        kinds = self.element_kinds(node)
        fixed = [v for v in values if v is not FREE]
        fillers = [*fixed[:1], *(samples(k)[0] for k in kinds), 1, "a", *(s for k in kinds for s in samples(k)[1:4])]
        ways = [[f if v is FREE else v for v in values] for f in distinct(fillers)]
        return [way for way in ways if not any(part is FREE for row in way if isinstance(row, tuple) for part in row)]

    def items(self, node: ast.AST, values: Sequence[Any], state: State) -> States:
        """States in which the expression is an iterable that yields exactly these values."""
        try:
            value = self.value(node, state)
            if value is not UNKNOWN:
                parts = list(value)
                if len(parts) == len(values) and all(map(fits, parts, values)):
                    yield state
                return
        except (Failed, TypeError):
            return
        inverter = self.inverters.iterating(node)
        if inverter is not None:
            yield from inverter(self, node, values, state)
            return
        kinds = self.shapes[node.id].ranked() if isinstance(node, ast.Name) and node.id in self.shapes else []
        options = [made for row in self.fill(node, values) for made in containers(row, kinds)]
        yield from self.each(state, options, lambda made, s: self.invert(node, made, s))

    def truth(self, node: ast.AST, flag: bool, state: State) -> States:
        """States in which the expression is true, or false."""
        self.budget.tick()
        try:
            value = self.value(node, state)
        except Failed:
            return
        boolean = isinstance(node, (ast.Compare, ast.UnaryOp))
        noted = state.note(node, flag if boolean else ("true" if flag else "false"), boolean)
        if value is not UNKNOWN:
            if bool(value) is flag:
                yield noted
            return
        fruitful = False
        inverter = self.inverters.truth.get(type(node))
        if inverter is not None:
            for found in inverter(self, node, flag, noted):
                fruitful = True
                yield found
        if not fruitful:
            yield from self.solve(node, lambda v: bool(v) is flag, noted)

    def truth_of_all(self, nodes: Sequence[ast.expr], flag: bool, state: State) -> States:
        """States in which all expressions are true, or all false."""
        if not nodes:
            yield state
            return
        for found in self.truth(nodes[0], flag, state):
            yield from self.truth_of_all(nodes[1:], flag, found)


class Inverters:
    """The registry: how to go back through each kind of expression."""

    def __init__(self) -> None:
        self.nodes: dict[type[ast.AST], Inverter] = {}
        self.functions: dict[str, Inverter] = {}
        self.methods: dict[str, Inverter] = {}
        self.iterators: dict[str, Inverter] = {}
        self.truth: dict[type[ast.AST], Inverter] = {}

    @classmethod
    def of_all(cls, *parts: Inverters) -> Inverters:
        """One registry of several. Raises ValueError where two have an entry for the same thing."""
        whole = cls()
        for part in parts:
            for table, more in zip(vars(whole).values(), vars(part).values(), strict=True):
                if table.keys() & more.keys():
                    raise ValueError(f"two inverters for {sorted(map(str, table.keys() & more.keys()))}")
                table.update(more)
        return whole

    def of(self, node: ast.AST) -> Inverter | None:
        if isinstance(node, ast.Call):
            if isinstance(node.func, ast.Name):
                known = self.functions.get(node.func.id)
                return _inlined if known is None else known
            if isinstance(node.func, ast.Attribute):
                return self.methods.get(node.func.attr)
            return None
        return self.nodes.get(type(node))

    def iterating(self, node: ast.AST) -> Inverter | None:
        """How to go back from the values that an expression yields one by one."""
        if isinstance(node, ast.Call) and isinstance(node.func, (ast.Name, ast.Attribute)):
            name = node.func.id if isinstance(node.func, ast.Name) else "." + node.func.attr
            return self.iterators.get(name)
        return self.iterators.get(type(node).__name__)


def register(table: dict[Any, Inverter], *keys: Any) -> Callable[[Inverter], Inverter]:
    """A decorator that enters a function into a table of a registry."""

    def keep(inverter: Inverter) -> Inverter:
        table.update(dict.fromkeys(keys, inverter))
        return inverter

    return keep


def _inlined(engine: Engine, node: ast.Call, target: Any, state: State) -> States:
    return engine.inline(node, target, state)


def _replaced(node: ast.AST, part: ast.AST) -> ast.AST:
    """A copy of an expression in which one part of it is the variable `ITEM`."""
    if node is part:
        return ast.Name(ITEM, ast.Load())
    fields: dict[str, Any] = {}
    for name, field in ast.iter_fields(node):
        if isinstance(field, list):
            fields[name] = [_replaced(f, part) if isinstance(f, ast.AST) else f for f in field]
        else:
            fields[name] = _replaced(field, part) if isinstance(field, ast.AST) else field
    return type(node)(**fields)


def fits(value: Any, wanted: Any) -> bool:
    """Whether a value is the wanted one, `FREE` standing for anything, inside tuples too."""
    if wanted is FREE:
        return True
    if isinstance(wanted, tuple) and isinstance(value, (tuple, list)) and len(value) == len(wanted):
        return all(map(fits, value, wanted))
    return same(value, wanted)


def containers(row: list[Any], kinds: Sequence[str] = ()) -> list[Any]:
    """Containers that yield these values in this order; those of the likely kinds first."""
    made: dict[str, Any] = {"list": row}
    if all(isinstance(v, str) and len(v) == 1 for v in row):
        made["str"] = "".join(row)
    made["tuple"] = tuple(row)
    try:
        if len(set(row)) == len(row):
            made["dict"] = dict.fromkeys(row, 1)
            if len(row) < 2:
                made["set"] = set(row)
    except TypeError:
        pass
    order = [k for k in kinds if k in made] + [k for k in made if k not in kinds]
    return [made[k] for k in order]

"""Proposals by reasoning: arguments derived backwards from an output, path by path, with the derivation of each.

Guarantees: proposals come in a fixed order, those that leave the plainest derivation fewest times first; the work is
bounded. It does not run the program.
"""

from __future__ import annotations

import ast
import builtins
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from semcoder.monologue.solving.engine import Budget, Engine, Exhausted, Function, States
from semcoder.monologue.solving.evaluate import HIDDEN, Failed, Unknown, evaluate, metered
from semcoder.monologue.solving.inverters import REGISTRY
from semcoder.monologue.solving.inverters.iterables import from_slots
from semcoder.monologue.solving.search import Arguments, diagonal
from semcoder.monologue.solving.shapes import Shape, constants, distinct, samples, shapes_of
from semcoder.monologue.solving.state import FREE, Derived, State
from semcoder.monologue.solving.statements import UNDO, Exit, Walker

LIMITS = (0, 1, 2, 4, 6)
STEPS = 8_000
#: What evaluations of a round of proposals may take together, and those of the constants at the start.
WORK, WORK_AT_START = 10_000_000, 1_000_000
PER_EXIT = 10
MAX_DEPTH = 3


@dataclass(frozen=True, slots=True)
class Proposal:
    """Arguments in the order of the parameters; `guessed`: picked among values that satisfy constraints."""

    arguments: Arguments
    guessed: bool
    chain: Derived | None


@dataclass(frozen=True, slots=True)
class Target:
    """The function to be called, its module and what its variables look like."""

    module: ast.Module
    function: Function
    shapes: dict[str, Shape]
    constants: Sequence[Any]

    @property
    def parameters(self) -> list[str]:
        """Names of the parameters that a call gives: positional ones, then keyword-only ones."""
        arguments = self.function.args
        named = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
        return [a.arg for a in named if not (self.is_method and a.arg in ("self", "cls"))]

    @property
    def is_method(self) -> bool:
        return self.function not in self.module.body


def target_of(module: ast.Module, entry: str) -> Target | None:
    """The function that an entry names, None where it is not one that is defined in the module."""
    body: Sequence[ast.stmt] = module.body
    found: ast.stmt | None = None
    for part in entry.split("."):
        found = next((n for n in reversed(body) if getattr(n, "name", None) == part), None)
        body = getattr(found, "body", [])
    if not isinstance(found, (ast.FunctionDef, ast.AsyncFunctionDef)):
        return None
    return Target(module, found, shapes_of(found), constants(found))


def module_values(module: ast.Module) -> dict[str, Any]:
    """Constants that the module's top level binds once, as far as they can be evaluated."""
    known: dict[str, Any] = {}
    stored = Counter(n.id for n in ast.walk(module) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store))
    for node in module.body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and stored[node.targets[0].id] == 1:
            try:
                known[node.targets[0].id] = evaluate(node.value, known)
            except (Unknown, Failed):
                continue
    return known


def local_values(function: Function, outer: dict[str, Any]) -> dict[str, Any]:
    """Constants that the function's own block binds once and never changes in place."""
    known = dict(outer)
    nodes = list(ast.walk(function))
    stored = Counter(n.id for n in nodes if isinstance(n, ast.Name) and not isinstance(n.ctx, ast.Load))
    stored.update(n.arg for n in nodes if isinstance(n, ast.arg))
    holders = (n.value for n in nodes if isinstance(n, ast.Subscript) and not isinstance(n.ctx, ast.Load))
    changed = {h.id for h in holders if isinstance(h, ast.Name)}
    calls = (n.func for n in nodes if isinstance(n, ast.Call))
    receivers = (c.value for c in calls if isinstance(c, ast.Attribute) and (c.attr in UNDO or c.attr == "setdefault"))
    changed |= {r.id for r in receivers if isinstance(r, ast.Name)}
    values = (n.value for n in nodes if isinstance(n, (ast.Assign, ast.AugAssign)))
    shared = {v.id for v in values if isinstance(v, ast.Name)}
    for node in function.body:
        if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
            name = node.targets[0].id
            try:
                if stored[name] == 1 and name not in changed and not _may_alias(node.value, name, shared):
                    known[name] = evaluate(node.value, known)
            except (Unknown, Failed):
                continue
    return {name: value for name, value in known.items() if name not in outer}


def _may_alias(value: ast.expr, name: str, shared: set[str]) -> bool:
    """Whether the variable's own object gets a second name, through which it could be changed."""
    return not isinstance(value, ast.Constant) and (isinstance(value, ast.Name) or name in shared)


class Reasoner:
    """Derives arguments of one function from one output."""

    def __init__(self, target: Target, output: Any, constants: dict[str, Any] | None = None) -> None:
        """`constants`: the values of the module's, where they are known already."""
        self._target = target
        self._output = output
        self._budget = Budget(STEPS)
        local = _locals(target)
        with metered(WORK_AT_START):
            self._constants = module_values(target.module) if constants is None else constants
        hidden = frozenset(local & set(dir(builtins)) | {n.name for n in target.module.body if isinstance(n, Function)})
        outer = {k: v for k, v in self._constants.items() if k not in local}
        with metered(WORK_AT_START):
            self._start = State({HIDDEN: hidden, **outer, **local_values(target.function, outer)})
        self._engine = Engine(
            REGISTRY,
            target.shapes,
            output=output,
            constants=target.constants,
            budget=self._budget,
            inline=self._inline,
        )
        self._engine.settled = set(target.parameters) - _stored(target)
        self._walker = Walker(self._engine, target.function)
        self._depth = 0

    def proposals(self) -> Iterator[list[Proposal]]:
        """Rounds of proposals: first what inverts the output, then what only satisfies the conditions of a path."""
        for limit in LIMITS:
            yield self._round(limit, self._output)
        for limit in LIMITS[:3]:
            yield [replace(p, guessed=True) for p in self._round(limit, FREE)]

    def _round(self, limit: int, wanted: Any) -> list[Proposal]:
        with metered(WORK):
            return self._proposed(limit, wanted)

    def _proposed(self, limit: int, wanted: Any) -> list[Proposal]:
        self._budget.limit = limit
        out: list[Proposal] = []
        exits = self._walker.exits()
        for leave in exits:
            self._budget.left = STEPS // len(exits) + 500
            try:
                for state in islice(self._states(leave, wanted), PER_EXIT):
                    out += self._complete(state, 4 if wanted is not FREE else 12)
            except (Exhausted, RecursionError):
                pass
        return sorted(out, key=lambda p: p.guessed)

    def _states(self, leave: Exit, wanted: Any) -> States:
        return self._walker.before(leave, wanted, self._start)

    def _complete(self, state: State, count: int) -> list[Proposal]:
        """Arguments from the needs at the function's first line; parameters without a need get plain values."""
        rows: list[list[Any]] = []
        open_ = False
        for name in self._target.parameters:
            if name in state.known:
                rows.append([state.known[name]])
            elif state.needs(name):
                kinds = self._target.shapes[name].ranked()
                size = state.known.get(name + "#")
                rows.append(from_slots(state.known.get(name + "[]", {}), size, kinds[0] if kinds else "")[:3])
            else:
                rows.append(self._plain(name))
                open_ = True
        if not all(rows):
            return []
        made = islice(diagonal(rows), count if open_ else 2)
        return [
            Proposal(arguments, state.guessed or (open_ and k > 0), state.chain) for k, arguments in enumerate(made)
        ]

    def _plain(self, name: str) -> list[Any]:
        """Values for a parameter that nothing is needed of."""
        shape = self._target.shapes[name]
        kinds = shape.ranked()[:2] or ["int", "str"]
        items = [k for k, weight in sorted(shape.items.items(), key=lambda kv: -kv[1]) if weight > 0]
        plain = [v for kind in kinds for v in samples(kind, items)[:2]]
        return distinct([*plain[:3], *self._engine.candidates(name)[:20]])

    def _inline(self, call: ast.Call, wanted: Any, state: State) -> States:
        """Back through a call of another function of the module, or of the function itself."""
        assert isinstance(call.func, ast.Name)
        target = target_of(self._target.module, call.func.id)
        if target is None or call.keywords or self._depth >= MAX_DEPTH or len(call.args) > len(target.parameters):
            return
        inner = Reasoner(target, self._output, self._constants)
        inner._budget, inner._depth = self._budget, self._depth + 1
        inner._engine.budget = self._budget
        for leave in inner._walker.exits():
            for found in inner._walker.before(leave, wanted, replace(inner._start, cost=state.cost)):
                needs = [found.known.get(name, FREE) for name in target.parameters]
                outer = replace(state, cost=found.cost, guessed=state.guessed or found.guessed)
                yield from self._engine.all(outer, list(zip(call.args, needs, strict=False)))


def _locals(target: Target) -> set[str]:
    return _stored(target) | set(target.parameters)


def _stored(target: Target) -> set[str]:
    return {n.id for n in ast.walk(target.function) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}

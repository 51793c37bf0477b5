"""How values flow through the statements of one scope: which names are still needed, and which are surely bound.

Guarantees: `Flow.needed` holds at least every name that may be read after a statement, on any way out of it (the next
turn of a loop, a handler, a jump), before something else is bound to it; `Flow.bound` holds no name that may be unbound
where a statement starts, but for `with` blocks that swallow exceptions. Names that nested functions use count as read
where the function is made.
It does not see names that are reached by `locals()`, `globals()` or `exec`.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from semcoder.seeds._names import bound_names, free_names, own_nodes

_EMPTY: frozenset[str] = frozenset()
Set = frozenset[str]


class _Ways(NamedTuple):
    """What is needed where a `break`, a `continue` or an exception leads to."""

    on_break: Set = _EMPTY
    on_continue: Set = _EMPTY
    on_error: Set = _EMPTY


@dataclass
class Flow:
    """By statement (`id` of it): the names needed after it, and those surely bound before it."""

    needed: dict[int, Set] = field(default_factory=dict)
    bound: dict[int, Set] = field(default_factory=dict)


def flow(body: Sequence[ast.stmt], given: Iterable[str] = (), wanted: Iterable[str] = ()) -> Flow:
    """The flow through a scope whose names `given` are bound at its start, and `wanted` are read after its end."""
    result = Flow()
    _Needs(result.needed).block(body, frozenset(wanted), _Ways())
    gone = fleeting(body)
    _Binds(result.bound, gone).block(body, frozenset(given) - gone)
    return result


def read_first(body: Sequence[ast.stmt], wanted: Iterable[str]) -> Set:
    """Names that some statements may read, or leave as they were for those who want them after, before binding them."""
    return _Needs({}).block(body, frozenset(wanted), _Ways())


def bound_after(body: Sequence[ast.stmt], given: Iterable[str]) -> Set | None:
    """Names that are surely bound where the end of some statements is reached; None where it never is."""
    return _Binds({}, fleeting(body)).block(body, frozenset(given))


def fleeting(body: Sequence[ast.stmt]) -> Set:
    """Names that are deleted somewhere or that a handler takes away again: they are nowhere surely bound."""
    nodes = list(own_nodes(body))
    deleted = {n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Del)}
    return frozenset(deleted | {n.name for n in nodes if isinstance(n, ast.ExceptHandler) and n.name})


class _Needs:
    """Backwards: what is needed before a statement, given what is needed after it."""

    def __init__(self, after: dict[int, Set]) -> None:
        self._after = after

    def block(self, body: Sequence[ast.stmt], after: Set, ways: _Ways) -> Set:
        for statement in reversed(body):
            self._after[id(statement)] = self._after.get(id(statement), _EMPTY) | after
            after = self._statement(statement, after, ways) | ways.on_error
        return after

    def _statement(self, node: ast.stmt, after: Set, ways: _Ways) -> Set:
        if isinstance(node, ast.Break):
            return ways.on_break
        if isinstance(node, ast.Continue):
            return ways.on_continue
        if isinstance(node, (ast.Return, ast.Raise)):
            return free_names(node)
        if isinstance(node, ast.If):
            branches = self.block(node.body, after, ways) | self.block(node.orelse, after, ways)
            return (branches - _surely_stored(node.test)) | free_names(node.test)
        if isinstance(node, (ast.For, ast.AsyncFor, ast.While)):
            return self._loop(node, after, ways)
        if isinstance(node, (ast.Try, ast.TryStar)):
            return self._try(node, after, ways)
        if isinstance(node, (ast.With, ast.AsyncWith)):
            inner = self.block(node.body, after, ways._replace(on_error=ways.on_error | after))
            opened = [item.context_expr for item in node.items]
            targets = [item.optional_vars for item in node.items if item.optional_vars is not None]
            return (inner - _stored(targets)) | _read(opened) | _read(targets)
        if isinstance(node, ast.Match):
            return self._match(node, after, ways)
        deleted = {n.id for n in own_nodes([node]) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Del)}
        return (
            (after - _surely_stored(node) - deleted) | free_names(node) | deleted
        )  # only what is bound can be deleted

    def _loop(self, node: ast.For | ast.AsyncFor | ast.While, after: Set, ways: _Ways) -> Set:
        loops = isinstance(node, ast.While)
        stored = _surely_stored(node.test) if isinstance(node, ast.While) else _stored([node.target])
        read = free_names(node.test if isinstance(node, ast.While) else node.target)
        left = self.block(node.orelse, after, ways) | after
        top: Set = _EMPTY
        while True:  # until another turn asks for nothing more
            turn = self.block(node.body, top, ways._replace(on_break=after, on_continue=top))
            # A `while` has run its test where it is left; a `for` has bound nothing then.
            more = ((turn | left) - stored if loops else left | (turn - stored)) | read
            if more == top:
                return top | (_EMPTY if isinstance(node, ast.While) else free_names(node.iter))
            top = more

    def _try(self, node: ast.Try | ast.TryStar, after: Set, ways: _Ways) -> Set:
        left = after | ways.on_break | ways.on_continue | ways.on_error
        final = self.block(node.finalbody, left if node.finalbody else after, ways)
        inner = ways
        if node.finalbody:
            inner = _Ways(ways.on_break | final, ways.on_continue | final, ways.on_error | final)
        handled = inner.on_error
        for handler in node.handlers:
            names = frozenset({handler.name} if handler.name else ())
            kinds = free_names(handler.type) if handler.type is not None else _EMPTY
            handled |= (self.block(handler.body, final, inner) - names) | kinds
        done = self.block(node.orelse, final, inner)
        return self.block(node.body, done, inner._replace(on_error=handled)) | handled

    def _match(self, node: ast.Match, after: Set, ways: _Ways) -> Set:
        found = free_names(node.subject) | after
        for case in node.cases:
            inner = self.block(case.body, after, ways)
            inner |= free_names(case.guard) if case.guard is not None else _EMPTY
            found |= (inner - bound_names([case.pattern])) | free_names(case.pattern)
        return found


class _Binds:
    """Forwards: what is surely bound after a statement; None where its end is never reached."""

    def __init__(self, before: dict[int, Set], fleeting: Set) -> None:
        self._before = before
        self._fleeting = fleeting

    def block(self, body: Sequence[ast.stmt], have: Set | None) -> Set | None:
        for statement in body:
            if have is None:
                return None
            self._before[id(statement)] = have
            have = self._statement(statement, have)
            have = have - self._fleeting if have is not None else None
        return have

    def _statement(self, node: ast.stmt, have: Set) -> Set | None:
        if isinstance(node, (ast.Break, ast.Continue, ast.Return, ast.Raise)):
            return None
        if isinstance(node, ast.If):
            tested = have | _surely_stored(node.test)
            return _either(self.block(node.body, tested), self.block(node.orelse, tested))
        if isinstance(node, (ast.For, ast.AsyncFor)):
            have |= _surely_stored(node.iter)
            self.block(node.body, have | _stored([node.target]))
            self.block(node.orelse, have)
            return have
        if isinstance(node, ast.While):
            have |= _surely_stored(node.test)
            self.block(node.body, have)
            self.block(node.orelse, have)
            return have
        if isinstance(node, (ast.Try, ast.TryStar)):
            return self._try(node, have)
        if isinstance(node, (ast.With, ast.AsyncWith)):
            targets = [item.optional_vars for item in node.items if item.optional_vars is not None]
            opened = have | _stored(targets)
            return self.block(node.body, opened) or opened
        if isinstance(node, ast.Match):
            have |= _surely_stored(node.subject)
            ends = [self.block(case.body, have | bound_names([case.pattern])) for case in node.cases]
            every = any(case.guard is None and _catches_all(case.pattern) for case in node.cases)
            return _either(*ends) if every else _either(have, *ends)
        return have | _surely_stored(node)

    def _try(self, node: ast.Try | ast.TryStar, have: Set) -> Set | None:
        done = self.block(node.body, have)
        ends = [self.block(node.orelse, done)]
        ends += [
            self.block(handler.body, have | ({handler.name} if handler.name else set())) for handler in node.handlers
        ]
        end = _either(*ends)
        if not node.finalbody:
            return end
        final = self.block(node.finalbody, have)
        return end | final if end is not None and final is not None else None


def _either(*ends: Set | None) -> Set | None:
    reached = [end for end in ends if end is not None]
    return frozenset.intersection(*reached) if reached else None


def _stored(targets: Iterable[ast.AST]) -> Set:
    return frozenset(bound_names(targets, deleted=False))


def _read(nodes: Iterable[ast.AST]) -> Set:
    return _EMPTY.union(*map(free_names, nodes))


def _catches_all(pattern: ast.pattern) -> bool:
    return isinstance(pattern, ast.MatchAs) and pattern.pattern is None


def _surely_stored(node: ast.AST) -> Set:
    """Names that a simple statement, or an expression, binds whenever it ends without an exception."""
    found: set[str] = set()
    todo: list[ast.AST] = [node]
    while todo:
        part = todo.pop()
        if isinstance(part, (ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)):
            continue
        if isinstance(part, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Import, ast.ImportFrom)):
            found |= bound_names([part])
        elif isinstance(part, ast.AnnAssign) and part.value is None:
            continue
        elif isinstance(part, ast.BoolOp):
            todo.append(part.values[0])
        elif isinstance(part, ast.IfExp):
            todo.append(part.test)
        elif isinstance(part, ast.Compare):
            todo += [part.left, part.comparators[0]]
        elif isinstance(part, ast.Assert):
            todo.append(part.test)
        else:
            if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store):
                found.add(part.id)
            todo.extend(ast.iter_child_nodes(part))
    return frozenset(found)

"""What each step of a run depends on: the steps that made the values it read, and those that decided that it ran.

Guarantees: a step depends on earlier steps only. Names are followed through assignments, calls, returns, closures and
changes in place that the trace shows.
It does not promise to be complete: what passes through code that was not traced, or through attributes of objects that
no variable of the frame holds, is not seen; nor is it minimal: a statement is taken to read all names that it mentions.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from semcoder.debugging.matching import blocks_of
from semcoder.tracing import Step, Trace

#: What a dependence keeps of a suspicion: of a value that was read, of a decision, of a decision to leave early.
DATA, DECISION, LEAVING = 0.9, 0.75, 0.5
#: How many steps back a change in place by a callee is looked for.
_FAR = 2_000
_JUMPS = (ast.Return, ast.Continue, ast.Break, ast.Raise)
_DECIDERS = (ast.If, ast.While, ast.For, ast.AsyncFor, ast.Try, ast.TryStar, ast.With, ast.AsyncWith, ast.Match)
_OWN = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)


#: What decides whether a statement runs, with how much that counts.
Hanging = tuple[tuple[ast.AST, float], ...]


def _walk(node: ast.AST, above: Hanging, found: dict[int, Hanging]) -> None:
    """Note for each statement in a node what it hangs on: the statement round it, and those before that may leave."""
    inner = () if isinstance(node, _OWN) else ((node, DECISION),) if isinstance(node, _DECIDERS) else above
    parts = [*getattr(node, "handlers", []), *getattr(node, "cases", [])]
    for block in [*blocks_of(node), *(part.body for part in parts)]:
        leaving: Hanging = ()
        for statement in block:
            found[id(statement)] = inner + leaving
            _walk(statement, inner + leaving, found)
            if isinstance(statement, _DECIDERS) and _may_leave(statement):
                leaving += ((statement, LEAVING),)


def _may_leave(node: ast.AST) -> bool:
    return any(isinstance(inner, _JUMPS) for block in blocks_of(node) for part in block for inner in ast.walk(part))


class Slices:
    """The dependences between the steps of one run."""

    def __init__(self, trace: Trace) -> None:
        self.trace = trace
        self.steps = trace.steps
        self._hanging: dict[int, Hanging] = {}
        _walk(trace.tree, (), self._hanging)
        self._writes: dict[tuple[int, str], int] = {}
        self._anywhere: dict[str, int] = {}
        self._decided: dict[tuple[int, int], int] = {}
        self._called: dict[int, int] = {}
        self._names: dict[int, tuple[str, ...]] = {}
        self.depends: list[dict[int, float]] = [self._of(step) for step in self.steps]

    def _of(self, step: Step) -> dict[int, float]:
        """The steps that one depends on, and how much of a suspicion each is given; and note what it does itself."""
        found: dict[int, float] = {}
        previous = step.index - 1
        if step.kind == "call":
            if previous >= 0:
                found[previous] = DATA
            self._called[step.frame] = step.index
        else:
            found.update(self._decisions(step))
            for name in self._read(step.node):
                written = self._writes.get((step.frame, name), self._anywhere.get(name))
                if written is not None:
                    found[written] = DATA
        if step.kind == "resume" and previous >= 0:
            found.update(self._back(step))
        self._note(step)
        found.pop(step.index, None)
        return found

    def _decisions(self, step: Step) -> Iterator[tuple[int, float]]:
        """What made it run: the conditions and loops round it, and how its function came to be called."""
        any_round = False
        for node, part in self._hanging.get(id(step.node), ()):
            at = self._decided.get((step.frame, id(node)))
            if at is not None:
                yield at, part
                any_round = any_round or part == DECISION
        if step.kind in ("iteration", "exhausted", "draw", "resume", "catch") or isinstance(step.node, ast.While):
            at = self._decided.get((step.frame, id(step.node)))
            if at is not None:
                yield at, DATA
        if not any_round:
            called = self._called.get(step.frame)
            if called is not None:
                yield called, DECISION

    def _back(self, step: Step) -> Iterator[tuple[int, float]]:
        """The rest of a statement depends on how what it called has ended, and on what that changed."""
        previous = self.steps[step.index - 1]
        if previous.frame != step.frame:
            yield previous.index, DATA
        wanted = {change.new.oid for change in step.changes if change.new is not None and change.new.oid is not None}
        at = previous.index
        while wanted and at >= max(0, step.index - _FAR) and self.steps[at].frame != step.frame:
            for change in self.steps[at].changes:
                if change.new is not None and change.new.oid in wanted:
                    yield at, DATA
            at -= 1

    def _note(self, step: Step) -> None:
        for change in step.changes:
            self._anywhere[change.name] = step.index
            if change.scope == "local":
                self._writes[step.frame, change.name] = step.index
        if step.kind != "call":
            self._decided[step.frame, id(step.node)] = step.index

    def _read(self, node: ast.AST) -> tuple[str, ...]:
        """The names that a statement mentions itself, its blocks apart."""
        if id(node) not in self._names:
            names = (inner.id for inner in own_nodes(node) if isinstance(inner, ast.Name) and _is_read(inner, node))
            self._names[id(node)] = tuple(dict.fromkeys(names))
        return self._names[id(node)]

    def suspicion(self, failure: int) -> list[float]:
        """For each step how much it may bear on a failing one, from 0 to 1: 1 for that one itself."""
        found = [0.0] * len(self.steps)
        found[failure] = 1.0
        for at in range(failure, -1, -1):
            for before, part in self.depends[at].items() if found[at] else ():
                found[before] = max(found[before], found[at] * part)
        return found


def own_nodes(node: ast.AST) -> Iterator[ast.AST]:
    """The nodes of what a statement says itself, the statements in it apart."""
    todo = [node]
    while todo:
        inner = todo.pop()
        yield inner
        if inner is not node and isinstance(inner, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            continue
        todo += [
            child
            for child in ast.iter_child_nodes(inner)
            if not isinstance(child, (ast.stmt, ast.ExceptHandler, ast.match_case))
        ]


def _is_read(node: ast.Name, statement: ast.AST) -> bool:
    """Whether a name is read; that of an augmented assignment is, too."""
    return isinstance(node.ctx, ast.Load) or (isinstance(statement, ast.AugAssign) and statement.target is node)

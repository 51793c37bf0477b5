"""The visits of a run: each time that a statement is begun, a loop's header is come to, or a function is entered.

A visit holds all steps that belong to it: those in which a statement goes on after a call that it made has come back
are the visit's, too. Visits are in the order in which they began.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field

from semcoder.core import Value
from semcoder.monologue.story import Moment, Story
from semcoder.tracing import Part

_LOOPS = (ast.For, ast.AsyncFor, ast.While)


@dataclass(slots=True)
class Visit:
    """`index`: its place among all visits. `rounds`: per loop around it (by the loop's line) the iteration, from 1."""

    index: int
    moments: list[Moment]
    rounds: dict[int, int] = field(default_factory=dict)
    beneath: list[Visit] = field(default_factory=list)

    @property
    def first(self) -> Moment:
        return self.moments[0]

    @property
    def last(self) -> Moment:
        return self.moments[-1]

    @property
    def start(self) -> int:
        return self.first.step.index

    @property
    def end(self) -> int:
        return self.last.step.index

    @property
    def line(self) -> int:
        return self.first.step.line

    @property
    def node(self) -> ast.AST:
        return self.first.step.node

    @property
    def kind(self) -> str:
        return self.first.step.kind

    def parts(self) -> Iterator[Part]:
        for moment in self.moments:
            yield from moment.step.parts

    @property
    def truth(self) -> bool | None:
        """How the statement's own test came out."""
        return next((m.step.truth for m in reversed(self.moments) if m.step.truth is not None), None)

    def before(self, name: str) -> Value | None:
        return self.first.before(name)

    def after(self, name: str) -> Value | None:
        return self.last.after(name)


@dataclass(slots=True)
class Loop:
    """One time that a loop ran, from its header to its end: steps from `start` to `end`, and how many iterations."""

    line: int
    start: int
    end: int
    count: int
    over: bool = False


class Run:
    """All visits of a run, and all times that its loops ran."""

    def __init__(self, story: Story) -> None:
        self.story = story
        self.trace = story.trace
        self._parents = {child: node for node in ast.walk(story.trace.tree) for child in ast.iter_child_nodes(node)}
        self.visits: list[Visit] = []
        self.loops: list[Loop] = []
        self.by_line: dict[int, list[Visit]] = {}
        self._build()
        self.lines = _header_lines(story.trace.tree)

    def statement_line(self, line: int) -> int:
        """The first line of the statement that a line belongs to; 0 where there is none."""
        return self.lines.get(line, 0)

    def _build(self) -> None:
        open_visits: dict[int, Visit] = {}
        stack: list[int] = []
        counts: dict[tuple[int, int], int] = {}
        loops: dict[tuple[int, int], Loop] = {}
        for moment in self.story.moments:
            step = moment.step
            if step.frame in stack:
                del stack[stack.index(step.frame) + 1 :]
            else:
                stack.append(step.frame)
            last = open_visits.get(step.frame)
            if step.kind == "resume" and last is not None and last.node is step.node:
                last.moments.append(moment)
                continue
            visit = Visit(len(self.visits), [moment])
            visit.beneath = [open_visits[f] for f in reversed(stack[:-1]) if f in open_visits]
            self.visits.append(visit)
            open_visits[step.frame] = visit
            self.by_line.setdefault(visit.line, []).append(visit)
            self._follow_loops(visit, counts, loops)

    def _follow_loops(
        self, visit: Visit, counts: dict[tuple[int, int], int], loops: dict[tuple[int, int], Loop]
    ) -> None:
        step = visit.first.step
        around = [n for n in self._around(step.node) if isinstance(n, _LOOPS)]
        own = isinstance(step.node, _LOOPS)
        inside = {id(n) for n in around}
        for key, loop in list(loops.items()):
            if key[0] == step.frame and key[1] not in inside:
                loop.over = True
                del loops[key]
        for node in around:
            outer = loops.get((step.frame, id(node)))
            if outer is not None:
                outer.end = max(outer.end, step.index)
        key = (step.frame, id(step.node))
        if own:
            fresh = step.kind == "statement" or (step.kind == "test" and step.count == 1)
            if fresh or key not in loops:
                loops[key] = Loop(step.line, step.index, step.index, 0)
                self.loops.append(loops[key])
                counts[key] = 0
            loop = loops[key]
            loop.end = step.index
            test = visit.truth
            constant = isinstance(step.node, ast.While) and isinstance(step.node.test, ast.Constant)
            if step.kind == "iteration" or (step.kind == "test" and (test or constant)):
                loop.count = counts[key] = step.count
            elif step.kind == "exhausted" or test is False:
                loop.over = True
                del loops[key]
        visit.rounds = {int(getattr(n, "lineno", 0)): counts.get((step.frame, id(n)), 0) for n in around}
        if own and (step.kind in ("exhausted", "statement") or visit.truth is False):
            visit.rounds.pop(step.line, None)

    def _around(self, node: ast.AST) -> list[ast.AST]:
        """A statement and what it stands in, innermost first, up to its function."""
        out = [node]
        while not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef, ast.Module)):
            parent = self._parents.get(node)
            if parent is None:
                break
            out.append(parent)
            node = parent
        return out

    def is_loop(self, line: int) -> bool:
        """Whether a loop stands at a line."""
        return any(isinstance(n, _LOOPS) and n.lineno == line for n in ast.walk(self.trace.tree))


def _header_lines(tree: ast.Module) -> dict[int, int]:
    """Per line of the source the line of the statement whose head it belongs to."""
    lines: dict[int, int] = {}
    heads = [n for n in ast.walk(tree) if isinstance(n, (ast.stmt, ast.ExceptHandler))]
    for node in heads:
        if hasattr(node, "body"):
            own = [c for c in ast.iter_child_nodes(node) if isinstance(c, (ast.expr, ast.arguments, ast.withitem))]
            ends = [int(getattr(inner, "end_lineno", 0)) for c in own for inner in ast.walk(c)]
            last = max([node.lineno, *ends])
        else:
            last = node.end_lineno or node.lineno
        for line in range(node.lineno, last + 1):
            lines.setdefault(line, node.lineno)
    lines.update({node.lineno: node.lineno for node in heads})
    return lines

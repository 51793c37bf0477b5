"""What a call runs and compares: statements, branches and operands; cheap enough to ask of every candidate input.

Points are numbered in the order of the text. A *line* is that of a statement in a function's body; a *branch* is one of
the two ways that an `if`, a `while` or a `for` can go (its body, or past it), or one `case` of a `match`: what
coverage.py counts, but that a `for` which is left by `break` has not gone past. Module level and class bodies run when
the module does and are not counted; nor are docstrings and declarations, and branches on constants.

*Operands* are what a comparison of two different numbers or short texts found on its sides: an input in which the one
is put in the place of the other may take the other branch.

Guarantees: the program computes what it computed before (marks are stores into an array that it cannot name by
accident, and operands pass through unchanged; it binds no names); the same source has the same points in every process.
It does not promise that a program which looks for the marks tells the truth about them: they guide a search, and are a
claim about that program alone.

Runs inside the sandbox: standard library only.
"""

from __future__ import annotations

import ast
import itertools
import types
from collections.abc import Callable, Iterator, Sequence, Set
from dataclasses import dataclass
from typing import Any

from semcoder.core.calling import SAMPLE, Caller
from semcoder.errors import UsageError
from semcoder.sandbox.child import touched
from semcoder.tracing.instrument import is_silent

_MARKS, _LEFT, _RIGHT = "__sc_marks__", "__sc_left__", "__sc_right__"
#: How many pairs of operands are kept of a call, and how long their texts may be.
MAX_PAIRS = 48
MAX_OPERAND = 40
_MOST = 1 << 60
Operand = int | float | str | bytes
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_MEMBERS = 8
_IDENTITY = (ast.Is, ast.IsNot)
_CONTAINERS = (tuple, list, set, frozenset, dict)
#: Below these, expressions are somebody else's.
_OTHER = (ast.stmt, ast.ExceptHandler, ast.match_case)
#: The sandbox task: payload `{"source": text}`, items `[kind, text, setup]` of an `Invocation`.
COVER_TASK = "semcoder.mutation.covering:cover_task"


@dataclass(frozen=True, slots=True)
class Points:
    """What a program has to cover: for each point its line, whether it is a branch, and which function it is in.

    `reached`: the functions that the entry can reach by name. What the rest of a class does is not to be covered.
    """

    lines: tuple[int, ...]
    is_branch: tuple[bool, ...]
    functions: tuple[int, ...]
    reached: frozenset[int]

    def __len__(self) -> int:
        return len(self.lines)

    def counted(self, hit: Set[int]) -> set[int]:
        """The points in functions that can be reached, or that were entered (some are called by the interpreter)."""
        inside = self.reached | {self.functions[k] for k in hit}
        return {k for k, function in enumerate(self.functions) if function in inside}

    def measure(self, hit: Set[int]) -> Measure:
        """How many of the counted points were hit."""
        counted = self.counted(hit)
        lines = {self.lines[k] for k in counted if not self.is_branch[k]}
        seen = {self.lines[k] for k in hit if not self.is_branch[k]}
        branches = [k for k in counted if self.is_branch[k]]
        return Measure(len(seen), len(lines), sum(k in hit for k in branches), len(branches))


@dataclass(frozen=True, slots=True)
class Measure:
    """How much was covered of how much."""

    lines_hit: int
    lines: int
    branches_hit: int
    branches: int


def points_of(source: str, entry: str) -> Points:
    """The points of a program. Raises SyntaxError."""
    tree = ast.parse(source)
    reached = _reached(tree, entry.partition(".")[0])
    marker = _Marker()
    marker.module(tree)
    inside = frozenset(k for k, node in enumerate(marker.bodies) if node in reached)
    return Points(tuple(marker.lines), tuple(marker.is_branch), tuple(marker.functions), inside)


def _reached(tree: ast.Module, entry: str) -> set[ast.AST]:
    """Functions and classes that code which can run mentions, from the entry on, by name or as an attribute."""
    named: dict[str, list[ast.AST]] = {}
    for node in ast.walk(tree):
        if isinstance(node, (*_FUNCTIONS, ast.ClassDef)):
            named.setdefault(node.name, []).append(node)
        elif isinstance(node, ast.Assign) and all(isinstance(target, ast.Name) for target in node.targets):
            for target in node.targets:
                named.setdefault(target.id, []).append(node)  # type: ignore[attr-defined]
    reached: set[ast.AST] = set()
    todo = list(named.get(entry, []))
    while todo:
        node = todo.pop()
        if node in reached:
            continue
        reached.add(node)
        for name in _mentioned(node):
            todo.extend(named.get(name, []))
    return reached


def _mentioned(node: ast.AST) -> set[str]:
    """Names in a function or an assignment; of a class its bases and what makes its objects, not its methods."""
    if isinstance(node, ast.ClassDef):
        heads = [*node.bases, *(k.value for k in node.keywords), *node.decorator_list]
        return {"__init__", "__new__", "__post_init__"}.union(*map(_mentioned, heads))
    parts = list(ast.walk(node))
    return {n.id for n in parts if isinstance(n, ast.Name)} | {n.attr for n in parts if isinstance(n, ast.Attribute)}


def hits_of(document: Any, points: Points) -> set[int]:
    """The points that a reply of `cover_task` says were hit; none where it is malformed."""
    text = document.get("hits") if isinstance(document, dict) else None
    if not isinstance(text, str) or len(text) != len(points) or not set(text) <= {"0", "1"}:
        return set()
    return {k for k, mark in enumerate(text) if mark == "1"}


def operands_of(document: Any) -> list[tuple[Operand, Operand]]:
    """The pairs of operands in a reply of `cover_task`; those that are malformed are left out."""
    pairs = document.get("pairs") if isinstance(document, dict) else None
    found = []
    for pair in pairs[:MAX_PAIRS] if isinstance(pairs, list) else ():
        if isinstance(pair, list) and len(pair) == 2:
            left, right = map(_operand, pair)
            if left is not None and type(left) is type(right):
                found.append((left, right))
    return found


def _operand(sent: Any) -> Operand | None:
    if type(sent) in (int, float):
        return sent if -_MOST < sent < _MOST else None
    if type(sent) is not str or len(sent) > MAX_OPERAND + 1 or sent[:1] not in ("s", "b"):
        return None
    try:
        return sent[1:] if sent[0] == "s" else sent[1:].encode("latin-1")
    except UnicodeEncodeError:
        return None


class _Compared:
    """Notes the two sides of comparisons; what a hook gets, it gives back."""

    def __init__(self) -> None:
        self._left: dict[int, Any] = {}
        self._pairs: dict[tuple[Any, Any], None] = {}

    def clear(self) -> None:
        self._left.clear()
        self._pairs.clear()

    def left(self, site: int, value: Any) -> Any:
        self._left[site] = self._sent(value)  # never the object: it must be free to die
        return value

    def right(self, site: int, value: Any) -> Any:
        if len(self._pairs) < MAX_PAIRS:
            left = self._left.get(site)
            for right in self._members(value) if left is not None else ():
                if right is not None and type(left) is type(right) and left != right:
                    self._pairs[left, right] = None
        return value

    def _members(self, value: Any) -> list[Any]:
        """A few operands of a value: itself, or what a container holds, of a set those that come first in order."""
        if type(value) not in _CONTAINERS:
            return [self._sent(value)]
        if type(value) in (set, frozenset):
            sent = [part for part in map(self._sent, value) if part is not None]
            return sorted(sent, key=lambda part: (type(part).__name__, part))[:_MEMBERS]
        return list(map(self._sent, itertools.islice(value, _MEMBERS)))

    @staticmethod
    def _sent(value: Any) -> Any:
        """An operand as JSON data, None for what is none; texts are told from bytes by their first letter."""
        kind = type(value)
        if kind is int:
            return value if -_MOST < value < _MOST else None
        if kind is float:
            return value if -_MOST < value < _MOST else None
        if kind is str or kind is bytes:
            if len(value) > MAX_OPERAND:
                return None
            return "s" + value if kind is str else "b" + value.decode("latin-1")
        return None

    def pairs(self) -> list[list[Any]]:
        return [list(pair) for pair in self._pairs]


def cover_task(payload: dict[str, Any]) -> Callable[[Any, dict[str, Any]], Any]:
    """The task of `semcoder.sandbox.child:run_task`, whose documents have more.

    `hits`: a text of a 0 or 1 per point; `pairs`: operands, for `operands_of`.
    """
    marks, compared = bytearray(), _Compared()
    hooks = {_MARKS: marks, _LEFT: compared.left, _RIGHT: compared.right}

    def clear() -> None:  # what the module's own statements hit does not count
        marks[:] = bytes(len(marks))
        compared.clear()

    def compiler(tree: ast.Module, filename: str) -> types.CodeType:
        marker = _Marker()
        marker.module(tree)
        marks.extend(bytes(len(marker.lines)))
        return compile(tree, filename, "exec", dont_inherit=True)

    try:
        caller = Caller(str(payload["source"]), compiler, hooks)
    except UsageError as error:
        refused = {"status": "invalid", "detail": str(error), "touched": [], "hits": "", "pairs": []}
        return lambda item, limits: refused

    def call(item: tuple[str, str, str], limits: dict[str, Any]) -> dict[str, Any]:
        touched()
        outcome = caller.call(item, stdout_limit=limits["stdout"], on_ready=clear)
        hits = marks.translate(_DIGITS).decode("ascii")
        return {**outcome, "touched": touched(), "hits": hits, "pairs": compared.pairs()}

    return call


_DIGITS = bytes(48 + (k > 0) for k in range(256))
#: See `semcoder.sandbox.child.REHEARSALS`.
REHEARSALS = [("cover_task", {"source": SAMPLE}, ("expr", "f([1, 2, 3])", ""))]


class _Marker:
    """Numbers the points of a tree and puts the marks and the hooks in."""

    def __init__(self) -> None:
        self.lines: list[int] = []
        self.is_branch: list[bool] = []
        self.functions: list[int] = []
        self.bodies: list[ast.AST] = []  # the functions by number
        self._inner: list[int] = []
        self._comparisons = 0

    def module(self, tree: ast.Module) -> None:
        for statement in tree.body:
            self._functions_in(statement)

    def _functions_in(self, node: ast.AST) -> None:
        """Mark the bodies of the functions at and below a statement that is itself not marked."""
        if isinstance(node, _FUNCTIONS):
            self._inner.append(len(self.bodies))
            self.bodies.append(node)
            node.body = self._body(node.body)
            self._inner.pop()
            return
        for child in ast.iter_child_nodes(node):
            if isinstance(child, (ast.stmt, ast.ExceptHandler, ast.match_case)):
                self._functions_in(child)

    def _body(self, body: Sequence[ast.stmt]) -> list[ast.stmt]:
        out: list[ast.stmt] = []
        for statement in body:
            if not is_silent(statement):
                out.append(self._mark(statement, branch=False))
            self._compare(statement)
            self._inside(statement)
            out.append(statement)
        # A docstring stays first: marks come between it and what follows.
        return out

    def _mark(self, at: ast.AST, *, branch: bool) -> ast.stmt:
        line = int(getattr(at, "lineno", 0))
        number = len(self.lines)
        self.lines.append(line)
        self.is_branch.append(branch)
        self.functions.append(self._inner[-1])
        name = ast.Name(_MARKS, ast.Load())
        mark = ast.Assign([ast.Subscript(name, ast.Constant(number), ast.Store())], ast.Constant(1))
        for node in (mark, mark.targets[0], name, mark.targets[0].slice, mark.value):  # type: ignore[attr-defined]
            ast.copy_location(node, at)
        return mark

    def _compare(self, statement: ast.stmt) -> None:
        """Put the hooks of operands into a statement's own expressions."""
        todo: list[ast.AST] = [statement]
        while todo:
            node = todo.pop()
            todo.extend(child for child in ast.iter_child_nodes(node) if not isinstance(child, _OTHER))
            if isinstance(node, ast.Compare) and len(node.ops) == 1 and not isinstance(node.ops[0], _IDENTITY):
                site, self._comparisons = self._comparisons, self._comparisons + 1
                node.left = _hooked(_LEFT, site, node.left)
                node.comparators = [_hooked(_RIGHT, site, node.comparators[0])]

    def _inside(self, statement: ast.stmt) -> None:
        if isinstance(statement, (ast.If, ast.While, ast.For, ast.AsyncFor)):
            self._two_ways(statement)
        elif isinstance(statement, ast.Match):
            for case in statement.cases:
                case.body = [self._mark(case.body[0], branch=True), *self._body(case.body)]
        elif isinstance(statement, (*_FUNCTIONS, ast.ClassDef)):
            self._functions_in(statement)
        else:
            for block in _blocks(statement):
                block[:] = self._body(block)

    def _two_ways(self, statement: ast.If | ast.While | ast.For | ast.AsyncFor) -> None:
        if isinstance(getattr(statement, "test", None), ast.Constant):  # `while True`: no branch
            statement.body, statement.orelse = self._body(statement.body), self._body(statement.orelse)
            return
        inside = self._mark(statement, branch=True)
        past = self._mark(statement, branch=True)
        statement.body = [inside, *self._body(statement.body)]
        statement.orelse = [past, *self._body(statement.orelse)]


def _hooked(name: str, site: int, value: ast.expr) -> ast.expr:
    call = ast.Call(ast.Name(name, ast.Load()), [ast.Constant(site), value], [])
    for node in (call, call.func, call.args[0]):
        ast.copy_location(node, value)
    return call


def _blocks(statement: ast.stmt) -> Iterator[list[ast.stmt]]:
    """The lists of statements of a `with` or a `try`."""
    for name in ("body", "orelse", "finalbody"):
        block = getattr(statement, name, None)
        if isinstance(block, list) and block:
            yield block
    for handler in getattr(statement, "handlers", []):
        yield handler.body

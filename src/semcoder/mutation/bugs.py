"""Bugs for correct programs: one small wrong change each, of the kinds that people make.

Guarantees: the same source, lines and seed give the same bugs in the same order in every process; the text of a bug
differs from the source in the changed tokens alone (or in whole lines that were taken out or put in), parses, and has
another tree; only statements inside functions change, never their defaults, decorators, annotations or docstrings.
It does not promise that a bug shows: one that behaves as the original does is told from others by running both.
"""

from __future__ import annotations

import ast
import random
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

#: The kinds of bugs.
KINDS = (
    "operator",
    "lost update",
    "boundary",
    "comparison",
    "connective",
    "missing condition",
    "negated condition",
    "off by one",
    "constant",
    "wrong variable",
    "swapped arguments",
    "wrong method",
    "missing call",
    "missing branch",
    "missing statement",
    "loop control",
    "early return",
)


@dataclass(frozen=True, slots=True)
class Bug:
    """One wrong change. `line`: in `source`, the first line of the changed statement; where one was taken out, of the
    statement that now stands in its place, else of the one before it, else of the block's header.

    `before`, `after`: the statement (a compound one's header) as it should be and as it is; "" where there is none.
    """

    kind: str
    line: int
    before: str
    after: str
    source: str


def bugs(source: str, *, n: int, seed: int, lines: Collection[int] | None = None) -> list[Bug]:
    """Up to `n` bugs, of as many kinds and in as many places as there are. `lines`: statements that may change.

    Raises `SyntaxError` where the source is not Python.
    """
    places = _Places(source)
    rng = random.Random(f"{seed} {source}")
    by_kind: dict[str, list[_Edit]] = {}
    for edit in places.edits():
        if lines is None or edit.node.lineno in lines:
            by_kind.setdefault(edit.kind, []).append(edit)
    queues = [rng.sample(edits, len(edits)) for _, edits in sorted(by_kind.items())]
    rng.shuffle(queues)
    found: dict[str, Bug] = {}
    original = ast.dump(places.tree)
    while queues and len(found) < n:
        for queue in queues:
            bug = places.bug(queue.pop(), original)
            if bug is not None and len(found) < n:
                found.setdefault(bug.source, bug)
        queues = [queue for queue in queues if queue]
    return list(found.values())


def head_of(source: str, node: ast.AST) -> str:
    """A statement as one line of text: all of a simple one, of a compound one what stands before its block."""
    if isinstance(node, (ast.If, ast.While)):
        return f"{'if' if isinstance(node, ast.If) else 'while'} {_text(source, node.test)}:"
    if isinstance(node, (ast.For, ast.AsyncFor)):
        word = "for" if isinstance(node, ast.For) else "async for"
        return f"{word} {_text(source, node.target)} in {_text(source, node.iter)}:"
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        return f"def {node.name}({ast.unparse(node.args)}):"
    if isinstance(node, (ast.With, ast.AsyncWith, ast.ClassDef, ast.Match, ast.Try, ast.TryStar, ast.ExceptHandler)):
        return ast.unparse(node).split("\n")[0] if not isinstance(node, (ast.Try, ast.TryStar)) else "try:"
    return _text(source, node)


def _text(source: str, node: ast.AST) -> str:
    written = ast.get_source_segment(source, node)
    if written is None or "\n" in written or "\r" in written or "\f" in written:
        return ast.unparse(node).replace("\n", " ")
    return written


# Edits ---------------------------------------------------------------------------------------------------------------

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_SCOPES = (*_FUNCTIONS, ast.ClassDef, ast.Lambda)
_ARITHMETIC: dict[type[ast.operator], tuple[str, Sequence[str]]] = {
    ast.Add: ("+", "-"),
    ast.Sub: ("-", "+"),
    ast.Mult: ("*", ("+", "//")),
    ast.Div: ("/", ("*", "//")),
    ast.FloorDiv: ("//", ("*", "%", "/")),
    ast.Mod: ("%", ("//",)),
    ast.Pow: ("**", "*"),
    ast.BitAnd: ("&", "|"),
    ast.BitOr: ("|", "&"),
    ast.BitXor: ("^", "|&"),
    ast.LShift: ("<<", (">>",)),
    ast.RShift: (">>", ("<<",)),
}
_COMPARISONS: dict[type[ast.cmpop], tuple[str, str, str]] = {
    ast.Lt: (r"<", "<=", ">"),
    ast.LtE: (r"<=", "<", ">="),
    ast.Gt: (r">", ">=", "<"),
    ast.GtE: (r">=", ">", "<="),
    ast.Eq: (r"==", "", "!="),
    ast.NotEq: (r"!=", "", "=="),
    ast.In: (r"in", "", "not in"),
    ast.NotIn: (r"not\s+in", "", "in"),
    ast.Is: (r"is", "", "is not"),
    ast.IsNot: (r"is\s+not", "", "is"),
}
#: Methods and functions that are taken for one another.
_ALIKE = (
    ("append", "extend"),
    ("strip", "lstrip", "rstrip"),
    ("startswith", "endswith"),
    ("find", "rfind"),
    ("index", "rindex"),
    ("split", "rsplit"),
    ("partition", "rpartition"),
    ("ljust", "rjust"),
    ("lower", "upper"),
    ("capitalize", "title"),
    ("removeprefix", "removesuffix"),
    ("isdigit", "isalpha", "isalnum"),
    ("islower", "isupper"),
    ("keys", "values", "items"),
    ("add", "discard"),
    ("union", "intersection", "difference"),
    ("issubset", "issuperset"),
    ("min", "max"),
    ("any", "all"),
    ("floor", "ceil"),
    ("appendleft", "append"),
    ("popleft", "pop"),
    ("match", "search"),
)
_UNWRAPPED = frozenset({"abs", "bool", "dict", "int", "len", "list", "reversed", "set", "sorted", "str", "tuple"})
_SIMPLE = (ast.Expr, ast.AugAssign, ast.Raise, ast.Continue, ast.Break, ast.Assign, ast.Delete)
_ATOMS = (ast.Name, ast.Constant, ast.Call, ast.Attribute, ast.Subscript, ast.List, ast.Dict, ast.Set)
_LONGEST_TEXT = 12


@dataclass(frozen=True, slots=True)
class _Edit:
    """Bytes `start` to `end` become `text`. `node`: the statement that is changed or taken out; `stands`: where the
    statement of the result begins that the bug is said to be at, as a byte offset of the result."""

    kind: str
    node: ast.stmt
    start: int
    end: int
    text: str
    stands: int
    removed: bool = False
    inserted: bool = False


class _Places:
    """A program's text with the places of its nodes."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.tree = ast.parse(source)
        self.data = source.encode()
        self._rows = self.data.splitlines(keepends=True)

    @cached_property
    def _offsets(self) -> list[int]:
        offsets = [0]
        for row in self._rows:
            offsets.append(offsets[-1] + len(row))
        return offsets

    def start(self, node: ast.expr | ast.stmt) -> int:
        return self._offsets[node.lineno - 1] + node.col_offset

    def end(self, node: ast.expr | ast.stmt) -> int:
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        return self._offsets[node.end_lineno - 1] + node.end_col_offset

    def text(self, node: ast.expr | ast.stmt) -> str:
        return self.data[self.start(node) : self.end(node)].decode()

    # -- finding

    def edits(self) -> Iterator[_Edit]:
        """All edits, in the order of the tree."""
        for function in ast.walk(self.tree):
            if isinstance(function, _FUNCTIONS):
                scope = _Scope(function)
                for block, parent in _blocks(function):
                    for k, node in enumerate(block):
                        if not (k == 0 and parent is function and _is_docstring(node)):
                            yield from self._of_statement(node, scope)
                            yield from self._of_block(block, k)

    def _of_statement(self, node: ast.stmt, scope: _Scope) -> Iterator[_Edit]:
        """Changes of what a statement says itself, without the statements in it."""

        def made(kind: str, start: int, end: int, text: str) -> _Edit:
            return _Edit(kind, node, start, end, text, self.start(node))

        for kind, start, end, text in _Tokens(self, node, scope).changes():
            yield made(kind, start, end, text)

    def _of_block(self, block: Sequence[ast.stmt], k: int) -> Iterator[_Edit]:
        """Statements taken out or put in."""
        node = block[k]
        plain_if = isinstance(node, ast.If) and not node.orelse and not self._is_elif(node)
        if plain_if or (isinstance(node, _SIMPLE) and not _is_docstring(node)):
            yield from self._removed(block, k, "missing branch" if plain_if else "missing statement")
        if isinstance(node, ast.If) and node.orelse:
            yield from self._without_else(node)
        following = block[k + 1] if k + 1 < len(block) else None
        if isinstance(node, (ast.For, ast.While)) and not node.orelse and isinstance(following, ast.Return):
            yield from self._early(node, following)

    def _removed(self, block: Sequence[ast.stmt], k: int, kind: str) -> Iterator[_Edit]:
        node = block[k]
        if len(block) == 1:
            yield _Edit(kind, node, self.start(node), self.end(node), "pass", self.start(node))
            return
        whole = self._whole_lines(node)
        if whole is None:
            return
        start, end = whole
        if k + 1 < len(block):
            stands = self.start(block[k + 1]) - (end - start)
        else:
            stands = self.start(block[k - 1])
        yield _Edit(kind, node, start, end, "", stands, removed=True)

    def _without_else(self, node: ast.If) -> Iterator[_Edit]:
        """The other branch gone: an `else` whole, or the `elif` that comes next."""
        first, last = node.orelse[0], node.orelse[-1]
        if isinstance(first, ast.If) and self._is_elif(first):
            start, last = self._offsets[first.lineno - 1], first.body[-1]
        else:
            found = self._else_row(node.body[-1], first)
            if found is None:
                return
            start = found
        end = self._offsets[last.end_lineno or last.lineno]
        yield _Edit("missing branch", node, start, end, "", self.start(node), removed=True)

    def _is_elif(self, node: ast.If) -> bool:
        return self.data[self.start(node) :].startswith(b"elif")

    def _else_row(self, before: ast.stmt, first: ast.stmt) -> int | None:
        for row in range(before.end_lineno or before.lineno, first.lineno):
            if re.fullmatch(rb"\s*else\s*:\s*(#.*)?\s*", self._rows[row]):
                return self._offsets[row]
        return None

    def _early(self, loop: ast.For | ast.While, following: ast.Return) -> Iterator[_Edit]:
        """What is returned after a loop, returned at the end of its first iteration."""
        last = loop.body[-1]
        ends, whole = self._whole_lines(last), self._whole_lines(following)
        if ends is None or whole is None or isinstance(last, (ast.Return, ast.Raise, ast.Continue, ast.Break)):
            return
        row = self._rows[last.lineno - 1]
        margin = row[: len(row) - len(row.lstrip())].decode()
        text = f"{margin}{ast.unparse(following)}\n"
        yield _Edit("early return", loop, ends[1], ends[1], text, ends[1] + len(margin.encode()), inserted=True)

    def _whole_lines(self, node: ast.stmt) -> tuple[int, int] | None:
        """The bytes of a statement's lines, where nothing else but a comment stands on them."""
        start, end = self.start(node), self.end(node)
        first = self._offsets[node.lineno - 1]
        after = self._offsets[node.end_lineno or node.lineno]
        alone = not self.data[first:start].strip() and re.fullmatch(rb"[ \t]*(#.*)?\r?\n?", self.data[end:after])
        ended = self.data[first:after].endswith((b"\n", b"\r"))
        return (first, after) if alone and ended else None

    # -- making

    def bug(self, edit: _Edit, original: str) -> Bug | None:
        """The program with an edit; None where that is no other program."""
        data = self.data[: edit.start] + edit.text.encode() + self.data[edit.end :]
        source = data.decode()
        try:
            tree = ast.parse(source)
            if ast.dump(tree) == original:
                return None
            compile(tree, "<bug>", "exec")  # `return` in the wrong place and its kin are found by the compiler
        except (SyntaxError, ValueError):
            return None
        line = len(re.findall(rb"\r\n|\r|\n", data[: edit.stands])) + 1
        now = _statement_at(tree, line)
        before = "" if edit.inserted else self._head(edit)
        after = "" if edit.removed or now is None else head_of(source, now)
        return Bug(edit.kind, line, before, after, source)

    def _head(self, edit: _Edit) -> str:
        """The text of what an edit takes away or changes."""
        node = edit.node
        if edit.removed and isinstance(node, ast.If) and node.orelse:
            return head_of(self.source, node.orelse[0])
        return head_of(self.source, node)


def _statement_at(tree: ast.AST, line: int) -> ast.stmt | None:
    return next((node for node in ast.walk(tree) if isinstance(node, ast.stmt) and node.lineno == line), None)


def _is_docstring(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _blocks(node: ast.AST) -> Iterator[tuple[Sequence[ast.stmt], ast.AST]]:
    """The blocks of a function with what they belong to; those of functions and classes in it left out."""
    for name in ("body", "orelse", "finalbody"):
        block = getattr(node, name, None)
        if isinstance(block, list) and block and isinstance(block[0], ast.stmt):
            yield block, node
            for inner in block:
                if not isinstance(inner, _SCOPES):
                    yield from _blocks(inner)
    for part in [*getattr(node, "handlers", []), *getattr(node, "cases", [])]:
        yield from _blocks(part)


class _Scope:
    """The names that a function's statements may take for one another: its parameters and what it binds, by line."""

    def __init__(self, function: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        arguments = function.args
        named = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
        self._bound = {argument.arg: 0 for argument in named if argument.arg not in ("self", "cls")}
        for node in ast.walk(function):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                self._bound.setdefault(node.id, node.lineno)

    def others(self, node: ast.Name) -> list[str]:
        """Names that are bound before this one is read."""
        if node.id not in self._bound:
            return []
        return [name for name, line in self._bound.items() if name != node.id and line < node.lineno and name != "_"]


Change = tuple[str, int, int, str]


class _Tokens:
    """Changes of tokens in what a statement says itself."""

    def __init__(self, places: _Places, node: ast.stmt, scope: _Scope) -> None:
        self._places = places
        self._node = node
        self._scope = scope

    def changes(self) -> Iterator[Change]:
        node = self._node
        if isinstance(node, ast.AugAssign):
            yield from self._augmented(node)
        if isinstance(node, (ast.Break, ast.Continue)):
            text = "continue" if isinstance(node, ast.Break) else "break"
            yield self._whole("loop control", node, text)
        if isinstance(node, (ast.If, ast.While)):
            yield from self._test(node.test)
        if isinstance(node, ast.For) and isinstance(node.iter, ast.Name):
            yield self._whole("off by one", node.iter, f"{node.iter.id}[1:]")
        for inner in self._expressions():
            method = getattr(self, f"_{type(inner).__name__}", None)
            if method is not None:
                yield from method(inner)

    def _expressions(self) -> Iterator[ast.expr]:
        """The expressions of the statement, without annotations, definitions, and what an f-string holds.

        Places inside an f-string are wrong before Python 3.12.
        """
        if isinstance(self._node, _SCOPES):
            return
        todo: list[ast.AST] = [
            child for child in ast.iter_child_nodes(self._node) if isinstance(child, (ast.expr, ast.withitem))
        ]
        if isinstance(self._node, ast.AnnAssign):
            todo = [self._node.value] if self._node.value is not None else []
        while todo:
            node = todo.pop(0)
            if isinstance(node, ast.JoinedStr):
                continue
            if isinstance(node, ast.expr):
                yield node
            inner: list[ast.AST] = [node.body] if isinstance(node, ast.Lambda) else list(ast.iter_child_nodes(node))
            todo[:0] = [child for child in inner if isinstance(child, (ast.expr, ast.comprehension, ast.keyword))]

    def _whole(self, kind: str, node: ast.expr | ast.stmt, text: str) -> Change:
        return kind, self._places.start(node), self._places.end(node), text

    def _between(self, kind: str, left: ast.expr, right: ast.expr, old: str, new: str) -> Iterator[Change]:
        """The operator between two operands, where nothing but brackets stands beside it."""
        start, end = self._places.end(left), self._places.start(right)
        match = re.fullmatch(rf"[\s)\\]*({old})[\s(\\]*", self._places.data[start:end].decode())
        if match is not None:
            yield kind, start + match.start(1), start + match.end(1), new

    def _augmented(self, node: ast.AugAssign) -> Iterator[Change]:
        old, others = _ARITHMETIC.get(type(node.op), ("", ""))
        for new in others:
            yield from self._between("operator", node.target, node.value, re.escape(old) + "=", new + "=")
        if isinstance(node.target, ast.Name) and old:
            yield from self._between("lost update", node.target, node.value, re.escape(old) + "=", "=")

    def _test(self, test: ast.expr) -> Iterator[Change]:
        if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
            yield self._whole("negated condition", test, self._places.text(test.operand))
        elif not (isinstance(test, ast.Compare) and len(test.ops) == 1) and not isinstance(test, ast.Constant):
            text = self._places.text(test)
            yield self._whole("negated condition", test, f"not {text}" if isinstance(test, _ATOMS) else f"not ({text})")

    # -- by kind of expression

    def _BinOp(self, node: ast.BinOp) -> Iterator[Change]:
        if isinstance(node.op, ast.Mod) and isinstance(node.left, (ast.Constant, ast.JoinedStr)):
            return  # a format
        old, others = _ARITHMETIC.get(type(node.op), ("", ""))
        for new in others:
            yield from self._between("operator", node.left, node.right, re.escape(old), new)

    def _UnaryOp(self, node: ast.UnaryOp) -> Iterator[Change]:
        if isinstance(node.op, ast.USub):
            yield self._whole("operator", node, self._places.text(node.operand))

    def _Compare(self, node: ast.Compare) -> Iterator[Change]:
        left = node.left
        for operator, right in zip(node.ops, node.comparators, strict=True):
            old, boundary, other = _COMPARISONS[type(operator)]
            if boundary:
                yield from self._between("boundary", left, right, old, boundary)
            yield from self._between("comparison", left, right, old, other)
            left = right

    def _BoolOp(self, node: ast.BoolOp) -> Iterator[Change]:
        word, other = ("and", "or") if isinstance(node.op, ast.And) else ("or", "and")
        if len(node.values) == 2:
            yield from self._between("connective", node.values[0], node.values[1], word, other)
        start, end = self._places.start(node), self._places.end(node)
        text = self._places.data[start:end].decode()
        if text.count("(") == text.count(")") and not isinstance(node.values[0], ast.Lambda):
            yield "missing condition", start, self._places.start(node.values[1]), ""
            yield "missing condition", self._places.end(node.values[-2]), end, ""

    def _Constant(self, node: ast.Constant) -> Iterator[Change]:
        text = self._places.text(node)
        if isinstance(node.value, bool):
            yield self._whole("constant", node, str(not node.value))
        elif isinstance(node.value, int) and text.isdigit():
            for new in (node.value + 1, node.value - 1):
                if new >= 0:
                    yield self._whole("off by one", node, str(new))
        elif isinstance(node.value, str) and 0 < len(node.value) <= _LONGEST_TEXT and text[:1] in "'\"":
            yield self._whole("constant", node, '""')

    def _Name(self, node: ast.Name) -> Iterator[Change]:
        if isinstance(node.ctx, ast.Load):
            for name in self._scope.others(node):
                yield self._whole("wrong variable", node, name)

    def _Subscript(self, node: ast.Subscript) -> Iterator[Change]:
        if isinstance(node.slice, ast.Slice):
            for bound in (node.slice.lower, node.slice.upper):
                if bound is not None and not isinstance(bound, (ast.Constant, ast.UnaryOp)):
                    yield from self._nudged(bound)
            if node.slice.lower is None and node.slice.step is None:
                start = self._places.start(node.slice)
                yield "off by one", start, start, "1"
        elif isinstance(node.slice, (ast.Name, ast.BinOp)) and isinstance(node.ctx, ast.Load):
            yield from self._nudged(node.slice)

    def _nudged(self, node: ast.expr) -> Iterator[Change]:
        end = self._places.end(node)
        if isinstance(node, (*_ATOMS, ast.BinOp)):
            yield "off by one", end, end, " + 1"
            yield "off by one", end, end, " - 1"

    def _IfExp(self, node: ast.IfExp) -> Iterator[Change]:
        yield from self._test(node.test)

    def _Call(self, node: ast.Call) -> Iterator[Change]:
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        if isinstance(node.func, ast.Attribute):
            name = node.func.attr
        yield from self._alike(node, name)
        for first, second in zip(node.args, node.args[1:], strict=False):
            if not isinstance(first, ast.Starred) and not isinstance(second, ast.Starred):
                between = self._places.data[self._places.end(first) : self._places.start(second)].decode()
                text = f"{self._places.text(second)}{between}{self._places.text(first)}"
                yield "swapped arguments", self._places.start(first), self._places.end(second), text
        if name == "range" and not node.keywords and node.args and not isinstance(node.args[-1], ast.Starred):
            yield from self._nudged(node.args[-1] if len(node.args) < 3 else node.args[1])
            if len(node.args) == 1:
                start = self._places.start(node.args[0])
                yield "off by one", start, start, "1, "
        if name == "len" and isinstance(node.func, ast.Name):
            end = self._places.end(node)
            yield "off by one", end, end, " - 1"
        yield from self._unwrapped(node, name)

    def _alike(self, node: ast.Call, name: str) -> Iterator[Change]:
        end = self._places.end(node.func)
        for group in _ALIKE:
            if name in group:
                for other in group:
                    if other != name:
                        yield "wrong method", end - len(name), end, other

    def _unwrapped(self, node: ast.Call, name: str) -> Iterator[Change]:
        """The call gone and what it was of left."""
        if node.keywords or (isinstance(self._node, ast.Expr) and self._node.value is node):
            return
        if isinstance(node.func, ast.Attribute) and not node.args and isinstance(node.func.value, _ATOMS):
            yield self._whole("missing call", node, self._places.text(node.func.value))
        if isinstance(node.func, ast.Name) and name in _UNWRAPPED and len(node.args) == 1:
            argument = node.args[0]
            if isinstance(argument, _ATOMS):
                yield self._whole("missing call", node, self._places.text(argument))

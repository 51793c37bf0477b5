"""Instrumentation: a module's tree is rewritten so that running it reports its execution to a `Recorder`.

Each node of the tree has a number, its *site*: the position in `ast.walk` order of the tree as parsed, so that whoever
has the source can find the node again. The rewritten code calls hooks (names in `HOOKS`) with sites:

    S(site)             before a statement          L(site)        before each test of a while loop
    E(site, value)      value of an expression      T(site, value) truth of a condition
    I(site, names)      a for loop's next item      D(site)        a for loop ran out of items
    IT(site, iterable)  items of a comprehension    C(site, names) an except clause caught something
    K(site)             a case matched              F()            end of a loop or with body (changes are read here)
    N(site)             a function begins           R, Q(site, v)  it returns (Q: with clean-up still to run)
    X(site)             an exception leaves it      Z()            it has really ended (where Q is used)
    Y, V(site, value)   a yield gives up control, and has it again; W for `yield from` and `await`
    B, BO(site, value)  an operand of a condition made of `and`, `or`, `if else`, and the whole of it

*Calm* statements are those that, where all that a function's variables hold is plain data, run no code of the program
and change nothing but the names that they bind and the items that they store. They get hooks that need not look at all
variables, with codes of events (see `semcoder.tracing.columns`) for sites:

    SQ, EQ, IQ          as S (or L), E, I               ET(code, value)     E and T of one node
    EA(code, value, name)   E of what a name is about to be bound to
    AQ(code, value, name)   what a name is about to be bound to, or has been
    H(code, target, index)  gives the index; an item is about to be stored there

Guarantees: the program computes what it computed before: order of evaluation, number of evaluations, scoping and
tracebacks' exceptions stay; it binds no local names. Covered: the statements and expressions of Python 3.11 to 3.13.
It does not trace module-level statements (unless asked), class bodies (a class statement is one step), decorators,
default values and annotations. Line numbers of tracebacks stay. See docs/design/tracing.md for the limits.

Runs inside the sandbox: standard library only.
"""

from __future__ import annotations

import ast
import contextlib
import sys
import types
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from semcoder.tracing.columns import code

#: With the kind of event that each records, if any: its code is made here, once.
_CALM_HOOKS = {"SQ": "s", "EQ": "e", "EA": "e", "AQ": "e", "ET": "e", "IQ": "i", "H": "e"}
HOOKS = (
    *sorted(_CALM_HOOKS),
    "S",
    "L",
    "E",
    "T",
    "I",
    "D",
    "IT",
    "C",
    "K",
    "F",
    "N",
    "R",
    "Q",
    "X",
    "Z",
    "Y",
    "W",
    "V",
    "B",
    "BO",
)

#: Builtins that, called with plain data, run no code of the program, change nothing and print nothing.
PURE_BUILTINS = frozenset(
    {
        "abs",
        "all",
        "any",
        "bin",
        "bool",
        "chr",
        "dict",
        "divmod",
        "enumerate",
        "float",
        "frozenset",
        "hex",
        "int",
        "isinstance",
        "len",
        "list",
        "max",
        "min",
        "oct",
        "ord",
        "pow",
        "range",
        "repr",
        "reversed",
        "round",
        "set",
        "sorted",
        "str",
        "sum",
        "tuple",
        "type",
        "zip",
    }
)
#: Methods that do the same, whatever kind of plain data has them.
_PURE_METHODS = frozenset(
    {
        "bit_length",
        "capitalize",
        "casefold",
        "center",
        "count",
        "endswith",
        "find",
        "format",
        "get",
        "index",
        "isalnum",
        "isalpha",
        "isascii",
        "isdecimal",
        "isdigit",
        "islower",
        "isspace",
        "istitle",
        "isupper",
        "items",
        "join",
        "keys",
        "ljust",
        "lower",
        "lstrip",
        "partition",
        "removeprefix",
        "removesuffix",
        "replace",
        "rfind",
        "rindex",
        "rjust",
        "rpartition",
        "rsplit",
        "rstrip",
        "split",
        "splitlines",
        "startswith",
        "strip",
        "swapcase",
        "title",
        "upper",
        "values",
        "zfill",
    }
)
#: Methods of a list that change nothing but its end.
_END_METHODS = frozenset({"append", "pop"})

#: Statements that compile to nothing, or whose position (a docstring, a future import) must not change.
_SILENT = (ast.Global, ast.Nonlocal)
_VALUES = (
    ast.BinOp,
    ast.UnaryOp,
    ast.BoolOp,
    ast.Compare,
    ast.Call,
    ast.IfExp,
    ast.Subscript,
    ast.Attribute,
    ast.ListComp,
    ast.SetComp,
    ast.DictComp,
    ast.JoinedStr,
    ast.List,
    ast.Tuple,
    ast.Set,
    ast.Dict,
)
_QUIET = frozenset(
    {
        ast.BinOp,
        ast.UnaryOp,
        ast.BoolOp,
        ast.Compare,
        ast.IfExp,
        ast.Subscript,
        ast.Slice,
        ast.Tuple,
        ast.List,
        ast.JoinedStr,
        ast.FormattedValue,
    }
)
#: Operators, contexts.
_QUIET_PARTS = frozenset(
    {
        *ast.operator.__subclasses__(),
        *ast.unaryop.__subclasses__(),
        *ast.cmpop.__subclasses__(),
        *ast.boolop.__subclasses__(),
        ast.Load,
    }
)
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)

_DEPTH = 10_000
_Node = TypeVar("_Node", bound=ast.AST)


@dataclass(frozen=True, slots=True)
class Instrumented:
    """The rewritten module's code; per function site the global names that its body mentions; per site of a `for` its
    line and column, and those of its body."""

    code: types.CodeType
    globals_of: dict[int, tuple[str, ...]]
    heads_of: dict[int, tuple[tuple[int, int], tuple[int, int]]]


def hook_name(hook: str) -> str:
    """The name under which the code calls a hook; dunder at both ends, so that class bodies do not mangle it."""
    return f"__sc_{hook}__"


def sites(tree: ast.Module) -> dict[int, ast.AST]:
    """Site number to node, for a tree as parsed (before instrumentation)."""
    return dict(enumerate(_walk(tree)))


def _walk(tree: ast.AST) -> list[ast.AST]:
    """The nodes in the order of `ast.walk`, several times as fast."""
    found = [tree]
    for node in found:  # which grows as it is read
        found.extend(_children(node))
    return found


def _children(node: ast.AST) -> list[ast.AST]:
    held, found = node.__dict__, []
    for name in node._fields:
        value = held.get(name)
        if type(value) is list:
            found += [item for item in value if isinstance(item, ast.AST)]
        elif isinstance(value, ast.AST):
            found.append(value)
    return found


def instrument(tree: ast.Module, filename: str, *, base: int = 0, module_steps: bool = False) -> Instrumented:
    """Code of `tree` with hooks; `tree` itself is rewritten. Sites are numbered from `base`.

    Raises SyntaxError as `compile` does.
    """
    nodes = _walk(tree)
    rewriter = _Rewriter({id(node): base + k for k, node in enumerate(nodes)}, _free_builtins(nodes))
    with _deeper():
        return _instrument(tree, filename, rewriter, module_steps)


@contextlib.contextmanager
def _deeper() -> Iterator[None]:
    """Room for the rewriter, and for the compiler, which sees every level of an expression twice."""
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(max(limit, _DEPTH))
    try:
        yield
    finally:
        sys.setrecursionlimit(limit)


def _instrument(tree: ast.Module, filename: str, rewriter: _Rewriter, module_steps: bool) -> Instrumented:
    if module_steps:
        site = rewriter.site(tree)
        body = rewriter.block(tree.body)
        at = _docstring_end(tree.body)
        first = tree.body[0] if tree.body else ast.Pass(lineno=1, col_offset=0, end_lineno=1, end_col_offset=0)
        tree.body = [*body[:at], rewriter.call_statement("N", first, site), *body[at:]]
    else:
        tree.body = [rewriter.plain(statement) for statement in tree.body]
    return Instrumented(compile(tree, filename, "exec", dont_inherit=True), rewriter.globals_of, rewriter.heads_of)


def _placed(node: _Node, old: ast.AST) -> _Node:
    """`ast.copy_location` for nodes as parsed, which have all of one, or none (a module)."""
    if hasattr(old, "lineno"):
        node.lineno, node.col_offset = old.lineno, old.col_offset  # type: ignore[attr-defined]
        node.end_lineno, node.end_col_offset = old.end_lineno, old.end_col_offset  # type: ignore[attr-defined]
    return node


def _docstring_end(body: list[ast.stmt]) -> int:
    """How many leading statements must stay in front: a docstring and future imports."""
    at = 0
    for statement in body:
        is_text = at == 0 and is_constant_statement(statement)
        if not is_text and not (isinstance(statement, ast.ImportFrom) and statement.module == "__future__"):
            break
        at += 1
    return at


def is_constant_statement(statement: ast.stmt) -> bool:
    """Whether this is a constant alone (a docstring, `...`), which the compiler leaves out."""
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def is_silent(statement: ast.stmt) -> bool:
    """Whether a statement is never executed as a step: declarations, bare annotations, constants alone."""
    bare = isinstance(statement, ast.AnnAssign) and statement.value is None and isinstance(statement.target, ast.Name)
    return bare or isinstance(statement, _SILENT) or is_constant_statement(statement)


class _Rewriter(ast.NodeTransformer):
    """Rewrites in place; `visit_X` for expressions, `block` for lists of statements."""

    def __init__(self, numbers: dict[int, int], builtins: frozenset[str]) -> None:
        self._numbers = numbers
        self._cleanup = [False]  # per enclosing function: does a return still run a finally or an __exit__?
        self._scopes = [_Scope(frozenset(), frozenset(), None)]
        self._builtins = builtins
        self._calm = False  # is what is being rewritten part of a calm statement?
        self.globals_of: dict[int, tuple[str, ...]] = {}
        self.heads_of: dict[int, tuple[tuple[int, int], tuple[int, int]]] = {}

    def site(self, node: ast.AST) -> int:
        return self._numbers[id(node)]

    # -- what is calm

    def _is_calm(self, node: ast.expr | None) -> bool:
        """Whether evaluating this on plain data runs no code of the program and changes nothing."""
        if self._scopes[-1].builtins is None:
            return False
        return node is None or self._quiet(node)

    def _quiet(self, node: ast.AST) -> bool:
        kind = type(node)
        if kind is ast.Name:
            return node.id not in self._scopes[-1].foreign  # type: ignore[attr-defined]
        if kind is ast.Constant:
            return True
        if kind is ast.Call:
            return self._quiet_call(cast(ast.Call, node))
        if kind in _QUIET:
            return all(map(self._quiet, _children(node)))
        return kind in _QUIET_PARTS

    def _quiet_call(self, node: ast.Call) -> bool:
        func, scope = node.func, self._scopes[-1]
        if node.keywords or not all(map(self._quiet, node.args)):
            return False
        if isinstance(func, ast.Name):
            return func.id in (scope.builtins or ()) and func.id not in scope.local
        return isinstance(func, ast.Attribute) and func.attr in _PURE_METHODS and self._is_plain(func.value)

    def _is_plain(self, node: ast.expr) -> bool:
        """Whether this can be nothing but data: no module, whatever its functions are called."""
        if isinstance(node, ast.Name):
            return node.id in self._scopes[-1].local and node.id not in self._scopes[-1].foreign
        return not isinstance(node, ast.Attribute) and self._quiet(node)

    def _own(self, node: ast.AST) -> bool:
        return (
            isinstance(node, ast.Name) and node.id in self._scopes[-1].local and node.id not in self._scopes[-1].foreign
        )

    def _storable(self, target: ast.expr) -> bool:
        """Whether storing into this target changes an item of a local's value and no more."""
        return (
            isinstance(target, ast.Subscript)
            and self._own(target.value)
            and not isinstance(target.slice, ast.Slice)
            and self._is_calm(target.slice)
        )

    def _is_calm_statement(self, node: ast.stmt) -> bool:
        """Whether a statement, or its header, is calm."""
        if self._scopes[-1].builtins is None:
            return False
        if isinstance(node, (ast.If, ast.While)):
            return self._quiet(node.test)
        if isinstance(node, ast.AugAssign):
            return self._quiet(node.value) and (self._own(node.target) or self._storable(node.target))
        if isinstance(node, ast.Assign):
            if len(node.targets) != 1 or not self._quiet(node.value):
                return False
            target = node.targets[0]
            if isinstance(target, ast.Tuple):
                return isinstance(node.value, ast.Tuple) and all(map(self._storable, target.elts))
            return self._own(target) or self._storable(target)
        if isinstance(node, ast.Return):
            return self._is_calm(node.value)
        if isinstance(node, ast.Expr):
            return self._ends_list(node.value)
        return isinstance(node, (ast.Pass, ast.Break, ast.Continue))

    def _ends_list(self, node: ast.expr) -> bool:
        """Whether this is a call like `xs.append(x)`, with `xs` a local."""
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and not node.keywords):
            return False
        few = len(node.args) == (1 if node.func.attr == "append" else 0)
        own = self._own(node.func.value) and node.func.attr in _END_METHODS
        return own and few and all(map(self._quiet, node.args))

    # -- building calls of hooks

    def call(self, hook: str, at: ast.AST, site: int, *values: ast.expr) -> ast.Call:
        if hook in _CALM_HOOKS:
            site = code(_CALM_HOOKS[hook], site)
        name = ast.Name(hook_name(hook), ast.Load())
        call = ast.Call(name, [ast.Constant(site), *values], [])
        for node in (call, name, call.args[0]):
            _placed(node, at)
        return call

    def call_statement(self, hook: str, at: ast.AST, site: int, *values: ast.expr) -> ast.Expr:
        return _placed(ast.Expr(self.call(hook, at, site, *values)), at)

    # -- statements

    def block(self, body: list[ast.stmt], *, flush: bool = False) -> list[ast.stmt]:
        """The statements with their hooks; with `flush`, changes are read at the end too."""
        out: list[ast.stmt] = []
        for statement in body:
            out.extend(self.statement(statement))
        if flush and not isinstance(body[-1], (ast.Return, ast.Raise, ast.Break, ast.Continue)):
            out.append(self.call_statement("F", body[-1], 0))
        return out

    def statement(self, statement: ast.stmt) -> list[ast.stmt]:
        if is_silent(statement) or (isinstance(statement, ast.ImportFrom) and statement.module == "__future__"):
            return [statement]
        site = self.site(statement)
        if isinstance(statement, ast.Return) and statement.value is None:
            # A bare return stays bare: an asynchronous generator may return nothing else.
            none = _placed(ast.Constant(None), statement)
            told = self.call_statement("Q" if self._cleanup[-1] else "R", statement, site, none)
            return [self.call_statement("S", statement, site), told, statement]
        calm = self._calm = self._is_calm_statement(statement)
        rewritten = self._calm_binding(statement) if calm else [self.plain(statement)]
        self._calm = False
        if isinstance(statement, (ast.With, ast.AsyncWith)) and any(
            isinstance(n, ast.Continue) for n in _walk(statement)
        ):
            # What __exit__ does on the way of a `continue` belongs to this statement, not to the next iteration.
            flush = self.call_statement("F", statement, 0)
            rewritten = [_placed(ast.Try(rewritten, [], [], [flush]), statement)]
        if isinstance(statement, ast.While):
            return rewritten  # its L hook runs before each test, the first one too
        return [self.call_statement("SQ" if calm else "S", statement, site), *rewritten]

    def _calm_binding(self, node: ast.stmt) -> list[ast.stmt]:
        """A calm statement rewritten, with hooks that tell what it binds or stores."""
        if isinstance(node, ast.Expr):
            call = cast(ast.Call, node.value)
            call.args = [self.visit(argument) for argument in call.args]
            owner = cast(ast.Attribute, call.func)
            # On a list the end is all that changes; where it is not a list, H says that anything may.
            hint = self.call("H", node, 0, owner.value, _placed(ast.Constant(0), node))
            node.value = self.call("EQ", call, self.site(call), call)
            return [_placed(ast.Expr(hint), node), node]
        if not isinstance(node, (ast.Assign, ast.AugAssign)):
            return [self.plain(node)]
        target = node.targets[0] if isinstance(node, ast.Assign) else node.target
        self._store_hooks(target)
        if not isinstance(target, ast.Name):
            node.value = self.visit(node.value)
            return [node]
        name = _placed(ast.Constant(target.id), node)
        if isinstance(node, ast.AugAssign):
            node.value = self.visit(node.value)
            now = _placed(ast.Name(target.id, ast.Load()), node)
            return [node, self.call_statement("AQ", node, 0, now, name)]
        value = node.value
        if isinstance(value, _VALUES):
            told = self._value(value)
            hook = "EA" if told is not value else "AQ"
            node.value = self.call(hook, value, self.site(value), value, name)
        else:
            node.value = self.call("AQ", value, 0, self.visit(value), name)
        return [node]

    def _store_hooks(self, target: ast.expr) -> None:
        for part in target.elts if isinstance(target, ast.Tuple) else [target]:
            if isinstance(part, ast.Subscript):
                owner = _placed(ast.Name(cast(ast.Name, part.value).id, ast.Load()), part)
                part.slice = self.call("H", part, 0, owner, self.visit(part.slice))

    def plain(self, statement: ast.stmt) -> ast.stmt:
        """The statement rewritten, without the hook in front."""
        method = getattr(self, "stmt_" + type(statement).__name__, None)
        if method is not None:
            method(statement)
            return statement
        rewritten = self.generic_visit(statement)
        assert isinstance(rewritten, ast.stmt)
        return rewritten

    def stmt_If(self, node: ast.If) -> None:
        node.test = self._condition(node.test)
        node.body = self.block(node.body)
        node.orelse = self.block(node.orelse)

    def stmt_While(self, node: ast.While) -> None:
        site, test = self.site(node), node.test
        condition = self._condition(test)
        first = self.call("SQ" if self._calm else "L", test, site)  # L gives None, so that `or` goes on to the test
        node.test = _placed(ast.BoolOp(ast.Or(), [first, condition]), test)
        node.body = self.block(node.body)
        node.orelse = self.block(node.orelse)

    def stmt_For(self, node: ast.For | ast.AsyncFor) -> None:
        site, names = self.site(node), bound_names(node.target)
        first_inside = node.body[0]
        self.heads_of[site] = (node.lineno, node.col_offset), (first_inside.lineno, first_inside.col_offset)
        steady = isinstance(node, ast.For) and self._is_range(node.iter)
        self.visit(node.target)
        node.iter = self.visit(node.iter)
        target = node.target
        if steady and isinstance(target, ast.Name) and self._own(target):
            now = _placed(ast.Name(target.id, ast.Load()), target)
            first = self.call_statement("IQ", target, site, _placed(ast.Constant(target.id), target), now)
        else:
            first = self.call_statement("I", target, site, _constant(names, target))
        node.body = [first, *self.block(node.body, flush=True)]
        node.orelse = [self.call_statement("D", node.target, site), *self.block(node.orelse)]

    stmt_AsyncFor = stmt_For

    def _is_range(self, node: ast.expr) -> bool:
        """Whether a loop goes over a `range`, or data: drawing the next item changes nothing."""
        if not self._is_calm(node):
            return False
        return not isinstance(node, ast.Call) or isinstance(node.func, ast.Name)

    def stmt_With(self, node: ast.With | ast.AsyncWith) -> None:
        for item in node.items:
            self.visit(item)
        node.body = self.block(node.body, flush=True)

    stmt_AsyncWith = stmt_With

    def stmt_Try(self, node: ast.Try) -> None:
        node.body = self.block(node.body)
        self._calm = False
        for handler in node.handlers:
            names = (handler.name,) if handler.name else ()
            if handler.type is not None:
                handler.type = self.visit(handler.type)
            at = handler.body[0]
            first = self.call_statement("C", handler, self.site(handler), _constant(names, handler))
            _placed(first, at)
            handler.body = [first, *self.block(handler.body)]
        node.orelse = self.block(node.orelse)
        if node.finalbody:  # a `continue` may leave the loop's body through here
            node.finalbody = self.block(node.finalbody, flush=True)

    stmt_TryStar = stmt_Try

    def stmt_Match(self, node: ast.Match) -> None:
        node.subject = self.visit(node.subject)
        for case in node.cases:
            self._calm = False
            if case.guard is not None:
                case.guard = self._condition(case.guard)
            first = self.call_statement("K", case.body[0], self.site(case))
            case.body = [first, *self.block(case.body)]

    def stmt_Assert(self, node: ast.Assert) -> None:
        node.test = self._condition(node.test)
        if node.msg is not None:
            node.msg = self.visit(node.msg)

    def stmt_Return(self, node: ast.Return) -> None:
        assert node.value is not None  # bare ones are dealt with where their block is
        node.value = self.call("Q" if self._cleanup[-1] else "R", node, self.site(node), self.visit(node.value))

    def stmt_AnnAssign(self, node: ast.AnnAssign) -> None:
        self.visit(node.target)
        if node.value is not None:
            node.value = self.visit(node.value)

    def stmt_TypeAlias(self, node: ast.stmt) -> None:
        """`type X = ...` is evaluated lazily, in a scope of its own: left alone."""

    def stmt_ClassDef(self, node: ast.ClassDef) -> None:
        node.body = [
            self.plain(inner) if isinstance(inner, (*_FUNCTIONS, ast.ClassDef)) else inner for inner in node.body
        ]

    def stmt_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        site = self.site(node)
        own = _own_nodes(node)
        self.globals_of[site] = _global_names(node, own)
        cleanup = _returns_with_cleanup(own)
        self._cleanup.append(cleanup)
        self._scopes.append(_scope(node, own, self._builtins))
        at = 1 if is_constant_statement(node.body[0]) and len(node.body) > 1 else 0
        last = node.body[-1]
        body = self.block(node.body[at:])
        if not isinstance(last, (ast.Return, ast.Raise)):
            none = _placed(ast.Constant(None), last)
            body.append(self.call_statement("Q" if cleanup else "R", last, site, none))
        self._cleanup.pop()
        self._scopes.pop()
        handler = ast.ExceptHandler(
            ast.Name("__sc_Error__", ast.Load()), None, [self.call_statement("X", last, site), ast.Raise()]
        )
        final: list[ast.stmt] = [self.call_statement("Z", last, site)] if cleanup else []
        guarded = ast.Try(body, [handler], [], final)
        for part in _walk(handler):
            if isinstance(part, (ast.expr, ast.stmt, ast.ExceptHandler)) and not hasattr(part, "lineno"):
                _placed(part, last)
        _placed(guarded, last)
        first = self.call_statement("N", node.body[at], site)
        node.body = [*node.body[:at], first, guarded]

    stmt_AsyncFunctionDef = stmt_FunctionDef

    # -- expressions

    def visit(self, node: ast.AST) -> Any:  # an expression for an expression
        if isinstance(node, _VALUES):
            return self._value(node)
        return super().visit(node)

    def _value(self, node: ast.expr) -> ast.expr:
        site = self.site(node)
        method = getattr(self, "expr_" + type(node).__name__, self._parts)
        wrap = method(node)
        return node if wrap is False else self.call("EQ" if self._calm else "E", node, site, node)

    def _parts(self, node: ast.expr) -> bool:
        """Rewrite the parts; False where the whole says nothing that the parts and the source do not say."""
        if isinstance(getattr(node, "ctx", None), (ast.Store, ast.Del)):
            self.generic_visit(node)
            return False
        fixed = _is_fixed(node) or (isinstance(node, ast.Tuple) and any(isinstance(e, ast.Slice) for e in node.elts))
        self.generic_visit(node)
        return not fixed

    def expr_Call(self, node: ast.Call) -> bool:
        func = node.func
        if isinstance(func, ast.Attribute):
            func.value = self.visit(func.value)
        elif not isinstance(func, ast.Name):
            node.func = self.visit(func)
        node.args = [self.visit(arg) for arg in node.args]
        for keyword in node.keywords:
            keyword.value = self.visit(keyword.value)
        return not (isinstance(func, ast.Name) and func.id == "super" and not node.args)

    def expr_BoolOp(self, node: ast.BoolOp) -> bool:
        # An inner `and` or `or` is not wrapped unless it comes last: the compiler asks each truth once for both.
        for value in node.values[:-1]:
            if isinstance(value, ast.BoolOp):
                self.expr_BoolOp(value)
        last = len(node.values) - 1
        node.values = [
            value if isinstance(value, ast.BoolOp) and k < last else self.visit(value)
            for k, value in enumerate(node.values)
        ]
        return True

    def expr_IfExp(self, node: ast.IfExp) -> bool:
        node.test = self._condition(node.test)
        node.body = self.visit(node.body)
        node.orelse = self.visit(node.orelse)
        return True

    def expr_JoinedStr(self, node: ast.JoinedStr) -> bool:
        self._joined(node)
        return True

    def _joined(self, node: ast.JoinedStr) -> None:
        for part in node.values:
            if isinstance(part, ast.FormattedValue):
                part.value = self.visit(part.value)
                if isinstance(part.format_spec, ast.JoinedStr):
                    self._joined(part.format_spec)  # only a JoinedStr may stand there

    def expr_Attribute(self, node: ast.Attribute) -> bool:
        node.value = self.visit(node.value)
        return isinstance(node.ctx, ast.Load)

    def _comprehension(self, node: ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp) -> bool:
        for generator in node.generators:
            site = self.site(generator)
            iterable = self.visit(generator.iter)
            generator.iter = iterable if generator.is_async else self.call("IT", generator.iter, site, iterable)
            generator.ifs = [self._condition(test) for test in generator.ifs]
        if isinstance(node, ast.DictComp):
            node.key, node.value = self.visit(node.key), self.visit(node.value)
        else:
            node.elt = self.visit(node.elt)
        return True

    expr_ListComp = expr_SetComp = expr_DictComp = _comprehension

    def visit_GeneratorExp(self, node: ast.GeneratorExp) -> ast.expr:
        self._comprehension(node)
        return node

    def visit_Lambda(self, node: ast.Lambda) -> ast.expr:
        node.body = self.visit(node.body)
        return node

    def visit_Yield(self, node: ast.Yield) -> ast.expr:
        site = self.site(node)
        value = self.visit(node.value) if node.value is not None else _placed(ast.Constant(None), node)
        node.value = self.call("Y", node, site, value)
        return self.call("V", node, site, node)

    def visit_YieldFrom(self, node: ast.YieldFrom | ast.Await) -> ast.expr:
        site = self.site(node)
        node.value = self.call("W", node, site, self.visit(node.value))
        return self.call("V", node, site, node)

    visit_Await = visit_YieldFrom

    def _condition(self, test: ast.expr) -> ast.expr:
        """A condition; constant ones (`while True`) stay bare, since the compiler leaves them out too."""
        if isinstance(test, ast.Constant):
            return test
        told = self._truth(test, "E")
        if self._calm and isinstance(told, ast.Call) and told.func.id == hook_name("EQ"):  # type: ignore[attr-defined]
            return self.call("ET", test, self.site(test), told.args[1])
        return self.call("T", test, self.site(test), told)

    def _truth(self, node: ast.expr, hook: str = "B") -> ast.expr:
        """An expression of which only the truth is asked, each operand's once: the compiler makes jumps of it."""
        site = self.site(node)
        if isinstance(node, ast.BoolOp):
            node.values = [self._truth(value) for value in node.values]
        elif isinstance(node, ast.IfExp):
            node.test = self._condition(node.test)
            node.body, node.orelse = self._truth(node.body), self._truth(node.orelse)
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            node.operand = self._truth(node.operand, "E")
            told = self.call("EQ" if self._calm else "E", node, site, node)
            return told if hook == "E" else self.call("B", node, site, told)
        else:
            value = self.visit(node)
            assert isinstance(value, ast.expr)
            return value if hook == "E" else self.call("B", node, site, value)
        return self.call("BO", node, site, node)


def _constant(names: tuple[str, ...], at: ast.AST) -> ast.expr:
    return _placed(ast.Constant(cast(Any, names)), at)


def bound_names(target: ast.AST) -> tuple[str, ...]:
    """Names that an assignment target binds, in order."""
    return tuple(n.id for n in _walk(target) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store))


def _is_fixed(node: ast.expr) -> bool:
    """Whether an expression is made of constants alone (`-1`, `(1, 2)`), so that its value is its text."""
    kinds = (ast.Constant, ast.Tuple, ast.List, ast.Dict, ast.Set, ast.UnaryOp, ast.USub, ast.UAdd, ast.Load)
    return all(isinstance(part, kinds) for part in _walk(node))


def _own_nodes(function: ast.AST) -> list[ast.AST]:
    """Nodes of a function's body without those of functions and classes inside it."""
    found: list[ast.AST] = []
    todo: list[ast.AST] = list(getattr(function, "body", []))
    while todo:
        node = todo.pop()
        found.append(node)
        if not isinstance(node, (*_FUNCTIONS, ast.ClassDef, ast.Lambda)):
            todo.extend(_children(node))
    return found


def _returns_with_cleanup(own: list[ast.AST]) -> bool:
    """Whether some return sits inside a `with`, or a `try` with `finally`: code of the function runs after it."""
    return any(
        isinstance(inner, ast.Return)
        for node in own
        if isinstance(node, (ast.With, ast.AsyncWith)) or getattr(node, "finalbody", None)
        for inner in _walk(node)
    )


@dataclass(frozen=True, slots=True)
class _Scope:
    """Names of a function: its own, those it declares another scope's, and the builtins to be trusted.

    `builtins` is None where nothing is calm: at module level, in generators and coroutines.
    """

    local: frozenset[str]
    foreign: frozenset[str]
    builtins: frozenset[str] | None


def _scope(function: ast.FunctionDef | ast.AsyncFunctionDef, own: list[ast.AST], builtins: frozenset[str]) -> _Scope:
    local = {arg.arg for arg in _walk(function.args) if isinstance(arg, ast.arg)}
    foreign: set[str] = {"__class__", "__name__", "__doc__", "__builtins__"}
    calm = not isinstance(function, ast.AsyncFunctionDef)
    for node in own:
        if isinstance(node, ast.Name):
            if isinstance(node.ctx, ast.Store):
                local.add(node.id)
        elif isinstance(node, (ast.Global, ast.Nonlocal)):
            foreign.update(node.names)
        elif isinstance(node, (ast.Yield, ast.YieldFrom, ast.Await)):
            calm = False
    return _Scope(frozenset(local), frozenset(foreign), builtins if calm else None)


def _free_builtins(nodes: list[ast.AST]) -> frozenset[str]:
    """The pure builtins whose names the module gives to nothing else."""
    bound: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.Name):
            if not isinstance(node.ctx, ast.Load):
                bound.add(node.id)
        elif isinstance(node, ast.arg):
            bound.add(node.arg)
        elif isinstance(node, (*_FUNCTIONS, ast.ClassDef)):
            bound.add(node.name)
        elif isinstance(node, ast.alias):
            bound.add((node.asname or node.name).partition(".")[0])
            if node.name == "*":
                return frozenset()
        elif isinstance(node, (ast.ExceptHandler, ast.MatchAs, ast.MatchStar)) and node.name:
            bound.add(node.name)
        elif isinstance(node, ast.MatchMapping) and node.rest:
            bound.add(node.rest)
    return PURE_BUILTINS - bound


def _global_names(function: ast.FunctionDef | ast.AsyncFunctionDef, own: list[ast.AST]) -> tuple[str, ...]:
    """Names that the body mentions and does not bind: some of them are the module's."""
    names: dict[str, None] = {}
    local = {arg.arg for arg in _walk(function.args) if isinstance(arg, ast.arg)}
    declared: set[str] = set()
    for node in own:
        if isinstance(node, ast.Global):
            declared.update(node.names)
        elif isinstance(node, ast.Name):
            if isinstance(node.ctx, ast.Load):
                names.setdefault(node.id)
            else:
                local.add(node.id)
    return tuple(name for name in {**names, **dict.fromkeys(sorted(declared))} if name in declared or name not in local)

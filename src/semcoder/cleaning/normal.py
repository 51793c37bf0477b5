"""Normal forms: of code, of descriptions, of input and output pairs.

Guarantees: `code_tokens` and `units` are the same for two sources that differ in the names of their own variables,
parameters, functions and classes, in layout, comments, docstrings, annotations, decorators, import aliases, or in that
functions are methods of a class that call each other through `self`.
It does not look through other rewriting: `x += 1` and `x = x + 1` differ.
"""

from __future__ import annotations

import ast
import hashlib
import io
import re
import textwrap
import tokenize
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

_Function = (ast.FunctionDef, ast.AsyncFunctionDef)
_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)
_SKIPPED = (ast.Import, ast.ImportFrom, ast.Global, ast.Nonlocal)
#: Fields that say nothing about what a program computes.
_NO_MEANING = frozenset({"ctx", "type_comment", "kind", "decorator_list", "returns", "annotation", "type_params"})
_OWN = "·"
_WORD = re.compile(r"[^\W_]+")
_SENTENCE = re.compile(r"[.!?:;]+(?=\s|$)|\n\s*\n")
#: A call's arguments must be at least so long for a shared pair to mean anything: `[1, 2, 3]` is not, by one.
PAIR_LENGTH = 10


@dataclass(frozen=True, slots=True)
class Unit:
    """One function (or, where there is none, a whole script): its name, a digest of its normal form, its tokens."""

    name: str
    digest: str
    size: int


def parse(source: str) -> ast.Module | None:
    """The tree of a text that may be indented or have foreign line ends; None where it is not Python."""
    text = source.replace("\r\n", "\n").replace("\r", "\n")
    for candidate in (text, textwrap.dedent(text), text.expandtabs(8), text.rstrip() + "\n    pass\n"):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of the programs' authors, not of ours
                return ast.parse(candidate)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            continue
    return None


def code_tokens(tree: ast.AST, *, numbered: bool = False) -> list[str]:
    """The tree's normal form as a list of tokens in which all names of its own are one and the same.

    `numbered`: they are told apart by the order in which they come.
    """
    return _Flatten(_Names(tree), numbered=numbered).tokens(tree)


def function_tokens(tree: ast.AST, name: str, *, numbered: bool = False) -> list[str]:
    """`code_tokens` of the function of that name at the top of a module; of the whole module where there is none."""
    for node in getattr(tree, "body", []):
        if isinstance(node, _Function) and node.name == name:
            return _Flatten(_Names(tree), numbered=numbered).tokens(node)
    return code_tokens(tree, numbered=numbered)


def units(tree: ast.Module) -> list[Unit]:
    """All functions of a module, methods and nested ones among them; the module itself where it has none."""
    named = [node for node in ast.walk(tree) if isinstance(node, _Function) or _is_named_lambda(node)]
    names = _Names(tree)
    return [_unit(names, node, _name(node)) for node in named] or [_unit(names, tree, "")]


def _unit(names: _Names, node: ast.AST, name: str) -> Unit:
    tokens = _Flatten(names, numbered=True).tokens(node)
    return Unit(name, hashlib.sha256("\0".join(tokens).encode("utf-8", "replace")).hexdigest()[:16], len(tokens))


def _name(node: ast.AST) -> str:
    if isinstance(node, ast.Assign):
        return node.targets[0].id if isinstance(node.targets[0], ast.Name) else ""
    return str(getattr(node, "name", ""))


def _is_named_lambda(node: ast.AST) -> bool:
    return isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.value, ast.Lambda)


class _Names:
    """What names mean in one module: the modules that it imports, its functions, methods and other names."""

    def __init__(self, tree: ast.AST) -> None:
        nodes = list(ast.walk(tree))
        self.aliases = dict(_aliases(nodes))
        self.methods = _methods(nodes)
        self.functions = {_name(node) for node in nodes if isinstance(node, _Function)}
        self.top = frozenset(_bound(tree, deep=False))


class _Flatten:
    """Turns nodes of one module into tokens. `numbered`: own names are told apart by the order they come in."""

    def __init__(self, names: _Names, *, numbered: bool) -> None:
        self._names = names
        self._numbered = numbered
        self._numbers: dict[str, int] = {}
        self._scopes: list[frozenset[str]] = [names.top]
        self._receivers: list[tuple[str, frozenset[str]]] = []
        self._out: list[str] = []
        self._emit = self._out.append

    def tokens(self, node: ast.AST) -> list[str]:
        """Of one node of the module, or of all of it. Once per object."""
        self._node(node)
        return self._out

    def _node(self, node: ast.AST) -> None:
        if isinstance(node, _SKIPPED):
            return
        if isinstance(node, ast.Name):
            self._emit(self._spelled(node.id))
        elif isinstance(node, ast.arg):
            self._emit(self._spelled(node.arg))
        elif isinstance(node, ast.Constant):
            self._emit(f"{type(node.value).__name__} {node.value!r}")
        elif isinstance(node, ast.Attribute):
            self._attribute(node)
        elif isinstance(node, ast.Call):
            self._call(node)
        elif isinstance(node, _Function) or _is_named_lambda(node):
            self._function(node)
        elif isinstance(node, ast.AnnAssign):
            self._annotated(node)
        elif isinstance(node, _SCOPES):
            self._scoped(node)
        else:
            self._plain(node)

    def _spelled(self, name: str) -> str:
        if not any(name in scope for scope in self._scopes):
            return self._names.aliases.get(name, name)
        return self._own(name)

    def _own(self, name: str) -> str:
        return f"{_OWN}{self._numbers.setdefault(name, len(self._numbers))}" if self._numbered else _OWN

    def _attribute(self, node: ast.Attribute) -> None:
        owner = node.value.id if isinstance(node.value, ast.Name) else None
        if any(owner == receiver and node.attr in methods for receiver, methods in self._receivers):
            self._emit(self._own(node.attr))
            return
        self._emit(f".{node.attr}")
        self._node(node.value)

    def _call(self, node: ast.Call) -> None:
        """Keywords are names of the callee's: of our own where that is one of our functions."""
        called = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
        self._emit(f"Call {len(node.args)} {len(node.keywords)}")
        self._node(node.func)
        for part in node.args:
            self._node(part)
        for keyword in node.keywords:
            own = called in self._names.functions and keyword.arg is not None
            self._emit(self._own(str(keyword.arg)) if own else f"arg {keyword.arg}")
            self._node(keyword.value)

    def _function(self, node: ast.AST) -> None:
        """A function, or a lambda with a name, which is one: `def`, its name, parameters, statements."""
        methods = self._names.methods.get(id(node))
        receiver = _receiver(node) if methods is not None else None
        inner = node.value if isinstance(node, ast.Assign) else node
        arguments: ast.arguments = inner.args  # type: ignore[attr-defined]
        self._emit("async def" if isinstance(node, ast.AsyncFunctionDef) else "def")
        self._emit(self._own(_name(node)))
        self._scopes.append(frozenset(_bound(inner)))
        if receiver is not None:
            self._receivers.append((receiver, methods or frozenset()))
        self._arguments(arguments, receiver)
        if isinstance(inner, ast.Lambda):
            self._emit("Return")
            self._node(inner.body)
            self._emit("end")
        else:
            self._body(inner.body)  # type: ignore[attr-defined]
        if receiver is not None:
            self._receivers.pop()
        self._scopes.pop()

    def _arguments(self, arguments: ast.arguments, receiver: str | None) -> None:
        positional = [*arguments.posonlyargs, *arguments.args]
        if receiver is not None:
            positional = positional[1:]
        star = [arg for arg in (arguments.vararg, arguments.kwarg) if arg is not None]
        self._emit(f"arguments {len(positional)} {len(star)} {len(arguments.kwonlyargs)} {len(arguments.defaults)}")
        for arg in (*positional, *star, *arguments.kwonlyargs):
            self._node(arg)
        for default in (*arguments.defaults, *arguments.kw_defaults):
            if default is not None:
                self._node(default)

    def _annotated(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self._emit("Assign 1")
            self._node(node.target)
            self._node(node.value)

    def _scoped(self, node: ast.AST) -> None:
        if isinstance(node, ast.ClassDef):
            self._emit("class")
            self._emit(self._spelled(node.name))
            for base in node.bases:
                self._node(base)
            self._body(node.body)
            return
        self._scopes.append(frozenset(_bound(node)))
        self._plain(node)
        self._scopes.pop()

    def _plain(self, node: ast.AST) -> None:
        if isinstance(node, ast.arguments):
            self._arguments(node, None)
            return
        parts = [(name, value) for name, value in ast.iter_fields(node) if name not in _NO_MEANING]
        sizes = "".join(f" {len(v)}" for name, v in parts if isinstance(v, list) and not _is_block(name, v))
        if not isinstance(node, ast.Module):
            self._emit(type(node).__name__ + sizes)
        for name, value in parts:
            if _is_block(name, value):
                self._body(value)
            else:
                self._part(name, value)

    def _part(self, name: str, value: Any) -> None:
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, ast.AST):
                self._node(item)
            elif isinstance(item, str):
                self._emit(self._spelled(item) if name in ("name", "rest") else f"{name} {item}")
            elif item is not None and name not in ("simple", "level", "is_async"):
                self._emit(f"{name} {item}")

    def _body(self, statements: list[ast.stmt]) -> None:
        for statement in statements:
            text = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
            if not text:
                self._node(statement)
        self._emit("end")


def _is_block(name: str, value: Any) -> bool:
    named = name in ("body", "orelse", "finalbody") and isinstance(value, list) and bool(value)
    return named and isinstance(value[0], ast.stmt)


def _receiver(node: ast.AST) -> str | None:
    """The name of a method's first parameter, None for one that has none."""
    arguments: ast.arguments = (node.value if isinstance(node, ast.Assign) else node).args  # type: ignore[attr-defined]
    static = any(isinstance(d, ast.Name) and d.id == "staticmethod" for d in getattr(node, "decorator_list", []))
    first = [*arguments.posonlyargs, *arguments.args][:1]
    return first[0].arg if first and not static else None


def _methods(nodes: Iterable[ast.AST]) -> dict[int, frozenset[str]]:
    """Of each method (by the id of its node): the names of all methods of its class."""
    found: dict[int, frozenset[str]] = {}
    for node in nodes:
        if isinstance(node, ast.ClassDef):
            members = [part for part in node.body if isinstance(part, _Function)]
            names = frozenset(part.name for part in members)
            found.update((id(part), names) for part in members)
    return found


def _aliases(nodes: Iterable[ast.AST]) -> Iterator[tuple[str, str]]:
    for node in nodes:
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            yield from ((alias.asname or alias.name, alias.name) for alias in node.names)


def _bound(tree: ast.AST, *, deep: bool = True) -> Iterator[str]:
    """Names that a tree binds itself; not `deep`: outside of its functions and classes."""
    todo: list[ast.AST] = [tree]
    while todo:
        node = todo.pop()
        if isinstance(node, ast.Name) and isinstance(node.ctx, (ast.Store, ast.Del)):
            yield node.id
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, (*_Function, ast.ClassDef, ast.ExceptHandler, ast.MatchAs, ast.MatchStar)):
            if node.name:
                yield node.name
        elif isinstance(node, ast.MatchMapping) and node.rest:
            yield node.rest
        if deep or node is tree or not isinstance(node, _SCOPES):
            todo.extend(ast.iter_child_nodes(node))


# -- descriptions


def words(text: str) -> list[str]:
    """Letters and digits in small letters; everything else parts words."""
    return _WORD.findall(text.lower())


def sentences(text: str) -> list[tuple[str, ...]]:
    """The sentences of a description, as words; examples of a session (`>>>` and what follows it) left out."""
    prose = "\n\n".join(_without_sessions(text))
    return [tuple(found) for part in _SENTENCE.split(prose) if (found := words(part))]


def _without_sessions(text: str) -> Iterator[str]:
    for paragraph in re.split(r"\n\s*\n", text.replace("\r\n", "\n")):
        yield paragraph.partition(">>>")[0]


def descriptions(source: str, tree: ast.AST) -> list[str]:
    """The texts that speak to people: docstrings and other bare strings, and comments, those on consecutive lines as
    one."""
    bare = [
        node.value.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
    ]
    return bare + [" ".join(block) for block in _comments(source)]


def _comments(source: str) -> Iterator[list[str]]:
    block: list[str] = []
    last = -1
    for line, text in _comment_lines(source):
        if line != last + 1 and block:
            yield block
            block = []
        block.append(text.lstrip("#! "))
        last = line
    if block:
        yield block


def _comment_lines(source: str) -> Iterable[tuple[int, str]]:
    found = []
    try:
        for token in tokenize.generate_tokens(io.StringIO(source).readline):
            if token.type == tokenize.COMMENT:
                found.append((token.start[0], token.string))
    except (tokenize.TokenError, SyntaxError):
        pass  # what came before the broken place is as good as it gets
    return found


# -- input and output pairs


def pair_digest(call: str, output: str) -> str | None:
    """A digest of a call's arguments and its output, whatever the function's name and the spelling of the literals.

    None where either is no expression, or the arguments are too short to mean anything.
    """
    try:
        node, result = ast.parse(call.strip(), mode="eval").body, ast.parse(output.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    if not isinstance(node, ast.Call):
        return None
    given = [*node.args, *(keyword.value for keyword in node.keywords)]
    arguments = ", ".join(ast.unparse(part) for part in given)
    if len(arguments) < PAIR_LENGTH:
        return None
    return hashlib.sha256(f"{arguments}\0{ast.unparse(result)}".encode("utf-8", "replace")).hexdigest()[:16]

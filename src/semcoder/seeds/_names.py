"""Which names of its module a statement binds, reads and changes.

Guarantees: scopes are resolved as the language does (locals, closures, class bodies, comprehensions, `global`), so that
`reads` holds the names that are looked up in the module or in the builtins when the statement, or code that it
defines, runs. Names that stand only in annotations are kept apart.
It does not see names made by `exec`, `globals()` or star imports.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


@dataclass(frozen=True, slots=True)
class Names:
    """`shadowed` are names that a class body both binds and reads: its own, or the module's (`x = x`).

    `dotted` holds the attribute paths that are used, from their root name on: `('os', 'path', 'join')`."""

    binds: frozenset[str]
    reads: frozenset[str]
    annotations: frozenset[str]
    shadowed: frozenset[str]
    changes: frozenset[str]
    dotted: frozenset[tuple[str, ...]]
    imports: tuple[ast.Import | ast.ImportFrom, ...]


def names_of(statement: ast.stmt) -> Names:
    """The names of one statement of a module's top level."""
    binds = frozenset(bound_names([statement], deleted=False))
    walker = _Walker()
    walker.visit(statement)
    own = _targets(statement)
    return Names(
        binds,
        frozenset(walker.reads - own),
        frozenset(walker.notes - walker.reads - own),
        frozenset(walker.shadowed - walker.reads),
        frozenset(_changed(statement)),
        frozenset(walker.dotted),
        tuple(walker.imports),
    )


def free_names(node: ast.AST) -> frozenset[str]:
    """Names that a part of a scope reads and does not bind in scopes of its own, nested functions included."""
    walker = _Walker()
    walker.visit(node)
    return frozenset(walker.reads)


def _targets(statement: ast.stmt) -> set[str]:
    """Names that a top-level statement's own loops and `with` bind before anything in them reads the names."""
    targets: list[ast.AST] = []
    for node in own_nodes([statement]):
        if isinstance(node, (ast.For, ast.AsyncFor)):
            targets.append(node.target)
        elif isinstance(node, ast.withitem) and node.optional_vars is not None:
            targets.append(node.optional_vars)
        elif isinstance(node, ast.ExceptHandler) and node.name:
            targets.append(ast.Name(node.name, ast.Store()))
    return bound_names(targets)


def own_nodes(body: Iterable[ast.AST]) -> Iterator[ast.AST]:
    """All nodes of one scope: nested functions, classes, lambdas and comprehensions are yielded but not entered."""
    todo = list(body)
    while todo:
        node = todo.pop()
        yield node
        if isinstance(node, (*_FUNCTIONS, ast.ClassDef, ast.Lambda)):
            continue
        if isinstance(node, _COMPREHENSIONS):
            # A walrus inside binds in the scope around.
            yield from (n.target for n in ast.walk(node) if isinstance(n, ast.NamedExpr))
            continue
        todo.extend(ast.iter_child_nodes(node))


def bound_names(body: Iterable[ast.AST], *, deleted: bool = True) -> set[str]:
    """Names that a scope's statements bind (or delete), `global` and `nonlocal` ones taken out."""
    names: set[str] = set()
    elsewhere: set[str] = set()
    for node in own_nodes(body):
        if isinstance(node, ast.Name):
            if isinstance(node.ctx, ast.Store) or (deleted and isinstance(node.ctx, ast.Del)):
                names.add(node.id)
        elif isinstance(node, (*_FUNCTIONS, ast.ClassDef)):
            names.add(node.name)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            names.update(bound_by_alias(alias) for alias in node.names if alias.name != "*")
        elif isinstance(node, (ast.Global, ast.Nonlocal)):
            elsewhere.update(node.names)
        elif isinstance(node, (ast.ExceptHandler, ast.MatchAs, ast.MatchStar)):
            names.update({node.name} if node.name else ())
        elif isinstance(node, ast.MatchMapping):
            names.update({node.rest} if node.rest else ())
        elif type(node).__name__ == "TypeAlias":  # new in Python 3.12
            names.add(node.name.id)  # type: ignore[attr-defined]
    return names - elsewhere


def bound_by_alias(alias: ast.alias) -> str:
    """The name that one part of an import binds."""
    return alias.asname or alias.name.partition(".")[0]


def parameters(args: ast.arguments) -> list[ast.arg]:
    """All parameters in order."""
    star = [args.vararg] if args.vararg else []
    stars = [args.kwarg] if args.kwarg else []
    return [*args.posonlyargs, *args.args, *star, *args.kwonlyargs, *stars]


def root_name(node: ast.AST) -> str | None:
    """`a` for `a.b[0].c`; None if the chain starts with something else than a name."""
    while isinstance(node, (ast.Attribute, ast.Subscript, ast.Starred)):
        node = node.value
    return node.id if isinstance(node, ast.Name) else None


def _changed(statement: ast.stmt) -> set[str]:
    """Names whose objects a statement may change in place: `TABLE[k] = v`, `LIST.append(x)`, `fill(T)`."""
    if isinstance(statement, (*_FUNCTIONS, ast.ClassDef, ast.Import, ast.ImportFrom)):
        return set()
    names: set[str | None] = set()
    for node in own_nodes([statement]):
        if isinstance(node, (ast.Attribute, ast.Subscript)) and not isinstance(node.ctx, ast.Load):
            names.add(root_name(node))
        elif isinstance(node, ast.AugAssign):
            names.add(root_name(node.target))
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            call = node.value
            names.add(root_name(call.func) if isinstance(call.func, ast.Attribute) else None)
            names.update(root_name(arg) for arg in call.args)
    return {name for name in names if name}


@dataclass(slots=True)
class _Scope:
    bound: set[str]
    declared_global: set[str] = field(default_factory=set)
    is_class: bool = False


class _Walker:
    """Collects what resolves to the module. One walker per statement."""

    def __init__(self) -> None:
        self.reads: set[str] = set()
        self.notes: set[str] = set()
        self.shadowed: set[str] = set()
        self.dotted: set[tuple[str, ...]] = set()
        self.imports: list[ast.Import | ast.ImportFrom] = []
        self._scopes: list[_Scope] = []
        self._in_annotation = False

    def visit(self, node: ast.AST) -> None:
        if isinstance(node, ast.Name):
            in_class = bool(self._scopes) and self._scopes[-1].is_class
            if isinstance(node.ctx, ast.Load) or (self._scopes and not in_class):
                self._name(node.id)
        elif isinstance(node, ast.Attribute):
            self._attribute(node)
        elif isinstance(node, (*_FUNCTIONS, ast.Lambda)):
            self._function(node)
        elif isinstance(node, ast.ClassDef):
            self._class(node)
        elif isinstance(node, _COMPREHENSIONS):
            self._comprehension(node)
        elif isinstance(node, ast.AnnAssign):
            self._annotation(node.annotation)
            self._each([node.target, node.value])
        elif isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
            self._name(node.target.id)
            self.visit(node.value)
        else:
            if isinstance(node, (ast.Import, ast.ImportFrom)):
                self.imports.append(node)
            for child in ast.iter_child_nodes(node):
                self.visit(child)

    def _each(self, nodes: Iterable[ast.AST | None]) -> None:
        for node in nodes:
            if node is not None:
                self.visit(node)

    def _name(self, name: str) -> None:
        innermost = True
        for scope in reversed(self._scopes):
            if name in scope.declared_global:
                break
            if name in scope.bound and (innermost or not scope.is_class):
                if scope.is_class:
                    self.shadowed.add(name)
                return
            innermost = False
        (self.notes if self._in_annotation else self.reads).add(name)

    def _attribute(self, node: ast.Attribute) -> None:
        path = [node.attr]
        value: ast.AST = node.value
        while isinstance(value, ast.Attribute):
            path.append(value.attr)
            value = value.value
        self.visit(value)
        if isinstance(value, ast.Name):
            self.dotted.add((value.id, *reversed(path)))

    def _annotation(self, node: ast.AST | None) -> None:
        if node is None:
            return
        saved, self._in_annotation = self._in_annotation, True
        self.visit(node)
        self._in_annotation = saved

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> None:
        args = node.args
        self._each([*args.defaults, *args.kw_defaults])
        body: list[ast.AST] = [node.body] if isinstance(node, ast.Lambda) else list(node.body)
        types = _type_parameters(node)
        if not isinstance(node, ast.Lambda):
            self._each(node.decorator_list)
            self._scopes.append(_Scope(types))
            for arg in parameters(args):
                self._annotation(arg.annotation)
            self._annotation(node.returns)
            self._scopes.pop()
        names = {arg.arg for arg in parameters(args)} | bound_names(body) | types
        global_ = {n for node in own_nodes(body) if isinstance(node, ast.Global) for n in node.names}
        self.reads.update(global_)
        if self._scopes and self._scopes[-1].is_class:
            names.add("__class__")
        self._scopes.append(_Scope(names, global_))
        self._each(body)
        self._scopes.pop()

    def _class(self, node: ast.ClassDef) -> None:
        self._each(node.decorator_list)
        types = _type_parameters(node)
        self._scopes.append(_Scope(types))
        self._each([*node.bases, *(keyword.value for keyword in node.keywords)])
        own = bound_names(node.body) | {"__module__", "__qualname__"}
        self._scopes.append(_Scope(own, is_class=True))
        self._each(node.body)
        self._scopes.pop()
        self._scopes.pop()

    def _comprehension(self, node: ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp) -> None:
        self.visit(node.generators[0].iter)
        names = {n.id for g in node.generators for n in ast.walk(g.target) if isinstance(n, ast.Name)}
        self._scopes.append(_Scope(names))
        for place, generator in enumerate(node.generators):
            if place:
                self.visit(generator.iter)
            self._each(generator.ifs)
        self._each([node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt])
        self._scopes.pop()


def _type_parameters(node: ast.AST) -> set[str]:
    """Type parameters of Python 3.12 (`def f[T](x: T)`); none on 3.11."""
    return {part.name for part in getattr(node, "type_params", ())}

"""From the modules of a project to programs that run alone: each top-level function, cut out with what it needs.

What a function needs is followed transitively: helpers, classes and constants of its module and of the project's other
modules (their text is kept as it stands, comments and docstrings included), statements that fill such constants, and
imports from the standard library, pruned to what is used.

Guarantees: a program parses, defines its entry, and imports nothing but the standard library; every top-level function
of a readable module comes back as exactly one `Program` or one `Drop`, in the order of the files and lines. Asked for
groups, it gives those of the functions and methods that were dropped, and of the module's own statements, after them.
It does not promise that a program runs without error, or that its answer depends on its arguments alone: what plainly
touches files, network, clock, chance or the interpreter is dropped here, the rest shows when it is executed.
"""

from __future__ import annotations

import ast
import builtins
import dataclasses
from collections.abc import Iterator

from semcoder.core import Origin, Program
from semcoder.seeds import Drop
from semcoder.seeds import _purity as purity
from semcoder.seeds._groups import Cut
from semcoder.seeds._groups import groups as statement_groups
from semcoder.seeds._licences import UNKNOWN, allowed
from semcoder.seeds._methods import ClassCut, Unwrappable, methods, unsuitable
from semcoder.seeds._names import Names, bound_by_alias, own_nodes, parameters
from semcoder.seeds._project import Module, Project, Unreadable

#: Bounds in lines of code, without docstrings, blank and comment lines.
MIN_ENTRY, MAX_ENTRY, MAX_PROGRAM = 3, 60, 120
#: Bound of a whole program's text in lines, all counted.
MAX_TEXT = 260
#: Levels of a statement's tree. The interpreter's own limit is another one in each process: libraries raise it.
MAX_DEPTH = 150

_DEFINITIONS = (ast.FunctionDef, ast.ClassDef)
_MODULE_NAMES = frozenset({"__name__", "__doc__", "__debug__", "__builtins__", "__package__", "__annotations__"})
_BUILTINS = frozenset(dir(builtins)) | _MODULE_NAMES


def _too_deep(statement: ast.stmt) -> bool:
    level: list[ast.AST] = [statement]
    for _ in range(MAX_DEPTH):
        level = [child for node in level for child in ast.iter_child_nodes(node)]
        if not level:
            return False
    return True


class _Refused(Exception):
    """This function cannot be cut out: a reason and the culprit."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(reason, detail)
        self.reason = reason
        self.detail = detail


def programs(project: Project, *, groups: bool = False) -> Iterator[Program | Drop]:
    """All top-level functions of a project as programs or drops, with `groups` groups of statements too.

    A licence that is not allowed drops the project as a whole.
    """
    if project.license != UNKNOWN and not allowed(project.license):
        yield Drop(project.origin, "licence", project.license)
        return
    for path in project.paths():
        origin = dataclasses.replace(project.origin, path=path)
        try:
            module = project.module(path)
        except Unreadable as error:
            yield Drop(origin, "unreadable file", str(error))
            continue
        kept = set()
        for found in _module_programs(project, module, origin):
            kept.add(found.origin.line if isinstance(found, Program) else 0)
            yield found
        if groups:
            yield from _module_groups(project, module, origin, kept)


def _module_programs(project: Project, module: Module, origin: Origin) -> Iterator[Program | Drop]:
    last = {s.name: s for s in module.tree.body if isinstance(s, (ast.FunctionDef, ast.AsyncFunctionDef))}
    for statement in module.tree.body:
        # Of several definitions of one name (overloads, say) the last is the one that a call reaches.
        if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef)) and last[statement.name] is statement:
            where = dataclasses.replace(origin, line=statement.lineno)
            try:
                check_entry(statement)
                source = _Cut(project, module, statement.name).text()
            except _Refused as refused:
                yield Drop(where, refused.reason, refused.detail)
            else:
                yield Program(source, statement.name, where, project.license)
    for place, statement in enumerate(module.tree.body):
        if isinstance(statement, ast.ClassDef) and module.bindings[statement.name] == [place]:
            yield from _class_programs(project, module, place, statement, origin)


def _class_programs(
    project: Project, module: Module, place: int, cls: ast.ClassDef, origin: Origin
) -> Iterator[Program | Drop]:
    """The methods of a class, or one drop for all where its objects cannot be made."""
    try:
        _refuse_if(unsuitable(cls), cls.name)
        cut = ClassCut(module, place, cls)
        # What making an object needs, every method needs: looked at once, refused once.
        _Cut(project, cut.bare(), cls.name)
    except _Refused as refused:
        yield Drop(dataclasses.replace(origin, line=cls.lineno), refused.reason, refused.detail)
        return
    for method in methods(cls):
        where = dataclasses.replace(origin, line=method.lineno)
        try:
            function = check_entry(method, parameters_wanted=False)
            virtual, name = cut.wrap(function)
            source = _Cut(project, virtual, name).text()
        except _Refused as refused:
            yield Drop(where, refused.reason, refused.detail)
        except Unwrappable as error:
            yield Drop(where, str(error), f"{cls.name}.{method.name}")
        else:
            yield Program(source, name, where, project.license)


def _module_groups(project: Project, module: Module, origin: Origin, kept: set[int]) -> Iterator[Program | Drop]:
    """Groups of statements of what is no program itself: functions, methods, the module's own statements."""
    taken: set[str] = set()
    classes = [part for part in module.tree.body if isinstance(part, ast.ClassDef)]
    for owner, body in (("", module.tree.body), *((cls.name, cls.body) for cls in classes)):
        for part in body:
            if isinstance(part, (ast.FunctionDef, ast.AsyncFunctionDef)) and part.lineno not in kept:
                cut = _group_cut(project, module, origin)
                yield from statement_groups(module, part, cut, owner=owner, taken=taken)
    yield from statement_groups(module, None, _group_cut(project, module, origin, script=True), taken=taken)


def _group_cut(project: Project, module: Module, origin: Origin, *, script: bool = False) -> Cut:
    """What makes a program of a group's function. A script's variables must be no one's but the group's."""

    def cut(text: str, name: str, own: frozenset[str], line: int) -> Program | Drop:
        where = dataclasses.replace(origin, line=line)
        if not text:
            return Drop(where, name, "a group of statements")
        try:
            needs = _Cut(project, _with_function(module, text, name), name)
            source = needs.text()
        except _Refused as refused:
            return Drop(where, refused.reason, refused.detail)
        shared = sorted(needs.names & own) if script else []
        return (
            Drop(where, "shares a variable with what it calls", shared[0])
            if shared
            else Program(source, name, where, project.license)
        )

    return cut


def _with_function(module: Module, text: str, name: str) -> Module:
    """The module with a function added at its end."""
    added = ast.parse(text).body[0]
    ast.increment_lineno(added, len(module.lines) + 1)  # no line that another statement stands on
    place = len(module.tree.body)
    tree = ast.Module([*module.tree.body, added], [])
    virtual = dataclasses.replace(module, tree=tree, texts={place: text})
    virtual.inherit(module, {name: [place]}, fresh=set())
    return virtual


def check_entry(function: ast.FunctionDef | ast.AsyncFunctionDef, *, parameters_wanted: bool = True) -> ast.FunctionDef:
    """The function itself. Raises `_Refused` where it cannot be an entry, whatever it needs."""
    if isinstance(function, ast.AsyncFunctionDef):
        raise _Refused("asynchronous")
    nodes = list(own_nodes(function.body))
    if any(isinstance(node, (ast.Yield, ast.YieldFrom)) for node in nodes):
        raise _Refused("a generator")
    if parameters_wanted and not parameters(function.args):
        raise _Refused("takes no parameter")
    lines = code_lines(function)
    if not MIN_ENTRY <= lines <= MAX_ENTRY:
        raise _Refused("too short" if lines < MIN_ENTRY else "too long", f"{lines} lines")
    returned = [node.value for node in nodes if isinstance(node, ast.Return) and node.value is not None]
    prints = any(isinstance(node, ast.Name) and node.id == "print" for node in nodes)
    if not returned and not prints:
        raise _Refused("returns nothing")
    constants = [repr(value.value) for value in returned if isinstance(value, ast.Constant)]
    if not prints and len(constants) == len(returned) and len(set(constants)) == 1:
        raise _Refused("returns a constant")
    return function


def code_lines(*statements: ast.stmt) -> int:
    """Lines of statements: docstrings and `else:` not counted, a compound statement's head as one."""
    total = 0
    for statement in statements:
        inner = [
            part
            for name in ("body", "orelse", "finalbody", "handlers", "cases")
            for block in getattr(statement, name, ())
            for part in (block.body if isinstance(block, (ast.ExceptHandler, ast.match_case)) else (block,))
        ]
        if inner:
            total += 1 + code_lines(*inner)
        elif not _is_text(statement):
            total += 1 + (statement.end_lineno or statement.lineno) - statement.lineno
    return total


def _is_text(statement: ast.stmt) -> bool:
    """Whether a statement is a bare string: a docstring, or a comment in its disguise."""
    value = statement.value if isinstance(statement, ast.Expr) else None
    return isinstance(value, ast.Constant) and isinstance(value.value, str)


class _Cut:
    """What one entry needs, gathered from the modules of its project."""

    def __init__(self, project: Project, module: Module, entry: str) -> None:
        self._project = project
        self._entry = entry
        self._owner: dict[str, tuple[str, str]] = {}  # a global name of the program to the module that defines it
        self._places: dict[str, set[int]] = {}  # module path -> its statements that are wanted
        self._modules: dict[str, Module] = {}  # in the order in which they must run
        self._imports: dict[str, tuple[str, str]] = {}  # bound name -> (module, attribute or '')
        self._renamed: dict[str, list[str]] = {}  # module path -> lines `alias = name` that follow its statements
        self._stars: list[str] = []
        self._lazy_annotations = False
        self._size = 0
        try:
            self._need(module, entry)
        except RecursionError:  # of a caller that has little stack left
            raise _Refused("nested too deeply") from None

    @property
    def names(self) -> frozenset[str]:
        """The global names of the program."""
        return frozenset(self._owner)

    def text(self) -> str:
        """The program. Raises `_Refused` if it is too long."""
        head = "\n".join(self._import_lines())
        body: list[tuple[str, bool]] = []
        for path, module in self._modules.items():
            body += [_statement_text(module, place) for place in sorted(self._places.get(path, ()))]
            body += [(line, False) for line in self._renamed.get(path, ())]
        source = _join(head, body)
        if source.count("\n") > MAX_TEXT:
            raise _Refused("too long", "with what it needs")
        try:
            ast.parse(source)
        except (SyntaxError, ValueError, RecursionError) as error:
            raise _Refused("does not parse alone", str(error)) from None
        return source

    def _import_lines(self) -> list[str]:
        lines = []
        if self._lazy_annotations or any("annotations" in module.future for module in self._modules.values()):
            lines.append("from __future__ import annotations\n")
        plain, parts = [], dict[str, list[str]]()
        for name, (target, attribute) in sorted(self._imports.items()):
            if attribute:
                parts.setdefault(target, []).append(attribute if attribute == name else f"{attribute} as {name}")
            else:
                plain.append(f"import {target}" if name == target.partition(".")[0] else f"import {target} as {name}")
        lines += sorted(plain)
        lines += [f"from {target} import {', '.join(names)}" for target, names in sorted(parts.items())]
        return lines + self._stars

    # -- what a name needs ---------------------------------------------------------------------------------------

    def _need(self, module: Module, name: str) -> None:
        """Bring in what binds a global name of a module."""
        owner = (module.path, name)
        if self._owner.get(name, owner) != owner:
            raise _Refused("two modules use one name differently", name)
        if name in self._owner:
            return
        places = _binding_places(module, name)
        if not places:
            self._unbound(module, name)
            return
        self._owner[name] = owner
        for place in places:
            statement = module.tree.body[place]
            if isinstance(statement, (ast.Import, ast.ImportFrom)):
                self._import(module, statement, name)
            else:
                self._statement(module, place)
        for place in module.changes.get(name, ()):
            self._statement(module, place)

    def _unbound(self, module: Module, name: str) -> None:
        _refuse_if(purity.refused_builtin(name), name)
        if name in _BUILTINS:
            return
        for star in module.star_imports:
            target = module.absolute(star)
            sibling = None if purity.is_standard(target) else self._project.find(target)
            if sibling is not None and name in sibling.bindings:
                self._need(sibling, name)
                return
            if purity.is_standard(target) and not purity.refused_import(target):
                self._stars += [] if f"from {target} import *" in self._stars else [f"from {target} import *"]
                return
        raise _Refused("undefined name", name)

    def _statement(self, module: Module, place: int) -> None:
        """Bring in one top-level statement and all that it needs."""
        if _too_deep(module.tree.body[place]):
            raise _Refused("nested too deeply")
        chosen = self._places.setdefault(module.path, set())
        if place in chosen:
            return
        chosen.add(place)
        statement = module.tree.body[place]
        if isinstance(statement, ast.AsyncFunctionDef):
            raise _Refused("asynchronous", "what it calls")
        self._size += code_lines(statement)
        if self._size > MAX_PROGRAM:
            raise _Refused("too long", "with what it needs")
        names = module.names(place)
        self._check_uses(module, names)
        for inner in names.imports:
            self._inner_import(module, inner, names)
        for name in sorted(names.binds):
            self._own(module, name)
        for name in sorted(names.reads | {name for name in names.shadowed if name in module.bindings}):
            self._need(module, name)
        for name in sorted(names.annotations):
            self._annotation(module, name)
        # Last, so that modules stand in the order in which their statements can run.
        self._modules.setdefault(module.path, module)

    def _own(self, module: Module, name: str) -> None:
        """A statement that was brought in for one name binds others too: they must not clash with another module's."""
        if self._owner.get(name, (module.path, name))[0] != module.path:
            raise _Refused("two modules use one name differently", name)
        if name not in self._owner and len(_binding_places(module, name)) == 1:
            self._owner[name] = (module.path, name)
            for place in module.changes.get(name, ()):
                self._statement(module, place)

    def _check_uses(self, module: Module, names: Names) -> None:
        roots = {path[0] for path in names.dotted}
        for path in sorted(names.dotted):
            for attribute in path[1:]:
                _refuse_if(purity.refused_attribute(attribute), ".".join(path))
            target = _imported_module(module, path[0])
            if target and purity.is_standard(target):
                _refuse_if(purity.refused_use(target, path[1:]), ".".join((target, *path[1:])))
        for name in sorted(names.reads - roots):
            target = _imported_module(module, name)
            if target and purity.is_standard(target):
                _refuse_if(purity.refused_use(target, ()), target)

    def _annotation(self, module: Module, name: str) -> None:
        """A name that only annotations use: imports are kept for the reader, anything else is left unevaluated."""
        if name in self._owner or (name in _BUILTINS and name not in module.bindings):
            return
        places = module.bindings.get(name, [])
        statement = module.tree.body[places[0]] if len(places) == 1 else None
        if isinstance(statement, (ast.Import, ast.ImportFrom)):
            target = _target(module, statement, name)
            if purity.is_standard(target[0]) and not purity.refused_use(target[0], tuple(filter(None, target[1:]))):
                self._owner[name] = (module.path, name)
                self._add_import(name, *target)
                return
        if isinstance(statement, (ast.Assign, ast.AnnAssign)) and self._is_alias(module, places[0]):
            self._need(module, name)
            return
        self._lazy_annotations = True

    def _is_alias(self, module: Module, place: int) -> bool:
        """Whether an assignment names a type (`Pos = int`, `Row = List[str]`), with builtins and typing alone."""
        statement = module.tree.body[place]
        if any(isinstance(node, ast.Call) for node in ast.walk(statement)):
            return False
        return all(
            _imported_module(module, name).startswith(("typing.", "collections.abc"))
            or (name not in module.bindings and name in _BUILTINS)
            for name in module.names(place).reads
        )

    # -- imports -------------------------------------------------------------------------------------------------

    def _import(self, module: Module, statement: ast.Import | ast.ImportFrom, name: str) -> None:
        target, attribute = _target(module, statement, name)
        relative = isinstance(statement, ast.ImportFrom) and statement.level > 0
        if target == "__future__" and attribute:
            return
        if purity.is_standard(target) and (self._is_library or not relative):
            _refuse_if(purity.refused_use(target, (attribute,)) if attribute else purity.refused_import(target), target)
            self._add_import(name, target, attribute)
        elif relative or self._project.has(target):
            self._own_import(module, target, attribute, name)
        else:
            raise _Refused("needs a package", target.partition(".")[0])

    @property
    def _is_library(self) -> bool:
        """Whether the project is the standard library: its modules are there to be imported."""
        return self._project.origin.source == "stdlib"

    def _own_import(self, module: Module, target: str, attribute: str, name: str) -> None:
        """A name from the project's own modules: its definition is brought in."""
        sibling = self._project.find(target) if target else None
        if sibling is None or not attribute or attribute not in sibling.bindings:
            raise _Refused("needs a module of its project", f"{target}.{attribute}".strip("."))
        if attribute != name:
            self._renamed.setdefault(sibling.path, []).append(f"{name} = {attribute}")
        del self._owner[name]
        self._need(sibling, attribute)
        if attribute != name:
            if self._owner.get(name):
                raise _Refused("two modules use one name differently", name)
            self._owner[name] = (module.path, name)
        else:
            # Further reads of the name in this module mean the same definition.
            self._owner[name] = self._owner.get(attribute, (sibling.path, attribute))

    def _inner_import(self, module: Module, statement: ast.Import | ast.ImportFrom, names: Names) -> None:
        """An import inside a function or a conditional block stays where it is, so it must work as it stands."""
        for alias in statement.names:
            relative = isinstance(statement, ast.ImportFrom) and statement.level
            target = module.absolute(statement) if isinstance(statement, ast.ImportFrom) else alias.name
            if relative or not purity.is_standard(target):
                if relative or self._project.has(target):
                    raise _Refused("needs a module of its project", target)
                raise _Refused("needs a package", target.partition(".")[0])
            if isinstance(statement, ast.ImportFrom):
                _refuse_if(purity.refused_use(target, (alias.name,)), f"{target}.{alias.name}")
                continue
            _refuse_if(purity.refused_import(target), target)
            bound = bound_by_alias(alias)
            for path in sorted(path for path in names.dotted if path[0] == bound):
                _refuse_if(purity.refused_use(target if alias.asname else bound, path[1:]), ".".join(path))

    def _add_import(self, name: str, target: str, attribute: str) -> None:
        if self._imports.setdefault(name, (target, attribute)) != (target, attribute):
            raise _Refused("two modules use one name differently", name)


def _refuse_if(reason: str, detail: str) -> None:
    if reason:
        raise _Refused(reason, detail)


def _binding_places(module: Module, name: str) -> list[int]:
    """Places of the statements that bind a name, without overload stubs and C doubles of Python definitions."""
    places = module.bindings.get(name, [])
    body = module.tree.body
    if len(places) < 2:
        return places
    kept = [place for place in places if not _is_overload(body[place])]
    defined = [place for place in kept if isinstance(body[place], _DEFINITIONS)]
    if defined:
        kept = [p for p in kept if not isinstance(body[p], ast.Try) and not isinstance(body[p], ast.ImportFrom)]
    return kept


def _is_overload(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.FunctionDef) and any(
        ast.unparse(d).rpartition(".")[2] == "overload" for d in statement.decorator_list
    )


def _target(module: Module, statement: ast.Import | ast.ImportFrom, name: str) -> tuple[str, str]:
    """What an import binds to a name: a dotted module, and the attribute of it or '' for the module itself."""
    alias = next(alias for alias in reversed(statement.names) if bound_by_alias(alias) == name)
    if isinstance(statement, ast.ImportFrom):
        return module.absolute(statement), alias.name
    return alias.name, ""


def _imported_module(module: Module, name: str) -> str:
    """The module or attribute (dotted) that a name is bound to by plain top-level imports; '' for any other name."""
    places = module.bindings.get(name, [])
    statement = module.tree.body[places[-1]] if places else None
    if not isinstance(statement, (ast.Import, ast.ImportFrom)):
        return ""
    target, attribute = _target(module, statement, name)
    if not attribute:
        return target if name != target.partition(".")[0] else name
    return f"{target}.{attribute}"


def _statement_text(module: Module, place: int) -> tuple[str, bool]:
    """A top-level statement's own text with the comment lines right above it, and whether it is a definition."""
    statement = module.tree.body[place]
    if place in module.texts:
        return module.texts[place], True
    decorators = getattr(statement, "decorator_list", [])
    start = min([statement.lineno, *(d.lineno for d in decorators)])
    end = statement.end_lineno or statement.lineno
    definition = isinstance(statement, _DEFINITIONS)
    neighbours = [module.tree.body[k] for k in (place - 1, place + 1) if 0 <= k < len(module.tree.body)]
    if any(n.lineno <= end and (n.end_lineno or n.lineno) >= start for n in neighbours):
        return ast.unparse(statement), definition  # several statements share a line
    while start >= 2 and module.lines[start - 2].startswith("#") and not module.lines[start - 2].startswith("#!"):
        start -= 1
    return "\n".join(module.lines[start - 1 : end]), definition


def _join(head: str, body: list[tuple[str, bool]]) -> str:
    """Imports, then statements: two blank lines around definitions, none between constants."""
    text, gap = head, "\n\n" if head else ""
    for part, definition in body:
        text += ("\n\n\n" if definition and text else gap) + part
        gap = "\n\n\n" if definition else "\n"
    return text + "\n"

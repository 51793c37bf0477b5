"""Groups of statements as functions: a loop or a branch with what leads up to it and what is made of it.

What a group reads before binding it becomes the parameters; what it binds or changes in place and what is needed after
it becomes the returned value, or what it binds last where nothing is.

Guarantees: the function does to values what the statements do where they stand: nothing jumps out of a group or
into it, every parameter is surely bound where the group starts, no variable is shared with a nested function outside
of it, and the statements are the project's own (their text where it can be set off, else the same tree written out).
It does not promise that a parameter takes plain values, nor see variables reached by `exec` or a debugger.
"""

from __future__ import annotations

import ast
import builtins
import textwrap
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from itertools import count

from semcoder.core import Program
from semcoder.seeds import Drop
from semcoder.seeds._flow import bound_after, fleeting, flow, read_first
from semcoder.seeds._methods import snake
from semcoder.seeds._names import bound_names, free_names, own_nodes, parameters, root_name
from semcoder.seeds._project import Module, parse_quietly

#: Bounds: statements of a group, nested ones counted, and its parameters.
MIN_SIZE, MAX_SIZE, MAX_PARAMETERS = 3, 25, 8

Function = ast.FunctionDef | ast.AsyncFunctionDef
#: A function's text, its name, the names that are its own, and the line of the group to a program or a drop.
Cut = Callable[[str, str, frozenset[str], int], Program | Drop]

_COMPOUND = (ast.If, ast.For, ast.While, ast.Try, ast.TryStar, ast.With, ast.Match, ast.AsyncFor, ast.AsyncWith)
_CHOICES = (ast.If, ast.For, ast.While, ast.Match)
_LAZY = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda, ast.GeneratorExp)
_NEVER = (
    *(ast.Return, ast.Yield, ast.YieldFrom, ast.Global, ast.Nonlocal, ast.Import, ast.ImportFrom, ast.AsyncFor),
    *(ast.AsyncWith, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef),
)
#: What means something else in another function or module.
_PLACE = frozenset(
    {"super", "__class__", "vars", "dir", "__name__", "__doc__", "__package__", "__annotations__", "__builtins__"}
)

#: Builtins that change what they are given.
_CHANGING = frozenset({"setattr", "delattr", "next"})


class _Refused(Exception):
    """These statements cannot stand in a function of their own: a reason and the culprit."""


def groups(
    module: Module, function: Function | None, cut: Cut, *, owner: str = "", taken: set[str] | None = None
) -> Iterator[Program | Drop]:
    """The groups of a function's body (of the module's own statements where there is none), each a program or a drop.

    Where a group is refused, others are looked for inside of it; the drop comes where none is found there either.
    `owner`: the class that a method is of; `taken`: names of groups that are not to come again, to which new ones are
    added.
    """
    yield from _Scope(module, function, cut, owner, taken).search(_body(module, function))


def _body(module: Module, function: Function | None) -> list[ast.stmt]:
    return module.tree.body if function is None else function.body


class _Scope:
    """The scope that groups are taken from, and what holds for all of them."""

    def __init__(self, module: Module, function: Function | None, cut: Cut, owner: str, taken: set[str] | None) -> None:
        self._module = module
        self._function = function
        self._cut = cut
        self._owner = owner
        self._taken = set() if taken is None else taken
        self._body = _body(module, function)
        given = [arg.arg for arg in parameters(function.args)] if function is not None else []
        self._given = frozenset(given)
        static = function is not None and "staticmethod" in map(ast.unparse, function.decorator_list)
        self._self = given[0] if owner and given and not static else ""
        nodes = list(own_nodes(self._body))
        self._outside = {name for n in nodes if isinstance(n, (ast.Global, ast.Nonlocal)) for name in n.names}
        self._imports = [n for n in nodes if isinstance(n, (ast.Import, ast.ImportFrom))]
        self._imported = frozenset(bound_names(self._imports))
        self._defined = frozenset(
            n.name for n in nodes if isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))
        )
        self._variables = (self._given | bound_names(self._body)) - self._imported - self._defined
        self._lazy = [(n, free_names(n)) for part in self._body for n in ast.walk(part) if isinstance(n, _LAZY)]

    @cached_property
    def _flow(self) -> tuple[dict[int, frozenset[str]], dict[int, frozenset[str]]]:
        found = flow(self._body, self._given)
        return found.needed, found.bound

    # -- where groups are

    def search(self, block: Sequence[ast.stmt]) -> Iterator[Program | Drop]:
        """The groups of a block and of the blocks in it, in the order of their lines."""
        taken = place = 0
        while place < len(block):
            end, refused = place + 1, None
            if isinstance(block[place], _COMPOUND):
                found, end, refused = self._group_around(block, place, taken)
                if found is not None:
                    yield found
                    taken = end
                else:
                    inner = [part for b in _blocks(block[place]) for part in self.search(b)]
                    yield from inner
                    if refused is not None and not any(isinstance(part, Program) for part in inner):
                        yield refused
            place = end

    def _group_around(
        self, block: Sequence[ast.stmt], place: int, taken: int
    ) -> tuple[Program | None, int, Drop | None]:
        """A group with the compound statement at `place`, the place where it ends, and why there is none."""
        refused = None
        if _admissible(block[place]):
            for start, end in _windows(block, place, taken):
                part = list(block[start:end])
                if MIN_SIZE <= _size(part) <= MAX_SIZE and any(isinstance(n, _CHOICES) for n in own_nodes(part)):
                    found = self._program(part)
                    if isinstance(found, Program):
                        return found, end, None
                    refused = refused or found
        return None, place + 1, refused

    def _program(self, part: list[ast.stmt]) -> Program | Drop | None:
        used = {*self._module.bindings, *self._variables, *self._taken}
        name = next(name for k in count(1) if (name := f"{self._stem}_part{k}") not in used)
        try:
            text, own = self._written(part, name)
        except _Refused as refused:
            return self._cut("", str(refused), frozenset(), part[0].lineno)
        found = self._cut(text, name, own, part[0].lineno)
        if isinstance(found, Program):
            self._taken.add(name)
        return found

    @property
    def _stem(self) -> str:
        if self._function is not None:
            owner = f"{snake(self._owner)}_" if self._owner else ""
            return f"{owner}{self._function.name.strip('_') or 'function'}"
        stem = self._module.name.rpartition(".")[2].strip("_")
        return stem if stem.isidentifier() else "script"

    # -- a group as a function

    def _written(self, part: list[ast.stmt], name: str) -> tuple[str, frozenset[str]]:
        """The function's text, and the names that are its own. Raises `_Refused`."""
        bound, read = bound_names(part), frozenset[str]().union(*map(free_names, part))
        self._check(part, bound, read)
        needed, surely = self._flow
        order = _order(part)
        changed = _changed(part)
        results = [n for n in order if n in (bound | changed) & self._variables & needed[id(part[-1])]]
        results = results or self._last(part, bound | (changed & self._variables), order)
        if set(results) & fleeting(part):
            raise _Refused("a name that is taken away again is needed after the group")
        first = read_first(part, results)
        given = [n for n in order if n in first & self._variables]
        start = surely.get(id(part[0]), frozenset())
        self._check_given(given, start)
        if not set(results) <= (bound_after(part, given) or frozenset()):
            raise _Refused("the end of the group is not reached")
        body = [f"    {ast.unparse(statement)}" for statement in self._needed_imports(read, start)]
        body += [_text(self._module, part), f"    return {', '.join(results)}"]
        head = ", ".join(map(self._parameter, given))
        return f"def {name}({head}):\n" + "\n".join(body), frozenset(bound | set(given))

    def _check(self, part: list[ast.stmt], bound: set[str], read: frozenset[str]) -> None:
        if self._owner and any(_private(node) for statement in part for node in ast.walk(statement)):
            raise _Refused("a private name of its class")
        if read & _PLACE:
            raise _Refused("depends on where it stands")
        if (read | bound) & self._outside or bound & (self._imported | self._defined):
            raise _Refused("changes what is not its own")
        if self._function is not None and read & self._defined:
            raise _Refused("needs a nested function")
        inside = {id(node) for statement in part for node in ast.walk(statement)}
        if any(names & bound for node, names in self._lazy if id(node) not in inside):
            raise _Refused("shares a variable with a nested function")

    def _check_given(self, given: list[str], surely: frozenset[str]) -> None:
        if not given:
            raise _Refused("takes no parameter")
        if self._self in given:
            raise _Refused("needs an object of its class")
        if len(given) > MAX_PARAMETERS:
            raise _Refused("takes too many parameters")
        if not surely.issuperset(given):
            raise _Refused("a parameter may be unbound where the group starts")

    def _last(self, part: list[ast.stmt], names: Iterable[str], order: list[str]) -> list[str]:
        """The name that a group binds or changes last, of those surely bound at its end."""
        surely = bound_after(part, self._flow[1].get(id(part[0]), frozenset())) or frozenset()
        found = [name for name in reversed(order) if name in names and name in surely and name != self._self]
        if not found:
            raise _Refused("the group gives nothing")
        return found[:1]

    def _needed_imports(self, read: frozenset[str], surely: frozenset[str]) -> list[ast.stmt]:
        """The imports of the function's own body that a group needs, to be repeated in it. Raises `_Refused`."""
        wanted = read & self._imported if self._function is not None else frozenset()
        found: list[ast.stmt] = [s for s in self._imports if bound_names([s]) & wanted]
        once = sum(len(bound_names([s]) & wanted) for s in found) == len(wanted)
        if not once or not wanted <= surely or any(statement not in self._body for statement in found):
            raise _Refused("needs an import that may not be made")
        return found

    def _parameter(self, name: str) -> str:
        """A parameter with the annotation that it has in the function, if nothing else is ever bound to it there."""
        if self._function is not None and name not in bound_names(self._body):
            args = self._function.args
            plain = [*args.posonlyargs, *args.args, *args.kwonlyargs]
            notes = [arg.annotation for arg in plain if arg.arg == name and arg.annotation is not None]
            return f"{name}: {ast.unparse(notes[0])}" if notes else name
        return name


def _windows(block: Sequence[ast.stmt], place: int, taken: int) -> list[tuple[int, int]]:
    """Where a group around a compound statement may start and end, the largest first."""
    start, end = place, place + 1
    while start > taken and _size(block[start - 1 : end]) <= MAX_SIZE and _leads_up(block, start - 1, end):
        start -= 1
    while end < len(block) and _size(block[start : end + 1]) <= MAX_SIZE and _makes_use(block, start, end):
        end += 1
    starts = range(start, place + 1)
    return list(dict.fromkeys([*((s, end) for s in starts), *((s, place + 1) for s in starts)]))


def _leads_up(block: Sequence[ast.stmt], place: int, end: int) -> bool:
    """Whether a simple statement binds something that those after it read."""
    statement = block[place]
    reads = frozenset[str]().union(*map(free_names, block[place + 1 : end]))
    return not isinstance(statement, _COMPOUND) and _admissible(statement) and bool(bound_names([statement]) & reads)


def _makes_use(block: Sequence[ast.stmt], start: int, place: int) -> bool:
    """Whether a statement reads something that those before it bind or change."""
    before = block[start:place]
    made = bound_names(before) | _changed(before)
    return _admissible(block[place]) and bool(free_names(block[place]) & made)


def _changed(part: Sequence[ast.stmt]) -> frozenset[str]:
    """Names whose objects some statements may change in place. What a method or a builtin is given is left alone."""
    found: set[str | None] = set()
    for node in own_nodes(part):
        if isinstance(node, (ast.Attribute, ast.Subscript)) and not isinstance(node.ctx, ast.Load):
            found.add(root_name(node))
        elif isinstance(node, ast.AugAssign):
            found.add(root_name(node.target))
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            func = node.value.func
            if isinstance(func, ast.Attribute):
                found.add(root_name(func))
            elif not isinstance(func, ast.Name) or func.id in _CHANGING or not hasattr(builtins, func.id):
                found.update(map(root_name, node.value.args))
    return frozenset(name for name in found if name)


def _admissible(statement: ast.stmt) -> bool:
    """Whether nothing in a statement leaves it, waits, or defines or imports something."""
    nodes = list(own_nodes([statement]))
    if any(
        isinstance(node, _NEVER) or (isinstance(node, ast.Name) and isinstance(node.ctx, ast.Del)) for node in nodes
    ):
        return False
    waits = any(
        isinstance(n, (ast.Await, ast.Yield, ast.YieldFrom)) or (isinstance(n, ast.comprehension) and n.is_async)
        for n in ast.walk(statement)
    )
    return not waits and not _jumps_out(statement)


def _jumps_out(statement: ast.stmt) -> bool:
    """Whether a `break` or `continue` in a statement belongs to a loop around it."""
    if isinstance(statement, (ast.Break, ast.Continue)):
        return True
    inner = [statement.orelse] if isinstance(statement, (ast.For, ast.While)) else list(_blocks(statement))
    return any(_jumps_out(part) for block in inner for part in block)


def _blocks(statement: ast.stmt) -> Iterator[list[ast.stmt]]:
    for name in ("body", "handlers", "cases", "orelse", "finalbody"):
        for part in (found := getattr(statement, name, [])):
            if isinstance(part, (ast.ExceptHandler, ast.match_case)):
                yield part.body
            else:
                yield found
                break


def _size(part: Sequence[ast.stmt]) -> int:
    return sum(isinstance(node, ast.stmt) for statement in part for node in ast.walk(statement))


def _order(part: Sequence[ast.stmt]) -> list[str]:
    """Names in the order in which they first stand in the text."""
    names = [n for statement in part for n in ast.walk(statement) if isinstance(n, ast.Name)]
    placed = [(n.lineno, n.col_offset, n.id) for n in names]
    patterns = [n for s in part for n in ast.walk(s) if isinstance(n, (ast.MatchAs, ast.MatchStar)) and n.name]
    placed += [(n.lineno, n.col_offset, n.name) for n in patterns if n.name]
    return list(dict.fromkeys(name for _, _, name in sorted(placed)))


def _private(node: ast.AST) -> bool:
    name = getattr(node, "attr", None) or getattr(node, "id", None) or getattr(node, "arg", None)
    return isinstance(name, str) and name.startswith("__") and not name.endswith("__")


def _text(module: Module, part: list[ast.stmt]) -> str:
    """The statements' own lines, set in by four; their tree written out where those lines hold something else too."""
    lines = module.lines[part[0].lineno - 1 : part[-1].end_lineno]
    margin = lines[0][: len(lines[0]) - len(lines[0].lstrip())]
    own = "\n".join(f"    {line.removeprefix(margin)}" if line.strip() else "" for line in lines)
    for text in (own, textwrap.indent("\n".join(map(ast.unparse, part)), "    ")):
        if _same(text, part):
            return text
    raise _Refused("cannot be set off")


def _same(text: str, part: list[ast.stmt]) -> bool:
    try:
        (function,) = parse_quietly(f"def f():\n{text}\n").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    body = function.body if isinstance(function, ast.FunctionDef) else []
    return [ast.dump(statement) for statement in body] == [ast.dump(statement) for statement in part]

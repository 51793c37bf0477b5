"""The engine of the grammars: templates with typed holes, compiled once, and how they are filled.

A production is a template; writing a program is choosing productions and joining strings, so no tree is built and
nothing is unparsed. `semcoder.seeds._grammar` states the notation. Which variables there are, what an expression of a
type is and what a block holds is for each grammar's own `Writer` to say.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

_LEVELS: dict[type, int] = {
    ast.Lambda: 0, ast.NamedExpr: 0, ast.Yield: 0, ast.YieldFrom: 0, ast.IfExp: 1, ast.Compare: 5, ast.UnaryOp: 12,
    ast.Await: 14, ast.Or: 2, ast.And: 3, ast.Not: 4, ast.BitOr: 6, ast.BitXor: 7, ast.BitAnd: 8, ast.LShift: 9,
    ast.RShift: 9, ast.Add: 10, ast.Sub: 10, ast.Mult: 11, ast.Div: 11, ast.FloorDiv: 11, ast.Mod: 11, ast.Pow: 13,
}  # fmt: skip
_PRIMARY = 15


@dataclass(frozen=True, slots=True)
class Hole:
    """A place for an expression (or, with `indent`, for statements) of a type; `need`: the least binding strength."""

    type: str
    sees_binders: bool
    tame: bool
    need: int
    indent: str | None = None


@dataclass(frozen=True, slots=True)
class Ref:
    """A mention of a declared name."""

    key: str


@dataclass(frozen=True, slots=True)
class Production:
    """A compiled template. `names`: (sigil, key, type) of what it declares; `level`: how strongly its text binds;
    `needs`: how strongly what stands for a name must bind, for names mentioned once and not in
    an f-string."""

    segments: tuple[str | Hole | Ref, ...]
    names: tuple[tuple[str, str, str], ...]
    level: int = _PRIMARY
    flags: frozenset[str] = frozenset()
    loops: bool = False
    also: tuple[tuple[str, str], ...] = ()
    uses: tuple[tuple[str, Production], ...] = ()
    imports: tuple[str, ...] = ()
    walrus: bool = False
    comprehension: bool = False
    needs: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class Var:
    """A readable name (or a text like `xs[i]`). Variables that may share an object have one `group`."""

    name: str
    type: str
    group: int
    level: int = 0
    mutable: bool = True
    filled: bool = False


#: The import that a template needs whose text has this pattern.
IMPORTS = {
    r"\bmath\.": "import math",
    r"\bfunctools\.": "import functools",
    r"\bitertools\.": "import itertools",
    r"\bcontextlib\.": "import contextlib",
    r"\basyncio\.": "import asyncio",
    r"\bCounter\(": "from collections import Counter",
    r"\bdeque\(": "from collections import deque",
    r"\bdefaultdict\(": "from collections import defaultdict",
    r"\bnamedtuple\(": "from collections import namedtuple",
    r"@dataclass": "from dataclasses import dataclass",
}

_TOKEN = re.compile(r"<([a-z]\w*)(\+?)(~?)>|([$@%&^])([A-Z])(?::([a-z]\w*))?")
_BLOCKS = ("block", "loop", "tail", "body")


def compile_template(template: str, flags: frozenset[str] = frozenset(), also: str = "", uses: str = "") -> Production:
    """A template as a production."""
    template = template.replace("¶", "\n")
    needs, level = _binding(template)
    segments: list[str | Hole | Ref] = []
    names: dict[str, tuple[str, str, str]] = {}
    end = 0
    for index, match in enumerate(_TOKEN.finditer(template)):
        if match.start() > end:
            segments.append(template[end : match.start()])
        end = match.end()
        kind, plus, tame, sigil, key, type_ = match.groups()
        if key:
            if type_ or key not in names:
                names[key] = (sigil, key, type_ or "")
            segments.append(Ref(key))
            continue
        indent = None
        if kind.startswith(_BLOCKS):
            indent = template[template.rfind("\n", 0, match.start()) + 1 : match.start()]
        segments.append(Hole(kind, bool(plus), bool(tame), needs.get(f"H{index}_", 0), indent))
    segments.append(template[end:])
    mentions = [part.key for part in segments if isinstance(part, Ref)]
    once = [key for key in names if mentions.count(key) == 1 and f"N{key}_" in needs]
    imports = tuple(line for pattern, line in IMPORTS.items() if re.search(pattern, template))
    return Production(
        tuple(part for part in segments if part != ""),
        tuple(names.values()),
        level,
        flags,
        any(isinstance(part, Hole) and part.type in ("loop", "tail") for part in segments)
        or bool(re.search(r"^ *(for|while) ", template, re.M)),
        tuple(_pairs(also)),
        tuple((type_, compile_template(text)) for type_, text in _pairs(uses)),
        imports,
        ":=" in template,
        " for " in template and "\nfor " not in template,
        {} if "f'" in template else {key: needs[f"N{key}_"] for key in once},
    )


def _pairs(text: str) -> list[tuple[str, str]]:
    return [(kind, body) for kind, _, body in (part.strip().partition("=") for part in text.split("; ")) if kind]


def _binding(template: str) -> tuple[dict[str, int], int]:
    """How strongly each hole's content must bind to stand without parentheses, and how strongly the whole binds."""
    count = iter(range(10_000))

    def plain(match: re.Match[str]) -> str:
        index = next(count)
        if match[5]:
            return f"N{match[5]}_"
        return "pass" if match[1].startswith(_BLOCKS) else f"H{index}_"

    tree = ast.parse(_TOKEN.sub(plain, template))
    needs = {
        child.id: _need(node, child)
        for node in ast.walk(tree)
        for child in ast.iter_child_nodes(node)
        if isinstance(child, ast.Name)
    }
    first = tree.body[0]
    parenthesized = not isinstance(first, ast.Expr) or first.value.col_offset > 0
    return needs, _PRIMARY if parenthesized else _level(first.value)  # type: ignore[attr-defined]


def _level(node: ast.AST) -> int:
    if isinstance(node, (ast.BinOp, ast.BoolOp)) or (isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not)):
        return _LEVELS[type(node.op)]
    return _LEVELS.get(type(node), _PRIMARY)


def _need(parent: ast.AST, child: ast.AST) -> int:
    if isinstance(parent, ast.BinOp):
        right = (child is parent.right) != isinstance(parent.op, ast.Pow)
        return _level(parent) + right
    if isinstance(parent, (ast.BoolOp, ast.Compare, ast.Await)):
        return _level(parent) + 1
    if isinstance(parent, (ast.UnaryOp, ast.Lambda)):
        return max(1, _level(parent))
    if isinstance(parent, ast.IfExp):
        return 1 if child is parent.orelse else 2
    if isinstance(parent, ast.comprehension):
        return 2
    if isinstance(parent, (ast.Starred, ast.Dict)):
        return 6
    if isinstance(parent, (ast.Attribute, ast.Subscript, ast.Call)):
        return _PRIMARY if child is getattr(parent, "value", getattr(parent, "func", None)) else 0
    return 0


#: Productions of one type, each as often as its weight says.
Table = tuple[Production, ...]


def lines_table(text: str) -> Table:
    """Expression productions, one a line, each as often as its weight says."""
    rows = (row.partition(" ") for row in text.strip().splitlines())
    return tuple(production for weight, _, body in rows for production in (compile_template(body),) * int(weight))


def blocks_table(text: str) -> Table:
    """Statement productions under headers `== WEIGHT [flags] [also TYPE=TEXT] [uses TYPE=TEXT; ...]`."""
    found: list[Production] = []
    for part in re.split(r"^== ", text.strip(), flags=re.M)[1:]:
        header, _, body = part.replace(";\n   ", "; ").partition("\n")
        header, _, uses = header.partition(" uses ")
        header, _, also = header.partition(" also ")
        weight, *flags = header.split()
        found += [compile_template(body.rstrip("\n"), frozenset(flags), also, uses)] * int(weight)
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Pools:
    """Names to choose from. By type (`*`: any other): of what is bound inside a template, and of what stays."""

    short: dict[str, list[str]]
    long: dict[str, list[str]]
    functions: list[str] = field(default_factory=list)
    classes: list[str] = field(default_factory=list)


class Writer:
    """Fills templates. `reads`: the containers read since the statement began; `tame`: whether what is written must
    not use what a loop accumulates; `walrus`: whether `:=` may stand here."""

    def __init__(self, rnd: Callable[[], float], pools: Pools) -> None:
        self.rnd = rnd
        self.pools = pools
        self.used: set[str] = {"f"}
        self.imports: set[str] = set()
        self.reads: list[Var] = []
        self.tame = False
        self.walrus = True
        self.groups = 0

    # For each grammar to say

    def choose(self, kind: str, *, header: bool = False) -> Var | None:
        """A variable to read, in the `header` of a loop or elsewhere; None where there is none that may be read."""
        raise NotImplementedError

    def target(self, kind: str) -> Var | None:
        """A variable to change; None where there is none that may be changed here."""
        raise NotImplementedError

    def expr(self, kind: str, depth: int, need: int = 0) -> str:
        """An expression of a type that binds at least as strongly as `need`."""
        raise NotImplementedError

    def block(self, kind: str) -> str:
        """The statements of a hole."""
        raise NotImplementedError

    def push(self, var: Var) -> None:
        """From now on `var` is visible."""
        raise NotImplementedError

    def pop(self, var: Var) -> None:
        """`var` is visible no longer."""
        raise NotImplementedError

    def alias(self, var: Var) -> None:
        """`var` may share objects with what was read since the statement began."""

    # Names and variables

    def pick(self, table: Sequence[str]) -> str:
        return table[int(self.rnd() * len(table))]

    def fresh(self, kind: str, lasting: bool) -> str:
        pools = self.pools.long if lasting else self.pools.short
        return self.unused(pools.get(kind) or pools["*"])

    def unused(self, pool: list[str]) -> str:
        start = int(self.rnd() * len(pool))
        for name in pool[start:] + pool[:start]:
            if name not in self.used:
                self.used.add(name)
                return name
        number = 2
        while (name := f"{pool[start]}{number}") in self.used:
            number += 1
        self.used.add(name)
        return name

    def variable(self, name: str, kind: str, *, mutable: bool = True, filled: bool = False, group: int = 0) -> Var:
        self.groups += 1
        return Var(name, kind, group or self.groups, 0, mutable, filled)

    # Templates

    def fill(self, production: Production, depth: int, names: dict[str, str] | None = None) -> str | None:
        """The text of a production, or None where a variable it needs is missing. `names` gains what it declares."""
        if not self.walrus and production.walrus:
            return None
        if production.imports:
            self.imports.update(production.imports)
        names = {} if names is None else names
        binders: list[Var] = []
        if not self.declare(production, names, binders):
            self.used.difference_update(
                names[key] for sigil, key, _ in production.names if sigil in "$@" and key in names
            )
            return None
        for kind, text in production.also:
            key = text[text.index("&") + 1] if "&" in text else ""
            for name in names:
                text = re.sub(rf"[$&@]{name}\b", names[name], text)
            group = next((v.group for v in self.reads[::-1] if key and v.name == names[key]), 0)
            binders.append(self.variable(text, kind, mutable=False, group=group))
        walrus = self.walrus
        self.walrus = walrus and not production.comprehension  # not allowed inside the iterable of a comprehension
        out: list[str] = []
        for part in production.segments:
            if type(part) is str:
                out.append(part)
            elif type(part) is Ref:
                out.append(names[part.key])
            else:
                out.append(self.hole(part, depth, binders))  # type: ignore[arg-type]
        self.walrus = walrus
        for sigil, key, _ in production.names:
            if sigil == "$":
                self.used.discard(names[key])
        return "".join(out)

    def declare(self, production: Production, names: dict[str, str], binders: list[Var]) -> bool:
        """Choose all names of a production; False where a variable is missing."""
        for sigil, key, kind in production.names:
            if not kind and key in names:
                continue
            if sigil in "%&":
                var = self.target(kind) if sigil == "%" else self.choose(kind, header=production.loops)
                if var is None:
                    return False
                names[key] = var.name
            elif sigil == "^":
                names[key] = self.unused(self.pools.classes if key in "CE" else self.pools.functions)
            else:
                names[key] = self.fresh(kind, sigil == "@")
                if sigil == "$" and kind:
                    binders.append(self.variable(names[key], kind, mutable=False))
        return True

    def hole(self, hole: Hole, depth: int, binders: Sequence[Var]) -> str:
        tame = self.tame
        self.tame = tame or hole.tame
        shown = binders if hole.sees_binders else ()
        for var in shown:
            if hole.indent is not None:
                self.alias(var)
            self.push(var)
        if hole.indent is None:
            text = self.expr(hole.type, depth, hole.need)
        else:
            text = self.block(hole.type).replace("\n", "\n" + hole.indent)
        for var in shown:
            self.pop(var)
        self.tame = tame
        return text

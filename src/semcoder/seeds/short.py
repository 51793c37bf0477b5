"""An unlimited stream of short random functions over strings, lists, dicts and numbers, as people write puzzles.

Guarantees: `generate_short(seed)` depends on the seed alone (not on the process, its hash seed or earlier calls); a
program is one function `f` that reads every parameter, with three different calls over literals, two of which at least
return; loops run at most 100 times in all in any of the calls; results are short; nothing outside is reached, and no
result depends on the order of a set. The calls do not all give the same.
It does not promise that every statement matters, that the third call returns, or that two seeds give two programs.
Another version of this module (or of Python, where it changes what a method does) gives other programs for the same
seeds.

How it works: a program starts from values (its parameters), and each statement does something to one of them, mostly
one that nothing has read yet; what is left unread is returned. Parameters come up as they are needed, with the role
that they are needed in (a separator, an index, a key), so that the calls' arguments fit each other and the literals.
"""

from __future__ import annotations

import functools
import itertools
import random
import re
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from semcoder.core.records import Invocation, Origin, Program
from semcoder.seeds import _grammar_short as tables
from semcoder.seeds._engine import Pools, Production, Table, Var, Writer, blocks_table, lines_table
from semcoder.seeds._numbered import NumberedSource
from semcoder.seeds._short_values import Literals, Values

# The grammar ---------------------------------------------------------------------------------------------------------

_LISTS = ({"L": "li", "E": "i", "V": "v"}, {"L": "ls", "E": "s", "V": "word"})
_DICTS = (
    {"D": "dsi", "K": "s", "Q": "key", "E": "i", "M": "ls"},
    {"D": "dss", "K": "s", "Q": "key", "E": "s", "M": "ls"},
    {"D": "dis", "K": "i", "Q": "ki", "E": "s", "M": "li"},
    {"D": "dii", "K": "i", "Q": "ki", "E": "i", "M": "li"},
)
_PLAIN_TYPES: tuple[dict[str, str], ...] = ({},)
_GENERIC = re.compile(r"(?<=[<:_])[DEKLMQV]\b|(?<=also )E\b|(?<=; )E\b")


def _expanded(sections: str, header: str) -> Iterator[tuple[tuple[str, ...], str]]:
    """The sections of a table, by the types in their headers; those of generic types once for each."""
    parts = re.split(header, sections.strip(), flags=re.M)
    for types, body in zip(parts[1::2], parts[2::2], strict=True):
        names = re.split("[> ]", types)
        for known in _LISTS if "L" in names else _DICTS if "D" in names else _PLAIN_TYPES:
            told = _GENERIC.sub(functools.partial(_named, known), body)
            yield tuple(known.get(name, name) for name in names), told


def _named(known: dict[str, str], match: re.Match[str]) -> str:
    return known.get(match[0], match[0])


def _operations() -> dict[str, dict[str, Table]]:
    found: dict[str, dict[str, Table]] = {}
    for (source, result), body in _expanded(tables.OPERATIONS, r"^(\w+>\w+)$"):
        row = found.setdefault(source, {})
        row[result] = row.get(result, ()) + lines_table(body)
    for role, base in tables.BASES.items():
        found[role] = found[base] | found.get(role, {})
    return found


def _sections(text: str) -> dict[tuple[str, ...], Table]:
    found: dict[tuple[str, ...], Table] = {}
    for types, body in _expanded(text, r"^#### (.*)$"):
        found[types] = found.get(types, ()) + blocks_table(body)
    return found


def _by_type(text: str) -> dict[str, Table]:
    return {types[0]: table for types, table in _sections(text).items()}


@dataclass(frozen=True)
class _Grammar:
    """The compiled tables. `changes`: those of `statements` that may stand in a branch."""

    operations: dict[str, dict[str, Table]]
    statements: dict[str, Table]
    changes: dict[str, Table]
    bodies: Table
    updates: dict[str, Table]
    results: dict[str, Table]
    pairs: dict[tuple[str, ...], Table]


@functools.cache
def _grammar() -> _Grammar:
    statements = _by_type(tables.STATEMENTS)
    changes = {
        kind: tuple(p for p in table if "self" in p.flags and not p.loops and "top" not in p.flags)
        for kind, table in statements.items()
    }
    return _Grammar(
        _operations(),
        statements,
        changes,
        blocks_table(tables.BODIES),
        _by_type(tables.UPDATES),
        _by_type(tables.RESULTS),
        _sections(tables.PAIRS),
    )


_POOLS = Pools(tables.PASSING, tables.LASTING)
#: What the first parameter is, and what the others may be beside roles.
_THEMES = (
    ("s", 54, ("s", "i")),
    ("li", 19, ("li", "i")),
    ("ls", 14, ("ls", "s", "i")),
    ("dsi", 6, ("ls", "dsi", "i")),
    ("dss", 3, ("ls", "dss", "s")),
    ("dis", 2, ("dis", "li", "s")),
    ("dii", 2, ("dii", "li", "i")),
    ("dsl", 3, ("dsl", "i")),
    ("i", 6, ("i", "s", "li")),
    ("lli", 3, ("li", "i")),
    ("t", 1, ("i", "li")),
    ("ts", 1, ("s", "i")),
    ("sd", 2, ("s", "i")),
    ("b", 1, ("s", "li", "i")),
    ("f", 1, ("f", "i")),
)
_THEME_OF = tuple((kind, others) for kind, weight, others in _THEMES for _ in range(weight))
#: How often a hole holds just a name or a literal.
_PLAIN = {"i": 0.72, "s": 0.8, "f": 0.8, "li": 0.9, "ls": 0.9}
#: How often such a one is a name, where one may stand there.
_NAMED = {
    "i": 0.5,
    "s": 0.55,
    "c": 0.5,
    "ch": 0.35,
    "word": 0.35,
    "v": 0.3,
    "key": 0.4,
    "ki": 0.4,
    "at": 0.3,
    "cut": 0.3,
}
#: Holes that are always literals.
_LITERAL = frozenset(("k", "kk", "km", "m", "lo", "hi", "vl", "trans", "ch1", "fill1", "flag"))
#: Values made of texts, and what a text can be long from.
_TEXTUAL = frozenset(("s", "ls", "ss", "dsi", "dss", "dis", "dsl"))
_LONG = frozenset(("s", "ls", "ts", "li", "t"))
_ROLES = frozenset(tables.BASES) - {"c"}
_NONE: dict[str, Table] = {}
_WORD = re.compile(r"'(?:[^'\\]|\\.)*'|[A-Za-z_]\w*")


#: A comparison or difference of something with itself; `not x not in y`.
_SAME = re.compile(r"\b(\w+(?:\[\w+\])?) (?:[=!]=|[<>]=?|in|-|//|%) \1(?![\w.\[(])|\bnot \S+ not\b")
_NOTHING = re.compile(r"\breturn None$", re.M)
#: Types of parameters that may have a default.
_DEFAULTS = frozenset(("i", "n", "at", "cut", "w", "v", "s", "ch", "sep", "fill", "word", "pre", "suf"))
#: What an assignment changes.
_WRITTEN = re.compile(r"^ *(\w+) (?:[-+*%]|//|\*\*)?= ", re.M)
_BRACED = re.compile(r"{([^{}]*)}")


class _Stuck(Exception):
    """There is nothing that could be written here."""


class _TooLong(BaseException):
    """A call would take long. No `Exception`, so that no handler of a program keeps it."""


# Writing -------------------------------------------------------------------------------------------------------------


class _Writer(Writer):
    """Writes one attempt at a program. Raises `_Stuck` where it comes to nothing.

    `unread`: variables whose value nothing has used yet; `gathered`: what the loop being written accumulates, and
    `hidden`: what must not be read, for values to stay small; `subject`: what the statement is about, `operated`: what
    the operation works on; `changed`: variables that statements changed; `shared`: names of one list.
    """

    def __init__(self, rnd: Callable[[], float]) -> None:
        super().__init__(rnd, _POOLS)
        self.grammar = _grammar()
        self.literals = Literals(rnd)
        r = rnd()
        self.wanted = 1 if r < 0.26 else 2 if r < 0.74 else 3 if r < 0.96 else 4
        self.first, self.others = _THEME_OF[int(rnd() * len(_THEME_OF))]
        self.parameters: list[Var] = []
        self.visible: list[Var] = []
        self.unread: dict[str, Var] = {}
        self.gathered: list[Var] = []
        self.hidden: set[str] = set()
        self.ever: set[str] = {"f"}
        self.subject: Var | None = None
        self.operated: Var | None = None
        self.loops = 0
        self.may_continue = False
        self.ended = False
        self.changed: set[Var] = set()
        self.shared: set[str] = set()
        self.chain = 0.16
        self.has_default = False

    # Variables

    def push(self, var: Var) -> None:
        self.visible.append(var)
        self.unread[var.name] = var

    def pop(self, var: Var) -> None:
        self.visible.remove(var)
        if self.unread.get(var.name) is var:
            del self.unread[var.name]

    def unused(self, pool: list[str]) -> str:
        name = super().unused(pool)
        self.ever.add(name)
        return name

    def parameter(self, kind: str) -> Var:
        """A new parameter. Its name was no variable's so far: it must mean the argument wherever it is read."""
        self.used, used = self.used | self.ever, self.used
        name = self.unused(tables.PARAMETERS[kind])
        self.used = used | {name}
        var = self.variable(name, kind)
        self.parameters.append(var)
        self.visible.insert(0, var)
        self.unread[name] = var
        return var

    def may_ask(self, kind: str) -> bool:
        """Whether there may be one more parameter, of this type."""
        return len(self.parameters) < self.wanted and (kind in tables.BASES or kind in self.others)

    def read(self, var: Var) -> Var:
        """Note that the variable was read, or those in a text like `xs[i]`."""
        self.unread.pop(var.name, None)
        if not var.name.isidentifier():
            for name in _WORD.findall(var.name):
                self.unread.pop(name, None)
        return var

    def newest(self, found: Sequence[Var]) -> Var:
        """One of these, what was not read yet most often, the newest most often."""
        unread = [var for var in found if self.unread.get(var.name) is var]
        if unread and self.rnd() < 0.85:
            return unread[-1] if self.rnd() < 0.8 else unread[int(self.rnd() * len(unread))]
        r = self.rnd()
        return found[int((1 - r * r) * len(found)) - 1 if r else -1]

    def fitting(self, kind: str) -> list[Var]:
        accepted = tables.ACCEPTS.get(kind, (kind,))
        return [var for var in self.visible if var.type in accepted and var.name not in self.hidden]

    def choose(self, kind: str, *, header: bool = False) -> Var | None:
        """A variable to read, or a literal of a role; None where there is none."""
        found = [var for var in self.fitting(kind) if var is not self.subject]
        if self.may_ask(kind) and (not found or self.rnd() < 0.3):
            return self.read(self.parameter(kind))
        if kind in _ROLES and (not found or self.rnd() < 0.5):
            return self.variable(self.literals.of(kind), kind)
        return self.read(self.newest(found)) if found else None

    def target(self, kind: str) -> Var | None:
        return self.choose(kind)

    # Expressions

    def expr(self, kind: str, depth: int, need: int = 0) -> str:
        if kind in _LITERAL:
            return self.literals.of(kind)
        form = kind[:2]
        if form == "e_":
            hidden = self.hidden
            if self.gathered:  # a loop's values would grow faster than it runs
                self.hidden = hidden | {each.name for each in self.gathered}
            text = self.operation(kind[2:], depth, need) or self.leaf(kind[2:], need)
            self.hidden = hidden
            return text
        if form == "o_":
            assert self.subject is not None
            found = self.operation(kind[2:], depth, need, self.subject)
            if found is None:
                raise _Stuck
            return found
        if kind == "r":
            return self.returned()
        if kind == "b":
            found = self.operation("b", depth, need)
            if found is None:
                raise _Stuck
            return found
        if depth > 0 and kind in _PLAIN and self.rnd() > _PLAIN[kind]:
            return self.operation(kind, depth, need) or self.leaf(kind, need)
        return self.leaf(kind, need)

    def operation(self, kind: str, depth: int, need: int, on: Var | None = None) -> str | None:
        """An operation that gives a value of this type; None where no variable has one."""
        for _ in range(4):
            var = on or self.operand(kind)
            table = self.grammar.operations.get(var.type, _NONE).get(kind) if var else None
            if var is None or table is None:
                return None
            production = table[int(self.rnd() * len(table))]
            text = self.applied(production, var, depth)
            if text is not None:
                return f"({text})" if production.level < need else text
        return None

    def applied(self, production: Production, var: Var, depth: int) -> str | None:
        """The operation on the variable, or on an operation on it."""
        self.read(var)
        name = var.name
        binds = production.needs.get("A")
        if binds is not None and depth > 0 and var.type != "c" and self.rnd() < self.chain:
            base = tables.BASES.get(var.type, var.type)
            inner = self.operation(base, depth - 1, binds, var)
            if inner is not None and len(inner) < 40:
                name = inner
        outer, self.operated = self.operated, var
        text = self.fill(production, depth - 1, {"A": name})
        self.operated = outer
        return text

    def operand(self, kind: str) -> Var | None:
        operations, hidden = self.grammar.operations, self.hidden
        found = [v for v in self.visible if v.name not in hidden and kind in operations.get(v.type, _NONE)]
        passing = [var for var in found if not var.mutable and self.unread.get(var.name) is var]
        if passing and self.rnd() < 0.93:
            return passing[-1] if self.rnd() < 0.75 else passing[int(self.rnd() * len(passing))]
        if not self.loops and self.rnd() < 0.25:
            for other in self.others:
                if self.may_ask(other) and kind in operations[other]:
                    return self.parameter(other)
        return self.newest(found) if found else None

    def leaf(self, kind: str, need: int = 0) -> str:
        """A name, a new parameter or a literal."""
        found = [var for var in self.fitting(kind) if var is not self.operated]
        unread = [var for var in found if self.unread.get(var.name) is var]
        role = kind in tables.BASES
        if unread and self.rnd() < (0.6 if role else 0.85):
            return self.read(self.newest(unread)).name
        if self.may_ask(kind) and self.rnd() < (0.6 if role else 0.4):
            return self.read(self.parameter(kind)).name
        others = [var for var in found if var is not self.subject]
        if others and self.rnd() < _NAMED.get(kind, 0.6):
            return self.read(self.newest(others)).name
        text = self.literals.of(kind)
        return f"({text})" if need > 11 and text[0] == "-" else text

    def returned(self) -> str:
        """What an early return gives."""
        r = self.rnd()
        if r < 0.35:
            return self.literals.of("r")
        if r < 0.7:
            found = [var for var in self.visible if var.type not in ("si", "ss") and var.name not in self.hidden]
            if found:
                return self.read(self.newest(found)).name
        kind = self.pick(("s", "i", "s", "ls", "li", "b"))
        return self.operation(kind, 1, 0) or self.literals.of("r")

    # Statements

    def statement(self, table: Table, var: Var) -> str | None:
        """A statement of this table about the variable; what it makes is visible from now on."""
        production = table[int(self.rnd() * len(table))]
        if "end" in production.flags and self.rnd() < 0.3:
            return None
        if "continue" in production.flags and not self.may_continue:
            return None
        subject, self.subject = self.subject, var
        names = {"A": var.name}
        if "loop" in production.flags:
            text = self.loop(production, names)
        else:
            self.read(var)
            hidden = self.hidden
            if production.loops and "self" in production.flags:
                self.hidden = hidden | {var.name}
            text = self.fill(production, 2, names)
            self.hidden = hidden
        self.subject = subject
        if text is None:
            return None
        for sigil, key, kind in production.names:
            if sigil == "@" and kind:
                self.push(self.variable(names[key], kind))
                if "alias" in production.flags:
                    self.shared.add(names[key])
        if "self" in production.flags:
            self.unread[var.name] = var
            self.changed.add(var)
        if "end" in production.flags:
            self.ended = True
        return text

    def loop(self, production: Production, names: dict[str, str]) -> str | None:
        """A loop that accumulates, after what it starts from."""
        assert self.subject is not None
        walked = [kind for sigil, _, kind in production.names if sigil == "$" and kind]
        walked += [kind for kind, _ in production.also]
        self.read(self.subject)
        outer = self.gathered
        first = self.gather(walked[-1] if walked else "i")
        self.loops += 1
        text = self.fill(production, 2, names)
        self.loops -= 1
        gathered, self.gathered = self.gathered, outer
        if text is None or (self.idle(production, names, text) and self.rnd() < 0.85):
            raise _Stuck
        words = set(_WORD.findall(text))
        for var in gathered:
            if var.name in words:
                self.unread[var.name] = var
            elif var in first:
                self.pop(var)
        return "\n".join([*(line for var, line in first.items() if var.name in words), text])

    def gather(self, walked: str) -> dict[Var, str]:
        """Choose what a loop through values of this type accumulates: the new variables with their first lines."""
        first: dict[Var, str] = {}
        self.gathered = []
        for _ in range(2 if self.rnd() < 0.1 else 1):
            kind = self.pick(tables.GATHERS.get(walked) or tables.GATHERS["i"])
            known = [v for v in self.unread.values() if v.type == kind and v in self.visible and v is not self.subject]
            known = [v for v in known if v.name not in self.shared]
            if known and self.rnd() < 0.4:
                self.gathered.append(known[-1])
                continue
            value = self.literals.first(kind)
            var = self.variable(self.fresh(kind, True), kind)
            self.gathered.append(var)
            first[var] = f"{var.name} = {value}"
            self.push(var)
        return first

    def block(self, kind: str) -> str:
        if kind == "block_u":
            return self.update()
        if kind in ("loop", "tail"):
            return self.body(kind == "loop")
        assert self.subject is not None
        table = self.grammar.changes.get(self.subject.type, ())
        for _ in range(8):
            text = self.statement(table, self.subject) if table else None
            if text is not None:
                return text
        raise _Stuck

    def body(self, may_continue: bool) -> str:
        """The body of a loop that reads what it walks through."""
        may, self.may_continue = self.may_continue, may_continue
        walked = dict(self.unread)
        for _ in range(6):
            production = self.grammar.bodies[int(self.rnd() * len(self.grammar.bodies))]
            if "continue" in production.flags and not may_continue:
                continue
            self.unread = dict(walked)
            names: dict[str, str] = {}
            text = self.fill(production, 2, names)
            if text is None or self.idle(production, names, text):
                continue
            lines = text.split("\n")
            reads = any(name not in self.unread for name, var in walked.items() if not var.mutable)
            if len(set(lines)) == len(lines) and (reads or self.rnd() < 0.1):
                self.may_continue = may
                return text
        raise _Stuck

    def idle(self, production: Production, names: dict[str, str], text: str) -> bool:
        """Whether a name that the production binds is not used."""
        words = _WORD.findall(text)
        return any(sigil == "$" and words.count(names[key]) < 2 for sigil, key, _ in production.names)

    def update(self) -> str:
        """A change of what the loop accumulates, which does not feed on it otherwise."""
        var = self.gathered[int(self.rnd() * len(self.gathered))]
        table = self.grammar.updates.get(var.type)
        hidden = self.hidden
        self.hidden = hidden | {each.name for each in self.gathered}
        if var.type in _TEXTUAL:  # whole texts, once a pass, would make long values
            self.hidden |= {each.name for each in self.visible if each.mutable and each.type in _LONG}
        subject, self.subject = self.subject, None
        try:
            for _ in range(6 if table else 0):
                assert table is not None
                production = table[int(self.rnd() * len(table))]
                text = self.fill(production, 1, {"A": var.name})
                if text is not None:
                    self.unread.pop(var.name, None)
                    return text
        finally:
            self.hidden, self.subject = hidden, subject
        raise _Stuck

    # The whole

    def about(self) -> Var:
        """What the next statement is about."""
        found = [var for var in self.visible if var.type in self.grammar.statements]
        if not found:
            raise _Stuck
        if len(self.parameters) < self.wanted and self.rnd() < 0.12:
            kind = self.pick(self.others)
            if kind in self.grammar.statements:
                return self.parameter(kind)
        return self.newest(found)

    def lines(self) -> list[str]:
        r = self.rnd()
        count = 1 if r < 0.17 else 2 if r < 0.53 else 3 if r < 0.82 else 4 if r < 0.94 else 5
        found: list[str] = []
        while len(found) < count and not self.ended and "\n".join(found).count("\n") < 8:
            for _ in range(8):
                var = self.about()
                text = self.statement(self.grammar.statements[var.type], var)
                if text is not None:
                    found.append(text)
                    break
            else:
                raise _Stuck
        return found

    def result(self) -> str:
        """The last line: a return of what nothing has read."""
        left = [var for var in self.visible if self.unread.get(var.name) is var]
        if len(left) > 1:
            return self.together(left)
        var = left[0] if left else self.newest(self.visible)
        results = self.grammar.results
        table = results.get(var.type) or results.get(tables.BASES.get(var.type, ""), ())
        self.subject = var
        for _ in range(4 if table else 0):
            text = self.fill(table[int(self.rnd() * len(table))], 2, {"A": var.name})
            if text is not None:
                return text
        raise _Stuck

    def together(self, left: list[Var]) -> str:
        """A return of several values."""
        last, before = left[-1], left[-2]
        kinds = tuple(tables.BASES.get(var.type, var.type) for var in (last, before))
        table = self.grammar.pairs.get(kinds)
        if len(left) == 2 and table and self.rnd() < 0.75:
            text = self.fill(table[int(self.rnd() * len(table))], 1, {"A": last.name, "B": before.name})
            if text is not None:
                return text
        as_given = any(var in self.parameters and var not in self.changed for var in left)
        if any(var.type in ("si", "ss") for var in left) or (as_given and self.rnd() < 0.7):
            raise _Stuck
        names = ", ".join(var.name for var in (left if self.rnd() < 0.5 else left[::-1]))
        return f"return [{names}]" if self.rnd() < 0.3 else f"return {names}"

    def write(self) -> str:
        """The source."""
        body = self.body_of(self.parameter(self.first))
        if body.count("\n") > 12 or _repeats(body) or _SAME.search(body):
            raise _Stuck
        if len(body) < 60 and sum(map(body.count, "([+*%=")) < 3 and self.rnd() < 0.6:
            raise _Stuck
        names = _names(body)
        self.parameters = [var for var in self.parameters if var.name in names]
        if not self.parameters or self.only_written(body):
            raise _Stuck
        if self.rnd() < 0.3:
            body = _NOTHING.sub("return", body)
        source = f"def f({self.head()}):\n    " + body.replace("\n", "\n    ") + "\n"
        if '"' not in source and self.rnd() < 0.12:
            source = source.replace("'", '"')
        return source

    def only_written(self, body: str) -> bool:
        """Whether a parameter is only assigned to."""
        given = {var.name for var in self.parameters}
        written = given.intersection(_WRITTEN.findall(body))
        return bool(written) and not written <= _names(_WRITTEN.sub("", body))

    def body_of(self, var: Var) -> str:
        kinds = tables.WHOLE.get(var.type)
        if kinds and self.rnd() < 0.12:
            self.wanted += 1
            self.chain = 0.55
            text = self.operation(self.pick(kinds), 4, 0, var)
            if text is None:
                raise _Stuck
            return f"return {text}"
        lines = self.lines()
        if not self.ended:
            lines.append(self.result())
        elif any(var in self.unread.values() for var in self.changed):
            raise _Stuck
        return "\n".join(lines)

    def head(self) -> str:
        """The parameters, rarely with a default."""
        head = ", ".join(var.name for var in self.parameters)
        last = self.parameters[-1].type
        if len(self.parameters) > 1 and last in _DEFAULTS and self.rnd() < 0.03:
            self.has_default = True
            head += f"={self.literals.of(last)}"
        return head


def _names(body: str) -> set[str]:
    """The names in a text, in f-strings too."""
    found = set(_WORD.findall(body))
    if "{" in body:
        found.update(*map(_WORD.findall, _BRACED.findall(body)))
    return found


def _repeats(body: str) -> bool:
    """Whether a statement stands twice in a row, or on both ways of a branch."""
    lines = [line.strip() for line in body.split("\n")]
    lines = [line for line in lines if line != "else:"]
    return any(map(str.__eq__, lines, lines[1:]))


def _feeds_itself(source: str) -> bool:
    """Whether a loop walks a list that its body makes longer: what such a loop computes may grow without bound."""
    lines = source.split("\n")
    for at, line in enumerate(lines):
        walked = _WALK.fullmatch(line)
        if walked is None:
            continue
        grows = re.compile(rf"\b{walked[2]}(\.(append|insert|extend)\(| \+= |\[\S*:\S*\] = )")
        inside = f"{walked[1]} "
        for each in lines[at + 1 :]:
            if not each.startswith(inside):
                break
            if grows.search(each):
                return True
    return False


# The whole -----------------------------------------------------------------------------------------------------------

#: How many calls are tried, and kept.
_TRIES, _CALLS = 6, 3
#: How often all loops of a call may pass together.
_PASSES = 100
#: Numbers of a range.
_RANGE = 60
#: Characters of a call or its result.
_LONGEST, _LONGEST_TEXT = 220, 150
_MOST_INT = 10**7
_WALK = re.compile(r"( *)for .* in (\w+):")
_HEADER = re.compile(r"^( +)(?:(for|while) .*|(?:if|elif) .*|else|try|except.*|finally):$", re.M)


def generate_short(seed: int) -> tuple[Program, tuple[Invocation, ...]]:
    """The program of a seed (entry `f`) and three different calls of it, of which two at least return."""
    rnd = random.Random(seed).random
    while True:
        writer = _Writer(rnd)
        try:
            source = writer.write()
        except _Stuck:
            continue
        calls = () if _feeds_itself(source) else _calls(writer, source)
        if calls:
            return Program(source, "f", Origin("short", path=str(seed)), "CC0-1.0"), calls


@dataclass(frozen=True, slots=True, eq=False)
class _Tried:
    """A call and what came of it. `plain`: one of the arguments came back; `reached`: which blocks ran."""

    text: str
    result: str
    returned: bool
    plain: bool
    reached: set[int]


class _Runner:
    """Runs a program, which is of this module's own grammar, in this process.

    In the program that runs, each block tells that it was reached, `StopIteration` ends loops that pass too often, and
    no range is long.
    """

    def __init__(self, source: str) -> None:
        count = itertools.count()
        marked = _HEADER.sub(lambda m: f"{m[0]}\n{m[1]}    {'tick() or ' * bool(m[2])}hit({next(count)})", source)
        self.blocks = next(count)
        self.space: dict[str, Any] = {"range": _short_range}
        exec(compile(marked, "<short>", "exec"), self.space)

    def call(self, text: str, arguments: list[Any], shown: list[str]) -> _Tried | None:
        """None where the call runs too long or gives too much. `shown`: the arguments' literals; they may change."""
        reached: set[int] = set()
        self.space["tick"] = iter([None] * _PASSES).__next__
        self.space["hit"] = reached.add
        try:
            result = self.space["f"](*arguments)
        except (StopIteration, _TooLong):
            return None
        except Exception as error:
            return _Tried(text, type(error).__name__, False, False, reached)
        try:
            told = repr(result)
        except ValueError:  # an int of thousands of digits
            return None
        if len(told) > (_LONGEST_TEXT if type(result) is str else _LONGEST):
            return None
        if type(result) is int and abs(result) >= _MOST_INT:
            return None
        return _Tried(text, told, True, told in shown, reached)


def _short_range(*bounds: int) -> range:
    found = range(*bounds)
    if len(found) > _RANGE:
        raise _TooLong
    return found


def _calls(writer: _Writer, source: str) -> tuple[Invocation, ...]:
    """Calls that show what the program does; none where they would not."""
    runner = _Runner(source)
    values = Values(writer.rnd, writer.literals, writer.parameters, source)
    found: dict[str, _Tried] = {}
    results: set[str] = set()
    reached: set[int] = set()
    for turn in range(_TRIES):
        if (len(results) >= _CALLS and len(reached) == runner.blocks) or (turn >= 3 and len(results) < turn - 2):
            break
        arguments = values.arguments()
        if writer.has_default and writer.rnd() < 0.4:
            arguments.pop()
        shown = [repr(each) for each in arguments]
        text = f"f({', '.join(shown)})"
        if text in found or len(text) > _LONGEST:
            continue
        tried = runner.call(text, arguments, shown)
        if tried is not None:
            found[text] = tried
            reached |= tried.reached
            if tried.returned and not tried.plain:
                results.add(tried.result)
    runner.space.clear()  # the function and its globals hold each other
    if len(reached) < runner.blocks and writer.rnd() < 0.15:
        return ()
    kept = _chosen(found.values(), writer.rnd)
    return tuple(Invocation(each.text) for each in found.values() if each in kept)


def _chosen(tried: Collection[_Tried], rnd: Callable[[], float]) -> list[_Tried]:
    """Three calls that differ in what they reach and give; none where there are no such."""
    good = [each for each in tried if each.returned]
    bad = [each for each in tried if not each.returned]
    if len(good) < 2 or len(bad) > len(good) or sum(each.plain for each in good) * 2 > len(good):
        return []
    if len(good) == _CALLS and not bad and len({each.result for each in good}) == _CALLS:
        return good
    kept: list[_Tried] = []
    told: set[str] = set()
    seen: set[int] = set()
    while good and len(kept) < _CALLS:
        best = max(good, key=lambda e: (e.result not in told) * 3 - e.plain * 2 + min(2, len(e.reached - seen)))
        good.remove(best)
        kept.append(best)
        told.add(best.result)
        seen |= best.reached
    if bad and (len(kept) < _CALLS or rnd() < 0.6):
        kept[_CALLS - 1 :] = bad[:1]
    return kept if len(kept) == _CALLS and len({each.result for each in kept if each.returned}) > 1 else []


class ShortSource(NumberedSource):
    """The grammar as a source (see `NumberedSource`)."""

    name = "short"
    generate = staticmethod(generate_short)

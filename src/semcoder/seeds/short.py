"""An unlimited stream of short random functions over strings, lists, dicts and numbers, such as people write as puzzles.

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
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from semcoder.core.records import Invocation, Origin, Program
from semcoder.errors import UsageError
from semcoder.seeds import _grammar_short as tables
from semcoder.seeds._engine import Pools, Production, Table, Var, Writer, blocks_table, lines_table
from semcoder.seeds._short_values import Literals, Values

# The grammar ---------------------------------------------------------------------------------------------------------

_LISTS = ({"L": "li", "E": "i", "V": "v"}, {"L": "ls", "E": "s", "V": "word"})
_DICTS = (
    {"D": "dsi", "K": "s", "Q": "key", "E": "i", "M": "ls"},
    {"D": "dss", "K": "s", "Q": "key", "E": "s", "M": "ls"},
    {"D": "dis", "K": "i", "Q": "ki", "E": "s", "M": "li"},
    {"D": "dii", "K": "i", "Q": "ki", "E": "i", "M": "li"},
)
_GENERIC = re.compile(r"(?<=[<:_])[DEKLMQV]\b|(?<=also )E\b|(?<=; )E\b")


def _expanded(sections: str, pattern: str) -> Iterator[tuple[tuple[str, ...], str]]:
    """The sections of a table by their types; those of generic types once for each."""
    parts = re.split(pattern, sections.strip(), flags=re.M)
    for header, body in zip(parts[1::2], parts[2::2], strict=True):
        types = tuple(re.split("[> ]", header))
        choices = _LISTS if "L" in types else _DICTS if "D" in types else ({},)
        for known in choices:
            yield tuple(known.get(each, each) for each in types), _GENERIC.sub(lambda m: known.get(m[0], m[0]), body)  # noqa: B023


def _operations() -> dict[str, dict[str, Table]]:
    found: dict[str, dict[str, Table]] = {}
    for (source, result), body in _expanded(tables.OPERATIONS, r"^(\w+>\w+)$"):
        row = found.setdefault(source, {})
        row[result] = row.get(result, ()) + lines_table(body)
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
_NAMED = {"i": 0.5, "s": 0.55, "c": 0.5, "ch": 0.35, "word": 0.35, "v": 0.3, "key": 0.4, "ki": 0.4, "at": 0.3, "cut": 0.3}
_WORD = re.compile(r"'(?:[^'\\]|\\.)*'|[A-Za-z_]\w*")


#: A comparison or difference of something with itself.
_SAME = re.compile(r"(?<![\w.\])])([\w\[\]]+) (?:[=!]=|[<>]=?|in|-|//|%) \1(?![\w.\[(])")


class _Stuck(Exception):
    """There is nothing that could be written here."""


# Writing -------------------------------------------------------------------------------------------------------------


class _Writer(Writer):
    """Writes one attempt at a program. Raises `_Stuck` where it comes to nothing.

    `unread`: variables whose value nothing has used yet; `gathered`: what the loop being written accumulates, and
    `hidden`: what must not be read, for values to stay small.
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
        self.loops = 0
        self.may_continue = False
        self.ended = False
        self.chain = 0.16

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
        if var.name.isidentifier():
            self.unread.pop(var.name, None)
        else:
            self.unread.pop(var.name, None)
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
        found = [var for var in self.fitting(kind) if var is not self.subject]
        if self.may_ask(kind) and (not found or self.rnd() < 0.3):
            return self.read(self.parameter(kind))
        return self.read(self.newest(found)) if found else None

    def target(self, kind: str) -> Var | None:
        return self.choose(kind)

    # Expressions

    def expr(self, kind: str, depth: int, need: int = 0) -> str:
        form = kind[:2]
        if form == "e_":
            return self.operation(kind[2:], depth, need) or self.leaf(kind[2:], need)
        if form == "o_":
            assert self.subject is not None
            text = self.operation(kind[2:], depth, need, self.subject)
            if text is None:
                raise _Stuck
            return text
        if kind == "r":
            return self.returned()
        if kind == "b":
            text = self.operation("b", depth, need)
            if text is None:
                raise _Stuck
            return text
        if depth > 0 and kind in _PLAIN and self.rnd() > _PLAIN[kind]:
            return self.operation(kind, depth, need) or self.leaf(kind, need)
        return self.leaf(kind, need)

    def table(self, source: str, kind: str) -> Table | None:
        operations = self.grammar.operations
        own = operations.get(source, {}).get(kind)
        return own if own is not None else operations.get(tables.BASES.get(source, ""), {}).get(kind)

    def operation(self, kind: str, depth: int, need: int, on: Var | None = None) -> str | None:
        """An operation that gives a value of this type; None where no variable has one."""
        for _ in range(4):
            var = on or self.operand(kind)
            table = var and self.table(var.type, kind)
            if not var or not table:
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
        return self.fill(production, depth - 1, {"A": name})

    def operand(self, kind: str) -> Var | None:
        found = [var for var in self.visible if var.name not in self.hidden and self.table(var.type, kind)]
        passing = [var for var in found if not var.mutable and self.unread.get(var.name) is var]
        if passing and self.rnd() < 0.93:
            return passing[-1] if self.rnd() < 0.75 else passing[int(self.rnd() * len(passing))]
        if not self.loops and self.rnd() < 0.25:
            for other in self.others:
                if self.may_ask(other) and self.table(other, kind):
                    return self.parameter(other)
        return self.newest(found) if found else None

    def leaf(self, kind: str, need: int = 0) -> str:
        """A name, a new parameter or a literal."""
        found = self.fitting(kind)
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
            text = self.fill(production, 2, names)
        self.subject = subject
        if text is None:
            return None
        for sigil, key, kind in production.names:
            if sigil == "@" and kind:
                self.push(self.variable(names[key], kind))
        if "self" in production.flags:
            self.unread[var.name] = var
        if "end" in production.flags:
            self.ended = True
        return text

    def loop(self, production: Production, names: dict[str, str]) -> str | None:
        """A loop that accumulates, after what it starts from."""
        assert self.subject is not None
        walked = [kind for sigil, _, kind in production.names if sigil == "$" and kind]
        walked += [kind for kind, _ in production.also]
        binder = walked[-1] if walked else "i"
        made: dict[Var, str] = {}
        gathered = []
        self.read(self.subject)
        for _ in range(2 if self.rnd() < 0.1 else 1):
            kind = self.pick(tables.GATHERS.get(binder) or tables.GATHERS["i"])
            known = [v for v in self.unread.values() if v.type == kind and v in self.visible and v is not self.subject]
            if known and self.rnd() < 0.4:
                gathered.append(known[-1])
                continue
            text = self.literals.first(kind)
            var = self.variable(self.fresh(kind, True), kind)
            gathered.append(var)
            made[var] = f"{var.name} = {text}"
        outer = self.gathered
        self.gathered = gathered
        for var in gathered:
            if var not in self.visible:
                self.push(var)
        self.loops += 1
        text = self.fill(production, 2, names)
        self.loops -= 1
        self.gathered = outer
        if text is None:
            return None
        if self.idle(production, names, text) and self.rnd() < 0.85:
            raise _Stuck
        words = set(_WORD.findall(text))
        for var in gathered:
            if var.name in words:
                self.unread[var.name] = var
            elif var in made:
                self.pop(var)
        return "\n".join([line for var, line in made.items() if var.name in words] + [text])

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
            lines = text.split("\n") if text else []
            reads = any(name not in self.unread for name, var in walked.items() if not var.mutable)
            if text and len(set(lines)) == len(lines) and (
                (reads or self.rnd() < 0.1) and not self.idle(production, names, text)
            ):
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
        count = 1 if r < 0.2 else 2 if r < 0.54 else 3 if r < 0.81 else 4 if r < 0.93 else 5
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
        if not left:
            left = [self.newest(self.visible)]
        if len(left) >= 2:
            a, b = left[-1], left[-2]
            tables_ = self.grammar.pairs
            base = tables.BASES
            table = tables_.get((base.get(a.type, a.type), base.get(b.type, b.type)))
            if len(left) == 2 and table and self.rnd() < 0.75:
                text = self.fill(table[int(self.rnd() * len(table))], 1, {"A": a.name, "B": b.name})
                if text is not None:
                    return text
            if any(var.type in ("si", "ss") for var in left):
                raise _Stuck
            names = ", ".join(var.name for var in (left if self.rnd() < 0.5 else left[::-1]))
            return f"return [{names}]" if self.rnd() < 0.3 else f"return {names}"
        var = left[0]
        kind = var.type if var.type in self.grammar.results else tables.BASES.get(var.type, var.type)
        table = self.grammar.results.get(kind)
        if not table:
            raise _Stuck
        self.subject = var
        for _ in range(4):
            text = self.fill(table[int(self.rnd() * len(table))], 2, {"A": var.name})
            if text is not None:
                return text
        raise _Stuck

    def write(self) -> str:
        """The source."""
        var = self.parameter(self.first)
        kinds = tables.WHOLE.get(self.first)
        if kinds and self.rnd() < 0.12:
            self.wanted += 1
            self.chain = 0.55
            text = self.operation(self.pick(kinds), 4, 0, var)
            if text is None:
                raise _Stuck
            lines = [f"return {text}"]
        else:
            lines = self.lines()
            if not self.ended:
                lines.append(self.result())
        body = "\n".join(lines)
        names = set(_WORD.findall(body)) | set(re.findall(r"[A-Za-z_]\w*", " ".join(re.findall(r"{([^{}]*)}", body))))
        self.parameters = [var for var in self.parameters if var.name in names]
        if not self.parameters or body.count("\n") > 12 or _SAME.search(body):
            raise _Stuck
        if sum(map(body.count, "([+*%=")) < 3 and self.rnd() < 0.7:
            raise _Stuck
        head = ", ".join(var.name for var in self.parameters)
        source = f"def f({head}):\n    " + body.replace("\n", "\n    ") + "\n"
        if '"' not in source and self.rnd() < 0.12:
            source = source.replace("'", '"')
        return source


# The whole -----------------------------------------------------------------------------------------------------------

_TRIES = 6
_CALLS = 3
_PASSES = 100
_LONGEST = 220
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
        calls = _calls(writer, source)
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


def _calls(writer: _Writer, source: str) -> tuple[Invocation, ...]:
    """Calls that show what the program does; none where they would not.

    Runs the program: it is of this module's own grammar. Each block tells that it was reached, and a loop that runs
    too often is ended by `StopIteration`.
    """
    count = itertools.count()
    marked = _HEADER.sub(
        lambda m: f"{m[0]}\n{m[1]}    {'tick() or ' if m[2] else ''}hit({next(count)})", source
    )
    space: dict[str, Any] = {}
    exec(compile(marked, "<short>", "exec"), space)
    blocks = next(count)
    values = Values(writer.rnd, writer.literals, writer.parameters, source)
    found: dict[str, _Tried] = {}
    results: set[str] = set()
    reached: set[int] = set()
    for turn in range(_TRIES):
        if (len(results) >= _CALLS and len(reached) == blocks) or (turn == 3 and not results):
            break
        arguments = values.arguments()
        shown = [repr(each) for each in arguments]
        text = f"f({', '.join(shown)})"
        if text not in found and len(text) < _LONGEST:
            tried = _tried(space, text, arguments, shown)
            if tried is not None:
                found[text] = tried
                reached |= tried.reached
                if tried.returned and not tried.plain:
                    results.add(tried.result)
    if len(reached) < blocks and writer.rnd() < 0.4:
        return ()
    return _chosen(list(found.values()), writer.rnd)


def _tried(space: dict[str, Any], text: str, arguments: list[Any], shown: list[str]) -> _Tried | None:
    """None where the call runs too long or gives too much."""
    reached: set[int] = set()
    space["tick"] = iter([None] * _PASSES).__next__
    space["hit"] = reached.add
    try:
        result = space["f"](*arguments)
    except StopIteration:
        return None
    except Exception as error:
        return _Tried(text, type(error).__name__, False, False, reached)
    told = repr(result)
    if len(told) > (_LONGEST if type(result) is not str else 150) or (isinstance(result, (int, float)) and abs(result) >= 10**7):
        return None
    return _Tried(text, told, True, told in shown, reached)


def _chosen(tried: list[_Tried], rnd: Callable[[], float]) -> tuple[Invocation, ...]:
    good = [each for each in tried if each.returned]
    bad = [each for each in tried if not each.returned]
    results = {each.result for each in good}
    if len(good) < 2 or len(bad) > len(good) or len(results) < 2:
        return ()
    if sum(each.plain for each in good) * 2 > len(good):
        return ()
    kept: list[_Tried] = []
    while good and len(kept) < _CALLS:
        told = {each.result for each in kept}
        seen = set().union(*(each.reached for each in kept)) if kept else set()
        best = max(good, key=lambda e: (e.result not in told) * 3 - e.plain * 4 + min(2, len(e.reached - seen)))
        good.remove(best)
        kept.append(best)
    if bad and (len(kept) < _CALLS or rnd() < 0.6):
        kept = [*kept[: _CALLS - 1], bad[0]]
    if len(kept) < _CALLS:
        return ()
    return tuple(Invocation(each.text) for each in tried if each in kept)


class ShortSource:
    """Programs of the seeds 0, 1, ...: `short:COUNT` or `short:COUNT:FIRSTSEED`; without a count they never end.

    Raises `UsageError` on a malformed `spec`.
    """

    name = "short"

    def __init__(self, spec: str = "") -> None:
        numbers = re.fullmatch(r"(?:(\d+)(?::(\d+))?)?", spec)
        if numbers is None:
            raise UsageError(f"short: {spec!r} is not understood; write 1000 or 1000:3 (how many, and the first seed)")
        self._count = int(numbers[1]) if numbers[1] else None
        self._first = int(numbers[2] or 0)

    def programs(self) -> Iterator[Program]:
        for program, _ in self.cases():
            yield program

    def cases(self) -> Iterator[tuple[Program, tuple[Invocation, ...]]]:
        """The programs with their calls."""
        seed = self._first
        while self._count is None or seed < self._first + self._count:
            yield generate_short(seed)
            seed += 1

    def examples(self, program: Program) -> tuple[Invocation, ...]:
        """The calls that a program of this source was generated with; none for any other program."""
        seed = program.origin.path
        if program.origin.source != self.name or not seed.isdecimal():
            return ()
        generated, calls = generate_short(int(seed))
        return calls if generated == program else ()

"""An unlimited stream of typed random Python programs.

Guarantees: `generate(seed)` depends on the seed alone (not on the process, its hash seed or earlier calls); every
program parses, terminates, and reads no file, clock, network or randomness; its result does not depend on the order of
a set of strings; calls are over literals. Values stay small because no value that a loop accumulates flows back into
what the loop accumulates (`_Writer.fed` and `_Writer.grown`).
It does not guarantee that a call returns (about one in ten raises, on purpose), that every statement matters, or that
two seeds give two programs. Another version of this module gives other programs for the same seeds.

How it works: the grammar is text, in `semcoder.seeds._grammar`, and `semcoder.seeds._engine` fills its templates.
"""

from __future__ import annotations

import functools
import random
from collections.abc import Callable
from dataclasses import dataclass, field

from semcoder.core.records import Invocation, Origin, Program
from semcoder.seeds._engine import Pools, Production, Table, Var, Writer, blocks_table, lines_table
from semcoder.seeds._grammar import (
    BRIDGES,
    BYTES,
    CHARS,
    CLASSES,
    COMPOUND,
    CONTAINERS,
    DEFS,
    DOCS,
    EXPRESSIONS,
    FUNCTIONS,
    LONG,
    ODD,
    PARAMS,
    PHRASES,
    PRINTABLE,
    RETURNS,
    RISKY,
    SHORT,
    SIMPLE,
    WORDS,
)
from semcoder.seeds._numbered import NumberedSource


@dataclass(frozen=True)
class _Grammar:
    """The compiled grammar. `simple` and `compound`: (outside loops, inside loops)."""

    expressions: dict[str, Table]
    risky: dict[str, Table]
    bridges: dict[str, Table]
    simple: tuple[Table, Table]
    compound: tuple[Table, Table]
    definitions: Table


@functools.cache
def _grammar() -> _Grammar:
    simple, compound = blocks_table(SIMPLE), blocks_table(COMPOUND)

    def split(table: Table) -> tuple[Table, Table]:
        return tuple(p for p in table if "in" not in p.flags), tuple(p for p in table if "flat" not in p.flags)

    return _Grammar(
        {kind: lines_table(text) for kind, text in EXPRESSIONS.items()},
        {kind: lines_table(text) for kind, text in RISKY.items()},
        {kind: lines_table(text) for kind, text in BRIDGES.items()},
        split(simple),
        split(compound),
        blocks_table(DEFS),
    )


class _Literals:
    """Random literal text of each type; `filled` asks for a non-empty one."""

    def __init__(self, rnd: Callable[[], float]) -> None:
        self.rnd = rnd
        self._quote = "'" if rnd() < 0.4 else '"'

    def of(self, kind: str, filled: bool = False) -> str:
        """Raises KeyError for a type that has no literals."""
        return _LITERALS[kind](self, filled)

    def _size(self, filled: bool) -> int:
        r = self.rnd()
        return 0 if r < 0.08 and not filled else 1 + int(r * 5)

    def int_(self, filled: bool = False) -> str:
        r = self.rnd()
        if r < 0.7:
            return str(int(self.rnd() * 13))
        if r < 0.8:
            return str(-int(self.rnd() * 12) - 1)
        return str(int(self.rnd() * (120 if r < 0.97 else 100_000)))

    def small(self, filled: bool = False) -> str:
        return str(int(self.rnd() * 7) + filled)

    def float_(self, filled: bool = False) -> str:
        return f"{int(self.rnd() * 400) / 8 - 5}"

    def text(self, filled: bool = False) -> str:
        r = self.rnd()
        if r < 0.08 and not filled:
            return self._quote * 2
        if r < 0.14:
            return ODD[int(self.rnd() * len(ODD))]
        words = PHRASES if r < 0.4 else WORDS
        return self._quote + words[int(self.rnd() * len(words))] + self._quote

    def char(self, filled: bool = False) -> str:
        return self._quote + CHARS[int(self.rnd() * len(CHARS))] + self._quote

    def bool_(self, filled: bool = False) -> str:
        return "True" if self.rnd() < 0.5 else "False"

    def bytes_(self, filled: bool = False) -> str:
        return BYTES[int(self.rnd() * (3 if filled else len(BYTES)))]

    def many(self, part: str, filled: bool, form: str) -> str:
        return form % ", ".join([self.of(part, True) for _ in range(self._size(filled))])

    def set_(self, part: str, filled: bool) -> str:
        return self.many(part, True, "{%s}") if filled or self.rnd() < 0.9 else "set()"

    def dict_(self, key: str, value: str, filled: bool) -> str:
        pairs = [f"{self.of(key, True)}: {self.of(value, True)}" for _ in range(self._size(filled) % 4 or filled)]
        return "{" + ", ".join(pairs) + "}"

    def pair(self, first: str, second: str) -> str:
        return f"({self.of(first, True)}, {self.of(second, True)})"


_LITERALS: dict[str, Callable[[_Literals, bool], str]] = {
    "i": _Literals.int_,
    "n": _Literals.small,
    "k": lambda one, _: str(int(one.rnd() * 8) + 2),
    "w": lambda one, _: str(int(one.rnd() * 12) + 3),
    "f": _Literals.float_,
    "s": _Literals.text,
    "c": _Literals.char,
    "b": _Literals.bool_,
    "y": _Literals.bytes_,
    "li": lambda one, filled: one.many("i", filled, "[%s]"),
    "ls": lambda one, filled: one.many("s", filled, "[%s]"),
    "lf": lambda one, filled: one.many("f", filled, "[%s]"),
    "lli": lambda one, filled: one.many("li", filled, "[%s]"),
    "lp": lambda one, filled: one.many("tsi", filled, "[%s]"),
    "si": lambda one, filled: one.set_("i", filled),
    "ss": lambda one, filled: one.set_("c", filled),
    "dsi": lambda one, filled: one.dict_("s", "i", filled),
    "dis": lambda one, filled: one.dict_("i", "s", filled),
    "dsl": lambda one, filled: one.dict_("c", "li", filled),
    "t2": lambda one, _: one.pair("i", "i"),
    "tsi": lambda one, _: one.pair("s", "i"),
    "iq": lambda one, _: one.small(),
    "sq": lambda one, _: f"str({one.small()})",
    "fq": lambda one, _: one.float_(),
    "liq": lambda one, _: one.of("li"),
    "digits": lambda one, _: str(int(one.rnd() * 500)),
    "hex": lambda one, _: f"{int(one.rnd() * 4000):x}",
    "doc": lambda one, _: DOCS[int(one.rnd() * len(DOCS))],
    "kw": lambda one, _: f'{{"a": {one.small()}, "b": {one.small()}}}',
}


@dataclass(slots=True)
class _Frame:
    """What holds for the function being written. `fed`: groups that feed what the current loop accumulates;
    `grown`: groups that it accumulates. No group is ever in both, so nothing grows faster than its loops run."""

    level: int = 0
    returns: str = ""
    loop: int = 0
    may_break: bool = False
    may_continue: bool = False
    fed: set[int] = field(default_factory=set)
    grown: set[int] = field(default_factory=set)


_POOLS = Pools(SHORT, LONG, FUNCTIONS, CLASSES)


class _Writer(Writer):
    """Writes one program."""

    def __init__(self, seed: int) -> None:
        rnd = random.Random(seed).random
        super().__init__(rnd, _POOLS)
        self.grammar = _grammar()
        self.literals = _Literals(rnd)
        self.scope: dict[str, list[Var]] = {kind: [] for kind in _LITERALS}
        self.calls: dict[str, list[tuple[Production, dict[str, str]]]] = {}
        self.frame = _Frame()
        self.risk = 0.12 if rnd() < 0.24 else 0.0
        self.raising = rnd() < 0.3
        self.budget = 0
        self.nest = 0
        self.trail: list[Var] = []
        self.filled: set[Var] = set()

    # Names and variables

    def variable(self, name: str, kind: str, *, mutable: bool = True, filled: bool = False, group: int = 0) -> Var:
        var = super().variable(name, kind, mutable=mutable, filled=filled, group=group)
        var.level = self.frame.level
        return var

    def push(self, var: Var) -> None:
        self.scope[var.type].append(var)
        if var.type in ("n", "c"):
            self.scope["i" if var.type == "n" else "s"].append(var)

    def pop(self, var: Var) -> None:
        self.scope[var.type].remove(var)
        if var.type in ("n", "c"):
            self.scope["i" if var.type == "n" else "s"].remove(var)

    def choose(self, kind: str, *, header: bool = False) -> Var | None:
        """A variable to read, the newest most often; None where there is none that may be read here."""
        filled = kind.endswith("1")
        frame = self.frame
        found = self.scope[kind[:-1] if filled else kind]
        if filled:
            found = [var for var in found if var.filled]
        if frame.loop and (self.tame or header) and frame.grown:
            found = [var for var in found if var.group not in frame.grown]
        if not found:
            return None
        r = self.rnd()
        var = found[int((1 - r * r) * len(found)) - 1 if r else -1]
        if frame.loop and (self.tame or header or filled):
            frame.fed.add(var.group)
        if var.type in CONTAINERS:
            self.reads.append(var)
        return var

    def target(self, kind: str) -> Var | None:
        """A variable to change; None where there is none that may be changed here."""
        frame = self.frame
        found = [v for v in self.scope[kind] if v.mutable and v.level == frame.level and v.group not in frame.fed]
        if not found:
            return None
        var = found[int(self.rnd() * len(found))]
        for each in self.scope[kind]:
            if each.group == var.group:
                each.filled = False
        if frame.loop:
            frame.grown.add(var.group)
        return var

    def alias(self, var: Var) -> None:
        """Note that `var` may share objects with what has been read since the statement began."""
        if var.type not in CONTAINERS:
            return
        for other in self.reads:
            old, new = other.group, var.group
            if old == new:
                continue
            for variables in self.scope.values():
                for each in variables:
                    if each.group == old:
                        each.group = new
            other.group = new
            for groups in (self.frame.fed, self.frame.grown):
                if old in groups:
                    groups.add(new)

    # Expressions

    def expr(self, kind: str, depth: int, need: int = 0) -> str:
        """An expression of a type that binds at least as strongly as `need`."""
        if kind == "a":
            kind = self.pick(PRINTABLE)
        elif kind == "ret":
            kind = self.frame.returns
            if kind == "a":
                kind = self.pick(PRINTABLE)
        if kind == "k" or kind[-1] == "1":
            return self.leaf(kind, need)
        rnd = self.rnd
        table = self.grammar.expressions.get(kind)
        if table is None or ((depth <= 0 or rnd() < (0.05 if kind == "b" else 0.25)) and kind[-1] != "q"):
            return self.leaf(kind, need)
        names = None
        calls = self.calls.get(kind)
        if calls and rnd() < 0.3:
            production, names = calls[int(rnd() * len(calls))]
            names = dict(names)
        else:
            if self.risk and rnd() < self.risk:
                table = self.grammar.risky.get(kind, table)
            production = table[int(rnd() * len(table))]
        text = self.fill(production, depth - 1, names)
        if text is None:
            return self.leaf(kind, need)
        return f"({text})" if production.level < need else text

    def leaf(self, kind: str, need: int = 0) -> str:
        if self.scope.get(kind.rstrip("1")) and self.rnd() < (0.97 if kind in CONTAINERS else 0.85):
            var = self.choose(kind)
            if var is not None:
                return var.name
        bridges = self.grammar.bridges.get(kind, ()) if self.rnd() < 0.85 else ()
        for _ in range(6 if bridges else 0):
            production = bridges[int(self.rnd() * len(bridges))]
            bridged = self.fill(production, 0)
            if bridged is not None:
                return f"({bridged})" if production.level < need else bridged
        text = self.literals.of(kind.rstrip("1"), kind[-1] == "1")
        return f"({text})" if need > 12 and (text[0] == "-" or text.isdigit()) else text

    # Statements

    def statement(self) -> str:
        """One statement; what it exports stays in scope."""
        grammar, inside = self.grammar, self.frame.loop > 0
        for _ in range(6):
            compound = self.nest < 3 and self.budget > 2 and self.rnd() < 0.42
            table = (grammar.compound if compound else grammar.simple)[inside]
            production = table[int(self.rnd() * len(table))]
            if (production.loops and self.frame.loop > 1) or (production.flags and not self.allowed(production.flags)):
                continue
            text = self.try_statement(production)
            if text is not None:
                return text
        return "pass"

    def allowed(self, flags: frozenset[str]) -> bool:
        frame = self.frame
        if "raising" in flags and not self.raising:
            return False
        if ("break" in flags and not frame.may_break) or ("continue" in flags and not frame.may_continue):
            return False
        return "guard" not in flags or bool(frame.returns)

    def try_statement(self, production: Production) -> str | None:
        """A statement of this production; None where a variable that it needs is missing."""
        frame = self.frame
        reads, self.reads = self.reads, []
        risk = self.risk
        if "risky" in production.flags:
            self.risk = 0.3
        frame.loop += production.loops
        names: dict[str, str] = {}
        text = self.fill(production, 2, names)
        frame.loop -= production.loops
        if not frame.loop:
            frame.fed.clear()
            frame.grown.clear()
        if text is not None:
            for sigil, key, kind in production.names:
                if sigil == "@" and kind:
                    var = self.variable(names[key], kind)
                    self.alias(var)
                    self.push(var)
                    self.trail.append(var)
                elif sigil == "%" and kind in CONTAINERS:
                    self.alias(next(var for var in self.scope[kind] if var.name == names[key]))
        self.reads, self.risk = reads, risk
        return text

    def block(self, kind: str) -> str:
        """The statements of a hole. `body_T`: of a function that returns a T."""
        outer, reads, tame, risk, mark = self.frame, self.reads, self.tame, self.risk, len(self.trail)
        may = outer.may_break, outer.may_continue
        self.tame, self.nest = False, self.nest + 1
        if risk > 0.12:
            self.risk = 0.0
        if kind.startswith("body"):
            self.frame = _Frame(outer.level + 1, kind[5:])
        elif kind != "block":
            outer.may_break, outer.may_continue = True, kind == "loop"
        r = self.rnd()
        lines = self.lines(1 if r < 0.6 else 2 if r < 0.9 else 3)
        if self.frame is not outer:
            lines.append(self.result())
        outer.may_break, outer.may_continue = may
        self.leave(mark)
        self.frame, self.reads, self.tame, self.risk = outer, reads, tame, risk
        self.nest -= 1
        return "\n".join(lines)

    def lines(self, count: int) -> list[str]:
        found = []
        for _ in range(count):
            if self.rnd() < 0.03:
                found.append(f"# {self.literals.of('doc').lower()}")
            text = self.statement()
            self.budget -= text.count("\n") + 1
            found.append(text)
        return found

    def leave(self, mark: int) -> None:
        """Forget the variables that the trail has gained since `mark`."""
        for var in self.trail[mark:]:
            self.pop(var)
            self.used.discard(var.name)
        del self.trail[mark:]

    def result(self) -> str:
        """The last `return` of a function: of what it built, where that has the type."""
        local = [var for var in self.trail if var.level == self.frame.level]
        r = self.rnd()
        fitting = [var.name for var in local if var.type == self.frame.returns]
        if fitting and r < 0.75:
            return f"return {fitting[-1]}"
        if self.frame.level == 1 and self.nest == 0 and local and r < 0.9:
            if len(local) > 1 and r < 0.3:
                return f"return {local[-1].name}, {local[-2].name}"
            return f"return {local[-1].name}"
        return f"return {self.expr('ret', 2)}"

    # The whole

    def definition(self) -> str:
        """A module-level definition; what may be called from now on is noted."""
        table = self.grammar.definitions
        production = table[int(self.rnd() * len(table))]
        if "rare" in production.flags and self.rnd() < 0.7:
            return self.definition()
        names: dict[str, str] = {}
        self.budget = 6
        text = self.fill(production, 2, names)
        assert text is not None, "a definition reads no variables"
        for kind, call in production.uses:
            self.calls.setdefault(kind, []).append((call, names))
        return text

    def parameters(self) -> list[Var]:
        r = self.rnd()
        found = []
        for _ in range(1 if r < 0.45 else 2 if r < 0.85 else 3):
            kind = self.pick(PARAMS)
            var = self.variable(self.fresh(kind, True), kind, mutable=kind != "n", filled=self.rnd() < 0.75)
            found.append(var)
        return found

    def write(self) -> tuple[str, tuple[Invocation, ...]]:
        """The source and its calls."""
        r = self.rnd()
        definitions = [self.definition() for _ in range(0 if r < 0.55 else 1 if r < 0.9 else 2)]
        self.frame = _Frame(1, self.pick(RETURNS))
        parameters = self.parameters()
        self.filled = {var for var in parameters if var.filled}  # the calls must keep what the body relies on
        for var in parameters:
            self.push(var)
        default = self.literals.of(parameters[-1].type, True) if self.rnd() < 0.12 else ""
        if parameters[-1].type in CONTAINERS:  # a default that calls share would tie their results together
            default = ""
        head = ", ".join(var.name for var in parameters) + (f"={default}" if default else "")
        count = 1 + int(self.rnd() * 4) + int(self.rnd() * 3)
        self.budget = 3 + count * 2
        lines = [f'"""{self.literals.of("doc")}."""'] if self.rnd() < 0.12 else []
        lines += self.lines(count)
        lines.append(self.result())
        body = "\n".join(lines).replace("\n", "\n    ")
        parts = ["\n".join(sorted(self.imports))] if self.imports else []
        parts += [*definitions, f"def f({head}):\n    {body}"]
        return "\n\n".join(parts) + "\n", self.invocations(parameters, bool(default))

    def invocations(self, parameters: list[Var], default: bool) -> tuple[Invocation, ...]:
        found: dict[str, Invocation] = {}
        for _ in range(1 + int(self.rnd() * 3)):
            given = parameters[:-1] if default and self.rnd() < 0.5 else parameters
            values = [self.literals.of(var.type, var in self.filled or self.rnd() < 0.75) for var in given]
            if given and self.rnd() < 0.06:
                values[-1] = f"{given[-1].name}={values[-1]}"
            text = f"f({', '.join(values)})"
            found[text] = Invocation(text)
        return tuple(found.values())


def generate(seed: int) -> tuple[Program, tuple[Invocation, ...]]:
    """The program of a seed (entry `f`) and 1 to 3 different calls of it. The same seed always gives the same."""
    source, invocations = _Writer(seed).write()
    return Program(source, "f", Origin("generator", path=str(seed)), "CC0-1.0"), invocations


class GeneratorSource(NumberedSource):
    """The grammar as a source (see `NumberedSource`)."""

    name = "generator"
    generate = staticmethod(generate)

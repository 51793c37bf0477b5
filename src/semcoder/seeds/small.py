"""An unlimited stream of small random programs, for studies on models too small for the generator's.

Guarantees: `generate_small(seed)` depends on the seed alone; a program is one function `f` of 4 to 9 lines over small
ints, short lists of small ints and short strings of digits, with a loop that accumulates; every statement may bear on
the result (those on which no later use or return depends are not written), every parameter is read, every call returns,
and the calls do not all give the same or just their argument back; programs terminate and reach nothing outside.
Values stay small: no loop multiplies what it accumulates, and none runs more than a few times.
It does not promise variety: two seeds may give the same program, and indexing, slices and `len` are rare, string
methods very rare. Another version of this module gives other programs for the same seeds.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from semcoder.core.records import Invocation, Origin, Program
from semcoder.seeds._numbered import NumberedSource

Kind = str
#: Names by type of value: int, list, str.
_NAMES: dict[Kind, Sequence[str]] = {"int": "nmk", "list": ("xs", "ys"), "str": "st"}
_LOOP_NAMES: dict[Kind, str] = {"int": "i", "list": "x", "str": "c"}
_DIGITS = "0123456"
_NEGATED = {"==": "!=", "!=": "==", ">": "<=", "<": ">="}
#: Results beyond are not "small".
_MOST_INT, _MOST_ITEMS = 99, 8
_CALLS = 3


@dataclass(frozen=True, slots=True)
class _Node:
    """A statement. `condition`: left, operator, right of an `if`; `binds`: the variable of a `for`."""

    text: str
    reads: frozenset[str]
    writes: frozenset[str] = frozenset()
    replaces: bool = True
    body: tuple[_Node, ...] = ()
    orelse: tuple[_Node, ...] = ()
    condition: tuple[str, str, str] | None = None
    binds: str = ""
    is_while: bool = False


# What of a program its result depends on -----------------------------------------------------------------------------


def _needed(nodes: Sequence[_Node], live: frozenset[str]) -> tuple[tuple[_Node, ...], frozenset[str]]:
    """The statements on which variables in `live` may depend after them, and what these read before them."""
    kept: list[_Node] = []
    for node in reversed(nodes):
        new, live = _needed_of(node, live)
        if new is not None:
            kept.append(new)
    return tuple(reversed(kept)), live


def _needed_of(node: _Node, live: frozenset[str]) -> tuple[_Node | None, frozenset[str]]:
    if node.condition is not None:
        return _needed_branch(node, live)
    if node.body:
        return _needed_loop(node, live)
    if not node.writes & live:
        return None, live
    return node, (live - node.writes if node.replaces else live) | node.reads


def _needed_branch(node: _Node, live: frozenset[str]) -> tuple[_Node | None, frozenset[str]]:
    assert node.condition is not None
    body, before_body = _needed(node.body, live)
    orelse, before_orelse = _needed(node.orelse, live)
    if not body and not orelse:
        return None, live
    condition = node.condition
    if not body:
        body, orelse = orelse, ()
        condition = (condition[0], _NEGATED[condition[1]], condition[2])
    kept = _Node(f"if {' '.join(condition)}:", node.reads, body=body, orelse=orelse, condition=condition)
    return kept, before_body | before_orelse | node.reads


def _needed_loop(node: _Node, live: frozenset[str]) -> tuple[_Node | None, frozenset[str]]:
    if not _needed(node.body, live)[0]:
        return None, live
    after = live | (node.reads if node.is_while else frozenset())
    while True:
        body, before = _needed(node.body, after)
        if before - {node.binds} <= after:
            break
        after |= before - {node.binds}
    kept = _Node(node.text, node.reads, body=body, binds=node.binds, is_while=node.is_while)
    return kept, after | node.reads


def _lines(nodes: Sequence[_Node], indent: str) -> Iterator[str]:
    for node in nodes:
        yield indent + node.text
        yield from _lines(node.body, indent + "    ")
        if node.orelse:
            yield f"{indent}else:"
            yield from _lines(node.orelse, indent + "    ")


# Writing -------------------------------------------------------------------------------------------------------------


@dataclass
class _Writer:
    """Writes one attempt at a program."""

    rnd: Callable[[], float]
    scope: dict[Kind, list[str]] = field(default_factory=lambda: {"int": [], "list": [], "str": []})
    nodes: list[_Node] = field(default_factory=list)
    #: Parameters that are ints: each may count one `while` down.
    counters: list[str] = field(default_factory=list)

    def pick(self, options: Sequence[str]) -> str:
        return options[int(self.rnd() * len(options))]

    def number(self, least: int, most: int) -> str:
        return str(least + int(self.rnd() * (most - least + 1)))

    def fresh(self, kind: Kind) -> str | None:
        """The first name that is not yet used; None where all are."""
        return next((name for name in _NAMES[kind] if name not in self.scope[kind]), None)

    def literal(self, kind: Kind) -> str:
        if kind == "int":
            return self.number(0, 6)
        if kind == "list":
            return f"[{', '.join(self.number(0, 6) for _ in range(2 + int(self.rnd() * 1.5)))}]"
        return repr("".join(self.pick(_DIGITS) for _ in range(2 + int(self.rnd() * 1.5))))

    # Expressions

    def small(self) -> str:
        """An int variable, or a digit where there is none."""
        return self.pick(self.scope["int"]) if self.scope["int"] else self.number(1, 9)

    def int_of(self, name: str) -> str:
        """An int expression of a variable (or a digit)."""
        r = self.rnd()
        if r < 0.4:
            return name
        if r < 0.75:
            return f"{name} + {self.number(1, 3)}"
        if r < 0.85:
            return f"{name} - 1"
        return f"{name} * 2"

    def from_parts(self) -> str | None:
        """An int out of a list or a string; None where there is none in scope."""
        options = [f"{xs}[{place}]" for xs in self.scope["list"] for place in ("0", "-1")]
        options += [f"len({name})" for kind in ("list", "str") for name in self.scope[kind]]
        return self.pick(options) if options else None

    def condition(self, over: str, kind: Kind) -> tuple[str, str, str]:
        """A comparison of a variable of this kind."""
        if kind == "str":
            return over, self.pick(("==", "!=")), repr(self.pick(_DIGITS))
        if self.rnd() < 0.4:
            return f"{over} % 2", "==", "0"
        return over, self.pick("<>"), self.number(2, 4)

    # Statements

    def assign(self, name: str, kind: Kind, text: str) -> _Node:
        self.scope[kind].append(name)
        return _Node(f"{name} = {text}", _read(text), frozenset({name}))

    def update(self, name: str, kind: Kind, over: str = "", over_kind: Kind = "int") -> _Node:
        """A change of a variable by a step, which a loop may repeat; `over`: of this variable, of that kind."""
        written = frozenset({name})
        part = self.part(name, kind, over, over_kind)
        if kind == "list":
            return _Node(f"{name}.append({part})", _read(part) | written, written, replaces=False)
        if kind == "str" and self.rnd() < 0.4:
            return _Node(f"{name} = {part} + {name}", _read(part) | written, written)
        sign = "-=" if kind == "int" and self.rnd() < 0.15 else "+="
        return _Node(f"{name} {sign} {part}", _read(part) | written, written)

    def part(self, name: str, kind: Kind, over: str, over_kind: Kind) -> str:
        """What a step adds: never what depends on `name` itself, so that nothing grows by itself."""
        if kind == "str":
            return over if over_kind == "str" and over else repr(self.pick(_DIGITS))
        if over and over_kind == "int":
            return self.int_of(over)
        return self.number(1, 3)

    def simple(self) -> _Node | None:
        """An assignment at the function's own level; None where all names are taken."""
        kind = self.pick([kind for kind, names in self.scope.items() if names])
        old = self.pick(self.scope[kind])
        if self.rnd() < 0.35:
            return self.update(old, kind)
        new = self.fresh(kind)
        if new is None:
            return None
        if kind == "int":
            text = self.from_parts() if self.rnd() < 0.5 else None
            return self.assign(new, kind, text or self.int_of(old))
        if kind == "list":
            return self.assign(
                new, kind, self.pick((f"{old}[::-1]", f"{old}[1:]", f"{old}[:2]", f"{old} + [{self.small()}]"))
            )
        a, b = self.pick(_DIGITS), self.pick(_DIGITS)
        replaced = f"{old}.replace({a!r}, {b!r})" if a != b else f"{old} + {a!r}"
        return self.assign(new, kind, self.pick((f"{old}[::-1]", f"{old}[1:]", f"{old}[:2]", replaced)))

    def branch(self) -> _Node:
        kind = self.pick([kind for kind, names in self.scope.items() if names])
        name = self.pick(self.scope[kind])
        if self.scope["int"]:
            return self.choice(self.condition(self.pick(self.scope["int"]), "int"), name, kind)
        over = self.pick([*self.scope["list"], *self.scope["str"]])
        return self.choice((f"len({over})", self.pick("<>"), self.number(2, 3)), name, kind)

    def choice(
        self, condition: tuple[str, str, str], name: str, kind: Kind, over: str = "", over_kind: Kind = "int"
    ) -> _Node:
        body = (self.update(name, kind, over, over_kind),)
        orelse = (self.update(name, kind, over, over_kind),) if self.rnd() < 0.5 else ()
        text = " ".join(condition)
        return _Node(
            f"if {text}:", _read(text), body=body, orelse=() if orelse == body else orelse, condition=condition
        )

    def loop(self) -> Iterator[_Node]:
        """A loop that accumulates, with the first value of what it does where that is new."""
        kind = self.pick(("int", "int", "list", "str" if self.scope["str"] else "int"))
        name = self.fresh(kind)
        if name is None or (self.scope[kind] and self.rnd() < 0.15):
            name = self.pick(self.scope[kind])
        else:
            yield self.assign(name, kind, {"int": self.number(0, 3), "list": "[]", "str": "''"}[kind])
        counters = [each for each in self.counters if each != name]
        if counters and self.rnd() < 0.5:
            yield self.while_loop(self.pick(counters), name, kind)
            return
        over_kind = self.pick([k for k in ("list", "str") if [n for n in self.scope[k] if n != name]] or ["int"])
        over = _LOOP_NAMES[over_kind]
        sequences = [n for n in self.scope[over_kind] if n != name]
        through = self.pick(sequences) if over_kind != "int" else f"range({self.number(2, 3)})"
        of = "str" if over_kind == "str" else "int"
        yield _Node(f"for {over} in {through}:", _read(through), body=(self.step(name, kind, over, of),), binds=over)

    def step(self, name: str, kind: Kind, over: str, over_kind: Kind) -> _Node:
        if self.rnd() < 0.4:
            return self.choice(self.condition(over, over_kind), name, kind, over, over_kind)
        return self.update(name, kind, over, over_kind)

    def while_loop(self, counter: str, name: str, kind: Kind) -> _Node:
        self.counters.remove(counter)
        down = _Node(f"{counter} -= {self.number(2, 4)}", frozenset({counter}), frozenset({counter}))
        body = (self.step(name, kind, counter, "int"), down)
        return _Node(f"while {counter} > 0:", frozenset({counter}), body=body, is_while=True)

    def write(self) -> tuple[str, list[Kind]] | None:
        """The source and the types of its parameters; None where the attempt failed."""
        kinds = [self.pick(("int", "list", "list", "list", "str")) for _ in range(1 if self.rnd() < 0.9 else 2)]
        parameters = []
        for kind in kinds:
            name = self.fresh(kind)
            if name is None:
                return None
            self.scope[kind].append(name)
            parameters.append(name)
            if kind == "int":
                self.counters.append(name)
        self.nodes.extend(self.loop())
        if self.rnd() < 0.35:
            part = self.rnd()
            self.nodes.extend(
                self.loop() if part < 0.1 else filter(None, [self.branch() if part < 0.4 else self.simple()])
            )
        result = self.result()
        kept, live = _needed(self.nodes, _read(result))
        lines = [f"def f({', '.join(parameters)}):", *_lines(kept, "    "), f"    return {result}"]
        if live != frozenset(parameters) or not any(node.binds or node.is_while for node in kept) or len(lines) > 9:
            return None
        return "\n".join(lines) + "\n", kinds

    def result(self) -> str:
        """What is returned: something that was written."""
        name = self.pick(sorted({name for node in self.nodes for name in _written(node)}))
        others = [each for each in self.scope["int"] if each != name]
        if name in self.scope["int"] and others and self.rnd() < 0.15:
            return f"{name} {self.pick('+-')} {self.pick(others)}"
        return name


_WORD = re.compile(r"'[^']*'|\.\w+|\b[a-z]\w*")
_KEYWORDS = frozenset({"len", "range"})


def _read(text: str) -> frozenset[str]:
    """The variables of an expression."""
    return frozenset(_WORD.findall(text)) - _KEYWORDS - {w for w in _WORD.findall(text) if w[0] in "'."}


def _written(node: _Node) -> Iterator[str]:
    yield from node.writes
    for part in (*node.body, *node.orelse):
        yield from _written(part)


# The whole -----------------------------------------------------------------------------------------------------------


def generate_small(seed: int) -> tuple[Program, tuple[Invocation, ...]]:
    """The program of a seed (entry `f`) and 1 to 3 different calls of it, all of which return."""
    rnd = random.Random(seed).random
    while True:
        writer = _Writer(rnd)
        written = writer.write()
        calls = written and _calls(writer, *written)
        if written and calls:
            return Program(written[0], "f", Origin("small", path=str(seed)), "CC0-1.0"), calls


def _calls(writer: _Writer, source: str, kinds: Sequence[Kind]) -> tuple[Invocation, ...]:
    """Calls that return small values; none where they would not show what the program does.

    Runs the program: it is of this module's own grammar.
    """
    texts = dict.fromkeys(f"f({', '.join(map(writer.literal, kinds))})" for _ in range(_CALLS))
    space: dict[str, object] = {}
    exec(compile(source, "<small>", "exec"), space)
    found: dict[str, object] = {}
    for text in texts:
        try:
            found[text] = eval(text, space)
        except (IndexError, ValueError):  # of an empty list
            return ()
    arguments = {text: eval(f"({text[2:-1]},)") for text in texts}
    is_plain = all(result in arguments[text] for text, result in found.items())
    is_constant = len({repr(result) for result in found.values()}) == 1
    is_small = all(_is_small(result) for result in found.values())
    return () if is_plain or is_constant or not is_small else tuple(map(Invocation, found))


def _is_small(result: object) -> bool:
    if isinstance(result, int):
        return abs(result) <= _MOST_INT
    if isinstance(result, list):
        return len(result) <= _MOST_ITEMS and all(map(_is_small, result))
    return isinstance(result, str) and len(result) <= _MOST_ITEMS


class SmallSource(NumberedSource):
    """The grammar as a source (see `NumberedSource`)."""

    name = "small"
    generate = staticmethod(generate_small)

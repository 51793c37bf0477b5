"""Executes instructions and writes down what happens, in the steps in which the built-in model is to think.

Guarantees: every value is computed by Python's own operators and methods on real values; what is written about an
instruction is what the rules below say and nothing that a reader would have to know from elsewhere. A run ends with
`return` and the value, or with `!` and the exception's type. Raises `Unsupported` for values that the language cannot
write, and for runs longer than `limit` tokens.

How an instruction is written: its label; small steps where the operation is more than a look (operands beside each
other, positions, marks where something was found); then `→` and the result, `v3 =` and the result, or `return` and the
result. What is looked up, sliced or counted is first written with positions, unless it was and has not changed since.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from semcoder.nano.flatten import RETURN, TEMP, Flat, Instruction, Operand
from semcoder.nano.notation import (
    IDS,
    LABELS,
    VARIABLES,
    Unsupported,
    char_tokens,
    ordered,
    write,
    write_int,
    write_positions,
)

#: Values beyond are not for the built-in model.
LONGEST_TEXT, MOST_ITEMS, LARGEST_INT = 200, 100, 10**12

_BINARY: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv, "//": operator.floordiv,
    "%": operator.mod, "**": operator.pow, "&": operator.and_, "|": operator.or_, "^": operator.xor,
    "<<": operator.lshift, ">>": operator.rshift,
}  # fmt: skip
_INPLACE: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "+": operator.iadd, "-": operator.isub, "*": operator.imul, "/": operator.itruediv, "//": operator.ifloordiv,
    "%": operator.imod, "**": operator.ipow, "&": operator.iand, "|": operator.ior, "^": operator.ixor,
    "<<": operator.ilshift, ">>": operator.irshift,
}  # fmt: skip
_UNARY: Final[dict[str, Callable[[Any], Any]]] = {
    "neg": operator.neg, "pos": operator.pos, "not": operator.not_, "inv": operator.inv,
}  # fmt: skip
_COMPARE: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "==": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
    "in": lambda a, b: a in b, "notin": lambda a, b: a not in b, "is": operator.is_, "isnot": operator.is_not,
}  # fmt: skip
_CONVERSIONS: Final[dict[str, Callable[[Any], str]]] = {"r": repr, "s": str, "a": ascii}
_MUTATORS: Final[dict[type, frozenset[str]]] = {
    list: frozenset(["append", "clear", "extend", "insert", "pop", "remove", "reverse", "sort"]),
    dict: frozenset(["clear", "pop", "popitem", "setdefault", "update"]),
    set: frozenset(["add", "clear", "discard", "pop", "remove", "update"]),
}
_VIEWS: Final[tuple[type[Any], ...]] = (type({}.keys()), type({}.values()), type({}.items()))
_UNSET: Final = object()
_SCALARS: Final = frozenset((int, bool, float, type(None)))


@dataclass(slots=True)
class Run:
    """`tokens`: what happened; `value` where the call returned, else `exception`, the type's name; `steps` executed."""

    tokens: list[str]
    value: Any = None
    exception: str = ""
    steps: int = 0


class _Walk:
    """What a loop walks: its kind, what it walks over, and how far it is."""

    __slots__ = ("at", "kind", "length", "over")

    def __init__(self, kind: str, over: Any, length: int = -1) -> None:
        self.kind, self.over, self.at, self.length = kind, over, 0, length


def execute(flat: Flat, arguments: Sequence[Any], *, limit: int = 2000, terse: bool = False) -> Run:
    """Runs a function on arguments, which it may change.

    `terse`: only variables' new values and the end are written, as a scratchpad of lines does.
    """
    return _Machine(flat, arguments, limit, terse).run()


class _Machine:
    def __init__(self, flat: Flat, arguments: Sequence[Any], limit: int, terse: bool) -> None:
        self.flat = flat
        self.code = flat.code
        self.registers: list[Any] = [_UNSET] * (VARIABLES + LABELS)
        missing = flat.params - len(arguments)
        if missing < 0 or missing > len(flat.defaults):
            raise Unsupported("a call with other arguments than the function's parameters")
        given = [*arguments, *flat.defaults[len(flat.defaults) - missing :]]
        self.registers[: len(given)] = given
        self.out: list[str] = []
        self.limit = limit
        #: What was last written with positions, by the token that names it.
        self.shown: dict[str, Any] = {f"v{i}": _snapshot(value) for i, value in enumerate(given) if _sized(value)}
        self.puts: dict[int, list[Any]] = {}
        self.ran: dict[int, int] = {}
        self.pending: BaseException | None = None
        self.steps = 0
        self.result: Any = None
        self.terse = terse
        #: Where in `out` the current step begins to say what a variable becomes, or what is returned; -1: nowhere.
        self.told = -1

    def run(self) -> Run:
        pc = 0
        while pc >= 0:
            one = self.code[pc]
            self.steps += 1
            if len(self.out) > self.limit:
                raise Unsupported("a run too long for the built-in model")
            before = len(self.out)
            self.out.append(f"L{pc}")
            self.told = -1
            try:
                pc = _STEPS[one.op](self, one, pc)
                if self.terse:
                    del self.out[before if self.told < 0 else before + 1 : self.told if self.told >= 0 else None]
            except Unsupported:
                raise
            except RecursionError as error:
                raise Unsupported("values too deep") from error
            except Exception as error:
                if type(error).__name__ not in IDS:
                    raise Unsupported("an exception that the language has no word for") from error
                self.out += ["!", type(error).__name__]
                self.pending = error
                pc = one.handler
                if pc < 0:
                    return Run(self.out, None, type(error).__name__, self.steps)
        return Run(self.out, self.result, "", self.steps)

    # Reading and writing

    def get(self, operand: Operand) -> Any:
        if operand.index < 0:
            assert operand.make is not None
            return operand.make()
        value = self.registers[operand.index]
        if value is _UNSET:
            raise UnboundLocalError
        return value

    def gets(self, one: Instruction) -> list[Any]:
        return [None if each is None else self.get(each) for each in one.operands]

    def echo(self, value: Any) -> None:
        self.out += write(value)

    def small(self, value: Any) -> bool:
        return type(value) in _SCALARS or (type(value) is str and len(value) <= 1)

    def give(self, one: Instruction, pc: int, value: Any, *, positions: bool = False) -> int:
        """Writes the result and stores it."""
        _bounded(value)
        if one.target != TEMP and self.told < 0:
            self.told = len(self.out)
        if one.target == RETURN:
            self.out.append("return")
            self.out += write(value)
            self.result = value
            return -1
        if one.target >= 0:
            name = f"v{one.target}"
            self.out += (name, "=")
            self.registers[one.target] = value
        else:
            name = f"L{pc}"
            self.out.append("→")
            self.registers[VARIABLES + pc] = value
            self.ran[pc] = self.steps
        if positions or isinstance(value, _VIEWS):
            self.out += _positions(value)
            self.shown[name] = _snapshot(value)
        else:
            self.out += write(value)
            self.shown.pop(name, None)
        return pc + 1

    def quietly(self, one: Instruction, pc: int, value: Any) -> int:
        """Stores a result that was not to be written."""
        self.registers[VARIABLES + pc] = value
        self.ran[pc] = self.steps
        return pc + 1

    def with_positions(self, operand: Operand, value: Any) -> None:
        """Makes sure that a value stands in the text with positions."""
        if not _sized(value):
            return
        name = operand.tokens[0] if operand.index >= 0 else ""
        snapshot = _snapshot(value)
        if name and self.shown.get(name, _UNSET) == snapshot:
            return
        if name:
            self.out.append(name)
            self.shown[name] = snapshot
        self.out += _positions(value)

    def changed(self, target: Any) -> None:
        """Writes anew every variable that holds an object that was changed."""
        _bounded(target)
        for i in range(len(self.flat.names)):
            value = self.registers[i]
            if value is target or (type(value) in _CONTAINERS and _holds(value, target)):
                self.told = len(self.out) if self.told < 0 else self.told
                self.out += (f"v{i}", "=")
                self.out += write(value)

    # Plain instructions

    def do_move(self, one: Instruction, pc: int) -> int:
        return self.give(one, pc, self.get(one.operands[0]))  # type: ignore[arg-type]

    def do_binary(self, one: Instruction, pc: int) -> int:
        left, right = self.gets(one)
        _affordable(one.name, left, right)
        if self.small(left) and self.small(right) and type(left) is not str:
            self.echo(left)
            self.out.append(one.name)
            self.echo(right)
        elif one.name == "*":
            self.echo(right if type(right) is int else left)
        return self.give(one, pc, _BINARY[one.name](left, right))

    def do_augmented(self, one: Instruction, pc: int) -> int:
        left, right = self.gets(one)
        _affordable(one.name, left, right)
        if self.small(left) and self.small(right) and type(left) is not str:
            self.echo(left)
            self.out.append(one.name)
            self.echo(right)
        value = _INPLACE[one.name](left, right)
        if value is left and type(left) in _CONTAINERS:
            if one.target >= 0:
                self.registers[one.target] = value
            else:
                self.quietly(one, pc, value)
            self.changed(value)
            return pc + 1
        return self.give(one, pc, value)

    def do_unary(self, one: Instruction, pc: int) -> int:
        (value,) = self.gets(one)
        if self.small(value):
            self.out.append(one.name)
            self.echo(value)
        return self.give(one, pc, _UNARY[one.name](value))

    def do_compare(self, one: Instruction, pc: int) -> int:
        left, right = self.gets(one)
        value = _COMPARE[one.name](left, right)
        self.echo(left)
        self.out.append(one.name)
        if one.name in ("in", "notin") and type(right) in (str, list, tuple, dict, set, frozenset):
            self.search(right, left)
        else:
            self.echo(right)
        return self.give(one, pc, value)

    def do_index(self, one: Instruction, pc: int) -> int:
        base, key = self.gets(one)
        if type(base) in (str, list, tuple) and type(key) is int:
            self.with_positions(one.operands[0], base)  # type: ignore[arg-type]
            place = key + len(base) if key < 0 else key
            self.out.append(f"#{place}" if 0 <= place < len(base) else "#99")
        else:
            self.echo(key)
        return self.give(one, pc, base[key])

    def bounds(self, one: Instruction, base: Any, values: Sequence[Any]) -> slice:
        """Writes where a slice begins and ends, as positions."""
        part = slice(*values)
        if type(base) in (str, list, tuple):
            self.with_positions(one.operands[0], base)  # type: ignore[arg-type]
            start, stop, step = part.indices(len(base))
            if step == 1:
                self.out += (f"#{start}", ":", f"#{max(start, stop)}")
            else:
                self.out += write_int(step)
        return part

    def do_slice(self, one: Instruction, pc: int) -> int:
        base, *values = self.gets(one)
        part = self.bounds(one, base, values)
        value = base[part]
        if part.step not in (None, 1):
            self.picks(base, range(*part.indices(len(base))))
        return self.give(one, pc, value)

    def picks(self, base: Any, places: Sequence[int]) -> None:
        """The elements at these positions, each with its position."""
        self.out.append("⟦")
        text = type(base) is str
        for place in places:
            self.out.append(f"#{place}")
            self.out += char_tokens(base[place]) if text else write(base[place])
        self.out.append("⟧")

    def do_display(self, one: Instruction, pc: int) -> int:
        found: list[Any] = []
        for value, star in zip(self.gets(one), one.parts, strict=True):
            found += list(value) if star else [value]
        made = found if one.name == "[" else tuple(found) if one.name == "(" else set(found)
        return self.give(one, pc, made)

    def do_dict(self, one: Instruction, pc: int) -> int:
        values = self.gets(one)
        found: dict[Any, Any] = {}
        for i in range(0, len(values), 2):
            if one.operands[i] is None:
                found.update(values[i + 1])
            else:
                found[values[i]] = values[i + 1]
        return self.give(one, pc, found)

    def do_fstr(self, one: Instruction, pc: int) -> int:
        text = ""
        for value, (conversion, spec) in zip(self.gets(one), one.parts, strict=True):
            shown = _CONVERSIONS[conversion](value) if conversion else value
            text += format(_plain(shown), spec)
        return self.give(one, pc, text)

    # Where control goes

    def do_if(self, one: Instruction, pc: int) -> int:
        (value,) = self.gets(one)
        self.out.append("True" if value else "False")
        return pc + 1 if value else one.jump

    def do_unless(self, one: Instruction, pc: int) -> int:
        (value,) = self.gets(one)
        self.out.append("True" if value else "False")
        return one.jump if value else pc + 1

    def do_goto(self, one: Instruction, pc: int) -> int:
        return one.jump

    def do_join(self, one: Instruction, pc: int) -> int:
        labels = [each.index - VARIABLES for each in one.operands if each is not None]
        last = max((label for label in labels if label in self.ran), key=lambda label: self.ran[label])
        return self.give(one, pc, self.registers[VARIABLES + last])

    def do_assert(self, one: Instruction, pc: int) -> int:
        (value,) = self.gets(one)
        self.out.append("True" if value else "False")
        if not value:
            raise AssertionError
        return pc + 1

    def do_try(self, one: Instruction, pc: int) -> int:
        return pc + 1

    def do_except(self, one: Instruction, pc: int) -> int:
        error = self.pending
        assert error is not None
        kinds = {each.__name__ for each in type(error).__mro__}
        caught = not one.parts or any(name in kinds for name in one.parts)
        self.out.append("True" if caught else "False")
        if not caught and one.jump < 0:
            raise error
        return pc + 1 if caught else one.jump

    # Loops

    def do_iter(self, one: Instruction, pc: int) -> int:
        (value,) = self.gets(one)
        if one.resets >= 0:
            self.puts[one.resets] = []
        if isinstance(value, (set, frozenset)):
            value = _stable(value)
        if isinstance(value, (range, _Walk)):
            walk = value if isinstance(value, _Walk) else _Walk("range", value)
        elif isinstance(value, (str, list, tuple, dict, *_VIEWS)):
            self.with_positions(one.operands[0], value)  # type: ignore[arg-type]
            walk = _Walk("iter", value, -1 if isinstance(value, (str, list, tuple)) else _length(value))
        else:
            iter(value)
            raise Unsupported("a walk over this")
        return self.quietly(one, pc, walk)

    def do_walk(self, one: Instruction, pc: int) -> int:
        values = self.gets(one)
        if one.resets >= 0:
            self.puts[one.resets] = []
        if one.name == "range":
            made = range(*values)
            if len(made) >= MOST_ITEMS:
                raise Unsupported("a range of 100 elements or more")
            self.echo(made)
            return self.quietly(one, pc, _Walk("range", made))
        for operand, value in zip(one.operands, values, strict=True):
            if isinstance(value, (set, frozenset, _Walk)):
                raise Unsupported("a walk over this")
            iter(value) if one.name == "zip" or operand is one.operands[0] else None
            if not isinstance(value, range):
                self.with_positions(operand, value)  # type: ignore[arg-type]
        plain = len(values) - len(one.parts)
        if one.name == "enumerate":
            return self.quietly(one, pc, _Walk("enumerate", (values[0], values[1] if len(values) > 1 else 0)))
        if plain != len(values):
            raise Unsupported("a strict zip")
        return self.quietly(one, pc, _Walk("zip", values))

    def do_for(self, one: Instruction, pc: int) -> int:
        over = one.operands[0]
        assert over is not None
        walk = self.registers[over.index]
        variables, single = one.parts
        element = self.advance(walk, over)
        if walk.at >= MOST_ITEMS:
            raise Unsupported("a loop of 100 passes or more")
        self.out.append(f"#{walk.at}")
        if element is _UNSET:
            self.out.append("end")
            return one.jump
        walk.at += 1
        if single:
            self.bind(variables[0], element)
            return pc + 1
        values = list(element)
        if len(values) != len(variables):
            raise ValueError
        for variable, value in zip(variables, values, strict=True):
            self.bind(variable, value)
        return pc + 1

    def advance(self, walk: _Walk, over: Operand) -> Any:
        """The next element, or `_UNSET` at the end."""
        at = walk.at
        if walk.kind == "range":
            return walk.over[at] if at < len(walk.over) else _UNSET
        if walk.kind == "enumerate":
            values, start = walk.over
            self.again(over, values)
            return (start + at, _element(values, at)) if at < len(values) else _UNSET
        if walk.kind == "zip":
            if not walk.over or any(at >= len(each) for each in walk.over):
                return _UNSET
            return tuple(_element(each, at) for each in walk.over)
        if walk.length >= 0 and len(walk.over) != walk.length:
            raise RuntimeError
        self.again(over, walk.over)
        return _element(walk.over, at) if at < len(walk.over) else _UNSET

    def again(self, over: Operand, value: Any) -> None:
        """Writes what is walked once more if it no longer stands in the text as it is now."""
        origin = self.code[over.index - VARIABLES].operands[0]
        assert origin is not None
        snapshot = _snapshot(value)
        own = over.tokens[0]
        if self.shown.get(own, _UNSET) == snapshot:
            return
        if origin.index < 0:
            return
        if self.registers[origin.index] is value and self.shown.get(origin.tokens[0], _UNSET) == snapshot:
            return
        self.out.append(own)
        self.out += _positions(value)
        self.shown[own] = snapshot

    def bind(self, variable: int, value: Any) -> None:
        self.registers[variable] = value
        self.shown.pop(f"v{variable}", None)
        self.told = len(self.out) if self.told < 0 else self.told
        self.out += (f"v{variable}", "=")
        self.echo(value)

    def do_put(self, one: Instruction, pc: int) -> int:
        values = self.gets(one)
        into = self.puts.setdefault(pc, [])
        if len(into) >= MOST_ITEMS - 1:
            raise Unsupported("a comprehension of 100 elements or more")
        self.out.append(f"#{len(into)}")
        self.echo(values[0])
        if len(values) > 1:
            self.out.append(":")
            self.echo(values[1])
        hash(values[0]) if len(values) > 1 else None
        into.append(values[0] if len(values) == 1 else tuple(values))
        return one.jump

    def do_end(self, one: Instruction, pc: int) -> int:
        operand = one.operands[0]
        assert operand is not None
        found = self.puts[operand.index - VARIABLES]
        made: Any = list(found) if one.name == "list" else set(found) if one.name == "set" else dict(found)
        return self.give(one, pc, made, positions=one.name == "list" and one.target != RETURN)

    # Changing objects

    def do_setitem(self, one: Instruction, pc: int) -> int:
        base, key, value = self.gets(one)
        if type(base) is list and type(key) is int:
            self.with_positions(one.operands[0], base)  # type: ignore[arg-type]
            place = key + len(base) if key < 0 else key
            self.out.append(f"#{place}" if 0 <= place < len(base) else "#99")
        else:
            self.echo(key)
        base[key] = value
        self.changed(base)
        return pc + 1

    def do_setslice(self, one: Instruction, pc: int) -> int:
        base, *values = self.gets(one)
        part = self.bounds(one, base, values[:3])
        base[part] = values[3]
        self.changed(base)
        return pc + 1

    def do_delitem(self, one: Instruction, pc: int) -> int:
        base, key = self.gets(one)
        if type(base) is list and type(key) is int:
            self.with_positions(one.operands[0], base)  # type: ignore[arg-type]
            place = key + len(base) if key < 0 else key
            self.out.append(f"#{place}" if 0 <= place < len(base) else "#99")
        else:
            self.echo(key)
        del base[key]
        self.changed(base)
        return pc + 1

    def do_delslice(self, one: Instruction, pc: int) -> int:
        base, *values = self.gets(one)
        part = self.bounds(one, base, values)
        del base[part]
        self.changed(base)
        return pc + 1

    def do_delname(self, one: Instruction, pc: int) -> int:
        operand = one.operands[0]
        assert operand is not None
        self.get(operand)
        self.registers[operand.index] = _UNSET
        return pc + 1

    def do_unpack(self, one: Instruction, pc: int) -> int:
        (value,) = self.gets(one)
        if isinstance(value, (set, frozenset, _Walk)):
            raise Unsupported("an unpacking of this")
        values = list(value)
        stars = [i for i, (_, star) in enumerate(one.parts) if star]
        if stars:
            extra = len(values) - (len(one.parts) - 1)
            if extra < 0:
                raise ValueError
            at = stars[0]
            values[at : at + extra] = [values[at : at + extra]]
        if len(values) != len(one.parts):
            raise ValueError
        for (variable, _), each in zip(one.parts, values, strict=True):
            self.bind(variable, each)
        return pc + 1

    # Calls

    def arguments(self, one: Instruction, values: list[Any]) -> tuple[list[Any], dict[str, Any]]:
        plain = len(values) - len(one.parts)
        return [_plain(each) for each in values[:plain]], dict(zip(one.parts, values[plain:], strict=True))

    def do_method(self, one: Instruction, pc: int) -> int:
        base, *values = self.gets(one)
        arguments, keywords = self.arguments(one, values)
        name, kind = one.name, type(base)
        if isinstance(base, (_Walk, range)) or callable(base):
            raise Unsupported("a method of this")
        function = getattr(base, name)
        if name in _MUTATORS.get(kind, ()):
            return self.mutate(one, pc, base, name, arguments, keywords)
        if kind is str:
            _bounded_padding(name, arguments)
            self.before_text(one, base, name, arguments, keywords)
        elif kind in (list, tuple) and name in ("index", "count"):
            if len(arguments) == 1:
                self.search(base, arguments[0], count=name == "count")
        elif kind is dict and arguments and name == "get":
            self.echo(arguments[0])
        value = function(*arguments, **keywords)
        return self.give(one, pc, value)

    def mutate(
        self, one: Instruction, pc: int, base: Any, name: str, arguments: list[Any], keywords: dict[str, Any]
    ) -> int:
        """A method that changes its object: what it gives back, if anything, then what the object has become."""
        if type(base) is list:
            if name == "insert" and len(arguments) == 2 and type(arguments[0]) is int:
                self.with_positions(one.operands[0], base)  # type: ignore[arg-type]
                at = arguments[0]
                self.out.append(f"#{max(0, at + len(base)) if at < 0 else min(at, len(base))}")
            elif name == "pop" and (not arguments or type(arguments[0]) is int):
                self.with_positions(one.operands[0], base)  # type: ignore[arg-type]
                at = arguments[0] if arguments else -1
                place = at + len(base) if at < 0 else at
                self.out.append(f"#{place}" if 0 <= place < len(base) else "#99")
            elif name == "remove" and arguments:
                self.search(base, arguments[0])
            elif name == "reverse" and not arguments:
                self.with_positions(one.operands[0], base)  # type: ignore[arg-type]
                self.picks(base, range(len(base) - 1, -1, -1))
            elif name == "sort" and "key" in keywords:
                self.sort_keyed(base, keywords)
                self.changed(base)
                return self.none(one, pc)
            elif name == "sort" and not arguments:
                self.sort_picks(one, base, keywords)
        elif type(base) is dict and arguments and name in ("pop", "setdefault"):
            self.echo(arguments[0])
        elif type(base) is set and name == "pop":
            raise Unsupported("an element of a set, in no order")
        value = getattr(base, name)(*arguments, **keywords)
        if value is None and name not in ("pop", "setdefault"):
            self.changed(base)
            return self.none(one, pc)
        if one.target == RETURN:
            return self.give(one, pc, value)
        after = self.give(one, pc, value)
        self.changed(base)
        return after

    def none(self, one: Instruction, pc: int) -> int:
        if one.target == TEMP:
            return self.quietly(one, pc, None)
        return self.give(one, pc, None)

    def sort_keyed(self, base: list[Any], keywords: dict[str, Any]) -> None:
        keys = keywords["key"]
        order = sorted(range(len(base)), key=keys.__getitem__, reverse=bool(keywords.get("reverse", False)))
        self.picks(keys, order)
        base[:] = [base[i] for i in order]

    def before_text(
        self, one: Instruction, base: str, name: str, arguments: list[Any], keywords: dict[str, Any]
    ) -> None:
        """What is written before a string method's result."""
        first = arguments[0] if arguments else None
        operand = one.operands[0]
        assert operand is not None
        if name.startswith("is"):
            self.echo(base)
        elif name in ("startswith", "endswith") and type(first) is str and len(arguments) == 1:
            self.echo(first)
            self.out.append(":")
            self.echo(base[: len(first)] if name == "startswith" else base[max(0, len(base) - len(first)) :])
        elif name in ("find", "index", "rfind", "rindex") and type(first) is str:
            self.with_positions(operand, base)
            start, stop, _ = slice(*arguments[1:3]).indices(len(base)) if len(arguments) > 1 else (0, len(base), 1)
            if len(arguments) > 1:
                self.out += (f"#{start}", ":", f"#{max(start, stop)}")
            self.matches(base[start:stop], first, start, first_only=name in ("find", "index"))
        elif name == "count" and type(first) is str and len(arguments) == 1:
            self.counted(base, first)
        elif name in ("rpartition", "partition") and type(first) is str:
            self.with_positions(operand, base)
            self.matches(base, first, 0, first_only=name == "partition")
        elif name in ("split", "rsplit", "replace") and type(first) is str and first:
            if len(first) > 1 or len(arguments) + len(keywords) > (2 if name == "replace" else 1):
                self.counted(base, first)
        elif name in ("ljust", "rjust", "center", "zfill") and type(first) is int:
            self.with_positions(operand, base)
            self.out += (f"#{len(base)}", ":", *write_int(first), "-", *write_int(max(0, first - len(base))))

    def matches(self, text: str, part: str, offset: int, *, first_only: bool) -> None:
        """The text, with the position written wherever the part begins; up to the first such place, if so asked."""
        self.out.append("“")
        for i, char in enumerate(text):
            if part and text.startswith(part, i):
                self.out += ("‹", f"#{i + offset}")
                if first_only:
                    return
            self.out += char_tokens(char)
        self.out.append("”")

    def counted(self, text: str, part: str) -> None:
        """The text, with what matches in brackets, numbered."""
        self.out.append("“")
        i, found = 0, 0
        while i < len(text):
            if part and text.startswith(part, i):
                found += 1
                self.out += ("‹", *write_int(found))
                for char in part:
                    self.out += char_tokens(char)
                self.out.append("›")
                i += len(part)
            else:
                self.out += char_tokens(text[i])
                i += 1
        self.out.append("”")

    def search(self, values: Any, wanted: Any, *, count: bool = False) -> None:
        """The elements one by one, up to the wanted one; with `count`, all of them, the wanted ones numbered."""
        if type(values) is str:
            if type(wanted) is str:
                self.matches(values, wanted, 0, first_only=True)
            return
        self.out.append("⟦")
        found = 0
        for i, each in enumerate(ordered(values) if isinstance(values, (set, frozenset)) else values):
            if i >= MOST_ITEMS:
                raise Unsupported("a sequence of 100 elements or more")
            self.out.append(f"#{i}")
            self.out += write(each)
            if each is wanted or each == wanted:
                found += 1
                self.out.append("‹")
                if not count:
                    return
                self.out += write_int(found)
        self.out.append("⟧")

    def do_call(self, one: Instruction, pc: int) -> int:
        values = self.gets(one)
        name = one.name
        if "." in name:
            function = str.maketrans if name == "str.maketrans" else dict.fromkeys
            return self.give(one, pc, function(*[_plain(each) for each in values]))
        values = [_listed(each) for each in values]
        arguments, keywords = self.arguments(one, values)
        special = _SPECIAL.get(name)
        if special is not None:
            return special(self, one, pc, arguments, keywords)
        if name not in _CALLED:
            raise Unsupported(f"a call of {name}")
        _reads_order(name, arguments)
        for i, each in enumerate(arguments[: 2 if name not in ("list", "dict", "tuple", "set") else 0]):
            if self.small(each) or name in ("all", "any"):
                self.out += (",",) if i else ()
                self.echo(each)
        value = _CALLED[name](*arguments, **keywords)
        return self.give(one, pc, value)

    def call_len(self, one: Instruction, pc: int, arguments: list[Any], keywords: dict[str, Any]) -> int:
        value = len(*arguments)
        self.with_positions(one.operands[0], arguments[0])  # type: ignore[arg-type]
        return self.give(one, pc, value)

    def call_sum(self, one: Instruction, pc: int, arguments: list[Any], keywords: dict[str, Any]) -> int:
        value = sum(*arguments, **keywords)
        total = arguments[1] if len(arguments) > 1 else keywords.get("start", 0)
        if type(value) in _SCALARS:
            for each in _stable(arguments[0]):
                total = total + each
                self.out.append("+")
                self.echo(total)
        return self.give(one, pc, value)

    def call_extreme(self, one: Instruction, pc: int, arguments: list[Any], keywords: dict[str, Any]) -> int:
        """`max` and `min`: the best so far, element by element."""
        best = max if one.name == "max" else min
        keys = keywords.get("key")
        if keys is not None:
            if not keys:
                return self.give(one, pc, best(arguments[0], **{k: v for k, v in keywords.items() if k != "key"}))
            place = best(range(len(keys)), key=keys.__getitem__)
            self.out.append(f"#{place}")
            self.echo(keys[place])
            return self.give(one, pc, list(_stable(arguments[0]))[place])
        value = best(*arguments, **keywords)
        elements = list(_stable(arguments[0])) if len(arguments) == 1 else arguments
        for i in range(len(elements)):
            self.out += (",",) if i else ()
            self.echo(best(elements[: i + 1]))
        return self.give(one, pc, value)

    def call_sorted(self, one: Instruction, pc: int, arguments: list[Any], keywords: dict[str, Any]) -> int:
        keys = keywords.get("key")
        if keys is None:
            value = sorted(*arguments, **keywords)
            self.sort_picks(one, arguments[0], keywords)
            return self.give(one, pc, value)
        if isinstance(arguments[0], (set, frozenset)):
            raise Unsupported("a set in no order")
        made = list(arguments[0])
        self.sort_keyed(made, keywords)
        return self.give(one, pc, made)

    def sort_picks(self, one: Instruction, base: Any, keywords: dict[str, Any]) -> None:
        """The elements in order, each with the position it has before."""
        if isinstance(base, (str, list, tuple)) and len(base) > 1:
            self.with_positions(one.operands[0], base)  # type: ignore[arg-type]
            reverse = bool(keywords.get("reverse", False))
            self.picks(base, sorted(range(len(base)), key=base.__getitem__, reverse=reverse))

    def call_reversed(self, one: Instruction, pc: int, arguments: list[Any], keywords: dict[str, Any]) -> int:
        value = list(reversed(*arguments))
        if not isinstance(arguments[0], (dict, range, *_VIEWS)):
            self.with_positions(one.operands[0], arguments[0])  # type: ignore[arg-type]
            self.picks(arguments[0], range(len(value) - 1, -1, -1))
        return self.give(one, pc, value)

    def call_isinstance(self, one: Instruction, pc: int, arguments: list[Any], keywords: dict[str, Any]) -> int:
        value = isinstance(*arguments)
        self.out.append(type(arguments[0]).__name__ if arguments[0] is not None else "None")
        return self.give(one, pc, value)


def _method(name: str) -> Callable[[_Machine, Instruction, int], int]:
    return getattr(_Machine, f"do_{name}")  # type: ignore[no-any-return]


_INSTRUCTIONS: Final = (
    "move binary augmented unary compare index slice method call walk display dict fstr iter if unless"
    " goto for join put end setitem setslice delitem delslice delname unpack assert try except"
)
_STEPS: Final = {name: _method(name) for name in _INSTRUCTIONS.split()}
_SPECIAL: Final = {
    "len": _Machine.call_len,
    "sum": _Machine.call_sum,
    "max": _Machine.call_extreme,
    "min": _Machine.call_extreme,
    "sorted": _Machine.call_sorted,
    "reversed": _Machine.call_reversed,
    "isinstance": _Machine.call_isinstance,
}
_CALLED: Final[dict[str, Callable[..., Any]]] = {
    "abs": abs, "all": all, "any": any, "bool": bool, "chr": chr, "dict": dict, "divmod": divmod, "float": float,
    "int": int, "list": list, "ord": ord, "range": range, "repr": repr, "round": round, "set": set,
    "str": str, "tuple": tuple, "type": type, "zip": lambda *a: list(zip(*a, strict=False)),
    "enumerate": lambda *a, **k: list(enumerate(*a, **k)), "frozenset": frozenset,
}  # fmt: skip
_CONTAINERS: Final = frozenset((list, dict, set, tuple))


def _length(value: Any) -> int:
    return len(value)


def _sized(value: Any) -> bool:
    return type(value) in (str, list, tuple, dict, set, frozenset) or isinstance(value, _VIEWS)


def _snapshot(value: Any) -> Any:
    """What `value` is now, comparable with what it will be: strings as they are, else the tokens."""
    if type(value) is str:
        return value
    return write_positions(value) if not isinstance(value, _VIEWS) else _positions(value)


def _positions(value: Any) -> list[str]:
    if isinstance(value, type({}.items())):
        return write_positions(dict(value))
    if isinstance(value, _VIEWS):
        return write_positions(list(value))
    return write_positions(value)


def _element(values: Any, at: int) -> Any:
    if isinstance(values, (str, list, tuple, range)):
        return values[at]
    return list(values)[at]


def _holds(value: Any, target: Any, depth: int = 0) -> bool:
    """Whether `target` is an object inside a container."""
    if depth > 8:
        return False
    inner = value.values() if type(value) is dict else value
    return any(each is target or (type(each) in _CONTAINERS and _holds(each, target, depth + 1)) for each in inner)


def _plain(value: Any) -> Any:
    """A view as an argument: a list (an item of a dict's views is no value of the language)."""
    return list(value) if isinstance(value, _VIEWS) else value


def _listed(value: Any) -> Any:
    """What a builtin gets: a walk made whole."""
    if not isinstance(value, _Walk):
        return value
    raise Unsupported("a walk as a value")


def _stable(value: Any) -> Any:
    """A set in an order that does not hang on hashes, or an error where Python's own order would show."""
    if isinstance(value, (set, frozenset)) and len(value) > 1:
        raise Unsupported("a set in no order")
    return value


def _reads_order(name: str, arguments: Sequence[Any]) -> None:
    if name in ("list", "tuple", "str", "repr", "zip", "enumerate", "dict"):
        for each in arguments:
            _stable(each)
    if name == "range" and len(range(*arguments)) >= MOST_ITEMS:
        raise Unsupported("a range of 100 elements or more")


def _affordable(name: str, left: Any, right: Any) -> None:
    """Refuses what would be too large before it is made."""
    if name in ("*", "**", "<<"):
        numbers = [abs(each) for each in (left, right) if type(each) is int]
        if len(numbers) == 2 and name != "*" and (numbers[1] > 40 or numbers[0] > 10**6):
            raise Unsupported("a number too large")
        if len(numbers) == 1 and numbers[0] > LONGEST_TEXT:
            raise Unsupported("a sequence too long")


def _bounded_padding(name: str, arguments: Sequence[Any]) -> None:
    padding = name in ("ljust", "rjust", "center", "zfill", "expandtabs") and bool(arguments)
    if padding and type(arguments[0]) is int and arguments[0] > LONGEST_TEXT:
        raise Unsupported("a text too long")


def _bounded(value: Any) -> None:
    kind = type(value)
    if kind is str:
        if len(value) > LONGEST_TEXT:
            raise Unsupported("a text too long")
    elif kind is int:
        if not -LARGEST_INT < value < LARGEST_INT:
            raise Unsupported("a number too large")
    elif kind in (list, tuple, dict, set) and len(value) > MOST_ITEMS:
        raise Unsupported("a container too large")

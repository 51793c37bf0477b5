"""Inputs for a program: calls of its entry over literals.

Guarantees: the same program, examples, count and seed give the same candidates in the same order in every process;
each is an `Invocation` of kind `expr` whose arguments are literals that `ast.literal_eval` reads; none comes twice;
nothing is executed. Known examples come first, then changes of them, then made-up arguments.
It does not promise that a candidate returns: run them, and hand those that do to `refine`.
"""

from __future__ import annotations

import ast
import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from semcoder.core import Invocation, Program
from semcoder.mutation.types import Parameter, Shape, Signature, infer
from semcoder.mutation.values import MAX_MEMBERS, Maker, exchanged, text_of

MAX_CALL = 240

#: What a parameter may be if the guess about it is wrong.
_ANY_SHAPE = (
    Shape("str"),
    Shape("int"),
    Shape("bytes"),
    Shape("float"),
    Shape("list", (Shape("str", flavour="word"),)),
    Shape("list", (Shape("int"),)),
    Shape("list", (Shape("tuple", (Shape("str", flavour="word"), Shape("int"))),)),
    Shape("tuple", (Shape("int"),)),
    Shape("dict", (Shape("str", flavour="word"), Shape("str"))),
    Shape("none"),
)


@dataclass(frozen=True, slots=True)
class _Call:
    positional: tuple[Any, ...]
    keywords: tuple[tuple[str, Any], ...]

    def text(self, entry: str) -> str:
        parts = [text_of(value) for value in self.positional]
        parts += [f"{name}={text_of(value)}" for name, value in self.keywords]
        return f"{entry}({', '.join(parts)})"


def propose(program: Program, examples: Sequence[Invocation] = (), *, n: int, seed: int) -> list[Invocation]:
    """Up to `n` candidates; none where a parameter needs what no literal is."""
    return InputFinder(program, seed=seed).propose(examples, n=n)


def refine(program: Program, good: Sequence[Invocation], *, n: int, seed: int) -> list[Invocation]:
    """Up to `n` changes of calls that are known to work, none of them among `good`."""
    return InputFinder(program, seed=seed).refine(good, n=n)


class InputFinder:
    """Candidates for one program; what has been proposed once is not proposed again."""

    def __init__(self, program: Program, *, seed: int) -> None:
        self._entry = program.entry
        self._signature: Signature = infer(program.source, program.entry)
        self._rng = random.Random(f"{seed} {program.id}")
        self._maker = Maker(self._rng, self._signature.texts, self._signature.numbers, self._signature.patterns)
        self._seen: set[str] = set()
        self._doubt = 0.0

    @property
    def signature(self) -> Signature:
        return self._signature

    def hopeless(self) -> str:
        """The name of a required parameter that takes no literal; '' if there is none."""
        for parameter in self._signature.parameters:
            if parameter.required and not parameter.literal:
                return parameter.name
        return ""

    def propose(self, examples: Sequence[Invocation] = (), *, n: int) -> list[Invocation]:
        """Examples, then changes of them for a third of the rest, then generated calls: up to `n`."""
        found = list(self._fresh((e.text for e in examples), n))
        if found:
            found += self._changes([e.text for e in found], (n - len(found)) // 3)
        if not self.hopeless():
            doubts = [0.0] * (3 * n // 4) + [0.35] * (4 * n)
            found += self._fresh(
                (self._generated(k, doubt=doubts[k]).text(self._entry) for k in range(4 * n)), n - len(found)
            )
        return found

    def refine(self, good: Sequence[Invocation], *, n: int) -> list[Invocation]:
        """Changes of good calls: up to `n` that were not proposed before.

        With no good call, the guesses about the parameters are wrong: generated calls that give most of them up.
        """
        if not good:
            if self.hopeless():
                return []
            return list(self._fresh((self._generated(1, doubt=0.8).text(self._entry) for _ in range(4 * n)), n))
        self._seen.update(call.text for call in good)
        return self._changes([call.text for call in good], n)

    def aim(self, call: Invocation, operands: Sequence[tuple[Any, Any]], *, n: int) -> list[Invocation]:
        """Up to `n` changes of a call by what its comparisons found on their two sides.

        Where an argument holds the one side (whole, as a part of a text, or as a length), the other takes its place.
        """
        parsed = _parse(call.text)
        if parsed is None:
            return []
        pairs = [pair for left, right in operands for pair in ((left, right), (right, left))]
        return list(self._fresh((made.text(self._entry) for pair in pairs for made in _exchanged(parsed, *pair)), n))

    def _fresh(self, texts: Iterable[str], n: int) -> Iterator[Invocation]:
        for text in texts:
            if n <= 0:
                return
            if text not in self._seen and len(text) <= MAX_CALL:
                self._seen.add(text)
                n -= 1
                yield Invocation(text)

    def _changes(self, texts: Sequence[str], n: int) -> list[Invocation]:
        calls = [call for text in texts if (call := _parse(text)) is not None]
        if not calls or n <= 0:
            return []
        changed = (self._changed(calls[k % len(calls)], calls).text(self._entry) for k in range(4 * n))
        return list(self._fresh(changed, n))

    def _changed(self, call: _Call, others: Sequence[_Call]) -> _Call:
        """One argument changed (at times two), or taken from another call that works."""
        positional, keywords = list(call.positional), list(call.keywords)
        total = len(positional) + len(keywords)
        for _ in range(1 + (self._rng.random() < 0.35)):
            if not total:
                break
            place = self._rng.randrange(total)
            if place < len(positional):
                donor = self._rng.choice(others).positional
                swap = len(donor) > place and self._rng.random() < 0.15
                positional[place] = donor[place] if swap else self._new_argument(place, positional[place])
            else:
                name, value = keywords[place - len(positional)]
                keywords[place - len(positional)] = (name, self._maker.change(value))
        return _Call(tuple(positional), tuple(keywords))

    def _new_argument(self, place: int, value: Any) -> Any:
        parameters = [p for p in self._signature.parameters if p.kind == "positional"]
        if place < len(parameters) and parameters[place].constants and self._rng.random() < 0.15:
            return self._rng.choice(parameters[place].constants)
        if self._rng.random() < 0.06:  # what it takes was a guess
            return self._maker.make(self._rng.choice(_ANY_SHAPE))
        return self._maker.change(value)

    # -- generating ----------------------------------------------------------------------------------------------

    def _generated(self, number: int, *, doubt: float) -> _Call:
        """A made-up call. Every fourth is plain: likeliest shapes, required parameters only. `doubt` ignores shapes."""
        plain = number % 4 == 0 and not doubt
        self._doubt = doubt
        positional: list[Any] = []
        keywords: list[tuple[str, Any]] = []
        skipped = False
        for parameter in self._signature.parameters:
            if parameter.kind == "*":
                if not skipped:
                    positional += [self._argument(parameter, positional, plain) for _ in range(self._rng.randint(0, 4))]
            elif parameter.kind == "**":
                keywords += self._extra_keywords(parameter, {name for name, _ in keywords})
            elif not parameter.required and (plain or self._rng.random() < 0.5 or not parameter.literal):
                skipped = True
            else:
                value = self._argument(parameter, positional, plain)
                if parameter.kind == "keyword" or skipped:
                    keywords.append((parameter.name, value))
                else:
                    positional.append(value)
        return _Call(tuple(positional), tuple(keywords))

    def _extra_keywords(self, parameter: Parameter, taken: set[str]) -> list[tuple[str, Any]]:
        known = {p.name for p in self._signature.parameters} | taken
        names = [name for name in ("a", "b", "name", "x") if name not in known]
        return [(name, self._argument(parameter, [], False)) for name in names[: self._rng.choice((0, 0, 1, 2))]]

    def _argument(self, parameter: Parameter, before: Sequence[Any], plain: bool) -> Any:
        rng = self._rng
        if parameter.constants and rng.random() < (0.15 if plain else 0.3):
            return rng.choice(parameter.constants)
        if parameter.has_default and parameter.default is not None and rng.random() < 0.3:
            return self._maker.change(parameter.default)
        shape = self._shape(parameter, plain)
        if before and rng.random() < 0.35:
            related = self._related(shape, before)
            if related is not None:
                return related
        return self._maker.make(shape)

    def _shape(self, parameter: Parameter, plain: bool) -> Shape:
        if self._rng.random() < self._doubt:
            return self._rng.choice(_ANY_SHAPE)
        usable = [(shape, weight) for shape, weight in parameter.shapes if shape.is_literal()]
        if not usable:
            return Shape("none")
        if plain or len(usable) == 1:
            return usable[0][0]
        return self._rng.choices([s for s, _ in usable], [w for _, w in usable])[0]

    def _related(self, shape: Shape, before: Sequence[Any]) -> Any:
        """A value that has to do with an earlier argument: an index into it, a part or member of it, a list as long."""
        other = self._rng.choice(before)
        sized = isinstance(other, (str, bytes, list, tuple, dict)) and len(other) > 0
        if isinstance(other, (list, tuple, dict)) and other and self._rng.random() < 0.5:
            member = self._rng.choice(list(other))
            if type(member).__name__ == shape.kind:
                return member
        if shape.kind == "int" and sized:
            return self._rng.randint(0, len(other))
        if shape.kind == "str" and isinstance(other, str) and other:
            i = self._rng.randrange(len(other))
            return other[i : i + self._rng.randint(1, 3)]
        if shape.kind in ("list", "tuple") and isinstance(other, (list, tuple)) and len(shape.parts) == 1:
            made = [self._maker.make(shape.parts[0], 1) for _ in other[:MAX_MEMBERS]]
            return tuple(made) if shape.kind == "tuple" else made
        return None


def _exchanged(call: _Call, seen: Any, wanted: Any) -> Iterator[_Call]:
    """The call with `wanted` for `seen` at one place: each place at which that can be done."""
    for k, value in enumerate(call.positional):
        for new in exchanged(value, seen, wanted):
            yield _Call((*call.positional[:k], new, *call.positional[k + 1 :]), call.keywords)
    for k, (name, value) in enumerate(call.keywords):
        for new in exchanged(value, seen, wanted):
            yield _Call(call.positional, (*call.keywords[:k], (name, new), *call.keywords[k + 1 :]))


def _parse(text: str) -> _Call | None:
    """A call over literals; None for any other expression."""
    try:
        node = ast.parse(text, mode="eval").body
        if not isinstance(node, ast.Call):
            return None
        positional = tuple(ast.literal_eval(arg) for arg in node.args)
        return _Call(positional, tuple((k.arg, ast.literal_eval(k.value)) for k in node.keywords if k.arg))
    except (SyntaxError, ValueError, TypeError, MemoryError, RecursionError):
        return None

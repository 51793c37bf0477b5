"""Which inputs raise, and which return is taken: conditions on the inputs that part one set of cases from all others.

A condition is a conjunction or a disjunction of up to three questions about the inputs: conditions that the code itself
tests, and a small language (type, sign, comparison with the code's constants, length, kinds of text, relations of
two parameters). A question that cannot be asked of an input (its types do not fit, it raises) is answered with no, both
as it stands and turned round.

Guarantees: an exact condition held on every case of the set and on no other; one of the two directions alone is
offered only where no exact one was found. Questions of the code are preferred, then fewer parts.
It does not know why: a condition that fits all inputs that were tried may not be the code's reason.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from semcoder.core.values import literal_text
from semcoder.properties.cases import Case
from semcoder.properties.relations import ABSENT, type_of

Ask = Callable[[Case], "bool | None"]
_NUMBERS = (int, float)
_MANY = (list, tuple, set, frozenset, dict, str, bytes)
#: Cases on each side that a question must part for a combination to count it in: a lower number finds accidents.
MIN_PARTED = 5


@dataclass(frozen=True)
class Question:
    """A question about one input; `of_code`: the program itself asks it."""

    text: str
    ask: Ask
    of_code: bool = False

    def is_true(self, case: Case) -> bool:
        return self.ask(case) is True

    def negated(self) -> Question:
        ask = self.ask

        def turned(case: Case) -> bool | None:
            said = ask(case)
            return None if said is None else not said

        return Question(_negation(self.text), turned, self.of_code)


def _negation(text: str) -> str:
    for operator, turned in ((" == ", " != "), (" < ", " >= "), (" > ", " <= "), (" is None", " is not None"),
                             (" not in ", " in "), (" in ", " not in ")):  # fmt: skip
        if text.count(operator) == 1 and " and " not in text and " or " not in text and not text.startswith("not "):
            left, right = text.split(operator)
            if _is_plain(left) and (_is_plain(right) or not right):
                return f"{left}{turned}{right}"
    if text.startswith("not ") and _is_plain(text[4:]):
        return text[4:]
    return f"not {text}" if _is_plain(text) else f"not ({text})"


def _is_plain(text: str) -> bool:
    """Whether an expression binds at least as tightly as arithmetic (a name, a call, a subscript, a number)."""
    return not any(word in f" {text} " for word in (" in ", " is ", " not ", " < ", " > ", " <= ", " >= ", " == ",
                                                     " != ", " if ", " and ", " or "))  # fmt: skip


@dataclass(frozen=True)
class Condition:
    """`text` is Python; `test` says whether it holds of a case."""

    text: str
    test: Callable[[Case], bool]
    parts: int
    of_code: bool


def questions(cases: Sequence[Case], constants: Sequence[Any]) -> list[Question]:
    """All questions worth asking of these inputs, those of the code first."""
    found: list[Question] = []
    for text in dict.fromkeys(text for case in cases for text in case.truths):
        found.append(Question(text, functools.partial(_truth, text), True))
    names = list(dict.fromkeys(name for case in cases for name in case.args))
    for name in names:
        values = [case.args[name] for case in cases if name in case.args]
        found += [
            Question(text.format(p=name), _asker((name,), types, holds))
            for text, types, holds in _about_one(values, constants)
        ]
    for p, q in itertools.combinations(names, 2):
        found += [Question(text.format(p=p, q=q), _asker((p, q), types, holds)) for text, types, holds in _about_two()]
    return found


def _truth(text: str, case: Case) -> bool | None:
    return case.truths.get(text)


def _asker(names: tuple[str, ...], types: tuple[tuple[type, ...], ...], holds: Callable[..., Any]) -> Ask:
    def ask(case: Case) -> bool | None:
        values = [case.args.get(name, ABSENT) for name in names]
        if any(wanted and type(v) not in wanted for v, wanted in zip(values, types, strict=True)):
            return None
        try:
            return bool(holds(*values))
        except (TypeError, ValueError, ArithmeticError, LookupError, RecursionError):
            return None

    return ask


Row = tuple[str, "tuple[tuple[type, ...], ...]", Callable[..., Any]]


def _about_one(values: Sequence[Any], constants: Sequence[Any]) -> Iterator[Row]:
    kinds = list(dict.fromkeys(map(type_of, values)))
    if len(kinds) > 1:
        for kind in kinds:
            if kind == "NoneType":
                yield "{p} is None", ((),), lambda p: p is None
            else:
                yield f"type({{p}}) is {kind}", ((),), lambda p, k=kind: type_of(p) == k
    yield "not {p}", ((),), lambda p: not p
    numbers = dict.fromkeys([*[c for c in constants if type(c) in _NUMBERS], 0, 1])
    for number in numbers:
        yield f"{{p}} == {number}", (_NUMBERS,), lambda p, n=number: p == n
        yield f"{{p}} < {number}", (_NUMBERS,), lambda p, n=number: p < n
        yield f"{{p}} > {number}", (_NUMBERS,), lambda p, n=number: p > n
        if type(number) is int and number >= 0:
            yield f"len({{p}}) == {number}", (_MANY,), lambda p, n=number: len(p) == n
            yield f"len({{p}}) < {number}", (_MANY,), lambda p, n=number: len(p) < n
            yield f"len({{p}}) > {number}", (_MANY,), lambda p, n=number: len(p) > n
        if type(number) is int and number > 1:
            yield f"{{p}} % {number} == 0", ((int,),), lambda p, n=number: p % n == 0
    for text in [c for c in constants if isinstance(c, str)]:
        said = literal_text(text).replace("{", "{{").replace("}", "}}")
        yield f"{{p}} == {said}", ((str,),), lambda p, t=text: p == t
        yield f"{said} in {{p}}", (_MANY,), lambda p, t=text: t in p
        yield f"{{p}}.startswith({said})", ((str,),), lambda p, t=text: p.startswith(t)
        yield f"{{p}}.endswith({said})", ((str,),), lambda p, t=text: p.endswith(t)
    for method in ("isdigit", "isalpha", "isalnum", "isupper", "islower", "isspace", "isascii", "isidentifier"):
        yield f"{{p}}.{method}()", ((str,),), lambda p, m=method: getattr(p, m)()
    yield "{p}.strip() == ''", ((str,),), lambda p: not p.strip()
    yield "{p} == {p}[::-1]", ((str, list, tuple),), lambda p: p == p[::-1]
    yield "len(set({p})) < len({p})", ((str, list, tuple),), lambda p: len(set(p)) < len(p)
    yield "any(x < 0 for x in {p})", ((list, tuple, set),), lambda p: any(x < 0 for x in p)
    yield "{p} == sorted({p})", ((list,),), lambda p: p == sorted(p)
    yield "len({p}) % 2 == 0", (_MANY,), lambda p: len(p) % 2 == 0


def _about_two() -> Iterator[Row]:
    for text, holds in (
        ("{p} == {q}", lambda p, q: p == q),
        ("{p} < {q}", lambda p, q: p < q),
        ("{p} > {q}", lambda p, q: p > q),
    ):
        yield text, ((), ()), holds
    yield "{p} in {q}", ((), _MANY), lambda p, q: p in q
    yield "{q} in {p}", (_MANY, ()), lambda p, q: q in p
    yield "len({p}) == len({q})", (_MANY, _MANY), lambda p, q: len(p) == len(q)
    yield "len({p}) < len({q})", (_MANY, _MANY), lambda p, q: len(p) < len(q)
    yield "len({p}) > len({q})", (_MANY, _MANY), lambda p, q: len(p) > len(q)
    yield "{p} < len({q})", ((int,), _MANY), lambda p, q: p < len(q)
    yield "{q} < len({p})", (_MANY, (int,)), lambda p, q: q < len(p)
    yield "{p} > len({q})", ((int,), _MANY), lambda p, q: p > len(q)
    yield "{q} > len({p})", (_MANY, (int,)), lambda p, q: q > len(p)
    yield "{p} % {q} == 0", ((int,), (int,)), lambda p, q: p % q == 0
    yield "{q} % {p} == 0", ((int,), (int,)), lambda p, q: q % p == 0


# Searching ---------------------------------------------------------------------------------------------------------


class Separator:
    """Finds conditions for sets of cases; sets are bit masks over the cases."""

    def __init__(self, cases: Sequence[Case], constants: Sequence[Any]) -> None:
        self._cases = cases
        self.all = (1 << len(cases)) - 1
        seen: dict[tuple[int, bool], Question] = {}
        for question in questions(cases, constants):
            for side in (question, question.negated()):
                mask = self.mask(side.is_true)
                if 0 < mask < self.all:
                    seen.setdefault((mask, side.of_code), side)
        self._sides = [(mask, side) for (mask, _), side in seen.items()]

    def codes_own(self) -> Separator:
        """The same, with the questions that the code itself asks alone."""
        other = Separator(self._cases, ())
        other._sides = [(mask, side) for mask, side in self._sides if side.of_code]
        return other

    def mask(self, test: Callable[[Case], bool]) -> int:
        return sum(1 << k for k, case in enumerate(self._cases) if test(case))

    def exact(self, target: int) -> Condition | None:
        """The simplest condition that holds of the cases of `target` and of no other."""
        for of_code in (True, False):
            sides = [(m, s) for m, s in self._sides if s.of_code or not of_code]
            for mask, side in sides:
                if mask == target:
                    return _joined([side], "and")
            above = [(m, s) for m, s in sides if m & target == target and self._parts(m, target)]
            below = [(m, s) for m, s in sides if m & ~target == 0 and m.bit_count() >= MIN_PARTED]
            for size in (2, 3) if of_code else (2,):
                for chosen in itertools.combinations(above, size):
                    if _all_and(chosen) == target:
                        return _joined([s for _, s in chosen], "and")
                for chosen in itertools.combinations(below, size):
                    if _all_or(chosen) == target:
                        return _joined([s for _, s in chosen], "or")
        return None

    def _parts(self, mask: int, target: int) -> bool:
        return (self.all & ~mask & ~target).bit_count() >= MIN_PARTED

    def enough(self, target: int, least: int) -> Condition | None:
        """The weakest question of which every case is in `target`, at least `least` of them; twice as many where the
        code does not ask it."""
        fitting = [(m.bit_count(), s) for m, s in self._sides if m & ~target == 0]
        inside = [(count, s) for count, s in fitting if count >= (least if s.of_code else 2 * least)]
        best = max(inside, key=lambda pair: (pair[0], pair[1].of_code), default=None)
        return _joined([best[1]], "and") if best else None

    def needed(self, target: int) -> Condition | None:
        """The strongest question of the code that every case of `target` answers with yes; it must turn away at least
        half of the others."""
        others = (self.all & ~target).bit_count()
        found = [((self.all & ~m).bit_count(), s) for m, s in self._sides if s.of_code and m & target == target]
        best = max(found, key=lambda pair: pair[0], default=None)
        return _joined([best[1]], "and") if best and 2 * best[0] >= others and best[0] >= MIN_PARTED else None


def _all_and(chosen: Sequence[tuple[int, Question]]) -> int:
    mask = -1
    for other, _ in chosen:
        mask &= other
    return mask


def _all_or(chosen: Sequence[tuple[int, Question]]) -> int:
    mask = 0
    for other, _ in chosen:
        mask |= other
    return mask


def _joined(sides: Sequence[Question], word: str) -> Condition:
    asks = [side.ask for side in sides]

    def test(case: Case) -> bool:
        said = [ask(case) is True for ask in asks]
        return all(said) if word == "and" else any(said)

    texts = [side.text if len(sides) == 1 or _is_atomic(side.text) else f"({side.text})" for side in sides]
    return Condition(f" {word} ".join(texts), test, len(sides), all(side.of_code for side in sides))


def _is_atomic(text: str) -> bool:
    return " and " not in text and " or " not in text and " if " not in text

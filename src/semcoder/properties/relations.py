"""Candidate properties of values: what may hold of a result alone, or between it and one or two arguments.

A candidate asks a question of one case: True, False, or None where the question does not arise (no element to look at,
or types that the relation is not about). Relations are written as tables; each names the weaker ones that it implies.

Guarantees: nothing of a program is executed here, only plain data is compared; equality is strict (`1`, `1.0` and
`True` differ). It does not decide what is reported: `semcoder.properties.discover` counts.
"""

from __future__ import annotations

import functools
import itertools
import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from semcoder.core import TooLarge
from semcoder.core.values import literal_text
from semcoder.properties.cases import Case, Opaque, key

Test = Callable[[Case], "bool | None"]
#: Marks a value that is not there: a parameter that got a default which is no literal.
ABSENT = Opaque("absent")
#: Relations are looked for between the result and so many parameters, the first ones.
MAX_NAMES = 8

_NUMBERS = (int, float)
_TEXTS = (str,)
_ROWS = (list, tuple)
_ORDERED = (list, tuple, str, bytes)
_MANY = (list, tuple, set, frozenset, dict, str, bytes)


@dataclass(frozen=True)
class Candidate:
    """A property that may hold. `text` is its sentence without the full stop; `when` says in words where a None comes
    from, beyond types. `relation` (of `subject` and `names`) and `implies` are what redundancy is judged by.

    `mixed(a, b)` asks the question of the subject of one case and the arguments of another; None for those that do not
    relate the two.
    """

    kind: str
    relation: str
    text: str
    test: Test
    subject: str = "result"
    names: tuple[str, ...] = ()
    when: str = ""
    implies: frozenset[str] = frozenset()
    mixed: Callable[[Case, Case], bool | None] | None = None
    exact: bool = False


@dataclass(frozen=True)
class Relation:
    """One row of a table. `types`: those the question is about, per value (subject first); `when`: a further condition
    on the values, in words and as a test."""

    kind: str
    name: str
    text: str
    types: tuple[tuple[type, ...], ...]
    holds: Callable[..., bool]
    implies: tuple[str, ...] = ()
    when: tuple[str, Callable[..., bool]] | None = None

    def ask(self, *values: Any) -> bool | None:
        if any(type(v) not in wanted for v, wanted in zip(values, self.types, strict=True)):
            return None
        try:
            if self.when is not None and not self.when[1](*values):
                return None
            return bool(self.holds(*values))
        except (TypeError, ValueError, ArithmeticError, LookupError, AttributeError, RecursionError):
            return False


# Looking at values -------------------------------------------------------------------------------------------------


def elements(value: Any) -> list[Any]:
    """Members, characters, keys: what a loop over the value gives."""
    return list(value)


def _keys(value: Any) -> list[Any]:
    return [key(part) for part in elements(value)]


def _sorted(value: Sequence[Any]) -> bool:
    return all(a <= b for a, b in itertools.pairwise(value))


def _subsequence(part: Sequence[Any], whole: Sequence[Any]) -> bool:
    rest = iter(_keys(whole))
    return all(any(mine == other for other in rest) for mine in _keys(part))


def _contained(part: Any, whole: Any) -> bool:
    """Whether one sequence stands in another without gaps."""
    if isinstance(part, str) and isinstance(whole, str):
        return part in whole
    mine, other = _keys(part), _keys(whole)
    return any(other[i : i + len(mine)] == mine for i in range(len(other) - len(mine) + 1))


def _same(a: Any, b: Any) -> bool:
    return bool(key(a) == key(b))


def _whole_numbers(value: Any) -> bool:
    return all(type(part) in _NUMBERS for part in elements(value))


# Tables ------------------------------------------------------------------------------------------------------------
# {r} is the subject, {p} and {q} are arguments.

_FILLED = ("{r} is not empty", lambda r, *_: len(r) > 0)
_TWO = ("{r} has at least two elements", lambda r, *_: len(r) > 1)
_LETTERS = ("{r} holds a letter", lambda r: any(c.isalpha() for c in r))


def _alone(
    kind: str, name: str, text: str, types: tuple[type, ...], holds: Any, *implies: str, when: Any = None
) -> Relation:
    return Relation(kind, name, text, (types,), holds, implies, when)


ALONE: tuple[Relation, ...] = (
    _alone("sign", "positive", "{r} is greater than 0", _NUMBERS, lambda r: r > 0, "not negative", "not zero"),
    _alone("sign", "negative", "{r} is less than 0", _NUMBERS, lambda r: r < 0, "not positive", "not zero"),
    _alone("sign", "not negative", "{r} is never negative", _NUMBERS, lambda r: r >= 0),
    _alone("sign", "not positive", "{r} is never positive", _NUMBERS, lambda r: r <= 0),
    _alone("sign", "not zero", "{r} is never 0", _NUMBERS, lambda r: r != 0),
    _alone("sign", "even", "{r} is even", (int,), lambda r: r % 2 == 0),
    _alone("sign", "odd", "{r} is odd", (int,), lambda r: r % 2 == 1, "not zero"),
    _alone("range", "unit", "{r} lies between 0 and 1", (float,), lambda r: 0 <= r <= 1, "not negative"),
    _alone("length", "filled", "{r} is never empty", _MANY, lambda r: len(r) > 0),
    _alone("order", "ascending", "{r} is in ascending order", _ROWS + _TEXTS, _sorted, when=_TWO),
    _alone("order", "descending", "{r} is in descending order", _ROWS + _TEXTS, lambda r: _sorted(r[::-1]), when=_TWO),
    _alone("membership", "distinct", "{r} holds nothing twice", _ROWS + _TEXTS,
           lambda r: len(set(_keys(r))) == len(r), when=_TWO),
    _alone("order", "palindrome", "{r} reads the same backwards", _ROWS + _TEXTS, lambda r: _same(r, r[::-1]),
           when=_TWO),
    _alone("sign", "elements not negative", "no element of {r} is negative", (*_ROWS, set, frozenset),
           lambda r: all(part >= 0 for part in r),
           when=("{r} holds numbers only and at least one", lambda r: len(r) > 0 and _whole_numbers(r))),
    _alone("case", "lower", "{r} has no capital letter", _TEXTS, lambda r: r == r.lower(), when=_LETTERS),
    _alone("case", "upper", "{r} has no small letter", _TEXTS, lambda r: r == r.upper(), when=_LETTERS),
    _alone("characters", "digits", "{r} is made of digits only", _TEXTS, str.isdigit, "alnum", "no space", "one line",
           "stripped", "no spaces around", when=_FILLED),
    _alone("characters", "letters", "{r} is made of letters only", _TEXTS, str.isalpha, "alnum", "no space", "one line",
           "stripped", when=_FILLED),
    _alone("characters", "alnum", "{r} is made of letters and digits only", _TEXTS, str.isalnum, "no space", "one line",
           "stripped", when=_FILLED),
    _alone("characters", "ascii", "{r} is made of ASCII characters only", _TEXTS, str.isascii, when=_FILLED),
    _alone("characters", "no space", "{r} holds no white space", _TEXTS, lambda r: not any(c.isspace() for c in r),
           "one line", "stripped", when=_FILLED),
    _alone("characters", "stripped", "{r} neither begins nor ends with white space", _TEXTS, lambda r: r == r.strip(),
           when=_FILLED),
    _alone("characters", "one line", "{r} has no line break", _TEXTS, lambda r: len(r.splitlines()) <= 1, when=_FILLED),
)  # fmt: skip


def _pair(
    kind: str, name: str, text: str, left: Any, right: Any, holds: Any, *implies: str, when: Any = None
) -> Relation:
    return Relation(kind, name, text, (left, right), holds, implies, when)


_ALL_IN = ("every element in", "at most as long")
_FILLED_P = ("`{p}` is not empty", lambda _, p: len(p) > 0)
_NUMERIC = ("`{p}` holds numbers only and at least one", lambda _, p: len(p) > 0 and _whole_numbers(p))
_COUNTED = (*_ROWS, *_TEXTS, bytes)
_GROUPS = (*_ROWS, set, frozenset, dict, *_TEXTS)

PAIRS: tuple[Relation, ...] = (
    _pair("length", "same length", "{r} is as long as `{p}`", _MANY, _MANY, lambda r, p: len(r) == len(p),
          "at most as long", "at least as long"),
    _pair("length", "at most as long", "{r} is never longer than `{p}`", _MANY, _MANY, lambda r, p: len(r) <= len(p)),
    _pair("length", "at least as long", "{r} is never shorter than `{p}`", _MANY, _MANY, lambda r, p: len(r) >= len(p)),
    _pair("length", "one longer", "{r} is longer than `{p}` by one", _MANY, _MANY, lambda r, p: len(r) == len(p) + 1,
          "at least as long", "filled"),
    _pair("length", "one shorter", "{r} is shorter than `{p}` by one", _MANY, _MANY,
          lambda r, p: len(r) == len(p) - 1, "at most as long"),
    _pair("length", "twice as long", "{r} is twice as long as `{p}`", _MANY, _MANY, lambda r, p: len(r) == 2 * len(p),
          "at least as long"),
    _pair("length", "length is", "the length of {r} is `{p}`", _MANY, (int,), lambda r, p: len(r) == p, "length up to"),
    _pair("length", "length up to", "the length of {r} is at most `{p}`", _MANY, (int,), lambda r, p: len(r) <= p),
    _pair("length", "length from", "the length of {r} is at least `{p}`", _MANY, (int,), lambda r, p: len(r) >= p),
    _pair("range", "below length", "{r} is less than `len({p})`", (int,), _MANY, lambda r, p: r < len(p),
          "up to length"),
    _pair("range", "up to length", "{r} is at most `len({p})`", (int,), _MANY, lambda r, p: r <= len(p)),
    _pair("range", "from length", "{r} is at least `len({p})`", (int,), _MANY, lambda r, p: r >= len(p)),
    _pair("membership", "every element in", "every element of {r} is an element of `{p}`", _GROUPS, _GROUPS,
          lambda r, p: set(_keys(r)) <= set(_keys(p)), when=_FILLED),
    _pair("membership", "every element of", "every element of `{p}` is an element of {r}", _GROUPS, _GROUPS,
          lambda r, p: set(_keys(p)) <= set(_keys(r)), when=_FILLED_P),
    _pair("membership", "no element in", "no element of {r} is an element of `{p}`", _GROUPS, _GROUPS,
          lambda r, p: not set(_keys(r)) & set(_keys(p)), when=("neither {r} nor `{p}` is empty",
                                                               lambda r, p: bool(r) and bool(p))),
    _pair("membership", "same elements", "{r} and `{p}` have the same elements, however often", _GROUPS, _GROUPS,
          lambda r, p: set(_keys(p)) == set(_keys(r)), "every element in", "every element of",
          when=("{r} or `{p}` is not empty", lambda r, p: bool(r) or bool(p))),
    _pair("permutation", "permutation", "{r} is a permutation of `{p}`", _COUNTED, _COUNTED,
          lambda r, p: Counter(_keys(r)) == Counter(_keys(p)), "same length", "same elements", "sub-multiset"),
    _pair("permutation", "sub-multiset", "{r} holds nothing more often than `{p}` does", _COUNTED, _COUNTED,
          lambda r, p: not Counter(_keys(r)) - Counter(_keys(p)), *_ALL_IN, when=_FILLED),
    _pair("order", "subsequence", "the elements of {r} come from `{p}`, in the same order", _COUNTED, _COUNTED,
          _subsequence, "sub-multiset", *_ALL_IN, when=_FILLED),
    _pair("substring", "within", "{r} is a stretch of `{p}`", _COUNTED, _COUNTED, _contained, "subsequence",
          when=_FILLED),
    _pair("substring", "prefix", "{r} is a beginning of `{p}`", _COUNTED, _COUNTED,
          lambda r, p: _keys(p)[: len(r)] == _keys(r), "within", when=_FILLED),
    _pair("substring", "suffix", "{r} is an end of `{p}`", _COUNTED, _COUNTED,
          lambda r, p: _keys(p)[-len(r) :] == _keys(r), "within", when=_FILLED),
    _pair("substring", "holds", "`{p}` is a stretch of {r}", _COUNTED, _COUNTED, lambda r, p: _contained(p, r),
          "every element of", "at least as long", when=_FILLED_P),
    _pair("substring", "begins with", "{r} begins with `{p}`", _COUNTED, _COUNTED,
          lambda r, p: _keys(r)[: len(p)] == _keys(p), "holds", when=_FILLED_P),
    _pair("substring", "ends with", "{r} ends with `{p}`", _COUNTED, _COUNTED,
          lambda r, p: _keys(r)[-len(p) :] == _keys(p), "holds", when=_FILLED_P),
    _pair("case", "same but for case", "{r} is `{p}` but for case", _TEXTS, _TEXTS,
          lambda r, p: r.casefold() == p.casefold(), "same but for case and white space",
          when=("{r} is not empty", lambda r, p: bool(r))),
    _pair("characters", "same but for white space", "{r} is `{p}` but for white space", _TEXTS, _TEXTS,
          lambda r, p: "".join(r.split()) == "".join(p.split()), "same but for case and white space", when=_FILLED),
    _pair("characters", "same but for case and white space", "{r} is `{p}` but for case and white space", _TEXTS,
          _TEXTS, lambda r, p: "".join(r.split()).casefold() == "".join(p.split()).casefold(), when=_FILLED),
    _pair("range", "less", "{r} is less than `{p}`", _NUMBERS, _NUMBERS, lambda r, p: r < p, "at most"),
    _pair("range", "greater", "{r} is greater than `{p}`", _NUMBERS, _NUMBERS, lambda r, p: r > p, "at least"),
    _pair("range", "at most", "{r} is at most `{p}`", _NUMBERS, _NUMBERS, lambda r, p: r <= p),
    _pair("range", "at least", "{r} is at least `{p}`", _NUMBERS, _NUMBERS, lambda r, p: r >= p),
    _pair("range", "divides", "{r} divides `{p}`", (int,), (int,), lambda r, p: p % r == 0,
          when=("{r} is not 0", lambda r, p: r != 0)),
    _pair("range", "multiple", "{r} is a multiple of `{p}`", (int,), (int,), lambda r, p: r % p == 0,
          when=("`{p}` is not 0", lambda r, p: p != 0)),
    _pair("range", "between ends", "{r} lies between the least and the greatest element of `{p}`", _NUMBERS,
          (*_ROWS, set, frozenset), lambda r, p: min(p) <= r <= max(p), "from least", "up to greatest", when=_NUMERIC),
    _pair("range", "from least", "{r} is at least the least element of `{p}`", _NUMBERS, (*_ROWS, set, frozenset),
          lambda r, p: min(p) <= r, when=_NUMERIC),
    _pair("range", "up to greatest", "{r} is at most the greatest element of `{p}`", _NUMBERS, (*_ROWS, set, frozenset),
          lambda r, p: r <= max(p), when=_NUMERIC),
    _pair("range", "from greatest", "{r} is at least the greatest element of `{p}`", _NUMBERS,
          (*_ROWS, set, frozenset), lambda r, p: r >= max(p), "from least", when=_NUMERIC),
    _pair("membership", "element", "{r} is an element of `{p}`", (int, float, str, bytes, bool, tuple, list),
          (*_ROWS, set, frozenset), lambda r, p: key(r) in set(_keys(p)), "between ends"),
    _pair("membership", "character", "{r} is a character of `{p}`", _TEXTS, _TEXTS,
          lambda r, p: len(r) == 1 and r in p, "within"),
    _pair("membership", "key", "{r} is a key of `{p}`", (int, float, str, bytes, bool, tuple), (dict,),
          lambda r, p: key(r) in set(_keys(p))),
    _pair("membership", "value", "{r} is a value of `{p}`", (int, float, str, bytes, bool, tuple, list, dict), (dict,),
          lambda r, p: key(r) in {key(part) for part in p.values()}),
    _pair("membership", "keys are values", "every key of {r} is a value of `{p}`", (dict,), (dict,),
          lambda r, p: set(_keys(r)) <= {key(part) for part in p.values()}, when=_FILLED),
    _pair("membership", "elements are values", "every element of {r} is a value of `{p}`", (*_ROWS, set, frozenset),
          (dict,), lambda r, p: set(_keys(r)) <= {key(part) for part in p.values()}, when=_FILLED),
)  # fmt: skip


def _method(name: str, value: Any) -> Any:
    return getattr(value, name)() if isinstance(value, (str, bytes)) else ABSENT


#: Functions of one argument that a result may equal, simplest first.
UNARY: dict[str, Callable[[Any], Any]] = {
    "{p}": lambda p: p,
    "len({p})": len,
    "not {p}": lambda p: not p,
    "bool({p})": bool,
    "{p} is None": lambda p: p is None,
    "abs({p})": lambda p: abs(p) if type(p) in _NUMBERS else ABSENT,
    "-{p}": lambda p: -p if type(p) in _NUMBERS else ABSENT,
    "{p} + 1": lambda p: p + 1 if type(p) in _NUMBERS else ABSENT,
    "{p} - 1": lambda p: p - 1 if type(p) in _NUMBERS else ABSENT,
    "{p} * 2": lambda p: p * 2 if type(p) in _NUMBERS else ABSENT,
    "{p} // 2": lambda p: p // 2 if type(p) in _NUMBERS else ABSENT,
    "{p} ** 2": lambda p: p**2 if type(p) in _NUMBERS else ABSENT,
    "{p} % 2 == 0": lambda p: p % 2 == 0 if type(p) in _NUMBERS else ABSENT,
    "{p} % 2 == 1": lambda p: p % 2 == 1 if type(p) in _NUMBERS else ABSENT,
    "{p} > 0": lambda p: p > 0 if type(p) in _NUMBERS else ABSENT,
    "{p} < 0": lambda p: p < 0 if type(p) in _NUMBERS else ABSENT,
    "str({p})": str,
    "repr({p})": repr,
    "int({p})": int,
    "float({p})": float,
    "bin({p})": bin,
    "hex({p})": hex,
    "math.floor({p})": math.floor,
    "math.ceil({p})": math.ceil,
    "sum({p})": sum,
    "min({p})": min,
    "max({p})": max,
    "max({p}) - min({p})": lambda p: max(p) - min(p),
    "all({p})": all,
    "any({p})": any,
    "sorted({p})": sorted,
    "sorted({p}, reverse=True)": lambda p: sorted(p, reverse=True),
    "{p}[::-1]": lambda p: p[::-1],
    "list({p})": list,
    "tuple({p})": tuple,
    "set({p})": set,
    "dict({p})": dict,
    "len(set({p}))": lambda p: len(set(p)),
    "list(dict.fromkeys({p}))": lambda p: list(dict.fromkeys(p)),
    "sorted(set({p}))": lambda p: sorted(set(p)),
    "list({p}.values())": lambda p: list(p.values()),
    "list({p}.items())": lambda p: list(p.items()),
    "{{v: k for k, v in {p}.items()}}": lambda p: {v: k for k, v in p.items()},
    "dict(Counter({p}))": lambda p: dict(Counter(p)),
    "list(enumerate({p}))": lambda p: list(enumerate(p)),
    "{p}[0]": lambda p: p[0],
    "{p}[-1]": lambda p: p[-1],
    "{p}[1:]": lambda p: p[1:],
    "{p}[:-1]": lambda p: p[:-1],
    "{p}[::2]": lambda p: p[::2],
    **{
        f"{{p}}.{name}()": functools.partial(_method, name)
        for name in (
            "lower", "upper", "strip", "lstrip", "rstrip", "title", "capitalize", "swapcase", "casefold", "split",
            "splitlines", "isdigit", "isalpha", "isalnum", "isupper", "islower", "isspace", "isidentifier", "encode",
        )
    },
    "{p} == {p}[::-1]": lambda p: _same(p, p[::-1]),
    "len({p}.split())": lambda p: len(p.split()),
    "len(set({p})) == len({p})": lambda p: len(set(p)) == len(p),
    "{p} == sorted({p})": lambda p: _same(list(p), sorted(p)),
}  # fmt: skip


def _arithmetic(operate: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    def found(p: Any, q: Any) -> Any:
        return operate(p, q) if type(p) in _NUMBERS and type(q) in _NUMBERS else ABSENT

    return found


#: Functions of two arguments; both orders are tried of those in which order matters.
BINARY: dict[str, tuple[Callable[[Any, Any], Any], bool]] = {
    "{p} + {q}": (lambda p, q: p + q, True),
    "{p} - {q}": (_arithmetic(lambda p, q: p - q), True),
    "{p} * {q}": (lambda p, q: p * q if max(map(_size, (p, q))) < 10**6 else ABSENT, False),
    "{p} / {q}": (_arithmetic(lambda p, q: p / q), True),
    "{p} // {q}": (_arithmetic(lambda p, q: p // q), True),
    "{p} % {q}": (_arithmetic(lambda p, q: p % q), True),
    "{p} ** {q}": (_arithmetic(lambda p, q: p**q if abs(q) <= 64 else ABSENT), True),
    "{p} & {q}": (lambda p, q: p & q, False),
    "{p} | {q}": (lambda p, q: p | q, True),
    "abs({p} - {q})": (_arithmetic(lambda p, q: abs(p - q)), False),
    "min({p}, {q})": (_arithmetic(min), False),
    "max({p}, {q})": (_arithmetic(max), False),
    "math.gcd({p}, {q})": (math.gcd, False),
    "{p} == {q}": (lambda p, q: p == q, False),
    "{p} != {q}": (lambda p, q: p != q, False),
    "{p} < {q}": (lambda p, q: p < q, True),
    "{p} <= {q}": (lambda p, q: p <= q, True),
    "{p} % {q} == 0": (_arithmetic(lambda p, q: p % q == 0), True),
    "{p} in {q}": (lambda p, q: p in q, True),
    "{p} not in {q}": (lambda p, q: p not in q, True),
    "{p}[{q}]": (lambda p, q: p[q], True),
    "{p}.get({q})": (lambda p, q: p.get(q), True),
    "{p}.count({q})": (lambda p, q: p.count(q), True),
    "{p}.index({q})": (lambda p, q: p.index(q), True),
    "{p}.find({q})": (lambda p, q: p.find(q), True),
    "{p}.split({q})": (lambda p, q: p.split(q), True),
    "{p}.startswith({q})": (lambda p, q: p.startswith(q), True),
    "{p}.endswith({q})": (lambda p, q: p.endswith(q), True),
    "{p}.join({q})": (lambda p, q: p.join(q), True),
    "{p}[:{q}]": (lambda p, q: p[:q], True),
    "{p}[{q}:]": (lambda p, q: p[q:], True),
    "[x for x in {p} if x in {q}]": (lambda p, q: [x for x in p if x in q], True),
    "[x for x in {p} if x not in {q}]": (lambda p, q: [x for x in p if x not in q], True),
    "len({p}) + len({q})": (lambda p, q: len(p) + len(q), False),
    "list(zip({p}, {q}))": (lambda p, q: list(zip(p, q, strict=False)), True),
    "dict(zip({p}, {q}))": (lambda p, q: dict(zip(p, q, strict=False)), True),
}


def _size(value: Any) -> float:
    return abs(value) if isinstance(value, (int, float)) else len(value)


# Candidates --------------------------------------------------------------------------------------------------------


def candidates(cases: Sequence[Case], subject: str, constants: Sequence[Any]) -> Iterator[Candidate]:
    """Everything that may hold of a subject: the result, or (`subject` is a parameter) an argument as it was left.

    `cases` are those that returned; `constants` are of the program's code.
    """
    get = _getter(subject)
    word = "the result" if subject == "result" else f"`{subject}` as the call leaves it"
    values = [value for value in map(get, cases) if value is not ABSENT]
    if not values:
        return
    yield from _types(values, get, subject, word)
    yield from _constant(values, get, subject, word, constants)
    for relation in ALONE:
        yield _candidate(relation, get, subject, word, ())
    names = list(dict.fromkeys(name for case in cases for name in case.args))[:MAX_NAMES]
    for name in names:
        for relation in PAIRS:
            yield _candidate(relation, get, subject, word, (name,))
        for form, function in UNARY.items():
            yield _equality(form.format(p=name), (name,), function, get, subject, word)
    for p, q in itertools.permutations(names, 2):
        for form, (operate, directed) in BINARY.items():
            if directed or names.index(p) < names.index(q):
                yield _equality(form.format(p=p, q=q), (p, q), operate, get, subject, word)
    for p, q in itertools.combinations(names, 2):
        yield from _of_two(p, q, get, subject, word)
    if any(v is None for v in values) and any(v is not None for v in values):
        for name in names:
            for form, function in UNARY.items():
                yield _equality(form.format(p=name), (name,), function, _but_none(get), subject, word)
        for p, q in itertools.permutations(names, 2):
            for form in ("{p}[{q}]", "{p}.index({q})", "{p}.get({q})", "{p} / {q}", "{p} // {q}", "{p}.find({q})"):
                yield _equality(form.format(p=p, q=q), (p, q), BINARY[form][0], _but_none(get), subject, word)


def _but_none(get: Callable[[Case], Any]) -> Callable[[Case], Any]:
    def found(case: Case) -> Any:
        value = get(case)
        return ABSENT if value is None else value

    return found


def _getter(subject: str) -> Callable[[Case], Any]:
    if subject == "result":
        return lambda case: case.result
    return lambda case: case.after.get(subject, ABSENT)


def type_of(value: Any) -> str:
    return value.type_name if isinstance(value, Opaque) else type(value).__name__


def _types(values: list[Any], get: Callable[[Case], Any], subject: str, word: str) -> Iterator[Candidate]:
    """The type or types of the subject, of its elements, and of its places."""
    names = list(dict.fromkeys(map(type_of, values)))
    if len(names) <= 3 and _often(names, map(type_of, values)):
        said = "is `None`" if names == ["NoneType"] else f"is {articled(names)}"
        yield Candidate("type", "type", f"{word} {said}", lambda case: type_of(get(case)) in names, subject)
    groups = [v for v in values if type(v) in (list, tuple, set, frozenset, dict)]
    seen = [kind for value in groups for kind in set(map(type_of, value))]
    kinds = sorted(set(seen))
    if 0 < len(kinds) <= 2 and _often(kinds, seen):
        part = "key" if all(type(v) is dict for v in groups) else "element"

        def typed(case: Case) -> bool | None:
            value = get(case)
            if type(value) not in (list, tuple, set, frozenset, dict) or not value:
                return None
            return all(type_of(part) in kinds for part in value)

        text = f"every {part} of {word} is {articled(kinds)}"
        yield Candidate("type", "element type", text, typed, subject, when=f"{word} is not empty")
    tables = [v for v in values if type(v) is dict]
    seen = [kind for value in tables for kind in set(map(type_of, value.values()))]
    inner = sorted(set(seen))
    if 0 < len(inner) <= 2 and _often(inner, seen):

        def valued(case: Case) -> bool | None:
            value = get(case)
            return all(type_of(p) in inner for p in value.values()) if type(value) is dict and value else None

        text = f"every value of {word} is {articled(inner)}"
        yield Candidate("type", "value type", text, valued, subject, when=f"{word} is not empty")


def _often(kinds: Iterable[Any], seen: Iterable[Any]) -> bool:
    """Whether each of these was seen often enough for there to be no further, rarer one."""
    counts = Counter(seen)
    return all(counts[kind] >= OFTEN for kind in kinds)


def articled(names: Iterable[str]) -> str:
    """`a list or an int`, code spans around the names."""
    said = ["`None`" if n == "NoneType" else f"{'an' if n[:1] in 'aeiouAEIOU' else 'a'} `{n}`" for n in names]
    return " or ".join(said)


def _constant(
    values: list[Any], get: Callable[[Case], Any], subject: str, word: str, constants: Sequence[Any]
) -> Iterator[Candidate]:
    """One value only; one of the code's constants; lengths and bounds that the code's constants give."""
    marks = {repr(key(v)) for v in values}
    text = _literal(values[0])
    if len(marks) == 1 and values[0] is not None and text:
        yield Candidate("constant", "constant", f"{word} is always `{text}`",
                        lambda case: _same(get(case), values[0]), subject, exact=True)  # fmt: skip
        return
    known = {repr(key(c)): c for c in constants}
    if 2 <= len(marks) <= 6 and marks <= set(known) and _often(marks, (repr(key(v)) for v in values)):
        listed = ", ".join(f"`{_literal(known[mark])}`" for mark in known if mark in marks)
        yield Candidate("range", "one of", f"{word} is one of {listed}",
                        lambda case: repr(key(get(case))) in marks, subject,
                        implies=frozenset(relation.name for relation in ALONE))  # fmt: skip
    sized = [v for v in values if type(v) in _MANY]
    if sized and len({len(v) for v in sized}) == 1:
        length = len(sized[0])
        yield Candidate("length", "length", f"the length of {word} is always {length}",
                        lambda case: len(get(case)) == length if type(get(case)) in _MANY else None, subject,
                        implies=frozenset({"filled"}))  # fmt: skip
    yield from _bounds(values, get, subject, word, constants)
    for constant in constants:
        if isinstance(constant, str) and constant.strip():
            said = _literal(constant)
            for at, method in (("begins", "startswith"), ("ends", "endswith")):
                yield Candidate("substring", f"{at} {constant}", f"{word} {at} with `{said}`",
                                functools.partial(_bordered, get, method, constant), subject)  # fmt: skip


def _bordered(get: Callable[[Case], Any], method: str, constant: str, case: Case) -> bool | None:
    value = get(case)
    return bool(getattr(value, method)(constant)) if type(value) is str else None


#: Inputs on which each of several types or values must be seen before they are taken for all there are.
OFTEN = 8
#: How many results must reach a bound before it is taken for one.
ATTAINED = 3


def _bounds(
    values: list[Any], get: Callable[[Case], Any], subject: str, word: str, constants: Sequence[Any]
) -> Iterator[Candidate]:
    """Bounds that are constants of the code and that some results reach."""
    numbers = [c for c in constants if type(c) in _NUMBERS]
    found = [v for v in values if type(v) in _NUMBERS]
    sizes = [len(v) for v in values if type(v) in _MANY]
    for measured, reads, what, types in (
        (found, lambda v: v, word, _NUMBERS),
        (sizes, len, f"the length of {word}", _MANY),
    ):
        if not measured:
            continue
        for bound, side in ((max(measured), "most"), (min(measured), "least")):
            if bound not in numbers or measured.count(bound) < ATTAINED or bound == 0:
                continue

            def test(case: Case, bound: Any = bound, side: str = side, reads: Any = reads, types: Any = types) -> Any:
                value = get(case)
                if type(value) not in types:
                    return None
                return reads(value) <= bound if side == "most" else reads(value) >= bound

            implied = ("not negative", "not zero", "positive", "filled") if side == "least" and bound > 0 else ()
            yield Candidate("range", f"at {side} {what}", f"{what} is at {side} `{bound}`", test, subject,
                            implies=frozenset(implied))  # fmt: skip


def _literal(value: Any) -> str:
    try:
        text = literal_text(value)
    except (ValueError, TooLarge):
        return ""
    return text if len(text) <= 60 and "`" not in text else ""


def _candidate(
    relation: Relation, get: Callable[[Case], Any], subject: str, word: str, names: tuple[str, ...]
) -> Candidate:
    def asked(case: Case, other: Case) -> bool | None:
        values = [get(case), *[other.args.get(name, ABSENT) for name in names]]
        return relation.ask(*values)

    spoken = {"r": word, **dict(zip("pq", names, strict=False))}
    return Candidate(
        relation.kind, relation.name, relation.text.format(**spoken), lambda case: asked(case, case), subject, names,
        relation.when[0].format(**spoken) if relation.when else "", frozenset(relation.implies),
        asked if names else None,
    )  # fmt: skip


def _equality(
    form: str, names: tuple[str, ...], function: Callable[..., Any], get: Callable[[Case], Any], subject: str, word: str
) -> Candidate:
    """The subject equals a function of arguments; where the function is not defined, it does not."""

    def asked(case: Case, other: Case) -> bool | None:
        given = [other.args.get(name, ABSENT) for name in names]
        if any(value is ABSENT for value in given) or get(case) is ABSENT:
            return None
        try:
            made = function(*given)
            return made is not ABSENT and _same(get(case), made)
        except (TypeError, ValueError, ArithmeticError, LookupError, AttributeError, RecursionError, MemoryError):
            return False

    text = f"{word} equals `{form}`"
    return Candidate("equality", f"equals {form}", text, lambda case: asked(case, case), subject, names, "",
                     frozenset(), asked, exact=True)  # fmt: skip


def _of_two(p: str, q: str, get: Callable[[Case], Any], subject: str, word: str) -> Iterator[Candidate]:
    """Relations between the subject and two arguments that are not equalities."""

    def between(r: Any, a: Any, b: Any) -> bool:
        return bool(min(a, b) <= r <= max(a, b))

    def inside(r: Any, a: Any, b: Any) -> bool:
        return set(_keys(r)) <= set(_keys(a)) | set(_keys(b))

    filled = ("{r} is not empty", lambda r, a, b: len(r) > 0)
    rows = (
        Relation("range", "between", "{r} lies between `{p}` and `{q}`", (_NUMBERS,) * 3, between),
        Relation("membership", "from both", "every element of {r} is an element of `{p}` or of `{q}`", (_GROUPS,) * 3,
                 inside, when=filled),
        Relation("length", "both lengths", "{r} is as long as `{p}` and `{q}` together", (_MANY,) * 3,
                 lambda r, a, b: len(r) == len(a) + len(b)),
        Relation("length", "shorter length", "{r} is as long as the shorter of `{p}` and `{q}`", (_MANY,) * 3,
                 lambda r, a, b: len(r) == min(len(a), len(b))),
        Relation("length", "longer length", "{r} is as long as the longer of `{p}` and `{q}`", (_MANY,) * 3,
                 lambda r, a, b: len(r) == max(len(a), len(b))),
    )  # fmt: skip
    yield from (_candidate(relation, get, subject, word, (p, q)) for relation in rows)
    given = (f"{word} is one of the arguments `{p}` and `{q}`", "membership", "one of the arguments")

    def chosen(case: Case, other: Case) -> bool | None:
        options = [other.args.get(p, ABSENT), other.args.get(q, ABSENT)]
        return None if ABSENT in options else any(_same(get(case), option) for option in options)

    yield Candidate(given[1], given[2], given[0], lambda case: chosen(case, case), subject, (p, q), "",
                    frozenset({"between", "from both"}), chosen)  # fmt: skip

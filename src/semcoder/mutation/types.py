"""What the parameters of a function take, read off its text: annotations, defaults, docstring, names, and use.

Every variable of the function gets a `Guess`: votes for kinds of values, with guesses for what it contains. Loops,
subscripts, method calls, comparisons, arithmetic and calls of the program's other functions cast votes; variables that
are assigned from one another share a guess. The votes then become `Shape`s, likeliest first.

Guarantees: nothing is executed; the same text gives the same answer, in the same order; an unused or unknown parameter
gets a mixture of common shapes. `Parameter.literal` is False where the body needs an object that no literal can be.
It does not prove anything: a guess is a prior for search, and execution tells.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from semcoder.mutation._guesses import CONTAINERS, Guess, literal_value
from semcoder.mutation._reader import Reader, is_static


@dataclass(frozen=True, slots=True)
class Shape:
    """A kind of value and what it holds: `list` of one shape, `dict` of key and value, `tuple` of one per place.

    `kind` is one of `SCALARS`, `CONTAINERS`, or `object` for what no literal is. `flavour` names a kind of text
    (`path`, `version`, `word` ...), '' for any. `fields` are keys that a dict is asked for by name.
    """

    kind: str
    parts: tuple[Shape, ...] = ()
    flavour: str = ""
    fields: tuple[tuple[str, Shape], ...] = ()

    def is_literal(self) -> bool:
        """Whether values of this shape can be written as literals."""
        inner = (*self.parts, *(shape for _, shape in self.fields))
        return self.kind != "object" and all(shape.is_literal() for shape in inner)

    def __str__(self) -> str:
        return f"{self.kind}[{', '.join(map(str, self.parts))}]" if self.parts else self.kind


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter: its shapes with weights (likeliest first), and constants that the body compares it with.

    `kind` is `positional`, `keyword`, `*` or `**`; `default` is a literal's value, or None where `required` or unknown.
    """

    name: str
    kind: str
    required: bool
    shapes: tuple[tuple[Shape, float], ...]
    constants: tuple[Any, ...]
    literal: bool
    has_default: bool = False
    default: Any = None


@dataclass(frozen=True, slots=True)
class Signature:
    """The parameters of a program's entry, and the constants of all its code: short texts, small numbers, and regular
    expressions that it compiles or matches with."""

    entry: str
    parameters: tuple[Parameter, ...]
    texts: tuple[str, ...]
    numbers: tuple[float, ...]
    patterns: tuple[str, ...] = ()


def infer(source: str, entry: str) -> Signature:
    """The signature of `entry` (a function, or `Class.method`) of a program. Raises SyntaxError on text that does not
    parse and KeyError where there is no such function."""
    tree = ast.parse(source)
    functions = _functions(tree)
    reader = Reader(functions, _aliases(tree))
    function = functions[entry]
    guesses = reader.read(entry, depth=3)
    skip = 1 if "." in entry and not is_static(function) else 0
    texts, numbers = _constants(tree)
    return Signature(entry, tuple(_parameters(function, guesses, skip)), texts, numbers, _patterns(tree))


def _functions(tree: ast.Module) -> dict[str, ast.FunctionDef]:
    found: dict[str, ast.FunctionDef] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            for part in node.body:
                if isinstance(part, ast.FunctionDef):
                    found[f"{node.name}.{part.name}"] = part
    found.update({node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)})
    return found


def _aliases(tree: ast.Module) -> dict[str, ast.expr]:
    """Top-level names that are assigned once, as `Pos = int` is: an annotation may name them."""
    return {
        node.targets[0].id: node.value
        for node in tree.body
        if isinstance(node, ast.Assign)
        and isinstance(node.targets[0], ast.Name)
        and not isinstance(node.value, ast.Call)
    }


def _constants(tree: ast.Module) -> tuple[tuple[str, ...], tuple[float, ...]]:
    """Short texts and small numbers of all code, docstrings left out, each once, in the order of the text."""
    docs = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, (ast.FunctionDef, ast.ClassDef, ast.Module))
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    texts: dict[str, None] = {}
    numbers: dict[float, None] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and id(node) not in docs:
            value = node.value
            if isinstance(value, str) and 0 < len(value) <= 20 and value.isprintable():
                texts.setdefault(value)
            elif isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) <= 100_000:
                numbers.setdefault(value)
    return tuple(texts), tuple(numbers)


def _patterns(tree: ast.Module) -> tuple[str, ...]:
    """Regular expressions that stand as plain text in calls of `re`."""
    found: dict[str, None] = {}
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Call)
            and node.args
            and isinstance(node.func, ast.Attribute)
            and _is_re(node.func.value)
        ):
            known, pattern = literal_value(node.args[0])
            if known and isinstance(pattern, str) and 2 < len(pattern) < 800:
                flags = " ".join(map(ast.unparse, node.args[1:]))
                found.setdefault(f"(?x){pattern}" if "VERBOSE" in flags or ".X" in flags else pattern)
    return tuple(found)


def _is_re(node: ast.AST) -> bool:
    return isinstance(node, ast.Name) and node.id in ("re", "_re")


def _parameters(function: ast.FunctionDef, guesses: dict[str, Guess], skip: int) -> Iterable[Parameter]:
    args = function.args
    places = [*args.posonlyargs, *args.args]
    defaults: list[ast.expr | None] = [None] * (len(places) - len(args.defaults)) + list(args.defaults)
    rows: list[tuple[ast.arg, str, ast.expr | None]] = [
        (arg, "positional", default) for arg, default in zip(places, defaults, strict=True)
    ][skip:]
    rows += [(args.vararg, "*", None)] if args.vararg else []
    rows += [(arg, "keyword", default) for arg, default in zip(args.kwonlyargs, args.kw_defaults, strict=True)]
    rows += [(args.kwarg, "**", None)] if args.kwarg else []
    for arg, kind, default in rows:
        guess = guesses[arg.arg]
        required = default is None and kind in ("positional", "keyword")
        if kind in ("*", "**"):
            guess = guess.inner.get("element", Guess())
        shapes = _shapes(guess, default is not None)
        literal = shapes[0][0].is_literal()
        constants = tuple(dict.fromkeys((type(c), c) for c in guess.constants if _is_hashable(c)))
        has_default, value = literal_value(default)
        yield Parameter(arg.arg, kind, required, shapes, tuple(c for _, c in constants), literal, has_default, value)


def _is_hashable(value: Any) -> bool:
    try:
        hash(value)
    except TypeError:
        return False
    return True


_FALLBACK = {"str": 3.0, "int": 3.0, "list": 3.0, "dict": 0.7, "float": 0.7, "tuple": 0.5, "none": 0.2}


def _shapes(guess: Guess, optional: bool = False, depth: int = 0) -> tuple[tuple[Shape, float], ...]:
    """Shapes of a guess with weights that add up to 1, likeliest first."""
    votes = defaultdict(float, guess.votes)
    _settle(votes, "number", {"int": 0.7, "float": 0.3})
    _settle(votes, "sequence", {"list": 0.55, "str": 0.35, "tuple": 0.1})
    _settle(votes, "sized", {"list": 0.5, "str": 0.4, "dict": 0.1})
    _settle(votes, "container", {"list": 0.4, "str": 0.35, "dict": 0.15, "set": 0.1})
    strong = sum(votes.values())
    if guess.odd and not optional:
        votes["object"] += 4 * len(guess.odd)
    if strong < 2:
        for kind, weight in _FALLBACK.items():
            votes[kind] += weight / 3
    total = sum(votes.values())
    ranked = sorted(votes.items(), key=lambda item: (-item[1], item[0]))
    kept = [(kind, weight / total) for kind, weight in ranked if weight >= 0.06 * total and weight > 0][:4]
    return tuple((_shape(kind, guess, depth), round(weight, 3)) for kind, weight in kept)


def _settle(votes: dict[str, float], vague: str, shares: dict[str, float]) -> None:
    """Spread votes for a family of kinds over its members, those with votes of their own first."""
    weight = votes.pop(vague, 0)
    if weight <= 0:
        return
    named = {kind for kind in shares if votes.get(kind, 0) > 0}
    chosen = {kind: share for kind, share in shares.items() if not named or kind in named}
    total = sum(chosen.values())
    for kind, share in chosen.items():
        votes[kind] += weight * share / total


def _shape(kind: str, guess: Guess, depth: int) -> Shape:
    if kind not in CONTAINERS:
        return Shape(kind, flavour=guess.flavour if kind == "str" else "")
    if depth >= 3:
        return Shape(kind, (Shape("int"), Shape("int")) if kind == "dict" else (Shape("int"),))
    element = guess.inner.get("element")
    if kind == "dict":
        key = _best(guess.inner.get("key") or element, depth, Shape("str", flavour="word"), hashable=True)
        value = _best(guess.inner.get("value"), depth, Shape("int"))
        asked = [(name[6:], inner) for name, inner in guess.inner.items() if name.startswith("value ")][:8]
        return Shape("dict", (key, value), fields=tuple((name, _best(g, depth, Shape("str"))) for name, g in asked))
    fields = sorted(name for name in guess.inner if name.isdigit())
    if kind == "tuple" and fields:
        return Shape("tuple", tuple(_best(guess.inner[name], depth, Shape("int")) for name in fields[:6]))
    fallback = Shape("str", flavour="word") if guess.flavour == "str" else Shape("int")
    return Shape(kind, (_best(element, depth, fallback, hashable=kind == "set"),))


def _best(guess: Guess | None, depth: int, fallback: Shape, hashable: bool = False) -> Shape:
    if guess is None or not (guess.votes or guess.odd):
        return fallback
    for shape, _ in _shapes(guess, depth=depth + 1):
        if not hashable or shape.kind not in ("list", "set", "dict"):
            return shape
    return fallback

"""Reading the answer of a text: a value that it states, or a call that it proposes. Nothing of it is run here.

Guarantees: what is read is bounded, and parsed, never evaluated: a value is built from literals by code of ours alone.
Whatever is not just what was asked for raises `Unreadable` with a reason; a text cannot make reading it raise anything
else, or take long.
"""

from __future__ import annotations

import ast
import functools
import keyword
import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NoReturn, ParamSpec, TypeVar

from semcoder.core import TooLarge, Value

#: Characters of an answer that are read at all, and of a proposed call that is run.
MAX_ANSWER = 100_000
MAX_CALL = 20_000
_NO_NUMBER = re.compile(r"[+-]?(nan|inf|infinity)", re.IGNORECASE)

Given = ParamSpec("Given")
Read = TypeVar("Read")


class Unreadable(Exception):
    """An answer that is not what was asked for; the message says why."""


def _total(read: Callable[Given, Read]) -> Callable[Given, Read]:
    """A reader for which what Python itself cannot read or write is `Unreadable`, too."""

    @functools.wraps(read)
    def total(*args: Given.args, **kwargs: Given.kwargs) -> Read:
        try:
            return read(*args, **kwargs)
        except (RecursionError, MemoryError):
            raise Unreadable("the answer is nested too deep to be read") from None
        except ValueError as error:  # a number of very many digits
            raise Unreadable(f"the answer cannot be read: {error}") from None

    return total


# What an answer says -----------------------------------------------------------------------------------------------


@_total
def stated_value(answer: str, call: str) -> Value:
    """The value that an answer to a forward question gives: that of the completed assert, or of a bare literal."""
    body, test = _tested(_bare(answer))
    if isinstance(test, ast.Compare) and len(test.ops) == 1 and isinstance(test.ops[0], ast.Eq):
        if not _alike(test.left, ast.parse(call.strip(), mode="eval").body):
            raise Unreadable("the answer is about another call")
        return _value(test.comparators[0])
    if isinstance(body, ast.Assert):
        raise Unreadable("the assert does not say what the call is equal to")
    return _value(test)


def _tested(text: str) -> tuple[ast.stmt, ast.expr]:
    """The assert or the expression that a text is, and what it says."""
    body = _statement(text)
    if isinstance(body, ast.Assert) and body.msg is None:
        return body, body.test
    if isinstance(body, ast.Expr):
        return body, body.value
    raise Unreadable("the answer is not the completed assert")


@dataclass(frozen=True, slots=True)
class Proposal:
    """A proposed call: its expression, and its text."""

    node: ast.Call
    text: str

    @property
    def is_plain(self) -> bool:
        """Whether all its arguments are literals."""
        words = self.node.keywords
        try:
            for node in [*self.node.args, *(word.value for word in words)]:
                _built(node)
        except (Unreadable, RecursionError, MemoryError):
            return False
        return all(word.arg is not None for word in words)


@_total
def proposed_call(answer: str, entry: str) -> Proposal:
    """The call that an answer to a backward question proposes, in an assert on it or alone.

    What the assert compares it with is not looked at: the output is the question's.
    """
    text = _bare(answer)
    body, test = _tested(text)
    if isinstance(test, ast.Compare) and len(test.ops) == 1 and isinstance(test.ops[0], ast.Eq):
        test = test.left
    elif isinstance(body, ast.Assert):
        raise Unreadable("the answer is not the completed assert")
    if not isinstance(test, ast.Call) or ast.unparse(test.func) != entry:
        raise Unreadable(f"the answer is not a call of {entry}")
    proposal = Proposal(test, _written(test, text))
    if len(proposal.text) > MAX_CALL:
        raise Unreadable(f"the proposed call is longer than {MAX_CALL:,} characters")
    return proposal


def _written(node: ast.expr, text: str) -> str:
    """The usual spelling of an expression; that of the text where it holds a number that Python does not write."""
    try:
        return ast.unparse(node)
    except ValueError:
        return ast.get_source_segment(text, node) or ""


def _alike(one: Any, other: Any) -> bool:
    """Whether two expressions are the same but for layout and quotes."""
    if type(one) is not type(other):
        return False
    if isinstance(one, ast.AST):
        names = [name for name in one._fields if name not in ("ctx", "kind")]
        return all(_alike(getattr(one, name), getattr(other, name)) for name in names)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(_alike, one, other))
    return bool(one == other)


def _bare(answer: str) -> str:
    """An answer out of the backticks that it may be in."""
    if len(answer) > MAX_ANSWER:
        raise Unreadable(f"the answer is longer than {MAX_ANSWER:,} characters")
    text = answer.strip()
    first, _, rest = text.partition("\n")
    if first.startswith("```") and first.strip("` \t").lower() in ("", "py", "python", "python3"):
        text = rest
    return text.strip("`").strip()


def _statement(text: str) -> ast.stmt:
    """The one statement that an answer is."""
    try:
        with warnings.catch_warnings():  # of the parser, on invalid escapes
            warnings.simplefilter("ignore")
            statements = ast.parse(text).body
    except (SyntaxError, ValueError):
        raise Unreadable("the answer is not Python") from None
    if len(statements) != 1:
        raise Unreadable("the answer is empty" if not statements else "the answer is more than one statement")
    return statements[0]


# Literals ----------------------------------------------------------------------------------------------------------


@_total
def literal_value(text: str) -> Value:
    """The value of a literal's text. Raises `Unreadable`."""
    body = _statement(text.strip())
    return _value(body.value) if isinstance(body, ast.Expr) else _refuse()


def _value(node: ast.expr) -> Value:
    try:
        return Value.of(_built(node))
    except TooLarge as error:
        raise Unreadable(f"the answer is too large: {error}") from None


def _built(node: ast.expr) -> Any:
    """What a literal stands for: also the forms in which `Value.literal` writes what Python has no literal for."""
    try:
        return _parts(node)
    except (TypeError, ValueError, ArithmeticError):  # a list in a set, a range with a step of 0
        _refuse()


def _parts(node: ast.expr) -> Any:
    match node:
        case ast.Constant():
            return node.value
        case ast.Tuple():
            return tuple(map(_parts, node.elts))
        case ast.List():
            return list(map(_parts, node.elts))
        case ast.Set():
            return set(map(_parts, node.elts))
        case ast.Dict():
            keys = [_parts(key) if key is not None else _refuse() for key in node.keys]
            return dict(zip(keys, map(_parts, node.values), strict=True))
        case ast.UnaryOp(op=ast.USub() | ast.UAdd()):
            number = _number(node.operand)
            return -number if isinstance(node.op, ast.USub) else number
        case ast.BinOp(op=ast.Add() | ast.Sub(), right=ast.Constant(value=complex() as imaginary)):
            real = _parts(node.left) if isinstance(node.left, ast.UnaryOp) else _number(node.left)
            return real + imaginary if isinstance(node.op, ast.Add) else real - imaginary
        case ast.Call(func=ast.Name(id=name), keywords=[]) if name in _MAKERS:
            return _MAKERS[name](*map(_parts, node.args))
    return _refuse()


def _number(node: ast.expr) -> Any:
    number = _parts(node) if isinstance(node, (ast.Constant, ast.Call)) else None
    return number if type(number) in (int, float, complex) else _refuse()


def _refuse() -> NoReturn:
    raise Unreadable("the answer is not a literal")


def _only(made: Callable[..., Any], *allowed: type) -> Callable[..., Any]:
    """A constructor that takes arguments of these types alone: what it makes is no larger than they are."""

    def make(*args: Any) -> Any:
        if not all(type(arg) in allowed for arg in args):
            raise TypeError("another argument")
        return made(*args)

    return make


def _no_number(text: str) -> float:
    if not _NO_NUMBER.fullmatch(text):
        raise ValueError("a number has a literal")
    return float(text)


_MAKERS: dict[str, Callable[..., Any]] = {
    "set": _only(set, list, tuple, set),
    "frozenset": _only(frozenset, list, tuple, set),
    "bytearray": _only(bytearray, bytes),
    "float": _only(_no_number, str),
    "complex": _only(complex, int, float),
    "range": _only(range, int),
}


# Calls over plain data ---------------------------------------------------------------------------------------------


@_total
def capturing(proposal: Proposal) -> str:
    """An expression whose value is the call's arguments, as a tuple and a dict: to be run where no program is."""
    call = proposal.node
    return f"(lambda *a, **k: (a, k))({', '.join(map(ast.unparse, [*call.args, *call.keywords]))})"


@_total
def spelled(proposal: Proposal, arguments: Value) -> str:
    """The call with these arguments, which came from a process of the text's own: nothing is taken for granted."""
    parts = arguments.children()
    if arguments.kind != "tuple" or [part.kind for part in parts] != ["tuple", "dict"]:
        raise Unreadable("the proposed input is no plain data")
    try:
        given = [part.literal() for part in parts[0].children()]
        given += [f"{_identifier(name)}={part.literal()}" for name, part in parts[1].items()]
    except ValueError:
        raise Unreadable("the proposed input is no plain data") from None
    entry = ast.unparse(proposal.node.func)
    again = proposed_call(f"{entry}({', '.join(given)})", entry)
    if not again.is_plain:
        raise Unreadable("the proposed input is no plain data")
    return again.text


def _identifier(name: Value) -> str:
    text = name.ref
    if not isinstance(text, str) or not text.isidentifier() or keyword.iskeyword(text):
        raise ValueError("a keyword argument without a name")
    return text

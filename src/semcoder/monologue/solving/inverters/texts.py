"""Ways back through text that is put together from parts: sums of text, f-strings, `%`, `format` and `join`.

Guarantees: those of the registry. It does not try every way to cut a text: see `_cuts`.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

from semcoder.monologue.solving import preimages
from semcoder.monologue.solving.engine import UNKNOWN, Engine, Inverters, States, register
from semcoder.monologue.solving.state import Items, State

TABLE = Inverters()


def operands(node: ast.expr) -> list[ast.expr]:
    """The operands of a chain of `+`, in order."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return [*operands(node.left), *operands(node.right)]
    return [node]


def made_of(engine: Engine, parts: Sequence[ast.expr], target: str, state: State, shown: bool = False) -> States:
    """Texts of the parts, known or open, that make up the target. `shown`: parts are turned to text by `str`."""
    texts: list[str | None] = []
    for part in parts:
        value = engine.known(part, state)
        if value is not UNKNOWN and not isinstance(value, str) and not shown:
            return iter(())
        texts.append(None if value is UNKNOWN else str(value))
    unknown = [part for part, text in zip(parts, texts, strict=True) if text is None]

    def put(groups: tuple[str, ...], s: State) -> States:
        if not shown:
            return engine.all(s, list(zip(unknown, groups, strict=True)))
        return _shown(engine, list(zip(unknown, groups, strict=True)), s)

    return engine.each(state, list(dict.fromkeys(_cuts(texts, target))), put)


def _shown(engine: Engine, pairs: Sequence[tuple[ast.expr, str]], state: State) -> States:
    if not pairs:
        yield state
        return
    (part, text), *rest = pairs
    for found in engine.each(state, preimages.FUNCTIONS["str"](text), lambda v, s: engine.invert(part, v, s)):
        yield from _shown(engine, rest, found)


def _cuts(texts: Sequence[str | None], target: str) -> Iterator[tuple[str, ...]]:
    """Ways to cut the target into the open parts between the known ones: short last, short first, single characters."""
    count = texts.count(None)
    if count == len(texts) > 1:  # an accumulator and what was added last: one character first
        yield from _single(texts, target)
    backwards = _leftmost([text and text[::-1] for text in reversed(texts)], target[::-1])
    if backwards is not None:
        yield tuple(part[::-1] for part in reversed(backwards))
    forwards = _leftmost(texts, target)
    if forwards is not None:
        yield forwards
    yield from _single(texts, target)
    if count == len(texts) == 2:
        for at in (len(target), 1, len(target) // 2):
            yield target[:at], target[at:]


def _leftmost(texts: Sequence[str | None], target: str) -> tuple[str, ...] | None:
    """The open parts where each known text stands as far left as it can, None where they do not fit. What a regular
    expression with lazy groups finds, without its time, which grows with a power of the length."""
    runs = groupby(texts, lambda text: text is None)
    known = [part for none, run in runs for part in (run if none else ["".join(text or "" for text in run)])]
    tail = known.pop() or "" if known and known[-1] is not None else ""
    end = len(target) - len(tail)
    if end < 0 or target[end:] != tail:
        return None
    parts: list[str] = []
    open_, at = False, 0  # whether an open part ends here, and where it, or the next text, begins
    for text in known:
        if text is None:
            parts += [""] * open_
            open_ = True
            continue
        found = target.find(text, at, end if open_ else at + len(text))
        if found < 0 or found + len(text) > end:
            return None
        parts += [target[at:found]] * open_
        open_, at = False, found + len(text)
    if open_:
        return (*parts, target[at:end])
    return tuple(parts) if at == end else None


def _single(texts: Sequence[str | None], target: str) -> Iterator[tuple[str, ...]]:
    """The first open part as long as it can be, each further one a single character."""
    holes = iter(["(.*)"] + ["(.)"] * (texts.count(None) - 1))
    match = re.fullmatch("".join(next(holes) if text is None else re.escape(text) for text in texts), target, re.DOTALL)
    if match:
        yield match.groups()


@register(TABLE.nodes, ast.JoinedStr)
def _fstring(engine: Engine, node: ast.JoinedStr, target: Any, state: State) -> States:
    if not isinstance(target, str):
        return iter(())
    parts = [
        p.value if isinstance(p, ast.FormattedValue) and p.format_spec is None and p.conversion in (-1, 115) else p
        for p in node.values
    ]
    return _filled(engine, node, parts, target, state)


def _filled(engine: Engine, node: ast.AST, parts: Sequence[ast.expr] | None, target: str, state: State) -> States:
    """The parts, turned to text, make up the target, and the whole is checked; nothing where there are no parts."""
    if parts is None:
        return iter(())
    states = made_of(engine, parts, target, state, shown=True)
    return (sure for found in states for sure in engine.confirm(node, target, found))


def percent(engine: Engine, node: ast.BinOp, target: str, state: State) -> States:
    template = engine.known(node.left, state)
    if not isinstance(template, str):
        return engine.propose(node.left, [target], node, target, state)
    arguments = node.right.elts if isinstance(node.right, ast.Tuple) else [node.right]
    parts = _holes(re.split(r"%[sdr]", template.replace("%%", "%")), arguments)
    return _filled(engine, node, parts, target, state)


def _holes(fixed: Sequence[str], arguments: Sequence[ast.expr]) -> list[ast.expr] | None:
    """Fixed texts with the arguments between them; None where the counts do not match."""
    if len(fixed) != len(arguments) + 1 or any(isinstance(a, ast.Starred) for a in arguments):
        return None
    out: list[ast.expr] = [ast.Constant(fixed[0])]
    for argument, text in zip(arguments, fixed[1:], strict=True):
        out += [argument, ast.Constant(text)]
    return out


@register(TABLE.methods, "format")
def _format(engine: Engine, node: ast.Call, target: Any, state: State) -> States:
    assert isinstance(node.func, ast.Attribute)
    template = engine.known(node.func.value, state)
    if not isinstance(target, str):
        return iter(())
    if not isinstance(template, str):
        plain = target.replace("{", "{{").replace("}", "}}")
        return engine.propose(node.func.value, [plain, "{}" + plain], node, target, state)
    fields = re.findall(r"\{(\w*)(?:![rs])?(?::[^}]*)?\}", template)
    named = {str(k.arg): k.value for k in node.keywords}
    order: list[ast.expr] = []
    for count, name in enumerate(fields):
        place = count if name == "" else int(name) if name.isdigit() else None
        if (place is None and name not in named) or (place is not None and place >= len(node.args)):
            return iter(())
        order.append(named[name] if place is None else node.args[place])
    parts = _holes(re.split(r"\{[^}]*\}", template), order)
    return _filled(engine, node, parts, target, state)


@register(TABLE.methods, "join")
def _join(engine: Engine, node: ast.Call, target: Any, state: State) -> States:
    """The separator cuts the text; an open separator is taken to be empty, or the text to be one part."""
    if not isinstance(target, str) or len(node.args) != 1:
        return iter(())
    assert isinstance(node.func, ast.Attribute)
    receiver, argument = node.func.value, node.args[0]
    separator = engine.known(receiver, state)

    def cut(sep: str, s: State) -> States:
        ways = [[target]] if target else [[], [""]]
        if sep:
            ways = [target.split(sep), *ways] if target else ways
        else:
            words = [c for c in engine.constants if isinstance(c, str) and len(c) > 1 and c in target]
            pattern = "|".join([*map(re.escape, sorted(words, key=len, reverse=True)), "."])
            ways = (
                [list(target), *([re.findall(pattern, target, re.DOTALL)] if words else []), *ways] if target else ways
            )
        return engine.each(s, ways, lambda row, t: engine.invert(argument, Items(tuple(row)), t))

    if isinstance(separator, str):
        return cut(separator, state)
    row = engine.known(argument, state)
    if row is not UNKNOWN:
        return _open_separator(engine, receiver, list(row), target, state)

    def then(sep: str, s: State) -> States:
        for found in engine.invert(receiver, sep, s):
            yield from cut(sep, found)

    return engine.each(state, ["", " ", ",", "-"], then)


def _open_separator(engine: Engine, receiver: ast.expr, row: list[Any], target: str, state: State) -> States:
    if len(row) < 2 or not all(isinstance(r, str) for r in row):
        return engine.invert(receiver, " ", state) if row == [target] or (not target and not row) else iter(())
    gap = (len(target) - sum(map(len, row))) // (len(row) - 1)
    sep = target[len(row[0]) : len(row[0]) + max(gap, 0)]
    return engine.invert(receiver, sep, state) if sep.join(row) == target else iter(())

"""Sentences about a run judged as a whole, and a small program in whose run a given fact holds."""

from __future__ import annotations

import ast
import builtins
import itertools
from collections.abc import Callable, Sequence
from typing import Any

from semcoder.core import Claim, Value
from semcoder.monologue import verify
from semcoder.tracing import trace_here


def verdict_of(claims: Sequence[Claim], span: tuple[int, int]) -> bool | None:
    """False if a claim of the sentence is, True if there are claims and all are."""
    inside = [c.verdict for c in claims if c.start < span[1] and c.end > span[0]]
    if False in inside:
        return False
    return True if inside and None not in inside else None


Shape = tuple[str, dict[int, str], str]  # the call, rows of the body by line, the row after them


def program_for(kind: str, parts: dict[str, Any]) -> tuple[str, str]:
    """A program and a call in whose run the fact holds, and no other fact of its kind."""
    if "source" in parts and "call" in parts:
        return parts["source"], parts["call"]
    head, (call, body, tail) = "def f():", _SHAPES[kind](parts)
    if kind in ("condition", "branch", "expression"):
        head, call = _for_source(kind, parts)
    elif kind == "call":
        head = f"def {parts['name']}(*args):"
    elif kind == "returns_from":
        head = f"def {parts['name']}():"
    elif body.pop(1, None) is not None:  # the first line is the `def`: what it binds is an argument
        head = f"def f({parts['name']}={parts['value']}):"
    rows = [head] + [""] * (max([1, *body]) - 1)
    for at, row in body.items():
        rows[at - 1] = "    " + row
    return "\n".join([*rows, "    " + (tail or "pass")]) + "\n", call


def _iteration(parts: dict[str, Any]) -> Shape:
    k, value = parts["ordinal"], parts["value"]
    number = value.lstrip("-").isdigit()
    items = [str(int(value) + n - k) if number else f"'item {n}'" for n in range(1, k + 2)]
    items[k - 1] = value
    return "f()", {parts["line"]: f"for {parts['name']} in [{', '.join(items)}]:", parts["line"] + 1: "    pass"}, ""


def _branching(parts: dict[str, Any]) -> Shape:
    line, target = parts["line"], parts.get("target_line")
    taken = parts.get("result", parts.get("taken"))
    body = {line: f"if {parts.get('source', 'x > 3')}:", (target if taken and target else line + 1): "    y = 1"}
    return "", {**body, target: "z = 2"} if target and not taken else body, ""


_SHAPES: dict[str, Callable[[dict[str, Any]], Shape]] = {
    "value": lambda p: ("f()", {p["line"]: f"{p['name']} = {p['value']}"}, ""),
    "before": lambda p: ("f()", {p["line"] - 1: f"{p['name']} = {p['value']}", p["line"]: "pass"}, ""),
    "change": lambda p: (
        "f()",
        {p["line"] - 1: f"{p['name']} = {p['old']}", p["line"]: f"{p['name']} = {p['new']}"},
        "",
    ),
    "iterations": lambda p: ("f()", {p["line"]: f"for i in range({p['count']}):", p["line"] + 1: "    pass"}, ""),
    "loop_end": lambda p: ("f()", {p["line"]: "for i in range(3):", p["line"] + 1: "    pass"}, ""),
    "iteration": _iteration,
    "condition": _branching,
    "branch": _branching,
    "order": lambda p: ("f()", {p["line"]: "a = 1", p["next_line"]: "b = 2"}, ""),
    "returns": lambda p: ("f()", {}, f"return {p['value']}"),
    "rejected": lambda p: ("f()", {}, f"return {p['right']}"),
    "returns_from": lambda p: (f"{p['name']}()", {p["line"]: f"return {p['value']}"}, ""),
    "raises": lambda p: ("f()", {}, f"raise {p['type']}({p['message']})"),
    "prints": lambda p: ("f()", {}, f"print({p['text']})"),
    "call": lambda p: (f"{p['name']}({p['args_source']})", {}, f"return {p['value']}"),
    "expression": lambda p: ("", {p["line"]: f"return {p['source']}"}, ""),
}


_TRIES = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "-1", "-5", "12", "100", "''", "'a'", "'abc'", "[]",
          "[1]", "[1, 2]", "[1, 2, 3]", "True", "False", "None", "{}", "{'a': 1}"]  # fmt: skip


def _for_source(kind: str, parts: dict[str, Any]) -> tuple[str, str]:
    """A function head and a call with whose arguments an expression has the value or the truth that it should."""
    source = parts.get("source", "x > 3")
    names = {n.id for n in ast.walk(ast.parse(source)) if isinstance(n, ast.Name)}
    free = sorted(name for name in names if not hasattr(builtins, name))
    wanted = ast.literal_eval(parts["value"]) if kind == "expression" else parts.get("result", parts.get("taken"))
    for given in itertools.product(_TRIES, repeat=len(free)):
        try:
            found = eval(source, {n: ast.literal_eval(g) for n, g in zip(free, given, strict=True)})
        except (TypeError, LookupError, ValueError, ArithmeticError, AttributeError):
            continue
        if Value.of(found if kind == "expression" else bool(found)) == Value.of(wanted):
            return f"def f({', '.join(free)}):", f"f({', '.join(given)})"
    raise SystemExit(f"no values are known with which {source} is {wanted}")


_PART_NAMES = {
    "value": ["line", "name", "value"], "before": ["line", "name", "value"], "change": ["line", "name", "old", "new"],
    "iterations": ["line", "count"], "iteration": ["line", "ordinal", "name", "value"], "loop_end": ["line"],
    "condition": ["line", "source", "result"], "branch": ["line", "taken", "target_line"],
    "order": ["line", "next_line"],
    "returns": ["value"], "returns_from": ["line", "name", "value"], "raises": ["type", "message"], "prints": ["text"],
    "call": ["name", "args_source", "value"], "expression": ["line", "source", "value"], "rejected": ["wrong", "right"],
}  # fmt: skip


def hard(
    rows: Sequence[tuple[str, bool | None, dict[str, Any]]],
    *,
    show: bool,
    programs: dict[str, tuple[str, str]] | None = None,
) -> tuple[int, int]:
    """How many of the hard sentences have the verdict that they should have, of how many.

    `programs`: source and call of the programs that the sentences name, where they name any.
    """
    right = 0
    for sentence, expected, fact in rows:
        if programs and "program" in fact:
            right += _verdict(sentence, *programs[fact["program"]]) is expected
            continue
        parts = fact["parts"]
        if not isinstance(parts, dict):
            parts = dict(zip(_PART_NAMES[fact["kind"]], parts, strict=False))
        source, call = program_for(fact["kind"], {**parts, **{k: fact[k] for k in ("source", "call") if k in fact}})
        claims = verify(sentence, trace_here(source, call))
        verdicts = [c.verdict for c in claims]
        found = False if False in verdicts else True if True in verdicts and None not in verdicts else None
        right += found is expected
        if show and found is not expected:
            print(
                f"HARD {expected} but {found}: {sentence} | {fact} | {[(c.kind, c.verdict, c.actual) for c in claims]}"
            )
    return right, len(rows)


def _verdict(sentence: str, source: str, call: str) -> bool | None:
    verdicts = [claim.verdict for claim in verify(sentence, trace_here(source, call))]
    return False if False in verdicts else True if True in verdicts and None not in verdicts else None

"""Scoring of programs by tests: every test runs where the program is not, and meets it as a stub.

Guarantees: those of `semcoder.sandbox.Checkers`; a task whose tests cannot judge an answer gives `passed` None.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from semcoder.benchmarks._texts import parsed
from semcoder.core import Score
from semcoder.errors import UsageError
from semcoder.sandbox import Check, Checkers, Limits

#: The official scorers give a program and all its tests three seconds by the clock; here each call has them.
LIMITS = Limits(cpu_s=3.0, wall_s=4.0)


def score_checks(checks: Iterable[Check], *, workers: int, unsafe: bool) -> Iterator[tuple[int, Score]]:
    """The scores of checks, as they come."""
    with Checkers(workers, unsafe=unsafe) as checkers:
        yield from checkers.run(checks)


def joined(prompt: str, answer: str) -> str:
    """The program that an answer makes: it goes on where the prompt ends, or says the function anew below it."""
    return f"{prompt}\n{answer}" if answer[:1] not in (" ", "\t", "\n") else prompt + answer


def context_of(prompt: str, entry: str) -> str:
    """What a prompt gives besides the function that is asked for: imports and helpers that tests may rely on."""
    tree = parsed(prompt)
    if tree is None:
        return ""
    tree.body = [node for node in tree.body if getattr(node, "name", None) != entry]
    return ast.unparse(tree)


def header_of(source: str, entry: str) -> str:
    """Name, parameters and result of a function as its `def` says them; the name alone where there is none."""
    tree = parsed(source)
    for node in tree.body if tree is not None else ():
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.name == entry:
            result = f" -> {ast.unparse(node.returns)}" if node.returns is not None else ""
            return f"{entry}({ast.unparse(node.args)}){result}"
    return entry


def tested_entry(source: str, tests: str) -> str:
    """The function of a program that tests call first. Raises `UsageError` where they call none."""
    tree, asserts = parsed(source), parsed(tests)
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    defined = {node.name for node in (tree.body if tree is not None else ()) if isinstance(node, kinds)}
    for node in ast.walk(asserts) if asserts is not None else ():
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in defined:
            return node.func.id
    raise UsageError("the tests call no function that the reference solution defines")

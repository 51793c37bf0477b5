"""Calls that a project's own tests make of its functions: `assert f(1) == 2`, `self.assertEqual(f(1), 2)`.

Guarantees: a call comes back only where the test imports the function, or its module, by name, and where its
arguments are literals (a name that was assigned a literal before counts as it); in the order of the files and lines,
each once. Nothing is imported or run, and what a test expects is not used.
It does not find calls of methods, parametrised ones, and those of functions that fixtures hand over.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path

from semcoder.seeds._names import bound_names
from semcoder.seeds._project import Module, Unreadable, is_literal, read_module
from semcoder.seeds.examples import call_text

#: A function, by its module's dotted name and its own.
Target = tuple[str, str]


def tested_calls(files: Iterable[Path]) -> dict[Target, list[str]]:
    """The calls of test files by what is called, under the name that the tests import it by."""
    found: dict[Target, dict[str, None]] = {}
    for file in files:
        try:
            module = read_module(file, file.name)
        except Unreadable:
            continue
        imported = _imported(module)
        if imported:
            for target, text in _calls(module.tree.body, imported, {}):
                found.setdefault(target, {}).setdefault(text)
    return {target: list(texts) for target, texts in found.items()}


def _imported(module: Module) -> dict[str, Target]:
    """What a module's imports, wherever they stand, bind names to: a module, or something of a module."""
    found: dict[str, Target] = {}
    for node in ast.walk(module.tree):
        if isinstance(node, ast.ImportFrom):
            found.update({alias.asname or alias.name: (module.absolute(node), alias.name) for alias in node.names})
        elif isinstance(node, ast.Import):
            for alias in node.names:
                found[alias.asname or alias.name.partition(".")[0]] = (
                    alias.name if alias.asname else alias.name.partition(".")[0],
                    "",
                )
    return found


def _calls(
    body: list[ast.stmt], imported: dict[str, Target], known: dict[str, ast.expr]
) -> Iterator[tuple[Target, str]]:
    """The calls in asserts of some statements. `known`: names to the literals they stand for; changed on the way."""
    for statement in body:
        if _is_assert(statement):
            calls = [node for node in ast.walk(statement) if isinstance(node, ast.Call)]
            for node in sorted(calls, key=lambda node: (node.lineno, node.col_offset)):
                target = _target(node.func, imported)
                text = call_text(node, target[1], known) if target else ""
                if target and text:
                    yield target, text
            continue
        for name in bound_names([statement]):
            known.pop(name, None)
        if isinstance(statement, ast.Assign) and is_literal(statement.value):
            known.update({t.id: statement.value for t in statement.targets if isinstance(t, ast.Name)})
        inner = dict(known) if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)) else known
        for block in _blocks(statement):
            yield from _calls(block, imported, inner)


def _blocks(statement: ast.stmt) -> Iterator[list[ast.stmt]]:
    for name in ("body", "orelse", "finalbody"):
        yield getattr(statement, name, [])
    for part in (*getattr(statement, "handlers", ()), *getattr(statement, "cases", ())):
        yield part.body


def _is_assert(statement: ast.stmt) -> bool:
    """Whether a statement is an assert, or calls a method of that kind."""
    call = statement.value if isinstance(statement, ast.Expr) else None
    method = call.func if isinstance(call, ast.Call) else None
    return isinstance(statement, ast.Assert) or (
        isinstance(method, ast.Attribute) and method.attr.lower().startswith("assert")
    )


def _target(func: ast.expr, imported: dict[str, Target]) -> Target | None:
    """The function that a call names, through what the test imports."""
    path: list[str] = []
    while isinstance(func, ast.Attribute):
        path.insert(0, func.attr)
        func = func.value
    if not isinstance(func, ast.Name) or func.id not in imported:
        return None
    whole = [*filter(None, imported[func.id]), *path]
    return (".".join(whole[:-1]), whole[-1]) if len(whole) > 1 else None

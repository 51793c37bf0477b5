"""Calls that a program's own documentation shows: doctests, and lines such as `f(1, 2) -> 3`.

Guarantees: every example is a call of the entry whose arguments are literals (names that the doctest assigned a literal
before are replaced by it), in the order of the text, each once. Nothing is executed.
It does not return what the documentation says comes out: execution tells.
"""

from __future__ import annotations

import ast
import doctest
import re
from collections.abc import Iterator, Mapping

from semcoder.core import Invocation, Program
from semcoder.seeds._project import is_literal, parse_quietly

MAX_CALL = 400


def examples(program: Program) -> list[Invocation]:
    """The documented calls of a program's entry, from all docstrings of its text."""
    tree = parse_quietly(program.source)
    found: dict[str, None] = {}
    entry = program.entry.rpartition(".")[2]
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            doc = ast.get_docstring(node, clean=False) or ""
            if entry in doc:
                for call in [*_doctest_calls(doc, entry), *_shown_calls(doc, entry)]:
                    found.setdefault(call)
    return [Invocation(text.replace(entry, program.entry, 1)) for text in found]


def calls_in(text: str, entry: str) -> list[str]:
    """The calls of a function over literals that code shows (`assert f(1) == 2`); none where the text is no code."""
    tree = _parse(text)
    return list(dict.fromkeys(literal_calls(tree, entry))) if tree is not None and entry in text else []


def _doctest_calls(doc: str, entry: str) -> Iterator[str]:
    try:
        shown = doctest.DocTestParser().get_examples(doc)
    except ValueError:  # inconsistent indentation, say
        return
    known: dict[str, ast.expr] = {}
    for example in shown:
        tree = _parse(example.source)
        for statement in tree.body if tree is not None else ():
            yield from literal_calls(statement, entry, known)
            if isinstance(statement, ast.Assign) and is_literal(statement.value):
                known.update({t.id: statement.value for t in statement.targets if isinstance(t, ast.Name)})


def _shown_calls(doc: str, entry: str) -> Iterator[str]:
    """Calls in running text, each up to the bracket that closes it."""
    for match in re.finditer(rf"(?<![\w.]){re.escape(entry)}\(", doc):
        depth = 0
        for place in range(match.end() - 1, min(len(doc), match.end() + MAX_CALL)):
            depth += (doc[place] in "([{") - (doc[place] in ")]}")
            if depth == 0:
                tree = _parse(doc[match.start() : place + 1])
                if tree is not None and len(tree.body) == 1:
                    yield from literal_calls(tree.body[0], entry, {})
                break


def literal_calls(tree: ast.AST, entry: str, known: Mapping[str, ast.expr] | None = None) -> Iterator[str]:
    """Calls of a function, or of a method of that name, in a tree, `known` names replaced by their literals."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _name(node.func) == entry and (text := call_text(node, entry, known or {})):
            yield text


def call_text(node: ast.Call, entry: str, known: Mapping[str, ast.expr]) -> str:
    """A call as one of `entry` over literals; '' where its arguments are none, or too long."""
    args = [_inlined(arg, known) for arg in node.args]
    keywords = [ast.keyword(k.arg, _inlined(k.value, known)) for k in node.keywords]
    if (
        not args + keywords
        or not all(map(is_literal, args))
        or not all(k.arg and is_literal(k.value) for k in keywords)
    ):
        return ""
    text = ast.unparse(ast.Call(ast.Name(entry), args, keywords))
    return text if len(text) <= MAX_CALL else ""


def _inlined(node: ast.expr, known: Mapping[str, ast.expr]) -> ast.expr:
    return known.get(node.id, node) if isinstance(node, ast.Name) else node


def _name(node: ast.AST) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _parse(text: str) -> ast.Module | None:
    try:
        return parse_quietly(text.strip())
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None

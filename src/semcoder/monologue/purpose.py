"""What a function is for, as far as its author said it: the docstring's first sentence, else the words of its name."""

from __future__ import annotations

import ast
import re


def find_function(tree: ast.Module, name: str) -> ast.FunctionDef | ast.AsyncFunctionDef | None:
    """The definition of a dotted name (`f`, `Stack.push`) at the top level of a module."""
    body: list[ast.stmt] = tree.body
    found: ast.stmt | None = None
    for part in name.split("."):
        found = next((n for n in reversed(body) if getattr(n, "name", None) == part), None)
        body = found.body if isinstance(found, ast.ClassDef) else []
    return found if isinstance(found, (ast.FunctionDef, ast.AsyncFunctionDef)) else None


def first_sentence(docstring: str) -> str:
    """The first sentence of a docstring on one line, without signatures and markup; empty if there is none."""
    paragraph = re.split(r"\n\s*\n|>>>", docstring.strip(), maxsplit=1)[0]
    text = re.sub(r"\s+", " ", paragraph).strip()
    text = re.sub(r"^[\w.]+\([^)]*\)\s*(->|--?)?\s*[\w\[\], ]*?(?:[.:-]+ )", "", text) or text
    match = re.match(r".{8,}?[.!?](?= |$)", text)
    return (match.group() if match else text)[:300].strip()


def purpose_of(tree: ast.Module, name: str) -> list[str]:
    """Zero or one opening lines about what the called function is for."""
    function = find_function(tree, name) if name else None
    if function is None:
        return []
    docstring = ast.get_docstring(function)
    sentence = first_sentence(docstring) if docstring else ""
    if sentence:
        return [f"What the function is for, in its author's words: {sentence}"]
    words = [word for word in re.split(r"_+|(?<=[a-z])(?=[A-Z])", function.name) if word]
    if len(words) > 1:
        return [f"Going by its name, the function is meant to do this: {' '.join(words).lower()}."]
    return []

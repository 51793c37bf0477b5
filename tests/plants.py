"""Copies of a function as they turn up in the wild, to be found again: made from any source at run time."""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Callable

_HOST = '''
import collections

LIMIT = 12


def tally(lines):
    """Count the first letters of lines that are not empty."""
    found = collections.Counter()
    for line in lines:
        if line and len(found) < LIMIT:
            found[line[0]] += 1
    return dict(found)

'''


def own_names(tree: ast.AST) -> list[str]:
    """Variables, parameters, functions and classes that a tree names itself, but not modules it imports."""
    found: dict[str, None] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.arg):
            found[node.arg] = None
        elif isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            found[node.id] = None
        elif isinstance(node, (ast.FunctionDef, ast.ClassDef, ast.ExceptHandler)) and node.name:
            found[node.name] = None
    return list(found)


class _Rename(ast.NodeTransformer):
    def __init__(self, names: dict[str, str], functions: set[str]) -> None:
        self._names = names
        self._functions = functions

    def generic_visit(self, node: ast.AST) -> ast.AST:
        for field in ("id", "arg", "name"):
            value = getattr(node, field, None)
            if isinstance(value, str) and value in self._names and not isinstance(node, (ast.keyword, ast.alias)):
                setattr(node, field, self._names[value])
        if isinstance(node, (ast.Global, ast.Nonlocal)):
            node.names = [self._names.get(name, name) for name in node.names]
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in self._functions:
            for keyword in node.keywords:
                keyword.arg = self._names.get(keyword.arg or "", keyword.arg)
        return super().generic_visit(node)


def renamed(source: str) -> str:
    """With all its own names changed."""
    tree = ast.parse(source)
    functions = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    names = {name: f"{'qx' if k % 2 else 'value'}_{k}" for k, name in enumerate(own_names(tree))}
    return ast.unparse(_Rename(names, functions).visit(tree)) + "\n"


def reformatted(source: str) -> str:
    """With another layout: empty lines, line ends of another system, and a comment at the end."""
    lines = ast.unparse(ast.parse(source)).splitlines()
    plain = not any('"""' in line or "\\" in line for line in lines)
    text = "\r\n\r\n".join(lines) if plain else "\n".join(lines)
    return f"\n\n{text}\n# the end\n"


def commented(source: str) -> str:
    """With docstrings replaced, comments and annotations added."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            if ast.get_docstring(node) is not None:
                node.body.pop(0)
            node.body.insert(0, ast.Expr(ast.Constant("Another text altogether.")))
            node.returns = ast.Name("object", ast.Load())
            for arg in node.args.args:
                arg.annotation = ast.Name("object", ast.Load())
    return "# written anew\n" + ast.unparse(ast.fix_missing_locations(tree)) + "\n"


def in_a_class(source: str) -> str:
    """As methods of a class that call each other through `self`; imports and constants stay where they are."""
    tree = ast.parse(source)
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    names = {node.name for node in functions}
    rest = [node for node in tree.body if not isinstance(node, ast.FunctionDef)]
    for function in functions:
        _SelfCalls(names, _locals(function)).visit(function)
        function.args.args.insert(0, ast.arg("self"))
    holder = ast.ClassDef("Solution", [], [], list(functions), [])
    if hasattr(ast, "type_param"):
        setattr(holder, "type_params", [])  # noqa: B010 (a field that older versions of Python do not have)
    module = ast.Module([*rest, *([holder] if functions else [])], [])
    return ast.unparse(ast.fix_missing_locations(module)) + "\n"


def _locals(function: ast.FunctionDef) -> set[str]:
    stored = {n.id for n in ast.walk(function) if isinstance(n, ast.Name) and not isinstance(n.ctx, ast.Load)}
    return stored | {n.arg for n in ast.walk(function) if isinstance(n, ast.arg)}


class _SelfCalls(ast.NodeTransformer):
    def __init__(self, names: set[str], hidden: set[str]) -> None:
        self._names = names - hidden

    def visit_Name(self, node: ast.Name) -> ast.AST:
        if node.id in self._names and isinstance(node.ctx, ast.Load):
            return ast.Attribute(ast.Name("self", ast.Load()), node.id, ast.Load())
        return node


def among_others(source: str) -> str:
    """Beside a function that has nothing to do with it."""
    return _HOST + source


def pasted_text(description: str) -> str:
    """Code of another kind, with a description as its docstring, wrapped anew."""
    text = " ".join(description.replace("\\", "/").replace('"""', "'''").split())
    body = textwrap.indent(textwrap.fill(text, 61), "    ")
    return f'def unrelated(items):\n    r"""\n{body}\n    """\n    return [len(str(item)) for item in items][::2]\n'


COPIES: dict[str, Callable[[str], str]] = {
    "exact": str,
    "renamed": renamed,
    "reformatted": reformatted,
    "commented": commented,
    "in a class": in_a_class,
    "renamed in a class": lambda source: in_a_class(renamed(source)),
}

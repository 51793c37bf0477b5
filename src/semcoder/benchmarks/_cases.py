"""The tests of a task one by one: those that its prompt shows, and those that it is judged by.

Guarantees: read from text, nothing is run; total: what cannot be read gives no case. A case of a documentation is an
equation of a call over literals with a literal, so that it means the same wherever it stands.
"""

from __future__ import annotations

import ast
import doctest
import re
from collections.abc import Iterator, Sequence

from semcoder.benchmarks import Case
from semcoder.benchmarks._texts import defines, parsed
from semcoder.prompts import assertion

#: What stands between a call and its result in documentation.
_GIVES = re.compile(r"[ \t]*(?:#[ \t]*)?(?:==>|=>|->|==|➞|→|(?:should[ \t]+)?returns?\b)[ \t]*", re.IGNORECASE)
#: What may follow on a line behind a result.
_ENDS = re.compile(r"[ \t]*(?:[.,;]?[ \t]*$|#|\()")
#: Characters in which the end of a call is looked for.
_LONGEST = 2_000


# What a prompt shows -------------------------------------------------------------------------------------------------


def documented_cases(prompt: str, entry: str) -> list[Case]:
    """The examples in the documentation of a prompt's function: sessions of the interpreter (`>>>`), and calls that are
    followed by an arrow, by `==` or by "returns", and a literal. A lone `=` also defines things, and is no example."""
    text = _documentation(prompt, entry)
    found = dict.fromkeys([*_sessions(text), *_statements(text, entry)])
    return [
        Case(assertion(call, output), call)
        for call, output in found
        if _is_call(call, entry) and _literal(output) is not None
    ]


def _documentation(prompt: str, entry: str) -> str:
    tree = parsed(prompt + "    pass\n")
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    functions = [n for n in (tree.body if tree is not None else ()) if isinstance(n, kinds) and n.name == entry]
    return (ast.get_docstring(functions[-1]) or "") if functions else ""


def _sessions(text: str) -> Iterator[tuple[str, str]]:
    try:
        examples = doctest.DocTestParser().get_examples(text)
    except ValueError:  # its indentation is not that of a session
        return
    yield from ((example.source.strip(), example.want.strip()) for example in examples)


def _statements(text: str, entry: str) -> Iterator[tuple[str, str]]:
    for start in re.finditer(rf"(?<![\w.]){re.escape(entry)}\(", text):
        ends = re.finditer(r"\)", text[start.start() : start.start() + _LONGEST])
        calls = (text[start.start() : start.start() + end.end()] for end in ends)
        call = next((call for call in calls if _is_call(call, entry)), "")
        gives = _GIVES.match(text, start.start() + len(call)) if call else None
        if gives is not None:
            yield call, _literal_at(text[gives.end() :].partition("\n")[0])


def _literal_at(line: str) -> str:
    """The literal that a line begins with, if nothing but the end of a sentence or a remark follows; else empty."""
    ends = (end for end in range(len(line), 0, -1) if _ENDS.match(line, end))
    return next((line[:end].strip() for end in ends if _literal(line[:end]) is not None), "")


def _is_call(text: str, entry: str) -> bool:
    """Whether a text is a call of the entry over literals."""
    call = _expression(text)
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name) or call.func.id != entry:
        return False
    given = [*call.args, *(word.value for word in call.keywords)]
    return all(_literal(ast.unparse(part)) is not None for part in given)


def _literal(text: str) -> ast.expr | None:
    node = _expression(text)
    try:
        if node is not None:
            ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
        return None
    return node


def _expression(text: str) -> ast.expr | None:
    tree = parsed(text.strip())
    only = tree.body[0] if tree is not None and len(tree.body) == 1 else None
    return only.value if isinstance(only, ast.Expr) else None


# What a task is judged by --------------------------------------------------------------------------------------------


def assert_cases(tests: Sequence[str], entry: str, setup: str = "") -> list[Case]:
    """Asserts as cases. `setup`: lines that each of them needs."""
    return [Case(test, _called(parsed(test), entry), setup) for test in tests]


def checked_cases(tests: str, entry: str, check: str = "check") -> list[Case]:
    """The statements of a function `check(candidate)` that assert something of its argument, each on its own, with what
    stands before it and asserts nothing; their messages left out, and the entry named. Empty without such a function.
    """
    tree = parsed(tests)
    functions = [n for n in (tree.body if tree is not None else ()) if getattr(n, "name", "") == check]
    function = functions[-1] if functions else None
    if tree is None or not isinstance(function, ast.FunctionDef) or len(function.args.args) != 1:
        return []
    renamed = _Renamed(function.args.args[0].arg, entry)
    before = [ast.unparse(node) for node in tree.body if node is not function]
    found = []
    for node in map(renamed.visit, function.body):
        asserts = any(isinstance(part, ast.Assert) for part in ast.walk(node))
        if not asserts:
            before.append(ast.unparse(node))
        elif _names(node, entry):
            found.append(Case(ast.unparse(node), _called(node, entry), "\n".join(before)))
    return found


class _Renamed(ast.NodeTransformer):
    """The argument of a check under the entry's name, and asserts without messages."""

    def __init__(self, argument: str, entry: str) -> None:
        self._argument, self._entry = argument, entry

    def visit_Name(self, node: ast.Name) -> ast.Name:
        return ast.Name(self._entry, node.ctx) if node.id == self._argument else node

    def visit_Assert(self, node: ast.Assert) -> ast.AST:
        return self.generic_visit(ast.Assert(node.test))


def _called(node: ast.AST | None, entry: str) -> str:
    """The first call of the entry in an assert; empty where there is none to name: that of a loop has its variables."""
    statement = node.body[0] if isinstance(node, ast.Module) and len(node.body) == 1 else node
    if not isinstance(statement, ast.Assert):
        return ""
    parts = list(ast.walk(statement))
    calls = [part for part in parts if isinstance(part, ast.Call) and getattr(part.func, "id", None) == entry]
    has_variables = any(isinstance(part, (ast.comprehension, ast.Lambda)) for part in parts)
    return ast.unparse(calls[0]) if calls and not has_variables else ""


def _names(node: ast.AST, entry: str) -> bool:
    return any(isinstance(part, ast.Name) and part.id == entry for part in ast.walk(node))


# What an answer makes ------------------------------------------------------------------------------------------------


def standalone(answer: str, entry: str, context: str = "", begun: str = "") -> str:
    """The program that an answer makes, by itself, as a person would show it; empty for an answer that is none.

    `context`: what it needs; `begun`: the beginning of a function that the answer may go on with. A program with an
    error in its syntax is one if it means to define the entry.
    """
    if defines(answer, entry) or re.search(rf"^[ \t]*(?:async )?(?:def|class) +{re.escape(entry)}\b", answer, re.M):
        return f"{context}\n\n{answer}" if context.strip() else answer
    goes_on = begun and answer[:1] in (" ", "\t", "\n") and answer.strip()
    return begun + answer if goes_on else ""

"""Reading a teacher's answers: problems, solutions, monologues, out of whatever it wrote around them.

Guarantees: an answer gives what was asked for, or `Malformed` with one of a few reasons and a sentence for the teacher;
nothing of it is executed, and all of it is bounded. Fences of any length, in backticks or tildes, indented or never
closed, headings in place of tags, thoughts before the answer and several code blocks are put up with.
It does not vouch for what it reads: code that parses may do anything, and only the sandbox may find out.
"""

from __future__ import annotations

import ast
import functools
import itertools
import re
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import ParamSpec, TypeVar

from semcoder.seeds._project import is_literal, parse_quietly

Asked = ParamSpec("Asked")
Read = TypeVar("Read")
#: Characters of a statement of a problem, of a program, of one call; test inputs of one solution.
MAX_PROBLEM = 3000
MAX_CODE = 20_000
MAX_CALL = 400
MAX_CALLS = 20
#: Characters of an answer that are read, and how deep an expression in it may be nested.
MAX_ANSWER = 100_000
MAX_NESTED = 60
#: How many brackets a call's closing one is looked for among.
_BRACKETS = 200
_LEAST_WORDS = 8
_TAGS = "PROBLEM|FUNCTION|PLAN|INPUTS|MONOLOGUE|ANSWER"
_TAG = re.compile(rf"\[\s{{0,4}}/?\s{{0,4}}({_TAGS})\s{{0,4}}\]", re.IGNORECASE)
#: A tag as a heading: alone on its line in any dress, or with a colon before the text.
_HEADING = re.compile(rf"^[ \t#*_]*(?P<tag>{_TAGS})[ \t*_]*(:[ \t*_]*|$)", re.IGNORECASE | re.MULTILINE)
_THOUGHT = re.compile(r"<(think|thinking|reasoning)>.*?(</\1>|\Z)", re.DOTALL | re.IGNORECASE)
_FENCE = re.compile(r"^[ \t>]*(?P<fence>`{3,}|~{3,})[ \t]*(?P<language>[\w+.-]*)[^`\n]*$")


class Malformed(Exception):
    """An answer that cannot be used. `reason`: one of a few short phrases; `advice`: what to tell the teacher."""

    def __init__(self, reason: str, advice: str) -> None:
        super().__init__(advice)
        self.reason = reason
        self.advice = advice


def _bounded(read: Callable[Asked, Read]) -> Callable[Asked, Read]:
    """A reader for which what is nested too deep is `Malformed` too."""

    @functools.wraps(read)
    def bounded(*args: Asked.args, **kwargs: Asked.kwargs) -> Read:
        try:
            return read(*args, **kwargs)
        except (RecursionError, MemoryError):
            raise Malformed("nested too deep", "it is nested too deep to be read") from None

    return bounded


@dataclass(frozen=True, slots=True)
class Problem:
    """What a function is to do. `header` is `name(first, second)`; `stub`: signature and docstring, where they lead."""

    statement: str
    entry: str
    parameters: tuple[str, ...]
    header: str
    stub: str = ""

    @property
    def text(self) -> str:
        """The problem as it is put to whoever is to solve it."""
        if self.stub:
            return f"Here is a function's signature and documentation.\n\n```python\n{self.stub}\n```"
        return f"{self.statement}\n\nThe function is `{self.header}`."


@dataclass(frozen=True, slots=True)
class Solution:
    """A program, the calls that came with it, in order, and the plan before it ("" where there was none)."""

    source: str
    calls: tuple[str, ...]
    plan: str = ""
    blocks: int = 1


@dataclass(frozen=True, slots=True)
class Told:
    """A monologue, and the text of its answer."""

    text: str
    answer: str


# -- what an answer is made of


def without_thoughts(text: str) -> str:
    """The answer without what the teacher thought aloud before it."""
    return _THOUGHT.sub("", text[:MAX_ANSWER].replace("\r\n", "\n")).strip()


def section(text: str, tag: str) -> str | None:
    """What stands between `[TAG]` and `[/TAG]`, or under a heading TAG; to the next tag where none closes it."""
    opened = re.search(rf"\[\s*{tag}\s*\]", text, re.IGNORECASE)
    if opened is None:
        opened = next((found for found in _HEADING.finditer(text) if found["tag"].upper() == tag), None)
        if opened is None:
            return None
        ends = [found.start() for found in _HEADING.finditer(text, opened.end())]
    else:
        ends = []
    ends += [found.start() for found in _TAG.finditer(text, opened.end())]
    return text[opened.end() : min(ends, default=len(text))].strip()


@dataclass(frozen=True, slots=True)
class _Block:
    """A fenced block: its code, and where in the text the block begins and ends."""

    code: str
    start: int
    end: int


def _blocks(text: str) -> Iterator[_Block]:
    fence, start, body, at = "", 0, list[str](), 0
    for line in text.splitlines(keepends=True):
        match = _FENCE.match(line.rstrip("\n"))
        if not fence and match:
            fence, start, body = match["fence"], at, []
        elif fence and match and match["fence"].startswith(fence) and not match["language"]:
            yield _Block(_dedented(body), start, at + len(line))
            fence = ""
        elif fence and match and match["language"]:  # the one before was never closed
            yield _Block(_dedented(body), start, at)
            fence, start, body = match["fence"], at, []
        elif fence:
            body.append(line)
        at += len(line)
    if fence:
        yield _Block(_dedented(body), start, at)


def _dedented(lines: list[str]) -> str:
    return textwrap.dedent("".join(lines)).strip("\n")


def _parsed(code: str) -> ast.Module | None:
    try:
        return parse_quietly(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _function(tree: ast.Module | None, name: str = "") -> ast.FunctionDef | None:
    """The last top-level function of that name, or of any."""
    found = [n for n in (tree.body if tree else ()) if isinstance(n, ast.FunctionDef) and name in ("", n.name)]
    return found[-1] if found else None


def _parameters(function: ast.FunctionDef) -> tuple[str, ...]:
    given = function.args
    starred = [part for part in (given.vararg, given.kwarg) if part is not None]
    return tuple(part.arg for part in [*given.posonlyargs, *given.args, *given.kwonlyargs, *starred])


def _refuse_empty(text: str, cut: bool) -> None:
    if not text:
        reason = "cut at max_tokens" if cut else "empty answer"
        raise Malformed(reason, "there is nothing in it")


def _missing(reason: str, advice: str, cut: bool) -> Malformed:
    """A part is not there: because the answer was cut off, or for another reason."""
    if cut:
        return Malformed("cut at max_tokens", "it is too long and was cut off; be brief")
    return Malformed(reason, advice)


# -- problems


@_bounded
def read_problem(text: str, *, cut: bool = False, signature_first: bool = False) -> Problem:
    """The problem of an answer to `ask_for_problem`. Raises `Malformed`."""
    text = without_thoughts(text)
    _refuse_empty(text, cut)
    problem = _stub(text, cut) if signature_first else _stated(text, cut)
    if len(problem.statement.split()) < _LEAST_WORDS:
        raise Malformed("no problem text", "it does not say what the problem is")
    if len(problem.statement) > MAX_PROBLEM:
        raise Malformed("problem too long", "the problem is to be concise: two to six sentences")
    if not problem.parameters:
        raise Malformed("no parameters", "the function must have at least one parameter")
    return problem


def _stated(text: str, cut: bool) -> Problem:
    statement, header = section(text, "PROBLEM"), section(text, "FUNCTION")
    if statement is None:
        raise _missing("no problem text", "there is no text between [PROBLEM] and [/PROBLEM]", cut)
    if header is None:
        raise _missing("no function header", "there is no header between [FUNCTION] and [/FUNCTION]", cut)
    line = next((part for part in header.replace("`", "").split("\n") if "(" in part), "").strip()
    line = line.removeprefix("def ").rstrip().rstrip(":")
    function = _function(_parsed(f"def {line}: pass"))
    if function is None:
        raise Malformed("no function header", "the header must be like name(first, second), in one line")
    statement = _TAG.sub("", statement).strip()
    header = f"{function.name}({ast.unparse(function.args)})"
    return Problem(statement, function.name, _parameters(function), header)


def _stub(text: str, cut: bool) -> Problem:
    codes = [block.code for block in _blocks(text)] or [text]
    function = next((f for f in (_function(_parsed(code)) for code in codes) if f is not None), None)
    if function is None:
        raise _missing("no function header", "there is no code block with a function's signature and docstring", cut)
    statement = ast.get_docstring(function) or ""
    returns = f" -> {ast.unparse(function.returns)}" if function.returns else ""
    header = f"{function.name}({ast.unparse(function.args)})"
    quoted = textwrap.indent(statement.replace("\\", "\\\\").replace('"""', "'''"), "    ").strip()
    stub = f'def {header}{returns}:\n    """{quoted}"""\n    ...'
    return Problem(statement, function.name, _parameters(function), header, stub)


# -- solutions


@_bounded
def read_solution(text: str, problem: Problem, *, cut: bool = False) -> Solution:
    """The solution of an answer to `ask_for_solution`: its last block that defines the function. Raises `Malformed`."""
    text = without_thoughts(text)
    _refuse_empty(text, cut)
    blocks = list(_blocks(text)) or _bare(text)
    if not blocks:
        raise _missing("no code block", "there is no code block in it", cut)
    main = next((b for b in reversed(blocks) if _function(_parsed(b.code), problem.entry)), None)
    if main is None:
        raise _unusable(blocks, problem, cut)
    function = _function(_parsed(main.code), problem.entry)
    assert function is not None
    if _parameters(function) != problem.parameters:
        raise Malformed("another signature", f"the function must be {problem.header}, parameters and all")
    if len(main.code) > MAX_CODE:
        raise Malformed("program too long", "the program is far too long")
    source, loose = _cleaned(main.code, problem.entry)
    before, after = text[: main.start], text[main.end :]
    listed = section(after, "INPUTS") or section(before, "INPUTS") or ""
    calls = _few(_calls(listed, problem.entry)) or _few(_calls(f"{before}\n{after}\n{loose}", problem.entry))
    if not calls:
        raise _missing("no test inputs", f"there are no calls of {problem.entry} with literals as arguments", cut)
    plan = section(before, "PLAN") or before.strip()
    return Solution(source, tuple(calls), plan, len(blocks))


def _few(calls: Iterator[str]) -> list[str]:
    """As many different calls as a solution may have."""
    found: dict[str, None] = {}
    for call in itertools.islice(calls, 5 * MAX_CALLS):
        found[call] = None
        if len(found) == MAX_CALLS:
            break
    return list(found)


def _bare(text: str) -> list[_Block]:
    """The whole answer as a block, where it is code without a fence."""
    return [_Block(text, 0, len(text))] if _function(_parsed(text)) is not None else []


def _unusable(blocks: list[_Block], problem: Problem, cut: bool) -> Malformed:
    """Why no block defines the function."""
    for block in blocks:
        try:
            parse_quietly(block.code)
        except SyntaxError as error:
            if f"def {problem.entry}" in block.code and not cut:
                return Malformed("syntax error", f"the code has a syntax error at line {error.lineno}: {error.msg}")
        except (ValueError, RecursionError, MemoryError):
            return Malformed("syntax error", "the code cannot be parsed")
    advice = f"no code block defines the function {problem.header} at its top level"
    return _missing("the function is not defined", advice, cut)


def _cleaned(code: str, entry: str) -> tuple[str, str]:
    """The program without trials at its top level (asserts, prints, calls of the function), and these."""
    lines = code.split("\n")
    loose: list[str] = []
    for node in reversed(parse_quietly(code).body):
        if _is_trial(node, entry):
            loose[:0] = lines[node.lineno - 1 : node.end_lineno]
            del lines[node.lineno - 1 : node.end_lineno]
    cleaned = "\n".join(line.rstrip() if not line.strip() else line for line in lines).strip("\n") + "\n"
    return (cleaned, "\n".join(loose)) if _function(_parsed(cleaned), entry) else (code.strip("\n") + "\n", "")


def _is_trial(node: ast.stmt, entry: str) -> bool:
    if isinstance(node, ast.If):
        return "__name__" in {n.id for n in ast.walk(node.test) if isinstance(n, ast.Name)}
    if isinstance(node, ast.Assert):
        return True
    calls = isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)
    return calls and bool({"print", entry} & {n.id for n in ast.walk(node) if isinstance(n, ast.Name)})


def _calls(text: str, entry: str) -> Iterator[str]:
    """Calls of the function in any text, each up to the bracket that closes it, whose arguments are literals."""
    for match in re.finditer(rf"(?<![\w.])(?<!def ){re.escape(entry)}\(", text):
        body = _first_call(text[match.start() : match.start() + MAX_CALL])
        if body is not None and is_plain_call(body, entry):
            yield ast.unparse(body)


def _first_call(text: str) -> ast.Call | None:
    """The call that a text begins with; None where it begins with none."""
    for bracket in list(re.finditer(r"\)", text))[:_BRACKETS]:
        call = parsed_call(text[: bracket.end()])
        if call is not None:
            return call
    return None


def parsed_call(text: str) -> ast.Call | None:
    """The call that a text is; None for anything else."""
    tree = _parsed(text)
    only = tree.body[0] if tree is not None and len(tree.body) == 1 else None
    return only.value if isinstance(only, ast.Expr) and isinstance(only.value, ast.Call) else None


def is_plain_call(node: ast.Call, entry: str) -> bool:
    """Whether a call is one of the function, over literals."""
    named = ast.unparse(node.func) == entry
    words = all(word.arg and is_literal(word.value) for word in node.keywords)
    return named and words and all(map(is_literal, node.args))


# -- monologues


@_bounded
def read_told(text: str, *, cut: bool = False) -> Told:
    """The monologue of an answer to `ask_for_monologue`, and its last answer. Raises `Malformed`."""
    text = without_thoughts(text)
    _refuse_empty(text, cut)
    answers = list(re.finditer(r"\[\s*ANSWER\s*\]", text, re.IGNORECASE))
    if not answers:
        raise _missing("no answer", "there is nothing between [ANSWER] and [/ANSWER]", cut)
    answer = re.split(r"\[\s*/\s*ANSWER\s*\]", text[answers[-1].end() :], flags=re.IGNORECASE)[0]
    answer = re.sub(r"^`{3,}\w*\n|`{3,}\s*$", "", answer.strip()).strip().strip("`").strip()
    before = text[: answers[-1].start()]
    told = section(before, "MONOLOGUE")
    told = before.strip() if told is None else told
    opened = len(re.findall(r"\[\s{0,4}MONOLOGUE\s{0,4}\]", before, re.IGNORECASE))
    if len(answers) > 1 or opened > 1 or _TAG.search(told):
        raise Malformed("several answers", "there must be one monologue and one answer, and no other tags in them")
    if not told:
        raise Malformed("no monologue", "there is no text before the answer")
    if not answer:
        raise Malformed("no answer", "there is nothing between [ANSWER] and [/ANSWER]")
    if len(answer) > MAX_CODE:
        raise Malformed("answer too long", "the answer is far too long")
    return Told(told, answer)


@_bounded
def asked_value(answer: str, call: str) -> str:
    """The text of the value that an answer to a forward question gives. Raises `Malformed`."""
    tree = _parsed(answer)
    body = tree.body[0] if tree is not None and len(tree.body) == 1 else None
    if isinstance(body, ast.Expr):
        test = body.value
    elif isinstance(body, ast.Assert):
        test = body.test
    else:
        raise Malformed("answer unreadable", "the answer is not an assert")
    if isinstance(test, ast.Compare) and len(test.ops) == 1 and isinstance(test.ops[0], (ast.Eq, ast.Is)):
        if ast.unparse(test.left) != ast.unparse(ast.parse(call, mode="eval")):
            raise Malformed("answer about another call", "the assert is about another call")
        return _spelled(test.comparators[0])
    if isinstance(body, ast.Assert):
        raise Malformed("answer unreadable", "the assert does not say what the call is equal to")
    return _spelled(test)


def _spelled(node: ast.expr) -> str:
    """The text of an expression. Raises `Malformed` where whoever reads it again might run out of stack."""
    level: list[ast.AST] = [node]
    for _ in range(MAX_NESTED):
        level = [child for parent in level for child in ast.iter_child_nodes(parent)]
        if not level:
            return ast.unparse(node)
    raise Malformed("nested too deep", "it is nested too deep to be read")


@_bounded
def proposed_input(answer: str, entry: str) -> ast.Call:
    """The call that an answer to a backward question settles on. Raises `Malformed`."""
    tree = _parsed(answer)
    body = tree.body[0] if tree is not None and len(tree.body) == 1 else None
    test = body.test if isinstance(body, ast.Assert) else body.value if isinstance(body, ast.Expr) else None
    call = test.left if isinstance(test, ast.Compare) else test
    if not isinstance(call, ast.Call) or ast.unparse(call.func) != entry:
        raise Malformed("answer unreadable", f"the answer is not an assert on a call of {entry}")
    _spelled(call)
    return call

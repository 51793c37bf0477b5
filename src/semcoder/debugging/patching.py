"""A model's patch for a failing test: asked for, tested in a copy, and asked for again with what was wrong.

Guarantees: a patch that is given has passed its tests; only functions of files that the model was shown change; what a
model writes that is no patch costs a round, never more. Nothing here writes to the project (see `write`).
It does not promise that a patch is right beyond the tests that it was tried with.
"""

from __future__ import annotations

import ast
import difflib
import os
import re
import textwrap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from semcoder.errors import SemcoderError, UsageError
from semcoder.models import Message, Model, Request, Sampling

#: How often a model may try.
ROUNDS = 3
#: Lines of a file that is shown whole, beside the suspect functions alone.
_SHOWN_WHOLE = 150
_FENCE = re.compile(r"^```[^\n]*\n(.*?)^```", re.DOTALL | re.MULTILINE)
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True)
class Question:
    """What a model is asked. `failing`: the test, or the call and what it should give; `story`: what the run did;
    `files`: texts that may change, by path; `suspects`: per file qualified names of functions, most suspect first."""

    failing: str
    story: tuple[str, ...]
    files: Mapping[Path, str]
    suspects: Mapping[Path, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Patch:
    """New texts by path, as a unified diff, with words on the cause; `rounds`: how often the model was asked, or how
    many changes a search tried."""

    changes: Mapping[Path, str]
    diff: str
    cause: str
    rounds: int


@dataclass(frozen=True, slots=True)
class Repair:
    """What came of it: a patch that passed (None: there is none), and why each other one was refused."""

    patch: Patch | None
    refused: tuple[str, ...]

    @property
    def rounds(self) -> int:
        """How often the model was asked."""
        return len(self.refused) if self.patch is None else self.patch.rounds


class NoPatch(ValueError):
    """The text holds no patch; the message says why, for the model."""


def repair(
    model: Model, question: Question, tested: Callable[[Mapping[Path, str]], str], *, max_tokens: int = 2048
) -> Repair:
    """Ask a model up to `ROUNDS` times for a patch.

    `tested` is given new texts by path and says what fails with them, "" where all tests pass. Raises `SemcoderError`
    where the model gives no text at all.
    """
    turns = [Message("user", prompt(question))]
    refused: list[str] = []
    seen: set[str] = set()
    for number in range(1, ROUNDS + 1):
        text = _answer(model, turns, max_tokens)
        try:
            changes = changes_of(text, question)
            diff = diff_of(question.files, changes)
            if diff in seen:
                raise NoPatch("this is the patch that you gave before")
            seen.add(diff)
            wrong = tested(changes)
        except NoPatch as error:
            wrong = str(error)
        else:
            if not wrong:
                return Repair(Patch(changes, diff, _cause(text), number), tuple(refused))
        refused.append(wrong)
        turns += [
            Message("assistant", text),
            Message("user", f"That does not do: {wrong}\nTry again, in the same form."),
        ]
    return Repair(None, tuple(refused))


def _answer(model: Model, turns: Sequence[Message], max_tokens: int) -> str:
    ((_, reply),) = model.generate([Request(tuple(turns), sampling=Sampling(max_tokens))])
    if not reply.completions:
        raise SemcoderError(f"the model gave no answer: {reply.error}")
    return reply.completions[0].text


def prompt(question: Question) -> str:
    """The first message: the failure, what the run did, the code."""
    parts = ["A test of a Python project fails. Find the root cause and repair the code, not the test."]
    parts.append(f"What fails:\n```python\n{question.failing.rstrip()}\n```")
    parts.append("What the code did, as it was recorded:\n" + "\n".join(question.story))
    for path, text in question.files.items():
        parts.append(f"From {path.name}:\n```python\n{_excerpt(text, question.suspects.get(path, ()))}\n```")
    parts.append(
        "First say in one or two sentences what the root cause is. Then write each function that must change once "
        "more, whole and corrected, under its own name, all in one ```python block. Write a method inside its class."
    )
    return "\n\n".join(parts)


def _excerpt(text: str, names: Sequence[str]) -> str:
    """A short file whole; of a long one the suspect functions."""
    rows = text.splitlines()
    if len(rows) <= _SHOWN_WHOLE:
        return text.rstrip()
    found = functions_of(ast.parse(text))
    shown = [found[name] for name in names if name in found]
    return "\n\n".join("\n".join(rows[first_line(node) - 1 : node.end_lineno]) for node in shown)


def functions_of(tree: ast.Module) -> dict[str, _Function]:
    """Functions of a module by qualified name, those inside functions left out."""
    found: dict[str, _Function] = {}

    def scan(body: Sequence[ast.stmt], prefix: str) -> None:
        for node in body:
            if isinstance(node, _FUNCTIONS):
                found[prefix + node.name] = node
            elif isinstance(node, ast.ClassDef):
                scan(node.body, f"{prefix}{node.name}.")
            else:
                for name in ("body", "orelse", "handlers", "finalbody"):
                    scan([part for part in getattr(node, name, []) if isinstance(part, ast.stmt)], prefix)

    scan(tree.body, "")
    return found


def first_line(node: _Function) -> int:
    """The line of the first decorator, or of `def`."""
    return min([node.lineno, *[decorator.lineno for decorator in node.decorator_list]])


def changes_of(text: str, question: Question) -> dict[Path, str]:
    """The new texts that a model's answer makes of the question's files. Raises `NoPatch`."""
    blocks = _FENCE.findall(text)
    if not blocks:
        raise NoPatch("there is no ```python block in the answer")
    changes: dict[Path, str] = {}
    for block in blocks:
        try:
            tree = ast.parse(textwrap.dedent(block))
        except (SyntaxError, ValueError, RecursionError) as error:
            raise NoPatch(f"the block is not Python: {error}") from None
        for name, node in functions_of(tree).items():
            path, target = _target(name, question)
            source = changes.get(path, question.files[path])
            changes[path] = _replaced(source, target, textwrap.dedent(block).splitlines(), node)
    if not any(changes[path] != question.files[path] for path in changes):
        raise NoPatch("the block holds no function that differs from what there is")
    return {path: new for path, new in changes.items() if new != question.files[path]}


def _target(name: str, question: Question) -> tuple[Path, str]:
    """The file and the qualified name of the function that a model means. Raises `NoPatch`."""
    wanted = name.rpartition(".")[2]
    alike: list[tuple[Path, str]] = []
    for path, source in question.files.items():
        known = functions_of(ast.parse(source))
        suspect = question.suspects.get(path, ())
        exact = [(path, name)] if name in known else []
        alike += exact or [(path, other) for other in known if other.rpartition(".")[2] == wanted]
        named = [(path, other) for other in suspect if (path, other) in alike]
        if exact or len(named) == 1:
            return (exact or named)[0]
    if len(alike) != 1:
        raise NoPatch(f"{'several functions are' if alike else 'no function is'} named {name} in the files shown")
    return alike[0]


def _replaced(source: str, name: str, rows: Sequence[str], new: _Function) -> str:
    """A text with one of its functions replaced; it keeps its decorators where the new one has none."""
    old = functions_of(ast.parse(source))[name]
    lines = source.splitlines(keepends=True)
    begin = old.lineno if not new.decorator_list else first_line(old)
    body = textwrap.dedent("\n".join(rows[first_line(new) - 1 : new.end_lineno]))
    text = textwrap.indent(body, " " * old.col_offset) + "\n"
    text = text.replace("\n", "\r\n") if lines[begin - 1].endswith("\r\n") else text
    made = "".join([*lines[: begin - 1], text, *lines[old.end_lineno or begin :]])
    try:
        ast.parse(made)
    except SyntaxError as error:
        raise NoPatch(f"with the new {name} the file is no longer Python: {error}") from None
    return made


def diff_of(files: Mapping[Path, str], changes: Mapping[Path, str]) -> str:
    """New texts of files as a unified diff."""
    rows: list[str] = []
    for path, new in changes.items():
        shown = os.path.relpath(path)
        old_rows, new_rows = files[path].splitlines(keepends=True), new.splitlines(keepends=True)
        rows += difflib.unified_diff(old_rows, new_rows, f"a/{shown}", f"b/{shown}")
    return "".join(rows)


def _cause(text: str) -> str:
    """What a model says before its code, on one line."""
    return " ".join(text.partition("```")[0].split())


def read(path: Path) -> str:
    """The text of a file, its line ends as they are. Raises OSError, UnicodeDecodeError."""
    with path.open(encoding="utf-8", newline="") as file:
        return file.read()


def write(patch: Patch, files: Mapping[Path, str]) -> None:
    """Write a patch to the project. Raises `UsageError`, and writes nothing, where a file has changed meanwhile."""
    for path in patch.changes:
        if read(path) != files[path]:
            raise UsageError(f"{path} has changed since it was read; the patch is not applied")
    for path, text in patch.changes.items():
        aside = path.with_name(f".{path.name}.semcoder")
        aside.write_text(text, encoding="utf-8", newline="")
        aside.chmod(path.stat().st_mode)
        aside.replace(path)

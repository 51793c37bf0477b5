"""PyX rows, published or our own: `id`, `nl`, `fwd_mnl`, `bwd_mnl`, `response`, as JSONL or Parquet.

The code of a row with a description is in the fences of its response; that of a row with a monologue is between
`[PYTHON]` and `[/PYTHON]`, whose assert names the entry and, forward, the call. Our own rows bring the program itself.

Guarantees: the calls of all rows of one program are its examples, whichever of the rows it is taken from; otherwise
what `semcoder.seeds._tables` guarantees. Nothing that a row states about results is used.
It does not tell whether a row's monologue is true: `semcoder verify` does.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from semcoder.core import Program, decode
from semcoder.errors import InputError
from semcoder.seeds import Drop
from semcoder.seeds._project import parse_quietly
from semcoder.seeds._tables import TableSource, unfenced, unusable
from semcoder.tables import Row, file_rows, table_files

_TASKS = ("nl", "fwd_mnl", "bwd_mnl")
_CODE = re.compile(r"\[PYTHON\]\s*\n(.*?)\[/PYTHON\]", re.DOTALL)
_ANSWER = re.compile(r"\[ANSWER\](.*?)\[/ANSWER\]", re.DOTALL)
_NAME = re.compile(r"\s*([A-Za-z_]\w*)\s*\(")


class PyxSource(TableSource):
    """`pyx:PATH`, a file, a folder of `*.jsonl`, `*.jsonl.gz` and `*.parquet`, or a build's folder.

    Raises `UsageError` where there is no such file, `InputError` where the first row is malformed.
    """

    name = "pyx"
    keys = ("license",)

    def __init__(self, spec: str = "") -> None:
        super().__init__(spec)
        rows = Path(self._spec.text) / "rows"
        self._root = str(rows) if rows.is_dir() else self._spec.text
        self.files: list[Path] = table_files(self._root, ".jsonl", ".jsonl.gz", ".parquet")
        self._gathered = False
        self._check_first()

    def rows(self) -> Iterator[Row]:
        """All rows, file by file."""
        return file_rows(self.files, self._root)

    def programs(self) -> Iterator[Program | Drop]:
        """Programs and drops in the order of the rows. The rows are read twice, for all calls of a program."""
        if not self._gathered:
            for row in self.rows():
                program, calls = self._stated(row)
                if program is not None:
                    self.keep(program, calls)
            self._gathered = True
        return super().programs()

    def of_row(self, row: Row) -> Iterator[Program | Drop]:
        """What one row gives. Raises `InputError` where it is no PyX row."""
        program, calls = self._stated(row)
        if program is not None:
            reason, detail = unusable(program)
            if reason:
                yield Drop(program.origin, reason, detail)
            else:
                self.keep(program, calls)
                yield program
        elif _task(row) == "nl":
            yield from self._answered(row)
        else:
            yield Drop(self._origin(row), "no code in the row", "[PYTHON] code, an assert of a call, [/PYTHON]")

    def _answered(self, row: Row) -> Iterator[Program | Drop]:
        """The functions of an answer's code, with the calls that the asserts of code and description show."""
        text = unfenced(_text(row, "response"))
        shown = [*_asserts(text), *_asserts(_text(row, "nl"))]
        for part in self.extracted(text, self._origin(row), self._license(row), row):
            if isinstance(part, Program):
                self.keep(part, shown)
            yield part

    def _stated(self, row: Row) -> tuple[Program | None, list[str]]:
        """The program that a row brings or asks about, and its calls; None where there is none."""
        task = _task(row)
        prompt, answer = _text(row, task), "\n".join(_ANSWER.findall(_text(row, "response")))
        nested = row.values.get("program")
        if isinstance(nested, dict):
            call = row.values.get("call")
            calls = [call] if isinstance(call, str) and call else []
            return decode(Program, nested, f"{row.place}: program"), [*calls, *_asserts(prompt)]
        blocks = _CODE.findall(prompt) if task != "nl" else []
        source, found, question = f"\n{blocks[-1]}".rstrip().rpartition("\nassert ") if blocks else ("", "", "")
        name = _NAME.match(question)
        if not found or name is None:
            return None, []
        shown = _asserts(f"assert {question.replace('??', '...')}") if task == "fwd_mnl" else []
        program = Program(source.strip() + "\n", name[1], self._origin(row), self._license(row))
        return program, [*shown, *_asserts(answer)]


def _task(row: Row) -> str:
    missing = [name for name in (*_TASKS, "response") if name not in row.values]
    if missing:
        raise InputError(f"{row.place}: no column {missing[0]!r}; a PyX row has id, {', '.join(_TASKS)}, response")
    filled = [name for name in (*_TASKS, "fault") if _text(row, name)]
    if len(filled) != 1:
        raise InputError(f"{row.place}: exactly one of {', '.join(_TASKS)} must hold text, not {len(filled)}")
    return filled[0]


def _text(row: Row, name: str) -> str:
    value = row.values.get(name)
    if value is not None and not isinstance(value, str):
        raise InputError(f"{row.place}: column {name!r} holds {type(value).__name__}, not text")
    return value or ""


def _asserts(text: str) -> list[str]:
    """The calls that the asserts of a text compare with something, each as text."""
    found = []
    for start in re.finditer(r"^[ \t]*(assert .*)$", text, re.MULTILINE):
        try:
            tree = parse_quietly(start[1])
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            continue
        test = tree.body[0].test if isinstance(tree.body[0], ast.Assert) else None
        left = test.left if isinstance(test, ast.Compare) else test
        if isinstance(left, ast.Call):
            found.append(ast.get_source_segment(start[1], left) or ast.unparse(left))
    return found

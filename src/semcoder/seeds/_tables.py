"""What sources that read rows share: JSONL and Parquet files, the columns' meaning, and programs from a row.

A row is a program as it stands where it has code and the name of its entry (`source` and `entry`, or a `program` object
with both: what `semcoder collect`, `semcoder synth` and `semcoder build` write). A row with code alone is Python text,
or Markdown with fences of it, whose functions become programs as those of a file of a folder do.

Guarantees: files and rows come in a fixed order, and are streamed; a row gives at least one `Program` or `Drop`; input
that is malformed (no JSON, a torn line, another encoding, a column that is not there) is an `InputError` that names
file and row.
It does not look for what a program as it stands may touch: the sandbox finds out.
"""

from __future__ import annotations

import ast
import dataclasses
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from semcoder.core import Invocation, Origin, Program, ProgramId, decode
from semcoder.core.calling import defined_names
from semcoder.errors import InputError, UsageError
from semcoder.seeds import Drop, extract
from semcoder.seeds._licences import UNKNOWN, allowed, normalise
from semcoder.seeds._project import TextProject, Unreadable, parse_quietly
from semcoder.seeds._spec import read_spec
from semcoder.seeds.examples import calls_in
from semcoder.tables import Row

#: What a spec may name columns for, and the columns that are taken where it does not.
COLUMNS = {
    "code": ("source", "code", "content", "text", "solution", "response"),
    "entry": ("entry",),
    "calls": ("calls", "known", "cases"),
    "license": ("license", "licence"),
}
_FENCE = re.compile(r"^[ \t]*```[ \t]*(\w*)[^\n]*\n(.*?)^[ \t]*```", re.MULTILINE | re.DOTALL)


class TableSource:
    """Base of the sources that read rows: a subclass has a `name` and opens its rows."""

    name = ""
    #: Options that a spec may have.
    keys: tuple[str, ...] = tuple(COLUMNS)

    def __init__(self, spec: str = "") -> None:
        self._spec = read_spec(spec, flags=("groups",), keys=self.keys)
        self._columns = {key: value for key, value in self._spec.options.items() if key in COLUMNS}
        self._calls: dict[ProgramId, dict[str, None]] = {}
        self._seen: set[ProgramId] = set()
        if not self._spec.text:
            raise UsageError(f"{self.name} needs what to read, as in {self.name}:data/programs")

    def rows(self) -> Iterator[Row]:
        """All rows, from the first. Raises `InputError` naming file and row."""
        raise NotImplementedError

    def programs(self) -> Iterator[Program | Drop]:
        """Programs and drops in the order of the rows. Raises `InputError` naming file and row."""
        for row in self.rows():
            yield from self.of_row(row)

    def _check_first(self) -> None:
        """Find out now what the first row would fail on. Raises `InputError` naming file and row."""
        next(self.of_row(next(self.rows())), None)
        self._seen.clear()
        self._calls.clear()

    def of_row(self, row: Row) -> Iterator[Program | Drop]:
        """What one row gives."""
        nested = row.values.get("program")
        if isinstance(nested, dict) and not self._columns:
            program = decode(Program, nested, f"{row.place}: program")
            yield self._as_it_stands(program, row, row.values)
            return
        code = self._column(row, "code")
        if code is None:
            raise InputError(f"{row.place}: no column of code; name one, as in {self.name}:...?code=COLUMN{_has(row)}")
        text = self._text(row, code)
        license = self._license(row)
        origin = self._origin(row)
        if not text.strip():
            yield Drop(origin, "no code in the row", code)
            return
        text = unfenced(text)
        entry = self._column(row, "entry")
        if entry is not None and self._text(row, entry):
            yield self._as_it_stands(Program(text, self._text(row, entry), origin, license), row, row.values)
        else:
            yield from self.extracted(text, origin, license, row)

    def extracted(self, text: str, origin: Origin, license: str, row: Row) -> Iterator[Program | Drop]:
        """The functions of a text as programs, with the row's calls of them."""
        try:
            project = TextProject(origin, license, text)
        except Unreadable as error:
            yield Drop(origin, "not Python", str(error))
            return
        none = True
        for found in extract.programs(project, groups="groups" in self._spec):
            none = False
            if isinstance(found, Program):
                self.remember(found, row, row.values)
            yield found
        if none:
            yield Drop(origin, "defines no function")

    def _as_it_stands(self, program: Program, row: Row, calls: Mapping[str, Any]) -> Program | Drop:
        if program.origin == Origin("user"):
            program = dataclasses.replace(program, origin=self._origin(row))
        reason, detail = unusable(program)
        if reason:
            return Drop(program.origin, reason, detail)
        self.remember(program, row, calls)
        return program

    def remember(self, program: Program, row: Row, values: Mapping[str, Any]) -> None:
        """Keep a row's calls of a program as its examples."""
        column = self._column(Row(row.file, row.number, dict(values)), "calls")
        texts = _call_texts(values[column], f"{row.place}: column {column!r}") if column is not None else []
        self.keep(program, texts)

    def keep(self, program: Program, texts: Sequence[str]) -> None:
        """Keep the calls of a program among some texts."""
        self._seen.add(program.id)
        for text in texts:
            for call in _calls_of(text, program.entry):
                self._calls.setdefault(program.id, {}).setdefault(call)

    def examples(self, program: Program) -> list[Invocation]:
        """The calls that the rows of a program bring, those read so far; none for any other program."""
        if program.id not in self._seen:
            for _ in self.programs():
                pass
        return [Invocation(text) for text in self._calls.get(program.id, {})]

    # -- columns

    def _column(self, row: Row, key: str) -> str | None:
        """The column for a key: the one that the spec names, or the first known one that is there and not null."""
        named = self._columns.get(key)
        if named is not None:
            if named not in row.values:
                raise InputError(f"{row.place}: no column {named!r}{_has(row)}")
            return named
        return next((name for name in COLUMNS[key] if row.values.get(name) is not None), None)

    def _text(self, row: Row, column: str) -> str:
        value = row.values[column]
        if value is not None and not isinstance(value, str):
            raise InputError(f"{row.place}: column {column!r} holds {type(value).__name__}, not text")
        return value or ""

    def _license(self, row: Row) -> str:
        column = self._column(row, "license")
        value = row.values[column] if column is not None else None
        # Several licences do not say whether all hold or one may be chosen: the stricter reading is taken.
        names = sorted({normalise(str(part)) for part in (value if isinstance(value, list) else [value or ""])})
        return UNKNOWN if UNKNOWN in names or not names else " AND ".join(names)

    def _origin(self, row: Row) -> Origin:
        given = row.values.get("origin")
        if isinstance(given, dict):
            return decode(Origin, given, f"{row.place}: origin")
        project = given if isinstance(given, str) and given else self._project(row)
        return Origin(self.name, project, path=row.place)

    def _project(self, row: Row) -> str:
        """What a row without an origin of its own counts as part of."""
        return Path(row.file).name.partition(".")[0]


def unusable(program: Program) -> tuple[str, str]:
    """Why a program as it stands cannot be taken, and the culprit; empty texts where it can."""
    if program.license != UNKNOWN and not allowed(program.license):
        return "licence", program.license
    try:
        tree = parse_quietly(program.source)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        return "not Python", str(error)[:100]
    if program.entry.partition(".")[0] not in defined_names(tree):
        return "does not define its entry", program.entry
    return "", ""


def unfenced(text: str) -> str:
    """The code inside a Markdown text's fences, those marked as Python first; any other text as it is."""
    if "```" not in text or _parses(text):
        return text
    blocks = [(kind.lower(), body) for kind, body in _FENCE.findall(text if text.endswith("\n") else text + "\n")]
    python = [body for kind, body in blocks if kind in ("python", "py", "python3")] or [body for _, body in blocks]
    whole = [body for body in python if _parses(body)] or python[:1]
    return "\n\n".join(whole) if whole else text


def _parses(text: str) -> bool:
    try:
        parse_quietly(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


def _has(row: Row) -> str:
    names = ", ".join(row.values)
    return f" (there are {names if len(names) <= 200 else names[:200] + ' ...'})" if names else " (the row is empty)"


def _call_texts(value: Any, where: str) -> list[str]:
    """A column of calls as texts: one text, a list of texts, or of objects with a `call`."""
    parts = value if isinstance(value, list) else [] if value is None else [value]
    texts = [part.get("call") if isinstance(part, dict) else part for part in parts]
    wrong = next((text for text in texts if not isinstance(text, str)), None)
    if len(texts) > 0 and any(not isinstance(text, str) for text in texts):
        raise InputError(f"{where} holds {type(wrong).__name__} where a call's text is expected")
    return [text for text in texts if isinstance(text, str)]


def _calls_of(text: str, entry: str) -> list[str]:
    """The text itself where it is a call of the entry; else the calls over literals that it shows."""
    try:
        node = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return calls_in(text, entry)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == entry:
        return [text.strip()]
    return calls_in(text, entry)

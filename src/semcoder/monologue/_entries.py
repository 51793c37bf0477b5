"""What happens in a step as short code-like entries, which the trace styles (scratchpad, next, concise) share.

An entry is `n=1`, `del n`, `global n=1`, `del global n`, `call f`, `return 1`, `raise 1`, `yield 1`, `await 1`,
`print 'text'`, `catch 1`, or (at `expression` detail) `` `n % 2` -> 1 ``. Entries of a step are joined by "; ".

Guarantees: values are whole, as `Value.display` writes them; one that has no literal (an instance, a function, an
exception, a value that holds itself) stands in backticks; so `read_entries(write_entries(e)) == e` whatever the values.
Everything comes from the recorded trace; nothing is executed.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from semcoder.core import Detail, Value
from semcoder.monologue.forward import answer_of
from semcoder.monologue.sentences import span
from semcoder.monologue.story import Moment, Story
from semcoder.tracing import Change, Trace


@dataclass(frozen=True, slots=True)
class Entry:
    """`kind` is set, del, call, value, or the word that opens it; `name` a variable (with `global ` before it where it
    is one), a function or an expression; `text` the value as written."""

    kind: str
    name: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """A step that is told: its moment, its source line on one line of text, and what happened in it."""

    moment: Moment
    source: str
    entries: tuple[Entry, ...]

    @property
    def line(self) -> int:
        return self.moment.step.line

    @property
    def indent(self) -> str:
        """Two spaces for each call that waits below."""
        return "  " * self.moment.step.depth

    @property
    def goes_on(self) -> bool:
        return self.moment.step.kind == "resume"


class Teller:
    """The steps of one trace as entries. A value is written once, however often it is told."""

    def __init__(self, trace: Trace) -> None:
        self.story = Story(trace)
        self.lines = source_lines(trace.source)
        self._texts: dict[int, str] = {}

    def rows(self, detail: Detail = "line") -> Iterator[Row]:
        """The steps in order, but for rests of statements and beginnings of loops in which nothing happens."""
        moments = self.story.moments
        for moment, following in zip(moments, [*moments, None][1:], strict=True):
            entries = tuple(self.entries(moment, detail))
            if entries or not _is_silent(moment, following):
                yield Row(moment, self.source(moment.step.line), entries)

    def source(self, line: int) -> str:
        """A line of the program without its indentation."""
        return one_line(self.lines[line - 1].strip()) if 0 < line <= len(self.lines) else ""

    def entries(self, moment: Moment, detail: Detail = "line") -> Iterator[Entry]:
        """What happened in a step: how it began, its printed text, other parts in order, what changed, how it ended."""
        step = moment.step
        if step.kind == "call" and step.line:
            yield Entry("call", step.function)
        if step.kind == "catch" and step.caught is not None:
            yield Entry("catch", "", self.text(step.caught))
        printed = "".join(part.text for part in step.parts if part.kind == "o")
        if printed:
            yield Entry("print", "", repr(printed))
        for part in step.parts:
            if part.kind == "y" and part.value is not None:
                yield Entry("await" if isinstance(part.node, ast.Await) else "yield", "", self.text(part.value))
            elif part.kind == "e" and detail == "expression" and part.node is not None and part.value is not None:
                yield Entry("value", self.story.text(part.node), self.text(part.value))
        yield from (self._change(change) for change in step.changes)
        if moment.raised is not None:
            yield Entry("raise", "", self.text(moment.raised))
        if moment.gives is not None:
            yield Entry("return", "", self.text(moment.gives))

    def _change(self, change: Change) -> Entry:
        name = f"global {change.name}" if change.scope == "global" else change.name
        return Entry("del", name) if change.new is None else Entry("set", name, self.text(change.new))

    def text(self, value: Value) -> str:
        """The value as an entry writes it."""
        if value.place is None:
            return written(value)
        if value.place not in self._texts:
            self._texts[value.place] = written(value)
        return self._texts[value.place]


def _is_silent(moment: Moment, following: Moment | None) -> bool:
    step = moment.step
    if step.kind == "resume" or not step.line:
        return True
    if step.kind != "statement" or following is None or not isinstance(step.node, (ast.For, ast.AsyncFor)):
        return False
    after = following.step
    return after.frame == step.frame and after.node is step.node and after.kind in ("iteration", "exhausted")


def written(value: Value) -> str:
    """A value's whole text; in backticks where it is no literal."""
    return value.display() if value.is_literal() else span(value.display())


def source_lines(source: str) -> list[str]:
    """The lines of a program as Python's parser counts them."""
    return re.split(r"\r\n|\r|\n", source)


def one_line(text: str) -> str:
    """Text on one line: what would break it is shown as its escape."""
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


# Writing and reading entries -----------------------------------------------------------------------------------------


def write_entries(entries: Iterable[Entry]) -> str:
    return "; ".join(map(_write, entries))


def _write(entry: Entry) -> str:
    if entry.kind == "set":
        return f"{entry.name}={entry.text}"
    if entry.kind == "value":
        return f"{span(entry.name)} -> {entry.text}"
    return f"{entry.kind} {entry.name}{entry.text}"


#: A quoted string, a span in backticks (its fence named), or what separates two entries.
_TOKEN = re.compile(r"""'(?:[^'\\]|\\.)*+'|"(?:[^"\\]|\\.)*+"|(?P<f>`+)(?!`).*?(?<!`)(?P=f)(?!`)|; """)
_SET = re.compile(r"((?:global )?[^\s=`'\"]+)=(.+)")
_VALUE = re.compile(r"(`+)(?!`)(.*?)(?<!`)\1(?!`) -> (.+)")
_NAMED = re.compile(r"(call|del) (\S+|global \S+)")
_WORD = re.compile(r"(return|raise|yield|await|print|catch) (.+)")


def read_entries(text: str) -> list[Entry]:
    """The entries of a row. Raises ValueError for what is none."""
    return [_read(piece) for piece in split_entries(text)] if text.strip() else []


def split_entries(text: str) -> list[str]:
    """Pieces between "; " that stand neither in a string nor in backticks."""
    pieces, start = [], 0
    for match in _TOKEN.finditer(text):
        if match.group() == "; ":
            pieces.append(text[start : match.start()])
            start = match.end()
    return [*pieces, text[start:]]


def _read(piece: str) -> Entry:
    if match := _VALUE.fullmatch(piece):
        code = match[2]
        is_padded = len(match[1]) > 1 and code.startswith(" ") and code.endswith(" ")
        return Entry("value", code[1:-1] if is_padded else code, match[3])
    if match := _NAMED.fullmatch(piece):
        return Entry(match[1], match[2])
    if match := _WORD.fullmatch(piece):
        return Entry(match[1], "", match[2])
    if match := _SET.fullmatch(piece):
        return Entry("set", match[1], match[2])
    raise ValueError(f"this is no entry: {piece[:80]!r}")


# How a text begins and ends ------------------------------------------------------------------------------------------

_TAGS = {"returned": "OUTPUT", "raised": "RAISED"}
_ANSWER = re.compile(r"^\[(OUTPUT|RAISED|ENDED)\] (.*?) \[/\1\][ \t]*$", re.MULTILINE | re.DOTALL)


def opening(trace: Trace) -> str:
    """`[INPUT] f(1) [/INPUT]`; for a whole program what it reads, as a string."""
    text = trace.invocation.text
    if trace.invocation.kind == "stdin":
        return f"[STDIN] {text!r} [/STDIN]"
    call = text.strip()
    return f"[INPUT] {call if one_line(call) == call else ast.unparse(ast.parse(call, mode='eval'))} [/INPUT]"


def closing(trace: Trace) -> str:
    """`[OUTPUT] 2 [/OUTPUT]`, `[RAISED] ValueError('x') [/RAISED]`, or `[ENDED] ... [/ENDED]` for any other end."""
    tag = _TAGS.get(trace.outcome.status, "ENDED")
    return f"[{tag}] {answer_of(trace)} [/{tag}]"


def cut(trace: Trace) -> list[str]:
    """The row that says that the recording stops; none where it is whole."""
    return [f"[CUT] recording stopped after {len(trace)} events [/CUT]"] if trace.truncated else []


def parse_answer(text: str) -> str | None:
    """What the last closing row of a text says; None if there is none."""
    found = [match[2] for match in _ANSWER.finditer(text)]
    return found[-1] if found else None


def is_cut(row: str) -> bool:
    return row.startswith("[CUT] ")


def labelled(row: Row, labels: bool) -> str:
    """`[L4]` or, for the rest of a statement after a call, `[L4+]`; empty without labels."""
    return f"[L{row.line}{'+' if row.goes_on else ''}]" if labels else ""

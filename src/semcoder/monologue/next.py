"""The NExT style: the program with what its lines did as comments (paper section 5).

    for n in numbers:  # (2) n=1; (3) n=2; ...; (6) n=4

A number is the place of a state in the order of the whole run. A line that ran often keeps its first two states and its
last; `...` stands for those between. A comment stands at the end of the line where its statement begins, or, where a
string or a backslash goes on there, on the first line of it that takes one: the annotated text is the same program.
States that are told are whole.
"""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Iterator
from dataclasses import replace

from semcoder.core import Claim, Detail, Direction, Monologue
from semcoder.monologue._check import Checker, Stated
from semcoder.monologue._entries import (
    Entry,
    Row,
    Teller,
    closing,
    cut,
    is_cut,
    opening,
    parse_answer,
    read_entries,
    split_entries,
    write_entries,
)
from semcoder.monologue.forward import answer_of
from semcoder.tracing import Trace

#: How many states of a line are told from its beginning; one more from its end.
_FIRST = 2
_GAP = "..."
_LABEL = re.compile(r"\[L\d{1,9}\] ?")
_NUMBER = re.compile(r"\((\d{1,9})\) ")


class Next:
    """The program text, its states in comments, in order of number."""

    name = "next"
    direction: Direction = "forward"
    labels = False

    def render(self, trace: Trace, *, detail: Detail = "line", labels: bool = False) -> Monologue:
        """The annotated program. Sub-expressions have no place in comments: `detail` changes nothing.

        With labels, the comment of every line that ran begins with its `[L4]`.
        """
        teller = Teller(trace)
        rows = [row for row in teller.rows() if row.line]
        comments = {line: _abbreviated(states) for line, states in _states(rows).items()}
        ran = sorted({row.line for row in rows} if labels else comments)
        places = Places(trace.source)
        said: dict[int, list[str]] = {}
        for line in ran:
            states = comments.get(line, [])
            first = " ".join([f"[L{line}]", *states[:1]]) if labels else states[0]
            said.setdefault(places.of(line), []).extend([first, *states[1:]])
        program = _program(teller)
        annotated = [f"{row}  # {'; '.join(said[n])}" if n in said else row for n, row in enumerate(program, 1)]
        text = "\n".join([opening(trace), *annotated, *cut(trace), closing(trace)])
        return Monologue("forward", self.name, text, answer_of(trace))

    def parse(self, text: str) -> str | None:
        """The answer that a text of this style gives; None if it gives none."""
        return parse_answer(text)

    def claims(self, text: str, trace: Trace, *, detail: Detail = "line", labels: bool = False) -> list[Claim]:
        """Every state that is told, judged against an execution, with its number and its line."""
        teller = Teller(trace)
        states = _states([row for row in teller.rows() if row.line])
        steps = {number: row.moment.step.index for told in states.values() for number, row, _ in told}
        needed = {steps[number] for told in states.values() for number, _, _ in _kept(told)}
        rows = sorted(_read(text, teller, steps), key=lambda stated: (stated.place is None, stated.place))
        return list(Checker(teller, needed).claims(text, rows))


State = tuple[int, Row, tuple[Entry, ...]]


def _states(rows: list[Row]) -> dict[int, list[State]]:
    """By line what happened there, in order, each with its number (from 1) in the order of the whole run."""
    found: dict[int, list[State]] = {}
    number = 0
    for row in rows:
        entries = tuple(entry for entry in row.entries if entry.kind != "call")
        if entries:
            number += 1
            found.setdefault(row.line, []).append((number, row, entries))
    return found


def _kept(states: list[State]) -> list[State]:
    return states if len(states) <= _FIRST + 1 else [*states[:_FIRST], states[-1]]


def _abbreviated(states: list[State]) -> list[str]:
    texts = [f"({number}) {write_entries(entries)}" for number, _, entries in _kept(states)]
    return texts if len(texts) == len(states) else [*texts[:_FIRST], _GAP, *texts[_FIRST:]]


def _program(teller: Teller) -> list[str]:
    """The program's lines, without the empty one after a final line end."""
    return teller.lines[:-1] if teller.lines[-1:] == [""] else teller.lines


class Places:
    """Where a comment about a line of a program can stand."""

    def __init__(self, source: str) -> None:
        self._open: set[int] = set()
        comments: set[int] = set()
        begun: list[int] = []
        text = io.StringIO(source, newline=None)  # line ends as the parser counts them
        for token in tokenize.generate_tokens(text.readline):
            kind = tokenize.tok_name[token.type]
            if kind.endswith("STRING_START"):
                begun.append(token.start[0])
            elif kind.endswith("STRING_END"):
                self._open.update(range(begun.pop(), token.end[0]))
            elif kind == "STRING":
                self._open.update(range(token.start[0], token.end[0]))
            elif kind == "COMMENT":
                comments.add(token.start[0])
        text.seek(0)
        ended = {number for number, row in enumerate(text, 1) if row.rstrip("\n").endswith("\\")}
        self._open |= ended - comments

    def of(self, line: int) -> int:
        """The first line from `line` on that a comment can end."""
        while line in self._open:
            line += 1
        return line


def _read(text: str, teller: Teller, steps: dict[int, int]) -> Iterator[Stated]:
    """The states in the comments of a text, row by row. The program's own text is passed over."""
    program, places = _program(teller), Places(teller.story.trace.source)
    offset = text.find("\n") + 1
    for number, (line, row) in enumerate(zip(program, text.split("\n")[1:], strict=False), 1):
        if row.startswith(f"{line}  # "):
            for stated in _stated(row[len(line) + 4 :], offset + len(line) + 4, steps):
                step = None if stated.place is None else teller.story.trace.steps[stated.place]
                at = step.line if step is not None and places.of(step.line) == number else number
                yield replace(stated, line=at)
        elif row != line:
            yield Stated(row, offset, None, number)
        offset += len(row) + 1
    rest = text[offset:].split("\n")
    for row in rest[1 if is_cut(rest[0]) else 0 : -1]:  # the ending aside
        yield Stated(row, offset, None)


def _stated(comment: str, start: int, steps: dict[int, int]) -> Iterator[Stated]:
    """The numbered states of one comment; a piece that is none is unread."""
    states: list[tuple[int, list[str]]] = []
    for piece in split_entries(comment):
        body = _LABEL.sub("", piece)
        match = _NUMBER.match(body)
        if match is not None:
            states.append((int(match[1]), [body[match.end() :]]))
        elif body not in ("", _GAP):
            (states or [(0, [])])[-1][1].append(body)
            if not states:
                yield Stated(piece, start, None)
    for number, pieces in states:
        whole = "; ".join(pieces)
        try:
            entries = tuple(read_entries(whole)) if number in steps else None
        except ValueError:
            entries = None
        at = start + max(comment.find(f"({number}) {whole}"), 0)
        yield Stated(f"({number}) {whole}", at, entries, place=steps.get(number))

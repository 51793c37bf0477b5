"""Build folders as the page browses them: rows filtered and searched, programs with their cases, drops by reason.

Guarantees: memory grows with the number of rows, not with their size: texts stay in their files; a folder that changes
is read anew; a malformed row is one `InputError` that names file and line, but for a last one that is still being
written, which is not read yet. Nothing is run, and nothing is written.
It does not check rows again: the page can have each run (`Work.verify`).
"""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from semcoder.constructs import constructs
from semcoder.core import Sample, load
from semcoder.errors import InputError, UsageError
from semcoder.report.shape import pieces
from semcoder.web.asking import Refusal

#: Rows of one page, and of a folder that are read.
PAGE, MOST = 20, 500_000
#: Rows of one program that are shown with it.
SHOWN = 100
KINDS = ("nl", "forward", "backward", "repair")
FILTERS = ("kind", "construct", "licence", "project")
_STARTS = {"forward": "[MONOLOGUE]", "backward": "[MONOLOGUE]"}


@dataclass(frozen=True, slots=True)
class Row:
    """Where a row stands, and what it is found by."""

    file: Path
    offset: int
    id: str
    kind: str
    program: str
    entry: str
    call: str
    claims: int


@dataclass(frozen=True, slots=True)
class Facts:
    """What rows of one program share."""

    project: str
    licence: str
    constructs: frozenset[str]
    lines: int


@dataclass(slots=True)
class Index:
    """All rows of a folder, in the order of its files."""

    rows: list[Row] = field(default_factory=list)
    programs: dict[str, Facts] = field(default_factory=dict)
    cases: dict[str, int] = field(default_factory=dict)
    drops: list[tuple[int, str]] = field(default_factory=list)
    cut: bool = False


class Corpus:
    """One build folder. Raises `UsageError` where there is none; `InputError` where a file is malformed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        if not (folder / "rows").is_dir():
            raise UsageError(f"{folder}: no build folder: it has no folder rows; give the output of semcoder build")
        self._lock = threading.Lock()
        self._state: object = None
        self._index = Index()

    # -- what is asked for

    def summary(self) -> dict[str, Any]:
        """Counts, and what can be filtered by."""
        index = self._read()
        return {
            "name": str(self.folder),
            "rows": len(index.rows),
            "programs": len(index.programs),
            "drops": len(index.drops),
            "cut": index.cut,
            "facets": self._facets(index),
            "manifest": self._manifest(),
        }

    def search(self, wanted: Mapping[str, str], page: int, left: Callable[[], bool] = lambda: False) -> dict[str, Any]:
        """A page (from 0) of the rows that fit all filters and whose texts hold the text `q`, in any case. Raises
        `Refusal` as soon as who asked has `left`."""
        index = self._read()
        query = wanted.get("q", "").strip().casefold()
        fitting = [row for row in index.rows if self._fits(row, index, wanted)]
        found = list(_holding(fitting, query, left)) if query else fitting
        first = page * PAGE
        shown = [self._listed(row, index) for row in found[first : first + PAGE]]
        return {"total": len(found), "page": page, "pages": max(1, -(-len(found) // PAGE)), "rows": shown}

    def program(self, program: str) -> dict[str, Any]:
        """One program: source, where it is from, its cases, and its first `SHOWN` rows of `total`."""
        index = self._read()
        found = [row for row in index.rows if row.program == program]
        rows = [self._sample(row) for row in found[:SHOWN]]
        of = next((row.program for row in rows if row.program is not None), None)
        if of is None:
            raise Refusal("there is no such program in this folder", "program", status=404)
        facts = index.programs[program]
        cases, raises = self._cases(index, program)
        origin = of.origin
        return {
            "id": program,
            "source": of.source,
            "entry": of.entry,
            "origin": {
                "source": origin.source,
                "project": origin.project,
                "version": origin.version,
                "path": origin.path,
                "line": origin.line,
            },
            "licence": of.license,
            "constructs": sorted(facts.constructs),
            "cases": cases,
            "raises": raises,
            "total": len(found),
            "rows": [_told(row) for row in rows],
        }

    def dropped(self, reason: str, page: int) -> dict[str, Any]:
        """A page of what was dropped, and how often for which reason."""
        index = self._read()
        counts = Counter(why for _, why in index.drops)
        found = [offset for offset, why in index.drops if not reason or why == reason]
        first = page * PAGE
        shown = [
            _drop(json.loads(line)) for line in _lines_at(self.folder / "drops.jsonl", found[first : first + PAGE])
        ]
        return {
            "reasons": [{"reason": why, "count": count} for why, count in counts.most_common()],
            "total": len(found),
            "page": page,
            "pages": max(1, -(-len(found) // PAGE)),
            "drops": shown,
        }

    # -- reading

    def _read(self) -> Index:
        with self._lock:
            state = self._files()
            if state != self._state:
                self._index = self._indexed()
                self._state = state
            return self._index

    def _files(self) -> list[tuple[str, int, int]]:
        named = [*sorted((self.folder / "rows").glob("*.jsonl")), *(self.folder / name for name in _BESIDE)]
        there = [(path, path.stat()) for path in named if path.is_file()]
        return [(str(path), stat.st_size, stat.st_mtime_ns) for path, stat in there]

    def _indexed(self) -> Index:
        index = Index()
        for path in sorted((self.folder / "rows").glob("*.jsonl")):
            for number, (offset, line) in enumerate(_offsets(path), 1):
                if len(index.rows) == MOST:
                    index.cut = True
                    break
                self._enter(index, path, offset, _sample(line, f"{path}:{number}"))
        for offset, line in _offsets(self.folder / "programs.jsonl"):
            index.cases[_text(_json(line, "programs.jsonl"), "id")] = offset
        for offset, line in islice(_offsets(self.folder / "drops.jsonl"), MOST):
            index.drops.append((offset, _text(_json(line, "drops.jsonl"), "reason")))
        return index

    @staticmethod
    def _enter(index: Index, path: Path, offset: int, row: Sample) -> None:
        program = row.program
        name = "" if program is None else str(program.id)
        if program is not None and name not in index.programs:
            project = program.origin.project or program.origin.source
            lines = program.source.count("\n")
            index.programs[name] = Facts(project, program.license, constructs(program.source), lines)
        entry = "" if program is None else program.entry
        index.rows.append(Row(path, offset, row.id, row.kind, name, entry, row.call[:300], row.claims))

    def _sample(self, row: Row) -> Sample:
        (line,) = _lines_at(row.file, [row.offset])
        return _sample(line, f"{row.file} at byte {row.offset}")

    def _cases(self, index: Index, program: str) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        if program not in index.cases:
            return [], []
        (line,) = _lines_at(self.folder / "programs.jsonl", [index.cases[program]])
        doc = _json(line, "programs.jsonl")
        return (
            [{"call": _text(case, "call"), "output": _text(case, "output")} for case in _objects(doc, "cases")],
            [{"call": _text(case, "call")} for case in _objects(doc, "raises")],
        )

    def _manifest(self) -> dict[str, Any]:
        """Counts and reasons as the build states them; empty where there is no manifest to read."""
        try:
            doc = json.loads((self.folder / "manifest.json").read_bytes())
            parts = {key: doc.get(key) for key in ("counts", "drops", "dropped_monologues", "versions")}
        except (OSError, ValueError, AttributeError, RecursionError):
            return {}
        return {key: part for key, part in parts.items() if isinstance(part, dict)}

    # -- finding

    def _fits(self, row: Row, index: Index, wanted: Mapping[str, str]) -> bool:
        facts = index.programs.get(row.program)
        own: dict[str, Callable[[str], bool]] = {
            "kind": lambda value: row.kind == value,
            "construct": lambda value: facts is not None and value in facts.constructs,
            "licence": lambda value: facts is not None and value == facts.licence,
            "project": lambda value: facts is not None and value == facts.project,
        }
        return all(own[name](value) for name, value in wanted.items() if name in own and value)

    @staticmethod
    def _facets(index: Index) -> dict[str, list[dict[str, Any]]]:
        """Every value of every filter, with the number of its rows."""
        counts: dict[str, Counter[str]] = {name: Counter() for name in FILTERS}
        for row in index.rows:
            counts["kind"][row.kind] += 1
            facts = index.programs.get(row.program)
            if facts is None:
                continue
            counts["construct"].update(facts.constructs)
            counts["licence"][facts.licence] += 1
            counts["project"][facts.project] += 1
        return {name: [{"value": v, "count": n} for v, n in each.most_common(200)] for name, each in counts.items()}

    @staticmethod
    def _listed(row: Row, index: Index) -> dict[str, Any]:
        facts = index.programs.get(row.program)
        return {
            "id": row.id,
            "kind": row.kind,
            "program": row.program,
            "entry": row.entry,
            "call": row.call,
            "claims": row.claims,
            "project": "" if facts is None else facts.project,
            "licence": "" if facts is None else facts.licence,
            "lines": 0 if facts is None else facts.lines,
        }


_BESIDE = ("programs.jsonl", "drops.jsonl")


def _told(row: Sample) -> dict[str, Any]:
    """A row as a page shows it: a monologue in sentences, anything else as text."""
    kind = row.kind
    told, answer = _parts(row.response) if kind in _STARTS else ("", "")
    return {
        "id": row.id,
        "kind": kind,
        "call": row.call,
        "output": row.output,
        "claims": row.claims,
        "found_by": row.found_by,
        "python": row.python,
        "text": told,
        "sentences": [pieces(line.strip()) for line in told.split("\n") if line.strip()],
        "answer": answer,
        "prompt": row.nl or row.fault,
        "response": "" if told else row.response,
    }


def _parts(response: str) -> tuple[str, str]:
    """Monologue and answer of a response; empty where it has none."""
    _, _, rest = response.partition("[MONOLOGUE]")
    told, _, after = rest.partition("[/MONOLOGUE]")
    answer = after.partition("[ANSWER]")[2].partition("[/ANSWER]")[0]
    return told.strip(), answer.strip()


def _drop(doc: Any) -> dict[str, Any]:
    origin = doc.get("origin") if isinstance(doc, dict) else None
    origin = origin if isinstance(origin, dict) else {}
    said = doc if isinstance(doc, dict) else {}
    return {
        **{name: _text(said, name)[:300] for name in ("reason", "detail", "entry")},
        **{name: _text(origin, name)[:300] for name in ("project", "path")},
        "line": origin.get("line") if isinstance(origin.get("line"), int) else 0,
    }


# Lines of files ----------------------------------------------------------------------------------------------------


def _offsets(path: Path) -> Iterator[tuple[int, bytes]]:
    """Every line of a file with the place where it begins; nothing of a file that is not there, and not the last line
    of one that a build is in the middle of writing."""
    if not path.is_file():
        return
    offset = 0
    with path.open("rb") as file:
        for line in file:
            if not line.endswith(b"\n") and not _is_whole(line):
                return
            yield offset, line
            offset += len(line)


def _lines_at(path: Path, offsets: Sequence[int]) -> Iterator[bytes]:
    with path.open("rb") as file:
        for offset in offsets:
            file.seek(offset)
            yield file.readline()


def _is_whole(line: bytes) -> bool:
    try:
        json.loads(line)
    except (ValueError, RecursionError):
        return False
    return True


def _holding(rows: Sequence[Row], query: str, left: Callable[[], bool]) -> Iterator[Row]:
    """Those rows whose texts hold the query, which is casefolded and not empty."""
    with ExitStack() as stack:
        file, path = None, None
        for row in rows:
            if left():
                raise Refusal("who asked for the search has left", status=499)
            if file is None or path != row.file:
                stack.close()
                file, path = stack.enter_context(row.file.open("rb")), row.file
            file.seek(row.offset)
            line = file.readline()
            if _may_hold(line, query) and any(query in text.casefold() for text in _texts(line, row)):
                yield row


def _may_hold(line: bytes, query: str) -> bool:
    """Whether a row is worth parsing: one in ASCII alone holds nothing else, and says it in the bytes of its JSON."""
    if b"\\u" in line or not line.isascii():
        return True
    return query.isascii() and json.dumps(query)[1:-1].encode() in line.lower()


def _texts(line: bytes, row: Row) -> Iterator[str]:
    """What a page shows of a row, without the marks around it."""
    found = _sample(line, f"{row.file} at byte {row.offset}")
    told = _parts(found.response) if found.kind in _STARTS else ()
    yield from (found.nl, found.fault, found.call, found.output)
    yield from told if any(told) else (found.response,)
    if found.program is not None:
        yield found.program.source


def _sample(line: bytes, where: str) -> Sample:
    return load(Sample, _json(line, where), where)


def _json(line: bytes, where: str) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{where}: not a JSON row: {error}") from None


def _text(doc: Any, name: str) -> str:
    value = doc.get(name) if isinstance(doc, dict) else None
    return value if isinstance(value, str) else ""


def _objects(doc: Any, name: str) -> list[Mapping[str, Any]]:
    value = doc.get(name) if isinstance(doc, dict) else None
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []

"""The pipeline as datatrove steps: collect programs, compare them with benchmarks, run and tell them.

A program travels as a datatrove Document: text is its source, id its content id, and our records ride in the metadata.
Guarantees: a step's output depends on the configuration and the shard alone, in content and order, so that a task that
was killed and is run again writes the same file; files appear whole (see `semcoder.core.files`).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, TypeVar

try:
    from datatrove.data import Document  # type: ignore[import-untyped]
    from datatrove.pipeline.base import PipelineStep  # type: ignore[import-untyped]
    from loguru import logger
except ImportError:
    from semcoder.errors import MissingExtra

    raise MissingExtra("datatrove", "data") from None

from semcoder.cleaning import Hit
from semcoder.core import Invocation, Origin, Program, Sample, content_id, decode
from semcoder.core.files import full_document, read_jsonl, write_jsonl, written
from semcoder.errors import SemcoderError
from semcoder.pyx.cases import BUG, PRELOAD, Case, Coverage, find_cases, normal_form, substantial
from semcoder.pyx.clean import exclusion, load_screen
from semcoder.pyx.config import BuildConfig
from semcoder.pyx.lifeline import die_with_parent
from semcoder.pyx.rows import Teller
from semcoder.pyx.search import Rejected
from semcoder.sandbox import Sandbox
from semcoder.seeds import Drop, known_calls, open_source

logger.disable("datatrove")  # its task logs repeat what our manifest says; failures still reach us as exceptions

Documents = Iterator[Document]
Told = TypeVar("Told", Case, Sample)


class Collect(PipelineStep):  # type: ignore[misc]
    """Programs of all sources, each once; what is not taken goes to the drops file of this stage."""

    name = "Collect"
    type = "READER"

    def __init__(self, config: BuildConfig, drops: Path) -> None:
        super().__init__()
        self.config = config
        self.drops = drops

    def run(self, data: Documents | None = None, rank: int = 0, world_size: int = 1) -> Documents:
        del data, rank, world_size  # collecting is one task: duplicates are known only over all sources
        seen: dict[str, str] = {}
        kept = 0
        with written(self.drops) as drop, written(self.drops.with_name("copies.jsonl")) as copy:
            for spec in self.config.sources:
                source = open_source(spec)
                for item in source.programs():
                    if isinstance(item, Drop):
                        drop(drop_row(item.origin, "", item.reason, item.detail))
                        continue
                    reason, original = self._reason(item, seen, kept)
                    if not reason:
                        kept += 1
                        metadata = _metadata(item, known_calls(source, item))
                        yield Document(text=item.source, id=item.id, metadata=metadata)
                        continue
                    drop(drop_row(item.origin, item.entry, reason, original and f"of {original}"))
                    if original:
                        document = full_document(item)
                        copy(exclusion("program", document, item.id, like=original, reason=reason))

    def _reason(self, program: Program, seen: dict[str, str], kept: int) -> tuple[str, str]:
        """Why a program is not taken ("" where it is), and the id of the one that it is a copy of."""
        if program.license == "unknown" and not self.config.unknown_license:
            return "licence unknown", ""
        form = content_id(normal_form(program.source), program.entry)
        if form in seen:
            return "duplicate", seen[form]
        if self.config.max_programs and kept >= self.config.max_programs:
            return "beyond max_programs", ""
        seen[form] = program.id
        return "", ""


def _metadata(program: Program, known: list[Invocation]) -> dict[str, Any]:
    return {"program": full_document(program), "known": [call.text for call in known]}


class Write(PipelineStep):  # type: ignore[misc]
    """Documents to JSON Lines files `00000.jsonl` ...: round robin over `shards`, or one file per task."""

    name = "Write"
    type = "WRITER"

    def __init__(self, folder: Path, shards: int = 0) -> None:
        super().__init__()
        self.folder = folder
        self.shards = shards

    def run(self, data: Documents, rank: int = 0, world_size: int = 1) -> Documents:
        del world_size
        shards = range(self.shards) if self.shards else range(rank, rank + 1)
        with ExitStack() as stack:
            files = [stack.enter_context(written(self.folder / f"{shard:05d}.jsonl")) for shard in shards]
            for number, document in enumerate(data):
                files[number % len(files)]({"id": document.id, **document.metadata})
                yield document


class Read(PipelineStep):  # type: ignore[misc]
    """The documents of this task's file, as `Write` left them."""

    name = "Read"
    type = "READER"

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder

    def run(self, data: Documents | None = None, rank: int = 0, world_size: int = 1) -> Documents:
        del data, world_size
        for row in read_jsonl(self.folder / f"{rank:05d}.jsonl"):
            program = row["program"]
            metadata = {"program": program, "known": row.get("known", [])}
            yield Document(text=program["source"], id=row["id"], metadata=metadata)


class Compare(PipelineStep):  # type: ignore[misc]
    """What each program has in common with the benchmarks, into one file per task; passes on those that are clean."""

    name = "Compare"
    type = "FILTER"

    def __init__(self, benchmarks: tuple[str, ...], part: float, folder: Path) -> None:
        super().__init__()
        self.benchmarks = benchmarks
        self.part = part
        self.folder = folder

    def run(self, data: Documents, rank: int = 0, world_size: int = 1) -> Documents:
        del world_size
        die_with_parent()
        screen = load_screen(self.benchmarks, self.part)
        rows: list[dict[str, Any]] = []
        for document in data:
            screened = screen.program(document.text, document.metadata["program"]["entry"])
            rows.append({"hit": screened.hit and full_document(screened.hit), "nearest": screened.nearest})
            if screened.hit is None:
                yield document
        write_jsonl(self.folder / f"{rank:05d}.jsonl", rows)


class Tell(PipelineStep):  # type: ignore[misc]
    """Cases and rows of each program; a program that gives none keeps its place with the reason.

    Cases and rows with the input and output of a benchmark's task are left out.
    """

    name = "Tell"
    type = "EXTRACTOR"

    def __init__(self, config: BuildConfig, benchmarks: tuple[str, ...] = ()) -> None:
        super().__init__()
        self.config = config
        self.benchmarks = benchmarks

    def run(self, data: Documents, rank: int = 0, world_size: int = 1) -> Documents:
        del rank, world_size
        die_with_parent()
        with Sandbox(workers=1, preload=PRELOAD, unsafe=self.config.unsafe) as box:
            for document in data:
                program = decode(Program, document.metadata["program"], "program")
                known = [Invocation(text) for text in document.metadata.pop("known", [])]
                document.metadata.update(self._result(program, known, box))
                yield document

    def _result(self, program: Program, known: list[Invocation], box: Sandbox) -> dict[str, Any]:
        hits: list[tuple[str, Hit]] = []
        try:
            found = find_cases(program, box, self.config, known)
            cases = self._not_shared(found.cases, "case", hits)
            if len(cases) < self.config.min_cases:
                raise Rejected(
                    "too few cases that no benchmark has", f"{len(cases)} of at least {self.config.min_cases}"
                )
            covered = found.coverage(cases)
            if _part(covered) < self.config.min_coverage:
                return {
                    **_dropped("too little of it was covered", f"{100 * _part(covered):.0f} % of its lines"),
                    "excluded": _excluded(program, hits),
                    "coverage": full_document(covered),
                }
            teller = Teller(program, cases, box, self.config, list(found.explored.outcomes))
            samples = self._not_shared(teller.samples(), "row", hits)
        except Rejected as rejected:
            return {**_dropped(rejected.reason, rejected.detail), "excluded": _excluded(program, hits)}
        except SemcoderError:
            raise  # the sandbox, not the program
        except Exception as error:  # one program that trips a bug of ours must not cost the others their rows
            return {**_dropped(BUG, f"{type(error).__name__}: {error}"[:300]), "excluded": []}
        return {
            "cases": [_case_row(case) for case in cases],
            "raises": [full_document(one) for one in found.raising],
            "failing_asserts": found.failing_asserts,
            "rows": [full_document(sample) for sample in samples],
            "coverage": full_document(covered),
            "substantial": substantial(covered),
            "tally": full_document(teller.tally),
            "excluded": _excluded(program, hits),
        }

    def _not_shared(self, found: list[Told], what: str, hits: list[tuple[str, Hit]]) -> list[Told]:
        """Cases or rows but those with a benchmark's input and output, which are put down in `hits`."""
        if not self.benchmarks:
            return found
        screen = load_screen(self.benchmarks, self.config.contamination)
        shared = [screen.pair(item.call, item.output) for item in found]
        hits.extend((what, hit) for hit in shared if hit is not None)
        return [item for item, hit in zip(found, shared, strict=True) if hit is None]


def _excluded(program: Program, hits: list[tuple[str, Hit]]) -> list[dict[str, Any]]:
    return [exclusion(what, full_document(program), program.id, hit=hit) for what, hit in hits]


def _part(covered: Coverage) -> float:
    """The part of a program's lines that its kept calls run."""
    return covered.by_all.lines_hit / max(covered.by_all.lines, 1)


def _dropped(reason: str, detail: str) -> dict[str, Any]:
    return {"dropped": {"reason": reason, "detail": detail}}


def _case_row(case: Case) -> dict[str, Any]:
    return {"call": case.call, "output": case.output, "steps": case.steps}


def drop_row(origin: Origin, entry: str, reason: str, detail: str) -> dict[str, Any]:
    """One line of the exclusion file."""
    return {"reason": reason, "detail": detail, "entry": entry, "origin": full_document(origin)}

"""The pipeline as datatrove steps: collect programs, run and tell them.

A program travels as a datatrove Document: text is its source, id its content id, and our records ride in the metadata.
Guarantees: a step's output depends on the configuration and the shard alone, in content and order, so that a task that
was killed and is run again writes the same file; files appear whole (see `semcoder.pyx.files`).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

try:
    from datatrove.data import Document  # type: ignore[import-untyped]
    from datatrove.pipeline.base import PipelineStep  # type: ignore[import-untyped]
    from loguru import logger
except ImportError:
    from semcoder.errors import MissingExtra

    raise MissingExtra("datatrove", "data") from None

from semcoder.core import Origin, Program, decode
from semcoder.errors import SemcoderError
from semcoder.pyx.cases import BUG, PRELOAD, Case, Rejected, coverage, find_cases, normal_form, substantial
from semcoder.pyx.config import BuildConfig
from semcoder.pyx.files import full_document, read_jsonl, write_jsonl
from semcoder.pyx.lifeline import die_with_parent
from semcoder.pyx.rows import Teller
from semcoder.sandbox import Sandbox
from semcoder.seeds import Drop, open_source

logger.disable("datatrove")  # its task logs repeat what our manifest says; failures still reach us as exceptions

Documents = Iterator[Document]


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
        seen: set[str] = set()
        kept = 0
        drops: list[dict[str, Any]] = []
        for spec in self.config.sources:
            for item in open_source(spec).programs():
                if isinstance(item, Drop):
                    drops.append(drop_row(item.origin, "", item.reason, item.detail))
                    continue
                reason = self._reason(item, seen, kept)
                if reason:
                    drops.append(drop_row(item.origin, item.entry, reason, ""))
                    continue
                kept += 1
                yield Document(text=item.source, id=item.id, metadata={"program": full_document(item)})
        write_jsonl(self.drops, drops)

    def _reason(self, program: Program, seen: set[str], kept: int) -> str:
        if program.license == "unknown" and not self.config.unknown_license:
            return "licence unknown"
        form = normal_form(program.source) + program.entry
        if form in seen:
            return "duplicate"
        if self.config.max_programs and kept >= self.config.max_programs:
            return "beyond max_programs"
        seen.add(form)
        return ""


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
        rows: dict[int, list[dict[str, Any]]] = {k: [] for k in range(self.shards)} if self.shards else {rank: []}
        for number, document in enumerate(data):
            shard = number % self.shards if self.shards else rank
            rows[shard].append({"id": document.id, **document.metadata})
            yield document
        for shard, documents in rows.items():
            write_jsonl(self.folder / f"{shard:05d}.jsonl", documents)


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
            yield Document(text=program["source"], id=row["id"], metadata={"program": program})


class Tell(PipelineStep):  # type: ignore[misc]
    """Cases and rows of each program; a program that gives none keeps its place with the reason."""

    name = "Tell"
    type = "EXTRACTOR"

    def __init__(self, config: BuildConfig) -> None:
        super().__init__()
        self.config = config

    def run(self, data: Documents, rank: int = 0, world_size: int = 1) -> Documents:
        del rank, world_size
        die_with_parent()
        with Sandbox(workers=1, preload=PRELOAD, unsafe=self.config.unsafe) as box:
            for document in data:
                program = decode(Program, document.metadata["program"], "program")
                document.metadata.update(self._result(program, box))
                yield document

    def _result(self, program: Program, box: Sandbox) -> dict[str, Any]:
        try:
            cases, failing = find_cases(program, box, self.config)
            teller = Teller(program, cases, box, self.config)
            samples = teller.samples()
        except Rejected as rejected:
            return {"dropped": {"reason": rejected.reason, "detail": rejected.detail}}
        except SemcoderError:
            raise  # the sandbox, not the program
        except Exception as error:  # one program that trips a bug of ours must not cost the others their rows
            return {"dropped": {"reason": BUG, "detail": f"{type(error).__name__}: {error}"[:300]}}
        covered = coverage(cases)
        return {
            "cases": [_case_row(case) for case in cases],
            "failing_asserts": failing,
            "rows": [full_document(sample) for sample in samples],
            "coverage": full_document(covered),
            "substantial": substantial(covered),
            "tally": full_document(teller.tally),
        }


def _case_row(case: Case) -> dict[str, Any]:
    return {"call": case.call, "output": case.output, "steps": case.steps}


def drop_row(origin: Origin, entry: str, reason: str, detail: str) -> dict[str, Any]:
    """One line of the exclusion file."""
    return {"reason": reason, "detail": detail, "entry": entry, "origin": full_document(origin)}

"""A training run's folder: what it was begun with, its log, its checkpoints, and when it is done.

    begun.json        recipe, its hash, versions and data, written when the run begins
    log.jsonl         a line an optimiser step
    checkpoints/      checkpoint-STEP folders; one counts once it has its file `whole`
    config.json ...   the result: an ordinary transformers folder, with a card and its prompt wording (semcoder.json)
    manifest.json     written last

Guarantees: a checkpoint that a killed or failed writer left is never resumed from, and an older whole one is removed
only after a newer one is whole and on the disk; a run is not mixed with another recipe's, and what differs is named.
In a run of several processes the first one writes.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext, suppress
from importlib import metadata
from pathlib import Path
from platform import python_version
from typing import Any

from semcoder._version import __version__
from semcoder.core import content_id
from semcoder.core.files import full_document, read_saved, write_json
from semcoder.core.lock import claimed
from semcoder.errors import InputError, SemcoderError, UsageError
from semcoder.prompts import load_profile
from semcoder.tables import table_files
from semcoder.training.recipe import Recipe, differences
from semcoder.training.rows import is_stream

_WHOLE = "whole"
#: Files that tell a model's or tokenizer's folder apart from another, without reading its weights.
_TOLD_BY = ("manifest.json", "config.json", "tokenizer.json", "model.safetensors.index.json")
_BEGUN = {"hash": str, "recipe": dict, "versions": dict, "data": dict}


class TrainingStopped(SemcoderError):
    """Training cannot go on as asked (it diverged, the disk is full); the message says what is kept and what to do."""

    exit_code = 1


def is_first_process() -> bool:
    """Whether this process writes: the only one, or the first of those that a launcher started."""
    return int(os.environ.get("RANK", "0")) == 0


class RunFolder:
    """The folder of one run, held while the run lasts."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.checkpoints = path / "checkpoints"
        self.log = path / "log.jsonl"
        self.manifest = path / "manifest.json"
        self.begun = path / "begun.json"
        self.told = path / "told.jsonl"
        self._identity: dict[str, Any] = {}

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold the folder. Raises `UsageError` where another run has it, or it holds something else."""
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UsageError(f"{self.path}: {error.strerror}; use another --out folder") from None
        with claimed(self.path, "training run") if is_first_process() else nullcontext():
            yield

    def settle(self, recipe: Recipe, data: Mapping[str, str]) -> dict[str, Any] | None:
        """Save what the run begins with; the manifest of a run that is done, None where there is work to do.

        Raises `UsageError` for a folder that was begun with something else, naming what differs.
        """
        self._identity = {
            "recipe": recipe.document(), "recipe_hash": recipe.hash, "versions": versions(), "data": dict(data)
        }  # fmt: skip
        now = {"hash": recipe.hash, **{name: self._identity[name] for name in ("recipe", "versions", "data")}}
        if self.begun.exists():
            changed = _changed(read_saved(self.begun, _BEGUN, "a training run"), now, recipe)
            if changed and not self._is_bare():
                raise UsageError(f"{self.path}: {changed}; use another --out folder")
            if changed and is_first_process():
                write_json(self.begun, now)
                self.told.unlink(missing_ok=True)
            return self._done()
        if any(child.name != ".lock" and child.suffix != ".tmp" for child in self.path.iterdir()):
            if is_first_process():
                raise UsageError(f"{self.path}: not empty, and not a training run's folder; use another --out folder")
        elif is_first_process():
            write_json(self.begun, now)
        return None

    def identity(self) -> dict[str, Any]:
        """What a manifest says of where a run comes from: recipe, versions, and the data as it was when the run was
        settled."""
        return dict(self._identity)

    def _is_bare(self) -> bool:
        """Whether the run never came to its first step, so that there is nothing to mix with."""
        return not (self.manifest.exists() or self.log.exists() or any(self.checkpoints.glob("*")))

    def _done(self) -> dict[str, Any] | None:
        if not self.manifest.exists():
            return None
        return read_saved(self.manifest, {"kind": str}, "a training run")

    def last_checkpoint(self) -> Path | None:
        """The newest whole checkpoint; what was left half written is removed."""
        whole: list[tuple[int, Path]] = []
        for path in self.checkpoints.glob("checkpoint-*"):
            if (path / _WHOLE).exists():
                whole.append((int(path.name.rpartition("-")[2]), path))
            elif is_first_process():
                shutil.rmtree(path, ignore_errors=True)
        return max(whole)[1] if whole else None

    def kept(self) -> str:
        """What there is to go on from, for messages."""
        last = self.last_checkpoint()
        return f"{last.name} is whole; make room and start again" if last else "no checkpoint had been written"

    def diverged(self, step: int, why: str) -> TrainingStopped:
        """The error of a run that cannot go on, with what is kept of it."""
        last = self.last_checkpoint()
        kept = f"{last} is the last good checkpoint" if last else "no checkpoint had been written"
        return TrainingStopped(f"training diverged at step {step}: {why}; {kept}; try a lower learning_rate")

    def seal(self, checkpoint: Path, keep: int) -> None:
        """Declare a checkpoint whole once it is on the disk, and remove all but the last `keep` whole ones."""
        for path in sorted(checkpoint.rglob("*")):
            if path.is_file():
                _sync(path)
        (checkpoint / _WHOLE).touch()
        _sync(checkpoint / _WHOLE)
        _sync(checkpoint)
        _sync(self.checkpoints)
        whole = [path for path in self.checkpoints.glob("checkpoint-*") if (path / _WHOLE).exists()]
        whole.sort(key=lambda path: int(path.name.rpartition("-")[2]))
        for path in whole[:-keep]:
            (path / _WHOLE).unlink(missing_ok=True)  # first, so that what is left of it is never resumed from
            shutil.rmtree(path, ignore_errors=True)

    # -- the log

    def append(self, row: Mapping[str, Any]) -> None:
        """One line of the log."""
        with self.log.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")

    def rows(self) -> list[dict[str, Any]]:
        """The log's lines; one that a killed writer tore is passed over."""
        found = []
        with suppress(FileNotFoundError), self.log.open(encoding="utf-8") as file:
            for line in file:
                with suppress(ValueError):
                    found.append(json.loads(line))
        return found

    def rewind(self, step: int) -> None:
        """Forget what was logged after a step, which will be done again."""
        kept = [row for row in self.rows() if row["step"] <= step]
        aside = self.log.with_name(f"{self.log.name}.{os.getpid()}.tmp")
        aside.write_text("".join(json.dumps(row) + "\n" for row in kept), encoding="utf-8")
        aside.replace(self.log)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _changed(old: Mapping[str, Any], now: Mapping[str, Any], recipe: Recipe) -> str:
    """What differs from the start of the run in what shapes its weights, in words; empty where nothing does."""
    fields = differences(old["recipe"], recipe)
    if fields:
        return f"begun with another recipe (differs in: {', '.join(fields)})"
    for part in ("versions", "data"):
        names = [name for name in old[part] | now[part] if old[part].get(name) != now[part].get(name)]
        if names:
            return f"{part} changed since this run began ({', '.join(names)})"
    return ""


def versions() -> dict[str, str]:
    """Of semcoder, Python, and the libraries that shape a run."""
    found = {"semcoder": __version__, "python": python_version()}
    for package in ("torch", "transformers", "accelerate", "trl", "peft", "tokenizers"):
        with suppress(metadata.PackageNotFoundError):
            found[package] = metadata.version(package)
    return found


def data_state(recipe: Recipe) -> dict[str, str]:
    """What tells two starts apart beside recipe and versions: data by spec, prompt wording, a base that is a folder.

    Of a folder or files the hash of its manifest or of the files themselves; a stream or a data set by name is told by
    its spec alone. Raises `UsageError` where there is nothing.
    """
    specs = [data.rows for data in recipe.data]
    found = {spec: spec if is_stream(spec) or spec.startswith("hub:") else _digest(Path(spec)) for spec in specs}
    found["prompt wording"] = content_id(full_document(load_profile(recipe.profile)))
    for name in (recipe.model.base, "" if recipe.model.base else recipe.model.new.tokenizer):
        files = [Path(name) / part for part in _TOLD_BY if name and (Path(name) / part).is_file()]
        if files:
            found[name] = "sha256 " + hashlib.sha256(b"".join(map(_hash, files))).hexdigest()[:16]
    return found


def _digest(path: Path) -> str:
    manifest = path / "manifest.json"
    try:
        files = [manifest] if manifest.is_file() else table_files(str(path), ".jsonl", ".jsonl.gz", ".parquet")
        return "sha256 " + hashlib.sha256(b"".join(_hash(file) for file in files)).hexdigest()[:16]
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}") from None


def _hash(file: Path) -> bytes:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").digest()

"""Benchmark files in their published forms, read for what a corpus must not hold.

Known forms, told by the fields of a row: HumanEval and HumanEval+ (`prompt`, `canonical_solution`, `entry_point`), MBPP
(`text` or `prompt`, `code`), MBPP+ (`prompt`, `canonical_solution`), CRUXEval and LiveCodeBench's execution task
(`code`, `input`, `output`), LiveCodeBench (`question_content`). Files are JSON Lines, gzipped or not, or one JSON list.

Guarantees: a file or row of no known form, or that cannot be read, is an `InputError` that names the place: nothing is
skipped in silence. Code that does not parse as Python is counted in `Benchmark.unreadable`; its task's description is
used all the same.
"""

from __future__ import annotations

import ast
import dataclasses
import gzip
import hashlib
import json
import os
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from semcoder.cleaning import normal
from semcoder.errors import InputError

#: Names the folder whose benchmark files every build checks; the default is `DEFAULT_PLACE`.
VARIABLE = "SEMCODER_BENCHMARKS"
DEFAULT_PLACE = "~/.local/share/semcoder/benchmarks"
_ENDINGS = (".jsonl", ".jsonl.gz")


@dataclass(frozen=True, slots=True)
class Task:
    """One problem: its id, its code ("" where none is published), its description, its calls with their outputs."""

    id: str
    code: str
    description: str
    pairs: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Benchmark:
    """One file: its name without ending, the SHA-256 of its bytes (hex), its tasks, and how many have code that does
    not parse."""

    name: str
    sha256: str
    tasks: tuple[Task, ...]
    unreadable: int


def find_files(paths: Sequence[str]) -> list[Path]:
    """The benchmark files that paths (files, or folders of `*.jsonl` and `*.jsonl.gz`) and the default place name.

    Sorted within a folder, each once. Raises `InputError` where a given path is not there or a folder holds none.
    """
    named = os.environ.get(VARIABLE, "")
    default = Path(named or DEFAULT_PLACE).expanduser()
    if named and not default.is_dir():
        raise InputError(f"{VARIABLE}: there is no folder {named}; correct it or leave it unset")
    found: dict[Path, Path] = {}
    for path in [*map(Path, paths), *([default] if default.is_dir() else [])]:
        files = _in_folder(path) if path.is_dir() else [path]
        if not files and path != default:
            raise InputError(f"{path}: no benchmark file (*.jsonl, *.jsonl.gz) in this folder")
        for file in files:
            if not file.is_file():
                raise InputError(f"{file}: there is no such benchmark file")
            found.setdefault(file.resolve(), file)
    return list(found.values())


def _in_folder(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.name.endswith(_ENDINGS) and path.is_file())


def file_hashes(files: Sequence[Path]) -> dict[str, str]:
    """SHA-256 of each file's bytes, hex, by path. Raises `InputError`."""
    return {str(path): hashlib.sha256(_bytes(path)).hexdigest() for path in files}


def read_benchmarks(files: Sequence[Path]) -> list[Benchmark]:
    """All of them, with names that differ. Raises `InputError`."""
    found: list[Benchmark] = []
    for path in files:
        new = read_benchmark(path)
        if any(new.name == other.name for other in found):
            new = dataclasses.replace(new, name=f"{new.name}-{new.sha256[:8]}")
        found.append(new)
    return found


def read_benchmark(path: Path) -> Benchmark:
    """A benchmark from its file. Raises `InputError`."""
    data = _bytes(path)
    tasks = tuple(_task(row, where) for where, row in _rows(path, data))
    if not tasks:
        raise InputError(f"{path}: holds no task")
    unreadable = sum(bool(task.code) and normal.parse(task.code) is None for task in tasks)
    return Benchmark(_stem(path), hashlib.sha256(data).hexdigest(), tasks, unreadable)


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from None


def _stem(path: Path) -> str:
    name = path.name.removesuffix(".gz")
    return name.rpartition(".")[0] or name


def _rows(path: Path, data: bytes) -> Iterator[tuple[str, dict[str, Any]]]:
    try:
        text = (gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data).decode("utf-8")
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise InputError(f"{path}: not readable as text or gzip: {error}") from None
    if text.lstrip().startswith("["):
        items = [(f"{path}: row {k}", item) for k, item in enumerate(_json(text, str(path)), 1)]
    else:
        lines = [(f"{path}:{k}", line) for k, line in enumerate(text.split("\n"), 1) if line.strip()]
        items = [(where, _json(line, where)) for where, line in lines]
    for where, item in items:
        if not isinstance(item, dict):
            raise InputError(f"{where}: expected a JSON object, got {type(item).__name__}")
        yield where, item


def _json(text: str, where: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{where}: not JSON: {error}") from None


def _task(row: dict[str, Any], where: str) -> Task:
    ids = ("task_id", "question_id", "id", "name")
    name = next((str(row[key]) for key in ids if isinstance(row.get(key), (str, int))), "")
    if not name:
        raise InputError(f"{where}: a task has an id in one of {', '.join(ids)}")
    if isinstance(row.get("code"), str) and isinstance(row.get("input"), str) and isinstance(row.get("output"), str):
        return Task(name, row["code"], "", (_pair(row),))
    if isinstance(row.get("canonical_solution"), str) and isinstance(row.get("prompt"), str):
        return _completion(name, row["prompt"], row["canonical_solution"])
    text = next((row[key] for key in ("text", "prompt") if isinstance(row.get(key), str)), None)
    if isinstance(row.get("code"), str) and text is not None:
        return Task(name, row["code"], text)
    if isinstance(row.get("question_content"), str):
        return Task(name, "", row["question_content"])
    raise InputError(
        f"{where}: not a benchmark form that is known (fields {', '.join(sorted(row))}); known are those of "
        "HumanEval, MBPP, CRUXEval and LiveCodeBench"
    )


def _completion(name: str, prompt: str, solution: str) -> Task:
    """HumanEval: the solution goes on where the prompt ends. MBPP+: the prompt is a text, the solution whole."""
    for code in (prompt + solution, solution):
        tree = normal.parse(code)
        if tree is not None and any(isinstance(node, (ast.FunctionDef, ast.ClassDef)) for node in tree.body):
            texts = normal.descriptions("", tree)
            stated = normal.parse(prompt)
            if code == solution:
                texts = normal.descriptions("", stated) if stated is not None else [prompt]
            return Task(name, code, "\n\n".join(texts))
    return Task(name, solution, prompt)


def _pair(row: dict[str, Any]) -> tuple[str, str]:
    """CRUXEval gives the arguments, LiveCodeBench's execution task the whole call of a function of its code."""
    given = row["input"].strip()
    called = given.partition("(")[0]
    whole = called.isidentifier() and f"def {called}(" in row["code"]
    return (given if whole else f"f({given})"), row["output"]

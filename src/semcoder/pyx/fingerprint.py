"""What a build's rows depend on beside its configuration: versions, and the state of its sources.

Guarantees: equal fingerprints on two starts mean that the same files would be read by the same versions of everything
that shapes rows. A folder's files are told apart by path, size and time of change, not read, its project's tests by the
calls that they hold; files of rows by what is in them; a data set of the hub by its commit. It does not see changes to
an installed package, or to semcoder itself, that leave the version as it is.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import platform
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from semcoder._version import __version__
from semcoder.core import SCHEMA_VERSION, content_id
from semcoder.pyx.config import BuildConfig
from semcoder.seeds import open_source
from semcoder.seeds._project import is_test, python_files
from semcoder.seeds._spec import read_spec


def versions() -> dict[str, str]:
    """Of semcoder, Python, the rows' schema, and the libraries that a build runs on."""
    found = {"semcoder": __version__, "python": platform.python_version(), "schema": str(SCHEMA_VERSION)}
    for package in ("datatrove",):
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def sources(config: BuildConfig) -> dict[str, str]:
    """One line of text per source, and per file of answers.

    Raises `UsageError` where a source is not there, or cannot be told apart.
    """
    answers = {path: _contents([Path(path)]) for path in config.answers}
    return {spec: _source(spec) for spec in config.sources} | answers


def _source(spec: str) -> str:
    source: Any = open_source(spec)
    kind = source.name
    rest = spec.removeprefix(f"{kind}:")
    if kind == "package":
        return f"version {importlib.metadata.version(read_spec(rest).text)}"
    if kind == "folder":
        tested = {f"{path} {name}": texts for (path, name), texts in source.tested.items()}
        return " ".join([_digest(source.files), *([f"tests {content_id(tested)}"] if tested else [])])
    if kind == "recorded":
        calls = hashlib.sha256((Path(rest) / "calls.jsonl").read_bytes()).hexdigest()[:16]
        manifest = json.loads((Path(rest) / "manifest.json").read_text(encoding="utf-8"))
        return " ".join([f"calls {calls}", *(_digest(_modules(Path(folder))) for folder in manifest["include"])])
    if kind == "hub" and not source.is_folder:
        return f"revision {source.revision()}"
    if kind in ("jsonl", "parquet", "pyx", "hub"):
        return _contents(source.files)
    return f"python {platform.python_version()}"


def _modules(folder: Path) -> dict[str, Path]:
    """The Python files of a folder by name, without tests."""
    if folder.is_file():
        return {folder.name: folder}
    named = {file.relative_to(folder).as_posix(): file for file in python_files(folder)}
    return {name: file for name, file in named.items() if not is_test(name)}


def _digest(files: Mapping[str, Path]) -> str:
    """Of names, sizes and times of change of files."""
    state = hashlib.sha256()
    for name, file in files.items():
        stat = file.stat()
        state.update(f"{name}\0{stat.st_size}\0{stat.st_mtime_ns}\n".encode(errors="surrogateescape"))
    return f"sha256 {state.hexdigest()[:16]}"


def _contents(files: Sequence[Path]) -> str:
    """Of names and contents of files."""
    state = hashlib.sha256()
    for path in files:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        state.update(f"{path.name}\0{digest}\n".encode(errors="surrogateescape"))
    return f"sha256 {state.hexdigest()[:16]}"

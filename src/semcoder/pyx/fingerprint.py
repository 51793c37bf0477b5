"""What a build's rows depend on beside its configuration: versions, and the state of its sources.

Guarantees: equal fingerprints on two starts mean that the same files would be read by the same versions of everything
that shapes rows. A folder's files are told apart by path, size and time of change, not read. It does not see changes to
an installed package, or to semcoder itself, that leave the version as it is.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import platform
from pathlib import Path

from semcoder._version import __version__
from semcoder.core import SCHEMA_VERSION
from semcoder.pyx.config import BuildConfig
from semcoder.seeds import open_source
from semcoder.seeds._project import is_test, python_files


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
    """One line of text per source. Raises `UsageError` where a source is not there."""
    return {spec: _source(spec) for spec in config.sources}


def _source(spec: str) -> str:
    kind = open_source(spec).name
    rest = spec.removeprefix(f"{kind}:")
    wanted = rest.removesuffix("+tests")
    if kind == "package":
        return f"version {importlib.metadata.version(wanted)}"
    if kind == "folder":
        return _digest(Path(wanted).resolve(), tests=rest != wanted)
    if kind == "recorded":
        calls = hashlib.sha256((Path(rest) / "calls.jsonl").read_bytes()).hexdigest()[:16]
        manifest = json.loads((Path(rest) / "manifest.json").read_text(encoding="utf-8"))
        return " ".join([f"calls {calls}", *(_digest(Path(folder), tests=False) for folder in manifest["include"])])
    return f"python {platform.python_version()}"


def _digest(path: Path, *, tests: bool) -> str:
    """Of relative paths, sizes and times of change of the files that a folder source reads."""
    root = path.parent if path.is_file() else path
    state = hashlib.sha256()
    for file in [path] if path.is_file() else python_files(path):
        name = file.relative_to(root).as_posix()
        if tests or not is_test(name):
            stat = file.stat()
            state.update(f"{name}\0{stat.st_size}\0{stat.st_mtime_ns}\n".encode(errors="surrogateescape"))
    return f"sha256 {state.hexdigest()[:16]}"

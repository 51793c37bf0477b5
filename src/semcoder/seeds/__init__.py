"""Sources of programs: where seeds come from, one file per kind of source.

A source is one module of this package with one class that has a `name` and `programs()`, which yields `Program`s and
`Drop`s; it is made from the text after `name:` of a spec. Adding one touches one file; names with `_` are helpers.

Guarantees: sources are found by file name; the order of `programs()` is the same on every run over the same files;
whatever is not turned into a program comes as a `Drop` with a reason.
It does not promise that a program returns for any input, or that it is deterministic: only execution tells.
"""

from __future__ import annotations

import importlib.metadata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from semcoder.core import Invocation, Origin, Program
from semcoder.errors import UsageError
from semcoder.plugins import load_plugins
from semcoder.seeds._spec import read_spec


@dataclass(frozen=True, slots=True)
class Drop:
    """What did not become a program, and why. `reason` is one of a few short phrases; `detail` names the culprit."""

    origin: Origin
    reason: str
    detail: str = ""


class Source(Protocol):
    """What every source offers. `programs()` may be called any number of times and always starts afresh."""

    name: str

    def programs(self) -> Iterator[Program | Drop]: ...


def known_calls(source: Source, program: Program) -> list[Invocation]:
    """Calls of a program of this source that it knows of beside what the program's text shows; most know none."""
    known = getattr(source, "examples", None)
    return list(known(program)) if known is not None else []


def sources() -> dict[str, type[Any]]:
    """All kinds of sources by name, sorted."""
    return load_plugins("semcoder.seeds", "programs")


def open_source(spec: str) -> Source:
    """The source that a spec names: `stdlib`, `stdlib:json,textwrap`, `package:NAME`, or the path of a folder or file.

    Raises `UsageError` where there is no such source, package, module or folder, `InputError` where a file is
    malformed.
    """
    known = sources()
    name, colon, rest = spec.partition(":")
    if not colon:  # `stdlib+groups`
        name, plus, flags = spec.partition("+")
        rest = plus + flags
    if name in known:
        source: Source = known[name](rest)
        return source
    path = read_spec(spec).text
    if path and Path(path).exists():
        folder: Source = known["folder"](spec)
        return folder
    raise UsageError(f"no source {spec!r}: {_advice(spec, known)}")


def _advice(spec: str, known: dict[str, type[Any]]) -> str:
    try:
        importlib.metadata.distribution(spec)
    except (importlib.metadata.PackageNotFoundError, ValueError):
        names = ", ".join(sorted(known))
        return f"give an existing folder, package:NAME (an installed package), or one of the kinds {names}"
    return f"there is no such folder, but a package of that name is installed; write package:{spec}"

"""Sources of programs: where seeds come from, one file per kind of source.

A source is one module of this package with one class whose name ends in `Source`: it has a `name`, is made from the
text after `name:` of a spec, and its `programs()` yields `Program`s and `Drop`s. Adding one touches one file.

Guarantees: sources are found by file name; the order of `programs()` is the same on every run over the same files;
whatever is not turned into a program comes as a `Drop` with a reason.
It does not promise that a program returns for any input, or that it is deterministic: only execution tells.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import pkgutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from semcoder.core import Origin, Program
from semcoder.errors import UsageError


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


def sources() -> dict[str, type[Any]]:
    """All kinds of sources by name, sorted. Modules that start with an underscore or export no source are helpers."""
    found: dict[str, type[Any]] = {}
    for info in sorted(pkgutil.iter_modules(__path__), key=lambda info: info.name):
        if info.name.startswith("_"):
            continue
        module = importlib.import_module(f"{__name__}.{info.name}")
        for cls in vars(module).values():
            if isinstance(cls, type) and cls.__module__ == module.__name__ and cls.__name__.endswith("Source"):
                found[str(cls.__dict__["name"])] = cls
    return found


def open_source(spec: str) -> Source:
    """The source that a spec names: `stdlib`, `stdlib:json,textwrap`, `package:NAME`, or the path of a folder or file.

    Raises `UsageError` where there is no such source, package, module or folder.
    """
    known = sources()
    name, _, rest = spec.partition(":")
    if name in known:
        source: Source = known[name](rest)
        return source
    path = spec.removesuffix("+tests")
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

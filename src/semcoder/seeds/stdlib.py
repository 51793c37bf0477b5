"""The standard library of the running interpreter: real code that is on every machine that runs this.

Guarantees: read from the library's own folder, under PSF-2.0, with the interpreter's version; tests, demos, tools with
their fixtures, and installed packages are left out.
It does not give the same programs on every Python version: the library itself differs.
"""

from __future__ import annotations

import platform
import sysconfig
from collections.abc import Iterator
from pathlib import Path

from semcoder.core import Origin, Program
from semcoder.errors import UsageError
from semcoder.seeds import Drop, extract
from semcoder.seeds._project import Project, python_files
from semcoder.seeds._spec import read_spec

_LEFT_OUT = frozenset(
    {
        "test",
        "tests",
        "idlelib",
        "lib2to3",
        "turtledemo",
        "ensurepip",
        "idle_test",
        "__phello__",
        "config",
        "pydoc_data",
    }
)


class StdlibSource:
    """`stdlib`, or `stdlib:json,textwrap` for some of its modules. Raises `UsageError` for one it lacks."""

    name = "stdlib"

    def __init__(self, spec: str = "") -> None:
        self._root = Path(sysconfig.get_path("stdlib"))
        read = read_spec(spec, flags=("groups",))
        self._groups = "groups" in read
        self._wanted = tuple(part.strip() for part in read.text.split(",") if part.strip())
        for module in self._wanted:
            base = self._root.joinpath(*module.split("."))
            if not base.with_suffix(".py").is_file() and not (base / "__init__.py").is_file():
                raise UsageError(
                    f"the standard library has no Python module {module!r}; write modules as in stdlib:json,textwrap"
                )

    def programs(self) -> Iterator[Program | Drop]:
        """Programs and drops, in the order of the library's files."""
        origin = Origin("stdlib", "python", platform.python_version())
        files = [f for f in python_files(self._root) if not _LEFT_OUT & set(f.relative_to(self._root).parts)]
        project = Project(origin, "PSF-2.0", self._root, files, skip=self._is_unwanted)
        yield from extract.programs(project, groups=self._groups)

    def _is_unwanted(self, path: str) -> bool:
        name = path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        return bool(self._wanted) and not any(name == w or name.startswith(w + ".") for w in self._wanted)

"""An installed distribution, by the name that pip knows it under.

Guarantees: files, version and licence are those of the distribution's own metadata; test files are left out unless
asked for. Nothing of the package is imported or run.
It does not find the sources of editable installs: their folder is the source to name.
"""

from __future__ import annotations

import importlib.metadata
from collections.abc import Iterator
from pathlib import Path

from semcoder.core import Origin, Program
from semcoder.errors import UsageError
from semcoder.seeds import Drop, extract
from semcoder.seeds._licences import of_metadata
from semcoder.seeds._project import Project, is_test
from semcoder.seeds._spec import read_spec


class PackageSource:
    """`package:NAME`, or `package:NAME+tests` with its test files. Raises `UsageError` if it is not installed here."""

    name = "package"

    def __init__(self, spec: str = "") -> None:
        read = read_spec(spec)
        name, self._tests, self._groups = read.text, "tests" in read, "groups" in read
        try:
            self._distribution = importlib.metadata.distribution(name)
        except (importlib.metadata.PackageNotFoundError, ValueError):
            raise UsageError(f"no installed package {name!r}; run: pip install {name or 'NAME'}") from None
        self._root = Path(str(self._distribution.locate_file("")))
        listed = [Path(str(file)) for file in self._distribution.files or [] if file.suffix == ".py"]
        inside = [path for path in listed if ".." not in path.parts and not path.is_absolute()]
        self._files = sorted(self._root / path for path in inside if (self._root / path).is_file())
        if not self._files:
            raise UsageError(
                f"package {name!r} lists no Python files here (an editable install?); name its folder instead"
            )

    def programs(self) -> Iterator[Program | Drop]:
        """Programs and drops, in the order of the package's files."""
        origin = Origin("package", self._distribution.metadata["Name"], self._distribution.version)
        license = of_metadata(self._distribution.metadata)
        project = Project(origin, license, self._root, self._files, skip=lambda path: not self._tests and is_test(path))
        yield from extract.programs(project, groups=self._groups)

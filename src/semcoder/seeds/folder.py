"""A folder or git checkout of Python files, or one file.

Guarantees: licence and version come from the project's pyproject.toml or its licence file, looked for in the folder
and, inside a git checkout, in the folders above up to its top; hidden folders, virtual environments, build products and
(unless asked for) tests are left out. Nothing is imported or run.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from semcoder.core import Origin, Program
from semcoder.errors import UsageError
from semcoder.seeds import Drop, extract
from semcoder.seeds._licences import UNKNOWN, of_folder, read_pyproject
from semcoder.seeds._project import Project, is_test, python_files


class FolderSource:
    """A path, or `PATH+tests` with its test files. Raises `UsageError` if there is no Python file."""

    name = "folder"

    def __init__(self, spec: str = "") -> None:
        text, self._tests = spec.removesuffix("+tests"), spec.endswith("+tests")
        if not text:
            raise UsageError("folder needs a path, as in folder:src/project")
        path = Path(text).resolve()
        try:
            self._files = [path] if path.is_file() else list(python_files(path))
        except OSError as error:
            raise UsageError(f"cannot read the folder {text!r}: {error.strerror}") from None
        if not self._files or (path.is_file() and path.suffix != ".py"):
            raise UsageError(f"no Python file (.py) in {text!r}; name a folder that holds some")
        self._root = path.parent if path.is_file() else path

    def programs(self) -> Iterator[Program | Drop]:
        """Programs and drops, in the order of the folder's files."""
        top = _project_top(self._root)
        license = next((found for folder in top if (found := of_folder(folder)) != UNKNOWN), UNKNOWN)
        table: dict[str, Any] = next((t for folder in top if (t := read_pyproject(folder))), {})
        origin = Origin("folder", str(table.get("name", self._root.name)), str(table.get("version", "")))
        project = Project(origin, license, self._root, self._files, skip=lambda path: not self._tests and is_test(path))
        yield from extract.programs(project)


def _project_top(folder: Path) -> list[Path]:
    """The folder, then those above it up to the top of its git checkout; the folder alone outside of one."""
    above = [folder]
    for parent in folder.parents:
        if (above[-1] / ".git").exists():
            return above
        above.append(parent)
    return above if (above[-1] / ".git").exists() else [folder]

"""A folder or git checkout of Python files, or one file.

Guarantees: licence and version come from the project's pyproject.toml or its licence file, looked for in the folder
and, inside a git checkout, in the folders above up to its top; hidden folders, virtual environments, build products and
(unless asked for) tests are left out. Calls of a function in the project's own tests are its examples; the tests are
looked for in the folder, and inside a git checkout in the whole project. Nothing is imported or run.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

from semcoder.core import Invocation, Origin, Program
from semcoder.errors import UsageError
from semcoder.seeds import Drop, extract
from semcoder.seeds._asserts import tested_calls
from semcoder.seeds._licences import UNKNOWN, of_folder, read_pyproject
from semcoder.seeds._project import Project, is_test, python_files
from semcoder.seeds._spec import read_spec

_PROJECT_FILES = (".git", "pyproject.toml", "setup.py", "setup.cfg")


class FolderSource:
    """A path, with `+tests` its test files too, with `+groups` groups of statements too.

    Raises `UsageError` if there is no Python file.
    """

    name = "folder"

    def __init__(self, spec: str = "") -> None:
        read = read_spec(spec)
        text, self._tests, self._groups = read.text, "tests" in read, "groups" in read
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
        self._one = path.is_file()

    @property
    def files(self) -> dict[str, Path]:
        """The files that programs come from, by name, sorted."""
        named = {file.relative_to(self._root).as_posix(): file for file in self._files}
        return {name: file for name, file in named.items() if self._tests or not is_test(name)}

    def programs(self) -> Iterator[Program | Drop]:
        """Programs and drops, in the order of the folder's files."""
        yield from extract.programs(self._open(), groups=self._groups)

    def examples(self, program: Program) -> list[Invocation]:
        """The calls of a program's function that the project's tests make; none for any other program."""
        texts = self.tested.get((program.origin.path, program.entry), [])
        return [Invocation(text) for text in texts if program.origin.source == self.name]

    def _open(self) -> Project:
        top = _project_top(self._root)
        license = next((found for folder in top if (found := of_folder(folder)) != UNKNOWN), UNKNOWN)
        table: dict[str, Any] = next((t for folder in top if (t := read_pyproject(folder))), {})
        origin = Origin("folder", str(table.get("name", self._root.name)), str(table.get("version", "")))
        return Project(origin, license, self._root, self._files, skip=lambda path: not self._tests and is_test(path))

    @cached_property
    def _test_files(self) -> list[Path]:
        above = _project_top(self._root)
        root = next(
            (folder for folder in above if any((folder / name).exists() for name in _PROJECT_FILES)), self._root
        )
        alone = self._one and root == self._root and len(above) == 1
        files = sorted(root.glob("*.py")) if alone else python_files(root)
        return [file for file in files if is_test(file.relative_to(root).as_posix())]

    @cached_property
    def tested(self) -> dict[tuple[str, str], list[str]]:
        """Calls in the project's tests, by the path and name of the function."""
        project = self._open()
        found: dict[tuple[str, str], dict[str, None]] = {}
        for (dotted, name), texts in tested_calls(self._test_files).items():
            defined = project.definition(dotted, name)
            if defined is not None:
                renamed = [text.replace(name, defined[1], 1) for text in texts]
                found.setdefault(defined, {}).update(dict.fromkeys(renamed))
        return {defined: list(calls) for defined, calls in found.items()}


def _project_top(folder: Path) -> list[Path]:
    """The folder, then those above it up to the top of its git checkout; the folder alone outside of one."""
    above = [folder]
    for parent in folder.parents:
        if (above[-1] / ".git").exists():
            return above
        above.append(parent)
    return above if (above[-1] / ".git").exists() else [folder]

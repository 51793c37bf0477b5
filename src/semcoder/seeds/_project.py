"""The modules of one project, read as text and parsed on demand; nothing is imported or run.

Guarantees: files come in sorted order; a module's dotted name follows the `__init__.py` files around it, as an import
would; a file that cannot be read or parsed raises `Unreadable` with the reason.
"""

from __future__ import annotations

import ast
import io
import re
import sys
import tokenize
import warnings
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from semcoder.core import Origin
from semcoder.seeds._names import Names, bound_names, names_of

_SKIPPED_FOLDERS = frozenset(
    {"__pycache__", "node_modules", "site-packages", "dist-packages", "build", "dist", "venv", "env"}
)
_TEST_PATH = re.compile(r"(^|/)(tests?|testing|conftest\.py|test_[^/]*\.py|[^/]*_tests?\.py)(/|$)")
MAX_FILE = 2_000_000
#: Modules that may pass a name on before its definition.
_MAX_CHAIN = 10


class Unreadable(Exception):
    """A file that is no module; the message is the reason."""


def is_test(path: str) -> bool:
    """Whether a path inside a project is that of a test, by its name."""
    return bool(_TEST_PATH.search(path))


def python_files(root: Path) -> Iterator[Path]:
    """The .py files under a folder, sorted, without hidden folders, virtual environments and build products."""
    for path in sorted(root.iterdir()):
        if path.is_dir() and not path.is_symlink():
            hidden = path.name.startswith(".") or path.name in _SKIPPED_FOLDERS
            if not hidden and not (path / "pyvenv.cfg").exists():
                yield from python_files(path)
        elif path.suffix == ".py" and path.is_file():
            yield path


def dotted_name(path: Path) -> str:
    """The name under which a file would be imported: its packages are the folders above that hold `__init__.py`."""
    parts = [] if path.name == "__init__.py" else [path.stem]
    folder = path.parent
    while (folder / "__init__.py").exists() and folder != folder.parent:
        parts.append(folder.name)
        folder = folder.parent
    return ".".join(reversed(parts)) or path.stem


@dataclass
class Module:
    """One parsed file. `path` is relative to the project's root, with forward slashes."""

    name: str
    path: str
    source: str
    tree: ast.Module
    is_package: bool
    texts: dict[int, str] = field(default_factory=dict)
    """Text of top-level statements that is not to be read off the lines."""
    _names: dict[int, Names] = field(default_factory=dict, init=False)

    def inherit(self, other: Module, bindings: dict[str, list[int]], fresh: set[int]) -> None:
        """Take over what has been found out about another module that differs in the statements `fresh` and in what
        `bindings` adds. The cached properties are filled in by hand: finding them anew costs a walk of the module."""
        self.__dict__["bindings"] = {**other.bindings, **bindings}
        self.__dict__["changes"] = other.changes
        self.__dict__["lines"] = other.lines
        for place in range(len(other.tree.body)):
            if place not in fresh and place in other._names:
                self._names[place] = other._names[place]

    @cached_property
    def lines(self) -> list[str]:
        return self.source.splitlines()

    def names(self, place: int) -> Names:
        """The names of the top-level statement number `place`."""
        if place not in self._names:
            self._names[place] = names_of(self.tree.body[place])
        return self._names[place]

    @cached_property
    def bindings(self) -> dict[str, list[int]]:
        """Top-level names to the places of the statements that bind them, in order."""
        found: dict[str, list[int]] = {}
        for place, statement in enumerate(self.tree.body):
            if not _is_main_block(statement):
                for name in sorted(bound_names([statement], deleted=False)):
                    found.setdefault(name, []).append(place)
        return found

    @cached_property
    def changes(self) -> dict[str, list[int]]:
        """Top-level names to the places of the statements that change their objects in place."""
        found: dict[str, list[int]] = {}
        for place, statement in enumerate(self.tree.body):
            if not isinstance(
                statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Import, ast.ImportFrom)
            ) and not _is_main_block(statement):
                for name in sorted(self.names(place).changes):
                    found.setdefault(name, []).append(place)
        return found

    @cached_property
    def star_imports(self) -> list[ast.ImportFrom]:
        return [s for s in self.tree.body if isinstance(s, ast.ImportFrom) and s.names[0].name == "*"]

    @cached_property
    def future(self) -> list[str]:
        """Features imported from `__future__`."""
        imports = [s for s in self.tree.body if isinstance(s, ast.ImportFrom) and s.module == "__future__"]
        return [alias.name for s in imports for alias in s.names]

    def absolute(self, statement: ast.ImportFrom) -> str:
        """The dotted name that a `from ... import` names, relative ones resolved; '' if it leaves the top package."""
        if not statement.level:
            return statement.module or ""
        parts = self.name.split(".")
        keep = len(parts) - statement.level + self.is_package
        if keep <= 0:
            return ""
        return ".".join([*parts[:keep], *([statement.module] if statement.module else [])])


def _is_main_block(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.If) and any(
        isinstance(node, ast.Constant) and node.value == "__main__" for node in ast.walk(statement.test)
    )


class Project:
    """The files of one project, and what all its programs share: origin and licence."""

    def __init__(
        self,
        origin: Origin,
        license: str,
        root: Path,
        files: Iterable[Path],
        *,
        skip: Callable[[str], bool] = lambda path: False,
    ) -> None:
        self.origin = origin
        self.license = license
        self.root = root
        self._skip = skip
        self._files = {path.relative_to(root).as_posix(): path for path in files}
        self._modules: dict[str, Module | Unreadable] = {}

    @cached_property
    def _by_name(self) -> dict[str, str]:
        names: dict[str, str] = {}
        for path, file in self._files.items():
            names.setdefault(dotted_name(file), path)
        return names

    def paths(self) -> list[str]:
        """Relative paths of the files whose functions are wanted, sorted."""
        return sorted(path for path in self._files if not self._skip(path))

    def has(self, dotted: str) -> bool:
        """Whether a dotted name, or the package that it starts with, is this project's own."""
        top = dotted.partition(".")[0]
        return any(name.partition(".")[0] == top for name in self._by_name)

    def find(self, dotted: str) -> Module | None:
        """The project's module of that dotted name; None if there is none that parses."""
        path = self._by_name.get(dotted)
        try:
            return self.module(path) if path else None
        except Unreadable:
            return None

    def definition(self, dotted: str, name: str) -> tuple[str, str] | None:
        """The path and name of what `from dotted import name` gives, through modules that only pass it on.

        A dotted name may lack what comes before the project's root (`src`), or have it. None where that is not known.
        """
        for _ in range(_MAX_CHAIN):
            module = self.find(dotted) or self.find(self._like(dotted))
            places = module.bindings.get(name, []) if module is not None else []
            if module is None or not places:
                return None
            statement = module.tree.body[places[-1]]
            if not isinstance(statement, ast.ImportFrom):
                return module.path, name
            dotted, name = module.absolute(statement), _original(statement, name)
        return None

    def _like(self, dotted: str) -> str:
        alike = [n for n in self._by_name if f".{n}".endswith(f".{dotted}") or f".{dotted}".endswith(f".{n}")]
        return alike[0] if len(alike) == 1 else ""

    def module(self, path: str) -> Module:
        """The module of a relative path, parsed once. Raises `Unreadable`."""
        if path not in self._modules:
            try:
                self._modules[path] = read_module(self._files[path], path)
            except Unreadable as error:
                self._modules[path] = error
        found = self._modules[path]
        if isinstance(found, Unreadable):
            raise found
        return found


def _original(statement: ast.ImportFrom, name: str) -> str:
    """The name under which a module imports what it calls `name`."""
    return next(alias.name for alias in statement.names if (alias.asname or alias.name) == name)


class TextProject(Project):
    """A project of one module that is not in a file of its own: a row's code. Raises `Unreadable` where it is none."""

    def __init__(self, origin: Origin, license: str, source: str) -> None:
        super().__init__(origin, license, Path(), ())
        if len(source) > MAX_FILE:
            raise Unreadable("the text is too large")
        self._modules[origin.path] = _parse(source, "row", origin.path)

    def paths(self) -> list[str]:
        """The one path: that of the project's origin."""
        return [self.origin.path]


def parse_quietly(source: str) -> ast.Module:
    """`ast.parse` without the warnings that old code gives (invalid escapes)."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SyntaxWarning)
        warnings.simplefilter("ignore", DeprecationWarning)
        return ast.parse(source)


def is_literal(node: ast.expr) -> bool:
    """Whether an expression is one that `ast.literal_eval` takes."""
    try:
        ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return False
    return True


def read_module(file: Path, path: str) -> Module:
    """A file as a module of that path. Raises `Unreadable`."""
    try:
        data = file.read_bytes()
        if len(data) > MAX_FILE:
            raise Unreadable("the file is too large")
        encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
        source = data.decode(encoding)
    except (OSError, LookupError, SyntaxError, ValueError) as error:
        raise Unreadable(f"cannot be read: {type(error).__name__}") from None
    return _parse(source, dotted_name(file), path, file.name == "__init__.py")


def _parse(source: str, name: str, path: str, is_package: bool = False) -> Module:
    source = source.replace("\r\n", "\n").replace("\r", "\n").replace("\f", " ")
    try:
        tree = parse_quietly(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise Unreadable(f"not Python {sys.version_info[0]}.{sys.version_info[1]}") from None
    return Module(name, path, source, tree, is_package)

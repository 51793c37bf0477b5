"""Copies of the user's project in temporary folders: as it was in a git revision, or as it is with a patch.

Guarantees: the working tree, the index and the refs of the repository are never written to; a copy is gone when its
`with` block ends; tests of a copy import the copy's modules, wherever the project itself is installed from (the caller
checks that with `Copy.holds`).
It does not copy what git does not know of but files that are ignored beside those that it knows (generated modules,
compiled extensions); submodules are left out.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from semcoder.errors import UsageError

_LEFT_OUT = (".git", ".hg", ".tox", ".nox", ".venv", "venv", "node_modules", "__pycache__", ".*_cache", ".hypothesis")
_GENERATED = (".py", ".so", ".pyd", ".json", ".typed")


@dataclass(frozen=True, slots=True)
class Copy:
    """A copy of a project: `root` is the project's own folder, `folder` the copy of it."""

    root: Path
    folder: Path

    def path(self, original: Path) -> Path:
        """Where the copy has what the project has there."""
        return self.folder / original.resolve().relative_to(self.root)

    def paths(self, roots: Iterable[str]) -> list[str]:
        """The copy's counterparts of folders that modules are imported from; those of other projects are left out."""
        inside = [Path(root) for root in roots if Path(root).is_relative_to(self.root)]
        return [str(self.path(root)) for root in inside]

    def holds(self, files: Iterable[str]) -> bool:
        """Whether all these files are the copy's."""
        folder = self.folder.resolve()
        return all(Path(file).is_relative_to(folder) for file in files)


def repository(start: Path) -> Path | None:
    """The folder of the git repository that holds a folder; None where none does."""
    done = _git(start, "rev-parse", "--show-toplevel")
    return Path(done.stdout.strip()).resolve() if done.returncode == 0 else None


@contextmanager
def revision(rev: str, start: Path, *, renewed: Sequence[Path] = ()) -> Iterator[Copy]:
    """The project as it was in a revision; the `renewed` files (tests) are as they are now.

    Raises `UsageError` where there is no repository or no such revision.
    """
    root = _root(rev, start)
    commit = _commit(rev, root)
    with tempfile.TemporaryDirectory(prefix="semcoder-good-") as scratch:
        copy = Copy(root, Path(scratch).resolve() / "project")
        copy.folder.mkdir()
        environment = {**os.environ, "GIT_INDEX_FILE": str(Path(scratch) / "index")}
        for command in (["read-tree", commit], ["checkout-index", "--all", "--quiet", f"--prefix={copy.folder}/"]):
            done = _git(root, *command, environment=environment)
            if done.returncode:
                raise UsageError(f"--good {rev}: git cannot give that revision: {done.stderr.strip()}")
        _add_generated(copy)
        for file in renewed:
            target = copy.path(file)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(file, target)
        yield copy


def check_revision(rev: str, start: Path) -> None:
    """Raises `UsageError` where the repository that holds a folder has no such revision, or none holds it."""
    _commit(rev, _root(rev, start))


def file_at(rev: str, file: Path) -> str:
    """The text of a file in a revision. Raises `UsageError`."""
    root = _root(rev, file.resolve().parent)
    commit = _commit(rev, root)
    done = _git(root, "show", f"{commit}:{file.resolve().relative_to(root).as_posix()}")
    if done.returncode:
        raise UsageError(f"--good {rev}: {file} is not in that revision")
    return done.stdout


def _root(rev: str, start: Path) -> Path:
    root = repository(start)
    if root is None:
        raise UsageError(f"--good {rev}: {start} is in no git repository (or git is not installed)")
    return root


def _commit(rev: str, root: Path) -> str:
    done = _git(root, "rev-parse", "--verify", "--quiet", "--end-of-options", rev + "^{commit}")
    if done.returncode:
        raise UsageError(f"--good {rev}: the repository {root} has no such revision")
    return done.stdout.strip()


def _git(folder: Path, *arguments: str, environment: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    command = ["git", "-C", str(folder), *arguments]
    try:
        return subprocess.run(command, capture_output=True, text=True, errors="replace", env=environment, check=False)
    except FileNotFoundError:
        return subprocess.CompletedProcess(command, 127, "", "git is not installed")


def _add_generated(copy: Copy) -> None:
    """Files that git is told to ignore and that the code may need: those that stand beside files that git knows."""
    done = _git(copy.root, "ls-files", "--others", "--ignored", "--exclude-standard", "--directory", "-z")
    for name in done.stdout.split("\0"):
        target = copy.folder / name
        if name.endswith(_GENERATED) and target.parent.is_dir() and not target.exists():
            shutil.copy2(copy.root / name, target)


@contextmanager
def patched(root: Path, changes: dict[Path, str]) -> Iterator[Copy]:
    """The project with new texts for some of its files."""
    with tempfile.TemporaryDirectory(prefix="semcoder-patch-") as scratch:
        copy = Copy(root.resolve(), Path(scratch).resolve() / "project")
        shutil.copytree(copy.root, copy.folder, ignore=_left_out, symlinks=True)
        for file, text in changes.items():
            copy.path(file).write_text(text, encoding="utf-8", newline="")
        yield copy


def _left_out(folder: str, names: list[str]) -> set[str]:
    """What a copy does without: version control, caches, environments."""
    environments = {name for name in names if os.path.exists(os.path.join(folder, name, "pyvenv.cfg"))}
    return environments | shutil.ignore_patterns(*_LEFT_OUT)(folder, names)

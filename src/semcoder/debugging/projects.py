"""The user's project under a test: which files are the user's own, and its functions recorded as they run in process.

Functions get instrumented code in place of their own (`Recording.swap`): the objects stay, so that whoever holds one
(a registry, a decorator, a subclass) runs the recorded code. Only functions that are known to run are touched; their
modules are never imported again. All that was recorded is one `Trace` over one text: the statements of the modules in
which those functions stand, one module below the other. `Layout` knows which line of which file a line of it is.

Guarantees: line numbers of tracebacks stay; a function whose code cannot be exchanged runs as it was, unrecorded.
It does not undo anything: it is meant for a process that ends afterwards (see `semcoder.debugging.reruns`). It sees
functions that exist when `swap` is called and those that they define, not modules loaded later.
"""

from __future__ import annotations

import ast
import builtins
import functools
import gc
import importlib.util
import json
import os
import re
import sys
import sysconfig
import threading
import time
import types
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from semcoder.core import Invocation, Outcome
from semcoder.debugging.values import ProjectEncoder
from semcoder.recording.keeper import Scope
from semcoder.tracing import MAX_EVENTS, Trace
from semcoder.tracing.columns import unpacked
from semcoder.tracing.instrument import instrument, sites
from semcoder.tracing.recorder import Recorder

#: The user's code under test, the user's tests with their helpers, or anybody else's.
Side = Literal["code", "test", ""]
#: A function's code as a process knows it: file name, first line (of a decorator, if any), qualified name.
CodeKey = tuple[str, int, str]

_FOREIGN = re.compile(r"(^|/)(\.[^/]*|site-packages|dist-packages|node_modules|__pycache__)/")
_INSTALLED = re.compile(r"/(?:site|dist)-packages/([^/]+?)(?:\.py)?(?:/|$)")
#: Kinds of events whose site is a node.
_AT_NODES = frozenset("csetidmkrxhzyvn")
#: Globals with more parts than this are not watched: each look would cost more than the test.
_WATCHED = 50
_MISSING = object()
_SCALARS = (int, float, complex, str, bytes, bool, type(None))
_OWN = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "")


@dataclass(frozen=True, slots=True)
class Spot:
    """Where an exception was or came through: a function of the user's, its file and the line there."""

    file: str
    line: int
    function: str
    side: Side

    def is_in(self, file: str, name: str) -> bool:
        """Whether it is in this function."""
        return (self.file, plain_name(self.function)) == (file, name)


class Project:
    """Whose a file is. `folders`: the project's; `tests`: files known to hold tests, whatever they are called."""

    def __init__(self, folders: Iterable[str], tests: Iterable[str] = ()) -> None:
        self.folders = [os.path.realpath(folder) for folder in dict.fromkeys(folders)]
        self._scope = Scope(self.folders)
        self._tests = frozenset(map(os.path.realpath, tests))
        self._known: dict[str, Side] = {}
        self._library = [os.path.join(os.path.realpath(sysconfig.get_path("stdlib")), "")]
        # What records would record itself.
        self._library += [os.path.join(_OWN, room, "") for room in ("core", "tracing", "debugging")]

    def side(self, filename: str) -> Side:
        """Whose a file is, by the name that its code has for it."""
        found = self._known.get(filename)
        if found is None:
            found = self._known[filename] = self._find(filename)
        return found

    def _find(self, filename: str) -> Side:
        path = os.path.realpath(filename)
        if not path.endswith(".py") or not os.path.isfile(path):
            return ""
        if path in self._tests:
            return "test"
        if path.startswith(tuple(self._library)):
            return "code" if self._is_copy(path) else ""
        if self._scope.path(filename):
            return "code"
        inside = next((folder for folder in self.folders if path.startswith(os.path.join(folder, ""))), None)
        if inside is not None and not _FOREIGN.search(path[len(inside) + 1 :]):
            return "test" if not _environment(inside, path) else ""
        return "code" if self._is_copy(path) else ""

    def _is_copy(self, path: str) -> bool:
        """Whether this is of an installed copy of the project: a package that one of its folders has, too."""
        name = _INSTALLED.search(path)
        return name is not None and name[1] in self._packages

    @functools.cached_property
    def _packages(self) -> frozenset[str]:
        return frozenset(name for folder in self.folders for name in _importable(folder))

    def loaded(self) -> tuple[list[str], list[str]]:
        """The files of code under test that are loaded, and the folders that they were imported from."""
        files: list[str] = []
        roots: dict[str, None] = {}
        for name, module in list(sys.modules.items()):
            file = getattr(module, "__file__", None)
            if isinstance(file, str) and self.side(file) == "code":
                files.append(os.path.realpath(file))
                packaged = os.path.basename(file) == "__init__.py"
                for _ in range(name.count(".") + 1 + packaged):
                    file = os.path.dirname(file)
                roots[os.path.realpath(file)] = None
        return sorted(set(files)), list(roots)

    def forget(self) -> None:
        """Empty the caches of the user's functions (`functools.cache`), so that they run when they are called."""
        for module in list(sys.modules.values()):
            file = getattr(module, "__file__", None)
            for value in list(vars(module).values()) if isinstance(file, str) and self.side(file) else ():
                for member in [value, *vars(value).values()] if isinstance(value, type) else [value]:
                    if type(member) is functools._lru_cache_wrapper:
                        member.cache_clear()

    def shown(self, filename: str) -> str:
        """A file's name for people: from the folder of the project that holds it."""
        path = os.path.realpath(filename)
        shorter = [os.path.relpath(path, f) for f in self.folders if path.startswith(os.path.join(f, ""))]
        if shorter:
            return min(shorter, key=len)
        installed = _INSTALLED.search(path)
        return path if installed is None else path[installed.start(1) :]


def _environment(folder: str, path: str) -> bool:
    """Whether a virtual environment inside the folder holds the file."""
    while (path := os.path.dirname(path)) != folder and len(path) > len(folder):
        if os.path.exists(os.path.join(path, "pyvenv.cfg")):
            return True
    return False


def _importable(folder: str) -> Iterator[str]:
    """Names of packages and modules that stand in a folder, or in its `src`."""
    for place in (folder, os.path.join(folder, "src")):
        try:
            entries = list(os.scandir(place))
        except OSError:
            continue
        for entry in entries:
            if entry.name.endswith(".py"):
                yield entry.name.removesuffix(".py")
            elif entry.is_dir() and os.path.exists(os.path.join(entry.path, "__init__.py")):
                yield entry.name


class Calls:
    """Counts, as a trace function, how often each function of the user's is called (or resumed)."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._counts: dict[int, int] = {}  # by identity: to hash a code object means to read all of it
        self._codes: dict[int, types.CodeType] = {}

    def __call__(self, frame: types.FrameType, event: str, argument: object) -> None:
        key = id(frame.f_code)
        count = self._counts.get(key)
        if count is None:
            code = self._codes[key] = frame.f_code
            count = self._counts[key] = 0 if self._project.side(code.co_filename) else -1
        if count >= 0:
            self._counts[key] = count + 1

    def counts(self) -> dict[CodeKey, int]:
        found: dict[CodeKey, int] = {}
        for key, code in self._codes.items():
            if self._counts[key] > 0:
                found[code_key(code)] = found.get(code_key(code), 0) + self._counts[key]
        return found


def plain_name(qualified: str) -> str:
    """A function's qualified name as a text has it: without saying what is local."""
    return qualified.replace("<locals>.", "")


def code_key(code: types.CodeType) -> CodeKey:
    return code.co_filename, code.co_firstlineno, code.co_qualname


@dataclass(frozen=True, slots=True)
class Segment:
    """A module's part of the text: its line `n` is line `n + offset` there, up to line `last` there.

    `file`: its file as people are told, `path`: all of its path.
    """

    file: str
    path: str
    module: str
    side: Side
    offset: int
    last: int


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the lines of a text of several modules come from."""

    segments: tuple[Segment, ...]

    def segment(self, line: int) -> Segment:
        """The module that a line of the text is of."""
        place = bisect_right([segment.offset for segment in self.segments], line - 1) - 1
        return self.segments[max(place, 0)]

    def line(self, line: int) -> int:
        """A line's number in its own file."""
        return line - self.segment(line).offset

    def place(self, line: int) -> str:
        """`file:line` of a line of the text."""
        return f"{self.segment(line).file}:{self.line(line)}"

    def find(self, file: str, line: int) -> int:
        """The line of the text that a file's line is; 0 if it is not there."""
        found = next((s for s in self.segments if s.file == file and 0 < line <= s.last - s.offset), None)
        return 0 if found is None else line + found.offset


class _Module:
    """One file's part: the lines of the top-level statements in which functions that ran stand."""

    def __init__(self, filename: str, keys: Sequence[CodeKey], whole: bool) -> None:
        """Raises OSError and what `ast.parse` raises."""
        self.filename = filename
        self.names = {(line, name) for _, line, name in keys}
        with open(filename, "rb") as file:
            source = importlib.util.decode_source(file.read())
        rows = re.split(r"\r\n|\r|\n", source)
        body = ast.parse(source).body
        self.future = [s for s in body if isinstance(s, ast.ImportFrom) and s.module == "__future__"]
        wanted = {line for line, _ in self.names}
        kept: set[int] = set()
        for statement in body:
            first, last = extent(statement)
            if whole or not wanted.isdisjoint(range(first, last + 1)):
                kept.update(range(first, last + 1))
        self.rows = [row if number in kept else "" for number, row in enumerate(rows, 1)][: max(kept, default=0)]


def extent(statement: ast.stmt) -> tuple[int, int]:
    """First line, of a decorator if there is one, and last line."""
    decorators = getattr(statement, "decorator_list", [])
    return min([statement.lineno, *[d.lineno for d in decorators]]), statement.end_lineno or statement.lineno


class Recording:
    """Functions of the user's with code that reports to a recorder, and what it recorded.

    `keys`: the functions that are to be recorded. `events`: a bound on what is. `whole`: the text holds all statements
    of their modules, not only those in which they stand.
    """

    def __init__(
        self, project: Project, keys: Iterable[CodeKey], *, events: int = MAX_EVENTS, whole: bool = False
    ) -> None:
        self.recorder = Recorder(max_events=events)
        self._events = events
        self._project = project
        self._codes: dict[CodeKey, types.CodeType] = {}
        self._order: list[int] = []  # a site of the recorder's -> the site in the text
        by_file: dict[str, list[CodeKey]] = {}
        for key in keys:
            by_file.setdefault(key[0], []).append(key)
        modules = []
        for filename, wanted in by_file.items():
            try:
                modules.append(_Module(filename, wanted, whole))
            except (OSError, SyntaxError, ValueError, RecursionError):
                continue  # a file that went away, or is no longer what it was
        modules.sort(key=lambda m: (project.side(m.filename) == "test", module_name(m.filename)))
        self.source, self.layout = _laid_out(project, modules)
        self._instrument(modules)

    def _instrument(self, modules: Sequence[_Module]) -> None:
        tree, numbered = ast.parse(self.source), ast.parse(self.source)
        site_of = dict(zip(map(id, sites(numbered).values()), sites(tree), strict=True))
        bodies: dict[Segment, list[ast.stmt]] = {segment: [] for segment in self.layout.segments}
        for statement in numbered.body:
            bodies[self.layout.segment(statement.lineno)].append(statement)
        for module, (segment, body) in zip(modules, bodies.items(), strict=True):
            for statement in body:
                ast.increment_lineno(statement, -segment.offset)
            pruned = ast.Module([*module.future, *_pruned(body, {line for line, _ in module.names})], [])
            order = [site_of.get(id(node), 0) for node in sites(pruned).values()]
            try:
                made = instrument(pruned, module.filename, base=len(self._order))
            except (SyntaxError, ValueError, RecursionError):
                continue  # a function with as many nested blocks as Python allows, say
            self._order += order
            space = module_space(module.filename)
            watched = {site: _small_names(names, space) for site, names in made.globals_of.items()}
            self.recorder.globals_of.update(watched)
            self.recorder.heads_of.update(made.heads_of)
            self._codes.update({code_key(code): code for code in codes_in(made.code)})

    def swap(self) -> int:
        """Give the functions their new code. How many got theirs."""
        count = 0
        wanted = {(name, line) for _, line, name in self._codes}
        for found in gc.get_objects():
            if type(found) is types.FunctionType:
                old = found.__code__
                if (old.co_qualname, old.co_firstlineno) in wanted:
                    new = self._codes.get(code_key(old))
                    if new is not None and alike(old, new):
                        found.__code__ = new
                        count += 1
        return count

    def begin(self) -> None:
        """Start over: what was recorded so far is dropped."""
        kept = self.recorder
        self.recorder = Recorder(max_events=self._events)
        self.recorder.encoder = ProjectEncoder()
        self.recorder.globals_of, self.recorder.heads_of = kept.globals_of, kept.heads_of
        for name, hook in self.recorder.builtins().items():
            setattr(builtins, name, hook)

    def start(self) -> None:
        self.recorder.start()

    def stop(self, *, for_good: bool = False) -> None:
        """Record no more; `for_good`, from another thread than the recorded one: whatever comes."""
        self.recorder.stop()
        if for_good:
            self.recorder.truncated = True
            _wait_for_hooks()

    def trace(self, test: str, outcome: Outcome) -> Trace:
        """What was recorded, as an execution of the text. Raises ValueError for what is too large to tell."""
        columns = json.loads(json.dumps(self.recorder.columns()))
        columns["heads"] = [
            [kind, self._order[site] if kind in _AT_NODES and 0 <= site < len(self._order) else site]
            for kind, site in columns["heads"]
        ]
        return Trace(self.source, Invocation(test, "test"), outcome, **unpacked(columns, MAX_EVENTS))


def _wait_for_hooks() -> None:
    """Until no thread is in a hook any more, which may be about to write into the columns."""
    here = threading.get_ident()
    while True:
        frames = [frame for ident, frame in sys._current_frames().items() if ident != here]
        while frames:
            frame = frames.pop()
            if frame.f_code.co_filename.startswith((_OWN + "tracing", _OWN + "core")):
                break
            if frame.f_back is not None:
                frames.append(frame.f_back)
        else:
            return
        time.sleep(0.001)


def _laid_out(project: Project, modules: Sequence[_Module]) -> tuple[str, Layout]:
    """One text of all modules, one below the other."""
    rows: list[str] = []
    segments = []
    for module in modules:
        offset = len(rows)
        rows += module.rows
        shown, side = project.shown(module.filename), project.side(module.filename)
        path = os.path.realpath(module.filename)
        segments.append(Segment(shown, path, module_name(module.filename), side, offset, len(rows)))
    return "\n".join(rows) + "\n", Layout(tuple(segments))


def _pruned(body: Sequence[ast.stmt], wanted: set[int]) -> list[ast.stmt]:
    """The statements, without functions of classes that did not run: to instrument those would be for nothing."""
    kept: list[ast.stmt] = []
    for statement in body:
        first, last = extent(statement)
        if wanted.isdisjoint(range(first, last + 1)):
            continue
        if isinstance(statement, ast.ClassDef):
            statement.body = _pruned(statement.body, wanted) or [ast.Pass(lineno=last, col_offset=0)]
        kept.append(statement)
    return kept


def codes_in(code: types.CodeType) -> Iterator[types.CodeType]:
    """All code inside a module's, at any depth."""
    for inner in code.co_consts:
        if isinstance(inner, types.CodeType):
            yield inner
            yield from codes_in(inner)


def alike(old: types.CodeType, new: types.CodeType) -> bool:
    """Whether a function of the one code can have the other."""
    count = old.co_argcount + old.co_kwonlyargcount
    same_names = old.co_varnames[:count] == new.co_varnames[:count] and old.co_freevars == new.co_freevars
    lively = 0x20 | 0x80 | 0x100 | 0x200
    return same_names and (old.co_flags ^ new.co_flags) & (0x0C | lively) == 0 and "<lambda>" not in old.co_qualname


def _small_names(names: Sequence[str], space: dict[str, Any]) -> tuple[str, ...]:
    """Those of a module's names whose values are worth a look at each statement."""
    kept = []
    for name in names:
        value = space.get(name, _MISSING)
        kind = type(value)
        if kind in _SCALARS or (kind in (list, tuple, set, frozenset, dict) and len(value) <= _WATCHED):
            kept.append(name)
    return tuple(kept) if len(kept) <= _WATCHED else ()


@functools.cache
def module_name(filename: str) -> str:
    """The dotted name under which a file was imported; else its own, without the suffix."""
    for name, module in list(sys.modules.items()):
        if getattr(module, "__file__", None) == filename and name != "__main__":
            return name
    return os.path.basename(filename).removesuffix(".py")


def module_space(filename: str) -> dict[str, Any]:
    """The variables of the module that a file was imported as."""
    module = sys.modules.get(module_name(filename))
    return {} if module is None else vars(module)

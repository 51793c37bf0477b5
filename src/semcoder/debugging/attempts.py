"""A failing test run with changed functions, each change in a copy of the process: called in the session's reserve.

Functions get the code of a changed text in place of their own, as `semcoder.debugging.projects` gives them recorded
code: nothing is imported again. What a module made of a function while it was imported stays as it was.

Guarantees: no change is seen by the next one, or by the session; a copy that does not end in time, or takes too much
memory, does not pass; it is killed with what it started; temporary folders that pytest makes are removed.
It is no sandbox: the changed code does to files and services what the test lets it.
"""

from __future__ import annotations
import __future__

import ast
import contextlib
import functools
import gc
import importlib.util
import os
import resource
import tempfile
import time
import types
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import pytest

from semcoder.debugging.projects import alike, codes_in, extent, plain_name
from semcoder.debugging.reruns import PATIENCE, RunFailed, passes
from semcoder.debugging.reserve import time_over, untried
from semcoder.debugging.session import project_of

#: Seconds that a run with a change may take beside `PATIENCE` times the test's own time.
_GRACE = 1.0
#: Bytes of memory that it may take beyond what the session has, and of a file that it writes.
_MEMORY = 1 << 30
#: A function among those of a statement: its qualified name, and which of that name it is.
_Place = tuple[str, int]


def attempt(
    item: pytest.Item,
    own: float,
    set_up: float,
    tries: Sequence[Mapping[str, Any]],
    seconds: float,
    is_alone: Callable[[], bool],
) -> dict[str, Any]:
    """Whether a failing test passes with each of some changes.

    A try has `path`, the real path of a file; `first`, the line in which a statement of the module begins; `text`, the
    new text of it; `function`, the qualified name of what changes. The document: `passes`, in order a bool, or None
    where the change could not be put in, ending early where `seconds` are over, or nobody waits any more (`is_alone`);
    `why` not all were tried, or "".
    """
    project, deadline = project_of(item.session), time.monotonic() + seconds
    files = {path: _File(path) for path in {str(each["path"]) for each in tries}}
    longest = PATIENCE * own + set_up + _GRACE
    found: list[bool | None] = []
    with tempfile.TemporaryDirectory(prefix="semcoder-tries-") as folder:
        os.environ["PYTEST_DEBUG_TEMPROOT"] = folder
        with contextlib.suppress(RunFailed):
            if passes(item, project, _bounded, longest):
                return untried("the test passed as it is when it was run again")
        for each in tries:
            left = deadline - time.monotonic()
            if left <= 0 or is_alone():
                return {"passes": found, "why": time_over(seconds)}
            # Compiled here, where it takes no run's time.
            pairs = files[str(each["path"])].pairs(each)
            try:
                change = functools.partial(_exchange, pairs)
                found.append(passes(item, project, change, min(longest, left)) if pairs else None)
            except RunFailed:
                found.append(False)
    return {"passes": found, "why": ""}


def _bounded() -> None:
    """Bound the memory of this process, and the files that it writes: a loop that fills them is soon over."""
    with contextlib.suppress(OSError, ValueError):
        with open("/proc/self/statm") as file:
            used = int(file.read().split()[0]) * resource.getpagesize()
        for kind, bound in ((resource.RLIMIT_AS, used + _MEMORY), (resource.RLIMIT_FSIZE, _MEMORY)):
            hard = resource.getrlimit(kind)[1]
            resource.setrlimit(kind, (bound if hard == resource.RLIM_INFINITY else min(bound, hard), hard))


def _exchange(pairs: Sequence[tuple[types.FunctionType, types.CodeType]]) -> None:
    """Give functions new code, and bound what it may take."""
    for function, code in pairs:
        function.__code__ = code
    _bounded()


class _File:
    """The functions of one file, as they are in this process."""

    def __init__(self, path: str) -> None:
        self._functions = list(_functions_of(path))
        self._filename = self._functions[0].__code__.co_filename if self._functions else path
        self._old: dict[int, dict[_Place, types.CodeType]] = {}
        self._statements: dict[int, ast.stmt] = {}
        self._flags = 0
        with contextlib.suppress(OSError, SyntaxError, ValueError, RecursionError), open(path, "rb") as file:
            for statement in ast.parse(importlib.util.decode_source(file.read())).body:
                self._statements[extent(statement)[0]] = statement
                if isinstance(statement, ast.ImportFrom) and statement.module == "__future__":
                    for name in statement.names:
                        self._flags |= getattr(__future__, name.name).compiler_flag

    def pairs(self, wanted: Mapping[str, Any]) -> list[tuple[types.FunctionType, types.CodeType]]:
        """The functions with the code that a change gives them; none where the changed one cannot have it."""
        first, name = int(wanted["first"]), str(wanted["function"])
        try:
            old = self._places_of(first)
            text = "\n" * (first - 1) + wanted["text"]
            new = _places(compile(text, self._filename, "exec", self._flags, dont_inherit=True))
        except (KeyError, SyntaxError, ValueError, RecursionError):
            return []
        counts = [Counter(qualified for qualified, _ in places) for places in (old, new)]
        place_of = {(code.co_qualname, code.co_firstlineno): place for place, code in old.items()}
        pairs, reached = [], set()
        for function in self._functions:
            code = function.__code__
            qualified = code.co_qualname
            place = place_of.get((qualified, code.co_firstlineno))
            if place is None or counts[0][qualified] != counts[1][qualified]:
                continue
            plain = plain_name(qualified)
            if alike(code, new[place]):
                pairs.append((function, new[place]))
                reached.add(plain)
            elif plain == name:
                return []
        is_in = name in reached or any(name.startswith(f"{outer}.") for outer in reached)
        return pairs if is_in else []

    def _places_of(self, first: int) -> dict[_Place, types.CodeType]:
        """The code of a statement as it is."""
        if first not in self._old:
            module = ast.Module([self._statements[first]], [])
            self._old[first] = _places(compile(module, self._filename, "exec", self._flags, dont_inherit=True))
        return self._old[first]


def _functions_of(path: str) -> Iterator[types.FunctionType]:
    """The functions of this process whose code is of a file."""
    real: dict[str, bool] = {}
    for found in gc.get_objects():
        if type(found) is types.FunctionType:
            filename = found.__code__.co_filename
            if filename not in real:
                real[filename] = os.path.realpath(filename) == path
            if real[filename]:
                yield found


def _places(module: types.CodeType) -> dict[_Place, types.CodeType]:
    """The code of a module's functions, told apart without their lines, which a change may shift."""
    seen: Counter[str] = Counter()
    found: dict[_Place, types.CodeType] = {}
    for code in sorted(codes_in(module), key=lambda code: code.co_firstlineno):
        found[code.co_qualname, seen[code.co_qualname]] = code
        seen[code.co_qualname] += 1
    return found

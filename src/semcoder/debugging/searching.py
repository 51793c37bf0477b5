"""A patch without a model: small changes of suspect functions, tried on what fails.

What makes a bug also undoes one: the changes are those of `semcoder.mutation.bugs`, made to the code as it is.

Guarantees: the same texts and suspects give the same changes in the same order; only suspect functions change; a patch
that is given has passed what `tested` asks. Nothing here writes to the project (see `patching.write`).
It does not promise that a patch is right beyond the tests that it was tried with; none is found that takes two changes.
"""

from __future__ import annotations

import ast
import os
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from semcoder.core.calling import call_entry
from semcoder.debugging.patching import Patch, Repair, diff_of
from semcoder.debugging.projects import extent
from semcoder.debugging.reserve import time_over
from semcoder.mutation.bugs import bugs

if TYPE_CHECKING:
    from semcoder.core import Value
    from semcoder.sandbox import Limits, Sandbox
    from semcoder.tracing import Trace

#: Changes that are tried, and those of them that pass which are tested further; seconds for all trials.
LIMIT, TESTED, SECONDS = 150, 5, 30.0
#: Kinds that take code away come last: what they make pass is often a test that now asks for less.
_LAST = frozenset({"missing branch", "missing statement", "missing condition"})
#: Characters of a statement in a sentence, and functions that one names.
_SHORT, _NAMED = 100, 3
#: Changes that are tried in the sandbox before the clock is looked at again.
_BATCH = 8
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_Function = ast.FunctionDef | ast.AsyncFunctionDef


class Suspect(NamedTuple):
    """A function that may be wrong: its file, its qualified name, the line of its `def`."""

    path: Path
    name: str
    line: int


@dataclass(frozen=True, slots=True)
class Change:
    """A small change of one function. `first`, `last`: the lines of the module's statement that holds it; `text`: that
    statement as it is with the change; `line`: where it changes, and `before` and `after` what ("": nothing)."""

    path: Path
    function: str
    first: int
    last: int
    text: str
    line: int
    before: str
    after: str

    def applied(self, source: str) -> str:
        """The text of the file with the change."""
        begin, end = _span(source, self.first, self.last)
        return source[:begin] + self.text + source[end:]

    def said(self) -> str:
        """What it changes, in words."""
        before, after = (f"`{_shortened(text)}`" for text in (self.before, self.after))
        what = f"{before} -> {after}"
        if not self.before or not self.after:
            what = f"{before} is taken out" if self.before else f"{after} is put in"
        return f"line {self.line} of {os.path.relpath(self.path)}: {what}"


class Trials(NamedTuple):
    """What came of changes, in order: whether the test passes (None: it could not be tried); and why not all were."""

    passes: Sequence[bool | None]
    why: str = ""


@dataclass(frozen=True, slots=True)
class Search(Repair):
    """What came of a search. `tried`: changes with which the test ran; `summary`: what was tried, and came of it."""

    tried: int
    summary: str

    @property
    def rounds(self) -> int:
        """How many changes were tried."""
        return self.tried


def changes_of(suspects: Sequence[Suspect], files: Mapping[Path, str], limit: int = LIMIT) -> list[Change]:
    """Up to `limit` changes of functions, those of the most suspect first. A file that is not Python has none."""
    found: dict[tuple[Path, int, str], Change] = {}
    for suspect in suspects:
        for change in _of_function(suspect, files[suspect.path], limit):
            if len(found) < limit:
                found.setdefault((change.path, change.first, change.text), change)
    return list(found.values())


def _of_function(suspect: Suspect, source: str, limit: int) -> list[Change]:
    """The changes of one function."""
    try:
        body = ast.parse(source).body
    except (SyntaxError, ValueError, RecursionError):
        return []
    named = [(*found, each) for each in body for name, *found in _functions(each) if name == suspect.name]
    if not named:
        return []
    node, outer, statement = min(named, key=lambda found: abs(found[0].lineno - suspect.line))
    first, last = extent(statement)
    begin, end = _span(source, first, last)
    above, part, below = _cut(source, begin, end, outer)
    start, _ = extent(outer)
    # It alone is changed and compiled, as the rest of its class may be long.
    opening = "if 1:\n" if outer.col_offset else ""
    padding = "\n" * (start - 1 - bool(opening)) + opening
    lines = range(node.lineno, (node.end_lineno or node.lineno) + 1)
    made = bugs(padding + part, n=limit, seed=0, lines=lines)
    made.sort(key=lambda bug: bug.kind in _LAST)
    changes = []
    for bug in made:
        new = bug.source[len(padding) :]
        line = start + _common(part, new)
        text = above + new + below
        changes.append(Change(suspect.path, suspect.name, first, last, text, line, bug.before, bug.after))
    return changes


def _cut(source: str, begin: int, end: int, inner: ast.stmt) -> tuple[str, str, str]:
    """What stands between two places of a text above a statement, the statement, and what stands below it."""
    start, stop = _span(source, *extent(inner))
    return source[begin:start], source[start:stop], source[stop:end]


def _functions(statement: ast.stmt) -> Iterator[tuple[str, _Function, _Function]]:
    """Functions at any depth: qualified name, the function, and the outermost one around it (itself, if none is)."""
    todo: list[tuple[str, ast.AST, _Function | None]] = [("", statement, None)]
    while todo:
        prefix, node, outer = todo.pop(0)
        if isinstance(node, _FUNCTIONS):
            outer = outer or node
            yield prefix + node.name, node, outer
        if isinstance(node, (*_FUNCTIONS, ast.ClassDef)):
            prefix = f"{prefix}{node.name}."
        inner = [each for each in ast.iter_child_nodes(node) if not isinstance(each, ast.expr)]
        todo += [(prefix, each, outer) for each in inner]


def _span(source: str, first: int, last: int) -> tuple[int, int]:
    """Where the text of some lines begins and ends."""
    ends = [0, *[match.end() for match in re.finditer(r"\r\n|\r|\n", source)], len(source)]
    return ends[first - 1], ends[last]


def _common(one: str, other: str) -> int:
    """How many lines two texts begin with that are the same."""
    old, new = (re.split(r"\r\n|\r|\n", text) for text in (one, other))
    same = [a == b for a, b in zip(old, new, strict=False)]
    return same.index(False) if False in same else len(same)


def search(
    changes: Sequence[Change],
    files: Mapping[Path, str],
    trial: Callable[[Sequence[Change]], Trials],
    tested: Callable[[Mapping[Path, str]], str],
    passed: Callable[[], str],
) -> Search:
    """The first change that passes.

    `trial` tries changes on the failing test alone. Those that pass are handed to `tested` in order, `TESTED` of them
    at most: new texts by path, of which it says what fails with them, "" where all tests pass. `passed`: what is to be
    said of a patch with which they do.
    """
    if not changes:
        return Search(None, (), 0, "a search found no patch: there is no suspect function that it could change")
    trials = trial(changes)
    passing = [change for change, passes in zip(changes, trials.passes, strict=False) if passes]
    tried = sum(passes is not None for passes in trials.passes)
    said = _tried_words(changes, tried) + (f" ({trials.why})" if trials.why else "")
    refused: list[str] = []
    for change in passing[:TESTED]:
        new = {change.path: change.applied(files[change.path])}
        wrong = tested(new)
        if not wrong:
            others = _others_words(len(passing) - 1)
            words = (
                f"{change.said()}. {passed()}; {said}, and {others}. A change that makes tests pass need not be right."
            )
            patch = Patch(new, diff_of(files, new), words[0].upper() + words[1:], tried)
            return Search(patch, tuple(refused), tried, said)
        refused.append(wrong)
    return Search(None, tuple(refused), tried, _nothing(said, len(passing), refused))


def in_sandbox(
    box: Sandbox, changes: Sequence[Change], trace: Trace, expected: Value, limits: Limits, seconds: float = SECONDS
) -> Trials:
    """Whether a recorded call gives what is expected with each of some changes of its one file.

    `limits` are those of the recorded run: a changed version gets what that took, as recorded, and a little at least.
    """
    from semcoder.debugging.trials import LIMITS, sandbox_trial

    cpu = min(limits.cpu_s, max(LIMITS.cpu_s, trace.outcome.usage.cpu_s))
    bounds = replace(limits, cpu_s=cpu, wall_s=min(limits.wall_s, max(LIMITS.wall_s, 4 * cpu)))
    trial = sandbox_trial(box, call_entry(trace.invocation.text), trace.invocation, expected, bounds)
    deadline = time.monotonic() + seconds
    found: list[bool] = []
    for k in range(0, len(changes), _BATCH):
        if time.monotonic() > deadline:
            return Trials(found, time_over(seconds))
        found += trial([change.applied(trace.source) for change in changes[k : k + _BATCH]])
    return Trials(found)


def _tried_words(changes: Sequence[Change], tried: int) -> str:
    """How many changes of which functions were tried."""
    names = list(dict.fromkeys(f"`{change.function}`" for change in changes))
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    total = len(changes)
    count = f"{total:,}" if tried == total else f"{tried:,} of {total:,}"
    changed = f"small change{'s' * (total != 1)} of {', '.join(names[:_NAMED])}{more}"
    return f"{count} {changed} {'was' if tried == 1 else 'were'} tried"


def _others_words(count: int) -> str:
    return f"{count or 'no'} other{'s' * (count > 1)} pass{'es' * (count < 2)}{', too' * (count > 0)}"


def _nothing(said: str, passing: int, refused: Sequence[str]) -> str:
    """That no patch was found, and why."""
    if not passing:
        return f"a search found no patch: {said}, and none passes"
    looked = f", of which {len(refused)} were tested further" if passing > len(refused) else ""
    last = refused[-1].partition("\n")[0].rstrip(":")
    return f"a search found no patch: {said}; {passing} pass by themselves{looked}, and break others: {last}"


def _shortened(text: str) -> str:
    return text if len(text) <= _SHORT else text[: _SHORT - 3] + "..."

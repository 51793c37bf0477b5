"""`semcoder debug`: a failing test, or a call that gives the wrong value, explained and, by search or model, repaired.

Guarantees: the user's tree is written to with --apply alone, and then only a patch whose tests passed; tests run in
processes of their own, a single call in the sandbox; the exit code is 0 where nothing fails or
a patch was found for it, and 1 where it fails.
"""

from __future__ import annotations

import ast
import functools
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from semcoder.cli.execution import Cpu, Json, Memory, Unsafe, limits_of
from semcoder.cli.printing import Segment, document, line, note, one_line, progress, styled_lines
from semcoder.errors import LimitHit, ProgramEnded, UsageError

if TYPE_CHECKING:
    from semcoder.debugging.cases import Parting
    from semcoder.debugging.patching import Patch, Question, Repair
    from semcoder.debugging.revisions import Copy
    from semcoder.debugging.runner import Report, Told
    from semcoder.debugging.searching import Change, Suspect, Trials
    from semcoder.sandbox import Limits
    from semcoder.tracing import Trace

#: Files whose functions a model is shown; suspects that decide which, and whose functions a search changes.
_FILES, _SUSPECTS = 3, 5
#: Lines of a failure that a model is told.
_ERROR_LINES = 15

#: The keys of a document, and what stands there where there is nothing to say.
_BLANK: dict[str, Any] = {
    **dict.fromkeys(("target", "test", "call", "expect", "tests", "status", "explained", "seconds")),
    **dict.fromkeys(("got", "wanted", "error", "phase", "truncated", "events", "good", "patch")),
    "lines": [],
    "suspects": [],
    "exit_code": 0,
}

Target = Annotated[
    str, typer.Argument(metavar="TEST|FILE", help="A test as pytest names it, or a Python file.", show_default=False)
]


def debug(
    target: Target,
    *,
    call: Annotated[
        str | None, typer.Option("--call", metavar="CALL", help="A call of FILE that goes wrong.", show_default=False)
    ] = None,
    expect: Annotated[
        str | None, typer.Option("--expect", metavar="VALUE", help="What it should give.", show_default=False)
    ] = None,
    good: Annotated[
        str | None,
        typer.Option(
            "--good",
            metavar="REV",
            help="A git revision in which it was right (of a FILE: or another file): where do they first differ?",
            show_default=False,
        ),
    ] = None,
    full: Annotated[bool, typer.Option("--full", help="Tell every step.")] = False,
    search: Annotated[
        bool, typer.Option("--search", help="Try small changes of the suspect functions, without a model.")
    ] = False,
    model: Annotated[
        str | None,
        typer.Option("--model", metavar="MODEL", help="Let this model find the cause and a patch.", show_default=False),
    ] = None,
    apply: Annotated[
        bool, typer.Option("--apply", help="With --search or --model: write the patch if its tests pass.")
    ] = False,
    cpu: Cpu = 5.0,
    memory: Memory = 256,
    unsafe: Unsafe = False,
    as_json: Json = False,
) -> int:
    """Say what the code under a failing test really did, and where it went wrong.

    The first lines name the function to look at, what was wanted and what came; then the path it took. A test runs as
    pytest runs it, in this environment; a FILE with --call and --expect runs in the sandbox. --good finds the first
    difference from a run of a version that is right. --search tries small changes of the suspect functions; a model is
    asked for the root cause and a patch, with both only where the search finds nothing. A patch has passed the test and
    the others of its file. Nothing of yours is changed without --apply.

    Exit code: 0 nothing fails, or the patch passes, 1 it fails, 2 the request was wrong, 3 a limit was hit, 4 the
    sandbox failed.

    \b
    Examples:
      semcoder debug tests/test_stack.py::test_push
      semcoder debug stack.py --call "balanced('([)]')" --expect False
      semcoder debug tests/test_stack.py --good HEAD~3
      semcoder debug tests/test_stack.py --search
    """
    if (call is None) != (expect is None):
        raise UsageError("--call and --expect go together: what is called, and what it should give")
    if apply and model is None and not search:
        raise UsageError("--apply writes the patch of a model or of a search: ask for one with --model or --search")
    if model is not None:
        from semcoder.models import open_model

        open_model(model, writes_code=True)  # raises now what would come after the tests
    wishes = _Wishes(good, search, model, apply, full, as_json)
    if call is None or expect is None:
        return _Tests(target, wishes).run()
    return _Call(target, call, expect, wishes, limits_of(cpu, memory), unsafe).run()


@dataclass(frozen=True, slots=True)
class _Wishes:
    """The options that tests and calls share."""

    good: str | None
    search: bool
    model: str | None
    apply: bool
    full: bool
    as_json: bool

    def tell(
        self,
        keys: Mapping[str, Any],
        title: str,
        said: Mapping[str, Any],
        find_parting: Callable[[], Parting | None],
        find_repair: Callable[[], Repair],
    ) -> int:
        """Print what is said of one failure, as it comes; the exit code."""
        if not self.as_json:
            styled_lines(_told(title, said["lines"]))
        parting = None if self.good is None else find_parting()
        if self.good is not None and not self.as_json:
            said_of = "the runs do not differ" if parting is None else one_line(parting.sentence)
            line(f"Beside {self.good}{'' if parting is None else f', in {parting.file}'}: {said_of}")
        repair = find_repair() if self.search or self.model is not None else None
        code = 0 if repair is not None and repair.patch is not None else 1
        if self.as_json:
            good = None if parting is None else asdict(parting)
            patch = None if repair is None else _repair_document(repair, self.apply)
            document({**_BLANK, **keys, **said, "good": good, "patch": patch, "exit_code": code})
        return code

    def pass_by(self, keys: Mapping[str, Any], message: str) -> int:
        """Print that nothing fails; the exit code."""
        if self.as_json:
            document({**_BLANK, **keys, "status": "passed", "exit_code": 0})
        else:
            line(f"{message}: there is nothing to explain")
        return 0

    def repair(self, case: _Case) -> Repair:
        """Have a search, then the model repair what fails, show the patch, and write it where that is wished."""
        if self.search:
            found = self._searched(case)
            if found.patch is not None or self.model is None:
                return found
        assert self.model is not None
        return self._asked(case, self.model)

    def _searched(self, case: _Case) -> Repair:
        from semcoder.debugging import searching

        suspects = _suspects(case.said, case.root)[: case.searched]
        files = _texts(suspect.path for suspect in suspects)
        changes = searching.changes_of(suspects, files)
        with progress() as show:
            show(f"trying {len(changes):,} small changes")
            found = searching.search(changes, files, case.trial, case.tested, case.passed)
        if found.patch is None:
            note(found.summary)
        else:
            self._finish(found.patch, files, found.patch.cause, "")
        return found

    def _asked(self, case: _Case, model: str) -> Repair:
        from semcoder.debugging import patching
        from semcoder.models import open_model

        question = case.question()
        with progress() as show:
            show(f"asking {model}")
            repair = patching.repair(open_model(model, writes_code=True), question, case.tested)
        if repair.patch is None:
            count = len(repair.refused)
            note(f"the model found no patch that passes, in {count} rounds; the last one: {repair.refused[-1]}")
        else:
            words = f"The model says: {repair.patch.cause}"
            self._finish(repair.patch, question.files, words, f"{case.passed()}; ")
        return repair

    def _finish(self, patch: Patch, files: Mapping[Path, str], words: str, passed: str) -> None:
        """Write a patch where that is wished, and show it."""
        from semcoder.debugging.patching import write

        if self.apply:
            write(patch, files)
        if not self.as_json:
            line(one_line(words))
            styled_lines(_diff_lines(patch.diff))
            note(f"{passed}{'it is written' if self.apply else '--apply writes it'}")


@dataclass(frozen=True, slots=True)
class _Case:
    """A failure that is to be repaired: what is said of it, the text of what fails, and the folder whose files may
    change. `searched`: how many suspects a search changes; `trial`, `tested` and `passed`: see `searching.search`."""

    said: Mapping[str, Any]
    failing: str
    root: Path
    searched: int | None
    trial: Callable[[Sequence[Change]], Trials]
    tested: Callable[[Mapping[Path, str]], str]
    passed: Callable[[], str]

    def question(self) -> Question:
        """What a model is asked: the failure, and the files of the functions that are most suspect."""
        from semcoder.debugging.patching import Question

        names: dict[Path, tuple[str, ...]] = {}
        for suspect in _suspects(self.said, self.root)[:_SUSPECTS]:
            if suspect.path in names or len(names) < _FILES:
                names[suspect.path] = (*names.get(suspect.path, ()), suspect.name)
        if not names:
            raise UsageError(
                f"no function of a file in {self.root} was recorded in the failing run: there is nothing to patch"
            )
        return Question(self.failing, tuple(self.said["lines"]), _texts(names), names)


# tests -------------------------------------------------------------------------------------------------------------


class _Tests:
    """The command on tests of the user's project."""

    def __init__(self, target: str, wishes: _Wishes) -> None:
        self._target = target
        self._wishes = wishes
        self._folder = Path.cwd()

    def run(self) -> int:
        from semcoder.debugging.revisions import check_revision
        from semcoder.debugging.runner import NoTests, run_tests

        file = Path(self._target.partition("::")[0])
        if not file.exists():
            raise UsageError(f"{self._target}: there is no such file or folder; name a test as pytest does")
        wishes = self._wishes
        if wishes.good is not None:
            check_revision(wishes.good, file.resolve() if file.is_dir() else file.resolve().parent)
        with progress() as show:
            show(f"running {self._target}")
            try:
                report = run_tests([self._target], self._folder, full=wishes.full, keep=wishes.good is not None)
            except NoTests as error:
                raise UsageError(f"{error}; to explain a call of a file, give --call and --expect") from None
        if not report.failed:
            count = len(report.tests)
            message = "it passes" if count == 1 else f"all {count:,} tests pass"
            return wishes.pass_by({"target": self._target, "tests": count}, message)
        codes: list[int] = []
        for told in report.failed:
            if codes and not wishes.as_json:
                line("")
            codes.append(self._tell(told, report))
        return max(codes)

    def _tell(self, told: Told, report: Report) -> int:
        keys = {"target": self._target, "test": told.test, "status": told.status, "seconds": told.seconds}
        said = {**told.document}
        said.setdefault("lines", [f"It fails, and nothing more is known: {said.get('error', '')}"])
        # How the explanation went is not how the test did.
        keys["explained"] = said.pop("status", "unexplained")
        return self._wishes.tell(
            keys,
            f"{told.test} fails",
            said,
            lambda: self._parting(told, report),
            lambda: self._repair(told, report),
        )

    def _parting(self, told: Told, report: Report) -> Parting | None:
        """Where the run leaves that of the same test in the good revision. Raises `UsageError`."""
        from semcoder.debugging.cases import parting
        from semcoder.debugging.revisions import revision
        from semcoder.debugging.runner import run_tests

        good, path = str(self._wishes.good), Path(told.path)
        root, start = self._home(told)
        with revision(good, root, renewed=_with_settings(path)) as copy, progress() as show:
            show(f"running {told.test} in {good}")
            test = f"{copy.path(path)}::{told.inner}"
            folder = copy.path(start)
            folder.mkdir(parents=True, exist_ok=True)
            found = run_tests([test], folder, keep=True, passing=True, paths=copy.paths(report.roots))
            _check_copy(copy, found, f"--good {good}")
        other = found.tests[0]
        if other.status != "passed":
            raise UsageError(f"--good {good}: {told.test} does not pass there either ({other.status})")
        if told.recorded is None or other.recorded is None:
            raise UsageError(
                f"--good {good}: {told.test} cannot be recorded in both versions, so they are not compared"
            )
        bad, right = told.recorded, other.recorded
        return parting(right.trace, bad.trace, right.layout, bad.layout)

    def _home(self, told: Told) -> tuple[Path, Path]:
        """The folder of the project that holds a test: its repository, else this one; and where tests are started."""
        from semcoder.debugging.revisions import repository

        here, test = self._folder.resolve(), Path(told.path).resolve()
        root = repository(test.parent) or (here if test.is_relative_to(here) else test.parent)
        return root, here if here.is_relative_to(root) else root

    def _repair(self, told: Told, report: Report) -> Repair:
        passing = functools.cache(lambda: self._passing(told))

        def passed() -> str:
            count = len(passing())
            if not count:
                return f"{told.test} passes with this patch (no other test of its file passed before)"
            others = f"{count:,} tests of its file that passed" if count > 1 else "test of its file that passed"
            return f"{told.test} and the {others} before pass with this patch"

        case = _Case(
            told.document,
            _test_text(told),
            self._home(told)[0],
            _SUSPECTS,
            lambda changes: self._trials(changes, told),
            lambda changes: self._tested(changes, told, report, passing()),
            passed,
        )
        return self._wishes.repair(case)

    def _passing(self, told: Told) -> set[str]:
        """The tests of a test's file that pass as it is."""
        from semcoder.debugging.runner import run_tests

        before = run_tests([told.path], self._folder, explain=False)
        return {test.inner for test in before.tests if test.status == "passed"}

    def _trials(self, changes: Sequence[Change], told: Told) -> Trials:
        """The test alone with each of some changes."""
        from semcoder.debugging.runner import run_tests
        from semcoder.debugging.searching import SECONDS, Trials

        tries = [{"path": str(c.path), "function": c.function, "first": c.first, "text": c.text} for c in changes]
        test = f"{told.path}::{told.inner}"
        try:
            report = run_tests([test], self._folder, explain=False, tries=tries, seconds=SECONDS)
        except UsageError as error:
            return Trials((), str(error))
        found = next((each.document for each in report.failed if each.inner == told.inner), {})
        return Trials(found.get("passes", ()), found.get("why", "the test passed when it was run by itself"))

    def _tested(self, changes: Mapping[Path, str], told: Told, report: Report, passing: set[str]) -> str:
        """What fails in a copy of the project with new texts for some files; "" where nothing does."""
        from semcoder.debugging.revisions import patched
        from semcoder.debugging.runner import run_tests

        root, start = self._home(told)
        with patched(root, dict(changes)) as copy:
            try:
                paths = copy.paths(report.roots)
                found = run_tests([str(copy.path(Path(told.path)))], copy.path(start), explain=False, paths=paths)
            except UsageError as error:
                return str(error)
            _check_copy(copy, found, "the patch cannot be tested")
        wanted = {told.inner, *passing}
        for test in found.tests:
            if test.inner in wanted and test.status != "passed":
                return _failing(test, told)
        gone = wanted - {test.inner for test in found.tests}
        return f"{told.test.partition('::')[0]}::{min(gone)} is gone" if gone else ""


def _failing(test: Told, told: Told) -> str:
    """What is wrong with a test that does not pass with a patch."""
    if test.status == "skipped":
        return f"{test.test} is skipped now"
    rows = str(test.document.get("error", "")).splitlines()[-_ERROR_LINES:]
    return f"{test.test} {'still fails' if test.inner == told.inner else 'fails now'}:\n" + "\n".join(rows)


def _with_settings(test: Path) -> list[Path]:
    """A test's file, and the `conftest.py` files above it."""
    from semcoder.debugging.revisions import repository

    root = repository(test.parent)
    found = [test]
    for folder in test.parents:
        if (folder / "conftest.py").exists():
            found.append(folder / "conftest.py")
        if folder == root:
            break
    return found


def _check_copy(copy: Copy, report: Report, what: str) -> None:
    """Raises `UsageError` where tests of a copy ran the project's own modules."""
    if not copy.holds(report.files):
        other = next(file for file in report.files if not Path(file).is_relative_to(copy.folder))
        raise UsageError(f"{what}: the tests import {other} and not that of the copy; is the project installed there?")


def _test_text(told: Told) -> str:
    """The source of a test function, or of all of its file where that cannot be found."""
    from semcoder.debugging.patching import first_line, functions_of

    text = Path(told.path).read_text(encoding="utf-8")
    name = told.inner.partition("[")[0].replace("::", ".")
    node = functions_of(ast.parse(text)).get(name)
    return text if node is None else "\n".join(text.splitlines()[first_line(node) - 1 : node.end_lineno])


# one call ----------------------------------------------------------------------------------------------------------


class _Call:
    """The command on one call of one file, in the sandbox."""

    def __init__(self, file: str, call: str, expect: str, wishes: _Wishes, limits: Limits, unsafe: bool) -> None:
        self._file = file
        self._call = call
        self._expect = expect
        self._wishes = wishes
        self._limits = limits
        self._unsafe = unsafe

    def run(self) -> int:
        from semcoder import api
        from semcoder.debugging.cases import explain_call, fits, literal

        source, wanted = api.read_text(Path(self._file)), literal(self._expect)
        good = self._good_source()
        trace = self._trace(source, self._file)
        keys: dict[str, Any] = {"target": self._file, "call": self._call, "expect": self._expect}
        if fits(trace.outcome, wanted):
            return self._wishes.pass_by(keys, f"{self._call} gives {self._expect}")
        notes = [f"The recording stopped after {len(trace):,} events."] if trace.truncated else []
        told = explain_call(trace, self._file, wanted, full=self._wishes.full, notes=notes)
        said: dict[str, Any] = {
            "lines": told.lines(full=self._wishes.full),
            "suspects": [asdict(found) for found in told.suspected],
            "got": told.got,
            "wanted": told.wanted,
            "error": api.describe(trace.outcome),
            "truncated": trace.truncated,
            "events": len(trace),
        }
        title = f"{self._call} does not give {self._expect}"
        keys["status"] = "failed"
        return self._wishes.tell(
            keys, title, said, lambda: self._parting(good, trace), lambda: self._repair(said, trace)
        )

    def _trace(self, source: str, file: str) -> Trace:
        from semcoder import api

        trace = api.trace(source + "\n", self._call, limits=self._limits, unsafe=self._unsafe)
        if trace.outcome.status == "invalid":
            raise UsageError(trace.outcome.detail)
        raised = trace.outcome.exception
        if raised is not None and raised.type in ("ImportError", "ModuleNotFoundError") and not len(trace):
            raise UsageError(
                f"{file}: {raised.message}; a single call runs in the sandbox, which sees this file and the "
                "standard library alone: name a failing test instead, as in tests/test_x.py::test_y"
            )
        return trace

    def _good_source(self) -> str:
        """The text of the version that is right; "" where none is named. Raises `UsageError`."""
        from semcoder import api
        from semcoder.debugging.revisions import file_at

        version = self._wishes.good
        if version is None:
            return ""
        is_file = version.endswith(".py") and os.path.isfile(version)
        return api.read_text(Path(version)) if is_file else file_at(version, Path(self._file))

    def _parting(self, source: str, bad: Trace) -> Parting | None:
        from semcoder.debugging.cases import layout_of, parting

        version = str(self._wishes.good)
        good = self._trace(source, version if version.endswith(".py") else self._file)
        return parting(good, bad, layout_of(self._file, good.source), layout_of(self._file, bad.source))

    def _repair(self, said: Mapping[str, Any], trace: Trace) -> Repair:
        case = _Case(
            said,
            f"assert {self._call} == {self._expect}",
            Path(self._file).resolve().parent,
            None,  # all that ran: it is one file
            lambda changes: self._trials(changes, trace),
            self._tested,
            lambda: f"{self._call} gives {self._expect} with this patch",
        )
        return self._wishes.repair(case)

    def _trials(self, changes: Sequence[Change], trace: Trace) -> Trials:
        """The call with each of some changes, in the sandbox."""
        from semcoder import api
        from semcoder.debugging.cases import literal
        from semcoder.debugging.searching import in_sandbox

        with api.sandbox(unsafe=self._unsafe) as box:
            return in_sandbox(box, changes, trace, literal(self._expect), self._limits)

    def _tested(self, changes: Mapping[Path, str]) -> str:
        from semcoder import api
        from semcoder.debugging.cases import fits, literal

        (source,) = changes.values()
        try:
            outcome = api.run(source + "\n", self._call, limits=self._limits, unsafe=self._unsafe)
        except (UsageError, LimitHit, ProgramEnded) as error:
            return str(error)
        return "" if fits(outcome, literal(self._expect)) else f"{self._call} now gives: {api.describe(outcome)}"


# what both share ---------------------------------------------------------------------------------------------------


def _suspects(said: Mapping[str, Any], root: Path) -> list[Suspect]:
    """The suspect functions that may be changed, those of files below a folder, most suspect first."""
    from semcoder.debugging.searching import Suspect

    found = [Suspect(Path(each["path"]), each["name"], each["defined"]) for each in said.get("suspects", ())]
    return [each for each in found if each.path.is_relative_to(root) and "site-packages" not in each.path.parts]


def _texts(paths: Iterable[Path]) -> dict[Path, str]:
    """The texts of files that may be changed. Raises `UsageError`."""
    from semcoder.debugging.patching import read

    try:
        return {path: read(path) for path in dict.fromkeys(paths)}
    except UnicodeDecodeError as error:
        raise UsageError(f"a file to be patched is no text in UTF-8: {error}") from None


def _told(title: str, lines: Sequence[str]) -> Iterator[list[Segment]]:
    yield [(one_line(title), "bold red")]
    for number, row in enumerate(lines):
        yield [(one_line(row), "bold" if number == 0 else "")]


def _diff_lines(diff: str) -> Iterator[list[Segment]]:
    colours: dict[str, str] = {"+": "green", "-": "red", "@": "cyan"}
    for row in diff.splitlines():
        yield [(row, colours.get(row[:1], ""))]


def _repair_document(repair: Repair, apply: bool) -> dict[str, Any]:
    patch = repair.patch
    return {
        "passes": patch is not None,
        "diff": "" if patch is None else patch.diff,
        "cause": "" if patch is None else patch.cause,
        "rounds": repair.rounds,
        "refused": list(repair.refused),
        "applied": apply and patch is not None,
    }


COMMANDS: tuple[Callable[..., int], ...] = (debug,)

"""Functions that a recording saw, with the calls that a real run made of them.

Guarantees: programs are cut out as from a folder (the folders that the recording included); only functions and methods
with a recorded call are looked at, and each gives one `Program` or one `Drop`; `examples` are the recorded calls of a
program over literals, in the order in which they were made. Nothing is run.
It does not vouch for the recorded results, which no program carries: execution tells.
"""

from __future__ import annotations

import ast
import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from semcoder.core import Invocation, Origin, Program, ProgramId
from semcoder.errors import UsageError
from semcoder.recording import host
from semcoder.recording.host import RecordedCall
from semcoder.seeds import Drop
from semcoder.seeds._project import parse_quietly
from semcoder.seeds.folder import FolderSource


@dataclass(frozen=True, slots=True)
class Example:
    """A call of a program's entry, and the result that was recorded for it, as literal text."""

    call: Invocation
    result: str


class RecordedSource:
    """`recorded:DIR`, the folder that `semcoder record` wrote. Raises `UsageError` where it holds no recorded call."""

    name = "recorded"

    def __init__(self, spec: str = "") -> None:
        if not spec:
            raise UsageError("recorded needs the folder of a recording, as in recorded:runs/calls")
        manifest, calls = host.read(Path(spec))
        self._folders = [Path(str(folder)) for folder in manifest["include"]]
        self._calls: dict[tuple[str, str], list[RecordedCall]] = {}
        for call in calls:
            self._calls.setdefault((call.file, call.name), []).append(call)
        if not self._calls:
            raise UsageError(f"{spec!r} holds no recorded call")
        self._recorded: dict[ProgramId, dict[str, Example]] = {}

    def programs(self) -> Iterator[Program | Drop]:
        """Programs and drops, in the order of the folders' files."""
        left = set(self._calls)
        for folder in self._folders:
            files = {file for file, _ in left if Path(file).is_relative_to(folder)}
            names = {(file, line): found for file in sorted(files) for line, found in _defined(file).items()}
            for found in FolderSource(str(folder)).programs() if files else ():
                file = str((folder / found.origin.path).resolve())
                origin = dataclasses.replace(found.origin, source=self.name)
                for name in names.get((file, found.origin.line), ()):
                    if (file, name) not in left:
                        continue
                    left.remove((file, name))
                    if isinstance(found, Program):
                        yield self._taken(dataclasses.replace(found, origin=origin), self._calls[file, name])
                    else:
                        yield dataclasses.replace(found, origin=origin)
        for file, name in sorted(left):
            yield Drop(Origin(self.name, path=file), "not at the top level of its file", name)

    def _taken(self, program: Program, calls: list[RecordedCall]) -> Program:
        known = self._recorded.setdefault(program.id, {})
        for call in calls:
            text = call.call if "." not in call.name else _wrapped(program, call)
            if text:
                known.setdefault(text, Example(Invocation(text), call.result))
        return program

    def recorded(self, program: Program) -> list[Example]:
        """The recorded calls of a program of this source, with their results; none for any other program."""
        if not self._recorded:
            for _ in self.programs():
                pass
        return list(self._recorded.get(program.id, {}).values())

    def examples(self, program: Program) -> list[Invocation]:
        """The recorded calls of a program of this source; none for any other program."""
        return [example.call for example in self.recorded(program)]


def _defined(file: str) -> dict[int, list[str]]:
    """What a file defines, by line: names of functions and methods; at a class's line those of all its methods."""
    found: dict[int, list[str]] = {}
    try:
        tree = parse_quietly(Path(file).read_text(encoding="utf-8"))
    except (OSError, SyntaxError, ValueError, RecursionError):
        return found
    for part in tree.body:
        if isinstance(part, ast.FunctionDef):
            found[part.lineno] = [part.name]
        elif isinstance(part, ast.ClassDef):
            methods = [inner for inner in part.body if isinstance(inner, ast.FunctionDef)]
            found.update({inner.lineno: [f"{part.name}.{inner.name}"] for inner in methods})
            found[part.lineno] = [f"{part.name}.{inner.name}" for inner in methods]
    return found


# -- `C(2).m(3)` as a call of the function that stands for the method -------------------------------------------------


def _wrapped(program: Program, recorded: RecordedCall) -> str:
    """A method's call as one of the program's entry; '' where that does not take all of its arguments."""
    tree = parse_quietly(program.source)
    owner, _, name = recorded.name.partition(".")
    cls = next((part for part in tree.body if isinstance(part, ast.ClassDef) and part.name == owner), None)
    entry = next((p for p in tree.body if isinstance(p, ast.FunctionDef) and p.name == program.entry), None)
    call = ast.parse(recorded.call, mode="eval").body
    if cls is None or entry is None or not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute):
        return ""
    given = _bound(cls, name, call)
    if isinstance(call.func.value, ast.Call):
        made = _bound(cls, "__init__", call.func.value)
        given = {**made, **given} if made is not None and given is not None else None
    wanted = [part.arg for part in entry.args.args]
    required = wanted[: len(wanted) - len(entry.args.defaults)]
    if given is None or not given.keys() <= set(wanted) or not given.keys() >= set(required):
        return ""
    leading = next((k for k, name in enumerate(wanted) if name not in given), len(wanted))
    words = [given[name] for name in wanted[:leading]]
    words += [f"{name}={given[name]}" for name in wanted[leading:] if name in given]
    return f"{program.entry}({', '.join(words)})"


def _bound(cls: ast.ClassDef, name: str, call: ast.Call) -> dict[str, str] | None:
    """A call's arguments as text by the parameters of a method; None where there is no parameter of its own for one."""
    method = next((p for p in reversed(cls.body) if isinstance(p, ast.FunctionDef) and p.name == name), None)
    if method is None:
        return {} if not call.args and not call.keywords else None
    static = any(isinstance(d, ast.Name) and d.id == "staticmethod" for d in method.decorator_list)
    places = [part.arg for part in [*method.args.posonlyargs, *method.args.args]][0 if static else 1 :]
    if len(call.args) > len(places):
        return None
    given = {place: ast.unparse(value) for place, value in zip(places, call.args, strict=False)}
    return {**given, **{word.arg: ast.unparse(word.value) for word in call.keywords if word.arg}}

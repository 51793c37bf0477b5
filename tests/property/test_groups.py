"""Groups of statements as functions: they parse, are what they say, and do what the statements do where they stand.

Two oracles: variables recorded before and after a group in place are what the function takes and gives; and a program
that calls the function in place of the group does what it did.
"""

from __future__ import annotations

import ast
import contextlib
import copy
import dis
import io
import sys
import types
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from semcoder.core import Origin, Program
from semcoder.seeds import Drop, open_source
from semcoder.seeds._groups import MAX_SIZE, MIN_SIZE, groups
from semcoder.seeds._project import TextProject
from semcoder.seeds.generator import generate

MODULES = ["argparse", "calendar", "csv", "difflib", "email.message", "json", "mailbox", "optparse", "shlex", "shutil"]
MODULES += ["tarfile", "textwrap", "zipfile"]


@pytest.mark.parametrize("module", MODULES)
def test_groups_of_the_standard_library_parse(module: str) -> None:
    """Every seed parses and compiles, has a loop or a branch, keeps to the bounds, and returns what it makes."""
    source = open_source(f"stdlib:{module}+groups")
    plain = set(open_source(f"stdlib:{module}").programs())
    made = [part for part in source.programs() if isinstance(part, Program) and part not in plain]
    assert made
    for program in made:
        tree = ast.parse(program.source)
        compile(tree, "program", "exec", dont_inherit=True)
        entry = next(n for n in tree.body if isinstance(n, ast.FunctionDef) and n.name == program.entry)
        *body, last = [n for n in entry.body if not isinstance(n, (ast.Import, ast.ImportFrom))]
        assert isinstance(last, ast.Return)
        assert last.value is not None
        assert entry.args.args
        nodes = [node for statement in body for node in ast.walk(statement)]
        assert MIN_SIZE <= sum(isinstance(node, ast.stmt) for node in nodes) <= MAX_SIZE
        assert any(isinstance(node, (ast.For, ast.While, ast.If, ast.Match)) for node in nodes)
    names = [(p.origin.path, p.entry) for p in made]
    assert len(names) == len(set(names))


# -- the same as in place --------------------------------------------------------------------------------------------


@dataclass
class Cut:
    """A group, where it stands, and what was seen there: parameters before it, results after it (or an exception)."""

    name: str
    text: str
    first: int
    last: int
    seen: list[tuple[dict[str, Any], Any]] = field(default_factory=list)
    started: tuple[dict[str, Any], Any] | None = None
    inside: bool = False
    raised: type | None = None
    left_early: bool = False

    def __post_init__(self) -> None:
        (function,) = ast.parse(self.text).body
        assert isinstance(function, ast.FunctionDef)
        self.parameters = [arg.arg for arg in function.args.args]
        end = function.body[-1]
        assert isinstance(end, ast.Return)
        assert end.value is not None
        self.results = [n.id for n in ast.walk(end.value) if isinstance(n, ast.Name)]

    def line(self, frame: types.FrameType, line: int) -> None:
        now = self.first <= line <= self.last
        if self.inside and not now:
            self.left(frame)
        self.raised = None
        if now and not self.inside:
            self.inside = True
            self.started = ({name: frame.f_locals[name] for name in self.parameters}, None)
            self.started = copied(self.started)
        self.inside = now

    def left(self, frame: types.FrameType) -> None:
        if self.inside:
            self.left_early |= self.raised is not None
            self._end(lambda: self.raised or [frame.f_locals[name] for name in self.results])
        self.inside = False

    def _end(self, results: Callable[[], Any]) -> None:
        if self.started is not None:
            found = copied((self.started[0], results()))
            if found is not None:
                self.seen.append(found)
        self.started = None


def copied(values: Any) -> Any:
    """A copy that keeps what is shared; None where something in it cannot be copied (a generator, say)."""
    try:
        return copy.deepcopy(values)
    except (TypeError, RecursionError):
        return None


def cuts(source: str, name: str) -> Iterator[Cut]:
    """The groups of one function of a program."""
    module = TextProject(Origin("test", path="m"), "MIT", source).module("m")
    function = next(n for n in module.tree.body if isinstance(n, ast.FunctionDef) and n.name == name)
    found: list[Cut] = []

    def cut(text: str, entry: str, own: frozenset[str], line: int) -> Program | Drop:
        if not text:
            return Drop(Origin("test", line=line), entry)
        (made,) = ast.parse(text).body
        assert isinstance(made, ast.FunctionDef)
        body = [n for n in made.body if not isinstance(n, (ast.Import, ast.ImportFrom))][:-1]
        last = end_of(function, line, body)
        if last:
            found.append(Cut(entry, text, line, last))
        return Program(text, entry)

    for _ in groups(module, function, cut):
        pass
    return iter(found)


def end_of(function: ast.FunctionDef, first: int, body: list[ast.stmt]) -> int:
    """The last line of the statements that are like some others and start on a line; 0 where a line holds more."""
    wanted = [ast.dump(statement) for statement in body]
    for node in ast.walk(function):
        for _, block in ast.iter_fields(node):
            if isinstance(block, list) and block and isinstance(block[0], ast.stmt):
                for place, statement in enumerate(block):
                    part = block[place : place + len(body)]
                    if statement.lineno == first and [ast.dump(other) for other in part] == wanted:
                        around = [*block[max(0, place - 1) : place], *block[place + len(body) :][:1]]
                        alone = all(o.end_lineno < first or o.lineno > part[-1].end_lineno for o in around)
                        return int(part[-1].end_lineno) if alone else 0
    raise AssertionError


class Left(Exception):
    """Stands for what is on its way out of the function: which exception it is shows when it is out."""


def watch(function: Callable[..., object], args: str, found: list[Cut], space: dict[str, Any]) -> None:
    """Call a function under `sys.settrace` and let its groups see each line."""
    code = function.__code__

    def trace(frame: types.FrameType, event: str, arg: Any) -> Any:
        if frame.f_code is not code:
            return None
        if event == "line":
            for cut in found:
                cut.line(frame, frame.f_lineno)
        elif event == "exception":
            for cut in found:
                cut.raised = None if arg[0] is StopIteration else arg[0]  # the end of a loop is no error
        elif event == "return":
            for cut in found:
                cut.raised = None if returns(frame) else Left
                cut.left(frame)
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        eval(f"f({args})", space)
    except Exception as error:
        for cut in found:
            cut.seen = [(given, type(error) if result is Left else result) for given, result in cut.seen]
    finally:
        sys.settrace(before)


def returns(frame: types.FrameType) -> bool:
    """Whether a frame ends with a return, not with an exception on its way out."""
    return any(i.offset == frame.f_lasti and "RETURN" in i.opname for i in dis.get_instructions(frame.f_code))


def same(one: object, other: object) -> bool:
    if hasattr(one, "__next__") and hasattr(other, "__next__"):
        one, other = list(one), list(other)  # type: ignore[call-overload]
    return type(one) is type(other) and (one == other or repr(one) == repr(other))


def outcome(function: Callable[..., object], given: dict[str, Any]) -> Any:
    """What a call returns, in a tuple, or the type of what it raises."""
    try:
        return (function(**given),)
    except Exception as error:
        return type(error)


def run(source: str, args: str) -> tuple[object, str]:
    """What a call of a program returns or raises, and what it prints."""
    space: dict[str, Any] = {"__name__": __name__}
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        exec(compile(source, "<program>", "exec"), space)
        found = outcome(lambda: eval(f"f({args})", space), {})
    return found, printed.getvalue()


def replaced(source: str, cut: Cut) -> str:
    """A program with a call of the group's function in place of its statements."""
    tree = ast.parse(source)
    function = next(n for n in tree.body if isinstance(n, ast.FunctionDef) and n.name == "f")
    call = ast.parse(f"{', '.join(cut.results)} = {cut.name}({', '.join(cut.parameters)})").body
    for node in ast.walk(function):
        for _, block in ast.iter_fields(node):
            if isinstance(block, list) and block and isinstance(block[0], ast.stmt):
                places = [k for k, part in enumerate(block) if cut.first <= part.lineno <= cut.last]
                if places and block[places[0]].lineno == cut.first:
                    block[places[0] : places[-1] + 1] = call
                    return ast.unparse(tree) + "\n\n\n" + cut.text
    raise AssertionError


def check(source: str, calls: list[str]) -> tuple[int, int]:
    """Groups and executions of them that were compared."""
    space: dict[str, Any] = {"__name__": __name__}  # data classes look their module up
    exec(compile(source, "<program>", "exec"), space)
    found = list(cuts(source, "f"))
    for args in calls:
        watch(space["f"], args, found, space)
    compared = 0
    for cut in found:
        exec(cut.text, space)
        for given, expected in cut.seen:
            results = outcome(space[cut.name], given)
            if isinstance(results, tuple):
                results = list(results[0]) if len(cut.results) > 1 else [results[0]]
                assert isinstance(expected, list), (source, cut.text, expected)
                assert all(map(same, results, expected)), (source, cut.text, results, expected)
            else:
                assert results is expected, (source, cut.text, results, expected)
            compared += 1
        if not cut.left_early:  # else a handler may see what was done before the exception
            for args in calls:
                before, after = run(source, args), run(replaced(source, cut), args)
                assert same(before, after), (source, cut.text, args, before, after)
    return len(found), compared


HAND = {
    "a loop with what leads up to it": (
        "def f(numbers, k):\n    text = 'x'\n    total = 0\n    seen = []\n    for n in numbers:\n        if n % k:\n            total += n\n"
        "            continue\n        seen.append(n)\n    mean = total / (len(seen) or 1)\n    return text, mean, seen\n",
        ["[1, 2, 3, 4], 2", "[], 1", "[1], 0"],
        1,
    ),
    "a chain of branches": (
        "def f(score):\n    if score > 90:\n        grade = 'a'\n        bonus = 2\n    elif score > 50:\n        grade = 'b'\n        bonus = 1\n"
        "    else:\n        grade = 'c'\n        bonus = 0\n    return grade * (bonus + 1)\n",
        ["95", "60", "3"],
        1,
    ),
    "a variable that is only sometimes bound anew": (
        "def f(items, best):\n    found = None\n    for item in items:\n        if item > best:\n            best = item\n            found = item\n"
        "    return best, found\n",
        ["[3, 9, 2], 4", "[], 0"],
        1,
    ),
    "the next turn of the loop needs it": (
        "def f(rows):\n    carry = 0\n    out = []\n    for row in rows:\n        if not row:\n            return out\n        for x in row:\n"
        "            carry += x\n            carry %= 7\n        out.append(carry)\n    return out\n",
        ["[[1, 9], [4], [], [5]]", "[[6], [6]]"],
        1,
    ),
    "a handler needs it": (
        "def f(words):\n    done = 0\n    last = ''\n    try:\n        for word in words:\n            last = word\n            done += len(word)\n"
        "        return done\n    except TypeError:\n        return last, done\n",
        ["['a', 'bc']", "['a', 3]", "None"],
        1,
    ),
    "an exception leaves it": (
        "def f(table, key):\n    try:\n        value = table[key]\n        while value > 3:\n            value //= 2\n            key += 1\n"
        "        table[key] = value\n        return table\n    except KeyError:\n        return {}\n",
        ["{1: 9}, 1", "{}, 2", "{1: 'a'}, 1"],
        1,
    ),
    "changed in place": (
        "def f(grid):\n    size = len(grid)\n    for i in range(size):\n        for j in range(i):\n            grid[i][j] = grid[j][i]\n"
        "            grid[j][i] += 1\n    if size > 9:\n        return None\n    return grid\n",
        ["[[1, 2], [3, 4]]", "[[0]]", "[]"],
        1,
    ),
    "texts of several lines, comments": (
        "def f(n):\n    if n < 0:\n        return ''\n    # made\n    text = '''a\n  b\n'''\n    # of it\n    for k in range(n):\n        text += f'''\n{k}'''\n"
        "        text = text.upper()  # louder\n    return text\n",
        ["3", "0", "-1"],
        1,
    ),
    "an import of the function's own, and a lambda": (
        "def f(words):\n    import re\n    if not words:\n        return []\n    key = lambda w: re.sub('a', '', w)\n    out = []\n"
        "    for word in sorted(words, key=key):\n        if re.match('a', word):\n            out.append(word)\n    return out\n",
        ["['ab', 'b', 'aa']", "[]"],
        1,
    ),
    "shared lists stay shared": (
        "def f(a, b):\n    b = b or a\n    if not a:\n        return b\n    for x in range(3):\n        a.append(x)\n        a.append(len(b))\n    return a, b\n",
        ["[1], []", "[1], [2]", "[], [1]"],
        1,
    ),
    "a variable of a nested function is not taken": (
        "def f(n):\n    def peek():\n        return total\n    total = 0\n    for k in range(n):\n        total += k\n        total += peek()\n    return total\n",
        ["3"],
        0,
    ),
    "a continue goes on with it": (
        "def f(rows):\n    carry = out = n = 0\n    for row in rows:\n        if row is None:\n            return out\n        out += carry\n        for x in row:\n            carry = x\n"
        "            n += 1\n        if n % 2:\n            continue\n        carry = 0\n    return out, n\n",
        ["[[1], [2], [3, 4]]", "[[2, 4], [], [6]]", "[[1], [0, 6], [2], [4], [1], [1]]"],
        1,
    ),
    "a break takes it along": (
        "def f(rows):\n    last = n = 0\n    for row in rows:\n        if row is None:\n            return n\n        last = 0\n        for x in row:\n            last = x\n"
        "            n += 1\n        if row:\n            break\n        last = -1\n    return n, last\n",
        ["[[], [3, 9, 4], [1]]", "[[]]"],
        1,
    ),
    "a handler reads what was done before": (
        "def f(words):\n    n = k = 0\n    try:\n        for word in words:\n            n += len(word)\n            k += 1\n        words[2]\n"
        "        n = 0\n        return n, k\n    except IndexError:\n        return n, k\n",
        ["['ab', 'c']", "['a', 'b', 'c']"],
        1,
    ),
    "what is deleted after it": (
        "def f(n):\n    if n > 2:\n        x = n\n    else:\n        x = 0\n    del x\n    return n\n",
        ["3", "1"],
        1,
    ),
    "a match that may match nothing": (
        "def f(x, items):\n    match x:\n        case 1:\n            y = 1\n        case [a]:\n            y = a\n    items = list(items)\n"
        "    for i in items:\n        if i:\n            y += i\n    return items\n",
        ["5, [0]", "1, [1]"],
        0,
    ),
    "what may be unbound is no parameter": (
        "def f(n):\n    if n > 2:\n        x = 1\n    for k in range(n):\n        if k:\n            x = k\n        n -= 1\n    return x\n",
        ["3", "1"],
        0,
    ),
    "jumps that leave it": (
        "def f(rows):\n    total = 0\n    for row in rows:\n        if row == 3:\n            total += 1\n            break\n        total += row\n"
        "        if row:\n            yield row\n            total -= 1\n    return total\n",
        ["[1, 2]"],
        0,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", HAND)
def test_hand_written_functions(name: str) -> None:
    source, calls, at_least = HAND[name]
    found, compared = check(source, calls)
    assert found >= at_least
    assert compared >= found
    assert at_least or not found


def test_generated_programs() -> None:
    """Random programs: some hundreds of groups, executed thousands of times."""
    total = [0, 0]
    for seed in range(600):
        program, calls = generate(seed)
        if "global " in program.source or "nonlocal " in program.source:  # what it calls has a state of its own
            continue
        found, compared = check(program.source, [call.text.removeprefix("f(").removesuffix(")") for call in calls])
        total = [total[0] + found, total[1] + compared]
    assert total[0] > 200, total
    assert total[1] > 400, total

"""Cutting programs out of modules, licences, and the examples that docstrings hold."""

from __future__ import annotations

import ast
import builtins
import symtable
import sysconfig
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from semcoder.core import Invocation, Origin, Program
from semcoder.errors import UsageError
from semcoder.seeds import Drop, known_calls, open_source
from semcoder.seeds._licences import allowed, normalise, of_folder, of_wording
from semcoder.seeds._names import names_of
from semcoder.seeds.examples import examples
from tests.inprocess import InProcess


class Cutter:
    """A project folder to write files into and cut."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def cut(self, **files: str) -> dict[str, Program | Drop]:
        """Programs by entry, drops by `path:line`."""
        for name, text in files.items():
            path = self.root / (name.replace("__slash__", "/") + ".py")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        found: dict[str, Program | Drop] = {}
        for part in open_source(str(self.root)).programs():
            found[part.entry if isinstance(part, Program) else f"{part.origin.path}:{part.origin.line}"] = part
        return found

    def program(self, entry: str, **files: str) -> Program:
        found = self.cut(**files)
        assert entry in found, found
        program = found[entry]
        assert isinstance(program, Program)
        return program

    def reason(self, **files: str) -> tuple[str, str]:
        drops = [found for found in self.cut(**files).values() if isinstance(found, Drop)]
        assert len(drops) == 1, drops
        return drops[0].reason, drops[0].detail


@pytest.fixture
def cutter(tmp_path: Path) -> Cutter:
    return Cutter(tmp_path)


def value(program: Program, call: str) -> object:
    outcome = InProcess(program.source).call(Invocation(call))
    assert outcome.value is not None, outcome
    return outcome.value.to_python()


HELPERS = '''
import re
import os.path as osp
import json, sys
from collections import OrderedDict, deque

LIMIT = 3  # how many
UNUSED = 7
TABLE = {}
TABLE["a"] = 1
for _key in "bc":
    TABLE[_key] = len(TABLE)


def unused():
    return UNUSED


# The comment above the helper stays.
def helper(text):
    """Doc of the helper."""
    return [TABLE.get(c, LIMIT) for c in re.sub("x", "", text)]


def entry(text, sep=LIMIT):
    """Sum the values."""
    total = 0
    for number in helper(text):
        total += number
    return total, sep
'''


def test_what_a_function_needs_comes_along_and_nothing_else(cutter: Cutter) -> None:
    program = cutter.program("entry", mod=HELPERS)
    assert value(program, "entry('abcxz')") == (7, 3)
    assert "# The comment above the helper stays." in program.source
    assert "# how many" in program.source
    assert '"""Doc of the helper."""' in program.source
    for absent in ("UNUSED", "unused", "json", "OrderedDict", "osp"):
        assert absent not in program.source
    assert program.origin == Origin(
        "folder", cutter.root.name, "", "mod.py", HELPERS[: HELPERS.index("def entry")].count("\n") + 1
    )


def test_siblings_of_the_project_are_brought_in(cutter: Cutter) -> None:
    program = cutter.program(
        "main",
        pkg__slash____init__="",
        pkg__slash__base="FACTOR = 10\n\ndef scale(x):\n    return x * FACTOR\n",
        pkg__slash__api="from .base import scale as grow\n",
        pkg__slash__app="from .api import grow\nfrom pkg.base import FACTOR\n\n\ndef main(x):\n    y = grow(x)\n    return y + FACTOR\n",
    )
    assert value(program, "main(2)") == 30


def test_one_name_for_two_things_is_refused(cutter: Cutter) -> None:
    files = {
        "a": "K = 1\n\n\ndef f(x):\n    y = x\n    return y + K\n",
        "b": "from a import f\nK = 2\n\n\ndef g(x):\n    y = f(x)\n    return y * K\n",
    }
    assert cutter.reason(**files) == ("two modules use one name differently", "K")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("import numpy\ndef f(x):\n    y = x\n    return numpy.sum(y)\n", ("needs a package", "numpy")),
        ("def f(x):\n    import numpy\n    return numpy.sum(x)\n", ("needs a package", "numpy")),
        ("def f(x):\n    y = open(x)\n    return y.read()\n", ("touches files", "open")),
        ("import os\ndef f(x):\n    y = x\n    return os.listdir(y)\n", ("touches files", "os.listdir")),
        ("from os import path\ndef f(x):\n    y = x\n    return path.exists(y)\n", ("touches files", "os.path.exists")),
        ("import os.path\ndef f(x):\n    y = x\n    return os.path.exists(y)\n", ("touches files", "os.path.exists")),
        ("import random as r\ndef f(x):\n    y = x\n    return r.choice(y)\n", ("uses randomness", "random")),
        ("import time\ndef f(x):\n    y = x\n    return y + time.time()\n", ("asks the clock", "time")),
        ("import datetime\ndef f(x):\n    y = x\n    return datetime.date.today() - y\n", ("asks the clock", "datetime.date.today")),
        ("import threading\ndef f(x):\n    y = x\n    return threading.Lock(), y\n", ("uses processes or threads", "threading")),
        ("def f(x):\n    y = x\n    return missing(y)\n", ("undefined name", "missing")),
        ("def f(x):\n    y = id(x)\n    return y\n", ("depends on object addresses", "id")),
        ("async def f(x):\n    y = x\n    return y\n", ("asynchronous", "")),
        ("def f(x):\n    y = x\n    yield y\n", ("a generator", "")),
        ("def f():\n    x = 1\n    return x\n", ("takes no parameter", "")),
        ("def f(x):\n    return x\n", ("too short", "2 lines")),
        ("def f(x):\n    x += 1\n    x += 2\n", ("returns nothing", "")),
        ("def f(x):\n    x += 1\n    return None\n", ("returns a constant", "")),
        ("def f(x):\n    if x:\n        raise ValueError(x)\n", ("returns nothing", "")),
        ("def f(x):\n" + "    x += 1\n" * 70 + "    return x\n", ("too long", "72 lines")),
        (
            "try:\n    import numpy\nexcept ImportError:\n    numpy = None\n\n\n"
            "def f(x):\n    y = x\n    return numpy and y\n",
            ("needs a package", "numpy"),
        ),
        ("def f(x):\n    import io\n    return io.open(x)\n", ("touches files", "io.open")),
        ("def f(x:\n", None),
    ],
)  # fmt: skip
def test_drops_say_why(cutter: Cutter, text: str, reason: tuple[str, str] | None) -> None:
    if reason is None:
        assert cutter.reason(mod=text)[0] == "unreadable file"
    else:
        found, detail = cutter.reason(mod=text)
        assert (found, detail.split(".")[0]) == (reason[0], reason[1].split(".")[0])


def test_expressions_nested_too_deeply_are_dropped(cutter: Cutter) -> None:
    for depth in (1500, 100_000):
        text = "def f(x):\n    y = x\n    return " + "+".join(["y"] * depth) + "\n"
        # Which of the two depends on how deep the interpreter's own parser goes.
        assert cutter.reason(mod=text)[0] in ("nested too deeply", "unreadable file")


def test_annotations_without_a_definition_are_left_unevaluated(cutter: Cutter) -> None:
    text = (
        "from typing import TYPE_CHECKING, List\nif TYPE_CHECKING:\n    from nowhere import Thing\n\n\n"
        "def f(x: 'Thing', y: List[int], z: Other = 1) -> Thing:\n    t = x\n    return [t, *y, z]\n\nclass Other: ...\n"
    )
    program = cutter.program("f", mod=text)
    assert value(program, "f(1, [2])") == [1, 2, 1]
    assert "import List" in program.source
    assert "class Other" not in program.source


def test_python_definitions_win_over_their_c_doubles(cutter: Cutter) -> None:
    text = (
        "def pick(x):\n    y = x\n    return ('python', y)\n\n\ntry:\n    from _heapq import heappop as pick\n"
        "except ImportError:\n    pass\n\n\ndef f(x):\n    y = pick(x)\n    return y\n"
    )
    assert value(cutter.program("f", mod=text), "f(1)") == ("python", 1)


def test_methods_come_with_a_pruned_class_and_a_function_that_calls_them(cutter: Cutter) -> None:
    text = '''
import socket


class Box:
    """A box."""

    size = 2

    def __init__(self, items, limit=3):
        self.items = items
        self.limit = limit

    def send(self, port):
        connection = socket.create_connection(port)
        return connection

    def _first(self):
        return self.items[: self.limit]

    # Counts.
    def count(self, item, *, twice=False):
        """Count an item."""
        found = self._first().count(item)
        return found * self.size if twice else found

    @staticmethod
    def double(number):
        twice = number * 2
        return twice
'''
    found = cutter.cut(mod=text)
    program = found["box_count"]
    assert isinstance(program, Program)
    assert value(program, "box_count([1, 1, 2, 1], 1, twice=True)") == 4
    assert "socket" not in program.source
    assert "# Counts." in program.source
    assert program.origin.line == text[: text.index("def count")].count("\n") + 1
    static = found["box_double"]
    assert isinstance(static, Program)
    assert value(static, "box_double(4)") == 8
    assert {part.reason for part in found.values() if isinstance(part, Drop)} == {"touches the network", "too short"}


def test_tables_that_the_module_fills_are_filled(cutter: Cutter) -> None:
    text = (
        "import sys\nSTARTS = [0]\ntotal = 0\nfor size in (3, 4):\n    total += size\n    STARTS.append(total)\ndel total, size\n"
        "if sys.version_info >= (3,):\n    UNIT = 'new'\nelse:\n    UNIT = 'old'\n\n\n"
        "class Box:\n    STARTS = STARTS\n\n\ndef f(x):\n    y = x\n    return Box.STARTS[y], UNIT\n"
    )
    assert value(cutter.program("f", mod=text), "f(2)") == (7, "new")


def test_properties_with_setters_keep_all_their_parts(cutter: Cutter) -> None:
    text = (
        "class Box:\n    def __init__(self, text):\n        self.text = text\n\n    @property\n    def text(self):\n"
        "        return self._text\n\n    @text.setter\n    def text(self, new):\n        self._text = self.clean(new)\n\n"
        "    def clean(self, text):\n        text = text.strip()\n        return text\n\n    def words(self, sep=None):\n"
        "        words = self.text.split(sep)\n        return words\n"
    )
    assert value(cutter.program("box_words", mod=text), "box_words(' a b ')") == ["a", "b"]


def test_overload_stubs_and_type_variables(cutter: Cutter) -> None:
    text = (
        "from typing import overload, TypeVar\nT = TypeVar('T')\n\n\n@overload\ndef f(x: int) -> int: ...\n@overload\n"
        "def f(x: str) -> str: ...\ndef f(x):\n    y = x\n    return y + y\n"
    )
    program = cutter.program("f", mod=text)
    assert value(program, "f('a')") == "aa"
    assert "overload" not in program.source


def test_files_that_cannot_be_read(cutter: Cutter) -> None:
    (cutter.root / "bad.py").write_bytes(b"# -*- coding: nonsense -*-\nx = 1\n")
    (cutter.root / "nul.py").write_bytes(b"x = 1\0\n")
    (cutter.root / "latin.py").write_bytes(
        "# -*- coding: latin-1 -*-\ndef f(x):\n    y = 'é'\n    return x + y\n".encode("latin-1")
    )
    found = cutter.cut()
    assert [part.reason for part in found.values() if isinstance(part, Drop)] == ["unreadable file", "unreadable file"]
    program = found["f"]
    assert isinstance(program, Program)
    assert value(program, "f('a')") == "aé"


def test_tests_and_environments_are_left_out_unless_asked_for(cutter: Cutter) -> None:
    body = "def {}(x):\n    y = x\n    return y\n"
    files = {"a": "fa", "tests__slash__test_b": "fb", "venv__slash__c": "fc", "__slash__.hidden__slash__d": "fd"}
    files.pop("__slash__.hidden__slash__d")
    found = cutter.cut(**{name: body.format(function) for name, function in files.items()})
    assert list(found) == ["fa"]
    with_tests = [p.entry for p in open_source(f"{cutter.root}+tests").programs() if isinstance(p, Program)]
    assert with_tests == ["fa", "fb"]


# -- names -----------------------------------------------------------------------------------------------------------


def globals_by_symtable(text: str) -> set[str]:
    """What the compiler itself looks up globally in a module's functions and classes (annotations included)."""
    found: set[str] = set()
    todo = [symtable.symtable(text, "m", "exec")]
    top = todo[0]
    while todo:
        table = todo.pop()
        for symbol in table.get_symbols():
            if symbol.is_referenced() and (table is top or symbol.is_global()):
                found.add(symbol.get_name())
        todo.extend(table.get_children())
    return found


MODULES = [
    "textwrap",
    "heapq",
    "json/decoder",
    "string",
    "difflib",
    "fractions",
    "tokenize",
    "enum",
    "typing",
    "statistics",
    "argparse",
]


@pytest.mark.parametrize("module", MODULES)
def test_names_agree_with_the_compiler(module: str) -> None:
    text = (Path(sysconfig.get_path("stdlib")) / f"{module}.py").read_text(encoding="utf-8")
    tree = ast.parse(text)
    every = [names_of(statement) for statement in tree.body]
    reads = set().union(*(names.reads | names.annotations for names in every))
    bound = set().union(*(names.binds for names in every))
    expected = globals_by_symtable(text)
    missing = {name for name in expected - reads if name in bound or hasattr(builtins, name)}
    compound = {
        n
        for s, names in zip(tree.body, every, strict=True)
        if isinstance(s, (ast.If, ast.For, ast.Try))
        for n in names.binds
    }
    assert missing <= compound  # names that a compound statement both binds and reads need nothing else
    assert {name for name in reads - expected if not name.startswith("__")} == set()


# -- licences --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "name", "is_allowed"),
    [
        ("MIT", "MIT", True),
        ("MIT License", "MIT", True),
        ("mit", "MIT", True),
        ("The MIT License (MIT)", "MIT", True),
        ("Apache 2.0", "Apache-2.0", True),
        ("Apache License, Version 2.0", "Apache-2.0", True),
        ("BSD 3-Clause License", "BSD-3-Clause", True),
        ("BSD-2-Clause", "BSD-2-Clause", True),
        ("New BSD", "BSD-3-Clause", True),
        ("PSF", "PSF-2.0", True),
        ("Python Software Foundation License", "PSF-2.0", True),
        ("ISC License (ISCL)", "ISC", True),
        ("The Unlicense (Unlicense)", "Unlicense", True),
        ("MIT OR Apache-2.0", "MIT OR Apache-2.0", True),
        ("GPL-3.0-or-later OR MIT", "GPL-3.0-or-later OR MIT", True),
        ("MIT AND GPL-3.0-only", "MIT AND GPL-3.0-only", False),
        ("GPLv3", "GPL-3.0-only", False),
        ("GNU Lesser General Public License v3 (LGPLv3)", "LGPL-3.0-only", False),
        ("Mozilla Public License 2.0 (MPL 2.0)", "MPL-2.0", False),
        ("Proprietary", "LicenseRef-Proprietary", False),
        ("", "unknown", False),
        ("UNKNOWN", "unknown", False),
        ("see the file", "unknown", False),
    ],
)
def test_licences_are_normalised(text: str, name: str, is_allowed: bool) -> None:
    assert normalise(text) == name
    assert allowed(normalise(text)) is is_allowed


def test_a_licence_that_is_not_allowed_drops_the_project(cutter: Cutter) -> None:
    (cutter.root / "LICENSE").write_text("GNU GENERAL PUBLIC LICENSE\nVersion 3")
    assert cutter.reason(mod="def f(x):\n    y = x\n    return y\n") == ("licence", "GPL-3.0-only")


def test_the_licence_of_a_folder(tmp_path: Path) -> None:
    assert of_folder(tmp_path) == "unknown"
    (tmp_path / "COPYING").write_text(
        'Permission is hereby granted, free of charge, to\nany person obtaining a copy of "it"'
    )
    assert of_folder(tmp_path) == "MIT"
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "x"\nlicense = "BSD-3-Clause"\n')
    assert of_folder(tmp_path) == "BSD-3-Clause"
    assert of_wording("no licence at all") == "unknown"


def test_a_licence_above_the_folder_counts_inside_its_checkout_only(tmp_path: Path) -> None:
    inner = tmp_path / "src" / "pkg"
    inner.mkdir(parents=True)
    (inner / "m.py").write_text("def f(x):\n    y = x\n    return y\n")
    (tmp_path / "LICENSE").write_text(
        "ISC: Permission to use, copy, modify, and/or distribute this software for any purpose"
    )
    outside = [p.license for p in open_source(str(inner)).programs() if isinstance(p, Program)]
    (tmp_path / ".git").mkdir()
    inside = [p.license for p in open_source(str(inner)).programs() if isinstance(p, Program)]
    assert (outside, inside) == (["unknown"], ["ISC"])


# -- examples --------------------------------------------------------------------------------------------------------


def test_examples_are_literal_calls_of_the_entry() -> None:
    source = '''
def f(x, *rest, key=None):
    """Do it: f(1, 2) -> 3, and other(f(5)), but not f(y).

    >>> data = [1, (2,)]
    >>> f(data, key='a')
    3
    >>> [f("b"), mod.f({1: 2})]
    >>> f(open("x"))
    >>> f(
    ...    -1)
    """
    return x


def g():
    """
    >>> f(7)
    """
'''
    texts = [example.text for example in examples(Program(source, "f"))]
    assert texts == ["f([1, (2,)], key='a')", "f('b')", "f({1: 2})", "f(-1)", "f(1, 2)", "f(5)", "f(7)"]


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet=">f(1, )'\\\n.[]x=", max_size=80))
def test_examples_survive_any_docstring(doc: str) -> None:
    program = Program(f"def f(x):\n    {doc!r}\n    return x\n", "f")
    for example in examples(program):
        call = ast.parse(example.text, mode="eval").body
        assert isinstance(call, ast.Call)
        for arg in call.args:
            ast.literal_eval(arg)  # raises where it is no literal


def test_an_empty_folder_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no Python file"):
        open_source(str(tmp_path))


TESTS = """
import unittest
import pkg.core
import pkg.core as c
from pkg import shout, core, missing
from pkg.core import *
from pkg.core import join as glue
from elsewhere import join as other

NUMBERS = [3, 4]


def helper(x):
    return x


def test_join():
    words = ["a", "b"]
    assert glue(words, sep="-") == "a-b"
    words = helper(words)
    assert glue(words) == "ab"
    assert other(["no"]) == 1
    glue(["not in an assert"])
    for _ in range(2):
        assert pkg.core.join(["c"]) + c.join(("d",), "+") == core.join(['e'])
    assert shout("x") == missing(2)


class Case(unittest.TestCase):
    def test_total(self):
        import pkg.core as c2
        self.assertEqual(c2.total(NUMBERS, start=-1), 6)
        self.assertRaises(TypeError, c2.total, 3)
        with self.assertRaises(TypeError):
            c2.total(None)
"""


def test_asserts_of_the_project_are_examples(tmp_path: Path) -> None:
    package = tmp_path / "src" / "pkg"
    package.mkdir(parents=True)
    (tmp_path / "pyproject.toml").write_text("[project]\nname = 'p'\nlicense = 'MIT'\n")
    (package / "__init__.py").write_text("from .core import loud as shout\n")
    (package / "core.py").write_text(
        "def join(words, sep=''):\n    text = sep.join(words)\n    return text\n\n\n"
        "def total(numbers, start=0):\n    for n in numbers:\n        start += n\n    return start\n\n\n"
        "def loud(text):\n    text = text.upper()\n    return text\n\n\ndef bare(x):\n    y = x\n    return y\n"
    )
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_core.py").write_text(TESTS)
    (tmp_path / "tests" / "test_torn.py").write_text("def f(:\n")

    def calls(spec: Path) -> dict[str, list[str]]:
        source = open_source(str(spec))
        programs = [part for part in source.programs() if isinstance(part, Program)]
        return {program.entry: [call.text for call in known_calls(source, program)] for program in programs}

    expected = {
        "join": ["join(['a', 'b'], sep='-')", "join(['c'])", "join(('d',), '+')", "join(['e'])"],
        "total": ["total([3, 4], start=-1)"],
        "loud": ["loud('x')"],
        "bare": [],
    }
    assert calls(tmp_path) == expected
    # Outside a checkout a folder is all that is looked at; inside one the project's tests are.
    assert set(map(len, calls(tmp_path / "src").values())) == {0}
    (tmp_path / ".git").mkdir()
    assert calls(tmp_path / "src") == calls(package) == expected
    assert calls(package / "core.py") == expected | {"loud": []}  # the module that passes it on was not named


def test_tests_beside_a_file_are_looked_at(tmp_path: Path) -> None:
    (tmp_path / "tool.py").write_text("def f(x):\n    y = x\n    return y\n")
    (tmp_path / "test_tool.py").write_text("from tool import f\n\nassert f(3) == 3\n")
    source = open_source(str(tmp_path / "tool.py"))
    (program,) = source.programs()
    assert isinstance(program, Program)
    assert known_calls(source, program) == [Invocation("f(3)")]


# -- groups of statements --------------------------------------------------------------------------------------------

SCRIPT = '''
import os
import sys

SCALE = 10


def grow(x):
    return x * SCALE


def report(path: str, limit: int):
    """Touches files, and counts."""
    rows = open(path).read().splitlines()
    # how many of each
    counts = {}
    for row in rows:
        if len(row) > limit:
            counts[row] = counts.get(row, 0) + grow(1)
    os.remove(path)
    return counts


class Table:
    def __init__(self, rows):
        self.rows = open(rows)
        best = None
        for row in rows:
            if best is None or row > best:
                best = row
        self.best = best


def uses(x):
    return total + x


words = sys.argv[1:]
total = 0
for word in words:
    total += len(word)
    print(word)
sizes = [len(word) for word in words]
longest = 0
for size in sizes:
    if size > longest:
        longest = size
if __name__ == "__main__":
    numbers = [1, 2]
    for number in numbers:
        longest += number
        longest += grow(number)
'''


def groups(cutter: Cutter, text: str) -> dict[str, Program]:
    """The programs that come with `+groups` alone."""
    plain = set(cutter.cut(mod=text).values())
    found = [part for part in open_source(f"{cutter.root}+groups").programs() if part not in plain]
    return {part.entry: part for part in found if isinstance(part, Program)}


def test_groups_of_functions_methods_and_scripts(cutter: Cutter) -> None:
    found = groups(cutter, SCRIPT)
    assert sorted(found) == ["mod_part1", "mod_part2", "report_part1", "table_init_part1"]
    counts = found["report_part1"]
    assert counts.source == (
        "SCALE = 10\n\n\ndef grow(x):\n    return x * SCALE\n\n\n"
        "def report_part1(rows, limit: int):\n    counts = {}\n    for row in rows:\n        if len(row) > limit:\n"
        "            counts[row] = counts.get(row, 0) + grow(1)\n    return counts\n"
    )
    assert counts.origin.line == SCRIPT[: SCRIPT.index("    counts = {}")].count("\n") + 1
    assert value(counts, "report_part1(['ab', 'c', 'ab'], 1)") == {"ab": 20}
    assert value(found["table_init_part1"], "table_init_part1([2, 3, 1])") == 3
    assert value(found["mod_part1"], "mod_part1(['ab', 'c'])") == 2  # not `total`, which a function shares
    assert value(found["mod_part2"], "mod_part2(4)") == 37


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("for x in xs:\n    k = x\n    self.n = k\n", "needs an object of its class"),
        ("for x in xs:\n    k = x\n    xs = k.__hidden\n", "a private name of its class"),
        ("for x in xs:\n    k = x\n    k += len(vars())\n", "depends on where it stands"),
        ("for x in xs:\n    k = x\n    print(k)\n    open(k)\n", "touches files"),
        ("if xs:\n    print(xs)\n    print(1)\n", "the group gives nothing"),
        ("if 1:\n    y = 1\n    y += 1\nelse:\n    y = 3\n", "takes no parameter"),
        ("def g():\n    return k\nfor x in xs:\n    k = x\n    k += 1\n", "shares a variable with a nested function"),
        ("def g():\n    return 1\nfor x in xs:\n    k = x\n    k += g()\n", "needs a nested function"),
        ("if xs:\n    import re\nfor x in xs:\n    k = x\n    k += re.sub(k, k, k)\n", "needs an import that may not be made"),
        ("if xs:\n    z = 1\nfor x in xs:\n    if x:\n        z = 1\n    y += z\n", "a parameter may be unbound where the group starts"),
        ("global y\nfor x in xs:\n    y = x\n    y += 1\n", "changes what is not its own"),
        ("if xs:\n    k = xs\n    raise k\nelse:\n    raise xs\n", "the end of the group is not reached"),
    ],
)  # fmt: skip
def test_groups_that_cannot_be_taken(cutter: Cutter, body: str, reason: str) -> None:
    inner = "        k = y = 0\n        " + body.replace("\n", "\n        ").rstrip()
    text = f"class C:\n    def __init__(self, xs):\n{inner}\n        yield xs, k, y\n"
    cutter.cut(mod=text)
    found = list(open_source(f"{cutter.root}+groups").programs())
    assert [part for part in found if isinstance(part, Program)] == []
    assert reason in {part.reason for part in found if isinstance(part, Drop)}

"""Every source of programs keeps the same promises: order, programs that parse, reasons for what is dropped."""

from __future__ import annotations

import ast
import sys
import tempfile
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pytest

from semcoder.core import Program
from semcoder.core.calling import defined_names
from semcoder.errors import UsageError
from semcoder.recording import host
from semcoder.seeds import Drop, Source, open_source, sources

_FOLDER = tempfile.TemporaryDirectory(prefix="recording")


def _recording() -> str:
    """A recording of three functions of a script."""
    root = Path(_FOLDER.name).resolve()
    part = "def f{0}(x):\n    y = x + {0}\n    y *= 2\n    return y\n\n\nf{0}(3)\n"
    (root / "mine.py").write_text("\n\n".join(part.format(k) for k in range(3)))
    host.record([sys.executable, str(root / "mine.py")], root / "calls", include=[root])
    return f"recorded:{root / 'calls'}"


#: A small spec per source; a new source is covered as soon as it has a line here, and fails the first test until then.
SPECS = {
    "folder": str(Path(__file__).parents[2] / "src" / "semcoder" / "seeds"),
    "generator": "generator",
    "package": "package:typer",
    "recorded": _recording(),
    "stdlib": "stdlib:textwrap,heapq,json,colorsys,fnmatch",
}
LIMIT = 150


def test_every_source_has_a_spec_here() -> None:
    assert sorted(sources()) == sorted(SPECS)


@pytest.fixture(params=sorted(SPECS))
def source(request: pytest.FixtureRequest) -> Source:
    return open_source(SPECS[request.param])


def some(source: Source) -> list[Program | Drop]:
    return list(islice(source.programs(), LIMIT))


def programs(source: Source) -> Iterator[Program]:
    return (found for found in some(source) if isinstance(found, Program))


def test_has_the_name_it_is_found_by(source: Source) -> None:
    assert sources()[source.name] is type(source)


def test_order_is_deterministic(source: Source) -> None:
    first = some(source)
    assert first
    assert first == some(source)
    assert first == some(open_source(SPECS[source.name]))


def test_programs_parse_and_define_their_entry(source: Source) -> None:
    seen = 0
    for program in programs(source):
        assert program.entry in defined_names(ast.parse(program.source)), program.entry
        seen += 1
    assert seen >= 3


def test_origin_and_licence_are_filled(source: Source) -> None:
    for found in some(source):
        assert found.origin.source == source.name
        if isinstance(found, Program):
            assert found.license
    for program in programs(source):
        if source.name != "generator":
            assert program.origin.project
            assert program.origin.path.endswith(".py")
            assert program.origin.line > 0


def test_drops_have_reasons(source: Source) -> None:
    for found in some(source):
        if isinstance(found, Drop):
            assert found.reason
            assert len(found.reason) <= 60


@pytest.mark.parametrize(
    ("spec", "says"),
    [
        ("no/such/folder", "package:NAME"),
        ("package:no-such-package", "pip install"),
        ("stdlib:json,nosuchmodule", "nosuchmodule"),
        ("typer", "package:typer"),
        ("folder:", "path"),
        ("", "generator"),
    ],
)
def test_a_wrong_spec_says_what_to_do(spec: str, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        open_source(spec)

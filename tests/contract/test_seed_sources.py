"""Every source of programs keeps the same promises: order, programs that parse, reasons for what is dropped."""

from __future__ import annotations

import ast
import json
import sys
import tempfile
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import datasets
import pyarrow.parquet  # type: ignore[import-untyped]
import pytest

from semcoder.core import Program
from semcoder.core.calling import defined_names
from semcoder.errors import UsageError
from semcoder.pyx import BuildConfig, fingerprint
from semcoder.recording import host
from semcoder.seeds import Drop, Source, known_calls, open_source, sources

_FOLDER = tempfile.TemporaryDirectory(prefix="recording")


def _recording() -> str:
    """A recording of three functions of a script."""
    root = Path(_FOLDER.name).resolve()
    part = "def f{0}(x):\n    y = x + {0}\n    y *= 2\n    return y\n\n\nf{0}(3)\n"
    (root / "mine.py").write_text("\n\n".join(part.format(k) for k in range(3)))
    host.record([sys.executable, str(root / "mine.py")], root / "calls", include=[root])
    return f"recorded:{root / 'calls'}"


def _rows() -> list[dict[str, object]]:
    """Rows of every kind: code alone, a program as it stands, code in a fence, and some that give none."""
    code = "def f{0}(x):\n    y = x + {0}\n    for k in range(y):\n        y += k\n    return y\n"
    rows: list[dict[str, object]] = [{"content": code.format(k), "calls": [f"f{k}(3)"]} for k in range(3)]
    rows += [{"content": f"Here:\n```python\n{code.format(9)}```\n"}, {"content": "no code"}, {"content": ""}]
    return [*rows, {"content": code.format(7), "entry": "f7"}, {"content": code.format(8), "license": "GPL-3.0-only"}]


def _jsonl() -> str:
    path = Path(_FOLDER.name) / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in _rows()))
    return f"jsonl:{path}"


def _parquet() -> str:
    path = Path(_FOLDER.name) / "rows.parquet"
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(_whole()), path, row_group_size=3)
    return f"parquet:{path}"


def _whole() -> list[dict[str, object]]:
    """The rows with the same columns in each."""
    columns = {"content": None, "calls": None, "entry": None, "license": None}
    return [columns | row for row in _rows()]


def _hub() -> str:
    path = Path(_FOLDER.name) / "set"
    datasets.Dataset.from_list(_whole()).save_to_disk(str(path))
    return f"hub:{path}"


def _pyx() -> str:
    path = Path(_FOLDER.name) / "pyx.jsonl"
    rows = []
    for k, row in enumerate(_rows()):
        asked = f"[PYTHON]\n{row['content']}\nassert f{k}(1) == ??\n[/PYTHON]"
        empty = {"id": str(k), "nl": "", "fwd_mnl": "", "bwd_mnl": "", "response": str(row["content"])}
        rows += [{**empty, "nl": "Write it."}, {**empty, "fwd_mnl": asked}]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return f"pyx:{path}"


#: A small spec per source; a new source is covered as soon as it has a line here, and fails the first test until then.
SPECS = {
    "folder": str(Path(__file__).parents[2] / "src" / "semcoder" / "seeds"),
    "generator": "generator",
    "hub": _hub(),
    "jsonl": _jsonl(),
    "package": "package:typer",
    "parquet": _parquet(),
    "pyx": _pyx(),
    "recorded": _recording(),
    "short": "short",
    "small": "small",
    "stdlib": "stdlib:textwrap,heapq,json,colorsys,fnmatch",
}
LIMIT = 150
#: Sources of code, of which groups of statements may be asked for.
GROUPED = ("folder", "hub", "jsonl", "package", "parquet", "stdlib")
#: Sources of rows, some of which are programs as they stand: those have a row, but no line.
ROWS = ("hub", "jsonl", "parquet", "pyx")


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
        if source.name not in ("generator", "short", "small"):
            assert program.origin.project
            assert program.origin.path.endswith(".py") or program.origin.path.rpartition(":")[2].isdecimal()
            assert program.origin.line > 0 or source.name in ROWS


def test_all_programs_come_again(source: Source) -> None:
    """Two readers at once, in step: neither disturbs the other."""
    pairs = list(islice(zip(source.programs(), source.programs(), strict=True), LIMIT))
    assert [first for first, _ in pairs] == [second for _, second in pairs] == some(source)


def test_examples_are_calls_of_the_entry(source: Source) -> None:
    fresh = open_source(SPECS[source.name])
    for program in programs(source):
        calls = known_calls(source, program)
        assert calls == known_calls(source, program) == known_calls(fresh, program)
        for call in calls:
            node = ast.parse(call.text, mode="eval").body
            assert isinstance(node, ast.Call)
            assert ast.unparse(node.func) == program.entry
    stranger = Program("def f(x): return x", "f")
    assert known_calls(fresh, stranger) == []


def test_sources_that_know_calls_give_some() -> None:
    for name in ("generator", "recorded", "short", "small", *ROWS):
        source = open_source(SPECS[name])
        assert any(known_calls(source, program) for program in programs(source)), name


def test_every_source_has_a_fingerprint(source: Source) -> None:
    config = BuildConfig(sources=(SPECS[source.name],))
    told = fingerprint.sources(config)
    assert told == fingerprint.sources(config)
    assert told[SPECS[source.name]].split()[0] in ("sha256", "version", "python", "calls")
    if source.name in ("hub", *ROWS):
        assert told[SPECS[source.name]].startswith("sha256 ")


@pytest.mark.parametrize("name", GROUPED)
def test_groups_come_beside_the_rest_where_they_are_asked_for(name: str) -> None:
    plain, grouped = (list(islice(open_source(spec).programs(), 8 * LIMIT)) for spec in (SPECS[name], _grouped(name)))
    assert set(plain[:LIMIT]) <= set(grouped)
    added = [part for part in grouped if part not in plain]
    assert added == [part for part in islice(open_source(_grouped(name)).programs(), 8 * LIMIT) if part not in plain]
    programs = [part for part in added if isinstance(part, Program)]
    assert all("_part" in program.entry for program in programs)
    assert programs or name in ROWS  # the rows' functions are all taken whole


def _grouped(name: str) -> str:
    spec = SPECS[name]
    return f"{spec}+groups" if ":" in spec or name == "folder" else f"{name}:{spec}+groups"


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
        ("jsonl:", "what to read"),
        ("hub:", "what to read"),
        ("generator:5:x", "1000:3"),
        ("stdlib:json+group", "json\\+group"),
        ("", "generator"),
    ],
)
def test_a_wrong_spec_says_what_to_do(spec: str, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        open_source(spec)

"""Sources that read rows: what a row gives, whichever file it is in, and what is said about rows that are malformed."""

from __future__ import annotations

import gzip
import json
import os
import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from semcoder.cli import run_command
from semcoder.core import Origin, Program
from semcoder.errors import InputError, MissingExtra, UsageError
from semcoder.pyx import BuildConfig, collect, fingerprint
from semcoder.seeds import Drop, known_calls, open_source
from semcoder.seeds._spec import read_spec
from semcoder.seeds._tables import unfenced

CODE = "import re\n\n\ndef clean(text):\n    text = re.sub('x', '', text)\n    return text\n"
OTHER = "def double(n):\n    twice = n * 2\n    return twice\n\n\ndef show(n):\n    print(double(n))\n    return n\n"


def write(path: Path, *rows: dict[str, Any]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def found(spec: str) -> list[Program | Drop]:
    return list(open_source(spec).programs())


def entries(spec: str) -> list[str]:
    return [part.entry if isinstance(part, Program) else part.reason for part in found(spec)]


def calls(spec: str) -> dict[str, list[str]]:
    source = open_source(spec)
    programs = [part for part in source.programs() if isinstance(part, Program)]
    return {program.entry: [call.text for call in known_calls(source, program)] for program in programs}


# -- rows ------------------------------------------------------------------------------------------------------------


def test_a_row_with_source_and_entry_is_a_program_as_it_stands(tmp_path: Path) -> None:
    origin = {"source": "synth", "project": "some-model", "path": "17"}
    write(
        tmp_path / "a.jsonl",
        {"source": "def f(x): return x", "entry": "f", "license": "MIT", "origin": origin, "calls": ["f(1)", "g(2)"]},
        {"source": "def f(x): return -x", "entry": "f", "description": "Negate.", "calls": None},
    )
    first, second = found(f"jsonl:{tmp_path / 'a.jsonl'}")
    assert first == Program("def f(x): return x", "f", Origin("synth", "some-model", path="17"), "MIT")
    assert isinstance(second, Program)
    assert (second.license, second.origin) == ("unknown", Origin("jsonl", "a", path="a.jsonl:2"))
    source = open_source(f"jsonl:{tmp_path / 'a.jsonl'}")
    assert [call.text for call in known_calls(source, first)] == ["f(1)"]  # before its programs were asked for
    assert known_calls(source, second) == []


def test_a_row_with_code_alone_gives_its_functions(tmp_path: Path) -> None:
    write(tmp_path / "a.jsonl", {"content": CODE, "license": "Apache 2.0"}, {"text": OTHER}, {"solution": ""})
    parts = found(f"jsonl:{tmp_path}")
    assert [p.entry if isinstance(p, Program) else p.reason for p in parts] == [
        "clean",
        "double",
        "show",
        "no code in the row",
    ]
    clean = parts[0]
    assert isinstance(clean, Program)
    assert (clean.source, clean.license) == (CODE, "Apache-2.0")
    assert clean.origin == Origin("jsonl", "a", path="a.jsonl:1", line=4)


def test_columns_may_be_named(tmp_path: Path) -> None:
    row = {"content": "nothing", "prompt": OTHER, "main": "double", "tests": ["assert double(2) == 4", "double(k)"]}
    path = write(tmp_path / "a.jsonl", row | {"terms": ["mit", "isc"]})
    assert entries(f"jsonl:{path}?code=prompt") == ["double", "show"]
    spec = f"jsonl:{path}?code=prompt&entry=main&calls=tests&license=terms"
    assert calls(spec) == {"double": ["double(2)", "double(k)"]}
    (program,) = found(spec)
    assert isinstance(program, Program)
    assert program.license == "ISC AND MIT"


def test_calls_are_given_to_the_functions_that_they_call(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", {"code": OTHER, "calls": "assert double(3) == 6 and show(1) == 1"})
    assert calls(f"jsonl:{path}") == {"double": ["double(3)"], "show": ["show(1)"]}


def test_what_cannot_be_taken_is_dropped_with_a_reason(tmp_path: Path) -> None:
    path = write(
        tmp_path / "a.jsonl",
        {"source": "def f(x:", "entry": "f"},
        {"source": "def g(x): return x", "entry": "f"},
        {"source": "def f(x): return x", "entry": "f", "license": "GPL-3.0-only"},
        {"content": "def f(x:"},
        {"content": "x = 1"},
        {"content": CODE, "license": "GPL-3.0-only"},
    )
    assert entries(f"jsonl:{path}") == [
        "not Python",
        "does not define its entry",
        "licence",
        "not Python",
        "defines no function",
        "licence",
    ]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("x = '''\n```\n'''\n", "x = '''\n```\n'''\n"),
        ("Here it is:\n```python\nx = 1\n```\nThat is all.", "x = 1\n"),
        ("```py\nx = 1\n```\n```\nnot this\n```\n", "x = 1\n"),
        ("So:\n```\nx = 1\n```\nand\n```\ny = 2\n```", "x = 1\n\n\ny = 2\n"),
        ("So:\n```python\nx = 1\n```\nprints\n```python\n>>> oh no\n```", "x = 1\n"),
        ("An open ```fence", "An open ```fence"),
    ],
)
def test_code_is_taken_out_of_fences(text: str, code: str) -> None:
    assert unfenced(text) == code


def test_what_collect_writes_is_read_again(tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "a.py").write_text(OTHER + '\n\ndef doc(n):\n    """Like show."""\n    n += 1\n    return n\n')
    collect([str(tmp_path / "src")], tmp_path / "out")
    before = found(str(tmp_path / "src"))
    assert found(f"jsonl:{tmp_path / 'out'}") == [part for part in before if isinstance(part, Program)]


def test_folders_compressed_files_and_blank_lines(tmp_path: Path) -> None:
    write(tmp_path / "b.jsonl", {"content": CODE})
    (tmp_path / "sub").mkdir()
    with gzip.open(tmp_path / "sub" / "a.jsonl.gz", "wt") as file:
        file.write("\n" + json.dumps({"content": OTHER}) + "\n\n")
    parts = found(f"jsonl:{tmp_path}")
    assert [p.origin.path for p in parts] == ["b.jsonl:1", "sub/a.jsonl.gz:2", "sub/a.jsonl.gz:2"]


def test_parquet_and_data_sets_give_what_jsonl_gives(tmp_path: Path) -> None:
    pa = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    datasets = pytest.importorskip("datasets")
    rows = [{"content": code, "calls": ["double(1)"], "n": k} for k, code in enumerate([CODE, OTHER] * 3)]
    write(tmp_path / "a.jsonl", *rows)
    parquet.write_table(pa.Table.from_pylist(rows), tmp_path / "a.parquet", row_group_size=2)
    made = datasets.Dataset.from_list(rows)
    made.save_to_disk(str(tmp_path / "one"))
    datasets.DatasetDict({"test": made}).save_to_disk(str(tmp_path / "split"))
    (tmp_path / "plain").mkdir()
    write(tmp_path / "plain" / "train.jsonl", *rows)
    expected = entries(f"jsonl:{tmp_path / 'a.jsonl'}")
    assert expected == ["clean", "double", "show"] * 3
    for spec in ("parquet:a.parquet", "hub:one", "hub:split:test", "hub:plain:train"):
        kind, _, rest = spec.partition(":")
        whole = f"{kind}:{tmp_path / rest}"
        assert entries(whole) == expected, spec
        assert calls(whole) == {"clean": [], "double": ["double(1)"], "show": []}
        assert [p.origin.path.rpartition(":")[2] for p in found(whole)] == list("122344566")
    with pytest.raises(UsageError, match="no split 'train'; there are test"):
        found(f"hub:{tmp_path / 'split'}")


# -- PyX rows --------------------------------------------------------------------------------------------------------

QUESTION = "[PYTHON]\ndef f(x, y):\n    return x + y\nassert f({0}) == {1}\n[/PYTHON]"
ANSWER = "[MONOLOGUE]\nSo.\n[/MONOLOGUE]\n[ANSWER]assert f({0}) == {1}[/ANSWER]"


def pyx(**filled: str) -> dict[str, Any]:
    return {"id": "1", "nl": "", "fwd_mnl": "", "bwd_mnl": "", "response": "", **filled}


def test_pyx_rows_give_programs_with_their_calls(tmp_path: Path) -> None:
    path = write(
        tmp_path / "a.jsonl",
        pyx(nl="Write it.\nassert double(4) == 8", response=f"Sure.\n```python\n{OTHER}```\nDone."),
        pyx(fwd_mnl=QUESTION.format("1, '??'", "??"), response=ANSWER.format("1, '??'", "9")),
        pyx(bwd_mnl=QUESTION.format("??", "[3]"), response=ANSWER.format("[1], [2]", "[3]")),
    )
    found_calls = calls(f"pyx:{path}")
    assert found_calls == {"double": ["double(4)"], "show": [], "f": ["f(1, '...')", "f(1, '??')", "f([1], [2])"]}
    programs = found(f"pyx:{path}")
    assert [p.source for p in programs[2:] if isinstance(p, Program)] == ["def f(x, y):\n    return x + y\n"] * 2
    source = open_source(f"pyx:{path}")
    first = next(p for p in source.programs() if isinstance(p, Program) and p.entry == "f")
    assert len(known_calls(source, first)) == 3  # those of the later row are known


def test_our_own_rows_are_pyx_rows(tmp_path: Path) -> None:
    program = {"source": CODE, "entry": "clean", "origin": {"source": "folder", "project": "p"}, "license": "MIT"}
    asked = f"Task: x\n[PYTHON]\n{CODE}assert clean(??) == 'a'\n[/PYTHON]"
    row = pyx(bwd_mnl=asked, response="...") | {"program": program, "call": "clean('xax')", "task": "backward"}
    (tmp_path / "rows").mkdir()
    write(tmp_path / "rows" / "backward-00000.jsonl", row)
    write(tmp_path / "drops.jsonl", {"reason": "no row of PyX"})
    assert found(f"pyx:{tmp_path}") == [Program(CODE, "clean", Origin("folder", "p"), "MIT")]
    assert calls(f"pyx:{tmp_path}") == {"clean": ["clean('xax')"]}


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"nl": "x"}, "a.jsonl:1: no column 'fwd_mnl'; a PyX row has id, nl, fwd_mnl, bwd_mnl, response"),
        (pyx(), "a.jsonl:1: exactly one of nl, fwd_mnl, bwd_mnl must hold text, not 0"),
        (pyx(nl="a", bwd_mnl="b"), "must hold text, not 2"),
        (pyx(nl="x") | {"response": 3}, "a.jsonl:1: column 'response' holds int, not text"),
    ],
)
def test_rows_that_are_no_pyx_rows(row: dict[str, Any], message: str, tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", row)
    with pytest.raises(InputError) as error:
        found(f"pyx:{path}")
    assert message in str(error.value)


def test_pyx_rows_without_code_are_dropped(tmp_path: Path) -> None:
    path = write(
        tmp_path / "a.jsonl",
        pyx(fwd_mnl="def f(): ..."),
        pyx(bwd_mnl="[PYTHON]\nx = 1\n[/PYTHON]"),
        pyx(fwd_mnl="[PYTHON]\nx = 1\nassert x == ??\n[/PYTHON]"),
        pyx(fwd_mnl="[PYTHON]\nx = (\nassert f(1) == ??\n[/PYTHON]"),
        pyx(fwd_mnl="[PYTHON]\nassert f(1) == ??\n[/PYTHON]"),
        pyx(nl="Write it.", response="I cannot."),
    )
    assert entries(f"pyx:{path}") == ["no code in the row"] * 3 + [
        "not Python",
        "does not define its entry",
        "not Python",
    ]


# -- malformed input -------------------------------------------------------------------------------------------------

GOOD = json.dumps({"content": CODE}).encode() + b"\n"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "a.jsonl:1: the file is empty"),
        (b"\n \n", "a.jsonl:1: the file is empty"),
        (b"def f(x): return x\n", "a.jsonl:1: not JSON"),
        (GOOD + b'{"content": "def f', "a.jsonl:2: not JSON (Unterminated string"),
        (GOOD + b'{"content": "def f', "it may be torn"),
        (GOOD + b"[1]\n", "a.jsonl:2: expected a JSON object, got list"),
        (GOOD + "{'content': 1}\n".encode("utf-16"), "a.jsonl:2: not UTF-8 text (byte 1 of the line)"),
        (GOOD + '{"content": "é"}\n'.encode("latin-1"), "a.jsonl:2: not UTF-8 text (byte 14 of the line)"),
        (GOOD + b'{"body": "x"}\n', "a.jsonl:2: no column of code; name one, as in jsonl:...?code=COLUMN (there are body)"),
        (GOOD + b"{}\n", "(the row is empty)"),
        (GOOD + b'{"content": 3}\n', "a.jsonl:2: column 'content' holds int, not text"),
        (GOOD + b'{"source": "def f(x): return x", "entry": "f", "calls": [1]}\n', "a.jsonl:2: column 'calls' holds int"),
        (GOOD + b'{"program": {"entry": "f"}}\n', "a.jsonl:2: program: missing field 'source'"),
        (GOOD + b'{"content": "x = 1", "origin": {"source": 3}}\n', "a.jsonl:2: origin.source"),
        (GOOD + b"[" * 100_000, "a.jsonl:2: not JSON"),
    ],
)  # fmt: skip
def test_malformed_rows_are_told_by_file_and_row(data: bytes, message: str, tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(data)
    with pytest.raises(InputError) as error:
        found(f"jsonl:{tmp_path / 'a.jsonl'}")
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_a_named_column_must_be_there(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", {"prompt": CODE}, {"content": CODE})
    with pytest.raises(InputError, match=r"a\.jsonl:2: no column 'prompt' \(there are content\)"):
        found(f"jsonl:{path}?code=prompt")
    with pytest.raises(InputError, match=r"a\.jsonl:1: no column 'main'"):
        open_source(f"jsonl:{path}?code=prompt&entry=main")  # told at once


def test_torn_compressed_files(tmp_path: Path) -> None:
    whole = gzip.compress(GOOD * 2000)
    (tmp_path / "a.jsonl.gz").write_bytes(whole[:-20])
    with pytest.raises(InputError, match=r"a\.jsonl\.gz:\d+: the compressed file is torn"):
        found(f"jsonl:{tmp_path / 'a.jsonl.gz'}")
    (tmp_path / "b.jsonl.gz").write_bytes(GOOD)
    with pytest.raises(InputError, match=r"b\.jsonl\.gz:1: the compressed file is torn or no gzip file"):
        found(f"jsonl:{tmp_path / 'b.jsonl.gz'}")


def spoil_nothing(path: Path) -> None:
    path.write_bytes(b"")


def spoil_text(path: Path) -> None:
    path.write_bytes(GOOD)


def spoil_end(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-30])


def spoil_middle(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[10:60] = b"\xff" * 50
    path.write_bytes(data)


@pytest.mark.parametrize("spoil", [spoil_nothing, spoil_text, spoil_end, spoil_middle])
def test_spoilt_parquet_files(spoil: Callable[[Path], None], tmp_path: Path) -> None:
    pa = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    path = tmp_path / "a.parquet"
    parquet.write_table(pa.table({"content": [CODE, OTHER]}), path)
    spoil(path)
    with pytest.raises(InputError, match=r"^a\.parquet:\d: ") as error:
        found(f"parquet:{path}")
    assert "\n" not in str(error.value)


def test_empty_tables(tmp_path: Path) -> None:
    pa = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    datasets = pytest.importorskip("datasets")
    parquet.write_table(pa.table({"content": pa.array([], pa.string())}), tmp_path / "a.parquet")
    with pytest.raises(InputError, match=r"a\.parquet:1: the file holds no row"):
        open_source(f"parquet:{tmp_path / 'a.parquet'}")
    datasets.Dataset.from_dict({"content": []}).save_to_disk(str(tmp_path / "set"))
    with pytest.raises(InputError, match="set:train:1: "):
        open_source(f"hub:{tmp_path / 'set'}")


def test_a_folder_that_is_no_data_set(tmp_path: Path) -> None:
    pytest.importorskip("datasets")
    with pytest.raises(InputError, match=r":train:1: cannot be read \("):
        open_source(f"hub:{tmp_path}")


@pytest.mark.parametrize("package", ["pyarrow", "datasets"])
def test_a_missing_library_is_told_with_its_command(
    package: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    (tmp_path / "a.parquet").write_bytes(b"x")
    spec = f"parquet:{tmp_path}" if package == "pyarrow" else "hub:someone/something"
    with pytest.raises(MissingExtra, match=rf"{package} is not installed; run: pip install 'semcoder\[data\]'"):
        open_source(spec)


@pytest.mark.parametrize(
    ("spec", "says"),
    [
        ("jsonl:", "jsonl needs what to read"),
        ("jsonl:no/such.jsonl", "there is no file or folder 'no/such.jsonl'"),
        ("jsonl:{}", r"no file \*\.jsonl or \*\.jsonl\.gz in"),
        ("parquet:{}", r"no file \*\.parquet in"),
        ("pyx:{}", r"no file \*\.jsonl or"),
        ("jsonl:a.jsonl?cod=x", "'cod=x' is not understood; write code=..., entry=..., calls=..., license=..."),
        ("jsonl:a.jsonl?code=", "'code=' is not understood"),
        ("pyx:a.jsonl?code=x", "'code=x' is not understood; write license=..."),
    ],
)
def test_wrong_specs(spec: str, says: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=says):
        open_source(spec.format(tmp_path))


def test_parts_of_a_spec() -> None:
    assert read_spec("a+b?c+groups+tests").text == "a+b?c"
    read = read_spec("a?b.jsonl?code=x y+groups", keys=("code",))
    assert (read.text, dict(read.options), sorted(read.flags)) == ("a?b.jsonl", {"code": "x y"}, ["groups"])


# -- fingerprints, and data sets by name -----------------------------------------------------------------------------


def told(spec: str) -> str:
    return fingerprint.sources(BuildConfig(sources=(spec,)))[spec]


def test_files_of_rows_are_told_apart_by_what_is_in_them(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", {"content": CODE})
    first = told(f"jsonl:{path}?code=content+groups")
    write(path, {"content": CODE})
    os.utime(path, (1, 1))
    assert told(f"jsonl:{path}?code=content+groups") == told(f"jsonl:{tmp_path}") == first
    write(path, {"content": OTHER})
    assert told(f"jsonl:{path}") != first


def test_the_tests_of_a_folder_count_by_their_calls(tmp_path: Path) -> None:
    (tmp_path / "tool.py").write_text(OTHER)
    first = told(str(tmp_path))
    (tmp_path / "test_tool.py").write_text("from tool import double\n\nprint(double(3))\n")
    assert told(str(tmp_path)) == first
    (tmp_path / "test_tool.py").write_text("from tool import double\n\nassert double(3) == 6\n")
    assert told(str(tmp_path)) != first


def test_a_data_set_by_name_is_streamed_and_told_apart_by_its_commit(monkeypatch: pytest.MonkeyPatch) -> None:
    datasets = pytest.importorskip("datasets")
    hub = pytest.importorskip("huggingface_hub")
    asked: list[Any] = []

    def load(*args: Any, **options: Any) -> list[dict[str, Any]]:
        asked.append((*args, options))
        return [{"body": OTHER}]

    def info(_: object, name: str, revision: str | None = None) -> Any:
        if name == "someone/gone":
            raise OSError("no such\ndata set")
        return types.SimpleNamespace(sha=f"{name} at {revision}")

    monkeypatch.setattr(datasets, "load_dataset", load)
    monkeypatch.setattr(hub.HfApi, "dataset_info", info)
    spec = "hub:someone/rows:test?code=body&config=python&revision=v1"
    parts = found(spec)
    assert [part.origin for part in parts] == [
        Origin("hub", "someone/rows", path="someone/rows:test:1", line=n) for n in (1, 6)
    ]
    assert asked == [("someone/rows", "python", {"split": "test", "revision": "v1", "streaming": True})]
    assert told(spec) == "revision someone/rows at v1"
    assert told("hub:someone/rows") == "revision someone/rows at None"
    assert told("hub:someone/gone?revision=" + "0a" * 20) == "revision " + "0a" * 20  # nobody is asked
    with pytest.raises(InputError, match=r"^hub:someone/gone: its revision cannot be told \(no such\); name a commit"):
        told("hub:someone/gone")


def test_a_data_set_that_cannot_be_had(monkeypatch: pytest.MonkeyPatch) -> None:
    datasets = pytest.importorskip("datasets")

    def load(*args: Any, **options: Any) -> None:
        raise ConnectionError("no network\nat all")

    monkeypatch.setattr(datasets, "load_dataset", load)
    with pytest.raises(InputError, match=r"^someone/rows:train:1: cannot be read \(no network\)$"):
        found("hub:someone/rows")


def test_a_torn_file_ends_collecting_with_one_line(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(GOOD + b'{"content": "def f')
    assert run_command(["collect", f"jsonl:{path}", "--out", str(tmp_path / "out")]) == 2
    lines = [line for line in capfd.readouterr().err.splitlines() if "collecting" not in line]
    assert len(lines) == 1, lines
    assert lines[0].startswith("semcoder: error: a.jsonl:2: not JSON")

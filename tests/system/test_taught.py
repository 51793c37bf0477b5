"""A build with a teacher behind a real HTTP server, and the data-set card."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from semcoder.core import Sample, load
from semcoder.core.files import read_jsonl
from semcoder.monologue import style, verify
from semcoder.pyx.synth.replies import read_told
from semcoder.tracing import trace_here
from tests import servers
from tests.system.test_engines import FUNCTIONS

pytest.importorskip("openai")
KEY = "sk-a-key-that-must-not-be-seen"
_TEXTS = ("", "a", "ab", "aab", "aabb", "(", "()", "(())", ")")
CANDIDATES = [*map(repr, _TEXTS), "['a']", "['a', 'bb']", "[]", "0", "7", "12", "305", "-4"]


def served(asked: servers.Asked) -> servers.Answer:
    """A teacher who tells executions as we do, with a word before; the first try of each has its conditions wrong."""
    question = asked.body["messages"][-1]["content"]
    source = "\n".join(line[6:] for line in re.findall(r"^ *\d+ \|.*$", question, re.MULTILINE)) + "\n"
    wanted = question.rsplit("\nassert ", 1)[1]
    call = wanted.removesuffix(" == ??")
    if call == wanted:
        entry, output = wanted.split("(??) == ", 1)
        fit = [text for text in CANDIDATES if _output(source, f"{entry}({text})") == output]
        call = f"{entry}({fit[0] if fit else 1})"
    text = style("forward").render(trace_here(source, call)).text
    if not asked.body.get("seed"):
        text = text.replace("is false", "is TRUE").replace("is true", "is false").replace("is TRUE", "is true")
    text = f"Let me follow the code.\n{text}"
    return servers.said(f"[MONOLOGUE]\n{text}\n[/MONOLOGUE]\n[ANSWER]assert {call} == {_output(source, call)}[/ANSWER]")


def _output(source: str, call: str) -> str:
    value = trace_here(source, call).outcome.value
    return "" if value is None else value.literal()


def build(config: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "semcoder", "build", str(config), "--json"]
    env = {**os.environ, "OPENAI_API_KEY": KEY}
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=300, env=env)


@pytest.fixture(scope="module")
def taught(tmp_path_factory: pytest.TempPathFactory) -> Any:
    root = tmp_path_factory.mktemp("taught")
    (root / "tools.py").write_text(FUNCTIONS)
    with servers.Scripted(served) as server:
        fields = {"sources": [str(root / "tools.py")], "out": str(root / "out"), "shards": 2, "unknown_license": True}
        config = root / "build.yaml"
        config.write_text(yaml.safe_dump({**fields, "teacher": f"openai:tiny@{server.url}", "teacher_per_program": 2}))
        done = build(config)
        assert done.returncode == 0, done.stderr
        yield json.loads(done.stdout), root / "out", config, server


def test_a_teachers_monologues_are_rows_where_no_claim_is_false(taught: Any) -> None:
    manifest, out, _, _ = taught
    found = manifest["teacher"]
    assert found["teacher"] == "openai:tiny"
    assert found["programs_unanswered"] == 0
    for direction in ("forward", "backward"):
        rows = [load(Sample, row) for row in read_jsonl(out / "rows" / f"{direction}-00000.jsonl")]
        told = [sample for sample in rows if sample.found_by == "teacher"]
        figures = found[direction]
        assert len(told) == figures["accepted"] > 0
        assert figures["answer_right_but_claim_false"] > 0, "a check of the answer alone would have let these through"
        for sample in told:
            assert sample.program is not None
            trace = trace_here(sample.program.source, sample.call)
            verdicts = [claim.verdict for claim in verify(read_told(sample.response).text, trace)]
            assert False not in verdicts
            assert True in verdicts


def test_a_second_start_asks_nothing_and_no_key_is_written(taught: Any) -> None:
    _, out, config, server = taught
    asked = len(server.seen)
    before = {path: path.read_bytes() for path in (out / "rows").iterdir()}
    done = build(config)
    assert done.returncode == 0, done.stderr
    assert len(server.seen) == asked
    assert {path: path.read_bytes() for path in (out / "rows").iterdir()} == before
    for path in out.rglob("*"):
        assert not path.is_file() or KEY.encode() not in path.read_bytes(), path
    assert KEY not in done.stdout + done.stderr


def test_the_card_says_what_the_manifest_says(taught: Any) -> None:
    manifest, out, _, _ = taught
    text = (out / "README.md").read_text()
    head = yaml.safe_load(text.split("---\n")[1])
    assert [one["config_name"] for one in head["configs"]] == [k for k, n in manifest["counts"]["rows"].items() if n]
    assert head["size_categories"] == ["n<1K"]
    assert f"| claims false | {manifest['counts']['claims_false']} |" in text
    assert f"| coverage percent of lines | {manifest['figures']['coverage_percent_of_lines']} |" in text
    assert f"Python {manifest['versions']['python']}" in text
    assert "| unknown | 4 |" in text
    assert "No benchmark was named to be kept out" in text


def test_the_rows_load_as_a_data_set_by_the_card(taught: Any) -> None:
    datasets = pytest.importorskip("datasets")
    manifest, out, _, _ = taught
    for kind, number in manifest["counts"]["rows"].items():
        rows = datasets.load_dataset(str(out), kind, split="train", cache_dir=str(out.parent / "cache"))
        assert rows.num_rows == number
        assert {"id", "nl", "fwd_mnl", "bwd_mnl", "response"} <= set(rows.column_names)

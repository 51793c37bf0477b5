"""The report: its JSON shape, its page, what a hostile corpus may not do to it."""

from __future__ import annotations

import dataclasses
import html.parser
import itertools
import json
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from semcoder.core import Claim, Monologue, Origin, Program, Sample, dump
from semcoder.errors import InputError
from semcoder.monologue.checking import verify
from semcoder.monologue.forward import Forward
from semcoder.monologue.sentences import read_sentences
from semcoder.report import build_page, monologue_shape, stepper_shape
from semcoder.report.html import embed
from semcoder.report.shape import STEP_LIMIT, TEXT_LIMIT, pieces, source_lines
from semcoder.tracing import Trace, trace_here
from tests.browsing import WRITERS

LOOP = '''def runs(items):
    """Lengths of runs of equal neighbours."""
    found = []
    for item in items:
        if found and found[-1][0] == item:
            found[-1][1] += 1
        else:
            found.append([item, 1])
    return {str(item): size for item, size in found}
'''
RECURSION = """def hanoi(n, source, target, spare):
    if n == 0:
        return 0
    moved = hanoi(n - 1, source, spare, target)
    print(f"disc {n}: {source} -> {target}")
    return moved + 1 + hanoi(n - 1, spare, target, source)
"""
CLASSES = '''class Account:
    """Money of one person."""

    def __init__(self, owner, balance=0):
        self.owner = owner
        self.balance = balance

    def withdraw(self, amount):
        if amount > self.balance:
            raise ValueError(f"{self.owner} has only {self.balance}")
        self.balance -= amount
        return self.balance


def spend(amounts):
    account = Account("Ada", 100)
    refused = 0
    for amount in amounts:
        try:
            account.withdraw(amount)
        except ValueError as error:
            refused += 1
            print("refused:", error)
        finally:
            left = account.balance
    return left, refused
'''
HOSTILE = """def shout(text):
    # </script><script>document.title = "owned"</script> <!-- <script>
    marks = ["</script>", "<!--", "<img src=x onerror=alert(1)>", "`", "``", "'\\"", "\\u202e", "\\ud800", "\\u2028"]
    for mark in marks:
        text += mark
    print("</script><script>document.title = 'owned'</script>", "\\x1b[31m")
    return text
"""
FAILING = """def first_even(numbers):
    k = 0
    while True:
        if numbers[k] % 2 == 0:
            return numbers[k]
        k += 1
"""
GENERATOR = """LIMIT = 3
SEEN = []


def squares(n):
    k = 0
    while k < n:
        yield k * k
        k += 1


def total():
    total = 0
    for square in squares(LIMIT):
        SEEN.append(square)
        total += square
    del square
    return total
"""
CASES = {
    "loop": (LOOP, "runs([1, 1, 2, 3, 3, 3])"),
    "recursion": (RECURSION, "hanoi(2, 'left', 'right', 'middle')"),
    "classes": (CLASSES, "spend([30, 90, 45])"),
    "hostile": (HOSTILE, "shout('<b>&amp;')"),
    "failing": (FAILING, "first_even([1, 3])"),
    "generator": (GENERATOR, "total()"),
}


def told(name: str) -> tuple[Trace, Monologue]:
    """A trace of a case and its monologue with the verdicts of its claims."""
    source, call = CASES[name]
    trace = trace_here(source, call)
    monologue = Forward().render(trace)
    return trace, dataclasses.replace(monologue, claims=tuple(verify(monologue.text, trace)))


def with_false_claim(trace: Trace, monologue: Monologue, old: str, new: str) -> Monologue:
    assert old in monologue.text
    text = monologue.text.replace(old, new, 1)
    return dataclasses.replace(monologue, text=text, claims=tuple(verify(text, trace)))


def showcase_sample(name: str) -> dict[str, Any]:
    trace, forward = told(name)
    if name == "recursion":
        forward = with_false_claim(trace, forward, "`hanoi` returns `1`", "`hanoi` returns `2`")
    origin = Origin("folder", f"project <{name}>", "1.2.0", f"src/{name}.py", 12)
    backward = Monologue(
        "backward", "backward", f"The output is `{forward.answer}`.\nSo the call is `{CASES[name][1]}`.", CASES[name][1],
        (Claim("the call gives the output", "answer", True, "", 0, 10),), "search",
    )  # fmt: skip
    return {
        "program": dump(Program(CASES[name][0], name, origin, "MIT")),
        "call": CASES[name][1],
        "forward": dump(forward),
        "backward": dump(backward) if name == "loop" else None,
        "trace": trace.to_wire(),
    }


def manifest() -> dict[str, Any]:
    return {
        "config": {"seeds": ["stdlib"], "note": "</pre><script>document.title = 'owned'</script>"},
        "config_hash": "0f1e2d3c4b5a6978",
        "versions": {"semcoder": "0.1.0", "python": "3.11.9"},
        "counts": {
            "programs_seen": 12_480, "programs_kept": 9_173, "cases": 31_877, "rows": {"nl": 0, "forward": 6, "backward": 1},
            "monologues": 7, "claims_checked": 402_118, "claims_false": 1, "shards": 4,
        },
        "drops": {"raises on every input": 1702, "not deterministic": 833, "duplicate": 511, "timeout <b>": 261},
        "stages": {
            "collecting": {"timeout <b>": 261},
            "cleaning": {"duplicate": 511},
            "running": {"raises on every input": 1702, "not deterministic": 833},
        },
        "constructs": {
            "all programs": {"kept": 9173, "raises on every input": 1702, "not deterministic": 833},
            "for loop": {"kept": 600, "raises on every input": 200},
            "lambda <b>": {"not deterministic": 3},
        },
        "found_by": {"inversion": 3, "recorded input": 2},
        "figures": {"tokens_per_second": 1234.5678, "coverage": None},
    }  # fmt: skip


def make_folder(folder: Path) -> Path:
    """A finished corpus folder, as the pipeline writes it."""
    (folder / "rows").mkdir(parents=True)
    (folder / "manifest.json").write_text(json.dumps(manifest()))
    samples = [showcase_sample(name) for name in CASES]
    (folder / "showcase.json").write_text(json.dumps({"samples": samples}))
    rows = [
        Sample(
            f"s{k}",
            fwd_mnl="[PYTHON]",
            response=told(name)[1].text,
            program=Program(*CASES[name], Origin("folder", "demo"), "MIT"),
        )
        for k, name in enumerate(CASES)
    ]
    other = Program("x = 1\n", "f", Origin("generator"))
    rows.append(Sample("back", bwd_mnl="[PYTHON]", response="So the call is `f(1)`.", program=other))
    (folder / "rows" / "00000.jsonl").write_text("".join(json.dumps(dump(row)) + "\n" for row in rows))
    (folder / "programs.jsonl").write_text("".join(json.dumps(row) + "\n" for row in kept_programs()))
    (folder / "config.json").write_text(json.dumps({"sources": {"stdlib": "python 3.11.9"}}))
    return folder


def kept_programs() -> list[dict[str, Any]]:
    """What the report reads of kept programs: parts that were run, and steps of cases."""
    parts = [(4, 4, 2, 2), (9, 10, 1, 2), (3, 8, 0, 0)]
    names = ("lines_hit", "lines", "branches_hit", "branches")
    return [
        {"coverage": {"by_all": dict(zip(names, part, strict=True))}, "cases": [{"steps": k + 5}, {"steps": k + 9}]}
        for k, part in enumerate(parts)
    ]


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_folder(tmp_path_factory.mktemp("report") / "corpus")


# -- the shape


@pytest.mark.parametrize("name", CASES)
def test_every_sentence_of_ours_goes_to_the_step_it_tells(name: str) -> None:
    trace, monologue = told(name)
    shape = stepper_shape(trace, monologue)
    json.dumps(shape, allow_nan=False)
    steps, sentences = shape["steps"], shape["monologue"]["sentences"]
    told_lines = [s for s in read_sentences(monologue.text) if s.line]
    placed = [s for s in sentences if s["step"] is not None]
    assert len(placed) == len(told_lines)
    for sentence, read in zip(placed, told_lines, strict=True):
        step = steps[sentence["step"]]
        assert step["lines"][0] == read.line
        assert (step["kind"] == "resume") == read.goes_on
        assert sentences[step["sentence"]] is sentence
    assert [s["step"] for s in placed] == sorted({s["step"] for s in placed})
    assert all(step["sentence"] is not None for step in steps if step["kind"] != "resume")


@pytest.mark.parametrize("name", CASES)
def test_replaying_the_changes_gives_the_variables_before_every_step(name: str) -> None:
    """What the stepper does with `changes`, against the story that the checker uses."""
    from semcoder.monologue.story import Story

    trace, _ = told(name)
    spaces: dict[int, dict[str, str]] = {}
    shared: dict[str, str] = {}
    for moment, step in zip(Story(trace).moments, stepper_shape(trace)["steps"], strict=True):
        space = spaces.setdefault(step["frame"], {})
        before = {name: moment.before(name) for name in trace.names}
        assert {**shared, **space} == {k: v.display(TEXT_LIMIT) for k, v in before.items() if v is not None}
        for change in step["changes"]:
            target = shared if change["scope"] == "global" else space
            assert target.get(change["name"]) == change["old"]
            if change["new"] is None:
                del target[change["name"]]
            else:
                target[change["name"]] = change["new"]


def test_what_a_step_says_of_itself() -> None:
    shape = stepper_shape(*told("recursion"))
    first = shape["steps"][0]
    assert (first["kind"], first["lines"], first["function"], first["depth"]) == ("call", [1, 1], "hanoi", 0)
    assert [c["name"] for c in first["changes"]] == ["n", "source", "target", "spare"]
    test = shape["steps"][1]
    assert test["expressions"] == [
        {"kind": "value", "text": "n == 0", "value": "False", "at": [2, 7, 2, 13]},
        {"kind": "condition", "text": "n == 0", "value": "false", "at": [2, 7, 2, 13]},
    ]
    assert max(step["depth"] for step in shape["steps"]) == 2
    assert "".join(step["printed"] for step in shape["steps"]) == trace_here(*CASES["recursion"]).outcome.stdout
    assert shape["steps"][-1]["returned"] == "3"
    assert shape["outcome"] == {"status": "returned", "value": "3", "exception": None, "detail": ""}


def test_a_false_claim_keeps_its_verdict_and_what_was_true() -> None:
    trace, monologue = told("recursion")
    changed = with_false_claim(trace, monologue, "`hanoi` returns `1`", "`hanoi` returns `2`")
    shape = monologue_shape(changed)
    false = [(s, c) for s in shape["sentences"] for c in s["claims"] if c["verdict"] is False]
    assert [c["actual"] for _, c in false] == ["hanoi returns 1"]
    assert "hanoi" in false[0][0]["pieces"]
    assert shape["claims"] == {"true": len(changed.claims) - 1, "false": 1, "unjudged": 0}


def test_every_claim_stands_at_its_sentence() -> None:
    """Characters beyond the basic plane count once in claims' offsets."""
    source = "def f(text):\n    a = text + '\U0001f600'\n    return a\n"
    trace = trace_here(source, "f('\U0001f600')")
    text = Forward().render(trace).text
    claims = tuple(verify(text, trace))
    shape = monologue_shape(Monologue("forward", "forward", text, "", claims))
    rows = ["`".join(s["pieces"]) for s in shape["sentences"]]
    assert rows == text.split("\n")
    for row, sentence in zip(rows, shape["sentences"], strict=True):
        assert {text[c.start : c.end] for c in claims if c.text in {k["text"] for k in sentence["claims"]}} <= set(rows)
        assert all(c["kind"] == "order" or c["text"] in row for c in sentence["claims"])
    assert sum(len(s["claims"]) for s in shape["sentences"]) == len(claims)


def test_a_claim_about_the_end_belongs_to_the_last_sentence() -> None:
    trace, monologue = told("loop")
    text = "\n".join(monologue.text.split("\n")[:5])
    shape = monologue_shape(Monologue("forward", "forward", text, "", tuple(verify(text, trace))))
    assert shape["sentences"][-1]["claims"][-1]["kind"] == "complete"
    assert "steps are missing" in shape["sentences"][-1]["claims"][-1]["actual"]


def test_a_text_that_is_not_ours_is_followed_where_it_can_be() -> None:
    trace, monologue = told("loop")
    rows = monologue.text.split("\n")
    steps = [s["step"] for s in stepper_shape(trace, monologue)["monologue"]["sentences"]]
    at = next(k for k, row in enumerate(rows) if row.startswith("Line 5"))

    def places(changed: list[str]) -> list[int | None]:
        other = Monologue("forward", "other", "\n".join(changed), "")
        return [s["step"] for s in stepper_shape(trace, other)["monologue"]["sentences"]]

    wrong_line = [*rows[:at], rows[at].replace("Line 5", "Line 6"), *rows[at + 1 :]]
    assert places(wrong_line) == steps
    left_out = [*rows[:at], *rows[at + 1 :]]
    assert places(left_out) == [*steps[:at], *steps[at + 1 :]]
    added = [*rows[:at], "Line 77: `x` is `1`.", *rows[at:]]
    assert places(added) == [*steps[:at], None, *steps[at:]]


def test_sentences_at_expression_detail_are_placed_too() -> None:
    trace, _ = told("recursion")
    monologue = Forward().render(trace, detail="expression")
    shape = stepper_shape(trace, monologue)
    placed = [s for s in shape["monologue"]["sentences"] if s["step"] is not None]
    assert len(placed) == sum(1 for s in read_sentences(monologue.text) if s.line)


def test_long_values_are_shortened_and_long_runs_cut_and_the_shape_says_so() -> None:
    source = "def f(n):\n    x = [7] * n\n    for k in range(n):\n        y = k\n    return len(x)\n"
    trace = trace_here(source, "f(600)")
    monologue = Forward().render(trace)
    text = monologue.text.replace("`k` becomes `590`", "`k` becomes `5`")
    assert text != monologue.text
    claims = tuple(verify(text, trace))
    shape = stepper_shape(trace, dataclasses.replace(monologue, text=text, claims=claims))
    assert len(shape["steps"]) == STEP_LIMIT < shape["total_steps"] == len(trace.steps)
    value = shape["steps"][1]["changes"][0]["new"]
    assert " ... " in value
    assert len(value) < TEXT_LIMIT + 10
    sentences = shape["monologue"]["sentences"]
    assert shape["monologue"]["omitted"] > 150
    kept = [s for s in sentences if any(c["verdict"] is False for c in s["claims"])]
    assert len(kept) == 1, "a false claim is shown even where its step is not"
    assert kept[0]["step"] is None
    assert max(len(piece) for s in sentences for piece in s["pieces"]) < TEXT_LIMIT + 10


def test_whole_programs_limits_and_runs_without_a_monologue() -> None:
    from semcoder.core import Invocation

    program = trace_here("x = int(input())\nprint(x + 1)\n", Invocation("41", "stdin"))
    shape = stepper_shape(program)
    assert shape["monologue"] is None
    assert (shape["kind"], shape["outcome"]["value"]) == ("stdin", None)
    loop = trace_here("for k in range(int(input())):\n    print(k)\n", Invocation("2", "stdin"))
    sentences = stepper_shape(loop, Forward().render(loop))["monologue"]["sentences"]
    assert [sentence["step"] for sentence in sentences] == [0, 1, 2, 3, 4, 5, 6, None]
    cut = trace_here(*CASES["recursion"], max_events=40)
    shape = stepper_shape(cut, Forward().render(cut))
    assert shape["truncated"]
    assert [s for s in shape["steps"] if s["sentence"] is not None]


def test_the_documented_example_is_what_the_code_gives() -> None:
    page = (Path(__file__).parents[2] / "docs/design/report.md").read_text(encoding="utf-8")
    example = json.loads(page.partition("```json\n")[2].partition("```")[0])
    trace = trace_here("def double(n):\n    return n * 2\n", "double(4)")
    text = Forward().render(trace).text
    claims = tuple(verify(text, trace))
    shape = stepper_shape(trace, Monologue("forward", "forward", text, "8", claims))
    assert example == {**shape, "python": example["python"]}


def test_pieces_alternate_and_survive_backticks() -> None:
    assert pieces("Line 3: `n` is `3`.") == ["Line 3: ", "n", " is ", "3", "."]
    assert pieces("`` '`' `` is printed") == ["", "'`'", " is printed"]
    assert pieces("no code") == ["no code"]


def test_source_lines_are_the_parsers_lines() -> None:
    assert source_lines("a = 1\r\nb = '\x0c\u2028'\rc\n") == ["a = 1", "b = '\x0c\u2028'", "c"]
    assert source_lines("") == [""]


def test_a_compound_statement_lights_its_header_and_a_simple_one_all_its_lines() -> None:
    source = (
        "def f(a):\n    if (a and\n            a > 1):\n        b = [\n            a,\n        ]\n        return b\n"
    )
    lines = [step["lines"] for step in stepper_shape(trace_here(source, "f(2)"))["steps"]]
    assert lines == [[1, 1], [2, 3], [4, 6], [7, 7]]


# -- the page


class _Page(html.parser.HTMLParser):
    """Every element with its attributes, and the text of scripts, styles and all else."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, list[str]] = {}
        self._inside = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self._inside = tag
        if tag in ("script", "style"):
            self.texts.setdefault(tag, []).append("")

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside in ("script", "style"):
            self.texts[self._inside][-1] += data
        else:
            self.texts.setdefault("other", []).append(data)


def csv_of(text: str) -> dict[str, list[dict[str, str]]]:
    """The tables that a page carries as CSV, by name."""
    import base64
    import csv

    found = {}
    for name, data in re.findall(r'download="([^"]+)\.csv" href="data:text/csv;charset=utf-8;base64,([^"]*)"', text):
        assert name not in found, f"two tables are called {name}"
        found[name] = list(csv.DictReader(base64.b64decode(data).decode("utf-8").splitlines()))
    return found


def wide(text: str) -> str:
    """A page without the drawings for narrow windows."""
    return re.sub('<svg class="narrow".*?</svg>', "", text, flags=re.DOTALL)


def _asks_for_nothing(page: _Page) -> None:
    for tag, attributes in page.elements:
        assert "src" not in attributes
        assert not any(name.startswith("on") or name == "style" for name in attributes)
        assert str(attributes.get("href", "#")).startswith(("#", "data:text/csv;")), tag
    assert not {"link", "iframe", "object", "img", "base", "form"} & {tag for tag, _ in page.elements}


def test_the_page_holds_everything_and_asks_for_nothing(corpus: Path) -> None:
    path = build_page(corpus)
    assert path == corpus / "report.html"
    text = path.read_text(encoding="utf-8")
    page = _Page(text)
    _asks_for_nothing(page)
    tags = [tag for tag, _ in page.elements]
    assert (tags.count("script"), tags.count("style")) == (2, 1)
    assert tags.count("h1") == tags.count("main") == 1
    other = "".join(page.texts["other"])
    for shown in (
        "12,480",
        "9,173",
        "31,877",
        "402,118",
        "raises on every input",
        "1,702",
        "(73.5 %)",
        "not judged",
        "1,235",
        "60.0",
    ):
        assert shown in other
    assert "7 rows in 1 file" in other
    assert "timeout <b>" in other
    assert f"{max(len(told(name)[1].text) for name in CASES):,}" in other
    assert "differ" not in other


def test_the_policy_admits_just_this_script_and_style(corpus: Path) -> None:
    import base64
    import hashlib

    page = _Page(build_page(corpus).read_text(encoding="utf-8"))
    policy = next(a["content"] for t, a in page.elements if t == "meta" and "http-equiv" in a)
    assert policy is not None
    assert "unsafe" not in policy
    for text in (page.texts["script"][1], page.texts["style"][0]):
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in policy


def test_data_stays_data(corpus: Path) -> None:
    text = build_page(corpus).read_text(encoding="utf-8")
    page = _Page(text)
    data = json.loads(page.texts["script"][0])
    assert [sample["stepper"]["source"] for sample in data] == [source_lines(s) for s, _ in CASES.values()]
    assert data[0]["backward"]["answer"] == CASES["loop"][1]
    assert data[0]["provenance"]["Path"] == "src/loop.py"
    assert "<" not in page.texts["script"][0]
    assert text.lower().count("<script") == 2
    assert text.lower().count("</script") == 2
    assert "<!--" not in text


def test_embedded_json_cannot_end_its_element() -> None:
    hostile = ["</script>", "<!--", "<script>", "]]>", "&lt;", "\u2028", "\ud800", "\x00"]
    text = embed(hostile)
    assert json.loads(text) == hostile
    assert not set("<>&") & set(text)
    assert text.isascii()
    with pytest.raises(ValueError):
        embed(float("nan"))


def test_the_scripts_never_write_markup() -> None:
    folder = Path(__file__).parents[2] / "src/semcoder/report/static"
    for path in folder.glob("*.js"):
        script = path.read_text(encoding="utf-8")
        for word in (*WRITERS, "</script", "<!--"):
            assert word not in script, f"{path.name} has {word}"


def test_rows_that_differ_from_the_manifest_are_told(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "corpus")
    doc = manifest()
    doc["counts"]["rows"]["forward"] = 9
    (folder / "manifest.json").write_text(json.dumps(doc))
    assert "9 forward rows stated, 6 found" in build_page(folder).read_text(encoding="utf-8")


def test_a_corpus_without_samples_or_drops_has_a_page(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "corpus")
    doc = {**manifest(), "drops": {}, "figures": {}}
    doc["counts"] = {**doc["counts"], "programs_seen": 0, "programs_kept": 0}
    (folder / "manifest.json").write_text(json.dumps(doc))
    (folder / "showcase.json").write_text('{"samples": []}')
    text = build_page(folder).read_text(encoding="utf-8")
    assert "Nothing was dropped" in text
    assert "no samples to show" in text


def _edit(name: str, change: Callable[[dict[str, Any]], object]) -> Callable[[Path], object]:
    def edit(folder: Path) -> None:
        doc = json.loads((folder / name).read_text())
        change(doc)
        (folder / name).write_text(json.dumps(doc))

    return edit


def _first(change: Callable[[dict[str, Any]], object]) -> Callable[[Path], object]:
    return _edit("showcase.json", lambda doc: change(doc["samples"][1]))


MALFORMED: dict[str, tuple[Callable[[Path], object], str]] = {
    "no manifest": (lambda d: (d / "manifest.json").unlink(), "manifest.json: no such file"),
    "no showcase": (lambda d: (d / "showcase.json").unlink(), "showcase.json: no such file"),
    "no rows": (lambda d: shutil.rmtree(d / "rows"), "rows: no such folder"),
    "torn manifest": (lambda d: (d / "manifest.json").write_text('{"counts": '), "manifest.json: not JSON"),
    "manifest is a list": (lambda d: (d / "manifest.json").write_text("[]"), "expected a JSON object, got list"),
    "no counts": (_edit("manifest.json", lambda m: m.pop("counts")), "'counts' must be an object"),
    "a count is text": (
        _edit("manifest.json", lambda m: m["counts"].update(cases="9")),
        "counts['cases'] must be a number",
    ),
    "a count is missing": (_edit("manifest.json", lambda m: m["counts"].pop("cases")), "counts lack cases"),
    "found_by is a list": (_edit("manifest.json", lambda m: m.update(found_by=[])), "'found_by' must be an object"),
    "a drop is true": (_edit("manifest.json", lambda m: m["drops"].update(x=True)), "drops['x'] must be a number"),
    "a torn row": (lambda d: (d / "rows" / "00000.jsonl").open("a").write('{"id"'), "00000.jsonl:8: not a JSON row"),
    "a row without id": (lambda d: (d / "rows" / "00001.jsonl").write_text("{}\n"), "00001.jsonl:1"),
    "samples is a number": (_edit("showcase.json", lambda s: s.update(samples=3)), "'samples' must be a list"),
    "a sample is text": (
        _edit("showcase.json", lambda s: s.update(samples=["x"])),
        "samples[0]: expected a JSON object",
    ),
    "no program": (_first(lambda s: s.pop("program")), "samples[1].program"),
    "no forward": (_first(lambda s: s.pop("forward")), "samples[1].forward"),
    "a claim is text": (_first(lambda s: s["forward"].update(claims=["x"])), "samples[1].forward"),
    "no trace": (_first(lambda s: s.pop("trace")), "samples[1].trace"),
    "columns differ": (_first(lambda s: s["trace"]["columns"]["sites"].pop()), "samples[1].trace"),
    "a site is unknown": (
        _first(lambda s: s["trace"]["columns"].update(sites=[10**6] * len(s["trace"]["columns"]["kinds"]))),
        "samples[1].trace",
    ),
    "another source": (
        _first(lambda s: s["trace"].update(source=s["trace"]["source"] + "\n")),
        "another source than the program",
    ),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_malformed_folders_give_one_clear_line_and_no_page(name: str, tmp_path: Path, corpus: Path) -> None:
    folder = tmp_path / "corpus"
    shutil.copytree(corpus, folder, ignore=shutil.ignore_patterns("report.html"))
    change, expected = MALFORMED[name]
    change(folder)
    with pytest.raises(InputError) as caught:
        build_page(folder)
    assert expected in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not list(folder.glob("report.html*"))


def test_no_folder(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such folder"):
        build_page(tmp_path / "nowhere")


# -- training runs and studies of styles

HOSTILE_NAME = "<b>&\"' x"


def training_manifest() -> dict[str, Any]:
    return {
        "kind": "training",
        "recipe": {"kind": "sft", "about": "Learns <i>things</i>", "model": {"base": HOSTILE_NAME}},
        "recipe_hash": "0123456789abcdef",
        "versions": {"semcoder": "0.1.0", "torch": "2.9"},
        "counts": {
            "rows": 1200,
            "kept": 1100,
            "cut": 3,
            "dropped": {"too long": 97, HOSTILE_NAME: 3},
            "tokens": 123_456,
        },
        "figures": {"loss_first": 6.2, "loss_last": 0.25, "held_out_loss": None},
        "data": {HOSTILE_NAME: "sha256 00ff"},
    }


def training_folder(folder: Path, steps: int = 50, held_out: bool = True) -> Path:
    folder.mkdir(parents=True)
    (folder / "manifest.json").write_text(json.dumps(training_manifest()))
    rows: list[dict[str, Any]] = [
        {"step": k, "loss": 6.0 / k, "learning_rate": 1e-3, "grad_norm": 0.5, "answer_tokens": 10 * k, "seconds": k}
        for k in range(1, steps + 1)
    ]
    for row in rows[9::10] if held_out else []:
        row["held_out_loss"] = row["loss"] + 0.1
    if rows:
        rows[-1]["reward/answer"] = 0.5
    (folder / "log.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder


def ablation_manifest() -> dict[str, Any]:
    def row(equal: str, style: str, accuracy: float | None, against: dict[str, Any]) -> dict[str, Any]:
        ends = None if accuracy is None else [accuracy - 0.05, accuracy + 0.05]
        return {
            "equal": equal, "style": style, "runs": 3, "programs": 9000, "tokens": 688_647, "answer_tokens": 98_465,
            "accuracy": accuracy, "interval_over_seeds": ends, "interval_over_questions": ends,
            "step_accuracy": None if style == "direct" else 0.475, "unparsable": 0.0, "seconds": 120.0, "against": against,
        }  # fmt: skip

    minus = {"direct": {"difference": 0.1, "interval": [0.04, 0.16]}}
    rows = [
        row("programs", "direct", 0.05, {}),
        row("programs", "forward", 0.15, minus),
        row("tokens", HOSTILE_NAME, None, {}),
    ]
    return {
        "kind": "ablation",
        "recipe": {"kind": "ablation", "about": ""},
        "recipe_hash": "0123456789abcdef",
        "versions": {"semcoder": "0.1.0"},
        "counts": {
            "questions": 200,
            "runs": 2,
            "parameters": 643_840,
            "dropped": {"held out": 15_817},
            "dropped_questions": {},
        },
        "baselines": {"first argument": 0.015, "most frequent answer": 0.03},
        "table": rows,
    }


def ablation_folder(folder: Path) -> Path:
    folder.mkdir(parents=True)
    (folder / "manifest.json").write_text(json.dumps(ablation_manifest()))
    runs: list[dict[str, Any]] = []
    for style, loss in (("direct", None), ("forward", 0.0334)):
        runs.append({
            "style": style, "seed": 0, "programs": 9000, "accuracy": 0.15, "step_accuracy": None, "unparsable": 0.0,
            "tokens": 9, "loss_last": loss, "seconds": {"training": 60.0, "answering": 30.0},
        })  # fmt: skip
        training_folder(folder / "runs" / f"{style}-0-9000", held_out=False)
    (folder / "ablation.json").write_text(json.dumps({"runs": runs}))
    return folder


def evaluation_manifest() -> dict[str, Any]:
    def results(name: str, **changes: Any) -> dict[str, Any]:
        return {
            "benchmark": name, "n": 790, "pass@1": 41.25, "pass@2": 52.5, "pass@10": 60.0,
            "intervals": {"pass@1": [37.9, 44.6], "pass@2": [49.0, 56.0], "pass@10": [56.5, 63.5]},
            "wilson": None, "tasks": 800, "samples": 8000, "unjudged": 123, "unjudged_tasks": 10, "missing_tasks": 0,
            "bounds": [40.7, 42.0], "cut": 17, "failures": {"wrong": 4321, "sandbox": 123, HOSTILE_NAME: 1},
            "constructs": {"for loop": {"n": 333, "pass@1": 38.7, "interval": [33.5, 44.1]}, HOSTILE_NAME: {"n": 1, "pass@1": 0.0, "interval": [0.0, 79.3]}},
            "steps": None, "seeds": {"sampling": 7, "bootstrap": 0}, **changes,
        }  # fmt: skip

    steps = {
        "style": "forward", "texts": 8000, "with_claims": 7777, "true_part": 55.5, "interval": [52.2, 58.8],
        "no_false_claim": 31.3, "right_with_false_claim": 99,
    }  # fmt: skip
    nothing: dict[str, Any] = {
        "pass@1": None,
        "intervals": {},
        "bounds": [0.0, 100.0],
        "n": 0,
        "failures": {},
        "constructs": {},
    }
    return {
        "kind": "evaluation",
        "hash": "0123456789abcdef",
        "config": {
            "benchmarks": ["cruxeval-o", HOSTILE_NAME], "limit": 800, "model": HOSTILE_NAME, "style": "forward",
            "profile": {"name": "semcoder"}, "n": 10, "temperature": 0.8, "top_p": 0.95, "max_tokens": 1024, "seed": 7,
        },
        "versions": {"semcoder": "0.1.0", "python": "3.11.9"},
        "data": {"cruxeval-o": "30992073bee0c672", HOSTILE_NAME: "00ff"},
        "benchmarks": [results("cruxeval-o", steps=steps), results(HOSTILE_NAME, **nothing)],
        "published": {"label": "published figures", "benchmarks": {"cruxeval-o": {"SemCoder 6.7B": 65.1}}},
    }  # fmt: skip


def evaluation_folder(folder: Path) -> Path:
    folder.mkdir(parents=True)
    (folder / "manifest.json").write_text(json.dumps(evaluation_manifest()))
    return folder


@pytest.mark.parametrize("make", [training_folder, ablation_folder, evaluation_folder])
def test_pages_of_runs_are_whole_and_ask_for_nothing(make: Callable[[Path], Path], tmp_path: Path) -> None:
    text = build_page(make(tmp_path / "out")).read_text(encoding="utf-8")
    page = _Page(text)
    tags = [tag for tag, _ in page.elements]
    assert not {"b", "i"} & set(tags)
    _asks_for_nothing(page)
    assert tags.count("style") == tags.count("script") == tags.count("h1") == tags.count("main") == 1
    for tag, attributes in page.elements:
        if tag == "svg" and attributes.get("aria-hidden") != "true":
            assert attributes["role"] == "img"
            assert attributes["aria-label"]
    policy = next(a["content"] for t, a in page.elements if t == "meta" and "http-equiv" in a)
    assert policy is not None
    assert "unsafe" not in policy
    assert "default-src 'none'; script-src 'sha256-" in policy
    assert HOSTILE_NAME in "".join(part for parts in page.texts.values() for part in parts)
    assert "nan" not in "".join(
        str(value) for _, a in page.elements for name, value in a.items() if name in ("points", "x1")
    )


def test_a_training_run_is_told(tmp_path: Path) -> None:
    page = _Page(wide(build_page(training_folder(tmp_path / "out")).read_text(encoding="utf-8")))
    told = "".join(page.texts["other"])
    for shown in (
        "1,200",
        "123,456",
        "too long",
        "97",
        "0.25",
        "not judged",
        "Learns <i>things</i>",
        "sha256 00ff",
        "0.22 at step 50",
        "held out",
        "2.9",
    ):
        assert shown in told
    curves = [attributes for tag, attributes in page.elements if tag == "polyline"]
    assert [str(curve["points"]).count(",") for curve in curves] == [50, 5, 50, 50, 1]
    assert {str(curve["class"]) for curve in curves[:2]} == {"curve curve-0", "curve curve-1"}


def test_a_run_without_held_out_programs_or_log_has_a_page(tmp_path: Path) -> None:
    told = build_page(training_folder(tmp_path / "one", held_out=False)).read_text(encoding="utf-8")
    assert "No programs were held out" in told
    assert "Nothing was logged" in build_page(training_folder(tmp_path / "two", steps=0)).read_text(encoding="utf-8")


def test_a_study_is_told_and_its_table_written(tmp_path: Path) -> None:
    import csv

    folder = ablation_folder(tmp_path / "out")
    told = "".join(_Page(build_page(folder).read_text(encoding="utf-8")).texts["other"])
    for shown in (
        "5.0 (0.0 to 10.0)",
        "15.0 (10.0 to 20.0)",
        "+10.0",
        "4.0 to 16.0",
        "47.5",
        "has none",
        "not judged",
        "answering the first argument: 1.5",
        "15,817",
        "643,840",
        "0.0334",
    ):
        assert shown in told
    with (folder / "ablation.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["style"] for row in rows] == ["direct", "forward", HOSTILE_NAME]
    forward = rows[1]
    assert (float(forward["accuracy"]), float(forward["over_questions_low"])) == pytest.approx((0.15, 0.1))
    assert (forward["minus_direct"], forward["minus_direct_high"], forward["minus_forward"]) == ("0.1", "0.16", "")
    assert (rows[2]["accuracy"], rows[2]["over_seeds_low"], rows[0]["step_accuracy"]) == ("", "", "")


RUN_FAULTS: dict[str, tuple[Callable[[Path], object], str]] = {
    "no log": (lambda d: (d / "runs/forward-0-9000/log.jsonl").write_text('{"loss": 1}\n'), "log.jsonl:1: expected"),
    "torn log": (
        lambda d: (d / "runs/forward-0-9000/log.jsonl").write_text('{"step": 1}\n{"st'),
        "log.jsonl:2: not JSON",
    ),
    "no runs": (lambda d: (d / "ablation.json").write_text("{}"), "'runs' must be a list"),
    "no table": (
        lambda d: (d / "manifest.json").write_text(json.dumps({**ablation_manifest(), "table": []})),
        "'table'",
    ),
    "a bad row": (
        lambda d: (d / "manifest.json").write_text(json.dumps({**ablation_manifest(), "table": [{"style": 1}]})),
        "table[0]",
    ),
    "no counts": (
        lambda d: (d / "manifest.json").write_text(json.dumps({**ablation_manifest(), "counts": 3})),
        "'counts' must be an object",
    ),
    "another kind": (lambda d: (d / "manifest.json").write_text('{"kind": "poem"}'), "no report of a 'poem'"),
    "no manifest": (lambda d: (d / "manifest.json").unlink(), "no such file"),
    "a bad interval": (
        lambda d: (d / "manifest.json").write_text(
            json.dumps({**ablation_manifest(), "table": [{"style": "a", "equal": "b", "interval_over_seeds": [1]}]})
        ),
        "interval_over_seeds",
    ),
}


@pytest.mark.parametrize("name", RUN_FAULTS)
def test_malformed_runs_give_one_clear_line_and_no_page(name: str, tmp_path: Path) -> None:
    folder = ablation_folder(tmp_path / "out")
    change, expected = RUN_FAULTS[name]
    change(folder)
    with pytest.raises(InputError) as caught:
        build_page(folder)
    assert expected in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not [*folder.glob("report.html*"), *folder.glob("ablation.csv*")]


def test_an_evaluation_is_told_and_its_scores_written(tmp_path: Path) -> None:
    import csv

    folder = evaluation_folder(tmp_path / "out")
    page = _Page(wide(build_page(folder).read_text(encoding="utf-8")))
    told = "".join(page.texts["other"])
    for shown in (
        "41.2 (37.9 to 44.6)",
        "60.0 (56.5 to 63.5)",
        "123 of 8,000 samples",
        "would be 40.7 if all that were wrong, and 42.0 if",
        "SemCoder 6.7B (published)",
        "65.1, published",
        "only the first 800 tasks",
        "carries no published figures",
        "sandbox (neither right nor wrong)",
        "4,321",
        "33.5 to 44.1",
        "55.5 (52.2 to 58.8)",
        "not judged",
        "30992073bee0c672",
        "3.11.9",
    ):
        assert shown in told
    assert [tag for tag, attributes in page.elements if attributes.get("class") == "bar-hollow"] == ["rect"]
    with (folder / "evaluation.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["benchmark"], row["source"], row["score"]) for row in rows] == [
        ("cruxeval-o", "measured", "pass@1"),
        ("cruxeval-o", "measured", "pass@2"),
        ("cruxeval-o", "measured", "pass@10"),
        ("cruxeval-o", "measured", "true part of monologues"),
        ("cruxeval-o", "published", "pass@1"),
        *((HOSTILE_NAME, "measured", f"pass@{k}") for k in (1, 2, 10)),
    ]
    assert (rows[0]["percent"], rows[0]["low"], rows[0]["unjudged"], rows[0]["bounds_low"]) == (
        "41.25",
        "37.9",
        "123",
        "40.7",
    )
    assert (rows[4]["model"], rows[4]["percent"], rows[4]["low"], rows[4]["n"]) == ("SemCoder 6.7B", "65.1", "", "")
    assert (rows[1]["n"], rows[3]["n"]) == ("", ""), "the manifest's n is of pass@1 alone"
    assert (rows[5]["percent"], rows[5]["low"]) == ("", "")


def test_what_an_evaluation_writes_has_a_page(tmp_path: Path) -> None:
    from semcoder.evaluation import evaluate, published
    from tests.unit.test_evaluation import Scripted, Sums, config

    sums = Sums(name="cruxeval-o")
    manifest = evaluate(config(tmp_path / "out"), model=Scripted(), find=lambda _: sums)
    told = "".join(_Page(build_page(tmp_path / "out").read_text(encoding="utf-8")).texts["other"])
    assert "100.0 (61.0 to 100.0)" in told
    assert "for loop" in told
    assert manifest["data"]["cruxeval-o"] in told
    assert "not measured here: Ding et al." in told
    assert len(published("cruxeval-o")) > 5
    for model, share in published("cruxeval-o").items():
        assert f"{model} (published)" in told
        assert f"{share:.1f}, published" in told
    assert (tmp_path / "out" / "evaluation.csv").read_text().count(",published,") == len(published("cruxeval-o"))


def test_an_evaluation_of_answers_from_a_file_without_published_figures(tmp_path: Path) -> None:
    folder = evaluation_folder(tmp_path / "out")
    doc = evaluation_manifest()
    del doc["published"]
    doc["config"] = {"benchmarks": ["cruxeval-o"], "limit": 0, "generations": "theirs \ud800.json"}
    (folder / "manifest.json").write_text(json.dumps(doc))
    page = _Page(build_page(folder).read_text(encoding="utf-8"))
    told = "".join(page.texts["other"])
    assert "The answers in the file theirs \\ud800.json" in told
    assert "(published)" not in told
    assert not [tag for tag, attributes in page.elements if attributes.get("class") == "bar-hollow"]
    assert "theirs \\ud800.json" in (folder / "evaluation.csv").read_text(encoding="utf-8")


def _result(change: Callable[[dict[str, Any]], object]) -> Callable[[Path], object]:
    return _edit("manifest.json", lambda doc: change(doc["benchmarks"][0]))


EVALUATION_FAULTS: dict[str, tuple[Callable[[Path], object], str]] = {
    "kind is a list": (_edit("manifest.json", lambda m: m.update(kind=[])), "no report of a []"),
    "no config": (_edit("manifest.json", lambda m: m.pop("config")), "'config' must be an object"),
    "no benchmarks": (_edit("manifest.json", lambda m: m.update(benchmarks=[])), "'benchmarks' must be a list"),
    "a benchmark is text": (_edit("manifest.json", lambda m: m["benchmarks"].append("x")), "benchmarks[2]: expected"),
    "no pass@1": (_result(lambda r: r.pop("pass@1")), "benchmarks[0]: it has no 'pass@1'"),
    "a share": (_result(lambda r: r.update({"pass@2": 101})), "benchmarks[0]: 'pass@2' must be a number"),
    "not a number": (_result(lambda r: r.update({"pass@1": float("nan")})), "'pass@1' must be a number"),
    "one end": (_result(lambda r: r["intervals"].update({"pass@1": [3]})), "'pass@1' must be two numbers"),
    "a count is text": (_result(lambda r: r.update(unjudged="3")), "benchmarks[0]: 'unjudged' must be a count"),
    "a huge count": (_result(lambda r: r.update(samples=10**400)), "'samples' must be a count"),
    "a failure is null": (_result(lambda r: r["failures"].update({"a\nb": None})), "failures: 'a\\nb' must be a count"),
    "a construct is 3": (
        _result(lambda r: r["constructs"].update({"a\nb": 3})),
        "constructs: 'a\\nb' must be an object",
    ),
    "steps is a list": (_result(lambda r: r.update(steps=[])), "benchmarks[0]: 'steps' must be an object"),
    "no label": (_edit("manifest.json", lambda m: m["published"].pop("label")), "published.label: expected text"),
    "published text": (
        _edit("manifest.json", lambda m: m["published"]["benchmarks"]["cruxeval-o"].update(x="65")),
        "published.benchmarks['cruxeval-o']: 'x' must be a number",
    ),
}


@pytest.mark.parametrize("name", EVALUATION_FAULTS)
def test_malformed_evaluations_give_one_clear_line_and_no_page(name: str, tmp_path: Path) -> None:
    folder = evaluation_folder(tmp_path / "out")
    change, expected = EVALUATION_FAULTS[name]
    change(folder)
    with pytest.raises(InputError) as caught:
        build_page(folder)
    assert expected in str(caught.value)
    assert str(folder / "manifest.json") in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not [*folder.glob("report.html*"), *folder.glob("evaluation.csv*")]


def test_charts_keep_labels_apart_and_points_few() -> None:
    from semcoder.report.charts import Bar, Curve, curves, interval_bars

    lines = [Curve(f"line {k}", [(x, 1.0 + k / 1000) for x in range(5000)]) for k in range(4)]
    page = _Page(wide(curves("A title", "across", "up", lines)))
    assert [str(a["points"]).count(",") <= 600 for t, a in page.elements if t == "polyline"] == [True] * 4
    heights = sorted(float(str(a["y"])) for t, a in page.elements if t == "text" and a.get("text-anchor") == "start")
    assert all(low + 13 < high for low, high in itertools.pairwise(heights))
    assert curves("A title", "x", "y", [Curve("none", [(1.0, float("nan"))])]) == ""
    drawn = _Page(interval_bars("A title", "unit", [Bar("a", 1.0, (0.9, 1.2)), Bar("b", None)]))
    assert max(float(str(a["x2"])) for t, a in drawn.elements if t == "line") <= 720
    assert "not judged" in "".join(drawn.texts["other"])


# -- the script


def test_the_scripts_parse_and_replay_the_state(tmp_path: Path) -> None:
    """The stepper's own replay, run by node, against the story that the checker uses."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed")
    from semcoder.monologue.story import Story

    trace, monologue = told("recursion")
    shape = stepper_shape(trace, monologue)
    static = Path(__file__).parents[2] / "src/semcoder/report/static"
    shutil.copy(static / "stepper.js", tmp_path / "stepper.mjs")
    (tmp_path / "shape.json").write_text(json.dumps(shape))
    (tmp_path / "run.mjs").write_text(
        "import { readFileSync } from 'node:fs';\n"
        "import { stateAt } from './stepper.mjs';\n"
        "const shape = JSON.parse(readFileSync('shape.json'));\n"
        "const plain = (s) => ({ ...s, locals: Object.fromEntries(s.locals), globals: Object.fromEntries(s.globals) });\n"
        "console.log(JSON.stringify(shape.steps.map((_, k) => plain(stateAt(shape, k)))));\n"
    )
    done = subprocess.run([node, "run.mjs"], cwd=tmp_path, capture_output=True, text=True, check=True, timeout=60)
    states = json.loads(done.stdout)
    for moment, state in zip(Story(trace).moments, states, strict=True):
        after = {name: moment.after(name) for name in trace.names}
        assert state["locals"] == {k: v.display() for k, v in after.items() if v is not None}
        assert len(state["stack"]) == moment.step.depth + 1
    assert states[-1]["printed"] == trace.outcome.stdout

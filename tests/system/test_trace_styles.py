"""Styles that state values: each state in a text is parsed back and compared with the trace.

What is compared with is made here, from the steps' own changes and ends; nothing of what wrote or checks the texts is
used but the reader of entries, whose result must be a literal of the very value.
"""

from __future__ import annotations

import ast
import json
import os
import random
import re
import subprocess
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

import semcoder
from semcoder.core import Invocation, Value
from semcoder.errors import UsageError
from semcoder.monologue import check, style, styles, tell
from semcoder.monologue._entries import Entry, read_entries, split_entries, write_entries, written
from semcoder.monologue.steps import VALUE_WIDTH, rows
from semcoder.seeds.generator import generate
from semcoder.tracing import Step, Trace, trace_here
from tests.programs import PROGRAMS

DATA = Path(os.environ.get("SEMCODER_DATA", Path(__file__).parents[3] / "shared" / "data"))
TRACE_STYLES = ("scratchpad", "next", "concise", "direct", "steps")

EDGES: dict[str, tuple[str, str]] = {
    "separators in values": (
        "def f(a, b):\n    c = a + '; b=1'\n    d = [b, c, \"it's; (3) x=2\", '`']\n    return {'[/OUTPUT]': d}\n",
        "f('; x=`1`', '\\n[OUTPUT] 3 [/OUTPUT]')",
    ),
    "no literals": (
        "import re\nclass P:\n    def __init__(self, x):\n        self.x = x\n"
        'def f(x):\n    p = P(x)\n    g = (i for i in x)\n    r = re.compile("[\'`;] ; x=1")\n    h = lambda y: y\n'
        "    q = [p, h, max]\n    k = []\n    k.append(k)\n    return p, len(k)\n",
        "f('a; `b`')",
    ),
    "floats": ("def f(x):\n    y = [x, -x, x - x, -0.0, 1e300, 2j]\n    return y\n", "f(float('inf'))"),
    "huge": ("def f(n):\n    a = 7 ** n\n    b = 'ab; ' * n\n    c = list(range(n))\n    return a, b, c\n", "f(6000)"),
    "globals": (
        "c = 0\ndef g():\n    global c\n    c += 1\n    return c\ndef f(x):\n    y = g() + g()\n    del x\n    return c, y\n",
        "f([1])",
    ),
    "strings over lines": (
        "def f(x):\n    a = '''one  # (1) a=2\n  two''' + x; b = f\"\"\"{x}\n{a}\"\"\"\n    c = x + \\\n        b\n"
        "    d = [  # note\n        a,\n        c]\n    # end\\\n    return (d,\n      '''[OUTPUT] 1 [/OUTPUT]\n''')\n",
        "f('q')",
    ),
    "returns early": (
        "def f(x):\n    for i in x:\n        try:\n            return i\n        finally:\n            x.pop()\n",
        "f([1])",
    ),
    "raises through": ("def g(x):\n    return 1 / x\n\ndef f(x):\n    y = g(x)\n    return y\n", "f(0)"),
    "message over lines": ("def f(x):\n    raise ValueError('a\\nb; c=1')\n", "f(0)"),
    "deep": ("def f(n):\n    return 0 if n == 0 else 1 + f(n - 1)\n", "f(40)"),
    "async": (
        "import asyncio\nasync def g(x):\n    await asyncio.sleep(0)\n    return x\n"
        "def f(x):\n    return asyncio.run(g(x))\n",
        "f(3)",
    ),
    "odd lines": ("def f(x):\r\n    y = x\x0c\r\n    z = '\u2028' + y\r\n    return z\r\n", "f('\u2028')"),
    "nothing to say": ("def f():\n    pass\n", "f()"),
    "call over lines": (PROGRAMS["loop"][0], "squares(\n  [2,\n '''3 4'''[:0] or 1])"),
}


def traced(case: tuple[str, str]) -> Trace:
    return trace_here(*case)


def generated() -> Iterator[tuple[str, str]]:
    for seed in range(200):
        program, calls = generate(seed)
        yield program.source, calls[0].text


def cruxeval() -> Iterator[tuple[str, str]]:
    path = DATA / "cruxeval_dev.jsonl"
    if not path.exists():
        pytest.skip(f"{path} is not there; set SEMCODER_DATA to the folder with the benchmark files")
    for row in map(json.loads, path.read_text().splitlines()):
        yield row["code"], f"f({row['input']})"


SOURCES = {"programs": PROGRAMS.values, "edges": EDGES.values, "generated": generated, "cruxeval": cruxeval}


@pytest.fixture(scope="module", params=SOURCES)
def traces(request: pytest.FixtureRequest) -> list[Trace]:
    return [traced(case) for case in SOURCES[request.param]()]


# What the steps say ---------------------------------------------------------------------------------------------------


CONSTRUCTORS = {
    **{kind.__name__: kind for kind in (set, frozenset, range, bytearray)},
    "inf": float("inf"),
    "nan": float("nan"),
}


def is_told(entry: Entry, value: Value | None) -> bool:
    """Whether an entry states this very value: its text is a literal of it, or in backticks what describes it."""
    if value is None:
        return entry.kind == "del"
    text = entry.text
    if not value.is_literal():
        fence = re.match("`+", text)
        assert fence is not None
        assert text.endswith(fence.group())
        inner = text[len(fence.group()) : -len(fence.group())]
        return (inner[1:-1] if len(fence.group()) > 1 else inner) == value.display()
    return Value.of(eval(text, {"__builtins__": {}, **CONSTRUCTORS})) == value


def changes_of(step: Step) -> list[tuple[str, Value | None]]:
    return [(("global " if c.scope == "global" else "") + c.name, c.new) for c in step.changes]


def is_eventful(step: Step) -> bool:
    """Whether something happened in a step other than that it ran."""
    prints_or_yields = any(part.kind == "y" or (part.kind == "o" and part.text) for part in step.parts)
    ended = step.ends_frame and step.raised is None
    return bool(prints_or_yields or step.changes or step.raised or step.caught or ended)


def caught_next(trace: Trace, step: Step) -> bool:
    after = trace.steps[step.index + 1] if step.index + 1 < len(trace.steps) else None
    raised = after is not None and after.kind == "catch" and after.frame == step.frame
    return raised or isinstance(step.node, ast.Raise)


def ran(trace: Trace) -> list[Step]:
    """The steps that have a row: not the head of a loop whose first iteration is next, nor idle rests of statements."""
    steps = [s for s in trace.steps if s.line]
    heads = {
        a.index
        for a, b in pairwise(trace.steps)
        if a.kind == "statement" and b.kind in ("iteration", "exhausted") and b.node is a.node and b.frame == a.frame
    }
    idle = heads | {step.index for step in steps if step.kind == "resume"}
    return [s for s in steps if s.index not in idle or is_eventful(s) or caught_next(trace, s)]


# The checks -----------------------------------------------------------------------------------------------------------


def test_every_answer_is_parsed_back(traces: list[Trace]) -> None:
    for trace in traces:
        for name in TRACE_STYLES:
            for labels in (True, False):
                told = tell(style(name), trace, labels=labels)
                assert style(name).parse(told.text) == told.answer
                if trace.outcome.value is not None:
                    assert told.answer == trace.outcome.value.display()


def test_every_text_is_found_true(traces: list[Trace]) -> None:
    for trace in traces:
        for name in TRACE_STYLES:
            for labels in (True, False):
                text = tell(style(name), trace, labels=labels).text
                assert [c for c in check(style(name), text, trace, labels=labels) if c.verdict is not True] == []


def test_concise_tells_every_change_in_order(traces: list[Trace]) -> None:
    for trace in traces:
        for labels in (True, False):
            entries = [e for _, _, told in concise_rows(trace, labels) for e in told if e.kind in ("set", "del")]
            truth = [change for step in trace.steps for change in changes_of(step)]
            assert [entry.name for entry in entries] == [name for name, _ in truth]
            assert all(is_told(entry, value) for entry, (_, value) in zip(entries, truth, strict=True))


def test_concise_rows_are_the_lines_that_ran(traces: list[Trace]) -> None:
    for trace in traces:
        told = [(line, goes_on) for line, goes_on, _ in concise_rows(trace, True)]
        assert told == [(step.line, step.kind == "resume") for step in ran(trace)]


def concise_rows(trace: Trace, labels: bool) -> Iterator[tuple[int, bool, list[Entry]]]:
    for row in tell(style("concise"), trace, labels=labels).text.split("\n")[1:-1]:
        match = re.fullmatch(r" *\[L(\d+)(\+?)\] ?(.*)" if labels else r" *()()(.*)", row)
        assert match is not None
        yield int(match[1] or 0), bool(match[2]), read_entries(match[3])


def test_scratchpad_has_the_whole_state_after_each_step(traces: list[Trace]) -> None:
    for trace in traces:
        told = iter(scratchpad_states(trace))
        shown = {step.index for step in ran(trace)}
        spaces: dict[int, dict[str, Value]] = {}
        for step in trace.steps:
            space = spaces.setdefault(step.frame, {})
            for name, value in changes_of(step):
                space.pop(name, None)
                if value is not None:
                    space[name] = value
            if step.index in shown:
                line, goes_on, state = next(told)
                assert (line, goes_on) == (step.line, step.kind == "resume")
                has_state(state, space)
        assert next(told, None) is None


def has_state(state: list[Entry], space: dict[str, Value]) -> None:
    local = [entry for entry in state if not entry.name.startswith("global ")]
    assert {e.name for e in local} == {name for name in space if not name.startswith("global ")}
    assert all(is_told(entry, space[entry.name]) for entry in local)


def scratchpad_states(trace: Trace) -> Iterator[tuple[int, bool, list[Entry]]]:
    line, goes_on = 0, False
    for row in style("scratchpad").render(trace).text.split("\n"):
        if match := re.match(r" *line (\d+)( goes on)?:", row):
            line, goes_on = int(match[1]), match[2] is not None
        elif match := re.match(r" *state:(?: (.*))?$", row):
            yield line, goes_on, read_entries(match[1] or "")


def test_next_is_the_program_with_numbered_states(traces: list[Trace]) -> None:
    for trace in traces:
        text = style("next").render(trace).text
        program = text.partition("\n")[2].rpartition("\n[")[0]
        assert ast.dump(ast.parse(program)) == ast.dump(ast.parse("\n".join(re.split(r"\r\n|\r|\n", trace.source))))
        happened = [s for s in trace.steps if s.line and (is_eventful(s) or caught_next(trace, s))]
        by_number = [s for s in happened if s.kind != "call" or s.changes]
        told = next_states(trace, text)
        assert set(told) <= set(range(1, len(by_number) + 1))
        for number, entries in told.items():
            changes = [entry for entry in entries if entry.kind in ("set", "del")]
            truth = changes_of(by_number[number - 1])
            assert [entry.name for entry in changes] == [name for name, _ in truth]
            assert all(is_told(entry, value) for entry, (_, value) in zip(changes, truth, strict=True))
        per_line = {line: sum(step.line == line for step in by_number) for line in {s.line for s in by_number}}
        assert len(told) == sum(min(count, 3) for count in per_line.values())


def next_states(trace: Trace, text: str) -> dict[int, list[Entry]]:
    found: dict[int, list[Entry]] = {}
    for line, row in zip(re.split(r"\r\n|\r|\n", trace.source), text.split("\n")[1:], strict=False):
        if row != line and row.startswith(line + "  # "):
            number = 0
            for entry in split_entries(row[len(line) + 4 :]):
                if match := re.match(r"\((\d+)\) ", entry):
                    number, entry = int(match[1]), entry[match.end() :]
                if entry != "...":
                    found.setdefault(number, []).extend(read_entries(entry))
    return found


def test_steps_marks_each_change_with_what_was_before(traces: list[Trace]) -> None:
    for trace in traces:
        steps = {step.index: step for step in trace.steps}
        for row in rows(trace):
            if row.kind == "call":
                continue
            told = [event.text for event in row.events if event.kind == "change"]
            for text, change in zip(told, steps[row.step].changes, strict=True):
                name = f"global {change.name}" if change.scope == "global" else change.name
                if change.new is None:
                    assert text == f"{name} is unbound"
                elif change.old is None:
                    assert text == f"{name} = {change.new.display(VALUE_WIDTH)}"
                else:
                    assert text == f"{name}: {change.old.display(VALUE_WIDTH)} -> {change.new.display(VALUE_WIDTH)}"


def test_expression_detail_tells_every_value_of_a_step() -> None:
    for case in [*PROGRAMS.values(), *EDGES.values()]:
        trace = traced(case)
        values = [p.value for s in trace.steps for p in s.parts if p.kind == "e" and p.value is not None]
        for name in ("scratchpad", "concise"):
            text = style(name).render(trace, detail="expression").text
            pattern = r" *event: (.*)" if name == "scratchpad" else r" *\[L\d+\+?\] ?(.*)"
            read = [e for row in text.split("\n") if (m := re.fullmatch(pattern, row)) for e in read_entries(m[1])]
            told = [entry for entry in read if entry.kind == "value"]
            assert len(told) == len(values)
            assert all(is_told(entry, value) for entry, value in zip(told, values, strict=True))
            claims = check(style(name), text, trace, detail="expression")
            assert [c for c in claims if c.verdict is not True] == []


# The checker finds what is wrong ---------------------------------------------------------------------------------------

WRONG = [
    ("concise", "[L6] result=[4]", "[L6] result=[5]", "[4]"),
    ("concise", "[L6] result=[4]\n", "", "line 6 runs next, at depth 0"),
    ("concise", "[L4] n=2\n[L5]\n", "[L5]\n[L4] n=2\n", "line 4 runs next, at depth 0"),
    ("concise", "[L6] result=[4]", "[L6]", "not told: result"),
    ("concise", "[L7] return [4, 16]\n", "", "line 7 runs next and is not told (1 steps are missing at the end)"),
    ("concise", "\n[OUTPUT] [4, 16] [/OUTPUT]", "", "[OUTPUT] [4, 16] [/OUTPUT]"),
    ("concise", "squares([1, 2, 4])", "squares([1, 2, 3])", "[INPUT] squares([1, 2, 4]) [/INPUT]"),
    ("scratchpad", "result=[4]; n=2", "result=[4]; n=3", "2"),
    ("scratchpad", "result=[4]; n=2", "result=[4]", "also bound: n"),
    ("scratchpad", "result=[4]; n=2", "result=[4]; n=2; k=1", "it is not bound"),
    ("scratchpad", "event: return [4, 16]", "event: return [16, 4]", "[4, 16]"),
    ("scratchpad", "line 6: ", "line 7: ", "line 6 runs next, at depth 0"),
    ("next", "(4) n=2", "(4) n=1", "2"),
    ("next", "(4) n=2", "(5) n=2", "line 6 runs next, at depth 0"),
    ("next", "(5) result=[4]; ", "", "line 6 runs next, at depth 0"),
    ("direct", "[4, 16]", "[4]", "[OUTPUT] [4, 16] [/OUTPUT]"),
    ("steps", "True", "False", ""),
    ("steps", "n: 1 -> 2", "n: 1 -> 3", ""),
]


@pytest.mark.parametrize(("name", "right", "wrong", "actual"), WRONG)
def test_what_is_wrong_is_found(name: str, right: str, wrong: str, actual: str) -> None:
    trace = traced(PROGRAMS["loop"])
    text = style(name).render(trace).text
    assert right in text
    claims = [c for c in check(style(name), text.replace(right, wrong, 1), trace) if c.verdict is False]
    assert claims
    assert not actual or any(claim.actual == actual for claim in claims), claims


@pytest.mark.parametrize("name", ["scratchpad", "next", "concise"])
def test_what_cannot_be_read_is_not_passed_over(name: str) -> None:
    trace = traced(PROGRAMS["loop"])
    text = style(name).render(trace).text.replace("result=[4]", "result is now four", 1)
    assert any(claim.verdict is None for claim in check(style(name), text, trace))


@pytest.mark.parametrize("name", ["scratchpad", "next", "concise"])
def test_every_value_that_is_changed_in_a_text_is_found(name: str) -> None:
    trace = traced(PROGRAMS["while_else"])
    text = style(name).render(trace).text
    places = list(re.finditer(r"(?<==)-?\d+|(?<=return )-?\d+(?=$|\n)", text))
    assert len(places) > 6
    for match in places:
        wrong = f"{text[: match.start()]}{int(match.group()) + 1}{text[match.end() :]}"
        assert any(claim.verdict is False for claim in check(style(name), wrong, trace)), wrong


@pytest.mark.parametrize("case", ["exception", "recursion", "generator", "class"])
@pytest.mark.parametrize("name", TRACE_STYLES)
def test_a_row_that_is_left_out_told_twice_or_moved_is_found(name: str, case: str) -> None:
    trace = traced(PROGRAMS[case])
    text = style(name).render(trace).text.split("\n")
    for k, row in enumerate(text):
        before, after = text[:k], text[k + 1 :]
        for rows_ in ([*before, *after], [*before, row, row, *after], [*before, f"  {row}", *after]):
            claims = check(style(name), "\n".join(rows_), trace)
            assert any(claim.verdict is not True for claim in claims), f"{k}: {row}"


@pytest.mark.parametrize("name", TRACE_STYLES)
def test_any_text_can_be_checked(name: str) -> None:
    """A checker reads what anyone wrote: it judges, and raises nothing."""
    chance = random.Random(name)
    trace = traced(PROGRAMS["exception"])
    text = style(name).render(trace).text
    for _ in range(150):
        at = chance.randrange(len(text))
        noise = chance.choice(["", "`", "'", "; ", "\n", "[L9]", "(7) ", "state: ", "  # ", "9" * 5000, "event: x"])
        wrong = text[:at] + noise + text[at + chance.randrange(3) :]
        check(style(name), wrong, trace)
        style(name).parse(wrong)


# Entries, edges ----------------------------------------------------------------------------------------------------------


def test_entries_are_read_as_written() -> None:
    texts = [
        "'; x=1'",
        '"it\'s; y"',
        "`<f ; g='>`",
        "`` a`b; ` ``",
        "{'a; b': [1, 2]}",
        "'\\\\'",
        "b'; '",
        "``` `` ```",
    ]
    entries = [Entry("set", "x", text) for text in texts] + [Entry("return", "", text) for text in texts]
    entries += [Entry("value", code, "1") for code in ("n % 2", "'; '", "f'`{x}`'", "`", " a")]
    entries += [Entry("del", "x"), Entry("del", "global x"), Entry("set", "global x", "1"), Entry("call", "f")]
    assert read_entries(write_entries(entries)) == entries
    assert read_entries("") == []
    with pytest.raises(ValueError, match="no entry"):
        read_entries("x=1; then y")


def test_a_value_in_backticks_is_no_literal() -> None:
    assert written(Value.of([1])) == "[1]"
    assert written(Value.of(print)).startswith("`")


def test_huge_values_are_whole_but_in_steps() -> None:
    trace = traced(EDGES["huge"])
    whole = Value.of("ab; " * 6000).display()
    for name in ("scratchpad", "next", "concise", "direct"):
        assert whole in style(name).render(trace).text
    table = style("steps").render(trace).text.rpartition("\n")[0]
    assert whole not in table
    assert max(map(len, table.split("\n"))) < 6 * VALUE_WIDTH
    assert " ... " in table


@pytest.mark.parametrize("name", TRACE_STYLES)
def test_a_cut_recording_says_so_and_keeps_its_exact_answer(name: str) -> None:
    trace = trace_here(*PROGRAMS["while_else"], max_events=12)
    assert trace.truncated
    text = style(name).render(trace).text
    assert style(name).parse(text) == "-2"
    assert ("[CUT] recording stopped after 12 events [/CUT]" in text) == (name != "direct")
    assert [c for c in check(style(name), text, trace) if c.verdict is not True] == []


PROGRAM = "n = int(input())\nfor i in range(n):\n    print(i * n)\nif n > 3:\n    raise ValueError(n)\n"


@pytest.mark.parametrize("name", TRACE_STYLES)
@pytest.mark.parametrize(("given", "answer"), [("2\n", r"'0\n2\n'"), ("0\n", "''"), ("4\n", "ValueError(4)")])
def test_programs_that_read_stdin(name: str, given: str, answer: str) -> None:
    trace = trace_here(PROGRAM, Invocation(given, kind="stdin"))
    told = style(name).render(trace)
    assert told.answer == style(name).parse(told.text) == answer
    assert [c for c in check(style(name), told.text, trace) if c.verdict is not True] == []


@pytest.mark.parametrize("name", TRACE_STYLES)
def test_a_call_that_could_not_be_compiled_or_ran_no_line_has_a_text(name: str) -> None:
    trace = trace_here("def f(x):\n    return x\n", "len([1])")
    told = style(name).render(trace)
    assert style(name).parse(told.text) == told.answer == "1"


@pytest.mark.parametrize("name", TRACE_STYLES)
def test_rendering_executes_nothing(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    trace = Trace.from_wire(json.loads(json.dumps(traced(PROGRAMS["class"]).to_wire())))
    expected = style(name).render(traced(PROGRAMS["class"])).text
    for builtin in ("exec", "eval", "open"):
        monkeypatch.setattr(f"builtins.{builtin}", None)
    text = style(name).render(trace).text
    monkeypatch.undo()
    assert text == expected


def test_the_contract_names_every_style() -> None:
    assert set(styles()) == {"forward", "backward", *TRACE_STYLES}


# The Python face and the command line -----------------------------------------------------------------------------------


def test_explain_tells_and_checks_every_trace_style() -> None:
    for name in TRACE_STYLES:
        told = semcoder.explain(*PROGRAMS["recursion"], style=name)
        assert told.style == name
        assert told.claims
        assert {claim.verdict for claim in told.claims} == {True}


def test_labels_where_a_style_has_no_such_choice() -> None:
    with pytest.raises(UsageError, match="cannot do without labels"):
        semcoder.explain(*PROGRAMS["loop"], labels=False)
    with pytest.raises(UsageError, match="labels stay"):
        semcoder.explain(PROGRAMS["loop"][0], output="[4]", labels=False)


def command(name: str, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    source, call = PROGRAMS["loop"]
    (folder / "program.py").write_text(source)
    line = [sys.executable, "-m", "semcoder", name, str(folder / "program.py"), "--call", call, *arguments]
    return subprocess.run(line, capture_output=True, text=True, timeout=60, check=False)


def test_trace_prints_the_text_of_a_format(tmp_path: Path) -> None:
    trace = traced(PROGRAMS["loop"])
    done = command("trace", tmp_path, "--format", "concise", "--no-labels", "--detail", "expression")
    assert done.returncode == 0
    assert done.stdout == tell(style("concise"), trace, detail="expression", labels=False).text + "\n"
    document = json.loads(command("trace", tmp_path, "--format", "next", "--labels", "--json").stdout)
    assert document["text"] == tell(style("next"), trace, labels=True).text


def test_unknown_formats_and_choices_are_usage_errors(tmp_path: Path) -> None:
    wrong = command("trace", tmp_path, "--format", "forward")
    assert wrong.returncode == 2
    assert "there are: concise, direct, next, scratchpad, steps" in wrong.stderr
    wrong = command("explain", tmp_path, "--no-labels")
    assert wrong.returncode == 2
    assert "cannot do without labels" in wrong.stderr

"""Short programs: the same seed gives the same anywhere; only what is stated occurs; calls fit, return and differ."""

from __future__ import annotations

import ast
import builtins
import hashlib
import keyword
import statistics
from collections import Counter
from typing import Any

import pytest

from semcoder.core import Program
from semcoder.core.calling import check_call
from semcoder.errors import UsageError
from semcoder.seeds.short import ShortSource, generate_short
from semcoder.tracing import trace_here
from tests.unit.test_generator import in_fresh_process
from tests.unit.test_small_source import outcome, run, without

SEEDS = range(600)

STATEMENTS = str.split("Assert Assign AugAssign Break Continue Delete Expr For FunctionDef If Pass Return Try While")
EXPRESSIONS = str.split("""
    Attribute BinOp BoolOp Call Compare Constant Dict DictComp FormattedValue GeneratorExp IfExp JoinedStr Lambda List
    ListComp Name NamedExpr Set SetComp Slice Starred Subscript Tuple UnaryOp
""")
#: Every method of the built-in types that the programs are to teach.
METHODS = str.split("""
    capitalize casefold center count endswith expandtabs find format index isalnum isalpha isascii isdecimal isdigit
    isidentifier islower isnumeric isprintable isspace istitle isupper join ljust lower lstrip partition removeprefix
    removesuffix replace rfind rindex rjust rpartition rsplit rstrip split splitlines startswith strip swapcase title
    translate upper zfill append clear copy extend insert pop remove reverse sort get items keys popitem setdefault
    update values add discard union intersection difference fromkeys maketrans
""")
FUNCTIONS = str.split("""
    abs all any chr dict divmod enumerate filter float int isinstance iter len list map max min next ord range reversed
    round set sorted str sum tuple type zip
""")


def function(source: str) -> ast.FunctionDef:
    (found,) = ast.parse(source).body
    assert isinstance(found, ast.FunctionDef)
    return found


def arguments(call: str) -> list[Any]:
    node = ast.parse(call, mode="eval").body
    assert isinstance(node, ast.Call)
    return [ast.literal_eval(each) for each in node.args]


def results(program: Program, calls: list[str]) -> list[str]:
    """What the calls return; those that raise are left out."""
    found = []
    for call in calls:
        try:
            found.append(repr(run(program.source, call)))
        except Exception:
            continue
    return found


def digest(seeds: range) -> str:
    """Of programs, calls and what they do."""
    state = hashlib.sha256()
    for program, calls in map(generate_short, seeds):
        done = [outcome(program.source, call.text) for call in calls]
        state.update(repr((program.source, calls, done)).encode())
    return state.hexdigest()


def test_same_seed_same_program_in_any_order() -> None:
    forward = [generate_short(seed) for seed in range(100)]
    assert forward == [generate_short(seed) for seed in reversed(range(100))][::-1]
    assert len({program.source for program, _ in map(generate_short, range(1000))}) > 970


def test_same_programs_and_outcomes_in_another_process_and_hash_seed() -> None:
    code = "from tests.unit.test_short_source import digest; print(digest(range(200)))"
    assert in_fresh_process(code, "1") == in_fresh_process(code, "4242") == digest(range(200))


def test_programs_are_one_short_plain_function() -> None:
    lengths = []
    for program, _ in map(generate_short, SEEDS):
        lengths.append(len(program.source.splitlines()))
        for node in ast.walk(function(program.source)):
            if isinstance(node, (ast.stmt, ast.expr)):
                assert type(node).__name__ in STATEMENTS + EXPRESSIONS, program.source
            if isinstance(node, (ast.FunctionDef, ast.arg, ast.Assign)):
                assert getattr(node, "annotation", None) is getattr(node, "returns", None) is None
    assert 4 <= statistics.median(lengths) <= 7
    assert max(lengths) <= 15


def test_lambdas_are_keys_or_go_to_map_and_filter() -> None:
    for program, _ in map(generate_short, range(2000)):
        allowed: list[ast.expr] = []
        nodes = list(ast.walk(function(program.source)))
        for node in nodes:
            if isinstance(node, ast.Call):
                allowed += [each.value for each in node.keywords if each.arg == "key"]
                if isinstance(node.func, ast.Name) and node.func.id in ("map", "filter"):
                    allowed += node.args[:1]
        assert all(node in allowed for node in nodes if isinstance(node, ast.Lambda)), program.source


def test_parameters_are_read_and_names_hide_nothing() -> None:
    for program, _ in map(generate_short, SEEDS):
        tree = function(program.source)
        names = [node for node in ast.walk(tree) if isinstance(node, ast.Name)]
        parameters = {argument.arg for argument in tree.args.args}
        assert 1 <= len(parameters) <= 4
        assert parameters <= {node.id for node in names if isinstance(node.ctx, ast.Load)}, program.source
        bound = {node.id for node in names if isinstance(node.ctx, ast.Store)} | parameters
        assert not bound & (set(dir(builtins)) | set(keyword.kwlist)), program.source


def test_three_different_calls_over_literals_with_different_results() -> None:
    returned = plain = total = 0
    for program, calls in map(generate_short, SEEDS):
        texts = [call.text for call in calls]
        assert len(set(texts)) == 3
        assert all(check_call(ast.parse(program.source), text) == "f" for text in texts)
        found = results(program, texts)
        assert len(found) >= 2
        assert len(set(found)) >= 2
        total += 3
        returned += len(found)
        plain += sum(result in {repr(a) for text in texts for a in arguments(text)} for result in found)
    assert returned / total > 0.95
    assert plain / total < 0.1


def test_raising_calls_raise_what_such_code_raises() -> None:
    seen: Counter[str] = Counter()
    for program, calls in map(generate_short, range(1000)):
        for call in calls:
            try:
                run(program.source, call.text)
            except Exception as error:
                seen[type(error).__name__] += 1
    assert len(seen) >= 3
    assert set(seen) <= {"IndexError", "KeyError", "ValueError", "ZeroDivisionError", "TypeError", "AssertionError"}
    assert seen["TypeError"] <= seen.total() / 10


def test_values_on_the_way_stay_small_and_runs_short() -> None:
    steps = []
    for program, calls in map(generate_short, range(100)):
        for call in calls:
            trace = trace_here(program.source, call)
            steps.append(len(trace.steps))
            for step in trace.steps:
                for change in step.changes:
                    shown = repr(change.new.to_python()) if change.new is not None else ""
                    assert len(shown) < 1000, program.source
    assert max(steps) < 600
    assert statistics.quantiles(steps, n=20)[-1] < 150


def test_most_statements_change_some_result() -> None:
    changed = total = 0
    for program, calls in map(generate_short, range(100)):
        texts = [call.text for call in calls]
        told = [outcome(program.source, text) for text in texts]
        for mutant in without(ast.parse(program.source)):
            total += 1
            changed += [outcome(mutant, text) for text in texts] != told
    assert total > 150
    assert changed / total > 0.75


@pytest.fixture(scope="module")
def trees() -> list[ast.Module]:
    return [ast.parse(program.source) for program, _ in map(generate_short, range(3000))]


def test_covers_the_methods_and_functions(trees: list[ast.Module]) -> None:
    seen: Counter[str] = Counter()
    for tree in trees:
        calls = [node.func for node in ast.walk(tree) if isinstance(node, ast.Call)]
        seen.update({node.attr for node in calls if isinstance(node, ast.Attribute)})
        seen.update({node.id for node in calls if isinstance(node, ast.Name)})
    assert {name: seen[name] for name in METHODS if seen[name] < 5} == {}
    assert {name: seen[name] for name in FUNCTIONS if seen[name] < 2} == {}
    assert {name for name in seen if name not in METHODS + FUNCTIONS} <= {"encode"}


def test_covers_the_statements(trees: list[ast.Module]) -> None:
    nodes = [node for tree in trees for node in ast.walk(tree)]
    assert set(STATEMENTS + EXPRESSIONS) <= {type(node).__name__ for node in nodes}
    assert any(isinstance(node, ast.For) and node.orelse for node in nodes)
    assert any(isinstance(node, ast.Try) and node.finalbody for node in nodes)
    assert any(isinstance(node, ast.Assign) and len(node.targets) > 1 for node in nodes)
    assert any(isinstance(node, ast.FunctionDef) and node.args.defaults for node in nodes)


def test_arguments_fit_their_use() -> None:
    """A key is often one of the dict's, a separator in the text, an index within what is indexed."""
    hits: Counter[str] = Counter()
    total: Counter[str] = Counter()
    for program, calls in map(generate_short, range(3000)):
        names = [argument.arg for argument in function(program.source).args.args]
        for call in calls:
            first, *others = arguments(call.text)
            for name, other in zip(names[1:], others, strict=False):
                if (name, type(first)) in (("key", dict), ("sep", str)):
                    fits = other in first
                elif (name, type(first)) in (("index", str), ("index", list)):
                    fits = -len(first) <= other < len(first)
                else:
                    continue
                total[name] += 1
                hits[name] += fits
    for name in ("key", "sep", "index"):
        assert total[name] > 20, name
        assert 0.5 < hits[name] / total[name] < 1, name


def test_source_stream() -> None:
    whole = list(ShortSource("40:3").programs())
    assert whole == [program for program, _ in map(generate_short, range(3, 43))]
    assert {(p.license, p.origin.source, p.entry) for p in whole} == {("CC0-1.0", "short", "f")}
    source = ShortSource("2")
    programs = list(source.programs())
    assert [source.examples(program) for program in programs] == [generate_short(seed)[1] for seed in range(2)]
    assert source.examples(Program("def f(x): return x", "f", programs[0].origin)) == ()


@pytest.mark.parametrize("spec", ["x", "5:", "5:x", "-1", "5:1:2", "count=3,shard=4/4"])
def test_bad_spec_is_a_usage_error(spec: str) -> None:
    with pytest.raises(UsageError, match="short"):
        ShortSource(spec)

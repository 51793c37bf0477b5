"""Small programs: the same seed gives the same program, every statement and parameter counts, values stay small."""

from __future__ import annotations

import ast
import copy
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from semcoder.core import Program
from semcoder.errors import UsageError
from semcoder.seeds.small import SmallSource, generate_small
from semcoder.tracing import trace_here
from tests.unit.test_generator import in_fresh_process

SEEDS = range(400)


def run(source: str, call: str) -> Any:
    space: dict[str, Any] = {}
    exec(source, space)
    return eval(call, space)


def outcome(source: str, call: str) -> str:
    """What a call does within some hundred lines: a program without one of its statements may never end."""
    left = iter(range(500))

    def count(*_: Any) -> Any:
        if next(left, None) is None:
            raise TimeoutError
        return count

    before = sys.gettrace()
    sys.settrace(count)
    try:
        return repr(run(source, call))
    except Exception as error:
        return type(error).__name__
    finally:
        sys.settrace(before)


def test_same_seed_same_program_in_any_order() -> None:
    forward = [generate_small(seed) for seed in range(100)]
    assert forward == [generate_small(seed) for seed in reversed(range(100))][::-1]
    assert len({program.source for program, _ in map(generate_small, range(1000))}) > 400


def test_same_seed_same_program_in_another_process_and_hash_seed() -> None:
    code = (
        "import hashlib; from semcoder.seeds.small import generate_small\n"
        "print(hashlib.sha256(repr([generate_small(k) for k in range(200)]).encode()).hexdigest())"
    )
    assert in_fresh_process(code, "1") == in_fresh_process(code, "4242")


def test_programs_are_small_functions_with_a_loop() -> None:
    for program, calls in map(generate_small, SEEDS):
        tree = ast.parse(program.source)
        (function,) = tree.body
        assert isinstance(function, ast.FunctionDef)
        assert 4 <= program.source.count("\n") <= 9
        loops = [node for node in ast.walk(tree) if isinstance(node, (ast.For, ast.While))]
        assert loops
        assert not any(
            isinstance(inner, (ast.For, ast.While)) for loop in loops for part in loop.body for inner in ast.walk(part)
        )
        assert 1 <= len(calls) <= 3
        assert len({call.text for call in calls}) == len(calls)


def test_every_parameter_and_every_variable_is_read() -> None:
    for program, _ in map(generate_small, SEEDS):
        function = ast.parse(program.source).body[0]
        assert isinstance(function, ast.FunctionDef)
        names = [node for node in ast.walk(function) if isinstance(node, ast.Name)]
        read = {node.id for node in names if isinstance(node.ctx, ast.Load)}
        steps = {
            node.target.id
            for node in ast.walk(function)
            if isinstance(node, ast.For) and isinstance(node.target, ast.Name)
        }
        assert {argument.arg for argument in function.args.args} <= read, program.source
        assert {node.id for node in names if isinstance(node.ctx, ast.Store)} - steps <= read, program.source


def without(tree: ast.Module) -> Iterator[str]:
    """The program without one of its statements, for each but returns."""
    count = sum(isinstance(node, (ast.Assign, ast.AugAssign, ast.Expr)) for node in ast.walk(tree))
    for place in range(count):
        changed = copy.deepcopy(tree)
        seen = -1
        for node in ast.walk(changed):
            for name in ("body", "orelse"):
                found = getattr(node, name, None)
                block: list[ast.stmt] = found if isinstance(found, list) else []
                for k, part in enumerate(block):
                    if isinstance(part, (ast.Assign, ast.AugAssign, ast.Expr)):
                        seen += 1
                        if seen == place:
                            block[k] = ast.Pass()
        yield ast.unparse(changed)


def test_most_statements_change_some_result() -> None:
    changed = total = 0
    for program, _ in map(generate_small, range(120)):
        calls = [call.text for seed in range(1) for call in generate_small(int(program.origin.path) + seed)[1]]
        for mutant in without(ast.parse(program.source)):
            total += 1
            changed += any(outcome(mutant, call) != outcome(program.source, call) for call in calls)
    assert total > 200
    assert changed / total > 0.75


def test_every_call_returns_a_small_value_and_says_something() -> None:
    for program, calls in map(generate_small, SEEDS):
        results = [run(program.source, call.text) for call in calls]
        assert len({repr(result) for result in results}) > 1
        for result in results:
            assert len(repr(result)) <= 40
            assert isinstance(result, (int, list, str))


def test_values_on_the_way_stay_small_and_runs_short() -> None:
    for program, calls in map(generate_small, range(150)):
        trace = trace_here(program.source, calls[0].text)
        assert len(trace.steps) <= 60, program.source
        for step in trace.steps:
            for change in step.changes:
                value = change.new.to_python() if change.new is not None else 0
                numbers = value if isinstance(value, list) else [value]
                assert all(abs(number) < 1000 for number in numbers if isinstance(number, int)), program.source
                assert len(repr(value)) < 60


def test_covers_what_it_says() -> None:
    text = "\n".join(program.source for program, _ in map(generate_small, range(3000)))
    seen = {type(node).__name__ for node in ast.walk(ast.parse(text))}
    assert {"For", "While", "If", "AugAssign", "Assign", "Subscript", "Slice", "List", "Compare"} <= seen
    for part in (".append(", "[::-1]", "[1:]", "xs[-1]", "else:", "range(", "len(", " % "):
        assert part in text, part


def test_source_stream() -> None:
    whole = list(SmallSource("40:3").programs())
    assert whole == [program for program, _ in map(generate_small, range(3, 43))]
    assert {(p.license, p.origin.source, p.entry) for p in whole} == {("CC0-1.0", "small", "f")}
    source = SmallSource("2")
    programs = list(source.programs())
    assert [source.examples(program) for program in programs] == [generate_small(seed)[1] for seed in range(2)]
    assert source.examples(Program("def f(x): return x", "f", programs[0].origin)) == ()


@pytest.mark.parametrize("spec", ["x", "5:", "5:x", "-1", "5:1:2", "count=3,shard=4/4"])
def test_bad_spec_is_a_usage_error(spec: str) -> None:
    with pytest.raises(UsageError, match="small"):
        SmallSource(spec)

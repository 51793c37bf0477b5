"""The generator: the same seed gives the same program anywhere; programs parse, end, mostly return, cover the language."""

from __future__ import annotations

import ast
import hashlib
import itertools
import os
import signal
import subprocess
import sys
import warnings
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from semcoder.core.calling import check_call
from semcoder.core.records import Outcome, Program
from semcoder.errors import UsageError
from semcoder.seeds.generator import GeneratorSource, generate
from tests.inprocess import InProcess

#: Seconds that one call may take before it counts as endless; the slowest takes a few hundredths.
DEADLINE = 5.0

CONSTRUCTS = str.split("""
    Add And AnnAssign Assert Assign AsyncFor AsyncFunctionDef AsyncWith Attribute AugAssign Await BinOp BitAnd BitOr BitXor
    BoolOp Break Call ClassDef Compare Constant Continue Del Delete Dict DictComp Div Eq ExceptHandler Expr FloorDiv For
    FormattedValue FunctionDef GeneratorExp Global Gt GtE If IfExp Import ImportFrom In Invert Is IsNot JoinedStr LShift
    Lambda List ListComp Lt LtE MatchAs MatchClass MatchMapping MatchOr MatchSequence MatchSingleton MatchStar MatchValue
    Mod Mult NamedExpr Nonlocal Not NotEq NotIn Or Pass Pow RShift Raise Return Set SetComp Slice Starred Sub Subscript Try
    TryStar Tuple UAdd USub UnaryOp While With Yield YieldFrom comprehension keyword match_case
""")


class Endless(BaseException):
    """Not an Exception, so that no program's handler keeps it."""


@pytest.fixture(autouse=True)
def _deadline() -> Iterator[None]:
    def stop(*_: object) -> None:
        raise Endless

    before = signal.signal(signal.SIGALRM, stop)
    warnings.simplefilter("ignore", SyntaxWarning)
    yield
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


def outcomes(seed: int) -> list[Outcome]:
    program, invocations = generate(seed)
    caller = InProcess(program.source)
    found = []
    for invocation in invocations:
        signal.setitimer(signal.ITIMER_REAL, DEADLINE)
        outcome = caller.call(invocation)
        signal.setitimer(signal.ITIMER_REAL, 0)
        ended = outcome.exception is None or outcome.exception.type != "Endless"
        assert ended, f"seed {seed}: {invocation.text} does not end:\n{program.source}"
        found.append(outcome)
    return found


def digest(seeds: range) -> str:
    text = "\0".join(f"{program.source}\1{calls}" for program, calls in map(generate, seeds))
    return hashlib.sha256(text.encode()).hexdigest()


def in_fresh_process(code: str, hash_seed: str) -> str:
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONWARNINGS": "ignore"}
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
    )
    return done.stdout.strip()


def test_same_seed_same_program_in_any_order() -> None:
    forward = [generate(seed) for seed in range(200)]
    backward = [generate(seed) for seed in reversed(range(200))]
    assert forward == backward[::-1]
    assert len({program.id for program, _ in forward}) == 200


def test_same_seed_same_program_in_another_process_and_hash_seed() -> None:
    code = "from tests.unit.test_generator import digest; print(digest(range(300)))"
    assert in_fresh_process(code, "1") == in_fresh_process(code, "4242") == digest(range(300))


def test_outcomes_do_not_depend_on_the_hash_seed() -> None:
    code = (
        "import hashlib\nfrom tests.unit.test_generator import generate, InProcess\n"
        "for seed in range(400):\n"
        "    program, calls = generate(seed)\n"
        "    for call in calls:\n"
        "        done = InProcess(program.source).call(call)\n"
        "        shown = done.value.display() if done.value else str(done.exception)\n"
        "        print(seed, hashlib.sha256((done.status + shown + done.stdout).encode()).hexdigest()[:12])\n"
    )
    first, second = in_fresh_process(code, "1").splitlines(), in_fresh_process(code, "77").splitlines()
    assert len(first) == len(second) > 400
    assert [(a, b) for a, b in zip(first, second, strict=True) if a != b] == []


def test_programs_end_and_mostly_return() -> None:
    found = [outcome for seed in range(1000, 1300) for outcome in outcomes(seed)]
    statuses = Counter(outcome.status for outcome in found)
    assert set(statuses) == {"returned", "raised"}
    assert 0.8 <= statuses["returned"] / statuses.total() < 1.0


def test_a_name_is_always_bound_before_it_is_read() -> None:
    kinds = Counter(o.exception.type for seed in range(3000, 3600) for o in outcomes(seed) if o.exception is not None)
    assert kinds["NameError"] == kinds["UnboundLocalError"] == 0
    assert len(kinds) >= 4


def test_values_stay_small() -> None:
    values = [o.value for seed in range(600) for o in outcomes(seed) if o.value is not None]
    sizes = sorted(len(value.display()) for value in values)
    assert sizes[-1] < 5_000
    assert sizes[len(sizes) // 2] < 50
    ints = [abs(int(value.to_python())) for value in values if value.kind == "int"]
    assert sum(value < 10**6 for value in ints) > 0.95 * len(ints)


def test_covers_the_language() -> None:
    seen = {type(node).__name__ for seed in range(1500) for node in ast.walk(ast.parse(generate(seed)[0].source))}
    assert [name for name in CONSTRUCTS if name not in seen] == []


def test_covers_what_the_tree_does_not_name() -> None:
    text = "\n".join(generate(seed)[0].source for seed in range(1500))
    for part in (
        *("; ", "nonlocal ", "@property", "super()", "while True:", "finally:", "__enter__", "contextlib.suppress"),
        *("yield from", ".send(", "!r}", ":>5}", "**{", " if x > y:", "from None", ".format(", '"""', "# ", "é"),
    ):
        assert part in text, part
    loops = [n for n in ast.walk(ast.parse(text)) if isinstance(n, (ast.For, ast.While))]
    assert {type(n) for n in loops if n.orelse} == {ast.For, ast.While}


def test_calls_are_over_literals() -> None:
    for seed in range(500):
        program, invocations = generate(seed)
        tree = ast.parse(program.source)
        assert 1 <= len(invocations) <= 3
        assert len({invocation.text for invocation in invocations}) == len(invocations)
        for invocation in invocations:
            assert check_call(tree, invocation.text) == program.entry == "f"
            call = ast.parse(invocation.text, mode="eval").body
            assert isinstance(call, ast.Call)
            for argument in [*call.args, *(keyword.value for keyword in call.keywords)]:
                ast.literal_eval(argument)


def test_programs_are_short() -> None:
    lengths = sorted(generate(seed)[0].source.count("\n") for seed in range(1000))
    assert 8 <= lengths[500] <= 25
    assert lengths[-1] < 120


def test_source_stream() -> None:
    whole = list(GeneratorSource("seed=3,count=40").programs())
    assert [program for program, _ in map(generate, range(3, 43))] == whole
    shards = [list(GeneratorSource(f"seed=3,count=40,shard={k}/4").programs()) for k in range(4)]
    assert [program for row in zip(*shards, strict=True) for program in row] == whole
    assert len(list(itertools.islice(GeneratorSource().programs(), 50))) == 50
    assert {(p.license, p.origin.source, p.entry) for p in whole} == {("CC0-1.0", "generator", "f")}


@pytest.mark.parametrize("spec", ["seed", "seed=x", "size=3", "shard=4/4", "shard=1", "count=-1", "seed=1;count=2"])
def test_bad_spec_is_a_usage_error(spec: str) -> None:
    with pytest.raises(UsageError, match="generator"):
        GeneratorSource(spec)


def test_a_count_is_enough_and_calls_come_as_examples() -> None:
    source = GeneratorSource("4:7")
    programs = list(source.programs())
    assert programs == list(GeneratorSource("seed=7,count=4").programs())
    assert [source.examples(program) for program in programs] == [generate(seed)[1] for seed in range(7, 11)]
    assert len(list(GeneratorSource("3").programs())) == 3
    assert source.examples(Program("def f(x): return x", "f", programs[0].origin)) == ()

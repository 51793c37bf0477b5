"""Cleaning on programs that nobody chose: copies have the same normal form, near duplicates are what they are called."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from semcoder.cleaning import Benchmark, Screen, Task, normal
from semcoder.cleaning.ngrams import grams, jaccard
from tests.plants import COPIES
from tests.programs import PROGRAMS

STATEMENTS = (
    "a = b + {n}", "b = [a, {n}]", "a = len(str(b))", "b = helper(a, k={n})", "print(a, b)",
    "if a > {n}:\n    b = a\nelse:\n    a = b", "for c in range({n}):\n    a = a * c", "while a:\n    a -= {n}\n    break",
    "a = [c for c in b if c != {n}]", "a = lambda d: d + {n}", "try:\n    a = b[{n}]\nexcept IndexError as e:\n    b = e",
    "def inner(p, *q):\n    return p + {n}", "a = math.floor({n}.5)", "b = {{'k': a}}", "a, b = b, a", "b = f'{{a}} and {n}'",
)  # fmt: skip


@st.composite
def programs(draw: st.DrawFn) -> str:
    """A helper, and a function of some statements; none of its names is a keyword of a library's function."""
    chosen = draw(st.lists(st.tuples(st.sampled_from(STATEMENTS), st.integers(0, 9)), min_size=2, max_size=8))
    body = "\n".join(text.format(n=n) for text, n in chosen)
    lines = "\n".join("    " + line for line in body.splitlines())
    head = "import math\n\ndef helper(x, k=1):\n    return (x, k)\n\ndef main(a, b):\n"
    return f"{head}{lines}\n    return a\n"


def last_function(source: str) -> str:
    return [node.name for node in ast.parse(source).body if isinstance(node, ast.FunctionDef)][-1]


def digests(source: str) -> list[str]:
    return [unit.digest for unit in normal.units(ast.parse(source))]


@settings(max_examples=60, deadline=None, derandomize=True, database=None)
@given(programs(), st.sampled_from(sorted(COPIES)))
def test_copies_have_the_same_normal_form(source: str, copy: str) -> None:
    made = COPIES[copy](source)
    tree = normal.parse(made)
    assert tree is not None
    assert sorted(unit.digest for unit in normal.units(tree)) == sorted(digests(source))
    screen = Screen([Benchmark("made", "", (Task("t", source, ""),), 0)])
    assert screen.program(made).hit is not None


@settings(max_examples=60, deadline=None, derandomize=True, database=None)
@given(programs(), programs())
def test_equal_normal_forms_mean_equal_code(one: str, other: str) -> None:
    """Names apart, the two do the same: written with the same names, they are the same text."""
    if digests(one) == digests(other):
        assert ast.dump(ast.parse(one)) == ast.dump(ast.parse(other))
    assert (normal.code_tokens(ast.parse(one)) == normal.code_tokens(ast.parse(other))) >= (one == other)


@settings(max_examples=100, deadline=None, derandomize=True, database=None)
@given(
    st.lists(st.sampled_from("abcdef"), max_size=40),
    st.lists(st.sampled_from("abcdef"), max_size=40),
    st.integers(1, 6),
)
def test_grams_are_the_sets_that_they_stand_for(one: list[str], other: list[str], n: int) -> None:
    def plain(tokens: list[str]) -> set[tuple[str, ...]]:
        width = min(n, len(tokens))
        return {tuple(tokens[k : k + width]) for k in range(len(tokens) - width + 1)} if tokens else set()

    first, second = plain(one), plain(other)
    assert len(grams(one, n)) == len(first)
    union = len(first | second)
    assert jaccard(grams(one, n), grams(other, n)) == pytest.approx(len(first & second) / union if union else 1.0)


@pytest.mark.parametrize("name", sorted(PROGRAMS))
def test_shared_programs_have_normal_forms(name: str) -> None:
    source = PROGRAMS[name][0]
    assert digests(COPIES["renamed"](source)) == digests(source)


def test_near_duplicates_are_as_like_as_is_said(tmp_path: Path) -> None:
    """On programs with known copies: every pair of a drop is exactly measured, equal forms are all found."""
    pytest.importorskip("regex", reason="datatrove's MinHash needs it")
    pytest.importorskip("tokenizers", reason="datatrove's MinHash needs it")
    from datatrove.data import Document  # type: ignore[import-untyped]

    from semcoder.cleaning.duplicates import BUCKETS, Signatures, buckets_step, candidates, confirm, shingles

    basis = [
        "import math\n\ndef main(a, b):\n" + "\n".join(
            "    " + line for k in range(6) for line in STATEMENTS[(seed * 7 + k * (seed % 5 + 1)) % 16].format(n=seed % 10).splitlines()
        ) + f"\n    return a + {seed}\n"
        for seed in range(60)
    ]  # fmt: skip
    sources = basis + [COPIES["renamed"](source) for source in basis[:30]]
    threshold = 0.8
    for rank in range(3):
        mine = [Document(text=source, id=str(k)) for k, source in enumerate(sources[rank::3])]
        list(Signatures(tmp_path / "s", threshold).run(iter(mine), rank, 3) or [])
    for bucket in range(BUCKETS):
        list(buckets_step(tmp_path / "s", tmp_path / "p", threshold).run(None, bucket, BUCKETS) or [])
    places = [(k % 3, k // 3) for k in range(len(sources))]
    text = dict(zip(places, sources, strict=True))
    dropped = confirm(candidates(tmp_path / "p"), ((p, (text[p], last_function(text[p]))) for p in places), threshold)
    assert set(places[60:]) <= set(dropped)
    for place, twin in dropped.items():
        assert twin.place not in dropped
        assert places.index(twin.place) < places.index(place)
        assert jaccard(*(shingles(text[p], numbered=True) for p in (place, twin.place))) >= threshold


def test_methods_of_one_class_are_no_duplicates_of_each_other() -> None:
    pytest.importorskip("regex", reason="datatrove's MinHash needs it")
    pytest.importorskip("tokenizers", reason="datatrove's MinHash needs it")
    from semcoder.cleaning.duplicates import confirm

    body = "\n".join(f"        self.total += {k} * amount" for k in range(40))
    cls = f"class Till:\n    def __init__(self):\n        self.total = 0\n    def put(self, amount):\n{body}\n    def take(self, amount):\n{body}\n"
    programs = [
        f"{cls}\ndef till_{m}(amount):\n    till = Till()\n    return till.{m}(amount)\n"
        for m in ("put", "take", "put")
    ]
    entries = ["till_put", "till_take", "till_put"]
    places = [(0, 0), (0, 1), (1, 0)]
    documents = list(zip(places, zip(programs, entries, strict=True), strict=True))
    dropped = confirm({place: [1] for place in places}, documents, 0.8)
    assert {place: twin.place for place, twin in dropped.items()} == {(1, 0): (0, 0)}
    assert dropped[1, 0].similarity == 1.0

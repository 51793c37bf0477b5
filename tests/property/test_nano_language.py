"""The built-in model's language on many values and programs: what is written is read back, what a machine writes of a run
is what Python does, and what is told of it holds."""

from __future__ import annotations

import random
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from semcoder.core import Claim, Program, Value
from semcoder.monologue import verify
from semcoder.monologue.sentences import read_sentences
from semcoder.nano.flatten import Flat, flatten
from semcoder.nano.machine import execute
from semcoder.nano.notation import IDS, VOCABULARY, Unreadable, Unsupported, read, write, write_positions
from semcoder.nano.rows import rows_of
from semcoder.nano.telling import Telling, call_arguments
from semcoder.seeds.short import generate_short
from semcoder.tracing import trace_here

ATOMS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.text(max_size=12), st.floats(allow_nan=False), st.binary(max_size=4)
)
KEYS = st.one_of(
    st.booleans(), st.integers(-200, 200), st.text(max_size=4), st.tuples(st.integers(), st.text(max_size=2))
)
VALUES: st.SearchStrategy[Any] = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.lists(inner, max_size=4).map(tuple),
        st.dictionaries(KEYS, inner, max_size=4),
        st.sets(KEYS, max_size=4),
    ),
    max_leaves=12,
)
SEEDS = st.integers(0, 5_000)


# Values --------------------------------------------------------------------------------------------------------------


@given(VALUES)
def test_what_is_written_is_read_back(value: Any) -> None:
    tokens = write(value)
    assert all(token in IDS for token in tokens)
    assert Value.of(read(tokens)) == Value.of(value)  # types, order of dicts and the sign of zero included


@given(st.one_of(st.lists(VALUES, max_size=4), st.dictionaries(KEYS, VALUES, max_size=4)))
def test_positions_are_read_back_as_what_stands_beside_them(value: Any) -> None:
    tokens = write_positions(value)
    assert all(token in IDS for token in tokens)
    items = list(value.items()) if isinstance(value, dict) else value
    assert Value.of(read(tokens)) == Value.of(items)


@given(st.lists(st.sampled_from([*VOCABULARY, *"[](){},:“”⟦⟧-0123456789"]), max_size=12))
def test_any_tokens_are_a_value_or_unreadable(tokens: list[str]) -> None:
    try:
        value = read(tokens)
    except Unreadable:
        return
    assert read(write(value)) == value or value != value


# Programs ------------------------------------------------------------------------------------------------------------


@given(SEEDS)
@settings(max_examples=60, deadline=None)
def test_a_machine_says_what_python_does(seed: int) -> None:
    for row in rows_of(seed, generate_short):  # which raises where they differ
        assert all(token in IDS for token in (*row.prompt, *row.answer))
        assert row.answer[-1] == "<eos>"


@cache
def run_of(seed: int) -> tuple[Program, str, Flat, list[str]] | None:
    """A generated program, its first call, and what happens; None for what the language has no words for."""
    program, (call, *_) = generate_short(seed)
    try:
        flat = flatten(program.source, program.entry)
        return program, call.text, flat, execute(flat, call_arguments(flat, call.text)).tokens
    except Unsupported:
        return None


def runs(first: int, count: int) -> Iterator[tuple[Program, str, Flat, list[str]]]:
    """So many runs that the language has words for."""
    found = 0
    for seed in range(first, first + 2 * count):
        run = run_of(seed)
        if run is not None and found < count:
            found += 1
            yield run
    assert found == count


def claims_of(program: Program, call: str, text: str) -> list[Claim]:
    return verify(text, trace_here(program.source, call))


@pytest.mark.parametrize("first", range(0, 600, 100))
def test_a_true_run_is_told_truly(first: int) -> None:
    for program, call, flat, tokens in runs(first, 50):
        telling = Telling(flat, program.source, call, tokens)
        text = "\n".join(telling)
        trace = trace_here(program.source, call)
        claims = verify(text, trace)
        assert [claim for claim in claims if claim.verdict is not True] == [], program.source
        assert len(claims) > 3
        outcome = trace.outcome
        assert telling.fault == ""
        if outcome.value is not None:
            assert telling.answer == outcome.value.literal()
        else:
            assert outcome.exception is not None
            assert (telling.answer, telling.raised) == (None, outcome.exception.type)


#: Another value of the same kind.
OTHER = {"True": "False", "False": "True", "None": "7", "''": "'q'"}


def changed(flat: Flat, tokens: list[str], chance: random.Random) -> list[str] | None:
    """The tokens with another value for a variable of the program's own where it is stated for the last time, or for the
    result; None where that is a container without anything in it."""
    own = {f"v{flat.names.index(name)}" for name in flat.names if not name.startswith(" ")}
    stated = {
        tokens[place - 1] if token == "=" else token: place + 1
        for place, token in enumerate(tokens)
        if token == "return" or (token == "=" and tokens[place - 1] in own)
    }
    at = chance.choice([*stated.values()]) if stated else len(tokens)
    while at < len(tokens):
        token = tokens[at]
        if token.isdecimal():
            return [*tokens[:at], "7" if token != "7" else "8", *tokens[at + 1 :]]
        if token in OTHER:
            return [*tokens[:at], OTHER[token], *tokens[at + 1 :]]
        if len(token) == 3 and token[0] == token[2] == "'":
            return [*tokens[:at], "'q'" if token != "'q'" else "'z'", *tokens[at + 1 :]]
        if token == "“":
            letter = tokens[at + 1]
            return [*tokens[: at + 1], "q" if letter != "q" else "z", *tokens[at + 2 :]]
        if token not in ("[", "(", "{", "set(", "-"):
            return None
        at += 1
    return None


def test_one_wrong_value_is_one_false_claim_at_least() -> None:
    chance = random.Random(0)
    tried = 0
    for program, call, flat, tokens in runs(0, 200):
        wrong = changed(flat, tokens, chance)
        if wrong is None:
            continue
        tried += 1
        text = "\n".join(Telling(flat, program.source, call, wrong))
        assert any(claim.verdict is False for claim in claims_of(program, call, text)), (program.source, wrong)
    assert tried > 120


@given(SEEDS, st.randoms(use_true_random=False), st.integers(1, 5))
@settings(max_examples=150, deadline=None)
def test_any_tokens_are_told_as_far_as_they_make_sense(seed: int, chance: random.Random, faults: int) -> None:
    run = run_of(seed)
    if run is None:
        return
    program, call, flat, tokens = run
    wrong = list(tokens)
    for _ in range(faults):
        at = chance.randrange(len(wrong) + 1)
        wrong[at : at + chance.randrange(3)] = chance.choice([[], [chance.choice(VOCABULARY)], [chance.choice(tokens)]])
    telling = Telling(flat, program.source, call, wrong)
    text = "\n".join(telling)
    assert text.startswith(f"The call is `{call}`.\nLine 1: ")
    assert all(fact.kind != "unread" for sentence in read_sentences(text) for fact in sentence.facts)
    assert telling.answer is None or not telling.raised

"""The value model under random data: round trips, strict equality, literal text."""

from __future__ import annotations

import ast
import json
import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from semcoder.core import Encoder, NotLiteral, TooLarge, Value
from semcoder.core.values import check_unfolding

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(min_value=2**62)
    | st.floats()
    | st.text()
    | st.text(alphabet=st.characters(categories=("Cs", "Cc", "So")))
    | st.binary()
    | st.complex_numbers()
    | st.builds(range, st.integers(-9, 9), st.integers(-9, 9), st.integers(1, 3))
)
HASHABLE = SCALARS.filter(lambda v: v == v)
DATA = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=4).map(tuple)
        | st.dictionaries(HASHABLE, inner, max_size=4)
        | st.sets(HASHABLE, max_size=4)
        | st.frozensets(HASHABLE, max_size=4)
        | st.binary(max_size=5).map(bytearray)
    ),
    max_leaves=15,
)


def through_json(value: Value) -> Value:
    return Value.from_wire(json.loads(json.dumps(value.to_wire())))


@given(DATA)
def test_wire_round_trip(data: Any) -> None:
    value = Value.of(data)
    assert through_json(value) == value


@given(DATA)
def test_python_round_trip(data: Any) -> None:
    value = Value.of(data)
    assert Value.of(value.to_python()) == value


@given(DATA)
def test_literal_text_evaluates_to_the_value(data: Any) -> None:
    value = Value.of(data)
    assert Value.of(eval(value.literal(), {"__builtins__": __builtins__})) == value


@given(st.recursive(st.integers() | st.text(), lambda i: st.lists(i) | st.dictionaries(st.text(), i), max_leaves=10))
def test_display_is_repr_for_plain_data(data: Any) -> None:
    assert Value.of(data).display() == repr(data)


@given(DATA, DATA)
def test_equality_is_at_least_as_strict_as_pythons(a: Any, b: Any) -> None:
    if Value.of(a) == Value.of(b) and not _has_nan(a):
        assert a == b


def _has_nan(data: Any) -> bool:
    if isinstance(data, (float, complex)):
        return data != data
    if isinstance(data, dict):
        return any(map(_has_nan, data.values()))
    return isinstance(data, (list, tuple, set, frozenset)) and any(map(_has_nan, data))


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (1, True),
        (1, 1.0),
        (0.0, -0.0),
        ([1], (1,)),
        ({1}, frozenset({1})),
        ("a", b"a"),
        ([True], [1]),
        (b"", bytearray()),
    ],
)
def test_equality_knows_types_and_signs(a: Any, b: Any) -> None:
    assert Value.of(a) != Value.of(b)


def test_nan_equals_nan_and_dict_order_does_not_count() -> None:
    assert Value.of([math.nan]) == Value.of([math.nan])
    assert Value.of({1: 2, 3: 4}) == Value.of({3: 4, 1: 2})


def test_aliases_keep_their_identity() -> None:
    inner = [1]
    shared, copied = Value.of([inner, inner]), Value.of([[1], [1]])
    first, second = shared.children()
    assert first.oid == second.oid
    assert len({child.oid for child in copied.children()}) == 2
    assert shared == copied
    assert through_json(shared).children()[0].oid == first.oid
    built = shared.to_python()
    assert built[0] is built[1]


def test_cycles() -> None:
    loop: list[Any] = [1]
    loop.append(loop)
    value = Value.of(loop)
    assert value.display() == "[1, [...]]"
    assert through_json(value) == value
    longer: list[Any] = [1, loop]
    assert Value.of(longer) == value  # both unfold to the same endless list
    built = value.to_python()
    assert built[1] is built
    with pytest.raises(NotLiteral, match="contains itself"):
        value.literal()


def test_huge_ints_pass_the_digit_limit() -> None:
    value = Value.of(10**5000)
    assert through_json(value).to_python() == 10**5000
    assert eval(value.literal()) == 10**5000


def test_opaque_objects_have_a_type_and_a_bounded_description() -> None:
    value = Value.of([len, iter([]), iter("").__iter__, ast])
    assert [v.type_name for v in value.children()] == [
        "builtin_function_or_method",
        "list_iterator",
        "method-wrapper",
        "module",
    ]
    assert not value.is_complete()
    assert "0x" not in value.display()


class Hostile:
    """Every method that an inspector might call by mistake raises."""

    def __init__(self) -> None:
        self.kept = 1

    def _refuse(self, *_: object) -> Any:
        raise AssertionError("the encoder ran code of the object's class")

    __repr__ = __str__ = __iter__ = __len__ = __getattr__ = __hash__ = _refuse

    def __eq__(self, other: object) -> bool:
        return True

    @property  # type: ignore[misc]
    def __class__(self) -> Any:
        raise AssertionError("the encoder asked the object for its class")


def test_no_code_of_the_object_runs() -> None:
    value = Value.of(Hostile())
    assert value.type_name == "Hostile"
    assert value.attributes()["kept"] == Value.of(1)


def test_an_unchanged_object_keeps_its_node_and_a_changed_one_its_identity() -> None:
    encoder, items = Encoder(), [1, 2]
    first, again = encoder.ref(items), encoder.ref(items)
    assert first == again
    items[0] = True  # equal to 1 for Python, another value for us
    changed = encoder.ref(items)
    assert changed != first
    assert encoder.nodes[changed[0]][1] == encoder.nodes[first[0]][1]


@pytest.mark.parametrize(("data", "why"), [("x" * 99, "text"), (list(range(99)), "parts"), ([[[[[1]]]]], "deeper")])
def test_bounds(data: Any, why: str) -> None:
    with pytest.raises(TooLarge, match=why):
        Encoder(max_nodes=50, max_text=90, max_depth=4).ref(data)


REFS = st.recursive(
    st.none()
    | st.integers(-3, 5)
    | st.text(max_size=3)
    | st.sampled_from(["i", "f", "b", "r", "list", "dict", "object", "opaque"]),
    lambda inner: st.lists(inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=400)
@given(REFS, st.lists(REFS, max_size=4))
def test_malformed_wire_is_refused_or_harmless(ref: Any, nodes: list[Any]) -> None:
    try:
        value = Value.from_wire({"ref": ref, "nodes": nodes})
    except ValueError:
        return
    value.display()
    assert value == value
    assert isinstance(value.is_literal(), bool)


def test_shared_parts_are_encoded_once_and_endless_unfolding_is_refused() -> None:
    value: Any = []
    for _ in range(60):
        value = [value, value]
    encoder = Encoder()
    ref = encoder.ref(value)
    assert len(encoder.nodes) == 61
    with pytest.raises(TooLarge, match="unfolds"):
        check_unfolding(encoder.nodes, ref)

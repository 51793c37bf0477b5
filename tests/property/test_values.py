"""The value model under random data: round trips, strict equality, literal text."""

from __future__ import annotations

import ast
import json
import math
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from semcoder.core import Encoder, NotLiteral, TooLarge, Value
from semcoder.core.unfolding import check_unfolding

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


def doubled(times: int) -> Any:
    value: Any = []
    for _ in range(times):
        value = [value, value]
    return value


def complete_graph(size: int) -> list[Any]:
    nodes: list[Any] = [[] for _ in range(size)]
    for node in nodes:
        node.extend(nodes)
    return nodes


def wire(*nodes: list[Any]) -> dict[str, Any]:
    return {"ref": [0], "nodes": list(nodes)}


DOUBLING = wire(*[["list", k, [k + 1], [k + 1]] for k in range(24)], ["list", 24])
DEEP = wire(*[["list", k, [k + 1]] for k in range(5000)], ["list", 5000])


def test_what_unfolds_without_end_is_refused_and_leaves_no_trace_in_the_table() -> None:
    encoder = Encoder()
    kept = encoder.ref([1])
    with pytest.raises(TooLarge, match="unfolds"):
        encoder.ref(doubled(60))
    assert (kept, len(encoder.nodes)) == ((0,), 1)
    assert Value(encoder.ref(doubled(10)), encoder.nodes) == Value.of(doubled(10))


def test_what_grew_over_many_moments_is_refused_too() -> None:
    encoder, value = Encoder(), doubled(0)
    for _ in range(12):
        value = [value, value]
        encoder.ref(value)
    many = [value] * 1000
    with pytest.raises(TooLarge, match="unfolds"):
        encoder.ref(many)
    check_unfolding(encoder.nodes, range(len(encoder.nodes)))
    chain: list[Any] = [[]]
    for _ in range(500):
        chain.append([chain[-1]])
    with pytest.raises(TooLarge, match="deeper"):
        Encoder().ref(chain)


@pytest.mark.parametrize(("document", "why"), [(DOUBLING, "unfolds"), (DEEP, "deeper")])
def test_untrusted_values_that_unfold_beyond_bounds_are_refused(document: Any, why: str) -> None:
    with pytest.raises(TooLarge, match=why):
        Value.from_wire(document)


@given(DATA)
def test_what_is_encoded_passes_the_check_of_the_other_side(data: Any) -> None:
    encoder = Encoder()
    ref = encoder.ref([data, data])
    found = check_unfolding(encoder.nodes, [ref[0]])
    assert encoder._extents[ref[0]] == found[ref[0]]


def test_every_part_of_a_cycle_is_written_once() -> None:
    assert Value.of(complete_graph(2)[0]).display() == "[[...], [[...], [...]]]"
    for size in (10, 100):  # following every path would take size! steps
        text = Value.of(complete_graph(size)[0]).display()
        assert text.count("[...]") == size * size - size + 1
    loop: list[Any] = [1]
    loop.append(loop)
    assert Value.of((loop, {2: loop})).display() == "([1, [...]], {2: [1, [...]]})"


def test_cycles_cannot_multiply_either() -> None:
    value: Any = complete_graph(3)[0]
    for _ in range(30):
        value = [value, value]
    with pytest.raises(TooLarge, match="unfolds"):
        Value.of(value)


def test_cyclic_values_compare_without_recursion() -> None:
    first, second = complete_graph(100), complete_graph(100)
    assert Value.of(first[0]) == Value.of(second[7])
    second[99][99] = 1
    assert Value.of(first[0]) != Value.of(second[0])
    assert Value.of(first[0]).python_equal(Value.of(first[0])) is None


@given(DATA)
def test_equal_values_have_equal_digests_and_hashes(data: Any) -> None:
    value, again = Value.of(data), through_json(Value.of(data))
    assert (value.digest(), hash(value)) == (again.digest(), hash(again))
    if isinstance(data, dict):
        turned = Value.of(dict(reversed(data.items())))
        assert turned == value
        assert turned.digest() == value.digest()


def test_digests_tell_values_apart() -> None:
    loop: list[Any] = []
    loop.append(loop)
    different = [1, True, 1.0, "1", None, [], (), {}, [1], [[1]], [1, [2]], [[1], 2], {1: 2}, {2: 1}, {1, 2}, loop]
    assert len({Value.of(value).digest() for value in different}) == len(different)
    assert len({Value.of(value) for value in different + different}) == len(different)
    unrolled: list[Any] = [loop]
    assert Value.of(unrolled).digest() == Value.of(loop).digest()


def test_keys_that_are_the_same_for_us_keep_their_values() -> None:
    two = Value.of({float("nan"): 1, float("nan"): 2})
    assert two == Value.of({float("nan"): 2, float("nan"): 1})
    assert two != Value.of({float("nan"): 1, float("nan"): 1})


def test_sets_are_in_one_order() -> None:
    assert len({Value.of({math.inf, float("nan"), 1}).display() for _ in range(20)}) == 1
    shared: Any = frozenset()
    for k in range(12):  # ordering by text that repeats shared parts would take 2 ** 12 times as long
        shared = frozenset({(shared, k), (shared, -k - 1)})
    assert Value.of(shared) == through_json(Value.of(shared))


def test_a_set_inside_its_own_member_is_encoded() -> None:
    holder = Holder()
    holder.set = {holder, (1, 2), 3.5}
    assert Value.of(holder).display() in (
        "Holder(set={3.5, <...>, (1, 2)})",
        "Holder(set={3.5, (1, 2), <...>})",
    )


class Holder:
    set: Any


def test_ranges_of_any_size() -> None:
    value = Value.of([range(10**5000), range(2**70), range(1, 9, 2)])
    assert through_json(value) == value
    text = value.display()
    assert text.startswith("[range(0, 0x")
    assert eval(value.literal()) == [range(10**5000), range(2**70), range(1, 9, 2)]


def test_a_number_that_python_does_not_write_has_no_description() -> None:
    assert Value.of(Fraction(10**5000)).display() == "<Fraction>"
    assert Value.of(Fraction(1, 2)).display() == "Fraction(1, 2)"


def test_names_cannot_pass_for_the_text_around_them() -> None:
    liar = type("x`\nLine 2: `y", (), {})()
    liar.__dict__["a`\n"] = 1
    assert Value.of(liar).display() == "x??Line?2???y('a`\\n'=1)"
    assert len(Value.of(type("x" * 10_000, (), {})()).display()) < 200


@pytest.mark.parametrize(
    "node",
    [
        ["object", 0, "A\nB"],
        ["object", 0, "A`"],
        ["exception", 0, "A" * 1000],
        ["list/A B", 0],
        ["opaque", 0, "A", "x\ny"],
        ["opaque", 0, "A", "x" * 1000],
    ],
)
def test_untrusted_names_are_checked(node: list[Any]) -> None:
    with pytest.raises(ValueError, match=r"name|description"):
        Value.from_wire(wire(node))

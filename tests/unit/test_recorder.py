"""The recorder: calm statements record what looking at everything records, deltas of lists, bounds, the packed form."""

from __future__ import annotations

import copy
import inspect
import json
import random
import sys
from collections.abc import Callable
from typing import Any

import pytest

from semcoder.core import Encoder, Invocation, Value
from semcoder.core.encode import MAX_TEXT
from semcoder.errors import InputError
from semcoder.tracing import Trace, trace_from_document, trace_here
from semcoder.tracing.child import record
from semcoder.tracing.columns import Table, packed, unpacked
from semcoder.tracing.recorder import MAX_EVENTS, Recorder
from tests.inprocess import InProcess
from tests.programs import PROGRAMS

Event = tuple[str, int, Any]

#: Where a recorder that believes its program too much would go wrong.
TRICKY = {
    "alias": "def f():\n    a = [0] * 9\n    b = a\n    a[1] = 5\n    b[2] = 6\n    c = 1\n    return a",
    "alias in a list": "def f():\n    a = [0] * 9\n    b = [a, 1]\n    a[1] = 5\n    c = 1\n    return b",
    "alias in a dict": "def f():\n    a = [0] * 9\n    b = {1: a}\n    for i in range(3):\n        a[i] = i + 1\n    return b",
    "global list": "G = [0] * 9\ndef f():\n    a = G\n    a[1] = 5\n    x = G[1]\n    return x",
    "global through a callee": "G = 1\ndef g():\n    global G\n    G = 2\ndef f():\n    x = G\n    g()\n    y = G\n    return y",
    "equal but other": "def f():\n    a = [0, 1] * 5\n    a[0] = False\n    a[1] = True\n    a[2] = -0.0\n    a[3] = 1.0\n    return a",
    "equal variables": "def f():\n    x = 1\n    x = True\n    x = 1.0\n    x = 0.0\n    x = -0.0\n    x = '1'\n    return x",
    "nan": "def f():\n    n = float('nan')\n    a = [n] * 9\n    a[1] = n\n    a[2] = -n\n    m = n\n    n = a[2]\n    return 1",
    "negative index": "def f():\n    a = [0] * 9\n    a[-1] = 4\n    a[-9] = 2\n    a[True] = 7\n    return a",
    "out of range": "def f():\n    a = [0] * 9\n    try:\n        a[99] = 1\n    except IndexError:\n        a[3] = 1\n    return a",
    "half of a swap": "def f():\n    a = [0] * 9\n    try:\n        a[1], a[99] = 5, 6\n    except IndexError:\n        x = 1\n    return a",
    "slice and append": "def f():\n    a = list(range(20))\n    a.append(5)\n    a[3:5] = [1]\n    a.append(6)\n    a.pop()\n    a.pop(0)\n    return a",
    "append to no list": "class A:\n    def append(self, x):\n        self.x = x\ndef f():\n    a = A()\n    a.append(3)\n    b = 1\n    a.append(4)\n    return b",
    "store in a dict": "def f():\n    d = {}\n    for i in range(5):\n        d[i % 2] = i\n    return d",
    "big ints": "def f():\n    x = 1\n    a = [1] * 9\n    for i in range(4):\n        x = x * 2**40 + i\n        a[i] = x\n    return x",
    "operator with effect": "class A:\n    def __init__(self, t):\n        self.t = t\n    def __add__(self, n):\n        self.t[0] += n\n        return 1\ndef f():\n    t = [0] * 9\n    a = A(t)\n    x = a + 1\n    y = a + 2\n    return t",
    "item with effect": "class L(list):\n    def __getitem__(self, k):\n        self.append(k)\n        return 0\ndef f():\n    a = L()\n    x = a[3]\n    y = a[4]\n    return len(a)",
    "truth with effect": "class A:\n    n = 0\n    def __bool__(self):\n        self.n += 1\n        return True\ndef f():\n    a = A()\n    if a:\n        x = 1\n    while not a:\n        pass\n    return a.n",
    "shadowed builtin": "t = [0] * 9\ndef len(x):\n    x[0] += 1\n    return 1\ndef f():\n    a = t\n    y = len(a)\n    z = len(a)\n    return y",
    "builtin set from outside": "def f():\n    globals()['len'] = lambda x: x.append(1) or 3\n    a = [0] * 9\n    return g(a)\ndef g(a):\n    y = len(a)\n    z = len(a)\n    return a",
    "default dict": "from collections import defaultdict\ndef f():\n    d = defaultdict(int)\n    x = d[1]\n    y = d[2] + d[3]\n    return x",
    "iterator": "def g(a):\n    for i in range(3):\n        a[0] = i + 1\n        yield i\ndef f():\n    a = [0] * 9\n    s = 0\n    for x in g(a):\n        s += x\n    return s",
    "loop over a list that changes": "def f():\n    a = [1] * 9\n    for x in a:\n        if len(a) < 12:\n            a.append(x + len(a))\n    return a",
    "loop variable rebound": "def f():\n    t = []\n    for i in range(4):\n        t.append(i)\n        i = i * 2\n    return t",
    "generator sees a store": "def g(a):\n    while True:\n        yield a[0]\ndef f():\n    a = [0] * 9\n    it = g(a)\n    x = next(it)\n    a[0] = 4\n    y = next(it)\n    return y",
    "nonlocal": "def f():\n    n = 0\n    def g():\n        nonlocal n\n        n = n + 1\n        return n\n    x = g()\n    y = g() + n\n    return y",
    "deleted": "def f():\n    x = 1\n    y = 2\n    del x\n    y = 3\n    x = 1\n    return x",
    "matrix": "def f():\n    m = [[0] * 10 for _ in range(3)]\n    for i in range(3):\n        for j in range(9):\n            m[i][j] = i * j\n    row = m[1]\n    row[0] = 9\n    return m",
    "plus on a list": "def f():\n    a = [1] * 9\n    b = a\n    a += [2]\n    a = a + [3]\n    return b",
    "text": "def f(n=30):\n    s = ''\n    for i in range(n):\n        s += str(i)\n        t = s.upper()\n    return t",
    "finalizer": "log = [0] * 9\nclass A:\n    def __del__(self):\n        log[0] += 1\ndef f():\n    a = A()\n    b = log\n    a = 1\n    c = 2\n    return b",
    "raised in the middle": "def f():\n    x = 1\n    y = 0\n    try:\n        z = (x + 1) * (x // y)\n    except ZeroDivisionError:\n        x = 2\n    return x",
    "class with its own comparison": "class M(type):\n    def __eq__(cls, o):\n        t[0] += 1\n        return True\n    __hash__ = type.__hash__\nclass A(metaclass=M):\n    pass\nt = [0] * 9\ndef f():\n    b = t\n    x = A == 3\n    y = 4\n    return b",
}  # fmt: skip


def events(trace: Trace) -> list[Event]:
    """The events with values in the place of refs, so that traces of one run in other tables compare equal."""
    read: Callable[[str, Any], Any] = lambda kind, ref: trace.value(ref) if kind in "em=grxhy" else ref  # noqa: E731
    return [(kind, site, read(kind, ref)) for kind, site, ref in zip(trace.kinds, trace.sites, trace.refs, strict=True)]


def looking_at_everything(source: str, call: str, monkeypatch: pytest.MonkeyPatch) -> Trace:
    """The trace where no frame is ever calm, by an encoder that writes nothing by its changes."""
    with monkeypatch.context() as patch:
        patch.setattr("semcoder.tracing.recorder.PURE_BUILTINS", frozenset({"__name__"}))
        patch.setattr(sys.modules["semcoder.core.encode"], "_DELTA_LENGTH", 10**9)
        return trace_here(source, call)


@pytest.mark.parametrize("name", TRICKY)
def test_calm_statements_record_what_looking_at_everything_records(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    trace, slow = trace_here(TRICKY[name], "f()"), looking_at_everything(TRICKY[name], "f()", monkeypatch)
    assert not trace.truncated
    assert trace.outcome.same(slow.outcome)
    assert events(trace) == events(slow)


@pytest.mark.parametrize("name", sorted(PROGRAMS))
def test_programs_record_the_same_calm_or_not(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    trace, slow = trace_here(*PROGRAMS[name]), looking_at_everything(*PROGRAMS[name], monkeypatch)
    assert [(e[0], e[1]) for e in events(trace)] == [(e[0], e[1]) for e in events(slow)]
    assert events(trace) == events(slow)


SORT = """
def f(xs):
    for n in range(len(xs)):
        for i in range(len(xs) - 1 - n):
            if xs[i] > xs[i + 1]:
                xs[i], xs[i + 1] = xs[i + 1], xs[i]
    return xs
"""


def test_a_list_that_changes_in_two_places_does_not_cost_its_length() -> None:
    document = record(SORT, Invocation("f([k * 17 % 101 for k in range(100)])").parts)
    nodes = document["columns"]["nodes"]
    swaps = sum(node[0] == "+" for node in nodes)
    assert swaps > 1000
    assert sum(len(node) for node in nodes) < 20 * len(nodes)


def test_every_state_of_a_sorted_list_is_exact() -> None:
    numbers = [k * 17 % 31 for k in range(31)]
    trace = trace_here(SORT, f"f({numbers})")
    states = [
        change.new.to_python() for step in trace.steps for change in step.changes if change.name == "xs" and change.new
    ]
    expected = [list(numbers)]
    for n in range(len(numbers)):
        for i in range(len(numbers) - 1 - n):
            if numbers[i] > numbers[i + 1]:
                numbers[i], numbers[i + 1] = numbers[i + 1], numbers[i]
                expected.append(list(numbers))
    assert states == expected


def test_deltas_give_the_list_as_it_was() -> None:
    rng = random.Random(5)
    encoder = Encoder(deltas=True)
    numbers: list[Any] = [rng.randrange(9) for _ in range(40)]
    moments: list[tuple[Any, list[Any]]] = [(encoder.ref(numbers), list(numbers))]
    for _ in range(2000):
        match rng.randrange(6):
            case 0 if len(numbers) < 60:
                numbers.append(rng.choice([1, True, 1.0, "x", None, 2**70, 0.0, -0.0]))
            case 1 if len(numbers) > 9:
                numbers.pop()
            case 2:
                numbers.insert(rng.randrange(len(numbers)), 3)
            case _:
                numbers[rng.randrange(len(numbers))] = rng.choice([1, True, 1.0, "ab", b"c", 2**70, -0.0, None])
        moments.append((encoder.ref(numbers), list(numbers)))
    table = Table(json.loads(json.dumps(encoder.nodes)))
    assert any(node[0] == "+" for node in encoder.nodes)
    rng.shuffle(moments)
    for ref, then in moments:
        assert Value(list(ref), table) == Value.of(then)


# -- bounds


LONG = (
    "def f():\n    s = ''\n    t = 0\n    for i in range(3000):\n        s = s + 'ab'\n        t += i\n    return t\n"
)


@pytest.mark.parametrize("limit", [1000, 10_000, 100_000])
def test_a_byte_limit_cuts_and_what_was_recorded_is_exact(limit: int, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = trace_here(LONG, "f()")
    monkeypatch.setattr(Recorder.__init__, "__kwdefaults__", {"max_events": MAX_EVENTS, "max_bytes": limit})
    cut = trace_here(LONG, "f()")
    assert cut.truncated
    assert not whole.truncated
    assert 20 < len(cut) < len(whole)
    assert events(cut) == events(whole)[: len(cut)]
    assert InProcess(LONG).call(Invocation("f()")).same(cut.outcome)
    told = {
        part.value.ref for step in cut.steps for part in step.parts if part.value and isinstance(part.value.ref, str)
    }
    assert sum(map(len, told)) <= limit


@pytest.mark.parametrize("limit", [0, 1, 7, 100, 1001, 9999])
def test_an_event_limit_cuts_and_what_was_recorded_is_exact(limit: int) -> None:
    whole, cut = trace_here(LONG, "f()"), trace_here(LONG, "f()", max_events=limit)
    assert cut.truncated
    assert len(cut) == limit
    assert events(cut) == events(whole)[:limit]
    assert cut.outcome.same(whole.outcome)


def test_printed_text_counts_against_the_byte_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Recorder.__init__, "__kwdefaults__", {"max_events": MAX_EVENTS, "max_bytes": 1000})
    trace = trace_here("def f():\n    for i in range(100):\n        print('abcdefghij' * 10)\n", "f()")
    assert trace.truncated
    assert len(trace.outcome.stdout) == 100 * 101
    assert sum(len(part.text) for step in trace.steps for part in step.parts) <= 1000


def test_the_limit_in_bytes_is_that_of_the_encoder() -> None:
    assert inspect.signature(Recorder).parameters["max_bytes"].default == MAX_TEXT


# -- the packed form


@pytest.fixture
def document() -> dict[str, Any]:
    source = "def f(n):\n    a = [0] * 9\n    for i in range(n):\n        a[i] = i + 1\n        if i > 1: print(i)\n    return a\n"
    found = json.loads(json.dumps(record(source, Invocation("f(4)").parts)))
    return {**found, "source": source}


def opened(document: dict[str, Any]) -> Trace:
    return trace_from_document(document["source"], document, Invocation("f(4)"))


def test_plain_and_packed_form_are_one_trace(document: dict[str, Any]) -> None:
    trace = opened(document)
    assert any(node[0] == "+" for node in document["columns"]["nodes"])
    again = Trace.from_wire(json.loads(json.dumps(trace.to_wire())))
    assert events(again) == events(trace)
    assert all(node[0] == "list" for node in again.nodes)


SPOILED: dict[str, Callable[[dict[str, Any]], object]] = {
    "unknown kind": lambda c: c["heads"].__setitem__(0, ["?", 1]),
    "unknown site": lambda c: c["heads"].__setitem__(0, ["s", 10**6]),
    "head without a site": lambda c: c["heads"].__setitem__(0, ["s"]),
    "heads gone": lambda c: c.update(heads=c["heads"][:1]),
    "events of no width": lambda c: c["events"].__setitem__(0, 3),
    "events that are no base64": lambda c: c["events"].__setitem__(1, "*"),
    "events that are no text": lambda c: c.update(events=5),
    "a value too few": lambda c: c["values"].pop(),
    "a value too many": lambda c: c["values"].append(1),
    "a value that is none": lambda c: c["values"].__setitem__(0, {}),
    "a value that points nowhere": lambda c: c["values"].__setitem__(0, [10**6]),
    "a value too large": lambda c: c["values"].__setitem__(0, 2**63),
    "counts gone": lambda c: c.update(counts=[1, ""]),
    "text that is none": lambda c: c["texts"].__setitem__(0, 5),
    "names gone": lambda c: c.update(names=[]),
    "nodes gone": lambda c: c.update(nodes=[]),
    "truncated by a text": lambda c: c.update(truncated="no"),
    "delta of itself": lambda c: c["nodes"].append(["+", len(c["nodes"]), 9]),
    "delta of nothing": lambda c: c["nodes"].append(["+"]),
    "delta of a dict": lambda c: c["nodes"].extend([["dict", 9], ["+", len(c["nodes"]), 0]]),
    "delta of a list of lists": lambda c: c["nodes"].extend([["list", 9, [0]], ["+", len(c["nodes"]), 0]]),
    "delta beyond the end": lambda c: c["nodes"].append(["+", 0, 9, 10, 1]),
    "delta of another length": lambda c: c["nodes"].append(["+", 0, 12, 9, 1]),
    "deltas too far from a whole list": lambda c: c["nodes"].extend(
        [["list", 9, *range(9)], *(["+", len(c["nodes"]) + k, 9, 0, k] for k in range(90))]
    ),
    "delta that holds a node": lambda c: c["nodes"].append(["+", 0, 9, 0, [0]]),
    "delta that grows without end": lambda c: c["nodes"].extend(
        ["+", 0, 10, 9, "x" * 2**20] if k == 0 else ["+", len(c["nodes"]) - 1 + k, 10 + k, 9 + k, "x" * 2**20]
        for k in range(40)
    ),
    "nodes without end": lambda c: c["nodes"].extend(
        ["list", k, [len(c["nodes"]) + k + 1], [len(c["nodes"]) + k + 1]] for k in range(60)
    ),
}


@pytest.mark.parametrize("name", SPOILED)
def test_spoiled_columns_are_refused(document: dict[str, Any], name: str) -> None:
    opened(copy.deepcopy(document))
    SPOILED[name](document["columns"])
    with pytest.raises(InputError):
        opened(document)


def test_more_packed_events_than_are_ever_recorded_are_refused() -> None:
    codes = [32 << 5] * 11
    with pytest.raises(ValueError, match="events"):
        unpacked(packed(codes, [], list(range(11)), [], [], [], False), 10)

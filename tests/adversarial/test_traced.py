"""Attacks on the tracer: a program that is recorded shares its process with the recorder, and can spoil its own trace only."""

from __future__ import annotations

import json
import platform
import random
from typing import Any

import pytest

from semcoder.api import trace_many
from semcoder.core import Invocation, Value
from semcoder.errors import InputError, SemcoderError
from semcoder.sandbox import Job, Limits, Reply, Sandbox
from semcoder.tracing import Trace, trace_from_document
from tests.adversarial.attacking import LIMITS
from tests.programs import PROGRAMS

pytestmark = pytest.mark.skipif(platform.system() != "Linux", reason="the sandbox is the Linux kernel's")
TASK = "semcoder.tracing.child:trace_task"
HONEST = "def f(x):\n    y = x + 1\n    return y * 2"
HONEST_CALL = Invocation("f(3)")


def job(source: str, call: Invocation, limits: Limits = LIMITS) -> Job:
    return Job(TASK, {"source": source}, (call.parts,), limits)


def attack(pool: Sandbox, source: str, call: str = "f()", limits: Limits = LIMITS) -> tuple[Reply, Trace | None]:
    """What became of a traced program, and its trace if it sent a well-formed one; honest ones run beside and after."""
    hostile, honest = job(source, Invocation(call), limits), job(HONEST, HONEST_CALL)
    found = dict(pool.execute_many([hostile, honest]))
    after = dict(pool.execute_many([honest, honest]))
    for (reply,) in (found[1], after[0], after[1]):
        trace = trace_from_document(HONEST, reply.data, HONEST_CALL)
        assert trace.outcome.value == Value.of(8)
        assert trace.executed_lines() == [2, 3]
    (reply,) = found[0]
    try:
        return reply, trace_from_document(source, reply.data, Invocation(call)) if reply.status == "returned" else None
    except InputError:
        return reply, None


PATCHES = {
    "builtins": "import builtins\nfor name in ('len', 'isinstance', 'type', 'id', 'getattr', 'iter', 'next'): setattr(builtins, name, None)",
    "its own builtins": "g = globals()['__builtins__']\nfor name in [n for n in vars(g) if n not in vars(__import__('builtins'))]: setattr(g, name, lambda *a: a[-1] if a else None)",
    "no builtins": "vars(__builtins__).clear()",
    "the recorder": "import semcoder.tracing.recorder as r\nfor name, v in list(vars(r.Recorder).items()):\n    if callable(v): setattr(r.Recorder, name, lambda *a, **k: None)",
    "the recorder's module": "import sys\nvars(sys.modules['semcoder.tracing.recorder']).clear()",
    "the encoder": "import semcoder.core.encode as e\ne.Encoder.ref = lambda self, x: 42",
    "the instrumenter": "import semcoder.tracing.instrument as i\ni.instrument = None",
    "the task": "import semcoder.tracing.child as c\nc.record = lambda *a, **k: {'outcome': {'status': 'returned'}, 'columns': {}, 'python': '9'}",
    "json": "import json\njson.dumps = json.loads = json.JSONEncoder.encode = json.encoder.c_make_encoder = lambda *a: '{}'",
    "modules": "import sys\nsys.modules.clear()",
    "frames": "import sys\nsys.settrace(lambda *a: None); sys.setprofile(lambda *a: None)",
}


@pytest.mark.parametrize("patch", PATCHES.values(), ids=PATCHES)
def test_a_patched_tracer_records_nobody_else_wrong(sandbox: Sandbox, patch: str) -> None:
    source = f"{patch}\ndef f():\n    a = 1\n    return a"
    reply, trace = attack(sandbox, source)
    assert reply.status in ("returned", "exited", "memory", "timeout", "output_limit", "invalid"), reply
    if trace is not None:
        list(trace.steps)


RECORDER = """
import gc
def recorder():
    return next(o for o in gc.get_objects() if type(o).__name__ == "Recorder")
"""
SPOILS = {
    "cleared": "[v.clear() for v in vars(r).values() if hasattr(v, 'clear')]",
    "cut": "[v.pop() for v in vars(r).values() if type(v) is list and v]",
    "extended": "[v.append(99) for v in vars(r).values() if type(v) is list]",
    "texts": "[v.append('x' * 100) for v in vars(r).values() if type(v) is list]",
    "itself": "[v.append(v) for v in vars(r).values() if type(v) is list]",
    "emptied": "vars(r).clear()",
    "another type": "r.__class__ = type('R', (type(r),), {'columns': lambda s: {'kinds': 'zz', 'sites': [], 'refs': []}})",
}


@pytest.mark.parametrize("spoil", SPOILS.values(), ids=SPOILS)
def test_a_program_that_reaches_the_recorder_spoils_its_own_trace(sandbox: Sandbox, spoil: str) -> None:
    source = f"{RECORDER}\ndef f():\n    r = recorder()\n    try: {spoil}\n    except Exception: pass\n    return 5"
    reply, trace = attack(sandbox, source)
    assert reply.status in ("returned", "exited", "output_limit", "memory", "timeout", "invalid")
    if trace is not None:
        list(trace.steps)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ("while True: pass", "timeout"),
        ("import os; os._exit(0)", "exited"),
        ("x = bytearray(4 << 30)", "returned"),
        (
            "import signal; signal.pthread_sigmask(2, range(1, 65))\n    import re; re.match('(a|aa)+$', 'a' * 99 + 'b')",
            "timeout",
        ),
        ("import time; time.sleep(60)", "timeout"),
        ("raise SystemExit(0)", "returned"),
        ("raise KeyboardInterrupt", "returned"),
        ("f()", "returned"),
        ("print('x' * 10**7)", "returned"),
        ("x = [[0] * 1000 for _ in range(1000)]\n    for i in range(1000): x[i].append(x[:])", "returned"),
    ],
)
def test_limits_hold_while_traced(sandbox: Sandbox, body: str, status: str) -> None:
    reply, trace = attack(sandbox, f"def f():\n    {body}", limits=Limits(cpu_s=1.0, wall_s=1.5))
    assert reply.status in (status, "timeout", "memory"), reply
    assert trace is None or trace.outcome.status != "returned" or "append" in body


# A forged trace -----------------------------------------------------------------------------------------------------


FORGED: dict[str, Any] = {
    "nothing": {},
    "no columns": {"columns": None},
    "missing columns": {"columns": {"kinds": ""}},
    "lengths that differ": {"kinds": "ss"},
    "unknown kinds": {"kinds": "\0", "sites": [0], "refs": [0]},
    "kinds that are no text": {"kinds": ["s"], "sites": [0], "refs": [0]},
    "sites out of range": {"kinds": "s", "sites": [10**9], "refs": [0]},
    "sites below zero": {"kinds": "s", "sites": [-1], "refs": [0]},
    "sites that are no numbers": {"kinds": "s", "sites": [True], "refs": [0]},
    "refs into nothing": {"kinds": "r", "sites": [0], "refs": [[7]]},
    "names out of range": {"kinds": "=", "sites": [5], "refs": [1]},
    "names that are no text": {"names": [1]},
    "nodes without end": {"nodes": [["list", n, [n + 1], [n + 1]] for n in range(200)] + [["list", 200]]},
    "nodes that are no nodes": {"nodes": ["list"]},
    "nodes of an unknown kind": {"nodes": [["secret", 0]]},
    "truncated by a text": {"truncated": "no"},
    "a column too many": {"extra": []},
}


@pytest.mark.parametrize(
    "outcome",
    [
        {"status": "sandbox_failed"},
        {"status": "returned"},
        {"status": "raised"},
        {"status": "raised", "value": {"ref": 1, "nodes": []}},
    ],
)
def test_the_outcome_of_a_trace_is_checked_as_any_other(outcome: dict[str, Any]) -> None:
    """Only the host says `sandbox_failed`: a program that could say so could have itself taken out of a score."""
    columns = {"kinds": "", "sites": [], "refs": [], "names": [], "nodes": [], "truncated": False}
    with pytest.raises(InputError):
        trace_from_document(HONEST, {"outcome": outcome, "columns": columns, "python": "3"}, HONEST_CALL)


@pytest.mark.parametrize("name", FORGED)
def test_a_forged_trace_is_malformed_and_no_more(sandbox: Sandbox, name: str) -> None:
    columns = {"kinds": "", "sites": [], "refs": [], "names": [], "nodes": [], "truncated": False}
    forged = FORGED[name]
    data: Any = {"outcome": {"status": "returned", "value": {"ref": 5, "nodes": []}}, "columns": columns, "python": "3"}
    if not forged or "columns" in forged:
        data = {**data, **forged} if forged else None
    else:
        data["columns"] = {**columns, **forged}
    doc = {"item": 0, "status": "returned", "detail": "", "usage": [0, 0, 0], "data": data}
    source = f"""
import os
def f():
    body = {json.dumps(doc)!r}.encode()
    os.write(3, len(body).to_bytes(4, "big") + body)
    return 1
"""
    with pytest.raises(SemcoderError):
        trace_many(sandbox, source, [Invocation("f()")], LIMITS)
    assert attack(sandbox, source)[1] is None


def mutated(document: dict[str, Any], rng: random.Random) -> dict[str, Any]:
    """A trace's document with some of its events changed: still well formed as JSON, often contradicting itself."""
    columns = document["columns"]
    kinds, sites, refs = (list(columns[name]) for name in ("kinds", "sites", "refs"))
    for _ in range(rng.randint(1, 4)):
        if not kinds:
            break
        place, other = rng.randrange(len(kinds)), rng.randrange(len(kinds))
        match rng.randrange(7):
            case 0:
                del kinds[place], sites[place], refs[place]
            case 1:
                for column in (kinds, sites, refs):
                    column.insert(other, column[place])
            case 2:
                for column in (kinds, sites, refs):
                    column[place], column[other] = column[other], column[place]
            case 3:
                sites[place] = rng.choice(sites)
            case 4:
                refs[place] = rng.choice(refs)
            case 5:
                kinds[place] = rng.choice(kinds)
            case _:
                del kinds[place:], sites[place:], refs[place:]
    return {**document, "columns": {**columns, "kinds": "".join(kinds), "sites": sites, "refs": refs}}


def test_traces_that_contradict_themselves_are_read_or_refused(sandbox: Sandbox) -> None:
    """Whatever a well-formed forgery says: the reader refuses it, or makes steps of it, and nothing else."""
    rng = random.Random(20)
    read = refused = 0
    for source, call in PROGRAMS.values():
        (reply,) = sandbox.execute(job(source, Invocation(call)))
        plain = trace_from_document(source, reply.data, Invocation(call)).to_wire()
        for _ in range(60):
            document = mutated(plain, rng)
            try:
                trace = trace_from_document(source, document, Invocation(call))
                assert all(step.kind for step in trace.steps)
                trace.executed_lines()
                read += 1
            except InputError:
                refused += 1
    assert read > 50
    assert refused > 50

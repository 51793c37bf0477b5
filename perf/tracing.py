"""Speed of tracing in executed lines a second, as a ratio against a peer doing the same programs in the same run.

    python perf/tracing.py --data FOLDER [--peers PYTHON] [--rounds 3] [--only NAME ...]

FOLDER holds `cruxeval_dev.jsonl` in its published form. PYTHON is an interpreter with `pysnooper` installed; without
one our figures stand alone. Peer and we take turns, and medians are compared. The peer writes the lines and the changed
variables as text, shortened; we record every sub-expression too, and values whole.

record       two loops of 100,000 executed lines, recorded in this process: compiling, running, columns
trace        the same loops in the sandbox, the whole trace brought back, checked and at hand as columns
cruxeval     the first call of each of 400 programs, everything included: parsing, compiling, sandbox, columns

Executed lines are the line events of `sys.settrace` in the program's functions, counted apart.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType
from typing import Any

from semcoder.api import trace_many
from semcoder.core import Invocation
from semcoder.sandbox import Limits, Sandbox
from semcoder.tracing import Trace, trace_here
from semcoder.tracing.child import record

LIMITS = Limits(cpu_s=60.0)

SCALARS = """
def f(n):
    total, last, odd = 0, 1, 0
    for i in range(n):
        step = i * 3 + last
        if step % 2 == 1:
            odd = odd + 1
        last = step % 1009
        total += last - odd % 7
    return total
"""
SORT = """
def f(numbers, limit):
    done = 0
    end = len(numbers) - 1
    while done < limit:
        swapped = False
        for i in range(end):
            done += 1
            if numbers[i] > numbers[i + 1]:
                numbers[i], numbers[i + 1] = numbers[i + 1], numbers[i]
                swapped = True
        end -= 1
        if not swapped:
            break
    return numbers[:5]
"""
LOOPS = {
    "scalars": {"source": SCALARS, "entry": "f", "call": "f(18182)"},
    "sort": {"source": SORT, "entry": "f", "call": "f([k * 7919 % 3001 for k in range(300)], 25300)"},
}


def executed_lines(task: dict[str, str]) -> int:
    """Line events of the program's own functions."""
    count = 0

    def local(_frame: FrameType, event: str, _arg: object) -> Callable[..., Any]:
        nonlocal count
        count += event == "line"
        return local

    def on_call(frame: FrameType, _event: str, _arg: object) -> Callable[..., Any] | None:
        inside = frame.f_code.co_filename == "<program>" and frame.f_code.co_name != "<module>"
        return local if inside else None

    space: dict[str, Any] = {"__name__": "program"}
    exec(compile(task["source"], "<program>", "exec"), space)
    sys.settrace(on_call)
    try:
        eval(task["call"], space)
    finally:
        sys.settrace(None)
    return count


def recorded(task: dict[str, str]) -> None:
    document = record(task["source"], Invocation(task["call"]).parts)
    if document["outcome"]["status"] != "returned" or document["columns"]["truncated"]:
        sys.exit(f"not recorded: {document['outcome']}, truncated: {document['columns']['truncated']}")


def check(trace: Trace) -> None:
    if trace.outcome.status != "returned" or trace.truncated or not len(trace):
        sys.exit(f"not traced: {trace.outcome}, truncated: {trace.truncated}")


def brought_back(task: dict[str, str], box: Sandbox) -> Trace:
    trace = trace_many(box, task["source"], [Invocation(task["call"])], LIMITS)[0]
    check(trace)
    return trace


def peer_seconds(options: argparse.Namespace, tasks: Sequence[dict[str, str]]) -> float:
    done = subprocess.run(
        [options.peers, str(Path(__file__).with_name("peers.py")), "pysnooper", "1"],
        input=json.dumps(tasks),
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": ""},
    )
    if done.returncode:
        sys.exit(f"the peer failed: {done.stderr.strip().splitlines()[-1]}")
    return float(json.loads(done.stdout.splitlines()[-1])["seconds"])


def compare(
    options: argparse.Namespace, title: str, goal: float, tasks: Sequence[dict[str, str]], ours: Callable[[], object]
) -> None:
    lines = sum(map(executed_lines, tasks))
    ours()
    mine, theirs = [], []
    for _ in range(options.rounds):
        start = time.perf_counter()
        ours()
        mine.append(time.perf_counter() - start)
        if options.peers:
            theirs.append(peer_seconds(options, tasks))
    text = f"{title}: {lines:,} lines, semcoder {lines / statistics.median(mine):,.0f}/s"
    if theirs:
        ratios = sorted(b / a for a, b in zip(mine, theirs, strict=True))
        text += f", pysnooper {lines / statistics.median(theirs):,.0f}/s"
        text += f", ratio {statistics.median(ratios):.1f} ({ratios[0]:.1f} to {ratios[-1]:.1f}), goal {goal:g}"
    print(text, flush=True)


def record_loops(options: argparse.Namespace) -> None:
    for name, task in LOOPS.items():
        compare(options, f"record {name}", 10, [task], lambda task=task: recorded(task))  # type: ignore[misc]


def trace_loops(options: argparse.Namespace) -> None:
    with Sandbox(workers=1) as box:
        for name, task in LOOPS.items():
            compare(options, f"trace {name}", 5, [task], lambda task=task: brought_back(task, box))  # type: ignore[misc]


def cruxeval(options: argparse.Namespace) -> None:
    if options.data is None:
        sys.exit("cruxeval needs --data FOLDER")
    lines = (options.data / "cruxeval_dev.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    tasks = [{"source": row["code"], "entry": "f", "call": f"f({row['input']})"} for row in rows]

    def here() -> None:
        for task in tasks:
            check(trace_here(task["source"], task["call"]))

    with Sandbox(workers=1) as box:
        compare(options, "cruxeval in the sandbox", 2, tasks, lambda: [brought_back(task, box) for task in tasks])
    compare(options, "cruxeval in process", 2, tasks, here)


PARTS = {"record": record_loops, "trace": trace_loops, "cruxeval": cruxeval}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("--data", type=Path)
    parser.add_argument("--peers", help="an interpreter that has pysnooper installed")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", nargs="*", choices=PARTS, default=list(PARTS))
    options = parser.parse_args()
    for name in options.only:
        PARTS[name](options)


if __name__ == "__main__":
    main()

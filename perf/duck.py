"""What the rubber duck names, and what it costs: real packages with bugs put in, and their suites.

    python perf/duck.py [--folder DIR] [--bugs 5] [--seed 1] [--rounds 5] [--packages boltons,humanize] [--search]

Downloads the packages' source distributions (their tests are in them) and makes a virtual environment with pytest in
DIR, both once. Into each package go, one at a time, bugs that `semcoder.mutation.bugs` draws from all of its modules by
the seed, until `--bugs` of them make a test fail that passed (a bug that no test sees is drawn over; so is one that
makes the suite run for more than a minute). Only the first test that fails counts. The duck is right where the
function that holds the bug is named, by module and name, in its first three lines.

Costs: of the whole suite, which passes, with and without the option, in turns, the ratio of medians (the peer is pytest
itself), on the wall and of the processor, which a busy machine disturbs less; of each of the failing tests, the seconds
that the session waited for the explanation, by those of a run of pytest on that test alone, and by the test's own.

With `--search`: whether `semcoder debug TEST --search` finds a patch for each of these bugs, whether the file with that
patch is what it was before the bug (the same tree), and the seconds of the command less those without `--search`.
The bugs are drawn from the very changes that a search makes, so many can be undone: bugs of people cannot, as a rule.
DIR must not be in a git repository then: patches are tested in a copy of all of it.
"""

from __future__ import annotations

import argparse
import ast
import json
import os
import random
import re
import resource
import shutil
import statistics
import subprocess
import sys
import tarfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from semcoder.mutation.bugs import Bug, bugs

SOURCE = Path(__file__).parents[1] / "src"
#: What is said of each failing test, and its seconds, as JSON on a line of its own: a plugin that stands beside ours.
WATCH = """\
import json
import time

from semcoder.debugging.reserve import Reserve

explain = Reserve.explain


def watched(self, test, own, set_up, **wishes):
    start = time.perf_counter()
    said = explain(self, test, own, set_up, **wishes)
    row = {"test": test, "own": own, "extra": time.perf_counter() - start, "lines": said["lines"]}
    with open("duck.jsonl", "a") as file:
        file.write(json.dumps(row) + "\\n")
    return said


Reserve.explain = watched
"""
LIMIT = 60.0


@dataclass(frozen=True)
class Suite:
    """A package: where its modules are inside the distribution, which of them get bugs, what else pytest is told."""

    modules: str
    files: str
    options: tuple[str, ...] = ()


SUITES = {
    "boltons": Suite(".", "boltons/*.py"),
    "cachetools": Suite("src", "src/cachetools/*.py"),
    # Its benchmarks need a plugin, and repeat other tests.
    "humanize": Suite("src", "src/humanize/*.py", ("--ignore=tests/test_benchmarks.py",)),
    # Its settings name a plugin that measures coverage.
    "parse": Suite(".", "parse/*.py", ("-o", "addopts=")),
    "python-slugify": Suite(".", "slugify/*.py"),
}


def prepared(folder: Path, python: str, *, search: bool) -> str:
    """The interpreter of an environment with what the suites need, and the command line if there is a search."""
    inner = folder / "venv" / "bin" / "python"
    if not inner.exists():
        subprocess.run([python, "-m", "venv", str(folder / "venv")], check=True)
    needed = ["pytest", "freezegun", "text-unidecode", *(["typer", "rich"] if search else [])]
    subprocess.run([str(inner), "-m", "pip", "install", "--quiet", *needed], check=True)
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


class Package:
    """A copy of a package that bugs are put into."""

    def __init__(self, name: str, folder: Path, python: str) -> None:
        self.name = name
        self.suite = SUITES[name]
        self._python = python
        self.folder = folder / f"{name}-with-bugs"
        shutil.rmtree(self.folder, ignore_errors=True)
        shutil.copytree(unpacked(name, folder, python), self.folder)
        (self.folder / "duck_watch.py").write_text(WATCH)
        paths = [self.folder / self.suite.modules, self.folder, SOURCE]
        self._environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, paths))}

    def pytest(self, *options: str, duck: bool = False) -> tuple[tuple[float, float], str]:
        """Seconds on the wall and of the processor, and what pytest printed. Raises TimeoutExpired."""
        start, cpu = time.perf_counter(), _processor()
        plugins = ["-p", "semcoder.debugging.pytest_plugin"] if duck else []
        command = [self._python, "-m", "pytest", "-q", "--color=no", "-p", "no:cacheprovider", *plugins]
        done = subprocess.run(
            [*command, *self.suite.options, *options],
            cwd=self.folder,
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=LIMIT,
            check=False,
        )
        return (time.perf_counter() - start, _processor() - cpu), done.stdout

    def told(self, test: str) -> dict[str, object] | None:
        """What the duck says of a failing test, and what that took; None where it passes by itself."""
        log = self.folder / "duck.jsonl"
        log.write_text("")
        self.pytest("-p", "duck_watch", "--rubber-duck", test, duck=True)
        rows: list[dict[str, object]] = [json.loads(line) for line in log.read_text().splitlines()]
        return rows[0] if rows else None

    def debugged(self, test: str, *options: str) -> tuple[float, dict[str, Any]]:
        """Seconds, and the document of `semcoder debug`."""
        start = time.perf_counter()
        command = [self._python, "-m", "semcoder", "debug", test, "--json", *options]
        settings = {"PYTEST_ADDOPTS": " ".join(self.suite.options)}
        done = subprocess.run(
            command, cwd=self.folder, env=self._environment | settings, capture_output=True, text=True, check=False
        )
        seconds = time.perf_counter() - start
        if done.returncode > 1:
            raise SystemExit(f"{self.name}: {' '.join(command)}: {done.stderr}")
        document: dict[str, Any] = json.loads(done.stdout.splitlines()[0])
        return seconds, document

    def searched(self, file: Path, right: str, test: str) -> Searched:
        """What a search finds for the bug that is in a file, of which the text without it is given."""
        plain, _ = self.debugged(test)
        wrong = file.read_text()
        seconds, document = self.debugged(test, "--search", "--apply")
        same = ast.dump(ast.parse(file.read_text())) == ast.dump(ast.parse(right))
        file.write_text(wrong)
        patch = document["patch"]
        words = f"{patch['rounds']} tried, {len(patch['refused'])} refused in {seconds - plain:.1f} s"
        verdict = ("right" if same else "another") if patch["passes"] else "no"
        print(f"    search: {verdict} patch ({words}) {patch['cause'][:160]}", flush=True)
        return Searched(patch["passes"], same, seconds - plain)

    def bugs(self, seed: int) -> Iterator[tuple[Path, Bug]]:
        """Bugs of all modules, the larger ones first in proportion, for ever."""
        rng = random.Random(seed)
        files = sorted(file for file in self.folder.glob(self.suite.files) if file.stat().st_size > 300)
        sizes = [file.stat().st_size for file in files]
        while True:
            (file,) = rng.choices(files, sizes)
            found = bugs(file.read_text(), n=40, seed=rng.randrange(1_000_000))
            if found:
                yield file, rng.choice(found)

    def dotted(self, file: Path, bug: Bug) -> str:
        """The function that holds a bug, with its module; "" for none."""
        parts = file.relative_to(self.folder / self.suite.modules).with_suffix("").parts
        name = _function_at(ast.parse(bug.source), bug.line)
        return ".".join([*parts[: -1 if parts[-1] == "__init__" else None], name]) if name else ""


def _processor() -> float:
    """Seconds of the processor that ended child processes took."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _function_at(tree: ast.Module, line: int) -> str:
    """The qualified name of the innermost function around a line."""
    found = ""

    def scan(node: ast.AST, prefix: str) -> None:
        nonlocal found
        for inner in ast.iter_child_nodes(node):
            if isinstance(inner, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                inside = inner.lineno <= line <= (inner.end_lineno or 0)
                if inside and not isinstance(inner, ast.ClassDef):
                    found = prefix + inner.name
                scan(inner, f"{prefix}{inner.name}.")
            else:
                scan(inner, prefix)

    scan(tree, "")
    return found


@dataclass(frozen=True)
class Searched:
    """A search: did it find a patch, is the file with it what it was before the bug, and seconds."""

    passes: bool
    same: bool
    seconds: float


@dataclass(frozen=True)
class Result:
    """One bug: the test that fails; is the bug's function named in the first line, in the first three; what the
    explanation took, in seconds and as often as a run of the test alone and as the test itself; what a search found."""

    test: str
    first: bool
    three: bool
    extra: float
    by_run: float
    by_own: float
    searched: Searched | None = None


def judged(package: Package, count: int, seed: int, search: bool) -> list[Result]:
    """The duck on the first bugs that a test sees. Raises SystemExit where the suite fails without any."""
    if " failed" in package.pytest("--tb=no")[1]:
        raise SystemExit(f"{package.name}: tests fail without a bug")
    results: list[Result] = []
    if not count:
        return results
    for file, bug in package.bugs(seed):
        name, source = package.dotted(file, bug), file.read_text()
        if not name:
            continue
        file.write_text(bug.source)
        try:
            result = _one(package, bug, name)
            if search and result is not None:
                result = replace(result, searched=package.searched(file, source, result.test))
        except subprocess.TimeoutExpired:
            result = None
        finally:
            file.write_text(source)
        if result is not None:
            results.append(result)
        if len(results) == count:
            return results
    return results


def _one(package: Package, bug: Bug, name: str) -> Result | None:
    """The duck on one bug; None where no test fails."""
    _, output = package.pytest("-x", "--tb=no", "-rf")
    failed = re.search(r"^FAILED (\S+::.*?)(?: - |$)", output, re.MULTILINE)
    if failed is None:
        return None
    (alone, _), _ = package.pytest(failed[1], "--tb=no")
    row = package.told(failed[1])
    if row is None:
        print(f"  left out: {failed[1]} passes by itself, with a bug in {name}", flush=True)
        return None
    lines = [str(line) for line in row["lines"]]  # type: ignore[attr-defined]
    own, extra = float(str(row["own"])), float(str(row["extra"]))
    three = f"`{name}`" in " ".join(lines[:3])
    verdict = "yes" if three else "NO "
    print(f"  {verdict} {name} [{bug.kind}] {failed[1]} ({extra:.2f} s): {lines[0][:110]}", flush=True)
    return Result(failed[1], f"`{name}`" in lines[0], three, extra, extra / alone, extra / own)


def passing(package: Package, rounds: int) -> None:
    """Print the ratios of medians of the suite with the option and without."""
    package.pytest(duck=True)  # writes byte code, which later runs read
    pairs = [(package.pytest(duck=True)[0], package.pytest("--rubber-duck", duck=True)[0]) for _ in range(rounds)]
    for place, kind in enumerate(("wall", "processor")):
        plain, duck = (statistics.median(pair[k][place] for pair in pairs) for k in (0, 1))
        said = f"plain {plain:.2f} s, --rubber-duck {duck:.2f} s, ratio {duck / plain:.3f}"
        print(f"{package.name}: passing suite: {kind}: {said}", flush=True)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--folder", type=Path, default=Path("runs/perf-duck"))
    parser.add_argument("--bugs", type=int, default=5)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--packages", default=",".join(SUITES))
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--search", action="store_true")
    options = parser.parse_args(arguments)
    folder = options.folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    python = prepared(folder, options.python, search=options.search)
    found: list[Result] = []
    for name in options.packages.split(","):
        package = Package(name, folder, python)
        results = judged(package, options.bugs, options.seed, options.search)
        named, first = sum(r.three for r in results), sum(r.first for r in results)
        print(f"{name}: named in three lines {named} of {len(results)}, in the first {first}", flush=True)
        found += results
        if options.rounds:
            passing(package, options.rounds)
        shutil.rmtree(package.folder)
    named, first = sum(r.three for r in found), sum(r.first for r in found)
    print(f"all: named in three lines {named} of {len(found)}, in the first {first}")
    for what, values in (
        ("seconds", [r.extra for r in found]),
        ("by a run of the test alone", [r.by_run for r in found]),
        ("by the test's own seconds", [r.by_own for r in found]),
    ):
        if values:
            print(f"explaining one test, {what}: median {statistics.median(values):.2f}, most {max(values):.2f}")
    tries = [r.searched for r in found if r.searched is not None]
    if tries:
        patched, same = sum(t.passes for t in tries), sum(t.same for t in tries)
        seconds = [t.seconds for t in tries]
        print(f"search: a patch for {patched} of {len(tries)}, the right one for {same}", end="; ")
        print(f"seconds: median {statistics.median(seconds):.1f}, most {max(seconds):.1f}")


if __name__ == "__main__":
    main()

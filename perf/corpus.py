"""A build from seeds to checked rows: programs and rows per second and core, and whether either grows with the size.

    python perf/corpus.py [--programs 100 1000] [--forward 20] [--backward 1] [--folder DIR]
    python perf/corpus.py --programs 200 --rows 1000 10000 100000

Programs are those of the generator, all different: search of inputs, two executions, traces, monologues, checks; in the
default configuration but for the most monologues that a program may give in each direction. Each size is a build of its
own from nothing by the command itself. Seconds are those of processors, without what a build of ten programs takes (the
start); with `--workers 1` they are those of all processes of the build. Memory is that of the greatest process.

Programs are told one by one, so what could grow with the rows is the last stage, which counts them, drops those that
are there twice, and writes the data set. `--rows` measures it alone: the results of the last build are taken again and
again under new ids until there are so many rows. There is no peer: nobody else checks each step.
"""

from __future__ import annotations

import argparse
import itertools
import json
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any


def build(folder: Path, programs: int, options: argparse.Namespace) -> tuple[float, dict[str, Any]]:
    """Seconds of processors, and the manifest."""
    workers = options.workers
    out = folder / str(programs)
    config = folder / f"{programs}.yaml"
    shards = max(2 * workers, programs // 250)
    config.write_text(
        f"sources: ['generator:{programs}']\nout: {out}\nworkers: {workers}\nshards: {shards}\nunknown_license: true\n"
        f"forward_per_program: {options.forward}\nbackward_per_program: {options.backward}\n"
        f"cases_per_program: {max(10, options.forward)}\n"
    )
    before = spent()
    done = subprocess.run(
        [sys.executable, "-m", "semcoder", "build", str(config), "--json"], capture_output=True, text=True, check=False
    )
    seconds = spent() - before
    if done.returncode:
        sys.exit(f"the build of {programs} programs failed: {done.stderr.strip().splitlines()[-1]}")
    return seconds, json.loads(done.stdout)


def spent() -> float:
    """Seconds of processors that all ended children took, and theirs."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def copies(results: Sequence[str], rows: int) -> Iterator[str]:
    """Lines of results with at least so many rows in all, and every row under an id of its own."""
    found = 0
    for turn in itertools.count():
        for line in results:
            result = json.loads(line)
            for row in result.get("rows", []):
                row["id"] = f"{turn:06d}{row['id']}"
            found += len(result.get("rows", []))
            yield json.dumps(result) + "\n"
            if found >= rows:
                return


def ending(built: Path, rows: int, folder: Path) -> None:
    """Run the last stage of a build on so many rows, in a process of its own, and print what it took."""
    out = folder / f"rows-{rows}"
    shutil.copytree(built, out, ignore=shutil.ignore_patterns("rows", "results"))
    files = sorted((built / "work" / "results").glob("*.jsonl"))
    results = [line for file in files for line in file.open(encoding="utf-8")]
    (out / "work" / "results").mkdir()
    for file in files:
        (out / "work" / "results" / file.name).write_text("", encoding="utf-8")
    with (out / "work" / "results" / files[0].name).open("w", encoding="utf-8") as first:
        first.writelines(copies(results, rows))
    (out / "manifest.json").unlink()
    done = subprocess.run([sys.executable, "-c", _ENDING, str(out)], capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"the last stage failed on {rows} rows: {done.stderr.strip().splitlines()[-1]}")
    counted, seconds, begun, peak = json.loads(done.stdout)
    each = 1000 * seconds / counted
    print(f"the last stage on {counted:,} rows: {each:.3f} ms a row, {peak - begun} MiB beside the {begun} of a start")
    shutil.rmtree(out)


_ENDING = """
import json, resource, sys, time
from pathlib import Path
from semcoder.core import decode
from semcoder.pyx.config import BuildConfig
from semcoder.pyx.ending import finish
out = Path(sys.argv[1])
config = decode(BuildConfig, json.loads((out / "config.json").read_text())["config"], "config")
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
begun, start = peak(), time.process_time()
found = finish(config, out, out / "work", {"rows": [], "excluded": [], "figures": {}})
print(json.dumps([sum(found["counts"]["rows"].values()), time.process_time() - start, begun, peak()]))
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("--programs", type=int, nargs="+", default=[100, 1000])
    parser.add_argument("--rows", type=int, nargs="*", default=[])
    parser.add_argument("--forward", type=int, default=20)
    parser.add_argument("--backward", type=int, default=1)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--folder", type=Path)
    options = parser.parse_args()
    folder = options.folder or Path(tempfile.mkdtemp(prefix="semcoder-corpus-"))
    folder.mkdir(parents=True, exist_ok=True)
    try:
        idle, _ = build(folder, 10, options)
        for size in options.programs:
            seconds, manifest = build(folder, size, options)
            work, counts = max(seconds - idle, 1e-9), manifest["counts"]
            rows = sum(counts["rows"].values())
            peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss >> 10
            print(f"{size:,} programs, {counts['programs_kept']:,} kept, {rows:,} rows in {work:.0f} s of processors:")
            print(f"  {counts['claims_checked']:,} claims checked, {counts['claims_false']} false")
            print(f"  {size / work:.1f} programs and {rows / work:.1f} rows per second and core")
            print(f"  {1000 * work / max(rows, 1):.1f} ms a row; at most {peak} MiB in a process", flush=True)
        for rows in options.rows:
            ending(folder / str(options.programs[-1]), rows, folder)
    finally:
        if options.folder is None:
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()

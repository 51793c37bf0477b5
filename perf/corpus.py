"""A build from seeds to checked rows: programs and rows per second and core, and whether either grows with the size.

    python perf/corpus.py [--programs 250 2500] [--forward 20] [--backward 1] [--workers 2] [--folder DIR]

Programs are those of the generator, all different: search of inputs, two executions, traces, monologues, checks; in the
default configuration but for the most monologues that a program may give in each direction. Each size is a build of its
own from nothing by the command itself. Seconds are those on the wall times workers, without what a build of ten
programs takes (the start), so measure on an idle machine; memory is that of the greatest process. There is no peer:
nobody else checks each step.
"""

from __future__ import annotations

import argparse
import json
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any


def build(folder: Path, programs: int, options: argparse.Namespace) -> tuple[float, dict[str, Any]]:
    """Seconds on the wall, and the manifest."""
    workers = options.workers
    out = folder / str(programs)
    config = folder / f"{programs}.yaml"
    shards = max(2 * workers, programs // 250)
    config.write_text(
        f"sources: ['generator:{programs}']\nout: {out}\nworkers: {workers}\nshards: {shards}\nunknown_license: true\n"
        f"forward_per_program: {options.forward}\nbackward_per_program: {options.backward}\n"
        f"cases_per_program: {max(10, options.forward)}\n"
    )
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "semcoder", "build", str(config), "--json"], capture_output=True, text=True, check=False
    )
    wall = time.perf_counter() - start
    if done.returncode:
        sys.exit(f"the build of {programs} programs failed: {done.stderr.strip().splitlines()[-1]}")
    return wall, json.loads(done.stdout)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("--programs", type=int, nargs="+", default=[250, 2500])
    parser.add_argument("--forward", type=int, default=20)
    parser.add_argument("--backward", type=int, default=1)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--folder", type=Path)
    options = parser.parse_args()
    folder = options.folder or Path(tempfile.mkdtemp(prefix="semcoder-corpus-"))
    folder.mkdir(parents=True, exist_ok=True)
    try:
        idle, _ = build(folder, 10, options)
        for size in options.programs:
            wall, manifest = build(folder, size, options)
            work, counts = max(wall - idle, 1e-9) * options.workers, manifest["counts"]
            rows = sum(counts["rows"].values())
            peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss >> 10
            print(f"{size:,} programs, {counts['programs_kept']:,} kept, {rows:,} rows in {wall:.0f} s:")
            print(f"  {counts['claims_checked']:,} claims checked, {counts['claims_false']} false")
            print(f"  {size / work:.1f} programs and {rows / work:.1f} rows per second and core", flush=True)
            print(f"  {1000 * work / max(rows, 1):.1f} ms a row; at most {peak} MiB in a process", flush=True)
    finally:
        if options.folder is None:
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()

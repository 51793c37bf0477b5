"""Near duplicates among many short programs: time and memory from rows to the list of what to drop.

    python perf/dedup.py [--rows 100000] [--threshold 0.8] [--folder DIR]

Rows are functions of a few lines put together from parts by chance, one in ten a copy of an earlier row with other
names or one more statement. One process does everything. Prints rows per second of each stage, the peak memory of the
process in MiB, and how many of the planted copies were found: those with other names only must all be.
"""

from __future__ import annotations

import argparse
import random
import resource
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from datatrove.data import Document  # type: ignore[import-untyped]
from loguru import logger

from semcoder.cleaning.duplicates import BUCKETS, Place, Signatures, buckets_step, candidates, confirm

_STEPS = (
    "{a} = {b} + {n}", "{a} = [{b}, {n}]", "if {a} > {n}:\n        {b} = {a} * {n}", "{b} = len(str({a})) - {n}",
    "for {c} in range({n}):\n        {a} = {a} * {n} + {c}", "{a} = max({b}, {n})", "{b} = {a} % {n} or {b}",
    "while {a} > {n}:\n        {a} -= {n}", "{a}, {b} = {b}, {a} - {n}", "{b} = sum({c} * {n} for {c} in range({a}))",
)  # fmt: skip
_NAMES = ("a", "b", "c", "left", "right", "item", "total", "count", "value")
_SHARD = 50_000


def row(number: int) -> tuple[str, str, int]:
    """The source of one row, its kind (new, renamed, changed) and the row that it is a copy of."""
    rng = random.Random(number)
    kind = {10: "renamed", 15: "changed"}.get(number % 20, "new")
    original = (
        number if kind == "new" else number - number % 20 + rng.randrange(10) - 20 * rng.randrange(number // 20 + 1)
    )
    basis = random.Random(original + (1 << 40))
    steps = [(basis.choice(_STEPS), basis.randrange(2, 1000)) for _ in range(basis.randrange(5, 11))]
    if kind == "changed":
        steps.append((rng.choice(_STEPS), rng.randrange(2, 1000)))
    a, b, c = rng.sample(_NAMES, 3) if kind == "renamed" else _NAMES[:3]
    body = "\n".join("    " + step.format(a=a, b=b, c=c, n=n) for step, n in steps)
    return f"def work({a}, {b}):\n{body}\n    return {a}, {b}\n", kind, original


def documents(rank: int, rows: int) -> Iterator[Document]:
    for number in range(rank * _SHARD, min(rows, (rank + 1) * _SHARD)):
        yield Document(text=row(number)[0], id=str(number))


def place(number: int) -> Place:
    return divmod(number, _SHARD)


def peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--threshold", type=float, default=0.8)
    parser.add_argument("--folder", type=Path, help="where signatures go (default: a temporary folder)")
    asked = parser.parse_args()
    logger.remove()
    folder = Path(tempfile.mkdtemp(dir=asked.folder))
    try:
        return measure(folder, asked.rows, asked.threshold)
    finally:
        shutil.rmtree(folder)


def measure(folder: Path, rows: int, threshold: float) -> int:
    """Run the three stages and print figures; 1 where a renamed copy was missed."""
    shards = -(-rows // _SHARD)
    start = last = time.process_time()

    def told(stage: str) -> None:
        nonlocal last
        now = time.process_time()
        print(
            f"{stage:12} {now - last:8.1f} s of CPU {rows / max(now - last, 1e-9):10.0f} rows/s {peak():8.0f} MiB",
            flush=True,
        )
        last = now

    for number in range(rows):
        row(number)
    told("(making rows)")
    for rank in range(shards):
        list(Signatures(folder / "signatures", threshold).run(documents(rank, rows), rank, shards) or [])
    told("signatures")
    for bucket in range(BUCKETS):
        list(buckets_step(folder / "signatures", folder / "pairs", threshold).run(None, bucket, BUCKETS) or [])
    told("buckets")
    groups = candidates(folder / "pairs")
    chosen = ((place(k), (row(k)[0], "work")) for k in range(rows) if place(k) in groups)
    dropped = confirm(groups, chosen, threshold)
    told("comparing")
    print(f"{'all':12} {last - start:8.1f} s of CPU {rows / (last - start):10.0f} rows/s {peak():8.0f} MiB")
    return planted(rows, dropped)


def planted(rows: int, dropped: object) -> int:
    """Print how many rows of each kind were dropped; 1 where a renamed copy was not."""
    assert isinstance(dropped, dict)
    made: dict[str, int] = {}
    found: dict[str, int] = {}
    for number in range(rows):
        _, kind, _ = row(number)
        made[kind] = made.get(kind, 0) + 1
        found[kind] = found.get(kind, 0) + (place(number) in dropped)
    for kind, count in made.items():
        print(f"{kind:12} {count:8} rows, {found[kind]} dropped")
    return 0 if found.get("renamed") == made.get("renamed") else 1


if __name__ == "__main__":
    sys.exit(main())

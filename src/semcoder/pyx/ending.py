"""What a build ends with: rows, programs, drops, exclusions and their figures, written as the results are read.

Guarantees: however many rows there are, one result is in memory at a time; beside it ids, counts, and a few numbers a
program. A row is written once, whichever programs give it.
"""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from semcoder.constructs import constructs
from semcoder.core import SCHEMA_VERSION
from semcoder.core.files import read_jsonl, write_json, written
from semcoder.errors import SemcoderError
from semcoder.pyx.cases import BUG
from semcoder.pyx.clean import cleaning_figures, read_cleaned, similarity_figures
from semcoder.pyx.config import BuildConfig
from semcoder.pyx.showcase import showcase

#: Bugs of ours that a build may survive; beyond these and a hundredth of all drops, it fails.
_FEW_BUGS = 3
_KEPT = ("id", "program", "cases", "raises", "coverage", "substantial")
#: Where a program may be dropped, in order: by its text, as a copy or a benchmark's, by what its executions did.
_STAGES = ("collecting", "cleaning", "running")
#: All programs that were run, beside those with one construct.
_ALL = "all programs"
Add = Callable[[Mapping[str, Any]], None]


def finish(config: BuildConfig, folder: Path, work: Path, taught: Mapping[str, Any]) -> dict[str, Any]:
    """Write all but card and manifest; the manifest's counts and figures, and the kept programs' `licences`.

    `taught`: the teacher's rows, exclusions and figures. Raises `SemcoderError` where many programs tripped a bug.
    """
    cleaned = read_cleaned(work)
    with ExitStack() as stack:
        ending = _Ending(config, folder, stack)
        for stage, rows in zip(_STAGES, (read_jsonl(work / "collect-drops.jsonl"), cleaned["drops"]), strict=False):
            for row in rows:
                ending.drop(row, stage)
        for row in [*read_jsonl(work / "copies.jsonl"), *cleaned["exclusions"]]:
            ending.exclude(row)
        for shard in range(config.shards):
            for result in read_jsonl(work / "results" / f"{shard:05d}.jsonl"):
                ending.add(result)
        ending.add_rows(taught["rows"])
        for row in taught["excluded"]:
            ending.exclude(row)
        ending.refuse_if_broken()
    write_json(folder / "showcase.json", showcase(lambda kind: _rows(config, folder, kind), config))
    return ending.manifest(cleaned["benchmarks"], taught)


def _rows(config: BuildConfig, folder: Path, kind: str) -> Iterator[dict[str, Any]]:
    return read_jsonl(folder / "rows" / f"{kind}-00000.jsonl") if kind in config.rows else iter(())


class _Ending:
    """The open files, and what is counted as they are written."""

    def __init__(self, config: BuildConfig, folder: Path, stack: ExitStack) -> None:
        def opened(name: str) -> Add:
            return stack.enter_context(written(folder / name))

        self._config, self._folder = config, folder
        self._row_files = {kind: opened(f"rows/{kind}-00000.jsonl") for kind in config.rows}
        self._programs, self._drops, self._exclusions = map(
            opened, ("programs.jsonl", "drops.jsonl", "exclusions.jsonl")
        )
        self._summary = _Summary()
        self._seen: set[str] = set()
        self._kept = 0
        self._rows: Counter[str] = Counter(dict.fromkeys(config.rows, 0))
        self._reasons: Counter[str] = Counter()
        self._stages: dict[str, Counter[str]] = {stage: Counter() for stage in _STAGES}
        self._constructs: dict[str, Counter[str]] = {_ALL: Counter()}
        self._excluded: Counter[tuple[str, str, str]] = Counter()
        self._licences: Counter[str] = Counter()
        self._first_bug = ""

    def drop(self, row: Mapping[str, Any], stage: str) -> None:
        self._drops(row)
        self._reasons[str(row["reason"])] += 1
        self._stages[stage][str(row["reason"])] += 1
        if row["reason"] == BUG and not self._first_bug:
            self._first_bug = f"{row['entry']}: {row['detail']}"

    def exclude(self, row: Mapping[str, Any]) -> None:
        self._exclusions(row)
        self._excluded[row["benchmark"], row["what"], row["reason"]] += 1

    def add(self, result: Mapping[str, Any]) -> None:
        """What one program came to."""
        for row in result["excluded"]:
            self.exclude(row)
        program = result["program"]
        self._note_constructs(program["source"], str(result["dropped"]["reason"]) if "dropped" in result else "kept")
        if "dropped" in result:
            if "coverage" in result:
                self._summary.measure(result["coverage"], kept=False)
            self.drop({**result["dropped"], "entry": program["entry"], "origin": program["origin"]}, "running")
            return
        self._summary.add(result)
        self._kept += 1
        self._licences[str(program.get("license", "unknown"))] += 1
        self._programs({key: result[key] for key in _KEPT})
        self.add_rows(result["rows"])

    def _note_constructs(self, source: str, end: str) -> None:
        """Count what became of a program that was run, by what its code is made of."""
        for name in (_ALL, *constructs(source)):
            self._constructs.setdefault(name, Counter())[end] += 1

    def add_rows(self, found: Sequence[Mapping[str, Any]]) -> None:
        """Put rows where they belong, each once."""
        for row in found:
            if row["id"] not in self._seen and row["task"] in self._row_files:
                self._seen.add(row["id"])
                self._rows[row["task"]] += 1
                self._row_files[row["task"]]({"schema": SCHEMA_VERSION, **row})

    def refuse_if_broken(self) -> None:
        """Programs that trip a bug of ours are dropped with that reason; where they are many, there is no data set."""
        bugs = self._reasons[BUG]
        if bugs > max(_FEW_BUGS, self._reasons.total() // 100):
            raise SemcoderError(
                f"{self._folder}: {bugs} programs tripped a bug in semcoder (the first: {self._first_bug}); "
                "please report it"
            )

    def manifest(self, benchmarks: Sequence[dict[str, Any]], taught: Mapping[str, Any]) -> dict[str, Any]:
        """Counts, drops and figures; and the kept programs' `licences`, which are for the card."""
        return {
            "counts": {
                "programs_seen": self._kept + self._reasons.total(),
                "programs_kept": self._kept,
                **self._summary.counts(),
                "monologues": sum(self._rows[kind] for kind in ("forward", "backward", "repair")),
                "rows": {kind: self._rows[kind] for kind in self._config.rows},
            },
            "drops": dict(self._reasons.most_common()),
            "stages": {stage: dict(found.most_common()) for stage, found in self._stages.items()},
            "constructs": {
                name: dict(found.most_common())
                for name, found in sorted(self._constructs.items(), key=lambda pair: (-pair[1].total(), pair[0]))
            },
            "dropped_monologues": dict(self._summary.dropped.most_common()),
            "found_by": dict(self._summary.found_by.most_common()),
            "cleaning": cleaning_figures(self._config, benchmarks, self._excluded),
            "figures": self._summary.figures() | similarity_figures(benchmarks),
            **({"teacher": taught["figures"]} if self._config.teacher else {}),
            "licences": dict(self._licences),
        }


class _Summary:
    """Counts and figures over all kept programs."""

    def __init__(self) -> None:
        self.dropped: Counter[str] = Counter()
        self.found_by: Counter[str] = Counter()
        self._tally: Counter[str] = Counter()
        self._cases: list[int] = []
        self._steps: list[float] = []
        self._lines: list[float] = []
        self._failing_asserts = 0
        self._substantial = 0
        self._raises = 0
        self._shares: dict[str, list[float]] = {}
        self._dropped_for_coverage = False

    def measure(self, coverage: Mapping[str, Any], *, kept: bool) -> None:
        """Count what was covered of a program, one that is kept or one that is dropped for it."""
        self._dropped_for_coverage |= not kept
        self._shared("coverage_percent_before_drops_of_", coverage["by_all"])
        if kept:
            self._shared("coverage_percent_of_", coverage["by_all"])
            self._shared("coverage_percent_of_returning_", coverage["by_cases"])

    def _shared(self, name: str, measure: Mapping[str, int]) -> None:
        """Note which part of a program's lines and branches was run, where it has any."""
        for what in ("lines", "branches"):
            if measure[what]:
                self._shares.setdefault(name + what, []).append(measure[f"{what}_hit"] / measure[what])

    def add(self, result: Mapping[str, Any]) -> None:
        tally = result["tally"]
        self._tally.update({key: tally[key] for key in ("written", "claims", "false")})
        self.dropped.update(tally["dropped"])
        self.found_by.update(tally["found_by"])
        self._cases.append(len(result["cases"]))
        self._steps.append(result["coverage"]["median_steps"])
        self._lines.append(result["coverage"]["median_lines"])
        self._failing_asserts += result["failing_asserts"]
        self._raises += len(result["raises"])
        self.measure(result["coverage"], kept=True)
        self._substantial += bool(result["substantial"])

    def counts(self) -> dict[str, int]:
        return {
            "cases": sum(self._cases),
            "cases_whose_assert_fails": self._failing_asserts,
            "raising_calls": self._raises,
            "monologues_written": self._tally["written"],
            "claims_checked": self._tally["claims"],
            "claims_false": self._tally["false"],
        }

    def figures(self) -> dict[str, float]:
        kept = len(self._cases)
        if not kept:
            return {}
        return {
            "cases_per_program": round(sum(self._cases) / kept, 2),
            "percent_with_loop_or_both_branches": round(100 * self._substantial / kept, 1),
            "median_executed_statements": statistics.median(self._steps),
            "median_distinct_lines": statistics.median(self._lines),
            **self._covered(),
        }

    def _covered(self) -> dict[str, float]:
        """Percent of lines and branches, as means over programs: of those kept, and with those dropped for it.

        `returning`: by the cases alone, without the kept calls that raise.
        """
        before = "coverage_percent_before_drops_of_"
        shown = sorted(self._shares, key=lambda name: (name.startswith(before), "returning" in name))
        return {
            name: round(100 * statistics.mean(self._shares[name]), 1)
            for name in shown
            if self._dropped_for_coverage or not name.startswith(before)
        }

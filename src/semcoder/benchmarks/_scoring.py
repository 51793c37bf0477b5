"""Tasks as a run takes them, and verdicts on its answers, kept as they come.

Guarantees: equal answers of a task are judged once; what could not be judged is tried again at each start.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from semcoder.core import content_id
from semcoder.errors import InputError
from semcoder.judging.asking import Progress, Teller, ending
from semcoder.judging.folder import Journal, Key

if TYPE_CHECKING:  # the package itself imports this module
    from semcoder.benchmarks import Benchmark, Task


def first_tasks(chosen: Benchmark, data: str, limit: int) -> list[Task]:
    """The first `limit` tasks of a benchmark; all for 0. Raises as `Benchmark.load`, and where there are none."""
    tasks = chosen.load(data)
    tasks = tasks[:limit] if limit else tasks
    if not tasks:
        raise InputError(f"{data or chosen.name}: there are no tasks of {chosen.name}")
    return tasks


def digest(tasks: Sequence[Task]) -> str:
    """Equal for the same tasks in the same order."""
    return content_id([[task.id, _plain(task.row)] for task in tasks])


def _plain(value: Any) -> Any:
    """A row as JSON has it, whatever else is in it."""
    if isinstance(value, Mapping):
        return {str(name): _plain(part) for name, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(part) for part in value]
    return value if value is None or isinstance(value, (str, int, float, bool)) else repr(value)


def score_rows(
    chosen: Benchmark,
    tasks: Mapping[str, Task],
    rows: Mapping[Key, Mapping[str, Any]],
    journal: Journal,
    progress: Progress,
    *,
    workers: int,
    unsafe: bool,
) -> dict[Key, dict[str, Any]]:
    """The verdicts on rows with a `completion`, by task and sample: those of the journal, and what it lacks, which is
    added to it as it comes. Raises what the benchmark's `score` raises."""
    known = journal.rows()
    waiting: dict[tuple[str, str], list[Key]] = {}
    for key, row in rows.items():
        if known.get(key, {}).get("passed") is None:
            waiting.setdefault((key[0], row["completion"]), []).append(key)
    answers = [(tasks[name], answer) for name, answer in waiting]
    keys = list(waiting.values())
    if answers:
        tell = Teller(progress, f"{chosen.name}: scoring", len(answers))
        found = chosen.score(answers, workers=workers, unsafe=unsafe)
        with ending(found):
            for place, score in found:
                verdict = {"passed": score.passed, "reason": score.reason}
                journal.append({"task_id": name, "sample": sample, **verdict} for name, sample in keys[place])
                tell.one_more()
    return journal.rows()

"""Rows of any origin as examples: what a model is asked, and what it shall answer.

Guarantees: examples come in a fixed order; a row that is no example is an `InputError` that names file and row;
`divide` puts all examples of one program on the same side. Nothing that a row states is executed or checked here:
our own rows were, before they were written.
"""

from __future__ import annotations

import hashlib
import re
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from semcoder.core import Sample, content_id, load
from semcoder.core.files import read_jsonl, write_jsonl
from semcoder.errors import InputError, UsageError
from semcoder.prompts import Profile
from semcoder.tables import Row, file_rows, hub_rows, table_files
from semcoder.training.recipe import Data
from semcoder.training.telling import GRAMMARS, generated, retold

#: The fields of published rows that hold what is asked, and the task that each stands for (paper, sections 2.8 and 6).
_ASKED = {"nl": "nl", "fwd_mnl": "forward", "bwd_mnl": "backward", "fault": "repair"}
_CODE = re.compile(r"\[PYTHON\]\s*\n(.*?)\n(?:assert [^\n]*\n)?\s*\[/PYTHON\]", re.DOTALL)
_FENCED = re.compile(r"```(?:python)?[ \t]*\n(.*?)```", re.DOTALL)
_PARTS = 1 << 32


@dataclass(frozen=True, slots=True)
class Example:
    """`prompt`: the instruction, without what a profile puts round it. `group`: equal for all of one program.
    `sample`: the row itself where it is ours."""

    prompt: str
    answer: str
    task: str
    group: str
    sample: Sample | None = None


def read_examples(
    parts: Sequence[Data], profile: Profile, seed: int, dropped: Counter[str] | None = None
) -> list[Example]:
    """The examples of all parts, each as often as its weight says. Raises `InputError`, `UsageError`.

    `dropped` counts, by reason, executions that could not be told in the style asked for.
    """
    dropped = Counter() if dropped is None else dropped
    found: list[Example] = []
    for number, data in enumerate(parts):
        wanted_ones = (one for one in _opened(data, profile, dropped) if not data.tasks or one.task in data.tasks)
        examples = list(islice(wanted_ones, data.limit or None))
        if not examples:
            wanted = f" of the tasks {', '.join(data.tasks)}" if data.tasks else ""
            raise InputError(f"{data.rows}: no rows{wanted} to train on")
        found += _weighted(examples, data.weight, f"{seed}:{number}")
    return found


def divide(examples: Iterable[Example], held_out: float, seed: int) -> tuple[list[Example], list[Example]]:
    """Examples to train on, and about the part `held_out` of the programs to evaluate on; the side depends on
    program and seed alone."""
    sides: tuple[list[Example], list[Example]] = ([], [])
    for example in examples:
        sides[_chance(f"held-out:{seed}:{example.group}") < held_out].append(example)
    return sides


def _weighted(examples: list[Example], weight: float, key: str) -> list[Example]:
    whole, part = int(weight), weight - int(weight)
    return examples * whole + [one for place, one in enumerate(examples) if _chance(f"{key}:{place}") < part]


def _chance(key: str) -> float:
    """A number from 0 to 1 that depends on the key alone."""
    return int.from_bytes(hashlib.blake2b(key.encode(), digest_size=4).digest(), "big") / _PARTS


def _opened(data: Data, profile: Profile, dropped: Counter[str]) -> Iterator[Example]:
    """The examples of one part, in the order of its rows."""
    found: Iterator[Example]
    if is_stream(data.rows):
        found = map(_of_sample, generated(data.rows, data.style or "forward", profile, dropped))
    else:
        found = _table(data, profile, dropped)
    return found


def is_stream(spec: str) -> bool:
    """Whether rows are made of generated programs as they are asked for."""
    return spec.partition(":")[0] in GRAMMARS


def _table(data: Data, profile: Profile, dropped: Counter[str]) -> Iterator[Example]:
    rows = _rows(data.rows)
    if data.prompt:
        return (_of_columns(row, data) for row in rows)
    if data.style:
        return map(_of_sample, retold(map(_sample, rows), data.style, profile, dropped))
    return map(_of_row, rows)


def _rows(spec: str) -> Iterator[Row]:
    """The rows of a build's folder, of files, or of a data set of the hub (`hub:NAME` or `hub:NAME:SPLIT`)."""
    if spec.startswith("hub:"):
        name, _, split = spec.removeprefix("hub:").partition(":")
        return hub_rows(name, split or "train")
    root = Path(spec)
    if not root.exists():
        raise UsageError(f"there are no rows at {spec!r}: no such file or folder; semcoder build writes some")
    root = root / "rows" if (root / "rows").is_dir() else root
    return file_rows(table_files(str(root), ".jsonl", ".jsonl.gz", ".parquet"), str(root))


def _of_columns(row: Row, data: Data) -> Example:
    prompt, answer = (_text(row, name) for name in (data.prompt, data.answer))
    return Example(prompt, answer, "table", content_id(prompt))


def _of_row(row: Row) -> Example:
    """A published row, or one of ours."""
    if isinstance(row.values.get("program"), dict):
        return _of_sample(_sample(row))
    filled = [name for name in _ASKED if row.values.get(name)]
    if len(filled) != 1 or "response" not in row.values:
        known = ", ".join(_ASKED)
        raise InputError(
            f"{row.place}: not a PyX row (just one of {known} holds text, and response); "
            "for other tables name the columns, as in {rows: ..., prompt: COLUMN, answer: COLUMN}"
        )
    prompt, answer = _text(row, filled[0]), _text(row, "response")
    code = (_FENCED if filled[0] == "nl" else _CODE).search(answer if filled[0] == "nl" else prompt)
    return Example(prompt, answer, _ASKED[filled[0]], content_id(code[1].strip() if code else prompt))


def _sample(row: Row) -> Sample:
    sample = load(Sample, {name: value for name, value in row.values.items() if value is not None}, row.place)
    if sample.program is None:
        raise InputError(f"{row.place}: a row without its program cannot be told in another style")
    return sample


def _of_sample(sample: Sample) -> Example:
    prompt = sample.nl or sample.fwd_mnl or sample.bwd_mnl or sample.fault
    group = sample.program.id if sample.program is not None else content_id(prompt)
    return Example(prompt, sample.response, sample.task, group, sample)


def _text(row: Row, column: str) -> str:
    if column not in row.values:
        raise InputError(f"{row.place}: no column {column!r} (there are {', '.join(map(str, row.values))})")
    value = row.values[column]
    if not isinstance(value, str):
        raise InputError(f"{row.place}: column {column!r} holds {type(value).__name__}, not text")
    return value


def kept_examples(path: Path, first: bool, read: Callable[[Counter[str]], list[Example]]) -> tuple[list[Example], Any]:
    """What `read` gives, and what it dropped, read once for all processes and starts of a run, and kept in a file.

    The `first` process reads; the others wait for the file. Examples lose their `sample`.
    """
    if first and not path.exists():
        dropped: Counter[str] = Counter()
        rows = [[one.prompt, one.answer, one.task, one.group] for one in read(dropped)]
        write_jsonl(path, [{"dropped": dict(dropped)}, *({"example": row} for row in rows)])
    while not path.exists():
        time.sleep(0.2)
    head, *rest = read_jsonl(path)
    return [Example(*row["example"]) for row in rest], head["dropped"]

"""What a build is asked to do: one frozen record, read from YAML, with a hash that names its outputs.

Guarantees: an unknown, ill-typed or senseless field is an `InputError` that names file and field; `differences` names
the fields in which two configurations would give different rows. Fields that change only speed are not in the hash.
"""

from __future__ import annotations

import dataclasses
import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from semcoder.core import content_id, decode
from semcoder.core.files import full_document
from semcoder.errors import InputError

#: Fields that change where or how fast a build runs, never what it writes.
_NOT_CONTENT = frozenset({"out", "workers", "executor", "ray_address", "slurm_partition", "slurm_time"})
_EXECUTORS = ("local", "ray", "slurm")
_DEFAULT_ROWS = ("nl", "forward", "backward")
_ROWS = (*_DEFAULT_ROWS, "repair")
#: Numbers that may be 0; all others are at least 1.
_FROM_ZERO = frozenset(
    {
        "seed",
        "max_programs",
        "min_steps",
        "forward_per_program",
        "backward_per_program",
        "repairs_per_program",
        "backward_budget",
        "near_duplicates",
        "search_rounds",
        "min_coverage",
        "raises_per_program",
    }
)
#: Below, most programs are alike somehow, and everything would be compared with everything.
LEAST_SIMILARITY = 0.5


def without_address(model: str) -> str:
    """A model's spec without the address of the server that answers for it."""
    return re.sub(r"@https?://.*", "", model, flags=re.DOTALL)


@dataclass(frozen=True, slots=True)
class BuildConfig:
    """One build. Times are seconds of CPU, lengths are characters, similarities are parts of 1."""

    sources: tuple[str, ...]
    out: str = "runs/corpus"
    rows: tuple[str, ...] = _DEFAULT_ROWS
    seed: int = 0
    shards: int = 16
    workers: int = 2
    executor: str = "local"
    ray_address: str = ""
    slurm_partition: str = ""
    slurm_time: str = "24:00:00"
    max_programs: int = 0
    candidates: int = 48
    search_rounds: int = 24
    cases_per_program: int = 10
    min_cases: int = 3
    min_steps: int = 4
    min_coverage: float = 0.0
    raises_per_program: int = 3
    forward_per_program: int = 2
    backward_per_program: int = 1
    backward_budget: int = 256
    repairs_per_program: int = 2
    answers: tuple[str, ...] = ()
    max_text: int = 6000
    max_value: int = 400
    max_events: int = 20_000
    cpu_s: float = 1.0
    near_duplicates: float = 0.0
    benchmarks: tuple[str, ...] = ()
    contamination: float = 0.6
    teacher: str = ""
    teacher_per_program: int = 1
    teacher_samples: int = 4
    unknown_license: bool = False
    unsafe: bool = False

    @property
    def teacher_name(self) -> str:
        """The teacher without the address of the server that answers for it, which is nothing of the data's."""
        return without_address(self.teacher)

    def document(self) -> dict[str, Any]:
        """All fields, as they are saved and shown."""
        return {**full_document(self), "teacher": self.teacher_name}

    @property
    def hash(self) -> str:
        """Equal for two configurations that give the same rows from the same sources."""
        return content_id(self.content())

    def content(self) -> dict[str, Any]:
        return {name: value for name, value in self.document().items() if name not in _NOT_CONTENT}


def load_config(path: Path) -> BuildConfig:
    """A configuration from a YAML file. Raises `InputError`."""
    try:
        doc = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"{path}: there is no such file") from None
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        place = f" at line {mark.line + 1}, column {mark.column + 1}" if mark is not None else ""
        raise InputError(f"{path}: not readable as YAML{place}: {str(error).splitlines()[0]}") from None
    if not isinstance(doc, dict):
        raise InputError(f"{path}: a configuration is a mapping with at least the field sources")
    known = {field.name for field in dataclasses.fields(BuildConfig)}
    unknown = sorted(set(map(str, doc)) - known)
    if unknown:
        raise InputError(f"{path}: unknown field {unknown[0]!r}; known: {', '.join(sorted(known))}")
    return check(decode(BuildConfig, doc, str(path)), str(path))


def check(config: BuildConfig, where: str) -> BuildConfig:
    """The same configuration. Raises `InputError` where a field makes no sense."""
    if not config.sources:
        raise InputError(f"{where}.sources: name at least one source, such as stdlib or a folder")
    for name, value in full_document(config).items():
        least = 0 if name in _FROM_ZERO else 1
        if type(value) is int and value < least:
            raise InputError(f"{where}.{name}: must be at least {least}, not {value}")
    if not (math.isfinite(config.cpu_s) and config.cpu_s > 0):
        raise InputError(f"{where}.cpu_s: must be a number of seconds above 0, not {config.cpu_s}")
    if config.near_duplicates and not LEAST_SIMILARITY <= config.near_duplicates <= 1:
        raise InputError(
            f"{where}.near_duplicates: must be a similarity from {LEAST_SIMILARITY} to 1, or 0 to keep them, "
            f"not {config.near_duplicates}"
        )
    if not 0 <= config.min_coverage <= 1:
        raise InputError(f"{where}.min_coverage: must be a part from 0 to 1, not {config.min_coverage}")
    if not 0 < config.contamination <= 1:
        raise InputError(f"{where}.contamination: must be a part above 0 and up to 1, not {config.contamination}")
    if config.min_cases > config.cases_per_program:
        raise InputError(
            f"{where}.min_cases: {config.min_cases} cannot be reached, since cases_per_program is "
            f"{config.cases_per_program}; lower one or raise the other"
        )
    if config.executor not in _EXECUTORS:
        raise InputError(f"{where}.executor: {config.executor!r} is not one of {', '.join(_EXECUTORS)}")
    if not config.rows:
        raise InputError(f"{where}.rows: name at least one of {', '.join(_ROWS)}")
    wrong = [row for row in config.rows if row not in _ROWS]
    if wrong:
        raise InputError(f"{where}.rows: {wrong[0]!r} is not one of {', '.join(_ROWS)}")
    return config


def demo_config() -> BuildConfig:
    """The embedded configuration of `semcoder demo`: the standard library and one installed package."""
    return BuildConfig(sources=("stdlib", "package:rich"), out="runs/demo")


def differences(old: dict[str, Any], new: BuildConfig, where: str) -> list[str]:
    """Names of the fields in which a saved configuration differs from `new` in what it would write.

    Raises `InputError`, starting with `where`, if it is no configuration.
    """
    before = decode(BuildConfig, old, where).content()
    return [name for name, value in new.content().items() if before.get(name) != value]

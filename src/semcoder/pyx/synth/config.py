"""What a synthesis is asked to do: one frozen record with a hash that names its output.

Guarantees: a senseless field is an `InputError` that names it; `differences` names the fields in which two
configurations would give different programs. What changes only speed, or how much of the work is done, is not content:
a folder may be gone on with for more seeds, or for monologues as well.
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import Any

from semcoder.core import content_id, decode
from semcoder.core.files import full_document
from semcoder.errors import InputError
from semcoder.pyx.config import BuildConfig, without_address

_NOT_CONTENT = frozenset({"seeds", "out", "workers", "max_seeds", "monologues"})
#: Numbers that may be 0; all other whole numbers are at least 1.
_FROM_ZERO = frozenset({"seed", "rounds", "max_seeds"})


@dataclass(frozen=True, slots=True)
class SynthConfig:
    """One synthesis. Times are seconds of CPU, lengths are characters, `max_tokens` are the teacher's.

    `solutions` per problem, `rounds` of repair for each answer, `samples` per monologue, `inputs` asked of each
    solution; `max_seeds` 0 is all of them. `seed` goes to the teacher with each request.
    """

    seeds: str
    teacher: str
    out: str
    signature_first: bool = False
    solutions: int = 3
    rounds: int = 3
    inputs: int = 5
    monologues: bool = False
    samples: int = 4
    max_seeds: int = 0
    max_seed: int = 6000
    temperature: float = 0.8
    top_p: float = 0.95
    max_tokens: int = 2048
    seed: int = 0
    cases_per_program: int = 5
    min_cases: int = 3
    max_text: int = 6000
    cpu_s: float = 1.0
    workers: int = 2
    unsafe: bool = False

    @property
    def hash(self) -> str:
        """Equal for two configurations that give the same programs from the same seeds and replies."""
        return content_id(self.content())

    @property
    def teacher_name(self) -> str:
        """The teacher without the address of the server that answers for it, which is nothing of the data's."""
        return without_address(self.teacher)

    def content(self) -> dict[str, Any]:
        document = {name: value for name, value in full_document(self).items() if name not in _NOT_CONTENT}
        return {**document, "teacher": self.teacher_name}

    def build(self) -> BuildConfig:
        """How a build would look for cases of a program."""
        return BuildConfig(
            sources=(self.seeds,),
            out=self.out,
            seed=self.seed,
            cases_per_program=self.cases_per_program,
            min_cases=self.min_cases,
            max_text=self.max_text,
            cpu_s=self.cpu_s,
            unsafe=self.unsafe,
        )


def check(config: SynthConfig) -> SynthConfig:
    """The same configuration. Raises `InputError` where a field makes no sense."""
    for name, value in full_document(config).items():
        least = 0 if name in _FROM_ZERO else 1
        if type(value) is int and value < least:
            raise InputError(f"{_option(name)}: must be at least {least}, not {value}")
    if not (math.isfinite(config.cpu_s) and config.cpu_s > 0):
        raise InputError(f"{_option('cpu_s')}: must be a number of seconds above 0, not {config.cpu_s}")
    if not 0 <= config.temperature <= 2:
        raise InputError(f"{_option('temperature')}: must be from 0 to 2, not {config.temperature}")
    if not 0 < config.top_p <= 1:
        raise InputError(f"{_option('top_p')}: must be above 0 and up to 1, not {config.top_p}")
    if config.min_cases > config.cases_per_program:
        raise InputError(
            f"{_option('min_cases')}: {config.min_cases} cannot be reached, since cases_per_program is "
            f"{config.cases_per_program}; lower one or raise the other"
        )
    return config


def _option(name: str) -> str:
    return "--" + name.replace("_", "-")


def differences(old: dict[str, Any], new: SynthConfig, where: str) -> list[str]:
    """Names of the fields in which a saved configuration differs from `new` in what it would write.

    Raises `InputError`, starting with `where`, if it is no configuration.
    """
    known = {field.name for field in dataclasses.fields(SynthConfig)}
    if set(old) - known:
        raise InputError(f"{where}: unknown field {min(set(old) - known)!r}")
    before = decode(SynthConfig, old, where).content()
    return [name for name, value in new.content().items() if before.get(name) != value]

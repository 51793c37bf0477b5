"""The frozen records that flow through SemCoder.

Guarantees: records are immutable, compare by content, and round-trip through `semcoder.core.codec`; ids are content
hashes, so that the same program is the same program wherever it came from.
It does not hold behaviour: rooms act on records, records act on nothing.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Literal, NewType

from semcoder.core.values import Value, canonical_json

ProgramId = NewType("ProgramId", str)
LineNo = NewType("LineNo", int)

Status = Literal["returned", "raised", "exited", "invalid", "timeout", "memory", "output_limit", "sandbox_failed"]
Direction = Literal["forward", "backward"]
Detail = Literal["line", "expression"]

#: A limit was hit: the outcome says nothing about what the program would have done with more.
LIMIT_STATUSES: frozenset[Status] = frozenset({"timeout", "memory", "output_limit"})


def content_id(*parts: object) -> str:
    """A 16 hex digit hash of JSON-able parts."""
    return hashlib.sha256(canonical_json(parts).encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a program came from: the source plugin, the package or project, the path inside it, the line."""

    source: str
    project: str = ""
    version: str = ""
    path: str = ""
    line: int = 0


@dataclass(frozen=True, slots=True)
class Program:
    """Source text that runs alone, and the name of the function that is called."""

    source: str
    entry: str
    origin: Origin = Origin("user")
    license: str = "unknown"

    @property
    def id(self) -> ProgramId:
        return ProgramId(content_id(self.source, self.entry))


@dataclass(frozen=True, slots=True)
class Invocation:
    """One way to run a program. `expr`: a call expression over literals, evaluated after `setup` lines."""

    text: str
    kind: Literal["expr", "stdin", "test"] = "expr"
    setup: str = ""

    @property
    def id(self) -> str:
        return content_id(self.kind, self.text, self.setup)

    @property
    def parts(self) -> tuple[str, str, str]:
        """Kind, text, set-up: the form in which it travels to where it is called."""
        return self.kind, self.text, self.setup


@dataclass(frozen=True, slots=True)
class Usage:
    """What a run cost: seconds of CPU and wall time, peak memory above the preloaded baseline in bytes."""

    cpu_s: float = 0.0
    wall_s: float = 0.0
    memory: int = 0


@dataclass(frozen=True, slots=True)
class Raised:
    """An exception as data: its type's name, `str()` of it, and the exception itself as a value where it has one."""

    type: str
    message: str
    value: Value | None = None

    def __str__(self) -> str:
        return f"{self.type}: {self.message}" if self.message else self.type


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run did. `value` is there if and only if `status` is returned; `detail` explains every other status."""

    status: Status
    value: Value | None = None
    exception: Raised | None = None
    stdout: str = ""
    usage: Usage = field(default=Usage(), compare=False)
    detail: str = ""

    def same(self, other: Outcome) -> bool:
        """Whether both did the same: status, value (strictly), exception type and message, printed output."""
        key = (self.status, self.value, self.stdout)
        return key == (other.status, other.value, other.stdout) and _raised_key(self) == _raised_key(other)


def _raised_key(outcome: Outcome) -> tuple[str, str] | None:
    return None if outcome.exception is None else (outcome.exception.type, outcome.exception.message)


def check_claim(outcome: Outcome) -> None:
    """For outcomes that a process tells of itself.

    Raises ValueError where status and parts contradict each other, or a program claims that the sandbox failed.
    """
    if outcome.status == "sandbox_failed":
        raise ValueError("a program cannot say that the sandbox failed")
    if (outcome.value is None) == (outcome.status == "returned"):
        raise ValueError(f"status {outcome.status} with{'out' if outcome.value is None else ''} a value")
    if (outcome.exception is None) == (outcome.status == "raised"):
        raise ValueError(f"status {outcome.status} does not fit its exception")


@dataclass(frozen=True, slots=True)
class Claim:
    """One checkable statement of a text. `verdict` None: not checked, or not checkable; `actual` is what was true.

    `start` and `end` are character offsets of the sentence in the text, `line` the source line it speaks of (0: none).
    """

    text: str
    kind: str
    verdict: bool | None = None
    actual: str = ""
    start: int = 0
    end: int = 0
    line: int = 0


@dataclass(frozen=True, slots=True)
class Monologue:
    """A text that tells an execution. `answer`: the output's text (forward), or the call (backward)."""

    direction: Direction
    style: str
    text: str
    answer: str
    claims: tuple[Claim, ...] = ()
    found_by: str = ""

    @property
    def false_claims(self) -> tuple[Claim, ...]:
        return tuple(claim for claim in self.claims if claim.verdict is False)


@dataclass(frozen=True, slots=True)
class Sample:
    """A PyX or PyX-R row in the published schemas (`id, nl, fwd_mnl, bwd_mnl, response`, and `fault`; exactly one of
    those between `id` and `response` is non-empty; paper sections 2.8 and 6), and its provenance."""

    id: str
    nl: str = ""
    fwd_mnl: str = ""
    bwd_mnl: str = ""
    fault: str = ""
    response: str = ""
    task: str = ""
    program: Program | None = None
    call: str = ""
    output: str = ""
    claims: int = 0
    found_by: str = ""
    python: str = ""

    @property
    def kind(self) -> str:
        """What the row asks for, by the field that holds the question: nl, forward, backward or repair."""
        return "forward" if self.fwd_mnl else "backward" if self.bwd_mnl else "repair" if self.fault else "nl"


@dataclass(frozen=True, slots=True)
class Score:
    """A verdict. `passed` None: could not be judged, which is never the same as False."""

    passed: bool | None
    reason: str = ""

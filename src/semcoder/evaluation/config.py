"""What an evaluation is asked to do: one frozen record, checked, with a hash of all that its results depend on.

Guarantees: what makes no sense is a `UsageError` before anything is loaded or asked. What changes only where or how
fast an evaluation runs is not in the hash.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from semcoder.core import Direction, content_id
from semcoder.errors import UsageError
from semcoder.models import Sampling, without_address
from semcoder.monologue import style as find_style
from semcoder.prompts import Profile, profile_document, profile_for

Asks = Literal["code", "output", "input"]
_DIRECTIONS: dict[Asks, Direction] = {"output": "forward", "input": "backward"}


@dataclass(frozen=True, slots=True)
class EvalConfig:
    """One evaluation of a model, or of the answers in a file (`generations`).

    `style`: the style of the model's monologues, whose claims are then checked; empty: only answers count.
    `limit`: so many tasks of each benchmark, the first ones; 0: all. `data`: as in `Benchmark.load`.
    Raises `UsageError` for what makes no sense.
    """

    benchmarks: tuple[str, ...]
    profile: Profile
    model: str = ""
    generations: str = ""
    data: str = ""
    style: str = ""
    n: int = 1
    temperature: float = 0.2
    top_p: float = 0.95
    max_tokens: int = 1024
    seed: int = 0
    limit: int = 0
    out: str = "runs/eval"
    workers: int = 2
    unsafe: bool = False

    def __post_init__(self) -> None:
        if not self.benchmarks:
            raise UsageError("name at least one benchmark with --benchmark, as in --benchmark cruxeval-o")
        if len(set(self.benchmarks)) < len(self.benchmarks):
            raise UsageError(f"a benchmark is named twice: {', '.join(self.benchmarks)}")
        if bool(self.model) == bool(self.generations):
            raise UsageError("give a model to ask, or a file with generations, and only one of them")
        if self.generations and len(self.benchmarks) > 1:
            raise UsageError("a file with generations belongs to one benchmark; name only that one")
        if self.generations and self.style:
            raise UsageError("a style is of a model's monologues; a file with generations holds answers alone")
        for name, value, least in (("limit", self.limit, 0), ("workers", self.workers, 1), ("seed", self.seed, 0)):
            if value < least:
                raise UsageError(f"{name} must be at least {least}, not {value}")
        self.sampling(0)
        if self.model and self.n > 1 and not self.temperature:
            raise UsageError(f"{self.n} samples at temperature 0 would all be the same; raise --temperature")
        if self.style:
            find_style(self.style)

    def sampling(self, sample: int) -> Sampling:
        """How to draw sample number `sample`: each is a request of its own, with a seed of its own."""
        seed = Sampling(seed=self.seed).seed_of(sample)
        whole = Sampling(self.max_tokens, self.temperature, self.top_p, self.profile.stops, seed, self.n)
        return Sampling(whole.max_tokens, whole.temperature, whole.top_p, whole.stop, whole.seed)

    def style_for(self, asks: Asks) -> str:
        """The style in which texts of such a benchmark are read; empty where claims are not checked."""
        direction = _DIRECTIONS.get(asks)
        if not self.style or direction is None:
            return ""
        return self.style if find_style(self.style).direction == direction else direction

    def document(self) -> dict[str, Any]:
        """All that results depend on, by the names of the fields, and the data that was asked for."""
        whole: dict[str, Any] = {"benchmarks": list(self.benchmarks), "limit": self.limit}
        if self.generations:
            return {**whole, "generations": Path(self.generations).name}
        return {
            **whole,
            "model": without_address(self.model),
            "profile": profile_document(self.profile),
            "style": self.style,
            "n": self.n,
            "temperature": self.temperature,
            "top_p": self.top_p,
            "max_tokens": self.max_tokens,
            "seed": self.seed,
        }

    @property
    def hash(self) -> str:
        return content_id(self.document())


def configured(
    benchmarks: Sequence[str], model: str = "", profile: str | Path | None = None, style: str | None = None, **rest: Any
) -> EvalConfig:
    """A configuration; profile and style as the model's folder says where they are not given.

    Raises `UsageError`, and `InputError` for a profile or a folder's `semcoder.json` that cannot be read.
    """
    chosen, told_in = profile_for(model, profile)
    return EvalConfig(tuple(benchmarks), chosen, model, style=told_in if style is None else style, **rest)

"""The model that the page asks: opened at the start, loaded by the first question, and what is known of it.

Guarantees: a model that cannot be used costs the page nothing else; what is said of the built-in one is read from the
card that comes with its weights.
"""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass
from typing import Any

from semcoder import api
from semcoder.errors import MissingExtra, SemcoderError, UsageError
from semcoder.models import Model
from semcoder.prompts import Profile, profile_for

_PARAMETERS = re.compile(r"transformer of ([\d,]+) parameters")
_ACCURACY = re.compile(r"\(CRUXEval-O\), all (\d+), one greedy answer \| ([\d.]+) % \| ([\d.]+) to ([\d.]+)")


@dataclass(frozen=True, slots=True)
class Card:
    """What a model's card says of it: parameters, and percent right of so many questions, with the ends of its
    interval."""

    parameters: int
    questions: int
    percent: float
    low: float
    high: float


def card_of(text: str) -> Card | None:
    """The figures in a model card's text; None where it has none of this form."""
    size, score = _PARAMETERS.search(text), _ACCURACY.search(text)
    if size is None or score is None:
        return None
    return Card(int(size[1].replace(",", "")), int(score[1]), float(score[2]), float(score[3]), float(score[4]))


class Talker:
    """The model of a spec, and how it is asked: in a profile (None: its own)."""

    def __init__(self, spec: str, profile: str | None = None) -> None:
        self.spec = spec
        self._why: SemcoderError | None = None
        self.asked = threading.Event()
        self._model: Model | None = None
        try:
            self._model = api.opened(spec)
            self._profile, self._style = profile_for(spec, profile)
        except SemcoderError as error:
            self._why = error

    @property
    def problem(self) -> str:
        """Why the model cannot be used, in one line; empty where it can."""
        return "" if self._why is None else " ".join(str(self._why).split())

    @property
    def is_local(self) -> bool:
        """Whether it works in this process. What another one is asked is sent to its server."""
        return not self.spec.startswith("openai:")

    @property
    def writes_code(self) -> bool:
        return self._model is not None and bool(getattr(self._model, "writes_code", True))

    def model(self) -> Model:
        """Raises `UsageError` where it cannot be used, `MissingExtra` where that is why."""
        if isinstance(self._why, MissingExtra):
            raise self._why
        if self._model is None:
            raise UsageError(f"the model {self.spec} cannot be used here: {self.problem}")
        return self._model

    def coder(self) -> Model:
        """The model, as one that writes code. Raises `UsageError`."""
        if not self.writes_code and self._model is not None:
            raise UsageError(
                f"the model {self.spec} tells executions and writes no code; start the page with another one: "
                "semcoder ui --model openai:NAME@BASE_URL"
            )
        return self.model()

    def wording(self) -> tuple[Profile, str]:
        """Profile, and the style that its folder says it tells in ("": none). Raises `UsageError`."""
        self.model()
        return self._profile, self._style

    def described(self) -> dict[str, Any]:
        """What a page says of it."""
        card = self._card()
        figures = None
        if card is not None:
            figures = {
                "parameters": card.parameters,
                "questions": card.questions,
                "percent": card.percent,
                "interval": [card.low, card.high],
            }
        name = self.spec.partition("@")[0]
        return {
            "name": name,
            "local": self.is_local,
            "problem": self.problem,
            "writes_code": self.writes_code,
            "figures": figures,
        }

    def _card(self) -> Card | None:
        if self.spec != "nano":
            return None
        from semcoder.models.nano import FOLDER

        try:
            return card_of((FOLDER / "README.md").read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError):
            return None

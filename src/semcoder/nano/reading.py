"""Reading what the built-in model writes, step by step: from its tokens to what each instruction is said to have done.

Guarantees: a step is handed out as soon as the token after it has come; what is no step of the instruction that is
asked for raises `Malformed`. Small steps between label and result are passed over: they are scratch, not statements.
It does not judge what is said.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from semcoder.nano.flatten import Instruction
from semcoder.nano.notation import EOS, EXCEPTIONS, LABELS, VARIABLES, Unreadable, read, read_prefix

_LABELS: Final = {f"L{i}": i for i in range(LABELS)}
_VARIABLES: Final = {f"v{i}": i for i in range(VARIABLES)}
_TRUTHS: Final = {"True": True, "False": False}
_TESTS: Final = frozenset({"if", "unless", "assert", "except"})


class Malformed(Exception):
    """Tokens that are no step of the instruction that runs."""


@dataclass(frozen=True, slots=True)
class Said:
    """What a step says.

    `marks`: what variables (by number) become, and, at -1, what stands after `→` or `return`, in order. `truth`: of a
    condition. `place`: the number of the pass or element, -1 for none; `ended`: a walk has no more elements. `raised`:
    the type of the exception, empty for none. `shown`: the range that a walk goes over.
    """

    marks: tuple[tuple[int, Any], ...] = ()
    truth: bool | None = None
    raised: str = ""
    place: int = -1
    ended: bool = False
    shown: Any = None


class Reader:
    """Tokens as steps. `tokens`: all that were taken so far."""

    def __init__(self, tokens: Iterable[str]) -> None:
        self._coming: Iterator[str] = iter(tokens)
        self._ahead: list[str] = []
        self.tokens: list[str] = []

    def step(self, label: int, one: Instruction) -> Said:
        """The next step, which must be of this instruction. Raises `Malformed`."""
        if self._peek() != f"L{label}":
            raise Malformed(f"{self._peek() or 'nothing'!r} stands where L{label} runs")
        self._take()
        own = {each.tokens[0] for each in one.operands if each is not None and each.index >= VARIABLES}
        body: list[str] = []
        settled = False
        while token := self._peek():
            # Before its result, a step may name an operand whose elements it writes down.
            if token in _LABELS and (settled or token not in own or self._peek(1) != "⟦"):
                break
            settled = settled or token in ("→", "return") or (token in _VARIABLES and self._peek(1) == "=")
            body.append(self._take())
        return _said(body, one)

    def drain(self) -> None:
        """Takes all that is left."""
        while self._peek():
            self._take()

    def _peek(self, places: int = 0) -> str:
        """The token so many places ahead; empty at the end."""
        while len(self._ahead) <= places:
            token = next(self._coming, EOS)
            if token == EOS:
                self._coming = iter(())
                return ""
            self._ahead.append(token)
        return self._ahead[places]

    def _take(self) -> str:
        token = self._ahead.pop(0)
        self.tokens.append(token)
        return token


def _said(body: list[str], one: Instruction) -> Said:
    raised = body[-1] if len(body) > 1 and body[-2] == "!" and body[-1] in EXCEPTIONS else ""
    body = body[:-2] if raised else body
    try:
        if one.op in _TESTS:
            if len(body) > 1 or (not raised and not body):
                raise Malformed(f"a condition that is {' '.join(body)!r}")
            return Said(truth=_TRUTHS[body[0]] if body else None, raised=raised)
        first = next((at for at in range(len(body)) if _is_mark(body, at)), len(body))
        place = next((int(token[1:]) for token in body[:first] if token[0] == "#" and len(token) > 1), -1)
        shown = read(body[:first]) if one.op == "walk" and one.name == "range" and not raised else None
        return Said(tuple(_marks(body, first)), None, raised, place, body[-1:] == ["end"], shown)
    except (Unreadable, KeyError, ValueError) as error:
        raise Malformed(str(error)) from error


def _is_mark(body: Sequence[str], at: int) -> bool:
    return body[at] in ("→", "return") or (body[at] in _VARIABLES and body[at + 1 : at + 2] == ["="])


def _marks(body: Sequence[str], at: int) -> Iterator[tuple[int, Any]]:
    """What stands after each mark, from the first one on: marks and values alone."""
    while at < len(body):
        if not _is_mark(body, at):
            raise Malformed(f"{body[at]!r} after a value")
        variable = _VARIABLES.get(body[at], -1)
        value, at = read_prefix(body, at + (1 if variable < 0 else 2))
        yield variable, value

"""Arguments that give a wanted result, found by the built-in model alone: it proposes, and simulates what it proposed.

Guarantees: nothing of the function is executed; the first proposal is the greedy one, the others are drawn and depend
on the seed; a proposal is accepted only if the model's own forward answer to it is the wanted result, its type
included. Where none is, the one whose answer looks most like it stands, of equals the first, and `agreed` says so.
Questions are answered together, in few batches, and drawn for one by one: which others there are changes an answer by
rounding alone.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from typing import Any, Protocol

from semcoder.core import literal_text
from semcoder.nano.flatten import Flat
from semcoder.nano.notation import ANSWER, EOS, IDS, VOCABULARY, Unreadable, Unsupported, read, read_prefix, write
from semcoder.nano.rows import CONTEXT, ask_forward, ask_inverse

#: A proposal of more tokens is cut, and so unreadable.
LONGEST_PROPOSAL = 512
#: Proposals of one question that are simulated at a time, where questions are few.
_TOGETHER = 4


class Decoding(Protocol):
    """What a decoder does: new tokens' ids by prompt, in order, before a stop, up to `max_new` or the context's end."""

    @property
    def context(self) -> int: ...

    def batch(
        self,
        prompts: Sequence[Sequence[int]],
        *,
        max_new: int,
        stop: Collection[int] = (),
        temperature: float = 0.0,
        seed: int = 0,
    ) -> list[list[int]]: ...


@dataclass(frozen=True, slots=True)
class Inversion:
    """`arguments`: the accepted proposal, else the one whose simulation looks most like it; None: none is readable.

    `agreed`: the model's own simulation of them gives the wanted result. `tried`: proposals that were simulated.
    `greedy`: the greedy proposal, None where it is unreadable. `simulation`: the model's tokens, without EOS, on
    `arguments`; empty where they cannot be put to it.
    """

    arguments: list[Any] | None
    agreed: bool = False
    tried: int = 0
    greedy: list[Any] | None = None
    simulation: tuple[str, ...] = ()


# Asking and reading --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer: its tokens without EOS, and whether it ended by itself."""

    tokens: tuple[str, ...]
    ended: bool


def ask(
    decoder: Decoding,
    prompts: Sequence[Sequence[str]],
    *,
    most: int = CONTEXT,
    temperature: float = 0.0,
    seed: int = 0,
) -> list[Reply]:
    """The answers to prompts, of fewer than `most` tokens each."""
    if not prompts:
        return []
    asked = [[IDS[token] for token in prompt] for prompt in prompts]
    found = decoder.batch(asked, max_new=most, stop=(IDS[EOS],), temperature=temperature, seed=seed)
    return [
        Reply(_tokens(ids), ended=len(ids) < most and len(prompt) + len(ids) < decoder.context)
        for prompt, ids in zip(asked, found, strict=True)
    ]


def _tokens(ids: Sequence[int]) -> tuple[str, ...]:
    """Ids as tokens. The network's vocabulary is filled up: what is beyond ours is a token without meaning."""
    return tuple(VOCABULARY[i] if i < len(VOCABULARY) else "<unused>" for i in ids)


def stated(tokens: Sequence[str]) -> Any:
    """The value that a forward answer, of any kind, says is returned. Raises `Unreadable`."""
    for at in range(len(tokens) - 1, -1, -1):
        if tokens[at] == "return":
            return read(tokens[at + 1 :])
    raise Unreadable("an answer without return")


def stated_arguments(tokens: Sequence[str], flat: Flat) -> list[Any]:
    """The arguments that an answer to an inverse question says, enough for a call. Raises `Unreadable`."""
    found: list[Any] = []
    at = 0
    while at < len(tokens):
        if list(tokens[at : at + 2]) != [f"v{len(found)}", "="]:
            raise Unreadable(f"no argument {len(found)} where it should stand")
        value, at = read_prefix(tokens, at + 2)
        found.append(value)
    if not flat.params - len(flat.defaults) <= len(found) <= flat.params:
        raise Unreadable(f"{len(found)} arguments for {flat.params} parameters")
    try:  # the language has words for classes, which no call can write
        for value in found:
            literal_text(value)
    except ValueError as error:
        raise Unreadable(str(error)) from error
    return found


def same(one: Any, other: Any) -> bool:
    """Whether a value is the wanted one: Python's `==`, and the type."""
    return type(one) is type(other) and bool(one == other)


# Proposing and simulating --------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Search:
    """One question on its way. `proposals`: different ones, in the order in which they came; the greedy one first.

    `best`: the proposal that stands so far; `nearness`: how much of its answer is the result's, from 0 to 1.
    """

    flat: Flat
    result: Any
    prompt: list[str]
    proposals: dict[tuple[str, ...], list[Any]] = field(default_factory=dict)
    waiting: list[tuple[str, ...]] = field(default_factory=list)
    greedy: list[Any] | None = None
    tried: int = 0
    simulation: tuple[str, ...] = ()
    best: list[Any] | None = None
    nearness: float = -1.0
    agreed: bool = False

    def propose(self, said: Reply) -> list[Any] | None:
        """Takes a proposal in; None where it says no arguments, or some that are known."""
        if said.tokens in self.proposals or not said.ended:
            return None
        try:
            found = stated_arguments(said.tokens, self.flat)
        except Unreadable:
            return None
        self.proposals[said.tokens] = found
        self.best = found if self.best is None else self.best
        self.waiting.append(said.tokens)
        return found

    def judge(self, proposal: tuple[str, ...], said: Reply) -> None:
        """Takes a simulation in; the first that fits settles the question."""
        if self.agreed:
            return
        self.tried += 1
        try:
            value = stated(said.tokens)
            fits = said.ended and same(value, self.result)
            nearness = 1.0 if fits else _nearness(value, self.result)
        except Unreadable:
            fits, nearness = False, 0.0
        if fits or nearness > self.nearness:
            self.agreed, self.nearness = fits, nearness
            self.best, self.simulation = self.proposals[proposal], said.tokens

    def inversion(self) -> Inversion:
        return Inversion(self.best, self.agreed, self.tried, self.greedy, self.simulation)


def _nearness(value: Any, wanted: Any) -> float:
    """How much of a value's tokens, in order, is the wanted value's; 0 for one of another type."""
    if type(value) is not type(wanted):
        return 0.0
    try:
        return SequenceMatcher(None, write(value), write(wanted), autojunk=False).ratio()
    except Unsupported:
        return 0.0


def invert(decoder: Decoding, flat: Flat, result: Any, *, tries: int = 15, kind: str = ANSWER) -> Inversion:
    """Arguments for which the model itself says that the function gives `result`; see `invert_all`."""
    return invert_all(decoder, [(flat, result)], tries=tries, kind=kind)[0]


def invert_all(
    decoder: Decoding,
    questions: Sequence[tuple[Flat, Any]],
    *,
    tries: int = 15,
    kind: str = ANSWER,
    temperature: float = 0.8,
    seed: int = 0,
) -> list[Inversion]:
    """One inversion a question, in order, after at most `tries` (at least 1) proposals each.

    `kind`: how forward answers are written. A result that the language cannot write has no arguments.
    """
    searches = [_search(flat, result, decoder.context) for flat, result in questions]
    open_ones = [each for each in searches if each is not None]
    for each, said in zip(open_ones, _proposals(decoder, open_ones), strict=True):
        each.greedy = each.propose(said)
    _simulate(decoder, open_ones, kind, 1)
    left = [each for each in open_ones if not each.agreed]
    for each in left:  # each alone: what is drawn in a batch hangs on the place in it
        for said in _proposals(decoder, [each] * (tries - 1), temperature, seed):
            each.propose(said)
    together = max(1, _TOGETHER // max(1, len(left)))
    while any(each.waiting for each in left):
        _simulate(decoder, left, kind, together)
        left = [each for each in left if not each.agreed]
    return [Inversion(None) if each is None else each.inversion() for each in searches]


def _search(flat: Flat, result: Any, context: int) -> _Search | None:
    try:
        prompt = ask_inverse(flat, result)
    except Unsupported:
        return None
    return _Search(flat, result, prompt) if len(prompt) < context else None


def _proposals(
    decoder: Decoding, searches: Sequence[_Search], temperature: float = 0.0, seed: int = 0
) -> Iterator[Reply]:
    prompts = [each.prompt for each in searches]
    yield from ask(decoder, prompts, most=LONGEST_PROPOSAL, temperature=temperature, seed=seed)


def _simulate(decoder: Decoding, searches: Sequence[_Search], kind: str, together: int) -> None:
    """Simulates the next proposals of each question, so many of each."""
    chosen: list[tuple[_Search, tuple[str, ...]]] = []
    prompts: list[list[str]] = []
    for each in searches:
        batch, each.waiting = each.waiting[:together], each.waiting[together:]
        for proposal in batch:
            try:
                prompt = ask_forward(each.flat, each.proposals[proposal], kind)
            except Unsupported:
                continue
            if len(prompt) < decoder.context:
                chosen.append((each, proposal))
                prompts.append(prompt)
    for (each, proposal), said in zip(chosen, ask(decoder, prompts), strict=True):
        each.judge(proposal, said)

"""Monologues by a teacher, with rejection sampling: what a model tells of an execution, kept only where it is so.

Guarantees: a monologue is kept only if its answer is right (forward: the value that execution gave, strictly; backward:
a call that was executed and gives the output, its arguments made plain data first), no claim in it is false against a
second execution under another hash seed, and at least one claim is true. What a check of the answer alone would have
let through is counted. It does not promise that all of a text could be checked: `Sample.claims` says how much was.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from semcoder.core import Claim, Direction, Program, Sample, Value
from semcoder.core.files import full_document
from semcoder.models import Model, Sampling
from semcoder.monologue import verify
from semcoder.pyx.cases import BUG, asserts_hold, traces
from semcoder.pyx.config import BuildConfig
from semcoder.pyx.rows import monologue_row
from semcoder.pyx.synth import prompts
from semcoder.pyx.synth.bench import Bench, fault
from semcoder.pyx.synth.converse import Script, Spent, Thread, Unanswered, converse, shielded
from semcoder.pyx.synth.replies import Malformed, Told, asked_value, proposed_input, read_told
from semcoder.sandbox import Sandbox
from semcoder.tracing import Trace

DIRECTIONS: tuple[Direction, ...] = ("forward", "backward")
#: What a monologue that was kept has in place of the way in which an input was found.
FOUND_BY = "teacher"


@dataclass
class Figures:
    """What happened to the monologues of one direction.

    `written` texts; those with a right answer, of these those with a false claim; kept; rejected, by reason. Claims are
    those of all texts with a right answer: how many were checked, were false, could not be checked.
    """

    written: int = 0
    answer_right: int = 0
    answer_right_but_claim_false: int = 0
    accepted: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    claims_checked: int = 0
    claims_false: int = 0
    claims_unsupported: int = 0

    def add(self, document: dict[str, Any]) -> None:
        """Count what `document` of another one says as well."""
        for name, value in document.items():
            if name == "rejected":
                self.rejected.update(value)
            else:
                setattr(self, name, getattr(self, name) + value)

    def document(self) -> dict[str, Any]:
        counts = {name: value for name, value in vars(self).items() if name != "rejected"}
        return {**counts, "rejected": dict(sorted(self.rejected.items(), key=lambda pair: (-pair[1], pair[0])))}


@dataclass(frozen=True, slots=True)
class Telling:
    """How monologues are drawn: `samples` tries for each of the directions, at a temperature."""

    samples: int = 4
    temperature: float = 0.8
    top_p: float = 0.95
    max_tokens: int = 2048
    seed: int = 0
    directions: tuple[Direction, ...] = DIRECTIONS


def annotate(
    programs: Iterable[tuple[Program, Sequence[tuple[str, str]]]],
    model: Model,
    box: Sandbox,
    config: BuildConfig,
    telling: Telling,
) -> Iterator[tuple[int, dict[str, Any] | Unanswered]]:
    """`(place of the program, what its script returned)` as they come; see `Annotation.script` and `shielded`.

    `programs`: each with its cases, `(call, output as literal text)`. A program that the model did not answer for gives
    `Unanswered`. Raises as `Model.generate` and `Sandbox.execute`.
    """
    bench = Bench(box, config)
    scripts = (Annotation(program, cases, telling, bench).script() for program, cases in programs)
    return converse(map(shielded, scripts), model)


@dataclass(eq=False)
class _Try:
    """One monologue to be told: of which case, and how often it was tried."""

    direction: Direction
    call: str
    output: str
    value: Value
    done: bool = False


@dataclass(frozen=True, slots=True)
class _Draft:
    """A text with the call that it is about, to be checked against that call's execution."""

    aim: _Try
    told: Told
    call: str


class _Rejected(Exception):
    """A text is not kept; the message is the reason."""


class Annotation:
    """The monologues of one program, both directions for each case."""

    def __init__(self, program: Program, cases: Sequence[tuple[str, str]], telling: Telling, bench: Bench) -> None:
        self._program = program
        self._cases = cases
        self._telling = telling
        self._bench = bench
        self._figures = {direction: Figures() for direction in DIRECTIONS}
        self._spent = Spent()

    def script(self) -> Script[dict[str, Any]]:
        """The script whose result is a document: `rows` (Samples, kept ones), `figures` by direction, `spent`."""
        values = self._bench.plain([output for _, output in self._cases])
        aims = [
            _Try(direction, call, output, value)
            for (call, output), value in zip(self._cases, values, strict=True)
            if value is not None
            for direction in self._telling.directions
        ]
        kept: dict[_Try, Sample] = {}
        for number in range(self._telling.samples):
            left = [aim for aim in aims if aim not in kept]
            if not left:
                break
            threads = [self._thread(aim, number) for aim in left]
            replies = yield [thread.request() for thread in threads]
            texts = [thread.take(reply) for thread, reply in zip(threads, replies, strict=True)]
            kept |= self._judged(list(zip(left, texts, strict=True)))
        rows = [full_document(kept[aim]) for aim in aims if aim in kept]
        figures = {direction: found.document() for direction, found in self._figures.items()}
        return {"rows": rows, "figures": figures, "spent": full_document(self._spent)}

    def _thread(self, aim: _Try, number: int) -> Thread:
        telling = self._telling
        messages = prompts.ask_for_monologue(aim.direction, self._program.source, aim.call, aim.output)
        sampling = Sampling(telling.max_tokens, telling.temperature, telling.top_p, seed=telling.seed + number)
        return Thread(messages, sampling, self._spent)

    def _judged(self, texts: Sequence[tuple[_Try, tuple[str, bool]]]) -> dict[_Try, Sample]:
        """The samples of those texts that are kept."""
        drafts = [*self._forward(texts), *self._backward(texts)]
        first = self._traces([draft.call for draft in drafts], hash_seed=0)
        second = self._traces([draft.call for draft in drafts], hash_seed=1)
        hold = self._hold([draft for draft in drafts if draft.aim.direction == "backward"])
        kept: dict[_Try, Sample] = {}
        for draft in drafts:
            figures = self._figures[draft.aim.direction]
            try:
                claims = self._checked(draft, first.get(draft.call), second.get(draft.call), figures)
                if not hold.get(draft.call, True):
                    raise _Rejected("the completed assert fails")
            except _Rejected as rejected:
                figures.rejected[str(rejected)] += 1
                continue
            figures.accepted += 1
            kept[draft.aim] = self._sample(draft, claims)
        return kept

    # -- answers

    def _read(
        self, texts: Sequence[tuple[_Try, tuple[str, bool]]], direction: Direction
    ) -> Iterator[tuple[_Try, Told]]:
        """Monologues of one direction with their answers; what cannot be read is counted."""
        figures = self._figures[direction]
        for aim, (text, cut) in texts:
            if aim.direction != direction:
                continue
            figures.written += 1
            try:
                yield aim, read_told(text, cut=cut)
            except Malformed as malformed:
                figures.rejected[malformed.reason] += 1

    def _forward(self, texts: Sequence[tuple[_Try, tuple[str, bool]]]) -> list[_Draft]:
        """Those with the value that execution gave."""
        figures = self._figures["forward"]
        read: list[tuple[_Try, Told]] = []
        answers: list[str] = []
        for aim, told in self._read(texts, "forward"):
            try:
                answers.append(asked_value(told.answer, aim.call))
                read.append((aim, told))
            except Malformed as malformed:
                figures.rejected[malformed.reason] += 1
        right = []
        for (aim, told), value in zip(read, self._bench.plain(answers), strict=True):
            if value is not None and value == aim.value:
                right.append(_Draft(aim, told, aim.call))
            else:
                figures.rejected["wrong answer"] += 1
        figures.answer_right += len(right)
        return right

    def _backward(self, texts: Sequence[tuple[_Try, tuple[str, bool]]]) -> list[_Draft]:
        """Those whose input, as plain data, gives the output when it is executed."""
        figures = self._figures["backward"]
        read: list[tuple[_Try, Told]] = []
        calls: list[ast.Call] = []
        for aim, told in self._read(texts, "backward"):
            try:
                calls.append(proposed_input(told.answer, self._program.entry))
                read.append((aim, told))
            except Malformed as malformed:
                figures.rejected[malformed.reason] += 1
        drafts = []
        for (aim, told), call in zip(read, self._bench.plain_calls(calls), strict=True):
            if call is None:
                figures.rejected["input is no plain data"] += 1
            else:
                drafts.append(_Draft(aim, told, call))
        # A process for each: what one input does to the program's module must not show in another's outcome.
        outcomes = self._bench.outcomes([(self._program, [draft.call]) for draft in drafts]) if drafts else []
        right = []
        for draft, (outcome,) in zip(drafts, outcomes, strict=True):
            if not fault(outcome) and outcome.value == draft.aim.value:
                right.append(draft)
            else:
                figures.rejected["wrong answer"] += 1
        figures.answer_right += len(right)
        return right

    def _hold(self, drafts: Sequence[_Draft]) -> dict[str, bool]:
        """Whether `call == output`, executed beside the program, is true."""
        pairs = [(draft.call, draft.aim.output) for draft in drafts]
        found = asserts_hold(self._program, pairs, self._bench.box, self._bench.config) if pairs else []
        return {call: right for (call, _), right in zip(pairs, found, strict=True)}

    # -- texts

    def _traces(self, calls: Sequence[str], hash_seed: int) -> dict[str, Trace]:
        wanted = list(dict.fromkeys(calls))
        return traces(self._program, wanted, self._bench.box, self._bench.config, hash_seed) if wanted else {}

    def _checked(self, draft: _Draft, first: Trace | None, second: Trace | None, figures: Figures) -> list[Claim]:
        """The claims of a text with a right answer. Raises `_Rejected`."""
        text, value = draft.told.text, draft.aim.value
        if first is None or second is None:
            raise _Rejected("the execution is too long to be traced")
        if first.outcome.value != value or not second.outcome.same(first.outcome):
            raise _Rejected("second execution differs")
        if len(text) > self._bench.config.max_text:
            raise _Rejected("monologue too long")
        try:
            claims = verify(text, second)
        except Exception:  # one text that trips a bug of ours must not cost the others their place
            raise _Rejected(BUG) from None
        verdicts = Counter(claim.verdict for claim in claims)
        figures.claims_checked += verdicts[True] + verdicts[False]
        figures.claims_false += verdicts[False]
        figures.claims_unsupported += verdicts[None]
        if verdicts[False]:
            figures.answer_right_but_claim_false += 1
            raise _Rejected("a claim is false")
        if not verdicts[True]:
            raise _Rejected("no claim could be checked")
        return claims

    def _sample(self, draft: _Draft, claims: Sequence[Claim]) -> Sample:
        aim = draft.aim
        sure = sum(claim.verdict is True for claim in claims)
        asked = (aim.call, aim.output)
        return monologue_row(self._program, aim.direction, draft.told.text, asked, draft.call, sure, FOUND_BY)

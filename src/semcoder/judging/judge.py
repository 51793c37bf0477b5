"""The judge: from texts and the questions that they answer to verdicts, by execution.

The answer is read (`answers`), what it takes is executed (`runs`), and the two are compared; the claims of the
monologue are checked on the execution that it is about: that of the asked call, or of the call that it proposes.
"""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from semcoder.core import LIMIT_STATUSES, Claim, Outcome, Value
from semcoder.core.unfolding import MAX_DEPTH
from semcoder.judging.answers import (
    Proposal,
    Unreadable,
    capturing,
    literal_value,
    proposed_call,
    spelled,
    stated_value,
)
from semcoder.judging.questions import Question, Verdict
from semcoder.judging.runs import Run, Runs
from semcoder.monologue import Style, check
from semcoder.monologue import style as find_style
from semcoder.monologue.checking import settled
from semcoder.prompts import Profile
from semcoder.sandbox import Limits, Sandbox
from semcoder.tracing import Trace

log = logging.getLogger(__name__)

LIMITS = Limits(cpu_s=2.0, wall_s=12.0)
#: Events of an execution that claims are checked on.
MAX_EVENTS = 20_000
#: Characters of a monologue whose claims are read, and how deep brackets may be nested in one line of it: reading takes
#: time that grows with the square of either, and no value is nested deeper.
MAX_TEXT = 20_000
MAX_NESTED = MAX_DEPTH
#: Characters of a value in a reason.
_TOLD = 200


@dataclass(slots=True)
class _Draft:
    """A text on its way to a verdict: what it says, and the run that decides.

    `fault`: what is wrong with the answer already; `excuse`: why it cannot be judged.
    """

    question: Question
    style: Style
    monologue: str
    answer: str | None
    said: Value | None = None
    proposed: Proposal | None = None
    run: Run | None = None
    fault: str = ""
    excuse: str = ""


class Judge:
    """Judges texts in the words of a profile. Not for several threads at a time.

    `limits`: of every execution. `max_events`: an execution that is longer has no claims checked on it.
    """

    def __init__(
        self, box: Sandbox, profile: Profile, *, limits: Limits = LIMITS, max_events: int = MAX_EVENTS
    ) -> None:
        self.profile = profile
        self._runs = Runs(box, limits, max_events)

    def judge(self, question: Question, text: str, style: str = "") -> Verdict:
        """The verdict on one text: all that a model wrote, or what followed on the prompt.

        `style`: that of the monologue, by default the one named as the question's direction. A text that was stopped at
        `Profile.stops` goes through `Profile.closed` before. Raises as `judge_many`.
        """
        return self.judge_many([(question, text)], style)[0]

    def judge_many(self, answers: Iterable[tuple[Question, str]], style: str = "") -> list[Verdict]:
        """The verdicts on texts, in order; what they need is run on all of the sandbox's workers, and once.

        Raises `UsageError` for a style that there is not, and where the sandbox cannot start `SandboxError`.
        """
        drafts = [self._draft(question, text, find_style(style or question.direction)) for question, text in answers]
        self._propose(drafts)
        outcomes = self._runs.outcomes(draft.run for draft in drafts if draft.run)
        ended = {run for run, outcome in outcomes.items() if outcome.status in ("returned", "raised", "exited")}
        traces = self._runs.traces(draft.run for draft in drafts if draft.monologue and draft.run in ended)
        verdicts = [dataclasses.replace(_verdict(draft, outcomes), claims=_claims(draft, traces)) for draft in drafts]
        return self._settled(list(zip(drafts, verdicts, strict=True)), outcomes)

    # -- what texts say

    def _draft(self, question: Question, text: str, style: Style) -> _Draft:
        parsed = self.profile.parse(text)
        answer = None if parsed.answer is None else parsed.answer.strip()
        draft = _Draft(question, style, parsed.monologue if _is_readable(parsed.monologue) else "", answer)
        forward = question.direction == "forward"
        if forward:
            draft.run = Run(question.shown, question.call.strip(), question.setup)
        if answer is None:
            draft.fault = "the text gives no complete answer"
            return draft
        try:
            if forward:
                draft.said = stated_value(answer, question.call)
            else:
                draft.proposed = proposed_call(answer, question.entry)
        except Unreadable as error:
            draft.fault = str(error)
        return draft

    def _propose(self, drafts: Sequence[_Draft]) -> None:
        """The runs of proposed calls, whose arguments become plain data first, where no program is."""
        captures: dict[int, Run] = {}
        for draft in drafts:
            if draft.proposed is not None and not draft.proposed.is_plain:
                try:
                    captures[id(draft)] = Run("", capturing(draft.proposed))
                except Unreadable as error:
                    draft.proposed, draft.fault = None, str(error)
        found = self._runs.outcomes(captures.values())
        for draft in drafts:
            if draft.proposed is None:
                continue
            arguments = found.get(captures[id(draft)]) if id(draft) in captures else None
            if arguments is not None and arguments.status == "sandbox_failed":
                draft.excuse = f"the proposed input could not be run: {arguments.detail}"
                continue
            try:
                call = draft.proposed.text if arguments is None else _plain(draft.proposed, arguments)
                draft.run = Run(draft.question.shown, call, draft.question.setup)
            except Unreadable as error:
                draft.fault = str(error)

    # -- second opinions

    def _settled(self, judged: Sequence[tuple[_Draft, Verdict]], outcomes: dict[Run, Outcome]) -> list[Verdict]:
        """The verdicts, with nothing held against a text that comes out otherwise under another hash seed."""
        wrong = {
            _again(draft.run): draft.run
            for draft, verdict in judged
            if draft.run and verdict.right is False and outcomes[draft.run].status not in LIMIT_STATUSES
        }
        second = self._runs.outcomes(wrong)
        unsteady = {run for again, run in wrong.items() if _differ(outcomes[run], second[again])}
        traces = self._runs.traces(_again(d.run) for d, verdict in judged if d.run and verdict.first_false is not None)
        return [self._mended(draft, verdict, draft.run in unsteady, traces) for draft, verdict in judged]

    @staticmethod
    def _mended(draft: _Draft, verdict: Verdict, unsteady: bool, traces: dict[Run, Trace | None]) -> Verdict:
        if draft.run is None:
            return verdict
        if unsteady and verdict.right is False and not draft.fault:
            verdict = dataclasses.replace(
                verdict, right=None, reason=f"{draft.run.call} does not do the same in every run"
            )
        if verdict.first_false is not None:
            other = _claims(dataclasses.replace(draft, run=_again(draft.run)), traces)
            if other:
                verdict = dataclasses.replace(verdict, claims=tuple(settled(verdict.claims, [other])))
        return verdict


def _plain(proposal: Proposal, arguments: Outcome) -> str:
    """A proposed call over plain data. `arguments`: the outcome of `capturing`. Raises `Unreadable`."""
    if arguments.value is None:
        raise Unreadable(f"the proposed input is no plain data: {_what_happened(arguments)}")
    return spelled(proposal, arguments.value)


def _again(run: Run) -> Run:
    return dataclasses.replace(run, hash_seed=1)


def _differ(first: Outcome, second: Outcome) -> bool:
    """Whether a call came to something else in a second run, whatever it printed."""
    if second.status == "sandbox_failed":
        return False
    return (first.status, first.value) != (second.status, second.value)


# Verdicts ----------------------------------------------------------------------------------------------------------


def _verdict(draft: _Draft, outcomes: dict[Run, Outcome]) -> Verdict:
    """The verdict on the answer alone."""
    answer = draft.answer
    if draft.run is None:
        return Verdict(answer, None if draft.excuse else False, draft.excuse or draft.fault)
    call, outcome = draft.run.call, outcomes[draft.run]
    value, status = outcome.value, outcome.status
    forward = draft.question.direction == "forward"
    if value is None:
        right = None if forward or status == "sandbox_failed" else False
        return Verdict(answer, right, f"{call} gives no value: {_what_happened(outcome)}", status=status)
    if forward and not _bare(value).is_literal():
        return Verdict(
            answer, None, f"{call} gives a value of type {value.type_name}, which no literal can write", status=status
        )
    asked = draft.said if forward else literal_value(draft.question.output)
    if asked is not None and _equal(value, asked):
        return Verdict(answer, True, status=status, truth=value.display())
    reasons = [draft.fault] if draft.fault else []
    wanted = "" if forward or asked is None else f", not {asked.display(_TOLD)}"
    reason = "; ".join([*reasons, f"{call} gives {value.display(_TOLD)}{wanted}"])
    return Verdict(answer, False, reason, status=status, truth=value.display())


def _equal(value: Value, said: Value) -> bool:
    """Whether a program's value is the one that was said: strictly, or by Python's own `==` on plain data."""
    return value == said or _bare(value).python_equal(said) is True


def _bare(value: Value) -> Value:
    """The value with containers of types derived from Python's own as those: a Counter is a dict."""
    if not any("/" in str(node[0]) for node in value.nodes):
        return value
    return Value(value.ref, [(str(node[0]).partition("/")[0], *node[1:]) for node in value.nodes])


def _what_happened(outcome: Outcome) -> str:
    if outcome.exception is not None:
        return f"it raised {str(outcome.exception)[:_TOLD]}"
    kind = "a limit was hit, " if outcome.status in LIMIT_STATUSES else ""
    return f"{kind}{outcome.status}: {outcome.detail[:_TOLD]}".removesuffix(": ")


def _is_readable(monologue: str) -> bool:
    """Whether a text says something, and can be read in reasonable time."""
    if not monologue.strip() or len(monologue) > MAX_TEXT:
        return False
    for row in monologue.split("\n"):
        depth = 0
        for character in row:
            depth += (character in "[({") - (character in "])}" and depth > 0)
            if depth > MAX_NESTED:
                return False
    return True


def _claims(draft: _Draft, traces: dict[Run, Trace | None]) -> tuple[Claim, ...]:
    trace = traces.get(draft.run) if draft.run is not None and draft.monologue else None
    if trace is None:
        return ()
    try:
        return tuple(check(draft.style, draft.monologue, trace))
    except Exception as error:  # one text that trips a bug of ours must not cost the others their verdicts
        log.warning("claims about %s were not checked: %s: %s", trace.invocation.text[:80], type(error).__name__, error)
        return ()

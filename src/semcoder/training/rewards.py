"""Rewards by execution: is the answer right, and how much of the execution does the text tell before it errs?

Guarantees: a reward is read off executions in the sandbox alone, never off a row's stored text; what is not the row's
question earns nothing, however true it is. `steps` grows only with claims that a full telling of the same execution
makes, each as often as that telling makes it, up to the first false one, so that neither repetition nor padding pays.
Where execution could not say, both rewards are None, which is not 0. See docs/design/rewards.md.
It does not look for a false monologue behind a right answer beyond that: a right answer has its reward whatever the
text says.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from semcoder.core import Claim
from semcoder.judging import Judge, Question, Verdict
from semcoder.judging.answers import Unreadable, proposed_call
from semcoder.judging.judge import LIMITS
from semcoder.judging.runs import Run, Runs
from semcoder.monologue import check, style, tell
from semcoder.prompts import Profile
from semcoder.sandbox import Limits, Sandbox
from semcoder.tracing import Trace
from semcoder.training.rows import Example

#: A longer text earns nothing and is not read: no model's bound on new tokens gives one, and reading takes time.
MAX_TEXT = 100_000
#: Longer executions have no telling that a model could learn to write.
MAX_EVENTS = 5_000
#: Executions and verdicts that are kept, so that the texts of a group, and a row that comes again, share them.
_KEPT = 4_096
#: Characters that a monologue may have beyond twice those of the full telling.
_SLACK = 200

#: What makes two claims the same: kind, text, line.
Key = tuple[str, str, int]
K = TypeVar("K")
V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class Asked:
    """A question, and the style in which it is to be told."""

    question: Question
    style: str


@dataclass(frozen=True, slots=True)
class Reward:
    """`answer`: 1 for a right answer, else 0. `steps`: the part of the execution's claims, from 0 to 1, that the text
    makes before its first false one. None where execution could not say."""

    answer: float | None
    steps: float | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Telling:
    """A full telling of an execution: its claims, how often each is made, and its length in characters."""

    claims: Counter[Key]
    length: int


class _Recent(OrderedDict[K, V], Generic[K, V]):
    """The last so many things that were put in."""

    def keep(self, key: K, value: V) -> V:
        self[key] = value
        if len(self) > _KEPT:
            self.popitem(last=False)
        return value


def asked(example: Example, style_name: str = "") -> Asked | None:
    """What an example asks; None where that is no question about an execution of a known program."""
    sample = example.sample
    if sample is None or sample.program is None or example.task not in ("forward", "backward"):
        return None
    source, entry = sample.program.source, sample.program.entry
    if example.task == "forward":
        return Asked(Question(source, entry, "forward", call=sample.call), style_name or "forward")
    return Asked(Question(source, entry, "backward", output=sample.output), style_name or "backward")


class Rewards:
    """Rewards of texts that answer `questions`, which are named by their places."""

    def __init__(self, box: Sandbox, profile: Profile, questions: Sequence[Asked], limits: Limits = LIMITS) -> None:
        self.questions = questions
        self._profile = profile
        self._judge = Judge(box, profile, limits=limits, max_events=MAX_EVENTS)
        self._runs = Runs(box, limits, MAX_EVENTS)
        self._tellings: _Recent[tuple[Asked, str], Telling] = _Recent()
        self._rewards: _Recent[tuple[int, str], Reward] = _Recent()

    def of(self, places: Sequence[int], texts: Sequence[str]) -> list[Reward]:
        """A reward for each text, which answers the question at its place. Equal texts are judged once."""
        keys = [(place, self._read_part(text)) for place, text in zip(places, texts, strict=True)]
        new = [key for key in dict.fromkeys(keys) if key not in self._rewards]
        found = dict(zip(new, self._judged(new), strict=True))
        found |= {key: self._rewards[key] for key in keys if key not in found}
        for key, reward in found.items():
            if reward.answer is not None:  # what could not be judged now may be another time
                self._rewards.keep(key, reward)
        return [found[key] for key in keys]

    def functions(self) -> list[Callable[..., list[float | None]]]:
        """The two rewards as trl's reward functions, `answer` and `steps`; data sets name questions in `question`."""

        def answer(completions: Sequence[Any], question: Sequence[int], **known: Any) -> list[float | None]:
            found = [reward.answer for reward in self.of(question, [text_of(one) for one in completions])]
            if found and "log_metric" in known:
                known["log_metric"]("unjudged", found.count(None) / len(found))
            return found

        def steps(completions: Sequence[Any], question: Sequence[int], **_: Any) -> list[float | None]:
            return [reward.steps for reward in self.of(question, [text_of(one) for one in completions])]

        return [answer, steps]

    # -- one by one

    def _read_part(self, text: str) -> str:
        """A text up to its first complete answer, where whoever asks the model stops it: nothing after it counts."""
        ends = [text.find(mark) + len(mark) for mark in self._profile.stops if mark in text]
        text = text[: min(ends)] if ends else text
        return text if len(text) <= MAX_TEXT else ""

    def _judged(self, keys: Sequence[tuple[int, str]]) -> list[Reward]:
        verdicts = self._verdicts(keys)
        told = {key: (self.questions[key[0]], self._told_call(key[0], verdicts[key])) for key in keys}
        full = self._full_tellings(told.values())
        return [self._reward(key[0], verdicts[key], full.get(told[key])) for key in keys]

    def _verdicts(self, keys: Sequence[tuple[int, str]]) -> dict[tuple[int, str], Verdict]:
        questions = {key: self.questions[key[0]] for key in keys}
        full = self._full_tellings((one, one.question.call) for one in questions.values())
        found: dict[tuple[int, str], Verdict] = {}
        for name in dict.fromkeys(one.style for one in questions.values()):
            group = [key for key in keys if questions[key].style == name]
            texts = (
                (one.question, self._cut(key[1], full.get((one, one.question.call))))
                for key in group
                for one in [questions[key]]
            )
            found |= dict(zip(group, self._judge.judge_many(texts, name), strict=True))
        return found

    def _cut(self, text: str, full: Telling | None) -> str:
        """A text with a monologue not much longer than the full telling of the asked call, where that is known.

        What comes later could earn next to nothing, and models that have gone astray write until they are stopped.
        """
        parsed = self._profile.parse(text)
        if full is None or len(parsed.monologue) <= 2 * full.length + _SLACK:
            return text
        return self._profile.response(parsed.monologue[: 2 * full.length + _SLACK], parsed.answer or "")

    def _told_call(self, place: int, verdict: Verdict) -> str:
        """The call whose execution the text was to tell; empty where it has none.

        Of a backward question it is the one that the text proposes, if it is right: any call can be told truly.
        """
        question = self.questions[place].question
        if question.direction == "forward":
            return question.call
        return plain_call(verdict.answer or "", question.entry) if verdict.right else ""

    def _reward(self, place: int, verdict: Verdict, full: Telling | None) -> Reward:
        """`full`: the full telling of what was to be told; None where there is none."""
        if verdict.right is None:
            return Reward(None, None, verdict.reason)
        if full is not None:
            return Reward(float(verdict.right), told_part(verdict.claims, full.claims), verdict.reason)
        # A call that is asked about and too long to be told: no text could have earned anything.
        asked_for = self.questions[place].question.direction == "forward"
        return Reward(float(verdict.right), None if asked_for else 0.0, verdict.reason)

    # -- executions

    def _full_tellings(self, wanted: Iterable[tuple[Asked, str]]) -> dict[tuple[Asked, str], Telling]:
        """Full tellings of calls, each executed and told once; without those that could not be, or are empty."""
        keys = [key for key in dict.fromkeys(wanted) if key[1]]
        found = {key: self._tellings[key] for key in keys if key in self._tellings}
        runs = {(one, call): _run(one, call) for one, call in keys if (one, call) not in found}
        traces = self._runs.traces(runs.values())
        for key, run in runs.items():
            trace = traces[run]
            if trace is not None:
                found[key] = self._tellings.keep(key, full_telling(trace, key[0].style))
        return found


def _run(one: Asked, call: str) -> Run:
    return Run(one.question.shown, call, one.question.setup)


def full_telling(trace: Trace, style_name: str) -> Telling:
    """What a style tells of an execution."""
    chosen = style(style_name)
    text = tell(chosen, trace).text
    claims = Counter(_key(claim) for claim in check(chosen, text, trace) if claim.verdict)
    return Telling(claims, len(text))


def told_part(claims: Iterable[Claim], full: Counter[Key]) -> float:
    """The part of a full telling's claims that a text makes before its first false one.

    A claim counts as often as the full telling makes it; one that it does not make counts nothing, and so does one
    that could not be checked, which ends nothing either.
    """
    left = Counter(full)
    told = 0
    for claim in claims:
        if claim.verdict is False:
            break
        if claim.verdict and left[_key(claim)] > 0:
            left[_key(claim)] -= 1
            told += 1
    return told / max(1, full.total())


def _key(claim: Claim) -> Key:
    return claim.kind, claim.text, claim.line


def text_of(completion: Any) -> str:
    """The text of what trl calls a completion: a text, or the turns of a conversation."""
    if isinstance(completion, str):
        return completion
    return "".join(str(turn.get("content") or "") for turn in completion)


def plain_call(answer: str, entry: str) -> str:
    """The call that an answer proposes, where its arguments are literals; else empty."""
    try:
        proposal = proposed_call(answer.strip(), entry)
    except Unreadable:
        return ""
    return proposal.text if proposal.is_plain else ""

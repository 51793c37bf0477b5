"""Checking a monologue's text against an execution.

The text is read into sentences, the sentences are laid along the trace's steps in order, and every fact that a
sentence states is judged at its step. Nothing but the text and the trace is used: no stored claims.

Texts not in our own sentences are read by `semcoder.monologue.english`, which says what it guarantees.

Guarantees for our own: a claim is True only if the execution did just that at that point; a line out of order, a
left-out statement, a wrong iteration number, branch, variable or value is False, with what was true in `actual`.
A clause that cannot be read has the verdict None. Prose without code, number or line is not judged.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from semcoder.core import Claim, Value
from semcoder.monologue._judge import Judge, matches, names_exception
from semcoder.monologue.english import check
from semcoder.monologue.forward import closing_facts
from semcoder.monologue.sentences import WHOLE, Fact, Sentence, read_sentences
from semcoder.monologue.story import Moment, Story, normal
from semcoder.tracing import Step, Trace

#: How far a sentence may be from where the text has got to before it counts as out of order rather than as a gap.
_WINDOW = 400


def proposed_call(text: str) -> str | None:
    """The call that a text is about: the one it tells (forward), or the one it settles on (backward)."""
    found = [f.slots[0] for s in read_sentences(text) for f in s.facts if f.kind in ("call", "goal_choice")]
    return found[-1] if found else None


def verify(text: str, trace: Trace) -> list[Claim]:
    """Every claim of a monologue with its verdict, in the order of the text.

    A backward monologue is checked against the execution of the input that it proposes. A text in anyone's own words
    is read as English (`semcoder.monologue.english`); only texts of our own styles must tell every step.
    """
    sentences = read_sentences(text)
    if not _own_style(text, sentences):
        return check(text, Story(trace))
    if any(fact.kind.startswith("goal_") for sentence in sentences for fact in sentence.facts):
        return list(_backward(sentences, Story(trace)))
    return _forward(text, sentences, Story(trace))


def settled(claims: Sequence[Claim], others: Sequence[Sequence[Claim]]) -> list[Claim]:
    """Claims of one text, where other executions say the same; None where a claim comes out another way there.

    `others`: what `verify` gave for the same text and other executions of the same call.
    """
    seen: dict[tuple[int, int, str, str], set[tuple[bool | None, str]]] = {}
    for claim in (c for run in others for c in run):
        seen.setdefault((claim.start, claim.end, claim.kind, claim.text), set()).add((claim.verdict, claim.actual))
    return [
        claim
        if seen.get((claim.start, claim.end, claim.kind, claim.text), set()) <= {(claim.verdict, claim.actual)}
        else replace(claim, verdict=None, actual="the program does not do the same in every run")
        for claim in claims
    ]


#: Facts with which a text of one of our own styles opens.
_OPENINGS = frozenset({"call", "called", "called_bare", "program"})


def _own_style(text: str, sentences: Sequence[Sentence]) -> bool:
    """Whether a text is written in our own sentences: it opens or goes back like one, and most of it can be read."""
    facts = [fact for sentence in sentences for fact in sentence.facts]
    opens = any(fact.kind in _OPENINGS or fact.kind.startswith("goal_") for fact in facts)
    rows = sum(bool(row.strip()) for row in text.split("\n"))
    read = sum(all(fact.kind != "unread" for fact in sentence.facts) for sentence in sentences)
    return opens and 2 * read >= rows


def _forward(text: str, sentences: Sequence[Sentence], story: Story) -> list[Claim]:
    trace = story.trace
    steps = [s for s in sentences if s.tells_a_step]
    claims: list[Claim] = []
    alignment = iter(_Alignment(story, steps).pairs())
    at = 0
    for sentence in sentences:
        if not sentence.tells_a_step:
            claims.extend(_whole_run(sentence, story))
            continue
        moment, problem = next(alignment)
        claims.append(_order_claim(sentence, problem))
        claims.extend(_judged(sentence, Judge(story, moment)) if moment else _unplaced(sentence))
        at = max(at, moment.step.index + 1) if moment else at
    if not any(claim.verdict and claim.kind.startswith(("outcome_", "program_")) for claim in claims):
        told = closing_facts(trace)[-1].text
        claims.append(Claim("the monologue tells the outcome", "complete", False, told, len(text), len(text)))
    left_out = [m.step for m in story.moments[at:] if m.step.kind != "resume"]
    if left_out and not trace.truncated:
        missing = f"line {left_out[0].line} runs next and is not told ({len(left_out)} steps are missing at the end)"
        end = len(text)
        claims.append(Claim("the monologue tells every step", "complete", False, missing, end, end, left_out[0].line))
    return claims


def _claim(sentence: Sentence, text: str, kind: str, verdict: bool | None, actual: str = "") -> Claim:
    end = sentence.start + len(sentence.text)
    return Claim(text, kind, verdict, "" if verdict else actual, sentence.start, end, sentence.line)


def _order_claim(sentence: Sentence, problem: str) -> Claim:
    verb = "goes on" if sentence.goes_on else "runs"
    return _claim(sentence, f"line {sentence.line} {verb} next", "order", not problem, problem)


def _unplaced(sentence: Sentence) -> Iterator[Claim]:
    for fact in sentence.facts:
        yield _claim(sentence, _words(fact), fact.kind, None, "the execution has no such step here")


def _judged(sentence: Sentence, judge: Judge) -> Iterator[Claim]:
    for fact in sentence.facts:
        verdict, actual = judge.verdict(fact)
        yield _claim(sentence, _words(fact), fact.kind, verdict, actual)


def _words(fact: Fact) -> str:
    return fact.slots[0] if fact.kind == "unread" else fact.text


def _whole_run(sentence: Sentence, story: Story) -> Iterator[Claim]:
    """Claims about the call and its outcome."""
    trace = story.trace
    truth = {fact.kind: fact for fact in [*closing_facts(trace), Fact("call", (trace.invocation.text.strip(),))]}
    for fact in sentence.facts:
        actual = truth.get(fact.kind)
        if fact.kind not in WHOLE:
            yield _claim(sentence, _words(fact), fact.kind, None, "it names no line at which it could be checked")
            continue
        if actual is not None and fact.kind == "call":
            right = normal(fact.slots[0]) == normal(actual.slots[0]) is not None
        elif actual is not None:
            right = _same_texts(fact.slots, actual.slots, trace.outcome.value if "returns" in fact.kind else None)
            raised = trace.outcome.exception.value if trace.outcome.exception is not None else None
            right = right or (raised is not None and "raises" in fact.kind and names_exception(fact.slots[0], raised))
        else:
            right = False
        told = "; ".join(f.text for f in closing_facts(trace)) if actual is None else actual.text
        yield _claim(sentence, _words(fact), fact.kind, right, told)


def _backward(sentences: Sequence[Sentence], story: Story) -> Iterator[Claim]:
    """Claims of a text that goes back in time: each sentence speaks of a step no later than the one before it."""
    output = story.trace.outcome.value
    at = len(story.moments)
    for sentence in sentences:
        if sentence.line:
            place = _latest(sentence, story, at)
            problem = "" if place is not None else f"line {sentence.line} does not run before that"
            yield _claim(sentence, f"line {sentence.line} runs before that", "order", not problem, problem)
            if place is None:
                yield from _unplaced(sentence)
                continue
            yield from _judged(sentence, Judge(story, story.moments[place]))
            at = place
            continue
        for fact in sentence.facts:
            if fact.kind not in _FOUND_BY:
                right, actual = _goal(fact, story.trace, output)
                yield _claim(sentence, _words(fact), fact.kind, right, actual)


#: How an input was found is told, but it is not a claim about an execution.
_FOUND_BY = frozenset({"goal_inversion", "goal_constraints", "goal_search", "goal_given"})


def _goal(fact: Fact, trace: Trace, output: Value | None) -> tuple[bool | None, str]:
    if fact.kind in ("goal_returns", "goal_gives", "outcome_returns"):
        told = output.display() if output is not None else trace.outcome.status
        return output is not None and matches(fact.slots[0], output), f"{trace.invocation.text} gives {told}"
    if fact.kind == "goal_choice":
        return normal(fact.slots[0]) == normal(trace.invocation.text) is not None, trace.invocation.text
    return None, "this is not a sentence that can be checked"


def _latest(sentence: Sentence, story: Story, before: int) -> int | None:
    """The latest step of the sentence's line before a place where all its facts hold, else simply the latest."""
    places = [p for p in range(before - 1, -1, -1) if story.moments[p].step.line == sentence.line]
    best, fewest = (places[0] if places else None), len(sentence.facts) + 1
    for place in places[:_WINDOW]:
        judge = Judge(story, story.moments[place])
        doubtful = sum(not judge.right(fact) for fact in sentence.facts)
        if doubtful < fewest:
            best, fewest = place, doubtful
        if not doubtful:
            break
    return best


def _same_texts(claimed: Sequence[str], actual: Sequence[str], value: Value | None) -> bool:
    return tuple(claimed) == tuple(actual) or (value is not None and matches(claimed[0], value))


class _Alignment:
    """Lays sentences along steps: which moment each speaks of, and what is wrong with its place if anything."""

    def __init__(self, story: Story, sentences: Sequence[Sentence]) -> None:
        self._moments = story.moments
        self._sentences = sentences
        self._taken: set[int] = set()

    def pairs(self) -> Iterator[tuple[Moment | None, str]]:
        at = 0
        for k, sentence in enumerate(self._sentences):
            place, problem = self._place(k, sentence, at)
            if place is not None:
                self._taken.add(place)
                at = place + 1 if place >= at else at
                while at in self._taken:
                    at += 1
            yield (None if place is None else self._moments[place]), problem

    def _place(self, k: int, sentence: Sentence, at: int) -> tuple[int | None, str]:
        exact = self._next(at, sentence)
        if exact is not None and self._fits(sentence, exact):
            return exact, ""
        expected = self._mandatory(at)
        actual = self._describe(expected)
        following = self._sentences[k + 1] if k + 1 < len(self._sentences) else None
        if expected is not None and self._follows(following, expected):
            # The sentence stands where the next step belongs, and what comes after it fits: only its line is wrong,
            # or, if the step it names comes later, two sentences have changed places.
            return expected, actual
        found = self._search(at, sentence)
        return found, actual

    def _follows(self, following: Sentence | None, expected: int) -> bool:
        if following is None:
            return self._mandatory(expected + 1) is None
        place = self._next(expected + 1, following)
        return place is not None and self._fits(following, place)

    def _next(self, at: int, sentence: Sentence) -> int | None:
        """The next place a sentence in order may take: rests of statements may be left untold."""
        while at < len(self._moments):
            if at not in self._taken:
                optional = self._moments[at].step.kind == "resume"
                if not optional or (sentence.goes_on and self._fits(sentence, at)):
                    return at
            at += 1
        return None

    def _mandatory(self, at: int) -> int | None:
        return next(
            (
                p
                for p in range(at, len(self._moments))
                if p not in self._taken and self._moments[p].step.kind != "resume"
            ),
            None,
        )

    def _search(self, at: int, sentence: Sentence) -> int | None:
        ahead = range(at, min(at + _WINDOW, len(self._moments)))
        behind = range(at - 1, max(at - _WINDOW, 0) - 1, -1)
        return next((p for p in [*ahead, *behind] if p not in self._taken and self._fits(sentence, p)), None)

    def _fits(self, sentence: Sentence, place: int) -> bool:
        step = self._moments[place].step
        return step.line == sentence.line and sentence.goes_on == (step.kind == "resume") and _same_sort(sentence, step)

    def _describe(self, place: int | None) -> str:
        if place is None:
            return "nothing runs any more"
        step = self._moments[place].step
        return f"line {step.line} runs next ({_SORTS.get(step.kind, step.kind)})"


_SORTS = {
    "call": "the call of a function",
    "exhausted": "the loop has no more items",
    "draw": "the loop fails to take its next item",
    "catch": "an exception is caught",
}
_MARKS = {
    "called": ("call",),
    "called_bare": ("call",),
    "program": ("call",),
    "iteration": ("iteration", "test", "exhausted", "resume"),
    "draws": ("draw",),
    "loop_ends": ("exhausted", "test", "iteration", "resume"),
    "caught": ("catch",),
    "caught_as": ("catch",),
}


def _same_sort(sentence: Sentence, step: Step) -> bool:
    """Whether a sentence can be about this sort of step at all, going by what it says happens."""
    marks = [kinds for fact in sentence.facts for kind, kinds in _MARKS.items() if fact.kind == kind]
    if marks:
        return any(step.kind in kinds for kinds in marks)
    return step.kind in ("statement", "resume", "test")

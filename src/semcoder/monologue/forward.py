"""The forward style: code and input to output, told in the order in which it ran (paper section 3)."""

from __future__ import annotations

import ast

from semcoder.core import Detail, Monologue
from semcoder.monologue.narrate import facts_of
from semcoder.monologue.purpose import purpose_of
from semcoder.monologue.sentences import Fact, read_sentences, write_clause, write_sentence
from semcoder.monologue.story import Story
from semcoder.tracing import Trace

_ANSWERS = frozenset({"outcome_returns", "outcome_raises", "outcome_exits", "program_prints", "program_raises"})


class Forward:
    """What the function is for, the call, every step in order, the outcome."""

    name = "forward"
    direction = "forward"

    def render(self, trace: Trace, *, detail: Detail = "line") -> Monologue:
        """The monologue of a trace. Its answer is the display text of what the call gave."""
        story = Story(trace)
        lines = [*purpose_of(trace.tree, called_function(trace)), *self._opening(trace)]
        for moment in story.moments:
            facts = facts_of(story, moment, detail)
            resumed = moment.step.kind == "resume"
            if facts or not resumed:
                lines.append(write_sentence(moment.step.line, facts, goes_on=resumed))
        lines.extend(write_clause(fact) + "." for fact in closing_facts(trace))
        return Monologue("forward", self.name, "\n".join(lines), answer_of(trace))

    def _opening(self, trace: Trace) -> list[str]:
        if trace.invocation.kind == "stdin":
            return []
        return [write_clause(Fact("call", (trace.invocation.text.strip(),))) + "."]

    def parse(self, text: str) -> str | None:
        """The answer that a text of this style gives; None if it gives none."""
        answer = None
        for sentence in read_sentences(text):
            for fact in sentence.facts:
                if fact.kind in (
                    "outcome_returns",
                    "outcome_raises",
                    "outcome_exits",
                    "program_prints",
                    "program_raises",
                ):
                    answer = fact.slots[0]
        return answer


def called_function(trace: Trace) -> str:
    """The dotted name of what the trace's call calls, empty for a whole program."""
    if trace.invocation.kind == "stdin":
        return ""
    body = ast.parse(trace.invocation.text.strip(), mode="eval").body
    return ast.unparse(body.func) if isinstance(body, ast.Call) else ""


def exception_text(trace: Trace) -> str:
    raised = trace.outcome.exception
    if raised is None:
        return trace.outcome.detail or trace.outcome.status
    return raised.value.display() if raised.value is not None else str(raised)


def answer_of(trace: Trace) -> str:
    """What a forward monologue must end with: the value's text, the exception, or (whole programs) what was printed."""
    if trace.outcome.status == "returned" and trace.outcome.value is not None and trace.invocation.kind != "stdin":
        return trace.outcome.value.display()
    if trace.outcome.status == "returned":
        return repr(trace.outcome.stdout)
    return exception_text(trace)


def closing_facts(trace: Trace) -> list[Fact]:
    """The last sentences: printed output where there is some, then what the call gave."""
    outcome, whole = trace.outcome, trace.invocation.kind == "stdin"
    if whole and outcome.status == "returned":
        return [Fact("program_prints", (repr(outcome.stdout),)) if outcome.stdout else Fact("program_ends")]
    facts = [Fact("outcome_prints", (repr(outcome.stdout),))] if outcome.stdout else []
    if outcome.status == "returned" and outcome.value is not None:
        return [*facts, Fact("outcome_returns", (outcome.value.display(),))]
    if outcome.exception is None:
        return [*facts, Fact("outcome_exits", (outcome.detail or outcome.status,))]
    return [*facts, Fact("program_raises" if whole else "outcome_raises", (exception_text(trace),))]

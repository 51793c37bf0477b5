"""A profile: the texts of prompt and reply, how they are filled, and how a reply is read.

Guarantees: filling is plain replacement in one pass: what is put in is never looked at again. Reading is total: any
text gives a `Parsed`, in time linear in its length.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache

from semcoder.errors import InputError, UsageError

#: What stands in an assert for what is asked.
GAP = "??"


@dataclass(frozen=True, slots=True)
class Tasks:
    """The first lines of an instruction, by task. An empty one leaves the line out."""

    nl: str
    forward: str
    backward: str
    repair: str


@dataclass(frozen=True, slots=True)
class Parsed:
    """What a reply says: its monologue ("" for none), and its answer (None for none that is complete)."""

    monologue: str
    answer: str | None


@dataclass(frozen=True, slots=True)
class Profile:
    """The wording that a model was trained with, or is to be asked with.

    A prompt is `before`, the instruction, `between`, and then comes the reply; for a `chat` profile the instruction is
    the user's turn of a conversation, which the model's own chat template writes, and neither of the two is used. An
    instruction is a task's first line and a filled template: `question` ({source}, {assertion}), `problem`
    ({header}, {description}, {examples}), or `fault` ({problem}, {code}, {test}, {told}). A reply is the template
    `answer` ({monologue}, {answer}), or `direct` ({answer} alone); one that holds a repaired program has `refined`
    ({answer}) in its place.
    """

    name: str
    tasks: Tasks
    problem: str
    question: str
    answer: str
    direct: str
    fault: str
    refined: str
    before: str = ""
    between: str = "\n"
    chat: bool = False

    # -- asking

    def forward(self, source: str, call: str) -> str:
        """The instruction that asks what a call gives."""
        return self._question(self.tasks.forward, source, assertion(call, GAP))

    def backward(self, source: str, entry: str, output: str) -> str:
        """The instruction that asks for a call of `entry` that gives an output (literal text)."""
        return self._question(self.tasks.backward, source, assertion(f"{entry}({GAP})", output))

    def nl(self, header: str, description: str, shown: Sequence[tuple[str, str]]) -> str:
        """The instruction that asks for a program. `header`: name and parameters; `shown`: calls with their outputs."""
        examples = "\n".join(assertion(call, output) for call, output in shown)
        return _headed(self.tasks.nl, fill(self.problem, header=header, description=description, examples=examples))

    def repair(self, problem: str, code: str, test: str, told: str) -> str:
        """The instruction that asks for a repaired program. `problem`: what the program is for, without a task's first
        line; `test`: one that fails; `told`: what happened then. The reply is read by `repairing`."""
        filled = fill(self.fault, problem=problem.strip(), code=code.strip(), test=test.strip(), told=told.strip())
        return _headed(self.tasks.repair, filled)

    def _question(self, task: str, source: str, asked: str) -> str:
        return _headed(task, fill(self.question, source=source.strip(), assertion=asked))

    def prompt(self, instruction: str) -> str:
        """All the text before the reply. Raises `UsageError` for a chat profile, where the chat template writes it."""
        if self.chat:
            raise UsageError(f"the profile {self.name} is for conversations: its instruction is a turn of the user")
        return f"{self.before}{instruction}{self.between}"

    def messages(self, instruction: str) -> list[dict[str, str]]:
        """The conversation that ends with the instruction, in the form of chat templates."""
        return [{"role": "user", "content": instruction}]

    # -- answering

    @property
    def repairing(self) -> Profile:
        """The same wording for replies that hold a repaired program: `response`, `parse`, `closed` and `stops` of it
        are about these."""
        return replace(self, answer=self.answer.removesuffix(self.direct) + self.refined, direct=self.refined)

    def response(self, monologue: str, answer: str) -> str:
        """A reply; without a monologue it is the answer alone."""
        if not monologue:
            return fill(self.direct, answer=answer)
        return fill(self.answer, monologue=monologue, answer=answer)

    def parse(self, text: str) -> Parsed:
        """What a reply says: the last complete answer in it, and the monologue before that.

        An answer that is never closed is none, even at the end of the text: whoever stopped the text at `stops`, or
        knows that the model ended it itself, passes it through `closed` first. The monologue's marks may be missing
        where an answer follows; without one, a text that does not open a monologue holds none.
        """
        marks = marks_of(self)
        end = text.rfind(marks.closes) if marks.closes else len(text)
        start = text.rfind(marks.opens, 0, end) if end >= 0 else -1
        if start < 0:
            told = text.partition(marks.opens)[0]
            return Parsed(_monologue(told, marks) if marks.begins in told else "", None)
        inner = start + len(marks.opens)
        end = text.find(marks.closes, inner) if marks.closes else end
        answer = text[inner:end].removeprefix(marks.after_opening).removesuffix(marks.before_closing)
        return Parsed(_monologue(text[:start], marks), answer)

    def closed(self, text: str) -> str:
        """The text of a reply that ended at `stops` or of its own accord: an answer that is open at its end is closed.

        Not for a text that a bound on its length has cut.
        """
        marks = marks_of(self)
        start = text.rfind(marks.opens)
        if start < 0 or not marks.closes or text.find(marks.closes, start + len(marks.opens)) >= 0:
            return text
        return f"{text}{marks.closes}"

    @property
    def stops(self) -> tuple[str, ...]:
        """Texts at which a model can be stopped, since nothing is left to say: the mark that closes an answer.

        None where that mark can stand elsewhere in a reply.
        """
        marks = marks_of(self)
        others = (marks.begins, marks.ends, marks.opens)
        unmistakable = bool(marks.closes.strip()) and not any(marks.closes in other for other in others)
        return (marks.closes,) if unmistakable else ()


def assertion(call: str, output: str) -> str:
    """The assert that a question leaves open, and an answer completes."""
    return f"assert {call} == {output}"


def fill(template: str, **parts: str) -> str:
    """The template with its placeholders replaced, in one pass: parts may hold braces, and placeholders too."""
    return re.sub(_places(*parts), lambda match: parts[match[1]], template)


@cache
def _places(*names: str) -> re.Pattern[str]:
    return re.compile(rf"\{{({'|'.join(names)})\}}")


def _headed(task: str, text: str) -> str:
    return f"{task}\n{text}" if task else text


# Reading -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Marks:
    """What stands round monologue and answer: `begins` monologue `ends`, `opens` answer `closes`; the white space that
    belongs to the templates, not to what is put in, apart."""

    begins: str
    after_beginning: str
    before_ending: str
    ends: str
    opens: str
    after_opening: str
    before_closing: str
    closes: str


@cache
def marks_of(profile: Profile) -> Marks:
    """The marks of a profile that `check` passes."""
    opening, closing = profile.direct.split("{answer}")
    opens = opening.strip()
    begin, rest = profile.answer.split("{monologue}")
    end = rest.partition("{answer}")[0]
    end = end[: end.rindex(opens)]
    closes = closing.strip() or closing
    return Marks(
        begins=begin.strip(),
        after_beginning=begin[len(begin.rstrip()) :] if begin.strip() else "",
        before_ending=end[: len(end) - len(end.lstrip())],
        ends=end.strip(),
        opens=opens,
        after_opening=opening[len(opening.rstrip()) :],
        before_closing=closing[: closing.index(closes)],
        closes=closes,
    )


def _monologue(before: str, marks: Marks) -> str:
    """The monologue in what stands before an answer."""
    start = before.rfind(marks.begins) if marks.begins else 0
    told = before[start + len(marks.begins) :].removeprefix(marks.after_beginning) if start >= 0 else before
    end = told.find(marks.ends) if marks.ends else len(told)
    return told[:end].removesuffix(marks.before_ending) if end >= 0 else told.rstrip()


# Checking ----------------------------------------------------------------------------------------------------------

#: The placeholders that each template must have, in this order.
_PLACEHOLDERS = {
    "problem": ("header", "description", "examples"),
    "question": ("source", "assertion"),
    "answer": ("monologue", "answer"),
    "direct": ("answer",),
    "fault": ("problem", "code", "test", "told"),
    "refined": ("answer",),
}


def check(profile: Profile, where: str) -> Profile:
    """The same profile. Raises `InputError` where its templates cannot be filled, or replies in them not be read."""
    if not profile.name:
        raise InputError(f"{where}.name: a profile needs a name")
    for field, names in _PLACEHOLDERS.items():
        _check_places(getattr(profile, field), names, f"{where}.{field}")
    for field in ("direct", "refined"):
        if not getattr(profile, field).partition("{answer}")[0].strip():
            raise InputError(
                f"{where}.{field}: needs a mark before {{answer}}, by which the answer is found in a reply"
            )
    opening, closing = profile.direct.split("{answer}")
    middle, end = profile.answer.split("{monologue}")[1].split("{answer}")
    if not middle.endswith(opening) or end != closing:
        raise InputError(
            f"{where}.answer: must have round {{answer}} what direct has, {opening!r} before and {closing!r} after it"
        )
    return profile


def _check_places(template: str, names: Sequence[str], where: str) -> None:
    at = -1
    for name in names:
        count = template.count(f"{{{name}}}")
        if count != 1:
            raise InputError(f"{where}: must hold {{{name}}} once, not {count} times")
        if template.index(f"{{{name}}}") < at:
            raise InputError(f"{where}: {{{name}}} stands too early; the order is {', '.join(names)}")
        at = template.index(f"{{{name}}}")

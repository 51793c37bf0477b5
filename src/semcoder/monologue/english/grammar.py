"""From clauses to statements: who is said to do or be what, where.

A statement is found by what a clause holds (typed tokens and senses of words), not by the order of its words: in
"`x` is 5", "5 is the value of x" and "line 3 puts 5 into `x`" the same name meets the same value. Where a value
stands for something else than "what it is then" (what it was before, an argument, a value that is rejected), the words
before it say so. What is left over is `unread`, never guessed at.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from semcoder.monologue.english.clauses import Clause, SentenceTokens, clauses
from semcoder.monologue.english.kinds import Reader
from semcoder.monologue.english.labels import is_run, leads, left_out, line_role
from semcoder.monologue.english.statements import ZEROTH, Context, Place, Statement
from semcoder.monologue.english.tokens import Token, Vocabulary


def read(sentence_list: list[SentenceTokens], vocabulary: Vocabulary, text: str) -> Iterator[list[Statement]]:
    """The statements of each sentence, in order; sentences that state nothing are left out."""
    context = Context()
    question: SentenceTokens | None = None
    for sentence in sentence_list:
        if sentence.asks:
            question = sentence
            _Sentence(sentence, vocabulary, text, context).statements()  # what "it" is in the answer
            context.asked = next((t.number for t in sentence.tokens if t.kind == "line"), 0)
            continue
        context.flipped = context.answers = False
        if question is not None and _only_answers(sentence.tokens):
            states = any(t.kind == "value" or t.means("true", "false", "succeed", "fail") for t in question.tokens)
            context.flipped = states and sentence.tokens[0].text.lower() == "no"
            labels = [t for t in sentence.tokens if t.kind in ("line", "ordinal")]
            kept = labels if states else [sentence.tokens[0], *labels]
            sentence = SentenceTokens([*question.tokens, *kept], False)
        elif question is not None:
            context.answers = True
        question = None
        previous, context.call = context.call, None if context.stale else context.call
        context.stale = previous is not None
        found = _Sentence(sentence, vocabulary, text, context).statements()
        if found:
            yield found


def _only_answers(tokens: list[Token]) -> bool:
    """`Yes`, `No (line 3)`: an answer that says nothing else."""
    words = [t.text.lower() for t in tokens]
    return words[:1] in (["yes"], ["no"]) and not any(t.kind in ("value", "name", "code", "exception") for t in tokens)


#: Openings with which a line is where control goes from the line that the text was at.
_CONCLUDES = frozenset(("next", "then", "so", "therefore", "thus", "hence"))


class _Sentence:
    def __init__(self, sentence: SentenceTokens, vocabulary: Vocabulary, text: str, context: Context) -> None:
        self._tokens = sentence.tokens
        self._vocabulary = vocabulary
        self._text = text
        self._context = context
        self._roles = {id(t): line_role(self._tokens, k) for k, t in enumerate(self._tokens) if t.kind == "line"}
        self._clauses = clauses(sentence)
        self._lines()
        self._blocks = self._leads()
        self._skipped = {id(t) for k, t in enumerate(self._tokens) if t.kind == "line" and left_out(self._tokens, k)}
        if not context.answers:  # an answer speaks of what was asked
            context.local, context.test = False, ""
        context.function = ""
        variables = {t.text for t in self._tokens if t.kind == "name" and t.text not in vocabulary.functions}
        context.only = next(iter(variables)) if len(variables) == 1 else ""
        if any(c.doubt for c in self._clauses) and not any(t.kind in ("line", "name", "code") for t in self._tokens):
            context.subject, context.kind = "", "returns"  # "one could think it is 3, but it is 4"

    def _leads(self) -> set[int]:
        """The labels, by `id`, of blocks and lines that another line leads to or past."""
        pair = leads(self._tokens)
        for label in self._tokens:
            if id(label) in pair:
                self._roles[id(label)] = "to" if pair[id(label)] == "to" else "at"
        labels = [t for t in self._tokens if t.kind == "line"]
        if len(labels) == 1 and self._context.line and any(t.text.lower() in ("here", "there") for t in self._tokens):
            at = next(k for k, t in enumerate(self._tokens) if t is labels[0])
            if is_run(self._tokens, at) and left_out(self._tokens, at):  # "line 6 is not reached from here"
                self._roles[id(labels[0])] = "to"
                return {id(labels[0])}
        first = self._tokens[0].text.lower()
        stated = any(t.kind in ("value", "name", "code", "count") for t in self._tokens)
        if len(labels) == 1 and self._context.line and first in ("next", "then") and not stated:
            self._roles[id(labels[0])] = "to"  # "next we run line 5"
        return {key for key, role in pair.items() if role == "to"}

    def _lines(self) -> None:
        """Of several labels one is where the sentence is and the others are where it goes."""
        lines = [t for t in self._tokens if t.kind == "line"]
        if len(lines) == 1:
            own = next(k for k, c in enumerate(self._clauses) if lines[0] in c.tokens)
            state = self._clauses[own + 1 : own + 2]  # "control arrives at line 5 with `x = 2`"
            beside = bool(state) and state[0].tokens[0].text.lower() in ("with", "where", "while")
            if self._roles[id(lines[0])] == "to" and (self._clauses[own].of("value") or beside):
                self._roles[id(lines[0])] = "at"
            concludes = own > 0 or self._tokens[0].text.lower() in _CONCLUDES or self._clauses[own].says("next")
            if self._roles[id(lines[0])] == "to" and not concludes:
                self._roles[id(lines[0])] = "before"  # it says where control is, not where it came from
            return
        for clause in self._clauses[1:]:
            for label in clause.of("line"):
                enters = clause.means("branch") and clause.means("enter", "move")
                if enters and label is not lines[0] and label.number != lines[0].number:
                    self._roles[id(label)] = "to"
        sources = [t for t in lines if self._roles[id(t)] != "to"]
        if lines and not sources:
            self._roles[id(lines[0])] = "at"

    def statements(self) -> list[Statement]:
        found: list[Statement] = []
        place = self._first_place()
        stated = False
        for clause in self._clauses:
            place = self._place(clause, place)
            if clause.doubt:
                list(
                    Reader(
                        clause, self._roles, self._vocabulary, self._context, place, self._blocks, self._skipped
                    ).read()
                )  # what "it" is then
                continue
            stated = True
            for statement in Reader(
                clause, self._roles, self._vocabulary, self._context, place, self._blocks, self._skipped
            ).read():
                at = replace(statement.place, past=statement.place.past or clause.means("past"))
                found.append(
                    replace(
                        statement,
                        text=self._text[clause.start : clause.end],
                        start=clause.start,
                        end=clause.end,
                        place=at,
                    )
                )
        read = [s for s in found if s.kind != "unread"]
        if read:  # beside what is read, a clause that only names something states nothing more
            found = [s for s in found if s.kind != "unread" or s.value is not None]
        if not stated and any(c.of("value", "code", "count", "exception") for c in self._clauses):
            start, end = self._clauses[0].start, self._clauses[-1].end
            found.append(Statement("doubt", self._text[start:end], start, end))
        return _past_first(found)

    def _reader(self, clause: Clause, place: Place) -> Reader:
        return Reader(clause, self._roles, self._vocabulary, self._context, place, self._blocks, self._skipped)

    def _first_place(self) -> Place:
        """The label of the sentence, for clauses that stand before it."""
        lines = [t for t in self._tokens if t.kind == "line" and self._roles[id(t)] != "to"]
        if lines:
            self._context.line = lines[0].number
        if not lines and self._context.answers:
            return Place(self._context.asked)
        moved = any(t.kind == "line" for t in self._tokens) and not lines
        return Place(lines[0].number, "at") if lines else Place(self._context.line if moved else 0)

    def _place(self, clause: Clause, last: Place) -> Place:
        place = last
        for token in clause.of("line"):
            if self._roles[id(token)] != "to":
                place = Place(token.number, self._roles[id(token)], place.ordinal)
        for token in clause.of("ordinal"):
            noun = self._text[token.start : token.end].lower()
            visits = noun.endswith("time") and clause.means("execute") and not clause.says("loop", "around", "through")
            place = replace(place, ordinal=token.number or ZEROTH, again=visits)
        if clause.says("afterwards", "afterward", "thereafter"):
            place = replace(place, when="after")
        if clause.says("finishes", "leaves", "ends") and not clause.of("line") and clause.says("it"):
            place = replace(place, when="after")
        ending = clause.tokens[-1]
        if not clause.of("line") and ending.kind == "word" and ending.text.lower() in ("before", "earlier"):
            place = replace(place, when="before")
        if clause.says("beforehand"):
            place = replace(place, when="before")
        return place


def _past_first(found: list[Statement]) -> list[Statement]:
    """`x` was 5, and now it is 6: what stands first is about the time before."""
    out = list(found)
    for k, statement in enumerate(found):
        if statement.kind != "is" or not statement.text or statement.old is not None:
            continue
        later = [s for s in found if s is not statement and s.kind == "is" and s.subject == statement.subject]
        if later and _was(statement.text) and statement.place.when == "at" and not all(_was(s.text) for s in later):
            out[k] = replace(statement, place=replace(statement.place, when="before"), changes=False)
    return out


def _was(text: str) -> bool:
    words = text.lower().replace("`", " ").split()
    return any(w in ("was", "were", "previously", "formerly", "originally", "used") for w in words)


__all__ = ["ZEROTH", "Place", "Statement", "read"]

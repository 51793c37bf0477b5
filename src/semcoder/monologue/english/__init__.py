"""Reading ordinary English about an execution: prose with code spans, line labels and literals, in anyone's words.

`check(text, trace)` gives a claim for each statement that is found, with its verdict. Tokens are typed (`tokens`),
clauses are found among them (`clauses`), statements in clauses (`grammar`), a place in the run for each statement
(`visits`, `placing`), and the verdict there (`judging`).

Guarantees: a claim is True only if the execution did that at a place that fits the order of the text; what is supposed,
asked or rejected is not taken for a statement; a clause that holds values or code but cannot be read is None, and a
claim is False only if subject, relation and value were all read with certainty.
It does not: ask that a text be complete, follow a text that goes back in time without saying so, or understand what is
said without naming code, a value, a number, a line or a loop.
"""

from __future__ import annotations

from semcoder.core import Claim
from semcoder.monologue.english.clauses import sentences
from semcoder.monologue.english.grammar import read
from semcoder.monologue.english.judging import Judge
from semcoder.monologue.english.placing import Placing, groups_of
from semcoder.monologue.english.tokens import Lexer, Vocabulary
from semcoder.monologue.english.visits import Run
from semcoder.monologue.story import Story


def check(text: str, story: Story) -> list[Claim]:
    """The claims of a text with their verdicts, in the order of the text."""
    vocabulary = Vocabulary(story.trace.tree, story.trace.source)
    vocabulary.names |= {c.name for m in story.moments for c in m.step.changes} - vocabulary.functions
    found = list(read(list(sentences(Lexer(text, vocabulary).tokens())), vocabulary, text))
    groups = [group for sentence in found for group in groups_of(sentence)]
    run = Run(story)
    verdicts = Placing(run, Judge(run, vocabulary)).verdicts(groups)
    statements = [statement for group in groups for statement in group]
    return [
        Claim(s.text, s.kind, right if right or s.sure else None, "" if right else actual, s.start, s.end, s.place.line)
        for s, (right, actual) in zip(statements, verdicts, strict=True)
    ]


__all__ = ["check"]

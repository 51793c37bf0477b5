"""Sentences, and the clauses that they are made of.

A sentence is cut wherever a clause could begin (commas, conjunctions, brackets) and the pieces are put together again
until each has a subject and something said of it. What is only supposed, asked, or mentioned to be rejected is marked,
and whatever a line label means for what stands around it (after it, before it, what comes next) is worked out here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from semcoder.monologue.english.lexicon import words_of
from semcoder.monologue.english.tokens import Token

_CUTS = words_of(
    "and but so because since while whereas which where then therefore thus hence as when once after before "
    "until with yet though although if whose whether i.e namely meaning making leaving giving that"
)
_MARKS = frozenset(",;:()—–")
_STRONG = frozenset(";:—–")


@dataclass(slots=True)
class Clause:
    """`doubt`: it is supposed, asked or rejected, not stated. `lead`: the punctuation that it follows."""

    tokens: list[Token] = field(default_factory=list)
    lead: str = ""
    doubt: bool = False

    @property
    def start(self) -> int:
        return self.tokens[0].start

    @property
    def end(self) -> int:
        return self.tokens[-1].end

    def of(self, *kinds: str) -> list[Token]:
        return [t for t in self.tokens if t.kind in kinds]

    def means(self, *senses: str) -> bool:
        return any(t.means(*senses) for t in self.tokens)

    def says(self, *words: str) -> bool:
        return any(t.kind == "word" and t.text.lower() in words for t in self.tokens)


@dataclass(slots=True)
class SentenceTokens:
    """The tokens of one sentence, and whether it asks."""

    tokens: list[Token]
    asks: bool


def sentences(tokens: list[Token]) -> Iterator[SentenceTokens]:
    """Cuts a text's tokens into sentences. A row that ends in a colon goes on in the next one."""
    current: list[Token] = []
    for token in tokens:
        if token.kind != "break":
            current.append(token)
            continue
        if token.text == "." and len(current) == 1 and current[0].kind == "value":
            current = []  # the number of an item of a list
            continue
        if current:
            yield SentenceTokens(current, token.text == "?")
        current = []
    if current:
        yield SentenceTokens(current, False)


def clauses(sentence: SentenceTokens) -> list[Clause]:
    """The clauses of a sentence, in order."""
    pieces = _cut(sentence.tokens)
    _mark_doubt(pieces)
    return _merge(pieces)


def _cut(tokens: list[Token]) -> list[Clause]:
    pieces = [Clause()]
    for token in tokens:
        if token.kind == "punct" and token.text in _MARKS:
            pieces.append(Clause(lead=token.text))
        elif token.kind == "punct":
            continue
        elif token.kind == "word" and token.text.lower() in _CUTS and pieces[-1].tokens:
            pieces.append(Clause([token]))
        else:
            pieces[-1].tokens.append(token)
    found = [p for p in pieces if p.tokens]
    if len(found) > 1 and [t.text.lower() for t in found[0].tokens] in (["no"], ["yes"], ["well"], ["so"]):
        found.pop(0)  # an interjection
    return found


_REAL = words_of("but yet however actually instead really though nevertheless")
_MODALS = words_of("might may would could should")
_NOUN_LEADS = words_of("the an a this that its each `if` outer inner first second next another")
_IF_NOUNS = words_of("statement branch body block condition test check clause at on in")


def _mark_doubt(pieces: list[Clause]) -> None:
    doubt = False
    conditional = False
    for k, piece in enumerate(pieces):
        words = [t.text.lower() for t in piece.tokens if t.kind == "word"]
        if piece.lead == ";":
            conditional = False
        real = piece.lead in _STRONG or (words and words[0] in _REAL) or _says_fact(words)
        if real:
            doubt = False
        if _supposes(piece):
            conditional = True
            for earlier in pieces[:k]:  # "we would be happy if it returned 6"
                earlier.doubt = earlier.doubt or bool(_MODALS & {t.text.lower() for t in earlier.tokens})
        if _doubts(piece, words):
            doubt = True
        piece.doubt = doubt or conditional


def _says_fact(words: list[str]) -> bool:
    text = " ".join(words)
    return text.startswith(("in fact", "in reality", "in truth", "the truth")) or text.startswith("no ")


def _supposes(piece: Clause) -> bool:
    for k, token in enumerate(piece.tokens):
        if token.kind != "word" or not token.means("if") or token.text.lower() == "were":
            continue
        previous = piece.tokens[k - 1] if k else None
        following = piece.tokens[k + 1] if k + 1 < len(piece.tokens) else None
        if previous is not None and (previous.text.lower() in _NOUN_LEADS or previous.means("ask")):
            continue
        if following is not None and (following.text.lower() in _IF_NOUNS or following.kind == "line"):
            continue
        if token.text.lower() == "if" and token.end - token.start > 2:  # a code span
            continue
        return True
    return False


def _doubts(piece: Clause, words: list[str]) -> bool:
    if _MODALS & set(words) or piece.means("doubt"):
        return True
    if "expected" in words and "as" in words:
        return False
    if piece.means("think"):
        return True
    seems = any(t.means("seem") for t in piece.tokens) and any(w in words for w in ("like", "as", "seems", "seem"))
    return seems or ("contrary" in words)


#: What can be said of something, and what it can be said of.
_OBJECTS = ("true", "false", "succeed", "fail", "finish", "skip", "enter")
_TOPICS = ("condition", "branch", "loop", "result", "function", "exception", "output")
_VERBS = (
    "be", "have", "become", "eval", "return", "raise", "print", "iterate", "finish", "move", "execute", "skip", "enter",
    "arrow", "succeed", "fail", "follow", "append", "catch", "call",
)  # fmt: skip
_WHEN = words_of("after once when before until as with following by having upon")


def _has_subject(piece: Clause) -> bool:
    return bool(piece.of("name", "code", "exception")) or piece.means(*_TOPICS, "pronoun")


def _own_subject(piece: Clause) -> bool:
    """A subject other than a word that refers back."""
    return bool(piece.of("name", "code", "exception", "line")) or piece.means(*_TOPICS)


def _full(piece: Clause) -> bool:
    if (not piece.means(*_VERBS) and not piece.of("exception")) or _when(piece):
        return False
    if piece.tokens[0].text.lower() in ("with", "by", "having") and piece.tokens[0].kind == "word":
        return False
    lines = piece.of("line")
    if lines and not piece.of("value", "code", "name") and not _when(piece) and _goes(piece):
        return True
    said = piece.of("value", "count") or piece.means(*_OBJECTS)
    return (bool(said) and (_has_subject(piece) or bool(lines and not _when(piece)))) or bool(
        piece.of("exception") and piece.means("raise", "catch", "finish")
    )


def _when(piece: Clause) -> bool:
    """Whether it only says when: "once line 4 has run"."""
    early = any(t.kind == "word" and t.text.lower() in _WHEN for t in piece.tokens[:3])
    return early and bool(piece.of("line")) and not piece.of("value", "code", "count")


def _goes(piece: Clause) -> bool:
    return piece.means("move", "next", "execute", "follow", "finish")


def _merge(pieces: list[Clause]) -> list[Clause]:
    out: list[Clause] = []
    for k, piece in enumerate(pieces):
        last = out[-1] if out else None
        if (
            last is None
            or last.doubt != piece.doubt
            or (piece.lead == ";" and last.means(*_VERBS) and _has_verb(pieces[k:]))
            or (_full(last) and (_full(piece) or _begins(piece, pieces[k + 1 :])))
        ):
            out.append(Clause(list(piece.tokens), piece.lead, piece.doubt))
        else:
            last.tokens.extend(piece.tokens)
    return out


def _has_verb(pieces: list[Clause]) -> bool:
    """Whether there is a verb up to the next semicolon."""
    own = next((k for k, p in enumerate(pieces) if k and p.lead == ";"), len(pieces))
    return any(p.means(*_VERBS) for p in pieces[:own])


def _begins(piece: Clause, following: list[Clause]) -> bool:
    """Whether a piece that is no clause by itself becomes one with the piece after it."""
    if not _own_subject(piece) or _when(piece) or piece.of("value") or not following:
        return False
    if piece.of("line") and not piece.of("name", "code") and not piece.means("condition", "loop"):
        return following[0].lead == "" and _goes(following[0])
    both = Clause(piece.tokens + following[0].tokens)
    return _full(both) and not _own_subject(following[0])


# -- what line labels mean


def line_role(tokens: list[Token], at: int) -> str:
    """Of a line label in a sentence: `after`, `before`, `at`, or `to` where the text says that it comes next."""
    left = _left(tokens, at)
    right = [t.text.lower() for t in tokens[at + 1 : at + 6] if t.kind != "punct"]
    moved = any(t.means("move") for t in left[:5])
    words = [t.text.lower() for t in left]
    if "next" in words[:3] and words[0] in ("is", "comes", "up", "runs", "executes"):
        return "to"
    if words[:2] == ["by", "followed"] or words[:1] == ["then"] or (words[:1] == ["is"] and "next" in words):
        return "to"
    if _next_after(tokens, at):
        return "to"
    if any(w in words[:4] for w in ("loop", "loops")) and words[:1] == ["to"]:
        return "to"
    for k, token in enumerate(left[:6]):
        lower = token.text.lower()
        beyond = words[k + 1 : k + 5]
        if lower in (
            "the",
            "of",
            "this",
            "program",
            "executing",
            "execution",
            "running",
            "at",
            "on",
            "in",
            "with",
            "we",
            "it",
        ):
            if (lower == "of" and "end" in beyond[:2]) or (lower == "of" and "result" in beyond[:2]):
                return "after"
            if lower == "of" and any(w in beyond[:2] for w in ("start", "beginning", "top")):
                return "before"
            if lower in ("at", "with", "on") and moved and any(t.means("move") for t in left[k + 1 : k + 3]):
                return "to"
            continue
        if lower in ("to", "into", "onto"):
            if any(w in beyond for w in ("prior", "entry", "due", "up", "thanks")):
                return "at" if {"due", "thanks"} & set(beyond) else "before"
            when = any(w in words for w in ("when", "time", "as", "until", "before", "by", "once"))
            if moved and not when and "going" not in beyond[:1]:
                return "to"
            return "before"
        if lower == "from":
            return "after"
        if lower in ("after", "once", "following", "past", "finishing", "completing", "leaving", "behind", "having"):
            return "after"
        if lower in ("before", "entering", "until", "till", "approaching", "precedes", "preceding"):
            return "before"
        if lower in ("reaching", "reaches", "reached", "reach", "hits", "hitting", "enters"):
            return "before"
        if lower in ("when", "as", "while", "by"):
            return _by_verb(right)
        break
    if right[:1] and right[0] in ("starts", "begins", "started", "began") and "with" in right[:3]:
        return "before"
    return "at"


def _by_verb(right: list[str]) -> str:
    if any(
        w in right[:4]
        for w in (
            "done",
            "finished",
            "finishes",
            "completed",
            "completes",
            "executed",
            "over",
            "complete",
            "ends",
            "ended",
        )
    ):
        return "after"
    if any(w in right[:4] for w in ("reached", "starts", "begins", "entered", "started", "about", "comes", "up")):
        return "before"
    return "after" if "has" in right[:1] or "have" in right[:1] else "at"


def _left(tokens: list[Token], at: int) -> list[Token]:
    """What stands to the left of a label in its part of the sentence, nearest first."""
    out: list[Token] = []
    for token in reversed(tokens[:at]):
        if token.kind in ("line", "value", "name", "code") or (token.kind == "punct" and token.text in ";:—"):
            break
        if token.kind == "punct" and token.text == "," and [t.text.lower() for t in out] not in ([], ["to"]):
            break
        if token.kind == "word":
            out.append(token)
    return out


def _next_after(tokens: list[Token], at: int) -> bool:
    """`line 7 is next`, `line 7 runs next`, `line 7 follows`, `line 7 comes right after line 6`."""
    for k, token in enumerate(tokens[at + 1 : at + 7]):
        if token.kind in ("line", "value", "name", "code"):
            break
        if token.kind == "punct":
            break
        lower = token.text.lower()
        if lower in ("next", "follows", "subsequently"):
            return True
        if lower in ("after", "following") and any(t.kind == "line" for t in tokens[at + k + 2 : at + k + 5]):
            return True
    return False

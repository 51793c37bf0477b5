"""Sentences, and the clauses that they are made of.

A sentence is cut wherever a clause could begin (commas, conjunctions, brackets) and the pieces are put together again
until each has a subject and something said of it. What is only supposed, asked, or mentioned to be rejected is marked,
and whatever a line label means for what stands around it (after it, before it, what comes next) is worked out here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from semcoder.monologue.english.lexicon import words_of
from semcoder.monologue.english.phrases import rewritten
from semcoder.monologue.english.tokens import Token

_CUTS = words_of(
    "and but so because since while whereas which where then therefore thus hence as when once after before "
    "until with yet though although if whose whether i.e namely meaning making leaving giving that"
)
_MARKS = frozenset(",;:()—–|")
_STRONG = frozenset(";:—–|")


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
            yield SentenceTokens(rewritten(current), token.text == "?")
        current = []
    if current:
        yield SentenceTokens(rewritten(current), False)


def clauses(sentence: SentenceTokens) -> list[Clause]:
    """The clauses of a sentence, in order."""
    pieces = _cut(sentence.tokens)
    _mark_doubt(pieces)
    return _merge(pieces)


def _cut(tokens: list[Token]) -> list[Clause]:
    pieces = [Clause()]
    inside = _remarks(tokens)
    for k, token in enumerate(tokens):
        if token.kind == "punct" and token.text in _MARKS and k not in inside:
            pieces.append(Clause(lead=token.text))
        elif token.kind == "punct":
            continue
        elif token.kind == "word" and token.text in ("=>", "⇒") and _follows(tokens[k + 1 :], pieces):
            pieces.append(Clause(lead=";"))
        elif _opens(tokens, k, pieces[-1]):
            pieces.append(Clause([token], lead="," if token.kind != "word" else ""))
        elif token.kind == "word" and token.text.lower() == "that" and _judges(pieces[-1].tokens):
            pieces[-1].tokens.append(token)
        elif token.kind == "word" and token.text.lower() in _CUTS and pieces[-1].tokens:
            pieces.append(Clause([token]))
        else:
            pieces[-1].tokens.append(token)
    found = [p for p in pieces if p.tokens]
    if len(found) > 1 and [t.text.lower() for t in found[0].tokens] in (["no"], ["yes"], ["well"], ["so"]):
        found.pop(0)  # an interjection
    return found


def _remarks(tokens: list[Token]) -> set[int]:
    """Brackets that hold no more than a place: "(line 3)", "(decided at line 2)"."""
    found: set[int] = set()
    opened: int | None = None
    for k, token in enumerate(tokens):
        if token.kind == "punct" and token.text == "(":
            opened = k
        elif token.kind == "punct" and token.text == ")" and opened is not None:
            held = tokens[opened + 1 : k]
            places = any(t.kind in ("line", "ordinal") for t in held)
            if places and all(t.kind in ("line", "word", "ordinal") for t in held) and len(held) <= 6:
                found |= {opened, k}
            opened = None
    return found


def _follows(rest: list[Token], pieces: list[Clause]) -> bool:
    """Whether an arrow stands between two statements, not between a name and its value."""
    said = any(t.kind == "value" for p in pieces for t in p.tokens)
    return said and any(t.kind in ("name", "code", "line") for t in rest)


def _opens(tokens: list[Token], k: int, last: Clause) -> bool:
    """Whether a clause begins here without a word that says so: `x = 2` in a span of its own, "`x` being 2 makes"."""
    token = tokens[k]
    following = tokens[k + 1] if k + 1 < len(tokens) else None
    if token.kind in ("name", "code") and following is not None and following.kind == "word":
        equation = following.text in ("=", "->") and following.start == token.start
        if equation and following.end > token.end and last.of("name", "code"):
            return True
    return token.kind == "word" and token.text.lower() in _CAUSES and last.says("being") and bool(last.of("value"))


def _judges(head: list[Token]) -> bool:
    """`It is untrue` before "that"."""
    if not 2 <= len(head) <= 6 or any(t.kind != "word" for t in head):
        return False
    return head[0].text.lower() in ("it", "is") and any(t.means("true", "false", "wrong", "right") for t in head)


#: A doubt in a clause that begins so ends where the main clause begins.
_CONCEDES = words_of("although though while whereas contrary even despite")
_PLAUSIBLE = words_of("plausible likely right natural correct reasonable obvious tempting convincing probable")
_CAUSES = words_of("makes means causes renders lets gives leads")
_REAL = words_of("but yet however actually instead really though nevertheless")
#: What is not so is open: "it is not obvious whether ...".
_OPEN = words_of("obvious clear certain known sure evident")
_MODALS = words_of("might may would could should")
#: With these at its head, what "should" or "would" come out is what comes out.
_CONCLUDES = words_of("so thus therefore hence finally consequently accordingly")
_NOUN_LEADS = words_of("the an a this that its each `if` outer inner first second next another")
_IF_NOUNS = words_of("statement branch body block condition test check clause at on in")


def _mark_doubt(pieces: list[Clause]) -> None:
    doubt = False
    rejects = concession = False
    conditional = False
    concludes = not any(_supposes(p) or _REAL & {t.text.lower() for t in p.tokens} for p in pieces)
    for k, piece in enumerate(pieces):
        words = [t.text.lower() for t in piece.tokens if t.kind == "word"]
        if piece.lead == ";":
            conditional = False
        real = piece.lead in _STRONG or (words and words[0] in _REAL) or _says_fact(words)
        if real or (rejects and words and words[0] in ("since", "because", "as", "for")):
            doubt = False
            conditional = conditional and not (words and words[0] in _REAL)
        asked = _asks(pieces[k - 1] if k else None, piece)
        if asked:
            piece.doubt = True
            continue
        if _supposes(piece):
            conditional = True
            for earlier in pieces[:k]:  # "we would be happy if it returned 6"
                earlier.doubt = earlier.doubt or bool(_MODALS & {t.text.lower() for t in earlier.tokens})
        if doubt and concession and piece.lead == "," and _full(piece) and not _doubts(piece, words):
            doubt = concession = False
        if words and words[0] in _CONCEDES:
            concession = True
        if _doubts(piece, words) and not (concludes and _sure(piece, words)):
            doubt = rejects = True
        piece.doubt = doubt or conditional
    for k, piece in enumerate(pieces):
        about = k - 1
        if k and piece.doubt and piece.says("would", "could", "might"):  # "with `x` at 3, it would be 5"
            pieces[k - 1].doubt = pieces[k - 1].doubt or pieces[k - 1].tokens[0].text.lower() in ("with", "given")
        while about > 0 and len(pieces[about].tokens) == 1 and pieces[about].tokens[0].text.lower() in _CUTS:
            about -= 1
        if about >= 0 and pieces[about].doubt and not pieces[about].says("whether", "if") and _condemns(piece):
            for condemned in pieces[about + 1 : k + 1]:
                condemned.doubt = True


def _condemns(piece: Clause) -> bool:
    """`but that is incorrect`: it says no more than that what was supposed is not so."""
    if any(t.kind != "word" for t in piece.tokens) or not piece.means("be") or not piece.says("it", "that", "this"):
        return False
    denied = piece.says("not", "n't", "never", "hardly")
    return (piece.means("wrong") and not denied) or (piece.means("right") and denied)


def _says_fact(words: list[str]) -> bool:
    text = " ".join(words)
    return text.startswith(("in fact", "in reality", "in truth", "the truth")) or text.startswith("no ")


def _asks(last: Clause | None, piece: Clause) -> bool:
    """`checks whether ...`: what is asked there is neither stated nor supposed."""
    first = piece.tokens[0]
    if first.kind != "word" or first.text.lower() not in ("if", "whether") or last is None:
        return False
    return last.tokens[-1].means("ask") and bool(piece.of("name", "code"))


def _supposes(piece: Clause) -> bool:
    opening = [t.text.lower() for t in piece.tokens[:2]]
    if not piece.lead and opening[:1] == ["had"] and opening[1:] not in ([], ["been"]):
        return True  # "had `x` been 7, ..."
    for k, token in enumerate(piece.tokens):
        if token.kind != "word" or not token.means("if"):
            continue
        if token.text.lower() == "were" and (k or piece.lead or not piece.of("name", "code")):
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


def _sure(piece: Clause, words: list[str]) -> bool:
    """Whether "should" and "would" only tell what comes out: "thus the output should be 3"."""
    modals = _MODALS & set(words)
    others = piece.means("doubt", "think", "seem") or {"expected", "contrary", "have"} & set(words)
    return (not others and modals == {"should"}) or (modals == {"would"} and words[0] in _CONCLUDES)


def _doubts(piece: Clause, words: list[str]) -> bool:
    if words[:1] and words[0] in ("whoever", "anyone", "anybody") and piece.means("think", "call", "be"):
        return True
    if _MODALS & set(words) or piece.means("doubt"):
        return True
    denied = {"not", "n't", "never", "hardly"} & set(words)
    if (denied and _OPEN & set(words)) or {"unclear", "uncertain"} & set(words):
        return True
    if "expected" in words and "as" in words:
        return False
    if piece.means("think"):
        return True
    if any(t.means("seem") for t in piece.tokens) and _PLAUSIBLE & set(words):
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
    first = piece.tokens[0].text.lower() if piece.tokens[0].kind == "word" else ""
    if first in ("with", "by", "having") and not (piece.of("name") and piece.of("value") and piece.means("be")):
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


def places_only(clause: Clause) -> bool:
    """Whether a clause says no more than where the text is: "when line 5 is reached", "arriving at line 6"."""
    first = clause.tokens[0]
    early = any(t.kind == "word" and t.text.lower() in _WHEN for t in clause.tokens[:2])
    moving = first.kind == "word" and first.text.lower().endswith("ing") and first.means("move", "execute")
    return early or moving or first.text.lower() in ("on", "at", "in", "upon", "by")


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
            or (_full(piece) and _apart(last, piece))
            or _likewise(piece)
            or _supplied(last, piece)
            or (_condemns(last) and piece.lead and _full(piece))
            or (_full(last) and piece.of("line") and piece.of("name", "code") and last.of("line") and last.of("value"))
            or (_full(last) and (_full(piece) or _begins(piece, pieces[k + 1 :])))
        ):
            out.append(Clause(list(piece.tokens), piece.lead, piece.doubt))
        else:
            last.tokens.extend(piece.tokens)
    return out


def _likewise(piece: Clause) -> bool:
    """`so is x`."""
    words = [t.text.lower() for t in piece.tokens[:2]]
    return (
        words in (["so", "is"], ["so", "are"], ["so", "does"]) and len(piece.of("name")) == 1 and not piece.of("value")
    )


def _supplied(last: Clause, piece: Clause) -> bool:
    """Whether a value is given for what follows: "with `x` at 3, the test `x > 5` fails"."""
    gives = last.tokens[0].text.lower() in ("with", "given", "having")
    one = len(last.of("name")) == len(last.of("value")) == 1 and not last.of("code")
    return gives and one and piece.lead == "," and _full(piece) and bool(piece.of("code"))


def _apart(last: Clause, piece: Clause) -> bool:
    """Whether a whole clause stands beside what only names something: "line 2 tests `c`; as `x` is 2, ..."."""
    names = bool(last.of("name", "code")) and not last.of("value", "count", "exception")
    reason = piece.tokens[0].text.lower() in ("as", "since", "because", "for") and bool(piece.of("name", "code"))
    return names and ((piece.lead in _STRONG and not _comes_out(piece)) or reason)


def _comes_out(piece: Clause) -> bool:
    """`does not pass`, `fails`: how a test comes out, and nothing else."""
    known = all(
        t.means("true", "false", "succeed", "fail", "not", "be") or t.text.lower() in ("does", "do")
        for t in piece.tokens
    )
    return known and len(piece.tokens) <= 4


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

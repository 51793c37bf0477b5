"""Rewriting tokens before clauses are cut: set phrases, corrections, numbers of things, and denied claims.

Guarantees: what is rewritten keeps its place in the text; a phrase that is not in the tables is left as it stands.
"""

from __future__ import annotations

from dataclasses import replace

from semcoder.monologue.english.lexicon import senses, words_of
from semcoder.monologue.english.tokens import Token

#: Set phrases and the words that say the same. An empty text leaves the phrase out.
_PHRASES: dict[str, str] = {
    "no more and no less": "", "no more , no less": "", "neither more nor less": "", "no more nor less": "",
    "no less and no more": "", "nothing more and nothing less": "", "no more no less": "",
    "given that": "because", "seeing that": "because", "considering that": "because", "on account of": "because",
    "in view of": "because", "seeing as": "because", "for the reason that": "because", "inasmuch as": "because",
    "anything but": "not", "anything other than": "not", "something other than": "not", "different from": "not",
    "no such thing as": "not",
    "even once": "", "not a single time": "zero times", "not even one time": "zero times", "even one time": "",
    "not at all": "zero times", "not once": "zero times", "not even": "not", "even a single time": "",
    "is the case": "is true", "not the case": "not true", "n't the case": "n't true", "was the case": "was true",
    "out of reach": "not reached", "took it to be": "thought it is", "take it to be": "think it is",
    "is through": "is finished", "runs out": "ends", "ran out": "ended", "in the wake of": "after",
    "nobody catches it": "uncaught", "nobody handles it": "uncaught", "no one catches it": "uncaught",
    "nothing catches it": "uncaught", "is not caught": "is uncaught", "is never caught": "is uncaught",
    "not caught": "uncaught", "never caught": "uncaught", "without being caught": "uncaught",
    "nothing handles it": "uncaught", "no handler catches it": "uncaught", "not handled": "uncaught",
    "isn't caught": "is uncaught", "nowhere caught": "uncaught", "no one handles it": "uncaught",
    "leaves us with": "makes", "leaving us with": "making", "we are left with": "we have",
    "run its course": "finished", "come to an end": "end", "comes to an end": "ends", "came to an end": "ended",
    "draws to a close": "ends", "is at an end": "ends", "at an end": "finished", "comes to a halt": "ends",
    "comes to a stop": "ends", "comes to its end": "ends", "reaches its end": "ends", "comes to a close": "ends",
    "the true one": "it", "the right one": "it", "the correct one": "it", "the actual one": "it", "the real one": "it",
    "in other words": "i.e", "that is to say": "i.e", "to wit": "i.e",
    "to be exact": "correction", "to be precise": "correction", "or rather": "correction", "make that": "correction",
    "more precisely": "correction", "more exactly": "correction", "i mean": "correction", "scratch that": "correction",
    "has to be": "is", "have to be": "are", "has got to be": "is", "works out to be": "is", "turns out to be": "is",
    "comes out to be": "is", "proves to be": "is", "happens to be": "is", "ends up being": "is", "comes to be": "is",
    "turns out as": "is", "comes out as": "is", "works out as": "is", "works out to": "evaluates to",
    "ends up as": "becomes", "ends up with": "becomes", "winds up as": "becomes", "winds up with": "becomes",
    "comes down to": "evaluates to", "boils down to": "evaluates to", "amounts to": "evaluates to",
    "takes on": "takes", "is due to be": "is", "is bound to be": "is",
    "at the back of": "appended to", "at the end of": "at the end of", "onto the end of": "appended to",
    "to the end of": "appended to", "to the back of": "appended to", "to the tail of": "appended to",
    "tacked onto": "appended to", "tacked on to": "appended to", "tacks onto": "appends to",
    "by means of": "by", "for the purposes of": "for",
}  # fmt: skip
_TABLE = sorted(((tuple(k.split()), v.split()) for k, v in _PHRASES.items()), key=lambda row: -len(row[0]))
#: Nouns with which a number says how many things there are, not which value something has.
_THINGS = words_of(
    "elements items numbers entries characters chars letters values keys digits words members pairs arguments "
    "parameters variables strings lists lines places positions steps things names rows columns branches statements "
    "calls integers integer- words"
)
_CLAIMS = words_of("claim statement idea notion assertion belief assumption suggestion impression thought hypothesis")
_FALSE = words_of("untrue false wrong incorrect mistaken inaccurate")


def rewritten(tokens: list[Token]) -> list[Token]:
    """The tokens of a sentence with set phrases in plain words."""
    return _claims(_corrected(_counted(_sequel(_phrases(tokens)))))


def _phrases(tokens: list[Token]) -> list[Token]:
    out: list[Token] = []
    k = 0
    while k < len(tokens):
        found = next((row for row in _TABLE if _stands(tokens, k, row[0])), None)
        if found is None:
            out.append(tokens[k])
            k += 1
            continue
        start, end = tokens[k].start, tokens[k + len(found[0]) - 1].end
        for word in found[1]:
            kept = next((t for t in tokens[k : k + len(found[0])] if t.text.lower() == word), None)
            count = {"zero": Token("count", "zero times", start, end, 0)}.get(word)
            if word == "times":
                continue
            out.append(count or (kept if kept is not None else Token("word", word, start, end, senses=senses(word))))
        k += len(found[0])
    return out


def _stands(tokens: list[Token], at: int, words: tuple[str, ...]) -> bool:
    if at + len(words) > len(tokens):
        return False
    for token, word in zip(tokens[at : at + len(words)], words, strict=True):
        if token.text.lower() != word or token.kind not in ("word", "punct", "count"):
            return False
    return True


_AT_ONCE = words_of("right immediately directly straight just soon shortly")


def _sequel(tokens: list[Token]) -> list[Token]:
    """ "Line 7 and, right after it, line 8": what "after it" names comes then, it is not what comes before."""
    out: list[Token] = []
    k = 0
    while k < len(tokens):
        end = k + 1 if tokens[k].text.lower() in _AT_ONCE else k
        words = [t.text.lower() for t in tokens[end : end + 2]]
        rest = [t for t in tokens[end + 2 : end + 4] if t.text != ","]
        named = bool(rest[:1]) and rest[0].kind == "line" and any(t.kind == "line" for t in out)
        if not named or words[:1] != ["after"] or words[1:] not in (["it"], ["that"], ["this"], ["which"]):
            out.append(tokens[k])
            k += 1
            continue
        if out[-1].text == ",":
            out.pop()
        out.append(Token("word", "then", tokens[k].start, tokens[end + 1].end, senses=senses("then")))
        k = end + 3 if tokens[end + 2].text == "," else end + 2
    return out


def _counted(tokens: list[Token]) -> list[Token]:
    """ "5 numbers" counts things: the number is no value of anything."""
    out: list[Token] = []
    for k, token in enumerate(tokens):
        following = tokens[k + 1] if k + 1 < len(tokens) else None
        number = token.kind == "value" and not token.span and token.value is not None and type(token.value.ref) is int
        things = following is not None and following.kind == "word" and following.text.lower() in _THINGS
        out.append(replace(token, kind="word") if number and things else token)
    return out


def _corrected(tokens: list[Token]) -> list[Token]:
    """ "Four times, or to be exact, five times": what is put right is left out."""
    at = next((k for k, t in enumerate(tokens) if t.kind == "word" and t.text == "correction"), None)
    if at is None:
        return tokens
    kinds = {t.kind for t in tokens[at:]} & {"value", "count"}
    last = next((k for k in range(at - 1, -1, -1) if tokens[k].kind in kinds), None)
    if last is None:
        return [*tokens[:at], *tokens[at + 1 :]]
    return [*tokens[:last], *[t for t in tokens[at + 1 :] if t.kind != "punct" or t.text != ","]]


def _claims(tokens: list[Token]) -> list[Token]:
    """ "The claim that ... is untrue": it is untrue that ..."""
    words = [t.text.lower() if t.kind == "word" else "" for t in tokens]
    if len(tokens) < 6 or words[0] != "the" or words[1] not in _CLAIMS or words[2] != "that":
        return tokens
    if words[-1] not in _FALSE or words[-2] not in ("is", "was"):
        return tokens
    it = Token("word", "it", tokens[0].start, tokens[0].end, senses=senses("it"))
    return [it, tokens[-2], tokens[-1], *tokens[2:-2]]


__all__ = ["rewritten"]

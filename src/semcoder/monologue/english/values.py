"""The values of a clause by what they stand for: what is stated, what was before, an argument, a denied value.

Guarantees: each value of the clause has exactly one role, told from the words between it and what stands before it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from semcoder.monologue.english.clauses import Clause
from semcoder.monologue.english.lexicon import words_of
from semcoder.monologue.english.tokens import Token

_REJECTS = frozenset(("not", "n't", "never", "instead", "rather", "unlike", "nor"))
_STRONG_OLD = words_of("previously formerly originally old previous former used initially starting longer")


#: Words that reject only together with the next: "instead of 3", but "instead, it is 3".
_KEPT = words_of("from instead rather old used of than")
_PAIRED = {"instead": "of", "rather": "than"}
_NEW = words_of("to into becomes became become now new -> → afterwards then --> yields giving makes making turns")
_EQUAL = words_of("equal identical corresponds equals refers points amounts comes")
_GIVEN = words_of("with given arguments argument on for input inputs args receives")
_REPLACED = words_of(
    "replace replaces replacing replaced returned followed overwritten superseded returning giving printing yielding"
)
_JOINED = words_of("appended added pushed inserted joined append add push insert tacked attached put placed stuck")
_PASSIVE = words_of("include includes appending appended added inserted joined attached")


@dataclass(slots=True)
class Roles:
    """The values of a clause by what they stand for."""

    plain: list[Token] = field(default_factory=list)
    old: list[Token] = field(default_factory=list)
    new: list[Token] = field(default_factory=list)
    rejected: list[Token] = field(default_factory=list)
    arguments: list[Token] = field(default_factory=list)
    step: list[Token] = field(default_factory=list)
    element: list[Token] = field(default_factory=list)
    other: list[Token] = field(default_factory=list)

    def main(self) -> Token | None:
        """The value that is stated."""
        return next(iter([*self.new[-1:], *self.plain[-1:]]), None)

    @classmethod
    def of(cls, clause: Clause, *, names: bool, functions: bool) -> Roles:
        """The values of a clause. `names`, `functions`: whether it speaks of a variable, of a function."""
        return _Reading(clause, names, functions).roles()


@dataclass(slots=True)
class _Reading:
    clause: Clause
    names: bool
    functions: bool

    def roles(self) -> Roles:
        roles = Roles()
        words: list[Token] = []
        previous: Token | None = None
        several = len(self.clause.of("value")) > 1
        for k, token in enumerate(self.clause.tokens):
            if token.kind == "value":
                following = self.clause.tokens[k + 1].text.lower() if k + 1 < len(self.clause.tokens) else ""
                role = {"before": "old", "beforehand": "old", "after": "new", "afterwards": "new"}.get(following, "")
                role = role if role and several else self._role(words, roles, previous)
                if self.names and (self._joins(k) or _last_element(words)):
                    role = "element"
                if self._onto(k):
                    role = "element"
                if self._wrong(k):
                    role = "rejected"
                if following in ("by", "with") and {"replace", "replaces", "replaced"} & {w.text for w in words}:
                    role = "old"
                if following in ("without", "except", "minus", "plus"):
                    role = "other"  # what is stated is made of it
                if any(w.text == "i.e" for w in words) and role not in ("rejected", "old"):
                    roles, role = Roles(other=self.clause.of("value")[:k]), "plain"
                getattr(roles, role).append(token)
                previous, words = token, []
            elif token.kind == "word":
                words.append(token)
            elif token.kind in ("name", "code", "line") and words and words[-1].text.lower() == "from":
                words = []  # "from `f(2)` we get", "from line 8": where it comes from, not what it was
            elif token.kind in ("name", "code") and not (words and words[-1].text.lower() in ("of", "for", "variable")):
                words = [
                    w for w in words if w.text.lower() in ("from", "instead", "rather", "old", "used", "of", "than")
                ][:2]
        return roles

    def _role(self, words: list[Token], roles: Roles, previous: Token | None) -> str:
        texts = [w.text.lower() for w in words]
        for k in range(len(texts) - 1, -1, -1):
            word = texts[k]
            if (
                word == "by"
                and not _REPLACED & set(texts)
                and not (roles.old and self.clause.says("replace", "replaces"))
            ):
                return "step"
            if word in ("but", "actually"):
                return "plain"
            if word in _REJECTS and (
                word not in _PAIRED or (texts[k + 1 : k + 2] == [_PAIRED[word]] and len(texts) - k <= 6)
            ):
                return "rejected"
            if word == "than" and "rather" in texts:
                return "rejected"
            if words[k].means("append") and self.names and (word not in _PASSIVE or k == len(texts) - 1):
                return "element"
            if word == "appending" and self.names:
                return "element"
            if word == "of" and texts[k - 1 : k] == ["place"]:
                return "old"  # "takes the place of 5"
            if word == "from" and {"call", "function", "expression"} & set(texts[k + 1 : k + 3]):
                continue  # "what comes back from the call is 5"
            if word in _STRONG_OLD or word == "from":
                return "old"
            if word in ("was", "were", "been") and ("had" in texts or (previous is None and self._later_value())):
                return "old"
            if word == "to" and texts[k - 1 : k] and texts[k - 1] in _EQUAL:
                return "plain"
            if word in _NEW:
                return "new"
            if word == "with" and {"replaced", "replace", "replaces", "replacing", "overwritten"} & set(texts):
                return "new"
            if word == "by":
                return "new"
            if word in _GIVEN and (
                self.functions
                and not self.names
                and (self.clause.means("call") or word in ("given", "for", "input", "inputs", "with", "on"))
                and self._later_value(len(roles.plain) + len(roles.arguments) + 1)
            ):
                return "arguments"
        return "plain"

    def _wrong(self, k: int) -> bool:
        """`5 is wrong`: the value here is rejected."""
        after = self.clause.tokens[k + 1 : k + 4]
        wrong = [t for t in after if t.means("wrong") and not t.means("right")]
        return (
            bool(wrong)
            and after[0].means("be")
            and self.clause.tokens[k].value is not None
            and (type(getattr(self.clause.tokens[k].value, "ref", None)) is not bool)
        )

    def _joins(self, k: int) -> bool:
        """Whether the value here is said to be appended to what is named after it: "2 is appended to `xs`"."""
        joined = False
        after = self.clause.tokens[k + 1 : k + 2]
        if after and after[0].text.lower() in ("appended", "added", "pushed", "inserted"):
            return True
        for token in self.clause.tokens[k + 1 : k + 9]:
            if token.kind == "value":
                return False
            if token.kind == "name":
                return joined
            joined = joined or (token.means("append") and token.text.lower() in _JOINED)
        return joined and not self.clause.of("name")

    def _onto(self, k: int) -> bool:
        """`append` is called on `xs` with the value here."""
        left = self.clause.tokens[:k]
        while left and left[-1].text.lower() in ("with", "argument", "value", "the", "item", "element"):
            left = left[:-1]
        if len(left) < 3 or len(left) == k or left[-1].kind != "name" or left[-2].text.lower() != "on":
            return False
        return any(t.means("append") for t in left[-5:-2])

    def _later_value(self, seen: int = 1) -> bool:
        return len(self.clause.of("value")) > seen


_GAINS = words_of("new last further another additional gains gain receives gets acquires")


def _last_element(words: list[Token]) -> bool:
    """`receives a new last element, ...`"""
    texts = [w.text.lower() for w in words]
    thing = {"element", "item", "entry", "member"} & set(texts[-3:])
    return bool(thing) and bool(_GAINS & set(texts))


__all__ = ["Roles"]

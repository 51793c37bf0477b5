"""One clause: what it is about, what it denies, which subject and which value it speaks of.

Guarantees: a subject is what stands nearest to the value, or what "it", "this" or a noun like "the result" means there;
where several could be meant, there is none.
"""

from __future__ import annotations

import ast
import itertools
import re
from dataclasses import replace

from semcoder.core import Value
from semcoder.monologue.english.clauses import Clause, places_only
from semcoder.monologue.english.lexicon import words_of
from semcoder.monologue.english.statements import Context, Place, Statement
from semcoder.monologue.english.tokens import Token, Vocabulary
from semcoder.monologue.english.values import Roles

RETURNS = words_of("return returns returned returning answer answers answered back deliver delivers delivered")
WEAK_RETURNS = words_of(
    "give gives gave given giving produce produces produced get gets yield yields receives receive outputs "
    "output evaluates ends finishes results result report reports"
)
PARTS = {"ends": "ends", "starts": "starts", "begins": "starts", "contains": "in", "includes": "in"}
_LOOPS = words_of(
    "loop loops looping iteration iterations iterating iterate items iterable iterator elements for/while"
)
_CONTAINERS = words_of("list dictionary dict string set tuple deque")
_FILLS = words_of("and so indeed but which here then yes no")
_ECHO = words_of("it this is was does do n't not")
#: "passes over the block", "passes control": a motion, not a test that comes out true.
_PASSES = words_of("pass passes passed passing")
_PAST = words_of("over by to on into control through along around straight directly")
_UNCHANGED = words_of("unchanged unmodified untouched intact unaltered unaffected")
_COMPARE = {"least": ">=", "most": "<=", "more": ">", "greater": ">", "larger": ">", "bigger": ">", "higher": ">",
            "above": ">", "over": ">", "exceeds": ">", "less": "<", "smaller": "<", "fewer": "<", "lower": "<",
            "below": "<", "under": "<"}  # fmt: skip


#: Kinds whose subject "it" can mean in what follows.
SUBJECTS = ("is", "truth", "returns", "prints", "raises", "step", "element")


class Reading:
    """What the statements of one clause are made from."""

    def __init__(
        self,
        clause: Clause,
        roles: dict[int, str],
        vocabulary: Vocabulary,
        context: Context,
        place: Place,
        blocks: set[int],
        skipped: set[int],
    ) -> None:
        self._clause = clause
        self._vocabulary = vocabulary
        self._context = context
        self._place = place
        self._line_roles = roles
        self._blocks = blocks
        self._skipped = skipped
        self._flipped = context.flipped
        self._that()
        self._words = {t.text.lower() for t in self._clause.tokens if t.kind == "word"}
        clause = self._clause
        self._functions = [t for t in clause.of("name") if t.text in vocabulary.functions]
        names = [t for t in clause.of("name") if t.text not in vocabulary.functions]
        # Where names stand in code spans, words that a variable happens to be called by are words.
        if clause.of("exception"):
            names = [t for t in names if t.span or t.text != "message"]
        self._names = [t for t in names if t.span] or names
        self._codes = clause.of("code")
        held = contents(clause.tokens)
        alone = not clause.of("value") or bool(self._functions and self._codes and held[-1] is self._codes[-1])
        if self._codes and self._codes[-1].value is not None and alone:
            made = replace(self._codes[-1], kind="value")  # `set()` where it is what comes out
            clause.tokens = [made if t is self._codes[-1] else t for t in clause.tokens]
            self._codes = self._codes[:-1]
        if self._functions:
            context.function = self._functions[-1].text
        self._values = Roles.of(
            clause, names=bool(self._names or context.only) or self._refers(), functions=bool(self._functions)
        )
        self._negations = sum(
            t.text.lower() in ("not", "n't", "never", "without", "nor", "no", "cannot", "nothing", "none")
            for t in clause.tokens
            if t.kind == "word"
        )

    def _refers(self) -> bool:
        """Whether a word stands for a variable of a clause before."""
        it = any(t.means("pronoun") and t.text.lower() != "that" for t in self._clause.tokens)
        return it and self._context.kind in ("is", "named") and self._context.subject.isidentifier()

    def _that(self) -> None:
        """`It is untrue that ...`: what follows is denied; `it is true that ...`: it is stated."""
        tokens = self._clause.tokens
        end = next((k for k, t in enumerate(tokens) if t.kind == "word" and t.text.lower() == "that"), None)
        head = tokens[:end] if end is not None else []
        if not head or len(head) > 6 or any(t.kind != "word" for t in head):
            return
        if not any(t.means("true", "false", "wrong", "right") or t.text.lower() == "case" for t in head):
            return
        if not any(t.text.lower() in ("it", "it's", "is") for t in head):
            return
        denied = any(t.means("wrong") for t in head) != (
            sum(t.text.lower() in ("not", "n't", "no", "never") for t in head) % 2 == 1
        )
        self._flipped = self._flipped != denied
        rest = tokens[(end or 0) + 1 :]
        self._clause = Clause(rest, self._clause.lead, self._clause.doubt)
        if rest and len(contents(rest)) == 1 and contents(rest)[0].kind == "code":
            truth = Token("word", "true", rest[-1].end, rest[-1].end, senses=frozenset({"true"}))
            verb = Token("word", "is", rest[-1].end, rest[-1].end, senses=frozenset({"be"}))
            self._clause.tokens = [*rest, verb, truth]

    def _says_something(self) -> bool:
        held = self._clause.of("value", "count", "code", "exception", "name")
        if not held and (places_only(self._clause) or self._clause.means("ask")):
            return False
        return bool(self._clause.of("value", "count", "code", "exception")) or (
            bool(self._clause.of("name", "line")) and len(self._clause.tokens) > 2
        )

    def _make(self, kind: str, **fields: object) -> Statement:
        statement = Statement(kind, "", self._clause.start, self._clause.end, self._place)
        statement = replace(statement, **fields)  # type: ignore[arg-type]
        return replace(statement, negated=statement.negated != self._flipped)

    @property
    def _odd(self) -> bool:
        """Whether the clause denies what it says."""
        return self._negations % 2 == 1

    def _compare(self) -> str:
        signs = [_COMPARE[w] for w in sorted(self._words) if w in _COMPARE]
        tokens = self._clause.tokens
        beside = {a.text.lower() for a, b in itertools.pairwise(tokens) if b.kind in ("count", "value")}
        if "than" not in self._words:  # "over 3", but not "over and over", "under line 3"
            signs = [
                _COMPARE[w] for w in sorted(self._words) if w in ("least", "most") or w in _COMPARE.keys() & beside
            ]
        return signs[0] if signs else "=="

    def _polarity(self) -> bool | None:
        """True or false, as the words say it; None where they say neither."""
        spoken = self._clause.tokens
        passing = [a for a, b in itertools.pairwise(spoken) if a.text.lower() in _PASSES and b.text.lower() in _PAST]
        tokens = [t for t in spoken if t.kind == "word" and not any(t is p for p in passing)]
        answers = [t for t in tokens if t.text.lower() in ("yes", "no")]
        bad = any(t.means("false", "fail") and t.text.lower() not in ("no",) for t in tokens)
        good = any(t.means("true", "succeed") and t.text.lower() not in ("yes",) for t in tokens)
        if not bad and not good:
            bools = [
                t for t in self._values.plain + self._values.new if t.value is not None and type(t.value.ref) is bool
            ]
            if bools and bools[-1].value is not None:
                return (bools[-1].value.ref is True) != self._odd
            rejected = [t for t in self._values.rejected if t.value is not None and type(t.value.ref) is bool]
            if rejected and rejected[-1].value is not None:
                return rejected[-1].value.ref is not True
            return answers[-1].text.lower() == "yes" if answers else None
        negations = self._negations - sum(t.text.lower() == "no" for t in answers)
        return (good and not bad) != (negations % 2 == 1)

    def _echoes(self) -> bool:
        """`(and) it is`, `it is not`, `it does`: the answer to what was asked in the clause before."""
        words = [t.text.lower() for t in self._clause.tokens if t.text.lower() not in _FILLS]
        if words == [] and len(self._clause.tokens) == 1 and self._words & {"yes", "no"}:
            return self._context.local  # "we ask whether ...: no"
        return self._context.local and words[:1] in (["it"], ["this"]) and 1 < len(words) <= 3 and set(words) <= _ECHO

    def _loops(self) -> bool:
        """Whether a loop is spoken of: "for" and "while" count only as code or before "loop"."""
        tokens = self._clause.tokens
        for k, token in enumerate(tokens):
            lower = token.text.lower()
            if token.kind == "word" and lower in _LOOPS:
                return True
            quoted = token.end - token.start > len(lower) or (tokens[k + 1 : k + 2] and tokens[k + 1].text == "loop")
            if token.kind == "word" and lower in ("for", "while") and quoted:
                return True
        return False

    def _free_block(self) -> bool:
        """Whether a body or a branch is spoken of that is not the one at the label beside it."""
        for token, after in itertools.pairwise(self._clause.tokens):
            placed = after.kind == "line" or after.text.lower() in ("at", "on", "in", "of", "starting", "i.e", "that")
            if token.means("branch") and not token.means("if") and not placed:
                return True
        return bool(self._words & {"take", "taken", "takes"})

    def _is_call(self, code: str) -> bool:
        """Whether it is a call of one of the program's own functions."""
        try:
            node = ast.parse(code.strip(), mode="eval").body
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return False
        return (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id in self._vocabulary.functions
        )

    def _given(self, first: Token, second: Token) -> bool:
        """Whether the words between two values say that the second is what comes out."""
        between = {t.text.lower() for t in self._clause.tokens if first.end <= t.start < second.start}
        return bool(between & (RETURNS | WEAK_RETURNS | {"obtain", "becomes"}))

    def _stated(self) -> tuple[Value | None, bool]:
        """The stated value of a clause, or the one that it denies."""
        main = self._values.main()
        if main is not None:
            return main.value, False
        rejected = self._values.rejected
        return (rejected[-1].value, True) if rejected else (None, False)

    def _held(self) -> str:
        """The variable that a clause with code is about: "`xs.append(2)` makes it ...", "... results in `xs` being"."""
        changed = re.match(r"(\w+)\.\w+\(", self._codes[0].text)
        if (
            changed is not None
            and "it" in self._words
            and self._words & {"makes", "turns", "leaves", "making", "leaving"}
        ):
            return changed.group(1)
        tokens = self._clause.tokens
        for k, token in enumerate(tokens[:-1]):
            after = tokens[k + 1]
            if token in self._names and k and after.means("be", "become") and any(t.kind == "code" for t in tokens[:k]):
                return token.text
        return ""

    def _same(self, subject: str) -> list[Statement]:
        """`x` is unchanged; ... and so is `y`."""
        changed = self._words & {"change", "changed", "changes", "modify", "modified", "modifies", "alter", "alters"}
        if subject.isidentifier() and (self._words & _UNCHANGED or (changed and self._odd)):
            return [self._make("same", subject=subject)]
        if "so" in self._words and self._words & {"is", "are", "does"} and self._context.value is not None:
            return [self._make("is", subject=subject, value=self._context.value)]
        return []

    def _pairs(self) -> list[tuple[Token, Token]]:
        """Several variables with a value each: "`a` with 1 and `b` with 2", "`a` and `b` are 1 and 2"."""
        names, values = self._names, self._clause.of("value")
        several = len({t.text for t in names}) == len(names) == len(values) > 1
        if not several or self._codes or self._negations or len(self._values.plain + self._values.new) != len(values):
            return []
        order = "".join(
            "n" if t.kind == "name" else "v" for t in self._clause.of("name", "value") if t in [*names, *values]
        )
        count = len(names)
        if order not in ("nv" * count, "vn" * count, "n" * count + "v" * count):
            return []
        return list(zip(names, values, strict=True))

    def _subject(self) -> str:
        names = [t.text for t in self._names]
        if self._codes:
            return self._held() or self._codes[0].text
        if names:
            return names[0] if len(set(names)) == 1 else ""
        refers = self._clause.means("pronoun") and not self._functions
        if "it" in self._vocabulary.names and not self._context.local:
            return "it" if "it" in self._words else ""  # it is the variable of that name
        nouns = {"result", "value", "outcome", "list", "dictionary", "string", "variable", "set", "tuple"}
        refers = refers or (self._context.local and bool(self._words & nouns))
        texts = [t.text.lower() for t in self._clause.tokens[:2]]
        whole = texts[:1] == ["the"] and bool(_CONTAINERS & set(texts)) and "now" in self._words
        refers = refers or (whole and self._context.kind == "is")
        return self._context.subject if refers and self._context.kind in ("is", "truth", "named") else ""


def contents(tokens: list[Token]) -> list[Token]:
    return [t for t in tokens if t.kind in ("code", "value", "name", "count", "exception")]


def properties(tokens: list[Token]) -> list[Token]:
    """Nouns like "length" where they are a property of something: "the length of `x`", "`x`'s length"."""
    found: list[Token] = []
    for k, token in enumerate(tokens):
        following = [t.text.lower() for t in tokens[k + 1 : k + 4]]
        previous = tokens[k - 1].text.lower() if k else ""
        if token.means("property") and (
            "of" in following or "in" in following[:1] or previous in ("'s", "s", "its", "their", "whose")
        ):
            found.append(token)
    return found


def is_test(code: str) -> bool:
    try:
        node = ast.parse(code.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return isinstance(node, (ast.Compare, ast.BoolOp)) or (
        isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not)
    )


__all__ = ["PARTS", "RETURNS", "SUBJECTS", "WEAK_RETURNS", "Reading", "is_test", "properties"]

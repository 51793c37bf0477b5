"""From clauses to statements: who is said to do or be what, where.

A statement is found by what a clause holds (typed tokens and senses of words), not by the order of its words: in
"`x` is 5", "5 is the value of x" and "line 3 puts 5 into `x`" the same name meets the same value. Where a value
stands for something else than "what it is then" (what it was before, an argument, a value that is rejected), the words
before it say so. What is left over is `unread`, never guessed at.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from semcoder.core import Value
from semcoder.monologue.english.clauses import Clause, SentenceTokens, clauses, line_role
from semcoder.monologue.english.lexicon import words_of
from semcoder.monologue.english.tokens import Token, Vocabulary
from semcoder.monologue.story import normal

Kind = str


#: The ordinal of an iteration 0: whoever says so counts from 0, and no one knows how far that goes.
ZEROTH = -3


@dataclass(frozen=True, slots=True)
class Place:
    """Where a statement holds: at, after or before a visit of a line (0: none named), in an iteration (0: any)."""

    line: int = 0
    when: str = "at"
    ordinal: int = 0
    again: bool = False
    past: bool = False


@dataclass(frozen=True, slots=True)
class Statement:
    """One thing that a text says. Which fields count depends on `kind` (see `judging`)."""

    kind: Kind
    text: str
    start: int
    end: int
    place: Place = Place()
    subject: str = ""
    value: Value | None = None
    old: Value | None = None
    arguments: tuple[Value, ...] = ()
    truth: bool = True
    negated: bool = False
    changes: bool = False
    number: int = 0
    compare: str = "=="
    target: int = 0
    final: bool = False


@dataclass(slots=True)
class _Context:
    """What later clauses can refer back to."""

    subject: str = ""
    kind: str = ""
    call: tuple[str, tuple[Value, ...]] | None = None


def read(sentence_list: list[SentenceTokens], vocabulary: Vocabulary, text: str) -> Iterator[list[Statement]]:
    """The statements of each sentence, in order; sentences that state nothing are left out."""
    context = _Context()
    question: SentenceTokens | None = None
    for sentence in sentence_list:
        if sentence.asks:
            question = sentence
            continue
        if question is not None and [t.text.lower() for t in sentence.tokens] in (["yes"], ["no"]):
            sentence = SentenceTokens([*question.tokens, *sentence.tokens], False)
        question = None
        found = _Sentence(sentence, vocabulary, text, context).statements()
        if found:
            yield found


class _Sentence:
    def __init__(self, sentence: SentenceTokens, vocabulary: Vocabulary, text: str, context: _Context) -> None:
        self._tokens = sentence.tokens
        self._vocabulary = vocabulary
        self._text = text
        self._context = context
        self._roles = {id(t): line_role(self._tokens, k) for k, t in enumerate(self._tokens) if t.kind == "line"}
        self._clauses = clauses(sentence)
        self._lines()

    def _lines(self) -> None:
        """Of several labels one is where the sentence is and the others are where it goes."""
        lines = [t for t in self._tokens if t.kind == "line"]
        if len(lines) == 1:
            if any(lines[0] in c.tokens and c.of("value") for c in self._clauses):
                self._roles[id(lines[0])] = "at" if self._roles[id(lines[0])] == "to" else self._roles[id(lines[0])]
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
                list(_Reader(clause, self._roles, self._vocabulary, self._context, place).read())  # what "it" is then
                continue
            stated = True
            for statement in _Reader(clause, self._roles, self._vocabulary, self._context, place).read():
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
        if not stated and any(c.of("value", "code", "count", "exception") for c in self._clauses):
            start, end = self._clauses[0].start, self._clauses[-1].end
            found.append(Statement("doubt", self._text[start:end], start, end))
        return _past_first(found)

    def _first_place(self) -> Place:
        """The label of the sentence, for clauses that stand before it."""
        lines = [t for t in self._tokens if t.kind == "line" and self._roles[id(t)] != "to"]
        return Place(lines[0].number, "at") if lines else Place()

    def _place(self, clause: Clause, last: Place) -> Place:
        place = last
        for token in clause.of("line"):
            if self._roles[id(token)] != "to":
                place = Place(token.number, self._roles[id(token)], place.ordinal)
        for token in clause.of("ordinal"):
            place = replace(place, ordinal=token.number or ZEROTH)
        if clause.says("afterwards", "afterward", "thereafter"):
            place = replace(place, when="after")
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


_RETURNS = words_of(
    "return returns returned returning answer answers answered yields yielded back deliver delivers delivered"
)
_WEAK_RETURNS = words_of(
    "give gives gave given giving produce produces produced get gets yield yields receives receive outputs "
    "output evaluates ends finishes results result report reports"
)
_REJECTS = frozenset(("not", "n't", "never", "instead", "rather", "unlike", "nor"))
_STRONG_OLD = words_of("previously formerly originally old previous former used initially starting longer")
_COMPARE = {"least": ">=", "most": "<=", "more": ">", "greater": ">", "larger": ">", "bigger": ">", "higher": ">",
            "above": ">", "over": ">", "exceeds": ">", "less": "<", "smaller": "<", "fewer": "<", "lower": "<",
            "below": "<", "under": "<"}  # fmt: skip


@dataclass(slots=True)
class _Roles:
    """The values of a clause by what they stand for."""

    plain: list[Token] = field(default_factory=list)
    old: list[Token] = field(default_factory=list)
    new: list[Token] = field(default_factory=list)
    rejected: list[Token] = field(default_factory=list)
    arguments: list[Token] = field(default_factory=list)
    step: list[Token] = field(default_factory=list)
    element: list[Token] = field(default_factory=list)

    def main(self) -> Token | None:
        """The value that is stated."""
        return next(iter([*self.new[-1:], *self.plain[-1:]]), None)


class _Reader:
    """Reads one clause."""

    def __init__(
        self, clause: Clause, roles: dict[int, str], vocabulary: Vocabulary, context: _Context, place: Place
    ) -> None:
        self._clause = clause
        self._vocabulary = vocabulary
        self._context = context
        self._place = place
        self._line_roles = roles
        self._flipped = False
        self._that()
        self._words = {t.text.lower() for t in self._clause.tokens if t.kind == "word"}
        clause = self._clause
        self._functions = [t for t in clause.of("name") if t.text in vocabulary.functions]
        names = [t for t in clause.of("name") if t.text not in vocabulary.functions]
        # Where names stand in code spans, words that a variable happens to be called by are words.
        self._names = [t for t in names if t.span] or names
        self._codes = clause.of("code")
        self._values = self._value_roles()
        self._negations = sum(
            t.text.lower() in ("not", "n't", "never", "without", "nor", "no", "cannot", "nothing", "none")
            for t in clause.tokens
            if t.kind == "word"
        )

    # -- what a clause as a whole is about

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
        self._flipped = denied
        rest = tokens[(end or 0) + 1 :]
        self._clause = Clause(rest, self._clause.lead, self._clause.doubt)
        if rest and len(_contents(rest)) == 1 and _contents(rest)[0].kind == "code":
            truth = Token("word", "true", rest[-1].end, rest[-1].end, senses=frozenset({"true"}))
            verb = Token("word", "is", rest[-1].end, rest[-1].end, senses=frozenset({"be"}))
            self._clause.tokens = [*rest, verb, truth]

    def read(self) -> list[Statement]:
        if not self._clause.tokens:
            return []
        found: list[Statement] = []
        for attempt in (
            self._raises, self._counts, self._ends, self._truths, self._branches, self._orders, self._prints,
            self._calls, self._returns, self._is, self._runs,
        ):  # fmt: skip
            found.extend(attempt() if not found or attempt == self._orders else [])
        if not found and self._says_something():
            found = [self._make("unread")]
        for statement in found:
            self._remember(statement)
        return found

    def _remember(self, statement: Statement) -> None:
        if statement.kind in ("is", "truth", "returns", "prints", "raises"):
            inner = re.fullmatch(r"(?:len|sum|min|max)\((\w+)\)", statement.subject)
            self._context.subject = inner.group(1) if inner is not None and self._names else statement.subject
            self._context.kind = statement.kind

    def _says_something(self) -> bool:
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

    # -- values

    def _value_roles(self) -> _Roles:
        roles = _Roles()
        words: list[Token] = []
        previous: Token | None = None
        several = len(self._clause.of("value")) > 1
        for k, token in enumerate(self._clause.tokens):
            if token.kind == "value":
                following = self._clause.tokens[k + 1].text.lower() if k + 1 < len(self._clause.tokens) else ""
                role = {"before": "old", "beforehand": "old", "after": "new", "afterwards": "new"}.get(following, "")
                role = role if role and several else self._role(words, roles, previous)
                getattr(roles, role).append(token)
                previous, words = token, []
            elif token.kind == "word":
                words.append(token)
            elif token.kind in ("name", "code") and not (words and words[-1].text.lower() in ("of", "for", "variable")):
                words = [w for w in words if w.text.lower() in ("from", "instead", "rather", "old", "used")][:2]
        return roles

    def _role(self, words: list[Token], roles: _Roles, previous: Token | None) -> str:
        texts = [w.text.lower() for w in words]
        for k in range(len(texts) - 1, -1, -1):
            word = texts[k]
            if word == "by" and not any(
                w in texts
                for w in (
                    "replaced",
                    "returned",
                    "followed",
                    "overwritten",
                    "superseded",
                    "returning",
                    "giving",
                    "printing",
                    "yielding",
                )
            ):
                return "step"
            if word in ("but", "actually"):
                return "plain"
            if word in _REJECTS:
                return "rejected"
            if word == "than" and "rather" in texts:
                return "rejected"
            if words[k].means("append") and self._names and word not in ("include", "includes"):
                return "element"
            if word in _STRONG_OLD or word == "from":
                return "old"
            if word in ("was", "were", "been") and ("had" in texts or (previous is None and self._later_value())):
                return "old"
            if word in (
                "to",
                "into",
                "becomes",
                "became",
                "become",
                "now",
                "new",
                "->",
                "→",
                "afterwards",
                "then",
                "-->",
            ):
                return "new"
            if word == "with" and any(
                w in texts for w in ("replaced", "replace", "replaces", "replacing", "overwritten")
            ):
                return "new"
            if word == "by":
                return "new"
            if word in (
                "with",
                "given",
                "arguments",
                "argument",
                "on",
                "for",
                "input",
                "inputs",
                "args",
                "receives",
            ) and (
                self._functions
                and not any(t.kind in ("name",) for t in self._names)
                and (self._clause.means("call") or word in ("given", "for", "input", "inputs", "with", "on"))
                and self._later_value(len(roles.plain) + len(roles.arguments) + 1)
            ):
                return "arguments"
        return "plain"

    def _later_value(self, seen: int = 1) -> bool:
        return len(self._clause.of("value")) > seen

    # -- kinds of statements, in the order in which they are tried

    def _raises(self) -> list[Statement]:
        clause = self._clause
        kinds = clause.of("exception")
        message = next((t.value for t in [*self._values.plain, *self._values.new, *self._values.arguments]), None)
        if kinds:
            kind = "caught" if clause.means("catch") and "not" not in self._words else "raises"
            return [self._make(kind, subject=kinds[0].text, value=message, negated=self._odd)]
        if "message" in self._words and message is not None and self._context.kind == "raises":
            return [self._make("raises", subject=self._context.subject, value=message, negated=self._odd)]
        raised = {"raise", "raises", "raised", "throw", "throws", "thrown"} & self._words
        if (clause.means("exception") and self._odd) or (raised and self._odd and not clause.of("value")):
            return [self._make("raises", negated=True)]
        return []

    def _counts(self) -> list[Statement]:
        clause = self._clause
        counts = clause.of("count")
        loops = clause.means("for_loop") or clause.of("count") or self._place.line
        if counts and self._functions and clause.means("call"):
            return [
                self._make("calls", subject=self._functions[0].text, number=counts[0].number, compare=self._compare())
            ]
        if counts and not clause.of("value") and loops:
            return [
                self._make(
                    "count",
                    number=counts[0].number,
                    compare=self._compare(),
                    negated=False,
                    truth=bool(
                        self._words
                        & {"loop", "iteration", "iterations", "iterates", "body", "pass", "passes", "rounds", "iterate"}
                    ),
                )
            ]
        total = self._values.main()
        if (
            total is not None
            and total.value is not None
            and type(total.value.ref) is int
            and clause.means("loop")
            and (
                self._words & {"iterations", "passes", "rounds", "repetitions", "iteration"}
                and self._words & {"number", "count", "total", "many"}
                and not self._names
                and not self._codes
            )
        ):
            return [self._make("count", number=total.value.ref, truth=True)]
        never = self._odd and not clause.of("value", "code", "ordinal") and clause.means("iterate", "execute", "enter")
        if (
            never
            and not clause.means("finish")
            and "continue" not in self._words
            and "if" not in self._words
            and "branch" not in self._words
            and clause.means("for_loop")
        ):
            return [self._make("count", number=0)]
        return []

    def _compare(self) -> str:
        signs = [_COMPARE[w] for w in sorted(self._words) if w in _COMPARE]
        if "over" in self._words and "than" not in self._words:
            signs = [s for s in signs if s in (">=", "<=")]
        return signs[0] if signs else "=="

    def _ends(self) -> list[Statement]:
        clause = self._clause
        if clause.of("value", "code", "count") or self._names or self._functions:
            return []
        loop = bool(
            self._words
            & {
                "loop",
                "loops",
                "looping",
                "for",
                "while",
                "iteration",
                "iterating",
                "iterate",
                "items",
                "iterable",
                "iterator",
                "elements",
            }
        )
        nothing = bool({"nothing", "no"} & self._words) and bool(
            {"left", "more", "remaining", "items", "elements", "further"} & self._words
        )
        last = [t for t in clause.of("ordinal") if t.number == -1]
        if last and clause.means("be", "finish"):
            return [self._make("ends", place=replace(self._place, ordinal=0))]
        if loop and self._odd and self._words & {"continue", "repeat", "restart"}:
            return [self._make("ends")]
        if loop and (nothing or (clause.means("finish") or self._words & {"done", "over", "exhausted"})):
            if clause.of("ordinal"):
                return []
            return [self._make("ends", negated=self._odd and not nothing)]
        return []

    def _polarity(self) -> bool | None:
        """True or false, as the words say it; None where they say neither."""
        tokens = [t for t in self._clause.tokens if t.kind == "word"]
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

    def _truths(self) -> list[Statement]:
        clause = self._clause
        truth = self._polarity()
        others = [t for t in clause.of("value") if t.value is not None and type(t.value.ref) is not bool]
        if truth is None or others or clause.of("exception", "count"):
            return []
        bools = clause.of("value")
        if self._codes and not self._is_call(self._codes[-1].text):
            code = self._codes[-1].text
            if bools and not clause.means("condition", "ask") and not _is_test(code):
                return []
            return [self._make("truth", subject=code, truth=truth)]
        if self._codes and not bools:
            return [self._make("truth", subject=self._codes[-1].text, truth=truth)]
        words = bool(self._words & {"true", "false", "truthy", "falsy"})
        if self._names and not bools and (words or self._words & {"holds", "hold"} or clause.means("condition", "ask")):
            return [self._make("truth", subject=self._names[-1].text, truth=truth)]
        if self._names and bools and clause.means("condition"):
            return [self._make("truth", subject=self._names[-1].text, truth=truth)]
        if self._names or self._functions:
            return []
        if (
            clause.means("condition", "branch")
            or (clause.of("line") and (words or bools))
            or (clause.means("pronoun") and self._context.kind == "truth" and (words or bools))
        ):
            subject = self._context.subject if not clause.means("condition", "branch") and not clause.of("line") else ""
            return [self._make("truth", subject=subject, truth=truth)]
        return []

    def _branches(self) -> list[Statement]:
        clause = self._clause
        if clause.of("value", "count", "exception") or not clause.means("branch"):
            return []
        skips = clause.means("skip") or bool(self._words & {"past", "over", "around", "beyond", "bypassed", "outside"})
        enters = clause.means("enter", "execute") or bool(self._words & {"into", "inside", "through"})
        if not skips and not enters:
            return []
        if self._words & {"loop", "loops", "for", "while"} and "if" not in self._words and "branch" not in self._words:
            return []
        taken = (not skips) != self._odd
        if clause.means("else"):
            taken = not taken
        return [self._make("branch", truth=taken)]

    def _orders(self) -> list[Statement]:
        targets = [t for t in self._clause.of("line") if self._line_roles[id(t)] == "to"]
        labels = [t for t in self._clause.of("line") if self._line_roles[id(t)] != "to"]
        if not targets and len(labels) == 2 and not self._clause.of("value", "code", "count"):
            first, second = labels
            roles = [self._line_roles[id(t)] for t in labels]
            if roles == ["at", "after"]:
                first, second = second, first
            targets, place = [second], Place(first.number, "at", self._place.ordinal)
        else:
            place = self._place
        if not targets or self._clause.of("value"):
            return []
        return [
            self._make(
                "order", target=targets[-1].number, place=place, negated=self._odd and not self._clause.means("branch")
            )
        ]

    def _prints(self) -> list[Statement]:
        main = self._values.main()
        strong = bool(
            self._words
            & {
                "print",
                "prints",
                "printed",
                "printing",
                "stdout",
                "screen",
                "console",
                "terminal",
                "displayed",
                "displays",
                "display",
                "echo",
                "echoes",
                "emits",
                "standard",
            }
        )
        weak = bool(self._words & {"output", "outputs", "writes", "written", "write", "shows"}) and not self._names
        if self._odd and strong and main is None:
            return [self._make("prints", negated=True)]
        if main is None or not (strong or weak):
            return []
        returned = self._words & _RETURNS
        if returned:
            return []
        kind = "prints" if strong or "writes" in self._words or "written" in self._words else "gives"
        return [self._make(kind, value=main.value, negated=self._odd)]

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

    def _calls(self) -> list[Statement]:
        main = self._values.main()
        call = next((t for t in self._codes if self._is_call(t.text)), None)
        if call is not None:
            value, negated = self._stated()
            if value is not None:
                return [self._make("call", subject=call.text, value=value, negated=negated)]
            return []
        given = tuple(t.value for t in self._values.arguments if t.value is not None)
        if self._functions and given and main is not None:
            return [self._make("call", subject=self._functions[0].text, arguments=given, value=main.value)]
        only = self._clause.of("value")
        if self._functions and only and self._clause.means("call") and not self._words & (_RETURNS | {"result"}):
            values = tuple(t.value for t in only if t.value is not None)
            self._context.call = (self._functions[0].text, values)
            return [self._make("called", subject=self._functions[0].text, arguments=values)]
        return []

    def _stated(self) -> tuple[Value | None, bool]:
        """The stated value of a clause, or the one that it denies."""
        main = self._values.main()
        if main is not None:
            return main.value, False
        rejected = self._values.rejected
        return (rejected[-1].value, True) if rejected else (None, False)

    def _returns(self) -> list[Statement]:
        clause = self._clause
        value, negated = self._stated()
        strong = bool(self._words & _RETURNS)
        weak = bool(self._words & _WEAK_RETURNS) or clause.means("result", "function", "return")
        pronoun = clause.means("pronoun") and self._context.kind == "returns" and not self._names and not self._codes
        if value is None and not self._names and not self._codes:
            if strong and self._odd and (self._functions or clause.means("function")):
                return [self._make("returns", negated=True)]
            if strong and "nothing" in self._words:
                return [self._make("returns", value=Value.of(None))]
            return []
        if value is None or self._values.element or self._values.step:
            return []
        if clause.means("wrong") and not self._names and not self._codes and not self._odd and not negated:
            return [self._make("returns", value=value, negated=True)]
        own = self._names or self._codes
        if own and not (strong and self._words & {"return", "returns", "returned"}):
            return []
        if own and self._codes and "of" in self._words and "result" in self._words:
            return []
        if not (strong or self._functions or pronoun or weak or self._words & {"right", "correct"}):
            return []
        function = self._functions[0].text if self._functions else ""
        if self._context.call is not None and (not function or function == self._context.call[0]):
            name, given = self._context.call
            self._context.call = None
            return [self._make("call", subject=name, arguments=given, value=value, negated=negated)]
        final = bool(self._words & {"call", "final", "answer", "output", "end", "overall", "finally"})
        return [self._make("returns", subject=function, value=value, negated=negated, final=final)]

    def _is(self) -> list[Statement]:
        clause = self._clause
        roles = self._values
        value, negated = self._stated()
        subject = self._subject()
        vague = self._words & {
            "about",
            "approximately",
            "roughly",
            "nearly",
            "almost",
            "similar",
            "divisible",
            "multiple",
            "between",
            "odd",
            "even",
            "close",
        }
        vague |= (
            self._words & {"starts", "begins", "ends"}
            if {"with"} & self._words and not clause.of("line", "ordinal")
            else set()
        )
        if not subject or vague:
            return []
        if roles.step and value is None and not roles.old:
            step = roles.step[0].value
            return [
                self._make(
                    "step",
                    subject=subject,
                    value=step,
                    truth=not self._words
                    & {
                        "decreases",
                        "decreased",
                        "decremented",
                        "decrements",
                        "drops",
                        "falls",
                        "reduced",
                        "shrinks",
                        "lowered",
                    },
                )
            ]
        if roles.element and value is None:
            return [self._make("element", subject=subject, value=roles.element[0].value, negated=self._odd)]
        properties = _properties(clause.tokens)
        if properties:
            named = properties[0].text.lower()
            wrapped = {
                "length": "len",
                "size": "len",
                "len": "len",
                "sum": "sum",
                "maximum": "max",
                "minimum": "min",
            }.get(named)
            if wrapped is None and named not in ("values", "value", "number", "items", "key", "index", "count"):
                return []
            if wrapped is None and "of" in self._words and named in ("number", "index"):
                return []
            subject = f"{wrapped}({subject})" if wrapped else subject
        sign = self._compare() if "than" in self._words or self._words & {"least", "most"} else "=="
        if "rather" in self._words or "other" in self._words:
            sign = "=="
        if value is None:
            if roles.old:
                return [
                    self._make(
                        "is", subject=subject, value=roles.old[0].value, place=replace(self._place, when="before")
                    )
                ]
            return []
        old = roles.old[0].value if roles.old else None
        arrow = clause.means("arrow") and not clause.means("become") and not roles.old and len(clause.of("value")) == 1
        changed = (clause.means("become", "arrow") or bool(roles.new)) and not arrow
        if old is None and len(roles.plain) + len(roles.new) == 2 and roles.plain and (roles.new or changed):
            old = roles.plain[0].value
        elif len(roles.plain) + len(roles.new) > 1 and old is None:
            return []
        stative = not changed or self._place.when == "before"
        kind = "holds" if self._words & {"contains", "contain", "includes", "include"} else "is"
        return [
            self._make(kind, subject=subject, value=value, old=old, negated=negated, changes=not stative, compare=sign)
        ]

    def _subject(self) -> str:
        names = [t.text for t in self._names]
        if self._codes:
            return self._codes[0].text
        if names:
            return names[0] if len(set(names)) == 1 else ""
        refers = self._clause.means("pronoun") and not self._functions
        return self._context.subject if refers and self._context.kind in ("is", "truth") else ""

    def _runs(self) -> list[Statement]:
        clause = self._clause
        labels = [t for t in clause.of("line") if self._line_roles[id(t)] != "to"]
        if clause.of("value", "code", "count", "name") or (not labels and not clause.of("ordinal")):
            return []
        if clause.of("ordinal") and clause.means("iterate", "execute", "be", "loop"):
            return [self._make("round")]
        if labels and (clause.means("execute", "iterate", "skip", "move", "finish") or self._words & {"again", "next"}):
            odd = self._odd != clause.means("skip")
            return [self._make("runs", negated=odd)]
        return []


def _contents(tokens: list[Token]) -> list[Token]:
    return [t for t in tokens if t.kind in ("code", "value", "name", "count", "exception")]


def _properties(tokens: list[Token]) -> list[Token]:
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


def _is_test(code: str) -> bool:
    try:
        node = ast.parse(code.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return isinstance(node, (ast.Compare, ast.BoolOp)) or (
        isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not)
    )


__all__ = ["Place", "Statement", "normal", "read"]

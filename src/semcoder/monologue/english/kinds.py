"""The kinds of statements, in the order in which they are tried on a clause.

Guarantees: what a clause holds decides which kinds it can be; what fits none is `unread`, and only if it holds anything
that could be checked.
"""

from __future__ import annotations

import itertools
import re
from dataclasses import replace

from semcoder.core import Value
from semcoder.monologue.english.clauses import places_only
from semcoder.monologue.english.lexicon import words_of
from semcoder.monologue.english.reading import PARTS, RETURNS, SUBJECTS, WEAK_RETURNS, Reading, is_test, properties
from semcoder.monologue.english.statements import Place, Statement
from semcoder.monologue.english.tokens import Token

_ONLY = words_of("but rather and instead actually simply just really")


_VAGUE = words_of("about approximately roughly nearly almost similar divisible multiple between odd even close")
_WRAPPED = {"length": "len", "size": "len", "len": "len", "sum": "sum", "maximum": "max", "minimum": "min"}
_FALLS = words_of("decreases decreased decremented decrements drops falls reduced shrinks lowered")
_GROWS = (
    words_of("grows grew increases increased rises rose incremented increments goes went up down extended") | _FALLS
)
_REASONS = words_of("since because as so and but")
_GOES = words_of(
    "then next after before follows followed follow following precedes preceded preceding leads successor subsequently "
    "first second immediately directly straight continues continue afterwards on back up down from to until"
)


class Reader(Reading):
    """Reads one clause."""

    def read(self) -> list[Statement]:
        if not self._clause.tokens:
            return []
        found: list[Statement] = []
        for attempt in (
            self._raises, self._counts, self._ends, self._truths, self._branches, self._orders, self._prints,
            self._calls, self._returns, self._is, self._runs,
        ):  # fmt: skip
            # Labels beside a branch make no claim of order, unless control is said to go to one.
            ordered = all(s.kind != "branch" for s in found) or self._words & {"to", "next", "then", "onto"}
            more = attempt == self._orders and ordered
            found.extend(attempt() if not found or more else [])
        if not found and self._says_something():
            told = next(iter(clause_values), None) if (clause_values := self._clause.of("value", "count")) else None
            found = [self._make("unread", value=told.value or Value.of(told.number) if told is not None else None)]
        for statement in found:
            self._context.local = self._context.local or statement.kind in SUBJECTS
            self._remember(statement)
        named = [*self._codes[-1:], *self._names[-1:]]
        if named and not any(s.kind in SUBJECTS for s in found):
            self._context.subject, self._context.kind, self._context.local = named[0].text, "named", True
        if self._codes and (is_test(self._codes[-1].text) or self._clause.means("condition", "ask")):
            self._context.test = self._codes[-1].text
        return found

    def _remember(self, statement: Statement) -> None:
        if statement.kind in ("is", "truth", "returns", "prints", "raises"):
            inner = re.fullmatch(r"(?:len|sum|min|max)\((\w+)\)", statement.subject)
            self._context.subject = inner.group(1) if inner is not None and self._names else statement.subject
            self._context.kind = statement.kind
            self._context.value = statement.value if statement.kind == "is" and not statement.negated else None
        elif statement.kind in ("step", "element"):
            self._context.subject, self._context.kind = statement.subject, "is"

    def _raises(self) -> list[Statement]:
        clause = self._clause
        kinds = clause.of("exception")
        message = next((t.value for t in [*self._values.plain, *self._values.new, *self._values.arguments]), None)
        spelled = [t for t in [*self._codes, *self._names] if t.span]
        if kinds and message is None and spelled and not clause.of("value"):
            message = Value.of(spelled[-1].text)
        if kinds:
            kind = "caught" if clause.means("catch") and "not" not in self._words else "raises"
            return [self._make(kind, subject=kinds[0].text, value=message, negated=self._denies(kinds[0]))]
        if "message" in self._words and message is not None and self._context.kind == "raises":
            return [self._make("raises", subject=self._context.subject, value=message, negated=self._odd)]
        raised = {"raise", "raises", "raised", "throw", "throws", "thrown"} & self._words
        if (clause.means("exception") and self._odd) or (raised and self._odd and not clause.of("value")):
            return [self._make("raises", negated=True)]
        return []

    def _denies(self, token: Token) -> bool:
        """Whether the clause denies what stands here; what stands before a reason is of no account."""
        at = next(k for k, t in enumerate(self._clause.tokens) if t is token)
        cut = max((k for k in range(at) if self._clause.tokens[k].text.lower() in _REASONS), default=-1)
        words = [t.text.lower() for t in self._clause.tokens[:cut] if t.kind == "word"] if cut > 0 else []
        return self._odd != (sum(w in ("not", "n't", "no", "never") for w in words) % 2 == 1)

    def _counts(self) -> list[Statement]:
        clause = self._clause
        counts = clause.of("count")
        loops = clause.means("for_loop") or clause.of("count") or self._place.line
        if counts and self._functions and clause.means("call"):
            return [
                self._make("calls", subject=self._functions[0].text, number=counts[0].number, compare=self._compare())
            ]
        if counts and not clause.of("value") and loops:
            chosen = counts[-1] if "but" in self._words else counts[0]
            denied = self._odd and chosen.number > 0 and "but" not in self._words and not self._words & {"more", "less"}
            return [
                self._make(
                    "count",
                    number=chosen.number,
                    compare=self._compare(),
                    negated=denied,
                    tests=bool(self._words & {"test", "condition", "check", "tested", "checked", "header"})
                    and not self._words & {"body", "iterations", "passes"},
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
                (
                    self._words & {"iterations", "passes", "rounds", "repetitions", "cycles", "trips"}
                    or self._words & {"count", "total", "many", "times", "counter"}
                    or ("number", "of") in itertools.pairwise(t.text.lower() for t in clause.tokens)
                )
                and not self._names
                and not self._codes
            )
        ):
            return [self._make("count", number=total.value.ref, truth=True)]
        if self._words & {"more", "further", "additional"} and not clause.of("count"):
            return []
        if self._words & {"again", "anymore", "longer", "remain", "remains", "left"} and not clause.of("count"):
            return []
        never = (
            (self._odd or clause.means("skip"))
            and not clause.of("value", "code", "ordinal")
            and clause.means("iterate", "execute", "enter", "skip")
        )
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

    def _ends(self) -> list[Statement]:
        clause = self._clause
        if clause.of("value", "code", "count") or self._names or self._functions:
            return []
        loop = self._loops()
        nothing = bool({"nothing", "no"} & self._words) and bool(
            {"left", "more", "remaining", "remain", "remains", "items", "elements", "further"} & self._words
        )
        loop = loop or (nothing and bool(self._words & {"passes", "rounds", "cycles", "repetitions", "laps", "turns"}))
        if (
            loop
            and self._words & {"out", "past"}
            and clause.means("move", "be")
            and not clause.of("line", "ordinal")[1:]
        ):
            return [self._make("ends", negated=self._odd)]
        last = [t for t in clause.of("ordinal") if t.number == -1]
        if last and clause.means("be", "finish"):
            return [self._make("ends", place=replace(self._place, ordinal=0))]
        again = self._words & {"continue", "repeat", "restart", "further", "again", "another", "anymore", "longer"}
        if self._odd and again and (loop or clause.means("iteration")) and "if" not in self._words:
            return [self._make("ends")]
        if loop and (nothing or (clause.means("finish") or self._words & {"done", "over", "exhausted"})):
            if clause.of("ordinal"):
                return []
            return [self._make("ends", negated=self._odd and not nothing)]
        return []

    def _truths(self) -> list[Statement]:
        clause = self._clause
        truth = self._polarity()
        if self._context.kind in ("truth", "named") and self._echoes():
            about = self._context.test or self._context.subject
            return [self._make("truth", subject=about, truth=not self._odd if truth is None else truth)]
        others = [t for t in clause.of("value") if t.value is not None and type(t.value.ref) is not bool]
        if truth is None or others or clause.of("exception", "count"):
            return []
        bools = clause.of("value")
        if clause.means("pronoun", "become") and bools and self._context.kind == "is" and not self._context.test:
            return []  # "line 4 makes it False"
        if self._codes and not self._is_call(self._codes[-1].text):
            code = self._codes[-1].text
            if bools and not clause.means("condition", "ask") and not is_test(code):
                return []
            always = bool(self._words & {"always", "never"}) or {"every", "time"} <= self._words
            return [self._make("always" if always else "truth", subject=code, truth=truth)]
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
            or (clause.means("pronoun") and self._context.kind in ("truth", "named") and (words or bools))
            or (self._words & {"it", "this"} and self._context.test and not clause.of("line"))
            or ("answer" in self._words and self._context.kind in ("truth", "named") and self._words & {"yes", "no"})
        ):
            about = self._context.test or self._context.subject
            subject = about if not clause.means("condition", "branch") and not clause.of("line") else ""
            return [self._make("truth", subject=subject, truth=truth)]
        return []

    def _branches(self) -> list[Statement]:
        clause = self._clause
        if clause.of("value", "count", "exception") or not clause.means("branch"):
            return []
        if any(id(t) in self._blocks for t in clause.of("line")) and not self._free_block():
            return []  # the order of lines says it
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
        ordered = self._words & _GOES or self._clause.means("move", "arrow", "follow", "execute", "finish")
        if not targets and len(labels) == 2 and ordered and not self._clause.of("value", "code", "count"):
            first, second = labels
            roles = [self._line_roles[id(t)] for t in labels]
            if roles == ["at", "after"]:
                first, second = second, first
            targets, place = [second], Place(first.number, "at", self._place.ordinal)
        else:
            place = self._place
        if not targets or self._clause.of("value"):
            return []
        skipped = id(targets[-1]) in self._skipped
        return [self._make("order", target=targets[-1].number, place=replace(place, when="at"), negated=skipped)]

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
        text = next((t for t in self._clause.of("code", "name", "exception") if t.span), None) if strong else None
        if self._odd and strong and main is None and text is not None:  # "it does not print `missing`"
            return [self._make("prints", value=Value.of(text.text), negated=True, sure=text.kind != "name")]
        if self._odd and strong and main is None:
            return [self._make("prints", negated=True)]
        if main is None and text is not None and not self._odd and not self._words & RETURNS:
            return [self._make("prints", value=Value.of(text.text))]
        if main is None or not (strong or weak) or self._words & RETURNS:
            return []
        kind = "prints" if strong or "writes" in self._words or "written" in self._words else "gives"
        kind = "prints" if "line" in self._words and weak else kind  # "the next line of output"
        written = Value.of(main.text) if main.span else None
        return [self._make(kind, value=main.value, old=written, negated=self._odd)]

    def _calls(self) -> list[Statement]:
        main = self._values.main()
        call = next((t for t in self._codes if self._is_call(t.text)), None)
        own = (
            call is not None and call.text.endswith("()") and self._place.line and self._words & (RETURNS | {"result"})
        )
        if call is not None and own:  # "the `return` on line 3 ends `f()` with the result 5"
            self._functions, self._codes = [replace(call, text=call.text[:-2])], []
        elif call is not None:
            value, negated = self._stated()
            if value is not None:
                return [self._make("call", subject=call.text, value=value, negated=negated)]
            return []
        given = tuple(t.value for t in self._values.arguments if t.value is not None)
        if self._functions and given and main is not None:
            return [self._make("call", subject=self._functions[0].text, arguments=given, value=main.value)]
        only = self._clause.of("value")
        if self._functions and len(only) > 1 and self._clause.means("call") and self._given(only[-2], only[-1]):
            values = tuple(t.value for t in only[:-1] if t.value is not None)
            return [self._make("call", subject=self._functions[0].text, arguments=values, value=only[-1].value)]
        if self._functions and only and self._clause.means("call") and not self._words & (RETURNS | {"result"}):
            values = tuple(t.value for t in only if t.value is not None)
            self._context.call = (self._functions[0].text, values)
            return [self._make("called", subject=self._functions[0].text, arguments=values)]
        return []

    def _returns(self) -> list[Statement]:
        clause = self._clause
        value, negated = self._stated()
        strong = bool(self._words & RETURNS)
        weak = bool(self._words & WEAK_RETURNS) or clause.means("result", "function", "return")
        pronoun = clause.means("pronoun") and self._context.kind == "returns" and not self._names and not self._codes
        bare = self._context.kind == "returns" and self._words <= _ONLY and not clause.of("name", "code", "line")
        pronoun = pronoun or bare
        if value is None and not self._names and not self._codes:
            if self._values.other:
                return []  # "returns `[1, 2]` without its first element"
            if strong and self._odd and (self._functions or clause.means("function")):
                return [self._make("returns", negated=True)]
            if strong and "nothing" in self._words:
                return [self._make("returns", value=Value.of(None))]
            return []
        if value is None or self._values.element or self._values.step:
            return []
        if clause.means("wrong") and self._context.kind == "returns" and negated and not self._names:
            return [self._make("returns", value=value, negated=True)]
        if (
            clause.means("wrong")
            and not self._values.rejected
            and not self._names
            and not self._codes
            and not self._odd
            and not negated
        ):
            return [self._make("returns", value=value, negated=True)]
        own = self._names or self._codes
        if own and not (strong and self._words & {"return", "returns", "returned"}):
            return []
        if self._codes and (self._codes[0].start < clause.of("value")[-1].start or "of" in self._words):
            return []  # "`n + 1` returns 5": that is what the expression gives
        about = self._context.local and self._context.kind in ("named", "is", "truth") and not own
        if about and not strong and not self._functions and self._words & {"it", "this", "that", "which"}:
            return []
        spoken = self._words & {"call", "function", "answer", "output", "caller", "program"}
        function = self._functions[0].text if self._functions else ""
        if not function and self._words & {"which", "its"}:
            function = self._context.function
        if not strong and not function and not pronoun and not spoken and self._place.line and self._context.function:
            return [self._make("returns", subject=self._context.function, value=value, negated=negated)]
        if not strong and not function and not pronoun and not spoken and self._place.line:
            return []  # "the result is 5" at a line that works something out
        if (
            self._context.local
            and self._words & {"whose", "its"}
            and not strong
            and not function
            and self._context.kind != "returns"
        ):
            return []
        if not (strong or function or pronoun or weak or self._words & {"right", "correct"}):
            return []
        return self._given_back(function, value, negated=negated)

    def _given_back(self, function: str, value: Value, *, negated: bool) -> list[Statement]:
        """What a call that was just told gives, or what the function returns."""
        if (
            self._context.call is not None
            and not self._clause.of("line")
            and (not function or function == self._context.call[0])
        ):
            name, given = self._context.call
            self._context.call = None
            return [self._make("call", subject=name, arguments=given, value=value, negated=negated)]
        part = next((PARTS[w] for w in sorted(self._words) if w in PARTS), "==")
        if part != "==" and self._words & {"that", "which"}:
            return [self._make("returns", subject=function, value=value, negated=negated, compare=part, final=True)]
        final = bool(self._words & {"call", "final", "answer", "output", "end", "overall", "finally"})
        return [self._make("returns", subject=function, value=value, negated=negated, final=final)]

    def _is(self) -> list[Statement]:
        clause = self._clause
        roles = self._values
        value, negated = self._stated()
        subject = self._subject()
        if roles.element and not subject:
            subject = self._context.only
        if subject and value is None and not roles.old and not clause.of("value"):
            return self._same(subject)
        pairs = self._pairs()
        if pairs:
            return [self._make("is", subject=n.text, value=v.value, changes=False) for n, v in pairs]
        if not subject or self._vague():
            return []
        if "never" in self._words and clause.means("become", "move") and not clause.of("line"):
            return []  # "`x` never reaches 10" is about the whole run
        grown = self._grown(subject, value)
        if grown:
            return grown
        subject = self._owned(subject)
        if not subject:
            return []
        sign = self._compare() if "than" in self._words or self._words & {"least", "most"} else "=="
        if "rather" in self._words or "other" in self._words:
            sign = "=="
        if value is None:
            return self._was(subject)
        old = roles.old[0].value if roles.old else None
        arrow = clause.means("arrow") and not clause.means("become") and not roles.old and len(clause.of("value")) == 1
        changed = (clause.means("become", "arrow") or bool(roles.new)) and not arrow
        if old is None and len(roles.plain) + len(roles.new) == 2 and roles.plain and (roles.new or changed):
            old = roles.plain[0].value
        elif len(roles.plain) + len(roles.new) > 1 and old is None:
            return []
        sure = bool(self._names or self._codes or self._context.local or self._context.only or subject == "it")
        stative = not changed or self._place.when == "before" or self._with()
        kind = "holds" if self._words & {"contains", "contain", "includes", "include"} else "is"
        return [
            self._make(
                kind,
                subject=subject,
                value=value,
                old=old,
                negated=negated,
                changes=not stative,
                compare=sign,
                sure=sure,
            )
        ]

    def _vague(self) -> bool:
        """Whether the words only come near a value: "about 5", "divisible by 2", "starts with"."""
        vague = self._words & _VAGUE
        if "with" in self._words and not self._clause.of("line", "ordinal"):
            vague |= self._words & {"starts", "begins", "ends"}
        if ("about", "to") in itertools.pairwise(t.text.lower() for t in self._clause.tokens):
            vague = vague - {"about"}
        return bool(vague)

    def _grown(self, subject: str, value: Value | None) -> list[Statement]:
        """`x` goes up by 2, 3 is appended to `xs`; and what it is then, where that is told."""
        roles = self._values
        if roles.step and not roles.old and (value is None or self._words & _GROWS):
            falls = bool(self._words & _FALLS)
            first = self._make("step", subject=subject, value=roles.step[0].value, truth=not falls)
        elif roles.element:
            first = self._make("element", subject=subject, value=roles.element[0].value, negated=self._odd)
        else:
            return []
        return [first, *([self._make("is", subject=subject, value=value, changes=True)] if value is not None else [])]

    def _owned(self, subject: str) -> str:
        """The expression that "the length of `x`" stands for; empty for a property that has none."""
        owned = properties(self._clause.tokens)
        if not owned:
            return subject
        named = owned[0].text.lower()
        wrapped = _WRAPPED.get(named)
        if wrapped is None and named not in ("values", "value", "number", "items", "key", "index", "count"):
            return ""
        if wrapped is None and "of" in self._words and named in ("number", "index"):
            return ""
        return f"{wrapped}({subject})" if wrapped else subject

    def _was(self, subject: str) -> list[Statement]:
        """Only what was before is told: `x` was 3, `x` is no longer 3."""
        old = self._values.old
        if not old:
            return []
        if "longer" in self._words and self._place.when == "before":
            return [self._make("is", subject=subject, value=old[0].value, negated=True)]
        return [self._make("is", subject=subject, value=old[0].value, place=replace(self._place, when="before"))]

    def _with(self) -> bool:
        """`with x set to 3`: what holds then, not what the line does."""
        before = [a.text.lower() for a, b in itertools.pairwise(self._clause.tokens) if b in self._names]
        return before[:1] == ["with"]

    def _runs(self) -> list[Statement]:
        clause = self._clause
        labels = [t for t in clause.of("line") if self._line_roles[id(t)] != "to"]
        if clause.of("value", "code", "count", "name") or (not labels and not clause.of("ordinal")):
            return []
        if places_only(clause):
            return []
        if clause.of("ordinal") and clause.means("iterate", "execute", "be", "loop"):
            return [self._make("round")]
        if labels and (clause.means("execute", "iterate", "skip", "move", "finish") or self._words & {"again", "next"}):
            odd = self._odd != clause.means("skip")
            # Beside another label it may be that one which says when the line does not run.
            sure = not odd or "never" in self._words or len(self._line_roles) == 1
            return [self._make("runs", negated=odd, sure=sure)]
        return []


__all__ = ["Reader"]

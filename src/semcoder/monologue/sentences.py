"""The sentences of our monologues: facts to English and English back to facts.

A *fact* is a kind and its slots, all text. Each kind has one clause template in `CLAUSES`; `§` is a code span, `#` a
number. Writer and reader work from the same templates, so that everything that is written can be read back: clauses
are joined by "; " or ", so ", and since code spans are masked while reading, nothing inside a value can be mistaken
for prose.

Guarantees: `read_clauses(write(facts)) == facts`. A clause that no template fits is `unread`, never guessed at.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

CLAUSES: dict[str, str] = {
    "value": "§ is §",
    "global": "the global § is §",
    "becomes": "§ becomes §",
    "changes": "§ goes from § to §",
    "stays": "§ stays §",
    "unbound": "§ is no longer bound",
    "global_becomes": "the global § becomes §",
    "global_changes": "the global § goes from § to §",
    "called": "§ is called with §",
    "called_bare": "§ is called with no arguments",
    "program": "the program starts",
    "returns": "§ returns §",
    "set_to_return": "§ is set to return §",
    "ends": "§ reaches its end and returns §",
    "yields": "§ yields §",
    "awaits": "§ waits for §",
    "condition": "the condition § is @",
    "if_true": "the `if` body runs",
    "if_else": "the `else` branch runs",
    "if_elif": "the next `elif` is tried",
    "if_skip": "the `if` body is skipped",
    "loop": "the loop over § starts",
    "iteration": "iteration # of the loop begins",
    "draws": "the loop turns to item #",
    "loop_ends": "the loop ends after # iterations",
    "holds": "the assertion holds",
    "fails": "the assertion fails",
    "raises": "§ is raised",
    "left": "§ does not catch it",
    "caught": "§ is caught",
    "caught_as": "§ is caught as §",
    "prints": "§ is printed",
    "break": "`break` leaves the loop",
    "continue": "`continue` ends this iteration",
    "pass": "`pass` does nothing",
    "defines": "§ is defined",
    "imports": "§ is imported",
    "try": "the `try` block begins",
    "with": "the `with` block begins",
    "case": "the case § matches",
    "item": "the comprehension takes §",
    "evaluated": "§ is evaluated",
    "hands_over": "it calls §",
    "unchanged": "no variable changes",
    "must_return": "§ must return §",
    "must_be": "§ must be §",
    "here": "here § is §",
    "must_become": "§ must become §",
    "must_hold": "the condition § must be @",
    "must_start": "§ must be called with §",
    "any_order": "§ must hold the elements of § in some order",
    "length": "§ must have length §",
    "total": "§ must add up to §",
    "distinct": "§ must have the distinct elements of §",
    "largest": "the largest of § must be §",
    "smallest": "the smallest of § must be §",
    "any_case": "§ must spell § in some mix of cases",
    "stripped": "§ must be § with something around it or nothing",
    "goal_returns": "The output must be §",
    "goal_choice": "One input that fits is §",
    "goal_inversion": "it follows from the steps above",
    "goal_constraints": "it was built from constraints found on the way back, and then tried",
    "goal_given": "it was given, not found",
    "goal_search": "it was found by a search that ran # candidates, not by reasoning",
    "goal_gives": "Running it gives §",
    "outcome_returns": "The call returns §",
    "outcome_raises": "The call raises §",
    "outcome_exits": "The call ends the program with §",
    "outcome_prints": "In all it prints §",
    "call": "The call is §",
    "program_prints": "The program prints §",
    "program_raises": "The program raises §",
    "program_ends": "The program ends and prints nothing",
}

#: Clauses that name any number of arguments.
_CALLS = {"called": "is", "must_start": "must be"}
#: Clauses that say why the next one holds are followed by ", so ", all others by "; ".
_REASONS = frozenset({"value", "global"})
_CONCLUSIONS = frozenset(
    {
        "becomes",
        "changes",
        "stays",
        "returns",
        "condition",
        "raises",
        "global_becomes",
        "global_changes",
        "yields",
        "set_to_return",
    }
)


@dataclass(frozen=True, slots=True)
class Fact:
    """One statement about an execution: a kind of `CLAUSES` (or `unread`) and the texts of its slots."""

    kind: str
    slots: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        return write_clause(self)


def span(code: str) -> str:
    """`code` as a code span; a longer fence where the code itself has backticks."""
    runs = [len(run) for run in re.findall("`+", code)]
    if not runs:
        return f"`{code}`"
    fence = "`" * (max(runs) + 1)
    return f"{fence} {code} {fence}"


_SPAN = re.compile(r"(?<!`)(`+)(?!`)(.*?)(?<!`)\1(?!`)", re.DOTALL)
_MASK = "\ue000"  # private use: repr never prints it bare, so no value holds it


def mask(text: str) -> tuple[str, list[str]]:
    """The text with every code span replaced by one private character, and the spans' codes in order."""
    codes: list[str] = []

    def hide(match: re.Match[str]) -> str:
        code = match.group(2)
        if len(match.group(1)) > 1 and code.startswith(" ") and code.endswith(" "):
            code = code[1:-1]
        codes.append(code)
        return _MASK

    return _SPAN.sub(hide, text.replace(_MASK, "?")), codes


def write_clause(fact: Fact) -> str:
    """The clause of one fact."""
    slots = iter(fact.slots)
    if fact.kind in _CALLS:
        name, *rest = fact.slots
        pairs = [f"{span(n)} = {span(v)}" for n, v in zip(rest[::2], rest[1::2], strict=True)]
        return f"{span(name)} {_CALLS[fact.kind]} called with {' and '.join(pairs)}"
    text = re.sub(r"[§#@]", lambda m: span(next(slots)) if m.group() == "§" else next(slots), CLAUSES[fact.kind])
    return re.sub(r"\b(after 1 iteration|ran 1 candidate)s", r"\1", text)


def write(facts: Sequence[Fact]) -> str:
    """A sentence, without its final full stop: clauses joined in order."""
    out: list[str] = []
    for k, fact in enumerate(facts):
        if k:
            because = facts[k - 1].kind in _REASONS and fact.kind in _CONCLUSIONS
            out.append(", so " if because else "; ")
        out.append(write_clause(fact))
    return "".join(out)


def _compile() -> list[tuple[str, re.Pattern[str], tuple[str, ...]]]:
    """Per kind a pattern over masked text and, per mask in it, what must stand there (`""`: a slot)."""
    rows = []
    for kind, template in CLAUSES.items():
        keywords = tuple("" if m == "§" else m.strip("`") for m in re.findall(r"§|`[a-z]+`", template))
        masked = re.sub(r"§|`[a-z]+`", _MASK, template)
        pattern = re.escape(masked).replace(r"\#", r"(-?\d+)").replace("@", "(true|false)")
        if kind in _CALLS:
            pattern = f"M {_CALLS[kind]} called with M = M(?: and M = M)*".replace("M", _MASK)
            keywords = ()
        pattern = re.sub(r"(iteration|candidate)s", r"\1s?", pattern)
        rows.append((kind, re.compile(pattern), keywords))
    # Templates with fixed code words first: they are the more specific ones.
    return sorted(rows, key=lambda row: -sum(bool(word) for word in row[2]))


_READERS = _compile()
_SEPARATOR = re.compile(r"; |, so |\. ")


def read_clauses(text: str) -> list[Fact]:
    """The facts of a sentence (without its full stop). What no template fits becomes `Fact("unread", (clause,))`."""
    masked, codes = mask(text)
    facts: list[Fact] = []
    at = 0
    for clause in _SEPARATOR.split(masked):
        count = clause.count(_MASK)
        facts.append(_read_clause(clause, codes[at : at + count]))
        at += count
    return facts


def _read_clause(clause: str, codes: list[str]) -> Fact:
    for kind, pattern, keywords in _READERS:
        match = pattern.fullmatch(clause)
        if match is None or any(word and word != code for word, code in zip(keywords, codes, strict=False)):
            continue
        slots = [code for code, word in zip(codes, keywords or [""] * len(codes), strict=False) if not word]
        return Fact(kind, (*slots, *match.groups()))
    filled = iter(codes)
    return Fact("unread", (re.sub(_MASK, lambda _: span(next(filled)), clause),))


_MOMENT = re.compile(r"Line (\d+)(:| goes on: | goes on\.)\s*", re.ASCII)


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence of a monologue that makes claims: its place in the text, its line (0: about the whole run)."""

    text: str
    start: int
    line: int
    goes_on: bool
    facts: tuple[Fact, ...]

    @property
    def tells_a_step(self) -> bool:
        """Whether it names a line, or tells the start of a whole program, which stands on none."""
        return bool(self.line) or any(fact.kind == "program" for fact in self.facts)


def write_sentence(line: int, facts: Sequence[Fact], *, goes_on: bool = False) -> str:
    """`Line 4: ...` as one line of text."""
    if not facts:
        return f"Line {line} goes on."
    return f"Line {line}{' goes on' if goes_on else ''}: {write(facts)}."


def read_sentences(text: str) -> list[Sentence]:
    """The sentences of a monologue that state something, one per line of text; plain prose is left out."""
    return list(_read_lines(text))


def _read_lines(text: str) -> Iterable[Sentence]:
    offset = 0
    for row in text.split("\n"):
        body = row.strip()
        start = offset + (len(row) - len(row.lstrip()))
        offset += len(row) + 1
        match = _MOMENT.match(body)
        if match is not None:
            rest = body[match.end() :].rstrip(".")
            facts = tuple(read_clauses(rest)) if rest else ()
            yield Sentence(body, start, int(match.group(1)), "goes on" in match.group(2), facts)
            continue
        facts = () if body.startswith(_PROSE) else tuple(f for f in read_clauses(body.rstrip(".")) if _states(f))
        if facts:
            yield Sentence(body, start, 0, False, facts)


def _states(fact: Fact) -> bool:
    """Whether a clause outside the steps states anything: code, a number or a line makes it more than prose."""
    return fact.kind != "unread" or bool(re.search(r"[`\d]|\bline\b", fact.slots[0], re.IGNORECASE))


#: How rows begin that make no claim about the execution.
_PROSE = (
    "What the function is for, in its author's words: ",
    "Going by its name, the function is meant to do this: ",
    "The steps before that go the same way.",
)
#: Kinds of facts about a run as a whole.
WHOLE = frozenset(kind for kind in CLAUSES if kind.startswith(("outcome_", "program_", "goal_")) or kind == "call")

"""Held-out wordings: a measure of how well claims about an execution are understood when other people word them.

The sentences here come from somebody who has not looked at the parser. Whoever works on that parser does not read this
file, and no wording is changed because the parser misses it: a miss is a result. Everything is plain data and small
pure functions; nothing of semcoder is imported.

`WORDINGS[kind]` lists functions, called as `wording(**parts)` with the keywords that `PARTS[kind]` names. Each gives one
sentence, or one clause as it stands in a bullet, on one line. It states that fact with every one of its parts and says
nothing besides that could be false. What each kind states:

    value(line, name, value)              once the line has run, the variable has the value
    values(line, pairs)                   so for two or more variables at once: pairs is a list of (name, value)
    before(line, name, value)             as the line is reached and has not run yet, the variable has the value
    change(line, name, old, new)          the line takes the variable from old to new, and these are different
    appended(line, item, name, value)     the line calls `name.append` with the item; the list is then value
    iterations(line, count)               in this run of the loop the body is entered count times, possibly never
    iteration(line, ordinal, name, value) the `for` target has the value in the iteration of this number (from 1)
    loop_end(line)                        where the sentence stands, the loop is over; no return or exception ended it
    condition(line, source, result)       the test expression is true or false, by its truth and whatever its type
    branch(line, taken, target_line)      the line decides that the block beginning at target_line runs, or does not
    because(line, name, value, source, result, target_line)
                                          a before, the condition that follows from it and the branch that follows from
                                          that, in one sentence; the block is entered exactly if the result is true
    order(line, next_line)                the line that runs immediately after line is next_line
    returns(value)                        the call that the whole text is about returns the value
    returns_from(line, name, value)       the return statement on this line of this function gives the value
    raises(type, message)                 the call ends with the exception; message is its str(), which may be empty
    prints(text)                          this text is printed: one line, not empty, given without its newline
    call(name, args_source, value)        the nested call with these arguments (perhaps none) gives the value
    expression(line, source, value)       a sub-expression that the line evaluates has the value
    rejected(wrong, right)                the call returns right; wrong is mentioned only to be turned down

Line numbers, ordinals and counts are ints; `taken` and `result` are bools. All else is a string: `value`, `old`, `new`,
`item`, `wrong` and `right` are one-line literals in the form of `repr`; `name` is the name of a variable or a function,
in `iteration` any loop target ("i, x" goes with "(0, 'a')"); `source` is an expression; `type`, `message` and `text` are
plain text. A wording may change whatever has no meaning: the quotes and blanks of a literal, the spacing of an
expression, "third" for 3. Some wordings of a condition say "True" where "true" is meant, so where that difference
matters, use conditions whose value is a bool.

A true text takes the facts in the order in which they happened, one wording each, optionally with sentences of `FILLER`
(which claim nothing) between them, and puts them together by one of `LAYOUTS`. A sentence that does not say which
occurrence it means is about the next that fits. To corrupt a text, change one part of one fact so that the new fact is
known to be false in this execution; mind that a changed line number can be right by accident. For a skipped block change
`taken`, not `target_line`; for `rejected`, swap the parts.

`HARD` lists (text, expected, case): what the text deserves in the execution of one of `PROGRAMS` (source, call), where
expected is True, False, or None if this execution cannot decide it. A text of several sentences is True if all of its
claims are, and False if one is false. `case` names the program and the true fact that the text is about, as a kind with
its parts. The expected values are taken from real runs.

No promise is made that these are all the ways people put things, or that each is as common here as it is in the wild.
"""

import ast
import io
import itertools
import keyword
import tokenize
from collections.abc import Callable, Sequence
from typing import Any

PARTS: dict[str, tuple[str, ...]] = {
    "value": ("line", "name", "value"),
    "values": ("line", "pairs"),
    "before": ("line", "name", "value"),
    "change": ("line", "name", "old", "new"),
    "appended": ("line", "item", "name", "value"),
    "iterations": ("line", "count"),
    "iteration": ("line", "ordinal", "name", "value"),
    "loop_end": ("line",),
    "condition": ("line", "source", "result"),
    "branch": ("line", "taken", "target_line"),
    "because": ("line", "name", "value", "source", "result", "target_line"),
    "order": ("line", "next_line"),
    "returns": ("value",),
    "returns_from": ("line", "name", "value"),
    "raises": ("type", "message"),
    "prints": ("text",),
    "call": ("name", "args_source", "value"),
    "expression": ("line", "source", "value"),
    "rejected": ("wrong", "right"),
}

_CARDINALS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
_ORDINALS = (
    "zeroth",
    "first",
    "second",
    "third",
    "fourth",
    "fifth",
    "sixth",
    "seventh",
    "eighth",
    "ninth",
    "tenth",
    "eleventh",
    "twelfth",
)
_TIGHT_OPERATORS = {"+", "-", "*", "/", "//", "%", "<", ">", "<=", ">=", "==", "!="}


# How a part is spelled


def _c(text: str) -> str:
    """A markdown code span, with as many backticks as its content needs."""
    longest = run = 0
    for character in text:
        run = run + 1 if character == "`" else 0
        longest = max(longest, run)
    fence = "`" * (longest + 1)
    blanks = text[:1] == " " and text[-1:] == " " and text.strip()
    pad = " " if text[:1] == "`" or text[-1:] == "`" or blanks else ""
    return f"{fence}{pad}{text}{pad}{fence}"


def _tokens(source: str) -> list[tokenize.TokenInfo]:
    try:
        found = list(tokenize.generate_tokens(io.StringIO(source).readline))
    except (tokenize.TokenError, SyntaxError):
        return []
    names = {tokenize.tok_name[token.type] for token in found}
    return [] if names & {"FSTRING_START", "TSTRING_START", "ERRORTOKEN"} else found


def _d(source: str) -> str:
    """The same literal or expression with double quotes where that is the only change."""
    for token in reversed(_tokens(source)):
        text = token.string
        if token.type == tokenize.STRING and text[0] == "'" and text[:3] != "'''":
            body = text[1:-1]
            if '"' not in body and "\\" not in body:
                source = f'{source[: token.start[1]]}"{body}"{source[token.end[1] :]}'
    return source


def _t(source: str) -> str:
    """The same literal or expression without the blanks after commas and colons."""
    tokens = _tokens(source)
    for left, right in reversed(list(itertools.pairwise(tokens))):
        if left.string in {",", ":"} and left.type == tokenize.OP and right.start[0] == 1 and right.string.strip():
            source = source[: left.end[1]] + source[right.start[1] :]
    return source


def _o(source: str) -> str:
    """The same expression without the blanks around its operators."""
    tokens = _tokens(source)
    for left, right in reversed(list(itertools.pairwise(tokens))):
        operator = {left.string, right.string} & _TIGHT_OPERATORS
        word = keyword.iskeyword(left.string) or keyword.iskeyword(right.string)
        opened = left.string in {",", ":", "(", "[", "{"}
        if operator and not word and not opened and right.start[0] == 1 and right.string.strip():
            source = source[: left.end[1]] + source[right.start[1] :]
    return source


def _q(text: str) -> str:
    """Plain text between quotes."""
    return f'"{text}"' if text.isprintable() and '"' not in text and "\\" not in text else repr(text)


def _plain(text: str) -> str:
    """Plain text in a code span, as it is if it fits on a line."""
    return _c(text) if text.isprintable() else _c(repr(text))


def _number(n: int) -> str:
    return _CARDINALS[n] if 0 <= n < len(_CARDINALS) else str(n)


def _times(n: int) -> str:
    return {1: "once", 2: "twice"}.get(n, f"{_number(n)} times")


def _figure_times(n: int) -> str:
    return f"{n} time" if n == 1 else f"{n} times"


def _nth(n: int) -> str:
    return _ORDINALS[n] if 0 <= n < len(_ORDINALS) else _figure_nth(n)


def _figure_nth(n: int) -> str:
    ending = "th" if n % 100 in {11, 12, 13} else {1: "st", 2: "nd", 3: "rd"}.get(n % 10, "th")
    return f"{n}{ending}"


def _and(items: Sequence[str]) -> str:
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}"


def _split(name: str, value: str) -> list[tuple[str, str]]:
    """The targets of a `for` one by one, if target and value are tuples of the same length."""
    try:
        target, given = ast.parse(name, mode="eval").body, ast.parse(value, mode="eval").body
    except SyntaxError:
        return [(name, value)]
    if not isinstance(target, ast.Tuple) or not isinstance(given, ast.Tuple) or len(target.elts) != len(given.elts):
        return [(name, value)]
    if any(isinstance(part, ast.Starred) for part in target.elts):
        return [(name, value)]
    return [
        (ast.get_source_segment(name, left) or "", ast.get_source_segment(value, right) or "")
        for left, right in zip(target.elts, given.elts, strict=True)
    ]


def _if(flag: bool, yes: str, no: str) -> str:
    return yes if flag else no


def _message(message: str, some: Callable[[str], str], none: str) -> str:
    return some(message) if message else none


WORDINGS: dict[str, list[Callable[..., str]]] = {
    "value": [
        lambda line, name, value: f"After line {line}, {_c(name)} is {_c(value)}.",
        lambda line, name, value: f"Line {line}: {name} = {value}",
        lambda line, name, value: f"L{line}: {_c(f'{name} = {_d(value)}')}",
        lambda line, name, value: f"Once line {line} has run, {name} holds {_t(value)}.",
        lambda line, name, value: f"**Line {line}** → {_c(name)} = {_c(value)}",
        lambda line, name, value: f"[L{line}] {name} is now {value}",
        lambda line, name, value: f"The value of {_c(name)} is {_c(_d(value))} right after line {line} executes.",
        lambda line, name, value: f"| line {line} | {_c(name)} | {_c(value)} |",
        lambda line, name, value: f"Executing line {line} leaves {_c(name)} with the value {_c(_t(value))}.",
        lambda line, name, value: f"With line {line} done, {name} now stores {_c(value)}.",
        lambda line, name, value: f"{name} ends up as {_d(value)} when line {line} finishes",
        lambda line, name, value: f"Having executed line {line}, we have {_c(f'{name} = {value}')}.",
        lambda line, name, value: f"(line {line}) {name} -> {value}",
    ],
    "values": [
        lambda line, pairs: f"After line {line}, {_and([f'{_c(n)} is {_c(v)}' for n, v in pairs])}.",
        lambda line, pairs: f"Line {line}: {', '.join(f'{n} = {v}' for n, v in pairs)}",
        lambda line, pairs: f"L{line}: {'; '.join(_c(f'{n}={_t(v)}') for n, v in pairs)}",
        lambda line, pairs: f"Once line {line} has executed, {_and([f'{n} holds {_d(v)}' for n, v in pairs])}.",
        lambda line, pairs: f"**Line {line}** → {', '.join(f'{_c(n)} = {_c(v)}' for n, v in pairs)}",
        lambda line, pairs: f"[L{line}] {' | '.join(f'{n}: {v}' for n, v in pairs)}",
        lambda line, pairs: f"The state after line {line} is {_and([_c(f'{n} = {v}') for n, v in pairs])}.",
        lambda line, pairs: f"| line {line} | {', '.join(_c(f'{n} = {_d(v)}') for n, v in pairs)} |",
        lambda line, pairs: f"When line {line} is finished we have {_and([f'{n} equal to {v}' for n, v in pairs])}.",
        lambda line, pairs: f"{_and([f'{_c(n)} has the value {_c(_t(v))}' for n, v in pairs])} after line {line} runs.",
        lambda line, pairs: f"state after line {line}: {', '.join(f'{n} -> {v}' for n, v in pairs)}",
    ],
    "before": [
        lambda line, name, value: f"When line {line} is reached, {_c(name)} is {_c(value)}.",
        lambda line, name, value: f"Before line {line} runs, {name} is {value}.",
        lambda line, name, value: f"Going into line {line}, {name} holds {_d(value)}.",
        lambda line, name, value: f"We arrive at line {line} with {_c(f'{name} = {value}')}.",
        lambda line, name, value: f"**Before line {line}:** {_c(name)} = {_c(_t(value))}",
        lambda line, name, value: f"L{line} (on entry): {name} = {value}",
        lambda line, name, value: f"{_c(name)} is {_c(value)} just before line {line} executes.",
        lambda line, name, value: f"At the time execution gets to line {line}, the value of {name} is {_c(_d(value))}.",
        lambda line, name, value: f"just before line {line}: {name} == {_t(value)}",
        lambda line, name, value: f"Line {line} starts out with {_c(name)} equal to {_c(value)}.",
        lambda line, name, value: f"| before line {line} | {_c(f'{name} = {value}')} |",
        lambda line, name, value: f"As control reaches line {line}, {_c(name)} has the value {_d(value)}.",
    ],
    "change": [
        lambda line, name, old, new: f"Line {line} changes {_c(name)} from {_c(old)} to {_c(new)}.",
        lambda line, name, old, new: f"Line {line}: {name} goes from {old} to {new}",
        lambda line, name, old, new: f"L{line}: {name}: {old} -> {new}",
        lambda line, name, old, new: f"On line {line}, {_c(name)} is updated from {_c(_d(old))} to {_c(_d(new))}.",
        lambda line, name, old, new: f"**Line {line}**: {_c(name)} {_c(old)} → {_c(new)}",
        lambda line, name, old, new: f"{name} was {_t(old)}, and after line {line} it is {_t(new)}.",
        lambda line, name, old, new: f"With line {line}, {name} stops being {_c(old)} and becomes {_c(new)}.",
        lambda line, name, old, new: f"[L{line}] {name} becomes {_d(new)} (it was {_d(old)})",
        lambda line, name, old, new: f"Line {line} takes {_c(name)} from {_c(old)} to {_c(new)}.",
        lambda line, name, old, new: f"| line {line} | {_c(name)} | {_c(old)} → {_c(new)} |",
        lambda line, name, old, new: f"{_c(name)} moves from {old} to {new} on line {line}",
        lambda line, name, old, new: f"Line {line} turns {name} into {_c(_t(new))}; previously it was {_c(_t(old))}.",
    ],
    "appended": [
        lambda line, item, name, value: f"Line {line} appends {_c(item)} to {_c(name)}, which is now {_c(value)}.",
        lambda line, item, name, value: f"Line {line}: append {item} → {name} = {value}",
        lambda line, item, name, value: (
            f"L{line}: {_c(f'{name}.append({_d(item)})')} gives {_c(f'{name} = {_d(value)}')}"
        ),
        lambda line, item, name, value: f"On line {line}, {item} is added to the end of {name}, making it {_t(value)}.",
        lambda line, item, name, value: (
            f"We append {_d(item)} to the list {name} on line {line}; it is then {_d(value)}."
        ),
        lambda line, item, name, value: f"**Line {line}** – {_c(item)} gets appended to {_c(name)}: {_c(_t(value))}",
        lambda line, item, name, value: f"[L{line}] {name}.append({item}), so {name} is {value}",
        lambda line, item, name, value: f"{_c(name)} becomes {_c(value)} after line {line} appends {_c(item)} to it.",
        lambda line, item, name, value: (
            f"With the append of {item} on line {line}, the list {_c(name)} is {_c(value)}."
        ),
        lambda line, item, name, value: f"| line {line} | append {_c(item)} to {_c(name)} | {_c(value)} |",
        lambda line, item, name, value: (
            f"Line {line} calls append on {name} with {_c(_d(item))}, leaving {name} as {_c(_d(value))}."
        ),
    ],
    "iterations": [
        lambda line, count: f"The loop on line {line} runs {_times(count)}.",
        lambda line, count: f"Line {line}: loop body executes {_figure_times(count)}",
        lambda line, count: f"The body of the loop on line {line} is entered {_times(count)}.",
        lambda line, count: f"L{line}: {count} {_if(count == 1, 'iteration', 'iterations')}",
        lambda line, count: f"The loop at line {line} makes {_number(count)} {_if(count == 1, 'pass', 'passes')}.",
        lambda line, count: f"**Loop (line {line})**: iterates {_figure_times(count)}",
        lambda line, count: (
            f"There {_if(count == 1, 'is 1 iteration', f'are {count} iterations')} of the line {line} loop."
        ),
        lambda line, count: f"The loop that starts at line {line} goes round {_times(count)}.",
        lambda line, count: (
            f"We go through the body of the loop on line {line} {_times(count)}, no more and no less."
            if count
            else f"The loop on line {line} never gets into its body: 0 iterations."
        ),
        lambda line, count: f"| loop at line {line} | {count} {_if(count == 1, 'iteration', 'iterations')} |",
        lambda line, count: f"number of iterations of the loop on line {line}: {count}",
    ],
    "iteration": [
        lambda line, ordinal, name, value: (
            f"In iteration {ordinal} of the loop on line {line}, {_c(name)} is {_c(value)}."
        ),
        lambda line, ordinal, name, value: f"Line {line}, iteration {ordinal}: {name} = {value}",
        lambda line, ordinal, name, value: (
            f"On the {_nth(ordinal)} pass through the loop at line {line}, "
            f"{_and([f'{n} is {_d(v)}' for n, v in _split(name, value)])}."
        ),
        lambda line, ordinal, name, value: f"L{line} #{ordinal}: {_c(f'{name} = {_t(value)}')}",
        lambda line, ordinal, name, value: (
            f"**Iteration {ordinal}** (line {line}): {', '.join(f'{_c(n)} = {_c(v)}' for n, v in _split(name, value))}"
        ),
        lambda line, ordinal, name, value: (
            f"The {_figure_nth(ordinal)} time around, the loop on line {line} has {_c(name)} equal to {_c(_d(value))}."
        ),
        lambda line, ordinal, name, value: (
            f"During the {_nth(ordinal)} iteration of line {line}'s loop, {name} takes the value {value}."
        ),
        lambda line, ordinal, name, value: f"| loop at line {line} | iteration {ordinal} | {_c(f'{name} = {value}')} |",
        lambda line, ordinal, name, value: (
            f"{_and([f'{_c(n)} is {_c(v)}' for n, v in _split(name, value)])} "
            f"in the {_figure_nth(ordinal)} iteration of the for loop on line {line}."
        ),
        lambda line, ordinal, name, value: f"[L{line}] iter {ordinal} -> {name} = {_d(value)}",
        lambda line, ordinal, name, value: (
            f"For its {_nth(ordinal)} iteration, the for loop on line {line} gives {_c(name)} the value {_c(value)}."
        ),
    ],
    "loop_end": [
        lambda line: f"The loop on line {line} is over.",
        lambda line: f"Line {line}: loop ends",
        lambda line: f"That is the end of the loop at line {line}.",
        lambda line: f"At this point the loop that starts on line {line} has finished.",
        lambda line: f"L{line}: loop done",
        lambda line: f"We leave the loop on line {line}.",
        lambda line: f"**Loop on line {line} finished**",
        lambda line: f"The loop at line {line} terminates here.",
        lambda line: f"With this, execution exits the loop at line {line}.",
        lambda line: f"[L{line}] end of loop",
        lambda line: f"The line {line} loop stops here.",
        lambda line: f"Now that the loop on line {line} is complete, control is past it.",
    ],
    "condition": [
        lambda line, source, result: f"On line {line}, the condition {_c(source)} is {_if(result, 'true', 'false')}.",
        lambda line, source, result: f"Line {line}: {source} → {result}",
        lambda line, source, result: f"Line {line} checks {_c(source)}, which {_if(result, 'holds', 'does not hold')}.",
        lambda line, source, result: f"The test {_c(_o(source))} on line {line} {_if(result, 'succeeds', 'fails')}.",
        lambda line, source, result: f"{_c(source)} evaluates to **{result}** at line {line}.",
        lambda line, source, result: f"L{line}: {_c(_t(source))} is {_if(result, 'truthy', 'falsy')}",
        lambda line, source, result: (
            f"At line {line} we ask whether {_c(_d(source))}; the answer is {_if(result, 'yes', 'no')}."
        ),
        lambda line, source, result: f"{_c(source)} {_if(result, 'is', 'is not')} satisfied on line {line}",
        lambda line, source, result: f"[L{line}] test {_c(source)}: {_if(result, 'passes', 'does not pass')}",
        lambda line, source, result: f"| line {line} | {_c(source)} | {result} |",
        lambda line, source, result: f"Checking {_d(source)} on line {line} gives {_if(result, 'true', 'false')}.",
        lambda line, source, result: (
            f"The check on line {line} ({_c(_o(source))}) turns out {_if(result, 'true', 'false')}."
        ),
        lambda line, source, result: f"It {_if(result, 'is', 'is not')} the case on line {line} that {_c(source)}.",
    ],
    "branch": [
        lambda line, taken, target_line: (
            f"Line {line} {_if(taken, 'enters', 'skips')} the block that starts at line {target_line}."
        ),
        lambda line, taken, target_line: f"L{line}: block at L{target_line} {_if(taken, 'taken', 'not taken')}",
        lambda line, taken, target_line: (
            f"The decision on line {line} {_if(taken, 'takes us into', 'takes us past')} the block at line {target_line}."
        ),
        lambda line, taken, target_line: (
            f"From line {line}, the body starting on line {target_line} is {_if(taken, 'executed', 'not executed')}."
        ),
        lambda line, taken, target_line: (
            f"So the branch beginning at line {target_line} {_if(taken, 'runs', 'does not run')}, as line {line} decides."
        ),
        lambda line, taken, target_line: (
            f"**Line {line}**: {_if(taken, 'go into', 'skip')} the block on line {target_line}"
        ),
        lambda line, taken, target_line: (
            f"Line {line} {_if(taken, 'lets execution into', 'keeps execution out of')} "
            f"the block starting on line {target_line}."
        ),
        lambda line, taken, target_line: (
            f"the block at line {target_line} {_if(taken, 'gets executed', 'is bypassed')} (decided by line {line})"
        ),
        lambda line, taken, target_line: f"[L{line}] → {_if(taken, 'enter', 'skip')} block [L{target_line}]",
        lambda line, taken, target_line: (
            f"As a result of line {line}, we {_if(taken, 'step', 'do not step')} into the branch at line {target_line}."
        ),
        lambda line, taken, target_line: (
            f"At line {line} control {_if(taken, 'drops into', 'steers clear of')} the block that begins on line {target_line}."
        ),
        lambda line, taken, target_line: (
            f"| line {line} | branch at line {target_line} | {_if(taken, 'taken', 'skipped')} |"
        ),
    ],
    "because": [
        lambda line, name, value, source, result, target_line: (
            f"Since {_c(name)} is {_c(value)} at line {line}, {_c(source)} is {_if(result, 'true', 'false')} "
            f"and the block at line {target_line} {_if(result, 'runs', 'is skipped')}."
        ),
        lambda line, name, value, source, result, target_line: (
            f"Line {line}: with {name} = {value}, {_c(source)} → {result}, "
            f"so {_if(result, 'enter', 'skip')} the block at line {target_line}"
        ),
        lambda line, name, value, source, result, target_line: (
            f"Because {name} is {_d(value)}, the condition {_c(_d(source))} on line {line} "
            f"{_if(result, 'holds', 'does not hold')}, so the block starting at line {target_line} "
            f"{_if(result, 'is executed', 'is not executed')}."
        ),
        lambda line, name, value, source, result, target_line: (
            f"L{line}: {name}={_t(value)} ⇒ {_c(source)} is {result} ⇒ {_if(result, 'enter', 'skip')} L{target_line}"
        ),
        lambda line, name, value, source, result, target_line: (
            f"The block at line {target_line} {_if(result, 'runs', 'does not run')} because {_c(name)} is {_c(value)}, "
            f"which makes {_c(source)} on line {line} {_if(result, 'true', 'false')}."
        ),
        lambda line, name, value, source, result, target_line: (
            f"With {_c(name)} at {_c(_t(value))}, the test {_c(_o(source))} on line {line} "
            f"{_if(result, 'succeeds', 'fails')}; therefore we {_if(result, 'go into', 'skip')} "
            f"the block at line {target_line}."
        ),
        lambda line, name, value, source, result, target_line: (
            f"**Line {line}**: {_c(name)} is {_c(value)}, hence {_c(source)} is **{result}** → "
            f"block at line {target_line} {_if(result, 'taken', 'not taken')}"
        ),
        lambda line, name, value, source, result, target_line: (
            f"Line {line} finds {_c(source)} to be {_if(result, 'true', 'false')}, given that {name} is {value}, "
            f"and so {_if(result, 'enters', 'passes over')} the block that starts on line {target_line}."
        ),
        lambda line, name, value, source, result, target_line: (
            f"| line {line} | {_c(f'{name} = {value}')} | {_c(source)} is {result} | "
            f"{_if(result, 'enter', 'skip')} block at line {target_line} |"
        ),
        lambda line, name, value, source, result, target_line: (
            f"At line {line}, {name} is {_d(value)}, so {_d(source)} evaluates to {result} and "
            f"{_if(result, 'we continue inside', 'we do not go into')} the block at line {target_line}."
        ),
    ],
    "order": [
        lambda line, next_line: f"After line {line}, execution continues at line {next_line}.",
        lambda line, next_line: f"Line {line} is followed directly by line {next_line}.",
        lambda line, next_line: f"L{line} → L{next_line}",
        lambda line, next_line: f"Control passes from line {line} to line {next_line}.",
        lambda line, next_line: f"Next after line {line} is line {next_line}.",
        lambda line, next_line: f"Once line {line} is done, line {next_line} runs next.",
        lambda line, next_line: f"Line {next_line} is the line that executes immediately after line {line}.",
        lambda line, next_line: f"[L{line}] next: [L{next_line}]",
        lambda line, next_line: f"line {line}, then straight to line {next_line}",
        lambda line, next_line: (
            f"From line {line} we {_if(next_line < line, 'go back', 'move on')} to line {next_line}."
        ),
        lambda line, next_line: f"| line {line} | next: line {next_line} |",
        lambda line, next_line: f"The interpreter runs line {line} and, right after it, line {next_line}.",
    ],
    "returns": [
        lambda value: f"The function returns {_c(value)}.",
        lambda value: f"Return value: {value}",
        lambda value: f"**Result:** {_c(_d(value))}",
        lambda value: f"So the call returns {value}.",
        lambda value: f"The final answer is {_c(value)}.",
        lambda value: f"→ returns {_t(value)}",
        lambda value: f"In the end, {_d(value)} is returned.",
        lambda value: f"Hence the call evaluates to {_c(_t(value))}.",
        lambda value: f"| return value | {_c(value)} |",
        lambda value: f"what comes back from the call is {value}",
        lambda value: f"Therefore the result of the call is {_c(value)}.",
        lambda value: f"This gives a return value of {_c(_d(value))}.",
    ],
    "returns_from": [
        lambda line, name, value: f"Line {line} of {_c(name)} returns {_c(value)}.",
        lambda line, name, value: f"Line {line}: {name} returns {value}",
        lambda line, name, value: f"The return statement on line {line} makes {_c(name)} give back {_c(_d(value))}.",
        lambda line, name, value: f"{name} returns {_t(value)} at line {line}.",
        lambda line, name, value: f"L{line}: return {_c(value)} from {_c(name)}",
        lambda line, name, value: f"On line {line}, {_c(name)} returns {_d(value)} to its caller.",
        lambda line, name, value: f"The function {name} ends on line {line} with the return value {_c(value)}.",
        lambda line, name, value: f"[L{line}] {name} → {value} (return)",
        lambda line, name, value: f"{_c(value)} is what {_c(name)} returns on line {line}.",
        lambda line, name, value: f"| line {line} | {_c(name)} returns | {_c(_t(value))} |",
        lambda line, name, value: f"**Return** (line {line}): {_c(name)} hands back {_c(value)}",
        lambda line, name, value: f"With line {line}, {name} finishes and returns {_d(value)}.",
    ],
    "raises": [
        lambda type, message: (
            f"The call raises {_c(type)} {_message(message, lambda m: f'with the message {_plain(m)}', 'with no message')}."
        ),
        lambda type, message: f"Exception: {type}{_message(message, lambda m: f': {_plain(m)}', ' (empty message)')}",
        lambda type, message: (
            f"The call ends with {_c(_message(message, lambda m: f'{type}: {m}' if m.isprintable() else f'{type}({m!r})', type))}"
            f"{_message(message, lambda m: '', ' and an empty message')}."
        ),
        lambda type, message: (
            f"No value is returned: a {type} is raised, {_message(message, lambda m: f'saying {_q(m)}', 'without a message')}."
        ),
        lambda type, message: (
            f"**Raises** {_c(type)} – {_message(message, lambda m: f'message {_q(m)}', 'the message is empty')}"
        ),
        lambda type, message: (
            f"An uncaught {_c(type)} {_message(message, lambda m: f'({_q(m)})', 'with an empty message')} terminates the call."
        ),
        lambda type, message: f"→ raises {type}{_message(message, lambda m: f'({_q(m)})', ', no message')}",
        lambda type, message: (
            f"The function does not return normally; it raises {type} with "
            f"{_message(message, lambda m: f'message {_q(m)}', 'an empty message')}."
        ),
        lambda type, message: f"| raises | {_c(type)} | {_message(message, _plain, 'no message')} |",
        lambda type, message: (
            f"In the end {_c(type)} propagates out of the call; "
            f"{_message(message, lambda m: f'its message is {_plain(m)}', 'its message is empty')}."
        ),
        lambda type, message: (
            f"the run fails with {type}, {_message(message, lambda m: f'message: {_q(m)}', 'no message attached')}"
        ),
    ],
    "prints": [
        lambda text: f"It prints {_c(text)}.",
        lambda text: f"Printed: {_c(text)}",
        lambda text: f"The program prints {_q(text)}.",
        lambda text: f"{_q(text)} is printed.",
        lambda text: f"This writes {_c(text)} to standard output.",
        lambda text: f"stdout ← {_c(text)}",
        lambda text: f"A line reading {_q(text)} appears on stdout.",
        lambda text: f"**prints** {_c(text)}",
        lambda text: f"The output includes the line {_c(text)}.",
        lambda text: f"| printed | {_c(text)} |",
        lambda text: f"We see {_c(text)} printed to the console.",
        lambda text: f"stdout receives the line {_q(text)}",
    ],
    "call": [
        lambda name, args_source, value: f"{_c(f'{name}({args_source})')} returns {_c(value)}.",
        lambda name, args_source, value: f"{name}({args_source}) = {value}",
        lambda name, args_source, value: f"Calling {name}({_t(args_source)}) gives {_d(value)}.",
        lambda name, args_source, value: f"The call {_c(f'{name}({_d(args_source)})')} evaluates to {_c(_d(value))}.",
        lambda name, args_source, value: f"{_c(f'{name}({args_source})')} → {_c(value)}",
        lambda name, args_source, value: f"The inner call {name}({args_source}) comes back with {_t(value)}.",
        lambda name, args_source, value: (
            f"When {_c(name)} is called with {_c(args_source) if args_source else 'no arguments'}, it returns {_c(value)}."
        ),
        lambda name, args_source, value: f"| {_c(f'{name}({args_source})')} | returns {_c(_t(value))} |",
        lambda name, args_source, value: f"We get {_c(value)} back from {_c(f'{name}({_t(args_source)})')}.",
        lambda name, args_source, value: f"**{name}({args_source})** yields {_c(value)} as its return value",
        lambda name, args_source, value: f"The result of {_c(f'{name}({args_source})')} is {value}.",
    ],
    "expression": [
        lambda line, source, value: f"On line {line}, {_c(source)} evaluates to {_c(value)}.",
        lambda line, source, value: f"Line {line}: {source} → {value}",
        lambda line, source, value: f"The expression {_c(_d(source))} on line {line} is {_c(_d(value))}.",
        lambda line, source, value: f"L{line}: {_c(_o(source))} = {_c(value)}",
        lambda line, source, value: f"In line {line}, {source} comes out as {_t(value)}.",
        lambda line, source, value: f"**Line {line}**: {_c(source)} gives {_c(value)}",
        lambda line, source, value: f"Line {line} computes {_c(_t(source))}, which is {_d(value)}.",
        lambda line, source, value: f"[L{line}] {_c(source)} == {_c(value)}",
        lambda line, source, value: f"The value of {_c(source)} at line {line} is {value}.",
        lambda line, source, value: f"| line {line} | {_c(source)} | {_c(_t(value))} |",
        lambda line, source, value: f"Evaluating {_c(_o(_d(source)))} on line {line} yields {_c(value)}.",
        lambda line, source, value: f"{_c(source)} works out to {value} on line {line}",
    ],
    "rejected": [
        lambda wrong, right: f"It does not return {_c(wrong)}; it returns {_c(right)}.",
        lambda wrong, right: f"One might think the result is {wrong}, but the function actually returns {right}.",
        lambda wrong, right: f"The answer is {_c(right)}, not {_c(wrong)}.",
        lambda wrong, right: f"Return value: {_d(right)} (not {_d(wrong)})",
        lambda wrong, right: f"At first glance it returns {_c(wrong)}; in fact it returns {_c(right)}.",
        lambda wrong, right: f"Rather than {_t(wrong)}, the call returns {_t(right)}.",
        lambda wrong, right: f"{_c(wrong)} would be wrong: the return value is {_c(right)}.",
        lambda wrong, right: f"The call returns {_c(_d(right))} instead of {_c(_d(wrong))}.",
        lambda wrong, right: f"I first guessed {wrong}, but that is incorrect: the correct return value is {right}.",
        lambda wrong, right: f"**Not** {_c(wrong)}: the function returns {_c(right)}",
        lambda wrong, right: f"The result isn't {wrong} but {right}.",
        lambda wrong, right: f"A hasty reader would say {_c(wrong)}, yet what is really returned is {_c(right)}.",
    ],
}


# How sentences are put together


def _ended(sentence: str) -> str:
    return sentence if sentence[-1:] in {".", "!", "?"} else f"{sentence}."


def _paired(sentences: Sequence[str]) -> str:
    pairs = [sentences[at : at + 2] for at in range(0, len(sentences), 2)]
    return "\n\n".join(" ".join(_ended(sentence) for sentence in pair) for pair in pairs)


LAYOUTS: dict[str, Callable[[Sequence[str]], str]] = {
    "lines": "\n".join,
    "paragraph": lambda sentences: " ".join(_ended(sentence) for sentence in sentences),
    "spaced": "\n\n".join,
    "bullets": lambda sentences: "\n".join(f"- {sentence}" for sentence in sentences),
    "starred": lambda sentences: "\n".join(f"* {_ended(sentence)}" for sentence in sentences) + "\n",
    "numbered": lambda sentences: "\n".join(f"{at}. {sentence}" for at, sentence in enumerate(sentences, 1)),
    "headed": lambda sentences: "## Execution trace\n\n" + "\n".join(f"- {sentence}" for sentence in sentences) + "\n",
    "paired": _paired,
}

FILLER: list[str] = [
    "Let's trace through this step by step.",
    "Here is what happens when the code runs.",
    "This part is straightforward.",
    "Let me be careful here.",
    "So far there are no surprises.",
    "This is a common pattern in Python code.",
    "Now for the interesting part.",
    "Note how the indentation shows what belongs together.",
    "We keep going in the same manner.",
    "It is worth keeping an eye on the variables.",
    "**Explanation**",
    "Good names make code like this easier to read.",
]


# Programs, and sentences about them that are easy to misjudge


def _source(*lines: str) -> str:
    return "\n".join(lines) + "\n"


PROGRAMS: dict[str, tuple[str, str]] = {
    "total": (
        _source(
            "def total(n):",
            "    s = 0",
            "    for i in range(n):",
            "        s += i",
            "    return s",
        ),
        "total(5)",
    ),
    "collatz": (
        _source(
            "def collatz(n):",
            "    steps = 0",
            "    while n > 1:",
            "        if n % 2 == 0:",
            "            n //= 2",
            "        else:",
            "            n = 3 * n + 1",
            "        steps += 1",
            "    return steps",
        ),
        "collatz(5)",
    ),
    "fact": (
        _source(
            "def fact(n):",
            "    if n <= 1:",
            "        return 1",
            "    rest = fact(n - 1)",
            "    return n * rest",
        ),
        "fact(4)",
    ),
    "parse": (
        _source(
            "def parse(text):",
            "    try:",
            "        number = int(text)",
            "    except ValueError:",
            "        number = -1",
            "    if number < 0:",
            "        raise ValueError('negative: ' + text)",
            "    return number",
        ),
        "parse('x')",
    ),
    "initials": (
        _source(
            "def initials(name):",
            "    out = ''",
            "    for word in name.split():",
            "        out += word[0].upper()",
            "        print(out)",
            "    tag = '10'",
            "    return out + tag",
        ),
        "initials('ada king byron')",
    ),
    "share": (
        _source(
            "def share(n):",
            "    a = [1, 2]",
            "    b = a",
            "    c = list(a)",
            "    b.append(n)",
            "    same = a is b",
            "    equal = a == c",
            "    return a, c, same, equal",
        ),
        "share(3)",
    ),
    "area": (
        _source(
            "def scale(x, k=2):",
            "    return x * k",
            "",
            "",
            "def area(w, h):",
            "    w2 = scale(w)",
            "    h2 = scale(h, 3)",
            "    big = w2 * h2",
            "    ratio = big / 10",
            "    return ratio",
        ),
        "area(3, 5)",
    ),
    "find": (
        _source(
            "def find(xs, target):",
            "    where = None",
            "    for i, x in enumerate(xs):",
            "        if x == target:",
            "            where = i",
            "            break",
            "    if where is None:",
            "        print('missing')",
            "    else:",
            "        print(f'found at {where}')",
            "    return where",
        ),
        "find([4, 7, 9], 7)",
    ),
    "lookup": (
        _source(
            "def lookup(table, key):",
            "    seen = []",
            "    while key:",
            "        seen.append(key)",
            "        key = table[key]",
            "    return seen",
        ),
        "lookup({'a': 'b'}, 'a')",
    ),
    "types": (
        _source(
            "def types(n):",
            "    number = n * 2",
            "    text = str(number)",
            "    exact = float(number)",
            "    untrue = number < 0",
            "    falsehood = not untrue",
            "    if untrue:",
            "        number = 0",
            "    return text",
        ),
        "types(5)",
    ),
    "quiet": (
        _source(
            "def quiet(xs):",
            "    out = {}",
            "    for x in xs:",
            "        out[x] = len(out)",
            "    return out",
        ),
        "quiet([])",
    ),
}


def _case(program: str, kind: str, /, **parts: object) -> dict[str, Any]:
    return {"program": program, "kind": kind, "parts": parts}


_TOTAL_RETURNS = _case("total", "returns", value="10")
_TOTAL_COUNT = _case("total", "iterations", line=3, count=5)
_TOTAL_START = _case("total", "value", line=2, name="s", value="0")
_TOTAL_LAST = _case("total", "value", line=4, name="s", value="10")
_TOTAL_THIRD = _case("total", "iteration", line=3, ordinal=3, name="i", value="2")
_COLLATZ_COUNT = _case("collatz", "iterations", line=3, count=5)
_COLLATZ_ODD = _case("collatz", "condition", line=4, source="n % 2 == 0", result=False)
_COLLATZ_UP = _case("collatz", "change", line=7, name="n", old="5", new="16")
_COLLATZ_LEFT = _case("collatz", "before", line=9, name="n", value="1")
_FACT_THREE = _case("fact", "call", name="fact", args_source="3", value="6")
_FACT_ONE = _case("fact", "call", name="fact", args_source="1", value="1")
_FACT_TEST = _case("fact", "condition", line=2, source="n <= 1", result=False)
_FACT_REST = _case("fact", "value", line=4, name="rest", value="1")
_PARSE_RAISES = _case("parse", "raises", type="ValueError", message="negative: x")
_PARSE_NUMBER = _case("parse", "value", line=5, name="number", value="-1")
_INITIALS_RETURNS = _case("initials", "returns", value="'AKB10'")
_INITIALS_SECOND = _case("initials", "prints", text="AK")
_INITIALS_TAG = _case("initials", "value", line=6, name="tag", value="'10'")
_INITIALS_WORD = _case("initials", "iteration", line=3, ordinal=2, name="word", value="'king'")
_SHARE_A = _case("share", "value", line=5, name="a", value="[1, 2, 3]")
_SHARE_C = _case("share", "value", line=5, name="c", value="[1, 2]")
_SHARE_APPEND = _case("share", "appended", line=5, item="3", name="b", value="[1, 2, 3]")
_SHARE_RETURNS = _case("share", "returns", value="([1, 2, 3], [1, 2], True, False)")
_AREA_RATIO = _case("area", "value", line=9, name="ratio", value="9.0")
_AREA_RETURNS = _case("area", "returns", value="9.0")
_AREA_BIG = _case("area", "value", line=8, name="big", value="90")
_AREA_CALL = _case("area", "call", name="scale", args_source="5, 3", value="15")
_FIND_COUNT = _case("find", "iterations", line=3, count=2)
_FIND_PRINTS = _case("find", "prints", text="found at 1")
_FIND_SKIP = _case("find", "branch", line=7, taken=False, target_line=8)
_FIND_NONE = _case("find", "condition", line=7, source="where is None", result=False)
_FIND_WHERE = _case("find", "value", line=5, name="where", value="1")
_LOOKUP_RAISES = _case("lookup", "raises", type="KeyError", message="'b'")
_LOOKUP_SEEN = _case("lookup", "before", line=5, name="seen", value="['a', 'b']")
_TYPES_RETURNS = _case("types", "returns", value="'10'")
_TYPES_NUMBER = _case("types", "value", line=2, name="number", value="10")
_TYPES_EXACT = _case("types", "value", line=4, name="exact", value="10.0")
_TYPES_UNTRUE = _case("types", "value", line=5, name="untrue", value="False")
_TYPES_SKIP = _case("types", "branch", line=7, taken=False, target_line=8)
_QUIET_COUNT = _case("quiet", "iterations", line=3, count=0)
_QUIET_RETURNS = _case("quiet", "returns", value="{}")

HARD: list[tuple[str, bool | None, dict[str, Any]]] = [
    # a sum: the right digits in the wrong number, at the wrong time, in the wrong variable
    ("After line 2, `s` is `0`.", True, _TOTAL_START),
    ("After line 2, s = 10.", False, _TOTAL_START),
    ("In the fifth iteration of the loop on line 3, line 4 leaves s = 1.", False, _TOTAL_LAST),
    ("In the fifth iteration of the loop on line 3, line 4 leaves s = 10.", True, _TOTAL_LAST),
    ("The function returns 1.", False, _TOTAL_RETURNS),
    ("The function returns 100.", False, _TOTAL_RETURNS),
    ("Return value: **10**", True, _TOTAL_RETURNS),
    ("The loop on line 3 runs five times.", True, _TOTAL_COUNT),
    ("The loop on line 3 runs four times, with i going from 1 to 4.", False, _TOTAL_COUNT),
    ("The loop on line 3 does not run four times.", True, _TOTAL_COUNT),
    ("It does not return 6; it returns 10.", True, _case("total", "rejected", wrong="6", right="10")),
    ("It does not return 10; it returns 6.", False, _case("total", "rejected", wrong="6", right="10")),
    ("The function doesn't return 10.", False, _TOTAL_RETURNS),
    ("The function never returns 15.", True, _TOTAL_RETURNS),
    (
        "It would be tempting to say 15, but `range(5)` stops at 4, so the result is 10.",
        True,
        _case("total", "rejected", wrong="15", right="10"),
    ),
    ("If `n` were 4, the function would return 6.", None, _TOTAL_RETURNS),
    ("Does the function return 15?", None, _TOTAL_RETURNS),
    ("`s` is never 2.", True, _TOTAL_LAST),
    ("`s` never reaches 10.", False, _TOTAL_LAST),
    (
        "After line 2, s is 0. In the second iteration, line 4 makes s 2. The function returns 10.",
        False,
        _case("total", "value", line=4, name="s", value="1"),
    ),
    ("On the third iteration of the loop on line 3, i is 3.", False, _TOTAL_THIRD),
    (
        "In the last iteration of the loop on line 3, `i` is 10.",
        False,
        _case("total", "iteration", line=3, ordinal=5, name="i", value="4"),
    ),
    ("When line 5 is reached, `s` is no longer `6`.", True, _case("total", "before", line=5, name="s", value="10")),
    ("The result might be 15, or it might not; we have not worked that out yet.", None, _TOTAL_RETURNS),
    ("What is `s` after line 4 in the third iteration: 2 or 3?", None, _TOTAL_RETURNS),
    # a while loop: negated tests, directions of a change, numbers of rounds
    (
        "The condition `n > 1` on line 3 is false the first time it is checked.",
        False,
        _case("collatz", "condition", line=3, source="n > 1", result=True),
    ),
    ("The condition of the while loop on line 3 is checked six times.", True, _COLLATZ_COUNT),
    ("In the first iteration, `n % 2 == 0` on line 4 is not true, so line 5 is skipped.", True, _COLLATZ_ODD),
    ("In the first iteration, `n % 2 == 0` on line 4 is true, so line 5 runs.", False, _COLLATZ_ODD),
    (
        "In the second iteration, `n%2==0` holds on line 4.",
        True,
        _case("collatz", "condition", line=4, source="n % 2 == 0", result=True),
    ),
    ("Line 7 changes n from 5 to 16.", True, _COLLATZ_UP),
    ("Line 7 changes n from 16 to 5.", False, _COLLATZ_UP),
    ("Line 7 runs exactly once.", True, _COLLATZ_UP),
    (
        "The block at line 7 is never entered.",
        False,
        _case("collatz", "branch", line=4, taken=True, target_line=7),
    ),
    ("After the loop on line 3 has finished, n is 0.", False, _COLLATZ_LEFT),
    ("The function returns 5, and `n` is also 5 when line 9 is reached.", False, _COLLATZ_LEFT),
    ("Suppose n started at 1: then the loop on line 3 would not run at all.", None, _COLLATZ_COUNT),
    ("One could expect `n % 2 == 0` on line 4 to be true in the first iteration.", None, _COLLATZ_ODD),
    (
        "After the first iteration, line 8 is followed directly by line 9.",
        False,
        _case("collatz", "order", line=8, next_line=3),
    ),
    # recursion: which call, which answer
    ("`fact(3)` returns `6`.", True, _FACT_THREE),
    ("`fact(3)` returns `24`.", False, _FACT_THREE),
    ("fact(2) gives 2, and fact(3) gives 5.", False, _FACT_THREE),
    (
        "The innermost call, fact(1), returns 1 from line 3.",
        True,
        _case("fact", "returns_from", line=3, name="fact", value="1"),
    ),
    ("The call `fact(0)` is made and returns 1.", False, _FACT_ONE),
    ("fact(0) is never called.", True, _FACT_ONE),
    ("Had it been called, `fact(0)` would have returned 0.", None, _FACT_ONE),
    ("Assume for a moment that `fact(3)` returned 24.", None, _FACT_THREE),
    ("The outermost call returns 24, not 120.", True, _case("fact", "rejected", wrong="120", right="24")),
    ("In the outermost call, `n <= 1` on line 2 is untrue.", True, _FACT_TEST),
    ("In the outermost call, `n<=1` on line 2 is true.", False, _FACT_TEST),
    ("In the call with n = 2, rest is 1 after line 4.", True, _FACT_REST),
    # exceptions: caught or not, and nothing returned
    ("The call raises `ValueError: negative: x`.", True, _PARSE_RAISES),
    (
        "Line 3 raises a ValueError, the handler on line 4 catches it, and after line 5 number is -1.",
        True,
        _PARSE_NUMBER,
    ),
    ("After line 5, number is 1.", False, _PARSE_NUMBER),
    ("The call returns -1.", False, _PARSE_RAISES),
    ("The call ends with a TypeError with the message `negative: x`.", False, _PARSE_RAISES),
    ("The call raises a ValueError, and its whole message is `negative`.", False, _PARSE_RAISES),
    ("No exception leaves the function.", False, _PARSE_RAISES),
    ("The function does not return -1; it raises a ValueError.", True, _PARSE_RAISES),
    ("Had text been '7', the function would have returned 7.", None, _PARSE_RAISES),
    # text: prefixes, quotes, case, numbers in strings
    ("The second line printed is `AK`.", True, _INITIALS_SECOND),
    ("The second line printed is `A`.", False, _INITIALS_SECOND),
    ("It never prints `B` on a line of its own.", True, _INITIALS_SECOND),
    ("It prints `AKB10`.", False, _case("initials", "prints", text="AKB")),
    ('The function returns "AKB10".', True, _INITIALS_RETURNS),
    ("The function returns `'AKB'`.", False, _INITIALS_RETURNS),
    ('The function returns `"akb10"`.', False, _INITIALS_RETURNS),
    ('After line 6, `tag` is the string "10".', True, _INITIALS_TAG),
    ("After line 6, `tag` is the integer 10.", False, _INITIALS_TAG),
    ('On the second pass through the loop on line 3, word is "king".', True, _INITIALS_WORD),
    ("The loop on line 3 is over after two iterations.", False, _case("initials", "iterations", line=3, count=3)),
    ("It might print `A K B`, but let us look first.", None, _INITIALS_SECOND),
    # aliases and copies
    ("After line 5, `a` is `[1,2,3]`.", True, _SHARE_A),
    ("After line 5, c is [1, 2, 3].", False, _SHARE_C),
    ("After line 4, a is [1, 2, 3].", False, _case("share", "value", line=4, name="a", value="[1, 2]")),
    ("After line 5, `a` is no longer `[1, 2]`.", True, _SHARE_A),
    ("After line 5, `a` is `[1, 3, 2]`.", False, _SHARE_A),
    ("`b.append(n)` on line 5 does not change `a`.", False, _SHARE_A),
    ("Line 5 appends 3 to c, so c is now [1, 2, 3].", False, _SHARE_APPEND),
    ("After line 6, same is not True.", False, _case("share", "value", line=6, name="same", value="True")),
    ("After line 7, equal is not True.", True, _case("share", "value", line=7, name="equal", value="False")),
    ("The function returns ([1,2,3], [1,2], True, False).", True, _SHARE_RETURNS),
    ("The function returns ([1, 2], [1, 2, 3], True, False).", False, _SHARE_RETURNS),
    ("If line 3 had copied the list, `a` would still be `[1, 2]` after line 5.", None, _SHARE_A),
    ("Let us check whether `c` is `[1, 2, 3]` after line 5.", None, _SHARE_C),
    # calls inside, ints and floats, a wrong step before a right answer
    ("scale(3) returns 6 and scale(5, 3) returns 15.", True, _AREA_CALL),
    ("`scale(5, 3)` returns `10`.", False, _AREA_CALL),
    ("The function returns the string '9.0'.", False, _AREA_RETURNS),
    ("The function returns the int 9 rather than a float.", False, _AREA_RETURNS),
    ("After line 8, big is 90. After line 9, ratio is 0.9. The function returns 9.0.", False, _AREA_RATIO),
    ("After line 7, `h2` is `6`.", False, _case("area", "value", line=7, name="h2", value="15")),
    ("On line 8, `w2*h2` is 90.", True, _case("area", "expression", line=8, source="w2 * h2", value="90")),
    ("After line 8, big is not 90 but 45.", False, _AREA_BIG),
    ("After line 8, big is 90 rather than 45.", True, _AREA_BIG),
    ("With k = 3 in both calls, big would be 135.", None, _AREA_BIG),
    # a search that stops early
    ("The body of the loop on line 3 is entered twice.", True, _FIND_COUNT),
    ("The loop on line 3 runs three times, once for each element.", False, _FIND_COUNT),
    ("Line 8 never runs.", True, _FIND_SKIP),
    ("Line 7 does not skip the block at line 8.", False, _FIND_SKIP),
    ("It does not print `missing`; it prints `found at 1`.", True, _FIND_PRINTS),
    ("It prints `found at 11`.", False, _FIND_PRINTS),
    ("After line 5, `where` is `'1'`.", False, _FIND_WHERE),
    ("At line 7, `where is None` is not true.", True, _FIND_NONE),
    ("At line 7, `where is None` is true, so line 8 runs.", False, _FIND_NONE),
    ("After line 2, `where` is not None.", False, _case("find", "value", line=2, name="where", value="None")),
    ("If 7 were not in the list, it would print `missing` and return None.", None, _FIND_PRINTS),
    ("It is not obvious whether `where` is 1 or 2 after line 5.", None, _FIND_WHERE),
    ("A caller with another list might see `missing` printed.", None, _FIND_PRINTS),
    # a failed look-up
    ("The call ends with `KeyError: 'b'`.", True, _LOOKUP_RAISES),
    ("The call ends with `KeyError: 'a'`.", False, _LOOKUP_RAISES),
    ("The call returns ['a', 'b'].", False, _LOOKUP_RAISES),
    ("Line 6 is never reached.", True, _LOOKUP_RAISES),
    ('The second time line 5 is reached, `seen` is `["a","b"]`.', True, _LOOKUP_SEEN),
    ("Perhaps the call returns ['a', 'b'], or perhaps `table[key]` fails first.", None, _LOOKUP_RAISES),
    # the same digits as int, float and text; truth in names
    ("The function returns `'10'`.", True, _TYPES_RETURNS),
    ("The function returns the number 10.", False, _TYPES_RETURNS),
    ("After line 2, `number` is `'10'`.", False, _TYPES_NUMBER),
    ("After line 4, exact is the float 10.0.", True, _TYPES_EXACT),
    ("After line 4, `exact` is `'10.0'`.", False, _TYPES_EXACT),
    ("After line 5, untrue is False.", True, _TYPES_UNTRUE),
    ("After line 5, `untrue` is `True`.", False, _TYPES_UNTRUE),
    ("Line 7 does not enter the block at line 8.", True, _TYPES_SKIP),
    # a loop without iterations
    ("The loop on line 3 runs zero times.", True, _QUIET_COUNT),
    ("The body of the loop on line 3 never runs.", True, _QUIET_COUNT),
    ("The function returns `[]`.", False, _QUIET_RETURNS),
    ("With a list of two names, the loop on line 3 would run twice.", None, _QUIET_COUNT),
]

"""Held-out wordings: sentences in which people and models tell what a run of some code did, kept for measuring only.

They were written without knowledge of the parser that they test. Whoever improves that parser leaves this file unread,
and a wording that it does not understand stays as it is: that is what is measured. There is nothing here but data and
small pure functions, and nothing of semcoder is imported.

`WORDINGS` maps each kind of fact to functions. A function takes the parts of one fact, in the order of `PARTS[kind]` or
by their names, and returns one sentence or clause on one line. The line states the fact with all its parts and nothing
more that could be false. The kinds, with what they say:

    value(line, name, value)              the variable has this value after the line has run
    values(line, pairs)                   two or more variables have these values then; pairs: a sequence of (name, value)
    before(line, name, value)             the variable has this value when the line is reached and has yet to run
    change(line, name, old, new)          the line takes the variable from one value to another, different one
    appended(line, item, name, value)     `name.append` is called with the item on this line, and the list is then value
    iterations(line, count)               how often this run of the loop enters its body; 0 is possible
    iteration(line, ordinal, name, value) what the target of the `for` is in the iteration of that number, from 1 on
    loop_end(line)                        the loop is over where the sentence stands, without a return or an exception
    condition(line, source, result)       the test expression is true or false (its truth, of whatever type it is)
    branch(line, taken, target_line)      the `if` at line has the block that starts at target_line entered or skipped
    because(line, name, value, source, result, target_line)
                                          in one sentence: the variable's value before the line, the truth of the test
                                          that it leads to, and the block that is therefore entered (true) or skipped
    order(line, next_line)                next_line runs directly after line
    returns(value)                        the call that the text is about returns this
    returns_from(line, name, value)       the `return` at the line, in the function of that name, gives this
    raises(type, message)                 the call ends with this exception; message is its str(), "" if it has none
    prints(text)                          one line that is printed, not empty, without its newline
    call(name, args_source, value)        a nested call with these arguments, perhaps none, gives this
    expression(line, source, value)       a sub-expression that the line evaluates has this value
    rejected(wrong, right)                a wrong return value is named and turned down; the right one is stated

`line`, `next_line`, `target_line`, `ordinal` and `count` are ints, `taken` and `result` bools. `type`, `message` and
`text` are plain text. All others are strings of Python source on one line: literals as `repr` writes them (`value`,
`old`, `new`, `item`, `wrong`, `right`), expressions (`source`, `args_source`), names (a variable, a function, or any `for`
target: "k, v" with "('a', 1)"). Wordings may vary the quotes and blanks of a literal, the spacing of an expression and
the way a number is written. Where a wording says "True" of a test, it may be merely true: use tests that give a bool
where this matters.

To make a true text, word the facts in their order of occurrence, join the sentences by one of `LAYOUTS`, and put sentences
of `FILLER` between them if you like; those claim nothing that an execution could show wrong. A sentence that does not say
which occurrence it means is about the next fitting one. To make a false text, change one part of one fact so that it is
known to be false in that execution. A changed line number may be right by chance. Of a skipped block change `taken`, not
`target_line`; of `rejected`, swap the two parts.

`HARD` has triples (sentence, expected, case). `case` is {"program", "kind", "parts"}: a true fact that the sentence is
about, in the execution of that entry (source, call) of `PROGRAMS`. `expected` is the verdict deserved: True, False, or
None where the sentence claims nothing that this execution decides. With None expected, False is a false alarm; with True
or False expected, None is a miss and the opposite an error. The facts come from real runs.

It is not claimed that these are all the wordings in use, or that their frequencies here are those of real texts.
"""

from collections.abc import Callable, Sequence
from typing import Any

Pairs = Sequence[tuple[str, str]]
Case = tuple[str, bool | None, dict[str, Any]]

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

_WORDS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]
_NTH = ["zeroth", "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth"]


def _c(source: str) -> str:
    """As a code span."""
    if "`" not in source:
        return f"`{source}`"
    return f"`` {source} ``"


def _dq(literal: str) -> str:
    """A plain string literal in double quotes; anything else as it is."""
    inner = literal[1:-1]
    if len(literal) >= 2 and literal[0] == literal[-1] == "'" and not set(inner) & set("'\"\\"):
        return f'"{inner}"'
    return literal


def _tight(source: str) -> str:
    """Without the blanks after commas, where no string can be hurt."""
    return source if "'" in source or '"' in source else source.replace(", ", ",")


def _cd(literal: str) -> str:
    return _c(_dq(literal))


def _ct(source: str) -> str:
    return _c(_tight(source))


def _word(number: int) -> str:
    return _WORDS[number] if number <= 10 else str(number)


def _nth(number: int) -> str:
    return _NTH[number] if number <= 10 else _th(number)


def _th(number: int) -> str:
    if number % 100 in (11, 12, 13):
        return f"{number}th"
    return f"{number}{ {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th') }"


def _times(number: int) -> str:
    return {1: "once", 2: "twice"}.get(number, f"{_word(number)} times")


def _plural(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _and(items: Sequence[str]) -> str:
    return items[0] if len(items) == 1 else ", ".join(items[:-1]) + " and " + items[-1]


def _names(pairs: Pairs) -> list[str]:
    return [_c(name) for name, _ in pairs]


def _literals(pairs: Pairs) -> list[str]:
    return [_c(value) for _, value in pairs]


def _error(kind: str, message: str) -> str:
    """As the last line of a traceback."""
    return f"{kind}: {message}" if message else kind


WORDINGS: dict[str, list[Callable[..., str]]] = {
    "value": [
        lambda line, name, value: f"Once line {line} has executed, {_c(name)} holds {_c(value)}.",
        lambda line, name, value: f"L{line}: {name} = {value}",
        lambda line, name, value: f"Line {line} leaves {_c(name)} at {_c(value)}.",
        lambda line, name, value: f"**Line {line}** → {_c(f'{name} = {value}')}",
        lambda line, name, value: f"With line {line} done, the value of {name} is {_cd(value)}.",
        lambda line, name, value: f"Line {line} runs, so {_c(name)} is now {_ct(value)}.",
        lambda line, name, value: f"Executing line {line} gives us {_c(f'{name} == {value}')}.",
        lambda line, name, value: f"(line {line}) {_c(name)} ⇒ {_c(value)}",
        lambda line, name, value: f"{_c(name)} is {_c(value)} as soon as line {line} is through.",
        lambda line, name, value: f"After executing line {line}, we have {_c(name)} equal to {_cd(value)}.",
    ],
    "values": [
        lambda line, pairs: f"After line {line}, {_and([_c(f'{n} = {v}') for n, v in pairs])}.",
        lambda line, pairs: f"State after line {line}: {', '.join(_c(f'{n}={_tight(v)}') for n, v in pairs)}",
        lambda line, pairs: f"Following line {line}, {_and(_names(pairs))} are {_and(_literals(pairs))}, respectively.",
        lambda line, pairs: f"Line {line} has run, and we now have {_and([f'{_c(n)} at {_c(v)}' for n, v in pairs])}.",
        lambda line, pairs: f"Line {line} → " + "; ".join(f"{n} is {v}" for n, v in pairs),
        lambda line, pairs: f"When line {line} finishes, {_and([f'{_c(n)} holds {_cd(v)}' for n, v in pairs])}.",
        lambda line, pairs: f"By the end of line {line}, {' and '.join(f'{n} equals {_c(v)}' for n, v in pairs)}.",
        lambda line, pairs: f"L{line} (after): " + " | ".join(f"{n}: {v}" for n, v in pairs),
        lambda line, pairs: f"Line {line} leaves us with {_and([f'{_c(n)} being {_c(v)}' for n, v in pairs])}.",
    ],
    "before": [
        lambda line, name, value: f"Just before line {line} executes, {_c(name)} is {_c(value)}.",
        lambda line, name, value: f"Going into line {line}, {_c(f'{name} == {value}')}.",
        lambda line, name, value: f"On entry to line {line}, {name} has the value {_cd(value)}.",
        lambda line, name, value: f"We arrive at line {line} with {_c(name)} = {_c(value)}.",
        lambda line, name, value: f"L{line} (before): {name} = {value}",
        lambda line, name, value: f"Line {line} is about to run, and at this moment {_c(name)} holds {_ct(value)}.",
        lambda line, name, value: f"Execution reaches line {line} while {_c(name)} is {_c(value)}.",
        lambda line, name, value: f"{_c(name)} is {_cd(value)} by the time we get to line {line}.",
        lambda line, name, value: f"When control hits line {line}, the current value of {_c(name)} is {_c(value)}.",
    ],
    "change": [
        lambda line, name, old, new: f"Line {line} updates {_c(name)} from {_c(old)} to {_c(new)}.",
        lambda line, name, old, new: f"L{line}: {name}: {old} → {new}",
        lambda line, name, old, new: f"{_c(name)} goes from {_c(old)} to {_c(new)} on line {line}.",
        lambda line, name, old, new: f"{_c(name)}, which was {_c(old)}, becomes {_c(new)} through line {line}.",
        lambda line, name, old, new: f"Because of line {line}, {name} is no longer {_c(old)} but {_c(new)}.",
        lambda line, name, old, new: f"Running line {line} turns {_c(name)} from {_cd(old)} into {_cd(new)}.",
        lambda line, name, old, new: f"{_c(name)} was {_c(old)} before line {line} and is {_c(new)} after it.",
        lambda line, name, old, new: (
            f"Line {line} changes the value of {_c(name)}: it used to be {_ct(old)}, now it's {_ct(new)}."
        ),
        lambda line, name, old, new: f"On line {line}, {_c(name)} is changed to {_c(new)} (previously {_c(old)}).",
    ],
    "appended": [
        lambda line, item, name, value: f"Line {line} appends {_c(item)} to {_c(name)}, making it {_c(value)}.",
        lambda line, item, name, value: (
            f"On line {line}, {_c(f'{name}.append({item})')} runs, and {_c(name)} is now {_c(value)}."
        ),
        lambda line, item, name, value: (
            f"{_cd(item)} gets appended to {_c(name)} at line {line}, which gives {_c(value)}."
        ),
        lambda line, item, name, value: f"L{line}: {name}.append({item}) → {name} = {value}",
        lambda line, item, name, value: (
            f"Line {line} pushes {_c(item)} onto the end of {name}; {name} is then {_ct(value)}."
        ),
        lambda line, item, name, value: (
            f"We append {_c(item)} to {_c(name)} (line {line}), so it grows to {_c(value)}."
        ),
        lambda line, item, name, value: (
            f"After line {line} adds {_c(item)} to the end of the list {_c(name)}, the list reads {_c(value)}."
        ),
        lambda line, item, name, value: f"{_c(name)} picks up {_cd(item)} on line {line} and becomes {_c(value)}.",
        lambda line, item, name, value: (
            f"The append on line {line} puts {_c(item)} at the back of {_c(name)}, leaving {_c(f'{name} == {value}')}."
        ),
    ],
    "iterations": [
        lambda line, count: f"The loop on line {line} runs {_times(count)}.",
        lambda line, count: f"The body of the loop at line {line} is executed {_plural(count, 'time')}.",
        lambda line, count: f"Loop at L{line}: {_plural(count, 'iteration')}",
        lambda line, count: f"The loop starting on line {line} makes {_word(count)} pass{'' if count == 1 else 'es'}.",
        lambda line, count: (
            f"The loop on line {line} never enters its body."
            if count == 0
            else f"We go through the body of the loop on line {line} {_times(count)}."
        ),
        lambda line, count: f"In total, the line {line} loop iterates {_times(count)}.",
        lambda line, count: (
            f"There {'is' if count == 1 else 'are'} {_plural(count, 'iteration')} of the loop on line {line}."
        ),
        lambda line, count: (
            f"The loop at line {line} does not execute even once."
            if count == 0
            else f"The loop at line {line} goes around {_plural(count, 'time')} altogether."
        ),
        lambda line, count: f"Number of iterations of the loop on line {line}: **{count}**",
    ],
    "iteration": [
        lambda line, ordinal, name, value: (
            f"In the {_nth(ordinal)} iteration of the loop on line {line}, {_c(name)} is {_c(value)}."
        ),
        lambda line, ordinal, name, value: f"Iteration {ordinal} (line {line}): {name} = {value}",
        lambda line, ordinal, name, value: (
            f"On pass #{ordinal} through the for loop at line {line}, {_c(name)} takes the value {_cd(value)}."
        ),
        lambda line, ordinal, name, value: (
            f"The {_th(ordinal)} time round the loop on line {line}, {_c(name)} gets {_c(value)}."
        ),
        lambda line, ordinal, name, value: f"Loop on L{line}, iter {ordinal}: {_c(name)} → {_c(value)}",
        lambda line, ordinal, name, value: (
            f"For iteration number {ordinal}, line {line} assigns {_c(value)} to {_c(name)}."
        ),
        lambda line, ordinal, name, value: (
            f"Line {line} starts its {_nth(ordinal)} iteration with {_c(name)} set to {_c(value)}."
        ),
        lambda line, ordinal, name, value: (
            f"The {_nth(ordinal)} item that the loop on line {line} hands to {_c(name)} is {_cd(value)}."
        ),
        lambda line, ordinal, name, value: (
            f"**Iteration {ordinal}** of the `for` on line {line}: {_c(name)} is bound to {_c(value)}."
        ),
    ],
    "loop_end": [
        lambda line: f"The loop on line {line} is over.",
        lambda line: f"That ends the loop at line {line}.",
        lambda line: f"We leave the loop on line {line}.",
        lambda line: f"Execution has now left the loop that began on line {line}.",
        lambda line: f"The line {line} loop is finished.",
        lambda line: f"L{line}: loop ends",
        lambda line: f"The loop at line {line} terminates at this point.",
        lambda line: f"No more iterations of the loop on line {line} follow.",
        lambda line: f"And with that we are out of the loop on line {line}.",
    ],
    "condition": [
        lambda line, source, result: f"On line {line} the test {_c(source)} is {'true' if result else 'false'}.",
        lambda line, source, result: f"Line {line} checks {_c(source)}, which is {result}.",
        lambda line, source, result: f"L{line}: {_c(source)} → {result}",
        lambda line, source, result: (
            f"The condition {_c(source)} on line {line} {'holds' if result else 'does not hold'}."
        ),
        lambda line, source, result: f"At line {line}, {_c(source)} evaluates to {_c(str(result))}.",
        lambda line, source, result: f"The check {_c(source)} {'passes' if result else 'fails'} at line {line}.",
        lambda line, source, result: f"{_ct(source)} on line {line} turns out to be {'truthy' if result else 'falsy'}.",
        lambda line, source, result: f"Testing {_c(source)} at line {line} comes out {'true' if result else 'false'}.",
        lambda line, source, result: (
            f"The condition in line {line}, {_c(source)}, is {'satisfied' if result else 'not satisfied'}."
        ),
        lambda line, source, result: f"Line {line}: is {_c(source)} true? {'Yes' if result else 'No'}.",
    ],
    "branch": [
        lambda line, taken, target_line: (
            f"Line {line} sends us into the block at line {target_line}."
            if taken
            else f"Line {line} makes us skip the block at line {target_line}."
        ),
        lambda line, taken, target_line: (
            f"From line {line}, we {'enter' if taken else 'skip'} the block that starts on line {target_line}."
        ),
        lambda line, taken, target_line: (
            f"The `if` on line {line} {'lets the block at' if taken else 'keeps the block at'} line {target_line}"
            f"{' run' if taken else ' from running'}."
        ),
        lambda line, taken, target_line: (
            f"So the branch at line {target_line} {'is' if taken else 'is not'} taken (decided on line {line})."
        ),
        lambda line, taken, target_line: f"L{line} → block at L{target_line} {'runs' if taken else 'is skipped'}",
        lambda line, taken, target_line: (
            f"Due to the test on line {line}, execution {'goes' if taken else 'does not go'} into the block"
            f" beginning on line {target_line}."
        ),
        lambda line, taken, target_line: (
            f"The block starting at line {target_line} {'is executed' if taken else 'is passed over'} because of the"
            f" check on line {line}."
        ),
        lambda line, taken, target_line: (
            f"At line {line} we {'take' if taken else 'do not take'} the branch that begins at line {target_line}."
        ),
        lambda line, taken, target_line: (
            f"After the check on line {line}, the body at line {target_line} is {'entered' if taken else 'bypassed'}."
        ),
    ],
    "because": [
        lambda line, name, value, source, result, target_line: (
            f"Since {_c(name)} is {_c(value)} on line {line}, {_c(source)} is {'true' if result else 'false'} and the block"
            f" at line {target_line} is {'entered' if result else 'skipped'}."
        ),
        lambda line, name, value, source, result, target_line: (
            f"L{line}: {_c(f'{name} = {value}')}, so {_c(source)} is {result} → {'enter' if result else 'skip'}"
            f" the block at L{target_line}"
        ),
        lambda line, name, value, source, result, target_line: (
            f"At line {line}, with {_c(name)} equal to {_cd(value)}, the condition {_c(source)}"
            f" {'holds' if result else 'does not hold'}, so we {'go into' if result else 'jump over'} the block"
            f" starting at line {target_line}."
        ),
        lambda line, name, value, source, result, target_line: (
            f"When line {line} is reached, {_c(name)} is {_c(value)}, which makes {_c(source)}"
            f" {'true' if result else 'false'}, so the block at line {target_line} {'runs' if result else 'does not run'}."
        ),
        lambda line, name, value, source, result, target_line: (
            f"Because {_c(name)} holds {_c(value)}, the test {_c(source)} on line {line}"
            f" {'passes' if result else 'fails'}, and execution {'enters' if result else 'skips'} the block that begins"
            f" on line {target_line}."
        ),
        lambda line, name, value, source, result, target_line: (
            f"Given {_c(f'{name} == {value}')}, {_c(source)} evaluates to {_c(str(result))} at line {line}, and hence"
            f" the branch at line {target_line} is {'taken' if result else 'not taken'}."
        ),
        lambda line, name, value, source, result, target_line: (
            f"The block at line {target_line} {'is executed' if result else 'is not executed'}, because at line {line}"
            f" {_c(name)} is {_c(value)} and therefore {_c(source)} is {'true' if result else 'false'}."
        ),
        lambda line, name, value, source, result, target_line: (
            f"**Line {line}**: {name} is {value} ⇒ {_c(source)} is {'truthy' if result else 'falsy'} ⇒ line"
            f" {target_line}'s block is {'entered' if result else 'skipped'}."
        ),
    ],
    "order": [
        lambda line, next_line: f"After line {line}, line {next_line} runs next.",
        lambda line, next_line: f"Line {line} is immediately followed by line {next_line}.",
        lambda line, next_line: f"L{line} → L{next_line}",
        lambda line, next_line: f"Execution moves from line {line} straight to line {next_line}.",
        lambda line, next_line: f"From line {line}, control passes directly to line {next_line}.",
        lambda line, next_line: f"Line {next_line} is the next line to run after line {line}.",
        lambda line, next_line: f"Next up after line {line}: line {next_line}",
        lambda line, next_line: f"Having run line {line}, the interpreter continues with line {next_line}.",
        lambda line, next_line: f"Line {next_line} comes right after line {line} in this execution.",
        lambda line, next_line: f"Once line {line} is done, we proceed to line {next_line}.",
    ],
    "returns": [
        lambda value: f"The function returns {_c(value)}.",
        lambda value: f"Return value: {value}",
        lambda value: f"So the final result is {_c(value)}.",
        lambda value: f"Therefore, we get {_cd(value)} back from the call.",
        lambda value: f"**Result:** {_c(value)}",
        lambda value: f"The whole call evaluates to {_ct(value)}.",
        lambda value: f"{_c(value)} is what the function ultimately returns.",
        lambda value: f"⇒ returns {_c(value)}",
        lambda value: f"Hence the value handed back at the end is {_c(value)}.",
        lambda value: f"In the end {_c(value)} is returned.",
    ],
    "returns_from": [
        lambda line, name, value: f"Line {line} returns {_c(value)} from {_c(name)}.",
        lambda line, name, value: f"{_c(name)} returns {_c(value)} at line {line}.",
        lambda line, name, value: f"The return statement on line {line} of {_c(name)} hands back {_cd(value)}.",
        lambda line, name, value: f"L{line}: {name}() returns {value}",
        lambda line, name, value: f"{_c(name)} finishes on line {line}, returning {_c(value)}.",
        lambda line, name, value: f"At line {line} the function {_c(name)} gives {_ct(value)} back to its caller.",
        lambda line, name, value: f"{_c(value)} is returned by {_c(name)} on line {line}.",
        lambda line, name, value: f"{_c(name + '()')} exits via line {line} with the return value {_c(value)}.",
        lambda line, name, value: f"Line {line}: `return` → {_c(value)} (from {_c(name)})",
    ],
    "raises": [
        lambda type, message: (
            f"The call raises {_c(_error(type, message))}."
            if message
            else f"The call raises {_c(type)} with no message."
        ),
        lambda type, message: f"It ends with a {_c(type)} whose message is {_c(message) if message else 'empty'}.",
        lambda type, message: (
            f"A {type} with {f'the message {_c(message)}' if message else 'an empty message'} is raised, and the call"
            " ends there."
        ),
        lambda type, message: (
            f"Execution stops with {_c(_error(type, message))}{'' if message else ' (empty message)'}."
        ),
        lambda type, message: (
            f"No value comes back: the call fails with {_c(type)}"
            f" {f'and the message {_c(message)}' if message else 'and without a message'}."
        ),
        lambda type, message: (
            f"An uncaught {_c(type)} ({f'message: {_c(message)}' if message else 'no message'}) terminates the call."
        ),
        lambda type, message: (
            f"**Exception:** {_c(_error(type, message))}{'' if message else ' with an empty message'}"
        ),
        lambda type, message: (
            f"The function never returns, since {_c(type)} is thrown"
            f" {f'saying {_c(message)}' if message else 'with no message'}."
        ),
        lambda type, message: (
            f"The exception that escapes is {_c(type)}, and its message is"
            f" {_c(message) if message else 'the empty string'}."
        ),
    ],
    "prints": [
        lambda text: f"It prints {_c(text)}.",
        lambda text: f"{_c(text)} is printed.",
        lambda text: f"Printed output: {_c(text)}",
        lambda text: f"The line {_c(text)} goes to stdout.",
        lambda text: f"This prints {_c(text)} to the console.",
        lambda text: f"stdout ← {_c(text)}",
        lambda text: f"What gets printed is {_c(text)}.",
        lambda text: f"`print` outputs {_c(text)}.",
        lambda text: f"We see {_c(text)} on the screen.",
        lambda text: f"The program writes {_c(text)} to standard output.",
    ],
    "call": [
        lambda name, args_source, value: f"{_c(f'{name}({args_source})')} returns {_c(value)}.",
        lambda name, args_source, value: f"The nested call {_c(f'{name}({args_source})')} gives {_c(value)}.",
        lambda name, args_source, value: (
            f"Calling {_c(name)} with {f'the arguments {_c(args_source)}' if args_source else 'no arguments'} yields"
            f" {_c(value)}."
        ),
        lambda name, args_source, value: f"{name}({args_source}) → {value}",
        lambda name, args_source, value: (
            f"The inner call {_c(f'{name}({_tight(args_source)})')} comes back with {_cd(value)}."
        ),
        lambda name, args_source, value: f"We get {_c(value)} from {_c(f'{name}({args_source})')}.",
        lambda name, args_source, value: f"{_c(value)} is the result of calling {_c(f'{name}({args_source})')}.",
        lambda name, args_source, value: f"Invoking {_c(f'{name}({args_source})')} produces {_ct(value)}.",
        lambda name, args_source, value: f"{_c(f'{name}({args_source})')} evaluates to {_cd(value)}.",
    ],
    "expression": [
        lambda line, source, value: f"On line {line}, {_c(source)} is {_c(value)}.",
        lambda line, source, value: f"Line {line} evaluates {_c(source)} to {_c(value)}.",
        lambda line, source, value: f"L{line}: {_c(source)} → {_c(value)}",
        lambda line, source, value: f"The expression {_c(source)} in line {line} works out to {_cd(value)}.",
        lambda line, source, value: f"{_c(source)} comes to {_c(value)} on line {line}.",
        lambda line, source, value: f"At line {line}, computing {_c(source)} gives {_ct(value)}.",
        lambda line, source, value: f"In line {line} the subexpression {_c(source)} has the value {_c(value)}.",
        lambda line, source, value: f"{_c(value)} is what {_c(source)} yields on line {line}.",
        lambda line, source, value: f"Line {line} computes {_c(source)}, getting {_cd(value)}.",
    ],
    "rejected": [
        lambda wrong, right: f"The function returns {_c(right)}, not {_c(wrong)}.",
        lambda wrong, right: f"One might expect {_c(wrong)}, but the call returns {_c(right)}.",
        lambda wrong, right: f"It doesn't return {_c(wrong)}; it returns {_c(right)}.",
        lambda wrong, right: f"The return value is not {_cd(wrong)} but {_cd(right)}.",
        lambda wrong, right: f"Rather than {_c(wrong)}, the result is {_c(right)}.",
        lambda wrong, right: f"Return value: {_c(right)} (not {_c(wrong)})",
        lambda wrong, right: f"{_c(wrong)} would be a mistake; the actual return value is {_c(right)}.",
        lambda wrong, right: (
            f"At first glance the result looks like {_ct(wrong)}, yet what is really returned is {_ct(right)}."
        ),
        lambda wrong, right: f"Instead of {_c(wrong)}, the function gives back {_c(right)}.",
    ],
}


def _stop(sentence: str) -> str:
    return sentence if sentence.endswith((".", "!", "?")) else sentence + "."


LAYOUTS: dict[str, Callable[[Sequence[str]], str]] = {
    "paragraph": lambda sentences: " ".join(map(_stop, sentences)),
    "lines": "\n".join,
    "bullets": lambda sentences: "Trace:\n\n" + "\n".join(f"* {sentence}" for sentence in sentences),
    "numbered": lambda sentences: "\n".join(f"{i}) {sentence}" for i, sentence in enumerate(sentences, 1)),
    "spaced": lambda sentences: "### Walkthrough\n\n" + "\n\n".join(map(_stop, sentences)) + "\n",
    "two to a line": lambda sentences: "\n".join(
        " ".join(map(_stop, sentences[i : i + 2])) for i in range(0, len(sentences), 2)
    ),
}

FILLER: list[str] = [
    "Let me trace this carefully.",
    "Now for the interesting part.",
    "OK, moving on.",
    "I'll keep track of the variables as I go.",
    "So far, so good.",
    "This is where it is easy to slip up.",
    "Nothing surprising here.",
    "Let's see what comes of it.",
    "It helps to write down each step.",
    "Good, that matches my expectation.",
    "Here is how it plays out.",
]

PROGRAMS: dict[str, tuple[str, str]] = {
    "evens": (
        """\
def evens(nums):
    kept = []
    skipped = 0
    for n in nums:
        if n % 2 == 0:
            kept.append(n)
        else:
            skipped += 1
    return kept, skipped
""",
        "evens([4, 7, 10])",
    ),
    "collatz": (
        """\
def collatz(n):
    steps = 0
    while n != 1:
        if n % 2:
            n = 3 * n + 1
        else:
            n //= 2
        steps += 1
    return steps
""",
        "collatz(6)",
    ),
    "gcd": (
        """\
def gcd(a, b):
    if b == 0:
        return a
    return gcd(b, a % b)
""",
        "gcd(48, 18)",
    ),
    "lookup": (
        """\
def lookup(table, keys):
    total = 0
    for i, key in enumerate(keys):
        print(f"{i}:{key}")
        total += table[key]
    return total
""",
        "lookup({'a': 3, 'b': 5}, ['a', 'b', 'z'])",
    ),
    "find": (
        """\
def find(words, prefix):
    best = None
    for word in words:
        if word.startswith(prefix):
            best = word
            break
    size = 0 if best is None else len(best)
    label = "-".join([prefix, str(size)])
    print(label)
    return label.upper()
""",
        "find(['kiwi', 'plum', 'pear'], 'p')",
    ),
}


def _case(program: str, kind: str, **parts: Any) -> dict[str, Any]:
    return {"program": program, "kind": kind, "parts": parts}


_EVENS = _case("evens", "returns", value="([4, 10], 1)")
_EVENS_LOOP = _case("evens", "iterations", line=4, count=3)
_EVENS_TEST = _case("evens", "condition", line=5, source="n % 2 == 0", result=True)
_EVENS_SKIP = _case("evens", "change", line=8, name="skipped", old="0", new="1")
_EVENS_LAST = _case("evens", "appended", line=6, item="10", name="kept", value="[4, 10]")
_COLLATZ = _case("collatz", "returns", value="8")
_COLLATZ_LOOP = _case("collatz", "iterations", line=3, count=8)
_COLLATZ_HALF = _case("collatz", "change", line=7, name="n", old="6", new="3")
_GCD = _case("gcd", "returns", value="6")
_GCD_INNER = _case("gcd", "call", name="gcd", args_source="18, 12", value="6")
_GCD_BASE = _case("gcd", "returns_from", line=3, name="gcd", value="6")
_LOOKUP = _case("lookup", "raises", type="KeyError", message="'z'")
_LOOKUP_PRINT = _case("lookup", "prints", text="1:b")
_LOOKUP_TOTAL = _case("lookup", "change", line=5, name="total", old="3", new="8")
_FIND = _case("find", "returns", value="'P-4'")
_FIND_LOOP = _case("find", "iterations", line=3, count=2)
_FIND_BEST = _case("find", "value", line=5, name="best", value="'plum'")
_FIND_TEST = _case("find", "condition", line=4, source="word.startswith(prefix)", result=False)
_FIND_SIZE = _case("find", "value", line=7, name="size", value="4")
_FIND_PRINT = _case("find", "prints", text="p-4")

HARD: list[Case] = [
    # a loop with two outcomes
    ("The call returns a tuple whose first element is `[4, 10]` and whose second element is `1`.", True, _EVENS),
    ("The call returns a tuple whose first element is `[4, 10]` and whose second element is `2`.", False, _EVENS),
    ("It returns `([4,10],1)`, and not `([4, 7, 10], 0)`.", True, _EVENS),
    ("It returns `([4, 7, 10], 0)`, and not `([4, 10], 1)`.", False, _EVENS),
    ("If `nums` were empty, the function would return `([], 0)`.", None, _EVENS),
    ("For an all-odd input, `kept` would be `[]` at the end.", None, _EVENS),
    ("You might think that `skipped` ends at `2`.", None, _EVENS),
    ("The loop on line 4 runs three times, once for each element.", True, _EVENS_LOOP),
    ("The loop on line 4 doesn't run three times.", False, _EVENS_LOOP),
    ("Of the three iterations of the loop on line 4, one reaches line 8.", True, _EVENS_LOOP),
    ("Does the loop on line 4 run four times?", None, _EVENS_LOOP),
    ("In the first iteration, `n` is `4`, so `n % 2 == 0` is true on line 5.", True, _EVENS_TEST),
    ("In the first iteration, `n` is `4`, so `n % 2 == 0` is false on line 5.", False, _EVENS_TEST),
    ("`n % 2 == 0` checks whether `n` is even.", None, _EVENS_TEST),
    ("Line 8 increments `skipped` by one, from `0` to `1`.", True, _EVENS_SKIP),
    ("Line 8 bumps `skipped` up to `2`.", False, _EVENS_SKIP),
    ("Line 8 would also have run had `n` been `9`.", None, _EVENS_SKIP),
    ("The last thing to be appended to `kept` on line 6 is `10`.", True, _EVENS_LAST),
    ("When the loop on line 4 is over, `kept` is `[4, 10]` and `skipped` is still `0`.", False, _EVENS_LAST),
    # a while loop
    ("The while loop on line 3 needs eight iterations, so `collatz(6)` returns `8`.", True, _COLLATZ),
    ("The while loop on line 3 needs eight iterations, so `collatz(6)` returns `9`.", False, _COLLATZ),
    ("`collatz(1)` would return `0`.", None, _COLLATZ),
    ("The answer isn't `8`.", False, _COLLATZ),
    ("The loop on line 3 ends because `n` is `1`, which makes `n != 1` false.", True, _COLLATZ_LOOP),
    ("The body of the loop on line 3 is never entered.", False, _COLLATZ_LOOP),
    ("It is not known in general whether such a loop always ends.", None, _COLLATZ_LOOP),
    ("The first time line 7 runs, it halves `n` from `6` to `3`.", True, _COLLATZ_HALF),
    ("The first time line 7 runs, it halves `n` from `6` to `2`.", False, _COLLATZ_HALF),
    ("Line 7 uses floor division so that `n` remains an integer.", None, _COLLATZ_HALF),
    # recursion
    ("`gcd(48, 18)` calls `gcd(18, 12)`, which returns `6`.", True, _GCD_INNER),
    ("`gcd(48, 18)` calls `gcd(18, 12)`, which returns `12`.", False, _GCD_INNER),
    ("The outermost call returns 6 as well.", True, _GCD),
    ("This is Euclid's algorithm.", None, _GCD),
    ("The base case is hit in `gcd(6, 0)`, where line 3 returns `6`.", True, _GCD_BASE),
    ("The base case is hit in `gcd(6, 0)`, where line 3 returns `0`.", False, _GCD_BASE),
    ("`gcd(5, 0)` would hit line 3 immediately and give `5`.", None, _GCD_BASE),
    # an exception and printed lines
    ("No value is returned, because `table['z']` on line 5 raises a `KeyError`.", True, _LOOKUP),
    ("The function returns `8`.", False, _LOOKUP),
    ("The call finishes normally, without any exception.", False, _LOOKUP),
    ("Using `table.get(key, 0)` would avoid the `KeyError`.", None, _LOOKUP),
    ("Three lines are printed: `0:a`, `1:b` and `2:z`.", True, _LOOKUP_PRINT),
    ("It prints `0:a` and then `1:a`.", False, _LOOKUP_PRINT),
    ("In the second iteration line 5 adds `5` to `total`, which takes it from `3` to `8`.", True, _LOOKUP_TOTAL),
    ("Without the `'z'`, the function would return `8`.", None, _LOOKUP_TOTAL),
    # a break, a conditional expression, strings
    ('The function returns "P-4" in upper case, although "p-4" is what it printed.', True, _FIND),
    ("The function returns `'p-4'`.", False, _FIND),
    ("The loop on line 3 stops after two iterations because of the `break` on line 6.", True, _FIND_LOOP),
    ("The loop on line 3 goes through all three words.", False, _FIND_LOOP),
    ("Without the `break`, `best` would be `'pear'`.", None, _FIND_LOOP),
    ("`best` is set to `'plum'` on line 5, and `'pear'` is never looked at.", True, _FIND_BEST),
    ("On line 5 `best` becomes `'kiwi'`.", False, _FIND_BEST),
    (
        "`'kiwi'` does not start with `'p'`, so `word.startswith(prefix)` is false the first time line 4 runs.",
        True,
        _FIND_TEST,
    ),
    ("Since `best` is not `None` on line 7, `size` is `len('plum')`, which is `4`.", True, _FIND_SIZE),
    ("Since `best` is `None` on line 7, `size` is `0`.", False, _FIND_SIZE),
    ("The printed line is `p-4`; nothing else is printed.", True, _FIND_PRINT),
    ("It prints `P-4`.", False, _FIND_PRINT),
]

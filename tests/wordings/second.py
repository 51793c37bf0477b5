"""Held-out wordings: how programmers and language models say in ordinary English what a piece of code did.

Written apart from the parser that it measures and before it. Whoever works on that parser does not read this file, and
no wording here is changed because the parser misses it. The module is pure data and small pure functions; it imports
nothing of semcoder.

`WORDINGS[kind]` is a list of functions. Each takes the parts of one fact by keyword, `wording(**parts)`, and gives one
sentence or clause on one line that states this fact, all of its parts, and nothing else that could be false. The
parts of each kind, in `PARTS[kind]`:

    value(line, name, value)              after this line has run, the variable has this value
    values(line, pairs)                   the same of two or more variables; pairs is a list of (name, value)
    before(line, name, value)             when the line is reached, before it runs, the variable has this value
    change(line, name, old, new)          the line changes the variable; old and new differ
    appended(line, item, name, value)     the line calls `name.append(...)` with this item; value is the list afterwards
    iterations(line, count)               this run of the loop enters its body count times; count may be 0
    iteration(line, ordinal, name, value) in this iteration, counted from 1, the target of the `for` is value
    loop_end(line)                        at this place in the text, the loop is over (not by a return or an exception)
    condition(line, source, result)       the test expression is true or false (its truth, whatever its type)
    branch(line, taken, target_line)      the block that starts at target_line is entered or skipped, decided at line
    because(line, name, value, source, result, target_line)
                                          before, condition and branch in one sentence (the branch is taken = result)
    order(line, next_line)                next_line is the line that runs directly after line
    returns(value)                        what the call that the text is about returns
    returns_from(line, name, value)       the `return` at this line of the function `name` gives value
    raises(type, message)                 the call ends with this exception; message is str(exception), may be ""
    prints(text)                          what is printed, as plain text, one line that is not empty, without its newline
    call(name, args_source, value)        a nested call with these arguments gives value; args_source may be ""
    expression(line, source, value)       a sub-expression evaluated by this line has this value
    rejected(wrong, right)                a wrong return value is mentioned and turned down, the right one is stated

`line`, `next_line`, `target_line`, `ordinal` and `count` are ints, `result` and `taken` bools. Every other part is a
string of Python source on one line: `value`, `old`, `new`, `item`, `wrong` and `right` are literals as `repr` writes
them, `name` is a variable or a function (in `iteration` any target, "i, x" with "(0, 'a')" too), `source` an expression.
`type`, `message` and `text` are plain text, not literals. Wordings are free to change what does not change meaning:
the blanks and quotes of a literal, the spacing of an expression, 3 for "three" or "3rd".
Some wordings of a condition say "evaluates to True" of what is only true: take conditions whose value is a bool where
that matters.

A true monologue: take the facts in the order in which they happened, render each with a wording of its kind, put the
sentences together with one of `LAYOUTS` and, if wanted, sentences of `FILLER` in between (they state nothing that
could be checked: a True or False for one of them is an error, None or no claim at all is right). A sentence that names
no occurrence means the next one that fits at its place in the text. A corrupted monologue: the same with one part of
one fact changed, and the fact that results known to be false in this execution: a changed `line` may be right by
chance, and "line 9 is skipped" is true of any line that does not run, so change `taken` and not `target_line` where a
block is skipped. For `rejected`, exchange the two parts.

`HARD` is a list of (sentence, expected, case). `case` is {"program", "kind", "parts"}: the fact, true, that the sentence is
about, and the name of the program in `PROGRAMS`, a (source, call) that shows it. `expected` is what the sentence
deserves in that execution: True, False, or None where it states nothing that this execution could decide. Where True or
False is expected, None is a miss; the opposite verdict is an error. Where None is expected, False is a false alarm.

Not promised: that these wordings are all that people use, or that they come in the proportions that people use them.
"""

import re
from collections.abc import Callable

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

_STRING = r"'(?:\\.|[^'\\])*'|\"(?:\\.|[^\"\\])*\""
_WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")


def _c(text: str) -> str:
    """A code span, as Markdown writes it: two backticks around a text that holds one."""
    return f"`` {text} ``" if "`" in text else f"`{text}`"


def _tight(source: str) -> str:
    """The source without blanks after commas and colons: `[1,2]`."""
    return re.sub(rf"({_STRING})|([,:])\s+(?=\S)", lambda m: m[1] or m[2], source)


def _loose(source: str) -> str:
    """The source with blanks inside its outermost brackets: `[ 1, 2 ]`."""
    whole = len(source) > 2 and source[0] + source[-1] in ("[]", "{}", "()")
    return f"{source[0]} {source[1:-1]} {source[-1]}" if whole else source


def _double(source: str) -> str:
    """The source with double quotes wherever that needs no other change."""

    def swap(match: re.Match[str]) -> str:
        text = match[0]
        return f'"{text[1:-1]}"' if text[0] == "'" and '"' not in text and "\\'" not in text else text

    return re.sub(_STRING, swap, source)


def _dense(source: str) -> str:
    """The source without blanks around its comparisons: `n>0`."""
    return re.sub(rf"({_STRING})|\s*(==|!=|<=|>=|(?<!<)<(?!<)|(?<!>)>(?!>))\s*", lambda m: m[1] or m[2], source)


def _atom(source: str) -> str:
    """The source, in parentheses unless it can stand beside an operator as it is."""
    return source if re.fullmatch(r"[\w.()\[\]]+", source) else f"({source})"


def _times(count: int) -> str:
    return {1: "once", 2: "twice"}.get(count, f"{count} times")


def _word(count: int) -> str:
    return _WORDS[count] if count < len(_WORDS) else str(count)


def _plural(count: int, noun: str) -> str:
    return noun if count == 1 else f"{noun}s"


def _nth(ordinal: int) -> str:
    """The ordinal in words as far as ten, then in figures: "third", "11th" for 3, 11."""
    return _ORDINALS[ordinal - 1] if ordinal <= len(_ORDINALS) else _th(ordinal)


def _th(ordinal: int) -> str:
    """The ordinal in figures: "1st", "2nd", "11th" for 1, 2, 11."""
    ending = "th" if ordinal % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(ordinal % 10, "th")
    return f"{ordinal}{ending}"


def _listed(items: list[str]) -> str:
    """The items as "a and b" or "a, b, and c"."""
    return " and ".join(items) if len(items) < 3 else ", ".join(items[:-1]) + f", and {items[-1]}"


def _error(type: str, message: str) -> str:
    """An exception as the last line of a traceback shows it."""
    return f"{type}: {message}" if message else type


def _quoted(message: str) -> str:
    return f"the message {_c(repr(message))}" if message else "an empty message"


def _shown(text: str) -> str:
    """Printed text in a code span, as a literal where a span would hide blanks."""
    return _c(text if text == text.strip() else repr(text))


def _with(args_source: str) -> str:
    return f"with {_c(args_source)}" if args_source else "with no arguments"


WORDINGS: dict[str, list[Callable[..., str]]] = {
    "value": [
        lambda line, name, value: f"After line {line}, `{name}` is now {_c(value)}.",
        lambda line, name, value: f"{_c(value)} is now stored in `{name}` (line {line}).",
        lambda line, name, value: f"Line {line}: {name} becomes {value}.",
        lambda line, name, value: f"[L{line}] {name} = {_tight(value)}",
        lambda line, name, value: f"On line {line} the variable `{name}` is set to {_c(_double(value))}.",
        lambda line, name, value: f"`{name}` now holds {_c(value)} as a result of line {line}.",
        lambda line, name, value: f"Executing line {line} leaves us with {_c(f'{name} = {value}')}.",
        lambda line, name, value: f"Line {line} assigns {_c(value)} to `{name}`.",
        lambda line, name, value: f"**Line {line}**: `{name}` → {_c(value)}",
        lambda line, name, value: f"So, once line {line} is done, the value of `{name}` is {_c(_loose(value))}.",
        lambda line, name, value: f"In line {line} we let {name} be {_double(value)}.",
        lambda line, name, value: f"This makes `{name}` equal to {_c(value)} (see line {line}).",
        lambda line, name, value: f"State after L{line}: {{{name}: {value}}}",
        lambda line, name, value: f"What `{name}` contains after line {line} has been executed is {_c(value)}.",
        lambda line, name, value: f"`{name}` ends up as {_c(_tight(_double(value)))} on line {line}.",
        lambda line, name, value: f"(line {line}) {_c(f'{name}={_tight(value)}')}",
        lambda line, name, value: f"Running line {line} gives `{name}` the value {_c(value)}.",
    ],
    "values": [
        lambda line, pairs: f"After line {line}, {_listed([f'`{n}` is {_c(v)}' for n, v in pairs])}.",
        lambda line, pairs: f"Line {line}: {', '.join(f'{n} = {v}' for n, v in pairs)}",
        lambda line, pairs: (
            f"At this point (line {line} has just run) we have {_listed([_c(f'{n} = {_double(v)}') for n, v in pairs])}."
        ),
        lambda line, pairs: f"State after line {line}: {_c('; '.join(f'{n}={_tight(v)}' for n, v in pairs))}",
        lambda line, pairs: (
            f"Line {line} leaves {_listed([f'`{n}`' for n, _ in pairs])} "
            f"at {_listed([_c(v) for _, v in pairs])} respectively."
        ),
        lambda line, pairs: (
            f"{_listed([f'{_c(v)} is in `{n}`' for n, v in pairs])} once line {line} has been executed."
        ),
        lambda line, pairs: (
            f"With line {line} behind us, {', while '.join(f'`{n}` equals {_c(v)}' for n, v in pairs)}."
        ),
        lambda line, pairs: f"[L{line}] " + " | ".join(f"{n} → {v}" for n, v in pairs),
        lambda line, pairs: (
            f"The variables after line {line} are: " + "; ".join(f"**{n}** with value {_c(v)}" for n, v in pairs) + "."
        ),
    ],
    "before": [
        lambda line, name, value: f"When line {line} is reached, `{name}` is {_c(value)}.",
        lambda line, name, value: f"Just before line {line} executes, {name} holds {value}.",
        lambda line, name, value: f"We enter line {line} with {_c(f'{name} = {value}')}.",
        lambda line, name, value: f"By the time we get to line {line}, {_c(value)} is what `{name}` contains.",
        lambda line, name, value: f"[L{line}] incoming: {name}={_tight(value)}",
        lambda line, name, value: (
            f"`{name}`, whose value is {_c(_double(value))} at the start of line {line}, comes in here."
        ),
        lambda line, name, value: f"Going into line {line}, the current value of `{name}` is {_c(value)}.",
        lambda line, name, value: f"Line {line} starts out with `{name}` equal to {_c(_loose(value))}.",
        lambda line, name, value: f"Before L{line} runs: {_c(f'{name} == {value}')}.",
        lambda line, name, value: f"Arriving at line {line}, we still need to know `{name}`: it is {_c(value)}.",
        lambda line, name, value: f"Line {line} finds {_c(_tight(value))} in `{name}` when it begins.",
    ],
    "change": [
        lambda line, name, old, new: f"Line {line} changes `{name}` from {_c(old)} to {_c(new)}.",
        lambda line, name, old, new: f"On line {line}, {name} goes from {old} to {new}.",
        lambda line, name, old, new: f"`{name}` was {_c(old)}, and after line {line} it is {_c(new)}.",
        lambda line, name, old, new: f"[L{line}] {name}: {_tight(old)} -> {_tight(new)}",
        lambda line, name, old, new: (
            f"The old value {_c(old)} of `{name}` is replaced by {_c(_double(new))} in line {line}."
        ),
        lambda line, name, old, new: f"`{name}` becomes {_c(new)} on line {line} (previously {_c(old)}).",
        lambda line, name, old, new: f"**Line {line}** — `{name}` is updated: {_c(old)} → {_c(new)}.",
        lambda line, name, old, new: f"Instead of {_c(old)}, `{name}` now contains {_c(new)}, thanks to line {line}.",
        lambda line, name, old, new: (
            f"Having been {old} until now, {name} is turned into {_double(new)} by line {line}."
        ),
        lambda line, name, old, new: (
            f"To {_c(new)} is what line {line} sets `{name}`, which had been {_c(_loose(old))}."
        ),
        lambda line, name, old, new: f"`{name}` is no longer {_c(old)} after line {line}; it is {_c(new)}.",
    ],
    "appended": [
        lambda line, item, name, value: f"On line {line} we append {_c(item)} to `{name}`, giving {_c(value)}.",
        lambda line, item, name, value: f"Line {line}: {item} is appended to {name}, so {name} is now {value}.",
        lambda line, item, name, value: (
            f"`{name}` grows by {_c(_double(item))} on line {line} and becomes {_c(_tight(value))}."
        ),
        lambda line, item, name, value: f"{_c(item)} gets added to the end of `{name}` → {_c(value)} (line {line}).",
        lambda line, item, name, value: f"[L{line}] {_c(f'{name}.append({item})')} makes it {_c(value)}.",
        lambda line, item, name, value: (
            f"The list `{name}` receives a new last element, {_c(item)}, in line {line}; it now reads {_c(_loose(value))}."
        ),
        lambda line, item, name, value: f"Appending {item} (line {line}) turns {name} into {_double(value)}.",
        lambda line, item, name, value: (
            f"{_c(value)} is the content of `{name}` after line {line} has pushed {_c(item)} onto it."
        ),
        lambda line, item, name, value: (
            f"Now line {line} puts {_c(item)} at the back of `{name}`, whose value is therefore {_c(value)}."
        ),
    ],
    "iterations": [
        lambda line, count: f"The loop body at line {line} executes {count} {_plural(count, 'time')}.",
        lambda line, count: f"The loop on line {line} runs {_times(count)}.",
        lambda line, count: (
            f"In total there {'is' if count == 1 else 'are'} {_word(count)} {_plural(count, 'iteration')} of the loop in line {line}."
        ),
        lambda line, count: f"We go through the loop (line {line}) {_times(count) if count else 'zero times'}.",
        lambda line, count: (
            f"The body of the loop at line {line} is entered exactly {_times(count)}."
            if count
            else f"The body of the loop at line {line} is never entered."
        ),
        lambda line, count: (
            f"It takes {_word(count)} {'pass' if count == 1 else 'passes'} before the loop at line {line} is finished."
        ),
        lambda line, count: f"[L{line}] loop count: {count}",
        lambda line, count: (
            f"Line {line} starts a loop that iterates {_word(count)} {_plural(count, 'time')}."
            if count
            else f"The loop that line {line} starts does not iterate at all."
        ),
        lambda line, count: (
            f"{count} {_plural(count, 'iteration')} {'is' if count == 1 else 'are'} performed by the loop on line {line}."
        ),
        lambda line, count: (
            f"Because of this the loop on line {line} repeats its body {_word(count)} {_plural(count, 'time')}, no more and no less."
            if count
            else f"Because of this the loop on line {line} is skipped entirely: its body runs zero times."
        ),
        lambda line, count: f"**Line {line}**: number of iterations = `{count}`",
    ],
    "iteration": [
        lambda line, ordinal, name, value: (
            f"In the {_nth(ordinal)} iteration of the loop at line {line}, `{name}` is {_c(value)}."
        ),
        lambda line, ordinal, name, value: f"Iteration {ordinal} (line {line}): {name} = {value}",
        lambda line, ordinal, name, value: (
            f"On the {_th(ordinal)} pass through the loop on line {line}, {name} takes the value {_double(value)}."
        ),
        lambda line, ordinal, name, value: (
            f"{_c(value)} is bound to `{name}` the {_nth(ordinal)} time around the loop in line {line}."
        ),
        lambda line, ordinal, name, value: f"[L{line}] iteration #{ordinal} → {_c(f'{name}={_tight(value)}')}",
        lambda line, ordinal, name, value: (
            f"The {_nth(ordinal)} value that line {line} assigns to `{name}` is {_c(value)}."
        ),
        lambda line, ordinal, name, value: (
            f"**Iteration {ordinal}** of the loop at line {line}: `{name}` becomes {_c(_loose(value))}."
        ),
        lambda line, ordinal, name, value: (
            f"With {_c(f'{name} = {value}')}, the loop on line {line} starts its {_nth(ordinal)} iteration."
        ),
        lambda line, ordinal, name, value: f"Line {line} yields {value} for {name} in its {_th(ordinal)} round.",
        lambda line, ordinal, name, value: (
            f"Looping (line {line}), iteration number {_word(ordinal)}: here `{name}` equals {_c(value)}."
        ),
        lambda line, ordinal, name, value: (
            f"When the loop at line {line} goes round for the {_nth(ordinal)} time, {_c(value)} is the current `{name}`."
        ),
    ],
    "loop_end": [
        lambda line: f"The loop at line {line} ends.",
        lambda line: f"We are now done with the loop on line {line}.",
        lambda line: f"[L{line}] loop finished.",
        lambda line: f"At this point control leaves the loop in line {line}.",
        lambda line: f"There is nothing left to do for the loop at line {line}.",
        lambda line: f"Line {line}: no further iterations follow, the loop terminates.",
        lambda line: f"Execution falls out of the loop that starts on line {line}.",
        lambda line: f"With this, the loop (line {line}) is complete.",
        lambda line: f"So the loop of line {line} is exited here.",
        lambda line: f"No more passes through the loop from line {line} are made.",
    ],
    "condition": [
        lambda line, source, result: f"The condition {_c(source)} on line {line} evaluates to {result}.",
        lambda line, source, result: f"Line {line}: {source} is {result}.",
        lambda line, source, result: (
            f"At line {line} we check {_c(source)}, which {'holds' if result else 'does not hold'}."
        ),
        lambda line, source, result: f"{result} is what the test {_c(_dense(source))} in line {line} comes out as.",
        lambda line, source, result: f"[L{line}] {_c(source)} → `{result}`",
        lambda line, source, result: (
            f"The check {_c(_double(source))} (line {line}) {'succeeds' if result else 'fails'}."
        ),
        lambda line, source, result: f"Is {_c(source)}? {'Yes' if result else 'No'} (line {line}).",
        lambda line, source, result: f"{_c(_tight(source))} turns out to be {str(result).lower()} on line {line}.",
        lambda line, source, result: (
            f"Line {line} asks whether {_c(source)}; it {'is' if result else 'is not'} the case."
        ),
        lambda line, source, result: f"The condition {_c(source)} in line {line} is {'met' if result else 'not met'}.",
        lambda line, source, result: f"Testing {_c(source)} at line {line} gives **{result}**.",
        lambda line, source, result: (
            f"Since {_c(source)} is {'satisfied' if result else 'not satisfied'}, line {line}'s test is {result}."
        ),
        lambda line, source, result: f"On line {line}, {_c(source)} is {'true' if result else 'not true'}.",
    ],
    "branch": [
        lambda line, taken, target_line: (
            f"So from line {line} {'we enter' if taken else 'we skip'} the block at line {target_line}."
        ),
        lambda line, taken, target_line: (
            f"Therefore the test on line {line} lets line {target_line} run."
            if taken
            else f"Therefore the test on line {line} keeps line {target_line} from running."
        ),
        lambda line, taken, target_line: (
            f"The block starting at line {target_line} is {'entered' if taken else 'skipped'} (decided at line {line})."
        ),
        lambda line, taken, target_line: f"[L{line}] branch to [L{target_line}] {'taken' if taken else 'not taken'}",
        lambda line, taken, target_line: (
            f"Line {line}: the branch is taken, execution proceeds into line {target_line}."
            if taken
            else f"Line {line}: the branch is not taken, execution jumps over line {target_line}."
        ),
        lambda line, taken, target_line: (
            f"As a consequence of line {line}, line {target_line} {'does' if taken else 'does not'} get executed."
        ),
        lambda line, taken, target_line: (
            f"We go inside the body (line {target_line}) of line {line}."
            if taken
            else f"We do not go inside the body (line {target_line}) of line {line}."
        ),
        lambda line, taken, target_line: (
            f"Following line {line}, the code on line {target_line} is {'executed' if taken else 'bypassed'}."
        ),
        lambda line, taken, target_line: (
            f"Line {target_line} is where line {line} sends us."
            if taken
            else f"Line {target_line} is not where line {line} sends us."
        ),
        lambda line, taken, target_line: (
            f"The body of line {line}, i.e. line {target_line}, {'is run' if taken else 'is left out this time'}."
        ),
    ],
    "because": [
        lambda line, name, value, source, result, target_line: (
            f"Since `{name}` is {_c(value)}, the condition {_c(source)} on line {line} evaluates to {result}, "
            f"so we {'go into' if result else 'skip'} line {target_line}."
        ),
        lambda line, name, value, source, result, target_line: (
            f"Line {line}: with {name} = {value}, {_dense(source)} is {result}; line {target_line} is {'executed' if result else 'not executed'}."
        ),
        lambda line, name, value, source, result, target_line: (
            f"{_c(source)} {'holds' if result else 'does not hold'} at line {line} because `{name}` is {_c(_double(value))}, "
            f"and so the block at line {target_line} is {'entered' if result else 'skipped'}."
        ),
        lambda line, name, value, source, result, target_line: (
            f"We {'enter' if result else 'do not enter'} line {target_line}, as line {line}'s test {_c(source)} "
            f"{'passes' if result else 'fails'} for {_c(f'{name} = {value}')}."
        ),
        lambda line, name, value, source, result, target_line: (
            f"[L{line}] {name}={_tight(value)} => {_c(source)} is {result} => {'go to' if result else 'skip'} [L{target_line}]"
        ),
        lambda line, name, value, source, result, target_line: (
            f"`{name}` being {_c(value)} makes the test {_c(source)} in line {line} {str(result).lower()}, "
            f"which means line {target_line} {'runs' if result else 'is passed over'}."
        ),
        lambda line, name, value, source, result, target_line: (
            f"On line {line} we ask if {_c(source)}. {_c(value)} is the value of `{name}`, so the answer is "
            f"{'yes' if result else 'no'} and line {target_line} {'is next' if result else 'is not reached from here'}."
        ),
        lambda line, name, value, source, result, target_line: (
            f"The block on line {target_line} {'is' if result else 'is not'} executed: {_c(source)} (line {line}) is {result} "
            f"given that `{name}` equals {_c(_loose(value))}."
        ),
    ],
    "order": [
        lambda line, next_line: f"After line {line}, line {next_line} runs next.",
        lambda line, next_line: f"Execution moves from line {line} to line {next_line}.",
        lambda line, next_line: f"Line {line} is followed by line {next_line}.",
        lambda line, next_line: f"[L{line}] -> [L{next_line}]",
        lambda line, next_line: f"The next line to be executed after line {line} is line {next_line}.",
        lambda line, next_line: (
            f"Once line {line} has finished, we {'go back' if next_line <= line else 'go on'} to line {next_line}."
        ),
        lambda line, next_line: f"Line {next_line} comes directly after line {line} here.",
        lambda line, next_line: (
            f"From line {line}, control {'jumps back up' if next_line <= line else 'passes down'} to line {next_line}."
        ),
        lambda line, next_line: f"It is line {next_line} that executes immediately after line {line}.",
        lambda line, next_line: f"Line {line} done; next up: line {next_line}.",
        lambda line, next_line: f"Line {next_line} is reached straight from line {line}.",
    ],
    "returns": [
        lambda value: f"Therefore the function returns {value}.",
        lambda value: f"The final result is {_c(value)}.",
        lambda value: f"{_c(value)} is returned.",
        lambda value: f"So the return value is {_c(_double(value))}.",
        lambda value: f"[ANSWER] {value} [/ANSWER]",
        lambda value: f"**Output:** {_c(_tight(value))}",
        lambda value: f"Hence we get back {_c(value)} from the call.",
        lambda value: f"The call evaluates to {_c(_loose(value))}.",
        lambda value: f"What comes back to the caller is {_c(value)}.",
        lambda value: f"Finally, we return {value}, and that is the answer.",
        lambda value: f"Thus the output should be {_double(value)}.",
        lambda value: f"return value = {_tight(value)}",
        lambda value: f"The answer is therefore {_c(value)}.",
    ],
    "returns_from": [
        lambda line, name, value: f"Line {line} returns {_c(value)} from `{name}`.",
        lambda line, name, value: f"Therefore {name} returns {value} (line {line}).",
        lambda line, name, value: f"{_c(value)} is returned by `{name}` on line {line}.",
        lambda line, name, value: (
            f"At line {line}, the function `{name}` hands {_c(_double(value))} back to its caller."
        ),
        lambda line, name, value: f"[L{line}] return from {name}: {_tight(value)}",
        lambda line, name, value: f"The return statement in line {line} ends `{name}()` with the result {_c(value)}.",
        lambda line, name, value: f"So `{name}` is done: its return value, from line {line}, is {_c(value)}.",
        lambda line, name, value: f"**Line {line}**: `{name}` finishes and gives back {_c(_loose(value))}.",
        lambda line, name, value: f"Reaching line {line} means that {_c(value)} is what `{name}` evaluates to.",
        lambda line, name, value: f"`{name}` exits via line {line}, returning {value}.",
    ],
    "raises": [
        lambda type, message: f"The call raises {_c(_error(type, message))}.",
        lambda type, message: f"A `{type}` is raised with {_quoted(message)}.",
        lambda type, message: f"Execution stops here with a {type} ({_c(message) if message else 'no message'}).",
        lambda type, message: f"So the function does not return; it fails with {_c(_error(type, message))}.",
        lambda type, message: f"{_c(_error(type, message))} is thrown and nobody catches it.",
        lambda type, message: f"This ends in an exception of type `{type}`, carrying {_quoted(message)}.",
        lambda type, message: f"Result: {_error(type, message)}",
        lambda type, message: (
            f"An uncaught {type} propagates to the caller, saying {_double(repr(message)) if message else 'nothing'}."
        ),
        lambda type, message: f"Python reports {_quoted(message)} as a `{type}`, and the program terminates.",
        lambda type, message: f"We get an error: **{type}**, with {_quoted(message)}.",
    ],
    "prints": [
        lambda text: f"This prints {_shown(text)}.",
        lambda text: f"{_shown(text)} is printed.",
        lambda text: f"The program writes {text!r} to standard output.",
        lambda text: f"Printed output: {text if text == text.strip() else repr(text)}",
        lambda text: f"The line {_double(repr(text))} appears on the screen.",
        lambda text: f"`print` outputs the text {_c(repr(text))}.",
        lambda text: f"At this moment we see {_shown(text)} on stdout.",
        lambda text: f"The next line of output is {_c(_double(repr(text)))}.",
        lambda text: f"What gets printed here is {_shown(text)}.",
        lambda text: f"stdout <- {text!r}",
    ],
    "call": [
        lambda name, args_source, value: f"The call {_c(f'{name}({args_source})')} returns {_c(value)}.",
        lambda name, args_source, value: f"{name}({args_source}) = {value}",
        lambda name, args_source, value: f"Calling `{name}` {_with(args_source)} gives {_c(value)}.",
        lambda name, args_source, value: f"{_c(value)} is what {_c(f'{name}({_tight(args_source)})')} evaluates to.",
        lambda name, args_source, value: f"We call `{name}` {_with(args_source)} and get {_c(_double(value))} back.",
        lambda name, args_source, value: f"{_c(f'{name}({args_source})')} → {_c(_tight(value))}",
        lambda name, args_source, value: (
            f"When invoked {_with(args_source)}, the function `{name}` produces {_c(value)}."
        ),
        lambda name, args_source, value: f"The result of {name}({args_source}) is {value}.",
        lambda name, args_source, value: f"From {_c(f'{name}({_double(args_source)})')} we obtain {_c(value)}.",
        lambda name, args_source, value: f"{_c(value)} is returned by the nested call {_c(f'{name}({args_source})')}.",
        lambda name, args_source, value: f"`{name}`, called {_with(args_source)}, comes back with {_c(_loose(value))}.",
    ],
    "expression": [
        lambda line, source, value: f"On line {line}, {_c(source)} evaluates to {_c(value)}.",
        lambda line, source, value: f"Line {line}: {source} = {value}",
        lambda line, source, value: f"{_c(value)} is the value of {_c(source)} in line {line}.",
        lambda line, source, value: f"We compute {_c(source)}, getting {_c(_double(value))} (line {line}).",
        lambda line, source, value: f"[L{line}] {_c(_dense(source))} → {_c(_tight(value))}",
        lambda line, source, value: f"In line {line} the expression {_c(_double(source))} gives us {_c(value)}.",
        lambda line, source, value: f"Evaluating {source} at line {line} yields {value}.",
        lambda line, source, value: f"As for {_c(source)} on line {line}, that is {_c(_loose(value))}.",
        lambda line, source, value: f"Here (line {line}) {_c(source)} works out to be {_c(value)}.",
        lambda line, source, value: f"{_c(f'{_atom(source)} == {value}')} at line {line}.",
        lambda line, source, value: f"For line {line} we need {_c(_tight(source))}; this is {_c(value)}.",
    ],
    "rejected": [
        lambda wrong, right: f"One might think it returns {_c(wrong)}, but it returns {_c(right)}.",
        lambda wrong, right: f"The function returns {right}, not {wrong}.",
        lambda wrong, right: f"Contrary to what it looks like, the result is not {_c(wrong)}; it is {_c(right)}.",
        lambda wrong, right: f"The answer isn't {_c(wrong)} but {_c(_double(right))}.",
        lambda wrong, right: (
            f"At first glance the output seems to be {_c(wrong)}. However, the actual output is {_c(right)}."
        ),
        lambda wrong, right: f"Rather than {_c(wrong)}, {_c(right)} is returned.",
        lambda wrong, right: (
            f"Wait, I said it returns {_c(wrong)}, which is wrong: the correct return value is {_c(right)}."
        ),
        lambda wrong, right: (
            f"It would be a mistake to say that the call gives {_c(_double(wrong))}, since what it gives is {_c(right)}."
        ),
        lambda wrong, right: f"You could expect {wrong} here; in reality {right} is what we get back.",
        lambda wrong, right: f"Final answer: ~~{_c(wrong)}~~ {_c(right)}",
        lambda wrong, right: f"Is the return value {_c(wrong)}? No, it is {_c(right)}.",
        lambda wrong, right: f"The return value is {_c(right)} (a common wrong guess is {_c(wrong)}).",
    ],
}

LAYOUTS: dict[str, Callable[[list[str]], str]] = {
    "lines": "\n".join,
    "paragraph": lambda sentences: " ".join(s if s[-1] in ".?!" else f"{s}." for s in sentences),
    "bullets": lambda sentences: "\n".join(f"- {s}" for s in sentences),
    "stars": lambda sentences: "\n\n".join(f"* {s}" for s in sentences),
    "numbered": lambda sentences: "\n".join(f"{n}. {s}" for n, s in enumerate(sentences, 1)),
    "bold steps": lambda sentences: "\n\n".join(f"**Step {n}:** {s}" for n, s in enumerate(sentences, 1)),
    "headed": lambda sentences: "### Execution\n\n" + "\n".join(f"  - {s}" for s in sentences) + "\n\n---",
    "connected": lambda sentences: "\n".join(
        f"{('', 'Then: ', '', 'Next: ', 'Now: ')[n % 5]}{s}" for n, s in enumerate(sentences)
    ),
}

FILLER: list[str] = [
    "Let's trace through the code step by step.",
    "Let me walk through this carefully.",
    "Here is what happens:",
    "Now comes the interesting part.",
    "So far so good.",
    "This is easy to get wrong, so let's slow down.",
    "Keep in mind that Python lists are mutable.",
    "Remember that `range` excludes its upper bound.",
    "The rest is straightforward.",
    "We continue in the same way.",
    "Putting it all together:",
    "Okay, next.",
]

PROGRAMS: dict[str, tuple[str, str]] = {
    "total": (
        "def f(n):\n    s = 0\n    for i in range(n):\n        s = s + i\n    return s\n",
        "f(5)",
    ),
    "flag": (
        "def f(s):\n    ok = s.islower()\n    kind = 'untrue' if ok else 'true'\n    if ok:\n        return kind\n    return ''\n",
        "f('abc')",
    ),
    "large": (
        "def f(xs):\n    out = []\n    for x in xs:\n        if x > 2:\n            out.append(x * 10)\n    k = len(out)\n    return out\n",
        "f([1, 3, 5])",
    ),
    "down": (
        "def f(n):\n    steps = 0\n    while n > 0:\n        n = n - 2\n        steps += 1\n    return steps\n",
        "f(5)",
    ),
    "none": (
        "def f(n):\n    steps = 0\n    while n > 0:\n        n = n - 2\n        steps += 1\n    return steps\n",
        "f(0)",
    ),
    "text": (
        "def f(a, b):\n    t = a + ', ' + b\n    u = t.upper()\n    print(u)\n    return {'t': t, 'n': len(t)}\n",
        "f('ab', 'c')",
    ),
    "fail": (
        "def f(d, k):\n    try:\n        v = d[k]\n    except KeyError:\n        v = -1\n    if v < 0:\n        raise ValueError('no key ' + k)\n    return v\n",
        "f({}, 'a')",
    ),
    "calls": (
        "def g(n):\n    if n <= 1:\n        return 1\n    return n * g(n - 1)\n\n\ndef f(n):\n    return g(n) + 1\n",
        "f(4)",
    ),
    "alias": (
        "def f(xs):\n    ys = xs\n    ys.append(9)\n    zs = xs[:]\n    zs.sort()\n    return xs\n",
        "f([3, 1])",
    ),
}

Case = tuple[str, bool | None, dict[str, object]]


def _about(program: str, kind: str, parts: dict[str, object], *sentences: tuple[str, bool | None]) -> list[Case]:
    """The sentences, each with its verdict, about one fact of one program."""
    return [(text, expected, {"program": program, "kind": kind, "parts": dict(parts)}) for text, expected in sentences]


HARD: list[Case] = [
    *_about(
        "total",
        "before",
        {"line": 5, "name": "s", "value": "10"},
        ("When line 5 is reached, `s = 1`.", False),
        ("When line 5 is reached, `s = 10`.", True),
        ("When line 5 is reached, s is 100.", False),
        ("When line 5 is reached, s is -10.", False),
        ("When line 5 is reached, `s` is `'10'`.", False),
        ("When line 5 is reached, `s` is `10.0`.", False),
        ("When line 5 is reached, `s` is not `1`.", True),
        ("When line 5 is reached, `s` is not `10`.", False),
        ("When line 5 is reached, `s` is no longer `6`.", True),
        ("When line 5 is reached, `s` is greater than `9`.", True),
        ("If `s` were `6` at line 5, the function would return `6`.", None),
        ("I would not bet on `s` being `6` when line 5 is reached.", None),
        ("When line 5 is reached, is `s` equal to `6`?", None),
        ("When line 5 is reached, `s` might be `6`.", None),
    ),
    *_about(
        "total",
        "returns",
        {"value": "10"},
        ("Does the function return `1`?", None),
        ("The function returns 1.", False),
        ("The function returns 10.", True),
        ("It does not return 10.", False),
        ("It does not return 15, it returns 10.", True),
        ("It does not return 10, it returns 15.", False),
        ("15 would be the result if `range` included `n`, but the result is 10.", True),
        ("10 would be the result if `range` included `n`, but the result is 15.", False),
        ("If `n` were 6, the function would return 15.", None),
        ("The function returns the sum, 10, of 5 numbers.", True),
    ),
    *_about(
        "total",
        "iterations",
        {"line": 3, "count": 5},
        ("The loop on line 3 runs at least 3 times.", True),
        ("The loop on line 3 runs at most 3 times.", False),
        ("The loop on line 3 runs more than 5 times.", False),
        ("The loop on line 3 runs fewer than 6 times.", True),
        ("The loop on line 3 runs 15 times.", False),
        ("The loop on line 3 runs 5 times.", True),
        ("The loop on line 3 doesn't run 5 times but 4 times.", False),
        ("The loop on line 3 runs four times, or to be exact, five times.", True),
    ),
    *_about(
        "total",
        "iteration",
        {"line": 3, "ordinal": 2, "name": "i", "value": "1"},
        ("In the second iteration of the loop on line 3, `i` is `2`.", False),
        ("In the second iteration of the loop on line 3, `i` is `1`.", True),
        ("In the first iteration of the loop on line 3, `i` is `1`.", False),
        ("In the sixth iteration of the loop on line 3, `i` is `5`.", False),
        ("In the last iteration of the loop on line 3, `i` is `5`.", False),
        ("In the last iteration of the loop on line 3, `i` is `4`.", True),
    ),
    *_about(
        "flag",
        "returns",
        {"value": "'untrue'"},
        ("The function returns `True`.", False),
        ("The function returns 'true'.", False),
        ('The function returns "untrue".', True),
        ("The function returns a string that ends in 'true'.", True),
    ),
    *_about(
        "flag",
        "value",
        {"line": 2, "name": "ok", "value": "True"},
        ("It is untrue that `ok` is `False` after line 2.", True),
        ("It is untrue that `ok` is `True` after line 2.", False),
        ("The claim that `ok` is `False` after line 2 is untrue.", True),
        ("After line 2, `ok` is anything but `True`.", False),
        ("After line 2, `ok` is `1`.", False),
        ("After line 2, `ok` is `'True'`.", False),
    ),
    *_about(
        "flag",
        "branch",
        {"line": 4, "taken": True, "target_line": 5},
        ("The condition on line 4 is not False, so line 5 is executed.", True),
        ("The condition on line 4 is true, so line 5 is skipped.", False),
        ("The condition on line 4 is true, so line 6 is executed next.", False),
        ("Were `ok` False, line 5 would be skipped.", None),
    ),
    *_about(
        "large",
        "returns",
        {"value": "[30, 50]"},
        ("The function returns `[30,50]`.", True),
        ("The function returns [ 30 , 50 ].", True),
        ("The function returns `30`.", False),
        ("The function returns `[50, 30]`.", False),
        ("The function returns `[[30, 50]]`.", False),
        ("The function returns `(30, 50)`.", False),
        ("The function returns `[10, 30, 50]` without its first element.", True),
        ("The function returns `[3, 5]`, each multiplied by 10, i.e. `[30, 50]`.", True),
    ),
    *_about(
        "large",
        "condition",
        {"line": 4, "source": "x > 2", "result": False},
        ("In the first iteration, the condition `x > 2` on line 4 is not True.", True),
        ("In the first iteration, the condition `x > 2` on line 4 is not False.", False),
        ("In the first iteration, the condition `x>2` on line 4 fails.", True),
        ("In the first iteration, the condition `x > 2` on line 4 does not fail.", False),
        ("In the first iteration, if `x` were `3`, the condition `x > 2` on line 4 would be True.", None),
        ("The condition `x > 2` on line 4 is always True.", False),
        ("The condition `x > 2` on line 4 is True twice.", True),
    ),
    *_about(
        "large",
        "value",
        {"line": 6, "name": "k", "value": "2"},
        ("After line 6, `k` is `3`, because there are 2 elements left.", False),
        ("After line 6, `k` is `2`, not `3`.", True),
        ("After line 6, `k` is `3`, not `2`.", False),
    ),
    *_about(
        "large",
        "appended",
        {"line": 5, "item": "30", "name": "out", "value": "[30]"},
        ("After line 5 has run for the first time, `out` is `[30, 50]`.", False),
        ("After line 5 has run for the first time, `out` is `[30]`.", True),
    ),
    *_about(
        "down",
        "iterations",
        {"line": 3, "count": 3},
        ("The loop body runs three times, so the test on line 3 is made 4 times.", True),
        ("The loop on line 3 runs once for each of 5, 4, 3, 2 and 1, that is 5 times.", False),
        ("The loop on line 3 runs twice and then stops.", False),
    ),
    *_about(
        "down",
        "change",
        {"line": 4, "name": "n", "old": "1", "new": "-1"},
        ("In the third iteration line 4 changes `n` from `1` to `1`.", False),
        ("In the third iteration line 4 changes `n` from `-1` to `1`.", False),
        ("In the third iteration line 4 changes `n` to `-1` from `1`.", True),
    ),
    *_about(
        "none",
        "iterations",
        {"line": 3, "count": 0},
        ("The loop on line 3 runs 10 times.", False),
        ("The loop on line 3 does not run even once.", True),
        ("The loop on line 3 runs at least once.", False),
        ("If the loop on line 3 ran, `steps` would become `1`.", None),
    ),
    *_about(
        "text",
        "value",
        {"line": 2, "name": "t", "value": "'ab, c'"},
        ("After line 2, `t` is `'ab,c'`.", False),
        ('After line 2, `t` is `"ab, c"`.', True),
        ("After line 2, `t` is `'AB, C'`.", False),
        ("After line 2, `t` would be `'abc'` if the comma were left out.", None),
        ("After line 2, `t` contains `'ab'`.", True),
        ("After line 2, `t` is `'ab'`.", False),
    ),
    *_about(
        "text",
        "prints",
        {"text": "AB, C"},
        ("Line 4 prints `ab, c`.", False),
        ("Line 4 prints `'AB, C'`.", True),
        ("Line 4 prints nothing.", False),
    ),
    *_about(
        "text",
        "returns",
        {"value": "{'t': 'ab, c', 'n': 5}"},
        ('The function returns `{"t":"ab, c","n":5}`.', True),
        ("The function returns `{'t': 'ab, c'}`.", False),
        ("The function returns `{'t': 'ab, c', 'n': '5'}`.", False),
        ("The function returns None after printing `AB, C`.", False),
    ),
    *_about(
        "fail",
        "raises",
        {"type": "ValueError", "message": "no key a"},
        ("The call raises `KeyError: 'a'`.", False),
        ("The call raises a `ValueError` with the message 'no key'.", False),
        ("The call doesn't raise a `KeyError` but `ValueError: no key a`.", True),
        ("The call returns `-1`.", False),
        ("The call would return `-1` if line 7 were removed.", None),
    ),
    *_about(
        "calls",
        "call",
        {"name": "g", "args_source": "3", "value": "6"},
        ("`g(3)` returns `24`.", False),
        ("`g(3)` returns `6`, so `g(4)` returns `24`.", True),
        ("`g(3)` returns `6`, so `g(4)` returns `25`.", False),
        ("`g(13)` returns `6`.", False),
        ("`g(5)` would return `120`.", None),
    ),
    *_about(
        "alias",
        "returns",
        {"value": "[3, 1, 9]"},
        ("The function returns `[1, 3, 9]`.", False),
        ("The function returns `[3, 1]`, as `xs` is not changed.", False),
        ("The function doesn't return the sorted `[1, 3, 9]`, it returns `[3, 1, 9]`.", True),
    ),
    *_about(
        "alias",
        "value",
        {"line": 3, "name": "xs", "value": "[3, 1, 9]"},
        ("After line 3, `ys` is `[3, 1, 9]` and `xs` is still `[3, 1]`.", False),
        ("After line 3, `xs` is `[3, 1, 9]` and so is `ys`.", True),
        ("After line 3, `xs` is unchanged.", False),
    ),
    *_about(
        "alias",
        "order",
        {"line": 4, "next_line": 5},
        ("After line 4, line 6 runs next.", False),
        ("Line 5 runs before line 4.", False),
        ("Line 5 runs only after line 4 has finished.", True),
    ),
]

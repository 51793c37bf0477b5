"""Wordings of facts about an execution, as people and language models write them: pure data.

`WORDINGS[kind]` are functions of a fact's parts (source text, or literal text as `repr` writes it; lines, counts and
ordinals are ints), each giving one sentence that states the fact. `HARD` are sentences that fool a reader who looks
for substrings, each with its verdict where the fact of `kind` and `parts` is what really happened: True, False, or
None where the sentence states nothing that could be checked.

The reader of `semcoder.monologue.english` was written with these at hand, so what it scores on them is no measure of how
well it reads.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

ORDINALS = ["zeroth", "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth"]
WORDS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"]


def ordinal(number: int) -> str:
    """`2` as "second", or "14th" where it has no short word."""
    if 0 <= number < len(ORDINALS):
        return ORDINALS[number]
    ending = {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th") if number // 10 % 10 != 1 else "th"
    return f"{number}{ending}"


def word(number: int) -> str:
    """`2` as "two"."""
    return WORDS[number] if 0 <= number < len(WORDS) else str(number)


def times(number: int) -> str:
    """`2` as "twice"."""
    return {1: "once", 2: "twice"}.get(number, f"{word(number)} times")


def s(number: int) -> str:
    """The ending of a plural."""
    return "" if number == 1 else "s"


WORDINGS: dict[str, list[Callable[..., str]]] = {
    "value": [
        lambda line, name, value: f"After line {line}, `{name}` is `{value}`.",
        lambda line, name, value: f"Line {line} sets `{name}` to {value}.",
        lambda line, name, value: f"Once line {line} has run, {name} holds {value}.",
        lambda line, name, value: f"`{name} = {value}` at the end of line {line}.",
        lambda line, name, value: f"On line {line} the variable `{name}` is given the value `{value}`.",
        lambda line, name, value: f"We now have {name} = {value} (line {line}).",
        lambda line, name, value: f"The value {value} is what `{name}` contains when line {line} is done.",
        lambda line, name, value: f"L{line}: {name} == {value}",
        lambda line, name, value: f"Executing line {line} leaves `{name}` equal to `{value}`.",
        lambda line, name, value: f"As a result of line {line}, `{value}` is stored in `{name}`.",
        lambda line, name, value: f"With line {line} out of the way, the variable `{name}` has the value {value}.",
    ],
    "before": [
        lambda line, name, value: f"Before line {line}, `{name}` is `{value}`.",
        lambda line, name, value: f"When execution reaches line {line}, {name} is {value}.",
        lambda line, name, value: f"Going into line {line}, the value of `{name}` is still {value}.",
        lambda line, name, value: f"Line {line} starts out with `{name}` equal to `{value}`.",
        lambda line, name, value: f"Just prior to line {line}, {name} = {value}.",
        lambda line, name, value: f"By the time we get to line {line}, `{name}` has been `{value}` for a while.",
        lambda line, name, value: f"`{name}` holds `{value}` as line {line} begins.",
        lambda line, name, value: f"On entry to line {line} the variable {name} contains {value}.",
        lambda line, name, value: f"Immediately before executing line {line}, `{name}` equals {value}.",
    ],
    "change": [
        lambda line, name, old, new: f"Line {line} changes `{name}` from `{old}` to `{new}`.",
        lambda line, name, old, new: f"On line {line}, {name} goes from {old} to {new}.",
        lambda line, name, old, new: f"At line {line} `{name}`, which was `{old}`, becomes `{new}`.",
        lambda line, name, old, new: f"`{name}` used to be {old}; line {line} turns it into {new}.",
        lambda line, name, old, new: f"The old value {old} of `{name}` is replaced with {new} on line {line}.",
        lambda line, name, old, new: f"L{line}: {name}: {old} -> {new}",
        lambda line, name, old, new: f"Before line {line} `{name}` is `{old}`, and afterwards it is `{new}`.",
        lambda line, name, old, new: f"{name} is updated on line {line}: it was {old} and now it is {new}.",
        lambda line, name, old, new: f"`{name}` becomes `{new}` on line {line} (it was `{old}`).",
        lambda line, name, old, new: f"Line {line} replaces the value of `{name}`, {old}, with {new}.",
    ],
    "iterations": [
        lambda line, count: f"The loop at line {line} runs {count} time{s(count)}.",
        lambda line, count: f"The loop on line {line} makes {count} iteration{s(count)} in total.",
        lambda line, count: f"We go around the loop of line {line} {times(count)}.",
        lambda line, count: (
            f"There {'is' if count == 1 else 'are'} {word(count)} pass{'' if count == 1 else 'es'} "
            f"through the loop at line {line}."
        ),
        lambda line, count: f"The body of the loop (line {line}) is executed {times(count)}.",
        lambda line, count: f"It takes {count} round{s(count)} until the loop on line {line} is finished.",
        lambda line, count: f"Line {line} iterates {word(count)} time{s(count)}.",
        lambda line, count: f"After {count} iteration{s(count)}, the loop at line {line} ends.",
        lambda line, count: f"In all, the loop on line {line} repeats its body {times(count)}.",
    ],
    "iteration": [
        lambda line, k, name, value: (
            f"In the {ordinal(k)} iteration of the loop at line {line}, `{name}` is `{value}`."
        ),
        lambda line, k, name, value: f"Iteration {k} of the loop on line {line}: {name} = {value}.",
        lambda line, k, name, value: f"On pass {k} through the loop at line {line}, {name} takes the value {value}.",
        lambda line, k, name, value: f"`{name}` is `{value}` the {ordinal(k)} time around the loop of line {line}.",
        lambda line, k, name, value: f"The {ordinal(k)} pass of the line {line} loop binds `{name}` to {value}.",
        lambda line, k, name, value: f"Line {line} begins its {ordinal(k)} iteration with {name} set to {value}.",
        lambda line, k, name, value: f"For the {ordinal(k)} round, line {line} assigns {value} to {name}.",
        lambda line, k, name, value: f"{value} is the value of `{name}` during iteration {k} (line {line}).",
        lambda line, k, name, value: f"Iteration number {k} starts at line {line}, where `{name}` becomes `{value}`.",
    ],
    "loop_end": [
        lambda line: f"The loop at line {line} ends.",
        lambda line: f"The loop on line {line} is finished.",
        lambda line: f"There are no more items, so the loop of line {line} stops.",
        lambda line: f"We leave the loop that starts on line {line}.",
        lambda line: f"The line {line} loop is now exhausted.",
        lambda line: f"At this point the loop (line {line}) terminates.",
        lambda line: f"Line {line} has nothing left to iterate over.",
        lambda line: f"That was the last iteration of the loop at line {line}.",
        lambda line: f"Control exits the loop on line {line}.",
    ],
    "condition": [
        lambda line, source, result: f"On line {line}, the condition `{source}` is {result}.",
        lambda line, source, result: f"The check `{source}` on line {line} {'succeeds' if result else 'fails'}.",
        lambda line, source, result: f"Line {line} tests {source}, which is {str(result).lower()}.",
        lambda line, source, result: f"`{source}` {'holds' if result else 'does not hold'} at line {line}.",
        lambda line, source, result: f"At line {line} we ask whether {source}: {'yes' if result else 'no'}.",
        lambda line, source, result: f"`{source}` evaluates to `{result}` on line {line}.",
        lambda line, source, result: f"The condition on line {line} is {'met' if result else 'not met'}.",
        lambda line, source, result: f"Line {line}: {source} -> {result}",
        lambda line, source, result: (
            f"It is {'true' if result else 'not true'} that `{source}` when line {line} checks it."
        ),
        lambda line, source, result: f"The test in line {line} comes out {'truthy' if result else 'falsy'}.",
    ],
    "branch": [
        lambda line, taken, target: (
            f"The branch at line {line} is {'taken' if taken else 'not taken'}, so line {target} is next."
        ),
        lambda line, taken, target: (
            f"The `if` on line {line} {'succeeds' if taken else 'fails'} and we continue at line {target}."
        ),
        lambda line, taken, target: (
            f"Since the condition on line {line} is {'true' if taken else 'false'}, execution "
            f"{'enters the body at' if taken else 'jumps to'} line {target}."
        ),
        lambda line, taken, target: f"Line {line} sends us to line {target}.",
        lambda line, taken, target: (
            f"The body of the `if` on line {line} is {'entered' if taken else 'skipped'}; "
            f"control moves on to line {target}."
        ),
        lambda line, taken, target: (
            f"From line {line} we go {'into the body,' if taken else 'past the body,'} to line {target}."
        ),
        lambda line, taken, target: (
            f"{'We' if taken else 'We do not'} take the branch on line {line}, and line {target} runs next."
        ),
        lambda line, taken, target: (
            f"The test on line {line} {'passes' if taken else 'does not pass'}, which leads to line {target}."
        ),
    ],
    "order": [
        lambda line, following: f"After line {line}, line {following} runs.",
        lambda line, following: f"Line {line} is followed by line {following}.",
        lambda line, following: f"From line {line} execution moves on to line {following}.",
        lambda line, following: f"The next line after line {line} is line {following}.",
        lambda line, following: f"Line {following} comes right after line {line}.",
        lambda line, following: f"Once line {line} is done, control passes to line {following}.",
        lambda line, following: f"Line {line} runs, then line {following}.",
        lambda line, following: f"We go from line {line} to line {following}.",
        lambda line, following: f"Line {following} is executed next, following line {line}.",
    ],
    "returns": [
        lambda value: f"The function returns `{value}`.",
        lambda value: f"It returns {value}.",
        lambda value: f"The final answer is {value}.",
        lambda value: f"So the result of the call is `{value}`.",
        lambda value: f"The return value is {value}.",
        lambda value: f"`{value}` is what we get back.",
        lambda value: f"In the end, {value} is returned.",
        lambda value: f"The call evaluates to {value}.",
        lambda value: f"Output: {value}",
        lambda value: f"The caller receives `{value}`.",
    ],
    "returns_from": [
        lambda line, name, value: f"Line {line} returns `{value}` from `{name}`.",
        lambda line, name, value: f"On line {line}, {name} returns {value}.",
        lambda line, name, value: f"`{name}` gives back `{value}` at line {line}.",
        lambda line, name, value: f"The call of `{name}` ends on line {line} with the result {value}.",
        lambda line, name, value: f"At line {line} the function {name} hands {value} back to its caller.",
        lambda line, name, value: f"{value} is returned by `{name}` on line {line}.",
        lambda line, name, value: f"The `return` on line {line} makes `{value}` the result of `{name}`.",
        lambda line, name, value: f"Line {line}: `{name}` is done and its return value is `{value}`.",
    ],
    "raises": [
        lambda kind, message: f"A `{kind}` is raised with the message {message}.",
        lambda kind, message: f"The call raises {kind}: {message}.",
        lambda kind, message: f"It fails with a {kind} ({message}).",
        lambda kind, message: f"The program throws `{kind}`, saying {message}.",
        lambda kind, message: f"Execution ends with {kind} and the message `{message}`.",
        lambda kind, message: f"An exception of type {kind} comes out; its message is {message}.",
        lambda kind, message: f"The run crashes with `{kind}({message})`.",
        lambda kind, message: f"{kind} is thrown, with text {message}.",
        lambda kind, message: f"The function does not return; a {kind} with {message} propagates to the caller.",
    ],
    "prints": [
        lambda text: f"It prints {text}.",
        lambda text: f"The output printed is `{text}`.",
        lambda text: f"{text} is printed.",
        lambda text: f"The program writes {text} to standard output.",
        lambda text: f"`{text}` appears on the screen.",
        lambda text: f"The text {text} is sent to stdout.",
        lambda text: f"On the console we see {text}.",
        lambda text: f"What gets printed is {text}.",
    ],
    "call": [
        lambda name, args, value: f"`{name}({args})` returns `{value}`.",
        lambda name, args, value: f"Calling `{name}({args})` gives {value}.",
        lambda name, args, value: f"The call `{name}({args})` evaluates to `{value}`.",
        lambda name, args, value: f"{name}({args}) is {value}.",
        lambda name, args, value: f"When `{name}` is called with `{args}`, it returns `{value}`.",
        lambda name, args, value: f"We get {value} from `{name}({args})`.",
        lambda name, args, value: f"The result of calling {name}({args}) is {value}.",
        lambda name, args, value: f"{name}({args}) -> {value}",
        lambda name, args, value: f"Given ({args}), `{name}` produces `{value}`.",
    ],
    "expression": [
        lambda line, source, value: f"On line {line}, `{source}` is `{value}`.",
        lambda line, source, value: f"Line {line} computes `{source}`, which gives {value}.",
        lambda line, source, value: f"The expression {source} on line {line} evaluates to {value}.",
        lambda line, source, value: f"At line {line} we work out {source} = {value}.",
        lambda line, source, value: f"The value of `{source}` in line {line} is {value}.",
        lambda line, source, value: f"`{source}` comes out as `{value}` at line {line}.",
        lambda line, source, value: f"In line {line}, evaluating `{source}` yields `{value}`.",
        lambda line, source, value: f"Line {line}: {source} = {value}",
        lambda line, source, value: f"{value} is the result of `{source}` on line {line}.",
    ],
    "rejected": [
        lambda wrong, right: f"One might think the result is {wrong}, but it is {right}.",
        lambda wrong, right: f"The function returns `{right}`, not `{wrong}`.",
        lambda wrong, right: f"The answer is not {wrong} but {right}.",
        lambda wrong, right: f"At first glance it returns {wrong}; in fact, it returns {right}.",
        lambda wrong, right: f"Is the result {wrong}? No, the result is {right}.",
        lambda wrong, right: f"It would be wrong to say that it returns {wrong}: the call returns {right}.",
        lambda wrong, right: f"We get {right} back instead of {wrong}.",
        lambda wrong, right: f"Rather than `{wrong}`, the return value is `{right}`.",
        lambda wrong, right: f"You may expect `{wrong}` to be returned, yet `{right}` is returned.",
    ],
}


def _fact(kind: str, **parts: Any) -> dict[str, Any]:
    return {"kind": kind, "parts": parts}


_S10 = _fact("value", line=3, name="s", value="10")
_S1 = _fact("value", line=3, name="s", value="1")
_TEXT = _fact("value", line=3, name="t", value="'ab c'")
_LIST = _fact("value", line=4, name="xs", value="[1, 2]")
_TRUE = _fact("condition", line=3, source="x > 3", result=True)
_FALSE = _fact("condition", line=3, source="x > 3", result=False)
_THREE = _fact("iterations", line=3, count=3)
_SIX = _fact("returns", value="6")
_ERROR = _fact("raises", type="ValueError", message="'bad'")

HARD: list[tuple[str, bool | None, dict[str, Any]]] = [
    ("After line 3, `s = 1`.", False, _S10),
    ("After line 3, `s = 10`.", True, _S10),
    ("After line 3, s is 10", False, _S1),
    ("After line 3, `s` is `'1'`.", False, _S1),
    ("After line 3, `s` is `1.0`.", False, _S1),
    ("After line 3, `s` is `True`.", False, _S1),
    ("If s were 10 after line 3, the rest would differ.", None, _S1),
    ("After line 3, `s` might be 10.", None, _S10),
    ("After line 3, `s` is not 1 but 10.", True, _S10),
    ("After line 3, `s` is not 10.", False, _S10),
    ("After line 3, `s` isn't `1`.", True, _S10),
    ("After line 3, `q` is `10`.", None, _S10),
    ("After line 99, `s` is `10`.", None, _S10),
    ('After line 3, `t` is `"ab c"`.', True, _TEXT),
    ('After line 3, t is "ab c".', True, _TEXT),
    ("After line 3, `t` is `'abc'`.", False, _TEXT),
    ("After line 3, `t` is `ab c`.", None, _TEXT),
    ("After line 4, `xs` is `[1,2]`.", True, _LIST),
    ("After line 4, `xs` is `[ 1, 2 ]`.", True, _LIST),
    ("After line 4, `xs` is `[2, 1]`.", False, _LIST),
    ("After line 4, `xs` is `(1, 2)`.", False, _LIST),
    ("After line 4, `xs` is `[1, 2, 3]`.", False, _LIST),
    ("It is untrue that `x > 3` on line 3.", False, _TRUE),
    ("It is untrue that `x > 3` on line 3.", True, _FALSE),
    ("On line 3 the condition is untrue.", False, _TRUE),
    ("On line 3 the condition isn't false.", True, _TRUE),
    ("On line 3, `x>3` is true.", True, _TRUE),
    ("On line 3, `x > 3` is true.", False, _FALSE),
    ("The loop at line 3 runs thirteen times.", False, _THREE),
    ("The loop at line 3 runs three times.", True, _THREE),
    ("The loop at line 3 runs at least twice.", True, _THREE),
    ("The loop at line 3 does not run.", False, _THREE),
    ("One might guess 6, but the result is 7.", False, _SIX),
    ("One might guess 7, but the result is 6.", True, _SIX),
    ("It returns 6, not 7.", True, _SIX),
    ("It returns 7, not 6.", False, _SIX),
    ("It returns 60.", False, _SIX),
    ("It does not return 6.", False, _SIX),
    ("If it returned 6, we would be happy.", None, _SIX),
    ("Does it return 6?", None, _SIX),
    ("It returns '6'.", False, _SIX),
    ("The function is well written.", None, _SIX),
    ("A `ValueError` is raised.", True, _ERROR),
    ("No `ValueError` is raised.", False, _ERROR),
    ("A `TypeError` is raised.", False, _ERROR),
    ("It raises a ValueError with the message 'bad '.", False, _ERROR),
]

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
        lambda line, name, value: f"Upon executing line {line}, `{name}` contains {value}.",
        lambda line, name, value: f"Having executed line {line}, we find that {name} is {value}.",
        lambda line, name, value: f"Line {line} stores {value} in the variable {name}.",
        lambda line, name, value: f"The assignment on line {line} puts `{value}` into `{name}`.",
        lambda line, name, value: f"Next, line {line} updates `{name}`, which now has the value `{value}`.",
        lambda line, name, value: f"`{value}` is assigned to `{name}` at line {line}.",
        lambda line, name, value: f"We reach the end of line {line} with `{name}` equal to `{value}`.",
        lambda line, name, value: f"Following line {line}, {name} stands at {value}.",
        lambda line, name, value: f"- line {line}: `{name}` ← `{value}`",
        lambda line, name, value: f"When line {line} finished, `{name}` held `{value}`.",
        lambda line, name, value: f"Right after line {line}, `{name}` evaluates to `{value}`.",
        lambda line, name, value: f"By the end of line {line}, the variable {name} has become {value}.",
        lambda line, name, value: f"In the wake of line {line}, `{name}` has value {value}.",
        lambda line, name, value: f"Following the execution of line {line}, {name} has been set to {value}.",
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
        lambda line, name, value: f"Upon reaching line {line}, `{name}` is `{value}`.",
        lambda line, name, value: f"At the beginning of line {line}, {name} has the value {value}.",
        lambda line, name, value: f"Line {line} is about to run with `{name}` being `{value}`.",
        lambda line, name, value: f"Line {line} sees {name} = {value}.",
        lambda line, name, value: f"Line {line} reads `{name}`, whose value is `{value}`.",
        lambda line, name, value: f"Control arrives at line {line} with {name} = {value}.",
        lambda line, name, value: f"The state just before line {line} has `{name}` at `{value}`.",
        lambda line, name, value: f"On reaching line {line} we find {value} in {name}.",
        lambda line, name, value: f"Line {line} gets executed with `{name}` set to `{value}`.",
        lambda line, name, value: f"We arrive at line {line}, and `{name}` is `{value}`.",
        lambda line, name, value: f"Up to line {line}, `{name}` has stayed `{value}`.",
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
        lambda line, name, old, new: f"The value of `{name}` moves from {old} to {new} at line {line}.",
        lambda line, name, old, new: f"`{name}` is reassigned on line {line}: old value `{old}`, new value `{new}`.",
        lambda line, name, old, new: f"{name} was {old} before line {line} and is {new} after it.",
        lambda line, name, old, new: f"While `{name}` was `{old}` before line {line}, it is `{new}` afterwards.",
        lambda line, name, old, new: f"Before line {line}, {name} = {old}; after line {line}, {name} = {new}.",
        lambda line, name, old, new: f"Line {line} brings `{name}` from `{old}` to `{new}`.",
        lambda line, name, old, new: f"At line {line} we replace `{old}` by `{new}` in `{name}`.",
        lambda line, name, old, new: f"`{name}` is `{new}` after line {line}, whereas it was `{old}` before.",
        lambda line, name, old, new: f"On line {line}, `{name}` is changed to `{new}`; before that it was `{old}`.",
        lambda line, name, old, new: f"`{old}` becomes `{new}` in `{name}` at line {line}.",
        lambda line, name, old, new: f"Line {line}: `{name}` is now `{new}` (was `{old}`).",
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
        lambda line, count: f"The number of iterations of the loop at line {line} is {count}.",
        lambda line, count: f"The loop on line {line} completes after {count} pass{'' if count == 1 else 'es'}.",
        lambda line, count: f"The body under line {line} gets executed {times(count)} in all.",
        lambda line, count: (
            f"Exactly {count} iteration{s(count)} of the line {line} loop take{'s' if count == 1 else ''} place."
        ),
        lambda line, count: f"line {line} loop: {count} iteration{s(count)}",
        lambda line, count: f"Line {line}: the loop runs for {count} iteration{s(count)}.",
        lambda line, count: f"The iteration count of the loop on line {line} is {count}.",
        lambda line, count: f"It is {count} time{s(count)} that the loop at line {line} executes.",
        lambda line, count: f"Line {line}: {count} iteration{s(count)} in total.",
        lambda line, count: f"Number of passes through the loop at line {line}: {count}.",
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
        lambda line, k, name, value: f"The loop on line {line} sets `{name}` to `{value}` for iteration {k}.",
        lambda line, k, name, value: (
            f"For its {ordinal(k)} pass, the loop at line {line} gives {name} the value {value}."
        ),
        lambda line, k, name, value: f"Iteration {k} on line {line} has `{name}` equal to `{value}`.",
        lambda line, k, name, value: f"Line {line} binds {name} to {value} as the {ordinal(k)} iteration begins.",
        lambda line, k, name, value: f"The {ordinal(k)} iteration of line {line}: `{name}` is assigned `{value}`.",
        lambda line, k, name, value: (
            f"The {ordinal(k)} time line {line} is reached for a new pass, `{name}` becomes `{value}`."
        ),
        lambda line, k, name, value: (
            f"In its {ordinal(k)} cycle, the loop of line {line} has `{name}` bound to `{value}`."
        ),
        lambda line, k, name, value: f"`{name}` equals `{value}` on pass {k} of the loop at line {line}.",
        lambda line, k, name, value: f"Line {line} moves on to iteration {k} and sets `{name}` to `{value}`.",
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
        lambda line: f"The loop on line {line} has run its course.",
        lambda line: f"Control drops out of the loop at line {line}.",
        lambda line: f"That concludes the loop on line {line}.",
        lambda line: f"The loop from line {line} does not go on any further.",
        lambda line: f"Line {line} does not start another iteration.",
        lambda line: f"Line {line} finds no further items, and the loop ends.",
        lambda line: f"The loop on line {line} will not run again.",
        lambda line: f"No items remain for the loop at line {line}.",
        lambda line: f"With nothing left to iterate over, line {line}'s loop stops.",
        lambda line: f"Now the loop at line {line} is through.",
        lambda line: f"We are out of the loop on line {line}.",
        lambda line: f"The loop of line {line} is left.",
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
        lambda line, source, result: f"Line {line} evaluates `{source}` to {result}.",
        lambda line, source, result: (
            f"Is `{source}` true on line {line}? {'Yes' if result else 'No'}, it is{'' if result else ' not'}."
        ),
        lambda line, source, result: f"Line {line} checks if `{source}` is true, and it is{'' if result else ' not'}.",
        lambda line, source, result: (
            f"With the current values, `{source}` (line {line}) {'holds' if result else 'fails to hold'}."
        ),
        lambda line, source, result: f"line {line}: `{source}`? {'yes' if result else 'no'}",
        lambda line, source, result: f"Does `{source}` hold on line {line}? {'Yes' if result else 'No'}.",
        lambda line, source, result: (
            f"The boolean `{source}` at line {line} comes out {'True' if result else 'False'}."
        ),
        lambda line, source, result: f"Line {line} asks: `{source}`? The answer is {'yes' if result else 'no'}.",
        lambda line, source, result: (
            f"`{source}` is checked on line {line}: it {'holds' if result else 'does not hold'}."
        ),
        lambda line, source, result: f"We test `{source}` at line {line} and find it {'true' if result else 'false'}.",
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
        lambda line, taken, target: (
            f"At line {line}, we {'take' if taken else 'skip'} the `if` body and proceed to line {target}."
        ),
        lambda line, taken, target: (
            f"Because the `if` on line {line} {'succeeds' if taken else 'fails'}, the program {'enters' if taken else 'goes to'} line {target}."
        ),
        lambda line, taken, target: (
            f"As the check in line {line} is {'' if taken else 'not '}true, line {target} gets executed next."
        ),
        lambda line, taken, target: f"line {line}: {'true' if taken else 'false'} → go to line {target}",
        lambda line, taken, target: (
            f"Line {target} is the next to run because the condition at line {line} is {'true' if taken else 'false'}."
        ),
        lambda line, taken, target: f"The if-statement on line {line} directs execution to line {target}.",
        lambda line, taken, target: (
            f"{'Entering' if taken else 'Skipping'} the `if` block of line {line}, we arrive at line {target}."
        ),
        lambda line, taken, target: (
            f"The condition at line {line} {'is true, so we go inside, to' if taken else 'is false, so we jump ahead to'} line {target}."
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
        lambda line, following: f"Line {line} executes, and then line {following} executes.",
        lambda line, following: f"Line {line} is executed first, line {following} second.",
        lambda line, following: f"Immediately after line {line} we execute line {following}.",
        lambda line, following: f"Line {line} → line {following}",
        lambda line, following: f"Line {following} runs as soon as line {line} is complete.",
        lambda line, following: f"line {line}, then line {following}",
        lambda line, following: f"We leave line {line} for line {following}.",
        lambda line, following: f"Line {line} having been executed, line {following} is next.",
        lambda line, following: f"We continue from line {line} with line {following}.",
        lambda line, following: f"Now line {line} is finished and line {following} begins.",
        lambda line, following: f"Right after line {line}, line {following} gets executed.",
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
        lambda value: f"So it evaluates to {value} in the end.",
        lambda value: f"The function ends by returning {value}.",
        lambda value: f"So the assertion should compare against `{value}`, the returned value.",
        lambda value: f"This means that the output will be {value}.",
        lambda value: f"return: {value}",
        lambda value: f"We conclude that the answer must be {value}.",
        lambda value: f"At the end the function yields {value}.",
        lambda value: f"The call, then, is equal to {value}.",
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
        lambda line, name, value: f"Line {line} makes {name} return {value}.",
        lambda line, name, value: f"Execution of `{name}` ends at line {line}, which returns `{value}`.",
        lambda line, name, value: f"Line {line} ends the call to {name}, with {value} as the result.",
        lambda line, name, value: f"Line {line} is where `{name}` returns `{value}`.",
        lambda line, name, value: f"`{name}` stops at line {line} and its result is `{value}`.",
        lambda line, name, value: f"Then line {line} returns {value}, which is the result of {name}.",
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
        lambda kind, message: f"This raises a {kind} whose message is {message}.",
        lambda kind, message: f"A {kind} occurs, and its text is {message}.",
        lambda kind, message: f"The call fails, raising {kind} with {message} as the message.",
        lambda kind, message: f"error: {kind}({message})",
        lambda kind, message: f"No value is returned, since a {kind} with message {message} is raised.",
        lambda kind, message: f"Instead of returning, the call raises {kind} with message {message}.",
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
        lambda text: f"This line of output is produced: {text}",
        lambda text: f"A line reading {text} is printed.",
        lambda text: f"This causes {text} to be printed.",
        lambda text: f"The following is printed: {text}",
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
        lambda name, args, value: f"The call to `{name}` with arguments `{args}` returns `{value}`.",
        lambda name, args, value: f"Passing ({args}) to `{name}` results in `{value}`.",
        lambda name, args, value: f"`{name}({args}) == {value}`",
        lambda name, args, value: f"A call `{name}({args})` is made, and it returns {value}.",
        lambda name, args, value: f"{name}({args}) ⇒ {value}",
        lambda name, args, value: f"We know that `{name}({args})` is `{value}`.",
        lambda name, args, value: f"With `{name}({args})` we get `{value}`.",
        lambda name, args, value: f"For the arguments `{args}`, `{name}` returns `{value}`.",
        lambda name, args, value: f"`{name}` receives `{args}` and returns `{value}`.",
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
        lambda line, source, value: f"On line {line} we calculate `{source}` and get `{value}`.",
        lambda line, source, value: f"Line {line} needs the value of `{source}`, which is {value}.",
        lambda line, source, value: f"While running line {line}, Python evaluates `{source}`; the result is `{value}`.",
        lambda line, source, value: f"For `{source}`, line {line} gets {value}.",
        lambda line, source, value: f"`{source}` (on line {line}) returns `{value}`.",
        lambda line, source, value: f"On line {line}: {source} gives {value}.",
        lambda line, source, value: f"What does `{source}` give on line {line}? It gives `{value}`.",
        lambda line, source, value: f"On line {line}, we have `{source}`, i.e. `{value}`.",
        lambda line, source, value: f"Line {line} calls for `{source}`, which comes out to {value}.",
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
        lambda wrong, right: f"It does not return {wrong}; it returns {right}.",
        lambda wrong, right: f"{wrong} would be wrong: the function returns {right}.",
        lambda wrong, right: f"The answer is {right}, even though {wrong} looks plausible.",
        lambda wrong, right: f"Although you may think that {wrong} comes back, the call in fact returns {right}.",
        lambda wrong, right: f"Not {wrong} but {right} is returned.",
        lambda wrong, right: f"The right answer is {right}, {wrong} is wrong.",
        lambda wrong, right: f"The output is not {wrong} as one may believe, but {right}.",
        lambda wrong, right: f"Does it return {wrong}? No. It returns {right}.",
        lambda wrong, right: f"A return value of {wrong} might look right, but the true one is {right}.",
        lambda wrong, right: f"{right} is returned, not {wrong}.",
        lambda wrong, right: f"Whoever says {wrong} is mistaken: it is {right}.",
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

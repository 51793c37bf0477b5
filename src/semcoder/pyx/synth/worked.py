"""Worked monologues that the teacher is shown, over programs written for this.

Guarantees: a test executes each and finds that its call gives its output and that no claim of its text is false.
"""

from __future__ import annotations

from dataclasses import dataclass

from semcoder.core import Direction


@dataclass(frozen=True, slots=True)
class Example:
    """One worked monologue: a program, the call it is about, and what that returns, as literal text."""

    direction: Direction
    source: str
    call: str
    output: str
    monologue: str

    @property
    def question(self) -> str:
        return ask_to_tell(self.direction, self.source, self.call, self.output)

    @property
    def answer(self) -> str:
        told = f"[MONOLOGUE]\n{self.monologue}\n[/MONOLOGUE]"
        return f"{told}\n[ANSWER]assert {self.call} == {self.output}[/ANSWER]"


def ask_to_tell(direction: Direction, source: str, call: str, output: str) -> str:
    """Numbered code, and the assert with a gap in place of what is asked for."""
    numbered = "\n".join(f"{k:3} | {line}".rstrip() for k, line in enumerate(source.rstrip().split("\n"), 1))
    question = f"{call} == ??" if direction == "forward" else f"{call.partition('(')[0]}(??) == {output}"
    return f"[PYTHON]\n{numbered}\n[/PYTHON]\nassert {question}"


EXAMPLES = (
    Example(
        "forward",
        """def longest_stretch(letters):
    best = 0
    length = 0
    previous = ""
    for letter in letters:
        if letter == previous:
            length += 1
        else:
            length = 1
            previous = letter
        best = max(best, length)
    return best
""",
        "longest_stretch('abb')",
        "2",
        """\
The function measures the longest stretch in which the same letter is repeated. What comes out is never \
negative, and never exceeds the length of the text.

It is called with `letters` = `'abb'`. Line 2 sets `best` to `0`, line 3 sets `length` to `0`, and line 4 \
sets `previous` to `''`.

In iteration 1 of the loop on line 5, `letter` is `'a'`. On line 6 the condition `letter == previous` is \
false, so line 9 sets `length` to `1` and line 10 sets `previous` to `'a'`. On line 11, `best` becomes `1`.

In iteration 2, `letter` is `'b'`. The condition on line 6 is false, so line 9 sets `length` to `1` and line \
10 sets `previous` to `'b'`. On line 11, `best` stays `1`.

In iteration 3, `letter` is `'b'`. The condition on line 6 is true, so line 7 makes `length` `2`. On line \
11, `best` becomes `2`.

The loop ends after 3 iterations. Line 12 returns `2`.""",
    ),
    Example(
        "forward",
        """def split_bill(cents, people):
    share = cents // people
    rest = cents % people
    parts = []
    while len(parts) < people:
        if rest > 0:
            parts.append(share + 1)
            rest -= 1
        else:
            parts.append(share)
    return parts
""",
        "split_bill(11, 3)",
        "[4, 4, 3]",
        """\
The function splits a sum of money fairly. The shares always add up to the whole sum, they are nearly equal, \
and larger ones come first.

It is called with `cents` = `11` and `people` = `3`. Line 2 sets `share` to `3`, line 3 sets `rest` to `2`, \
and line 4 sets `parts` to `[]`.

On line 5, the condition `len(parts) < people` is true. On line 6, the condition `rest > 0` is true, so on \
line 7 `parts` becomes `[4]`, and line 8 makes `rest` `1`.

On line 5, the condition `len(parts) < people` is true. On line 6, the condition `rest > 0` is true, so on \
line 7 `parts` becomes `[4, 4]`, and line 8 makes `rest` `0`.

On line 5, the condition `len(parts) < people` is true. On line 6, the condition `rest > 0` is false, so on \
line 10 `parts` becomes `[4, 4, 3]`.

On line 5, the condition `len(parts) < people` is false, and the loop ends. Line 11 returns `[4, 4, 3]`.""",
    ),
    Example(
        "backward",
        """def shelf(titles):
    kept = []
    for title in titles:
        name = title.strip()
        if name and name not in kept:
            kept.append(name)
    return sorted(kept)
""",
        "shelf(['Iris', 'Echo'])",
        "['Echo', 'Iris']",
        """\
The function collects titles without the spaces around them, drops repeated and blank ones, and puts the \
rest in alphabetical order. What comes out never holds an empty text.

Sorting comes last and forgets the order that was there before, so the list held both titles in either \
order. A title gets into that list only if the parameter holds it, perhaps with spaces around it. Repeated \
and blank texts would leave no mark, and are not needed.

So the parameter may hold just these titles, say in the other order. The call `shelf(['Iris', 'Echo'])` is a \
choice that fits. Its execution, as a check: line 2 sets `kept` to `[]`.

In iteration 1 of the loop on line 3, `title` is `'Iris'`. Line 4 sets `name` to `'Iris'`. The condition on \
line 5 is true, so on line 6 `kept` becomes `['Iris']`.

In iteration 2, `title` is `'Echo'`. Line 4 sets `name` to `'Echo'`. The condition on line 5 is true, so on \
line 6 `kept` becomes `['Iris', 'Echo']`.

The loop ends after 2 iterations. Line 7 returns `['Echo', 'Iris']`.""",
    ),
    Example(
        "backward",
        """def climb(target):
    height = 0
    days = 0
    while height < target:
        days += 1
        height += 3
        if height < target:
            height -= 1
    return days
""",
        "climb(6)",
        "3",
        """\
The function finds out how long a climb takes that gains height by day and loses some of it at night, until \
the target is reached. What comes out is never negative.

What comes out counts the days, and a day is counted whenever the height is still short of the target. So \
the target must have been out of reach until the last of these days, and within reach on it. A day with its \
night gains two steps, and a day alone gains three: the target must be higher than the second day gets, and \
no higher than the last one gets. Several targets fit.

The call `climb(6)` is a choice that fits. Its execution, as a check: line 2 sets `height` to `0` and line 3 \
sets `days` to `0`.

On line 4, the condition `height < target` is true. Line 5 makes `days` `1` and line 6 makes `height` `3`. \
The condition on line 7 is true, so line 8 makes `height` `2`.

On line 4, the condition `height < target` is true. Line 5 makes `days` `2` and line 6 makes `height` `5`. \
The condition on line 7 is true, so line 8 makes `height` `4`.

On line 4, the condition `height < target` is true. Line 5 makes `days` `3` and line 6 makes `height` `7`. \
The condition on line 7 is false.

On line 4, the condition `height < target` is false, and the loop ends. Line 9 returns `3`.""",
    ),
)

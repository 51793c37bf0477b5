"""What a stretch of execution does that can be seen from outside of it, and how two such effects differ.

Guarantees: an effect holds what the steps of one statement's execution changed, returned, raised, printed, gave up and
decided; two effects differ only where a value, a truth or a text does. Values in words are shortened to `LONGEST`.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from semcoder.core import Value
from semcoder.monologue.sentences import span
from semcoder.monologue.story import Moment

#: How long a value may be in a sentence.
LONGEST = 60
Act = Value | bool | int | str
Look = Callable[[str], Value | None]


@dataclass(frozen=True, slots=True)
class Effect:
    """`names`: variables that changed; `acts`: what else was done, by kind, in the order in which it is told.

    `known`: globals of which a function that is called here was first to take note: one that mentions others knows of
    others, which is no difference in what it does.
    """

    names: tuple[str, ...] = ()
    acts: dict[str, tuple[str, Act]] = field(default_factory=dict)
    known: frozenset[str] = frozenset()


def effect_of(moments: Sequence[Moment]) -> Effect:
    """The effect of steps of one statement's execution."""
    names: dict[str, None] = {}
    acts: dict[str, tuple[str, Act]] = {}
    known: set[str] = set()
    for moment in moments:
        step = moment.step
        if step.kind == "call":
            known.update(change.name for change in step.changes if change.scope == "global")
        names.update((change.name, None) for change in step.changes)
        if moment.raised is not None:
            acts["raised"] = ("", moment.raised)
        if step.caught is not None:
            acts["caught"] = ("", step.caught)
        if step.truth is not None:
            acts["truth"] = ("", step.truth)
        value = moment.gives if moment.gives is not None else step.returned
        if value is not None:
            acts["returned"] = (step.function, value)
        if step.kind == "exhausted":
            acts["ended"] = ("", step.count)
        _loop(moment, acts)
        for part in step.parts:
            if part.kind == "y" and part.value is not None:
                acts["yielded"] = (step.function, part.value)
        printed = "".join(part.text for part in step.parts if part.kind == "o")
        if printed:
            acts["printed"] = ("", printed)
    return Effect(tuple(names), {kind: acts[kind] for kind in _WORDS if kind in acts}, frozenset(known))


def _loop(moment: Moment, acts: dict[str, tuple[str, Act]]) -> None:
    """What a loop that begins goes over."""
    step = moment.step
    if isinstance(step.node, (ast.For, ast.AsyncFor)) and step.kind in ("statement", "resume"):
        value = step.value_of(step.node.iter)
        if value is None and isinstance(step.node.iter, ast.Name):
            value = moment.before(step.node.iter.id)
        if value is not None:
            acts["loop"] = ("", value)


def differing(good: Effect, bad: Effect, good_after: Look, bad_after: Look) -> tuple[str, str] | None:
    """What the good run does and what the bad one does, in words, at the first difference; None where there is none.

    `good_after`, `bad_after`: what variables are after it on either side.
    """
    for kind, words in _WORDS.items():
        one, two = good.acts.get(kind), bad.acts.get(kind)
        if (one is None) != (two is None) or (one is not None and two is not None and one[1] != two[1]):
            name = next(act[0] for act in (two, one) if act is not None)
            return words(name, None if one is None else one[1]), words(name, None if two is None else two[1])
    for name in dict.fromkeys([*bad.names, *good.names]):
        before, after = good_after(name), bad_after(name)
        if name in good.known ^ bad.known:
            continue
        if before != after and not _renamed(good, bad, good_after, bad_after):
            return _variable(name, before, name in good.names), _variable(name, after, name in bad.names)
    return None


def doing(effect: Effect, after: Look) -> str:
    """An effect in words; "" for none."""
    words = [_WORDS[kind](name, value) for kind, (name, value) in effect.acts.items()]
    return "; ".join([_variable(name, after(name), True) for name in effect.names] + words)


def _renamed(good: Effect, bad: Effect, good_after: Look, bad_after: Look) -> bool:
    """Whether the two sides give the same values to variables of other names."""
    if set(good.names) == set(bad.names) or len(good.names) != len(bad.names):
        return False
    return [good_after(name) for name in good.names] == [bad_after(name) for name in bad.names]


def phrase(value: Act | None) -> str:
    """A value in a sentence."""
    if isinstance(value, Value):
        return span(value.display(LONGEST))
    return span(repr(value) if isinstance(value, str) else str(value))


def _variable(name: str, value: Value | None, changed: bool) -> str:
    if value is None:
        return f"{span(name)} is not bound"
    return f"{span(name)} {'becomes' if changed else 'stays'} {phrase(value)}"


def _raised(_: str, value: Act | None) -> str:
    return "nothing is raised" if value is None else f"{phrase(value)} is raised"


def _caught(_: str, value: Act | None) -> str:
    return "nothing is caught" if value is None else f"{phrase(value)} is caught"


def _truth(_: str, value: Act | None) -> str:
    return "the condition is not reached" if value is None else f"the condition is {str(value).lower()}"


def _returned(function: str, value: Act | None) -> str:
    return f"{span(function)} goes on" if value is None else f"{span(function)} returns {phrase(value)}"


def _over(_: str, value: Act | None) -> str:
    return "there is no loop" if value is None else f"the loop is over {phrase(value)}"


def _ended(_: str, value: Act | None) -> str:
    return "the loop goes on" if value is None else f"the loop ends after {value} iteration{'s' * (value != 1)}"


def _yielded(function: str, value: Act | None) -> str:
    return f"{span(function)} yields {'nothing' if value is None else phrase(value)}"


def _printed(_: str, value: Act | None) -> str:
    return "nothing is printed" if value is None else f"{phrase(value)} is printed"


#: In the order in which they are told.
_WORDS: dict[str, Callable[[str, Act | None], str]] = {
    "raised": _raised,
    "caught": _caught,
    "truth": _truth,
    "returned": _returned,
    "loop": _over,
    "ended": _ended,
    "yielded": _yielded,
    "printed": _printed,
}

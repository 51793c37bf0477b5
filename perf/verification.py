"""How well `verify` reads other people's monologues: true texts in many wordings, and copies with one false place.

    python -m perf.verification [--wordings tests.wordings.known] [--monologues 400] [--seed 0] [--show]

True facts are taken from the traces of the tests' programs and of generated ones, each is put into words by a wording
of its kind from the module, and a copy has one fact changed in one part (a value, name, count, result or line). A
change counts only if the trace shows that the sentence is then false: the changed fact holds at no step from the one
that the sentence before it is about to the one that the sentence after it is about.

A module with `PARTS` states what each part means: there the target of a branch is the block that is entered or
skipped, and texts are plain. In the others it is the line that runs next, and texts are literals.

recall      corrupted sentences in which a claim is false
alarms      true sentences in which a claim is false
supported   true sentences of which every claim is found true
hard        the module's `HARD` sentences with the verdict that they should have
"""

from __future__ import annotations

import argparse
import ast
import importlib
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from semcoder.core import Value
from semcoder.monologue import verify
from semcoder.monologue.story import Moment, Story
from semcoder.mutation.texts import other_value
from semcoder.seeds.generator import generate
from semcoder.tracing import Trace, trace_here
from tests.programs import PROGRAMS
from tests.wordings.judging import hard, verdict_of

LONGEST_VALUE = 80
MOST_STEPS = 600
SENTENCES = 24
Parts = tuple[Any, ...]


@dataclass(frozen=True)
class Fact:
    """A fact of a run: its kind, its parts as the wordings take them, and the step that it is about."""

    kind: str
    parts: Parts
    step: int


# -- facts of a trace


def shown(value: Value | None) -> str | None:
    """A value's text where it can stand in a sentence."""
    if value is None or not value.is_literal():
        return None
    text = value.display()
    return text if len(text) <= LONGEST_VALUE and "`" not in text else None


class Facts:
    """All facts of a trace that the wordings have kinds for, in order."""

    def __init__(self, trace: Trace, documented: bool = False) -> None:
        self.documented = documented  # by the module's `PARTS`
        self.story = Story(trace)
        self.trace = trace
        self.told = [fact for moment in self.story.moments for fact in self._at(moment)]
        self.closing = list(self._closing())
        self.lines = sorted({m.step.line for m in self.story.moments if m.step.kind != "call"})
        self.names = sorted({c.name for m in self.story.moments for c in m.step.changes if c.scope == "local"})
        self.states = {(f.step, f.kind, f.parts) for m in self.story.moments for f in self._states(m)}

    def _whole(self, moment: Moment) -> bool:
        """Whether the statement is begun and done in this one step."""
        steps, step = self.trace.steps, moment.step
        following = steps[step.index + 1] if step.index + 1 < len(steps) else None
        goes_on = following is not None and following.frame != step.frame and not step.ends_frame
        return step.kind != "resume" and not goes_on and moment.raised is None

    def _next(self, moment: Moment) -> int | None:
        """The line of the next step, where that is another line of the same call."""
        steps, step = self.trace.steps, moment.step
        following = steps[step.index + 1] if step.index + 1 < len(steps) else None
        same = following is not None and following.frame == step.frame and following.kind != "resume"
        return following.line if same and following is not None and following.line != step.line else None

    def _at(self, moment: Moment) -> Iterator[Fact]:
        step = moment.step
        if not self._whole(moment):
            return
        line, at = step.line, step.index
        if step.kind == "call":
            yield from self._call(moment)
            return
        if step.kind == "exhausted" or (isinstance(step.node, ast.While) and step.truth is False):
            yield Fact("iterations", (line, step.count if step.kind == "exhausted" else step.count - 1), at)
            yield Fact("loop_end", (line,), at)
            return
        if step.kind == "iteration":
            target = getattr(step.node, "target", None)
            value = shown(moment.after(target.id)) if isinstance(target, ast.Name) else None
            if value is not None:
                yield Fact("iteration", (line, step.count, target.id, value), at)  # type: ignore[union-attr]
            return
        yield from self._statement(moment)

    def _statement(self, moment: Moment) -> Iterator[Fact]:
        step = moment.step
        line, at, following = step.line, step.index, self._next(moment)
        for change in step.changes:
            old, new = shown(change.old), shown(change.new)
            if new is None or change.scope != "local":
                continue
            yield Fact("value", (line, change.name, new), at)
            if old is not None:
                yield Fact("change", (line, change.name, old, new), at)
        yield from self._several(moment)
        for name in sorted(_reads(step.node)):
            value = shown(moment.before(name))
            if value is not None and name in self._locals(moment):
                yield Fact("before", (line, name, value), at)
        if isinstance(step.node, ast.If) and step.truth is not None:
            source = self.story.text(step.node.test)
            yield Fact("condition", (line, source, step.truth), at)
            target = step.node.body[0].lineno if self.documented else following
            if target is not None:
                yield Fact("branch", (line, step.truth, target), at)
                yield from self._because(moment, source, target)
        elif following is not None and step.kind == "statement":
            yield Fact("order", (line, following), at)
        yield from self._parts(moment)

    def _several(self, moment: Moment) -> Iterator[Fact]:
        """What a statement did to two variables or more, and what it appended to a list."""
        step, node = moment.step, moment.step.node
        pairs = [(c.name, shown(c.new)) for c in step.changes if c.scope == "local"]
        if step.kind == "statement" and len(pairs) > 1 and all(value is not None for _, value in pairs):
            yield Fact("values", (step.line, tuple(pairs)), step.index)
        call = node.value if isinstance(node, ast.Expr) else None
        method = call.func if isinstance(call, ast.Call) else None
        if isinstance(method, ast.Attribute) and method.attr == "append" and isinstance(method.value, ast.Name):
            whole = moment.after(method.value.id)
            parts = whole.children() if whole is not None and whole.kind == "list" else []
            item, value = shown(parts[-1]) if parts else None, shown(whole)
            if item is not None and value is not None and step.changes:
                yield Fact("appended", (step.line, item, method.value.id, value), step.index)

    def _because(self, moment: Moment, source: str, target: int) -> Iterator[Fact]:
        """A branch with the condition and the one variable that decides it."""
        step = moment.step
        assert isinstance(step.node, ast.If)
        names = {n.id for n in ast.walk(step.node.test) if isinstance(n, ast.Name)}
        name = next(iter(names & self._locals(moment)), "") if len(names) == 1 else ""
        value = shown(moment.before(name)) if name and name != source else None
        if value is not None:
            yield Fact("because", (step.line, name, value, source, step.truth, target), step.index)

    def _locals(self, moment: Moment) -> set[str]:
        return {
            c.name
            for m in self.story.moments[: moment.step.index]
            for c in m.step.changes
            if m.step.frame == moment.step.frame
        }

    def _parts(self, moment: Moment) -> Iterator[Fact]:
        step = moment.step
        seen = Counter(self.story.text(p.node) for p in step.parts if p.kind == "e" and p.node is not None)
        for part in step.parts:
            source = self.story.text(part.node) if part.node is not None else ""
            value = shown(part.value)
            plain = len(source) <= LONGEST_VALUE and "`" not in source and seen[source] == 1
            if isinstance(part.node, (ast.BinOp, ast.Subscript, ast.Call)) and value is not None and plain:
                yield Fact("expression", (step.line, source, value), step.index)
        text = "".join(p.text for p in step.parts if p.kind == "o").removesuffix("\n")
        if text and "`" not in text and len(text) <= LONGEST_VALUE:
            yield Fact("prints", (text if self.documented else repr(text),), step.index)
        value = shown(moment.gives)
        if isinstance(step.node, ast.Return) and value is not None:
            yield Fact("returns_from", (step.line, step.function, value), step.index)

    def _call(self, moment: Moment) -> Iterator[Fact]:
        step = moment.step
        node = step.node
        plain = isinstance(node, ast.FunctionDef) and not node.args.vararg and not node.args.kwarg
        if not plain or not isinstance(node, ast.FunctionDef) or "self" in [a.arg for a in node.args.args]:
            return
        names = [a.arg for a in [*node.args.posonlyargs, *node.args.args]]
        given = [shown(moment.after(name)) for name in names]
        gives = next(
            (m.gives for m in self.story.moments[step.index :] if m.step.frame == step.frame and m.gives), None
        )
        value = shown(gives)
        if value is not None and None not in given and not node.args.kwonlyargs:
            yield Fact("call", (step.function, ", ".join(str(g) for g in given), value), step.index)

    def _closing(self) -> Iterator[Fact]:
        outcome, last = self.trace.outcome, len(self.trace.steps)
        value = shown(outcome.value)
        if value is not None:
            yield Fact("returns", (value,), last)
            wrong = other_value(value, random.Random(0))
            if wrong is not None and wrong != value:
                yield Fact("rejected", (wrong, value), last)
        raised = outcome.exception
        if raised is not None and raised.message and "`" not in raised.message and raised.type.isidentifier():
            message = raised.message if self.documented else repr(raised.message)
            yield Fact("raises", (raised.type, message), last)

    def _states(self, moment: Moment) -> Iterator[Fact]:
        """What holds at a step beyond what is told of it: all variables before and after it, and where it leads."""
        step = moment.step
        for name in self.names:
            before, after = shown(self._seen(moment, name)), shown(moment.after(name) or self._seen(moment, name))
            if after is not None:
                yield Fact("value", (step.line, name, after), step.index)
            if before is not None:
                yield Fact("before", (step.line, name, before), step.index)
            if before is not None and after is not None:
                yield Fact("change", (step.line, name, before, after), step.index)
        later = self.trace.steps[step.index + 1 : step.index + 4]
        for following in later:
            yield Fact("order", (step.line, following.line), step.index)
        inside = next(
            (s for s in self.trace.steps[step.index + 1 :] if s.frame == step.frame and s.line != step.line), None
        )
        if inside is not None:
            yield Fact("order", (step.line, inside.line), step.index)

    def _seen(self, moment: Moment, name: str) -> Value | None:
        """A variable before a step, in its function or in one that waits for it."""
        step = moment.step
        value = moment.before(name)
        waiting: dict[int, int] = {}
        for earlier in self.trace.steps[: step.index] if value is None else []:
            if earlier.depth < step.depth:
                waiting[earlier.depth] = earlier.frame
        frames = [waiting[depth] for depth in sorted(waiting, reverse=True)]
        found = (moment.history.before(frame, name, step.index) for frame in frames)
        return value if value is not None else next((v for v in found if v is not None), None)

    def false(self, fact: Fact, first: int, last: int) -> bool:
        """Whether a changed fact holds at no step from `first` to `last`."""
        told = [f for f in [*self.told, *self.closing] if first <= f.step <= last and f.kind == fact.kind]
        if any(f.parts == fact.parts for f in told):
            return False
        if fact.kind == "appended" or (fact.kind == "branch" and self.documented):
            return True
        if fact.kind == "values":
            line, pairs = fact.parts
            near = range(first, last + 1)
            return not any(all((k, "value", (line, *pair)) in self.states for pair in pairs) for k in near)
        if fact.kind == "because":
            line, name, value, _, result, _ = fact.parts
            held = any((k, "before", (line, name, value)) in self.states for k in range(first, last + 1))
            return not held or not any(f.parts[4] == result for f in told)
        if fact.kind in ("iterations", "loop_end"):  # of a loop that is not over it may be said all the time
            return not any(f.kind == fact.kind and f.parts == fact.parts and f.step >= first for f in self.told)
        if fact.kind == "condition" and any((f.parts[0], f.parts[2]) == (fact.parts[0], fact.parts[2]) for f in told):
            return False
        if fact.kind == "branch":
            line, taken, target = fact.parts
            leads = any((k, "order", (line, target)) in self.states for k in range(first, last + 1))
            same = any(f.parts[:2] == (line, taken) for f in told)
            original_leads = leads and same
            return not original_leads and not (leads and not any(f.parts[0] == line for f in told))
        return not any((k, fact.kind, fact.parts) in self.states for k in range(first, last + 1))


def _reads(node: ast.AST) -> set[str]:
    """Variables that a simple statement reads."""
    if isinstance(node, (ast.For, ast.While, ast.With, ast.Try, ast.FunctionDef, ast.ClassDef, ast.Match)):
        return set()
    root = node.test if isinstance(node, ast.If) else node
    return {n.id for n in ast.walk(root) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}


# -- texts


@dataclass(frozen=True)
class Told:
    """A fact and the number of the wording that tells it."""

    fact: Fact
    wording: int


def choose(facts: Facts, wordings: dict[str, list[Callable[..., str]]], rng: random.Random) -> list[Told]:
    """Facts of a run in order, about as many as a person would tell; of the closing ones at least one."""
    share = min(1.0, SENTENCES / max(1, len(facts.told)))
    chosen = [f for f in facts.told if f.kind in wordings and rng.random() < share]
    closing = [f for f in facts.closing if f.kind in wordings]
    chosen.extend(rng.sample(closing, min(1, len(closing))))
    return [Told(fact, rng.randrange(len(wordings[fact.kind]))) for fact in chosen]


def say(wording: Callable[..., str], kind: str, parts: Parts) -> str:
    del kind
    return wording(*parts)


def write(
    told: Sequence[Told], wordings: dict[str, list[Callable[..., str]]], gap: str
) -> tuple[str, list[tuple[int, int]]]:
    """The text and where each sentence stands in it. A sentence without a full stop has a row to itself."""
    text, spans = "", []
    for item in told:
        sentence = say(wordings[item.fact.kind][item.wording], item.fact.kind, item.fact.parts)
        between = "" if not text else gap if text.rstrip().endswith((".", "!", "?")) else "\n"
        spans.append((len(text) + len(between), len(text) + len(between) + len(sentence)))
        text += between + sentence
    return text, spans


# -- corruptions

_VALUES = {"value": [2], "before": [2], "change": [2, 3], "iteration": [3], "returns": [0], "returns_from": [2],
           "prints": [0], "call": [2], "expression": [2], "rejected": [1], "appended": [1, 3],
           "because": [2]}  # fmt: skip
_LINES = {"value": [0], "before": [0], "iterations": [0], "loop_end": [0], "condition": [0], "branch": [0, 2],
          "order": [0, 1], "returns_from": [0], "expression": [0], "change": [0]}  # fmt: skip
_NAMES = {"value": 1, "before": 1, "change": 1, "iteration": 2}
_COUNTS = {"iterations": 1, "iteration": 1}
_RESULTS = {"condition": 2, "branch": 1, "because": 4}


def corrupt(fact: Fact, facts: Facts, rng: random.Random) -> tuple[str, Fact] | None:
    """What is changed, and the fact with that part changed; None if it has no such part."""
    kind = fact.kind
    ways: list[tuple[str, int]] = [("value", k) for k in _VALUES.get(kind, [])] + [
        ("line", k) for k in _LINES.get(kind, [])
    ]
    ways += [
        (way, table[kind])
        for way, table in (("name", _NAMES), ("count", _COUNTS), ("result", _RESULTS))
        if kind in table
    ]
    if kind == "values":
        return _other_pair(fact, rng)
    if kind == "branch" and facts.documented:  # that another block is skipped is true of any that does not run
        ways = [("result", 1)]
    if kind == "raises":
        ways = [("name", 0), ("value", 1)]
    if not ways:
        return None
    way, place = rng.choice(ways)
    old = fact.parts[place]
    new: Any = None
    if way == "value" and facts.documented and kind in ("prints", "raises"):
        new = ast.literal_eval(other_value(repr(old), rng) or repr(old))
    elif way == "value":
        new = other_value(old, rng)
    elif way == "line":
        lines = [line for line in facts.lines if line != old]
        new = rng.choice(lines) if lines else None
    elif way == "name":
        pool = ["ValueError", "TypeError", "KeyError"] if kind == "raises" else facts.names
        others = [name for name in pool if name != old]
        new = rng.choice(others) if others else None
    elif way == "count":
        new = max(1 if kind == "iteration" else 0, old + rng.choice([1, -1, 2]))
    else:
        new = not old
    if new is None or new == old:
        return None
    return way, replace(fact, parts=(*fact.parts[:place], new, *fact.parts[place + 1 :]))


def _other_pair(fact: Fact, rng: random.Random) -> tuple[str, Fact] | None:
    """One of several values changed."""
    line, pairs = fact.parts
    k = rng.randrange(len(pairs))
    new = other_value(pairs[k][1], rng)
    if new is None or new == pairs[k][1]:
        return None
    return "value", replace(fact, parts=(line, (*pairs[:k], (pairs[k][0], new), *pairs[k + 1 :])))


# -- the measure


def traces(count: int, seed: int) -> Iterator[Trace]:
    """Traces of the tests' programs, then of generated ones."""
    made = 0
    for source, call in PROGRAMS.values():
        yield trace_here(source, call)
        made += 1
    number = seed * 100_000
    while made < count:
        program, invocations = generate(number)
        number += 1
        trace = trace_here(program.source, invocations[0])
        if 8 <= len(trace.steps) <= MOST_STEPS and not trace.truncated:
            made += 1
            yield trace


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--wordings", default="tests.wordings.known")
    parser.add_argument("--monologues", type=int, default=400)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--show", action="store_true", help="print each miss and each false alarm")
    args = parser.parse_args()
    module = importlib.import_module(args.wordings)
    wordings: dict[str, list[Callable[..., str]]] = module.WORDINGS
    rng = random.Random(args.seed)
    kinds: dict[str, Counter[str]] = {}
    ways: dict[str, Counter[str]] = {}
    started = time.perf_counter()
    monologues = 0
    for trace in traces(args.monologues, args.seed):
        facts = Facts(trace, documented=hasattr(module, "PARTS"))
        told = choose(facts, wordings, rng)
        if not told:
            continue
        monologues += 1
        gap = rng.choice([" ", "\n"])
        text, spans = write(told, wordings, gap)
        claims = verify(text, trace)
        for item, span in zip(told, spans, strict=True):
            verdict = verdict_of(claims, span)
            kinds.setdefault(item.fact.kind, Counter())[str(verdict)] += 1
            if args.show and verdict is not True:
                inside = [
                    (c.kind, c.verdict, c.actual, c.text) for c in claims if c.start < span[1] and c.end > span[0]
                ]
                what = "ALARM" if verdict is False else "UNREAD"
                print(f"{what} {item.fact.kind} #{item.wording}: {text[slice(*span)]} | {inside}")
        for _ in range(3):
            _one_corruption(told, facts, wordings, rng, gap, trace, ways, show=args.show)
    _report(kinds, ways, monologues, time.perf_counter() - started)
    rows = getattr(module, "HARD", [])
    right, of = hard(rows, show=args.show, programs=getattr(module, "PROGRAMS", None))
    print(f"hard: {right} of {of} sentences have the verdict that they should have")


def _one_corruption(
    told: Sequence[Told],
    facts: Facts,
    wordings: dict[str, list[Callable[..., str]]],
    rng: random.Random,
    gap: str,
    trace: Trace,
    ways: dict[str, Counter[str]],
    *,
    show: bool,
) -> None:
    for _ in range(20):
        kind = rng.choice(sorted({item.fact.kind for item in told}))
        k = rng.choice([k for k, item in enumerate(told) if item.fact.kind == kind])
        made = corrupt(told[k].fact, facts, rng)
        if made is None:
            continue
        way, changed = made
        wording = wordings[changed.kind][told[k].wording]
        if say(wording, changed.kind, changed.parts) == say(wording, changed.kind, told[k].fact.parts):
            continue
        first = told[k - 1].fact.step if k else 0
        last = told[k + 1].fact.step if k + 1 < len(told) else len(trace.steps)
        if not facts.false(changed, first, last):
            continue
        copy = [*told[:k], Told(changed, told[k].wording), *told[k + 1 :]]
        text, spans = write(copy, wordings, gap)
        claims = verify(text, trace)
        verdict = verdict_of(claims, spans[k])
        anywhere = any(c.verdict is False for c in claims)
        found = "found" if verdict is False else "elsewhere" if anywhere else "missed"
        ways.setdefault(f"{changed.kind}/{way}", Counter())[found] += 1
        if show and found != "found":
            inside = [(c.kind, c.verdict, c.actual) for c in claims if c.start < spans[k][1] and c.end > spans[k][0]]
            sentence = f"#{told[k].wording}: {text[slice(*spans[k])]}"
            print(f"MISS {changed.kind}/{way} {sentence} | was {told[k].fact.parts} | {inside}")
        return


def _report(kinds: dict[str, Counter[str]], ways: dict[str, Counter[str]], monologues: int, seconds: float) -> None:
    total: Counter[str] = sum(kinds.values(), Counter())
    sentences = sum(total.values())
    for kind, counts in sorted(kinds.items()):
        alarms, unread = counts["False"], counts["None"]
        print(f"  true {kind}: {sum(counts.values())} sentences, {alarms} called false, {unread} not supported")
    for way, counts in sorted(ways.items()):
        made, elsewhere = sum(counts.values()), counts["elsewhere"]
        print(f"  corrupted {way}: {counts['found']} of {made} found there, {elsewhere} elsewhere only")
    found: Counter[str] = sum(ways.values(), Counter())
    made = sum(found.values())
    print(f"{monologues} monologues, {sentences} true sentences, {made} corrupted ones, {seconds:.0f} s")
    print(f"recall: {100 * found['found'] / made:.2f} % of the corrupted claims found false there")
    print(f"alarms: {100 * total['False'] / sentences:.2f} % of the true claims called false")
    print(f"supported: {100 * total['True'] / sentences:.2f} % of the true claims called true")


if __name__ == "__main__":
    main()

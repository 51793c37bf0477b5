"""The backward style: code and output to one input (paper section 3).

The text goes from the output back through the statements that made it, saying at each what must have held before: an
exact value, or a constraint where the earlier state is not unique ("the elements of `[1, 2]` in some order"). It ends
with one concrete input, which was executed. How the input was found is said in the text: by inversion, from
constraints, or by search.

Guarantees: every sentence is about the execution of the proposed input, and is checked against it. It does not claim
that the input is the only one.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Sequence

from semcoder.core import Detail, Monologue, NotLiteral, Value
from semcoder.monologue.forward import called_function
from semcoder.monologue.purpose import purpose_of
from semcoder.monologue.sentences import Fact, read_sentences, write, write_sentence
from semcoder.monologue.solving import Found, Note
from semcoder.monologue.story import Moment, Story
from semcoder.tracing import Trace

#: The most steps a backward text tells, and the longest value that it repeats for a variable.
MAX_SENTENCES = 40
_REMINDER = 200


class Backward:
    """The output, what each step on the way to it must have seen, one input, and how that was found."""

    name = "backward"
    direction = "backward"

    def render(self, trace: Trace, *, detail: Detail = "line", found: Found | None = None) -> Monologue:
        """The monologue for the execution of a proposed input. `trace` must be of a call that returned.

        `found` says how the input was found, and by which derivation; without it, the input was given. With
        `expression` detail no limit is set on the number of sentences.
        """
        output = trace.outcome.value
        if output is None:
            raise ValueError("a backward monologue needs a call that returned")
        call = trace.invocation.text.strip()
        lines = [
            *purpose_of(trace.tree, called_function(trace)),
            write([Fact("goal_returns", (output.display(),))]) + ".",
        ]
        told = list(_Slice(Story(trace), found.notes if found else ()).sentences())
        for line, facts in told if detail == "expression" else told[:MAX_SENTENCES]:
            lines.append(write_sentence(line, facts))
        if detail == "line" and len(told) > MAX_SENTENCES:
            lines.append("The steps before that go the same way.")
        how = found.how if found else "given"
        slots = (str(found.executed),) if found and how == "search" else ()
        lines.append(write([Fact("goal_choice", (call,)), Fact(f"goal_{how}", slots)]) + ".")
        lines.append(write([Fact("goal_gives", (output.display(),))]) + ".")
        return Monologue("backward", self.name, "\n".join(lines), call, found_by=how)

    def parse(self, text: str) -> str | None:
        """The call that a text of this style settles on; None if it settles on none."""
        answer = None
        for sentence in read_sentences(text):
            for fact in sentence.facts:
                if fact.kind == "goal_choice":
                    answer = fact.slots[0]
        return answer


class _Slice:
    """A dynamic backward slice: the steps that the result depends on, through data and conditions, last first."""

    def __init__(self, story: Story, notes: Sequence[Note] = ()) -> None:
        self._story = story
        self._notes = [note for note in notes if note.literal]
        self._needed: set[tuple[int, str]] = set()
        self._guards: set[tuple[int, int]] = set()
        self._parents = {id(c): n for n in ast.walk(story.trace.tree) for c in ast.iter_child_nodes(n)}

    def sentences(self) -> Iterator[tuple[int, list[Fact]]]:
        moments = self._story.moments
        wants_return = True
        for moment in reversed(moments):
            step = moment.step
            returned = wants_return and step.returned is not None
            facts = self._facts(moment, returned)
            # The part of a statement after a call depends on what the call returned.
            wants_return = (bool(facts) and step.kind == "resume") or (wants_return and not returned and not facts)
            if facts:
                yield step.line, facts
                self._need(moment)

    def _facts(self, moment: Moment, returned: bool) -> list[Fact]:
        step, frame = moment.step, moment.step.frame
        facts: list[Fact] = []
        if returned and step.returned is not None:
            facts.append(Fact("must_return", (step.function, step.returned.display())))
        changed = [c for c in step.changes if (frame, c.name) in self._needed and c.new is not None]
        if step.kind == "call" and isinstance(step.node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            given = [c for c in changed if c.scope == "local"]
            slots = [text for c in given if c.new is not None for text in (c.name, c.new.display())]
            return [Fact("must_start", (step.function, *slots))] if slots else []
        if step.kind == "iteration" and changed:
            facts.append(Fact("iteration", (str(step.count),)))
        for change in changed:
            kind = "must_become" if change.scope == "local" else "global_becomes"
            if change.new is not None:
                facts.append(Fact(kind, (change.name, change.new.display())))
        if (
            (frame, id(step.node)) in self._guards
            and step.truth is not None
            and isinstance(step.node, (ast.If, ast.While))
        ):
            test = self._story.text(step.node.test)
            facts.append(Fact("must_hold", (test, "true" if step.truth else "false")))
        constraints = self._constraints(moment)
        if step.kind == "statement" and isinstance(step.node, ast.For) and (frame, id(step.node)) in self._guards:
            value = step.value_of(step.node.iter)
            if value is not None and value.base != "opaque":
                facts.append(Fact("must_be", (self._story.text(step.node.iter), value.display())))
            if not facts and moment.raised is None and self._story.callee(step) is None:
                facts.append(Fact("loop", (self._story.text(step.node.iter),)))
        if not facts:
            return []
        said = [*facts, *self._derived(moment), *constraints, *self._reminders(moment, constraints)]
        return list(dict.fromkeys(said))

    def _derived(self, moment: Moment) -> list[Fact]:
        """What the derivation of the input said of this line's expressions, where it is so in this very step."""
        facts: dict[Fact, None] = {}
        test = getattr(moment.step.node, "test", None)  # its truth is told as a condition
        for part in reversed(moment.step.parts):
            if part.kind != "e" or part.node is None or part.node is test or part.value is None:
                continue
            text, value = self._story.text(part.node), part.value.display()
            if any((n.line, n.expression, n.must_be) == (moment.step.line, text, value) for n in self._notes):
                facts.setdefault(Fact("must_be", (text, value)))
        return list(facts)

    def _need(self, moment: Moment) -> None:
        """What a told step depends on: the variables it read, and the conditions that led to it."""
        step, frame = moment.step, moment.step.frame
        for change in step.changes:
            if change.old is None or change.new is None or change.old.oid is None or change.old.oid != change.new.oid:
                self._needed.discard((frame, change.name))
        if step.kind != "iteration":
            self._guards.discard((frame, id(step.node)))
        else:
            self._guards.add((frame, id(step.node)))
        self._needed.update((frame, name) for name in _reads(step.node))
        if isinstance(step.node, ast.AugAssign):
            self._needed.update((frame, c.name) for c in step.changes)
        node: ast.AST | None = step.node
        while node is not None and not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            parent = self._parents.get(id(node))
            self._guards.update((frame, id(sibling)) for sibling in _ways_out(parent, node))
            if isinstance(parent, (ast.If, ast.While)) and node is not parent.test:
                self._guards.add((frame, id(parent)))
            if isinstance(parent, ast.For):
                self._guards.add((frame, id(parent)))
            if isinstance(parent, (ast.For, ast.While)):
                self._needed.update((frame, name) for name in _reads(parent))
            node = parent

    def _constraints(self, moment: Moment) -> list[Fact]:
        """For each operation of the step that forgets something about its operand: what still must hold of it."""
        facts = []
        for part in moment.step.parts:
            if part.kind == "e" and isinstance(part.node, ast.Call) and part.value is not None:
                operand, kind = _operand(part.node)
                if (
                    kind
                    and operand is not None
                    and check_constraint(kind, self._operand_value(moment, operand), part.value)
                ):
                    facts.append(Fact(kind, (self._story.text(operand), part.value.display())))
        return facts

    def _operand_value(self, moment: Moment, operand: ast.expr) -> Value | None:
        if isinstance(operand, ast.Name):
            return moment.before(operand.id)
        return moment.step.value_of(operand)

    def _reminders(self, moment: Moment, constraints: list[Fact]) -> list[Fact]:
        """What the variables that the step reads must be, or happen to be where a constraint says all there is."""
        facts = []
        loose = {fact.slots[0] for fact in constraints}
        for name in _reads(moment.step.node):
            value = moment.before(name)
            if value is not None and value.base != "opaque" and moment.step.kind != "iteration":
                text = value.display()
                if len(text) <= _REMINDER:
                    facts.append(Fact("here" if name in loose else "must_be", (name, text)))
        return facts


def _ways_out(parent: ast.AST | None, node: ast.AST) -> Iterator[ast.If]:
    """Earlier conditions in the block of `node` through which control could have left instead of reaching it."""
    for block in (getattr(parent, "body", None), getattr(parent, "orelse", None)):
        if isinstance(block, list) and node in block:
            for sibling in block[: block.index(node)]:
                jumps = (ast.Return, ast.Raise, ast.Break, ast.Continue)
                if isinstance(sibling, ast.If) and any(isinstance(inner, jumps) for inner in ast.walk(sibling)):
                    yield sibling


def _reads(node: ast.AST) -> list[str]:
    """Names that a statement itself reads, in order, without the blocks inside it."""
    names: dict[str, None] = {}
    inner = ("body", "orelse", "finalbody", "handlers", "cases")
    blocks = isinstance(node, ast.stmt) and not isinstance(node, ast.Expr)
    todo: list[ast.AST] = [
        part
        for name, field in ast.iter_fields(node)
        if not (blocks and name in inner)
        for part in (field if isinstance(field, list) else [field])
        if isinstance(part, ast.AST)
    ]
    for part in todo:
        for found in ast.walk(part):
            if isinstance(found, ast.Name) and isinstance(found.ctx, ast.Load):
                names.setdefault(found.id)
    return list(names)


_BY_FUNCTION = {
    "sorted": "any_order",
    "len": "length",
    "sum": "total",
    "set": "distinct",
    "max": "largest",
    "min": "smallest",
}
_BY_METHOD = {
    "lower": "any_case",
    "upper": "any_case",
    "casefold": "any_case",
    "strip": "stripped",
    "lstrip": "stripped",
    "rstrip": "stripped",
}


def _operand(call: ast.Call) -> tuple[ast.expr | None, str]:
    """The operand of a call that forgets something about it, and the constraint that remains."""
    func = call.func
    if (
        isinstance(func, ast.Name)
        and func.id in _BY_FUNCTION
        and len(call.args) == 1
        and not isinstance(call.args[0], ast.Starred)
    ):
        if func.id in ("max", "min") and call.keywords:
            return None, ""
        return call.args[0], _BY_FUNCTION[func.id]
    if isinstance(func, ast.Attribute) and func.attr in _BY_METHOD:
        return func.value, _BY_METHOD[func.attr]
    return None, ""


def check_constraint(kind: str, operand: Value | None, result: Value) -> bool | None:
    """Whether a constraint of the text holds between two values; None where they are no plain data."""
    if operand is None:
        return None
    try:
        before, after = operand.to_python(), result.to_python()
        return bool(_CONSTRAINTS[kind](before, after))
    except (NotLiteral, TypeError, ValueError):
        return None


_CONSTRAINTS: dict[str, Callable[[object, object], object]] = {
    "any_order": lambda a, b: _bag(a) == _bag(b),
    "length": lambda a, b: len(a) == b,  # type: ignore[arg-type]
    "total": lambda a, b: sum(a) == b,  # type: ignore[call-overload]
    "distinct": lambda a, b: set(a) == set(b),  # type: ignore[call-overload]
    "largest": lambda a, b: max(a) == b,  # type: ignore[call-overload]
    "smallest": lambda a, b: min(a) == b,  # type: ignore[call-overload]
    "any_case": lambda a, b: str(a).casefold() == str(b).casefold(),
    "stripped": lambda a, b: isinstance(a, str) and isinstance(b, str) and b in a,
}


def _bag(items: object) -> list[str]:
    return sorted(Value.of(item).display() for item in items)  # type: ignore[attr-defined]

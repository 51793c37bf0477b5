"""Judging one sentence's facts at one moment of an execution.

Guarantees: every verdict is read off the trace and the program's tree; what the narrator chose to say plays no part.
A fact has a judge here for each kind that can stand in a `Line N:` sentence; other kinds have no verdict.
"""

from __future__ import annotations

import ast
from collections.abc import Callable

from semcoder.core import TooLarge, Value
from semcoder.monologue.backward import check_constraint
from semcoder.monologue.narrate import case_text, facts_of
from semcoder.monologue.sentences import Fact
from semcoder.monologue.story import Moment, Story, normal
from semcoder.tracing import Change, Part, Step

#: A verdict, and what was true instead.
Verdict = tuple[bool | None, str]


def matches(claimed: str, value: Value) -> bool:
    """Whether a text denotes this very value: as `display` writes it, or as any literal that evaluates to it."""
    if claimed == value.display():
        return True
    try:
        return Value.of(ast.literal_eval(claimed)) == value
    except (ValueError, SyntaxError, TypeError, TooLarge, RecursionError, MemoryError):
        return False


def names_exception(claimed: str, value: Value) -> bool:
    """Whether a text denotes this exception: the whole of it, or its type alone, which says less but says no wrong."""
    return matches(claimed, value) or (value.base == "exception" and claimed == value.type_name)


class Judge:
    """Judges facts in the order of a sentence: values and conditions are consumed as they are told."""

    def __init__(self, story: Story, moment: Moment) -> None:
        self._story = story
        self._moment = moment
        self._step: Step = moment.step
        self._at = {"e": -1, "t": -1, "m": -1}  # by kind, the part of the step up to which the sentence has told
        self._changed: set[str] = set()  # variables whose change the sentence has told

    def verdict(self, fact: Fact) -> Verdict:
        """The verdict on one fact, with what was true where it is not True."""
        verdict, actual = self._judge(fact)
        return verdict, "" if verdict else actual or self._summary()

    def right(self, fact: Fact) -> bool:
        """Whether the verdict is True."""
        return self._judge(fact)[0] is True

    def _judge(self, fact: Fact) -> Verdict:
        judge: Callable[[Fact], Verdict] | None = getattr(self, "_" + fact.kind, None)
        return judge(fact) if judge is not None else (None, "this is not a sentence that can be checked")

    def _summary(self) -> str:
        """What our own narrator would say here: for a reader only, no verdict depends on it."""
        return (
            "; ".join(fact.text for fact in facts_of(self._story, self._moment, "line")) or "nothing more happens here"
        )

    def _is(self, *kinds: type[ast.AST]) -> bool:
        return isinstance(self._step.node, kinds)

    # -- values of expressions and variables

    def _evaluations(self, expression: str, kind: str) -> list[tuple[int, Part]]:
        key = normal(expression)
        return [
            (position, part)
            for position, part in enumerate(self._step.parts)
            if part.kind == kind and part.node is not None and key is not None and self._key(part.node) == key
        ]

    def _key(self, node: ast.AST) -> str | None:
        return normal(self._story.text(node))

    def _value(self, fact: Fact) -> Verdict:
        """The next evaluation with this value; what happened unseen in between (in a comprehension) is passed over."""
        expression, claimed = fact.slots
        found = self._evaluations(expression, "e")
        if not found:
            return self._variable(expression, claimed)
        ahead = [(k, p.value) for k, p in found if k > self._at["e"] and p.value is not None]
        hit = next((k for k, value in ahead if matches(claimed, value)), None)
        if hit is not None:
            self._at["e"] = hit
            return True, ""
        if not ahead:
            return False, f"{expression} is not evaluated again, or not in this order"
        self._at["e"] = ahead[0][0]
        return False, f"{expression} is {ahead[0][1].display()}"

    def _variable(self, name: str, claimed: str) -> Verdict:
        """A variable's value before the step; after it, once the sentence has told how it changed."""
        value = self._moment.after(name) if name in self._changed else self._moment.before(name)
        if value is None:
            return None, f"line {self._step.line} does not evaluate {name}"
        return matches(claimed, value), f"{name} is {value.display()}"

    def _global(self, fact: Fact) -> Verdict:
        name, claimed = fact.slots
        now = next((c.new for c in self._step.changes if c.name == name and c.scope == "global"), None)
        value = now or self._moment.global_before(name)
        if value is None:
            return False, f"there is no global {name}"
        return matches(claimed, value), f"the global {name} is {value.display()}"

    def _must_be(self, fact: Fact) -> Verdict:
        """Like `value`, but in any order: a backward text goes from results to operands."""
        expression, claimed = fact.slots
        values = [part.value for _, part in self._evaluations(expression, "e") if part.value is not None]
        before = self._moment.before(expression)
        values = values or ([before] if before is not None else [])
        if not values:
            return None, f"line {self._step.line} does not evaluate {expression}"
        return any(matches(claimed, value) for value in values), f"{expression} is {values[-1].display()}"

    _here = _must_be

    def _item(self, fact: Fact) -> Verdict:
        """The next item that a comprehension takes."""
        for position, part in enumerate(self._step.parts):
            if part.kind == "m" and position > self._at["m"] and part.value is not None:
                self._at["m"] = position
                return matches(fact.slots[0], part.value), f"the comprehension takes {part.value.display()}"
        return False, "no comprehension takes another item"

    def _constraint(self, fact: Fact) -> Verdict:
        operand, claimed = fact.slots
        values = [part.value for _, part in self._evaluations(operand, "e")]
        before = values[-1] if values else self._moment.before(operand)
        if before is None:
            return None, f"line {self._step.line} does not evaluate {operand}"
        try:
            right = check_constraint(fact.kind, before, Value.of(ast.literal_eval(claimed)))
        except (ValueError, SyntaxError, TypeError, TooLarge, RecursionError, MemoryError):
            right = None
        return right, f"{operand} is {before.display()}"

    _any_order = _length = _total = _distinct = _largest = _smallest = _any_case = _stripped = _constraint

    # -- changes

    def _change(self, name: str, scope: str) -> Change | None:
        return next((c for c in self._step.changes if c.name == name and c.scope == scope), None)

    def _becomes(self, fact: Fact, scope: str = "local") -> Verdict:
        name, claimed = fact.slots
        self._changed.add(name)
        change = self._change(name, scope)
        if change is None:
            value = self._moment.before(name)
            return False, f"{name} does not change" + (f", it is {value.display()}" if value is not None else "")
        if change.new is None:
            return False, f"{name} is no longer bound"
        return matches(claimed, change.new), f"{name} becomes {change.new.display()}"

    _must_become = _becomes

    def _changes(self, fact: Fact, scope: str = "local") -> Verdict:
        name, old, new = fact.slots
        right, actual = self._becomes(Fact("becomes", (name, new)), scope)
        change = self._change(name, scope)
        if change is None or change.old is None or change.new is None:
            return False, actual
        actual = f"{name} goes from {change.old.display()} to {change.new.display()}"
        return bool(right) and matches(old, change.old), actual

    def _global_becomes(self, fact: Fact) -> Verdict:
        return self._becomes(fact, "global")

    def _global_changes(self, fact: Fact) -> Verdict:
        return self._changes(fact, "global")

    def _stays(self, fact: Fact) -> Verdict:
        name, claimed = fact.slots
        before, after = self._moment.before(name), self._moment.after(name)
        if before is None or after is None:
            return False, f"{name} is not bound before"
        return matches(claimed, before) and before == after, f"{name} goes from {before.display()} to {after.display()}"

    def _unbound(self, fact: Fact) -> Verdict:
        change = self._change(fact.slots[0], "local")
        return change is not None and change.new is None, ""

    def _unchanged(self, _fact: Fact) -> Verdict:
        return not self._step.changes, ""

    # -- conditions, branches, loops

    def _condition(self, fact: Fact) -> Verdict:
        """The next test of this expression that came out like this."""
        expression, claimed = fact.slots
        found = self._evaluations(expression, "t")
        if not found:
            return None, f"line {self._step.line} does not test {expression}"
        ahead = [(k, part.truth) for k, part in found if k > self._at["t"]]
        hit = next((k for k, truth in ahead if truth == (claimed == "true")), None)
        if hit is not None:
            self._at["t"] = hit
            return True, ""
        if not ahead:
            return False, f"{expression} is not tested again"
        return False, f"{expression} is {'true' if ahead[0][1] else 'false'}"

    def _must_hold(self, fact: Fact) -> Verdict:
        truths = [part.truth for _, part in self._evaluations(fact.slots[0], "t")]
        if not truths:
            return None, f"line {self._step.line} does not test {fact.slots[0]}"
        return (fact.slots[1] == "true") in truths, ""

    def _branch(self) -> str:
        """Which way an `if` went: the kind of fact that says so, empty where no `if` decided anything."""
        node = self._step.node
        if not isinstance(node, ast.If):
            return ""
        truth = bool(node.test.value) if isinstance(node.test, ast.Constant) else self._step.truth
        if truth is None:
            return ""
        if truth:
            return "if_true"
        return "if_elif" if self._story.is_elif(node) else "if_else" if node.orelse else "if_skip"

    def _if_true(self, fact: Fact) -> Verdict:
        return self._branch() == fact.kind, ""

    _if_else = _if_elif = _if_skip = _if_true

    def _loop(self, fact: Fact) -> Verdict:
        node = self._step.node
        starts = (
            isinstance(node, (ast.For, ast.AsyncFor)) and self._step.kind in ("statement", "resume") and self._done()
        )
        if not starts or not isinstance(node, (ast.For, ast.AsyncFor)):
            return False, ""
        return self._key(node.iter) == normal(fact.slots[0]) is not None, ""

    def _iteration(self, fact: Fact) -> Verdict:
        step = self._step
        began = step.kind == "iteration" or (isinstance(step.node, ast.While) and self._while_truth() is True)
        return began and fact.slots[0] == str(step.count), ""

    def _draws(self, fact: Fact) -> Verdict:
        return self._step.kind == "draw" and fact.slots[0] == str(self._step.count), ""

    def _loop_ends(self, fact: Fact) -> Verdict:
        step = self._step
        if step.kind == "exhausted":
            return fact.slots[0] == str(step.count), ""
        return self._while_truth() is False and fact.slots[0] == str(step.count - 1), ""

    def _while_truth(self) -> bool | None:
        node = self._step.node
        if not isinstance(node, ast.While):
            return None
        return bool(node.test.value) if isinstance(node.test, ast.Constant) else self._step.truth

    def _holds(self, _fact: Fact) -> Verdict:
        return self._is(ast.Assert) and self._step.truth is True, ""

    def _fails(self, _fact: Fact) -> Verdict:
        return self._is(ast.Assert) and self._step.truth is False, ""

    def _case(self, fact: Fact) -> Verdict:
        cases = [p.node for p in self._step.parts if p.kind == "k" and isinstance(p.node, ast.match_case)]
        told = " ".join(fact.slots[0].split())
        return any(" ".join(case_text(self._story, case).split()) == told for case in cases), ""

    # -- calls and how frames end

    def _called(self, fact: Fact) -> Verdict:
        """All arguments must be named."""
        given = set(fact.slots[1::2])
        bound = {c.name for c in self._step.changes if c.scope == "local"}
        right, actual = self._must_start(fact)
        return bool(right) and given == bound, actual

    def _called_bare(self, fact: Fact) -> Verdict:
        return self._called(fact)

    def _must_start(self, fact: Fact) -> Verdict:
        """Like `called`, but only the arguments that matter need be named."""
        name, *pairs = fact.slots
        values = {c.name: c.new for c in self._step.changes if c.new is not None and c.scope == "local"}
        given = zip(pairs[::2], pairs[1::2], strict=True)
        right = self._step.kind == "call" and name == self._step.function
        return right and all(n in values and matches(v, values[n]) for n, v in given), ""

    def _program(self, _fact: Fact) -> Verdict:
        return self._step.kind == "call" and self._is(ast.Module), ""

    def _gives(self, fact: Fact, value: Value | None) -> Verdict:
        if value is None:
            return False, ""
        right = fact.slots[0] == self._step.function and matches(fact.slots[1], value)
        return right, f"{self._step.function} returns {value.display()}"

    def _returns(self, fact: Fact) -> Verdict:
        return self._gives(fact, self._moment.gives)

    def _must_return(self, fact: Fact) -> Verdict:
        return self._gives(fact, self._step.returned)

    def _set_to_return(self, fact: Fact) -> Verdict:
        return self._gives(fact, self._step.returned if self._moment.gives is None else None)

    def _ends(self, fact: Fact) -> Verdict:
        return self._gives(fact, None if self._is(ast.Return) else self._moment.gives)

    def _raises(self, fact: Fact) -> Verdict:
        raised = self._moment.raised
        return raised is not None and names_exception(fact.slots[0], raised), ""

    def _left(self, fact: Fact) -> Verdict:
        return self._step.raised is not None and fact.slots[0] == self._step.function, ""

    def _caught(self, fact: Fact) -> Verdict:
        caught = self._step.caught
        return caught is not None and names_exception(fact.slots[0], caught), ""

    def _caught_as(self, fact: Fact) -> Verdict:
        right, actual = self._caught(fact)
        return bool(right) and fact.slots[1] == getattr(self._step.node, "name", None), actual

    def _yields(self, fact: Fact) -> Verdict:
        values = [p.value for p in self._step.parts if p.kind == "y" and p.value is not None]
        own = fact.slots[0] == self._step.function
        return own and any(matches(fact.slots[1], value) for value in values), ""

    def _awaits(self, fact: Fact) -> Verdict:
        nodes = [p.node for p in self._step.parts if p.kind == "y" and isinstance(p.node, ast.Await)]
        own = fact.slots[0] == self._step.function
        return own and any(self._key(node.value) == normal(fact.slots[1]) for node in nodes), ""

    def _hands_over(self, fact: Fact) -> Verdict:
        return fact.slots[0] == self._story.callee(self._step), ""

    def _prints(self, fact: Fact) -> Verdict:
        text = "".join(part.text for part in self._step.parts if part.kind == "o")
        return bool(text) and matches(fact.slots[0], Value.of(text)), f"{text!r} is printed" if text else ""

    # -- statements that only need be reached

    def _done(self) -> bool:
        """Whether the statement's own doing came to its end in this step: it neither raised nor handed over."""
        return self._moment.raised is None and self._story.callee(self._step) is None

    def _break(self, _fact: Fact) -> Verdict:
        return self._is(ast.Break), ""

    def _continue(self, _fact: Fact) -> Verdict:
        return self._is(ast.Continue), ""

    def _pass(self, _fact: Fact) -> Verdict:
        return self._is(ast.Pass), ""

    def _try(self, _fact: Fact) -> Verdict:
        return self._is(ast.Try, ast.TryStar) and self._step.kind == "statement", ""

    def _with(self, _fact: Fact) -> Verdict:
        return self._is(ast.With, ast.AsyncWith) and self._done(), ""

    def _defines(self, fact: Fact) -> Verdict:
        defines = self._is(ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef) and self._done()
        return defines and fact.slots[0] == getattr(self._step.node, "name", None), ""

    def _imports(self, fact: Fact) -> Verdict:
        node = self._step.node
        if not isinstance(node, (ast.Import, ast.ImportFrom)) or not self._done():
            return False, ""
        return fact.slots[0] in [alias.asname or alias.name for alias in node.names], ""

    def _evaluated(self, fact: Fact) -> Verdict:
        node = self._step.node
        if not isinstance(node, ast.Expr) or not self._done():
            return False, ""
        return self._key(node.value) == normal(fact.slots[0]) is not None, ""

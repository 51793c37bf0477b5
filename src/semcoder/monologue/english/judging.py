"""Judging one statement at one visit of a line, or about the run as a whole.

Guarantees: a statement is True only if the execution did that there; what the execution does not show (a name that the
program does not have, an expression that cannot be worked out from what is known) has the verdict None.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

from semcoder.core import NotLiteral, TooLarge, Value
from semcoder.monologue.english.grammar import Statement
from semcoder.monologue.english.tokens import Vocabulary, literal
from semcoder.monologue.english.visits import Loop, Run, Visit
from semcoder.monologue.solving.evaluate import Failed, Unknown, evaluate, free_names
from semcoder.monologue.story import normal
from semcoder.tracing import Step

Verdict = tuple[bool | None, str]

#: Kinds of statements that are about the run as a whole: no place in it is meant.
WHOLE = frozenset({"call", "called", "calls", "unread", "doubt", "raises", "caught", "gives", "always"})
_SIGNS: dict[str, Callable[[Any, Any], bool]] = {
    "==": lambda a, b: a == b,
    ">=": lambda a, b: a >= b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    "<": lambda a, b: a < b,
    "ends": lambda a, b: a.endswith(b) if isinstance(a, str) else a[-1:] == [b],
    "starts": lambda a, b: a.startswith(b) if isinstance(a, str) else a[:1] == [b],
    "in": lambda a, b: b in a,
}
_UNKNOWN = "the execution does not show it"


class Judge:
    """Judges statements about one run."""

    def __init__(self, run: Run, vocabulary: Vocabulary) -> None:
        self._run = run
        self._trace = run.trace
        self._vocabulary = vocabulary

    def at(self, statement: Statement, visit: Visit) -> Verdict:
        """The verdict where the statement is about this visit."""
        judge: Callable[[Statement, Visit], Verdict] | None = getattr(self, "_" + statement.kind, None)
        if judge is None:
            return self.whole(statement)
        return _denied(judge(statement, visit), statement)

    def whole(self, statement: Statement) -> Verdict:
        """The verdict on a statement about the run."""
        judge: Callable[[Statement], Verdict] | None = getattr(self, "_whole_" + statement.kind, None)
        if judge is None:
            return None, "this is not a statement that can be checked"
        return _denied(judge(statement), statement)

    # -- values

    def _is(self, statement: Statement, visit: Visit) -> Verdict:
        if statement.value is None:
            return None, _UNKNOWN
        when = statement.place.when
        name = statement.subject
        if statement.old is not None:
            return self._change(statement, visit)
        if not name.isidentifier():
            return self._expression(statement, visit)
        if name not in self._vocabulary.names:
            return None, f"the program has no variable {name}"
        after, before = _variable(visit, name, "after"), _variable(visit, name, "before")
        tests = [p.truth for p in visit.parts() if p.kind == "t" and _is_name(p.node, name)]
        if type(statement.value.ref) is bool and statement.value.ref in tests:
            return True, ""  # the test of a bare name
        if when == "before":
            return self._compare(statement, [before], f"{name} is {_told(before)} before line {visit.line}")
        if when == "after" or statement.changes:
            if statement.changes and when == "at" and statement.place.line and not _assigns(visit, name):
                return False, f"line {visit.line} does not change {name}, which is {_told(after)}"
            return self._compare(statement, [after], f"{name} is {_told(after)} after line {visit.line}")
        seen = [p.value for p in visit.parts() if isinstance(p.node, ast.Name) and p.node.id == name]
        return self._compare(statement, [after, before, *seen], f"{name} is {_told(after)} at line {visit.line}")

    def _change(self, statement: Statement, visit: Visit) -> Verdict:
        name = statement.subject
        if not name.isidentifier() or name not in self._vocabulary.names:
            return None, f"the program has no variable {name}"
        before, after = _variable(visit, name, "before"), _variable(visit, name, "after")
        actual = f"{name} goes from {_told(before)} to {_told(after)} at line {visit.line}"
        return before == statement.old and after == statement.value, actual

    def _compare(self, statement: Statement, values: list[Value | None], actual: str) -> Verdict:
        known = [v for v in values if v is not None]
        if not known:
            return False, f"{statement.subject} has no value there"
        claimed = statement.value
        if statement.compare == "==":
            return any(v == claimed for v in known), actual
        try:
            numbers = [v.to_python() for v in known]
            other = claimed.to_python() if claimed is not None else None
            return any(_SIGNS[statement.compare](n, other) for n in numbers), actual
        except (NotLiteral, TypeError):
            return None, _UNKNOWN

    def _expression(self, statement: Statement, visit: Visit) -> Verdict:
        """An expression's value: as the visit evaluated it, else worked out from the variables."""
        key = normal(statement.subject)
        found: list[Value | None] = [
            p.value for p in visit.parts() if p.kind == "e" and p.node is not None and self._key(p.node) == key
        ]
        tested = [
            Value.of(p.truth)
            for p in visit.parts()
            if p.kind == "t" and p.node is not None and self._key(p.node) == key
        ]
        found += tested if not found or type(statement.value and statement.value.ref) is bool else []
        if found:
            return self._compare(statement, found, f"{statement.subject} is {_told(found[-1])} at line {visit.line}")
        lines = self._vocabulary.expressions.get(key or "", set())
        if lines and statement.place.line and statement.place.when == "at" and visit.line not in lines:
            return False, f"line {visit.line} does not evaluate {statement.subject}"
        if key is None:
            return None, f"{statement.subject} is no expression"
        values = self._worked_out(key, visit, statement.place.when)
        if not values:
            return None, f"{statement.subject} is not evaluated there"
        return self._compare(statement, list(values), f"{statement.subject} is {_told(values[0])}")

    def _key(self, node: ast.AST) -> str | None:
        return normal(self._run.story.text(node))

    def _worked_out(self, expression: str, visit: Visit, when: str) -> list[Value]:
        tree = ast.parse(expression, mode="eval").body
        values: list[Value] = []
        for moment in {"before": ("before",), "after": ("after",)}.get(when, ("before", "after")):
            known = {name: _variable(visit, name, moment) for name in free_names(tree)}
            try:
                env = {name: value.to_python() for name, value in known.items() if value is not None}
                values.append(Value.of(evaluate(tree, env)))
            except (NotLiteral, Unknown, Failed, TooLarge):
                continue
        return values

    def _holds(self, statement: Statement, visit: Visit) -> Verdict:
        """Contains: the value itself, or one of its members."""
        verdict, actual = self._is(statement, visit)
        if verdict is not False or statement.value is None:
            return verdict, actual
        for when in {"before": ("before",), "after": ("after",)}.get(statement.place.when, ("after", "before")):
            whole = _variable(visit, statement.subject, when)
            if whole is not None and whole.kind == statement.value.kind == "str":
                return str(statement.value.to_python()) in str(whole.to_python()), actual
            if whole is not None and whole.base in ("list", "tuple", "set", "frozenset", "dict"):
                members = [k for k, _ in whole.items()] if whole.base == "dict" else whole.children()
                if statement.value in members:
                    return True, actual
        return False, actual

    def _same(self, statement: Statement, visit: Visit) -> Verdict:
        """Does not change."""
        before, after = _variable(visit, statement.subject, "before"), _variable(visit, statement.subject, "after")
        if before is None or after is None:
            return None, _UNKNOWN
        return before == after, f"{statement.subject} goes from {_told(before)} to {_told(after)} at line {visit.line}"

    def _whole_always(self, statement: Statement) -> Verdict:
        """A test that comes out one way whenever it is made."""
        visits = self._run.by_line.get(self._run.statement_line(statement.place.line), [])
        found = [self._truth(statement, visit)[0] for visit in visits or self._run.visits]
        known = [right for right in found if right is not None]
        if not known:
            return None, _UNKNOWN
        return all(known), f"{statement.subject} is not always {'true' if statement.truth else 'false'}"

    def _step(self, statement: Statement, visit: Visit) -> Verdict:
        """Goes up or down by a number."""
        before, after = _variable(visit, statement.subject, "before"), _variable(visit, statement.subject, "after")
        if before is None or after is None or statement.value is None:
            return None, _UNKNOWN
        if before.base in ("list", "set", "dict"):
            return self._element(statement, visit)  # "grows by 3"
        try:
            change = after.to_python() - before.to_python()
            right = change == (statement.value.to_python() if statement.truth else -statement.value.to_python())
        except (NotLiteral, TypeError):
            return None, _UNKNOWN
        return bool(right), f"{statement.subject} goes from {_told(before)} to {_told(after)}"

    def _element(self, statement: Statement, visit: Visit) -> Verdict:
        """Something is added to a container."""
        before, after = _variable(visit, statement.subject, "before"), _variable(visit, statement.subject, "after")
        if after is None or statement.value is None:
            return None, _UNKNOWN
        old = before.children() if before is not None else []
        actual = f"{statement.subject} goes from {_told(before)} to {_told(after)}"
        new = after.children()
        return new.count(statement.value) > old.count(statement.value), actual

    # -- conditions, branches, order

    def _truth(self, statement: Statement, visit: Visit) -> Verdict:
        if not statement.subject:
            truth = visit.truth
            tests = [p.truth for p in visit.parts() if p.kind == "t"]
            if truth is None and tests:
                return statement.truth in tests, f"the condition at line {visit.line} is {tests[-1]}"
            if truth is None:
                return (False if statement.place.line else None), f"line {visit.line} tests nothing"
            return truth == statement.truth, f"the condition at line {visit.line} is {truth}"
        key = normal(statement.subject)
        tests = [p.truth for p in visit.parts() if p.kind == "t" and p.node is not None and self._key(p.node) == key]
        if not tests:
            found = [
                p.value for p in visit.parts() if p.kind == "e" and p.node is not None and self._key(p.node) == key
            ]
            tests = [truth for truth in (_truth_of(v) for v in found) if truth is not None]
        if tests:
            return statement.truth in tests, f"{statement.subject} is {'true' if tests[-1] else 'false'} there"
        lines = self._vocabulary.expressions.get(key or "", set())
        name = statement.subject.isidentifier()
        if lines and not name and statement.place.line and statement.place.when == "at" and visit.line not in lines:
            return False, f"line {visit.line} does not test {statement.subject}"
        values = self._worked_out(key, visit, statement.place.when) if key is not None else []
        truths = [truth for truth in map(_truth_of, values) if truth is not None]
        if not truths:
            return None, f"{statement.subject} is not tested there"
        return statement.truth in truths, f"{statement.subject} is {'true' if truths[0] else 'false'} there"

    def _branch(self, statement: Statement, visit: Visit) -> Verdict:
        truth = visit.truth
        if truth is None and isinstance(visit.node, ast.If):
            return None, "its condition was not reached"
        if truth is None:
            return False, f"line {visit.line} does not branch"
        return truth == statement.truth, f"the branch at line {visit.line} is {'' if truth else 'not '}taken"

    def _order(self, statement: Statement, visit: Visit) -> Verdict:
        found = self.following(visit)
        wanted = self._run.statement_line(statement.target) or statement.target
        if not found:
            return False, f"nothing runs after line {visit.line}"
        return wanted in found, f"line {visit.line} is followed by line {found[0]}"

    def following(self, visit: Visit) -> list[int]:
        """Lines that may be said to run next: the next one, the next other one, the next of the same function."""
        found: list[int] = []
        later = self._run.visits[visit.index + 1 : visit.index + 2000]
        frame = visit.first.step.frame
        for candidates in (
            (v for v in later if v.kind != "call"),
            (v for v in later if v.first.step.frame == frame and v.line != visit.line),
            (v for v in later if v.line != visit.line),
            (v for v in later),
            (v for v in later if v.first.step.frame == frame),
        ):
            line = next((v.line for v in candidates), None)
            if line is not None and line not in found:
                found.append(line)
        return found

    def _runs(self, _statement: Statement, _visit: Visit) -> Verdict:
        return True, ""

    def _round(self, _statement: Statement, _visit: Visit) -> Verdict:
        return True, ""

    # -- loops (a `Loop`, not a visit, is what these are about)

    def count(self, statement: Statement, loop: Loop) -> Verdict:
        """How often a loop's body runs."""
        tested = loop.count + loop.over if statement.tests else loop.count
        right = _SIGNS[statement.compare](tested, statement.number)
        what = "is tested" if statement.tests else "runs"
        return _denied((right, f"the loop at line {loop.line} {what} {tested} times"), statement)

    def ends(self, statement: Statement, loop: Loop) -> Verdict:
        """That a loop ends."""
        return _denied((loop.over, f"the loop at line {loop.line} does not end there"), statement)

    # -- calls and how the run ends

    def _returns(self, statement: Statement, visit: Visit) -> Verdict:
        step = visit.last.step
        given = next((m.gives for m in visit.moments if m.gives is not None), None) or step.returned
        if given is None:
            return False, f"line {visit.line} does not return"
        if statement.value is None:
            return True, ""
        own = not statement.subject or statement.subject == step.function
        return own and given == statement.value, f"{step.function} returns {given.display()} at line {visit.line}"

    def _whole_returns(self, statement: Statement) -> Verdict:
        outcome = self._trace.outcome
        entry = self._run.visits[0].first.step.function if self._run.visits else ""
        if statement.subject and statement.subject != entry:
            given = self._returned(statement.subject)
            if not given:
                return None, f"{statement.subject} does not return in this run"
            return statement.value in given, f"{statement.subject} returns {given[-1].display()}"
        if outcome.value is None:
            return False, f"the call does not return: {outcome.exception or outcome.status}"
        if statement.value is None:
            return True, f"it returns {outcome.value.display()}"
        if statement.compare != "==":
            return self._compare(statement, [outcome.value], f"the call returns {outcome.value.display()}")
        inner = self._returned(statement.subject) if statement.subject else []
        return statement.value in [outcome.value, *inner], f"the call returns {outcome.value.display()}"

    def _returned(self, function: str) -> list[Value]:
        return [
            m.gives for v in self._run.visits for m in v.moments if m.gives is not None and m.step.function == function
        ]

    def _raises(self, statement: Statement, visit: Visit) -> Verdict:
        raised = next((m.raised for m in visit.moments if m.raised is not None), None)
        if raised is None:
            return False, f"line {visit.line} raises nothing"
        return self._same_exception(statement, raised), f"{raised.display()} is raised at line {visit.line}"

    def _same_exception(self, statement: Statement, raised: Value) -> bool:
        if statement.subject and raised.type_name.rpartition(".")[2] != statement.subject:
            return False
        message = statement.value
        first = raised.children()[:1]
        if message is None or not first or message in first:
            return True
        shown = {first[0].display(), _text_of(first[0])}
        return bool(_texts(message) & shown)

    def _whole_raises(self, statement: Statement) -> Verdict:
        raised = self._trace.outcome.exception
        if raised is None:
            value = self._trace.outcome.value
            told = f"it returns {value.display()}" if value is not None else self._trace.outcome.status
            seen = [m.raised for v in self._run.visits for m in v.moments if m.raised is not None]
            inner = statement.subject and any(self._same_exception(statement, r) for r in seen)
            return bool(inner), f"nothing is raised: {told}"
        right = not statement.subject or raised.type.rpartition(".")[2] == statement.subject
        message = statement.value
        if right and message is not None:
            right = raised.message in _texts(message) or message.display() == raised.message
            right = right or (raised.value is not None and message in raised.value.children()[:1])
        return right, f"it raises {raised}"

    def _caught(self, statement: Statement, visit: Visit) -> Verdict:
        caught = [m.step.caught for m in visit.moments if m.step.caught is not None]
        return any(self._same_exception(statement, c) for c in caught), f"line {visit.line} catches nothing like it"

    def _whole_caught(self, statement: Statement) -> Verdict:
        caught = [m.step.caught for v in self._run.visits for m in v.moments if m.step.caught is not None]
        return any(self._same_exception(statement, c) for c in caught), "it is not caught"

    def _prints(self, statement: Statement, visit: Visit) -> Verdict:
        printed = _printed([m.step for m in visit.moments])
        if statement.value is None:
            return bool(printed), f"{printed!r} is printed"
        return _same_text(statement, printed), f"line {visit.line} prints {printed!r}"

    def _whole_prints(self, statement: Statement) -> Verdict:
        outcome = self._trace.outcome
        if statement.value is None:
            return bool(outcome.stdout), f"{outcome.stdout!r} is printed"
        pieces = [
            outcome.stdout,
            *outcome.stdout.splitlines(),
            *(_printed([m.step for m in v.moments]) for v in self._run.visits),
        ]
        right = any(_same_text(statement, piece) for piece in pieces if piece or not outcome.stdout)
        return right and bool(
            outcome.stdout
        ), f"it prints {outcome.stdout!r}" if outcome.stdout else "it prints nothing"

    def _whole_gives(self, statement: Statement) -> Verdict:
        """The output: what is returned, or what is printed."""
        right, actual = self._whole_returns(statement)
        if not right and self._trace.outcome.stdout and self._whole_prints(statement)[0]:
            return True, ""
        return right, actual

    def _whole_call(self, statement: Statement) -> Verdict:
        results = self._results(statement)
        if not results:
            return None, "no such call is made"
        return statement.value in results, f"it gives {results[-1].display()}"

    def _whole_called(self, statement: Statement) -> Verdict:
        calls = [v for v in self._run.visits if v.kind == "call" and v.first.step.function == statement.subject]
        right = any(
            _given(v)[: len(statement.arguments)] == list(statement.arguments)
            or _given(v) == _spread(statement.arguments)
            for v in calls
        )
        told = [value.display() for value in _given(calls[0])] if calls else []
        return (
            right,
            f"{statement.subject} is called with {', '.join(told)}" if calls else f"{statement.subject} is not called",
        )

    def _whole_calls(self, statement: Statement) -> Verdict:
        count = sum(v.kind == "call" and v.first.step.function == statement.subject for v in self._run.visits)
        return _SIGNS[statement.compare](count, statement.number), f"{statement.subject} is called {count} times"

    def _results(self, statement: Statement) -> list[Value]:
        """What calls like this one gave, in this run."""
        trace, key = self._trace, normal(statement.subject)
        results: list[Value] = []
        arguments = list(statement.arguments)
        name = statement.subject
        if not name.isidentifier():
            if key == normal(trace.invocation.text) and trace.outcome.value is not None:
                results.append(trace.outcome.value)
            found = self._literal_call(name)
            for visit in self._run.visits:
                results += [
                    p.value
                    for p in visit.parts()
                    if p.kind == "e"
                    and p.value is not None
                    and p.node is not None
                    and isinstance(p.node, ast.Call)
                    and self._key(p.node) == key
                ]
            if found is None:
                return results
            name, arguments = found
        for visit in self._run.visits:
            step = visit.first.step
            if (
                visit.kind == "call"
                and step.function == name
                and _given(visit) in (arguments, _spread(tuple(arguments)))
            ):
                end = next(
                    (
                        m.gives
                        for v in self._run.visits[visit.index :]
                        for m in v.moments
                        if m.step.frame == step.frame and m.gives is not None
                    ),
                    None,
                )
                results += [end] if end is not None else []
        return results

    def _literal_call(self, code: str) -> tuple[str, list[Value]] | None:
        """Function and arguments of a call over literals, by position."""
        try:
            node = ast.parse(code.strip(), mode="eval").body
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
                return None
            given = [Value.of(ast.literal_eval(a)) for a in [*node.args, *(k.value for k in node.keywords)]]
        except (ValueError, SyntaxError, TypeError, TooLarge, RecursionError, MemoryError):
            return None
        return node.func.id, given


def _is_name(node: ast.AST | None, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name


def _denied(verdict: Verdict, statement: Statement) -> Verdict:
    right, actual = verdict
    return (not right if statement.negated and right is not None else right), actual


def _variable(visit: Visit, name: str, when: str) -> Value | None:
    """A variable's value around a visit, in its function or in one that waits for it."""
    value = visit.before(name) if when == "before" else visit.after(name)
    return (
        value if value is not None else next((v for v in (b.after(name) for b in visit.beneath) if v is not None), None)
    )


def _assigns(visit: Visit, name: str) -> bool:
    """Whether a visit changes a variable or gives it the value that it has."""
    if any(change.name == name for m in visit.moments for change in m.step.changes):
        return True
    node = visit.node
    if isinstance(node, (ast.If, ast.While, ast.Try, ast.With, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return False
    heads = [node.target] if isinstance(node, (ast.For, ast.AsyncFor)) else [node]
    return any(
        isinstance(n, ast.Name) and n.id == name and isinstance(n.ctx, ast.Store) for h in heads for n in ast.walk(h)
    )


def _given(visit: Visit) -> list[Value]:
    """The arguments that a call bound, by position."""
    arguments = getattr(visit.node, "args", None)
    if not isinstance(arguments, ast.arguments):
        return []
    names = [a.arg for a in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)]
    bound = {c.name: c.new for c in visit.first.step.changes if c.scope == "local" and c.new is not None}
    extra = bound.get(arguments.vararg.arg) if arguments.vararg is not None else None
    given = [value for value in map(bound.get, names) if value is not None]
    return given + (extra.children() if extra is not None else [])


def _spread(arguments: tuple[Value, ...]) -> list[Value]:
    """One tuple of arguments as its members."""
    if len(arguments) == 1 and arguments[0].base == "tuple":
        return arguments[0].children()
    return list(arguments)


def _truth_of(value: Value | None) -> bool | None:
    if value is None:
        return None
    if type(value.ref) is bool:
        return value.ref
    try:
        return bool(value.to_python())
    except (NotLiteral, TypeError):
        return None


def _printed(steps: list[Step]) -> str:
    return "".join(p.text for s in steps for p in s.parts if p.kind == "o")


def _text_of(value: Value) -> str:
    plain = value.to_python() if value.kind == "str" else value.display()
    return str(plain)


def _texts(value: Value) -> set[str]:
    """What a value says as text: the text itself, and what it quotes where the quotes are in the text."""
    text = _text_of(value)
    inner = literal(text) if value.kind == "str" and text[:1] in ("'", '"') else None
    return {text} if inner is None or inner.kind != "str" else {text, _text_of(inner)}


def _same_text(statement: Statement, printed: str) -> bool:
    said = [v for v in (statement.value, statement.old) if v is not None]
    return any(text.rstrip("\n") == printed.rstrip("\n") for v in said for text in _texts(v))


def _told(value: Value | None) -> str:
    return "not bound" if value is None else value.display(200)

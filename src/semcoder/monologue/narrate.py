"""From moments to facts: what is said of each step, in the order in which it happened.

Guarantees: every fact is taken from the trace; every step that begins or tests a statement gets at least one fact.
What is said is chosen for a reader: at `line` detail values that the effect of the statement already states, values
inside comprehensions and opaque values are left out; at `expression` detail every evaluated sub-expression is stated.
It does not shorten values.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Sequence

from semcoder.core import Detail, Value
from semcoder.monologue.sentences import Fact
from semcoder.monologue.story import Moment, Story
from semcoder.tracing import Change, Part, Step

#: The longest text of a variable's value that is repeated only to give the reason for a condition.
_REMINDER = 60
_DISPLAYS = (ast.List, ast.Tuple, ast.Set, ast.Dict, ast.Attribute)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp, ast.Lambda)


def facts_of(story: Story, moment: Moment, detail: Detail) -> list[Fact]:
    """The facts of one moment; empty only for the rest of a statement in which nothing more happened."""
    return _Narrator(story, moment, detail).facts()


def case_text(story: Story, case: ast.match_case) -> str:
    """A case as the source writes it, its guard included."""
    pattern = story.text(case.pattern)
    return pattern if case.guard is None else f"{pattern} if {story.text(case.guard)}"


class _Narrator:
    def __init__(self, story: Story, moment: Moment, detail: Detail) -> None:
        self._story = story
        self._moment = moment
        self._step: Step = moment.step
        self._every = detail == "expression"

    def facts(self) -> list[Fact]:
        step, node = self._step, self._step.node
        if step.kind == "call":
            facts = self._call()
        elif step.kind == "iteration":
            facts = [Fact("iteration", (str(step.count),)), *self._parts(), *self._changes()]
            facts += self._stays([node.target]) if isinstance(node, (ast.For, ast.AsyncFor)) else []
        elif step.kind == "draw":
            facts = [Fact("draws", (str(step.count),)), *self._parts(), *self._changes()]
        elif step.kind == "exhausted":
            facts = [Fact("loop_ends", (str(step.count),)), *self._changes()]
        elif step.kind == "catch":
            facts = self._caught()
        else:
            method: Callable[[], list[Fact]] = getattr(self, "_" + type(node).__name__, self._plain)
            facts = method()
        facts += self._ending()
        callee = self._story.callee(step)
        if callee is not None and (step.kind != "resume" or facts):
            facts.append(Fact("hands_over", (callee,)))
        if not facts and step.kind != "resume":
            facts = [Fact("unchanged")]
        return facts

    # -- pieces

    def _say(self, value: Value) -> str:
        return value.display()

    def _parts(self, *, root: ast.AST | None = None) -> list[Fact]:
        """What was evaluated, printed, matched or yielded; the value of `root` is left to the effect."""
        hidden = set() if self._every else self._hidden()
        facts: list[Fact] = []
        printed: list[str] = []
        for part in self._step.parts:
            if part.kind == "o":
                printed.append(part.text)
            elif id(part.node) not in hidden:
                facts.extend(self._part(part, root))
        if printed:
            facts.append(Fact("prints", (repr("".join(printed)),)))
        return facts

    def _hidden(self) -> set[int]:
        """Nodes inside comprehensions and lambdas of this step: too many values to tell at line detail."""
        hidden: set[int] = set()
        for node in ast.walk(self._step.node) if not isinstance(self._step.node, _BLOCKS) else self._head():
            if isinstance(node, _COMPREHENSIONS):
                hidden.update(id(inner) for inner in ast.walk(node) if inner is not node)
        return hidden

    def _head(self) -> Iterator[ast.AST]:
        """Nodes of a compound statement's own expressions, without its blocks."""
        for name, field in ast.iter_fields(self._step.node):
            parts = field if isinstance(field, list) else [field]
            if name not in ("body", "orelse", "finalbody", "handlers"):
                for part in parts:
                    if isinstance(part, ast.match_case):
                        yield from ast.walk(part.guard) if part.guard is not None else ()
                    elif isinstance(part, ast.AST):
                        yield from ast.walk(part)

    def _part(self, part: Part, root: ast.AST | None) -> Iterator[Fact]:
        node, value = part.node, part.value
        if part.kind == "k" and isinstance(node, ast.match_case):
            yield Fact("case", (case_text(self._story, node),))
        elif part.kind == "y" and value is not None:
            waits = isinstance(node, ast.Await)
            inner = self._story.text(node.value) if waits and isinstance(node, ast.Await) else self._say(value)
            yield Fact("awaits" if waits else "yields", (self._step.function, inner))
        elif part.kind == "m" and value is not None and self._every:
            yield Fact("item", (self._say(value),))
        elif part.kind == "t" and node is not getattr(self._step.node, "test", None) and node is not None:
            yield Fact("condition", (self._story.text(node), "true" if part.truth else "false"))
        elif part.kind == "e" and node is not None and value is not None and self._worth(node, value, root):
            yield Fact("value", (self._story.text(node), self._say(value)))

    def _worth(self, node: ast.AST, value: Value, root: ast.AST | None) -> bool:
        if self._every:
            return True
        if node is root or isinstance(node, _DISPLAYS) or value.base == "opaque":
            return False
        if isinstance(node, (ast.Yield, ast.YieldFrom, ast.Await)) and value.ref is None:
            return False
        return not (node is getattr(self._step.node, "value", None) and value.ref is None)

    def _changes(self, *, updates: bool = False) -> list[Fact]:
        """What each changed variable is now, and what it was where the object changed in place or was updated."""
        return [fact for change in self._step.changes for fact in self._change(change, updates)]

    def _change(self, change: Change, updates: bool) -> Iterator[Fact]:
        prefix = "global_" if change.scope == "global" else ""
        if change.new is None:
            if isinstance(self._step.node, ast.Delete):
                yield Fact("unbound", (change.name,))
        elif change.old is not None and (updates or change.old.oid == change.new.oid is not None):
            yield Fact(prefix + "changes", (change.name, self._say(change.old), self._say(change.new)))
        elif prefix and change.old is None:
            yield Fact("global", (change.name, self._say(change.new)))
        else:
            yield Fact(prefix + "becomes", (change.name, self._say(change.new)))

    def _stays(self, targets: Sequence[ast.expr]) -> list[Fact]:
        """Names that were assigned the value they already had."""
        changed = {change.name for change in self._step.changes}
        names = [n.id for t in targets for n in ast.walk(t) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)]
        facts = []
        for name in names:
            value = self._moment.before(name)
            if name not in changed and value is not None:
                facts.append(Fact("stays", (name, self._say(value))))
        return facts

    def _reminders(self, test: ast.AST) -> list[Fact]:
        """Values of the variables that a condition mentions."""
        facts: dict[str, Fact] = {}
        bound = {n.target.id for n in ast.walk(test) if isinstance(n, ast.NamedExpr) and isinstance(n.target, ast.Name)}
        hidden = {id(i) for n in ast.walk(test) if isinstance(n, _COMPREHENSIONS) for i in ast.walk(n)}
        called = {id(n.func) for n in ast.walk(test) if isinstance(n, ast.Call)}
        for node in ast.walk(test):
            if isinstance(node, ast.Name) and node.id not in bound and id(node) not in hidden | called:
                value = self._moment.before(node.id)
                if value is not None and value.base != "opaque" and len(value.display()) <= _REMINDER:
                    facts.setdefault(node.id, Fact("value", (node.id, self._say(value))))
        return list(facts.values())

    def _condition(self, test: ast.expr) -> list[Fact]:
        """Reasons for a condition and its truth; nothing if it was not reached."""
        truth = self._step.truth
        reminders = self._reminders(test) if self._step.kind != "resume" else []
        root = self._step.value_of(test)
        facts = reminders + self._parts(root=test if root is not None and root.kind == "bool" else None)
        if truth is not None:
            facts += [*self._changes(), Fact("condition", (self._story.text(test), "true" if truth else "false"))]
        return facts

    def _ending(self) -> list[Fact]:
        """How the step left its frame, if it did: a value, an exception, the end of the body."""
        step, facts = self._step, []
        if step.returned is not None and self._moment.gives is None:
            facts.append(Fact("set_to_return", (step.function, self._say(step.returned))))
        elif self._moment.gives is not None:
            explicit = isinstance(step.node, ast.Return) or step.returned is None
            facts.append(Fact("returns" if explicit else "ends", (step.function, self._say(self._moment.gives))))
        if self._moment.raised is not None:
            facts.append(Fact("raises", (self._say(self._moment.raised),)))
        if step.raised is not None and step.function != "<module>":
            facts.append(Fact("left", (step.function,)))
        return facts

    # -- kinds of steps

    def _call(self) -> list[Fact]:
        step = self._step
        if isinstance(step.node, ast.Module):
            return [Fact("program")]
        given = [c for c in step.changes if c.scope == "local" and c.new is not None]
        slots = [text for c in given for text in (c.name, self._say(c.new))] if given else []  # type: ignore[arg-type]
        facts = [Fact("called", (step.function, *slots)) if slots else Fact("called_bare", (step.function,))]
        return facts + [f for c in step.changes if c.scope == "global" for f in self._change(c, False)]

    def _caught(self) -> list[Fact]:
        handler, caught = self._step.node, self._step.caught
        text = self._say(caught) if caught is not None else ""
        name = getattr(handler, "name", None)
        fact = Fact("caught_as", (text, name)) if name else Fact("caught", (text,))
        changes = [f for c in self._step.changes if c.name != name for f in self._change(c, False)]
        return [fact, *changes]

    def _plain(self) -> list[Fact]:
        return [*self._parts(), *self._changes()]

    def _Assign(self) -> list[Fact]:
        node = self._step.node
        assert isinstance(node, (ast.Assign, ast.AnnAssign))
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        single = len(targets) == 1 and isinstance(targets[0], ast.Name)
        facts = [*self._parts(root=node.value if single else None), *self._changes()]
        if self._done():
            facts += self._stays(targets)
        return facts

    _AnnAssign = _Assign

    def _finished(self) -> bool:
        """Whether the statement ran to its end in this step, rather than handing over to a call or being cut off."""
        last = self._step.index + 1 == len(self._story.trace.steps) and self._story.trace.truncated
        return not last and self._story.callee(self._step) is None

    def _done(self) -> bool:
        """Whether what the statement does at its beginning was done in this step: it neither raised nor handed over."""
        return self._moment.raised is None and self._finished()

    def _AugAssign(self) -> list[Fact]:
        node = self._step.node
        assert isinstance(node, ast.AugAssign)
        facts = [*self._parts(), *self._changes(updates=True)]
        return facts + (self._stays([node.target]) if self._done() else [])

    def _Return(self) -> list[Fact]:
        node = self._step.node
        assert isinstance(node, ast.Return)
        return [*self._parts(root=node.value if self._step.returned is not None else None), *self._changes()]

    def _If(self) -> list[Fact]:
        node = self._step.node
        assert isinstance(node, ast.If)
        facts = self._condition(node.test)
        truth = self._step.truth
        if isinstance(node.test, ast.Constant):
            truth = bool(node.test.value)
        if truth is None:
            return facts
        if truth:
            return [*facts, Fact("if_true")]
        return [*facts, Fact("if_elif" if self._story.is_elif(node) else "if_else" if node.orelse else "if_skip")]

    def _While(self) -> list[Fact]:
        node = self._step.node
        assert isinstance(node, ast.While)
        if isinstance(node.test, ast.Constant):
            return [Fact("iteration", (str(self._step.count),))] if node.test.value else [Fact("loop_ends", ("0",))]
        facts = self._condition(node.test)
        if self._step.truth is None:
            return facts
        if self._step.truth:
            return [*facts, Fact("iteration", (str(self._step.count),))]
        return [*facts, Fact("loop_ends", (str(self._step.count - 1),))]

    def _For(self) -> list[Fact]:
        node = self._step.node
        assert isinstance(node, (ast.For, ast.AsyncFor))
        facts = [*self._parts(), *self._changes()]
        return [*facts, Fact("loop", (self._story.text(node.iter),))] if self._done() else facts

    _AsyncFor = _For

    def _Assert(self) -> list[Fact]:
        node = self._step.node
        assert isinstance(node, ast.Assert)
        facts = self._condition(node.test)
        return facts if self._step.truth is None else [*facts, Fact("holds" if self._step.truth else "fails")]

    def _fixed(self, fact: Fact) -> list[Fact]:
        return [*self._parts(), *([fact] if self._done() else []), *self._changes()]

    def _Break(self) -> list[Fact]:
        return self._fixed(Fact("break"))

    def _Continue(self) -> list[Fact]:
        return self._fixed(Fact("continue"))

    def _Pass(self) -> list[Fact]:
        return self._fixed(Fact("pass"))

    def _Try(self) -> list[Fact]:
        return self._fixed(Fact("try"))

    _TryStar = _Try

    def _With(self) -> list[Fact]:
        return self._fixed(Fact("with"))

    _AsyncWith = _With

    def _FunctionDef(self) -> list[Fact]:
        return self._fixed(Fact("defines", (str(getattr(self._step.node, "name", "")),)))

    _AsyncFunctionDef = _ClassDef = _FunctionDef

    def _Import(self) -> list[Fact]:
        node = self._step.node
        assert isinstance(node, (ast.Import, ast.ImportFrom))
        return [Fact("imports", (a.asname or a.name,)) for a in node.names] if self._done() else self._parts()

    _ImportFrom = _Import

    def _Expr(self) -> list[Fact]:
        node = self._step.node
        assert isinstance(node, ast.Expr)
        facts = [*self._parts(), *self._changes()]
        if not facts and self._step.kind == "statement" and self._done():
            facts = [Fact("evaluated", (self._story.text(node.value),))]
        return facts


_BLOCKS = (ast.If, ast.While, ast.For, ast.AsyncFor, ast.With, ast.AsyncWith, ast.Try, ast.Match, ast.FunctionDef,
           ast.AsyncFunctionDef, ast.ClassDef, ast.Module, ast.TryStar)  # fmt: skip

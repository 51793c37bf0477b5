"""The built-in model's run in our own English: the forward style, at `expression` detail, from what its tokens say.

The function's syntax tree is walked in the order in which `flatten` made instructions of it; what each evaluation
gives, which way each condition goes and what every variable becomes is read from the tokens alone. That makes the steps
that a recorded execution would have, and `semcoder.monologue` narrates them like any other.

Guarantees: nothing is executed or looked up; a sentence is given out with the first token after its statement's steps;
where tokens are no step of what runs next, telling stops with what was told so far and, if they say one further on, the
result. Told from a true run, every claim holds, and the text is that of `semcoder explain`, but for what the language
leaves out: an exception's message, an object's change by a call whose value is returned, what lazy iterators do while a
loop draws on them, and that a set inside another value is a frozen one.
"""

from __future__ import annotations

import ast
import builtins
import dataclasses
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

from semcoder.core import Invocation, NotLiteral, Outcome, TooLarge, Value
from semcoder.core.records import Raised
from semcoder.monologue.forward import called_function, closing_facts
from semcoder.monologue.narrate import facts_of
from semcoder.monologue.purpose import purpose_of
from semcoder.monologue.sentences import Fact, write_clause, write_sentence
from semcoder.monologue.story import History, Moment, Story
from semcoder.nano.flatten import RETURN, TYPES, Flat, Instruction, _key, _literal, _side_by_side
from semcoder.nano.notation import CLASS_METHODS, VARIABLES, Unreadable, Unsupported, read
from semcoder.nano.objects import Objects
from semcoder.nano.reading import Malformed, Reader, Said
from semcoder.tracing import Change, Part, Step, Trace
from semcoder.tracing.instrument import is_silent
from semcoder.tracing.recorder import same_ref
from semcoder.tracing.trace import StepKind

#: Calls that take all that an iterator gives, at once.
_EXHAUSTING: Final = frozenset(
    {"list", "tuple", "set", "frozenset", "sorted", "sum", "max", "min", "dict", "join", "extend", "update"}
)
_ITERATORS: Final = frozenset({"enumerate", "zip", "reversed"})
#: Operations whose result may be one of their operands, or a part of one.
_SELECTING: Final = frozenset({"get", "pop", "popitem", "setdefault", "max", "min"})
_IN_PLACE: Final = frozenset({"setitem", "setslice", "delitem", "delslice"})
_VIEWS: Final = frozenset({"keys", "values", "items"})
#: Ends the tokens of an answer that was cut, so that its last value is not taken for a whole one.
CUT: Final = "<cut>"
_LOOKS: Final = frozenset({"iter", "walk", "goto", "try", "delname", "put"})

Made = Callable[[Any, Sequence[Any]], Any]


class _Left(Exception):
    """Control leaves a block."""


class _Break(_Left):
    """Out of a loop."""


class _Continue(_Left):
    """On to the next pass."""


class _Returned(_Left):
    """Out of the function."""


class _Found(_Left):
    """Out of `any` or `all`."""


class _Raises(_Left):
    """An exception is said to be raised; the argument is its type's name."""


def call_arguments(flat: Flat, call: str) -> list[Any]:
    """The values of a function's parameters in a call over literals, as far as the call gives them, in order.

    Raises `Unsupported` for other calls.
    """
    node = ast.parse(call.strip(), mode="eval").body
    if not isinstance(node, ast.Call) or any(isinstance(each, ast.Starred) for each in node.args):
        raise Unsupported("a call with starred arguments")
    try:
        given = [_argument(each) for each in node.args]
        named = {each.arg: _argument(each.value) for each in node.keywords}
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError) as error:
        raise Unsupported("arguments that are no literals") from error
    first_default = flat.params - len(flat.defaults)
    for place in range(len(given), flat.params):
        if flat.names[place] in named:
            given.append(named.pop(flat.names[place]))
        elif place >= first_default and named:
            given.append(flat.defaults[place - first_default])
        elif place < first_default:
            raise Unsupported("a call without all arguments")
    if named or len(given) > flat.params:
        raise Unsupported("a call with other arguments than the function's parameters")
    return given


def _argument(node: ast.expr) -> Any:
    """A literal's value, or that of a builtin container made of literals: `set('ab')`, `dict(a=1)`."""
    makers: dict[str, Callable[..., Any]] = {"dict": dict, "list": list, "set": set, "tuple": tuple}
    maker = makers.get(node.func.id) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) else None
    if maker is None or not isinstance(node, ast.Call) or any(word.arg is None for word in node.keywords):
        return ast.literal_eval(node)
    given = [ast.literal_eval(each) for each in node.args]
    return maker(*given, **{str(word.arg): ast.literal_eval(word.value) for word in node.keywords})


class Telling:
    """One run, told. Iterate over it once; then `answer` is the result's literal text (None: none was said, or it has
    none), `raised` the type of the exception that ended it, `fault` why the telling stopped early (empty: it did not),
    `is_cut` whether the tokens ended with `CUT`.

    `source`: the program's text, which `flat` was made from; its lines are those that sentences name. Raises
    `Unsupported` for a call that is not over literals.
    """

    def __init__(self, flat: Flat, source: str, call: str, tokens: Iterable[str]) -> None:
        self.answer: str | None = None
        self.raised = ""
        self.fault = ""
        self.is_cut = False
        self._code = flat.code
        self._flat = flat
        self._reader = Reader(tokens)
        self._trace = Trace(source, Invocation(call), Outcome("exited"), "", (), (), (), ())
        self._story = Story(self._trace)
        self._function = next(each for each in self._trace.tree.body if isinstance(each, ast.FunctionDef))
        self._order = _variables(self._trace.tree, self._function.name)
        self._objects = Objects()
        self._passed = call_arguments(flat, call)
        self._pc = 0
        self._label, self._last = 0, flat.code[0]
        #: Parameters of the lambdas around what is evaluated; None outside of comprehensions and lambdas.
        self._own: list[str] | None = None
        self._step = Step(0, "call", 0, 0, self._function.name, self._function)
        self._is_told = True
        self._steps = 0
        self._history = History()
        self._names: dict[str, int] = {}
        self._known: dict[str, Value] = {}
        self._sources: dict[int, Callable[[int], Any]] = {}
        self._deferred: list[Part] = []
        self._exception: Value | None = None
        self._result: Any = None
        self._gives: Value | None = None

    def __iter__(self) -> Iterator[str]:
        try:
            yield from purpose_of(self._trace.tree, called_function(self._trace))
            yield write_clause(Fact("call", (self._trace.invocation.text.strip(),))) + "."
            yield from self._run()
        except (Malformed, TooLarge) as error:
            self.fault = str(error)
            self._reader.drain()
            self.is_cut = self._reader.tokens[-1:] == [CUT]
        yield from self._closing()

    def _run(self) -> Iterator[str]:
        """The function from its call to its end."""
        given = [
            *self._passed,
            *self._flat.defaults[len(self._flat.defaults) - self._flat.params + len(self._passed) :],
        ]
        yield from self._begin("call", self._function)
        for place, value in enumerate(given[: self._flat.params]):
            self._objects.held[place] = self._objects.constant(value)
            self._names[self._flat.names[place]] = place
        yield from self._finish()
        try:
            yield from self._block(self._function.body)
            self._take("move")
        except _Raises as error:
            self.raised = str(error)
            self._step.raised = self._exception
        except _Returned:
            pass
        if not self.raised:
            self._gives = self._step.returned = self._objects.value(self._result)
        self._step.ends_frame = True
        self._step.changes += self._changes()
        yield from self._tell()

    def _closing(self) -> Iterator[str]:
        """How the call ended, if that was said."""
        if self.raised:
            outcome = Outcome("raised", exception=Raised(self.raised, ""))
        elif self._gives is not None or self.fault:
            value = self._gives or self._stated()
            if value is None:
                return
            outcome = Outcome("returned", value)
            try:
                self.answer = value.literal()
            except NotLiteral:
                pass
        else:
            return
        for fact in closing_facts(dataclasses.replace(self._trace, outcome=outcome)):
            yield write_clause(fact) + "."

    def _stated(self) -> Value | None:
        """The last value that is said to be returned, wherever that stands."""
        tokens = self._reader.tokens
        if "return" not in tokens:
            return None
        try:
            return self._objects.value(read(tokens[len(tokens) - tokens[::-1].index("return") :]))
        except Unreadable:
            return None

    # -- steps of the text

    def _begin(self, kind: StepKind, node: ast.AST, count: int = 0) -> Iterator[str]:
        yield from self._tell()
        self._step = Step(self._steps, kind, 0, 0, self._function.name, node, count)
        self._steps += 1
        self._is_told = False

    def _finish(self) -> Iterator[str]:
        """The step is over. It is told at once, unless the function may end in it."""
        self._step.changes += self._changes()
        at = self._pc
        while 0 <= at < len(self._code) and self._code[at].op == "goto":
            at = self._code[at].jump
        if at != len(self._code) - 1 or not isinstance(self._code[at].node, ast.FunctionDef):
            yield from self._tell()

    def _tell(self) -> Iterator[str]:
        if not self._is_told:
            self._is_told = True
            moment = Moment(self._step, self._exception, self._gives, self._history)
            yield write_sentence(self._step.line, facts_of(self._story, moment, "expression"))
            self._exception = None

    def _changes(self) -> list[Change]:
        """What changed among the variables since the last look."""
        found = []
        for name in self._order:
            old = self._known.get(name)
            new = self._objects.value(self._objects.held[self._names[name]]) if name in self._names else None
            if (old is None) == (new is None) and (old is None or new is None or same_ref(old.ref, new.ref)):
                continue
            found.append(Change(name, old, new))
            self._history.add(0, name, self._step.index, new)
            if new is None:
                del self._known[name]
            else:
                self._known[name] = new
        return found

    def _say(self, node: ast.expr, thing: Any) -> None:
        self._step.parts.append(Part("e", node, self._objects.value(thing), 0))

    @contextmanager
    def _aside(self) -> Iterator[list[Part]]:
        """Parts of the step are gathered in a list of their own."""
        parts, self._step.parts = self._step.parts, []
        gathered = self._step.parts
        try:
            yield gathered
        finally:
            self._step.parts = parts

    # -- steps of the tokens

    def _read(self, *ops: str) -> Said:
        """The step of the instruction that runs next, which must be of this kind; nothing is stored."""
        if not 0 <= self._pc < len(self._code) or self._code[self._pc].op not in ops:
            raise Malformed(f"no instruction of the kind {' or '.join(ops)} runs here")
        self._label, self._last = self._pc, self._code[self._pc]
        one = self._last
        said = self._reader.step(self._pc, one)
        self._pc = one.handler if said.raised else _following(one, self._pc, said)
        if said.raised:
            self._exception = _exception(said.raised)
        return said

    def _take(self, *ops: str, made: Made = lambda said, given: said) -> Any:
        """What the next step gives, which is stored where its instruction says. `made`: what stands for a stated value,
        given the operands. Raises `_Raises` where the step says so."""
        said = self._checked(*ops)
        one, given = self._last, self._operands()
        in_place = one.op == "augmented" and self._is_in_place(one, said.marks)
        result, stated = (None, list(said.marks)) if in_place else self._split(one, said)
        try:
            thing = made(self._objects.adopted(result, self._candidates(one, given)), given)
        except (TypeError, ValueError) as error:
            raise Malformed(f"a value that {one.name} does not give") from error
        parted = self._objects.change(stated, self._names.values(), given[1:])
        for name in [name for name, variable in self._names.items() if variable in parted]:
            self._known[name] = self._objects.value(self._objects.held[self._names[name]])
        if one.op == "setitem":
            self._objects.put(*given)
        if in_place:
            thing = given[0]
        elif one.target == RETURN:
            self._result = thing
        self._objects.held[one.target if one.target >= 0 else VARIABLES + self._label] = thing
        return thing

    def _checked(self, *ops: str) -> Said:
        """As `_read`; raises `_Raises` where the step says so."""
        said = self._read(*ops)
        if said.raised:
            raise _Raises(said.raised)
        return said

    def _operands(self) -> list[Any]:
        """What the operands of the step that was read last are; literals that can change are made afresh."""
        return [
            self._objects.constant(each.make()) if each.make is not None else self._objects.held.get(each.index)
            for each in self._last.operands
            if each is not None
        ]

    def _split(self, one: Instruction, said: Said) -> tuple[Any, list[tuple[int, Any]]]:
        """The stated result, and what is stated of objects that changed. Raises `Malformed`."""
        marks = list(said.marks)
        if one.op in _IN_PLACE or one.op in _LOOKS:
            return None, marks
        goes = one.target if one.target >= 0 else -1
        place = 0
        if one.op == "method" and one.name not in ("pop", "popitem", "setdefault"):
            if goes < 0 and not any(variable < 0 for variable, _ in marks):
                return None, marks  # a method that changes its object and gives None, which is not written
            place = next((k for k in range(len(marks) - 1, -1, -1) if marks[k][0] == goes), 0)
        if place >= len(marks) or marks[place][0] != goes:
            raise Malformed("a step without its result")
        result = marks.pop(place)[1]
        return result, marks

    def _is_in_place(self, one: Instruction, marks: Sequence[tuple[int, Any]]) -> bool:
        """Whether an augmented assignment changed the object that was there."""
        operand = one.operands[0]
        old = self._objects.held.get(operand.index) if operand is not None else None
        own = [said for variable, said in marks if variable in (-1, one.target)]
        return type(old) in (list, set, dict) and all(one.target >= 0 and type(said) is type(old) for said in own)

    def _candidates(self, one: Instruction, given: Sequence[Any]) -> Iterator[Any]:
        """Objects that a result may be."""
        if one.op == "index" and isinstance(given[0], (list, tuple, dict)):
            try:
                yield given[0][given[1]]
            except (LookupError, TypeError):
                pass
        if one.name in _SELECTING:
            for each in given:
                yield from each.values() if isinstance(each, dict) else self._objects.items(each)
        yield from (
            each for each in given if one.op in ("move", "join") or one.name in _SELECTING or type(each) is tuple
        )

    def _truth(self, op: str) -> bool:
        return self._checked(op).truth is True

    # -- statements

    def _block(self, body: Sequence[ast.stmt]) -> Iterator[str]:
        for node in body:
            if is_silent(node):
                continue
            name = type(node).__name__.lower()
            plain: Callable[[Any], None] | None = getattr(self, f"_do_{name}", None)
            if plain is None:
                yield from getattr(self, f"_on_{name}")(node)
                continue
            yield from self._begin("statement", node)
            plain(node)
            yield from self._finish()

    def _do_pass(self, node: ast.Pass) -> None:
        """Nothing happens."""

    def _do_expr(self, node: ast.Expr) -> None:
        self._expr(node.value)

    def _do_assign(self, node: ast.Assign) -> None:
        first, value = node.targets[0], node.value
        if len(node.targets) == 1 and isinstance(first, ast.Name):
            self._expr(value, stored=True)
            self._names[first.id] = self._last.target
        elif len(node.targets) == 1 and _side_by_side(first, value):
            assert isinstance(first, ast.Tuple)
            assert isinstance(value, ast.Tuple)
            held = tuple([self._held(each) for each in value.elts])
            if not _literal(value):
                self._say(value, held)
            for target in first.elts:
                self._store(target)
        else:
            self._expr(value)
            if len(node.targets) > 1 and (_literal(value) or self._is_type(value)):
                self._take("move")
            for target in node.targets:
                self._store(target)

    def _held(self, node: ast.expr) -> Any:
        thing = self._expr(node)
        is_moved = isinstance(node, ast.NamedExpr) or (isinstance(node, ast.Name) and not self._is_type(node))
        return self._take("move") if is_moved else thing

    def _is_type(self, node: ast.expr) -> bool:
        return isinstance(node, ast.Name) and node.id in TYPES and node.id not in self._flat.names

    def _store(self, target: ast.expr) -> None:
        if isinstance(target, ast.Name):
            self._take("move")
            self._bound(target.id, self._last.target)
        elif isinstance(target, ast.Subscript):
            self._expr(target.value)
            self._key(target.slice)
            self._take("setslice" if isinstance(target.slice, ast.Slice) else "setitem")
        elif isinstance(target, (ast.Tuple, ast.List)):
            said = self._checked("unpack")
            variables = [variable for variable, _ in self._last.parts]
            self._bind(variables, said, self._operands()[0])
            self._name(target.elts, variables)

    def _key(self, node: ast.expr) -> None:
        """An index, or the bounds of a slice."""
        parts = (node.lower, node.upper, node.step) if isinstance(node, ast.Slice) else (node,)
        for each in filter(None, parts):
            self._expr(each)

    def _bind(self, variables: Sequence[int], said: Said, whole: Any) -> None:
        """Variables that parts of an object were put into. Raises `Malformed`."""
        parts = self._objects.items(whole)
        if [variable for variable, _ in said.marks] != list(variables):
            raise Malformed("other variables than those that are bound here")
        for variable, value in said.marks:
            self._objects.held[variable] = self._objects.adopted(value, parts)

    def _name(self, targets: Sequence[ast.expr], variables: Sequence[int]) -> None:
        """Names that were bound to variables, and targets that are unpacked or stored into from hidden ones."""
        inner = [each.value if isinstance(each, ast.Starred) else each for each in targets]
        for target, variable in zip(inner, variables, strict=True):
            if isinstance(target, ast.Name):
                self._bound(target.id, variable)
        for target in inner:
            if not isinstance(target, ast.Name):
                self._store(target)

    def _bound(self, name: str, variable: int) -> None:
        """A name was bound; those of a comprehension are nobody else's."""
        if self._own is None:
            self._names[name] = variable

    def _do_annassign(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self._expr(node.value)
            self._store(node.target)

    def _do_augassign(self, node: ast.AugAssign) -> None:
        if isinstance(node.target, ast.Subscript):
            self._expr(node.target.value)
            self._key(node.target.slice)
            self._take("index")
        self._expr(node.value)
        self._take("augmented")
        if isinstance(node.target, ast.Subscript):
            self._take("setitem")

    def _do_delete(self, node: ast.Delete) -> None:
        for target in node.targets:
            if isinstance(target, ast.Name):
                self._take("delname")
                self._names.pop(target.id, None)
            elif isinstance(target, ast.Subscript):
                self._expr(target.value)
                self._key(target.slice)
                self._take("delslice" if isinstance(target.slice, ast.Slice) else "delitem")

    def _do_assert(self, node: ast.Assert) -> None:
        self._expr(node.test, tested=True)
        said = self._read("assert")
        if said.truth is not None:
            self._step.parts.append(Part("t", node.test, None, 0, truth=said.truth))
        if said.raised:
            raise _Raises(said.raised)

    def _on_return(self, node: ast.Return) -> Iterator[str]:
        yield from self._begin("statement", node)
        if node.value is None:
            self._take("move")
        else:
            self._expr(node.value, stored=True)
        raise _Returned

    def _on_break(self, node: ast.Break) -> Iterator[str]:
        yield from self._begin("statement", node)
        self._take("goto")
        yield from self._finish()
        raise _Break

    def _on_continue(self, node: ast.Continue) -> Iterator[str]:
        yield from self._begin("statement", node)
        self._take("goto")
        yield from self._finish()
        raise _Continue

    def _on_if(self, node: ast.If) -> Iterator[str]:
        yield from self._begin("statement", node)
        truth = self._judged(node.test)
        yield from self._finish()
        if not truth:
            yield from self._block(node.orelse)
            return
        yield from self._block(node.body)
        if node.orelse:
            self._take("goto")

    def _on_while(self, node: ast.While) -> Iterator[str]:
        always = isinstance(node.test, ast.Constant) and bool(node.test.value)
        count = 0
        while True:
            count += 1
            yield from self._begin("test", node, count)
            truth = always or self._judged(node.test)
            yield from self._finish()
            if not truth:
                break
            try:
                yield from self._block(node.body)
                self._take("goto")
            except _Break:
                return
            except _Continue:
                pass
        yield from self._block(node.orelse)

    def _on_for(self, node: ast.For) -> Iterator[str]:
        yield from self._begin("statement", node)
        self._iterated(node.iter)
        self._step.changes += self._changes()
        count = 0
        while True:
            try:
                with self._aside():
                    is_drawn = self._draw(node.target)
            except _Raises:
                if count:
                    error, self._exception = self._exception, None
                    yield from self._begin("draw", node, count + 1)
                    self._exception = error
                raise
            if not is_drawn:
                break
            count += 1
            yield from self._begin("iteration", node, count)
            yield from self._finish()
            try:
                yield from self._block(node.body)
                self._take("goto")
            except _Break:
                return
            except _Continue:
                pass
        yield from self._begin("exhausted", node, count)
        yield from self._finish()
        yield from self._block(node.orelse)

    def _on_try(self, node: ast.Try) -> Iterator[str]:
        yield from self._begin("statement", node)
        self._take("try")
        yield from self._finish()
        try:
            yield from self._block(node.body)
        except _Raises as error:
            yield from self._handled(node, error)
        else:
            yield from self._block(node.orelse)
            self._take("goto")

    def _handled(self, node: ast.Try, error: _Raises) -> Iterator[str]:
        for handler in node.handlers:
            raised = self._exception
            if isinstance(handler.type, ast.Tuple):
                kinds = [getattr(builtins, each.id) for each in handler.type.elts if isinstance(each, ast.Name)]
                self._say(handler.type, tuple(kinds))
            said = self._read("except")
            if said.truth:
                self._step.changes += self._changes()
                yield from self._begin("catch", handler)
                self._step.caught = raised
                yield from self._finish()
                yield from self._block(handler.body)
                self._take("goto")
                return
        raise error

    # -- walks

    def _iterated(self, node: ast.expr) -> None:
        """What a loop or a comprehension walks over."""
        name = node.func.id if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) else ""
        is_walk = isinstance(node, ast.Call) and name in ("range", "enumerate", "zip")
        if isinstance(node, ast.Call) and is_walk and not any(isinstance(each, ast.Starred) for each in node.args):
            for each in [*node.args, *(word.value for word in node.keywords)]:
                self._expr(each)
        else:
            is_walk = False
            self._expr(node)
        said = self._checked("walk" if is_walk else "iter")
        given = [said.shown] if name == "range" and is_walk else self._operands()
        kind = name if is_walk else ""
        self._sources[self._label] = lambda at: _element(kind, [*map(self._objects.items, given)], at)
        if is_walk:
            self._say(node, said.shown if name == "range" else self._objects.iterator(name, None, ()))

    def _draw(self, target: ast.expr, told: bool = False) -> bool:
        """Whether a walk has another element, which is bound."""
        said = self._checked("for")
        if said.ended:
            return False
        one = self._last
        (variables, single), over = one.parts, one.operands[0]
        assert over is not None
        try:
            element = self._sources[over.index - VARIABLES](said.place)
        except (LookupError, TypeError):
            element = None
        self._bind(variables, said, [element] if single else element)
        if told:
            self._step.parts.append(Part("m", None, self._objects.value(self._item(one, element)), 0))
        if isinstance(target, (ast.Tuple, ast.List)) and not single:
            self._name(target.elts, variables)
        elif isinstance(target, ast.Name):
            self._bound(target.id, variables[0])
        else:
            self._store(target)
        return True

    def _item(self, one: Instruction, element: Any) -> Any:
        """The element that a walk gave, from the variables that its parts were put into."""
        variables, single = one.parts
        bound = [self._objects.held[variable] for variable in variables]
        if single:
            return bound[0]
        parts = list(element) if isinstance(element, (list, str)) else None
        return type(element)(bound) if isinstance(element, list) else element if parts == bound else tuple(bound)

    def _loops(self, generators: Sequence[ast.comprehension], inner: Callable[[], None]) -> None:
        """The loops of a comprehension, whose first walk has begun."""
        with self._scope():
            while self._draw(generators[0].target, told=True):
                if not all(self._judged(test) for test in generators[0].ifs):
                    continue
                if len(generators) > 1:
                    self._iterated(generators[1].iter)
                    self._loops(generators[1:], inner)
                else:
                    inner()

    @contextmanager
    def _scope(self, function: ast.expr | None = None) -> Iterator[None]:
        """Inside a comprehension or a lambda, names that are bound are its own."""
        before, self._own = self._own, [*(self._own or []), *(_parameters(function))]
        try:
            yield
        finally:
            self._own = before

    # -- conditions

    def _judged(self, test: ast.expr) -> bool:
        """A condition's truth, which is told."""
        truth = self._condition(test)
        if not isinstance(test, ast.Constant):
            self._step.parts.append(Part("t", test, None, 0, truth=truth))
        return truth

    def _condition(self, test: ast.expr, op: str = "if", tested: bool = True) -> bool:
        """A condition's truth, as the jump after it says; `not` in front is part of the jump."""
        if op == "if" and isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
            truth = not self._condition(test.operand, "unless", tested)
            self._say(test, truth)
            return truth
        self._expr(test, tested=tested)
        return self._truth(op)

    # -- expressions

    def _expr(self, node: ast.expr, *, stored: bool = False, tested: bool = False, told: bool = True) -> Any:
        """What an expression gives, which is told; None for a name that is only looked at.

        `stored`: into a variable, or out of the function; `tested`: only its truth is asked.
        """
        if _literal(node):
            return self._take("move") if stored else ast.literal_eval(node)
        if isinstance(node, ast.Name):
            return self._take("move") if stored else None
        method: Callable[..., Any] | None = getattr(self, f"_at_{type(node).__name__.lower()}", None)
        if method is None:
            raise Malformed(f"an expression of the kind {type(node).__name__}")
        thing = method(node, tested) if isinstance(node, (ast.BoolOp, ast.IfExp, ast.UnaryOp)) else method(node)
        if isinstance(node, ast.NamedExpr):
            return self._take("move") if stored else thing
        if told and not isinstance(node, ast.GeneratorExp) and not _is_fixed(node):
            self._say(node, thing)
        return thing

    def _at_namedexpr(self, node: ast.NamedExpr) -> Any:
        thing = self._expr(node.value, stored=True)
        self._names[node.target.id] = self._last.target
        return thing

    def _at_binop(self, node: ast.BinOp) -> Any:
        self._expr(node.left)
        self._expr(node.right)
        return self._take("binary")

    def _at_unaryop(self, node: ast.UnaryOp, tested: bool) -> Any:
        self._expr(node.operand, tested=tested and isinstance(node.op, ast.Not))
        return self._take("unary")

    def _at_compare(self, node: ast.Compare) -> Any:
        self._expr(node.left)
        last = len(node.comparators) - 1
        for place, each in enumerate(node.comparators):
            self._expr(each)
            thing = self._take("compare")
            if not last:
                return thing
            if place < last and not self._truth("if"):
                break
        return self._take("join")

    def _at_boolop(self, node: ast.BoolOp, tested: bool) -> Any:
        last = len(node.values) - 1
        op = "if" if isinstance(node.op, ast.And) else "unless"
        for place, each in enumerate(node.values):
            # Where the value is asked for, an inner `and` or `or` that is not the last is no value of its own.
            self._settle(each, tested, tested or place == last or not isinstance(each, ast.BoolOp))
            if place < last and self._truth(op) is (op == "unless"):
                break
        return self._take("join")

    def _settle(self, node: ast.expr, tested: bool, told: bool = True) -> None:
        self._expr(node, tested=tested, told=told)
        if _literal(node) or isinstance(node, (ast.Name, ast.NamedExpr)):
            self._take("move")

    def _at_ifexp(self, node: ast.IfExp, tested: bool) -> Any:
        if self._judged(node.test):
            self._settle(node.body, tested)
            self._take("goto")
        else:
            self._settle(node.orelse, tested)
        return self._take("join")

    def _at_subscript(self, node: ast.Subscript) -> Any:
        self._expr(node.value)
        self._key(node.slice)
        return self._take("slice" if isinstance(node.slice, ast.Slice) else "index")

    def _at_list(self, node: ast.List | ast.Tuple | ast.Set) -> Any:
        for each in node.elts:
            self._expr(each.value if isinstance(each, ast.Starred) else each)
        return self._take("display")

    _at_tuple = _at_set = _at_list

    def _at_dict(self, node: ast.Dict) -> Any:
        for key, value in zip(node.keys, node.values, strict=True):
            if key is not None:
                self._expr(key)
            self._expr(value)
        return self._take("dict")

    def _at_joinedstr(self, node: ast.JoinedStr) -> Any:
        for piece in node.values:
            if isinstance(piece, ast.FormattedValue):
                self._expr(piece.value)
        return self._take("fstr")

    # -- comprehensions, and functions of every element

    def _at_listcomp(self, node: ast.ListComp | ast.SetComp) -> Any:
        self._iterated(node.generators[0].iter)
        self._loops(node.generators, lambda: self._put(node.elt))
        return self._take("end")

    _at_setcomp = _at_listcomp

    def _put(self, *elements: ast.expr) -> None:
        for each in elements:
            self._expr(each)
        self._take("put")

    def _at_dictcomp(self, node: ast.DictComp) -> Any:
        self._iterated(node.generators[0].iter)
        self._loops(node.generators, lambda: self._put(node.key, node.value))
        return self._take("end")

    def _at_generatorexp(self, node: ast.GeneratorExp) -> Any:
        self._iterated(node.generators[0].iter)
        with self._aside() as later:
            self._loops(node.generators, lambda: self._put(node.elt))
        self._deferred = later
        return self._take("end", made=lambda items, _: self._objects.iterator("generator", None, items))

    def _quantified(self, node: ast.GeneratorExp, op: str) -> Any:
        """`any` (with `if`) and `all` (with `unless`) over a generator, which stop as soon as it is known."""

        def inner() -> None:
            if self._condition(node.elt, op, tested=False) is (op == "if"):
                self._take("move")
                self._take("goto")
                raise _Found

        self._iterated(node.generators[0].iter)
        try:
            self._loops(node.generators, inner)
            self._take("move")
        except _Found:
            pass
        return self._take("join")

    def _mapped(self, function: ast.expr, kind: str) -> tuple[Any, list[Part]]:
        """A function of each element of a walk that has begun: the list of its results, and what was evaluated in it,
        where that is told."""
        start = self._pc
        with self._aside() as parts, self._scope(function):
            while self._draw(ast.Name("", ast.Store())):
                if not isinstance(function, ast.Lambda):
                    self._skip(start)
                elif kind != "filter":
                    self._put(function.body)
                elif self._condition(function.body, tested=False):
                    self._take("put")
        return self._take("end"), parts if isinstance(function, ast.Lambda) else []

    def _function_of(self, node: ast.expr) -> None:
        """A function that is named as a method: there is nothing to it but its name."""
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            owner = node.value.id
            place = self._flat.names.index(owner) if owner in self._flat.names else -1
            method = getattr(TYPES.get(owner) if place < 0 else self._objects.held.get(place), node.attr, None)
            if method is not None:
                self._say(node, method)

    def _skip(self, until: int) -> None:
        """Instructions that stand for a call that happens outside the program's text."""
        while self._pc != until:
            if self._code[self._pc].op in ("if", "unless"):
                self._truth(self._code[self._pc].op)
            else:
                self._take(self._code[self._pc].op)

    # -- calls

    def _at_call(self, node: ast.Call) -> Any:
        function = node.func
        if isinstance(function, ast.Attribute):
            return self._method(node, function)
        name = function.id if isinstance(function, ast.Name) else ""
        if name in ("map", "filter") and len(node.args) == 2:
            self._function_of(node.args[0])
            self._iterated(node.args[1])
            items, self._deferred = self._mapped(node.args[0], name)
            made = self._objects.held[VARIABLES + self._label] = self._objects.iterator(name, None, items)
            if self._last.target >= 0:
                self._objects.held[self._last.target] = made
            return made
        if name in ("any", "all") and len(node.args) == 1 and isinstance(node.args[0], ast.GeneratorExp):
            return self._quantified(node.args[0], "if" if name == "any" else "unless")
        if name in ("sorted", "max", "min") and (key := _key(node)) is not None:
            return self._keyed(node, node.args[0], key, name)
        self._arguments(name, node.args, node.keywords)
        return self._take("call", made=lambda said, given: self._made(name, said, given))

    def _arguments(self, name: str, nodes: Sequence[ast.expr], keywords: Sequence[ast.keyword]) -> None:
        """Arguments in order; then, where the call exhausts an iterator among them, what that evaluates."""
        later: list[list[Part]] = []
        for each in [*nodes, *(word.value for word in keywords)]:
            self._expr(each)
            if _is_lazy(each):
                later.append(self._deferred)
        if name in _EXHAUSTING and len(later) == 1:
            self._step.parts += later[0]

    def _made(self, name: str, said: Any, given: Sequence[Any]) -> Any:
        """What stands for a stated result: the language writes iterators, views and frozen sets as what is in them."""
        if name in _ITERATORS and isinstance(said, list):
            return self._objects.iterator(name, given[0] if given else (), said)
        if name in _VIEWS and isinstance(said, list):
            return self._objects.view(name, said)
        return frozenset(said) if name == "frozenset" and isinstance(said, set) else said

    def _keyed(self, node: ast.Call, over: ast.expr, key: ast.expr, name: str) -> Any:
        """A call with `key=`, whose keys the language makes first."""
        taken: list[Part] = []
        if not isinstance(over, ast.Name):
            self._expr(over, stored=True)
            taken = self._deferred if _is_lazy(over) and name == "sorted" else []
        self._begin_walk()
        _, bodies = self._mapped(key, "map")
        for word in node.keywords:
            if word.arg == "key":
                self._function_of(key)
            else:
                self._expr(word.value)
        self._step.parts += [*taken, *bodies]
        return self._take("method" if name == ".sort" else "call")

    def _begin_walk(self) -> None:
        self._checked("iter")
        given = self._operands()
        self._sources[self._label] = lambda at: self._objects.items(given[0])[at]

    def _method(self, node: ast.Call, function: ast.Attribute) -> Any:
        name, owner = function.attr, function.value
        if isinstance(owner, ast.Name) and owner.id not in [*self._flat.names, *(self._own or [])]:
            if f"{owner.id}.{name}" not in CLASS_METHODS:  # a method called by its class
                first, *rest = node.args
                inner = ast.Attribute(first, name)
                return self._method(ast.Call(inner, rest, node.keywords), inner)
            self._arguments(name, node.args, ())
            return self._take("call")
        if name == "maketrans":
            self._arguments(name, node.args, ())
            return self._take("call")
        if name == "sort" and (key := _key(node)) is not None:
            return self._keyed(node, owner, key, ".sort")
        self._expr(owner)
        self._arguments(name, node.args, node.keywords)
        return self._take("method", made=lambda said, given: self._made(name, said, given))


def _following(one: Instruction, label: int, said: Said) -> int:
    """The label after this step; -1 where the function ends."""
    if one.target == RETURN:
        return -1
    jumps = {
        "goto": True,
        "put": True,
        "for": said.ended,
        "if": said.truth is False,
        "except": said.truth is False,
        "unless": said.truth is True,
    }
    return one.jump if jumps.get(one.op) else label + 1


def _element(kind: str, items: Sequence[Sequence[Any]], at: int) -> Any:
    """The element of a walk over objects with these items."""
    if kind == "enumerate":
        return at, items[0][at]
    return tuple([each[at] for each in items]) if kind == "zip" else items[0][at]


def _parameters(function: ast.expr | None) -> list[str]:
    return [each.arg for each in function.args.args] if isinstance(function, ast.Lambda) else []


def _is_lazy(node: ast.expr) -> bool:
    named = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("map", "filter")
    return named or isinstance(node, ast.GeneratorExp)


def _is_fixed(node: ast.expr) -> bool:
    """Whether an expression is made of constants alone, so that its value is its text."""
    kinds = (ast.Constant, ast.Tuple, ast.List, ast.Dict, ast.Set, ast.UnaryOp, ast.USub, ast.UAdd, ast.Load)
    return all(isinstance(part, kinds) for part in ast.walk(node))


def _exception(name: str) -> Value:
    """An exception of which the type alone is known."""
    return Value((0,), [("opaque", 0, name, name)])


def _variables(tree: ast.Module, name: str) -> list[str]:
    """A function's variables in the order in which Python keeps them."""
    found = [each for each in compile(tree, "<told>", "exec").co_consts if getattr(each, "co_name", "") == name]
    return list(dict.fromkeys([*found[0].co_varnames, *found[0].co_cellvars]))

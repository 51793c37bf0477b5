"""Inputs of a program and what it did on each: all that properties are tested on.

Guarantees: inputs are distinct by the values that the parameters get; the same program, seed and numbers give the same
cases in the same order; programs and the conditions of their code run in the sandbox only, and what comes back is plain
data. Besides what `semcoder.mutation` proposes there are boundary values and values from wide ranges.
It does not use nan or infinities, arguments whose type no guess about the parameter names (unless too few others
return), or results of more than `MAX_RESULT` characters.
"""

from __future__ import annotations

import ast
import inspect
import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from semcoder.core import Invocation, NotLiteral, Outcome, Program, Value, literal_text
from semcoder.errors import InputError, SandboxError, UsageError
from semcoder.mutation import InputFinder, Parameter, Shape
from semcoder.mutation.values import text_of
from semcoder.sandbox import Job, Limits, Reply, Sandbox, outcome_of, program_job
from semcoder.seeds.examples import examples
from semcoder.tracing import TASK as TRACE_TASK
from semcoder.tracing import trace_from_document

T = TypeVar("T")

TASK = "semcoder.properties.child:observe_task"
MAX_RESULT = 4000
MAX_CALL = 400
#: Executed at most so many times the inputs that are wanted, and given up after so many that hit a limit.
MOST_TRIES = 4
MOST_LIMITS = 8
MAX_CONDITIONS = 24
_BATCH = 60
#: Inputs come from two generators with seeds so far apart: each has habits of its own.
_SECOND = 1_000_003
_FAINT = 0.2
_MAX_EVENTS = 20_000
_MUTABLE = (list, dict, set)


@dataclass(frozen=True, slots=True)
class Opaque:
    """A value that is no plain data: its type's name alone."""

    type_name: str


@dataclass(slots=True)
class Case:
    """One input and what was seen. Parameters whose default is no literal are missing from `args` where they got it.

    `after`: the arguments as the call left them; `given`: parameters whose own list, dict or set is the result;
    `steady`: a second call with equal arguments, and a run under another hash seed, did the same; `again`: what the
    function gives for its own result (with the other arguments as they were), None if it was not tried, `Opaque` where
    that is no value; `taken`: the line of the return statement; `truths`: conditions of the code on the arguments, None
    where they raise.
    """

    call: str
    args: dict[str, Any]
    error: str = ""
    result: Any = None
    after: dict[str, Any] = field(default_factory=dict)
    given: frozenset[str] = frozenset()
    steady: bool = True
    printed: bool = False
    again: Any = None
    tried_again: bool = False
    taken: int = 0
    truths: dict[str, bool | None] = field(default_factory=dict)


@dataclass(slots=True)
class Gathered:
    """Cases that returned or raised; how many calls ran, and how many of them ended at a limit or gave no usable
    value."""

    cases: list[Case]
    executed: int = 0
    unusable: int = 0
    note: str = ""

    @property
    def returned(self) -> list[Case]:
        return [case for case in self.cases if not case.error]


def key(value: Any) -> Any:
    """A hashable stand-in for plain data: equal keys mean strictly equal values (`1`, `1.0` and `True` differ)."""
    kind = type(value)
    if kind in (list, tuple):
        return (kind.__name__, *map(key, value))
    if kind is dict:
        return ("dict", frozenset((key(k), key(v)) for k, v in value.items()))
    if kind in (set, frozenset):
        return (kind.__name__, frozenset(map(key, value)))
    if kind is float:
        return ("float", value.hex())
    if kind is bytearray:
        return ("bytearray", bytes(value))
    return (kind.__name__, value)


def plain(value: Value) -> Any:
    """The live form of a value, `Opaque` where it has none."""
    try:
        return value.to_python()
    except NotLiteral:
        return Opaque(value.type_name)


# The function ------------------------------------------------------------------------------------------------------


class Function:
    """The entry of a program as its text has it. Raises `UsageError` where the module's top level has no such def."""

    def __init__(self, program: Program) -> None:
        self.program = program
        try:
            self.tree = ast.parse(program.source)
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            raise UsageError(f"the program cannot be parsed: {error}") from None
        found = [n for n in self.tree.body if isinstance(n, ast.FunctionDef) and n.name == program.entry]
        if not found:
            raise UsageError(f"properties are of plain functions, and there is no `def {program.entry}` at top level")
        self.node = found[-1]
        self.signature = inspect.Signature(list(_parameters(self.node.args)))
        self.parameters = tuple(self.signature.parameters)

    def bind(self, args: Sequence[Any], kwargs: dict[str, Any]) -> dict[str, Any] | None:
        """Parameter values of a call, literal defaults filled in; None for a call that does not fit."""
        try:
            bound = self.signature.bind(*args, **kwargs)
        except TypeError:
            return None
        bound.apply_defaults()
        return {name: value for name, value in bound.arguments.items() if value is not inspect.Parameter.empty}

    def conditions(self) -> dict[str, ast.expr]:
        """Conditions that the function tests and that speak of its parameters alone, by their text, in order."""
        local = {n.id for n in _own_nodes(self.node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
        found: dict[str, ast.expr] = {}
        for node in _own_nodes(self.node):
            if isinstance(node, (ast.If, ast.While, ast.IfExp, ast.Assert)):
                for test in _parts(node.test):
                    names = {n.id for n in ast.walk(test) if isinstance(n, ast.Name)}
                    text = ast.unparse(test)
                    if names & set(self.parameters) and not (names & local - set(self.parameters)) and len(text) <= 60:
                        found.setdefault(text, test)
        return dict(list(found.items())[:MAX_CONDITIONS])

    def return_lines(self) -> list[int]:
        """Lines of the function's own return statements; one line for several statements names none of them."""
        lines = [n.lineno for n in _own_nodes(self.node) if isinstance(n, ast.Return)]
        return [line for line in lines if lines.count(line) == 1]


def _parameters(args: ast.arguments) -> Iterator[inspect.Parameter]:
    places: list[tuple[ast.arg, Any]] = [(a, inspect.Parameter.POSITIONAL_ONLY) for a in args.posonlyargs]
    places += [(a, inspect.Parameter.POSITIONAL_OR_KEYWORD) for a in args.args]
    defaults: list[ast.expr | None] = [None] * (len(places) - len(args.defaults)) + list(args.defaults)
    for (arg, kind), default in zip(places, defaults, strict=True):
        yield _parameter(arg.arg, kind, default)
    if args.vararg:
        yield inspect.Parameter(args.vararg.arg, inspect.Parameter.VAR_POSITIONAL)
    for arg, default in zip(args.kwonlyargs, args.kw_defaults, strict=True):
        yield _parameter(arg.arg, inspect.Parameter.KEYWORD_ONLY, default)
    if args.kwarg:
        yield inspect.Parameter(args.kwarg.arg, inspect.Parameter.VAR_KEYWORD)


#: The default of a parameter whose default is no literal; `Function.bind` leaves such a parameter out.
_UNKNOWN = Opaque("default")


def _parameter(name: str, kind: Any, default: ast.expr | None) -> inspect.Parameter:
    if default is None:
        return inspect.Parameter(name, kind)
    try:
        value = ast.literal_eval(default)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        value = _UNKNOWN
    return inspect.Parameter(name, kind, default=value)


def _own_nodes(function: ast.FunctionDef) -> Iterator[ast.AST]:
    """The nodes of a function's body in the order of the text, those of functions and classes inside left out."""
    todo: list[ast.AST] = list(reversed(function.body))
    while todo:
        node = todo.pop()
        yield node
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)):
            todo.extend(reversed(list(ast.iter_child_nodes(node))))


def _parts(test: ast.expr) -> Iterator[ast.expr]:
    """A condition and the conditions that it is made of."""
    if any(isinstance(n, (ast.NamedExpr, ast.Await, ast.Yield, ast.YieldFrom)) for n in ast.walk(test)):
        return
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        yield from _parts(test.operand)
        return
    yield test
    if isinstance(test, ast.BoolOp):
        for part in test.values:
            yield from _parts(part)


# Inputs ------------------------------------------------------------------------------------------------------------

_EDGES: dict[str, tuple[Any, ...]] = {
    "int": (0, 1, -1, 2, -2, 3, 10, -10, 16, 97, 100, -100, 1000, 123_456, -1_000_000),
    "float": (0.0, 1.0, -1.0, 0.5, -0.5, 2.5, 1e-9, 1e9, -1234.5, 0.1),
    "bool": (False, True),
    "str": (
        "", " ", "a", "A", "0", "aa", "ab", "ba", "aba", "Ab", "aB cD", " a", "a ", "é", "ß", "İ", "1a", "-1", "\n",
        "a\tb", "a,b", "_", "()", "ab" * 9, "The End.", "zyx", "aabbcc", "...", "a  b",
    ),
    "bytes": (b"", b"\0", b"a", b"ab", b"\xff\xfe", b"aa", b"a b"),
    "none": (None,),
}  # fmt: skip
_WIDE_TEXT = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789    .,;:-_()[]'\"/éßΣ中\n\t"


class _Values:
    """Boundary values and values from wide ranges, by shape."""

    def __init__(self, rng: random.Random, numbers: Sequence[float], texts: Sequence[str]) -> None:
        self._rng = rng
        self._near = [int(n) + d for n in numbers for d in (-1, 0, 1)]
        self._texts = list(texts)

    def edge(self, shape: Shape, depth: int = 0) -> Any:
        """A value at a boundary: empty, single, all equal, sorted, reversed, next to a constant of the code."""
        rng = self._rng
        if shape.kind in _EDGES:
            pool = list(_EDGES[shape.kind])
            pool += self._near if shape.kind == "int" else self._texts if shape.kind == "str" else []
            return rng.choice(pool)
        if shape.kind not in ("list", "tuple", "set", "dict"):
            return None
        if shape.kind == "dict" or (shape.kind == "tuple" and len(shape.parts) > 1) or depth > 1:
            return self._container(shape, depth, self.edge, rng.choice((0, 1, 2)))
        members = [self.edge(shape.parts[0], depth + 1) for _ in range(rng.choice((0, 1, 2, 3, 6)))]
        form = rng.randrange(4)
        if form == 0:
            members = members[:1] * len(members)
        elif form < 3 and len({type(m) for m in members} & {int, str, float}) == 1:
            members = sorted(members, reverse=form == 2)
        return _as(shape.kind, members)

    def wide(self, shape: Shape, depth: int = 0) -> Any:
        """A value of no particular kind, from ranges wider than those that people think of."""
        rng = self._rng
        if shape.kind == "int":
            return int(rng.choice((-1, 1, 1)) * 10 ** rng.uniform(0, 5)) if rng.random() < 0.5 else rng.randint(-9, 30)
        if shape.kind == "float":
            return round(rng.choice((-1, 1)) * 10 ** rng.uniform(-3, 5), rng.choice((0, 1, 4)))
        if shape.kind == "bool":
            return rng.random() < 0.5
        if shape.kind == "str":
            letters = rng.choice((_WIDE_TEXT, _WIDE_TEXT, "ab", "aB1 ", "0123456789", "abcdefgh "))
            return "".join(rng.choices(letters, k=rng.choice((1, 2, 4, 7, 12, 20, 30))))
        if shape.kind == "bytes":
            return rng.randbytes(rng.choice((1, 2, 5, 9)))
        if shape.kind not in ("list", "tuple", "set", "dict"):
            return None
        return self._container(shape, depth, self.wide, rng.choice((1, 2, 3, 5, 7, 10) if depth == 0 else (0, 1, 2, 4)))

    def _container(self, shape: Shape, depth: int, make: Callable[[Shape, int], Any], size: int) -> Any:
        if shape.kind == "tuple" and len(shape.parts) > 1:
            return tuple(make(part, depth + 1) for part in shape.parts)
        if shape.kind == "dict":
            found = {name: make(part, depth + 1) for name, part in shape.fields if self._rng.random() < 0.9}
            keys = [_hashable(make(shape.parts[0], depth + 1)) for _ in range(size)]
            return found | {k: make(shape.parts[1], depth + 1) for k in keys}
        few = [make(shape.parts[0], depth + 1) for _ in range(size)]
        if few and self._rng.random() < 0.3:
            few = self._rng.choices(few[: max(1, size // 2)], k=size)
        return _as(shape.kind, few)


def _as(kind: str, members: list[Any]) -> Any:
    if kind == "set":
        return set(map(_hashable, members))
    return tuple(members) if kind == "tuple" else members


def _hashable(value: Any) -> Any:
    if isinstance(value, (list, set)):
        return tuple(map(_hashable, value))
    return tuple(value.items()) if isinstance(value, dict) else value


def _made(finder: InputFinder, entry: str, rng: random.Random) -> Iterator[str]:
    """Calls over boundary and wide values, without end."""
    signature = finder.signature
    values = _Values(rng, signature.numbers, signature.texts)
    while True:
        parts: list[str] = []
        before: list[Any] = []
        named = False
        makers = [values.edge if rng.random() < 0.5 else values.wide for _ in signature.parameters]
        for parameter, make in zip(signature.parameters, makers, strict=True):
            if parameter.kind == "*":
                parts += [text_of(make(_shape(parameter, rng))) for _ in range(rng.randint(0, 4)) if not named]
            elif parameter.kind == "**" or (not parameter.required and (not parameter.literal or rng.random() < 0.4)):
                named = True
            else:
                value = make(_shape(parameter, rng))
                if parameter.constants and rng.random() < 0.25:
                    value = rng.choice(parameter.constants)
                if before and rng.random() < 0.35:
                    value = _related(value, rng.choice(before), rng)
                before.append(value)
                named = named or parameter.kind == "keyword"
                parts.append(f"{parameter.name}={text_of(value)}" if named else text_of(value))
        yield f"{entry}({', '.join(parts)})"


def _related(value: Any, other: Any, rng: random.Random) -> Any:
    """In place of a value, one of its type that has to do with another argument: itself, a part, a member, a place."""
    options: list[Any] = []
    if type(other) is type(value):
        options += [other, other[rng.randint(0, len(other)) :] if isinstance(other, (str, list, tuple)) else other]
    if type(value) is int and isinstance(other, (str, list, tuple)):
        options += [len(other), rng.randint(-1, len(other) + 1)]
    if isinstance(other, (str, list, tuple, dict)):
        options += [member for member in other if type(member) is type(value)][:6]
    return rng.choice(options) if options else value


def _shape(parameter: Parameter, rng: random.Random) -> Shape:
    usable = [(shape, weight) for shape, weight in _likely(parameter) if shape.is_literal()]
    return rng.choices([s for s, _ in usable], [w for _, w in usable])[0] if usable else Shape("none")


class _Inputs:
    """Calls that were not proposed before, with the values that the parameters get."""

    def __init__(self, function: Function, seed: int, known: Iterable[str] = ()) -> None:
        self._function = function
        self._finder = InputFinder(function.program, seed=seed)
        rng = random.Random(f"properties {seed} {function.program.id}")
        self._own = _made(self._finder, function.program.entry, rng)
        self._seen = set(known)
        self._kinds = {p.name: _kinds(p) for p in self._finder.signature.parameters}
        self.hopeless = self._finder.hopeless()

    def fellow(self, seed: int) -> _Inputs:
        """Another source, which gives nothing that this one has given, nor the other way round."""
        other = _Inputs(self._function, seed)
        other._seen = self._seen
        return other

    def first(self, n: int, shown: Sequence[Invocation]) -> list[Case]:
        proposed = [call.text for call in self._finder.propose(shown, n=n)]
        return self._cases(proposed) + self.own(n)

    def own(self, n: int) -> list[Case]:
        """Up to `n` calls over boundary and wide values; none where a parameter takes no literal."""
        if self.hopeless:
            return []
        found: list[Case] = []
        for _ in range(8):
            found += self._cases(next(self._own) for _ in range(n - len(found)))
        return found

    def changed(self, good: Sequence[Case], n: int) -> list[Case]:
        return self._cases(call.text for call in self._finder.refine([Invocation(c.call) for c in good], n=n))

    def doubtful(self, n: int) -> list[Case]:
        """Calls whose arguments may be of any type."""
        self._kinds = {}
        return self._cases(call.text for call in self._finder.refine([], n=n))

    def _cases(self, texts: Iterable[str]) -> list[Case]:
        found = []
        for text in texts:
            case = self._case(text) if len(text) <= MAX_CALL else None
            if case is not None:
                mark = repr(sorted((name, repr(key(value))) for name, value in case.args.items()))
                if mark not in self._seen:
                    self._seen.add(mark)
                    found.append(case)
        return found

    def _case(self, text: str) -> Case | None:
        try:
            node = ast.parse(text, mode="eval").body
            assert isinstance(node, ast.Call)
            args = [ast.literal_eval(arg) for arg in node.args]
            kwargs = {str(k.arg): ast.literal_eval(k.value) for k in node.keywords}
        except (SyntaxError, ValueError, TypeError, AssertionError, MemoryError, RecursionError):
            return None
        bound = self._function.bind(args, kwargs)
        if bound is None or not all(self._fits(name, value) for name, value in bound.items()):
            return None
        return Case(text, {name: value for name, value in bound.items() if value is not _UNKNOWN})

    def _fits(self, name: str, value: Any) -> bool:
        kinds = self._kinds.get(name)
        return not kinds or value is _UNKNOWN or type(value).__name__ in kinds


def _likely(parameter: Parameter) -> list[tuple[Shape, float]]:
    """The shapes of a parameter without faint guesses: what happens to arguments of a wrong type is of no interest."""
    return [(shape, w) for k, (shape, w) in enumerate(parameter.shapes) if k == 0 or w >= _FAINT]


def _kinds(parameter: Parameter) -> set[str]:
    """Names of the types that a parameter is taken to accept; empty for any."""
    if parameter.kind in ("*", "**"):
        return set()
    names = {shape.kind for shape, _ in _likely(parameter)} | {type(c).__name__ for c in parameter.constants}
    names |= {type(parameter.default).__name__} if parameter.has_default else set()
    return names | ({"NoneType"} if "none" in names else set()) | ({"frozenset"} if "set" in names else set())


# Running -----------------------------------------------------------------------------------------------------------


def gather(
    program: Program, box: Sandbox, *, wanted: int, seed: int, limits: Limits, known: Iterable[Case] = ()
) -> Gathered:
    """Cases until `wanted` of them returned, or the tries are used up; none of them among `known`.

    Raises `UsageError` where the program has no such function, `SandboxError` where the sandbox fails.
    """
    function = Function(program)
    marks = (repr(sorted((name, repr(key(value))) for name, value in c.args.items())) for c in known)
    inputs = _Inputs(function, seed, marks)
    others = inputs.fellow(seed + _SECOND)
    gathered = Gathered([])
    rounds: list[Callable[[], list[Case]]] = [
        lambda: inputs.first(wanted // 3, examples(program)),
        lambda: others.first(wanted // 3, ()),
        lambda: inputs.changed(gathered.returned, wanted // 2) if gathered.returned else inputs.doubtful(wanted),
        lambda: inputs.own(wanted // 2),
        lambda: others.own(wanted // 2),
        lambda: inputs.changed(gathered.returned, wanted) if gathered.returned else [],
    ]
    slow = 0
    for make in rounds:
        for fresh in _batches(make()):
            if len(gathered.returned) >= wanted or gathered.executed >= MOST_TRIES * wanted:
                break
            slow += _run(function, fresh, box, limits, gathered)
            if slow >= MOST_LIMITS:
                gathered.note = f"the search for inputs ended after {slow} calls that hit a limit"
                break
        if gathered.note or len(gathered.returned) >= wanted:
            break
    if inputs.hopeless and not gathered.cases:
        gathered.note = f"parameter `{inputs.hopeless}` needs what no literal is, so that no input could be made"
    if gathered.cases:
        _complete(function, gathered, box, limits)
    return gathered


def _batches(items: Sequence[T]) -> Iterator[Sequence[T]]:
    """A few first, so that what hangs on everything is given up soon, then more at a time."""
    start, size = 0, MOST_LIMITS
    while start < len(items):
        yield items[start : start + size]
        start, size = start + size, min(2 * size, _BATCH)


def _bounded(box: Sandbox, jobs: Callable[[Sequence[Invocation]], Job], calls: Sequence[Invocation]) -> list[Reply]:
    """A reply per call; once too many hit a limit, the rest count as timeouts without being run."""
    replies: list[Reply] = []
    for batch in _batches(calls):
        if sum(reply.status in ("timeout", "memory") for reply in replies) >= MOST_LIMITS:
            replies += [Reply("timeout") for _ in batch]
        else:
            replies += box.execute(jobs(batch))
    return replies


def outcomes_of(
    box: Sandbox, program: Program, calls: Sequence[Invocation], limits: Limits, hash_seed: int = 0
) -> list[Outcome]:
    """As `run_program`, but once too many calls hit a limit, the rest count as timeouts."""
    replies = _bounded(box, lambda batch: program_job(program, batch, limits, hash_seed), calls)
    return [outcome_of(reply) for reply in replies]


def _run(function: Function, fresh: Sequence[Case], box: Sandbox, limits: Limits, gathered: Gathered) -> int:
    """Run the cases and keep those that returned or raised. How many hit a limit."""
    program = function.program
    items = tuple(case.call[len(program.entry) :] for case in fresh)
    payload = {"source": program.source, "entry": program.entry}
    slow = 0
    for case, reply in zip(fresh, box.execute(Job(TASK, payload, items, limits)), strict=True):
        if reply.status == "sandbox_failed":
            raise SandboxError(f"the sandbox could not run {case.call}: {reply.detail}")
        slow += reply.status in ("timeout", "memory")
        gathered.executed += 1
        if _read(function, case, reply):
            gathered.cases.append(case)
        else:
            gathered.unusable += 1
    return slow


def _read(function: Function, case: Case, reply: Reply) -> bool:
    """Fill the case from what the process says. Whether it can be used."""
    if reply.status != "returned" or not isinstance(reply.data, dict):
        return False
    first = outcome_of(replace(reply, data=reply.data.get("first")))
    second = outcome_of(replace(reply, data=reply.data.get("second")))
    if first.status not in ("returned", "raised"):
        return False
    case.printed = bool(first.stdout)
    case.steady = first.same(second)
    if first.exception is not None:
        case.error = first.exception.type
    try:
        state = Value.from_wire(reply.data.get("state"))
    except ValueError:
        return first.exception is not None
    if first.value is not None:
        if len(first.value.display()) > MAX_RESULT:
            return False
        case.result = plain(first.value)
    _read_state(function, case, state)
    return True


def _read_state(function: Function, case: Case, state: Value) -> None:
    """What became of the arguments. What is malformed is the program's doing, and tells nothing."""
    parts = state.children()
    if len(parts) != 3 or parts[1].kind != "tuple" or parts[2].kind != "dict":
        return
    result, args, kwargs = parts
    names = [str(plain(name)) for name, _ in kwargs.items()]
    after = function.bind(args.children(), dict(zip(names, [value for _, value in kwargs.items()], strict=True)))
    for name, value in (after or {}).items():
        if isinstance(value, Value):
            case.after[name] = plain(value)
            if result.oid is not None and value.oid == result.oid and isinstance(case.args.get(name), _MUTABLE):
                case.given |= {name}


def _complete(function: Function, gathered: Gathered, box: Sandbox, limits: Limits) -> None:
    """What needs further runs: another hash seed, the function of its own result, conditions, returns taken."""
    program, cases = function.program, gathered.cases
    others = outcomes_of(box, program, [Invocation(case.call) for case in cases], limits, hash_seed=1)
    for case, outcome in zip(cases, others, strict=True):
        case.steady = case.steady and _did(case, outcome)
    _apply_again(function, gathered.returned, box, limits)
    _ask_conditions(function, cases, box, limits)
    if len(function.return_lines()) > 1:
        _trace_returns(function, gathered.returned, box, limits)


def _did(case: Case, outcome: Outcome) -> bool:
    """Whether an outcome is the case's; one that a limit ended tells nothing."""
    if outcome.exception is not None:
        return case.error == outcome.exception.type
    if outcome.value is None:
        return outcome.status in ("timeout", "memory")
    return not case.error and key(plain(outcome.value)) == key(case.result)


def _apply_again(function: Function, returned: Sequence[Case], box: Sandbox, limits: Limits) -> None:
    """Where all results are of types that the first parameter takes: the function of its result."""
    if not function.parameters or not returned:
        return
    name = function.parameters[0]
    if function.signature.parameters[name].kind is inspect.Parameter.VAR_POSITIONAL:
        return
    taken = {type(case.args[name]) for case in returned if name in case.args}
    if not {type(case.result) for case in returned} <= taken:
        return
    chosen: list[tuple[Case, Invocation]] = []
    for case in returned:
        node = ast.parse(case.call, mode="eval").body
        assert isinstance(node, ast.Call)
        if node.args:
            rest = [ast.unparse(part) for part in (*node.args[1:], *node.keywords)]
            text = ", ".join([literal_text(case.result), *rest])
            chosen.append((case, Invocation(f"{function.program.entry}({text})")))
    outcomes = outcomes_of(box, function.program, [call for _, call in chosen], limits)
    for (case, _), outcome in zip(chosen, outcomes, strict=True):
        if outcome.status not in ("timeout", "memory", "output_limit"):
            case.tried_again = True
            case.again = Opaque(outcome.status) if outcome.value is None else plain(outcome.value)


def _ask_conditions(function: Function, cases: Sequence[Case], box: Sandbox, limits: Limits) -> None:
    """The truth of the code's own conditions on the arguments as they come in."""
    conditions = list(function.conditions())
    if not conditions:
        return
    names = list(function.parameters)
    lines = ["import copy as _semcoder_copy", "", "def _semcoder_conditions(given):", "    told = []"]
    lines += [f"    for test in ({', '.join(f'_semcoder_condition_{k}' for k in range(len(conditions)))},):"]
    lines += ["        try:", "            told.append(bool(test(**_semcoder_copy.deepcopy(given))))"]
    lines += ["        except Exception:", "            told.append(None)", "    return told", ""]
    for k, text in enumerate(conditions):
        lines += [f"def _semcoder_condition_{k}({', '.join(names)}):", f"    return {text}", ""]
    asking = Program(f"{function.program.source}\n\n" + "\n".join(lines), "_semcoder_conditions")
    calls = [Invocation(f"_semcoder_conditions({text_of(case.args)})") for case in cases]
    for case, outcome in zip(cases, outcomes_of(box, asking, calls, limits), strict=True):
        told = plain(outcome.value) if outcome.value is not None else None
        if isinstance(told, list) and len(told) == len(conditions):
            case.truths = {text: t if isinstance(t, bool) else None for text, t in zip(conditions, told, strict=True)}


def _trace_returns(function: Function, returned: Sequence[Case], box: Sandbox, limits: Limits) -> None:
    """The line of the return statement that ended each call; 0 where the trace does not say."""
    lines = set(function.return_lines())
    payload = {"source": function.program.source, "max_events": _MAX_EVENTS}

    def job(calls: Sequence[Invocation]) -> Job:
        return Job(TRACE_TASK, payload, tuple(call.parts for call in calls), limits)

    for case, reply in zip(returned, _bounded(box, job, [Invocation(c.call) for c in returned]), strict=True):
        if reply.status != "returned":
            continue
        try:
            trace = trace_from_document(function.program.source, reply.data, Invocation(case.call))
        except InputError:
            continue
        if trace.truncated or trace.outcome.value is None:
            continue
        last = next((step for step in reversed(trace.steps) if step.returned is not None), None)
        if last is not None and isinstance(last.node, ast.Return) and last.line in lines:
            case.taken = last.line

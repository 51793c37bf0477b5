"""Finding properties: candidates are tested on every case, what fails once is out, what follows from others is dropped.

Guarantees: a reported property held on all cases to which it applies, and `held` counts them (at least `MIN_BACKING`);
`text` says so in one English sentence. A relation between a result and an argument is reported only if it fails
between results and arguments of different calls: what holds of any two values says nothing about the function.
Predicates proposed by others run in a process of their own on plain data and are decided by the same test.
It does not prove anything, and what it does not report may hold all the same.
"""

from __future__ import annotations

import ast
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from semcoder.core import Invocation, NotLiteral, Outcome, Program, TooLarge, literal_text
from semcoder.errors import UsageError
from semcoder.mutation import infer
from semcoder.properties.cases import Case, Function, Gathered, Opaque, gather, key, outcomes_of
from semcoder.properties.conditions import Separator
from semcoder.properties.relations import ABSENT, Candidate, articled, candidates, type_of
from semcoder.sandbox import Limits, Sandbox

#: Inputs that return, per program, that are aimed at; the least number at which a property is reported at all.
WANTED = 200
MIN_BACKING = 30
#: Inputs on either side of an exact condition that is one question which the code does not ask itself (one that the
#: code asks needs a single input; one of several parts, as many as a property).
MIN_PARTED_OFF = 10
#: Of pairs of one call's result and another's arguments, the share on which a relation must fail.
MIN_SURPRISE = 0.1
QUICK = Limits(cpu_s=0.5, wall_s=3.0, result=1 << 17)
_MUTABLE = (list, dict, set)


@dataclass(frozen=True)
class Property:
    """A property that never failed. `held`: inputs that back it, of the `tried` that its kind is tested on.

    `kind` is one of type, constant, equality, length, order, membership, permutation, substring, characters, case,
    sign, range, identity, purity, idempotence, involution, raises, returns, proposed.
    """

    kind: str
    text: str
    held: int
    tried: int
    test: Callable[[Case], bool | None] = field(repr=False, compare=False)


@dataclass(frozen=True)
class Refused:
    """A proposed predicate that is no property, and why."""

    predicate: str
    reason: str


@dataclass(frozen=True)
class Findings:
    """What was found about one function. `executed` inputs ran: `returned` and `raised` were usable, the others hit a
    limit or gave no data of a readable size. `domain`: per parameter the types that it got, with the number of inputs;
    nothing is said of other types. `notes` say what the numbers do not."""

    entry: str
    seed: int
    executed: int
    returned: int
    raised: int
    properties: tuple[Property, ...]
    refused: tuple[Refused, ...] = ()
    notes: tuple[str, ...] = ()
    domain: tuple[tuple[str, tuple[tuple[str, int], ...]], ...] = ()
    cases: tuple[Case, ...] = field(default=(), repr=False, compare=False)

    @property
    def texts(self) -> list[str]:
        return [found.text for found in self.properties]


def find_properties(
    program: Program,
    box: Sandbox,
    *,
    inputs: int = WANTED,
    seed: int = 0,
    limits: Limits = QUICK,
    proposed: Sequence[str] = (),
    min_backing: int = MIN_BACKING,
) -> Findings:
    """Properties of the program's entry, each tested on `inputs` inputs that return (fewer if no more are found).

    `proposed` are predicates as text, `lambda args, result: ...` or a `def` of two parameters: `args` has one value
    per parameter, by place and by name. Raises `UsageError` for a program without such a function or an `inputs` below
    `min_backing`, `SandboxError` where the sandbox fails.
    """
    if inputs < min_backing:
        raise UsageError(f"{inputs} inputs are too few: a property needs {min_backing} that back it")
    gathered = gather(program, box, wanted=inputs, seed=seed, limits=limits)
    found = list(_found(program, gathered, min_backing))
    refused = []
    for predicate in proposed:
        verdict = _proposed(program, predicate, gathered.returned, box, limits, min_backing)
        if isinstance(verdict, Property):
            found.append(verdict)
        else:
            refused.append(verdict)
    return Findings(
        program.entry,
        seed,
        gathered.executed,
        len(gathered.returned),
        len(gathered.cases) - len(gathered.returned),
        tuple(found),
        tuple(refused),
        tuple(_notes(gathered, inputs, min_backing)),
        tuple(_domain(program, gathered.cases)),
        tuple(gathered.cases),
    )


def recheck(
    program: Program, findings: Findings, box: Sandbox, *, seed: int, inputs: int = WANTED, limits: Limits = QUICK
) -> list[tuple[Property, int, int]]:
    """Each property with the number of fresh inputs on which it held and failed: none of them was used to find it.

    Proposed predicates are left out: they are not run here. Raises as `find_properties`.
    """
    fresh = gather(program, box, wanted=inputs, seed=seed, limits=limits, known=findings.cases)
    rows = []
    for found in findings.properties:
        if found.kind != "proposed":
            said = [found.test(case) for case in fresh.cases]
            rows.append((found, said.count(True), said.count(False)))
    return rows


def _domain(program: Program, cases: Sequence[Case]) -> Iterator[tuple[str, tuple[tuple[str, int], ...]]]:
    for name in Function(program).parameters:
        counts = Counter(type_of(case.args[name]) for case in cases if name in case.args)
        yield name, tuple(counts.most_common())


def _notes(gathered: Gathered, inputs: int, min_backing: int) -> Iterator[str]:
    returned = len(gathered.returned)
    if gathered.note:
        yield gathered.note
    if returned < inputs:
        yield f"only {returned} distinct inputs that return were found, {inputs} were wanted"
    if len(gathered.cases) < min_backing:
        yield f"with fewer than {min_backing} usable inputs no property is reported"
    if gathered.unusable:
        yield f"{gathered.unusable} inputs hit a limit or gave no data of a readable size, and were left out"


# All kinds ---------------------------------------------------------------------------------------------------------


def _found(program: Program, gathered: Gathered, least: int) -> Iterator[Property]:
    constants = _constants(program)
    returned = gathered.returned
    held = [
        *_held(candidates(returned, "result", constants), returned, least),
        *_held(_of_arguments(returned, constants), returned, least),
        *_held(_of_calls(program, gathered), returned, least),
    ]
    yield from (_property(candidate, cases, returned) for candidate, cases in _without_implied(held))
    yield from _steadiness(gathered, least)
    separator = Separator(gathered.cases, constants)
    yield from _raising(program, gathered, separator, least)
    yield from _returning(gathered, separator, least)


def _constants(program: Program) -> list[Any]:
    signature = infer(program.source, program.entry)
    return [*signature.numbers, *signature.texts]


def _of_arguments(returned: Sequence[Case], constants: Sequence[Any]) -> Iterator[Candidate]:
    """What the call leaves of arguments that can change: that nothing did, or how they are afterwards."""
    for name in dict.fromkeys(name for case in returned for name in case.args):
        mutable = [c for c in returned if name in c.after and type(c.args.get(name)) in _MUTABLE]
        if not mutable:
            continue

        def unchanged(case: Case, name: str = name) -> bool | None:
            if name not in case.after or type(case.args.get(name)) not in _MUTABLE:
                return None
            return bool(key(case.args[name]) == key(case.after[name]))

        if all(unchanged(case) for case in mutable):
            yield Candidate("purity", "unchanged", f"the call leaves `{name}` as it was", unchanged, name)
            continue
        changed = [c for c in mutable if not unchanged(c)]
        if len(changed) >= 3:
            yield from (c for c in candidates(mutable, name, constants) if c.kind not in ("type", "constant"))


def _of_calls(program: Program, gathered: Gathered) -> Iterator[Candidate]:
    """Whose object the result is, and what comes of applying the function to its own result."""
    function = Function(program)
    for name in function.parameters:

        def given(case: Case, name: str = name) -> bool | None:
            return name in case.given if type(case.args.get(name)) in _MUTABLE else None

        yield Candidate("identity", "same object", f"the result is the very object that was passed as `{name}`", given,
                        names=(name,))  # fmt: skip
    if not function.parameters:
        return
    first = function.parameters[0]
    entry, alone = program.entry, len(function.parameters) == 1
    applied = f"`{entry}` of its own result (with the other arguments as they were) gives"

    def again(wanted: Callable[[Case], Any]) -> Callable[[Case], bool | None]:
        return lambda case: bool(key(case.again) == key(wanted(case))) if case.tried_again else None

    idempotent = f"`{entry}({entry}({first})) == {entry}({first})`" if alone else f"{applied} that result again"
    involutive = f"`{entry}({entry}({first})) == {first}`" if alone else f"{applied} `{first}` back"
    moved = [c for c in gathered.returned if c.tried_again and key(c.result) != key(c.args.get(first, ABSENT))]
    if len(moved) >= 10:  # a function that gives its argument back has both properties, and says so by being equal
        ended = "a second application ends in time"
        yield Candidate("idempotence", "idempotent", idempotent, again(lambda c: c.result), when=ended)
        yield Candidate("involution", "involution", involutive, again(lambda c: c.args.get(first, ABSENT)), when=ended)


# Deciding ----------------------------------------------------------------------------------------------------------

Held = tuple[Candidate, "list[Case]"]


def _held(found: Iterable[Candidate], cases: Sequence[Case], least: int) -> Iterator[Held]:
    """Candidates that never failed, with the cases that they apply to."""
    for candidate in found:
        backing = []
        for case in cases:
            said = candidate.test(case)
            if said is False:
                break
            if said:
                backing.append(case)
        else:
            if len(backing) >= least and _surprises(candidate, backing):
                yield candidate, backing


def _surprises(candidate: Candidate, backing: Sequence[Case]) -> bool:
    """Whether a relation of result and arguments fails often enough where they are of different calls."""
    if candidate.mixed is None:
        return True
    said = [
        candidate.mixed(a, b)
        for shift in (1, 7, 23)
        for a, b in zip(backing, [*backing[shift:], *backing[:shift]], strict=True)
    ]
    asked = [answer for answer in said if answer is not None]
    return asked.count(False) >= MIN_SURPRISE * len(asked) and bool(asked)


def _without_implied(held: Sequence[Held]) -> list[Held]:
    """Properties that do not follow from another one about the same values that applies wherever they do."""
    kept: list[Held] = []
    closure = _closure({c.relation: c.implies for c, _ in held})
    marks = [(c, cases, {id(case) for case in cases}) for c, cases in held]
    for place, (candidate, cases, mine) in enumerate(marks):
        others = ((k, other, theirs) for k, (other, _, theirs) in enumerate(marks) if k != place and mine <= theirs)
        if not any(_implies(other, candidate, closure, k < place or mine < theirs) for k, other, theirs in others):
            kept.append((candidate, cases))
    return kept


def _closure(implies: dict[str, frozenset[str]]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for start in implies:
        todo, seen = [start], set()
        while todo:
            for name in implies.get(todo.pop(), frozenset()):
                if name not in seen:
                    seen.add(name)
                    todo.append(name)
        found[start] = seen - {start}
    return found


#: What is said of calls and objects follows from nothing that is said of values, nor the other way round.
_OF_CALLS = frozenset({"idempotence", "involution", "purity", "identity"})


def _implies(strong: Candidate, weak: Candidate, closure: dict[str, set[str]], comes_first: bool) -> bool:
    """Whether `weak` need not be said beside `strong`. Of two exact ones the first that applies as widely is said."""
    if strong.subject != weak.subject:
        return False
    if strong.kind in _OF_CALLS or weak.kind in _OF_CALLS:
        return False
    if strong.exact:
        if weak.exact:
            return comes_first
        return weak.relation != "type" or strong.relation == "constant"
    about_same = strong.names == weak.names or not weak.names
    return about_same and weak.relation in closure.get(strong.relation, set())


# Sentences ---------------------------------------------------------------------------------------------------------


def _property(candidate: Candidate, cases: Sequence[Case], returned: Sequence[Case]) -> Property:
    count = _count(candidate, cases, returned)
    text = candidate.text[:1].upper() + candidate.text[1:]

    def test(case: Case) -> bool | None:
        return None if case.error else candidate.test(case)

    return Property(candidate.kind, f"{text} ({count}).", len(cases), len(returned), test)


def _count(candidate: Candidate, cases: Sequence[Case], returned: Sequence[Case]) -> str:
    if len(cases) == len(returned):
        return f"held on all {len(cases)} inputs"
    reasons = [] if not candidate.when else [candidate.when]
    mine = {id(case) for case in cases}
    for name in ("", *candidate.names, *([candidate.subject] if candidate.kind == "purity" else [])):
        if not name and candidate.subject != "result":
            continue
        kinds = list(dict.fromkeys(_type_in(case, name) for case in cases))
        missing = [case for case in returned if id(case) not in mine and _type_in(case, name) not in kinds]
        if missing and len(kinds) <= 4:
            what = f"`{name}`" if name else "the result"
            reasons.insert(0, f"{what} is {articled(kinds)}")
    clause = f" where {' and '.join(reasons)}" if reasons else " to which it applies"
    return f"held on all {len(cases)} of {len(returned)} inputs{clause}"


def _type_in(case: Case, name: str) -> str:
    """The type of an argument, or of the result where no name is given."""
    return type_of(case.args.get(name, ABSENT) if name else case.result)


# Purity, exceptions, returns ---------------------------------------------------------------------------------------


def _steadiness(gathered: Gathered, least: int) -> Iterator[Property]:
    cases, returned = gathered.cases, gathered.returned
    if len(cases) >= least and all(case.steady for case in cases):
        text = f"Called again with equal arguments, it does the same (held on all {len(cases)} inputs)."
        yield Property("purity", text, len(cases), len(cases), lambda case: case.steady)
    if len(cases) >= least and not any(case.printed for case in cases):
        text = f"It prints nothing (held on all {len(cases)} inputs)."
        yield Property("purity", text, len(cases), len(cases), lambda case: not case.printed)
    if len(cases) >= least and len(returned) == len(cases):
        text = f"It raises no exception (held on all {len(cases)} inputs)."
        yield Property("raises", text, len(cases), len(cases), lambda case: not case.error)


def _raising(program: Program, gathered: Gathered, separator: Separator, least: int) -> Iterator[Property]:
    """Conditions on the inputs under which an exception of a type is raised.

    Where most inputs raise, or what they raise is that their types do not fit, the guesses about the parameters are
    wrong, and which inputs happen to fit says little: then only conditions that the code itself tests count.
    """
    mostly = 2 * len(gathered.returned) < len(gathered.cases)
    for name in dict.fromkeys(case.error for case in gathered.cases if case.error):

        def raised(case: Case, name: str = name) -> bool:
            return case.error == name

        misfit = name in ("TypeError", "AttributeError") and f"raise {name}" not in program.source
        said = f"It raises `{name}`"
        yield from _parted(gathered, separator.codes_own() if mostly or misfit else separator, least, "raises", said,
                           raised, "raise it", "do not")  # fmt: skip


def _returning(gathered: Gathered, separator: Separator, least: int) -> Iterator[Property]:
    """Conditions on the inputs under which each return statement ends the call."""
    for line in sorted({case.taken for case in gathered.cases if case.taken}):

        def taken(case: Case, line: int = line) -> bool:
            return case.taken == line

        said = f"The `return` on line {line} is taken"
        yield from _parted(gathered, separator, least, "returns", said, taken, "take it", "do not")


def _parted(
    gathered: Gathered,
    separator: Separator,
    least: int,
    kind: str,
    said: str,
    test: Callable[[Case], bool],
    do: str,
    do_not: str,
) -> Iterator[Property]:
    target = separator.mask(test)
    inside, total = target.bit_count(), len(gathered.cases)
    if inside == total:
        return
    exact = separator.exact(target) if total >= least else None
    few = least if exact is None or exact.parts > 1 else 1 if exact.of_code else MIN_PARTED_OFF
    if exact is not None and min(inside, total - inside) >= few:
        text = f"{said} exactly when `{exact.text}` ({inside} inputs {do}, {total - inside} {do_not})."
        yield Property(kind, text, total, total, lambda case: exact.test(case) == test(case))
        return
    enough = separator.enough(target, least)
    if enough is not None:
        held = separator.mask(enough.test).bit_count()
        text = f"{said} whenever `{enough.text}` (held on all {held} of {total} inputs where it is so)."
        yield Property(kind, text, held, total, lambda case: test(case) if enough.test(case) else None)
    needed = separator.needed(target) if inside >= least else None
    if needed is not None:
        text = f"{said} only when `{needed.text}` (held on all {inside} of {total} inputs that {do})."
        yield Property(kind, text, inside, total, lambda case: needed.test(case) if test(case) else None)


# Predicates of others ----------------------------------------------------------------------------------------------


def _proposed(
    program: Program, predicate: str, returned: Sequence[Case], box: Sandbox, limits: Limits, least: int
) -> Property | Refused:
    """The verdict on a predicate: it must answer True on every case, and something else on a result that is not."""
    try:
        asking = _predicate_program(program, predicate)
    except UsageError as error:
        return Refused(predicate, str(error))
    usable = [case for case in returned if not isinstance(case.result, Opaque) and _literals(case) is not None]
    if len(usable) < least:
        return Refused(predicate, f"only {len(usable)} inputs give plain data, {least} are needed")
    names = Function(program).parameters
    outcomes = outcomes_of(box, asking, [_question(case, case.result, names) for case in usable], limits)
    for case, outcome in zip(usable, outcomes, strict=True):
        wrong = _why_not(outcome)
        if wrong:
            return Refused(predicate, f"{wrong} for `{case.call}`, which gives {literal_text(case.result)[:80]}")
    others = [*[other.result for other in usable[1:]], usable[0].result]
    decoys = [_question(case, other, names) for case, other in zip(usable, others, strict=True)]
    decoys += [_question(usable[0], odd, names) for odd in (None, "\0", -987654321, [None, [None]], {"": ()})]
    if not any(_why_not(outcome) for outcome in outcomes_of(box, asking, decoys, limits)):
        return Refused(predicate, "it is true of any result, and so says nothing about this function")
    text = f"`{' '.join(predicate.split())}` is true (proposed, and held on all {len(usable)} inputs)."
    return Property("proposed", text, len(usable), len(returned), lambda case: None)


def _predicate_program(program: Program, predicate: str) -> Program:
    """A module with the predicate alone. Raises `UsageError` for what is neither a lambda nor one def of two."""
    try:
        body = ast.parse(predicate.strip()).body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise UsageError(f"it does not parse: {error}") from None
    node = body[-1] if body else None
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Lambda) and len(body) == 1:
        arguments, name, text = node.value.args, "_predicate", f"_predicate = {ast.unparse(node.value)}"
    elif isinstance(node, ast.FunctionDef):
        arguments, name, text = node.args, node.name, predicate.strip()
    else:
        raise UsageError("it is neither `lambda args, result: ...` nor a `def` of two parameters")
    if len([*arguments.posonlyargs, *arguments.args]) != 2 or arguments.vararg or arguments.kwonlyargs:
        raise UsageError("it does not take two parameters, the arguments and the result")
    names = list(Function(program).parameters)
    helper = (
        f"import collections as _collections\n_Args = _collections.namedtuple('Args', {names!r}, rename=True)\n"
        f"def _ask(values, result):\n    return {name}(_Args(*values), result)\n"
    )
    return Program(f"{text}\n\n{helper}", "_ask")


def _literals(case: Case) -> str | None:
    try:
        return literal_text(case.result)
    except (NotLiteral, TooLarge):
        return None


def _question(case: Case, result: Any, names: Sequence[str]) -> Invocation:
    values = tuple(case.args.get(name) for name in names)
    return Invocation(f"_ask({literal_text(values)}, {literal_text(result)})")


def _why_not(outcome: Outcome) -> str:
    """Why an answer is not True; empty if it is."""
    if outcome.exception is not None:
        return f"it raised {outcome.exception}"
    if outcome.value is None:
        return f"it gave no answer ({outcome.status}: {outcome.detail})"
    if outcome.value.ref is True:
        return ""
    return "it is False" if outcome.value.ref is False else f"it answered {outcome.value.display(60)}, which is no bool"


def document(findings: Findings) -> dict[str, Any]:
    """The findings as JSON data."""
    found = [{"kind": p.kind, "text": p.text, "held": p.held, "tried": p.tried} for p in findings.properties]
    refused = [{"predicate": r.predicate, "reason": r.reason} for r in findings.refused]
    counts = {"executed": findings.executed, "returned": findings.returned, "raised": findings.raised}
    domain = {name: dict(kinds) for name, kinds in findings.domain}
    whole = {"entry": findings.entry, "seed": findings.seed, **counts, "properties": found, "refused": refused}
    checked: dict[str, Any] = json.loads(json.dumps({**whole, "domain": domain, "notes": list(findings.notes)}))
    return checked

"""What a failing check of a test got and what it wanted, read from the recorded run of the test itself.

Read are `assert` statements (comparisons above all) and calls whose name begins with `assert`; of the two sides of a
comparison that one is what was got which the code under test gave, else the first.

Guarantees: values are those that the recorded run had there; where a side's value is not in the recording, it is None
and never guessed.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from semcoder.core import NotLiteral, Value
from semcoder.core.unfolding import TooLarge
from semcoder.debugging.visits import Run, Visit
from semcoder.tracing import Step

#: What checks with one argument want it to be.
_ALONE = {"assertTrue": True, "assertFalse": False, "assertIsNone": None}
#: What the names of checks begin with, in small letters.
_CHECKING = ("assert", "eq_")
#: What people call that which they want.
_EXPECTED = re.compile(r"expect|want|correct|should|desired")
_DEPTH = 20
_LONGEST, _PIECES = 40, 4


@dataclass(frozen=True, slots=True)
class Check:
    """A check that failed: its line in its own file, its text, what it got and wanted (None: unknown), and the visits
    that what it got may have come from, the likeliest first. `errors`: names of exceptions that it wanted in vain."""

    place: str
    text: str
    got: Value | None
    wanted: Value | None
    sources: tuple[Visit, ...]
    errors: frozenset[str] = frozenset()


def failed_check(run: Run) -> Check | None:
    """The check of the test that failed; None where the run was not recorded that far, or no test's code failed."""
    step = run.origin
    visit = None if step is None else run.by_frame.get(step.frame)
    if step is None or visit is None or visit.function.side != "test":
        return None
    return _Reader(run, visit, step).check()


def example_check(run: Run, place: str, text: str, got: str, wanted: str) -> Check:
    """The check that an example of a docstring is: what it shows is the text of a value, or what is printed."""
    sources = tuple(visit for visit in reversed(run.visits) if visit.function.side == "code" and visit.is_outermost)
    return Check(place, text, _shown_value(got), _shown_value(wanted), sources)


def _shown_value(text: str) -> Value:
    try:
        return Value.of(ast.literal_eval(text.strip()))
    except (ValueError, SyntaxError, TypeError, TooLarge, RecursionError, MemoryError):
        return Value.of(text)


def last_passed(run: Run) -> int:
    """The last step of a check of a test that passed before the run failed: what ran until then was right, as far as it
    was looked at; -1 for none."""
    origin = run.origin
    if origin is None:
        return -1
    at = (step for step in run.steps if step.node is origin.node and step.frame == origin.frame)
    begun = max((step.index for step in at if step.kind in ("statement", "test")), default=len(run.steps))
    passed = (step.index for step in run.steps[:begun] if run.side(step) == "test" and _is_check(step.node))
    return max(passed, default=-1)


def _is_check(node: ast.AST) -> bool:
    """Whether a statement is an `assert`, or a call that is named like one."""
    name, _ = _called(node)
    return isinstance(node, ast.Assert) or name.lower().startswith(_CHECKING)


def _called(node: ast.AST) -> tuple[str, Sequence[ast.expr]]:
    """The name of what a statement calls, and the arguments; "" where it is no call."""
    call = node.value if isinstance(node, ast.Expr) else None
    if not isinstance(call, ast.Call):
        return "", ()
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    return name, call.args


def _on_one_line(text: str, node: ast.AST) -> str:
    """A statement's text as it stands; one of several lines is written anew, as blanks in its texts count."""
    return text if "\n" not in text else " ".join(row.strip() for row in ast.unparse(node).splitlines())


class _Reader:
    """Reads one statement of a test, in whose last execution an exception came up."""

    def __init__(self, run: Run, visit: Visit, step: Step) -> None:
        self._run = run
        self._visit = visit
        self._node = step.node
        self._end = visit.last if isinstance(step.node, (ast.With, ast.AsyncWith)) else step.index
        self._start = self._begin(step.index)

    def _begin(self, end: int) -> int:
        """The step with which the last execution of the statement began."""
        for index in range(end, -1, -1):
            step = self._run.steps[index]
            if step.frame == self._visit.frame and step.node is self._node and step.kind in ("statement", "test"):
                return index
        return end

    def check(self) -> Check:
        node, run = self._node, self._run
        left, right = self._sides()
        got, wanted = self._value(left), self._value(right) if isinstance(right, ast.expr) else right
        if isinstance(right, ast.expr) and left is not None and self._rank(right, wanted) > self._rank(left, got):
            left, got, wanted = right, wanted, got
        elif isinstance(getattr(self._node, "test", None), ast.Compare) and got is not None and wanted is not None:
            wanted = _closest(got, wanted)
        text = ast.get_source_segment(run.trace.source, node) or ""
        sources = dict.fromkeys(self._sources(left, got))
        place = run.layout.place(int(getattr(node, "lineno", 1)))
        return Check(place, _on_one_line(text, node), got, wanted, tuple(sources), frozenset(_errors(node)))

    def _sides(self) -> tuple[ast.expr | None, ast.expr | Value | None]:
        """What was checked, and what it should have been."""
        node = self._node
        if isinstance(node, ast.Assert):
            return _of_test(node.test)
        name, given = _called(node)
        if name in _ALONE and given:
            return given[0], Value.of(_ALONE[name])
        if name.lower().startswith(_CHECKING) and len(given) >= 2:
            return given[0], given[1]
        return None, None

    def _value(self, node: ast.expr | None) -> Value | None:
        """The value that an expression of the statement had."""
        if node is None:
            return None
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("approx") and node.args:
            return self._value(node.args[0])
        if isinstance(node, ast.Name):
            return self._run.value_before(self._visit, node.id, self._end)[0]
        for step in reversed(self._own_steps()):
            value = step.value_of(node)
            if value is not None:
                return value
        try:
            return Value.of(ast.literal_eval(node))
        except (ValueError, SyntaxError, TypeError, TooLarge, RecursionError, MemoryError):
            return None

    def _own_steps(self) -> list[Step]:
        steps = self._run.steps[self._start : self._end + 1]
        return [step for step in steps if step.frame == self._visit.frame]

    def _made_in(self, start: int, end: int) -> list[Visit]:
        """Visits to code under test that a stretch of the test made, directly or through helpers, the last first."""
        found = [v for v in self._run.visits if start <= v.first <= end and v.function.side == "code"]
        return [visit for visit in reversed(found) if visit.is_outermost]

    def _bound_by(self, name: str) -> list[Visit]:
        """Visits that the statement made which gave a variable its value."""
        _, at = self._run.value_before(self._visit, name, self._end)
        if at < 0:
            return []
        node, start = self._run.steps[at].node, at
        while start > 0 and not (self._run.steps[start].node is node and self._run.steps[start].kind == "statement"):
            start -= 1
        return self._made_in(start, at)

    def _rank(self, node: ast.expr, value: Value | None) -> int:
        """How much speaks for it that this side is what was got: its value, how it was made, its name."""
        names = [n.id for n in ast.walk(node) if isinstance(n, ast.Name)]
        given = [gave for visit in self._made_in(0, self._end) for gave in visit.gave]
        rank = 4 if value is not None and is_telling(value) and value in given else 0
        calls = [self._value(n) for n in ast.walk(node) if isinstance(n, ast.Call)]
        rank += 2 if any(call is not None and call in given for call in calls) else 0
        rank += 2 if any(self._bound_by(name) for name in names) else 0
        return rank - (1 if _EXPECTED.search(ast.unparse(node).lower()) else 0)

    def _sources(self, node: ast.expr | None, got: Value | None) -> Iterator[Visit]:
        here = self._made_in(self._start, self._end)
        names = [] if node is None else [n.id for n in ast.walk(node) if isinstance(n, ast.Name)]
        before = [visit for name in names for visit in self._bound_by(name)]
        anywhere = self._made_in(0, self._end)
        if got is not None:
            for visits in (here, before, anywhere if is_telling(got) else []):
                yield from (visit for visit in visits if got in visit.gave)
        yield from here
        yield from before
        yield from anywhere


def _of_test(test: ast.expr) -> tuple[ast.expr | None, ast.expr | Value | None]:
    if isinstance(test, ast.Compare) and len(test.ops) == 1:
        return test.left, test.comparators[0]
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        return test.operand, Value.of(False)
    if isinstance(test, ast.BoolOp):
        return test.values[0], None
    return test, Value.of(True)


def _errors(node: ast.AST) -> Iterator[str]:
    """The exceptions that a statement wants to be raised, as `pytest.raises` and `assertRaises` are told."""
    calls = [item.context_expr for item in node.items] if isinstance(node, (ast.With, ast.AsyncWith)) else []
    calls += [node.value] if isinstance(node, ast.Expr) else []
    for call in calls:
        if isinstance(call, ast.Call) and call.args and ast.unparse(call.func).endswith(("raises", "Raises", "Regex")):
            for name in ast.walk(call.args[0]):
                if isinstance(name, (ast.Name, ast.Attribute)):
                    yield name.id if isinstance(name, ast.Name) else name.attr


def _closest(got: Value, wanted: Value) -> Value:
    """Of several texts of which one is wanted, the one that is most like what was got."""
    if got.kind != "str" or wanted.base not in ("list", "tuple", "set", "frozenset"):
        return wanted
    texts = [member for member in wanted.children() if member.kind == "str"]
    return max(texts, key=lambda text: sum(_ends(str(got.ref), str(text.ref))), default=wanted)


def is_telling(value: Value) -> bool:
    """Whether a value is so much its own that, where it is met again, it has come from the same place."""
    if value.kind in ("int", "float"):
        try:
            return bool(abs(value.to_python()) > 9)
        except NotLiteral:
            return False
    if value.kind in ("str", "bytes"):
        return len(value.display()) > 4
    if value.base == "opaque":  # a date, a decimal number, a path: they say what they are
        return value.node is not None and "(" in value.node[3]
    return value.place is not None and value.base not in ("opaque", "object", "exception") and bool(value.children())


@dataclass(frozen=True, slots=True)
class Difference:
    """Where two values part: the parts that hold it, outermost first.

    `wrong`: of two texts, pieces of what was got that what was wanted does not hold.
    """

    parts: tuple[tuple[Value, Value | None], ...]
    wrong: tuple[str, ...] = ()

    @property
    def leaf(self) -> Value:
        return self.parts[-1][0]


def difference(got: Value, wanted: Value | None) -> Difference:
    """The first part in which what was got is not what was wanted."""
    parts: list[tuple[Value, Value | None]] = [(got, wanted)]
    while len(parts) < _DEPTH:
        inner = _inner(*parts[-1])
        if inner is None:
            break
        parts.append(inner)
    one, two = parts[-1]
    if one.kind != "str" or two is None or two.kind != "str":
        return Difference(tuple(parts))
    wrong = dict.fromkeys(_wrong_pieces(str(one.ref), str(two.ref)))
    return Difference(
        tuple(parts), tuple(piece for piece in wrong if len(piece.strip()) > 1 or not piece.isprintable())
    )


def _inner(got: Value, wanted: Value | None) -> tuple[Value, Value | None] | None:
    """The first member that differs, and what it should be (None: nothing)."""
    if wanted is None or got.place is None or wanted.place is None or got.base != wanted.base:
        return None
    if got.base in ("list", "tuple"):
        ours, theirs = got.children(), wanted.children()
        for one, two in zip(ours, theirs, strict=False):
            if one != two and one.python_equal(two) is not True:
                return one, two
        return (ours[len(theirs)], None) if len(ours) > len(theirs) else None
    if got.base in ("set", "frozenset"):
        theirs = wanted.children()
        return next(((one, None) for one in got.children() if one not in theirs), None)
    pairs = _named(got), _named(wanted)
    for name, member in pairs[0].items():
        other = pairs[1].get(name)
        if other is None or (member != other and member.python_equal(other) is not True):
            return member, other
    return None


def _named(value: Value) -> dict[str, Value]:
    if value.base == "dict":
        return {key.display(): member for key, member in value.items()}
    return value.attributes()


def _ends(one: str, two: str) -> tuple[int, int]:
    """How many characters two texts share at the start, and then at the end."""
    start, end, length = 0, 0, min(len(one), len(two))
    while start < length and one[start] == two[start]:
        start += 1
    while end < length - start and one[-1 - end] == two[-1 - end]:
        end += 1
    return start, end


def _word(one: str, two: str) -> str:
    """What of the one text differs from the other, made up to whole words."""
    start, end = _ends(one, two)
    while start and one[start - 1].isalnum() and (one[start : start + 1] + two[start : start + 1]).isalnum():
        start -= 1
    ours, theirs = len(one) - end, len(two) - end
    while end and one[ours].isalnum() and (one[ours - 1 : ours] + two[theirs - 1 : theirs]).isalnum():
        end, ours, theirs = end - 1, ours + 1, theirs + 1
    return one[start:ours]


def _wrong_pieces(one: str, two: str) -> Iterator[str]:
    """Pieces of the one text that are not in the other: the words, the lines, what surrounds the first difference."""
    yield from [word for word in one.split() if word not in two][:_PIECES]
    yield from [part for part in re.findall(r"[^\W_]{3,}", one) if part not in two][:_PIECES]
    theirs = {line.strip() for line in two.splitlines()}
    yield from [line.strip() for line in one.splitlines() if line.strip() not in theirs][:_PIECES]
    word = _word(one, two)
    if len(word) <= _LONGEST and word not in two:
        yield word
    start, _ = _ends(one, two)
    low, high = start, min(start + 1, len(one))
    for turn in range(2 * _LONGEST):
        if high - low > 2 and one[low:high] not in two:
            yield one[low:high]
            return
        low, high = (low, min(high + 1, len(one))) if turn % 2 else (max(low - 1, 0), high)

"""Scoring of answers about an execution: a value that a call gives, or a call that gives a value.

The official scorers run `assert OUTPUT == ANSWER` below the program. Here the same text is parsed, and what stands for
the answer in it is a value by literals alone, or is evaluated in a process of its own where the program is not, and
becomes plain data; the comparison is made here.

Guarantees: no process that runs a word of an answer has the expected value, or the program; a proposed call meets the
program as a call over plain data, and lambdas that can only compute. What is compared is plain data, by Python's `==`.
"""

from __future__ import annotations

import ast
import contextlib
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from semcoder.benchmarks import Task
from semcoder.benchmarks._lambdas import is_pure
from semcoder.benchmarks._texts import marked, parsed
from semcoder.core import Invocation, Outcome, Program, Score, Value
from semcoder.judging import Question
from semcoder.judging.answers import MAX_ANSWER, MAX_CALL, Proposal, Unreadable, capturing, literal_value, spelled
from semcoder.prompts import Profile
from semcoder.sandbox import Limits, Sandbox, run_many

#: The official scorers give each answer three seconds by the clock, the start of a process among them.
LIMITS = Limits(cpu_s=1.0, wall_s=4.0)
_TOLD = 200


# What a text says ----------------------------------------------------------------------------------------------------


def stated_part(text: str, profile: Profile, *, call: bool) -> str:
    """The side of the completed assert that was asked for (`call`: the left one); other answers as they are."""
    answer = marked(text, profile)
    if answer is None:
        return ""
    answer = answer.strip().strip("`").strip()
    tree = parsed(answer)
    body = tree.body[0] if tree is not None and len(tree.body) == 1 else None
    test = body.test if isinstance(body, ast.Assert) else body.value if isinstance(body, ast.Expr) else None
    if isinstance(test, ast.Compare) and len(test.ops) == 1 and isinstance(test.ops[0], ast.Eq):
        return ast.get_source_segment(answer, test.left if call else test.comparators[0]) or ""
    if isinstance(body, ast.Assert) and test is not None:
        return ast.get_source_segment(answer, test) or ""
    left, found, right = answer.partition("==")
    return (left.strip().removeprefix("assert ").strip() if call else right.strip()) if found else answer


def _asserted(answer: str) -> ast.expr:
    """The expression that `assert OUTPUT == ANSWER` compares with the output. Raises `Unreadable`."""
    if len(answer) > MAX_ANSWER:
        raise Unreadable(f"the answer is longer than {MAX_ANSWER:,} characters")
    try:
        with warnings.catch_warnings():  # of the parser, on invalid escapes
            warnings.simplefilter("ignore")
            body = ast.parse(f"assert _ == {answer}").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise Unreadable("the answer is not a Python expression") from None
    test = body[0].test if len(body) == 1 and isinstance(body[0], ast.Assert) else None
    if not isinstance(test, ast.Compare) or len(test.ops) != 1:
        raise Unreadable("the answer is more than one expression")
    return test.comparators[0]


def _written(node: ast.expr) -> str:
    try:
        return ast.unparse(node)
    except (ValueError, RecursionError):
        raise Unreadable("the answer holds what cannot be written") from None


def setting_of(source: str) -> str:
    """What an answer may rely on of a program: its top level's imports, and names that are set to literals."""
    tree = parsed(source)
    return "\n".join(ast.unparse(node) for node in (tree.body if tree is not None else []) if _is_setting(node))


def _is_setting(node: ast.stmt) -> bool:
    if isinstance(node, ast.Assign):
        with contextlib.suppress(ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
            ast.literal_eval(node.value)
            return all(isinstance(target, ast.Name) for target in node.targets)
        return False
    return isinstance(node, (ast.Import, ast.ImportFrom))


# Lambdas -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Call:
    """A proposed call whose lambdas, of those that can only compute, are kept aside: a text stands for each."""

    proposal: Proposal
    lambdas: dict[str, ast.expr]

    @classmethod
    def of(cls, node: ast.Call) -> _Call:
        lambdas: dict[str, ast.expr] = {}

        def kept(part: ast.expr) -> ast.expr:
            if not is_pure(part):
                return part
            mark = f"<lambda {len(lambdas)}>"
            lambdas[mark] = part
            return ast.Constant(mark)

        words = [ast.keyword(word.arg, kept(word.value)) for word in node.keywords]
        shown = ast.Call(node.func, [kept(part) for part in node.args], words)
        return cls(Proposal(shown, _written(shown)), lambdas)

    def text(self, plain: str) -> str:
        """The call over plain data with its lambdas back where they stood. What else is equal to such a mark becomes
        a lambda, too: that is nothing that the answer could not have proposed."""
        if not self.lambdas:
            return plain
        node = ast.parse(plain, mode="eval").body
        assert isinstance(node, ast.Call)
        words = [ast.keyword(word.arg, self._back(word.value)) for word in node.keywords]
        return _written(ast.Call(node.func, [self._back(part) for part in node.args], words))

    def _back(self, part: ast.expr) -> ast.expr:
        mark = part.value if isinstance(part, ast.Constant) else None
        return self.lambdas.get(mark, part) if isinstance(mark, str) else part


# Values --------------------------------------------------------------------------------------------------------------


def plain(value: Value) -> Value:
    """The value with containers of types derived from Python's own as those: a Counter is a dict."""
    if not any("/" in str(node[0]) for node in value.nodes):
        return value
    return Value(value.ref, [(str(node[0]).partition("/")[0], *node[1:]) for node in value.nodes])


def _equal(value: Value, expected: Value) -> bool:
    return plain(value).python_equal(expected) is True


def _given(outcome: Outcome) -> str:
    if outcome.value is not None:
        return outcome.value.display(_TOLD)
    what = str(outcome.exception) if outcome.exception is not None else f"{outcome.status}: {outcome.detail}"
    return what[:_TOLD]


@dataclass(frozen=True, slots=True)
class _Job:
    """One thing to run: an expression, or a call, below some source."""

    source: str
    text: str


def _run(box: Sandbox, jobs: Iterable[_Job], *, together: bool) -> Iterator[tuple[_Job, Outcome]]:
    """Outcomes of distinct jobs; `together`: calls of the same source share its process, one after the other."""
    groups: dict[object, list[_Job]] = {}
    for job in dict.fromkeys(jobs):
        groups.setdefault(job.source if together else job, []).append(job)
    rows = list(groups.values())
    programs = ((Program(row[0].source, ""), [Invocation(job.text) for job in row]) for row in rows)
    for place, outcomes in run_many(box, programs, LIMITS):
        yield from zip(rows[place], outcomes, strict=True)


# Scores --------------------------------------------------------------------------------------------------------------


def _judged(value: Outcome, expected: Value, what: str) -> Score:
    if value.status == "sandbox_failed":
        return Score(None, f"{what} could not be run: {value.detail[:_TOLD]}")
    if value.value is not None and _equal(value.value, expected):
        return Score(True)
    return Score(False, f"{what} gives {_given(value)}, not {expected.display(_TOLD)}")


def score_outputs(
    answers: Sequence[tuple[Task, str]],
    question: Callable[[Task], Question],
    prelude: str = "",
    *,
    workers: int,
    unsafe: bool,
) -> Iterator[tuple[int, Score]]:
    """Scores of values that answers say a call gives. An answer that holds the text of the call is wrong, as it is
    officially. `prelude`: imports that every answer may rely on."""
    waiting: dict[_Job, list[tuple[int, Value]]] = {}
    for place, (task, answer) in enumerate(answers):
        asked = question(task)
        expected = literal_value(task.row["output"])
        try:
            if asked.call in answer:
                raise Unreadable("the answer holds the call itself")
            node = _asserted(answer)
            text = _written(node)
            try:
                said = literal_value(text)
            except Unreadable:
                job = _Job("\n".join(filter(None, [prelude, setting_of(asked.source)])), text)
                waiting.setdefault(job, []).append((place, expected))
                continue
            right = _equal(said, expected)
            yield place, Score(right, "" if right else f"it is {expected.display(_TOLD)}")
        except Unreadable as error:
            yield place, Score(False, str(error))
    if waiting:
        with Sandbox(workers=workers, unsafe=unsafe) as box:
            for job, outcome in _run(box, waiting, together=False):
                for place, expected in waiting[job]:
                    yield place, _judged(outcome, expected, "the answer")


def score_inputs(
    answers: Sequence[tuple[Task, str]], question: Callable[[Task], Question], *, workers: int, unsafe: bool
) -> Iterator[tuple[int, Score]]:
    """Scores of calls that answers propose for an output."""
    proposed: list[tuple[int, Question, _Call]] = []
    for place, (task, answer) in enumerate(answers):
        asked = question(task)
        try:
            proposed.append((place, asked, _proposed(answer, asked.entry)))
        except Unreadable as error:
            yield place, Score(False, str(error))
    if not proposed:
        return
    with Sandbox(workers=workers, unsafe=unsafe) as box:
        captures = {place: job for place, asked, call in proposed if (job := _capture(asked, call)) is not None}
        captured = dict(_run(box, captures.values(), together=False))
        waiting: dict[_Job, list[tuple[int, Value]]] = {}
        for place, asked, call in proposed:
            given = captured[captures[place]] if place in captures else None
            if given is not None and given.status == "sandbox_failed":
                yield place, Score(None, f"the proposed input could not be run: {given.detail[:_TOLD]}")
                continue
            try:
                text = call.text(call.proposal.text if given is None else _plain_call(call.proposal, given))
            except Unreadable as error:
                yield place, Score(False, str(error))
                continue
            waiting.setdefault(_Job(asked.source, text), []).append((place, literal_value(asked.output)))
        for job, outcome in _run(box, waiting, together=True):
            for place, expected in waiting[job]:
                yield place, _judged(outcome, expected, job.text[:_TOLD])


def _proposed(answer: str, entry: str) -> _Call:
    node = _asserted(answer)
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name) or node.func.id != entry:
        raise Unreadable(f"the answer is not a call of {entry}")
    call = _Call.of(node)
    if len(call.proposal.text) > MAX_CALL:
        raise Unreadable(f"the proposed call is longer than {MAX_CALL:,} characters")
    if not call.proposal.is_plain:
        capturing(call.proposal)  # what cannot be written is found here
    return call


def _capture(asked: Question, call: _Call) -> _Job | None:
    """What makes the arguments plain data, where they are not yet."""
    return None if call.proposal.is_plain else _Job(setting_of(asked.source), capturing(call.proposal))


def _plain_call(proposal: Proposal, given: Outcome) -> str:
    if given.value is None:
        raise Unreadable(f"the proposed input is no plain data: {_given(given)}")
    return spelled(proposal, given.value)

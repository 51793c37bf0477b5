"""What the built-in model gets right: answers, monologues and single steps, and where it first goes astray.

Guarantees: an answer is right if it equals, by Python's `==` and in its type, what execution gave; what the model
cannot be asked (`Asked.beyond`) is wrong in every share of all questions, and told by reason; shares have Wilson's
intervals. Proposed inputs are judged by whom the caller names, by execution. Measures are plain documents (JSON), whose
keys `docs/nano.md` explains, and `table` prints them. Nothing is written of what a question says.
"""

from __future__ import annotations

import ast
import bisect
import copy
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from semcoder.core import literal_text
from semcoder.nano.flatten import Flat, Instruction, flatten
from semcoder.nano.inverting import Decoding, Inversion, Reply, ask, invert_all, same, stated
from semcoder.nano.machine import Run, execute
from semcoder.nano.notation import ANSWER, DIRECT, EOS, IDS, LINES, Unreadable, Unsupported, write
from semcoder.nano.questions import Question
from semcoder.nano.rows import CONTEXT, ask_forward, ask_inverse
from semcoder.stats import wilson

Document = dict[str, Any]
#: The most likely next token at every place of a row of ids.
Forced = Callable[[list[int]], list[int]]
#: Verdicts on proposed calls, by execution; None where it could not say.
Judged = Callable[[Sequence[tuple[Question, str]]], list[bool | None]]
#: What a program is made of, by name.
Groups = Callable[[str], Iterable[str]]

LENGTHS = (40, 80, 160, 320, 640)
#: Executions of more tokens are not followed: no kind of answer to them would fit.
_LONGEST = 20_000
_CONSTANTS: tuple[Any, ...] = (None, True, False, 0, 1, -1, "", [], {}, ())


# Questions as the model is asked them --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Asked:
    """A question as the model is asked it. `beyond`: why it cannot be; then there is no prompt.

    `value`: what execution gave; `given`: the call's arguments as they are written.
    `run`: the true monologue; None where there is none, or the instructions come to another value than execution did.
    `truth`: the true answer of the kind, EOS included; empty where there is no run.
    """

    question: Question
    value: Any
    given: tuple[Any, ...] = ()
    flat: Flat | None = None
    prompt: tuple[str, ...] = ()
    run: Run | None = None
    truth: tuple[str, ...] = ()
    beyond: str = ""

    @property
    def is_trivial(self) -> bool:
        """Whether the value is an argument's or a constant that is right by chance more often than others."""
        return any(same(self.value, each) for each in (*self.given, *_CONSTANTS))


def prepare(question: Question, kind: str = ANSWER, context: int = CONTEXT) -> Asked:
    """The question in the model's language, for answers of a kind."""
    value: Any = None
    given: dict[str | int, Any] = {}
    try:
        value, given = ast.literal_eval(question.output), _given(question.call)
        flat = flatten(question.source, question.entry)
        arguments = _bound(flat, given)
        prompt = ask_forward(flat, arguments, kind)
        run = _run(flat, arguments, terse=False)
        sound = not run.exception and same(run.value, value)
        truth = [*_true_answer(flat, arguments, run, kind), EOS] if sound else []
        if len(prompt) + len(truth) > context:
            raise Unsupported("a run too long for the built-in model")
    except Unsupported as error:
        return Asked(question, value, tuple(given.values()), beyond=str(error))
    except (SyntaxError, ValueError, TypeError, RecursionError, MemoryError) as error:
        return Asked(question, value, tuple(given.values()), beyond=f"not to be read ({type(error).__name__})")
    made = run if sound else None
    return Asked(question, value, tuple(given.values()), flat, tuple(prompt), made, tuple(truth))


def _given(call: str) -> dict[str | int, Any]:
    """A call's arguments by place or name."""
    node = ast.parse(call.strip(), mode="eval").body
    if not isinstance(node, ast.Call):
        raise Unsupported("a call that is none")
    try:
        found: dict[str | int, Any] = dict(enumerate(map(ast.literal_eval, node.args)))
        found.update((str(word.arg), ast.literal_eval(word.value)) for word in node.keywords)
    except (ValueError, TypeError) as error:
        raise Unsupported("arguments that are no literals") from error
    return found


def _bound(flat: Flat, given: Mapping[str | int, Any]) -> list[Any]:
    """Arguments in the order of the parameters; those that are not given have their defaults."""
    names = flat.names[: flat.params]
    found: dict[str | int, Any] = dict(zip(names[flat.params - len(flat.defaults) :], flat.defaults, strict=True))
    found.update(
        (names[key] if isinstance(key, int) and key < len(names) else key, each) for key, each in given.items()
    )
    if found.keys() != set(names):
        raise Unsupported("a call with other arguments than the function's parameters")
    return [found[name] for name in names]


def _run(flat: Flat, arguments: Sequence[Any], *, terse: bool) -> Run:
    return execute(flat, copy.deepcopy(list(arguments)), limit=_LONGEST, terse=terse)


def _true_answer(flat: Flat, arguments: Sequence[Any], run: Run, kind: str) -> list[str]:
    if kind == DIRECT:
        return ["return", *write(run.value)]
    return _run(flat, arguments, terse=True).tokens if kind == LINES else run.tokens


# Steps of a monologue ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Step:
    """What stands between an instruction's label and the next step's, that one included (of the last: EOS).

    `start`, `end`: places in the answer, `end` excluded; the first step has its own label, too. `parts`: what each of
    its tokens is.
    """

    operation: str
    start: int
    end: int
    parts: tuple[str, ...]


#: What a token of a step is.
PARTS = ("operand", "scratch", "result", "next label")
#: Operations whose last token says which way it goes on.
_DECIDING = frozenset({"if", "unless", "assert", "except"})
#: Methods and functions that spell out a text, or running values, before their result.
_SPELLING = frozenset(
    ["count", "find", "index", "rfind", "rindex", "partition", "rpartition", "split", "rsplit", "replace", "ljust",
     "rjust", "center", "zfill", "sum", "max", "min"]
)  # fmt: skip


def steps(flat: Flat, truth: Sequence[str]) -> list[Step]:
    """The steps of a true monologue that ends with EOS.

    A label also names a value, so where a step ends is told from the program: at the label of an instruction that can
    come next, which is none that the step's own instruction reads.
    """
    found: list[Step] = []
    start = 0
    while start < len(truth) - 1:
        label = int(truth[start][1:])
        one = flat.code[label]
        following = {f"L{place}" for place in _following(one, label)}
        end = next((at for at in range(start + 1, len(truth)) if truth[at] in following), len(truth) - 1)
        parts = [*_parts(one, list(truth[start + 1 : end])), PARTS[3]]
        first = 0 if not found else start + 1
        found.append(Step(operation(one), first, end + 1, tuple([PARTS[3]] * (start + 1 - first) + parts)))
        start = end
    return found


def operation(one: Instruction) -> str:
    """What an instruction does, by name: its operation, and which operator, method or function."""
    name = f".{one.name}" if one.op == "method" else one.name
    return f"{one.op} {name}".strip()


def _following(one: Instruction, label: int) -> Iterator[int]:
    if one.op != "goto":
        yield label + 1
    yield from (place for place in (one.jump, one.handler) if place >= 0)


def _parts(one: Instruction, body: list[str]) -> list[str]:
    """What each token between two labels is: of an operand told again, of scratch work, or of the result."""
    if one.op in _DECIDING:
        return [PARTS[2]] * len(body)
    if one.op in ("walk", "put"):
        at = 1 if one.op == "put" else 0
        plain = one.op == "put" or one.name == "range"
        return [PARTS[1]] * at + [PARTS[2] if plain else PARTS[0]] * (len(body) - at)
    result = next((at for at in range(len(body)) if _opens_result(body, at)), len(body))
    return _scratch(one, body[:result]) + [PARTS[2]] * (len(body) - result)


def _opens_result(body: Sequence[str], at: int) -> bool:
    token, after = body[at], body[at + 1] if at + 1 < len(body) else ""
    named = token[0] == "v" and token[1:].isdecimal() and after == "="
    raised = token == "!" and at == len(body) - 2 and len(after) > 1
    return named or raised or token in ("→", "return", "end")


def _scratch(one: Instruction, before: list[str]) -> list[str]:
    """Of the tokens before a result: a value with positions beside all its elements is an operand told again."""
    spelled = one.name in _SPELLING and one.op in ("method", "call")
    found: list[str] = []
    scratch = False
    at = 0
    while at < len(before):
        end = _positions_end(before, at)
        if end:
            found += [PARTS[0]] * (end - at)
            at = end
            continue
        token = before[at]
        scratch = scratch or spelled or token == "⟦" or (token[0] == "#" and len(token) > 1)
        found.append(PARTS[1] if scratch else PARTS[0])
        scratch = scratch or (one.op == "compare" and token in ("in", "notin"))  # what follows is a search
        at += 1
    return found


def _positions_end(tokens: list[str], at: int) -> int:
    """Where a value with positions beside its elements, and the name before it, ends; 0 where none begins at `at`."""
    if tokens[at][0] in "vL" and tokens[at][1:].isdecimal():
        at += 1
    if tokens[at : at + 1] != ["⟦"] or "⟧" not in tokens[at:]:
        return 0
    end = tokens.index("⟧", at)
    last = tokens[end - 1]  # of elements that were searched or picked, it is no position
    return end + 1 if last[0] == "#" and len(last) > 1 else 0


# Shares --------------------------------------------------------------------------------------------------------------


def share(right: int, of: int) -> Document:
    """A share with its interval, in percent."""
    low, high = wilson(right, of)
    part = round(100 * right / of, 2) if of else None
    return {"n": of, "right": right, "percent": part, "interval": [round(100 * low, 2), round(100 * high, 2)]}


def _by(rows: Iterable[tuple[Iterable[str], bool]]) -> dict[str, Document]:
    """Shares by group, the largest first."""
    asked: Counter[str] = Counter()
    right: Counter[str] = Counter()
    for groups, good in rows:
        asked.update(found := list(groups))
        right.update(found if good else ())
    return {name: share(right[name], number) for name, number in asked.most_common()}


def _by_length(rows: Iterable[tuple[Asked, bool]]) -> dict[str, Document]:
    """Shares by the number of tokens of the true monologue."""
    names = [*(f"up to {bound}" for bound in LENGTHS), f"over {LENGTHS[-1]}", "unknown"]
    found = _by(((names[_length(asked)],), right) for asked, right in rows)
    return {name: found[name] for name in names if name in found}


def _length(asked: Asked) -> int:
    if asked.run is None:
        return len(LENGTHS) + 1
    return bisect.bisect_left(LENGTHS, len(asked.run.tokens))


def baselines(asked: Sequence[Asked]) -> Document:
    """What needs no model: saying the first argument, and saying the value that most questions have."""
    first = sum(bool(each.given) and same(each.given[0], each.value) for each in asked)
    common = Counter(each.question.output for each in asked).most_common(1)
    return {
        "first argument": share(first, len(asked)),
        "most frequent value": share(common[0][1] if common else 0, len(asked)),
    }


def beyond(asked: Sequence[Asked]) -> Document:
    """What cannot be asked, by reason; and how often the instructions come to another value than execution."""
    reasons = Counter(each.beyond for each in asked if each.beyond)
    unsound = sum(not each.beyond and each.run is None for each in asked)
    count = sum(reasons.values())
    return {"share": share(count, len(asked)), "reasons": dict(reasons.most_common()), "unsound": unsound}


# Forward -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Answered:
    """The model's answer to a question that it could be asked; `right`: of its value; `readable`: it states one."""

    asked: Asked
    said: Reply
    right: bool
    readable: bool


def answered(asked: Sequence[Asked], decoder: Decoding, *, temperature: float = 0.0, seed: int = 0) -> list[Answered]:
    """The answers to those questions that the model can be asked, in order."""
    able = [each for each in asked if not each.beyond]
    found = ask(decoder, [each.prompt for each in able], temperature=temperature, seed=seed)
    return [_answered(each, said) for each, said in zip(able, found, strict=True)]


def _answered(asked: Asked, said: Reply) -> Answered:
    try:
        value = stated(said.tokens)
    except Unreadable:
        return Answered(asked, said, right=False, readable=False)
    return Answered(asked, said, said.ended and same(value, asked.value), said.ended)


def forward(asked: Sequence[Asked], decoder: Decoding, groups: Groups) -> tuple[Document, list[Answered]]:
    """Greedy answers to all questions: how many are right, which, and where the others leave the truth."""
    start = time.perf_counter()
    found = answered(asked, decoder)
    seconds = time.perf_counter() - start
    right = {id(each.asked) for each in found if each.right}
    telling = [each for each in asked if not each.is_trivial]
    true = [each for each in found if each.asked.truth]
    tokens = sum(len(each.said.tokens) + each.said.ended for each in found)
    document = {
        "all": share(len(right), len(asked)),
        "asked": share(len(right), len(found)),
        "neither argument nor constant": share(sum(id(each) in right for each in telling), len(telling)),
        "exact": share(sum(_place(each) < 0 for each in true), len(true)),
        "unreadable": sum(not each.readable for each in found),
        "cut": sum(not each.said.ended for each in found),
        "longest": max((len(each.said.tokens) for each in found), default=0),
        "by length": _by_length((each, id(each) in right) for each in asked if not each.beyond),
        "by construct": _by((groups(each.question.source), id(each) in right) for each in asked),
        "diverged": _diverged([each for each in true if each.asked.prompt[-1] == ANSWER]),
        "seconds": round(seconds, 1),
        "tokens": tokens,
        "tokens a second": round(tokens / seconds, 1) if seconds else None,
    }
    return document, found


def _place(answer: Answered) -> int:
    """The first place where an answer is not the truth; -1: nowhere."""
    truth = answer.asked.truth
    said = (*answer.said.tokens, EOS) if answer.said.ended else answer.said.tokens
    return next((at for at, token in enumerate(truth) if said[at : at + 1] != (token,)), -1)


def divergence(answer: Answered) -> tuple[str, str] | None:
    """The operation, and the part of its step, at which a monologue leaves the truth; None where it never does."""
    at, flat = _place(answer), answer.asked.flat
    if at < 0 or flat is None:
        return None
    step = next(step for step in steps(flat, answer.asked.truth) if at < step.end)
    return step.operation, step.parts[at - step.start]


def _diverged(answers: Sequence[Answered]) -> Document:
    places = [(each.right, place) for each in answers if (place := divergence(each)) is not None]
    return {
        "n": len(places),
        "right all the same": sum(right for right, _ in places),
        "by operation": dict(Counter(operation for _, (operation, _) in places).most_common()),
        "by part": dict(Counter(part for _, (_, part) in places).most_common()),
        "by both": dict(Counter(": ".join(place) for _, place in places).most_common()),
    }


def voted(
    asked: Sequence[Asked], greedy: Sequence[Answered], decoder: Decoding, *, votes: int = 9, temperature: float = 0.6
) -> Document:
    """The most frequent readable answer among the greedy one and `votes` drawn ones; the earlier of equally many."""
    start = time.perf_counter()
    rounds = [list(greedy)]
    for seed in range(votes):
        rounds.append(answered(asked, decoder, temperature=temperature, seed=seed))
    right = some = 0
    for answers in zip(*rounds, strict=True):
        counts: Counter[tuple[str, ...]] = Counter()
        verdicts: dict[tuple[str, ...], bool] = {}
        for each in answers:
            if each.readable:
                key = tuple(write(stated(each.said.tokens)))
                counts[key] += 1
                verdicts[key] = each.right
        right += bool(counts) and verdicts[counts.most_common(1)[0][0]]
        some += any(verdicts.values())
    return {
        "votes": votes,
        "temperature": temperature,
        "all": share(right, len(asked)),
        "right among them": share(some, len(asked)),
        "seconds": round(time.perf_counter() - start, 1),
    }


# Single steps --------------------------------------------------------------------------------------------------------


def single_steps(asked: Sequence[Asked], forced: Forced) -> Document:
    """How often a step is right where all before it is true: each of its tokens is the most likely one."""
    start = time.perf_counter()
    rows: list[tuple[tuple[str], bool]] = []
    parts: list[tuple[tuple[str], bool]] = []
    for each in asked:
        if each.flat is None or not each.truth or each.prompt[-1] != ANSWER:
            continue
        ids = [IDS[token] for token in (*each.prompt, *each.truth)]
        likely = forced(ids[:-1])[len(each.prompt) - 1 :]
        good = [told == true for told, true in zip(likely, ids[len(each.prompt) :], strict=True)]
        for step in steps(each.flat, each.truth):
            rows.append(((step.operation,), all(good[step.start : step.end])))
            parts += [((part,), good[step.start + at]) for at, part in enumerate(step.parts)]
    return {
        "all": share(sum(right for _, right in rows), len(rows)),
        "by operation": _by(rows),
        "tokens by part": _by(parts),
        "seconds": round(time.perf_counter() - start, 1),
    }


# Inverse -------------------------------------------------------------------------------------------------------------


def inverse(
    asked: Sequence[Asked], decoder: Decoding, judged: Judged, *, tries: int = 15, kind: str = ANSWER
) -> Document:
    """Inputs for the outputs: the greedy proposal, and the first that the model's own simulation bears out (where none
    is, the one whose simulation looks most like the output).

    What is asked is the program and its output: a question whose call the model cannot read can be asked all the same.
    """
    able = [(question, *put) for question in (each.question for each in asked) if (put := _asked_back(question))]
    start = time.perf_counter()
    found = invert_all(decoder, [(flat, value) for _, flat, value in able], tries=tries, kind=kind)
    seconds = time.perf_counter() - start
    questions = [question for question, _, _ in able]
    greedy = _verdicts([(each, one.greedy) for each, one in zip(questions, found, strict=True)], judged)
    checked = _verdicts([(each, one.arguments) for each, one in zip(questions, found, strict=True)], judged)
    proposed = [(verdict, one.agreed) for verdict, one in zip(checked, found, strict=True) if one.arguments is not None]
    agreed, others = ([verdict for verdict, fits in proposed if fits is kept] for kept in (True, False))
    return {
        "asked": share(len(able), len(asked)),
        "greedy": share(sum(map(bool, greedy)), len(asked)),
        "checked": share(sum(map(bool, checked)), len(asked)),
        "agreed": share(len(agreed), len(asked)),
        "right where agreed": share(sum(map(bool, agreed)), len(agreed)),
        "right where only near": share(sum(map(bool, others)), len(others)),
        "not judged": sum(verdict is None for verdict in checked),
        "no arguments": sum(one.greedy is None for one in found),
        "simulated": _simulated(found),
        "seconds": round(seconds, 1),
    }


def _asked_back(question: Question) -> tuple[Flat, Any] | None:
    """A program and its output in the model's language; None where one of them is beyond it."""
    try:
        flat, value = flatten(question.source, question.entry), ast.literal_eval(question.output)
        ask_inverse(flat, value)
        return flat, value
    except (Unsupported, SyntaxError, ValueError, TypeError, RecursionError, MemoryError):
        return None


def _verdicts(proposed: Sequence[tuple[Question, list[Any] | None]], judged: Judged) -> list[bool | None]:
    calls = [
        (question, f"{question.entry}({', '.join(map(literal_text, arguments))})")
        for question, arguments in proposed
        if arguments is not None
    ]
    verdicts = iter(judged(calls))
    return [False if arguments is None else next(verdicts) for _, arguments in proposed]


def _simulated(found: Sequence[Inversion]) -> Document:
    tried = [one.tried for one in found]
    return {"all": sum(tried), "most": max(tried, default=0)}


# Printing ------------------------------------------------------------------------------------------------------------


def table(document: Mapping[str, Any], depth: int = 0, most: int = 20) -> Iterator[str]:
    """A document of measures as lines to read; of long lists the first `most`."""
    indent = "  " * depth
    for number, (name, part) in enumerate(document.items()):
        if number == most:
            yield f"{indent}... and {len(document) - most} more"
            return
        if isinstance(part, Mapping) and "interval" in part:
            yield f"{indent}{name:<{max(1, 40 - len(indent))}} {_share_text(part)}"
        elif isinstance(part, Mapping):
            yield f"{indent}{name}"
            yield from table(part, depth + 1, most)
        else:
            yield f"{indent}{name:<{max(1, 40 - len(indent))}} {part}"


def _share_text(part: Mapping[str, Any]) -> str:
    if part["percent"] is None:
        return "-"
    low, high = part["interval"]
    return f"{part['percent']:6.2f} %  [{low:.1f}, {high:.1f}]  {part['right']} of {part['n']}"

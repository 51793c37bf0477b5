"""The Python face: `run`, `trace`, `explain`, `verify`, `predict` over source text or a path.

Guarantees: every program runs in the sandbox; a result that could not be had raises an error of `semcoder.errors` that
says why, and never comes back half done. One sandbox is shared by all calls of a process and closed at its end.
"""

from __future__ import annotations

import ast
import atexit
import dataclasses
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from semcoder.core import Claim, Detail, Direction, Invocation, Monologue, Outcome, Program, TooLarge, Value
from semcoder.core.calling import call_entry, check_call, parse_source
from semcoder.errors import LimitHit, ProgramEnded, SandboxError, SemcoderError, UsageError
from semcoder.monologue import Backward, check, proposed_call, tell
from semcoder.monologue import style as find_style
from semcoder.monologue import verify as verify_text
from semcoder.monologue.forward import Forward
from semcoder.monologue.sentences import read_sentences
from semcoder.monologue.solving import find_input
from semcoder.sandbox import Job, Limits, Reply, Sandbox, run_program
from semcoder.tracing import MAX_EVENTS, TASK, Trace, trace_from_document

if TYPE_CHECKING:
    from semcoder.judging import Question, Verdict
    from semcoder.models import Completion, Model
    from semcoder.prompts import Profile
    from semcoder.properties import Findings

_lock = threading.Lock()
_shared: Sandbox | None = None
_own: ContextVar[Sandbox | None] = ContextVar("_own", default=None)


@contextmanager
def using(box: Sandbox) -> Iterator[None]:
    """Within it, what is called here runs in this sandbox, side by side with what other threads do."""
    before = _own.set(box)
    try:
        yield
    finally:
        _own.reset(before)


@contextmanager
def sandbox(*, unsafe: bool = False) -> Iterator[Sandbox]:
    """The sandbox of `using`, else the one that this process shares, one user at a time; a sandbox of its own where
    `unsafe` is asked for."""
    global _shared
    if (chosen := _own.get()) is not None:
        yield chosen
        return
    if unsafe:
        with Sandbox(workers=1, unsafe=True) as own:
            yield own
        return
    with _lock:
        if _shared is None:
            _shared = Sandbox(workers=1)
            atexit.register(_shared.close)
        yield _shared


def read_source(source: str | Path) -> tuple[str, str]:
    """Source text, and what to call it in messages. A string on one line that ends in `.py` is a path."""
    if isinstance(source, str) and ("\n" in source or not source.endswith(".py")):
        return source, "the program"
    return read_text(Path(source)), str(source)


def read_text(path: Path) -> str:
    """The text of a file in UTF-8. Raises `UsageError` naming the file and what is wrong with it."""
    if "\0" in str(path):
        raise UsageError(f"{str(path)!r} is not a path")
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise UsageError(f"{path}: there is no such file") from None
    except UnicodeDecodeError:
        raise UsageError(f"{path}: not a text file in UTF-8") from None
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror or error}") from None


def run(
    source: str | Path, call: str, *, setup: str = "", limits: Limits | None = None, unsafe: bool = False
) -> Outcome:
    """One call, in the sandbox. What the program does is the outcome; what is no call raises `UsageError`."""
    text, where = read_source(source)
    entry = check_call(parse_source(text, where), call, where)
    with sandbox(unsafe=unsafe) as box:
        outcome = run_program(box, Program(text, entry), [Invocation(call, setup=setup)], limits or Limits())[0]
    if outcome.status == "sandbox_failed":
        raise SandboxError(f"the sandbox could not run {call}: {outcome.detail}")
    return outcome


def trace(
    source: str | Path,
    call: str,
    *,
    setup: str = "",
    limits: Limits | None = None,
    max_events: int = MAX_EVENTS,
    unsafe: bool = False,
) -> Trace:
    """The execution of one call. Raises `LimitHit` where a limit ended the run before the trace was complete."""
    text, where = read_source(source)
    check_call(parse_source(text, where), call, where)
    with sandbox(unsafe=unsafe) as box:
        return trace_many(box, text, [Invocation(call, setup=setup)], limits or Limits(), max_events=max_events)[0]


def trace_many(
    box: Sandbox,
    source: str,
    invocations: Sequence[Invocation],
    limits: Limits,
    *,
    max_events: int = MAX_EVENTS,
    hash_seed: int = 0,
    ends: bool = False,
) -> list[Trace]:
    """Traces of several calls of one program, in one process of the sandbox. `ends`: a call whose recording is full is
    ended there; its trace is `truncated`, and its outcome says nothing of the program."""
    job = Job(
        task=TASK,
        payload={"source": source, "max_events": max_events, "ends": ends},
        items=tuple(invocation.parts for invocation in invocations),
        limits=limits,
        hash_seed=hash_seed,
    )
    replies = box.execute(job)
    return [_trace(source, i, reply) for i, reply in zip(invocations, replies, strict=True)]


def _trace(source: str, invocation: Invocation, reply: Reply) -> Trace:
    if reply.status == "sandbox_failed":
        raise SandboxError(f"the sandbox could not trace {invocation.text}: {reply.detail}")
    if reply.status == "exited":
        raise ProgramEnded(f"{invocation.text} ended its process before it could be told: {reply.detail}")
    if reply.status != "returned":
        raise LimitHit(f"{invocation.text} was not traced to its end ({reply.status}): {reply.detail}")
    return trace_from_document(source, reply.data, invocation)


def explain(
    source: str | Path,
    call: str | None = None,
    *,
    output: str | None = None,
    entry: str | None = None,
    style: str = "forward",
    detail: Detail = "line",
    labels: bool | None = None,
    setup: str = "",
    limits: Limits | None = None,
    budget: int = 2000,
    unsafe: bool = False,
) -> Monologue:
    """A forward monologue of a call, or a backward one from an output; every claim checked by a second execution.

    `output` is literal text; `entry` names the function where the source has several. `style` is any of
    `semcoder.monologue.styles()`; `labels` says whether lines have labels, where a style leaves the choice (None: as is
    usual in the style). Raises `UsageError` for bad arguments, `LimitHit` where the run was too long to tell, or where
    no input was found for an output.
    """
    if (call is None) == (output is None):
        raise UsageError("give a call (forward) or an output (backward), and only one of them")
    if detail not in get_args(Detail):
        raise UsageError(f"there is no detail {detail!r}; there are: {', '.join(get_args(Detail))}")
    text, where = read_source(source)
    tree = parse_source(text, where)
    if output is not None:
        if labels is False:
            raise UsageError("a text that goes back from an output names the line of every step: labels stay")
        name = entry or only_function(text, where)
        check_call(tree, f"{name}()", where)
        return _explain_output(text, name, _literal(output), detail, limits or Limits(), budget, unsafe)
    assert call is not None
    check_call(tree, call, where)
    chosen = find_style(style)
    with sandbox(unsafe=unsafe) as box:
        told, again = trace_many(box, text, [Invocation(call, setup=setup)] * 2, limits or Limits())
    _check_tellable(told)
    if chosen.direction == "backward" and told.outcome.status != "returned":
        raise UsageError(f"{call} does not return a value, so there is no output to reason back from")
    monologue = tell(chosen, told, detail=detail, labels=labels)
    claims = check(chosen, monologue.text, again, detail=detail, labels=labels)
    return dataclasses.replace(monologue, claims=tuple(claims))


def _literal(text: str) -> Value:
    try:
        return Value.of(ast.literal_eval(text.strip()))
    except (ValueError, SyntaxError, TypeError, TooLarge, RecursionError, MemoryError):
        raise UsageError(f'the output {text!r} is not a literal; write one like --output "[1, 2]"') from None


def _check_tellable(run_trace: Trace) -> None:
    outcome = run_trace.outcome
    if outcome.status == "invalid":
        raise UsageError(outcome.detail)
    if outcome.status not in ("returned", "raised", "exited"):
        raise LimitHit(f"{run_trace.invocation.text} did not finish ({outcome.status}): {outcome.detail}")
    if run_trace.truncated:
        raise LimitHit(
            f"{run_trace.invocation.text} is too long to tell: a limit was hit after {len(run_trace):,} events"
        )


def _explain_output(
    text: str, name: str, wanted: Value, detail: Detail, limits: Limits, budget: int, unsafe: bool
) -> Monologue:
    with sandbox(unsafe=unsafe) as box:

        def run_calls(calls: Sequence[str]) -> list[Outcome]:
            quick = dataclasses.replace(limits, cpu_s=min(limits.cpu_s, 0.5))
            return run_program(box, Program(text, name), [Invocation(c) for c in calls], quick)

        found = find_input(text, name, wanted, run_calls, budget=budget)
        if found is None:
            raise LimitHit(
                f"no input of {name} was found that gives {wanted.display(80)} (up to {budget} candidates were run)"
            )
        first, again = trace_many(box, text, [Invocation(found.call)] * 2, limits)
    monologue = Backward().render(first, detail=detail, found=found)
    return dataclasses.replace(monologue, claims=tuple(verify_text(monologue.text, again)))


def only_function(source: str, where: str = "the program") -> str:
    """The function that is meant where none is named: the only one, or `f`, or the only one that no other calls.

    Raises `UsageError` where there are several.
    """
    tree = parse_source(source, where)
    names = [n.name for n in tree.body if isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef))]
    if not names:
        raise UsageError(f"{where} defines no function; name what is called with --entry")
    used = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}
    unused = [name for name in names if name not in used]
    if "f" in names:
        return "f"
    if len(names) > 1 and len(unused) != 1:
        raise UsageError(f"{where} defines several functions; name one with --entry: {', '.join(unused or names)}")
    return names[0] if len(names) == 1 else unused[0]


def properties(
    source: str | Path,
    entry: str | None = None,
    *,
    inputs: int = 200,
    seed: int = 0,
    proposed: Sequence[str] = (),
    unsafe: bool = False,
) -> Findings:
    """Properties of a function that held on every one of `inputs` generated inputs, each with the number that backs it.

    `proposed` are predicates of others, `lambda args, result: ...` or a `def`, decided by the same test. Raises
    `UsageError` where the program has no such function.
    """
    from semcoder.properties import find_properties

    text, where = read_source(source)
    name = entry or only_function(text, where)
    check_call(parse_source(text, where), f"{name}()", where)
    with sandbox(unsafe=unsafe) as box:
        return find_properties(Program(text, name), box, inputs=inputs, seed=seed, proposed=proposed)


def verify(source: str | Path, text: str, call: str | None = None, *, limits: Limits | None = None) -> list[Claim]:
    """Check a monologue that anyone wrote: the program is executed again, and each claim of the text gets a verdict.

    `call` defaults to the call that the text itself names. Raises `UsageError` where there is none.
    """
    claimed = call or proposed_call(text)
    if claimed is None:
        raise UsageError("the text names no call (like: The call is `f(1)`.); give the call beside it")
    call_entry(claimed)
    return verify_text(text, trace(source, claimed, limits=limits))


@dataclass(frozen=True, slots=True)
class Prediction:
    """What a model said of an execution, and what execution says of that.

    `text`: all that it wrote; `cut`: whether a bound on its tokens ended that. `model`: the model's spec or name,
    `profile`: the name of the wording in which it was asked, `style`: that in which its claims were read. `told`: the
    sentence of the monologue with the first false claim, `happened`: what our own forward style says of that step; both
    empty where there is none, or the two cannot be laid side by side.
    """

    text: str
    monologue: str
    verdict: Verdict
    direction: Direction
    model: str
    profile: str
    style: str
    cut: bool = False
    prompt_tokens: int = 0
    completion_tokens: int = 0
    told: str = ""
    happened: str = ""


def predict(
    source: str | Path,
    call: str | None = None,
    *,
    output: str | None = None,
    entry: str | None = None,
    model: str | Model | None = None,
    profile: Profile | str | Path | None = None,
    style: str | None = None,
    temperature: float = 0.0,
    max_tokens: int = 1024,
    limits: Limits | None = None,
    unsafe: bool = False,
    on_text: Callable[[str], None] | None = None,
) -> Prediction:
    """What a model says that a call gives, or which call it says gives an output, judged by execution.

    `model`: a spec (docs/models.md) or an opened model, by default the built-in one. Its folder may say in which
    `profile` it is to be asked and in which `style` it tells; else these are the package's default and the direction's
    own. `on_text` gets the model's text in whole lines, as soon as they are there; of a model that says sentence by
    sentence what it thinks, the monologue alone. Raises `UsageError` for bad arguments and for what the model says it
    cannot answer, `SemcoderError` where it gave no text.
    """
    from semcoder.judging import Judge
    from semcoder.prompts import BUILT_IN

    question = _question(source, call, output, entry)
    model = BUILT_IN if model is None else model
    chosen, told_in = _wording(model, profile, style, question.direction)
    asked, name = (opened(model), model) if isinstance(model, str) else (model, model.name)
    completion, tokens = _ask(asked, chosen, question.instruction(chosen), temperature, max_tokens, on_text)
    if completion.finish == "refused":
        raise UsageError(completion.text)
    cut = completion.finish == "length"
    text = completion.text if cut else chosen.closed(completion.text)
    with sandbox(unsafe=unsafe) as box:
        verdict = Judge(box, chosen, limits=limits or Limits()).judge(question, text, told_in)
        monologue = chosen.parse(text).monologue
        beside = _beside(box, question, monologue, verdict, limits or Limits())
    return Prediction(
        text, monologue, verdict, question.direction, name, chosen.name, told_in, cut, tokens[0], tokens[1], *beside
    )


def _beside(box: Sandbox, question: Question, monologue: str, verdict: Verdict, limits: Limits) -> tuple[str, str]:
    """The sentence with the first false claim, and the true one of that step: its place among those that name a line is
    the same in both texts, since what stands before it is true and leaves no step out."""
    first, call = verdict.first_false, proposed_call(monologue)
    sentences = [each for each in read_sentences(monologue) if each.line]
    place = next((k for k, each in enumerate(sentences) if first is not None and each.start == first.start), None)
    if place is None or call is None:
        return "", ""
    try:
        (ran,) = trace_many(box, question.shown, [Invocation(call, setup=question.setup)], limits)
    except SemcoderError:
        return "", ""
    true = [each for each in read_sentences(Forward().render(ran, detail="expression").text) if each.line]
    return (sentences[place].text, true[place].text) if place < len(true) else ("", "")


def _question(source: str | Path, call: str | None, output: str | None, entry: str | None) -> Question:
    """What is asked. Raises `UsageError` where that makes no sense for this source."""
    from semcoder.judging import Question

    if (call is None) == (output is None):
        raise UsageError("give a call (forward) or an output (backward), and only one of them")
    text, where = read_source(source)
    tree = parse_source(text, where)
    if call is not None:
        return Question(text, check_call(tree, call, where), "forward", call=call)
    assert output is not None
    name = entry or only_function(text, where)
    check_call(tree, f"{name}()", where)
    _literal(output)
    return Question(text, name, "backward", output=output.strip())


def _wording(
    model: str | Model, profile: Profile | str | Path | None, style: str | None, direction: Direction
) -> tuple[Profile, str]:
    """Profile and style: as given, else as the model's folder says, else the defaults. Raises `UsageError`."""
    from semcoder.prompts import Profile, profile_for

    named = None if isinstance(profile, Profile) else profile
    chosen, told_in = profile_for(model if isinstance(model, str) else model.name, named)
    if style is not None and find_style(style).direction != direction:
        raise UsageError(f"the style {style} does not tell an execution {direction}; leave --style out")
    if style is None and told_in and find_style(told_in).direction == direction:
        style = told_in
    return profile if isinstance(profile, Profile) else chosen, style or direction


def opened(spec: str) -> Model:
    """The model of a spec, for one answer that somebody is waiting for: a server is not asked for long."""
    from semcoder.models import open_model

    options: dict[str, Any] = {"attempts": 3} if spec.startswith("openai:") else {}
    return open_model(spec, **options)


def _ask(
    model: Model,
    profile: Profile,
    instruction: str,
    temperature: float,
    max_tokens: int,
    on_text: Callable[[str], None] | None,
) -> tuple[Completion, tuple[int, int]]:
    """One text, and the tokens of prompt and text. Raises `SemcoderError` where there is none."""
    from semcoder.models import Message, Request, Sampling, Streaming

    sampling = Sampling(max_tokens, temperature, stop=profile.stops)
    if profile.chat:
        turns = tuple(Message("user", turn["content"]) for turn in profile.messages(instruction))
        request = Request(turns, sampling=sampling)
    else:
        request = Request(text=profile.prompt(instruction), sampling=sampling)
    is_told = isinstance(model, Streaming) and on_text is not None
    if isinstance(model, Streaming) and on_text is not None:
        reply = model.stream(request, on_text)
    else:
        ((_, reply),) = model.generate([request])
    if not reply.completions:
        raise SemcoderError(f"the model gave no answer: {reply.error}")
    completion = reply.completions[0]
    if on_text is not None and not is_told and completion.finish != "refused":
        on_text(completion.text if completion.finish == "length" else profile.closed(completion.text))
    return completion, (reply.prompt_tokens, reply.completion_tokens)


def describe(outcome: Outcome) -> str:
    """One line for a person: the value, the exception, or what stopped the run."""
    if outcome.status == "returned":
        return outcome.value.display() if outcome.value is not None else ""
    if outcome.exception is not None:
        return f"raised {outcome.exception}"
    return f"{outcome.status}: {outcome.detail}" if outcome.detail else outcome.status

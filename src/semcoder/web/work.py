"""What the page can do with a program: trace it, have it said, check a text, debug a call, ask a model for a patch.

Each takes a request's document and gives the answer's. Guarantees: programs run in the sandbox alone, and what the
search for an input evaluates here is plain data, in bounded work; nothing is kept from one request to the next but the
processes of the sandbox and the weights of the model; verdicts are those of an execution of its own. Meant for threads:
any number at a time.
"""

from __future__ import annotations

import ast
import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from semcoder import api
from semcoder.core import Invocation, Monologue, Outcome, Program
from semcoder.errors import LimitHit, ProgramEnded, SandboxError, SemcoderError, UsageError
from semcoder.monologue import check, proposed_call, style, styles, tell, verify
from semcoder.report import monologue_shape, stepper_shape
from semcoder.report.shape import pieces
from semcoder.sandbox import Sandbox, run_program
from semcoder.tracing import Trace
from semcoder.web.asking import Pasted, Refusal, choice, in_words, only, pasted, text
from semcoder.web.settings import Settings
from semcoder.web.talker import Talker

if TYPE_CHECKING:
    from semcoder.debugging.blame import Blame
    from semcoder.debugging.duck import Telling

#: Characters of a text whose claims are read, and brackets that may be open in one of its lines: reading takes time
#: that grows with the square of either.
MAX_TEXT, MAX_OPEN = 20_000, 100
#: Characters of a monologue of ours that is read again to be checked: values are told whole in it.
MAX_TOLD = 1_000_000
#: Candidates that are run to find an input for an output.
BUDGET = 1_000
#: What a pasted program is called in what is told of it.
FILE = "program.py"
DETAILS = ("line", "expression")

Result = TypeVar("Result")
#: Is given the sentences of a model as they come, as the stepper's pieces; may raise to end it.
Tell = Callable[[list[str]], None]


class Run(Protocol):
    """Does a piece of work that runs programs, as soon as there is a place for it."""

    def __call__(self, work: Callable[[], Result]) -> Result: ...


@dataclass(frozen=True, slots=True)
class Recorded:
    """Two recordings of one run (None: there is no second one), and what a reader must know of them."""

    trace: Trace
    again: Trace | None
    notes: tuple[str, ...] = ()


class Work:
    """A context manager: at its end no process is left."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.box = Sandbox(workers=settings.workers, unsafe=settings.unsafe)
        self.talker = Talker(settings.model, settings.profile)

    def __enter__(self) -> Work:
        return self

    def __exit__(self, *_: object) -> None:
        self.box.close()

    def warm_up(self) -> None:
        """Starts the sandbox's processes, so that the first visitor does not wait for them. Raises `SandboxError`."""
        api.trace_many(self.box, "def f():\n    return 1\n", [Invocation("f()")], self._settings.limits)

    # -- step through

    def trace(self, doc: Mapping[str, Any]) -> dict[str, Any]:
        """`source`, `call` or `stdin`, `style`, `detail` -> `stepper`, `notes`."""
        only(doc, "source", "call", "stdin", "style", "detail")
        given = pasted(doc, self._settings, "call", "stdin")
        recorded = self._record(given)
        return self._walked(recorded, self._told(recorded, doc))

    def _record(self, given: Pasted) -> Recorded:
        """Recordings of a run. One that is long, or has no end, is recorded as far as a stepper shows it, and its
        outcome is that of a run without a recorder."""
        assert given.invocation is not None
        settings, twice = self._settings, [given.invocation] * 2
        try:
            first, again = api.trace_many(
                self.box, given.source, twice, settings.limits, max_events=settings.max_events, ends=True
            )
        except LimitHit as error:  # of the recording, or of the program, which alone may fare better
            ending = _ending(self._outcome(given))
            raise LimitHit(ending or f"its values are too large to be recorded: {error}") from None
        if first.outcome.status == "invalid":
            raise Refusal(first.outcome.detail, "call")
        if not first.truncated:
            return Recorded(first, again, _about(first.outcome))
        outcome = self._outcome(given)
        first, again = (dataclasses.replace(each, outcome=outcome) for each in (first, again))
        return Recorded(first, again)

    def _outcome(self, given: Pasted) -> Outcome:
        assert given.invocation is not None
        program = Program(given.source, given.call.partition("(")[0])
        # Without the recorder it is many times as fast, and who waits for it has seen nothing yet.
        limits = dataclasses.replace(self._settings.limits, cpu_s=min(1.0, self._settings.limits.cpu_s))
        (outcome,) = run_program(self.box, program, [given.invocation], limits)
        if outcome.status == "sandbox_failed":
            raise SandboxError(f"the sandbox could not run it: {outcome.detail}")
        return outcome

    def _told(self, recorded: Recorded, doc: Mapping[str, Any]) -> Monologue | None:
        """The monologue of a run, each claim checked on the other recording."""
        chosen, detail = style(choice(doc, "style", ["forward", *sorted(styles())])), choice(doc, "detail", DETAILS)
        if chosen.direction == "backward" and recorded.trace.invocation.kind == "stdin":
            raise Refusal("a whole program gives no value, so there is no output to reason back from", "style")
        if chosen.direction == "backward" and recorded.trace.outcome.status != "returned":
            raise Refusal("the call does not return a value, so there is no output to reason back from", "call")
        told = tell(chosen, recorded.trace, detail="expression" if detail == "expression" else "line")
        if len(told.text) > MAX_TOLD:
            return None
        if recorded.again is None:
            return told
        claims = check(chosen, told.text, recorded.again, detail="expression" if detail == "expression" else "line")
        return dataclasses.replace(told, claims=tuple(claims))

    @staticmethod
    def _walked(recorded: Recorded, told: Monologue | None) -> dict[str, Any]:
        """The stepper with its monologue, or beside a text that does not go with its steps."""
        beside = told is not None and (told.direction == "backward" or told.style not in ("forward", "text"))
        missing = () if told is not None else ("Its values are too long to be told in words.",)
        shape = stepper_shape(recorded.trace, None if beside else told)
        return {
            "stepper": shape,
            "monologue": monologue_shape(told) if told is not None and beside else None,
            "first_false": _first_false(shape["monologue"]),
            "notes": [*recorded.notes, *missing],
        }

    # -- say it

    def explain(self, doc: Mapping[str, Any]) -> dict[str, Any]:
        """`source` and `call` (as `trace`, in any style), or `output` and `entry` -> as `trace`, with `answer`."""
        only(doc, "source", "call", "output", "entry", "style", "detail")
        if not doc.get("output"):
            recorded = self._record(pasted(doc, self._settings, "call"))
            told = self._told(recorded, doc)
            return {**self._walked(recorded, told), "answer": told.answer if told is not None else ""}
        given = pasted(doc, self._settings)
        output = text(doc, "output", self._settings.max_call)
        detail = choice(doc, "detail", DETAILS)
        with api.using(self.box):
            try:
                told = api.explain(
                    given.source,
                    output=output,
                    entry=text(doc, "entry", 200, "") or None,
                    detail="expression" if detail == "expression" else "line",
                    limits=self._settings.limits,
                    budget=BUDGET,
                )
            except UsageError as error:
                raise Refusal(in_words(error), "output" if "output" in str(error) else "entry") from None
        recorded = self._record(Pasted(given.source, Invocation(told.answer)))
        return {**self._walked(recorded, told), "answer": told.answer}

    def verify(self, doc: Mapping[str, Any]) -> dict[str, Any]:
        """`source`, `call`, `text` -> as `trace`, with the text's sentences and verdicts."""
        only(doc, "source", "call", "text")
        said = text(doc, "text", MAX_TEXT)
        _check_readable(said)
        call = text(doc, "call", self._settings.max_call, "") or proposed_call(said)
        if call is None:
            raise Refusal("the text names no call (like: The call is `f(1)`.); give the call beside it", "call")
        recorded = self._record(pasted({**doc, "call": call}, self._settings, "call"))
        assert recorded.again is not None
        told = Monologue("forward", "text", said, "", tuple(verify(said, recorded.again)))
        return self._walked(recorded, told)

    def ask_for(self, doc: Mapping[str, Any]) -> Callable[[Tell], dict[str, Any]]:
        """`source`, and `call` or `output` and `entry` -> what asks the model: as `trace`, with the verdict."""
        only(doc, "source", "call", "output", "entry")
        output = text(doc, "output", self._settings.max_call, "")
        given = pasted(doc, self._settings, *([] if output else ["call"]))
        entry = text(doc, "entry", 200, "") or None
        profile, told_in = self.talker.wording()
        direction = "backward" if output else "forward"
        matching = told_in if told_in and style(told_in).direction == direction else None

        def ask(said: Tell) -> dict[str, Any]:
            with api.using(self.box):
                found = api.predict(
                    given.source,
                    given.call or None,
                    output=output or None,
                    entry=entry if output else None,
                    model=self.talker.model(),
                    profile=profile,
                    style=matching,
                    limits=self._settings.limits,
                    on_text=lambda rows: said_rows(said, rows),
                )
            self.talker.asked.set()
            return {**self._beside(given, found), **_judged(found)}

        def said_rows(said: Tell, rows: str) -> None:
            self.talker.asked.set()
            for row in filter(str.strip, rows.split("\n")):
                said(pieces(row.strip()))

        return ask

    def _beside(self, given: Pasted, found: api.Prediction) -> dict[str, Any]:
        """A model's monologue with the stepper of the run that it is about, if there is one."""
        verdict = found.verdict
        told = Monologue(
            found.direction,
            "text" if found.style in ("forward", "backward") else found.style,
            found.monologue or found.text,
            verdict.answer or "",
            verdict.claims,
        )
        nothing: dict[str, Any] = {
            "stepper": None,
            "monologue": monologue_shape(told),
            "first_false": None,
            "notes": [],
        }
        call = given.call or _call_in(verdict.answer)
        if not call:
            return nothing
        try:
            recorded = self._record(Pasted(given.source, Invocation(call)))
        except SemcoderError:
            return nothing
        return self._walked(recorded, dataclasses.replace(told, direction="forward"))

    # -- debug

    def debug(self, doc: Mapping[str, Any]) -> dict[str, Any]:
        """`source`, `call`, `expect` -> as `trace`, with `passes`, `got`, `wanted`, `lines`, `suspects` and
        `first_wrong`."""
        from semcoder.debugging.cases import fits

        only(doc, "source", "call", "expect", "detail")
        given, wanted = self._case(doc)
        recorded = self._record(given)
        told = self._told(recorded, {**doc, "style": "forward"})
        answer: dict[str, Any] = {
            "passes": fits(recorded.trace.outcome, wanted),
            "got": api.describe(recorded.trace.outcome)[:400],
            "wanted": wanted.display(400),
            "lines": [],
            "suspects": [],
            "first_wrong": None,
            **self._walked(recorded, told),
        }
        if not answer["passes"]:
            found = self._explained(recorded, wanted)
            answer["lines"] = [pieces(row) for row in found.lines()]
            answer["suspects"] = [
                {"name": each.name, "defined": each.defined, "line": each.line} for each in found.suspected
            ]
            answer["first_wrong"] = _first_wrong(recorded.trace, found.blame, len(answer["stepper"]["steps"]))
        return answer

    def _case(self, doc: Mapping[str, Any]) -> tuple[Pasted, Any]:
        from semcoder.debugging.cases import literal

        given = pasted(doc, self._settings, "call")
        try:
            return given, literal(text(doc, "expect", self._settings.max_call))
        except UsageError as error:
            raise Refusal(in_words(error), "expect") from None

    def _explained(self, recorded: Recorded, wanted: Any) -> Telling:
        from semcoder.debugging.cases import explain_call

        trace = recorded.trace
        notes = [f"The recording stopped after {len(trace):,} events."] if trace.truncated else []
        return explain_call(trace, FILE, wanted, notes=notes)

    def repair(self, doc: Mapping[str, Any], run: Run) -> dict[str, Any]:
        """`source`, `call`, `expect` -> `passes`, `diff`, `cause`, `source` (repaired), `rounds`, `refused`. Whatever
        runs programs is handed to `run`, which waits for a place for it."""
        from semcoder.debugging import patching
        from semcoder.debugging.cases import fits

        only(doc, "source", "call", "expect", "detail")
        model = self.talker.coder()
        given, wanted = self._case(doc)
        recorded = run(lambda: self._record(given))
        if fits(recorded.trace.outcome, wanted):
            raise Refusal("the call gives what is expected: there is nothing to repair", "expect")
        found = self._explained(recorded, wanted)
        path = Path(FILE)
        failing = f"assert {given.call} == {str(doc['expect']).strip()}"
        names = tuple(each.name for each in found.suspected)
        question = patching.Question(failing, tuple(found.lines()), {path: given.source}, {path: names})

        def tested(changes: Mapping[Path, str]) -> str:
            try:
                patched = pasted({"source": changes[path], "call": given.call}, self._settings, "call")
                outcome = run(lambda: self._outcome(patched))
            except (UsageError, Refusal, LimitHit, ProgramEnded) as error:
                return str(error)
            return "" if fits(outcome, wanted) else f"{given.call} now gives: {api.describe(outcome)[:400]}"

        done = patching.repair(model, question, tested)
        self.talker.asked.set()
        patch = done.patch
        return {
            "passes": patch is not None,
            "diff": "" if patch is None else patch.diff,
            "cause": "" if patch is None else patch.cause,
            "source": "" if patch is None else patch.changes[path],
            "rounds": len(done.refused) if patch is None else patch.rounds,
            "refused": [in_words(UsageError(each))[:600] for each in done.refused],
        }


def _about(outcome: Outcome) -> tuple[str, ...]:
    """What a reader must know of how a recorded run ended, beyond the outcome itself."""
    raised = outcome.exception
    if raised is not None and raised.type in ("PermissionError", "BlockingIOError"):
        return ("The sandbox lets a program compute and nothing else: no files, no network, no other processes.",)
    return ()


_ENDS = {
    "timeout": "It was stopped, since it did not end in time",
    "memory": "It was stopped, since it asked for too much memory",
    "output_limit": "It was stopped, since it printed or returned too much",
}


def _ending(outcome: Outcome) -> str:
    """How a run ended, in a sentence; empty for one that ended as programs do."""
    said = _ENDS.get(outcome.status)
    return "" if said is None else f"{said}: {outcome.detail}."


def _first_false(told: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Number and step of the first sentence with a claim that is false."""
    for number, sentence in enumerate(told["sentences"] if told is not None else ()):
        if any(claim["verdict"] is False for claim in sentence["claims"]):
            return {"sentence": number, "step": sentence["step"]}
    return None


def _first_wrong(trace: Trace, found: Blame, shown: int) -> dict[str, Any] | None:
    """The step in which the wrong value, or a piece of it, or the exception came up, if the stepper shows it."""
    step, what = found.born, "value"
    if found.raised is not None:
        step, what = found.raised.index, "exception"
    elif step < 0 and found.functions:
        step, what = found.functions[0].step, "suspect"
    if not 0 <= step < shown:
        return None
    return {"step": step, "line": trace.steps[step].line, "what": what, "piece": found.piece[:200]}


def _judged(found: api.Prediction) -> dict[str, Any]:
    verdict = found.verdict
    return {
        "right": verdict.right,
        "reason": verdict.reason[:600],
        "truth": verdict.truth[:400],
        "answer": (verdict.answer or "")[:400],
        "direction": found.direction,
        "cut": found.cut,
        "tokens": found.completion_tokens,
    }


def _call_in(answer: str | None) -> str:
    """The call that an answer's assert is about; empty for none."""
    try:
        body = ast.parse((answer or "").strip()).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ""
    node: Any = body[0] if len(body) == 1 else None
    node = node.test if isinstance(node, ast.Assert) else getattr(node, "value", None)
    node = node.left if isinstance(node, ast.Compare) else node
    return ast.unparse(node) if isinstance(node, ast.Call) else ""


def _check_readable(said: str) -> None:
    """Raises `Refusal` for a text that takes too long to read."""
    for number, row in enumerate(said.split("\n"), 1):
        depth = 0
        for character in row:
            depth += (character in "[({") - (character in "])}" and depth > 0)
            if depth > MAX_OPEN:
                raise Refusal("the monologue has a line with too many open brackets", "text", line=number)

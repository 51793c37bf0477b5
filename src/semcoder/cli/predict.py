"""`semcoder predict`: what a model says of an execution, then what execution says of that.

Guarantees: the model's text is on stdout before anything is judged, without what would move a terminal's cursor; the
exit code tells the verdict (0 right, 1 wrong, or the program gave no value, 3 a limit, 4 the sandbox); with --json it
is one document with the keys of `docs/cli.md`.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING, Annotated, Any

import typer

from semcoder.cli.asking import MaxTokens, ProfileName, Temperature
from semcoder.cli.execution import (
    Cpu,
    File,
    Json,
    Memory,
    Unsafe,
    claim_counts,
    claim_document,
    limits_of,
    source_of,
)
from semcoder.cli.printing import Segment, document, line, note, one_line, progress, styled_lines
from semcoder.errors import UsageError

if TYPE_CHECKING:
    from semcoder.api import Prediction
    from semcoder.core import Claim
    from semcoder.judging import Verdict


def predict(
    file: File,
    *,
    call: Annotated[
        str | None,
        typer.Option("--call", metavar="CALL", help="Ask what this call gives.", show_default=False),
    ] = None,
    output: Annotated[
        str | None,
        typer.Option("--output", metavar="VALUE", help="Ask for a call that gives this output.", show_default=False),
    ] = None,
    entry: Annotated[
        str | None,
        typer.Option("--entry", metavar="NAME", help="With --output: the function to be called.", show_default=False),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(
            "--model",
            metavar="MODEL",
            help="nano (built in), hf:NAME-or-PATH or openai:NAME@BASE_URL [default: nano].",
            show_default=False,
        ),
    ] = None,
    style: Annotated[
        str | None,
        typer.Option(
            "--style",
            metavar="STYLE",
            help="What the model tells in [default: as its folder says, else forward or backward].",
            show_default=False,
        ),
    ] = None,
    profile: ProfileName = None,
    temperature: Temperature = 0.0,
    max_tokens: MaxTokens = 1024,
    cpu: Cpu = 5.0,
    memory: Memory = 256,
    unsafe: Unsafe = False,
    as_json: Json = False,
) -> int:
    """Let a model say what a call gives, or which call gives an output, and execute to see if that is so.

    The model's text comes first, sentence by sentence if the model is the built-in one; then the verdict: whether its
    answer is right, how many claims of its monologue are true, and the first false one with what was true, its sentence
    beside the true one. A model that follows instructions in conversations needs --profile chat. Exit code: 0 right, 1
    wrong or no answer, or the program itself gave no value, 2 the request was wrong or the model gave no text, 3 a
    limit was hit, 4 the sandbox failed.

    \b
    Examples:
      semcoder predict stack.py --call "balanced('(())')"
      semcoder predict stack.py --call "balanced('(())')" --model hf:runs/my-model
      semcoder predict stack.py --output True --entry balanced --model openai:m@http://localhost:8000/v1
    """
    from semcoder import api

    if (call is None) == (output is None):
        raise UsageError("give either --call (forward) or --output (backward)")
    if call is not None and entry is not None:
        raise UsageError("--entry goes with --output only; a call names its function itself")
    source, limits = source_of(file), limits_of(cpu, memory)
    with ExitStack() as waiting:
        if sys.stderr.isatty():
            waiting.enter_context(progress())(f"asking {model or 'nano'}")

        def show(text: str) -> None:
            waiting.close()
            _show(text)

        told = api.predict(
            source,
            call,
            output=output,
            entry=entry,
            model=model,
            profile=profile,
            style=style,
            temperature=temperature,
            max_tokens=max_tokens,
            limits=limits,
            unsafe=unsafe,
            on_text=None if as_json else show,
        )
    code = exit_code(told.verdict)
    if as_json:
        document({"file": file, "call": call, "output": output, **prediction_document(told), "exit_code": code})
        return code
    styled_lines(_judgement(told))
    if told.cut:
        note(f"the text was cut after {max_tokens:,} tokens; --max-tokens allows more")
    return code


def _show(text: str) -> None:
    """A model's text, a line at a time: it may hold anything."""
    for row in text.split("\n"):
        line("\t".join(map(one_line, row.split("\t"))))
    sys.stdout.flush()


def _judgement(told: Prediction) -> Iterator[list[Segment]]:
    """The verdict in lines, after an empty one."""
    verdict = told.verdict
    yield []
    if verdict.right:
        which = "the call" if told.direction == "forward" else "the proposed call"
        yield [("right: ", "bold green"), (one_line(f"{which} gives {_short(verdict.truth)}"), "")]
    elif verdict.right is None:
        yield [("not judged: ", "bold yellow"), (one_line(verdict.reason), "")]
    else:
        yield [("wrong: ", "bold red"), (one_line(verdict.reason), "")]
    counts = claim_counts(verdict.claims)
    true = counts["claims"] - counts["false"] - counts["unchecked"]
    told_of = (
        f"{counts['claims']:,} claims: {true:,} true, {counts['false']:,} false, {counts['unchecked']:,} not checked"
    )
    yield [(told_of if verdict.claims else "no claims that could be read", "")]
    if verdict.first_false is not None:
        yield [("the first false one: ", ""), (_claim_line(verdict.first_false), "red")]
    if told.told:
        yield [("  told:     ", ""), (one_line(told.told), "red")]
        yield [("  happened: ", ""), (one_line(told.happened), "green")]


def _claim_line(claim: Claim) -> str:
    place = f"line {claim.line}: " if claim.line else ""
    truth = f"; in truth: {claim.actual}" if claim.actual else ""
    return one_line(f"{place}{claim.text}{truth}")


def _short(text: str, width: int = 200) -> str:
    return text if len(text) <= width else f"{text[: width - 4]} ..."


def exit_code(verdict: Verdict) -> int:
    """The exit code that tells a verdict."""
    from semcoder.core import LIMIT_STATUSES

    if verdict.right is not None:
        return 0 if verdict.right else 1
    if verdict.status in LIMIT_STATUSES:
        return 3
    return 4 if verdict.status == "sandbox_failed" else 1


def prediction_document(told: Prediction) -> dict[str, Any]:
    verdict = told.verdict
    first = verdict.first_false
    return {
        "model": told.model,
        "profile": told.profile,
        "style": told.style,
        "direction": told.direction,
        "text": told.text,
        "cut": told.cut,
        "monologue": told.monologue,
        "answer": verdict.answer,
        "right": verdict.right,
        "reason": verdict.reason,
        "truth": verdict.truth,
        "status": verdict.status,
        "true_part": verdict.true_part,
        "counts": claim_counts(verdict.claims),
        "first_false": None if first is None else claim_document(first),
        "claims": [claim_document(claim) for claim in verdict.claims],
        "tokens": {"prompt": told.prompt_tokens, "completion": told.completion_tokens},
    }


COMMANDS = (predict,)

"""Commands on one program: run, trace, explain, verify.

Guarantees: the exit code says what happened (0 returned, 1 raised or a false claim, 2 a wrong request, 3 a limit,
4 the sandbox); with --json every result is one document with the keys of `docs/cli.md`.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from semcoder.cli.printing import Segment, document, line, note, one_line, styled_lines, write
from semcoder.errors import UsageError

if TYPE_CHECKING:
    from semcoder.core import Claim, Monologue, Outcome, Value
    from semcoder.monologue import Style
    from semcoder.sandbox import Limits
    from semcoder.tracing import Trace

MIB = 1024 * 1024
#: Waiting allowed per second of computing: programs that sleep are stopped too.
WALL_PER_CPU = 6.0

File = Annotated[str, typer.Argument(metavar="FILE", help="A Python file; - reads it from stdin.", show_default=False)]
Call = Annotated[
    str, typer.Option("--call", metavar="CALL", help='What to call, like "f([1, 2])".', show_default=False)
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document per result (keys: docs/cli.md).")]
Cpu = Annotated[float, typer.Option("--limit-cpu", metavar="SECONDS", help="Computing time the program may use.")]
Memory = Annotated[int, typer.Option("--limit-memory", metavar="MIB", help="Memory the program may use.")]
Detailed = Annotated[
    Literal["line", "expression"], typer.Option("--detail", help="Tell statements, or sub-expressions too.")
]
Labels = Annotated[
    bool | None,
    typer.Option(
        "--labels/--no-labels", help="Label the lines, or not [default: as usual in the style].", show_default=False
    ),
]
Unsafe = Annotated[
    bool, typer.Option("--unsafe", help="Go on where the kernel cannot keep a promise of the sandbox, with a warning.")
]


def source_of(file: str) -> str | Path:
    """What the Python face takes as a source: a path, or the text of stdin for `-`."""
    if file != "-":
        return Path(file)
    try:
        return sys.stdin.read() + "\n"  # never mistaken for a path: it does not end in .py
    except UnicodeDecodeError:
        raise UsageError("stdin is not text in UTF-8") from None


def limits_of(cpu: float, memory: int) -> Limits:
    """Limits from the options. Raises `UsageError` for what is out of range."""
    from semcoder.sandbox import Limits

    if not (math.isfinite(cpu) and 0.01 <= cpu <= 86_400):
        raise UsageError(f"--limit-cpu {cpu:g} is not a number of seconds from 0.01 to 86400")
    if not 1 <= memory <= 1024 * 1024:
        raise UsageError(f"--limit-memory {memory} is not a number of MiB from 1 to 1048576")
    return Limits(cpu_s=cpu, wall_s=max(2.0, WALL_PER_CPU * cpu), memory=memory * MIB)


# run ---------------------------------------------------------------------------------------------------------------


def run(
    file: File, *, call: Call, cpu: Cpu = 5.0, memory: Memory = 256, unsafe: Unsafe = False, as_json: Json = False
) -> int:
    """Run one call in the sandbox and print what it returns.

    The program's printed output comes first, then the value. Exit code: 0 returned, 1 raised or exited, 2 the request
    was wrong, 3 a limit was hit, 4 the sandbox failed.

    \b
    Example:
      semcoder run stack.py --call "balanced('(())')"
    """
    from semcoder import api

    outcome = api.run(source_of(file), call, limits=limits_of(cpu, memory), unsafe=unsafe)
    if outcome.status == "invalid":
        raise UsageError(outcome.detail)
    code = exit_code(outcome)
    if as_json:
        document({"file": file, "call": call, **outcome_document(outcome), "exit_code": code})
        return code
    write(outcome.stdout)
    if outcome.stdout and not outcome.stdout.endswith("\n"):
        line()
    if outcome.value is None:
        note(how_it_ended(outcome))
        return code
    line(outcome.value.display())
    reason = why_not_literal(outcome.value)
    if reason:
        note(f"note: {reason}; what is printed describes it")
    return code


def exit_code(outcome: Outcome) -> int:
    """The exit code that tells an outcome."""
    from semcoder.core import LIMIT_STATUSES

    if outcome.status == "returned":
        return 0
    return 3 if outcome.status in LIMIT_STATUSES else 1


_ADVICE = {"timeout": "; --limit-cpu allows more", "memory": "; --limit-memory allows more"}


def how_it_ended(outcome: Outcome) -> str:
    """One line for every outcome that returned nothing."""
    if outcome.exception is not None:
        return f"the call raised {outcome.exception}"
    if outcome.status == "exited":
        return f"the call exited: {outcome.detail}"
    advice = _ADVICE.get(outcome.status, "")
    return f"{outcome.status.replace('_', ' ')}: {outcome.detail}{advice}"


def why_not_literal(value: Value) -> str:
    """Why a value has no literal source text; empty if it has."""
    from semcoder.core import NotLiteral

    try:
        value.literal()
    except NotLiteral as error:
        return str(error)
    return ""


def outcome_document(outcome: Outcome) -> dict[str, Any]:
    """The keys of `run --json` that tell the outcome."""
    value, exception, usage = outcome.value, outcome.exception, outcome.usage
    return {
        "status": outcome.status,
        "value": None if value is None else value_document(value),
        "exception": None if exception is None else {"type": exception.type, "message": exception.message},
        "stdout": outcome.stdout,
        "detail": outcome.detail,
        "usage": {"cpu_s": usage.cpu_s, "wall_s": usage.wall_s, "memory": usage.memory},
    }


def value_document(value: Value) -> dict[str, Any]:
    """A value: its literal text (null if it has none), what a person sees, its type, and all of it exactly."""
    display = value.display()
    literal = None if why_not_literal(value) else value.literal()
    return {"literal": literal, "display": display, "type": value.type_name, "wire": value.to_wire()}


# trace -------------------------------------------------------------------------------------------------------------


def trace(
    file: File,
    *,
    call: Call,
    form: Annotated[
        str, typer.Option("--format", metavar="FORMAT", help="steps, scratchpad, next, concise or direct.")
    ] = "steps",
    detail: Detailed = "line",
    labels: Labels = None,
    cpu: Cpu = 5.0,
    memory: Memory = 256,
    unsafe: Unsafe = False,
    as_json: Json = False,
) -> int:
    """Show the execution of one call, step by step.

    As steps: each line has the line number, the source (indented by call depth) and what happened: variables that
    changed, the way a branch went, iterations, calls, returns, exceptions. The other formats are texts for models
    to learn from. Exit code 0 also where the call raised, 3 where a limit ended the run or the recording.

    \b
    Example:
      semcoder trace stack.py --call "balanced('(())')"
      semcoder trace stack.py --call "balanced('(())')" --format next
    """
    from semcoder import api
    from semcoder.cli import steps
    from semcoder.monologue import tell
    from semcoder.monologue.steps import rows

    chosen = _format(form)
    recorded = api.trace(source_of(file), call, limits=limits_of(cpu, memory), unsafe=unsafe)
    if recorded.outcome.status == "invalid":
        raise UsageError(recorded.outcome.detail)
    found = list(rows(recorded, detail))
    if as_json:
        text = tell(chosen, recorded, detail=detail, labels=labels).text
        table = [row.document() for row in found]
        document({"file": file, "format": form, "text": text, **recorded.to_wire(), "steps": table})
    elif form == "steps":
        styled_lines(steps.drawn(found, labels=labels is not False))
        styled_lines([_ending(recorded)])
    else:
        line(tell(chosen, recorded, detail=detail, labels=labels).text)
    return _trace_code(recorded)


def _format(name: str) -> Style:
    """A style that shows a trace. Raises `UsageError` naming those there are."""
    from semcoder.monologue import TraceStyle, style, styles

    known = [other for other in styles() if isinstance(style(other), TraceStyle)]
    if name not in known:
        raise UsageError(f"--format {name}: there is no such format; there are: {', '.join(known)}")
    return style(name)


def _ending(recorded: Trace) -> Sequence[Segment]:
    outcome = recorded.outcome
    if outcome.value is not None:
        return [("the call returned ", ""), (one_line(outcome.value.display(200)), "green")]
    return [(one_line(how_it_ended(outcome)), "red")]


def _trace_code(recorded: Trace) -> int:
    if recorded.truncated:
        note(f"the recording stops after {len(recorded):,} events; the call went on, and how it ended is exact")
        return 3
    return 3 if exit_code(recorded.outcome) == 3 else 0


# explain -----------------------------------------------------------------------------------------------------------


def explain(
    file: File,
    *,
    call: Annotated[
        str | None,
        typer.Option("--call", metavar="CALL", help="Tell this call, from input to output.", show_default=False),
    ] = None,
    output: Annotated[
        str | None,
        typer.Option("--output", metavar="VALUE", help="Reason from this output to an input.", show_default=False),
    ] = None,
    entry: Annotated[
        str | None,
        typer.Option("--entry", metavar="NAME", help="With --output: the function that is meant.", show_default=False),
    ] = None,
    style: Annotated[
        str | None,
        typer.Option(
            "--style",
            metavar="STYLE",
            help="With --call: forward, backward, scratchpad, next, concise, direct or steps [default: forward].",
        ),
    ] = None,
    detail: Detailed = "line",
    labels: Labels = None,
    properties: Annotated[
        bool, typer.Option("--properties", help="Add what held on every generated input; alone, say only that.")
    ] = False,
    cpu: Cpu = 5.0,
    memory: Memory = 256,
    unsafe: Unsafe = False,
    as_json: Json = False,
) -> int:
    """Explain an execution in words, every claim checked.

    With --call the text goes forward from the input to the output; with --output it goes backward from the output
    to an input, which is then executed. --style tells a call in another notation. The claims are checked against a
    second execution: one that is false or could not be checked is marked in the text. Exit code 3 where the run is
    too long to tell or no input was found,
    1 if a claim is false.

    \b
    Examples:
      semcoder explain stack.py --call "balanced('(())')"
      semcoder explain stack.py --output "True" --entry balanced
      semcoder explain stack.py --properties --entry balanced
    """
    from semcoder import api
    from semcoder.cli.properties import Asked

    asked = Asked(file, entry, call, unsafe, as_json) if properties else None
    if asked and call is None and output is None:
        return asked.alone()
    _check_direction(call, output, entry, style)
    source = source_of(file)
    told = api.explain(
        source,
        call,
        output=output,
        entry=entry,
        style=style or "forward",
        detail=detail,
        labels=labels,
        limits=limits_of(cpu, memory),
        unsafe=unsafe,
    )
    counts = claim_counts(told.claims)
    if as_json:
        doc = {"file": file, "call": call, "output": output, **monologue_document(told), "counts": counts}
        document({**doc, "properties": asked.found(source) if asked else None})
    else:
        styled_lines(_lines(marked(told)))
        note(claims_text(counts))
        if asked:
            asked.show(source)
    return 1 if counts["false"] else 0


def _check_direction(call: str | None, output: str | None, entry: str | None, style: str | None) -> None:
    if (call is None) == (output is None):
        raise UsageError("give either --call (forward) or --output (backward)")
    if output is not None and style not in (None, "backward"):
        raise UsageError(f"--style {style} does not go with --output, which is always told backward; leave it out")
    if call is not None and entry is not None:
        raise UsageError("--entry goes with --output only; a call names its function itself")


def marked(told: Monologue) -> Iterator[Segment]:
    """The text in pieces, with a mark after each sentence that has a false or an unchecked claim."""
    done = 0
    for claim in sorted((c for c in told.claims if c.verdict is not True), key=lambda c: c.end):
        yield told.text[done : claim.end], ""
        done = max(done, claim.end)
        yield f" [{verdict_text(claim)}]", "bold red" if claim.verdict is False else "yellow"
    yield told.text[done:], ""


def _lines(segments: Iterator[Segment]) -> Iterator[list[Segment]]:
    """Styled pieces of a text, cut into its lines."""
    current: list[Segment] = []
    for text, style in segments:
        first, *others = text.split("\n")
        current.append((first, style))
        for other in others:
            yield current
            current = [(other, style)]
    if any(text for text, _ in current):
        yield current


def verdict_text(claim: Claim) -> str:
    """What checking a claim that is not true has shown, on one line."""
    if claim.verdict is None:
        reason = f": {claim.actual}" if claim.actual else ""
        return one_line(f"not checked{reason}")
    truth = f"; in truth: {claim.actual}" if claim.actual else ""
    return one_line(f"false: {claim.text}{truth}")


def claim_counts(claims: Sequence[Claim]) -> dict[str, int]:
    verdicts = [claim.verdict for claim in claims]
    return {"claims": len(verdicts), "false": verdicts.count(False), "unchecked": verdicts.count(None)}


def claims_text(counts: dict[str, int]) -> str:
    checked = counts["claims"] - counts["unchecked"]
    return f"{checked:,} claims checked, {counts['false']:,} false, {counts['unchecked']:,} not checked"


def monologue_document(told: Monologue) -> dict[str, Any]:
    return {
        "direction": told.direction,
        "style": told.style,
        "text": told.text,
        "answer": told.answer,
        "found_by": told.found_by,
        "claims": [claim_document(claim) for claim in told.claims],
    }


def claim_document(claim: Claim) -> dict[str, Any]:
    return {
        "text": claim.text,
        "kind": claim.kind,
        "verdict": claim.verdict,
        "actual": claim.actual,
        "line": claim.line,
        "start": claim.start,
        "end": claim.end,
    }


# verify ------------------------------------------------------------------------------------------------------------


def verify(
    file: Annotated[
        str, typer.Argument(metavar="FILE.jsonl", help="Rows with a program and a text about it.", show_default=False)
    ],
    cpu: Cpu = 5.0,
    memory: Memory = 256,
    as_json: Json = False,
) -> int:
    """Check every claim of texts that anyone wrote.

    Each row's program is executed again, and each claim of its text is judged against that execution. A row is a
    JSON object with "source" (the program's text) or "program" (a path, relative to the file), "text", and "call",
    which may be left out where the text names it. Exit code 1 if a claim is false; where none is and a row could
    not be judged, the code of its error.

    \b
    Example:
      semcoder verify monologues.jsonl
    """
    from semcoder.cli.rows import judge, read_rows

    rows = read_rows(Path(file))
    limits = limits_of(cpu, memory)
    total = {"claims": 0, "false": 0, "unchecked": 0}
    worst, unjudged = 0, 0
    for row in rows:
        judged = judge(row, limits)
        counts = claim_counts(judged.claims)
        total = {key: total[key] + counts[key] for key in total}
        worst, unjudged = max(worst, judged.exit_code), unjudged + bool(judged.error)
        if as_json:
            claims = [claim_document(claim) for claim in judged.claims]
            document(
                {"file": file, "line": row.line, "call": row.call, **counts, "error": judged.error, "claims": claims}
            )
        else:
            _print_row(judged.claims, judged.error, f"{file}:{row.line}")
    summary = f"{len(rows):,} rows: {claims_text(total)}, {unjudged:,} rows not judged"
    if as_json:
        note(summary)
    else:
        line(summary)
    return 1 if total["false"] else worst


def _print_row(claims: Sequence[Claim], error: str, place: str) -> None:
    if error:
        note(f"{place}: not judged: {error}")
        return
    if not claims:
        note(f"{place}: the text makes no claim that can be read")
    wrong = [claim for claim in claims if claim.verdict is not True]
    styled_lines(
        [(f"{place}: ", "dim"), (_claim_line(claim), "red" if claim.verdict is False else "yellow")] for claim in wrong
    )


def _claim_line(claim: Claim) -> str:
    text = verdict_text(claim)
    return text if claim.verdict is False else one_line(f"{text}: {claim.text}")


COMMANDS = (run, trace, explain, verify)

"""The command that has a teacher write programs and monologues."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path
from typing import Annotated, Any

import typer

from semcoder.cli.execution import Json, Unsafe
from semcoder.cli.printing import document, line, note, progress, table
from semcoder.errors import UsageError

#: Counts of the manifest that the closing table shows, and what it calls them.
_TOLD = {
    "problems": "problems invented",
    "solutions": "solutions asked for",
    "solutions_that_run": "solutions that run",
    "solutions_repaired": "solutions that run after repair",
    "solutions_that_agree": "solutions in an agreeing group",
    "cases": "cases",
}


def synth(
    seeds: Annotated[
        Path,
        typer.Option("--seeds", metavar="DIR", help="A folder that collect or build wrote.", show_default=False),
    ],
    teacher: Annotated[
        str,
        typer.Option("--teacher", metavar="MODEL", help="openai:NAME@BASE_URL or hf:NAME-or-PATH.", show_default=False),
    ],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Where to write the programs.", show_default=False)],
    signature_first: Annotated[
        bool, typer.Option("--signature-first", help="Have signature and docstring written first, then the body.")
    ] = False,
    solutions: Annotated[int, typer.Option("--solutions", metavar="K", help="Solutions per problem.")] = 3,
    rounds: Annotated[int, typer.Option("--rounds", metavar="N", help="Repairs per answer that does not run.")] = 3,
    inputs: Annotated[int, typer.Option("--inputs", metavar="N", help="Test inputs asked of each solution.")] = 5,
    monologues: Annotated[
        bool, typer.Option("--monologues", help="Have the kept programs' cases told, forward and backward.")
    ] = False,
    samples: Annotated[int, typer.Option("--samples", metavar="S", help="Tries per monologue.")] = 4,
    max_seeds: Annotated[int, typer.Option("--max-seeds", metavar="N", help="Take so many seeds (0: all).")] = 0,
    temperature: Annotated[float, typer.Option("--temperature", help="How freely the teacher writes.")] = 0.8,
    max_tokens: Annotated[int, typer.Option("--max-tokens", metavar="N", help="Length of an answer.")] = 2048,
    seed: Annotated[int, typer.Option("--seed", help="Sent to the teacher, and of input generation.")] = 0,
    concurrency: Annotated[
        int | None,
        typer.Option("--concurrency", metavar="N", help="Requests in flight.  [default: the model's]"),
    ] = None,
    price: Annotated[
        tuple[float, float],
        typer.Option("--price", metavar="IN OUT", help="Per million prompt and completion tokens."),
    ] = (0.0, 0.0),
    unsafe: Unsafe = False,
    as_json: Json = False,
) -> int:
    """Have a teacher write programs from seeds, and keep what runs.

    The teacher invents a problem from each seed and solves it several times. Solutions run in the sandbox; those that
    fail go back with their error. The largest group that agrees on all test inputs gives the program. With
    --monologues, the teacher tells executions, and what has a wrong answer or a false claim is thrown away. A stopped
    run goes on when it is started again, and no reply is paid for twice.

    \b
    Example:
      semcoder synth --seeds runs/programs --teacher openai:gpt-4o-mini --out runs/synth
    """
    from semcoder.pyx.synth import SynthConfig

    config = SynthConfig(
        seeds=str(seeds),
        teacher=teacher,
        out=str(out),
        signature_first=signature_first,
        solutions=solutions,
        rounds=rounds,
        inputs=inputs,
        monologues=monologues,
        samples=samples,
        max_seeds=max_seeds,
        temperature=temperature,
        max_tokens=max_tokens,
        seed=seed,
        unsafe=unsafe,
    )
    found = _run(config, {} if concurrency is None else {"concurrency": concurrency}, price)
    if as_json:
        document(found)
        return 0
    _print(found)
    line(f"written to {out}; jsonl:{out / 'programs.jsonl'} is a source for a build")
    return 0


def _run(config: Any, options: dict[str, int], price: tuple[float, float]) -> dict[str, Any]:
    """The manifest, and what this run itself cost."""
    from semcoder.pyx.synth import open_teacher, synthesise

    if not all(0 <= part < math.inf for part in price):
        raise UsageError(f"--price: two numbers from 0 up, not {price[0]} {price[1]}")
    teacher = open_teacher(config, price=price, **options)
    with progress() as tell:
        found = synthesise(config, teacher, price=price, progress=tell)
    open_ones = found["counts"]["seeds_unanswered"] + found.get("monologues", {}).get("programs_unanswered", 0)
    if open_ones:
        note(f"warning: the teacher did not answer for {open_ones:,} seeds or programs; start again to ask once more")
    return {**found, "this_run": dataclasses.asdict(teacher.usage)}


def _print(found: dict[str, Any]) -> None:
    counts, drops = found["counts"], found["drops"]
    rows: list[list[object]] = [["seeds", counts["seeds"]], ["programs kept", counts["programs_kept"]]]
    rows += [[f"dropped: {reason}", number] for reason, number in drops.items()]
    rows += [[name, counts[key]] for key, name in _TOLD.items()]
    for direction in ("forward", "backward"):
        figures = found.get("monologues", {}).get(direction)
        if figures is not None:
            rows += [
                [f"{direction}: written", figures["written"]],
                [f"{direction}: right answer", figures["answer_right"]],
                [f"{direction}: right answer, but a claim is false", figures["answer_right_but_claim_false"]],
                [f"{direction}: kept", figures["accepted"]],
            ]
    spent = found["spent"]
    rows += [["prompt tokens", spent["prompt_tokens"]], ["completion tokens", spent["completion_tokens"]]]
    rows += [["cost", float(spent["cost"])]] if spent["cost"] else []
    table(["", "count"], rows)


COMMANDS = (synth,)

"""`semcoder refine`: a model answers, sees which test fails, and tries again; and runs side by side.

Guarantees: a stopped run goes on when it is started again with the same words; what a model may see (the tests of its
prompt, or the benchmark's own) stands in every table and document.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from semcoder.cli.asking import MaxTokens, ProfileName, Temperature
from semcoder.cli.execution import Json, Unsafe
from semcoder.cli.printing import chance, document, line, note, percent, progress, span, table
from semcoder.errors import UsageError

_MODES = {"shown": "tests of the prompt alone", "oracle": "oracle-assisted: the benchmark's own tests are shown"}


def refine(
    benchmark: Annotated[
        str, typer.Option("--benchmark", metavar="NAME", help="What to solve: humaneval, mbpp, pyx ...")
    ] = "",
    model: Annotated[
        str, typer.Option("--model", metavar="MODEL", help="hf:NAME-or-PATH or openai:NAME@BASE_URL.")
    ] = "",
    data: Annotated[
        str,
        typer.Option(
            "--data",
            metavar="PATH",
            help="A file or a folder with the tasks, or hub:NAME [default: where the benchmark is published].",
        ),
    ] = "",
    rounds: Annotated[int, typer.Option("--rounds", metavar="N", help="How often the model may try again.")] = 5,
    oracle: Annotated[
        bool,
        typer.Option("--oracle", help="Show the benchmark's own failing test; else only tests of the prompt are used."),
    ] = False,
    explain: Annotated[
        bool, typer.Option("--explain", help="Tell the model the failing run line by line, in ten lines at most.")
    ] = False,
    profile: ProfileName = None,
    n: Annotated[int, typer.Option("--n", metavar="N", help="Samples per task.")] = 1,
    temperature: Temperature = 0.0,
    top_p: Annotated[float, typer.Option("--top-p", metavar="P", help="Sample from the likeliest part.")] = 1.0,
    max_tokens: MaxTokens = 1024,
    limit: Annotated[int, typer.Option("--limit", metavar="N", help="The first tasks alone (0: all).")] = 0,
    seed: Annotated[int, typer.Option("--seed", help="Of sampling.")] = 0,
    workers: Annotated[int, typer.Option("--workers", metavar="N", help="Programs run at a time.")] = 2,
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Where texts and verdicts are kept.")] = Path(
        "runs/refine"
    ),
    others: Annotated[
        list[Path] | None,
        typer.Option("--compare", metavar="DIR", help="Set beside an earlier refinement; repeatable."),
    ] = None,
    unsafe: Unsafe = False,
    as_json: Json = False,
) -> int:
    """Let a model repair its own answers: generate, test, show it the first failing test, and again.

    The best answer by the tests that it may see is kept, the earlier one of equals. Scores are the benchmark's own
    verdicts after each round, with 95 % intervals over tasks. A stopped run goes on when it is started again. --compare
    sets a model before and after training side by side; alone it compares earlier runs.

    \b
    Examples:
      semcoder refine --model hf:runs/my-model --benchmark humaneval --out runs/refine
      semcoder refine --model hf:runs/my-model --benchmark mbpp --oracle --explain --out runs/oracle
      semcoder refine --compare runs/zero-shot --compare runs/after
    """
    from semcoder.debugging.refine import refine as run
    from semcoder.debugging.refine import refinement

    folders = list(others or [])
    found: dict[str, Any] | None = None
    if model or benchmark or not folders:
        config = refinement(
            benchmark,
            model,
            profile,
            data=data,
            oracle=oracle,
            explain=explain,
            rounds=rounds,
            n=n,
            temperature=temperature,
            top_p=top_p,
            max_tokens=max_tokens,
            limit=limit,
            seed=seed,
            out=str(out),
            workers=workers,
            unsafe=unsafe,
        )
        if out in folders:
            raise UsageError(f"--compare {out}: that is where this run is written; it is compared with the others")
        if folders:
            _compared(folders)  # raises what is wrong with them before hours are spent on a new run
        with progress() as tell:
            found = run(config, progress=tell)["results"]
        folders = [*folders, out] if folders else []
    _show(found, _compared(folders) if folders else [], out, as_json)
    return 0


def _compared(folders: Sequence[Path]) -> list[dict[str, Any]]:
    from semcoder.debugging.compare import compare
    from semcoder.evaluation.compare import against

    return compare(folders, against)


def _show(found: Mapping[str, Any] | None, compared: Sequence[Mapping[str, Any]], out: Path, as_json: bool) -> None:
    if as_json:
        for doc in [*([{**found, "folder": str(out)}] if found else []), *compared]:
            document(doc)
        return
    if found:
        _print(found)
        line(f"written to {out}")
    for doc in compared:
        _print_comparison(doc)
    if found:
        _warn(found)


def _warn(found: Mapping[str, Any]) -> None:
    if number := found["ends"].get("unanswered"):
        note(f"warning: the model did not reply to {number:,} samples; start again to ask once more")
    if number := found["tasks"] - found["tasks_with_tests"]:
        note(f"warning: {number:,} of {found['tasks']:,} tasks show no test that can be read: their first answer stays")


def _print(found: Mapping[str, Any]) -> None:
    rows = [
        [
            point["round"],
            point["n"],
            percent(point["pass@1"]),
            span(point["interval"]),
            point["replies"],
            point["gained"],
            point["lost"],
            _kinds(point["kinds"]),
        ]
        for point in found["curve"]
    ]
    heads = ["round", "tasks", "pass@1, %", "95 % interval", "replies", "gained", "lost", "what the replies did"]
    table(heads, rows, title=f"{found['benchmark']}, {_MODES[found['mode']]}")
    table(["samples that ended", ""], [[end, number] for end, number in found["ends"].items()])
    solved = ", ".join(f"{number:,} in round {place}" for place, number in found["solved_in"].items())
    line(f"solved by the tests that the model may see: {solved or 'none'}")
    if gain := found["gain"]:
        line(
            f"all rounds together: {gain['difference']:+.1f} ({span(gain['interval'])}), p = {gain['bootstrap_p']:.2g}"
        )


def _print_comparison(doc: Mapping[str, Any]) -> None:
    rounds = max(len(row["curve"]) for row in doc["rows"])
    rows = []
    for row in doc["rows"]:
        last, other = row["curve"][-1], row["against_first"] or {}
        rows.append(
            [
                row["run"],
                row["model"],
                "yes" if row["explain"] else "no",
                *(
                    percent(row["curve"][place]["pass@1"]) if place < len(row["curve"]) else ""
                    for place in range(rounds)
                ),
                span(last["interval"]),
                percent(other.get("difference")),
                span(other.get("interval")),
                chance(other.get("mcnemar_p")),
                chance(other.get("bootstrap_p")),
            ]
        )
    heads = [
        "run", "model", "explained", *(f"round {place}" for place in range(rounds)), "interval of the last",
        "difference", "interval", "p (McNemar)", "p (bootstrap)",
    ]  # fmt: skip
    table(
        heads,
        rows,
        title=f"{doc['benchmark']}, {_MODES[doc['mode']]}: pass@1 by round, %, the last against the first run",
    )


def _kinds(kinds: Mapping[str, int] | None) -> str:
    return ", ".join(f"{number:,} {kind}" for kind, number in (kinds or {}).items() if number)


COMMANDS = (refine,)

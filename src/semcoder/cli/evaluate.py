"""`semcoder eval`: benchmarks and a model, or answers from a file, to scores; and runs side by side.

Guarantees: a stopped run goes on when it is started again with the same words; with --json there is one document per
benchmark, with the keys of `docs/cli.md`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from semcoder.cli.asking import MaxTokens, ProfileName, Temperature
from semcoder.cli.execution import Json, Unsafe
from semcoder.cli.printing import chance, document, line, note, percent, progress, span, table
from semcoder.errors import UsageError


def evaluate(
    benchmarks: Annotated[
        list[str] | None,
        typer.Option("--benchmark", metavar="NAME", help="What to solve; repeatable (--list shows names)."),
    ] = None,
    model: Annotated[
        str,
        typer.Option("--model", metavar="MODEL", help="nano (built in), hf:NAME-or-PATH or openai:NAME@BASE_URL."),
    ] = "",
    data: Annotated[
        str,
        typer.Option(
            "--data",
            metavar="PATH",
            help="A file or a folder with the tasks, or hub:NAME [default: where the benchmark is published].",
        ),
    ] = "",
    generations: Annotated[
        Path | None,
        typer.Option("--generations", metavar="FILE", help="Score these answers instead of asking a model."),
    ] = None,
    style: Annotated[
        str | None,
        typer.Option(
            "--style",
            metavar="STYLE",
            help="Check the claims of monologues in this style too [default: as the model's folder says, else none].",
            show_default=False,
        ),
    ] = None,
    profile: ProfileName = None,
    n: Annotated[int, typer.Option("--n", metavar="N", help="Samples per task.")] = 1,
    temperature: Temperature = 0.2,
    top_p: Annotated[float, typer.Option("--top-p", metavar="P", help="Sample from the likeliest part.")] = 0.95,
    max_tokens: MaxTokens = 1024,
    limit: Annotated[int, typer.Option("--limit", metavar="N", help="The first tasks alone (0: all).")] = 0,
    seed: Annotated[int, typer.Option("--seed", help="Of sampling.")] = 0,
    workers: Annotated[int, typer.Option("--workers", metavar="N", help="Programs run at a time.")] = 2,
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Where texts and scores are kept.")] = Path(
        "runs/eval"
    ),
    others: Annotated[
        list[Path] | None,
        typer.Option("--compare", metavar="DIR", help="Set beside an earlier evaluation; repeatable."),
    ] = None,
    show: Annotated[bool, typer.Option("--list", help="Show the benchmarks.")] = False,
    unsafe: Unsafe = False,
    as_json: Json = False,
) -> int:
    """Score a model on benchmarks of code and of execution, by execution.

    Texts are kept as they come, beside the answers in them; a stopped run goes on when it is started again. Scores have
    95 % intervals over tasks; what could not be judged is counted apart. With --style the monologues are checked
    claim by claim. --generations scores answers that others produced. --compare alone compares earlier evaluations.

    \b
    Examples:
      semcoder eval --model hf:runs/my-model --benchmark cruxeval-o --out runs/eval
      semcoder eval --benchmark cruxeval-i --generations theirs.json --out runs/theirs
      semcoder eval --compare runs/eval --compare runs/theirs
    """
    from semcoder import evaluation

    if show:
        return _list(as_json)
    folders = list(others or [])
    found: list[dict[str, Any]] = []
    if model or generations is not None or benchmarks or not folders:
        config = evaluation.configured(
            benchmarks or [],
            model,
            profile,
            style,
            generations=str(generations or ""),
            data=data,
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
        _check_compared(folders, out)
        with progress() as tell:
            manifest = evaluation.evaluate(config, progress=tell)
        found = manifest["benchmarks"]
        folders = [out, *folders] if folders else []
    compared = evaluation.compare(folders) if folders else []
    _show(found, compared, out, as_json)
    return 0


def _check_compared(folders: Sequence[Path], out: Path) -> None:
    """Raises what is wrong with earlier evaluations before hours are spent on a new one."""
    from semcoder import evaluation

    if out in folders:
        raise UsageError(f"--compare {out}: that is where this evaluation is written; it is compared with the others")
    if folders:
        evaluation.compare(folders)


def _show(found: list[dict[str, Any]], compared: list[dict[str, Any]], out: Path, as_json: bool) -> None:
    if as_json:
        for doc in found:
            document({**doc, "folder": str(out)})
        for doc in compared:
            document(doc)
        return
    if found:
        _print(found)
        line(f"written to {out}")
    for doc in compared:
        _print_comparison(doc)
    for doc in found:
        _warn(doc)


def _warn(doc: dict[str, Any]) -> None:
    name = doc["benchmark"]
    if number := doc["failures"].get("no reply"):
        note(f"warning: the model did not reply {number:,} times on {name}; start again to ask once more")
    if number := doc["missing_tasks"]:
        note(f"warning: there are no answers for {number:,} of {doc['tasks']:,} tasks of {name}")


def _print(found: Sequence[dict[str, Any]]) -> None:
    table(
        ["benchmark", "tasks", "pass@1, %", "95 % interval", "not judged", "failures"],
        [
            [
                doc["benchmark"],
                doc["n"],
                percent(doc["pass@1"]),
                span(doc["intervals"].get("pass@1")),
                doc["unjudged"],
                ", ".join(f"{kind} {number:,}" for kind, number in doc["failures"].items()) or "none",
            ]
            for doc in found
        ],
    )
    more = [
        [doc["benchmark"], name, percent(doc[name]), span(doc["intervals"][name])]
        for doc in found
        for name in doc["intervals"]
        if name != "pass@1"
    ]
    if more:
        table(["benchmark", "", "%", "95 % interval"], more)
    for doc in found:
        _print_parts(doc)


def _print_parts(doc: dict[str, Any]) -> None:
    """Scores by construct, and what the monologues are worth."""
    rows = [
        [name, part["n"], percent(part["pass@1"]), span(part["interval"])] for name, part in doc["constructs"].items()
    ]
    if rows:
        table([f"{doc['benchmark']}: code with", "tasks", "pass@1, %", "95 % interval"], rows)
    steps = doc["steps"]
    if steps is None:
        return
    table(
        [f"{doc['benchmark']}: monologues ({steps['style']})", ""],
        [
            ["texts", f"{steps['texts']:,}"],
            ["with claims that could be read", f"{steps['with_claims']:,}"],
            ["true before the first false claim, %", f"{percent(steps['true_part'])} {span(steps['interval'])}"],
            ["of those with claims, without a false one, %", str(percent(steps["no_false_claim"]))],
            ["right answer, but a claim is false", f"{steps['right_with_false_claim']:,}"],
        ],
    )


def _print_comparison(doc: dict[str, Any]) -> None:
    from semcoder.evaluation.compare import published_label

    rows = []
    for row in doc["rows"]:
        other = row["against_first"] or {}
        rows.append(
            [
                row["run"],
                row["model"],
                row["n"],
                percent(row["pass@1"]),
                span(row["interval"]),
                percent(other.get("difference")),
                span(other.get("interval")),
                chance(other.get("mcnemar_p")),
                chance(other.get("bootstrap_p")),
            ]
        )
    heads = ["run", "model", "tasks", "pass@1, %", "interval", "difference", "interval", "p (McNemar)", "p (bootstrap)"]
    table(heads, rows, title=f"{doc['benchmark']}: against the first, task by task")
    if doc["published"]:
        table(["model", "pass@1, %"], list(doc["published"].items()), title=f"{doc['benchmark']}: {published_label()}")


def _list(as_json: bool) -> int:
    from semcoder.benchmarks import benchmarks

    known = benchmarks()
    if as_json:
        document({name: {"asks": kind.asks, "about": kind.about} for name, kind in known.items()})
        return 0
    table(["benchmark", "asks for", "about"], [[name, kind.asks, kind.about] for name, kind in known.items()])
    return 0


evaluate.__name__ = "eval"
COMMANDS = (evaluate,)

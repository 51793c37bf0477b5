"""The command that records real calls."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from semcoder.cli.execution import Json
from semcoder.cli.printing import document, note


def record(
    command: Annotated[
        list[str], typer.Argument(metavar="-- COMMAND...", help="The command and its arguments.", show_default=False)
    ],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Where to write the calls.", show_default=False)],
    include: Annotated[
        list[Path] | None,
        typer.Option("--include", metavar="DIR", help="Functions of this folder only; may be repeated.  [default: .]"),
    ] = None,
    limit: Annotated[int, typer.Option("--limit", metavar="N", help="Distinct calls kept per function.")] = 20,
    as_json: Json = False,
) -> int:
    """Run your program or tests and keep real calls.

    Kept are distinct calls of your own functions over literals, with their results. They become a source of programs:
    recorded:DIR. The command's output and exit code are its own.

    \b
    Example:
      semcoder record --out runs/calls -- pytest tests/
    """
    from semcoder.recording import host

    manifest = host.record(command, out, include=include or (), limit=limit)
    counts = manifest["counts"]
    for problem in manifest["problems"]:
        note(f"warning: recording stopped in one process: {problem}")
    if counts["processes"] == 0:
        note("warning: no Python process that heeds PYTHONPATH was run, so nothing was recorded")
    note(f"{counts['calls_kept']:,} calls of {counts['functions_recorded']:,} functions kept in {out}")
    if as_json:
        document({**manifest, "folder": str(out)})
    return int(manifest["exit_code"])


COMMANDS = (record,)

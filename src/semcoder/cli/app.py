"""The application: its commands, and the group that runs them.

Guarantees: asking for help or the version loads nothing but typer. Commands live in `execution` and `predict` (one
program), `corpus` (many), `record`, `debug`, `synth`, `train`, `evaluate`, `refine`, `ui` and `machine`; each
imports what it calls when it is called.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from semcoder import __version__
from semcoder.cli import corpus, debug, evaluate, execution, machine, predict, record, refine, synth, train, ui


class Interrupted(Exception):
    """Ctrl-C; typer would turn the KeyboardInterrupt into an exit code of a command."""


class PipeClosed(Exception):
    """Nobody reads our output any more; typer would turn the BrokenPipeError into exit code 1."""


class _Group(TyperGroup):
    """Keeps two exceptions for the error boundary."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            raise Interrupted from None
        except BrokenPipeError:
            raise PipeClosed from None


# Plain help: markup would read `[1, 2]` in an example as a tag of its own, and rich is slow to load.
app = typer.Typer(cls=_Group, rich_markup_mode=None, context_settings={"help_option_names": ["-h", "--help"]})


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"semcoder {__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def semcoder(
    ctx: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", is_eager=True, callback=_show_version)
    ] = False,
) -> None:
    """Says what Python code does, step by step, with every claim checked by execution; builds data sets of such texts,
    trains models on them, and scores models.

    \b
    Try first:
      semcoder demo                          the main job, offline, in minutes
      semcoder explain FILE --call "f(1)"    one execution of your own, told

    Results go to stdout, progress and errors to stderr. Every command takes --json. Exit codes: 0 fine, 1 the program
    raised or a claim is false, 2 the request was wrong, 3 a limit was hit, 4 the sandbox failed.
    """
    if ctx.invoked_subcommand is None:
        typer.echo(ctx.get_help())
        raise typer.Exit(2)


_COMMANDS: tuple[Callable[..., int], ...] = (
    *execution.COMMANDS,
    *predict.COMMANDS,
    *corpus.COMMANDS,
    *record.COMMANDS,
    *debug.COMMANDS,
    *synth.COMMANDS,
    *train.COMMANDS,
    *evaluate.COMMANDS,
    *refine.COMMANDS,
    *ui.COMMANDS,
    *machine.COMMANDS,
)
for _command in _COMMANDS:
    app.command()(_command)


@cache
def _compiled() -> Any:
    return typer.main.get_command(app)


def command_names() -> list[str]:
    return list(_compiled().commands)


def invoke(argv: Sequence[str]) -> int:
    """Run one command line. Raises what the command raises, and typer's own usage errors."""
    result = _compiled().main(args=list(argv), prog_name="semcoder", standalone_mode=False)
    return result if isinstance(result, int) else 0

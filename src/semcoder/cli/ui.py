"""`semcoder ui`: the web page on this machine.

Guarantees: the address is the first line on stdout, and is printed when the page can be opened; what is wrong with the
address, a missing extra and a host that others can reach are one line each.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Annotated, Any

import typer

from semcoder.cli.asking import ProfileName
from semcoder.cli.execution import Json, Unsafe
from semcoder.cli.printing import document, line, note
from semcoder.errors import MissingExtra, UsageError


def ui(
    host: Annotated[str, typer.Option("--host", metavar="HOST", help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", metavar="PORT", help="The port; 0 is any free one.")] = 8700,
    model: Annotated[
        str,
        typer.Option("--model", metavar="MODEL", help="nano (built in), hf:NAME-or-PATH or openai:NAME@BASE_URL."),
    ] = "nano",
    profile: ProfileName = None,
    corpus: Annotated[
        list[Path] | None,
        typer.Option("--corpus", metavar="DIR", help="A build folder to browse; repeatable.", show_default=False),
    ] = None,
    workers: Annotated[
        int, typer.Option("--workers", metavar="N", help="Programs that run at a time (0: one per processor).")
    ] = 0,
    unsafe: Unsafe = False,
    as_json: Json = False,
) -> int:
    """Show the web page: step through an execution, have it said and checked, debug a call, browse a corpus.

    What is pasted runs in the sandbox with limits, and nothing of it is kept. The page is for this machine alone unless
    --host says otherwise; it has no passwords. Ctrl-C ends it.

    \b
    Examples:
      semcoder ui
      semcoder ui --corpus runs/demo --port 9000
      semcoder ui --model openai:m@http://localhost:8000/v1
    """
    for package in ("starlette", "uvicorn"):
        if importlib.util.find_spec(package) is None:
            raise MissingExtra(package, "ui")
    if not 0 <= port <= 65_535:
        raise UsageError(f"--port {port} is not a port: give a number from 0 to 65535")
    if not 0 <= workers <= 256:
        raise UsageError(f"--workers {workers} is not a number from 0 to 256")
    import sys

    from semcoder.web import Settings, serve

    given: dict[str, Any] = {"workers": workers} if workers else {}
    settings = Settings(host, port, model, profile, tuple(corpus or ()), unsafe=unsafe, **given)

    def told(address: str) -> None:
        if as_json:
            document({"url": address, "host": host, "model": model, "corpora": [str(each) for each in corpus or ()]})
        else:
            line(f"The page is at {address} (Ctrl-C ends it)")
        sys.stdout.flush()

    serve(settings, told, lambda message: note(f"warning: {message}"))
    return 0


COMMANDS = (ui,)

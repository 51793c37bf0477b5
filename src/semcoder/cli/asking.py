"""Options of the commands that ask a model."""

from __future__ import annotations

from typing import Annotated

import typer

ProfileName = Annotated[
    str | None,
    typer.Option(
        "--profile",
        metavar="PROFILE",
        help="The wording to ask in, a name (semcoder, chat) or a YAML file [default: as the model's folder says, "
        "else semcoder].",
        show_default=False,
    ),
]
Temperature = Annotated[float, typer.Option("--temperature", metavar="T", help="0 is greedy.")]
MaxTokens = Annotated[int, typer.Option("--max-tokens", metavar="N", help="The longest text to wait for.")]

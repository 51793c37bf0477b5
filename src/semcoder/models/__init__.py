"""Language models behind one protocol: teacher, judge and model under test alike, one file per backend.

A backend is one module of this package with one class that has a `name`, the scheme of its specs, and `generate`; it is
made from the text after `name:`. Adding one touches one file; names with `_` are helpers.

Guarantees: every request gets one reply, whatever the backend does: an answer that could not be had is a reply with an
`error`, never an exception and never an empty text; what a model says is data, which nothing here runs or trusts.
Importing this package loads no library of any backend.
It does not promise that the same request is answered in the same way twice, unless a cache (`Cached`) stands before the
model.
"""

from __future__ import annotations

import re
from typing import Any

from semcoder.errors import UsageError
from semcoder.models._cache import Cached
from semcoder.models._meter import Metered, Usage
from semcoder.models._protocol import (
    Completion,
    Finish,
    Message,
    Model,
    Reply,
    Request,
    Role,
    Sampling,
    Streaming,
    identity,
)
from semcoder.plugins import load_plugins

__all__ = [
    "Cached",
    "Completion",
    "Finish",
    "Message",
    "Metered",
    "Model",
    "Reply",
    "Request",
    "Role",
    "Sampling",
    "Streaming",
    "Usage",
    "backends",
    "identity",
    "open_model",
    "without_address",
]


def backends() -> dict[str, type[Any]]:
    """All kinds of models by name, sorted."""
    return load_plugins("semcoder.models", "generate")


def open_model(spec: str, *, writes_code: bool = False, **options: Any) -> Model:
    """The model that a spec names: `nano`, `hf:NAME-or-PATH`, `openai:NAME@BASE_URL`. Raises `UsageError`.

    `writes_code`: it must be one that can be asked for code; a backend whose models cannot says so by `writes_code`.
    `options` go to the backend: `concurrency`, say. Nothing is loaded or asked before the first request.
    """
    known = backends()
    name, _, rest = spec.partition(":")
    if name not in known:
        raise UsageError(f"no model {spec!r}: write one as KIND:NAME, of the kinds {', '.join(known)}, or nano alone")
    if writes_code and not getattr(known[name], "writes_code", True):
        raise UsageError(
            f"the model {spec!r} tells executions and writes no code: name another, "
            "hf:NAME-or-PATH or openai:NAME@BASE_URL"
        )
    try:
        model: Model = known[name](rest, **options)
    except TypeError as error:  # an option that the backend does not have
        raise UsageError(f"the model {spec!r} cannot be opened: {error}") from None
    return model


def without_address(spec: str) -> str:
    """A model's spec without the address of the server that answers for it, which may move."""
    return re.sub(r"@https?://.*", "", spec, flags=re.DOTALL)

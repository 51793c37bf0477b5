"""The untrusted side of properties: one call with what it did to its arguments, and the same call a second time.

Guarantees: both calls get fresh arguments, made from the same literal text, and run in one module namespace, so that
state that the program keeps shows in the second. It does not judge: what it sends is the program's claim about itself.

Runs inside the sandbox: standard library only.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from semcoder.core.calling import SAMPLE, Caller, observe
from semcoder.core.encode import Encoder
from semcoder.core.unfolding import TooLarge
from semcoder.errors import UsageError

REHEARSALS = [("observe_task", {"source": SAMPLE, "entry": "f"}, "([1, 2, 3])")]


def observe_task(payload: dict[str, Any]) -> Callable[[Any, dict[str, Any]], Any]:
    """Factory over `{"source", "entry"}`; an item is the text of the arguments with their brackets, over literals.

    A document has `first` and `second`, outcomes of two calls, and `state`: a value's wire form, `(result, positional
    arguments, keyword arguments)` as they are after the first; null where they are no data.
    """
    entry = str(payload["entry"])
    try:
        caller = Caller(str(payload["source"]))
    except UsageError as error:
        refused = {"status": "invalid", "detail": str(error)}
        return lambda item, limits: {"first": refused, "second": refused, "state": None}

    def call(item: str, limits: dict[str, Any]) -> dict[str, Any]:
        arguments = compile("(lambda *args, **kwargs: (args, kwargs))" + item, "<arguments>", "eval", dont_inherit=True)
        space: dict[str, Any] = {}
        kept: list[Any] = []

        def first() -> Any:
            space.update(caller.run_module())
            args, kwargs = eval(arguments, {})
            kept.append([None, args, kwargs])
            kept[0][0] = eval(entry, space)(*args, **kwargs)
            return kept[0][0]

        def second() -> Any:
            args, kwargs = eval(arguments, {})
            return eval(entry, space)(*args, **kwargs)

        once = observe(first, stdout_limit=limits["stdout"])
        state = _encoded(tuple(kept[0])) if kept else None
        again = observe(second, stdout_limit=limits["stdout"])
        return {"first": once, "second": again, "state": state}

    return call


def _encoded(value: Any) -> Any:
    encoder = Encoder()
    try:
        return {"ref": encoder.ref(value), "nodes": encoder.nodes}
    except TooLarge:
        return None

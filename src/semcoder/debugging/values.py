"""Values of a whole project's run: what leads out of the project, or is too large to be looked at again and again, is
opaque.

A test's variables reach into the framework that runs it (a `TestCase` holds its result, a fixture the session); each
look at such a variable would be one at everything.

Guarantees: as `semcoder.core.Encoder`, but that a value of more than `PARTS` nodes is one opaque node, and so is an
instance of a class of the modules of `FOREIGN`; a recording goes on after it.
"""

from __future__ import annotations

from typing import Any

from semcoder.core import Encoder, TooLarge
from semcoder.core.encode import type_name

PARTS = 500
FOREIGN = frozenset({"_pytest", "pytest", "pluggy", "hypothesis"})
_module = type.__dict__["__module__"].__get__
_MAX_NODES, _MAX_TEXT = 200_000, 16 * 1024 * 1024


class ProjectEncoder(Encoder):
    """For one recording, as `Recorder.encoder`."""

    def __init__(self) -> None:
        super().__init__(max_nodes=_MAX_NODES, max_text=_MAX_TEXT, deltas=True)
        self._large: dict[int, Any] = {}  # kept alive, so that their ids stay theirs

    def _whole(self, obj: Any, kind: type) -> Any:
        if id(obj) not in self._large:
            self._max_nodes = min(_MAX_NODES, len(self.nodes) + PARTS)
            try:
                return super()._whole(obj, kind)
            except TooLarge:
                if len(self.nodes) + PARTS >= _MAX_NODES:
                    raise
                self._large[id(obj)] = obj
            finally:
                self._max_nodes = _MAX_NODES
        return super()._whole(obj, kind)

    def _describe(self, obj: Any, kind: type) -> tuple[str, tuple[Any, ...]]:
        if id(obj) in self._large:
            return "opaque", (type_name(kind), "too large to tell")
        module = _module(kind)
        if type(module) is str and module.partition(".")[0] in FOREIGN:
            return "opaque", (type_name(kind), "")
        return super()._describe(obj, kind)

"""The registry: how to go back through each operator, display, builtin, method and condition, one module a subject.

Guarantees: what an entry yields satisfies its expression as far as it is known (see `Engine.confirm`); entries that
have nothing to say yield nothing, and the engine then tries small values for what is open; no two modules have an
entry for the same thing.
It does not cover operations with side effects: see `semcoder.monologue.solving.statements`.
"""

from __future__ import annotations

from semcoder.monologue.solving.engine import Inverters
from semcoder.monologue.solving.inverters import calls, containers, iterables, operators, texts

REGISTRY = Inverters.of_all(operators.TABLE, texts.TABLE, containers.TABLE, iterables.TABLE, calls.TABLE)

"""Properties of a function that held on every input that was tried: what it does, without one run's numbers.

Guarantees: every property that is reported was tested in the sandbox's results of generated inputs and never failed on
them, and says how many inputs back it; the same program, inputs and seed give the same properties in the same order.
It does not prove anything: an input that was not tried may break a property (`docs/design/properties.md` has the rate).

Names are loaded on first use, so that the untrusted side, which imports `semcoder.properties.child`, stays small.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from semcoder.properties.discover import (
        MIN_BACKING,
        WANTED,
        Findings,
        Property,
        Refused,
        document,
        find_properties,
        recheck,
    )

__all__ = ["MIN_BACKING", "WANTED", "Findings", "Property", "Refused", "document", "find_properties", "recheck"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module("semcoder.properties.discover"), name)

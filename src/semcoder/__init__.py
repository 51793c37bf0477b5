"""SemCoder: teaching code models what Python code does, and proving it.

    >>> import semcoder
    >>> semcoder.run("def f(x): return x * 2", call="f(21)").value
    Value(42)

Names load on first use: importing this package alone loads nothing heavy, in the sandbox's small processes above all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from semcoder._version import __version__

if TYPE_CHECKING:
    from semcoder.api import explain, predict, run, trace, verify

__all__ = ["__version__", "explain", "predict", "run", "trace", "verify"]


def __dir__() -> list[str]:
    return __all__


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from semcoder import api

    return getattr(api, name)

"""Plugins by file name: every module of a package that defines a class with the asked methods and a `name`."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from functools import cache
from typing import Any


@cache
def load_plugins(package: str, *methods: str) -> dict[str, Any]:
    """Classes by their `name`, in order of name, from the modules directly in `package` (names with `_` aside)."""
    found: dict[str, Any] = {}
    root = importlib.import_module(package)
    for info in pkgutil.iter_modules(root.__path__):
        if info.ispkg or info.name.startswith("_"):
            continue
        module = importlib.import_module(f"{package}.{info.name}")
        for _, member in inspect.getmembers(module, inspect.isclass):
            name = getattr(member, "name", None)
            own = member.__module__ == module.__name__
            if own and isinstance(name, str) and all(callable(getattr(member, method, None)) for method in methods):
                found[name] = member
    return dict(sorted(found.items()))

"""Starts the recorder in a Python process that inherits the environment of `semcoder record`.

The interpreter imports this file by its name before the program begins. Guarantees: the program's own `sitecustomize`
is imported afterwards, if it has one; nothing of ours stays importable, so that a program which uses semcoder itself
gets its own; no error leaves this file.
"""

import sys


def _start() -> None:
    import atexit
    import importlib
    import json
    import os
    import types

    here = os.path.dirname(os.path.abspath(__file__))
    config = json.loads(os.environ["SEMCODER_RECORD"])
    mine = os.path.dirname(os.path.dirname(here))
    before = {name: sys.modules.pop(name) for name in list(sys.modules) if name.partition(".")[0] == "semcoder"}
    try:
        # Packages without their `__init__`: they would load more than is needed here.
        for name, folder in {"semcoder": mine, "semcoder.core": "core", "semcoder.recording": "recording"}.items():
            package = types.ModuleType(name)
            package.__path__ = [os.path.join(mine, folder)]
            sys.modules[name] = package
        keeping = importlib.import_module("semcoder.recording.keeper")
        way = importlib.import_module("semcoder.recording." + ("monitor" if sys.version_info >= (3, 12) else "inject"))
    finally:
        for name in [name for name in sys.modules if name.partition(".")[0] == "semcoder"]:
            del sys.modules[name]
        sys.modules.update(before)
    keeper = keeping.Keeper(config["parts"], config["limit"])
    atexit.register(keeper.finish)
    try:
        way.start(keeper, keeping.Scope(config["include"]))
    except Exception as error:
        keeper.stop(error)


def _go_on() -> None:
    """Import the `sitecustomize` that the process would have had, in place of this one.

    Raises ModuleNotFoundError where there is none, which is what the interpreter expects then.
    """
    import importlib
    import os

    here = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [path for path in sys.path if os.path.abspath(path) != here]
    sys.modules.pop("sitecustomize", None)
    importlib.import_module("sitecustomize")


try:
    _start()
except Exception:
    pass  # the program goes on without being recorded
_go_on()

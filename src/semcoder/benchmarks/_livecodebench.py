"""What the two tasks of LiveCodeBench share: the names that every program finds, and how stored tests are read.

Guarantees: packed tests are unpacked by a reader that makes texts and nothing else: a file can not run code here.
"""

from __future__ import annotations

import ast
import base64
import binascii
import builtins
import importlib
import io
import json
import pickle
import zlib
from functools import cache
from typing import Any, NoReturn

from semcoder.benchmarks._texts import parsed
from semcoder.errors import UsageError

MAX_TESTS = 512 * 1024 * 1024
_STARS = (
    "string re datetime collections heapq bisect copy math random statistics itertools functools operator io sys json "
    "builtins typing"
)
_MODULES = (
    "string re datetime collections heapq bisect copy math random statistics itertools functools operator io sys json"
)
#: What stands above every program of the generation task, officially too: solutions rely on it.
PRELUDE = "\n".join(
    [
        *(f"from {module} import *" for module in _STARS.split()),
        *(f"import {module}" for module in _MODULES.split()),
        "sys.setrecursionlimit(50000)",
    ]
)
#: A program may also read its input as a file; standing in it, this gives it nothing that it has not got.
OPENING = """
def open(file, *args, semcoder_open=open, **kwargs):
    return sys.stdin if file in (0, '/dev/stdin') else semcoder_open(file, *args, **kwargs)
"""
#: In the answer's own process: makes of a program a function from what it reads to what it prints. Ending by `exit` is
#: a way to end.
PRINTER = """
import builtins, io, sys

def semcoder_printer(source):
    code = compile(source, "<program>", "exec")
    def run(text):
        raw = io.BytesIO()
        sys.stdin = io.TextIOWrapper(io.BytesIO(text.encode()), encoding="utf-8", newline="\\n")
        sys.stdout = io.TextIOWrapper(raw, encoding="utf-8", newline="\\n", write_through=True)
        try:
            exec(code, {"__name__": "__main__", "__builtins__": builtins})
        except SystemExit:
            pass
        return raw.getvalue().decode("utf-8", "replace")
    return run
"""
#: What stands above every program of the execution task, officially with numpy and pandas as well.
EXECUTION_PRELUDE = """\
from itertools import *
from copy import deepcopy
from string import ascii_lowercase
from math import floor, log, log2, log10, sqrt, comb, gcd, ceil, inf, isqrt, prod
from collections import defaultdict, deque, Counter, OrderedDict
from heapq import heappush, heappop, heapify, merge
from functools import reduce, cache, lru_cache, partial
from random import randrange, shuffle
from operator import itemgetter, sub, iand
from re import search as re_search
from os.path import commonprefix
from typing import List, Tuple, Dict, Set, Optional, Union, Any, Callable, Iterable, Iterator, Generator
import copy, string, math, collections, bisect, heapq, functools, random, itertools, operator, re, sys
"""


def missing_imports(source: str) -> str:
    """Those imports of the execution task's prelude that a program relies on without having them, as lines."""
    tree = parsed(source)
    nodes = list(ast.walk(tree)) if tree is not None else []
    names = [node for node in nodes if isinstance(node, ast.Name)]
    bound = {node.id for node in names if not isinstance(node.ctx, ast.Load)} | set(dir(builtins))
    bound |= {node.arg for node in nodes if isinstance(node, ast.arg)}
    bound |= {node.name for node in nodes if isinstance(node, (ast.FunctionDef, ast.ClassDef))}
    bound |= {(node.asname or node.name).partition(".")[0] for node in nodes if isinstance(node, ast.alias)}
    wanted = {node.id for node in names} - bound
    lines = {name: line for name, line in _offered().items() if name in wanted}
    return "".join(f"{lines[name]}\n" for name in sorted(lines))


@cache
def _offered() -> dict[str, str]:
    """The import line for each name of the execution task's prelude; later ones count, as they do there."""
    lines: dict[str, str] = {}
    for node in ast.parse(EXECUTION_PRELUDE).body:
        if isinstance(node, ast.Import):
            lines |= {alias.name: f"import {alias.name}" for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                public = vars(importlib.import_module(node.module)) if alias.name == "*" else (alias.name,)
                spelled = alias.name if alias.asname is None else f"{alias.name} as {alias.asname}"
                for name in public:
                    if not name.startswith("_"):
                        written = name if alias.name == "*" else spelled
                        lines[alias.asname or name] = f"from {node.module} import {written}"
    return lines


def read_json(text: Any, field: str) -> Any:
    """A field that holds JSON as a text. Raises `UsageError`."""
    if not isinstance(text, str):
        return text
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"the field {field} is not JSON ({error})") from None


def read_tests(text: Any, field: str) -> list[dict[str, str]]:
    """Tests as they are stored: JSON, or a pickled JSON text, compressed, in base64. Raises `UsageError`."""
    tests = text
    if isinstance(text, str):
        tests = read_json(text if text.lstrip()[:1] in ("[", "") else _unpacked(text, field), field)
    if not isinstance(tests, list):
        raise UsageError(f"the field {field} must be a list of tests")
    for test in tests:
        parts = [test.get(key) for key in ("input", "output", "testtype")] if isinstance(test, dict) else [None]
        if not all(isinstance(part, str) for part in parts) or parts[2] not in ("stdin", "functional"):
            raise UsageError(f"a test in {field} needs the texts input, output, and testtype (stdin or functional)")
    return tests


class _Texts(pickle.Unpickler):
    """Unpickles a text: whatever names a class or a function is refused."""

    def find_class(self, module: str, name: str) -> NoReturn:
        raise pickle.UnpicklingError(f"it names {module}.{name}")


def _unpacked(text: str, field: str) -> str:
    try:
        reader = zlib.decompressobj()
        data = reader.decompress(base64.b64decode(text, validate=True), MAX_TESTS)
        if reader.unconsumed_tail:
            raise UsageError(f"the field {field} takes more than {MAX_TESTS >> 20} MiB")
        if not reader.eof:
            raise EOFError("it is torn")
        found = _Texts(io.BytesIO(data)).load()
    except (binascii.Error, zlib.error, pickle.UnpicklingError, EOFError, ValueError, LookupError, TypeError) as error:
        raise UsageError(f"the field {field} holds no packed tests ({error})") from None
    if not isinstance(found, str):
        raise UsageError(f"the field {field} holds a packed {type(found).__name__}; only a packed text is read")
    return found

"""Preimages of pure methods and functions: values that may have gone in, given what came out.

Guarantees: every list is finite, plainest first. A preimage is a proposal; whoever uses it evaluates the operation on
it. Each entry takes the wanted result and the arguments (`None` where an argument is not known).
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

Preimage = Callable[..., list[Any]]


def _same_text(result: Any, *_: Any) -> list[Any]:
    return [result] if isinstance(result, str) else []


def _cased(result: Any, *_: Any) -> list[Any]:
    return [result, result.lower(), result.upper(), result.swapcase()] if isinstance(result, str) else []


def _stripped(result: Any, chars: Any = None, *_: Any) -> list[Any]:
    if not isinstance(result, str):
        return []
    pad = chars[:1] if isinstance(chars, str) and chars else " "
    return [result, result + pad, pad + result, pad + result + pad]


def _padded(result: Any, width: Any = None, fill: Any = None, *_: Any) -> list[Any]:
    if not isinstance(result, str):
        return []
    pad = fill if isinstance(fill, str) else " "
    return [result, result.strip(pad), result.rstrip(pad), result.lstrip(pad), result.lstrip("0")]


def _split(result: Any, sep: Any = None, *_: Any) -> list[Any]:
    if not isinstance(result, list) or not all(isinstance(part, str) for part in result):
        return []
    return [(sep if isinstance(sep, str) and sep else " ").join(result)]


def _lines(result: Any, *_: Any) -> list[Any]:
    if not isinstance(result, list) or not all(isinstance(part, str) for part in result):
        return []
    return ["\n".join(result), "".join(part + "\n" for part in result), "".join(result)]


def _partition(result: Any, *_: Any) -> list[Any]:
    if not isinstance(result, tuple) or not all(isinstance(part, str) for part in result):
        return []
    return ["".join(result)]


def _replaced(result: Any, old: Any = None, new: Any = None, *_: Any) -> list[Any]:
    if not isinstance(result, str):
        return []
    out = [result]
    if isinstance(old, str) and isinstance(new, str) and new:
        out += [result.replace(new, old), result.replace(new, old, 1)]
    elif isinstance(old, str):
        out += [result + old, old + result]
    return out


def _found_at(result: Any, part: Any = None, *_: Any) -> list[Any]:
    """Texts and lists in which `part` stands first at index `result`."""
    if type(result) is not int or result > 500:
        return []
    if result < 0:
        return ["", "b", "xyz"]
    out: list[Any] = []
    if isinstance(part, str) and part:
        filler = next(c for c in "abcdefg" if c not in part)
        out += [filler * result + part, filler * result + part + filler]
    if part is not None:
        out.append([0 if part != 0 else 1] * result + [part])
    return out


def _counted(result: Any, part: Any = None, *_: Any) -> list[Any]:
    if type(result) is not int or not 0 <= result <= 500:
        return []
    out: list[Any] = []
    if isinstance(part, str) and part:
        out += [part * result, (part + "_") * result]
    return out if part is None else [*out, [part] * result]


def _got(result: Any, key: Any = None, default: Any = None, *_: Any) -> list[Any]:
    out: list[Any] = []
    if isinstance(key, (str, int, float)):
        out.append({key: result})
    if default == result:
        out.append({})
    return out


def _encoded(result: Any, *_: Any) -> list[Any]:
    return [result.decode("utf-8", "ignore")] if isinstance(result, bytes) else []


def _removed_prefix(result: Any, prefix: Any = None, *_: Any) -> list[Any]:
    return [*([prefix + result] if isinstance(prefix, str) and isinstance(result, str) else []), *_same_text(result)]


def _removed_suffix(result: Any, suffix: Any = None, *_: Any) -> list[Any]:
    return [*([result + suffix] if isinstance(suffix, str) and isinstance(result, str) else []), *_same_text(result)]


def _translated(result: Any, table: Any = None, *_: Any) -> list[Any]:
    if not isinstance(result, str):
        return []
    if not isinstance(table, dict):
        return [result]
    back: dict[str, str] = {}
    for code, to in table.items():
        text = chr(to) if isinstance(to, int) else to
        if isinstance(text, str) and isinstance(code, int):
            back.setdefault(text, chr(code))
    return [result, "".join(back.get(c, c) for c in result)]


#: Receivers of a method call, by the method's name.
METHODS: dict[str, Preimage] = {
    **dict.fromkeys(("upper", "lower", "swapcase", "title", "capitalize", "casefold"), _cased),
    **dict.fromkeys(("strip", "lstrip", "rstrip"), _stripped),
    **dict.fromkeys(("center", "ljust", "rjust", "zfill"), _padded),
    **dict.fromkeys(("split", "rsplit"), _split),
    "splitlines": _lines,
    "expandtabs": _same_text,
    **dict.fromkeys(("partition", "rpartition"), _partition),
    "replace": _replaced,
    **dict.fromkeys(("find", "index", "rfind", "rindex"), _found_at),
    "count": _counted,
    "get": _got,
    "encode": _encoded,
    "removeprefix": _removed_prefix,
    "removesuffix": _removed_suffix,
    "translate": _translated,
    "copy": lambda result, *_: [result],
    "items": lambda result, *_: _dicts(result),
    "keys": lambda result, *_: [dict.fromkeys(result, 1)] if isinstance(result, list) else [],
    "values": lambda result, *_: (
        [dict(zip("abcdefghijklmnop", result, strict=False))] if isinstance(result, list) else []
    ),
}


def _dicts(result: Any) -> list[Any]:
    if isinstance(result, dict):
        return [result, list(result.items())]
    if isinstance(result, (list, tuple)) and all(isinstance(r, (tuple, list)) and len(r) == 2 for r in result):
        return [dict(result)]
    return []


def _parsed(result: Any, *_: Any) -> list[Any]:
    """What `str` or `repr` may have been given."""
    if not isinstance(result, str):
        return []
    try:
        value = ast.literal_eval(result)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return [result]
    return [result, value] if not isinstance(value, str) else [value, result]


def _number(result: Any, *_: Any) -> list[Any]:
    if not isinstance(result, (int, float)):
        return []
    return (
        [str(result), result, result + 0.5]
        if isinstance(result, int) and not isinstance(result, bool)
        else [result, str(result)]
    )


def _ordered(result: Any, *_: Any) -> list[Any]:
    """Any ordering of the elements will do."""
    if not isinstance(result, list):
        return []
    out: list[Any] = [result, result[::-1]]
    if all(isinstance(r, str) and len(r) == 1 for r in result):
        out.append("".join(result))
    return [*out, tuple(result)]


def _elements(result: Any, *_: Any) -> list[Any]:
    """Iterables with these elements in this order."""
    if not isinstance(result, (list, tuple, set, frozenset)):
        return []
    row = sorted(result, key=repr) if isinstance(result, (set, frozenset)) else list(result)
    text = ["".join(row)] if all(isinstance(r, str) and len(r) == 1 for r in row) else []
    return [row, *text, tuple(row)]


def _backwards(result: Any, *_: Any) -> list[Any]:
    return [made[::-1] for made in _elements(result)]


def _total(result: Any, *_: Any) -> list[Any]:
    """Numbers that add up to the result."""
    if not isinstance(result, (int, float)):
        return []
    out: list[Any] = [[result]] if result else [[], [0]]
    if type(result) is int:
        out += [[result - 1, 1], [1] * result if 0 < result < 60 else [result, 0], [result + 1, -1]]
    return out


def _extreme(result: Any, *_: Any) -> list[Any]:
    return [
        [result],
        [result, result],
        *([result] if isinstance(result, str) else []),
        {result: 1} if _hashable(result) else [result],
    ]


def _hashable(value: Any) -> bool:
    return isinstance(value, (str, int, float, bool, tuple, type(None)))


def _of_size(result: Any, *_: Any) -> list[Any]:
    """Containers with that many elements."""
    if type(result) is not int or not 0 <= result <= 2_000:
        return []
    return [
        "a" * result,
        [1] * result,
        list(range(result)),
        dict.fromkeys(range(result), 1),
        ["a"] * result,
        set(range(result)),
    ]


#: First arguments of a function call, by the function's name.
FUNCTIONS: dict[str, Preimage] = {
    "str": _parsed,
    "repr": _parsed,
    "int": _number,
    "float": _number,
    "round": _number,
    "bool": lambda result, *_: [1, "a", [1], True] if result is True else [0, "", [], False],
    "abs": lambda result, *_: [result, -result] if isinstance(result, (int, float)) else [],
    "ord": lambda result, *_: [chr(result)] if type(result) is int and 0 <= result < 0x110000 else [],
    "chr": lambda result, *_: [ord(result)] if isinstance(result, str) and len(result) == 1 else [],
    "len": _of_size,
    "sum": _total,
    "max": _extreme,
    "min": _extreme,
    "sorted": _ordered,
    "list": _elements,
    "tuple": _elements,
    "set": _elements,
    "frozenset": _elements,
    "reversed": _backwards,
    "dict": lambda result, *_: _dicts(result),
    "bin": lambda result, *_: (
        [int(result, 2)] if isinstance(result, str) and result.strip("-").startswith("0b") else []
    ),
}

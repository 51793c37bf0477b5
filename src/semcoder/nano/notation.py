"""The built-in model's language: its vocabulary, and values written in it.

Guarantees: `VOCABULARY` is the whole language in a fixed order, the three control tokens first; `write` and `read` are
inverse on None, bools, ints, floats, strings and tuples, lists, sets and dicts of them (`read(write(v)) == v`, types
included); a set is written in the order of its elements, or of their texts where they do not compare, so that a text
does not depend on hash order, but for sets of sets. No token holds white space, so a text is its tokens joined by
single spaces, and any tokenizer that splits on white space reads it.

A string of one ASCII character is one token (`'a'`); any other is its characters between `“` and `”`. An int from 0 to
99 is one token, a larger one its digits. A position is a token of its own (`#7`): a sequence with positions beside its
elements, `⟦ #0 h #1 i #2 ⟧`, is the form in which the model looks up, slices and counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

PAD, EOS, ANSWER, INVERSE, DIRECT, LINES, BOS = (
    "<pad>",
    "<eos>",
    "<answer>",
    "<inverse>",
    "<direct>",
    "<lines>",
    "<bos>",
)
#: What opens an answer: a forward monologue, an input for a given result, a bare result, the lines' variables alone.
OPENERS: Final = (ANSWER, INVERSE, DIRECT, LINES)

#: Positions and labels there are; beyond, a program or a sequence is too long for the model.
POSITIONS: Final = 100
LABELS: Final = 120
VARIABLES: Final = 24

_SHOWN = {" ": "␣", "\n": "⏎", "\t": "⇥", "\r": "␍"}
_PLAIN = {shown: char for char, shown in _SHOWN.items()}
_CHARS: Final = [_SHOWN.get(chr(i), chr(i)) for i in range(32, 127)] + ["⏎", "⇥", "␍"]


def _words(text: str) -> list[str]:
    return text.split()


STR_METHODS: Final = _words(
    "capitalize casefold center count encode endswith expandtabs find format index isalnum isalpha isascii"
    " isdecimal isdigit isidentifier islower isnumeric isprintable isspace istitle isupper join ljust lower lstrip"
    " partition removeprefix removesuffix replace rfind rindex rjust rpartition rsplit rstrip split splitlines"
    " startswith strip swapcase title translate upper zfill decode"
)
LIST_METHODS: Final = _words("append clear copy extend insert pop remove reverse sort")
DICT_METHODS: Final = _words("get items keys popitem setdefault update values")
SET_METHODS: Final = _words(
    "add discard union intersection difference symmetric_difference issubset issuperset isdisjoint"
)
BUILTINS: Final = _words(
    "abs all any bool chr dict divmod enumerate filter float int isinstance len list map max min ord range repr"
    " reversed round set sorted str sum tuple type zip frozenset bytes"
)
CLASS_METHODS: Final = ["str.maketrans", "dict.fromkeys"]
EXCEPTIONS: Final = _words(
    "AttributeError IndexError KeyError TypeError ValueError ZeroDivisionError StopIteration Exception"
    " AssertionError UnboundLocalError RuntimeError OverflowError LookupError ArithmeticError NameError"
)
KEYWORDS: Final = ["reverse=", "key=", "default=", "start=", "sep=", "maxsplit=", "keepends=", "strict=", "tabsize="]
OPERATORS: Final = _words(
    "+ - * / // % ** @ & | ^ << >> == != < > <= >= in notin is isnot not neg pos inv = += -= *= /= //= %= **= &="
    " |= ^= <<= >>="
)
MARKS: Final = _words(
    "[ ] ( ) { } , : ; . * ** → ⟦ ⟧ “ ” ‹ › '' if unless else goto for in join try except return iter end put"
    " assert del unpack move None True False ! args result set( range( fstr :spec :conv dict( nan inf e b'"
)


def _vocabulary() -> list[str]:
    found = [PAD, EOS, ANSWER, INVERSE, DIRECT, LINES, BOS]
    found += [f"L{i}" for i in range(LABELS)]
    found += [f"v{i}" for i in range(VARIABLES)]
    found += [f"#{i}" for i in range(POSITIONS)]
    found += [str(i) for i in range(100)]
    found += _CHARS
    found += [f"'{char}'" for char in _CHARS]
    found += [f"<0x{i:02X}>" for i in range(256)]
    found += [f".{name}" for name in STR_METHODS + LIST_METHODS + DICT_METHODS + SET_METHODS]
    found += BUILTINS + CLASS_METHODS + EXCEPTIONS + KEYWORDS + OPERATORS + MARKS
    return list(dict.fromkeys(found))


VOCABULARY: Final = _vocabulary()
IDS: Final = {token: i for i, token in enumerate(VOCABULARY)}

_INTS: Final = [[str(i)] for i in range(100)]
_CHAR_TOKENS: dict[str, tuple[str, ...]] = {_PLAIN.get(shown, shown): (shown,) for shown in _CHARS}
_ONE_CHAR: dict[str, list[str]] = {_PLAIN.get(shown, shown): [f"'{shown}'"] for shown in _CHARS}


class Unsupported(Exception):
    """A program or a value that the language has no words for. Internal: callers turn it into an error or a skip."""


def char_tokens(char: str) -> tuple[str, ...]:
    """The tokens of one character inside a string: itself, or its UTF-8 bytes."""
    known = _CHAR_TOKENS.get(char)
    if known is None:
        known = tuple(f"<0x{byte:02X}>" for byte in char.encode("utf-8", "surrogatepass"))
        _CHAR_TOKENS[char] = known
    return known


def write_string(value: str) -> list[str]:
    if not value:
        return ["''"]
    if len(value) == 1 and value in _ONE_CHAR:
        return _ONE_CHAR[value]
    found = ["“"]
    for char in value:
        found += char_tokens(char)
    found.append("”")
    return found


def write_int(value: int) -> list[str]:
    if 0 <= value < 100:
        return _INTS[value]
    return ["-", *write_int(-value)] if value < 0 else list(str(value))


def _write_float(value: float) -> list[str]:
    text = repr(value)
    if text in ("nan", "inf"):
        return [text]
    if text[0] == "-":
        return ["-", *_write_float(-value)]
    return list(text)


def write(value: Any) -> list[str]:
    """The tokens of a value. Raises `Unsupported` for other types."""
    kind = type(value)
    if kind is str:
        return write_string(value)
    if kind is int:
        return write_int(value)
    if value is None or kind is bool:
        return [str(value)]
    if kind is list:
        return ["[", *_items(value), "]"]
    if kind is tuple:
        return ["(", *_items(value), ")"]
    if kind is dict:
        return ["{", *_pairs(value), "}"]
    if kind is set or kind is frozenset:
        return ["set(", *_items(ordered(value)), ")"]
    if kind is float:
        return _write_float(value)
    if kind is range:
        return ["range(", *_items((value.start, value.stop, value.step)), ")"]
    if kind is bytes:
        return ["b'", *(f"<0x{byte:02X}>" for byte in value), "”"]
    if kind is type and value.__name__ in IDS:
        return [value.__name__]
    raise Unsupported(f"a value of type {kind.__name__}")


def ordered(value: set[Any] | frozenset[Any]) -> list[Any]:
    """A set's elements in the order of their values, or of their texts where they do not compare."""
    try:
        return sorted(value)
    except TypeError:
        return sorted(value, key=repr)


def _items(values: Sequence[Any]) -> list[str]:
    found: list[str] = []
    for value in values:
        found += write(value)
        found.append(",")
    return found[:-1]


def _pairs(value: dict[Any, Any]) -> list[str]:
    found: list[str] = []
    for key, item in value.items():
        found += write(key)
        found.append(":")
        found += write(item)
        found.append(",")
    return found[:-1]


def write_positions(value: Any) -> list[str]:
    """A string, sequence or dict with positions beside its elements; the last position is its length."""
    if len(value) >= POSITIONS:
        raise Unsupported("a sequence of 100 elements or more")
    found = ["⟦"]
    kind = type(value)
    if kind is str:
        for i, char in enumerate(value):
            found.append(f"#{i}")
            found += char_tokens(char)
    elif kind is dict:
        for i, (key, item) in enumerate(value.items()):
            found.append(f"#{i}")
            found += write(key)
            found.append(":")
            found += write(item)
    else:
        for i, item in enumerate(ordered(value) if kind in (set, frozenset) else value):
            found.append(f"#{i}")
            found += write(item)
    found += [f"#{len(value)}", "⟧"]
    return found


# Reading -------------------------------------------------------------------------------------------------------------


class Unreadable(ValueError):
    """Tokens that are no value."""


_NAMED = {"None": None, "True": True, "False": False, "''": "", "nan": float("nan"), "inf": float("inf")}
_CLOSING = {"[": "]", "(": ")", "{": "}", "set(": ")", "range(": ")"}
_TYPES = {"int": int, "str": str, "list": list, "dict": dict, "tuple": tuple, "set": set, "float": float, "bool": bool}
_DEEPEST = 40


def read(tokens: Sequence[str]) -> Any:
    """The value of all these tokens. Raises `Unreadable`."""
    value, end = read_prefix(tokens, 0)
    if end != len(tokens):
        raise Unreadable(f"{tokens[end]!r} follows a complete value")
    return value


def read_prefix(tokens: Sequence[str], start: int, depth: int = 0) -> tuple[Any, int]:
    """The value that begins at `start`, and where it ends. Raises `Unreadable`."""
    if start >= len(tokens) or depth > _DEEPEST:
        raise Unreadable("a value is missing" if start >= len(tokens) else "nested too deep")
    token = tokens[start]
    if token in _NAMED:
        return _NAMED[token], start + 1
    if token == "-":
        value, end = read_prefix(tokens, start + 1, depth + 1)
        if type(value) not in (int, float):
            raise Unreadable("a minus before what is no number")
        return -value, end
    if token.isdecimal():
        return _read_number(tokens, start)
    if token == "“":
        return _read_string(tokens, start + 1)
    if token == "b'":
        return _read_bytes(tokens, start + 1)
    if len(token) == 3 and token[0] == token[2] == "'":
        return _PLAIN.get(token[1], token[1]), start + 1
    if token in _CLOSING:
        return _read_container(tokens, start, depth)
    if token == "⟦":
        return _read_positions(tokens, start, depth)
    if token in _TYPES:
        return _TYPES[token], start + 1
    raise Unreadable(f"{token!r} begins no value")


def _read_number(tokens: Sequence[str], start: int) -> tuple[Any, int]:
    end = start
    while end < len(tokens) and (
        (len(tokens[end]) == 1 and tokens[end] in "0123456789.e")
        or (tokens[end] in ("-", "+") and end > start and tokens[end - 1] == "e")
    ):
        end += 1
    text = "".join(tokens[start:end])
    if end <= start + 1:
        return int(tokens[start]), start + 1
    try:
        return (int(text) if text.isdecimal() else float(text)), end
    except ValueError as error:
        raise Unreadable(f"{text!r} is no number") from error


def _read_bytes(tokens: Sequence[str], start: int) -> tuple[bytes, int]:
    end = start
    while end < len(tokens) and tokens[end] != "”":
        end += 1
    if end == len(tokens):
        raise Unreadable("bytes without end")
    try:
        return bytes(int(token[3:5], 16) for token in tokens[start:end]), end + 1
    except ValueError as error:
        raise Unreadable("bytes that are none") from error


def _read_string(tokens: Sequence[str], start: int) -> tuple[str, int]:
    out = bytearray()
    for end in range(start, len(tokens)):
        token = tokens[end]
        if token == "”":
            return out.decode("utf-8", "surrogatepass" if _whole(out) else "replace"), end + 1
        if len(token) == 6 and token.startswith("<0x"):
            out.append(int(token[3:5], 16))
        elif len(token) == 1:
            out += _PLAIN.get(token, token).encode()
        else:
            raise Unreadable(f"{token!r} inside a string")
    raise Unreadable("a string without end")


def _whole(data: bytearray) -> bool:
    try:
        data.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return False
    return True


def _read_container(tokens: Sequence[str], start: int, depth: int) -> tuple[Any, int]:
    opening, close, end = tokens[start], _CLOSING[tokens[start]], start + 1
    items: list[Any] = []
    values: list[Any] = []
    while end < len(tokens) and tokens[end] != close:
        item, end = read_prefix(tokens, end, depth + 1)
        items.append(item)
        if opening == "{":
            if end >= len(tokens) or tokens[end] != ":":
                raise Unreadable("a key without a value")
            item, end = read_prefix(tokens, end + 1, depth + 1)
            values.append(item)
        if end < len(tokens) and tokens[end] == ",":
            end += 1
        elif end >= len(tokens) or tokens[end] != close:
            raise Unreadable("elements without a comma")
    if end >= len(tokens):
        raise Unreadable(f"{opening!r} without {close!r}")
    return _made(opening, items, values), end + 1


def _made(opening: str, items: list[Any], values: list[Any]) -> Any:
    try:
        if opening == "{":
            return dict(zip(items, values, strict=True))
        if opening == "set(":
            return set(items)
        if opening == "range(":
            return range(*items)
    except (TypeError, ValueError) as error:
        raise Unreadable(str(error)) from error
    return items if opening == "[" else tuple(items)


def _read_positions(tokens: Sequence[str], start: int, depth: int) -> tuple[list[Any], int]:
    """A list written with positions; of a dict's items, pairs."""
    items: list[Any] = []
    end = start + 1
    while end < len(tokens) and tokens[end].startswith("#"):
        if end + 1 < len(tokens) and tokens[end + 1] == "⟧":
            return items, end + 2
        item, end = read_prefix(tokens, end + 1, depth + 1)
        if end < len(tokens) and tokens[end] == ":":
            value, end = read_prefix(tokens, end + 1, depth + 1)
            item = (item, value)
        items.append(item)
    raise Unreadable("a list with positions that does not end")

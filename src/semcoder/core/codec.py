"""Records to and from JSON documents, with a schema version.

Guarantees: `decode(type(r), encode(r)) == r` for every record; what is malformed raises `InputError` naming the field;
documents of older schema versions are migrated, newer ones refused. Fields at their default are left out, and unknown
fields are ignored, so that rows of the published schema load as they are.
"""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Callable, Hashable
from functools import cache
from typing import Any, TypeVar

from semcoder.core.values import Value
from semcoder.errors import InputError

SCHEMA_VERSION = 1
#: From version N to N + 1: `MIGRATIONS[N](document) -> document`.
MIGRATIONS: dict[int, Callable[[dict[str, Any]], dict[str, Any]]] = {}

T = TypeVar("T")


def encode(record: Any) -> dict[str, Any]:
    """The JSON document of a record (nested records inline; `schema` only by `dump`)."""
    doc: dict[str, Any] = {}
    for field in dataclasses.fields(record):
        value = getattr(record, field.name)
        if field.default is not dataclasses.MISSING and value == field.default and not isinstance(value, Value):
            continue
        doc[field.name] = _plain(value)
    return doc


def _plain(value: Any) -> Any:
    if isinstance(value, Value):
        return value.to_wire()
    if dataclasses.is_dataclass(value):
        return encode(value)
    if isinstance(value, (tuple, list)):
        return [_plain(part) for part in value]
    return value


def dump(record: Any) -> dict[str, Any]:
    """`encode` with the schema version: the form for files."""
    return {"schema": SCHEMA_VERSION, **encode(record)}


def load(record_type: type[T], doc: Any, where: str = "document") -> T:
    """The inverse of `dump`, migrating older versions. Raises `InputError` that starts with `where`."""
    if not isinstance(doc, dict):
        raise InputError(f"{where}: expected a JSON object, got {type(doc).__name__}")
    version = doc.get("schema", SCHEMA_VERSION)
    if type(version) is not int or version < 0 or version > SCHEMA_VERSION:
        raise InputError(
            f"{where}: schema version {version!r} is unknown here (newest: {SCHEMA_VERSION}); update semcoder"
        )
    while version < SCHEMA_VERSION:
        if version not in MIGRATIONS:
            raise InputError(f"{where}: no migration from schema version {version}")
        doc = MIGRATIONS[version](doc)
        version += 1
    return decode(record_type, doc, where)


def decode(record_type: type[T], doc: Any, where: str = "document") -> T:
    """The record of a document. Raises `InputError` naming the field that is wrong."""
    if not isinstance(doc, dict):
        raise InputError(f"{where}: expected a JSON object, got {type(doc).__name__}")
    hints = _hints(typing.cast(Hashable, record_type))
    values = {name: _typed(hints[name], doc[name], f"{where}.{name}") for name in hints if name in doc}
    try:
        return record_type(**values)
    except TypeError as error:
        missing = str(error).partition("argument")[2].lstrip("s: ")
        raise InputError(f"{where}: missing field {missing}") from None


@cache
def _hints(record_type: Hashable) -> dict[str, Any]:
    return typing.get_type_hints(typing.cast(type, record_type))


def _typed(hint: Any, value: Any, where: str) -> Any:
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        if value is None:
            return None
        return _typed(next(arg for arg in args if arg is not type(None)), value, where)
    if origin is typing.Literal:
        if value not in args:
            raise InputError(f"{where}: {value!r} is not one of {', '.join(map(str, args))}")
        return value
    if origin is tuple:
        if not isinstance(value, list):
            raise InputError(f"{where}: expected a list, got {type(value).__name__}")
        return tuple(_typed(args[0], part, f"{where}[{i}]") for i, part in enumerate(value))
    if hint is Value:
        try:
            return Value.from_wire(value)
        except ValueError as error:
            raise InputError(f"{where}: {error}") from None
    if dataclasses.is_dataclass(hint):
        return decode(typing.cast(Any, hint), value, where)
    plain = getattr(hint, "__supertype__", hint)
    if plain is float and type(value) is int:
        return float(value)
    if isinstance(plain, type) and type(value) is not plain:
        raise InputError(f"{where}: expected {plain.__name__}, got {type(value).__name__}")
    return value

"""The text after a source's name: `TEXT?key=value&key=value+flag+flag`.

Guarantees: flags are taken off the end, then options off the end of what is left; an unknown option is a `UsageError`
that names those there are. A path may hold `?` and `+` as long as it does not end like options or a known flag.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from semcoder.errors import UsageError

#: Flags that sources know: `tests` (with test files), `groups` (with groups of statements as programs).
FLAGS = ("tests", "groups")
_OPTIONS = re.compile(r"\w*=[^&?]*(?:&\w*=[^&?]*)*")


@dataclass(frozen=True, slots=True)
class Spec:
    """`text`: a path or a name; `options` by key, none of them empty."""

    text: str
    flags: frozenset[str] = frozenset()
    options: Mapping[str, str] = field(default_factory=dict)

    def __contains__(self, flag: str) -> bool:
        return flag in self.flags


def read_spec(spec: str, *, flags: Sequence[str] = FLAGS, keys: Sequence[str] = ()) -> Spec:
    """A spec's parts. Raises `UsageError` on an option that is not among `keys`, or that has no value."""
    found: set[str] = set()
    while flag := next((flag for flag in flags if spec.endswith(f"+{flag}")), ""):
        found.add(flag)
        spec = spec.removesuffix(f"+{flag}")
    text, _, tail = spec.rpartition("?")
    if not text or not keys or not _OPTIONS.fullmatch(tail):
        return Spec(spec, frozenset(found))
    options: dict[str, str] = {}
    for part in tail.split("&"):
        key, _, value = part.partition("=")
        if key not in keys or not value:
            raise UsageError(f"{spec}: {part!r} is not understood; write {', '.join(f'{k}=...' for k in keys)}")
        options[key] = value
    return Spec(text, frozenset(found), options)

"""The objects that a run is said to have: which values are one object, told from statements alone.

A statement gives a value, not an object. That `row` and `rows[0]` are one list shows only when one of them changes, and
whether a variable that is bound to an equal list has changed depends on it. So each stated value is taken for an object
that could stand there (an operand, an element of one) if it is equal to it in every part, and for a new one otherwise.

Guarantees: what a variable holds is what was last stated of it, never what follows from other statements.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from semcoder.core import Value
from semcoder.core.encode import Encoder
from semcoder.nano.notation import Unsupported, write

_CONTAINERS: Final = frozenset({list, dict, set, tuple, frozenset})
_VIEWS: Final = {"keys": dict.keys, "values": dict.values, "items": dict.items}


class Objects:
    """What registers (variables, then labels) hold, and values as they are at a moment."""

    def __init__(self) -> None:
        self.held: dict[int, Any] = {}
        self._encoder = Encoder()
        self._constants: dict[tuple[str, ...], Any] = {}
        #: Iterators stand for themselves; what they give, by identity.
        self._given: dict[int, tuple[Any, Sequence[Any]]] = {}

    def value(self, thing: Any) -> Value:
        """The value of an object now. Values of one object, unchanged, have one ref."""
        return Value(self._encoder.ref(thing), self._encoder.nodes)

    def constant(self, thing: Any) -> Any:
        """The object that stands for a constant of the program's text, or of the call's: equal tuples are one."""
        kind = type(thing)
        if kind is tuple and _is_frozen(thing):
            return self._constants.setdefault(tuple(write(thing)), thing)
        if kind in (list, tuple, set, frozenset):
            return kind(map(self.constant, thing))
        if kind is dict:
            return {self.constant(key): self.constant(item) for key, item in thing.items()}
        return thing

    def iterator(self, kind: str, over: Any, items: Sequence[Any]) -> Any:
        """An iterator of a builtin type (or `generator`) that is said to give these items."""
        made: Mapping[str, Any] = {
            "enumerate": enumerate(()),
            "zip": zip(strict=False),
            "map": map(str, ()),
            "filter": filter(None, ()),
            "generator": (each for each in ""),
        }
        found = reversed(over) if kind == "reversed" else made[kind]
        self._given[id(found)] = (found, items)
        return found

    def view(self, kind: str, items: Sequence[Any]) -> Any:
        """A view of a dict that has these items (or keys, or values)."""
        if kind == "values":
            return dict(enumerate(items)).values()
        return _VIEWS[kind](dict(items) if kind == "items" else dict.fromkeys(items))

    def items(self, thing: Any) -> list[Any]:
        """What a walk over an object meets; empty for what cannot be walked over."""
        if id(thing) in self._given:
            return list(self._given[id(thing)][1])
        try:
            return [] if isinstance(thing, Iterator) else list(thing)
        except TypeError:
            return []

    @staticmethod
    def adopted(said: Any, candidates: Iterable[Any]) -> Any:
        """The first candidate that is equal to a stated value in every part, else the value itself."""
        if type(said) not in _CONTAINERS:
            return said
        return next((each for each in candidates if same(each, said)), said)

    def change(self, stated: Sequence[tuple[int, Any]], others: Iterable[int], given: Sequence[Any]) -> list[int]:
        """Variables whose objects were changed in place, with what they are now.

        `others`: variables that stay as they are where nothing was stated of them; those that hold what was changed get
        objects of their own, and are returned. `given`: objects that may have been put into what was changed.
        """
        named = {variable for variable, _ in stated}
        before = {each: self.value(self.held[each]) for each in others if each not in named and each in self.held}
        for variable, said in stated:
            self.held[variable] = self._turned(self.held.get(variable), said, given)
        for variable, said in stated:  # of one object, two things may have been stated
            if not same(self.held[variable], said):
                self.held[variable] = said
        parted = []
        for variable, value in before.items():
            if self.value(self.held[variable]).ref != value.ref and value.is_literal():
                self.held[variable] = value.to_python()
                parted.append(variable)
        return parted

    @staticmethod
    def put(into: Any, key: Any, thing: Any) -> None:
        """An object was stored in another, which was said to hold an equal one there: it is this one."""
        try:
            if same(into[key], thing):
                into[key] = thing
        except (LookupError, TypeError):
            pass

    def _turned(self, old: Any, said: Any, given: Sequence[Any]) -> Any:
        """The object that was `old` and now is what was said: the same one, with as many of its parts as can be."""
        if type(old) is not type(said) or type(said) not in _CONTAINERS or same(old, said):
            return old if same(old, said) else self.adopted(said, given)
        if isinstance(old, dict):
            parts = self._parts(list(old.values()), list(said.values()), given)
            now = dict(zip(said, parts, strict=True))
            old.clear()
            old.update(now)
        elif isinstance(old, list):
            old[:] = self._parts(list(old), said, given)
        elif isinstance(old, set):
            old.clear()
            old.update(said)
        else:
            self._parts(list(old), list(said), given)  # a tuple changes in its parts alone
            return old if same(old, said) else said
        return old

    def _parts(self, old: Sequence[Any], said: Sequence[Any], given: Sequence[Any]) -> list[Any]:
        """Parts of a container that has changed: those that stayed, those that were given, those that have changed."""
        left = {place: part for place, part in enumerate(old) if type(part) in _CONTAINERS}
        found = dict(enumerate(said))
        unknown = {place: each for place, each in found.items() if type(each) in _CONTAINERS}
        for place in [place for place, each in unknown.items() if place in left and same(left[place], each)]:
            del unknown[place]
            found[place] = left.pop(place)
        for place, each in list(unknown.items()):
            at = next((at for at, part in left.items() if same(part, each)), None)
            if at is not None:
                del unknown[place]
                found[place] = left.pop(at)
        for place, each in unknown.items():
            found[place] = self.adopted(each, given)
            at = next((at for at in (place, *left) if at in left and type(left[at]) is type(each)), None)
            if found[place] is each and at is not None:
                found[place] = self._turned(left.pop(at), each, given)
        return list(found.values())


def same(one: Any, other: Any) -> bool:
    """Whether two values are equal in every part, types included."""
    if one is other:
        return True
    try:
        return type(one) is type(other) and write(one) == write(other)
    except (Unsupported, RecursionError):
        return False


def _is_frozen(thing: Any) -> bool:
    return type(thing) not in (list, dict, set) and (type(thing) is not tuple or all(map(_is_frozen, thing)))

"""A search for a patch: which changes are tried, in which order, and which one is taken."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from semcoder.debugging.searching import TESTED, Change, Search, Suspect, Trials, changes_of, search

SOURCE = '''\
import functools

LIMIT = 3 + 4


@functools.cache
def clamp(x, low, high):
    """Between them."""
    if x < low:
        return low
    return min(x, high)


class Box:
    @property
    def size(self):
        return self._size + 1

    @size.setter
    def size(self, value):
        self._size = value - 1

    def grown(self, by):
        def more(times):
            return by * times

        return more(2) + self.size


if LIMIT > 5:

    def fallback(x):
        return x + 1
'''
PATH = Path("box.py").resolve()
ALL = [
    Suspect(PATH, "Box.grown", 23),
    Suspect(PATH, "clamp", 7),
    Suspect(PATH, "Box.size", 20),
    Suspect(PATH, "Box.grown.more", 24),
    Suspect(PATH, "fallback", 32),
]


def changed_functions(source: str) -> dict[tuple[str, int], str]:
    """Functions by name and number, without what stands in inner ones."""
    tree = ast.parse(source)
    nodes = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    return {(node.name, number): ast.dump(node) for number, node in enumerate(nodes)}


def test_changes_of_the_most_suspect_come_first() -> None:
    found = changes_of(ALL, {PATH: SOURCE})
    names = list(dict.fromkeys(change.function for change in found))
    assert names == ["Box.grown", "clamp", "Box.size", "fallback"]  # those of `more` are among those of `grown`
    assert [change.function for change in found] == sorted((c.function for c in found), key=names.index)
    assert changes_of(ALL, {PATH: SOURCE}) == found
    assert [change.function for change in changes_of(ALL[1:2], {PATH: SOURCE})].count("clamp") == len(
        [change for change in found if change.function == "clamp"]
    )


def test_what_takes_code_away_comes_last_in_its_function() -> None:
    found = [change for change in changes_of(ALL, {PATH: SOURCE}) if change.function == "clamp"]
    assert found[-1].after == ""
    assert found[-1].said() == "line 9 of box.py: `if x < low:` is taken out"
    assert all(change.after for change in found[:-1])


def test_of_functions_with_one_name_the_nearest_changes() -> None:
    found = changes_of([Suspect(PATH, "Box.size", 20)], {PATH: SOURCE})
    assert {change.before for change in found} == {"self._size = value - 1"}
    found = changes_of([Suspect(PATH, "Box.size", 16)], {PATH: SOURCE})
    assert {change.before for change in found} == {"return self._size + 1"}


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_a_change_says_what_it_does_and_where(ends: str) -> None:
    source = SOURCE.replace("\n", ends)
    (found,) = [c for c in changes_of(ALL, {PATH: source}) if c.after == "if x <= low:"]
    assert (found.line, found.before) == (9, "if x < low:")
    assert found.said() == "line 9 of box.py: `if x < low:` -> `if x <= low:`"
    assert found.applied(source) == source.replace("x < low", "x <= low")


@given(st.lists(st.sampled_from(ALL), min_size=1, unique=True), st.integers(1, 40))
def test_only_suspect_functions_change(suspects: list[Suspect], limit: int) -> None:
    found = changes_of(suspects, {PATH: SOURCE}, limit)
    assert len(found) <= limit
    allowed = {suspect.name.rpartition(".")[2] for suspect in suspects} | {"grown", "more"}
    before = changed_functions(SOURCE)
    for change in found:
        text = change.applied(SOURCE)
        after = changed_functions(text)
        differing = {key[0] for key in before if before[key] != after[key]}
        assert differing
        assert differing <= allowed
        rows = zip(SOURCE.splitlines(), text.splitlines(), strict=False)
        assert all(one == other for one, other in list(rows)[: change.line - 1])
        assert text.splitlines()[change.line - 1] != SOURCE.splitlines()[change.line - 1]


def test_what_is_no_python_and_what_is_not_there_has_no_changes() -> None:
    assert not changes_of([Suspect(PATH, "f", 1)], {PATH: "def f(:\n"})
    assert not changes_of([Suspect(PATH, "gone", 1)], {PATH: SOURCE})


# the choice ----------------------------------------------------------------------------------------------------------

FILES: Mapping[Path, str] = {PATH: SOURCE}
CHANGES = changes_of(ALL[1:2], FILES)


def chosen(
    passing: Sequence[int], breaking: Sequence[int], why: str = "", tried: int = len(CHANGES)
) -> tuple[int | None, list[int], Search]:
    """The place of the change that was taken, the places of those that were tested, and the search."""
    looked: list[int] = []

    def trial(changes: Sequence[Change]) -> Trials:
        return Trials([place in passing for place in range(tried)], why)

    def tested(new: Mapping[Path, str]) -> str:
        place = next(k for k, change in enumerate(CHANGES) if change.applied(SOURCE) == new[PATH])
        looked.append(place)
        return "test_other fails now:\nE  assert 1 == 2" if place in breaking else ""

    found = search(CHANGES, FILES, trial, tested, lambda: "all pass with this patch")
    return looked[-1] if found.patch is not None else None, looked, found


def test_the_first_that_breaks_nothing_is_taken() -> None:
    place, looked, found = chosen([1, 3, 4], [1])
    assert (place, looked) == (3, [1, 3])
    assert found.patch is not None
    assert found.patch.changes == {PATH: CHANGES[3].applied(SOURCE)}
    words = found.patch.cause
    count = len(CHANGES)
    assert words.startswith(f"Line {CHANGES[3].line} of box.py: `{CHANGES[3].before}` -> `{CHANGES[3].after}`. ")
    assert f"all pass with this patch; {count} small changes of `clamp` were tried, and 2 others pass, too. " in words
    assert words.endswith("A change that makes tests pass need not be right.")
    assert found.rounds == found.patch.rounds == count
    assert found.refused == ("test_other fails now:\nE  assert 1 == 2",)


def test_few_are_tested_further() -> None:
    passing = list(range(TESTED + 2))
    place, looked, found = chosen(passing, passing)
    assert place is None
    assert looked == passing[:TESTED]
    summary = found.summary
    assert summary.endswith(
        f"; {TESTED + 2} pass by themselves, of which {TESTED} were tested further, and break others: test_other fails now"
    )


def test_what_was_not_tried_is_not_counted() -> None:
    place, looked, found = chosen([], [], why="the time was over", tried=3)
    assert (place, looked, found.rounds) == (None, [], 3)
    assert found.summary == (
        f"a search found no patch: 3 of {len(CHANGES)} small changes of `clamp` were tried (the time was over), and none passes"
    )


def test_nothing_to_change() -> None:
    found = search([], {}, lambda changes: pytest.fail("tried"), lambda new: "", lambda: "")
    assert (found.patch, found.rounds) == (None, 0)
    assert "there is no suspect function that it could change" in found.summary

"""Laying statements along a run: which visit of a line each of them is about.

A text goes forward. A statement with a line label is about a visit of that line that is not over where the text has got
to; which one is settled for the whole text at once, so that as few statements as possible are false and no more visits
than needed are passed over. An ordinal ("second iteration") leaves only the visits of that iteration, and "earlier"
lifts the rule. Of two ways to place a text that are as good, the one that is earlier in the run counts.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from semcoder.monologue.english.grammar import ZEROTH, Statement
from semcoder.monologue.english.judging import WHOLE, Judge, Verdict
from semcoder.monologue.english.visits import Loop, Run, Visit

#: How many ways to place a text are followed at once, and how many visits of a line each of them tries next.
_BEAM = 24
_NEAR = 10
#: How far ahead visits are looked at for one at which all that is said holds.
_FAR = 3000
_NONE, _SKIP, _SKIPS, _AGAIN = 0.9, 0.45, 0.7, 0.8


@dataclass(frozen=True, slots=True)
class _Way:
    """One way to place a text so far. `told`: what it has said of the visit that it is at."""

    cost: float
    cursor: int
    visit: int
    told: frozenset[tuple[str, str, str]]
    verdicts: tuple[Verdict, ...]
    back: _Way | None


class Placing:
    """Places the statements of one text."""

    def __init__(self, run: Run, judge: Judge) -> None:
        self._run = run
        self._judge = judge
        self._cache: dict[tuple[int, int], tuple[Verdict, ...]] = {}
        self._lasts = {id(v) for loop in run.loops for v in _last_round(run, loop)}

    def verdicts(self, groups: Sequence[Sequence[Statement]]) -> list[Verdict]:
        """A verdict for each statement of each group. Statements of one group are about one visit."""
        ways = [_Way(0.0, -1, -1, frozenset(), (), None)]
        for number, group in enumerate(groups):
            best: dict[tuple[int, int], _Way] = {}
            for way in ways:
                for following in self._next(way, number, group):
                    key = (following.cursor, following.visit)
                    if key not in best or following.cost < best[key].cost:
                        best[key] = following
            ways = sorted(best.values(), key=lambda w: (w.cost, w.cursor))[:_BEAM]
        out: list[Verdict] = []
        last: _Way | None = ways[0]
        while last is not None:
            out[:0] = last.verdicts
            last = last.back
        return out

    def _next(self, way: _Way, number: int, group: Sequence[Statement]) -> Iterator[_Way]:
        first = group[0]
        if first.kind in ("count", "ends"):
            yield from self._loops(way, first)
            return
        if self._is_whole(first):
            verdict = self._whole(first, way)
            yield _Way(way.cost + _price(verdict), way.cursor, way.visit, way.told, (verdict,), way)
            return
        line = self._run.statement_line(first.place.line)
        unknown = "" if line or not first.place.line else f"the program has no statement at line {first.place.line}"
        if first.place.ordinal == ZEROTH:
            unknown = "iterations are counted from 1"
        if unknown:
            verdicts = tuple((None, unknown) for _ in group)
            yield _Way(way.cost + _NONE, way.cursor, way.visit, way.told, verdicts, way)
            return
        yield from self._visits(way, number, group, line)

    def _visits(self, way: _Way, number: int, group: Sequence[Statement], line: int) -> Iterator[_Way]:
        place = group[0].place
        ahead = self._ahead(way, group, line)
        skipped = 0
        near: tuple[Verdict, ...] | None = None
        for visit in ahead[:_FAR]:
            if skipped >= _NEAR and near is not None and not self._all_true(number, group, visit):
                skipped += 1
                continue
            verdicts = self._at(number, group, visit)
            near = near or verdicts
            price = sum(map(_price, verdicts)) + (min(_SKIP + 0.02 * skipped, _SKIPS) if skipped else 0.0)
            same = visit.index == way.visit
            keys = frozenset((s.kind, s.subject, s.place.when) for s in group if s.kind == "is")
            price += _AGAIN if same and keys & way.told else 0.0
            told = (way.told | keys) if same else keys
            cursor = way.cursor if place.past else max(way.cursor, visit.end if place.when == "after" else visit.start)
            yield _Way(way.cost + price, cursor, way.visit if place.past else visit.index, told, verdicts, way)
            skipped += 0 if same else 1
            if skipped > _NEAR and self._all_true(number, group, visit):
                break
        stay = near or self._nowhere(number, group, line)
        if ahead and all(right for right, _ in stay):  # true of a visit that comes later than what the text tells next
            stay = tuple((False, f"line {ahead[0].line} does not run there") for _ in group)
            yield _Way(way.cost + 1.01, way.cursor, way.visit, way.told, stay, way)
            return
        yield _Way(way.cost + sum(map(_price, stay)) + 0.01, way.cursor, way.visit, way.told, stay, way)

    def _ahead(self, way: _Way, group: Sequence[Statement], line: int) -> list[Visit]:
        """Visits that a group can be about, in order: none that is over where the text has got to."""
        place = group[0].place
        visits = self._run.by_line.get(line, []) if line else self._run.visits
        if not place.past:
            visits = [v for v in visits if v.end >= way.cursor]
        if place.ordinal > 0 and place.again and line and not self._run.is_loop(line):
            nth = self._run.by_line.get(line, [])[place.ordinal - 1 : place.ordinal]
            visits = [v for v in visits if v in nth]
        elif place.ordinal:
            visits = [v for v in visits if self._in_round(v, place.ordinal, way)]
        if not line and not place.ordinal:
            visits = self._unlabelled(visits, way, group)
        return visits

    def _unlabelled(self, visits: list[Visit], way: _Way, group: Sequence[Statement]) -> list[Visit]:
        """Without a label: where the text is, and later visits that change or test what is spoken of."""
        here = [v for v in visits if v.index == way.visit]
        names = {s.subject for s in group if s.kind in ("is", "step", "element", "holds")}
        later = [v for v in visits if v.index > way.visit and _touches(v, names, group)]
        return here + later

    def _in_round(self, visit: Visit, ordinal: int, way: _Way) -> bool:
        if ordinal == -1:
            return id(visit) in self._lasts
        if ordinal == -2:
            return visit.index > way.visit
        own = visit.rounds.get(visit.line)
        return own == ordinal if own is not None else ordinal in visit.rounds.values()

    def _at(self, number: int, group: Sequence[Statement], visit: Visit) -> tuple[Verdict, ...]:
        key = (number, visit.index)
        if key not in self._cache:
            self._cache[key] = tuple(self._one(s, visit) for s in group)
        return self._cache[key]

    def _one(self, statement: Statement, visit: Visit) -> Verdict:
        verdict = self._judge.at(statement, visit)
        if verdict[0] is not True and statement.kind in ("returns", "prints") and not statement.subject:
            whole = self._judge.whole(statement)
            here = any(m.gives is not None for m in visit.moments)
            return whole if whole[0] and not here else verdict
        return verdict

    def _all_true(self, number: int, group: Sequence[Statement], visit: Visit) -> bool:
        return all(right for right, _ in self._at(number, group, visit))

    def _nowhere(self, number: int, group: Sequence[Statement], line: int) -> tuple[Verdict, ...]:
        """The verdicts where no visit is left: what cannot be checked anywhere is not false."""
        place = group[0].place
        runs = self._run.by_line.get(line, [])
        past = place.ordinal > 0 and any(place.ordinal in v.rounds.values() for v in self._run.visits)
        if not line and past:
            return tuple((False, f"there is no iteration {place.ordinal} any more") for _ in group)
        if not line:
            return tuple((None, "nothing that happens from there on is like it") for _ in group)
        told = f"line {place.line} does not run" + (" again" if runs and not place.ordinal else " then" if runs else "")
        if not runs and all(s.kind == "runs" and s.negated for s in group):
            return tuple((True, "") for _ in group)  # "line 8 never runs"
        known = self._at(number, group, runs[0]) if runs else tuple((False, "") for _ in group)
        return tuple((None if right is None else False, told) for right, _ in known)

    # -- what is not about one visit

    def _is_whole(self, statement: Statement) -> bool:
        if statement.kind in WHOLE:
            return True
        return statement.kind in ("returns", "prints") and not statement.place.line

    def _whole(self, statement: Statement, way: _Way) -> Verdict:
        verdict = self._judge.whole(statement)
        here = self._run.visits[way.visit] if way.visit >= 0 else None
        if verdict[0] is False and here is not None and statement.kind == "returns" and not statement.final:
            inner = self._judge.at(statement, here)
            return inner if inner[0] and not statement.negated else verdict
        return verdict

    def _loops(self, way: _Way, statement: Statement) -> Iterator[_Way]:
        line = self._run.statement_line(statement.place.line)
        judge = self._judge.count if statement.kind == "count" else self._judge.ends
        if line and not self._run.is_loop(line):
            yield self._no_loop(way, statement, line)
            return
        if statement.place.line and not line:
            verdict: Verdict = (None, f"the program has no line {statement.place.line}")
            yield _Way(way.cost + _NONE, way.cursor, way.visit, way.told, (verdict,), way)
            return
        loops = [loop for loop in self._run.loops if loop.end >= way.cursor and line in (0, loop.line)]
        if not line:
            loops = [loop for loop in self._run.loops if loop.end >= way.cursor] or self._run.loops[-1:]
        for skipped, loop in enumerate(loops[: 4 * _NEAR]):
            verdict = judge(statement, loop)
            moved = max(way.cursor, loop.end if statement.kind == "ends" else loop.start)
            price = _price(verdict) + (min(_SKIP + 0.02 * skipped, _SKIPS) if skipped else 0.0)
            yield _Way(way.cost + price, moved, way.visit, way.told, (verdict,), way)
        never: Verdict = (False, f"the loop at line {line} does not run" + (" any more" if way.cursor >= 0 else ""))
        if statement.kind == "count" and statement.number == 0 and not any(x.line == line for x in self._run.loops):
            never = (True, "")
        if not line and not self._run.loops:
            never = (None, "no loop runs")
        near = judge(statement, loops[0]) if loops else never
        if loops and near[0]:
            near = (False, f"the loop at line {loops[0].line} does not run or end there")
        yield _Way(way.cost + _price(near) + 0.01, way.cursor, way.visit, way.told, (near,), way)

    def _no_loop(self, way: _Way, statement: Statement, line: int) -> _Way:
        verdict: Verdict = (False, f"there is no loop at line {line}")
        if statement.kind == "count" and not statement.truth:  # "line 6 runs three times"
            count = len(self._run.by_line.get(line, []))
            verdict = (count == statement.number, f"line {line} runs {count} times")
        return _Way(way.cost + _price(verdict), way.cursor, way.visit, way.told, (verdict,), way)


def groups_of(sentence: Sequence[Statement]) -> list[list[Statement]]:
    """The statements of a sentence in groups that are about one visit each."""
    groups: list[list[Statement]] = []
    for statement in sentence:
        alone = statement.kind in WHOLE or statement.kind in ("count", "ends") or not statement.place.line
        last = groups[-1][-1] if groups else None
        joins = last is not None and not alone and last.kind not in WHOLE and last.kind not in ("count", "ends")
        if joins and last is not None and _visit_of(last) == _visit_of(statement):
            groups[-1].append(statement)
        else:
            groups.append([statement])
    return groups


def _visit_of(statement: Statement) -> tuple[int, int, bool]:
    return statement.place.line, statement.place.ordinal, statement.place.past


def _price(verdict: Verdict) -> float:
    return 0.0 if verdict[0] else 1.0 if verdict[0] is False else _NONE


def _touches(visit: Visit, names: set[str], group: Sequence[Statement]) -> bool:
    """Whether a visit changes one of the variables, or does what is spoken of."""
    if names:
        changed = {c.name for m in visit.moments for c in m.step.changes}
        return bool(changed & names) or not all(name.isidentifier() for name in names)
    kinds = {s.kind for s in group}
    if kinds <= {"truth", "branch"}:
        return visit.truth is not None or any(p.kind == "t" for p in visit.parts())
    return True


def _last_round(run: Run, loop: Loop) -> Iterator[Visit]:
    for visit in run.visits:
        if visit.start > loop.end:
            break
        if visit.start >= loop.start and loop.count and visit.rounds.get(loop.line) == loop.count:
            yield visit

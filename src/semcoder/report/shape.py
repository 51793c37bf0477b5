"""The JSON shape that the stepper draws: an execution, step by step, and the monologue that tells it.

`docs/design/report.md` documents every key. The same shape serves the report's page and the web page.

Guarantees: plain JSON data, made from the trace and the monologue alone; sentences of a monologue rendered by us map
to exactly the steps they tell; where a text came from elsewhere, a sentence whose step cannot be found has none.
Long values are shortened in the middle with ` ... `, long runs are cut after `STEP_LIMIT` steps, and the shape says so.
It judges nothing: verdicts are those of the monologue's claims.
"""

from __future__ import annotations

import ast
import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from typing import Any

from semcoder.core import Claim, Detail, Monologue, Value
from semcoder.monologue.narrate import facts_of
from semcoder.monologue.sentences import mask, read_sentences
from semcoder.monologue.story import Story
from semcoder.tracing import Change, Part, Step, Trace

SHAPE_VERSION = 1
#: Steps that a shape holds at most: what a browser draws and a person walks.
STEP_LIMIT = 1_000
#: Characters of one value, code span or printed text.
TEXT_LIMIT = 400
#: Values of sub-expressions in one step: a comprehension may have thousands.
PART_LIMIT = 60
#: How far ahead a sentence of a text that is not ours is looked for.
_WINDOW = 400

_MASK = mask("`x`")[0]
_PART_KINDS = {"e": "value", "t": "condition", "m": "item", "k": "case", "y": "yield"}


def stepper_shape(trace: Trace, monologue: Monologue | None = None) -> dict[str, Any]:
    """What the stepper draws of one run. Without a monologue, `"monologue"` is None.

    Raises `InputError` or ValueError only where the trace itself is malformed.
    """
    story, lines = Story(trace), source_lines(trace.source)
    steps = [_step(story, lines, step) for step in trace.steps[:STEP_LIMIT]]
    told = None
    if monologue is not None:
        told = monologue_shape(monologue, story)
        for k, sentence in enumerate(told["sentences"]):
            if sentence["step"] is not None:
                steps[sentence["step"]]["sentence"] = k
    return {
        "version": SHAPE_VERSION,
        "source": lines,
        "call": trace.invocation.text.strip(),
        "kind": trace.invocation.kind,
        "python": trace.python,
        "outcome": _outcome(trace),
        "steps": steps,
        "total_steps": len(trace.steps),
        "truncated": trace.truncated,
        "loops": _loops(trace.steps[:STEP_LIMIT]),
        "monologue": told,
    }


def source_lines(source: str) -> list[str]:
    """Lines as the parser counts them; `splitlines` would also split at form feeds and other separators."""
    lines = re.split(r"\r\n|\r|\n", source)
    return lines[:-1] if len(lines) > 1 and not lines[-1] else lines


def _short(text: str, limit: int = TEXT_LIMIT) -> str:
    if len(text) <= limit:
        return text
    head = limit * 2 // 3
    return f"{text[:head]} ... {text[-(limit - head) :]}"


def _say(value: Value | None) -> str | None:
    return None if value is None else value.display(TEXT_LIMIT)


def _outcome(trace: Trace) -> dict[str, Any]:
    outcome = trace.outcome
    raised = outcome.exception
    return {
        "status": outcome.status,
        "value": _say(outcome.value) if trace.invocation.kind != "stdin" else None,
        "exception": None if raised is None else _short(str(raised)),
        "detail": _short(outcome.detail),
    }


def _step(story: Story, lines: Sequence[str], step: Step) -> dict[str, Any]:
    parts = [p for p in step.parts if p.kind in _PART_KINDS]
    return {
        "kind": step.kind,
        "lines": [step.line, _last_line(step.node)],
        "function": step.function,
        "frame": step.frame,
        "depth": step.depth,
        "count": step.count,
        "changes": [_change(change) for change in step.changes],
        "expressions": [_part(story, lines, part) for part in parts[:PART_LIMIT]],
        "more_expressions": max(0, len(parts) - PART_LIMIT),
        "printed": _short("".join(p.text for p in step.parts if p.kind == "o"), TEXT_LIMIT * 10),
        "returned": _say(step.returned),
        "raised": _say(story.moments[step.index].raised),
        "caught": _say(step.caught),
        "sentence": None,
    }


def _last_line(node: ast.AST) -> int:
    """The last line of what the step runs: a simple statement whole, of a compound one its header."""
    first = int(getattr(node, "lineno", 0))
    if not hasattr(node, "body") and not hasattr(node, "cases"):
        return int(getattr(node, "end_lineno", first) or first)
    heads = [getattr(node, name, None) for name in ("test", "iter", "subject", "type", "returns")]
    return max([first, *(int(getattr(head, "end_lineno", 0) or 0) for head in heads)])


def _change(change: Change) -> dict[str, Any]:
    return {"name": change.name, "scope": change.scope, "old": _say(change.old), "new": _say(change.new)}


def _part(story: Story, lines: Sequence[str], part: Part) -> dict[str, Any]:
    node = part.node.pattern if isinstance(part.node, ast.match_case) else part.node
    text = "" if node is None else _short(story.text(node))
    value = ("true" if part.truth else "false") if part.kind == "t" else _say(part.value)
    place = node.target if isinstance(node, ast.comprehension) else node
    return {"kind": _PART_KINDS[part.kind], "text": text, "value": value, "at": _place(lines, place)}


def _place(lines: Sequence[str], node: ast.AST | None) -> list[int] | None:
    """First line and column, last line and end column of a node, columns as a browser counts them: in UTF-16 units."""
    if not isinstance(node, (ast.expr, ast.pattern)) or node.end_lineno is None or node.end_col_offset is None:
        return None
    first, last = node.lineno, node.end_lineno
    if not 0 < first <= last <= len(lines):
        return None
    return [first, _column(lines[first - 1], node.col_offset), last, _column(lines[last - 1], node.end_col_offset)]


def _column(line: str, offset: int) -> int:
    if line.isascii():
        return offset
    before = line.encode("utf-8", "surrogatepass")[:offset].decode("utf-8", "replace")
    return len(before.encode("utf-16-le", "surrogatepass")) // 2


def _loops(steps: Sequence[Step]) -> list[dict[str, Any]]:
    """Every run of a loop: where it stands, and the steps in which its iterations begin; in the order of beginnings."""
    found: list[dict[str, Any]] = []
    running: dict[tuple[int, int], dict[str, Any]] = {}
    for step in steps:
        running = {key: loop for key, loop in running.items() if _goes_on(loop, step)}
        for loop in running.values():
            loop["last"] = step.index
        node = step.node
        if step.kind not in ("iteration", "exhausted", "test", "resume"):
            continue
        if not isinstance(node, (ast.For, ast.AsyncFor, ast.While)):
            continue
        key = (step.frame, id(node))
        begins = step.kind in ("iteration", "test")
        if key not in running or (begins and step.count == 1):
            if step.kind == "resume":
                continue
            running[key] = _loop(step, node)
            found.append(running[key])
        if begins:
            running[key]["iterations"].append(step.index)
        if isinstance(node, ast.While) and step.truth is False and running[key]["iterations"]:
            running[key]["iterations"].pop()  # this test began none
    return [{name: value for name, value in loop.items() if name not in ("depth", "end")} for loop in found]


def _loop(step: Step, node: ast.For | ast.AsyncFor | ast.While) -> dict[str, Any]:
    return {
        "kind": "while" if isinstance(node, ast.While) else "for",
        "line": node.lineno,
        "function": step.function,
        "frame": step.frame,
        "last": step.index,
        "iterations": [],
        "depth": step.depth,
        "end": node.end_lineno or node.lineno,
    }


def _goes_on(loop: dict[str, Any], step: Step) -> bool:
    """Whether a loop is still running in a step: one of its own frame inside it, or one of a call that it made."""
    if step.frame == loop["frame"]:
        return bool(loop["line"] <= step.line <= loop["end"])
    return bool(step.depth > loop["depth"])


def monologue_shape(monologue: Monologue, story: Story | None = None) -> dict[str, Any]:
    """The sentences of a monologue with their claims; with a story of the run, each with the step that it tells."""
    rows = _rows(monologue.text)
    places = {} if story is None else _places(story, monologue.text)
    claims = _claims_by_row([start for start, _ in rows], monologue.claims)
    sentences, omitted = [], 0
    for k, (start, row) in enumerate(rows):
        step = places.get(start)
        beyond = step is not None and step >= STEP_LIMIT
        if beyond and all(claim.verdict for claim in claims[k]):
            omitted += 1
            continue
        sentences.append(
            {
                "pieces": pieces(row),
                "step": None if beyond else step,
                "claims": [
                    {"text": _short(c.text), "kind": c.kind, "verdict": c.verdict, "actual": _short(c.actual)}
                    for c in claims[k]
                ],
            }
        )
    verdicts = Counter(claim.verdict for claim in monologue.claims)
    return {
        "direction": monologue.direction,
        "style": monologue.style,
        "answer": _short(monologue.answer),
        "found_by": monologue.found_by,
        "sentences": sentences,
        "omitted": omitted,
        "claims": {"true": verdicts[True], "false": verdicts[False], "unjudged": verdicts[None]},
    }


def pieces(text: str) -> list[str]:
    """Prose and code in turn, prose first: `"`n` is `3`"` gives `["", "n", " is ", "3", ""]`. Long code is cut."""
    masked, codes = mask(text)
    prose = masked.split(_MASK)
    shown: list[str] = [prose[0]]
    for code, after in zip(codes, prose[1:], strict=True):
        shown += [_short(code), after]
    return shown


def _rows(text: str) -> list[tuple[int, str]]:
    """Lines of a text that hold something, each with the offset of its first character."""
    rows, offset = [], 0
    for row in text.split("\n"):
        if row.strip():
            rows.append((offset + len(row) - len(row.lstrip()), row.strip()))
        offset += len(row) + 1
    return rows


def _claims_by_row(starts: Sequence[int], claims: Sequence[Claim]) -> list[list[Claim]]:
    """Claims of each row, by where they start; a claim about the end of the text belongs to the last row."""
    by_row: list[list[Claim]] = [[] for _ in starts]
    for claim in claims:
        if by_row:
            by_row[max(0, bisect_right(starts, claim.start) - 1)].append(claim)
    return by_row


def _places(story: Story, text: str) -> dict[int, int]:
    """From a sentence's offset in the text to the index of the step that it tells."""
    sentences = [s for s in read_sentences(text) if s.tells_a_step]
    keys = [(s.line, s.goes_on) for s in sentences]
    details: tuple[Detail, ...] = ("line", "expression")
    for detail in details:
        told = _told(story, detail)
        if [(line, goes_on) for line, goes_on, _ in told] == keys:
            return {s.start: index for s, (_, _, index) in zip(sentences, told, strict=True)}
    found = _follow(keys, _told(story, "expression"))
    return {s.start: index for s, index in zip(sentences, found, strict=True) if index is not None}


def _told(story: Story, detail: Detail) -> list[tuple[int, bool, int]]:
    """Line, whether it goes on, and index of every step that a narrator of this detail writes a sentence for."""
    told = []
    for moment in story.moments:
        resumed = moment.step.kind == "resume"
        if not resumed or facts_of(story, moment, detail):
            told.append((moment.step.line, resumed, moment.step.index))
    return told


def _follow(keys: Sequence[tuple[int, bool]], told: Sequence[tuple[int, bool, int]]) -> list[int | None]:
    """Steps of sentences that are not ours: in order; a wrong line between two that fit stands for the step between."""
    found: list[int | None] = []
    at = 0
    for k, key in enumerate(keys):
        place = at
        if at < len(told) and told[at][:2] != key:
            following = keys[k + 1] if k + 1 < len(keys) else None
            replaced = at + 1 < len(told) and told[at + 1][:2] == following
            ahead = (p for p in range(at, min(at + _WINDOW, len(told))) if told[p][:2] == key)
            place = at if replaced else next(ahead, -1)
        if not 0 <= place < len(told):
            found.append(None)
            continue
        found.append(told[place][2])
        at = place + 1
    return found

"""Some of the texts that were judged in an evaluation: what was answered, the verdict, and the first false claim.

Guarantees: read from a benchmark's `generations.jsonl`, `scores.jsonl` and `steps.jsonl` as they are; a sample without
text or verdict is not shown; where a file is missing, nothing is. Long texts are cut, and say so. Raises `InputError`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from semcoder.errors import InputError
from semcoder.report.html import number, text
from semcoder.report.reading import lines_of, row_of

#: Of each verdict.
_COUNT = 3
#: Characters of a text that are shown.
_LONGEST = 3_000
_VERDICTS = {True: "✓ right", False: "✗ wrong"}

_Row = Mapping[str, Any]


def shown_texts(folder: Path) -> str:
    """A few right and a few wrong samples of a benchmark, spread over its tasks."""
    scores = [row for row in _rows(folder / "scores.jsonl") if isinstance(row.get("passed"), bool)]
    chosen = sorted(
        (
            place
            for verdict in (False, True)
            for place in _spread([k for k, row in enumerate(scores) if row["passed"] is verdict])
        ),
        key=lambda place: (scores[place]["passed"], place),
    )
    if not chosen:
        return ""
    wanted = {_key(scores[place]): scores[place] for place in chosen}
    texts = {_key(row): row for row in _rows(folder / "generations.jsonl") if _key(row) in wanted}
    steps = {_key(row): row for row in _rows(folder / "steps.jsonl") if _key(row) in wanted}
    parts = [_sample(texts[key], score, steps.get(key, {})) for key, score in wanted.items() if key in texts]
    intro = "Up to three wrong and three right ones, spread over the tasks."
    return f"<h3>Some of the answers</h3><p>{intro}</p>{''.join(parts)}" if parts else ""


def _spread(places: Sequence[int]) -> list[int]:
    return list(places[:: max(1, len(places) // _COUNT)][:_COUNT])


def _key(row: _Row) -> tuple[str, str]:
    return str(row.get("task_id")), str(row.get("sample"))


def _sample(row: _Row, score: _Row, step: _Row) -> str:
    said = str(row.get("text") or row.get("completion") or "")
    cut = f"\n… {number(len(said) - _LONGEST)} more characters" if len(said) > _LONGEST else ""
    why = str(score.get("reason") or "")
    first = step.get("first_false")
    false = ""
    if isinstance(first, dict):
        false = (
            f"<p>First false claim, ✗: <code>{text(first.get('text'))}</code>. "
            f"In fact: {text(first.get('actual') or 'not told')}.</p>"
        )
    task, sample = _key(row)
    return (
        f"<details class='answer'><summary><code>{text(task)}</code>, sample {text(sample)}: "
        f"{_VERDICTS[score['passed']]}{f' – {text(why[:200])}' if why else ''}</summary>{false}"
        f'<pre class="config" tabindex="0">{text(said[:_LONGEST] or "(nothing)")}{cut}</pre></details>'
    )


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    """The rows of a file, none where there is no file; a last line that was torn is left out, as its writers do."""
    for where, line in lines_of(path) if path.exists() else ():
        if not line.endswith(b"\n"):
            continue
        row = row_of(line, where)
        if not isinstance(row, dict):
            raise InputError(f"{where}: expected a JSON object, got {type(row).__name__}")
        yield row

"""The report of an output folder: one HTML file with everything in it, written beside what it shows.

Guarantees: what a folder holds is told by its manifest: a corpus, a training run, a study of styles, an evaluation or a
refinement; a page is written whole or not at all. Missing or malformed input raises `InputError`, one line that names
the file and the place; then nothing is written.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from semcoder.errors import InputError, UsageError
from semcoder.report.ablation import ablation_csv, ablation_page, manifest_of
from semcoder.report.corpus import corpus_page
from semcoder.report.evaluation import evaluation_csv, evaluation_page
from semcoder.report.html import read_json
from semcoder.report.refine import refinement_page
from semcoder.report.training import training_page

_MADE_BY = "a finished `semcoder build`, `semcoder train`, `semcoder eval` or `semcoder refine`"
#: By the manifest's `kind`; a corpus has none.
_PAGES: dict[str, Callable[[Path], str]] = {
    "": corpus_page,
    "training": training_page,
    "ablation": ablation_page,
    "evaluation": evaluation_page,
    "refinement": refinement_page,
}
#: Tables that are written beside a page.
_TABLES: dict[str, tuple[str, Callable[[Mapping[str, Any]], str]]] = {
    "ablation": ("ablation.csv", ablation_csv),
    "evaluation": ("evaluation.csv", evaluation_csv),
}


def build_page(folder: Path, beside: Sequence[Path] = ()) -> Path:
    """Write `report.html` into a finished folder and return its path. `beside`: other refinements, to stand beside this
    one. Raises `InputError`, and `UsageError` where the folder holds no refinement."""
    folder = Path(folder)
    if not folder.is_dir():
        what = "is a file" if folder.exists() else "no such folder"
        raise InputError(f"{folder}: {what}; give the output folder of {_MADE_BY}")
    manifest = manifest_of(folder)
    doc = read_json(manifest, _MADE_BY)
    kind = doc.get("kind", "")
    if not isinstance(kind, str) or kind not in _PAGES:
        known = ", ".join(filter(None, _PAGES))
        raise InputError(f"{manifest}: there is no report of a {kind!r}; there are reports of corpora and of {known}")
    if beside and kind != "refinement":
        raise UsageError(f"{folder}: only refinements can stand beside each other; compare others when they are made")
    path = folder / "report.html"
    _write(path, refinement_page(folder, beside) if beside else _PAGES[kind](folder))
    if kind in _TABLES:
        name, make = _TABLES[kind]
        _write(folder / name, make(doc))
    return path


def _write(path: Path, content: str) -> None:
    partial = path.with_name(f"{path.name}.partial")
    try:
        partial.write_text(content, encoding="utf-8")
        partial.replace(path)
    except OSError as error:
        raise InputError(f"{path}: cannot be written: {error.strerror}") from None

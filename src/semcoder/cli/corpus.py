"""Commands on many programs: collect, build, demo, report."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from semcoder.cli.execution import Json
from semcoder.cli.printing import document, line, progress, table
from semcoder.errors import UsageError

if TYPE_CHECKING:
    from semcoder.pyx import BuildConfig

#: Counts of a build that the closing table shows, and what it calls them.
_TOLD = {
    "programs_seen": "programs seen",
    "programs_kept": "programs kept",
    "cases": "cases",
    "monologues": "monologues",
    "claims_checked": "claims checked",
    "claims_false": "claims false",
}


def collect(
    sources: Annotated[
        list[str],
        typer.Argument(
            metavar="SOURCE...",
            help="A folder, package:NAME, stdlib, jsonl:PATH, parquet:PATH, hub:NAME, pyx:PATH, ... (docs/pyx.md).",
            show_default=False,
        ),
    ],
    out: Annotated[
        Path, typer.Option("--out", metavar="DIR", help="Where to write programs.jsonl.", show_default=False)
    ],
    as_json: Json = False,
) -> int:
    """Collect functions that run alone from real code.

    They come from folders, installed packages, the standard library, rows of JSONL or Parquet, data sets of the hub,
    or PyX rows. Each comes with what it needs from its module, its origin and its licence; what is left out is
    counted by reason. SOURCE+groups takes groups of statements too.

    \b
    Example:
      semcoder collect stdlib:textwrap,json src/ --out runs/programs
      semcoder collect "jsonl:answers.jsonl?code=completion" src/+groups --out runs/programs
    """
    from semcoder import pyx

    _check(sources, out)
    with progress() as tell:
        found = pyx.collect(sources, out, progress=tell)
    if as_json:
        document({**found, "folder": str(out)})
        return 0
    counts = found.get("counts", {})
    table(["programs", ""], [["seen", counts.get("seen", 0)], ["kept", counts.get("kept", 0)], *_drops(found)])
    line(f"written to {out}")
    return 0


def build(
    config: Annotated[
        Path, typer.Argument(metavar="CONFIG.yaml", help="What to build (fields: docs/pyx.md).", show_default=False)
    ],
    out: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="Overrides the folder that the file names.")
    ] = None,
    as_json: Json = False,
) -> int:
    """Build a whole data set of checked monologues.

    It holds programs, inputs, executions, monologues and rows, with a manifest. A build that was stopped goes on
    where it was when it is started again.

    \b
    Example:
      semcoder build corpus.yaml --out runs/corpus
    """
    from semcoder import pyx

    manifest = _build(pyx.load_config(config), out)
    if as_json:
        document(manifest)
        return 0
    _print_build(manifest)
    line(f"written to {manifest['folder']}; semcoder report {manifest['folder']} draws it")
    return 0


def demo(
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Where to write the data set.")] = Path("runs/demo"),
    as_json: Json = False,
) -> int:
    """Do the main job on built-in defaults, offline.

    From the standard library's code to checked monologues, in a few minutes. Ends with a table of what was made and
    the path of an HTML page that shows samples.

    \b
    Example:
      semcoder demo
    """
    from semcoder import pyx
    from semcoder.report import build_page

    manifest = _build(pyx.demo_config(), out)
    page = build_page(Path(manifest["folder"]))
    if as_json:
        document({**manifest, "page": str(page)})
        return 0
    _print_build(manifest)
    line(f"a page with samples: {page}")
    return 0


def report(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="A folder of build, train, eval or refine.", show_default=False)
    ],
    beside: Annotated[
        list[Path] | None,
        typer.Option("--beside", metavar="DIR", help="Another refinement to stand beside it; repeatable."),
    ] = None,
    as_json: Json = False,
) -> int:
    """Draw one HTML page of what a build, a training run, an ablation, an evaluation or a refinement produced.

    \b
    Examples:
      semcoder report runs/demo
      semcoder report runs/after --beside runs/zero-shot
    """
    from semcoder.report import build_page

    page = build_page(folder, beside or [])
    if as_json:
        document({"folder": str(folder), "page": str(page)})
    else:
        line(str(page))
    return 0


def _build(config: BuildConfig, out: Path | None) -> dict[str, Any]:
    from semcoder import pyx

    chosen = config if out is None else dataclasses.replace(config, out=str(out))
    _check(chosen.sources, Path(chosen.out))
    with progress() as tell:
        return pyx.build(chosen, progress=tell)


def _check(sources: Sequence[str], out: Path) -> None:
    """Refuse at once what would fail later. Raises `UsageError`."""
    from semcoder.seeds import open_source

    for spec in sources:
        open_source(spec)
    taken = next((path for path in (out, *out.parents) if path.exists()), None)
    if taken is not None and not taken.is_dir():
        raise UsageError(f"{taken} is a file; --out names a folder")


def _print_build(manifest: dict[str, Any]) -> None:
    counts = manifest["counts"]
    told = [[name, counts[key]] for key, name in _TOLD.items() if key in counts]
    rows = [[f"rows: {kind}", number] for kind, number in sorted(counts.get("rows", {}).items())]
    figures = [[name.replace("_", " "), float(number)] for name, number in manifest.get("figures", {}).items()]
    table(["", "count"], [*told[:2], *_drops(manifest), *told[2:], *rows, *figures])


def _drops(manifest: dict[str, Any]) -> Iterator[list[object]]:
    """One row per reason, the commonest first."""
    drops = manifest.get("drops", {})
    for reason, number in sorted(drops.items(), key=lambda pair: (-pair[1], pair[0])):
        yield [f"dropped: {reason}", number]


COMMANDS = (collect, build, demo, report)

"""Rows of tables, whatever they hold: JSONL (plain or gzip), Parquet, and data sets of the Hugging Face hub.

Guarantees: files and rows come in a fixed order, and are streamed; input that is malformed (no JSON, a torn line,
another encoding) is an `InputError` that names file and row. Needs the extra `data` for all but JSONL.
It does not promise the same rows of a data set by name on two days: name a revision, which is then the same for good.
"""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from semcoder.errors import InputError, MissingExtra, UsageError

_BATCH = 256
_SAVED = ("state.json", "dataset_dict.json")


class Row(NamedTuple):
    """`file`: as messages and origins name it; `number`: of the line or row, from 1."""

    file: str
    number: int
    values: dict[str, Any]

    @property
    def place(self) -> str:
        return f"{self.file}:{self.number}"


def table_files(text: str, *suffixes: str) -> list[Path]:
    """A file, or those of a folder by suffix, sorted; of a folder of ours that has one, `programs.jsonl` alone.

    Raises `UsageError` where there is none.
    """
    path = Path(text)
    listed = " or ".join(f"*{suffix}" for suffix in suffixes)
    try:
        if path.is_file():
            return [path]
        if (path / "programs.jsonl").is_file() and ".jsonl" in suffixes:
            return [path / "programs.jsonl"]
        found = sorted(file for file in path.rglob("*") if file.name.endswith(suffixes) and file.is_file())
    except OSError as error:
        raise UsageError(f"cannot read {text!r}: {error.strerror}") from None
    files = [file for file in found if not any(part.startswith(".") for part in file.relative_to(path).parts)]
    if not files:
        raise UsageError(f"no file {listed} in {text!r}" if path.exists() else f"there is no file or folder {text!r}")
    return files


def file_rows(files: Sequence[Path], root: str) -> Iterator[Row]:
    """The rows of JSONL (also compressed) and Parquet files, named as under `root`, where `table_files` found them.

    Raises `InputError` naming file and row, `MissingExtra` where Parquet cannot be read.
    """
    for file in files:
        label = file.name if file == Path(root) else file.relative_to(root).as_posix()
        yield from parquet_rows(file, label) if file.suffix == ".parquet" else jsonl_rows(file, label)


def jsonl_rows(file: Path, label: str) -> Iterator[Row]:
    """The rows of a JSONL file, plain or gzip; blank lines are passed over. Raises `InputError` naming file and row."""
    number = found = 0
    try:
        with gzip.open(file, "rb") if file.suffix == ".gz" else file.open("rb") as lines:
            for number, line in enumerate(lines, 1):
                if line.strip():
                    found += 1
                    yield Row(label, number, _document(line, f"{label}:{number}"))
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise InputError(f"{label}:{number + 1}: the compressed file is torn or no gzip file ({error})") from None
    except OSError as error:
        raise InputError(f"{label}:{number + 1}: cannot be read ({error.strerror or error})") from None
    if not found:
        raise InputError(f"{label}:1: the file is empty; a row is a JSON object on a line of its own")


def _document(line: bytes, where: str) -> dict[str, Any]:
    try:
        doc = json.loads(line.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise InputError(f"{where}: not UTF-8 text (byte {error.start + 1} of the line)") from None
    except (ValueError, RecursionError) as error:
        torn = "" if line.endswith(b"\n") else "; the file ends here without a line break, so it may be torn"
        raise InputError(f"{where}: not JSON ({error}){torn}") from None
    if not isinstance(doc, dict):
        raise InputError(f"{where}: expected a JSON object, got {type(doc).__name__}")
    return doc


def parquet_rows(file: Path, label: str) -> Iterator[Row]:
    """The rows of a Parquet file, one group of rows after the other. Raises `InputError`, and `MissingExtra`."""
    try:
        import pyarrow  # type: ignore[import-untyped]
        from pyarrow import parquet
    except ImportError:
        raise MissingExtra("pyarrow", "data") from None
    number = 0
    try:
        with parquet.ParquetFile(file) as table:
            for group in range(table.num_row_groups):
                for batch in table.iter_batches(_BATCH, row_groups=[group], use_threads=False):
                    for values in batch.to_pylist():
                        number += 1
                        yield Row(label, number, values)
    except (pyarrow.ArrowException, OSError) as error:
        told = str(error).partition("\n")[0]
        raise InputError(f"{label}:{number + 1}: cannot be read as Parquet ({told})") from None
    except UnicodeDecodeError:
        raise InputError(f"{label}:{number + 1}: a row near here holds text that is not UTF-8") from None
    if not number:
        raise InputError(f"{label}:1: the file holds no row")


# -- data sets of the hub


def hub_rows(name: str, split: str = "train", config: str | None = None, revision: str | None = None) -> Iterator[Row]:
    """The rows of a split of a data set: one by name, streamed; or a folder, of `save_to_disk` or for `load_dataset`.

    Raises `UsageError` for a folder without that split, `InputError` naming data set and row, `MissingExtra`.
    """
    label = f"{Path(name).name if Path(name).is_dir() else name}:{split}"
    number = 0
    try:
        for number, values in enumerate(_split(name, split, config, revision), 1):
            yield Row(label, number, dict(values))
    except (UsageError, MissingExtra):
        raise
    except Exception as error:  # whatever readers of files and networks raise, many of them without a common base
        raise InputError(f"{label}:{number + 1}: cannot be read ({first_line(error)})") from None
    if not number:
        raise InputError(f"{label}:1: the split holds no row")


def _split(name: str, split: str, config: str | None, revision: str | None) -> Any:
    datasets = hub_library()
    if any((Path(name) / saved).exists() for saved in _SAVED):
        found = datasets.load_from_disk(name)
        if not isinstance(found, datasets.DatasetDict):
            return found
        if split not in found:
            raise UsageError(f"{name!r} has no split {split!r}; there are {', '.join(found)}")
        return found[split]
    return datasets.load_dataset(name, config, split=split, revision=revision, streaming=True)


def hub_library() -> Any:
    """The `datasets` library. Raises `MissingExtra`."""
    try:
        import datasets
    except ImportError:
        raise MissingExtra("datasets", "data") from None
    datasets.disable_progress_bars()
    return datasets


def first_line(error: BaseException) -> str:
    """What an error says, on one line."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]

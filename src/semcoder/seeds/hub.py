"""Data sets of the Hugging Face hub, streamed by name, or folders of data sets on this machine.

`hub:NAME:SPLIT?code=COLUMN&entry=COLUMN&calls=COLUMN&license=COLUMN&config=NAME&revision=REV`; the split is `train`
where none is named. In place of a name there may be a folder: what `save_to_disk` wrote, or any that `load_dataset`
takes. What a row may hold is in `semcoder.seeds._tables`, with what is guaranteed. Needs the extra `data`.

It does not promise the same rows on two days: name a revision, which is then the same for good.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from semcoder.errors import InputError
from semcoder.seeds._tables import COLUMNS, TableSource
from semcoder.tables import Row, first_line, hub_library, hub_rows

_COMMIT = re.compile(r"[0-9a-f]{40}")


class HubSource(TableSource):
    """`hub:NAME:SPLIT`. Raises `UsageError` on a folder without that split, `MissingExtra` without `datasets`.

    A data set by name is first asked for when its programs are; what is wrong with it is an `InputError` then.
    """

    name = "hub"
    keys = (*COLUMNS, "config", "revision")

    def __init__(self, spec: str = "") -> None:
        super().__init__(spec)
        head, _, tail = self._spec.text.rpartition(":")
        self.dataset, self.split = (
            (head, tail) if head and re.fullmatch(r"[\w.-]+", tail) else (self._spec.text, "train")
        )
        self._config = self._spec.options.get("config")
        self._revision = self._spec.options.get("revision")
        hub_library()
        if self.is_folder:
            self._check_first()

    @property
    def is_folder(self) -> bool:
        """Whether the data set is a folder on this machine."""
        return Path(self.dataset).is_dir()

    @property
    def files(self) -> list[Path]:
        """The files of a data set that is a folder; none for one by name."""
        return sorted(path for path in Path(self.dataset).rglob("*") if path.is_file()) if self.is_folder else []

    def revision(self) -> str:
        """The commit of a data set by name. Raises `InputError` where the hub cannot tell."""
        if self._revision and _COMMIT.fullmatch(self._revision):
            return self._revision
        from huggingface_hub import HfApi

        try:
            return str(HfApi().dataset_info(self.dataset, revision=self._revision).sha)
        except Exception as error:  # the library's own, those of its network layer, and OSError
            remedy = "name a commit, as in ?revision=... of 40 digits"
            raise InputError(
                f"hub:{self.dataset}: its revision cannot be told ({first_line(error)}); {remedy}"
            ) from None

    def rows(self) -> Iterator[Row]:
        """All rows of the split, from the first."""
        return hub_rows(self.dataset, self.split, self._config, self._revision)

    def _project(self, row: Row) -> str:
        """The data set's name, or that of its folder."""
        return row.file.rpartition(":")[0]

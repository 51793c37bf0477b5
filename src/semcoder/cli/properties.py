"""`semcoder explain --properties`: what held on every input that was tried.

Guarantees: each line is a property that was tested in the sandbox and never failed, with the number of inputs that back
it; with --json it is the part `properties` of the command's one document (keys: `docs/cli.md`).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from semcoder.cli.printing import document, line, note, one_line

if TYPE_CHECKING:
    from semcoder.properties import Findings


@dataclass(frozen=True)
class Asked:
    """What the command was asked for. The function is the call's, else the one of `entry`, else the only one."""

    file: str
    entry: str | None
    call: str | None
    unsafe: bool
    as_json: bool

    def alone(self) -> int:
        """Properties and nothing else. The exit code: 3 where too few inputs could be found to say anything."""
        from semcoder.cli.execution import source_of

        source = source_of(self.file)
        if self.as_json:
            found = self.found(source)
            document({"file": self.file, "properties": found})
            return 0 if found["properties"] else 3
        return 0 if self.show(source).properties else 3

    def found(self, source: str | Path) -> dict[str, Any]:
        """What stands under `properties` in the JSON document."""
        from semcoder.properties import document as wire

        return wire(self._find(source))

    def show(self, source: str | Path) -> Findings:
        """One property per line on stdout; what they were tested on as notes on stderr."""
        found = self._find(source)
        for text in found.texts:
            line(one_line(text))
        ran = (
            f"{found.executed:,} inputs of {found.entry} were run: {found.returned:,} returned, {found.raised:,} raised"
        )
        note(f"{len(found.properties):,} properties; {ran}")
        for name, kinds in found.domain:
            note(f"{name} was {', '.join(f'{kind} ({count:,})' for kind, count in kinds) or 'left at its default'}")
        for text in found.notes:
            note(text)
        return found

    def _find(self, source: str | Path) -> Findings:
        from semcoder import api
        from semcoder.core.calling import call_entry

        return api.properties(source, self.entry if self.call is None else call_entry(self.call), unsafe=self.unsafe)

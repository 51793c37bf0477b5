"""Licences as SPDX ids, from whatever a project says about itself.

Guarantees: an id comes back only where the text names that licence or is its well-known wording; what cannot be told
is `unknown`, which is not the same as not allowed.
It does not read the law: it does not see files under another licence inside a project, nor exceptions.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from importlib.metadata import PackageMetadata
from pathlib import Path
from typing import Any

UNKNOWN = "unknown"

#: Licences whose programs may be used by default.
ALLOWED = frozenset(
    {
        "0BSD",
        "Apache-2.0",
        "BSD-2-Clause",
        "BSD-3-Clause",
        "BSL-1.0",
        "CC0-1.0",
        "HPND",
        "ISC",
        "MIT",
        "MIT-0",
        "PSF-2.0",
        "Python-2.0",
        "Unlicense",
        "ZPL-2.1",
        "Zlib",
    }
)

# Free text, lower case, to an id: the first pattern that is found decides, so the narrower ones come first.
_TEXTS = [
    (r"\bagpl|affero", "AGPL-3.0-only"),
    (r"\blgpl|lesser general public", "LGPL-3.0-only"),
    (r"\bgpl|gnu general public", "GPL-3.0-only"),
    (r"\bmpl\b|mozilla public", "MPL-2.0"),
    (r"\bepl\b|eclipse public", "EPL-2.0"),
    (r"\beupl\b", "EUPL-1.2"),
    (r"proprietary|all rights reserved\W*$|commercial", "LicenseRef-Proprietary"),
    (r"\bcc0|creative commons zero", "CC0-1.0"),
    (r"\bcc[- ]by|creative commons", "LicenseRef-CreativeCommons"),
    (r"\bapache", "Apache-2.0"),
    (r"\b0bsd|zero[- ]clause bsd", "0BSD"),
    (r"\bbsd[- ]2|2[- ]clause|two[- ]clause|simplified bsd|freebsd", "BSD-2-Clause"),
    (r"\bbsd\b|3[- ]clause|new bsd|modified bsd", "BSD-3-Clause"),
    (r"\bmit-0|mit no attribution", "MIT-0"),
    (r"\bmit\b|expat", "MIT"),
    (r"\bisc\b", "ISC"),
    (r"unlicense|public domain", "Unlicense"),
    (r"python software foundation|\bpsf|^python$|\bpython license", "PSF-2.0"),
    (r"\bzlib\b|zlib/libpng", "Zlib"),
    (r"\bzpl\b|zope public", "ZPL-2.1"),
    (r"boost software|\bbsl-1", "BSL-1.0"),
    (r"historical permission notice|\bhpnd\b", "HPND"),
]

# Sentences of the licences' own wordings, white space folded, to ids.
_WORDINGS = [
    ("gnu affero general public license", "AGPL-3.0-only"),
    ("gnu lesser general public license", "LGPL-3.0-only"),
    ("gnu general public license", "GPL-3.0-only"),
    ("mozilla public license", "MPL-2.0"),
    ("apache license version 2.0", "Apache-2.0"),
    ("cc0 1.0 universal", "CC0-1.0"),
    ("this is free and unencumbered software released into the public domain", "Unlicense"),
    ("python software foundation license version 2", "PSF-2.0"),
    ("neither the name of", "BSD-3-Clause"),
    ("redistributions in binary form must reproduce", "BSD-2-Clause"),
    ("permission is hereby granted, free of charge, to any person obtaining a copy", "MIT"),
    ("permission to use, copy, modify, and/or distribute this software for any purpose", "ISC"),
    ("permission to use, copy, modify, and distribute this software for any purpose", "ISC"),
    ("this software is provided 'as-is', without any express or implied warranty", "Zlib"),
    ("boost software license", "BSL-1.0"),
]
_ID = re.compile(r"[A-Za-z0-9.+-]+")


def normalise(text: str) -> str:
    """One id, or an SPDX expression of ids (`MIT OR Apache-2.0`), for a licence field of any shape; or `unknown`."""
    text = " ".join(text.split())
    if not text or text.lower() in ("unknown", "none", "other"):
        return UNKNOWN
    words = re.split(r"\s+(?:OR|AND|WITH)\s+", text.strip("() "))
    if all(_ID.fullmatch(word.strip("() ")) for word in words):
        by_lower = {name.lower(): name for name in ALLOWED}
        if len(words) > 1 or text.lower() in by_lower:
            return by_lower.get(text.lower(), text)
    if len(text) > 300:
        return of_wording(text)
    return next((name for pattern, name in _TEXTS if re.search(pattern, text.lower())), UNKNOWN)


def of_wording(text: str) -> str:
    """The id of the full text of a licence file; `unknown` for one that is not well known."""
    folded = " ".join(re.sub(r"[,*#>=\"“”]", " ", text.lower()).split())
    for sentence, name in _WORDINGS:
        if " ".join(sentence.replace(",", " ").split()) in folded:
            return name
    return UNKNOWN


def allowed(expression: str) -> bool:
    """Whether an id or expression is on the allow-list: one side of an OR, every side of an AND."""
    flat = expression.replace("(", " ").replace(")", " ")
    for side in re.split(r"\s+OR\s+", flat):
        if all(part.strip() in ALLOWED for part in re.split(r"\s+AND\s+", side)):
            return True
    return False


def of_metadata(meta: PackageMetadata) -> str:
    """The licence of an installed distribution, from the most to the least exact of its fields."""
    stated = [" ".join(meta.get_all(key) or []) for key in ("License-Expression", "License")]
    for text in (stated[0], *_classified(meta.get_all("Classifier") or []), stated[1]):
        name = normalise(text)
        if name != UNKNOWN:
            return name
    return UNKNOWN


def _classified(classifiers: Iterable[str]) -> list[str]:
    found = [c.rpartition("::")[2].strip() for c in classifiers if c.startswith("License ::")]
    ids = sorted({normalise(text) for text in found if text not in ("OSI Approved", "BSD License")} - {UNKNOWN})
    # Several classifiers do not say whether both hold or either may be chosen: the stricter reading is taken.
    return [" AND ".join(ids)] if ids else ["BSD-3-Clause"] if "BSD License" in found else []


def of_folder(folder: Path) -> str:
    """The licence of a project folder: pyproject.toml first, then LICENSE, COPYING and the like; else `unknown`."""
    project = read_pyproject(folder)
    stated = project.get("license", "")
    if isinstance(stated, dict):
        stated = stated.get("text") or _file_text(folder / str(stated.get("file", "")))
    for text in (str(stated), *_classified(map(str, project.get("classifiers", [])))):
        name = normalise(text)
        if name != UNKNOWN:
            return name
    for path in sorted(folder.glob("*")):
        if re.match(r"(licen[cs]e|copying|unlicense)", path.name, re.IGNORECASE) and path.is_file():
            name = of_wording(_file_text(path))
            if name != UNKNOWN:
                return name
    return UNKNOWN


def read_pyproject(folder: Path) -> dict[str, Any]:
    """The `[project]` table (or poetry's) of a folder's pyproject.toml; empty where there is none that can be read."""
    try:
        doc = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    table = doc.get("project") or doc.get("tool", {}).get("poetry") or {}
    return table if isinstance(table, dict) else {}


def _file_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""

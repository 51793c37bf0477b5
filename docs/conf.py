"""The documentation's configuration: Markdown pages that read the same on a code host, and docstrings.

Every link and anchor among pages must hold, and every name of ours that a page refers to must be in the reference:
`make docs` fails otherwise. Libraries are not documented here, so their names are left alone; the heavy ones are not
even imported.
"""

from __future__ import annotations

import re

from semcoder import __version__, monologue, sandbox

project = "SemCoder"
author = "The SemCoder developers"
project_copyright = author
release = version = __version__

extensions = ["myst_parser", "sphinx.ext.autodoc"]
source_suffix = {".md": "markdown"}
html_theme = "furo"
html_title = f"SemCoder {version}"
html_copy_source = False
html_theme_options = {"footer_icons": []}

# Markdown ----------------------------------------------------------------------------------------------------------
#: Anchors as code hosts make them.
myst_heading_anchors = 4
myst_links_external_new_tab = False
suppress_warnings = ["misc.highlighting_failure"]  # fenced blocks without a language hold sessions and notations

# Links -------------------------------------------------------------------------------------------------------------
nitpicky = True
#: Names that are not ours: types of the standard library and of other people's packages, as they stand in signatures.
#: And helpers and type variables of ours that signatures name: they have no page of their own.
nitpick_ignore_regex = [
    (r"py:.*", r"(?!semcoder\.).*"),
    (r"py:.*", r"semcoder\.(.*\._.*|core\.codec\.T|monologue\.solving\..*)"),
]
linkcheck_timeout = 20
linkcheck_retries = 2
linkcheck_ignore = [r"https?://localhost.*", r"https://provider\.example.*"]

# Reference ---------------------------------------------------------------------------------------------------------
autodoc_mock_imports = ["torch", "transformers", "accelerate", "trl", "peft", "datasets", "pyarrow", "openai"]
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
python_use_unqualified_type_names = True
autodoc_default_options = {"members": True}
add_module_names = False
default_role = "code"
maximum_signature_line_length = 100
for _package in (monologue, sandbox):  # their names load on first use; autodoc lists what is there
    for _name in _package.__all__:
        setattr(_package, _name, getattr(_package, _name))


def _markdown(app: object, what: str, name: str, obj: object, options: object, lines: list[str]) -> None:
    """Our docstrings are plain text with `code` in single backticks; of reStructuredText nothing else has a meaning."""
    text = "\n".join(lines)
    text = re.sub(r"(?<!`)`([^`\n]+)`(?!`)(?=(\w?))", lambda m: f"``{m[1]}``" + ("\\ " if m[2] else ""), text)
    text = re.sub(r"(?<![`\w*])(\*{1,2}|\|)(?=\w)", r"\\\1", text)
    lines[:] = text.split("\n")


#: Files outside this folder that have a page here; links to them go there.
_PAGES = {
    "src/semcoder/assets/nano/README.md": "nano-card.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
}


def _host_links(app: object, name: str, source: list[str]) -> None:
    """What a code host shows by itself and a site does not: files elsewhere in the repository, and a folder's pages."""
    up = "../" * name.count("/")
    for file, page in _PAGES.items():
        source[0] = source[0].replace(f"]({up}../{file})", f"]({up}{page})")
    if name == "design/README":
        source[0] += "\n```{toctree}\n:hidden:\n:glob:\n\n*\n```\n"


def setup(app: object) -> None:
    app.connect("autodoc-process-docstring", _markdown)  # type: ignore[attr-defined]
    app.connect("source-read", _host_links)  # type: ignore[attr-defined]

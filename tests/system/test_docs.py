"""The documentation holds: its blocks run and print what it shows, and what it names exists."""

from __future__ import annotations

import dataclasses
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from semcoder.pyx import BuildConfig
from semcoder.training.recipe import Ablation, Grpo, Nano, Recipe
from tests import pages
from tests.pages import Page, agrees, blocks, commands, faults, options

#: Blocks that no test can run (a GPU, a hub, a language model, minutes): raise it knowingly.
MOST_NOT_RUN = 76

_PAGES = {str(path.relative_to(pages.ROOT)): path.read_text() for path in pages.pages()}
_RUN = {"console", "python"}


#: Pages whose blocks take long together.
_LONG = {"docs/cli.md", *(f"docs/guides/{name}.md" for name in ("own-code", "evaluate", "failing-test", "extend"))}


def _to_run(text: str, *, slow: bool) -> bool:
    """Whether a page has a block that is run, of those that are slow or of the others."""
    return any(
        b.language in _RUN and "not run" not in b.marks and "file" not in b.marks and ("slow" in b.marks) == slow
        for b in blocks(text)
    )


@pytest.mark.parametrize("name", _PAGES)
def test_what_a_page_names_exists(name: str) -> None:
    assert not faults(_PAGES[name])


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=pytest.mark.slow if name in _LONG else ())
        for name, text in _PAGES.items()
        if _to_run(text, slow=False)
    ],
)
def test_the_blocks_of_a_page_run(name: str, tmp_path: Path) -> None:
    with Page(_PAGES[name], tmp_path) as page:
        problems = page.run(slow=False)
    assert not problems, "\n\n".join(f"{name}:{problem}" for problem in problems)


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name, text in _PAGES.items() if _to_run(text, slow=True)])
def test_the_slow_blocks_of_a_page_run(name: str, tmp_path: Path) -> None:
    with Page(_PAGES[name], tmp_path) as page:
        problems = page.run(slow=True)
    assert not problems, "\n\n".join(f"{name}:{problem}" for problem in problems)


def test_blocks_that_are_not_run_are_few_and_say_why() -> None:
    runnable = [(name, b) for name, text in _PAGES.items() for b in blocks(text) if b.language in _RUN]
    left = [(name, b) for name, b in runnable if "not run" in b.marks]
    assert all(b.marks["not run"] for _, b in left)
    assert len(left) <= MOST_NOT_RUN, f"{len(left)} of {len(runnable)} blocks are not run"


# The reference of the command line ----------------------------------------------------------------------------------


def _section(name: str) -> str:
    found = re.search(rf"^## {name}\n(.*?)(?=^## |\Z)", _PAGES["docs/cli.md"], re.MULTILINE | re.DOTALL)
    return found[1] if found else ""


@pytest.mark.parametrize("name", sorted(set(options()) - {""}))
def test_the_reference_has_every_command_with_its_options(name: str) -> None:
    section = _section(name)
    assert section, "no section"
    general = {"--help", "--json", "--unsafe", "--limit-cpu", "--limit-memory"}
    linked = "".join(_PAGES.get(f"docs/{page}", "") for page in re.findall(r"\((\w+\.md)", section))
    words = set(re.findall(r"--[a-z-]+", section + linked))
    missing = {option for option in options()[name] if option.startswith("--")} - general - words
    assert not missing


def test_the_reference_has_no_command_that_is_not_there() -> None:
    assert set(re.findall(r"^## (\w+)$", _PAGES["docs/cli.md"], re.MULTILINE)) == set(options()) - {""}


@pytest.mark.parametrize(
    ("record", "prefix", "page"),
    [
        (Recipe, "", "docs/training.md"),
        (Grpo, "grpo.", "docs/training.md"),
        (Ablation, "ablation.", "docs/training.md"),
        (Nano, "", "docs/nano.md"),
        (BuildConfig, "", "docs/pyx.md"),
    ],
)
def test_every_field_of_a_configuration_is_documented(record: Any, prefix: str, page: str) -> None:
    documented = set(re.findall(r"`([a-z_.0-9]+)`", _PAGES[page]))
    rooms = {"model", "grpo", "ablation", "nano"}  # with fields of their own
    named = {field.name for field in dataclasses.fields(record)} - rooms
    assert not {name for name in named if f"{prefix}{name}" not in documented}


# The checker itself --------------------------------------------------------------------------------------------------

GOOD = """
<!-- file: f.py -->
```python
def f(x):
    return x + 1
```

```console
$ semcoder --version | cat
semcoder ...
$ cat \\
      f.py  # all of it
def f(x):
...
```

```python
import f
y = f.f(3)
```

```python
print(y, "and more")
```

```output
4 ... more
```

<!-- exit code: 1 -->
```console
$ cat g.py
cat: g.py: No such file or directory
```

<!-- not run: needs a GPU -->
```console
$ semcoder train semcoder-6.7b --out runs/model
```
"""


def _problems(text: str, folder: Path) -> list[str]:
    with Page(text, folder) as page:
        return page.run(slow=True)


def test_a_good_page_is_found_good(tmp_path: Path) -> None:
    assert not faults(GOOD)
    assert not _problems(GOOD, tmp_path)


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("def f(x):\n...", "def g(x):\n..."),
        ("4 ... more", "5 ... more"),
        ("y = f.f(3)", "y = f.g(3)"),
        ("<!-- exit code: 1 -->\n", ""),
        ("No such file", "No file"),
        ("<!-- not run: needs a GPU -->\n```console\n$ semcoder train", "```console\n$ torchrun -m semcoder train"),
    ],
)  # fmt: skip
def test_a_page_that_does_not_hold_is_found(right: str, wrong: str, tmp_path: Path) -> None:
    assert right in GOOD
    assert _problems(GOOD.replace(right, wrong), tmp_path)


@pytest.mark.parametrize(
    "text",
    [
        "```console\n$ semcoder rum f.py\n```",
        "```console\n$ semcoder run f.py --cal 'f(1)'\n```",
        "```console\n$ cat f | semcoder trace - --call x --expect 3\n```",
        "```\nsemcoder run f.py\n```",
        "    semcoder run f.py",
        "```console\n$ semcoder train semcoder-7b\n```",
        "```console\n$ semcoder eval --model nano --benchmark cruxeval\n```",
        "```console\n$ python perf/duck.py --sede 3\n```",
        "```console\n$ python -m perf.duk\n```",
        "Give it `--speed 3`.",
        "Say `semcoder explain --shout`.",
        "See `tests/nowhere.py`.",
        "Then `make tea`.",
        "```yaml\nsources: [stdlib]\nout_folder: runs\n```",
    ],
)
def test_what_does_not_exist_is_found(text: str) -> None:
    assert faults(f"# Page\n\n{text}\n")


def test_slow_blocks_and_marked_ones_are_passed_over(tmp_path: Path) -> None:
    text = "<!-- slow -->\n```python\nraise SystemExit(3)\n```\n"
    with Page(text, tmp_path) as page:
        assert not page.run(slow=False)
        assert page.run(slow=True)


@pytest.mark.parametrize(
    ("shown", "printed", "same"),
    [
        ("a b", "a   b\n", True),
        ("a", "a b", False),
        ("a ... d", "a b c d", True),
        ("...\nd", "a b c\nd", True),
        ("...", "", True),
        ("a\n...\nd", "a\nd", True),
        ("a ... d", "a b c", False),
    ],
)
def test_outputs_agree_up_to_space_and_dots(shown: str, printed: str, same: bool) -> None:
    assert agrees(shown, printed) is same


def test_figures_may_vary_but_not_nothing() -> None:
    assert agrees("kept 1,203\nfalse 0", "kept 7\nfalse 0", vary=True)
    assert not agrees("kept 1,203\nfalse 0", "kept 7\nfalse 1", vary=True)
    assert not agrees("kept 1,203\nfalse 0", "kept 7\nfalse 0")


def test_commands_are_read_with_what_stands_below_them() -> None:
    (block,) = blocks("```console\n$ a \\\n    b\nout\n\nmore\n$ c\n```\n")
    assert [(c.line, c.text, c.shown) for c in commands(block)] == [(2, "a b", "\nout\n\nmore"), (7, "c", "")]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("See [more](tutorial.md).", ""),
        ("See [more](nowhere.md).", "nowhere.md"),
        ("See [more](tutorial.md#nowhere).", "nowhere"),
        ("See [more](#nowhere).", "nowhere"),
        ("```{eval-rst}\n:py:class:`semcoder.core.Nothing`\n```", "semcoder.core.Nothing"),
    ],
)
def test_the_site_is_not_built_with_a_link_that_does_not_hold(text: str, found: str, tmp_path: Path) -> None:
    pytest.importorskip("sphinx")
    (tmp_path / "index.md").write_text(f"# Page\n\n{text}\n\n```{{toctree}}\ntutorial\n```\n")
    (tmp_path / "tutorial.md").write_text("# Tutorial\n")
    command = [sys.executable, "-m", "sphinx", "-b", "html", "-W", "--keep-going", "-q", "-c", str(pages.ROOT / "docs")]
    done = subprocess.run([*command, str(tmp_path), str(tmp_path / "out")], capture_output=True, text=True, check=False)
    assert (done.returncode != 0) is bool(found)
    assert found in done.stderr

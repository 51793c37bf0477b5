"""The documentation as something to run: fenced blocks of Markdown pages, what they promise, and what happened.

A page is run in a folder of its own that holds a copy of `examples/`, block after block:

    ```console     lines that begin with `$ ` are run by a shell; what stands below one must be what it prints, its
                   results, its notes, or both
    ```python      run in one namespace for the whole page
    ```output      what the block before it printed

`...` in an output stands for anything, and the amount of white space does not count. HTML comments right before a
fence say what a reader of the page sees, too:

    <!-- not run: REASON -->       it needs a GPU, a hub, a model, minutes
    <!-- slow -->                  run by `make test-all` alone
    <!-- figures vary -->          numbers that are not 0 depend on versions and stand for any number
    <!-- exit code: 1 -->          of every command of the block (0 unless told)
    <!-- file: PATH -->            the block is written there; below src/semcoder/ it becomes part of the package

A command that stands anywhere else than in a console block is a fault, since nobody would run it.
"""

from __future__ import annotations

import itertools
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import typer

ROOT = Path(__file__).resolve().parent.parent

#: What a console block may start without a mark: the rest needs other machines, networks or somebody's project.
_RUNNABLE = {"semcoder", "python", "pytest", "cat", "head", "tail", "ls", "wc", "grep", "mkdir", "cp", "echo", "sed"}
_COMMAND = re.compile(
    r"(\$ )?(?:\S*/)?(semcoder|make|pip|pytest|python|python3|torchrun|accelerate|git|srun|sbatch) [\w.\"'-]"
)
_MARK = re.compile(r"<!--\s*(not run|slow|exit code|file|figures vary)(?::\s*(.*?))?\s*-->")
_FENCE = re.compile(r"^(`{3,})(.*)$")
_SCRIPT = re.compile(r"(?:(perf/\w+\.py)|-m (perf\.\w+|semcoder\.nano\.\w+))([^|&;]*)")
_OPTION = re.compile(r"(?<![\w-])--[a-z][a-z0-9_-]*")


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block: the line of its fence, the word behind it, its text, and the marks before it."""

    line: int
    language: str
    text: str
    marks: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Command:
    """A command of a console block and the output that the page shows below it."""

    line: int
    text: str
    shown: str


def pages() -> list[Path]:
    """The pages beside the code and every page of the documentation."""
    beside = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")]
    return [*beside, *sorted((ROOT / "docs").rglob("*.md"))]


def blocks(text: str) -> list[Block]:
    """The fenced blocks of a page, in order. A fence that is not closed ends with the page."""
    found: list[Block] = []
    marks: dict[str, str] = {}
    lines = iter(enumerate(text.split("\n"), 1))
    for number, line in lines:
        fence = _FENCE.match(line)
        if fence:
            body: list[str] = []
            for _, inner in lines:
                if inner.startswith(fence[1]) and not inner.strip("`"):
                    break
                body.append(inner)
            found.append(Block(number, fence[2].strip(), "\n".join(body), marks))
            marks = {}
        elif mark := _MARK.match(line.strip()):
            marks = {**marks, mark[1]: mark[2] or ""}
        elif line.strip():
            marks = {}
    return found


def commands(block: Block) -> list[Command]:
    """The commands of a console block; a line that ends with a backslash goes on in the next."""
    found: list[Command] = []
    lines = list(enumerate(block.text.split("\n"), block.line + 1))
    while lines:
        number, line = lines.pop(0)
        if not line.startswith("$ "):
            if found:
                last = found.pop()
                found.append(Command(last.line, last.text, f"{last.shown}\n{line}"))
            continue
        command = line[2:]
        while command.endswith("\\") and lines:
            command = command[:-1] + lines.pop(0)[1].lstrip("> ")
        found.append(Command(number, command, ""))
    return found


def agrees(shown: str, printed: str, *, vary: bool = False) -> bool:
    """Whether what a page shows is what was printed, `...` standing for anything; with `vary`, so do numbers but 0."""

    def written(word: str) -> str:
        return r"[\d.,]+" if vary and re.fullmatch(r"[\d.,]*[1-9][\d.,]*", word) else re.escape(word)

    parts = (r"\s+".join(map(written, part.split())) for part in shown.split("..."))
    return re.fullmatch(r"\s*" + r"\s*.*?\s*".join(parts) + r"\s*", printed, re.DOTALL) is not None


# Faults that can be read off a page ----------------------------------------------------------------------------------


@cache
def options() -> dict[str, set[str]]:
    """The options of every command of the command line; of the whole under the empty name."""
    from semcoder.cli.app import app

    group = typer.main.get_command(app)
    found = {"": {"--version", "--help", "--install-completion", "--show-completion"}}
    for name, command in group.commands.items():  # type: ignore[attr-defined]
        found[name] = {"--help"} | {option for each in command.params for option in (*each.opts, *each.secondary_opts)}
    return found


@cache
def _others_options() -> set[str]:
    """What is not `semcoder` itself: the pytest plugin, scripts of `perf/`, the built-in model's halves, colours."""
    sources = [*(ROOT / "perf").glob("*.py"), *(ROOT / "src" / "semcoder" / "nano").glob("*.py")]
    sources += [ROOT / "src" / "semcoder" / "debugging" / "pytest_plugin.py"]
    sources += (ROOT / "src" / "semcoder" / "report" / "static").glob("*.css")
    return {option for source in sources for option in _OPTION.findall(source.read_text())}


def _wrong_in_command(words: list[str], own: set[str]) -> Iterator[str]:
    """What is wrong with `semcoder WORDS`."""
    known = options()
    words = words[: words.index("--")] if "--" in words else words
    name = next((word for word in words if not word.startswith("-")), "")
    if name and not re.fullmatch(r"[a-z]+", name):
        return
    if name not in known:
        yield f"there is no command `semcoder {name}`"
        return
    for option in _OPTION.findall(" ".join(words)):
        if option not in known[name]:
            yield f"`semcoder {name}` has no option {option}"
    yield from _wrong_names(name, words, own)


def _wrong_names(command: str, words: list[str], own: set[str]) -> Iterator[str]:
    """Recipes and benchmarks that a command names and that are neither there nor the page's own; words in capitals stand
    for anything."""
    from semcoder.benchmarks import benchmarks
    from semcoder.training import recipe_names

    recipe = words[1] if command == "train" and words[1:] else ""
    if re.fullmatch(r"[a-z][\w.-]*", recipe) and not recipe.endswith(".yaml") and recipe not in recipe_names():
        yield f"there is no recipe {recipe}"
    for option, name in itertools.pairwise(words):
        if option == "--benchmark" and name.islower() and name not in own | set(benchmarks()):
            yield f"there is no benchmark {name}"


def _wrong_in_script(text: str) -> Iterator[str]:
    """What is wrong with a command that runs a script or a module of the repository."""
    for found in _SCRIPT.finditer(text):
        path = found[1] or found[2].replace("semcoder.", "src/semcoder/").replace(".", "/") + ".py"
        if not (ROOT / path).is_file():
            yield f"there is no {path}"
            continue
        words = set(re.findall(r"[\w-]+", (ROOT / path).read_text()))  # an option, or the name that one is made from
        for name in _OPTION.findall(found[3]):
            if not {name, name.removeprefix("--").replace("-", "_")} & words:
                yield f"{path} has no option {name}"


def _wrong_in_text(text: str, own: set[str]) -> Iterator[str]:
    """What is wrong with a command line, or with code in a sentence. `own`: names of plugins that the page adds."""
    yield from _wrong_in_script(text)
    for part in re.split(r"\|\|?|&&|;|\\$", text):
        started = re.search(r"(?:^|\s|/)semcoder(?=\s|$)(.*)", part)
        if started and not re.search(r"pip|import|automodule", part[: started.start()]):
            try:
                words = shlex.split(started[1], comments=True)
            except ValueError:
                words = started[1].split()
            yield from _wrong_in_command(words, own)
        elif re.match(r"\s*--[a-z]", part):
            every = _others_options().union(*options().values())
            yield from (f"nothing has an option {name}" for name in _OPTION.findall(part) if name not in every)


def _wrong_in_block(block: Block, own: set[str]) -> Iterator[str]:
    lines = block.text.split("\n")
    if block.language == "console":
        for command in commands(block):
            for wrong in _wrong_in_text(command.text, own):
                yield f"{command.line}: {wrong}"
        return
    for number, line in enumerate(lines, block.line + 1):
        loose = block.language in ("", "text", "sh", "bash", "shell") and "file" not in block.marks
        if loose and _COMMAND.match(line):
            yield f"{number}: a command outside a console block: {line}"
    if block.language == "json":
        json.loads(block.text)
    if block.language == "yaml":
        yield from (f"{block.line}: {wrong}" for wrong in _wrong_in_yaml(block.text))


def _wrong_in_yaml(text: str) -> Iterator[str]:
    import yaml

    from semcoder.pyx.config import BuildConfig

    found = yaml.safe_load(text)
    if isinstance(found, dict) and "sources" in found:
        fields = BuildConfig.__dataclass_fields__
        yield from (f"a build has no field {name}" for name in found if name not in fields)


def _prose(text: str) -> Iterator[tuple[int, str]]:
    fence = ""
    for number, line in enumerate(text.split("\n"), 1):
        if match := _FENCE.match(line):
            fence = "" if fence and line.startswith(fence) else fence or match[1]
        elif not fence:
            yield number, line


def faults(text: str) -> list[str]:
    """What of a page is wrong without running anything: `LINE: what`."""
    found: list[str] = []
    own = set(re.findall(r'^    name = "([\w-]+)"$', text, re.MULTILINE))
    for block in blocks(text):
        found += _wrong_in_block(block, own)
    for number, line in _prose(text):
        if line.startswith("    ") and _COMMAND.match(line.strip()):
            found.append(f"{number}: a command outside a console block: {line.strip()}")
        for code in re.findall(r"`([^`\n]+)`", line):
            found += (f"{number}: {wrong}" for wrong in _wrong_in_text(code.replace(r"\|", "|"), own))
        for path in re.findall(r"`((?:perf|tests|examples|src)/[\w./-]+\.\w+)`", line):
            if not (ROOT / path).exists() and not path.startswith(("src/shop", "tests/test_")):
                found.append(f"{number}: there is no {path}")
        for target in re.findall(r"`make ([\w-]+)", line):
            if not re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.MULTILINE):
                found.append(f"{number}: there is no `make {target}`")
    return found


# Running a page ------------------------------------------------------------------------------------------------------

_DRIVER = """
import contextlib, io, json, sys, traceback, types
module = types.ModuleType("page"); sys.modules["page"] = module
answers, sys.stdin = sys.stdout, open(0)
for line in sys.stdin:
    printed, error = io.StringIO(), ""
    with contextlib.redirect_stdout(printed):
        try:
            exec(compile(json.loads(line), "page", "exec"), module.__dict__)
        except BaseException:
            error = traceback.format_exc()
    print(json.dumps([printed.getvalue(), error]), file=answers, flush=True)
"""


class Page:
    """A page that is being run in a folder. Use as a context."""

    def __init__(self, text: str, folder: Path) -> None:
        self.blocks = blocks(text)
        self.folder = folder
        shutil.copytree(ROOT / "examples", folder / "examples", ignore=shutil.ignore_patterns("__pycache__"))
        self._environment = {
            **os.environ,
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "HF_HUB_OFFLINE": "1",
            "COLUMNS": "200",
            "NO_COLOR": "1",
        }
        self._driver: subprocess.Popen[str] | None = None

    def __enter__(self) -> Page:
        return self

    def __exit__(self, *_: object) -> None:
        if self._driver is not None:
            self._driver.communicate()

    def run(self, *, slow: bool) -> list[str]:
        """What went otherwise than the page says, as `LINE: what`. Without `slow`, slow blocks are passed over."""
        found: list[str] = []
        printed: str | None = None
        for block in self.blocks:
            if block.language == "output":
                if printed is not None and not agrees(block.text, printed):
                    found.append(f"{block.line}: shown:\n{block.text}\nprinted:\n{printed}")
                printed = None
                continue
            printed = None
            if "not run" in block.marks or ("slow" in block.marks and not slow):
                continue
            if "file" in block.marks:
                self._write(block)
            elif block.language == "console":
                found += self._console(block)
            elif block.language == "python":
                printed, error = self._python(block.text)
                found += [f"{block.line}: {error}"] if error else []
        return found

    def _write(self, block: Block) -> None:
        path = self.folder / block.marks["file"]
        package = self.folder / "src" / "semcoder"
        if package in path.parents and not package.exists():
            shutil.copytree(ROOT / "src" / "semcoder", package, ignore=shutil.ignore_patterns("assets", "__pycache__"))
            (package / "assets").symlink_to(ROOT / "src" / "semcoder" / "assets")
            self._environment["PYTHONPATH"] = str(package.parent)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(block.text + "\n")

    def _console(self, block: Block) -> Iterator[str]:
        wanted = int(block.marks.get("exit code", "0"))
        for command in commands(block):
            bare = re.sub(r"'[^']*'|\"[^\"]*\"", "''", command.text)
            first = {part.split()[0] for part in re.split(r"\|\|?|&&|;|\$\(", bare) if part.split()}
            if not first <= _RUNNABLE:
                yield f"{command.line}: cannot be run here, and has no mark that says so: {command.text}"
                continue
            done = subprocess.run(
                ["bash", "-o", "pipefail", "-c", command.text],
                cwd=self.folder, env=self._environment, stdin=subprocess.DEVNULL,
                capture_output=True, text=True, check=False,
            )  # fmt: skip
            out, notes = done.stdout, done.stderr
            printed = f"{out}\n{notes}"
            if done.returncode != wanted:
                yield f"{command.line}: exit code {done.returncode}, not {wanted}: {command.text}\n{printed}"
            elif command.shown.strip() and not any(
                agrees(command.shown, text, vary="figures vary" in block.marks)
                for text in (out, notes, printed, f"{notes}\n{out}")
            ):
                yield f"{command.line}: {command.text}\nshown:{command.shown}\nprinted:\n{printed}"

    def _python(self, code: str) -> tuple[str, str]:
        """What a block printed, and its traceback where it raised."""
        if self._driver is None:
            self._driver = subprocess.Popen(
                [sys.executable, "-c", _DRIVER], cwd=self.folder, env=self._environment,
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            )  # fmt: skip
        assert self._driver.stdin is not None
        assert self._driver.stdout is not None
        self._driver.stdin.write(json.dumps(code) + "\n")
        self._driver.stdin.flush()
        answer = self._driver.stdout.readline()
        if not answer:
            return "", "the interpreter ended"
        printed, error = json.loads(answer)
        return printed, error

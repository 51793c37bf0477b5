"""The wheel: what is in it, that it installs without extras, and that what needs an extra says which."""

from __future__ import annotations

import importlib.metadata
import json
import os
import re
import subprocess
import sys
import venv
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.pages import ROOT

pytestmark = pytest.mark.slow

_EXAMPLE = str(ROOT / "examples" / "squares.py")
_NEEDED = (
    "semcoder/py.typed",
    "semcoder/recipes/semcoder-6.7b.yaml",
    "semcoder/recipes/accelerate/fsdp-8-gpus.yaml",
    "semcoder/prompts/semcoder.yaml",
    "semcoder/prompts/chat.yaml",
    "semcoder/assets/nano/config.json",
    "semcoder/assets/nano/tokenizer.json",
    "semcoder/assets/nano/model-00001-of-00003.safetensors",
    "semcoder/report/static/stepper.js",
    "semcoder/report/static/page.css",
    "semcoder/web/static/index.html",
    "semcoder/web/static/app.js",
    "semcoder/web/static/web.css",
    "semcoder/web/static/examples.json",
)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from this checkout, with the build's requirements as they are installed here."""
    out = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    subprocess.run(
        [*pip, "wheel", "--no-deps", "--no-build-isolation", "--no-index", "--wheel-dir", str(out), str(ROOT)],
        check=True,
    )
    (found,) = out.glob("*.whl")
    return found


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the commands of a new environment that has the wheel, and what its core asks for."""
    folder = tmp_path_factory.mktemp("venv")
    venv.create(folder, with_pip=False, symlinks=True)
    (site,) = folder.glob("lib/python*/site-packages")
    for top in sorted(_core()):
        (site / top.name).symlink_to(top)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    subprocess.run(
        [*pip, "--python", str(folder / "bin" / "python"), "install", "--no-deps", "--no-index", str(wheel)], check=True
    )
    return folder / "bin"


def _core() -> Iterator[Path]:
    """What lies in site-packages of the distributions that semcoder needs without any extra, and those that they need."""
    waiting, seen = ["semcoder"], set()
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        found = importlib.metadata.distribution(name)
        for needed in found.requires or []:
            if "extra" not in needed and "sys_platform" not in needed and "platform_system" not in needed:
                waiting.append(re.split(r"[^\w.-]", needed, maxsplit=1)[0])
        if name != "semcoder":
            tops = {path.parts[0] for path in found.files or [] if not path.parts[0].startswith(("..", "__pycache__"))}
            yield from (Path(str(found.locate_file(top))) for top in tops)


def _run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
    return subprocess.run(
        [str(folder / "semcoder"), *words], capture_output=True, text=True, check=False, env=environment, cwd=folder
    )


def test_it_holds_what_it_should_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as file:
        names = file.namelist()
    sources = {
        str(path.relative_to(ROOT / "src"))
        for path in (ROOT / "src" / "semcoder").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    packed = {name for name in names if not re.match(r"semcoder-[\d.]+\.dist-info/", name)}
    assert packed == sources
    assert set(_NEEDED) <= packed
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert not [name for name in names if re.search(r"(^|/)(tests?|perf|docs|examples)/", name)]
    assert wheel.stat().st_size < 40_000_000


def test_it_says_what_it_is_and_what_there_is(installed: Path) -> None:
    version = _run(installed, "--version")
    assert (version.returncode, version.stdout) == (0, f"semcoder {importlib.metadata.version('semcoder')}\n")
    doctor = _run(installed, "doctor", "--json")
    assert doctor.returncode == 0, doctor.stderr
    found = json.loads(doctor.stdout)
    assert found["torch"] is None
    assert not found["extras"]["model"]["installed"]
    assert found["extras"]["model"]["install"] == "pip install 'semcoder[model]'"


def test_the_core_runs_without_extras(installed: Path) -> None:
    told = _run(installed, "explain", _EXAMPLE, "--call", "squares([1, 2, 4])")
    assert told.returncode == 0, told.stderr
    assert told.stdout.endswith("The call returns `[4, 16]`.\n")
    assert "0 false, 0 not checked" in told.stderr


@pytest.mark.parametrize(
    ("words", "extra"),
    [
        (("predict", _EXAMPLE, "--call", "squares([1])"), "model"),
        (("build", str(ROOT / "examples" / "corpus.yaml")), "data"),
        (("demo",), "data"),
        (("collect", _EXAMPLE, "--out", "runs/programs"), "data"),
        (("eval", "--model", "nano", "--benchmark", "cruxeval-o"), "model"),
        (("train", "smoke"), "train"),
        (("ui",), "ui"),
    ],
)
def test_what_needs_an_extra_says_so_in_one_line(words: tuple[str, ...], extra: str, installed: Path) -> None:
    done = _run(installed, *words)
    assert done.returncode == 2
    assert not done.stdout
    (line,) = done.stderr.splitlines()
    assert f"pip install 'semcoder[{extra}]'" in line


def test_the_built_in_model_is_in_it(installed: Path) -> None:
    """With the libraries of the environment that runs the tests, and the model of the wheel."""
    (site,) = (installed.parent / "lib").glob("python*/site-packages")
    here = Path(str(importlib.metadata.distribution("torch").locate_file("")))
    extra = site / "zz-model.pth"
    extra.write_text(f"{here}\n")
    try:
        done = _run(installed, "predict", _EXAMPLE, "--call", "squares([1, 2])", "--json")
    finally:
        extra.unlink()
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["right"] is True


@pytest.mark.parametrize(("shell", "word"), [("bash", "complete "), ("zsh", "compdef"), ("fish", "complete ")])
def test_shells_complete_commands(shell: str, word: str, installed: Path) -> None:
    environment = {**os.environ, "_SEMCODER_COMPLETE": f"source_{shell}"}
    script = subprocess.run([str(installed / "semcoder")], capture_output=True, text=True, check=False, env=environment)
    assert word in script.stdout
    asked = {**os.environ, "_SEMCODER_COMPLETE": "complete_bash", "COMP_WORDS": "semcoder ex", "COMP_CWORD": "1"}
    found = subprocess.run([str(installed / "semcoder")], capture_output=True, text=True, check=False, env=asked)
    assert found.stdout.split() == ["explain"]

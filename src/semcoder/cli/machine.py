"""`doctor`: what this machine offers.

Guarantees: nothing heavy is imported to find out, and nothing is changed. It does not prove that a GPU works: it says
what the driver and the installed packages say.
"""

from __future__ import annotations

import importlib.metadata
import os
import platform
import re
from pathlib import Path
from typing import Any

from semcoder import __version__
from semcoder.cli.execution import Json
from semcoder.cli.printing import document, line, note, table
from semcoder.errors import SemcoderError


def doctor(as_json: Json = False) -> int:
    """Say what this machine offers.

    Shows the sandbox's kernel layers, Python, processors, memory, optional extras, torch and GPUs. Exit code 4 if
    the sandbox cannot keep one of its promises here.

    \b
    Example:
      semcoder doctor
    """
    layers, problem = _layers()
    found = {
        "semcoder": __version__,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "cores": _cores(),
        "memory": _memory(),
        "sandbox": {"ok": not problem, "problem": problem, "layers": layers},
        "extras": _extras(),
        "torch": _version("torch"),
        "gpus": _gpus(),
    }
    if as_json:
        document(found)
    else:
        _print(found)
    if problem:
        note(f"the sandbox cannot run programs here: {problem}")
    return 4 if problem else 0


def _layers() -> tuple[list[dict[str, Any]], str]:
    """The kernel layers, and what is wrong with them (empty: nothing)."""
    from semcoder import sandbox

    if platform.system() != "Linux":
        return [], f"it needs the Linux kernel, and this is {platform.system()}"
    try:
        layers = sandbox.report()
    except SemcoderError as error:
        return [], str(error)
    missing = [str(row["promise"]) for row in layers if row["required"] and not row["active"]]
    return layers, "; ".join(missing)


def _cores() -> int:
    """Processors that this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity is not None else os.cpu_count() or 1


def _memory() -> int | None:
    """Bytes of memory of the machine; None where it does not say."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError, AttributeError):
        return None


def _extras() -> dict[str, dict[str, Any]]:
    """Per extra: the packages it asks for with their installed versions (None: missing), and how to install it."""
    try:
        requirements = importlib.metadata.requires("semcoder") or []
    except importlib.metadata.PackageNotFoundError:
        return {}
    extras: dict[str, dict[str, Any]] = {}
    for requirement in requirements:
        extra = re.search(r"extra\s*==\s*['\"]([\w.-]+)['\"]", requirement)
        name = re.match(r"[\w.-]+", requirement)
        if extra and name:
            pip = f"pip install 'semcoder[{extra[1]}]'"
            entry = extras.setdefault(extra[1], {"installed": True, "packages": {}, "install": pip})
            version = entry["packages"][name[0]] = _version(name[0])
            entry["installed"] = entry["installed"] and version is not None
    return extras


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _gpus() -> list[str]:
    """Models of the GPUs that the NVIDIA driver lists; `/dev` where it lists none."""
    found = []
    for path in sorted(Path("/proc/driver/nvidia/gpus").glob("*/information")):
        try:
            model = re.search(r"Model:\s*(.+)", path.read_text(errors="replace"))
        except OSError:
            continue
        found.append(model[1].strip() if model else "NVIDIA GPU")
    return found or [f"NVIDIA GPU ({path})" for path in sorted(map(str, Path("/dev").glob("nvidia[0-9]*")))]


def _print(found: dict[str, Any]) -> None:
    memory = found["memory"]
    facts = [
        ["semcoder", found["semcoder"]],
        ["python", found["python"]],
        ["platform", found["platform"]],
        ["processors", str(found["cores"])],
        ["memory", "unknown" if memory is None else f"{memory / 2**30:.1f} GiB"],
        ["torch", found["torch"] or "not installed (pip install 'semcoder[model]')"],
        ["GPU", ", ".join(found["gpus"]) or "none found"],
    ]
    table(["machine", ""], facts)
    rows = [[r["layer"], _state(r), r["promise"], r["detail"]] for r in found["sandbox"]["layers"]]
    if rows:
        table(["sandbox layer", "state", "promise it keeps", "detail"], rows)
    extras = [[name, _extra_state(extra), extra["install"]] for name, extra in found["extras"].items()]
    if extras:
        table(["extra", "state", "install with"], extras)
    line(
        "the sandbox keeps its promises here" if found["sandbox"]["ok"] else "the sandbox cannot keep its promises here"
    )


def _state(row: dict[str, Any]) -> str:
    if row["active"]:
        return "active"
    return "MISSING" if row["required"] else "not active (optional)"


def _extra_state(extra: dict[str, Any]) -> str:
    missing = [name for name, version in extra["packages"].items() if version is None]
    return "missing " + ", ".join(missing) if missing else "installed"


COMMANDS = (doctor,)

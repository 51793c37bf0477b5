"""Profiles as files: those of the package by name, others by path, and the one that a model's folder carries.

Guarantees: what is malformed raises `InputError` that names the file and the field; nothing is saved but the whole
profile, so that a folder means the same wherever it is copied to, and whatever becomes of the package's profiles.
"""

from __future__ import annotations

import dataclasses
import importlib.resources
import json
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from semcoder.core import decode
from semcoder.core.files import full_document, write_json
from semcoder.errors import InputError, UsageError
from semcoder.prompts.profile import Profile, Tasks, check

#: The profile whose texts the rows of a build have.
DEFAULT = "semcoder"
#: The built-in model, and the profile that it is asked in.
BUILT_IN = "nano"
#: Templates that profiles of models' folders, and of users, may lack, since they were not always there; those of the
#: default profile stand for them.
_LATER = ("fault", "refined")
#: The file of a model's folder that says how the model wants to be asked.
SAVED_AS = "semcoder.json"


@cache
def profile_names() -> tuple[str, ...]:
    """The profiles in the package, sorted."""
    folder = importlib.resources.files(__package__)
    return tuple(sorted(item.name[: -len(".yaml")] for item in folder.iterdir() if item.name.endswith(".yaml")))


def load_profile(name_or_path: str | Path = DEFAULT) -> Profile:
    """A profile of the package by name, or one in a YAML file. Raises `UsageError` for neither, and `InputError`."""
    name = str(name_or_path)
    if name in profile_names():
        return _packaged(name)
    try:
        text = Path(name).read_text(encoding="utf-8")
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
        raise UsageError(
            f"there is no profile {name!r} and no such file; profiles: {', '.join(profile_names())}"
        ) from None
    except (OSError, ValueError) as error:
        raise InputError(f"{name}: cannot be read as a profile ({error})") from None
    return _read(text, name)


@cache
def _packaged(name: str) -> Profile:
    file = importlib.resources.files(__package__) / f"{name}.yaml"
    return _read(file.read_text(encoding="utf-8"), name)


def _read(text: str, where: str) -> Profile:
    try:
        doc = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f" at line {mark.line + 1}, column {mark.column + 1}" if mark is not None else ""
        raise InputError(f"{where}: not readable as YAML{place}: {str(error).splitlines()[0]}") from None
    except (RecursionError, ValueError) as error:
        raise InputError(f"{where}: not readable as YAML: {str(error).splitlines()[0]}") from None
    return profile_of(doc, where)


def profile_of(doc: Any, where: str) -> Profile:
    """The profile that a document holds. Raises `InputError` that begins with `where`."""
    if not isinstance(doc, dict):
        raise InputError(f"{where}: a profile is a mapping of fields: {', '.join(_names(Profile))}")
    _check_known(doc, Profile, where)
    if isinstance(doc.get("tasks"), dict):
        _check_known(doc["tasks"], Tasks, f"{where}.tasks")
    whole = {**{name: getattr(load_profile(), name) for name in _LATER if name not in doc}, **doc}
    return check(decode(Profile, whole, where), where)


def _check_known(doc: dict[Any, Any], record: type, where: str) -> None:
    known = _names(record)
    unknown = next((str(name) for name in doc if name not in known), None)
    if unknown is not None:
        raise InputError(f"{where}: unknown field {unknown!r}; known: {', '.join(known)}")


def _names(record: Any) -> list[str]:
    return [field.name for field in dataclasses.fields(record)]


def profile_document(profile: Profile) -> dict[str, Any]:
    """All of a profile as a JSON document, which `profile_of` reads."""
    return full_document(profile)


def save_profile(folder: str | Path, profile: Profile, style: str) -> None:
    """Write into a model's folder how it is to be asked: with the whole profile, for texts of this style."""
    write_json(Path(folder) / SAVED_AS, {"profile": profile_document(profile), "style": style})


def profile_for(model: str, named: str | Path | None = None) -> tuple[Profile, str]:
    """The profile to ask a model in, and the style that its folder says it tells in (empty for none): the one that is
    named, else the built-in model's own, that of the model's folder (`hf:PATH`), or the default. Raises `InputError`,
    `UsageError`."""
    kind, _, place = model.partition(":")
    if kind == BUILT_IN and named is None:
        named = BUILT_IN
    saved = saved_profile(Path(place).expanduser()) if kind == "hf" and place else None
    chosen = load_profile(named) if named is not None else saved[0] if saved else load_profile()
    return chosen, saved[1] if saved else ""


def saved_profile(folder: str | Path) -> tuple[Profile, str] | None:
    """Profile and style of a model's folder; None where it carries none. Raises `InputError`, `UsageError`."""
    path = Path(folder) / SAVED_AS
    try:
        doc = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"{path}: cannot be read as JSON ({error})") from None
    style = doc.get("style") if isinstance(doc, dict) else None
    if not isinstance(style, str) or not style or "profile" not in doc:
        raise InputError(f"{path}: needs profile (a name, or all of one) and style (a name)")
    profile = doc["profile"]
    if isinstance(profile, str):
        return load_profile(profile), style
    return profile_of(profile, f"{path}: profile"), style

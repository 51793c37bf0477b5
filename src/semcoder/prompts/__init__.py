"""How questions about programs are worded, and where the answer stands in a reply: a profile, one YAML file each.

Guarantees: a profile that is loaded has all its texts, with the places that they are to be filled at; filling takes
one pass, so that code with braces in it stays as it is; `parse` reads back what `response` wrote, for every monologue
and answer that hold none of the profile's marks. A trained model carries its profile in `semcoder.json`.
It does not judge an answer, nor know what a style is.
"""

from __future__ import annotations

from semcoder.prompts.files import (
    BUILT_IN,
    DEFAULT,
    SAVED_AS,
    load_profile,
    profile_document,
    profile_for,
    profile_names,
    profile_of,
    save_profile,
    saved_profile,
)
from semcoder.prompts.profile import GAP, Parsed, Profile, Tasks, assertion

__all__ = [
    "BUILT_IN",
    "DEFAULT",
    "GAP",
    "SAVED_AS",
    "Parsed",
    "Profile",
    "Tasks",
    "assertion",
    "load_profile",
    "profile_document",
    "profile_for",
    "profile_names",
    "profile_of",
    "save_profile",
    "saved_profile",
]

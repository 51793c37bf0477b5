"""Characters that nobody sees: pages that Python writes and pages that the stepper draws show the same ones as escapes."""

from __future__ import annotations

import re
import sys
from importlib import resources

import pytest

from semcoder.report.html import text


def stepper_shows(char: str) -> str:
    script = resources.files("semcoder.report").joinpath("static", "stepper.js").read_text("utf-8")
    found = re.search(r"^const UNSEEN = /(\[.*\])/g;$", script, re.MULTILINE)
    assert found
    return re.sub(found[1], lambda each: f"\\u{ord(each[0]):04x}", char)


def test_both_lists_are_the_same() -> None:
    every = "".join(
        chr(code) for code in range(sys.maxunicode + 1) if not 0xD800 <= code <= 0xDFFF and chr(code) not in "&<>\"'"
    )
    assert text(every) == stepper_shows(every)


@pytest.mark.parametrize("char", "\x00\x1b\x7f\xad\u061c\u200b\u200f\u2028\u202e\u2060\u2064\u2066\u2069\ufeff")
def test_a_character_that_hides_or_turns_text_is_seen(char: str) -> None:
    assert text(f"a{char}b") == f"a\\u{ord(char):04x}b" == stepper_shows(f"a{char}b")


@pytest.mark.parametrize("seen", ["\t", "\n", "é", "日本", "👩‍💻"[0]])
def test_what_is_seen_stays(seen: str) -> None:
    assert text(seen) == seen == stepper_shows(seen)

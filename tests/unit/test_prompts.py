"""Profiles: what they write word for word, that what they wrote is read back, and what is refused."""

from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path

import pytest
import yaml
from hypothesis import assume, example, given
from hypothesis import strategies as st

from semcoder.errors import InputError, UsageError
from semcoder.prompts import (
    Parsed,
    Profile,
    load_profile,
    profile_document,
    profile_names,
    profile_of,
    save_profile,
    saved_profile,
)

PROFILE = load_profile()


def shaped(answer: str, direct: str) -> Profile:
    return profile_of({**profile_document(PROFILE), "answer": answer, "direct": direct}, "shaped")


PROFILES = {
    "semcoder": PROFILE,
    # white space round the answer
    "spaced": shaped("<think>\n{monologue}\n</think>\n\n<answer> {answer} </answer>", "<answer> {answer} </answer>"),
    # no marks round the monologue, and a line's end behind the answer
    "bare": shaped("{monologue}\nThe answer is: {answer}\n", "The answer is: {answer}\n"),
    # nothing behind the answer
    "open": shaped("{monologue}\n#### {answer}", "#### {answer}"),
    "tight": shaped("[M]{monologue}[/M][A]{answer}[/A]", "[A]{answer}[/A]"),
}
#: Texts, many of them made of what marks are made of.
TEXTS = st.text(max_size=30) | st.lists(
    st.sampled_from(["[", "/", "]", "ANSWER", "MONOLOGUE", "M", "A", "\n", " ", "<", ">", "answer", "x", "##", ": "]),
    max_size=8,
).map("".join)
MARKS = re.compile(r"\[/?[A-Z]+\]|</?\w+>|The answer is:|####")


def test_the_words_of_rows() -> None:
    source, call = "def f(x):\n    return {'a': x}['a']\n", "f('{answer}')"
    code = "def f(x):\n    return {'a': x}['a']"
    assert PROFILE.forward(source, call) == (
        f"Task: follow the code and give its output.\n[PYTHON]\n{code}\nassert f('{{answer}}') == ??\n[/PYTHON]"
    )
    assert PROFILE.backward(source, "f", "'{source}'") == (
        f"Task: reason back from the output and give an input.\n[PYTHON]\n{code}\nassert f(??) == '{{source}}'\n[/PYTHON]"
    )
    assert PROFILE.nl("f(x)", "Gives {it} back.", [("f(1)", "1"), ("f(2)", "2")]) == (
        "Task: write the code that a description asks for.\nWrite a Python function `f(x)`. Its documentation:\n\n"
        "Gives {it} back.\n\nFor example:\n\nassert f(1) == 1\nassert f(2) == 2\n"
    )
    assert PROFILE.response("So.", "assert f(1) == 1") == (
        "[MONOLOGUE]\nSo.\n[/MONOLOGUE]\n[ANSWER]assert f(1) == 1[/ANSWER]"
    )
    assert PROFILE.response("", "assert f(1) == 1") == "[ANSWER]assert f(1) == 1[/ANSWER]"
    assert PROFILE.prompt("Ask.") == "Ask.\n"


def test_the_words_of_repairs() -> None:
    problem = PROFILE.nl("f(x)", "Gives {it} back.", [("f(1)", "1")]).partition("\n")[2]
    assert PROFILE.repair(problem, "def f(x):\n    return {test}\n", "assert f(1) == 1", "It gives `2`.\n") == (
        "Task: find the fault in the code and repair it.\nWrite a Python function `f(x)`. Its documentation:\n\n"
        "Gives {it} back.\n\nFor example:\n\nassert f(1) == 1\n\n[PYTHON]\ndef f(x):\n    return {test}\n[/PYTHON]\n"
        "This test fails:\nassert f(1) == 1\nWhat happened:\nIt gives `2`."
    )
    assert PROFILE.repairing.response("So.", "def f(x):\n    return x") == (
        "[MONOLOGUE]\nSo.\n[/MONOLOGUE]\n[Refined]\ndef f(x):\n    return x\n[/Refined]"
    )
    assert PROFILE.repairing.stops == ("[/Refined]",)
    assert PROFILE.repairing.tasks == PROFILE.tasks


@pytest.mark.parametrize("profile", [*map(load_profile, profile_names()), *PROFILES.values()], ids=lambda p: p.answer)
def test_a_repaired_program_is_read_back(profile: Profile) -> None:
    code = "def f(x):\n    return [x]\n"
    assert profile.repairing.parse(profile.repairing.response("a\nb", code)) == Parsed("a\nb", code)
    assert profile.repairing.parse(profile.repairing.response("", code)) == Parsed("", code)
    assert profile.repairing.parse("no program").answer is None


@pytest.mark.parametrize("name", ["fault", "refined"])
def test_a_profile_from_before_there_were_repairs_has_the_defaults_words(name: str) -> None:
    old = {key: value for key, value in document(name="old").items() if key != name}
    assert getattr(profile_of(old, "old"), name) == getattr(PROFILE, name)


def test_a_text_put_in_is_never_looked_at_again() -> None:
    assert PROFILE.forward("{assertion} {source} \\1 {0}", "f({monologue})").count("assert f({monologue})") == 1
    assert (
        PROFILE.response("{answer}", "{monologue}")
        == "[MONOLOGUE]\n{answer}\n[/MONOLOGUE]\n[ANSWER]{monologue}[/ANSWER]"
    )


def test_an_empty_first_line_leaves_no_line() -> None:
    silent = dataclasses.replace(PROFILE, tasks=dataclasses.replace(PROFILE.tasks, forward=""))
    assert silent.forward("x = 1", "f()").startswith("[PYTHON]\n")


@pytest.mark.parametrize("name", profile_names())
def test_every_profile_of_the_package_asks_and_reads(name: str) -> None:
    profile = load_profile(name)
    assert profile.name == name
    assert profile.parse(profile.response("a\nb", "c")) == Parsed("a\nb", "c")
    (turn,) = profile.messages(profile.forward("x = 1", "f()"))
    assert (turn["role"], "assert f() == ??" in turn["content"]) == ("user", True)
    if profile.chat:
        with pytest.raises(UsageError, match="conversations"):
            profile.prompt("Ask.")


# Reading


@pytest.mark.parametrize("profile", PROFILES.values(), ids=PROFILES)
@given(monologue=TEXTS, answer=TEXTS)
@example(monologue="\n\n x \n", answer=" \n1\n ")
@example(monologue="", answer="")
@example(monologue="[", answer="[/ANSWER")
@example(monologue="[/M", answer="]")
def test_what_was_written_is_read_back(profile: Profile, monologue: str, answer: str) -> None:
    text = profile.response(monologue, answer)
    wanted = len(MARKS.findall(profile.response("-" if monologue else "", "-")))
    assume(len(MARKS.findall(text)) == wanted)
    assume(not (profile.answer.endswith("\n") and ("\n" in answer)))  # there, a line's end is what closes the answer
    assert profile.parse(text) == Parsed(monologue, answer)


@given(
    st.lists(
        st.sampled_from(["[MONOLOGUE]", "[/MONOLOGUE]", "[ANSWER]", "[/ANSWER]", "\n", "a", "["]), max_size=12
    ).map("".join)
)
def test_reading_is_total_and_closing_gives_an_answer(text: str) -> None:
    parsed = PROFILE.parse(text)
    assert (parsed.answer is None) == (not re.search(r"(?s)\[ANSWER\].*\[/ANSWER\]", text))
    closed = PROFILE.closed(text)
    assert closed in (text, text + "[/ANSWER]")
    assert (PROFILE.parse(closed).answer is None) == ("[ANSWER]" not in text)


@pytest.mark.parametrize(
    ("text", "monologue", "answer"),
    [
        ("[ANSWER]1[/ANSWER]", "", "1"),
        ("So.\n[ANSWER]1[/ANSWER]", "So.", "1"),  # no marks round the monologue
        ("[MONOLOGUE]\nSo.\n[ANSWER]1[/ANSWER]", "So.", "1"),  # it is never closed
        ("Well. [MONOLOGUE]So.[/MONOLOGUE] Then [ANSWER] 1 [/ANSWER] Done.", "So.", " 1 "),
        ("[ANSWER]1[/ANSWER] no [ANSWER]2[/ANSWER]", "[ANSWER]1[/ANSWER] no", "2"),  # the last one counts
        (
            "[MONOLOGUE]\na\n[/MONOLOGUE]\n[ANSWER]1[/ANSWER]\n[MONOLOGUE]\nb\n[/MONOLOGUE]\n[ANSWER]2[/ANSWER]",
            "b",
            "2",
        ),
        ("[ANSWER]1[/ANSWER] [ANSWER]2", "", "1"),  # the last that is complete
        ("[ANSWER]1[ANSWER]2[/ANSWER]", "[ANSWER]1", "2"),
        ("[MONOLOGUE]\nSo.\n[/MONOLOGUE]\n[ANSWER]1", "So.", None),
        ("[MONOLOGUE]\nSo", "So", None),
        ("[/ANSWER]1[ANSWER]", "", None),
        ("```python\nx = 1\n```", "", None),
        ("", "", None),
    ],
)
def test_what_models_write(text: str, monologue: str, answer: str | None) -> None:
    assert PROFILE.parse(text) == Parsed(monologue, answer)


def test_a_text_that_was_stopped_is_closed_where_its_answer_is_open() -> None:
    whole = PROFILE.response("So.", "1")
    (stop,) = PROFILE.stops
    assert PROFILE.closed(whole.partition(stop)[0]) == whole
    assert PROFILE.closed(whole) == whole
    assert PROFILE.closed("[MONOLOGUE]\nSo.") == "[MONOLOGUE]\nSo."
    assert PROFILE.closed("[ANSWER]1[/ANSWER][ANSWER]2") == "[ANSWER]1[/ANSWER][ANSWER]2[/ANSWER]"


@pytest.mark.parametrize(
    ("name", "stops"), [("spaced", ("</answer>",)), ("bare", ()), ("open", ()), ("tight", ("[/A]",))]
)
def test_a_mark_that_may_stand_elsewhere_stops_nothing(name: str, stops: tuple[str, ...]) -> None:
    assert PROFILES[name].stops == stops


def test_reading_takes_no_long_time_over_many_marks() -> None:
    for text in ("[ANSWER]" * 200_000, "[ANSWER][/ANSWER]" * 100_000, "[MONOLOGUE]" * 200_000, "[/ANSWER]" * 200_000):
        PROFILE.parse(text)
        PROFILE.closed(text)


# Files


def document(**changes: object) -> dict[str, object]:
    return {**profile_document(PROFILE), **changes}


def test_a_profile_by_path(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump(document(name="mine", between="\n### Answer\n")))
    mine = load_profile(path)
    assert (mine.name, mine.prompt("Ask.")) == ("mine", "Ask.\n### Answer\n")
    assert mine.tasks == PROFILE.tasks


def test_texts_that_are_left_out_have_their_defaults(tmp_path: Path) -> None:
    short = {name: value for name, value in document().items() if name not in ("before", "between", "chat")}
    (tmp_path / "short.yaml").write_text(yaml.safe_dump(short))
    assert load_profile(tmp_path / "short.yaml") == PROFILE


@pytest.mark.parametrize(
    ("doc", "message"),
    [
        (document(betwen="x"), "unknown field 'betwen'"),
        (document(tasks={"nl": "", "forward": "", "backward": "", "repare": ""}), "tasks: unknown field 'repare'"),
        (document(tasks={"nl": ""}), "tasks: missing field"),
        (document(tasks="x"), "tasks: expected a JSON object, got str"),
        (document(chat="yes"), "chat: expected bool, got str"),
        (document(before=3), "before: expected str, got int"),
        (document(name=""), "name: a profile needs a name"),
        (document(question="{source}"), r"question: must hold \{assertion\} once, not 0 times"),
        (document(question="{assertion} {source}"), r"question: \{assertion\} stands too early"),
        (document(problem="{header} {examples}"), r"problem: must hold \{description\} once"),
        (document(direct="{answer}"), "direct: needs a mark before"),
        (document(refined="{answer}"), "refined: needs a mark before"),
        (document(refined="[R]"), r"refined: must hold \{answer\} once"),
        (document(fault="{problem} {code} {told} {test}"), r"fault: \{told\} stands too early"),
        (document(direct="[A]{answer}{answer}"), r"direct: must hold \{answer\} once, not 2 times"),
        (document(direct="[A]{answer}[/A]"), "answer: must have round"),
        ({key: value for key, value in document().items() if key != "answer"}, "missing field"),
        (["x"], "a profile is a mapping"),
        (None, "a profile is a mapping"),
    ],
)
def test_what_is_no_profile_is_refused_by_file_and_field(doc: object, message: str, tmp_path: Path) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text(yaml.safe_dump(doc))
    with pytest.raises(InputError, match=message) as refused:
        load_profile(str(path))
    assert str(refused.value).startswith(str(path))
    assert "\n" not in str(refused.value)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(
        UsageError, match="there is no profile 'semcodr' and no such file; profiles: brief, chat, nano, semcoder"
    ):
        load_profile("semcodr")
    with pytest.raises(UsageError, match="no such file"):
        load_profile(tmp_path)
    (tmp_path / "a.yaml").write_text("name: [")
    with pytest.raises(InputError, match="not readable as YAML at line 1"):
        load_profile(tmp_path / "a.yaml")
    (tmp_path / "b.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="cannot be read as a profile"):
        load_profile(tmp_path / "b.yaml")
    (tmp_path / "c.yaml").write_text("!!python/object/apply:os.system [true]")
    with pytest.raises(InputError, match="not readable as YAML"):
        load_profile(tmp_path / "c.yaml")


def test_a_models_folder_carries_its_whole_profile(tmp_path: Path) -> None:
    mine = dataclasses.replace(PROFILE, name="mine", before="é\u2028\n")
    save_profile(tmp_path, mine, "concise")
    assert saved_profile(tmp_path) == (mine, "concise")
    assert json.loads((tmp_path / "semcoder.json").read_text())["profile"]["before"] == "é\u2028\n"


def test_a_folder_may_name_a_profile_or_carry_none(tmp_path: Path) -> None:
    assert saved_profile(tmp_path) is None
    assert saved_profile(tmp_path / "nothing") is None
    (tmp_path / "semcoder.json").write_text('{"profile": "chat", "style": "forward"}')
    assert saved_profile(tmp_path) == (load_profile("chat"), "forward")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "cannot be read as JSON"),
        ("[]", "needs profile"),
        ('{"profile": "semcoder"}', "needs profile"),
        ('{"style": "forward"}', "needs profile"),
        ('{"profile": {"name": "x"}, "style": "forward"}', "profile: missing field"),
        ('{"profile": 3, "style": "forward"}', "a profile is a mapping"),
        ('{"profile": "none of ours", "style": "forward"}', "there is no profile"),
    ],
)
def test_a_folder_with_a_damaged_profile(text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "semcoder.json").write_text(text)
    with pytest.raises(UsageError, match=message):
        saved_profile(tmp_path)

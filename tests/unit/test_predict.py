"""`semcoder predict`: what it asks a model, what it prints of the answer and of the verdict, and its exit codes."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

import semcoder
from semcoder.cli import run_command
from semcoder.errors import SemcoderError, UsageError
from semcoder.models import Completion, Reply, Request
from semcoder.prompts import load_profile, save_profile
from tests.servers import Answer, Scripted, refused, said

DOCS = Path(__file__).parents[2] / "docs" / "cli.md"
SOURCE = '''\
"""Sums."""

def total(numbers):
    result = 0
    for number in numbers:
        result += number
    return result

def fails(n):
    return 1 // n

def endless(n):
    while True:
        n += 1

def thing():
    return object()
'''
PROFILE = load_profile()
CALL = "total([1, 2])"


class Done(NamedTuple):
    code: int
    out: str
    err: str


Predict = Callable[..., Done]


@pytest.fixture
def predict(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Predict:
    (tmp_path / "sums.py").write_text(SOURCE)
    monkeypatch.chdir(tmp_path)

    def run(*words: str) -> Done:
        return Done(run_command(["predict", "sums.py", *words]), *capsys.readouterr())

    return run


@pytest.fixture(scope="module")
def monologue() -> str:
    return semcoder.explain(SOURCE, CALL).text


def replying(text: str, **more: Any) -> Scripted:
    return Scripted(said(text, **more))


def spec(server: Scripted) -> str:
    return f"openai:m@{server.url}"


# What is asked


def test_a_base_model_continues_the_prompt_up_to_the_end_of_its_answer(predict: Predict) -> None:
    with replying("[ANSWER]3") as server:
        predict("--call", CALL, "--model", spec(server), "--temperature", "0.5", "--max-tokens", "77")
    (asked,) = server.seen
    assert asked.path == "/v1/completions"
    assert asked.said == PROFILE.prompt(PROFILE.forward(SOURCE, CALL))
    assert {key: asked.body[key] for key in ("temperature", "max_tokens", "stop")} == {
        "temperature": 0.5,
        "max_tokens": 77,
        "stop": ["[/ANSWER]"],
    }


def test_a_model_for_conversations_is_told_the_form(predict: Predict) -> None:
    with replying("[ANSWER]3[/ANSWER]") as server:
        done = predict("--call", CALL, "--model", spec(server), "--profile", "chat")
    (asked,) = server.seen
    assert (done.code, asked.path) == (0, "/v1/chat/completions")
    assert [turn["role"] for turn in asked.body["messages"]] == ["user"]
    assert asked.said == load_profile("chat").forward(SOURCE, CALL)


def test_a_wording_of_ones_own(predict: Predict, tmp_path: Path) -> None:
    text = json.dumps(
        {
            "name": "mine", "before": "<q>", "between": "<a>", "problem": "{header}{description}{examples}",
            "tasks": {"nl": "", "forward": "Go.", "backward": "", "repair": ""}, "question": "{source}|{assertion}",
            "answer": "{monologue} => {answer};", "direct": " => {answer};",
        }
    )  # fmt: skip
    (tmp_path / "mine.yaml").write_text(text)  # YAML reads JSON
    with replying("Well => 3; and so on") as server:
        done = predict("--call", CALL, "--model", spec(server), "--profile", "mine.yaml")
    assert done.code == 0
    assert server.seen[0].said == f"<q>Go.\n{SOURCE.strip()}|assert {CALL} == ??<a>"


# What comes of it


def test_a_right_answer(predict: Predict, monologue: str) -> None:
    with replying(PROFILE.response(monologue, f"assert {CALL} == 3")) as server:
        done = predict("--call", CALL, "--model", spec(server))
    assert (done.code, done.err) == (0, "")
    text, verdict = done.out.split("\n\n")
    assert text == PROFILE.response(monologue, f"assert {CALL} == 3")
    assert re.fullmatch(r"right: the call gives 3\n(\d+) claims: \1 true, 0 false, 0 not checked\n", verdict)


def test_a_wrong_answer_under_a_true_monologue(predict: Predict, monologue: str) -> None:
    with replying(PROFILE.response(monologue, f"assert {CALL} == 4")) as server:
        done = predict("--call", CALL, "--model", spec(server))
    assert done.code == 1
    assert f"\nwrong: {CALL} gives 3\n" in done.out
    assert ", 0 false, " in done.out


def test_a_false_claim_before_a_right_answer(predict: Predict, monologue: str) -> None:
    told = monologue.replace("`number` becomes `2`", "`number` becomes `7`")
    assert told != monologue
    with replying(PROFILE.response(told, f"assert {CALL} == 3")) as server:
        done = predict("--call", CALL, "--model", spec(server))
    assert done.code == 0
    *_, verdict, counts, first, told, happened = done.out.splitlines()
    assert verdict == "right: the call gives 3"
    assert ", 1 false, " in counts
    assert first == "the first false one: line 5: `number` becomes `7`; in truth: number becomes 2"
    assert told == "  told:     Line 5: iteration 2 of the loop begins; `number` becomes `7`."
    assert happened == "  happened: Line 5: iteration 2 of the loop begins; `number` becomes `2`."


def test_backward(predict: Predict) -> None:
    told = semcoder.explain(SOURCE, output="3", entry="total")
    with replying(PROFILE.response(told.text, f"assert {told.answer} == 3")) as server:
        done = predict("--output", "3", "--entry", "total", "--model", spec(server))
    assert (done.code, server.seen[0].said) == (0, PROFILE.prompt(PROFILE.backward(SOURCE, "total", "3")))
    assert "\nright: the proposed call gives 3\n" in done.out
    with replying(PROFILE.response(told.text, "assert total([7]) == 3")) as server:
        done = predict("--output", "3", "--entry", "total", "--model", spec(server))
    assert done.code == 1
    assert "\nwrong: total([7]) gives 7, not 3\n" in done.out


@pytest.mark.parametrize(
    "text", ["I think it is 3.", "\x1b[2J\x07\x00 ok", "[ANSWER]three[/ANSWER]", "[MONOLOGUE]\n", "\u2028"]
)
def test_garbage_is_wrong_and_harmless_on_a_terminal(predict: Predict, text: str) -> None:
    with replying(text + ".") as server:
        done = predict("--call", CALL, "--model", spec(server))
    assert done.code == 1
    assert "\nwrong: the " in done.out
    assert f"; {CALL} gives 3\n" in done.out
    assert all(char.isprintable() or char == "\n" for char in done.out)


def test_a_text_that_was_cut_is_not_completed(predict: Predict) -> None:
    with replying("[ANSWER]3", finish="length") as server:
        done = predict("--call", CALL, "--model", spec(server), "--max-tokens", "5")
    assert done.code == 1
    assert done.err == "semcoder: the text was cut after 5 tokens; --max-tokens allows more\n"


@pytest.mark.parametrize(
    ("call", "code", "reason"),
    [
        ("fails(0)", 1, "fails(0) gives no value: it raised ZeroDivisionError"),
        ("endless(0)", 3, "endless(0) gives no value: a limit was hit, timeout: "),
        ("thing()", 1, "thing() gives a value of type object, which no literal can write"),
    ],
)
def test_a_program_that_gives_no_value_is_not_the_models_fault(
    predict: Predict, call: str, code: int, reason: str
) -> None:
    with replying("[ANSWER]3[/ANSWER]") as server:
        done = predict("--call", call, "--model", spec(server), "--limit-cpu", "0.2")
        document = json.loads(predict("--call", call, "--model", spec(server), "--limit-cpu", "0.2", "--json").out)
    assert done.code == code
    assert f"\nnot judged: {reason}" in done.out
    assert (document["right"], document["exit_code"]) == (None, code)


def test_the_document(predict: Predict, monologue: str) -> None:
    text = PROFILE.response(monologue.replace("`number` becomes `2`", "`number` becomes `7`"), "3")
    with replying(text) as server:
        done = predict("--call", CALL, "--model", spec(server), "--json")
    document = json.loads(done.out)
    section = re.search(r"^## predict\n(.*?)(?=^## |\Z)", DOCS.read_text(), re.M | re.S)
    assert section is not None
    documented = {key for row in re.findall(r"^\| (`.*?`) \|", section[1], re.M) for key in re.findall(r"`(\w+)`", row)}
    assert document.keys() == documented
    assert (done.code, done.err, done.out.count("\n")) == (0, "", 1)
    assert document["monologue"] in document["text"]
    first = document["first_false"]
    assert document["monologue"][first["start"] : first["end"]].startswith("Line 5")
    assert (document["right"], document["answer"], document["truth"]) == (True, "3", "3")
    assert (document["style"], document["profile"], document["direction"]) == ("forward", "semcoder", "forward")
    assert document["counts"]["false"] == 1
    assert 0 < document["true_part"] < 1
    assert document["tokens"] == {"prompt": 7, "completion": 3}


# What goes wrong


def failing(*_: object) -> Answer:
    return refused(500, "it fell over")


def test_a_server_that_fails_is_told_in_one_line(predict: Predict) -> None:
    with Scripted(failing) as server:
        done = predict("--call", CALL, "--model", spec(server))
    assert (done.code, done.out) == (2, "")
    assert re.fullmatch(r"semcoder: error: the model gave no answer: .*500.*\n", done.err)
    assert len(server.seen) == 3


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--call", CALL], "the built-in model"),  # is not there, or reads programs of one function
        ([], "give either --call"),
        (["--call", CALL, "--output", "3"], "give either --call"),
        (["--call", CALL, "--entry", "total"], "--entry goes with --output only"),
        (["--call", "nothing(1)", "--model", "openai:m"], "defines no 'nothing'"),
        (["--call", "1 +", "--model", "openai:m"], "is not a Python expression"),
        (["--output", "x", "--entry", "total", "--model", "openai:m"], "is not a literal"),
        (["--output", "3", "--model", "openai:m"], "name one with --entry"),
        (["--call", CALL, "--model", "m"], "no model 'm': write one as KIND:NAME"),
        (["--call", CALL, "--model", "hf:./nowhere"], "no folder './nowhere'"),
        (["--call", CALL, "--model", "openai:m", "--profile", "chatty"], "there is no profile 'chatty'"),
        (["--call", CALL, "--model", "openai:m", "--style", "sung"], "there is no style 'sung'"),
        (["--call", CALL, "--model", "openai:m", "--style", "backward"], "does not tell an execution forward"),
        (["--output", "3", "--entry", "total", "--model", "openai:m", "--style", "next"], "an execution backward"),
        (["--call", CALL, "--model", "openai:m", "--max-tokens", "0"], "max_tokens must be at least 1"),
        (["--call", CALL, "--model", "openai:m", "--temperature", "-1"], "temperature must be 0 or more"),
        (["--call", CALL, "--model", "openai:m@http://127.0.0.1:9/v1"], "nobody answers at"),
    ],
)
def test_wrong_requests(predict: Predict, words: list[str], message: str) -> None:
    done = predict(*words)
    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)
    assert message in done.err


# From Python


@dataclasses.dataclass
class Saying:
    """A model that says one thing."""

    text: str
    name: str = "saying"
    seen: list[Request] = dataclasses.field(default_factory=list)

    def generate(self, requests: Iterable[Request]) -> Iterator[tuple[int, Reply]]:
        for place, request in enumerate(requests):
            self.seen.append(request)
            yield place, Reply((Completion(self.text),)) if self.text else Reply(error="no words")


def test_predicting_from_python(monologue: str) -> None:
    model = Saying(PROFILE.response(monologue, f"assert {CALL} == 3"))
    came: list[str] = []
    told = semcoder.predict(SOURCE, CALL, model=model, on_text=came.append)
    assert (told.verdict.right, told.verdict.first_false, told.verdict.true_part) == (True, None, 1.0)
    assert (told.monologue, told.model, told.cut) == (monologue, "saying", False)
    assert came == [told.text]
    assert model.seen[0].text == PROFILE.prompt(PROFILE.forward(SOURCE, CALL))
    with pytest.raises(SemcoderError, match="the model gave no answer: no words"):
        semcoder.predict(SOURCE, CALL, model=Saying(""))
    with pytest.raises(UsageError, match="only one of them"):
        semcoder.predict(SOURCE, model=model)


def test_another_style_is_read_in_its_own_way() -> None:
    told = semcoder.explain(SOURCE, CALL, style="concise").text
    model = Saying(PROFILE.response(told, "3"))
    concise = semcoder.predict(SOURCE, CALL, model=model, style="concise")
    assert concise.style == "concise"
    assert concise.verdict.true_part == 1.0


# A model's own folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("torch")
    pytest.importorskip("transformers")
    from tests.tiny import tiny_model

    return tiny_model(tmp_path_factory.mktemp("model"), template=None, context=1024)


def test_a_model_that_talks_nonsense_is_wrong(predict: Predict, folder: Path) -> None:
    done = predict("--call", CALL, "--model", f"hf:{folder}", "--max-tokens", "20")
    assert done.code == 1
    assert "\nwrong: the text gives no complete answer; total([1, 2]) gives 3\n" in done.out
    assert "--max-tokens allows more" in done.err


def test_a_models_folder_says_how_it_is_asked(predict: Predict, folder: Path, tmp_path: Path) -> None:
    model = tmp_path / "model"
    model.symlink_to(folder)
    mine = dataclasses.replace(PROFILE, name="mine", before="Here: ")

    def asked(*words: str) -> tuple[str, str]:
        out = predict(*words, "--model", "hf:model", "--max-tokens", "3", "--json").out
        return json.loads(out)["profile"], json.loads(out)["style"]

    try:
        save_profile(folder, mine, "concise")
        assert asked("--call", CALL) == ("mine", "concise")
        assert asked("--output", "3", "--entry", "total") == ("mine", "backward")
        assert asked("--call", CALL, "--profile", "semcoder", "--style", "next") == ("semcoder", "next")
        (folder / "semcoder.json").write_text("{")
        done = predict("--call", CALL, "--model", "hf:model")
        assert (done.code, done.err.count("\n")) == (2, 1)
        assert "semcoder.json: cannot be read as JSON" in done.err
    finally:
        (folder / "semcoder.json").unlink()

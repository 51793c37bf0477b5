"""`nano`, the built-in model, as a model among others: what it is asked, what it answers, what it refuses."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

import semcoder
from semcoder.cli import run_command
from semcoder.errors import UsageError
from semcoder.models import Message, Request, Sampling, open_model
from semcoder.models.nano import BEYOND, FOLDER, NanoModel
from semcoder.nano.flatten import flatten
from semcoder.nano.machine import execute
from semcoder.nano.notation import EOS, IDS, VOCABULARY
from semcoder.nano.rows import ask_forward, ask_inverse, write_arguments
from semcoder.nano.telling import call_arguments
from semcoder.nano.tokenizer import save_tokenizer, vocabulary
from semcoder.prompts import load_profile

PROFILE = load_profile("nano")
SOURCE = "def f(words, sep):\n    out = []\n    for word in words:\n        out.append(word.upper())\n    return sep.join(out)\n"
CALL = "f(['a', 'b'], '-')"


class Knowing:
    """A decoder that writes true runs of the calls that it was shown, inputs that it was told, and else nonsense."""

    context = 2048

    def __init__(self) -> None:
        self.answers: dict[tuple[int, ...], list[list[str]]] = {}
        self.asked: list[tuple[int, float, int]] = []

    def shown(self, source: str, call: str) -> Knowing:
        flat = flatten(source)
        given = call_arguments(flat, call)
        self._add(ask_forward(flat, given), execute(flat, given).tokens)
        return self

    def guesses(self, source: str, output: Any, *arguments: list[Any]) -> Knowing:
        """The greedy guess first; the others are drawn by seeds in turn."""
        for given in arguments:
            self._add(ask_inverse(flatten(source), output), write_arguments(given)[:-1])
        return self

    def _add(self, prompt: list[str], answer: list[str]) -> None:
        self.answers.setdefault(tuple(IDS[token] for token in prompt), []).append(answer)

    def stream(self, prompt: Sequence[int], *, max_new: int, stop: Collection[int] = ()) -> Iterator[int]:
        assert set(stop) == {IDS[EOS]}
        (answer, *_) = self.answers.get(tuple(prompt), [["hello"]])
        yield from [IDS.get(token, len(VOCABULARY)) for token in answer][:max_new]

    def batch(
        self,
        prompts: Sequence[Sequence[int]],
        *,
        max_new: int,
        stop: Collection[int] = (),
        temperature: float = 0.0,
        seed: int = 0,
    ) -> list[list[int]]:
        self.asked.append((len(prompts), temperature, seed))
        found = []
        for place, prompt in enumerate(prompts):
            answers = self.answers.get(tuple(prompt), [["hello"]])
            answer = answers[0 if not temperature else (1 + place + seed) % len(answers)]
            found.append([IDS.get(token, len(VOCABULARY)) for token in answer][:max_new])
        return found


def asked(source: str, call: str = "", output: str = "", **how: Any) -> Request:
    instruction = PROFILE.forward(source, call) if call else PROFILE.backward(source, "f", output)
    return Request(
        text=PROFILE.prompt(instruction), sampling=Sampling(**{"max_tokens": 2000, "stop": PROFILE.stops, **how})
    )


def answer(model: NanoModel, *requests: Request) -> list[tuple[str, str]]:
    """Texts as the model ended them, and how."""
    replies = dict(model.generate(requests))
    assert sorted(replies) == list(range(len(requests)))
    assert not any(reply.error for reply in replies.values())
    first = [replies[place].completions[0] for place in sorted(replies)]
    return [(PROFILE.closed(text.text), text.finish) for text in first]


# Answers -------------------------------------------------------------------------------------------------------------


def test_a_monologue_in_our_english_and_the_completed_assert() -> None:
    ((text, finish),) = answer(NanoModel(decoder=Knowing().shown(SOURCE, CALL)), asked(SOURCE, CALL))
    explained = semcoder.explain(SOURCE, CALL, detail="expression").text
    assert text == PROFILE.response(explained, f"assert {CALL} == 'A-B'")
    assert finish == "stop"


def test_predict_asks_it_and_verify_believes_it() -> None:
    model = NanoModel(decoder=Knowing().shown(SOURCE, CALL))
    came: list[str] = []
    told = semcoder.predict(SOURCE, CALL, model=model, on_text=came.append)
    assert (told.verdict.right, told.verdict.true_part, told.profile, told.style) == (True, 1.0, "nano", "forward")
    assert "\n".join(came) == told.monologue
    assert len(came) > 5
    assert (told.told, told.happened) == ("", "")
    assert [claim for claim in semcoder.verify(SOURCE, told.monologue) if claim.verdict is not True] == []


def test_the_first_false_step_stands_beside_the_true_one() -> None:
    decoder = Knowing().shown(SOURCE, CALL)
    for answers in decoder.answers.values():
        answers[0] = " ".join(answers[0]).replace("→ 'B'", "→ 'C'").replace("'B'", "'C'").replace(" B ", " C ").split()
    told = semcoder.predict(SOURCE, CALL, model=NanoModel(decoder=decoder))
    assert (told.verdict.right, told.verdict.answer) == (False, f"assert {CALL} == 'A-C'")
    assert told.told.startswith("Line 4: `word.upper()` is `'C'`;")
    assert told.happened.startswith("Line 4: `word.upper()` is `'B'`;")


def test_lines_are_those_of_the_file_without_what_is_empty_in_front() -> None:
    model = NanoModel(decoder=Knowing().shown(SOURCE, CALL))
    told = semcoder.predict(f"\n\n{SOURCE}\n\n", CALL, model=model)
    assert told.verdict.true_part == 1.0


def test_a_call_that_raises() -> None:
    source, call = "def f(x):\n    return 1 // x\n", "f(0)"
    told = semcoder.predict(source, call, model=NanoModel(decoder=Knowing().shown(source, call)))
    assert told.monologue.endswith("The call raises `ZeroDivisionError`.")
    assert (told.verdict.answer, told.verdict.true_part) == (None, 1.0)


def test_nonsense_is_an_answer_without_words() -> None:
    ((text, finish),) = answer(NanoModel(decoder=Knowing()), asked(SOURCE, CALL))
    assert text.endswith("Line 1: `f` is called with `words` = `['a', 'b']` and `sep` = `'-'`.")
    assert finish == "stop"
    assert PROFILE.parse(text).answer is None


def test_a_text_that_is_cut_has_no_answer() -> None:
    source = "def f(x):\n    return x\n"
    decoder = Knowing().shown(source, "f(123456)")
    cut, whole = answer(
        NanoModel(decoder=decoder), asked(source, "f(123456)", max_tokens=5), asked(source, "f(123456)", max_tokens=9)
    )
    assert (PROFILE.parse(cut[0]).answer, cut[1]) == (None, "length")
    assert (PROFILE.parse(whole[0]).answer, whole[1]) == ("assert f(123456) == 123456", "stop")


def test_questions_are_answered_together_and_drawn_ones_alone() -> None:
    decoder = Knowing().shown(SOURCE, CALL)
    model = NanoModel(decoder=decoder)
    answer(model, *[asked(SOURCE, CALL)] * 5)
    answer(model, *[asked(SOURCE, CALL, temperature=0.5, seed=7, n=2)] * 2)
    assert decoder.asked == [(5, 0.0, 0), *[(1, 0.5, 7), (1, 0.5, 1_000_010)] * 2]


# Back from an output -------------------------------------------------------------------------------------------------


def test_the_first_call_that_its_own_simulation_bears_out() -> None:
    decoder = Knowing().guesses(SOURCE, "A-B", [["q"], "-"], [["x"], ""], [["a", "b"], "-"])
    for call in ("f(['q'], '-')", "f(['x'], '')", CALL):
        decoder.shown(SOURCE, call)
    told = semcoder.predict(SOURCE, output="'A-B'", model=NanoModel(decoder=decoder))
    assert (told.verdict.right, told.verdict.answer) == (True, f"assert {CALL} == 'A-B'")
    assert told.verdict.true_part == 1.0
    assert len(told.verdict.claims) > 10
    lead, rest = told.monologue.split("\n", 1)
    assert lead == "A call that should give this output, and what it does:"
    assert rest == semcoder.explain(SOURCE, CALL, detail="expression").text


def test_where_none_fits_the_first_is_the_answer() -> None:
    decoder = Knowing().guesses(SOURCE, "A-B", [["q"], "-"]).shown(SOURCE, "f(['q'], '-')")
    told = semcoder.predict(SOURCE, output="'A-B'", model=NanoModel(decoder=decoder, tries=3))
    assert told.monologue.startswith("No call was found that gives this output.")
    assert (told.verdict.right, told.verdict.answer) == (False, "assert f(['q'], '-') == 'A-B'")
    assert told.verdict.first_false is None  # what it says of the call that it proposes is true


def test_what_is_drawn_for_an_output_does_not_hang_on_the_other_questions() -> None:
    decoder = Knowing().guesses(SOURCE, "A-B", [["q"], "-"], [["x"], ""], [["a", "b"], "-"]).shown(SOURCE, CALL)
    other = asked(SOURCE, output="'C'")
    alone, *beside = (
        answer(NanoModel(decoder=decoder, tries=2), *requests)[-1]
        for requests in ([asked(SOURCE, output="'A-B'")], [other, asked(SOURCE, output="'A-B'")])
    )
    assert beside == [alone]


def test_no_call_at_all() -> None:
    told = semcoder.predict(SOURCE, output="'A-B'", model=NanoModel(decoder=Knowing()))
    assert (told.text, told.verdict.right) == ("No call was found that gives this output.", False)


# Refusals ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("request_", "reason"),
    [
        (asked("def f(x):\n    try:\n        return x\n    finally:\n        pass\n", "f(1)"), "a finally block"),
        (asked("def g(x):\n    return x\ndef f(x):\n    return g(x)\n", "f(1)"), "more than one function"),
        (asked("def f(x):\n    return x\n", "f(print)"), "arguments that are no literals"),
        (asked("def f(x):\n    return x\n", "f([0] * 3)"), "arguments that are no literals"),
        (asked("def f(x):\n    return x\n", f"f({'a' * 120!r})"), "a sequence of 100 elements or more"),
        (asked("def f(x):\n    return x\n", output="f"), "cannot be read as Python"),
        (asked("def f(x:\n", "f(1)"), "cannot be read as Python"),
        (asked("def f(x):\n    break\n", "f(1)"), "cannot be read as Python"),
        (asked("def f(x, x):\n    return x\n", "f(1)"), "cannot be read as Python"),
        (asked("def f(x):\n    a, *b, *c = x\n    return a\n", "f([1])"), "cannot be read as Python"),
        (asked("def f(x):\n    return sorted(key=len)\n", "f([1])"), "a key for several arguments, or none"),
        (Request(text=load_profile().prompt(load_profile().forward(SOURCE, CALL))), "the profile nano alone"),
        (Request((Message("user", "What is 1 + 1?"),)), "the profile nano alone"),
        (Request(text="[PYTHON]\nassert f(1) == 2\n[/PYTHON]"), "the profile nano alone"),
    ],
)
def test_what_is_beyond_it_is_said_in_one_line(request_: Request, reason: str) -> None:
    ((text, finish),) = answer(NanoModel(decoder=Knowing()), request_)
    assert text.startswith(f"{BEYOND}: ")
    assert reason in text
    assert "\n" not in text
    assert finish == "refused"


def test_a_model_of_a_small_context_refuses_what_does_not_fit_and_cuts_where_it_ends() -> None:
    source = "def f(x):\n    return x\n"
    decoder = Knowing().shown(source, "f(123456)")
    prompt = len(ask_forward(flatten(source), [123456]))
    decoder.context = prompt
    ((text, finish),) = answer(NanoModel(decoder=decoder), asked(source, "f(123456)"))
    assert (text, finish) == (f"{BEYOND}: the program and what is asked of it are too long", "refused")
    decoder.context = prompt + 5
    ((text, finish),) = answer(NanoModel(decoder=decoder), asked(source, "f(123456)"))
    assert (PROFILE.parse(text).answer, finish) == (None, "length")


def test_a_refusal_is_an_error_where_somebody_waits_and_a_wrong_answer_where_it_is_counted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    source = "def f(x):\n    with x:\n        return 1\n"
    model = NanoModel(decoder=Knowing())
    with pytest.raises(UsageError, match=r"^beyond the built-in model: a with statement$"):
        semcoder.predict(source, "f(1)", model=model)
    rows = [
        {"id": "sample_0", "code": source.strip(), "input": "1", "output": "1"},
        {"id": "sample_1", "code": "def f(x):\n    return x", "input": "5", "output": "5"},
    ]
    (tmp_path / "tasks.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    decoder = Knowing().shown("def f(x):\n    return x", "f(5)")
    monkeypatch.setattr("semcoder.models.nano._check_there", lambda *_: None)
    monkeypatch.setattr(NanoModel, "_decoding", lambda self: decoder)
    words = ["--data", str(tmp_path / "tasks.jsonl"), "--temperature", "0", "--out", str(tmp_path / "out")]
    code = run_command(["eval", "--model", "nano", "--benchmark", "cruxeval-o", *words, "--json"])
    (row,) = map(json.loads, capsys.readouterr().out.splitlines())
    assert (code, row["n"], row["pass@1"], row["unjudged"]) == (0, 2, 50.0, 0)
    kept = [json.loads(line) for line in (tmp_path / "out" / "cruxeval-o" / "generations.jsonl").open()]
    assert kept[0]["text"] == "beyond the built-in model: a with statement"


def test_a_folder_without_weights(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    pytest.importorskip("torch")
    with pytest.raises(UsageError, match=r"no model in '/no/such': write nano alone, or nano:PATH of a folder"):
        open_model("nano:/no/such")
    monkeypatch.setattr("semcoder.models.nano.FOLDER", tmp_path)
    with pytest.raises(UsageError, match="the built-in model is not in this installation"):
        open_model("nano")
    assert FOLDER.parts[-2:] == ("assets", "nano")


# With weights --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A network of random weights, as training would save it."""
    torch = pytest.importorskip("torch")
    from semcoder.nano.network import Network, Shape, save

    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("weights")
    network = Network(Shape(vocab=len(vocabulary()), width=32, layers=2, heads=2, ffn=64, context=2048))
    save(network, folder)
    save_tokenizer(folder)
    return folder


def test_random_weights_talk_nonsense_the_same_each_time(folder: Path) -> None:
    requests = [asked(SOURCE, CALL, max_tokens=30), asked(SOURCE, output="'A-B'"), asked(SOURCE, CALL, max_tokens=30)]
    first, again = (answer(NanoModel(str(folder), tries=2), *requests) for _ in range(2))
    assert first == again
    assert first[0] == first[2]
    assert first[0][0].startswith(f"The call is `{CALL}`.\nLine 1: ")


def test_what_is_streamed_is_what_is_generated(folder: Path) -> None:
    model = NanoModel(str(folder))
    request = asked(SOURCE, CALL, max_tokens=40)
    came: list[str] = []
    streamed = model.stream(request, came.append)
    ((_, generated),) = model.generate([request])
    assert streamed == generated
    assert "\n".join(came) == generated.completions[0].text
    assert streamed.completion_tokens > 0


def test_the_tokenizer_that_others_read(folder: Path) -> None:
    transformers = pytest.importorskip("transformers")
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    words = [word for word in VOCABULARY if word != "<pad>"]
    ids = [IDS[word] for word in words]
    assert tokenizer.encode(" ".join(words)) == ids
    assert tokenizer.decode(ids) == " ".join(words)
    assert len(tokenizer) == len(vocabulary()) == len(tokenizer) // 64 * 64
    assert [tokenizer.pad_token, tokenizer.eos_token, tokenizer.bos_token] == ["<pad>", "<eos>", "<bos>"]
    assert [tokenizer.pad_token_id, tokenizer.eos_token_id] == [0, 1]
    assert tokenizer.convert_tokens_to_ids("no such word") == tokenizer.pad_token_id

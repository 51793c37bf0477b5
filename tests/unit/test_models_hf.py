"""Models run here: batches equal single requests, seeds, stop strings, bounds, templates, and what cannot be loaded."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from semcoder.errors import MissingExtra, UsageError
from semcoder.models import Message, Reply, Request, Sampling, identity, open_model
from semcoder.models._engine import Engine, _nucleus, headed
from tests.tiny import tiny_model


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_model(tmp_path_factory.mktemp("chat"), context=128)


@pytest.fixture(scope="module")
def model(folder: Path) -> Any:
    return open_model(f"hf:{folder}", batch_size=4)


def ask(text: str, **how: Any) -> Request:
    return Request((Message("user", text),), sampling=Sampling(**{"max_tokens": 12, **how}))


def go_on(text: str, **how: Any) -> Request:
    return Request(text=text, sampling=Sampling(**{"max_tokens": 12, **how}))


def texts(model: Any, *requests: Request) -> list[list[str]]:
    found = dict(model.generate(requests))
    assert not [reply.error for reply in found.values() if reply.error]
    return [[one.text for one in found[place].completions] for place in range(len(requests))]


def test_a_batch_gives_what_single_requests_give(model: Any, folder: Path) -> None:
    requests = [
        ask("a"),
        ask("a much longer question than the others", max_tokens=3),
        go_on("def f(x):"),
        ask("b", temperature=1.0, seed=1, n=3),
        ask("b", temperature=0.5, top_p=0.5, seed=2),
        ask("c", stop=("e", "\n")),
    ]
    alone = open_model(f"hf:{folder}", batch_size=1)
    assert texts(model, *requests) == [texts(alone, request)[0] for request in requests]


def test_greedy_is_what_the_library_gives(model: Any) -> None:
    import torch

    (found,) = texts(model, go_on("for item in"))
    engine: Engine = model._engine
    ids = engine.tokenizer("for item in", return_tensors="pt")
    with torch.inference_mode():
        out = engine.model.generate(**ids, max_new_tokens=12, do_sample=False)
    assert found == [engine.tokenizer.decode(out[0, ids["input_ids"].shape[1] :], skip_special_tokens=True)]


def test_seeds(model: Any) -> None:
    how: dict[str, Any] = {"temperature": 1.0, "n": 2}
    first, again, other = texts(model, ask("x", seed=1, **how), ask("x", seed=1, **how), ask("x", seed=2, **how))
    assert first == again
    assert len({*first, *other}) == 4
    assert texts(model, ask("x", seed=1, temperature=1.0)) == [first[:1]]
    unseeded = texts(model, ask("x", **how), ask("x", **how))
    assert unseeded[0] != unseeded[1]


def test_draws_follow_the_models_probabilities(folder: Path) -> None:
    import torch

    engine = Engine(str(folder))
    prompt = engine.prompt(go_on("n"), {})
    assert isinstance(prompt, tuple)
    how = Sampling(max_tokens=1, temperature=2.0, top_p=0.6, seed=0)
    drawn: Counter[str] = Counter()
    for start in range(0, 2000, 200):
        rows = [engine.row(prompt, how, number) for number in range(start, start + 200)]
        drawn.update(one.completion.text for one in engine.draw(rows))
    with torch.inference_mode():
        scores = engine.model(input_ids=torch.tensor([prompt])).logits[0, -1]
    expected = _nucleus(scores / 2.0, 0.6).softmax(-1)
    wanted: Counter[str] = Counter()
    for token in expected.nonzero().flatten().tolist():
        wanted[engine.tokenizer.decode([token], skip_special_tokens=True)] += expected[token].item()
    assert len(wanted) > 5
    assert set(drawn) <= set(wanted)
    assert 0.5 * sum(abs(drawn[text] / 2000 - wanted[text]) for text in wanted) < 0.1


def test_nucleus() -> None:
    import torch

    scores = torch.tensor([0.1, 0.5, 0.15, 0.25]).log()
    assert _nucleus(scores, 0.5).isinf().tolist() == [True, False, True, True]
    assert _nucleus(scores, 0.51).isinf().tolist() == [True, False, True, False]
    assert _nucleus(scores, 0.95).isinf().tolist() == [False, False, False, False]


def test_bounds_and_stop_strings(model: Any) -> None:
    whole = texts(model, go_on("for item in", max_tokens=30))[0][0]
    mark = whole[5:8]
    reply = one(model, go_on("for item in", max_tokens=30, stop=("never there", mark)))
    assert reply.completions[0].text == whole[: whole.index(mark)]
    assert reply.completions[0].finish == "stop"
    assert reply.completion_tokens < 30
    reply = one(model, go_on("for item in", max_tokens=4))
    assert whole.startswith(reply.completions[0].text)
    assert reply.completions[0].finish == "length"
    assert reply.completion_tokens == 4


def one(model: Any, request: Request) -> Reply:
    ((place, reply),) = model.generate([request])
    assert place == 0
    return reply  # type: ignore[no-any-return]


def test_a_text_that_the_model_ends(model: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    texts(model, go_on("x"))
    engine: Engine = model._engine
    prompt = engine.tokenizer("for item in", return_tensors="pt")
    with torch.inference_mode():
        ids = engine.model.generate(**prompt, max_new_tokens=12)[0, prompt["input_ids"].shape[1] :].tolist()
    place = next(place for place in range(3, 12) if ids[place] not in ids[:place])
    monkeypatch.setattr(engine, "ends", [ids[place]])
    ended, neighbour = dict(model.generate([go_on("for item in"), go_on("a longer text, ended elsewhere")])).values()
    assert ended.completions[0].text == engine.tokenizer.decode(ids[:place])
    assert ended.completions[0].finish == "stop"
    assert ended.completion_tokens == place + 1
    assert neighbour.completion_tokens > 0
    monkeypatch.setattr(engine, "ends", ids[:1])
    assert one(model, go_on("for item in")).error == "the model gave no text"


def test_prompts_that_are_too_long(model: Any) -> None:
    reply = one(model, ask("many words " * 100))
    assert "and the model takes 128" in reply.error
    # What room there is, is used.
    reply = one(model, ask("x " * 40, max_tokens=500))
    assert reply.prompt_tokens + reply.completion_tokens == 128
    assert reply.completions[0].finish == "length"


def test_conversations_with_and_without_a_template(folder: Path, tmp_path: Path) -> None:
    talk = (Message("system", "s"), Message("user", "u"))
    going_on = (*talk, Message("assistant", "It is"))
    assert headed(talk) == "System: s\n\nUser: u\n\nAssistant:"
    assert headed(going_on) == "System: s\n\nUser: u\n\nAssistant: It is"
    engine = Engine(str(folder))
    prompt = engine.prompt(Request(talk), {})
    assert engine.tokenizer.decode(prompt) == "<system>s\n<user>u\n<assistant>"
    prompt = engine.prompt(Request(going_on), {})
    assert engine.tokenizer.decode(prompt) == "<system>s\n<user>u\n<assistant>It is"
    plain = Engine(str(tiny_model(tmp_path / "plain", template=None)))
    assert plain.tokenizer.decode(plain.prompt(Request(talk), {})) == headed(talk)


def test_templates_that_take_no_system_message_or_nothing_at_all(folder: Path) -> None:
    engine = Engine(str(folder))
    engine.tokenizer.chat_template = (
        "{% for m in messages %}{% if m.role == 'system' %}{{ raise_exception('no system') }}{% endif %}"
        "[{{ m.content }}{{ mood }}]{% endfor %}"
    )
    prompt = engine.prompt(Request((Message("system", "s"), Message("user", "u"))), {"mood": "!"})
    assert engine.tokenizer.decode(prompt) == "[s\n\nu!]"
    assert "takes no such conversation" in str(engine.prompt(Request((Message("system", "s"),)), {}))
    engine.tokenizer.chat_template = "{{ ''.__class__.__mro__[1].__subclasses__() }}"
    assert "takes no such conversation" in str(engine.prompt(Request((Message("user", "u"),)), {}))


def test_a_batch_that_does_not_fit_is_halved(model: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    requests = [ask(text) for text in "abcd"]
    expected = texts(model, *requests)
    draw = model._engine._draw

    def small(rows: Any) -> Any:
        if len(rows) > limit:
            raise torch.cuda.OutOfMemoryError
        return draw(rows)

    monkeypatch.setattr(model._engine, "_draw", small)
    limit = 1
    assert texts(model, *requests) == expected
    limit = 0
    assert "too little memory" in one(model, ask("a")).error


def test_a_model_that_fails_gives_errors(model: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    texts(model, ask("a"))

    def broken(**_: Any) -> None:
        raise RuntimeError("device-side\nassert")

    monkeypatch.setattr(model._engine.model, "generate", broken)
    found = dict(model.generate([ask("a"), ask("b")]))
    assert [reply.error for reply in found.values()] == ["the model failed: device-side assert"] * 2


def test_identity_follows_the_folders_files(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    before = identity(open_model(f"hf:{tmp_path}"))
    assert before == identity(open_model(f"hf:{tmp_path}", batch_size=3))
    assert before != identity(open_model(f"hf:{tmp_path}", dtype="float16"))
    (tmp_path / "config.json").write_text("{ }")
    assert before != identity(open_model(f"hf:{tmp_path}"))


@pytest.mark.parametrize("damage", ["nothing there", "no weights", "weights cut off", "config no JSON"])
def test_a_folder_that_holds_no_model(damage: str, folder: Path, tmp_path: Path) -> None:
    if damage != "nothing there":
        for file in folder.iterdir():
            (tmp_path / file.name).write_bytes(file.read_bytes())
    if damage == "no weights":
        (tmp_path / "model.safetensors").unlink()
    if damage == "weights cut off":
        (tmp_path / "model.safetensors").write_bytes((folder / "model.safetensors").read_bytes()[:1000])
    if damage == "config no JSON":
        (tmp_path / "config.json").write_text("{")
    model = open_model(f"hf:{tmp_path}")
    with pytest.raises(UsageError, match="cannot be loaded"):
        list(model.generate([ask("a")]))


@pytest.mark.parametrize("package", ["torch", "transformers"])
def test_without_the_packages(package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingExtra, match=rf"{package} is not installed; run: pip install 'semcoder\[model\]'"):
        open_model("hf:some/name")


@pytest.mark.parametrize("options", [{"batch_size": 0}, {"dtype": "int3"}, {"dtype": "nn"}])
def test_options_that_mean_nothing(options: dict[str, Any], folder: Path) -> None:
    with pytest.raises(UsageError, match=r"batch_size|no type"):
        list(open_model(f"hf:{folder}", **options).generate([ask("a")]))

"""Reinforcement learning with execution as the reward, on models of seconds.

The models know a right and a wrong reply to one question each, and say both as often; what is right they learn here.
"""

from __future__ import annotations

import ast
import importlib.util
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("trl")

from safetensors.torch import load_file  # noqa: E402

from semcoder.core import Invocation, Program, Sample, content_id, dump  # noqa: E402
from semcoder.errors import InputError, SemcoderError, UsageError  # noqa: E402
from semcoder.judging import Question  # noqa: E402
from semcoder.monologue import style, tell  # noqa: E402
from semcoder.prompts import load_profile, save_profile, saved_profile  # noqa: E402
from semcoder.tracing import trace_here  # noqa: E402
from semcoder.training import load_recipe, train  # noqa: E402
from semcoder.training.folder import RunFolder, TrainingStopped  # noqa: E402
from semcoder.training.grpo import figures, split, train_grpo  # noqa: E402
from semcoder.training.packing import padded_batch  # noqa: E402
from semcoder.training.recipe import Data, Grpo, Lora, NewModel, Recipe, Start  # noqa: E402
from semcoder.training.rewards import Reward, Rewards  # noqa: E402
from semcoder.training.rows import Example  # noqa: E402
from semcoder.training.start import model_of, new_tokenizer  # noqa: E402
from semcoder.training.tokens import encode  # noqa: E402

PROFILE = load_profile("semcoder")
SOURCE = "def f(a):\n    b = a * 3\n    return b\n"
CALL = "f(2)"
TRACE = trace_here(SOURCE, Invocation(CALL))
TOLD = tell(style("concise"), TRACE).text
RIGHT = PROFILE.response("", "assert f(2) == 6")
WRONG = PROFILE.response("", "assert f(2) == 5")
TRUE_STEPS = PROFILE.response(TOLD, "assert f(2) == 6")
FALSE_STEPS = PROFILE.response(TOLD.replace("b=6", "b=7"), "assert f(2) == 6")


def row(source: str, call: str, output: str) -> Sample:
    prompt = PROFILE.forward(source, call)
    return Sample(
        id=content_id(prompt), fwd_mnl=prompt, response="unused", task="forward", program=Program(source, "f"),
        call=call, output=output,
    )  # fmt: skip


def rows_of(folder: Path, rows: Sequence[Sample]) -> Path:
    path = folder / "rows.jsonl"
    path.write_text("".join(json.dumps(dump(one)) + "\n" for one in rows), encoding="utf-8")
    return path


def taught(folder: Path, replies: Sequence[str], steps: int = 200) -> Path:
    """A model that answers the question with each of the replies, as often."""
    prompt = PROFILE.prompt(PROFILE.forward(SOURCE, CALL))
    start = Start(new=NewModel(layers=1, hidden=64, heads=2, vocabulary=320, context=256))
    tokenizer = new_tokenizer([prompt, *replies], 320, 256)
    model = model_of(start, tokenizer, 0)
    rows = [Example(PROFILE.forward(SOURCE, CALL), reply, "forward", "") for reply in replies]
    encoded, _ = encode(rows, tokenizer, PROFILE, 256, "drop")
    batch = padded_batch(encoded, tokenizer.pad_token_id)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2, weight_decay=0.0)
    for step in range(steps):
        optimizer.param_groups[0]["lr"] = 1e-2 * (1 - step / steps)
        loss = model(**batch).loss
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    save_profile(folder, PROFILE, "concise")
    return folder


@pytest.fixture(scope="module")
def answering(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return taught(tmp_path_factory.mktemp("answering"), [RIGHT, WRONG])


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return rows_of(tmp_path_factory.mktemp("rows"), [row(SOURCE, CALL, "6")])


def recipe_for(base: Path, rows: Path, grpo: Grpo | None = None, told: str = "direct", **fields: Any) -> Recipe:
    known: dict[str, Any] = {
        "kind": "grpo",
        "model": Start(base=str(base)),
        "data": (Data(str(rows), style=told),),
        "max_length": 200,
        "per_device": 64,
        "learning_rate": 2e-3,
        "final_learning_rate": 2e-3,
        "schedule": "constant",
        "checkpoint_every": 2,
        "grpo": grpo or Grpo(steps=4, prompts_per_step=2, generations=8, max_new_tokens=24),
    }
    return Recipe(**(known | fields))


def weights(folder: Path) -> dict[str, Any]:
    return dict(load_file(folder / "model.safetensors"))


def steps_of(out: Path) -> list[dict[str, Any]]:
    return [one for one in RunFolder(out).rows() if "loss" in one]


# What is learned ------------------------------------------------------------------------------------------------------


def test_of_a_right_and_a_wrong_answer_the_right_one_is_learned(answering: Path, rows: Path, tmp_path: Path) -> None:
    grpo = Grpo(steps=12, prompts_per_step=8, generations=8, max_new_tokens=24)
    manifest = train_grpo(recipe_for(answering, rows, grpo), tmp_path / "out")
    found = [one["reward/answer"] for one in steps_of(tmp_path / "out")]
    assert found[0] < 0.7
    assert found[-1] > 0.8
    assert manifest["figures"]["reward/answer_last"] > manifest["figures"]["reward/answer_first"]


@pytest.mark.slow
def test_of_a_true_and_a_false_telling_the_true_one_is_learned(rows: Path, tmp_path: Path) -> None:
    base = taught(tmp_path / "base", [TRUE_STEPS, FALSE_STEPS])
    grpo = Grpo(steps=10, prompts_per_step=8, generations=8, max_new_tokens=90)
    rate = {"learning_rate": 3e-4, "final_learning_rate": 3e-4}
    train_grpo(recipe_for(base, rows, grpo, "concise", **rate), tmp_path / "out")
    found = [one["reward/steps"] for one in steps_of(tmp_path / "out")]
    assert min(found[-3:]) > found[0] + 0.05


@pytest.mark.slow
def test_the_smoke_recipes_reward_rises_and_is_execution_s(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    train(load_recipe("grpo-smoke-start"), tmp_path / "start")
    judged: list[tuple[Question, str, Reward]] = []
    of = Rewards.of

    def noted(self: Rewards, places: Sequence[int], texts: Sequence[str]) -> list[Reward]:
        found = of(self, places, texts)
        judged.extend(zip((self.questions[place].question for place in places), texts, found, strict=True))
        return found

    monkeypatch.setattr(Rewards, "of", noted)
    recipe = load_recipe("grpo-smoke", [f"model.base={tmp_path / 'start'}"])
    manifest = train(recipe, tmp_path / "out")

    rewards = [one["reward"] for one in steps_of(tmp_path / "out")]
    assert len(rewards) == 20
    assert sum(rewards[-5:]) > 1.05 * sum(rewards[:5])
    assert manifest["figures"]["held_out_reward_last"] > manifest["figures"]["held_out_reward_first"]
    assert len(judged) > 2 * 20 * 128
    assert {reward.answer for _, _, reward in judged} == {0.0, 1.0}
    for question, text, reward in judged:
        assert reward.answer == (said_by(text, question.call) == value_of(question)), text
        assert reward.steps is not None
        assert "[MONOLOGUE]" in text or reward.steps == 0


def value_of(question: Question) -> object:
    """What a call of a program of our own gives, run here."""
    space: dict[str, Any] = {}
    exec(question.source, space)
    return eval(question.call, space)


def said_by(text: str, call: str) -> object:
    """What a text of the tiny model says that a call gives; the text itself where it says nothing about it."""
    answer = text.partition("[ANSWER]")[2].partition("[/ANSWER]")
    before, _, value = answer[0].partition(" == ")
    try:
        if answer[1] and (not value or ast.unparse(ast.parse(before)) == ast.unparse(ast.parse(f"assert {call}"))):
            return ast.literal_eval(value or before)
    except (SyntaxError, ValueError):
        pass
    return text


def test_what_could_not_be_judged_moves_nothing(
    answering: Path, rows: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Rewards, "of", lambda self, places, texts: [Reward(None, None)] * len(texts))
    train_grpo(recipe_for(answering, rows), tmp_path / "out")
    before, after = weights(answering), weights(tmp_path / "out")
    assert before.keys() == after.keys()
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert all("reward" not in one for one in steps_of(tmp_path / "out"))


# Runs -----------------------------------------------------------------------------------------------------------------


class _Killed(Exception):
    pass


@pytest.mark.slow
def test_a_run_that_was_stopped_ends_as_if_it_had_not_been(answering: Path, rows: Path, tmp_path: Path) -> None:
    recipe = recipe_for(answering, rows, evaluate_every=1, held_out=0.0)
    told: list[int] = []

    def note(_model: Any, _tokenizer: Any, step: int) -> dict[str, float]:
        told.append(step)
        return {"noted": step}

    def kill(_model: Any, _tokenizer: Any, step: int) -> dict[str, float]:
        if step == 4:
            raise _Killed
        return {"noted": step}

    train_grpo(recipe, tmp_path / "whole", evaluate=note)
    with pytest.raises(_Killed):
        train_grpo(recipe, tmp_path / "stopped", evaluate=kill)
    assert not (tmp_path / "stopped" / "manifest.json").exists()
    train_grpo(recipe, tmp_path / "stopped", evaluate=note)
    assert told == [1, 2, 3, 4, 3, 4]
    one, other = weights(tmp_path / "whole"), weights(tmp_path / "stopped")
    assert all(torch.equal(one[name], other[name]) for name in one)
    timeless = [
        [{name: value for name, value in step.items() if name != "seconds"} for step in steps_of(tmp_path / out)]
        for out in ("whole", "stopped")
    ]
    assert timeless[0] == timeless[1]
    assert [step["step"] for step in timeless[0]] == [1, 2, 3, 4]


def test_the_result_is_an_ordinary_folder(answering: Path, rows: Path, tmp_path: Path) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    out = tmp_path / "out"
    grpo = Grpo(steps=1, prompts_per_step=1, generations=2, max_new_tokens=24, kl=0.1)
    recipe = recipe_for(answering, rows, grpo, checkpoint_every=1)
    said: list[str] = []
    manifest = train_grpo(recipe, out, progress=said.append)
    model = AutoModelForCausalLM.from_pretrained(out)
    assert AutoTokenizer.from_pretrained(out).eos_token_id == model.config.eos_token_id
    assert saved_profile(out) == (PROFILE, "concise")
    assert json.loads((out / "manifest.json").read_text()) == manifest
    assert (manifest["kind"], manifest["recipe"]["kind"]) == ("training", "grpo")
    assert manifest["counts"]["taught"] == 1
    assert manifest["counts"]["texts_per_step"] == 2
    assert "trl" in manifest["versions"]
    (logged,) = steps_of(out)
    assert {"step", "reward", "reward/answer", "reward/steps", "kl", "length", "entropy"} <= logged.keys()
    assert "A model trained" in (out / "README.md").read_text()
    assert any("reward" in line for line in said)
    assert not list(out.glob("*.tmp"))
    assert train_grpo(recipe, out) == manifest
    with pytest.raises(UsageError, match=r"differs in: grpo"):
        train_grpo(recipe_for(answering, rows, Grpo(steps=2), checkpoint_every=1), out)


def test_adapters_are_merged_into_the_result(answering: Path, rows: Path, tmp_path: Path) -> None:
    grpo = Grpo(steps=2, prompts_per_step=2, generations=8, max_new_tokens=24, kl=0.01)
    train_grpo(recipe_for(answering, rows, grpo, lora=Lora(rank=4)), tmp_path / "out")
    before, after = weights(answering), weights(tmp_path / "out")
    assert before.keys() == after.keys()
    assert any(not torch.equal(before[name], after[name]) for name in before)
    assert [path.name for path in (tmp_path / "out" / "adapter").glob("*.safetensors")] == ["adapter_model.safetensors"]
    assert not (tmp_path / "out" / "adapter" / "ref").exists()


def test_held_out_programs_are_asked_at_both_ends(answering: Path, tmp_path: Path) -> None:
    programs = [row(SOURCE.replace("3", str(number)), CALL, str(2 * number)) for number in range(3, 9)]
    known = rows_of(tmp_path, programs)
    grpo = Grpo(steps=2, prompts_per_step=2, generations=4, max_new_tokens=24)
    manifest = train_grpo(recipe_for(answering, known, grpo, held_out=0.4), tmp_path / "out")
    lines = [one for one in RunFolder(tmp_path / "out").rows() if "held_out_reward" in one]
    assert [one["step"] for one in lines] == [0, 2]
    assert manifest["counts"]["taught"] + manifest["counts"]["held_out"] == 6
    assert manifest["counts"]["held_out"] > 0
    assert {"held_out_reward_first", "held_out_reward_last"} <= manifest["figures"].keys()


def test_a_conversation_is_asked_through_its_template(rows: Path, tmp_path: Path) -> None:
    from tests.tiny import tiny_model

    base = tiny_model(tmp_path / "base", context=1024)
    grpo = Grpo(steps=1, prompts_per_step=1, generations=2, max_new_tokens=60)
    manifest = train_grpo(recipe_for(base, rows, grpo, profile="chat", max_length=1000), tmp_path / "out")
    assert manifest["figures"]["reward_first"] == 0.0
    saved = saved_profile(tmp_path / "out")
    assert saved is not None
    assert saved[0].name == "chat"


# What is refused ------------------------------------------------------------------------------------------------------


def test_what_cannot_be_learned_is_refused_in_one_line(answering: Path, rows: Path, tmp_path: Path) -> None:
    cases: list[tuple[Recipe, type[SemcoderError], str]] = [
        (recipe_for(answering, rows, model=Start()), UsageError, "model.base: reinforcement learning starts from"),
        (recipe_for(answering, rows, profile="chat"), UsageError, "taught in the wording of the profile 'semcoder'"),
        (
            recipe_for(answering, rows, max_length=30),
            InputError,
            "no questions to train on are left .1 prompt too long",
        ),
        (recipe_for(answering, rows, held_out=0.999999), InputError, "all held out"),
        (recipe_for(tmp_path / "none", rows), UsageError, "no model at .*; train it first"),
    ]
    for number, (recipe, kind, message) in enumerate(cases):
        with pytest.raises(kind, match=message) as caught:
            train_grpo(recipe, tmp_path / str(number))
        assert "\n" not in str(caught.value)


@pytest.mark.skipif(importlib.util.find_spec("vllm") is not None, reason="vllm is installed")
def test_sampling_by_what_is_not_installed_is_refused(answering: Path, rows: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"pip install vllm, or set grpo\.vllm=false"):
        train_grpo(recipe_for(answering, rows, Grpo(vllm=True)), tmp_path / "out")


def test_weights_that_are_no_numbers_end_the_run(answering: Path, rows: Path, tmp_path: Path) -> None:
    def spoil(model: Any, _tokenizer: Any, step: int) -> dict[str, float]:
        if step == 3:
            model.get_input_embeddings().weight.data.fill_(float("nan"))
        return {}

    with pytest.raises(TrainingStopped, match=r"step 4: no text could be sampled; .*checkpoint-2 is the last good"):
        train_grpo(recipe_for(answering, rows, evaluate_every=1), tmp_path / "out", evaluate=spoil)
    assert not (tmp_path / "out" / "manifest.json").exists()


def test_texts_are_divided_evenly() -> None:
    recipe = Recipe(per_device=16, grpo=Grpo(prompts_per_step=6, generations=8))
    assert split(recipe, 1) == (16, 3)
    assert split(recipe, 2) == (12, 2)
    assert split(Recipe(per_device=5, grpo=Grpo(prompts_per_step=6, generations=8)), 1) == (4, 12)
    with pytest.raises(UsageError, match="cannot be divided evenly among 5 processes"):
        split(recipe, 5)


def test_figures_of_both_ends() -> None:
    rows = [{"step": 0, "held_out_reward": 0.1}]
    rows += [{"step": step, "reward": step / 10} for step in range(1, 11)]
    rows += [{"step": 10, "held_out_reward": 0.4}]
    assert figures(rows) == {
        "reward_first": pytest.approx(0.15), "reward_last": pytest.approx(0.95),
        "held_out_reward_first": 0.1, "held_out_reward_last": 0.4,
    }  # fmt: skip
    assert figures([]) == {}

"""Recipes of kind nano: what they ask of writers and trainer, what they refuse, and how a run ends."""

from __future__ import annotations

import importlib.resources
import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")

from semcoder.cli import run_command
from semcoder.errors import InputError, SemcoderError
from semcoder.models.nano import NanoModel
from semcoder.nano import stream
from semcoder.nano import training as trainer
from semcoder.nano.network import Network, Shape, load, save
from semcoder.nano.notation import VOCABULARY
from semcoder.nano.shards import write_shard
from semcoder.training import load_recipe, train
from semcoder.training import nano as room
from semcoder.training.folder import TrainingStopped
from semcoder.training.nano import card, trainer_command, writers_command
from semcoder.training.recipe import Recipe, differences

RECIPES = ("nano", "nano-cpu", "nano-smoke")


def trained_as(recipe: Recipe, folder: Path) -> trainer.Training:
    module, *words = trainer_command(recipe, folder)
    assert module == "semcoder.nano.training"
    return trainer.parsed(words)


# -- recipes


def test_the_recipe_is_that_of_the_weights_in_the_package(tmp_path: Path) -> None:
    asset = importlib.resources.files("semcoder.assets") / "nano"
    done = json.loads((asset / "training.json").read_text())
    how = trained_as(load_recipe("nano"), tmp_path)
    asked = {name: list(value) if isinstance(value, tuple) else value for name, value in vars(how).items()}
    paths = {"data", "out"}
    assert {name: value for name, value in asked.items() if name not in paths} == {
        name: value for name, value in done["config"].items() if name not in paths
    }
    assert how.shape.parameters == done["parameters"] < 16_000_000
    config = json.loads((asset / "config.json").read_text())
    assert (config["num_hidden_layers"], config["hidden_size"], config["vocab_size"]) == (10, 384, how.shape.vocab)


@pytest.mark.parametrize("name", RECIPES)
def test_every_field_reaches_its_command(name: str, tmp_path: Path) -> None:
    nano = load_recipe(name).nano
    fields = ["muon_lr=0.5", "adam_lr=0.25", "decay=0.125", "warmup=3", "among=77", "context=384", "rows=6"]
    sizes = ["layers=3", "width=48", "heads=4", "feed_forward=80", "save_every=7"]
    given = [f"nano.{field}" for field in (*fields, *sizes, "answers=scratchpad", "inverse=0.75", "shards=9")]
    recipe = load_recipe(name, [*given, "seed=5", "log_every=11", "workers=3"])
    how = trained_as(recipe, tmp_path)
    assert (how.muon_lr, how.adam_lr, how.decay, how.warmup, how.among) == (0.5, 0.25, 0.125, 3, 77)
    assert (how.length, how.rows, how.seed, how.log_every, how.save_every) == (384, 6, 5, 11, 7)
    assert how.shape == Shape.padded(len(VOCABULARY), width=48, layers=3, heads=4, ffn=80, context=384)
    assert (how.steps or 0, how.seconds or 0) == (nano.steps, nano.seconds)
    assert not how.resume
    module, *words = writers_command(recipe, tmp_path)
    made = stream.parsed(words)
    assert module == "semcoder.nano.stream"
    assert (made.kind, made.inverse, made.shards, made.processes) == ("scratchpad", 0.75, 9, 3)
    assert made.out == how.data
    assert made.first == 0
    assert made.screen == []


def test_what_is_screened_and_what_is_gone_on_from(tmp_path: Path) -> None:
    recipe = load_recipe("nano", ["nano.screen=[a.jsonl, b]"])
    assert stream.parsed(writers_command(recipe, tmp_path)[1:]).screen == ["a.jsonl", "b"]
    (tmp_path / "checkpoint.pt").touch()
    assert trained_as(recipe, tmp_path).resume


def test_the_small_ones_are_small(tmp_path: Path) -> None:
    assert trained_as(load_recipe("nano-cpu"), tmp_path).shape.parameters == pytest.approx(3.3e6, rel=0.01)
    assert trained_as(load_recipe("nano-smoke"), tmp_path).shape.parameters < 200_000


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("nano.steps=10", "nano.seconds, nano.steps: a run has an end, so give one of them"),
        ("nano.seconds=0", "give one of them"),
        ("nano.width=390", "nano.width: must be a multiple of twice the heads"),
        ("nano.ready=2000", "nano.ready: must not be above shards"),
        ("nano.ready=0", "nano.nano.ready: must be at least 1, not 0"),
        ("nano.rows=0", "nano.nano.rows: must be at least 1, not 0"),
        ("nano.feed_forward=0", "nano.feed_forward: must be at least 1"),
        ("nano.inverse=1.5", "nano.inverse: must be a share of at most 1"),
        ("nano.decay=2", "nano.decay: must be a share of at most 1"),
        ("nano.answers=song", "'song' is not one of monologue"),
        ("nano.color=red", "nano.nano: unknown field 'color'"),
        ("learning_rate=1", "nano.learning_rate: a recipe of kind nano has no such field"),
        ("data=[{rows: x}]", "nano.data: a recipe of kind nano has no such field"),
    ],
)
def test_a_senseless_setting_is_named(setting: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        load_recipe("nano", [setting])


def test_other_kinds_do_not_know_of_it() -> None:
    """A run that began before there was this kind goes on, and has the hash that it had."""
    recipe = load_recipe("smoke")
    old = {name: value for name, value in recipe.document().items() if name != "nano"}
    assert differences(old, recipe) == differences(recipe.document(), recipe) == []
    assert not any(name.startswith("nano") for name in recipe.content())


def test_what_makes_another_run() -> None:
    recipe = load_recipe("nano")
    other = load_recipe("nano", ["nano.layers=4", "nano.save_every=9", "workers=5", "log_every=7"])
    assert differences(recipe.document(), other) == ["nano.layers"]
    assert load_recipe("nano", ["nano.save_every=9"]).hash == recipe.hash != other.hash


# -- runs


def trained(folder: Path) -> Recipe:
    """A folder in which all is done but the end, and its recipe."""
    recipe = load_recipe("nano-smoke", ["nano.layers=1", "nano.width=16", "nano.context=64", "nano.feed_forward=16"])
    (folder / "begun.json").write_text(json.dumps(begun(recipe)))
    shape = Shape.padded(len(VOCABULARY), width=16, layers=1, heads=2, ffn=16, context=64)
    save(Network(shape), folder / "model")
    counters = {"step": 4, "tokens": 1000, "targets": 600, "again": 0, "flops": 3e9, "wait_share": 0.25}
    about = {"seconds": 2.5, "parameters": shape.parameters, "read_last": {"too_long": 7}, "device": "a device"}
    (folder / "training.json").write_text(json.dumps(counters | about))
    steps = [(2, 6.5), (4, 6.0), (2, 6.25), (4, 5.75)]  # resumed from step 0
    (folder / "log.jsonl").write_text("".join(json.dumps({"step": at, "loss": loss}) + "\n" for at, loss in steps))
    shards = folder / "shards"
    shards.mkdir()
    write_shard(shards, 0, [[6, 10, 2, 11, 1]])
    torn = '{"shard": 1, "progr'
    (shards / "log.jsonl").write_text('{"shard": 0, "rows": 9}\n{"shard": 1, "error": "x"}\n')
    (shards / "left_out.jsonl").write_text(
        '{"shard": 0, "programs": 9, "left_out": {"TooLong": 1, "a benchmark\'s code": 2}}\n' + torn
    )
    return recipe


def begun(recipe: Recipe) -> dict[str, Any]:
    from semcoder.training.folder import versions

    data = room._data(recipe)
    return {"hash": recipe.hash, "recipe": recipe.document(), "versions": versions(), "data": data}


def test_a_run_ends_with_a_folder_that_is_a_model(tmp_path: Path) -> None:
    recipe = trained(tmp_path)
    weights = load(tmp_path / "model").state_dict()
    manifest = train(recipe, tmp_path)
    assert all((load(tmp_path).state_dict()[name] == part).all() for name, part in weights.items())
    assert not (tmp_path / "model").exists()
    assert NanoModel(str(tmp_path)).folder == tmp_path
    assert manifest == json.loads((tmp_path / "manifest.json").read_text())
    assert manifest["counts"]["dropped"] == {
        "programs: TooLong": 1, "programs: a benchmark's code": 2, "rows: too long for the context": 7
    }  # fmt: skip
    assert manifest["counts"]["rows_written"] == 9
    assert manifest["figures"] == {
        "loss_first": 6.25, "loss_last": 5.75, "seconds": 2.5, "tokens_per_second": 400.0, "teraflops": 3e9 / 2.5 / 1e12, "waited_for_data": 0.25
    }  # fmt: skip
    log = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert [(row["step"], row["loss"]) for row in log] == [(2, 6.25), (4, 5.75)]
    assert train(recipe, tmp_path) == manifest, "done once"
    assert run_command(["report", str(tmp_path)]) == 0
    with pytest.raises(SemcoderError, match=r"begun with another recipe \(differs in: nano.steps\)"):
        train(load_recipe("nano-smoke", ["nano.layers=1", "nano.width=16", "nano.context=64",
                                         "nano.feed_forward=16", "nano.steps=5"]), tmp_path)  # fmt: skip


def test_the_folder_is_one_of_transformers(tmp_path: Path) -> None:
    transformers = pytest.importorskip("transformers")
    train(trained(tmp_path), tmp_path)
    model = transformers.AutoModelForCausalLM.from_pretrained(tmp_path)
    words = transformers.AutoTokenizer.from_pretrained(tmp_path)
    assert model.config.vocab_size == len(words) >= len(VOCABULARY)
    assert words("<bos> L0 return v0").input_ids == [VOCABULARY.index(word) for word in ("<bos>", "L0", "return", "v0")]


def test_the_card_says_what_it_was_made_from(tmp_path: Path) -> None:
    manifest = train(trained(tmp_path), tmp_path)
    text = (tmp_path / "README.md").read_text()
    assert text == card(manifest) + "\n"
    for said in ("library_name: transformers", "On a device.", "| answer tokens | 600 |", "seeds 0 to 999",
                 "| left out: programs: a benchmark's code | 2 |", manifest["recipe_hash"], "layers: 1"):  # fmt: skip
        assert said in text


def test_writers_that_cannot_write_end_the_run(tmp_path: Path) -> None:
    bench = tmp_path / "bench.jsonl"
    bench.write_text('{"id": 1}\n')
    recipe = load_recipe("nano-smoke", [f"nano.screen=[{bench}]"])
    with pytest.raises(TrainingStopped, match=r"the writers ended with 0 of 1 shards \(error: .*bench.jsonl:1: not a"):
        train(recipe, tmp_path / "out")
    assert not (tmp_path / "out" / "training.json").exists()
    bench.write_text('{"id": 1}\n{"id": 2}\n')
    with pytest.raises(SemcoderError, match="the writers ended"):  # it never came to a step: begun anew
        train(recipe, tmp_path / "out")


def test_a_benchmark_file_that_is_not_there_begins_nothing(tmp_path: Path) -> None:
    recipe = load_recipe("nano-smoke", [f"nano.screen=[{tmp_path / 'none.jsonl'}]"])
    with pytest.raises(InputError, match="there is no such benchmark file"):
        train(recipe, tmp_path / "out")
    assert not (tmp_path / "out" / "begun.json").exists()


def test_a_trainer_that_fails_is_told_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "writers_command", lambda *_: ["json.tool", "--help"])
    monkeypatch.setattr(room, "trainer_command", lambda *_: ["json.tool", str(tmp_path / "none.json")])
    (tmp_path / "out" / "shards").mkdir(parents=True)
    write_shard(tmp_path / "out" / "shards", 0, [[6, 10, 2, 11, 1]])
    recipe = load_recipe("nano-smoke")
    (tmp_path / "out" / "begun.json").write_text(json.dumps(begun(recipe)))
    said: list[str] = []
    with pytest.raises(
        TrainingStopped, match=r"the trainer ended with exit status \d+ \(.*none.json.*goes on"
    ) as failed:
        train(recipe, tmp_path / "out", progress=said.append)
    assert "\n" not in str(failed.value)
    assert any("none.json" in line for line in said)
    assert "none.json" in (tmp_path / "out" / "trainer.txt").read_text()


def test_what_a_run_started_ends_with_it() -> None:
    code = """
import os, signal, subprocess
from semcoder.training.nano import _started
child = _started(["http.server", "0", "--bind", "127.0.0.1"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
child.stdout.readline()
print(child.pid, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""
    done = subprocess.run([sys.executable, "-uc", code], check=False, capture_output=True, text=True)
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert ended(int(done.stdout))


def ended(pid: int) -> bool:
    """Whether a process ends, or is dead and unread, before long."""
    for _ in range(200):
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except FileNotFoundError:
            return True
        if state == "Z":
            return True
        time.sleep(0.05)
    return False

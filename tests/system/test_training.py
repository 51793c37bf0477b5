"""Training runs: what must not change what is learned does not, and what goes wrong leaves what was good.

Runs are those of the command line where processes matter, and in this process elsewhere.
"""

from __future__ import annotations

import importlib.resources
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("accelerate")

from safetensors.torch import load_file  # noqa: E402

from semcoder.core import dump  # noqa: E402
from semcoder.errors import SemcoderError, UsageError  # noqa: E402
from semcoder.training import load_recipe  # noqa: E402
from semcoder.training.folder import RunFolder, TrainingStopped  # noqa: E402
from semcoder.training.sft import Steps, split, train_sft  # noqa: E402
from tests.learning import rows_file, settings, tiny_recipe  # noqa: E402

ALONE = [sys.executable, "-m", "semcoder"]
BY_ACCELERATE = [
    sys.executable, "-m", "accelerate.commands.launch", "--cpu", "--num_processes", "2", "--num_machines", "1",
    "--mixed_precision", "no", "--dynamo_backend", "no", "-m", "semcoder",
]  # fmt: skip
BY_TORCHRUN = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2", "-m", "semcoder"]


def start(launcher: Sequence[str], out: Path, given: Sequence[str]) -> subprocess.Popen[str]:
    command = [*launcher, "train", "smoke", "--out", str(out), "--json"]
    command += [part for setting in given for part in ("--set", setting)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment, start_new_session=True
    )


def run(launcher: Sequence[str], out: Path, given: Sequence[str]) -> dict[str, Any]:
    """The manifest that a run printed."""
    process = start(launcher, out, given)
    stdout, stderr = process.communicate()
    assert process.returncode == 0, stderr
    return dict(json.loads(stdout))


def losses(out: Path) -> list[float]:
    return [row["loss"] for row in RunFolder(out).rows()]


def weights(out: Path) -> dict[str, Any]:
    """Those of a run's result; the head may be written apart from the embeddings, which it is the same as."""
    found = dict(load_file(out / "model.safetensors"))
    head = found.pop("lm_head.weight", found["model.embed_tokens.weight"])
    assert torch.equal(head, found["model.embed_tokens.weight"])
    return found


def assert_same(first: Path, second: Path, tolerance: float) -> None:
    """Both runs have the same losses and final weights."""
    assert len(losses(first)) == len(losses(second)) > 3
    assert losses(first) == pytest.approx(losses(second), abs=tolerance)
    one, other = weights(first), weights(second)
    assert one.keys() == other.keys()
    assert all(torch.allclose(one[name], other[name], atol=tolerance) for name in one)


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return rows_file(tmp_path_factory.mktemp("rows"))


@pytest.fixture(scope="module")
def whole(rows: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that nothing disturbed."""
    out = tmp_path_factory.mktemp("whole") / "out"
    train_sft(tiny_recipe(rows), out)
    return out


# -- what does not change what is learned


def test_a_batch_of_8_is_8_steps_of_1_accumulated(rows: Path, tmp_path: Path) -> None:
    """8 rows a step, one by one and together; packing is off, so that the batches are of rows."""
    for per_device in (1, 8):
        train_sft(tiny_recipe(rows, "packing=false", f"per_device={per_device}"), tmp_path / str(per_device))
    assert_same(tmp_path / "1", tmp_path / "8", 2e-5)


def test_packed_steps_accumulated_or_not(rows: Path, tmp_path: Path, whole: Path) -> None:
    train_sft(tiny_recipe(rows, "per_device=1"), tmp_path / "1")
    assert_same(tmp_path / "1", whole, 2e-5)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("launcher", "more"),
    [(BY_ACCELERATE, ()), (BY_TORCHRUN, ("fsdp=true",))],
    ids=["ddp", "fsdp2"],
)
def test_two_processes_are_as_one(rows: Path, tmp_path: Path, launcher: list[str], more: tuple[str, ...]) -> None:
    given = settings(rows, "batch=12", "max_steps=20", "per_device=2")
    train_sft(load_recipe("smoke", given), tmp_path / "one")
    manifest = run(launcher, tmp_path / "two", [*given, *more])
    assert manifest["counts"]["sequences_per_step"] == 4
    assert_same(tmp_path / "one", tmp_path / "two", 2e-5)
    sharded = list((tmp_path / "two" / "checkpoints").glob("*/pytorch_model_fsdp.bin"))
    assert bool(sharded) == bool(more)


@pytest.mark.parametrize("kill_at", [1, 5, 11])
@pytest.mark.slow
def test_killed_and_started_again_is_as_never_killed(rows: Path, tmp_path: Path, whole: Path, kill_at: int) -> None:
    """SIGKILL when a step is logged, whatever is being written then; bit for bit the same."""
    out = tmp_path / "out"
    process = start(ALONE, out, settings(rows))
    while len(losses(out)) < kill_at and process.poll() is None:
        time.sleep(0.002)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    assert not (out / "manifest.json").exists()
    manifest = run(ALONE, out, settings(rows))
    assert_same(out, whole, 0.0)
    assert manifest["figures"] == json.loads((whole / "manifest.json").read_text())["figures"]


def test_a_checkpoint_that_was_not_finished_does_not_count(rows: Path, tmp_path: Path, whole: Path) -> None:
    out = tmp_path / "out"
    train_sft(tiny_recipe(rows), out)
    (out / "manifest.json").unlink()
    last = RunFolder(out).last_checkpoint()
    assert last is not None
    assert last.name == "checkpoint-12"
    (last / "whole").unlink()
    (last / "model.safetensors").write_bytes(b"torn")
    with (out / "log.jsonl").open("a") as log:
        log.write('{"step": 13, "lo')
    train_sft(tiny_recipe(rows), out)
    assert_same(out, whole, 0.0)


def test_steps_are_whole_hold_the_batch_and_are_the_same_for_every_number_of_processes() -> None:
    for batch in (1, 7, 64, 500, 512):
        for per_device in (1, 3, 4, 16):
            alone, at_once = split(batch, per_device, 0.22, 1)
            assert alone % at_once == 0
            assert 1 <= at_once <= per_device
            assert abs(alone - batch * 0.22) <= 4
            for processes in (2, 3, 8):
                if alone % processes == 0:
                    assert split(batch, per_device, 0.22, processes)[0] == alone
    assert split(512, 2, 0.22, 8) == (112, 2)
    with pytest.raises(
        UsageError, match=r"are 5 sequences a step, which 2 processes cannot share evenly; set batch=\d+"
    ):
        split(16, 2, 1 / 3, 2)
    nearest = re.compile(r"set batch=(\d+)")
    for batch in range(1, 60):
        try:
            split(batch, 4, 0.3, 6)
        except UsageError as error:
            found = nearest.search(str(error))
            assert found is not None
            assert split(int(found[1]), 4, 0.3, 6)[0] % 6 == 0


def test_every_pass_shows_every_sequence_once_in_another_order() -> None:
    packs: Any = [[place] for place in range(10)]
    steps: Any = Steps(packs, steps=6, per_step=5, seed=0)
    shown = [steps[place][0] for place in range(len(steps))]
    passes = [shown[start : start + 10] for start in (0, 10, 20)]
    assert all(sorted(one) == list(range(10)) for one in passes)
    assert passes[0] != passes[1] != passes[2]
    assert [steps[place][0] for place in reversed(range(30))] == shown[::-1]


# -- what goes wrong


def test_a_run_is_not_mixed_with_another_recipe(rows: Path, whole: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"begun with another recipe \(differs in: learning_rate\)"):
        train_sft(tiny_recipe(rows, "learning_rate=3e-3"), whole)
    other = rows_file(tmp_path, 50)
    with pytest.raises(UsageError, match=r"another recipe \(differs in: data\)"):
        train_sft(tiny_recipe(other), whole)
    out = tmp_path / "out"
    train_sft(tiny_recipe(other, "max_steps=1"), out)
    with other.open("a") as file:
        file.write('{"q": "new", "a": "row"}\n')
    with pytest.raises(UsageError, match="data changed since this run began"):
        train_sft(tiny_recipe(other, "max_steps=1"), out)
    wording = tmp_path / "wording.yaml"
    wording.write_text(importlib.resources.files("semcoder.prompts").joinpath("semcoder.yaml").read_text())
    mine = tiny_recipe(rows, f"profile={wording}", "max_steps=1")
    train_sft(mine, tmp_path / "worded")
    wording.write_text(wording.read_text().replace("Task:", "Duty:"))
    with pytest.raises(UsageError, match=r"data changed since this run began \(prompt wording\)"):
        train_sft(mine, tmp_path / "worded")
    busy = tmp_path / "busy"
    busy.mkdir()
    (busy / "thesis.txt").write_text("precious")
    with pytest.raises(UsageError, match="not empty, and not a training run's folder"):
        train_sft(tiny_recipe(rows), busy)
    assert os.listdir(busy) == [".lock", "thesis.txt"] or os.listdir(busy) == ["thesis.txt", ".lock"]


def test_a_start_that_failed_is_in_nobodys_way(rows: Path, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.jsonl"
    wrong.write_text('{"x": 1}\n')
    with pytest.raises(SemcoderError, match="no column 'q'"):
        train_sft(tiny_recipe(wrong), tmp_path / "out")
    assert train_sft(tiny_recipe(rows, "max_steps=1"), tmp_path / "out")["counts"]["steps"] == 1
    with pytest.raises(UsageError, match="there is no model at 'runs/nothing': no such folder"):
        train_sft(tiny_recipe(rows, "model.base=runs/nothing"), tmp_path / "other")


def test_what_was_told_before_the_first_step_is_not_told_again(tmp_path: Path) -> None:
    """A run that is killed between telling its rows and its first step finds them told; another recipe does not."""
    from semcoder.prompts import load_profile
    from semcoder.training.telling import generated

    rows = tmp_path / "ours.jsonl"
    told = generated("small:40", "forward", load_profile("semcoder"))
    rows.write_text("".join(json.dumps(dump(sample)) + "\n" for sample in told))
    more = ("max_steps=1", "max_length=512", "held_out=0", f"data=[{{rows: {rows}, style: concise}}]")
    out = tmp_path / "out"
    train_sft(tiny_recipe(rows, *more), out)
    before = (out / "told.jsonl").read_bytes()
    for name in ("manifest.json", "log.jsonl"):
        (out / name).unlink()
    shutil.rmtree(out / "checkpoints")
    stamp = (out / "told.jsonl").stat().st_mtime_ns
    train_sft(tiny_recipe(rows, *more), out)
    assert (out / "told.jsonl").stat().st_mtime_ns == stamp
    for name in ("manifest.json", "log.jsonl"):
        (out / name).unlink()
    shutil.rmtree(out / "checkpoints")
    train_sft(tiny_recipe(rows, *more[:3], f"data=[{{rows: {rows}, style: scratchpad}}]"), out)
    assert (out / "told.jsonl").read_bytes() != before


def test_a_run_that_is_done_is_not_done_again(rows: Path, whole: Path) -> None:
    before = (whole / "model.safetensors").stat().st_mtime_ns
    assert train_sft(tiny_recipe(rows), whole) == json.loads((whole / "manifest.json").read_text())
    assert (whole / "model.safetensors").stat().st_mtime_ns == before


def test_two_runs_in_one_folder(rows: Path, tmp_path: Path) -> None:
    run = RunFolder(tmp_path / "out")
    with run.held(), pytest.raises(UsageError, match="another training run is running in this folder"):
        train_sft(tiny_recipe(rows), tmp_path / "out")


def test_a_loss_that_is_no_number_ends_the_run_with_the_last_good_checkpoint(rows: Path, tmp_path: Path) -> None:
    """Weights are poisoned at step 6, in the middle of training."""
    recipe = tiny_recipe(rows, "evaluate_every=1")

    def poison(model: Any, tokenizer: Any, step: int) -> dict[str, float]:
        if step == 6:
            with torch.no_grad():
                model.lm_head.weight.fill_(float("nan"))
        return {"held_out_step": float(step)}

    with pytest.raises(TrainingStopped, match=r"diverged at step 7: the loss is nan.*checkpoint-4 is the last good"):
        train_sft(recipe, tmp_path / "out", evaluate=poison)
    last = RunFolder(tmp_path / "out").last_checkpoint()
    assert last is not None
    assert last.name == "checkpoint-4"
    assert all(part.isfinite().all() for part in load_file(last / "model.safetensors").values())
    train_sft(recipe, tmp_path / "out")
    assert [row["held_out_step"] for row in RunFolder(tmp_path / "out").rows() if "held_out_step" in row] == [
        1,
        2,
        3,
        4,
    ]


def test_nothing_is_saved_that_was_not_looked_at(rows: Path, tmp_path: Path) -> None:
    """Steps are logged every 5, checkpoints written every 4: the one after the poison is not."""
    out = tmp_path / "out"

    def poison(model: Any, tokenizer: Any, step: int) -> dict[str, float]:
        if step == 6:
            with torch.no_grad():
                model.lm_head.weight.fill_(float("nan"))
        return {"held_out_step": float(step)}

    recipe = tiny_recipe(rows, "log_every=5", "evaluate_every=3")
    with pytest.raises(TrainingStopped, match=r"diverged at step 8: .*checkpoint-4 is the last good"):
        train_sft(recipe, out, evaluate=poison)
    found = train_sft(recipe, out, evaluate=lambda *_: {"mine": 1.0})
    assert [row["step"] for row in RunFolder(out).rows()] == [3, 4, 5, 6, 8, 9, 10, 12]
    assert found["figures"]["mine"] == 1.0
    assert found["figures"]["held_out_loss"] == RunFolder(out).rows()[-1]["held_out_loss"]


def test_the_log_goes_on_where_it_was(rows: Path, tmp_path: Path, whole: Path) -> None:
    out = tmp_path / "out"
    train_sft(tiny_recipe(rows), out)
    (out / "manifest.json").unlink()
    shutil.rmtree(out / "checkpoints" / "checkpoint-12")
    before = RunFolder(out).rows()[7]
    train_sft(tiny_recipe(rows), out)
    logged = RunFolder(out).rows()
    assert [row["answer_tokens"] for row in logged] == [row["answer_tokens"] for row in RunFolder(whole).rows()]
    assert logged[8]["seconds"] > logged[7]["seconds"] == before["seconds"]


def test_a_loss_that_climbs_ends_the_run(rows: Path, tmp_path: Path) -> None:
    recipe = tiny_recipe(rows, "learning_rate=30", "max_steps=200", "diverged_above=1.2", "schedule=constant")
    with pytest.raises(TrainingStopped, match=r"diverged at step \d+: .*try a lower learning_rate"):
        train_sft(recipe, tmp_path / "out")
    assert not (tmp_path / "out" / "manifest.json").exists()


FULL = """
set -e
mount -t tmpfs -o size=$5 none "$1"
set +e; "$2" -m semcoder train "$3" --out "$1/out" > /dev/null 2> "$4/first.err"; echo $? > "$4/code"; set -e
ls "$1/out/checkpoints" > "$4/left" || true
mount -o remount,size=64m "$1"
"$2" -m semcoder train "$3" --out "$1/out"
cp -r "$1/out" "$4/out"
"""


@pytest.mark.slow
@pytest.mark.skipif(os.geteuid() != 0, reason="a disk of its own takes root")
def test_a_full_disk_leaves_the_checkpoint_before(rows: Path, whole: Path, tmp_path: Path) -> None:
    """Room for one checkpoint (about 420 KB) and half of another; with more room the run ends as if nothing had been."""
    disk, kept = tmp_path / "disk", tmp_path / "kept"
    disk.mkdir()
    kept.mkdir()
    recipe = tmp_path / "tiny.yaml"
    recipe.write_text(json.dumps(tiny_recipe(rows).document()))
    done = subprocess.run(
        ["unshare", "-m", "bash", "-c", FULL, "full", disk, sys.executable, recipe, kept, "720k"],
        capture_output=True,
        text=True,
        check=False,
    )
    if "unshare" in done.stderr or "mount:" in done.stderr:
        pytest.skip(f"this machine permits no mounts: {done.stderr.strip()}")
    assert done.returncode == 0, done.stderr
    message = (kept / "first.err").read_text()
    assert (kept / "code").read_text().strip() == "1", message
    assert "checkpoint-8: the checkpoint could not be written (no space left on the disk)" in message
    assert "checkpoint-4 is whole; make room and start again" in message
    assert "Traceback" not in message
    assert (kept / "left").read_text().split() == ["checkpoint-4"]
    assert_same(kept / "out", whole, 0.0)


# -- what comes out


def test_the_result_is_an_ordinary_folder(whole: Path, rows: Path) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    model = AutoModelForCausalLM.from_pretrained(whole)
    tokenizer = AutoTokenizer.from_pretrained(whole)
    assert model.config.use_cache
    text = "reverse: a b\n"
    assert tokenizer.decode(tokenizer(text, add_special_tokens=False)["input_ids"]) == text
    manifest = json.loads((whole / "manifest.json").read_text())
    assert manifest["counts"]["parameters"] == sum(part.numel() for part in model.parameters())
    assert manifest["figures"]["loss_last"] < manifest["figures"]["loss_first"] - 0.3
    assert "held_out_loss" in manifest["figures"]
    card = (whole / "README.md").read_text()
    assert manifest["recipe_hash"] in card
    assert str(rows) in card
    assert json.loads((whole / "semcoder.json").read_text())["style"] == "forward"
    assert not list(whole.glob("*.bin")) + list(whole.glob("*.tmp"))


def test_the_result_answers(whole: Path) -> None:
    """It learned to reverse letters, so it is wrong; but it answers, and in the wording that it was trained with."""
    command = [*ALONE, "predict", "examples/squares.py", "--call", "squares([1, 2])", "--model", f"hf:{whole}"]
    done = subprocess.run([*command, "--max-tokens", "20", "--json"], capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stderr
    found = json.loads(done.stdout)
    assert found["text"]
    assert (found["profile"], found["style"], found["right"]) == ("semcoder", "forward", False)
    assert not done.stderr


def test_trackers(rows: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="log_to: 'paper' is not one of tensorboard, trackio"):
        train_sft(tiny_recipe(rows, "log_to=[paper]"), tmp_path / "a")
    pytest.importorskip("tensorboard")
    train_sft(tiny_recipe(rows, "log_to=[tensorboard]", "max_steps=2"), tmp_path / "b")
    assert list((tmp_path / "b" / "tensorboard").glob("events.*"))


@pytest.mark.slow
def test_adapters(rows: Path, tmp_path: Path, whole: Path) -> None:
    """Only adapters are trained; they are merged into the result; killed and started again is as never killed."""
    given = [f"model.base={whole}", "lora.rank=4", "lora.alpha=8", "learning_rate=1e-2"]
    train_sft(tiny_recipe(rows, *given), tmp_path / "a")
    before, after = weights(whole), weights(tmp_path / "a")
    changed = {name for name in after if name in before and not torch.equal(before[name], after[name])}
    assert changed
    assert all("proj" in name for name in changed)
    assert (tmp_path / "a" / "adapter" / "adapter_model.safetensors").exists()
    out = tmp_path / "b"
    process = start(ALONE, out, settings(rows, *given))
    while len(losses(out)) < 6 and process.poll() is None:
        time.sleep(0.002)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    run(ALONE, out, settings(rows, *given))
    assert_same(out, tmp_path / "a", 0.0)
    # killed while the result was moved to its place: what is there already is in nobody's way
    (out / "manifest.json").unlink()
    (out / "model.safetensors").unlink()
    (out / "result.tmp").mkdir()
    run(ALONE, out, settings(rows, *given))
    assert_same(out, tmp_path / "a", 0.0)
    assert not (out / "result.tmp").exists()


@pytest.mark.parametrize(
    "setting",
    ["gradient_checkpointing=true", "bf16=true", "model.attention=eager", "packing=false", "schedule=constant"],
)
def test_options_train(rows: Path, tmp_path: Path, setting: str) -> None:
    manifest = train_sft(tiny_recipe(rows, setting), tmp_path / "out")
    assert manifest["figures"]["loss_last"] < manifest["figures"]["loss_first"]


def test_gradient_checkpointing_changes_nothing(rows: Path, tmp_path: Path, whole: Path) -> None:
    train_sft(tiny_recipe(rows, "gradient_checkpointing=true"), tmp_path / "out")
    assert_same(tmp_path / "out", whole, 1e-6)


def test_too_long_rows_are_counted(rows: Path, tmp_path: Path) -> None:
    dropped = train_sft(tiny_recipe(rows, "max_length=24", "max_steps=1"), tmp_path / "a")["counts"]
    assert dropped["dropped"]["too long"] > 0
    assert dropped["kept"] + sum(dropped["dropped"].values()) == dropped["rows"]
    cut = train_sft(tiny_recipe(rows, "max_length=24", "max_steps=1", "too_long=cut"), tmp_path / "b")["counts"]
    assert cut["cut"] == dropped["dropped"]["too long"]
    long = tmp_path / "long.jsonl"
    long.write_text(json.dumps({"q": "a b c " * 30, "a": "b"}) + "\n")
    with pytest.raises(SemcoderError, match=r"no rows to train on are left \(1 prompt too long\)"):
        train_sft(tiny_recipe(long, "held_out=0"), tmp_path / "c")


def test_texts_that_spell_a_special_token_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    rows = [{"q": "say", "a": "x </s> y"}, {"q": "</s>", "a": "x"}, *[{"q": "say", "a": "y" * n} for n in range(1, 30)]]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    counts = train_sft(tiny_recipe(path, "held_out=0", "max_steps=1"), tmp_path / "out")["counts"]
    assert counts["dropped"] == {"spells a special token": 2}
    assert counts["kept"] == 29


def test_conversations_need_a_template(rows: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="'chat' asks in conversations, and the model has no chat template"):
        train_sft(tiny_recipe(rows, "profile=chat"), tmp_path / "out")


def test_fsdp_for_8_gpus_is_a_configuration_that_accelerate_loads() -> None:
    from accelerate.commands.config.config_args import load_config_from_file

    folder = importlib.resources.files("semcoder.recipes") / "accelerate"
    for name, processes in (("fsdp-8-gpus.yaml", 8), ("fsdp-2-nodes.yaml", 16)):
        config: Any = load_config_from_file(str(folder / name))
        assert config.num_processes == processes
        assert config.distributed_type.value == "FSDP"
        assert config.fsdp_config["fsdp_version"] == 2

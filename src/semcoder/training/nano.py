"""A run of kind nano: the built-in model, from nothing, on programs that are written while it trains.

    shards/             training rows and what was left out, as `semcoder.nano.stream` writes them
    checkpoint.pt, log.jsonl, training.json, model/    as `semcoder.nano.training` writes them
    trainer.txt, writers.txt                           what the two processes said
    config.json ...     the result: an ordinary transformers folder with a card; `nano:FOLDER` names it as a model
    begun.json, manifest.json                          as of every run

Guarantees: one process writes shards while another trains, both end with this one however it ends, and what they leave
is gone on from when the run is started again: a run by `steps`, on a CPU, that began with all its shards (`ready`)
ends with the weights that it would have had. Where it is to end at a time, and where shards come too late, weights
depend on the machine. It needs torch, numpy and safetensors; of one machine it uses one device.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import yaml

from semcoder.cleaning import file_hashes, find_files
from semcoder.core.files import leftovers, read_saved, write_json, write_text
from semcoder.errors import UsageError
from semcoder.nano.notation import IDS, OPENERS, VOCABULARY
from semcoder.nano.shards import shard_path
from semcoder.nano.stream import LEFT_OUT, PROGRAMS
from semcoder.nano.tokenizer import save_tokenizer
from semcoder.sandbox.policy import PR_SET_PDEATHSIG
from semcoder.training.folder import RunFolder, TrainingStopped
from semcoder.training.recipe import Recipe

_SHARDS, _MODEL, _CHECKPOINT, _RESULT = "shards", "model", "checkpoint.pt", "training.json"
#: Seconds between two looks at what the writers have done.
_POLL = 0.2
#: Exit status of a trainer that saved and paused.
_PAUSED = 130
#: What the trainer says of its own command.
_RESUME = re.compile("go on with --resume|add --resume")
_DONE = {"step": int, "tokens": int, "seconds": float, "read_last": dict}
#: Runs a module (second argument) with the arguments after it, and has the kernel kill it when its parent (first) ends.
_BOUND = f"""
import ctypes, os, runpy, sys
ctypes.CDLL(None).prctl({PR_SET_PDEATHSIG}, {int(signal.SIGKILL)}, 0, 0, 0)
parent, module = sys.argv[1:3]
del sys.argv[1:3]
if os.getppid() == int(parent):
    runpy.run_module(module, run_name="__main__", alter_sys=True)
"""

Progress = Callable[[str], None]


def train_nano(recipe: Recipe, out: Path, *, progress: Progress = lambda _: None) -> dict[str, Any]:
    """Train, or go on with it; the manifest. Raises `SemcoderError`s of one line, and KeyboardInterrupt once what was
    learned is saved."""
    run = RunFolder(out.resolve())
    with run.held():
        done = run.settle(recipe, _data(recipe))
        if done is not None:
            return done
        if not (run.path / _RESULT).exists():
            with _writing(recipe, run.path) as writers:
                _await_shards(recipe, run.path, writers, progress)
                _train(recipe, run.path, progress)
        return _finish(run, recipe)


def _data(recipe: Recipe) -> dict[str, str]:
    """What tells the data of two runs apart beside their recipes and versions."""
    end = recipe.nano.shards * PROGRAMS
    found = {"programs": f"the stream of short programs, seeds 0 to {end - 1}"}
    if recipe.nano.screen:
        hashes = file_hashes(find_files(recipe.nano.screen))
        found |= {f"without those of {path}": f"sha256 {digest[:16]}" for path, digest in hashes.items()}
    return found


# Processes -----------------------------------------------------------------------------------------------------------


def writers_command(recipe: Recipe, folder: Path) -> list[str]:
    """What writes a run's shards: words for `python -m`."""
    nano = recipe.nano
    cores = len(os.sched_getaffinity(0))
    options: dict[str, Any] = {
        "out": folder / _SHARDS,
        "shards": nano.shards,
        "processes": recipe.workers or max(1, cores - 4),  # the trainer's threads, and a rest for the system
        "kind": nano.answers,
        "inverse": nano.inverse,
    }
    screened = ["--screen", *nano.screen] if nano.screen else []
    return ["semcoder.nano.stream", *_words(options), *screened]


def trainer_command(recipe: Recipe, folder: Path) -> list[str]:
    """What trains on a run's shards, from its checkpoint on where there is one: words for `python -m`."""
    nano = recipe.nano
    options: dict[str, Any] = {
        "data": folder / _SHARDS, "out": folder, "vocab": len(VOCABULARY), "seed": recipe.seed,
        "layers": nano.layers, "width": nano.width, "heads": nano.heads, "ffn": nano.feed_forward,
        "length": nano.context, "rows": nano.rows, "among": nano.among, "warmup": nano.warmup, "decay": nano.decay,
        "muon-lr": nano.muon_lr, "adam-lr": nano.adam_lr, "log-every": recipe.log_every, "save-every": nano.save_every,
    }  # fmt: skip
    options |= {"steps": nano.steps} if nano.steps else {"seconds": nano.seconds}
    answers = ["--answers", *(str(IDS[word]) for word in OPENERS)]
    resumed = ["--resume"] if (folder / _CHECKPOINT).exists() else []
    return ["semcoder.nano.training", *_words(options), *answers, *resumed]


def _words(options: Mapping[str, Any]) -> list[str]:
    return [word for name, value in options.items() for word in (f"--{name}", f"{value}")]


def _started(command: Sequence[str], **streams: Any) -> subprocess.Popen[str]:
    """A module at work in a process that ends with this one, even where this one is killed.

    It is out of the terminal's foreground, so that Ctrl-C is ours to pass on.
    """
    bound = [sys.executable, "-c", _BOUND, str(os.getpid()), *command]
    return subprocess.Popen(bound, text=True, errors="replace", start_new_session=True, **streams)


@contextmanager
def _writing(recipe: Recipe, folder: Path) -> Iterator[subprocess.Popen[str]]:
    """The writers at work on what is missing."""
    shards = folder / _SHARDS
    shards.mkdir(exist_ok=True)
    for path in leftovers(shards):
        path.unlink(missing_ok=True)
    with (folder / "writers.txt").open("w", encoding="utf-8") as said:
        writers = _started(writers_command(recipe, folder), stdout=said, stderr=said)
        try:
            yield writers
        finally:
            with suppress(ProcessLookupError):  # the group: the writers' own processes too
                os.killpg(writers.pid, signal.SIGTERM)
            writers.wait()


def _await_shards(recipe: Recipe, folder: Path, writers: subprocess.Popen[str], progress: Progress) -> None:
    """Returns when there are shards enough to begin. Raises `TrainingStopped` where there will be none."""
    shown, wanted = -1, recipe.nano.ready
    while True:
        ended = writers.poll() is not None
        there = sum(shard_path(folder / _SHARDS, number).exists() for number in range(recipe.nano.shards))
        if there >= wanted:
            return
        if ended:
            said = (folder / "writers.txt").read_text(encoding="utf-8", errors="replace").strip()
            last = said.rpartition("\n")[2] or f"exit status {writers.returncode}"
            raise TrainingStopped(
                f"{folder / _SHARDS}: the writers ended with {there} of {wanted} shards ({last}); see log.jsonl there"
            )
        if there != shown:
            progress(f"training rows: {there} of the {wanted} shards to begin with")
            shown = there
        time.sleep(_POLL)


def _train(recipe: Recipe, folder: Path, progress: Progress) -> None:
    """Trains to the end. Raises `TrainingStopped`, and KeyboardInterrupt when what was learned is saved."""
    trainer = _started(trainer_command(recipe, folder), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    last: deque[str] = deque(maxlen=1)
    try:
        _follow(trainer, folder, last, progress)
        status = trainer.wait()
    except KeyboardInterrupt:
        trainer.send_signal(signal.SIGINT)
        _follow(trainer, folder, last, progress)
        trainer.wait()
        raise
    finally:
        trainer.kill()
        trainer.wait()
    if status == _PAUSED:
        raise KeyboardInterrupt
    if status:
        said = last[0].removeprefix("error: ") if last else ""
        raise TrainingStopped(
            f"{folder}: the trainer ended with exit status {status} ({said or 'killed?'}); see trainer.txt; "
            "started again, the run goes on from its last checkpoint"
        )


def _follow(trainer: subprocess.Popen[str], folder: Path, last: deque[str], progress: Progress) -> None:
    """Tells what the trainer says until it is done."""
    assert trainer.stderr is not None
    with (folder / "trainer.txt").open("a", encoding="utf-8") as said:
        for line in trainer.stderr:
            with suppress(OSError):  # a full disk is told by whoever writes what matters
                said.write(line)
                said.flush()
            if line.strip():
                last.append(line.strip())
                progress(_RESUME.sub("the same command goes on", line.strip()))


# The result ----------------------------------------------------------------------------------------------------------


def _finish(run: RunFolder, recipe: Recipe) -> dict[str, Any]:
    """Makes the folder one of a model; the manifest is written last, so that a killed start does it all again."""
    done = read_saved(run.path / _RESULT, _DONE, "the trainer")
    _tidy_log(run)
    manifest = {"kind": "training", **run.identity(), **_measures(run, done)}
    try:
        for path in sorted((run.path / _MODEL).iterdir()):
            aside = run.path / f"{path.name}.{os.getpid()}.tmp"
            shutil.copyfile(path, aside)
            aside.replace(run.path / path.name)
        save_tokenizer(run.path)
        write_text(run.path / "README.md", card(manifest))
        write_json(run.manifest, manifest)
    except OSError as error:
        raise UsageError(f"{run.path}: the result could not be written ({error}); make room and start again") from None
    shutil.rmtree(run.path / _MODEL, ignore_errors=True)
    return manifest


def _tidy_log(run: RunFolder) -> None:
    """Of steps that were done again from a checkpoint, the log keeps the last line."""
    by_step = {row["step"]: row for row in run.rows()}
    aside = run.log.with_name(f"{run.log.name}.{os.getpid()}.tmp")
    aside.write_text("".join(json.dumps(by_step[step]) + "\n" for step in sorted(by_step)), encoding="utf-8")
    aside.replace(run.log)


def _measures(run: RunFolder, done: Mapping[str, Any]) -> dict[str, Any]:
    """Counts and figures of a manifest."""
    shards = {row["shard"]: row for row in _lines(run.path / _SHARDS / "log.jsonl") if "error" not in row}
    lost = {row["shard"]: row["left_out"] for row in _lines(run.path / _SHARDS / LEFT_OUT)}
    dropped: Counter[str] = Counter()
    for reasons in lost.values():
        dropped.update({f"programs: {reason}": number for reason, number in reasons.items()})
    dropped["rows: too long for the context"] = done["read_last"].get("too_long", 0)
    rows = [row for row in run.rows() if row.get("good", True)]
    return {
        "counts": {
            "parameters": done["parameters"], "steps": done["step"], "tokens": done["tokens"],
            "answer_tokens": done["targets"], "tokens_repeated": done["again"], "operations": int(done["flops"]),
            "shards_written": len(shards), "rows_written": sum(row["rows"] for row in shards.values()),
            "dropped": dict(sorted((+dropped).items())),
        },
        "figures": {
            "loss_first": rows[0]["loss"] if rows else None,
            "loss_last": rows[-1]["loss"] if rows else None,
            "seconds": done["seconds"],
            "tokens_per_second": done["tokens"] / max(done["seconds"], 1e-9),
            "teraflops": done["flops"] / max(done["seconds"], 1e-9) / 1e12,
            "waited_for_data": done["wait_share"],
        },
        "device": done["device"],
    }  # fmt: skip


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    """The lines of a log that processes append to; what a kill tore is passed over."""
    with suppress(FileNotFoundError), path.open(encoding="utf-8") as file:
        for line in file:
            with suppress(ValueError):
                yield json.loads(line)


def card(manifest: Mapping[str, Any]) -> str:
    """The model's card: Markdown with the hub's front matter, in figures of the manifest alone."""
    recipe, counts, figures = manifest["recipe"], manifest["counts"], manifest["figures"]
    shown = {
        name: value for name, value in recipe["nano"].items() if value or name not in ("seconds", "steps", "screen")
    }
    front = {"library_name": "transformers", "pipeline_tag": "text-generation", "license": "mit"}
    told = {**{name: value for name, value in counts.items() if name != "dropped"}, **figures}
    return "\n".join(
        [
            "---",
            yaml.safe_dump(front, sort_keys=False).strip(),
            "---",
            "",
            "# A model that executes Python in its head",
            "",
            recipe["about"] or "No description was given in the recipe.",
            "",
            "It reads a function as instructions of one operation each and writes what a call does, step by step, in",
            "the language of SemCoder's built-in model (`docs/nano.md` of the package semcoder), whose words are those",
            "of `tokenizer.json`. `semcoder predict FILE --call ... --model nano:FOLDER` asks it. It is a Qwen3.",
            "",
            "## Data",
            "",
            "| what | state |",
            "|---|---|",
            *(f"| {name} | {state} |" for name, state in manifest["data"].items()),
            *(f"| left out: {reason} | {number:,} |" for reason, number in counts["dropped"].items()),
            "",
            "## Training",
            "",
            f"On {manifest['device']}.",
            "",
            "| what | how much |",
            "|---|---|",
            *(f"| {name.replace('_', ' ')} | {_number(value)} |" for name, value in told.items()),
            "",
            f"Recipe, hash `{manifest['recipe_hash']}`, seed {recipe['seed']}:",
            "",
            "```yaml",
            yaml.safe_dump({"kind": "nano", "nano": shown}, sort_keys=False, width=110).strip(),
            "```",
            "",
            "Versions: " + ", ".join(f"{name} {version}" for name, version in manifest["versions"].items()) + ".",
        ]
    )  # fmt: skip


def _number(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:,.4g}" if isinstance(value, float) else str(value)

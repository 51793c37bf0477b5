"""What a training run is asked to do: one frozen record, read from YAML, with a hash that names its outputs.

Guarantees: an unknown, ill-typed or senseless field is an `InputError` that names file and field; a `FIELD=VALUE` of
the command line is held to the same rules; `differences` names the fields in which two recipes would
give other weights. Recipes of the package are found by name, others by path. See docs/training.md.
"""

from __future__ import annotations

import dataclasses
import importlib.resources
import math
import typing
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import yaml

from semcoder.core import content_id, decode
from semcoder.core.files import full_document
from semcoder.errors import InputError, UsageError

#: How attention is computed, in transformers' names. Only what keeps packed rows apart on every machine it runs on.
Attention = Literal["sdpa", "eager"]
#: Fields that change where, how fast or how loudly a run goes, never (but for rounding) what it learns.
_NOT_CONTENT = frozenset(
    {"about", "hardware", "log_to", "log_every", "keep", "per_device", "workers"}
    | {"checkpoint_every", "evaluate_every", "diverged_above", "save_every"}
)
#: Fields that a run of kind nano reads.
_OF_NANO = frozenset({"kind", "about", "hardware", "seed", "log_every", "workers", "nano"})
#: What fields of numbers must be at least; all others 0.
_LEAST: dict[str, float] = {
    "max_length": 8, "epochs": 1, "batch": 1, "per_device": 1, "checkpoint_every": 1, "keep": 1, "log_every": 1,
    "layers": 1, "hidden": 8, "heads": 1, "vocabulary": 300, "context": 16, "rank": 1, "alpha": 1,
    "generations": 2, "max_new_tokens": 1, "steps": 1, "temperature": 1e-3, "prompts_per_step": 1,
    "programs": 1, "test_programs": 1, "shards": 1, "ready": 1, "width": 8, "among": 1, "save_every": 1,
    "nano.feed_forward": 1, "nano.rows": 1, "nano.steps": 0,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class NewModel:
    """A Llama with random weights, and a byte-level vocabulary learned from the rows, each digit a token of its own.

    `hidden` is divided among `heads`; `feed_forward` 0 is 8/3 of `hidden`; `context` in tokens. `tokenizer`: a folder
    with one, in place of learning the vocabulary.
    """

    layers: int = 4
    hidden: int = 256
    heads: int = 4
    feed_forward: int = 0
    vocabulary: int = 1024
    context: int = 2048
    tokenizer: str = ""


@dataclass(frozen=True, slots=True)
class Start:
    """The model that training starts from: `base`, a name on the hub or a folder; or, without one, `new`."""

    base: str = ""
    revision: str = ""
    new: NewModel = NewModel()
    attention: Attention = "sdpa"
    dtype: Literal["float32", "bfloat16"] = "float32"


@dataclass(frozen=True, slots=True)
class Data:
    """Rows to train on, and how often: `weight` 2 shows each twice an epoch, 0.5 takes half of them.

    `rows`: a folder that a build wrote, a JSONL or Parquet file, `hub:NAME`, `generator:COUNT` or
    `generator:COUNT:FIRSTSEED`. `tasks`: only these of nl, forward, backward, repair. `prompt` and `answer`: columns of
    a table that is not ours. `style`: tell the executions of our rows anew in this style. `limit` 0 is no limit.
    """

    rows: str
    weight: float = 1.0
    limit: int = 0
    tasks: tuple[str, ...] = ()
    prompt: str = ""
    answer: str = ""
    style: str = ""


@dataclass(frozen=True, slots=True)
class Lora:
    """Low-rank adapters on the linear layers named in `targets` (all of them without names)."""

    rank: int = 16
    alpha: int = 32
    dropout: float = 0.0
    targets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Grpo:
    """Group-relative policy optimisation with rewards from execution: `answer` for a right answer, `steps` for the part
    of a monologue's claims before the first false one."""

    steps: int = 20
    prompts_per_step: int = 8
    generations: int = 8
    max_new_tokens: int = 512
    temperature: float = 1.0
    answer: float = 1.0
    steps_weight: float = 0.5
    kl: float = 0.0
    vllm: bool = False


@dataclass(frozen=True, slots=True)
class Ablation:
    """Styles compared on new models: every style with every seed, at equal programs and at equal tokens."""

    styles: tuple[str, ...] = ("direct", "scratchpad", "concise", "forward")
    equal: tuple[str, ...] = ("programs", "tokens")
    seeds: int = 3
    programs: int = 10_000
    test_programs: int = 200


@dataclass(frozen=True, slots=True)
class Nano:
    """The built-in model, from nothing, on programs that are written and executed while it trains (`semcoder.nano`).

    One of `seconds` (of the wall, from the trainer's start on) and `steps` is above 0. A step has `rows` packed rows of
    `context` tokens, packed among at least `among` rows. Rates are Muon's and AdamW's; they fall to 0 over the last
    `decay` of the run. `shards` are made at most, each of 1,000 programs; training begins when `ready` of them are
    there. `inverse`: the share of calls that are asked backwards too. `screen`: benchmark files, or folders of them,
    whose programs are left out. `save_every` is in seconds.
    """

    seconds: float = 0.0
    steps: int = 0
    answers: Literal["monologue", "direct", "scratchpad"] = "monologue"
    inverse: float = 0.6
    shards: int = 1000
    ready: int = 1
    screen: tuple[str, ...] = ()
    layers: int = 10
    width: int = 384
    heads: int = 6
    feed_forward: int = 768
    context: int = 2048
    rows: int = 48
    among: int = 24_000
    muon_lr: float = 0.02
    adam_lr: float = 0.003
    warmup: int = 150
    decay: float = 0.4
    save_every: float = 60.0


@dataclass(frozen=True, slots=True)
class Recipe:
    """One training run. `batch` counts rows an optimiser step; lengths are tokens; rates are those of AdamW."""

    kind: Literal["sft", "grpo", "ablation", "nano"] = "sft"
    about: str = ""
    hardware: str = ""
    model: Start = Start()
    data: tuple[Data, ...] = ()
    profile: str = "semcoder"
    seed: int = 0
    held_out: float = 0.0
    max_length: int = 2048
    too_long: Literal["drop", "cut"] = "drop"
    packing: bool = True
    epochs: int = 2
    max_steps: int = 0
    batch: int = 512
    per_device: int = 1
    learning_rate: float = 5e-5
    final_learning_rate: float = 5e-6
    schedule: Literal["cosine", "constant"] = "cosine"
    warmup_steps: int = 0
    weight_decay: float = 0.0
    beta1: float = 0.9
    beta2: float = 0.999
    max_grad_norm: float = 1.0
    lora: Lora | None = None
    gradient_checkpointing: bool = False
    bf16: bool = False
    compile: bool = False
    fsdp: bool = False
    checkpoint_every: int = 100
    keep: int = 2
    evaluate_every: int = 0
    log_every: int = 1
    log_to: tuple[str, ...] = ()
    diverged_above: float = 3.0
    workers: int = 0
    grpo: Grpo = Grpo()
    ablation: Ablation = Ablation()
    nano: Nano = Nano()

    def document(self) -> dict[str, Any]:
        """All fields, as they are saved and shown."""
        return full_document(self)

    def content(self) -> dict[str, Any]:
        """The fields that decide the weights."""
        return _content(self.document())

    @property
    def hash(self) -> str:
        """Equal for two recipes that train the same model from the same rows."""
        return content_id(self.content())


def _content(document: Mapping[str, Any]) -> dict[str, Any]:
    """What decides the weights. `nano` counts in its own kind alone: runs of others may be older than it."""
    found = {name: value for name, value in document.items() if name not in _NOT_CONTENT}
    nano = found.pop("nano", None)
    if document.get("kind") == "nano" and isinstance(nano, Mapping):
        found |= {f"nano.{name}": value for name, value in nano.items() if name not in _NOT_CONTENT}
    return found


def recipe_names() -> list[str]:
    """The recipes in the package."""
    folder = importlib.resources.files("semcoder.recipes")
    return sorted(item.name.removesuffix(".yaml") for item in folder.iterdir() if item.name.endswith(".yaml"))


def load_recipe(name: str, settings: Sequence[str] = ()) -> Recipe:
    """A recipe by name or path, with `FIELD=VALUE` settings (`lora.rank=8`, `data=[{rows: x.jsonl}]`) laid over it.

    Values are YAML. Raises `InputError`, and `UsageError` for a setting that is none.
    """
    path, text = _find(name)
    try:
        doc = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f" at line {mark.line + 1}, column {mark.column + 1}" if mark is not None else ""
        raise InputError(f"{path}: not readable as YAML{place}: {str(error).splitlines()[0]}") from None
    if not isinstance(doc, dict):
        raise InputError(f"{path}: a recipe is a mapping of fields; semcoder train --list shows some")
    for setting in settings:
        _lay(doc, setting)
    _known(Recipe, doc, path)
    return check(decode(Recipe, doc, path), path)


def _find(name: str) -> tuple[str, str]:
    """What to call a recipe in messages, and its text."""
    inside = importlib.resources.files("semcoder.recipes") / f"{name}.yaml"
    if name in recipe_names():
        return name, inside.read_text(encoding="utf-8")
    path = Path(name)
    try:
        return name, path.read_text(encoding="utf-8")
    except FileNotFoundError:
        known = ", ".join(recipe_names())
        raise UsageError(f"there is no recipe {name!r} and no such file; recipes: {known}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read as a recipe ({error})") from None


def _lay(doc: dict[str, Any], setting: str) -> None:
    """Set one field of a document, in place."""
    name, equals, text = setting.partition("=")
    if not equals or not name.strip():
        raise UsageError(f"--set {setting!r}: write FIELD=VALUE, as in learning_rate=1e-4 or lora.rank=8")
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError:
        raise UsageError(f"--set {setting!r}: {text!r} is not readable as YAML") from None
    *parents, last = name.strip().split(".")
    for parent in parents:
        inner = doc.get(parent)
        if inner is None:
            inner = doc[parent] = {}
        if not isinstance(inner, dict):
            raise UsageError(f"--set {setting!r}: {parent} has no fields")
        doc = inner
    doc[last] = value


def _known(record: Any, doc: Mapping[str, Any], where: str) -> None:
    """Raises `InputError` for a field that `record` does not have, at any depth; mends numbers written as `1e-4`."""
    hints = typing.get_type_hints(record)
    for name, value in list(doc.items()):
        if name not in hints:
            known = ", ".join(sorted(hints))
            raise InputError(f"{where}: unknown field {str(name)!r}; known: {known}")
        kinds = [hints[name], *typing.get_args(hints[name])]
        inner = next((kind for kind in kinds if dataclasses.is_dataclass(kind)), None)
        if float in kinds and isinstance(doc, dict):
            doc[name] = _number(value)
        parts = value if isinstance(value, list) else [value]
        for place, part in enumerate(parts if inner is not None else ()):
            if isinstance(part, Mapping):
                at = f"{where}.{name}" + (f"[{place}]" if isinstance(value, list) else "")
                _known(inner, part, at)


def _number(value: Any) -> Any:
    """YAML 1.1 takes `1e-4` for a text."""
    if isinstance(value, str):
        try:
            return float(value)
        except ValueError:
            return value
    return value


def check(recipe: Recipe, where: str) -> Recipe:
    """The same recipe. Raises `InputError` where a field makes no sense."""
    for name, value in _numbers(recipe, where):
        field = ".".join(name.split(".")[-2:])
        least = _LEAST.get(field, _LEAST.get(name.rpartition(".")[2], 0))
        if not math.isfinite(value) or value < least:
            raise InputError(f"{name}: must be at least {least:g}, not {value:g}")
    rules: list[tuple[bool, str]] = [
        (recipe.model.new.hidden % recipe.model.new.heads != 0, "model.new.hidden: must be a multiple of heads"),
        (recipe.held_out >= 1, "held_out: must be a part below 1 of the programs"),
        (recipe.beta1 >= 1 or recipe.beta2 >= 1, "beta1, beta2: must be below 1"),
        (recipe.final_learning_rate > recipe.learning_rate, "final_learning_rate: must not be above learning_rate"),
        (recipe.diverged_above <= 1 and recipe.diverged_above != 0, "diverged_above: must be above 1, or 0 for never"),
        (recipe.compile and recipe.fsdp, "compile, fsdp: not both; compile pays on one device"),
        (recipe.lora is not None and recipe.fsdp, "lora, fsdp: not both; adapters fit on every GPU"),
        (
            recipe.kind not in ("ablation", "nano") and not recipe.data,
            "data: name rows to train on, as in data: [{rows: runs/corpus}]",
        ),
    ]
    for broken, message in rules:
        if broken:
            raise InputError(f"{where}.{message}")
    for place, part in enumerate(recipe.data):
        _check_data(part, f"{where}.data[{place}]")
    if recipe.kind == "nano":
        _check_nano(recipe, where)
    return recipe


def _check_nano(recipe: Recipe, where: str) -> None:
    usual, nano = Recipe().document(), recipe.nano
    idle = [name for name, value in recipe.document().items() if name not in _OF_NANO and value != usual[name]]
    rules: list[tuple[bool, str]] = [
        (bool(idle), f"{idle[0] if idle else ''}: a recipe of kind nano has no such field; see nano"),
        ((nano.seconds > 0) == (nano.steps > 0), "nano.seconds, nano.steps: a run has an end, so give one of them"),
        (nano.width % (2 * nano.heads) != 0, "nano.width: must be a multiple of twice the heads"),
        (nano.ready > nano.shards, "nano.ready: must not be above shards"),
        (nano.inverse > 1, "nano.inverse: must be a share of at most 1"),
        (nano.decay > 1, "nano.decay: must be a share of at most 1"),
    ]
    for broken, message in rules:
        if broken:
            raise InputError(f"{where}.{message}")


def _check_data(data: Data, where: str) -> None:
    if not data.rows:
        raise InputError(f"{where}.rows: name a folder, a file, hub:NAME or generator:COUNT")
    if data.weight <= 0:
        raise InputError(f"{where}.weight: must be above 0, not {data.weight:g}")
    if bool(data.prompt) != bool(data.answer):
        raise InputError(f"{where}: prompt and answer name two columns, so give both or neither")
    unknown = sorted(set(data.tasks) - {"nl", "forward", "backward", "repair"})
    if unknown:
        raise InputError(f"{where}.tasks: {unknown[0]!r} is not one of nl, forward, backward, repair")


def _numbers(record: Any, where: str) -> list[tuple[str, float]]:
    found: list[tuple[str, float]] = []
    for field in dataclasses.fields(record):
        value = getattr(record, field.name)
        if dataclasses.is_dataclass(value):
            found += _numbers(value, f"{where}.{field.name}")
        elif type(value) in (int, float):
            found.append((f"{where}.{field.name}", value))
    return found


def differences(old: Mapping[str, Any], recipe: Recipe) -> list[str]:
    """Names of the fields in which a saved recipe would give other weights than this one."""
    before, now = _content(old), recipe.content()
    return [name for name in dict.fromkeys([*now, *before]) if before.get(name) != now.get(name)]


#: What a run calls with the model, its tokenizer and the step, and which figures it gets; the wiring is the faces'.
Evaluate = Callable[[Any, Any, int], Mapping[str, float]]

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
    | {"checkpoint_every", "evaluate_every", "diverged_above"}
)
#: What fields of numbers must be at least; all others 0.
_LEAST: dict[str, float] = {
    "max_length": 8, "epochs": 1, "batch": 1, "per_device": 1, "checkpoint_every": 1, "keep": 1, "log_every": 1,
    "layers": 1, "hidden": 8, "heads": 1, "vocabulary": 300, "context": 16, "rank": 1, "alpha": 1,
    "generations": 2, "max_new_tokens": 1, "steps": 1, "temperature": 1e-3, "prompts_per_step": 1,
    "programs": 1, "test_programs": 1,
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
class Recipe:
    """One training run. `batch` counts rows an optimiser step; lengths are tokens; rates are those of AdamW."""

    kind: Literal["sft", "grpo", "ablation"] = "sft"
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

    def document(self) -> dict[str, Any]:
        """All fields, as they are saved and shown."""
        return full_document(self)

    def content(self) -> dict[str, Any]:
        return {name: value for name, value in self.document().items() if name not in _NOT_CONTENT}

    @property
    def hash(self) -> str:
        """Equal for two recipes that train the same model from the same rows."""
        return content_id(self.content())


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
        field = name.rpartition(".")[2]
        least = _LEAST.get(field, 0)
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
            recipe.kind != "ablation" and not recipe.data,
            "data: name rows to train on, as in data: [{rows: runs/corpus}]",
        ),
    ]
    for broken, message in rules:
        if broken:
            raise InputError(f"{where}.{message}")
    for place, part in enumerate(recipe.data):
        _check_data(part, f"{where}.data[{place}]")
    return recipe


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
    now = recipe.content()
    names = [*now, *(name for name in old if name not in now and name not in _NOT_CONTENT)]
    return [name for name in names if old.get(name) != now.get(name)]


#: What a run calls with the model, its tokenizer and the step, and which figures it gets; the wiring is the faces'.
Evaluate = Callable[[Any, Any, int], Mapping[str, float]]

"""Recipes: those of the package are sound, fields and settings are checked, rows become examples."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from semcoder.cli import run_command
from semcoder.errors import InputError, SemcoderError
from semcoder.prompts import load_profile
from semcoder.training import load_recipe, recipe_names
from semcoder.training.recipe import Data, Recipe, differences
from semcoder.training.rows import Example, divide, read_examples
from tests.learning import rows_file

PROFILE = load_profile("semcoder")


@pytest.mark.parametrize("name", recipe_names())
def test_recipes_of_the_package_are_sound_and_say_what_they_are_for(name: str) -> None:
    recipe = load_recipe(name)
    assert len(recipe.about) > 40
    assert recipe.hardware
    assert load_profile(recipe.profile)


def test_the_papers_values() -> None:
    recipe = load_recipe("semcoder-6.7b")
    assert (recipe.epochs, recipe.learning_rate, recipe.final_learning_rate) == (2, 5e-5, 5e-6)
    assert (recipe.batch, recipe.max_length, recipe.schedule) == (512, 2048, "cosine")
    assert recipe.model.base == "deepseek-ai/deepseek-coder-6.7b-base"
    refine = load_recipe("refine")
    assert (refine.learning_rate, refine.warmup_steps, refine.epochs, refine.batch) == (1e-5, 5, 2, 512)
    styles = {"scratchpad", "next", "concise", "monologue"}
    runs = {name: load_recipe(f"ablation-{name}") for name in styles}
    assert {recipe.epochs for recipe in runs.values()} == {3}
    assert [one.style for one in runs["next"].data if one.tasks == ("forward", "backward")] == ["next"]


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("colour=3", "unknown field 'colour'"),
        ("batch=0", "smoke.batch: must be at least 1, not 0"),
        ("batch=many", "smoke.batch: expected int, got str"),
        ("learning_rate=.nan", "smoke.learning_rate: must be at least 0, not nan"),
        ("final_learning_rate=1", "must not be above learning_rate"),
        ("lora.colour=1", "smoke.lora: unknown field 'colour'"),
        ("lora.rank=0", "smoke.lora.rank: must be at least 1"),
        ("model.new.heads=3", "must be a multiple of heads"),
        ("model.attention=magic", "'magic' is not one of sdpa"),
        ("data=[]", "name rows to train on"),
        ("data=[{rows: x, weight: 0}]", r"smoke.data\[0\].weight: must be above 0"),
        ("data=[{rows: x, prompt: y}]", "give both or neither"),
        ("data=[{rows: x, tasks: [sing]}]", "'sing' is not one of"),
        ("data=[{rows: x, color: y}]", r"smoke.data\[0\]: unknown field 'color'"),
        ("batch", "write FIELD=VALUE"),
        ("batch.size=3", "batch has no fields"),
        ("held_out=1", "held_out: must be a part below 1"),
        ("grpo.temperature=0", "grpo.temperature: must be at least 0.001"),
        ("about={", "not readable as YAML"),
    ],
)
def test_a_senseless_setting_is_named(setting: str, message: str) -> None:
    with pytest.raises(SemcoderError, match=message):
        load_recipe("smoke", [setting])


def test_settings_are_laid_over_the_recipe() -> None:
    recipe = load_recipe(
        "smoke", ["learning_rate=1e-4", "lora.rank=8", "model.base=some/where", "final_learning_rate=0"]
    )
    assert recipe.learning_rate == 1e-4
    assert recipe.lora is not None
    assert (recipe.lora.rank, recipe.model.base) == (8, "some/where")
    assert set(differences(load_recipe("smoke").content(), recipe)) == {
        "learning_rate", "lora", "model", "final_learning_rate"
    }  # fmt: skip
    assert recipe.hash != load_recipe("smoke").hash
    assert load_recipe("smoke", ["keep=9", "per_device=1"]).hash == load_recipe("smoke").hash


def test_what_does_not_go_together() -> None:
    with pytest.raises(SemcoderError, match="lora, fsdp: not both"):
        load_recipe("smoke", ["lora.rank=8", "fsdp=true"])


@pytest.mark.parametrize("name", recipe_names())
def test_a_recipe_has_a_folder_of_its_own_name(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    folders: list[Path] = []

    def train(recipe: Recipe, out: Path, **_: Any) -> dict[str, Any]:
        folders.append(out)
        return {"kind": "training"}

    monkeypatch.setattr("semcoder.training.train", train)
    assert run_command(["train", name, "--json"]) == 0
    assert folders == [Path("runs") / name]


def test_a_recipe_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(SemcoderError, match=r"no recipe 'smokes' and no such file; recipes: .*smoke"):
        load_recipe("smokes")
    torn = tmp_path / "torn.yaml"
    torn.write_text("data: [")
    with pytest.raises(InputError, match=r"torn.yaml: not readable as YAML at line"):
        load_recipe(str(torn))
    torn.write_text("- 1")
    with pytest.raises(InputError, match="a recipe is a mapping"):
        load_recipe(str(torn))


# -- rows


def published(**fields: str) -> dict[str, Any]:
    return {"id": "1", "nl": "", "fwd_mnl": "", "bwd_mnl": "", "response": "r", **fields}


def write(path: Path, rows: list[dict[str, Any]]) -> str:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(path)


def test_published_rows(tmp_path: Path) -> None:
    code = "[PYTHON]\ndef f(x):\n    return x\n{}assert {}\n[/PYTHON]"
    forward, backward = code.format("", "f(1) == ??"), code.format("\n", "f(??) == 1")
    solution = "Think first.\n```python\ndef f(x):\n    return x\n```\n"
    rows = [published(nl="write", response=solution), published(fwd_mnl=forward), published(bwd_mnl=backward)]
    path = write(tmp_path / "a.jsonl", [*rows, {"fault": "broken", "response": "mended"}])
    found = read_examples([Data(path)], PROFILE, 0)
    assert [one.task for one in found] == ["nl", "forward", "backward", "repair"]
    assert found[0].group == found[1].group == found[2].group != found[3].group
    assert (found[3].prompt, found[3].answer) == ("broken", "mended")
    chosen = read_examples([Data(path, tasks=("repair", "nl"))], PROFILE, 0)
    assert [one.task for one in chosen] == ["nl", "repair"]
    assert [one.task for one in read_examples([Data(path, tasks=("repair",), limit=1)], PROFILE, 0)] == ["repair"]


def test_tables_by_column_in_every_format(tmp_path: Path) -> None:
    plain = rows_file(tmp_path, 5)
    packed = tmp_path / "b.jsonl.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    parquet = pytest.importorskip("pyarrow.parquet")
    table = pytest.importorskip("pyarrow").Table.from_pylist([json.loads(line) for line in plain.open()])
    parquet.write_table(table, tmp_path / "c.parquet")
    found = [
        read_examples([Data(str(path), prompt="q", answer="a")], PROFILE, 0)
        for path in (plain, packed, tmp_path / "c.parquet")
    ]
    assert found[0] == found[1] == found[2]
    assert len(found[0]) == 5
    assert len(read_examples([Data(str(plain), prompt="q", answer="a", limit=2)], PROFILE, 0)) == 2


@pytest.mark.parametrize(
    ("rows", "data", "message"),
    [
        ([{"x": 1}], {}, "a.jsonl:1: not a PyX row.*name the columns"),
        ([published(nl="a", fwd_mnl="b")], {}, "a.jsonl:1: not a PyX row"),
        ([{"q": "a"}], {"prompt": "q", "answer": "z"}, "a.jsonl:1: no column 'z'"),
        ([{"q": "a", "z": 3}], {"prompt": "q", "answer": "z"}, "column 'z' holds int, not text"),
        ([published(nl="a")], {"tasks": ("repair",)}, "no rows of the tasks repair"),
        ([published(fwd_mnl="a")], {"style": "concise"}, "a row without its program"),
    ],
)
def test_rows_that_are_none(tmp_path: Path, rows: list[dict[str, Any]], data: dict[str, Any], message: str) -> None:
    path = write(tmp_path / "a.jsonl", rows)
    with pytest.raises(InputError, match=message):
        read_examples([Data(path, **data)], PROFILE, 0)


def test_rows_that_are_nowhere() -> None:
    with pytest.raises(SemcoderError, match="there are no rows at 'nowhere'"):
        read_examples([Data("nowhere")], PROFILE, 0)


@pytest.mark.parametrize(
    ("weight", "least", "most"), [(2.0, 200, 200), (1.0, 100, 100), (0.5, 30, 70), (2.5, 230, 270)]
)
def test_weights(tmp_path: Path, weight: float, least: int, most: int) -> None:
    path = str(rows_file(tmp_path, 100))
    data = [Data(path, weight=weight, prompt="q", answer="a")]
    found = read_examples(data, PROFILE, 0)
    assert least <= len(found) <= most
    assert found == read_examples(data, PROFILE, 0)


def test_programs_are_on_one_side() -> None:
    examples = [Example(f"{place}", "", "table", f"{place % 50}") for place in range(500)]
    taught, held_out = divide(examples, 0.2, 0)
    assert {one.group for one in taught}.isdisjoint(one.group for one in held_out)
    assert 20 <= len(held_out) <= 200
    assert divide(examples, 0.2, 0) == (taught, held_out)
    assert divide(examples, 0.0, 0) == (examples, [])


def test_recipes_can_be_written_down_and_read(tmp_path: Path) -> None:
    path = tmp_path / "again.yaml"
    recipe = load_recipe("semcoder-6.7b")
    path.write_text(json.dumps(recipe.document()))
    again = load_recipe(str(path))
    assert again == recipe
    assert isinstance(again, Recipe)

"""Recipes: complete, strict, and readable without torch."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from seston.errors import NotFoundError, UsageError
from seston.training import Recipe, load_recipe, recipe_names
from seston.training.recipe import all_keys

CROSS_MODAL_CARDS = [
    name for name in recipe_names() if name.startswith("paper-") and not name.startswith("paper-dino-")
]


@pytest.mark.parametrize("name", recipe_names())
def test_every_recipe_loads_and_comes_back_from_its_own_toml(name: str, tmp_path: Path) -> None:
    recipe = load_recipe(name)
    assert recipe.name == name
    assert recipe.description
    path = tmp_path / "copy.toml"
    path.write_text(recipe.to_toml(), encoding="utf-8")
    assert load_recipe(path) == recipe


def test_recipes_are_read_without_torch_or_numpy() -> None:
    code = (
        "import sys; from seston.training import load_recipe, recipe_names\n"
        "[load_recipe(name).to_toml() for name in recipe_names()]\n"
        "try: load_recipe('default', ['optimiser.lr=1'])\n"
        "except ValueError: pass\n"
        "print([name for name in ('torch', 'lance', 'pyarrow') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=100)
    assert done.stdout.strip() == "[]", done.stderr


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("optimiser.lr=1", "unknown key 'optimiser.lr'; did you mean 'optimiser.learning_rate'?"),
        ("traning.batch=3", "unknown key 'traning'; did you mean 'training'?"),
        ("batch=3", "unknown key 'batch'; did you mean 'training.batch'?"),
        ("model.image.widht=3", "unknown key 'model.image.widht'; did you mean 'model.image.width'?"),
        ("training.batch=abc", "training.batch: expected `int`, got `str`"),
        ("loss.kind=clop", "loss: kind 'clop' is unknown; did you mean 'clip'?"),
        ("model.profile.tower=resnet", "profile tower 'resnet' is unknown; did you mean 'resnet18'?"),
        ("model.image.weights=hub", "weights 'hub' are for towers of timm or open_clip"),
        ("augmentation.zoom=[1.2, 0.8]", "the lesser first"),
        ("training.batch", "write it as KEY=VALUE"),
        ("name.first=1", "'name' holds a value and no further keys"),
    ],
)
def test_a_wrong_key_or_value_is_refused_in_one_plain_line(override: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        load_recipe("default", [override])
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_unknown_recipe_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(NotFoundError, match="did you mean 'default'"):
        load_recipe("defualt")
    with pytest.raises(NotFoundError, match="no such file"):
        load_recipe("nowhere/recipe.toml")


def test_overrides_take_toml_values_and_bare_words() -> None:
    recipe = load_recipe(
        "default", ["training.batch=64", "augmentation.zoom=[0.5, 1]", "loss.kind=siglip", "name=my own"]
    )
    assert (recipe.training.batch, recipe.augmentation.zoom, recipe.loss.kind) == (64, (0.5, 1.0), "siglip")
    assert recipe.name == "my own"


def test_a_recipe_file_may_extend_another_and_holds_only_what_differs(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text('extends = "tiny"\n[training]\nbatch = 7\n')
    mine, tiny = load_recipe(tmp_path / "mine.toml"), load_recipe("tiny")
    assert (mine.name, mine.training.batch) == ("mine", 7)
    assert mine.model == tiny.model


def test_a_recipe_that_extends_itself_or_is_not_toml_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "loop.toml"
    path.write_text(f'extends = "{path}"\n')
    with pytest.raises(UsageError, match="extends itself"):
        load_recipe(path)
    path.write_text("[training\n")
    with pytest.raises(UsageError, match="not TOML"):
        load_recipe(path)


@pytest.mark.parametrize("name", CROSS_MODAL_CARDS)
def test_the_papers_cards_have_the_papers_optimisation(name: str) -> None:
    recipe = load_recipe(name)
    optimiser, training = recipe.optimiser, recipe.training
    assert (optimiser.name, optimiser.learning_rate, optimiser.momentum, optimiser.weight_decay) == (
        "sgd", 0.005, 0.9, 1e-3,
    )  # fmt: skip
    assert (training.batch, training.epochs, training.patience, optimiser.clip_norm) == (512, 100, 30, 0)
    assert (recipe.pictures.size, recipe.profiles.length, recipe.model.embedding) == (224, 224, 512)
    assert (recipe.model.dropout, recipe.model.projection, recipe.sizes) == (0.2, "linear", "paper")
    assert (recipe.loss.cross, recipe.loss.views, recipe.loss.buckets) == (1.0, 1, 1)


@pytest.mark.parametrize("name", CROSS_MODAL_CARDS)
def test_the_papers_faults_are_mended_unless_asked_for(name: str) -> None:
    loss = load_recipe(name).loss
    assert not loss.paper_row_max
    assert loss.start_scale == pytest.approx(1 / 0.07, abs=1e-3)
    theirs = load_recipe(name, ["loss.paper_row_max=true", "loss.start_scale=2.71828"]).loss
    assert (theirs.paper_row_max, theirs.start_scale) == (True, 2.71828)


def test_there_is_a_recipe_for_each_of_the_papers_seven_cards() -> None:
    cards = {
        (recipe.model.image.tower, recipe.model.profile.tower)
        for recipe in (load_recipe(name) for name in CROSS_MODAL_CARDS)
    }
    towers = {"timm:convnext_femto", "timm:efficientnet_b0", "timm:vit_tiny_patch16_224"}
    expected = {(image, profile) for image in towers for profile in ("resnet18", "transformer")}
    assert cards == expected | {("timm:convnext_femto", "lstm")}


def test_recipes_compare_by_their_values() -> None:
    assert load_recipe("tiny") == load_recipe("tiny")
    assert load_recipe("tiny") != load_recipe("tiny", ["seed=1"])
    assert isinstance(load_recipe("tiny"), Recipe)


def test_a_recipe_that_says_nothing_is_the_default() -> None:
    default = load_recipe("default")
    assert default == Recipe(name="default", description=default.description)


def test_the_page_of_recipes_names_every_key_and_every_recipe() -> None:
    page = (Path(__file__).parents[2] / "docs" / "reference" / "recipes.md").read_text(encoding="utf-8")
    missing = [key for key in all_keys(Recipe) if f"| `{key}` |" not in page and not is_table(key)]
    missing += [name for name in recipe_names() if f"`{name}`" not in page]
    assert not missing


def is_table(key: str) -> bool:
    return any(other.startswith(f"{key}.") for other in all_keys(Recipe))


def test_a_recipe_is_found_by_the_papers_spelling_of_its_towers_too() -> None:
    assert load_recipe("paper-convnext_femto-cnn") == load_recipe("paper-convnext-femto-cnn")

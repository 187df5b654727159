"""What is compared: a name, the recipe behind it, what of a particle it looks at, and why it is there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from seston.errors import UsageError, nearest_word
from seston.training import load_recipe, recipe_names
from seston.training.settings import Recipe

__all__ = ["CONTENDERS", "MAIN", "Contender", "choose", "recipe_of"]

MAIN, _MAIN_FROM_IMAGENET = "default", "default-imagenet"
_GREATEST_PICTURE = 112
_SMALL = ("pictures.size=112", "model.image.weights=random")
_IMAGENET = (
    "pictures.size=112",
    "model.image.tower=timm:tf_efficientnet_lite0",
    "model.image.weights=package:efficientnet-lite0",
)
_QUICK = ("training.batch=32", "training.checkpoint_steps=2")
_QUICK_PICTURE = 80  # the paper's DINO cuts views out of it that its tower still has to take


@dataclass(frozen=True)
class Contender:
    """One way of learning to name particles, or of doing without learning."""

    name: str
    about: str
    recipe: str = ""
    """Empty for measured features."""
    overrides: tuple[str, ...] = ()
    sees: str = "IP"
    """``I`` or ``P`` where it looks at one modality alone; asked about both, it answers by that one."""
    trained: bool = True


_PAPER = "paper-convnext-femto-cnn"
CONTENDERS = (
    Contender(MAIN, "Seston's default recipe", "default"),
    Contender("paper", "the paper's recipe (arXiv 2603.16427) at 112 px, its schedule scaled", _PAPER, _SMALL),
    Contender(
        "paper-10x", "the same at ten times its learning rate", _PAPER, (*_SMALL, "optimiser.learning_rate=0.05")
    ),
    Contender(
        "paper-adamw",
        "the paper's towers and loss with AdamW in batches of 128, so that the budget holds more steps",
        _PAPER,
        (
            *_SMALL,
            "optimiser.name=adamw",
            "optimiser.learning_rate=1e-3",
            "optimiser.final_share=0.01",
            "optimiser.weight_decay=0.05",
            "optimiser.decay_all=false",
            "optimiser.clip_norm=1.0",
            "training.batch=128",
        ),
    ),
    Contender("dino", "DINO on pictures alone, with a small tower", "dino", sees="I"),
    Contender(
        "paper-dino",
        "the paper's DINO on pictures alone, ConvNeXt-femto at 112 px",
        "paper-dino-convnext-femto",
        _SMALL,
        sees="I",
    ),
    Contender("image-only", "pictures alone, each against another view of itself", "image-only", sees="I"),
    Contender("profile-only", "profiles alone, each against another view of itself", "profile-only", sees="P"),
    Contender("classical", "hand-made features of picture, pulse and listmode", trained=False),
    Contender("untrained", "the default before the first step", "default", trained=False),
)
_FROM_IMAGENET = (MAIN, "paper", "paper-10x", "paper-adamw", "untrained")


def choose(names: Sequence[str], start: str) -> tuple[list[Contender], list[str]]:
    """Give the contenders of some names (all where there are none), and notes on those that cannot take part.

    Parameters
    ----------
    start
        ``random``, or ``imagenet``: then the default and the paper's recipes take part, all with a tower that starts
        from ImageNet weights.
    """
    by_name = {one.name: one for one in CONTENDERS}
    unknown = next((name for name in names if name not in by_name), None)
    if unknown is not None:
        raise UsageError(f"there is no method {unknown!r}{nearest_word(unknown, by_name)}")
    wanted = [one for one in CONTENDERS if not names or one.name in names]
    notes = []
    if start == "imagenet":
        notes += [f"{one.name}: takes no part from ImageNet" for one in wanted if one.name not in _FROM_IMAGENET]
        wanted = [_from_imagenet(one) for one in wanted if one.name in _FROM_IMAGENET]
    missing = [one for one in wanted if one.recipe and one.recipe not in recipe_names()]
    notes += [f"{one.name}: left out, there is no recipe {one.recipe!r} yet" for one in missing]
    return [one for one in wanted if one not in missing], notes


def _from_imagenet(one: Contender) -> Contender:
    about = f"{one.about}; EfficientNet-Lite0 from ImageNet"
    if one.name == MAIN:  # there is a recipe that makes the most of such a start
        return replace(one, recipe=_MAIN_FROM_IMAGENET, about=about)
    return replace(one, overrides=(*one.overrides, *_IMAGENET), about=about)


def recipe_of(contender: Contender, seed: int, *, quick: bool = False) -> Recipe:
    """Give the recipe of a contender for one seed: pictures of at most 112 px; all small where it is to be quick."""
    overrides = [*contender.overrides, f"seed={seed}"]
    size = load_recipe(contender.recipe, contender.overrides).pictures.size
    greatest = _QUICK_PICTURE if quick else _GREATEST_PICTURE
    if size > greatest:
        overrides.append(f"pictures.size={greatest}")
    return load_recipe(contender.recipe, [*overrides, *(_QUICK if quick else ())])

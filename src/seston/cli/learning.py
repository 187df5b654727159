"""Commands about models: train, embed, recipes."""

from __future__ import annotations

from pathlib import Path

from cyclopts import App, Group

from seston.cli.output import Outcome, Table
from seston.cli.words import AsJson, Changes, Existing, Flag, ModelName, Overwrite

__all__ = ["embed", "list_recipes", "recipes", "show_recipe", "train"]


def train(
    data: Existing,
    /,
    *,
    to: Path,
    recipe: str = "default",
    split: str | None = None,
    fold: int = 0,
    minutes: float | None = None,
    epochs: int | None = None,
    resume: Flag = False,
    changes: Changes = (),
    overwrite: Overwrite = False,
    as_json: AsJson = False,
) -> Outcome:
    """Train a model on a data set.

    A training that was killed goes on where it stood with --resume.

    Parameters
    ----------
    data
        The folder of the data set.
    to
        The folder of the run to write.
    recipe
        The name of a recipe (see: seston recipes list), or the path of a recipe file.
    split
        A saved split; only its training part is learnt from.
    fold
        Which fold of the split.
    minutes
        Stop after so many minutes; the learning rate ends there.
    epochs
        Stop after so many passes over the data.
    resume
        Go on with the training in that folder. One that has ended is left as it is, but for what it needs to name
        particles by itself (seston identify --model RUN): that is added where an older Seston did not keep it.
    """
    from seston.training import load_recipe

    load_recipe(recipe, overrides=changes)  # a wrong recipe or key is refused before torch loads
    from seston.particle import TerminalProgress
    from seston.store import open_data_set

    opened = open_data_set(data)
    if split is not None:
        opened.load_split(split)  # and so is a wrong split
    from seston.training import train as train_model

    with TerminalProgress() as progress:
        run = train_model(
            opened,
            recipe=recipe,
            to=to,
            split=split,
            fold=fold,
            minutes=minutes,
            epochs=epochs,
            resume=resume,
            overrides=changes,
            progress=progress,
            overwrite=overwrite,
        )
    summary = f"Run {to}: {run.steps:,} steps in {run.seconds:.0f} s"
    return Outcome(
        document={"run": str(to), "steps": run.steps, "best": run.best, "model": run.model_id, "seconds": run.seconds},
        blocks=(f"{summary}; weights kept: {run.choice}. Model card: {to / 'README.md'}",),
    )


def embed(data: Existing, /, *, model: ModelName, as_json: AsJson = False) -> Outcome:
    """Turn each particle of a data set into vectors, and save them with it.

    Parameters
    ----------
    data
        The folder of the data set.
    model
        The folder of a run, or a word for what needs no training: classical (measured features), box (the network that
        comes with Seston, for pictures), or a released image-text model (see: seston models list).
    """
    import time

    from seston.particle import TerminalProgress
    from seston.recognition import choose_model
    from seston.recognition import embed as embed_particles
    from seston.store import open_data_set

    started = time.perf_counter()
    opened = open_data_set(data)
    with TerminalProgress() as progress:
        loaded = choose_model(opened, model)
        vectors = embed_particles(opened, loaded, progress=progress)
    seconds = time.perf_counter() - started
    document = {"vectors": len(vectors.ids), "seconds": seconds, "model": loaded.model_id}
    return Outcome(document=document, blocks=(f"{len(vectors.ids):,} particles embedded in {seconds:.1f} s.",))


recipes = App(
    name="recipes",
    help="List the training recipes, or show one.",
    group_commands=Group("Recipes"),
    group_parameters=Group("Options"),
)


@recipes.command(name="list")
def list_recipes(*, as_json: AsJson = False) -> Outcome:
    """List the training recipes."""
    from seston.training import load_recipe, recipe_names

    rows = [(name, load_recipe(name).description) for name in recipe_names()]
    document = {"recipes": [{"name": name, "description": description} for name, description in rows]}
    return Outcome(document=document, blocks=(Table(("recipe", "what it is"), rows),))


@recipes.command(name="show")
def show_recipe(
    recipe: str,
    /,
    *,
    changes: Changes = (),
    as_json: AsJson = False,
) -> Outcome:
    """Show a recipe with all its keys.

    Parameters
    ----------
    recipe
        The name of a recipe, or the path of a recipe file.
    """
    from seston.training import load_recipe

    text = load_recipe(recipe, overrides=changes).to_toml()
    return Outcome(document={"name": recipe, "toml": text}, blocks=(text,))

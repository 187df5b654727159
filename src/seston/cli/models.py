"""Commands about models on disk: list, compile."""

from __future__ import annotations

from pathlib import Path

from cyclopts import App, Group

from seston.cli.output import Outcome, Table
from seston.cli.words import AsJson, Existing, Overwrite, check_free

__all__ = ["compile_run", "list_runs", "models"]

models = App(
    name="models",
    help="List the models on disk, or compile one so that it runs without torch.",
    group_commands=Group("Models"),
    group_parameters=Group("Options"),
)


@models.command(name="list")
def list_runs(path: Existing = Path(), /, *, as_json: AsJson = False) -> Outcome:
    """List the models in a folder: runs, and those that galleries keep.

    Parameters
    ----------
    path
        A folder; models up to four folders below it are found. The present folder if not given.
    """
    from seston.recognition import list_models

    found = list_models(path)
    rows = [(one.path, one.recipe, one.steps, one.model_id, one.problem or one.compiled) for one in found]
    return Outcome(
        document={"models": found},
        blocks=(Table(("path", "recipe", "steps", "model", "compiled"), rows), f"{len(found):,} models."),
        partial=any(one.problem for one in found),
    )


@models.command(name="compile")
def compile_run(
    run: Existing, /, *, to: Path | None = None, overwrite: Overwrite = False, as_json: AsJson = False
) -> Outcome:
    """Compile a model to ONNX, so that embed and identify need no torch and are faster.

    The graphs go into the folder of the run, and a gallery made with the run carries them.

    Parameters
    ----------
    run
        The folder of a run, or of a gallery, whose model is then compiled.
    to
        Leave the run as it is, and write a copy of it with the graphs into this folder.
    """
    if to is not None:
        check_free(to, overwrite=overwrite)
    from seston.recognition import compile_model

    made = compile_model(run, to=to, overwrite=overwrite)
    document = {
        "run": str(made.run),
        "model": made.model_id,
        "graphs": list(made.graphs),
        "bytes": made.bytes,
        "seconds": made.seconds,
    }
    sentence = (
        f"Model {made.model_id} compiled: {', '.join(made.graphs)} in {made.run / 'onnx'}, {made.bytes / 1e6:.1f} MB."
    )
    return Outcome(document=document, blocks=(sentence,))

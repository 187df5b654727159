"""Commands about models: list, compile, push, fetch."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from cyclopts import App, Group

from seston.cli.output import Outcome, Table
from seston.cli.words import AsJson, Existing, Flag, Overwrite, check_free

__all__ = ["compile_run", "fetch", "list_runs", "models", "push"]

models = App(
    name="models",
    help="List models, compile one so that it runs without torch, send one to the Hub or fetch one from it.",
    group_commands=Group("Models"),
    group_parameters=Group("Options"),
)


@models.command(name="list")
def list_runs(path: Existing = Path(), /, *, as_json: AsJson = False) -> Outcome:
    """List the models in a folder (runs, and those that galleries keep) and the released ones that are known by name.

    Released image-text models are fetched from the Hugging Face Hub when they are first used.

    Parameters
    ----------
    path
        A folder; models up to four folders below it are found. The present folder if not given.
    """
    from seston.models.released import RELEASED
    from seston.recognition import list_models

    found = list_models(path)
    rows = [(one.path, one.recipe, one.steps, one.model_id, one.problem or one.compiled) for one in found]
    known = [(one.name, one.encoder, one.learnt_from, one.licence, one.repository) for one in RELEASED]
    return Outcome(
        document={"models": found, "released": [asdict(one) for one in RELEASED]},
        blocks=(
            Table(("path", "recipe", "steps", "model", "compiled"), rows),
            f"{len(found):,} models.",
            Table(("released model", "encoder", "learnt from", "licence", "on the Hub"), known),
        ),
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


@models.command(name="push")
def push(
    run: Existing, repository: str, /, *, private: Flag = False, overwrite: Overwrite = False, as_json: AsJson = False
) -> Outcome:
    """Send a run to a model repository of the Hugging Face Hub, with its card.

    The weights go as safetensors; a tower of timm goes along in timm's own layout. The login is that of hf auth login.

    Parameters
    ----------
    run
        The folder of a training that has ended.
    repository
        OWNER/NAME; it is made where it is not there.
    private
        Make the repository a private one.
    """
    from seston.interchange import push_model

    sent = push_model(run, repository, private=private, overwrite=overwrite)
    sentence = f"Model {sent.model_id} sent to {sent.url}: {len(sent.files):,} files."
    return Outcome(document=asdict(sent) | {"files": list(sent.files)}, blocks=(sentence,))


@models.command(name="fetch")
def fetch(
    repository: str, /, *, to: Path, revision: str | None = None, overwrite: Overwrite = False, as_json: AsJson = False
) -> Outcome:
    """Fetch a run from the Hugging Face Hub, or weights of open_clip or timm to begin a training with.

    Parameters
    ----------
    repository
        OWNER/NAME.
    to
        The folder to make.
    revision
        A branch, tag or commit of the repository.
    """
    check_free(to, overwrite=overwrite)
    from seston.interchange import fetch_model

    found = fetch_model(repository, to=to, revision=revision, overwrite=overwrite)
    document = asdict(found) | {"to": str(found.to), "files": list(found.files)}
    what = f"Run {found.model_id}" if found.kind == "run" else f"Weights of {found.kind}"
    return Outcome(document=document, blocks=(f"{what} in {found.to}, {found.bytes / 1e6:.1f} MB.",))

"""The model card of a run: what it learned from, how, how far it got, and what it is not for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from seston.particle import Skipped
from seston.training.context_settings import ContextPreparation
from seston.training.particles import Chosen
from seston.training.run import Run

__all__ = ["model_card"]


def model_card(
    run: Run, train: Chosen, validation: Chosen, *, data: str, split: str, skipped: Sequence[Skipped], machine: str,
    shuffled: bool = False,
) -> str:  # fmt: skip
    """Write the card as Markdown.

    Parameters
    ----------
    run
        The finished run.
    train, validation
        The particles that it learned from, and those held out.
    data, split
        How the data set and the partition are called.
    skipped
        Pictures and profiles that could not be used.
    machine
        What it was trained on.
    shuffled
        Whether pictures and profiles were paired at random: such a run is a control and knows nothing.
    """
    recipe = run.recipe
    lines = [
        f"# Run of the recipe `{recipe.name}`",
        "",
        recipe.description,
        "",
        *_origin(train, shuffled),
        "",
        "| | |",
        "| --- | --- |",
        f"| model id | `{run.model_id}` |",
        f"| parameters | {sum(p.numel() for p in run.model.parameters()):,} |",
        f"| data set | {data}, {split} |",
        f"| particles | {len(train):,} for training, {len(validation):,} held out |",
        f"| samples | {len(set(train.sample.tolist())):,} |",
        f"| licences | {_counts(train.licences)} |",
        f"| channels | {', '.join(run.preparation.channels) or 'none'} |",
        f"| left out | {len(skipped):,} pictures or profiles that cannot be used |",
        f"| steps | {run.steps:,} in {run.seconds:,.0f} s on {machine} |",
        f"| weights kept | {run.choice} |",
        *([] if run.classes is None else [_classes(run)]),
        *_contexts(run),
        "",
        "## Limits",
        "",
        *_what_was_learnt(run),
        "- Pictures and profiles of another instrument, or of other channels or settings, may be named worse without",
        "  any warning from the model itself; `seston doctor` compares the settings.",
        "- The weights may be used as the licences of the particles above allow.",
        "",
        "## Recipe",
        "",
        "```toml",
        recipe.to_toml().strip(),
        "```",
        "",
    ]
    return "\n".join(lines)


def _classes(run: Run) -> str:
    assert run.classes is not None
    assert run.recipe.supervised is not None
    counts = sorted(run.classes.counts)
    how = f"by {run.classes.by}, {counts[0]:,} to {counts[-1]:,} particles each"
    return f"| classes | {len(run.classes):,} {how}; head `{run.recipe.supervised.head}` |"


def _contexts(run: Run) -> list[str]:
    known = run.preparation.context
    if not isinstance(known, ContextPreparation):
        return []
    return [f"| contexts | {', '.join(known.parts)} of {known.particles:,} particles from {known.samples:,} samples |"]


def _what_was_learnt(run: Run) -> list[str]:
    if isinstance(run.preparation.context, ContextPreparation):
        samples = f"{run.preparation.context.samples:,} samples"
        return [
            f"- Where and when particles were taken was learnt from {samples}, each with its own gain and focus: what",
            "  the model says of other places and seasons is a guess until it is measured on such.",
            *_by_labels(run),
        ]
    return _by_labels(run)


def _by_labels(run: Run) -> list[str]:
    if run.recipe.text is not None:
        return [
            "- Texts about the labels of training particles were learnt. Measure how well the model names particles on",
            "  samples that it has not seen (`seston evaluate zero-shot`, `gallery-knn`).",
        ]
    if run.classes is None:
        return [
            "- No label was used in training. How well the model names particles depends on the gallery; measure it",
            "  with `seston evaluate gallery-knn` on samples that are in neither.",
        ]
    return [
        "- The labels of the training particles were learnt. The head knows their classes alone, and names by one of",
        "  them or by a wider group; measure it on samples that it has not seen.",
        _held_out(run),
    ]


def _held_out(run: Run) -> str:
    count = 0 if run.held_out is None else len(run.held_out.classes)
    if not count:
        return "- No particle was held out, so how often names are right, and what is strange, is not known."
    return f"- How often names are right, and what is strange, was learnt from {count:,} held-out particles."


def _origin(train: Chosen, shuffled: bool) -> list[str]:
    """Say at the top what must not be overlooked."""
    lines = []
    for word, meaning in (
        ("simulated", "no real particle was seen"),
        ("semi-simulated", "real pictures, simulated profiles"),
    ):
        if count := train.flags.get(word, 0):
            lines.append(f"**Trained on {word} data** ({count:,} particles: {meaning}).")
    if shuffled:
        lines.append("**A control: pictures and profiles were paired at random. Do not use it.**")
    return lines or ["Trained on measured particles."]


def _counts(counter: Counter[str]) -> str:
    return ", ".join(f"{name} ({count:,})" for name, count in counter.most_common()) or "unknown"

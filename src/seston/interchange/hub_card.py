"""The card of a data set on the Hugging Face Hub: ``README.md`` with a YAML head.

Form: https://huggingface.co/docs/hub/datasets-cards. All figures are counted from what was written.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence

from seston.interchange.about import About
from seston.interchange.export_folder import ExportFolder
from seston.interchange.licences import find_licence, terms_of
from seston.interchange.planktonzilla_rows import Column
from seston.interchange.sharding import made_up_notes

__all__ = ["hub_card"]

_SIZES = (1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000)
_SIZE_NAMES = ("n<1K", "1K<n<10K", "10K<n<100K", "100K<n<1M", "1M<n<10M", "10M<n<100M", "100M<n<1B")
_SHOWN_LABELS = 100


def hub_card(folder: ExportFolder, parts: Sequence[str], columns: Sequence[Column], about: About) -> str:
    """Write the card of an export."""
    title = about.title or f"Plankton images: {folder.path.resolve().name}"
    particles = sum(shard.particles for shard in folder.shards)
    return "\n".join(
        [
            *_head(folder, parts, title, particles),
            f"# {title}",
            "",
            about.description or "Particles of plankton imaging instruments, with labels, taxa and licences.",
            "",
            *(f"**{note}.**\n" for note in made_up_notes(folder)),
            f"{particles:,} particles. Open them with",
            "",
            "```python",
            "from datasets import load_dataset",
            "",
            f'data = load_dataset("{folder.path.resolve().name}")  # this folder, or its name on the Hub',
            "```",
            "",
            *_licences(folder.counted("licences"), particles),
            *_credit(folder, about),
            *_counts("Sources", "dataset", folder.counted("sources")),
            *_counts("Labels", "label", folder.counted("labels")),
            *_statuses(folder.counted("statuses")),
            *_columns(columns),
        ]
    )


def _head(folder: ExportFolder, parts: Sequence[str], title: str, particles: int) -> list[str]:
    known = {find_licence(one) for one in folder.counted("licences")}
    only = next(iter(known)) if len(known) == 1 else None
    size = _SIZE_NAMES[sum(particles >= size for size in _SIZES)]
    present = {shard.part for shard in folder.shards}
    lines = [
        "---",
        f"pretty_name: {json.dumps(title, ensure_ascii=False)}",
        f"license: {only.hub if only else 'other'}",
    ]
    if only is None:
        lines += ["license_name: per-image", "license_link: README.md#licences"]
    lines += [f"size_categories: [{json.dumps(size)}]", "task_categories: [image-classification]"]
    lines += [
        "tags: [plankton, biology, marine, imaging, seston]",
        "configs:",
        "- config_name: default",
        "  data_files:",
    ]
    for part in parts:
        if part in present:
            lines += [f"  - split: {part}", f"    path: data/{part}-*.parquet"]
    return [*lines, "---", ""]


def _licences(licences: Counter[str], particles: int) -> list[str]:
    lines = ["## Licences", "", "Each picture has the licence of its source: column `license`.", ""]
    lines += ["| licence | particles | share |", "| --- | ---: | ---: |"]
    for spdx, number in licences.most_common():
        licence = find_licence(spdx)
        name = f"[{licence.spdx}]({licence.url})" if licence else _cell(spdx)
        lines.append(f"| {name} | {number:,} | {100 * number / particles:.2f} % |")
    return [*lines, "", terms_of(licences), ""]


def _credit(folder: ExportFolder, about: About) -> list[str]:
    lines = ["## Citation", ""]
    if about.citation:
        lines += [about.citation, ""]
    if about.creators:
        names = [f"{one.name} ({one.organisation})" if one.organisation else one.name for one in about.creators]
        lines += [f"Made by {'; '.join(names)}.", ""]
    if about.homepage:
        lines += [f"Home: {about.homepage}", ""]
    cited = {source: text for source in folder.counted("sources") if (text := _citation_of(source))}
    attributions = [text for text, _ in folder.counted("attributions").most_common()]
    credited = list(dict.fromkeys([*cited.values(), *attributions]))
    if credited:
        lines += ["Credit the sources:", "", *(f"- {_cell(text)}" for text in credited), ""]
    return lines if len(lines) > 2 else []


def _citation_of(source: str) -> str:
    """Give the citation of a public collection, where the source is one that Seston has a card of."""
    from seston.collections import card_names, load_card

    return load_card(source).citation if source in card_names() else ""


def _counts(heading: str, column: str, counts: Counter[str]) -> list[str]:
    if not counts:
        return []
    lines = [f"## {heading}", "", f"| {column} | particles |", "| --- | ---: |"]
    lines += [f"| {_cell(name) or '(none)'} | {number:,} |" for name, number in _ordered(counts)[:_SHOWN_LABELS]]
    if (more := len(counts) - _SHOWN_LABELS) > 0:
        lines.append(f"| … {more:,} more | {sum(number for _, number in _ordered(counts)[_SHOWN_LABELS:]):,} |")
    return [*lines, ""]


def _statuses(statuses: Counter[str]) -> list[str]:
    lines = ["## Who named them", "", "| label_status | particles |", "| --- | ---: |"]
    return [*lines, *(f"| {name} | {number:,} |" for name, number in _ordered(statuses)), ""]


def _columns(columns: Sequence[Column]) -> list[str]:
    lines = ["## Columns", "", "| column | type | holds |", "| --- | --- | --- |"]
    lines += [f"| `{one.name}` | {one.type} | {one.meaning} |" for one in columns]
    return [*lines, "", "`samples/samples.parquet` holds the samples: instrument, times, places, volumes.", ""]


def _ordered(counts: Counter[str]) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))


def _cell(text: str) -> str:
    """Make a text of someone else's fit for a table: no markup, no line breaks."""
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;").replace("[", "\\[").replace("`", "'")

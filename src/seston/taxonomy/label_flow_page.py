"""The label-flow page: one HTML file that shows where labels lead and loads nothing from elsewhere."""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from seston import __version__
from seston.errors import UsageError
from seston.particle import Progress
from seston.taxonomy.flow_paths import FlowPath, LabelFlow, label_flow
from seston.taxonomy.label_counts import count_labels
from seston.taxonomy.overrides import data_set_overrides
from seston.taxonomy.taxon import RANKS
from seston.taxonomy.whole_files import written_whole

__all__ = ["FlowPageReport", "sankey"]

_SHOWN_AT_FIRST = 70
"""Taxa at the right that the page shows before anyone moves its threshold."""


@dataclass(frozen=True, slots=True)
class FlowPageReport:
    """What the page shows."""

    to: Path
    particles: int
    unlabelled: int
    """Particles without a label, which the page leaves out."""
    unresolved: int
    """Particles whose label names nothing that is known here."""
    sources: int
    labels: int
    paths: int
    """Different meanings, each source's for itself."""


def sankey(path: Path, to: Path, *, overwrite: bool = False, progress: Progress | None = None) -> FlowPageReport:
    """Draw the label-flow page of a data set, or of a table of counts (see `count_labels`).

    Raises
    ------
    UsageError
        `to` is there already, or there is no labelled particle.
    NotFoundError, InputError
        See `count_labels`.
    """
    if to.exists() and not overwrite:
        raise UsageError(f"{to} is there already: choose another place, or replace it by --overwrite")
    flow = label_flow(count_labels(path, progress=progress), overrides=data_set_overrides(path))
    if not flow.particles:
        raise UsageError(f"{path}: no particle has a label, so there is nothing to draw")
    with written_whole(to) as file:
        file.write(_page(flow, path.stem if path.is_file() else path.name))
    return FlowPageReport(
        to=to,
        particles=flow.particles,
        unlabelled=flow.unlabelled,
        unresolved=flow.unresolved,
        sources=len({one.source for one in flow.paths}),
        labels=flow.labels,
        paths=len(flow.paths),
    )


def _page(flow: LabelFlow, title: str) -> str:
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=PackageLoader("seston.taxonomy", "."), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    folder = resources.files("seston.taxonomy")
    # Style and script are our own; what stems from the user's data is escaped where it is put into the document.
    style, layout, drawing = (Markup(folder.joinpath(name).read_text(encoding="utf-8")) for name in _PARTS)
    return environment.get_template("label_flow.html.j2").render(
        title=title,
        flow=flow,
        sources=len({one.source for one in flow.paths}),
        unresolved=_percent(flow.unresolved, flow.particles),
        version=__version__,
        style=style,
        script=layout + drawing,
        document=Markup(_for_script(_document(flow, title))),
    )


_PARTS = ("label_flow.css", "label_flow_layout.js", "label_flow.js")


def _document(flow: LabelFlow, title: str) -> dict[str, Any]:
    return {
        "title": title,
        "columns": ["collection", "kind", *RANKS],
        "particles": flow.particles,
        "threshold": _first_threshold(flow),
        "paths": [_path(one) for one in flow.paths],
    }


def _path(path: FlowPath) -> dict[str, Any]:
    return {
        "source": path.source or "one source",
        "kind": path.kind,
        "steps": [[2 + RANKS.index(step.column), step.name, step.rank] for step in path.steps],
        "id": path.aphia_id,
        "n": path.particles,
        "labels": path.labels,
        "more": path.more_labels,
    }


def _first_threshold(flow: LabelFlow) -> int:
    """Choose the number of particles below which taxa are pooled, so that the first look is no thicket."""
    sizes: dict[tuple[str, tuple[str, ...]], int] = {}
    for path in flow.paths:
        key = (path.kind, tuple(step.name for step in path.steps))
        sizes[key] = sizes.get(key, 0) + path.particles
    ordered = sorted(sizes.values(), reverse=True)
    return ordered[_SHOWN_AT_FIRST] + 1 if len(ordered) > _SHOWN_AT_FIRST else 1


def _percent(part: int, whole: int) -> str:
    percent = 100 * part / whole
    return "less than 0.1" if 0 < percent < 0.1 else f"{percent:.1f}"


def _for_script(document: dict[str, Any]) -> str:
    """Give JSON that cannot end the element that holds it."""
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")

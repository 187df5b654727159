"""The map of a data set: a page of its own, and drawings for the report."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from seston.errors import UsageError
from seston.evaluation.places import Places, find_places
from seston.evaluation.results import Evaluation, Figure
from seston.evaluation.world_map import close_up, world_map

if TYPE_CHECKING:
    from seston.store import DataSet

__all__ = ["SampleMap", "map_samples", "with_map"]

_LISTED = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleMap:
    """A map and what is on it."""

    places: Places
    page: Path


def map_samples(data: DataSet | Path | str, *, to: Path | str, overwrite: bool = False) -> SampleMap:
    """Draw where the particles of a data set were taken, as one HTML file that loads nothing from elsewhere.

    Parameters
    ----------
    data
        A data set, or its folder.
    to
        Path of the page, or a folder in which it becomes ``map.html``.
    overwrite
        Replace a page that is there.

    Raises
    ------
    UsageError
        The page is there already.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    from seston.store import DataSet, open_data_set

    page = Path(to)
    page = page if page.suffix.lower() in (".html", ".htm") else page / "map.html"
    if page.exists() and not overwrite:
        raise UsageError(f"{page} is already there; name another place, or add --overwrite")
    opened = data if isinstance(data, DataSet) else open_data_set(data)
    places = find_places(opened)
    environment = Environment(
        loader=PackageLoader("seston.evaluation", "."), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    text = environment.get_template("map.html.j2").render(
        name=opened.path.name,
        version=opened.version,
        lead=_lead(places),
        figures=[Markup(figure.svg) for figure in _figures(places)],
        inland=any(place.on_land for place in places.places),
        places=places.places[:_LISTED],
        more=max(0, len(places.places) - _LISTED),
    )
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text(text, encoding="utf-8")
    return SampleMap(places=places, page=page)


def with_map(evaluation: Evaluation, data: DataSet) -> Evaluation:
    """Add the map of the data to the drawings of an evaluation, if anyone says where its particles were taken."""
    return replace(evaluation, figures=(*evaluation.figures, *_figures(find_places(data))))


def _figures(places: Places) -> tuple[Figure, ...]:
    if not places.places:
        return ()
    world = Figure("Where the particles were taken", _lead(places), world_map(places.places))
    window = close_up(places.places)
    if window is None:
        return (world,)
    nearer = world_map(places.places, window=window, title="The same places from nearer by")
    return (world, Figure("The same places from nearer by", "", nearer))


def _lead(places: Places) -> str:
    """Say in words what is on the map, and what is not."""
    if not places.places:
        return "No one says where the particles of this data set were taken."
    where = f"{_count(places.samples, 'sample')} at {_count(len(places.places), 'place')}"
    sentences = [f"{places.particles:,} particles of {where}; a circle grows with each power of ten."]
    if inland := sum(place.on_land for place in places.places):
        sentences.append(f"{_count(inland, 'place')} at least 30 km inland (yellow): a lake, or a wrong position.")
    if places.impossible:
        sentences.append(f"{places.impossible:,} particles have an impossible position.")
    if places.without:
        sentences.append(f"Of {places.without:,} particles no one says where they were taken.")
    return " ".join(sentences)


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"

"""A contact sheet of suggestions: one page that holds the pictures, with a field for each label."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from seston.particle import Particle
from seston.recognition.drawing import profile_plot
from seston.recognition.encoder import stream_particles
from seston.recognition.suggestion import KINDS, Suggestion, SuggestResult
from seston.recognition.thumbnails import thumbnail

if TYPE_CHECKING:
    from seston.store import DataSet

__all__ = ["contact_sheet"]

_SIDE = 180
_PROFILE = 200, 54


def contact_sheet(data: DataSet, result: SuggestResult, *, table: str = "to-label.csv") -> str:
    """Draw suggestions as one HTML page that needs nothing beside it.

    They are grouped by why they are suggested, with picture, profile and the likeliest label so far. Labels typed into
    the page can be saved as a table for ``seston annotate``; nothing is sent anywhere.

    Parameters
    ----------
    table
        Name of the table that the page belongs to.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    shown = {particle.id: particle for particle in stream_particles(data, [one.id for one in result.particles])}
    environment = Environment(
        loader=PackageLoader("seston.recognition", "."), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    cards = [_card(number, one, shown.get(one.id)) for number, one in enumerate(result.particles, start=1)]
    return environment.get_template("contact_sheet.html.j2").render(
        groups=_groups(cards, cold=not result.labels),
        labels=list(result.labels),
        result=result,
        data=data.path.name,
        table=table,
    )


def _groups(cards: Sequence[dict[str, Any]], *, cold: bool) -> list[dict[str, Any]]:
    titles = KINDS | ({"new": "One of each cluster: nothing has a label yet"} if cold else {})
    groups = [
        {"title": title, "cards": [card for card in cards if card["kind"] == kind]} for kind, title in titles.items()
    ]
    return [group for group in groups if group["cards"]]


def _card(number: int, one: Suggestion, particle: Particle | None) -> dict[str, Any]:
    from markupsafe import Markup

    picture = None if particle is None else thumbnail(particle.image, _SIDE)
    profile = None if particle is None or particle.profile is None or not particle.profile.size else particle.profile
    width, height = _PROFILE
    return {
        "number": number,
        "id": one.id,
        "kind": one.kind,
        "why": one.why,
        "suggested": one.suggested,
        "score": None if one.score is None else f"{one.score * 100:.0f} %",
        "picture": picture and f"data:image/png;base64,{base64.b64encode(picture).decode()}",
        "profile": ""
        if particle is None or profile is None
        # The drawing is our own; names of channels in it are escaped where it is made.
        else Markup(profile_plot(profile, particle.profile_channels, width=width, height=height)),
    }

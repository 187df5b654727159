"""Commands about public collections: list, show; and where the others are."""

from __future__ import annotations

from cyclopts import App, Group

from seston.cli.output import Outcome, Table
from seston.cli.words import AsJson

__all__ = ["collections", "list_cards", "show_card"]

collections = App(
    name="collections",
    help="Public collections of plankton pictures: what is known of them, and one data set out of many.",
    group_commands=Group("Collections"),
    group_parameters=Group("Options"),
)


@collections.command(name="list")
def list_cards(*, as_json: AsJson = False) -> Outcome:
    """List the collections that Seston knows."""
    from seston.collections import load_cards

    cards = load_cards()
    rows = [(one.name, one.instrument, one.images, one.classes, one.licence, one.doi or one.page) for one in cards]
    document = [
        {
            "name": one.name,
            "title": one.title,
            "instrument": one.instrument,
            "images": one.images,
            "classes": one.classes,
            "licence": one.licence,
            "doi": one.doi,
        }
        for one in cards
    ]
    columns = ("collection", "instrument", "pictures", "classes", "licence", "where")
    return Outcome(document={"collections": document}, blocks=(Table(columns, rows), f"{len(cards)} collections."))


@collections.command(name="show")
def show_card(name: str, /, *, as_json: AsJson = False) -> Outcome:
    """Show what is known of one collection: licence, citation, files, layout, and what to do by hand.

    Parameters
    ----------
    name
        The name of a collection, or the path of a card of your own (….toml).
    """
    import msgspec

    from seston.collections import load_card

    card = load_card(name)
    facts = [
        ("instrument", " ".join((card.instrument, card.instrument_code)).strip()),
        ("pictures", "; ".join(f"{one.images:,} in {one.classes or '?'} classes: {one.what}" for one in card.expected)),
        ("licence", f"{card.licence} ({card.licence_source})"),
        ("cite", card.citation),
        ("doi", card.doi),
        ("page", card.page),
        ("files", "; ".join(f"{one.name}: {one.url or 'by hand'}" for one in card.files)),
        ("by hand", card.instructions),
        ("paths", "; ".join(card.layout.pictures) or f"read by the reader {card.layout.reader}"),
        ("label", card.label_rule),
    ]
    known = [(what, text) for what, text in facts if text]
    return Outcome(
        document=msgspec.to_builtins(card),
        blocks=(f"{card.name}: {card.title}", Table(("what", "known"), known), *card.notes),
    )


collections.command("seston.cli.building:build", name="build")
collections.command("seston.cli.building:duplicates", name="duplicates")
collections.command("seston.cli.fetching:fetch", name="fetch")
collections.command("seston.cli.fetching:metadata", name="metadata")

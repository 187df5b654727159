"""The two documents of a Darwin Core archive: ``meta.xml`` says what its tables hold, ``eml.xml`` whose they are.

Forms: https://dwc.tdwg.org/text/ and the GBIF profile of the Ecological Metadata Language, version 1.1
(https://ipt.gbif.org/manual/en/ipt/latest/gbif-metadata-profile).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from xml.etree import ElementTree

from seston.interchange.about import About, Creator
from seston.interchange.darwin_core_rows import Term
from seston.interchange.licences import find_licence, terms_of

__all__ = ["Coverage", "eml_document", "meta_document"]

_TEXT = "http://rs.tdwg.org/dwc/text/"
_EML = "eml://ecoinformatics.org/eml-2.1.1"
_ROW_TYPES = {
    "occurrence": "http://rs.tdwg.org/dwc/terms/Occurrence",
    "event": "http://rs.tdwg.org/dwc/terms/Event",
}
_UNSAID = "to be filled in"


@dataclass(slots=True)
class Coverage:
    """Where and when the occurrences of an archive are, as far as that is known."""

    west: float = 180.0
    east: float = -180.0
    south: float = 90.0
    north: float = -90.0
    first: str = ""
    last: str = ""
    licences: set[str] = field(default_factory=set)

    def add(self, values: Mapping[str, object], licence: str) -> None:
        """Take in an occurrence."""
        latitude, longitude = values.get("latitude"), values.get("longitude")
        if isinstance(latitude, float) and isinstance(longitude, float):
            self.west, self.east = min(self.west, longitude), max(self.east, longitude)
            self.south, self.north = min(self.south, latitude), max(self.north, latitude)
        if isinstance(dates := values.get("date"), str):
            start, _, end = dates.partition("/")
            self.first = min(self.first or start[:10], start[:10])
            self.last = max(self.last, (end or start)[:10])
        self.licences.add(licence)


def meta_document(core: str, tables: Mapping[str, Sequence[Term]]) -> bytes:
    """Describe the tables of an archive.

    Parameters
    ----------
    core
        Name of the table that the others belong to.
    tables
        Name → columns; the file is ``NAME.txt``. The first column of the core is its id; in another table, the column
        of the same name points to it.
    """
    root = ElementTree.Element("archive", {"xmlns": _TEXT, "metadata": "eml.xml"})
    key = tables[core][0].name
    for name, terms in tables.items():
        attributes = {
            "encoding": "UTF-8",
            "fieldsTerminatedBy": "\\t",
            "linesTerminatedBy": "\\n",
            "fieldsEnclosedBy": "",
            "ignoreHeaderLines": "1",
            "rowType": _ROW_TYPES[name],
        }
        table = ElementTree.SubElement(root, "core" if name == core else "extension", attributes)
        ElementTree.SubElement(ElementTree.SubElement(table, "files"), "location").text = f"{name}.txt"
        place = [term.name for term in terms].index(key)
        ElementTree.SubElement(table, "id" if name == core else "coreid", {"index": str(place)})
        for index, term in enumerate(terms):
            ElementTree.SubElement(table, "field", {"index": str(index), "term": term.uri})
    return _written(root)


def eml_document(about: About, name: str, coverage: Coverage, day: date) -> bytes:
    """Describe the data set.

    Parameters
    ----------
    name
        What to call it where `about` has no title.
    day
        When it was last changed.
    """
    title = about.title or f"Plankton images: {name}"
    identifier = hashlib.sha256(f"{title} {day}".encode()).hexdigest()[:32]
    attributes = {"xmlns:eml": _EML, "packageId": f"seston-{identifier}", "system": "seston", "scope": "system"}
    root = ElementTree.Element("eml:eml", attributes)
    data = ElementTree.SubElement(root, "dataset")
    _text(data, "title", title)
    creators = about.creators or (Creator(name=""),)
    for role in ("creator", "metadataProvider"):
        for creator in creators if role == "creator" else creators[:1]:
            _person(ElementTree.SubElement(data, role), creator)
    _text(data, "pubDate", day.isoformat())
    _text(data, "language", "eng")
    _paragraph(data, "abstract", about.description or "Particles seen by plankton imaging instruments.")
    _rights(data, coverage.licences)
    if about.homepage:
        online = ElementTree.SubElement(ElementTree.SubElement(data, "distribution", {"scope": "document"}), "online")
        ElementTree.SubElement(online, "url", {"function": "information"}).text = about.homepage
    _coverage(data, coverage)
    _person(ElementTree.SubElement(data, "contact"), creators[0])
    if about.citation:
        more = ElementTree.SubElement(ElementTree.SubElement(root, "additionalMetadata"), "metadata")
        _text(ElementTree.SubElement(more, "gbif"), "citation", about.citation)
    return _written(root)


def _rights(data: ElementTree.Element, licences: set[str]) -> None:
    only = find_licence(next(iter(licences))) if len(licences) == 1 else None
    paragraph = _paragraph(data, "intellectualRights", "" if only else terms_of(sorted(licences)))
    if only:
        link = ElementTree.SubElement(paragraph, "ulink", {"url": only.url})
        _text(link, "citetitle", only.spdx)


def _coverage(data: ElementTree.Element, coverage: Coverage) -> None:
    if coverage.west > coverage.east and not coverage.first:
        return
    within = ElementTree.SubElement(data, "coverage")
    if coverage.west <= coverage.east:
        place = ElementTree.SubElement(within, "geographicCoverage")
        _text(place, "geographicDescription", "Bounding box of all occurrences")
        box = ElementTree.SubElement(place, "boundingCoordinates")
        for side in ("west", "east", "north", "south"):
            _text(box, f"{side}BoundingCoordinate", str(getattr(coverage, side)))
    if coverage.first:
        span = ElementTree.SubElement(ElementTree.SubElement(within, "temporalCoverage"), "rangeOfDates")
        for tag, day in (("beginDate", coverage.first), ("endDate", coverage.last)):
            _text(ElementTree.SubElement(span, tag), "calendarDate", day)


def _person(parent: ElementTree.Element, creator: Creator) -> None:
    if creator.name:
        given, _, surname = creator.name.rpartition(" ")
        individual = ElementTree.SubElement(parent, "individualName")
        if given:
            _text(individual, "givenName", given)
        _text(individual, "surName", surname)
    if creator.organisation:
        _text(parent, "organizationName", creator.organisation)
    if not creator.name and not creator.organisation:
        _text(parent, "positionName", _UNSAID)
    if creator.email:
        _text(parent, "electronicMailAddress", creator.email)
    if creator.orcid:
        attributes = {"directory": "https://orcid.org/"}
        ElementTree.SubElement(parent, "userId", attributes).text = creator.orcid


def _paragraph(parent: ElementTree.Element, tag: str, text: str) -> ElementTree.Element:
    paragraph = ElementTree.SubElement(ElementTree.SubElement(parent, tag), "para")
    paragraph.text = text
    return paragraph


def _text(parent: ElementTree.Element, tag: str, text: str) -> None:
    ElementTree.SubElement(parent, tag).text = text


def _written(root: ElementTree.Element) -> bytes:
    ElementTree.indent(root)
    content: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return content + b"\n"

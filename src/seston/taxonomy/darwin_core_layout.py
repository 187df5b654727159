"""How the table of taxa of a Darwin Core archive is laid out: its ``meta.xml``.

Source: "Darwin Core text guide", https://dwc.tdwg.org/text/
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from xml.parsers import expat

from seston.errors import InputError

__all__ = ["TableLayout", "read_layout", "term_name"]

_LARGEST = 1 << 20
_ESCAPES = {"\\t": "\t", "\\n": "\n", "\\r": "\r"}
_TERM = re.compile(r".*[/#:]")


@dataclass(frozen=True, slots=True)
class TableLayout:
    """Where a table of taxa is and how to read it."""

    file: str
    delimiter: str = ","
    quote: str = '"'
    encoding: str = "utf-8-sig"
    header_lines: int = 0
    columns: Mapping[str, int] = field(default_factory=dict)
    """Term → place of its field, from 0."""
    constants: Mapping[str, str] = field(default_factory=dict)
    """Term → what it is in every row that does not say otherwise."""


def read_layout(document: bytes, where: str) -> TableLayout:
    """Read ``meta.xml``.

    Parameters
    ----------
    document
        The file.
    where
        How to call it in a message.

    Raises
    ------
    InputError
        It is no such document, or it is one that defines its own entities, which no archive needs.
    """
    if len(document) > _LARGEST:
        raise InputError(f"{where}: is larger than {_LARGEST >> 20} MB, and no description of a table")
    reader = _Reader()
    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = _refuse
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.characters
    try:
        parser.Parse(document, True)
        layout = reader.layout()
    except (expat.ExpatError, _ForeignError, ValueError) as error:
        raise InputError(f"{where}: cannot be read ({error})") from None
    if not reader.location or "scientificName" not in {*reader.columns, *reader.constants}:
        raise InputError(f"{where}: describes no table of taxa (a core with the term scientificName)")
    return layout


def term_name(text: str) -> str:
    """Give the short name of a term: ``http://rs.tdwg.org/dwc/terms/taxonID`` is ``taxonID``."""
    return _TERM.sub("", text.strip())


class _ForeignError(Exception):
    pass


def _refuse(*_: object) -> None:
    raise _ForeignError("it has a DOCTYPE")


class _Reader:
    """Takes from the document what belongs to its core."""

    def __init__(self) -> None:
        self._in_core = False
        self._in_location = False
        self._core: dict[str, str] = {}
        self.location = ""
        self.columns: dict[str, int] = {}
        self.constants: dict[str, str] = {}

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        tag = term_name(tag)
        if tag == "core":
            self._in_core, self._core = True, attributes
        elif self._in_core and tag == "location":
            self._in_location = True
        elif self._in_core and tag == "id":
            self.columns.setdefault("taxonID", _number(attributes.get("index", "")))
        elif self._in_core and tag == "field":
            term = term_name(attributes.get("term", ""))
            if "index" in attributes:
                self.columns[term] = _number(attributes.get("index", ""))
            if attributes.get("default"):
                self.constants[term] = attributes["default"]

    def end(self, tag: str) -> None:
        if term_name(tag) == "core":
            self._in_core = False
        elif term_name(tag) == "location":
            self._in_location = False

    def characters(self, text: str) -> None:
        if self._in_location:
            self.location += text

    def layout(self) -> TableLayout:
        core = self._core
        return TableLayout(
            file=term_name(self.location),
            delimiter=_character(core.get("fieldsTerminatedBy", ",")) or ",",
            quote=_character(core.get("fieldsEnclosedBy", '"')),
            encoding=_encoding(core.get("encoding", "UTF-8")),
            header_lines=_number(core.get("ignoreHeaderLines", "0")),
            columns=self.columns,
            constants=self.constants,
        )


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 5):
        raise _ForeignError(f"{text!r} is no place of a field, or number of lines")
    return int(text)


def _character(text: str) -> str:
    return _ESCAPES.get(text, text)[:1]


def _encoding(name: str) -> str:
    plain = name.lower().replace("_", "-")
    if plain in ("utf-8", "utf8", ""):
        return "utf-8-sig"
    return {"iso-8859-1": "latin-1", "latin1": "latin-1", "windows-1252": "cp1252"}.get(plain, "utf-8-sig")

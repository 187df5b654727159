"""What only the owner of a data set can say of it: title, authors, citation. A small TOML file holds it.

::

    title = "Phytoplankton of the harbour, 2021 to 2024"
    description = "Weekly samples at the pier, imaged by a CytoSense."
    citation = "Example, A. (2024). Phytoplankton of the harbour. https://doi.org/…"
    homepage = "https://example.org/harbour"

    [[creators]]
    name = "A. Example"
    organisation = "Institute of the Harbour"
    email = "data@example.org"
    orcid = "0000-0000-0000-0000"
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from seston.errors import InputError, NotFoundError

__all__ = ["About", "Creator", "read_about"]


class Creator(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Someone who made the data set."""

    name: str
    organisation: str = ""
    email: str = ""
    orcid: str = ""


class About(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to say of a data set where it is published."""

    title: str = ""
    description: str = ""
    citation: str = ""
    homepage: str = ""
    creators: tuple[Creator, ...] = ()


def read_about(path: Path | str | None) -> About:
    """Read the file; nothing is said without one.

    Raises
    ------
    NotFoundError
        There is no such file.
    InputError
        It is no TOML, or has a key that is not known, or one of the wrong kind.
    """
    if path is None:
        return About()
    file = Path(path)
    if not file.is_file():
        raise NotFoundError(f"there is no file {file}; it should say title, description, citation and creators (TOML)")
    try:
        return msgspec.toml.decode(file.read_bytes(), type=About)
    except (msgspec.DecodeError, ValueError) as error:
        raise InputError(f"{file}: {error}; known keys: {', '.join(About.__struct_fields__)}") from error

"""Checklists of names from other registers, read row by row."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from seston.errors import InputError
from seston.particle import Skipped
from seston.taxonomy.checklist_files import ChecklistFiles, open_checklist
from seston.taxonomy.checklist_names import ChecklistName
from seston.taxonomy.darwin_core import claims_darwin_core, read_darwin_core
from seston.taxonomy.nordic_microalgae import claims_nordic_microalgae, read_nordic_microalgae

__all__ = ["FORMS", "ChecklistForm", "read_checklist"]


@dataclass(frozen=True, slots=True)
class ChecklistForm:
    """A form in which registers give their names away."""

    name: str
    claims: Callable[[ChecklistFiles], bool]
    read: Callable[[ChecklistFiles], Iterator[ChecklistName | Skipped]]


FORMS = (
    ChecklistForm("Nordic Microalgae", claims_nordic_microalgae, read_nordic_microalgae),
    ChecklistForm("Darwin Core", claims_darwin_core, read_darwin_core),
)
"""The forms that can be read; the first that claims the files reads them."""


def read_checklist(path: Path) -> Iterator[ChecklistName | Skipped]:
    """Read the names of a checklist; memory does not grow with its size.

    Parameters
    ----------
    path
        A Darwin Core table of taxa (``taxon.txt``, ``.csv``, ``.tsv``), a Darwin Core archive (zipped, or the folder
        that it unpacks to), or ``taxa.txt`` of Nordic Microalgae, with ``synonyms.txt`` beside it or in one zip.

    Raises
    ------
    NotFoundError
        There is no such file.
    InputError
        It is in no form that is known here, or damaged.
    """
    with open_checklist(path) as files:
        for form in FORMS:
            if form.claims(files):
                yield from form.read(files)
                return
    raise InputError(
        f"{path}: is no checklist that Seston knows: it needs a header with scientificName (Darwin Core) "
        "or scientific_name and taxon_id (Nordic Microalgae)"
    )

"""What a build says about itself, and what stays beside the data set of what each collection gave."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from seston.collections.duplicates import DuplicateReport
from seston.errors import DataSetError
from seston.particle import Note, Skipped
from seston.store.folder import write_whole

__all__ = ["BuildReport", "CollectionReport", "SetAside", "load_reports", "save_report"]

_FOLDER = "collections"
_MOST_NAMED = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectionReport:
    """What one collection gave. ``added + already_there + set_aside`` is every picture that its archives hold."""

    name: str
    title: str
    licence: str
    attribution: str
    doi: str
    added: int
    already_there: int
    duplicates: int
    """Of those added: pictures that are, byte for byte, an earlier one; they are kept and flagged."""
    set_aside: int
    """Pictures that cannot be used."""
    reasons: dict[str, int]
    """Why, and how many."""
    ignored: int = 0
    """Pictures that the card says are no particles of the collection."""
    classes: int = 0
    samples: int = 0
    image_bytes: int = 0
    expected: int | None = None
    """Pictures that the archives should hold, by the card; None where no count of the card fits or there is none."""
    expected_what: str = ""
    seconds: float = 0.0
    skipped: tuple[Skipped, ...] = ()
    """The first thousand pictures that were set aside."""
    notes: tuple[Note, ...] = ()

    @property
    def pictures(self) -> int:
        """All pictures that were met."""
        return self.added + self.already_there + self.set_aside


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildReport:
    """What a build did."""

    collections: list[CollectionReport] = field(default_factory=list)
    """In the order in which they were named, those that hold more than pictures last."""
    left_out: dict[str, str] = field(default_factory=dict)
    """Collections that the licence filter leaves out → their licence."""
    failed: dict[str, str] = field(default_factory=dict)
    """Collections of which nothing could be read → why."""
    duplicates: DuplicateReport | None = None
    """What stands in the whole data set more than once."""
    seconds: float = 0.0

    @property
    def added(self) -> int:
        """Particles added."""
        return sum(one.added for one in self.collections)


class SetAside:
    """Pictures that cannot be used: the reasons of all are counted, the first thousand are kept."""

    def __init__(self) -> None:
        self.first: list[Skipped] = []
        self._reasons: Counter[str] = Counter()

    def __len__(self) -> int:
        return self._reasons.total()

    def add(self, archive: str, name: str, reason: str) -> None:
        """Set a picture aside."""
        self._reasons[reason] += 1
        if len(self.first) < _MOST_NAMED:
            self.first.append(Skipped(archive, name, reason))

    @property
    def reasons(self) -> dict[str, int]:
        """Why, and how many; most frequent first."""
        return dict(self._reasons.most_common())


def save_report(data: Path, report: CollectionReport) -> None:
    """Keep what a collection gave beside the data set; the newest build of it counts."""
    folder = data / _FOLDER
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise DataSetError(f"{folder}: cannot be made: {error.strerror or error}") from error
    write_whole(folder / f"{report.name}.json", msgspec.json.format(msgspec.json.encode(report), indent=2) + b"\n")


def load_reports(data: Path) -> list[CollectionReport]:
    """Give what each collection gave, by name; records that cannot be read are left out."""
    found = []
    for path in sorted((data / _FOLDER).glob("*.json")):
        try:
            found.append(msgspec.json.decode(path.read_bytes(), type=CollectionReport))
        except (OSError, msgspec.DecodeError):
            continue
    return found

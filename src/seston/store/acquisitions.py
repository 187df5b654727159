"""Acquisitions of EcoTaxa, each of which belongs to one sample: which of them a data set has under another one."""

from __future__ import annotations

from collections.abc import Iterable

from seston.particle import Note, Sample

__all__ = ["Acquisitions"]

_READER = "ecotaxa"
_NAMED = 20


class Acquisitions:
    """Remembers the sample of each acquisition.

    Parameters
    ----------
    samples
        Those that the data set has.
    """

    def __init__(self, samples: Iterable[Sample]) -> None:
        self._sample_of: dict[str, str] = {}
        self._clashes: list[tuple[str, str, str, str]] = []
        for sample in samples:
            self.add(sample)

    def add(self, sample: Sample) -> None:
        """Remember a sample; and where its acquisition stands under another one already, that too."""
        acquisition, own = sample.settings.get("acq_id"), sample.settings.get("sample_id")
        if sample.reader != _READER or not acquisition or not own:
            return
        first = self._sample_of.setdefault(acquisition, own)
        if first != own:
            self._clashes.append((sample.path, acquisition, first, own))

    def forget_clashes(self) -> None:
        """Pass over what was found so far: it was said when it came."""
        self._clashes.clear()

    def notes(self) -> list[Note]:
        """Say which acquisitions were found under a second sample."""
        found = [
            Note(
                path,
                f"acquisition {acquisition!r} belongs to sample {first!r}, and here to {own!r}: in one project EcoTaxa "
                "would refuse that; both are kept",
            )
            for path, acquisition, first, own in self._clashes[:_NAMED]
        ]
        if (more := len(self._clashes) - _NAMED) > 0:
            found.append(Note(self._clashes[_NAMED][0], f"{more:,} more acquisitions stand under two samples"))
        return found

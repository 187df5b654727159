"""Give a data set the places, depths and times that its files did not say: from EcoTaxa and from IFCB dashboards."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path, PurePosixPath

from seston.collections.ecotaxa_objects import ECOTAXA, ask_project
from seston.collections.ifcb_dashboard import ask_dashboard, bin_of
from seston.collections.metadata_store import MetadataStore, ObjectFacts
from seston.errors import NetworkError, UsageError
from seston.network import PATIENCE, Patience
from seston.particle import Progress, Silence, Skipped
from seston.store import DataSet
from seston.store.filling import FillReport, Found

__all__ = ["TOKEN_VARIABLE", "MetadataReport", "metadata"]

TOKEN_VARIABLE = "SESTON_ECOTAXA_TOKEN"
"""Environment variable with the token of an EcoTaxa login; without one EcoTaxa shows validated objects alone."""
_FOLDER = "metadata"
_PICTURES = (".jpg", ".jpeg", ".png", ".tif", ".tiff", ".gif", ".bmp", ".webp")
_VALUES = ("latitude", "longitude", "depth_min_m", "depth_max_m", "time")


@dataclass(frozen=True, slots=True, kw_only=True)
class MetadataReport:
    """What was asked, what was found, and what it brought."""

    requests: int
    """Requests that were sent now."""
    objects: int
    """Objects and bins in the local store."""
    filled: FillReport
    ambiguous: int
    """Particles whose name several objects have that do not agree: left as they are."""
    failed: list[Skipped] = field(default_factory=list)
    """Projects and dashboards that did not answer, each with the reason."""


def metadata(
    data: DataSet,
    *,
    ecotaxa: Sequence[int] = (),
    ifcb: Sequence[str] = (),
    server: str = ECOTAXA,
    source: str | None = None,
    token: str | None = None,
    patience: Patience = PATIENCE,
    progress: Progress | None = None,
) -> MetadataReport:
    """Ask servers for places, depths and times in bulk, and fill them in where files said nothing.

    Answers are kept in the folder ``metadata`` of the data set: a call that was killed goes on where it stood, and
    nothing is asked twice. What was filled in carries its source (`seston.store.filling`) and its flags.

    Parameters
    ----------
    data
        The data set.
    ecotaxa
        Numbers of EcoTaxa projects. A particle is an object where the end of its id, without a file ending, is the
        object's number or its own name.
    ifcb
        Addresses of IFCB dashboards; with the name of a data set as path, one table is asked for in place of a request
        a bin. A particle belongs to the bin that its id names.
    server
        Address of EcoTaxa's API.
    source
        Only fill in particles and samples whose id begins with this name: the others may have names like those of
        objects by chance.
    token
        Of a login at EcoTaxa; from the environment (`TOKEN_VARIABLE`) if None.
    patience
        With each server.

    Raises
    ------
    UsageError
        Neither a project nor a dashboard is named.
    """
    if not ecotaxa and not ifcb:
        raise UsageError("name what to ask: --ecotaxa PROJECT, or --ifcb URL")
    progress = progress or Silence()
    token = token or os.environ.get(TOKEN_VARIABLE)
    belongs = _belongs_to(source)
    sent = 0
    failed: list[Skipped] = []
    with MetadataStore(Path(data.path) / _FOLDER) as store:

        def trying(name: str, ask_it: Callable[..., int]) -> None:
            nonlocal sent
            try:
                sent += ask_it(patience=patience, progress=progress)
            except NetworkError as error:
                failed.append(Skipped(name, "", str(error)))
            progress.finish()

        if ecotaxa and not token:
            progress.note(f"without a login EcoTaxa shows validated objects alone; {TOKEN_VARIABLE} takes a token")
        for project in ecotaxa:
            progress.start(f"asking EcoTaxa about project {project}")
            trying(f"project {project}", partial(ask_project, store, project, server=server, token=token))
        bins = set(_bins(data, belongs)) if ifcb else set()
        for url in ifcb:
            progress.start(f"asking {url} about bins", len(bins))
            trying(url, partial(ask_dashboard, store, url, bins))
        finder = _Finder(store, belongs)
        filled = data.fill_in(finder.particles, finder.samples, progress=progress) if store.count() else FillReport()
        return MetadataReport(
            requests=sent, objects=store.count(), filled=filled, ambiguous=finder.ambiguous, failed=failed
        )


def _belongs_to(source: str | None) -> Callable[[str], bool]:
    starts = () if source is None else (f"{source}:", f"{source}/")
    return lambda name: source is None or name == source or name.startswith(starts)


def _bins(data: DataSet, belongs: Callable[[str], bool]) -> Iterator[str]:
    for batch in data.particles(["id"], batch_size=8192):
        for name in batch.column("id").to_pylist():
            if belongs(name) and (one := bin_of(name)):
                yield one


class _Finder:
    """Looks particles and samples up in the store."""

    def __init__(self, store: MetadataStore, belongs: Callable[[str], bool]) -> None:
        self._store = store
        self._belongs = belongs
        self.ambiguous = 0

    def particles(self, ids: Sequence[str]) -> list[Found | None]:
        """Look up particles: by the bin in their id, else by its end as an object's number or name."""
        keys = [(bin_of(name) or _object_of(name)) if self._belongs(name) else None for name in ids]
        return self._look_up(keys, count=True)

    def samples(self, ids: Sequence[str]) -> list[Found | None]:
        """Look up samples that are bins."""
        keys = [bin_of(name) if self._belongs(name) else None for name in ids]
        return self._look_up(keys, count=False)

    def _look_up(self, keys: Sequence[str | None], *, count: bool) -> list[Found | None]:
        known = self._store.find([key for key in keys if key])
        sayings = {key: _sayings(key, facts) for key, facts in known.items()}
        if count:
            self.ambiguous += sum(len(sayings.get(key, ())) > 1 for key in keys if key)
        return [found[0] if key and len(found := sayings.get(key, [])) == 1 else None for key in keys]


def _object_of(name: str) -> str:
    """The end of an id, which is what EcoTaxa may know a particle by."""
    end = name.rpartition("/")[2]
    return PurePosixPath(end).stem if end.lower().endswith(_PICTURES) else end


def _sayings(key: str, facts: Sequence[ObjectFacts]) -> list[Found]:
    """What the objects of that number say, or, where it is no number, those of that name: each different one once."""
    chosen = [one for one in facts if one.key == key] or [one for one in facts if not key.isdigit()]
    found: dict[tuple[object, ...], Found] = {}
    for one in chosen:
        values = {name: getattr(one, name) for name in _VALUES}
        found.setdefault(tuple(values.values()), Found(source=one.source, **values))
    return list(found.values())

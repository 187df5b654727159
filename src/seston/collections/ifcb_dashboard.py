"""Ask an IFCB dashboard where and when bins were taken: all of a data set in one table, or one request a bin.

The calls are ``/api/export_metadata/DATASET`` and ``/api/bin/BIN`` of WHOIGit/ifcbdb.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import msgspec

from seston.collections.metadata_store import MetadataStore, ObjectFacts
from seston.errors import NetworkError
from seston.network import PATIENCE, Patience, ask, host_of
from seston.particle import Progress, Silence

__all__ = ["ask_dashboard", "bin_of"]

_BIN = re.compile(r"(?<![A-Za-z0-9])(D\d{8}T\d{6}_IFCB\d{3}|IFCB\d_\d{4}_\d{3}_\d{6})(?![0-9])")
_FURTHEST = {"latitude": 90.0, "longitude": 180.0, "depth": 20_000.0}
"""Beyond these a dashboard means that it does not know: it writes −9999999."""


def bin_of(name: str) -> str | None:
    """Find the name of a bin in the name of a particle, a sample or a file; see instruments of IFCB, both styles."""
    found = _BIN.search(name)
    return found[0] if found else None


def ask_dashboard(
    store: MetadataStore,
    url: str,
    bins: Iterable[str],
    *,
    patience: Patience = PATIENCE,
    progress: Progress | None = None,
) -> int:
    """Bring what a dashboard says about bins into the store; what was answered before is not asked again.

    Parameters
    ----------
    store
        Open for writing.
    url
        Address of the dashboard; with the name of a data set as its path (``https://ifcb-data.whoi.edu/mvco``), one
        table is asked for, and only the bins that it lacks are asked for one by one.
    bins
        Names of bins.

    Returns
    -------
    int
        Requests that were sent.

    Raises
    ------
    NetworkError
        The server does not answer, or not as its description says. A bin that it does not know is no error.
    """
    progress = progress or Silence()
    parts = urlsplit(url)
    base, data_set = f"{parts.scheme}://{parts.netloc}", parts.path.strip("/")
    wanted = sorted(set(bins))
    sent = 0

    def answered(address: str) -> bytes:
        nonlocal sent
        sent += 1
        return _ask(address, patience)

    if data_set:
        address = f"{base}/api/export_metadata/{data_set}"
        _take(store, address, answered, partial(_from_table, address=address))
    known = store.find(wanted)
    for name in wanted:
        if not any(facts.source.startswith(base) for facts in known.get(name, ())):
            address = f"{base}/api/bin/{name}"
            _take(store, address, answered, partial(_from_bin, name=name, base=base))
        progress.advance()
    return sent


def _take(
    store: MetadataStore, address: str, ask_it: Callable[[str], bytes], read: Callable[[bytes], list[ObjectFacts]]
) -> None:
    if not store.is_answered(address):
        store.add(address, address, store.answer(address, lambda: ask_it(address), read))


def _ask(address: str, patience: Patience) -> bytes:
    """Ask; of what is not there nothing is known, and that is an answer."""
    try:
        return ask(f"{address}?include_coordinates=false" if "/api/bin/" in address else address, patience=patience)
    except NetworkError as error:
        if "answers 404" in str(error):
            return b""
        raise


def _from_bin(data: bytes, name: str, base: str) -> list[ObjectFacts]:
    if not data:
        return []
    try:
        said = msgspec.json.decode(data, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise NetworkError(f"{host_of(base)}: the answer about {name} cannot be read ({error})") from None
    return [_facts(name, said.get("lat"), said.get("lng"), said.get("depth"), said.get("timestamp_iso"))]


def _from_table(data: bytes, address: str) -> list[ObjectFacts]:
    rows = csv.DictReader(io.StringIO(data.decode("utf-8", "replace")))
    if data and "pid" not in (rows.fieldnames or ()):
        raise NetworkError(f"{host_of(address)}: gives no table of bins at {address}")
    return [
        _facts(row["pid"], row.get("latitude"), row.get("longitude"), row.get("depth"), row.get("sample_time"))
        for row in rows
        if row["pid"]
    ]


def _facts(name: str, latitude: object, longitude: object, depth: object, time: object) -> ObjectFacts:
    position = (_number(latitude, "latitude"), _number(longitude, "longitude"))
    if None in position:
        position = (None, None)
    down = _number(depth, "depth")
    return ObjectFacts(
        key=name,
        latitude=position[0],
        longitude=position[1],
        depth_min_m=down,
        depth_max_m=down,
        time=_moment(time),
    )


def _number(value: object, what: str) -> float | None:
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return None
    return number if abs(number) <= _FURTHEST[what] else None


def _moment(value: object) -> datetime | None:
    try:
        time = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)

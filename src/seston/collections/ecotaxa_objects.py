"""Ask EcoTaxa where and when the objects of a project were taken: ten thousand a request, never one.

The call is ``POST /object_set/{project}/query`` of EcoTaxa's API (openapi.json 0.0.45, ecotaxa/ecotaxa_back).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from typing import Any
from urllib.parse import urlencode

import msgspec

from seston.collections.metadata_store import MetadataStore, ObjectFacts
from seston.errors import NetworkError
from seston.network import PATIENCE, Patience, ask, host_of
from seston.particle import Progress, Silence

__all__ = ["ECOTAXA", "WINDOW", "ask_project", "source_of"]

ECOTAXA = "https://ecotaxa.obs-vlfr.fr/api"
"""The server of the Villefranche laboratory, where most projects are."""
WINDOW = 10_000
"""Objects a request."""

_FIELDS = (
    "obj.orig_id",
    "obj.latitude",
    "obj.longitude",
    "obj.depth_min",
    "obj.depth_max",
    "obj.objdate",
    "obj.objtime",
    "obj.classif_qual",
    "txo.display_name",
)
_STATUS = {"P": "predicted", "V": "validated", "D": "dubious", "X": "discarded"}


class _Answer(msgspec.Struct):
    """The part of an answer that is read."""

    object_ids: list[int]
    details: list[list[Any]]
    total_ids: int | None = None


def ask_project(
    store: MetadataStore,
    project: int,
    *,
    server: str = ECOTAXA,
    token: str | None = None,
    window: int = WINDOW,
    patience: Patience = PATIENCE,
    progress: Progress | None = None,
) -> int:
    """Bring what a project says about its objects into the store; what was answered before is not asked again.

    Parameters
    ----------
    store
        Open for writing.
    project
        Number of the project.
    server
        Address of the API.
    token
        Of a login. Without one, EcoTaxa gives validated objects alone.
    window
        Objects a request.

    Returns
    -------
    int
        Requests that were sent.

    Raises
    ------
    NetworkError
        The server does not answer, or not as its description says.

    Notes
    -----
    Windows are ordered by the object's number: without an order that is unique, the server may double objects or lose
    them between windows. Fields that it does not know it drops without a word, so the width of each row is checked.
    """
    progress = progress or Silence()
    source = source_of(project, server)
    last, start, total, sent = -1, 0, None, 0
    while total is None or start < total:
        request = f"{source} {'with' if token else 'without'} login, {window} from {start}"
        if not store.is_answered(request):
            address = f"{server.rstrip('/')}/object_set/{project}/query?{_window(start, window)}"

            def send(address: str = address) -> bytes:
                nonlocal sent
                sent += 1
                return _post(address, token, patience)

            answer = store.answer(request, send, partial(_read, server=server, last=last))
            last = answer.object_ids[-1] if answer.object_ids else last
            count = answer.total_ids if answer.total_ids is not None else start + len(answer.object_ids)
            store.add(request, source, _facts(answer), total=count)
            progress.advance(len(answer.object_ids))
        total = store.total_of(request) or 0
        start += window
    if (there := store.count(source)) < total:
        progress.note(f"{source}: {there:,} of {total:,} objects came; the project changed while it was asked")
    return sent


def source_of(project: int, server: str = ECOTAXA) -> str:
    """Name a project as provenance."""
    return f"EcoTaxa project {project} ({server.rstrip('/')})"


def _window(start: int, size: int) -> str:
    window = {"fields": ",".join(_FIELDS), "order_field": "obj.objid", "window_start": start, "window_size": size}
    return urlencode(window, safe=",.")


def _post(address: str, token: str | None, patience: Patience) -> bytes:
    headers = {"Content-Type": "application/json", "Accept": "application/json"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    return ask(address, method="POST", body=json.dumps({}).encode(), headers=headers, patience=patience)


def _read(data: bytes, server: str, last: int) -> _Answer:
    try:
        answer = msgspec.json.decode(data, type=_Answer)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise NetworkError(f"{host_of(server)}: the answer is no list of objects ({error})") from None
    ids = answer.object_ids
    if len(answer.details) != len(ids) or any(len(row) != len(_FIELDS) for row in answer.details):
        raise NetworkError(f"{host_of(server)}: rows do not have the {len(_FIELDS)} fields that were asked for")
    if any(before >= after for before, after in zip([last, *ids], ids, strict=False)):
        raise NetworkError(f"{host_of(server)}: objects are not in the order of their numbers; none can be trusted")
    return answer


def _facts(answer: _Answer) -> Iterator[ObjectFacts]:
    for number, row in zip(answer.object_ids, answer.details, strict=True):
        name, latitude, longitude, depth_min, depth_max, day, clock, status, label = row
        position = (_number(latitude), _number(longitude))
        if None in position:
            position = (None, None)
        yield ObjectFacts(
            key=str(number),
            name=str(name) if name else None,
            latitude=position[0],
            longitude=position[1],
            depth_min_m=_number(depth_min),
            depth_max_m=_number(depth_max),
            time=_moment(day, clock),
            status=_STATUS.get(str(status)),
            label=str(label) if label else None,
        )


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _moment(day: object, clock: object) -> datetime | None:
    """Join ``objdate`` and ``objtime``; a day without a time of day is taken at its start."""
    try:
        return datetime.fromisoformat(f"{day}T{clock or '00:00:00'}").replace(tzinfo=UTC) if day else None
    except ValueError:
        return None

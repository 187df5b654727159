"""Fetch one file, whole and unchanged, over a line that may break at any byte."""

from __future__ import annotations

import contextlib
import http.client
import re
import time
from dataclasses import dataclass
from pathlib import Path

from seston.collections.partial_file import PartialFile, split_checksum
from seston.errors import DataSetError, NetworkError
from seston.network import PATIENCE, Patience, TemporaryError, given_up, host_of, patiently, send
from seston.particle import Progress, Silence

__all__ = ["Downloaded", "Offer", "download", "look_at"]

_CHUNK = 256 * 1024
_FRESH_STARTS = 3
_NO_HEAD = ("answers 400", "answers 403", "answers 405", "answers 501")
_RANGE = re.compile(r"bytes (?:(\d+)-(\d+)|\*)/(\d+|\*)")


@dataclass(frozen=True, slots=True)
class Offer:
    """What a server says about a file before it is fetched."""

    size: int | None
    """Bytes; None where it does not say."""
    type: str = ""
    """Media type."""


@dataclass(frozen=True, slots=True)
class Downloaded:
    """A file that has arrived."""

    path: Path
    size: int
    sha256: str
    etag: str | None
    last_modified: str | None
    checked: bool
    """Whether a checksum was there to compare with."""


class _ChangedError(Exception):
    """The file at the source is not the one that the bytes at hand are of."""


def look_at(url: str, *, patience: Patience = PATIENCE) -> Offer:
    """Ask how large a file is without fetching it: HEAD, or where that is refused the first byte alone.

    Raises
    ------
    NetworkError
        It is not there, or the server cannot be reached.
    """

    def head() -> Offer:
        with contextlib.closing(send(url, method="HEAD", timeout_s=patience.timeout_s)) as answer:
            return Offer(_number(answer.headers.get("Content-Length")), answer.headers.get_content_type())

    def first_byte() -> Offer:
        with contextlib.closing(send(url, headers={"Range": "bytes=0-0"}, timeout_s=patience.timeout_s)) as answer:
            whole = _range_of(answer)[1] if answer.status == 206 else _number(answer.headers.get("Content-Length"))
            return Offer(whole, answer.headers.get_content_type())

    try:
        return patiently(head, patience=patience)
    except NetworkError as error:
        if not any(refusal in str(error) for refusal in _NO_HEAD):
            raise
    return patiently(first_byte, patience=patience)


def download(
    url: str,
    target: Path,
    *,
    size: int | None = None,
    checksum: str | None = None,
    patience: Patience = PATIENCE,
    progress: Progress | None = None,
) -> Downloaded:
    """Fetch a file to `target`, going on where an earlier attempt stopped.

    Parameters
    ----------
    url, target
        From where, and to where. Until it is whole the file stands beside it as ``NAME.part``.
    size
        Bytes that it must have; None where no one knows.
    checksum
        ``md5:``, ``sha1:``, ``sha256:`` or ``sha512:`` and the digits; None where none is published.
    patience
        Failures in a row to bear; one that brought bytes begins the row anew.
    progress
        Is told bytes; the stage is the caller's.

    Raises
    ------
    NetworkError
        The server refuses, goes on failing, or gives a file of another size or checksum than expected. A whole file
        with a wrong checksum is kept as ``NAME.unverified``, so that it need not be fetched to be looked at.
    DataSetError
        The disk is full.

    Notes
    -----
    A broken transfer goes on by ``Range`` with ``If-Range`` (RFC 9110, 13.1.5 and 14). Bytes are only joined where the
    server names the state of the file (entity tag or date) or a checksum will tell; else it starts anew. A joined file
    whose checksum is wrong is fetched once more in one piece before it is given up.
    """
    progress = progress or Silence()
    part = PartialFile(target, url, checksum)
    progress.advance(part.size)
    try:
        _fetch(part, size, checksum, patience, progress)
        if checksum and part.stitched and _is_wrong(part, checksum):
            part.restart()
            _fetch(part, size, checksum, patience, progress)
        if checksum and _is_wrong(part, checksum):
            raise NetworkError(_wrong_checksum(part, checksum))
        etag, last_modified = part.etag, part.last_modified
        place = part.settle()
    except OSError as error:
        raise DataSetError(f"{target}: cannot be written: {error.strerror or error}; run it again to go on") from error
    return Downloaded(place, part.size, part.digest("sha256"), etag, last_modified, checksum is not None)


def _fetch(part: PartialFile, size: int | None, checksum: str | None, patience: Patience, progress: Progress) -> None:
    """Send requests until the file is whole."""
    failures = changes = 0
    furthest = part.size
    while True:
        try:
            _one_request(part, size, checksum, patience, progress)
        except TemporaryError as error:
            failures = 1 if part.size - furthest >= _CHUNK else failures + 1
            furthest = max(furthest, part.size)
            if failures >= patience.tries or (error.retry_after_s or 0) > patience.longest_retry_after_s:
                raise NetworkError(given_up(error, failures)) from error
            time.sleep(patience.wait_s(failures, error.retry_after_s))
        except _ChangedError as error:
            changes += 1
            if changes > _FRESH_STARTS:
                raise NetworkError(f"{host_of(part.url)}: the file changes while it is fetched ({part.url})") from error
            part.restart()
        else:
            return


def _one_request(
    part: PartialFile, size: int | None, checksum: str | None, patience: Patience, progress: Progress
) -> None:
    if part.size and not (part.condition or part.etag or checksum):
        part.restart()  # nothing would tell whether the rest is of the same file
    headers = {"Accept-Encoding": "identity"}
    if part.size:
        headers["Range"] = f"bytes={part.size}-"
        if part.condition:
            headers["If-Range"] = part.condition
    with contextlib.closing(send(part.url, headers=headers, timeout_s=patience.timeout_s)) as answer:
        if answer.status == 416:
            if part.size and part.size == _range_of(answer)[1]:
                return
            raise _ChangedError
        _take_up(part, answer, size)
        _stream(part, answer, progress)
    if part.total is not None and part.size != part.total:
        raise TemporaryError(f"{host_of(part.url)}: the connection ended at byte {part.size:,} of {part.total:,}")
    if size is not None and part.size != size:
        raise NetworkError(_wrong_size(part.url, part.size, size))


def _take_up(part: PartialFile, answer: http.client.HTTPResponse, size: int | None) -> None:
    """See what the answer is: the rest of what we have, or the whole file anew."""
    etag, last_modified = answer.headers.get("ETag"), answer.headers.get("Last-Modified")
    if answer.status == 206:
        start, total = _range_of(answer)
        if start != part.size or not part.is_same(etag, last_modified, total):
            raise _ChangedError
        part.stitched = True
        return
    total = _number(answer.headers.get("Content-Length"))
    if answer.headers.get_content_type() == "text/html" and part.target.suffix.lower() not in (".html", ".htm"):
        raise NetworkError(
            f"{host_of(part.url)}: gives a web page in place of {part.target.name}; perhaps it wants a login"
        )
    if size is not None and total is not None and total != size:
        raise NetworkError(_wrong_size(part.url, total, size))
    part.restart(etag, last_modified, total)


def _stream(part: PartialFile, answer: http.client.HTTPResponse, progress: Progress) -> None:
    while True:
        try:
            data = answer.read1(_CHUNK)
        except (OSError, http.client.HTTPException) as error:
            raise TemporaryError(
                f"{host_of(part.url)}: the connection broke ({error or 'no answer in time'})"
            ) from error
        if not data:
            return
        part.append(data)
        progress.advance(len(data))


def _is_wrong(part: PartialFile, checksum: str) -> bool:
    algorithm, digits = split_checksum(checksum)
    return part.digest(algorithm) != digits


def _wrong_checksum(part: PartialFile, checksum: str) -> str:
    algorithm, digits = split_checksum(checksum)
    kept = part.settle(f"{part.target.name}.unverified")
    return (
        f"{part.target.name}: its {algorithm} is {part.digest(algorithm)} where {digits} is published; the file at "
        f"{host_of(part.url)} has changed, or is damaged (kept as {kept.name}: delete it to fetch again)"
    )


def _wrong_size(url: str, found: int, expected: int) -> str:
    return f"{host_of(url)}: the file has {found:,} bytes where {expected:,} are expected; it has changed ({url})"


def _range_of(answer: http.client.HTTPResponse) -> tuple[int | None, int | None]:
    """First byte and size of the whole, as ``Content-Range`` says."""
    found = _RANGE.fullmatch(answer.headers.get("Content-Range", "").strip())
    return (_number(found[1]), _number(found[3])) if found else (None, None)


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isdigit() else None

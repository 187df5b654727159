"""Ask a server on the network: politely, under Seston's own name, again where it was only busy, and never for ever."""

from __future__ import annotations

import contextlib
import email.utils
import http.client
import random
import socket
import ssl
import time
import urllib.error
import urllib.request
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import IO, TypeVar
from urllib.parse import urlsplit

from seston import __version__
from seston.errors import NetworkError

__all__ = ["PATIENCE", "USER_AGENT", "Patience", "TemporaryError", "ask", "given_up", "host_of", "patiently", "send"]

USER_AGENT = f"Seston/{__version__} (plankton imaging data sets)"
"""Some hosts refuse the names of common programs and of browsers, and serve one that says what it is for."""

_Answer = TypeVar("_Answer")
_ANSWER_BYTES = 256 * 1024 * 1024
_CHUNK = 1024 * 1024
_PASSING = frozenset({408, 425, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524})


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to bear with a server."""

    tries: int = 6
    """Requests in a row that may fail."""
    first_wait_s: float = 1.0
    """Wait after the first failure; each further one doubles it."""
    longest_wait_s: float = 60.0
    longest_retry_after_s: float = 600.0
    """A server that asks to come back later than this is left for today."""
    timeout_s: float = 60.0
    """Silence after which a connection counts as lost."""

    def wait_s(self, failures: int, retry_after_s: float | None = None) -> float:
        """Seconds to wait after so many failures in a row: doubling, spread a little, and never less than asked for."""
        wait = min(self.longest_wait_s, self.first_wait_s * 2.0 ** max(0, failures - 1)) * random.uniform(0.75, 1.0)
        return max(wait, retry_after_s or 0.0)


PATIENCE = Patience()
"""What is used where nothing else is said."""


class TemporaryError(NetworkError):
    """A server that was busy, or a connection that broke: it may work in a while."""

    def __init__(self, message: str, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


def ask(
    url: str,
    *,
    method: str = "GET",
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
    patience: Patience = PATIENCE,
    limit: int = _ANSWER_BYTES,
) -> bytes:
    """Give the whole answer to one request; busy servers and broken connections are asked again.

    Parameters
    ----------
    url
        ``http`` or ``https``.
    method, body, headers
        As HTTP has them.
    patience
        How often, and how long to wait.
    limit
        Bytes, unpacked, beyond which an answer is refused.

    Raises
    ------
    NetworkError
        No usable answer; one line with host and reason.
    """

    def attempt() -> bytes:
        wanted = {"Accept-Encoding": "gzip", **(headers or {})}
        with contextlib.closing(
            send(url, method=method, body=body, headers=wanted, timeout_s=patience.timeout_s)
        ) as answer:
            return _read_all(answer, url, limit)

    return patiently(attempt, patience=patience)


def send(
    url: str,
    *,
    method: str = "GET",
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
    timeout_s: float = PATIENCE.timeout_s,
) -> http.client.HTTPResponse:
    """Send one request once and give the answer with its body unread; close it.

    Status 416 (no such range) is an answer too: who asks for a range has to look at it.

    Raises
    ------
    TemporaryError
        Busy, unreachable or cut off.
    NetworkError
        The server says no; or the address is none of ``http`` and ``https``.
    """
    if urlsplit(url).scheme not in ("http", "https"):
        raise NetworkError(f"{url}: only http and https addresses can be asked")
    request = urllib.request.Request(url, data=body, method=method, headers={"User-Agent": USER_AGENT})
    for name, value in (headers or {}).items():
        request.add_header(name, value)
    try:
        answer: http.client.HTTPResponse = _opener().open(request, timeout=timeout_s)
    except urllib.error.HTTPError as error:
        if error.code == 416:
            return error.fp  # type: ignore[return-value]
        with error:
            raise _refusal(url, error) from error
    except (OSError, http.client.HTTPException) as error:
        raise _broken(url, error) from error
    return answer


def patiently(attempt: Callable[[], _Answer], *, patience: Patience = PATIENCE) -> _Answer:
    """Call `attempt` until it does not raise `TemporaryError`, as often as `patience` allows.

    Raises
    ------
    NetworkError
        The last failure, with the number of tries.
    """
    for failures in range(1, patience.tries + 1):
        try:
            return attempt()
        except TemporaryError as error:
            if failures == patience.tries or (error.retry_after_s or 0) > patience.longest_retry_after_s:
                raise NetworkError(given_up(error, failures)) from error
            time.sleep(patience.wait_s(failures, error.retry_after_s))
    raise AssertionError("unreachable")


def given_up(error: TemporaryError, failures: int) -> str:
    """Say that a server was asked often enough."""
    if error.retry_after_s:
        return f"{error}; it asks to come back in {error.retry_after_s:,.0f} s"
    return f"{error}, {failures} times in a row; try again later" if failures > 1 else f"{error}; try again later"


def host_of(url: str) -> str:
    """Name the host of an address, as a message does."""
    return urlsplit(url).netloc.rpartition("@")[2]


def _read_all(answer: http.client.HTTPResponse, url: str, limit: int) -> bytes:
    unpack = zlib.decompressobj(31) if answer.headers.get("Content-Encoding", "").lower() == "gzip" else None
    parts: list[bytes] = []
    size = 0
    try:
        while chunk := answer.read(_CHUNK):
            part = unpack.decompress(chunk, limit - size + 1) if unpack else chunk
            size += len(part)
            if size > limit:
                raise NetworkError(f"{host_of(url)}: an answer of more than {limit:,} bytes was refused ({url})")
            parts.append(part)
    except zlib.error as error:
        raise TemporaryError(f"{host_of(url)}: the answer is damaged ({error})") from error
    except (OSError, http.client.HTTPException) as error:
        raise _broken(url, error) from error
    if answer.length or (unpack is not None and not unpack.eof):
        raise TemporaryError(f"{host_of(url)}: the answer was cut short")
    return b"".join(parts)


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follow a redirect, but never from https to http, and never with a password to another host."""

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: http.client.HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        new = urlsplit(newurl)
        if new.scheme not in ("http", "https") or (req.type == "https" and new.scheme == "http"):
            raise NetworkError(f"{req.host}: sends on to an address that is not safe ({newurl})")
        following = super().redirect_request(req, fp, code, msg, headers, newurl)
        if following is not None and new.netloc != urlsplit(req.full_url).netloc:
            following.headers.pop("Authorization", None)
        return following


@lru_cache(maxsize=1)
def _opener() -> urllib.request.OpenerDirector:
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(context=ssl.create_default_context()),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPErrorProcessor(),
        _Redirects(),
    ):
        opener.add_handler(handler)
    opener.addheaders = []
    return opener


def _refusal(url: str, error: urllib.error.HTTPError) -> NetworkError:
    said = f"{host_of(url)}: answers {error.code} {error.reason} ({url})"
    if error.code in _PASSING:
        return TemporaryError(said, _retry_after(error.headers.get("Retry-After")))
    if error.code in (401, 403):
        return NetworkError(f"{said}: it wants a login, or does not serve this to everyone")
    return NetworkError(said)


def _broken(url: str, error: Exception) -> NetworkError:
    """Tell what may pass from what will not: no such host, or a certificate that is not to be trusted."""
    cause = error.reason if isinstance(error, urllib.error.URLError) else error
    host = host_of(url)
    if isinstance(cause, socket.gaierror):
        return NetworkError(f"{host}: there is no such host, or no network")
    if isinstance(cause, ssl.SSLCertVerificationError):
        return NetworkError(f"{host}: its certificate cannot be trusted ({cause.verify_message})")
    if isinstance(cause, TimeoutError):
        return TemporaryError(f"{host}: no answer in time")
    reason = getattr(cause, "strerror", None) or str(cause) or type(cause).__name__
    return TemporaryError(f"{host}: the connection broke ({reason})")


def _retry_after(value: str | None) -> float | None:
    """Read a header of seconds or of a date (RFC 9110, 10.2.3)."""
    if value is None:
        return None
    if value.strip().isdigit():
        return float(value)
    try:
        return max(0.0, email.utils.parsedate_to_datetime(value).timestamp() - time.time())
    except (ValueError, TypeError):
        return None

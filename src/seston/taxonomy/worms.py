"""Ask the World Register of Marine Species, WoRMS, about names: in bulk, and never the same twice.

Source: the REST service described at https://www.marinespecies.org/rest/
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlencode

from seston.errors import NetworkError
from seston.network import Patience, ask
from seston.taxonomy.answer_cache import AnswerCache
from seston.taxonomy.user_places import user_folder

__all__ = ["WORMS_URL", "Worms"]

WORMS_URL = "https://www.marinespecies.org/rest"
"""Address of the service; the environment variable ``SESTON_WORMS_URL`` names another, such as a mirror."""

_Kind = TypeVar("_Kind", list[Any], dict[str, Any])
_NAMES_AT_ONCE = 50
_LARGEST_ANSWER = 32 << 20
_DEEPEST = 80
_PATIENCE = Patience(tries=4, first_wait_s=1.0, longest_retry_after_s=120.0, timeout_s=45.0)


class Worms:
    """A client that keeps what it was answered.

    When the service cannot be reached, it is not asked again by this object; what is kept is still given.

    Parameters
    ----------
    cache
        File of the answers; in the user's folder if not given.
    url
        Address of the service.
    patience
        With the service.
    """

    def __init__(self, *, cache: Path | None = None, url: str | None = None, patience: Patience = _PATIENCE) -> None:
        self._cache = AnswerCache(cache or user_folder(cache=True) / "worms.sqlite")
        self._url = (url or os.environ.get("SESTON_WORMS_URL") or WORMS_URL).rstrip("/")
        self._patience = patience
        self.requests = 0
        """Requests sent, those that failed not counted twice."""
        self.trouble = ""
        """Why the service is not asked any more; empty while it answers."""

    def close(self) -> None:
        """Let go of the kept answers."""
        self._cache.close()

    def records(self, names: Iterable[str]) -> Iterator[tuple[str, list[dict[str, Any]] | None]]:
        """Give what WoRMS has under each name (AphiaRecordsByMatchNames), fifty names a request.

        Yields
        ------
        (name, records)
            Records may be of similar names: see their ``match_type``. No records: WoRMS has no such name. None: there
            was no answer.
        """
        waiting: list[str] = []
        for name in names:
            kept = self._cache.get("name", name)
            if isinstance(kept, list):
                yield name, kept
                continue
            waiting.append(name)
            if len(waiting) == _NAMES_AT_ONCE:
                yield from self._ask_names(waiting)
                waiting = []
        if waiting:
            yield from self._ask_names(waiting)

    def classification(self, aphia_id: int) -> list[tuple[str, str, int]] | None:
        """Give rank, name and AphiaID of a taxon and all above it, from the widest; None where there was no answer."""
        kept = self._cache.get("classification", str(aphia_id))
        if kept is None:
            kept = self._ask(f"AphiaClassificationByAphiaID/{aphia_id}", dict)
            if kept is None:
                return None
            self._cache.put("classification", {str(aphia_id): kept})
        return list(_steps(kept))

    def _ask_names(self, names: Sequence[str]) -> Iterator[tuple[str, list[dict[str, Any]] | None]]:
        parameters = [("scientificnames[]", name) for name in names]
        answer = self._ask(f"AphiaRecordsByMatchNames?{urlencode([*parameters, ('marine_only', 'false')])}", list)
        if answer is None:
            yield from ((name, None) for name in names)
            return
        if len(answer) != len(names) and answer and len(names) > 1:
            # A partial answer does not say which names it is about: smaller questions do.
            middle = len(names) // 2
            yield from self._ask_names(names[:middle])
            yield from self._ask_names(names[middle:])
            return
        found = dict(zip(names, (_records(one) for one in answer or [[]] * len(names)), strict=False))
        self._cache.put("name", found)
        yield from found.items()

    def _ask(self, question: str, kind: type[_Kind]) -> _Kind | None:
        """Give a decoded answer: an empty one for *no content*, None where there was none."""
        if self.trouble:
            return None
        self.requests += 1
        try:
            answer = ask(f"{self._url}/{question}", patience=self._patience, limit=_LARGEST_ANSWER)
            decoded = (json.loads(answer) if answer.strip() else None) or kind()
        except NetworkError as error:
            self.trouble = str(error)
            return None
        except (ValueError, RecursionError):
            decoded = None
        if not isinstance(decoded, kind):
            self.trouble = f"{self._url}: its answer is none of WoRMS"
            return None
        return decoded


def _records(answer: Any) -> list[dict[str, Any]]:
    return [record for record in answer if isinstance(record, dict)] if isinstance(answer, list) else []


def _steps(answer: dict[str, Any]) -> Iterator[tuple[str, str, int]]:
    """Walk down the nested answer: each taxon holds the one below it as ``child``."""
    one: Any = answer
    for _ in range(_DEEPEST):
        if not isinstance(one, dict):
            return
        rank, name, aphia_id = one.get("rank"), one.get("scientificname"), one.get("AphiaID")
        if isinstance(rank, str) and isinstance(name, str) and isinstance(aphia_id, int):
            yield rank, name, aphia_id
        one = one.get("child")

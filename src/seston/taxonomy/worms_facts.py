"""From the answers of WoRMS to facts in the user's own table."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from seston.particle import Progress, Silence
from seston.taxonomy.checklist_names import plain_rank
from seston.taxonomy.fact_files import Fact
from seston.taxonomy.ranks import RANK_ORDER
from seston.taxonomy.user_facts import UpdateReport, take_facts
from seston.taxonomy.worms import Worms

__all__ = ["update_from_worms"]

_SOURCE = "WoRMS"
_KNOWN_RANKS = frozenset(RANK_ORDER)
_EXACT = frozenset({"exact", "exact_subgenus"})
_NO_NAMES = frozenset({"deleted", "quarantined"})


def update_from_worms(
    names: Iterable[str],
    *,
    to: Path | None = None,
    overwrite: bool = False,
    worms: Worms | None = None,
    progress: Progress | None = None,
) -> UpdateReport:
    """Ask WoRMS about names and take what it says into the user's table of facts.

    Only names that WoRMS has letter by letter are taken; similar ones are reported. Without a network, the answers
    that are kept are used, and the report says which names are left.

    Parameters
    ----------
    names
        Scientific names without authors.
    to, overwrite
        As in `update_from_checklist`.
    worms
        The client; a new one with the user's kept answers if not given.
    """
    own = worms or Worms()
    progress = progress or Silence()
    listed = list(dict.fromkeys(" ".join(name.split()) for name in names if name.strip()))
    said = _Said()
    try:
        progress.start("names asked", len(listed))
        facts = list(dict.fromkeys(_facts(own, listed, said, progress)))
        progress.finish()
        notes: tuple[str, ...] = ()
        if own.trouble:
            left = f"; {len(said.unanswered):,} names were left" if said.unanswered else ""
            notes = (f"WoRMS was not reached ({own.trouble}): answers from earlier were used{left}",)
        update = take_facts(facts, to=to, overwrite=overwrite, notes=notes)
    finally:
        if worms is None:
            own.close()
    return replace(
        update,
        asked=len(listed),
        found=said.found,
        unknown=tuple(said.unknown),
        similar=tuple(said.similar),
        unanswered=tuple(said.unanswered),
        requests=own.requests,
    )


@dataclass(slots=True)
class _Said:
    found: int = 0
    unknown: list[str] = field(default_factory=list)
    similar: list[tuple[str, str]] = field(default_factory=list)
    unanswered: list[str] = field(default_factory=list)


def _facts(worms: Worms, names: list[str], said: _Said, progress: Progress) -> Iterator[Fact]:
    paths: dict[int, list[Fact]] = {}
    for name, records in worms.records(names):
        progress.advance(1)
        if records is None:
            said.unanswered.append(name)
            continue
        exact = [one for one in records if one.get("match_type") in _EXACT and one.get("status") not in _NO_NAMES]
        if not exact:
            near = next((one["scientificname"] for one in records if isinstance(one.get("scientificname"), str)), "")
            (said.similar.append((name, near)) if near else said.unknown.append(name))
            continue
        of_name = [_of_record(worms, record, paths) for record in exact]
        if any(facts is not None for facts in of_name):
            said.found += 1
        else:
            said.unanswered.append(name)
        for facts in of_name:
            yield from facts or ()


def _of_record(worms: Worms, record: dict[str, Any], paths: dict[int, list[Fact]]) -> list[Fact] | None:
    """Give the facts of one record and of all above it; None where the answer about those is missing."""
    name, aphia_id, accepted_id = record.get("scientificname"), record.get("AphiaID"), record.get("valid_AphiaID")
    rank = plain_rank(str(record.get("rank") or ""))
    if not isinstance(name, str) or not isinstance(aphia_id, int) or rank not in _KNOWN_RANKS:
        return []
    if isinstance(accepted_id, int) and accepted_id != aphia_id:
        path = _path(worms, accepted_id, paths)
        if path is None:
            return None
        accepted_name = path[-1].name if path else str(record.get("valid_name") or "")
        return [*path, Fact(name, rank, "", aphia_id, "synonym", accepted_name, _SOURCE)]
    above = paths.get(_whole(record.get("parentNameUsageID")))
    if above is None:
        path = _path(worms, aphia_id, paths)
        if path is None:
            return None
        above = path[:-1]
    # A doubtful name (nomen dubium, …) without another to use in its place is kept where it is, but not as accepted.
    status = "accepted" if record.get("status") == "accepted" else "uncertain"
    parent = above[-1].name if above else ""
    return [*above, Fact(name, rank, parent, aphia_id, status, "", _SOURCE)]


def _path(worms: Worms, aphia_id: int, paths: dict[int, list[Fact]]) -> list[Fact] | None:
    """Give a taxon and all above it, from the widest; what lies above is kept for its neighbours."""
    if aphia_id in paths:
        return paths[aphia_id]
    steps = worms.classification(aphia_id)
    if steps is None:
        return None
    facts: list[Fact] = []
    for rank, name, step_id in steps:
        if (plain := plain_rank(rank)) in _KNOWN_RANKS:
            parent = facts[-1].name if facts else ""
            facts.append(Fact(name, plain, parent, step_id, "accepted", "", _SOURCE))
            paths.setdefault(step_id, list(facts))
    return facts


def _whole(value: Any) -> int:
    return value if isinstance(value, int) else -1

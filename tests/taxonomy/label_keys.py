"""The label key of Planktonzilla's table, and the same with what is wrong in it put right."""

from __future__ import annotations

import csv
from dataclasses import dataclass, replace
from pathlib import Path

from seston.taxonomy.knowledge import known_facts

RAW_RANKS = ("Kingdom", "Phylum", "Class", "Order", "Family", "Genus", "Species")
CORRECTIONS = Path(__file__).with_name("corrected_key.tsv")
_STAGES = {"larvae": "larva", "egg": "egg"}


@dataclass(frozen=True)
class Meaning:
    """What a key says of one label."""

    name: str | None
    kind: str
    stage: str | None = None
    part: str | None = None
    within: str = ""
    """A taxon that the name has to belong to, where it is a homonym."""


def raw_key(path: Path) -> dict[tuple[str, str], Meaning]:
    """Read the table as it is, with each of its names replaced by the accepted one."""
    with path.open(encoding="utf-8", newline="") as file:
        return {
            (row["source"], row["raw_label"]): Meaning(
                _accepted(_deepest(row)),
                row["root_class"],
                _STAGES.get(row["qualifier"]),
                _part(row["qualifier"]),
            )
            for row in csv.DictReader(file)
        }


def corrected_key(path: Path) -> dict[tuple[str, str], Meaning]:
    """Read the table with the corrections in its place."""
    key = raw_key(path)
    for row in corrections():
        key[row["source"], row["raw_label"]] = replace(
            key[row["source"], row["raw_label"]],
            name=row["name"] or None,
            kind=row["kind"],
            stage=row["stage"] or None,
            part=row["part"] or None,
            within=row["within"],
        )
    return key


def corrections() -> list[dict[str, str]]:
    """Read the corrections: each row of the table that is wrong, what is right, and why."""
    with CORRECTIONS.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


def _deepest(row: dict[str, str]) -> str | None:
    names = [row[rank].strip() for rank in RAW_RANKS if row[rank].strip()]
    if not names:
        return None
    return f"{names[-2].capitalize()} {names[-1]}" if row["Species"].strip() else names[-1].capitalize()


def _part(qualifier: str) -> str | None:
    return qualifier.removeprefix("part_") if qualifier.startswith("part") else None


def _accepted(name: str | None) -> str | None:
    facts = sorted(known_facts().find(name or ""), key=lambda fact: fact.status != "accepted")
    return known_facts().accepted(facts[0]).name if facts else name

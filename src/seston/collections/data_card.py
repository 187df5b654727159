"""The README of a data set that was built: what is in it, under which licences, and whom to cite."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from seston.collections.duplicates import DuplicateReport
from seston.collections.licences import strictest, terms_of
from seston.collections.reports import CollectionReport, load_reports
from seston.store import DataSet
from seston.store.folder import write_whole

__all__ = ["write_data_card"]

_NAME = "README.md"


def write_data_card(data: DataSet, duplicates: DuplicateReport) -> Path:
    """Write ``README.md`` into the folder of a data set, from its particles and what its collections gave.

    Parameters
    ----------
    data
        The data set, as it is now.
    duplicates
        What stands in it more than once.
    """
    reports = load_reports(data.path)
    counts, licences = _count(data)
    particles = sum(counts.values())
    lines = [
        f"# {data.path.resolve().name}",
        "",
        f"{particles:,} particles of {len(counts)} sources, put together by Seston from collections of others.",
        "",
        "## Collections",
        "",
        "| source | particles | classes | set aside | licence |",
        "| --- | ---: | ---: | ---: | --- |",
        *(_row(one, counts) for one in reports),
        *(f"| `{name}` | {n:,} | | | |" for name, n in sorted(counts.items()) if name not in {r.name for r in reports}),
        "",
        "## Licences",
        "",
        "Every particle carries its licence and whom to credit (columns `licence` and `attribution`).",
        "",
        "| licence | particles | share | asks for |",
        "| --- | ---: | ---: | --- |",
        *(f"| {name} | {n:,} | {n / particles:.1%} | {_asks(name)} |" for name, n in licences.most_common()),
        "",
        strictest(licences) if licences else "",
        "",
        "## To cite",
        "",
        *(f"- `{one.name}`: {one.attribution}{_with_doi(one)}" for one in reports),
        "",
        "## Pictures that stand here more than once",
        "",
        *_about_duplicates(duplicates),
        "",
    ]
    path = data.path / _NAME
    write_whole(path, "\n".join(lines).encode())
    return path


def _count(data: DataSet) -> tuple[Counter[str], Counter[str]]:
    counts: Counter[str] = Counter()
    licences: Counter[str] = Counter()
    for batch in data.particles(["source", "licence"], batch_size=65_536):
        for name, counter in (("source", counts), ("licence", licences)):
            for one in batch.column(name).value_counts().to_pylist():
                counter[one["values"] or "unknown"] += one["counts"]
    return counts, licences


def _row(one: CollectionReport, counts: Counter[str]) -> str:
    return f"| `{one.name}`: {one.title} | {counts[one.name]:,} | {one.classes:,} | {one.set_aside:,} | {one.licence} |"


def _about_duplicates(duplicates: DuplicateReport) -> list[str]:
    lines = [
        f"{duplicates.same_bytes:,} particles repeat the picture of an earlier one, byte for byte (flag `duplicate`); "
        f"{duplicates.look_the_same:,} pairs look the same. {duplicates.across:,} of both are of two sources.",
    ]
    if duplicates.relations:
        lines += ["", "| how their labels stand to each other | |", "| --- | ---: |"]
        lines += [f"| {relation} | {number:,} |" for relation, number in duplicates.relations.items()]
    return lines


def _with_doi(one: CollectionReport) -> str:
    return f", doi:{one.doi}" if one.doi and one.doi not in one.attribution else ""


def _asks(licence: str) -> str:
    terms = terms_of(licence)
    if terms is None:
        return "not known"
    words = [name.replace("_", " ") for name, asked in terms._asdict().items() if asked]
    return ", ".join(words) or "nothing"

"""The report: one HTML page that holds everything it shows, with the same figures as JSON and CSV beside it."""

from __future__ import annotations

import base64
import csv
import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from seston.errors import UsageError
from seston.evaluation.grid import Difference, Row
from seston.evaluation.partners import DEPTHS, RetrievalRow
from seston.evaluation.plots import (
    COLOURS,
    Line,
    accuracy_plot,
    confusion_plot,
    range_plot,
    short_label,
)
from seston.evaluation.results import Evaluation, Example
from seston.recognition.drawing import profile_plot

__all__ = ["evaluation_document", "write_report"]

_GREY = "#a9b2b9"
_CHANCE = "#c3c9ce"
_WORDS = {"I": "picture", "P": "profile", "IP": "both"}
_SHOWN_DIFFERENCES = ("IP-IP", "I-I", "P-P")


def write_report(evaluation: Evaluation, path: Path | str, *, overwrite: bool = True) -> Evaluation:
    """Write an evaluation as one HTML file, with JSON and CSV beside it.

    Parameters
    ----------
    path
        A folder (``report.html``, ``report.json`` and ``report.csv`` are written into it) or the path of the HTML file.

    Returns
    -------
    Evaluation
        The same, with `report` naming the HTML file.
    """
    target = Path(path)
    page = target if target.suffix.lower() in (".html", ".htm") else target / "report.html"
    if page.exists() and not overwrite:
        raise UsageError(f"{page} is already there; name another place, or add --overwrite")
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text(_page(evaluation, page.stem), encoding="utf-8")
    document = json.dumps(evaluation_document(evaluation), indent=2, ensure_ascii=False)
    page.with_suffix(".json").write_text(document + "\n", encoding="utf-8")
    _write_csv(
        evaluation.rows or evaluation.retrieval or evaluation.open_set or evaluation.ranks or evaluation.zero_shot,
        page.with_suffix(".csv"),
    )
    return replace(evaluation, report=page)


def evaluation_document(evaluation: Evaluation) -> dict[str, Any]:
    """Give an evaluation as plain values, for JSON: all but the example pictures."""
    confusion = evaluation.confusion
    return {
        "title": evaluation.title,
        "protocol": evaluation.protocol,
        "simulated": evaluation.simulated,
        "grouped": evaluation.grouped,
        "main": evaluation.main,
        "accuracy": evaluation.accuracy(),
        "rows": [asdict(row) for row in evaluation.rows],
        "differences": [asdict(one) | {"claimed": one.claimed} for one in evaluation.differences],
        "retrieval": [asdict(row) for row in evaluation.retrieval],
        "open_set": [asdict(row) for row in evaluation.open_set],
        "ranks": [asdict(row) for row in evaluation.ranks],
        "zero_shot": [asdict(row) for row in evaluation.zero_shot],
        "classes": [asdict(row) for row in evaluation.classes],
        "confusion": confusion
        and {"what": confusion.what, "labels": list(confusion.labels), "counts": confusion.counts.tolist()},
        "left_out": dict(evaluation.left_out),
        "notes": list(evaluation.notes),
        "tables": {
            title: {"columns": list(columns), "rows": [list(row) for row in rows]}
            for title, (columns, rows) in evaluation.tables.items()
        },
        "provenance": asdict(evaluation.provenance),
    }


def _write_csv(rows: Sequence[Any], path: Path) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        if rows:
            names = [field.name for field in fields(rows[0])]
            writer = csv.writer(file)
            writer.writerow(names)
            writer.writerows([getattr(row, name) for name in names] for row in rows)


def _page(evaluation: Evaluation, stem: str) -> str:
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=PackageLoader("seston.evaluation", "."), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    environment.filters["plain"] = _plain
    sizes = sorted({row.n for row in evaluation.rows})
    largest = max(sizes, default=0)
    confusion = evaluation.confusion
    return environment.get_template("report.html.j2").render(
        evaluation=evaluation,
        stem=stem,
        summary=_summary(evaluation),
        cards=_cards(evaluation, largest),
        legend=_lines(evaluation.rows, evaluation.main),
        plots=[Markup(plot) for plot in _plots(evaluation)] if len(sizes) > 1 else [],
        differences=[
            {"title": title, "plot": Markup(plot)} for title, plot in _differences(evaluation, largest).items()
        ],
        confusion=Markup(confusion_plot(confusion.labels, confusion.counts)) if confusion else "",
        examples=[_example(one, Markup, confusion.labels if confusion else ()) for one in evaluation.examples],
        retrieval=_retrieval_lines(evaluation),
        chance=list(evaluation.retrieval[: len(DEPTHS)]),
        figures=[{"title": one.title, "lead": one.lead, "svg": Markup(one.svg)} for one in evaluation.figures],
        main_method=evaluation.main.partition(" (")[0],
        sizes=sizes,
        largest=largest,
    )


def _summary(evaluation: Evaluation) -> str:
    if not evaluation.rows:
        return ""
    classes = f" of {len(evaluation.confusion.labels)} classes" if evaluation.confusion else ""
    kind = {
        "seston": "nested galleries, the same queries for every gallery size",
        "paper": "galleries and queries as in arXiv 2603.16427",
    }.get(evaluation.protocol, evaluation.protocol)
    sides = "from different samples" if evaluation.grouped else "from the same samples: image-level, optimistic"
    return (
        f"{evaluation.rows[0].queries:,} labelled particles{classes} were named by small galleries of others "
        f"({kind}). Gallery and queries come {sides}."
    )


@dataclass(frozen=True, slots=True)
class _Card:
    what: str
    number: str
    unit: str
    range: str


def _cards(evaluation: Evaluation, largest: int) -> list[_Card]:
    """Pick the figures for the head of the page: the method in question, and the best that measured features give."""
    at_largest = [row for row in evaluation.rows if row.n == largest]
    own = {(row.gallery, row.query): row for row in at_largest if _full(row) == evaluation.main}
    cards = []
    for letters in ("IP", "I", "P"):
        row = own.get((letters, letters))
        if row:
            cards.append(_accuracy_card(f"{_WORDS[letters].capitalize()} · {row.method}", row))
    classical = [row for row in at_largest if row.method == "classical" and row.gallery == row.query]
    if classical and evaluation.main.partition(" (")[0] != "classical":
        best = max(classical, key=lambda row: row.accuracy)
        cards.append(_accuracy_card(f"{_WORDS[best.gallery].capitalize()} · classical, {best.classifier}", best))
    name = evaluation.main.partition(" (")[0]
    first = [row for row in evaluation.retrieval if row.depth == 1 and row.method in (name, f"{name}, aligned")]
    if first and len(cards) < 5:
        found = max(first, key=lambda row: row.recall)
        what = f"{found.direction} among {found.candidates:,}"
        cards.append(_Card(what, f"{found.recall * 100:.1f}", "%", f"chance {found.chance * 100:.2f} %"))
    return cards


def _accuracy_card(what: str, row: Row) -> _Card:
    ends = f"{row.low * 100:.1f} – {row.high * 100:.1f}, {row.n} per class"
    return _Card(what, f"{row.accuracy * 100:.1f}", "%", ends)


def _full(row: Row) -> str:
    return f"{row.method} ({row.classifier})"


def _lines(rows: Sequence[Row], main: str) -> list[Line]:
    """Give each method its colour: the one in question first, chance always grey."""
    names = sorted({_full(row) for row in rows if row.method != "chance"}, key=lambda name: name != main)
    colours = {name: COLOURS[number % len(COLOURS)] for number, name in enumerate(names)}
    lines = [Line(name, colours[name], (), strong=name == main) for name in names]
    if any(row.method == "chance" for row in rows):
        lines.append(Line("chance", _CHANCE, (), dashed=True))
    return lines


def _plots(evaluation: Evaluation) -> list[str]:
    """Draw one plot a combination that the method in question has, both modalities first."""
    styles = {line.name: line for line in _lines(evaluation.rows, evaluation.main)}
    pairs = sorted(
        {(row.gallery, row.query) for row in evaluation.rows if _full(row) == evaluation.main},
        key=lambda pair: (pair[0] != pair[1], -len("".join(pair)), pair),
    )
    plots = []
    for gallery, query in pairs:
        lines = []
        for name, style in styles.items():
            points = tuple(
                (row.n, row.accuracy, row.low, row.high)
                for row in evaluation.rows
                if (row.gallery, row.query) == (gallery, query)
                and (_full(row) == name or (name == "chance" and row.method == "chance"))
            )
            if points:
                lines.append(replace(style, points=points))
        plots.append(accuracy_plot(lines, f"{gallery}-{query}: {_WORDS[gallery]} – {_WORDS[query]}"))
    return plots


def _differences(evaluation: Evaluation, largest: int) -> dict[str, str]:
    """Draw the paired differences at the largest gallery: against other methods, and of both against one modality."""
    own = [one for one in evaluation.differences if one.n == largest]
    parts: dict[str, str] = {}
    within = [one for one in own if one.second.rpartition(" ")[0] == one.first.rpartition(" ")[0]]
    if within:
        parts["Both modalities against one alone"] = _ranges(within, lambda one: one.second.rpartition(" ")[2])
    for pair in _SHOWN_DIFFERENCES:
        against = [
            one for one in own if one not in within and one.first.endswith(f" {pair}") and "chance" not in one.second
        ]
        if against:
            parts[f"{evaluation.main} against other methods, {pair}"] = _ranges(
                against, lambda one: one.second.rpartition(" ")[0]
            )
    return parts


def _ranges(differences: Sequence[Difference], name: Any) -> str:
    rows = {}
    for one in sorted(differences, key=lambda each: -each.difference):
        colour = _GREY if not one.claimed else COLOURS[0] if one.difference > 0 else COLOURS[1]
        rows[f"over {name(one)}"] = (one.difference, one.low, one.high, colour)
    return range_plot(rows)


def _retrieval_lines(evaluation: Evaluation) -> list[dict[str, Any]]:
    """Put the depths of one method and direction beside each other."""
    lines: dict[tuple[str, str], list[RetrievalRow]] = {}
    for row in evaluation.retrieval:
        lines.setdefault((row.method, row.direction), []).append(row)
    return [{"method": method, "direction": direction, "rows": rows} for (method, direction), rows in lines.items()]


def _example(one: Example, markup: Any, labels: Sequence[str]) -> dict[str, Any]:
    return {
        "short": short_label(one.name, labels, 60),
        "short_truth": short_label(one.truth, labels, 60),
        "id": one.id,
        "truth": one.truth,
        "name": one.name,
        "right": one.truth == one.name,
        "score": "" if one.score is None else f"{one.score * 100:.0f} %",
        "modality": one.modality,
        "picture": _inline(one.picture),
        "profile": "" if one.profile is None else markup(profile_plot(one.profile, one.channels, height=64)),
        "nearest": [
            {"id": name, "label": label, "short": short_label(label, labels, 60), "picture": _inline(data)}
            for name, label, data in one.nearest
        ],
    }


def _inline(picture: bytes | None) -> str:
    return "" if picture is None else f"data:image/png;base64,{base64.b64encode(picture).decode()}"


def _plain(value: object) -> str:
    """Write a value of a table for people."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        if not math.isfinite(value):
            return "–"
        return f"{value:,.1f}" if abs(value) >= 100 else f"{value:.3g}"
    return str(value)

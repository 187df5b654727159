"""The result as JSON and as Markdown: one table a set, with all the losers."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from comparison.contenders import MAIN, Contender
from comparison.figures import Cell, Figures
from comparison.judging import Judgement

__all__ = ["write_json", "write_markdown"]

_COMBINATIONS = ("I-I", "P-P", "IP-IP")
_ACROSS = ("I-P", "P-I")
_HIDDEN = "P-P"
_WORDS = {"ahead": "", "level": " ≈", "behind": " **behind**"}


def write_json(
    figures: Figures,
    judgements: Sequence[Judgement],
    contenders: Sequence[Contender],
    settings: dict[str, Any],
    notes: Sequence[str],
    path: Path,
) -> None:
    """Write every figure, and how each run came about."""
    document = {
        "settings": settings,
        "notes": list(notes),
        "methods": {one.name: one.about for one in contenders},
        "rows": [asdict(cell) for cell in figures.names],
        "retrieval": [asdict(cell) for cell in figures.partners],
        "fusion": [
            {"set": name, "n": n, "best_single": single, **asdict(gain)}
            for (name, n), (single, gain) in figures.fusion.items()
        ],
        "runs": [{key: value for key, value in one.card.items() if key != "recipe"} for one in judgements],
    }
    _write(path, json.dumps(document, indent=1, ensure_ascii=False) + "\n")


def write_markdown(
    figures: Figures,
    judgements: Sequence[Judgement],
    contenders: Sequence[Contender],
    settings: dict[str, Any],
    notes: Sequence[str],
    path: Path,
) -> None:
    """Write the tables that a person reads."""
    lines = ["# Comparison of ways to name particles", "", *_introduction(judgements, settings, notes), ""]
    lines += [f"- `{one.name}`: {one.about}" for one in contenders]
    for name in dict.fromkeys(cell.set_name for cell in figures.names):
        cells = [cell for cell in figures.names if cell.set_name == name]
        sizes = _shown(sorted({cell.n for cell in cells}))
        lines += ["", f"## {name}", "", *_verdict(cells, sizes), ""]
        lines += _table(cells, _COMBINATIONS, sizes)
        lines += ["", f"Particles whose picture is hidden are named by their profile alone: {_HIDDEN}.", ""]
        lines += _fusion(figures, name, sizes)
        across = [cell for cell in cells if cell.what in _ACROSS]
        if across:
            lines += ["", "### Across modalities", "", *_table(across, _ACROSS, sizes)]
        partners = [cell for cell in figures.partners if cell.set_name == name]
        if partners:
            depths = sorted({cell.n for cell in partners})
            lines += ["", "### Partners: does the picture find its profile (R@1, R@5, R@10)", ""]
            lines += _table(partners, ("image→profile", "profile→image"), depths, size="R@")
    lines += ["", "## Runs", "", *_runs(judgements)]
    _write(path, "\n".join(lines) + "\n")


def _introduction(judgements: Sequence[Judgement], settings: dict[str, Any], notes: Sequence[str]) -> list[str]:
    clock = "" if settings["clock"] == "wall" else f" of {settings['clock']} time"
    budget = f"{settings['minutes']:g} minutes{clock}" if settings["minutes"] else f"{settings['epochs']} epochs"
    seeds = sorted({one.card["seed"] for one in judgements})
    made_up = [name for name in settings["sets"] if name not in settings["own"]]
    origin = f"All particles of {', '.join(made_up)} are made up (simulated, or real pictures with simulated profiles)."
    return [
        f"Budget: {budget} a training, one after the other on the same cores; start: {settings['start']} weights; "
        f"seeds {', '.join(map(str, seeds))}; {settings['repeats']} galleries a seed."
        + (f" {origin}" if made_up else ""),
        "",
        "A cell is accuracy in % ± standard deviation over seeds; in brackets what the default (soft LDA) has over it, "
        "with its paired bootstrap 95 % interval over queries, galleries and seeds. ≈: the interval holds 0; "
        "**behind**: the default is behind. A method that looks at one modality alone answers by that one in IP-IP.",
        *(f"\nNote: {note}." for note in notes),
    ]


def _shown(sizes: Sequence[int]) -> list[int]:
    """Of more than three gallery sizes show every other, as 1, 4 and 16: a plot and the JSON have all."""
    return list(sizes) if len(sizes) <= 3 else list(sizes[::2])


def _table(cells: Sequence[Cell], columns: Sequence[str], sizes: Sequence[int], size: str = "n = ") -> list[str]:
    heads = [f"{what}, {size}{n}" for what in columns for n in sizes]
    lines = [f"| method | rule | {' | '.join(heads)} |", "| --- | --- |" + " --- |" * len(heads)]
    by_key = {(cell.method, cell.rule, cell.what, cell.n): cell for cell in cells}
    for method, rule in dict.fromkeys((cell.method, cell.rule) for cell in sorted(cells, key=_main_first)):
        row = [by_key.get((method, rule, what, n)) for what in columns for n in sizes]
        lines.append(f"| {method} | {rule} | {' | '.join('–' if one is None else _text(one) for one in row)} |")
    return lines


def _main_first(cell: Cell) -> bool:
    return cell.method != MAIN


def _text(cell: Cell) -> str:
    text = f"{100 * cell.accuracy:.1f}"
    text += f" ± {100 * cell.sd:.1f}" if cell.seeds > 1 else ""
    if cell.gain is None:
        return f"**{text}**" if cell.method == MAIN else text
    gain = cell.gain
    word = _WORDS[gain.verdict]
    return f"{text} ({100 * gain.value:+.1f} [{100 * gain.low:.1f}, {100 * gain.high:.1f}]{word})"


def _verdict(cells: Sequence[Cell], sizes: Sequence[int]) -> list[str]:
    """Say in which cells the default is not ahead of every rival, and of whom."""
    lines, cleared = [], 0
    for what in _COMBINATIONS:
        for n in sizes:
            rivals = [one for one in cells if one.what == what and one.n == n and one.gain and one.method != MAIN]
            short = {word: [f"{one.method} ({one.rule})" for one in rivals if one.gain and one.gain.verdict == word]
                     for word in ("behind", "level")}  # fmt: skip
            if any(short.values()):
                said = [f"{word}: {', '.join(names)}" for word, names in short.items() if names]
                lines.append(f"- {what}, n = {n}: {'; '.join(said)}")
            elif rivals:
                cleared += 1
    head = f"The default is ahead of every other method in {cleared} of {cleared + len(lines)} cells"
    return [f"{head}{'; in the others it is behind, or level with:' if lines else '.'}", "", *lines]


def _fusion(figures: Figures, name: str, sizes: Sequence[int]) -> list[str]:
    found = {n: value for (of, n), value in figures.fusion.items() if of == name and n in sizes}
    if not found:
        return []
    texts = (
        f"n = {n}: {100 * gain.value:+.1f} [{100 * gain.low:.1f}, {100 * gain.high:.1f}] over {single}"
        for n, (single, gain) in found.items()
    )
    return [f"The default with both modalities, over the better of its single ones: {'; '.join(texts)}."]


def _runs(judgements: Iterable[Judgement]) -> list[str]:
    lines = [
        "| set | method | seed | steps | s of training | cores of other programs | commit |",
        "| --- |" + " --- |" * 6,
    ]
    machines = []
    for one in judgements:
        card = one.card
        machines.append(f"{card['machine']}; {card['packages']}")
        lines.append(
            f"| {card['set']} | {card['method']} | {card['seed']} | {card['steps']} | {card['training_seconds']:.0f} "
            f"| {'–' if card['others_cores'] is None else card['others_cores']} | {card['commit']} |"
        )
    return [*(f"Machine: {one}." for one in dict.fromkeys(machines)), "", *lines]


def _write(path: Path, text: str) -> None:
    half = path.with_suffix(".part")
    half.write_text(text, encoding="utf-8")
    half.replace(path)

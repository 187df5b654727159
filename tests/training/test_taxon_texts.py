"""What can be said of a taxon, and which statements hold which."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import torch

from seston.models.tokens import Tokenizer
from seston.taxonomy import resolve
from seston.training.randomness import particle_keys
from seston.training.taxon_texts import is_known, said_of
from seston.training.text_objective import pair_relations
from seston.training.text_table import TextTable, draw_texts, make_text_table

_TEMPLATES = ("scientific", "common", "lineage", "photo")
_LABELS = ("Acartia tonsa", "Acartia", "Oithona", "Copepoda nauplii", "Chaetoceros", "detritus", "egg")


def _table() -> TextTable:
    said = [said_of(taxon, _TEMPLATES) for taxon in resolve(_LABELS)]
    return make_text_table(said, Tokenizer([], 64))


def test_a_taxon_is_named_from_itself_up_to_its_kingdom() -> None:
    levels = said_of(resolve(["Acartia tonsa"])[0], ("scientific",))
    assert [level[0].text for level in levels] == [
        "Acartia tonsa", "Acartia", "Acartiidae", "Calanoida", "Copepoda", "Arthropoda", "Animalia",
    ]  # fmt: skip
    paths = [level[0].path for level in levels]
    assert all(finer[: len(wider)] == wider for finer, wider in pairwise(paths))


def test_a_common_name_says_no_more_than_the_group_that_bears_it() -> None:
    said = said_of(resolve(["Chaetoceros"])[0], ("common", "scientific"))[0]
    assert said[0].text == "diatom"
    assert said[0].path[-1] == "Bacillariophyceae"
    assert said[1].path[-1] == "Chaetoceros"


def test_stage_and_part_are_told_by_the_sentence_alone_and_by_no_wider_group() -> None:
    levels = said_of(resolve(["Copepoda nauplii"])[0], _TEMPLATES)
    assert [one.detail for one in levels[0]] == ["", "", "", "nauplius"]
    assert "nauplius" in levels[0][3].text
    assert all(one.detail == "" for level in levels[1:] for one in level)


def test_what_is_unidentified_says_nothing_and_an_egg_does() -> None:
    unidentified, egg = resolve(["unidentified", "egg"])
    assert not is_known(unidentified)
    assert is_known(egg)


def test_pairs_are_positive_negative_or_neither_as_their_names_say() -> None:
    table = _table()
    number = {label: place for place, label in enumerate(_LABELS)}

    def text(label: str, level: int, template: str) -> int:
        return int(table.choices[number[label], level, _TEMPLATES.index(template)])

    texts = np.array(
        [
            text("Acartia tonsa", 1, "scientific"),  # Acartia
            text("Acartia", 0, "lineage"),
            text("Oithona", 0, "scientific"),
            text("Copepoda nauplii", 0, "photo"),
            text("Chaetoceros", 0, "common"),  # diatom
            text("detritus", 0, "photo"),
            text("egg", 0, "scientific"),
        ]
    )
    positive, negative = pair_relations(
        torch.from_numpy(table.statement[texts]),
        torch.from_numpy(table.node[texts]),
        torch.from_numpy(table.taxon_node),
        torch.from_numpy(table.holds),
    )
    words = [
        "".join("+" if yes else "-" if no else "." for yes, no in zip(*rows, strict=True))
        for rows in zip(positive.tolist(), negative.tolist(), strict=True)
    ]
    assert words == [
        "++-.--.",  # Acartia tonsa; an egg may be of any organism, a nauplius of any copepod
        "++-.--.",
        "--+.--.",
        "...+--.",
        "----+-.",
        "-----+-",
        ".....-+",
    ]


def test_the_same_particle_gets_the_same_text_for_the_same_purpose_and_wider_ones_as_often_as_asked() -> None:
    said = [said_of(taxon, ("scientific",)) for taxon in resolve(_LABELS)]
    table = make_text_table(said, Tokenizer([], 64))
    keys = particle_keys([f"p{number}" for number in range(2000)])
    taxa = np.zeros(2000, np.int64)
    first = draw_texts(table, taxa, keys, 0.3, (0, 1))
    assert (first == draw_texts(table, taxa, keys, 0.3, (0, 1))).all()
    assert (first != draw_texts(table, taxa, keys, 0.3, (0, 2))).any()
    assert (first[:10] == draw_texts(table, taxa[:10], keys[:10], 0.3, (0, 1))).all()
    wider = ~np.isin(first, table.choices[0, 0])
    assert abs(wider.mean() - 0.3) < 0.04
    assert not (~np.isin(draw_texts(table, taxa, keys, 0.0, (0, 1)), table.choices[0, 0])).any()
    assert len(np.unique(draw_texts(table, taxa, keys, 1.0, (0, 1)))) == 6

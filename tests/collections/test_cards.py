from __future__ import annotations

from pathlib import Path

import pytest

from seston.collections import card_names, load_card, load_cards
from seston.errors import InputError, NotFoundError

_PLANKTONZILLA = {
    "global_uvp5": (7_414_467, 254, "CC-BY-4.0"),
    "whoi": (3_563_595, 103, "MIT"),
    "jedioceans": (1_915_882, 95, "CC-BY-SA-4.0"),
    "zooscan": (1_451_745, 120, "CC-BY-NC-4.0"),
    "zoocamnet": (1_286_590, 93, "CC-BY-4.0"),
    "uvp6net": (634_459, 54, "CC-BY-NC-4.0"),
    "isiisnet": (408_166, 32, "CC-BY-NC-4.0"),
    "flowcamnet": (301_247, 93, "CC-BY-NC-4.0"),
    "planktoscope": (179_720, 266, "CC-BY-NC-4.0"),
    "medplanktonset": (77_271, 139, "CC-BY-4.0"),
    "syke_ifcb_2022": (63_074, 50, "CC-BY-4.0"),
    "planktonset1.0": (60_736, 121, "unknown"),
    "sykezooscan2024": (22_753, 20, "CC-BY-4.0"),
    "zoolake": (17_942, 35, "CC0-1.0"),
    "lensless": (6_400, 10, "CC-BY-4.0"),
}
"""Pictures, labels and licence of each source, from its README."""
_MIX = {
    "CC-BY-4.0": 8_870_555,
    "MIT": 3_563_595,
    "CC-BY-NC-4.0": 2_975_337,
    "CC-BY-SA-4.0": 1_915_882,
    "unknown": 60_736,
    "CC0-1.0": 17_942,
}
"""Pictures under each licence, as the README adds them up."""


def test_the_fifteen_sources_of_planktonzilla_have_their_counts_and_licences() -> None:
    cards = {name: load_card(name) for name in _PLANKTONZILLA}
    assert {name: (card.images, card.classes, card.licence) for name, card in cards.items()} == _PLANKTONZILLA
    assert sum(card.images or 0 for card in cards.values()) == 17_404_047


def test_the_licence_mix_of_the_fifteen_is_the_published_one() -> None:
    mix: dict[str, int] = {}
    for name in _PLANKTONZILLA:
        card = load_card(name)
        mix[card.licence] = mix.get(card.licence, 0) + (card.images or 0)
    assert mix == _MIX


def test_every_card_says_who_to_credit_and_who_states_its_licence() -> None:
    cards = load_cards()
    assert len(cards) == len(card_names()) >= 27
    for card in cards:
        assert card.attribution, card.name
        assert card.licence_source, card.name
        assert card.layout.pictures or card.layout.reader, card.name


def test_a_file_without_address_comes_with_instructions() -> None:
    for card in load_cards():
        if any(not file.url and not file.optional for file in card.files):
            assert card.instructions, card.name


def test_an_unknown_collection_gets_the_nearest_name() -> None:
    with pytest.raises(NotFoundError, match="did you mean 'zooscan'"):
        load_card("zoscan")


def test_a_card_of_ones_own_is_read_from_its_file(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(
        'name = "mine"\ntitle = "My tows"\nlicence_source = "me"\n[layout]\npictures = ["{label}/{file}"]\n', "utf-8"
    )
    assert load_card(path).title == "My tows"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('name = "mine"\ntitle = "x"\nlicence_source = "me"\n[layout]\npicture = ["a"]\n', "picture"),
        ('name = "other"\ntitle = "x"\nlicence_source = "me"\n[layout]\n', "calls itself 'other'"),
        ("name = ", "cannot be read"),
    ],
)
def test_a_wrong_card_says_what_is_wrong(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(text, "utf-8")
    with pytest.raises(InputError, match=said):
        load_card(path)

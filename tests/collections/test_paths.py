from __future__ import annotations

from datetime import UTC, datetime

import pytest
from collection_layouts import LAYOUTS
from hypothesis import given
from hypothesis import strategies as st

from seston.collections import load_card, load_cards
from seston.collections.cards import Layout
from seston.collections.paths import PathRules
from seston.errors import InputError


@pytest.mark.parametrize(("name", "path", "label", "sample", "time"), LAYOUTS)
def test_a_path_in_the_layout_of_a_collection_is_read(
    name: str, path: str, label: str | None, sample: str | None, time: datetime | None
) -> None:
    place = PathRules(load_card(name).layout).place(path)
    assert place is not None
    assert (place.label, place.sample, place.time) == (label, sample, time)


def test_every_card_has_patterns_that_can_be_asked() -> None:
    for card in load_cards():
        PathRules(card.layout)


def test_a_bin_says_when_it_was_taken() -> None:
    place = PathRules(load_card("whoi").layout).place("2006/mix/IFCB1_2008_073_152345_00014.png")
    assert place is not None
    assert place.start == datetime(2008, 3, 13, 15, 23, 45, tzinfo=UTC)


def test_the_id_keeps_what_varies_of_a_path() -> None:
    place = PathRules(load_card("zooscan").layout).place("ZooScanNet/imgs/Acantharea/12.jpg")
    assert place is not None
    assert place.tail == "Acantharea/12.jpg"


def test_a_path_elsewhere_is_no_picture_of_the_collection() -> None:
    assert PathRules(load_card("zooscan").layout).place("ZooScanNet/extra/12.jpg") is None


@pytest.mark.parametrize(
    ("layout", "said"),
    [
        (Layout(pictures=("{label}/{label}",)), "twice"),
        (Layout(pictures=("{lable}/{file}",)), r"\{lable\}"),
        (Layout(pictures=("{time}",)), "needs a time_format"),
        (Layout(pictures=("{time}",), time_format="%Y-%q"), "%q"),
    ],
)
def test_a_wrong_pattern_says_what_is_wrong(layout: Layout, said: str) -> None:
    with pytest.raises(InputError, match=said):
        PathRules(layout)


_FOLDER = st.text(st.characters(exclude_characters="/", codec="utf-8"), min_size=1, max_size=20)


@given(_FOLDER, st.text(max_size=30))
def test_any_class_folder_is_its_label_and_no_path_breaks_the_rules(label: str, rest: str) -> None:
    rules = PathRules(Layout(pictures=("{label}/{file}",)))
    place = rules.place(f"{label}/x.png")
    assert place is not None
    assert place.label == label
    rules.place(rest)

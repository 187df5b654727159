from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seston.collections import load_card, load_cards
from seston.collections.cards import Layout
from seston.collections.paths import PathRules
from seston.errors import InputError

_NOON = datetime(2014, 6, 2, 7, 33, 48, 76_000, tzinfo=UTC)
_LAYOUTS = [
    ("isiisnet", "ISIISNet/imgs/Appendicularia/1.png", "Appendicularia", None, None),
    ("zoocamnet", "ZooCamNet/imgs/egg_Sardina/1.png", "egg_Sardina", None, None),
    ("zooscan", "ZooScanNet/imgs/Acantharea/12.jpg", "Acantharea", None, None),
    ("flowcamnet", "FlowCamNet/imgs/dark<sphere/12.jpg", "dark<sphere", None, None),
    ("uvp6net", "imgs/Copepoda/12.png", "Copepoda", None, None),
    ("global_uvp5", "images/sample 1/12.png", None, "sample 1", None),
    (
        "planktoscope",
        "Planktoscope_reference/imgs/Favella/2024-03-12_11-55-35-346253_1.jpg",
        "Favella",
        None,
        datetime(2024, 3, 12, 11, 55, 35, 346253, tzinfo=UTC),
    ),
    ("whoi", "2006/mix/IFCB1_2008_073_152345_00014.png", "mix", "IFCB1_2008_073_152345", None),
    (
        "jedioceans",
        "CPICS_Validated/20151103.zip/LClass_copepod/20151103_102539.630.0.png",
        "copepod",
        "20151103",
        datetime(2015, 11, 3, 10, 25, 39, 630_000, tzinfo=UTC),
    ),
    (
        "planktonset1.0",
        "0127422/2.3/data/0-data/FINAL_Plankton_Segments_12082014/fish_larvae/20140602073348.076.12.jpg",
        "fish_larvae",
        None,
        _NOON,
    ),
    (
        "syke_ifcb_2022",
        "labeled_20201020/Snowella/D20180524T053911_IFCB114_00037.png",
        "Snowella",
        "D20180524T053911_IFCB114",
        None,
    ),
    ("sykezooscan2024", "SYKE.zip/images/SYKE-plankton_ZooScan_2024/Evadne/1.png", "Evadne", None, None),
    ("medplanktonset", "IFCB_images/Eucampia_cornuta/1.png", "Eucampia_cornuta", None, None),
    (
        "zoolake",
        "data/zooplankton_0p5x/daphnia/training/SPC-EAWAG-0P5X-1401694428076000-1-2-3.jpeg",
        "daphnia",
        None,
        _NOON,
    ),
    ("lensless", "Plankton/TEST_IMAGE/VOLVOX/1.png", "VOLVOX", None, None),
    ("uvp6_uvpec", "Acantharea__1111/1151801.png", "Acantharea", None, None),
    ("daplankton", "DAPlankton/DAPlankton.zip/LAB/CS/Diatoma_tenuis/1.jpg", "Diatoma_tenuis", None, None),
    ("frepj", "plankton_images/images_40/A,B,C,D,E f/1.jpg", "A,B,C,D,E f", "images_40", None),
]


@pytest.mark.parametrize(("name", "path", "label", "sample", "time"), _LAYOUTS)
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

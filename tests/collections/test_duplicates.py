from __future__ import annotations

import io
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from collection_making import card, jpeg, tar_of
from PIL import Image

from seston.collections import build, find_duplicates
from seston.collections.fingerprint import distance
from seston.collections.likely_pairs import likely_pairs
from seston.collections.relations import relation_of
from seston.store import open_data_set
from seston.taxonomy import resolve
from seston.taxonomy.knowledge import known_facts

_REAL = {
    ("vliz_flowcam", "Actinoptychus", "Actinoptychus_splendens"): ("parent and child", 1),
    ("vliz_flowcam", "Biddulphianae", "Hobaniella_longicruris"): ("parent and child", 1),
    ("vliz_flowcam", "Biddulphianae", "Zygoceros"): ("parent and child", 1),
    ("vliz_flowcam", "Dinoflagellate_cyst", "Egg+Cyst"): ("lump", 1),
    ("whoi_ifcb_gallery", "Cylindrotheca", "Diatoms with pennates"): ("parent and child", 1),
    ("whoi_ifcb_gallery", "Thalassiosira rotula", "Thalassiosira"): ("parent and child", 1),
    ("whoi_ifcb_gallery", "Tintinnida", "Tintinnopsis"): ("parent and child", 1),
    ("isiis_ndsb2015", "chaetognath_non_sagitta", "chaetognath_other"): ("contradiction", 1),
    ("uvp6_uvpec", "Copepoda", "darksphere"): ("contradiction", 100),
}
"""Every pair of labels under which the same bytes stand in the real archives."""


def test_the_repeats_of_the_real_archives_are_found_with_their_relations(real_data: Path, tmp_path: Path) -> None:
    names = ["vliz_flowcam", "whoi_ifcb_gallery", "isiis_ndsb2015", "uvp6_uvpec"]
    report = build(names, to=tmp_path / "d", from_=[str(real_data / "collections")]).duplicates
    assert report is not None
    same = {
        (pair.source, pair.label, pair.other_label): (pair.relation, pair.pictures)
        for pair in report.pairs
        if pair.likeness == "same bytes"
    }
    assert same == _REAL
    assert (report.same_bytes, report.across) == (108, 0)
    assert report.look_the_same <= 20


def _saved_again(data: bytes, **how: object) -> bytes:
    written = io.BytesIO()
    Image.open(io.BytesIO(data)).save(written, **how)  # type: ignore[arg-type]
    return written.getvalue()


def _two_sources(folder: Path) -> Path:
    """Two collections that share pictures, as they were and saved again."""
    first = {f"Copepoda/{n}.jpg": jpeg(n, (90, 70)) for n in range(12)}
    second = {
        "copepoda/same.jpg": jpeg(1, (90, 70)),
        "Copepoda_nauplius/same.jpg": jpeg(2, (90, 70)),
        "Appendicularia/same.jpg": jpeg(3, (90, 70)),
        "Copepoda/again.jpg": _saved_again(jpeg(4, (90, 70)), format="JPEG", quality=70),
        "Copepoda/again.png": _saved_again(jpeg(5, (90, 70)), format="PNG"),
        "Copepoda/new.jpg": jpeg(40, (90, 70)),
    }
    cards = [card(folder, "one"), card(folder, "two")]
    places = [f"one={tar_of(folder / 'one.tar', first)}", f"two={tar_of(folder / 'two.tar', second)}"]
    build(cards, to=folder / "d", from_=places)
    return folder / "d"


def test_repeats_across_collections_are_told_by_relation(tmp_path: Path) -> None:
    report = find_duplicates(_two_sources(tmp_path))
    found = Counter((pair.likeness, pair.relation) for pair in report.pairs for _ in range(pair.pictures))
    assert found == {
        ("same bytes", "renamed folder"): 1,
        ("same bytes", "parent and child"): 1,
        ("same bytes", "contradiction"): 1,
        ("look the same", "same label"): 2,
    }
    assert (report.same_bytes, report.look_the_same, report.across) == (3, 2, 5)
    alike = {ids for pair in report.pairs if pair.likeness == "look the same" for ids in pair.examples}
    assert alike == {("one/Copepoda/4.jpg", "two/Copepoda/again.jpg"), ("one/Copepoda/5.jpg", "two/Copepoda/again.png")}


def test_merging_takes_out_only_what_means_the_same_and_a_build_does_not_bring_it_back(tmp_path: Path) -> None:
    data = _two_sources(tmp_path)
    report = find_duplicates(data, merge=True)
    assert report.merged == 1
    ids = open_data_set(data).ids()
    assert "two/copepoda/same.jpg" not in ids
    assert len(ids) == 17
    again = build([tmp_path / "two.toml"], to=data, from_=[f"two={tmp_path / 'two.tar'}"]).collections[0]
    assert (again.added, again.already_there) == (0, 6)
    assert open_data_set(data).ids() == ids
    assert find_duplicates(data).same_bytes == 2


def test_pictures_that_came_without_fingerprints_are_compared_too(tmp_path: Path) -> None:
    folder = tmp_path / "in" / "Copepoda"
    folder.mkdir(parents=True)
    (folder / "a.jpg").write_bytes(jpeg(1, (90, 70)))
    (folder / "b.png").write_bytes(_saved_again(jpeg(1, (90, 70)), format="PNG"))
    open_data_set(tmp_path / "d", create=True).import_(tmp_path / "in")
    assert find_duplicates(tmp_path / "d").look_the_same == 1


def test_likely_pairs_are_those_of_comparing_each_with_each() -> None:
    chance = np.random.default_rng(5)
    prints = chance.integers(1, 2**62, 300)
    for row in range(0, 200, 2):  # neighbours that differ in up to three bits
        flips = chance.choice(62, int(chance.integers(0, 4)), replace=False)
        prints[row + 1] = prints[row] ^ int(sum(1 << int(bit) for bit in flips))
    widths, heights = (chance.integers(50, 53, 300).astype(np.int32) for _ in range(2))
    rows, others = np.triu_indices(300, 1)
    near = distance(prints[rows], prints[others]) <= 3
    near &= (abs(widths[rows] - widths[others]) <= 1) & (abs(heights[rows] - heights[others]) <= 1)
    expected = set(zip(rows[near].tolist(), others[near].tolist(), strict=True))
    assert len(expected) > 30
    found = [tuple(pair) for pairs in likely_pairs(prints, widths, heights, most_bits=3) for pair in pairs.tolist()]
    assert len(found) == len(set(found))
    assert set(found) == expected


@pytest.mark.parametrize(
    ("one", "other", "relation"),
    [
        ("Copepoda", "Copepoda", "same label"),
        ("Actinoptychus_splendens", "actinoptychus splendens", "renamed folder"),
        ("Neoceratium", "Tripos", "synonym"),
        ("Copepoda", "Copepoda_nauplius", "parent and child"),
        ("Bacillariophyceae", "Thalassiosira", "parent and child"),
        ("Lauderia/Melosira/Detonula", "Melosira", "lump"),
        ("Copepoda", "Thalassiosira", "contradiction"),
        ("Copepoda", "detritus", "contradiction"),
        ("xqzw", "Copepoda", "unresolved"),
    ],
)
def test_relations_of_labels(one: str, other: str, relation: str) -> None:
    first, second = resolve([one, other])
    assert relation_of(first, second, known_facts()) == relation
    assert relation_of(second, first, known_facts()) == relation

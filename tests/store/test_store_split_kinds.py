"""Splits that keep more than samples apart: stations, collections, unseen classes; official ones; Planktonzilla's."""

from __future__ import annotations

import tarfile
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats.contingency import association, crosstab
from store_making import particle, picture, put

from seston.errors import UsageError
from seston.particle import Sample
from seston.store import Split, SplitRows, make_split, open_data_set
from seston.store.grouping import bins_of, stations_of
from seston.store.official_split import official_split
from seston.store.planktonzilla_split import planktonzilla_parts
from seston.store.sample_groups import cramers_v


def _rows(n: int = 240, *, sources: int = 3, samples: int = 12, classes: int = 6, seed: int = 0) -> SplitRows:
    generator = np.random.default_rng(seed)
    of_sample = generator.integers(0, samples, n).tolist()
    return SplitRows(
        ids=[f"p{row}" for row in range(n)],
        samples=[f"s{sample}" for sample in of_sample],
        labels=[f"c{label}" for label in generator.integers(0, classes, n).tolist()],
        contents=[[None] * n],
        sources=[f"source {sample % sources}" for sample in of_sample],
    )


def _parts(split: Split, fold: int = 0) -> dict[str, str]:
    rows = np.flatnonzero(split.fold == fold).tolist()
    return {split.ids[row]: split.part[row] for row in rows}


# Cramér's V


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 6)), min_size=1, max_size=80))
def test_cramers_v_is_that_of_scipy(pairs: list[tuple[int, int]]) -> None:
    one, other = (np.array(column, np.int64) for column in zip(*pairs, strict=True))
    table = crosstab(one, other).count
    expected = association(table, method="cramer") if min(table.shape) > 1 else 0.0
    assert cramers_v(one, other) == pytest.approx(expected, abs=1e-9)


def test_a_grouped_split_says_how_much_the_sample_tells_of_the_class() -> None:
    split = make_split(_rows(), "g")
    assert 0 < float(split.settings["cramers_v"]) < 0.5
    assert "Cramér's V between class and sample 0." in split.note


def test_classes_that_are_samples_are_refused_with_cramers_v() -> None:
    rows = _rows()
    rows = replace(rows, samples=[f"culture of {label}" for label in rows.labels])
    with pytest.raises(UsageError, match=r"Cramér's V between class and sample 1\.00.*--by image"):
        make_split(rows, "g")


def test_nearly_all_particles_in_classes_of_one_sample_are_refused_too() -> None:
    rows = _rows()
    samples = [f"culture of {label}" for label in rows.labels]
    samples[0] = "another"  # one class stands in two samples, as one of its particles strayed
    labels = list(rows.labels)
    stray = [label for label in labels if label == labels[0]][:1]
    kept = [row for row, label in enumerate(labels) if label != labels[0] or row < 30]
    rows = SplitRows(
        ids=[rows.ids[row] for row in kept],
        samples=[samples[row] for row in kept],
        labels=[labels[row] for row in kept],
        contents=[[None] * len(kept)],
    )
    assert stray
    with pytest.raises(UsageError, match="% of the particles are of classes that stand in one sample only"):
        make_split(rows, "g")


def test_pure_samples_of_which_each_class_has_several_can_be_kept_apart() -> None:
    labels = [f"c{n % 4}" for n in range(400)]
    samples = [f"culture {n % 4} of day {n // 80}" for n in range(400)]
    split = make_split(SplitRows([f"p{n}" for n in range(400)], samples, labels, [[None] * 400]), "g")
    assert split.grouped
    assert split.settings["cramers_v"] == 1.0


# Hold-out collection


def test_a_held_out_collection_is_the_test_and_nothing_else() -> None:
    rows = _rows()
    split = make_split(rows, "h", collections=["source 1"])
    parts = _parts(split)
    assert split.folds == 1
    for name, source in zip(rows.ids, rows.sources, strict=True):
        assert (parts[name] == "test") == (source == "source 1")
    assert set(parts.values()) == {"train", "validation", "test"}
    assert split.grouped
    assert split.settings["hold_out"] == "source 1"


def test_what_repeats_a_held_out_particle_is_left_out() -> None:
    rows = _rows()
    held = rows.sources.index("source 1")
    others = [row for row, source in enumerate(rows.sources) if source == "source 0"][:2]
    hashes: list[str | None] = [None] * len(rows.ids)
    for row in (held, *others):
        hashes[row] = "same"
    split = make_split(replace(rows, contents=[hashes]), "h", collections=["source 1"])
    parts = _parts(split)
    assert parts[rows.ids[held]] == "test"
    assert not {rows.ids[row] for row in others} & parts.keys()
    assert "2 particles that repeat one of the test are left out" in split.note


def test_by_image_only_the_validation_of_a_held_out_collection_is_optimistic() -> None:
    rows = _rows()
    split = make_split(rows, "h", by="image", collections=["source 1"])
    assert split.grouped
    assert split.note.startswith("validation image-level, optimistic; test is the collection source 1")
    shared = replace(rows, samples=["one"] * len(rows.ids))
    split = make_split(shared, "h", by="image", collections=["source 1"])
    assert not split.grouped
    assert split.note.startswith("image-level, optimistic")


def test_a_source_that_is_not_there_and_all_sources_are_refused() -> None:
    with pytest.raises(UsageError, match="did you mean 'source 1'"):
        make_split(_rows(), "h", collections=["sorce 1"])
    with pytest.raises(UsageError, match="nothing is left to train with"):
        make_split(_rows(), "h", collections=["source 0", "source 1", "source 2"])


# Unseen classes


@pytest.mark.parametrize("by", ["image", "sample"])
def test_unseen_classes_are_never_trained_with(by: str) -> None:
    rows = _rows()
    split = make_split(rows, "u", by=by, unseen=2)
    label_of = dict(zip(rows.ids, rows.labels, strict=True))
    unseen = set(str(split.settings["unseen"]).splitlines())
    assert len(unseen) == 2
    assert split.folds == 5
    tested: set[str | None] = set()
    for fold in range(5):
        parts = _parts(split, fold)
        for part in ("train", "validation"):
            assert not {label_of[name] for name, where in parts.items() if where == part} & unseen
        tested |= {label_of[name] for name, where in parts.items() if where == "test"}
    assert unseen < tested


def test_unseen_classes_keep_samples_apart() -> None:
    rows = _rows()
    split = make_split(rows, "u", unseen=2)
    sample_of = dict(zip(rows.ids, rows.samples, strict=True))
    tested: Counter[str] = Counter()
    for fold in range(split.folds):
        parts = _parts(split, fold)
        sides = {
            part: {sample_of[name] for name, where in parts.items() if where == part} for part in ("train", "test")
        }
        assert not sides["train"] & sides["test"]
        tested.update(name for name, where in parts.items() if where == "test")
    assert max(tested.values()) == 1


def test_unseen_classes_are_drawn_by_the_seed() -> None:
    drawn = [make_split(_rows(), "u", by="image", unseen=2, seed=seed).settings["unseen"] for seed in range(8)]
    again = make_split(_rows(), "u", by="image", unseen=2, seed=3).settings["unseen"]
    assert again == drawn[3]
    assert len(set(drawn)) > 1


def test_named_classes_are_in_the_test_only_beside_those_that_are_drawn() -> None:
    split = make_split(_rows(), "u", by="image", unseen=1, classes=["c4"])
    unseen = str(split.settings["unseen"]).splitlines()
    assert len(unseen) == 2
    assert "c4" in unseen
    label_of = dict(zip(_rows().ids, _rows().labels, strict=True))
    assert "c4" not in {label_of[name] for name, part in _parts(split).items() if part == "train"}
    with pytest.raises(UsageError, match="did you mean 'c4'"):
        make_split(_rows(), "u", by="image", classes=["c44"])


def test_more_unseen_classes_than_can_be_spared_are_refused() -> None:
    with pytest.raises(UsageError, match="has 6, of which two at least must be seen"):
        make_split(_rows(), "u", by="image", unseen=5)


# Planktonzilla's rule


def test_planktonzilla_s_split_follows_its_rule_in_each_source() -> None:
    generator = np.random.default_rng(5)
    sources = [f"source {place}" for place in generator.integers(0, 4, 3000).tolist()]
    labels = generator.zipf(1.5, 3000).clip(1, 60).astype(np.int64)
    parts = planktonzilla_parts(sources, labels)
    for source in set(sources):
        rows = [row for row in range(3000) if sources[row] == source]
        counts = Counter(labels[row] for row in rows)
        frequent = [row for row in rows if counts[labels[row]] >= 5]
        assert all(parts[row] == 0 for row in rows if counts[labels[row]] < 5)
        n = len(frequent)
        assert sum(parts[row] == 1 for row in frequent) == int(0.2 * n)
        assert sum(parts[row] == 2 for row in frequent) == int(0.4 * n) - int(0.2 * n)
        for label, count in counts.items():
            if count >= 20:
                of_label = Counter(int(parts[row]) for row in frequent if labels[row] == label)
                assert abs(of_label[0] / count - 0.6) < 0.1


def test_planktonzilla_s_split_is_by_image_and_says_so() -> None:
    split = make_split(_rows(), "p", by="image", mode="planktonzilla")
    assert (split.grouped, split.folds) == (False, 1)
    assert split.note.startswith("image-level, optimistic; Planktonzilla's 60/20/20")
    sizes = split.sizes()[0]
    assert abs(sizes["train"] / 240 - 0.6) < 0.02
    with pytest.raises(UsageError, match="--by image"):
        make_split(_rows(), "p", mode="planktonzilla")


def test_repeats_stand_on_one_side_of_planktonzilla_s_split() -> None:
    rows = _rows()
    hashes = [f"h{row // 2}" for row in range(len(rows.ids))]
    parts = _parts(make_split(replace(rows, contents=[hashes]), "p", by="image", mode="planktonzilla"))
    assert all(parts[f"p{row}"] == parts[f"p{row + 1}"] for row in range(0, len(rows.ids), 2))


# Stations


def test_samples_of_one_station_are_told_by_its_name_or_its_place() -> None:
    samples = [
        Sample(id="a", settings={"sample_stationid": "BY5"}),
        Sample(id="b", settings={"Station": "BY5"}, latitude=1.0, longitude=2.0),
        Sample(id="c", latitude=55.251, longitude=15.982),
        Sample(id="d", latitude=55.249, longitude=15.978),
        Sample(id="e", settings={"station": "nan"}),
    ]
    found = stations_of(samples)
    assert found["a"] == found["b"] == "station BY5"
    assert found["c"] == found["d"] == "station 55.25, 15.98"
    assert found["e"] == "sample e"
    with pytest.raises(UsageError, match="--by sample"):
        stations_of([Sample(id="e")])


def test_a_split_by_station_keeps_stations_apart(tmp_path: Path) -> None:
    particles = [particle(n, image=picture(n), label="ab"[n % 2], sample=f"haul {n % 12}") for n in range(120)]
    samples = [Sample(id=f"haul {n}", latitude=50.0 + n // 3, longitude=5.0) for n in range(12)]
    put(tmp_path / "d", [*samples, *particles])
    split = open_data_set(tmp_path / "d").split("stations", by="station", folds=4)
    assert split.note.startswith("grouped by station (4 groups)")
    for fold in range(split.folds):
        stations: dict[int, set[bool]] = {}
        for name, part in _parts(split, fold).items():
            stations.setdefault(int(name.split("/")[0].split()[1]) // 3, set()).add(part == "train")
        assert all(len(sides) == 1 for sides in stations.values())


# Bins


def test_pictures_in_folders_are_grouped_by_the_bin_in_their_name() -> None:
    ids = ["whoi/Eucampia/IFCB1_2010_030_180248_03226", "whoi/x/D20220522T000439_IFCB134_00002", "whoi/x/other"]
    assert bins_of(ids, ["whoi"] * 3) == ["IFCB1_2010_030_180248", "D20220522T000439_IFCB134", "whoi"]
    with pytest.raises(UsageError, match="--by sample"):
        bins_of(["whoi/x/IFCB1_2010_399_180248_1"], ["whoi"])


# Official splits


def _ids() -> list[str]:
    return [f"zoolake/data/{label}/{n:03d}" for label in ("asplanchna", "bosmina") for n in range(10)]


def _official(folder: Path, *, twins: list[int] | None = None, samples: list[str] | None = None) -> Split:
    ids = _ids()
    return official_split(ids, samples or ["one"] * 20, twins or list(range(20)), "official", [folder])


def _lists(folder: Path, named: dict[str, list[str]]) -> Path:
    folder.mkdir()
    for part, names in named.items():
        (folder / f"{part}_filenames.txt").write_text("\n".join(names) + "\n")
    return folder


def test_lists_named_by_part_become_the_split_and_the_end_of_the_path_decides(tmp_path: Path) -> None:
    named = {
        part: [f"/home/x/{label}/{n:03d}.jpeg" for label in ("asplanchna", "bosmina") for n in numbers]
        for part, numbers in (("train", range(7)), ("val", [7]), ("test", [8, 9]))
    }
    split = _official(_lists(tmp_path / "lists", named))
    assert split.sizes() == [{"train": 14, "validation": 2, "test": 4}]
    assert set(split.ids_of(0, "test")) == {name for name in _ids() if name.endswith(("008", "009"))}
    assert (split.grouped, split.note) == (False, "as the source gave it: image-level, optimistic")


def test_a_table_with_a_column_of_parts_becomes_the_split(tmp_path: Path) -> None:
    lines = [f"{place},{name}.png,{'test' if place % 5 == 0 else 'train'}" for place, name in enumerate(_ids())]
    (tmp_path / "all.csv").write_text("number,file_name,split\n" + "\n".join(lines) + "\n")
    split = _official(tmp_path / "all.csv")
    assert split.ids_of(0, "test") == _ids()[::5]


def test_what_is_odd_about_an_official_split_is_said(tmp_path: Path) -> None:
    named = {
        "train": [f"asplanchna/{n:03d}.png" for n in range(10)] + ["elsewhere/x.png"],
        "test": ["bosmina/001.png", "asplanchna/003.png"],
    }
    twins = list(range(20))
    twins[11] = 4  # bosmina/001 repeats asplanchna/004
    split = _official(_lists(tmp_path / "lists", named), twins=twins)
    assert split.sizes() == [{"train": 9, "validation": 0, "test": 2}]
    assert "1 of the test repeat particles of the other parts" in split.note
    for words in ("1 files of the lists are not here", "1 files stand in two parts", "9 particles are in no list"):
        assert words in split.note


def test_an_official_split_whose_samples_stand_apart_is_grouped(tmp_path: Path) -> None:
    named = {"train": [f"asplanchna/{n:03d}" for n in range(10)], "test": [f"bosmina/{n:03d}" for n in range(10)]}
    split = _official(_lists(tmp_path / "lists", named), samples=["a"] * 10 + ["b"] * 10)
    assert split.grouped
    assert "no sample stands on two sides" in split.note


def test_lists_of_other_things_are_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("nothing\n")
    with pytest.raises(UsageError, match="no list says by its name"):
        _official(tmp_path / "notes.txt")
    (tmp_path / "train.txt").write_text("nothing\n")
    with pytest.raises(UsageError, match="none of the 1 files"):
        _official(tmp_path / "train.txt")


def test_an_official_split_is_saved_like_any_other(tmp_path: Path) -> None:
    put(tmp_path / "d", [particle(n, image=picture(n), label="ab"[n % 2]) for n in range(20)])
    data = open_data_set(tmp_path / "d")
    (tmp_path / "train.txt").write_text("\n".join(str(n) for n in range(15)))
    (tmp_path / "test.txt").write_text("\n".join(f"{n}.png" for n in range(15, 20)))
    data.split("official", official=[tmp_path / "train.txt", tmp_path / "test.txt"])
    assert data.load_split("official").sizes() == [{"train": 15, "validation": 0, "test": 5}]


def _ids_in(archive: Path) -> list[str]:
    with tarfile.open(archive) as members:
        return [f"{archive.stem}/{name.rpartition('.')[0]}" for name in members.getnames() if name.endswith(".jpg")]


def test_the_official_split_of_a_real_collection_has_its_published_sizes(real_data: Path) -> None:
    folder = real_data / "collections"
    for name, lists, sizes in (
        ("vliz_flowcam.tar", "vliz_flowcam_images.tsv.gz", {"train": 12_094, "validation": 1_536, "test": 1_549}),
        ("zooscan_ecotaxa.tar", "zooscan_ecotaxa_split.csv", {"train": 320, "validation": 0, "test": 80}),
    ):
        ids = _ids_in(folder / name)
        split = official_split(ids, ["one"] * len(ids), list(range(len(ids))), "official", [folder / lists])
        assert split.sizes() == [sizes]
        assert split.note == "as the source gave it: image-level, optimistic"


def test_the_bins_of_a_real_gallery_are_all_found(real_data: Path) -> None:
    ids = _ids_in(real_data / "collections" / "whoi_ifcb_gallery.tar")
    assert len(set(bins_of(ids, ["one"] * len(ids)))) == 767


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"collections": ["source 1"], "unseen": 1}, "a split of its own"),
        ({"collections": ["source 1"], "mode": "planktonzilla", "by": "image"}, "a split of its own"),
        ({"unseen": -1}, "say how many"),
        ({"unseen": 1, "mode": "single"}, "--mode kfold, or --by image"),
    ],
)
def test_what_does_not_go_together_is_refused(options: dict[str, object], reason: str) -> None:
    with pytest.raises(UsageError, match=reason):
        make_split(_rows(), "x", **options)  # type: ignore[arg-type]  # what a user may write

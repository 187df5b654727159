from __future__ import annotations

import json
import warnings
from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.model_selection import StratifiedKFold, train_test_split
from store_making import particle, picture, put

from seston.errors import DataSetError, NotFoundError, UsageError
from seston.store import PARTS, Split, SplitRows, make_split, open_data_set
from seston.store.splits import load_split, save_split


def rows_of(
    labels: list[str | None], samples: list[str] | None = None, hashes: list[str | None] | None = None
) -> SplitRows:
    ids = [f"p{n}" for n in range(len(labels))]
    return SplitRows(ids, samples or ["s"] * len(ids), labels, [hashes or [None] * len(ids)])


def part_of(split: Split, fold: int) -> dict[str, str]:
    rows = np.flatnonzero(split.fold == fold).tolist()
    return {split.ids[row]: split.part[row] for row in rows}


def test_by_image_is_exactly_the_split_of_the_paper() -> None:
    labels = np.random.default_rng(0).choice(list("abcde"), 600, p=[0.4, 0.3, 0.15, 0.1, 0.05])
    split = make_split(rows_of(labels.tolist()), "paper", by="image")
    assert (split.grouped, split.note, split.folds) == (False, "image-level, optimistic", 5)
    folds = StratifiedKFold(n_splits=5, shuffle=True, random_state=42).split(labels, labels)
    for fold, (train, held_out) in enumerate(folds):
        validation, test = train_test_split(held_out, test_size=0.75, stratify=labels[held_out], random_state=42)
        for part, rows in (("train", train), ("validation", validation), ("test", test)):
            assert split.ids_of(fold, part) == [f"p{n}" for n in sorted(rows.tolist())]


def test_a_single_split_by_image_is_exactly_that_of_the_paper() -> None:
    labels = np.random.default_rng(0).choice(list("abc"), 400)
    split = make_split(rows_of(labels.tolist()), "single", by="image", mode="single")
    _, validation = train_test_split(np.arange(400), test_size=0.05, stratify=labels, random_state=42)
    assert split.ids_of(0, "validation") == [f"p{n}" for n in sorted(validation.tolist())]
    assert split.sizes() == [{"train": 380, "validation": 20, "test": 0}]


labelled = st.lists(st.sampled_from(["a", "b", "c", "d", None]), min_size=1, max_size=120)


@settings(max_examples=60, deadline=None)
@given(
    labelled, st.integers(2, 6), st.sampled_from(["kfold", "single"]), st.sampled_from(["sample", "image"]), st.data()
)
def test_any_split_puts_each_particle_in_one_part_and_keeps_its_promises(
    labels: list[str | None], folds: int, mode: str, by: str, data: st.DataObject
) -> None:
    n = len(labels)
    samples = data.draw(st.lists(st.sampled_from([f"s{k}" for k in range(8)]), min_size=n, max_size=n))
    hashes = data.draw(st.lists(st.sampled_from([*(f"h{k}" for k in range(60)), None]), min_size=n, max_size=n))
    hashes = [None if content is None or int(content[1:]) > 20 else content for content in hashes]
    rows = rows_of(labels, samples, hashes)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            split = make_split(rows, "any", by=by, folds=folds, mode=mode)
        except UsageError:
            return  # too few labels or samples: see the tests of each refusal below
    tested: list[str] = []
    for fold in range(split.folds):
        parts = part_of(split, fold)
        assert list(parts) == list(rows.ids)
        side = {"train": "seen", "validation": "chosen by", "test": "unseen"}
        assert set(parts.values()) <= set(PARTS)
        by_hash: dict[str, set[str]] = {}
        by_sample: dict[str, set[str]] = {}
        for particle_id, content, sample, label in zip(rows.ids, hashes, samples, labels, strict=True):
            part = parts[particle_id]
            if content is not None:
                by_hash.setdefault(content, set()).add(side[part])
            by_sample.setdefault(sample, set()).add(side[part])
            if label is None and content is None and by == "image" and any(labels):
                assert part == "train"
        assert all(len(sides) == 1 for sides in by_hash.values())
        if by == "sample":
            assert all(len(sides) == 1 for sides in by_sample.values())
        assert "train" in parts.values()
        tested += [particle_id for particle_id, part in parts.items() if part == "test"]
    assert len(tested) == len(set(tested))
    assert (mode == "single") == (not tested)


def test_by_sample_keeps_classes_about_even() -> None:
    rng = np.random.default_rng(1)
    samples = [f"s{k}" for k in rng.integers(0, 60, 6000)]
    labels: list[str | None] = rng.choice(["a", "b", "c"], 6000, p=[0.6, 0.3, 0.1]).tolist()
    split = make_split(rows_of(labels, samples), "grouped")
    assert split.grouped
    whole = Counter(labels)
    for fold in range(5):
        for part, share in (("train", 0.8), ("validation", 0.05), ("test", 0.15)):
            found = Counter(labels[int(text[1:])] for text in split.ids_of(fold, part))
            for label, count in whole.items():
                assert abs(found[label] / count - share) < 0.06, (fold, part, label)


def test_a_sample_without_any_label_is_for_training() -> None:
    labels: list[str | None] = ["a", "b", None, "a", "b", None, None]
    split = make_split(rows_of(labels, ["s1", "s1", "s1", "s2", "s2", "s3", "s3"]), "g")
    assert split.folds == 2
    for fold in range(2):
        parts = part_of(split, fold)
        assert parts["p5"] == parts["p6"] == "train"
        assert parts["p2"] == parts["p0"]
    assert "2 folds instead of 5" in split.note


def test_nothing_labelled_is_parted_alike() -> None:
    split = make_split(rows_of([None] * 200), "u", by="image", mode="single")
    assert split.sizes() == [{"train": 190, "validation": 10, "test": 0}]
    split = make_split(rows_of([None] * 200, [f"s{n % 40}" for n in range(200)]), "u", mode="single")
    assert split.sizes() == [{"train": 190, "validation": 10, "test": 0}]


def test_one_sample_cannot_be_grouped() -> None:
    with pytest.raises(UsageError, match="--by image"):
        make_split(rows_of(["a", "b"] * 20), "g")


def test_samples_that_are_classes_cannot_be_grouped() -> None:
    labels: list[str | None] = ["a", "b", "c"] * 20
    with pytest.raises(UsageError, match="classes never seen"):
        make_split(rows_of(labels, [f"culture of {label}" for label in labels]), "g")


def test_samples_joined_by_duplicates_stand_on_one_side() -> None:
    labels: list[str | None] = ["a", "b"] * 30
    samples = [f"s{n % 10}" for n in range(60)]
    hashes: list[str | None] = [None] * 60
    hashes[0] = hashes[11] = "same"  # of s0 and s1
    split = make_split(rows_of([*labels], samples, hashes), "g")
    for fold in range(split.folds):
        parts = part_of(split, fold)
        assert len({parts[f"p{n}"] for n in range(60) if samples[n] in ("s0", "s1")}) == 1


def test_classes_of_one_particle_do_not_break_a_split() -> None:
    labels: list[str | None] = [*(f"rare {n}" for n in range(7)), *["common"] * 60]
    split = make_split(rows_of(labels), "rare", by="image")
    assert [sizes["train"] + sizes["validation"] + sizes["test"] for sizes in split.sizes()] == [67] * 5
    assert all(sizes["validation"] and sizes["test"] for sizes in split.sizes())


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"by": "sampel"}, "did you mean 'sample'"),
        ({"mode": "kfolds"}, "did you mean 'kfold'"),
        ({"folds": 1}, "at least 2"),
        ({"name": "../x"}, "cannot be a name"),
    ],
)
def test_a_wrong_word_is_refused_with_the_nearest(options: dict[str, str | int], word: str) -> None:
    arguments: dict[str, str | int] = {"name": "x", **options}
    with pytest.raises(UsageError, match=word):
        make_split(rows_of(["a"] * 10), **arguments)  # type: ignore[arg-type]  # what a user may write


def test_the_same_seed_gives_the_same_split_and_another_seed_another() -> None:
    rows = rows_of(["a", "b"] * 100, [f"s{n % 20}" for n in range(200)])
    one, same, other = (make_split(rows, "x", seed=seed) for seed in (1, 1, 2))
    assert one.part == same.part
    assert one.part != other.part


def test_a_split_is_saved_loaded_and_never_overwritten_unasked(tmp_path: Path) -> None:
    put(tmp_path / "d", [particle(n, image=picture(n), label="ab"[n % 2]) for n in range(60)])
    data = open_data_set(tmp_path / "d")
    made = data.split("first", by="image")
    loaded = open_data_set(tmp_path / "d").load_split("first")
    assert (loaded.ids, loaded.part, loaded.note, loaded.grouped) == (made.ids, made.part, made.note, made.grouped)
    np.testing.assert_array_equal(loaded.fold, made.fold)
    assert loaded.settings == {"by": "image", "mode": "kfold", "seed": 42}
    with pytest.raises(UsageError, match="--overwrite"):
        data.split("first", by="image", seed=7)
    assert data.load_split("first").part == made.part
    assert data.split("first", by="image", seed=7, overwrite=True).part != made.part
    assert data.splits() == ["first"]
    card = json.loads((tmp_path / "d" / "splits" / "first.json").read_text())
    assert card["note"] == "image-level, optimistic"


def test_a_split_uses_the_labels_that_hold_now(tmp_path: Path) -> None:
    put(tmp_path / "d", [particle(n, image=picture(n)) for n in range(40)])
    data = open_data_set(tmp_path / "d")
    (tmp_path / "labels.csv").write_text("id,label\n" + "".join(f"a/{n},{'xy'[n % 2]}\n" for n in range(30)))
    data.annotate_file(tmp_path / "labels.csv")
    split = data.split("s", by="image")
    for fold in range(5):
        assert set(split.ids_of(fold, "train")) >= {f"a/{n}" for n in range(30, 40)}


def test_a_split_that_is_not_there_or_damaged_is_named(tmp_path: Path) -> None:
    put(tmp_path / "d", [particle(n, image=picture(n), label="ab"[n % 2]) for n in range(20)])
    data = open_data_set(tmp_path / "d")
    data.split("first", by="image", folds=2)
    with pytest.raises(NotFoundError, match="did you mean 'first'"):
        data.load_split("frist")
    (tmp_path / "d" / "splits" / "first.parquet").write_bytes(b"x")
    with pytest.raises(DataSetError, match="make it again"):
        data.load_split("first")


def test_asking_for_a_part_or_fold_that_is_not_there_is_refused() -> None:
    split = make_split(rows_of(["a", "b"] * 20), "x", by="image")
    with pytest.raises(UsageError, match="did you mean 'validation'"):
        split.ids_of(0, "validatoin")
    with pytest.raises(UsageError, match="folds 0 to 4"):
        split.ids_of(5, "train")


def test_an_empty_data_set_cannot_be_split(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no particles"):
        open_data_set(tmp_path / "d", create=True).split("x")


def test_a_saved_split_holds_each_id_once_whatever_layout_its_file_has(tmp_path: Path) -> None:
    split = make_split(rows_of(["a", "b"] * 20), "x", by="image")
    save_split(tmp_path, split)
    for _ in range(2):
        loaded = load_split(tmp_path, "x")
        assert (loaded.ids, loaded.part, loaded.fold.tolist()) == (split.ids, split.part, split.fold.tolist())
        assert len({id(text) for text in loaded.ids}) == 40
        rows = {"id": split.ids, "fold": split.fold, "part": pa.array(split.part)}  # plain texts, in small groups
        pq.write_table(pa.table(rows), tmp_path / "x.parquet", row_group_size=7)

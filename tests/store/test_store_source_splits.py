from __future__ import annotations

from pathlib import Path

from store_making import picture

from seston.store import open_data_set


def _folder_of_the_paper(root: Path) -> None:
    """LAB as the paper lays it out: annotations.csv, images, profiles, fold1 and fold2."""
    rows = [f"images/{n}.jpg,profiles/{n}.csv,{'ab'[n % 2]}" for n in range(10)]
    (root / "images").mkdir(parents=True)
    (root / "profiles").mkdir()
    for n in range(10):
        (root / "images" / f"{n}.jpg").write_bytes(picture(n))
        (root / "profiles" / f"{n}.csv").write_text("FWS,SWS\n" + "".join(f"{n + k},{2 * k}.5\n" for k in range(5)))
    (root / "annotations.csv").write_text("\n".join(["image,profile,class", *rows]) + "\n")
    for fold in (1, 2):
        (root / f"fold{fold}").mkdir()
        for part, numbers in (("train", range(6)), ("val", [6]), ("test", [7, 8, 9])):
            lines = [
                f"{k},../images/{(n + fold) % 10}.jpg,../profiles/{(n + fold) % 10}.csv,a"
                for k, n in enumerate(numbers)
            ]
            (root / f"fold{fold}" / f"{part}.csv").write_text("\n".join([",image,profile,class", *lines]) + "\n")


def test_the_fold_tables_of_the_paper_become_a_saved_split(tmp_path: Path) -> None:
    _folder_of_the_paper(tmp_path / "LAB")
    data = open_data_set(tmp_path / "d", create=True)
    report = data.import_(tmp_path / "LAB")
    assert (report.added, report.pairs) == (10, 10)
    assert data.splits() == ["LAB-fold"]
    assert any("LAB-fold" in note.text for note in report.notes)
    split = data.load_split("LAB-fold")
    assert (split.folds, split.grouped) == (2, False)
    assert "optimistic" in split.note
    assert split.ids_of(0, "validation") == ["LAB/images/7"]
    assert sorted(split.ids_of(1, "test")) == ["LAB/images/0", "LAB/images/1", "LAB/images/9"]
    assert len(split.ids_of(1, "train")) == 6


def test_importing_again_keeps_a_split_that_was_changed(tmp_path: Path) -> None:
    _folder_of_the_paper(tmp_path / "LAB")
    data = open_data_set(tmp_path / "d", create=True)
    data.import_(tmp_path / "LAB")
    changed = data.split("LAB-fold", by="image", folds=2, overwrite=True)
    data.import_(tmp_path / "LAB")
    assert data.load_split("LAB-fold").part == changed.part

"""The whole path in one call, broken off and taken up again, on simulated files and on one's own."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from seston.errors import InputError, UsageError
from seston.evaluation import demo, demonstration


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the demonstration small: the same path with fewer particles."""
    torch.set_num_threads(1)
    monkeypatch.setattr(demonstration, "_PARTICLES", 96)
    monkeypatch.setattr(demonstration, "_RUNS", 3)
    monkeypatch.setattr(demonstration, "_PER_CLASS", 2)
    monkeypatch.setattr(demonstration, "_SIZES", (1, 2))
    monkeypatch.setattr(demonstration, "_REPEATS", 1)


@pytest.mark.slow
def test_the_demonstration_goes_from_files_to_a_report_and_can_be_taken_up_again(tmp_path: Path) -> None:
    result = demo(to=tmp_path / "demo", minutes=0.12, recipe="tiny")
    assert result.report.is_file()
    assert {"I-I", "P-P", "IP-IP"} <= set(result.accuracy)
    assert result.simulated == "simulated"
    assert result.fresh_accuracy is not None
    assert (tmp_path / "demo" / "names.csv").is_file()
    text = result.report.read_text(encoding="utf-8")
    assert "A measurement that nothing had seen" in text
    assert "per ml" in text
    again = demo(to=tmp_path / "demo", minutes=0.12, recipe="tiny")
    assert again.accuracy == result.accuracy
    assert again.steps == result.steps
    with pytest.raises(UsageError, match="other settings"):
        demo(to=tmp_path / "demo", minutes=0.2, recipe="tiny")


@pytest.mark.slow
def test_a_demonstration_on_files_without_labels_ends_with_a_map(real_data: Path, tmp_path: Path) -> None:
    result = demo(real_data / "cytosense" / "ulco_r4", tmp_path / "demo", minutes=0.03, recipe="tiny")
    assert result.accuracy == {}
    assert result.fresh_accuracy is None
    assert result.simulated == ""
    assert any("seston annotate" in note for note in result.notes)
    assert "Particles of data by likeness" in result.report.read_text(encoding="utf-8")


def test_a_demonstration_on_labelled_listmode_alone_measures_features(real_data: Path, tmp_path: Path) -> None:
    result = demo(real_data / "cytosense" / "eawag_cultures", tmp_path / "demo")
    assert set(result.accuracy) == {"P-P"}
    assert result.accuracy["P-P"] > 0.5
    assert (tmp_path / "demo" / "gallery" / "gallery.json").is_file()


def test_a_folder_with_other_files_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(UsageError, match="holds other files"):
        demo(to=tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_nothing_readable_is_one_plain_line(tmp_path: Path) -> None:
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "notes.txt").write_text("nothing")
    with pytest.raises((InputError, UsageError)):
        demo(tmp_path / "notes", tmp_path / "demo")


def test_a_demonstration_that_was_broken_off_goes_on_where_it_stood(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr(demonstration, "_split", stop)
        with pytest.raises(KeyboardInterrupt):
            demo(to=tmp_path / "demo", minutes=0.12, recipe="tiny")
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "demo" / "simulated").rglob("*.csv")}
    assert before
    with monkeypatch.context() as broken:
        broken.setattr(demonstration, "_train", stop)
        with pytest.raises(KeyboardInterrupt):
            demo(to=tmp_path / "demo", minutes=0.12, recipe="tiny")
    assert before == {path: path.stat().st_mtime_ns for path in (tmp_path / "demo" / "simulated").rglob("*.csv")}

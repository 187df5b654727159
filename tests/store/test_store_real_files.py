from __future__ import annotations

from pathlib import Path

import numpy as np
from store_making import table_of

from seston.instruments import find_sources, read
from seston.particle import Particle
from seston.store import open_data_set, rows_to_particles


def test_a_real_collection_is_stored_whole_with_its_duplicates_flagged(real_data: Path, tmp_path: Path) -> None:
    data = open_data_set(tmp_path / "d", create=True)
    report = data.import_(real_data / "collections" / "vliz_flowcam.tar")
    assert (report.added, report.images, report.decoded) == (15_179, 15_179, 15_179)
    assert report.skipped == []
    assert report.duplicates == len(report.duplicate_of) == 4
    assert all(first.rpartition("_")[2] == second.rpartition("_")[2] for first, second in report.duplicate_of)
    assert len(data.info().labels) == 95
    before = table_of(tmp_path / "d")
    again = data.import_(real_data / "collections" / "vliz_flowcam.tar")
    assert (again.added, again.completed, again.already_there, again.decoded) == (0, 0, 15_179, 0)
    assert table_of(tmp_path / "d") == before


def test_all_cytometer_files_go_into_one_data_set_once(real_data: Path, tmp_path: Path) -> None:
    data = open_data_set(tmp_path / "d", create=True)
    report = data.import_(real_data / "cytosense")
    of_readmes = 817 + 9 + 150 + 1_140 + 3_902 + 535
    assert report.added == of_readmes == data.count_rows() == len(set(data.ids()))
    assert (report.profiles, report.images, report.pairs) == (817 + 9 + 150 + 3_902 + 535, 4 + 5 + 145, 4 + 5 + 145)
    assert any("a scale bar is burned into 145 pictures" in note.text for note in report.notes)
    again = data.import_(real_data / "cytosense")
    assert (again.added, again.completed) == (0, 0)
    assert again.already_there == report.added + report.completed


def test_what_a_reader_gives_of_real_files_comes_back_bit_for_bit(real_data: Path, tmp_path: Path) -> None:
    folder = real_data / "cytosense" / "ulco_r4"
    data = open_data_set(tmp_path / "d", create=True)
    data.import_(folder)
    stored = {item.id: item for batch in data.particles() for item in rows_to_particles(batch)}
    for source in find_sources([folder])[0]:
        for record in read(source):
            if isinstance(record, Particle):
                kept = stored.pop(record.id)
                assert kept.image == record.image
                np.testing.assert_array_equal(kept.profile, record.profile)
                assert kept.profile_channels == record.profile_channels
                assert list(kept.listmode) == list(record.listmode)
                given = np.array(list(record.listmode.values()), np.float32)
                np.testing.assert_array_equal(np.array(list(kept.listmode.values()), np.float32), given)
    assert stored == {}

"""An acquisition under two samples is pointed out, whichever import brings the second."""

from __future__ import annotations

from pathlib import Path

import pytest
from store_making import put

from seston.particle import Particle, Sample
from seston.store import open_data_set


def records(sample: str, acquisition: str, *, reader: str = "ecotaxa") -> list[Sample | Particle]:
    settings = {"sample_id": sample, "acq_id": acquisition}
    one = Particle(id=f"{sample}/1", sample_id=sample, listmode={"object_area": float(len(sample))})
    return [Sample(id=sample, reader=reader, settings=settings), one]


@pytest.mark.parametrize(
    ("second", "reader", "clash"),
    [
        (("b", "q"), "ecotaxa", True),
        (("a", "q"), "ecotaxa", False),
        (("b", "r"), "ecotaxa", False),
        (("b", "q"), "x", False),
    ],
)
def test_a_second_sample_of_an_acquisition_is_noted(
    tmp_path: Path, second: tuple[str, str], reader: str, *, clash: bool
) -> None:
    put(tmp_path / "d", records("a", "q"))
    report = put(tmp_path / "d", records(*second, reader=reader))
    assert any("acquisition 'q' belongs to sample 'a', and here to 'b'" in one.text for one in report.notes) is clash
    again = put(tmp_path / "d", records(*second, reader=reader))
    assert not any("belongs to sample" in one.text for one in again.notes)


def test_the_tree_that_breaks_the_hierarchy_does_so_only_after_the_first(real_data: Path, tmp_path: Path) -> None:
    trees = real_data / "instruments" / "ecotaxa-import" / "ecotaxa_back"
    if not trees.is_dir():
        pytest.skip("no tables of EcoTaxa among the real files")
    broken = trees / "import_issues" / "breaking_hierarchy"
    alone = open_data_set(tmp_path / "alone", create=True).import_(broken)
    assert not any("belongs to sample" in one.text for one in alone.notes)
    data = open_data_set(tmp_path / "both", create=True)
    data.import_(trees / "import_test")
    assert any("belongs to sample 'm106_mn01_n1_sml'" in one.text for one in data.import_(broken).notes)

"""RclusTool's example, held against what its README states."""

from __future__ import annotations

from pathlib import Path

import pytest
from export_making import notes_of, particles_of, records_of, sample_of, skipped_of

from seston.instruments import find_sources


def test_the_trio_is_read_with_the_counts_of_its_readme(real_data: Path) -> None:
    records = records_of(real_data / "cytosense" / "rclustool")
    particles = particles_of(records)
    assert set(particles) == {str(number) for number in range(150)}
    lengths = [particle.profile.shape[1] for particle in particles.values() if particle.profile is not None]
    assert (len(lengths), sum(lengths), min(lengths), max(lengths)) == (150, 3445, 13, 72)
    assert sum(length % 4 == 0 for length in lengths) == 149
    assert sorted(int(number) for number, particle in particles.items() if not particle.image) == [0, 1, 12, 31, 111]
    assert particles["5"].profile_channels == (
        *("FWS", "SWS HS", "FL Yellow HS", "FL Orange HS", "FL Red HS"),
        *("SWS LS", "FL Yellow LS", "FL Red LS", "Curvature"),
    )
    assert particles["0"].listmode["Sample Length"] == 17.5
    assert particles["0"].listmode["Time of Arrival"] == 0.01
    assert particles["0"].listmode["Curvature Total"] == 1.081615e-06
    assert not skipped_of(records)


def test_the_info_text_gives_the_sample(real_data: Path) -> None:
    sample = sample_of(records_of(real_data / "cytosense" / "rclustool"))
    assert (sample.instrument, sample.serial_number) == ("ULCO", "CS-2007-15")
    assert (sample.core_speed_m_s, sample.beam_width_um) == (2.0, 5.0)
    assert sample.trigger == "FL Red > 9.53 mV"
    assert sample.volume_sampled_ml == pytest.approx(1.512)
    assert sample.start is not None
    assert sample.start.isoformat() == "2016-04-19T15:08:08+00:00"


@pytest.mark.parametrize(
    "words",
    [
        "Sample Length of Features disagrees with the number of samples in Pulses for 142 of 150",
        "300 rows of zeros that end profiles (with their particle's id)",
        "columns that are no signal are left out: X",
        "whole multiples of 0.1525926 mV",
        "a multiple of 4 in 149 of 150",
        "5 of 150 particles have no picture (0, 1, 12, 31, 111)",
        "Listmode is of the channels",
    ],
)
def test_oddities_are_noted(real_data: Path, words: str) -> None:
    assert words in notes_of(records_of(real_data / "cytosense" / "rclustool"))


def test_the_list_of_preprocessing_steps_is_nobody_s(real_data: Path) -> None:
    _, claims = find_sources([real_data / "cytosense" / "rclustool"])
    (claim,) = [claim for claim in claims if claim.path.endswith("config_example.csv")]
    assert claim.reader is None
    assert "preprocessing" in claim.reason

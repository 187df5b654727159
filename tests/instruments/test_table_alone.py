"""Tables that stand alone, whatever they are called."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
from export_making import (
    CHANNELS,
    listmode_header,
    listmode_rows,
    notes_of,
    particles_of,
    profile,
    pulse_rows,
    records_of,
    sample_of,
    skipped_of,
    table,
)


def test_the_labelled_cultures_are_read_with_the_counts_of_their_readme(real_data: Path) -> None:
    records = records_of(real_data / "cytosense" / "eawag_cultures")
    particles = particles_of(records)
    assert len(particles) == 1140
    labels = Counter(particle.raw_label for particle in particles.values())
    assert len(labels) == 12
    assert labels["Cryptomonas"] == 40
    assert sorted(labels.values()) == [40, *[100] * 11]
    assert all(particle.profile is None and particle.image is None for particle in particles.values())
    first = particles["1"]
    assert first.raw_label == "Asterionella"
    assert first.listmode["2 FL Red Length"] == 57.00486
    assert first.listmode["SWS Sample Length"] == 83.4225
    assert first.listmode["FWS Range"] == 4412.823926
    assert not skipped_of(records)


def test_what_microscopy_says_of_a_species_does_not_become_a_measurement_of_its_particles(real_data: Path) -> None:
    records = records_of(real_data / "cytosense" / "eawag_cultures")
    names = {name for particle in particles_of(records).values() for name in particle.listmode}
    assert not [name for name in names if "microscopy" in name]
    settings = sample_of(records).settings
    assert "Asterionella: 81;" in settings["microscopy length"]
    assert "Asterionella: diatoms" in settings["group"]


def test_the_cultures_oddities_are_noted(real_data: Path) -> None:
    notes = notes_of(records_of(real_data / "cytosense" / "eawag_cultures"))
    for words in ("dots in place of spaces", "12 labels", "columns named Range", "0.1525926", "numbered by row"):
        assert words in notes


def test_a_pulse_table_of_any_name_is_read(tmp_path: Path) -> None:
    rows = pulse_rows({7: profile(5), 9: profile(3)}, ending="none")
    (tmp_path / "mine.csv").write_text(
        table(["ID", *CHANNELS, "X"], [[*row, np.nan] for row in rows]).replace("nan", "NA")
    )
    particles = particles_of(records_of(tmp_path))
    assert set(particles) == {"7", "9"}
    assert particles["7"].profile is not None
    np.testing.assert_array_equal(particles["7"].profile, profile(5).T)
    assert particles["7"].profile_spacing_um is None


def test_a_listmode_table_of_any_name_is_read(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text(table(listmode_header(), listmode_rows({4: 5, 8: 6}), separator="\t"))
    records = records_of(tmp_path)
    assert set(particles_of(records)) == {"4", "8"}
    assert sample_of(records).id == "mine"

"""Raw CytoSense files: the real ones against their README and the maker's own figures, made ones for the rest."""

from __future__ import annotations

import io
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from seston.errors import InputError
from seston.instruments.cyz import READER
from seston.instruments.cyz_profiles import conversion_table, plan_channels
from seston.instruments.dotnet import parse_stream
from seston.instruments.source import Listing, Record, Source
from seston.particle import Note, Particle, Sample, Skipped

sys.path.insert(0, str(Path(__file__).parent))
from dotnet_writer import (
    NEW_CHANNELS,
    OLD_CHANNELS,
    START,
    Thing,
    Writer,
    data_file,
    date,
    multiplex,
    net_list,
    pictured_particle,
    raw_particle,
    segmented_file,
    stream,
)

JPEG = b"\xff\xd8\xff\xe0picture\xff\xd9"


def records(path: Path) -> list[Record]:
    return list(READER.read(Source("cyz", path, (path,), "")))


def read(path: Path) -> tuple[Sample, list[Particle], list[Skipped], list[Note]]:
    found = records(path)
    sample = found[0]
    assert isinstance(sample, Sample)
    return (
        sample,
        [record for record in found if isinstance(record, Particle)],
        [record for record in found if isinstance(record, Skipped)],
        [record for record in found if isinstance(record, Note)],
    )


def profile_of(particle: Particle) -> NDArray[np.float32]:
    assert particle.profile is not None
    return particle.profile


def written(folder: Path, thing: Thing | bytes, name: str = "made.cyz") -> Path:
    path = folder / name
    path.write_bytes(thing if isinstance(thing, bytes) else stream(thing))
    return path


def segmented(folder: Path, settings: Thing, segments: Sequence[tuple[int, Sequence[Thing]]]) -> Path:
    path = folder / "segments.cyz"
    with path.open("wb") as out:
        segmented_file(settings, segments, out)
    return path


def old_particle(length: int, seed: int = 0) -> NDArray[np.uint8]:
    """Give the bytes of a particle, without zeros and without sync values."""
    values = np.random.default_rng(seed).integers(1, 128, (length, len(OLD_CHANNELS)))
    return values.astype(np.uint8)


def new_columns(length: int, seed: int = 0) -> list[bytes]:
    values = np.random.default_rng(seed).integers(0, 256, (len(NEW_CHANNELS), length)).astype(np.uint8)
    return [row.tobytes() for row in values]


# -- an independent, slow way to a profile ----------------------------------------------------------------------------


def slow_millivolts(column: Sequence[int], sync: int) -> list[float]:
    """Repair and convert one channel of the older electronics, sample by sample, from the reference's words."""
    values = [0.5 * 10 ** (byte / 63.75) for byte in column]
    size = len(column)
    for place in range(1, size - 1):
        if column[place] == 0 and column[place - 1] > 0 and column[place + 1] > 0:
            both = column[place - 1] + column[place + 1]
            values[place] = 0.5 * 10 ** (round(both / 2) / 63.75)
    if column[0] == sync:
        values[0] = 0.5 * 10 ** (column[1] / 63.75)
    if column[-1] == sync:
        values[-1] = 0.5 * 10 ** (column[-2] / 63.75)
    return values


def slow_smooth(values: Sequence[float]) -> list[float]:
    if len(values) < 3:
        return list(values)
    middle = [values[i - 1] / 4 + values[i] / 2 + values[i + 1] / 4 for i in range(1, len(values) - 1)]
    return [(2 * values[0] + values[1]) / 3, *middle, (2 * values[-1] + values[-2]) / 3]


def slow_profile(samples: NDArray[np.uint8], channels: Mapping[str, int]) -> dict[str, list[float]]:
    columns = {
        name: slow_millivolts(samples[:, place].tolist(), sync) for place, (name, sync) in enumerate(channels.items())
    }
    left, right = columns.pop("FWS L", None), columns.pop("FWS R", None)
    rows = {name: slow_smooth(values) for name, values in columns.items() if not name.startswith("Trigger")}
    if left and right:
        rows["FWS"] = slow_smooth([a + b for a, b in zip(left, right, strict=True)])
        raw = [(b - a) / (a + b + 1) for a, b in zip(left, right, strict=True)]
        rows["Curvature"] = [value - sum(raw) / len(raw) for value in raw]
    return rows


# -- the real files ---------------------------------------------------------------------------------------------------


def test_data_cyz_gives_the_particles_of_its_readme(real_data: Path) -> None:
    sample, particles, skipped, notes = read(real_data / "cytosense" / "cyz" / "data.cyz")
    assert len(particles) == 3902
    assert len(skipped) == 3
    assert all("sample" in record.reason and record.item.startswith("particle ") for record in skipped)
    assert notes == []
    lengths = [profile_of(particle).shape[1] for particle in particles]
    assert (np.median(lengths), max(lengths)) == (28, 1524)
    assert particles[0].profile_channels == ("FWS", "SWS", "FL Yellow", "FL Orange", "FL Red")
    assert particles[0].profile_spacing_um == pytest.approx(0.55)
    assert (particles[0].id, particles[-1].id) == ("data/0", "data/3904")
    assert min(float(profile_of(particle).min()) for particle in particles) == pytest.approx(0.5)
    assert (sample.instrument, sample.serial_number, sample.n_recorded) == ("MarseilleII", "CS-2010-33", 3905)
    assert sample.trigger == "FWS > 34.2 mV"


def test_the_beads_agree_with_what_the_maker_computes_for_them(real_data: Path) -> None:
    """Figures of the maker's own tests of this file (CyzFile-API, TestCyzFile)."""
    path = real_data / "cytosense" / "cyz" / "BeadsCalibration 2017-02-08 13h50_Beads.cyz"
    sample, particles, skipped, notes = read(path)
    assert (len(particles), skipped) == (535, [])
    reduced = "the file was reduced to a set: it comes from a measurement of 36,851 particles"
    assert [note.text for note in notes] == [reduced]
    assert (sample.n_recorded, sample.n_counted) == (535, 92820)
    assert sample.volume_analysed_ml == pytest.approx(0.0238877, abs=1e-6)
    assert sample.volume_sampled_ml == pytest.approx(0.063)
    assert sample.start == datetime(2017, 2, 8, 13, 50, 59, 956653)
    assert sample.end == sample.start + timedelta(seconds=60)
    assert sample.settings["particles_downloaded"] == "36851"


def test_a_file_cut_to_a_set_keeps_the_numbers_of_the_measurement(real_data: Path) -> None:
    path = real_data / "cytosense" / "cyz" / "BeadsCalibration 2017-02-08 13h50_Beads.cyz"
    sample, particles, _, _ = read(path)
    assert (sample.id, sample.set_name) == ("BeadsCalibration 2017-02-08 13h50", "Beads")
    assert [particle.id for particle in particles[:3]] == [f"{sample.id}/{number}" for number in (18, 21, 28)]


def test_the_beads_have_both_sensitivities_and_a_curvature_around_zero(real_data: Path) -> None:
    path = real_data / "cytosense" / "cyz" / "BeadsCalibration 2017-02-08 13h50_Beads.cyz"
    sample, particles, _, _ = read(path)
    assert particles[0].profile_channels == (
        "FWS", "SWS HS", "SWS LS", "FL Yellow LS", "FL Red LS", "FL Yellow HS", "FL Orange HS", "FL Red HS",
        "Curvature",
    )  # fmt: skip
    assert max(abs(float(profile_of(particle)[-1].mean())) for particle in particles) < 1e-6
    assert sample.detector_levels["FL Red HS"] == 97
    assert sample.beam_width_um == 5
    assert sample.core_speed_m_s == 2.2


def test_real_profiles_equal_a_slow_independent_conversion(real_data: Path) -> None:
    path = real_data / "cytosense" / "cyz" / "data.cyz"
    root = parse_stream(path.read_bytes()).root
    channels = {"Trigger1": 0, "FWS": 130, "SWS": 132, "FL Yellow": 134, "FL Orange": 136, "FL Red": 138}
    data = np.frombuffer(root.get("Data"), np.uint8)
    sync = bytes([130, 132, 134, 136, 138])
    places: list[int] = []
    raw = data.tobytes()
    at = raw.find(sync)
    while at >= 0:
        places.append(at - 1)
        at = raw.find(sync, at + 6)
    edges = [(a + 6, b) for a, b in pairwise(places) if b - a > 6 * 5]
    _, particles, _, _ = read(path)
    for (begin, end), particle in list(zip(edges, particles, strict=False))[:40]:
        rows = slow_profile(data[begin:end].reshape(-1, 6), channels)
        for name, values in zip(particle.profile_channels, profile_of(particle), strict=True):
            np.testing.assert_allclose(values, rows[name], rtol=2e-6)


@pytest.mark.parametrize(
    ("name", "start", "seconds"),
    [
        ("1p6um NF beads 2013-04-08 14u56.cyz", datetime(2013, 4, 8, 14, 56, 32, 366758), 155),
        ("algjes machteld 2010-11-22 11u33.cyz", datetime(2010, 11, 22, 11, 33, 9, 109375), 70),
        ("beads reservoir measurement 2021-10-04 15h00.cyz", datetime(2021, 10, 4, 15, 1, 21, 182015), 23),
    ],
)
def test_empty_real_files_say_so_and_give_their_sample(
    real_data: Path, name: str, start: datetime, seconds: int
) -> None:
    sample, particles, skipped, notes = read(real_data / "cytosense" / "cyz" / name)
    assert (particles, skipped) == ([], [])
    assert notes[0].text.startswith("empty: the file holds no particle")
    assert all("picture of the empty background" in note.text for note in notes[1:])
    assert (sample.start, sample.end) == (start, start + timedelta(seconds=seconds))


def test_the_pixel_size_is_camera_pitch_by_magnification(real_data: Path) -> None:
    sample, _, _, _ = read(real_data / "cytosense" / "cyz" / "beads reservoir measurement 2021-10-04 15h00.cyz")
    assert sample.pixel_size_um == pytest.approx(4.8 / 15.7, abs=1e-6)
    assert sample.trigger == "SWS > 30 mV"
    assert sample.settings["electronics"] == "V10"
    assert sample.provenance["pixel_size_um"].endswith("CytoSenseSetting.iif")


def test_the_damaged_file_of_2012_gives_a_reason_for_each_buffer_and_no_numbers(real_data: Path) -> None:
    sample, particles, skipped, notes = read(real_data / "cytosense" / "cyz" / "Measurement 2012-06-20 14u01.cyz")
    assert particles == []
    assert len(skipped) == 169 == sample.n_recorded
    assert sum("no whole number of samples" in record.reason for record in skipped) == 58
    assert sum("damaged" in record.reason for record in skipped) == 111
    assert len(notes) == 1
    assert notes[0].text.startswith("damaged: 169 of 169 buffers")


# -- conversion -------------------------------------------------------------------------------------------------------


def test_tables_reach_from_floor_to_top_as_the_reference_says() -> None:
    old, one, two = conversion_table(False), conversion_table(True, 1), conversion_table(True, 2)
    assert float(old[0]) == 0.5
    assert float(old[255]) == pytest.approx(5000)
    assert (float(one[0]), float(one[255])) == (0, 7936)
    assert (float(two[0]), float(two[255])) == (0, 8128)
    assert (np.diff(two) > 0).all()
    # one byte of each branch, by hand: e=3 f=5, e=5 f=7, e=11 f=2, e=14 f=15
    assert [float(two[byte]) for byte in (0x35, 0x57, 0xB2, 0xEF)] == [
        53 * 0.125, (128 + 7 * 8 + 4) * 0.125, (2 * 4096 + 512 + 128) * 0.125, (2 * 16384 + 15 * 1024 + 512) * 0.125,
    ]  # fmt: skip
    assert float(conversion_table(True, 16)[255]) == 255 * 256 * 0.125
    with pytest.raises(InputError, match="code 5 "):
        conversion_table(True, 5)


def test_zeros_and_syncs_at_the_ends_are_repaired_and_only_there(tmp_path: Path) -> None:
    samples = old_particle(9)
    samples[4, 3] = 0  # a lone zero between two values
    samples[6:8, 4] = 0  # two zeros in a row stay
    samples[0, 5], samples[-1, 5] = 138, 138
    samples[0, 3] = 0  # a zero at the end stays
    _, particles, _, _ = read(written(tmp_path, data_file(OLD_CHANNELS, data=multiplex([samples], OLD_CHANNELS))))
    rows = slow_profile(samples, OLD_CHANNELS)
    assert set(particles[0].profile_channels) == set(rows)
    for name, values in zip(particles[0].profile_channels, profile_of(particles[0]), strict=True):
        np.testing.assert_allclose(values, rows[name], rtol=1e-5, atol=1e-6)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(4, 40), min_size=1, max_size=12), st.integers(0, 1000), st.binary(max_size=20))
def test_any_particles_come_back_as_the_slow_way_has_them(
    tmp_path_factory: pytest.TempPathFactory, lengths: list[int], seed: int, tail: bytes
) -> None:
    given_particles = [old_particle(length, seed + place) for place, length in enumerate(lengths)]
    data = bytes(byte % 120 for byte in tail) + multiplex(given_particles, OLD_CHANNELS) + b"\x01" * (len(tail) % 7)
    path = written(tmp_path_factory.mktemp("cyz"), data_file(OLD_CHANNELS, data=data))
    _, particles, skipped, _ = read(path)
    assert skipped == []
    assert [profile_of(particle).shape[1] for particle in particles] == lengths
    for particle, samples in zip(particles, given_particles, strict=True):
        rows = slow_profile(samples, OLD_CHANNELS)
        for name, values in zip(particle.profile_channels, profile_of(particle), strict=True):
            np.testing.assert_allclose(values, rows[name], rtol=1e-5, atol=1e-6)


def test_hidden_channels_are_left_out_and_single_scatter_stays_single(tmp_path: Path) -> None:
    channels = {"Trigger1": 0, "FWS": 130, "SWS": 132, "FL Red": 134, "DSP": 0}
    thing = data_file(channels, data=multiplex([np.full((5, 5), 9, np.uint8)], channels))
    listed = thing.members["CytoSenseSetting"].members["channels"]
    listed[2].members["visible"] = False
    _, particles, _, _ = read(written(tmp_path, thing))
    assert particles[0].profile_channels == ("FWS", "FL Red")


# -- splitting --------------------------------------------------------------------------------------------------------


def test_a_lost_byte_costs_one_particle_and_the_next_are_read(tmp_path: Path) -> None:
    given_particles = [old_particle(length, length) for length in (8, 12, 16, 20)]
    data = bytearray(multiplex(given_particles, OLD_CHANNELS))
    del data[(5 + 8 + 5 + 4) * len(OLD_CHANNELS) + 2]  # inside the second particle
    _, particles, skipped, _ = read(written(tmp_path, data_file(OLD_CHANNELS, data=bytes(data))))
    assert [particle.id for particle in particles] == ["made/0", "made/2", "made/3"]
    assert [(record.item, "misaligned" in record.reason) for record in skipped] == [("particle 1", True)]
    rows = slow_profile(given_particles[2], OLD_CHANNELS)
    np.testing.assert_allclose(profile_of(particles[1])[0], rows["FWS"], rtol=1e-5)


def test_one_damaged_value_in_a_sync_record_is_tolerated(tmp_path: Path) -> None:
    data = bytearray(multiplex([old_particle(8), old_particle(12)], OLD_CHANNELS))
    data[(5 + 8) * len(OLD_CHANNELS) + 3] = 7  # first sync record behind the first particle
    _, particles, skipped, _ = read(written(tmp_path, data_file(OLD_CHANNELS, data=bytes(data))))
    assert [profile_of(particle).shape[1] for particle in particles] == [8, 12]
    assert skipped == []


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        ("short", "only 3 samples"),
        ("begin", "begins with sync values in 3 or more channels"),
        ("end", "ends with sync values in 3 or more channels"),
        ("plateau", "sync values inside"),
    ],
)
def test_what_is_no_particle_is_skipped_with_its_number(tmp_path: Path, spoil: str, reason: str) -> None:
    bad = old_particle(3 if spoil == "short" else 20)
    syncs = list(OLD_CHANNELS.values())
    if spoil == "begin":
        for place, row in ((1, 0), (2, 1), (3, 3)):
            bad[row, place] = syncs[place]
    if spoil == "end":
        for place, row in ((1, -1), (2, -2), (3, -4)):
            bad[row, place] = syncs[place]
    if spoil == "plateau":
        for place, row in ((1, 6), (2, 7), (3, 8), (4, 9)):
            bad[row : row + 4, place] = syncs[place]
    data = multiplex([old_particle(8), bad, old_particle(12)], OLD_CHANNELS)
    _, particles, skipped, _ = read(written(tmp_path, data_file(OLD_CHANNELS, data=data)))
    assert [particle.id for particle in particles] == ["made/0", "made/2"]
    assert [record.item for record in skipped] == ["particle 1"]
    assert reason in skipped[0].reason


def test_two_spoilt_channels_are_not_enough_to_drop_a_particle(tmp_path: Path) -> None:
    samples = old_particle(20)
    samples[0, 1], samples[0, 2] = 130, 132
    _, particles, skipped, _ = read(written(tmp_path, data_file(OLD_CHANNELS, data=multiplex([samples], OLD_CHANNELS))))
    assert (len(particles), skipped) == (1, [])


def test_data_without_sync_records_give_no_particles_and_the_reason(tmp_path: Path) -> None:
    _, particles, skipped, notes = read(written(tmp_path, data_file(OLD_CHANNELS, data=b"\x05" * 600)))
    assert (particles, notes) == ([], [])
    assert skipped[0].reason.startswith("no sync records in 600 bytes")


def test_particles_over_many_blocks_keep_their_order_and_alignment(tmp_path: Path) -> None:
    given_particles = [old_particle(length, length) for length in range(100, 1000)]
    data = bytearray(multiplex(given_particles, OLD_CHANNELS))
    del data[400_000]
    _, particles, skipped, _ = read(written(tmp_path, data_file(OLD_CHANNELS, data=bytes(data))))
    assert len(skipped) == 1
    lost = int(skipped[0].item.split()[1])
    kept = [samples for number, samples in enumerate(given_particles) if number != lost]
    assert [profile_of(particle).shape[1] for particle in particles] == [len(samples) for samples in kept]
    for particle, samples in list(zip(particles, kept, strict=True))[::150]:
        np.testing.assert_allclose(profile_of(particle)[1], slow_profile(samples, OLD_CHANNELS)["SWS"], rtol=1e-5)


# -- segments ---------------------------------------------------------------------------------------------------------


def v10(**others: Any) -> Thing:
    camera = {"PIC": Thing("CytoSense.CytoSettings.PICSettings", {"hasPICIIF": others.pop("by_number", True)})}
    return data_file(NEW_CHANNELS, data=None, newer=True, settings=camera | others.pop("settings", {}), **others)


def test_v10_particles_come_with_number_time_and_profile(tmp_path: Path) -> None:
    columns = new_columns(10)
    cluster = Thing("CytoSense.Data.Data+Cluster", {"name": "Small ones", "ID": 4})
    particle = raw_particle(17, columns, arrival=START + timedelta(seconds=2.5), cluster=cluster)
    sample, particles, skipped, notes = read(segmented(tmp_path, v10(), [(2, [particle, raw_particle(19, columns)])]))
    assert (skipped, notes) == ([], [])
    first = particles[0]
    assert (first.id, first.time, first.listmode) == (
        f"{sample.id}/17",
        START + timedelta(seconds=2.5),
        {"Time of Arrival": 2.5},
    )
    assert first.flags == ("set:Small ones",)
    assert first.profile_channels == ("FWS", "SWS", "FL Yellow", "FL Red HS", "FL Red LS", "Curvature")
    table = conversion_table(True, 2)
    left, right, side = (table[np.frombuffer(column, np.uint8)] for column in columns[:3])
    zero = np.frombuffer(columns[2], np.uint8) == 0
    if not zero.any():
        np.testing.assert_allclose(profile_of(first)[1], slow_smooth(side.tolist()), rtol=1e-5)
    np.testing.assert_allclose(profile_of(first)[0], slow_smooth((left + right).tolist()), rtol=1e-5)


@pytest.mark.parametrize(("smart", "read_ones"), [(False, [1]), (True, [2])])
def test_smart_triggering_decides_which_segments_are_read(tmp_path: Path, smart: bool, read_ones: list[int]) -> None:
    protocol = {"_smartTriggerSettings": [Thing("Rule", {"_channelName": "FL Red", "_minimum": 5.0})]} if smart else {}
    segments = [(2, [raw_particle(1, new_columns(5))]), (3, [raw_particle(2, new_columns(5))])]
    sample, particles, _, _ = read(segmented(tmp_path, v10(protocol=protocol), segments))
    assert [particle.id for particle in particles] == [f"{sample.id}/{number}" for number in read_ones]
    assert ("smart_trigger" in sample.settings) is smart


def test_pictures_find_their_particle_by_number_and_others_stay_recognisable(tmp_path: Path) -> None:
    columns = [new_columns(6, seed) for seed in range(4)]
    segments = [
        (2, [raw_particle(number, columns[number]) for number in range(3)]),
        (4, [pictured_particle(2, columns[2], JPEG), pictured_particle(99, columns[3], JPEG + b"2")]),
    ]
    camera = Thing("C", {"PixelPitch": 4.8})
    settings_ = {"iif": Thing("I", {"CameraFeatures": camera, "opticalMagnification": 16.0})}
    sample, particles, _, notes = read(segmented(tmp_path, v10(settings=settings_), segments))
    by_id = {particle.id.removeprefix(f"{sample.id}/"): particle for particle in particles}
    assert list(by_id) == ["0", "1", "2", "picture-0"]
    assert [particle.image for particle in particles] == [None, None, JPEG, JPEG + b"2"]
    assert by_id["2"].pixel_size_um == pytest.approx(0.3)
    assert by_id["picture-0"].flags == ("unmatched_picture",)
    assert profile_of(by_id["picture-0"]).shape == (6, 6)
    assert "1 picture without a particle" in notes[0].text


def test_pictures_without_numbers_find_the_particle_with_the_same_bytes(tmp_path: Path) -> None:
    columns = [new_columns(6, seed) for seed in (0, 1, 2, 2)]
    segments = [
        (2, [raw_particle(number, own) for number, own in enumerate(columns)]),
        (4, [pictured_particle(0, columns[1], JPEG), pictured_particle(0, columns[2], JPEG)]),
    ]
    _, particles, _, notes = read(segmented(tmp_path, v10(by_number=False), segments))
    assert [particle.image is not None for particle in particles] == [False, True, False, False, True]
    assert "1 picture without a particle" in notes[0].text  # two particles have the bytes of the second picture


def test_segments_written_twice_by_cytousb_5_8_0_6_are_read_once(tmp_path: Path) -> None:
    version = {"CytoUSBSettings": Thing("CytoSense.CytoUSBSettings", {"CytoUSBVersion": "CytoUSB Version: 5.8.0.6"})}
    particles_twice = [raw_particle(number, new_columns(6, number)) for number in range(3)]
    pictures = [pictured_particle(1, new_columns(6, 1), JPEG)]
    segments = [(2, particles_twice), (2, particles_twice), (4, pictures), (4, pictures)]
    _, particles, skipped, notes = read(segmented(tmp_path, v10(settings=version), segments))
    assert [particle.image for particle in particles] == [None, JPEG, None]
    assert skipped == []
    said = " ".join(note.text for note in notes)
    assert "3 repeated particles dropped" in said
    assert "may have given each picture to the particle before" in said
    assert particles[1].flags == ("picture_may_be_one_off",)


def test_a_number_that_stands_twice_in_other_versions_is_skipped(tmp_path: Path) -> None:
    twice = [raw_particle(5, new_columns(6, seed)) for seed in (0, 1)]
    _, particles, skipped, _ = read(segmented(tmp_path, v10(), [(2, twice)]))
    assert len(particles) == 1
    assert [(record.item, "twice" in record.reason) for record in skipped] == [("particle 5", True)]


def test_particles_with_wrong_channels_cost_only_themselves(tmp_path: Path) -> None:
    columns = new_columns(6)
    bad = [raw_particle(1, columns[:4]), raw_particle(2, [*columns[:5], b"123"]), raw_particle(3, [b""] * 6)]
    _, particles, skipped, _ = read(segmented(tmp_path, v10(), [(2, [*bad, raw_particle(4, columns)])]))
    assert len(particles) == 1
    assert [record.item for record in skipped] == [f"particle {place} of segment 0" for place in range(3)]


def test_a_file_cut_in_a_segment_gives_the_segments_before(tmp_path: Path) -> None:
    segments = [(2, [raw_particle(10 * part + place, new_columns(6)) for place in range(3)]) for part in range(3)]
    path = segmented(tmp_path, v10(), segments)
    path.write_bytes(path.read_bytes()[:-20])
    sample, particles, skipped, _ = read(path)
    numbers = [particle.id.removeprefix(f"{sample.id}/") for particle in particles]
    assert numbers == ["0", "1", "2", "10", "11", "12", "20", "21"]
    assert [record.item for record in skipped] == ["rest of segment 2 (all particles)"]
    assert "the file is cut" in skipped[0].reason
    path.write_bytes(path.read_bytes()[:65_535])
    with pytest.raises(InputError, match="settings: cut or damaged at byte 65,535"):
        records(path)


def test_a_damaged_segment_costs_only_itself(tmp_path: Path) -> None:
    segments = [(2, [raw_particle(10 * part + place, new_columns(6)) for place in range(3)]) for part in range(3)]
    path = segmented(tmp_path, v10(), segments)
    data = bytearray(path.read_bytes())
    second = data.index(b"ParticleDataSegment", data.index(b"ParticleDataSegment") + 1)
    data[second + 19 : second + 23] = b"\xff\xff\xff\x7f"  # the number of the class's members
    path.write_bytes(data)
    _, particles, skipped, _ = read(path)
    assert len(particles) == 6
    assert [record.item for record in skipped] == ["rest of segment 1 (all particles)"]
    assert skipped[0].reason.startswith("cut or damaged at byte")


def test_a_wrong_magnification_of_one_instrument_is_put_right(tmp_path: Path) -> None:
    camera = Thing("I", {"CameraFeatures": Thing("C", {"PixelPitch": 4.8}), "opticalMagnification": 20.0})
    release = Thing("V", {"_ClassReleaseDate": date(datetime(2018, 1, 1))})
    wrong = {"SerNr": "CS-2015-68", "iif": camera, "machineConfigurationRelease": release}
    sizes = []
    for start in (datetime(2020, 1, 1), datetime(2019, 1, 1)):
        path = segmented(tmp_path, v10(settings=wrong, info={"MeasurementStartTime": date(start)}), [])
        sizes.append(read(path)[0].pixel_size_um)
    assert sizes == [pytest.approx(0.3), pytest.approx(0.24)]


def test_v10_volumes_are_downloaded_by_counted_by_pumped(tmp_path: Path) -> None:
    pump = Thing("Pump", {"_byteToSpeed": np.arange(256) * 0.07})
    counters = Thing("Counters", {"ValidTriggerCount": 400})
    thing = v10(
        settings={"hasDCSamplePump": True, "DCSamplePump": pump},
        protocol={"_SamplePompSpeed": 256 - 29},
        info={"NumberofParticles": 100, "NumberofParticles_smartTriggered": 0, "MeasurementCounters": counters},
    )
    sample, _, _, _ = read(segmented(tmp_path, thing, []))
    pumped = 29 * 0.07 * 60 / 1000
    assert sample.volume_sampled_ml == pytest.approx(pumped)
    assert sample.volume_analysed_ml == pytest.approx(pumped / 4)
    assert (sample.n_counted, sample.n_recorded) == (400, 100)


# -- old pictures and pieces ------------------------------------------------------------------------------------------


def dsp_particle(samples: NDArray[np.uint8], picture: bytes | None) -> Thing:
    image = None if picture is None else Thing("System.Drawing.Bitmap", {"Data": picture})
    members = {
        "_ChannelData": samples.tobytes(),
        "_Image": image,
        "_imageStream": None,
        "_ImageMatchSucces": picture is not None,
    }
    return Thing("CytoSense.DSP.DSPParticle", members)


def test_old_pictures_find_their_particle_in_the_order_of_both(tmp_path: Path) -> None:
    given_particles = [old_particle(8, 1), old_particle(9, 2), old_particle(8, 1), old_particle(10, 3)]
    pictures = [
        dsp_particle(given_particles[1], JPEG + b"a"),
        dsp_particle(given_particles[2], JPEG + b"b"),
        dsp_particle(old_particle(11, 9), JPEG + b"c"),
        dsp_particle(given_particles[3], None),
    ]
    iif = Thing("CytoSense.DSP.DSPParticles", {"_DSPParticle": [*pictures, None], "nParts": 4})
    thing = data_file(OLD_CHANNELS, data=multiplex(given_particles, OLD_CHANNELS), others={"IIF": iif})
    sample, particles, _, notes = read(written(tmp_path, thing))
    assert sample.n_imaged == 3
    # the third particle has the bytes of the first, but comes after the second, whose picture came before
    assert [particle.image for particle in particles] == [None, JPEG + b"a", JPEG + b"b", None, JPEG + b"c"]
    assert particles[-1].flags == ("unmatched_picture",)
    assert "1 picture without a particle" in notes[0].text


def test_whole_buffers_of_a_file_in_pieces_are_read_and_damaged_ones_not(tmp_path: Path) -> None:
    good = old_particle(12)
    sync = np.array(list(OLD_CHANNELS.values()), np.uint8)
    closing = np.tile(sync, (5, 1)).tobytes()
    broken = closing[: 2 * len(sync)] + bytes([7, 7, 7]) + closing[2 * len(sync) + 3 :]
    buffers = [
        good.tobytes() + closing,
        good.tobytes() + closing[:-1],
        good.tobytes() + closing[: 3 * len(sync)],
        good.tobytes() + sync.tobytes() + good.tobytes() + closing,
        good.tobytes() + broken,
    ]
    out = io.BytesIO()
    out.write(bytes(1024))
    Writer(out).write(data_file(OLD_CHANNELS, data=None))
    place = out.tell()
    Writer(out).write(Thing("CytoSense.Data.Data+ParticleBuffer", {"particles": net_list(buffers, "System.Byte[]")}))
    where = [Thing("CytoSense.Data.Data+LocationInFile", {"offset": at, "count": 0}) for at in (1024, place)]
    out.seek(0)
    pieces = net_list([where[1]], "CytoSense.Data.Data+LocationInFile")
    Writer(out).write(Thing("CytoSense.Data.Data+DataFileIndex", {"df_info": where[0], "pieces": pieces}))
    _, particles, skipped, notes = read(written(tmp_path, out.getvalue()))
    assert [particle.id for particle in particles] == ["made/0"]
    np.testing.assert_allclose(profile_of(particles[0])[1], slow_profile(good, OLD_CHANNELS)["SWS"], rtol=1e-5)
    assert [record.item for record in skipped] == ["buffer 1", "buffer 2", "buffer 3", "buffer 4"]
    assert notes[0].text.startswith("damaged: 4 of 5 buffers")


# -- what is no measurement, or only a part of one --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "made.cyz: empty file"),
        (
            b"no stream at all, but long enough",
            "made.cyz: cut or damaged at byte 0: there is no .NET BinaryFormatter stream",
        ),
        (stream(Thing("System.String", {"x": 1})), "class System.String, not a measurement"),
        (stream(data_file({})), "list no channels"),
        (stream(data_file({"Trigger1": 0})), "carries a signal"),
    ],
)
def test_what_cannot_be_read_at_all_is_one_plain_line(tmp_path: Path, content: bytes, said: str) -> None:
    with pytest.raises(InputError, match=said) as caught:
        records(written(tmp_path, content))
    assert "\n" not in str(caught.value)


def test_a_file_cut_before_its_channels_says_where_it_is_cut(tmp_path: Path) -> None:
    data = stream(data_file(OLD_CHANNELS, data=multiplex([old_particle(50)], OLD_CHANNELS)))
    with pytest.raises(InputError, match="cut or damaged at byte"):
        records(written(tmp_path, data[:900]))


def test_a_file_cut_behind_its_channels_still_gives_its_particles(tmp_path: Path) -> None:
    behind = Thing("A", {"b": Thing("B", {"c": bytes(500)})})  # nested so deep that it stands behind the channels
    particles_data = multiplex([old_particle(50), old_particle(20)], OLD_CHANNELS)
    data = stream(data_file(OLD_CHANNELS, data=particles_data, others={"behind": behind}))[:-100]
    _, particles, skipped, _ = read(written(tmp_path, data))
    assert len(particles) == 2
    assert [record.item for record in skipped] == ["what follows particle 1"]
    assert "an array of 500 bytes, of which 401 are there" in skipped[0].reason


WHOLE = stream(
    data_file(
        OLD_CHANNELS,
        data=multiplex([old_particle(8), old_particle(12)], OLD_CHANNELS),
        others={
            "IIF": Thing(
                "CytoSense.DSP.DSPParticles", {"_DSPParticle": [dsp_particle(old_particle(8), JPEG)], "nParts": 1}
            )
        },
    )
)


def segmented_bytes() -> bytes:
    out = io.BytesIO()
    columns = new_columns(6)
    segmented_file(v10(), [(2, [raw_particle(1, columns)]), (4, [pictured_particle(1, columns, JPEG)])], out)
    return out.getvalue()


SEGMENTED = segmented_bytes()


@settings(max_examples=250, deadline=None)
@given(
    st.sampled_from([WHOLE, SEGMENTED]),
    st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255)), max_size=4),
    st.integers(0, 400),
)
def test_cut_and_flipped_files_give_records_or_one_line(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, flips: list[tuple[int, int]], cut: int
) -> None:
    data = bytearray(content[: len(content) - cut])
    used = [*range(min(1500, len(data))), *range(min(65_000, len(data)), len(data))]
    for place, value in flips:
        data[used[place % len(used)]] = value
    try:
        found = records(written(tmp_path_factory.mktemp("flip"), bytes(data)))
    except InputError as error:
        found = []
        message = str(error)
    else:
        message = ""
    assert "\n" not in message
    for record in found:
        assert not isinstance(record, Skipped) or "\n" not in record.reason


def test_settings_of_an_impossible_kind_become_unknown_and_cost_no_particle(tmp_path: Path) -> None:
    protocol = {"_TriggerChannelArray": [np.array([1.0, 2.0])], "_PMTlevels": ["x"], "_SamplePompSpeed": "fast"}
    info = {"MeasureTime": 1e300, "NumberofParticles": "many", "sensorLogs": 5, "log": [1]}
    thing = data_file(OLD_CHANNELS, data=multiplex([old_particle(8)], OLD_CHANNELS), protocol=protocol, info=info)
    sample, particles, _, _ = read(written(tmp_path, thing))
    assert len(particles) == 1
    assert (sample.trigger, sample.end, sample.detector_levels) == (None, None, {})
    assert sample.n_recorded == 1


def test_a_class_name_with_line_breaks_stays_one_line(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="class A B, not a measurement"):
        records(written(tmp_path, stream(Thing("A\nB", {"x": 1}))))


def test_the_reader_claims_by_name_and_by_content(tmp_path: Path) -> None:
    named = written(tmp_path, b"anything", "A.CYZ")
    unnamed = written(tmp_path, WHOLE, "renamed.dat")
    other = written(tmp_path, b"text", "notes.txt")
    claimed = READER.claim(Listing(tmp_path, (named, unnamed, other)))
    assert [source.path for source in claimed] == [named, unnamed]
    assert claimed[0].reason == "is named .cyz, but does not begin as a raw CytoSense file"
    assert claimed[1].reason == "begins as a raw CytoSense file"


def test_the_codes_of_a_real_v10_file_are_found(real_data: Path) -> None:
    path = real_data / "cytosense" / "cyz" / "beads reservoir measurement 2021-10-04 15h00.cyz"
    settings_ = parse_stream(path.read_bytes(), 65_535).root
    plan = plan_channels(settings_.object("CytoSenseSetting"), [2] * 6)
    assert plan.names == ("FWS", "SWS", "FL Yellow", "FL Orange", "FL Red", "Curvature")
    assert set(plan.syncs) == {None}


def test_what_is_odd_about_whole_files_is_noted(real_data: Path) -> None:
    def notes(name: str) -> str:
        return "\n".join(note.text for note in read(real_data / "cytosense" / "cyz" / name)[3])

    assert "empty background is inside (JPEG, 1280 × 1024)" in notes("1p6um NF beads 2013-04-08 14u56.cyz")
    assert "empty background is inside (PNG, 1920 × 1200)" in notes("beads reservoir measurement 2021-10-04 15h00.cyz")

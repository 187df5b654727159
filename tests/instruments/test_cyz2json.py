"""The JSON of cyz2json: made after the keys of a real one, in all spellings, whole, damaged and cut."""

from __future__ import annotations

import base64
import csv
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seston.errors import InputError
from seston.instruments.cyz2json import READER
from seston.instruments.source import Listing, Source
from seston.particle import Note, Particle, Sample, Skipped

CHANNELS = ("FWS", "SWS", "Fl Yellow", "FL Red", "Curvature", "FWS L", "FWS R")
PARAMETERS = {
    "length": 3.1851401, "total": 18344.916, "maximum": 2504.0, "average": 1394.532, "inertia": 0.4873372,
    "centreOfGravity": 6.146727, "fillFactor": 0.7276904, "asymmetry": 0.05434966, "numberOfCells": 0.993438,
    "sampleLength": 7.15, "timeOfArrival": 0.6408574, "first": 314.66666, "last": 216.0, "minimum": 216.0,
    "swscov": 42988244.0, "variableLength": 6.633353,
}  # fmt: skip
JPEG = b"\xff\xd8\xff\xe0picture\xff\xd9"

RICH: Mapping[str, Any] = {
    "CytoSettings": {
        "TabName": "SWS250-setFLRMax50-1000im-PMTlow",
        "SamplePompSpeed": 4.06,
        "TriggerLevel1e": 250.0,
        "TriggerChannel": "SWS",
        "StopafterTimertext": 1200,
        "PMTlevels_str": "SWS: 55 (25x), Fl Yellow: 80 (192x), FL Red: 75 (366x)",
        "MaxTimeOut": "NaN",
        "SmartTriggeringEnabled": True,
        "SmartTriggerSettingDescription": "FL Red Maximum > 50",
        "IIFParameters": {"BeamWidth": 0.0, "CoreSpeed": 0.0},
        "CytoSettings": {
            "hasFJDataElectronics": True,
            "SampleCorespeed": 2.2,
            "LaserBeamWidth": 5.0,
            "ImagePixelSize": 0.2229,
            "CameraPixelSize": 3.5,
            "OpticalMagnification": 15.7,
            "LaserInfo": [{"Wavelength": 488}, {"Wavelength": 552}],
            "CytoUSBSettings": {"CytoUSBVersion": "CytoUSB Version: 6.3.4.2"},
            "iif": {"CameraFeatures": {"PixelPitch": 3.5}, "Background": {"Data": "A" * 9000}},
        },
    }
}
SHORT: Mapping[str, Any] = {
    "name": "Main", "duration": 600, "pumpSpeed": 4.06, "triggerChannel": "FL Red", "triggerLevel": 15.9375,
    "smartTrigger": False, "takeImages": True, "easy_display_cytoclus": "SWS: 55 (25x), FL Red HS: 75 (366x)",
}  # fmt: skip
RESULTS: Mapping[str, Any] = {
    "start": "2025-02-13T14:28:04.6461571+01:00", "particleCount": 464184, "particlesInFileCount": 5485,
    "pictureCount": 514, "particleConcentration": 1.128717072, "systemTemperature": 27.578514,
}  # fmt: skip
VOLUMES: Mapping[str, Any] = {
    "maximum_measurement_time_s": 1200.0,
    "pumped_volume": 4872.0,
    "analysed_volume": 4859.499457,
}


def particle(number: int, length: int = 14, **others: Any) -> dict[str, Any]:
    random = np.random.default_rng(number)
    halves = random.random((2, length)).astype(np.float32).astype(float) * 100
    shapes = {channel: random.random(length).astype(np.float32).astype(float) for channel in CHANNELS}
    shapes |= {"FWS": halves.sum(axis=0), "FWS L": halves[0], "FWS R": halves[1]}
    made = {
        "particleId": number,
        "hasImage": False,
        "pulseShapes": [{"description": channel, "values": values.tolist()} for channel, values in shapes.items()],
        "parameters": [{"description": channel, **PARAMETERS} for channel in CHANNELS],
    }
    return made | others


def picture(number: int, data: bytes = JPEG, **others: Any) -> dict[str, Any]:
    return {"particleId": number, "base64": base64.b64encode(data).decode(), **others}


def whole(**others: Any) -> dict[str, Any]:
    made: dict[str, Any] = {
        "filename": "SWS250 2025-02-13 14h27.cyz",
        "instrument": {
            "name": "MIO - La Physat",
            "serialNumber": "CS-2020-101",
            "sampleCoreSpeed": 2.2,
            "laserBeamWidth": 5.0,
            "channels": [{"id": place, "description": channel} for place, channel in enumerate(CHANNELS)],
            "measurementSettings": RICH,
            "measurementResults": {**RESULTS, **VOLUMES},
        },
        "particles": [particle(number) for number in (3, 173, 298)],
        "images": [picture(298)],
    }
    return made | others


def written(folder: Path, content: dict[str, Any] | bytes, indent: int | None = 2) -> Path:
    path = folder / "made.json"
    path.write_bytes(content if isinstance(content, bytes) else json.dumps(content, indent=indent).encode())
    return path


def read(path: Path) -> tuple[Sample, list[Particle], list[Skipped], list[Note]]:
    found = list(READER.read(Source("cyz2json", path, (path,), "")))
    sample = found[0]
    assert isinstance(sample, Sample)
    return (
        sample,
        [record for record in found if isinstance(record, Particle)],
        [record for record in found if isinstance(record, Skipped)],
        [record for record in found if isinstance(record, Note)],
    )


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("indent", [None, 2])
def test_particles_come_with_profile_listmode_and_picture(tmp_path: Path, mark: bytes, indent: int | None) -> None:
    content = whole()
    path = written(tmp_path, mark + json.dumps(content, indent=indent).encode())
    sample, particles, skipped, notes = read(path)
    assert (skipped, notes) == ([], [])
    assert sample.id == "SWS250 2025-02-13 14h27"
    assert [one.id for one in particles] == [f"{sample.id}/{number}" for number in (3, 173, 298)]
    assert [one.image for one in particles] == [None, None, JPEG]
    assert particles[2].pixel_size_um == pytest.approx(3.5 / 15.7, abs=1e-6)
    assert particles[0].pixel_size_um is None
    assert particles[0].profile_spacing_um == pytest.approx(0.55)
    assert particles[1].profile_channels == ("FWS", "SWS", "FL Yellow", "FL Red", "Curvature")
    profile = particles[1].profile
    assert profile is not None
    assert profile.dtype == np.float32
    for row, shape in zip(profile, content["particles"][1]["pulseShapes"], strict=False):
        np.testing.assert_allclose(row, shape["values"], rtol=1e-6)


def test_the_halves_of_the_scatter_are_left_and_the_sum_is_taken(tmp_path: Path) -> None:
    _, particles, _, _ = read(written(tmp_path, whole()))
    assert not any(name.startswith(("FWS L ", "FWS R ")) for name in particles[0].listmode)
    assert not {"FWS L", "FWS R"} & set(particles[0].profile_channels)


def test_listmode_has_canonical_names(tmp_path: Path) -> None:
    _, particles, _, _ = read(written(tmp_path, whole()))
    listmode = particles[0].listmode
    assert listmode["FL Yellow Center of gravity"] == pytest.approx(6.146727)
    assert listmode["FWS SWS covariance"] == 42988244
    assert listmode["FL Red Variable length"] == pytest.approx(6.633353)
    assert listmode["Sample Length"] == 7.15
    assert listmode["Time of Arrival"] == pytest.approx(0.6408574)
    assert len(listmode) == 5 * 14 + 2


def test_the_misspelt_asymmetry_of_the_first_version_is_understood(tmp_path: Path) -> None:
    old = particle(1)
    old["parameters"] = [{"description": "SWS", "asmmetry": 0.25}]
    _, particles, _, _ = read(written(tmp_path, whole(particles=[old])))
    assert particles[0].listmode == {"SWS Asymmetry": 0.25}


@pytest.mark.parametrize(
    "volumes",
    [
        {"duration": 1200.0, "pumpedVolume": 4872.0, "analysedVolume": 4859.499457},
        {"maximum_measurement_time_s": 1200.0, "pumped_volume": 4872.0, "analysed_volume": 4859.499457},
    ],
)
def test_volumes_and_duration_are_found_in_every_spelling(tmp_path: Path, volumes: dict[str, float]) -> None:
    content = whole()
    content["instrument"]["measurementResults"] = {**RESULTS, **volumes}
    sample, _, _, _ = read(written(tmp_path, content))
    assert sample.volume_sampled_ml == pytest.approx(4.872)
    assert sample.volume_analysed_ml == pytest.approx(4.859499457)
    assert sample.start == datetime(2025, 2, 13, 13, 28, 4, 646157, tzinfo=UTC)
    assert sample.end == datetime(2025, 2, 13, 13, 48, 4, 646157, tzinfo=UTC)
    assert sample.provenance["volume_sampled_ml"].endswith(next(key for key in volumes if key.startswith("pumped")))


def test_the_rich_settings_go_into_the_sample(tmp_path: Path) -> None:
    sample, _, _, _ = read(written(tmp_path, whole()))
    assert (sample.n_counted, sample.n_recorded, sample.n_imaged) == (464184, 5485, 514)
    assert (sample.instrument, sample.serial_number) == ("MIO - La Physat", "CS-2020-101")
    assert sample.trigger == "SWS > 250 mV"
    assert sample.detector_levels == {"SWS": 55, "FL Yellow": 80, "FL Red": 75}
    assert (sample.core_speed_m_s, sample.beam_width_um) == (2.2, 5)
    assert sample.settings["smart_trigger"] == "FL Red Maximum > 50"
    assert sample.settings["lasers_nm"] == "488, 552"
    assert sample.settings["software"] == "CytoUSB Version: 6.3.4.2"
    assert max(map(len, sample.settings.values())) < 200  # no background picture among them


def test_the_short_settings_go_into_the_sample_too(tmp_path: Path) -> None:
    content = whole()
    content["instrument"] = {"name": "A", "measurementSettings": SHORT, "measurementResults": RESULTS}
    sample, particles, _, _ = read(written(tmp_path, content))
    assert sample.trigger == "FL Red > 15.9375 mV"
    assert sample.detector_levels == {"SWS": 55, "FL Red HS": 75}
    assert sample.settings["protocol"] == "Main"
    assert sample.pixel_size_um is None  # only the rich form says it
    assert particles[0].profile_spacing_um is None  # no core speed before 2024


def test_the_spacing_comes_from_the_rich_settings_where_the_instrument_lacks_it(tmp_path: Path) -> None:
    content = whole()
    del content["instrument"]["sampleCoreSpeed"]
    _, particles, _, _ = read(written(tmp_path, content))
    assert particles[0].profile_spacing_um == pytest.approx(0.55)


def test_sets_become_flags_and_their_definition_a_setting(tmp_path: Path) -> None:
    sets = {
        "definition": '<SetList "x">',
        "statistics": [{"name": "Small", "count": 2, "images": 1, "imaged_volume": "NaN"}],
    }
    content = whole(
        set_information=sets, particles=[particle(1, region=["Default (all)", "Small"]), particle(2, region="Big")]
    )
    sample, particles, _, _ = read(written(tmp_path, content))
    assert [one.flags for one in particles[:2]] == [("set:Default (all)", "set:Small"), ("set:Big",)]
    assert sample.settings["set: Small"] == "count=2, images=1, imaged_volume=NaN"
    assert sample.settings["set_definition"] == '<SetList "x">'


def test_pictures_are_joined_wherever_they_stand(tmp_path: Path) -> None:
    content = {"images": [picture(2, JPEG + b"2"), picture(1, JPEG + b"1")]} | whole(
        particles=[particle(1), particle(2)], images=None
    )
    content["images"] = [picture(2, JPEG + b"2"), picture(1, JPEG + b"1"), picture(77, JPEG + b"77")]
    sample, particles, skipped, _ = read(written(tmp_path, content))
    assert skipped == []
    assert [(one.id.removeprefix(sample.id), one.image) for one in particles] == [
        ("/1", JPEG + b"1"),
        ("/2", JPEG + b"2"),
        ("/77", JPEG + b"77"),
    ]
    assert particles[2].profile is None


def test_a_cropped_picture_goes_before_the_whole_frame(tmp_path: Path) -> None:
    content = whole(
        particles=[particle(1), particle(2)], images=[picture(1), picture(2)], crop_images=[picture(1, b"crop")]
    )
    _, particles, _, _ = read(written(tmp_path, content))
    assert [one.image for one in particles] == [b"crop", JPEG]


def test_a_picture_that_the_camera_cropped_is_marked(tmp_path: Path) -> None:
    crop = {"X": 1, "Y": 2, "Width": 3, "Height": 4}
    _, particles, _, _ = read(written(tmp_path, whole(images=[picture(3, cropRectangle=crop)])))
    assert particles[0].flags == ("cropped_by_camera",)


def spoilt_sample(value: Any) -> Any:
    return lambda made: made["pulseShapes"][1]["values"].__setitem__(0, value)


@pytest.mark.parametrize(
    ("spoil", "item", "reason"),
    [
        (lambda made: made["pulseShapes"][1]["values"].append(1.0), "profile of particle 173", "different numbers"),
        (spoilt_sample("NaN"), "profile of particle 173", "not finite"),
        (spoilt_sample("Infinity"), "profile of particle 173", "not finite"),
        (spoilt_sample("a"), "profile of particle 173", "no numbers"),
        (lambda made: made["pulseShapes"][1].update(values=5), "particle at place 1", "is damaged"),
        (lambda made: made.pop("particleId"), "particle at place 1", "has no particleId"),
        (lambda made: made.update(particleId=3), "particle at place 1", "stands in the file twice"),
    ],
)
def test_a_spoilt_particle_costs_only_what_is_spoilt(tmp_path: Path, spoil: Any, item: str, reason: str) -> None:
    content = whole()
    spoil(content["particles"][1])
    _, particles, skipped, _ = read(written(tmp_path, content))
    assert [(record.item, reason in record.reason) for record in skipped] == [(item, True)]
    profiles = [one.profile is not None for one in particles]
    assert profiles == ([True, False, True] if item.startswith("profile") else [True, True])


def test_numbers_that_are_none_are_left_out_of_listmode(tmp_path: Path) -> None:
    content = whole(
        particles=[particle(1, parameters=[{"description": "SWS", "length": "NaN", "total": "Infinity", "first": 2}])]
    )
    _, particles, _, _ = read(written(tmp_path, content))
    assert particles[0].listmode == {"SWS First": 2}


def test_bare_nan_is_no_json_but_is_read(tmp_path: Path) -> None:
    content = whole()
    content["particles"][1]["parameters"] = [{"description": "SWS", "length": float("nan"), "first": 2.0}]
    _, particles, skipped, _ = read(written(tmp_path, content))
    assert skipped == []
    assert particles[1].listmode == {"SWS First": 2}


def test_a_picture_that_is_no_base64_costs_only_itself(tmp_path: Path) -> None:
    content = whole(images=[{"particleId": 3, "base64": "A"}, {"base64": "AAAA"}, picture(298)])
    _, particles, skipped, _ = read(written(tmp_path, content))
    assert [one.image for one in particles] == [None, None, JPEG]
    assert [record.item.split(" at byte")[0] for record in skipped] == ["picture of particle 3", "picture"]


def test_a_file_without_particles_is_said_to_be_empty(tmp_path: Path) -> None:
    sample, particles, skipped, notes = read(written(tmp_path, whole(particles=[], images=[])))
    assert (particles, skipped) == ([], [])
    assert sample.n_recorded == 5485
    assert notes[0].text.startswith("empty:")


@settings(max_examples=120, deadline=None)
@given(st.data())
def test_a_cut_file_keeps_what_was_whole_and_names_the_rest(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    raw = json.dumps(whole(), indent=1).encode()
    size = data.draw(st.integers(0, len(raw) - 1))
    path = written(tmp_path_factory.getbasetemp(), raw[:size])
    try:
        _, particles, skipped, _ = read(path)
    except InputError as error:
        message = str(error)
        particles, skipped = [], [Skipped("", "", message)]
    assert skipped
    assert f"{size:,}" in skipped[-1].reason or size < 20
    ends = [raw.index(mark) for mark in (b'"particleId": 173', b'"particleId": 298', b'"images"')]
    at_least = sum(size >= end for end in ends)
    assert len(particles) == at_least if size > raw.index(b'"particles"') else not particles


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255)), min_size=1, max_size=4))
def test_flipped_bytes_give_records_or_one_line(
    tmp_path_factory: pytest.TempPathFactory, flips: list[tuple[int, int]]
) -> None:
    raw = bytearray(json.dumps(whole(), indent=1).encode())
    for place, value in flips:
        raw[place % len(raw)] = value
    try:
        _, _, skipped, _ = read(written(tmp_path_factory.getbasetemp(), bytes(raw)))
    except InputError as error:
        skipped = [Skipped("", "", str(error))]
    assert not any("\n" in record.reason for record in skipped)


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"", "made.json: empty file"),
        (b"[1, 2]", "does not begin with an object"),
        (b'{"a": 1}', "has no instrument and no particles"),
        (b'{"instrument": {"name"', "breaks off at byte 22"),
    ],
)
def test_what_is_no_measurement_is_one_plain_line(tmp_path: Path, raw: bytes, said: str) -> None:
    with pytest.raises(InputError, match=said):
        read(written(tmp_path, raw))


def test_nesting_without_end_is_no_trouble(tmp_path: Path) -> None:
    deep = (
        b'{"instrument": {"name": "A", "x": ' + b"[" * 200_000 + b"]" * 200_000 + b'}, "particles": [' + b"[" * 90_000
    )
    sample, _, skipped, _ = read(written(tmp_path, deep + b"]" * 90_000 + b"]}"))
    assert sample.instrument is None
    assert [record.item for record in skipped] == ["particle at place 0"]


def test_the_reader_claims_what_begins_as_a_measurement(tmp_path: Path) -> None:
    ours = written(tmp_path, whole())
    other = tmp_path / "package.json"
    other.write_text('{"name": "x", "instrument": 1}')
    assert [source.path for source in READER.claim(Listing(tmp_path, (ours, other)))] == [ours]


def test_the_real_table_of_keys_is_no_measurement_but_its_values_read_back(real_data: Path, tmp_path: Path) -> None:
    folder = real_data / "cytosense" / "cyz2json_flat"
    files = tuple(sorted(folder.iterdir()))
    assert READER.claim(Listing(folder, files)) == []
    content = whole(particles=[], images=[]) | from_table(next(path for path in files if path.suffix == ".csv"))
    sample, particles, skipped, _ = read(written(tmp_path, content))
    assert skipped == []
    assert (sample.id, sample.n_recorded) == ("SWS250-setFLRMax50-1000im-PMTlow 2025-02-13 14h27", 5485)
    assert sample.volume_analysed_ml == pytest.approx(4.859499457)
    assert [one.id.split("/")[1] for one in particles] == ["173"]
    assert particles[0].profile_channels == ("FWS", "SWS", "FL Yellow", "FL Red", "Curvature")
    assert particles[0].listmode["FL Red Total"] == pytest.approx(1292.0624)
    assert particles[0].listmode["Sample Length"] == 7.15


def from_table(path: Path) -> dict[str, Any]:
    """Build results and the one particle back from the table of paths and values; it has decimal commas."""
    rows = [row[:2] for row in csv.reader(path.read_text(encoding="utf-8-sig").splitlines()) if row]
    results = {key.rsplit(".", 1)[1]: value for key, value in rows if key.startswith("instrument.measurementResults.")}
    shapes: list[dict[str, Any]] = []
    parameters: list[dict[str, Any]] = []
    for key, value in rows:
        _, _, name = key.partition("particles.pulseShapes.")
        if name == "description":
            shapes.append({"description": value, "values": []})
        elif name:
            shapes[-1]["values"].append(float(value.replace(",", ".")))
        _, _, name = key.partition("particles.parameters.")
        if name == "description":
            parameters.append({"description": value})
        elif name:
            parameters[-1][name] = float(value.replace(",", "."))
    values = dict(rows)
    numbers = {key: value if key == "start" else float(value.replace(",", ".")) for key, value in results.items()}
    one = {"particleId": int(values["particles.particleId"]), "pulseShapes": shapes, "parameters": parameters}
    instrument = {"name": values["instrument.name"], "measurementResults": numbers}
    return {"filename": values["filename"], "instrument": instrument, "particles": [one]}

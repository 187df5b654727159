"""Stations: species are commoner in their season and at their latitude, and files say when each was measured."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from seston.errors import UsageError
from seston.instruments import find_sources, read
from seston.particle import Particle, Sample
from seston.simulate import RunSettings, Station, draw_stations, simulate_from_images, simulate_settings, species_table

_LABELS = [species.name for species in species_table()][:6]


def _labels(folder: Path, station: Station) -> Counter[str]:
    """Count the labels of the run of a station, and check its date."""
    (run,) = (path for path in folder.iterdir() if station.name in path.name)
    counts: Counter[str] = Counter()
    for record in (record for source in find_sources([run])[0] for record in read(source)):
        if isinstance(record, Particle):
            counts[record.raw_label or ""] += 1
        elif isinstance(record, Sample):
            assert record.start is not None
            assert f"{record.start:%Y-%m-%d %H:%M}" == f"{station.start:%Y-%m-%d %H:%M}"
    return counts


def test_shares_add_up_and_depend_on_place_season_and_contrast() -> None:
    station = draw_stations(3, seed=1)[2]
    assert sum(station.abundances(_LABELS, seed=1).values()) == pytest.approx(1)
    assert list(station.abundances(_LABELS, seed=1, contrast=0.0).values()) == pytest.approx([1 / 6] * 6)
    winter = datetime(2025, 1, 1)
    summer = winter + timedelta(days=365 / 2)
    shares = [
        Station("here", latitude, 0.0, start).abundances(_LABELS, seed=1)
        for latitude, start in ((40.0, winter), (40.0, summer), (0.001, summer), (-0.001, winter))
    ]
    assert shares[2] == pytest.approx(shares[3], rel=0.01)  # seasons turn round at the equator
    assert shares[0] != pytest.approx(shares[1], rel=0.1)
    assert shares[1] != pytest.approx(shares[2], rel=0.1)
    assert draw_stations(2, seed=1) == draw_stations(3, seed=1)[:2]


def test_runs_at_stations_have_their_dates_and_their_species(tmp_path: Path) -> None:
    stations = draw_stations(2, seed=4)
    shares = [one.abundances(_LABELS, seed=4, contrast=3.0) for one in stations]
    settings = [
        RunSettings(one.name, start=one.start, abundances=share) for one, share in zip(stations, shares, strict=True)
    ]
    simulate_settings(tmp_path, settings, particles=60, seed=4, species=_LABELS)
    for station, expected in zip(stations, shares, strict=True):
        commonest = [name for name, _ in _labels(tmp_path, station).most_common(2)]
        assert max(expected, key=lambda name: expected[name]) in commonest


def test_real_pictures_are_dealt_to_the_stations_where_their_labels_live(tmp_path: Path) -> None:
    stations, labels = draw_stations(4, seed=2), ("one", "two")
    for number, label in enumerate(labels):
        (tmp_path / "pictures" / label).mkdir(parents=True)
        for copy in range(30):
            pixels = np.full((60, 120), 220, np.uint8)
            pixels[20:40, 20 + copy : 60 + copy + 10 * number] = 60
            Image.fromarray(pixels).save(tmp_path / "pictures" / label / f"{copy}.png")
    to = tmp_path / "to"
    report = simulate_from_images(tmp_path / "pictures", to, runs=4, seed=2, stations=stations, contrast=6.0)
    assert all(station.name in name for station, name in zip(stations, report.samples, strict=True))
    shares = [one.abundances(labels, seed=2, contrast=6.0) for one in stations]
    odds = np.array([[of[label] for of in shares] for label in labels])
    of_runs = [_labels(to, station) for station in stations if any(station.name in path.name for path in to.iterdir())]
    assert sum(count.total() for count in of_runs) == report.particles > 55
    for place, label in enumerate(labels):
        most = stations[int(odds[place].argmax())]
        assert _labels(to, most)[label] / 30 == pytest.approx(odds[place].max() / odds[place].sum(), abs=0.25)
    with pytest.raises(UsageError, match="a station for each run"):
        simulate_from_images(tmp_path / "pictures", tmp_path / "other", runs=3, seed=2, stations=stations)

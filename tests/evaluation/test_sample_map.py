"""The map: each place once, with as many particles as were taken there, where it belongs on the drawing."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from seston.cli.call import call
from seston.errors import UsageError
from seston.evaluation.places import Place, find_places
from seston.evaluation.sample_map import map_samples, with_map
from seston.evaluation.world_map import WORLD, close_up, world_map
from seston.particle import Particle, Sample
from seston.store import DataSet, open_data_set
from seston.store.examine import examine
from seston.store.judging import Judge
from seston.store.tables import Table

NICE = {"latitude": 43.68, "longitude": 7.31}


def make_data(path: Path, samples: list[Sample], particles: list[Particle]) -> DataSet:
    data = open_data_set(path, create=True)
    judge = Judge(Table(data.path / "particles.lance"), Table(data.path / "samples.lance"))
    for sample in samples:
        judge.take_sample(sample)
    judge.take("file", [examine(particle) for particle in particles])
    judge.finish(0.0)
    data.refresh()
    return data


def particle(name: str, **values: float) -> Particle:
    return Particle(id=name, sample_id=name.partition("/")[0], listmode={"FWS Total": 1.0}, **values)  # type: ignore[arg-type]


@pytest.fixture
def data(tmp_path: Path) -> DataSet:
    samples = [
        Sample(id="bay", latitude=43.68, longitude=7.31),
        Sample(id="bay2", latitude=43.681, longitude=7.309),
        Sample(id="lake", latitude=47.35, longitude=8.68),
        Sample(id="dock", latitude=-90.0, longitude=0.0),
        Sample(id="lost"),
    ]
    names = ["bay/1", "bay/2", "bay2/1", "lake/1", "dock/1", "lost/1", "lost/2"]
    own = [particle("bay/3", latitude=10.0, longitude=-30.0), particle("lost/3", latitude=0.0, longitude=0.0)]
    return make_data(tmp_path / "data", samples, [*(particle(name) for name in names), *own])


def place(latitude: float, longitude: float, particles: int = 1, **more: bool) -> Place:
    return Place(latitude=latitude, longitude=longitude, particles=particles, samples=1, named=("s",), **more)


def circles(svg: str) -> list[dict[str, float]]:
    found = re.findall(r'<circle class="place[^"]*" cx="([^"]+)" cy="([^"]+)" r="([^"]+)"', svg)
    return [dict(zip(("x", "y", "r"), map(float, one), strict=True)) for one in found]


def size_of(svg: str) -> tuple[float, float]:
    found = re.search(r'viewBox="0 0 (\d+) (\d+)"', svg)
    assert found
    return float(found[1]), float(found[2])


def test_particles_are_counted_by_place(data: DataSet) -> None:
    found = find_places(data)
    assert [(one.latitude, one.longitude, one.particles, one.samples) for one in found.places] == [
        (43.7, 7.3, 3, 2),
        (10.0, -30.0, 1, 1),
        (47.35, 8.7, 1, 1),
    ]
    assert found.places[0].named == ("bay", "bay2")
    assert [one.on_land for one in found.places] == [False, False, True]
    assert (found.particles, found.samples, found.without, found.impossible) == (5, 3, 2, 2)


def test_a_place_stands_where_its_degrees_say() -> None:
    svg = world_map([place(0.0, 0.0)])
    width, height = size_of(svg)
    [circle] = circles(svg)
    assert circle["x"] == pytest.approx(width / 2, abs=0.1)
    assert circle["y"] == pytest.approx(height * WORLD.north / (WORLD.north - WORLD.south), abs=0.6)


def test_north_is_up_and_east_is_right() -> None:
    first, second = circles(world_map([place(50.0, -40.0, 5), place(-50.0, 40.0, 4)]))
    assert first["x"] < second["x"]
    assert first["y"] < second["y"]


def test_more_particles_make_a_larger_circle() -> None:
    sizes = [
        one["r"] for one in circles(world_map([place(0.0, x, n) for x, n in ((10, 1), (20, 100), (30, 1_000_000))]))
    ]
    assert sizes == sorted(sizes, reverse=True)  # large ones are drawn first
    assert sizes[0] < 14


def test_places_upon_each_other_are_one_circle_with_all_their_particles() -> None:
    svg = world_map([place(43.7, 7.3, 5), place(43.75, 7.3, 7)])
    assert len(circles(svg)) == 1
    assert "12 particles of 2 samples" in svg


def test_a_map_of_very_many_places_stays_small() -> None:
    many = [place(-70 + n % 140, -180 + n // 40 * 0.3, 1 + n % 7) for n in range(48_000)]
    svg = world_map(many)
    assert len(circles(svg)) <= 1_500
    assert sum(int(n.replace(",", "")) for n in re.findall(r": ([\d,]+) particles of", svg)) == sum(
        one.particles for one in many
    )
    assert len(svg) < 700_000


def test_places_close_together_get_a_nearer_map_with_all_of_them() -> None:
    near = [place(43.7, 7.3, 3), place(36.9, 15.1, 2)]
    window = close_up(near)
    assert window is not None
    svg = world_map(near, window=window)
    width, height = size_of(svg)
    assert len(circles(svg)) == 2
    assert all(0 < one["x"] < width and 0 < one["y"] < height for one in circles(svg))
    assert window.east - window.west < 60


@pytest.mark.parametrize("places", [[], [place(0.0, -170.0), place(0.0, 170.0)]])
def test_places_all_over_the_world_get_none(places: list[Place]) -> None:
    assert close_up(places) is None


def test_a_nearer_map_beyond_the_cut_of_the_world_has_land_on_both_sides() -> None:
    window = close_up([place(-17.0, 179.0)])
    assert window is not None
    assert window.east > 180
    coast = re.search(r'class="land" d="([^"]*)"', world_map([place(-17.0, 179.0)], window=window))
    assert coast
    assert coast[1].count("M") >= 2  # Fiji lies on the cut


def test_a_name_cannot_break_the_page(tmp_path: Path) -> None:
    name = "<script>alert(1)"
    data = make_data(tmp_path / "data", [Sample(id=name, **NICE)], [particle(f"{name}/1")])  # type: ignore[arg-type]
    text = map_samples(data, to=tmp_path / "map.html").page.read_text(encoding="utf-8")
    assert "<script>alert" not in text
    assert "&lt;script&gt;" in text


class _Links(HTMLParser):
    """Collects whatever a page would load."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value or "" for name, value in attrs if name in ("src", "href", "xlink:href")]


def test_the_page_loads_nothing_and_says_what_is_missing(data: DataSet, tmp_path: Path) -> None:
    page = map_samples(data, to=tmp_path / "new" / "map.html").page
    text = page.read_text(encoding="utf-8")
    links = _Links()
    links.feed(text)
    assert links.found == []
    assert "url(" not in text
    assert "2 particles have an impossible position." in text
    assert "Of 2 particles no one says where they were taken." in text
    with pytest.raises(UsageError, match="already there"):
        map_samples(data, to=page)


def test_a_data_set_without_places_says_so(tmp_path: Path) -> None:
    data = make_data(tmp_path / "data", [Sample(id="lost")], [particle("lost/1")])
    text = map_samples(data, to=tmp_path / "map.html").page.read_text(encoding="utf-8")
    assert "No one says where the particles of this data set were taken." in text
    assert "<svg" not in text


def test_a_report_gets_the_map(data: DataSet) -> None:
    from seston.evaluation.provenance import provenance
    from seston.evaluation.results import Evaluation

    made = provenance(data=str(data.path), data_version=data.version, model="", seed=0)
    drawn = with_map(Evaluation(title="", protocol="seston", provenance=made), data)
    assert drawn.figures[0].title == "Where the particles were taken"
    assert "5 particles of 3 samples at 3 places" in drawn.figures[0].lead


def test_the_command_draws_and_counts(data: DataSet, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(["map", str(data.path), "--to", str(tmp_path / "maps"), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["particles"], document["without"], document["impossible"]) == (5, 2, 2)
    assert document["places"][0]["named"] == ["bay", "bay2"]
    assert (tmp_path / "maps" / "map.html").is_file()
    assert call(["map", str(data.path), "--to", str(tmp_path / "maps")]) == 2

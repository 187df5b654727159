"""Pictures measured in threads, in side processes, and one by one have the same features."""

from __future__ import annotations

import io
import time
from dataclasses import replace

import msgspec
import numpy as np
import pytest
from PIL import Image

from seston import side_processes
from seston.features import pictures
from seston.features.picture import picture_features
from seston.features.pictures import features_of_pictures, measured_there
from seston.particle import Particle
from seston.side_processes import Crew

Answers = list[dict[str, float]]


def _particles() -> list[Particle]:
    """Give 40 ellipses, one with a scale bar to leave out, one without a picture and one that is none."""
    chance = np.random.default_rng(3)
    rows, columns = np.mgrid[:60, :80]
    made = []
    for number in range(40):
        wide, high = chance.uniform(8, 30), chance.uniform(6, 20)
        inside = ((columns - 40) / wide) ** 2 + ((rows - 30) / high) ** 2 < 1
        grey = np.where(inside, 70, 200) + chance.normal(0, 6, inside.shape)
        file = io.BytesIO()
        Image.fromarray(grey.clip(0, 255).astype(np.uint8)).save(file, "PNG")
        made.append(Particle(id=f"a/{number}", sample_id="a", image=file.getvalue(), image_format="png"))
    made[3] = replace(made[3], scale_bar=(0, 50, 80, 60), pixel_size_um=0.8)
    made[5] = replace(made[5], image=None, image_format=None, listmode={"a": 1.0})
    made[7] = replace(made[7], image=b"no picture")
    return made


def _one_by_one(particles: list[Particle]) -> Answers:
    found: Answers = []
    for number, particle in enumerate(particles):
        if number in (5, 7) or particle.image is None:
            found.append({})
            continue
        grey = np.asarray(Image.open(io.BytesIO(particle.image)))
        found.append(picture_features(grey, particle.scale_bar, particle.pixel_size_um))
    return found


def _same(one: Answers, other: Answers) -> bool:
    return all(
        a.keys() == b.keys() and np.array_equal(list(a.values()), list(b.values()), equal_nan=True)
        for a, b in zip(one, other, strict=True)
    )


def test_threads_and_processes_find_what_one_picture_alone_has(monkeypatch: pytest.MonkeyPatch) -> None:
    particles = _particles()
    expected = _one_by_one(particles)
    assert _same(features_of_pictures(particles), expected)

    asked: list[int] = []
    ask = Crew.ask

    def counted(crew: Crew, *arguments: object) -> object:
        asked.append(sum(one.is_ready for one in crew.processes))
        return ask(crew, *arguments)  # type: ignore[arg-type]  # whatever it takes

    monkeypatch.setattr(pictures, "_WORTH_PROCESSES", 0)
    monkeypatch.setattr(side_processes, "core_count", lambda: 2)
    monkeypatch.setattr(Crew, "ask", counted)
    for _ in range(200):
        assert _same(features_of_pictures(particles), expected)
        if asked[-1] == 2:
            break
    assert asked[-1] == 2


def test_a_row_of_pictures_ends_with_a_lull(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    row = pictures._Row()
    assert row.has_grown_by(400) == 400
    now += 4
    assert row.has_grown_by(400) == 800
    now += 6
    assert row.has_grown_by(1) == 1


def test_what_cannot_be_decoded_has_no_features() -> None:
    question = msgspec.msgpack.encode([(b"no picture", None, 1.5)])
    assert msgspec.msgpack.decode(measured_there(question)) == [{}]

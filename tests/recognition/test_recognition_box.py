"""The model in the box: names for pictures offline, without torch, and caution where they look like no plankton."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from seston.errors import InputError, NotFoundError, UsageError
from seston.particle import Particle
from seston.recognition import identify, load
from seston.recognition.box import Box, open_box
from seston.recognition.box_files import BOX_FOLDER, is_box, read_box
from seston.recognition.box_model import BoxModel
from seston.recognition.class_groups import KnownClass, group_classes
from seston.recognition.names_file import read_names


@pytest.fixture(scope="module")
def box() -> Box:
    return open_box()


def encoded(pixels: np.ndarray) -> bytes:
    buffer = BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def disc(*, inverted: bool = False) -> bytes:
    picture = Image.new("L", (90, 90), 200)
    draw = ImageDraw.Draw(picture)
    draw.ellipse((15, 15, 75, 75), fill=60)
    draw.ellipse((30, 35, 60, 60), fill=120)
    pixels = np.asarray(picture)
    return encoded(255 - pixels if inverted else pixels)


def particle(name: str, image: bytes | None) -> Particle:
    return Particle(id=f"s/{name}", sample_id="s", image=image, image_format="png" if image else None)


def no_plankton() -> list[Particle]:
    random = np.random.default_rng(1)
    noise = [random.integers(0, 256, (side, side), np.uint8) for side in (60, 150, 300)]
    page = Image.new("L", (300, 160), 255)
    for line in range(12):
        ImageDraw.Draw(page).text((5, 4 + 12 * line), "seston names plankton, not writing " * 2, fill=0)
    return [particle(str(number), encoded(pixels)) for number, pixels in enumerate([*noise, np.asarray(page)])]


def test_weights_take_at_most_12_mb_and_all_files_at_most_20() -> None:
    sizes = {path.name: path.stat().st_size for path in BOX_FOLDER.iterdir()}
    assert sizes["image.onnx"] <= 12_000_000
    assert sum(sizes.values()) <= 20_000_000


def test_a_picture_is_named_without_torch_and_without_a_gallery(tmp_path: Path) -> None:
    (tmp_path / "photo.png").write_bytes(disc())
    program = (
        "import sys; sys.modules['torch'] = None; import seston; "
        f"(one,) = seston.identify({str(tmp_path / 'photo.png')!r}).particles; "
        "assert one.label and one.ranks[0] == 'label' and one.ranks[-1] == 'kingdom'; print(one.label)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_what_is_no_plankton_never_gets_a_narrow_name(box: Box) -> None:
    lifeless = {each.label for each in box.files.card.classes if each.kind != "living"}
    for one in box.identify(box.model.encode(no_plankton())):
        wide = one.label == "unknown" or one.rank in ("order", "class", "phylum", "kingdom")
        assert one.label in lifeless or (one.warning and wide)


def test_pictures_of_an_instrument_that_it_did_not_learn_from_are_strange(box: Box) -> None:
    seen = box.model.encode([particle(str(number), disc()) for number in range(4)])
    instruments = ["IFCB", "FlowCam VS-4", None, "Dual Scripps Plankton Camera"]
    foreign, *others = box.identify(seen, unfamiliar=0.0, instruments=instruments)
    assert "was taken by IFCB" in foreign.warning
    assert foreign.rank in ("", "order", "class", "phylum", "kingdom")
    assert others[0] == replace(others[1], id=others[0].id) == replace(others[2], id=others[0].id)
    assert "IFCB" not in others[0].warning


def test_files_of_another_instrument_never_get_a_narrow_name(real_data: Path) -> None:
    named = [
        one
        for one in identify(real_data / "instruments" / "ifcb" / "ClassiPyR" / "raw").particles
        if one.modality == "image"
    ]
    assert named
    assert all("was taken by IFCB" in one.warning for one in named)
    assert {one.rank for one in named} <= {"", "order", "class", "phylum", "kingdom"}


def test_no_score_of_a_strange_picture_is_above_what_strange_pictures_were_named_right(box: Box) -> None:
    most = {rank: max(share for _, share in steps) for rank, steps in box.files.card.trust.strange_right.items()}
    assert most["kingdom"] < 0.8
    for one in box.identify(box.model.encode(no_plankton()), precision=0.2):
        if one.warning:
            assert all(score <= most[rank] for rank, score in zip(one.ranks, one.rank_scores, strict=True))
            assert one.rank == "" or (one.score or 0) >= 0.2


def test_dark_on_bright_says_what_bright_on_dark_says(box: Box) -> None:
    found = box.model.encode([particle("dark", disc()), particle("bright", disc(inverted=True))])
    np.testing.assert_allclose(found.shared_image[0], found.shared_image[1], atol=0.05)


def test_a_picture_says_the_same_alone_and_among_others(box: Box) -> None:
    many = [particle("one", disc()), *no_plankton()]
    alone, among = (box.model.encode(some).image[0] for some in (many[:1], many))
    np.testing.assert_allclose(alone, among, rtol=1e-3, atol=1e-4)


def test_a_group_is_as_likely_as_its_classes_together(box: Box) -> None:
    (one,) = box.identify(box.model.encode([particle("one", disc())]), unfamiliar=0.0)
    seen = box.model.encode([particle("one", disc())])
    assert not one.warning
    scores = seen.shared_image[0] / box.files.card.trust.temperature
    shares = np.exp(scores - scores.max())
    shares /= shares.sum()
    known = box.files.card.trust.known(np.array([one.familiarity]))[0]
    for rank, name, score in zip(one.ranks[1:-1], one.rank_names[1:-1], one.rank_scores[1:-1], strict=True):
        of_group = [share for share, each in zip(shares, box.files.card.classes, strict=True)
                    if each.lineage.get(rank) == name]  # fmt: skip
        assert score == pytest.approx(sum(of_group) * known, abs=1e-3)


def test_classes_without_a_taxon_are_grouped_by_their_kind() -> None:
    classes = [
        KnownClass(label="a", source="x", lineage={"kingdom": "Animalia", "genus": "Acartia"}),
        KnownClass(label="b", source="x", kind="detritus"),
    ]
    groups = {one.rank: one for one in group_classes(classes)}
    assert groups["kingdom"].names == ("Animalia", "detritus")
    assert groups["genus"].of_classes().tolist() == [0, -1]


def test_more_precision_never_gives_a_narrower_name(box: Box) -> None:
    seen = box.model.encode([particle("one", disc()), *no_plankton()])
    order = [groups.rank for groups in box.head.groups] + [""]
    loose, strict = (box.identify(seen, precision=share, unfamiliar=0.0) for share in (0.5, 0.95))
    for first, second in zip(loose, strict, strict=True):
        assert order.index(second.rank) >= order.index(first.rank)


def test_a_particle_without_a_picture_gets_a_reason(box: Box) -> None:
    seen = box.model.encode([particle("none", None), particle("one", disc())])
    none, one = box.identify(seen)
    assert none.label is None
    assert "picture" in none.reason
    assert box.identify(seen.take([0])) == [none]
    assert one.label is not None


def test_a_picture_that_cannot_be_decoded_is_reported_once_with_its_folder(tmp_path: Path) -> None:
    whole = disc()
    (tmp_path / "whole.png").write_bytes(whole)
    (tmp_path / "cut.png").write_bytes(whole[: len(whole) // 2])
    result = identify(tmp_path)
    assert result.count == 2
    (one,) = result.skipped
    assert (one.path, one.item) == (str(tmp_path), f"{tmp_path.name}/cut")
    assert "cut off" in one.reason


def test_names_come_back_from_a_table(tmp_path: Path) -> None:
    (tmp_path / "photo.png").write_bytes(disc())
    held = identify(tmp_path / "photo.png").particles
    for ending in ("csv", "json", "parquet"):
        identify(tmp_path / "photo.png", to=tmp_path / f"names.{ending}")
        (back,) = read_names(tmp_path / f"names.{ending}")
        assert back.ranks == held[0].ranks
        assert back.rank_scores == pytest.approx(held[0].rank_scores, abs=1e-4)
        assert (back.label, back.rank, back.warning) == (held[0].label, held[0].rank, held[0].warning)


def test_a_copy_of_the_box_is_the_same_encoder(tmp_path: Path, box: Box) -> None:
    box.model.save(tmp_path / "copy")
    copy = load(tmp_path / "copy")
    assert isinstance(copy, BoxModel)
    assert copy.model_id == box.model_id


def test_a_model_alone_has_no_names(tmp_path: Path) -> None:
    (tmp_path / "photo.png").write_bytes(disc())
    with pytest.raises(UsageError, match="add a gallery"):
        identify(tmp_path / "photo.png", model="classical")
    with pytest.raises(NotFoundError, match="there is no run"):
        identify(tmp_path / "photo.png", model=tmp_path / "none")


def test_a_missing_and_a_damaged_box_are_told_apart(tmp_path: Path, box: Box) -> None:
    with pytest.raises(NotFoundError, match="no model in the box"):
        read_box(tmp_path)
    box.model.save(tmp_path)
    (tmp_path / "box.json").write_text("{", encoding="utf-8")
    assert is_box(tmp_path)
    with pytest.raises(InputError, match="damaged"):
        read_box(tmp_path)


def test_every_class_has_gallery_pictures_and_a_collection_with_a_licence(box: Box) -> None:
    assert set(box.files.classes.tolist()) == set(range(len(box.files.card.classes)))
    assert {one.source for one in box.files.card.classes} == {"vliz_flowcam", "lake_eawag_dspc"}

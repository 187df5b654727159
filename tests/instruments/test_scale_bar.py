"""Scale bars burned into pictures: found, read where they can be, and never where there is none."""

from __future__ import annotations

import io
import tarfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from seston.instruments.pictures import decode_image
from seston.instruments.scale_bar import ScaleBar, find_scale_bar

_FONTS = {
    "DejaVu Sans": "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf",
    "Liberation Sans": "/usr/share/fonts/truetype/liberation/LiberationSans-Regular.ttf",
    "Aileron": None,
}
_NUMBERS = ("1", "2", "5", "10", "20", "25", "30", "50", "100", "200", "500", "0.5")


def _font(name: str, size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    path = _FONTS[name]
    if path is None:
        return ImageFont.load_default(size)
    if not Path(path).is_file():
        pytest.skip(f"no font {name} on this machine")
    return ImageFont.truetype(path, size)


def _burn(
    text: str,
    *,
    font: str = "Aileron",
    size: int = 20,
    ink: int = 255,
    paper: int = 120,
    place: str = "right",
    quality: int | None = 90,
    ticks: bool = False,
    width: int = 260,
    length: int = 60,
) -> NDArray[np.uint8]:
    """Make a picture 150 px high with a particle in its middle and a scale bar of `length` px at rows 40 and 41."""
    noise = np.random.default_rng(3).normal(paper, 3, (150, width))
    image = Image.fromarray(np.clip(noise, 0, 255).astype(np.uint8))
    draw = ImageDraw.Draw(image)
    draw.ellipse((100, 90, 150, 120), fill=abs(paper - 80), outline=255 - ink)
    draw.rectangle((30, 40, 30 + length - 1, 41), fill=ink)
    if ticks:
        for left in (30, 30 + length - 2):
            draw.rectangle((left, 30, left + 1, 41), fill=ink)
    letters = _font(font, size)
    first, top, last, bottom = draw.textbbox((0, 0), text, font=letters)
    where = {
        "right": (30 + length + 8, 42 - bottom),
        "above": (30 + (length - last + first) / 2, 35 - bottom),
        "below": (30 + (length - last + first) / 2, 47 - top),
    }[place]
    draw.text(where, text, font=letters, fill=ink)
    if quality is None:
        return np.array(image)
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality)
    return decode_image(buffer.getvalue(), grey=True)


def _archive(folder: Path, name: str) -> Iterator[NDArray[np.uint8]]:
    with tarfile.open(folder / "collections" / f"{name}.tar") as tar:
        for member in tar:
            file = tar.extractfile(member) if member.isfile() else None
            if file is not None:
                yield decode_image(file.read(), grey=True)


@pytest.mark.parametrize("font", list(_FONTS))
@pytest.mark.parametrize("ink", [0, 255])
@pytest.mark.parametrize("place", ["right", "above", "below"])
def test_a_drawn_bar_is_found_and_its_label_read(font: str, ink: int, place: str) -> None:
    units = ("um", "mm") if font == "Aileron" else ("um", "mm", "µm")
    for number in _NUMBERS:
        for unit in units:
            bar = find_scale_bar(_burn(f"{number} {unit}", font=font, ink=ink, place=place))
            assert bar is not None
            assert bar.bar == (30, 90, 41)
            assert bar.length_px == 60
            assert bar.label is not None
            assert bar.label.replace("µ", "u") == f"{number} {unit}".replace("µ", "u")
            expected = float(number) * (1000 if unit == "mm" else 1)
            assert bar.micrometres == expected
            assert bar.um_per_px == pytest.approx(expected / 60)


@pytest.mark.parametrize("quality", [60, 75, 95, None])
@pytest.mark.parametrize("size", [12, 16, 24, 32])
def test_size_of_the_text_and_compression_do_no_harm(size: int, quality: int | None) -> None:
    bar = find_scale_bar(_burn("200 um", size=size, quality=quality))
    assert bar is not None
    assert bar.label in ("200 um", None)
    assert bar.label == "200 um" or size == 12


def test_the_box_holds_bar_ticks_and_label() -> None:
    bar = find_scale_bar(_burn("25 um", ticks=True, quality=None))
    assert bar is not None
    left, top, right, bottom = bar.box
    picture = _burn("25 um", ticks=True, quality=None)
    ink = picture == 255
    ink[80:] = False
    rows, columns = np.nonzero(ink)
    assert (left, top) == (columns.min(), rows.min())
    assert abs(right - 1 - columns.max()) <= 1
    assert abs(bottom - 1 - rows.max()) <= 1


def test_a_bar_with_ticks_needs_no_label() -> None:
    bar = find_scale_bar(_burn("", ticks=True))
    assert bar is not None
    assert bar.box == (30, 30, 90, 42)
    assert bar.label is None
    assert bar.um_per_px is None


def test_a_line_without_label_and_ticks_is_no_scale_bar() -> None:
    assert find_scale_bar(_burn("")) is None


def test_a_bar_that_runs_out_of_the_picture_is_none() -> None:
    picture = _burn("25 um", place="above", quality=None)
    assert find_scale_bar(np.ascontiguousarray(picture[:, 40:])) is None


@pytest.mark.parametrize("columns_cut", range(1, 60, 4))
def test_a_cut_label_is_never_read(columns_cut: int) -> None:
    picture = _burn("30 mm", quality=None)
    inked = np.flatnonzero((picture[:43] == 255).any(axis=0))
    bar = find_scale_bar(np.ascontiguousarray(picture[:, : inked[-1] + 1 - columns_cut]))
    assert bar is None or (bar.label is None and bar.micrometres is None)


def test_a_number_without_unit_or_in_another_unit_is_not_read() -> None:
    for text in ("30", "30 nm", "30 px", "x30", "005 um", "mm", "30 um/px"):
        bar = find_scale_bar(_burn(text))
        assert bar is not None
        assert bar.label is None, text


def test_labels_are_read_rightly_or_not_at_all_over_many_drawings() -> None:
    random = np.random.default_rng(11)
    read = 0
    for _ in range(150):
        text = f"{_NUMBERS[random.integers(len(_NUMBERS))]} {('um', 'mm')[random.integers(2)]}"
        picture = _burn(
            text,
            size=int(random.integers(9, 34)),
            ink=(0, 255)[random.integers(2)],
            place=("right", "below")[random.integers(2)],
            quality=int(random.integers(50, 96)),
            ticks=bool(random.random() < 0.4),
            length=int(random.integers(30, 90)),
        )
        bar = find_scale_bar(picture)
        if bar is not None and bar.label is not None:
            assert bar.label == text
            read += 1
    assert read >= 105


def test_noise_flat_and_tiny_pictures_have_none() -> None:
    random = np.random.default_rng(0)
    for shape in ((1, 1), (3, 200), (200, 3), (40, 40), (300, 400)):
        for picture in (
            np.zeros(shape, np.uint8),
            np.full(shape, 255, np.uint8),
            random.integers(0, 256, shape, dtype=np.uint8),
        ):
            assert find_scale_bar(picture) is None


def test_a_picture_without_bar_costs_little() -> None:
    pictures = [np.random.default_rng(k).normal(150, 20, (90, 80)).clip(0, 255).astype(np.uint8) for k in range(200)]
    find_scale_bar(pictures[0])
    best = float("inf")
    for _ in range(5):
        start = time.perf_counter()
        for picture in pictures:
            find_scale_bar(picture)
        best = min(best, time.perf_counter() - start)
    assert best / len(pictures) < 200e-6  # some 20 µs on an idle machine


def test_all_pictures_of_a_cytosense_export_with_burned_in_bars_are_found(real_data: Path) -> None:
    bars: list[tuple[ScaleBar | None, NDArray[np.uint8]]] = []
    for path in sorted((real_data / "cytosense" / "rclustool" / "img_example").glob("*.jpg")):
        grey = decode_image(path.read_bytes(), grey=True)
        bars.append((find_scale_bar(grey), grey))
    assert len(bars) == 145
    for bar, grey in bars:
        assert bar is not None
        assert bar.length_px in (27, 41, 54, 81)
        whole = grey.shape[1] == 148  # in the others the picture's edge cuts the label
        assert bar.label == ("60 µm" if whole else None)
        if whole:
            assert bar.um_per_px == pytest.approx(60 / 81)


def test_the_bars_of_zooscan_pictures_are_one_millimetre_in_96_pixels(real_data: Path) -> None:
    bars = [find_scale_bar(grey) for grey in _archive(real_data, "zooscan_ecotaxa")]
    assert len(bars) == 400
    assert {(bar.length_px, bar.label, bar.micrometres) if bar else None for bar in bars} == {(96, "1 mm", 1000.0)}


@pytest.mark.parametrize(
    ("archive", "pictures"),
    [
        ("vliz_flowcam", 15_179),
        ("whoi_ifcb_gallery", 928),
        ("isiis_ndsb2015", 3_084),
        ("uvp6_uvpec", 1_250),
        ("lake_eawag_dspc", 350),
        ("lake_japan_microscope", 55),
    ],
)
def test_collections_without_bars_give_none(real_data: Path, archive: str, pictures: int) -> None:
    bars = [find_scale_bar(grey) for grey in _archive(real_data, archive)]
    assert len(bars) == pictures
    assert [bar for bar in bars if bar is not None] == []


def test_camera_pictures_without_bars_give_none(real_data: Path) -> None:
    paths = sorted((real_data / "cytosense" / "cefas_pond").rglob("*.jpg"))
    assert len(paths) == 8
    assert all(find_scale_bar(decode_image(path.read_bytes(), grey=True)) is None for path in paths)

"""Make the small pictures of letters that labels of scale bars are read with.

Each letter is drawn in every given font at several sizes, smooth and in pixels, cut to its box, shrunk to the size of
the small pictures, and the drawings of all fonts are averaged to a few pictures a letter (k-means)::

    python tools/make_label_letters.py FONT.ttf… > src/seston/instruments/label_letters.txt

The file in the package was made from Liberation Sans, Serif, Mono and Sans Narrow, DejaVu Sans, Sans Mono and Serif,
Roboto, Source Sans Pro, Caladea and Aileron.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from seston.instruments.label_letters import small_picture

LETTERS = "0123456789µumcn"
SIZES = (9, 10, 11, 12, 13, 14, 16, 18, 20, 24, 30)
PICTURES_A_LETTER = 14
PIXEL_DIGITS = {
    "0": ".###. #...# #...# #...# #...# #...# .###.",
    "1": ".# ## .# .# .# .# .#",
    "2": ".###. #...# ....# ...#. ..#.. .#... #####",
    "3": ".###. #...# ....# ..##. ....# #...# .###.",
    "4": "...#. ..##. .#.#. #..#. ##### ...#. ...#.",
    "5": "##### #.... ####. ....# ....# #...# .###.",
    "6": "..##. .#... #.... ####. #...# #...# .###.",
    "7": "##### ....# ...#. ..#.. ..#.. .#... .#...",
    "8": ".###. #...# #...# .###. #...# #...# .###.",
    "9": ".###. #...# #...# .#### ....# ...#. .##..",
}
"""The usual 5 × 7 digits of programs that draw text pixel by pixel."""


def main(fonts: list[str]) -> None:
    """Write the pictures to standard output."""
    random = np.random.default_rng(0)
    sys.stdout.write("# letter, 100 · ln(width / height), and 12 rows of 8 pixels from 0 (paper) to f (ink)\n")
    sys.stdout.write(
        "# Made by tools/make_label_letters.py; each picture is the mean of drawings in several free fonts.\n"
    )
    for letter in LETTERS:
        drawn = np.array([small_picture(coverage) for coverage in drawings(letter, fonts)])
        means = centres(drawn, PICTURES_A_LETTER * (3 if letter == "1" else 1), random)
        if letter in PIXEL_DIGITS:
            means = np.vstack([means, small_picture(pixel_drawing(PIXEL_DIGITS[letter]))])
        for mean in means:
            grey = np.clip(np.rint(mean[:-1] * 15), 0, 15).astype(int)
            hexadecimal = "".join(f"{value:x}" for value in grey)
            sys.stdout.write(f"{letter} {round(float(mean[-1]) * 100)} {hexadecimal}\n")


def drawings(letter: str, fonts: list[str]) -> Iterator[NDArray[np.float32]]:
    """Draw a letter in every font, size and manner, cut to its box."""
    for path in fonts:
        for size in SIZES:
            font = ImageFont.load_default(size) if path == "Aileron" else ImageFont.truetype(path, size)
            if letter == "µ" and path == "Aileron":
                continue  # it has none
            for mode, shifts in (("L", ((0.0, 0.0), (0.5, 0.0), (0.25, 0.5))), ("1", ((0.0, 0.0),))):
                for shift in shifts:
                    yield from drawing(letter, font, size, mode, shift)


def drawing(
    letter: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont, size: int, mode: str, shift: tuple[float, float]
) -> Iterator[NDArray[np.float32]]:
    """Draw a letter once; nothing where it is too low to be read."""
    image = Image.new("L", (3 * size + 10, 3 * size + 10), 0)
    draw = ImageDraw.Draw(image)
    draw.fontmode = mode
    draw.text((size / 2 + shift[0], size / 2 + shift[1]), letter, font=font, fill=255)
    coverage = np.asarray(image).astype(np.float32) / np.float32(255)
    rows = np.flatnonzero((coverage >= 0.45).any(axis=1))
    columns = np.flatnonzero((coverage >= 0.45).any(axis=0))
    if len(rows) and rows[-1] - rows[0] >= 4:
        yield coverage[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def pixel_drawing(rows: str) -> NDArray[np.float32]:
    """Turn rows of dots and crosses into ink."""
    return np.array([[pixel == "#" for pixel in row] for row in rows.split()], dtype=np.float32)


def centres(points: NDArray[np.float32], number: int, random: np.random.Generator) -> NDArray[np.float32]:
    """Give the centres of k-means, started from points far from each other."""
    chosen = [points[random.integers(len(points))]]
    while len(chosen) < number:
        chosen.append(points[np.min([np.square(points - one).sum(axis=1) for one in chosen], axis=0).argmax()])
    found = np.array(chosen)
    for _ in range(25):
        nearest = np.square(points[:, None] - found[None]).sum(axis=2).argmin(axis=1)
        found = np.array(
            [points[nearest == k].mean(axis=0) if (nearest == k).any() else found[k] for k in range(number)]
        )
    return found


if __name__ == "__main__":
    main(sys.argv[1:])

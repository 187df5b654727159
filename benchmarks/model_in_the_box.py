"""Measure the model in the box.

    seston collections build vliz_flowcam lake_eawag_dspc --from COLLECTIONS --to SET
    seston split SET --name box --by image
    seston collections build whoi_ifcb_gallery isiis_ndsb2015 uvp6_uvpec zooscan_ecotaxa lake_japan_microscope \
        --from COLLECTIONS --to OTHERS
    python benchmarks/model_in_the_box.py SET OTHERS --to figures.json --more FOLDER…

Of the other collections, UVP6, WHOI and ZooScan were used to choose how strangers are told and what their names are
worth (`in_the_box/make.py`); nothing was fitted to ISIIS, the Japanese lakes and the folders given by ``--more``.

Everything is measured on the test part of the split, which neither the training nor the calibration saw; it was drawn
picture by picture (image-level, optimistic). Intervals: 1,000 bootstrap draws of the test pictures, 95 %.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from in_the_box.make import SIZE, describe, features_of
from in_the_box.squares import Squares, squares_of
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score, roc_curve
from sklearn.preprocessing import StandardScaler

from seston.models.spaces import fit_space
from seston.particle import Particle
from seston.recognition.box import Box
from seston.recognition.box_files import BOX_FOLDER, GRAPH
from seston.recognition.box_model import BoxModel
from seston.recognition.calibration import probabilities
from seston.recognition.classifiers import fit_rule
from seston.recognition.embeddings import Embeddings
from seston.recognition.head_trust import evidence

Numbers = NDArray[np.float32]
DRAWS, N, MOST = 5, 16, 48
RANKS = ("genus", "family", "order", "class", "phylum")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("others", type=Path)
    parser.add_argument("--box", type=Path, default=BOX_FOLDER)
    parser.add_argument("--split", default="box")
    parser.add_argument("--plain", type=Path, help="graph of the same network with ImageNet weights, to compare with")
    parser.add_argument("--few", type=int, help="at most so many pictures of each other collection")
    parser.add_argument("--more", type=Path, nargs="*", default=[], help="further foreign pictures or instrument files")
    parser.add_argument("--only-strangers", action="store_true", help="leave out what has nothing to do with strangers")
    parser.add_argument("--probe", type=int, default=MOST, help="training pictures a class of the linear probe")
    parser.add_argument("--to", type=Path, default=Path("figures.json"))
    chosen = parser.parse_args()
    box = Box(BoxModel.load(chosen.box))
    own, others = squares_of(chosen.data, SIZE, chosen.split), squares_of(chosen.others, SIZE)
    figures: dict[str, Any] = {"model": box.model_id}

    def say(name: str, found: Any) -> None:
        figures[name] = found
        print(name, json.dumps(found), flush=True)
        chosen.to.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")

    vliz = np.char.startswith(own.labels, "vliz")
    test = np.flatnonzero((own.parts == "test") & vliz)
    if chosen.few:
        others = few_of(others, chosen.few)
    names = [f"{one.source}: {one.label}" for one in box.files.card.classes]
    truth = np.array([names.index(label) for label in own.labels])
    features, scores = features_of(chosen.data, own, chosen.box / GRAPH, test)
    foreign = features_of(chosen.others, others, chosen.box / GRAPH, np.arange(len(others.ids)))
    more = {path.name: further(box, path) for path in chosen.more}
    say("open set", open_set(box, (features, scores), foreign, others, more))
    say("answers", answers(box, (features, scores), foreign, others, truth[test], more))
    say("changed pictures", changed(box, chosen.data, own, test, truth))
    if chosen.only_strangers:
        return
    train = few_of_each(own.labels, np.flatnonzero((own.parts == "train") & vliz), max(MOST, chosen.probe))
    head = scores.argmax(1)
    say("head", balanced(head, truth[test]))
    say("head, share right", round(float((head == truth[test]).mean()), 4))
    shares = probabilities(scores.astype(np.float64), box.files.card.trust.temperature)
    say("head by rank", {
        groups.rank: balanced(groups.best(shares)[0][known], of[truth[test]][known])
        for groups in box.head.groups for of in [groups.of_classes()] for known in [of[truth[test]] >= 0]
    })  # fmt: skip
    gallery_rows = few_of_each(own.labels, train, MOST)
    of_gallery = features_of(chosen.data, own, chosen.box / GRAPH, gallery_rows)
    say("gallery of 16", gallery(of_gallery, truth[gallery_rows], (features, scores), truth[test]))
    temperature = box.files.card.trust.temperature
    say("transfer", transfer(box, others, probabilities(foreign[1].astype(np.float64), temperature)))
    if chosen.plain is not None:
        plain_test = features_of(chosen.data, own, chosen.plain, test)
        plain_train = features_of(chosen.data, own, chosen.plain, train)
        of_few = np.isin(train, gallery_rows)
        few = (plain_train[0][of_few], plain_train[0][of_few][:, :0])
        say("gallery of 16, ImageNet features", gallery(
            few, truth[train][of_few], (plain_test[0], plain_test[0][:, :0]), truth[test]
        ))  # fmt: skip
        probe = linear_probe(plain_train[0], truth[train])
        probed = probe(plain_test[0])
        say("linear probe, ImageNet features", balanced(probed.argmax(1), truth[test]))
        say("head less linear probe", difference(head, probed.argmax(1), truth[test]))
        plain_foreign = features_of(chosen.others, others, chosen.plain, np.arange(len(others.ids)))
        say("transfer, linear probe of ImageNet features", transfer(box, others, probe(plain_foreign[0])))


def few_of(squares: Squares, most: int) -> Squares:
    """Draw at most so many pictures of each collection."""
    sources = np.array([label.split(": ")[0] for label in squares.labels])
    rows = few_of_each(sources, np.arange(len(sources)), most)
    return Squares(**{part.name: getattr(squares, part.name)[rows] for part in fields(squares)})


def further(box: Box, path: Path) -> tuple[Numbers, Numbers]:
    """Look at 300 pictures of files of instruments, drawn at random."""
    from seston.recognition.source_particles import open_source

    every = [one for one in open_source(path).particles() if one.image is not None]
    drawn = np.random.default_rng(0).permutation(len(every))[:300]
    seen = _embed(box, [every[row] for row in drawn.tolist()])
    return seen.image[seen.has_image], seen.shared_image[seen.has_image]


def few_of_each(labels: NDArray[np.str_], rows: NDArray[np.int64], most: int) -> NDArray[np.int64]:
    """Draw at most so many pictures of each label."""
    random = np.random.default_rng(0)
    found = labels[rows]
    return np.sort(np.concatenate([random.permutation(rows[found == label])[:most] for label in np.unique(found)]))


def balanced(said: NDArray[np.int64], truth: NDArray[np.int64]) -> list[float]:
    """Balanced accuracy with its bootstrap interval."""
    right = said == truth
    draws = [_balanced(right[rows], truth[rows]) for rows in _bootstrap(len(truth))]
    return [round(float(one), 4) for one in (_balanced(right, truth), *np.quantile(draws, (0.025, 0.975)))]


def difference(first: NDArray[np.int64], second: NDArray[np.int64], truth: NDArray[np.int64]) -> list[float]:
    """Paired difference of balanced accuracy with its interval."""
    one, two = first == truth, second == truth
    draws = [_balanced(one[rows], truth[rows]) - _balanced(two[rows], truth[rows]) for rows in _bootstrap(len(truth))]
    value = _balanced(one, truth) - _balanced(two, truth)
    return [round(float(part), 4) for part in (value, *np.quantile(draws, (0.025, 0.975)))]


def _balanced(right: NDArray[np.bool_], truth: NDArray[np.int64]) -> float:
    counts = np.bincount(truth)
    hits = np.bincount(truth, right, minlength=len(counts))
    return float((hits[counts > 0] / counts[counts > 0]).mean())


def _bootstrap(count: int) -> NDArray[np.int64]:
    return np.random.default_rng(0).integers(0, count, (1000, count))


def gallery(
    known: tuple[Numbers, Numbers],
    labels: NDArray[np.int64],
    asked: tuple[Numbers, Numbers],
    truth: NDArray[np.int64],
) -> dict[str, Any]:
    """Name by galleries of 16 a class as `seston gallery` makes them: soft LDA in a space fitted to the gallery."""
    classes, numbers = np.unique(labels, return_inverse=True)
    found = []
    for draw in range(DRAWS):
        random = np.random.default_rng(draw)
        rows = np.concatenate([random.permutation(np.flatnonzero(numbers == one))[:N] for one in range(len(classes))])
        blocks = [block[rows] for block in known if block.shape[1]]
        space = fit_space(blocks, None, [1.0] * len(blocks), [False] * len(blocks))
        rule = fit_rule("soft-lda", space(blocks), numbers[rows], len(classes))
        said = classes[rule(space([block for block in asked if block.shape[1]])).argmax(1)]
        found.append(balanced(said, truth))
    return {"mean": round(float(np.mean([one[0] for one in found])), 4), "draws": found}


def linear_probe(features: Numbers, labels: NDArray[np.int64]) -> Callable[[Numbers], NDArray[np.float64]]:
    """Fit logistic regression to standardised features; give scores of all classes of the box."""
    scaler = StandardScaler().fit(features)
    fitted = LogisticRegression(C=0.003, max_iter=150).fit(scaler.transform(features), labels)

    def scores(asked: Numbers) -> NDArray[np.float64]:
        found = np.zeros((len(asked), _CLASSES))
        found[:, fitted.classes_] = fitted.predict_proba(scaler.transform(asked))
        return found

    return scores


_CLASSES = 130


def transfer(box: Box, others: Squares, shares: NDArray[np.float64]) -> dict[str, Any]:
    """Name pictures of other collections at the ranks that both know; among all groups, and among shared ones."""
    sources = np.array([label.split(": ")[0] for label in others.labels])
    found: dict[str, Any] = {}
    for source in ("whoi_ifcb_gallery", "isiis_ndsb2015", "lake_japan_microscope"):
        rows = np.flatnonzero(sources == source)
        names, of = np.unique(others.labels[rows], return_inverse=True)
        meanings = describe(names.tolist())
        for groups in box.head.groups:
            if groups.rank not in RANKS:
                continue
            place = {name: number for number, name in enumerate(groups.names)}
            truth = np.array([place.get(one.lineage.get(groups.rank, ""), -1) for one in meanings])[of]
            shared = truth >= 0
            if len(np.unique(truth[shared])) < 2:
                continue
            sums = shares[rows][shared] @ groups.member
            only = np.isin(np.arange(len(groups.names)), truth[shared])
            found[f"{source} {groups.rank}"] = {
                "groups": int(only.sum()), "pictures": int(shared.sum()),
                "among all": balanced(sums.argmax(1), truth[shared]),
                "among shared": balanced(np.where(only, sums, -1).argmax(1), truth[shared]),
            }  # fmt: skip
    return found


def open_set(
    box: Box,
    own: tuple[Numbers, Numbers],
    foreign: tuple[Numbers, Numbers],
    others: Squares,
    more: dict[str, tuple[Numbers, Numbers]],
) -> Any:
    """Tell pictures of other collections, and what is no picture of plankton, from held-out ones."""
    sources = np.array([label.split(": ")[0] for label in others.labels])
    strange = _embed(box, no_plankton())
    sets = {str(one): (foreign[0][sources == one], foreign[1][sources == one]) for one in np.unique(sources)} | more
    sets["noise, writing, photographs"] = (strange.image, strange.shared_image)
    temperature = box.files.card.trust.temperature
    ways: dict[str, Callable[[tuple[Numbers, Numbers]], NDArray[np.float64]]] = {
        "five nearest of the gallery": lambda said: -np.sort(-box.files.cosines(said[0]), axis=1)[:, :5].mean(1),
        "highest probability": lambda said: probabilities(said[1].astype(np.float64), temperature).max(1),
        "energy": lambda said: evidence(said[1]),
        "relative Mahalanobis distance": lambda said: box.files.discriminants.nearness(said[0]),
        "energy and relative Mahalanobis distance (used)": lambda said: box.files.likeness(said[0], said[1]),
    }
    found: dict[str, Any] = {}
    for name, said in sets.items():
        for way, score in ways.items():
            known, unknown = score(own), score(said)
            truth = np.r_[np.ones(len(known)), np.zeros(len(unknown))]
            every = np.r_[known, unknown]
            wrong, kept, _ = roc_curve(truth, every)
            found.setdefault(str(name), {})[way] = {
                "auroc": round(float(roc_auc_score(truth, every)), 4),
                "fpr95": round(float(wrong[np.argmax(kept >= 0.95)]), 4),
            }
    return found


def answers(
    box: Box,
    own: tuple[Numbers, Numbers],
    foreign: tuple[Numbers, Numbers],
    others: Squares,
    truth: NDArray[np.int64],
    more: dict[str, tuple[Numbers, Numbers]],
) -> Any:
    """Say what `identify` answers by default: how narrow, how often right, how often with a warning.

    Pictures are given as pictures alone; a reader that knows the instrument would have all foreign ones warned of.
    """
    sources = np.array([label.split(": ")[0] for label in others.labels])
    names, of = np.unique(others.labels, return_inverse=True)
    meanings = describe(names.tolist())
    found: dict[str, Any] = {}
    classes = box.files.card.classes
    sets: dict[str, tuple[tuple[Numbers, Numbers], list[Any]]]
    sets = {"vliz_flowcam, held out": (own, [classes[number] for number in truth])}
    for source in np.unique(sources):
        rows = sources == source
        sets[str(source)] = ((foreign[0][rows], foreign[1][rows]), [meanings[number] for number in of[rows]])
    sets |= {name: (said, []) for name, said in more.items()}
    strange = _embed(box, no_plankton())
    sets["noise, writing, photographs"] = ((strange.image, strange.shared_image), [])
    for name, (said, meant) in sets.items():
        identified = box.identify(_embeddings(box, said))
        rank_of = np.array([one.rank or "unknown" for one in identified])
        warned = np.array([bool(one.warning) for one in identified])
        row: dict[str, Any] = {"pictures": len(identified), "warned": round(float(warned.mean()), 3)}
        for rank in np.unique(rank_of):
            chosen = np.flatnonzero(rank_of == rank)
            row[str(rank)] = round(len(chosen) / len(identified), 3)
            if rank != "unknown" and meant:
                right = [_is_right(identified[place], meant[place], str(rank), name) for place in chosen.tolist()]
                row[f"{rank}, right"] = round(float(np.mean(right)), 3)
        narrow = np.isin(rank_of, ("label", "species", "genus"))
        lifeless = {one.label for one in classes if one.kind != "living"}
        alive = np.array([one.label not in lifeless for one in identified])
        for least in (0.5, 0.8):
            sure = narrow & np.array([(one.score or 0) >= least for one in identified])
            row[f"name of a label, species or genus with {least}"] = round(float(sure.mean()), 3)
            row[f"the same, of something living, with {least}"] = round(float((sure & alive).mean()), 3)
        if meant:
            row["of those with a warning"] = wide_scores(identified, meant, warned)
        found[name] = row
    return found


def wide_scores(identified: Sequence[Any], meant: Sequence[Any], warned: NDArray[np.bool_]) -> dict[str, list[float]]:
    """Give mean score and share right of the likeliest group of each wide rank, whether it is the answer or not."""
    rows = np.flatnonzero(warned).tolist()
    found = {}
    for rank in ("order", "class", "phylum", "kingdom"):
        pairs = []
        for row in rows:
            one = identified[row]
            place = one.ranks.index(rank)
            should = meant[row].lineage.get(rank) or (meant[row].kind if rank == "kingdom" else None)
            pairs.append((one.rank_scores[place], one.rank_names[place] == should))
        if pairs:
            found[rank] = [round(float(part), 3) for part in np.mean(pairs, axis=0)]
    return found


def _is_right(one: Any, meant: Any, rank: str, source: str) -> bool:
    if rank == "label":
        own = source.startswith("vliz")
        return bool(one.label == meant.label) if own else bool(one.taxon is not None and one.taxon == meant.taxon)
    return bool(one.label == (meant.lineage.get(rank) or (meant.kind if rank == "kingdom" else None)))


def changed(box: Box, data: Path, squares: Squares, test: NDArray[np.int64], truth: NDArray[np.int64]) -> Any:
    """Name the same held-out pictures changed."""
    from seston.recognition.encoder import stream_particles
    from seston.store import open_data_set

    rows = np.random.default_rng(0).permutation(test)[:400]
    number = dict(zip(squares.ids[rows].tolist(), truth[rows].tolist(), strict=True))
    particles = list(stream_particles(open_data_set(data), list(number)))
    target = np.array([number[one.id] for one in particles])
    found = {}
    for name, change in CHANGES.items():
        seen = _embed(box, [_with(one, change(_grey(one))) for one in particles])
        said = seen.shared_image.argmax(1)
        named = box.identify(seen)
        warned = np.mean([bool(one.warning) for one in named])
        label = np.array([one.rank == "label" for one in named])
        found[name] = {
            "right": round(float((said == target).mean()), 4), "warned": round(float(warned), 3),
            "a label": round(float(label.mean()), 3),
            "right, of those": round(float((said == target)[label].mean()), 3),
        }  # fmt: skip
    return found


def _grey(particle: Particle) -> NDArray[np.uint8]:
    assert particle.image is not None
    return np.asarray(Image.open(BytesIO(particle.image)).convert("L"))


def _with(particle: Particle, pixels: NDArray[np.uint8]) -> Particle:
    buffer = BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return replace(particle, image=buffer.getvalue(), image_format="png")


def _scaled(factor: float) -> Callable[[NDArray[np.uint8]], NDArray[np.uint8]]:
    def change(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        height, width = (max(4, round(side * factor)) for side in pixels.shape)
        return np.asarray(Image.fromarray(pixels).resize((width, height), Image.Resampling.BILINEAR))

    return change


def _on(tone: int) -> Callable[[NDArray[np.uint8]], NDArray[np.uint8]]:
    """Move the background to another tone, the particle with it."""

    def change(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        border = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
        apart = pixels.astype(np.float32) - float(np.median(border))
        if tone < 128:
            apart = -apart
        return np.clip(apart + tone, 0, 255).astype(np.uint8)

    return change


def _with_bar(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Burn a bar and a word into a strip below the picture."""
    height, width = pixels.shape
    border = int(np.median(np.concatenate([pixels[0], pixels[-1]])))
    picture = Image.new("L", (max(width, 90), height + 24), border)
    picture.paste(Image.fromarray(pixels), (0, 0))
    draw = ImageDraw.Draw(picture)
    draw.rectangle((4, height + 18, 64, height + 20), fill=0)
    draw.text((4, height + 4), "100 um", fill=0)
    return np.asarray(picture)


CHANGES: dict[str, Callable[[NDArray[np.uint8]], NDArray[np.uint8]]] = {
    "as it was": lambda pixels: pixels,
    "inverted": lambda pixels: 255 - pixels,
    "half the pixels a side": _scaled(0.5),
    "twice the pixels a side": _scaled(2.0),
    "on grey": _on(140),
    "on white": _on(250),
    "on black, bright": _on(5),
    "with a scale bar": _with_bar,
    "upside down": lambda pixels: np.ascontiguousarray(pixels[::-1, ::-1]),
    "a quarter turned": lambda pixels: np.ascontiguousarray(np.rot90(pixels)),
}


def no_plankton() -> list[Particle]:
    """Make pictures without plankton: noise, stripes, writing, a face of boxes, gradients, landscapes of noise."""
    random = np.random.default_rng(0)
    pictures: list[NDArray[np.uint8]] = []
    for number in range(40):
        side = int(random.integers(60, 400))
        pictures.append(random.integers(0, 256, (side, side), np.uint8))
        rough = random.integers(0, 256, (4 + number % 8, 5 + number % 6), np.uint8)
        pictures.append(np.asarray(Image.fromarray(rough).resize((side, side), Image.Resampling.BICUBIC)))
        page = Image.new("L", (300, 160), 255)
        draw = ImageDraw.Draw(page)
        for line in range(12):
            word = "".join(chr(int(code)) for code in random.integers(97, 123, 40))
            draw.text((5, 4 + 12 * line), word, fill=0)
        pictures.append(np.asarray(page))
        stripes = (np.arange(side) // int(random.integers(3, 30)) % 2 * 200).astype(np.uint8)
        pictures.append(np.broadcast_to(stripes, (side, side)).copy())
        scene = Image.new("L", (320, 240), int(random.integers(60, 220)))
        draw = ImageDraw.Draw(scene)
        for _ in range(25):
            left, top = (int(one) for one in random.integers(0, 300, 2))
            draw.rectangle((left, top, left + int(random.integers(5, 90)), top + int(random.integers(5, 90))),
                           fill=int(random.integers(0, 256)))  # fmt: skip
        pictures.append(np.asarray(scene))
    return [
        _with(Particle(id=f"made/{number}", sample_id="made", image=b""), one) for number, one in enumerate(pictures)
    ]


def _embed(box: Box, particles: Sequence[Particle]) -> Embeddings:
    return box.model.encode(particles)


def _embeddings(box: Box, said: tuple[Numbers, Numbers]) -> Embeddings:
    count = len(said[0])
    nothing = np.zeros((count, 0), np.float32)
    there, not_there = np.ones(count, np.bool_), np.zeros(count, np.bool_)
    ids = tuple(map(str, range(count)))
    return Embeddings(ids, said[0], nothing, said[1], nothing, there, not_there, box.model_id)


if __name__ == "__main__":
    started = time.perf_counter()
    main()
    print(f"{time.perf_counter() - started:.0f} s")

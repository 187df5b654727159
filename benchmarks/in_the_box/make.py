"""Make the files of the model in the box of trained weights, or of its graph.

PYTHONPATH=benchmarks python -m in_the_box.make SET --strangers OTHERS --run RUN --refit --to FOLDER
PYTHONPATH=benchmarks python -m in_the_box.make SET --strangers OTHERS \
    --graph src/seston/recognition/in_the_box/image.onnx --to FOLDER

What is known of held-out pictures comes from the validation part of the split alone; what is known of strangers, from
300 pictures each of the collections named `STRANGERS` below.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import torch
from numpy.typing import NDArray
from safetensors import safe_open

from in_the_box.graph import write_graph
from in_the_box.squares import Squares, preparation_of, squares_of
from in_the_box.train import Network
from seston import __version__
from seston.models.spaces import unit
from seston.recognition.box_files import GRAPH, BoxCard, Likeness, read_box, write_box
from seston.recognition.calibration import probabilities
from seston.recognition.class_groups import LABEL, Groups, KnownClass, group_classes
from seston.recognition.discriminants import Discriminants, fit_discriminants
from seston.recognition.head_trust import HeadTrust, evidence, known_steps, learn_trust, right_steps
from seston.taxonomy.label_taxa import taxa_of

SIZE = 128
DIRECTIONS = 128
STRANGERS = ("uvp6_uvpec", "whoi_ifcb_gallery", "zooscan_ecotaxa")
OF_EACH = 300
TEMPERATURES = np.geomspace(0.2, 5, 200)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    given = parser.add_mutually_exclusive_group(required=True)
    given.add_argument("--run", type=Path, help="with trained weights")
    given.add_argument("--graph", type=Path, help="a graph made before, as it is")
    parser.add_argument("--strangers", type=Path, required=True, help="data set of other collections")
    parser.add_argument("--to", type=Path, required=True)
    parser.add_argument("--split", default="box")
    parser.add_argument("--a-class", type=int, default=48, help="pictures of each class in the gallery")
    parser.add_argument("--refit", action="store_true", help="add linear discriminants to the layer of classes")
    parser.add_argument("--turned", action="store_true", help="look at each picture twice")
    parser.add_argument("--about", type=Path, help="the model card")
    chosen = parser.parse_args()
    chosen.to.mkdir(parents=True, exist_ok=True)
    if chosen.run is None:
        kept = json.loads(chosen.graph.with_name("box.json").read_bytes())["classes"]
        network, names = None, [f"{one['source']}: {one['label']}" for one in kept]
        shutil.copyfile(chosen.graph, chosen.to / GRAPH)
    else:
        network, names = load_network(chosen.run / "weights.safetensors")
        write_graph(network.encoder, network.head, chosen.to / GRAPH, size=SIZE, turned=chosen.turned)
    squares = squares_of(chosen.data, SIZE, chosen.split)
    number_of = {name: place for place, name in enumerate(names)}
    numbers = np.array([number_of[label] for label in squares.labels])
    # What the figures are measured on, the part "test", is not looked at here.
    training = np.flatnonzero(squares.parts == "train")
    gallery = chosen_rows(numbers, squares.parts == "train", chosen.a_class)
    learnt = training if chosen.refit else gallery
    used = np.concatenate([learnt, np.flatnonzero(squares.parts == "validation")])
    features, scores = features_of(chosen.data, squares, chosen.to / GRAPH, used)
    truth, held = numbers[used], np.arange(len(used)) >= len(learnt)
    if chosen.refit and network is not None:
        refit(network.head, features, truth, held)
        write_graph(network.encoder, network.head, chosen.to / GRAPH, size=SIZE, turned=chosen.turned)
        scores = features @ network.head.weight.detach().numpy().T + network.head.bias.detach().numpy()
    classes = describe(names)
    rows = np.flatnonzero(np.isin(used, gallery))
    mean = features[rows].mean(axis=0)
    directions = np.linalg.svd(features[rows] - mean, full_matrices=False)[2][:DIRECTIONS].T
    vectors = unit((features[rows] - mean) @ directions)
    discriminants = fit_discriminants(features[rows], truth[rows])
    nearness = discriminants.nearness(features[held])
    likeness = Likeness.learn(evidence(scores[held]), nearness)
    groups = group_classes(classes)
    alike = likeness.of(evidence(scores[held]), nearness)
    trust = learn_trust(scores[held], truth[held], groups, likeness=alike)
    trust = with_strangers(trust, groups, discriminants, likeness, chosen.strangers, chosen.to / GRAPH)
    card = BoxCard(
        preparation=preparation_of(SIZE), classes=classes, trust=trust, likeness=likeness,
        created=datetime.now(UTC).strftime("%Y-%m-%d"), seston_version=__version__,
    )  # fmt: skip
    about = chosen.about.read_text(encoding="utf-8") if chosen.about else "# The model in the box\n"
    write_box(
        chosen.to, card, mean=mean, directions=directions, vectors=vectors, classes=truth[rows],
        ids=tuple(squares.ids[used[rows]].tolist()), discriminants=discriminants, about=about,
    )  # fmt: skip
    read_box(chosen.to)
    for path in sorted(chosen.to.iterdir()):
        print(f"{path.name}: {path.stat().st_size:,} bytes")
    right = {rank: learnt.accuracy for rank, learnt in trust.calibrations.items()}
    print(json.dumps({"temperature": trust.temperature, "validation": right, "known": trust.known_share}))
    print(json.dumps({"strange": dict(trust.strange_right)}))


def with_strangers(
    trust: HeadTrust,
    groups: Sequence[Groups],
    discriminants: Discriminants,
    likeness: Likeness,
    data: Path,
    graph: Path,
) -> HeadTrust:
    """Add what pictures of other collections teach: how many look familiar, how often names of strange ones hold."""
    squares = squares_of(data, SIZE)
    source = np.array([label.split(": ")[0] for label in squares.labels])
    random = np.random.default_rng(0)
    parts = [random.permutation(np.flatnonzero(source == one))[:OF_EACH] for one in STRANGERS]
    rows = np.concatenate(parts)
    features, scores = features_of(data, squares, graph, rows)
    familiarity = trust.familiar_share(likeness.of(evidence(scores), discriminants.nearness(features)))
    known = known_steps([familiarity[source[rows] == one] for one in STRANGERS])
    # Strange is what is less familiar than where every second picture is a stranger.
    strange = familiarity <= next(start for start, share in known if share >= 0.5)
    labels, of = np.unique(squares.labels[rows], return_inverse=True)
    meanings = describe(labels.tolist())
    shares = probabilities(scores.astype(np.float64), trust.temperature)
    table = {}
    for each in groups:
        named, score = each.best(shares)
        meant = np.array([meaning_at(one, each.rank) for one in meanings])[of]
        said = np.array([each.taxa[one] or each.names[one] for one in named.tolist()])
        table[each.rank] = right_steps(score[strange], (said == meant)[strange])
    return replace(trust, known_share=known, strange_right=table)


def meaning_at(one: KnownClass, rank: str) -> str:
    """Give the name that a class has at a rank; at the label its accepted name, or the label where that is no taxon."""
    if rank == LABEL:
        return one.taxon or one.label
    return one.lineage.get(rank) or (one.kind if rank == "kingdom" else "")


def load_network(path: Path) -> tuple[Network, list[str]]:
    """Read trained weights, and the names of their classes."""
    with safe_open(path, framework="pt") as file:
        names = json.loads(file.metadata()["classes"])
        weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    network = Network(len(names), 0.0)
    network.load_state_dict(weights)
    return network.eval(), names


def run_graph(
    path: Path, squares: Squares, rows: NDArray[np.int64], outputs: int = 2
) -> tuple[NDArray[np.float32], ...]:
    """Give features and scores of some pictures."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    parts = []
    for start in range(0, len(rows), 64):
        part = rows[start : start + 64]
        pictures = (squares.pixels[part].astype(np.float32) - squares.backgrounds[part, None, None]) / 127.5
        parts.append(session.run(None, {"picture": pictures[:, None]}))
    return tuple(np.concatenate([part[number] for part in parts]) for number in range(outputs))


def features_of(
    data: Path, squares: Squares, graph: Path, rows: NDArray[np.int64]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Run a graph on some pictures, or read what it said before."""
    digest = hashlib.sha256(graph.read_bytes() + rows.tobytes()).hexdigest()[:12]
    kept = data / f"features-{digest}.npz"
    if not kept.is_file():
        features, scores = run_graph(graph, squares, rows)
        np.savez(kept, features=features, scores=scores)
    with np.load(kept) as arrays:
        return arrays["features"], arrays["scores"]


def refit(
    head: torch.nn.Linear, features: NDArray[np.float32], truth: NDArray[np.int64], held: NDArray[np.bool_]
) -> None:
    """Add the linear discriminants of the training pictures, as they are, to the layer of classes.

    How much they are shrunk and how much they weigh is what makes the right classes of held-out pictures likeliest.
    """
    known, labels = features[~held].astype(np.float64), truth[~held]
    means = np.stack([known[labels == number].mean(axis=0) for number in range(len(head.bias))])
    apart = known - means[labels]
    scatter = apart.T @ apart / len(apart)
    level = np.eye(len(scatter)) * scatter.diagonal().mean()
    trained = head.weight.detach().numpy().astype(np.float64), head.bias.detach().numpy().astype(np.float64)
    asked, right = features[held].astype(np.float64), truth[held]
    best: tuple[float, Any] = (np.inf, None)
    for shrunk in (0.1, 0.3, 1.0, 3.0):
        weights = np.linalg.solve(scatter + shrunk * level, (means - means.mean(0)).T).T
        bias = -((means + means.mean(0)) / 2 * weights).sum(axis=1)
        scale = (asked @ trained[0].T).std() / (asked @ weights.T).std()
        for share in (0.0, 0.25, 0.5, 0.75, 1.0):
            mixed = [(1 - share) * old + share * scale * new for old, new in zip(trained, (weights, bias), strict=True)]
            scores = asked @ mixed[0].T + mixed[1]
            coolest_one = coolest(scores.astype(np.float32), right)
            shares = probabilities(scores, coolest_one)
            surprise = float(-np.log(np.maximum(shares[np.arange(len(right)), right], 1e-12)).mean())
            accuracy = float((scores.argmax(1) == right).mean())
            print(f"discriminants shrunk {shrunk}, share {share}: surprise {surprise:.4f}, right {accuracy:.4f}")
            if surprise < best[0]:
                best = surprise, mixed
    with torch.no_grad():
        head.weight.copy_(torch.from_numpy(best[1][0]))
        head.bias.copy_(torch.from_numpy(best[1][1]))


def describe(names: list[str]) -> tuple[KnownClass, ...]:
    """Say what each class means."""
    pairs = [(source, label) for source, _, label in (name.partition(": ") for name in names)]
    taxa = taxa_of(pairs)
    return tuple(
        KnownClass(
            label=pair[1], source=pair[0], taxon=taxa[pair].name, kind=taxa[pair].kind, lineage=dict(taxa[pair].lineage)
        )
        for pair in pairs
    )


def coolest(scores: NDArray[np.float32], truth: NDArray[np.int64]) -> float:
    """Give the temperature under which the right classes are likeliest."""

    def surprise(temperature: float) -> float:
        shares = probabilities(scores.astype(np.float64), temperature)
        return float(-np.log(np.maximum(shares[np.arange(len(truth)), truth], 1e-12)).mean())

    return float(min(TEMPERATURES, key=surprise))


def chosen_rows(numbers: NDArray[np.int64], training: NDArray[np.bool_], most: int) -> NDArray[np.int64]:
    """Choose the pictures of the gallery: at most so many of each class from the training part."""
    random = np.random.default_rng(0)
    parts = [
        np.sort(random.permutation(np.flatnonzero((numbers == number) & training))[:most])
        for number in range(int(numbers.max()) + 1)
    ]
    return np.concatenate(parts)


if __name__ == "__main__":
    main()

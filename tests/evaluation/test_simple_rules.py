"""SimpleShot and the linear probe: against slow counting and scikit-learn, and what they may learn from."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import numpy as np
import pytest
from PIL import Image
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import NearestCentroid
from sklearn.preprocessing import StandardScaler

from seston.errors import UsageError
from seston.evaluation import few_shot, linear_probe
from seston.evaluation.draws import Draw
from seston.evaluation.simple_shot import nearest_mean, standardised
from seston.store import DataSet, open_data_set

_SCHEMAS = Path(__file__).parents[1] / "cli" / "schemas"
_LABELS = ("Acartia clausi", "Temora longicornis", "Navicula", "Bubbles")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> DataSet:
    """Four classes of twelve pictures, told by size and brightness; one class of a single picture."""
    folder = tmp_path_factory.mktemp("pictures")
    noise = np.random.default_rng(0)
    for number, label in enumerate((*_LABELS, "Noctiluca scintillans")):
        (folder / "Pond" / label).mkdir(parents=True)
        for picture in range(12 if label in _LABELS else 1):
            grey = np.full((40, 40), 220, np.uint8)
            grey[8 : 14 + 4 * number, 8:30] = 20 + 30 * number + noise.integers(0, 20)
            grey[0, 0] = picture
            Image.fromarray(grey).save(folder / "Pond" / label / f"{picture}.png")
    made = open_data_set(folder / "data", create=True)
    made.import_(folder / "Pond")
    made.split("half", by="image", folds=2, seed=1)
    return made


def test_the_nearest_mean_is_that_of_scikit_learn_on_centred_unit_features() -> None:
    random = np.random.default_rng(0)
    classes = np.repeat(np.arange(5), 20)
    features = (random.normal(size=(5, 8))[classes] + random.normal(size=(100, 8))).astype(np.float32)
    gallery = random.permutation(100)[:30]
    draw = Draw(6, 0, gallery, np.setdiff1d(np.arange(100), gallery))
    pool = draw.gallery
    ((pair, named),) = nearest_mean("model", {"I": features}, classes, pool).names(draw)
    centred = features - features[pool].mean(axis=0)
    centred /= np.linalg.norm(centred, axis=1, keepdims=True)
    oracle = NearestCentroid().fit(centred[gallery], classes[gallery])
    assert pair == ("I", "I")
    assert (named == oracle.predict(centred[draw.queries])).all()


def test_standardised_features_are_those_of_scikit_learn() -> None:
    features = np.random.default_rng(0).normal(3, 5, (40, 3)).astype(np.float32)
    features[:, 2] = 7
    pool = np.arange(25)
    assert standardised(features, pool) == pytest.approx(
        StandardScaler().fit(features[pool]).transform(features), abs=1e-5
    )
    features[30, 0] = np.nan
    assert standardised(features, pool)[30, 0] == 0


def test_support_comes_from_the_training_part_and_classes_without_are_named(data: DataSet) -> None:
    found = few_shot(data, model="classical", k=(1, 3), repeats=2, baselines=False)
    assert {(row.n, row.classifier, row.repeats) for row in found.rows} == {(1, "SimpleShot", 2), (3, "SimpleShot", 2)}
    assert list(found.left_out) == ["Noctiluca scintillans"]
    test = set(data.load_split("half").ids_of(0, "test"))
    labels = data.labels()
    assert {row.queries for row in found.rows} == {sum(labels[name] in _LABELS for name in test)}
    assert found.rows[-1].accuracy > 0.8
    assert not found.grouped


def test_more_support_than_there_is_is_left_out_with_a_note(data: DataSet) -> None:
    found = few_shot(data, model="classical", k=(1, 10), repeats=1, baselines=False)
    assert {row.n for row in found.rows} == {1}
    assert any(note.startswith("n = 10: too few classes") for note in found.notes)
    with pytest.raises(UsageError, match="1 or more"):
        few_shot(data, model="classical", k=(0,))


def test_the_probe_is_scikit_learns_on_standardised_features(data: DataSet) -> None:
    from seston.recognition import ClassicalModel, embed

    found = linear_probe(data, model="classical", baselines=False)
    vectors, labels, split = embed(data, ClassicalModel.of(data)), data.labels(), data.load_split("half")
    train, test = ([name for name in split.ids_of(0, part) if labels[name] in _LABELS] for part in ("train", "test"))
    strength = float(next(note for note in found.notes if "C = " in note).rpartition("C = ")[2])
    first, second = (np.nan_to_num(vectors.of(ids).image).astype(np.float64) for ids in (train, test))
    first, second = first[:, first.std(axis=0) > 1e-6], second[:, first.std(axis=0) > 1e-6]
    scale = StandardScaler().fit(first)
    oracle = LogisticRegression(C=strength, max_iter=200).fit(scale.transform(first), [labels[name] for name in train])
    expected = oracle.score(scale.transform(second), [labels[name] for name in test])
    rows = {row.rank: row for row in found.ranks if row.method == "classical"}
    assert rows["label"].accuracy == pytest.approx(expected, abs=0.05)
    assert rows["label"].particles == len(test)
    assert rows["genus"].particles == sum(labels[name] != "Bubbles" for name in test)
    assert {row.method for row in found.ranks} == {"classical", "most frequent taxon"}


def test_a_capped_probe_says_so(data: DataSet) -> None:
    found = linear_probe(data, model="classical", baselines=False, most=12)
    assert any("12 were learnt from, drawn at random" in note for note in found.notes)


@pytest.mark.parametrize(
    "line", [["few-shot", "-k", "2", "--repeats", "1"], ["linear-probe"]], ids=lambda line: line[0]
)
def test_the_commands_keep_their_contract(
    line: list[str], data: DataSet, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    from seston.cli.call import call

    words = ["evaluate", line[0], str(data.path), "--model", "classical", *line[1:], "--no-baselines"]
    assert call([*words, "--to", str(tmp_path / "report"), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    jsonschema.validate(document, json.loads((_SCHEMAS / f"evaluate-{line[0]}.json").read_text(encoding="utf-8")))
    assert document["rows"]
    assert Path(document["report"]).is_file()

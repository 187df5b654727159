"""Naming by texts against slow second computations, with a model in memory."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from sklearn.metrics import f1_score

from seston.cli.call import call
from seston.errors import UsageError
from seston.evaluation import zero_shot
from seston.evaluation.permuted_texts import macro_f1_of, permuted_macro_f1
from seston.models import CrossModalModel
from seston.recognition.encoder import stream_particles
from seston.recognition.text_names import names_by_texts
from seston.store import DataSet, open_data_set
from seston.taxonomy import lineage
from seston.training import Run, load_recipe, make_batch, untrained_run
from seston.training.particles import take_particles
from seston.training.text_preparation import TextPreparation, tokenizer_of

_LABELS = ("Acartia", "Oithona", "Chaetoceros", "Noctiluca", "detritus")
_SMALL = (
    'model.image={tower="conv",width=8,blocks=[1]}', "model.embedding=16", "model.hidden=16",
    "model.text.width=16", "model.text.layers=1", "model.text.heads=2", "pictures.size=16",
)  # fmt: skip


@pytest.fixture(scope="module")
def named_data(tmp_path_factory: pytest.TempPathFactory) -> DataSet:
    """Give 50 tiny pictures of five labels, and a split that keeps one of them for the test."""
    folder = tmp_path_factory.mktemp("zero-shot")
    chance = np.random.default_rng(1)
    for label in _LABELS:
        (folder / "Pond" / label).mkdir(parents=True)
        for copy in range(10):
            pixels = chance.integers(0, 255, (20, 20), dtype=np.uint8)
            Image.fromarray(pixels).save(folder / "Pond" / label / f"{copy}.png")
    data = open_data_set(folder / "data", create=True)
    data.import_([folder / "Pond"])
    data.split("unseen", by="image", unseen_labels=["Noctiluca"])
    return data


@pytest.fixture(scope="module")
def run(named_data: DataSet) -> Run:
    """Give a run whose texts name four of the five labels; its weights are random."""
    return untrained_run(named_data, load_recipe("clip-text", _SMALL), 3, split="unseen")


def _closest(data: DataSet, run: Run, ids: list[str], labels: list[str], template: str) -> list[str]:
    """Name particles one by one, by one text a label."""
    texts = [lineage([label], template=template)[0].text for label in labels]
    assert isinstance(run.preparation.text, TextPreparation)
    named = []
    with torch.inference_mode():
        said = run.model.encode_texts(torch.from_numpy(tokenizer_of(run.preparation.text)(texts)))  # type: ignore[operator]
        for particle in take_particles(data, data.rows_of(ids)):
            seen = run.model(make_batch([particle], run.preparation)).image[0]
            named.append(labels[int((said @ seen).argmax())])
    return named


def test_each_part_chooses_among_its_own_classes_and_is_scored_as_by_hand(named_data: DataSet, run: Run) -> None:
    found = zero_shot(named_data, model=run, split="unseen", templates=["scientific"], permutations=19, untrained=2)
    assert {row.part for row in found.zero_shot} == {"all", "seen"}  # one unseen class alone leaves no choice
    asked = set(named_data.load_split("unseen").ids_of(0, "test"))
    labels = named_data.labels()
    for part, choices in (("all", _LABELS[:4]), ("seen", _LABELS[:3])):
        ids = [name for name in named_data.ids() if name in asked and labels[name] in choices]
        named = _closest(named_data, run, ids, list(choices), "scientific")
        (row,) = [row for row in found.zero_shot if row.part == part and row.rank == "genus"]
        assert row.particles == len(ids)
        truth = [labels[name] for name in ids]
        assert row.macro_f1 == pytest.approx(f1_score(truth, named, average="macro", zero_division=0))
        assert row.p_value is not None
        assert 1 / 20 <= row.p_value <= 1
        assert row.untrained is not None


def test_a_run_trained_with_texts_names_by_a_list_of_names(named_data: DataSet, run: Run) -> None:
    labels = list(_LABELS[:4])
    names = names_by_texts(labels, run)
    given = names.identify(names.encoder.embed(named_data))
    templates = names.model.preparation.templates
    ids = named_data.ids()[:6]
    texts = [[lineage([label], template=template)[0].text for template in templates] for label in labels]
    assert isinstance(run.preparation.text, TextPreparation)
    model, tokens = run.model, tokenizer_of(run.preparation.text)([text for some in texts for text in some])
    assert isinstance(model, CrossModalModel)
    assert model.text is not None
    with torch.inference_mode():
        said = model.encode_texts(torch.from_numpy(tokens)).reshape(4, len(templates), -1).mean(dim=1)
        said /= said.norm(dim=1, keepdim=True)
        for one, particle in zip(given, take_particles(named_data, named_data.rows_of(ids)), strict=False):
            seen = model(make_batch([particle], run.preparation)).image[0]
            scores = (model.text.logit_scale.exp() * (said @ seen)).softmax(dim=0)
            assert (one.id, one.label) == (particle.id, labels[int(scores.argmax())])
            assert one.score == pytest.approx(float(scores.max()), abs=1e-5)


def test_names_that_are_asked_for_replace_those_that_occur(named_data: DataSet, run: Run) -> None:
    found = zero_shot(
        named_data, model=run, split="unseen", classes=["Copepoda", "Bacillariophyceae"], permutations=0, untrained=0
    )
    row = found.zero_shot[0]
    assert (row.classes, row.p_value, row.untrained) == (2, None, None)
    assert {one.part for one in found.zero_shot} == {"all", "seen", "unseen"}
    with pytest.raises(UsageError, match="names no taxon"):
        zero_shot(named_data, model=run, classes=["gobbledegook"])


def test_a_run_without_texts_is_refused(named_data: DataSet) -> None:
    plain = untrained_run(named_data, load_recipe("default-pictures", ["pictures.size=32"]))
    with pytest.raises(UsageError, match="without texts"):
        zero_shot(named_data, model=plain)


def test_a_pretrained_pair_names_by_the_text_that_open_clip_finds_closest(
    named_data: DataSet, tiny_pair: tuple[Path, torch.nn.Module], capsys: pytest.CaptureFixture[str]
) -> None:
    import open_clip

    where = f"local-dir:{tiny_pair[0]}"
    (theirs, shown), words = open_clip.create_model_from_pretrained(where), open_clip.get_tokenizer(where)
    labels = {name: label for name, label in named_data.labels().items() if label != "detritus"}
    choices, pictures = list(_LABELS[:4]), {one.id: one.image for one in stream_particles(named_data)}
    with torch.no_grad():
        said = theirs.encode_text(words([lineage([label])[0].text for label in choices]), normalize=True)
        named = []
        for name in labels:
            picture = Image.open(io.BytesIO(pictures[name] or b""))
            seen = theirs.eval().encode_image(shown(picture)[None], normalize=True)
            named.append(choices[int((said @ seen[0]).argmax())])
    line = ["evaluate", "zero-shot", str(named_data.path), "--model", f"open-clip:{tiny_pair[0]}"]
    assert call([*line, "--split", "unseen", "--permutations", "9", "--untrained", "1", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    asked = set(named_data.load_split("unseen").ids_of(0, "test"))
    places = [place for place, name in enumerate(labels) if name in asked]
    truth, given = ([list(of)[place] for place in places] for of in (labels.values(), named))
    (row,) = [row for row in document["rows"] if row["rank"] == "genus"]
    assert (row["part"], row["particles"]) == ("all", len(places))
    assert row["macro_f1"] == pytest.approx(f1_score(truth, given, average="macro", zero_division=0))
    assert row["untrained"] is not None
    assert any("which classes it has seen" in note for note in document["notes"])


def test_permuted_texts_score_as_scikit_learn_scores_the_names_that_they_give() -> None:
    chance = np.random.default_rng(0)
    counts = chance.integers(0, 6, (5, 4))
    truth, named = np.array([0, 1, -1, 2, 0]), np.array([0, 0, 1, 3])
    rows = np.repeat(np.arange(20), counts.ravel())
    true, answer = rows // 4, rows % 4
    kept = truth[true] >= 0

    def by_hand(of_text: np.ndarray[tuple[int], np.dtype[np.int64]]) -> float:
        return float(f1_score(truth[true[kept]], of_text[answer[kept]], average="macro", zero_division=0))

    assert macro_f1_of(counts, truth, named) == pytest.approx(by_hand(named))
    random = np.random.default_rng(7)
    expected = [by_hand(named[random.permutation(4)]) for _ in range(5)]
    assert permuted_macro_f1(counts, truth, named, 5, 7).tolist() == pytest.approx(expected)


def test_the_report_is_written(named_data: DataSet, run: Run, tmp_path: Path) -> None:
    found = zero_shot(named_data, model=run, permutations=9, untrained=1, to=tmp_path / "report")
    assert found.report is not None
    page = found.report.read_text(encoding="utf-8")
    assert "permuted texts" in page
    assert "image-level" in page

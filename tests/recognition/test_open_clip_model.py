"""Released image–text models used as they are: the vectors that open_clip itself gives, galleries, names, errors."""

from __future__ import annotations

import io
import json
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image
from torch.nn import functional

from seston.cli.call import call
from seston.errors import InputError, MissingExtraError, NotFoundError, UsageError
from seston.models.open_clip_text import open_clip_folder
from seston.models.released import RELEASED, open_clip_place, released_model
from seston.particle import Particle, Skipped
from seston.recognition import Gallery, choose_model, identify, load
from seston.recognition.open_clip_model import OpenClipModel
from seston.store import open_data_set
from seston.taxonomy import lineage
from seston.training.text_vectors import text_vectors

Pair = tuple[Path, torch.nn.Module]


def _encoded(pixels: NDArray[np.uint8]) -> bytes:
    written = io.BytesIO()
    Image.fromarray(pixels).save(written, "PNG")
    return written.getvalue()


def _pictures() -> list[NDArray[np.uint8]]:
    noise = np.random.default_rng(2)
    return [noise.integers(0, 255, shape, dtype=np.uint8) for shape in ((20, 31), (40, 18, 3), (16, 16, 3))]


def _particles(pictures: list[NDArray[np.uint8]]) -> list[Particle]:
    return [Particle(id=f"s/{row}", sample_id="s", image=_encoded(one)) for row, one in enumerate(pictures)]


@pytest.mark.parametrize("resizing", ["shortest", "longest", "squash"])
def test_pictures_get_the_vectors_that_open_clip_gives_them(tiny_pair: Pair, tmp_path: Path, resizing: str) -> None:
    import open_clip

    folder = shutil.copytree(tiny_pair[0], tmp_path / "pair")
    settings = json.loads((folder / "open_clip_config.json").read_bytes())
    settings["preprocess_cfg"] |= {"resize_mode": resizing, "fill_color": 90}
    (folder / "open_clip_config.json").write_text(json.dumps(settings))
    theirs, shown = open_clip.create_model_from_pretrained(f"local-dir:{folder}")
    theirs.eval()
    with torch.no_grad():
        shaped = torch.stack([shown(Image.fromarray(one)) for one in _pictures()])
        expected = functional.normalize(theirs.encode_image(shaped), dim=1)
    found = load(f"open-clip:{folder}").encode(_particles(_pictures()))
    np.testing.assert_allclose(found.image, expected.numpy(), atol=1e-6)
    assert found.has_image.all()
    assert not found.has_profile.any()


def test_texts_get_the_vectors_that_open_clip_gives_them_and_are_averaged(tiny_pair: Pair) -> None:
    import open_clip

    texts = [["Animalia Arthropoda Copepoda", "a photo of a copepod"], ["Chromista", "a photo of a diatom"]]
    tokens = open_clip.get_tokenizer(f"local-dir:{tiny_pair[0]}")([one for some in texts for one in some])
    with torch.no_grad():
        each = functional.normalize(tiny_pair[1].encode_text(tokens), dim=1)  # type: ignore[operator]
    expected = functional.normalize(each.reshape(2, 2, -1).mean(dim=1), dim=1).numpy()
    model = OpenClipModel.load(tiny_pair[0])
    np.testing.assert_allclose(text_vectors(model.pair.texts, model.text_preparation, texts), expected, atol=1e-6)
    assert model.pair.scale == pytest.approx(1 / 0.07)


def test_a_picture_that_cannot_be_used_is_told_and_a_scale_bar_is_not_seen(tiny_pair: Pair) -> None:
    model = OpenClipModel.load(tiny_pair[0])
    plain = np.full((30, 30), 200, np.uint8)
    barred = plain.copy()
    barred[24:28, 4:20] = 0
    particles = [
        *_particles([plain, barred]),
        Particle(id="s/bar", sample_id="s", image=_encoded(barred), scale_bar=(3, 23, 21, 29)),
        Particle(id="s/broken", sample_id="s", image=b"no picture"),
    ]
    skipped: list[Skipped] = []
    found = model.encode(particles, skipped)
    assert [one.item for one in skipped] == ["s/broken"]
    assert found.has_image.tolist() == [True, True, True, False]
    assert not found.image[3].any()
    assert np.array_equal(found.image[2], found.image[0])
    assert not np.allclose(found.image[1], found.image[0], atol=1e-4)


def test_a_very_long_picture_is_seen_by_its_middle(tiny_pair: Pair) -> None:
    long = np.full((3, 40_000), 255, np.uint8)
    middle = np.random.default_rng(0).integers(0, 255, (3, 48), dtype=np.uint8)
    long[:, 19_976:20_024] = middle
    found = OpenClipModel.load(tiny_pair[0]).encode(_particles([long, middle]))
    np.testing.assert_allclose(found.image[0], found.image[1], atol=1e-5)


def test_a_gallery_keeps_the_encoder_of_pictures_and_names_without_the_rest(tiny_pair: Pair, tmp_path: Path) -> None:
    folder = shutil.copytree(tiny_pair[0], tmp_path / "pair")
    noise = np.random.default_rng(1)
    for label, grey in (("Acartia", 60), ("Navicula", 190)):
        (tmp_path / "Pond" / label).mkdir(parents=True)
        for copy in range(6):
            pixels = (grey + noise.integers(0, 40, (20, 20))).astype(np.uint8)
            Image.fromarray(pixels).save(tmp_path / "Pond" / label / f"{copy}.png")
    data = open_data_set(tmp_path / "data", create=True)
    data.import_([tmp_path / "Pond"])
    made = Gallery.from_dataset(data, choose_model(data, f"open-clip:{folder}"), per_class=3)
    made.save(tmp_path / "gallery")
    shutil.rmtree(folder)
    gallery = Gallery.load(tmp_path / "gallery")
    assert isinstance(gallery.model, OpenClipModel)
    assert gallery.model.model_id == made.card.model_id
    named = gallery.identify(gallery.model.embed(data))
    assert [one.label for one in named] == [data.labels()[one.id] for one in named]


def test_random_weights_are_those_of_their_seed(tiny_pair: Pair) -> None:
    model = OpenClipModel.load(tiny_pair[0])
    one, again, other = (model.untrained(seed).encode(_particles(_pictures())).image for seed in (1, 1, 2))
    assert np.array_equal(one, again)
    assert not np.allclose(one, other, atol=1e-3)
    assert len({model.model_id, model.untrained(1).model_id, model.untrained(2).model_id}) == 3


def test_models_are_meant_by_their_names() -> None:
    assert open_clip_place("open-clip:some/folder") == "some/folder"
    assert open_clip_place(Path("open-clip:hf-hub:imageomics/bioclip-2")) == "hf-hub:imageomics/bioclip-2"
    assert open_clip_place("bioclip") == open_clip_place("open-clip:bioclip") == "hf-hub:imageomics/bioclip"
    assert open_clip_place("runs/one") is None
    for one in RELEASED:
        assert released_model(open_clip_place(one.name) or "") == one


def test_a_folder_of_that_name_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bioclip").mkdir()
    assert open_clip_place("bioclip") is None


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"vision_cfg": {"image_size": 16, "colours": 3}}, "open_clip cannot build this model .*colours"),
        ({"vision_cfg": {"timm_model_name": "hf_hub:some/where"}}, "open_clip cannot build this model .*hf_hub"),
        ({"embed_dim": "wide"}, "no configuration of open_clip"),
        ({"text_cfg": None}, "no configuration of open_clip"),
    ],
)
def test_a_configuration_that_is_none_is_one_line(
    tiny_pair: Pair, tmp_path: Path, change: dict[str, object], message: str
) -> None:
    settings = json.loads((tiny_pair[0] / "open_clip_config.json").read_bytes())
    settings["model_cfg"] |= change
    (tmp_path / "open_clip_config.json").write_text(json.dumps(settings))
    shutil.copy(tiny_pair[0] / "open_clip_model.safetensors", tmp_path)
    with pytest.raises(InputError, match=message) as caught:
        OpenClipModel.load(tmp_path)
    assert "\n" not in str(caught.value)


def test_what_is_missing_is_named(tiny_pair: Pair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copy(tiny_pair[0] / "open_clip_config.json", tmp_path)
    with pytest.raises(NotFoundError, match=r"no open_clip_model\.safetensors in it"):
        load(f"open-clip:{tmp_path}")
    shutil.copy(tiny_pair[0] / "open_clip_model.safetensors", tmp_path)
    monkeypatch.setitem(sys.modules, "open_clip.model", None)
    with pytest.raises(MissingExtraError, match="clip"):
        load(f"open-clip:{tmp_path}")


def test_without_a_network_one_line_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    constants = pytest.importorskip("huggingface_hub", reason="huggingface_hub is not installed (extra hub)").constants
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(InputError, match="was not fetched before, and the Hub cannot be reached"):
        open_clip_folder("hf-hub:nobody/nothing")


@pytest.fixture(scope="module")
def pond(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder of four pictures."""
    folder = tmp_path_factory.mktemp("pond")
    noise = np.random.default_rng(8)
    for name in "abcd":
        Image.fromarray(noise.integers(0, 255, (24, 30), dtype=np.uint8)).save(folder / f"{name}.png")
    return folder


def test_pictures_get_the_closest_of_the_names_that_are_given(tiny_pair: Pair, pond: Path, tmp_path: Path) -> None:
    import open_clip

    names = {"Acartia": "Acartia", "copepods": "Copepoda", "Navicula": "Navicula", "bubble": None}
    (tmp_path / "names.txt").write_text("Acartia\n\ncopepods\nNavicula\nbubble\nAcartia\n", encoding="utf-8")
    found = identify(pond, model=f"open-clip:{tiny_pair[0]}", texts=tmp_path / "names.txt")
    where = f"local-dir:{tiny_pair[0]}"
    (theirs, shown), words = open_clip.create_model_from_pretrained(where), open_clip.get_tokenizer(where)
    with torch.no_grad():
        said = theirs.encode_text(words([one.text for one in lineage(names)]), normalize=True)
        shaped = torch.stack([shown(Image.open(pond / f"{name}.png")) for name in "abcd"])
        seen = theirs.eval().encode_image(shaped, normalize=True)
        expected = (theirs.logit_scale.exp() * seen @ said.T).softmax(dim=1).numpy()
    for one, scores in zip(found.particles, expected, strict=True):
        label = list(names)[scores.argmax()]
        assert (one.label, one.taxon, one.modality) == (label, names[label], "image")
        assert one.score == pytest.approx(scores.max(), abs=1e-5)
        assert one.margin == pytest.approx(scores.max() - np.sort(scores)[-2], abs=1e-5)
    assert "not calibrated" in found.notes[0]


def test_names_by_texts_refuse_what_they_cannot_keep(tiny_pair: Pair, pond: Path) -> None:
    model = f"open-clip:{tiny_pair[0]}"
    doubted = identify(pond, model=model, texts=["Acartia", "Noctiluca"], threshold=1.0)
    assert {one.label for one in doubted.particles} == {"unknown"}
    for wrong, message in (
        ({"texts": ["Acartia", "gobbledegook"]}, "'gobbledegook' names no taxon"),
        ({"texts": ["Acartia"]}, "give at least 2"),
        ({"texts": ["Acartia", "Noctiluca"], "precision": 0.9}, "not calibrated"),
        ({}, "has no names by itself"),
    ):
        with pytest.raises(UsageError, match=message):
            identify(pond, model=model, **wrong)
    with pytest.raises(UsageError, match="texts need a model that reads them"):
        identify(pond, texts=["Acartia", "Noctiluca"])


def test_the_labels_of_a_data_set_are_names_to_choose_from(
    tiny_pair: Pair, pond: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for label in ("Acartia", "Navicula", "whatever 7"):
        (tmp_path / "Lake" / label).mkdir(parents=True)
        shutil.copy(pond / "a.png", tmp_path / "Lake" / label)
    data = open_data_set(tmp_path / "data", create=True)
    data.import_([tmp_path / "Lake"])
    line = ["identify", str(pond), "--model", f"open-clip:{tiny_pair[0]}", "--texts", str(data.path), "--json"]
    assert call(line) == 0
    document = json.loads(capsys.readouterr().out)
    assert {one["label"] for one in document["particles"]} <= {"Acartia", "Navicula"}
    assert any("whatever 7" in note for note in document["notes"])

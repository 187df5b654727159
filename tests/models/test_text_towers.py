"""Text towers: the small transformer, and open_clip's encoders from a folder in its own layout."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from seston.errors import InputError, NotFoundError, UsageError
from seston.models.config import TextInputs, TextTowerConfig
from seston.models.open_clip_text import open_clip_config, open_clip_folder, open_clip_tokenizer
from seston.models.text_towers import text_tower

_SMALL = TextTowerConfig(width=16, layers=1, heads=2)


def test_padding_behind_a_text_changes_nothing_of_what_the_transformer_says() -> None:
    tower = text_tower(_SMALL, TextInputs(vocabulary=40, length=8)).eval()
    alone = tower(torch.tensor([[5, 6, 7, 0, 0, 0, 0, 0]]))
    beside = tower(torch.tensor([[5, 6, 7, 0, 0, 0, 0, 0], [1, 2, 3, 4, 5, 6, 7, 8]]))
    torch.testing.assert_close(alone[0], beside[0])
    assert alone.shape == (1, tower.features)


def test_short_and_long_texts_are_read_apart_and_come_back_in_their_order() -> None:
    tower = text_tower(_SMALL, TextInputs(vocabulary=40, length=9)).eval()
    tokens = torch.zeros(5, 9, dtype=torch.int64)
    for row, length in enumerate([2, 9, 3, 4, 1]):
        tokens[row, :length] = torch.arange(1, length + 1) * (row + 1) % 39 + 1
    each = torch.cat([tower(tokens[row : row + 1]) for row in range(5)])
    torch.testing.assert_close(tower(tokens), each)


def test_the_order_of_the_pieces_matters_and_no_piece_at_all_is_no_trouble() -> None:
    tower = text_tower(_SMALL, TextInputs(vocabulary=40, length=3)).eval()
    said = tower(torch.tensor([[5, 6, 0], [6, 5, 0], [0, 0, 0]]))
    assert not torch.allclose(said[0], said[1])
    assert torch.isfinite(said).all()
    assert tower(torch.zeros(0, 3, dtype=torch.int64)).shape == (0, 16)


def test_a_frozen_tower_has_nothing_to_learn() -> None:
    tower = text_tower(TextTowerConfig(width=16, layers=1, heads=2, frozen=True), TextInputs(vocabulary=40, length=3))
    assert not any(parameter.requires_grad for parameter in tower.parameters())


def test_an_encoder_of_open_clip_says_of_texts_what_open_clip_itself_says(
    tiny_pair: tuple[Path, torch.nn.Module],
) -> None:
    folder, model = tiny_pair
    config = open_clip_config(str(folder))
    tokens = torch.from_numpy(open_clip_tokenizer(config)(["a photo of Acartia", "Chordata"]))
    inputs = TextInputs(vocabulary=49408, length=24, open_clip=config)
    tower = text_tower(TextTowerConfig(tower="open-clip", weights=str(folder)), inputs).eval()
    with torch.no_grad():
        torch.testing.assert_close(tower(tokens), model.encode_text(tokens))  # type: ignore[operator]  # open_clip's


def test_weights_that_do_not_fit_are_refused(tiny_pair: tuple[Path, torch.nn.Module]) -> None:
    folder, _ = tiny_pair
    config = open_clip_config(str(folder))
    other = {**config, "text_cfg": {**config["text_cfg"], "width": 32}}
    inputs = TextInputs(vocabulary=49408, length=24, open_clip=other)
    with pytest.raises(UsageError, match="the configuration asks for"):
        text_tower(TextTowerConfig(tower="open-clip", weights=str(folder)), inputs)


def test_a_folder_without_safetensors_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "open_clip_config.json").write_text("{}")
    (tmp_path / "open_clip_pytorch_model.bin").write_bytes(b"")
    with pytest.raises(NotFoundError, match="safetensors alone"):
        open_clip_folder(str(tmp_path))


def test_a_tokenizer_is_given_no_file_by_its_configuration() -> None:
    with pytest.raises(InputError, match=r"tokenizer_kwargs\.bpe_path is not known here"):
        open_clip_tokenizer({"text_cfg": {"tokenizer_kwargs": {"bpe_path": "somewhere.gz"}}})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            {"hf_model_name": "roberta-base", "hf_tokenizer_name": "roberta-base"},
            "text encoder comes from transformers",
        ),
        ({"width": 16, "hf_tokenizer_name": "other/words"}, "tokenizer 'other/words' is not known here"),
        ({"width": 16, "rotary": True}, "text_cfg.rotary is not known here"),
    ],
)
def test_texts_of_another_library_are_refused(
    tiny_pair: tuple[Path, torch.nn.Module], tmp_path: Path, text: dict[str, object], message: str
) -> None:
    settings = json.loads((tiny_pair[0] / "open_clip_config.json").read_bytes())
    settings["model_cfg"]["text_cfg"] = text
    (tmp_path / "open_clip_config.json").write_text(json.dumps(settings))
    (tmp_path / "open_clip_model.safetensors").write_bytes(b"")
    with pytest.raises(InputError, match=message):
        open_clip_config(str(tmp_path))

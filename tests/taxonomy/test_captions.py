"""Texts about labels, by template."""

from __future__ import annotations

import pytest

from seston.errors import UsageError
from seston.taxonomy import lineage
from seston.taxonomy.captions import TEMPLATES


@pytest.mark.parametrize(
    ("label", "template", "text"),
    [
        ("acartia_tonsa", "scientific", "Acartia tonsa"),
        ("acartia_tonsa", "common", "calanoid copepod"),
        ("acartia_tonsa", "lineage", "Animalia Arthropoda Copepoda Calanoida Acartiidae Acartia tonsa"),
        ("acartia_tonsa", "photo", "a photo of Acartia tonsa, a calanoid copepod"),
        ("Brachyura", "lineage", "Animalia Arthropoda Malacostraca Decapoda Brachyura"),
        ("tail<Chaetognatha", "photo", "a photo of the tail of an arrow worm"),
        ("nauplii_Temora", "photo", "a photo of the nauplius of Temora, a calanoid copepod"),
        ("Ctenophora", "common", "comb jelly"),
        ("detritus", "photo", "a photo of detritus"),
        ("bubble", "scientific", "an artefact of the picture"),
        ("egg_other", "photo", "a photo of an egg"),
    ],
)
def test_a_text_for_each_template(label: str, template: str, text: str) -> None:
    assert lineage([label], template=template)[0].text == text


def test_an_unknown_template_is_refused_with_the_nearest() -> None:
    with pytest.raises(UsageError, match="did you mean 'photo'"):
        lineage(["Copepoda"], template="foto")
    assert len(TEMPLATES) == 4

"""Which name holds on the way out, and who may see the particle."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from interchange_making import LICENCES, NOW, make_data_set, picture, put

from seston.errors import UsageError
from seston.instruments import Record
from seston.interchange.licences import LICENCE_CHOICES, check_licence_choice, find_licence, is_let_out, terms_of
from seston.interchange.outgoing import Outgoing, outgoing
from seston.interchange.picture_names import picture_name, safe_name
from seston.particle import Annotation, Particle, Sample
from seston.store import DataSet


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> DataSet:
    return make_data_set(tmp_path_factory.mktemp("outgoing") / "data")


@pytest.fixture(scope="module")
def going(data: DataSet) -> dict[str, Outgoing]:
    return {one.particle.id: one for one in outgoing(data, data.standing())}


def test_a_prediction_never_replaces_what_a_person_or_a_source_said(going: dict[str, Outgoing]) -> None:
    named = {name: one.naming for name, one in going.items()}
    assert (named["cast 1/8"].label, named["cast 1/8"].status) == ("Acartia", "validated")  # type: ignore[union-attr]
    assert (named["cast 1/1"].label, named["cast 1/1"].status) == ("detritus", "validated")  # type: ignore[union-attr]
    assert (named["cast 1/0"].label, named["cast 1/0"].status) == ("Copepoda", "unstated")  # type: ignore[union-attr]


def test_a_prediction_names_what_had_no_name_with_its_model_and_score(going: dict[str, Outgoing]) -> None:
    naming = going["cast 1/3"].naming
    assert naming is not None
    assert (naming.label, naming.status, naming.author, naming.score, naming.time) == (
        "Calanus",
        "predicted",
        "model abc",
        0.875,
        NOW,
    )


def test_the_labels_going_out_are_those_of_the_data_set(data: DataSet, going: dict[str, Outgoing]) -> None:
    assert {name: one.naming.label for name, one in going.items() if one.naming} == data.labels()
    assert {name for name, one in going.items() if one.naming and one.naming.status == "dubious"} >= data.doubted()


def test_going_out_can_begin_in_the_middle(data: DataSet) -> None:
    ids = data.ids()
    for start in (0, 1, 17, 39, 40):
        rest = [(one.position, one.particle.id) for one in outgoing(data, data.standing(), start=start)]
        assert rest == list(enumerate(ids))[start:]
        some = [one.particle.id for one in outgoing(data, data.standing(), ids=ids[::-1], start=start)]
        assert some == ids[::-1][start:]


def test_licences_are_let_out_as_their_texts_allow(data: DataSet) -> None:
    for choice, expected in (
        ("any", set(LICENCES)),
        ("commercial", {"CC-BY-4.0", "CC0-1.0", "CC-BY-SA-4.0"}),
        ("attribution", {"CC-BY-4.0", "CC0-1.0"}),
    ):
        through = list(outgoing(data, data.standing(), licence=choice))  # type: ignore[arg-type]
        assert len(through) == 40
        assert {one.particle.licence for one in through if not one.left_out} == expected
    with pytest.raises(UsageError, match="did you mean 'commercial'"):
        check_licence_choice("comercial")


def test_a_mixture_of_licences_comes_to_its_strictest_terms() -> None:
    assert terms_of(["CC0-1.0"]) == "Taken together: no conditions."
    assert terms_of(["CC-BY-4.0", "CC-BY-NC-4.0"]) == "Taken together: give credit; no commercial use."
    assert "exclude each other" in terms_of(["CC-BY-SA-4.0", "CC-BY-NC-4.0"])
    assert "exclude each other" not in terms_of(["CC-BY-NC-SA-4.0", "CC-BY-NC-4.0"])
    assert "unknown" in terms_of(["CC0-1.0", "unknown"])


def test_a_strange_licence_is_no_permission() -> None:
    assert find_licence("cc-by-4.0") is find_licence("CC-BY-4.0")
    assert [is_let_out("own terms", choice) for choice in LICENCE_CHOICES] == [True, False, False]


@settings(deadline=None)
@given(st.lists(st.text(min_size=1, max_size=30), min_size=2, max_size=8, unique=True))
def test_pictures_of_different_particles_never_share_a_file(ids: list[str]) -> None:
    names = [picture_name(Particle(id=f"s/{one}", sample_id="s", image_format="png")) for one in ids]
    assert len(set(names)) == len(ids)


@settings(deadline=None)
@given(st.text(max_size=400))
def test_a_safe_name_leads_nowhere_else(text: str) -> None:
    name = safe_name(text)
    assert len(name) <= 170
    assert name.isascii()
    assert all(part and not part.startswith(".") for part in name.split("/"))


def test_a_plain_id_is_its_own_file_name() -> None:
    assert safe_name("cast_3/IFCB1_2008-073.5") == "cast_3/IFCB1_2008-073.5"


def test_a_name_that_a_source_discarded_goes_out_so_unless_a_person_says_otherwise(tmp_path: Path) -> None:
    def made() -> Iterator[Record]:
        yield Sample(id="s")
        for n in range(3):
            yield Particle(id=f"s/{n}", sample_id="s", image=picture(n), raw_label="Copepoda", raw_status="X")

    data = put(tmp_path / "data", made())
    data.annotate(Annotation(particle_id="s/1", label="Calanus", status="predicted", author="m", time=NOW))
    data.annotate(Annotation(particle_id="s/2", label="Calanus", status="validated", author="p", time=NOW))
    named = [one.naming for one in outgoing(data, data.standing())]
    assert [(one.label, one.status, one.is_trusted) for one in named if one] == [
        ("Copepoda", "discarded", False),
        ("Copepoda", "discarded", False),
        ("Calanus", "validated", True),
    ]

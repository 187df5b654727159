"""Darwin Core archives, read back by python-dwca-reader, which knows nothing of ours."""

from __future__ import annotations

import hashlib
import re
import zipfile
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from interchange_making import NOW, make_data_set, picture, put

from seston.errors import UsageError
from seston.interchange import export_darwin_core
from seston.interchange.darwin_core_rows import is_whole_organism
from seston.particle import Particle, Sample
from seston.store import DataSet
from seston.taxonomy import Taxon

dwca_read = pytest.importorskip("dwca.read", reason="python-dwca-reader is not installed (extra test)")
_TERMS = "http://rs.tdwg.org/dwc/terms/"
_NEEDED_BY_OBIS = (
    "occurrenceID",
    "eventDate",
    "decimalLongitude",
    "decimalLatitude",
    "scientificName",
    "occurrenceStatus",
    "basisOfRecord",
)
_DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)?")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> DataSet:
    return make_data_set(tmp_path_factory.mktemp("darwin-core") / "data")


def _core(path: Path) -> list[dict[str, str]]:
    with dwca_read.DwCAReader(str(path)) as archive:
        return [_short(row.data) for row in archive]


def _short(row: dict[str, str]) -> dict[str, str]:
    return {term.rpartition("/")[2]: value for term, value in row.items()}


def test_the_archive_holds_what_obis_needs(data: DataSet, tmp_path: Path) -> None:
    report = export_darwin_core(data, tmp_path / "out.zip")
    rows = _core(tmp_path / "out.zip")
    assert report.particles == len(rows) > 0
    with dwca_read.DwCAReader(str(tmp_path / "out.zip")) as archive:
        assert archive.descriptor.core.type == f"{_TERMS}Occurrence"
        assert archive.metadata is not None
    for row in rows:
        assert all(row[name] for name in _NEEDED_BY_OBIS)
        assert row["basisOfRecord"] == "MachineObservation"
        assert _DATE.fullmatch(row["eventDate"])
        assert re.fullmatch(r"urn:lsid:marinespecies\.org:taxname:\d+", row["scientificNameID"])
        assert row["identificationVerificationStatus"] in ("PredictedByMachine", "ValidatedByHuman")
        assert row["geodeticDatum"] == "WGS84"
    assert len({row["occurrenceID"] for row in rows}) == len(rows)


def test_names_places_and_times_are_those_of_the_data_set(data: DataSet, tmp_path: Path) -> None:
    export_darwin_core(data, tmp_path / "out.zip")
    rows = {row["occurrenceID"]: row for row in _core(tmp_path / "out.zip")}
    first = rows["cast 1/0"]
    assert (first["scientificName"], first["scientificNameID"]) == (
        "Copepoda",
        "urn:lsid:marinespecies.org:taxname:1080",
    )
    assert (first["kingdom"], first["phylum"], first["verbatimIdentification"]) == (
        "Animalia",
        "Arthropoda",
        "Copepoda",
    )
    assert first["eventDate"] == "2024-05-17T08:30:05Z/2024-05-17T08:50:05Z"
    assert (first["decimalLatitude"], first["decimalLongitude"]) == ("48.5", "-4.25")
    assert (first["minimumDepthInMeters"], first["individualCount"]) == ("0.0", "1")
    assert first["license"] == "https://creativecommons.org/licenses/by/4.0/"
    other = rows["cast 1/5"]
    assert other["eventDate"] == "2024-05-17T08:30:10Z"
    assert (other["decimalLatitude"], other["minimumDepthInMeters"]) == ("48.25", "2.0")
    assert (other["sampleSizeValue"], other["sampleSizeUnit"]) == ("4.5", "millilitre")


def test_what_is_no_organism_or_has_no_sure_name_is_left_out_and_counted(data: DataSet, tmp_path: Path) -> None:
    report = export_darwin_core(data, tmp_path / "out.zip")
    assert report.left_out["no label"] == 40 - len(data.labels())
    assert report.left_out["label dubious"] == 9
    assert report.left_out["label gives no taxon"] > 0
    assert sum(report.left_out.values()) + report.particles == 40
    assert not {row["verbatimIdentification"] for row in _core(tmp_path / "out.zip")} & {
        "detritus",
        "no such name at all",
    }
    kept = export_darwin_core(data, tmp_path / "kept.zip", keep_unresolved=True)
    assert kept.particles == report.particles + report.left_out["label gives no taxon"]
    strange = [row for row in _core(tmp_path / "kept.zip") if row["verbatimIdentification"] == "no such name at all"]
    assert {row["scientificName"] for row in strange} == {"Incertae sedis"}
    assert {row["scientificNameID"] for row in strange} == {"urn:lsid:marinespecies.org:taxname:12"}


def test_predictions_are_told_from_peoples_words_and_nobody_is_named(tmp_path: Path) -> None:
    def made() -> Iterator[Any]:
        yield Sample(id="s", start=NOW, latitude=1.0, longitude=2.0)
        yield Particle(id="s/1", sample_id="s", image=picture(1), raw_label="Copepoda", raw_status="predicted")
        yield Particle(id="s/2", sample_id="s", image=picture(2), raw_label="Copepoda", raw_status="validated")
        yield Particle(id="s/3", sample_id="s", image=picture(3), raw_label="Copepoda")

    export_darwin_core(put(tmp_path / "data", made()), tmp_path / "out.zip")
    said = {row["occurrenceID"]: row["identificationVerificationStatus"] for row in _core(tmp_path / "out.zip")}
    assert said == {"s/1": "PredictedByMachine", "s/2": "ValidatedByHuman", "s/3": "ValidatedByHuman"}
    with zipfile.ZipFile(tmp_path / "out.zip") as archive:
        assert not any(b"someone" in archive.read(name) for name in archive.namelist())


def test_occurrences_without_place_or_date_are_left_out_unless_asked(tmp_path: Path) -> None:
    def made() -> Iterator[Any]:
        yield Sample(id="s", start=NOW)
        yield Sample(id="t", latitude=1.0, longitude=2.0)
        yield Particle(id="s/1", sample_id="s", image=picture(1), raw_label="Copepoda", latitude=4.0, longitude=5.0)
        yield Particle(id="s/2", sample_id="s", image=picture(2), raw_label="Copepoda", latitude=4.0)
        yield Particle(id="t/1", sample_id="t", image=picture(3), raw_label="Copepoda")
        yield Particle(
            id="t/2", sample_id="t", image=picture(4), raw_label="Copepoda", time=datetime(2020, 1, 2, tzinfo=UTC)
        )

    data = put(tmp_path / "data", made())
    report = export_darwin_core(data, tmp_path / "out.zip")
    assert report.left_out == {"no position": 1, "no date": 1}
    assert any("2 occurrences have other licences" in note for note in report.notes)
    assert [row["occurrenceID"] for row in _core(tmp_path / "out.zip")] == ["s/1", "t/2"]
    assert export_darwin_core(data, tmp_path / "all.zip", keep_incomplete=True).particles == 4


def test_simulated_particles_never_go_out(tmp_path: Path) -> None:
    made: list[Any] = [
        Sample(id="s", start=NOW, latitude=1.0, longitude=2.0, flags=("simulated",)),
        Particle(id="s/1", sample_id="s", image=picture(1), raw_label="Copepoda"),
    ]
    with pytest.raises(UsageError, match="1: simulated"):
        export_darwin_core(put(tmp_path / "data", iter(made)), tmp_path / "out.zip")
    assert list(tmp_path.glob("*.zip*")) == []
    assert list(tmp_path.glob(".*half")) == []


def test_samples_can_be_events_with_their_occurrences(data: DataSet, tmp_path: Path) -> None:
    report = export_darwin_core(data, tmp_path / "out.zip", core="event")
    with dwca_read.DwCAReader(str(tmp_path / "out.zip")) as archive:
        assert archive.descriptor.core.type == f"{_TERMS}Event"
        events = {row.id: (_short(row.data), [_short(one.data) for one in row.extensions]) for row in archive}
    assert set(events) == {"cast 1", "cast_2"}
    assert sum(len(occurrences) for _, occurrences in events.values()) == report.particles
    event, occurrences = events["cast 1"]
    assert (event["samplingProtocol"], event["decimalLatitude"]) == ("IFCB", "48.25")
    assert {one["eventID"] for one in occurrences} == {"cast 1"}


def test_counts_add_up_and_are_divided_by_the_volume(tmp_path: Path) -> None:
    def made() -> Iterator[Any]:
        for name in ("s", "t"):
            yield Sample(id=name, start=NOW, latitude=1.0, longitude=2.0, volume_imaged_ml=4.5, reader="ifcb")
            for n in range(9):
                label = ("Copepoda", "Chaetoceros")[n % 2]
                yield Particle(
                    id=f"{name}/{n}",
                    sample_id=name,
                    image=picture(n),
                    raw_label=label,
                    time=NOW.replace(second=n),
                    depth_min_m=3.0 if n == 4 else None,
                )

    data = put(tmp_path / "data", made())
    report = export_darwin_core(data, tmp_path / "one.zip")
    export_darwin_core(data, tmp_path / "many.zip", rows="counts")
    single, joined = _core(tmp_path / "one.zip"), _core(tmp_path / "many.zip")
    expected = Counter((row["eventID"], row["scientificName"]) for row in single)
    found: Counter[tuple[str, str]] = Counter()
    for row in joined:
        found[row["eventID"], row["scientificName"]] += int(row["individualCount"])
        assert row["organismQuantityType"] == "individuals per litre"
        assert float(row["organismQuantity"]) == pytest.approx(1000 * int(row["individualCount"]) / 4.5)
    assert found == expected
    assert report.particles == len(single) == 18
    assert len(joined) == 2 * 3  # one of the copepods has a depth of its own
    assert len({row["occurrenceID"] for row in joined}) == len(joined)


def test_one_picture_is_one_individual_only_where_it_is() -> None:
    assert is_whole_organism(Taxon(raw_label="x", name="Copepoda"))
    assert not is_whole_organism(Taxon(raw_label="x", name="Copepoda", part="antenna"))
    assert not is_whole_organism(Taxon(raw_label="x", name="Chaetoceros", morphology="chain"))
    assert not is_whole_organism(Taxon(raw_label="x", name="Metazoa", parts=("Copepoda", "Cladocera")))
    assert not is_whole_organism(None)


def test_the_metadata_say_whose_it_is_and_where_it_was(data: DataSet, tmp_path: Path) -> None:
    about = tmp_path / "about.toml"
    about.write_text(
        'title = "Harbour & lake <1>"\n[[creators]]\nname = "A. Example"\nemail = "a@example.org"\norganisation = "O"\n'
    )
    report = export_darwin_core(data, tmp_path / "out.zip", about=about)
    with zipfile.ZipFile(tmp_path / "out.zip") as archive:
        eml = ElementTree.fromstring(archive.read("eml.xml"))
    assert eml.findtext("dataset/title") == "Harbour & lake <1>"
    assert eml.findtext("dataset/creator/individualName/surName") == "Example"
    assert eml.findtext("dataset/contact/electronicMailAddress") == "a@example.org"
    assert eml.findtext("dataset/coverage/geographicCoverage/boundingCoordinates/northBoundingCoordinate") == "48.5"
    assert eml.findtext("dataset/coverage/temporalCoverage/rangeOfDates/beginDate/calendarDate") == "2024-05-17"
    assert "no commercial use" in (eml.findtext("dataset/intellectualRights/para") or "")
    assert not any("no authors" in note for note in report.notes)


def test_media_are_addressed_below_the_given_place(data: DataSet, tmp_path: Path) -> None:
    export_darwin_core(data, tmp_path / "out.zip", media="https://example.org/pictures/")
    rows = {row["occurrenceID"]: row["associatedMedia"] for row in _core(tmp_path / "out.zip")}
    assert rows["cast_2/0"] == "https://example.org/pictures/cast_2/0.jpg"


def test_the_same_data_set_gives_the_same_bytes_and_nothing_is_overwritten(data: DataSet, tmp_path: Path) -> None:
    for name in ("a.zip", "b.zip"):
        export_darwin_core(data, tmp_path / name, core="event")
    first, second = (hashlib.sha256((tmp_path / name).read_bytes()).hexdigest() for name in ("a.zip", "b.zip"))
    assert first == second
    with pytest.raises(UsageError, match="--overwrite"):
        export_darwin_core(data, tmp_path / "a.zip")
    with pytest.raises(UsageError, match=r"is a \.zip"):
        export_darwin_core(data, tmp_path / "a.txt")
    assert export_darwin_core(data, tmp_path / "a.zip", overwrite=True).particles > 0


def test_text_of_others_cannot_break_the_table(tmp_path: Path) -> None:
    made: list[Any] = [
        Sample(id="s", start=NOW, latitude=1.0, longitude=2.0, instrument="a\tb\nc"),
        Particle(id="s/1", sample_id="s", image=picture(1), raw_label="Cope\tpoda\nx", attribution='say "x"\t,'),
    ]
    export_darwin_core(put(tmp_path / "data", iter(made)), tmp_path / "out.zip", keep_unresolved=True)
    (row,) = _core(tmp_path / "out.zip")
    assert (row["samplingProtocol"], row["rightsHolder"]) == ("a b c", 'say "x" ,')

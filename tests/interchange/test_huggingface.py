"""The layout of the Hugging Face Hub, opened by the datasets library without a network, and read back by Seston."""

from __future__ import annotations

import hashlib
import io
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from interchange_making import make_data_set, picture, put, records
from PIL import Image

from seston.errors import InputError, UsageError
from seston.interchange import export_huggingface
from seston.particle import Particle, Sample
from seston.store import DataSet, open_data_set, rows_to_particles

_PUBLISHED = [
    "image",
    "dataset",
    "original_label",
    "original_path",
    "Kingdom",
    "Phylum",
    "Class",
    "Order",
    "Family",
    "Genus",
    "Species",
    "proposed_label",
    "plankton",
    "root_class",
    "qualifier",
    "wikidata_ID",
    "ecotaxa_ID",
    "aphia_ID",
    "NCBI_ID",
    "BOLD_ID",
    "Latitude",
    "Humidity",
    "Temperature",
    "Longitude",
    "Depth_max",
    "Depth_min",
    "ObjID",
    "timestamp",
    "license",
    "license_url",
]
"""Columns of Planktonzilla-17M, in its order."""


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> DataSet:
    return make_data_set(tmp_path_factory.mktemp("huggingface") / "data")


@pytest.fixture(scope="module")
def exported(data: DataSet, tmp_path_factory: pytest.TempPathFactory) -> Path:
    to = tmp_path_factory.mktemp("huggingface") / "out"
    export_huggingface(data, to)
    return to


def _particles(data: DataSet) -> dict[str, Particle]:
    return {one.id: one for batch in data.particles() for one in rows_to_particles(batch)}


def _rest(particle: Particle) -> Particle:
    """A particle without what is compared by itself."""
    return replace(particle, profile=None, listmode={})


def _load(folder: Path, home: Path) -> dict[str, list[dict[str, Any]]]:
    """Open a folder with the datasets library in a process that has no network and no cache; pictures decoded there."""
    program = (
        "import hashlib, json, sys, datasets\n"
        "loaded = datasets.load_dataset(sys.argv[1])\n"
        "rows = {part: [dict(row) for row in loaded[part]] for part in loaded}\n"
        "for row in (row for part in rows.values() for row in part):\n"
        "    row['image'] = [*row['image'].size, hashlib.sha256(row['image'].convert('L').tobytes()).hexdigest()]\n"
        "print(json.dumps(rows))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(folder)],
        env={"HF_HOME": str(home), "HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1", "PATH": "", "HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    loaded: dict[str, list[dict[str, Any]]] = json.loads(done.stdout)
    return loaded


def test_the_datasets_library_opens_the_folder_offline(data: DataSet, tmp_path: Path) -> None:
    pytest.importorskip("datasets", reason="the datasets library is not installed (extra test)")
    split = data.split("pictures", by="image", folds=4, overwrite=True)
    export_huggingface(data, tmp_path / "out", split="pictures")
    loaded = _load(tmp_path / "out", tmp_path / "home")
    assert {part: [row["id"] for row in rows] for part, rows in loaded.items()} == {
        part: split.ids_of(0, part) for part in ("train", "validation", "test")
    }
    particles = _particles(data)
    for row in (row for rows in loaded.values() for row in rows):
        particle = particles[row["id"]]
        assert list(row)[: len(_PUBLISHED)] == _PUBLISHED
        with Image.open(io.BytesIO(particle.image or b"")) as image:
            pixels = image.convert("L")
            assert row["image"] == [*pixels.size, hashlib.sha256(pixels.tobytes()).hexdigest()]
        assert (row["dataset"], row["original_label"]) == (particle.source, particle.raw_label)
        assert row["license"] == particle.licence


def test_taxa_have_the_words_of_planktonzilla(exported: Path) -> None:
    table = pq.read_table(exported / "data" / "train-00000.parquet")
    rows = {row["label"]: row for row in table.to_pylist() if row["label_status"] != "dubious"}
    copepod, junk = rows["Copepoda"], rows["no such name at all"]
    assert (copepod["Kingdom"], copepod["Phylum"], copepod["Species"]) == ("animalia", "arthropoda", "")
    assert (copepod["proposed_label"], copepod["plankton"], copepod["root_class"]) == ("copepoda", True, "living")
    assert copepod["aphia_ID"] == "1080"
    assert (junk["Kingdom"], junk["proposed_label"], junk["plankton"]) == ("", "no such name at all", None)


def test_an_import_of_the_export_is_equal(data: DataSet, exported: Path, tmp_path: Path) -> None:
    again = open_data_set(tmp_path / "again", create=True)
    report = again.import_(exported)
    assert (report.added, report.skipped) == (40, [])
    assert [note.text.partition(",")[0] for note in report.notes] == ["3 annotations of the files"]
    before, after, labels = _particles(data), _particles(again), data.labels()
    assert list(after) == list(before)
    for name, particle in after.items():
        old = before[name]
        assert (particle.profile is None) == (old.profile is None)
        assert old.profile is None or (particle.profile == old.profile).all()  # type: ignore[union-attr]
        assert dict(particle.listmode) == dict(old.listmode)
        assert _rest(particle) == _rest(old)
        said = [replace(one, author="") for one in again.history(name)]
        assert not said or said[0] in [replace(one, author="") for one in data.history(name)]
    assert again.labels() == labels
    assert {one.id: one for one in again.samples()} == {
        one.id: replace(one, path=Path(one.path).name) for one in data.samples()
    }


def test_a_second_export_of_what_was_read_back_is_the_same(exported: Path, tmp_path: Path) -> None:
    again = open_data_set(tmp_path / "again", create=True)
    again.import_(exported)
    export_huggingface(again, tmp_path / "out")
    first, second = (folder / "data" / "train-00000.parquet" for folder in (exported, tmp_path / "out"))
    assert first.read_bytes() == second.read_bytes()


def _large(number: int) -> Iterator[Any]:
    for record in records(number):
        if isinstance(record, Particle):
            seed = int(record.id.rpartition("/")[2])
            yield replace(record, image=picture(seed, "png", (150, 200)))
        else:
            yield record


def test_an_export_that_was_killed_goes_on_to_the_same_bytes(tmp_path: Path) -> None:
    put(tmp_path / "data", _large(200))
    whole = export_huggingface(tmp_path / "data", tmp_path / "whole", shard_mb=1)
    program = subprocess.Popen(
        [
            sys.executable,
            str(Path(__file__).with_name("export_killing.py")),
            str(tmp_path / "data"),
            str(tmp_path / "k"),
        ],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert program.stdout is not None
    lines = [program.stdout.readline().strip(), program.stdout.readline().strip()]
    program.kill()
    program.wait()
    program.stdout.close()
    assert lines == ["data/train-00000.parquet", "data/train-00001.parquet"]
    kept = (tmp_path / "k" / lines[0]).stat().st_mtime_ns
    report = export_huggingface(tmp_path / "data", tmp_path / "k", shard_mb=1)
    assert report.resumed
    assert (tmp_path / "k" / lines[0]).stat().st_mtime_ns == kept
    assert len(whole.files) > 5
    assert report.files == whole.files
    for name in whole.files:
        if name != "README.md":  # its title is that of the folder
            assert (tmp_path / "k" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes(), name
    assert report.licences == whole.licences


def test_shards_end_near_the_size_that_was_asked(tmp_path: Path) -> None:
    put(tmp_path / "data", _large(200))
    report = export_huggingface(tmp_path / "data", tmp_path / "out", shard_mb=1)
    sizes = [(tmp_path / "out" / name).stat().st_size for name in report.files if name.startswith("data/")]
    assert all(900_000 < size < 1_200_000 for size in sizes[:-1])


def test_the_card_counts_licences_and_cites_sources(exported: Path, tmp_path: Path) -> None:
    card = (exported / "README.md").read_text(encoding="utf-8")
    assert "| [CC-BY-NC-4.0](https://creativecommons.org/licenses/by-nc/4.0/) | 8 | 20.00 % |" in card
    assert "exclude each other" in card
    assert "- Harbour group" in card
    data = put(
        tmp_path / "data",
        iter(
            [
                Sample(id="s"),
                Particle(id="s/1", sample_id="s", source="vliz_flowcam", image=picture(1), licence="CC0-1.0"),
            ]
        ),
    )
    about = tmp_path / "about.toml"
    about.write_text('title = "A: pond"\ncitation = "Me (2024)"\n[[creators]]\nname = "A. Example"\n')
    export_huggingface(data, tmp_path / "out", about=about)
    card = (tmp_path / "out" / "README.md").read_text(encoding="utf-8")
    assert card.startswith('---\npretty_name: "A: pond"\nlicense: cc0-1.0\n')
    assert "10.5281/zenodo.10554845" in card
    assert "Me (2024)" in card
    about.write_text("titel = 1")
    with pytest.raises(InputError, match="known keys: title"):
        export_huggingface(data, tmp_path / "no", about=about)


def test_a_label_cannot_break_the_card(tmp_path: Path) -> None:
    one = Particle(id="s/1", sample_id="s", image=picture(1), raw_label="a|b\n## <script>[x](y)")
    export_huggingface(put(tmp_path / "data", iter([Sample(id="s"), one])), tmp_path / "out")
    card = (tmp_path / "out" / "README.md").read_text(encoding="utf-8")
    assert "<script>" not in card
    assert "| a\\|b ## &lt;script>\\[x](y) | 1 |" in card


def test_no_path_of_this_machine_is_written(exported: Path) -> None:
    paths = pq.read_table(exported / "samples" / "samples.parquet").column("path").to_pylist()
    assert not any("/" in path for path in paths)


def test_a_wrong_repository_is_refused_before_anything_is_written(data: DataSet, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="OWNER/NAME"):
        export_huggingface(data, tmp_path / "out", push="no slash")
    assert not (tmp_path / "out").exists()


def test_what_was_simulated_is_called_so(tmp_path: Path) -> None:
    made: list[Any] = [
        Sample(id="s", flags=("simulated",)),
        Particle(id="s/1", sample_id="s", image=picture(1), raw_label="x"),
    ]
    report = export_huggingface(put(tmp_path / "data", iter(made)), tmp_path / "out")
    assert report.notes == ["1 particles are simulated"]
    assert "**1 particles are simulated.**" in (tmp_path / "out" / "README.md").read_text(encoding="utf-8")
    (row,) = pq.read_table(tmp_path / "out" / "data" / "train-00000.parquet").to_pylist()
    assert row["flags"] == ["simulated"]

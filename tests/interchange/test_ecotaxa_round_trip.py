"""What EcoTaxa gave comes back unchanged from an export for EcoTaxa."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from seston.interchange import export_ecotaxa
from seston.store import DataSet, open_data_set, rows_to_particles

HEADER = (
    "object_id\timg_file_name\tobject_lat\tobject_lon\tobject_date\tobject_time\tobject_depth_min\tobject_depth_max\t"
)
HEADER += "object_annotation_status\tobject_annotation_category\tobject_annotation_date\tobject_annotation_time\t"
HEADER += "object_area\tsample_id\tsample_ship\tsample_tot_vol\tacq_id\tacq_instrument\tacq_sub_part\tprocess_id"
EXTRA = "\tobject_extra"


def png(shade: int) -> bytes:
    written = io.BytesIO()
    Image.fromarray(np.full((5, 7), shade, np.uint8)).save(written, "png")
    return written.getvalue()


def write_scan(folder: Path, scan: str, shade: int, *, extra: bool) -> None:
    folder.mkdir(parents=True)
    lines = [HEADER + (EXTRA if extra else "")]
    for number, status in enumerate(("validated", "predicted", "dubious", "")):
        name = f"{scan}_{number}"
        (folder / f"{name}.png").write_bytes(png(shade + number))
        said = [status, "Copepoda", "20200305", "120000"] if status else [""] * 4
        cells = [
            name,
            f"{name}.png",
            "10.5",
            "-20.25",
            "20200101",
            f"12{number:02}00",
            "5",
            "10",
            *said,
            str(number + 0.5),
        ]
        cells += ["net_1", "Tara", "50", f"{scan}_net_1", "zooscan", "4", "p"] + ([str(number)] if extra else [])
        lines.append("\t".join(cells))
    (folder / f"ecotaxa_{scan}.tsv").write_text("\n".join(lines) + "\n")


def shown(data: DataSet) -> dict[str, object]:
    """Everything of each particle but where it was read and parameters that are no numbers."""
    found: dict[str, object] = {}
    for batch in data.particles():
        for one in rows_to_particles(batch):
            listmode = {name: value for name, value in one.listmode.items() if value == value}
            found[one.id] = replace(one, source="", listmode=listmode)
    return found


@pytest.fixture
def project(tmp_path: Path) -> DataSet:
    write_scan(tmp_path / "tree" / "d1", "d1", 10, extra=False)
    write_scan(tmp_path / "tree" / "d2", "d2", 20, extra=True)
    data = open_data_set(tmp_path / "project", create=True)
    data.import_(tmp_path / "tree")
    return data


def test_an_export_imported_again_adds_nothing(project: DataSet, tmp_path: Path) -> None:
    export_ecotaxa(project, tmp_path / "out")
    report = project.import_(tmp_path / "out")
    assert (report.added, report.completed, report.already_there, report.skipped) == (0, 0, 8, [])
    assert project.info().annotations == 4


def test_an_export_imported_elsewhere_is_the_same(project: DataSet, tmp_path: Path) -> None:
    export_ecotaxa(project, tmp_path / "out")
    other = open_data_set(tmp_path / "other", create=True)
    other.import_(tmp_path / "out")
    assert shown(other) == shown(project)
    assert other.labels(trusted=True) == project.labels(trusted=True) == {
        "d1_net_1/d1_0": "Copepoda",
        "d2_net_1/d2_0": "Copepoda",
    }  # fmt: skip
    fields: tuple[str, ...] = (
        "id",
        "instrument",
        "start",
        "end",
        "latitude",
        "longitude",
        "depth_min_m",
        "depth_max_m",
    )
    fields += ("volume_sampled_ml", "subsample_fraction", "pixel_size_um")
    for name in fields:
        assert {getattr(one, name) for one in other.samples()} == {getattr(one, name) for one in project.samples()}
    assert {one.settings["sample_ship"] for one in other.samples()} == {"Tara"}

"""A user's own table wins."""

from __future__ import annotations

from pathlib import Path

import pytest

from seston.errors import InputError, NotFoundError
from seston.taxonomy import data_set_overrides, read_overrides, resolve


def _table(folder: Path, *lines: str) -> Path:
    path = folder / "taxonomy.tsv"
    path.write_text("\n".join(line.replace("|", "\t") for line in lines) + "\n", encoding="utf-8")
    return path


def test_it_wins_over_what_a_label_says(tmp_path: Path) -> None:
    path = _table(tmp_path, "raw_label|name|kind|stage", "blob|Acartia tonsa|living|nauplius", "Copepoda|-||")
    blob, copepoda = resolve(["blob", "Copepoda"], overrides=path)
    assert (blob.name, blob.rank, blob.stage, blob.how, blob.confidence) == (
        "Acartia tonsa",
        "species",
        "nauplius",
        "override",
        1.0,
    )
    assert blob.lineage["order"] == "Calanoida"
    assert (copepoda.name, copepoda.lineage, copepoda.aphia_id) == (None, {}, None)


def test_an_empty_cell_leaves_what_was_read_and_a_hyphen_takes_it_away(tmp_path: Path) -> None:
    path = _table(tmp_path, "raw_label|stage|part", "tail<Copepoda||-")
    [taxon] = resolve(["tail<Copepoda"], overrides=path)
    assert (taxon.name, taxon.part) == ("Copepoda", None)


def test_a_row_for_the_source_goes_before_one_for_all(tmp_path: Path) -> None:
    path = _table(tmp_path, "source|raw_label|name", "|x|Copepoda", "lab|x|Chaetognatha")
    assert resolve(["x"], source="lab", overrides=path)[0].name == "Chaetognatha"
    assert resolve(["x"], source="sea", overrides=path)[0].name == "Copepoda"


def test_a_name_that_no_table_holds_is_kept_as_the_user_wrote_it(tmp_path: Path) -> None:
    [taxon] = resolve(["x"], overrides=_table(tmp_path, "raw_label|name", "x|Nova species"))
    assert (taxon.name, taxon.rank, taxon.how) == ("Nova species", None, "override")


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (("label|name", "x|Copepoda"), "unknown column 'label'"),
        (("name", "Copepoda"), "has no column raw_label"),
        (("raw_label|kind", "x|alive"), "'alive' is no kind"),
        (("raw_label|name", "x|Copepoda", "x|Chaetognatha"), "line 3 contradicts"),
        (("raw_label|name", "x|a|b"), "more cells than there are columns"),
    ],
)
def test_a_broken_table_is_refused_in_one_line(tmp_path: Path, lines: tuple[str, ...], said: str) -> None:
    with pytest.raises(InputError, match=said):
        read_overrides(_table(tmp_path, *lines))


def test_a_data_set_may_have_a_table(tmp_path: Path) -> None:
    assert data_set_overrides(tmp_path) is None
    path = _table(tmp_path, "raw_label|name", "x|Copepoda")
    assert data_set_overrides(tmp_path) == path
    with pytest.raises(NotFoundError):
        read_overrides(tmp_path / "none.tsv")

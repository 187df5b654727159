"""The label-flow page: its counts, its document, and what it does in a browser."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

import seston
from seston.errors import InputError, SestonError, UsageError
from seston.taxonomy.fact_files import Fact, user_facts_path, write_facts
from seston.taxonomy.flow_paths import FlowStep, label_flow
from seston.taxonomy.label_counts import LabelCount, count_labels
from seston.taxonomy.label_flow_page import sankey

_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
_FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--virtual-time-budget=3000",
)  # fmt: skip
_FACTS = [
    Fact("Floria", "kingdom", "", None, "accepted", "", "test"),
    Fact("Florata", "phylum", "Floria", None, "accepted", "", "test"),
    Fact("Floratina", "suborder", "Florata", None, "accepted", "", "test"),
    Fact("Magna", "genus", "Florata", 901, "accepted", "", "test"),
    *(Fact(f"Parva{letter}", "genus", "Florata", None, "accepted", "", "test") for letter in "abcdef"),
]
_TABLE = (
    "source,raw_label,n\nsea,Magna,100000\nlake,Magna,50000\n"
    + "".join(f"sea,Parva{letter},{n}\n" for letter, n in zip("abcdef", (900, 800, 700, 600, 500, 3), strict=True))
    + 'lake,"no </script><script>name",2000\nlake,,70\n'
)


@pytest.fixture
def table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SESTON_HOME", str(tmp_path / "home"))
    write_facts(user_facts_path(), _FACTS)
    path = tmp_path / "counts.csv"
    path.write_text(_TABLE, encoding="utf-8")
    return path


def test_counts_of_a_table_are_added_up(tmp_path: Path) -> None:
    path = tmp_path / "counts.tsv"
    path.write_text("collection\tproposed_label\tn_images\na\tx\t3\na\tx\t4\nb\tx\t1\n", encoding="utf-8")
    assert count_labels(path) == [LabelCount("a", "x", 7), LabelCount("b", "x", 1)]


def test_a_table_without_numbers_counts_its_rows(tmp_path: Path) -> None:
    path = tmp_path / "labels.csv"
    path.write_text("id;label\n1;x\n2;x\n3;y\n", encoding="utf-8")
    assert count_labels(path) == [LabelCount("", "x", 2), LabelCount("", "y", 1)]


def test_a_number_that_is_none_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "counts.csv"
    path.write_text("label,n\nx,many\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"line 2: 'many' is no number"):
        count_labels(path)


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=200), st.sampled_from((b"source,raw_label,n\n", b"label\tcount\n", b"")))
def test_no_table_ends_in_anything_but_one_line(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, header: bytes
) -> None:
    path = tmp_path_factory.mktemp("hostile") / "counts.csv"
    path.write_bytes(header + content)
    said = ""
    try:
        count_labels(path)
    except SestonError as error:
        said = str(error)
    assert "\n" not in said


def test_counts_of_a_data_set_are_those_of_its_raw_labels(tmp_path: Path) -> None:
    for source, label, particles in (("sea", "Magna", 3), ("sea", "Parvaa", 1), ("lake", "Magna", 2)):
        folder = tmp_path / source / label
        folder.mkdir(parents=True)
        for number in range(particles):
            _picture(folder / f"{number}.png", shade=len(label) * 20 + number + len(source))
    data = seston.open(tmp_path / "data", create=True)
    for source in ("sea", "lake"):
        data.import_(tmp_path / source, source=source)
    counted = {(one.source, one.raw_label): one.particles for one in count_labels(tmp_path / "data")}
    assert sorted(counted.values()) == [1, 2, 3]
    assert {label for _, label in counted} == {"Magna", "Parvaa"}


def _picture(path: Path, shade: int) -> None:
    Image.new("L", (8, 8), shade).save(path)


def test_paths_join_labels_of_one_meaning_and_leave_out_none(table: Path) -> None:
    flow = label_flow([*count_labels(table), LabelCount("sea", "magna", 5)])
    assert flow.unlabelled == 70
    assert flow.particles == 100_000 + 50_000 + 3503 + 2000 + 5 == sum(path.particles for path in flow.paths)
    magna = next(path for path in flow.paths if path.source == "sea" and path.aphia_id == 901)
    assert (magna.particles, magna.labels) == (100_005, [("Magna", 100_000), ("magna", 5)])
    assert [step.name for step in magna.steps] == ["Floria", "Florata", "Magna"]


def test_a_rank_in_between_stands_where_the_next_rank_would(table: Path) -> None:
    flow = label_flow([LabelCount("sea", "Floratina", 1)])
    assert flow.paths[0].steps[-1] == FlowStep("family", "Floratina", "suborder")


def test_a_label_without_a_taxon_keeps_its_words(table: Path) -> None:
    flow = label_flow([LabelCount("sea", "Quite_unheard of", 4)])
    assert flow.paths[0].steps == (FlowStep("kingdom", "quite unheard of", "label"),)
    assert flow.unresolved == 4


def _document(page: str) -> dict[str, Any]:
    found = re.search(r'<script id="document" type="application/json">(.*?)</script>', page, flags=re.DOTALL)
    assert found
    document: dict[str, Any] = json.loads(found.group(1))
    return document


def test_the_page_holds_all_it_shows_and_loads_nothing(table: Path, tmp_path: Path) -> None:
    report = sankey(table, tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert (report.particles, report.sources, report.unlabelled) == (155_503, 2, 70)
    assert set(re.findall(r"https?://[^\s\"']+", page)) == {"http://www.w3.org/2000/svg"}
    assert not re.findall(r"<link|@import|<img|src=|fetch\(|XMLHttpRequest", page)


def test_a_hostile_label_stays_text(table: Path, tmp_path: Path) -> None:
    sankey(table, tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "</script><script>name" not in page
    assert any(path["labels"][0][0] == "no </script><script>name" for path in _document(page)["paths"])


def test_nothing_is_overwritten_unasked(table: Path, tmp_path: Path) -> None:
    sankey(table, tmp_path / "page.html")
    with pytest.raises(UsageError, match="--overwrite"):
        sankey(table, tmp_path / "page.html")
    sankey(table, tmp_path / "page.html", overwrite=True)


def test_labels_of_nothing_make_no_page(tmp_path: Path) -> None:
    (tmp_path / "counts.csv").write_text("label,n\n,5\n", encoding="utf-8")
    with pytest.raises(UsageError, match="nothing to draw"):
        sankey(tmp_path / "counts.csv", tmp_path / "page.html")


def test_every_image_of_ten_published_collections_is_in_the_page(real_data: Path, tmp_path: Path) -> None:
    counts = real_data / "taxonomy" / "planktonzilla_counts.csv"
    if not counts.is_file():
        pytest.skip("no counts of Planktonzilla among the real files")
    report = sankey(counts, tmp_path / "page.html")
    assert (report.particles, report.sources) == (13_654_157, 10)  # the sum that the file's README gives
    document = _document((tmp_path / "page.html").read_text(encoding="utf-8"))
    assert sum(path["n"] for path in document["paths"]) == 13_654_157


# In a browser

_ACTIONS = Path(__file__).with_name("label_flow_actions.js").read_text(encoding="utf-8")


@pytest.fixture
def seen(table: Path, tmp_path: Path) -> dict[str, Any]:
    """Open the page in a browser without a window, move its controls, and give what it then showed."""
    browser = next((found for name in _BROWSERS if (found := shutil.which(name))), None)
    if browser is None:
        pytest.skip("no Chromium (install chromium to run the tests of the label-flow page in a browser)")
    sankey(table, tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    acted = tmp_path / "acted.html"
    acted.write_text(page.replace("</body>", f"<script>{_ACTIONS}</script></body>"), encoding="utf-8")
    done = subprocess.run(
        [browser, *_FLAGS, f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom", acted.as_uri()],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    written = re.search(r'<pre id="seen">(.*?)</pre>', done.stdout, flags=re.DOTALL)
    assert written, done.stderr[-2000:]
    result: dict[str, Any] = json.loads(html.unescape(written.group(1)))
    return result


def test_search_threshold_keys_and_picture_work_in_a_browser(seen: dict[str, Any]) -> None:
    assert {f"Parva{letter}" for letter in "abcdef"} <= set(seen["all"])
    assert seen["threshold"] == "3,200"
    assert "6 smaller" in seen["pooled"]
    assert not [name for name in seen["pooled"] if name.startswith("Parva")]
    assert seen["found"] == "1 class found, 3 particles."
    assert "Parvaf" in seen["searched"]
    assert {"sea", "living", "Floria", "Florata", "Parvaf"} <= set(seen["lit"])
    assert not {"lake", "Magna"} & set(seen["lit"])
    assert seen["nothing"] == "Nothing found."
    assert seen["focused"] == "Floria, kingdom, 153,503 particles"
    assert "153,503 particles · 99 %" in seen["details"]
    assert seen["closed"] is True
    picture = ElementTree.fromstring(seen["picture"])
    fills = {one.get("fill") for one in picture.iter("{http://www.w3.org/2000/svg}rect")}
    assert any(fill and fill.startswith("rgb(") for fill in fills)
    heights = {name: (n, height) for name, n, height in seen["heights"]}
    assert heights["lake"][1] / heights["sea"][1] == pytest.approx(heights["lake"][0] / heights["sea"][0])


def test_the_table_of_a_data_set_wins(tmp_path: Path) -> None:
    own = tmp_path / "own.tsv"
    own.write_text("raw_label\tname\ntype 7\tAcartia tonsa\n", encoding="utf-8")
    flow = label_flow([LabelCount("lab", "type 7", 3)], overrides=own)
    assert flow.paths[0].steps[-1].name == "Acartia tonsa"

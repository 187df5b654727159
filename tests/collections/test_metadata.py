"""Metadata in bulk: few requests, none twice even after a kill, and only into holes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest
from collection_making import png, zip_of
from metadata_servers import FIRST, Bin, Servers, serving_metadata

from seston.cli.call import call
from seston.collections import build
from seston.collections.ecotaxa_objects import ask_project, source_of
from seston.collections.ifcb_dashboard import ask_dashboard, bin_of
from seston.collections.metadata_query import metadata
from seston.collections.metadata_store import MetadataStore, ObjectFacts
from seston.errors import NetworkError, UsageError
from seston.network import Patience
from seston.particle import Particle, Sample
from seston.store import DataSet, open_data_set
from seston.store.examine import examine
from seston.store.judging import Judge
from seston.store.tables import Table

QUICK = Patience(tries=3, first_wait_s=0.01, longest_wait_s=0.02, timeout_s=20)
NEW, OLD = "D20141117T234033_IFCB102", "IFCB5_2012_028_081515"
BINS = {
    NEW: Bin(41.325, -70.5667, 4.0, "2014-11-17T23:40:33+00:00"),
    OLD: Bin(-9999999, -9999999, -9999999, "2012-01-28T08:15:15+00:00"),
}


def test_a_project_comes_in_windows_and_only_once(tmp_path: Path) -> None:
    with serving_metadata(Servers(projects={185: 2_500})) as servers, MetadataStore(tmp_path / "m") as store:
        assert ask_project(store, 185, server=f"{servers.url}/api", window=1_000, patience=QUICK) == 3
        assert ask_project(store, 185, server=f"{servers.url}/api", window=1_000, patience=QUICK) == 0
        assert store.count(source_of(185, f"{servers.url}/api")) == 2_500
        number = str(FIRST + 1_850_000_003)
        [facts] = store.find([number])[number]
    assert len(servers.came) == 3
    assert (facts.name, facts.latitude, facts.longitude) == ("cruise_0000003", 43.3, 7.5)
    assert (facts.depth_min_m, facts.depth_max_m) == (3.0, 4.0)
    assert facts.time == datetime(2019, 7, 1, 12, 30, tzinfo=UTC)
    assert (facts.status, facts.label) == ("validated", "Acartia")
    assert facts.source == f"EcoTaxa project 185 ({servers.url}/api)"


def test_a_project_that_fills_its_last_window_costs_no_further_request(tmp_path: Path) -> None:
    with serving_metadata(Servers(projects={1: 2_000})) as servers, MetadataStore(tmp_path / "m") as store:
        assert ask_project(store, 1, server=f"{servers.url}/api", window=1_000, patience=QUICK) == 2


def test_half_a_position_is_none(tmp_path: Path) -> None:
    with serving_metadata(Servers(projects={1: 1_000})) as servers, MetadataStore(tmp_path / "m") as store:
        ask_project(store, 1, server=f"{servers.url}/api", patience=QUICK)
        [facts] = store.find(["cruise_0000999"])["cruise_0000999"]
    assert (facts.latitude, facts.longitude) == (None, None)


@pytest.mark.parametrize(("fault", "said"), [("lose_fields", "9 fields"), ("shuffle", "order of their numbers")])
def test_rows_that_cannot_be_trusted_are_refused(tmp_path: Path, fault: str, said: str) -> None:
    servers = Servers(projects={1: 1_000})
    setattr(servers, fault, True)
    with (
        serving_metadata(servers),
        MetadataStore(tmp_path / "m") as store,
    ):
        with pytest.raises(NetworkError, match=said):
            ask_project(store, 1, server=f"{servers.url}/api", patience=QUICK)
        setattr(servers, fault, False)
        assert ask_project(store, 1, server=f"{servers.url}/api", patience=QUICK) == 1  # the bad answer was not kept


def test_a_login_is_sent_and_counts_as_another_question(tmp_path: Path) -> None:
    with serving_metadata(Servers(projects={1: 10})) as servers, MetadataStore(tmp_path / "m") as store:
        ask_project(store, 1, server=f"{servers.url}/api", patience=QUICK)
        ask_project(store, 1, server=f"{servers.url}/api", token="secret", patience=QUICK)
    assert servers.tokens == [None, "Bearer secret"]
    assert not any(b"secret" in file.read_bytes() for file in (tmp_path / "m").rglob("*") if file.is_file())


def test_bins_are_asked_for_once_each_and_unknown_ones_too(tmp_path: Path) -> None:
    with serving_metadata(Servers(bins=BINS)) as servers, MetadataStore(tmp_path / "m") as store:
        for requests in (3, 0):
            assert ask_dashboard(store, servers.url, [NEW, OLD, "IFCB1_2008_073_152345"], patience=QUICK) == requests
        found = store.find([NEW, OLD])
    assert (found[NEW][0].latitude, found[NEW][0].longitude, found[NEW][0].depth_max_m) == (41.325, -70.5667, 4.0)
    assert (found[OLD][0].latitude, found[OLD][0].depth_min_m) == (None, None)  # −9999999 means unknown
    assert found[OLD][0].time == datetime(2012, 1, 28, 8, 15, 15, tzinfo=UTC)


def test_a_whole_data_set_of_a_dashboard_is_one_request(tmp_path: Path) -> None:
    servers = Servers(bins=BINS, data_sets={"mvco": [NEW]})
    with serving_metadata(servers), MetadataStore(tmp_path / "m") as store:
        assert ask_dashboard(store, f"{servers.url}/mvco", [NEW, OLD], patience=QUICK) == 2  # the table, and OLD
        assert store.find([NEW])[NEW][0].latitude == 41.325
    assert [one.partition("?")[0] for one in servers.came] == ["/api/export_metadata/mvco", f"/api/bin/{OLD}"]


@pytest.mark.parametrize(
    ("name", "found"),
    [
        (f"whoi:{NEW}/00014", NEW),
        (f"Chaetoceros/{OLD}_00014.png", OLD),
        (f"{NEW}_00002", NEW),
        ("D20141117T234033_IFCB1023", None),
        ("lake/1447.jpg", None),
    ],
)
def test_a_bin_is_told_from_a_name(name: str, found: str | None) -> None:
    assert bin_of(name) == found


def make_data(path: Path) -> DataSet:
    data = open_data_set(path, create=True)
    judge = Judge(Table(data.path / "particles.lance"), Table(data.path / "samples.lance"))
    for name in ("zoo", "whoi", NEW):
        judge.take_sample(Sample(id=name))
    ids = [f"zoo/Acartia/{FIRST + 10_000_000}.jpg", "zoo/cruise_0000003", f"whoi/mix/{NEW}_00002.png", f"{NEW}/00003"]
    ids += ["zoo/unheard_of", "zoo/Acartia/77.jpg"]
    particles = [
        Particle(id=name, sample_id=name.partition("/")[0], listmode={"FWS Total": float(n)})
        for n, name in enumerate(ids)
    ]
    judge.take("file", [examine(particle) for particle in particles])
    judge.finish(0.0)
    data.refresh()
    return data


def test_a_data_set_gets_what_servers_know(tmp_path: Path) -> None:
    data = make_data(tmp_path / "data")
    with serving_metadata(Servers(projects={1: 1_000}, bins=BINS)) as servers:
        report = metadata(data, ecotaxa=[1], ifcb=[servers.url], server=f"{servers.url}/api", patience=QUICK)
    rows = {row["id"]: row for batch in data.particles() for row in batch.to_pylist()}
    assert (report.requests, report.objects, report.filled.particles, report.filled.samples) == (2, 1_001, 3, 1)
    assert rows[f"zoo/Acartia/{FIRST + 10_000_000}.jpg"]["latitude"] == 43.0
    assert rows["zoo/cruise_0000003"]["latitude"] == 43.3
    assert rows[f"whoi/mix/{NEW}_00002.png"]["longitude"] == -70.5667
    assert json.loads(rows[f"whoi/mix/{NEW}_00002.png"]["provenance"])["latitude"] == f"{servers.url}/api/bin/{NEW}"
    assert rows[f"{NEW}/00003"]["latitude"] is None  # its sample is the bin, and says so for all
    [sample] = [one for one in data.samples() if one.id == NEW]
    assert (sample.latitude, sample.provenance["latitude"]) == (41.325, f"{servers.url}/api/bin/{NEW}")
    assert rows["zoo/unheard_of"]["latitude"] is None


def test_only_the_named_source_is_filled_in(tmp_path: Path) -> None:
    data = make_data(tmp_path / "data")
    with serving_metadata(Servers(projects={1: 1_000})) as servers:
        report = metadata(data, ecotaxa=[1], server=f"{servers.url}/api", source="whoi", patience=QUICK)
    assert report.filled.particles == 0


def test_objects_of_one_name_that_disagree_fill_nothing(tmp_path: Path) -> None:
    data = make_data(tmp_path / "data")
    with serving_metadata(Servers(projects={1: 10, 2: 10})) as servers:
        servers.row = lambda number: [f"cruise_{number % 10:07d}", number % 80, 7.5, 1, 2, None, None, "V", "x"]  # type: ignore[method-assign]
        with MetadataStore(data.path / "metadata") as store:
            store.add(
                "by hand", "elsewhere", [ObjectFacts(key="9", name="cruise_0000003", latitude=1.0, longitude=2.0)]
            )
        report = metadata(data, ecotaxa=[1], server=f"{servers.url}/api", patience=QUICK)
    assert (report.ambiguous, report.filled.particles) == (1, 1)


def test_a_server_that_fails_is_named_and_the_others_go_on(tmp_path: Path) -> None:
    data = make_data(tmp_path / "data")
    with serving_metadata(Servers(bins=BINS)) as servers:
        gone = "http://127.0.0.1:9"
        report = metadata(data, ecotaxa=[7], ifcb=[servers.url], server=gone, patience=QUICK)
    assert [one.path for one in report.failed] == ["project 7"]
    assert "127.0.0.1:9" in report.failed[0].reason
    assert report.filled.samples == 1


def test_nothing_to_ask_is_a_wrong_call(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--ecotaxa"):
        metadata(make_data(tmp_path / "data"))


def test_the_command_fills_in_and_says_what(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_data(tmp_path / "data")
    with serving_metadata(Servers(projects={1: 1_000})) as servers:
        words = ["collections", "metadata", str(tmp_path / "data"), "--ecotaxa", "1", "--server", f"{servers.url}/api"]
        assert call([*words, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["particles"] == 2
    assert document["values"] == {"position": 2, "depth": 2, "time": 2}


def test_a_built_collection_is_flagged_and_its_inferred_position_gives_way(tmp_path: Path) -> None:
    pictures = {f"labeled_20201020/Nodularia/{NEW}_{n:05d}.png": png(n) for n in range(3)}
    zip_of(tmp_path / "phytoplankton_labeled.zip", pictures)
    lake = {f"data/zooplankton_0p5x/daphnia/x/SPC-EAWAG-0P5X-1526956204000000-{n}.png": png(9 + n) for n in range(2)}
    zip_of(tmp_path / "data.zip", lake)
    build(["syke_ifcb_2022", "zoolake"], to=tmp_path / "data_set", from_=[str(tmp_path)])
    data = open_data_set(tmp_path / "data_set")
    flags = {one.source: one.flags for one in data.samples()}
    assert flags == {"syke_ifcb_2022": (), "zoolake": ("on_land",)}
    with serving_metadata(Servers(bins=BINS)) as servers:
        metadata(data, ifcb=[servers.url], source="syke_ifcb_2022", patience=QUICK)
    places = {sample.id: sample.latitude for sample in data.samples()}
    rows = {row["id"]: row for batch in data.particles() for row in batch.to_pylist()}
    own = {row["latitude"] for name, row in rows.items() if name.startswith("syke")}
    whole = {place for name, place in places.items() if name.startswith("syke")}
    assert 41.325 in own | whole


CLIENT = """
import sys
from pathlib import Path
from seston.collections.ecotaxa_objects import ask_project
from seston.collections.ifcb_dashboard import ask_dashboard
from seston.collections.metadata_store import MetadataStore
folder, url, bins = sys.argv[1:]
with MetadataStore(Path(folder)) as store:
    for project in (1, 2):
        ask_project(store, project, server=url + "/api")
    ask_dashboard(store, url, Path(bins).read_text().split())
status = Path("/proc/self/status")
print(status.read_text().partition("VmHWM:")[2].split()[0] if status.exists() else 0)
"""


@pytest.mark.slow
def test_a_million_images_in_few_requests_and_none_twice_after_a_kill(tmp_path: Path) -> None:
    """200,000 objects of two projects and 800 bins of 1,000 images; killed thrice with a request in the air."""
    bins = [f"IFCB{number}_2008_{day:03d}_152345" for number in (1, 2, 5, 6) for day in range(1, 201)]
    servers = Servers(projects={1: 120_000, 2: 80_000}, bins=dict.fromkeys(bins, BINS[NEW]))
    (tmp_path / "bins").write_text("\n".join(bins))
    kills = (5, 16, 400)
    with serving_metadata(servers):
        words = [sys.executable, "-c", CLIENT, str(tmp_path / "m"), servers.url, str(tmp_path / "bins")]
        for kill_at in kills:
            _run_and_kill(words, servers, kill_at)
        done = subprocess.run(words, capture_output=True, text=True, check=True)
        with MetadataStore(tmp_path / "m") as store:
            assert store.count() == 200_000 + 800
    assert max(servers.answered.values()) == 1
    assert len(servers.answered) == 12 + 8 + 800
    assert len(servers.came) == 12 + 8 + 800 + len(kills)  # those in the air at a kill had no answer
    assert int(done.stdout) < 160_000  # kB at most, of which 80,000 are libraries


def _run_and_kill(words: list[str], servers: Servers, kill_at: int) -> None:
    """Start the client and kill it while the request of this number waits for its answer."""
    there = threading.Event()

    def hold(_: str) -> bool:
        if len(servers.came) < kill_at:
            return True
        there.set()
        return False

    servers.before_answer = hold
    client = subprocess.Popen(words, env=os.environ)
    assert there.wait(60)
    client.send_signal(signal.SIGKILL)
    client.wait()
    servers.before_answer = lambda _: True

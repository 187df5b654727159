"""The client of WoRMS, against a server on this machine that answers, and fails, as WoRMS does."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from worms_server import WormsServer, running_worms

from seston.network import Patience
from seston.taxonomy import resolve
from seston.taxonomy.fact_files import Fact, read_facts, user_facts_path
from seston.taxonomy.label_names import unknown_names
from seston.taxonomy.updates import update
from seston.taxonomy.user_facts import UpdateReport
from seston.taxonomy.worms import Worms
from seston.taxonomy.worms_facts import update_from_worms

_QUICK = Patience(tries=4, first_wait_s=0.01, longest_wait_s=0.02, longest_retry_after_s=5, timeout_s=5)


@pytest.fixture
def server() -> Iterator[WormsServer]:
    with running_worms() as state:
        yield state


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SESTON_HOME", str(tmp_path / "home"))


def _ask(url: str, *names: str) -> UpdateReport:
    worms = Worms(url=url, patience=_QUICK)
    try:
        return update_from_worms(names, worms=worms)
    finally:
        worms.close()


def _own() -> dict[str, Fact]:
    return {fact.name: fact for fact in read_facts(user_facts_path())}


def test_a_name_is_taken_with_all_above_it(server: WormsServer) -> None:
    report = _ask(server.url, "Testa alba")
    facts = _own()
    assert facts["Testa alba"] == Fact("Testa alba", "species", "Testa", 90005, "accepted", "", "WoRMS")
    assert facts["Testa"].parent == "Testatea"  # the epifamily between them has no rank here
    assert facts["Testozoa"].rank == "phylum"
    assert "Biota" not in facts
    assert report.found == 1
    assert resolve(["Testa alba"])[0].lineage == {
        "kingdom": "Animalia", "phylum": "Testozoa", "class": "Testatea", "genus": "Testa", "species": "Testa alba",
    }  # fmt: skip


def test_a_synonym_leads_to_the_accepted_name(server: WormsServer) -> None:
    _ask(server.url, "Olda alba")
    taxon = resolve(["Olda alba"])[0]
    assert (taxon.name, taxon.aphia_id, taxon.how) == ("Testa alba", 90005, "synonym")


def test_a_similar_name_is_told_and_not_taken(server: WormsServer) -> None:
    report = _ask(server.url, "Testa alva", "Testa alba")
    assert report.similar == (("Testa alva", "Testa alba"),)
    assert "Testa alva" not in _own()


def test_a_doubtful_name_is_not_accepted(server: WormsServer) -> None:
    _ask(server.url, "Testa dubia")
    fact = _own()["Testa dubia"]
    assert (fact.status, fact.accepted_name, fact.parent) == ("uncertain", "", "Testa")


def test_no_content_means_that_no_name_is_known(server: WormsServer) -> None:
    report = _ask(server.url, "Fantasia inventa", "Fantasia altera")
    assert report.unknown == ("Fantasia inventa", "Fantasia altera")
    assert not report.unanswered


def test_fifty_names_go_into_one_request(server: WormsServer) -> None:
    _ask(server.url, *(f"Fantasia n{number}" for number in range(120)))
    assert [len(names) for names in server.names] == [50, 50, 20]


def test_a_second_run_asks_nothing(server: WormsServer) -> None:
    names = ("Testa alba", "Olda alba", "Fantasia inventa", "Testa alva")
    first = _ask(server.url, *names)
    asked, content = server.requests, user_facts_path().read_bytes()
    second = _ask(server.url, *names)
    assert server.requests == asked
    assert second.requests == 0
    assert (second.found, second.unknown, second.similar) == (first.found, first.unknown, first.similar)
    assert second.added == 0
    assert user_facts_path().read_bytes() == content


def test_neighbours_in_a_genus_share_one_classification(server: WormsServer) -> None:
    _ask(server.url, "Testa alba", "Testa nigra", "Testa dubia", "Olda alba")
    assert server.classifications == [90005]
    assert _own()["Testa nigra"].parent == "Testa"


def test_a_partial_answer_gives_no_name_the_record_of_another(server: WormsServer) -> None:
    server.partial = True
    report = _ask(server.url, "Fantasia inventa", "Testa alba", "Testa nigra")
    assert report.unknown == ("Fantasia inventa",)
    assert {name: _own()[name].aphia_id for name in ("Testa alba", "Testa nigra")} == {
        "Testa alba": 90005,
        "Testa nigra": 90006,
    }


@pytest.mark.parametrize("failures", [[500], [503, 503], [429], ["cut"], ["cut", 500, 429]])
def test_what_passes_is_asked_again(server: WormsServer, failures: list[int | str]) -> None:
    server.failures = list(failures)
    report = _ask(server.url, "Testa alba")
    assert (report.found, report.unanswered) == (1, ())


def test_a_busy_server_is_left_alone_as_long_as_it_asks(server: WormsServer) -> None:
    server.failures, server.retry_after = [429], "1"
    started = time.monotonic()
    assert _ask(server.url, "Testa alba").found == 1
    assert time.monotonic() - started >= 1


def test_a_server_that_only_fails_is_told_in_one_note(server: WormsServer) -> None:
    server.failures = [500] * 50
    report = _ask(server.url, "Testa alba", "Testa nigra")
    assert report.unanswered == ("Testa alba", "Testa nigra")
    assert len(report.notes) == 1
    assert "was not reached" in report.notes[0]
    assert server.requests == _QUICK.tries


def test_without_a_network_kept_answers_are_used(server: WormsServer) -> None:
    _ask(server.url, "Testa alba")
    user_facts_path().unlink()
    worms = Worms(url="http://127.0.0.1:9/rest", patience=Patience(tries=1, timeout_s=1))
    report = update_from_worms(["Testa alba", "Testa nigra"], worms=worms)
    worms.close()
    assert (report.found, report.unanswered) == (1, ("Testa nigra",))
    assert "Testa alba" in _own()
    assert len(report.notes) == 1


def test_after_a_failure_only_what_is_missing_is_asked(server: WormsServer) -> None:
    names = [f"Fantasia n{number}" for number in range(60)]
    _ask(server.url, *names[:50])
    server.failures = [500] * _QUICK.tries
    assert _ask(server.url, *names).unanswered == tuple(names[50:])
    server.failures = []
    server.names.clear()
    assert not _ask(server.url, *names).unanswered
    assert server.names == [names[50:]]


def test_the_server_learns_who_asks(server: WormsServer) -> None:
    _ask(server.url, "Testa alba")
    assert all(agent.startswith("Seston/") for agent in server.agents)


@pytest.mark.parametrize("content", [b"not json", b"\x00\xff", b"3", b'{"a": 1}', b"[" * 5000])
def test_an_answer_of_another_kind_is_no_answer(server: WormsServer, content: bytes) -> None:
    server.raw = content
    report = _ask(server.url, "Testa alba")
    assert report.unanswered == ("Testa alba",)
    assert "none of WoRMS" in report.notes[0]


@pytest.mark.parametrize("content", [b"[[3, null, {}]]", b'[[{"AphiaID": "x", "match_type": "exact"}]]', b"[null]"])
def test_a_record_without_its_fields_gives_no_fact(server: WormsServer, content: bytes) -> None:
    server.raw = content
    assert _ask(server.url, "Testa alba").added == 0


def test_names_in_labels_are_asked_where_they_are_not_known(
    server: WormsServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SESTON_WORMS_URL", server.url)
    labels = ["Testa_alba", "egg<Testa sp.", "Animalia", "fiber", "Testa alba cf. (chain)", "Olda alba-like"]
    (tmp_path / "labels.csv").write_text("label\n" + "\n".join(labels) + "\n", encoding="utf-8")
    report = update(from_labels=tmp_path / "labels.csv")
    assert set(server.names[0]) == {"Testa", "Testa alba", "Olda", "Olda alba"}
    assert report.found == 3
    assert unknown_names(tmp_path / "labels.csv") == []


def test_after_a_kill_nothing_is_asked_twice(server: WormsServer, tmp_path: Path) -> None:
    names = [f"Fantasia n{number}" for number in range(120)]
    server.slow_after = 2
    command = [sys.executable, "-m", "seston", "taxonomy", "update", "--worms", *names]
    killed = subprocess.Popen(command, env={**os.environ, "SESTON_WORMS_URL": server.url}, stderr=subprocess.DEVNULL)
    for _ in range(600):
        if server.requests >= 3:
            break
        time.sleep(0.05)
    killed.kill()
    killed.wait()
    server.slow_after = None
    report = _ask(server.url, *names)
    assert [len(batch) for batch in server.names] == [50, 50, 20]
    assert len(report.unknown) == 120

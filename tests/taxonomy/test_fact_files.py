"""Tables of facts: what is written is read again, a broken one is refused, and the user's own wins."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seston.errors import InputError
from seston.taxonomy.fact_files import (
    FACT_COLUMNS,
    Fact,
    facts_paths,
    read_facts,
    shipped_facts_path,
    user_facts_path,
    write_facts,
)
from seston.taxonomy.knowledge import known_facts
from seston.taxonomy.ranks import RANK_ORDER

_WORDS = st.text(st.characters(exclude_categories=("C", "Z")), max_size=12)
_FACTS = st.builds(
    Fact,
    name=_WORDS.filter(bool),
    rank=st.sampled_from(RANK_ORDER),
    parent=_WORDS,
    aphia_id=st.none() | st.integers(0, 2_000_000),
    status=st.sampled_from(("accepted", "synonym", "uncertain")),
    accepted_name=_WORDS,
    source=_WORDS,
)


@given(st.lists(_FACTS, max_size=8))
def test_what_is_written_is_read_again(tmp_path_factory: pytest.TempPathFactory, facts: list[Fact]) -> None:
    path = tmp_path_factory.mktemp("facts") / "facts.tsv"
    write_facts(path, facts)
    assert list(read_facts(path)) == facts


def test_a_name_with_a_tab_cannot_make_a_new_column(tmp_path: Path) -> None:
    write_facts(tmp_path / "facts.tsv", [Fact("Acartia\ttonsa\nAcartia", "species", "", None, "accepted", "", "")])
    assert [fact.name for fact in read_facts(tmp_path / "facts.tsv")] == ["Acartia tonsa Acartia"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"name,rank\n", "is no table of facts"),
        ("\t".join(FACT_COLUMNS).encode() + b"\nAcartia\tgenus\n", "line 2 has 2 fields"),
        (
            "\t".join(FACT_COLUMNS).encode() + "\nAcartia\tgenus\t\t١٢\taccepted\t\t\n".encode(),
            "aphia_id that is no number",
        ),
        (b"\xff\xfe\x00", "is no UTF-8 text"),
    ],
)
def test_a_broken_table_is_refused(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "facts.tsv"
    path.write_bytes(content)
    with pytest.raises(InputError, match=said):
        list(read_facts(path))


def test_the_users_table_stands_after_the_shipped_one(own: Path) -> None:
    assert facts_paths()[-1] != own
    write_facts(own, [])
    assert facts_paths()[-1] == own


def test_the_users_row_takes_the_place_of_a_shipped_one(own: Path) -> None:
    shipped = _shipped_genus()
    mine = replace(shipped, parent="Otheridae", source="mine")
    write_facts(own, [mine])
    assert [(one.parent, one.source) for one in known_facts().find(mine.name)] == [("Otheridae", "mine")]


def test_a_homonym_of_the_users_stands_beside_the_shipped_one(own: Path) -> None:
    shipped = _shipped_genus()
    write_facts(own, [replace(shipped, aphia_id=9_999_999)])
    assert {one.aphia_id for one in known_facts().find(shipped.name)} == {shipped.aphia_id, 9_999_999}


def _shipped_genus() -> Fact:
    facts = list(read_facts(shipped_facts_path()))
    names = [fact.name for fact in facts]
    return next(fact for fact in facts if fact.rank == "genus" and fact.aphia_id and names.count(fact.name) == 1)


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the place of the user's table in a folder of its own."""
    monkeypatch.setenv("SESTON_HOME", str(tmp_path))
    return user_facts_path()

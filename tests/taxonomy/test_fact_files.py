"""Tables of facts: what is written is read again, a broken one is refused, and the user's own wins."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seston.errors import InputError
from seston.taxonomy.fact_files import facts_paths, known_facts, user_facts_path, write_facts
from seston.taxonomy.facts import COLUMNS, RANK_ORDER, Fact, built_in_facts, read_facts

_WORDS = st.text(st.characters(exclude_categories=("C", "Z")), max_size=12)
_FACTS = st.builds(
    Fact,
    name=_WORDS.filter(bool),
    rank=st.sampled_from(RANK_ORDER),
    parent=_WORDS,
    aphia_id=st.none() | st.integers(0, 2_000_000),
    status=st.sampled_from(("accepted", "unaccepted")),
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
        (b"name,rank\n", "has to name the columns"),
        ("\t".join(COLUMNS).encode() + b"\nAcartia\tgenus\n", "line 2: 2 columns"),
        ("\t".join(COLUMNS).encode() + "\nAcartia\tgenus\t\t١٢\taccepted\t\t\n".encode(), "is no AphiaID"),
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
    shipped = next(fact for fact in built_in_facts() if fact.rank == "genus" and fact.aphia_id)
    mine = replace(shipped, parent="Otheridae", source="mine")
    write_facts(own, [mine])
    facts = known_facts()
    assert facts.find(mine.name) == (mine,)
    assert len(facts) == len(built_in_facts())


def test_a_homonym_of_the_users_stands_beside_the_shipped_one(own: Path) -> None:
    shipped = next(fact for fact in built_in_facts() if fact.rank == "genus" and fact.aphia_id)
    mine = replace(shipped, aphia_id=9_999_999)
    write_facts(own, [mine])
    assert set(known_facts().find(shipped.name)) >= {shipped, mine}


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the place of the user's table in a folder of its own."""
    monkeypatch.setenv("SESTON_HOME", str(tmp_path))
    return user_facts_path()

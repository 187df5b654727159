"""Tables of facts: what is written is read again, and a broken one is refused in one line."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seston.errors import InputError
from seston.taxonomy.fact_files import Fact, facts_paths, read_facts, user_facts_path, write_facts

_WORDS = st.text(st.characters(exclude_categories=("C", "Z")), max_size=12)
_FACTS = st.builds(
    Fact,
    name=_WORDS.filter(bool),
    rank=_WORDS,
    parent=_WORDS,
    aphia_id=st.none() | st.integers(0, 2_000_000),
    status=_WORDS,
    accepted_name=_WORDS,
    source=_WORDS,
)


@given(st.lists(_FACTS, max_size=8))
def test_what_is_written_is_read_again(tmp_path_factory: pytest.TempPathFactory, facts: list[Fact]) -> None:
    path = tmp_path_factory.mktemp("facts") / "facts.tsv"
    write_facts(path, facts)
    assert list(read_facts(path)) == facts


def test_a_name_with_a_tab_cannot_make_a_new_column(tmp_path: Path) -> None:
    write_facts(tmp_path / "facts.tsv", [Fact("Acartia\ttonsa\nAcartia", "species")])
    assert [fact.name for fact in read_facts(tmp_path / "facts.tsv")] == ["Acartia tonsa Acartia"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name,rank\n", "is no table of facts"),
        ("name\trank\tparent\taphia_id\tstatus\taccepted_name\tsource\nAcartia\tgenus\n", "line 2 has 2 fields"),
        (
            "name\trank\tparent\taphia_id\tstatus\taccepted_name\tsource\nAcartia\tgenus\t\t١٢\t\t\t\n",
            "aphia_id that is no number",
        ),
    ],
)
def test_a_broken_table_is_refused(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "facts.tsv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=said):
        list(read_facts(path))


def test_the_users_table_stands_after_the_shipped_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SESTON_HOME", str(tmp_path))
    assert user_facts_path() not in facts_paths()
    write_facts(user_facts_path(), [])
    assert facts_paths()[-1] == tmp_path / "facts.tsv"

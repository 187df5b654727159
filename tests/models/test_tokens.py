"""Word pieces: learnt from names, and never at a loss."""

from __future__ import annotations

from seston.models.tokens import PADDING, Tokenizer, learn_merges

_NAMES = ("Chaetoceros", "Chaetocerotaceae", "Rhizosoleniaceae", "Thalassiosiraceae", "Acartia")


def test_the_pair_that_most_words_hold_merges_first() -> None:
    assert learn_merges(["abx aby", "abz qb"], 1) == [("a", "b")]


def test_a_pair_that_a_single_word_holds_never_merges() -> None:
    assert learn_merges(["acartia acartia acartia"], 100) == []


def test_a_shared_ending_becomes_one_piece_of_a_name_never_seen() -> None:
    tokenizer = Tokenizer(learn_merges(_NAMES, 100), 32)
    ending = tokenizer(["Chaetocerotaceae"])[0]
    strange = tokenizer(["Melosiraceae"])[0]
    last = [row[row != PADDING][-1] for row in (ending, strange)]
    assert last[0] == last[1]
    assert (strange != PADDING).sum() < len("melosiraceae") + 1


def test_any_text_has_tokens_and_keeps_all_its_letters_apart_from_those_of_another() -> None:
    tokenizer = Tokenizer(learn_merges(_NAMES, 100), 64)
    texts = ["Ωmega ζ", "日本", "Acartia ×", "acartia", "artiaac"]
    rows = tokenizer(texts)
    assert (rows != PADDING).any(axis=1).all()
    assert len({row.tobytes() for row in rows}) == len(texts)
    assert rows.max() < tokenizer.vocabulary


def test_letter_case_and_blanks_make_no_difference() -> None:
    tokenizer = Tokenizer(learn_merges(_NAMES, 100), 32)
    one, other = tokenizer(["Acartia  Tonsa", "acartia tonsa"])
    assert (one == other).all()


def test_a_long_text_is_cut_and_a_short_one_padded() -> None:
    rows = Tokenizer([], 4)(["abcdef", "a"])
    assert rows.shape == (2, 4)
    assert (rows[0] != PADDING).all()
    assert rows[1].tolist()[2:] == [PADDING, PADDING]


def test_merges_do_not_depend_on_the_order_of_the_texts() -> None:
    assert learn_merges(_NAMES, 50) == learn_merges(reversed(_NAMES), 50)

"""Hold what is one word to a reader to be one word to the search."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph.errors import Malformed, Unreadable
from graph.search import distance, read_abbreviations
from graph.words import LONGEST_WORD, Abbreviations, ask, beginnings, fold, spell, split, word

TABLE = Abbreviations.of(
    [("&", "và"), ("CSDL", "cơ sở dữ liệu"), ("TP", "thành phố"), ("TN&MT", "tài nguyên và môi trường"), ("kĩ", "kỹ"),
     ("HCM", "Hồ Chí Minh"), ("TPHCM", "thành phố Hồ Chí Minh"), ("DA", "dự án"), ("QH", "quốc hội"),
     ("QH", "quy hoạch")]
)  # fmt: skip


def test_accents_and_the_stroke_of_d_fold_away() -> None:
    assert fold("Đất đai quốc gia, Thừa Thiên Huế") == "dat dai quoc gia thua thien hue"


def test_composed_and_decomposed_letters_are_the_same_word() -> None:
    for text in ("Đắk Lắk", "ưỡng", "Ủy ban"):
        assert split(unicodedata.normalize("NFD", text)) == split(unicodedata.normalize("NFC", text))


def test_the_place_of_the_tone_mark_does_not_matter() -> None:
    assert word("Hòa") == word("Hoà")
    assert word("thủy") == word("thuỷ")


def test_different_accents_stay_known_from_one_another() -> None:
    assert word("đất").plain == word("đạt").plain == word("dat").plain
    assert len({word(text).marked for text in ("đất", "đạt", "dat", "đat")}) == 4


def test_words_are_cut_at_signs_and_document_numbers_fall_apart() -> None:
    assert fold("47/2020/NĐ-CP (sửa đổi); QH15") == "47 2020 nd cp sua doi qh15"


def test_a_text_without_letters_has_no_words() -> None:
    assert split(" \t…—!?*:()[]{}~^\"'\\ 🙂 \ud800 \u0301") == []


def test_an_endless_word_is_cut() -> None:
    assert len(word("a" * 10_000).plain) == LONGEST_WORD


def test_a_name_in_short_is_also_spelt_in_long() -> None:
    spelling = spell("CSDL đất đai", TABLE)
    assert {"csdl", "co", "so", "du", "lieu", "dat", "dai"} == set(spelling.words)
    assert {"^csdl", "csdldat", "^co", "lieudat", "datdai", "dai$"} <= set(spelling.pairs)


def test_a_name_in_long_is_also_spelt_in_short() -> None:
    spelling = spell("Cơ sở dữ liệu đất đai", TABLE)
    assert "csdl" in spelling.words
    assert {"^csdl", "csdldat"} <= set(spelling.pairs)


def test_a_name_is_as_long_as_its_shortest_spelling() -> None:
    assert spell("Cơ sở dữ liệu đất đai", TABLE).size == spell("CSDL đất đai", TABLE).size == 3
    assert spell("Thành phố Hồ Chí Minh", TABLE).size == 1


def test_short_and_long_forms_mix() -> None:
    pairs = set(spell("TP. Hồ Chí Minh", TABLE).pairs)
    assert {"^tp", "tphcm", "tpho", "phohcm", "^tphcm", "tphcm$", "hcm$", "minh$"} <= pairs


def test_a_short_form_that_signs_join_is_known_in_a_name() -> None:
    for text in ("Sở TN&MT", "Sở TN-MT", "Sở Tài nguyên và Môi trường"):
        assert {"tnmt", "sotnmt"} <= set(spell(text, TABLE).words + spell(text, TABLE).pairs), text
    assert "moitruong" in spell("Sở TN&MT", TABLE).pairs


def test_a_word_that_only_looks_like_a_short_form_is_not_written_out() -> None:
    assert "du" not in spell("Đà Nẵng", TABLE).words
    assert "an" not in spell("da cam", TABLE).words
    assert "an" in spell("Ban quản lý DA", TABLE).words


def test_a_short_form_of_several_meanings_is_spelt_in_all_of_them() -> None:
    assert {"quoc", "hoi", "quy", "hoach"} <= set(spell("Nghị quyết QH", TABLE).words)


def test_variants_of_one_word_meet() -> None:
    assert "ky" in spell("kĩ thuật", TABLE).words
    assert "ki" in spell("Kỹ thuật", TABLE).words


def test_initials_leave_out_connecting_words_too() -> None:
    words = spell("Bộ Nông nghiệp và Môi trường", TABLE, initials=True).words
    assert {"bnnvmt", "bnnmt"} <= set(words)
    assert "bnnmt" not in spell("Bộ Nông nghiệp và Môi trường", TABLE).words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("TN&MT", ("tnmt",)),
        ("Bộ TN-MT", ("bo", "tnmt")),
        ("bộ tn&m", ("bo", "tnm")),
        ("tn&m bộ", ("tn", "m", "bo")),
        ("47/2020/NĐ-CP", ("47", "2020", "nd", "cp")),
        ("x&y", ("x", "y")),
    ],
)
def test_signs_join_a_question_only_where_the_table_does(text: str, words: tuple[str, ...]) -> None:
    assert ask(text, TABLE).plain == words


def test_a_question_is_cut_after_so_many_letters_and_words() -> None:
    assert len(ask("a " * 10_000).words) == 64
    assert ask("b" * 10_000).plain == ("b" * LONGEST_WORD,)


def test_the_beginnings_of_a_word_end_with_the_word() -> None:
    assert beginnings("dai").split() == ["d", "da", "dai"]


@given(st.text(max_size=60))
def test_folding_twice_changes_nothing(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@given(st.text(max_size=60))
def test_any_text_can_be_spelt_and_is_as_long_as_its_words_at_most(text: str) -> None:
    spelling = spell(text, TABLE)
    words = fold(text).split()
    assert set(words) <= set(spelling.words)
    assert spelling.size <= len(words)
    assert bool(spelling.pairs) == bool(words)


def test_the_table_changes_its_mark_when_a_meaning_changes() -> None:
    one = Abbreviations.of([("TP", "thành phố"), ("QH", "quốc hội")])
    assert one.mark == Abbreviations.of([("QH", "quốc hội"), ("TP", "thành phố")]).mark
    assert one.mark != Abbreviations.of([("TP", "thành phố"), ("QH", "quy hoạch")]).mark


@pytest.mark.parametrize(
    ("one", "other", "letters"),
    [
        ("dai", "dai", 0),
        ("nghiep", "nghei", 2),
        ("doanh", "doahn", 1),
        ("huong", "luong", 1),
        ("", "ba", 2),
        ("abc", "", 3),
    ],
)
def test_the_distance_of_two_words_counts_letters_and_swaps(one: str, other: str, letters: int) -> None:
    assert distance(one, other) == distance(other, one) == letters


def test_a_table_of_abbreviations_that_is_none_is_refused_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "abbreviations.csv"
    path.write_text("short,long\nTP,thành phố\n", "utf-8")
    with pytest.raises(Malformed, match="other columns"):
        read_abbreviations(path)
    path.write_text("abbreviation,meaning\nTP,thành phố\nUBND\n", "utf-8")
    with pytest.raises(Malformed, match=r"abbreviations.csv:3: .* two cells"):
        read_abbreviations(path)
    with pytest.raises(Unreadable):
        read_abbreviations(tmp_path / "missing.csv")

"""Hold for any titles: found by any of their words, begun or misspelt, whatever came in first."""

from __future__ import annotations

from functools import cache

from hypothesis import given
from hypothesis import strategies as st

from graph.documents import KINDS, Document, Naming
from graph.resources import folder
from graph.search import SearchIndex, read_abbreviations
from graph.words import Abbreviations, fold

SYLLABLES = [
    "CSDL",
    "cơ",
    "sở",
    "dữ",
    "liệu",
    "quốc",
    "gia",
    "về",
    "đất",
    "đai",
    "dân",
    "cư",
    "đăng",
    "ký",
    "doanh",
    "nghiệp",
    "bảo",
    "hiểm",
    "xã",
    "hội",
    "Hà",
    "Nội",
    "Đà",
    "Nẵng",
    "Hòa",
    "Hoà",
    "Bình",
    "UBND",
    "ủy",
    "ban",
    "nhân",
    "thành",
    "phố",
    "TP",
    "tỉnh",
    "Sở",
    "TN&MT",
    "tài",
    "nguyên",
    "và",
    "môi",
    "trường",
    "KH-CN",
    "thông",
    "tin",
    "truyền",
    "47/2020/NĐ-CP",
    "hồ",
    "sơ",
    "giấy",
    "phép",
    "nghiêng",
    "trường",
    "danh",
    "mục",
    "hệ",
    "thống",
    "register",
    "of",
    "companies",
    "2024",
    "2.000229",
    "(mới)",
    "Ắ",
    "kĩ",
]
TITLES = st.lists(st.sampled_from(SYLLABLES), min_size=1, max_size=9).map(" ".join)
LETTERS = "abcdeghiklmnopqrstuvxy"


@cache
def table() -> Abbreviations:
    return read_abbreviations(folder("ontology") / "vn" / "abbreviations.csv")


def indexed(*titles: str) -> SearchIndex:
    index = SearchIndex(None, table())
    index.update([Document(f"urn:{number}", "dataset", (Naming(title),)) for number, title in enumerate(titles)], (), 1)
    return index


def found(index: SearchIndex, text: str) -> list[str]:
    return [hit.iri for hit in index.search(text, limit=50)]


@given(TITLES, st.data())
def test_any_title_is_found_by_its_own_folded_words_in_any_order(title: str, data: st.DataObject) -> None:
    words = data.draw(st.permutations(fold(title).split()))
    assert found(indexed(title, "Sổ hộ tịch"), " ".join(words))[:1] == ["urn:0"]


@given(TITLES, st.data())
def test_any_title_is_found_by_the_beginnings_of_its_words(title: str, data: st.DataObject) -> None:
    words = [word[: data.draw(st.integers(3, max(3, len(word))))] for word in fold(title).split()]
    assert "urn:0" in found(indexed(title, "Sổ hộ tịch"), " ".join(words))


@given(TITLES)
def test_any_title_as_it_stands_is_found_first(title: str) -> None:
    index = indexed("Sổ hộ tịch " + title, title + " mới", title)
    best = index.search(title)[0]
    assert fold(best.matched) == fold(title) or best.iri == "urn:2"


@given(TITLES.filter(lambda title: any(len(word) > 4 and word.isalpha() for word in fold(title).split())), st.data())
def test_one_slip_in_a_word_of_five_letters_is_forgiven(title: str, data: st.DataObject) -> None:
    words = fold(title).split()
    place = data.draw(st.sampled_from([place for place, word in enumerate(words) if len(word) > 4 and word.isalpha()]))
    words[place] = data.draw(slips(words[place]))
    assert "urn:0" in found(indexed(title, "Sổ hộ tịch"), " ".join(words))


@st.composite
def slips(draw: st.DrawFn, word: str) -> str:
    """Add, drop or change one letter, or swap two neighbours."""
    place = draw(st.integers(0, len(word) - 1))
    letter = draw(st.sampled_from(LETTERS))
    return draw(
        st.sampled_from(
            [
                word[:place] + letter + word[place:],
                word[:place] + word[place + 1 :],
                word[:place] + letter + word[place + 1 :],
                word[: place - 1] + word[place] + word[place - 1] + word[place + 1 :] if place else word,
            ]
        )
    )


@given(st.lists(TITLES, min_size=2, max_size=8), st.randoms(use_true_random=False), TITLES)
def test_what_came_in_first_does_not_matter(titles: list[str], chance: object, text: str) -> None:
    documents = [
        Document(f"urn:{number}", KINDS[number % len(KINDS)], (Naming(title),)) for number, title in enumerate(titles)
    ]
    one, other = SearchIndex(None, table()), SearchIndex(None, table())
    one.update(documents, (), 1)
    chance.shuffle(documents)  # type: ignore[attr-defined]
    for document in documents:
        other.update([document], (), 1)
    for asked in (text, text[:3], titles[0], titles[-1]):
        assert one.search(asked, limit=50) == other.search(asked, limit=50)


@given(st.text(max_size=40), st.lists(TITLES, max_size=3))
def test_any_text_can_be_searched_for(text: str, titles: list[str]) -> None:
    hits = indexed(*titles).search(text)
    assert len({hit.iri for hit in hits}) == len(hits)


@given(st.lists(st.text(max_size=30), min_size=1, max_size=4))
def test_any_text_can_be_a_title(titles: list[str]) -> None:
    index = indexed(*titles)
    for number, title in enumerate(titles):
        if fold(title):
            assert f"urn:{number}" in found(index, title)

"""Ask the small register the questions that people type."""

from __future__ import annotations

import threading
import time
import unicodedata
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import pytest

from graph.documents import Document, Naming
from graph.errors import BadQuestion, DataDirectory
from graph.search import KINDS, SearchIndex
from graph.words import Abbreviations

TODAY = date(2026, 11, 23)
BEFORE = date(2025, 2, 28)

Find = Callable[..., list[str]]


# --- words ---


@pytest.mark.parametrize(
    "text", ["dat dai", "đất đai", "ĐẤT ĐAI", "Dat Dai", "  đất   đai ", unicodedata.normalize("NFD", "đất đai")]
)
def test_the_national_register_comes_first_however_it_is_typed(find: Find, text: str) -> None:
    assert find(text)[:2] == ["land-national", "land-da-nang"]


def test_whoever_names_the_place_gets_its_data(find: Find) -> None:
    assert find("đất đai đà nẵng")[0] == "land-da-nang"
    assert find("dat dai ha noi")[0] == "plots-ha-noi"


def test_accents_that_are_typed_are_meant(find: Find) -> None:
    assert find("đạt")[0] == "achieved"
    assert "achieved" not in find("đất", limit=3)


def test_accents_that_nobody_wrote_still_find_the_word(find: Find) -> None:
    assert find("đát đâi")[0] == "land-national"


def test_a_phrase_comes_before_its_scattered_words(find: Find) -> None:
    found = find("thông tin đất đai")
    assert found[0] == "plots-ha-noi"
    assert find("đất thửa") == ["plots-ha-noi"]


def test_the_last_word_may_be_unfinished(find: Find) -> None:
    for text in ("d", "da", "dat", "dat d", "dat da", "dat dai"):
        assert "land-national" in find(text), text
    assert find("dat da")[0] == "land-national"
    assert find("đăng ký doanh n")[0] == "companies"


def test_every_word_may_be_unfinished(find: Find) -> None:
    assert find("quo gia doa ngh")[0] == "companies"


def test_the_order_of_words_does_not_matter(find: Find) -> None:
    assert find("doanh nghiệp đăng ký quốc gia")[0] == "companies"


@pytest.mark.parametrize(
    "text", ["doang nghiep", "doanh nghipe", "đăng ký doan nghiệp", "doanhh nghiep", "dang ky doanh nghiep quoc giaa"]
)
def test_small_typing_errors_are_forgiven(find: Find, text: str) -> None:
    assert find(text)[0] == "companies"


def test_a_hit_by_a_misspelt_word_says_so(index: SearchIndex) -> None:
    assert index.search("doang nghiep", as_of=TODAY)[0].note == "similar"
    assert index.search("doanh nghiep", as_of=TODAY)[0].note == ""


def test_words_without_a_space_between_them_are_found(find: Find) -> None:
    assert "ha-noi" in find("hanoi")
    assert find("danang")[0] == "da-nang"


@pytest.mark.parametrize(
    "text", ["Ai chịu trách nhiệm về dữ liệu đất đai?", "csdl dat dai cua ai", "cơ quan nào quản lý đất đai"]
)
def test_words_that_only_ask_are_left_out(index: SearchIndex, text: str) -> None:
    best = index.search(text, as_of=TODAY)[0]
    assert (best.iri, best.note) == ("https://example.org/land-national", "")


def test_a_word_too_much_still_finds_the_name(index: SearchIndex) -> None:
    best = index.search("đăng ký doanh nghiệp quốc gia xylophone", as_of=TODAY)
    assert [(hit.iri, hit.note) for hit in best] == [("https://example.org/companies", "partly")]
    assert index.search("csdl quốc gia về xylophone bằng vàng", as_of=TODAY) == []


def test_a_national_register_may_hold_the_words_of_a_phrase_apart(find: Find) -> None:
    assert find("csdl đất đai")[:2] == ["land-national", "land-da-nang"]
    assert find("du lieu dat")[0] == "land-national"


def test_two_words_of_which_one_is_nowhere_find_nothing(find: Find) -> None:
    assert find("csdl xylophone") == []
    assert find("xylophone") == []


def test_the_field_of_data_finds_them_and_stands_behind_them(find: Find, index: SearchIndex) -> None:
    assert find("land")[:2] == ["land", "land-national"]
    found = find("đất đai")
    assert found.index("land") > found.index("plots-ha-noi")
    hits = index.search("thông tin đất đai land", as_of=TODAY)
    assert [hit.note for hit in hits] == ["context"]


def test_keywords_and_areas_find_data(find: Find) -> None:
    assert find("hộ kinh doanh") == ["companies"]
    assert "land-national" in find("đất đai việt nam")


def test_a_code_list_and_a_claim_are_nothing_to_find(find: Find) -> None:
    assert find("Không ai dùng") == []
    assert find("Mã đơn vị hành chính", kinds={"field", "post"}) == []


# --- abbreviations ---


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("cơ sở dữ liệu đất đai đà nẵng", "land-da-nang"),
        ("csdl đăng ký doanh nghiệp", "companies"),
        ("co so du lieu quoc gia ve dan cu", "people"),
        ("CSDLQG về dân cư", "people"),
        ("UBND tp Hà Nội", "committee"),
        ("ubnd thành phố hn", "committee"),
        ("TN&MT", "environment"),
        ("bộ tnmt", "environment"),
        ("Bộ TN-MT", "environment"),
        ("BTNMT", "environment"),
        ("LĐ-TB&XH", "labour"),
        ("LĐTBXH", "labour"),
        ("bộ ldtb&xh", "labour"),
        ("NN&MT", "agriculture"),
        ("BHXH", "insurance"),
        ("Sở Khoa học và Công nghệ Đà Nẵng", "science"),
        ("so khcn", "science"),
        ("TP Đà Nẵng", "da-nang"),
    ],
)
def test_abbreviations_work_both_ways(find: Find, text: str, found: str) -> None:
    assert find(text)[0] == found


def test_without_a_table_a_country_has_no_abbreviations() -> None:
    index = SearchIndex()
    index.update([Document("urn:a", "dataset", (Naming("CSDL đất đai"),))], (), 1)
    assert index.search("cơ sở dữ liệu") == []
    assert index.search("csdl")[0].iri == "urn:a"


# --- names and codes of a day ---


def test_a_code_names_another_territory_after_the_merger(find: Find, index: SearchIndex) -> None:
    assert find("24", as_of=date(2025, 6, 30))[:2] == ["bac-giang", "bac-ninh-2"]
    assert find("24", as_of=date(2025, 7, 1))[:2] == ["bac-ninh-2", "bac-giang"]
    first, second = index.search("24", as_of=date(2025, 6, 30))[:2]
    assert (first.label, first.matched, first.note, first.until) == ("Tỉnh Bắc Giang", "24", "code", date(2025, 7, 1))
    assert (second.note, second.since) == ("later", date(2025, 7, 1))


def test_a_code_is_found_with_the_words_of_its_list_and_its_bearer(find: Find) -> None:
    assert find("mã 24")[0] == "bac-ninh-2"
    assert find("bắc ninh 24")[0] == "bac-ninh-2"


def test_of_two_bodies_of_one_name_the_living_one_comes_first(find: Find, index: SearchIndex) -> None:
    assert find("bộ tài chính") == ["finance-2", "finance-1"]
    assert find("bộ tài chính", as_of=BEFORE) == ["finance-1", "finance-2"]
    assert find("bộ tài chính", as_of=None) == ["finance-2", "finance-1"]
    assert index.search("bộ tài chính", as_of=TODAY)[1].note == "ended"
    assert index.search("bộ tài chính", as_of=BEFORE)[1].note == "later"


def test_an_old_name_is_found_and_called_old(index: SearchIndex) -> None:
    hit = index.search("tỉnh đồng nai", as_of=TODAY)[0]
    assert (hit.label, hit.matched, hit.note) == ("Thành phố Đồng Nai", "Tỉnh Đồng Nai", "old-name")
    assert hit.until == date(2026, 4, 30)
    hit = index.search("tỉnh đồng nai", as_of=date(2026, 4, 29))[0]
    assert (hit.label, hit.note) == ("Tỉnh Đồng Nai", "")
    hit = index.search("thành phố đồng nai", as_of=date(2026, 4, 29))[0]
    assert (hit.label, hit.note) == ("Tỉnh Đồng Nai", "later-name")


def test_of_two_names_the_one_of_the_day_is_said_to_match(index: SearchIndex) -> None:
    assert index.search("đồng nai", as_of=TODAY)[0].matched == "Thành phố Đồng Nai"
    assert index.search("đồng nai", as_of=date(2020, 1, 1))[0].matched == "Tỉnh Đồng Nai"


def test_a_body_that_ended_is_found_and_said_to_have_ended(index: SearchIndex) -> None:
    hit = index.search("bộ tài nguyên và môi trường", as_of=TODAY)[0]
    assert (hit.iri, hit.note) == ("https://example.org/environment", "ended")


@pytest.mark.parametrize("text", ["47/2020/NĐ-CP", "47/2020", "nghị định 47/2020", "nd 47 2020", "47/2020/ND-CP"])
def test_a_document_number_finds_the_document(find: Find, text: str) -> None:
    assert find(text)[0] == "decree-47"


def test_the_number_of_a_procedure_finds_it(find: Find) -> None:
    assert find("2.000229") == ["permit"]


# --- what a hit says ---


def test_a_name_in_another_language_is_said_to_be_another_name(index: SearchIndex) -> None:
    hit = index.search("ministry of finance", as_of=TODAY)[0]
    assert (hit.label, hit.matched, hit.note) == ("Bộ Tài chính", "Ministry of Finance", "other-name")
    hit = index.search("bộ tài chính", as_of=TODAY, language="en")[0]
    assert (hit.label, hit.matched, hit.note) == ("Ministry of Finance", "Bộ Tài chính", "other-name")


def test_the_name_is_said_to_match_before_an_equal_abbreviation() -> None:
    index = SearchIndex(None, Abbreviations.of([("TP", "thành phố")]))
    namings = (Naming("Thành phố Huế"), Naming("TP Huế", sort="other"), Naming("TP. Huế", sort="other"))
    index.update([Document("urn:hue", "area", namings)], (), 1)
    assert index.search("huế")[0].matched == "Thành phố Huế"


def test_scores_fall_along_the_list(index: SearchIndex) -> None:
    for text in ("d", "đất đai", "bộ", "24", "thông tin đất đai", "ai biết về dữ liệu đất đai"):
        scores = [hit.score for hit in index.search(text, as_of=TODAY)]
        assert scores == sorted(scores, reverse=True)
        assert all(0 < score <= 1 for score in scores)


def test_a_thing_comes_once(find: Find) -> None:
    for text in ("đồng nai", "doanh nghiệp", "c", "b", "finance"):
        found = find(text, limit=50)
        assert len(found) == len(set(found))


def test_kinds_restrict_what_is_found(find: Find) -> None:
    assert find("đất đai", kinds={"field"}) == ["land"]
    assert find("hà nội", kinds={"body"}) == ["committee"]
    assert find("hà nội", kinds={"post"}) == ["chair"]
    assert find("niên giám", kinds={"series"}) == ["series"]
    assert find("danh mục dữ liệu mở", kinds={"catalog"}) == ["catalog"]
    assert find("mã số thuế", kinds={"service"}) == ["api"]
    assert find("đất đai", kinds=set()) == []


def test_an_unknown_kind_is_a_bad_question(find: Find) -> None:
    with pytest.raises(BadQuestion, match="ministries"):
        find("đất đai", kinds={"ministries"})


def test_the_limit_is_kept(find: Find) -> None:
    assert len(find("b", limit=3)) == 3
    assert find("b", limit=3) == find("b", limit=5)[:3]
    assert find("b", limit=0) == []


# --- bad input ---


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "\t\n", "🙂", "…", "\x00", "*", "?", "a*", ".*", "(", "[", "\\", '"', "a AND", "title:x", "-a", "a^2",
        "a~9", "{a TO b}", "^", "$", "OR OR", "(?:a+)+$", "\ud800", "a\u0301" * 500, "a" * 10_000, "a " * 5_000,
        "a.*" * 3_000, "/" * 10_000, "\u202e dat dai", "'; DROP TABLE", "%s%n", "dat\x00dai", "１２", "ﬁ",
        "a" * 39 + "é" * 10,
    ],
)  # fmt: skip
def test_nothing_that_can_be_typed_breaks_or_hangs_the_search(index: SearchIndex, text: str) -> None:
    begin = time.monotonic()
    index.search(text, as_of=TODAY)
    assert time.monotonic() - begin < 2


@pytest.mark.parametrize("text", ["", "  ", "🙂", "…!?", "\x00"])
def test_nothing_typed_finds_nothing(find: Find, text: str) -> None:
    assert find(text) == []


# --- the index on disk ---

ONE = Document("urn:one", "dataset", (Naming("Sổ hộ tịch"),))
TWO = Document("urn:two", "dataset", (Naming("Sổ đất"),))


def iris(index: SearchIndex, text: str) -> list[str]:
    return [hit.iri for hit in index.search(text)]


def test_the_index_remembers_what_it_holds(tmp_path: Path) -> None:
    index = SearchIndex(tmp_path)
    assert (index.revision, len(index)) == (0, 0)
    index.update([ONE, TWO], (), 7)
    index.close()
    again = SearchIndex(tmp_path)
    assert (again.revision, len(again)) == (7, 2)
    assert iris(again, "so") == ["urn:two", "urn:one"]


def test_an_update_replaces_what_was_known(tmp_path: Path) -> None:
    index = SearchIndex(tmp_path)
    index.update([ONE, TWO], (), 1)
    index.update([Document("urn:one", "dataset", (Naming("Sổ khai sinh"),))], ["urn:one"], 2)
    assert iris(index, "ho tich") == []
    assert iris(index, "khai sinh") == ["urn:one"]
    index.update((), ["urn:one"], 3)
    assert iris(index, "so") == ["urn:two"]
    assert index.revision == 3
    index.close()


def test_applying_a_change_twice_changes_nothing() -> None:
    index = SearchIndex()
    index.update([ONE, TWO], (), 1)
    index.update([ONE, TWO], ["urn:one", "urn:two"], 1)
    assert (len(index), index.revision) == (2, 1)


def test_a_document_given_twice_counts_once() -> None:
    index = SearchIndex()
    index.update([ONE, TWO, ONE], (), 1)
    assert len(index) == 2


def test_a_change_that_fails_leaves_the_index_as_it_was() -> None:
    index = SearchIndex()
    index.update([ONE], (), 1)

    def documents() -> Iterator[Document]:
        yield TWO
        raise KeyError("the store went away")

    with pytest.raises(KeyError):
        index.update(documents(), ["urn:one"], 2)
    assert (iris(index, "so"), index.revision) == (["urn:one"], 1)
    with pytest.raises(KeyError):
        index.rebuild(documents(), 2)
    assert (iris(index, "so"), index.revision) == (["urn:one"], 1)
    index.update([TWO], (), 2)
    assert iris(index, "so") == ["urn:two", "urn:one"]


def test_rebuilding_forgets_what_is_gone(tmp_path: Path) -> None:
    index = SearchIndex(tmp_path)
    index.update([ONE], (), 1)
    index.rebuild([TWO], 5)
    assert (iris(index, "so"), index.revision) == (["urn:two"], 5)
    index.update([ONE], (), 6)
    assert len(iris(index, "so")) == 2
    index.close()


def test_an_index_that_was_never_finished_begins_anew(tmp_path: Path) -> None:
    index = SearchIndex(tmp_path)
    index.update([ONE], (), 3)
    index.close()
    (tmp_path / "stamp.json").write_text("{", "utf-8")
    again = SearchIndex(tmp_path)
    assert (again.revision, len(again)) == (0, 0)


def test_an_index_of_other_abbreviations_begins_anew(tmp_path: Path) -> None:
    index = SearchIndex(tmp_path)
    index.update([ONE], (), 3)
    index.close()
    again = SearchIndex(tmp_path, Abbreviations.of([("HT", "hộ tịch")]))
    assert (again.revision, len(again)) == (0, 0)


def test_a_commit_whose_revision_was_not_noted_is_only_replayed(tmp_path: Path) -> None:
    index = SearchIndex(tmp_path)
    index.update([ONE], (), 1)
    noted = (tmp_path / "stamp.json").read_bytes()
    index.update([TWO], (), 2)
    index.close()
    (tmp_path / "stamp.json").write_bytes(noted)
    again = SearchIndex(tmp_path)
    assert again.revision == 1
    again.update([TWO], ["urn:two"], 2)
    assert (len(again), again.revision) == (2, 2)
    again.close()


def test_a_second_writer_is_told_so(tmp_path: Path) -> None:
    index = SearchIndex(tmp_path)
    index.update([ONE], (), 1)
    other = SearchIndex(tmp_path)
    assert iris(other, "so") == ["urn:one"]
    with pytest.raises(DataDirectory, match="another process"):
        other.update([TWO], (), 2)
    index.close()


def test_an_index_that_is_damaged_says_what_to_do(tmp_path: Path) -> None:
    index = SearchIndex(tmp_path)
    index.update([ONE], (), 1)
    index.close()
    (tmp_path / "entries" / "meta.json").write_text("{", "utf-8")
    with pytest.raises(DataDirectory, match="diaba rebuild"):
        SearchIndex(tmp_path)


def test_searching_goes_on_while_the_index_changes() -> None:
    index = SearchIndex()
    index.update([ONE], (), 1)
    failures: list[list[str]] = []
    done = threading.Event()

    def ask_on() -> None:
        while not done.is_set():
            found = iris(index, "hộ tịch")
            if found != ["urn:one"]:
                failures.append(found)

    asking = threading.Thread(target=ask_on)
    asking.start()
    for revision in range(2, 30):
        index.update([ONE, Document(f"urn:{revision}", "dataset", (Naming(f"Sổ {revision}"),))], (), revision)
    done.set()
    asking.join()
    assert failures == []


def test_every_kind_has_its_place_in_the_order() -> None:
    namings = (Naming("Sổ"),)
    documents = [Document(f"urn:{kind}", kind, namings) for kind in reversed(KINDS)]
    index = SearchIndex()
    index.update(documents, (), 1)
    found = [hit.kind for hit in index.search("sổ", limit=20)]
    assert found[:5] == ["dataset", "series", "service", "catalog", "body"]
    assert sorted(found) == sorted(KINDS)

"""Read documents from the graph, and tell which of them a change concerns."""

from __future__ import annotations

from datetime import date

import pyoxigraph as ox
import pytest

from graph.documents import Document, Naming, all_nodes, documents_of, touched
from graph.search import SearchIndex
from graph.store import OxigraphStore
from graph.terms import Confidence, D, Graphs, Level
from tests.search.statements import SOURCE, parse

X = "https://example.org/"


def document(store: OxigraphStore, name: str) -> Document | None:
    return next(documents_of(store, [X + name], ("vi", "en")), None)


def holding(text: str, graph: str = SOURCE) -> OxigraphStore:
    store = OxigraphStore()
    store.load(parse(text, graph), 1)
    return store


def test_a_dataset_is_found_by_titles_identifier_keywords_theme_and_area(store: OxigraphStore) -> None:
    assert document(store, "companies") == Document(
        iri=X + "companies",
        kind="dataset",
        namings=(
            Naming("Cơ sở dữ liệu quốc gia về đăng ký doanh nghiệp", "vi"),
            Naming("National business registration database", "en"),
            Naming("DS-003", "", "code"),
        ),
        context=("Doanh nghiệp", "Việt Nam", "hộ kinh doanh"),
        level=Level.central,
    )


def test_a_body_takes_its_level_from_its_kind_and_its_days_from_itself(store: OxigraphStore) -> None:
    found = document(store, "finance-1")
    assert found is not None
    assert (found.kind, found.level, found.since, found.until) == ("body", Level.central, None, date(2025, 3, 1))


def test_names_and_codes_come_with_their_days_the_latest_first(store: OxigraphStore) -> None:
    found = document(store, "dong-nai")
    assert found is not None
    assert found.namings == (
        Naming("Thành phố Đồng Nai", "vi", "name", date(2026, 4, 30)),
        Naming("Tỉnh Đồng Nai", "vi", "name", None, date(2026, 4, 30)),
        Naming("Thành phố Đồng Nai", "vi", "label"),
    )
    found = document(store, "bac-giang")
    assert found is not None
    assert found.namings[0] == Naming("24", "", "code", None, date(2025, 7, 1), "Mã đơn vị hành chính")


def test_of_several_forms_in_one_name_record_the_longest_is_the_label() -> None:
    store = holding(
        "x:b a d:Agency . x:n a d:Name ; d:nameOf x:b ; "
        'skosxl:literalForm "UBND tỉnh A"@vi, "Ủy ban nhân dân tỉnh A"@vi .'
    )
    index = SearchIndex()
    index.rebuild(documents_of(store, all_nodes(store)), 1)
    assert index.search("ubnd")[0].label == "Ủy ban nhân dân tỉnh A"


def test_of_the_names_of_one_day_the_wanted_language_is_the_label() -> None:
    store = holding(
        "x:b a d:Agency . x:n a d:Name ; d:nameOf x:b ; "
        'skosxl:literalForm "Bộ Tài chính"@vi, "Ministry of Finance"@en .'
    )
    for wanted, label in ((("vi", "en"), "Bộ Tài chính"), (("en", "vi"), "Ministry of Finance")):
        index = SearchIndex()
        index.rebuild(documents_of(store, all_nodes(store), wanted), 1)
        assert index.search("finance")[0].label == label


def test_labels_come_in_the_languages_wanted() -> None:
    store = holding('x:a a dcat:Dataset ; dct:title "Terrain"@fr, "Land"@en, "Đất"@vi .')
    first = {
        wanted: next(documents_of(store, [X + "a"], wanted)).namings[0].text for wanted in (("vi",), ("fr", "en"), ())
    }
    assert first == {("vi",): "Đất", ("fr", "en"): "Terrain", (): "Land"}


def test_bodies_of_other_registers_are_found_by_their_foaf_name() -> None:
    store = holding('x:a a d:Agency ; foaf:name "Gemeente Utrecht" .')
    assert next(documents_of(store, [X + "a"])).namings == (Naming("Gemeente Utrecht"),)


@pytest.mark.parametrize("name", ["claim", "area-codes", "ministry", "unused", "code-24a", "name-dn-1", "nowhere"])
def test_records_code_lists_and_what_is_not_there_have_no_document(store: OxigraphStore, name: str) -> None:
    assert document(store, name) is None


def test_a_thing_without_any_name_has_no_document() -> None:
    store = holding('x:a a dcat:Dataset ; dct:title "  " .')
    assert list(documents_of(store, all_nodes(store))) == []


def test_what_nobody_vouches_for_stands_behind() -> None:
    store = holding('x:real a dcat:Dataset ; dct:title "CSDL đất đai các tỉnh phía bắc và phía nam"@vi .')
    mock = "https://example.org/mock"
    store.apply((), parse('x:mock a dcat:Dataset ; dct:title "CSDL đất đai"@vi .', mock), 2)
    marks = [
        ox.Quad(
            ox.NamedNode(mock),
            ox.NamedNode(D.confidence),
            ox.NamedNode(Confidence.V3_MOCK),
            ox.NamedNode(Graphs.sources),
        )
    ]
    store.apply((), marks, 3)
    documents = {one.iri: one.verified for one in documents_of(store, all_nodes(store))}
    assert documents == {X + "real": True, X + "mock": False}
    index = SearchIndex()
    index.rebuild(documents_of(store, all_nodes(store)), 3)
    assert [hit.iri for hit in index.search("đất đai")] == [X + "real", X + "mock"]


def test_a_series_is_a_series_though_it_is_also_a_dataset() -> None:
    store = holding('x:s a dcat:Dataset, dcat:DatasetSeries ; dct:title "Niên giám"@vi .')
    assert {one.kind for one in documents_of(store, all_nodes(store))} == {"series"}


# --- what a change concerns ---


def change(store: OxigraphStore, removed: str = "", added: str = "") -> set[str]:
    """Apply a change and return the short names of what it concerns."""
    gone, new = parse(removed), parse(added)
    store.apply(gone, new, store.revision + 1)
    return {node.removeprefix(X) for node in touched(store, [*gone, *new])}


def test_a_title_concerns_its_dataset(store: OxigraphStore) -> None:
    assert change(store, added='x:people dct:title "Population"@en .') == {"people"}


def test_a_name_record_concerns_what_it_names(store: OxigraphStore) -> None:
    assert change(store, added='x:n a d:Name ; d:nameOf x:insurance ; skosxl:literalForm "BHXHVN"@vi .') == {
        "insurance",
        "n",
    }
    assert change(
        store, 'x:name-dn-1 d:until "2026-04-30"^^xsd:date .', 'x:name-dn-1 d:until "2026-05-01"^^xsd:date .'
    ) == {"dong-nai"}


def test_a_name_record_that_is_withdrawn_concerns_what_it_named(store: OxigraphStore) -> None:
    gone = 'x:name-dn-1 d:nameOf x:dong-nai ; skosxl:literalForm "Tỉnh Đồng Nai"@vi ; d:until "2026-04-30"^^xsd:date .'
    assert "dong-nai" in change(store, gone)


def test_a_code_concerns_its_bearer(store: OxigraphStore) -> None:
    assert change(store, 'x:code-24b skos:notation "24" .', 'x:code-24b skos:notation "27" .') == {"bac-ninh-2"}


def test_the_end_of_a_body_concerns_the_body(store: OxigraphStore) -> None:
    assert change(store, added='x:insurance d:until "2025-03-01"^^xsd:date .') == {"insurance"}


def test_the_label_of_a_field_concerns_its_data(store: OxigraphStore) -> None:
    assert change(store, added='x:land skos:prefLabel "Grond"@nl .') == {
        "land", "land-national", "land-da-nang", "plots-ha-noi",
    }  # fmt: skip


def test_the_level_of_an_area_concerns_the_data_managed_there(store: OxigraphStore) -> None:
    assert change(store, "x:da-nang d:level level:province .", "x:da-nang d:level level:commune .") == {
        "da-nang", "land-da-nang",
    }  # fmt: skip


def test_the_title_of_a_code_list_concerns_the_bearers_of_its_codes(store: OxigraphStore) -> None:
    assert {"bac-giang", "bac-ninh-2"} <= change(store, added='x:area-codes skos:prefLabel "Area codes"@en .')


def test_a_theme_makes_a_field_of_a_concept(store: OxigraphStore) -> None:
    assert change(store, added="x:people dcat:theme x:unused .") == {"people", "unused"}
    assert document(store, "unused") is not None


def test_a_claim_concerns_no_document(store: OxigraphStore) -> None:
    assert change(store, added="x:claim d:holder x:labour ; d:covers x:people .") == set()


def test_following_the_changes_gives_what_a_rebuild_gives(store: OxigraphStore) -> None:
    followed, changes = SearchIndex(), [
        ("", 'x:n a d:Name ; d:nameOf x:people ; skosxl:literalForm "Sổ dân"@vi ; d:until "2020-01-01"^^xsd:date .'),
        ('x:people dct:title "CSDL quốc gia về dân cư"@vi .', 'x:people dct:title "Sổ bộ dân cư"@vi .'),
        ('x:n d:nameOf x:people .', ""),
        ('x:land skos:prefLabel "Đất đai"@vi .', 'x:land skos:prefLabel "Ruộng đất"@vi .'),
        ("x:api a dcat:DataService .", ""),
        ("x:land-da-nang dcat:theme x:land . x:land-national dcat:theme x:land .", ""),
        ("x:plots-ha-noi dcat:theme x:land .", ""),
    ]  # fmt: skip
    followed.rebuild(documents_of(store, all_nodes(store)), 1)
    for removed, added in changes:
        gone, new = parse(removed), parse(added)
        store.apply(gone, new, store.revision + 1)
        nodes = list(touched(store, [*gone, *new]))
        followed.update(documents_of(store, nodes), nodes, store.revision)
        rebuilt = SearchIndex()
        rebuilt.rebuild(documents_of(store, all_nodes(store)), store.revision)
        assert len(followed) == len(rebuilt)
        for text in ("đất", "ruong dat", "so", "dân", "csdl dân cư", "tra cứu", "24", "b"):
            assert followed.search(text, limit=50) == rebuilt.search(text, limit=50), (text, removed, added)


def test_a_thing_of_which_very_much_is_said_is_read_like_any_other() -> None:
    said = 'a dcat:Catalog ; dct:title "Danh mục"@vi ; dct:identifier "DM-1" ; d:level level:central .'
    members = " ".join(f"x:catalog dcat:dataset x:set-{number} ." for number in range(500))
    assert document(holding(f"x:catalog {said} {members}"), "catalog") == document(
        holding(f"x:catalog {said}"), "catalog"
    )

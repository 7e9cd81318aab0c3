"""What the pack holds, counted and asked by day: units, bodies, codes, law, permitted pairs, and their sources."""

from __future__ import annotations

import pyoxigraph as ox
import pytest

from graph.answering import Sources
from graph.terms import D

PREFIXES = """
PREFIX d: <https://w3id.org/diaba/ns#>
PREFIX dcat: <http://www.w3.org/ns/dcat#>
PREFIX dct: <http://purl.org/dc/terms/>
PREFIX skos: <http://www.w3.org/2004/02/skos/core#>
PREFIX skosxl: <http://www.w3.org/2008/05/skos-xl#>
PREFIX xsd: <http://www.w3.org/2001/XMLSchema#>
PREFIX conf: <https://w3id.org/diaba/confidence/>
PREFIX level: <https://w3id.org/diaba/level/>
PREFIX area: <https://w3id.org/diaba/vn/area/>
PREFIX body: <https://w3id.org/diaba/vn/body/>
PREFIX ds: <https://w3id.org/diaba/vn/dataset/>
PREFIX event: <https://w3id.org/diaba/vn/event/>
PREFIX field: <https://w3id.org/diaba/vn/field/>
PREFIX kind: <https://w3id.org/diaba/vn/kind/>
PREFIX law: <https://w3id.org/diaba/vn/law/>
PREFIX pair: <https://w3id.org/diaba/vn/pair#>
PREFIX record: <https://w3id.org/diaba/vn/record/>
PREFIX scheme: <https://w3id.org/diaba/vn/scheme/>
"""
RECORDS = (
    D.Name, D.Code, D.Placement, D.Responsibility, D.Transfer, D.ChangeEvent, D.Succession, D.Flow,
)  # fmt: skip


def ask(register: Sources, variables: str, pattern: str) -> list[tuple[str, ...]]:
    rows = register.graph.query(f"{PREFIXES} SELECT {variables} WHERE {{ {pattern} }}")
    names = [name[1:] for name in variables.removeprefix("DISTINCT ").split()]
    return sorted(tuple(row[name].value if row[name] else "" for name in names) for row in rows)  # type: ignore


def on(day: str, thing: str) -> str:
    """Write the condition that a thing, by the days it states, exists on a day."""
    return (
        f'OPTIONAL {{ {thing} d:from ?from }} FILTER(!BOUND(?from) || ?from <= "{day}"^^xsd:date) '
        f'OPTIONAL {{ {thing} d:until ?until }} FILTER(!BOUND(?until) || ?until > "{day}"^^xsd:date) '
    )


def count(register: Sources, pattern: str) -> int:
    return len(ask(register, "DISTINCT ?x", pattern))


@pytest.mark.parametrize(
    ("level", "day", "units"),
    [
        ("province", "2008-07-31", 64),
        ("province", "2008-08-01", 63),
        ("province", "2024-12-31", 63),
        ("province", "2025-06-30", 63),
        ("province", "2025-07-01", 34),
        ("province", "2026-04-29", 34),
        ("province", "2026-11-23", 34),
        ("district", "2025-06-30", 696),
        ("district", "2025-07-01", 0),
        ("commune", "2025-07-01", 3321),
    ],
)
def test_units_of_a_level_on_a_day(register: Sources, level: str, day: str, units: int) -> None:
    assert count(register, f"?x a d:Area ; d:level level:{level} . {on(day, '?x')}") == units


@pytest.mark.parametrize(
    ("kind", "day", "bodies"),
    [
        ("ubnd-cap-tinh", "2025-06-30", 63),
        ("ubnd-cap-tinh", "2025-07-01", 34),
        ("ubnd-cap-huyen", "2025-06-30", 696),
        ("ubnd-cap-huyen", "2025-07-01", 0),
        ("ubnd-cap-xa", "2025-07-01", 3321),
        ("bo", "2025-03-01", 14),
        ("co-quan-ngang-bo", "2025-03-01", 3),
        ("bo", "2025-02-28", 18),
    ],
)
def test_bodies_of_a_kind_on_a_day(register: Sources, kind: str, day: str, bodies: int) -> None:
    assert count(register, f"?x d:bodyKind kind:{kind} . {on(day, '?x')}") == bodies


@pytest.mark.parametrize(
    ("province", "communes"), [("thanh-pho-ha-noi", 126), ("thanh-pho-da-nang-2025", 94), ("thanh-pho-dong-nai", 95)]
)
def test_communes_of_a_province_today(register: Sources, province: str, communes: int) -> None:
    pattern = f"?p d:under area:{province} ; d:placed ?x . ?x d:level level:commune . {on('2026-11-23', '?p')}"
    assert count(register, pattern) == communes


def test_every_commune_lies_in_one_province_on_any_day_since_the_reform(register: Sources) -> None:
    for day in ("2025-07-01", "2026-04-29", "2026-04-30"):
        placed = ask(register, "?x", f"?p d:placed ?x ; d:under/d:level level:province . {on(day, '?p')}")
        communes = [row for row in placed if row[0].rsplit("-", 1)[1].isdigit()]
        assert len(communes) == len(set(communes)) == 3321


@pytest.mark.parametrize(
    ("code", "day", "name"),
    [
        ("24", "2025-06-30", "Tỉnh Bắc Giang"),
        ("24", "2025-07-01", "Tỉnh Bắc Ninh"),
        ("27", "2025-06-30", "Tỉnh Bắc Ninh"),
        ("01", "2026-11-23", "Thành phố Hà Nội"),
        ("75", "2026-04-29", "Tỉnh Đồng Nai"),
        ("75", "2026-04-30", "Thành phố Đồng Nai"),
        ("00004", "2025-06-30", "Phường Trúc Bạch"),
        ("00004", "2025-07-01", "Phường Ba Đình"),
        ("001", "2025-06-30", "Quận Ba Đình"),
    ],
)
def test_a_code_names_one_unit_on_a_day(register: Sources, code: str, day: str, name: str) -> None:
    pattern = (
        f'?c d:codeOf/skos:prefLabel ?name ; skos:notation "{code}" ; skos:inScheme scheme:don-vi-hanh-chinh . '
        f'FILTER(LANG(?name) = "vi") {on(day, "?c")}'
    )
    assert ask(register, "?name", pattern) == [(name,)]


def test_a_code_that_ended_names_nothing(register: Sources) -> None:
    pattern = f'?x skos:notation "27" ; skos:inScheme scheme:don-vi-hanh-chinh . {on("2025-07-01", "?x")}'
    assert count(register, pattern) == 0


def test_no_code_names_two_units_on_a_day(register: Sources) -> None:
    for day in ("2025-06-30", "2025-07-01", "2026-11-23"):
        codes = ask(register, "?n", f"?c skos:inScheme scheme:don-vi-hanh-chinh ; skos:notation ?n . {on(day, '?c')}")
        assert len(codes) == len(set(codes))


def test_the_committee_of_ba_dinh_district_ends_with_the_level(register: Sources) -> None:
    assert count(register, f"VALUES ?x {{ body:ubnd-quan-ba-dinh }} ?x a d:Agency . {on('2025-06-30', '?x')}") == 1
    assert count(register, f"VALUES ?x {{ body:ubnd-quan-ba-dinh }} ?x a d:Agency . {on('2025-07-01', '?x')}") == 0


@pytest.mark.parametrize(
    ("day", "number"), [("2025-02-28", "77/2015/QH13"), ("2025-03-01", "65/2025/QH15"), ("2025-06-16", "72/2025/QH15")]
)
def test_the_local_government_law_in_force(register: Sources, day: str, number: str) -> None:
    pattern = (
        "VALUES ?x { law:77-2015-qh13 law:65-2025-qh15 law:72-2025-qh15 } ?x a d:LegalInstrument ; dct:identifier ?n . "
        + on(day, "?x")
    )
    assert ask(register, "?n", pattern) == [(number,)]


def test_there_are_fifty_eight_instruments_each_with_issuer_and_type(register: Sources) -> None:
    assert count(register, "?x a d:LegalInstrument") == 58
    assert count(register, "?x a d:LegalInstrument ; d:issuer/skos:prefLabel ?i ; d:instrumentType ?t") == 58


def test_a_day_that_nobody_verified_is_not_asserted(register: Sources) -> None:
    assert not ask(register, "?d", "law:63-2025-qh15 d:from ?d")
    assert not ask(register, "?d", "law:176-2025-qh15 d:issuedOn ?d")
    assert ask(register, "?d", "law:176-2025-qh15 d:from ?d") == [("2025-03-01",)]
    assert ask(register, "?d", "law:30-2026-qh16 dct:date ?d") == [("2026-04",)]
    assert not ask(register, "?d", "law:30-2026-qh16 d:issuedOn ?d")


def test_the_last_day_of_the_mandate_is_the_day_before_it_ends(register: Sources) -> None:
    assert ask(register, "?d", "law:1883-qd-ubnd-lao-cai d:until ?d") == [("2027-03-01",)]


def test_a_merged_province_of_the_same_name_is_another_one(register: Sources) -> None:
    assert ask(register, "?x", '?x a d:Area ; skos:prefLabel "Tỉnh Lào Cai"@vi') == [
        ("https://w3id.org/diaba/vn/area/tinh-lao-cai-2025",),
        ("https://w3id.org/diaba/vn/area/tinh-lao-cai-den-2025",),
    ]
    assert len(ask(register, "?x", '?x a d:Agency ; skos:prefLabel "Bộ Tài chính"@vi')) == 2


def test_a_province_that_was_not_rearranged_stays_itself(register: Sources) -> None:
    assert len(ask(register, "?x", '?x a d:Area ; skos:prefLabel "Tỉnh Cao Bằng"@vi')) == 1
    assert not ask(register, "?d", "area:tinh-cao-bang d:until ?d")
    assert not ask(register, "?s", "?s d:predecessor area:tinh-cao-bang")


def test_fifty_two_provinces_went_into_twenty_three(register: Sources) -> None:
    pattern = (
        '?s d:event/d:effectiveOn "2025-07-01"^^xsd:date ; d:predecessor ?x ; d:successor ?y . '
        "?x d:level level:province"
    )
    assert count(register, pattern) == 52
    assert len(ask(register, "DISTINCT ?y", pattern)) == 23


def test_each_ended_committee_of_a_province_has_one_heir(register: Sources) -> None:
    ended = ask(register, "?x", '?x d:bodyKind kind:ubnd-cap-tinh ; d:until "2025-07-01"^^xsd:date')
    heirs = ask(
        register,
        "?x",
        '?x d:bodyKind kind:ubnd-cap-tinh ; d:until "2025-07-01"^^xsd:date . ?s d:predecessor ?x . '
        "MINUS { ?s d:area ?condition }",
    )
    assert ended == heirs
    assert len(ended) == 52


def test_a_district_of_hanoi_went_into_its_wards_and_so_did_its_committee(register: Sources) -> None:
    wards = ask(register, "?y", "?s d:predecessor area:quan-ba-dinh ; d:successor ?y")
    committees = ask(
        register, "?area", "?s d:predecessor body:ubnd-quan-ba-dinh ; d:successor/d:jurisdiction ?area ; d:area ?area"
    )
    assert wards == committees
    assert ("https://w3id.org/diaba/vn/area/phuong-ba-dinh-00004",) in wards


def test_most_wards_of_hanoi_hold_land_of_several_districts_or_of_one(register: Sources) -> None:
    rows = ask(
        register,
        "?x ?y",
        "?s d:event event:xa-phuong-ha-noi-2025 ; d:predecessor ?x ; d:successor ?y . ?x d:level level:district",
    )
    spread: dict[str, int] = {}
    for _, ward in rows:
        spread[ward] = spread.get(ward, 0) + 1
    assert len(spread) == 126
    assert sum(districts > 1 for districts in spread.values()) == 64


def test_a_district_elsewhere_has_no_stated_heir(register: Sources) -> None:
    assert ask(register, "?d", "area:huyen-mai-son d:until ?d") == [("2025-07-01",)]
    assert not ask(register, "?s", "?s d:predecessor area:huyen-mai-son")
    assert not ask(register, "?s", "?s d:predecessor body:ubnd-huyen-mai-son")


def test_the_ministry_of_labours_heirs_are_claims_only(register: Sources) -> None:
    marks = ask(
        register, "DISTINCT ?mark", "?s d:predecessor body:bo-lao-dong-thuong-binh-va-xa-hoi ; d:confidence ?mark"
    )
    assert marks == [("https://w3id.org/diaba/confidence/R",)]


def mandates(register: Sources, day: str, taker: str, area: str = "") -> int:
    """Count the pairs by which a provincial committee as a body may mandate a body (no post) of a kind."""
    here = f"?x pair:area area:{area} ." if area else "MINUS { ?x pair:area ?special }"
    return count(
        register,
        f"?x a pair:Pair ; pair:kind d:mandate ; pair:giverKind kind:ubnd-cap-tinh ; pair:takerKind kind:{taker} . "
        f"MINUS {{ ?x pair:takerPost ?post }} MINUS {{ ?x pair:giverPost ?chair }} {here} {on(day, '?x')}",
    )


def test_hanoi_may_mandate_a_department_as_a_body_and_others_may_not(register: Sources) -> None:
    department = "co-quan-chuyen-mon-cap-tinh"
    assert mandates(register, "2025-08-01", department, "thanh-pho-ha-noi") == 1
    assert mandates(register, "2025-08-01", department) == 0
    assert mandates(register, "2026-08-01", department, "thanh-pho-ha-noi") == 0


def test_what_hanoi_may_do_under_the_law_of_2026_is_said_to_be_unknown(register: Sources) -> None:
    unread = "?x a pair:Unread ; pair:area area:thanh-pho-ha-noi . "
    assert count(register, unread + on("2026-08-01", "?x")) == 1
    assert count(register, unread + on("2025-08-01", "?x")) == 0


def test_the_table_of_pairs_has_every_row(register: Sources) -> None:
    assert count(register, "?x a pair:Pair ; pair:provision/d:partOf ?law ; d:from ?day") == 39


def test_there_are_nineteen_national_databases_and_over_a_hundred_datasets(register: Sources) -> None:
    graph = "GRAPH <https://w3id.org/diaba/vn/part/national-databases> "
    assert count(register, graph + "{ ?x a dcat:Dataset }") == 19
    described = "?x a dcat:Dataset ; dct:title ?title ; dcat:theme/skos:prefLabel ?theme ; d:managedIn/d:level ?level"
    assert count(register, described) == 120


def test_no_two_datasets_share_an_identifier_or_a_title(register: Sources) -> None:
    for name in ("identifier", "title"):
        values = ask(register, "?v", f"?x a dcat:Dataset ; dct:{name} ?v")
        assert len(values) == len(set(values))


def test_a_dataset_known_from_a_mock_only_is_left_out(register: Sources) -> None:
    assert not ask(register, "?x", '?x dct:identifier "DS-031"')
    assert not ask(register, "?x", '?x dct:title "CSDL Giao dịch bảo đảm"@vi')
    marks = ask(register, "?x", "?r d:confidence conf:V3-mock ; d:covers ?x")
    assert len(marks) == 8


def test_a_cell_with_two_names_is_never_shared(register: Sources) -> None:
    holders = ask(register, "?r ?h", "?r a d:Responsibility ; d:holder ?h")
    assert len({record for record, _ in holders}) == len(holders)


def test_what_passes_through_the_national_platform_is_known(register: Sources) -> None:
    assert count(register, "?flow a d:Flow ; d:flowTo ds:ndxp ; d:flowFrom ?x . ?x dct:title ?title") == 23
    assert ask(register, "?mark", "?flow d:flowTo ds:dat-dai ; d:confidence ?mark") == [
        ("https://w3id.org/diaba/confidence/V2",)
    ]


def test_every_record_says_where_it_was_read_and_how_sure_it_is(register: Sources) -> None:
    for record in RECORDS:
        total = count(register, f"?x a <{record}>")
        assert total == count(register, f"?x a <{record}> ; d:confidence ?mark ; d:source ?source")
        assert total == count(register, f"?x a <{record}> ; d:source/(dct:title|skos:prefLabel) ?name")


def test_every_reference_into_the_pack_leads_somewhere(statements: dict[str, list[ox.Quad]]) -> None:
    quads = [quad for part in statements.values() for quad in part]
    described = {quad.subject.value for quad in quads}  # type: ignore[union-attr]
    named = {getattr(quad.object, "value", "") for quad in quads}
    inside = {iri for iri in named if iri.startswith("https://w3id.org/diaba/vn/")}
    assert inside <= described


def test_the_pack_speaks_in_known_words_only(statements: dict[str, list[ox.Quad]]) -> None:
    words = {value for value in vars(D).values() if isinstance(value, str)}
    used = {quad.predicate.value for part in statements.values() for quad in part}
    assert {word for word in used if word.startswith(D.NS)} <= words


def test_nothing_ends_before_it_starts_or_has_two_starts(register: Sources) -> None:
    assert not ask(register, "?x", "?x d:from ?a ; d:until ?b FILTER(?b <= ?a)")
    for word in ("from", "until", "confidence", "level", "bodyKind", "effectiveOn"):
        assert not ask(register, "?x", f"?x d:{word} ?a ; d:{word} ?b FILTER(STR(?a) < STR(?b))")


def test_names_with_and_without_the_other_spelling_are_one(register: Sources) -> None:
    assert len(ask(register, "?x", '?x a d:Area ; skos:prefLabel|skos:altLabel "Tỉnh Thanh Hoá"@vi')) == 1
    assert ask(register, "?v", 'area:tinh-thanh-hoa skos:prefLabel ?v FILTER(LANG(?v) = "vi")') == [("Tỉnh Thanh Hóa",)]
